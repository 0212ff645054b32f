//! What is new, and what was wrong, between two notices to one organisation.
//!
//! Puts nothing into words. Invariant: whatever may be told now and differs from what was told is named once, and nothing
//! that is withheld now is; what was told as it is has no difference.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::notices::DomainFacts;
use crate::withholding::{FactName, TYPE_OBJECTS, UNKNOWN};

/// What is told of an organisation's domains, and what hides the rest.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// As they are told: what is withheld is blank.
    pub facts: &'a [DomainFacts],
    /// What is withheld, by its full name: the facts do not say which type it is.
    pub hidden: &'a [FactName],
}

/// One change, of one domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The domain.
    pub domain: String,
    /// What changed.
    pub what: What,
}

/// What changed of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is named for the first time.
    New,
    /// It is not the organisation's: what was said of it was wrong.
    Gone,
    /// Its records were taken back, and nothing is left: what was said of it was wrong. [`between`] does not know why a
    /// domain is gone, and never says so.
    Cleared,
    /// A figure, by its name in [`crate::withholding`].
    Figure {
        /// `references`, `objects`, `emails`, `users`, `projects`, `bytes`, or one of [`UNKNOWN`].
        name: String,
        /// As it was told; none: it was withheld.
        before: Option<i64>,
        /// As it is.
        after: Option<i64>,
    },
    /// The number of objects of a data type.
    Type {
        /// Of the taxonomy, or the manifest's own name.
        id: String,
        /// As it was told; none: it was withheld.
        before: Option<i64>,
        /// As it is; none: that it is there is told now, and the number is withheld.
        after: Option<i64>,
    },
    /// The first or last document date; empty = not known.
    Period {
        /// As it was told: first, last; none: it was withheld.
        before: Option<(String, String)>,
        /// As it is.
        after: Option<(String, String)>,
    },
}

/// Why facts changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Further records were read.
    Records,
    /// Records were taken back.
    TakenBack,
    /// Domains were assigned anew.
    Mapping,
    /// What was withheld is told.
    Disclosed,
}

impl Why {
    /// Of the cause that a changed fact sheet names.
    pub fn of_cause(cause: &str) -> Self {
        match cause {
            "mapping" => Self::Mapping,
            cause if cause.ends_with(" withdrawn") => Self::TakenBack,
            _ => Self::Records,
        }
    }
}

impl Change {
    /// Whether it takes back what was told: a notice with one such change corrects, the others supplement.
    pub fn corrects(&self) -> bool {
        match &self.what {
            What::New | What::Period { .. } => false,
            What::Gone | What::Cleared => true,
            What::Figure { name, .. } if UNKNOWN.contains(&name.as_str()) => false,
            What::Figure { before, after, .. } => before.is_some() && after < before,
            What::Type { before, after, .. } => {
                *after == Some(0) || before.zip(*after).is_some_and(|(before, after)| after < before)
            }
        }
    }

    /// Whether it tells what was withheld before.
    pub fn discloses(&self) -> bool {
        match &self.what {
            What::New | What::Gone | What::Cleared => false,
            What::Figure { before, .. } => before.is_none(),
            What::Type { before, after, .. } => before.is_none() && *after != Some(0),
            What::Period { before, .. } => before.is_none(),
        }
    }
}

/// The changes from what was told to what may be told now, by domain.
pub fn between(before: Told<'_>, after: Told<'_>) -> Vec<Change> {
    let by_domain = |told: Told<'_>| -> BTreeMap<String, DomainFacts> {
        told.facts.iter().map(|facts| (facts.domain.clone(), facts.clone())).collect()
    };
    let (old, new) = (by_domain(before), by_domain(after));
    let domains: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for domain in domains {
        let mut push = |what| changes.push(Change { domain: domain.clone(), what });
        match (old.get(domain), new.get(domain)) {
            (None, Some(_)) => push(What::New),
            (Some(_), None) => push(What::Gone),
            (Some(old), Some(new)) => {
                figures(old, new).chain(period(old, new)).for_each(&mut push);
                types((old, before.hidden), (new, after.hidden)).into_iter().for_each(push);
            }
            (None, None) => {}
        }
    }
    changes
}

fn figures(old: &DomainFacts, new: &DomainFacts) -> impl Iterator<Item = What> {
    let figures = [
        ("references", old.rows, new.rows),
        ("objects", old.objects, new.objects),
        ("emails", old.emails, new.emails),
        ("users", old.users, new.users),
        ("projects", old.projects, new.projects),
        ("bytes", old.bytes, new.bytes),
        (UNKNOWN[0], old.unknown.data_type, new.unknown.data_type),
        (UNKNOWN[1], old.unknown.date, new.unknown.date),
        (UNKNOWN[2], old.unknown.size, new.unknown.size),
    ];
    figures.into_iter().filter_map(|(name, before, after)| {
        let before = (!old.withholds(name)).then_some(before);
        let after = (!new.withholds(name)).then_some(after)?;
        (before != Some(after)).then(|| What::Figure { name: name.to_owned(), before, after: Some(after) })
    })
}

fn period(old: &DomainFacts, new: &DomainFacts) -> Option<What> {
    let told = |facts: &DomainFacts| {
        let dates = (facts.first_date.clone().unwrap_or_default(), facts.last_date.clone().unwrap_or_default());
        (!facts.withholds("period")).then_some(dates)
    };
    let (before, after) = (told(old), Some(told(new)?));
    (before != after).then_some(What::Period { before, after })
}

/// What is told of one data type.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    Counted(i64),
    /// Its number is withheld.
    Named,
    Withheld,
}

impl Type {
    fn of(id: &str, (facts, hidden): (&DomainFacts, &[FactName])) -> Self {
        match facts.data_types.iter().find(|count| count.id == id) {
            Some(_) if facts.withholds(TYPE_OBJECTS) => Self::Named,
            Some(count) => Self::Counted(count.objects),
            None if hidden.iter().any(|name| name.hides_type(&facts.domain, id)) => Self::Withheld,
            None => Self::Counted(0),
        }
    }

    fn count(self) -> Option<i64> {
        match self {
            Self::Counted(count) => Some(count),
            Self::Named | Self::Withheld => None,
        }
    }
}

fn types(old: (&DomainFacts, &[FactName]), new: (&DomainFacts, &[FactName])) -> Vec<What> {
    let ids: BTreeSet<&String> = old.0.data_types.iter().chain(&new.0.data_types).map(|count| &count.id).collect();
    let mut changes = Vec::new();
    for id in ids {
        let (before, after) = (Type::of(id, old), Type::of(id, new));
        let is_news = match (before, after) {
            (_, Type::Withheld) | (Type::Named, Type::Named) => false,
            // What was counted and is withheld now is no news of the type; one that was not there is.
            (Type::Counted(count), Type::Named) => count == 0,
            (Type::Withheld, Type::Named) => true,
            (before, Type::Counted(_)) => before != after,
        };
        if is_news {
            changes.push(What::Type { id: id.clone(), before: before.count(), after: after.count() });
        }
    }
    changes
}

#[cfg(test)]
mod tests;
