//! The specificity check: a notice that keeps specific facts to itself, or states figures that are none, is not approved.
//!
//! Knows of each value in a letter where it is from, so that no digits pass for other ones. Invariant: every part of an
//! approved notice states every fact of it that is known, unless two people withhold it, and no figure of its templates'
//! own.

use std::collections::BTreeSet;

use mail::templates::{Traced, TracedPart};
use model::language::Language;
use model::notices::DomainFacts;
use store::notices::Notice;

use super::stated::{silent, silent_of_domain};
use crate::AppError;

/// Something that keeps a notice from being approved.
pub(super) enum Fault<'a> {
    /// These parts do not state a fact of a domain; no fact: they do not name the domain.
    Unstated { parts: Vec<String>, domain: &'a DomainFacts, fact: Option<String> },
    /// A part leaves out something else that it has to say.
    Unsaid { part: String, what: &'static str },
    /// Of the words at a place of a part.
    Words { place: String, kind: FaultyWords },
}

#[derive(Clone, Copy)]
pub(super) enum FaultyWords {
    /// A figure stands in the template's own words.
    Typed,
    /// Two figures read as one.
    Joined,
    /// A figure stands with the name of another fact, or with none.
    Mislabelled,
}

/// All that is wrong with these letters.
pub(super) fn faults<'a>(domains: &'a [DomainFacts], letters: &[(Language, Traced)]) -> Vec<Fault<'a>> {
    let mut faults = Vec::new();
    for domain in domains {
        let named = std::iter::once((None, silent_of_domain(letters, domain)));
        let facts = domain.stated().into_iter().map(|(fact, _)| {
            let parts = silent(letters, domain, &fact);
            (Some(fact), parts)
        });
        let silent = named.chain(facts).filter(|(_, parts)| !parts.is_empty());
        faults.extend(silent.map(|(fact, parts)| Fault::Unstated { parts, domain, fact }));
    }
    for (language, traced) in letters {
        let at = |part: &TracedPart, words: &String| format!("{language} {}, at `{words}`", part.name);
        for part in &traced.parts {
            let what: BTreeSet<&str> = part.unsaid.iter().map(|id| owed_in_words(id)).collect();
            let part_name = format!("{language} {}", part.name);
            faults.extend(what.into_iter().map(|what| Fault::Unsaid { part: part_name.clone(), what }));
            let words = |kind| move |place| Fault::Words { place, kind };
            faults.extend(part.typed.iter().map(|typed| at(part, typed)).map(words(FaultyWords::Typed)));
            faults.extend(part.joined.iter().map(|joined| at(part, joined)).map(words(FaultyWords::Joined)));
            faults.extend(part.mislabelled.iter().map(|figure| at(part, figure)).map(words(FaultyWords::Mislabelled)));
        }
    }
    faults
}

/// What a part owes its reader, by the id that [`mail::templates::TracedPart::unsaid`] has.
fn owed_in_words(id: &str) -> &'static str {
    match id.split(':').next() {
        Some("code") => "the notice's code",
        Some("change") => "what changed since the notice before",
        Some("why") => "why it changed",
        _ => "what is withheld, why, and when that is looked at again",
    }
}

/// Refuses a notice whose letters do not state its facts, or state others.
pub(super) fn refuse_generic(
    notice: &Notice,
    slug: &str,
    domains: &[DomainFacts],
    letters: &[(Language, Traced)],
) -> Result<(), AppError> {
    match faults(domains, letters).first() {
        None => Ok(()),
        Some(fault) => Err(AppError::refused(
            format!("cannot approve notice {}: {}", notice.id, fault.of_one()),
            fault.next(notice, slug),
        )),
    }
}

impl Fault<'_> {
    /// A word for tables.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Unstated { .. } | Self::Unsaid { .. } => "unstated",
            Self::Words { kind: FaultyWords::Typed, .. } => "typed",
            Self::Words { kind: FaultyWords::Joined, .. } => "joined",
            Self::Words { kind: FaultyWords::Mislabelled, .. } => "mislabelled",
        }
    }

    /// In words, for one notice.
    fn of_one(&self) -> String {
        match self {
            Self::Unstated { parts, domain, fact } => {
                let fact = fact.as_ref().map_or(domain.domain.clone(), |fact| domain.id_of(fact));
                let parts = parts.join(" and ");
                format!("{parts} does not state {fact}, and nobody has signed for withholding it")
            }
            Self::Unsaid { .. } | Self::Words { .. } => self.of_many(),
        }
    }

    /// In words that are the same for all notices that the same words were written for.
    pub(super) fn of_many(&self) -> String {
        match self {
            Self::Unstated { parts, fact, .. } => {
                format!("{} does not state {}", parts.join(" and "), fact.as_deref().unwrap_or("the domain"))
            }
            Self::Unsaid { part, what } => format!("{part} does not say {what}"),
            Self::Words { place, kind: FaultyWords::Typed } => {
                format!("{place}: a figure stands in the template's own words, and no fact proves it")
            }
            Self::Words { place, kind: FaultyWords::Joined } => {
                format!("{place}: a figure reads as one with another, or with a letter or sign that touches it")
            }
            Self::Words { place, kind: FaultyWords::Mislabelled } => {
                format!("{place}: a figure stands with the name of another fact, or with no name in its line or row")
            }
        }
    }

    fn next(&self, notice: &Notice, slug: &str) -> String {
        match self {
            Self::Unstated { domain, fact, .. } => {
                let named = |name: &str| format!("{}/{name}", domain.domain);
                let withheld_as = match fact.as_deref() {
                    None => "notice".to_owned(),
                    Some("first_date" | "last_date" | "unknown:date") => named("period"),
                    Some("unknown:type") => named("types"),
                    Some("unknown:size") => named("bytes"),
                    Some(name) if name.starts_with("name:") => named(&name.replacen("name", "type", 1)),
                    Some(name) => named(name),
                };
                format!(
                    "name it in the template, or withhold it: `forthright notice withhold {slug} {} {withheld_as} --why … --review TIME`",
                    notice.tenant_id
                )
            }
            Self::Unsaid { .. } => {
                "print it where the built-in template does: `forthright templates show notice LANGUAGE --part PART`"
                    .to_owned()
            }
            Self::Words { kind: FaultyWords::Typed, .. } => {
                "fill it in with a field, or state it with `forthright incident state`".to_owned()
            }
            Self::Words { kind: FaultyWords::Joined, .. } => {
                "put words between them in the template, and a space on both sides of a figure".to_owned()
            }
            Self::Words { kind: FaultyWords::Mislabelled, .. } => {
                "put the figure beside its own name, in one line or one row of a table".to_owned()
            }
        }
    }
}
