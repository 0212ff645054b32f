//! Addresses that strangers published, read with more care than those of the vendor's own files.
//!
//! Does not ask whether anybody reads there. Invariant: an address from here is one address without quotes, commas or
//! control characters, so it is safe wherever an address may stand.

use model::email::{BadEmail, EmailAddress};

/// Longest part before the `@` in octets. Source: RFC 5321 4.5.3.1.1.
const LONGEST_LOCAL_PART: usize = 64;
/// Longest address in octets. Source: RFC 5321 4.5.3.1.3, 256 less two angle brackets.
const LONGEST_ADDRESS: usize = 254;
/// What may stand before the `@` beside letters, digits and dots. Source: RFC 5322 3.2.3, `atext`.
const MARKS: &str = "!#$%&'*+-/=?^_`{|}~";

/// Why a published address is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// A `%` that is not followed by two hexadecimal digits.
    #[error("a % in it is not followed by two hexadecimal digits")]
    Percent,
    /// What the percent signs stand for is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A line break or another control character: somebody tries to add a header.
    #[error("there is a line break or another control character in it")]
    Control,
    /// Several addresses, a quoted one, or one with a name around it.
    #[error("{0:?} stands in it; one bare address is expected")]
    Mark(char),
    /// Dots at an end of the part before the `@`, or two in a row.
    #[error("the dots before the @ are out of place")]
    Dots,
    /// Longer than any mail server takes.
    #[error("it is longer than an address can be")]
    Long,
    /// Not an address.
    #[error(transparent)]
    Email(#[from] BadEmail),
}

/// Reads one bare address.
pub(crate) fn read(text: &str) -> Result<EmailAddress, BadAddress> {
    if text.chars().any(char::is_control) {
        return Err(BadAddress::Control);
    }
    if text.len() > LONGEST_ADDRESS {
        return Err(BadAddress::Long);
    }
    let address = EmailAddress::parse(text)?;
    let local = address.local_part();
    if local.len() > LONGEST_LOCAL_PART || address.as_str().len() > LONGEST_ADDRESS {
        return Err(BadAddress::Long);
    }
    let is_fit = |c: char| c.is_alphanumeric() || c == '.' || MARKS.contains(c);
    if let Some(mark) = local.chars().find(|c| !is_fit(*c)) {
        return Err(BadAddress::Mark(mark));
    }
    if local.split('.').any(str::is_empty) {
        return Err(BadAddress::Dots);
    }
    Ok(address)
}

/// Reads what follows `mailto:` (RFC 6068). Header fields after a `?` are dropped: they are not ours to send.
pub(crate) fn read_mailto(rest: &str) -> Result<EmailAddress, BadAddress> {
    let encoded = rest.split(['?', '#']).next().unwrap_or_default();
    read(&percent_decoded(encoded)?)
}

fn percent_decoded(text: &str) -> Result<String, BadAddress> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(BadAddress::Percent) };
        decoded.push(u8::try_from(high * 16 + low).map_err(|_| BadAddress::Percent)?);
    }
    String::from_utf8(decoded).map_err(|_| BadAddress::NotUtf8)
}

/// Text of a stranger for people to read: on one line, without what turns the direction of writing, at most `longest`
/// characters.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let is_unseen = |c: &char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let spaced: String = text
        .chars()
        .take(longest.saturating_mul(4))
        .filter(|c| !is_unseen(c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut line = String::new();
    for word in spaced.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(rest: &str, expect: Result<&str, BadAddress>) {
        assert_eq!(read_mailto(rest).as_ref().map(EmailAddress::as_str), expect.as_ref().copied(), "{rest:?}");
    }

    #[test]
    fn a_mailto_gives_its_address_without_header_fields() {
        check("security@example.com", Ok("security@example.com"));
        check("Security%2Buri%2Bencoded@Example.com", Ok("security+uri+encoded@example.com"));
        check("sec@acme.example?subject=hello%0d%0aBcc:x@y.example", Ok("sec@acme.example"));
        check("s%C3%A9curit%C3%A9@acme.example", Ok("sécurité@acme.example"));
    }

    #[test]
    fn line_breaks_are_refused_wherever_they_stand() {
        check("sec@acme.example%0d%0aBcc:x@y.example", Err(BadAddress::Control));
        check("sec@acme.example%0D%0A", Err(BadAddress::Control));
        check("%0asec@acme.example", Err(BadAddress::Control));
        check("sec%00@acme.example", Err(BadAddress::Control));
        check("sec%C2%85@acme.example", Err(BadAddress::Control));
    }

    #[test]
    fn only_one_bare_address_will_do() {
        check("a@acme.example,b@evil.example", Err(BadAddress::Mark('@')));
        check("a,b@acme.example", Err(BadAddress::Mark(',')));
        check("%22a b%22@acme.example", Err(BadAddress::Email(BadEmail::BadLocalPart)));
        check("Sec <a@acme.example>", Err(BadAddress::Email(BadEmail::BadLocalPart)));
        check("a..b@acme.example", Err(BadAddress::Dots));
        check(&format!("{}@acme.example", "a".repeat(65)), Err(BadAddress::Long));
    }

    #[test]
    fn broken_percent_signs_are_refused() {
        check("a%4@acme.example", Err(BadAddress::Percent));
        check("a%", Err(BadAddress::Percent));
        check("a%ff@acme.example", Err(BadAddress::NotUtf8));
        check("", Err(BadAddress::Email(BadEmail::NoAt)));
    }

    #[test]
    fn a_line_for_people_has_no_tricks_in_it() {
        assert_eq!(one_line(" Acme\r\n\u{202e}Ltd\u{7} ", 20), "Acme Ltd");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }

    proptest! {
        #[test]
        fn no_address_from_here_can_break_a_header(text in r"(\PC|%0d|%0a|%20|,|@|\.){0,40}") {
            if let Ok(address) = read_mailto(&text) {
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
                prop_assert!(!address.as_str().contains([' ', ',', ';', '<', '>', '"', '\r', '\n', '\0']));
            }
        }
    }
}
