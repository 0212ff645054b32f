//! What a text may name of an organisation: hosts, addresses, reply tokens, notice codes, and runs of words that could be a name.
//!
//! Knows no organisation: whose they are is looked up. Invariant: whatever stands in the text in one piece is among them,
//! also with its dots in brackets and between letters that know no spaces.

use std::collections::BTreeSet;

use crate::code::NoticeCode;
use crate::domain::DomainName;
use crate::email::EmailAddress;

/// Words of a name at most.
const LONGEST_NAME: usize = 8;
/// Words of a name without its legal form at most.
const LONGEST_CORE: usize = 4;
/// Characters of a name in a text without spaces.
const UNSPACED: std::ops::RangeInclusive<usize> = 3..=14;
/// Letters of a single word that is looked up without its legal form.
const SHORTEST_CORE: usize = 5;
/// Legal forms that people leave away.
const FORMS: [&str; 20] = [
    "ltd",
    "ltd.",
    "limited",
    "inc",
    "inc.",
    "llc",
    "plc",
    "corp",
    "corp.",
    "corporation",
    "gmbh",
    "ag",
    "kg",
    "se",
    "sa",
    "s.a.",
    "sas",
    "bv",
    "b.v.",
    "spa",
];

/// What a text may name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// As they are compared (A-labels).
    pub hosts: BTreeSet<String>,
    /// As the directory writes them.
    pub addresses: BTreeSet<String>,
    /// 32 characters.
    pub tokens: BTreeSet<String>,
    /// In their one spelling.
    pub codes: BTreeSet<String>,
    /// Runs of words, in ASCII lower case.
    pub names: BTreeSet<String>,
    /// Ids as they are written: letters with figures, or six figures and more; runs of words with a slash, which may be paths.
    pub ids: BTreeSet<String>,
    /// Single words as they are written: a name that is one word counts in its own spelling alone.
    pub words: BTreeSet<String>,
}

/// Characters of an id that has letters and figures.
const SHORTEST_ID: usize = 4;
/// Figures of an id that has nothing else: shorter ones are counts and years.
const SHORTEST_NUMBER: usize = 6;
/// Words of a path.
const LONGEST_PATH: usize = 6;

/// Reads a text.
pub fn mentions(text: &str) -> Mentions {
    let text = with_dots(text);
    let mut found = Mentions::default();
    for piece in text.split(|c: char| c.is_whitespace() || "<>()[]{}\"'“”„«»,;|".contains(c)) {
        found.read(piece);
        if !piece.is_ascii() {
            // 「org.exampleの」: letters that know no spaces end a name, too.
            piece.split(|c: char| !c.is_ascii()).for_each(|part| found.read(part));
        }
    }
    text.lines().for_each(|line| found.path(line));
    text.split("\n\n").for_each(|paragraph| found.name(paragraph));
    text.split(['.', '!', '?', '。', '！', '？', ':']).for_each(|sentence| found.core(sentence));
    found.unspaced(&text);
    found
}

/// `org[.]example` and `org (dot) example` are what they are read as.
fn with_dots(text: &str) -> String {
    let mut text = text.to_owned();
    for written in ["[.]", "(.)", "{.}", " [dot] ", " (dot) ", "[dot]", "(dot)", "．", "｡"] {
        text = text.replace(written, ".");
    }
    for written in [" [at] ", " (at) ", "[at]", "(at)", "＠"] {
        text = text.replace(written, "@");
    }
    text
}

impl Mentions {
    fn read(&mut self, piece: &str) {
        let piece = piece.trim_matches(|c: char| !c.is_alphanumeric());
        if let Some(code) = NoticeCode::read(piece).filter(|_| piece.len() >= 12) {
            self.codes.insert(code.to_string());
        }
        for part in piece.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| part.len() == 32) {
            self.tokens.insert(part.to_ascii_lowercase());
        }
        if is_an_id(piece) {
            self.ids.insert(piece.to_owned());
        }
        if let Ok(address) = EmailAddress::parse(piece) {
            self.addresses.insert(address.as_str().to_owned());
        }
        for host in piece.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-'))) {
            let host = host.trim_matches(['.', '-']);
            if host.contains('.')
                && let Ok(name) = DomainName::parse(host)
            {
                self.hosts.insert(name.as_str().to_owned());
            }
        }
    }

    /// Every run of words with a slash: the paths of objects have spaces.
    fn path(&mut self, line: &str) {
        let with_slash = |run: &String| run.contains(['/', '\\']) && !run.contains("://");
        if with_slash(&line.to_owned()) {
            let found = runs(line, LONGEST_PATH).into_iter().map(|(_, run)| run).filter(with_slash);
            self.ids
                .extend(found.map(|run| run.trim_end_matches(['.', '"', '\'', '”', '»', ')', ',', ';']).to_owned()));
        }
    }

    /// Every run of words, also without its last full stop.
    fn name(&mut self, text: &str) {
        for (words, run) in runs(text, LONGEST_NAME) {
            for run in [run.as_str(), run.trim_end_matches('.')] {
                match words {
                    1 => drop(self.words.insert(run.to_owned())),
                    _ => drop(self.names.insert(run.to_ascii_lowercase())),
                }
            }
        }
    }

    /// Runs that look like a name, with the legal form that they may have left away. Whatever begins a sentence does.
    fn core(&mut self, sentence: &str) {
        let begin = sentence.split_whitespace().next().unwrap_or_default();
        for (words, run) in runs(sentence, LONGEST_CORE) {
            let is_a_name = run.chars().next().is_some_and(|first| first.is_uppercase() || !first.is_ascii());
            let alone = words == 1 && (run == begin || run.chars().count() < SHORTEST_CORE);
            if is_a_name && !alone {
                let run = run.to_ascii_lowercase();
                for form in FORMS {
                    self.names.insert(format!("{run} {form}"));
                    self.names.insert(format!("{run}, {form}"));
                }
            }
        }
    }

    /// Runs of characters where no spaces stand between words.
    fn unspaced(&mut self, text: &str) {
        let is_unspaced = |c: char| matches!(c, '\u{3005}' | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
        for part in text.split(|c: char| !is_unspaced(c)).filter(|part| !part.is_empty()) {
            let chars: Vec<char> = part.chars().collect();
            for first in 0..chars.len() {
                for length in UNSPACED.take_while(|length| first + length <= chars.len()) {
                    self.words.insert(chars[first..first + length].iter().collect());
                }
            }
        }
    }
}

fn is_an_id(piece: &str) -> bool {
    if piece.contains('@') || piece.contains("://") {
        return false;
    }
    let figures = piece.chars().filter(char::is_ascii_digit).count();
    let letters = piece.chars().filter(|c| c.is_alphabetic()).count();
    match letters {
        0 => figures >= SHORTEST_NUMBER && figures == piece.len(),
        _ => figures > 0 && piece.chars().count() >= SHORTEST_ID,
    }
}

/// Every run of up to so many words, with their number.
fn runs(text: &str, longest: usize) -> Vec<(usize, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut runs = Vec::new();
    for first in 0..words.len() {
        for last in first..words.len().min(first + longest) {
            let run = words[first..=last].join(" ");
            let run = run.trim_matches(|c: char| "\"'“”„«»()[]{}<>,;:!?*_".contains(c));
            if !run.is_empty() {
                runs.push((last - first + 1, run.to_owned()));
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        mentions(text).hosts.into_iter().collect()
    }

    #[test]
    fn a_host_is_found_in_whatever_it_stands() {
        for text in [
            "Files of org1.example: 343.",
            "(https://ORG1.example/path?x)",
            "org1[.]example",
            "org1 (dot) example",
            "これはorg1.exampleのファイルです。",
            "„org1.example.“",
        ] {
            assert!(hosts(text).contains(&"org1.example".to_owned()), "{text}: {:?}", hosts(text));
        }
        assert!(hosts("p@mail.org1.example").contains(&"mail.org1.example".to_owned()));
        assert_eq!(hosts("No host, just words. And 3 of 4"), Vec::<String>::new());
    }

    #[test]
    fn addresses_and_tokens_are_found() {
        let token = "a1".repeat(16);
        let found = mentions(&format!("Ask <P@Org1.example>, or ir+{token}@vendor.example."));
        assert!(found.addresses.contains("P@org1.example") || found.addresses.contains("p@org1.example"), "{found:?}");
        assert!(found.tokens.contains(&token));
    }

    #[test]
    fn ids_and_paths_are_found_and_counts_are_none() {
        let ids = |text: &str| mentions(text).ids;
        assert!(ids("the project PRJ-00417, as").contains("PRJ-00417"));
        assert!(ids("(104733)").contains("104733"));
        assert!(ids("See \"box/Final offer 7.pdf\".").contains("box/Final offer 7.pdf"));
        assert!(ids("See box/7.pdf.").contains("box/7.pdf"));
        assert_eq!(ids("We found 343 files of 2021, 65 of them new."), BTreeSet::new());
    }

    #[test]
    fn a_name_is_found_over_line_ends_with_and_without_its_legal_form() {
        let names = |text: &str| mentions(text).names;
        assert!(names("343 objects of Tenant 0\nUS, Ltd, contact x").contains("tenant 0 us, ltd"));
        assert!(names("as we told Fabrikam yesterday").contains("fabrikam inc."));
        assert!(names("as we told Acme Corp. yesterday").contains("acme corp."));
        assert!(names("It was Acme Corp.").contains("acme corp"));
        assert!(names("of Wide World Importers.").contains("wide world importers, inc."));
        assert!(!names("we told the customer").contains("customer ltd"));
    }

    #[test]
    fn a_name_in_letters_without_spaces_is_found() {
        assert!(mentions("これは山田商事株式会社のものです").words.contains("山田商事株式会社"));
    }
}
