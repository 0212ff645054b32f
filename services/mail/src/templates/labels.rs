//! What data types are called in letters.
//!
//! Does not decide which types exist (that is the model's taxonomy): an id without a label is shown as it is.

use std::collections::{BTreeMap, HashMap};

use model::language::Language;

use super::TemplateError;
use super::output::one_line;
use super::set::LABELS;

/// Labels by language and id.
#[derive(Debug)]
pub(super) struct Labels(BTreeMap<Language, HashMap<String, String>>);

impl Labels {
    /// The labels that are compiled in.
    pub(super) fn builtin() -> Result<Self, TemplateError> {
        let read = |(language, text)| match serde_json::from_str(text) {
            Ok(labels) => Ok((language, labels)),
            Err(source) => Err(TemplateError::Labels { language, source }),
        };
        LABELS.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// `Rechnung (invoice)`, or the id alone where it has no label.
    pub(super) fn describe(&self, language: Language, id: &str) -> String {
        let id = one_line(id);
        match (self.0.get(&language).and_then(|labels| labels.get(&id)), language) {
            (Some(label), Language::Ja) => format!("{label}（{id}）"),
            (Some(label), Language::De | Language::En | Language::Es | Language::Fr) => format!("{label} ({id})"),
            // Whatever stood in a file; nobody is led anywhere by it.
            (None, _) => model::links::unlinked(&id),
        }
    }

    /// (id, label) in every language, sorted.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let all = self.0.values().flatten();
        let mut all: Vec<(String, String)> = all.map(|(id, label)| (id.clone(), label.clone())).collect();
        all.sort_unstable();
        all
    }

    /// Every id that has a label in a language, sorted.
    pub(super) fn ids(&self, language: Language) -> Vec<&str> {
        let mut ids: Vec<&str> =
            self.0.get(&language).into_iter().flat_map(HashMap::keys).map(String::as_str).collect();
        ids.sort_unstable();
        ids
    }
}
