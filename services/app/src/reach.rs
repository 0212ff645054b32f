//! Reaching organisations where nobody can be told: rung by rung, from the directory's people to a letter on paper.
//!
//! Confirms nobody and tells nobody facts. Invariant: whose next rung is due follows from contacts, deliveries and
//! attempts at each look, and a rung is one attempt, in the transaction of what it made. The ladder ends by itself when
//! somebody can be told.

mod climb;
mod leads;
mod letters;
#[cfg(feature = "lookup")]
mod look;
#[cfg(not(feature = "lookup"))]
#[path = "reach/no_look.rs"]
mod look;
mod tasks;
#[cfg(test)]
mod tests;

use model::reach::Rung;
use model::time::Timestamp;
use serde::Serialize;
use store::reach::{Attempt, Due};

use crate::directory::known_tenant;
use crate::{App, AppError, SYSTEM};

#[cfg(feature = "lookup")]
pub(crate) use look::LookUps;

/// Organisations that are looked at before the rows are asked again.
const CHUNK: i64 = 100;

/// A rung that was climbed, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Climbed {
    /// To reach whom.
    pub tenant_id: String,
    /// From 1.
    pub number: i64,
    /// A name of `model::reach::Rung`.
    pub rung: String,
    /// When.
    pub at: Timestamp,
    /// A name of `model::reach::Outcome`.
    pub outcome: String,
    /// In words; holds addresses.
    pub detail: String,
    /// When the next rung is due; none: this was the last.
    pub next_at: Option<Timestamp>,
}

impl From<Attempt> for Climbed {
    fn from(attempt: Attempt) -> Self {
        Self {
            tenant_id: attempt.tenant_id,
            number: attempt.number,
            rung: attempt.rung,
            at: Timestamp::from_micros(attempt.at),
            outcome: attempt.outcome,
            detail: attempt.detail,
            next_at: attempt.next_at.map(Timestamp::from_micros),
        }
    }
}

/// Whether a rung is due anywhere.
pub async fn due(app: &App) -> Result<bool, AppError> {
    let now = app.clock.now().micros();
    Ok(!store::reach::due(&mut app.store.read().await?, now, 1).await?.is_empty())
}

/// Climbs what is due of up to a chunk of organisations; how many rungs. 0: nothing is due.
pub async fn climb_due(app: &App) -> Result<usize, AppError> {
    look::ready(app)?;
    let app = app.acting_as(SYSTEM);
    loop {
        let now = app.clock.now().micros();
        let due = store::reach::due(&mut app.store.read().await?, now, CHUNK).await?;
        let mut rungs = 0;
        for next in &due {
            rungs += climb::climb(&app, next).await?.len();
        }
        // Something was due and no rung climbed: somebody else was faster, and the rows say what is due now.
        if rungs > 0 || due.is_empty() {
            return Ok(rungs);
        }
    }
}

/// Climbs what is due now in an incident, or at one of its organisations: every rung that needs no waiting.
pub async fn find(app: &App, slug: &str, tenant: Option<&str>) -> Result<Vec<Climbed>, AppError> {
    look::ready(app)?;
    let incident = app.incident(slug).await?.id;
    if let Some(tenant) = tenant {
        known_tenant(&mut app.store.read().await?, tenant).await?;
    }
    let mut climbed = Vec::new();
    loop {
        let due = due_now(app, incident, tenant).await?;
        if due.is_empty() {
            return Ok(climbed);
        }
        for next in &due {
            climbed.extend(climb::climb(app, next).await?.into_iter().map(Climbed::from));
        }
    }
}

async fn due_now(app: &App, incident: i64, tenant: Option<&str>) -> Result<Vec<Due>, AppError> {
    let now = app.clock.now().micros();
    let mut conn = app.store.read().await?;
    Ok(match tenant {
        Some(tenant) => store::reach::due_of_tenant(&mut conn, now, incident, tenant).await?.into_iter().collect(),
        None => store::reach::due_of_incident(&mut conn, now, incident, CHUNK).await?,
    })
}

/// What was done so far to reach the organisations of an incident, or one of them.
pub async fn attempts(app: &App, slug: &str, tenant: Option<&str>) -> Result<Vec<Climbed>, AppError> {
    let incident = app.incident(slug).await?.id;
    let mut conn = app.store.read().await?;
    if let Some(tenant) = tenant {
        known_tenant(&mut conn, tenant).await?;
    }
    let all = store::reach::attempts(&mut conn, incident).await?;
    let wanted = |attempt: &Attempt| tenant.is_none_or(|tenant| attempt.tenant_id == tenant);
    Ok(all.into_iter().filter(wanted).map(Climbed::from).collect())
}

/// Why a rung is not tried; `None`: it is.
fn off(app: &App, rung: Rung) -> Option<&'static str> {
    let reach = &app.settings.reach;
    match rung {
        Rung::SecurityTxt | Rung::Rdap | Rung::RoleMailboxes if !cfg!(feature = "lookup") => {
            Some("this program was built without look-ups")
        }
        Rung::SecurityTxt if !reach.security_txt => Some("look-ups are off: [reach] security_txt is false"),
        Rung::Rdap if !reach.rdap => Some("look-ups are off: [reach] rdap is false"),
        Rung::RoleMailboxes if !reach.role_mailboxes => Some("guesses are off: [reach] role_mailboxes is false"),
        Rung::KnownContacts
        | Rung::SecurityTxt
        | Rung::Rdap
        | Rung::RoleMailboxes
        | Rung::AccountManager
        | Rung::Letter => None,
    }
}
