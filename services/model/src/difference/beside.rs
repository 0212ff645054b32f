//! What changed beside the facts: the vendor's statements, and what is withheld.
//!
//! Knows no fact. Invariant: what a reader was not told is not named as what was told before.

use serde::{Deserialize, Serialize};

use super::{Change, What};
use crate::notices::{IncidentFacts, STATED};
use crate::withholding::{FactName, Withheld};

/// What became of a withholding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withholding {
    /// It is withheld from now on.
    Begun,
    /// It still is: for another reason, or until another day.
    Changed,
    /// It is not withheld any more.
    Ended,
}

/// Statements that differ. `is_told` says whether the reader was told what was stated of an element; where that was
/// something and they were not, their letters have no place for it, and nothing is new to them.
pub fn stated(before: &IncidentFacts, after: &IncidentFacts, is_told: impl Fn(&str) -> bool) -> Vec<Change> {
    let elements = ["what_happened", "measures_taken", "sender_contact"].into_iter().chain(STATED);
    let words = |facts: &IncidentFacts, element: &str| {
        let text = facts.stated(element).unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let moved = elements.filter_map(|element| {
        let (before, after) = (words(before, element), words(after, element));
        let is_news = before != after && (before.is_none() || is_told(element));
        is_news.then(|| Change::new("", What::Stated { element: element.to_owned(), before, after }))
    });
    moved.collect()
}

/// Withholdings that differ by what, why or until when; of equal ones each is counted. `ended` are those that somebody ended
/// since: one that only hides nothing any more, because its records went, is no change.
pub fn withheld(before: &[Withheld], after: &[Withheld], ended: &[FactName]) -> Vec<Change> {
    let mut ended: Vec<&FactName> = ended.iter().collect();
    let mut left: Vec<&Withheld> = before.iter().collect();
    let mut take = |like: &dyn Fn(&Withheld) -> bool| {
        let at = left.iter().position(|one| like(one));
        at.map(|at| left.remove(at)).is_some()
    };
    let names = |one: &Withheld, other: &Withheld| (&one.fact, &one.domain) == (&other.fact, &other.domain);
    let same = |one: &Withheld, other: &Withheld| {
        names(one, other) && (&one.why, one.review_at) == (&other.why, other.review_at)
    };
    let mut changed: Vec<&Withheld> = after.iter().collect();
    changed.retain(|now| !take(&|was| same(was, now)));
    let change = |one: &Withheld, now| {
        let domain = one.domain.as_deref().unwrap_or_default();
        Change::new(domain, What::Withheld { fact: one.fact.clone(), now })
    };
    let mut changes = Vec::new();
    for now in changed {
        let was_there = take(&|was| names(was, now));
        changes.push(change(now, if was_there { Withholding::Changed } else { Withholding::Begun }));
    }
    for was in left {
        let of_it = |name: &&FactName| (name.shown(), name.domain()) == (was.fact.as_str(), was.domain.as_deref());
        if let Some(at) = ended.iter().position(of_it) {
            ended.remove(at);
            changes.push(change(was, Withholding::Ended));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn one(fact: &str, why: &str) -> Withheld {
        Withheld {
            fact: fact.to_owned(),
            also: Vec::new(),
            domain: None,
            why: why.to_owned(),
            review_at: Timestamp::from_micros(0),
        }
    }

    fn became(before: &[Withheld], after: &[Withheld]) -> Vec<(String, Withholding)> {
        let ended: Vec<FactName> =
            before.iter().map(|one| FactName::parse(&one.fact.replace("type", "type:invoice")).unwrap()).collect();
        named(withheld(before, after, &ended))
    }

    fn named(changes: Vec<Change>) -> Vec<(String, Withholding)> {
        let named = changes.into_iter().map(|change| match change.what {
            What::Withheld { fact, now } => (fact, now),
            other => panic!("{other:?}"),
        });
        named.collect()
    }

    #[test]
    fn a_withholding_begins_changes_and_ends_and_each_of_two_data_types_counts() {
        let (emails, other) = (one("emails", "police"), one("emails", "court"));
        assert_eq!(became(&[], std::slice::from_ref(&emails)), [("emails".to_owned(), Withholding::Begun)]);
        assert_eq!(
            became(std::slice::from_ref(&emails), std::slice::from_ref(&other)),
            [("emails".to_owned(), Withholding::Changed)]
        );
        assert_eq!(became(std::slice::from_ref(&emails), &[]), [("emails".to_owned(), Withholding::Ended)]);
        let kind = one("type", "police");
        assert_eq!(
            became(&[emails.clone(), kind.clone()], &[emails, kind.clone(), kind]),
            [("type".to_owned(), Withholding::Begun)]
        );
    }

    #[test]
    fn a_withholding_that_nobody_ended_and_that_hides_nothing_any_more_is_no_change() {
        let of_domain = Withheld { domain: Some("acme.example".to_owned()), ..one("emails", "police") };
        let gone = std::slice::from_ref(&of_domain);
        assert_eq!(named(withheld(gone, &[], &[])), []);
        assert_eq!(named(withheld(gone, &[], &[FactName::parse("emails").unwrap()])), [], "of another domain");
        let ended = [FactName::parse("acme.example/emails").unwrap()];
        assert_eq!(named(withheld(gone, &[], &ended)), [("emails".to_owned(), Withholding::Ended)]);
    }
}
