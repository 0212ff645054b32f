//! Who did something, where two people are needed.
//!
//! Proves no identity: a name is what the caller says it is. Invariant: another spelling is not another person.

use unicode_normalization::UnicodeNormalization as _;

/// Whether two names are one person's: white space around and between words, case, how letters are composed or drawn
/// (NFKC), and characters that nobody sees do not tell people apart.
pub fn is_one_person(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

fn plain(name: &str) -> String {
    let seen: String = name.nfkc().filter(|char| !is_invisible(*char)).collect();
    // By way of capitals: some letters have two small forms (ς, ſ), others are written out as capitals (ß).
    let folded: String = seen.to_uppercase().to_lowercase().nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
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
    use super::is_one_person;

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
