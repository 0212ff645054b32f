//! Reads a domain's security.txt (RFC 9116).
//!
//! Does not fetch it, and does not verify a signature. Invariant: whatever the bytes are, the result is a file with an
//! expiry and its contacts in the order of preference, or the reason why it is none.

use model::email::EmailAddress;
use model::time::Timestamp;
use reqwest::Url;

use super::address::{self, one_line};
use super::cleartext::{self, Lines};

pub use super::cleartext::Signature;

/// Longest file in bytes.
pub const LONGEST_FILE: usize = 64 * 1024;
/// Most lines of a file.
const MOST_LINES: usize = 1_000;
/// Notes that are worth a person's time; a web page would give hundreds.
const MOST_NOTES: usize = 20;
/// Longest value that is kept, in characters.
const LONGEST_VALUE: usize = 500;
/// Fields that are kept as they are, beside those with a meaning here. Source: the registry of RFC 9116 6.2.
const KEPT: [&str; 6] = ["Acknowledgments", "Bug-Bounty", "CSAF", "Encryption", "Hiring", "Policy"];

/// What a security.txt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityTxt {
    /// Whom to write to, the preferred one first.
    pub contacts: Vec<Contact>,
    /// When the file goes out of date.
    pub expires: Timestamp,
    /// It is out of date, and its contacts are not to be used.
    pub expired: bool,
    /// Where the file says that it belongs.
    pub canonical: Vec<String>,
    /// It was served from somewhere else than it says, and its contacts are not to be trusted.
    pub not_canonical: bool,
    /// Language tags in the order of preference, lower case.
    pub languages: Vec<String>,
    /// Encryption, Policy and the like: the registered name of the field, and its value.
    pub others: Vec<(&'static str, String)>,
    /// Whether it was signed.
    pub signature: Signature,
    /// What was left out and why, for a person to read.
    pub notes: Vec<String>,
}

/// A way to reach somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// `mailto:`.
    Mail(EmailAddress),
    /// `https:`, mostly a form.
    Web(String),
    /// `tel:`, what follows it.
    Phone(String),
}

/// Why a file is no security.txt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSecurityTxt {
    /// Over [`LONGEST_FILE`].
    #[error("it has {0} bytes; 65,536 are read")]
    TooLong(usize),
    /// Over a thousand lines.
    #[error("it has more than 1,000 lines")]
    TooManyLines,
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A signature that is cut off, or text around it.
    #[error("{0}")]
    Signature(&'static str),
    /// No Contact field.
    #[error("it has no Contact field")]
    NoContact,
    /// No Expires field.
    #[error("it has no Expires field")]
    NoExpires,
    /// Two Expires fields.
    #[error("it has more than one Expires field")]
    ExpiresTwice,
    /// An Expires field that is no time.
    #[error("its Expires field is not a time by RFC 3339: {0:?}")]
    BadExpires(String),
}

/// Reads a file that was finally served from `fetched_from`, an https address, as of `now`.
pub fn parse(bytes: &[u8], fetched_from: &str, now: Timestamp) -> Result<SecurityTxt, BadSecurityTxt> {
    if bytes.len() > LONGEST_FILE {
        return Err(BadSecurityTxt::TooLong(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| BadSecurityTxt::NotUtf8)?;
    if text.lines().count() > MOST_LINES {
        return Err(BadSecurityTxt::TooManyLines);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (lines, signature) = cleartext::unwrap(text).map_err(BadSecurityTxt::Signature)?;
    let fields = Fields::read(&lines)?;
    if !fields.has_contact {
        return Err(BadSecurityTxt::NoContact);
    }
    let expires = fields.expires.ok_or(BadSecurityTxt::NoExpires)?;
    let not_canonical = !fields.canonical.is_empty() && !fields.canonical.iter().any(|url| is_same(url, fetched_from));
    Ok(SecurityTxt {
        contacts: fields.contacts,
        expires,
        expired: expires <= now,
        canonical: fields.canonical,
        not_canonical,
        languages: fields.languages.unwrap_or_default(),
        others: fields.others,
        signature,
        notes: fields.notes,
    })
}

#[derive(Default)]
struct Fields {
    contacts: Vec<Contact>,
    has_contact: bool,
    expires: Option<Timestamp>,
    canonical: Vec<String>,
    languages: Option<Vec<String>>,
    others: Vec<(&'static str, String)>,
    notes: Vec<String>,
}

impl Fields {
    fn read(lines: &Lines<'_>) -> Result<Self, BadSecurityTxt> {
        let mut fields = Self::default();
        for (number, line) in lines {
            let line = line.trim_matches([' ', '\t', '\r']);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once(':') {
                Some((name, value)) => fields.take(*number, name.trim_end(), value.trim())?,
                None => fields.note(*number, "it is neither a field nor a comment"),
            }
        }
        Ok(fields)
    }

    fn take(&mut self, number: usize, name: &str, value: &str) -> Result<(), BadSecurityTxt> {
        if name.eq_ignore_ascii_case("Contact") {
            self.has_contact = true;
            match contact(value) {
                Ok(contact) => self.contacts.push(contact),
                Err(why) => self.note(number, &why),
            }
        } else if name.eq_ignore_ascii_case("Expires") {
            if self.expires.is_some() {
                return Err(BadSecurityTxt::ExpiresTwice);
            }
            self.expires = Some(time(value).ok_or_else(|| BadSecurityTxt::BadExpires(one_line(value, 60)))?);
        } else if name.eq_ignore_ascii_case("Canonical") {
            // One that cannot be read still says that the file belongs somewhere.
            self.canonical.push(one_line(value, LONGEST_VALUE));
        } else if name.eq_ignore_ascii_case("Preferred-Languages") {
            match self.languages {
                None => self.languages = Some(languages(value)),
                Some(_) => self.note(number, "it is a second Preferred-Languages field; the first one counts"),
            }
        } else if let Some(known) = KEPT.iter().find(|known| name.eq_ignore_ascii_case(known)) {
            self.others.push((known, one_line(value, LONGEST_VALUE)));
        }
        Ok(())
    }

    fn note(&mut self, number: usize, what: &str) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(format!("line {number} is left out: {what}"));
        }
    }
}

fn contact(value: &str) -> Result<Contact, String> {
    let said = one_line(value, 120);
    if value.chars().any(char::is_control) {
        return Err(format!("there is a control character in {said}"));
    }
    let Some((scheme, rest)) = value.split_once(':') else {
        return Err(match address::read(value) {
            Ok(address) => format!("{address} has no mailto: in front, so the file is not valid there"),
            Err(_) => format!("{said} is not a link"),
        });
    };
    match scheme.to_ascii_lowercase().as_str() {
        "mailto" => address::read_mailto(rest).map(Contact::Mail).map_err(|why| format!("{said} is not used: {why}")),
        "https" => match Url::parse(value) {
            Ok(url) if url.host().is_some() => Ok(Contact::Web(url.into())),
            _ => Err(format!("{said} is not a web address")),
        },
        "tel" => Ok(Contact::Phone(one_line(rest, 60))),
        "http" => Err(format!("{said} is not https")),
        _ => Err(format!("{said} is a link that nobody here can follow")),
    }
}

/// Tags by the letters they may have (RFC 5646 2.1), so that none is markup or a header.
fn languages(value: &str) -> Vec<String> {
    let is_tag = |tag: &&str| {
        (1..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    value.split(',').map(str::trim).filter(is_tag).take(20).map(str::to_ascii_lowercase).collect()
}

fn time(value: &str) -> Option<Timestamp> {
    if !is_date_time(value) {
        return None;
    }
    // Some write the last second there is, which jiff ends a day before.
    let value = if value.starts_with("9999-12-31") { "9999-12-30T00:00:00Z" } else { value };
    value.to_ascii_uppercase().parse().ok()
}

/// The shape of RFC 3339's `date-time`; other readers of times take more.
fn is_date_time(value: &str) -> bool {
    let shape: String = value.chars().map(|c| if c.is_ascii_digit() { '0' } else { c.to_ascii_uppercase() }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) if fraction.starts_with('0') => fraction.trim_start_matches('0'),
        Some(_) => return false,
        None => rest,
    };
    matches!(rest, "Z" | "+00:00" | "-00:00")
}

fn is_same(canonical: &str, fetched: &str) -> bool {
    match (Url::parse(canonical), Url::parse(fetched)) {
        (Ok(canonical), Ok(fetched)) => canonical == fetched,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
