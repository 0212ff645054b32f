//! Days as people write them in five languages.
//!
//! Guesses nothing: where two readings are possible (`03/04/2022`), both are given.

/// A day, or part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: Option<u32>,
    pub(super) month: u32,
    pub(super) day: Option<u32>,
}

impl Date {
    /// Whether a day (`YYYY-MM-DD`) is this one, as far as it is named.
    pub(super) fn is(&self, day: &str) -> bool {
        let mut parts = day.split('-').map(str::parse::<u32>);
        let (Some(Ok(year)), Some(Ok(month)), Some(Ok(on))) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        self.year.is_none_or(|named| named == year) && self.month == month && self.day.is_none_or(|named| named == on)
    }
}

/// Names in English, German, Spanish and French, as they begin; lower case.
const MONTHS: [&[&str]; 12] = [
    &["january", "januar", "jänner", "enero", "janvier"],
    &["february", "februar", "febrero", "février"],
    &["march", "märz", "marzo", "mars"],
    &["april", "abril", "avril"],
    &["may", "mai", "mayo"],
    &["june", "juni", "junio", "juin"],
    &["july", "juli", "julio", "juillet"],
    &["august", "agosto", "août"],
    &["september", "septiembre", "septembre"],
    &["october", "oktober", "octubre", "octobre"],
    &["november", "noviembre", "novembre"],
    &["december", "dezember", "diciembre", "décembre"],
];

/// The readings of the date that a text begins with, and how long it is.
pub(super) fn read(text: &str) -> Option<(Vec<Date>, usize)> {
    japanese(text).or_else(|| in_digits(text)).or_else(|| day_first(text)).or_else(|| month_first(text))
}

/// A run of digits no longer than `most`, and what follows it.
fn digits(text: &str, most: usize) -> Option<(u32, usize, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 || length > most {
        return None;
    }
    Some((text[..length].parse().ok()?, length, &text[length..]))
}

fn whole(year: u32, month: u32, day: u32) -> Option<Date> {
    let fits = (1900..=2199).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then_some(Date { year: Some(year), month, day: Some(day) })
}

/// `2022年9月24日`.
fn japanese(text: &str) -> Option<(Vec<Date>, usize)> {
    let (year, 4, rest) = digits(text, 4)? else { return None };
    let (month, _, rest) = digits(rest.strip_prefix('年')?, 2)?;
    let rest = rest.strip_prefix('月')?;
    let day = digits(rest, 2).and_then(|(day, _, rest)| Some((day, rest.strip_prefix('日')?)));
    let end = day.map_or(rest, |(_, rest)| rest);
    let date = Date { year: Some(year), month, day: day.map(|(day, _)| day) };
    (1..=12).contains(&month).then(|| (vec![date], text.len() - end.len()))
}

/// `2022-09-24`, `24.09.2022`, `24/09/2022`, `9/24/2022`.
fn in_digits(text: &str) -> Option<(Vec<Date>, usize)> {
    let (first, length, rest) = digits(text, 4)?;
    let mark = rest.chars().next().filter(|char| matches!(char, '-' | '.' | '/'))?;
    let (second, _, rest) = digits(&rest[1..], 2)?;
    let (third, last, rest) = digits(rest.strip_prefix(mark)?, 4)?;
    let readings: Vec<Date> = match (length, last, mark) {
        (4, 2, '-') => whole(first, second, third).into_iter().collect(),
        (1 | 2, 4, '.') => whole(third, second, first).into_iter().collect(),
        (1 | 2, 4, '/') => [whole(third, second, first), whole(third, first, second)].into_iter().flatten().collect(),
        _ => Vec::new(),
    };
    (!readings.is_empty()).then(|| (readings, text.len() - rest.len()))
}

/// The month that a text begins with, and what follows.
fn month(text: &str) -> Option<(u32, &str)> {
    let length = text.find(|char: char| !char.is_alphabetic()).unwrap_or(text.len());
    let word = text[..length].to_lowercase();
    let at = MONTHS.iter().position(|names| names.contains(&word.as_str()))?;
    Some((at as u32 + 1, &text[length..]))
}

/// A year behind a month: `2022`, `de 2022`, `, 2022`.
fn year(text: &str) -> Option<(u32, &str)> {
    let rest = text.strip_prefix(',').unwrap_or(text);
    let rest = rest.trim_start_matches([' ', '\u{a0}']);
    let rest = rest.strip_prefix("de ").or_else(|| rest.strip_prefix("del ")).unwrap_or(rest);
    let (year, 4, rest) = digits(rest, 4)? else { return None };
    (1900..=2199).contains(&year).then_some((year, rest))
}

/// `24 September 2022`, `24. September 2022`, `24 de septiembre de 2022`, `1er octobre 2022`.
fn day_first(text: &str) -> Option<(Vec<Date>, usize)> {
    let (day, _, rest) = digits(text, 2)?;
    let rest = ["st", "nd", "rd", "th", "er", ".", "º"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
    let rest = rest.strip_prefix([' ', '\u{a0}'])?;
    let rest = rest.strip_prefix("de ").unwrap_or(rest);
    let (month, rest) = month(rest)?;
    let (year, rest) = year(rest).map_or((None, rest), |(year, rest)| (Some(year), rest));
    (1..=31).contains(&day).then(|| (vec![Date { year, month, day: Some(day) }], text.len() - rest.len()))
}

/// `September 24, 2022`, `September 2022`; a month alone is a word.
fn month_first(text: &str) -> Option<(Vec<Date>, usize)> {
    let (month, rest) = month(text)?;
    if let Some((year, rest)) = year(rest) {
        return Some((vec![Date { year: Some(year), month, day: None }], text.len() - rest.len()));
    }
    let (day, _, rest) = digits(rest.strip_prefix(' ')?, 2)?;
    let rest = ["st", "nd", "rd", "th"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
    let (year, rest) = year(rest).map_or((None, rest), |(year, rest)| (Some(year), rest));
    (1..=31).contains(&day).then(|| (vec![Date { year, month, day: Some(day) }], text.len() - rest.len()))
}
