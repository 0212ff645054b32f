//! Office hours of a week.
//!
//! Knows no zone and no holidays. Invariant: the spans of a day are in order and apart, and a week has at least one.

use std::collections::BTreeMap;
use std::fmt;

const MINUTE: i64 = 60_000_000;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Spans by weekday, Monday first, each from and until in minutes of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours([Vec<(u16, u16)>; 7]);

/// Why these are no office hours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadHours {
    /// Not a day of the week.
    #[error("office hours: `{0}` is no day; the days are mon, tue, wed, thu, fri, sat and sun")]
    Day(String),
    /// Not a span of a day.
    #[error("office hours: `{text}` of {day} is no span of a day; write 09:00-17:30, several with commas, up to 24:00")]
    Span {
        /// The day.
        day: String,
        /// What stands there.
        text: String,
    },
    /// Spans that overlap or stand in another order.
    #[error("office hours: the spans of {0} overlap or are out of order")]
    Order(String),
    /// Nothing at all.
    #[error("office hours: no day has any; name at least one, as in mon = \"09:00-17:30\"")]
    Never,
}

impl Default for Hours {
    /// Monday to Friday, 09:00 to 17:00.
    fn default() -> Self {
        let day = vec![(9 * 60, 17 * 60)];
        Self([day.clone(), day.clone(), day.clone(), day.clone(), day, Vec::new(), Vec::new()])
    }
}

impl Hours {
    /// From texts by day: `mon` = `09:00-12:00, 13:00-17:30`. A day that is not named, or empty, has none.
    pub fn parse<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, BadHours> {
        let mut week: [Vec<(u16, u16)>; 7] = Default::default();
        for (day, text) in texts {
            let index = DAYS.iter().position(|name| *name == day).ok_or_else(|| BadHours::Day(day.to_owned()))?;
            let Some(spans) = week.get_mut(index) else { continue };
            for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                let span = span(part);
                spans.push(span.ok_or_else(|| BadHours::Span { day: day.to_owned(), text: part.to_owned() })?);
            }
            if spans.windows(2).any(|pair| matches!(pair, [one, next] if next.0 < one.1)) {
                return Err(BadHours::Order(day.to_owned()));
            }
        }
        if week.iter().all(Vec::is_empty) { Err(BadHours::Never) } else { Ok(Self(week)) }
    }

    /// The texts that [`Self::parse`] reads.
    pub fn texts(&self) -> BTreeMap<&'static str, String> {
        let text = |spans: &Vec<(u16, u16)>| spans.iter().map(shown).collect::<Vec<_>>().join(", ");
        let named = DAYS.iter().zip(&self.0).filter(|(_, spans)| !spans.is_empty());
        named.map(|(day, spans)| (*day, text(spans))).collect()
    }

    /// The spans of a weekday, Monday = 0, in microseconds of the day.
    pub(super) fn of(&self, weekday: i64) -> impl Iterator<Item = (i64, i64)> + '_ {
        let spans = usize::try_from(weekday).ok().and_then(|day| self.0.get(day));
        spans.into_iter().flatten().map(|(from, until)| (i64::from(*from) * MINUTE, i64::from(*until) * MINUTE))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = DAYS.iter().zip(&self.0).filter(|(_, spans)| !spans.is_empty());
        let days = named.map(|(day, spans)| format!("{day} {}", spans.iter().map(shown).collect::<Vec<_>>().join(" ")));
        f.write_str(&days.collect::<Vec<_>>().join(", "))
    }
}

fn shown((from, until): &(u16, u16)) -> String {
    format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
}

fn span(text: &str) -> Option<(u16, u16)> {
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minutes(from.trim())?, minutes(until.trim())?);
    (from < until).then_some((from, until))
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| {
        (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse::<u16>().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let sum = hours * 60 + minutes;
    (minutes < 60 && sum <= 24 * 60).then_some(sum)
}
