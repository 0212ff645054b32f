//! The answer pack: what may be said to whoever asks, what is withheld, what was told, and drafts to begin with.
//!
//! Changes nothing. Invariant: to a sender who is not proven nothing of the organisation's is offered, neither as facts nor
//! in a draft.

use model::language::Language;
use model::tickets::QuestionState;
use model::time::Timestamp;
use serde::Serialize;

use super::case;
use super::letters;
use super::show::QuestionView;
use crate::notices::Version;
use crate::snippets::UNPROVEN;
use crate::{App, AppError};

/// What an agent needs to answer.
#[derive(Debug, Serialize)]
pub struct Pack {
    /// The ticket.
    pub ticket: String,
    /// The incident's slug.
    pub incident: String,
    /// With whom.
    pub tenant_id: String,
    /// Their name.
    pub tenant_name: String,
    /// How sure we are of who asks: `A`, `B`, `U`; the least of all that wait.
    pub trust: String,
    /// What that means, in a sentence.
    pub because: &'static str,
    /// Questions that wait.
    pub open: Vec<QuestionView>,
    /// Addresses that an answer to them goes to.
    pub goes_to: Vec<String>,
    /// What may be said, a line each.
    pub may_say: Vec<String>,
    /// What is not told, why and until when.
    pub withheld: Vec<Held>,
    /// What is known and no released notice states.
    pub untold: Vec<String>,
    /// What was told, notice by notice.
    pub told: Vec<Version>,
    /// Questions that were settled, and how.
    pub settled: Vec<Settled>,
    /// Passages to begin with, in the language of the ticket.
    pub drafts: Vec<DraftAnswer>,
    /// Pages that a letter may name.
    pub links: Vec<String>,
}

/// A fact that two people withhold.
#[derive(Debug, Serialize)]
pub struct Held {
    /// Which.
    pub fact: String,
    /// Of which domain; empty: of all.
    pub domain: String,
    /// Why.
    pub why: String,
    /// When that is looked at again.
    pub until: Timestamp,
}

/// A question that does not wait any more.
#[derive(Debug, Serialize)]
pub struct Settled {
    /// The question.
    pub question: QuestionView,
    /// The timeline entry that settled it.
    pub said: String,
}

/// A passage to begin with.
#[derive(Debug, Serialize)]
pub struct DraftAnswer {
    /// The snippet (`ticket answer --snippet NAME`).
    pub snippet: String,
    /// BCP 47 tag.
    pub language: Language,
    /// With the organisation's own facts.
    pub text: String,
}

/// Everything for an answer in one ticket.
pub async fn pack(app: &App, ticket: &str) -> Result<Pack, AppError> {
    let row = case::find(&mut app.store.read().await?, ticket).await?;
    let incident = app.incident_by_id(&mut app.store.read().await?, row.incident_id).await?;
    let told = match crate::notices::history(app, &incident.slug, &row.tenant_id).await {
        Ok(versions) => versions.into_iter().filter(|version| version.version.is_some()).collect(),
        Err(AppError::Missing { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let now = app.clock.now();
    let mut conn = app.store.snapshot().await?;
    let tenant = case::tenant(&mut conn, &row.tenant_id).await?;
    let questions = store::tickets::questions(&mut conn, ticket).await?;
    let entries = store::tickets::entries(&mut conn, ticket).await?;
    let is_debt = |state: &str| QuestionState::parse(state).is_some_and(QuestionState::is_debt);
    let (open, done): (Vec<_>, Vec<_>) = questions.into_iter().partition(|question| is_debt(&question.state));
    let trust = least_trust(&mut conn, ticket, &open).await?;
    let goes_to = letters::addresses(&mut conn, &row, &open).await?;
    let context = crate::snippets::context(app, &mut conn, &incident, &tenant).await?;
    let proven = trust != "U";
    let (may_say, withheld) = match &context {
        Some(context) if proven => (context.domains.iter().map(crate::notices::said_of).collect(), held(context)),
        Some(context) => (Vec::new(), held(context)),
        None => (Vec::new(), Vec::new()),
    };
    let language = language_of(&mut conn, &tenant, &open).await?;
    let mut drafts = Vec::new();
    if let Some(context) = &context {
        // To the unproven the passage that names nothing of theirs, to others all the others.
        let mut passages = passages(app, &incident.slug, language).await?;
        passages.retain(|(name, source)| match proven {
            true => name != UNPROVEN,
            // What was kept before it was looked at is no excuse.
            false => name == UNPROVEN && crate::snippets::fact(source).is_none(),
        });
        for (name, source) in passages {
            let text = app.templates.render_snippet(&name, language, &source, context)?;
            drafts.push(DraftAnswer { snippet: name, language, text });
        }
    }
    let untold = crate::notices::untold(&mut conn, incident.id, &tenant.id).await?;
    let said = |entry: Option<&String>| {
        entries.iter().find(|there| Some(&there.id) == entry).map(|there| there.body.clone()).unwrap_or_default()
    };
    let settled = done
        .into_iter()
        .map(|row| Settled { said: said(row.entry_id.as_ref()), question: QuestionView::new(row, now) });
    Ok(Pack {
        ticket: row.id,
        incident: incident.slug,
        tenant_id: tenant.id,
        tenant_name: tenant.name,
        because: because(&trust),
        trust,
        settled: settled.collect(),
        open: open.into_iter().map(|row| QuestionView::new(row, now)).collect(),
        goes_to,
        may_say,
        withheld,
        untold: if proven { untold } else { Vec::new() },
        told,
        drafts,
        links: Some(app.settings.sender.verify_page.clone()).into_iter().filter(|page| !page.is_empty()).collect(),
    })
}

fn because(trust: &str) -> &'static str {
    match trust {
        "A" => "a contact whom we wrote to asks, proven: their facts may be told",
        "B" => "somebody at a domain of theirs asks, proven: their facts may be told",
        _ => "who asks is not proven: nothing specific may be told to them; the contacts who have the notice may be",
    }
}

/// How sure we are of those who ask these questions, or any of the ticket's where there is none.
pub(super) async fn least_trust(
    conn: &mut store::Conn,
    ticket: &str,
    questions: &[store::tickets::QuestionRow],
) -> Result<String, AppError> {
    Ok(least(store::tickets::trust_of_questions(conn, ticket).await?, questions))
}

/// The least trust of the questions that wait, or of all where none does; one that nobody mailed is not proven.
fn least(trusts: Vec<(String, Option<String>)>, open: &[store::tickets::QuestionRow]) -> String {
    let waits = |id: &String| open.is_empty() || open.iter().any(|question| question.id == *id);
    let rank = |trust: &str| ["A", "B"].iter().position(|known| *known == trust).unwrap_or(2);
    let of_open = trusts.into_iter().filter(|(id, _)| waits(id)).map(|(_, trust)| rank(&trust.unwrap_or_default()));
    ["A", "B", "U"][of_open.max().unwrap_or(2)].to_owned()
}

fn held(context: &model::notices::NoticeContext) -> Vec<Held> {
    let one = |withheld: &model::withholding::Withheld| Held {
        fact: withheld.fact.clone(),
        domain: withheld.domain.clone().unwrap_or_default(),
        why: withheld.why.clone(),
        until: withheld.review_at,
    };
    context.withheld.iter().map(one).collect()
}

/// The language of the contact who asks, else the organisation's.
async fn language_of(
    conn: &mut store::Conn,
    tenant: &store::directory::Tenant,
    open: &[store::tickets::QuestionRow],
) -> Result<Language, AppError> {
    let contacts = store::contacts::of(conn, std::slice::from_ref(&tenant.id)).await?;
    let asks = |contact: &&store::contacts::Contact| open.iter().any(|question| question.asked_by == contact.address);
    let tag = contacts.iter().find(asks).map(|contact| contact.language.as_str()).unwrap_or_default();
    Ok(Language::of_contact(tag, &tenant.language))
}

/// Snippets of a language, by name.
async fn passages(app: &App, slug: &str, language: Language) -> Result<Vec<(String, String)>, AppError> {
    let listed = crate::snippets::list(app, Some(slug)).await?;
    Ok(listed.into_iter().filter(|one| one.language == language.tag()).map(|one| (one.name, one.body)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trusts: &[Option<&str>], expect: &str) {
        let named = trusts.iter().enumerate().map(|(n, trust)| (format!("qst_{n}"), trust.map(str::to_owned)));
        assert_eq!(least(named.collect(), &[]), expect, "{trusts:?}");
    }

    #[test]
    fn the_least_proven_of_those_who_ask_decides_what_may_be_said() {
        check(&[Some("A"), Some("B")], "B");
        check(&[Some("A"), Some("U")], "U");
        check(&[Some("A"), None], "U");
        check(&[Some("A")], "A");
        check(&[], "U");
    }
}
