//! Mails: who they are from and to, their text, and the text of what is attached.
//!
//! Does not read other headers: routes and message ids hold names of servers, not of anybody. Invariant: mails inside
//! mails are read to a bounded depth, and all parts are charged to the object's budget.

use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::kind::{self, HEAD, Kind};
use super::object::{Heading, Object};
use super::options::Reason;
use super::{ooxml, text};

/// Most parts that are mails themselves or may be. `mail-parser` nests them in memory as deep as they are nested in the
/// file, and frees them one inside the other, on the stack.
const MOST_MAILS: usize = 1000;

/// Reads a mail and what is in it.
pub(crate) fn read(object: &mut Object, bytes: &[u8]) -> Result<(), Reason> {
    read_at(object, bytes, 0)
}

fn read_at(object: &mut Object, bytes: &[u8], depth: usize) -> Result<(), Reason> {
    if mails_named(bytes) > MOST_MAILS {
        return Err(Reason::TooDeep);
    }
    let message = MessageParser::default().parse(bytes).ok_or(Reason::Damaged)?;
    message_at(object, &message, depth)
}

fn message_at(object: &mut Object, message: &Message<'_>, depth: usize) -> Result<(), Reason> {
    if depth > object.limits.mail_depth {
        object.incomplete.insert(Reason::TooDeep);
        return Ok(());
    }
    let heading = if depth == 0 { Heading::MayBe } else { Heading::Never };
    let mut passage = object.passage(Kind::Mail, heading);
    if let Some(subject) = message.subject() {
        passage.text(subject);
        passage.pause();
    }
    let mut passage = object.passage(Kind::Mail, Heading::Never);
    let people = [message.from(), message.sender(), message.reply_to(), message.to(), message.cc(), message.bcc()];
    for person in people.into_iter().flatten().flat_map(Address::iter) {
        for text in [person.name(), person.address()].into_iter().flatten() {
            passage.text(text);
            passage.pause();
        }
    }
    // A part that cannot be read does not stop the others.
    for part in &message.parts {
        match part_at(object, part, depth) {
            Ok(()) => {}
            Err(reason @ (Reason::TooMuchText | Reason::RatioExceeded)) => return Err(reason),
            Err(reason) => {
                object.incomplete.insert(reason);
            }
        }
    }
    Ok(())
}

fn part_at(object: &mut Object, part: &MessagePart<'_>, depth: usize) -> Result<(), Reason> {
    match &part.body {
        PartType::Multipart(_) => Ok(()),
        PartType::Message(message) => message_at(object, message, depth + 1),
        PartType::Text(text) => passage(object, Kind::Text, text),
        PartType::Html(text) => passage(object, Kind::Markup, text),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => attachment(object, part, bytes, depth),
    }
}

fn passage(object: &mut Object, kind: Kind, text: &str) -> Result<(), Reason> {
    object.budget.charge(text.len())?;
    let mut passage = object.passage(kind, Heading::Never);
    passage.text(text);
    passage.pause();
    Ok(())
}

fn attachment(object: &mut Object, part: &MessagePart<'_>, bytes: &[u8], depth: usize) -> Result<(), Reason> {
    let name = part.attachment_name().unwrap_or_default();
    let head = &bytes[..bytes.len().min(HEAD)];
    match kind::detect(name, head) {
        Ok(Kind::Ooxml) => ooxml::read(object, bytes),
        Ok(Kind::Mail) => {
            object.budget.charge(bytes.len())?;
            read_at(object, bytes, depth + 1)
        }
        Ok(kind) => text::read(object, kind, Heading::Never, &mut &*bytes),
        Err(Reason::UnknownKind) if is_picture(part) => Ok(()),
        Err(reason) => Err(reason),
    }
}

fn is_picture(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| matches!(kind.ctype(), "image" | "audio" | "video"))
}

/// How many mails inside can stand in it, at most: each needs a field `Content-Type`, with one of three types.
fn mails_named(bytes: &[u8]) -> usize {
    let fields = occurrences(bytes, b"content-type");
    if fields <= MOST_MAILS {
        return fields;
    }
    let types: usize = [&b"rfc822"[..], b"global", b"digest"].iter().map(|name| occurrences(bytes, name)).sum();
    fields.min(types)
}

fn occurrences(bytes: &[u8], small: &[u8]) -> usize {
    let Some(&first) = small.first() else { return 0 };
    let stands_at =
        |at: &usize| bytes.get(*at..at + small.len()).is_some_and(|found| found.eq_ignore_ascii_case(small));
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), bytes).filter(stands_at).count()
}
