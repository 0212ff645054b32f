//! Pace: no wave sends more mails in a second than it may.
//!
//! Knows of this process only. Invariant: the starts of two mails of a wave lie at least a slot apart, so that no
//! window of one second, wherever it begins, holds more than the pace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::desk::lock;

/// A slot is this much longer than a second divided by the pace, in percent: what the network and a commit shift by
/// up to 50 ms does not push one mail too many into a second.
const MARGIN_PERCENT: u64 = 5;

/// The slots of all waves that have a pace.
#[derive(Default)]
pub(super) struct Pacer {
    waves: Mutex<HashMap<String, Wave>>,
}

#[derive(Default)]
struct Wave {
    slots: Slots,
    /// Places given out and not yet taken or dropped.
    held: i64,
}

impl Pacer {
    /// A place in a wave that may send `pace` mails a second; `None` while as many as a second takes are waiting.
    pub(super) fn admit(self: &Arc<Self>, wave: &str, pace: i64) -> Option<Place> {
        let pace = pace.max(1);
        let mut waves = lock(&self.waves);
        let there = waves.entry(wave.to_owned()).or_default();
        if there.held >= pace {
            return None;
        }
        there.held += 1;
        Some(Place { pacer: Arc::clone(self), wave: wave.to_owned(), pace })
    }

    fn take(&self, wave: &str, pace: i64, now: Instant) -> Instant {
        lock(&self.waves).entry(wave.to_owned()).or_default().slots.take(now, slot(pace))
    }

    fn release(&self, wave: &str) {
        if let Some(wave) = lock(&self.waves).get_mut(wave) {
            wave.held -= 1;
        }
    }
}

/// The right of one mail to a slot; given back when dropped.
pub(super) struct Place {
    pacer: Arc<Pacer>,
    wave: String,
    pace: i64,
}

impl Place {
    /// Waits for the next free slot and takes it.
    pub(super) async fn turn(self) {
        let at = self.pacer.take(&self.wave, self.pace, Instant::now());
        tokio::time::sleep_until(at.into()).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pacer.release(&self.wave);
    }
}

/// The length of a slot.
fn slot(pace: i64) -> Duration {
    let nanos = 1_000_000_000 * (100 + MARGIN_PERCENT) / 100;
    Duration::from_nanos(nanos.div_ceil(u64::try_from(pace.max(1)).unwrap_or(1)))
}

/// When the next mail may start.
#[derive(Default)]
struct Slots {
    next: Option<Instant>,
}

impl Slots {
    /// The start for a mail that is ready at `now`. Slots that nobody took are gone.
    fn take(&mut self, now: Instant, slot: Duration) -> Instant {
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = Some(at + slot);
        at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_window_of_a_second_holds_more_than_the_pace(
            pace in 1_i64..200,
            gaps in proptest::collection::vec(0_u64..2_000_000_000, 1..400),
            hurry in 1_u64..10_000,
        ) {
            let mut slots = Slots::default();
            let mut now = Instant::now();
            let mut starts: Vec<Instant> = Vec::new();
            for gap in gaps {
                // Bursts and silences: most gaps are short.
                now += Duration::from_nanos(if gap % 7 == 0 { gap } else { gap / hurry });
                starts.push(slots.take(now, slot(pace)));
            }
            let pace = usize::try_from(pace).unwrap();
            for pair in starts.windows(pace + 1) {
                prop_assert!(pair[pace].duration_since(pair[0]) > Duration::from_secs(1));
            }
        }

        #[test]
        fn a_mail_that_is_late_starts_at_once(pace in 1_i64..200, idle in 2_u64..100) {
            let (mut slots, start) = (Slots::default(), Instant::now());
            slots.take(start, slot(pace));
            let later = start + Duration::from_secs(idle);
            prop_assert_eq!(slots.take(later, slot(pace)), later);
        }
    }

    #[test]
    fn a_wave_holds_as_many_as_a_second_takes_and_no_more() {
        let pacer = Arc::new(Pacer::default());
        let places: Vec<_> = (0..3).map(|_| pacer.admit("wav_1", 3)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(pacer.admit("wav_1", 3).is_none());
        assert!(pacer.admit("wav_2", 3).is_some(), "another wave has slots of its own");
        drop(places);
        assert!(pacer.admit("wav_1", 3).is_some(), "a dropped place is free again");
    }
}
