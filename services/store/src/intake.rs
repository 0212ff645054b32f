//! Manifests while they are counted: chunks of rows go in, distinct things and reference counts stay.
//!
//! Parses nothing and maps nothing. Invariant: a chunk and the place where counting resumes are written in one
//! transaction, so a row is counted exactly once however often the import is interrupted.

use std::collections::BTreeMap;

use model::intake::ObjectFacts;
use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, insert_text};
use crate::{Conn, StoreError, Tx};

statements! {
    LATEST_PASS = "
        SELECT id, name, digest, pass, size_bytes, records_done, rows_read, blank_lines, accepted, rejected, started_at, counted_at
        FROM manifests
        WHERE incident_id = $1 AND digest = $2
        ORDER BY pass DESC
        LIMIT 1";
    LIST = "
        SELECT id, name, digest, pass, size_bytes, records_done, rows_read, blank_lines, accepted, rejected, started_at, counted_at
        FROM manifests
        WHERE incident_id = $1
        ORDER BY id";
    INSERT_MANIFEST = "
        INSERT INTO manifests (incident_id, name, digest, pass, why, size_bytes, records_done, rows_read, blank_lines, accepted, rejected, started_by, started_at, counted_at)
        VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, 0, 0, $7, $8, NULL)
        RETURNING id";
    /// Must hit one row: another import of the same manifest that got here first makes it none.
    ADVANCE = "
        UPDATE manifests
        SET records_done = records_done + $1, rows_read = rows_read + $2, blank_lines = blank_lines + $3,
            accepted = accepted + $4, rejected = rejected + $5
        WHERE id = $6 AND records_done = $7 AND counted_at IS NULL";
    FINISH = "UPDATE manifests SET counted_at = $1 WHERE id = $2 AND counted_at IS NULL";
    ADD_SHARED = "
        INSERT INTO shared_domains (incident_id, domain, source)
        VALUES ($1, $2, $3)
        ON CONFLICT (incident_id, domain) DO NOTHING";
    REJECTS = "
        SELECT m.name, r.line, r.reason, r.raw
        FROM rejects r
        JOIN manifests m ON m.id = r.manifest_id
        WHERE m.incident_id = $1
        ORDER BY r.manifest_id, r.record";
}

/// A manifest as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Manifest {
    /// The store's number for it.
    pub id: i64,
    /// The file's name when it was first read.
    pub name: String,
    /// SHA-256 of its content, hex.
    pub digest: String,
    /// 1, and one more for each deliberate repetition.
    pub pass: i64,
    /// Length.
    pub size_bytes: i64,
    /// Records (rows and blank lines) that are counted.
    pub records_done: i64,
    /// Of these, rows.
    pub rows_read: i64,
    /// Of these, blank lines.
    pub blank_lines: i64,
    /// Rows that were used.
    pub accepted: i64,
    /// Rows that were kept as rejects.
    pub rejected: i64,
    /// Microseconds since the epoch.
    pub started_at: i64,
    /// Set when it was counted to its end.
    pub counted_at: Option<i64>,
}

/// A row that could not be used.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Physical line where it starts; the header is 1.
    pub line: i64,
    /// Its number among all records of the file.
    pub record: i64,
    /// `columns`, `no_domain` or `bad_domain`.
    pub reason: String,
    /// Its text, bounded.
    pub raw: String,
}

/// What the rows of a chunk say about one host.
#[derive(Debug, Clone, Default)]
pub struct HostCounts {
    /// Rows.
    pub rows: i64,
    /// Rows with a missing field.
    pub missing: i64,
    /// Rows with an invalid field.
    pub invalid: i64,
}

/// 16 bytes that name an object: the beginning of its path's SHA-256.
pub type ObjectKey = [u8; 16];

/// A bounded number of records, deduplicated, ready to be written.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Records in it, rows and blank lines.
    pub records: i64,
    /// Rows.
    pub rows: i64,
    /// Blank lines.
    pub blank_lines: i64,
    /// Rows used.
    pub accepted: i64,
    /// Rows not used.
    pub rejects: Vec<Reject>,
    /// By host name.
    pub hosts: BTreeMap<String, HostCounts>,
    /// Paths by key.
    pub objects: BTreeMap<ObjectKey, String>,
    /// By host name and object.
    pub host_objects: BTreeMap<(String, ObjectKey), ObjectFacts>,
    /// Host name, kind (`email`, `user`, `project`), identity.
    pub identities: std::collections::BTreeSet<(String, &'static str, String)>,
}

/// The newest pass over a content in an incident.
pub async fn latest_pass(conn: &mut Conn, incident: i64, digest: &str) -> Result<Option<Manifest>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LATEST_PASS).bind(incident).bind(digest).fetch_optional(c).await)?)
}

/// All manifests of an incident, oldest first.
pub async fn manifests(conn: &mut Conn, incident: i64) -> Result<Vec<Manifest>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// Who reads which file for the first or a further time.
#[derive(Debug)]
pub struct NewManifest<'a> {
    /// The incident.
    pub incident: i64,
    /// The file's name.
    pub name: &'a str,
    /// SHA-256 of its content.
    pub digest: &'a str,
    /// From 1.
    pub pass: i64,
    /// Why again; empty for the first pass.
    pub why: &'a str,
    /// Length.
    pub size_bytes: i64,
    /// Who.
    pub actor: &'a str,
}

/// Registers a manifest before its first row is read.
pub async fn insert_manifest(tx: &mut Tx, new: &NewManifest<'_>, now: Timestamp) -> Result<i64, StoreError> {
    Ok(on!(tx, |c| sqlx::query_scalar(INSERT_MANIFEST)
        .bind(new.incident)
        .bind(new.name)
        .bind(new.digest)
        .bind(new.pass)
        .bind(new.why)
        .bind(new.size_bytes)
        .bind(new.actor)
        .bind(now.micros())
        .fetch_one(c)
        .await)?)
}

/// Writes a chunk and moves the place where counting resumes from `done` on, all or nothing.
pub async fn write_chunk(
    tx: &mut Tx,
    incident: i64,
    manifest: i64,
    done: i64,
    chunk: &Chunk,
) -> Result<(), StoreError> {
    let rejected = i64::try_from(chunk.rejects.len()).unwrap_or(i64::MAX);
    let hit = on!(tx, |c| sqlx::query(ADVANCE)
        .bind(chunk.records)
        .bind(chunk.rows)
        .bind(chunk.blank_lines)
        .bind(chunk.accepted)
        .bind(rejected)
        .bind(manifest)
        .bind(done)
        .execute(c)
        .await
        .map(|result| result.rows_affected()))?;
    if hit != 1 {
        return Err(StoreError::Stale { what: "the manifest is being counted by another import".to_owned() });
    }
    let ids = upsert_hosts(tx, incident, &chunk.hosts).await?;
    insert_objects(tx, incident, &chunk.objects).await?;
    upsert_host_objects(tx, &ids, &chunk.host_objects).await?;
    insert_identities(tx, &ids, &chunk.identities).await?;
    insert_rejects(tx, manifest, &chunk.rejects).await
}

/// Marks a manifest as counted to its end.
pub async fn finish(tx: &mut Tx, manifest: i64, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(FINISH).bind(now.micros()).bind(manifest).execute(c).await.map(drop))?;
    Ok(())
}

/// Adds a domain to the incident's shared list.
pub async fn add_shared(tx: &mut Tx, incident: i64, domain: &str, source: &str) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(ADD_SHARED)
        .bind(incident)
        .bind(domain)
        .bind(source)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// All rejects of an incident as (file, line, reason, raw), in file order.
pub async fn rejects(conn: &mut Conn, incident: i64) -> Result<Vec<(String, i64, String, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(REJECTS).bind(incident).fetch_all(c).await)?)
}

async fn upsert_hosts(
    tx: &mut Tx,
    incident: i64,
    hosts: &BTreeMap<String, HostCounts>,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let all: Vec<_> = hosts.iter().collect();
    let mut ids = BTreeMap::new();
    for part in all.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            "INSERT INTO hosts (incident_id, host, row_count, rows_missing, rows_invalid)",
            5,
            part.len(),
            "ON CONFLICT (incident_id, host) DO UPDATE SET row_count = hosts.row_count + excluded.row_count, \
             rows_missing = hosts.rows_missing + excluded.rows_missing, rows_invalid = hosts.rows_invalid + excluded.rows_invalid \
             RETURNING host, id",
        );
        let rows: Vec<(String, i64)> = on!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(text));
            for (host, counts) in part {
                query = query.bind(incident).bind(*host).bind(counts.rows).bind(counts.missing).bind(counts.invalid);
            }
            query.fetch_all(c).await
        })?;
        ids.extend(rows);
    }
    Ok(ids)
}

async fn insert_objects(tx: &mut Tx, incident: i64, objects: &BTreeMap<ObjectKey, String>) -> Result<(), StoreError> {
    let all: Vec<_> = objects.iter().collect();
    for part in all.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            "INSERT INTO objects (incident_id, object_key, path)",
            3,
            part.len(),
            "ON CONFLICT (incident_id, object_key) DO NOTHING",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (key, path) in part {
                query = query.bind(incident).bind(&key[..]).bind(*path);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// R8 in SQL, the same as `model::intake::ObjectFacts::merge`: order and repetition make no difference.
const MERGE_OBJECT: &str = "
    ON CONFLICT (host_id, object_key) DO UPDATE SET
        in_dispute = CASE
            WHEN host_objects.in_dispute = 1 OR excluded.in_dispute = 1
                OR host_objects.size_bytes <> excluded.size_bytes
                OR host_objects.document_date <> excluded.document_date
                OR host_objects.data_type <> excluded.data_type THEN 1
            ELSE 0 END,
        size_bytes = CASE
            WHEN host_objects.size_bytes IS NULL OR excluded.size_bytes < host_objects.size_bytes THEN excluded.size_bytes
            ELSE host_objects.size_bytes END,
        document_date = CASE
            WHEN host_objects.document_date IS NULL OR excluded.document_date < host_objects.document_date THEN excluded.document_date
            ELSE host_objects.document_date END,
        data_type = CASE
            WHEN host_objects.data_type IS NULL OR excluded.data_type < host_objects.data_type THEN excluded.data_type
            ELSE host_objects.data_type END";

fn id_of(ids: &BTreeMap<String, i64>, host: &str) -> Result<i64, StoreError> {
    ids.get(host)
        .copied()
        .ok_or_else(|| StoreError::Unknown { what: format!("host {host} in a chunk without its counts") })
}

async fn upsert_host_objects(
    tx: &mut Tx,
    ids: &BTreeMap<String, i64>,
    said: &BTreeMap<(String, ObjectKey), ObjectFacts>,
) -> Result<(), StoreError> {
    let mut all = Vec::with_capacity(said.len());
    for ((host, key), object) in said {
        all.push((id_of(ids, host)?, key, object));
    }
    for part in all.chunks(ROWS_AN_INSERT) {
        let head = "INSERT INTO host_objects (host_id, object_key, size_bytes, document_date, data_type, in_dispute)";
        let text = insert_text(head, 6, part.len(), MERGE_OBJECT);
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (host, key, object) in part {
                query = query
                    .bind(*host)
                    .bind(&key[..])
                    .bind(object.size)
                    .bind(&object.date)
                    .bind(&object.data_type)
                    .bind(i64::from(object.disputed));
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

async fn insert_identities(
    tx: &mut Tx,
    ids: &BTreeMap<String, i64>,
    identities: &std::collections::BTreeSet<(String, &'static str, String)>,
) -> Result<(), StoreError> {
    let mut all = Vec::with_capacity(identities.len());
    for (host, kind, identity) in identities {
        all.push((id_of(ids, host)?, *kind, identity));
    }
    for part in all.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            "INSERT INTO host_identities (host_id, kind, identity)",
            3,
            part.len(),
            "ON CONFLICT (host_id, kind, identity) DO NOTHING",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (host, kind, identity) in part {
                query = query.bind(*host).bind(*kind).bind(*identity);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

async fn insert_rejects(tx: &mut Tx, manifest: i64, rejects: &[Reject]) -> Result<(), StoreError> {
    for part in rejects.chunks(ROWS_AN_INSERT) {
        let text = insert_text("INSERT INTO rejects (manifest_id, line, record, reason, raw)", 5, part.len(), "");
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for reject in part {
                query =
                    query.bind(manifest).bind(reject.line).bind(reject.record).bind(&reject.reason).bind(&reject.raw);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
