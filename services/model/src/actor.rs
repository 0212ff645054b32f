//! Who did something, where two people are needed.
//!
//! Proves no identity: a name is what the caller says it is. Invariant: another spelling is not another person.

use unicode_normalization::UnicodeNormalization as _;

/// Characters of a name at most.
const LONGEST: usize = 100;
/// Who acts where nobody does: no person is called so.
const OURS: [&str; 3] = ["forthright", "system", "unknown sender"];
/// Letters of other scripts that look like Latin ones, in lower case.
const ALIKE: [(&str, &str); 2] =
    [("авсеһіјкӏмнорԛѕтухԁԝԍ", "abcehijklmhopqstyxdwg"), ("αβεζηικμνορτυχγω", "abezhikmnoptyxyw")];

/// Why a name is nobody's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing, or nothing that is seen.
    #[error("a name is empty")]
    Empty,
    /// Longer than any name.
    #[error("a name has more than {LONGEST} characters")]
    Long,
    /// A line end, a control character, or one that nobody sees.
    #[error("a name holds a line end, a control character or one that nobody sees")]
    Unseen,
    /// The program acts under it.
    #[error("`{0}` is the program's own name")]
    Ours(String),
    /// Letters that look like others.
    #[error("`{0}` mixes letters of several scripts, which look alike")]
    Mixed(String),
}

/// A name that can stand for a person in every record.
pub fn name(text: &str) -> Result<&str, BadName> {
    let text = text.trim();
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.chars().count() > LONGEST {
        return Err(BadName::Long);
    }
    if text.chars().any(|char| is_invisible(char) || crate::printed::steers(char) || matches!(char, '\n' | '\t')) {
        return Err(BadName::Unseen);
    }
    if OURS.iter().any(|ours| is_one_person(ours, text)) {
        return Err(BadName::Ours(text.to_owned()));
    }
    let mixes = |word: &str| {
        let scripts: std::collections::BTreeSet<u8> = word.chars().filter_map(script).collect();
        scripts.len() > 1
    };
    if text.split(|char: char| !char.is_alphanumeric()).any(mixes) {
        return Err(BadName::Mixed(text.to_owned()));
    }
    Ok(text)
}

/// Of the scripts whose letters look alike.
fn script(char: char) -> Option<u8> {
    match char {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Some(0),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(1),
        '\u{400}'..='\u{52f}' => Some(2),
        _ => None,
    }
}

/// Whether two names are one person's: white space around and between words, case, how letters are composed or drawn
/// (NFKC), letters that look like Latin ones, and characters that nobody sees do not tell people apart.
pub fn is_one_person(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// A name or another text as it is compared: see [`is_one_person`].
pub fn folded(name: &str) -> String {
    let seen: String = name.nfkc().filter(|char| !is_invisible(*char)).collect();
    // By way of capitals: some letters have two small forms (ς, ſ), others are written out as capitals (ß).
    let folded: String = seen.to_uppercase().to_lowercase().nfkc().collect();
    let folded: String = folded.chars().map(alike).collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn alike(char: char) -> char {
    let latin = ALIKE.iter().find_map(|(others, latin)| {
        let at = others.chars().position(|other| other == char)?;
        latin.chars().nth(at)
    });
    latin.unwrap_or(char)
}

/// Control characters, and what Unicode calls `Default_Ignorable_Code_Point` or prints as nothing at all.
pub fn is_invisible(char: char) -> bool {
    let control = char.is_control() && !char.is_whitespace();
    control
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_another_script_do_not_make_another_person() {
        assert!(is_one_person("\u{430}da", "ada"));
        assert!(is_one_person("\u{440}\u{430}\u{443}", "pay"));
        assert!(!is_one_person("ада", "ada"), "д looks like no Latin letter");
        for (others, latin) in ALIKE {
            assert_eq!(others.chars().count(), latin.chars().count());
        }
    }

    #[test]
    fn a_name_is_one_line_of_one_script_and_not_the_programs_own() {
        for good in ["ada", "Ann  B", "jörg@vendor.example", "山田 太郎", "Иван Петров", "Νίκος"] {
            assert!(name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "ada\n\n2026-11-26T10:00:00Z  mail",
            "a\u{1b}[2J",
            "a\u{202e}b",
            "\u{430}da",
            "forthright",
            " System",
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn another_spelling_is_not_another_person() {
        assert!(is_one_person("Counsel", " counsel"));
        assert!(is_one_person("Ann  B", "ann b"));
        assert!(is_one_person("JÖRG", "jörg"));
    }

    #[test]
    fn how_a_name_is_composed_or_drawn_does_not_make_another_person() {
        for (one, other) in [
            ("Jos\u{e9}", "Jose\u{301}"),
            ("anna", "\u{ff41}\u{ff4e}\u{ff4e}\u{ff41}"),
            ("ann b", "ann\u{a0}b"),
            ("ΝΙΚΟΣ", "νικος"),
            ("Strauß", "STRAUSS"),
        ] {
            assert!(is_one_person(one, other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn what_nobody_sees_does_not_make_another_person() {
        for invisible in [
            '\u{200b}',
            '\u{200d}',
            '\u{ad}',
            '\u{202e}',
            '\u{2060}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{e0061}',
            '\u{7}',
            '\u{3164}',
        ] {
            assert!(is_one_person("anna", &format!("an{invisible}na")), "{:x}", u32::from(invisible));
        }
    }

    #[test]
    fn other_names_are_other_people() {
        assert!(!is_one_person("ann", "anne"));
        assert!(!is_one_person("ann b", "annb"));
        assert!(!is_one_person("josé", "jose"));
    }
}
