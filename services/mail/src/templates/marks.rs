//! Marks around what a template fills in, so that a reader of the letter can tell it from the template's own words.
//!
//! A mark is a character of planes 15 and 16 (private use): values are cleaned of them, and templates with them are
//! refused. Invariant: a text without its marks is the text as it is rendered without any.

/// The character that begins what the first origin of a letter gave; the next one that of the second, and so on.
const FIRST: u32 = 0x10_0000;

/// As many origins as there are characters; a letter of [`PART_LIMIT`](super::PART_LIMIT) prints fewer.
const MOST: usize = 0xfffe;

const END: char = '\u{f0000}';
const END_OF_NUMBER: char = '\u{f0001}';

/// What a text can grow by its marks: a value of one byte has two marks of four.
pub(super) const GROWTH: usize = 9;

/// Whether a character is one that only this program writes.
pub(super) fn is_mark(char: char) -> bool {
    char >= END
}

/// Whether there is one in a text, by its bytes: all of them begin with F3 B0 or more.
pub(super) fn are_in(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        0xf3 => bytes.get(at + 1).is_some_and(|next| *next >= 0xb0),
        0xf4.. => true,
        _ => false,
    })
}

/// A text of this origin. What is empty stays empty, so that conditions hold as without marks.
pub(super) fn text(origin: usize, text: &str) -> String {
    between(origin, text, END)
}

/// A number of this origin: conditions take it for a number still.
pub(super) fn number(origin: usize, digits: &str) -> String {
    between(origin, digits, END_OF_NUMBER)
}

fn between(origin: usize, text: &str, end: char) -> String {
    let mut marked = String::with_capacity(text.len() + 8);
    if !text.is_empty() {
        // Beyond the last one there is only data: never a fact that was not looked up.
        let origin = if origin < MOST { origin as u32 } else { 0 };
        marked.push(char::from_u32(FIRST + origin).unwrap_or(END));
        marked.push_str(text);
        marked.push(end);
    }
    marked
}

/// Which origin begins here.
pub(super) fn begins(char: char) -> Option<usize> {
    u32::from(char).checked_sub(FIRST).map(|origin| origin as usize)
}

/// Whether it is a marked number that is zero.
pub(super) fn is_zero(text: &str) -> bool {
    let mut inner = text.chars();
    inner.next().is_some_and(is_mark) && inner.next_back() == Some(END_OF_NUMBER) && inner.as_str() == "0"
}

/// The text as it is sent.
pub(super) fn stripped(text: &str) -> String {
    let mut sent = String::with_capacity(text.len());
    sent.extend(text.split(is_mark));
    sent
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_marked_reads_the_same_without_marks(value in "[ -~é請]{0,9}", origin in 0_usize..70_000) {
            let marked = text(origin, &value);
            prop_assert_eq!(are_in(&marked), !value.is_empty());
            prop_assert_eq!(marked.chars().next().and_then(begins), (!value.is_empty()).then_some(if origin < MOST { origin } else { 0 }));
            prop_assert_eq!(stripped(&marked), value);
        }
    }

    #[test]
    fn a_marked_zero_is_zero_as_a_number_alone() {
        assert!(is_zero(&number(3, "0")) && !is_zero(&number(3, "10")) && !is_zero(&text(3, "0")) && !is_zero("0"));
        assert!(!are_in("plain 12 \u{1f600} \u{e0041} \u{f000}"));
    }
}
