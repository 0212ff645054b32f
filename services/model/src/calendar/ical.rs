//! Holidays out of an iCalendar file (RFC 5545): events of whole days, and those that come again each year.
//!
//! Reads no file and guesses nothing. Invariant: every event is either taken or named with its line and the reason.

mod lines;
mod repeat;

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::Date;

use super::Holidays;
use lines::{Property, properties};
use repeat::Rule;

/// Events that come each year without an end are taken up to this one.
const LAST_YEAR: i16 = 2099;
/// A longer event is no holiday.
const LONGEST: i64 = 62;

/// What a file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The days.
    pub holidays: Holidays,
    /// Events that were taken.
    pub events: usize,
    /// What was not taken.
    pub unread: Vec<Unread>,
}

/// Something that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unread {
    /// The line where it begins, from 1.
    pub line: usize,
    /// Its name, or the line itself.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Reads a file. Years count as known from the first to the last event that is dated, or that comes again.
pub fn parse(text: &str) -> Imported {
    let (mut events, mut unread) = (Vec::new(), Vec::new());
    let mut open: Option<Event> = None;
    let mut other: Option<String> = None;
    for property in properties(text) {
        let property = match property {
            Ok(property) => property,
            Err(line) => {
                unread.push(line);
                continue;
            }
        };
        let value = property.value.trim().to_ascii_uppercase();
        match (property.name.as_str(), &mut open, &other) {
            ("END", None, Some(inside)) if *inside == value => other = None,
            (_, None, Some(_)) => {}
            ("BEGIN", None, None) if value == "VCALENDAR" => {}
            ("BEGIN", None, None) if value == "VEVENT" => open = Some(Event::at(property.line)),
            ("BEGIN", None, None) => {
                if value != "VTIMEZONE" {
                    unread.push(unread_at(property.line, &value, "only events are taken"));
                }
                other = Some(value);
            }
            ("BEGIN", Some(event), _) if value == "VEVENT" => {
                unread.push(event.not("it has no end"));
                open = Some(Event::at(property.line));
            }
            ("BEGIN", Some(event), _) => event.depth += 1,
            ("END", Some(event), _) if event.depth > 0 => event.depth -= 1,
            ("END", Some(event), _) => {
                match event.days() {
                    Ok(days) => events.push(days),
                    Err(why) => unread.push(event.not(&why)),
                }
                open = None;
            }
            (_, Some(event), _) => event.take(&property),
            (_, None, None) => {}
        }
    }
    unread.extend(open.map(|event| event.not("it has no end")));
    Imported { events: events.len(), holidays: together(&events), unread }
}

/// An event that was taken.
struct Days {
    name: String,
    days: Vec<Date>,
    /// Whether it comes again each year.
    repeats: bool,
}

fn together(events: &[Days]) -> Holidays {
    let dated: Vec<&Days> = events.iter().filter(|event| !event.repeats).collect();
    let named: Vec<&Days> = if dated.is_empty() { events.iter().collect() } else { dated };
    let years = || named.iter().flat_map(|event| &event.days).map(|day| day.year());
    let Some((first, last)) = years().min().zip(years().max()) else { return Holidays::default() };
    Holidays::new(events.iter().flat_map(|event| event.days.iter().map(|day| (*day, event.name.clone()))), first, last)
}

/// An event as it is read.
#[derive(Default)]
struct Event {
    line: usize,
    name: String,
    start: Option<String>,
    end: Option<String>,
    duration: Option<String>,
    rule: Vec<String>,
    more: Vec<String>,
    less: Vec<String>,
    /// What makes it something else than a holiday.
    against: Option<String>,
    /// Alarms and the like inside it.
    depth: usize,
}

impl Event {
    fn at(line: usize) -> Self {
        Self { line, ..Self::default() }
    }

    fn take(&mut self, property: &Property) {
        let value = property.value.trim().to_owned();
        if self.depth > 0 {
            return;
        }
        match property.name.as_str() {
            "SUMMARY" => self.name = property.text(),
            "DTSTART" => self.start = Some(value),
            "DTEND" => self.end = Some(value),
            "DURATION" => self.duration = Some(value),
            "RRULE" => self.rule.push(value),
            "RDATE" => self.more.extend(value.split(',').map(str::to_owned)),
            "EXDATE" => self.less.extend(value.split(',').map(str::to_owned)),
            "STATUS" if value.eq_ignore_ascii_case("CANCELLED") => self.against = Some("it is cancelled".to_owned()),
            "RECURRENCE-ID" => self.against = Some("it changes another event, which is not understood".to_owned()),
            "EXRULE" => self.against = Some("EXRULE is not understood".to_owned()),
            _ => {}
        }
    }

    fn not(&self, why: &str) -> Unread {
        unread_at(self.line, if self.name.is_empty() { "an event" } else { &self.name }, why)
    }

    fn days(&self) -> Result<Days, String> {
        if let Some(why) = &self.against {
            return Err(why.clone());
        }
        let start = self.start.as_deref().ok_or("it has no DTSTART")?;
        let start = date(start).ok_or_else(|| not_whole("DTSTART", start))?;
        let length = self.length(start)?;
        let mut begins = BTreeSet::from([start]);
        match &self.rule[..] {
            [] => {}
            [rule] => begins.extend(Rule::parse(rule, start)?.days(start, LAST_YEAR)),
            [_, _, ..] => return Err("it has several RRULEs".to_owned()),
        }
        for text in &self.more {
            begins.insert(date(text).ok_or_else(|| not_whole("RDATE", text))?);
        }
        for text in &self.less {
            begins.remove(&date(text).ok_or_else(|| not_whole("EXDATE", text))?);
        }
        let days =
            begins.iter().flat_map(|day| (0..length).map_while(|more| day.checked_add(Span::new().days(more)).ok()));
        let name = if self.name.is_empty() { "a holiday".to_owned() } else { self.name.clone() };
        Ok(Days { name, days: days.collect(), repeats: !self.rule.is_empty() })
    }

    /// In days; the end is the day after the last.
    fn length(&self, start: Date) -> Result<i64, String> {
        let length = match (&self.end, &self.duration) {
            (Some(end), _) => {
                let end = date(end).ok_or_else(|| not_whole("DTEND", end))?;
                // Some programs end a day on itself.
                (end.duration_since(start).as_hours() / 24).max(i64::from(end == start))
            }
            (None, Some(text)) => whole_days(text).ok_or_else(|| format!("DURATION `{text}` is not whole days"))?,
            (None, None) => 1,
        };
        match length {
            1..=LONGEST => Ok(length),
            ..1 => Err("it ends before it begins".to_owned()),
            _ => Err(format!("it lasts longer than {LONGEST} days")),
        }
    }
}

fn unread_at(line: usize, what: &str, why: &str) -> Unread {
    Unread { line, what: what.to_owned(), why: why.to_owned() }
}

fn not_whole(property: &str, text: &str) -> String {
    format!("{property} `{text}` is not a whole day, written as 20260101")
}

fn date(text: &str) -> Option<Date> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = digits.then(|| text.split_at_checked(4))??;
    let (month, day) = rest.split_at_checked(2)?;
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn whole_days(text: &str) -> Option<i64> {
    let count = text.strip_prefix('P')?;
    let weeks = count.strip_suffix('W').map(|weeks| (weeks, 7));
    let (digits, each) = weeks.or_else(|| count.strip_suffix('D').map(|days| (days, 1)))?;
    let digits = Some(digits).filter(|digits| digits.len() <= 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(digits.parse::<i64>().ok()? * each)
}
