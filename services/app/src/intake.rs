//! Intake: manifests become reference counts and distinct things per host, in chunks that resume where they stopped.
//!
//! Parses nothing (that is `sources`) and decides no rule (that is `model::intake`). Invariant: what is kept of a row
//! is its host, hashed persons, and what it says about an object; never content.

use std::path::Path;

use model::intake::{ObjectFacts, Reject as Reason, Row, read_row};
use model::notices::DomainFacts;
use model::taxonomy::Taxonomy;
use serde::Serialize;
use sources::{Manifest, Options, Record};
use store::intake::{Chunk, NewManifest, ObjectKey, Reject};
use store::mapping::Scope;

use crate::{App, AppError, Incident, new_ulid};

/// Records in a chunk: a transaction of about a tenth of a second.
const A_CHUNK: i64 = 10_000;

/// How much of a reject's text is kept, in characters.
const RAW_KEPT: usize = 4_096;

/// Whether a file that was counted before is counted again.
#[derive(Debug, Clone, Copy)]
pub enum Again<'a> {
    /// It changes nothing.
    No,
    /// It counts as further raw references, for this reason.
    Yes {
        /// The reason.
        why: &'a str,
    },
}

/// What an import of one file did.
#[derive(Debug, Serialize)]
pub struct Imported {
    /// The file.
    pub file: String,
    /// When this content was counted to its end before; then nothing changed now.
    pub already_counted_at: Option<model::time::Timestamp>,
    /// Records that an interrupted import of this content had counted before.
    pub resumed_after: i64,
    /// Rows of the file.
    pub rows: i64,
    /// Blank lines of the file.
    pub blank_lines: i64,
    /// Rows that were used.
    pub accepted_rows: i64,
    /// Rows kept as rejects.
    pub rejected_rows: i64,
    /// Remarks about its format.
    pub notes: Vec<String>,
}

/// How far an import has come, after each chunk.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Rows counted.
    pub rows: i64,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes in all.
    pub of: u64,
}

/// Counts a manifest into an incident, and maps what is new. An interrupted import of the same content resumes.
pub async fn import(
    app: &App,
    slug: &str,
    path: &Path,
    options: &Options,
    again: Again<'_>,
    mut progress: impl FnMut(Progress),
) -> Result<Imported, AppError> {
    let incident = app.incident(slug).await?;
    let mut file = Manifest::open(path, options)?;
    let (digest, size) = sources::digest(path)?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let latest = store::intake::latest_pass(&mut app.store.read().await?, incident.id, &digest).await?;
    if let (Some(done), Again::No) = (&latest, again)
        && let Some(counted_at) = done.counted_at
    {
        return Ok(Imported {
            file: name,
            already_counted_at: Some(model::time::Timestamp::from_micros(counted_at)),
            resumed_after: 0,
            rows: done.rows_read,
            blank_lines: done.blank_lines,
            accepted_rows: done.accepted,
            rejected_rows: done.rejected,
            notes: file.notes().to_vec(),
        });
    }
    let (manifest, resumed_after) = begin(app, &incident, &name, &digest, size, latest, again).await?;
    skip(&mut file, resumed_after)?;
    let mut done = resumed_after;
    loop {
        let (chunk, at_end) = read_chunk(&mut file, &incident, done)?;
        if chunk.records > 0 {
            let mut tx = app.store.begin().await?;
            store::intake::write_chunk(&mut tx, incident.id, manifest, done, &chunk).await?;
            // A nudge for the workers; this command maps what it brought in by itself.
            tx.push(&new_ulid(), &format!("map/{}/{manifest}/{done}", incident.id), map_job(incident.id).as_bytes())
                .await?;
            tx.commit_ledger().await?;
            done += chunk.records;
            progress(Progress { rows: done, bytes: file.bytes_read(), of: size });
        }
        if at_end {
            break;
        }
    }
    let imported = finish(app, &incident, &name, &digest, manifest, resumed_after, file.notes().to_vec()).await?;
    settle(app, incident.id).await?;
    Ok(imported)
}

/// The payload of a job that maps an incident.
fn map_job(incident: i64) -> String {
    serde_json::json!({ "v": 1, "kind": "map", "incident": incident }).to_string()
}

/// Gives every host of an incident that waits for a verdict its verdict, by the function that the workers' job runs.
pub(crate) async fn settle(app: &App, incident: i64) -> Result<(), AppError> {
    while crate::mapping::map_chunk(app, incident).await?.left {}
    Ok(())
}

async fn begin(
    app: &App,
    incident: &Incident,
    name: &str,
    digest: &str,
    size: u64,
    latest: Option<store::intake::Manifest>,
    again: Again<'_>,
) -> Result<(i64, i64), AppError> {
    if let Some(open) = latest.as_ref().filter(|manifest| manifest.counted_at.is_none()) {
        return Ok((open.id, open.records_done));
    }
    let why = match again {
        Again::No => "",
        Again::Yes { why } => why,
    };
    let new = NewManifest {
        incident: incident.id,
        name,
        digest,
        pass: latest.map_or(1, |manifest| manifest.pass + 1),
        why,
        size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
        actor: &app.actor,
    };
    let mut tx = app.store.begin().await?;
    let id = store::intake::insert_manifest(&mut tx, &new, app.clock.now()).await?;
    tx.commit_ledger().await?;
    Ok((id, 0))
}

async fn finish(
    app: &App,
    incident: &Incident,
    name: &str,
    digest: &str,
    manifest: i64,
    resumed_after: i64,
    notes: Vec<String>,
) -> Result<Imported, AppError> {
    let mut tx = app.store.begin().await?;
    store::intake::finish(&mut tx, manifest, app.clock.now()).await?;
    let row = store::intake::latest_pass(&mut tx, incident.id, digest)
        .await?
        .ok_or_else(|| AppError::missing(format!("the manifest {name} is gone"), "import it again"))?;
    let detail = serde_json::json!({
        "file": name, "sha256": digest, "pass": row.pass, "rows": row.rows_read, "rejected": row.rejected,
    });
    tx.commit(app.entry("exposure.import", &incident.slug, detail)).await?;
    Ok(Imported {
        file: name.to_owned(),
        already_counted_at: None,
        resumed_after,
        rows: row.rows_read,
        blank_lines: row.blank_lines,
        accepted_rows: row.accepted,
        rejected_rows: row.rejected,
        notes,
    })
}

fn skip(file: &mut Manifest, records: i64) -> Result<(), AppError> {
    for _ in 0..records {
        if file.next_record()?.is_none() {
            break;
        }
    }
    Ok(())
}

fn read_chunk(file: &mut Manifest, incident: &Incident, done: i64) -> Result<(Chunk, bool), AppError> {
    let taxonomy = Taxonomy::builtin();
    let mut chunk = Chunk::default();
    while chunk.records < A_CHUNK {
        let Some(record) = file.next_record()? else { return Ok((chunk, true)) };
        chunk.records += 1;
        let number = done + chunk.records;
        match record {
            Record::Blank => chunk.blank_lines += 1,
            Record::Malformed { line, raw } => reject(&mut chunk, line, number, Reason::Columns, raw),
            Record::Row { line, raw, row } => match read_row(&row, taxonomy) {
                Ok(row) => accept(&mut chunk, incident, &row),
                Err(reason) => reject(&mut chunk, line, number, reason, raw),
            },
        }
    }
    Ok((chunk, false))
}

fn reject(chunk: &mut Chunk, line: u64, record: i64, reason: Reason, raw: &[u8]) {
    chunk.rows += 1;
    let text = String::from_utf8_lossy(raw);
    // PostgreSQL keeps no NUL in a text.
    let raw = text.chars().take(RAW_KEPT).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
    chunk.rejects.push(Reject {
        line: i64::try_from(line).unwrap_or(i64::MAX),
        record,
        reason: reason.to_string(),
        raw,
    });
}

fn accept(chunk: &mut Chunk, incident: &Incident, row: &Row<'_>) {
    chunk.rows += 1;
    chunk.accepted += 1;
    let host = row.host.as_str().to_owned();
    let counts = chunk.hosts.entry(host.clone()).or_default();
    counts.rows += 1;
    counts.missing += i64::from(row.has_missing_field);
    counts.invalid += i64::from(row.has_invalid_field);
    if let Some(path) = &row.object_path {
        let key = object_key(path);
        chunk.objects.entry(key).or_insert_with(|| path.clone().into_owned());
        chunk.host_objects.entry((host.clone(), key)).or_default().merge(&ObjectFacts::of(row));
    }
    let key = incident.key.bytes();
    if let Some(email) = &row.email {
        chunk.identities.insert((host.clone(), "email", model::ids::identity(key, "email", email.as_str())));
    }
    if let Some(user) = &row.user_id {
        chunk.identities.insert((host.clone(), "user", model::ids::identity(key, "user", user)));
    }
    if let Some(project) = &row.project_id {
        chunk.identities.insert((host, "project", project.clone().into_owned()));
    }
}

fn object_key(path: &str) -> ObjectKey {
    let digest = ring::digest::digest(&ring::digest::SHA256, path.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&digest.as_ref()[..16]);
    key
}

/// Adds domains to the incident's shared list, one a line.
pub async fn share(app: &App, slug: &str, path: &Path) -> Result<u64, AppError> {
    let incident = app.incident(slug).await?;
    let mut domains = Vec::new();
    for (line, text) in sources::read_list(path)? {
        let domain = model::domain::DomainName::parse(&text).map_err(|error| {
            AppError::bad(
                format!("{}, line {line}: `{text}` is no domain: {error}", path.display()),
                "correct the line and run it again; nothing was kept",
            )
        })?;
        domains.push(domain);
    }
    let mut tx = app.store.begin().await?;
    let mut added = 0;
    for domain in &domains {
        added += store::intake::add_shared(&mut tx, incident.id, domain.as_str(), &path.display().to_string()).await?;
    }
    if added == 0 {
        return Ok(0);
    }
    store::directory::bump_version(&mut tx).await?;
    let detail = serde_json::json!({ "file": path.display().to_string(), "domains": added });
    tx.commit(app.entry("exposure.share", slug, detail)).await?;
    settle(app, incident.id).await?;
    Ok(added)
}

/// The totals of an incident, under the counting rules, version 1.
#[derive(Debug, Default, Serialize)]
pub struct Totals {
    /// Manifest rows: accepted and rejected.
    pub rows: i64,
    /// Lines of white space.
    pub blank_lines: i64,
    /// Organisation rows and shared rows.
    pub accepted_rows: i64,
    /// Wrong number of columns, or no JSON object.
    pub rejected_columns: i64,
    /// Neither domain nor address says whose a row is.
    pub rejected_no_domain: i64,
    /// What should be a domain is none.
    pub rejected_bad_domain: i64,
    /// Rows of free mail and the like.
    pub shared_rows: i64,
    /// Distinct addresses in them.
    pub shared_addresses: i64,
    /// Rows of organisations.
    pub organisation_rows: i64,
    /// Of these, with a field that is missing.
    pub rows_with_missing_field: i64,
    /// Of these, with a field that cannot be used.
    pub rows_with_invalid_field: i64,
    /// Affected organisation domains.
    pub organisations: i64,
    /// Distinct objects.
    pub objects: i64,
    /// Distinct addresses.
    pub emails: i64,
    /// Distinct users.
    pub users: i64,
    /// Distinct projects.
    pub projects: i64,
    /// Bytes over distinct objects.
    pub bytes: i64,
    /// Organisation domains that no tenant has.
    pub unmapped_organisations: i64,
    /// Their rows.
    pub unmapped_rows: i64,
    /// Organisation domains that several tenants claim.
    pub conflicting_organisations: i64,
    /// Affected tenants.
    pub tenants_affected: i64,
    /// Of these, without anybody who can be told.
    pub tenants_without_contact: i64,
    /// The others.
    pub notices_to_write: i64,
    /// Objects about which rows disagree.
    pub objects_in_dispute: i64,
    /// Objects of which no row states a type.
    pub objects_without_data_type: i64,
    /// Hosts that still wait for a verdict; the figures from `organisations` on do not hold them yet.
    pub hosts_waiting_for_mapping: i64,
    /// Distinct objects by data type.
    pub data_type_objects: std::collections::BTreeMap<String, i64>,
}

/// The totals of an incident.
pub async fn totals(app: &App, slug: &str) -> Result<Totals, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let version = store::directory::version(&mut conn).await?;
    let raw = store::mapping::totals(&mut conn, incident.id).await?;
    let (rows, blank_lines, accepted_rows) = raw.read;
    let mut totals = Totals {
        rows,
        blank_lines,
        accepted_rows,
        shared_addresses: raw.shared_addresses,
        tenants_without_contact: raw.tenants_without_contact,
        hosts_waiting_for_mapping: store::mapping::count_pending(&mut conn, incident.id, version).await?,
        ..Totals::default()
    };
    for (reason, count) in raw.rejects {
        match reason.as_str() {
            "columns" => totals.rejected_columns = count,
            "no_domain" => totals.rejected_no_domain = count,
            _ => totals.rejected_bad_domain = count,
        }
    }
    for (verdict, rows, missing, invalid, organisations, tenants) in raw.verdicts {
        if verdict == "shared" {
            totals.shared_rows = rows;
            continue;
        }
        totals.organisation_rows += rows;
        totals.rows_with_missing_field += missing;
        totals.rows_with_invalid_field += invalid;
        totals.organisations += organisations;
        match verdict.as_str() {
            "mapped" => totals.tenants_affected = tenants,
            "unmapped" => (totals.unmapped_organisations, totals.unmapped_rows) = (organisations, rows),
            _ => totals.conflicting_organisations = organisations,
        }
    }
    for (data_type, objects, bytes, in_dispute) in raw.objects {
        totals.objects += objects;
        totals.bytes += bytes;
        totals.objects_in_dispute += in_dispute;
        match data_type {
            Some(name) => drop(totals.data_type_objects.insert(name, objects)),
            None => totals.objects_without_data_type = objects,
        }
    }
    for (kind, count) in raw.identities {
        match kind.as_str() {
            "email" => totals.emails = count,
            "user" => totals.users = count,
            _ => totals.projects = count,
        }
    }
    totals.notices_to_write = totals.tenants_affected - totals.tenants_without_contact;
    Ok(totals)
}

/// The facts of each affected organisation domain, sorted by domain; of one tenant, or of all.
pub async fn facts(app: &App, slug: &str, tenant: Option<&str>) -> Result<Vec<DomainFacts>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let scope = tenant.map_or(Scope::Incident, |tenant| Scope::Tenants(tenant, tenant));
    Ok(store::mapping::facts(&mut conn, incident.id, scope).await?)
}

/// All rejects of an incident as (file, line, reason, raw), in file order.
pub async fn rejects(app: &App, slug: &str) -> Result<Vec<(String, i64, String, String)>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::intake::rejects(&mut app.store.read().await?, incident.id).await?)
}
