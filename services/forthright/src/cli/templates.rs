//! `templates`: the words of letters, built in and of one incident.
//!
//! Holds no behaviour.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::reason;

#[derive(Debug, Subcommand)]
pub(crate) enum TemplatesVerb {
    /// Render every letter in every language with every sample; exit 1 if anything is wrong.
    #[command(after_help = "Example: forthright templates check --incident bluebleed")]
    Check {
        /// With the incident's own words in place of the built-in ones.
        #[arg(long, value_name = "SLUG")]
        incident: Option<String>,
    },
    /// Keep words of an incident's own for a letter, once they have passed every check.
    #[command(
        after_help = "Example: forthright templates set bluebleed notice fr --subject s.hbs --text t.hbs --html h.hbs --why \"words of counsel\""
    )]
    Set {
        /// The incident.
        slug: String,
        /// notice, reminder, answer, promise, decline.
        kind: String,
        /// de, en, es, fr, ja.
        language: String,
        /// The subject's template: one line.
        #[arg(long, value_name = "FILE")]
        subject: PathBuf,
        /// The text's template.
        #[arg(long, value_name = "FILE")]
        text: PathBuf,
        /// The template of the HTML; a notice needs one, other letters have none.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// What an incident uses, and what it used before.
    List {
        /// The incident.
        slug: String,
    },
    /// The words of a letter, as a starting point for your own.
    #[command(after_help = "Example: forthright templates show notice fr --part html > h.hbs")]
    Show {
        /// notice, reminder, answer, promise, decline.
        kind: String,
        /// de, en, es, fr, ja.
        language: String,
        /// Which part.
        #[arg(long, value_enum, default_value = "text")]
        part: TemplatePart,
        /// As this incident uses them; default: the built-in ones.
        #[arg(long, value_name = "SLUG")]
        incident: Option<String>,
    },
    /// Use the built-in words again.
    #[command(after_help = "Example: forthright templates reset bluebleed notice fr --why \"no longer needed\"")]
    Reset {
        /// The incident.
        slug: String,
        /// notice, reminder, answer, promise, decline.
        kind: String,
        /// de, en, es, fr, ja.
        language: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
}

/// A part of a letter.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TemplatePart {
    /// The subject.
    Subject,
    /// The plain text part.
    Text,
    /// The HTML part.
    Html,
}
