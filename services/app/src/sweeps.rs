//! Sweeps over deliveries: what is released and in no row, held too long, tried often enough, due in no sensible time.
//!
//! Sends nothing. Invariant: a sweep again, or two at once, changes nothing more.

use std::time::Duration;

use serde::Serialize;
use store::sweeps::Limits;

use crate::escalation::queue_untried;
use crate::{App, AppError, SYSTEM, new_id};

/// A sender holds a mail for this long at most, or for twice the wait for the reply to its dot. Too short: a mail is
/// taken from a sender that still waits in line behind a slow server.
const LONGEST_LEASE: Duration = Duration::from_secs(3600);
/// Tickets that are looked up at once.
const CHUNK: i64 = 500;

/// What a sweep set right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Mails of notices that were released and in no row.
    pub queued: u64,
    /// Mails that a living sender held too long.
    pub released: u64,
    /// Of these, at the dot: uncertain now.
    pub uncertain: u64,
    /// Mails given up that had been tried often enough.
    pub given_up: u64,
    /// Mails that were due in no sensible time.
    pub hurried: u64,
}

/// Sets right what no job and no sender looks at any more.
pub async fn sweep(app: &App) -> Result<Swept, AppError> {
    let app = app.acting_as(SYSTEM);
    let sending = &app.settings.sending;
    let real = app.clock.real();
    let longest = LONGEST_LEASE.max(Duration::from_secs(sending.dot_timeout_seconds.saturating_mul(2)));
    let mut tx = app.store.begin().await?;
    let repaired = store::sweeps::repair(
        &mut tx,
        Limits {
            now: real.micros(),
            clock: app.clock.now().micros(),
            leased_before: real.minus(longest).micros(),
            next_copy: crate::delivery::next_copy(&app),
            latest: real.plus(sending.retry().longest.max(sending.retry().first)).plus(longest).micros(),
            max_attempts: sending.max_attempts,
        },
    )
    .await?;
    store::crash_point!("sweep.before");
    tx.commit_ledger().await?;
    store::crash_point!("sweep.after");
    let swept = Swept {
        queued: queue_forgotten(&app).await?,
        released: repaired.held + repaired.at_dot,
        uncertain: repaired.at_dot,
        given_up: repaired.given_up,
        hurried: repaired.too_late,
    };
    if swept != Swept::default() {
        tracing::warn!(
            queued = swept.queued,
            released = swept.released,
            uncertain = swept.uncertain,
            given_up = swept.given_up,
            hurried = swept.hurried,
            "a sweep found mails that nobody looked at and set them right"
        );
    }
    Ok(swept)
}

/// Notices that were released and have no row get one for each contact of the first rung, caused by policy.
async fn queue_forgotten(app: &App) -> Result<u64, AppError> {
    let (mut mails, mut after) = (0, String::new());
    loop {
        // Those who cannot be told stay what they are: the others stand behind them.
        let tickets = store::sweeps::never_queued(&mut app.store.read().await?, &after, CHUNK).await?;
        let Some(last) = tickets.last() else { return Ok(mails) };
        after.clone_from(last);
        for id in tickets {
            mails += queue_forgotten_of(app, &id).await?;
        }
    }
}

/// The same of one ticket.
async fn queue_forgotten_of(app: &App, id: &str) -> Result<u64, AppError> {
    let mut tx = app.store.begin().await?;
    store::tickets::lock(&mut tx, id).await?;
    let Some(ticket) = store::tickets::by_id(&mut tx, id).await? else { return Ok(0) };
    let incident = app.incident_by_id(&mut tx, ticket.incident_id).await?;
    let entry = new_id("ent");
    let queued = queue_untried(app, &mut tx, &incident, &ticket, &entry).await?;
    if queued == 0 {
        // It is not true any more, or disputed: drafting says so.
        return Ok(0);
    }
    let entry = store::tickets::Entry {
        id: entry,
        at: app.clock.now().micros(),
        kind: "escalation".to_owned(),
        actor: app.actor.clone(),
        body: format!("the notice was released and in no row of the outbox: it goes to {queued} contact(s)"),
    };
    store::tickets::insert_entry(&mut tx, &ticket.id, &entry).await?;
    store::crash_point!("forgotten.before");
    tx.commit(app.entry("delivery.sweep", &ticket.id, serde_json::json!({ "mails": queued }))).await?;
    store::crash_point!("forgotten.after");
    Ok(queued)
}
