//! Tickets and their questions: states, turns, and the debt that keeps a ticket open.
//!
//! Does not store and does not send. Invariant: [`settle`] is the only source of a [`Settled`], and it gives none
//! while a question is open or promised; closing asks for one.

use crate::delivery::named;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

named! {
    /// Whether the conversation goes on.
    Status {
        /// It goes on.
        Open = "open",
        /// Settled; a reply opens it again.
        Closed = "closed",
    }
}

named! {
    /// Who has to move next.
    Turn {
        /// We owe an answer.
        Ours = "ours",
        /// They have what they asked for, or the notice.
        Theirs = "theirs",
        /// Nobody: closed.
        Nobody = "nobody",
    }
}

named! {
    /// Where a question stands.
    QuestionState {
        /// Asked; debt.
        Open = "open",
        /// An answer is promised by a date; debt.
        Promised = "promised",
        /// Answered by an entry that names it.
        Answered = "answered",
        /// Declined with a reason, by two people, until a review date.
        Declined = "declined",
        /// Taken back by the asker.
        Withdrawn = "withdrawn",
    }
}

impl QuestionState {
    /// Whether the question is debt.
    pub fn is_debt(self) -> bool {
        match self {
            Self::Open | Self::Promised => true,
            Self::Answered | Self::Declined | Self::Withdrawn => false,
        }
    }
}

/// One question of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its id (`qst_…`).
    pub id: String,
    /// Where it stands.
    pub state: QuestionState,
    /// What was asked, in the asker's words.
    pub text: String,
    /// When.
    pub asked_at: Timestamp,
    /// By when an answer is promised, in state promised.
    pub promised_by: Option<Timestamp>,
}

/// Proof that a ticket has no debt. Only [`settle`] makes one.
#[derive(Debug)]
pub struct Settled(());

/// The questions that are debt.
#[derive(Debug, PartialEq, Eq)]
pub struct InDebt(pub Vec<Question>);

/// Proof that nothing is owed, or what is.
pub fn settle(questions: &[Question]) -> Result<Settled, InDebt> {
    let owed: Vec<Question> = questions.iter().filter(|question| question.state.is_debt()).cloned().collect();
    if owed.is_empty() { Ok(Settled(())) } else { Err(InDebt(owed)) }
}

/// Whose turn it is: ours while there is debt, nobody's once closed, else theirs.
pub fn turn(status: Status, debt: usize) -> Turn {
    match (status, debt) {
        (Status::Open, 0) => Turn::Theirs,
        (Status::Open, _) => Turn::Ours,
        (Status::Closed, _) => Turn::Nobody,
    }
}

/// A change to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An answer names it.
    Answer,
    /// A date is promised (again).
    Promise,
    /// A second person agrees to decline it.
    Decline,
    /// The asker takes it back.
    Withdraw,
}

/// The state a step leads to; `None` where the step is not possible: only debt can be answered, promised, declined or
/// withdrawn.
pub fn step(state: QuestionState, step: Step) -> Option<QuestionState> {
    if !state.is_debt() {
        return None;
    }
    Some(match step {
        Step::Answer => QuestionState::Answered,
        Step::Promise => QuestionState::Promised,
        Step::Decline => QuestionState::Declined,
        Step::Withdraw => QuestionState::Withdrawn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn question(state: QuestionState) -> Question {
        let asked_at = Timestamp::from_micros(0);
        Question { id: "qst_1".to_owned(), state, text: "what?".to_owned(), asked_at, promised_by: None }
    }

    #[test]
    fn a_promise_is_debt_and_a_decline_is_not() {
        assert!(settle(&[question(QuestionState::Promised)]).is_err());
        assert!(settle(&[question(QuestionState::Declined), question(QuestionState::Answered)]).is_ok());
        assert!(settle(&[]).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_steps_are_taken_a_ticket_settles_only_without_debt(
            steps in proptest::collection::vec((0_usize..5, 0_usize..4), 0..40),
        ) {
            let mut questions = vec![question(QuestionState::Open); 5];
            for (which, what) in steps {
                let what = [Step::Answer, Step::Promise, Step::Decline, Step::Withdraw][what];
                if let Some(next) = step(questions[which].state, what) {
                    questions[which].state = next;
                }
                let owed = questions.iter().filter(|question| question.state.is_debt()).count();
                prop_assert_eq!(settle(&questions).is_ok(), owed == 0);
                prop_assert_eq!(turn(Status::Open, owed) == Turn::Ours, owed > 0);
            }
        }
    }
}
