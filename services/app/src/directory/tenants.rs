//! The tenants of a file, in as little memory as a million of them need.
//!
//! Compares nothing. Invariant: each id stands here once, as its first row had it.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use store::directory::Tenant;

/// Tenants by number, in the order in which the file names them.
#[derive(Default)]
pub(super) struct Tenants {
    rows: Vec<Row>,
    /// Numbers by the hash of the id, which stands in the row.
    numbers: HashTable<u32>,
    hasher: FixedState,
    /// Countries and languages: few, and in every row.
    words: Vec<Box<str>>,
    word_numbers: HashMap<Box<str>, u32>,
}

struct Row {
    id: Box<str>,
    name: Box<str>,
    country: u32,
    language: u32,
}

impl Tenants {
    pub(super) fn id(&self, number: u32) -> &str {
        &self.rows[number as usize].id
    }

    pub(super) fn find(&self, id: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        self.numbers.find(hash, |number| *self.rows[*number as usize].id == *id).copied()
    }

    /// Adds a tenant that is not there.
    pub(super) fn push(&mut self, id: &str, name: &str, country: &str, language: &str) -> u32 {
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let (country, language) = (self.word(country), self.word(language));
        self.rows.push(Row { id: id.into(), name: name.into(), country, language });
        let (rows, hasher) = (&self.rows, &self.hasher);
        let hash_of = |number: &u32| hasher.hash_one(&*rows[*number as usize].id);
        self.numbers.insert_unique(hasher.hash_one(id), number, hash_of);
        number
    }

    /// Whether a later row says the same of a tenant.
    pub(super) fn says(&self, number: u32, name: &str, country: &str, language: &str) -> bool {
        let row = &self.rows[number as usize];
        let word = |number: u32| &*self.words[number as usize];
        *row.name == *name && word(row.country) == country && word(row.language) == language
    }

    /// A tenant as it is stored.
    pub(super) fn get(&self, number: u32) -> Tenant {
        let row = &self.rows[number as usize];
        Tenant {
            id: row.id.to_string(),
            name: row.name.to_string(),
            country: self.words[row.country as usize].to_string(),
            language: self.words[row.language as usize].to_string(),
            added_at: 0,
        }
    }

    /// All numbers, in the order of ids: neighbours in the file of the database.
    pub(super) fn in_order(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = (0..u32::try_from(self.rows.len()).unwrap_or(u32::MAX)).collect();
        numbers.sort_unstable_by(|one, other| self.id(*one).cmp(self.id(*other)));
        numbers
    }

    fn word(&mut self, word: &str) -> u32 {
        if let Some(number) = self.word_numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.words.push(word.into());
        self.word_numbers.insert(word.into(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_found_by_its_first_row() {
        let mut tenants = Tenants::default();
        for n in (0..3_000).rev() {
            tenants.push(&format!("t-{n}"), "Acme", "DE", if n % 2 == 0 { "de" } else { "" });
        }
        let number = tenants.find("t-2999").unwrap();
        assert_eq!((number, tenants.find("t-3000")), (0, None));
        assert!(tenants.says(number, "Acme", "DE", "") && !tenants.says(number, "Acme", "DE", "de"));
        assert_eq!(tenants.get(tenants.find("t-8").unwrap()).language, "de");
        let order = tenants.in_order();
        assert_eq!((order.len(), tenants.id(order[0]), tenants.id(order[1])), (3_000, "t-0", "t-1"));
    }
}
