//! Who did something, where two people are needed.
//!
//! Proves no identity: a name is what the caller says it is. Invariant: another spelling is not another person.

/// Whether two names are one person's: white space around and between words, and case, do not tell people apart.
pub fn is_one_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(one) == plain(other)
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
    fn other_names_are_other_people() {
        assert!(!is_one_person("ann", "anne"));
        assert!(!is_one_person("ann b", "annb"));
    }
}
