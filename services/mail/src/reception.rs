//! The other side of SMTP and LMTP: a connection on which mail comes in (RFC 5321, RFC 2033).
//!
//! Stores nothing (a [`Keeper`] does), relays nothing, and knows no token: whose mail it is, is asked later. Invariant:
//! a mail is acknowledged only after the keeper said that it is durable, and nothing but CR LF . CR LF ends a message,
//! so that no message hides another one (SMTP smuggling).

mod addresses;
mod letter;
mod session;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

pub use addresses::Addresses;
pub use session::converse;
pub use tls::{Tls, TlsError};

/// Which of the two protocols a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// From other mail servers.
    Smtp,
    /// From a mail server of our own, which answers for its peers: one reply a recipient after the dot.
    Lmtp,
}

impl Protocol {
    /// The name in tables and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
        }
    }
}

/// One mail, as it stands at the final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// How it came.
    pub protocol: Protocol,
    /// Who is connected.
    pub peer: IpAddr,
    /// What they called themselves.
    pub hello: String,
    /// The envelope's sender; empty = the null sender of reports.
    pub from: String,
    /// The envelope's recipients, each of them ours; at least one.
    pub to: Vec<String>,
    /// The message, without dot stuffing; line ends as they came.
    pub data: Vec<u8>,
}

/// Why a mail is not stored; the sender keeps it and comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// No room.
    Full,
    /// Any other reason, which may pass.
    Later,
}

/// Who makes mails durable.
pub trait Keeper: Send + Sync {
    /// Returns `Ok` once the mail outlives this process and this machine's power.
    fn keep(&self, mail: Arrived) -> impl Future<Output = Result<(), NotKept>> + Send;
}

/// A stream to the other side, encrypted or not.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// What one connection may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest message, in bytes.
    pub message: usize,
    /// Recipients of one message; the sender brings the others in a further transaction (RFC 5321 4.5.3.1.10).
    pub recipients: usize,
    /// The wait for a command, for a TLS handshake, and for each part of a message.
    pub idle: Duration,
    /// The wait for a whole message.
    pub message_time: Duration,
    /// The wait for the keeper: less than any sender's wait for the reply to the dot.
    pub keeping: Duration,
    /// Commands that were refused before the connection ends.
    pub mistakes: usize,
}

impl Limits {
    /// For messages of this size and a wait for each step.
    pub fn new(message: usize, idle: Duration) -> Self {
        Self {
            message,
            recipients: 20,
            idle,
            message_time: Duration::from_secs(600),
            keeping: Duration::from_secs(120),
            mistakes: 20,
        }
    }
}

/// Messages up to this size need no place among the large ones.
const SMALL: usize = 256 * 1024;
/// Larger messages that are held in memory at a time; the others wait where they are.
const LARGE_AT_A_TIME: usize = 4;

/// What all connections of a process share.
#[derive(Debug)]
pub struct House {
    /// The name in greetings.
    pub name: String,
    /// Whom mail is taken for.
    pub addresses: Addresses,
    /// STARTTLS, if it is offered.
    pub tls: Option<Tls>,
    large: Semaphore,
}

impl House {
    /// A house of that name.
    pub fn new(name: String, addresses: Addresses, tls: Option<Tls>) -> Self {
        Self { name, addresses, tls, large: Semaphore::new(LARGE_AT_A_TIME) }
    }
}

/// What one connection is told from outside.
#[derive(Debug)]
pub struct Call<'a> {
    /// Shared by all.
    pub house: &'a House,
    /// Of this port.
    pub protocol: Protocol,
    /// Who is connected.
    pub peer: IpAddr,
    /// What it may cost.
    pub limits: Limits,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By QUIT.
    Quit,
    /// The other side went away.
    Gone,
    /// It was too slow.
    Idle,
    /// It broke the rules too often.
    ShownOut,
    /// We stop.
    Stopping,
}
