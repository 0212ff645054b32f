//! What the letters besides the notice are written from.
//!
//! Does not fetch anything. Invariant: every value that a template prints is put on one line here, unless it is
//! somebody's own text, and an absent value is an empty text, never null.

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::output::one_line;

/// A question as it is repeated to the one who asked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedQuestion {
    /// Its id (`qst_…`); shown to the vendor's own people only.
    pub id: String,
    /// What was asked, in the asker's words.
    pub text: String,
    /// When.
    pub asked_at: Timestamp,
}

/// A reminder of a notice that nobody reacted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderContext {
    /// The incident's title.
    pub incident_title: String,
    /// Who sends.
    pub vendor: String,
    /// The organisation.
    pub tenant_name: String,
    /// The notice code.
    pub code: String,
    /// When the notice was released.
    pub notice_released_at: Timestamp,
}

/// An answer to one or more questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerContext {
    /// The incident's title.
    pub incident_title: String,
    /// Who sends.
    pub vendor: String,
    /// The organisation.
    pub tenant_name: String,
    /// The questions that are answered; never empty.
    pub questions: Vec<AskedQuestion>,
    /// The answer, in the agent's words, with its line breaks.
    pub answer: String,
    /// The notice code.
    pub code: String,
}

/// The promise of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseContext {
    /// The incident's title.
    pub incident_title: String,
    /// Who sends.
    pub vendor: String,
    /// The organisation.
    pub tenant_name: String,
    /// The questions it is about; never empty.
    pub questions: Vec<AskedQuestion>,
    /// By when.
    pub by: Timestamp,
    /// The agent's own words; may be empty.
    pub text: String,
    /// The notice code.
    pub code: String,
}

/// Questions that are declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclineContext {
    /// The incident's title.
    pub incident_title: String,
    /// Who sends.
    pub vendor: String,
    /// The organisation.
    pub tenant_name: String,
    /// The questions it is about; never empty.
    pub questions: Vec<AskedQuestion>,
    /// Why, in words for the asker.
    pub reason: String,
    /// When the decision is looked at again.
    pub review_at: Timestamp,
    /// The notice code.
    pub code: String,
}

/// A mail that came in, back to its proven sender. No facts: nothing here is about the exposure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgementContext {
    /// The incident's title.
    pub incident_title: String,
    /// Who sends.
    pub vendor: String,
    /// The organisation.
    pub tenant_name: String,
    /// The questions that were understood; never empty.
    pub questions: Vec<AskedQuestion>,
}

/// What the vendor's own people are told when a rung fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationContext {
    /// Name of the policy (`debt`).
    pub policy: String,
    /// The rung, from 1.
    pub rung: i64,
    /// The ticket.
    pub ticket: String,
    /// The organisation's id.
    pub tenant_id: String,
    /// The organisation's name.
    pub tenant_name: String,
    /// The incident.
    pub incident_slug: String,
    /// Why, as one sentence.
    pub why: String,
    /// What is open; may be empty.
    pub open_questions: Vec<AskedQuestion>,
    /// Since when this rung is due.
    pub due_at: Timestamp,
    /// When the next one would fire; `None` on the last.
    pub next_rung_at: Option<Timestamp>,
}

/// What an address that is not confirmed is told: who asks, and nothing about the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachContext {
    /// Who sends.
    pub vendor: String,
    /// Whose responsible person is looked for.
    pub domain: String,
    /// Where the address is from.
    pub source: ReachSource,
    /// When it was found, `2022-09-24`.
    pub found_on: String,
}

/// Where an address that is not confirmed is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReachSource {
    /// The domain's security.txt.
    SecurityTxt,
    /// The domain's registration data.
    Rdap,
    /// A guess: the mailbox that it should have.
    RoleMailbox,
}

/// A point in time for readers: `2022-09-24 10:11 UTC`.
pub(super) fn minute(time: Timestamp) -> String {
    let full = time.to_string();
    match (full.get(..10), full.get(11..16)) {
        (Some(date), Some(minute)) => format!("{date} {minute} UTC"),
        _ => full,
    }
}

/// A context in the form that templates see.
pub(super) trait View {
    /// Its serialised form.
    fn view(&self) -> serde_json::Value;
}

fn asked(questions: &[AskedQuestion]) -> serde_json::Value {
    let each = |question: &AskedQuestion| {
        serde_json::json!({
            "id": one_line(&question.id),
            // In somebody else's words: our letter leads nowhere that they name.
            "text": model::links::unlinked(&question.text),
            "asked_at": minute(question.asked_at),
        })
    };
    questions.iter().map(each).collect()
}

impl View for ReminderContext {
    fn view(&self) -> serde_json::Value {
        serde_json::json!({
            "incident_title": one_line(&self.incident_title),
            "vendor": one_line(&self.vendor),
            "tenant_name": model::links::unlinked(&one_line(&self.tenant_name)),
            "code": one_line(&self.code),
            "notice_released_at": minute(self.notice_released_at),
        })
    }
}

impl View for AnswerContext {
    fn view(&self) -> serde_json::Value {
        serde_json::json!({
            "incident_title": one_line(&self.incident_title),
            "vendor": one_line(&self.vendor),
            "tenant_name": model::links::unlinked(&one_line(&self.tenant_name)),
            "questions": asked(&self.questions),
            "answer": self.answer,
            "code": one_line(&self.code),
        })
    }
}

impl View for AcknowledgementContext {
    fn view(&self) -> serde_json::Value {
        serde_json::json!({
            "incident_title": one_line(&self.incident_title),
            "vendor": one_line(&self.vendor),
            "tenant_name": model::links::unlinked(&one_line(&self.tenant_name)),
            "questions": asked(&self.questions),
        })
    }
}

impl View for PromiseContext {
    fn view(&self) -> serde_json::Value {
        serde_json::json!({
            "incident_title": one_line(&self.incident_title),
            "vendor": one_line(&self.vendor),
            "tenant_name": model::links::unlinked(&one_line(&self.tenant_name)),
            "questions": asked(&self.questions),
            "by": minute(self.by),
            "text": self.text.trim(),
            "code": one_line(&self.code),
        })
    }
}

impl View for DeclineContext {
    fn view(&self) -> serde_json::Value {
        serde_json::json!({
            "incident_title": one_line(&self.incident_title),
            "vendor": one_line(&self.vendor),
            "tenant_name": model::links::unlinked(&one_line(&self.tenant_name)),
            "questions": asked(&self.questions),
            "reason": self.reason,
            "review_at": minute(self.review_at),
            "code": one_line(&self.code),
        })
    }
}

impl View for EscalationContext {
    fn view(&self) -> serde_json::Value {
        serde_json::json!({
            "policy": one_line(&self.policy),
            "rung": self.rung,
            "ticket": one_line(&self.ticket),
            "tenant_id": one_line(&self.tenant_id),
            "tenant_name": model::links::unlinked(&one_line(&self.tenant_name)),
            "incident_slug": one_line(&self.incident_slug),
            "why": one_line(&self.why),
            "open_questions": asked(&self.open_questions),
            "due_at": minute(self.due_at),
            "next_rung_at": self.next_rung_at.map(minute).unwrap_or_default(),
        })
    }
}

impl View for ReachContext {
    fn view(&self) -> serde_json::Value {
        serde_json::json!({
            "vendor": one_line(&self.vendor),
            "domain": one_line(&self.domain),
            "from_security_txt": self.source == ReachSource::SecurityTxt,
            "from_rdap": self.source == ReachSource::Rdap,
            "from_role_mailbox": self.source == ReachSource::RoleMailbox,
            "found_on": one_line(&self.found_on),
        })
    }
}
