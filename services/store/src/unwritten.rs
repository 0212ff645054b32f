//! Organisations that are affected and have no letter, and those whose letter could not be written.
//!
//! Writes no letter. Invariant: what drafting could not write is noted until it can.

use crate::{Conn, StoreError, Tx};

/// Affected organisations with somebody who can be told, whom nobody withholds everything from, and who have no letter
/// or were left out when drafting was last done; alias `s` is the fact sheet, `u` the note.
macro_rules! without_letter {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            "
        FROM (SELECT DISTINCT tenant_id FROM fact_sheets WHERE incident_id = $1 AND verdict = 'mapped') s
        LEFT JOIN unwritten_notices u ON u.incident_id = $1 AND u.tenant_id = s.tenant_id
        WHERE (u.tenant_id IS NOT NULL OR NOT EXISTS (
                SELECT 1 FROM notices n WHERE n.incident_id = $1 AND n.tenant_id = s.tenant_id AND n.state <> 'withdrawn'))
            AND NOT EXISTS (
                SELECT 1 FROM withholdings w
                WHERE w.incident_id = $1 AND w.fact = 'notice' AND w.approved_at IS NOT NULL AND w.ended_at IS NULL
                    AND (w.tenant_id IS NULL OR w.tenant_id = s.tenant_id))
            AND EXISTS (
                SELECT 1 FROM contacts c
                WHERE c.tenant_id = s.tenant_id AND c.disabled_at IS NULL AND c.left_at IS NULL AND c.merged_into IS NULL
                    AND c.role <> 'account-manager')",
            $tail
        )
    };
}

statements! {
    IN_RANGE = "
        SELECT tenant_id, why, next_step
        FROM unwritten_notices
        WHERE incident_id = $1 AND tenant_id >= $2 AND tenant_id <= $3
        ORDER BY tenant_id";
    NOTE = "
        INSERT INTO unwritten_notices (incident_id, tenant_id, why, next_step, noted_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (incident_id, tenant_id) DO UPDATE
        SET why = excluded.why, next_step = excluded.next_step, noted_at = excluded.noted_at";
    FORGET = "DELETE FROM unwritten_notices WHERE incident_id = $1 AND tenant_id = $2";
    WITHOUT_LETTER = without_letter!(
        "SELECT s.tenant_id, COALESCE(u.why, '') AS why, COALESCE(u.next_step, '') AS next_step",
        " ORDER BY s.tenant_id LIMIT $2"
    );
    COUNT_WITHOUT_LETTER = without_letter!("SELECT COUNT(*)", "");
    /// Tenants that have a notice which was not withdrawn, and of which nothing is affected any more.
    NO_LONGER_AFFECTED = "
        SELECT DISTINCT n.tenant_id
        FROM notices n
        WHERE n.incident_id = $1 AND n.state <> 'withdrawn' AND NOT EXISTS (
            SELECT 1 FROM fact_sheets s
            WHERE s.incident_id = $1 AND s.tenant_id = n.tenant_id AND s.verdict = 'mapped')
        ORDER BY n.tenant_id";
    IN_CONFLICT = "
        SELECT COUNT(*)
        FROM fact_sheets
        WHERE incident_id = $1 AND organisation_domain = $2 AND verdict = 'conflict'";
}

/// An organisation without a letter, or with one that is old.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct Unwritten {
    /// The organisation.
    pub tenant_id: String,
    /// Why its notice could not be written; empty: nobody drafted one.
    pub why: String,
    /// What to do about it; empty likewise.
    pub next_step: String,
}

/// Those that could not be written, of the tenants from `first` to `last`.
pub async fn in_range(conn: &mut Conn, incident: i64, first: &str, last: &str) -> Result<Vec<Unwritten>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(IN_RANGE).bind(incident).bind(first).bind(last).fetch_all(c).await)?)
}

/// Notes one that cannot be written.
pub async fn note(tx: &mut Tx, incident: i64, now: i64, one: &Unwritten) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(NOTE)
        .bind(incident)
        .bind(&one.tenant_id)
        .bind(&one.why)
        .bind(&one.next_step)
        .bind(now)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Takes a note away: its notice was written, or is not needed.
pub async fn forget(tx: &mut Tx, incident: i64, tenant: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(FORGET).bind(incident).bind(tenant).execute(c).await.map(drop))?;
    Ok(())
}

/// Up to `limit` affected organisations without a letter, or with one that is old.
pub async fn without_letter(conn: &mut Conn, incident: i64, limit: i64) -> Result<Vec<Unwritten>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(WITHOUT_LETTER).bind(incident).bind(limit).fetch_all(c).await)?)
}

/// How many there are.
pub async fn count_without_letter(conn: &mut Conn, incident: i64) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(COUNT_WITHOUT_LETTER).bind(incident).fetch_one(c).await)?)
}

/// Tenants that have a notice which was not withdrawn, and of which nothing is affected any more.
pub async fn no_longer_affected(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(NO_LONGER_AFFECTED).bind(incident).fetch_all(c).await)?)
}

/// Whether it is not decided whose a domain is.
pub async fn is_in_conflict(conn: &mut Conn, incident: i64, domain: &str) -> Result<bool, StoreError> {
    let count: i64 = on!(conn, |c| sqlx::query_scalar(IN_CONFLICT).bind(incident).bind(domain).fetch_one(c).await)?;
    Ok(count > 0)
}
