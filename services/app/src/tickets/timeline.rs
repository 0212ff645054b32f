//! Everything that happened in a ticket, in order, for whoever reads over the shoulder.
//!
//! Changes nothing. Invariant: every entry, question and mail of the ticket, and of what was merged into it, is in it once
//! for each thing that happened, as of one moment, and each letter stands there as it was sent.

use std::collections::BTreeMap;

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
    let mut lines = vec![line(row.opened_at, "opened", "", ticket, String::new())];
    for part in store::tickets::with_merged(&mut conn, &row).await? {
        let before = lines.len();
        lines.extend(of_part(&mut conn, &part).await?);
        if part != row.id {
            let merged = |line: &mut Happened| line.text = format!("(in {part}, merged since)\n{}", line.text);
            lines[before..].iter_mut().for_each(merged);
        }
    }
    lines.sort_by(|a, b| (a.at, rank(&a.what), &a.id).cmp(&(b.at, rank(&b.what), &b.id)));
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

/// What happened in one ticket. The words of a letter stand with the first of its readers.
async fn of_part(conn: &mut store::Conn, ticket: &str) -> Result<Vec<Happened>, AppError> {
    let mut lines = Vec::new();
    for entry in store::tickets::entries(conn, ticket).await? {
        lines.push(line(entry.at, &entry.kind, &entry.actor, &entry.id, entry.body));
    }
    for question in store::tickets::questions(conn, ticket).await? {
        let state = match question.settled_at.map(Timestamp::from_micros) {
            Some(at) => format!("{} at {at}", question.state),
            None => question.state.clone(),
        };
        let text = format!("{}\n({state})", question.text);
        lines.push(line(question.asked_at, "question", &question.asked_by, &question.id, text));
    }
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    for mail in store::delivery::letters_of_ticket(conn, ticket).await? {
        let head = format!("{}: {}", mail.kind, mail.subject);
        let letter = match written.get(&mail.letter_id) {
            Some(first) => format!("{head}\n(the words of {first})"),
            None => format!("{head}\n\n{}", mail.text.trim_end()),
        };
        written.entry(mail.letter_id).or_insert_with(|| mail.id.clone());
        lines.push(line(mail.created_at, "letter", &mail.address, &mail.id, letter));
        lines.extend(mail.settled_at.map(|at| line(at, &mail.state, &mail.address, &mail.id, mail.last_reply.clone())));
    }
    Ok(lines)
}

fn line(at: i64, what: &str, who: &str, id: &str, text: String) -> Happened {
    Happened { at: Timestamp::from_micros(at), what: what.to_owned(), who: who.to_owned(), id: id.to_owned(), text }
}

/// Of what happened at one moment, what came of what.
fn rank(what: &str) -> u8 {
    match what {
        "opened" => 0,
        "mail" => 1,
        "question" => 2,
        "answer" | "promise" | "decline" | "withdrawal" | "note" | "status" | "escalation" => 3,
        "letter" => 4,
        _ => 5,
    }
}
