//! Escalation policies: ordered rungs with delays, targets and repeats, and which of them are there without configuration.
//!
//! Does not send, store or read a clock; [`climb`] says when which rung fires. Invariant: a policy that was checked has
//! rungs, each rung has a target, and what is kept of it as JSON reads back equal, in this and later programs.

mod climb;
mod delay;
mod rotation;
mod rung;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use climb::{BusinessTime, Deed, Due, Event, Key, Ladder, NoCalendars, carried};
pub use delay::{Delay, NotADelay};
pub use rotation::{BadRotation, Override, Rotation};
pub use rung::{Hours, Rung};
pub use target::{Name, NotATarget, Target};

use crate::delivery::named;
use crate::time::Timestamp;

named! {
    /// What a ladder is climbed for.
    PolicyName {
        /// A question waits for us.
        Debt = "debt",
        /// No sign of life after an accepted notice.
        Silence = "silence",
        /// A promised time has passed.
        Promise = "promise",
        /// Every contact was tried and none took the notice.
        Unreachable = "unreachable",
        /// A declined question was to be looked at again by now.
        Review = "review",
        /// An asker objects to a decline.
        Objection = "objection",
        /// A withheld fact was to be looked at again by now.
        Withholding = "withholding",
        /// A duty to tell somebody is due; measured from a day before that.
        Duty = "duty",
    }
}

named! {
    /// What becomes of the ladders that run when their policy changes.
    Running {
        /// They go on under the policy that they started with.
        Keep = "keep",
        /// They end, and begin anew under the new policy, measured from now.
        Restart = "restart",
        /// They end, and go on under the new policy, measured from the same time; what fired counts.
        Move = "move",
    }
}

/// The longest that an acknowledgement may keep a ladder still.
const LONGEST_HOLD: Duration = Duration::from_secs(14 * 24 * 3600);
/// The most often that a rung fires again: weekly for almost twenty years.
const MOST_REPEATS: u32 = 1_000;

/// An ordered ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// From the first rung to the last.
    pub rungs: Vec<Rung>,
    /// How long the ladder stands still once enough people have acknowledged; 0h = it never does. Too low: whoever takes
    /// care is overtaken. Too high: an acknowledgement without work goes unseen.
    #[serde(default = "a_day", skip_serializing_if = "is_a_day")]
    pub acknowledged_for: Delay,
}

fn a_day() -> Delay {
    Delay::DAY
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
fn is_a_day(delay: &Delay) -> bool {
    *delay == Delay::DAY
}

impl Policy {
    fn of(rungs: Vec<Rung>) -> Self {
        Self { rungs, acknowledged_for: a_day() }
    }
}

/// The policies that new ladders start with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policies(BTreeMap<String, Policy>);

/// A policy that cannot be climbed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadPolicy {
    /// The name is none of ours.
    #[error(
        "`{0}` is no escalation policy: the policies are debt, silence, promise, unreachable, review, objection, withholding and duty"
    )]
    UnknownName(String),
    /// There is nothing to climb.
    #[error("policy `{0}` has no rungs: add at least one [[policies.{0}.rungs]]")]
    NoRungs(String),
    /// A rung without a target reaches nobody.
    #[error(
        "policy `{name}`, rung {rung}: no targets; name at least one of agent, lead, counsel, incident-lead, contact, next-contact, account-manager, person:NAME, role:NAME, rotation:NAME, address:MAIL-ADDRESS, webhook:NAME"
    )]
    NoTargets {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
    },
    /// Rungs are climbed upwards.
    #[error(
        "policy `{name}`, rung {rung}: {after} is before the rung below it; order the rungs by after_hours or after"
    )]
    OutOfOrder {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
        /// Its delay.
        after: Delay,
    },
    /// Repeats without a pause would fire without end at one moment.
    #[error("policy `{name}`, rung {rung}: repeat_hours is 0; give the hours between two repeats")]
    NoPause {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
    },
    /// More repeats than anybody reads.
    #[error("policy `{name}`, rung {rung}: repeats is more than 1000; use a longer pause, or a further rung")]
    TooManyRepeats {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
    },
    /// Nobody could ever acknowledge it.
    #[error("policy `{name}`, rung {rung}: acknowledgements is 0; say how many different people have to acknowledge")]
    NobodyEnough {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
    },
    /// Office hours of a calendar that nobody knows.
    #[error(
        "policy `{name}`, rung {rung}: there is no calendar `{calendar}`; add [calendars.{calendar}] to the configuration, or use hours = \"wall\""
    )]
    NoCalendar {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
        /// The calendar.
        calendar: String,
    },
    /// An acknowledgement that would mute a ladder.
    #[error("policy `{name}`: acknowledged_for is {after}; an acknowledgement holds a ladder for two weeks at most")]
    LongHold {
        /// The policy.
        name: String,
        /// What was asked for.
        after: Delay,
    },
}

impl Default for Policies {
    /// The policies of the product, there without configuration.
    fn default() -> Self {
        let rung = |hours, targets: &[Target]| Rung::after(Delay::hours(hours), targets);
        let ladder = |name: PolicyName, rungs: Vec<Rung>| (name.as_str().to_owned(), Policy::of(rungs));
        Self(BTreeMap::from([
            ladder(
                PolicyName::Debt,
                vec![rung(24, &[Target::Agent]), rung(72, &[Target::Lead]), rung(168, &[Target::Counsel])],
            ),
            ladder(
                PolicyName::Silence,
                vec![
                    rung(72, &[Target::Contact]),
                    rung(168, &[Target::NextContact]),
                    rung(336, &[Target::AccountManager]),
                ],
            ),
            ladder(PolicyName::Promise, vec![rung(0, &[Target::Agent, Target::Lead])]),
            ladder(PolicyName::Unreachable, vec![rung(0, &[Target::IncidentLead])]),
            ladder(PolicyName::Review, vec![rung(0, &[Target::Agent, Target::Lead])]),
            // Weekly in the end, for a year: nobody is told a fact for want of somebody who looks at it again.
            ladder(
                PolicyName::Withholding,
                vec![
                    rung(0, &[Target::Counsel]),
                    rung(72, &[Target::Lead]),
                    Rung { repeats: 51, pause: Delay::hours(168), ..rung(168, &[Target::IncidentLead]) },
                ],
            ),
            // A day before the end, six hours before it, at it, and each day after it for a week.
            ladder(
                PolicyName::Duty,
                vec![
                    rung(0, &[Target::Counsel]),
                    rung(18, &[Target::Lead]),
                    Rung { repeats: 7, ..rung(24, &[Target::IncidentLead, Target::Counsel]) },
                ],
            ),
            // A rung above whoever declined: the agent's own ladder for debt begins anew beside it.
            ladder(PolicyName::Objection, vec![rung(0, &[Target::Lead]), rung(72, &[Target::Counsel])]),
        ]))
    }
}

impl Policies {
    /// These policies, and `replacements` in place of those of the same name.
    pub fn replaced_by(
        mut self,
        replacements: BTreeMap<String, Policy>,
        business: &dyn BusinessTime,
    ) -> Result<Self, BadPolicy> {
        for (name, policy) in replacements {
            check(&name, &policy, business)?;
            self.0.insert(name, policy);
        }
        Ok(self)
    }

    /// Which policies are others here than there.
    pub fn changed(&self, from: &Self) -> Vec<PolicyName> {
        PolicyName::ALL.iter().copied().filter(|name| self.get(*name) != from.get(*name)).collect()
    }

    /// The policy of a name; the built-in one where these were kept before there was one of that name.
    pub fn get(&self, name: PolicyName) -> Policy {
        let builtin = || Self::default().0.remove(name.as_str());
        self.0.get(name.as_str()).cloned().or_else(builtin).unwrap_or_else(|| Policy::of(Vec::new()))
    }
}

fn check(name: &str, policy: &Policy, business: &dyn BusinessTime) -> Result<(), BadPolicy> {
    let owned = || name.to_owned();
    if PolicyName::parse(name).is_none() {
        return Err(BadPolicy::UnknownName(owned()));
    }
    if policy.rungs.is_empty() {
        return Err(BadPolicy::NoRungs(owned()));
    }
    if policy.acknowledged_for.span() > LONGEST_HOLD {
        return Err(BadPolicy::LongHold { name: owned(), after: policy.acknowledged_for });
    }
    let mut below: Option<&Rung> = None;
    for (rung, at) in (1..).zip(&policy.rungs) {
        if at.targets.is_empty() {
            return Err(BadPolicy::NoTargets { name: owned(), rung });
        }
        // A delay on the wall and one in office hours cannot be compared.
        if below.is_some_and(|below| below.hours == at.hours && at.after < below.after) {
            return Err(BadPolicy::OutOfOrder { name: owned(), rung, after: at.after });
        }
        if at.repeats > 0 && at.pause.is_zero() {
            return Err(BadPolicy::NoPause { name: owned(), rung });
        }
        if at.repeats > MOST_REPEATS {
            return Err(BadPolicy::TooManyRepeats { name: owned(), rung });
        }
        if at.acknowledgements == 0 {
            return Err(BadPolicy::NobodyEnough { name: owned(), rung });
        }
        if let Hours::Business { calendar } = &at.hours
            && business.after(Timestamp::from_micros(0), Duration::ZERO, calendar).is_none()
        {
            return Err(BadPolicy::NoCalendar { name: owned(), rung, calendar: calendar.clone() });
        }
        below = Some(at);
    }
    Ok(())
}
