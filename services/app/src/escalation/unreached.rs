//! Letters of ladders to our own people that came back: a task, for an alarm that nobody got is none.
//!
//! Follows from the outbox at each tick. Invariant: each such letter is one task, by its key, that says whom it did not
//! reach and why.

use model::escalation::Target;
use model::time::Timestamp;
use store::Conn;
use store::escalation::unreached::{Unreached, key};
use store::escalation::{NewTask, Task};

use crate::{App, AppError, new_id};

/// Whether a letter has come back and has no task.
pub(super) async fn is_due(conn: &mut Conn) -> Result<bool, AppError> {
    Ok(!store::escalation::unreached::list(conn, 1).await?.is_empty())
}

/// Makes the tasks of up to `limit` letters; how many.
pub(super) async fn climb(app: &App, now: Timestamp, limit: i64) -> Result<u64, AppError> {
    if !is_due(&mut app.store.read().await?).await? {
        return Ok(0);
    }
    let mut tx = app.store.begin().await?;
    let letters = store::escalation::unreached::list(&mut tx, limit).await?;
    let tasks: Vec<(i64, Task, String)> =
        letters.iter().map(|letter| (letter.incident_id, task(letter, now), key(letter))).collect();
    let tasks: Vec<NewTask<'_>> =
        tasks.iter().map(|(incident, task, unique_key)| NewTask { incident: *incident, task, unique_key }).collect();
    let new = store::escalation::insert_tasks(&mut tx, &tasks).await?;
    let ids: Vec<&str> = letters.iter().map(|letter| letter.id.as_str()).collect();
    tx.commit(app.entry("escalation.unreached", "store", serde_json::json!({ "mails": ids, "tasks": new }))).await?;
    Ok(new)
}

fn task(letter: &Unreached, now: Timestamp) -> Task {
    let Unreached { address, state, subject, .. } = letter;
    let why = if letter.last_reply.is_empty() { "no reason was given" } else { &letter.last_reply };
    Task {
        id: new_id("tsk"),
        tenant_id: None,
        ticket_id: letter.ticket_id.clone(),
        kind: "escalation".to_owned(),
        target: Target::IncidentLead.as_str().to_owned(),
        text: format!(
            "{address} was not reached, the letter is {state} ({why}): \"{subject}\": tell them another way, and see that \
             the address is right"
        ),
        created_at: now.micros(),
        due_at: now.micros(),
    }
}
