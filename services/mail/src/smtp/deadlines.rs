//! How long each SMTP phase may take.
//!
//! Does not measure. Invariant: there is no wait in [`Connection`](super::Connection) without one of these limits.

use std::time::Duration;

use super::Phase;

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// A limit for each phase. The defaults are those of RFC 5321 4.5.3.2 where it names one. Too low: slow but working
/// servers (greylisting, content scanners at the final dot) are given up, and given up after the dot means uncertain.
/// Too high: a dead connection holds its lease and its place longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// TCP connection, for each address of the host; 30 s (the RFC names none).
    pub connect: Duration,
    /// The 220 greeting; 5 min (4.5.3.2.1).
    pub greeting: Duration,
    /// EHLO; 5 min.
    pub ehlo: Duration,
    /// STARTTLS and each TLS handshake; 2 min (the RFC names none).
    pub starttls: Duration,
    /// Each step of AUTH; 2 min (the RFC names none).
    pub auth: Duration,
    /// MAIL, and RSET before it; 5 min (4.5.3.2.2).
    pub mail: Duration,
    /// RCPT; 5 min (4.5.3.2.3).
    pub rcpt: Duration,
    /// DATA up to 354; 2 min (4.5.3.2.4).
    pub data: Duration,
    /// Each chunk of 64 kB of the message, until the system took it; 3 min (4.5.3.2.5).
    pub body: Duration,
    /// The reply to the final dot; 10 min (4.5.3.2.6): giving up early risks a second copy.
    pub dot: Duration,
    /// QUIT; 5 s: nothing depends on its reply.
    pub quit: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            ehlo: minutes(5),
            starttls: minutes(2),
            auth: minutes(2),
            mail: minutes(5),
            rcpt: minutes(5),
            data: minutes(2),
            body: minutes(3),
            dot: minutes(10),
            quit: Duration::from_secs(5),
        }
    }
}

impl Deadlines {
    /// The same limit for every phase.
    pub const fn all(limit: Duration) -> Self {
        Self {
            connect: limit,
            greeting: limit,
            ehlo: limit,
            starttls: limit,
            auth: limit,
            mail: limit,
            rcpt: limit,
            data: limit,
            body: limit,
            dot: limit,
            quit: limit,
        }
    }

    /// The limit of one phase.
    pub fn of(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Connect => self.connect,
            Phase::Greeting => self.greeting,
            Phase::Ehlo => self.ehlo,
            Phase::StartTls => self.starttls,
            Phase::Auth => self.auth,
            Phase::Mail | Phase::Reset => self.mail,
            Phase::Rcpt => self.rcpt,
            Phase::Data => self.data,
            Phase::Body => self.body,
            Phase::Dot => self.dot,
            Phase::Quit => self.quit,
        }
    }
}
