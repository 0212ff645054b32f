//! `report` as typed.
//!
//! Holds no behaviour.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ReportVerb {
    /// Numbers, days and data types of a text, held against the facts, with their line; exit 4 if the facts say something
    /// else, or if nobody is to be told.
    #[command(after_help = "Example: forthright report check bluebleed press.txt")]
    Check {
        /// The incident.
        slug: String,
        /// The text; - is standard input.
        file: PathBuf,
        /// List what agrees, too.
        #[arg(long)]
        all: bool,
    },
}
