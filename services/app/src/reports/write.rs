//! A text about an incident for one audience, written from its facts, with the fact behind each figure.
//!
//! Sends nothing and keeps nothing. Invariant: every text is held against the same facts before anybody sees it, so that
//! what a person stated and what was counted are never two stories.

use std::collections::{BTreeMap, BTreeSet};

use mail::templates::{Kind, ReportContext};
use model::language::Language;
use model::law::{Content, Elements, Law};
use model::notices::TypeCount;
use model::report::{Facts, Finding, PERIOD, Verdict, check as read};
use serde::Serialize;

use super::facts::{Known, known};
use crate::{App, AppError};

/// The obligation whose content elements a report to an authority follows.
const OBLIGATION: &str = "eu-gdpr-33-authority";

/// Whom a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A supervisory authority.
    Regulator,
    /// The press.
    Press,
    /// Those who answer the telephone.
    Support,
}

impl Audience {
    fn kind(self) -> Kind {
        match self {
            Self::Regulator => Kind::Regulator,
            Self::Press => Kind::Press,
            Self::Support => Kind::Support,
        }
    }
}

/// A text with what it states.
#[derive(Debug, Serialize)]
pub struct WrittenReport {
    /// The incident.
    pub incident: String,
    /// `report/press`.
    pub template: &'static str,
    /// In this language.
    pub language: Language,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The fact behind each figure and day, in the order of the text.
    pub facts: Vec<ReportFact>,
    /// Content elements that its obligation asks for and that nobody has stated.
    pub not_stated: Vec<String>,
    /// What in the text is not what the facts say: words of the vendor's own.
    pub findings: Vec<Finding>,
}

impl WrittenReport {
    /// Whether it should not go out like this.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|one| one.finding.refuses())
    }
}

/// A fact that a text states.
#[derive(Debug, Serialize)]
pub struct ReportFact {
    /// `bluebleed/objects`.
    pub fact: String,
    /// What it is.
    pub value: String,
    /// Physical line of the text where it stands first, from 1.
    pub line: usize,
    /// The command that counts it again, or shows where it is from.
    pub proof: String,
}

/// Writes a text for an audience; without a language in English.
pub async fn write(app: &App, slug: &str, audience: Audience, tag: Option<&str>) -> Result<WrittenReport, AppError> {
    let language = language(tag)?;
    let known = known(app, slug).await?;
    if known.withheld.iter().any(|one| one.fact == model::withholding::NOTICE) {
        return Err(AppError::refused(
            format!("everything about {slug} is withheld from everybody"),
            format!("`forthright notice withholdings {slug}` names who decided so and when that is looked at again"),
        ));
    }
    let law = Law::builtin()?.obligation(OBLIGATION);
    let context = context(app, &known, law.map(|row| row.law.clone()).unwrap_or_default());
    let (letter, elements) = app.templates.render_report(audience.kind(), language, &context)?;
    let read = read(&letter.text, &known.facts);
    let not_stated = match (audience, law) {
        (Audience::Regulator, Some(row)) => not_stated(&row.elements, &elements),
        _ => Vec::new(),
    };
    Ok(WrittenReport {
        incident: slug.to_owned(),
        template: audience.kind().name(),
        language,
        subject: letter.subject,
        text: letter.text,
        facts: stated(slug, &read, &known.facts),
        not_stated,
        findings: read.into_iter().filter(|one| one.finding.refuses()).collect(),
    })
}

fn language(tag: Option<&str>) -> Result<Language, AppError> {
    let Some(tag) = tag else { return Ok(Language::En) };
    Language::from_tag(tag).ok_or_else(|| {
        AppError::bad(
            format!("no text is written in `{tag}`"),
            format!("choose one of: {}", Language::ALL.map(Language::tag).join(", ")),
        )
    })
}

/// Without what is withheld.
fn context(app: &App, known: &Known, law: String) -> ReportContext {
    let facts = &known.facts;
    let told = |name: &String| !facts.hides(name);
    let figures = facts.figures.iter().filter(|(name, _)| told(name)).cloned().collect();
    let types = facts.types.iter().filter(|(id, objects)| *objects > 0 && told(&format!("type:{id}")));
    let day = |name: &str| facts.dates.iter().find(|(there, _)| there == name).map(|(_, day)| day.clone());
    ReportContext {
        incident: known.incident.facts.clone(),
        written_at: app.clock.now(),
        figures,
        period: day(PERIOD[0]).zip(day(PERIOD[1])).filter(|_| !facts.hides("period")),
        types: types.map(|(id, objects)| TypeCount { id: id.clone(), objects: *objects }).collect(),
        withheld: known.withheld.clone(),
        verify_page: app.settings.sender.verify_page.clone(),
        law,
    }
}

/// The required elements that the text has no words on.
fn not_stated(required: &[String], elements: &Elements) -> Vec<String> {
    required.iter().filter(|id| elements.get(*id) != Some(&Content::Filled)).cloned().collect()
}

/// Each fact that was recognised in a text, once.
fn stated(slug: &str, read: &[Finding], facts: &Facts) -> Vec<ReportFact> {
    let values: BTreeMap<String, String> = values(facts);
    let mut seen = BTreeSet::new();
    let told = read.iter().filter(|one| matches!(one.finding, Verdict::Agrees | Verdict::Rounds));
    told.filter(|one| !one.fact.is_empty() && seen.insert(one.fact.clone()))
        .map(|one| ReportFact {
            fact: format!("{slug}/{}", one.fact),
            value: values.get(&one.fact).cloned().unwrap_or_default(),
            line: one.line,
            proof: proof(slug, &one.fact),
        })
        .collect()
}

fn values(facts: &Facts) -> BTreeMap<String, String> {
    let figures = facts.figures.iter().map(|(name, value)| (name.clone(), value.to_string()));
    let types = facts.types.iter().map(|(id, objects)| (format!("type:{id}"), objects.to_string()));
    let days = facts.dates.iter().cloned().chain([("discovered".to_owned(), facts.discovered.clone())]);
    figures.chain(types).chain(days).collect()
}

/// What shows where a fact is from.
fn proof(slug: &str, fact: &str) -> String {
    match fact {
        "organisations_told" => format!("forthright delivery status {slug}"),
        "discovered" => format!("forthright incident show {slug}"),
        "notices_to_write" | "tenants_without_contact" => format!("forthright exposure totals {slug}"),
        day if PERIOD.contains(&day) => format!("forthright exposure facts {slug} --csv"),
        kind if kind.starts_with("type:") => format!("forthright exposure totals {slug} --json"),
        figure if crate::intake::FIGURES.contains(&figure) => format!("forthright exposure prove {slug} {figure}"),
        _ => format!("forthright incident show {slug}"),
    }
}
