//! A conversation in parts: split where it is about several things, merged where it is about one.
//!
//! Answers and closes nothing. Invariant: no question is lost, none leaves its organisation or incident, and the tokens
//! of all parts go on landing.

use serde::Serialize;
use store::Tx;
use store::tickets::{NewTicket, QuestionRow, TicketRow};

use super::case::{self, Case};
use super::{add_entry, ids, set_turn, watchers};
use crate::{App, AppError, new_id};

/// A part that was split off.
#[derive(Debug, Serialize)]
pub struct Split {
    /// The ticket it was a part of.
    pub ticket: String,
    /// The new one.
    pub part: String,
    /// The questions that went there.
    pub questions: Vec<String>,
    /// Debt of the ticket that was split.
    pub debt: i64,
    /// Debt of the new one.
    pub part_debt: i64,
}

/// A part that was merged.
#[derive(Debug, Serialize)]
pub struct Merged {
    /// The ticket that is closed.
    pub ticket: String,
    /// Where its questions are, and where its mail lands.
    pub into: String,
    /// The questions that went there.
    pub questions: Vec<String>,
    /// Debt of the other one.
    pub debt: i64,
}

/// Moves questions into a ticket of their own, with the same organisation, incident and agent.
pub async fn split(app: &App, ticket: &str, questions: &[String]) -> Result<Split, AppError> {
    let mut tx = app.store.begin().await?;
    let case = Case::open(app, &mut tx, ticket).await?;
    refuse_merged(&case.ticket)?;
    let named = of_ticket(&case, questions)?;
    let part = new_id("tkt");
    let named_token = format!("{}/{}/{part}", case.incident.slug, case.ticket.tenant_id);
    let token = model::ids::ticket_token(case.incident.key.bytes(), &named_token);
    let new = NewTicket { id: part.clone(), tenant_id: case.ticket.tenant_id.clone(), token };
    store::tickets::insert_part(&mut tx, ticket, &new, app.clock.now().micros()).await?;
    move_all(&mut tx, &named, ticket, &part).await?;
    watchers::go_along(&mut tx, ticket, &part, app.clock.now().micros()).await?;
    let names = ids(&named);
    add_entry(app, &mut tx, ticket, "status", format!("{} went to {part}", names.join(", "))).await?;
    add_entry(app, &mut tx, &part, "status", format!("split off {ticket} with {}", names.join(", "))).await?;
    let debt = set_turn(&mut tx, ticket).await?.debt;
    let part_debt = set_turn(&mut tx, &part).await?.debt;
    let detail = serde_json::json!({ "part": part, "questions": names });
    tx.commit(app.entry("ticket.split", ticket, detail)).await?;
    Ok(Split { ticket: ticket.to_owned(), part, questions: names, debt, part_debt })
}

/// Moves all questions of a part into another ticket of the same organisation and incident, and closes it.
pub async fn merge(app: &App, ticket: &str, into: &str) -> Result<Merged, AppError> {
    let mut tx = app.store.begin().await?;
    lock_both(&mut tx, ticket, into).await?;
    let case = Case::open(app, &mut tx, ticket).await?;
    let other = case::find(&mut tx, into).await?;
    refuse_merge(&case.ticket, &other)?;
    let held = store::delivery::held_answers(&mut tx, ticket).await?;
    if !held.is_empty() {
        return Err(super::unsent(&case, &held));
    }
    move_all(&mut tx, &case.questions, ticket, into).await?;
    watchers::go_along(&mut tx, ticket, into, app.clock.now().micros()).await?;
    store::tickets::merge(&mut tx, ticket, into, app.clock.now().micros()).await?;
    let names = ids(&case.questions);
    let which = if names.is_empty() { "no question".to_owned() } else { names.join(", ") };
    add_entry(app, &mut tx, ticket, "status", format!("merged into {into}, with {which}")).await?;
    add_entry(app, &mut tx, into, "status", format!("{ticket} was merged into it, with {which}")).await?;
    let debt = set_turn(&mut tx, into).await?.debt;
    let detail = serde_json::json!({ "into": into, "questions": names });
    tx.commit(app.entry("ticket.merge", ticket, detail)).await?;
    Ok(Merged { ticket: ticket.to_owned(), into: into.to_owned(), questions: names, debt })
}

/// Always in the same order, so that two who merge do not wait for each other.
async fn lock_both(tx: &mut Tx, one: &str, other: &str) -> Result<(), AppError> {
    let mut both = [one, other];
    both.sort_unstable();
    for ticket in both {
        case::locked(tx, ticket).await?;
    }
    Ok(())
}

async fn move_all(tx: &mut Tx, questions: &[QuestionRow], from: &str, to: &str) -> Result<(), AppError> {
    for question in questions {
        store::tickets::move_question(tx, &question.id, from, to).await?;
    }
    Ok(())
}

/// The questions of these ids, in any state, each once.
fn of_ticket(case: &Case, questions: &[String]) -> Result<Vec<QuestionRow>, AppError> {
    let ticket = &case.ticket.id;
    let hint = format!("run `forthright ticket show {ticket}` to see its questions");
    let mut named: Vec<QuestionRow> = Vec::with_capacity(questions.len());
    for id in questions {
        let Some(question) = case.questions.iter().find(|question| question.id == *id) else {
            return Err(AppError::bad(format!("{id} is no question of ticket {ticket}"), hint));
        };
        if !named.iter().any(|there| there.id == *id) {
            named.push(question.clone());
        }
    }
    if named.is_empty() {
        return Err(AppError::bad("no question is named", format!("name at least one with --questions; {hint}")));
    }
    Ok(named)
}

fn refuse_merged(ticket: &TicketRow) -> Result<(), AppError> {
    match &ticket.merged_into {
        None => Ok(()),
        Some(into) => Err(AppError::refused(
            format!("ticket {} was merged into {into} and has no questions of its own", ticket.id),
            format!("go on with {into}"),
        )),
    }
}

fn refuse_merge(ticket: &TicketRow, into: &TicketRow) -> Result<(), AppError> {
    let (id, other) = (&ticket.id, &into.id);
    if id == other {
        return Err(AppError::bad(format!("ticket {id} cannot be merged into itself"), "name two tickets"));
    }
    if (ticket.incident_id, &ticket.tenant_id) != (into.incident_id, &into.tenant_id) {
        return Err(AppError::refused(
            format!("ticket {id} and ticket {other} are of different organisations or incidents"),
            "nothing of one organisation goes to another: answer each by itself",
        ));
    }
    refuse_merged(ticket)?;
    refuse_merged(into)?;
    if ticket.split_from.is_none() {
        return Err(AppError::refused(
            format!("ticket {id} is the one that the notice opened, and stays"),
            format!("merge the other way round: forthright ticket merge {other} {id}"),
        ));
    }
    Ok(())
}
