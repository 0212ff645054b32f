//! `calendar` as typed.
//!
//! Holds no behaviour.

use std::path::PathBuf;

use clap::Subcommand;
use model::time::Timestamp;

#[derive(Debug, Subcommand)]
pub(crate) enum CalendarVerb {
    /// Keep holidays of an iCalendar file under a name; exit 3 if some events are none.
    #[command(after_help = "Example: forthright calendar import works-holidays works-holidays.ics")]
    Import {
        /// By which calendars name them: a-z, 0-9 and -.
        name: String,
        /// The file; - is standard input.
        file: PathBuf,
    },
    /// Configured calendars, imported holidays, and those that are built in.
    List,
    /// One calendar, or list of holidays, with its days.
    #[command(after_help = "Example: forthright calendar show DE-BY --year 2026")]
    Show {
        /// Its name.
        name: String,
        /// Only this year's days.
        #[arg(long)]
        year: Option<i16>,
    },
    /// When so many hours of office time are over.
    #[command(after_help = "Example: forthright calendar due default --from 2026-12-23T15:00:00Z --hours 8")]
    Due {
        /// A configured calendar.
        name: String,
        /// From when.
        #[arg(long)]
        from: Timestamp,
        /// Hours of office time.
        #[arg(long)]
        hours: u32,
    },
}
