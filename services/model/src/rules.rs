//! The counting and mapping rules by name and version.
//!
//! The rules themselves are code elsewhere; this names them, so that a figure, a document and a person speak of the same
//! one. Invariant: each has a document `docs/rules/RN.md` that begins with its title, which a test checks; a change of
//! what a rule counts is a new [`VERSION`].

use crate::delivery::named;

/// The version of all rules together. A manifest is counted under one, and says which.
pub const VERSION: u32 = 1;

named! {
    /// A rule.
    Rule {
        /// Whose a row is.
        R1 = "R1",
        /// One form for each host name.
        R2 = "R2",
        /// What belongs to nobody.
        R3 = "R3",
        /// Whose a host is.
        R4 = "R4",
        /// One form for each address.
        R5 = "R5",
        /// What a row is.
        R6 = "R6",
        /// Fields that cannot be used.
        R7 = "R7",
        /// Once each.
        R8 = "R8",
        /// What adds up to what.
        R9 = "R9",
    }
}

impl Rule {
    /// The rule in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::R1 => "a row belongs to the organisation its domain names, else its address",
            Self::R2 => "a host name is compared in one normal form; what is no host name is rejected",
            Self::R3 => "a shared domain belongs to nobody and is counted apart",
            Self::R4 => "a host belongs to the longest domain above it that the directory has",
            Self::R5 => "an address is compared in lower case, its domain in normal form",
            Self::R6 => "a row has as many columns as the header; a blank line is no row",
            Self::R7 => "a field that is missing or cannot be used is left out, and the row stays",
            Self::R8 => "an object, an address, a user, a project counts once, however often it is referenced",
            Self::R9 => "every row ends in exactly one count, and the counts add up",
        }
    }

    /// Where the code is.
    pub fn code(self) -> &'static str {
        match self {
            Self::R1 | Self::R7 => "services/model/src/intake.rs",
            Self::R2 => "services/model/src/domain.rs",
            Self::R3 | Self::R4 => "services/model/src/mapping.rs",
            Self::R5 => "services/model/src/email.rs",
            Self::R6 => "services/sources/src/rows.rs",
            Self::R8 => "services/model/src/runs/fold.rs",
            Self::R9 => "services/app/src/intake/totals.rs",
        }
    }
}
