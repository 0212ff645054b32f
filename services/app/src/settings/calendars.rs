//! `[calendars.NAME]`: office hours, and the days without any.
//!
//! Reads no file: the binary puts the text of `ics` here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::calendar::{BadHours, Hours};
use serde::Deserialize;

/// `[calendars.NAME]`: what counts as office time for whoever names it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarSettings {
    /// A time zone of the IANA database (`Europe/Berlin`); empty = UTC.
    pub zone: String,
    /// Office hours by day, `mon` to `sun`, local time: `09:00-12:00, 13:00-17:30`. A day that is not named has none;
    /// nothing at all = Monday to Friday, 09:00 to 17:00.
    pub office: BTreeMap<String, String>,
    /// Lists of holidays: countries and parts of them that are compiled in (`DE-BY`), names given to `calendar import`.
    pub holidays: Vec<String>,
    /// A file of further holidays, iCalendar (RFC 5545).
    pub ics: Option<PathBuf>,
    /// What that file says.
    #[serde(skip)]
    pub ics_text: String,
}

impl CalendarSettings {
    /// The zone, or UTC.
    pub fn zone(&self) -> &str {
        if self.zone.is_empty() { "UTC" } else { &self.zone }
    }

    /// The office hours, or the usual ones.
    pub fn hours(&self) -> Result<Hours, BadHours> {
        if self.office.is_empty() {
            return Ok(Hours::default());
        }
        Hours::parse(self.office.iter().map(|(day, text)| (day.as_str(), text.as_str())))
    }
}
