//! What is known for one organisation, and the data a notice is written from.
//!
//! Does not render (that is `mail::templates`) and does not count (that is SQL in `store`). Invariant: everything in a
//! [`NoticeContext`] belongs to one organisation, and nothing in it is personal to one contact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::difference::{Change, Why};
use crate::law::Elements;
use crate::time::Timestamp;
use crate::withholding::{TYPE_OBJECTS, Withheld};

/// Content elements that the vendor can state in words of its own, beside summary, measures and contact: what a notice
/// has a place for and no fact sheet knows.
pub const STATED: [&str; 11] = [
    "cause",
    "contact_point",
    "data_subject_categories",
    "date_of_breach",
    "delay_reason",
    "harm_assessment",
    "likely_consequences",
    "measures_planned",
    "next_update",
    "notices_sent_report",
    "publication_status",
];

/// One affected data type of one domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeCount {
    /// Taxonomy id (`invoice`), or the manifest's own name where the taxonomy has none.
    pub id: String,
    /// Distinct objects of this type.
    pub objects: i64,
}

/// What is known about one affected organisation domain: a line of `exposure facts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainFacts {
    /// The organisation domain as its A-label form.
    pub domain: String,
    /// The tenant it is mapped to; `None` while it is unmapped or in conflict.
    pub tenant_id: Option<String>,
    /// Raw references (manifest rows).
    pub rows: i64,
    /// Distinct exposed objects.
    pub objects: i64,
    /// Distinct e-mail addresses.
    pub emails: i64,
    /// Distinct users.
    pub users: i64,
    /// Distinct projects.
    pub projects: i64,
    /// Bytes over distinct objects whose size is known.
    pub bytes: i64,
    /// Earliest document date, `YYYY-MM-DD`.
    pub first_date: Option<String>,
    /// Latest document date, `YYYY-MM-DD`.
    pub last_date: Option<String>,
    /// Sorted by id. Objects of unknown type are in none.
    pub data_types: Vec<TypeCount>,
    /// Distinct objects whose data type, date, or size no row states.
    pub unknown: Unknown,
    /// Names of facts that are withheld: what they name is blank here, whatever the rows say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
}

impl DomainFacts {
    /// Whether a fact of this name is withheld, by itself or with another.
    pub fn withholds(&self, name: &str) -> bool {
        self.withheld.iter().any(|there| there == name)
    }

    /// Whether the size of an object is known; where that is withheld, a size that is there.
    pub fn has_size(&self) -> bool {
        if self.withholds("objects") { self.bytes > 0 } else { self.unknown.size < self.objects }
    }

    /// The id of one of its facts: `acme.example/objects`.
    pub fn id_of(&self, name: &str) -> String {
        format!("{}/{name}", self.domain)
    }

    /// Everything that a notice states of it, as (name, value) in the order of a notice; not what is withheld. Beside
    /// `type:ID` stands how many objects have that type, or `name:ID` where that number is withheld; `unknown:date` is how
    /// many have no known date.
    pub fn stated(&self) -> Vec<(String, String)> {
        let named = |name: &str, value: i64| (name.to_owned(), value.to_string());
        let mut stated = vec![
            named("references", self.rows),
            named("objects", self.objects),
            named("emails", self.emails),
            named("users", self.users),
            named("projects", self.projects),
        ];
        stated.retain(|(name, _)| !self.withholds(name));
        if self.has_size() && !self.withholds("bytes") {
            stated.push(named("bytes", self.bytes));
        }
        let dates = [("first_date", &self.first_date), ("last_date", &self.last_date)];
        stated.extend(dates.into_iter().filter_map(|(name, date)| Some((name.to_owned(), date.clone()?))));
        stated.extend(self.data_types.iter().map(|count| match self.withholds(TYPE_OBJECTS) {
            true => (format!("name:{}", count.id), count.id.clone()),
            false => (format!("type:{}", count.id), count.objects.to_string()),
        }));
        let Unknown { data_type, date, size } = self.unknown;
        let unknown = [("unknown:type", data_type), ("unknown:date", date), ("unknown:size", size)];
        stated.extend(unknown.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| named(name, count)));
        stated
    }
}

/// How many distinct objects lack a property in every row that references them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Objects without a known data type.
    pub data_type: i64,
    /// Objects without a known document date.
    pub date: i64,
    /// Objects without a known size.
    pub size: i64,
}

/// The part of an incident that its notices state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFacts {
    /// The slug, which is also the incident reference (`bluebleed`).
    pub slug: String,
    /// Title in the vendor's words.
    pub title: String,
    /// Who sends the notice.
    pub vendor: String,
    /// When the exposure was discovered.
    pub discovered_at: Timestamp,
    /// What happened, in the vendor's words; empty = not stated in the incident file, and the notice says so.
    pub summary: String,
    /// What was done; empty likewise.
    pub measures: String,
    /// Postal address, telephone or page of the vendor; empty = only the reply address is named.
    pub contact: String,
    /// Further statements by element, one of [`STATED`] each; never empty ones. An older store has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statements: BTreeMap<String, String>,
}

impl IncidentFacts {
    /// What the vendor states of an element; `None` for an element that is not the vendor's to state.
    pub fn stated(&self, element: &str) -> Option<&str> {
        match element {
            "what_happened" => Some(&self.summary),
            "measures_taken" => Some(&self.measures),
            "sender_contact" => Some(&self.contact),
            other if STATED.contains(&other) => Some(self.statements.get(other).map_or("", String::as_str)),
            _ => None,
        }
    }

    /// States an element anew; an empty text takes the statement back.
    pub fn state(&mut self, element: &str, text: &str) -> Result<(), NotStated> {
        let text = text.trim().to_owned();
        match element {
            "what_happened" => self.summary = text,
            "measures_taken" => self.measures = text,
            "sender_contact" => self.contact = text,
            other if !STATED.contains(&other) => return Err(NotStated(other.to_owned())),
            other if text.is_empty() => drop(self.statements.remove(other)),
            other => drop(self.statements.insert(other.to_owned(), text)),
        }
        Ok(())
    }
}

/// An element that an incident cannot state in words.
#[derive(Debug, thiserror::Error)]
#[error("an incident cannot state `{0}`: choose one of what_happened, measures_taken, sender_contact, {list}", list = STATED.join(", "))]
pub struct NotStated(String);

/// Everything a notice is written from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeContext {
    /// The incident.
    pub incident: IncidentFacts,
    /// The organisation's name as the directory has it.
    pub tenant_name: String,
    /// One entry for each affected domain, sorted by domain; empty only where everything that was told is taken back.
    pub domains: Vec<DomainFacts>,
    /// The notice code (`K7QF-2M9X`), to be quoted and checked.
    pub code: String,
    /// The vendor's own page where the code can be checked; empty = none, and the notice says how else.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verify_page: String,
    /// 1 for the first notice; each further one counts up.
    pub version: i64,
    /// When the notice before this one was released, for a supplement; `None` for the first.
    pub supplements: Option<Timestamp>,
    /// The notices before this one, the newest first, so that a supplement can name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierNotice>,
    /// What is not told, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
    /// With a notice before this one: what is new and what was wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Why it changed, each reason once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<Why>,
}

/// A notice that the organisation has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierNotice {
    /// Its code.
    pub code: String,
    /// When it was released.
    pub released_at: Timestamp,
}

/// A letter as it is frozen: nothing in it is personal to a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Subject, one line.
    pub subject: String,
    /// Plain text, `\n` line ends, 78 columns where words allow.
    pub text: String,
    /// HTML document with the same content; `None` for letters that exist as text only.
    pub html: Option<String>,
}

/// A letter with the content elements that its template has blocks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The letter.
    pub letter: Letter,
    /// Which elements its text and HTML say.
    pub elements: Elements,
}

impl Letter {
    /// SHA-256 over the three parts, each preceded by its length: what "byte for byte" is checked against.
    pub fn digest(&self) -> String {
        let html = self.html.as_deref().unwrap_or_default();
        crate::digest::sha256_of_parts(&[self.subject.as_bytes(), self.text.as_bytes(), html.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Law;

    fn facts() -> IncidentFacts {
        IncidentFacts {
            slug: "bluebleed".to_owned(),
            title: "Open storage server".to_owned(),
            vendor: "Vendor Inc.".to_owned(),
            discovered_at: "2022-09-24T08:00:00Z".parse().unwrap(),
            summary: String::new(),
            measures: String::new(),
            contact: String::new(),
            statements: BTreeMap::new(),
        }
    }

    #[test]
    fn what_can_be_stated_is_in_the_vocabulary_and_reads_back() {
        for element in STATED.into_iter().chain(["what_happened", "measures_taken", "sender_contact"]) {
            assert!(Law::builtin().unwrap().element(element).is_some(), "{element}");
            let mut facts = facts();
            facts.state(element, " some words \n").unwrap();
            assert_eq!(facts.stated(element), Some("some words"));
            facts.state(element, " ").unwrap();
            assert_eq!(facts, self::facts());
        }
        assert!(facts().state("data_types", "all").is_err());
        assert_eq!(facts().stated("data_types"), None);
    }

    #[test]
    fn an_incident_without_statements_is_stored_as_before_and_an_older_one_reads() {
        let stored = serde_json::to_string(&facts()).unwrap();
        assert!(!stored.contains("statements"));
        assert_eq!(serde_json::from_str::<IncidentFacts>(&stored).unwrap(), facts());
    }
}
