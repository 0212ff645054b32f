//! A notice's context in the form that its templates see: every figure formatted, every type named, what is unknown
//! turned into figures of its own.
//!
//! Does not add up: no figure here goes across domains. Invariant: figures are plain digits (`1680`), so that each can
//! be found again in text and HTML alike.

use std::collections::BTreeMap;

use model::advice::Advice;
use model::language::Language;
use model::notices::{DomainFacts, NoticeContext, STATED};
use serde::Serialize;

use super::contexts::minute;
use super::labels::Labels;
use super::output::one_line;

/// What the templates of a notice can print.
#[derive(Debug, Serialize)]
pub(super) struct NoticeView {
    vendor: String,
    slug: String,
    title: String,
    tenant_name: String,
    code: String,
    version: i64,
    discovered_at: String,
    /// Empty for a first notice.
    supplements: String,
    /// Paragraphs; none = not stated.
    what_happened: Vec<String>,
    measures: Vec<String>,
    contact: Vec<String>,
    /// Paragraphs by element, one for each of [`STATED`]; none = not stated.
    stated: BTreeMap<&'static str, Vec<String>>,
    domains: Vec<DomainView>,
    advice: AdviceView,
}

#[derive(Debug, Serialize)]
struct DomainView {
    /// A-label form, with the Unicode form in brackets where it differs.
    name: String,
    rows: i64,
    objects: i64,
    emails: i64,
    users: i64,
    projects: i64,
    /// Empty while no size is known: `0` is a known size.
    bytes: String,
    /// The same for readers; empty where the figure itself is short.
    size: String,
    /// Both empty while no date is known.
    first_date: String,
    last_date: String,
    types: Vec<TypeView>,
    unknown_type: i64,
    unknown_date: i64,
    unknown_size: i64,
}

#[derive(Debug, Serialize)]
struct TypeView {
    label: String,
    objects: i64,
}

/// What the reader can do, in the order of the file.
#[derive(Debug, Serialize)]
struct AdviceView {
    /// About passwords and other access data.
    access: Vec<SentenceView>,
    /// Other steps that protect.
    steps: Vec<SentenceView>,
    /// Duties of the reader's own.
    duties: Vec<SentenceView>,
}

#[derive(Debug, Serialize)]
struct SentenceView {
    text: String,
    /// Empty for our own advice.
    source: String,
}

/// Everything formatted for one language.
pub(super) fn view(language: Language, context: &NoticeContext, labels: &Labels) -> NoticeView {
    let incident = &context.incident;
    NoticeView {
        vendor: one_line(&incident.vendor),
        slug: one_line(&incident.slug),
        title: one_line(&incident.title),
        tenant_name: one_line(&context.tenant_name),
        code: one_line(&context.code),
        version: context.version,
        discovered_at: minute(incident.discovered_at),
        supplements: context.supplements.map(minute).unwrap_or_default(),
        what_happened: paragraphs(&incident.summary),
        measures: paragraphs(&incident.measures),
        contact: paragraphs(&incident.contact),
        stated: STATED.into_iter().map(|id| (id, paragraphs(incident.stated(id).unwrap_or_default()))).collect(),
        domains: context.domains.iter().map(|facts| domain(language, facts, labels)).collect(),
        advice: advice(language, &context.domains),
    }
}

fn paragraphs(text: &str) -> Vec<String> {
    text.lines().map(one_line).filter(|line| !line.is_empty()).collect()
}

fn domain(language: Language, facts: &DomainFacts, labels: &Labels) -> DomainView {
    let has_size = facts.unknown.size < facts.objects;
    let (first_date, last_date) = match (&facts.first_date, &facts.last_date) {
        (Some(first), Some(last)) => (one_line(first), one_line(last)),
        (Some(only), None) | (None, Some(only)) => (one_line(only), one_line(only)),
        (None, None) => (String::new(), String::new()),
    };
    let types = facts.data_types.iter();
    DomainView {
        name: both_forms(&facts.domain),
        rows: facts.rows,
        objects: facts.objects,
        emails: facts.emails,
        users: facts.users,
        projects: facts.projects,
        bytes: if has_size { facts.bytes.to_string() } else { String::new() },
        size: if has_size { human_size(language, facts.bytes) } else { String::new() },
        first_date,
        last_date,
        types: types.map(|one| TypeView { label: labels.describe(language, &one.id), objects: one.objects }).collect(),
        unknown_type: facts.unknown.data_type,
        unknown_date: facts.unknown.date,
        unknown_size: facts.unknown.size,
    }
}

/// `xn--mnchen58-dz-thb.example (münchen58-dz.example)`; the A-label form alone where both are equal, or where the
/// Unicode form is not valid.
fn both_forms(domain: &str) -> String {
    let domain = one_line(domain);
    let (unicode, valid) = idna::domain_to_unicode(&domain);
    if valid.is_ok() && unicode != domain { format!("{domain} ({})", one_line(&unicode)) } else { domain }
}

/// `1.6 MB`, in steps of 1,000, cut to one decimal; empty below 1,000 bytes.
fn human_size(language: Language, bytes: i64) -> String {
    let (point, byte) = match language {
        Language::De | Language::Es => (',', 'B'),
        Language::En | Language::Ja => ('.', 'B'),
        Language::Fr => (',', 'o'),
    };
    let units = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size);
    unit.map(|(size, name)| format!("{}{point}{} {name}{byte}", bytes / size, bytes % size * 10 / size))
        .unwrap_or_default()
}

fn advice(language: Language, domains: &[DomainFacts]) -> AdviceView {
    let mut view = AdviceView { access: Vec::new(), steps: Vec::new(), duties: Vec::new() };
    for advice in Advice::for_facts(domains) {
        let list = match (advice.fulfils("password_change_direction"), advice.fulfils("protective_steps")) {
            (true, _) => &mut view.access,
            (false, true) => &mut view.steps,
            (false, false) => &mut view.duties,
        };
        list.push(SentenceView { text: one_line(advice.text(language)), source: one_line(&advice.publisher) });
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unicode_form_stands_in_brackets_only_where_it_differs() {
        assert_eq!(both_forms("xn--mnchen-3ya.example"), "xn--mnchen-3ya.example (münchen.example)");
        assert_eq!(both_forms("plain.example"), "plain.example");
        assert_eq!(both_forms("xn--.example"), "xn--.example");
    }

    #[test]
    fn sizes_are_readable_in_each_language() {
        assert_eq!(human_size(Language::En, 999), "");
        assert_eq!(human_size(Language::En, 1_680_000), "1.6 MB");
        assert_eq!(human_size(Language::De, 2_400_000_000_000), "2,4 TB");
        assert_eq!(human_size(Language::Es, 1_680_000), "1,6 MB");
        assert_eq!(human_size(Language::Fr, 1_680), "1,6 ko");
        assert_eq!(human_size(Language::Ja, 1_680_000), "1.6 MB");
        assert_eq!(human_size(Language::En, i64::MAX), "9223372.0 TB");
    }
}
