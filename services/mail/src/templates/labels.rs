//! What data types are called in letters.
//!
//! Does not decide which types exist (that is the model's taxonomy): an id without a label is shown as it is.

use std::collections::HashMap;

use model::language::Language;

use super::TemplateError;
use super::output::one_line;
use super::set::{LABELS_DE, LABELS_EN};

/// Labels by language and id.
#[derive(Debug)]
pub(super) struct Labels {
    de: HashMap<String, String>,
    en: HashMap<String, String>,
}

impl Labels {
    /// The labels that are compiled in.
    pub(super) fn builtin() -> Result<Self, TemplateError> {
        let read =
            |language, text| serde_json::from_str(text).map_err(|source| TemplateError::Labels { language, source });
        Ok(Self { de: read(Language::De, LABELS_DE)?, en: read(Language::En, LABELS_EN)? })
    }

    /// `Rechnung (invoice)`, or the id alone where it has no label.
    pub(super) fn describe(&self, language: Language, id: &str) -> String {
        let labels = match language {
            Language::De => &self.de,
            Language::En => &self.en,
        };
        let id = one_line(id);
        match labels.get(&id) {
            Some(label) => format!("{label} ({id})"),
            None => id,
        }
    }

    /// Every id that has a label in a language, sorted.
    pub(super) fn ids(&self, language: Language) -> Vec<&str> {
        let labels = match language {
            Language::De => &self.de,
            Language::En => &self.en,
        };
        let mut ids: Vec<&str> = labels.keys().map(String::as_str).collect();
        ids.sort_unstable();
        ids
    }
}
