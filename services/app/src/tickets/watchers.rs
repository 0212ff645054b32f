//! Whoever watches a ticket: a task for each mail of a person, and for each that is split off or merged they go along.
//!
//! Sends no mail. Invariant: a mail is one task for each watcher, however often it is filed.

use model::time::Timestamp;
use store::Tx;
use store::escalation::{NewTask, Task};
use store::tickets::TicketRow;

use super::{add_entry, case, person};
use crate::{App, AppError, new_id};

/// The actor watches a ticket from now on.
pub async fn watch(app: &App, ticket: &str, watcher: &str) -> Result<(), AppError> {
    let watcher = person(watcher, "the watcher")?;
    let mut tx = app.store.begin().await?;
    case::locked(&mut tx, ticket).await?;
    store::tickets::watch(&mut tx, ticket, watcher, app.clock.now().micros()).await?;
    add_entry(app, &mut tx, ticket, "status", format!("{watcher} watches it")).await?;
    Ok(tx.commit(app.entry("ticket.watch", ticket, serde_json::json!({ "watcher": watcher }))).await?)
}

/// The actor watches it no more.
pub async fn unwatch(app: &App, ticket: &str, watcher: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    case::locked(&mut tx, ticket).await?;
    if store::tickets::unwatch(&mut tx, ticket, watcher).await? == 0 {
        return Err(AppError::missing(
            format!("{watcher} does not watch ticket {ticket}"),
            format!("`forthright ticket show {ticket}` names who does"),
        ));
    }
    add_entry(app, &mut tx, ticket, "status", format!("{watcher} watches it no more")).await?;
    Ok(tx.commit(app.entry("ticket.unwatch", ticket, serde_json::json!({ "watcher": watcher }))).await?)
}

/// Puts a person's mail before everybody who watches. The caller holds the ticket.
pub(crate) async fn tell(tx: &mut Tx, ticket: &TicketRow, mail: &str, now: Timestamp) -> Result<(), AppError> {
    for watcher in store::tickets::watchers(tx, &ticket.id).await? {
        let task = Task {
            id: new_id("tsk"),
            tenant_id: Some(ticket.tenant_id.clone()),
            ticket_id: Some(ticket.id.clone()),
            kind: "watch".to_owned(),
            target: watcher.clone(),
            text: format!("somebody at {} wrote ({mail}): `forthright ticket show {}`", ticket.tenant_id, ticket.id),
            created_at: now.micros(),
            due_at: now.micros(),
        };
        let unique_key = format!("watch/{mail}/{watcher}");
        let new = NewTask { incident: ticket.incident_id, task: &task, unique_key: &unique_key };
        store::escalation::insert_task(tx, &new).await?;
    }
    Ok(())
}

/// Whoever watches one watches the other.
pub(super) async fn go_along(tx: &mut Tx, from: &str, to: &str, now: i64) -> Result<(), AppError> {
    for watcher in store::tickets::watchers(tx, from).await? {
        store::tickets::watch(tx, to, &watcher, now).await?;
    }
    Ok(())
}
