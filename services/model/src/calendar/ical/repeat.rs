//! Events that come again each year: on their date, or on the nth weekday of a month.
//!
//! Other rules are refused by name. Invariant: the first day is the event's own (RFC 5545, 3.8.5.3).

use jiff::civil::{Date, Weekday};

use super::date;

/// How an event comes again.
pub(super) struct Rule {
    every: i16,
    count: Option<usize>,
    until: Option<Date>,
    on: On,
}

/// On which day of a year.
enum On {
    /// The month and day of the event; 29 February in leap years only.
    Date,
    /// The nth such weekday of a month, from its end where negative.
    Nth { month: i8, nth: i8, weekday: Weekday },
}

impl Rule {
    /// Reads the value of an RRULE.
    pub(super) fn parse(text: &str, start: Date) -> Result<Self, String> {
        let mut rule = Self { every: 1, count: None, until: None, on: On::Date };
        let (mut yearly, mut month, mut nth) = (false, None, None);
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| not(part))?;
            let value = value.trim();
            match key.trim().to_ascii_uppercase().as_str() {
                "FREQ" if value.eq_ignore_ascii_case("YEARLY") => yearly = true,
                "INTERVAL" => rule.every = number(value).filter(|every| *every > 0).ok_or_else(|| not(part))?,
                "COUNT" => {
                    let count = value.parse().ok().filter(|count| (1..=1_000).contains(count));
                    rule.count = Some(count.ok_or_else(|| not(part))?);
                }
                "UNTIL" => {
                    let day = value.split('T').next().and_then(date);
                    rule.until = Some(day.ok_or_else(|| not(part))?);
                }
                "BYMONTH" => {
                    month = Some(value.parse().ok().filter(|month| (1..=12).contains(month)).ok_or_else(|| not(part))?)
                }
                "BYMONTHDAY" if value.parse() == Ok(start.day()) => {}
                "BYDAY" => nth = Some(nth_weekday(value).ok_or_else(|| not(part))?),
                "WKST" => {}
                _ => return Err(not(part)),
            }
        }
        rule.on = match (month, nth) {
            (None, None) => On::Date,
            (Some(month), None) if month == start.month() => On::Date,
            (Some(month), Some((nth, weekday))) => On::Nth { month, nth, weekday },
            (Some(_), None) | (None, Some(_)) => return Err(format!("RRULE `{text}` is not understood")),
        };
        if yearly { Ok(rule) } else { Err(format!("RRULE `{text}` is not yearly")) }
    }

    /// The days up to the end of a year.
    pub(super) fn days(&self, start: Date, last: i16) -> Vec<Date> {
        let years = (start.year()..=last).step_by(usize::try_from(self.every).unwrap_or(1));
        let days = years.filter_map(|year| match self.on {
            On::Date => Date::new(year, start.month(), start.day()).ok(),
            On::Nth { month, nth, weekday } => {
                Date::new(year, month, 1).ok().and_then(|first| first.nth_weekday_of_month(nth, weekday).ok())
            }
        });
        let days = days.filter(|day| *day >= start && self.until.is_none_or(|until| *day <= until));
        days.take(self.count.unwrap_or(usize::MAX)).collect()
    }
}

fn not(part: &str) -> String {
    format!("RRULE: `{part}` is not understood")
}

fn number(text: &str) -> Option<i16> {
    text.parse().ok()
}

/// `3MO`, `-1TH`.
fn nth_weekday(text: &str) -> Option<(i8, Weekday)> {
    let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match day.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    let nth: i8 = nth.parse().ok()?;
    (matches!(nth, 1..=5 | -5..=-1)).then_some((nth, weekday))
}
