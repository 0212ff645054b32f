//! What was declined, or is said to have been taken back, is open again when its asker objects or asks again by mail.
//!
//! Decides nothing else: a mail closes, assigns and approves nothing. Invariant: an objection only ever adds debt,
//! whoever sent it.

use model::tickets::{Question, QuestionState, asks_again};
use model::time::Timestamp;
use store::Tx;
use store::tickets::{Change, QuestionRow, TicketRow};

use super::declines::how_it_ended;
use super::{add_entry, set_turn};
use crate::{App, AppError};

/// A person's mail to a ticket.
pub(crate) struct Objection<'a> {
    /// Which mail (`inb_…`).
    pub(crate) mail: &'a str,
    /// When it came. Microseconds since the epoch.
    pub(crate) at: i64,
    /// Whether its words object.
    pub(crate) objects: bool,
    /// Whether it says more than thanks, or what nobody here can read.
    pub(crate) insists: bool,
    /// The mail of ours that it answers.
    pub(crate) answers: Option<&'a str>,
    /// What it asks.
    pub(crate) asks: &'a [String],
}

/// Opens the declined and withdrawn questions of a conversation that a mail objects to or asks again; how many. The caller
/// holds the ticket.
pub(crate) async fn object(
    app: &App,
    tx: &mut Tx,
    ticket: &TicketRow,
    said: &Objection<'_>,
) -> Result<usize, AppError> {
    let declined = store::tickets::ended_of_conversation(tx, ticket.incident_id, &ticket.tenant_id).await?;
    if declined.is_empty() {
        return Ok(0);
    }
    let letter = match said.answers {
        Some(mail) => store::delivery::entry_of(tx, mail).await?,
        None => None,
    };
    let named = which(&declined, said, letter.as_deref(), &ticket.id);
    for question in &named {
        // A part that was split off may hold what the letter of the whole declined.
        let part = question.ticket_id.as_str();
        if part != ticket.id {
            store::tickets::lock(tx, part).await?;
        }
        let body = format!("{}; its asker objects ({}): it is open again", how_it_ended(question), said.mail);
        add_entry(app, tx, part, "status", body).await?;
        let change = Change::Reopen { objected_at: Some(said.at) };
        store::tickets::change_question(tx, part, &question.id, said.at, change).await?;
        set_turn(tx, part).await?;
    }
    Ok(named.len())
}

/// Those that the mail asks again; where it answers the letter that declined some, and is no thanks, those; where it
/// objects to nothing in particular, all of its ticket.
fn which<'a>(
    declined: &'a [QuestionRow],
    said: &Objection<'_>,
    letter: Option<&str>,
    ticket: &str,
) -> Vec<&'a QuestionRow> {
    let in_letter = |question: &QuestionRow| letter.is_some() && question.entry_id.as_deref() == letter;
    let answers_a_decline = declined.iter().any(in_letter);
    let is_meant = |question: &&QuestionRow| {
        let again = said.asks.iter().any(|new| asks_again(&old(question), new));
        let by_letter = in_letter(question) && (said.objects || said.insists);
        again || by_letter || (said.objects && !answers_a_decline && question.ticket_id == ticket)
    };
    declined.iter().filter(is_meant).collect()
}

fn old(row: &QuestionRow) -> Question {
    Question {
        id: row.id.clone(),
        state: QuestionState::Declined,
        text: row.text.clone(),
        asked_at: Timestamp::from_micros(row.asked_at),
        promised_by: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declined(id: &str, text: &str, entry: &str) -> QuestionRow {
        QuestionRow {
            id: id.to_owned(),
            ticket_id: "tkt_1".to_owned(),
            state: "declined".to_owned(),
            text: text.to_owned(),
            asked_by: "a@acme.example".to_owned(),
            asked_at: 0,
            promised_by: None,
            settled_at: Some(1),
            entry_id: Some(entry.to_owned()),
            proposed_by: Some("agent".to_owned()),
            decline_why: Some("why".to_owned()),
            review_at: Some(5),
            approved_by: Some("counsel".to_owned()),
            reopened_at: None,
            objected_at: None,
        }
    }

    fn check(objects: bool, asks: &[&str], letter: Option<&str>, expect: &[&str]) {
        let rows = [
            declined("qst_1", "Who has downloaded the files?", "ent_1"),
            declined("qst_2", "Which partners are named in them?", "ent_2"),
        ];
        let asks: Vec<String> = asks.iter().map(|text| (*text).to_owned()).collect();
        let insists = !mail::inbound::says_only_thanks(&asks.concat());
        let said = Objection { mail: "inb_1", at: 9, objects, insists, answers: None, asks: &asks };
        let found: Vec<&str> =
            which(&rows, &said, letter, "tkt_1").iter().map(|question| question.id.as_str()).collect();
        assert_eq!(found, expect, "{objects} {asks:?} {letter:?}");
    }

    #[test]
    fn an_objection_to_the_letter_of_a_decline_means_what_it_declined() {
        check(true, &["We object."], Some("ent_2"), &["qst_2"]);
        check(false, &["Why do you not tell us?"], Some("ent_1"), &["qst_1"]);
    }

    #[test]
    fn whatever_answers_the_letter_of_a_decline_and_is_no_thanks_objects() {
        for text in ["Tell us.", "Our counsel will be in touch.", "お知らせください。"] {
            check(false, &[text], Some("ent_2"), &["qst_2"]);
            check(false, &[text], None, &[]);
        }
    }

    #[test]
    fn an_objection_elsewhere_means_all_that_was_declined() {
        check(true, &["We object."], None, &["qst_1", "qst_2"]);
        check(true, &["We object."], Some("ent_of_an_answer"), &["qst_1", "qst_2"]);
    }

    #[test]
    fn a_question_that_is_asked_again_is_open_again_without_any_word_of_objection() {
        check(false, &["Please: who has downloaded the files?"], None, &["qst_1"]);
        check(false, &["What about qst_2?"], None, &["qst_2"]);
    }

    #[test]
    fn thanks_and_other_questions_open_nothing() {
        check(false, &["Thank you, understood."], Some("ent_1"), &[]);
        check(false, &["Where do we send an invoice?"], None, &[]);
    }
}
