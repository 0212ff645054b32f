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

    /// Whether it lies before or behind two days (`YYYY-MM-DD`) as a whole; one without a year does not.
    pub(super) fn is_outside(&self, first: &str, last: &str) -> bool {
        let Some(year) = self.year else { return false };
        let day = self.day.map_or(String::new(), |day| format!("-{day:02}"));
        let said = format!("{year:04}-{:02}{day}", self.month);
        let cut = |day: &str| day.chars().take(said.len()).collect::<String>();
        said < cut(first) || said > cut(last)
    }
}

/// Names and short forms in English, German, Spanish and French; lower case.
const MONTHS: [&[&str]; 12] = [
    &["january", "januar", "jänner", "enero", "janvier", "jan", "ene", "janv"],
    &["february", "februar", "febrero", "février", "feb", "févr"],
    &["march", "märz", "marzo", "mars", "mar", "mrz"],
    &["april", "abril", "avril", "apr", "abr", "avr"],
    &["may", "mai", "mayo"],
    &["june", "juni", "junio", "juin", "jun"],
    &["july", "juli", "julio", "juillet", "jul", "juil"],
    &["august", "agosto", "août", "aug", "ago"],
    &["september", "septiembre", "setiembre", "septembre", "sep", "sept"],
    &["october", "oktober", "octubre", "octobre", "oct", "okt"],
    &["november", "noviembre", "novembre", "nov"],
    &["december", "dezember", "diciembre", "décembre", "dec", "dez", "dic", "déc"],
];

/// The readings of the date that a text begins with, and how long it is.
pub(super) fn read(text: &str) -> Option<(Vec<Date>, usize)> {
    japanese(text).or_else(|| in_digits(text)).or_else(|| day_first(text)).or_else(|| month_first(text))
}

/// `令和4年9月24日`: a year of the emperor.
pub(super) fn era(text: &str) -> Option<(Vec<Date>, usize)> {
    let rest = text.strip_prefix("令和")?;
    let (since, _, rest) = digits(rest, 2)?;
    let (month, day, rest) = month_and_day(rest.strip_prefix('年')?)?;
    Some((vec![Date { year: Some(2018 + since), month, day }], text.len() - rest.len()))
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

/// `2022年9月24日`, `9月24日`.
fn japanese(text: &str) -> Option<(Vec<Date>, usize)> {
    let year = digits(text, 4).and_then(|(year, length, rest)| match length {
        4 => Some((year, rest.strip_prefix('年')?)),
        _ => None,
    });
    let from = year.map_or(text, |(_, rest)| rest);
    let (month, day, rest) = month_and_day(from)?;
    // `9月` alone is a span as often as a month.
    let named = year.is_some() || day.is_some();
    named.then(|| (vec![Date { year: year.map(|(year, _)| year), month, day }], text.len() - rest.len()))
}

fn month_and_day(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (month, _, rest) = digits(text, 2)?;
    let rest = rest.strip_prefix('月').filter(|_| (1..=12).contains(&month))?;
    let day = digits(rest, 2).and_then(|(day, _, rest)| Some((day, rest.strip_prefix('日')?)));
    let day = day.filter(|(day, _)| (1..=31).contains(day));
    Some((month, day.map(|(day, _)| day), day.map_or(rest, |(_, rest)| rest)))
}

/// `2022-09-24`, `2022/09/24`, `24.09.2022`, `24. 9. 22`, `24-09-2022`, `24/09/2022`, `9/24/2022`.
fn in_digits(text: &str) -> Option<(Vec<Date>, usize)> {
    let (first, length, rest) = digits(text, 4)?;
    let mark = rest.chars().next().filter(|char| matches!(char, '-' | '.' | '/'))?;
    let gap = |rest: &'_ str| -> usize { usize::from(mark == '.' && rest.starts_with(' ')) };
    let rest = &rest[1..];
    let (second, _, rest) = digits(&rest[gap(rest)..], 2)?;
    let rest = rest.strip_prefix(mark)?;
    let (third, last, rest) = digits(&rest[gap(rest)..], 4)?;
    if rest.starts_with(|char: char| char.is_ascii_digit() || char == mark && char != '.') {
        return None;
    }
    let readings: Vec<Date> = match (length, last, mark) {
        (4, 1 | 2, '-' | '/' | '.') => whole(first, second, third).into_iter().collect(),
        (1 | 2, 4, '.' | '-') => whole(third, second, first).into_iter().collect(),
        (1 | 2, 2, '.') => whole(2000 + third, second, first).into_iter().collect(),
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
    // In lower case these two are no months.
    let is_month = text.starts_with(char::is_uppercase) || !["may", "mar"].contains(&word.as_str());
    let rest = &text[length..];
    let rest = if word.chars().count() <= 5 { rest.strip_prefix('.').unwrap_or(rest) } else { rest };
    is_month.then_some((at as u32 + 1, rest))
}

/// A year behind a month: `2022`, `de 2022`, `, 2022`.
fn year(text: &str) -> Option<(u32, &str)> {
    let rest = text.strip_prefix(',').unwrap_or(text);
    let rest = rest.trim_start_matches([' ', '\u{a0}', '\n', '-']);
    let rest = rest.strip_prefix("de ").or_else(|| rest.strip_prefix("del ")).unwrap_or(rest);
    let (year, 4, rest) = digits(rest, 4)? else { return None };
    (1900..=2199).contains(&year).then_some((year, rest))
}

/// `24 September 2022`, `24. September 2022`, `24 de septiembre de 2022`, `1er octobre 2022`.
fn day_first(text: &str) -> Option<(Vec<Date>, usize)> {
    let (day, _, rest) = digits(text, 2)?;
    let rest = ["st", "nd", "rd", "th", "er", ".", "º"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
    let rest = rest.strip_prefix([' ', '\u{a0}', '\n', '-'])?;
    let rest = rest.strip_prefix("de ").or_else(|| rest.strip_prefix("of ")).unwrap_or(rest);
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
    let (day, _, rest) = digits(rest.strip_prefix([' ', '\n', '\u{a0}'])?, 2)?;
    // `August 12,000 files` names no day.
    let goes_on = |rest: &str| {
        rest.strip_prefix([',', '.']).is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
    };
    if goes_on(rest) {
        return None;
    }
    let rest = ["st", "nd", "rd", "th"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
    let (year, rest) = year(rest).map_or((None, rest), |(year, rest)| (Some(year), rest));
    (1..=31).contains(&day).then(|| (vec![Date { year, month, day: Some(day) }], text.len() - rest.len()))
}
