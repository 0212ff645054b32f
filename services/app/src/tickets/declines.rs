//! Declining a question: proposed, signed by a second person, looked at again.
//!
//! Invariant: what one person proposed is debt until another signs, and what was declined can be opened again at any time.

use std::collections::BTreeMap;

use model::actor::is_one_person;
use model::tickets::{QuestionState, Step};
use model::time::Timestamp;
use serde::Serialize;
use store::Tx;
use store::tickets::{Change, QuestionRow};

use super::case::Case;
use super::letters::{self, Content, Post};
use super::{
    About, Answered, Done, add_entry, cut, finish, foreign, ids, in_future, links, not_passed, set_turn, unsaid,
    untrue, words,
};
use crate::{App, AppError};

/// A decline that waits for a second person.
#[derive(Debug, Serialize)]
pub struct Proposed {
    /// The ticket.
    pub ticket: String,
    /// The timeline entry.
    pub entry: String,
    /// The questions it is about; they stay open.
    pub questions: Vec<String>,
    /// When the decision is to be looked at again.
    pub review_at: Timestamp,
}

/// Proposes to decline questions. Nothing leaves and they stay debt until a second person agrees.
pub async fn decline(
    app: &App,
    ticket: &str,
    questions: &[String],
    why: &str,
    review_at: Timestamp,
) -> Result<Proposed, AppError> {
    let why = words(why, "the reason")?;
    let now = app.clock.now();
    in_future(review_at, now, "the review")?;
    let mut tx = app.store.begin().await?;
    let case = Case::open(app, &mut tx, ticket).await?;
    not_passed(&mut tx, ticket, review_at, "the review").await?;
    let named = ids(&case.named(questions, Step::Decline)?);
    links::refuse_outside(app, &mut tx, &case, "the reason", why).await?;
    foreign::refuse(app, &mut tx, &case, "the reason", why).await?;
    untrue::refuse(app, &mut tx, &case, "the reason", why).await?;
    unsaid::refuse(&mut tx, &case, why).await?;
    let body = format!("proposed for {}, review at {review_at}\n\n{why}", named.join(", "));
    let entry = add_entry(app, &mut tx, ticket, "decline", body).await?;
    for question in &named {
        let change = Change::ProposeDecline { by: &app.actor, why, review_at: review_at.micros() };
        store::tickets::change_question(&mut tx, ticket, question, now.micros(), change).await?;
    }
    let detail = serde_json::json!({ "entry": entry, "questions": named, "why": why, "review_at": review_at });
    tx.commit(app.entry("ticket.decline", ticket, detail)).await?;
    Ok(Proposed { ticket: ticket.to_owned(), entry, questions: named, review_at })
}

/// Declines questions as the second person; the letter says why and when it is looked at again.
pub async fn approve_decline(app: &App, ticket: &str, questions: &[String]) -> Result<Answered, AppError> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let case = Case::open(app, &mut tx, ticket).await?;
    let named = case.named(questions, Step::Decline)?;
    let groups = by_reason(&named, &app.actor)?;
    for (_, review_at) in groups.keys() {
        in_future(Timestamp::from_micros(*review_at), now, "the review of the decline")?;
    }
    for (reason, _) in groups.keys() {
        links::refuse_outside(app, &mut tx, &case, "the reason", reason).await?;
        foreign::refuse(app, &mut tx, &case, "the reason", reason).await?;
        untrue::refuse(app, &mut tx, &case, "the reason", reason).await?;
        unsaid::refuse(&mut tx, &case, reason).await?;
    }
    let entry = add_entry(app, &mut tx, ticket, "decline", format!("approved for {}", ids(&named).join(", "))).await?;
    let change = Change::Decline { entry: &entry, by: &app.actor };
    for question in &named {
        store::tickets::change_question(&mut tx, ticket, &question.id, now.micros(), change).await?;
    }
    let mut mails = 0;
    for ((reason, review_at), about) in &groups {
        let content = Content::Decline { reason, review_at: Timestamp::from_micros(*review_at) };
        mails += letters::queue(app, &mut tx, &case, &Post { about, content, entry: &entry }).await?;
    }
    finish(app, tx, "ticket.decline-approve", ticket, Done { entry, mails, named, about: About::Facts }).await
}

/// The questions by reason and review date: each group is one letter. Never with the proposer's own approval.
fn by_reason(named: &[QuestionRow], actor: &str) -> Result<BTreeMap<(String, i64), Vec<QuestionRow>>, AppError> {
    let mut groups: BTreeMap<(String, i64), Vec<QuestionRow>> = BTreeMap::new();
    for question in named {
        let (Some(by), Some(why), Some(review_at)) = (&question.proposed_by, &question.decline_why, question.review_at)
        else {
            return Err(AppError::bad(
                format!("nobody has proposed to decline question {}", question.id),
                format!(
                    "propose it with `forthright ticket decline {} --questions {} --why TEXT --review TIME`",
                    question.ticket_id, question.id
                ),
            ));
        };
        if is_one_person(by, actor) {
            return Err(AppError::refused(
                format!(
                    "{actor} proposed to decline question {} and cannot approve it too: two people decline",
                    question.id
                ),
                "let somebody else approve it: --actor NAME",
            ));
        }
        groups.entry((why.clone(), review_at)).or_default().push(question.clone());
    }
    Ok(groups)
}

/// Opens a declined or withdrawn question again: it is debt from now on, and needs an answer or two people anew.
pub async fn reopen(app: &App, question: &str, why: &str) -> Result<(), AppError> {
    let why = words(why, "the reason")?;
    let now = app.clock.now().micros();
    let mut tx = app.store.begin().await?;
    let ticket = ticket_of(&mut tx, question).await?;
    let case = Case::open(app, &mut tx, &ticket).await?;
    let named = case.named(&[question.to_owned()], Step::Reopen)?;
    let ended = named.first().map(how_it_ended).unwrap_or_default();
    let entry = add_entry(app, &mut tx, &ticket, "status", format!("{ended}; it is open again: {why}")).await?;
    let change = Change::Reopen { objected_at: None };
    store::tickets::change_question(&mut tx, &ticket, question, now, change).await?;
    set_turn(&mut tx, &ticket).await?;
    let detail = serde_json::json!({ "ticket": ticket, "entry": entry, "why": why });
    Ok(tx.commit(app.entry("question.reopen", question, detail)).await?)
}

/// What had been decided of a question, for the timeline: the row forgets it.
pub(super) fn how_it_ended(question: &QuestionRow) -> String {
    if question.state == QuestionState::Withdrawn.as_str() {
        return format!("{} was said to be taken back", question.id);
    }
    let none = String::new();
    let by = [&question.proposed_by, &question.approved_by].map(|name| name.as_ref().unwrap_or(&none).as_str());
    let review = question.review_at.map(|at| format!(", review at {}", Timestamp::from_micros(at))).unwrap_or_default();
    let why = cut(question.decline_why.as_ref().unwrap_or(&none));
    format!("{} was declined by {} and {} ({why}{review})", question.id, by[0], by[1])
}

pub(super) async fn ticket_of(tx: &mut Tx, question: &str) -> Result<String, AppError> {
    match store::tickets::question(tx, question).await? {
        Some(row) => Ok(row.ticket_id),
        None => Err(AppError::missing(
            format!("no question {question}"),
            "run `forthright ticket show TICKET` to see its questions",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_approves_their_own_decline() {
        let question = QuestionRow {
            id: "qst_1".to_owned(),
            ticket_id: "tkt_1".to_owned(),
            state: "open".to_owned(),
            text: "?".to_owned(),
            asked_by: "a@acme.example".to_owned(),
            asked_at: 0,
            promised_by: None,
            settled_at: None,
            entry_id: None,
            proposed_by: Some("agent".to_owned()),
            decline_why: Some("why".to_owned()),
            review_at: Some(5),
            approved_by: None,
            reopened_at: None,
            objected_at: None,
        };
        assert_eq!(by_reason(std::slice::from_ref(&question), "agent").unwrap_err().exit_code(), 4);
        assert_eq!(by_reason(std::slice::from_ref(&question), "counsel").unwrap().len(), 1);
        let unproposed = QuestionRow { proposed_by: None, ..question };
        assert_eq!(by_reason(&[unproposed], "counsel").unwrap_err().exit_code(), 1);
    }
}
