//! One error type for all verbs: what went wrong, and the next step.
//!
//! Decides the exit code a caller should end with; prints nothing.

use store::StoreError;

/// Why a verb did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that was to be read.
    #[error(transparent)]
    Source(#[from] sources::SourceError),
    /// A container that was to be looked through.
    #[cfg(feature = "object-store")]
    #[error(transparent)]
    Scan(#[from] sources::scan::ScanError),
    /// A letter that could not be written.
    #[error(transparent)]
    Template(#[from] mail::templates::TemplateError),
    /// The table of obligations.
    #[error(transparent)]
    Law(#[from] &'static model::law::LawError),
    /// A mail that could not be put together.
    #[error(transparent)]
    Compose(#[from] mail::message::ComposeError),
    /// A mail that cannot be signed, or a key that cannot be used.
    #[error(transparent)]
    Dkim(#[from] mail::dkim::DkimError),
    /// Something that was named is not there.
    #[error("{what}")]
    Missing {
        /// What.
        what: String,
        /// The next step.
        hint: String,
    },
    /// Input that cannot be used.
    #[error("{what}")]
    Bad {
        /// What, and where.
        what: String,
        /// The next step.
        hint: String,
    },
    /// Policy says no: exit code 4.
    #[error("{what}")]
    Refused {
        /// What, and why.
        what: String,
        /// The next step.
        hint: String,
    },
    /// Not now: exit code 75.
    #[error("{what}")]
    Later {
        /// What, and why.
        what: String,
        /// The next step.
        hint: String,
    },
    /// The master key or an incident's key.
    #[error("{what}")]
    Key {
        /// What.
        what: String,
        /// The next step.
        hint: String,
    },
    /// A stored JSON text that this program does not understand.
    #[error("the store holds a {column} that this program does not understand: {source}")]
    Stored {
        /// Where.
        column: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

impl AppError {
    pub(crate) fn missing(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Missing { what: what.into(), hint: hint.into() }
    }

    pub(crate) fn bad(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Bad { what: what.into(), hint: hint.into() }
    }

    pub(crate) fn refused(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), hint: hint.into() }
    }

    pub(crate) fn stored(column: &'static str) -> impl Fn(serde_json::Error) -> Self {
        move |source| Self::Stored { column, source }
    }

    /// Whether it is about what a row holds, and not about the database: the other rows can go on.
    pub(crate) fn is_about_one_row(&self) -> bool {
        !matches!(self, Self::Store(store) if !matches!(store, StoreError::Refused(_) | StoreError::Unknown { .. }))
    }

    /// The next step, where it is not part of the sentence.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Missing { hint, .. }
            | Self::Bad { hint, .. }
            | Self::Refused { hint, .. }
            | Self::Later { hint, .. }
            | Self::Key { hint, .. } => Some(hint),
            #[cfg(feature = "object-store")]
            Self::Scan(_) => None,
            Self::Store(_)
            | Self::Source(_)
            | Self::Template(_)
            | Self::Law(_)
            | Self::Compose(_)
            | Self::Dkim(_)
            | Self::Stored { .. } => None,
        }
    }

    /// 1 failure, 4 refused by policy, 75 try again later.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } => 4,
            Self::Later { .. } => 75,
            // A constraint of the database is policy's last line.
            Self::Store(StoreError::Refused(_)) => 4,
            Self::Store(StoreError::Stale { .. }) => 75,
            // Words of the call that fit no file.
            Self::Source(sources::SourceError::BadField { .. }) => 2,
            _ => 1,
        }
    }
}
