//! From a frozen letter to the bytes of one mail: headers, MIME, encodings.
//!
//! Does not render texts (that is `templates`) and does not sign. Invariant: equal input gives equal bytes, with
//! exactly one address in `To`, no `Cc`, no `Bcc`, and no line that comes from a name or subject as a header.

use std::time::{Duration, SystemTime};

use lettre::{
    Address,
    address::{AddressError, Envelope},
    message::{
        Body, Mailbox, Message, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use model::{notices::Letter, time::Timestamp};

/// The parts of a letter, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct LetterParts<'a> {
    /// One line.
    pub subject: &'a str,
    /// Plain text, any line ends.
    pub text: &'a str,
    /// HTML document with the same content, if there is one.
    pub html: Option<&'a str>,
}

impl<'a> From<&'a Letter> for LetterParts<'a> {
    fn from(letter: &'a Letter) -> Self {
        Self { subject: &letter.subject, text: &letter.text, html: letter.html.as_deref() }
    }
}

/// Whom a mail is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Shown name; empty = the address alone.
    pub name: String,
    /// Mail address.
    pub address: String,
}

/// Who caused a mail, so that automatic replies to automatic mail stay away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automatic {
    /// A wave or a policy: `Auto-Submitted: auto-generated`, automatic replies suppressed.
    Generated,
    /// A direct answer to a mail that came in, by nobody: `Auto-Submitted: auto-replied` (RFC 3834), and the same.
    Replied,
    /// A person's own words: neither header.
    ByPerson,
}

/// Whether the mail belongs to an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// The real thing.
    No,
    /// Says so in the subject and in `X-Forthright-Rehearsal`.
    Yes,
}

/// Everything that makes up one mail to one address.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Subject, text, HTML.
    pub letter: LetterParts<'a>,
    /// `From`.
    pub from: &'a Sender,
    /// The one address in `To`.
    pub to_address: &'a str,
    /// The recipient's name.
    pub to_name: Option<&'a str>,
    /// Message-ID without angle brackets.
    pub message_id: &'a str,
    /// Address in `Reply-To`; `None` = replies go to `From`.
    pub reply_to: Option<&'a str>,
    /// `Date`, in whole seconds, UTC.
    pub date: Timestamp,
    /// Message-IDs of the conversation so far, oldest first, without angle brackets; the last one is replied to.
    pub references: &'a [String],
    /// Who caused it.
    pub automatic: Automatic,
    /// Exercise or real.
    pub rehearsal: Rehearsal,
    /// BCP 47 tag of the letter's language.
    pub language: &'a str,
}

/// Why a mail cannot be put together. Addresses and names are not repeated; the delivery says whose they are.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// No mail address.
    #[error("the address of the {who} is not a mail address ({source}): correct it, then send again")]
    Address {
        /// `sender`, `recipient` or `reply address`.
        who: &'static str,
        /// What is wrong with it.
        source: AddressError,
    },
    /// A line break or another control character in the subject.
    #[error("the subject holds a line break or control character: draft the letter again without it")]
    Subject,
    /// A Message-ID that would break its header.
    #[error("`{0}` cannot be a message id: it needs the form left@right in printable ascii without < > and spaces")]
    MessageId(String),
    /// A time that mail dates cannot express.
    #[error("{0} cannot be the date of a mail: use a time between 1970 and 9999")]
    Date(Timestamp),
    /// A language tag with other characters than letters, digits and hyphens.
    #[error("`{0}` is not a language tag: write it as in `de` or `en-GB`")]
    Language(String),
    /// The MIME library refuses.
    #[error("the mail cannot be put together ({0}): correct the sender's name")]
    Build(#[from] lettre::error::Error),
}

/// Puts one mail together: `multipart/alternative` of text and HTML, or text alone; 7bit or quoted-printable; CRLF.
pub fn compose(mail: &Outgoing<'_>) -> Result<Vec<u8>, ComposeError> {
    let from = mailbox("sender", Some(&mail.from.name), &mail.from.address)?;
    let to = mailbox("recipient", mail.to_name, mail.to_address)?;
    // Given, so that lettre does not read it back from the header.
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.email.clone()])?;
    let mut builder = Message::builder().envelope(envelope).date(date(mail.date)?).from(from).to(to);
    if let Some(address) = mail.reply_to {
        builder = builder.reply_to(mailbox("reply address", None, address)?);
    }
    builder = builder.subject(subject(mail)?).message_id(Some(bracketed(mail.message_id)?));
    if let Some(parent) = mail.references.last() {
        builder = builder.in_reply_to(bracketed(parent)?);
    }
    builder = builder.references(references(mail)?).raw_header(header("Content-Language", language(mail.language)?));
    let submitted = match mail.automatic {
        Automatic::Generated => Some("auto-generated"),
        Automatic::Replied => Some("auto-replied"),
        Automatic::ByPerson => None,
    };
    if let Some(submitted) = submitted {
        builder = builder
            .raw_header(header("Auto-Submitted", submitted))
            .raw_header(header("X-Auto-Response-Suppress", "OOF, AutoReply"));
    }
    if mail.rehearsal == Rehearsal::Yes {
        builder = builder.raw_header(header("X-Forthright-Rehearsal", "REHEARSAL"));
    }
    let text = part(ContentType::TEXT_PLAIN, mail.letter.text);
    let message = match mail.letter.html {
        None => builder.singlepart(text)?,
        Some(html) => builder.multipart(
            MultiPart::alternative()
                .boundary(boundary(mail.message_id))
                .singlepart(text)
                .singlepart(part(ContentType::TEXT_HTML, html)),
        )?,
    };
    Ok(message.formatted())
}

/// An address with its domain as an A-label, fit for a header and for an envelope: no control characters.
pub(crate) fn parse_address(text: &str) -> Result<Address, AddressError> {
    let (user, domain) = text.rsplit_once('@').ok_or(AddressError::MissingParts)?;
    if text.chars().any(char::is_control) {
        return Err(AddressError::InvalidInput);
    }
    if domain.is_ascii() {
        return text.parse();
    }
    let domain = idna::domain_to_ascii(domain).map_err(|_| AddressError::InvalidDomain)?;
    Address::new(user, domain)
}

fn mailbox(who: &'static str, name: Option<&str>, address: &str) -> Result<Mailbox, ComposeError> {
    let address = parse_address(address).map_err(|source| ComposeError::Address { who, source })?;
    Ok(Mailbox::new(name.and_then(one_line), address))
}

/// A name without line breaks and control characters: a name from a table must not stop a mail.
fn one_line(name: &str) -> Option<String> {
    let words: Vec<&str> =
        name.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn subject(mail: &Outgoing<'_>) -> Result<String, ComposeError> {
    let subject = mail.letter.subject;
    if subject.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(ComposeError::Subject);
    }
    Ok(match mail.rehearsal {
        Rehearsal::Yes => format!("[REHEARSAL] {subject}"),
        Rehearsal::No => subject.to_owned(),
    })
}

fn bracketed(id: &str) -> Result<String, ComposeError> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    let halves = id.split_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
    if !halves || id.len() > 250 || !id.bytes().all(fits) {
        return Err(ComposeError::MessageId(id.chars().filter(|c| !c.is_control()).take(250).collect()));
    }
    Ok(format!("<{id}>"))
}

/// The conversation's ids and the mail's own: a reply repeats `References`, so that it finds back even where a relay
/// on the way replaced the Message-ID.
fn references(mail: &Outgoing<'_>) -> Result<String, ComposeError> {
    let mut all = String::new();
    for id in mail.references.iter().map(String::as_str).filter(|id| *id != mail.message_id) {
        all.push_str(&bracketed(id)?);
        all.push(' ');
    }
    all.push_str(&bracketed(mail.message_id)?);
    Ok(all)
}

fn date(time: Timestamp) -> Result<SystemTime, ComposeError> {
    // The first second of the year 10000, where the format ends.
    const END: i64 = 253_402_300_800 * 1_000_000;
    let micros = u64::try_from(time.micros()).ok().filter(|_| time.micros() < END).ok_or(ComposeError::Date(time))?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(micros / 1_000_000))
}

fn language(tag: &str) -> Result<&str, ComposeError> {
    let fits = !tag.is_empty() && tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { Ok(tag) } else { Err(ComposeError::Language(tag.to_owned())) }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The same for the same mail. `=_` cannot stand in quoted-printable, and [`fits_seven_bit`] keeps it out of 7bit.
fn boundary(message_id: &str) -> String {
    let digest = model::digest::sha256(message_id.as_bytes());
    format!("=_{}", digest.get(..40).unwrap_or_default())
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    let text = crlf(text);
    let body = if fits_seven_bit(&text) {
        Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        // Any text can be quoted-printable, so the refusal that hands the bytes back never comes.
        Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
            .unwrap_or_else(|bytes| Body::dangerous_pre_encoded(bytes, ContentTransferEncoding::Binary))
    };
    SinglePart::builder().header(kind).body(body)
}

/// Whether a text with CRLF line ends can travel as it is: printable ASCII, lines of at most 78 characters (RFC 5322
/// 2.1.1), nothing that could be a boundary.
fn fits_seven_bit(text: &str) -> bool {
    let printable = |line: &str| line.len() <= 78 && line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    text.split("\r\n").all(printable) && !text.contains("--=_")
}

/// The text with every line end (CRLF, LF, lone CR) as CRLF.
fn crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32 + 2);
    let mut rest = text;
    while let Some(end) = rest.find(['\r', '\n']) {
        let (line, after) = rest.split_at(end);
        out.push_str(line);
        out.push_str("\r\n");
        rest = after.strip_prefix("\r\n").unwrap_or(after.get(1..).unwrap_or_default());
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
