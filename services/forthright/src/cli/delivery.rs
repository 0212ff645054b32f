//! `wave` and `delivery` as typed.
//!
//! Holds no behaviour.

use std::path::PathBuf;

use clap::Subcommand;

use super::reason;

#[derive(Debug, Subcommand)]
pub(crate) enum WaveVerb {
    /// Release approved notices; whoever approved one cannot release it.
    #[command(after_help = "Example: forthright wave release bluebleed pilot --pilot 20 --actor lead")]
    Release {
        /// The incident.
        slug: String,
        /// The wave's name: one line.
        #[arg(value_parser = wave_name)]
        name: String,
        /// All approved notices.
        #[arg(long, group = "which", required_unless_present_any = ["tenants", "pilot"])]
        all: bool,
        /// Those of these tenants, an id a line.
        #[arg(long, group = "which", value_name = "FILE")]
        tenants: Option<PathBuf>,
        /// N of them to begin with: one of each group in turn, by chance within a group.
        #[arg(long, group = "which", value_name = "N")]
        pilot: Option<usize>,
        /// Mails a second: 50/s.
        #[arg(long, value_name = "N/s", value_parser = pace)]
        pace: Option<i64>,
        /// Mails a second to one receiving system: 5/s.
        #[arg(long, value_name = "N/s", value_parser = pace)]
        pace_per_system: Option<i64>,
        /// Tries a day, from midnight to midnight UTC.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
        per_day: Option<i64>,
        /// Release although the sending domain is not in order, or another wave was stopped; the reason stays in the record.
        #[arg(long = "override", value_name = "REASON", value_parser = reason)]
        override_why: Option<String>,
    },
    /// A wave waits.
    Pause {
        /// The incident.
        slug: String,
        /// The wave's name.
        name: String,
    },
    /// A wave goes on where it stopped.
    #[command(
        after_help = "Example: forthright wave resume bluebleed everybody --why \"the old addresses are taken out\""
    )]
    Resume {
        /// The incident.
        slug: String,
        /// The wave's name.
        name: String,
        /// Needed where a rule stopped it; stays in the record.
        #[arg(long, value_parser = reason)]
        why: Option<String>,
    },
    /// When waves end, and which deadlines organisations miss.
    #[command(after_help = "Example: forthright wave forecast bluebleed --json")]
    Forecast {
        /// The incident.
        slug: String,
    },
    /// All waves with their progress.
    List {
        /// The incident.
        slug: String,
    },
}

fn wave_name(text: &str) -> Result<String, String> {
    app::waves::must_be_a_name(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn pace(text: &str) -> Result<i64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.parse() {
        Ok(pace) if pace > 0 => Ok(pace),
        _ => Err("write mails a second, as in 50/s".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryVerb {
    /// The coverage equation, and deliveries by state.
    Status {
        /// The incident.
        slug: String,
    },
    /// All deliveries.
    List {
        /// The incident.
        slug: String,
    },
    /// Mails of which nobody knows whether they arrived.
    #[command(after_help = "Example: forthright delivery uncertain bluebleed")]
    Uncertain {
        /// The incident.
        slug: String,
    },
    /// Say what became of an uncertain mail, once somebody has found out.
    #[command(
        after_help = "Example: forthright delivery settle dlv_01jq… --accepted --why \"the relay's log has it, queue id 4Xk2jC\""
    )]
    Settle {
        /// dlv_… or out_….
        delivery: String,
        /// The other side has it.
        #[arg(long, group = "said", required_unless_present = "not_accepted")]
        accepted: bool,
        /// The other side has not: it goes again, with the same Message-ID.
        #[arg(long, group = "said")]
        not_accepted: bool,
        /// How that is known; stays in the record.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Settle what the log of a relay proves of uncertain mails: Postfix, Exim, or JSON lines. What it does not mention stays
    /// uncertain.
    #[command(after_help = "Example: forthright delivery relay-log /var/log/mail.log --preview")]
    RelayLog {
        /// The log; `-` is standard input.
        file: PathBuf,
        /// Only show what would be settled.
        #[arg(long)]
        preview: bool,
    },
    /// Who saw what: every notice that somebody got, or may have got, with the domains whose facts it states.
    Disclosures {
        /// The incident.
        slug: String,
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<String>,
    },
}
