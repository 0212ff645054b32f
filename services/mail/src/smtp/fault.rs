//! What can go wrong between us and a server, in the one form that the sender decides by.
//!
//! Does not decide (deferred, bounced or uncertain is `app`'s). Invariant: `past_dot` is false only where the final
//! dot cannot have left this host.

use std::fmt;

use crate::reply::{Malformed, Reply};

/// The step of the conversation, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Look-up of the host, TCP connection.
    Connect,
    /// Waiting for 220.
    Greeting,
    /// EHLO.
    Ehlo,
    /// STARTTLS and the TLS handshake, of `smtps://` too.
    StartTls,
    /// AUTH.
    Auth,
    /// RSET after a refusal.
    Reset,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA up to 354.
    Data,
    /// The message, before any byte of the write that holds the final dot.
    Body,
    /// The final dot and its reply.
    Dot,
    /// QUIT.
    Quit,
}

impl Phase {
    /// A short stable name, as stored with attempts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::Reset => "reset",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Body => "body",
            Self::Dot => "dot",
            Self::Quit => "quit",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The server said no. Definite in every phase, after the dot too.
    Refused {
        /// 5xx; false is 4xx, to be tried again.
        permanent: bool,
    },
    /// The connection could not be made, or broke.
    Lost,
    /// A phase took longer than its deadline.
    TimedOut,
    /// The server said something that is no answer to what was asked.
    Protocol,
    /// No encryption where it is required, or a handshake that failed.
    Tls,
    /// We refuse: this message cannot go to this server (an address that SMTP cannot express, a size over the
    /// server's limit, characters it does not take). Definite, and nothing was sent; trying again does not help.
    Unsendable,
}

/// Why a phase did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub phase: Phase,
    /// What.
    pub kind: FaultKind,
    /// The server's words, where it said something readable.
    pub reply: Option<Reply>,
    /// Whether a byte of the write that holds the final dot may have left. With any kind but `Refused`, only then may
    /// the server have the message: the delivery is uncertain.
    pub past_dot: bool,
    /// Whether this concerns the route (server down, wrong password, TLS, 421) and not the message.
    pub route_down: bool,
    /// What is known beyond that: a part of the sentence that [`fmt::Display`] prints.
    pub detail: String,
}

impl Fault {
    pub(super) fn new(phase: Phase, kind: FaultKind, detail: impl Into<String>) -> Self {
        let route_down = phase <= Phase::Auth;
        Self { phase, kind, reply: None, past_dot: false, route_down, detail: detail.into() }
    }

    pub(super) fn refused(phase: Phase, reply: Reply) -> Self {
        // 530 and 538 ask for AUTH or TLS: about every message on this route, not about this one.
        let route_down = phase <= Phase::Auth || matches!(reply.code, 421 | 530 | 538);
        Self {
            phase,
            kind: FaultKind::Refused { permanent: reply.code >= 500 },
            reply: Some(reply),
            past_dot: phase == Phase::Dot,
            route_down,
            detail: String::new(),
        }
    }

    pub(super) fn timed_out(phase: Phase, limit: std::time::Duration) -> Self {
        Self::new(phase, FaultKind::TimedOut, format!("no progress within {limit:?}"))
    }

    pub(super) fn lost(phase: Phase, error: &std::io::Error) -> Self {
        Self::new(phase, FaultKind::Lost, error.to_string())
    }

    pub(super) fn malformed(phase: Phase, what: &Malformed) -> Self {
        Self::new(phase, FaultKind::Protocol, format!("the server sent {what}"))
    }

    pub(super) fn unexpected(phase: Phase, reply: Reply) -> Self {
        let detail = format!("`{reply}` is no answer to this step");
        Self { reply: Some(reply), ..Self::new(phase, FaultKind::Protocol, detail) }
    }

    pub(super) fn after_dot(self) -> Self {
        Self { past_dot: true, ..self }
    }

    pub(super) fn of_route(self) -> Self {
        Self { route_down: true, ..self }
    }
}

impl fmt::Display for Fault {
    /// One sentence: step, what happened, the server's words, and what that leaves open.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = self.phase;
        match (self.kind, &self.reply) {
            (FaultKind::Refused { permanent }, Some(reply)) => {
                let word = if permanent { "refused" } else { "put off" };
                return write!(f, "{word} by the server at {phase}: {reply}");
            }
            (FaultKind::Refused { .. }, None) => write!(f, "refused by the server at {phase}")?,
            (FaultKind::Lost, _) => write!(f, "connection lost at {phase}: {}", self.detail)?,
            (FaultKind::TimedOut, _) => write!(f, "timed out at {phase}: {}", self.detail)?,
            (FaultKind::Protocol, _) => write!(f, "not understood at {phase}: {}", self.detail)?,
            (FaultKind::Tls, _) => write!(f, "no encryption at {phase}: {}", self.detail)?,
            (FaultKind::Unsendable, _) => write!(f, "not sent ({phase}): {}", self.detail)?,
        }
        if self.past_dot { f.write_str("; whether the server has the message is not known") } else { Ok(()) }
    }
}

impl std::error::Error for Fault {}
