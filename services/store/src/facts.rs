//! Fact sheets: what is known of each affected organisation domain, and how it changed.
//!
//! Counts nothing: `app::facts` folds runs into sheets. Invariant: a sheet that a manifest or a verdict made stale is
//! marked in the same transaction, and the mark goes in the transaction that writes the sheet anew, if nothing marked it
//! meanwhile.

use std::fmt::Write;

use model::notices::DomainFacts;
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, execute_in, insert_text, list as list_of};
use crate::{Conn, Dialect, StoreError, Tx};

statements! {
    STALE = "
        SELECT reversed, cause, stamp
        FROM stale_sheets
        WHERE incident_id = $1 AND reversed > $2
        ORDER BY reversed
        LIMIT $3";
    COUNT_STALE = "SELECT COUNT(*) FROM stale_sheets WHERE incident_id = $1";
    ALL = "
        SELECT facts
        FROM fact_sheets
        WHERE incident_id = $1 AND verdict <> 'shared'
        ORDER BY organisation_domain";
    OF_TENANTS = "
        SELECT facts
        FROM fact_sheets
        WHERE incident_id = $1 AND tenant_id >= $2 AND tenant_id <= $3
        ORDER BY organisation_domain";
    DOMAINS = "
        SELECT organisation_domain
        FROM fact_sheets
        WHERE incident_id = $1 AND organisation_domain > $2
        ORDER BY organisation_domain
        LIMIT $3";
    BY_VERDICT = "
        SELECT verdict, CAST(SUM(row_count) AS BIGINT), CAST(SUM(rows_missing) AS BIGINT),
            CAST(SUM(rows_invalid) AS BIGINT), COUNT(*), COUNT(DISTINCT tenant_id)
        FROM fact_sheets
        WHERE incident_id = $1
        GROUP BY verdict";
    BY_FIELD = "
        SELECT by_field
        FROM fact_sheets
        WHERE incident_id = $1 AND verdict <> 'shared' AND by_field <> ''";
    TENANTS_WITHOUT_CONTACT = "
        SELECT COUNT(DISTINCT s.tenant_id)
        FROM fact_sheets s
        WHERE s.incident_id = $1 AND s.verdict = 'mapped' AND NOT EXISTS (
            SELECT 1 FROM contacts c
            WHERE c.tenant_id = s.tenant_id AND c.disabled_at IS NULL AND c.left_at IS NULL AND c.merged_into IS NULL AND c.role <> 'account-manager')";
    AFFECTED_TENANTS = "
        SELECT t.tenant_id, (
            SELECT COUNT(*) FROM contacts c
            WHERE c.tenant_id = t.tenant_id AND c.disabled_at IS NULL AND c.left_at IS NULL AND c.merged_into IS NULL AND c.role <> 'account-manager')
        FROM (SELECT DISTINCT tenant_id FROM fact_sheets WHERE incident_id = $1 AND verdict = 'mapped') t
        ORDER BY t.tenant_id";
    CHANGES = "
        SELECT organisation_domain, version, changed_at, cause, before, after
        FROM fact_changes
        WHERE incident_id = $1
        ORDER BY organisation_domain, version";
    BEFORE_CHANGES = "
        SELECT c.organisation_domain, c.changed_at, c.before
        FROM fact_sheets s
        JOIN fact_changes c ON c.incident_id = s.incident_id AND c.organisation_domain = s.organisation_domain
        WHERE s.incident_id = $1 AND s.tenant_id >= $2 AND s.tenant_id <= $3 AND c.changed_at >= $4 AND c.before <> ''
        ORDER BY c.organisation_domain, c.version";
}

/// A fact sheet as it is written.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The organisation domain.
    pub domain: String,
    /// `mapped`, `unmapped`, `shared`, `conflict`.
    pub verdict: String,
    /// Whose it is, when mapped.
    pub tenant_id: Option<String>,
    /// Raw references: rows, rows with a missing field, rows with an invalid field.
    pub rows: (i64, i64, i64),
    /// JSON: rows by missing and by invalid field; empty: every row has every field.
    pub by_field: String,
    /// JSON of `DomainFacts`; empty for a shared domain.
    pub facts: String,
    /// 1, and one more for each change.
    pub version: i64,
}

/// A change of a fact sheet.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Change {
    /// The organisation domain.
    pub organisation_domain: String,
    /// Of the sheet after the change.
    pub version: i64,
    /// Microseconds since the epoch.
    pub changed_at: i64,
    /// A manifest's name, or `mapping`.
    pub cause: String,
    /// JSON of `DomainFacts`.
    pub before: String,
    /// Likewise; empty: no longer affected.
    pub after: String,
}

/// Marks sheets of organisation domains (reversed) as stale. `stamp` is drawn anew each time, so that a mark is never
/// taken for an earlier one.
pub async fn mark_stale(
    tx: &mut Tx,
    incident: i64,
    cause: &str,
    stamp: i64,
    reversed: &[String],
) -> Result<(), StoreError> {
    for part in reversed.chunks(ROWS_AN_INSERT) {
        let head = "INSERT INTO stale_sheets (incident_id, reversed, cause, stamp)";
        // That records were taken back is the cause that counts: mail is called back because of it.
        let tail = "ON CONFLICT (incident_id, reversed) DO UPDATE SET stamp = excluded.stamp, cause = CASE \
                    WHEN excluded.cause LIKE '% withdrawn' THEN excluded.cause ELSE stale_sheets.cause END";
        let text = insert_text(tx.dialect(), head, 4, part.len(), tail);
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for domain in part {
                query = query.bind(incident).bind(domain).bind(cause).bind(stamp);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// A fact sheet that waits to be written anew.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Stale {
    /// The organisation domain, reversed.
    pub reversed: String,
    /// A manifest's name, or `mapping`.
    pub cause: String,
    /// Drawn when it was last marked.
    pub stamp: i64,
}

/// Up to `limit` stale sheets after `after`. Whatever marked them is to be read after this.
pub async fn stale(conn: &mut Conn, incident: i64, after: &str, limit: i64) -> Result<Vec<Stale>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(STALE).bind(incident).bind(after).bind(limit).fetch_all(c).await)?)
}

/// Takes the marks away that are still as they were; the domains (reversed) whose sheets may be written. One that was
/// marked again meanwhile was counted too early, and one that is gone was written by another worker.
pub async fn take_marks(tx: &mut Tx, incident: i64, stale: &[Stale]) -> Result<Vec<String>, StoreError> {
    let mut taken = Vec::with_capacity(stale.len());
    for part in stale.chunks(ROWS_AN_INSERT) {
        let mut text = String::from("DELETE FROM stale_sheets WHERE (reversed, stamp) IN (VALUES ");
        for at in 0..part.len() {
            let (comma, first, second) = (if at == 0 { "" } else { ", " }, 2 * at + 1, 2 * at + 2);
            // PostgreSQL takes a parameter in VALUES for a text unless it is told otherwise.
            let _ = match tx.dialect() {
                Dialect::Sqlite => write!(text, "{comma}(?, ?)"),
                Dialect::Postgres => write!(text, "{comma}(CAST(${first} AS TEXT), CAST(${second} AS BIGINT))"),
            };
        }
        let _ = write!(text, ") AND incident_id = {incident} RETURNING reversed");
        let rows: Vec<String> = on!(tx, |c| {
            let mut query = sqlx::query_scalar(AssertSqlSafe(text));
            for one in part {
                query = query.bind(&one.reversed).bind(one.stamp);
            }
            query.fetch_all(c).await
        })?;
        taken.extend(rows);
    }
    Ok(taken)
}

/// How many sheets wait to be written anew.
pub async fn count_stale(conn: &mut Conn, incident: i64) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(COUNT_STALE).bind(incident).fetch_one(c).await)?)
}

/// The last word on these domains: (domain, facts, version). Facts are empty where nothing counted under it any more.
pub async fn existing(
    conn: &mut Conn,
    incident: i64,
    domains: &[String],
) -> Result<Vec<(String, String, i64)>, StoreError> {
    let mut found = Vec::new();
    for part in domains.chunks(ROWS_AN_INSERT) {
        let these = list_of(conn.dialect(), 1, part.len());
        let texts = [
            format!(
                "SELECT organisation_domain, '' AS facts, MAX(version) AS version FROM fact_changes \
                 WHERE incident_id = {incident} AND organisation_domain IN {these} GROUP BY organisation_domain"
            ),
            format!(
                "SELECT organisation_domain, facts, version FROM fact_sheets \
                 WHERE incident_id = {incident} AND organisation_domain IN {these}"
            ),
        ];
        for text in texts {
            let rows: Vec<(String, String, i64)> = on!(conn, |c| {
                let mut query = sqlx::query_as(AssertSqlSafe(text));
                for domain in part {
                    query = query.bind(domain);
                }
                query.fetch_all(c).await
            })?;
            found.extend(rows);
        }
    }
    Ok(found)
}

/// Writes sheets; one that is there is replaced.
pub async fn upsert(tx: &mut Tx, incident: i64, now: i64, sheets: &[Sheet]) -> Result<(), StoreError> {
    for part in sheets.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO fact_sheets (incident_id, organisation_domain, verdict, tenant_id, row_count, rows_missing, rows_invalid, by_field, facts, version, changed_at)",
            11,
            part.len(),
            "ON CONFLICT (incident_id, organisation_domain) DO UPDATE SET verdict = excluded.verdict, \
             tenant_id = excluded.tenant_id, row_count = excluded.row_count, rows_missing = excluded.rows_missing, \
             rows_invalid = excluded.rows_invalid, by_field = excluded.by_field, facts = excluded.facts, \
             version = excluded.version, changed_at = excluded.changed_at",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for sheet in part {
                query = query
                    .bind(incident)
                    .bind(&sheet.domain)
                    .bind(&sheet.verdict)
                    .bind(&sheet.tenant_id)
                    .bind(sheet.rows.0)
                    .bind(sheet.rows.1)
                    .bind(sheet.rows.2)
                    .bind(&sheet.by_field)
                    .bind(&sheet.facts)
                    .bind(sheet.version)
                    .bind(now);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Takes away the sheets of domains that are not affected any more.
pub async fn delete(tx: &mut Tx, incident: i64, domains: &[String]) -> Result<(), StoreError> {
    let head = format!("DELETE FROM fact_sheets WHERE incident_id = {incident} AND organisation_domain");
    execute_in(tx, &head, domains).await
}

/// Keeps changes.
pub async fn insert_changes(tx: &mut Tx, incident: i64, changes: &[Change]) -> Result<(), StoreError> {
    for part in changes.chunks(ROWS_AN_INSERT) {
        let head =
            "INSERT INTO fact_changes (incident_id, organisation_domain, version, changed_at, cause, before, after)";
        let text = insert_text(tx.dialect(), head, 7, part.len(), "");
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for change in part {
                query = query
                    .bind(incident)
                    .bind(&change.organisation_domain)
                    .bind(change.version)
                    .bind(change.changed_at)
                    .bind(&change.cause)
                    .bind(&change.before)
                    .bind(&change.after);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// All changes of an incident's sheets, by domain and version.
pub async fn changes(conn: &mut Conn, incident: i64) -> Result<Vec<Change>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(CHANGES).bind(incident).fetch_all(c).await)?)
}

/// Which organisations' facts are asked for.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// Every affected organisation domain, mapped or not.
    Incident,
    /// Those mapped to the tenants from the first id to the last.
    Tenants(&'a str, &'a str),
}

/// The facts of each affected organisation domain, sorted by domain.
pub async fn facts(conn: &mut Conn, incident: i64, scope: Scope<'_>) -> Result<Vec<DomainFacts>, StoreError> {
    let texts: Vec<String> = match scope {
        Scope::Incident => on!(conn, |c| sqlx::query_scalar(ALL).bind(incident).fetch_all(c).await)?,
        Scope::Tenants(first, last) => {
            on!(conn, |c| sqlx::query_scalar(OF_TENANTS).bind(incident).bind(first).bind(last).fetch_all(c).await)?
        }
    };
    let read = |text: &String| {
        serde_json::from_str(text).map_err(|error| StoreError::Unknown { what: format!("fact_sheets.facts: {error}") })
    };
    texts.iter().map(read).collect()
}

/// What was known of the domains of these tenants before each change from a time on, as (domain, time of the change,
/// facts before it), by domain and time.
pub async fn before_changes(
    conn: &mut Conn,
    incident: i64,
    (first, last): (&str, &str),
    since: i64,
) -> Result<Vec<(String, i64, DomainFacts)>, StoreError> {
    let rows: Vec<(String, i64, String)> = on!(conn, |c| sqlx::query_as(BEFORE_CHANGES)
        .bind(incident)
        .bind(first)
        .bind(last)
        .bind(since)
        .fetch_all(c)
        .await)?;
    let read = |(domain, at, text): (String, i64, String)| {
        let facts = serde_json::from_str(&text)
            .map_err(|error| StoreError::Unknown { what: format!("fact_changes.before: {error}") })?;
        Ok((domain, at, facts))
    };
    rows.into_iter().map(read).collect()
}

/// Up to `limit` organisation domains after `after`, shared ones too.
pub async fn domains(conn: &mut Conn, incident: i64, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(DOMAINS).bind(incident).bind(after).bind(limit).fetch_all(c).await)?)
}

/// The affected tenants, and how many contacts of each can be told.
pub async fn affected_tenants(conn: &mut Conn, incident: i64) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(AFFECTED_TENANTS).bind(incident).fetch_all(c).await)?)
}

/// Raw references by verdict, and who is affected.
#[derive(Debug, Default)]
pub struct SheetTotals {
    /// By verdict: rows, rows with a missing field, with an invalid one, organisation domains, tenants.
    pub verdicts: Vec<(String, i64, i64, i64, i64, i64)>,
    /// JSON texts of rows by missing and by invalid field.
    pub by_field: Vec<String>,
    /// Affected tenants without anybody who can be told.
    pub tenants_without_contact: i64,
}

/// Sums over the sheets of an incident.
pub async fn totals(conn: &mut Conn, incident: i64) -> Result<SheetTotals, StoreError> {
    Ok(SheetTotals {
        verdicts: on!(conn, |c| sqlx::query_as(BY_VERDICT).bind(incident).fetch_all(c).await)?,
        by_field: on!(conn, |c| sqlx::query_scalar(BY_FIELD).bind(incident).fetch_all(c).await)?,
        tenants_without_contact: on!(conn, |c| sqlx::query_scalar(TENANTS_WITHOUT_CONTACT)
            .bind(incident)
            .fetch_one(c)
            .await)?,
    })
}
