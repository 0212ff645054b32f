//! Tickets: the verbs that answer, promise, decline, take back and close.
//!
//! Files no mail (that is `inbound`) and counts no debt (triggers do). Invariant: closing asks for a `Settled`, which
//! `model::tickets::settle` gives only when nothing is owed, and every step is taken under the ticket's row lock.

mod attachments;
mod case;
mod declines;
mod filled;
mod foreign;
mod letters;
mod links;
mod objections;
mod pack;
mod parts;
mod phrases;
mod review;
mod search;
mod sheets;
mod show;
mod specific;
mod timeline;
mod unsaid;
mod untrue;
mod watchers;
mod withdrawals;
mod wrong_recipient;

use model::delivery::State;
use model::tickets::{InDebt, Settled, Status, Step, settle, turn};
use model::time::Timestamp;
use serde::Serialize;
use store::Tx;
use store::delivery::Held;
use store::tickets::{Change, Entry, QuestionRow, TicketRow};

pub use attachments::{ListedAttachment, attachment, attachments};
pub use declines::{Proposed, approve_decline, decline, reopen};
pub use filled::{Intent, Outcome, answer_many, answer_with};
pub use pack::{DraftAnswer, Held as WithheldFact, Pack, Settled as SettledQuestion, pack};
pub use parts::{Merged, Split, merge, split};
pub use review::{SetAside, set_aside};
pub use search::{Found, search};
pub use show::{EntryView, MailView, QuestionView, Shown, TenantView, TicketView, list, show, show_full};
pub use specific::About;

pub use timeline::{Happened, Timeline, timeline};
pub use watchers::{unwatch, watch};
pub use withdrawals::{Withdrawal, withdraw_question};

pub(crate) use objections::{Objection, object};
pub(crate) use sheets::sheets;
pub(crate) use unsaid::evasion;
pub(crate) use watchers::tell as tell_watchers;
pub(crate) use wrong_recipient::{NotTheirs, dispute, is_written_to, named_instead};
pub use wrong_recipient::{Stopped, Wrong, wrong_recipient};

use case::Case;
use letters::{Content, Post};

use crate::{App, AppError, Incident, new_id};

/// Questions that a refusal quotes.
const QUOTED: usize = 5;
/// 90 days.
const LONGEST_PROMISE: std::time::Duration = std::time::Duration::from_secs(90 * 86_400);
/// Characters of a quoted question.
const QUOTED_LENGTH: usize = 120;

/// What an answer, a promise or an approved decline did.
#[derive(Debug, Serialize)]
pub struct Answered {
    /// The ticket.
    pub ticket: String,
    /// The timeline entry.
    pub entry: String,
    /// Mails queued.
    pub mails: usize,
    /// The questions it is about.
    pub questions: Vec<String>,
    /// Questions that are still open or promised.
    pub debt: i64,
    /// Why the letter does not leave now, and what lets it go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
}

/// Answers questions by name; the letter goes to whoever asked, if they are a contact, else to whoever has the notice.
/// While facts of theirs were not told, the text names one of them, or the agent says that it is asked about something else.
pub async fn answer(
    app: &App,
    ticket: &str,
    questions: &[String],
    text: &str,
    about: About<'_>,
) -> Result<Answered, AppError> {
    let text = words(text, "the answer")?;
    let about = about.checked()?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let case = Case::open(app, &mut tx, ticket).await?;
    let named = case.named(questions, Step::Answer)?;
    links::refuse_outside(app, &mut tx, &case, "the answer", text).await?;
    foreign::refuse(app, &mut tx, &case, "the answer", text).await?;
    unsaid::refuse(&mut tx, &case, text).await?;
    specific::refuse_generic(app, &mut tx, &case, &[text], about).await?;
    untrue::refuse(app, &mut tx, &case, "the answer", text).await?;
    let entry = add_entry(app, &mut tx, ticket, "answer", text.to_owned()).await?;
    specific::record(app, &mut tx, ticket, &named, about).await?;
    for question in &named {
        store::tickets::change_question(&mut tx, ticket, &question.id, now.micros(), Change::Answer { entry: &entry })
            .await?;
    }
    let post = Post { about: &named, content: Content::Answer { text }, entry: &entry };
    let mails = letters::queue(app, &mut tx, &case, &post).await?;
    finish(app, tx, "ticket.answer", ticket, Done { entry, mails, named, about }).await
}

/// Promises an answer by a time. The questions stay debt.
pub async fn promise(
    app: &App,
    ticket: &str,
    questions: &[String],
    by: Timestamp,
    text: &str,
) -> Result<Answered, AppError> {
    let text = without_nul(text.trim(), "the text")?;
    let now = app.clock.now();
    in_future(by, now, "the promised time")?;
    if by > now.plus(LONGEST_PROMISE) {
        return Err(AppError::refused(
            format!("{by} is more than {} days ahead: a promise that far is none", LONGEST_PROMISE.as_secs() / 86_400),
            format!("promise a time before {}, and promise again when it has come", now.plus(LONGEST_PROMISE)),
        ));
    }
    let mut tx = app.store.begin().await?;
    let case = Case::open(app, &mut tx, ticket).await?;
    not_passed(&mut tx, ticket, by, "the promised time").await?;
    let named = case.named(questions, Step::Promise)?;
    links::refuse_outside(app, &mut tx, &case, "the promise", text).await?;
    foreign::refuse(app, &mut tx, &case, "the promise", text).await?;
    untrue::refuse(app, &mut tx, &case, "the promise", text).await?;
    unsaid::refuse(&mut tx, &case, text).await?;
    let body = format!("by {by} for {}\n\n{text}", ids(&named).join(", ")).trim_end().to_owned();
    let entry = add_entry(app, &mut tx, ticket, "promise", body).await?;
    for question in &named {
        let change = Change::Promise { by: by.micros() };
        store::tickets::change_question(&mut tx, ticket, &question.id, now.micros(), change).await?;
    }
    let post = Post { about: &named, content: Content::Promise { by, text }, entry: &entry };
    let mails = letters::queue(app, &mut tx, &case, &post).await?;
    finish(app, tx, "ticket.promise", ticket, Done { entry, mails, named, about: About::Facts }).await
}

/// Adds an internal note. Nothing leaves, no question changes.
pub async fn note(app: &App, ticket: &str, text: &str) -> Result<(), AppError> {
    let text = words(text, "the note")?;
    let mut tx = app.store.begin().await?;
    case::locked(&mut tx, ticket).await?;
    let entry = add_entry(app, &mut tx, ticket, "note", text.to_owned()).await?;
    Ok(tx.commit(app.entry("ticket.note", ticket, serde_json::json!({ "entry": entry }))).await?)
}

/// Says who takes care of a ticket.
pub async fn assign(app: &App, ticket: &str, agent: &str) -> Result<(), AppError> {
    let agent = person(agent, "the agent")?;
    let mut tx = app.store.begin().await?;
    let before = case::locked(&mut tx, ticket).await?.agent;
    store::tickets::set_agent(&mut tx, ticket, agent).await?;
    add_entry(app, &mut tx, ticket, "status", format!("{agent} takes care of it")).await?;
    let detail = serde_json::json!({ "agent": agent, "before": before });
    Ok(tx.commit(app.entry("ticket.assign", ticket, detail)).await?)
}

/// Closes a ticket that owes nothing; one that is closed stays so. Refused, with the questions named, while it owes, and
/// with the letters named while an agent's is held or was tried in vain.
pub async fn close(app: &App, ticket: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let case = Case::open(app, &mut tx, ticket).await?;
    if case.ticket.status == Status::Closed.as_str() {
        return Ok(());
    }
    let proof = settle(&case.model_questions()?).map_err(|owed| in_debt(ticket, &owed))?;
    let held = store::delivery::held_answers(&mut tx, ticket).await?;
    if !held.is_empty() {
        return Err(unsent(&case, &held));
    }
    close_settled(app, &mut tx, ticket, proof).await?;
    let detail = serde_json::json!({ "questions": case.questions.len() });
    Ok(tx.commit(app.entry("ticket.close", ticket, detail)).await?)
}

async fn close_settled(app: &App, tx: &mut Tx, ticket: &str, _proof: Settled) -> Result<(), AppError> {
    store::tickets::close(tx, ticket, app.clock.now().micros()).await?;
    add_entry(app, tx, ticket, "status", "closed".to_owned()).await?;
    Ok(())
}

fn in_debt(ticket: &str, InDebt(owed): &InDebt) -> AppError {
    let quotes: Vec<String> =
        owed.iter().take(QUOTED).map(|question| format!("\"{}\" ({})", cut(&question.text), question.id)).collect();
    let more = match owed.len().saturating_sub(QUOTED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let (noun, pronoun) = if owed.len() == 1 { ("question", "it") } else { ("questions", "them") };
    let ids: Vec<&str> = owed.iter().map(|question| question.id.as_str()).collect();
    AppError::refused(
        format!("ticket {ticket} has {} open {noun}: {}{more}", owed.len(), quotes.join(", ")),
        format!(
            "answer {pronoun} with `forthright ticket answer {ticket} --questions {} --text FILE`, or decline {pronoun} with a second person",
            ids.join(",")
        ),
    )
}

/// What an agent wrote and nobody has: a ticket is not closed over it.
fn unsent(case: &Case, held: &[Held]) -> AppError {
    let ticket = &case.ticket.id;
    let names: Vec<String> =
        held.iter().map(|mail| format!("{} to {} ({})", mail.id, mail.address, mail.state)).collect();
    let hint = if held.iter().any(|mail| mail.state == State::Queued.as_str()) {
        what_lets_it_go(&case.incident)
    } else {
        format!("it is tried again by itself: `forthright ticket show {ticket}` says what came of it")
    };
    AppError::refused(format!("ticket {ticket} has a letter that has not left: {}", names.join(", ")), hint)
}

fn what_lets_it_go(incident: &Incident) -> String {
    format!(
        "it leaves once a person has settled what somebody says is not theirs: `forthright mapping review {} --list conflict`",
        incident.slug
    )
}

/// A question on one line, cut to what a sentence can quote.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= QUOTED_LENGTH {
        return line;
    }
    line.chars().take(QUOTED_LENGTH - 1).chain(['…']).collect()
}

/// What a step did, before it is committed.
struct Done<'a> {
    entry: String,
    mails: usize,
    named: Vec<QuestionRow>,
    about: About<'a>,
}

async fn finish(app: &App, mut tx: Tx, verb: &'static str, ticket: &str, done: Done<'_>) -> Result<Answered, AppError> {
    let row = set_turn(&mut tx, ticket).await?;
    let (debt, questions) = (row.debt, ids(&done.named));
    let held = store::delivery::held_answers(&mut tx, ticket).await?;
    let waits = match held.iter().find(|mail| mail.state == State::Queued.as_str()) {
        Some(_) => Some(what_lets_it_go(&app.incident_by_id(&mut tx, row.incident_id).await?)),
        None => None,
    };
    let mut detail = serde_json::json!({
        "entry": done.entry, "questions": questions, "mails": done.mails, "debt": debt, "waits": waits.is_some(),
    });
    if let About::SomethingElse { why } = done.about {
        detail["not_about_facts"] = why.into();
    }
    tx.commit(app.entry(verb, ticket, detail)).await?;
    Ok(Answered { ticket: ticket.to_owned(), entry: done.entry, mails: done.mails, questions, debt, waits })
}

/// Writes whose turn it is by the debt as the triggers have counted it.
pub(crate) async fn set_turn(tx: &mut Tx, ticket: &str) -> Result<TicketRow, AppError> {
    let row = case::find(tx, ticket).await?;
    let status = Status::parse(&row.status)
        .ok_or_else(|| store::StoreError::Unknown { what: format!("tickets.status {}", row.status) })?;
    let debt = usize::try_from(row.debt).unwrap_or_default();
    store::tickets::set_turn(tx, ticket, turn(status, debt).as_str()).await?;
    Ok(row)
}

async fn add_entry(app: &App, tx: &mut Tx, ticket: &str, kind: &str, body: String) -> Result<String, AppError> {
    let entry = Entry {
        id: new_id("ent"),
        at: app.clock.now().micros(),
        kind: kind.to_owned(),
        actor: app.actor.clone(),
        body,
    };
    store::tickets::insert_entry(tx, ticket, &entry).await?;
    Ok(entry.id)
}

fn ids(questions: &[QuestionRow]) -> Vec<String> {
    questions.iter().map(|question| question.id.clone()).collect()
}

fn in_future(time: Timestamp, now: Timestamp, what: &str) -> Result<(), AppError> {
    if time > now {
        return Ok(());
    }
    Err(AppError::bad(format!("{what}, {time}, is not in the future"), format!("give a time after {now}")))
}

/// A rehearsal's clock may go back: what the ticket has seen pass is no time to promise, whatever the clock says.
async fn not_passed(tx: &mut Tx, ticket: &str, time: Timestamp, what: &str) -> Result<(), AppError> {
    match store::tickets::latest(tx, ticket).await?.map(Timestamp::from_micros) {
        Some(seen) => in_future(time, seen, what),
        None => Ok(()),
    }
}

fn words<'a>(text: &'a str, what: &str) -> Result<&'a str, AppError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AppError::bad(format!("{what} is empty"), "write at least a sentence"));
    }
    without_nul(text, what)
}

/// A name that can stand in the timeline.
fn person<'a>(name: &'a str, what: &str) -> Result<&'a str, AppError> {
    model::actor::name(name).map_err(|error| AppError::bad(format!("{what}: {error}"), "give the name of a person"))
}

/// PostgreSQL keeps no NUL in a text.
fn without_nul<'a>(text: &'a str, what: &str) -> Result<&'a str, AppError> {
    if text.contains('\0') {
        return Err(AppError::bad(format!("{what} holds a NUL character"), "write it as plain UTF-8 text"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use model::tickets::{Question, QuestionState};

    use super::*;

    fn owed(count: usize, text: &str) -> InDebt {
        let question = |n| Question {
            id: format!("qst_{n}"),
            state: QuestionState::Open,
            text: text.to_owned(),
            asked_at: Timestamp::from_micros(0),
            promised_by: None,
        };
        InDebt((1..=count).map(question).collect())
    }

    #[test]
    fn a_refused_close_names_the_question() {
        let error = in_debt("tkt_1", &owed(1, "who\nread it?"));
        assert_eq!(error.to_string(), "ticket tkt_1 has 1 open question: \"who read it?\" (qst_1)");
        assert_eq!(error.exit_code(), 4);
        assert!(error.hint().is_some_and(|hint| hint.contains("ticket answer tkt_1 --questions qst_1 ")));
    }

    #[test]
    fn a_refused_close_quotes_five_questions_and_counts_the_rest() {
        let text = in_debt("tkt_1", &owed(7, "?")).to_string();
        assert!(text.starts_with("ticket tkt_1 has 7 open questions: "), "{text}");
        assert!(text.contains("(qst_5)") && !text.contains("(qst_6)") && text.ends_with(", and 2 more"), "{text}");
    }

    #[test]
    fn a_long_question_is_cut_at_characters() {
        assert_eq!(cut(&"ä".repeat(200)).chars().count(), QUOTED_LENGTH);
        assert_eq!(cut(&"ä".repeat(QUOTED_LENGTH)), "ä".repeat(QUOTED_LENGTH));
    }

    #[test]
    fn a_time_that_has_come_is_no_promise() {
        let now = Timestamp::from_micros(10);
        assert!(in_future(now, now, "it").is_err());
        assert!(in_future(Timestamp::from_micros(11), now, "it").is_ok());
    }
}
