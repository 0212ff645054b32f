//! E-mail addresses in one normal form (R5), and the domain a row has from its address (R1).
//!
//! Does not ask whether anybody reads there. Invariant: an [`EmailAddress`] has a local part without white space or
//! control characters and a domain by R2, so it is safe in a header once its letters are ASCII.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::{self, BadDomain, DomainName};

/// An address: lower case, its domain in A-label form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress {
    whole: String,
    domain: DomainName,
}

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadEmail {
    /// No `@`.
    #[error("there is no @ in it; write an address like security@acme.example")]
    NoAt,
    /// Nothing before the `@`.
    #[error("there is nothing before the @; write an address like security@acme.example")]
    NoLocalPart,
    /// White space or control characters before the `@`.
    #[error("there is white space or a control character before the @; write the bare address")]
    BadLocalPart,
    /// The part after the last `@` is not a host name.
    #[error("the part after the @ is not a host name: {0}")]
    Domain(#[source] BadDomain),
}

impl EmailAddress {
    /// Reads an address by R5: what follows the last `@` is the domain.
    pub fn parse(text: &str) -> Result<Self, BadEmail> {
        let whole = normal(text)?.into_owned();
        let (_, domain) = whole.rsplit_once('@').ok_or(BadEmail::NoAt)?;
        let domain = DomainName::parse(domain).map_err(BadEmail::Domain)?;
        Ok(Self { whole, domain })
    }

    /// The normal form, by which addresses are compared.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.whole.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole)
    }
}

impl Serialize for EmailAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.whole)
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = BadEmail;

    fn from_str(text: &str) -> Result<Self, BadEmail> {
        Self::parse(text)
    }
}

/// The text of an [`EmailAddress`], borrowed where it stands in normal form already.
pub fn normal(text: &str) -> Result<Cow<'_, str>, BadEmail> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@').ok_or(BadEmail::NoAt)?;
    if local.is_empty() {
        return Err(BadEmail::NoLocalPart);
    }
    let plain = local.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase());
    if !plain && local.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(BadEmail::BadLocalPart);
    }
    match domain::normal(domain).map_err(BadEmail::Domain)? {
        // Borrowed, it begins right after the @; what was cut off its end was dots and white space.
        Cow::Borrowed(domain) if plain && text[local.len() + 1..].starts_with(domain) => {
            Ok(Cow::Borrowed(&text[..local.len() + 1 + domain.len()]))
        }
        domain => {
            let mut whole = local.to_lowercase();
            whole.push('@');
            whole.push_str(&domain);
            Ok(Cow::Owned(whole))
        }
    }
}

/// What follows the last `@`, by R1; `None` where there is no `@` or only white space after it. Not yet normalised.
pub fn domain_part(text: &str) -> Option<&str> {
    let (_, domain) = text.rsplit_once('@')?;
    let domain = domain.trim();
    (!domain.is_empty()).then_some(domain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: Result<&str, BadEmail>) {
        assert_eq!(EmailAddress::parse(text).as_ref().map(EmailAddress::as_str), expect.as_ref().copied(), "{text:?}");
    }

    #[test]
    fn addresses_are_lowered_and_their_domain_normalised() {
        check(" Mia.Okafor@ACME.Example. ", Ok("mia.okafor@acme.example"));
        check("ÄNNE@München.example", Ok("änne@xn--mnchen-3ya.example"));
        check("\"a@b\"@acme.example", Ok("\"a@b\"@acme.example"));
    }

    #[test]
    fn what_is_no_address_says_why() {
        check("acme.example", Err(BadEmail::NoAt));
        check("@acme.example", Err(BadEmail::NoLocalPart));
        check("a b@acme.example", Err(BadEmail::BadLocalPart));
        check("a\u{7}@acme.example", Err(BadEmail::BadLocalPart));
        check("a@acme", Err(BadEmail::Domain(BadDomain::NoDot)));
        check("a@", Err(BadEmail::Domain(BadDomain::Empty)));
    }

    #[test]
    fn the_domain_of_a_row_is_what_follows_the_last_at() {
        assert_eq!(domain_part("a@b@acme.example "), Some("acme.example"));
        assert_eq!(domain_part("a@.."), Some(".."));
        assert_eq!(domain_part("@acme.example"), Some("acme.example"));
        assert_eq!(domain_part("a@ "), None);
        assert_eq!(domain_part("nobody"), None);
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(text in r"\PC{1,12}@[a-zA-Zä.]{1,12}\.[a-z]{2,5}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
                prop_assert_eq!(domain_part(address.as_str()), Some(address.domain().as_str()));
                prop_assert_eq!(format!("{}@{}", address.local_part(), address.domain()), address.as_str());
            }
        }
    }
}
