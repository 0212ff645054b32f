//! When the mails of a wave may start: so many a second, so many a second to one receiving system, so many a day.
//!
//! Knows no clock and keeps nothing. Invariant: two starts of a wave lie a second divided by its pace apart at least, as
//! do two of one receiving system by its own; whoever asks, and however often.

use std::collections::HashMap;

use serde::Serialize;

/// Microseconds.
const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3600 * SECOND;
/// Starts lie this much further apart than a second divided by the pace, in thousandths.
const MARGIN: i64 = 5;
/// Mail that waits for the next day is looked at again after this: a person may raise the limit.
const LOOK_AGAIN: i64 = 3600 * SECOND;

/// What a wave may do. None = as much as it likes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Mails a second.
    pub pace: Option<i64>,
    /// Mails a second to one receiving system.
    pub per_system: Option<i64>,
    /// Tries a day, from midnight to midnight UTC.
    pub per_day: Option<i64>,
}

impl Limits {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What has been given out of a wave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    /// The earliest free start of the wave, in microseconds.
    pub next_at: i64,
    /// The earliest free starts of receiving systems.
    pub systems: HashMap<String, i64>,
    /// The day that is counted, since 1970.
    pub day: i64,
    /// Starts given out on that day.
    pub day_count: i64,
}

/// The answer to one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It starts then, in microseconds.
    At(i64),
    /// Nothing is free soon: it asks again then, in microseconds.
    AskAgain(i64),
}

impl Calendar {
    /// Starts for mails to these receiving systems, in their order, none of them later than `ahead` after `now`. A mail
    /// that gets none asks again after half of that, while others have starts still, or on another day.
    pub fn give(&mut self, limits: &Limits, now: i64, ahead: i64, mails: &[&str]) -> Vec<Start> {
        self.give_apart(limits, distance(limits.pace), now, ahead, mails)
    }

    /// The same, with starts so many microseconds apart, whatever the pace: 0 = as many at once as there are.
    pub fn give_apart(&mut self, limits: &Limits, between: i64, now: i64, ahead: i64, mails: &[&str]) -> Vec<Start> {
        if self.day != now / DAY {
            (self.day, self.day_count) = (now / DAY, 0);
        }
        let of_system = distance(limits.per_system);
        // Those whose system is free first are served first: nobody's turn is wasted on one who must wait.
        let mut order: Vec<(i64, usize)> = Vec::with_capacity(mails.len());
        let mut free: HashMap<&str, i64> = HashMap::new();
        for (index, system) in mails.iter().enumerate() {
            let at = free.entry(system).or_insert_with(|| self.free(limits, system, now));
            order.push((*at, index));
            *at += of_system;
        }
        order.sort_unstable();
        let mut starts = vec![Start::AskAgain(now + ahead / 2); mails.len()];
        self.next_at = self.next_at.max(now);
        for (_, index) in order {
            let system = mails[index];
            if limits.per_day.is_some_and(|most| self.day_count >= most) {
                starts[index] = Start::AskAgain((now + LOOK_AGAIN).min((self.day + 1) * DAY));
                continue;
            }
            let at = self.next_at.max(self.free(limits, system, now));
            if at > now + ahead {
                continue;
            }
            starts[index] = Start::At(at);
            self.day_count += 1;
            // Without a pace the next one need not wait for this one's system.
            self.next_at = if between > 0 { at + between } else { self.next_at };
            if limits.per_system.is_some() {
                self.systems.insert(system.to_owned(), at + of_system);
            }
        }
        starts
    }

    fn free(&self, limits: &Limits, system: &str, now: i64) -> i64 {
        match limits.per_system {
            Some(_) => self.systems.get(system).copied().unwrap_or(now).max(now),
            None => now,
        }
    }
}

/// Between two starts, in microseconds.
fn distance(pace: Option<i64>) -> i64 {
    pace.map_or(0, |pace| (SECOND * (1_000 + MARGIN) / 1_000 + pace - 1) / pace.max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AHEAD: i64 = SECOND;

    fn at(starts: &[Start]) -> Vec<i64> {
        starts.iter().filter_map(|start| if let Start::At(at) = start { Some(*at) } else { None }).collect()
    }

    fn within_a_second(mut starts: Vec<i64>, most: i64) -> bool {
        starts.sort_unstable();
        let most = usize::try_from(most).unwrap();
        starts.windows(most + 1).all(|window| window[most] - window[0] > SECOND)
    }

    proptest! {
        #[test]
        fn no_second_has_more_starts_than_its_limits_whoever_asks_when(
            pace in 1_i64..60,
            per_system in 1_i64..20,
            asks in proptest::collection::vec((0_i64..2 * SECOND, proptest::collection::vec(0_usize..6, 0..80)), 1..25),
        ) {
            let limits = Limits { pace: Some(pace), per_system: Some(per_system), per_day: None };
            let names: Vec<String> = (0..6).map(|n| format!("s{n}.example")).collect();
            let (mut calendar, mut now) = (Calendar::default(), 20_000 * DAY);
            let (mut all, mut of_first) = (Vec::new(), Vec::new());
            for (gap, mails) in asks {
                now += gap;
                let mails: Vec<&str> = mails.into_iter().map(|n| names[n].as_str()).collect();
                let starts = calendar.give(&limits, now, AHEAD, &mails);
                prop_assert!(at(&starts).iter().all(|at| (now..=now + AHEAD).contains(at)));
                for (start, system) in starts.iter().zip(&mails) {
                    if let Start::At(at) = start {
                        all.push(*at);
                        if *system == names[0] { of_first.push(*at) }
                    }
                }
            }
            prop_assert!(within_a_second(all, pace));
            prop_assert!(within_a_second(of_first, per_system));
        }
    }

    #[test]
    fn mails_without_end_start_at_hardly_less_than_the_pace() {
        let limits = Limits { pace: Some(50), ..Limits::default() };
        let (mut calendar, begin) = (Calendar::default(), 20_000 * DAY);
        let given: usize = (0..40)
            .map(|quarter| at(&calendar.give(&limits, begin + quarter * SECOND / 4, AHEAD, &["a"; 100])).len())
            .sum();
        // Ten seconds and three quarters, as the last look reaches a second ahead.
        assert!((530..=538).contains(&given), "{given}");
    }

    #[test]
    fn mails_that_ask_again_a_little_late_leave_no_gap() {
        let limits = Limits { pace: Some(50), ..Limits::default() };
        let (mut calendar, begin) = (Calendar::default(), 20_000 * DAY);
        let (mut now, mut waiting, mut given) = (begin, 500, Vec::new());
        while waiting > 0 {
            let starts = calendar.give(&limits, now, AHEAD, &vec!["a"; waiting]);
            given.extend(at(&starts));
            waiting = starts.iter().filter(|start| matches!(start, Start::AskAgain(_))).count();
            let again = starts.iter().find_map(|start| if let Start::AskAgain(at) = start { Some(*at) } else { None });
            // Nobody looks more often than four times a second.
            now = again.map_or(now, |again| again + SECOND / 4);
        }
        let seconds = (given.last().unwrap() - given[0]) / SECOND;
        assert_eq!((given.len(), seconds), (500, 10));
    }

    #[test]
    fn a_system_that_must_wait_takes_no_turn_of_the_others() {
        let limits = Limits { pace: Some(10), per_system: Some(1), per_day: None };
        let mails = ["big", "big", "big", "a", "b", "c"];
        let starts = Calendar::default().give(&limits, 20_000 * DAY, AHEAD, &mails);
        let given: Vec<bool> = starts.iter().map(|start| matches!(start, Start::At(_))).collect();
        assert_eq!(given, [true, false, false, true, true, true]);
    }

    #[test]
    fn a_day_has_so_many_tries_and_the_next_one_as_many_again() {
        let limits = Limits { per_day: Some(3), ..Limits::default() };
        let (mut calendar, noon) = (Calendar::default(), 20_000 * DAY + DAY / 2);
        let starts = calendar.give(&limits, noon, AHEAD, &["a"; 5]);
        assert_eq!(at(&starts).len(), 3);
        assert_eq!(starts[4], Start::AskAgain(noon + LOOK_AGAIN));
        let late = 20_001 * DAY - 1;
        assert_eq!(calendar.give(&limits, late, AHEAD, &["a"]), [Start::AskAgain(late + 1)]);
        assert_eq!(at(&calendar.give(&limits, late + 1, AHEAD, &["a"; 5])).len(), 3);
    }
}
