//! From what handlebars wrote to what is sent: a writer with a limit, one-line subjects, folded text.
//!
//! Does not change words. Invariant: no control character, no direction override, no mark of ours and, in a subject, no
//! line break leaves here, wherever it came from.

use std::borrow::Cow;
use std::io;

use super::marks;

/// Columns of a text part where words allow it.
const COLUMNS: usize = 78;

/// A writer that takes a limited number of bytes and then fails.
#[derive(Debug)]
pub(super) struct Capped {
    text: String,
    limit: usize,
    full: bool,
}

impl Capped {
    pub(super) fn new(limit: usize) -> Self {
        Self { text: String::new(), limit, full: false }
    }

    /// What was written; `None` if the limit was reached.
    pub(super) fn into_text(self) -> Option<String> {
        if self.full { None } else { Some(self.text) }
    }
}

impl handlebars::Output for Capped {
    fn write(&mut self, text: &str) -> io::Result<()> {
        if self.text.len() + text.len() > self.limit {
            self.full = true;
            return Err(io::Error::other("the letter is too long"));
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// Without control characters (line feeds stay), without characters that change the direction of what follows, and without
/// those that we mark values with.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter_map(|char| match char {
        '\n' => Some('\n'),
        '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        other if other.is_control() || marks::is_mark(other) => None,
        other => Some(other),
    });
    Cow::Owned(kept.collect())
}

/// The same of a text that nobody else needs.
pub(super) fn cleaned(text: String) -> String {
    if is_clean(&text) { text } else { clean(&text).into_owned() }
}

/// Whether [`clean`] would change nothing, by bytes: nearly every text is clean, and most of it is ASCII.
fn is_clean(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'\n' | b' '..=b'~' => true,
        ..=0x1f | 0x7f => false,
        // U+0080 to U+009F are control characters.
        0xc2 => bytes.get(at + 1).is_none_or(|next| *next >= 0xa0),
        // U+200E, U+200F, U+2028 to U+202E; U+2066 to U+2069.
        0xf3 => bytes.get(at + 1).is_none_or(|next| *next < 0xb0),
        0xf4.. => false,
        0xe2 => !matches!(bytes.get(at + 1..at + 3), Some([0x80, 0x8e | 0x8f | 0xa8..=0xae] | [0x81, 0xa6..=0xa9])),
        _ => true,
    })
}

/// One line: every run of white space and control characters becomes one space.
pub(super) fn one_line(text: &str) -> String {
    // A plain value, as most are, is copied once.
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if plain && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ") {
        return text.to_owned();
    }
    let spaced: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    clean(&spaced).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text part: folded, at most one empty line in a row, none at the start, one line end at the end.
pub(super) fn plain_text(rendered: &str) -> String {
    let mut text = String::with_capacity(rendered.len() + rendered.len() / 40);
    let mut gap = false;
    for line in clean(rendered).lines() {
        let line = line.trim_end();
        if line.is_empty() {
            gap = !text.is_empty();
            continue;
        }
        if gap {
            text.push('\n');
            gap = false;
        }
        fold(line, &mut text);
    }
    text
}

/// Breaks at spaces, and between Chinese and Japanese characters; domains, addresses and codes stay whole.
fn fold(line: &str, text: &mut String) {
    if columns(line) <= COLUMNS {
        text.push_str(line);
        text.push('\n');
        return;
    }
    let (first, next) = margins(line);
    let mut at = columns(&first);
    let margin = columns(&next);
    text.push_str(&first);
    let mut fresh = true;
    for (gap, word) in words(&line[first.len()..]) {
        let width = columns(&word);
        let space = usize::from(gap == Gap::Space);
        if !fresh && at + space + width > COLUMNS {
            text.push('\n');
            text.push_str(&next);
            at = margin;
            fresh = true;
        }
        if !fresh && gap == Gap::Space {
            text.push(' ');
            at += 1;
        }
        text.push_str(&word);
        at += width;
        fresh = false;
    }
    text.push('\n');
}

/// What stands before a word when it is not the first of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Space,
    None,
}

/// What a line can be broken into; both forms of one domain (`xn--… (…)`) are one word.
fn words(line: &str) -> Vec<(Gap, Cow<'_, str>)> {
    let mut words: Vec<(Gap, Cow<'_, str>)> = Vec::with_capacity(line.len() / 6);
    // No-break spaces hold together what they stand between.
    for word in line.split(|char: char| char.is_whitespace() && !matches!(char, '\u{a0}' | '\u{202f}')) {
        match words.last_mut() {
            _ if word.is_empty() => {}
            Some((_, last)) if word.starts_with('(') && last.contains("xn--") && !last.contains(' ') => {
                let mut pieces = unspaced(word).into_iter();
                let last = last.to_mut();
                last.push(' ');
                last.extend(pieces.next().map(|(_, piece)| piece));
                words.extend(pieces.map(|(gap, piece)| (gap, Cow::Borrowed(piece))));
            }
            _ if word.is_ascii() => words.push((Gap::Space, Cow::Borrowed(word))),
            _ => words.extend(unspaced(word).into_iter().map(|(gap, piece)| (gap, Cow::Borrowed(piece)))),
        }
    }
    words
}

/// A word cut where a language without spaces breaks its lines.
fn unspaced(word: &str) -> Vec<(Gap, &str)> {
    let mut pieces = Vec::new();
    let (mut from, mut before) = (0, None);
    for (at, char) in word.char_indices() {
        let breaks = before.is_some_and(|before: char| {
            (is_wide(before) || is_wide(char)) && !begins_no_line(char) && !ends_no_line(before)
        });
        if breaks {
            pieces.push(&word[from..at]);
            from = at;
        }
        before = Some(char);
    }
    pieces.push(&word[from..]);
    let gap = |at| if at == 0 { Gap::Space } else { Gap::None };
    pieces.into_iter().enumerate().map(|(at, piece)| (gap(at), piece)).collect()
}

/// Whether there is a place after its margin where a line could have been broken.
pub(super) fn can_be_broken(line: &str) -> bool {
    let (margin, _) = margins(line);
    words(&line[margin.len()..]).len() > 1
}

/// Columns on a screen where Chinese and Japanese characters take two.
pub(super) fn columns(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(|char| if is_wide(char) { 2 } else { 1 }).sum()
}

/// The blocks that Unicode's East Asian Width (UAX 11) calls wide or full width, without the rare ones between them.
fn is_wide(char: char) -> bool {
    matches!(u32::from(char),
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0x33ff | 0x3400..=0x4dbf | 0x4e00..=0xa4cf | 0xac00..=0xd7a3
        | 0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x20000..=0x3fffd)
}

/// Closing marks and small kana, by the Japanese rules for line breaks (JIS X 4051).
fn begins_no_line(char: char) -> bool {
    "、。，．・：；！？）」』】〕〉》］｝ー々ゝゞぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ),.:;!?]}".contains(char)
}

fn ends_no_line(char: char) -> bool {
    "（「『【〔〈《［｛([{".contains(char)
}

/// What a paragraph starts with (indentation, bullet, quote marks), and what its further lines start with.
fn margins(line: &str) -> (String, String) {
    let indent: String = line.chars().take_while(|char| *char == ' ').take(COLUMNS / 2).collect();
    let rest = &line[indent.len()..];
    if rest.starts_with("- ") {
        return (format!("{indent}- "), format!("{indent}  "));
    }
    if rest.starts_with('>') {
        let marks: String = rest.chars().take_while(|char| matches!(char, '>' | ' ')).take(COLUMNS / 2).collect();
        let both = format!("{indent}{marks}");
        return (both.clone(), both);
    }
    (indent.clone(), indent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_called_clean_is_what_cleaning_leaves_as_it_is(text in "[ -~\n\u{80}-\u{a1}\u{200c}-\u{2010}\u{2027}-\u{202f}\u{2065}-\u{206a}é。\t\u{7f}\u{feff}\u{effff}-\u{f0002}\u{fffff}-\u{100001}]{0,6}") {
            let kept: String = text.chars().filter(|char| matches!(char, '\n') || !(char.is_control() || *char >= '\u{f0000}' || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))).collect();
            prop_assert_eq!(is_clean(&text), kept == text);
            prop_assert!(is_clean(&clean(&text)));
        }

        #[test]
        fn one_line_has_single_spaces_within_and_none_around(text in "[ -~\n\té]{0,12}") {
            let line = one_line(&text);
            prop_assert_eq!(line.clone(), text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    #[test]
    fn a_long_bullet_hangs_and_a_long_domain_stays_whole() {
        let domain = format!("{}.example", "a".repeat(90));
        let text = plain_text(&format!("- {} {domain} end\n", "word ".repeat(20).trim()));
        assert!(text.contains(&domain));
        assert!(text.lines().skip(1).all(|line| line.starts_with("  ")), "{text}");
    }

    #[test]
    fn both_forms_of_a_domain_stay_on_one_line() {
        let pair = format!("xn--{0}-kva.example (ü{0}.example)", "a".repeat(40));
        assert!(plain_text(&format!("- Domain: {pair} and more\n")).contains(&pair));
    }

    #[test]
    fn japanese_folds_between_characters_and_begins_no_line_with_a_mark() {
        let sentence = "回答が済むまで、未解決のまま（第三者の contoso.example を含む）管理します。".repeat(9);
        let text = plain_text(&format!("- {sentence}\n"));
        assert!(text.lines().count() > 5);
        for (number, line) in text.lines().enumerate() {
            assert!(columns(line) <= COLUMNS, "{line}");
            assert!(line.starts_with(if number == 0 { "- " } else { "  " }), "{line}");
            assert!(!begins_no_line(line.chars().nth(2).unwrap()) && !line.ends_with('（'), "{line}");
        }
        assert_eq!(text.matches("contoso.example").count(), 9);
        let squeezed: String = text.split_whitespace().collect();
        assert_eq!(squeezed, format!("-{}", sentence.replace(' ', "")));
    }

    #[test]
    fn a_no_break_space_holds_words_together() {
        let text = plain_text(&"mot\u{a0}: ".repeat(30));
        assert!(text.lines().count() > 1 && text.lines().all(|line| !line.starts_with(':')), "{text}");
    }

    #[test]
    fn a_quoted_paragraph_keeps_its_mark_on_every_line() {
        let text = plain_text(&format!("> {}\n", "word ".repeat(40)));
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.starts_with("> ")), "{text}");
    }

    #[test]
    fn a_subject_has_no_line_breaks_and_no_overrides() {
        assert_eq!(one_line("a\r\nBcc: x@y.example\u{202e} \t b\0"), "a Bcc: x@y.example b");
    }

    proptest! {
        #[test]
        fn folding_changes_white_space_only(text in "[a-z0-9.> \\-\n]{0,400}") {
            let marks = |text: &str| text.replace(|char: char| char.is_whitespace() || char == '>', "");
            let folded = plain_text(&text);
            prop_assert_eq!(marks(&folded), marks(&text));
            let long = folded.lines().find(|line| line.chars().count() > COLUMNS && line.trim().contains(' '));
            // Only a line whose first word alone is too long may be longer.
            prop_assert!(long.is_none_or(|line| line.trim_start_matches(['-', '>', ' ']).split(' ').count() == 1));
        }
    }
}
