//! Which webhooks know of which ladders, and whose receiver is gone.
//!
//! Decides nothing. Invariant: a webhook that was told of a ladder is in a row until it was told of its end.

use crate::{Conn, Dialect, StoreError, Tx};

statements! {
    KNOWS = "
        INSERT INTO webhook_alerts (webhook, escalation_id, alert)
        VALUES ($1, $2, $3)
        ON CONFLICT (webhook, escalation_id) DO NOTHING";
    ALERT_OF = "SELECT alert FROM webhook_alerts WHERE escalation_id = $1 ORDER BY webhook LIMIT 1";
    /// What knew of a ladder knows the one that takes its place by the same name.
    HAND_OVER = "
        INSERT INTO webhook_alerts (webhook, escalation_id, alert)
        SELECT a.webhook, $1, a.alert
        FROM webhook_alerts a
        WHERE a.escalation_id = $2 AND a.ended_at IS NULL";
    KNOWING = "SELECT webhook FROM webhook_alerts WHERE escalation_id = $1 AND ended_at IS NULL ORDER BY webhook";
    /// Ladders that have ended, and a webhook that was told of them was not told of that.
    ENDED = "
        SELECT e.id, e.incident_id, e.ticket_id, e.policy, e.ended_at
        FROM escalations e
        WHERE e.ended_at IS NOT NULL AND e.id IN (SELECT a.escalation_id FROM webhook_alerts a WHERE a.ended_at IS NULL)
        ORDER BY e.id
        LIMIT $1";
    LOCK_END_POSTGRES = "SELECT webhook FROM webhook_alerts WHERE escalation_id = $1 FOR UPDATE";
    TOLD_OF_END = "UPDATE webhook_alerts SET ended_at = $1 WHERE escalation_id = $2 AND ended_at IS NULL";
    GONE = "INSERT INTO webhooks_gone (webhook, since) VALUES ($1, $2) ON CONFLICT (webhook) DO NOTHING";
    IS_GONE = "SELECT since FROM webhooks_gone WHERE webhook = $1";
    BACK = "DELETE FROM webhooks_gone WHERE webhook = $1";
}

/// A ladder that has ended.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EndedLadder {
    /// `esc_…`.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// The ticket.
    pub ticket_id: String,
    /// Its name.
    pub policy: String,
    /// Microseconds since the epoch.
    pub ended_at: i64,
}

/// Notes that a webhook is told of a ladder, under which name.
pub async fn knows(tx: &mut Tx, webhook: &str, escalation: &str, alert: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(KNOWS).bind(webhook).bind(escalation).bind(alert).execute(c).await.map(drop))?;
    Ok(())
}

/// What webhooks know a ladder by, if any was told of it.
pub async fn alert_of(conn: &mut Conn, escalation: &str) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(ALERT_OF).bind(escalation).fetch_optional(c).await)?)
}

/// Another ladder takes the place of one: whoever was told of that is told of no end, and goes on with the new one.
pub async fn hand_over(tx: &mut Tx, from: &str, to: &str, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(HAND_OVER).bind(to).bind(from).execute(c).await.map(drop))?;
    told_of_end(tx, from, now).await
}

/// Webhooks that were told of a ladder and not of its end.
pub async fn knowing(conn: &mut Conn, escalation: &str) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(KNOWING).bind(escalation).fetch_all(c).await)?)
}

/// Ladders whose end somebody was not told of.
pub async fn ended(conn: &mut Conn, limit: i64) -> Result<Vec<EndedLadder>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ENDED).bind(limit).fetch_all(c).await)?)
}

/// Keeps others from telling of the same end meanwhile. On SQLite one transaction writes at a time.
pub async fn lock_end(tx: &mut Tx, escalation: &str) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Postgres {
        on!(tx, |c| sqlx::query(LOCK_END_POSTGRES).bind(escalation).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Notes that whoever knew of a ladder is told of its end.
pub async fn told_of_end(tx: &mut Tx, escalation: &str, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(TOLD_OF_END).bind(now).bind(escalation).execute(c).await.map(drop))?;
    Ok(())
}

/// Notes that a receiver is gone for good.
pub async fn gone(tx: &mut Tx, webhook: &str, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(GONE).bind(webhook).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Since when a receiver is gone.
pub async fn gone_since(conn: &mut Conn, webhook: &str) -> Result<Option<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(IS_GONE).bind(webhook).fetch_optional(c).await)?)
}

/// Notes that a receiver is there again.
pub async fn back(tx: &mut Tx, webhook: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(BACK).bind(webhook).execute(c).await.map(drop))?;
    Ok(())
}
