//! What an organisation can do, by the kinds of its data that were exposed: sentences with their sources.
//!
//! Does not judge a single case. Invariant: advice depends on the organisation's own facts alone, and every mark of the
//! taxonomy leads to some.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::notices::DomainFacts;
use crate::taxonomy::Taxonomy;

/// The file, as it is compiled in: letters depend on it, and so does their version.
pub const FILE: &str = include_str!("../data/advice.json");

/// One piece of advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Its name: `access`.
    pub id: String,
    /// Given where a type has one of these marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// Given where one of these types was exposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Given where this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Fact>,
    /// Content elements that it contributes to.
    pub elements: Vec<String>,
    /// The sentence in English.
    en: String,
    /// The sentence in German.
    de: String,
    /// The sentence in Spanish.
    es: String,
    /// The sentence in French.
    fr: String,
    /// The sentence in Japanese.
    ja: String,
    /// Who gives this advice, as named in notices; empty for our own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub publisher: String,
    /// What was read.
    pub source: String,
    /// What kind of source that is.
    pub source_kind: Origin,
}

/// Something that holds for an organisation beside its types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// Addresses of it are in the list.
    Addresses,
    /// Objects of it have no known type, or one that the taxonomy lacks.
    UnknownType,
}

/// What advice was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// What its publisher wrote.
    Primary,
    /// A copy, or what others write about it.
    Secondary,
    /// General knowledge, to be verified.
    Unverified,
    /// Ourselves.
    Own,
}

impl Advice {
    /// Every piece, in the order in which a notice gives them.
    pub fn builtin() -> &'static [Self] {
        static BUILTIN: LazyLock<Vec<Advice>> = LazyLock::new(|| {
            // A test reads the same text, so a file that cannot be read never leaves the house.
            serde_json::from_str(FILE).unwrap_or_default()
        });
        &BUILTIN
    }

    /// The advice for an organisation with these facts, in order.
    pub fn for_facts(domains: &[DomainFacts]) -> Vec<&'static Self> {
        let known = Known::of(domains);
        Self::builtin().iter().filter(|advice| advice.applies(&known)).collect()
    }

    /// The sentence.
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::De => &self.de,
            Language::En => &self.en,
            Language::Es => &self.es,
            Language::Fr => &self.fr,
            Language::Ja => &self.ja,
        }
    }

    /// Whether it contributes to a content element.
    pub fn fulfils(&self, element: &str) -> bool {
        self.elements.iter().any(|id| id == element)
    }

    fn applies(&self, known: &Known<'_>) -> bool {
        self.marks.iter().any(|mark| known.marks.contains(mark.as_str()))
            || self.types.iter().any(|id| known.types.contains(id.as_str()))
            || match self.fact {
                Some(Fact::Addresses) => known.addresses,
                Some(Fact::UnknownType) => known.unknown_type,
                None => false,
            }
    }
}

struct Known<'a> {
    types: BTreeSet<&'a str>,
    marks: BTreeSet<&'a str>,
    addresses: bool,
    unknown_type: bool,
}

impl<'a> Known<'a> {
    fn of(domains: &'a [DomainFacts]) -> Self {
        let told = |facts: &&'a DomainFacts| facts.withholds(crate::withholding::TYPE_OBJECTS);
        let named = domains.iter().filter(told).flat_map(|facts| &facts.data_types);
        let counted = domains.iter().flat_map(|facts| &facts.data_types).filter(|one| one.objects > 0).chain(named);
        let types: BTreeSet<&str> = counted.map(|one| one.id.as_str()).collect();
        let found = || types.iter().map(|id| Taxonomy::builtin().get(id));
        Self {
            marks: found().flatten().flat_map(|kind| &kind.marks).map(String::as_str).collect(),
            addresses: domains.iter().any(|facts| facts.emails > 0),
            unknown_type: found().any(|kind| kind.is_none()) || domains.iter().any(|facts| facts.unknown.data_type > 0),
            types,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Law;
    use crate::notices::{TypeCount, Unknown};

    fn facts(types: &[&str]) -> DomainFacts {
        DomainFacts {
            domain: "contoso.example".to_owned(),
            tenant_id: None,
            rows: 1,
            objects: 1,
            emails: 0,
            users: 0,
            projects: 0,
            bytes: 0,
            first_date: None,
            last_date: None,
            data_types: types.iter().map(|id| TypeCount { id: (*id).to_owned(), objects: 1 }).collect(),
            unknown: Unknown::default(),
            withheld: Vec::new(),
        }
    }

    #[track_caller]
    fn check(facts: DomainFacts, expect: &[&str]) {
        let ids: Vec<&str> = Advice::for_facts(&[facts]).iter().map(|advice| advice.id.as_str()).collect();
        assert_eq!(ids, expect);
    }

    #[test]
    fn the_file_reads_and_names_what_exists() {
        let read: Vec<Advice> = serde_json::from_str(FILE).unwrap();
        assert_eq!(read, Advice::builtin());
        let marks: BTreeSet<&str> =
            Taxonomy::builtin().types().iter().flat_map(|kind| &kind.marks).map(String::as_str).collect();
        for advice in &read {
            assert!(advice.marks.iter().all(|mark| marks.contains(mark.as_str())), "{}", advice.id);
            assert!(advice.types.iter().all(|id| Taxonomy::builtin().get(id).is_some()), "{}", advice.id);
            assert!(advice.elements.iter().all(|id| Law::builtin().unwrap().element(id).is_some()), "{}", advice.id);
            assert!(!advice.source.is_empty() && advice.publisher.is_empty() == (advice.source_kind == Origin::Own));
        }
        let covered: BTreeSet<&str> = read.iter().flat_map(|advice| &advice.marks).map(String::as_str).collect();
        assert_eq!(covered, marks);
    }

    #[test]
    fn sentences_hold_no_figures_no_questions_and_no_links() {
        for advice in Advice::builtin() {
            let texts = Language::ALL.map(|language| advice.text(language));
            for text in texts.into_iter().chain([advice.publisher.as_str()]) {
                assert!(!text.contains(|char: char| char.is_ascii_digit() || "?？<>{}".contains(char)), "{text}");
                assert!(!text.contains("www") && !text.contains("://"), "{text}");
            }
            let different: BTreeSet<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
            assert_eq!(different.len(), texts.len(), "{}: a language has no sentence of its own", advice.id);
        }
    }

    #[test]
    fn advice_is_given_for_the_types_that_are_there_alone() {
        check(facts(&[]), &[]);
        check(facts(&["company_name"]), &[]);
        check(facts(&["api_key"]), &["access", "systems"]);
        check(facts(&["invoice"]), &["bank-details"]);
        check(facts(&["bank_account"]), &["payment", "identity", "persons"]);
        check(facts(&["child_data"]), &["children", "persons"]);
    }

    #[test]
    fn addresses_and_unknown_types_call_for_advice_too() {
        check(DomainFacts { emails: 1, ..facts(&[]) }, &["addresses"]);
        check(facts(&["Board Minutes of 2019"]), &["unknown"]);
        let unknown = Unknown { data_type: 1, ..Unknown::default() };
        check(DomainFacts { unknown, ..facts(&["invoice"]) }, &["bank-details", "unknown"]);
        let none_left = vec![TypeCount { id: "api_key".to_owned(), objects: 0 }];
        check(DomainFacts { data_types: none_left, ..facts(&[]) }, &[]);
    }
}
