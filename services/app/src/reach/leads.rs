//! Addresses that may lead to an organisation, and which of them are written to.
//!
//! Asks and stores nothing. Invariant: an address that somebody rejected or disabled, that is a contact already or was
//! written to before is not written to, and each that is left out has a note.

use std::collections::BTreeSet;

use mail::templates::ReachSource;
use store::contacts::{Contact, Found};
use store::reach::AnswerRow;

/// Most addresses that one rung writes to.
const MOST_ASKED: usize = 5;
/// Most notes that an attempt keeps.
const MOST_NOTES: usize = 20;

/// What asking about domains gave.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Whom to write to, in the order of preference.
    pub(super) leads: Vec<Lead>,
    /// What was left out and why, for a person.
    pub(super) notes: Vec<String>,
    /// How many questions did not work this time.
    pub(super) failed: usize,
    /// What is new, to be kept.
    pub(super) fresh: Vec<AnswerRow>,
}

/// An address that may lead to an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lead {
    /// Normalised address.
    pub(super) address: String,
    /// A name, or empty.
    pub(super) name: String,
    /// A name of `model::delivery::Role`.
    pub(super) role: String,
    /// BCP 47 tag, or empty.
    pub(super) language: String,
    /// Where it is from, in words.
    pub(super) provenance: String,
    /// At which domain.
    pub(super) domain: String,
    /// Where it is from.
    pub(super) source: ReachSource,
    /// When it was found, `2022-09-24`.
    pub(super) found_on: String,
}

/// What is known about an organisation's addresses.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Its contacts, those that are not written to as well.
    pub(super) contacts: Vec<Contact>,
    /// What was found before.
    pub(super) found: Vec<Found>,
    /// Who got any mail in this incident, or may have.
    pub(super) written: BTreeSet<String>,
    /// Addresses that are disabled, whoever's contact they are.
    pub(super) disabled: BTreeSet<String>,
}

/// What becomes of leads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Who is written to.
    pub(super) asked: Vec<Lead>,
    /// Who is kept and not written to.
    pub(super) kept: Vec<Lead>,
    /// Who is left out and why.
    pub(super) notes: Vec<String>,
}

impl Known {
    /// Picks from leads.
    pub(super) fn choose(&self, leads: Vec<Lead>) -> Chosen {
        let mut chosen = Chosen::default();
        let mut seen = BTreeSet::new();
        for lead in leads {
            if !seen.insert(lead.address.clone()) {
                continue;
            }
            match self.why_not(&lead.address) {
                Some(why) => chosen.notes.push(format!("{} {why}", lead.address)),
                None if chosen.asked.len() < MOST_ASKED => chosen.asked.push(lead),
                None => {
                    chosen.notes.push(format!("{} is kept and not written to: {MOST_ASKED} others are", lead.address));
                    chosen.kept.push(lead);
                }
            }
        }
        chosen
    }

    fn why_not(&self, address: &str) -> Option<&'static str> {
        let is_rejected = |found: &&Found| found.address == address && found.state == "rejected";
        if self.found.iter().any(|found| is_rejected(&found)) {
            return Some("was rejected by a person");
        }
        if self.disabled.contains(address) {
            return Some("is disabled");
        }
        if self.contacts.iter().any(|contact| contact.address == address) {
            return Some("is a contact in the directory");
        }
        self.written.contains(address).then_some("was written to already")
    }
}

/// Notes in one text, as many as a person reads.
pub(super) fn in_one(notes: &[String]) -> String {
    let mut text = notes.iter().take(MOST_NOTES).cloned().collect::<Vec<_>>().join("; ");
    if notes.len() > MOST_NOTES {
        text.push_str(&format!("; and {} more", notes.len() - MOST_NOTES));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(address: &str) -> Lead {
        Lead {
            address: address.to_owned(),
            name: String::new(),
            role: "security".to_owned(),
            language: String::new(),
            provenance: String::new(),
            domain: "acme.example".to_owned(),
            source: ReachSource::SecurityTxt,
            found_on: "2022-09-25".to_owned(),
        }
    }

    fn found(address: &str, state: &str) -> Found {
        Found {
            id: "fnd_1".to_owned(),
            tenant_id: "t-1".to_owned(),
            role: "security".to_owned(),
            name: String::new(),
            address: address.to_owned(),
            language: String::new(),
            rung: "security-txt".to_owned(),
            provenance: String::new(),
            found_at: 0,
            state: state.to_owned(),
            contact_id: None,
        }
    }

    #[track_caller]
    fn check(known: &Known, expect: Option<&str>) {
        let chosen = known.choose(vec![lead("a@acme.example")]);
        let notes: Vec<String> = expect.iter().map(|why| format!("a@acme.example {why}")).collect();
        assert_eq!((chosen.asked.len(), chosen.notes), (usize::from(expect.is_none()), notes));
    }

    #[test]
    fn an_address_is_written_to_unless_something_is_known_against_it() {
        let address = || "a@acme.example".to_owned();
        check(&Known::default(), None);
        check(&Known { found: vec![found("a@acme.example", "unverified")], ..Known::default() }, None);
        check(
            &Known { found: vec![found("a@acme.example", "rejected")], ..Known::default() },
            Some("was rejected by a person"),
        );
        check(&Known { disabled: [address()].into(), ..Known::default() }, Some("is disabled"));
        check(&Known { written: [address()].into(), ..Known::default() }, Some("was written to already"));
    }

    #[test]
    fn an_address_counts_once_and_not_too_many_are_written_to() {
        let mut leads: Vec<Lead> = (0..MOST_ASKED + 1).map(|n| lead(&format!("{n}@acme.example"))).collect();
        leads.insert(0, lead("0@acme.example"));
        let chosen = Known::default().choose(leads);
        assert_eq!((chosen.asked.len(), chosen.kept.len()), (MOST_ASKED, 1));
        assert_eq!(chosen.notes, ["5@acme.example is kept and not written to: 5 others are"]);
    }

    #[test]
    fn more_notes_than_a_person_reads_are_counted() {
        let notes: Vec<String> = (0..MOST_NOTES + 3).map(|n| n.to_string()).collect();
        assert!(in_one(&notes).ends_with("18; 19; and 3 more"));
        assert_eq!(in_one(&notes[..2]), "0; 1");
    }
}
