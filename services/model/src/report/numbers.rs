//! Numbers as people write them in five languages: marks between thousands, decimals, words and units behind them.
//!
//! Guesses nothing: `1.648` is read as both, one thousand and some, and one and a fraction.

/// A number with its readings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    /// (digits without marks, how many of them are decimals).
    readings: Vec<(i128, u32)>,
    /// What a word or unit behind it multiplies it by.
    scale: i128,
    size: bool,
    /// A share of something: nobody knows of what.
    percent: bool,
}

impl Number {
    /// Whether a figure is this number: exactly, or as far as its decimals and its word go.
    pub(super) fn is(&self, value: i64) -> bool {
        !self.percent
            && self.readings.iter().any(|(digits, decimals)| {
                let unit = 10_i128.pow(*decimals);
                // Both sides multiplied by `unit`, so that nothing is divided.
                let (said, real) = (digits * self.scale, i128::from(value) * unit);
                match self.scale == 1 && *decimals == 0 {
                    true => said == real,
                    // Rounded to the nearest, or cut off.
                    false => (said - real).abs() * 2 <= self.scale || (0..self.scale).contains(&(real - said)),
                }
            })
    }

    pub(super) fn is_size(&self) -> bool {
        self.size
    }

    /// Its value, where it is plain digits.
    pub(super) fn integer(&self) -> Option<i128> {
        match self.readings.as_slice() {
            [(digits, 0)] if self.scale == 1 && !self.percent => Some(*digits),
            _ => None,
        }
    }
}

/// Words and units behind a number, lower case, longest first where one begins another.
const SCALES: [(&str, i128, bool); 28] = [
    ("millionen", 1_000_000, false),
    ("milliarden", 1_000_000_000, false),
    ("milliards", 1_000_000_000, false),
    ("millions", 1_000_000, false),
    ("million", 1_000_000, false),
    ("millones", 1_000_000, false),
    ("millón", 1_000_000, false),
    ("mio", 1_000_000, false),
    ("billion", 1_000_000_000, false),
    ("thousand", 1_000, false),
    ("tausend", 1_000, false),
    ("mille", 1_000, false),
    ("mil", 1_000, false),
    ("terabytes", 1_000_000_000_000, true),
    ("gigabytes", 1_000_000_000, true),
    ("megabytes", 1_000_000, true),
    ("tb", 1_000_000_000_000, true),
    ("gb", 1_000_000_000, true),
    ("mb", 1_000_000, true),
    ("kb", 1_000, true),
    ("to", 1_000_000_000_000, true),
    ("go", 1_000_000_000, true),
    ("mo", 1_000_000, true),
    ("ko", 1_000, true),
    ("億", 100_000_000, false),
    ("万", 10_000, false),
    ("千", 1_000, false),
    ("bytes", 1, true),
];

/// The number that a text begins with, and how long it is with the word behind it. Times of day are none.
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
    let rest = &text[length..];
    let is_time = rest.strip_prefix(':').is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()));
    if is_time || groups.iter().map(|group| group.len()).sum::<usize>() > 20 {
        return Some((Number { readings: Vec::new(), scale: 1, size: false, percent: true }, length))
            .filter(|_| !is_time);
    }
    let (scale, size, more) = scale(rest);
    let percent = rest.trim_start_matches([' ', '\u{a0}', '\u{202f}']).starts_with('%');
    Some((Number { readings: readings(&groups, &marks), scale, size, percent }, length + more))
}

fn next_group(text: &str) -> Option<(char, &str)> {
    let mark =
        text.chars().next().filter(|char| matches!(char, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’'))?;
    let rest = &text[mark.len_utf8()..];
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    (length > 0).then(|| (mark, &rest[..length]))
}

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

/// What a word behind a number multiplies it by, whether it is a size, and how long it is.
fn scale(rest: &str) -> (i128, bool, usize) {
    let text = rest.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let gap = rest.len() - text.len();
    let found = SCALES.iter().find(|(word, ..)| {
        let Some(head) = text.get(..word.len()) else { return false };
        let ends = !text[word.len()..].starts_with(|char: char| char.is_alphanumeric()) || !word.is_ascii();
        ends && head.to_lowercase() == *word
    });
    found.map_or((1, false, 0), |(word, scale, size)| (*scale, *size, gap + word.len()))
}
