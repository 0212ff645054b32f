//! Records as a SCIM list response: a resource a line, so that it can be compared line by line.
//!
//! Asks for no server's `id` and `meta`, which an import does not need. Invariant: what is written is read back as the
//! same records.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::directory::ContactRecord;
use crate::directory::documents::Organisation;
use crate::directory::scim::{CONTACT_URN, GROUP_URN, LIST_URN, ORGANISATION_URN, USER_URN};

/// Writes a group an organisation.
pub(crate) fn write_organisations(
    out: &mut dyn Write,
    organisations: impl Iterator<Item = Organisation>,
) -> io::Result<()> {
    write_list(out, organisations.map(|organisation| group(&organisation)))
}

/// Writes a user a record.
pub(crate) fn write_contacts(out: &mut dyn Write, records: impl Iterator<Item = ContactRecord>) -> io::Result<()> {
    write_list(out, records.map(|record| user(&record)))
}

fn write_list(out: &mut dyn Write, resources: impl Iterator<Item = Value>) -> io::Result<()> {
    write!(out, "{{\"schemas\":[\"{LIST_URN}\"],\"Resources\":[")?;
    let mut count = 0_u64;
    for resource in resources {
        out.write_all(if count == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &resource)?;
        count += 1;
    }
    writeln!(out, "\n],\"totalResults\":{count},\"startIndex\":1,\"itemsPerPage\":{count}}}")
}

fn group(organisation: &Organisation) -> Value {
    json!({
        "schemas": [GROUP_URN, ORGANISATION_URN],
        "displayName": organisation.tenant_name,
        ORGANISATION_URN: said([
            ("tenantId", json!(organisation.tenant_id)),
            ("domains", json!(organisation.domains)),
            ("country", json!(organisation.country)),
            ("language", json!(organisation.language)),
        ]),
    })
}

fn user(record: &ContactRecord) -> Value {
    said([
        ("schemas", json!([USER_URN, CONTACT_URN])),
        ("userName", json!(record.email)),
        ("name", said([("formatted", json!(record.name))])),
        ("emails", json!([{ "value": record.email, "type": "work", "primary": true }])),
        ("preferredLanguage", json!(record.language)),
        ("timezone", json!(record.timezone)),
        ("active", flag(&record.state, "active", "disabled")),
        (
            CONTACT_URN,
            said([
                ("tenantId", json!(record.tenant_id)),
                ("role", json!(record.role)),
                ("channel", json!(record.channel)),
                ("priority", number(&record.priority)),
                ("verified", flag(&record.verified, "verified", "unverified")),
                ("mayBeNamed", flag(&record.may_be_named, "yes", "no")),
            ]),
        ),
    ])
}

/// An object of the members that say something.
fn said<const N: usize>(members: [(&str, Value); N]) -> Value {
    let says = |value: &Value| value.as_str() != Some("") && value.as_object().is_none_or(|object| !object.is_empty());
    members.into_iter().filter(|(_, value)| says(value)).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn flag(text: &str, yes: &str, no: &str) -> Value {
    match text {
        text if text == yes => Value::Bool(true),
        text if text == no => Value::Bool(false),
        text => json!(text),
    }
}

/// A number where that is the same text again.
fn number(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => json!(number),
        _ => json!(text),
    }
}
