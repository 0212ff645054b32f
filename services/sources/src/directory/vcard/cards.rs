//! The cards of a file, one at a time: lines unfolded, properties that nobody reads left out.
//!
//! Does not know what properties mean. Invariant: every line is in a card, in a malformed one, or blank, and memory is
//! bounded: 16 MiB for a line, 1 MiB for what is kept of a card.

use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::directory::format::is_begin;
use crate::directory::vcard::READ;
use crate::directory::vcard::property::{Property, name_of, unescaped};
use crate::directory::{DirectoryFormat, DirectoryRecord, MOST_SHOWN};
use crate::error::SourceError;
use crate::input::Text;
use crate::lines::{Line, is_blank, without_end};
use crate::rows::LONGEST_RECORD;

/// Longest line, in bytes: 16 MiB. Some programs write a photo into one.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// A card.
#[derive(Debug)]
pub(crate) struct Card {
    /// The physical line of its `BEGIN:VCARD`.
    pub(crate) line: u64,
    /// Of each name the preferred one first.
    properties: Vec<Property>,
}

#[derive(Debug)]
pub(crate) struct Cards {
    path: PathBuf,
    text: Text,
    draft: Option<Draft>,
}

/// A card that is being read, or lines that are in none.
#[derive(Debug)]
struct Draft {
    line: u64,
    raw: Vec<u8>,
    properties: Vec<Property>,
    /// Bytes of the properties.
    kept: usize,
    /// The line that is being unfolded; empty where it is of no property that is read.
    unfolded: Vec<u8>,
    is_read: bool,
    /// Whether the next line belongs to this one without being indented, as quoted-printable does it.
    goes_on: bool,
    fault: Option<String>,
}

impl Cards {
    pub(crate) fn open(path: &Path, mut text: Text) -> Result<Self, SourceError> {
        if !is_begin(text.head(path)?.trim_ascii_start()) {
            let (found, next) = ("it does not begin with BEGIN:VCARD", "export it as vCard, or name its format");
            let format = DirectoryFormat::VCard;
            return Err(SourceError::NotOfFormat { path: path.to_owned(), format, found, next });
        }
        Ok(Self { path: path.to_owned(), text, draft: None })
    }

    /// The next card that `read` takes for one of its kind.
    pub(crate) fn next_that<T>(
        &mut self,
        read: impl Fn(&Card) -> Result<Option<T>, String>,
    ) -> Result<Option<DirectoryRecord<T>>, SourceError> {
        while let Some(mut draft) = self.next_draft()? {
            let (line, raw) = (draft.line, std::mem::take(&mut draft.raw));
            match draft.into_card(self.text.encoding.replaces()).and_then(|card| read(&card)) {
                Ok(None) => {}
                Ok(Some(found)) => return Ok(Some(DirectoryRecord::Record(found))),
                Err(why) => return Ok(Some(DirectoryRecord::malformed(line, why, &raw))),
            }
        }
        Ok(None)
    }

    /// Reads on to the end of a card, or of lines that are in none.
    fn next_draft(&mut self) -> Result<Option<Draft>, SourceError> {
        while let Some(number) = self.next_line()? {
            let line = without_end(self.text.lines.record());
            if is_end_of(line, b"BEGIN:VCARD") {
                let mut before = self.draft.replace(Draft::new(number, line));
                if let Some(draft) = &mut before {
                    draft.blame(|| format!("it has no END:VCARD before the next begins in line {number}"));
                    return Ok(before);
                }
                continue;
            }
            let Some(draft) = &mut self.draft else {
                if !is_blank(line) {
                    let draft = self.draft.insert(Draft::new(number, line));
                    draft.blame(|| "it stands outside of BEGIN:VCARD and END:VCARD".to_owned());
                }
                continue;
            };
            draft.show(line);
            if is_end_of(line, b"END:VCARD") {
                draft.end_property();
                return Ok(self.draft.take());
            }
            draft.take(line);
        }
        let mut last = self.draft.take();
        if let Some(draft) = &mut last {
            draft.blame(|| "it has no END:VCARD; the file may be cut short".to_owned());
        }
        Ok(last)
    }

    fn next_line(&mut self) -> Result<Option<u64>, SourceError> {
        let lines = &mut self.text.lines;
        lines.begin();
        let found = match lines.extend(LONGEST_LINE) {
            Ok(Line::Some) => return Ok(Some(lines.count())),
            Ok(Line::None) => return Ok(None),
            Ok(Line::TooLong) => "a line is longer than 16 MiB".to_owned(),
            Err(source) => return Err(SourceError::reading(&self.path, lines.count(), source)),
        };
        let next = "look there for a missing line break, or export without photos";
        Err(SourceError::Damaged { path: self.path.clone(), line: lines.count(), found, next })
    }
}

impl Draft {
    fn new(line: u64, first: &[u8]) -> Self {
        let (properties, unfolded) = (Vec::new(), Vec::new());
        let mut draft =
            Self { line, raw: Vec::new(), properties, kept: 0, unfolded, is_read: false, goes_on: false, fault: None };
        draft.show(first);
        draft
    }

    /// Keeps a line as it stands, as long as it will be shown, and one byte more, by which it is seen to be cut.
    fn show(&mut self, line: &[u8]) {
        if !self.raw.is_empty() {
            self.raw.push(b'\n');
        }
        self.raw.extend_from_slice(&line[..line.len().min(MOST_SHOWN)]);
        self.raw.truncate(MOST_SHOWN + 1);
    }

    /// Takes a line into the card.
    fn take(&mut self, line: &[u8]) {
        let folded = line.strip_prefix(b" ").or_else(|| line.strip_prefix(b"\t"));
        let is_more = folded.is_some() || self.goes_on;
        if !is_more {
            self.end_property();
            let name = name_of(line);
            self.is_read = !is_blank(line) && (READ.contains(&name.as_str()) || memchr::memchr(b':', line).is_none());
        }
        if self.is_read {
            let part = folded.unwrap_or(line);
            self.kept += part.len();
            if self.kept > LONGEST_RECORD {
                self.blame(|| "it is longer than 1 MiB".to_owned());
            } else {
                self.unfolded.extend_from_slice(part);
            }
        }
        self.goes_on = line.ends_with(b"=") && (self.goes_on || is_quoted_printable(line));
    }

    fn end_property(&mut self) {
        let line = std::mem::take(&mut self.unfolded);
        if std::mem::take(&mut self.is_read) && self.fault.is_none() {
            let parsed = String::from_utf8(line).map_err(|_| "it has bytes that are no UTF-8".to_owned());
            match parsed.and_then(|line| Property::parse(&line)) {
                Ok(property) => self.properties.push(property),
                Err(why) => self.blame(|| why),
            }
        }
    }

    /// Says what is wrong; what was wrong first counts.
    fn blame(&mut self, why: impl FnOnce() -> String) {
        self.fault.get_or_insert_with(why);
    }

    /// `has_replaced`: U+FFFD stands for what was no character.
    fn into_card(self, has_replaced: bool) -> Result<Card, String> {
        if let Some(why) = self.fault {
            return Err(why);
        }
        let mut properties = self.properties;
        if has_replaced && properties.iter().any(|property| property.value.contains(char::REPLACEMENT_CHARACTER)) {
            return Err("it has bytes that are no characters".to_owned());
        }
        properties.sort_by_key(Property::rank);
        Ok(Card { line: self.line, properties })
    }
}

impl Card {
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    pub(super) fn first(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The text of a property; empty where there is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.first(name).map(|property| unescaped(&property.value)).unwrap_or_default()
    }
}

fn is_end_of(line: &[u8], mark: &[u8]) -> bool {
    line.trim_ascii_end().eq_ignore_ascii_case(mark)
}

fn is_quoted_printable(line: &[u8]) -> bool {
    let head = line.split(|byte| *byte == b':').next().unwrap_or_default();
    memmem::find(&head.to_ascii_uppercase(), b"QUOTED-PRINTABLE").is_some()
}
