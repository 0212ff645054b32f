//! Escalation policies and their arithmetic: which rung of a ladder is due when.
//!
//! Does not send, store or read a clock. Invariant: what is due is a function of (policy, start, now) alone, so that
//! missed, doubled and late ticks fire the same set of [`Due`] keys.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

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
    /// Whom a rung turns to.
    Target {
        /// The agent of the ticket.
        Agent = "agent",
        /// The team lead.
        Lead = "lead",
        /// Privacy counsel.
        Counsel = "counsel",
        /// The incident lead.
        IncidentLead = "incident-lead",
        /// A reminder to the contacts that have the notice.
        Contact = "contact",
        /// The notice to the next contact of the organisation.
        NextContact = "next-contact",
        /// A task for the vendor's account manager of this organisation.
        AccountManager = "account-manager",
    }
}

/// One rung: after a delay, these targets; then again, `repeats` times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Hours after the start, wall clock.
    pub after_hours: u32,
    /// Who is turned to; each gets its own firing.
    pub targets: Vec<Target>,
    /// How often the rung fires again after its first time.
    #[serde(default)]
    pub repeats: u32,
    /// Hours between two firings of a rung that repeats.
    #[serde(default = "a_day")]
    pub repeat_hours: u32,
}

fn a_day() -> u32 {
    24
}

/// An ordered ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// From the first rung to the last.
    pub rungs: Vec<Rung>,
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
        "policy `{name}`, rung {rung}: no targets; name at least one of agent, lead, counsel, incident-lead, contact, next-contact, account-manager"
    )]
    NoTargets {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
    },
    /// Rungs are climbed upwards.
    #[error("policy `{name}`, rung {rung}: {hours} h is before the rung below it; order the rungs by after_hours")]
    OutOfOrder {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
        /// Its delay.
        hours: u32,
    },
    /// Repeats without a pause would fire without end at one moment.
    #[error("policy `{name}`, rung {rung}: repeat_hours is 0; give the hours between two repeats")]
    NoPause {
        /// The policy.
        name: String,
        /// The rung, from 1.
        rung: usize,
    },
}

impl Default for Policies {
    /// The policies of the product, there without configuration.
    fn default() -> Self {
        let rung = |after_hours, targets: &[Target]| Rung {
            after_hours,
            targets: targets.to_vec(),
            repeats: 0,
            repeat_hours: a_day(),
        };
        let ladder = |name: PolicyName, rungs: Vec<Rung>| (name.as_str().to_owned(), Policy { rungs });
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
                    Rung { repeats: 51, repeat_hours: 168, ..rung(168, &[Target::IncidentLead]) },
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
    pub fn replaced_by(mut self, replacements: BTreeMap<String, Policy>) -> Result<Self, BadPolicy> {
        for (name, policy) in replacements {
            check(&name, &policy)?;
            self.0.insert(name, policy);
        }
        Ok(self)
    }

    /// The policy of a name; the built-in one where these were kept before there was one of that name.
    pub fn get(&self, name: PolicyName) -> Policy {
        let builtin = || Self::default().0.remove(name.as_str());
        self.0.get(name.as_str()).cloned().or_else(builtin).unwrap_or(Policy { rungs: Vec::new() })
    }
}

fn check(name: &str, policy: &Policy) -> Result<(), BadPolicy> {
    let owned = || name.to_owned();
    if PolicyName::parse(name).is_none() {
        return Err(BadPolicy::UnknownName(owned()));
    }
    if policy.rungs.is_empty() {
        return Err(BadPolicy::NoRungs(owned()));
    }
    let mut below = 0;
    for (index, rung) in policy.rungs.iter().enumerate() {
        let number = index + 1;
        if rung.targets.is_empty() {
            return Err(BadPolicy::NoTargets { name: owned(), rung: number });
        }
        if rung.after_hours < below {
            return Err(BadPolicy::OutOfOrder { name: owned(), rung: number, hours: rung.after_hours });
        }
        if rung.repeats > 0 && rung.repeat_hours == 0 {
            return Err(BadPolicy::NoPause { name: owned(), rung: number });
        }
        below = rung.after_hours;
    }
    Ok(())
}

/// One firing that a ladder has or will have: its unique key and its time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Due {
    /// When.
    pub due_at: Timestamp,
    /// The rung, from 1.
    pub rung: i64,
    /// 0 for the first firing of the rung.
    pub repeat: i64,
    /// Whom it turns to.
    pub target: Target,
}

/// All firings of a ladder that started at `start`, by time.
pub fn schedule(policy: &Policy, start: Timestamp) -> Vec<Due> {
    let mut all = Vec::new();
    for (index, rung) in policy.rungs.iter().enumerate() {
        for repeat in 0..=rung.repeats {
            let hours = u64::from(rung.after_hours) + u64::from(repeat) * u64::from(rung.repeat_hours);
            let due_at = start.plus(Duration::from_secs(hours * 3600));
            let number = i64::try_from(index + 1).unwrap_or(i64::MAX);
            all.extend(rung.targets.iter().map(|target| Due {
                due_at,
                rung: number,
                repeat: i64::from(repeat),
                target: *target,
            }));
        }
    }
    all.sort();
    all
}

/// The firings that are due at `now` and not in `fired`, and when the next one will be.
pub fn due(
    policy: &Policy,
    start: Timestamp,
    now: Timestamp,
    fired: &[(i64, i64, Target)],
) -> (Vec<Due>, Option<Timestamp>) {
    let open = schedule(policy, start).into_iter().filter(|due| !fired.contains(&(due.rung, due.repeat, due.target)));
    let (now_due, later): (Vec<Due>, Vec<Due>) = open.partition(|due| due.due_at <= now);
    (now_due, later.first().map(|due| due.due_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_micros(hours * 3_600_000_000)
    }

    #[test]
    fn the_debt_ladder_climbs_after_24_72_and_168_hours() {
        let policy = Policies::default().get(PolicyName::Debt);
        let times: Vec<_> = schedule(&policy, at(0)).into_iter().map(|due| (due.due_at, due.target)).collect();
        assert_eq!(times, [(at(24), Target::Agent), (at(72), Target::Lead), (at(168), Target::Counsel)]);
    }

    #[test]
    fn an_incident_that_was_opened_before_a_policy_was_there_has_the_built_in_one() {
        let kept = Policies(BTreeMap::new());
        assert_eq!(kept.get(PolicyName::Review), Policies::default().get(PolicyName::Review));
    }

    #[test]
    fn a_bad_policy_is_refused_with_its_place() {
        let bad = BTreeMap::from([("debt".to_owned(), Policy { rungs: Vec::new() })]);
        assert_eq!(Policies::default().replaced_by(bad), Err(BadPolicy::NoRungs("debt".to_owned())));
        let unknown = BTreeMap::from([("dept".to_owned(), Policy { rungs: Vec::new() })]);
        assert_eq!(Policies::default().replaced_by(unknown), Err(BadPolicy::UnknownName("dept".to_owned())));
    }

    proptest! {
        /// Ticks at any times, doubled, late or stepping back, fire what one tick at the latest of them fires.
        #[test]
        fn any_ticks_fire_what_one_late_tick_fires(
            delays in proptest::collection::vec((0_u32..400, 0_u32..3, 1_u32..48), 1..5),
            ticks in proptest::collection::vec(0_i64..1_000, 1..30),
        ) {
            let mut rungs: Vec<Rung> = delays.into_iter().map(|(after_hours, repeats, repeat_hours)| {
                Rung { after_hours, targets: vec![Target::Agent, Target::Lead], repeats, repeat_hours }
            }).collect();
            rungs.sort_by_key(|rung| rung.after_hours);
            let policy = Policy { rungs };
            let mut fired = Vec::new();
            for tick in &ticks {
                for due in due(&policy, at(0), at(*tick), &fired).0 {
                    prop_assert!(!fired.contains(&(due.rung, due.repeat, due.target)));
                    fired.push((due.rung, due.repeat, due.target));
                }
            }
            let latest = at(ticks.iter().copied().max().unwrap_or(0));
            let mut once: Vec<_> =
                due(&policy, at(0), latest, &[]).0.into_iter().map(|due| (due.rung, due.repeat, due.target)).collect();
            fired.sort();
            once.sort();
            prop_assert_eq!(fired, once);
        }
    }
}
