//! What becomes of a duty in an incident: which of the things that people said of it counts, and what its clock says.
//!
//! Does not decide whether a law applies: that is said by a person. Invariant: what was said later counts against what was
//! said before, and what needs a second person counts from their word on.

use serde::Serialize;

use crate::delivery::named;
use crate::law::{Clock, ClockEvent, Facts, Obligation, Recorded};
use crate::time::Timestamp;

named! {
    /// What people say of a duty.
    Act {
        /// It applies, whatever was said before.
        Applies = "applies",
        /// It does not apply.
        AppliesNot = "applies_not",
        /// It was fulfilled.
        Done = "done",
        /// Nobody is notified, by decision of two people.
        NotNotify = "not_notify",
        /// It rests until a time, by decision of two people.
        Pause = "pause",
        /// It rests no more.
        Resume = "resume",
    }
}

impl Act {
    /// Whether it counts only once a second person has approved of it.
    pub fn needs_two(self) -> bool {
        match self {
            Self::NotNotify | Self::Pause => true,
            Self::Applies | Self::AppliesNot | Self::Done | Self::Resume => false,
        }
    }
}

/// Something that was said, as it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// What.
    pub act: Act,
    /// Done: when. Pause: until when.
    pub at: Option<Timestamp>,
    /// From which place in the order of words it counts, whatever clocks say; none: it waits for a second person.
    pub nth: Option<i64>,
}

/// What all of it comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it applies; none: nobody said.
    pub applies: Option<Applies>,
    /// When it was fulfilled.
    pub done: Option<Timestamp>,
    /// Whether two people decided that nobody is notified.
    pub decided: bool,
    /// Until when it rests.
    pub paused_until: Option<Timestamp>,
}

/// Whether a duty applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl Standing {
    /// What counts at a time, of what was said.
    pub fn at(now: Timestamp, said: &[Said]) -> Self {
        let mut counting: Vec<(i64, &Said)> = said.iter().filter_map(|one| Some((one.nth?, one))).collect();
        counting.sort_by_key(|(nth, _)| *nth);
        let mut standing = Self::default();
        for (_, one) in counting {
            match one.act {
                Act::Applies => (standing.applies, standing.decided) = (Some(Applies::Yes), false),
                Act::AppliesNot => standing.applies = Some(Applies::No),
                Act::Done => standing.done = one.at,
                Act::NotNotify => standing.decided = true,
                Act::Pause => standing.paused_until = one.at,
                Act::Resume => standing.paused_until = None,
            }
        }
        standing.paused_until = standing.paused_until.filter(|until| now < *until);
        standing
    }
}

/// What a clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// What starts it has not happened, or nobody has recorded it.
    Waiting,
    /// There is time, or the law names no figure.
    Running,
    /// The time is over.
    Late,
    /// It rests, by decision of two people.
    Paused,
    /// It was fulfilled in time.
    Met,
    /// It was fulfilled after its time.
    MetLate,
    /// Somebody said that it does not apply.
    NotApplicable,
    /// Two people decided that nobody is notified.
    Decided,
    /// It was not law when the incident was discovered.
    NotInForce,
    /// The contract was ended while its clock ran.
    Ended,
}

impl State {
    /// Its name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Late => "late",
            Self::Paused => "paused",
            Self::Met => "met",
            Self::MetLate => "met late",
            Self::NotApplicable => "not applicable",
            Self::Decided => "decided",
            Self::NotInForce => "not in force",
            Self::Ended => "ended",
        }
    }

    /// Whether somebody still has to do something.
    pub fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Running | Self::Late | Self::Paused => true,
            Self::Met | Self::MetLate | Self::NotApplicable | Self::Decided | Self::NotInForce | Self::Ended => false,
        }
    }

    /// Of a clock that ends at `due` (none: at no time that is named) and that has started or not.
    pub fn of(standing: &Standing, started: Option<Timestamp>, due: Option<Timestamp>, now: Timestamp) -> Self {
        if let Some(done) = standing.done {
            return if due.is_some_and(|due| due < done) { Self::MetLate } else { Self::Met };
        }
        match () {
            () if standing.applies == Some(Applies::No) => Self::NotApplicable,
            () if standing.decided => Self::Decided,
            () if standing.paused_until.is_some() => Self::Paused,
            () if started.is_none() => Self::Waiting,
            () if due.is_some_and(|due| due < now) => Self::Late,
            () => Self::Running,
        }
    }
}

/// The clock of an obligation. The stage before it starts it only where that was submitted itself.
pub fn clock(obligation: &Obligation, facts: &Facts, prior: Option<Timestamp>) -> Clock {
    let mut own = facts.clone();
    own.events.remove(&ClockEvent::PriorStageSubmitted);
    own.events.extend(prior.map(|at| (ClockEvent::PriorStageSubmitted, at)));
    own.clock(obligation)
}

/// When a duty without a figure started, if it did.
pub fn started(obligation: &Obligation, facts: &Facts) -> Option<(Timestamp, Recorded)> {
    facts.time_of(obligation.trigger)
}

/// Whether a law of this jurisdiction could apply to organisations of a country, both as the table and the directory name
/// them. Which state of a country they are in is not known.
pub fn could_apply(jurisdiction: &str, country: &str) -> bool {
    const EU: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";
    const EEA: &str = "IS LI NO";
    let country = country.trim().to_ascii_uppercase();
    let is_of = |list: &str| list.split(' ').any(|code| code == country);
    match jurisdiction {
        "EU" => is_of(EU),
        "EU/EEA" => is_of(EU) || is_of(EEA),
        state => state.split('-').next().is_some_and(|of| of == country),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_micros(hours * 3_600_000_000)
    }

    fn said(act: Act, nth: i64, time: Option<i64>) -> Said {
        Said { act, at: time.map(at), nth: Some(nth) }
    }

    #[track_caller]
    fn check(acts: &[Said], now: i64, expect: State) {
        let standing = Standing::at(at(now), acts);
        assert_eq!(State::of(&standing, Some(at(0)), Some(at(72)), at(now)), expect);
    }

    #[test]
    fn a_clock_runs_until_it_is_late_or_met() {
        check(&[], 72, State::Running);
        check(&[], 73, State::Late);
        check(&[said(Act::Done, 80, Some(70))], 90, State::Met);
        check(&[said(Act::Done, 80, Some(73))], 90, State::MetLate);
        // Corrected: the last word counts.
        check(&[said(Act::Done, 80, Some(73)), said(Act::Done, 85, Some(71))], 90, State::Met);
    }

    #[test]
    fn what_needs_two_people_counts_from_the_second_ones_word() {
        let waiting = Said { act: Act::NotNotify, at: None, nth: None };
        check(&[waiting], 10, State::Running);
        check(&[said(Act::NotNotify, 9, None)], 10, State::Decided);
        check(&[said(Act::NotNotify, 11, None), said(Act::Applies, 10, None)], 11, State::Decided);
        check(&[said(Act::NotNotify, 9, None), said(Act::Applies, 10, None)], 11, State::Running);
    }

    #[test]
    fn a_pause_ends_by_itself_or_by_a_word() {
        let pause = said(Act::Pause, 5, Some(100));
        check(&[pause], 99, State::Paused);
        check(&[pause], 100, State::Late);
        check(&[pause, said(Act::Resume, 50, None)], 51, State::Running);
    }

    #[test]
    fn a_union_is_its_states_and_a_state_is_of_its_country() {
        let applies =
            |jurisdiction, countries: &[&str]| countries.iter().all(|country| could_apply(jurisdiction, country));
        assert!(applies("EU", &["DE", "ie"]) && applies("EU/EEA", &["NO", "DE"]) && applies("US-CA", &["US"]));
        assert!(!could_apply("EU", "NO") && !could_apply("EU/EEA", "GB") && !could_apply("CA", "US"));
        assert!(!could_apply("US", "") && !could_apply("GB", "UK"));
    }

    #[test]
    fn a_stage_starts_when_the_one_before_it_was_submitted() {
        let law = crate::law::Law::builtin().unwrap();
        let facts = Facts {
            discovered_at: at(0),
            events: [(ClockEvent::PriorStageSubmitted, at(1))].into(),
            told: crate::law::Told::NotYet(at(2)),
            withheld: Vec::new(),
        };
        let of = |id: &str, prior: Option<i64>| clock(law.obligation(id).unwrap(), &facts, prior.map(at)).due();
        assert_eq!(of("eu-dora-intermediate", None), None);
        assert_eq!(of("eu-dora-intermediate", Some(10)), Some(at(82)));
    }
}
