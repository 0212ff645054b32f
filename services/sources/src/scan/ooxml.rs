//! The text inside Word, Excel and PowerPoint files: XML parts in a ZIP file, and where their links lead.
//!
//! Opens no archive inside. Invariant: no part unfolds past the ratio, all of them together not past the budget, and
//! no piece of XML in memory is longer than [`LONGEST_PIECE`].

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::result::ZipError;

use super::kind::Kind;
use super::object::{Budget, Heading, Object, Passage};
use super::options::{MIB, Reason};

/// Longest piece of XML (a tag, a text between tags), in bytes; Excel's longest cell has 32,767 characters.
const LONGEST_PIECE: u64 = 8 * MIB;
/// Deepest nesting of elements: tables in tables in text boxes reach 60.
const DEEPEST: usize = 512;
/// Parts that may begin with a heading.
const BEGINNINGS: [&str; 2] = ["word/document.xml", "ppt/slides/slide1.xml"];

/// Reads an OOXML file. A part that is damaged does not stop the others.
pub(crate) fn read(object: &mut Object, bytes: &[u8]) -> Result<(), Reason> {
    // The list of parts is built before it can be counted, so count the marks of its entries first.
    if memchr::memmem::find_iter(bytes, b"PK\x01\x02").nth(object.limits.parts).is_some() {
        return Err(Reason::TooManyParts);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Reason::Damaged)?;
    if archive.index_for_name("[Content_Types].xml").is_none() {
        return Err(Reason::Damaged);
    }
    for at in 0..archive.len() {
        let part = match archive.by_index(at) {
            Ok(part) => part,
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => return Err(Reason::Encrypted),
            Err(_) => {
                object.incomplete.insert(Reason::Damaged);
                continue;
            }
        };
        let Ok(name) = part.name().map(|name| name.to_ascii_lowercase()) else {
            object.incomplete.insert(Reason::Damaged);
            continue;
        };
        match what(&name) {
            Part::Xml => {}
            Part::NoText => continue,
            Part::Unread(reason) => {
                object.incomplete.insert(reason);
                continue;
            }
        }
        let heading = if BEGINNINGS.contains(&name.as_str()) { Heading::MayBe } else { Heading::Never };
        let ratio = Ratio { packed: part.compressed_size(), times: object.limits.ratio };
        match xml(object, part, ratio, heading) {
            Ok(()) => {}
            Err(Reason::Damaged) => {
                object.incomplete.insert(Reason::Damaged);
            }
            Err(reason) => return Err(reason),
        }
    }
    Ok(())
}

/// What a part is, by its name.
enum Part {
    Xml,
    /// Pictures, fonts, settings of printers.
    NoText,
    Unread(Reason),
}

fn what(name: &str) -> Part {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "xml" | "rels" | "vml" => Part::Xml,
        "zip" | "7z" | "rar" | "gz" => Part::Unread(Reason::Archive),
        _ if super::kind::by_name(name) == super::kind::Named::As(Kind::Ooxml) => Part::Unread(Reason::Archive),
        _ if name.contains("/embeddings/") && !name.ends_with('/') => Part::Unread(Reason::UnknownKind),
        _ => Part::NoText,
    }
}

fn xml(object: &mut Object, part: impl Read, ratio: Ratio, heading: Heading) -> Result<(), Reason> {
    let (mut passage, budget) = object.passage_and_budget(Kind::Ooxml, heading);
    let (piece, exceeded) = (Cell::new(0), Cell::new(None));
    let bounded = Bounded { part, ratio, budget, unfolded: 0, piece: &piece, exceeded: &exceeded };
    let mut reader = Reader::from_reader(BufReader::new(bounded));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let (mut buffer, mut depth, mut in_format) = (Vec::new(), 0_usize, 0_usize);
    loop {
        buffer.clear();
        piece.set(0);
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(_) => return Err(exceeded.get().unwrap_or(Reason::Damaged)),
        };
        match event {
            Event::Start(element) => {
                depth += 1;
                let is_format = in_format > 0 || is_format(element.local_name().as_ref());
                in_format += usize::from(is_format);
                open(&element, &mut passage, is_format);
            }
            Event::Empty(element) => {
                let name = element.local_name();
                open(&element, &mut passage, in_format > 0 || is_format(name.as_ref()));
                close(name.as_ref(), &mut passage, in_format);
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                close(element.local_name().as_ref(), &mut passage, in_format);
                in_format = in_format.saturating_sub(1);
            }
            Event::Text(text) => passage.text(&String::from_utf8_lossy(&text)),
            Event::CData(text) => passage.text(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(name) => passage.text(&format!("&{};", String::from_utf8_lossy(&name))),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => break,
        }
        if depth > DEEPEST {
            return Err(Reason::TooDeep);
        }
    }
    passage.pause();
    Ok(())
}

/// Where links lead, and the addresses that authors of comments and the like have in their attributes.
fn open(element: &BytesStart<'_>, passage: &mut Passage<'_>, is_format: bool) {
    let is_link = element.local_name().as_ref() == b"Relationship";
    for attribute in element.html_attributes().with_checks(false).flatten() {
        let is_outside =
            is_link && attribute.key.as_ref() == b"Target" && memchr::memmem::find(&attribute.value, b":").is_some();
        if is_outside || !is_format && attribute.value.contains(&b'@') {
            passage.pause();
            passage.text(&String::from_utf8_lossy(&attribute.value));
            passage.pause();
        }
    }
}

/// Whether a passage ends with the element: not with the pieces that Word cuts a word into.
fn close(name: &[u8], passage: &mut Passage<'_>, in_format: usize) {
    const INSIDE_A_WORD: [&[u8]; 12] = [
        b"t",
        b"r",
        b"instrText",
        b"proofErr",
        b"bookmarkStart",
        b"bookmarkEnd",
        b"ins",
        b"hyperlink",
        b"smartTag",
        b"lastRenderedPageBreak",
        b"noBreakHyphen",
        b"softHyphen",
    ];
    if in_format == 0 && !is_format(name) && !INSIDE_A_WORD.contains(&name) {
        passage.pause();
    }
}

/// The format of a run, which stands before its text.
fn is_format(name: &[u8]) -> bool {
    name == b"rPr"
}

#[derive(Debug, Clone, Copy)]
struct Ratio {
    /// Bytes in the archive.
    packed: u64,
    times: u64,
}

/// A part that is cut off where it unfolds too far.
struct Bounded<'b, R> {
    part: R,
    ratio: Ratio,
    budget: &'b mut Budget,
    unfolded: u64,
    /// Bytes since the last piece of XML.
    piece: &'b Cell<u64>,
    exceeded: &'b Cell<Option<Reason>>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(buffer)?;
        self.unfolded += read as u64;
        self.piece.set(self.piece.get() + read as u64);
        let is_bomb = self.unfolded > MIB && self.unfolded > self.ratio.packed.saturating_mul(self.ratio.times);
        let too_much = self.budget.charge(read).is_err() || self.piece.get() > LONGEST_PIECE;
        let reason = match (is_bomb, too_much) {
            (true, _) => Reason::RatioExceeded,
            (false, true) => Reason::TooMuchText,
            (false, false) => return Ok(read),
        };
        self.exceeded.set(Some(reason));
        Err(io::Error::other(reason.name()))
    }
}
