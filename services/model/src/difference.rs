//! What is new, and what was wrong, between two notices to one organisation.
//!
//! Puts nothing into words. Invariant: whatever may be told now and differs from what was told last is named once, even
//! where it was withheld in between, and nothing that is withheld now is; what was told as it is has no difference.

mod beside;
mod memory;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::notices::DomainFacts;
use crate::time::Timestamp;
use crate::withholding::{FactName, TYPE_OBJECTS, UNKNOWN};

pub use beside::{Withholding, stated, withheld};
pub use memory::Memory;

use memory::Remembered;

/// What is told of an organisation's domains, and what hides the rest.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// As they are told: what is withheld is blank.
    pub facts: &'a [DomainFacts],
    /// What is withheld, by its full name: the facts do not say which type it is.
    pub hidden: &'a [FactName],
}

/// One change, most of them of one domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The domain; empty: it is of none, or of every one.
    pub domain: String,
    /// What changed.
    pub what: What,
    /// Whether the newest notice told it.
    #[serde(default, skip_serializing_if = "Lately::is_told")]
    pub lately: Lately,
}

/// What the newest notice did with a fact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lately {
    /// It told it, or said that it is withheld and no notice before had told it.
    #[default]
    Told,
    /// It withheld what a notice before it had told.
    Withheld {
        /// When the notice that told it last was released.
        told_at: Timestamp,
    },
}

impl Lately {
    fn is_told(&self) -> bool {
        *self == Self::Told
    }
}

/// What changed of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is named for the first time.
    New,
    /// A notice named it, a later one took it back, and it is named again.
    Again,
    /// It is not the organisation's: what was said of it was wrong.
    Gone,
    /// Its records were taken back, and nothing is left: what was said of it was wrong. [`between`] does not know why a
    /// domain is gone, and never says so, nor the next.
    Cleared,
    /// It is not told any more, and it is nobody else's: it is told by another name, or not known whose it is.
    Unlisted,
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
    /// What the vendor states of an element.
    Stated {
        /// Of the vocabulary of content elements.
        element: String,
        /// As it was told; none: nothing was stated.
        before: Option<String>,
        /// As it is stated; none: nothing is.
        after: Option<String>,
    },
    /// That something is withheld.
    Withheld {
        /// Its name in [`crate::withholding`]; of a data type only `type`.
        fact: String,
        /// What became of that.
        now: Withholding,
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
    /// The vendor states something else.
    Stated,
    /// What is withheld, or why, was decided anew.
    Withheld,
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
    /// Of what the newest notice told.
    pub fn new(domain: &str, what: What) -> Self {
        Self { domain: domain.to_owned(), what, lately: Lately::Told }
    }

    /// Whether it takes back what was told: a notice with one such change corrects, the others supplement.
    pub fn corrects(&self) -> bool {
        match &self.what {
            What::New | What::Again | What::Stated { .. } | What::Withheld { .. } => false,
            What::Gone | What::Cleared | What::Unlisted => true,
            What::Period { before, after } => {
                before.as_ref().zip(after.as_ref()).is_some_and(|(was, is)| !within(was, is))
            }
            What::Figure { name, .. } if UNKNOWN.contains(&name.as_str()) => false,
            What::Figure { before, after, .. } => before.is_some() && after < before,
            What::Type { before, after, .. } => {
                *after == Some(0) || before.zip(*after).is_some_and(|(before, after)| after < before)
            }
        }
    }

    /// Whether it tells what was withheld before.
    pub fn discloses(&self) -> bool {
        let is_new = match &self.what {
            What::New
            | What::Again
            | What::Gone
            | What::Cleared
            | What::Unlisted
            | What::Stated { .. }
            | What::Withheld { .. } => false,
            What::Figure { before, .. } => before.is_none(),
            What::Type { before, after, .. } => before.is_none() && *after != Some(0),
            What::Period { before, .. } => before.is_none(),
        };
        is_new || self.lately != Lately::Told
    }

    /// Since when a fact may have changed, where it did; `newest` is the time of the newest notice. None: it is only told
    /// now, or it is no fact.
    pub fn moved_since(&self, newest: Timestamp) -> Option<Timestamp> {
        match (&self.what, self.lately) {
            (What::Stated { .. } | What::Withheld { .. }, _) => None,
            (_, Lately::Withheld { told_at }) => Some(told_at),
            (_, Lately::Told) => (!self.discloses()).then_some(newest),
        }
    }
}

/// The changes from what was told to what may be told now, by domain.
pub fn between(before: Told<'_>, after: Told<'_>) -> Vec<Change> {
    since(before, &Memory::default(), after)
}

/// The same from the newest notice. What it withheld is compared with what notices before it told, as it is remembered.
pub fn since(before: Told<'_>, memory: &Memory, after: Told<'_>) -> Vec<Change> {
    let by_domain = |told: Told<'_>| -> BTreeMap<String, DomainFacts> {
        told.facts.iter().map(|facts| (facts.domain.clone(), facts.clone())).collect()
    };
    let (old, new) = (by_domain(before), by_domain(after));
    let domains: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let nothing = Remembered::default();
    let mut changes = Vec::new();
    for domain in domains {
        let remembered = memory.of(domain).unwrap_or(&nothing);
        let mut push = |what| changes.push(recalled(Change::new(domain, what), remembered));
        match (old.get(domain), new.get(domain)) {
            (None, Some(_)) if memory.ever_named(domain) => push(What::Again),
            (None, Some(_)) => push(What::New),
            (Some(_), None) => push(What::Gone),
            (Some(old), Some(new)) => {
                figures(old, new).chain(period(old, new)).for_each(&mut push);
                types((old, before.hidden), (new, after.hidden), remembered).into_iter().for_each(push);
            }
            (None, None) => {}
        }
    }
    changes
}

/// The same change from what was told last, where the newest notice withheld that. What is again as it was told is only
/// told again.
fn recalled(mut change: Change, remembered: &Remembered) -> Change {
    let told_at = match &mut change.what {
        What::Figure { name, before: before @ None, after } => {
            let last = remembered.figure(name).filter(|(value, _)| Some(*value) != *after);
            last.map(|(value, at)| (*before = Some(value), at).1)
        }
        What::Type { id, before: before @ None, after: after @ Some(_) } => {
            let last = remembered.of_type(id).filter(|(value, _)| Some(*value) != *after);
            last.map(|(value, at)| (*before = Some(value), at).1)
        }
        What::Period { before: before @ None, after } => {
            let last = remembered.period().filter(|(dates, _)| Some(dates) != after.as_ref());
            last.map(|(dates, at)| (*before = Some(dates.clone()), *at).1)
        }
        What::New
        | What::Again
        | What::Gone
        | What::Cleared
        | What::Unlisted
        | What::Figure { .. }
        | What::Type { .. }
        | What::Period { .. }
        | What::Stated { .. }
        | What::Withheld { .. } => None,
    };
    if let Some(told_at) = told_at {
        change.lately = Lately::Withheld { told_at };
    }
    change
}

fn figures_of(facts: &DomainFacts) -> [(&'static str, i64); 9] {
    [
        ("references", facts.rows),
        ("objects", facts.objects),
        ("emails", facts.emails),
        ("users", facts.users),
        ("projects", facts.projects),
        ("bytes", facts.bytes),
        (UNKNOWN[0], facts.unknown.data_type),
        (UNKNOWN[1], facts.unknown.date),
        (UNKNOWN[2], facts.unknown.size),
    ]
}

fn figures(old: &DomainFacts, new: &DomainFacts) -> impl Iterator<Item = What> {
    let both = figures_of(old).into_iter().zip(figures_of(new));
    both.filter_map(|((name, before), (_, after))| {
        let before = (!old.withholds(name)).then_some(before);
        let after = (!new.withholds(name)).then_some(after)?;
        (before != Some(after)).then(|| What::Figure { name: name.to_owned(), before, after: Some(after) })
    })
}

/// The first and last document date; none: they are withheld.
fn dates_of(facts: &DomainFacts) -> Option<(String, String)> {
    let dates = || (facts.first_date.clone().unwrap_or_default(), facts.last_date.clone().unwrap_or_default());
    (!facts.withholds("period")).then(dates)
}

/// Whether all days of a period that was told are in another one. Where none was known, nothing was told of days.
fn within((first, last): &(String, String), (earliest, latest): &(String, String)) -> bool {
    (first.is_empty() || !earliest.is_empty() && earliest <= first) && (last.is_empty() || latest >= last)
}

fn period(old: &DomainFacts, new: &DomainFacts) -> Option<What> {
    let (before, after) = (dates_of(old), Some(dates_of(new)?));
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

fn types(old: (&DomainFacts, &[FactName]), new: (&DomainFacts, &[FactName]), remembered: &Remembered) -> Vec<What> {
    let named = old.0.data_types.iter().chain(&new.0.data_types).map(|count| &count.id);
    let ids: BTreeSet<&String> = named.chain(remembered.types()).collect();
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
