//! Tickets and their questions: states, turns, and the debt that keeps a ticket open.
//!
//! Does not store and does not send. Invariant: [`settle`] is the only source of a [`Settled`], and it gives none
//! while a question is open or promised; closing asks for one.

use std::collections::BTreeSet;

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

/// Pairs of characters that two short questions share by chance.
const FEWEST_PAIRS: usize = 8;

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
    /// Its asker objects, or one of our own people looks at it again.
    Reopen,
}

/// The state a step leads to; `None` where the step is not possible: only debt can be promised, declined or withdrawn,
/// and only what was declined or withdrawn is opened again. What was declined can be answered after all.
pub fn step(state: QuestionState, step: Step) -> Option<QuestionState> {
    match (step, state.is_debt(), state) {
        (Step::Answer, true, _) | (Step::Answer, _, QuestionState::Declined) => Some(QuestionState::Answered),
        (Step::Promise, true, _) => Some(QuestionState::Promised),
        (Step::Decline, true, _) => Some(QuestionState::Declined),
        (Step::Withdraw, true, _) => Some(QuestionState::Withdrawn),
        (Step::Reopen, false, QuestionState::Declined | QuestionState::Withdrawn) => Some(QuestionState::Open),
        (Step::Answer | Step::Promise | Step::Decline | Step::Withdraw | Step::Reopen, _, _) => None,
    }
}

/// Two characters in a row, of words without case: what two texts have in common, in any language.
fn pairs(text: &str) -> BTreeSet<(char, char)> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let letters = words.map(|word| word.chars().flat_map(char::to_lowercase).collect::<Vec<_>>());
    letters.flat_map(|word| word.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>()).collect()
}

/// Whether a new question is the old one asked again: it names its id, or most of what the old one says.
pub fn asks_again(old: &Question, new: &str) -> bool {
    if new.contains(&old.id) {
        return true;
    }
    let (before, now) = (pairs(&old.text), pairs(new));
    let common = before.intersection(&now).count();
    common >= FEWEST_PAIRS && common * 10 >= before.len() * 7
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

    #[test]
    fn what_was_declined_is_opened_again_or_answered_and_nothing_else() {
        assert_eq!(step(QuestionState::Declined, Step::Reopen), Some(QuestionState::Open));
        assert_eq!(step(QuestionState::Declined, Step::Answer), Some(QuestionState::Answered));
        for taken in [Step::Promise, Step::Decline, Step::Withdraw] {
            assert_eq!(step(QuestionState::Declined, taken), None);
        }
        assert_eq!(step(QuestionState::Answered, Step::Reopen), None);
        assert_eq!(step(QuestionState::Open, Step::Reopen), None);
    }

    #[test]
    fn a_question_that_is_asked_again_is_known_by_its_words_in_any_language() {
        let asked = |text: &str| Question { text: text.to_owned(), ..question(QuestionState::Declined) };
        assert!(asks_again(&asked("Who has downloaded the files?"), "Once more: who has downloaded those files?"));
        assert!(asks_again(
            &asked("誰がファイルをダウンロードしましたか。"),
            "もう一度伺います。誰がファイルをダウンロードしましたか。"
        ));
        assert!(asks_again(&asked("?"), "What of qst_1?"));
        assert!(!asks_again(&asked("Who has downloaded the files?"), "Where do we send the invoice?"));
        assert!(!asks_again(&asked("Why?"), "Why not?"));
    }

    proptest! {
        #[test]
        fn whatever_steps_are_taken_a_ticket_settles_only_without_debt(
            steps in proptest::collection::vec((0_usize..5, 0_usize..5), 0..40),
        ) {
            let mut questions = vec![question(QuestionState::Open); 5];
            for (which, what) in steps {
                let what = [Step::Answer, Step::Promise, Step::Decline, Step::Withdraw, Step::Reopen][what];
                if let Some(next) = step(questions[which].state, what) {
                    questions[which].state = next;
                }
                let owed = questions.iter().filter(|question| question.state.is_debt()).count();
                prop_assert_eq!(settle(&questions).is_ok(), owed == 0);
                prop_assert_eq!(turn(Status::Open, owed) == Turn::Ours, owed > 0);
            }
        }
    }
    /// What a sequence is made of: mails of people and machines, verbs, ticks, crashes, splits and merges.
    #[derive(Default)]
    struct Ticket {
        questions: Vec<Question>,
        closed: bool,
    }

    fn draw(seed: &mut u64, below: usize) -> usize {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        usize::try_from(*seed % below as u64).unwrap_or_default()
    }

    /// One step of whoever acts, on tickets as the verbs would leave them; a step that the rules refuse changes nothing.
    fn act(seed: &mut u64, tickets: &mut Vec<Ticket>, asked: &mut usize) {
        let which = draw(seed, tickets.len());
        match draw(seed, 9) {
            // A person's mail: a question, and an objection to what was declined.
            0 | 1 => {
                let text = format!("question {asked}?");
                *asked += 1;
                let ticket = &mut tickets[which];
                ticket.questions.push(Question { text, ..question(QuestionState::Open) });
                if draw(seed, 2) == 0 {
                    for declined in ticket.questions.iter_mut() {
                        declined.state = step(declined.state, Step::Reopen).unwrap_or(declined.state);
                    }
                }
                ticket.closed = false;
            }
            2..=5 => {
                let count = tickets[which].questions.len();
                if count == 0 {
                    return;
                }
                let steps = [Step::Answer, Step::Promise, Step::Decline, Step::Withdraw, Step::Reopen];
                let (nth, taken) = (draw(seed, count), steps[draw(seed, 5)]);
                let ticket = &mut tickets[which];
                if let Some(next) = step(ticket.questions[nth].state, taken) {
                    ticket.questions[nth].state = next;
                    ticket.closed &= !next.is_debt();
                }
            }
            6 => tickets[which].closed |= settle(&tickets[which].questions).is_ok(),
            7 if tickets.len() < 4 => {
                let half = tickets[which].questions.len() / 2;
                let part = tickets[which].questions.split_off(half);
                tickets.push(Ticket { questions: part, closed: false });
            }
            7 | 8 if which > 0 => {
                let part = tickets.swap_remove(which);
                tickets[0].closed &= settle(&part.questions).is_ok();
                tickets[0].questions.extend(part.questions);
            }
            // A tick, a machine's mail, a crash before the commit: age and machines change no question.
            _ => {}
        }
    }

    #[test]
    fn no_sequence_of_a_hundred_thousand_closes_with_debt_or_loses_a_question() {
        for seed in 1..=100_000_u64 {
            let mut seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let (mut tickets, mut asked) = (vec![Ticket::default()], 0);
            for _ in 0..draw(&mut seed, 40) {
                act(&mut seed, &mut tickets, &mut asked);
                for ticket in &tickets {
                    let owed = ticket.questions.iter().filter(|question| question.state.is_debt()).count();
                    assert!(!ticket.closed || owed == 0, "closed with {owed} open");
                }
            }
            let mut there: Vec<&str> = tickets
                .iter()
                .flat_map(|ticket| ticket.questions.iter().map(|question| question.text.as_str()))
                .collect();
            there.sort_unstable();
            there.dedup();
            assert_eq!(there.len(), asked, "every question is in exactly one ticket");
            assert_eq!(tickets.iter().map(|ticket| ticket.questions.len()).sum::<usize>(), asked);
        }
    }
}
