//! Runs and their blocks.
//!
//! Knows nothing of what is in a block (`model::runs` does), but that names compress. Invariant: only ready runs are in
//! figures; several of them give way to one that says the same in one transaction.

use model::runs::Block;
use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use crate::rows::insert_text;
use crate::{Conn, StoreError, Tx};

/// Blocks in one INSERT: about two megabytes.
const AN_INSERT: usize = 16;
/// zstd's fastest ordinary level; names shrink to a third, and higher levels gain a tenth for twice the time.
const LEVEL: i32 = 1;
/// Names of a block, unpacked, in bytes: more is no block of ours. A section has 12,000 entries of 4,096 bytes at most.
const LONGEST_NAMES: usize = 64 * 1024 * 1024;

statements! {
    INSERT_RUN = "
        INSERT INTO runs (incident_id, manifest_id, kind, state, made_at)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING id";
    INDEX = "
        SELECT b.run_id, b.number, b.first_host, b.last_host, b.entries
        FROM runs r
        JOIN run_blocks b ON b.run_id = r.id
        WHERE r.incident_id = $1 AND r.kind = $2 AND r.state = 'ready' AND b.last_host >= $3 AND b.first_host < $4
        ORDER BY b.run_id, b.number";
    INDEX_OF_MANIFEST = "
        SELECT b.run_id, b.number, b.first_host, b.last_host, b.entries
        FROM runs r
        JOIN run_blocks b ON b.run_id = r.id
        WHERE r.manifest_id = $1 AND r.kind = $2 AND b.last_host > $3
        ORDER BY b.first_host, b.run_id, b.number";
    BODY = "SELECT body FROM run_blocks WHERE run_id = $1 AND number = $2";
    BODY_AND_NAMES = "SELECT body, names FROM run_blocks WHERE run_id = $1 AND number = $2";
    WITH_MANY = "
        SELECT manifest_id
        FROM runs
        WHERE incident_id = $1 AND kind = 'sets' AND state = 'ready'
        GROUP BY manifest_id
        HAVING COUNT(*) > $2
        ORDER BY manifest_id
        LIMIT 1";
    READY_RUNS = "
        SELECT id
        FROM runs
        WHERE manifest_id = $1 AND kind = 'sets' AND state = 'ready'
        ORDER BY id";
    DROP_OPEN_MERGES_BLOCKS = "
        DELETE FROM run_blocks
        WHERE run_id IN (SELECT id FROM runs WHERE manifest_id = $1 AND state = 'open')";
    DROP_OPEN_MERGES = "DELETE FROM runs WHERE manifest_id = $1 AND state = 'open'";
    DROP_BLOCKS = "DELETE FROM run_blocks WHERE run_id = $1";
    DROP_RUN = "DELETE FROM runs WHERE id = $1";
    READY_AT_ALL = "
        SELECT COUNT(*), CAST(COALESCE(SUM(id), 0) AS BIGINT)
        FROM runs
        WHERE incident_id = $1 AND kind = 'counts' AND state = 'ready'";
    MAKE_READY = "UPDATE runs SET state = 'ready' WHERE id = $1 AND state = 'open'";
    ERASE_BLOCKS = "
        DELETE FROM run_blocks
        WHERE run_id IN (SELECT id FROM runs WHERE incident_id = $1)";
    ERASE_RUNS = "DELETE FROM runs WHERE incident_id = $1";
}

/// A block, its names compressed.
#[derive(Debug)]
pub struct Packed {
    first: String,
    last: String,
    entries: i64,
    body: Vec<u8>,
    names: Vec<u8>,
}

impl Packed {
    /// Compresses a block's names.
    pub fn of(block: Block) -> Result<Self, StoreError> {
        let Block { first, last, entries, body, names } = block;
        let names = if names.is_empty() {
            Vec::new()
        } else {
            zstd::bulk::compress(names.as_bytes(), LEVEL).map_err(|error| unreadable(&error))?
        };
        Ok(Self { first, last, entries: i64::from(entries), body, names })
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unknown { what: format!("names of a block: {error}") }
}

/// Where a block is, and which hosts it holds.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct BlockPlace {
    /// Its run.
    pub run_id: i64,
    /// Its number in the run.
    pub number: i64,
    /// Its first host, reversed.
    pub first_host: String,
    /// Its last host, reversed.
    pub last_host: String,
    /// Its entries.
    pub entries: i64,
}

/// Writes a run, if it has blocks; its number.
pub async fn insert(
    tx: &mut Tx,
    incident: i64,
    manifest: i64,
    kind: &str,
    state: &str,
    blocks: &[Packed],
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    if blocks.is_empty() {
        return Ok(None);
    }
    let run: i64 = on!(tx, |c| sqlx::query_scalar(INSERT_RUN)
        .bind(incident)
        .bind(manifest)
        .bind(kind)
        .bind(state)
        .bind(now.micros())
        .fetch_one(c)
        .await)?;
    append(tx, run, 0, blocks).await?;
    Ok(Some(run))
}

/// Writes further blocks of a run, numbered from `first` on.
pub async fn append(tx: &mut Tx, run: i64, first: i64, blocks: &[Packed]) -> Result<(), StoreError> {
    let mut number = first;
    for part in blocks.chunks(AN_INSERT) {
        let head = "INSERT INTO run_blocks (run_id, number, first_host, last_host, entries, body, names)";
        let text = insert_text(tx.dialect(), head, 7, part.len(), "");
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for block in part {
                query = query
                    .bind(run)
                    .bind(number)
                    .bind(&block.first)
                    .bind(&block.last)
                    .bind(block.entries)
                    .bind(&block.body)
                    .bind(&block.names);
                number += 1;
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// After every name of a host.
pub const LAST: &str = "~";

/// Where the blocks of an incident's ready runs of a kind are that hold hosts from `from` to before `to`.
pub async fn index(
    conn: &mut Conn,
    incident: i64,
    kind: &str,
    from: &str,
    to: &str,
) -> Result<Vec<BlockPlace>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(INDEX).bind(incident).bind(kind).bind(from).bind(to).fetch_all(c).await)?)
}

/// Where the blocks of a manifest's runs of a kind are that hold hosts after `after`.
pub async fn index_of_manifest(
    conn: &mut Conn,
    manifest: i64,
    kind: &str,
    after: &str,
) -> Result<Vec<BlockPlace>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(INDEX_OF_MANIFEST).bind(manifest).bind(kind).bind(after).fetch_all(c).await)?)
}

/// The records of a block.
pub async fn body(conn: &mut Conn, place: &BlockPlace) -> Result<Vec<u8>, StoreError> {
    let body: Option<Vec<u8>> =
        on!(conn, |c| sqlx::query_scalar(BODY).bind(place.run_id).bind(place.number).fetch_optional(c).await)?;
    body.ok_or_else(moved)
}

/// Another worker brought runs together, or took a manifest back, since the block was looked up.
fn moved() -> StoreError {
    StoreError::Stale { what: "the runs".to_owned() }
}

/// The records of a block and their names, a line each.
pub async fn body_and_names(conn: &mut Conn, place: &BlockPlace) -> Result<(Vec<u8>, String), StoreError> {
    let found: Option<(Vec<u8>, Vec<u8>)> =
        on!(conn, |c| sqlx::query_as(BODY_AND_NAMES).bind(place.run_id).bind(place.number).fetch_optional(c).await)?;
    let (body, names) = found.ok_or_else(moved)?;
    if names.is_empty() {
        return Ok((body, String::new()));
    }
    let names = zstd::bulk::decompress(&names, LONGEST_NAMES).map_err(|error| unreadable(&error))?;
    Ok((body, String::from_utf8(names).map_err(|error| unreadable(&error))?))
}

/// What tells that counts runs of an incident came or went: how many are ready, and the sum of their numbers.
pub async fn ready_at_all(conn: &mut Conn, incident: i64) -> Result<(i64, i64), StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(READY_AT_ALL).bind(incident).fetch_one(c).await)?)
}

/// A manifest of an incident with more ready sets runs than `many`.
pub async fn with_many(conn: &mut Conn, incident: i64, many: i64) -> Result<Option<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(WITH_MANY).bind(incident).bind(many).fetch_optional(c).await)?)
}

/// The ready sets runs of a manifest.
pub async fn ready(conn: &mut Conn, manifest: i64) -> Result<Vec<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(READY_RUNS).bind(manifest).fetch_all(c).await)?)
}

/// Drops what an interrupted merge of a counted manifest's runs left.
pub async fn drop_open_merges(tx: &mut Tx, manifest: i64) -> Result<(), StoreError> {
    for statement in [DROP_OPEN_MERGES_BLOCKS, DROP_OPEN_MERGES] {
        on!(tx, |c| sqlx::query(statement).bind(manifest).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// One run takes the place of several.
pub async fn replace(tx: &mut Tx, merged: i64, of: &[i64]) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(MAKE_READY).bind(merged).execute(c).await.map(|done| done.rows_affected()))?;
    if hit != 1 {
        return Err(StoreError::Stale { what: "the runs are being brought together by another worker".to_owned() });
    }
    for run in of {
        on!(tx, |c| sqlx::query(DROP_BLOCKS).bind(run).execute(c).await.map(drop))?;
        let hit = on!(tx, |c| sqlx::query(DROP_RUN).bind(run).execute(c).await.map(|done| done.rows_affected()))?;
        if hit != 1 {
            return Err(StoreError::Stale { what: "the runs were brought together by another worker".to_owned() });
        }
    }
    Ok(())
}

/// Deletes every run of an incident.
pub async fn erase(tx: &mut Tx, incident: i64) -> Result<(), StoreError> {
    for statement in [ERASE_BLOCKS, ERASE_RUNS] {
        on!(tx, |c| sqlx::query(statement).bind(incident).execute(c).await.map(drop))?;
    }
    Ok(())
}
