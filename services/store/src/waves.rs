//! Stops of waves: what became of their mails, and the pause that a rule puts on them.
//!
//! Claims of mail are in `delivery`, pauses by people in `released`. Invariant: a stop is noted once, however many hosts judge at
//! the same moment, and a judgement over mails that a person has seen meanwhile changes nothing.

pub mod released;

use model::stop::{Counts, Size};

use crate::{Conn, StoreError, Tx};

pub use released::{Wave, go_on, hold_stopped, insert, list, of_notice, pause, paused};

/// Rows of the outbox that obey the wave $1, of these columns: its own, and those to further contacts. Two halves, so
/// that each is found by its index.
macro_rules! of_wave {
    ($columns:literal, $more:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM outbox WHERE wave_id = $1",
            $more,
            " UNION ALL SELECT ",
            $columns,
            " FROM outbox WHERE under_wave = $1",
            $more
        )
    };
}

statements! {
    /// Waves that a rule could stop, with the trouble that they had.
    TROUBLED = "
        SELECT w.id, w.incident_id, i.slug, w.name, w.is_pilot, w.counted_from
        FROM waves w
        JOIN incidents i ON i.id = w.incident_id
        WHERE w.stopped_why IS NULL AND (
            EXISTS (SELECT 1 FROM outbox o
                WHERE o.wave_id = w.id AND o.state IN ('bounced', 'failed') AND o.settled_at >= w.counted_from)
            OR EXISTS (SELECT 1 FROM outbox o
                WHERE o.under_wave = w.id AND o.state IN ('bounced', 'failed') AND o.settled_at >= w.counted_from)
            OR EXISTS (SELECT 1 FROM outbox o WHERE o.wave_id = w.id AND o.state = 'deferred' AND o.attempts > 1)
            OR EXISTS (SELECT 1 FROM outbox o WHERE o.under_wave = w.id AND o.state = 'deferred' AND o.attempts > 1)
            OR EXISTS (SELECT 1 FROM inbound m WHERE m.complains = 1 AND m.received_at >= w.counted_from)
            OR EXISTS (SELECT 1 FROM denials d WHERE d.incident_id = w.incident_id AND d.said_at >= w.counted_from)
            OR EXISTS (SELECT 1 FROM mapping_decisions d
                WHERE d.incident_id = w.incident_id AND d.decision = 'disputed' AND d.decided_at >= w.counted_from))
        ORDER BY w.id";
    CAME_BACK = of_wave!("state, last_reply", " AND state IN ('bounced', 'failed') AND settled_at >= $2");
    /// What was refused for now, and was so before: the last reply to each. Since a person let the wave go on.
    PUT_OFF = concat!("
        SELECT o.last_reply
        FROM (", of_wave!("id, attempts, last_reply", " AND state = 'deferred' AND attempts > 1"), ") AS o
        WHERE EXISTS (SELECT 1 FROM attempts a
            WHERE a.outbox_id = o.id AND a.attempt = o.attempts AND a.ended_at >= $2)");
    /// Organisations that complained: whoever has the token of one can write as many complaints as there are contacts.
    COMPLAINTS = "
        SELECT COUNT(DISTINCT COALESCE(o.tenant_id, o.id))
        FROM inbound m
        JOIN outbox o ON o.id = m.outbox_id
        WHERE m.complains = 1 AND m.received_at >= $2 AND m.duplicate_of IS NULL AND (o.wave_id = $1 OR o.under_wave = $1)";
    NOT_THEIRS = "
        SELECT COUNT(*)
        FROM (
            SELECT d.tenant_id FROM denials d WHERE d.incident_id = $3 AND d.said_at >= $2
            UNION
            SELECT d.tenant_id FROM mapping_decisions d
            WHERE d.incident_id = $3 AND d.decision = 'disputed' AND d.decided_at >= $2
        ) AS said
        WHERE EXISTS (SELECT 1 FROM outbox o
            WHERE o.incident_id = $3 AND o.tenant_id = said.tenant_id AND (o.wave_id = $1 OR o.under_wave = $1))";
    SETTLED = concat!("
        SELECT COUNT(*)
        FROM (", of_wave!("1 AS settled", " AND state IN ('accepted', 'bounced', 'failed') AND settled_at >= $2"), "
            LIMIT $3) AS first");
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
            SELECT MAX(settled_at) FROM outbox WHERE under_wave = $1
            UNION ALL
            SELECT MAX(a.ended_at) FROM outbox o JOIN attempts a ON a.outbox_id = o.id AND a.attempt = o.attempts
            WHERE (o.wave_id = $1 OR o.under_wave = $1) AND o.state = 'deferred' AND o.attempts > 1
            UNION ALL
            SELECT MAX(received_at) FROM inbound WHERE complains = 1
            UNION ALL
            SELECT MAX(said_at) FROM denials WHERE incident_id = $2
            UNION ALL
            SELECT MAX(decided_at) FROM mapping_decisions WHERE incident_id = $2 AND decision = 'disputed'
        ) AS counted";
    LEFT = concat!("
        SELECT tenant_id, address, next_at, state
        FROM (", of_wave!("id, tenant_id, address, next_at, state",
            " AND state IN ('queued', 'leased', 'at_dot', 'deferred', 'uncertain')"), ") AS o
        ORDER BY next_at, id");
    LATELY = concat!("
        SELECT COUNT(*) AS mails, MIN(settled_at) AS first, MAX(settled_at) AS last
        FROM (", of_wave!("settled_at", " AND state = 'accepted' AND settled_at >= $2"), ") AS o");
    TOLD = "
        SELECT DISTINCT tenant_id
        FROM outbox
        WHERE incident_id = $1 AND tenant_id IS NOT NULL AND notice_id IS NOT NULL AND state = 'accepted'";
    /// When a try of a wave's mail last ended, by the store's clock.
    HEARD_OF = concat!("
        SELECT MAX(a.ended_at)
        FROM (", of_wave!("id", " AND attempts > 0"), ") AS o
        JOIN attempts a ON a.outbox_id = o.id");
    /// Tenants to whom all notices came back, and none is on its way. What was called back is not theirs to be told.
    STRANDED = "
        SELECT o.tenant_id
        FROM outbox o
        WHERE o.incident_id = $1 AND o.tenant_id IS NOT NULL AND o.notice_id IS NOT NULL
        GROUP BY o.tenant_id
        HAVING COUNT(*) FILTER (WHERE o.state IN ('bounced', 'failed', 'suppressed')) > 0
            AND COUNT(*) FILTER (WHERE o.state NOT IN ('bounced', 'failed', 'suppressed', 'cancelled')) = 0
        ORDER BY o.tenant_id";
    UNCHECKED = "
        SELECT w.id, w.incident_id, i.slug, w.name, w.is_pilot, w.counted_from
        FROM waves w
        JOIN incidents i ON i.id = w.incident_id
        WHERE w.domain_checked = 0 AND w.paused_at IS NULL
        ORDER BY w.id";
    /// Stopped for a reason that begins like this.
    SILENT = "
        SELECT w.id, w.incident_id, i.slug, w.name, w.is_pilot, w.counted_from
        FROM waves w
        JOIN incidents i ON i.id = w.incident_id
        WHERE w.domain_checked = 0 AND w.stopped_why LIKE $1
        ORDER BY w.id";
    /// Also one that was stopped only because nobody could tell; what a person paused stays paused.
    PASS = "
        UPDATE waves
        SET domain_checked = 1,
            paused_at = CASE WHEN stopped_why LIKE $2 THEN NULL ELSE paused_at END,
            stopped_why = CASE WHEN stopped_why LIKE $2 THEN NULL ELSE stopped_why END
        WHERE id = $1 AND domain_checked = 0";
    /// A reason takes the place of the one before it, if it says something else. What a person paused keeps no reason: with
    /// one it would go on by itself.
    STOP_UNCHECKED = "
        UPDATE waves
        SET paused_at = COALESCE(paused_at, $1), stopped_why = $2
        WHERE id = $3 AND domain_checked = 0 AND counted_from = $4
            AND (paused_at IS NULL OR stopped_why IS NOT NULL) AND (stopped_why IS NULL OR stopped_why <> $2)";
    /// Whoever lets it go on has seen what stopped it: only then the sending domain, where it was that.
    RESUME = "
        UPDATE waves
        SET paused_at = NULL, stopped_why = NULL, counted_from = $1,
            domain_checked = CASE WHEN stopped_why LIKE 'the sending domain is not in order%' THEN 1 ELSE domain_checked END
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
    /// 1: a pilot.
    pub is_pilot: i64,
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
    /// A name of `model::delivery::State`.
    pub state: String,
}

impl Left {
    /// The domain of its address.
    pub fn domain(&self) -> &str {
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

/// When a try of a wave's mail last ended (the store's clock).
pub async fn heard_of(conn: &mut Conn, wave: &str) -> Result<Option<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(HEARD_OF).bind(wave).fetch_one(c).await)?)
}

/// The tenants to whom all notices of an incident came back.
pub async fn stranded(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(STRANDED).bind(incident).fetch_all(c).await)?)
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

/// Waves whose mail does not leave the host, stopped for a reason that begins like this.
pub async fn silent(conn: &mut Conn, reason: &str) -> Result<Vec<Troubled>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(SILENT).bind(format!("{reason}%")).fetch_all(c).await)?)
}

/// The sending domain of a wave is in order by now: it goes on if it was stopped for a reason that begins like this.
/// Whether it was in question.
pub async fn pass(tx: &mut Tx, wave: &str, reason: &str) -> Result<bool, StoreError> {
    let begins = format!("{reason}%");
    let hit = on!(tx, |c| sqlx::query(PASS).bind(wave).bind(begins).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// Stops a wave whose sending domain is in question, unless a person let it go on since. Whether that says something new.
pub async fn stop_unchecked(tx: &mut Tx, wave: &Troubled, why: &str, now: i64) -> Result<bool, StoreError> {
    stop_by(tx, STOP_UNCHECKED, wave, why, now).await
}

/// What became of a wave's mails; of the settled ones as many as `enough` says are counted.
pub async fn counts(
    conn: &mut Conn,
    wave: &Troubled,
    is_spam: impl Fn(&str) -> bool,
    enough: impl Fn(&Counts) -> i64,
) -> Result<Counts, StoreError> {
    let (id, since) = (&wave.id, wave.counted_from);
    let size = if wave.is_pilot == 1 { Size::Pilot } else { Size::Wave };
    let mut counts = Counts { size, ..Counts::default() };
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
    let put_off: Vec<String> = on!(conn, |c| sqlx::query_scalar(PUT_OFF).bind(id).bind(since).fetch_all(c).await)?;
    let put_off = put_off.iter().filter(|reply| is_spam(reply)).count();
    let put_off = i64::try_from(put_off).unwrap_or(i64::MAX);
    counts.spam += put_off;
    counts.complaints = on!(conn, |c| sqlx::query_scalar(COMPLAINTS).bind(id).bind(since).fetch_one(c).await)?;
    counts.wrong_recipient =
        on!(conn, |c| sqlx::query_scalar(NOT_THEIRS).bind(id).bind(since).bind(wave.incident_id).fetch_one(c).await)?;
    let most = enough(&counts);
    counts.settled = on!(conn, |c| sqlx::query_scalar(SETTLED).bind(id).bind(since).bind(most).fetch_one(c).await)?;
    counts.settled += put_off;
    Ok(counts)
}

/// Stops a wave, unless that was done, or a person let it go on, since it was looked at. Whether it was this call.
pub async fn stop(tx: &mut Tx, wave: &Troubled, why: &str, now: i64) -> Result<bool, StoreError> {
    stop_by(tx, STOP, wave, why, now).await
}

async fn stop_by(
    tx: &mut Tx,
    statement: &'static str,
    wave: &Troubled,
    why: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(statement)
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
