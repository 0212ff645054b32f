//! Deliveries: their states, what an attempt makes of them, who is written to, and when the next try is.
//!
//! Does not speak SMTP and does not store. Invariant: only an explicit acceptance ends in `accepted`; what nobody
//! knows is `uncertain`, never `accepted` and never `deferred`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$inner])* #[serde(rename = $text)] $variant),+ }
        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The name that the store, the command line and the documents use.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
            /// The value of that name.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)+ _ => None } }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}
pub(crate) use named;

named! {
    /// Where a mail that is to leave stands.
    State {
        /// Waits for its first try.
        Queued = "queued",
        /// A sender holds it; no byte of its text has left.
        Leased = "leased",
        /// Committed before the final dot is written: from here on the other side may have it.
        AtDot = "at_dot",
        /// The other side said 250 after the dot.
        Accepted = "accepted",
        /// Refused for now, or lost before the dot: comes again.
        Deferred = "deferred",
        /// Lost after the dot may have left: policy decides.
        Uncertain = "uncertain",
        /// Refused for good, at once or by a later report.
        Bounced = "bounced",
        /// Given up by us.
        Failed = "failed",
        /// Not sent, because the address is disabled.
        Suppressed = "suppressed",
        /// Not sent, because the notice was withdrawn.
        Cancelled = "cancelled",
    }
}

named! {
    /// Whom a contact is there for.
    Role {
        /// Security team.
        Security = "security",
        /// Privacy team or data protection officer.
        Privacy = "privacy",
        /// Legal department.
        Legal = "legal",
        /// Administrator of the tenant.
        Admin = "admin",
        /// Technical contact.
        Technical = "technical",
        /// The vendor's own person for this customer: gets tasks, never notices.
        AccountManager = "account-manager",
    }
}

/// The ladder of roles: everybody on the first rung that has somebody is written to; the next rung follows when a
/// rung is exhausted.
pub const LADDER: [&[Role]; 4] = [&[Role::Security, Role::Privacy], &[Role::Legal], &[Role::Admin], &[Role::Technical]];

/// The rung of [`LADDER`] a role stands on; `None` for an account manager.
pub fn rung(role: Role) -> Option<usize> {
    LADDER.iter().position(|roles| roles.contains(&role))
}

/// Of contacts as (role, address), those on the first rung that is not below `from` and has somebody. Each address
/// once, in the order given. The rung is returned beside them.
pub fn recipients<T: Clone>(contacts: &[(Role, String, T)], from: usize) -> Option<(usize, Vec<T>)> {
    let first = contacts.iter().filter_map(|(role, _, _)| rung(*role)).filter(|rung| *rung >= from).min()?;
    let mut seen = std::collections::BTreeSet::new();
    let chosen = contacts
        .iter()
        .filter(|(role, _, _)| rung(*role) == Some(first))
        .filter(|(_, address, _)| seen.insert(address.clone()))
        .map(|(_, _, contact)| contact.clone())
        .collect();
    Some((first, chosen))
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 250 after the dot.
    Accepted,
    /// A 4xx, or lost before the dot.
    Transient,
    /// A 5xx.
    Permanent,
    /// Lost once the dot may have left.
    Uncertain,
}

impl Outcome {
    /// The name that the ledger of attempts keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Uncertain => "uncertain",
        }
    }
}

/// What is done with a mail of which nobody knows whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UncertainPolicy {
    /// Sent again at once, with the same Message-ID.
    #[default]
    Resend,
    /// Stays until a report, a reply or a person decides.
    Hold,
    /// Waits for a report or reply for a while, and is sent again when none came.
    Wait,
}

/// Which delivery reports the other side is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportsWanted {
    /// The sender leaves it to the servers on the way.
    Off,
    /// Of failures and delays.
    #[default]
    Failure,
    /// Of arrivals too.
    Success,
}

/// How often and how long a mail is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Tries before it is given up.
    pub max_attempts: i64,
    /// The first wait; each further one is twice as long.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    /// 1 min, 2 min, 4 min … 4 h each: 40 tries take 5 days and a half (RFC 5321 4.5.4.1: four to five days).
    fn default() -> Self {
        Self { max_attempts: 40, first: Duration::from_secs(60), longest: Duration::from_secs(4 * 3600) }
    }
}

/// Tries of which nobody knows how they ended, before a mail waits for a person: so many copies may have arrived. With a
/// lease of 30 s the last of them leaves an hour after the first.
pub const MOST_UNCERTAIN: i64 = 8;

/// Whether a mail goes again by itself of which nobody knows whether it arrived, after so many tries, so many of them
/// like that.
pub fn goes_again(uncertain: i64, attempts: i64, retry: &RetryPolicy) -> bool {
    uncertain < MOST_UNCERTAIN && attempts < retry.max_attempts
}

/// The state after an attempt, and how long until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The new state.
    pub state: State,
    /// The wait before the next try; zero in a settled state.
    pub wait: Duration,
}

/// What an attempt's outcome makes of a delivery that has now been tried `attempts` times.
pub fn after_attempt(outcome: Outcome, attempts: i64, retry: &RetryPolicy) -> Next {
    let settled = |state| Next { state, wait: Duration::ZERO };
    match outcome {
        Outcome::Accepted => settled(State::Accepted),
        Outcome::Permanent => settled(State::Bounced),
        Outcome::Uncertain => settled(State::Uncertain),
        Outcome::Transient if attempts >= retry.max_attempts => settled(State::Failed),
        Outcome::Transient => Next { state: State::Deferred, wait: backoff(attempts, retry) },
    }
}

/// The wait after try number `attempts` (from 1): doubled each time, up to the longest.
pub fn backoff(attempts: i64, retry: &RetryPolicy) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
    retry.first.saturating_mul(2_u32.saturating_pow(doublings)).min(retry.longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(role: Role, address: &str) -> (Role, String, String) {
        (role, address.to_owned(), address.to_owned())
    }

    #[test]
    fn security_and_privacy_are_written_to_together() {
        let contacts = [contact(Role::Admin, "c"), contact(Role::Security, "a"), contact(Role::Privacy, "b")];
        assert_eq!(recipients(&contacts, 0), Some((0, vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(recipients(&contacts, 1), Some((2, vec!["c".to_owned()])));
    }

    #[test]
    fn one_address_in_two_roles_gets_one_mail() {
        let contacts = [contact(Role::Security, "a"), contact(Role::Privacy, "a")];
        assert_eq!(recipients(&contacts, 0), Some((0, vec!["a".to_owned()])));
    }

    #[test]
    fn account_managers_are_never_written_to() {
        assert_eq!(recipients(&[contact(Role::AccountManager, "am")], 0), None);
    }

    #[test]
    fn only_a_plain_acceptance_is_accepted() {
        let retry = RetryPolicy::default();
        assert_eq!(after_attempt(Outcome::Accepted, 1, &retry).state, State::Accepted);
        assert_eq!(after_attempt(Outcome::Uncertain, 1, &retry).state, State::Uncertain);
        assert_eq!(after_attempt(Outcome::Permanent, 1, &retry).state, State::Bounced);
        assert_eq!(after_attempt(Outcome::Transient, 40, &retry).state, State::Failed);
    }

    #[test]
    fn what_may_have_arrived_often_enough_goes_no_further_by_itself() {
        let retry = RetryPolicy { max_attempts: 20, ..RetryPolicy::default() };
        assert!(goes_again(MOST_UNCERTAIN - 1, MOST_UNCERTAIN - 1, &retry));
        assert!(!goes_again(MOST_UNCERTAIN, MOST_UNCERTAIN, &retry));
        assert!(!goes_again(1, 20, &retry));
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = RetryPolicy::default();
        assert_eq!(backoff(1, &retry), Duration::from_secs(60));
        assert_eq!(backoff(3, &retry), Duration::from_secs(240));
        assert_eq!(backoff(100, &retry), retry.longest);
    }

    #[test]
    fn names_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(*state));
        }
    }
}
