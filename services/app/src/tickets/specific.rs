//! The specificity check of answers: while an organisation has facts that it was not told, an answer names one of its
//! facts, whatever words it has around it.
//!
//! Knows no phrases (`unsaid` does) and understands no question. Invariant: a text passes only with a fact of this
//! organisation in it, with nothing of it left to tell, or with a person's word, kept, that it is asked about something else.

use model::difference::{self, between};
use model::notices::DomainFacts;
use model::report::named;
use store::Tx;
use store::facts::Scope;
use store::notices::Past;
use store::tickets::QuestionRow;

use super::case::Case;
use super::sheets::sheets;
use super::{add_entry, ids, without_nul};
use crate::notices::{Told, changed_to, said_of};
use crate::{App, AppError};

/// Facts that a refusal lists.
const LISTED: usize = 12;
/// The kind of the timeline's entry that says so.
pub(crate) const NOT_ABOUT_FACTS: &str = "not-about-facts";

/// What the questions are about that an answer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About<'a> {
    /// What of the organisation's was exposed; nobody said otherwise.
    Facts,
    /// Something else, as the agent says.
    SomethingElse {
        /// Why no fact of theirs belongs into the answer.
        why: &'a str,
    },
}

impl About<'_> {
    /// With a reason that says something, where there is one.
    pub(super) fn checked(self) -> Result<Self, AppError> {
        if let Self::SomethingElse { why } = self {
            let why = without_nul(why, "the reason why it is not about facts")?;
            crate::reasons::says_something(why, "the reason why it is not about facts")?;
        }
        Ok(self)
    }
}

/// What an organisation may be told and was not.
struct Untold {
    /// What may be told, by domain.
    facts: Vec<DomainFacts>,
    /// What no mail has told, in words; never empty.
    lines: Vec<String>,
    /// Codes of released notices that state all of it.
    stated_by: Vec<String>,
}

/// Refuses texts (the same in several languages) of which one names no fact, while there are facts that were not told.
pub(super) async fn refuse_generic(
    app: &App,
    tx: &mut Tx,
    case: &Case,
    texts: &[&str],
    about: About<'_>,
) -> Result<(), AppError> {
    if let About::SomethingElse { .. } = about {
        return Ok(());
    }
    let Some(untold) = untold(tx, case).await? else { return Ok(()) };
    let sheets = sheets(&app.templates, &untold.facts);
    let specific = |text: &&str| {
        let upper = text.to_uppercase();
        untold.stated_by.iter().any(|code| upper.contains(code))
            || sheets.iter().any(|facts| !named(text, facts).is_empty())
    };
    if texts.iter().all(specific) {
        return Ok(());
    }
    let (ticket, tenant) = (&case.ticket.id, &case.ticket.tenant_id);
    let more = untold.lines.len().saturating_sub(LISTED);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    let listed = untold.lines[..untold.lines.len().min(LISTED)].join("; ");
    Err(AppError::refused(
        format!("the answer names no fact of tenant {tenant}, and these were not told yet: {listed}{more}"),
        format!(
            "name at least one (a figure with what it counts, a data type, a date): `forthright ticket pack {ticket}` has a draft with all of them, and `--snippet facts` sends it; if the question is about something else, say why: --not-about-facts \"…\""
        ),
    ))
}

/// Keeps the agent's word for whoever reads over the shoulder.
pub(super) async fn record(
    app: &App,
    tx: &mut Tx,
    ticket: &str,
    named: &[QuestionRow],
    about: About<'_>,
) -> Result<(), AppError> {
    if let About::SomethingElse { why } = about {
        let body = format!("{}: {}", ids(named).join(", "), why.trim());
        add_entry(app, tx, ticket, NOT_ABOUT_FACTS, body).await?;
    }
    Ok(())
}

/// None: everything that may be told was told, or two people withhold the rest.
async fn untold(tx: &mut Tx, case: &Case) -> Result<Option<Untold>, AppError> {
    let (incident, tenant) = (case.incident.id, case.ticket.tenant_id.as_str());
    let today = crate::notices::told(tx, incident, Scope::Tenants(tenant, tenant)).await?.remove(tenant);
    let Some(today) = today.filter(|today| !today.nothing && !today.domains.is_empty()) else { return Ok(None) };
    let past = store::notices::past(tx, incident, tenant).await?;
    let released = past.iter().rev().filter(|past| past.state == "released");
    let (mut stated_by, mut lines) = (Vec::new(), None);
    for notice in released {
        let left = not_stated(notice, &today)?;
        if left.is_empty() {
            stated_by.push(notice.code.clone());
        }
        // What a server has taken is told; what only waits to leave is not.
        if notice.accepted_at.is_some() {
            lines = Some(left);
            break;
        }
    }
    let lines = lines.unwrap_or_else(|| today.domains.iter().map(said_of).collect());
    Ok((!lines.is_empty()).then_some(Untold { facts: today.domains, lines, stated_by }))
}

/// As much of a notice's context as says what it stated.
#[derive(serde::Deserialize)]
pub(super) struct Stated {
    #[serde(default)]
    pub(super) domains: Vec<DomainFacts>,
}

/// What may be told today and is not as this notice states it.
fn not_stated(notice: &Past, today: &Told) -> Result<Vec<String>, AppError> {
    let said: Stated = serde_json::from_str(&notice.facts).map_err(AppError::stored("notices.facts"))?;
    let stated = difference::Told { facts: &said.domains, hidden: &[] };
    let now = difference::Told { facts: &today.domains, hidden: &today.hidden };
    Ok(between(stated, now).iter().map(changed_to).collect())
}
