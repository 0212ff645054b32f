//! Answers from snippets: each organisation's own facts in each reader's language, for one ticket or for many.
//!
//! Invariant: every rule of an answer holds for each of them (questions by name, no empty words, proven readers alone), one
//! that is refused stops no other, and a preview is the same steps without the commit.

use std::collections::BTreeMap;
use std::path::Path;

use model::language::Language;
use model::tickets::Step;
use serde::Serialize;
use sources::{Table, TableRecord};
use store::Tx;
use store::tickets::{Change, QuestionRow};

use super::case::Case;
use super::letters::{self, Content, Post};
use super::pack::least_trust;
use super::{About, Answered, Done, add_entry, finish, foreign, links, specific, unsaid, untrue};
use crate::snippets::UNPROVEN;
use crate::{App, AppError};

/// What one ticket of many gets.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The ticket; empty: the line names none.
    pub ticket: String,
    /// With whom.
    pub tenant_id: String,
    /// The questions.
    pub questions: Vec<String>,
    /// `answered`, `would be answered`, `refused`, `failed`.
    pub result: &'static str,
    /// Mails queued.
    pub mails: usize,
    /// Why not, and the next step.
    pub why: String,
    /// What is said, by language.
    pub texts: BTreeMap<Language, String>,
}

impl Outcome {
    /// Whether nothing is answered by it.
    pub fn is_failure(&self) -> bool {
        matches!(self.result, "refused" | "failed")
    }
}

/// Whether it is done or only said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// The letters leave.
    Send,
    /// Nothing is written.
    Preview,
}

/// What is said, and of what sort of question.
#[derive(Clone, Copy)]
struct Passage<'a> {
    snippet: &'a str,
    about: About<'a>,
}

/// Answers questions with a snippet, by name.
pub async fn answer_with(
    app: &App,
    ticket: &str,
    questions: &[String],
    snippet: &str,
    about: About<'_>,
) -> Result<Answered, AppError> {
    let passage = Passage { snippet, about: about.checked()? };
    let mut tx = app.store.begin().await?;
    let (done, _) = prepare(app, &mut tx, ticket, questions, passage).await?;
    finish(app, tx, "ticket.answer", ticket, done).await
}

/// Answers the questions of a file (`question`, and optionally its `ticket`), each ticket by itself.
pub async fn answer_many(
    app: &App,
    slug: &str,
    file: &Path,
    snippet: &str,
    about: About<'_>,
    intent: Intent,
) -> Result<Vec<Outcome>, AppError> {
    let passage = Passage { snippet, about: about.checked()? };
    let incident = app.incident(slug).await?;
    crate::facts::settle(app, incident.id).await?;
    let (by_ticket, mut outcomes) = read(app, incident.id, file).await?;
    for ((ticket, tenant_id), questions) in by_ticket {
        outcomes.push(one(app, ticket, tenant_id, questions, passage, intent).await?);
    }
    Ok(outcomes)
}

type ByTicket = BTreeMap<(String, String), Vec<String>>;

/// The questions by ticket and tenant, and the lines that cannot be used.
async fn read(app: &App, incident: i64, file: &Path) -> Result<(ByTicket, Vec<Outcome>), AppError> {
    let mut table = Table::open(file, &["question"], &["ticket"])?;
    let mut conn = app.store.read().await?;
    let (mut found, mut bad) = (ByTicket::new(), Vec::new());
    while let Some(record) = table.next_row()? {
        let (line, question, ticket) = match record {
            TableRecord::Row(row) => (row.line, row.get("question").to_owned(), row.get("ticket").to_owned()),
            TableRecord::Malformed { line, .. } => {
                bad.push(unusable(line, "", "wrong number of columns"));
                continue;
            }
        };
        let Some(row) = store::tickets::question(&mut conn, &question).await? else {
            bad.push(unusable(line, &question, "no such question"));
            continue;
        };
        let owner = store::tickets::by_id(&mut conn, &row.ticket_id).await?;
        match owner.filter(|owner| owner.incident_id == incident) {
            None => bad.push(unusable(line, &question, "it is of another incident")),
            Some(owner) if !ticket.is_empty() && ticket != owner.id => {
                bad.push(unusable(line, &question, &format!("it is of ticket {}", owner.id)));
            }
            Some(owner) => found.entry((owner.id, owner.tenant_id)).or_default().push(question),
        }
    }
    Ok((found, bad))
}

fn unusable(line: u64, question: &str, why: &str) -> Outcome {
    Outcome {
        ticket: String::new(),
        tenant_id: String::new(),
        questions: vec![question.to_owned()],
        result: "failed",
        mails: 0,
        why: format!("line {line}: {why}"),
        texts: BTreeMap::new(),
    }
}

/// One ticket. What is wrong with it is its outcome; only the database stops the others.
async fn one(
    app: &App,
    ticket: String,
    tenant_id: String,
    questions: Vec<String>,
    passage: Passage<'_>,
    intent: Intent,
) -> Result<Outcome, AppError> {
    let mut tx = app.store.begin().await?;
    let mut outcome = Outcome {
        ticket,
        tenant_id,
        questions,
        result: if intent == Intent::Send { "answered" } else { "would be answered" },
        mails: 0,
        why: String::new(),
        texts: BTreeMap::new(),
    };
    let prepared = prepare(app, &mut tx, &outcome.ticket, &outcome.questions, passage).await;
    let result = match (prepared, intent) {
        (Ok((done, texts)), intent) => {
            (outcome.mails, outcome.texts) = (done.mails, texts);
            match intent {
                Intent::Send => finish(app, tx, "ticket.answer", &outcome.ticket, done).await.map(drop),
                // Dropped without a commit, the transaction leaves nothing.
                Intent::Preview => Ok(()),
            }
        }
        (Err(error), _) => Err(error),
    };
    match result {
        Ok(()) => {}
        Err(error) if error.is_about_one_row() => {
            outcome.result = if error.exit_code() == 4 { "refused" } else { "failed" };
            outcome.why =
                [Some(error.to_string().as_str()), error.hint()].into_iter().flatten().collect::<Vec<_>>().join("; ");
        }
        Err(error) => return Err(error),
    }
    Ok(outcome)
}

/// Everything of an answer but its commit.
async fn prepare<'a>(
    app: &App,
    tx: &mut Tx,
    ticket: &str,
    questions: &[String],
    Passage { snippet, about }: Passage<'a>,
) -> Result<(Done<'a>, BTreeMap<Language, String>), AppError> {
    let now = app.clock.now();
    let case = Case::open(app, tx, ticket).await?;
    let named = case.named(questions, Step::Answer)?;
    let texts = fill(app, tx, &case, snippet).await?;
    for text in texts.values() {
        links::refuse_outside(app, tx, &case, "the snippet", text).await?;
        foreign::refuse(app, tx, &case, "the snippet", text).await?;
        unsaid::refuse(tx, &case, text).await?;
    }
    if !is_for_unproven(tx, &case, &named, snippet).await? {
        let said: Vec<&str> = texts.values().map(String::as_str).collect();
        specific::refuse_generic(app, tx, &case, &said, about).await?;
    }
    for text in texts.values() {
        untrue::refuse(app, tx, &case, "the snippet", text).await?;
    }
    let said = letters::as_sent(tx, &case, &named, &texts).await?;
    let entry = add_entry(app, tx, ticket, "answer", format!("{said}\n\n(snippet {snippet})")).await?;
    specific::record(app, tx, ticket, &named, about).await?;
    for question in &named {
        let change = Change::Answer { entry: &entry };
        store::tickets::change_question(tx, ticket, &question.id, now.micros(), change).await?;
    }
    let post = Post { about: &named, content: Content::Filled { snippet, texts: &texts }, entry: &entry };
    let mails = letters::queue(app, tx, &case, &post).await?;
    Ok((Done { entry, mails, named, about }, texts))
}

/// Whether it is the passage for those who are not proven, and one of them asks: it names nothing, and has to.
async fn is_for_unproven(tx: &mut Tx, case: &Case, named: &[QuestionRow], snippet: &str) -> Result<bool, AppError> {
    Ok(snippet == UNPROVEN && least_trust(tx, &case.ticket.id, named).await? == "U")
}

/// A snippet with the facts of the ticket's organisation, in each language that it has.
async fn fill(app: &App, tx: &mut Tx, case: &Case, snippet: &str) -> Result<BTreeMap<Language, String>, AppError> {
    let tenant = case.tenant(tx).await?;
    let context = crate::snippets::context(app, tx, &case.incident, &tenant).await?.ok_or_else(|| {
        AppError::refused(
            format!("two people have signed for telling tenant {} nothing", tenant.id),
            format!("`forthright notice withholdings {}` says until when", case.incident.slug),
        )
    })?;
    if context.domains.is_empty() {
        return Err(AppError::refused(
            format!("tenant {} has no facts of its own that a snippet could say", tenant.id),
            "write the answer by hand: --text FILE",
        ));
    }
    let sources = crate::snippets::sources(tx, &case.incident, snippet).await?;
    let mut texts = BTreeMap::new();
    for (language, source) in sources {
        texts.insert(language, app.templates.render_snippet(snippet, language, &source, &context)?);
    }
    Ok(texts)
}
