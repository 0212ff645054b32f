//! What is new, and what was wrong, between two notices to one organisation.
//!
//! Puts nothing into words. Invariant: two equal sheets have no difference, and what is withheld on either side is never
//! compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::notices::DomainFacts;

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
    /// A figure, by its name in [`crate::withholding`].
    Figure {
        /// `references`, `objects`, `emails`, `users`, `projects`, `bytes`.
        name: String,
        /// As it was told.
        before: i64,
        /// As it is.
        after: i64,
    },
    /// The number of objects of a data type.
    Type {
        /// Of the taxonomy, or the manifest's own name.
        id: String,
        /// As it was told.
        before: i64,
        /// As it is.
        after: i64,
    },
    /// The first or last document date; empty = not known.
    Period {
        /// As it was told: first, last.
        before: (String, String),
        /// As it is.
        after: (String, String),
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
            What::Gone => true,
            What::Figure { before, after, .. } | What::Type { before, after, .. } => after < before,
        }
    }
}

/// The changes from what was told to what is, by domain.
pub fn between(before: &[DomainFacts], after: &[DomainFacts]) -> Vec<Change> {
    let by_domain = |facts: &[DomainFacts]| -> BTreeMap<String, DomainFacts> {
        facts.iter().map(|facts| (facts.domain.clone(), facts.clone())).collect()
    };
    let (old, new) = (by_domain(before), by_domain(after));
    let domains: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for domain in domains {
        let mut push = |what| changes.push(Change { domain: domain.clone(), what });
        match (old.get(domain), new.get(domain)) {
            (None, Some(_)) => push(What::New),
            (Some(_), None) => push(What::Gone),
            (Some(old), Some(new)) => of_domain(old, new).into_iter().for_each(push),
            (None, None) => {}
        }
    }
    changes
}

fn of_domain(old: &DomainFacts, new: &DomainFacts) -> Vec<What> {
    let hidden = |name: &str| [old, new].iter().any(|facts| facts.withheld.iter().any(|there| there == name));
    let figures = [
        ("references", old.rows, new.rows),
        ("objects", old.objects, new.objects),
        ("emails", old.emails, new.emails),
        ("users", old.users, new.users),
        ("projects", old.projects, new.projects),
        ("bytes", old.bytes, new.bytes),
    ];
    let changed = figures.into_iter().filter(|(name, before, after)| before != after && !hidden(name));
    let mut changes: Vec<What> =
        changed.map(|(name, before, after)| What::Figure { name: name.to_owned(), before, after }).collect();
    let period = |facts: &DomainFacts| {
        (facts.first_date.clone().unwrap_or_default(), facts.last_date.clone().unwrap_or_default())
    };
    if !hidden("period") && period(old) != period(new) {
        changes.push(What::Period { before: period(old), after: period(new) });
    }
    if !hidden("types") && !hidden("type") {
        let count = |facts: &DomainFacts, id: &str| {
            facts.data_types.iter().find(|count| count.id == id).map_or(0, |count| count.objects)
        };
        let ids: BTreeSet<&String> = old.data_types.iter().chain(&new.data_types).map(|count| &count.id).collect();
        for id in ids {
            let (before, after) = (count(old, id), count(new, id));
            if before != after {
                changes.push(What::Type { id: id.clone(), before, after });
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notices::{TypeCount, Unknown};

    fn facts(domain: &str, objects: i64, invoices: i64) -> DomainFacts {
        DomainFacts {
            domain: domain.to_owned(),
            tenant_id: None,
            rows: objects,
            objects,
            emails: 0,
            users: 0,
            projects: 0,
            bytes: 0,
            first_date: None,
            last_date: None,
            data_types: vec![TypeCount { id: "invoice".to_owned(), objects: invoices }],
            unknown: Unknown::default(),
            withheld: Vec::new(),
        }
    }

    #[test]
    fn a_domain_that_comes_supplements_and_one_that_goes_corrects() {
        let (a, b) = (facts("a.example", 2, 1), facts("b.example", 2, 1));
        let new = between(std::slice::from_ref(&a), &[a.clone(), b.clone()]);
        assert_eq!(new, [Change { domain: "b.example".to_owned(), what: What::New }]);
        assert!(!new[0].corrects());
        assert!(between(&[a.clone(), b], &[a])[0].corrects());
    }

    #[test]
    fn each_figure_that_moved_is_named_and_a_smaller_one_corrects() {
        let changes = between(&[facts("a.example", 2, 2)], &[facts("a.example", 3, 1)]);
        let names: Vec<String> = changes.iter().map(|change| format!("{:?}", change.what)).collect();
        assert_eq!(changes.len(), 3, "{names:?}");
        assert_eq!(changes.iter().map(Change::corrects).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn what_is_withheld_is_not_compared() {
        let hidden =
            DomainFacts { withheld: vec!["objects".to_owned(), "types".to_owned()], ..facts("a.example", 0, 0) };
        let changes = between(&[facts("a.example", 2, 2)], &[DomainFacts { rows: 2, ..hidden }]);
        assert_eq!(changes, Vec::new());
    }

    #[test]
    fn the_cause_of_a_sheet_says_why() {
        assert_eq!(Why::of_cause("mapping"), Why::Mapping);
        assert_eq!(Why::of_cause("m.csv withdrawn"), Why::TakenBack);
        assert_eq!(Why::of_cause("m.csv"), Why::Records);
    }

    proptest! {
        #[test]
        fn nothing_differs_from_itself_and_a_difference_shows_from_both_sides(a in 0..4_i64, b in 0..4_i64, c in 0..4_i64) {
            let (one, other) = ([facts("a.example", a, c)], [facts("a.example", b, c)]);
            prop_assert_eq!(between(&one, &one), Vec::new());
            prop_assert_eq!(between(&one, &other).len(), between(&other, &one).len());
            prop_assert_eq!(a == b, between(&one, &other).is_empty());
        }
    }
}
