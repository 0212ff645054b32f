//! What a notice says, element by element, in each of its languages.
//!
//! Does not read letters: whoever renders one notes which blocks it has and which have words in them. Invariant: a
//! notice says something only if it says so in every language it is written in.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::language::Language;

/// Whether a block has words of substance, once it is filled for one organisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// It has.
    Filled,
    /// It is there and says nothing.
    Empty,
    /// It says that these facts are withheld, whatever else it says.
    Withheld(BTreeSet<String>),
}

/// The elements that one letter has blocks for, by id.
pub type Elements = BTreeMap<String, Content>;

/// The elements of a notice in each of its languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Filled(BTreeMap<Language, Elements>);

/// How far a notice says an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// In every language.
    Filled,
    /// There is no block for it: in these languages, or in a notice that is written in none.
    Missing(Vec<Language>),
    /// There is a block, and it says nothing: in these languages.
    Empty(Vec<Language>),
    /// There is a block with words, and in place of these facts it says that they are withheld.
    Withheld(BTreeSet<String>),
}

impl Filled {
    /// A notice whose letters have these elements.
    pub fn new(letters: BTreeMap<Language, Elements>) -> Self {
        Self(letters)
    }

    /// How far it says an element. A missing block weighs more than an empty one, and that more than a withheld fact.
    pub fn state(&self, element: &str) -> State {
        let missing = self.languages(element, |content| content.is_none());
        if self.0.is_empty() || !missing.is_empty() {
            return State::Missing(missing);
        }
        let empty = self.languages(element, |content| content == Some(&Content::Empty));
        if !empty.is_empty() {
            return State::Empty(empty);
        }
        let withheld: BTreeSet<String> = self.0.values().flat_map(|elements| withheld(elements.get(element))).collect();
        if withheld.is_empty() { State::Filled } else { State::Withheld(withheld) }
    }

    /// Whether anything in it says that a fact is withheld.
    pub fn withholds(&self) -> bool {
        self.0.values().flat_map(Elements::values).any(|content| matches!(content, Content::Withheld(_)))
    }

    /// The languages in which it says an element.
    pub fn said_in(&self, element: &str) -> Vec<Language> {
        self.languages(element, |content| content == Some(&Content::Filled))
    }

    /// ` (de)`, to be put behind the notice where something is true of these of its languages and not of all.
    pub(super) fn where_not_all(&self, languages: &[Language]) -> String {
        let tags: Vec<&str> = languages.iter().map(|language| language.tag()).collect();
        if tags.len() == self.0.len() { String::new() } else { format!(" ({})", tags.join(", ")) }
    }

    fn languages(&self, element: &str, holds: impl Fn(Option<&Content>) -> bool) -> Vec<Language> {
        let letters = self.0.iter().filter(|(_, elements)| holds(elements.get(element)));
        letters.map(|(language, _)| *language).collect()
    }
}

fn withheld(content: Option<&Content>) -> BTreeSet<String> {
    match content {
        Some(Content::Withheld(facts)) => facts.clone(),
        Some(Content::Filled | Content::Empty) | None => BTreeSet::new(),
    }
}
