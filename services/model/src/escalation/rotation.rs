//! Who is on duty at a time: people who take turns, and who stands in for them.
//!
//! Knows no addresses. Invariant: a rotation that has begun has exactly one person on duty at each moment, whatever the
//! zone's clock does.

use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::time::Timestamp;

/// `[rotations.NAME]`: people who take turns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RotationFile")]
pub struct Rotation {
    people: Vec<String>,
    zone: TimeZone,
    handover: Handover,
    first: Date,
    overrides: Vec<Override>,
}

/// `[[rotations.NAME.overrides]]`: somebody stands in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Who stands in.
    pub person: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when; not any more at this time itself.
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Handover {
    /// None: daily.
    day: Option<Weekday>,
    time: Time,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotationFile {
    people: Vec<String>,
    #[serde(default = "utc")]
    zone: String,
    handover: String,
    start: String,
    #[serde(default)]
    overrides: Vec<Override>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A rotation that nobody could follow.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadRotation {
    /// Nobody takes a turn.
    #[error("a rotation without people reaches nobody: name them, people = [\"ana\", \"bob\"]")]
    NoPeople,
    /// A zone that does not exist.
    #[error("`{0}` is no time zone: write it as in Europe/Berlin")]
    Zone(String),
    /// No day and time.
    #[error("`{0}` is no handover: write a day and a time, as in Mon 09:00, or a time alone for each day")]
    Handover(String),
    /// No date.
    #[error("`{0}` is no start: write the date of the first turn, as in 2026-11-23")]
    Start(String),
    /// Ends before it begins.
    #[error("{0} stands in until a time that is not after `from`: correct the override")]
    Override(String),
}

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

impl Handover {
    fn parse(text: &str) -> Option<Self> {
        let (day, time) = match text.trim().split_once(' ') {
            None => (None, text.trim()),
            Some((day, time)) => (Some(DAYS.iter().find(|(name, _)| *name == day)?.1), time.trim()),
        };
        let (hour, minute) = time.split_once(':')?;
        let time = Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
        Some(Self { day, time })
    }

    /// Days from one to the next.
    fn period(&self) -> i32 {
        if self.day.is_some() { 7 } else { 1 }
    }

    /// Days from the last day of a handover to this date.
    fn days_after(&self, date: Date) -> i32 {
        self.day.map_or(0, |day| i32::from(date.weekday().since(day)))
    }
}

impl TryFrom<RotationFile> for Rotation {
    type Error = BadRotation;

    fn try_from(file: RotationFile) -> Result<Self, BadRotation> {
        if file.people.iter().all(|name| name.trim().is_empty()) {
            return Err(BadRotation::NoPeople);
        }
        let zone = TimeZone::get(&file.zone).map_err(|_| BadRotation::Zone(file.zone))?;
        let handover = Handover::parse(&file.handover).ok_or(BadRotation::Handover(file.handover))?;
        let start: Date = file.start.trim().parse().map_err(|_| BadRotation::Start(file.start.clone()))?;
        // The first handover on or after the date.
        let wait = (handover.period() - handover.days_after(start)) % handover.period();
        let first = start.checked_add(wait.days()).map_err(|_| BadRotation::Start(file.start))?;
        if let Some(bad) = file.overrides.iter().find(|one| one.until <= one.from) {
            return Err(BadRotation::Override(bad.person.clone()));
        }
        Ok(Self { people: file.people, zone, handover, first, overrides: file.overrides })
    }
}

impl Rotation {
    /// Who is on duty. None: the first turn has not begun.
    pub fn on_duty(&self, at: Timestamp) -> Option<&str> {
        // The later line of the configuration counts: it was written to correct the earlier one.
        if let Some(stand_in) = self.overrides.iter().rev().find(|one| one.from <= at && at < one.until) {
            return Some(&stand_in.person);
        }
        let turn = usize::try_from(self.turn(at)?).ok()?;
        self.people.get(turn % self.people.len()).map(String::as_str)
    }

    /// Everybody who is ever on duty, each once, in the order of the configuration.
    pub fn people(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for name in self.people.iter().chain(self.overrides.iter().map(|one| &one.person)) {
            if !all.contains(&name.as_str()) {
                all.push(name);
            }
        }
        all
    }

    /// How many handovers there were between the first and `at`.
    fn turn(&self, at: Timestamp) -> Option<i32> {
        let today = at.to_jiff().to_zoned_datetime(self.zone.clone()).date();
        let mut last = today.checked_sub(self.handover.days_after(today).days()).ok()?;
        // Where the zone's clock leaps over the hour, it is the first moment after it.
        let moment = last.to_datetime(self.handover.time).to_zoned_datetime(self.zone.clone()).ok()?.timestamp();
        if moment > at.to_jiff() {
            last = last.checked_sub(self.handover.period().days()).ok()?;
        }
        let days = self.first.until(last).ok()?.get_days();
        (days >= 0).then_some(days / self.handover.period())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(handover: &str, zone: &str) -> Rotation {
        let text = format!(
            r#"{{"people": ["ana", "bob", "cy"], "zone": "{zone}", "handover": "{handover}", "start": "2026-03-23",
                "overrides": [{{"person": "dee", "from": "2026-04-01T00:00:00Z", "until": "2026-04-02T00:00:00Z"}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn check(rotation: &Rotation, at: &str, who: Option<&str>) {
        assert_eq!(rotation.on_duty(at.parse().unwrap()), who, "{at}");
    }

    #[test]
    fn turns_change_at_the_local_hour_before_and_after_the_clocks_change() {
        let weekly = rotation("Mon 09:00", "Europe/Berlin");
        check(&weekly, "2026-03-23T07:59:59Z", None);
        check(&weekly, "2026-03-23T08:00:00Z", Some("ana"));
        // Summer time since the Sunday: nine o'clock is 07:00 UTC.
        check(&weekly, "2026-03-30T06:59:59Z", Some("ana"));
        check(&weekly, "2026-03-30T07:00:00Z", Some("bob"));
        check(&weekly, "2026-04-13T07:00:00Z", Some("ana"));
    }

    #[test]
    fn a_handover_in_the_hour_that_is_leapt_over_is_at_its_end() {
        let daily = rotation("02:30", "Europe/Berlin");
        check(&daily, "2026-03-28T01:30:00Z", Some("cy"));
        check(&daily, "2026-03-29T01:29:59Z", Some("cy"));
        check(&daily, "2026-03-29T01:30:00Z", Some("ana"));
        check(&daily, "2026-03-30T00:30:00Z", Some("bob"));
    }

    #[test]
    fn somebody_stands_in_from_and_until() {
        let weekly = rotation("Mon 09:00", "UTC");
        check(&weekly, "2026-03-31T23:59:59Z", Some("bob"));
        check(&weekly, "2026-04-01T00:00:00Z", Some("dee"));
        check(&weekly, "2026-04-02T00:00:00Z", Some("bob"));
        assert_eq!(weekly.people(), ["ana", "bob", "cy", "dee"]);
    }

    #[test]
    fn a_leap_day_is_a_day() {
        let file = r#"{"people": ["ana", "bob"], "handover": "00:00", "start": "2028-02-28"}"#;
        let daily: Rotation = serde_json::from_str(file).unwrap();
        check(&daily, "2028-02-28T12:00:00Z", Some("ana"));
        check(&daily, "2028-02-29T12:00:00Z", Some("bob"));
        check(&daily, "2028-03-01T12:00:00Z", Some("ana"));
    }

    #[test]
    fn a_rotation_that_nobody_could_follow_is_refused() {
        for (bad, says) in [
            (r#"{"people": [], "handover": "Mon 09:00", "start": "2026-01-01"}"#, "without people"),
            (r#"{"people": ["a"], "handover": "Mo 9", "start": "2026-01-01"}"#, "no handover"),
            (r#"{"people": ["a"], "handover": "Mon 25:00", "start": "2026-01-01"}"#, "no handover"),
            (r#"{"people": ["a"], "handover": "Mon 09:00", "start": "1.1.26"}"#, "no start"),
            (r#"{"people": ["a"], "zone": "Mars/Base", "handover": "09:00", "start": "2026-01-01"}"#, "no time zone"),
        ] {
            let error = serde_json::from_str::<Rotation>(bad).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
