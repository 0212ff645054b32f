//! `calendar`.
//!
//! Computes nothing. Invariant: where holidays are not considered, that is said with every date.

use anyhow::Result;

use super::{DONE, PARTIAL, open, say, text_of};
use crate::cli::{CalendarVerb, Everywhere};
use crate::output;

pub(super) async fn calendar(e: &Everywhere, verb: CalendarVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        CalendarVerb::Import { name, file } => {
            let imported = app::calendars::import(&app, &name, &text_of(&file)?).await?;
            output::document(e, &imported)?;
            for one in &imported.unread {
                say(e, format!("{}, line {}: {} was not taken: {}", file.display(), one.line, one.what, one.why));
            }
            return Ok(if imported.unread.is_empty() { DONE } else { PARTIAL });
        }
        CalendarVerb::List => {
            let rows = app::calendars::list(&app).await?.into_iter().map(|row| {
                vec![row.name, row.kind.to_owned(), row.zone, row.office, row.holidays.to_string(), row.years, row.note]
            });
            output::list(e, &["calendar", "kind", "zone", "office", "holidays", "years", "note"], rows.collect())?;
        }
        CalendarVerb::Show { name, year } => {
            let shown = app::calendars::show(&app, &name, year).await?;
            if e.csv {
                output::csv(&["day", "name"], shown.days.into_iter().map(|day| vec![day.day, day.name]))?;
            } else {
                output::document(e, &shown)?;
            }
            if !shown.note.is_empty() {
                say(e, &shown.note);
            }
        }
        CalendarVerb::Due { name, from, hours } => {
            let due = app::calendars::due(&app, &name, from, hours).await?;
            output::document(e, &due)?;
            if !due.note.is_empty() {
                say(e, &due.note);
            }
        }
    }
    Ok(DONE)
}
