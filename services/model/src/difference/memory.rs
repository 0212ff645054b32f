//! What an organisation was told of each fact when that was told last, over all its notices.
//!
//! Compares nothing. Invariant: a fact that was told and is withheld since is remembered as it was told; one that a
//! later notice told anew, or took back with its domain, is not remembered as it was before.

use std::collections::{BTreeMap, BTreeSet};

use super::Told;
use crate::notices::DomainFacts;
use crate::time::Timestamp;
use crate::withholding::TYPE_OBJECTS;

/// What was told last, by domain.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    named: BTreeMap<String, Remembered>,
    /// Whatever was named once.
    ever: BTreeSet<String>,
}

/// A value as it was told, and when the notice that told it was released.
type At<T> = (T, Timestamp);

/// Of one domain. What was never told is not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    figures: BTreeMap<&'static str, At<i64>>,
    types: BTreeMap<String, At<i64>>,
    period: Option<At<(String, String)>>,
}

impl Memory {
    /// What is remembered after a further notice, the oldest notices first. What it does not name any more was taken
    /// back by it, and is forgotten.
    pub fn tell(&mut self, told: Told<'_>, released_at: Timestamp) {
        let mut before = std::mem::take(&mut self.named);
        for facts in told.facts {
            let mut remembered = before.remove(&facts.domain).unwrap_or_default();
            remembered.tell(facts, told, released_at);
            self.named.insert(facts.domain.clone(), remembered);
            self.ever.insert(facts.domain.clone());
        }
    }

    pub(super) fn of(&self, domain: &str) -> Option<&Remembered> {
        self.named.get(domain)
    }

    /// Whether any notice named a domain, though a later one took it back.
    pub(super) fn ever_named(&self, domain: &str) -> bool {
        self.ever.contains(domain)
    }
}

impl Remembered {
    fn tell(&mut self, facts: &DomainFacts, told: Told<'_>, at: Timestamp) {
        let figures = super::figures_of(facts).into_iter().filter(|(name, _)| !facts.withholds(name));
        self.figures.extend(figures.map(|(name, value)| (name, (value, at))));
        if let Some(dates) = super::dates_of(facts) {
            self.period = Some((dates, at));
        }
        let hides = |id: &str| told.hidden.iter().any(|name| name.hides_type(&facts.domain, id));
        let is_named = |id: &str| facts.data_types.iter().any(|count| count.id == id);
        for (id, value) in &mut self.types {
            if !is_named(id) && !hides(id) {
                *value = (0, at);
            }
        }
        if !facts.withholds(TYPE_OBJECTS) {
            self.types.extend(facts.data_types.iter().map(|count| (count.id.clone(), (count.objects, at))));
        }
    }

    pub(super) fn figure(&self, name: &str) -> Option<At<i64>> {
        self.figures.get(name).copied()
    }

    pub(super) fn of_type(&self, id: &str) -> Option<At<i64>> {
        self.types.get(id).copied()
    }

    pub(super) fn types(&self) -> impl Iterator<Item = &String> {
        self.types.keys()
    }

    pub(super) fn period(&self) -> Option<&At<(String, String)>> {
        self.period.as_ref()
    }
}
