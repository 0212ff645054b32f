//! Days that are no working days, and for which years that is known.
//!
//! Does not compute any: they come from files. Invariant: outside the known years nothing is said to be considered.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Considered;

/// 1 January 1970.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Days with their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays {
    /// Name by day, counted from 1 January 1970.
    days: BTreeMap<i64, String>,
    /// First and last year that is known; none: nothing is.
    known: Option<(i16, i16)>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// Its day, `YYYY-MM-DD`.
    pub day: String,
    /// What it is called.
    pub name: String,
}

/// A file of holidays that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("holidays, line {line}: {why}")]
pub struct BadFile {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: &'static str,
}

impl Holidays {
    /// From days and names, known for these years.
    pub fn new(days: impl IntoIterator<Item = (Date, String)>, first: i16, last: i16) -> Self {
        let mut holidays = Self { days: BTreeMap::new(), known: Some((first, last)) };
        for (day, name) in days {
            holidays.add(number(day), &name);
        }
        holidays
    }

    /// From a file of this program: a line `years`, perhaps a line `parts`, then name, where and days with tabs between.
    /// Where is `*` (everywhere) or names parts of the country, with `_` for the country as a whole.
    pub fn parse(text: &str, part: Option<&str>) -> Result<Self, BadFile> {
        let (mut holidays, mut parts) = (Self::default(), Vec::new());
        let place = part.unwrap_or("_");
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let bad = |why| BadFile { line: index + 1, why };
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["years", first, last] => {
                    let year = |text: &str| text.parse().map_err(|_| bad("a year is not a number"));
                    holidays.known = Some((year(first)?, year(last)?));
                }
                ["parts", names] => parts = names.split(' ').collect(),
                [name, places, days] => {
                    let here = places == "*" || places.split(',').any(|one| one == place);
                    for day in days.split(' ') {
                        let day: Date = day.parse().map_err(|_| bad("a day is not written as YYYY-MM-DD"))?;
                        if here {
                            holidays.add(number(day), name);
                        }
                    }
                }
                _ => return Err(bad("it is neither years, parts nor name, where and days")),
            }
        }
        match part {
            _ if holidays.known.is_none() => Err(BadFile { line: 1, why: "no line says which years it is for" }),
            Some(part) if !parts.contains(&part) => Err(BadFile { line: 1, why: "the country has no such part" }),
            _ => Ok(holidays),
        }
    }

    /// These and others; known where both are. Whoever knows nothing adds nothing.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (day, name) in &other.days {
            self.add(*day, name);
        }
        self.known = match (self.known, other.known) {
            (Some(one), Some(other)) => {
                Some((one.0.max(other.0), one.1.min(other.1))).filter(|(first, last)| first <= last)
            }
            (one, other) => one.or(other),
        };
        self
    }

    /// The same days where further ones are missing: nothing is said to be considered.
    #[must_use]
    pub fn incomplete(self) -> Self {
        Self { known: None, ..self }
    }

    /// First and last year that is known.
    pub fn years(&self) -> Option<(i16, i16)> {
        self.known
    }

    /// The days of a year, in order; none: of all.
    pub fn list(&self, year: Option<i16>) -> Vec<Holiday> {
        let dated = self.days.iter().filter_map(|(day, name)| Some((date(*day)?, name)));
        let asked = dated.filter(|(day, _)| year.is_none_or(|year| day.year() == year));
        asked.map(|(day, name)| Holiday { day: day.to_string(), name: name.clone() }).collect()
    }

    /// What is to be said of a span that begins and ends in these years.
    pub fn considered(&self, first: i16, last: i16) -> Considered {
        match self.known {
            None => Considered::Not,
            Some((_, until)) if until < last => Considered::NotAfter(until),
            Some((from, _)) if first < from => Considered::NotBefore(from),
            Some(_) => Considered::All,
        }
    }

    /// Whether a day, counted from 1970, is one.
    pub(crate) fn has(&self, day: i64) -> bool {
        self.days.contains_key(&day)
    }

    /// Whether a date is one.
    pub(crate) fn has_date(&self, day: Date) -> bool {
        self.has(number(day))
    }

    fn add(&mut self, day: i64, name: &str) {
        let there = self.days.entry(day).or_default();
        if there.is_empty() {
            name.clone_into(there);
        } else if !there.split("; ").any(|one| one == name) {
            *there = format!("{there}; {name}");
        }
    }
}

fn number(day: Date) -> i64 {
    day.duration_since(EPOCH).as_hours() / 24
}

fn date(day: i64) -> Option<Date> {
    EPOCH.checked_add(jiff::SignedDuration::from_hours(day * 24)).ok()
}
