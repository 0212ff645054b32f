//! The policies of an incident in their versions, and the ladders that run under them.
//!
//! Reads no policy. Invariant: a version is only added, by triggers, and the incident has what its newest one says.

use super::{Escalation, ladder};
use crate::notices::one;
use crate::{Conn, StoreError, Tx};

statements! {
    INSERT = "
        INSERT INTO policy_versions (incident_id, version, policies, running, why, set_by, set_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    VERSIONS = "
        SELECT version, policies, running, why, set_by, set_at
        FROM policy_versions
        WHERE incident_id = $1
        ORDER BY version";
    /// Only while they are what was read, so that of two writers none undoes the other.
    SET = "UPDATE incidents SET policies = $1 WHERE id = $2 AND policies = $3";
    RUNNING = ladder!("WHERE incident_id = $1 AND ended_at IS NULL ORDER BY id");
    END = "UPDATE escalations SET ended_at = $1, ended_why = $2 WHERE id = $3 AND ended_at IS NULL";
    /// Reviews of withholdings have no row: when they are next climbed is found out anew.
    CLIMB_REVIEWS_ANEW = "UPDATE withholdings SET climb_at = 0 WHERE incident_id = $1 AND approved_at IS NOT NULL AND ended_at IS NULL";
}

/// The policies of an incident, as they were from a time on.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Version {
    /// From 1.
    pub version: i64,
    /// JSON of all of them.
    pub policies: String,
    /// What became of ladders that ran: `keep`, `restart` or `move`; `opened` for the first.
    pub running: String,
    /// The reason given.
    pub why: String,
    /// Who.
    pub set_by: String,
    /// Microseconds since the epoch.
    pub set_at: i64,
}

/// Adds a version.
pub async fn insert(tx: &mut Tx, incident: i64, version: &Version) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(incident)
        .bind(version.version)
        .bind(&version.policies)
        .bind(&version.running)
        .bind(&version.why)
        .bind(&version.set_by)
        .bind(version.set_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// All versions that were written down; none: the incident has what it was opened with.
pub async fn versions(conn: &mut Conn, incident: i64) -> Result<Vec<Version>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(VERSIONS).bind(incident).fetch_all(c).await)?)
}

/// Gives an incident other policies, while it has those that were read.
pub async fn set(tx: &mut Tx, incident: i64, before: &str, after: &str) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(SET)
        .bind(after)
        .bind(incident)
        .bind(before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    one(hit, || "the policies of the incident".to_owned())?;
    on!(tx, |c| sqlx::query(CLIMB_REVIEWS_ANEW).bind(incident).execute(c).await.map(drop))?;
    Ok(())
}

/// The ladders of an incident that have not ended.
pub async fn running(conn: &mut Conn, incident: i64) -> Result<Vec<Escalation>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(RUNNING).bind(incident).fetch_all(c).await)?)
}

/// Ends a ladder for a reason of its own.
pub async fn end(tx: &mut Tx, ladder: &str, now: i64, why: &str) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(END)
        .bind(now)
        .bind(why)
        .bind(ladder)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    one(hit, || format!("the ladder {ladder}"))
}
