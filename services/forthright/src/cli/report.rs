//! `report` as typed.
//!
//! Holds no behaviour.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// A report to a supervisory authority, by the content elements of GDPR Art. 33; exit 4 if words of the vendor's own
    /// contradict the facts.
    #[command(after_help = "Example: forthright report regulator bluebleed --language de > report.txt")]
    Regulator(ReportArgs),
    /// A text for the press: no organisation is named.
    #[command(after_help = "Example: forthright report press bluebleed > press.txt")]
    Press(ReportArgs),
    /// What a support desk answers: am I affected, what data, what should I do, when is the next update, is it genuine.
    #[command(after_help = "Example: forthright report support bluebleed --language ja > support.txt")]
    Support(ReportArgs),
}

/// Which text.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The incident.
    pub(crate) slug: String,
    /// de, en, es, fr, ja; default: en.
    #[arg(long, value_name = "L")]
    pub(crate) language: Option<String>,
    /// In place of the text: the fact behind each of its figures and days, and what proves it.
    #[arg(long)]
    pub(crate) facts: bool,
}
