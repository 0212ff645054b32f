//! Terms, and when they end.
//!
//! Ends are the earliest ones: a term of days ends at the same time of day, not at midnight, and where holidays are not
//! known they lengthen nothing. Whoever keeps such an end keeps the one of the law too. Invariant: a span is printed as
//! it was read.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{ToSpan, ZonedDateTime};
use serde::{Deserialize, Serialize};

use super::DayCount;
use crate::calendar::{Considered, Holidays};
use crate::time::Timestamp;

/// How long there is: `PT72H`, `P30D`, `P1M`. At most 9,999 of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Span {
    /// Hours, holidays included.
    Hours(u16),
    /// Days.
    Days(u16),
    /// Calendar months.
    Months(u16),
}

/// A text that is no span.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a term: write it as PT72H, P30D or P1M")]
pub struct NotASpan(String);

impl Span {
    /// When a term ends that began then, and whether these holidays were left out where they had to be.
    pub fn after(self, from: Timestamp, count: DayCount, holidays: &Holidays) -> (Timestamp, Considered) {
        let start = zoned(from);
        let end = match (self, count) {
            (Self::Hours(hours), _) => start.saturating_add(i64::from(hours).hours()),
            (Self::Days(days), DayCount::Business) => after_business_days(start.clone(), days, holidays),
            (Self::Days(days), DayCount::Calendar | DayCount::Hours) => start.saturating_add(i64::from(days).days()),
            (Self::Months(months), _) => start.saturating_add(i64::from(months).months()),
        };
        let considered = match count {
            DayCount::Business => holidays.considered(start.year(), end.year()),
            DayCount::Hours | DayCount::Calendar => Considered::All,
        };
        (Timestamp::from_micros(end.timestamp().as_microsecond()), considered)
    }
}

fn after_business_days(mut at: ZonedDateTime, days: u16, holidays: &Holidays) -> ZonedDateTime {
    let mut left = days;
    while left > 0 {
        at = at.saturating_add(1.day());
        let weekend = matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday);
        if !weekend && !holidays.has_date(at.date()) {
            left -= 1;
        }
    }
    at
}

/// The end of the year of a point in time: 1 January after it, UTC.
pub(super) fn year_end(time: Timestamp) -> Timestamp {
    let next = zoned(time).last_of_year().and_then(|last| last.saturating_add(1.day()).start_of_day());
    next.map_or(time, |end| Timestamp::from_micros(end.timestamp().as_microsecond()))
}

pub(super) fn zoned(time: Timestamp) -> ZonedDateTime {
    jiff::Timestamp::from_microsecond(time.micros()).unwrap_or(jiff::Timestamp::MAX).to_zoned_datetime(TimeZone::UTC)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours(hours) => write!(f, "PT{hours}H"),
            Self::Days(days) => write!(f, "P{days}D"),
            Self::Months(months) => write!(f, "P{months}M"),
        }
    }
}

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let number = |digits: &str| digits.parse::<u16>().ok().filter(|number| (1..=9_999).contains(number));
        let hours = || text.strip_prefix("PT")?.strip_suffix('H').and_then(number).map(Self::Hours);
        let days = || text.strip_prefix('P')?.strip_suffix('D').and_then(number).map(Self::Days);
        let months = || text.strip_prefix('P')?.strip_suffix('M').and_then(number).map(Self::Months);
        let span = hours().or_else(days).or_else(months);
        span.filter(|span| span.to_string() == text).ok_or_else(|| NotASpan(text.to_owned()))
    }
}

impl TryFrom<String> for Span {
    type Error = NotASpan;

    fn try_from(text: String) -> Result<Self, NotASpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(span: &str, count: DayCount, from: &str, expect: &str) {
        let span: Span = span.parse().unwrap();
        let (end, _) = span.after(from.parse().unwrap(), count, &Holidays::default());
        assert_eq!(end.to_string(), expect);
    }

    #[test]
    fn hours_run_through_weekends_and_days_end_at_the_same_time_of_day() {
        check("PT72H", DayCount::Hours, "2022-09-23T08:30:00Z", "2022-09-26T08:30:00Z");
        check("P30D", DayCount::Calendar, "2022-09-24T08:00:00Z", "2022-10-24T08:00:00Z");
    }

    #[test]
    fn a_month_ends_on_its_last_day_at_the_latest() {
        check("P1M", DayCount::Calendar, "2024-01-31T10:00:00Z", "2024-02-29T10:00:00Z");
    }

    #[test]
    fn business_days_leave_out_weekends() {
        check("P3D", DayCount::Business, "2022-09-23T08:00:00Z", "2022-09-28T08:00:00Z");
        check("P4D", DayCount::Business, "2022-09-24T08:00:00Z", "2022-09-29T08:00:00Z");
    }

    #[test]
    fn business_days_leave_out_the_holidays_of_a_country_and_say_where_they_are_not_known() {
        let end = |from: &str, holidays: &Holidays| {
            let (end, said) = Span::Days(4).after(from.parse().unwrap(), DayCount::Business, holidays);
            (end.date(), said.to_string())
        };
        let federal = crate::calendar::builtin("US").unwrap();
        let thursday = "2022-10-06T15:00:00Z";
        assert_eq!(end(thursday, &federal), ("2022-10-13".to_owned(), String::new()), "without Columbus Day");
        let none = ("2022-10-12".to_owned(), "holidays not considered".to_owned());
        assert_eq!(end(thursday, &Holidays::default()), none);
        let late = ("2031-01-03".to_owned(), "holidays not considered after 2030".to_owned());
        assert_eq!(end("2030-12-30T15:00:00Z", &federal), late);
    }

    #[test]
    fn only_whole_terms_in_one_unit_are_read() {
        for text in ["", "P", "PT", "PTH", "P0D", "72H", "P1Y", "PT1H30M", "P+1D", "P01D", "P1D ", "P10000D"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_year_ends_with_the_first_moment_of_the_next() {
        assert_eq!(year_end("2022-09-24T08:00:00Z".parse().unwrap()).to_string(), "2023-01-01T00:00:00Z");
    }
}
