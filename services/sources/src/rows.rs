//! Records of a file of either format, with the fields that the caller wants.
//!
//! Does not know what the fields are for. Invariant: after the header each physical line is part of exactly one
//! record or blank; memory is bounded by [`LONGEST_RECORD`].

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use model::intake::Field;

use crate::csv::Splitter;
use crate::error::SourceError;
use crate::head::{self, Format};
use crate::json;
use crate::lines::{Lines, is_blank, without_end};

/// Longest record in bytes: 1 MiB, two hundred times the longest row that makes sense.
pub(crate) const LONGEST_RECORD: usize = 1024 * 1024;

/// A field the caller wants.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    /// The column or member it is in; `None` where the caller knows that there is none.
    pub(crate) column: Option<String>,
    /// What to call it in an error where it is missing.
    pub(crate) shown: String,
    pub(crate) need: Need,
}

/// Whether a CSV header must have the column. Members of JSON objects may always be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// What [`Rows::advance`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Blank,
    Record,
    End,
}

#[derive(Debug)]
pub(crate) struct Rows {
    path: PathBuf,
    lines: Lines,
    /// The record as it stands in the file, over all its lines.
    raw: Vec<u8>,
    /// The line where it begins.
    line: u64,
    /// Blank lines before the header that were not yet given.
    blanks_before: u64,
    kind: Kind,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    Csv {
        splitter: Splitter,
        /// Columns of the header.
        columns: usize,
        /// The column of each wanted field.
        places: Vec<Option<usize>>,
        /// Whether the quotes of the record are closed.
        closed: bool,
    },
    Json {
        names: Vec<Option<String>>,
        /// The line with replacement characters where it is not UTF-8.
        repaired: Option<String>,
    },
}

impl Rows {
    /// `next` tells the reader of the error what to do about missing columns.
    pub(crate) fn open(path: &Path, format: Format, wants: &[Want], next: &'static str) -> Result<Self, SourceError> {
        let opened = head::open(path)?;
        let format = head::settle(format, path, &opened.head)?;
        let names = wants.iter().map(|want| want.column.clone()).collect();
        let mut rows = Self {
            path: path.to_owned(),
            lines: Lines::new(opened),
            raw: Vec::new(),
            line: 0,
            blanks_before: 0,
            kind: Kind::Json { names, repaired: None },
            notes: Vec::new(),
        };
        match format {
            Format::Csv | Format::Auto => rows.read_header(wants, next)?,
            Format::JsonLines => rows.skip_blank_lines()?,
        }
        Ok(rows)
    }

    /// Goes to the next record or blank line.
    pub(crate) fn advance(&mut self) -> Result<Step, SourceError> {
        if self.blanks_before > 0 {
            self.blanks_before -= 1;
            return Ok(Step::Blank);
        }
        // The first JSON line was read by `open`, to see that there is one.
        let at_first = self.line == 0 && !self.raw.is_empty();
        if !at_first && !self.next_line()? {
            return Ok(Step::End);
        }
        self.line = self.lines.count();
        if is_blank(&self.raw) {
            return Ok(Step::Blank);
        }
        self.complete()?;
        Ok(Step::Record)
    }

    /// Reads the record's fields in the order they were wanted; whether the record is well formed.
    pub(crate) fn fields<'a>(&'a self, fields: &mut [Field<'a>]) -> bool {
        match &self.kind {
            Kind::Csv { splitter, columns, places, closed } => {
                if !closed || splitter.len() != *columns {
                    return false;
                }
                for (field, place) in fields.iter_mut().zip(places) {
                    let bytes = place.and_then(|at| splitter.field(&self.raw, at));
                    *field = bytes
                        .map_or(Field::Missing, |bytes| std::str::from_utf8(bytes).map_or(Field::Invalid, Field::from));
                }
                true
            }
            Kind::Json { names, repaired: None } => {
                std::str::from_utf8(self.raw()).is_ok_and(|line| json::read(line, names, fields))
            }
            Kind::Json { names, repaired: Some(line) } => {
                let well_formed = json::read(line, names, fields);
                for field in fields {
                    if matches!(field, Field::Text(text) if text.contains(char::REPLACEMENT_CHARACTER)) {
                        *field = Field::Invalid;
                    }
                }
                well_formed
            }
        }
    }

    /// The physical line where the record begins; the file's first line is 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The record as it stands in the file, without its last line end.
    pub(crate) fn raw(&self) -> &[u8] {
        without_end(&self.raw)
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.lines.bytes()
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    fn next_line(&mut self) -> Result<bool, SourceError> {
        self.raw.clear();
        self.append_line()
    }

    fn append_line(&mut self) -> Result<bool, SourceError> {
        let before = self.raw.len();
        let limit = LONGEST_RECORD + 1 - before;
        let some =
            self.lines.append_next(&mut self.raw, limit).map_err(|source| SourceError::io(&self.path, source))?;
        if self.raw.len() > LONGEST_RECORD {
            let line = if before == 0 { self.lines.count() } else { self.line };
            return Err(SourceError::TooLong { path: self.path.clone(), line });
        }
        Ok(some)
    }

    /// Reads the record to its end, from its first line in `raw`.
    fn complete(&mut self) -> Result<(), SourceError> {
        match &mut self.kind {
            Kind::Csv { splitter, closed, .. } => *closed = splitter.begin(&self.raw),
            Kind::Json { repaired, .. } => {
                *repaired = match String::from_utf8_lossy(without_end(&self.raw)) {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(text) => Some(text),
                };
                return Ok(());
            }
        }
        loop {
            let before = self.raw.len();
            match &mut self.kind {
                Kind::Csv { closed: false, .. } => {}
                Kind::Csv { .. } | Kind::Json { .. } => return Ok(()),
            }
            if !self.append_line()? {
                break;
            }
            if let Kind::Csv { splitter, closed, .. } = &mut self.kind {
                *closed = splitter.feed(&self.raw[before..]);
            }
        }
        // The file ended inside quotes. A last line that is broken is one bad row; more lines would be lost in it.
        if self.lines.count() == self.line {
            return Ok(());
        }
        Err(SourceError::UnclosedQuote { path: self.path.clone(), line: self.line })
    }

    /// Reads on to the first line that is not blank.
    fn skip_blank_lines(&mut self) -> Result<(), SourceError> {
        while self.next_line()? {
            if !is_blank(&self.raw) {
                return Ok(());
            }
            self.blanks_before += 1;
        }
        Err(SourceError::Empty { path: self.path.clone() })
    }

    fn read_header(&mut self, wants: &[Want], next: &'static str) -> Result<(), SourceError> {
        self.skip_blank_lines()?;
        self.line = self.lines.count();
        let splitter = Splitter::new(delimiter(&self.raw, wants));
        self.kind = Kind::Csv { splitter, columns: 0, places: Vec::new(), closed: true };
        self.complete()?;
        let Kind::Csv { splitter, columns, places, .. } = &mut self.kind else { return Ok(()) };
        let header = names(splitter, &self.raw);
        *columns = header.len();
        *places = find_places(&self.path, &header, wants, next)?;
        let ignored: Vec<&str> =
            header.iter().enumerate().filter(|(at, _)| !places.contains(&Some(*at))).map(|(_, name)| &**name).collect();
        if !ignored.is_empty() {
            self.notes.push(format!("columns that are not used: {}", ignored.join(", ")));
        }
        Ok(())
    }
}

/// The delimiter under which the header's first line has most of the wanted columns, then most columns.
fn delimiter(line: &[u8], wants: &[Want]) -> u8 {
    let score = |delimiter: &u8| {
        let mut splitter = Splitter::new(*delimiter);
        splitter.begin(line);
        let header = names(&splitter, line);
        let found = wants.iter().filter(|want| want.column.as_ref().is_some_and(|name| header.contains(name))).count();
        (found, header.len())
    };
    // Of equals the last one is the greatest, so the comma stands last.
    *b"|\t;,".iter().max_by_key(|delimiter| score(delimiter)).unwrap_or(&b',')
}

fn names(splitter: &Splitter, raw: &[u8]) -> Vec<String> {
    let name = |at| String::from_utf8_lossy(splitter.field(raw, at).unwrap_or_default()).trim().to_owned();
    (0..splitter.len()).map(name).collect()
}

fn find_places(
    path: &Path,
    header: &[String],
    wants: &[Want],
    next: &'static str,
) -> Result<Vec<Option<usize>>, SourceError> {
    let mut missing = Vec::new();
    let mut places = Vec::with_capacity(wants.len());
    for want in wants {
        let Some(column) = &want.column else {
            places.push(None);
            continue;
        };
        let mut found = header.iter().enumerate().filter(|(_, name)| *name == column).map(|(at, _)| at);
        let place = found.next();
        if found.next().is_some() {
            return Err(SourceError::DuplicateColumn { path: path.to_owned(), column: column.clone() });
        }
        if place.is_none() && want.need == Need::Required {
            missing.push(want.shown.as_str());
        }
        places.push(place);
    }
    if missing.is_empty() {
        return Ok(places);
    }
    Err(SourceError::MissingColumns {
        path: path.to_owned(),
        missing: missing.join(", "),
        present: shortened(&header.join(", ")),
        next,
    })
}

/// A header of a file that is no table can be long: enough of it to know it by.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 300 { text.to_owned() } else { text.chars().take(300).chain("…".chars()).collect() }
}
