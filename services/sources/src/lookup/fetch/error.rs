//! Why a file was not fetched: what and where.
//!
//! Invariant: no text holds anything of a body, or the query of an address.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use crate::lookup::address::one_line;

/// Longest address or reason that is said, in characters.
const LONGEST_SAID: usize = 200;

/// Why a file was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The client cannot be set up.
    #[error("cannot set up TLS for look-ups: {0}; check that the system has certificates (ca-certificates)")]
    Client(String),
    /// What was to be fetched is not an address.
    #[error("cannot fetch: that is not a web address")]
    NotAnAddress,
    /// We do not go there, now or later.
    #[error("cannot fetch {url}: {why}")]
    Refused {
        /// Where.
        url: String,
        /// Why not.
        why: Refusal,
    },
    /// No answer, or a broken one.
    #[error("cannot fetch {url}: {reason}")]
    Failed {
        /// Where.
        url: String,
        /// What happened.
        reason: String,
    },
    /// A redirect without a usable goal.
    #[error("cannot fetch {url}: it redirects to nowhere")]
    Location {
        /// Where.
        url: String,
    },
    /// A redirect too many.
    #[error("cannot fetch {url}: more than {max} redirects led there", max = super::MOST_REDIRECTS)]
    Redirects {
        /// Where it would have gone on.
        url: String,
    },
    /// A body over the limit.
    #[error("cannot fetch {url}: it has more than {limit} bytes")]
    TooLarge {
        /// Where.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// A packed body, which nobody asked for.
    #[error("cannot fetch {url}: the answer is packed, and only plain ones are taken")]
    Encoded {
        /// Where.
        url: String,
    },
    /// It took too long.
    #[error("cannot fetch {url}: it was not there after {} s", after.as_secs_f64())]
    Deadline {
        /// Where.
        url: String,
        /// The time there was.
        after: Duration,
    },
    /// Too many wait.
    #[error("cannot fetch {url} now: too many look-ups wait; ask again later")]
    Busy {
        /// Where.
        url: String,
    },
}

/// Why we do not go somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not https.
    #[error("only https is asked")]
    NotHttps,
    /// A name or password before the host.
    #[error("the address has a name or a password in it")]
    Password,
    /// An IP address in place of a name.
    #[error("it has an IP address in place of a name")]
    IpAddress,
    /// Another port.
    #[error("port {0} is not asked, only 443")]
    Port(u16),
    /// The name leads somewhere inside.
    #[error("its name leads to {0}, an address that is {1}")]
    Address(IpAddr, &'static str),
}

impl FetchError {
    /// Whether we refused, so that asking again changes nothing.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::NotAnAddress | Self::Redirects { .. } | Self::Location { .. } => true,
            Self::TooLarge { .. } | Self::Encoded { .. } => true,
            Self::Client(_) | Self::Failed { .. } | Self::Deadline { .. } | Self::Busy { .. } => false,
        }
    }
}

/// An address without its query and what stands before its host; a [`Url`] has no control characters.
pub(super) fn said(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let host = url.host_str().unwrap_or_default();
    one_line(&format!("{}://{host}{port}{}", url.scheme(), url.path()), LONGEST_SAID)
}

/// The last cause of an error, which says most. Those before it repeat the address.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    let said = match last.downcast_ref::<reqwest::Error>() {
        Some(_) if error.is_body() || error.is_decode() => "the answer broke off".to_owned(),
        Some(_) => "there was no answer".to_owned(),
        None => last.to_string(),
    };
    one_line(&said, LONGEST_SAID)
}
