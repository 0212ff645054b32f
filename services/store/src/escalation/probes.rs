//! Tests of targets: who was written to before anything happened, and who said that it came.
//!
//! Sends nothing. Invariant: a test is acknowledged once, by the first who says so.

use crate::{Conn, StoreError, Tx};

statements! {
    INSERT = "
        INSERT INTO target_tests (id, incident_id, target, result, mail_id, sent_by, sent_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LIST = "
        SELECT t.id, t.target, t.result, t.mail_id, t.sent_by, t.sent_at, t.acknowledged_by, t.acknowledged_at,
            o.settled_at AS accepted_at
        FROM target_tests t
        LEFT JOIN outbox o ON o.id = t.mail_id AND o.state = 'accepted'
        WHERE t.incident_id = $1
        ORDER BY t.sent_at, t.id";
    BY_ID = "SELECT acknowledged_at FROM target_tests WHERE id = $1";
    ACKNOWLEDGE = "
        UPDATE target_tests
        SET acknowledged_at = $1, acknowledged_by = $2
        WHERE id = $3 AND acknowledged_at IS NULL";
}

/// A test of a target.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Probe {
    /// `tst_…`.
    pub id: String,
    /// As in `model::escalation::Target`.
    pub target: String,
    /// What became of it, in words.
    pub result: String,
    /// The first mail of it; none: no mail could be sent.
    pub mail_id: Option<String>,
    /// Who tested.
    pub sent_by: String,
    /// Microseconds since the epoch.
    pub sent_at: i64,
    /// Who said that it came.
    pub acknowledged_by: Option<String>,
    /// Microseconds since the epoch.
    pub acknowledged_at: Option<i64>,
    /// When the first mail of it was accepted.
    pub accepted_at: Option<i64>,
}

/// Adds a test.
pub async fn insert(tx: &mut Tx, incident: i64, probe: &Probe) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&probe.id)
        .bind(incident)
        .bind(&probe.target)
        .bind(&probe.result)
        .bind(&probe.mail_id)
        .bind(&probe.sent_by)
        .bind(probe.sent_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// The tests of an incident, the oldest first.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<Probe>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// Says that a test came; how many that changed. None: there is no such test.
pub async fn acknowledge(tx: &mut Tx, id: &str, actor: &str, now: i64) -> Result<Option<u64>, StoreError> {
    let there: Option<Option<i64>> = on!(tx, |c| sqlx::query_scalar(BY_ID).bind(id).fetch_optional(c).await)?;
    if there.is_none() {
        return Ok(None);
    }
    let hit = on!(tx, |c| sqlx::query(ACKNOWLEDGE)
        .bind(now)
        .bind(actor)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(Some(hit))
}
