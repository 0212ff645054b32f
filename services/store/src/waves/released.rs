//! Waves as they were released, with their progress, and the pauses that people put on them.
//!
//! Judges nothing. Invariant: a pause of a wave that is paused or stopped changes nothing, so since when it is stays true.

use crate::{Conn, StoreError, Tx};

/// What of the outbox obeys a wave `w`: its own mails, and those to further contacts.
macro_rules! count_of {
    ($more:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM outbox o WHERE o.wave_id = w.id",
            $more,
            ") + (SELECT COUNT(*) FROM outbox o WHERE o.under_wave = w.id",
            $more,
            ")"
        )
    };
}

statements! {
    INSERT = "
        INSERT INTO waves (id, incident_id, name, released_by, released_at, notices, pace, pace_per_system, per_day, is_pilot, domain_checked, paused_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL)";
    LIST = concat!("
        SELECT w.id, w.name, w.released_by, w.released_at, w.notices, w.pace, w.pace_per_system, w.per_day, w.is_pilot, w.domain_checked,
            w.paused_at, w.stopped_why,
            ", count_of!(""), " AS mails,
            ", count_of!(" AND o.state = 'accepted'"), " AS accepted
        FROM waves w
        WHERE w.incident_id = $1
        ORDER BY w.released_at, w.id");
    PAUSED = "SELECT id FROM waves WHERE paused_at IS NOT NULL";
    PAUSE = "
        UPDATE waves
        SET paused_at = $1
        WHERE id = $2 AND paused_at IS NULL";
    HOLD_STOPPED = "
        UPDATE waves
        SET stopped_why = $1
        WHERE id = $2 AND stopped_why = $3";
    GO_ON = "
        UPDATE waves
        SET paused_at = NULL
        WHERE id = $1 AND paused_at IS NOT NULL AND stopped_why IS NULL";
    /// By the rows of the notice; where it has none, by the moment at which wave and notice were released together.
    OF_NOTICE = "
        SELECT MAX(id)
        FROM (
            SELECT COALESCE(o.wave_id, o.under_wave) AS id FROM outbox o WHERE o.notice_id = $1
            UNION ALL
            SELECT w.id FROM notices n JOIN waves w ON w.incident_id = n.incident_id AND w.released_at = n.released_at
            WHERE n.id = $1 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.notice_id = n.id AND o.wave_id IS NOT NULL)
        ) AS waves";
}

/// A wave with its progress.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Wave {
    /// `wav_…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who armed it, beside those who approved.
    pub released_by: String,
    /// Microseconds since the epoch.
    pub released_at: i64,
    /// Notices in it.
    pub notices: i64,
    /// Mails a second, if limited.
    pub pace: Option<i64>,
    /// Mails a second to one receiving system, if limited.
    pub pace_per_system: Option<i64>,
    /// Tries a day, if limited.
    pub per_day: Option<i64>,
    /// 1: a pilot.
    pub is_pilot: i64,
    /// 0: its sending domain is not in order, and its mail stays on the host.
    pub domain_checked: i64,
    /// Microseconds since the epoch, while paused.
    pub paused_at: Option<i64>,
    /// Which rule stopped it, with its figures; none = no rule did.
    pub stopped_why: Option<String>,
    /// Mails in it.
    pub mails: i64,
    /// Of these, accepted.
    pub accepted: i64,
}

/// Stores a wave.
pub async fn insert(tx: &mut Tx, incident: i64, wave: &Wave) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&wave.id)
        .bind(incident)
        .bind(&wave.name)
        .bind(&wave.released_by)
        .bind(wave.released_at)
        .bind(wave.notices)
        .bind(wave.pace)
        .bind(wave.pace_per_system)
        .bind(wave.per_day)
        .bind(wave.is_pilot)
        .bind(wave.domain_checked)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// The waves of an incident, oldest first.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<Wave>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// The waves that are paused.
pub async fn paused(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(PAUSED).fetch_all(c).await)?)
}

/// Pauses a wave; whether it was going.
pub async fn pause(tx: &mut Tx, wave: &str, since: i64) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(PAUSE).bind(since).bind(wave).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// A stop stays for another reason; whether it was stopped for the one given.
pub async fn hold_stopped(tx: &mut Tx, wave: &Wave, why: &str) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(HOLD_STOPPED)
        .bind(why)
        .bind(&wave.id)
        .bind(&wave.stopped_why)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// Lets a wave that a person paused go on; whether it was paused.
pub async fn go_on(tx: &mut Tx, wave: &str) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(GO_ON).bind(wave).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// The wave that released a notice, if one did.
pub async fn of_notice(conn: &mut Conn, notice: &str) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(OF_NOTICE).bind(notice).fetch_one(c).await)?)
}
