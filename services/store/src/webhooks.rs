//! Calls of webhooks and their tries.
//!
//! Decides nothing and calls nobody. Invariant: an event is told to a webhook once, by a unique key, with the body that it
//! had when it happened; what is recorded about a call comes from whoever holds its lease.

mod alerts;

pub(crate) use alerts::STATEMENTS as ALERTS;
pub use alerts::{
    EndedLadder, alert_of, back, ended, gone, gone_since, hand_over, knowing, knows, lock_end, told_of_end,
};

use crate::{Conn, Dialect, StoreError, Tx};

/// Columns of a [`Call`].
macro_rules! calls {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.webhook, c.event, c.alert, c.incident_id, c.ticket_id, c.preset, c.body, c.state, c.attempts, c.next_at,
                c.created_at, c.settled_at, c.last_reply
            FROM webhook_calls c ",
            $rest
        )
    };
}

/// What is told about one alert is told in its order: nothing is resolved before it was opened.
macro_rules! first_in_line {
    () => {
        "NOT EXISTS (
            SELECT 1 FROM webhook_calls e
            WHERE e.webhook = c.webhook AND e.alert = c.alert AND e.id < c.id AND e.state IN ('queued', 'leased', 'deferred'))"
    };
}

/// Takes what is due of one webhook under a lease; on PostgreSQL what another worker is about to take is skipped.
macro_rules! claim {
    ($skip:literal) => {
        concat!(
            "UPDATE webhook_calls
            SET state = 'leased', lease = $1, leased_until = $2
            WHERE id IN (
                SELECT c.id FROM webhook_calls c
                WHERE c.state IN ('queued', 'deferred') AND c.webhook = $3 AND c.next_at <= $4 AND ",
            first_in_line!(),
            "
                ORDER BY c.next_at, c.id
                LIMIT $5",
            $skip,
            ")
            RETURNING id, webhook, event, alert, incident_id, ticket_id, preset, body, state, attempts, next_at, created_at, settled_at, last_reply"
        )
    };
}

statements! {
    INSERT = "
        INSERT INTO webhook_calls (id, webhook, event, alert, cause, incident_id, ticket_id, preset, body, state, attempts, next_at, created_at, last_reply)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', 0, $10, $11, '')
        ON CONFLICT (webhook, event, cause) DO NOTHING";
    DUE = concat!(
        "SELECT DISTINCT c.webhook
        FROM webhook_calls c
        WHERE c.state IN ('queued', 'deferred') AND c.next_at <= $1 AND ",
        first_in_line!(),
        " ORDER BY c.webhook"
    );
    /// A further event brings forward what waits before it: the receiver may be back.
    HURRY = "
        UPDATE webhook_calls
        SET next_at = $1
        WHERE webhook = $2 AND alert = $3 AND state = 'deferred' AND next_at > $1";
    CLAIM_SQLITE = claim!("");
    CLAIM_POSTGRES = claim!(" FOR UPDATE SKIP LOCKED");
    TAKE = "
        UPDATE webhook_calls
        SET state = 'leased', lease = $1, leased_until = $2
        WHERE id = $3 AND state IN ('queued', 'deferred')";
    LEASED = "SELECT COUNT(*) FROM webhook_calls WHERE state = 'leased'";
    /// A caller that is gone: nobody knows whether the receiver has it, and the same id tells it that it has.
    RECLAIM = "
        UPDATE webhook_calls
        SET state = 'deferred', lease = NULL, leased_until = NULL, last_reply = 'the caller lost track of it'
        WHERE state = 'leased' AND leased_until <= $1";
    SETTLE = "
        UPDATE webhook_calls
        SET state = $1, attempts = attempts + 1, next_at = $2, settled_at = $3, last_reply = $4, lease = NULL, leased_until = NULL
        WHERE id = $5 AND lease = $6";
    INSERT_ATTEMPT = "
        INSERT INTO webhook_attempts (call_id, attempt, started_at, ended_at, status, reply)
        SELECT id, attempts, $1, $2, $3, $4
        FROM webhook_calls
        WHERE id = $5";
    RETRY = "
        UPDATE webhook_calls
        SET state = 'queued', next_at = $1, settled_at = NULL
        WHERE id = $2 AND state IN ('deferred', 'failed')";
    BY_ID = calls!("WHERE c.id = $1");
    /// The firing that a call is the only word of.
    ONLY_WORD = "
        SELECT f.id
        FROM webhook_calls c
        JOIN firings f ON f.id = c.cause AND f.target = 'webhook:' || c.webhook
        WHERE c.id = $1";
    LIST = calls!("WHERE c.id > $1 ORDER BY c.id LIMIT $2");
    ATTEMPTS = "SELECT attempt, started_at, ended_at, status, reply FROM webhook_attempts WHERE call_id = $1 ORDER BY attempt";
    /// How each webhook is, for whoever looks after it.
    STANDING = "
        SELECT c.webhook,
            COUNT(*) FILTER (WHERE c.state = 'deferred' AND c.attempts > 0) AS deferred,
            COUNT(*) FILTER (WHERE c.state = 'failed' AND c.settled_at > $1) AS failed,
            MAX(c.last_reply) AS said
        FROM webhook_calls c
        WHERE c.incident_id IS NOT NULL AND (c.state = 'deferred' OR (c.state = 'failed' AND c.settled_at > $1))
        GROUP BY c.webhook
        ORDER BY c.webhook";
}

/// A call that is to be made.
#[derive(Debug)]
pub struct NewCall<'a> {
    /// `whm_…`.
    pub id: String,
    /// Its name in the configuration.
    pub webhook: &'a str,
    /// A name of `model::webhooks::EventKind`.
    pub event: &'a str,
    /// The ladder, or what else the event is about.
    pub alert: &'a str,
    /// What happened; the same is told once.
    pub cause: &'a str,
    /// None = a test.
    pub incident: Option<i64>,
    /// The ticket.
    pub ticket: Option<&'a str>,
    /// A name of `model::webhooks::Preset`.
    pub preset: &'a str,
    /// What is sent.
    pub body: String,
    /// By the real clock.
    pub next_at: i64,
    /// By the store's clock.
    pub created_at: i64,
}

/// A call.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Call {
    /// `whm_…`.
    pub id: String,
    /// Its name in the configuration.
    pub webhook: String,
    /// A name of `model::webhooks::EventKind`.
    pub event: String,
    /// The ladder, or what else the event is about.
    pub alert: String,
    /// None = a test.
    pub incident_id: Option<i64>,
    /// The ticket.
    pub ticket_id: Option<String>,
    /// A name of `model::webhooks::Preset`.
    pub preset: String,
    /// What is sent, without what is secret.
    pub body: String,
    /// `queued`, `leased`, `accepted`, `deferred`, `failed`.
    pub state: String,
    /// Tries that ended.
    pub attempts: i64,
    /// When it is due, in microseconds of real time.
    pub next_at: i64,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub settled_at: Option<i64>,
    /// What was answered last.
    pub last_reply: String,
}

/// A try of a call.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Attempt {
    /// From 1.
    pub attempt: i64,
    /// Microseconds of real time.
    pub started_at: i64,
    /// Microseconds of real time.
    pub ended_at: i64,
    /// None = no answer.
    pub status: Option<i64>,
    /// The beginning of the answer, or why there is none.
    pub reply: String,
}

/// How a webhook is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Standing {
    /// Its name.
    pub webhook: String,
    /// Calls that were not taken yet.
    pub deferred: i64,
    /// Calls that were given up lately.
    pub failed: i64,
    /// One of the answers.
    pub said: String,
}

/// How a try ended.
#[derive(Debug)]
pub struct Settled<'a> {
    /// The call.
    pub id: &'a str,
    /// Who made it.
    pub lease: &'a str,
    /// `accepted`, `deferred`, `failed`.
    pub state: &'static str,
    /// When it is due again, in microseconds of real time.
    pub next_at: i64,
    /// Microseconds of the store's clock, where it is over.
    pub settled_at: Option<i64>,
    /// When the try began, in microseconds of real time.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: i64,
    /// None = no answer.
    pub status: Option<i64>,
    /// The beginning of the answer, or why there is none.
    pub reply: &'a str,
}

/// The firing whose rung names only the webhook of a call, where it is one.
pub async fn only_word_of(conn: &mut Conn, call: &str) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(ONLY_WORD).bind(call).fetch_optional(c).await)?)
}

/// Adds a call, once for each webhook, event and cause. `false`: it is there already.
pub async fn insert(tx: &mut Tx, call: &NewCall<'_>) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(INSERT)
        .bind(&call.id)
        .bind(call.webhook)
        .bind(call.event)
        .bind(call.alert)
        .bind(call.cause)
        .bind(call.incident)
        .bind(call.ticket)
        .bind(call.preset)
        .bind(&call.body)
        .bind(call.next_at)
        .bind(call.created_at)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// Makes due what waits for its next try about an alert.
pub async fn hurry(tx: &mut Tx, webhook: &str, alert: &str, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(HURRY).bind(now).bind(webhook).bind(alert).execute(c).await.map(drop))?;
    Ok(())
}

/// Webhooks that have a call due.
pub async fn due(conn: &mut Conn, now: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(DUE).bind(now).fetch_all(c).await)?)
}

/// Who takes calls, and until when they are theirs.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// A name that nobody else has.
    pub holder: &'a str,
    /// Microseconds of real time.
    pub now: i64,
    /// Microseconds of real time.
    pub until: i64,
}

/// Takes calls of one webhook that are due, the oldest first.
pub async fn claim(tx: &mut Tx, webhook: &str, lease: Lease<'_>, limit: i64) -> Result<Vec<Call>, StoreError> {
    let text = match tx.dialect() {
        Dialect::Sqlite => CLAIM_SQLITE,
        Dialect::Postgres => CLAIM_POSTGRES,
    };
    Ok(on!(tx, |c| sqlx::query_as(text)
        .bind(lease.holder)
        .bind(lease.until)
        .bind(webhook)
        .bind(lease.now)
        .bind(limit)
        .fetch_all(c)
        .await)?)
}

/// Takes one call.
pub async fn take(tx: &mut Tx, id: &str, lease: Lease<'_>) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(TAKE)
        .bind(lease.holder)
        .bind(lease.until)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || format!("call {id}"))
}

/// Calls that somebody makes right now.
pub async fn leased(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(LEASED).fetch_one(c).await)?)
}

/// Puts back what callers hold that are gone; how many.
pub async fn reclaim(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(RECLAIM).bind(now).execute(c).await.map(|done| done.rows_affected()))?)
}

/// Records how a try ended. `false`: the lease was lost meanwhile, and nothing is recorded.
pub async fn settle(tx: &mut Tx, settled: &Settled<'_>) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(SETTLE)
        .bind(settled.state)
        .bind(settled.next_at)
        .bind(settled.settled_at)
        .bind(settled.reply)
        .bind(settled.id)
        .bind(settled.lease)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    if hit == 0 {
        return Ok(false);
    }
    on!(tx, |c| sqlx::query(INSERT_ATTEMPT)
        .bind(settled.started_at)
        .bind(settled.ended_at)
        .bind(settled.status)
        .bind(settled.reply)
        .bind(settled.id)
        .execute(c)
        .await
        .map(drop))?;
    Ok(true)
}

/// Makes a call due that was not taken. `false`: it was, or somebody makes it.
pub async fn retry(tx: &mut Tx, id: &str, now: i64) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(RETRY).bind(now).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// One call.
pub async fn by_id(conn: &mut Conn, id: &str) -> Result<Option<Call>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_ID).bind(id).fetch_optional(c).await)?)
}

/// Calls in the order in which they came to be, after one.
pub async fn list(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<Call>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(after).bind(limit).fetch_all(c).await)?)
}

/// The tries of a call.
pub async fn attempts(conn: &mut Conn, id: &str) -> Result<Vec<Attempt>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ATTEMPTS).bind(id).fetch_all(c).await)?)
}

/// Webhooks with calls that were not taken, or given up after `since`.
pub async fn standing(conn: &mut Conn, since: i64) -> Result<Vec<Standing>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(STANDING).bind(since).fetch_all(c).await)?)
}
