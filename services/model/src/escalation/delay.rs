//! Delays as people write them: `36h`, `2d`, `30min`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;
/// Ten years: no clock of ours is longer, and sums of a few stay within what a time can hold.
const LONGEST: u32 = 3_650 * DAY;

/// A delay, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delay(u32);

/// A text that is no delay.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no delay: write a number and min, h, d or w, as in 36h or 2d, up to 3650d")]
pub struct NotADelay(String);

impl Delay {
    /// A day.
    pub const DAY: Self = Self(DAY);

    /// From whole hours; more than ten years are ten years.
    pub fn hours(hours: u32) -> Self {
        Self(hours.saturating_mul(HOUR).min(LONGEST))
    }

    /// The hours, where they are whole.
    pub fn whole_hours(self) -> Option<u32> {
        self.0.is_multiple_of(HOUR).then_some(self.0 / HOUR)
    }

    /// Whether there is none.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// As a span of time.
    pub fn span(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * 60)
    }
}

impl FromStr for Delay {
    type Err = NotADelay;

    fn from_str(text: &str) -> Result<Self, NotADelay> {
        let bad = || NotADelay(text.to_owned());
        let text = text.trim();
        let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = match unit.trim() {
            "min" => 1,
            "h" => HOUR,
            "d" => DAY,
            "w" => WEEK,
            _ => return Err(bad()),
        };
        let minutes = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(bad)?;
        if minutes > LONGEST { Err(bad()) } else { Ok(Self(minutes)) }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whole_hours() {
            Some(hours) => write!(f, "{hours}h"),
            None => write!(f, "{}min", self.0),
        }
    }
}

impl Serialize for Delay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
