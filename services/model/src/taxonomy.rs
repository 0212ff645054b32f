//! The kinds of exposed data, and the one name each has.
//!
//! Does not judge what a kind means in law. Invariant: an id, a label and a synonym of one kind give the same id,
//! however they are written in upper and lower case; names that the taxonomy lacks stay as they are (R8).

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// One kind of data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataType {
    /// Its name in files and in the store: `sow_document`.
    pub id: String,
    /// Its name for people, English.
    pub label: String,
    /// What it belongs to: `business-document`, `identity`, …
    pub group: String,
    /// `low`, `medium`, `high` or `critical`.
    pub sensitivity: String,
    /// Kinds of files it comes in.
    #[serde(default)]
    pub file_kinds: Vec<String>,
    /// Words that obligations look for: `personal-data`, `trade-secret`, …
    #[serde(default)]
    pub marks: Vec<String>,
    /// Other names, compared without regard to case.
    #[serde(default)]
    pub synonyms: Vec<String>,
    /// A remark for people.
    #[serde(default)]
    pub note: Option<String>,
}

/// All kinds, by each of their names.
#[derive(Debug, Default)]
pub struct Taxonomy {
    types: Vec<DataType>,
    by_name: HashMap<String, usize>,
}

impl Taxonomy {
    /// The taxonomy that is compiled in.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Taxonomy> = LazyLock::new(|| {
            // A test reads the same text, so a file that cannot be read never leaves the house.
            Taxonomy::new(serde_json::from_str(include_str!("../data/data-types.json")).unwrap_or_default())
        });
        &BUILTIN
    }

    /// A taxonomy of these kinds. Where two share a name, an id beats a label, a label beats a synonym, and then the
    /// first kind wins.
    pub fn new(types: Vec<DataType>) -> Self {
        let mut by_name = HashMap::new();
        let mut add = |name: &str, at: usize| {
            by_name.entry(name.trim().to_lowercase()).or_insert(at);
        };
        types.iter().enumerate().for_each(|(at, kind)| add(&kind.id, at));
        types.iter().enumerate().for_each(|(at, kind)| add(&kind.label, at));
        for (at, kind) in types.iter().enumerate() {
            kind.synonyms.iter().for_each(|synonym| add(synonym, at));
        }
        Self { types, by_name }
    }

    /// The id of the kind of that name; a name it lacks, trimmed.
    pub fn canonical<'a>(&'a self, name: &'a str) -> &'a str {
        self.find(name).map_or(name.trim(), |kind| &kind.id)
    }

    /// The kind of that id, label or synonym.
    pub fn find(&self, name: &str) -> Option<&DataType> {
        let name = name.trim();
        let at = self.by_name.get(name).or_else(|| self.by_name.get(&name.to_lowercase()))?;
        self.types.get(*at)
    }

    /// The kind of that id.
    pub fn get(&self, id: &str) -> Option<&DataType> {
        self.find(id).filter(|kind| kind.id == id)
    }

    /// Every kind, in the order of the collection.
    pub fn types(&self) -> &[DataType] {
        &self.types
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_taxonomy_reads_and_its_ids_are_unique() {
        let read: Vec<DataType> = serde_json::from_str(include_str!("../data/data-types.json")).unwrap();
        assert!(read.len() > 90);
        assert_eq!(Taxonomy::builtin().types(), read);
        for kind in &read {
            assert_eq!(Taxonomy::builtin().get(&kind.id), Some(kind));
        }
    }

    #[test]
    fn every_name_of_a_builtin_kind_leads_to_that_kind_alone() {
        for kind in Taxonomy::builtin().types() {
            for name in kind.synonyms.iter().chain([&kind.id, &kind.label]) {
                assert_eq!(Taxonomy::builtin().canonical(&format!(" {} ", name.to_uppercase())), kind.id, "{name}");
            }
        }
    }

    #[test]
    fn a_name_that_is_not_in_the_taxonomy_is_kept() {
        assert_eq!(Taxonomy::builtin().canonical("  Board Minutes of 2019 "), "Board Minutes of 2019");
        assert_eq!(Taxonomy::builtin().get("Statement of Work"), None);
    }
}
