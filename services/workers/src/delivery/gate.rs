//! The pause of a route that is down: 1 s, 2 s, 4 s … 30 s, and then one mail that tries it.
//!
//! Judges no fault. Invariants: many connections that fail at the same moment are one failure; while a route is not
//! known to be up again, one connection at a time finds out.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::desk::lock;

const LONGEST: Duration = Duration::from_secs(30);
/// How often somebody who waits looks whether another has found a route up.
const LOOK: Duration = Duration::from_millis(50);

/// Closed while the route is down.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    until: Option<Instant>,
    failures: u32,
    is_tried: bool,
}

/// The right to use a route.
pub(super) enum Entry {
    /// It is up as far as is known.
    Open,
    /// Its pause is over, and whoever holds this tries it.
    Trial(Trial),
}

/// Given back when dropped, whatever came of it.
pub(super) struct Trial(Arc<Gate>);

impl Drop for Trial {
    fn drop(&mut self) {
        lock(&self.0.state).is_tried = false;
    }
}

impl Gate {
    /// `None`: the route is down, or somebody else is trying it.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Entry> {
        let mut state = lock(&self.state);
        if !state.wait(Instant::now()).is_zero() {
            return None;
        }
        if state.failures == 0 {
            return Some(Entry::Open);
        }
        state.is_tried = true;
        Some(Entry::Trial(Trial(Arc::clone(self))))
    }

    /// How long until it is worth asking again; zero = now.
    pub(super) fn wait(&self) -> Duration {
        lock(&self.state).wait(Instant::now())
    }

    /// A try that began at `began` found the route down. Whether that is news.
    pub(super) fn down(&self, began: Instant) -> bool {
        lock(&self.state).down(began, Instant::now())
    }

    /// The route took or judged a mail. Whether that is news.
    pub(super) fn up(&self) -> bool {
        let mut state = lock(&self.state);
        let is_news = state.failures > 0;
        (state.until, state.failures) = (None, 0);
        is_news
    }
}

impl State {
    fn wait(&self, now: Instant) -> Duration {
        match self.until {
            Some(until) if until > now => until - now,
            _ if self.is_tried => LOOK,
            _ => Duration::ZERO,
        }
    }

    fn down(&mut self, began: Instant, now: Instant) -> bool {
        if self.until.is_some_and(|until| began < until) {
            // Begun before the last pause ended: known already.
            return false;
        }
        let pause = Duration::from_secs(1 << self.failures.min(5)).min(LONGEST);
        self.failures += 1;
        self.until = Some(now + pause);
        self.failures == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let (mut state, mut now) = (State::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            state.down(now, now);
            let until = state.until.unwrap();
            pauses.push(until.duration_since(now).as_secs());
            now = until;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn ten_connections_that_fail_together_are_one_failure() {
        let (mut state, began) = (State::default(), Instant::now());
        let failed = began + Duration::from_millis(5);
        for _ in 0..10 {
            state.down(began, failed);
        }
        assert_eq!(state.until, Some(failed + Duration::from_secs(1)));
    }

    #[test]
    fn after_its_pause_one_at_a_time_tries_a_route() {
        let gate = Arc::new(Gate::default());
        assert!(matches!(gate.enter(), Some(Entry::Open)));
        assert!(gate.down(Instant::now()));
        assert!(gate.enter().is_none(), "its pause lasts");
        lock(&gate.state).until = Some(Instant::now());
        let Some(Entry::Trial(trial)) = gate.enter() else { panic!("nobody may try it") };
        assert!(gate.enter().is_none(), "somebody tries it");
        drop(trial);
        assert!(matches!(gate.enter(), Some(Entry::Trial(_))));
        assert!(gate.up());
        assert!(matches!(gate.enter(), Some(Entry::Open)));
    }
}
