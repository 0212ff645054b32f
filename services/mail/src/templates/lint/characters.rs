//! Characters and sizes: UTF-8, no control characters, nothing that hides or turns text, no script addresses.
//!
//! Does not know tags. Invariant: a subject that passes is one line.

use model::actor::is_invisible;

use super::super::set::Part;
use super::Refusal;

/// The longest template, in bytes; our own need a sixth of it.
const LONGEST: usize = 64 * 1_024;

/// The longest subject, in bytes, before its fields are filled in.
const LONGEST_SUBJECT: usize = 500;

/// What a link must not begin with, white space and case aside.
const SCRIPTS: [&str; 9] = [
    "javascript:",
    "vbscript:",
    "livescript:",
    "data:text/",
    "data:image/",
    "data:application/",
    ";base64,",
    "file://",
    "blob:http",
];

/// The source as text, of a bearable size; on refusal with as much of the text as can be read.
pub(super) fn text(source: &[u8]) -> Result<String, (Refusal, String)> {
    let readable = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if source.len() > LONGEST {
        let start = readable(source.get(..LONGEST).unwrap_or_default());
        let why = format!("the template has more than {LONGEST} bytes");
        return Err((Refusal::new(start.len(), why, "shorten it"), start));
    }
    std::str::from_utf8(source).map(str::to_owned).map_err(|error| {
        let start = readable(source.get(..error.valid_up_to()).unwrap_or_default());
        (Refusal::new(start.len(), "this is not UTF-8", "save the file as UTF-8"), start)
    })
}

/// Whether every character may stand where it does.
pub(super) fn check(part: Part, source: &str) -> Result<(), Refusal> {
    for (at, char) in source.char_indices() {
        let follows = source.get(at + char.len_utf8()..).unwrap_or_default();
        if let Some(name) = unwanted(char, follows) {
            let why = format!("{name} (U+{:04X}) stands here", u32::from(char));
            return Err(Refusal::new(at, why, "remove it"));
        }
    }
    if let Some(at) = script(source) {
        return Err(Refusal::new(at, "an address of a script or of embedded data stands here", "remove it"));
    }
    match part {
        Part::Subject => subject(source),
        Part::Text | Part::Html if source.trim().is_empty() => {
            Err(Refusal::new(0, "the template is empty", "write it"))
        }
        Part::Text | Part::Html => Ok(()),
    }
}

fn subject(source: &str) -> Result<(), Refusal> {
    let line = source.strip_suffix('\n').unwrap_or(source);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if let Some(at) = line.find(['\n', '\r']) {
        return Err(Refusal::new(at, "a subject has a line break", "write it on one line"));
    }
    if line.trim().is_empty() {
        return Err(Refusal::new(0, "the subject is empty", "write it on one line"));
    }
    match line.len() > LONGEST_SUBJECT {
        true => Err(Refusal::new(0, format!("the subject has more than {LONGEST_SUBJECT} bytes"), "shorten it")),
        false => Ok(()),
    }
}

/// A name for a character that has no place in a letter.
fn unwanted(char: char, follows: &str) -> Option<&'static str> {
    match char {
        '\n' | '\t' => None,
        '\r' if follows.starts_with('\n') => None,
        '\r' => Some("a carriage return alone"),
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some("a line separator"),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' => {
            Some("a change of the direction of text")
        }
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}' => {
            Some("a character that cannot be seen")
        }
        '\u{e0000}'..='\u{e007f}' | '\u{fff9}'..='\u{fffb}' => Some("a character that cannot be seen"),
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => Some("a character of private use"),
        other if other.is_control() => Some("a control character"),
        // The sign that makes an emoji a picture hides nothing.
        other if is_invisible(other) && other != '\u{fe0f}' => Some("a character that cannot be seen"),
        _ => None,
    }
}

/// The first byte of an address of [`SCRIPTS`], however it is spaced.
pub(super) fn script(source: &str) -> Option<usize> {
    let (mut squeezed, mut places) = (String::new(), Vec::new());
    for (at, char) in source.char_indices().filter(|(_, char)| !char.is_whitespace()) {
        for lower in char.to_lowercase() {
            squeezed.push(lower);
            places.resize(squeezed.len(), at);
        }
    }
    let found = SCRIPTS.iter().filter_map(|script| squeezed.find(script)).min()?;
    places.get(found).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_found_however_it_is_spaced() {
        assert_eq!(script("ab JaVa\n\tScript :x"), Some(3));
        assert_eq!(script("Your data: three files"), None);
    }

    #[test]
    fn what_is_drawn_as_nothing_is_refused_in_every_part_and_where_it_stands() {
        for char in ['\u{34f}', '\u{115f}', '\u{17b4}', '\u{180e}', '\u{2800}', '\u{3164}', '\u{ffa0}', '\u{e0100}'] {
            for part in [Part::Subject, Part::Text, Part::Html] {
                let refused = check(part, &format!("one{char}two")).unwrap_err();
                assert_eq!((refused.at, refused.next.as_str()), (3, "remove it"), "{char:?}: {}", refused.why);
            }
        }
        assert!(check(Part::Text, "a warning: \u{26a0}\u{fe0f}").is_ok());
    }

    #[test]
    fn a_subject_is_one_line_and_may_end_with_a_line_end() {
        assert!(check(Part::Subject, "one\n").is_ok() && check(Part::Subject, "one\r\n").is_ok());
        for source in ["one\ntwo", "one\n\n", "one\rtwo", "", " \n", "one\u{2028}two", "one\u{85}", "one\0"] {
            assert!(check(Part::Subject, source).is_err(), "{source:?}");
        }
    }
}
