//! Business time: office hours in a time zone, without holidays, and when a span of them is over.
//!
//! Reads no file and no clock. Office time is every instant at which a wall clock in the zone shows office hours on a day
//! that is no holiday; so nothing is counted in the hour that a spring night leaves out, and both of the hour that an
//! autumn night repeats. Invariant: `between(start, after(start, span)) == span`, and no answer lies outside office hours.

mod builtin;
mod holidays;
mod hours;
mod ical;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::time::Timestamp;

pub use builtin::{CODES, NotACode, builtin, national, parts};
pub use holidays::{BadFile, Holiday, Holidays};
pub use hours::{BadHours, Hours};
pub use ical::{Imported, Unread, parse as parse_ical};

/// The calendar of whoever names none.
pub const DEFAULT: &str = "default";

const DAY: i64 = 86_400_000_000;
const SECOND: i64 = 1_000_000;
/// Spans are cut to this: 100,000 hours are fifty years of office time.
const LONGEST: Duration = Duration::from_secs(100_000 * 3_600);
/// Where the search ends: the last day that has a date, 9999-12-30.
const LAST_DAY: i64 = 2_932_895;
/// Where the search backwards ends: 1 January of the year 0.
const FIRST_DAY: i64 = -719_528;

/// Office hours, where, and without which days.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    hours: Hours,
    holidays: Holidays,
}

/// Why there is no such calendar.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadCalendar {
    /// Not a name of the IANA database.
    #[error("`{0}` is no time zone: write one like Europe/Berlin")]
    Zone(String),
    /// Not office hours.
    #[error(transparent)]
    Hours(#[from] BadHours),
}

/// A point in business time, and what is to be said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// When.
    pub at: Timestamp,
    /// Whether holidays were left out on the way there.
    pub holidays: Considered,
}

/// Whether holidays were left out; its text is to be said beside every date, and is empty where nothing is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Considered {
    /// On every day.
    All,
    /// Up to the end of this year.
    NotAfter(i16),
    /// From the beginning of this year on.
    NotBefore(i16),
    /// There is no list of holidays.
    Not,
}

impl fmt::Display for Considered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::NotAfter(year) => write!(f, "holidays not considered after {year}"),
            Self::NotBefore(year) => write!(f, "holidays not considered before {year}"),
            Self::Not => f.write_str("holidays not considered"),
        }
    }
}

impl Default for Calendar {
    /// Monday to Friday, 09:00 to 17:00 UTC, no holidays.
    fn default() -> Self {
        Self { zone: TimeZone::UTC, hours: Hours::default(), holidays: Holidays::default() }
    }
}

impl Calendar {
    /// Office hours in a zone of the IANA database.
    pub fn new(zone: &str, hours: Hours, holidays: Holidays) -> Result<Self, BadCalendar> {
        let zone = TimeZone::get(zone).map_err(|_| BadCalendar::Zone(zone.to_owned()))?;
        Ok(Self { zone, hours, holidays })
    }

    /// The name of its zone.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Its office hours.
    pub fn hours(&self) -> &Hours {
        &self.hours
    }

    /// Its holidays.
    pub fn holidays(&self) -> &Holidays {
        &self.holidays
    }

    /// The first time at which `span` of office time has passed since `start`; without a span the first in office hours,
    /// opening and closing time included.
    pub fn after(&self, start: Timestamp, span: Duration) -> Reached {
        let from = start.micros();
        let mut left = micros(span);
        for day in from.saturating_sub(1).div_euclid(DAY)..=LAST_DAY {
            for (opens, closes) in self.open(day) {
                if closes < from {
                    continue;
                }
                let begins = opens.max(from);
                if left <= closes - begins {
                    return self.reached(start, Timestamp::from_micros(begins + left));
                }
                left -= closes - begins;
            }
        }
        self.reached(start, Timestamp::from_micros((LAST_DAY + 1) * DAY))
    }

    /// The last time from which `span` of office time passes until `end`.
    pub fn before(&self, end: Timestamp, span: Duration) -> Reached {
        let until = end.micros();
        let mut left = micros(span);
        for day in (FIRST_DAY..=until.saturating_add(1).div_euclid(DAY)).rev() {
            for (opens, closes) in self.open(day).into_iter().rev() {
                if opens > until {
                    continue;
                }
                let ends = closes.min(until);
                if left <= ends - opens {
                    return self.reached(end, Timestamp::from_micros(ends - left));
                }
                left -= ends - opens;
            }
        }
        self.reached(end, Timestamp::from_micros(FIRST_DAY * DAY))
    }

    /// Office time from one time until a later one.
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Duration {
        let (from, until) = (from.micros(), until.micros());
        let days = from.div_euclid(DAY).max(FIRST_DAY)..=until.div_euclid(DAY).min(LAST_DAY);
        let pieces = days.flat_map(|day| self.open(day));
        let sum: i64 = pieces.map(|(opens, closes)| (closes.min(until) - opens.max(from)).max(0)).sum();
        Duration::from_micros(u64::try_from(sum).unwrap_or(0))
    }

    /// Whether it is office time.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let at = at.micros();
        self.open(at.div_euclid(DAY)).iter().any(|(opens, closes)| (*opens..*closes).contains(&at))
    }

    /// What is to be said of a span between two times.
    pub fn considered(&self, one: Timestamp, other: Timestamp) -> Considered {
        let year = |at: Timestamp| self.local(at).year();
        self.holidays.considered(year(one.min(other)), year(one.max(other)))
    }

    /// A time on the wall clock of its zone: `2026-11-27 09:00 +01:00`.
    pub fn shown(&self, at: Timestamp) -> String {
        let at = instant(at.micros());
        let local = self.zone.to_datetime(at);
        let minutes = self.zone.to_offset(at).seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.abs();
        format!(
            "{} {:02}:{:02} {sign}{:02}:{:02}",
            local.date(),
            local.hour(),
            local.minute(),
            minutes / 60,
            minutes % 60
        )
    }

    fn reached(&self, from: Timestamp, at: Timestamp) -> Reached {
        Reached { at, holidays: self.considered(from, at) }
    }

    fn local(&self, at: Timestamp) -> jiff::civil::Date {
        self.zone.to_datetime(instant(at.micros())).date()
    }

    /// Office time in one day of UTC, counted from 1970, in order: from, until.
    fn open(&self, day: i64) -> Vec<(i64, i64)> {
        let (mut from, until) = (day * DAY, (day + 1) * DAY);
        let mut offset = offset_of(self.zone.to_offset(instant(from)));
        let mut open = Vec::new();
        for change in self.zone.following(instant(from)) {
            let at = change.timestamp().as_microsecond();
            if at >= until {
                break;
            }
            self.open_at(offset, from, at, &mut open);
            (from, offset) = (at, offset_of(change.offset()));
        }
        self.open_at(offset, from, until, &mut open);
        open
    }

    /// The same between two times with one offset from UTC.
    fn open_at(&self, offset: i64, from: i64, until: i64, open: &mut Vec<(i64, i64)>) {
        for local in (from + offset).div_euclid(DAY)..=(until - 1 + offset).div_euclid(DAY) {
            if self.holidays.has(local) {
                continue;
            }
            let midnight = local * DAY - offset;
            // 1 January 1970 was a Thursday, and weeks begin with Monday.
            for (opens, closes) in self.hours.of((local + 3).rem_euclid(7)) {
                let piece = ((midnight + opens).max(from), (midnight + closes).min(until));
                if piece.0 < piece.1 {
                    open.push(piece);
                }
            }
        }
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.min(LONGEST).as_micros()).unwrap_or(i64::MAX)
}

fn instant(micros: i64) -> jiff::Timestamp {
    let nearest = if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(micros).unwrap_or(nearest)
}

fn offset_of(offset: jiff::tz::Offset) -> i64 {
    i64::from(offset.seconds()) * SECOND
}

/// The calendars of an installation by their names; there is always a default one.
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    named: BTreeMap<String, Calendar>,
    default: Calendar,
}

impl Calendars {
    /// These, of which one may be called `default`.
    pub fn new(mut named: BTreeMap<String, Calendar>) -> Self {
        let default = named.remove(DEFAULT).unwrap_or_default();
        Self { named, default }
    }

    /// The calendar of a name; none: there is no such one.
    pub fn get(&self, name: &str) -> Option<&Calendar> {
        if name == DEFAULT { Some(&self.default) } else { self.named.get(name) }
    }

    /// The calendar of whoever names none.
    pub fn default_one(&self) -> &Calendar {
        &self.default
    }

    /// Every one with its name, the default first.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Calendar)> {
        let named = self.named.iter().map(|(name, calendar)| (name.as_str(), calendar));
        std::iter::once((DEFAULT, &self.default)).chain(named)
    }

    /// The time after `start` by `hours` of office hours in the calendar of a name; none: there is no such calendar.
    pub fn after(&self, name: &str, start: Timestamp, hours: Duration) -> Option<Reached> {
        Some(self.get(name)?.after(start, hours))
    }
}
