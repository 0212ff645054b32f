//! The pause of a whole route that is down: 1 s, 2 s, 4 s … 30 s.
//!
//! Judges no fault. Invariant: many connections that fail at the same moment are one failure.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::desk::lock;

const LONGEST: Duration = Duration::from_secs(30);

/// Closed while the route is down.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    until: Option<Instant>,
    failures: u32,
}

impl Gate {
    /// Waits until the route may be tried.
    pub(super) async fn opened(&self) {
        loop {
            let until = lock(&self.state).until;
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until.into()).await,
                _ => return,
            }
        }
    }

    /// A try that began at `began` found the route down.
    pub(super) fn down(&self, began: Instant) {
        lock(&self.state).down(began, Instant::now());
    }

    /// The route took or judged a mail.
    pub(super) fn up(&self) {
        *lock(&self.state) = State::default();
    }
}

impl State {
    fn down(&mut self, began: Instant, now: Instant) {
        if self.until.is_some_and(|until| began < until) {
            // Begun before the last pause ended: known already.
            return;
        }
        let pause = Duration::from_secs(1 << self.failures.min(5)).min(LONGEST);
        self.failures += 1;
        self.until = Some(now + pause);
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
}
