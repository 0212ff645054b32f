//! Everything that happened in a ticket, in order, for whoever reads over the shoulder.
//!
//! Changes nothing. Invariant: every entry, question and mail of the ticket is in it once for each thing that happened, as
//! of one moment.

use model::time::Timestamp;
use serde::Serialize;

use super::case;
use crate::{App, AppError};

/// A ticket's history.
#[derive(Debug, Serialize)]
pub struct Timeline {
    /// The ticket.
    pub ticket: String,
    /// The incident's slug.
    pub incident: String,
    /// With whom.
    pub tenant_id: String,
    /// Their name.
    pub tenant_name: String,
    /// `open` or `closed`.
    pub status: String,
    /// Questions open or promised.
    pub debt: i64,
    /// As of when.
    pub as_of: Timestamp,
    /// What happened, the oldest first.
    pub lines: Vec<Happened>,
}

/// One thing that happened.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// What: `opened`, `question`, `letter`, `delivered`, or the kind of an entry.
    pub what: String,
    /// By or to whom.
    pub who: String,
    /// Its id.
    pub id: String,
    /// In full.
    pub text: String,
}

/// The history of a ticket.
pub async fn timeline(app: &App, ticket: &str) -> Result<Timeline, AppError> {
    let as_of = app.clock.now();
    let mut conn = app.store.snapshot().await?;
    let row = case::find(&mut conn, ticket).await?;
    let incident = app.incident_by_id(&mut conn, row.incident_id).await?;
    let tenant = case::tenant(&mut conn, &row.tenant_id).await?;
    let line = |at: i64, what: &str, who: &str, id: &str, text: String| Happened {
        at: Timestamp::from_micros(at),
        what: what.to_owned(),
        who: who.to_owned(),
        id: id.to_owned(),
        text,
    };
    let mut lines = vec![line(row.opened_at, "opened", "", ticket, String::new())];
    for entry in store::tickets::entries(&mut conn, ticket).await? {
        lines.push(line(entry.at, &entry.kind, &entry.actor, &entry.id, entry.body));
    }
    for question in store::tickets::questions(&mut conn, ticket).await? {
        let state = match question.settled_at.map(Timestamp::from_micros) {
            Some(at) => format!("{} at {at}", question.state),
            None => question.state.clone(),
        };
        let text = format!("{}\n({state})", question.text);
        lines.push(line(question.asked_at, "question", &question.asked_by, &question.id, text));
    }
    for mail in store::delivery::letters_of_ticket(&mut conn, ticket).await? {
        let letter = format!("{}: {}", mail.kind, mail.subject);
        lines.push(line(mail.created_at, "letter", &mail.address, &mail.id, letter));
        let settled = mail.settled_at.map(|at| line(at, &mail.state, &mail.address, &mail.id, mail.last_reply.clone()));
        lines.extend(settled);
    }
    lines.sort();
    Ok(Timeline {
        ticket: row.id,
        incident: incident.slug,
        tenant_id: tenant.id,
        tenant_name: tenant.name,
        status: row.status,
        debt: row.debt,
        as_of,
        lines,
    })
}
