//! What is seen of a marked part: its text without tags and marks, and what of it was filled in.
//!
//! Knows the few tags and named characters that templates may have. Invariant: every byte of a value is in one span, and
//! no byte of the template's own words is in any.

use super::super::marks;
use super::super::set::Part;

/// Characters to either side of a place that is shown.
const AROUND: usize = 30;

/// Cells stand beside each other: a row of a table is read as a line.
const CELLS: [&str; 2] = ["td", "th"];
/// Between cells.
pub(super) const CELL: char = '\t';

/// Tags that do not part what stands before from what stands behind.
const INLINE: [&str; 12] = ["span", "strong", "em", "b", "i", "u", "small", "sub", "sup", "code", "q", "abbr"];

/// Elements whose text is not on the page, wherever they stand.
const OFF_THE_PAGE: [&str; 2] = ["head", "title"];

/// A text with what was filled in.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) text: String,
    /// In order, none within another, none empty.
    pub(super) spans: Vec<Span>,
}

/// A value.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) origin: usize,
    /// Whether it stands on the page.
    pub(super) is_read: bool,
}

impl Seen {
    pub(super) fn of(part: Part, marked: &str) -> Self {
        let mut seen = Self { text: String::with_capacity(marked.len()), spans: Vec::new() };
        let (mut off, mut open) = (0_usize, None);
        let is_sign = |char: char| marks::is_mark(char) || part == Part::Html && matches!(char, '<' | '&');
        let mut rest = marked;
        while let Some(at) = rest.find(is_sign) {
            seen.push(part, &rest[..at]);
            rest = &rest[at..];
            let sign = rest.chars().next().unwrap_or_default();
            let length = match sign {
                '<' => {
                    let length = rest.find('>').map_or(rest.len(), |end| end + 1);
                    seen.pass(&rest[1..length], &mut off);
                    length
                }
                '&' => {
                    let (char, length) = named(rest);
                    seen.text.push(char);
                    length
                }
                mark => {
                    match (marks::begins(mark), open.take()) {
                        (Some(origin), _) => open = Some((origin, seen.text.len())),
                        (None, Some((origin, from))) => {
                            let is_read = off == 0 && part != Part::Subject;
                            seen.spans.push(Span { from, to: seen.text.len(), origin, is_read });
                        }
                        (None, None) => {}
                    }
                    mark.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        seen.push(part, rest);
        seen
    }

    /// Where a line ends in the source of HTML, none ends on the page.
    fn push(&mut self, part: Part, text: &str) {
        match part {
            Part::Html => {
                self.text.extend(text.chars().map(|char| if matches!(char, '\n' | '\t') { ' ' } else { char }))
            }
            Part::Subject | Part::Text => self.text.push_str(text),
        }
    }

    /// The line or row of a place: where it begins, and its words, with `:` between cells.
    pub(super) fn row(&self, at: usize) -> (usize, String) {
        let from = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let to = self.text[at..].find('\n').map_or(self.text.len(), |end| at + end);
        (from, self.text[from..to].replace(CELL, ":"))
    }

    fn pass(&mut self, tag: &str, off: &mut usize) {
        let closes = tag.starts_with('/');
        let tag = tag.trim_start_matches('/');
        let name = tag.split(|char: char| !char.is_ascii_alphanumeric()).next().unwrap_or_default();
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        if OFF_THE_PAGE.iter().any(is) {
            *off = if closes { off.saturating_sub(1) } else { *off + 1 };
        }
        if CELLS.iter().any(is) {
            self.text.push(CELL);
        } else if !INLINE.iter().any(is) {
            self.text.push('\n');
        }
    }

    pub(super) fn text_of(&self, span: &Span) -> &str {
        &self.text[span.from..span.to]
    }

    /// The words around a place, on one line.
    pub(super) fn around(&self, at: usize) -> String {
        let before: Vec<char> = self.text[..at].chars().rev().take_while(|char| *char != '\n').take(AROUND).collect();
        let after = self.text[at..].chars().take_while(|char| *char != '\n').take(AROUND);
        let words: String = before.into_iter().rev().chain(after).collect();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A character that is written by name, and how long that is; `&` itself where it begins no name.
fn named(rest: &str) -> (char, usize) {
    const NAMED: [(&str, char); 10] = [
        ("&amp;", '&'),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&#x27;", '\''),
        ("&#x60;", '`'),
        ("&#x3D;", '='),
        ("&nbsp;", '\u{a0}'),
        ("&ndash;", '–'),
        ("&mdash;", '—'),
    ];
    NAMED.into_iter().find(|(name, _)| rest.starts_with(name)).map_or(('&', 1), |(name, char)| (char, name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(marked: &str, text: &str, read: &[&str]) {
        let seen = Seen::of(Part::Html, marked);
        assert_eq!(seen.text, text);
        let found: Vec<&str> = seen.spans.iter().filter(|span| span.is_read).map(|span| seen.text_of(span)).collect();
        assert_eq!(found, read);
    }

    #[test]
    fn tags_are_not_seen_and_titles_are_not_on_the_page() {
        let value = marks::number(1, "12");
        check(&format!("<p style=\"font-size:16px\">a {value} b</p>"), "\na 12 b\n", &["12"]);
        check(&format!("1<b>{value}</b>"), "112", &["12"]);
        check(&format!("<head><title>{value}</title></head>{value}"), "\n\n12\n\n12", &["12"]);
        check(&marks::text(1, "O&#x27;Neill &amp; &lt;b&gt; &x"), "O'Neill & <b> &x", &["O'Neill & <b> &x"]);
    }
}
