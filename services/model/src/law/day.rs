//! Days on which law begins and ends.
//!
//! Knows no time zone but UTC: the table names days without one. Invariant: a day is printed as it was read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A calendar day, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(jiff::civil::Date);

/// A text that is no day.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a day: write it as YYYY-MM-DD")]
pub struct NotADay(String);

impl Day {
    /// The UTC day of a point in time.
    pub fn of(time: Timestamp) -> Self {
        Self(super::span::zoned(time).date())
    }
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        text.parse().map(Self).ok().filter(|day| day.to_string() == text).ok_or_else(|| NotADay(text.to_owned()))
    }
}

impl TryFrom<String> for Day {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
