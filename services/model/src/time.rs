//! Points in time as the store keeps them.
//!
//! Does not read any clock. Invariant: a [`Timestamp`] holds whole microseconds, so that what is written to either
//! database reads back equal.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time: write it as RFC 3339, for example 2026-11-23T09:30:00Z")]
pub struct NotATime(String);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This time and `span` later.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This time and `span` earlier.
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long it is from `earlier` to this time; zero if it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The UTC date, `YYYY-MM-DD`.
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    pub(crate) fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }
}

/// Whether a text is the IANA name of a time zone, like `Europe/Berlin`.
pub fn is_zone(name: &str) -> bool {
    jiff::tz::TimeZone::get(name).is_ok()
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; a fraction only where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    /// An RFC 3339 time with its offset; finer parts than microseconds are cut off. A date alone is its midnight UTC.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let text = text.trim();
        let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let parsed: jiff::Timestamp = full.parse().map_err(|_| NotATime(text.to_owned()))?;
        Ok(Self(parsed.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back_equal() {
        let time: Timestamp = "2022-09-24T10:11:12.123456789Z".parse().unwrap();
        assert_eq!(time.to_string(), "2022-09-24T10:11:12.123456Z");
        assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        assert_eq!("2022-09-24".parse::<Timestamp>().unwrap().to_string(), "2022-09-24T00:00:00Z");
    }

    #[test]
    fn an_offset_is_turned_into_utc() {
        let time: Timestamp = "2022-09-24T10:00:00+02:00".parse().unwrap();
        assert_eq!(time.to_string(), "2022-09-24T08:00:00Z");
        assert!("24.09.2022 10h".parse::<Timestamp>().is_err());
    }
}
