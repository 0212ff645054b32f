//! What agents said of questions so that an answer needs no facts, for a reviewer.
//!
//! Changes nothing and judges nothing. Invariant: every such word is listed, with who said it and what was asked.

use model::time::Timestamp;
use serde::Serialize;

use super::specific::NOT_ABOUT_FACTS;
use crate::{App, AppError};

/// A question that an agent says is not about facts.
#[derive(Debug, Serialize)]
pub struct SetAside {
    /// The ticket.
    pub ticket: String,
    /// With whom.
    pub tenant_id: String,
    /// `qst_…`.
    pub question: String,
    /// When.
    pub at: Timestamp,
    /// Who said so.
    pub said_by: String,
    /// The reason.
    pub why: String,
    /// What was asked.
    pub text: String,
}

/// All of an incident, the oldest first.
pub async fn set_aside(app: &App, slug: &str) -> Result<Vec<SetAside>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let entries = store::tickets::entries_of_kind(&mut conn, incident.id, NOT_ABOUT_FACTS).await?;
    let mut listed = Vec::with_capacity(entries.len());
    for entry in entries {
        let (questions, why) = entry.body.split_once(": ").unwrap_or(("", &entry.body));
        for id in questions.split(", ") {
            let question = store::tickets::question(&mut conn, id).await?;
            listed.push(SetAside {
                ticket: entry.ticket_id.clone(),
                tenant_id: entry.tenant_id.clone(),
                question: id.to_owned(),
                at: Timestamp::from_micros(entry.at),
                said_by: entry.actor.clone(),
                why: why.to_owned(),
                text: question.map(|question| question.text).unwrap_or_default(),
            });
        }
    }
    Ok(listed)
}
