//! Escalation: ladders that start, climb and end, the notice to a next contact, and tasks.
//!
//! Reads no state of its own making: what is due follows from tickets, questions and the outbox at each tick, so that
//! missed, doubled and late ticks give the same. Invariant: a rung fires once per repeat and target, and every target
//! gets a mail or a task, never nothing.

mod climb;
mod course;
mod deeds;
mod fire;
mod next_contact;
mod outgoing;
mod plan;
mod policies;
mod preflight;
mod reviews;
mod starting;
mod targets;
#[cfg(test)]
mod tests;
pub(crate) mod ticketless;
mod told;
mod unreached;

use model::escalation::{Ladder, PolicyName};
use model::time::Timestamp;
use serde::Serialize;
use store::escalation::{Escalation, Reason, Start, Task};

use crate::{App, AppError, Incident, SYSTEM, new_id};

pub use deeds::{Acknowledged, acknowledge, jump};
pub(crate) use next_contact::{queue as queue_untried, untried};
pub use plan::{Line, list, preview};
pub use policies::{PolicyFile, PolicyVersion, Set, history, set, show};
pub use preflight::{Checked, Outlook, Tested, check, test};

/// Ladders that start, or climb, before the clocks of others are looked at again.
const CHUNK: i64 = 500;
/// Chunks of ladders that climb before it is looked again at what starts and ends.
const CHUNKS: u32 = 20;
/// Tasks that are listed.
const TASKS: i64 = 100_000;

/// The reasons whose ladders start by themselves; a stranded ticket is given a next contact first.
const STARTING: [(Reason, PolicyName); 5] = [
    (Reason::Debt, PolicyName::Debt),
    (Reason::Promise, PolicyName::Promise),
    (Reason::Review, PolicyName::Review),
    (Reason::Objection, PolicyName::Objection),
    (Reason::Silence, PolicyName::Silence),
];

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ticked {
    /// Ladders that started.
    pub started: u64,
    /// Rungs that fired, one for each target.
    pub fired: u64,
    /// Ladders that ended.
    pub ended: u64,
    /// Tasks made.
    pub tasks: u64,
    /// Mails queued.
    pub mails: u64,
}

impl Ticked {
    fn add(&mut self, other: Self) {
        self.started += other.started;
        self.fired += other.fired;
        self.ended += other.ended;
        self.tasks += other.tasks;
        self.mails += other.mails;
    }
}

/// Ends, starts and climbs ladders until nothing is due at this moment.
pub async fn tick(app: &App) -> Result<Ticked, AppError> {
    let app = app.acting_as(SYSTEM);
    crate::calendars::refresh(&app).await?;
    let now = app.clock.now();
    let mut total = Ticked::default();
    loop {
        let mut round = end_settled(&app, now).await?;
        round.add(starting::help_stranded(&app, now, CHUNK).await?);
        for (reason, policy) in STARTING {
            round.add(starting::start(&app, reason, policy, now).await?);
        }
        // A look at all tickets costs as much as a chunk, so that many are climbed before the next one.
        for _ in 0..CHUNKS {
            let climbed = climb::climb_due(&app, now).await?;
            round.add(climbed);
            if climbed == Ticked::default() {
                break;
            }
        }
        round.tasks += unreached::climb(&app, now, CHUNK).await?;
        round.tasks += reviews::climb(&app, now, CHUNK).await?;
        round.tasks += crate::duties::climb(&app, now, CHUNK).await?;
        total.add(round);
        // Ladders that merely started were climbed in the same round, and more that start meanwhile can wait for the next
        // tick: while a wave is being sent there would be no end of them.
        if round == (Ticked { started: round.started, ..Ticked::default() }) {
            return Ok(total);
        }
    }
}

/// Whether a tick would do anything.
pub async fn due(app: &App) -> Result<bool, AppError> {
    let now = app.clock.now().micros();
    let mut conn = app.store.read().await?;
    if !store::escalation::due(&mut conn, now, 1).await?.is_empty() || store::escalation::to_end(&mut conn).await? > 0 {
        return Ok(true);
    }
    if unreached::is_due(&mut conn).await? {
        return Ok(true);
    }
    if reviews::is_due(&mut conn, app.clock.now()).await? || crate::duties::is_due(&mut conn, app.clock.now()).await? {
        return Ok(true);
    }
    for (reason, policy) in std::iter::once((Reason::Stranded, PolicyName::Unreachable)).chain(STARTING) {
        if starting::would_any(app, &mut conn, reason, policy).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn end_settled(app: &App, now: Timestamp) -> Result<Ticked, AppError> {
    if store::escalation::to_end(&mut app.store.read().await?).await? == 0 {
        return Ok(Ticked::default());
    }
    let mut tx = app.store.begin().await?;
    let ended = store::escalation::end_settled(&mut tx, now.micros()).await?;
    tx.commit(app.entry("escalation.end", "store", serde_json::json!({ "ended": ended }))).await?;
    Ok(Ticked { ended, ..Ticked::default() })
}

/// A ladder at its start, with the incident's policy frozen.
fn ladder(
    app: &App,
    incident: &Incident,
    name: PolicyName,
    start: &Start,
    now: Timestamp,
) -> Result<Escalation, AppError> {
    let policy = incident.policies.get(name);
    let times = Ladder::untouched(&policy, Timestamp::from_micros(start.measured_from), app.business()).schedule();
    let first = times.first().map(|due| due.due_at.micros());
    Ok(Escalation {
        id: new_id("esc"),
        incident_id: start.incident_id,
        ticket_id: start.ticket_id.clone(),
        policy: name.as_str().to_owned(),
        subject: start.subject.clone(),
        snapshot: serde_json::to_string(&policy).map_err(AppError::stored("escalations.snapshot"))?,
        measured_from: start.measured_from,
        started_at: now.micros(),
        ended_at: None,
        ended_why: None,
        next_due_at: first,
        carried: "[]".to_owned(),
    })
}

/// Marks a task as done, in the actor's name.
pub async fn finish_task(app: &App, task: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    match store::escalation::task_done_at(&mut tx, task).await? {
        None => return Err(AppError::missing(format!("no task `{task}`"), "the page of the incident lists its tasks")),
        Some(Some(at)) => {
            let at = Timestamp::from_micros(at);
            return Err(AppError::refused(
                format!("task {task} was done at {at} already"),
                "there is nothing left to do",
            ));
        }
        Some(None) => store::escalation::finish_task(&mut tx, task, &app.actor, app.clock.now().micros()).await?,
    }
    tx.commit(app.entry("task.finish", task, serde_json::json!({}))).await?;
    Ok(())
}

/// Tasks of an incident that are not done, by due time.
pub async fn tasks(app: &App, slug: &str) -> Result<Vec<Task>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::escalation::open_tasks(&mut app.store.read().await?, incident.id, TASKS).await?)
}
