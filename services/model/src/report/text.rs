//! A text cut into words, numbers, days and marks, and these into sentences.
//!
//! Understands nothing. A sentence goes on over the end of a line, and ends at a full stop, a blank line, or where an item
//! of a list begins. Invariant: every token knows its place in the text as it was written, whatever its characters are
//! read as.

use super::dates::{self, Date};
use super::numbers::{self, Number};
use super::words::{self, Tongue};

/// A text that was cut.
pub(super) struct Text<'t> {
    original: &'t str,
    /// Of each byte of the plain text, and of its end: the byte of `original`.
    places: Vec<usize>,
    tokens: Vec<Token>,
}

/// A piece of it.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// First byte and end in the plain text.
    pub(super) at: usize,
    pub(super) end: usize,
    /// Physical line, from 1.
    pub(super) line: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// In lower case. A run of Japanese without spaces is one.
    Word(String),
    Number(Number),
    /// A day, with each of its readings.
    Day(Vec<Date>),
    /// A code, a version, a time of day, the number of an item: nothing is read into it.
    Name,
    Mark(char),
    /// Nothing is read across it.
    Stop,
}

/// Part of a text that is read as a whole.
#[derive(Clone, Copy)]
pub(super) struct Sentence<'t> {
    text: &'t Text<'t>,
    pub(super) tokens: &'t [Token],
}

impl<'t> Text<'t> {
    pub(super) fn read(original: &'t str) -> Self {
        let mut text = Self::unfolded(original);
        let tongue = Tongue::guess(&text.tokens);
        words::fold(&mut text.tokens, tongue);
        text
    }

    /// As it is read, and once for each language that its number words can be of: a few words are of no plain language.
    pub(super) fn read_in_each_language(original: &'t str) -> Vec<Self> {
        const EACH: [Tongue; 4] = [Tongue::English, Tongue::German, Tongue::French, Tongue::Spanish];
        let mut texts = vec![Self::read(original)];
        texts.extend(EACH.into_iter().map(|tongue| {
            let mut text = Self::unfolded(original);
            words::fold(&mut text.tokens, tongue);
            text
        }));
        texts
    }

    /// With number words as words.
    fn unfolded(original: &'t str) -> Self {
        // Full-width letters and figures as ASCII.
        let mut plain = String::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len() + 1);
        for (at, char) in original.char_indices() {
            let char = match char {
                '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char),
                '\u{3000}' => ' ',
                other => other,
            };
            plain.push(char);
            places.resize(plain.len(), at);
        }
        places.push(original.len());
        let tokens = tokens(&plain);
        Self { original, places, tokens }
    }

    pub(super) fn sentences(&self) -> impl Iterator<Item = Sentence<'_>> {
        self.tokens
            .split(|token| matches!(token.what, What::Stop))
            .filter(|tokens| !tokens.is_empty())
            .map(|tokens| Sentence { text: self, tokens })
    }
}

impl Sentence<'_> {
    /// As the text has it, on one line.
    pub(super) fn said(&self, from: &Token, to: &Token) -> String {
        let place = |at: usize| self.text.places.get(at).copied().unwrap_or(self.text.original.len());
        let said = self.text.original.get(place(from.at)..place(to.end)).unwrap_or_default();
        said.split([' ', '\n', '\r', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The token of the number that begins at a byte of the text as it was written.
    pub(super) fn number_at(&self, byte: usize) -> Option<usize> {
        let begins = |token: &Token| self.text.places.get(token.at) == Some(&byte);
        self.tokens.iter().position(|token| begins(token) && matches!(token.what, What::Number(_)))
    }

    /// Whether it asks.
    pub(super) fn is_question(&self) -> bool {
        let end = self.tokens.last().map_or(0, |token| self.text.places.get(token.end).copied().unwrap_or_default());
        let behind = self.text.original.get(end..).unwrap_or_default().trim_start();
        let asks = |word: &str| word.ends_with("か") && word.starts_with(is_unspaced);
        behind.starts_with(['?', '？'])
            || (0..self.tokens.len()).any(|at| matches!(self.mark(at), Some('¿' | '?')))
            || self.tokens.len().checked_sub(1).and_then(|last| self.word(last)).is_some_and(asks)
    }

    /// Its words in lower case, for cues that are parts of words.
    pub(super) fn lower(&self) -> String {
        lower(self.tokens)
    }

    pub(super) fn word(&self, at: usize) -> Option<&str> {
        match &self.tokens.get(at)?.what {
            What::Word(word) => Some(word),
            What::Number(_) | What::Day(_) | What::Name | What::Mark(_) | What::Stop => None,
        }
    }

    pub(super) fn mark(&self, at: usize) -> Option<char> {
        match self.tokens.get(at)?.what {
            What::Mark(mark) => Some(mark),
            What::Word(_) | What::Number(_) | What::Day(_) | What::Name | What::Stop => None,
        }
    }

    pub(super) fn number(&self, at: usize) -> Option<&Number> {
        match &self.tokens.get(at)?.what {
            What::Number(number) => Some(number),
            What::Word(_) | What::Day(_) | What::Name | What::Mark(_) | What::Stop => None,
        }
    }
}

/// The words of tokens, a space between each.
pub(super) fn lower(tokens: &[Token]) -> String {
    let words = tokens.iter().filter_map(|token| match &token.what {
        What::Word(word) => Some(word.as_str()),
        What::Number(_) | What::Day(_) | What::Name | What::Mark(_) | What::Stop => None,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Letters of Japanese, which stand without spaces.
pub(super) fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let (mut at, mut line, mut fresh) = (0, 1, true);
    while let Some(char) = text[at..].chars().next() {
        if char == '\n' {
            let blank = text[at + 1..].split('\n').next().is_none_or(|next| next.trim().is_empty());
            line += 1;
            fresh = true;
            if blank {
                tokens.push(Token { at, end: at, line, what: What::Stop });
            }
            at += 1;
            continue;
        }
        if char.is_whitespace() {
            at += char.len_utf8();
            continue;
        }
        if fresh {
            fresh = false;
            if let Some(length) = item(&text[at..]) {
                tokens.push(Token { at, end: at + length, line, what: What::Stop });
                at += length;
                continue;
            }
        }
        let (what, length) = token(text, at, char);
        tokens.push(Token { at, end: at + length, line, what });
        line += text[at..at + length].matches('\n').count();
        at += length;
    }
    tokens
}

/// How long the sign of an item of a list is: `- `, `• `, `3. `, `b) `.
fn item(text: &str) -> Option<usize> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if matches!(first, '-' | '*' | '•' | '–' | '—' | '・' | '#' | '>') {
        return chars.next().is_none_or(char::is_whitespace).then_some(first.len_utf8());
    }
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let numbered = (1..=2).contains(&length) && text.as_bytes()[..length].iter().all(u8::is_ascii_digit);
    let lettered = length == 1;
    let ends = text[length..].starts_with([')', '.']) && text[length + 1..].starts_with(char::is_whitespace);
    // `24. September` is a day.
    let is_day = dates::read(text).is_some();
    ((numbered || (lettered && text[length..].starts_with(')'))) && ends && !is_day).then_some(length + 1)
}

fn token(text: &str, at: usize, char: char) -> (What, usize) {
    let rest = &text[at..];
    if char.is_ascii_digit() {
        return figures(text, at);
    }
    if char == '+' && rest[1..].starts_with(|next: char| next.is_ascii_digit()) {
        let telephone = |char: char| char.is_ascii_digit() || matches!(char, ' ' | '-' | '/' | '(' | ')');
        let length = rest[1..].find(|char| !telephone(char)).map_or(rest.len(), |end| end + 1);
        return (What::Name, rest[..length].trim_end().len());
    }
    if is_unspaced(char) {
        if let Some((number, length)) = words::japanese(rest) {
            return (What::Number(number), length);
        }
        if let Some((dates, length)) = dates::era(rest) {
            return (What::Day(dates), length);
        }
        let ends =
            |(at, char): &(usize, char)| *at > 0 && (!is_unspaced(*char) || words::japanese(&rest[*at..]).is_some());
        let length = rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at);
        return (What::Word(rest[..length].to_owned()), length);
    }
    if char.is_alphabetic() {
        if let Some((dates, length)) = dates::read(rest) {
            return (What::Day(dates), length);
        }
        let length = word(rest);
        let word = &rest[..length];
        let is_name = word.contains(['@', '_', '.']) || word.bytes().any(|byte| byte.is_ascii_digit());
        return (if is_name { What::Name } else { What::Word(word.to_lowercase()) }, length);
    }
    let after = rest[char.len_utf8()..].chars().next();
    let ends = match char {
        '。' => true,
        '.' | '!' | '?' => {
            after.is_none_or(|next| next.is_whitespace() || matches!(next, '"' | '”' | '»' | ')'))
                && !abbreviated(&text[..at])
        }
        _ => false,
    };
    (if ends { What::Stop } else { What::Mark(char) }, char.len_utf8())
}

/// Whether the full stop behind this belongs to the last word.
fn abbreviated(before: &str) -> bool {
    const SHORT: [&str; 21] = [
        "approx", "art", "arts", "ca", "circa", "env", "mio", "mrd", "tsd", "no", "nos", "nr", "num", "núm", "abs",
        "sec", "par", "aprox", "bzw", "ung", "max",
    ];
    let last = before.rsplit(|char: char| !char.is_alphabetic()).next().unwrap_or_default().to_lowercase();
    SHORT.contains(&last.as_str())
}

/// How long a word is: letters and figures, hyphens, dots and the like within it.
fn word(text: &str) -> usize {
    for (at, char) in text.char_indices() {
        let goes_on = char.is_alphanumeric() && !is_unspaced(char);
        let next = text[at + char.len_utf8()..].chars().next();
        let joins = matches!(char, '-' | '.' | '@' | '_')
            && next.is_some_and(|next| next.is_ascii_alphanumeric() || (char == '-' && next.is_alphabetic()));
        if !goes_on && !joins {
            return at;
        }
    }
    text.len()
}

/// What begins with a figure: a day, a number, or a name.
fn figures(text: &str, at: usize) -> (What, usize) {
    let rest = &text[at..];
    if let Some((dates, length)) = dates::read(rest) {
        // `T08:00:00Z` belongs to it.
        let time = rest[length..].strip_prefix('T').filter(|rest| rest.starts_with(|char: char| char.is_ascii_digit()));
        let more = time.map_or(0, |rest| {
            1 + rest
                .find(|char: char| !char.is_ascii_digit() && !matches!(char, ':' | '.' | 'Z' | '+'))
                .unwrap_or(rest.len())
        });
        return (What::Day(dates), length + more);
    }
    let number = numbers::read(rest);
    let length = number.as_ref().map_or(1, |(_, length)| *length);
    let behind = &rest[length..];
    let digit = |text: &str| text.starts_with(|char: char| char.is_ascii_digit());
    let is_time_or_share = [":", "/"].iter().any(|mark| behind.strip_prefix(mark).is_some_and(digit));
    let is_word =
        behind.starts_with(|char: char| (char.is_alphabetic() && !is_unspaced(char)) || char == '_' || char == 'º');
    match number {
        Some((number, _)) if !is_time_or_share && !is_word && number.is_one() => (What::Number(number), length),
        _ => {
            let name = |char: char| !char.is_alphanumeric() && !matches!(char, ':' | '/' | '_' | '-');
            let more = behind.find(|char| name(char) || is_unspaced(char)).unwrap_or(behind.len());
            let length = length + if is_time_or_share || is_word { more } else { 0 };
            (What::Name, rest[..length].trim_end_matches([':', '/', '-']).len().max(1))
        }
    }
}
