//! The structure of a message: header fields, and the leaves of its MIME tree.
//!
//! Walks the tree itself and hands only header blocks to `mail-parser`: that crate's own tree nests attached messages
//! without a limit, and dropping a few thousand levels overflows the stack. Invariant: at most [`PARTS`] parts,
//! [`DEEPEST`] levels and [`HEAD`] bytes of a header block are read, whatever the bytes are.

mod fields;
mod texts;

use mail_parser::{Address, Message, MessageParser, MimeHeaders};
use model::time::Timestamp;

use super::{decode, tnef};
pub(super) use fields::{Fields, ids_in, split};
use fields::{HEAD, NAMED, by_importance, closed};

/// Parts that are read; mails of people have a handful, and some of them a page of small pictures.
const PARTS: usize = 1_000;
/// Levels of multiparts within multiparts.
const DEEPEST: usize = 10;
/// Bytes of one text part, encoded.
const TEXT: usize = 2 * 1024 * 1024;
/// Parts in Outlook's own format that are read; Outlook writes one.
pub(super) const UNPACKED: usize = 3;

/// A message, as far as it matters here.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) fields: Fields,
    pub(super) subject: String,
    pub(super) from: Option<String>,
    pub(super) from_name: Option<String>,
    pub(super) to: Vec<String>,
    pub(super) date: Option<Timestamp>,
    /// Type of the whole (`multipart/report`).
    pub(super) kind: String,
    /// Its report type, for `multipart/report`.
    pub(super) report_type: String,
    pub(super) leaves: Vec<Leaf>,
    /// What was cut or left aside, as sentences.
    pub(super) notes: Vec<String>,
    /// Some parts were not read.
    pub(super) is_partial: bool,
}

/// A part that has no parts.
#[derive(Debug)]
pub(super) struct Leaf {
    /// Type and subtype, lower case.
    pub(super) kind: String,
    /// Its file name, lower case; empty where it has none.
    name: String,
    /// Marked as attachment, or named like a file.
    pub(super) is_file: bool,
    /// Stands in a multipart/report.
    pub(super) in_report: bool,
    /// Which multipart/alternative it is in, counted from 1; 0 = none.
    alternative: usize,
    /// Taken from a part in Outlook's own format: the same text may stand beside it.
    is_unpacked: bool,
    charset: Option<String>,
    /// Decoded, for texts and for parts of reports; else empty.
    pub(super) body: Vec<u8>,
}

/// Reads the structure of any bytes.
pub(super) fn parse(raw: &[u8]) -> Mail {
    let raw = without_mbox_line(raw);
    let (head, _) = split(raw);
    let cut = (head.len() > HEAD).then(|| by_importance(head));
    let read = cut.as_deref().unwrap_or(head);
    let block = closed(read);
    let mut mail = Mail { fields: Fields::parse(read), ..Mail::default() };
    if let Some(message) = MessageParser::default().parse_headers(&block) {
        mail.subject = one_line(message.subject().unwrap_or_default());
        if let Some(from) = message.from().and_then(Address::first) {
            mail.from = from.address().map(one_line).filter(|address| !address.is_empty());
            mail.from_name = from.name().map(one_line).filter(|name| !name.is_empty());
        }
        let addressed = [message.to(), message.cc()].into_iter().flatten().flat_map(Address::iter);
        mail.to = addressed.filter_map(|one| one.address()).take(NAMED).map(one_line).collect();
        mail.date = message.date().map(|date| Timestamp::from_micros(date.to_timestamp().saturating_mul(1_000_000)));
    }
    if head.len() > HEAD {
        mail.notes.push(format!("its header is longer than {HEAD} bytes: not all of it was read"));
    }
    let mut walk = Walk { mail, alternatives: 0, parts: 0 };
    walk.entity(raw, 0, Within::default(), "text/plain");
    walk.mail
}

impl Mail {
    /// The first leaf of one of these types.
    pub(super) fn leaf(&self, kinds: &[&str]) -> Option<&Leaf> {
        self.leaves.iter().find(|leaf| kinds.contains(&leaf.kind.as_str()))
    }

    /// Whether what a person wrote is hidden from us: S/MIME, PGP in parts or in the text, a protected mail of Office.
    pub(super) fn is_encrypted(&self, text: &str) -> bool {
        const OPAQUE: [&str; 4] = [
            "application/pgp-encrypted",
            "application/pkcs7-mime",
            "application/x-pkcs7-mime",
            "application/x-microsoft-rpmsg-message",
        ];
        let protected = self.leaf(&["application/x-microsoft-rpmsg-message"]).is_some();
        let named = |end: &str| self.leaves.iter().any(|leaf| leaf.name.ends_with(end));
        self.kind == "multipart/encrypted"
            || protected
            || text.lines().any(|line| line.trim_end() == "-----BEGIN PGP MESSAGE-----")
            || (text.trim().is_empty() && self.leaf(&OPAQUE).is_some())
            || (text.trim().is_empty() && [".asc", ".gpg", ".pgp", ".p7m", ".rpmsg"].into_iter().any(named))
    }
}

/// Which multiparts a part stands in.
#[derive(Debug, Clone, Copy, Default)]
struct Within {
    /// Which multipart/alternative, counted from 1; 0 = none.
    alternative: usize,
    report: bool,
}

struct Walk {
    mail: Mail,
    alternatives: usize,
    parts: usize,
}

impl Walk {
    fn entity(&mut self, entity: &[u8], depth: usize, within: Within, default: &str) {
        self.parts += 1;
        if self.parts > PARTS || depth > DEEPEST {
            self.mail.is_partial = true;
            let note = "it has more parts than are read: some were left aside";
            if !self.mail.notes.iter().any(|known| known == note) {
                self.mail.notes.push(note.to_owned());
            }
            return;
        }
        let (head, body) = split(entity);
        let cut = (head.len() > HEAD).then(|| by_importance(head));
        let block = closed(cut.as_deref().unwrap_or(head));
        let message = MessageParser::default().parse_headers(&block);
        let kind = message.as_ref().and_then(kind).unwrap_or_else(|| default.to_owned());
        let attribute = |name: &str| {
            let stated = message.as_ref().and_then(|message| message.content_type());
            stated.and_then(|stated| stated.attribute(name)).map(str::to_owned)
        };
        if depth == 0 {
            self.mail.kind.clone_from(&kind);
            self.mail.report_type = attribute("report-type").unwrap_or_default().to_ascii_lowercase();
        }
        if let (true, Some(boundary)) = (kind.starts_with("multipart/"), attribute("boundary")) {
            let parts = parts(body, boundary.as_bytes());
            if !parts.is_empty() {
                let mut within = within;
                within.report |= kind == "multipart/report";
                if kind == "multipart/alternative" && within.alternative == 0 {
                    self.alternatives += 1;
                    within.alternative = self.alternatives;
                }
                let default = if kind == "multipart/digest" { "message/rfc822" } else { "text/plain" };
                for part in parts {
                    self.entity(part, depth + 1, within, default);
                }
                return;
            }
        }
        // A multipart without parts is read as the text that it looks like.
        let kind = if kind.starts_with("multipart/") { "text/plain".to_owned() } else { kind };
        self.leaf(kind, within, body, message.as_ref(), attribute("charset"));
    }

    fn leaf(&mut self, kind: String, within: Within, body: &[u8], message: Option<&Message>, charset: Option<String>) {
        let disposition = message.and_then(|message| message.content_disposition());
        let is_file = disposition.is_some_and(|stated| stated.is_attachment())
            || message.is_some_and(|message| message.attachment_name().is_some());
        let name =
            message.and_then(|message| message.attachment_name()).map(one_line).unwrap_or_default().to_lowercase();
        let encoding = message.and_then(|message| message.content_transfer_encoding()).unwrap_or_default();
        if is_outlooks(&kind, &name) {
            self.unpack(if name.is_empty() { "winmail.dat" } else { &name }, &decode::transfer(encoding, body));
        }
        let wanted = kind.starts_with("text/") || kind.starts_with("message/");
        let kept = if wanted { &body[..body.len().min(TEXT)] } else { &[] };
        if wanted && kept.len() < body.len() {
            self.mail.notes.push(format!("a part of type {kind} is longer than {TEXT} bytes: it was cut"));
        }
        let body = decode::transfer(encoding, kept);
        let Within { alternative, report: in_report } = within;
        self.mail.leaves.push(Leaf { kind, name, is_file, in_report, alternative, is_unpacked: false, charset, body });
    }

    /// A part in Outlook's own format: its text is one of the mail's.
    fn unpack(&mut self, name: &str, bytes: &[u8]) {
        let is_one_more = self.mail.leaves.iter().filter(|leaf| leaf.is_unpacked).count() < UNPACKED;
        let Some(inside) = is_one_more.then(|| tnef::read(bytes)).flatten() else {
            let note = format!("its part {name} is said to be in Outlook's own format (TNEF), and cannot be read");
            return self.mail.notes.push(note);
        };
        let mut said = format!("its part {name} is in Outlook's own format (TNEF): its text was read");
        if !inside.files.is_empty() {
            let names: Vec<&str> = inside.files.iter().map(|file| file.name.as_str()).collect();
            said.push_str(&format!(", and its files are among the mail's: {}", names.join(", ")));
        }
        self.mail.notes.push(said);
        self.mail.leaves.push(Leaf {
            kind: "text/plain".to_owned(),
            name: String::new(),
            is_file: false,
            in_report: false,
            alternative: 0,
            is_unpacked: true,
            charset: Some("utf-8".to_owned()),
            body: inside.text.into_bytes(),
        });
    }
}

/// Whether a part says that it is in Outlook's own format.
pub(super) fn is_outlooks(kind: &str, name: &str) -> bool {
    matches!(kind, "application/ms-tnef" | "application/vnd.ms-tnef") || name.eq_ignore_ascii_case("winmail.dat")
}

/// A leaf that is no text of the mail itself.
#[derive(Debug)]
pub(super) struct File<'a> {
    /// What its sender calls it, on one line; empty where they do not.
    pub(super) name: String,
    /// As the mail states it, in lower case.
    pub(super) kind: String,
    pub(super) encoding: String,
    /// As it was sent.
    pub(super) body: &'a [u8],
}

/// The files of a message, within the same limits.
pub(super) fn files(raw: &[u8]) -> Vec<File<'_>> {
    let (mut found, mut seen) = (Vec::new(), 0);
    files_of(without_mbox_line(raw), 0, &mut seen, &mut found);
    found
}

fn files_of<'a>(entity: &'a [u8], depth: usize, seen: &mut usize, found: &mut Vec<File<'a>>) {
    *seen += 1;
    if *seen > PARTS || depth > DEEPEST {
        return;
    }
    let (head, body) = split(entity);
    let block = closed(head);
    let message = MessageParser::default().parse_headers(&block);
    let stated = message.as_ref().and_then(kind).unwrap_or_else(|| "text/plain".to_owned());
    let boundary =
        message.as_ref().and_then(|message| message.content_type()?.attribute("boundary").map(str::to_owned));
    if let (true, Some(boundary)) = (stated.starts_with("multipart/"), boundary) {
        for part in parts(body, boundary.as_bytes()) {
            files_of(part, depth + 1, seen, found);
        }
        return;
    }
    let attached = message.as_ref().is_some_and(|message| {
        message.content_disposition().is_some_and(|stated| stated.is_attachment())
            || message.attachment_name().is_some()
    });
    if !attached && matches!(stated.as_str(), "text/plain" | "text/html") {
        return;
    }
    let name = message.as_ref().and_then(|message| message.attachment_name()).map(one_line).unwrap_or_default();
    let encoding = message.as_ref().and_then(|message| message.content_transfer_encoding()).unwrap_or_default();
    found.push(File { name, kind: stated, encoding: encoding.to_owned(), body });
}

fn kind(message: &Message) -> Option<String> {
    let stated = message.content_type()?;
    // What is no type at all is read as plain text (RFC 2045 5.2).
    let Some(subtype) = stated.subtype() else { return Some("text/plain".to_owned()) };
    let kind = format!("{}/{subtype}", stated.ctype()).to_ascii_lowercase();
    Some(match kind.as_str() {
        // Their marks are tags.
        "text/enriched" | "text/richtext" => "text/html".to_owned(),
        "text/markdown" | "text/x-markdown" => "text/plain".to_owned(),
        _ => kind,
    })
}

/// Without the line that mailbox files put before a mail (`From alice@b.example Mon …`), and without empty lines above.
fn without_mbox_line(raw: &[u8]) -> &[u8] {
    let raw = match raw.iter().position(|byte| !matches!(byte, b'\r' | b'\n')) {
        Some(start) => &raw[start..],
        None => raw,
    };
    if !raw.starts_with(b"From ") && !raw.starts_with(b">From ") {
        return raw;
    }
    raw.iter().position(|byte| *byte == b'\n').map_or(raw, |end| &raw[end + 1..])
}

/// What stands between delimiter lines; a missing last one is forgiven.
fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let after = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary)).map(<[u8]>::trim_ascii_end);
        let delimiter = after.filter(|rest| matches!(*rest, b"" | b"--"));
        if let Some(rest) = delimiter {
            if let Some(start) = start.take() {
                parts.push(without_line_end(&body[start..at]));
            }
            if rest.is_empty() {
                start = Some(at + line.len());
            } else {
                return parts;
            }
        }
        at += line.len();
        if parts.len() > PARTS {
            return parts;
        }
    }
    if let Some(start) = start {
        parts.push(&body[start..]);
    }
    parts
}

fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
