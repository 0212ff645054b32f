//! Domain names in one normal form (R2), and their suffixes.
//!
//! Does not resolve anything and knows no directory; what of a name can be registered says
//! [`SuffixList`](crate::suffixes::SuffixList). Invariant: a [`DomainName`] is a host name of two or more labels
//! in A-label form, at most 253 octets long, and parsing it again gives the same name.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Serialize, Serializer};

/// Longest name in octets without the trailing dot. Source: RFC 1035 3.1, 255 less two length octets.
const LONGEST_NAME: usize = 253;
/// Longest label in octets. Source: RFC 1035 2.3.4.
const LONGEST_LABEL: usize = 63;
/// Longest text that is worth normalising: mapping shortens a name by a few octets, never from kilobytes to 253.
const LONGEST_TEXT: usize = 4096;

/// A host name: lower case, A-labels, no trailing dot, at least one dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

/// Why a text is not a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDomain {
    /// Nothing but white space and dots.
    #[error("there is no name; write one like acme.example")]
    Empty,
    /// Two dots in a row, or one at the beginning.
    #[error("a label is empty; look for two dots in a row or one in front")]
    EmptyLabel,
    /// A label is too long.
    #[error("a label has more than 63 octets; no host has such a name")]
    LongLabel,
    /// The name is too long.
    #[error("the name has more than 253 octets; no host has such a name")]
    LongName,
    /// A character that no host name has.
    #[error("the character {0:?} cannot stand in a host name; letters, digits, hyphens and dots can")]
    BadCharacter(char),
    /// A hyphen at an end of a label.
    #[error("a label begins or ends with a hyphen; no host has such a name")]
    Hyphen,
    /// One label only.
    #[error("there is no dot; write the whole name, like acme.example")]
    NoDot,
    /// An address, not a name.
    #[error("it is an IP address; write the name of the host")]
    IpAddress,
    /// UTS 46 refuses it.
    #[error("it is not a valid international name (UTS 46); check its xn-- labels and its letters")]
    NotInternational,
}

impl DomainName {
    /// Reads a name by R2.
    pub fn parse(text: &str) -> Result<Self, BadDomain> {
        normal(text).map(|name| Self(name.into_owned()))
    }

    /// The A-label form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Unicode form; the same as [`Self::as_str`] for most names.
    pub fn unicode(&self) -> String {
        let (text, result) = Uts46::new().to_unicode(self.0.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
        if result.is_ok() { text.into_owned() } else { self.0.clone() }
    }

    /// The suffixes of whole labels, from the name itself down to its last label.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |name| name.split_once('.').map(|(_, rest)| rest))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for DomainName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl std::str::FromStr for DomainName {
    type Err = BadDomain;

    fn from_str(text: &str) -> Result<Self, BadDomain> {
        Self::parse(text)
    }
}

/// The text of a [`DomainName`], borrowed where it stands in normal form already, as in most rows of a manifest.
pub fn normal(text: &str) -> Result<Cow<'_, str>, BadDomain> {
    if is_plain(text.as_bytes()) {
        return Ok(Cow::Borrowed(text));
    }
    let text = text.trim().trim_end_matches('.');
    if is_normal(text) {
        check(text)?;
        return Ok(Cow::Borrowed(text));
    }
    // Of ASCII without A-labels UTS 46 does nothing but lower the letters.
    if text.is_ascii() && text.len() <= LONGEST_NAME {
        let lower = text.to_ascii_lowercase();
        if is_normal(&lower) {
            check(&lower)?;
            return Ok(Cow::Owned(lower));
        }
    }
    let normal = normalise(text)?;
    let normal = normal.trim_end_matches('.');
    check(normal)?;
    Ok(Cow::Owned(normal.to_owned()))
}

/// Whether it is a host name in normal form, seen at one glance: letters, digits and hyphens between dots, and a letter
/// in the last label. Most names of a manifest are; of the others the long way decides.
fn is_plain(name: &[u8]) -> bool {
    let (mut label, mut labels, mut last_has_letter, mut before) = (0_usize, 1, false, b'.');
    for byte in name {
        match byte {
            b'a'..=b'z' => {
                last_has_letter = true;
                label += 1;
            }
            b'0'..=b'9' => label += 1,
            // Two hyphens may begin an A-label.
            b'-' if label > 0 && before != b'-' => label += 1,
            b'.' if label > 0 && before != b'-' && label <= LONGEST_LABEL => {
                (label, last_has_letter) = (0, false);
                labels += 1;
            }
            _ => return false,
        }
        before = *byte;
    }
    labels > 1 && label > 0 && label <= LONGEST_LABEL && before != b'-' && last_has_letter && name.len() <= LONGEST_NAME
}

/// Whether UTS 46 would change nothing.
fn is_normal(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    text.bytes().all(plain) && !text.contains("xn--")
}

fn normalise(text: &str) -> Result<Cow<'_, str>, BadDomain> {
    if text.len() > LONGEST_TEXT {
        return Err(BadDomain::LongName);
    }
    if text.trim_start_matches('[').trim_end_matches(']').parse::<Ipv6Addr>().is_ok() {
        return Err(BadDomain::IpAddress);
    }
    let lower = text.to_lowercase();
    let name = Uts46::new()
        .to_ascii(lower.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
        .map_err(|_| first_bad_character(&lower).map_or(BadDomain::NotInternational, BadDomain::BadCharacter))?;
    if is_encoded_twice(&name) { Err(BadDomain::NotInternational) } else { Ok(Cow::Owned(name.into_owned())) }
}

/// Whether a label decodes to one that begins with `xn--` again. UTS 46 refuses it (validity criterion 4); the library
/// `idna` 1.1 forgets to where hyphens are not checked.
fn is_encoded_twice(name: &str) -> bool {
    // The first letters of such a label are its own, so they stand at the beginning of its A-label too.
    let decoded = || Uts46::new().to_unicode(name.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow).0;
    name.contains("xn--xn--") && decoded().split('.').any(|label| label.starts_with("xn--"))
}

fn check(name: &str) -> Result<(), BadDomain> {
    if name.is_empty() {
        return Err(BadDomain::Empty);
    }
    if let Some(bad) = first_bad_character(name).or_else(|| name.chars().find(|c| !c.is_ascii())) {
        return Err(BadDomain::BadCharacter(bad));
    }
    for label in name.split('.') {
        match label.as_bytes() {
            [] => return Err(BadDomain::EmptyLabel),
            [b'-', ..] | [.., b'-'] => return Err(BadDomain::Hyphen),
            long if long.len() > LONGEST_LABEL => return Err(BadDomain::LongLabel),
            _ => {}
        }
    }
    if name.len() > LONGEST_NAME {
        return Err(BadDomain::LongName);
    }
    if !name.contains('.') {
        return Err(BadDomain::NoDot);
    }
    if is_ip_address(name) { Err(BadDomain::IpAddress) } else { Ok(()) }
}

fn first_bad_character(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_ascii() && !matches!(c, 'a'..='z' | '0'..='9' | '-' | '.'))
}

/// Four labels of digits, also with leading zeros or numbers over 255: nobody's name, and no name of a host.
fn is_ip_address(name: &str) -> bool {
    name.as_bytes().last().is_some_and(u8::is_ascii_digit)
        && name.split('.').count() == 4
        && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: Result<&str, BadDomain>) {
        assert_eq!(DomainName::parse(text).as_ref().map(DomainName::as_str), expect.as_ref().copied(), "{text:?}");
    }

    #[test]
    fn a_name_is_trimmed_lowered_and_freed_of_trailing_dots() {
        check("acme.example", Ok("acme.example"));
        check("  ACME.Example.. \t", Ok("acme.example"));
        check("\u{3000}acme.example\u{a0}", Ok("acme.example"));
        check("mail.acme.example", Ok("mail.acme.example"));
        check("r3---sn-x.acme.example", Ok("r3---sn-x.acme.example"));
    }

    #[test]
    fn international_names_become_a_labels_without_transition() {
        check("MÜNCHEN.example", Ok("xn--mnchen-3ya.example"));
        check("XN--MNCHEN-3YA.example", Ok("xn--mnchen-3ya.example"));
        check("straße.example", Ok("xn--strae-oqa.example"));
        // The rules for hyphens are for the A-label, whose last letter here is not one.
        check("münchen-.example", Ok("xn--mnchen--n2a.example"));
        check("acme。example。", Ok("acme.example"));
        check("ａｃｍｅ．example", Ok("acme.example"));
        check("xn--a.example", Err(BadDomain::NotInternational));
        check("xn--.example", Err(BadDomain::NotInternational));
        // `xn--a-ä` behind its prefix, and `xn-ä-a`, which only looks like it.
        check("xn--xn--a--gua.example", Err(BadDomain::NotInternational));
        check("xn-ä-a.example", Ok("xn--xn--a-ira.example"));
    }

    #[test]
    fn what_is_no_host_name_says_why() {
        check("", Err(BadDomain::Empty));
        check(" ... ", Err(BadDomain::Empty));
        check("。", Err(BadDomain::Empty));
        check("acme..example", Err(BadDomain::EmptyLabel));
        check(".acme.example", Err(BadDomain::EmptyLabel));
        check("acme", Err(BadDomain::NoDot));
        check("under_score.example", Err(BadDomain::BadCharacter('_')));
        check("ac me.example", Err(BadDomain::BadCharacter(' ')));
        check("acme.example .", Err(BadDomain::BadCharacter(' ')));
        check("a@b.example", Err(BadDomain::BadCharacter('@')));
        check("-acme.example", Err(BadDomain::Hyphen));
        check("acme-.example", Err(BadDomain::Hyphen));
        check("192.0.2.1", Err(BadDomain::IpAddress));
        check("１９２.0.2.1.", Err(BadDomain::IpAddress));
        check("[2001:db8::1]", Err(BadDomain::IpAddress));
    }

    #[test]
    fn lengths_are_counted_in_octets_of_the_a_label_form() {
        let label = "a".repeat(63);
        check(&format!("{label}.example"), Ok(&format!("{label}.example")));
        check(&format!("{label}a.example"), Err(BadDomain::LongLabel));
        check(&format!("ü{label}.example"), Err(BadDomain::LongLabel));
        let longest = format!("{label}.{label}.{label}.{}", "b".repeat(61));
        check(&longest, Ok(&longest));
        check(&format!("{longest}b"), Err(BadDomain::LongName));
        check(&"a.".repeat(100_000), Err(BadDomain::LongName));
    }

    #[test]
    fn suffixes_run_from_the_name_to_its_last_label() {
        let name = DomainName::parse("a.b.example").unwrap();
        assert_eq!(name.suffixes().collect::<Vec<_>>(), ["a.b.example", "b.example", "example"]);
    }

    #[test]
    fn the_unicode_form_is_for_people() {
        assert_eq!(DomainName::parse("xn--mnchen-3ya.example").unwrap().unicode(), "münchen.example");
        assert_eq!(DomainName::parse("acme.example").unwrap().unicode(), "acme.example");
    }

    /// R2 without the short cut.
    fn the_long_way(text: &str) -> Result<String, BadDomain> {
        let normal = normalise(text.trim().trim_end_matches('.'))?.trim_end_matches('.').to_owned();
        super::check(&normal).map(|()| normal)
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(text in r"\PC{0,40}|[a-zA-Zäßσ０.。\-x]{1,20}\.[a-z]{2,8}\.?|(xn--[a-z0-9\-]{1,9}\.){1,3}ex") {
            if let Ok(name) = DomainName::parse(&text) {
                prop_assert_eq!(DomainName::parse(name.as_str()), Ok(name.clone()));
                prop_assert!(name.as_str().contains('.'));
                prop_assert!(name.as_str().len() <= 253);
            }
        }

        #[test]
        fn the_unicode_form_leads_back_to_the_name(text in r"[a-zäöß日本σ]{1,12}\.[a-zé]{2,8}") {
            if let Ok(name) = DomainName::parse(&text) {
                prop_assert_eq!(DomainName::parse(&name.unicode()), Ok(name));
            }
        }

        #[test]
        fn the_short_cuts_change_no_answer(text in r"[a-z0-9.\-]{0,30}|[a-zA-Z0-9.\-_]{0,30}|[a-z0-9]{1,9}\.xn--[a-z0-9\-]{0,9}") {
            prop_assert_eq!(DomainName::parse(&text).map(|name| name.0), the_long_way(&text));
        }

        #[test]
        fn case_space_and_dots_around_a_name_make_no_difference(name in "[a-z][a-z0-9]{0,9}(\\.[a-z][a-z0-9]{0,9}){1,4}") {
            let loud = format!(" \t{}.. ", name.to_uppercase());
            prop_assert_eq!(DomainName::parse(&loud), DomainName::parse(&name));
        }
    }
}
