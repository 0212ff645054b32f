//! Intake: manifests become runs of reference counts and distinct things per host, in parts that resume where they
//! stopped.
//!
//! Parses nothing (that is `sources`) and decides no rule (that is `model::intake` and `model::runs`). Invariant: what is
//! kept of a row is its host, hashed persons, and what it says about an object, never content; and a file counts as a
//! whole or not at all.

mod check;
mod correction;
mod erase;
mod lists;
mod prove;
mod reading;
#[cfg(feature = "object-store")]
mod scan;
mod totals;
mod withdrawal;

use std::path::Path;

use model::runs::PersonKeys;
use model::time::Timestamp;
use serde::Serialize;
use sources::{Manifest, Options, SourceError};
use store::StoreError;
use store::intake::{Manifest as Stored, NewManifest};

use crate::incidents::Identities;
use crate::{App, AppError, Incident, new_ulid};

pub use check::{Checked, FirstError, check};
pub use erase::{Erased, erase};
pub use lists::{manifests, rejects, share};
pub use prove::{FIGURES, Proof, prove};
#[cfg(feature = "object-store")]
pub use scan::{Scan, look_through, scan};
pub use totals::{Removed, Totals, totals};
pub(crate) use withdrawal::call_back;
pub use withdrawal::{Withdrawn, withdraw};

/// How a file that may have been counted before is counted.
#[derive(Debug, Clone, Copy)]
pub enum Again<'a> {
    /// The same content changes nothing; a corrected copy is recognised.
    No,
    /// It counts as further raw references, for this reason.
    Yes {
        /// The reason.
        why: &'a str,
    },
    /// It is a corrected copy of the manifest of this name; refused if it is not.
    Corrects {
        /// The original's name.
        name: &'a str,
    },
}

/// One file that is to be counted.
#[derive(Debug)]
pub struct Import<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What it is called in lists of manifests and rejects.
    pub name: &'a str,
    /// How it is read.
    pub options: &'a Options,
    /// What if it was counted before.
    pub again: Again<'a>,
}

/// What an import of one file did.
#[derive(Debug, Serialize)]
pub struct Imported {
    /// The file.
    pub file: String,
    /// What it turned out to be: format, encoding, compression.
    pub described: String,
    /// When this content was counted to its end before; then nothing changed now.
    pub already_counted_at: Option<Timestamp>,
    /// The manifest it is a corrected copy of: only rows that were rejected there were counted.
    pub corrects: Option<String>,
    /// Records that an interrupted import of this content had counted before.
    pub resumed_after: i64,
    /// Rows that count here.
    pub rows: i64,
    /// Rows of a corrected copy that count in its original.
    pub counted_before: i64,
    /// Blank lines that count here.
    pub blank_lines: i64,
    /// Rows that were used.
    pub accepted_rows: i64,
    /// Rows kept as rejects.
    pub rejected_rows: i64,
    /// Remarks about its format.
    pub notes: Vec<String>,
}

/// How far an import has come, after each part.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Records done.
    pub records: i64,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes in all.
    pub of: u64,
}

/// Counts a manifest into an incident, and brings the figures up to date. An interrupted import of the same content
/// resumes; a file that cannot be read to its end leaves nothing.
pub async fn import(
    app: &App,
    slug: &str,
    import: &Import<'_>,
    mut progress: impl FnMut(Progress),
) -> Result<Imported, AppError> {
    let incident = countable(app, slug).await?;
    let options = with_path_rule(import.options, &incident)?;
    let import = &Import { options: &options, ..*import };
    // What is wrong with the file as a whole is said before anything is written.
    let opened = Manifest::open(import.path, import.options)?;
    let (described, notes) = (opened.described().to_string(), opened.notes().to_vec());
    drop(opened);
    let before = Version::of(import.path);
    let early = begin_early(app, &incident, import).await?;
    let (digest, size) = blocking({
        let path = import.path.to_owned();
        move || sources::digest(&path)
    })
    .await??;
    let latest = store::intake::latest_pass(&mut app.store.read().await?, incident.id, &digest).await?;
    if let (Some(done), Again::No | Again::Corrects { .. }) = (&latest, import.again)
        && let Some(counted_at) = done.counted_at
    {
        let at = Timestamp::from_micros(counted_at);
        return counted_already(app, &incident, import, &described, done, at, notes).await;
    }
    let file = File { name: import.name, digest: &digest, size, described: &described };
    if let (Again::Yes { why }, Some(before)) = (import.again, &latest)
        && before.counted_at.is_some()
        && before.corrects.is_none()
        && before.reading == reading_of(import.options, &described)
    {
        return repeat(app, &incident, import, &file, before, why, notes).await;
    }
    let (manifest, corrects) = begin(app, &incident, import, &file, latest).await?;
    let reader = match early {
        Some(reader) if manifest.records_done == 0 && corrects.is_none() => reader,
        _ => reading::start(job(app, &incident, import, Some(&manifest), corrects.as_deref())?),
    };
    let counted = count(app, &incident, reader, &manifest, &mut progress).await;
    let counted = counted.and_then(|counted| {
        let changed = Version::of(import.path) != before;
        if changed { Err(AppError::Source(SourceError::Changed { path: import.path.to_owned() })) } else { Ok(counted) }
    });
    let (done, notes) = match counted {
        Ok(counted) => counted,
        Err(AppError::Source(error)) => {
            let mut tx = app.store.begin().await?;
            store::intake::abandon(&mut tx, manifest.id).await?;
            let detail = serde_json::json!({ "file": import.name, "sha256": digest, "why": error.to_string() });
            tx.commit(app.entry("exposure.import-failed", &incident.slug, detail)).await?;
            return Err(AppError::Source(error));
        }
        Err(other) => return Err(other),
    };
    finish(app, &incident, import, &digest, &manifest, corrects, done, notes).await
}

/// What is said of a content that is in the figures. What its import left to be counted when it was interrupted is
/// counted first.
async fn counted_already(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    described: &str,
    done: &Stored,
    at: Timestamp,
    notes: Vec<String>,
) -> Result<Imported, AppError> {
    crate::facts::settle(app, incident.id).await?;
    let original = original_of(app, incident, done.corrects).await?;
    let withdraw = format!(
        "run `forthright exposure withdraw {} {} --why TEXT`, then import it again",
        incident.slug,
        &done.digest[..12]
    );
    if done.reading != reading_of(import.options, described) {
        return Err(AppError::refused(
            format!("the content of {} was counted at {at} as {}, and read with other options", import.name, done.name),
            format!("to read it with these options, {withdraw}; to count it twice, say --again --why TEXT"),
        ));
    }
    if let Again::Corrects { name } = import.again
        && !original.as_ref().is_some_and(|original| correction::is_named(original, name))
    {
        return Err(AppError::refused(
            format!(
                "the content of {} was counted at {at} as {}, and not as a corrected copy of {name}",
                import.name, done.name
            ),
            withdraw,
        ));
    }
    Ok(imported(done, import.name, original.map(|original| original.name), Some(at), 0, notes))
}

/// An incident whose exposed persons were not erased, with its identity key.
async fn countable(app: &App, slug: &str) -> Result<Incident, AppError> {
    let incident = app.incident(slug).await?;
    if let Some(at) = incident.row.erased_at {
        return Err(AppError::refused(
            format!("the exposed persons of {slug} were erased at {}", Timestamp::from_micros(at)),
            "its counts stay as they are; open another incident for further manifests",
        ));
    }
    if incident.identity.is_some() {
        return Ok(incident);
    }
    let mut tx = app.store.begin().await?;
    store::incidents::give_identity_key(&mut tx, incident.id, &app.master.new_incident_key()?).await?;
    tx.commit_ledger().await?;
    app.incident(slug).await
}

/// The path rule that the incident states, where the call states none.
fn with_path_rule(options: &Options, incident: &Incident) -> Result<Options, AppError> {
    let mut options = options.clone();
    if options.path_rule.is_none() && !incident.row.path_rule.is_empty() {
        let rule = model::path_rule::PathRule::parse(&incident.row.path_rule).map_err(|error| {
            AppError::bad(format!("the path rule of {}: {error}", incident.slug), "state another with --path-rule")
        })?;
        options.path_rule = Some(rule);
    }
    Ok(options)
}

/// What is known of a file before its rows are read.
struct File<'a> {
    name: &'a str,
    digest: &'a str,
    size: u64,
    described: &'a str,
}

/// What tells that a file was written to: its length and when that was. `None` where the system does not say.
#[derive(PartialEq, Eq)]
struct Version(Option<(u64, std::time::SystemTime)>);

impl Version {
    fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).ok().and_then(|about| Some((about.len(), about.modified().ok()?))))
    }
}

/// How a file is read, as it is kept beside it: what it turned out to be and what was said of its columns. An import
/// resumes in the same way only, and other words for the same make no difference.
fn reading_of(options: &Options, described: &str) -> String {
    let (mut columns, mut absent) = (options.columns.clone(), options.absent.clone());
    columns.sort_unstable();
    absent.sort_unstable();
    let rule = options.path_rule.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("1; {described}; columns {columns:?}; without {absent:?}; path rule {rule:?}")
}

/// Registers the file, or finds where its interrupted import stopped; and which rows of it count, where not all do.
async fn begin(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    file: &File<'_>,
    latest: Option<Stored>,
) -> Result<(Stored, Option<Vec<i64>>), AppError> {
    let reading = reading_of(import.options, file.described);
    let kept = latest.as_ref().filter(|manifest| manifest.counted_at.is_some()).map(|manifest| manifest.id);
    if let Some(open) = latest.as_ref().filter(|manifest| manifest.counted_at.is_none()) {
        if open.reading == reading {
            let only = match open.corrects {
                Some(original) => Some(correction::going_on(app, incident, import, original).await?.records),
                None => None,
            };
            return Ok((open.clone(), only));
        }
        let mut tx = app.store.begin().await?;
        store::intake::abandon(&mut tx, open.id).await?;
        tx.commit_ledger().await?;
    }
    let correction = match import.again {
        Again::Yes { .. } => None,
        Again::No => correction::recognise(app, incident, import, file.size).await?,
        Again::Corrects { name } => Some(correction::of(app, incident, import, name).await?),
    };
    let new = NewManifest {
        incident: incident.id,
        name: file.name,
        digest: file.digest,
        why: if let Again::Yes { why } = import.again { why } else { "" },
        size_bytes: i64::try_from(file.size).unwrap_or(i64::MAX),
        reading: &reading,
        described: file.described,
        corrects: correction.as_ref().map(|correction| correction.original),
        actor: &app.actor,
    };
    let mut tx = app.store.begin().await?;
    store::incidents::hold(&mut tx, incident.id).await?;
    // Somebody else may have begun with the same content since we looked.
    let now = store::intake::latest_pass(&mut tx, incident.id, file.digest).await?;
    let by_another =
        || AppError::Store(StoreError::Stale { what: format!("{} is being counted by another import", file.name) });
    if now.map(|manifest| manifest.id) != kept {
        return Err(by_another());
    }
    match store::intake::insert_manifest(&mut tx, &new, app.clock.now()).await {
        Err(StoreError::Refused(_)) => return Err(by_another()),
        inserted => inserted?,
    };
    let stored = stored(&mut tx, incident, file.digest, file.name).await?;
    tx.commit_ledger().await?;
    Ok((stored, correction.map(|correction| correction.records)))
}

async fn stored(conn: &mut store::Conn, incident: &Incident, digest: &str, name: &str) -> Result<Stored, AppError> {
    store::intake::latest_pass(conn, incident.id, digest)
        .await?
        .ok_or_else(|| AppError::missing(format!("the manifest {name} is gone"), "import it again"))
}

/// Begins to read a file beside hashing it, where nothing that is stored can be the same content or its original.
async fn begin_early(app: &App, incident: &Incident, import: &Import<'_>) -> Result<Option<reading::Reader>, AppError> {
    let Ok(size) = std::fs::metadata(import.path).map(|about| about.len()) else { return Ok(None) };
    let mut conn = app.store.read().await?;
    let all = store::intake::manifests(&mut conn, incident.id).await?;
    let may_be_known =
        all.iter().any(|manifest| u64::try_from(manifest.size_bytes) == Ok(size) || manifest.rejected > 0);
    if may_be_known || !matches!(import.again, Again::No) {
        return Ok(None);
    }
    Ok(Some(reading::start(job(app, incident, import, None, None)?)))
}

/// What is to be read of a file: all of it, or what is not done yet.
fn job(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    manifest: Option<&Stored>,
    only: Option<&[i64]>,
) -> Result<reading::Job, AppError> {
    let key = incident.identity.as_ref().ok_or_else(|| {
        AppError::missing(format!("{} has no identity key", incident.slug), "run `forthright store migrate`")
    })?;
    Ok(reading::Job {
        path: import.path.to_owned(),
        options: import.options.clone(),
        after: manifest.map_or(0, |manifest| manifest.records_done),
        sums: manifest.map(reading::Sums::of).unwrap_or_default(),
        only: only.map(<[i64]>::to_vec),
        persons: reading::Persons {
            keys: PersonKeys::new(key.bytes()),
            plain: incident.row.identities == Identities::Plain.as_str(),
        },
        batch_bytes: app.settings.import.batch_bytes,
    })
}

/// Writes what the rows come to, part by part; how many records are done, and remarks.
async fn count(
    app: &App,
    incident: &Incident,
    mut reader: reading::Reader,
    manifest: &Stored,
    progress: &mut impl FnMut(Progress),
) -> Result<(i64, Vec<String>), AppError> {
    let mut done = manifest.records_done;
    while let Some((part, bytes)) = reader.next_part().await {
        let mut tx = app.store.begin().await?;
        store::incidents::hold(&mut tx, incident.id).await?;
        store::intake::write_part(&mut tx, incident.id, manifest.id, done, &part, app.clock.now()).await?;
        tx.commit_ledger().await?;
        done += part.records;
        let of = u64::try_from(manifest.size_bytes).unwrap_or(0);
        progress(Progress { records: done, bytes, of });
    }
    Ok((done, reader.end().await?))
}

/// The payload of a job that brings the figures of an incident up to date.
fn map_job(incident: i64) -> String {
    serde_json::json!({ "v": 1, "kind": "map", "incident": incident }).to_string()
}

#[expect(clippy::too_many_arguments, reason = "what an import knows at its end")]
async fn finish(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    digest: &str,
    manifest: &Stored,
    corrects: Option<Vec<i64>>,
    done: i64,
    notes: Vec<String>,
) -> Result<Imported, AppError> {
    let mut tx = app.store.begin().await?;
    store::incidents::hold(&mut tx, incident.id).await?;
    let corrected = manifest.corrects.zip(corrects).map(|(original, records)| (original, records.len() as u64));
    store::intake::finish(&mut tx, manifest.id, done, corrected, app.clock.now()).await?;
    let row = stored(&mut tx, incident, digest, import.name).await?;
    let original = original_of(app, incident, row.corrects).await?.map(|original| original.name);
    let detail = serde_json::json!({
        "file": import.name, "sha256": digest, "pass": row.pass, "why": row.why, "read_as": row.described,
        "rows": row.rows_read, "rejected": row.rejected, "corrects": original,
    });
    // A nudge for the workers; this command brings the figures up to date by itself.
    tx.push(&new_ulid(), &format!("map/{}/{}", incident.id, manifest.id), map_job(incident.id).as_bytes()).await?;
    tx.commit(app.entry("exposure.import", &incident.slug, detail)).await?;
    crate::facts::settle(app, incident.id).await?;
    Ok(imported(&row, import.name, original, None, manifest.records_done, notes))
}

/// Counts the raw references of a content again that was read in the same way before: they are known.
async fn repeat(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    file: &File<'_>,
    before: &Stored,
    why: &str,
    notes: Vec<String>,
) -> Result<Imported, AppError> {
    let new = NewManifest {
        incident: incident.id,
        name: file.name,
        digest: file.digest,
        why,
        size_bytes: before.size_bytes,
        reading: &before.reading,
        described: file.described,
        corrects: None,
        actor: &app.actor,
    };
    let mut tx = app.store.begin().await?;
    store::incidents::hold(&mut tx, incident.id).await?;
    let now = store::intake::latest_pass(&mut tx, incident.id, file.digest).await?;
    if now.is_none_or(|manifest| manifest.id != before.id || !manifest.counts()) {
        return Err(AppError::Store(StoreError::Stale { what: format!("what was counted of {}", file.name) }));
    }
    store::intake::repeat(&mut tx, &new, before.id, app.clock.now()).await?;
    let row = stored(&mut tx, incident, file.digest, file.name).await?;
    let detail = serde_json::json!({
        "file": import.name, "sha256": file.digest, "pass": row.pass, "why": why, "rows": row.rows_read,
        "rejected": row.rejected,
    });
    tx.push(&new_ulid(), &format!("map/{}/{}", incident.id, row.id), map_job(incident.id).as_bytes()).await?;
    tx.commit(app.entry("exposure.import", &incident.slug, detail)).await?;
    crate::facts::settle(app, incident.id).await?;
    Ok(imported(&row, import.name, None, None, 0, notes))
}

async fn original_of(app: &App, incident: &Incident, id: Option<i64>) -> Result<Option<Stored>, AppError> {
    let Some(id) = id else { return Ok(None) };
    let all = store::intake::manifests(&mut app.store.read().await?, incident.id).await?;
    Ok(all.into_iter().find(|manifest| manifest.id == id))
}

fn imported(
    row: &Stored,
    file: &str,
    corrects: Option<String>,
    already_counted_at: Option<Timestamp>,
    resumed_after: i64,
    notes: Vec<String>,
) -> Imported {
    Imported {
        file: file.to_owned(),
        described: row.described.clone(),
        already_counted_at,
        corrects,
        resumed_after,
        rows: row.rows_read,
        counted_before: row.counted_before,
        blank_lines: row.blank_lines,
        accepted_rows: row.accepted,
        rejected_rows: row.rejected,
        notes,
    }
}

/// Runs what takes long, or waits for a disk, beside the tasks that wait for a network.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        AppError::bad(format!("a reader stopped: {error}"), "this is a fault of the program: please report it")
    })
}
