//! The ladder to an organisation where nobody can be told: its rungs in order, and when the next one is due.
//!
//! Looks nobody up and stores nothing. Invariant: the number of an attempt is that of its rung, so that a rung is
//! climbed once in an incident, whoever climbs it and however often.

use std::time::Duration;

use crate::delivery::named;
use crate::time::Timestamp;

named! {
    /// One way to reach an organisation.
    Rung {
        /// Whoever the directory names, by role and priority.
        KnownContacts = "known-contacts",
        /// The security.txt of its domains (RFC 9116).
        SecurityTxt = "security-txt",
        /// Abuse and registrant contacts in the registration data of its domains (RFC 9083).
        Rdap = "rdap",
        /// The mailboxes that its domains should have (RFC 2142).
        RoleMailboxes = "role-mailboxes",
        /// The vendor's own person for it.
        AccountManager = "account-manager",
        /// Paper, to its registered address.
        Letter = "letter",
    }
}

named! {
    /// What came of a rung.
    Outcome {
        /// There is nobody new to write to.
        Nobody = "nobody",
        /// It was not tried, and that was decided.
        Skipped = "skipped",
        /// It was tried and did not work.
        Failed = "failed",
        /// Somebody was asked who is responsible.
        Asked = "asked",
        /// A person of ours has it as a task.
        Task = "task",
    }
}

impl Rung {
    /// Its number, from 1.
    pub fn number(self) -> i64 {
        Self::ALL.iter().zip(1..).find(|(rung, _)| **rung == self).map_or(0, |(_, number)| number)
    }

    /// The rung that comes after this many; `None`: the ladder is climbed to its end.
    pub fn after(climbed: i64) -> Option<Self> {
        usize::try_from(climbed).ok().and_then(|at| Self::ALL.get(at)).copied()
    }

    /// When the next rung is due, if this one ended so: at once, or `wait` after somebody was asked. `None`: there is
    /// no further one.
    pub fn next_at(self, outcome: Outcome, now: Timestamp, wait: Duration) -> Option<Timestamp> {
        Self::after(self.number())?;
        Some(if outcome.waits() { now.plus(wait) } else { now })
    }
}

impl Outcome {
    /// Whether somebody now has time to react.
    pub fn waits(self) -> bool {
        match self {
            Self::Asked | Self::Task => true,
            Self::Nobody | Self::Skipped | Self::Failed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_climbed_in_order_and_there_is_an_end() {
        let mut climbed = 0;
        let mut names = Vec::new();
        while let Some(rung) = Rung::after(climbed) {
            assert_eq!(rung.number(), climbed + 1);
            climbed = rung.number();
            names.push(rung.as_str());
        }
        assert_eq!(names, ["known-contacts", "security-txt", "rdap", "role-mailboxes", "account-manager", "letter"]);
        assert_eq!(Rung::after(-1), None);
    }

    #[test]
    fn only_somebody_who_was_asked_is_waited_for() {
        let (now, wait) = (Timestamp::from_micros(0), Duration::from_secs(3600));
        let after = |outcome| Rung::Rdap.next_at(outcome, now, wait);
        for outcome in [Outcome::Nobody, Outcome::Skipped, Outcome::Failed] {
            assert_eq!(after(outcome), Some(now));
        }
        for outcome in [Outcome::Asked, Outcome::Task] {
            assert_eq!(after(outcome), Some(now.plus(wait)));
        }
    }

    #[test]
    fn nothing_comes_after_the_letter() {
        let now = Timestamp::from_micros(0);
        for outcome in Outcome::ALL {
            assert_eq!(Rung::Letter.next_at(*outcome, now, Duration::from_secs(1)), None);
        }
    }
}
