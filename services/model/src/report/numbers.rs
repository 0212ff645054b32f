//! Numbers in figures as people write them in five languages: marks between thousands, decimals, words and units behind.
//!
//! Guesses nothing: `1.648 TB` is read as both, one thousand and some, and one and a fraction. A number with decimals
//! that is no size and has no word behind it counts nothing.

use super::text::is_unspaced;

/// A number with its readings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    pub(super) readings: Vec<Reading>,
    /// Of bytes.
    pub(super) size: bool,
    /// Whether a word or unit behind it says how it is rounded.
    pub(super) scaled: bool,
    /// Whether it is written in figures.
    pub(super) figures: bool,
    /// Whether marks stand between its figures.
    pub(super) marked: bool,
    /// Whether only its size is said: `thousands` are a thousand or more.
    pub(super) open: bool,
}

/// What a number can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) value: i128,
    /// What it is rounded to.
    pub(super) unit: i128,
}

impl Number {
    /// One that is written in words.
    pub(super) fn in_words(value: i128, unit: i128) -> Self {
        let readings = vec![Reading { value, unit }];
        Self { readings, size: false, scaled: unit > 1, figures: false, marked: false, open: false }
    }

    /// `thousands`: of this size or more.
    pub(super) fn open(size: i128) -> Self {
        Self { open: true, ..Self::in_words(size, size) }
    }

    /// Whether it is a number at all, and not a version or an address of figures and dots.
    pub(super) fn is_one(&self) -> bool {
        !self.readings.is_empty()
    }

    /// Whether it can be a year: four plain figures.
    pub(super) fn year(&self) -> Option<i128> {
        match self.readings.as_slice() {
            [only] if self.figures && !self.marked && !self.scaled && !self.size => {
                (1900..=2199).contains(&only.value).then_some(only.value)
            }
            _ => None,
        }
    }

    /// Whether it has decimals and no reading without them.
    pub(super) fn counts(&self) -> bool {
        self.size || self.readings.iter().any(|reading| reading.unit > 0)
    }
}

/// What a word or unit behind a number multiplies it by.
#[derive(Clone, Copy)]
enum By {
    Count(i128),
    Size(i128),
}

const K: i128 = 1_000;
const M: i128 = 1_000_000;
const G: i128 = 1_000_000_000;
const T: i128 = 1_000_000_000_000;
const P: i128 = 1_000_000_000_000_000;

/// Words behind a number, lower case.
const WORDS: [(&str, By); 60] = [
    ("thousand", By::Count(K)),
    ("tausend", By::Count(K)),
    ("tsd", By::Count(K)),
    ("mil", By::Count(K)),
    ("mille", By::Count(K)),
    ("milliers", By::Count(K)),
    ("dozen", By::Count(12)),
    ("dutzend", By::Count(12)),
    ("hundred", By::Count(100)),
    ("million", By::Count(M)),
    ("millions", By::Count(M)),
    ("millionen", By::Count(M)),
    ("mio", By::Count(M)),
    ("mn", By::Count(M)),
    ("millón", By::Count(M)),
    ("millones", By::Count(M)),
    ("billion", By::Count(G)),
    ("bn", By::Count(G)),
    ("milliarde", By::Count(G)),
    ("milliarden", By::Count(G)),
    ("mrd", By::Count(G)),
    ("milliard", By::Count(G)),
    ("milliards", By::Count(G)),
    ("byte", By::Size(1)),
    ("bytes", By::Size(1)),
    ("octet", By::Size(1)),
    ("octets", By::Size(1)),
    ("kb", By::Size(K)),
    ("mb", By::Size(M)),
    ("gb", By::Size(G)),
    ("tb", By::Size(T)),
    ("pb", By::Size(P)),
    ("kib", By::Size(1 << 10)),
    ("mib", By::Size(1 << 20)),
    ("gib", By::Size(1 << 30)),
    ("tib", By::Size(1 << 40)),
    ("kilobytes", By::Size(K)),
    ("kilobyte", By::Size(K)),
    ("megabytes", By::Size(M)),
    ("megabyte", By::Size(M)),
    ("gigabytes", By::Size(G)),
    ("gigabyte", By::Size(G)),
    ("terabytes", By::Size(T)),
    ("terabyte", By::Size(T)),
    ("petabytes", By::Size(P)),
    ("kilooctets", By::Size(K)),
    ("kilo-octets", By::Size(K)),
    ("mégaoctets", By::Size(M)),
    ("gigaoctets", By::Size(G)),
    ("téraoctets", By::Size(T)),
    ("téraoctet", By::Size(T)),
    ("pétaoctets", By::Size(P)),
    ("バイト", By::Size(1)),
    ("キロバイト", By::Size(K)),
    ("メガバイト", By::Size(M)),
    ("ギガバイト", By::Size(G)),
    ("テラバイト", By::Size(T)),
    ("千", By::Count(K)),
    ("万", By::Count(10_000)),
    ("億", By::Count(100_000_000)),
];

/// Signs behind a number, in upper and lower case as they are.
const SIGNS: [(&str, By); 8] = [
    ("k", By::Count(K)),
    ("K", By::Count(K)),
    ("M", By::Count(M)),
    ("ko", By::Size(K)),
    ("Ko", By::Size(K)),
    ("Mo", By::Size(M)),
    ("Go", By::Size(G)),
    ("To", By::Size(T)),
];

/// The number that a text begins with, and how long it is with the word behind it.
pub(super) fn read(text: &str) -> Option<(Number, usize)> {
    let mut length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    let mut groups = vec![&text[..length]];
    let mut marks: Vec<char> = Vec::new();
    while let Some((mark, group)) = next_group(&text[length..]) {
        let spaced = matches!(mark, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
        if spaced && (group.len() != 3 || groups[0].len() > 3) {
            break;
        }
        length += mark.len_utf8() + group.len();
        groups.push(group);
        marks.push(mark);
    }
    if groups.iter().map(|group| group.len()).sum::<usize>() > 20 {
        return Some((number(&[], None, &marks), length));
    }
    if let Some((number, more)) = in_myriads(&groups, &marks, &text[length..]) {
        return Some((number, length + more));
    }
    let by = scale(&text[length..]);
    let more = by.map_or(0, |(_, more)| more);
    Some((number(&readings(&groups, &marks), by.map(|(by, _)| by), &marks), length + more))
}

fn next_group(text: &str) -> Option<(char, &str)> {
    let mark =
        text.chars().next().filter(|char| matches!(char, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’'))?;
    let rest = &text[mark.len_utf8()..];
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    (length > 0).then(|| (mark, &rest[..length]))
}

/// (figures without marks, how many of them are decimals).
fn readings(groups: &[&str], marks: &[char]) -> Vec<(i128, u32)> {
    let joined = |groups: &[&str]| groups.concat().parse::<i128>().ok();
    let thousands = |groups: &[&str]| groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3);
    let mut readings = Vec::new();
    if groups.len() == 1 || thousands(groups) {
        readings.extend(joined(groups).map(|value| (value, 0)));
    }
    if let [whole @ .., fraction] = groups
        && let Some('.' | ',') = marks.last()
        && (whole.len() == 1
            || (thousands(whole) && marks[..marks.len() - 1].iter().all(|mark| Some(mark) != marks.last())))
    {
        readings.extend(joined(groups).map(|value| (value, fraction.len() as u32)));
    }
    readings
}

fn number(readings: &[(i128, u32)], by: Option<By>, marks: &[char]) -> Number {
    let (scale, size) = match by {
        Some(By::Count(scale)) => (scale, false),
        Some(By::Size(scale)) => (scale, true),
        None => (1, false),
    };
    let reading = |(digits, decimals): &(i128, u32)| {
        let parts = 10_i128.pow(*decimals);
        let unit = match (scale, decimals) {
            // A fraction of one: it counts nothing.
            (1, 1..) => 0,
            (scale, _) => (scale / parts).max(1),
        };
        Reading { value: digits * scale / parts, unit }
    };
    let readings = readings.iter().map(reading).collect();
    Number { readings, size, scaled: scale > 1, figures: true, marked: !marks.is_empty(), open: false }
}

/// What a word behind a number multiplies it by, and how long it is.
fn scale(rest: &str) -> Option<(By, usize)> {
    let text = rest.trim_start_matches([' ', '\u{a0}', '\u{202f}', '\n', '\r']);
    let gap = rest.len() - text.len();
    let within = !rest[..gap].contains('\n');
    let ends = |char: char| (!char.is_alphabetic() && char != '-') || is_unspaced(char);
    let word = text.find(ends).unwrap_or(text.len());
    let (word, lower) = (&text[..word], text[..word].to_lowercase());
    // `To` at the beginning of a line is a word.
    let sign = SIGNS.iter().find(|(sign, _)| within && *sign == word);
    let found = sign.or_else(|| WORDS.iter().find(|(known, _)| *known == lower));
    if let Some((_, by)) = found {
        // `Mio.` has a full stop of its own.
        let dot = usize::from(["mio", "mrd", "tsd"].contains(&lower.as_str()) && text[word.len()..].starts_with('.'));
        return Some((*by, gap + word.len() + dot));
    }
    // Nothing stands between Japanese words.
    let japanese = WORDS.iter().filter(|(known, _)| !known.is_ascii() && text.starts_with(known));
    let longest = japanese.filter(|(known, _)| known.chars().all(is_unspaced)).max_by_key(|(known, _)| known.len());
    longest.map(|(known, by)| (*by, gap + known.len()))
}

/// `164万8458`, `1億6,484万`: several figures with a unit each.
fn in_myriads(groups: &[&str], marks: &[char], rest: &str) -> Option<(Number, usize)> {
    let whole =
        |groups: &[&str], marks: &[char]| readings(groups, marks).into_iter().find(|(_, decimals)| *decimals == 0);
    let unit = |text: &str| {
        ['億', '万', '千'].into_iter().zip([100_000_000, 10_000, K]).find(|(sign, _)| text.starts_with(*sign))
    };
    let (sign, scale) = unit(rest)?;
    let (first, _) = whole(groups, marks)?;
    let mut length = sign.len_utf8();
    let (mut total, mut last) = (first * scale, scale);
    let begins = |text: &str| text.starts_with(|char: char| char.is_ascii_digit());
    if !begins(&rest[length..]) {
        return None;
    }
    while begins(&rest[length..]) {
        let digits: String = rest[length..].chars().take_while(|char| char.is_ascii_digit() || *char == ',').collect();
        let digits = digits.trim_end_matches(',');
        let value: i128 = digits.replace(',', "").parse().ok()?;
        length += digits.len();
        let (sign, scale) = unit(&rest[length..]).map_or((None, 1), |(sign, scale)| (Some(sign), scale));
        if scale >= last {
            return None;
        }
        total += value * scale;
        last = scale;
        length += sign.map_or(0, char::len_utf8);
    }
    let readings = vec![Reading { value: total, unit: last }];
    Some((Number { readings, size: false, scaled: last > 1, figures: true, marked: true, open: false }, length))
}
