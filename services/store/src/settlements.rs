//! Mails of which nobody knows whether they arrived, and what settles them: a person, or the log of a relay.
//!
//! Reports and replies settle through `delivery`. Invariant: only a mail that is uncertain at that moment is settled, and
//! who said so and why is kept beside the try.

use crate::{Conn, StoreError, Tx};

statements! {
    UNCERTAIN = "
        SELECT o.id, i.slug, o.notice_id, o.tenant_id, o.address, o.message_id, o.attempts, o.next_at, o.last_reply,
            a.started_at, a.ended_at, COALESCE(a.route, '') AS route, o.cause,
            (SELECT COUNT(*) FROM attempts t WHERE t.outbox_id = o.id AND t.outcome = 'accepted') AS taken
        FROM outbox o
        JOIN incidents i ON i.id = o.incident_id
        LEFT JOIN attempts a ON a.outbox_id = o.id AND a.attempt = o.attempts
        WHERE o.state = 'uncertain' AND o.incident_id = $1
        ORDER BY o.id";
    ALL_UNCERTAIN = "
        SELECT o.id, i.slug, o.notice_id, o.tenant_id, o.address, o.message_id, o.attempts, o.next_at, o.last_reply,
            a.started_at, a.ended_at, COALESCE(a.route, '') AS route, o.cause,
            (SELECT COUNT(*) FROM attempts t WHERE t.outbox_id = o.id AND t.outcome = 'accepted') AS taken
        FROM outbox o
        JOIN incidents i ON i.id = o.incident_id
        LEFT JOIN attempts a ON a.outbox_id = o.id AND a.attempt = o.attempts
        WHERE o.state = 'uncertain'
        ORDER BY o.id";
    STATE = "
        SELECT o.state, o.attempts, i.slug
        FROM outbox o
        JOIN incidents i ON i.id = o.incident_id
        WHERE o.id = $1";
    SETTLE = "
        UPDATE outbox
        SET state = $1, settled_at = $2, next_at = $3, last_reply = $4, lease = NULL
        WHERE id = $5 AND state = 'uncertain' AND attempts = $6";
    INSERT = "
        INSERT INTO settlements (outbox_id, attempt, said, settled_by, settled_at, why)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (outbox_id, attempt) DO NOTHING";
    HELD = "
        SELECT i.slug, COUNT(*)
        FROM outbox o
        JOIN incidents i ON i.id = o.incident_id
        WHERE o.state = 'uncertain' AND o.next_at = $1
        GROUP BY i.slug
        ORDER BY i.slug";
}

/// A mail that is uncertain, with its last try.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Uncertain {
    /// Its id.
    pub id: String,
    /// The incident's name.
    pub slug: String,
    /// The notice, if it is one.
    pub notice_id: Option<String>,
    /// Whose.
    pub tenant_id: Option<String>,
    /// To which address.
    pub address: String,
    /// Without angle brackets.
    pub message_id: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it goes again (real time); the greatest = not by itself.
    pub next_at: i64,
    /// What the other side said last, or what failed.
    pub last_reply: String,
    /// When the last try began, by the store's clock.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// By which way out, or empty.
    pub route: String,
    /// `wave`, `agent` or `policy`.
    pub cause: String,
    /// Tries of before that were accepted, and came back.
    pub taken: i64,
}

/// What is said of an uncertain mail.
#[derive(Debug, Clone)]
pub struct Settlement<'a> {
    /// The mail.
    pub id: &'a str,
    /// Its last try.
    pub attempt: i64,
    /// `accepted`, `not_accepted`, `bounced`.
    pub said: &'a str,
    /// The state that follows.
    pub state: &'a str,
    /// In a settled state, by the store's clock.
    pub settled_at: Option<i64>,
    /// When it goes again, otherwise (real time).
    pub next_at: i64,
    /// Who says so.
    pub by: &'a str,
    /// A reason, or the line of the log.
    pub why: &'a str,
    /// As lists show it.
    pub reply: &'a str,
    /// By the store's clock, microseconds.
    pub now: i64,
}

/// The uncertain mails of an incident, or of all.
pub async fn uncertain(conn: &mut Conn, incident: Option<i64>) -> Result<Vec<Uncertain>, StoreError> {
    Ok(match incident {
        Some(incident) => on!(conn, |c| sqlx::query_as(UNCERTAIN).bind(incident).fetch_all(c).await)?,
        None => on!(conn, |c| sqlx::query_as(ALL_UNCERTAIN).fetch_all(c).await)?,
    })
}

/// The state of a mail, its tries so far and its incident's name.
pub async fn state(conn: &mut Conn, id: &str) -> Result<Option<(String, i64, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(STATE).bind(id).fetch_optional(c).await)?)
}

/// Settles a mail, if it is uncertain since that try. Whether it was.
pub async fn settle(tx: &mut Tx, said: &Settlement<'_>) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(SETTLE)
        .bind(said.state)
        .bind(said.settled_at)
        .bind(said.next_at)
        .bind(said.reply)
        .bind(said.id)
        .bind(said.attempt)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    if hit == 0 {
        return Ok(false);
    }
    on!(tx, |c| sqlx::query(INSERT)
        .bind(said.id)
        .bind(said.attempt)
        .bind(said.said)
        .bind(said.by)
        .bind(said.now)
        .bind(said.why)
        .execute(c)
        .await
        .map(drop))?;
    Ok(true)
}

/// How many mails of each incident go again only if somebody settles them.
pub async fn held(conn: &mut Conn) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(HELD).bind(i64::MAX).fetch_all(c).await)?)
}
