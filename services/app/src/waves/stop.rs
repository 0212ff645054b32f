//! Stop rules of waves: judged from rows whenever somebody looks, so that missed and doubled looks change nothing.
//!
//! Invariant: a wave that a rule stopped goes on only by a person with a reason, and no other wave of its incident is
//! released meanwhile without one.

use model::stop::reads_as_spam;
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;
use store::waves::Wave;

use super::standing::{BY_ITSELF, NOT_IN_ORDER, SILENT};
use crate::{App, AppError, Incident, SYSTEM};

/// A wave that a rule stopped.
#[derive(Debug, Clone, Serialize)]
pub struct Stopped {
    /// The incident.
    pub incident: String,
    /// The wave.
    pub wave: String,
    /// Since when.
    pub since: Timestamp,
    /// Which rule, with its figures.
    pub why: String,
}

/// Stops the waves that break a rule; how many.
pub async fn judge(app: &App) -> Result<usize, AppError> {
    let rules = app.settings.sending.stop;
    let mut broken = Vec::new();
    let mut conn = app.store.read().await?;
    for wave in store::waves::troubled(&mut conn).await? {
        let counts =
            store::waves::counts(&mut conn, &wave, reads_as_spam, |counts| rules.enough_settled(counts)).await?;
        if let Some(why) = rules.broken(&counts) {
            broken.push((wave, counts, why));
        }
    }
    drop(conn);
    let app = app.acting_as(SYSTEM);
    let mut stopped = 0;
    for (wave, counts, why) in broken {
        let mut tx = app.store.begin().await?;
        if !store::waves::stop(&mut tx, &wave, &why, app.clock.now().micros()).await? {
            continue;
        }
        tracing::warn!(wave.id = wave.id, why, "a wave was stopped by its rules");
        let detail = serde_json::json!({ "wave": wave.name, "why": why, "counts": counts, "rules": rules });
        tx.commit(app.entry("wave.stop", &wave.slug, detail)).await?;
        stopped += 1;
    }
    Ok(stopped)
}

/// The waves that rules have stopped, of all incidents.
pub async fn stopped(app: &App) -> Result<Vec<Stopped>, AppError> {
    stopped_at(&mut app.store.read().await?).await
}

pub(crate) async fn stopped_at(conn: &mut Conn) -> Result<Vec<Stopped>, AppError> {
    let rows = store::waves::stopped(conn).await?.into_iter();
    Ok(rows
        .map(|row| Stopped {
            incident: row.slug,
            wave: row.name,
            since: Timestamp::from_micros(row.paused_at),
            why: row.stopped_why,
        })
        .collect())
}

/// Refuses a further wave while one of the incident is stopped; those it goes on over, where a person says why.
pub(crate) async fn must_not_be_stopped(
    conn: &mut Conn,
    incident: &Incident,
    override_why: Option<&str>,
) -> Result<Vec<Stopped>, AppError> {
    let slug = &incident.slug;
    let stopped: Vec<Stopped> =
        stopped_at(conn).await?.into_iter().filter(|stopped| stopped.incident == *slug).collect();
    match (&stopped[..], override_why) {
        ([first, ..], None) => Err(AppError::refused(
            format!("wave `{}` of {slug} was stopped: {}", first.wave, first.why),
            format!(
                "find out why, and let it go on with `forthright wave resume {slug} {} --why …`; or say why this one leaves all the same: --override REASON",
                first.wave
            ),
        )),
        _ => Ok(stopped),
    }
}

/// What a pause or a resume found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It was as it should not stay, and is changed.
    Changed,
    /// It was so already.
    Already,
}

/// Pauses a wave until [`resume`]. One that is paused or stopped stays as it is.
pub async fn pause(app: &App, slug: &str, wave: &str) -> Result<Found, AppError> {
    let incident = app.incident(slug).await?;
    let mut tx = app.store.begin().await?;
    let there = named(&mut tx, &incident, wave).await?;
    let is_new = match &there.stopped_why {
        // It would go on by itself once DNS answers: now a person wants it to wait.
        Some(why) if why.starts_with(SILENT) => {
            let why = why.replacen(SILENT, NOT_IN_ORDER, 1).replace(BY_ITSELF, "it goes on");
            store::waves::hold_stopped(&mut tx, &there, &why).await?
        }
        _ => store::waves::pause(&mut tx, &there.id, app.clock.now().micros()).await?,
    };
    if !is_new {
        return Ok(Found::Already);
    }
    tx.commit(app.entry("wave.pause", slug, serde_json::json!({ "wave": wave }))).await?;
    Ok(Found::Changed)
}

/// Lets a wave go on where it stopped. After a stop by a rule that takes a reason, and what happened so far counts no
/// more.
pub async fn resume(app: &App, slug: &str, wave: &str, why: Option<&str>) -> Result<Found, AppError> {
    let incident = app.incident(slug).await?;
    let mut tx = app.store.begin().await?;
    let there = named(&mut tx, &incident, wave).await?;
    match (&there.stopped_why, why) {
        (Some(stopped), None) => {
            return Err(AppError::refused(
                format!("wave `{wave}` was stopped by a rule: {stopped}"),
                format!("find out why; then say why it goes on: forthright wave resume {slug} {wave} --why …"),
            ));
        }
        (Some(_), Some(_)) => store::waves::resume(&mut tx, incident.id, &there.id, app.clock.now().micros()).await?,
        (None, _) => {
            if !store::waves::go_on(&mut tx, &there.id).await? {
                return Ok(Found::Already);
            }
        }
    }
    let detail = serde_json::json!({ "wave": wave, "why": why, "stopped": there.stopped_why });
    tx.commit(app.entry("wave.resume", slug, detail)).await?;
    Ok(Found::Changed)
}

async fn named(conn: &mut Conn, incident: &Incident, wave: &str) -> Result<Wave, AppError> {
    let slug = &incident.slug;
    let there = store::waves::list(conn, incident.id).await?.into_iter().find(|there| there.name == wave);
    there.ok_or_else(|| {
        AppError::missing(format!("no wave `{wave}` in {slug}"), format!("run `forthright wave list {slug}`"))
    })
}
