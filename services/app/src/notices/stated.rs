//! The facts that a notice states, one by one: each with its id, where it stands in the texts, and what proves it.
//!
//! Changes nothing. Invariant: every figure of the notice's context is listed, so that one that no text states shows.

use std::collections::{BTreeMap, HashSet};

use model::notices::{DomainFacts, NoticeContext};
use model::withholding::TYPE_OBJECTS;
use serde::Serialize;
use store::facts::Scope;
use store::notices::LetterRow;

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
    let text = store::notices::facts_of(&mut conn, notice).await?.ok_or_else(missing)?;
    let context: NoticeContext = serde_json::from_str(&text).map_err(AppError::stored("notices.facts"))?;
    let letters = store::notices::letters_of(&mut conn, notice).await?;
    let incident = store::incidents::by_slug(&mut conn, &context.incident.slug).await?.ok_or_else(missing)?;
    let tenant = context.domains.iter().find_map(|facts| facts.tenant_id.clone()).unwrap_or_default();
    let now = store::facts::facts(&mut conn, incident.id, Scope::Tenants(&tenant, &tenant)).await?;
    let now: BTreeMap<String, DomainFacts> = now.into_iter().map(|facts| (facts.domain.clone(), facts)).collect();
    let mut stated = Vec::new();
    for facts in &context.domains {
        let today: BTreeMap<String, String> = now
            .get(&facts.domain)
            .map(|facts| figures(facts).into_iter().map(|(name, value, _)| (name, value)).collect())
            .unwrap_or_default();
        let said: Vec<Said<'_>> = letters.iter().map(|letter| Said::behind(letter, &facts.domain)).collect();
        for (name, value, figure) in figures(facts) {
            let proof = figure.map(|figure| {
                format!("forthright exposure prove {} {figure} --organisation {}", context.incident.slug, facts.domain)
            });
            stated.push(StatedFact {
                fact: format!("{}/{name}", facts.domain),
                today: today.get(&name).cloned().unwrap_or_default(),
                not_in: said.iter().flat_map(|said| said.without(&value)).collect(),
                proof: proof.unwrap_or_default(),
                value,
            });
        }
    }
    Ok(stated)
}

/// (name, value, the figure that proves it).
fn figures(facts: &DomainFacts) -> Vec<(String, String, Option<&'static str>)> {
    let hidden = |name: &str| facts.withheld.iter().any(|there| there == name);
    let named = |name: &str, value: i64, figure| (name.to_owned(), value.to_string(), Some(figure));
    let mut figures = vec![
        named("references", facts.rows, "organisation_rows"),
        named("objects", facts.objects, "objects"),
        named("emails", facts.emails, "emails"),
        named("users", facts.users, "users"),
        named("projects", facts.projects, "projects"),
    ];
    figures.retain(|(name, _, _)| !hidden(name));
    if facts.has_size() && !hidden("bytes") {
        figures.push(named("bytes", facts.bytes, "bytes"));
    }
    for (name, date) in [("first_date", &facts.first_date), ("last_date", &facts.last_date)] {
        if let Some(date) = date {
            figures.push((name.to_owned(), date.clone(), None));
        }
    }
    for count in facts.data_types.iter().filter(|_| !hidden(TYPE_OBJECTS)) {
        figures.push((format!("type:{}", count.id), count.objects.to_string(), Some("data_type_objects")));
    }
    figures
}

/// The numbers that the parts of a letter state behind the name of a domain.
pub(super) struct Said<'a> {
    letter: &'a LetterRow,
    parts: Vec<(&'static str, HashSet<&'a str>)>,
}

impl<'a> Said<'a> {
    pub(super) fn behind(letter: &'a LetterRow, domain: &str) -> Self {
        let parts = [("text", Some(letter.text.as_str())), ("html", letter.html.as_deref())];
        let numbers = |text: &'a str| text.find(domain).map_or("", |at| &text[at..]);
        let of = |(part, text): (&'static str, Option<&'a str>)| {
            text.map(|text| (part, numbers_and_dates(numbers(text)).collect()))
        };
        Self { letter, parts: parts.into_iter().filter_map(of).collect() }
    }

    /// The parts that do not state this value there.
    pub(super) fn without(&self, value: &str) -> Vec<String> {
        let silent = self.parts.iter().filter(|(_, said)| !said.contains(value));
        silent.map(|(part, _)| format!("{} {part}", self.letter.language)).collect()
    }
}

/// Words of digits, with the hyphens of dates.
fn numbers_and_dates(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit() && c != '-')
        .map(|word| word.trim_matches('-'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str, html: &str) -> LetterRow {
        LetterRow {
            id: String::new(),
            notice_id: None,
            kind: "notice".to_owned(),
            language: "en".to_owned(),
            subject: String::new(),
            text: text.to_owned(),
            html: Some(html.to_owned()),
            digest: String::new(),
        }
    }

    #[test]
    fn a_figure_counts_as_stated_only_as_a_whole_word_behind_its_domain() {
        let letter =
            letter("12 of a.example: objects 112, dates 2020-01-02", "<p>a.example</p><td>12</td><td>2020-01-02</td>");
        assert_eq!(Said::behind(&letter, "a.example").without("12"), ["en text"]);
        assert_eq!(Said::behind(&letter, "a.example").without("2020-01-02"), Vec::<String>::new());
        assert_eq!(Said::behind(&letter, "b.example").without("12"), ["en text", "en html"]);
    }
}
