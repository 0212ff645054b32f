//! `duty` and `contract` as typed.
//!
//! Holds no behaviour.

use clap::{Subcommand, ValueEnum};
use model::law::ClockEvent;
use model::time::Timestamp;

use super::reason;

#[derive(Debug, Subcommand)]
pub(crate) enum DutyVerb {
    /// One line per clock: by law and by contract, with what starts it, when it ends, and what it comes to.
    #[command(after_help = "Example: forthright duty list bluebleed --csv")]
    List {
        /// The incident.
        slug: String,
        /// Those of other countries, too, and those that were not law.
        #[arg(long)]
        all: bool,
    },
    /// Everything that was said of duties, oldest first.
    History {
        /// The incident.
        slug: String,
    },
    /// Say whether a duty applies.
    #[command(
        after_help = "Example: forthright duty applies bluebleed eu-gdpr-33-processor yes --why \"we process for controllers\""
    )]
    Applies {
        /// The incident.
        slug: String,
        /// The duty, as listed.
        duty: String,
        /// Whether.
        answer: Answer,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Record that a duty was fulfilled; the next stage starts then.
    #[command(
        after_help = "Example: forthright duty done bluebleed eu-nis2-early-warning --at 2026-11-26T08:00:00Z --reference 2026-123 --why \"sent through the portal\""
    )]
    Done {
        /// The incident.
        slug: String,
        /// The duty, as listed.
        duty: String,
        /// When it was submitted.
        #[arg(long)]
        at: Timestamp,
        /// How we know.
        #[arg(long, value_parser = reason)]
        why: String,
        /// The file number of who was told.
        #[arg(long, value_name = "TEXT")]
        reference: Option<String>,
        /// Put right what was recorded before; that is kept.
        #[arg(long)]
        correct: bool,
    },
    /// Decide that nobody is notified; counts once a second person approves.
    NotNotify {
        /// The incident.
        slug: String,
        /// The duty, as listed.
        duty: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Let a duty rest; counts once a second person approves. Its due time stays as it is.
    Pause {
        /// The incident.
        slug: String,
        /// The duty, as listed.
        duty: String,
        /// Until when at most.
        #[arg(long, value_name = "TIME")]
        until: Timestamp,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Let a duty that rests run again.
    Resume {
        /// The incident.
        slug: String,
        /// The duty, as listed.
        duty: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Approve, as the second person, a decision not to notify or a pause.
    Approve {
        /// The incident.
        slug: String,
        /// dut_…, as `duty history` lists it.
        id: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    Yes,
    No,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContractVerb {
    /// Keep the hours that were promised to a customer.
    #[command(
        after_help = "Example: forthright contract add t-00001 --hours 48 --trigger aware --source \"DPA of 2024, 7.2\" --why \"read by counsel\""
    )]
    Add {
        /// The customer.
        tenant: String,
        /// How many.
        #[arg(long)]
        hours: u16,
        /// The clock event that starts them.
        #[arg(long, value_parser = event)]
        trigger: ClockEvent,
        /// Contract and clause.
        #[arg(long, value_parser = reason)]
        source: String,
        /// The reason for the entry.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Every entry, by customer.
    List,
    /// End an entry.
    End {
        /// ctr_…
        contract: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
}

fn event(word: &str) -> Result<ClockEvent, String> {
    ClockEvent::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = ClockEvent::ALL.iter().map(|event| event.as_str()).collect();
        format!("no clock event is called so; the events are {}", words.join(", "))
    })
}
