//! What the server offers, and what it does to a recipient.
//!
//! Only values; the conversation gives them effect.

use std::time::Duration;

/// What the server offers and how fast it speaks.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// The extensions in the reply to EHLO, one each; none at all is an old server.
    pub extensions: Vec<&'static str>,
    /// How long it thinks before each reply.
    pub delay: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let extensions = vec!["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 52428800"];
        Options { port: 0, extensions, delay: Duration::ZERO }
    }
}

impl Options {
    /// The same server without one extension (`PIPELINING`, say).
    pub fn without(mut self, extension: &str) -> Options {
        self.extensions.retain(|offered| offered.split(' ').next() != Some(extension));
        self
    }
}

/// A point in the transaction of one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// At the reply to `RCPT TO`.
    Rcpt,
    /// At the reply to `DATA`.
    Data,
    /// The message is on its way and its final dot was not read; only dropping and stalling make sense here.
    BeforeDot,
    /// At the reply to the final dot: everything was read and nothing kept.
    Dot,
    /// At the reply to the final dot: everything was read and the message kept, but the sender cannot know.
    AfterDot,
}

/// What happens at one attempt for one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// 250.
    #[default]
    Accept,
    /// A 451 at this point.
    Transient(Phase),
    /// A 550 at this point.
    Permanent(Phase),
    /// This reply at this point.
    Reply(Phase, &'static str),
    /// The connection is cut at this point, without a reply.
    DropAt(Phase),
    /// Silence at this point, then as if nothing had been.
    Stall(Phase, Duration),
    /// A reply that is none, at this point.
    Garbage(Phase),
    /// A reply of a megabyte, at this point: lines of 250 that never come to an end, and then the connection is cut.
    Flood(Phase),
}

impl Behaviour {
    /// A script: refused for now that many times, at this point.
    pub fn transient_times(phase: Phase, times: usize) -> Vec<Behaviour> {
        vec![Behaviour::Transient(phase); times]
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        match self {
            Behaviour::Accept => None,
            Behaviour::Transient(phase)
            | Behaviour::Permanent(phase)
            | Behaviour::Reply(phase, _)
            | Behaviour::DropAt(phase)
            | Behaviour::Stall(phase, _)
            | Behaviour::Garbage(phase)
            | Behaviour::Flood(phase) => Some(*phase),
        }
    }
}
