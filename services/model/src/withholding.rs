//! Facts that are withheld: their names, and blanking them out of what a notice is written from.
//!
//! Decides nothing (two people do). Invariant: a blanked fact is gone from the facts, so that neither a text nor the
//! stored context of a notice holds it; its name stays, so that the reader is told that something is withheld.

use serde::{Deserialize, Serialize};

use crate::domain::DomainName;
use crate::notices::DomainFacts;
use crate::time::Timestamp;

/// Names of facts without one for each data type (`type:invoice`).
pub const NAMES: [&str; 8] = ["references", "objects", "emails", "users", "projects", "bytes", "period", "types"];
/// Everything: the organisation is not written to at all.
pub const NOTICE: &str = "notice";

/// A fact by its name, of one domain or of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FactName {
    /// A-label form; none = every domain.
    domain: Option<String>,
    /// One of [`NAMES`], [`NOTICE`], or `type:ID`.
    name: String,
}

/// A text that names no fact.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` names no fact: use notice, {list}, or type:ID, with DOMAIN/ in front for one domain", list = NAMES.join(", "))]
pub struct NoFact(String);

impl FactName {
    /// Reads `emails`, `type:invoice`, `acme.example/objects`.
    pub fn parse(text: &str) -> Result<Self, NoFact> {
        let bad = || NoFact(text.to_owned());
        let (domain, name) = match text.trim().split_once('/') {
            Some((domain, name)) => {
                (Some(DomainName::parse(domain).map_err(|_| bad())?.as_str().to_owned()), name.trim())
            }
            None => (None, text.trim()),
        };
        let of_type = name.strip_prefix("type:").is_some_and(|id| !id.is_empty());
        let whole = name == NOTICE && domain.is_none();
        if whole || of_type || NAMES.contains(&name) { Ok(Self { domain, name: name.to_owned() }) } else { Err(bad()) }
    }

    /// Whether nothing at all is told.
    pub fn is_notice(&self) -> bool {
        self.name == NOTICE
    }

    /// Takes the fact out of a domain's facts and leaves its name.
    pub fn blank(&self, facts: &mut DomainFacts) {
        if self.domain.as_ref().is_some_and(|domain| *domain != facts.domain) {
            return;
        }
        match self.name.as_str() {
            "references" => facts.rows = 0,
            "objects" => facts.objects = 0,
            "emails" => facts.emails = 0,
            "users" => facts.users = 0,
            "projects" => facts.projects = 0,
            "bytes" => (facts.bytes, facts.unknown.size) = (0, 0),
            "period" => (facts.first_date, facts.last_date, facts.unknown.date) = (None, None, 0),
            "types" => {
                facts.data_types.clear();
                facts.unknown.data_type = 0;
            }
            NOTICE => return,
            name => {
                let before = facts.data_types.len();
                facts.data_types.retain(|count| name.strip_prefix("type:") != Some(count.id.as_str()));
                if facts.data_types.len() == before {
                    return;
                }
            }
        }
        // Which type is not told is part of what is not told.
        let shown = if self.name.starts_with("type:") { "type" } else { &self.name };
        if !facts.withheld.iter().any(|there| there == shown) {
            facts.withheld.push(shown.to_owned());
            facts.withheld.sort();
        }
    }
}

impl std::fmt::Display for FactName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.domain {
            Some(domain) => write!(f, "{domain}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What a notice says of a withholding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Withheld {
    /// Its name; of a data type only `type`.
    pub fact: String,
    /// The domain, where it is withheld for one alone.
    pub domain: Option<String>,
    /// Why, in the vendor's words.
    pub why: String,
    /// When it is looked at again.
    pub review_at: Timestamp,
}

impl Withheld {
    /// As the reader is told of it.
    pub fn of(name: &FactName, why: &str, review_at: Timestamp) -> Self {
        let fact = if name.name.starts_with("type:") { "type" } else { &name.name };
        Self { fact: fact.to_owned(), domain: name.domain.clone(), why: why.to_owned(), review_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::{TypeCount, Unknown};

    fn facts() -> DomainFacts {
        DomainFacts {
            domain: "acme.example".to_owned(),
            tenant_id: None,
            rows: 9,
            objects: 8,
            emails: 7,
            users: 6,
            projects: 5,
            bytes: 4,
            first_date: Some("2020-01-01".to_owned()),
            last_date: Some("2021-01-01".to_owned()),
            data_types: vec![TypeCount { id: "invoice".to_owned(), objects: 3 }],
            unknown: Unknown { data_type: 2, date: 2, size: 2 },
            withheld: Vec::new(),
        }
    }

    fn blanked(name: &str) -> DomainFacts {
        let mut facts = facts();
        FactName::parse(name).unwrap().blank(&mut facts);
        facts
    }

    #[test]
    fn what_is_blanked_is_gone_and_named() {
        assert_eq!(blanked("emails"), DomainFacts { emails: 0, withheld: vec!["emails".to_owned()], ..facts() });
        let types = blanked("type:invoice");
        assert_eq!((types.data_types.len(), types.withheld), (0, vec!["type".to_owned()]));
        assert_eq!(blanked("type:contract"), facts(), "what is not there is not withheld");
        assert_eq!(blanked("other.example/objects"), facts());
        assert_eq!(blanked("ACME.example/objects").objects, 0);
        assert_eq!(blanked("notice"), facts());
        assert_eq!(blanked("period").first_date, None);
    }

    #[test]
    fn what_names_no_fact_says_what_does() {
        for text in ["", "everything", "type:", "acme.example/notice", "no domain/objects"] {
            assert!(FactName::parse(text).unwrap_err().to_string().contains("type:ID"), "{text}");
        }
        for text in ["emails", "type:invoice", "acme.example/bytes", "notice"] {
            assert_eq!(FactName::parse(text).unwrap().to_string(), text);
        }
    }
}
