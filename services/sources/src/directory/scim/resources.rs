//! The resources of a SCIM file: in list responses, in arrays, or one a line, in any mixture.
//!
//! Does not know what is in them. Invariant: the text is held once and nothing grows with it; where resources stand one
//! a line, a broken line costs that line alone.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::directory::scim::members::Members;
use crate::directory::{DirectoryFormat, DirectoryRecord};
use crate::error::SourceError;
use crate::input::Text;
use crate::rows::LONGEST_RECORD;

/// Most bytes of a file, unpacked: 512 MiB, a million users with all that servers say of them.
const LARGEST: u64 = 512 * 1024 * 1024;

/// A resource.
#[derive(Debug)]
pub(crate) struct Resource<'a> {
    /// The physical line of its opening brace.
    pub(crate) line: u64,
    pub(super) members: Members<'a>,
}

pub(crate) struct Resources {
    path: PathBuf,
    text: String,
    layout: Layout,
    /// What is before it was given.
    at: usize,
    /// Within an array: where to go on behind what it is in.
    behind: Option<usize>,
    lines: Counted,
    has_replaced: bool,
}

/// How the values of the text are parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One a line: a line that is none is one bad record.
    Lines,
    /// Over any lines: behind what is no JSON there is nothing to hold on to.
    Free,
}

/// A place in the text, and its line.
#[derive(Debug)]
struct Counted {
    at: usize,
    line: u64,
}

/// Where a value stands.
struct Span {
    line: u64,
    start: usize,
    end: usize,
}

impl Resources {
    pub(crate) fn open(path: &Path, text: Text) -> Result<Self, SourceError> {
        let has_replaced = text.encoding.replaces();
        let whole = text.read_whole(path, LARGEST)?;
        let text = String::from_utf8(whole).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            SourceError::NotUtf8 { path: path.to_owned(), line: 1 + breaks(before) }
        })?;
        let start = text.trim_start();
        if !start.starts_with(['{', '[']) {
            let (found, next) = ("it does not begin with { or [", "export it as JSON, or name its format");
            let format = DirectoryFormat::Scim;
            return Err(SourceError::NotOfFormat { path: path.to_owned(), format, found, next });
        }
        let first = start.lines().next().unwrap_or_default().trim_end();
        let is_lines = first.starts_with('{') && first.ends_with('}');
        let layout = if is_lines { Layout::Lines } else { Layout::Free };
        let lines = Counted { at: 0, line: 1 };
        Ok(Self { path: path.to_owned(), text, layout, at: 0, behind: None, lines, has_replaced })
    }

    /// The next resource that `read` takes for one of its kind.
    pub(crate) fn next_that<T>(
        &mut self,
        read: impl Fn(&Resource<'_>) -> Result<Option<T>, String>,
    ) -> Result<Option<DirectoryRecord<T>>, SourceError> {
        while let Some(span) = self.next_value()? {
            let json = &self.text[span.start..span.end];
            let members = self.check(json).and_then(|()| Members::of(json));
            match members.and_then(|members| read(&Resource { line: span.line, members })) {
                Ok(None) => {}
                Ok(Some(found)) => return Ok(Some(DirectoryRecord::Record(found))),
                Err(why) => return Ok(Some(DirectoryRecord::malformed(span.line, why, json.as_bytes()))),
            }
        }
        Ok(None)
    }

    fn check(&self, json: &str) -> Result<(), String> {
        if json.len() > LONGEST_RECORD {
            return Err("it is longer than 1 MiB".to_owned());
        }
        if self.has_replaced && json.contains(char::REPLACEMENT_CHARACTER) {
            return Err("it has bytes that are no characters".to_owned());
        }
        Ok(())
    }

    fn next_value(&mut self) -> Result<Option<Span>, SourceError> {
        loop {
            self.skip_to_value();
            let start = self.at;
            if start == self.text.len() {
                return Ok(None);
            }
            let line = self.lines.move_to(&self.text, start);
            let end = match (self.layout, self.behind) {
                (Layout::Lines, None) => self.end_of_line(start),
                (Layout::Free, _) | (Layout::Lines, Some(_)) => self.end_of_value(start, line)?,
            };
            self.at = end;
            if self.behind.is_none()
                && let Some(first) = first_of_list(&self.text[start..end])
            {
                self.at = start + first;
                self.behind = Some(end);
                continue;
            }
            return Ok(Some(Span { line, start, end }));
        }
    }

    /// Skips what stands between values, and leaves an array at its end.
    fn skip_to_value(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            match (byte, self.behind) {
                (b']', Some(behind)) => {
                    self.at = behind;
                    self.behind = None;
                }
                (b',', Some(_)) | (b' ' | b'\t' | b'\n' | b'\r', _) => self.at += 1,
                _ => return,
            }
        }
    }

    fn end_of_line(&self, start: usize) -> usize {
        let rest = &self.text[start..];
        let line = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest, |length| &rest[..length]);
        // Exactly what is skipped between values, so that a line is never empty here.
        start + line.trim_end_matches([' ', '\t', '\r']).len()
    }

    fn end_of_value(&mut self, start: usize, line: u64) -> Result<usize, SourceError> {
        let mut values = serde_json::Deserializer::from_str(&self.text[start..]).into_iter::<&RawValue>();
        let Some(Err(error)) = values.next() else { return Ok(start + values.byte_offset()) };
        self.at = self.text.len();
        self.behind = None;
        let found = if error.is_eof() { "its JSON ends too early" } else { "it is no JSON any more" };
        Err(SourceError::Damaged {
            path: self.path.clone(),
            line: line + (error.line() as u64).saturating_sub(1),
            found: found.to_owned(),
            next: "check that the export ran to its end, for example with jq . FILE",
        })
    }
}

impl Counted {
    /// Goes to a place that is not before the last one.
    fn move_to(&mut self, text: &str, at: usize) -> u64 {
        self.line += breaks(&text.as_bytes()[self.at..at]);
        self.at = at;
        self.line
    }
}

/// Where the entries begin of an array, or of a list response; `None` also for what is no JSON, which is then malformed.
fn first_of_list(json: &str) -> Option<usize> {
    match json.as_bytes().first()? {
        b'[' => serde_json::from_str::<&RawValue>(json).ok().map(|_| 1),
        b'{' => {
            let list: List<'_> = serde_json::from_str(json).ok()?;
            let entries = list.0?.get();
            // Both are parts of one text, so their distance is the place.
            let at = entries.as_ptr().addr() - json.as_ptr().addr();
            entries.starts_with('[').then_some(at + 1)
        }
        _ => None,
    }
}

fn breaks(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// The `Resources` of an object.
struct List<'a>(Option<&'a RawValue>);

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<List<'de>, M::Error> {
        let mut list = None;
        while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            if name.eq_ignore_ascii_case("Resources") {
                list = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(List(list))
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_larger_than_the_limit_is_refused_before_it_is_held() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[{}]").unwrap();
        let read = |most| crate::input::open_text(file.path()).unwrap().read_whole(file.path(), most);
        assert_eq!(read(4).unwrap(), b"[{}]");
        assert!(matches!(read(3), Err(SourceError::TooLarge { .. })));
    }
}
