//! How fast strangers' servers are asked: so many requests a second in all, one at a time for a host.
//!
//! Does not send. Invariant: nobody waits longer than the limit, and what is remembered is bounded by who waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Hosts that are remembered before those that nobody waits for are forgotten.
const MANY_HOSTS: usize = 256;

/// A pace that all copies share.
#[derive(Debug, Clone)]
pub struct Pace {
    between: Duration,
    longest_wait: Duration,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The next request may begin then.
    next: Option<Instant>,
    /// A permit each: the host's one request.
    hosts: HashMap<String, Arc<Semaphore>>,
}

/// The turn of one request: its host is asked by nobody else until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _host: OwnedSemaphorePermit,
}

/// The wait for a turn would have been, or was, too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Pace {
    /// At most `a_second` requests a second (at least one), evenly spread; nobody waits longer than `longest_wait`.
    pub fn new(a_second: u32, longest_wait: Duration) -> Self {
        Self { between: Duration::from_secs(1) / a_second.max(1), longest_wait, shared: Arc::default() }
    }

    /// Waits for the turn of a request to `host`.
    pub(crate) async fn turn(&self, host: &str) -> Result<Turn, TooLong> {
        let began = Instant::now();
        let acquire = tokio::time::timeout(self.longest_wait, self.host(host).acquire_owned());
        // A semaphore of ours is never closed.
        let permit = acquire.await.map_err(|_| TooLong)?.map_err(|_| TooLong)?;
        let at = self.reserve(began + self.longest_wait)?;
        tokio::time::sleep_until(at).await;
        Ok(Turn { _host: permit })
    }

    fn host(&self, host: &str) -> Arc<Semaphore> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.hosts.len() >= MANY_HOSTS {
            shared.hosts.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        Arc::clone(shared.hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }

    /// Takes the next free moment, unless it comes after `latest`.
    fn reserve(&self, latest: Instant) -> Result<Instant, TooLong> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let at = shared.next.map_or_else(Instant::now, |next| next.max(Instant::now()));
        if at > latest {
            return Err(TooLong);
        }
        shared.next = Some(at + self.between);
        Ok(at)
    }
}

impl Default for Pace {
    /// Two requests a second, a minute's wait.
    fn default() -> Self {
        Self::new(2, Duration::from_secs(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_spread_evenly() {
        let pace = Pace::new(4, Duration::from_secs(60));
        let began = Instant::now();
        for number in 0..9 {
            pace.turn(&format!("h{number}.example")).await.unwrap();
        }
        assert_eq!(began.elapsed().as_millis(), 2_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_asked_one_at_a_time() {
        let pace = Pace::new(1_000, Duration::from_secs(60));
        let began = Instant::now();
        let first = pace.turn("acme.example").await.unwrap();
        let second = tokio::spawn({
            let pace = pace.clone();
            async move { pace.turn("acme.example").await.map(drop) }
        });
        pace.turn("other.example").await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        drop(first);
        second.await.unwrap().unwrap();
        assert!(began.elapsed() >= Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_the_limit() {
        let pace = Pace::new(1, Duration::from_secs(2));
        let held = pace.turn("acme.example").await.unwrap();
        assert_eq!(pace.turn("acme.example").await.err(), Some(TooLong));
        drop(held);
        let turns = (0..9).map(|number| {
            let pace = pace.clone();
            tokio::spawn(async move { pace.turn(&format!("h{number}.example")).await.is_ok() })
        });
        let mut had = 0;
        for turn in turns.collect::<Vec<_>>() {
            had += usize::from(turn.await.unwrap());
        }
        assert_eq!(had, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_that_nobody_waits_for_are_forgotten() {
        let pace = Pace::new(10_000, Duration::from_secs(60));
        for number in 0..3 * MANY_HOSTS {
            pace.turn(&format!("h{number}.example")).await.unwrap();
        }
        assert!(pace.shared.lock().unwrap().hosts.len() <= MANY_HOSTS);
    }
}
