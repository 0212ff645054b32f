//! `escalation` as typed.
//!
//! Checks words alone; what they mean is decided behind.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use model::escalation::{Running, Target};
use model::time::Timestamp;

use super::reason;

#[derive(Debug, Subcommand)]
pub(crate) enum EscalationVerb {
    /// What fired, and what will.
    List {
        /// The incident.
        slug: String,
    },
    /// What would fire until then, by the same code, changing nothing.
    Preview {
        /// The incident.
        slug: String,
        /// Until when.
        #[arg(long, value_name = "TIME")]
        until: Timestamp,
    },
    /// Say that you take care of what fired: nothing further fires for a while (a day, unless the policy says otherwise).
    /// Of tst_…: that a test came.
    Acknowledge {
        /// The ladder, or the test.
        escalation: String,
    },
    /// Climb a ladder from a rung on, now; the rungs above it keep their distances, those below it their times.
    #[command(after_help = "Example: forthright escalation jump esc_01jq --rung 3 --why \"the press has called\"")]
    Jump {
        /// The ladder.
        escalation: String,
        /// The rung, from 1.
        #[arg(long, value_name = "N")]
        rung: i64,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Climb whatever is due, once, as the workers do by themselves; what that did, and how long it took.
    #[command(after_help = "Example: forthright escalation tick --json")]
    Tick,
    /// Whether each rung leads to somebody, now; exit 4 where one does not.
    #[command(after_help = "Example: forthright escalation check bluebleed")]
    Check {
        /// The incident.
        slug: String,
    },
    /// Send letters marked as a test to the targets that are your own people.
    #[command(after_help = "Example: forthright escalation test bluebleed --target rotation:night")]
    Test {
        /// The incident.
        slug: String,
        /// One target; without it, all that the policies name.
        #[arg(long)]
        target: Option<Target>,
    },
    /// The policies of an incident, in their versions.
    #[command(subcommand)]
    Policy(PolicyVerb),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// One version; the newest without a number.
    Show {
        /// The incident.
        slug: String,
        /// From 1.
        #[arg(long = "version", value_name = "N")]
        number: Option<i64>,
    },
    /// Change policies, by a TOML file with [policies.NAME] as in the configuration.
    #[command(
        after_help = "Example: forthright escalation policy set bluebleed ladders.toml --running move --why \"counsel earlier\""
    )]
    Set {
        /// The incident.
        slug: String,
        /// The file.
        file: PathBuf,
        /// What becomes of ladders that run under what changes; refused without it while there are some.
        #[arg(long, value_enum)]
        running: Option<RunningWord>,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Every version: who, when, why, and what changed.
    History {
        /// The incident.
        slug: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RunningWord {
    /// They go on under the policy that they started with.
    Keep,
    /// They begin anew under the new one, measured from now.
    Restart,
    /// They go on under the new one from the same start; who was turned to is not turned to again for it.
    Move,
}

impl From<RunningWord> for Running {
    fn from(word: RunningWord) -> Self {
        match word {
            RunningWord::Keep => Self::Keep,
            RunningWord::Restart => Self::Restart,
            RunningWord::Move => Self::Move,
        }
    }
}
