//! The files of the built-in template set and its version.
//!
//! Does not compile anything. Invariant: [`VERSION`] changes with every byte of every file, the stylesheet, the advice of
//! the model and the code that fills templates in among them, so that the same version always writes the same letter.

use model::language::Language;

/// A letter, by the name of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What of an organisation's was exposed.
    Notice,
    /// That nothing of what notices said concerns their reader.
    Withdrawal,
    /// That nobody reacted to a notice.
    Reminder,
    /// An answer to questions.
    Answer,
    /// The promise of an answer.
    Promise,
    /// That questions are declined.
    Decline,
    /// To the vendor's own people.
    Escalation,
    /// To an address that was found, without facts.
    Reach,
    /// That a mail has arrived, without facts.
    Acknowledgement,
    /// About a whole incident, to a supervisory authority.
    Regulator,
    /// About a whole incident, to the press.
    Press,
    /// What a support desk answers to whoever asks.
    Support,
}

impl Kind {
    /// Every kind, in the order of a conversation.
    pub const ALL: [Self; 12] = [
        Self::Reach,
        Self::Notice,
        Self::Withdrawal,
        Self::Reminder,
        Self::Acknowledgement,
        Self::Answer,
        Self::Promise,
        Self::Decline,
        Self::Escalation,
        Self::Regulator,
        Self::Press,
        Self::Support,
    ];

    /// Those that an incident can have words of its own for.
    pub const OF_INCIDENTS: [Self; 5] = [Self::Notice, Self::Reminder, Self::Answer, Self::Promise, Self::Decline];

    /// The name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Withdrawal => "withdrawal",
            Self::Reminder => "reminder",
            Self::Answer => "answer",
            Self::Promise => "promise",
            Self::Decline => "decline",
            Self::Escalation => "escalation",
            Self::Reach => "reach",
            Self::Acknowledgement => "acknowledgement",
            Self::Regulator => "report/regulator",
            Self::Press => "report/press",
            Self::Support => "report/support",
        }
    }

    /// The languages that it exists in.
    pub fn languages(self) -> &'static [Language] {
        match self {
            Self::Notice
            | Self::Withdrawal
            | Self::Reminder
            | Self::Answer
            | Self::Promise
            | Self::Decline
            | Self::Reach
            | Self::Acknowledgement
            | Self::Regulator
            | Self::Press
            | Self::Support => &Language::ALL,
            Self::Escalation => &[Language::En],
        }
    }

    /// The parts that it has.
    pub(super) fn parts(self) -> &'static [Part] {
        match self {
            Self::Notice => &[Part::Subject, Part::Text, Part::Html],
            Self::Withdrawal
            | Self::Reminder
            | Self::Answer
            | Self::Promise
            | Self::Decline
            | Self::Escalation
            | Self::Reach
            | Self::Acknowledgement
            | Self::Regulator
            | Self::Press
            | Self::Support => &[Part::Subject, Part::Text],
        }
    }
}

/// A part of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Subject,
    Text,
    Html,
}

/// The registered name of a part: `notice/en.text`.
pub(super) fn name(kind: Kind, language: Language, part: Part) -> String {
    let part = match part {
        Part::Subject => "subject",
        Part::Text => "text",
        Part::Html => "html",
    };
    format!("{}/{language}.{part}", kind.name())
}

/// The source of a built-in template.
pub(super) fn source(name: &str) -> Option<&'static str> {
    SOURCES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/", $name, ".hbs")))),+]
    };
}

/// Name and source of every template.
pub(super) const SOURCES: [(&str, &str); 117] = embedded![
    "acknowledgement/de.subject",
    "acknowledgement/de.text",
    "acknowledgement/en.subject",
    "acknowledgement/en.text",
    "acknowledgement/es.subject",
    "acknowledgement/es.text",
    "acknowledgement/fr.subject",
    "acknowledgement/fr.text",
    "acknowledgement/ja.subject",
    "acknowledgement/ja.text",
    "notice/de.subject",
    "notice/de.text",
    "notice/de.html",
    "notice/en.subject",
    "notice/en.text",
    "notice/en.html",
    "notice/es.subject",
    "notice/es.text",
    "notice/es.html",
    "notice/fr.subject",
    "notice/fr.text",
    "notice/fr.html",
    "notice/ja.subject",
    "notice/ja.text",
    "notice/ja.html",
    "withdrawal/de.subject",
    "withdrawal/de.text",
    "withdrawal/en.subject",
    "withdrawal/en.text",
    "withdrawal/es.subject",
    "withdrawal/es.text",
    "withdrawal/fr.subject",
    "withdrawal/fr.text",
    "withdrawal/ja.subject",
    "withdrawal/ja.text",
    "reminder/de.subject",
    "reminder/de.text",
    "reminder/en.subject",
    "reminder/en.text",
    "reminder/es.subject",
    "reminder/es.text",
    "reminder/fr.subject",
    "reminder/fr.text",
    "reminder/ja.subject",
    "reminder/ja.text",
    "answer/de.subject",
    "answer/de.text",
    "answer/en.subject",
    "answer/en.text",
    "answer/es.subject",
    "answer/es.text",
    "answer/fr.subject",
    "answer/fr.text",
    "answer/ja.subject",
    "answer/ja.text",
    "promise/de.subject",
    "promise/de.text",
    "promise/en.subject",
    "promise/en.text",
    "promise/es.subject",
    "promise/es.text",
    "promise/fr.subject",
    "promise/fr.text",
    "promise/ja.subject",
    "promise/ja.text",
    "decline/de.subject",
    "decline/de.text",
    "decline/en.subject",
    "decline/en.text",
    "decline/es.subject",
    "decline/es.text",
    "decline/fr.subject",
    "decline/fr.text",
    "decline/ja.subject",
    "decline/ja.text",
    "escalation/en.subject",
    "escalation/en.text",
    "reach/de.subject",
    "reach/de.text",
    "reach/en.subject",
    "reach/en.text",
    "reach/es.subject",
    "reach/es.text",
    "reach/fr.subject",
    "reach/fr.text",
    "reach/ja.subject",
    "reach/ja.text",
    "report/press/de.subject",
    "report/press/de.text",
    "report/press/en.subject",
    "report/press/en.text",
    "report/press/es.subject",
    "report/press/es.text",
    "report/press/fr.subject",
    "report/press/fr.text",
    "report/press/ja.subject",
    "report/press/ja.text",
    "report/regulator/de.subject",
    "report/regulator/de.text",
    "report/regulator/en.subject",
    "report/regulator/en.text",
    "report/regulator/es.subject",
    "report/regulator/es.text",
    "report/regulator/fr.subject",
    "report/regulator/fr.text",
    "report/regulator/ja.subject",
    "report/regulator/ja.text",
    "report/support/de.subject",
    "report/support/de.text",
    "report/support/en.subject",
    "report/support/en.text",
    "report/support/es.subject",
    "report/support/es.text",
    "report/support/fr.subject",
    "report/support/fr.text",
    "report/support/ja.subject",
    "report/support/ja.text",
];

macro_rules! labels {
    ($($language:ident $file:literal),+ $(,)?) => {
        [$((Language::$language, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/labels/", $file)))),+]
    };
}

/// Labels of data types, one file a language.
pub(super) const LABELS: [(Language, &str); Language::ALL.len()] =
    labels![De "de.json", En "en.json", Es "es.json", Fr "fr.json", Ja "ja.json"];

/// The version of the built-in set, recorded with every letter: 16 hexadecimal digits that depend on every file.
///
/// FNV-1a, worked out by the compiler: it tells versions apart and protects against nobody (a letter's digest does).
pub const VERSION: &str = match std::str::from_utf8(&VERSION_DIGITS) {
    Ok(digits) => digits,
    Err(_) => panic!("hexadecimal digits are ASCII"),
};

const VERSION_DIGITS: [u8; 16] = digits(digest());

const fn digest() -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < SOURCES.len() {
        state = fold(fold(state, SOURCES[at].0.as_bytes()), SOURCES[at].1.as_bytes());
        at += 1;
    }
    at = 0;
    while at < LABELS.len() {
        state = fold(state, LABELS[at].1.as_bytes());
        at += 1;
    }
    at = 0;
    while at < CODE.len() {
        state = fold(state, CODE[at].as_bytes());
        at += 1;
    }
    fold(fold(state, super::frame::STYLE.as_bytes()), model::advice::FILE.as_bytes())
}

/// What writes a notice from a template and facts.
const CODE: [&str; 9] = [
    include_str!("contexts.rs"),
    include_str!("frame.rs"),
    include_str!("helpers.rs"),
    include_str!("labels.rs"),
    include_str!("notice.rs"),
    include_str!("notice/changes.rs"),
    include_str!("notice/elements.rs"),
    include_str!("notice/withheld.rs"),
    include_str!("output.rs"),
];

/// Every byte, then the length, so that moving text between files changes the result.
const fn fold(mut state: u64, bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut at = 0;
    while at < bytes.len() {
        state = (state ^ bytes[at] as u64).wrapping_mul(PRIME);
        at += 1;
    }
    (state ^ bytes.len() as u64).wrapping_mul(PRIME)
}

const fn digits(mut value: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    let mut at = digits.len();
    while at > 0 {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
    digits
}
