//! What a call came to: its row, its try, a line in the ticket, a task where nobody took it.
//!
//! Invariant: all of it is one transaction, and nothing of it is written by who lost the lease; of an answer the timeline
//! holds its number alone, for its text is somebody else's.

use model::escalation::Target;
use model::time::Timestamp;
use model::webhooks::Outcome;
use store::Tx;
use store::escalation::{NewTask, Task};
use store::tickets::Entry;
use store::webhooks::{Call, Settled};

use super::Tried;
use crate::{App, AppError, new_id};

/// Records what a try came to, unless the lease was lost meanwhile.
pub(super) async fn record(app: &App, call: &Call, holder: &str, tried: &Tried) -> Result<(), AppError> {
    let now = app.clock.now();
    let (state, next_at) = match &tried.came_to {
        Outcome::Accepted => ("accepted", call.next_at),
        Outcome::Deferred(at) => ("deferred", at.micros()),
        Outcome::Failed | Outcome::Gone => ("failed", call.next_at),
    };
    let is_over = state != "deferred";
    let settled = Settled {
        id: &call.id,
        lease: holder,
        state,
        next_at,
        settled_at: is_over.then(|| now.micros()),
        started_at: tried.began.micros(),
        ended_at: app.clock.real().micros(),
        status: tried.status.map(i64::from),
        reply: &tried.reply,
    };
    let mut tx = app.store.begin().await?;
    if !store::webhooks::settle(&mut tx, &settled).await? {
        return Ok(());
    }
    if is_over {
        line(app, &mut tx, call, state, tried).await?;
    }
    match &tried.came_to {
        Outcome::Deferred(_) => return Ok(tx.commit_ledger().await?),
        Outcome::Accepted => {
            if call.incident_id.is_none() {
                store::webhooks::back(&mut tx, &call.webhook).await?;
            }
            return Ok(tx.commit_ledger().await?);
        }
        Outcome::Failed => {}
        Outcome::Gone => store::webhooks::gone(&mut tx, &call.webhook, now.micros()).await?,
    }
    task(&mut tx, call, tried, now).await?;
    let detail = serde_json::json!({ "call": call.id, "status": tried.status });
    Ok(tx.commit(app.entry("webhook.give-up", &call.webhook, detail)).await?)
}

/// A line in the ticket's timeline.
async fn line(app: &App, tx: &mut Tx, call: &Call, state: &str, tried: &Tried) -> Result<(), AppError> {
    let Some(ticket) = &call.ticket_id else { return Ok(()) };
    let status = tried.status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
    let tries = call.attempts + 1;
    let entry = Entry {
        id: new_id("ent"),
        at: app.clock.now().micros(),
        kind: "webhook".to_owned(),
        actor: app.actor.clone(),
        body: format!("{}, {}: {state}, {status}, try {tries} ({})", call.webhook, call.event, call.id),
    };
    Ok(store::tickets::insert_entry(tx, ticket, &entry).await?)
}

/// Somebody has to look: one task for each webhook, incident and day, and one for each firing that nobody else was told of.
async fn task(tx: &mut Tx, call: &Call, tried: &Tried, now: Timestamp) -> Result<(), AppError> {
    let Some(incident) = call.incident_id else { return Ok(()) };
    let name = &call.webhook;
    let said = tried.status.map_or_else(|| tried.reply.clone(), |status| format!("status {status}"));
    let (alone, unique_key) = match store::webhooks::only_word_of(tx, &call.id).await? {
        Some(firing) => ("nobody else was told by this rung: ", format!("webhook/{name}/{firing}")),
        None => ("", format!("webhook/{name}/{incident}/{}", now.date())),
    };
    let task = Task {
        id: new_id("tsk"),
        tenant_id: None,
        ticket_id: call.ticket_id.clone(),
        kind: "webhook".to_owned(),
        target: Target::IncidentLead.as_str().to_owned(),
        text: format!(
            "{alone}webhook {name} did not take call {} ({}) in {} tries, {said}: mend it, run `forthright webhook test {name}`, then \
             `forthright webhook retry` for what `forthright webhook list` shows as failed",
            call.id,
            call.event,
            call.attempts + 1
        ),
        created_at: now.micros(),
        due_at: now.micros(),
    };
    store::escalation::insert_task(tx, &NewTask { incident, task: &task, unique_key: &unique_key }).await?;
    Ok(())
}
