//! What people did to ladders: that they take care, that it is climbed from a rung on, that it is measured anew.
//!
//! Computes no times. Invariant: a deed is only added, never changed and never taken away, by triggers.

use crate::rows::fetch_in;
use crate::{Conn, StoreError, Tx};

statements! {
    INSERT = "
        INSERT INTO escalation_events (id, escalation_id, at, kind, rung, repeat, actor, why)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    AMONG = "
        SELECT id, escalation_id, at, kind, rung, repeat, actor, why
        FROM escalation_events
        WHERE escalation_id IN ('values')
        ORDER BY escalation_id, at, id";
    OF_INCIDENT = "
        SELECT v.id, v.escalation_id, v.at, v.kind, v.rung, v.repeat, v.actor, v.why
        FROM escalation_events v
        JOIN escalations e ON e.id = v.escalation_id
        WHERE e.incident_id = $1
        ORDER BY v.escalation_id, v.at, v.id";
}

/// What somebody did to a ladder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct Event {
    /// `esv_…`.
    pub id: String,
    /// The ladder.
    pub escalation_id: String,
    /// Microseconds since the epoch.
    pub at: i64,
    /// `acknowledge`, `jump`, `restart`.
    pub kind: String,
    /// From 1; 0 where it is about no rung.
    pub rung: i64,
    /// From 0.
    pub repeat: i64,
    /// Who.
    pub actor: String,
    /// The reason given; empty for an acknowledgement.
    pub why: String,
}

/// Adds a deed.
pub async fn insert(tx: &mut Tx, event: &Event) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&event.id)
        .bind(&event.escalation_id)
        .bind(event.at)
        .bind(&event.kind)
        .bind(event.rung)
        .bind(event.repeat)
        .bind(&event.actor)
        .bind(&event.why)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// What was done to some ladders, the oldest first.
pub async fn among(conn: &mut Conn, ladders: &[String]) -> Result<Vec<Event>, StoreError> {
    fetch_in(conn, AMONG, ladders).await
}

/// What was done to the ladders of an incident.
pub async fn of_incident(conn: &mut Conn, incident: i64) -> Result<Vec<Event>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(OF_INCIDENT).bind(incident).fetch_all(c).await)?)
}
