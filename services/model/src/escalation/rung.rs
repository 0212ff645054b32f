//! One rung, and the forms in which files and the store write it.
//!
//! Invariant: a rung that says only what older programs know is written as they write it, so that they read it too.

use serde::{Deserialize, Serialize};

use super::{Delay, Target};

/// One rung: after a delay, these targets; then again, `repeats` times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RungFile", into = "RungFile")]
pub struct Rung {
    /// The delay after the start.
    pub after: Delay,
    /// Who is turned to; each gets its own firing.
    pub targets: Vec<Target>,
    /// How often the rung fires again after its first time.
    pub repeats: u32,
    /// Between two firings of a rung that repeats.
    pub pause: Delay,
    /// How many different people have to acknowledge until the ladder stands still.
    pub acknowledgements: u32,
    /// Whose clock its delays are measured by.
    pub hours: Hours,
}

/// Whose clock a delay is measured by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hours {
    /// The clock on the wall.
    Wall,
    /// Office hours.
    Business {
        /// A `[calendars.NAME]` of the configuration.
        calendar: String,
    },
}

impl Rung {
    /// A rung on the wall's clock that fires once and that one person acknowledges.
    pub fn after(after: Delay, targets: &[Target]) -> Self {
        Self {
            after,
            targets: targets.to_vec(),
            repeats: 0,
            pause: Delay::DAY,
            acknowledgements: 1,
            hours: Hours::Wall,
        }
    }
}

/// A rung as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RungFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_hours: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    targets: Vec<Target>,
    #[serde(default)]
    repeats: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat_hours: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat_after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledgements: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hours: Option<Clock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Clock {
    Wall,
    Business,
}

impl TryFrom<RungFile> for Rung {
    type Error = String;

    fn try_from(file: RungFile) -> Result<Self, String> {
        let clock = file.hours.unwrap_or(Clock::Wall);
        let delay = |names: [&str; 2], hours: Option<u32>, text: Option<&str>| match (hours, text) {
            (Some(_), Some(_)) => Err(format!("{} and {} say the same: keep one", names[0], names[1])),
            (Some(hours), None) => Ok(Some(Delay::hours(hours))),
            // Whether a day is 24 hours or one of eight, no reader could tell.
            (None, Some(text)) if clock == Clock::Business && text.trim_end().ends_with(['d', 'w']) => {
                Err(format!("{} = \"{text}\" with hours = \"business\": write it in open hours, as in 16h", names[1]))
            }
            (None, Some(text)) => text.parse().map(Some).map_err(|error: super::NotADelay| error.to_string()),
            (None, None) => Ok(None),
        };
        let after = delay(["after_hours", "after"], file.after_hours, file.after.as_deref())?
            .ok_or("a rung needs after_hours = 24, or after = \"24h\"")?;
        let pause = delay(["repeat_hours", "repeat_after"], file.repeat_hours, file.repeat_after.as_deref())?;
        let hours = match (clock, file.calendar) {
            (Clock::Wall, None) => Hours::Wall,
            (Clock::Business, Some(calendar)) => Hours::Business { calendar },
            (Clock::Wall, Some(calendar)) => {
                return Err(format!("calendar = \"{calendar}\" is of no use here: add hours = \"business\""));
            }
            (Clock::Business, None) => return Err("hours = \"business\" needs a calendar = \"NAME\"".to_owned()),
        };
        Ok(Self {
            after,
            targets: file.targets,
            repeats: file.repeats,
            pause: pause.unwrap_or(Delay::DAY),
            acknowledgements: file.acknowledgements.unwrap_or(1),
            hours,
        })
    }
}

impl From<Rung> for RungFile {
    fn from(rung: Rung) -> Self {
        let text = |delay: Delay| if delay.whole_hours().is_none() { Some(delay.to_string()) } else { None };
        let (hours, calendar) = match rung.hours {
            Hours::Wall => (None, None),
            Hours::Business { calendar } => (Some(Clock::Business), Some(calendar)),
        };
        Self {
            after_hours: rung.after.whole_hours(),
            after: text(rung.after),
            targets: rung.targets,
            repeats: rung.repeats,
            repeat_hours: rung.pause.whole_hours(),
            repeat_after: text(rung.pause),
            acknowledgements: (rung.acknowledgements != 1).then_some(rung.acknowledgements),
            hours,
            calendar,
        }
    }
}
