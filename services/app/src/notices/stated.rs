//! The facts that a notice states, one by one: each with its id, where it stands in the texts, and what proves it.
//!
//! Changes nothing. Invariant: every figure of the notice's context is listed, so that one that no text states shows; a
//! fact is stated where its template printed it, and not where the same digits stand for something else.

use std::collections::BTreeMap;

use mail::templates::{Traced, TracedPart};
use model::language::Language;
use model::notices::{DomainFacts, NoticeContext};
use serde::Serialize;
use store::facts::Scope;

use super::traced::Pinned;
use crate::{App, AppError};

/// A fact of one organisation domain.
#[derive(Debug, Serialize)]
pub struct StatedFact {
    /// `DOMAIN/NAME`: the same in every notice of the incident.
    pub fact: String,
    /// As the notice has it; empty = not known.
    pub value: String,
    /// As the rows have it now.
    pub today: String,
    /// The parts (language and part) that do not state it; empty = all state it.
    pub not_in: Vec<String>,
    /// The command that counts it again from rows; empty where it is no figure.
    pub proof: String,
}

/// The facts of a notice, by domain.
pub async fn stated(app: &App, notice: &str) -> Result<Vec<StatedFact>, AppError> {
    let mut conn = app.store.snapshot().await?;
    let missing = || {
        AppError::missing(
            format!("no notice {notice}"),
            "run `forthright notice list SLUG --csv` to see which there are",
        )
    };
    let ids = [notice.to_owned()];
    let written = store::notices::written(&mut conn, &ids).await?.pop().ok_or_else(missing)?;
    let context: NoticeContext = serde_json::from_str(&written.facts).map_err(AppError::stored("notices.facts"))?;
    let letters = store::notices::letters_of(&mut conn, notice).await?;
    let incident = store::incidents::by_slug(&mut conn, &context.incident.slug).await?.ok_or_else(missing)?;
    let tenant = context.domains.iter().find_map(|facts| facts.tenant_id.clone()).unwrap_or_default();
    let now = store::facts::facts(&mut conn, incident.id, Scope::Tenants(&tenant, &tenant)).await?;
    let now: BTreeMap<String, DomainFacts> = now.into_iter().map(|facts| (facts.domain.clone(), facts)).collect();
    let version = written.template_version.as_str();
    let mut pinned = Pinned::default();
    pinned.find(app, &mut conn, incident.id, std::iter::once(version)).await?;
    let traced = pinned.trace(version, &context, &letters)?;
    let mut stated = Vec::new();
    for facts in &context.domains {
        let today: BTreeMap<String, String> =
            now.get(&facts.domain).map(|facts| facts.stated().into_iter().collect()).unwrap_or_default();
        for (name, value) in facts.stated() {
            let proof = figure(&name).map(|figure| {
                format!("forthright exposure prove {} {figure} --organisation {}", context.incident.slug, facts.domain)
            });
            stated.push(StatedFact {
                today: today.get(&name).cloned().unwrap_or_default(),
                not_in: match &traced {
                    Ok(letters) => silent(letters, facts, &name),
                    Err(why) => vec![why.in_short()],
                },
                fact: facts.id_of(&name),
                proof: proof.unwrap_or_default(),
                value,
            });
        }
    }
    Ok(stated)
}

/// The figure that proves a fact; none: it is a date, or there is no such figure.
fn figure(fact: &str) -> Option<&'static str> {
    match fact {
        "references" => Some("organisation_rows"),
        "objects" => Some("objects"),
        "emails" => Some("emails"),
        "users" => Some("users"),
        "projects" => Some("projects"),
        "bytes" => Some("bytes"),
        "unknown:type" => Some("objects_without_data_type"),
        kind if kind.starts_with("type:") => Some("data_type_objects"),
        _ => None,
    }
}

/// The parts (`en text`) that do not state a fact of a domain: its value, and of a data type its name too.
pub(super) fn silent(letters: &[(Language, Traced)], facts: &DomainFacts, fact: &str) -> Vec<String> {
    let id = facts.id_of(fact);
    let name = fact.strip_prefix("type:").map(|kind| facts.id_of(&format!("name:{kind}")));
    let states = |part: &TracedPart| part.states(&id) && name.as_ref().is_none_or(|name| part.states(name));
    parts_without(letters, states)
}

/// The parts that do not name a domain.
pub(super) fn silent_of_domain(letters: &[(Language, Traced)], facts: &DomainFacts) -> Vec<String> {
    parts_without(letters, |part| part.states(&facts.domain))
}

/// Of text and HTML; a subject states no facts.
fn parts_without(letters: &[(Language, Traced)], states: impl Fn(&TracedPart) -> bool) -> Vec<String> {
    let parts = letters.iter().flat_map(|(language, traced)| traced.parts.iter().map(move |part| (language, part)));
    let silent = parts.filter(|(_, part)| part.name != "subject" && !states(part));
    silent.map(|(language, part)| format!("{language} {}", part.name)).collect()
}
