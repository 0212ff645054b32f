//! Links of notices: to the sender's own hosts or to nowhere, so that readers can take any other for a forgery.
//!
//! Reads texts as they are sent, and words before anything is written from them. Invariant: no approved notice has a
//! link to a host that is not the sender's.

use std::collections::BTreeSet;

use model::domain::DomainName;
use model::links::{Link, OwnHosts};
use model::notices::{IncidentFacts, NoticeContext, STATED};
use model::suffixes::SuffixList;
use store::Conn;
use store::notices::{LetterRow, Notice};

use crate::{App, AppError, Incident};

impl App {
    /// The hosts that letters may lead to.
    pub(crate) fn own_hosts(&self) -> OwnHosts {
        let sender = &self.settings.sender;
        OwnHosts::new(sender.domain(), &sender.link_hosts, SuffixList::builtin())
    }
}

/// Where a link to a strange host stands, and that it is one.
pub(crate) fn said(place: &str, text: &str, link: &Link<'_>, own: &OwnHosts) -> String {
    let ((line, column), written) = (link.place(text), link.written);
    format!("{place}, line {line}, column {column}: `{written}` is no host under {}", own.domain())
}

/// What to do about it.
pub(crate) const NEXT: &str =
    "name the source in words, print an address of your own, or allow the host by `link_hosts` in [sender]";

/// Refuses a notice that leads elsewhere.
pub(super) fn refuse_outside(
    notice: &Notice,
    facts: &str,
    letters: &[LetterRow],
    own: &OwnHosts,
) -> Result<(), AppError> {
    for letter in letters {
        let html = letter.html.as_deref().unwrap_or_default();
        let html = model::links::visible(html);
        for (part, text) in [("subject", &*letter.subject), ("text", &*letter.text), ("HTML", &*html)] {
            let outside = own.outside(text);
            if outside.is_empty() {
                continue;
            }
            let domains = named_domains(facts)?;
            let a_fact = |link: &&Link<'_>| domains.contains(link.written.trim_end_matches(['.', ':']));
            if let Some(link) = outside.iter().find(|link| !a_fact(link)) {
                let place = format!("{} {part}", letter.language);
                return Err(AppError::refused(
                    format!("cannot approve notice {}: {}", notice.id, said(&place, text, link, own)),
                    NEXT,
                ));
            }
        }
    }
    refuse_in_document(notice, facts, own)
}

/// The same of what only machines may be told: words that a template of somebody's own leaves out, and reasons.
fn refuse_in_document(notice: &Notice, facts: &str, own: &OwnHosts) -> Result<(), AppError> {
    let context: NoticeContext = serde_json::from_str(facts).map_err(AppError::stored("notices.facts"))?;
    let reasons = context.withheld.iter().map(|one| (format!("reason for withholding {}", one.fact), one.why.clone()));
    let found = words_of(&context.incident).chain(reasons).find_map(|(place, text)| {
        let link = own.outside(&text).into_iter().next()?;
        Some(said(&place, &text, &link, own))
    });
    match found {
        None => Ok(()),
        Some(said) => Err(AppError::refused(format!("cannot approve notice {}: {said}", notice.id), NEXT)),
    }
}

/// The domains that a notice names, today's and those that were taken back, in both forms. One that begins with `www.`
/// is a fact, not a link.
fn named_domains(facts: &str) -> Result<BTreeSet<String>, AppError> {
    let context: NoticeContext = serde_json::from_str(facts).map_err(AppError::stored("notices.facts"))?;
    let changed = context.changes.into_iter().map(|change| change.domain);
    let named: BTreeSet<String> = context.domains.into_iter().map(|facts| facts.domain).chain(changed).collect();
    let unicode = named.iter().filter_map(|name| Some(DomainName::parse(name).ok()?.unicode()));
    Ok(unicode.chain(named.iter().cloned()).collect())
}

/// The same of an incident as it is now.
pub(crate) async fn links_outside(app: &App, conn: &mut Conn, incident: &Incident) -> Result<Vec<String>, AppError> {
    let templates = crate::templates::links_outside(app, conn, incident.id).await?;
    Ok(of_words(&incident.facts, templates, &app.own_hosts()))
}

/// The links to strange hosts in what an incident states, and in the templates of its own: they would be in every
/// notice.
fn of_words(facts: &IncidentFacts, templates: Vec<String>, own: &OwnHosts) -> Vec<String> {
    words_of(facts)
        .flat_map(|(place, text)| {
            own.outside(&text).iter().map(|link| said(&place, &text, link, own)).collect::<Vec<_>>()
        })
        .chain(templates)
        .collect()
}

/// What an incident says in words of its own, each with its place.
fn words_of(facts: &IncidentFacts) -> impl Iterator<Item = (String, String)> {
    let stated = ["what_happened", "measures_taken", "sender_contact"].into_iter().chain(STATED);
    let stated = stated.filter_map(|id| Some((format!("statement {id}"), facts.stated(id)?.to_owned())));
    let named =
        [("title", &facts.title), ("vendor", &facts.vendor)].map(|(name, text)| (name.to_owned(), text.clone()));
    named.into_iter().chain(stated)
}
