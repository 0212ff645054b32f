//! Writes directory files.
//!
//! Sorts nothing and holds one organisation at a time. Invariant: what is written is read back as the same records, but
//! for their lines, for white space around texts, and for control characters in vCards.

use std::io::{self, Write};
use std::iter::Peekable;

use serde::ser::{SerializeMap, Serializer};

use crate::directory::documents::Organisation;
use crate::directory::{ContactRecord, DirectoryFormat, OrganisationRecord, apostrophe, scim, vcard};

/// Most domains of one resource or card, which must stay shorter than 1 MiB. The rest follows in another one.
const MOST_DOMAINS: usize = 1000;

/// Writes organisations. In SCIM and vCard, domains that follow each other and are of one organisation stand together.
pub fn write_organisations(
    out: &mut dyn Write,
    format: DirectoryFormat,
    records: impl Iterator<Item = OrganisationRecord>,
) -> io::Result<()> {
    let columns = OrganisationRecord::COLUMNS;
    match format {
        DirectoryFormat::Csv => write_csv(out, columns, "tenant_name", records, OrganisationRecord::values),
        DirectoryFormat::JsonLines => write_json_lines(out, columns, records, OrganisationRecord::values),
        DirectoryFormat::Scim => scim::write_organisations(out, Grouped(records.peekable())),
        DirectoryFormat::VCard => vcard::write_organisations(out, Grouped(records.peekable())),
    }
}

/// Writes contacts, in SCIM and vCard a resource or card each.
pub fn write_contacts(
    out: &mut dyn Write,
    format: DirectoryFormat,
    records: impl Iterator<Item = ContactRecord>,
) -> io::Result<()> {
    let columns = ContactRecord::COLUMNS;
    match format {
        DirectoryFormat::Csv => write_csv(out, columns, "name", records, ContactRecord::values),
        DirectoryFormat::JsonLines => write_json_lines(out, columns, records, ContactRecord::values),
        DirectoryFormat::Scim => scim::write_contacts(out, records),
        DirectoryFormat::VCard => vcard::write_contacts(out, records),
    }
}

/// CSV by RFC 4180 with `\n`, header first; the column of free text is defused, so that no spreadsheet runs it.
fn write_csv<T, const N: usize>(
    out: &mut dyn Write,
    columns: [&str; N],
    free: &str,
    records: impl Iterator<Item = T>,
    values: impl Fn(&T) -> [&str; N],
) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    writer.write_record(columns)?;
    for record in records {
        for (name, value) in columns.into_iter().zip(values(&record)) {
            if name == free {
                writer.write_field(&*apostrophe::put(value))?;
            } else {
                writer.write_field(value)?;
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}

fn write_json_lines<T, const N: usize>(
    out: &mut dyn Write,
    columns: [&str; N],
    records: impl Iterator<Item = T>,
    values: impl Fn(&T) -> [&str; N],
) -> io::Result<()> {
    for record in records {
        let mut json = serde_json::Serializer::new(&mut *out);
        let mut object = json.serialize_map(Some(N))?;
        for (name, value) in columns.into_iter().zip(values(&record)) {
            object.serialize_entry(name, value)?;
        }
        object.end()?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Organisations from their domains, as far as these follow each other.
struct Grouped<I: Iterator<Item = OrganisationRecord>>(Peekable<I>);

impl<I: Iterator<Item = OrganisationRecord>> Iterator for Grouped<I> {
    type Item = Organisation;

    fn next(&mut self) -> Option<Organisation> {
        let OrganisationRecord { line, domain, tenant_id, tenant_name, country, language } = self.0.next()?;
        let mut whole = Organisation { line, tenant_id, tenant_name, country, language, domains: vec![domain] };
        while whole.domains.len() < MOST_DOMAINS
            && let Some(record) = self.0.next_if(|record| is_of(record, &whole))
        {
            whole.domains.push(record.domain);
        }
        Some(whole)
    }
}

fn is_of(record: &OrganisationRecord, whole: &Organisation) -> bool {
    (&record.tenant_id, &record.tenant_name, &record.country, &record.language)
        == (&whole.tenant_id, &whole.tenant_name, &whole.country, &whole.language)
}
