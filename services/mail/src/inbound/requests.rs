//! Whether somebody wants something of us, without a question mark.
//!
//! Does not understand text: it looks for phrases that people write to people and programs do not. Invariant: it makes
//! no class by itself; it only keeps a mail from being taken for a machine's without anybody looking.

/// As people ask for something, in the languages that letters are answered in; a phrase a line, lower case.
const PHRASES: &str = include_str!("requests/phrases.txt");
/// How a line opens that wants something.
const OPENINGS: [&str; 22] = [
    "please",
    "pls ",
    "kindly",
    "send ",
    "tell ",
    "give ",
    "answer ",
    "explain ",
    "bitte",
    "senden ",
    "schicken ",
    "merci de",
    "veuillez",
    "envoyez",
    "por favor",
    "envíe",
    "per favore",
    "graag ",
    "proszę",
    "пожалуйста",
    "prosím",
    "could you",
];
/// How a line goes on that every signature has.
const EMPTY_WORDS: [&str; 16] = [
    "consider",
    "think ",
    "notify",
    "delete",
    "note ",
    "visit",
    "see ",
    "find ",
    "contact",
    "call ",
    "do not",
    "don't",
    "denken sie",
    "prüfen sie",
    "pensez",
    "considere",
];

/// Whether a text asks for something; `text` is in lower case and on one line.
pub(super) fn are_in(text: &str) -> bool {
    PHRASES.lines().any(|phrase| text.contains(phrase))
}

/// Whether a line of a signature is none: it asks for something.
pub(super) fn is_one(line: &str) -> bool {
    let line = line.trim_start_matches(['-', '*', ' ', '>']).to_lowercase();
    let opens = OPENINGS.iter().any(|opening| line.starts_with(opening));
    let empty = || EMPTY_WORDS.iter().any(|words| line.contains(words));
    (opens && !empty()) || are_in(&line) || ["ください", "请", "請"].iter().any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_seen_in_several_languages() {
        for text in [
            "please send the list of files.",
            "send me the list.",
            "bitte geben sie mir keine automatische antwort, sondern die liste der dateien.",
            "merci de nous envoyer la liste des fichiers.",
            "envíen la lista de archivos.",
            "ファイルの一覧を送ってください。",
        ] {
            assert!(are_in(text), "{text}");
        }
    }

    #[test]
    fn what_absent_people_and_mail_systems_write_is_none() {
        for text in [
            "i am away. please contact my colleague, or send urgent mail to desk@x.example.",
            "bitte senden sie dringende anfragen an meine vertretung.",
            "merci de nous avoir contactés.",
            "we were unable to send the message. please check the address and try again.",
            "wir haben ihre nachricht erhalten.",
        ] {
            assert!(!are_in(text), "{text}");
        }
    }

    #[test]
    fn a_signature_line_may_ask_and_may_be_a_habit() {
        assert!(is_one("Please send the log of accesses"));
        assert!(is_one("Bitte die Liste an mich"));
        for line in ["Please consider the environment before printing", "Alice, CISO", "Please notify the sender"] {
            assert!(!is_one(line), "{line}");
        }
    }
}
