//! "The next update comes by …": promised to everybody who is affected, kept, or overdue.
//!
//! Sends nothing. Invariant: a promise is kept by a supplement or correction that was released after it, or by a
//! statement that somebody records; nothing else ends it.

use model::time::Timestamp;
use serde::Serialize;
use store::duties::Update;

use crate::{App, AppError, new_id};

/// A promise.
#[derive(Debug, Serialize)]
pub struct Promised {
    /// `upd_…`.
    pub update: String,
    /// By when.
    pub by: Timestamp,
}

/// Promises an update by a time.
pub async fn promise(app: &App, slug: &str, by: Timestamp, why: &str) -> Result<Promised, AppError> {
    let incident = app.incident(slug).await?;
    let now = app.clock.now();
    if by <= now {
        return Err(AppError::bad(
            format!("{by} is not in the future"),
            "say by when the next update comes: --by TIME",
        ));
    }
    let mut tx = app.store.begin().await?;
    let new = Update {
        id: new_id("upd"),
        by_at: by.micros(),
        why: why.to_owned(),
        promised_by: app.actor.clone(),
        promised_at: now.micros(),
        kept_why: None,
        kept_at: None,
    };
    store::duties::insert_update(&mut tx, incident.id, &new).await?;
    store::duties::look_at(&mut tx, incident.id, super::at_once(app)).await?;
    tx.commit(app.entry("incident.next_update", slug, serde_json::json!({ "update": new.id, "by": by, "why": why })))
        .await?;
    Ok(Promised { update: new.id, by })
}

/// Records that a statement went out by other ways than a notice; how many promises that keeps.
pub async fn sent(app: &App, slug: &str, at: Timestamp, why: &str) -> Result<u64, AppError> {
    let incident = app.incident(slug).await?;
    if at > app.clock.now() {
        return Err(AppError::bad(format!("{at} is in the future"), "say when the statement went out: --sent TIME"));
    }
    let mut tx = app.store.begin().await?;
    let kept = store::duties::keep_updates(&mut tx, incident.id, at.micros(), &app.actor, why).await?;
    if kept == 0 {
        return Err(AppError::refused(
            format!("no update of {slug} was promised before {at} and not kept"),
            format!("run `forthright incident timeline {slug}` to see what was promised"),
        ));
    }
    store::duties::look_at(&mut tx, incident.id, super::at_once(app)).await?;
    tx.commit(app.entry("incident.update_sent", slug, serde_json::json!({ "at": at, "why": why, "kept": kept })))
        .await?;
    Ok(kept)
}
