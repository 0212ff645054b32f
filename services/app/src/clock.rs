//! The only place that reads the clock and draws ids.
//!
//! Invariant: rules see the moved clock of a rehearsal; leases, deadlines and pace see the real one.

use std::sync::{Mutex, PoisonError};

use model::time::Timestamp;
use ulid::{Generator, Ulid};

/// What time it is.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    offset_micros: i64,
}

impl Clock {
    /// A clock that starts at `start` and runs on; `None` = the real one.
    pub fn starting_at(start: Option<Timestamp>) -> Self {
        let offset_micros = start.map_or(0, |start| start.micros() - real_micros());
        Self { offset_micros }
    }

    /// The store's time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(real_micros() + self.offset_micros)
    }

    /// Real time, whatever the rehearsal says.
    pub fn real(&self) -> Timestamp {
        Timestamp::from_micros(real_micros())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where everybody else gets the time from")]
fn real_micros() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// A new id such as `ntc_01jq…`: a prefix and a lower-case ULID.
pub fn new_id(prefix: &str) -> String {
    format!("{prefix}_{}", new_ulid().to_ascii_lowercase())
}

/// A new ULID, upper case as apalis wants it. Within a process each is greater than the one before, so that what is
/// made in order sorts in order.
#[expect(clippy::disallowed_methods, reason = "this is where everybody else gets ids from")]
pub fn new_ulid() -> String {
    static GENERATOR: Mutex<Generator> = Mutex::new(Generator::new());
    let mut generator = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    // Only after 2^80 ids in one millisecond is there none left; a fresh random one is as good.
    generator.generate().unwrap_or_else(|_| Ulid::generate()).to_string()
}

/// A number that was never drawn before, as far as chance can tell.
pub(crate) fn new_stamp() -> i64 {
    new_ulid().bytes().rev().take(12).fold(0, |sum: i64, byte| sum.wrapping_mul(37).wrapping_add(i64::from(byte)))
}
