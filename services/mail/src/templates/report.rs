//! Texts for a supervisory authority, the press and a support desk: what they are written from, and as templates see it.
//!
//! Adds nothing up and knows no organisation by name. Invariant: a fact that is withheld from everybody is not in the
//! context, so that no template can print it.

use std::collections::BTreeMap;

use model::advice::Advice;
use model::language::Language;
use model::notices::{DomainFacts, IncidentFacts, STATED, TypeCount, Unknown};
use model::time::Timestamp;
use model::withholding::Withheld;
use serde::Serialize;

use super::contexts::minute;
use super::labels::Labels;
use super::notice::{human_size, paragraphs, withheld_name};
use super::output::one_line;

/// What a text about a whole incident is written from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportContext {
    /// The incident.
    pub incident: IncidentFacts,
    /// When the facts were as they are here.
    pub written_at: Timestamp,
    /// Figures by the names of the totals, without those that are withheld.
    pub figures: BTreeMap<String, i64>,
    /// First and last document date; none: not known, or withheld.
    pub period: Option<(String, String)>,
    /// Objects by data type, sorted by id.
    pub types: Vec<TypeCount>,
    /// What is not told, and why.
    pub withheld: Vec<Withheld>,
    /// Where notice codes can be checked; empty = nowhere but by asking.
    pub verify_page: String,
    /// The obligation that a report to an authority follows, in the words of the table.
    pub law: String,
}

/// What templates can print. A figure that is withheld or not known is an empty text.
#[derive(Debug, Serialize)]
pub(super) struct ReportView {
    vendor: String,
    slug: String,
    title: String,
    law: String,
    verify_page: String,
    discovered_at: String,
    discovered_day: String,
    written_at: String,
    organisations: String,
    customers: String,
    told: String,
    references: String,
    objects: String,
    emails: String,
    users: String,
    projects: String,
    bytes: String,
    size: String,
    unknown_type: String,
    first_date: String,
    last_date: String,
    types: Vec<TypeView>,
    what_happened: Vec<String>,
    measures: Vec<String>,
    contact: Vec<String>,
    /// Paragraphs by element, one for each of [`STATED`]; none = not stated.
    stated: BTreeMap<&'static str, Vec<String>>,
    withheld: Vec<WithheldView>,
    /// What an organisation can do, by all data types of the incident.
    advice: Vec<AdviceView>,
}

#[derive(Debug, Serialize)]
struct TypeView {
    label: String,
    objects: String,
}

#[derive(Debug, Serialize)]
struct WithheldView {
    fact: String,
    why: String,
    review: String,
}

#[derive(Debug, Serialize)]
struct AdviceView {
    text: String,
    /// Empty for our own advice.
    source: String,
}

/// Everything formatted for one language.
pub(super) fn view(language: Language, context: &ReportContext, labels: &Labels) -> ReportView {
    let incident = &context.incident;
    let figure = |name: &str| context.figures.get(name).map(|value| grouped(language, *value)).unwrap_or_default();
    let bytes = context.figures.get("bytes").copied().filter(|bytes| *bytes > 0);
    let unknown = context.figures.get("objects_without_data_type").copied().filter(|count| *count > 0);
    let (first_date, last_date) = context.period.clone().unwrap_or_default();
    let types = context
        .types
        .iter()
        .map(|one| TypeView { label: labels.describe(language, &one.id), objects: grouped(language, one.objects) });
    let discovered_at = minute(incident.discovered_at);
    ReportView {
        vendor: one_line(&incident.vendor),
        slug: one_line(&incident.slug),
        title: one_line(&incident.title),
        law: one_line(&context.law),
        verify_page: one_line(&context.verify_page),
        discovered_day: discovered_at.chars().take(10).collect(),
        discovered_at,
        written_at: minute(context.written_at),
        organisations: figure("organisations"),
        customers: figure("tenants_affected"),
        told: figure("organisations_told"),
        references: figure("organisation_rows"),
        objects: figure("objects"),
        emails: figure("emails"),
        users: figure("users"),
        projects: figure("projects"),
        bytes: bytes.map(|bytes| grouped(language, bytes)).unwrap_or_default(),
        size: bytes.map(|bytes| human_size(language, bytes)).unwrap_or_default(),
        unknown_type: unknown.map(|count| grouped(language, count)).unwrap_or_default(),
        first_date: one_line(&first_date),
        last_date: one_line(&last_date),
        types: types.collect(),
        what_happened: paragraphs(&incident.summary),
        measures: paragraphs(&incident.measures),
        contact: paragraphs(&incident.contact),
        stated: STATED.into_iter().map(|id| (id, paragraphs(incident.stated(id).unwrap_or_default()))).collect(),
        withheld: context
            .withheld
            .iter()
            .map(|one| WithheldView {
                fact: withheld_name(language, &one.fact).to_owned(),
                why: one_line(&one.why),
                review: minute(one.review_at),
            })
            .collect(),
        advice: advice(language, context),
    }
}

/// With the mark that a language puts between thousands.
fn grouped(language: Language, value: i64) -> String {
    let mark = match language {
        Language::De | Language::Es => '.',
        Language::En | Language::Ja => ',',
        Language::Fr => '\u{202f}',
    };
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

/// For one organisation that has all of it: whoever asks may have any.
fn advice(language: Language, context: &ReportContext) -> Vec<AdviceView> {
    let figure = |name: &str| context.figures.get(name).copied().unwrap_or_default();
    let all = DomainFacts {
        domain: String::new(),
        tenant_id: None,
        rows: 0,
        objects: figure("objects"),
        emails: figure("emails"),
        users: 0,
        projects: 0,
        bytes: 0,
        first_date: None,
        last_date: None,
        data_types: context.types.clone(),
        unknown: Unknown { data_type: figure("objects_without_data_type"), date: 0, size: 0 },
        withheld: Vec::new(),
    };
    let given = Advice::for_facts(std::slice::from_ref(&all)).into_iter();
    given
        .map(|advice| AdviceView { text: one_line(advice.text(language)), source: one_line(&advice.publisher) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_marked_as_each_language_does() {
        assert_eq!(
            Language::ALL.map(|language| grouped(language, 1_648_458)),
            ["1.648.458", "1,648,458", "1.648.458", "1\u{202f}648\u{202f}458", "1,648,458",]
        );
        assert_eq!([0, 999, 1_000].map(|value| grouped(Language::En, value)), ["0", "999", "1,000"]);
    }
}
