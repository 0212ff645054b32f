//! Stops of waves: what became of their mails, and the pause that a rule puts on them.
//!
//! Claims of mail and pauses by people are in `delivery`. Invariant: a stop is noted once, however many hosts judge at
//! the same moment, and a judgement over mails that a person has seen meanwhile changes nothing.

use model::stop::Counts;

use crate::{Conn, StoreError, Tx};

statements! {
    /// Waves that a rule could stop, with the trouble that they had.
    TROUBLED = "
        SELECT w.id, w.incident_id, i.slug, w.name, w.counted_from
        FROM waves w
        JOIN incidents i ON i.id = w.incident_id
        WHERE w.stopped_why IS NULL AND (
            EXISTS (SELECT 1 FROM outbox o
                WHERE o.wave_id = w.id AND o.state IN ('bounced', 'failed') AND o.settled_at >= w.counted_from)
            OR EXISTS (SELECT 1 FROM inbound m WHERE m.class = 'complaint' AND m.received_at >= w.counted_from)
            OR EXISTS (SELECT 1 FROM denials d WHERE d.incident_id = w.incident_id AND d.said_at >= w.counted_from)
            OR EXISTS (SELECT 1 FROM mapping_decisions d
                WHERE d.incident_id = w.incident_id AND d.decision = 'disputed' AND d.decided_at >= w.counted_from))
        ORDER BY w.id";
    CAME_BACK = "
        SELECT state, last_reply
        FROM outbox
        WHERE wave_id = $1 AND state IN ('bounced', 'failed') AND settled_at >= $2";
    COMPLAINTS = "
        SELECT COUNT(*)
        FROM inbound m
        JOIN outbox o ON o.id = m.outbox_id
        WHERE m.class = 'complaint' AND m.received_at >= $2 AND m.duplicate_of IS NULL AND o.wave_id = $1";
    NOT_THEIRS = "
        SELECT COUNT(*)
        FROM (
            SELECT d.tenant_id FROM denials d WHERE d.incident_id = $3 AND d.said_at >= $2
            UNION
            SELECT d.tenant_id FROM mapping_decisions d
            WHERE d.incident_id = $3 AND d.decision = 'disputed' AND d.decided_at >= $2
        ) AS said
        WHERE EXISTS (SELECT 1 FROM outbox o
            WHERE o.incident_id = $3 AND o.tenant_id = said.tenant_id AND o.wave_id = $1)";
    SETTLED = "
        SELECT COUNT(*)
        FROM (
            SELECT 1 AS settled
            FROM outbox
            WHERE wave_id = $1 AND state IN ('accepted', 'bounced', 'failed') AND settled_at >= $2
            LIMIT $3
        ) AS first";
    STOP = "
        UPDATE waves
        SET paused_at = COALESCE(paused_at, $1), stopped_why = $2
        WHERE id = $3 AND stopped_why IS NULL AND counted_from = $4";
    STOPPED = "
        SELECT w.incident_id, i.slug, w.name, w.paused_at, w.stopped_why
        FROM waves w
        JOIN incidents i ON i.id = w.incident_id
        WHERE w.stopped_why IS NOT NULL
        ORDER BY w.paused_at, w.id";
    /// The last that a rule may have counted: a rehearsal's clock can stand before it.
    LAST_COUNTED = "
        SELECT MAX(at)
        FROM (
            SELECT MAX(settled_at) AS at FROM outbox WHERE wave_id = $1
            UNION ALL
            SELECT MAX(received_at) FROM inbound WHERE class = 'complaint'
            UNION ALL
            SELECT MAX(said_at) FROM denials WHERE incident_id = $2
            UNION ALL
            SELECT MAX(decided_at) FROM mapping_decisions WHERE incident_id = $2 AND decision = 'disputed'
        ) AS counted";
    LEFT = "
        SELECT tenant_id, address, next_at
        FROM outbox
        WHERE wave_id = $1 AND state IN ('queued', 'leased', 'at_dot', 'deferred', 'uncertain')
        ORDER BY next_at, id";
    LATELY = "
        SELECT COUNT(*) AS mails, MIN(settled_at) AS first, MAX(settled_at) AS last
        FROM outbox
        WHERE wave_id = $1 AND state = 'accepted' AND settled_at >= $2";
    TOLD = "
        SELECT DISTINCT tenant_id
        FROM outbox
        WHERE incident_id = $1 AND tenant_id IS NOT NULL AND notice_id IS NOT NULL AND state = 'accepted'";
    UNCHECKED = "
        SELECT w.id, w.incident_id, i.slug, w.name, w.counted_from
        FROM waves w
        JOIN incidents i ON i.id = w.incident_id
        WHERE w.domain_checked = 0 AND w.stopped_why IS NULL
        ORDER BY w.id";
    CHECKED = "UPDATE waves SET domain_checked = 1 WHERE id = $1";
    /// Whoever lets it go on has seen what stopped it.
    RESUME = "
        UPDATE waves
        SET paused_at = NULL, stopped_why = NULL, counted_from = $1, domain_checked = 1
        WHERE id = $2 AND stopped_why IS NOT NULL";
}

/// A wave that had trouble, of whatever kind, or could have.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Troubled {
    /// `wav_…`.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// The incident's name.
    pub slug: String,
    /// The wave's.
    pub name: String,
    /// Since when its mails count, by the store's clock.
    pub counted_from: i64,
}

/// A wave that a rule stopped.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Stopped {
    /// The incident.
    pub incident_id: i64,
    /// The incident's name.
    pub slug: String,
    /// The wave's.
    pub name: String,
    /// Since when, microseconds.
    pub paused_at: i64,
    /// Which rule, with its figures.
    pub stopped_why: String,
}

/// A mail of a wave that is on its way.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Left {
    /// Whose.
    pub tenant_id: Option<String>,
    /// To which address.
    pub address: String,
    /// When it is due (real time).
    pub next_at: i64,
}

impl Left {
    /// Its receiving system, by the domain of its address.
    pub fn system(&self) -> &str {
        self.address.rsplit_once('@').map_or(self.address.as_str(), |(_, domain)| domain)
    }
}

/// What was accepted of a wave lately.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Lately {
    mails: i64,
    first: Option<i64>,
    last: Option<i64>,
}

impl Lately {
    /// Mails a second; none if they were fewer than `fewest`.
    pub fn rate(&self, fewest: i64) -> Option<f64> {
        let took = self.last? - self.first?;
        #[expect(clippy::cast_precision_loss, reason = "a minute in microseconds")]
        let rate = (self.mails - 1) as f64 * 1e6 / took as f64;
        (self.mails >= fewest && took > 0).then_some(rate)
    }
}

/// The mails of a wave that are on their way, in the order in which they leave.
pub async fn left(conn: &mut Conn, wave: &str) -> Result<Vec<Left>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LEFT).bind(wave).fetch_all(c).await)?)
}

/// What was accepted of a wave since (the store's clock).
pub async fn lately(conn: &mut Conn, wave: &str, since: i64) -> Result<Lately, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LATELY).bind(wave).bind(since).fetch_one(c).await)?)
}

/// The tenants that have a notice of an incident.
pub async fn told(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(TOLD).bind(incident).fetch_all(c).await)?)
}

/// Waves that a rule could stop.
pub async fn troubled(conn: &mut Conn) -> Result<Vec<Troubled>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(TROUBLED).fetch_all(c).await)?)
}

/// Waves whose mail does not leave the host before their sending domain was looked at again.
pub async fn unchecked(conn: &mut Conn) -> Result<Vec<Troubled>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(UNCHECKED).fetch_all(c).await)?)
}

/// The sending domain of a wave is in order by now.
pub async fn set_checked(tx: &mut Tx, wave: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(CHECKED).bind(wave).execute(c).await.map(drop))?;
    Ok(())
}

/// What became of a wave's mails; of the settled ones as many as `enough` says are counted.
pub async fn counts(
    conn: &mut Conn,
    wave: &Troubled,
    is_spam: impl Fn(&str) -> bool,
    enough: impl Fn(&Counts) -> i64,
) -> Result<Counts, StoreError> {
    let (id, since) = (&wave.id, wave.counted_from);
    let mut counts = Counts::default();
    let back: Vec<(String, String)> = on!(conn, |c| sqlx::query_as(CAME_BACK).bind(id).bind(since).fetch_all(c).await)?;
    for (state, reply) in back {
        match state.as_str() {
            "bounced" => {
                counts.bounced += 1;
                counts.spam += i64::from(is_spam(&reply));
            }
            _ => counts.failed += 1,
        }
    }
    counts.complaints = on!(conn, |c| sqlx::query_scalar(COMPLAINTS).bind(id).bind(since).fetch_one(c).await)?;
    counts.wrong_recipient =
        on!(conn, |c| sqlx::query_scalar(NOT_THEIRS).bind(id).bind(since).bind(wave.incident_id).fetch_one(c).await)?;
    let most = enough(&counts);
    counts.settled = on!(conn, |c| sqlx::query_scalar(SETTLED).bind(id).bind(since).bind(most).fetch_one(c).await)?;
    Ok(counts)
}

/// Stops a wave, unless that was done, or a person let it go on, since it was looked at. Whether it was this call.
pub async fn stop(tx: &mut Tx, wave: &Troubled, why: &str, now: i64) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(STOP)
        .bind(now)
        .bind(why)
        .bind(&wave.id)
        .bind(wave.counted_from)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// The waves that rules have stopped, of all incidents.
pub async fn stopped(conn: &mut Conn) -> Result<Vec<Stopped>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(STOPPED).fetch_all(c).await)?)
}

/// Lets a stopped wave go on; what happened so far counts no more.
pub async fn resume(tx: &mut Tx, incident: i64, wave: &str, now: i64) -> Result<(), StoreError> {
    let last: Option<i64> = on!(tx, |c| sqlx::query_scalar(LAST_COUNTED).bind(wave).bind(incident).fetch_one(c).await)?;
    let from = last.map_or(now, |last| now.max(last + 1));
    on!(tx, |c| sqlx::query(RESUME).bind(from).bind(wave).execute(c).await.map(drop))?;
    Ok(())
}
