//! What somebody else wrote, as it can stand on a screen or on paper.
//!
//! Changes no record: this is for printing alone. Invariant: no text steers a terminal, turns the direction of what
//! stands beside it, or begins a line of ours; what is taken out is seen to be missing.

/// Stands for what cannot be printed.
const INSTEAD: char = '\u{fffd}';

/// Whether a character steers what prints it: controls but line feed and tab, marks of direction, ends of line of other
/// kinds, tags.
pub fn steers(char: char) -> bool {
    (char.is_control() && !matches!(char, '\n' | '\t'))
        || matches!(char,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text of several lines. Carriage returns before line feeds go, everything else that steers is replaced.
pub fn printed(text: &str) -> String {
    if !text.contains(steers) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").chars().map(|char| if steers(char) { INSTEAD } else { char }).collect()
}

/// A text that must not begin a line of its own: a name, an address, a subject.
pub fn on_one_line(text: &str) -> String {
    printed(text).chars().map(|char| if matches!(char, '\n' | '\t') { INSTEAD } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_turns_directions_is_seen_to_be_missing() {
        assert_eq!(printed("a\u{1b}[2Jb\u{202e}c\u{9b}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
        assert_eq!(printed("one\r\ntwo\n\tthree\u{2028}four"), "one\ntwo\n\tthree\u{fffd}four");
        assert_eq!(printed("naïve 文字 👩\u{200d}🚒"), "naïve 文字 👩\u{200d}🚒");
    }

    #[test]
    fn a_name_begins_no_line() {
        assert_eq!(on_one_line("ada\n\n2026-11-26T10:00:00Z  mail"), "ada\u{fffd}\u{fffd}2026-11-26T10:00:00Z  mail");
    }
}
