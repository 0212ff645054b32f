//! Sentences of our own advice, which names data types and tells of none.
//!
//! Invariant: a sentence is taken for advice only word by word, and only where what is told calls for it; so the advice
//! that is given for something withheld is none.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::advice::Advice;
use crate::language::Language;
use crate::notices::{DomainFacts, TypeCount, Unknown};

use super::Facts;
use super::text::{Sentence, Text};

/// Advice by its name, as the words of its sentences.
static SENTENCES: LazyLock<Vec<(&'static str, HashSet<String>)>> = LazyLock::new(|| {
    let words = |advice: &Advice| -> HashSet<String> {
        let texts = Language::ALL.map(|language| advice.text(language));
        texts
            .iter()
            .flat_map(|text| Text::read(text).sentences().map(|one| letters(&one)).collect::<Vec<_>>())
            .collect()
    };
    Advice::builtin().iter().map(|advice| (advice.id.as_str(), words(advice))).collect()
});

/// What is advised to whoever has all that is told.
pub(super) struct Advised(Vec<&'static HashSet<String>>);

impl Advised {
    pub(super) fn by(facts: &Facts) -> Self {
        let figure = |name: &str| facts.figure(name).filter(|_| !facts.hides(name)).unwrap_or_default();
        let told = facts.types.iter().filter(|(id, objects)| *objects > 0 && !facts.hides(&format!("type:{id}")));
        let all = DomainFacts {
            domain: String::new(),
            tenant_id: None,
            rows: 0,
            objects: 0,
            emails: figure("emails"),
            users: 0,
            projects: 0,
            bytes: 0,
            first_date: None,
            last_date: None,
            data_types: told.map(|(id, objects)| TypeCount { id: id.clone(), objects: *objects }).collect(),
            unknown: Unknown { data_type: figure("objects_without_data_type"), date: 0, size: 0 },
            withheld: Vec::new(),
        };
        let given = Advice::for_facts(std::slice::from_ref(&all));
        let is_given = |id: &str| given.iter().any(|advice| advice.id == id);
        Self(SENTENCES.iter().filter(|(id, _)| is_given(id)).map(|(_, words)| words).collect())
    }

    /// Whether a sentence is one of them.
    pub(super) fn has(&self, sentence: &Sentence<'_>) -> bool {
        let words = letters(sentence);
        self.0.iter().any(|sentences| sentences.contains(&words))
    }
}

/// Its words without spaces: lines of Japanese are folded anywhere.
fn letters(sentence: &Sentence<'_>) -> String {
    sentence.lower().replace(' ', "")
}
