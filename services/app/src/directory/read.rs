//! Directory files into memory: tenants, claims in order, contacts.
//!
//! Compares nothing. Invariant: every row is used, or named among the rejected with file and line.

use std::collections::HashSet;
use std::path::Path;

use model::domain::DomainName;
use sources::directory::{ContactRecord, Contacts, DirectoryRecord, Organisations};
use store::contacts::Contact;

use super::tenants::Tenants;
use super::{Difference, Files};
use crate::AppError;
use crate::contacts::Given;

/// How many notes are shown; of more, only their number.
const NOTES: usize = 1_000;

/// What the files say.
pub(super) struct Read {
    pub(super) claims: Claims,
    /// With their lines.
    pub(super) people: Vec<(u64, Contact)>,
    /// Name and SHA-256 of each file.
    pub(super) digests: serde_json::Value,
}

/// Claims in the order of domain and tenant, each once.
#[derive(Default)]
pub(super) struct Claims {
    rows: Vec<(Box<str>, u32)>,
    /// Whose they are.
    pub(super) tenants: Tenants,
}

impl Claims {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn domain(&self, at: usize) -> &str {
        &self.rows[at].0
    }

    pub(super) fn tenant(&self, at: usize) -> &str {
        self.tenants.id(self.rows[at].1)
    }

    /// The claims to domains up to and with this one end here.
    pub(super) fn end_of(&self, domain: &str) -> usize {
        self.rows.partition_point(|(there, _)| **there <= *domain)
    }

    /// The tenants that claim a domain.
    pub(super) fn tenants_of(&self, domain: &str) -> impl Iterator<Item = &str> {
        let begin = self.rows.partition_point(|(there, _)| **there < *domain);
        (begin..self.end_of(domain)).map(|at| self.tenant(at))
    }

    /// Whether a tenant is among these places, which are of one domain.
    pub(super) fn has(&self, places: std::ops::Range<usize>, tenant: &str) -> bool {
        self.rows[places].binary_search_by(|(_, id)| self.tenants.id(*id).cmp(tenant)).is_ok()
    }

    pub(super) fn names_tenant(&self, id: &str) -> bool {
        self.tenants.find(id).is_some()
    }
}

/// Reads the files.
pub(super) fn read(files: &Files<'_>, difference: &mut Difference) -> Result<Read, AppError> {
    let mut digests = Vec::new();
    for path in files.organisations.iter().chain(&files.contacts) {
        digests.push(serde_json::json!({ "file": path.display().to_string(), "sha256": sources::digest(path)? }));
    }
    let claims = match files.organisations {
        Some(path) => organisations(path, files, difference)?,
        None => Claims::default(),
    };
    let people = match files.contacts {
        Some(path) => contacts(path, files, difference)?,
        None => Vec::new(),
    };
    let more = difference.notes.len().saturating_sub(NOTES);
    if more > 0 {
        difference.notes.truncate(NOTES);
        difference.notes.push(format!("and {more} more notes"));
    }
    Ok(Read { claims, people, digests: serde_json::Value::Array(digests) })
}

fn organisations(path: &Path, files: &Files<'_>, difference: &mut Difference) -> Result<Claims, AppError> {
    let mut table = Organisations::open(path, files.format)?;
    let file = path.display().to_string();
    let mut tenants = Tenants::default();
    let mut rows = Vec::new();
    while let Some(record) = table.next_row()? {
        let row = match record {
            DirectoryRecord::Record(row) => row,
            DirectoryRecord::Malformed { line, why, .. } => {
                difference.rejected.push(format!("{file}, line {line}: {why}"));
                continue;
            }
        };
        let id = row.tenant_id.trim();
        if id.is_empty() {
            difference.rejected.push(format!("{file}, line {}: no tenant_id", row.line));
            continue;
        }
        let domain: Box<str> = match model::domain::normal(row.domain) {
            Ok(domain) => domain.into(),
            Err(error) => {
                difference.rejected.push(format!("{file}, line {}: `{}` is no domain: {error}", row.line, row.domain));
                continue;
            }
        };
        let (name, country, language) = (row.tenant_name.trim(), row.country.trim(), row.language.trim());
        let number = match tenants.find(id) {
            Some(number) => {
                if !tenants.says(number, name, country, language) {
                    difference.notes.push(format!(
                        "{file}, line {}: name, country or language of tenant {id} differs from its first row, which counts",
                        row.line
                    ));
                }
                number
            }
            None => tenants.push(id, name, country, language),
        };
        rows.push((domain, number));
    }
    difference.notes.extend(table.notes().iter().map(|note| format!("{file}: {note}")));
    rows.sort_unstable_by(|one: &(Box<str>, u32), other| {
        one.0.cmp(&other.0).then_with(|| tenants.id(one.1).cmp(tenants.id(other.1)))
    });
    rows.dedup();
    Ok(Claims { rows, tenants })
}

fn contacts(path: &Path, files: &Files<'_>, difference: &mut Difference) -> Result<Vec<(u64, Contact)>, AppError> {
    let mut table = Contacts::open(path, files.format)?;
    let file = path.display().to_string();
    let mut contacts = Vec::new();
    let mut seen = HashSet::new();
    while let Some(record) = table.next_record()? {
        let record = match record {
            DirectoryRecord::Record(record) => record,
            DirectoryRecord::Malformed { line, why, .. } => {
                difference.rejected.push(format!("{file}, line {line}: {why}"));
                continue;
            }
        };
        let line = record.line;
        match imported(&record, files.origin) {
            Ok(mut contact) if !contact.timezone.is_empty() && !model::time::is_zone(&contact.timezone) => {
                difference.notes.push(format!(
                    "{file}, line {line}: `{}` is no time zone, and is left out; an IANA name like Europe/Berlin is",
                    contact.timezone
                ));
                contact.timezone.clear();
                if seen.insert(contact.key()) {
                    contacts.push((line, contact));
                }
            }
            Ok(contact) if seen.insert(contact.key()) => {
                contacts.push((line, contact));
            }
            Ok(_) => difference.notes.push(format!("{file}, line {line}: the same contact stands above")),
            Err(why) => difference.rejected.push(format!("{file}, line {line}: {why}")),
        }
    }
    difference.notes.extend(table.notes().iter().map(|note| format!("{file}: {note}")));
    Ok(contacts)
}

fn imported(record: &ContactRecord, origin: &str) -> Result<Contact, String> {
    let given = Given {
        tenant: &record.tenant_id,
        role: &record.role,
        name: &record.name,
        address: &record.email,
        language: &record.language,
        channel: &record.channel,
        timezone: &record.timezone,
        priority: &record.priority,
        may_be_named: &record.may_be_named,
        expires: None,
    };
    let mut contact = given.contact("imported")?;
    origin.clone_into(&mut contact.origin);
    match record.state.trim() {
        "" | "active" => {}
        "disabled" => contact.disabled_at = Some(0),
        other => return Err(format!("the state `{other}` is neither active nor disabled")),
    }
    match record.verified.trim() {
        "" | "unverified" => {}
        "verified" => (contact.verified_at, contact.verified_by) = (Some(0), Some(format!("the directory {origin}"))),
        other => return Err(format!("`{other}` is neither verified nor unverified")),
    }
    Ok(contact)
}

/// A domain in normal form, for entries by hand.
pub(super) fn domain(text: &str) -> Result<DomainName, AppError> {
    crate::mapping::parse(text)
}
