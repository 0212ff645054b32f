//! Receiving systems, by the domain of the address: a slow one does not take the connections of the others.
//!
//! Keeps no time between processes. Invariant: a system that is slow, or of which nothing is known, has a fifth of the
//! connections at most (one at least), so that its mails wait for each other and nobody else's do.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Parcel;
use crate::desk::lock;

/// A try that takes longer is slow.
const SLOW: Duration = Duration::from_secs(1);
/// So many quick tries in a row make a system quick.
const QUICK: u32 = 3;
/// Mails of one system that wait in memory; further ones go back for a while.
const WAITING: usize = 256;

/// All systems that are in use or known to be something.
pub(super) struct Systems {
    connections: usize,
    known: Mutex<HashMap<String, System>>,
}

#[derive(Default)]
struct System {
    /// When the tries that run began.
    running: Vec<Instant>,
    /// Quick tries since the last slow one.
    quick: u32,
    is_slow: bool,
    waiting: VecDeque<Parcel>,
}

/// What is to be done with a mail.
pub(super) enum Entry {
    /// It may be tried; with the moment that [`Systems::leave`] wants back.
    Go(Box<Parcel>, Instant),
    /// It waits behind others of its system, one of which takes it along.
    Waits,
    /// Too many wait already.
    Full(Box<Parcel>),
}

impl Systems {
    pub(super) fn new(connections: usize) -> Self {
        Self { connections, known: Mutex::default() }
    }

    /// A mail on its way to a connection.
    pub(super) fn enter(&self, parcel: Parcel) -> Entry {
        let now = Instant::now();
        let mut known = lock(&self.known);
        let system = known.entry(name(&parcel)).or_default();
        if system.running.len() < self.budget(system, now) {
            system.running.push(now);
            return Entry::Go(Box::new(parcel), now);
        }
        if system.waiting.len() >= WAITING {
            return Entry::Full(Box::new(parcel));
        }
        system.waiting.push_back(parcel);
        Entry::Waits
    }

    /// A mail that was let in at `began` is done: it was tried for so long, or not at all. The next of its system, if it
    /// may be tried now, and the moment for it.
    pub(super) fn leave(&self, name: &str, began: Instant, tried: Option<Duration>) -> Option<(Parcel, Instant)> {
        let now = Instant::now();
        let mut known = lock(&self.known);
        let system = known.get_mut(name)?;
        if let Some(index) = system.running.iter().position(|running| *running == began) {
            system.running.swap_remove(index);
        }
        match tried {
            Some(took) if took >= SLOW => (system.is_slow, system.quick) = (true, 0),
            Some(_) => {
                system.quick = system.quick.saturating_add(1);
                system.is_slow &= system.quick < QUICK;
            }
            None => {}
        }
        // One at least goes on while any waits: nobody else takes them along.
        if (system.running.is_empty() || system.running.len() < self.budget(system, now))
            && let Some(next) = system.waiting.pop_front()
        {
            system.running.push(now);
            return Some((next, now));
        }
        if system.running.is_empty() && !system.is_slow && system.quick < QUICK {
            known.remove(name);
        }
        None
    }

    fn budget(&self, system: &System, now: Instant) -> usize {
        let hangs = system.running.iter().any(|began| now.duration_since(*began) >= SLOW);
        if system.quick >= QUICK && !system.is_slow && !hangs {
            self.connections
        } else {
            (self.connections / 5).max(1)
        }
    }
}

/// What a system is called here.
pub(super) fn name(parcel: &Parcel) -> String {
    domain(&parcel.letterbox.mail.address)
}

/// The domain of an address.
pub(super) fn domain(address: &str) -> String {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain).to_ascii_lowercase()
}
