//! Languages that letters are written in.
//!
//! Does not translate: a language without its own letter templates falls back to English, and the reader is told.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language that letters exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// German.
    De,
    /// English, the fall-back of every other language.
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// Japanese.
    Ja,
}

impl Language {
    /// Every language, sorted by tag.
    pub const ALL: [Self; 5] = [Self::De, Self::En, Self::Es, Self::Fr, Self::Ja];

    /// The language for a BCP 47 tag such as `de`, `DE-at` or `de_CH`: its primary subtag counts.
    /// `None` for a language without letters, and for an empty tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language a person is written to: the contact's where letters exist in it, else the tenant's where they
    /// exist in it and the contact names none, else English.
    pub fn of_contact(contact_tag: &str, tenant_tag: &str) -> Self {
        let tag = if contact_tag.trim().is_empty() { tenant_tag } else { contact_tag };
        Self::from_tag(tag).unwrap_or(Self::En)
    }

    /// The BCP 47 tag, lower case.
    pub fn tag(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::Ja => "ja",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_subtag_decides() {
        assert_eq!(Language::from_tag(" DE-at "), Some(Language::De));
        assert_eq!(Language::from_tag("en_US"), Some(Language::En));
        assert_eq!(Language::from_tag("fr-CA"), Some(Language::Fr));
        assert_eq!(Language::from_tag("es_419"), Some(Language::Es));
        assert_eq!(Language::from_tag("ja-Jpan-JP"), Some(Language::Ja));
        assert_eq!(Language::from_tag("it"), None);
        assert_eq!(Language::from_tag("jam"), None);
    }

    #[test]
    fn languages_are_sorted_and_read_back() {
        assert!(Language::ALL.is_sorted() && Language::ALL.is_sorted_by_key(|language| language.tag()));
        for language in Language::ALL {
            assert_eq!(Language::from_tag(language.tag()), Some(language));
        }
    }

    #[test]
    fn the_contacts_language_beats_the_tenants() {
        assert_eq!(Language::of_contact("en", "de"), Language::En);
        assert_eq!(Language::of_contact("", "de"), Language::De);
        assert_eq!(Language::of_contact("it", "de"), Language::En);
    }
}
