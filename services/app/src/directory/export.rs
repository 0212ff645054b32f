//! The directory into files, in any format that an import reads.
//!
//! Invariant: what is exported of one directory, imported again as that directory, changes nothing.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use sources::directory::{ContactRecord, DirectoryFormat, OrganisationRecord, write_contacts, write_organisations};
use store::contacts::Entry;

use crate::{App, AppError};

const A_PAGE: i64 = 20_000;

/// Which entries are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// Those of one imported directory.
    Imported,
    /// Those that people entered.
    Manual,
    /// Both: what counts.
    Both,
}

/// What was written.
#[derive(Debug, Default, Serialize)]
pub struct Exported {
    /// Domains.
    pub organisations: usize,
    /// Contacts.
    pub contacts: usize,
}

/// Writes organisations and contacts, sorted, into files.
pub async fn export(
    app: &App,
    organisations: Option<&Path>,
    contacts: Option<&Path>,
    format: DirectoryFormat,
    twin: Twin,
    origin: &str,
) -> Result<Exported, AppError> {
    let mut exported = Exported::default();
    let mut conn = app.store.snapshot().await?;
    let known = store::directory::origins(&mut conn).await?;
    if twin == Twin::Imported && !known.is_empty() && !known.iter().any(|name| name == origin) {
        return Err(AppError::missing(
            format!("no directory `{origin}` was imported"),
            format!("name one of {} with --source", known.join(", ")),
        ));
    }
    if let Some(path) = organisations {
        let mut records = Vec::new();
        let (mut after, mut limit) = (String::new(), A_PAGE);
        loop {
            let page = store::directory::entries_page(&mut conn, &after, limit).await?;
            let Some(last) = page.last().map(|entry| entry.domain.clone()) else { break };
            // The last domain may go on behind the page, unless this is the end.
            let is_end = page.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            let whole = page.into_iter().filter(|entry| is_end || entry.domain != last);
            let mut reached = after.clone();
            for entry in whole {
                reached.clone_from(&entry.domain);
                if counts(twin, origin, &entry.source, &entry.origin) {
                    records.push(OrganisationRecord {
                        line: 0,
                        domain: entry.domain,
                        tenant_id: entry.tenant_id,
                        tenant_name: entry.name,
                        country: entry.country,
                        language: entry.language,
                    });
                }
            }
            if is_end {
                break;
            }
            // A page of one domain alone: more tenants than that claim it.
            limit = if reached == after { limit * 2 } else { A_PAGE };
            after = reached;
        }
        records.dedup_by(|one, other| (&one.domain, &one.tenant_id) == (&other.domain, &other.tenant_id));
        exported.organisations = records.len();
        write(path, |out| write_organisations(out, format, records.into_iter()))?;
    }
    if let Some(path) = contacts {
        let mut records: Vec<ContactRecord> = Vec::new();
        let mut after = None;
        loop {
            let page = store::contacts::entries::page(&mut conn, after.as_ref(), A_PAGE).await?;
            let Some(last) = page.last().cloned() else { break };
            after = Some(last);
            for entry in page {
                if !counts(twin, origin, &entry.source, &entry.origin) {
                    continue;
                }
                // Of two words on one contact the one by hand counts, and comes second.
                let record = record(entry);
                if records.last().is_some_and(|before| is_same(before, &record)) {
                    records.pop();
                }
                records.push(record);
            }
        }
        exported.contacts = records.len();
        write(path, |out| write_contacts(out, format, records.into_iter()))?;
    }
    Ok(exported)
}

fn counts(twin: Twin, wanted: &str, source: &str, origin: &str) -> bool {
    let imported = source == "imported" && origin == wanted;
    match twin {
        Twin::Imported => imported,
        Twin::Manual => source == "manual",
        Twin::Both => imported || source == "manual",
    }
}

fn is_same(one: &ContactRecord, other: &ContactRecord) -> bool {
    (&one.tenant_id, &one.role, &one.email) == (&other.tenant_id, &other.role, &other.email)
}

fn record(contact: Entry) -> ContactRecord {
    ContactRecord {
        line: 0,
        tenant_id: contact.tenant_id,
        role: contact.role,
        name: contact.name,
        email: contact.address,
        language: contact.language,
        channel: contact.channel,
        timezone: contact.timezone,
        priority: contact.priority.to_string(),
        state: if contact.disabled_at.is_some() { "disabled" } else { "active" }.to_owned(),
        verified: if contact.verified_at.is_some() { "verified" } else { "" }.to_owned(),
        may_be_named: contact.effective_consent,
    }
}

fn write(path: &Path, records: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), AppError> {
    let written = || -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        records(&mut out)?;
        out.into_inner()?.sync_all()
    };
    written().map_err(|error| {
        AppError::bad(format!("cannot write {}: {error}", path.display()), "choose a file that can be written")
    })
}
