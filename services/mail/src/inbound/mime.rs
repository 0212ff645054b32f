//! The structure of a message: header fields, and the leaves of its MIME tree.
//!
//! Walks the tree itself and hands only header blocks to `mail-parser`: that crate's own tree nests attached messages
//! without a limit, and dropping a few thousand levels overflows the stack. Invariant: at most [`PARTS`] parts,
//! [`DEEPEST`] levels and [`HEAD`] bytes of a header block are read, whatever the bytes are.

use mail_parser::{Address, Message, MessageParser, MimeHeaders};
use model::time::Timestamp;

use super::{MOST, decode, html};

/// Parts that are read; mails of people have a handful.
const PARTS: usize = 200;
/// Levels of multiparts within multiparts.
const DEEPEST: usize = 10;
/// Bytes of one header block.
const HEAD: usize = 256 * 1024;
/// Bytes of one text part, encoded.
const TEXT: usize = 2 * 1024 * 1024;

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
    charset: Option<String>,
    /// Decoded, for texts and for parts of reports; else empty.
    pub(super) body: Vec<u8>,
}

/// The fields of one header block, unfolded, names in lower case.
#[derive(Debug, Default, Clone)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// From a header block; lines that are no field are passed over.
    pub(super) fn parse(block: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&block[..block.len().min(HEAD)]);
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        Self(fields)
    }

    /// The first value of a field.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    /// Every value of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |field| field.0 == name).map(|field| field.1.as_str())
    }

    /// The first field whose name starts so.
    pub(super) fn name_with_prefix(&self, prefix: &str) -> Option<&str> {
        self.0.iter().map(|field| field.0.as_str()).find(|name| name.starts_with(prefix))
    }

    /// The Message-IDs in a field, without angle brackets.
    pub(super) fn ids(&self, name: &str) -> Vec<String> {
        self.all(name).flat_map(ids_in).take(MOST).collect()
    }
}

/// Every `<…>` without white space; without any, the words that have an `@` (some senders leave the brackets out).
pub(super) fn ids_in(value: &str) -> Vec<String> {
    let bracketed = value.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(id, _)| id.trim());
    let plausible = |id: &&str| !id.is_empty() && id.len() < 1_000 && !id.contains(char::is_whitespace);
    let ids: Vec<String> = bracketed.filter(plausible).map(str::to_owned).collect();
    if !ids.is_empty() {
        return ids;
    }
    let words = value.split_whitespace().map(|word| word.trim_matches(['<', '>', ',']));
    words.filter(|word| word.contains('@')).filter(plausible).map(str::to_owned).collect()
}

/// Reads the structure of any bytes.
pub(super) fn parse(raw: &[u8]) -> Mail {
    let raw = without_mbox_line(raw);
    let (head, _) = split(raw);
    let block = closed(head);
    let mut mail = Mail { fields: Fields::parse(head), ..Mail::default() };
    if let Some(message) = MessageParser::default().parse_headers(&block) {
        mail.subject = one_line(message.subject().unwrap_or_default());
        if let Some(from) = message.from().and_then(Address::first) {
            mail.from = from.address().map(one_line).filter(|address| !address.is_empty());
            mail.from_name = from.name().map(one_line).filter(|name| !name.is_empty());
        }
        let addressed = [message.to(), message.cc()].into_iter().flatten().flat_map(Address::iter);
        mail.to = addressed.filter_map(|one| one.address()).take(MOST).map(one_line).collect();
        mail.date = message.date().map(|date| Timestamp::from_micros(date.to_timestamp().saturating_mul(1_000_000)));
    }
    if head.len() > HEAD {
        mail.notes.push(format!("its header is longer than {HEAD} bytes: the rest of the header was not read"));
    }
    let mut walk = Walk { mail, alternatives: 0, parts: 0 };
    walk.entity(raw, 0, Within::default(), "text/plain");
    walk.mail
}

impl Mail {
    /// The texts a reader sees, one below the other: of each set of alternatives the plain one, if it has words.
    pub(super) fn text(&self) -> String {
        let mut texts: Vec<String> = Vec::new();
        let mut done = 0;
        for leaf in self.leaves.iter().filter(|leaf| leaf.is_text()) {
            if leaf.alternative == 0 {
                texts.push(leaf.text());
            } else if leaf.alternative > done {
                done = leaf.alternative;
                texts.push(self.best_of(leaf.alternative));
            }
        }
        let texts = texts.iter().map(|text| text.trim_end()).filter(|text| !text.trim().is_empty());
        texts.collect::<Vec<_>>().join("\n\n")
    }

    fn best_of(&self, alternative: usize) -> String {
        let texts = |kind: &str| {
            let same = self.leaves.iter().filter(|leaf| leaf.alternative == alternative && leaf.is_text());
            let texts: Vec<String> = same.filter(|leaf| leaf.kind == kind).map(Leaf::text).collect();
            texts.join("\n")
        };
        let plain = texts("text/plain");
        if plain.trim().is_empty() { texts("text/html") } else { plain }
    }

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

impl Leaf {
    fn is_text(&self) -> bool {
        !self.is_file && matches!(self.kind.as_str(), "text/plain" | "text/html")
    }

    /// Its text, with `\n` line ends.
    fn text(&self) -> String {
        let text = decode::text(self.charset.as_deref(), &self.body);
        let text = if self.kind == "text/html" { html::to_text(&text) } else { text };
        text.replace("\r\n", "\n").replace(['\r', '\u{2028}'], "\n").replace(['\0', '\u{feff}'], "")
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
            let note = "it has more parts than are read: some were left aside";
            if !self.mail.notes.iter().any(|known| known == note) {
                self.mail.notes.push(note.to_owned());
            }
            return;
        }
        let (head, body) = split(entity);
        let block = closed(head);
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
        if matches!(kind.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef") || name == "winmail.dat" {
            let named = if name.is_empty() { "winmail.dat" } else { &name };
            self.mail
                .notes
                .push(format!("its part {named} is in Outlook's own format (TNEF): what is in it was not read"));
        }
        let encoding = message.and_then(|message| message.content_transfer_encoding()).unwrap_or_default();
        let wanted = kind.starts_with("text/") || kind.starts_with("message/");
        let kept = if wanted { &body[..body.len().min(TEXT)] } else { &[] };
        if wanted && kept.len() < body.len() {
            self.mail.notes.push(format!("a part of type {kind} is longer than {TEXT} bytes: it was cut"));
        }
        let body = decode::transfer(encoding, kept);
        let Within { alternative, report: in_report } = within;
        self.mail.leaves.push(Leaf { kind, name, is_file, in_report, alternative, charset, body });
    }
}

/// A leaf that is no text of the mail itself.
#[derive(Debug)]
pub(super) struct File<'a> {
    /// What its sender calls it, on one line; empty where they do not.
    pub(super) name: String,
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
    found.push(File { name, encoding: encoding.to_owned(), body });
}

fn kind(message: &Message) -> Option<String> {
    let stated = message.content_type()?;
    Some(format!("{}/{}", stated.ctype(), stated.subtype().unwrap_or("unknown")).to_ascii_lowercase())
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

/// Header block and body, parted at the first empty line.
pub(super) fn split(entity: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in entity.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            return (&entity[..at], &entity[at + line.len()..]);
        }
        at += line.len();
    }
    (entity, &[])
}

/// A header block of limited length that ends with an empty line, as the parser wants it.
fn closed(head: &[u8]) -> Vec<u8> {
    let mut block = head[..head.len().min(HEAD)].to_vec();
    block.extend_from_slice(b"\r\n\r\n");
    block
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
