//! Where a mailbox is and who may look into it.
//!
//! Invariant: a password is never printed.

use std::fmt;

use crate::route::Pin;

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// With the connection.
    Required,
    /// By STARTTLS, before anything else is said; never without.
    StartTls,
    /// Never: for this host alone.
    None,
}

/// A password. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    pub(super) fn shown(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// One folder of one account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// When TLS begins.
    pub security: Security,
    /// The only certificates that are taken; none = any that is valid for the host.
    pub pins: Vec<Pin>,
    /// The name of the account.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// Where mail comes in.
    pub folder: String,
}
