//! What a person wrote between the lines of a letter of ours that their mail program repeats without marks.
//!
//! Knows the letter as it was sent. Invariant: in doubt a line is the person's; the letter's are only lines that go on where
//! the last one ended, that are a whole line of it, or that are long and stand in it.

use std::collections::{HashMap, HashSet};

use super::marks::header_block_at;

/// Letters and figures of a line that stands in a letter by more than chance.
const LONG: usize = 20;
/// Letters and figures of a letter by which a block is a repetition of it.
const KNOWN: usize = 60;

/// Lines of a block that are looked at.
const LOOKED_AT: usize = 4_000;
/// Lines in which a wrapped line goes on.
const NEAR: usize = 4;

/// The lines of a repeated block that are none of these letters', from where the letter begins; empty where the block
/// repeats none of them.
pub(in super::super) fn between(repeated: &str, letters: &[&str]) -> String {
    let found = letters.iter().map(|letter| compare(repeated, letter));
    found.max_by_key(|(known, _)| *known).filter(|(known, _)| *known >= KNOWN).map(|(_, own)| own).unwrap_or_default()
}

/// A letter of ours, made ready to be compared.
struct Letter {
    /// Letters and figures of all of it.
    whole: String,
    /// Its lines, and where each ends in that.
    lines: HashMap<String, usize>,
    ends: HashSet<usize>,
}

impl Letter {
    fn of(text: &str) -> Self {
        let mut end = 0;
        let ending = |line: &str| {
            let line = letters_of(line);
            end += line.len();
            (line, end)
        };
        let lines: HashMap<String, usize> = text.lines().map(ending).collect();
        let ends = lines.values().copied().collect();
        Self { whole: letters_of(text), lines, ends }
    }

    /// Where a line ends in it that is one of its own, or a part of one; `next` is where the line above ended.
    fn end_of(&self, line: &str, next: usize, below: &[&str]) -> Option<usize> {
        let is_long = line.chars().count() >= LONG;
        // The beginning of a line of it that is wrapped anew, and not somebody's own word that happens to be the same.
        let is_wrapped = |end: &usize| {
            let below = below.iter().take(NEAR).map(|line| letters_of(line)).find(|line| !line.is_empty());
            is_long || self.ends.contains(end) || below.is_some_and(|below| self.whole[*end..].starts_with(&below))
        };
        let goes_on = self.whole[next..].starts_with(line).then(|| next + line.len()).filter(is_wrapped);
        let stands = || is_long.then(|| self.whole.find(line).map(|from| from + line.len())).flatten();
        goes_on.or_else(stands).or_else(|| self.lines.get(line).copied())
    }
}

/// How much of the letter stands there, and what else does.
fn compare(repeated: &str, letter: &str) -> (usize, String) {
    let letter = Letter::of(letter);
    let block: Vec<&str> = repeated.lines().take(LOOKED_AT).collect();
    let (mut own, mut known, mut next, mut gap) = (String::new(), 0, 0, true);
    let mut at = 0;
    while at < block.len() {
        let (here, line) = (at, letters_of(block[at]));
        at += 1;
        if line.is_empty() {
            // A question mark alone is a question.
            gap |= block[here].trim().is_empty();
            if block[here].contains(['?', '？']) && known > 0 {
                push(&mut own, block[here], &mut gap);
            }
        } else if let Some(end) = letter.end_of(&line, next, &block[at..]) {
            (next, gap) = (end, true);
            known += line.chars().count();
        } else if let Some(end) = header_block_at(&block, here) {
            // What stands above was another mail's.
            (at, gap) = (end, true);
            if known == 0 {
                own.clear();
            }
        } else {
            push(&mut own, block[here], &mut gap);
        }
    }
    (known, own)
}

fn push(own: &mut String, line: &str, gap: &mut bool) {
    if !own.is_empty() {
        own.push_str(if *gap { "\n\n" } else { "\n" });
    }
    *gap = false;
    own.push_str(line.trim());
}

/// Letters and figures, in lower case: mail programs wrap lines anew and write other marks.
fn letters_of(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "Hello Alice,\n\nOn 24 September 2022 we found that a storage server of ours could be read by anybody.\n\nOf yours, these were exposed:\n  - 12 objects\n  - which are invoices\n\nYou can ask by answering this mail.\n\nExample Cloud\n";
    const HEAD: &str = "From: Example Cloud <ir@vendor.example>\nSent: Monday, September 26, 2022 9:00 AM\nTo: Alice\nSubject: Data\n\n";

    fn check(block: &str, expect: &str) {
        assert_eq!(between(&format!("{HEAD}{block}"), &[LETTER]), expect, "{block}");
    }

    #[test]
    fn the_letter_alone_has_nothing_between_its_lines_however_it_is_wrapped() {
        check(LETTER, "");
        check(&LETTER.replace("storage server of ours", "storage\nserver of\nours").replace("  - ", "\u{b7} "), "");
        check(&LETTER.to_uppercase(), "");
    }

    #[test]
    fn what_a_person_wrote_between_its_lines_is_theirs() {
        let with = |own: &str| LETTER.replace("  - 12 objects\n", &format!("  - 12 objects\n{own}\n"));
        check(&with("Which?"), "Which?");
        check(&with("?"), "?");
        check(&with("12"), "12");
        check(
            &with("\nOnly 12? Our own count is 40.\nPlease check.\n"),
            "Only 12? Our own count is 40.\nPlease check.",
        );
        check(&format!("{}\nWho reads it?\n", with("Which?")), "Which?\n\nWho reads it?");
        let same_line = LETTER.replace("answering this mail.", "answering this mail. Do you?");
        check(&same_line, "You can ask by answering this mail. Do you?");
    }

    #[test]
    fn another_mail_is_not_taken_for_a_letter_and_one_above_it_is_not_the_answer() {
        assert_eq!(
            between("From: Bob <b@contoso.example>\nTo: Alice\nSent: Monday 9:00\n\nWhat now?\n", &[LETTER]),
            ""
        );
        assert_eq!(between("What now?", &[]), "");
        let thread = format!(
            "From: Bob <b@contoso.example>\nSent: Monday, September 26, 2022 9:30 AM\nTo: Alice\nSubject: Data\n\nWhat now?\n\n{HEAD}{LETTER}"
        );
        assert_eq!(between(&thread, &[LETTER]), "");
    }
}
