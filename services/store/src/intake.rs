//! Manifests and their rejects while rows are counted.
//!
//! Parses nothing and maps nothing. Invariant: what a part of a manifest came to and the place where counting resumes
//! are written in one transaction, and nothing of a manifest is in any figure before [`finish`]; so a row is counted
//! exactly once however often the import is interrupted, and a file that breaks off is not half counted.

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, insert_text};
use crate::runs::Packed;
use crate::{Conn, StoreError, Tx};

/// The columns of [`Manifest`].
macro_rules! manifest_columns {
    () => {
        "id, name, digest, pass, why, size_bytes, records_done, rows_read, blank_lines, accepted, rejected, \
         counted_before, reading, described, used_sum, rejected_sum, corrects, started_by, started_at, counted_at, \
         withdrawn_at, withdrawn_why"
    };
}

statements! {
    LATEST_PASS = concat!("
        SELECT ", manifest_columns!(), "
        FROM manifests
        WHERE incident_id = $1 AND digest = $2 AND withdrawn_at IS NULL
        ORDER BY pass DESC
        LIMIT 1");
    LIST = concat!("
        SELECT ", manifest_columns!(), "
        FROM manifests
        WHERE incident_id = $1
        ORDER BY id");
    /// Counted to their end, with rows that nobody has corrected yet; newest first.
    CORRECTABLE = concat!("
        SELECT ", manifest_columns!(), "
        FROM manifests
        WHERE incident_id = $1 AND counted_at IS NOT NULL AND withdrawn_at IS NULL
            AND EXISTS (SELECT 1 FROM rejects r WHERE r.manifest_id = manifests.id AND r.corrected_by IS NULL)
        ORDER BY id DESC
        LIMIT $2");
    OPEN_REJECTS = "
        SELECT record
        FROM rejects
        WHERE manifest_id = $1 AND corrected_by IS NULL
        ORDER BY record";
    INSERT_MANIFEST = "
        INSERT INTO manifests (incident_id, name, digest, pass, why, size_bytes, records_done, rows_read, blank_lines,
            accepted, rejected, reading, described, corrects, rules, started_by, started_at, counted_at)
        VALUES ($1, $2, $3, (
                SELECT COALESCE(MAX(b.pass), 0) + 1 FROM manifests b WHERE b.incident_id = $1 AND b.digest = $3
            ), $4, $5, 0, 0, 0, 0, 0, $6, $7, $8, $9, $10, $11, NULL)
        RETURNING id";
    /// Must hit one row: another import of the same manifest that got here first makes it none.
    ADVANCE = "
        UPDATE manifests
        SET records_done = records_done + $1, rows_read = rows_read + $2, blank_lines = blank_lines + $3,
            accepted = accepted + $4, rejected = rejected + $5, counted_before = counted_before + $6, used_sum = $7,
            rejected_sum = $8
        WHERE id = $9 AND records_done = $10 AND counted_at IS NULL";
    FINISH = "UPDATE manifests SET counted_at = $1 WHERE id = $2 AND records_done = $3 AND counted_at IS NULL";
    READY = "UPDATE runs SET state = 'ready' WHERE manifest_id = $1 AND state = 'open'";
    CORRECT = "
        UPDATE rejects
        SET corrected_by = $1
        WHERE manifest_id = $2 AND corrected_by IS NULL";
    REPEAT_COUNTS = "
        UPDATE manifests
        SET (records_done, rows_read, blank_lines, accepted, rejected, used_sum, rejected_sum, counted_at) = (
            SELECT b.records_done, b.rows_read, b.blank_lines, b.accepted, b.rejected, b.used_sum, b.rejected_sum,
                CAST($3 AS BIGINT)
            FROM manifests b
            WHERE b.id = $1)
        WHERE id = $2";
    REPEAT_REJECTS = "
        INSERT INTO rejects (manifest_id, line, record, reason, raw)
        SELECT CAST($1 AS BIGINT), line, record, reason, raw
        FROM rejects
        WHERE manifest_id = $2";
    COUNTS_RUNS = "SELECT id FROM runs WHERE manifest_id = $1 AND kind = 'counts' ORDER BY id";
    REPEAT_RUN = "
        INSERT INTO runs (incident_id, manifest_id, kind, state, made_at)
        SELECT incident_id, CAST($1 AS BIGINT), kind, 'ready', CAST($2 AS BIGINT)
        FROM runs
        WHERE id = $3
        RETURNING id";
    REPEAT_BLOCKS = "
        INSERT INTO run_blocks (run_id, number, first_host, last_host, entries, body, names)
        SELECT CAST($1 AS BIGINT), number, first_host, last_host, entries, body, names
        FROM run_blocks
        WHERE run_id = $2";
    /// Locks it.
    TOUCH_OPEN = "UPDATE manifests SET records_done = records_done WHERE id = $1 AND counted_at IS NULL";
    UNCORRECT = "UPDATE rejects SET corrected_by = NULL WHERE corrected_by = $1";
    WITHDRAW = "
        UPDATE manifests
        SET withdrawn_at = $1, withdrawn_why = $2
        WHERE id = $3 AND counted_at IS NOT NULL AND withdrawn_at IS NULL";
    DROP_BLOCKS = "DELETE FROM run_blocks WHERE run_id IN (SELECT id FROM runs WHERE manifest_id = $1)";
    DROP_RUNS = "DELETE FROM runs WHERE manifest_id = $1";
    DROP_REJECTS = "DELETE FROM rejects WHERE manifest_id = $1";
    DROP_MANIFEST = "DELETE FROM manifests WHERE id = $1 AND counted_at IS NULL";
    ADD_SHARED = "
        INSERT INTO shared_domains (incident_id, domain, source)
        VALUES ($1, $2, $3)
        ON CONFLICT (incident_id, domain) DO NOTHING";
    REJECTS = "
        SELECT m.name, r.line, r.reason, r.raw
        FROM rejects r
        JOIN manifests m ON m.id = r.manifest_id
        WHERE m.incident_id = $1 AND m.counted_at IS NOT NULL AND m.withdrawn_at IS NULL AND r.corrected_by IS NULL
        ORDER BY r.manifest_id, r.record";
    REJECTS_OF = "
        SELECT raw
        FROM rejects
        WHERE manifest_id = $1 AND corrected_by IS NULL
        ORDER BY record";
    TOTAL_ROWS = "
        SELECT CAST(COALESCE(SUM(blank_lines), 0) AS BIGINT), CAST(COALESCE(SUM(accepted), 0) AS BIGINT)
        FROM manifests
        WHERE incident_id = $1 AND counted_at IS NOT NULL AND withdrawn_at IS NULL";
    TOTAL_REJECTS = "
        SELECT r.reason, COUNT(*)
        FROM rejects r
        JOIN manifests m ON m.id = r.manifest_id
        WHERE m.incident_id = $1 AND m.counted_at IS NOT NULL AND m.withdrawn_at IS NULL AND r.corrected_by IS NULL
        GROUP BY r.reason";
    COUNT_CORRECTED = "
        SELECT CAST(COALESCE(SUM(accepted), 0) AS BIGINT)
        FROM manifests
        WHERE incident_id = $1 AND corrects IS NOT NULL AND counted_at IS NOT NULL AND withdrawn_at IS NULL";
    COUNT_OPEN = "SELECT COUNT(*) FROM manifests WHERE incident_id = $1 AND counted_at IS NULL";
    BLANK_REJECTS = "
        UPDATE rejects
        SET raw = ''
        WHERE manifest_id IN (SELECT id FROM manifests WHERE incident_id = $1)";
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
    /// Why again; empty for the first pass.
    pub why: String,
    /// Length in bytes.
    pub size_bytes: i64,
    /// Records (rows and blank lines) that are done.
    pub records_done: i64,
    /// Rows that count here.
    pub rows_read: i64,
    /// Blank lines that count here.
    pub blank_lines: i64,
    /// Rows that were used.
    pub accepted: i64,
    /// Rows that were kept as rejects.
    pub rejected: i64,
    /// Records of a corrected copy that count in its original.
    pub counted_before: i64,
    /// The options it is read with, as text.
    pub reading: String,
    /// Format, encoding, compression, for people.
    pub described: String,
    /// Sum of the hashes of all rows' texts that were used, here or in the original, hex.
    pub used_sum: String,
    /// Likewise of the rows that were rejected here.
    pub rejected_sum: String,
    /// The manifest it is a corrected copy of.
    pub corrects: Option<i64>,
    /// Who.
    pub started_by: String,
    /// Microseconds since the epoch.
    pub started_at: i64,
    /// Set when it was counted to its end.
    pub counted_at: Option<i64>,
    /// Set when it was taken back: it is in no figure any more.
    pub withdrawn_at: Option<i64>,
    /// Why it was taken back.
    pub withdrawn_why: Option<String>,
}

impl Manifest {
    /// Whether it is in the figures.
    pub fn counts(&self) -> bool {
        self.counted_at.is_some() && self.withdrawn_at.is_none()
    }
}

/// A row that could not be used.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Physical line where it starts; the header is 1.
    pub line: i64,
    /// Its number among all records of the file, from 1.
    pub record: i64,
    /// `columns`, `no_domain` or `bad_domain`.
    pub reason: String,
    /// Its text, bounded.
    pub raw: String,
}

/// What a bounded number of records came to, ready to be written.
#[derive(Debug, Default)]
pub struct Part {
    /// Records in it.
    pub records: i64,
    /// Rows that count here.
    pub rows: i64,
    /// Blank lines that count here.
    pub blank_lines: i64,
    /// Rows used.
    pub accepted: i64,
    /// Records that count in the original of a corrected copy.
    pub counted_before: i64,
    /// [`Manifest::used_sum`] up to the end of this part.
    pub used_sum: String,
    /// [`Manifest::rejected_sum`] likewise.
    pub rejected_sum: String,
    /// Rows not used.
    pub rejects: Vec<Reject>,
    /// Distinct things per host.
    pub sets: Vec<Packed>,
    /// Raw references per host.
    pub counts: Vec<Packed>,
}

impl Part {
    /// Takes in what further records came to, apart from blocks and sums.
    pub fn absorb(&mut self, mut more: Self) {
        self.records += more.records;
        self.rows += more.rows;
        self.blank_lines += more.blank_lines;
        self.accepted += more.accepted;
        self.counted_before += more.counted_before;
        self.rejects.append(&mut more.rejects);
    }
}

/// The newest pass over a content in an incident.
pub async fn latest_pass(conn: &mut Conn, incident: i64, digest: &str) -> Result<Option<Manifest>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LATEST_PASS).bind(incident).bind(digest).fetch_optional(c).await)?)
}

/// All manifests of an incident, oldest first.
pub async fn manifests(conn: &mut Conn, incident: i64) -> Result<Vec<Manifest>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// The newest manifests with rows that nobody has corrected yet.
pub async fn correctable(conn: &mut Conn, incident: i64, limit: i64) -> Result<Vec<Manifest>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(CORRECTABLE).bind(incident).bind(limit).fetch_all(c).await)?)
}

/// The numbers of a manifest's records that were rejected and not corrected, in order.
pub async fn open_rejects(conn: &mut Conn, manifest: i64) -> Result<Vec<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(OPEN_REJECTS).bind(manifest).fetch_all(c).await)?)
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
    /// Why again; empty for the first pass.
    pub why: &'a str,
    /// Length in bytes.
    pub size_bytes: i64,
    /// The options it is read with, as text.
    pub reading: &'a str,
    /// Format, encoding, compression, for people.
    pub described: &'a str,
    /// The manifest it is a corrected copy of.
    pub corrects: Option<i64>,
    /// Who.
    pub actor: &'a str,
}

/// Registers a manifest before its first row is read.
pub async fn insert_manifest(tx: &mut Tx, new: &NewManifest<'_>, now: Timestamp) -> Result<i64, StoreError> {
    Ok(on!(tx, |c| sqlx::query_scalar(INSERT_MANIFEST)
        .bind(new.incident)
        .bind(new.name)
        .bind(new.digest)
        .bind(new.why)
        .bind(new.size_bytes)
        .bind(new.reading)
        .bind(new.described)
        .bind(new.corrects)
        .bind(i64::from(model::rules::VERSION))
        .bind(new.actor)
        .bind(now.micros())
        .fetch_one(c)
        .await)?)
}

/// Writes a part and moves the place where counting resumes from `done` on, all or nothing.
pub async fn write_part(
    tx: &mut Tx,
    incident: i64,
    manifest: i64,
    done: i64,
    part: &Part,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rejected = i64::try_from(part.rejects.len()).unwrap_or(i64::MAX);
    let hit = on!(tx, |c| sqlx::query(ADVANCE)
        .bind(part.records)
        .bind(part.rows)
        .bind(part.blank_lines)
        .bind(part.accepted)
        .bind(rejected)
        .bind(part.counted_before)
        .bind(&part.used_sum)
        .bind(&part.rejected_sum)
        .bind(manifest)
        .bind(done)
        .execute(c)
        .await
        .map(|result| result.rows_affected()))?;
    if hit != 1 {
        return Err(counted_by_another());
    }
    crate::runs::insert(tx, incident, manifest, "sets", "open", &part.sets, now).await?;
    crate::runs::insert(tx, incident, manifest, "counts", "open", &part.counts, now).await?;
    insert_rejects(tx, manifest, &part.rejects).await
}

/// Marks a manifest as counted to its end: from here on it is in the figures. `corrected` names the manifest that it
/// corrects and how many rejects of that one it brought again.
pub async fn finish(
    tx: &mut Tx,
    manifest: i64,
    done: i64,
    corrected: Option<(i64, u64)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(FINISH)
        .bind(now.micros())
        .bind(manifest)
        .bind(done)
        .execute(c)
        .await
        .map(|result| result.rows_affected()))?;
    if hit != 1 {
        return Err(counted_by_another());
    }
    on!(tx, |c| sqlx::query(READY).bind(manifest).execute(c).await.map(drop))?;
    if let Some((original, rejects)) = corrected {
        let hit = on!(tx, |c| sqlx::query(CORRECT)
            .bind(manifest)
            .bind(original)
            .execute(c)
            .await
            .map(|result| result.rows_affected()))?;
        if hit != rejects {
            return Err(StoreError::Stale { what: "the rows that this file corrects".to_owned() });
        }
    }
    Ok(())
}

/// Counts the raw references and rejects of a manifest again, as another pass over the same content.
pub async fn repeat(tx: &mut Tx, new: &NewManifest<'_>, before: i64, now: Timestamp) -> Result<(), StoreError> {
    let id = insert_manifest(tx, new, now).await?;
    on!(tx, |c| sqlx::query(REPEAT_COUNTS).bind(before).bind(id).bind(now.micros()).execute(c).await.map(drop))?;
    on!(tx, |c| sqlx::query(REPEAT_REJECTS).bind(id).bind(before).execute(c).await.map(drop))?;
    let runs: Vec<i64> = on!(tx, |c| sqlx::query_scalar(COUNTS_RUNS).bind(before).fetch_all(c).await)?;
    for run in runs {
        let copy: i64 =
            on!(tx, |c| sqlx::query_scalar(REPEAT_RUN).bind(id).bind(now.micros()).bind(run).fetch_one(c).await)?;
        on!(tx, |c| sqlx::query(REPEAT_BLOCKS).bind(copy).bind(run).execute(c).await.map(drop))?;
    }
    Ok(())
}

fn counted_by_another() -> StoreError {
    StoreError::Stale { what: "the manifest is being counted by another import".to_owned() }
}

/// Takes back what was written of a manifest that cannot be read to its end; stale where it was counted meanwhile.
pub async fn abandon(tx: &mut Tx, manifest: i64) -> Result<(), StoreError> {
    let hit =
        on!(tx, |c| sqlx::query(TOUCH_OPEN).bind(manifest).execute(c).await.map(|result| result.rows_affected()))?;
    if hit != 1 {
        return Err(counted_by_another());
    }
    for statement in [DROP_BLOCKS, DROP_RUNS, DROP_REJECTS, DROP_MANIFEST] {
        on!(tx, |c| sqlx::query(statement).bind(manifest).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Takes a manifest back that was counted: its runs go, its rejects stay as a record and count no more, and what it
/// corrected is open again.
pub async fn withdraw(tx: &mut Tx, manifest: i64, why: &str, now: Timestamp) -> Result<(), StoreError> {
    for statement in [UNCORRECT, DROP_BLOCKS, DROP_RUNS] {
        on!(tx, |c| sqlx::query(statement).bind(manifest).execute(c).await.map(drop))?;
    }
    let hit = on!(tx, |c| sqlx::query(WITHDRAW)
        .bind(now.micros())
        .bind(why)
        .bind(manifest)
        .execute(c)
        .await
        .map(|result| result.rows_affected()))?;
    if hit == 1 { Ok(()) } else { Err(StoreError::Stale { what: "the manifest".to_owned() }) }
}

/// Adds domains to the incident's shared list; how many are new.
pub async fn add_shared(tx: &mut Tx, incident: i64, domain: &str, source: &str) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(ADD_SHARED)
        .bind(incident)
        .bind(domain)
        .bind(source)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// All rejects of an incident that were not corrected as (file, line, reason, raw), in file order.
pub async fn rejects(conn: &mut Conn, incident: i64) -> Result<Vec<(String, i64, String, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(REJECTS).bind(incident).fetch_all(c).await)?)
}

/// The texts of a manifest's rejects that were not corrected, in file order.
pub async fn reject_texts(conn: &mut Conn, manifest: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(REJECTS_OF).bind(manifest).fetch_all(c).await)?)
}

/// What became of the rows of an incident's manifests.
#[derive(Debug, Default)]
pub struct RowTotals {
    /// Lines of white space.
    pub blank_lines: i64,
    /// Rows used.
    pub accepted: i64,
    /// Rejects by reason.
    pub rejects: Vec<(String, i64)>,
    /// Of the rows used, those that were rejected first and came again in a corrected copy.
    pub corrected: i64,
    /// Manifests that are not counted to their end.
    pub open: i64,
}

/// What became of the rows of an incident's manifests that are counted to their end.
pub async fn row_totals(conn: &mut Conn, incident: i64) -> Result<RowTotals, StoreError> {
    let (blank_lines, accepted) = on!(conn, |c| sqlx::query_as(TOTAL_ROWS).bind(incident).fetch_one(c).await)?;
    Ok(RowTotals {
        blank_lines,
        accepted,
        rejects: on!(conn, |c| sqlx::query_as(TOTAL_REJECTS).bind(incident).fetch_all(c).await)?,
        corrected: on!(conn, |c| sqlx::query_scalar(COUNT_CORRECTED).bind(incident).fetch_one(c).await)?,
        open: on!(conn, |c| sqlx::query_scalar(COUNT_OPEN).bind(incident).fetch_one(c).await)?,
    })
}

/// Forgets the texts of an incident's rejects; how many there are stays.
pub async fn blank_rejects(tx: &mut Tx, incident: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(BLANK_REJECTS).bind(incident).execute(c).await.map(drop))?;
    Ok(())
}

async fn insert_rejects(tx: &mut Tx, manifest: i64, rejects: &[Reject]) -> Result<(), StoreError> {
    for part in rejects.chunks(ROWS_AN_INSERT) {
        let head = "INSERT INTO rejects (manifest_id, line, record, reason, raw)";
        let text = insert_text(tx.dialect(), head, 5, part.len(), "");
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
