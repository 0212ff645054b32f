//! Why the workers ended, or ended without being done.
//!
//! Decides the exit code a caller should end with; prints nothing. Invariant: whatever is said here, the rows are as
//! they were: the same command again goes on.

use app::AppError;

/// Why the workers did not do what was due.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A step that could not even be asked for.
    #[error(transparent)]
    App(#[from] AppError),
    /// Mail cannot be taken where the configuration says.
    #[error("cannot take mail by {place}: {fault}")]
    NoReceiver {
        /// Protocol and address, or the certificate.
        place: String,
        /// Why.
        fault: String,
    },
    /// Mail is due and nobody said where it leaves.
    #[error("{waiting} mails wait to be sent, and no mail route is set")]
    NoRoute {
        /// Mails that are due or will be.
        waiting: i64,
    },
    /// Nothing got out for a while: exit code 75.
    #[error(
        "no mail leaves through {route}: {fault}; {waiting} mails wait, none is lost and none of their tries is used up"
    )]
    RouteDown {
        /// The route without user and password.
        route: String,
        /// What happened last.
        fault: String,
        /// Mails that are due or will be.
        waiting: i64,
    },
    /// A step that fails again and again: exit code 75.
    #[error("{step} fails again and again: {fault}")]
    Stuck {
        /// Which step.
        step: &'static str,
        /// What happened last.
        fault: String,
        /// The next step, where it is not part of the fault.
        hint: Option<String>,
    },
    /// The time given is over: exit code 75.
    #[error("not idle after {seconds} s: {left}")]
    TimedOut {
        /// The time given.
        seconds: u64,
        /// What is still due.
        left: String,
    },
    /// A mailbox that could not be looked into; all else that was due is done: exit code 75.
    #[error("mail was not taken from {mailbox}: {fault}")]
    MailboxDown {
        /// Its name, and how many others.
        mailbox: String,
        /// What happened last.
        fault: String,
        /// The next step.
        hint: String,
    },
    /// A task of ours ended by a fault of the program.
    #[error("{task} ended unexpectedly: {fault}; what was under way is resumed from the rows")]
    Ended {
        /// Which task.
        task: &'static str,
        /// Its panic, or that it was cancelled.
        fault: String,
    },
}

impl WorkerError {
    /// The next step, where it is not part of the sentence.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::App(error) => error.hint(),
            Self::NoReceiver { .. } => Some("correct [receive] in the configuration, or stop whoever has the port"),
            Self::NoRoute { .. } => Some(
                "say where mail leaves with --smtp URL or FORTHRIGHT_SMTP_URL, for example --smtp smtp://localhost:25 \
                 or --smtp file:outbox",
            ),
            Self::RouteDown { .. } => Some(
                "start the mail server or correct --smtp, then run the same command again: it goes on where it stopped",
            ),
            Self::MailboxDown { hint, .. } => Some(hint),
            Self::Stuck { hint, .. } => hint.as_deref().or(Some("correct the cause, then run the same command again")),
            Self::TimedOut { .. } => Some("run the same command again, or give it longer with --timeout SECONDS"),
            Self::Ended { .. } => Some("run the same command again, and report this"),
        }
    }

    /// 1 failure, 2 usage, 4 refused by policy, 75 try again later.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::App(error) => error.exit_code(),
            Self::NoRoute { .. } => 2,
            Self::RouteDown { .. } | Self::MailboxDown { .. } | Self::Stuck { .. } | Self::TimedOut { .. } => 75,
            Self::NoReceiver { .. } | Self::Ended { .. } => 1,
        }
    }
}
