//! What went wrong with a mailbox, and the next step.
//!
//! Invariant: no sentence holds a password or words of a mail.

/// Of what kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImapFaultKind {
    /// No connection, or it was lost.
    Unreachable,
    /// TLS is not offered.
    NoTls,
    /// TLS is offered, and its certificate is not the right one.
    Tls,
    /// User and password are refused.
    Login,
    /// The folder cannot be opened.
    NoFolder,
    /// A command was refused; the conversation goes on.
    Refused,
    /// What the server says is no IMAP, or more than it may be.
    Protocol,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct ImapFault {
    /// Of what kind.
    pub kind: ImapFaultKind,
    /// In a sentence.
    what: String,
}

/// What a server said, as far as a line can show it.
const LONGEST: usize = 300;

impl ImapFault {
    pub(super) fn new(kind: ImapFaultKind, what: impl Into<String>) -> Self {
        let what: String = what.into();
        Self { kind, what: what.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect() }
    }

    /// The next step.
    pub fn hint(&self) -> &'static str {
        match self.kind {
            ImapFaultKind::Unreachable => "check that the server runs, and host, port and tls in [[receive.imap]]",
            ImapFaultKind::NoTls => "set tls to \"required\" and the port to 993, or switch STARTTLS on at the server",
            ImapFaultKind::Tls => {
                "correct host, or the server's certificate; a certificate of your own is named with pin = \"sha256:…\""
            }
            ImapFaultKind::Login => "correct user, or the password in password_file",
            ImapFaultKind::NoFolder => "correct folder, or make it at the server",
            ImapFaultKind::Refused => "look into the server's log: it refused to mark, move or hand over a message",
            ImapFaultKind::Protocol => "check that host and port are those of an IMAP server",
        }
    }
}

impl From<async_imap::error::Error> for ImapFault {
    fn from(error: async_imap::error::Error) -> Self {
        use async_imap::error::Error;
        match error {
            Error::No(said) | Error::Bad(said) => {
                Self::new(ImapFaultKind::Refused, format!("the server refused: {said}"))
            }
            Error::ConnectionLost => Self::new(ImapFaultKind::Unreachable, "the connection was lost"),
            Error::Io(error) if error.kind() == std::io::ErrorKind::Other => {
                // The library's own words repeat what it could not read, which is a mail's.
                Self::new(ImapFaultKind::Protocol, "the server said something that could not be read")
            }
            Error::Io(error) => Self::new(ImapFaultKind::Unreachable, format!("the connection was lost: {error}")),
            Error::Validate(_) => {
                Self::new(ImapFaultKind::Login, "user, password or folder has a character that IMAP cannot carry")
            }
            Error::Parse(_) | Error::Append => {
                Self::new(ImapFaultKind::Protocol, "the server said something that could not be read")
            }
            _ => Self::new(ImapFaultKind::Protocol, "the conversation failed"),
        }
    }
}
