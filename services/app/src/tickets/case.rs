//! A ticket under its row lock, with its incident and questions: what every verb starts from.
//!
//! Changes nothing. Invariant: what is read here is read after the lock, so it stays true until the commit.

use model::tickets::{Question, QuestionState, Step, step};
use model::time::Timestamp;
use store::directory::Tenant;
use store::tickets::{QuestionRow, TicketRow};
use store::{Conn, StoreError, Tx};

use crate::{App, AppError, Incident};

/// A ticket that is being worked on.
pub(super) struct Case {
    pub(super) incident: Incident,
    pub(super) ticket: TicketRow,
    pub(super) questions: Vec<QuestionRow>,
}

impl Case {
    pub(super) async fn open(app: &App, tx: &mut Tx, id: &str) -> Result<Self, AppError> {
        let ticket = locked(tx, id).await?;
        let incident = app.incident_by_id(tx, ticket.incident_id).await?;
        let questions = store::tickets::questions(tx, id).await?;
        Ok(Self { incident, ticket, questions })
    }

    /// The organisation.
    pub(super) async fn tenant(&self, tx: &mut Tx) -> Result<Tenant, AppError> {
        tenant(tx, &self.ticket.tenant_id).await
    }

    /// The questions of these ids, each once, all of this ticket and all able to take the step.
    pub(super) fn named(&self, ids: &[String], wanted: Step) -> Result<Vec<QuestionRow>, AppError> {
        let ticket = &self.ticket.id;
        let hint = format!("run `forthright ticket show {ticket}` to see its questions");
        if ids.is_empty() {
            return Err(AppError::bad("no question is named", format!("name at least one with --questions; {hint}")));
        }
        let mut named: Vec<QuestionRow> = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(question) = self.questions.iter().find(|question| question.id == *id) else {
                return Err(AppError::bad(format!("{id} is no question of ticket {ticket}"), hint));
            };
            if step(state(question)?, wanted).is_none() {
                return Err(AppError::bad(format!("question {id} is {} already", question.state), hint));
            }
            if !named.iter().any(|there| there.id == *id) {
                named.push(question.clone());
            }
        }
        Ok(named)
    }

    /// All questions in the model's form; a state that this program does not know is an error, never a question less.
    pub(super) fn model_questions(&self) -> Result<Vec<Question>, AppError> {
        let question = |row: &QuestionRow| -> Result<Question, AppError> {
            Ok(Question {
                id: row.id.clone(),
                state: state(row)?,
                text: row.text.clone(),
                asked_at: Timestamp::from_micros(row.asked_at),
                promised_by: row.promised_by.map(Timestamp::from_micros),
            })
        };
        self.questions.iter().map(question).collect()
    }
}

fn state(question: &QuestionRow) -> Result<QuestionState, StoreError> {
    QuestionState::parse(&question.state)
        .ok_or_else(|| StoreError::Unknown { what: format!("questions.state {}", question.state) })
}

/// The organisation of an id.
pub(super) async fn tenant(conn: &mut Conn, id: &str) -> Result<Tenant, AppError> {
    store::directory::tenant(conn, id)
        .await?
        .ok_or_else(|| AppError::missing(format!("no tenant {id}"), "run `forthright directory import` with it"))
}

/// The ticket of an id.
pub(super) async fn find(conn: &mut Conn, id: &str) -> Result<TicketRow, AppError> {
    store::tickets::by_id(conn, id).await?.ok_or_else(|| {
        AppError::missing(format!("no ticket {id}"), "run `forthright ticket list SLUG` to see what there is")
    })
}

/// The ticket of an id, as it stays until the commit.
pub(super) async fn locked(tx: &mut Tx, id: &str) -> Result<TicketRow, AppError> {
    find(tx, id).await?;
    store::tickets::lock(tx, id).await?;
    find(tx, id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(id: &str, state: &str) -> QuestionRow {
        QuestionRow {
            id: id.to_owned(),
            ticket_id: "tkt_1".to_owned(),
            state: state.to_owned(),
            text: "?".to_owned(),
            asked_by: "a@acme.example".to_owned(),
            asked_at: 0,
            promised_by: None,
            settled_at: None,
            entry_id: None,
            proposed_by: None,
            decline_why: None,
            review_at: None,
            approved_by: None,
            reopened_at: None,
            objected_at: None,
        }
    }

    #[test]
    fn a_state_that_nobody_knows_is_an_error_and_not_a_settled_question() {
        assert!(state(&question("qst_1", "parked")).is_err());
        assert_eq!(state(&question("qst_1", "promised")).unwrap(), QuestionState::Promised);
    }
}
