//! Looks up whom to write to at an organisation nobody knows a contact of: its security.txt, its RDAP record, its role
//! mailboxes.
//!
//! Does not cache, schedule or confirm: what is found is unverified until a person says otherwise. Invariant: nothing
//! here asks anybody unless a [`Provider`] was set up to, and every answer can be kept and read again later.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use model::delivery::Role;
use model::domain::DomainName;
use model::email::EmailAddress;
use model::time::Timestamp;

mod address;
mod bootstrap;
mod cleartext;
mod contacts;
pub mod fetch;
mod internet;
mod network;
mod pace;
pub mod rdap;
mod recorded;
mod resolve;
pub mod security_txt;

pub use address::BadAddress;
pub use bootstrap::{BadBootstrap, Bootstrap};
pub use contacts::{contacts_in, role_mailboxes};
pub use fetch::{FetchError, FetchOptions, Fetcher};
pub use internet::{Internet, RdapServers};
pub use network::{Allow, PlainHttp};
pub use pace::Pace;
pub use recorded::{Recorded, Recording};
pub use resolve::{Addresses, Resolve, SystemResolver};

/// What can be asked about a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Its security.txt (RFC 9116).
    SecurityTxt,
    /// Its RDAP record (RFC 9083).
    Rdap,
}

impl Question {
    /// Every question, in the order of asking.
    pub const ALL: &'static [Self] = &[Self::SecurityTxt, Self::Rdap];

    /// The name that the store, the command line and the documents use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecurityTxt => "security_txt",
            Self::Rdap => "rdap",
        }
    }

    /// The question of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|question| question.as_str() == text)
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What came of a question; everything that is needed to read it again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// About which domain.
    pub domain: String,
    /// When.
    pub asked_at: Timestamp,
    /// Where: the address it was finally served from, else the first that was asked; may be empty.
    pub url: String,
    /// How it ended.
    pub status: AnswerStatus,
    /// The bytes, where something was found.
    pub body: Vec<u8>,
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerStatus {
    /// There is a body.
    Found,
    /// There is nothing.
    NotFound,
    /// We refused to go on, and would again: why.
    Refused(String),
    /// It did not work this time: why.
    Failed(String),
}

impl AnswerStatus {
    /// The name without the reason.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NotFound => "not_found",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// The reason; empty where none is needed.
    pub fn why(&self) -> &str {
        match self {
            Self::Found | Self::NotFound => "",
            Self::Refused(why) | Self::Failed(why) => why,
        }
    }

    /// The status of that name, with its reason.
    pub fn parse(name: &str, why: &str) -> Option<Self> {
        match name {
            "found" => Some(Self::Found),
            "not_found" => Some(Self::NotFound),
            "refused" => Some(Self::Refused(why.to_owned())),
            "failed" => Some(Self::Failed(why.to_owned())),
            _ => None,
        }
    }
}

/// An answer on its way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Somebody who answers questions about domains.
pub trait Provider: Send + Sync {
    /// Asks. A fault is an answer too.
    fn ask<'a>(&'a self, question: Question, domain: &'a DomainName) -> Asking<'a>;
}

/// Tells the time, so that a rehearsal can move it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Somebody to write to, unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub address: EmailAddress,
    /// The name of a person or desk; may be empty.
    pub name: String,
    /// What for.
    pub role: Role,
    /// Where it is from, in words: `security.txt of acme.example, fetched 2026-11-23`.
    pub provenance: String,
    /// The preferred language, a tag; may be empty.
    pub language: String,
}

/// The domain that is registered, whose record a registry has; the name itself where that cannot be told.
fn registered(domain: &DomainName) -> DomainName {
    let registrable = model::suffixes::SuffixList::builtin().registrable(domain);
    registrable.and_then(|name| DomainName::parse(name).ok()).unwrap_or_else(|| domain.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for question in Question::ALL {
            assert_eq!(Question::parse(question.as_str()), Some(*question));
        }
        for status in [AnswerStatus::Found, AnswerStatus::NotFound, AnswerStatus::Refused("x".to_owned())] {
            assert_eq!(AnswerStatus::parse(status.as_str(), status.why()), Some(status));
        }
        assert_eq!(Question::parse("whois"), None);
    }

    #[test]
    fn a_registry_is_asked_about_what_was_registered() {
        let of = |name: &str| registered(&DomainName::parse(name).unwrap()).to_string();
        assert_eq!(of("mail.acme.co.uk"), "acme.co.uk");
        assert_eq!(of("acme.example"), "acme.example");
        assert_eq!(of("co.uk"), "co.uk");
    }
}
