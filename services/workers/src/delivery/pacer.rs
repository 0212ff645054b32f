//! The pace of waves: no second in which more leave than it says, and hardly fewer.
//!
//! Knows of this process only; what hosts share is given out by `limited`, evenly, and cannot know how long answers take.
//! Invariant: a mail can be answered at the earliest a second after the one that is a pace
//! before it was, as long as answers come within [`ANSWER`]; so no window of one second, wherever it begins, sees more
//! answers than the pace.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::desk::lock;

const SECOND: Duration = Duration::from_millis(1_001);
/// The answer to a mail is waited for no longer than this before its second begins: a server that stalls on one mail must
/// not hold up those of the next second for long.
const ANSWER: Duration = Duration::from_millis(250);
/// Of so many mails the quickest answer is what the next mail will take at least. Before there are so many, nothing is.
const ANSWERS: usize = 64;
/// Starts lie this much further apart than a second divided by the pace, in thousandths.
const MARGIN: u64 = 5;
/// A start that came late is made up for, if it was no later than this: the window is kept by the answers.
const LATE: Duration = Duration::from_millis(20);

/// Waves and receiving systems that are remembered before those are forgotten that had no start lately.
const MANY: usize = 1_000;

/// The starts of all waves, and of their receiving systems, that have a pace.
#[derive(Default)]
pub(super) struct Pacer {
    waves: Mutex<HashMap<String, Wave>>,
}

#[derive(Default)]
struct Wave {
    starts: Starts,
    /// One mail at a time waits for its start, so that each sees what became of those before.
    turnstile: Arc<tokio::sync::Mutex<()>>,
}

impl Wave {
    /// Whether what was started lately says anything about the next start.
    fn is_in_use(&self, now: Instant) -> bool {
        // Whoever waits for a start holds the turnstile.
        Arc::strong_count(&self.turnstile) > 1
            || self.starts.last.back().is_some_and(|last| last.answered.is_none() || now < last.at + SECOND * 2)
    }
}

impl Pacer {
    /// A place in a wave that may send `pace` mails a second.
    pub(super) fn place(self: &Arc<Self>, wave: &str, pace: i64) -> Place {
        let mut waves = lock(&self.waves);
        if waves.len() >= MANY && !waves.contains_key(wave) {
            let now = Instant::now();
            waves.retain(|_, wave| wave.is_in_use(now));
        }
        waves.entry(wave.to_owned()).or_default();
        drop(waves);
        Place { pacer: Arc::clone(self), wave: wave.to_owned(), pace: pace.max(1) }
    }

    fn with<T>(&self, wave: &str, act: impl FnOnce(&mut Wave) -> T) -> T {
        act(lock(&self.waves).entry(wave.to_owned()).or_default())
    }
}

/// The right of one mail to a start.
pub(super) struct Place {
    pacer: Arc<Pacer>,
    wave: String,
    pace: i64,
}

impl Place {
    /// Waits for the next start and takes it. The mail is answered when what this returns is dropped.
    pub(super) async fn turn(self) -> Running {
        let turnstile = self.pacer.with(&self.wave, |wave| Arc::clone(&wave.turnstile));
        let _alone = turnstile.lock().await;
        let at = loop {
            match self.pacer.with(&self.wave, |wave| wave.starts.next(Instant::now(), self.pace)) {
                Next::At(at) => break at,
                Next::LookAgain(at) => tokio::time::sleep_until(at.into()).await,
            }
        };
        tokio::time::sleep_until(at.into()).await;
        let number = self.pacer.with(&self.wave, |wave| wave.starts.start(at, Instant::now(), self.pace));
        Running { pacer: Arc::clone(&self.pacer), wave: self.wave.clone(), number }
    }
}

/// A mail of a wave with a pace, from its start to its answer.
pub(super) struct Running {
    pacer: Arc<Pacer>,
    wave: String,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.pacer.with(&self.wave, |wave| wave.starts.answered(self.number, Instant::now()));
    }
}

/// When the mails of about the last second started and were answered.
#[derive(Default)]
struct Starts {
    /// The earliest next start by the distance alone.
    next: Option<Instant>,
    last: VecDeque<Start>,
    /// How many were taken out of `last` at its front.
    gone: u64,
    /// How long the last answers took.
    took: VecDeque<Duration>,
}

/// What is known of the next start.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    At(Instant),
    /// It depends on an answer that has not come; not before this.
    LookAgain(Instant),
}

struct Start {
    at: Instant,
    answered: Option<Instant>,
}

impl Starts {
    /// The start for a mail that is ready at `now`.
    fn next(&self, now: Instant, pace: i64) -> Next {
        let by_distance = self.next.map_or(now, |next| next.max(now - LATE)).max(now);
        let before = self.last.len().checked_sub(usize::try_from(pace).unwrap_or(usize::MAX));
        let Some(start) = before.and_then(|index| self.last.get(index)) else { return Next::At(by_distance) };
        let after = |answered: Instant| answered.min(start.at + ANSWER) + SECOND - self.at_least();
        match start.answered {
            Some(answered) => Next::At(after(answered).max(by_distance)),
            // Until its second is over the answer will have come, most likely.
            None if now < after(start.at) => Next::LookAgain(after(start.at)),
            None => Next::At(after(start.at + ANSWER).max(by_distance)),
        }
    }

    /// Notes a start that was planned for `planned`; its number.
    fn start(&mut self, planned: Instant, now: Instant, pace: i64) -> u64 {
        let base = self.next.map_or(planned, |next| next.max(planned - LATE));
        self.next = Some(base + distance(pace));
        self.last.push_back(Start { at: now, answered: None });
        // A wave whose pace was raised looks further back than before; one whose pace was lowered keeps more than it needs.
        while self.last.len() > usize::try_from(pace).unwrap_or(usize::MAX).max(1) {
            self.last.pop_front();
            self.gone += 1;
        }
        self.gone + self.last.len() as u64 - 1
    }

    fn answered(&mut self, number: u64, now: Instant) {
        let index = number.checked_sub(self.gone).and_then(|index| usize::try_from(index).ok());
        let Some(start) = index.and_then(|index| self.last.get_mut(index)) else { return };
        start.answered = Some(now);
        self.took.push_back(now.duration_since(start.at));
        if self.took.len() > ANSWERS {
            self.took.pop_front();
        }
    }

    /// What an answer takes at least, as far as is known: where all take about as long, waiting for them costs nothing.
    fn at_least(&self) -> Duration {
        let quickest = self.took.iter().min().filter(|_| self.took.len() >= ANSWERS);
        // The next one may be a little quicker still.
        quickest.map_or(Duration::ZERO, |quickest| *quickest * 3 / 4)
    }
}

/// Between two starts.
fn distance(pace: i64) -> Duration {
    let nanos = 1_000_000_000 * (1_000 + MARGIN) / 1_000;
    Duration::from_nanos(nanos.div_ceil(u64::try_from(pace.max(1)).unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays mails that are ready after these gaps and answered after these times, the first ones at once; the answers.
    fn play(pace: i64, mails: &[(Duration, Duration)]) -> Vec<Instant> {
        let (mut starts, mut now) = (Starts::default(), Instant::now() + Duration::from_secs(1));
        let mut open: Vec<(u64, Instant)> = Vec::new();
        let mut answers = Vec::new();
        for (gap, answer) in mails {
            now += *gap;
            let at = loop {
                // Answers that have come by now are known.
                open.retain(|(number, at)| {
                    if *at <= now {
                        starts.answered(*number, *at);
                    }
                    *at > now
                });
                match starts.next(now, pace) {
                    Next::At(at) => break at,
                    Next::LookAgain(at) => now = at,
                }
            };
            now = at;
            let number = starts.start(at, now, pace);
            open.push((number, at + *answer));
            answers.push(at + *answer);
        }
        answers
    }

    proptest! {
        #[test]
        fn no_window_of_a_second_sees_more_answers_than_the_pace(
            pace in 1_i64..200,
            mails in proptest::collection::vec((0_u64..2_000_000_000, 60_000_000_u64..80_000_000), 1..400),
            hurry in 1_u64..10_000,
        ) {
            // Bursts and silences: most gaps are short.
            let mails: Vec<_> = mails
                .into_iter()
                .map(|(gap, answer)| (if gap % 7 == 0 { gap } else { gap / hurry }, answer))
                .map(|(gap, answer)| (Duration::from_nanos(gap), Duration::from_nanos(answer)))
                .collect();
            let mut answers = play(pace, &mails);
            answers.sort();
            let pace = usize::try_from(pace).unwrap();
            for pair in answers.windows(pace + 1) {
                prop_assert!(pair[pace].duration_since(pair[0]) > Duration::from_secs(1));
            }
        }

        #[test]
        fn mails_without_end_leave_at_hardly_less_than_the_pace(pace in 1_i64..500, answer in 0_u64..10_000) {
            let count = usize::try_from(pace * 6).unwrap();
            let answers = play(pace, &vec![(Duration::ZERO, Duration::from_micros(answer)); count]);
            let seconds = answers.last().unwrap().duration_since(answers[0]).as_secs_f64();
            let rate = (count - 1) as f64 / seconds;
            let share = rate / pace as f64;
            prop_assert!((0.98..=1.0).contains(&share), "{share}");
        }

        #[test]
        fn a_mail_that_is_late_starts_at_once(pace in 1_i64..200, idle in 2_u64..100) {
            let (mut starts, begin) = (Starts::default(), Instant::now());
            starts.start(begin, begin, pace);
            let later = begin + Duration::from_secs(idle);
            prop_assert_eq!(starts.next(later, pace), Next::At(later));
        }
    }
}
