//! Whether receivers will believe mail of this sender: SPF, DKIM, DMARC and reverse DNS, asked of DNS by ourselves.
//!
//! Sends nothing and decides nothing. Invariant: what DNS did not answer is said to be unanswered, never taken for good
//! and never for missing.

mod ask;
mod dkim;
mod dmarc;
mod reverse;
mod spf;

use std::net::IpAddr;

use serde::Serialize;

use crate::dkim::Record;
use crate::proof::Prover;
use crate::route::Route;

use ask::Unanswered;

/// What mail is sent with.
#[derive(Debug)]
pub struct Sending<'a> {
    /// The domain of From, and of the envelope's sender.
    pub domain: &'a str,
    /// What EHLO says.
    pub hello: &'a str,
    /// The records of the keys that sign now.
    pub keys: Vec<Record>,
    /// Where mail leaves.
    pub routes: &'a [Route],
    /// The addresses that mail leaves from, as receivers see it; empty = those of the routes.
    pub leaves_from: &'a [IpAddr],
}

/// What was found about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `spf`, `dkim`, `dmarc`, `reverse-dns`.
    pub check: &'static str,
    /// How it stands.
    pub result: Standing,
    /// What, in a sentence.
    pub what: String,
    /// What to do, or empty.
    pub next: String,
}

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As receivers want it.
    Good,
    /// Nobody here can know; nothing speaks against it.
    Unknown,
    /// DNS gave no answer, or nobody asked it.
    NotChecked,
    /// Not as receivers want it.
    Bad,
}

impl Standing {
    /// As tables show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unknown => "unknown",
            Self::NotChecked => "not-checked",
            Self::Bad => "bad",
        }
    }

    /// Whether many notices should wait for it.
    pub fn refuses(self) -> bool {
        matches!(self, Self::NotChecked | Self::Bad)
    }
}

impl Finding {
    /// A finding with its next step.
    pub fn new(check: &'static str, result: Standing, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, result, what: what.into(), next: next.into() }
    }

    fn good(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Standing::Good, what, "")
    }

    fn bad(check: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(check, Standing::Bad, what, next)
    }

    fn unanswered(check: &'static str, unanswered: &Unanswered) -> Self {
        let next = "look at that name server, or name another one by `resolver` in [receive]; then try again";
        Self::new(check, Standing::NotChecked, unanswered.to_string(), next)
    }
}

/// The findings, in the order in which receivers look.
pub async fn look(prover: &Prover, sending: &Sending<'_>) -> Vec<Finding> {
    let addresses = ask::addresses(prover, sending).await;
    let mut findings = vec![spf::look(prover, sending, &addresses).await];
    findings.extend(dkim::look(prover, sending).await);
    findings.push(dmarc::look(prover, sending).await);
    findings.push(reverse::look(prover, sending, &addresses).await);
    findings
}

/// Who receives for a domain: the domain that its preferred mail server is registered under, itself where it names none;
/// `None` where DNS gave no answer.
pub async fn family(prover: &Prover, domain: &str) -> Option<String> {
    let exchanges = ask::exchanges_of(prover, domain).await.ok()?;
    let preferred = exchanges.into_iter().find(|exchange| !exchange.is_empty());
    Some(preferred.map_or_else(|| domain.to_owned(), |exchange| registrable(&exchange).unwrap_or(exchange)))
}

/// Both have the same registrable domain (RFC 7489 3.1.1).
pub fn is_aligned(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || registrable(one).is_some_and(|domain| registrable(other) == Some(domain))
}

fn registrable(domain: &str) -> Option<String> {
    let name = model::domain::DomainName::parse(domain).ok()?;
    Some(model::suffixes::SuffixList::builtin().registrable(&name).unwrap_or(name.as_str()).to_owned())
}

#[cfg(test)]
mod tests;
