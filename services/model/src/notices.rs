//! What is known for one organisation, and the data a notice is written from.
//!
//! Does not render (that is `mail::templates`) and does not count (that is SQL in `store`). Invariant: everything in a
//! [`NoticeContext`] belongs to one organisation, and nothing in it is personal to one contact.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

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
}

/// Everything a notice is written from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeContext {
    /// The incident.
    pub incident: IncidentFacts,
    /// The organisation's name as the directory has it.
    pub tenant_name: String,
    /// One entry for each affected domain, sorted by domain; never empty.
    pub domains: Vec<DomainFacts>,
    /// The notice code (`K7QF-2M9X`), to be quoted and checked.
    pub code: String,
    /// 1 for the first notice; each further one counts up.
    pub version: i64,
    /// When the notice before this one was released, for a supplement; `None` for the first.
    pub supplements: Option<Timestamp>,
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

impl Letter {
    /// SHA-256 over the three parts, each preceded by its length: what "byte for byte" is checked against.
    pub fn digest(&self) -> String {
        let html = self.html.as_deref().unwrap_or_default();
        crate::digest::sha256_of_parts(&[self.subject.as_bytes(), self.text.as_bytes(), html.as_bytes()])
    }
}
