//! A notice's context in the form that its templates see: every figure formatted, every type named, what is unknown
//! turned into figures of its own.
//!
//! Does not add up: no figure here goes across domains. Invariant: figures are plain digits (`1680`), so that each can
//! be found again in text and HTML alike.

mod changes;
mod elements;
mod marked;
mod withheld;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::advice::Advice;
use model::difference::Change;
use model::language::Language;
use model::notices::{DomainFacts, NoticeContext, STATED};
use model::taxonomy::Taxonomy;
use model::withholding::{TYPE_OBJECTS, UNKNOWN, Withheld};
use serde::Serialize;

pub(super) use marked::{Origin, Origins, mark, owed};

use super::contexts::minute;
use super::labels::Labels;
use super::output::one_line;
use withheld::WithheldWords;

/// Types that the first lines of a notice name for each domain; all of them stand below.
const KINDS: usize = 3;

/// What the templates of a notice can print.
#[derive(Debug, Serialize)]
pub(super) struct NoticeView {
    vendor: String,
    slug: String,
    title: String,
    tenant_name: String,
    code: String,
    /// Where the code can be checked; empty = nowhere but by asking.
    verify_page: String,
    version: i64,
    discovered_at: String,
    /// The notices before this one, by time and code; empty for a first notice.
    supplements: String,
    /// What is new and what was wrong since that notice, a sentence each.
    changes: Vec<String>,
    /// Why, a sentence each.
    why: Vec<&'static str>,
    /// Whether one of these changes takes back what was said.
    corrects: bool,
    /// Paragraphs; none = not stated.
    what_happened: Vec<String>,
    measures: Vec<String>,
    contact: Vec<String>,
    /// Paragraphs by element, one for each of [`STATED`]; none = not stated.
    stated: BTreeMap<&'static str, Vec<String>>,
    domains: Vec<DomainView>,
    /// What is not told, and why.
    withheld: Vec<WithheldView>,
    advice: AdviceView,
}

/// A figure, or the word for one that is withheld.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Figure {
    Known(i64),
    Withheld(&'static str),
}

#[derive(Debug, Serialize)]
struct WithheldView {
    /// In words, with its domain where it is withheld for one alone.
    fact: String,
    why: String,
    /// When it is looked at again.
    review: String,
}

#[derive(Debug, Serialize)]
struct DomainView {
    /// A-label form, with the Unicode form in brackets where it differs.
    name: String,
    rows: Figure,
    objects: Figure,
    /// What stands behind the number of objects, in the form that the number asks for; empty where it is withheld.
    counted: &'static str,
    emails: Figure,
    users: Figure,
    projects: Figure,
    /// Empty while no size is known: `0` is a known size.
    bytes: String,
    /// The same for readers; empty where the figure itself is short.
    size: String,
    /// Both empty while no date is known.
    first_date: String,
    last_date: String,
    types: Vec<TypeView>,
    /// The most sensitive types, in words; empty while none is known.
    kinds: String,
    unknown_type: Figure,
    unknown_date: Figure,
    unknown_size: Figure,
}

#[derive(Debug, Serialize)]
struct TypeView {
    label: String,
    objects: Figure,
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
        tenant_name: model::links::unlinked(&one_line(&context.tenant_name)),
        code: one_line(&context.code),
        verify_page: one_line(&context.verify_page),
        version: context.version,
        discovered_at: minute(incident.discovered_at),
        supplements: earlier(context),
        changes: context.changes.iter().map(|change| changes::sentence(language, change, labels)).collect(),
        why: context.why.iter().map(|why| changes::reason(language, *why)).collect(),
        corrects: context.changes.iter().any(Change::corrects),
        what_happened: paragraphs(&incident.summary),
        measures: paragraphs(&incident.measures),
        contact: paragraphs(&incident.contact),
        stated: STATED.into_iter().map(|id| (id, paragraphs(incident.stated(id).unwrap_or_default()))).collect(),
        domains: context.domains.iter().map(|facts| domain(language, facts, labels)).collect(),
        withheld: context.withheld.iter().map(|withheld| withheld_view(language, withheld)).collect(),
        advice: advice(language, &context.domains),
    }
}

/// The same of a notice that takes back everything that those before it said.
pub(super) fn withdrawal(language: Language, context: &NoticeContext) -> serde_json::Value {
    let incident = &context.incident;
    let domains: std::collections::BTreeSet<&str> =
        context.changes.iter().map(|change| change.domain.as_str()).collect();
    serde_json::json!({
        "vendor": one_line(&incident.vendor),
        "incident_title": one_line(&incident.title),
        "tenant_name": model::links::unlinked(&one_line(&context.tenant_name)),
        "code": one_line(&context.code),
        "version": context.version,
        "verify_page": one_line(&context.verify_page),
        "supplements": earlier(context),
        "domains": domains.into_iter().map(both_forms).collect::<Vec<_>>(),
        "why": context.why.iter().map(|why| changes::reason(language, *why)).collect::<Vec<_>>(),
    })
}

/// The notices that this one supplements, by time and code: `2022-09-26 10:11 UTC [K7QF-2M9X]`; empty for a first one.
fn earlier(context: &NoticeContext) -> String {
    let named = context.earlier.iter().map(|one| format!("{} [{}]", minute(one.released_at), one_line(&one.code)));
    let named: Vec<String> = named.collect();
    match (context.supplements, named.is_empty()) {
        (None, _) => String::new(),
        (Some(at), true) => minute(at),
        (Some(_), false) => named.join(", "),
    }
}

pub(super) fn paragraphs(text: &str) -> Vec<String> {
    text.lines().map(one_line).filter(|line| !line.is_empty()).collect()
}

fn domain(language: Language, facts: &DomainFacts, labels: &Labels) -> DomainView {
    let has_size = facts.has_size();
    let (first_date, last_date) = match (&facts.first_date, &facts.last_date) {
        (Some(first), Some(last)) => (one_line(first), one_line(last)),
        (Some(only), None) | (None, Some(only)) => (one_line(only), one_line(only)),
        (None, None) => (String::new(), String::new()),
    };
    let words = WithheldWords::of(language);
    let hidden = |name: &str| facts.withholds(name);
    let figure = |name: &str, value| if hidden(name) { Figure::Withheld(words.figure) } else { Figure::Known(value) };
    let known = facts.data_types.iter();
    let known = known
        .map(|one| TypeView { label: labels.describe(language, &one.id), objects: figure(TYPE_OBJECTS, one.objects) });
    let mut types: Vec<TypeView> = known.collect();
    for name in marked::withheld_types(facts) {
        types.push(TypeView { label: words.name(name).to_owned(), objects: Figure::Withheld(words.figure) });
    }
    let (first_date, last_date) =
        if hidden("period") { (words.figure.to_owned(), words.figure.to_owned()) } else { (first_date, last_date) };
    DomainView {
        name: both_forms(&facts.domain),
        rows: figure("references", facts.rows),
        objects: figure("objects", facts.objects),
        counted: if hidden("objects") { "" } else { counted(language, facts.objects) },
        emails: figure("emails", facts.emails),
        users: figure("users", facts.users),
        projects: figure("projects", facts.projects),
        bytes: match (hidden("bytes"), has_size) {
            (true, _) => words.figure.to_owned(),
            (false, true) => facts.bytes.to_string(),
            (false, false) => String::new(),
        },
        size: if has_size && !hidden("bytes") { human_size(language, facts.bytes) } else { String::new() },
        first_date,
        last_date,
        kinds: kinds(language, facts, labels),
        types,
        unknown_type: figure(UNKNOWN[0], facts.unknown.data_type),
        unknown_date: figure(UNKNOWN[1], facts.unknown.date),
        unknown_size: figure(UNKNOWN[2], facts.unknown.size),
    }
}

/// The word behind a number of objects, by the plural rules of the language (CLDR, cardinal numbers).
fn counted(language: Language, objects: i64) -> &'static str {
    let (one, other) = match language {
        Language::De => ("Objekt", "Objekte"),
        Language::En => ("object", "objects"),
        Language::Es => ("objeto", "objetos"),
        Language::Fr => ("objet", "objets"),
        Language::Ja => ("件", "件"),
    };
    let is_one = match language {
        // In French nothing is singular, too.
        Language::Fr => (0..2).contains(&objects),
        Language::De | Language::En | Language::Es | Language::Ja => objects == 1,
    };
    if is_one { one } else { other }
}

/// The most sensitive types of a domain, at most [`KINDS`] of them; among equals those with most objects.
fn kinds(language: Language, facts: &DomainFacts, labels: &Labels) -> String {
    let sensitivity = |id: &str| {
        let known = Taxonomy::builtin().get(id).map(|kind| kind.sensitivity.as_str());
        ["critical", "high", "medium", "low"].iter().position(|one| known == Some(*one))
    };
    let mut types: Vec<_> = facts.data_types.iter().collect();
    types.sort_by_key(|one| (sensitivity(&one.id).unwrap_or(usize::MAX), Reverse(one.objects), &one.id));
    let names: Vec<String> = types.into_iter().take(KINDS).map(|one| labels.describe(language, &one.id)).collect();
    names.join(if language == Language::Ja { "、" } else { ", " })
}

fn withheld_view(language: Language, withheld: &Withheld) -> WithheldView {
    WithheldView {
        fact: one_line(&withheld::fact(language, withheld)),
        why: one_line(&withheld.why),
        review: minute(withheld.review_at),
    }
}

/// A withheld fact in words.
pub(super) fn withheld_name(language: Language, fact: &str) -> &str {
    WithheldWords::of(language).name(fact)
}

/// `xn--mnchen58-dz-thb.example (münchen58-dz.example)`; the A-label form alone where both are equal, or where the
/// Unicode form is not valid.
fn both_forms(domain: &str) -> String {
    let domain = one_line(domain);
    let (unicode, valid) = idna::domain_to_unicode(&domain);
    if valid.is_ok() && unicode != domain { format!("{domain} ({})", one_line(&unicode)) } else { domain }
}

/// `1.6 MB`, in steps of 1,000, cut to one decimal; empty below 1,000 bytes.
pub(super) fn human_size(language: Language, bytes: i64) -> String {
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
    fn the_word_behind_a_number_has_the_form_of_its_language() {
        let of = |language| [0, 1, 2].map(|objects| counted(language, objects));
        assert_eq!(of(Language::En), ["objects", "object", "objects"]);
        assert_eq!(of(Language::De), ["Objekte", "Objekt", "Objekte"]);
        assert_eq!(of(Language::Es), ["objetos", "objeto", "objetos"]);
        assert_eq!(of(Language::Fr), ["objet", "objet", "objets"]);
        assert_eq!(of(Language::Ja), ["件", "件", "件"]);
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
