//! When which rung fires: the times of a policy, moved by what people did.
//!
//! Invariant: the due set is a function of (policy, start, events, now) alone, so that missed, doubled and late ticks
//! fire the same keys. An acknowledgement only ever holds rungs back, for a limited time; a jump only ever brings them
//! forward; neither takes one away ([decision 0022](../../../docs/decisions/0022-acknowledged-is-not-done.md)).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::{Hours, Policy, Rung, Target};
use crate::time::Timestamp;

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

/// What makes a firing unique on its ladder: rung, repeat and target.
pub type Key = (i64, i64, Target);

impl Due {
    /// What makes it unique on its ladder.
    pub fn key(&self) -> Key {
        (self.rung, self.repeat, self.target.clone())
    }
}

/// What somebody did to a ladder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Deed,
}

/// What somebody did to a ladder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// It is measured from this moment.
    Restart,
    /// Somebody takes care: of the rung and repeat that had fired last.
    Acknowledge {
        /// The rung, from 1; 0 = before the ladder took the place of another.
        rung: i64,
        /// From 0.
        repeat: i64,
        /// Who.
        by: String,
    },
    /// The ladder is climbed from this rung on, now.
    Jump {
        /// The rung, from 1.
        rung: i64,
    },
}

/// Arithmetic of office hours.
pub trait BusinessTime {
    /// The moment when `delay` of office time has passed since `start`; for no delay the first open moment. None: there
    /// is no calendar of that name.
    fn after(&self, start: Timestamp, delay: Duration, calendar: &str) -> Option<Timestamp>;
}

/// No calendar is known.
#[derive(Debug, Clone, Copy)]
pub struct NoCalendars;

impl BusinessTime for NoCalendars {
    fn after(&self, _start: Timestamp, _delay: Duration, _calendar: &str) -> Option<Timestamp> {
        None
    }
}

/// A ladder, with everything that its times follow from.
#[derive(Clone, Copy)]
pub struct Ladder<'a> {
    /// What it climbs.
    pub policy: &'a Policy,
    /// What it is measured from.
    pub start: Timestamp,
    /// What people did to it, in any order.
    pub events: &'a [Event],
    /// Whose office hours count.
    pub business: &'a dyn BusinessTime,
}

/// Who acknowledged which rung and repeat.
type Takers<'e> = BTreeMap<(i64, i64), BTreeSet<&'e str>>;

impl<'a> Ladder<'a> {
    /// One that nobody touched.
    pub fn untouched(policy: &'a Policy, start: Timestamp, business: &'a dyn BusinessTime) -> Self {
        Self { policy, start, events: &[], business }
    }

    /// All its firings, by time.
    pub fn schedule(&self) -> Vec<Due> {
        let mut events: Vec<&Event> = self.events.iter().collect();
        events.sort();
        let mut all = self.planned(&events);
        let mut people = Takers::new();
        for event in events {
            match &event.what {
                Deed::Restart => {}
                Deed::Acknowledge { .. } if self.is_enough(&mut people, event) => self.hold(&mut all, event.at),
                Deed::Acknowledge { .. } => {}
                Deed::Jump { rung } => self.bring_forward(&mut all, *rung, event.at),
            }
        }
        all.sort();
        all
    }

    /// The acknowledgement that has not expired at `now`, if there is one.
    pub fn holding(&self, now: Timestamp) -> Option<&'a Event> {
        let mut events: Vec<&'a Event> = self.events.iter().collect();
        events.sort();
        let mut people = Takers::new();
        events.retain(|event| self.is_enough(&mut people, event));
        events.into_iter().rfind(|event| event.at.plus(self.policy.acknowledged_for.span()) > now)
    }

    /// Whether, with this event, enough people have acknowledged a firing. Once for each firing: whoever says it again and
    /// again would keep the ladder still for ever.
    fn is_enough<'e>(&self, people: &mut Takers<'e>, event: &'e Event) -> bool {
        let Deed::Acknowledge { rung, repeat, by } = &event.what else { return false };
        let takers = people.entry((*rung, *repeat)).or_default();
        takers.insert(by) && takers.len() == self.enough(*rung)
    }

    /// The firings that are due at `now` and not in `fired`, and when the next one will be.
    pub fn due(&self, now: Timestamp, fired: &[Key]) -> (Vec<Due>, Option<Timestamp>) {
        let open = self.schedule().into_iter().filter(|due| !fired.contains(&due.key()));
        let (now_due, later): (Vec<Due>, Vec<Due>) = open.partition(|due| due.due_at <= now);
        (now_due, later.first().map(|due| due.due_at))
    }

    /// The times as the policy says them.
    fn planned(&self, events: &[&Event]) -> Vec<Due> {
        let restarts = events.iter().filter(|event| event.what == Deed::Restart).map(|event| event.at);
        let start = restarts.max().unwrap_or(self.start);
        let mut all = Vec::new();
        for (number, rung) in (1..).zip(&self.policy.rungs) {
            for repeat in 0..=rung.repeats {
                let due_at = self.time(rung, start, repeat);
                all.extend(rung.targets.iter().map(|target| Due {
                    due_at,
                    rung: number,
                    repeat: i64::from(repeat),
                    target: target.clone(),
                }));
            }
        }
        all
    }

    fn time(&self, rung: &Rung, start: Timestamp, repeat: u32) -> Timestamp {
        let pauses = rung.pause.span().saturating_mul(repeat);
        let wall = || start.plus(rung.after.span()).plus(pauses);
        match &rung.hours {
            Hours::Wall => wall(),
            // A calendar that is gone holds nobody up: the clock on the wall is never later.
            Hours::Business { calendar } => self
                .business
                .after(start, rung.after.span(), calendar)
                .and_then(|first| self.business.after(first, pauses, calendar))
                .unwrap_or_else(wall),
        }
    }

    /// How many people have to acknowledge a rung.
    fn enough(&self, rung: i64) -> usize {
        let index = usize::try_from(rung).ok().and_then(|rung| rung.checked_sub(1));
        let needed = index.and_then(|index| self.policy.rungs.get(index)).map_or(1, |rung| rung.acknowledgements);
        usize::try_from(needed).unwrap_or(usize::MAX)
    }

    /// Nothing fires that was not due yet, until the acknowledgement expires; then the ladder goes on where it was, with
    /// the same distances.
    fn hold(&self, all: &mut [Due], from: Timestamp) {
        let until = from.plus(self.policy.acknowledged_for.span());
        let Some(next) = all.iter().map(|due| due.due_at).filter(|at| *at > from).min() else { return };
        let wait = until.since(next);
        if wait.is_zero() {
            return;
        }
        for due in all.iter_mut().filter(|due| due.due_at > from) {
            due.due_at = self.open(due.rung, due.due_at.plus(wait));
        }
    }

    /// The rung fires now, and those above it keep their distance to it; those below keep their times.
    fn bring_forward(&self, all: &mut [Due], rung: i64, at: Timestamp) {
        let Some(first) = all.iter().filter(|due| due.rung == rung).map(|due| due.due_at).min() else { return };
        let gained = first.since(at);
        if gained.is_zero() {
            return;
        }
        for due in all.iter_mut().filter(|due| due.rung >= rung && due.due_at > at) {
            let earlier = due.due_at.minus(gained).max(at);
            due.due_at = if due.due_at == first { at } else { self.open(due.rung, earlier).min(due.due_at) };
        }
    }

    /// The time itself, or for a rung in office hours the next open moment.
    fn open(&self, rung: i64, at: Timestamp) -> Timestamp {
        let index = usize::try_from(rung).ok().and_then(|rung| rung.checked_sub(1));
        match index.and_then(|index| self.policy.rungs.get(index)).map(|rung| &rung.hours) {
            Some(Hours::Business { calendar }) => self.business.after(at, Duration::ZERO, calendar).unwrap_or(at),
            _ => at,
        }
    }
}

/// Which firings of a new ladder are counted as fired, because an old one has turned to the same target: as many of each
/// target's, from its first on, as the old ladder fired.
pub fn carried(fired: &[Key], new: &[Due]) -> Vec<Key> {
    let mut left: BTreeMap<&Target, usize> = BTreeMap::new();
    for (_, _, target) in fired {
        *left.entry(target).or_default() += 1;
    }
    let mut keys = Vec::new();
    for due in new {
        if let Some(count) = left.get_mut(&due.target).filter(|count| **count > 0) {
            *count -= 1;
            keys.push(due.key());
        }
    }
    keys
}
