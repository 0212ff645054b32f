//! Numbers in words: `three thousand`, `fünfundsechzigtausend`, `soixante-cinq mille`, `sesenta y cinco mil`, `六万五千`.
//!
//! Knows no noun. A word that means something else in another language (`once`, `six`, `cent`) counts only where the
//! language of the text is plain.

mod tables;

use super::numbers::{Number, Reading};
use super::text::{Token, What};
use tables::Part::{self, About, Add, Half, Times};
use tables::{GERMAN, table};

/// The language that a text seems to be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    English,
    German,
    French,
    Spanish,
    /// Not plain.
    Any,
}

impl Tongue {
    /// By the small words that each language has many of.
    pub(super) fn guess(tokens: &[Token]) -> Self {
        const SMALL: [(Tongue, [&str; 14]); 4] = [
            (
                Tongue::English,
                ["the", "of", "and", "was", "were", "we", "that", "to", "in", "is", "are", "have", "had", "about"],
            ),
            (
                Tongue::German,
                [
                    "der", "die", "das", "und", "wurde", "wurden", "von", "wir", "ist", "sind", "haben", "den", "etwa",
                    "im",
                ],
            ),
            (
                Tongue::French,
                ["le", "les", "des", "et", "du", "nous", "ont", "est", "sont", "dans", "une", "été", "environ", "au"],
            ),
            (
                Tongue::Spanish,
                ["el", "los", "las", "y", "del", "que", "han", "fueron", "una", "se", "hemos", "sido", "en", "unos"],
            ),
        ];
        let count = |small: &[&str]| {
            let is = |token: &&Token| matches!(&token.what, What::Word(word) if small.contains(&word.as_str()));
            tokens.iter().filter(is).count()
        };
        let mut scores = SMALL.map(|(tongue, small)| (count(&small), tongue));
        scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let [(first, tongue), (second, _), ..] = scores;
        if first > second { tongue } else { Self::Any }
    }
}

/// Words that mean something else in one of the other languages.
const ELSEWHERE: [&str; 13] =
    ["once", "six", "cent", "cents", "seize", "elf", "acht", "dos", "mil", "score", "null", "mille", "neuf"];
/// Joins the parts of a number.
const AND: [&str; 3] = ["and", "et", "y"];

/// Puts words that are a number together into one token.
pub(super) fn fold(tokens: &mut Vec<Token>, tongue: Tongue) {
    let mut folded: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match open(&tokens[at..]).or_else(|| sequence(&tokens[at..], tongue)) {
            Some((number, length)) => {
                let end = tokens[at + length - 1].end;
                folded.push(Token { at: token.at, end, line: token.line, what: What::Number(number) });
                at += length;
            }
            None => {
                folded.push(token.clone());
                at += 1;
            }
        }
    }
    *tokens = folded;
}

/// `thousands of`, `Tausende`, `des milliers de`, `miles de`: how large a number is, and no number. The tokens of its words.
fn open(tokens: &[Token]) -> Option<(Number, usize)> {
    const OF: [&str; 5] = ["of", "de", "d", "von", "an"];
    let word = |at: usize| match &tokens.get(at)?.what {
        What::Word(word) => Some(word.as_str()),
        What::Number(_) | What::Day(_) | What::Name | What::Mark(_) | What::Stop => None,
    };
    let (size, needs_of) = tables::open(word(0)?)?;
    let joined = word(1).is_some_and(|next| OF.contains(&next));
    // `tens of thousands`, `des dizaines de milliers`.
    let larger = (joined && size < 1_000).then(|| word(2).and_then(tables::open)).flatten();
    if let Some((times, _)) = larger.filter(|(times, _)| *times >= 1_000) {
        let ten = if size < 100 { 10 } else { size };
        return Some((Number::open(ten * times), 3));
    }
    (joined || !needs_of).then(|| (Number::open(size), 1))
}

/// The number that these tokens begin with, and how many they are.
fn sequence(tokens: &[Token], tongue: Tongue) -> Option<(Number, usize)> {
    let of = |tongue: Tongue| in_one_language(tokens, tongue, |word| word.to_owned());
    match tongue {
        Tongue::Any => {
            let all = [Tongue::English, Tongue::German, Tongue::French, Tongue::Spanish];
            // A word of two languages is left out.
            let plain = |word: &str| if ELSEWHERE.contains(&word) { String::new() } else { word.to_owned() };
            all.into_iter()
                .filter_map(|tongue| in_one_language(tokens, tongue, plain))
                .max_by_key(|(_, length)| *length)
        }
        known => of(known),
    }
}

fn in_one_language(tokens: &[Token], tongue: Tongue, read: impl Fn(&str) -> String) -> Option<(Number, usize)> {
    let word = |at: usize| match &tokens.get(at)?.what {
        What::Word(word) => Some(read(word)),
        What::Number(_) | What::Day(_) | What::Name | What::Mark(_) | What::Stop => None,
    };
    let mut sum = Sum::default();
    let mut used = 0;
    // `a dozen`, `eine halbe Million`.
    let article = word(0).filter(|first| ["a", "eine", "ein", "une", "un", "una", "medio"].contains(&first.as_str()));
    let mut at = usize::from(article.is_some());
    if article.as_deref() == Some("medio") {
        sum.half = true;
    }
    while let Some(next) = word(at) {
        let joins = used > 0 && AND.contains(&next.as_str());
        let here = at + usize::from(joins);
        let Some(parts) = word(here).and_then(|word| parts(&word, tongue)) else { break };
        let mut tried = sum;
        if !parts.iter().all(|part| tried.take(*part)) {
            break;
        }
        // After an article only what can have one: `a hundred`, not `a two`.
        if used == 0 && article.is_some() && matches!(parts[0], Add(_)) {
            return None;
        }
        sum = tried;
        at = here + 1;
        used = at;
        // `half a million`, `a dozen of`.
        if parts.contains(&Half) && word(at).is_some_and(|next| next == "a") {
            at += 1;
        }
    }
    (used > 0).then(|| sum.number()).flatten().map(|number| (number, used))
}

/// A number as it grows word by word.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    total: i128,
    current: Option<i128>,
    last: Option<Part>,
    half: bool,
    unit: i128,
}

impl Sum {
    /// Whether this part can come next.
    fn take(&mut self, part: Part) -> bool {
        let fits = match (part, self.last) {
            (Add(vingt @ 20), Some(Add(4))) => {
                self.current = self.current.map(|current| current - 4 + 4 * vingt);
                self.last = Some(Add(80));
                return true;
            }
            (Add(next), Some(Add(before))) => before >= 20 && before % 10 == 0 && next < before.min(100) && next > 0,
            (Add(_), Some(About(..) | Half)) => false,
            (Add(next), Some(Times(before))) => next < before,
            (Times(next), Some(Times(before))) => next > before || before >= 1_000,
            (Times(_), Some(Add(_) | Half) | None) | (Add(_) | Half, None) => true,
            (Times(_), Some(About(..))) => false,
            (About(..), Some(Add(_)) | None) => true,
            (About(..), Some(Times(_) | About(..) | Half)) | (Half, Some(_)) => false,
        };
        if !fits {
            return false;
        }
        match part {
            Add(value) => self.current = Some(self.current.unwrap_or(0) + value),
            Times(100) => self.current = Some(self.current.unwrap_or(1) * 100),
            Times(scale) => {
                let many = match (self.current, self.half) {
                    (Some(many), _) => many * scale,
                    (None, true) => scale / 2,
                    (None, false) => scale,
                };
                self.half = false;
                self.total += many;
                self.current = None;
                self.unit = scale;
            }
            About(value, unit) => {
                self.current = Some(self.current.unwrap_or(1) * value);
                self.unit = unit;
            }
            Half => self.half = true,
        }
        self.last = Some(part);
        true
    }

    fn number(self) -> Option<Number> {
        let value = self.total + self.current.unwrap_or(0);
        // `one organisation` is any organisation more often than a count.
        if self.half || self.last.is_none() || value == 1 {
            return None;
        }
        let unit = match (self.current, self.last) {
            (Some(_), Some(Add(_) | Times(_))) => 1,
            _ => self.unit.max(1),
        };
        Some(Number::in_words(value, unit))
    }
}

/// What a word adds: one part, or several of a compound.
fn parts(word: &str, tongue: Tongue) -> Option<Vec<Part>> {
    let find = |word: &str| table(tongue).iter().find(|(known, _)| *known == word).map(|(_, part)| *part);
    if let Some(part) = find(word) {
        return Some(vec![part]);
    }
    if word.contains('-') {
        let pieces = word.split('-').filter(|piece| *piece != "et");
        return pieces.map(find).collect::<Option<Vec<_>>>();
    }
    (tongue == Tongue::German).then(|| german(word)).flatten().map(|value| vec![Add(value)])
}

/// `fünfundsechzigtausend` in one word.
fn german(word: &str) -> Option<i128> {
    let find = |word: &str| match GERMAN.iter().find(|(known, _)| *known == word)?.1 {
        Add(value) => Some(value),
        Times(_) | About(..) | Half => None,
    };
    for (split, scale) in [("tausend", 1_000), ("hundert", 100)] {
        if let Some((many, rest)) = word.split_once(split) {
            let many = if many.is_empty() || many == "ein" { 1 } else { german(many)? };
            let rest = rest.strip_prefix("und").unwrap_or(rest);
            return Some(many * scale + if rest.is_empty() { 0 } else { german(rest)? });
        }
    }
    if let Some(value) = find(word) {
        return Some(value);
    }
    let (ones, tens) = word.split_once("und")?;
    let ones = if ones == "ein" { 1 } else { find(ones).filter(|ones| *ones < 10)? };
    Some(ones + find(tens).filter(|tens| *tens >= 20)?)
}

/// A number in the characters of Japanese that something counted follows: `六万五千社`.
pub(super) fn japanese(text: &str) -> Option<(Number, usize)> {
    if let Some(found) = open_japanese(text) {
        return Some(found);
    }
    let (mut total, mut section, mut digit, mut length, mut unit) = (0_i128, 0_i128, None, 0, 1);
    for char in text.chars() {
        let figure = "〇一二三四五六七八九".chars().position(|known| known == char);
        match (figure, char) {
            (Some(figure), _) => digit = Some(figure as i128),
            (None, '十' | '百' | '千') => {
                unit = match char {
                    '十' => 10,
                    '百' => 100,
                    _ => 1_000,
                };
                section += digit.take().unwrap_or(1) * unit;
            }
            (None, '万' | '億') => {
                unit = if char == '万' { 10_000 } else { 100_000_000 };
                total += (section + digit.take().unwrap_or(0)).max(1) * unit;
                section = 0;
            }
            _ => break,
        }
        length += char.len_utf8();
    }
    let counted = text[length..].starts_with(['件', '社', '人', '名', '個', 'の', '組', '点']);
    let value = total + section + digit.unwrap_or(0);
    // `一人`, `一件` stand in many sentences that count nothing.
    if length == 0 || !counted || value < 2 {
        return None;
    }
    let unit = if digit.is_some() || unit < 1_000 { 1 } else { unit };
    let mut number = Number::in_words(value, unit);
    number.readings = vec![Reading { value, unit }];
    Some((number, length))
}

/// `数千件`, `何万人`: of this size or more.
fn open_japanese(text: &str) -> Option<(Number, usize)> {
    let some = text.chars().next().filter(|char| matches!(char, '数' | '何'))?;
    let (mut size, mut length) = (1_i128, some.len_utf8());
    for char in text[length..].chars() {
        size *= match char {
            '十' => 10,
            '百' => 100,
            '千' => 1_000,
            '万' => 10_000,
            '億' => 100_000_000,
            _ => break,
        };
        length += char.len_utf8();
    }
    let counted = text[length..].starts_with(['件', '社', '人', '名', '個', 'の', '組', '点', 'も']);
    (size > 1 && counted).then(|| (Number::open(size), length))
}
