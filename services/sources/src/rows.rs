//! Records of a file of any format, with the fields that the caller wants.
//!
//! Does not know what the fields are for. Invariant: a record has a field for each want, or a [`Fault`] that says why
//! it has none.

use std::fmt;
use std::path::Path;

use model::intake::Field;

use crate::compression::Compression;
use crate::described::Described;
use crate::encoding::Encoding;
use crate::error::SourceError;
use crate::head::Format;
use crate::header::shortened;
use crate::input::{self, Guess, Opened};
use crate::parquet::ParquetRows;
use crate::preset::Preset;
use crate::text::TextRows;

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
    pub(crate) accepts: Accepts,
}

/// Whether a header must have the column. Members of JSON objects may always be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// What a typed column may hold. Columns of texts hold anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    Text,
    TextOrInteger,
    Date,
    Flag,
}

/// What the caller wants of a file with that header; `None` where it has none, as JSON Lines.
pub(crate) type Plan<'p> = dyn Fn(Option<&[String]>) -> Vec<Want> + 'p;

/// How a file is to be opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) format: Format,
    pub(crate) encoding: Encoding,
    /// The columns of a CSV file that has no header of its own.
    pub(crate) header: Option<&'a [String]>,
    /// What to do about missing columns.
    pub(crate) next: &'static str,
}

/// What a file says of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Header {
    None,
    Names(Vec<String>),
}

/// What [`Rows::advance`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Blank,
    Record,
    End,
}

/// Why a record is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A wrong number of columns.
    Columns {
        /// Columns of the record.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// The file ends inside quotes that were opened in this record.
    OpenQuote,
    /// The line is not one JSON object.
    NoObject {
        /// The byte of the line, counted from 1, where that shows.
        byte: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Columns { found, expected } => write!(f, "columns: {found} here, {expected} in the header"),
            Self::OpenQuote => f.write_str("a quotation mark is opened and not closed"),
            Self::NoObject { byte } => write!(f, "not one JSON object, which shows at byte {byte}"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Rows {
    kind: Kind,
    header: Header,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    Text(Box<TextRows>),
    Parquet(Box<ParquetRows>),
}

impl Rows {
    pub(crate) fn open(path: &Path, how: &How<'_>, plan: &Plan<'_>) -> Result<Self, SourceError> {
        Self::of(path, input::open(path, how.encoding, Guess::Any)?, how, plan)
    }

    /// The records of a file that is open, whose encoding is settled.
    pub(crate) fn of(path: &Path, opened: Opened, how: &How<'_>, plan: &Plan<'_>) -> Result<Self, SourceError> {
        let (kind, header, notes) = match opened {
            Opened::Text(text) => {
                let notes = text.notes.clone();
                let (rows, header) = TextRows::open(path, text, how, plan)?;
                (Kind::Text(Box::new(rows)), header, notes)
            }
            Opened::Parquet(file) => {
                let (rows, header) = ParquetRows::open(path, file, how, plan)?;
                (Kind::Parquet(Box::new(rows)), header, Vec::new())
            }
        };
        let mut rows = Self { kind, header, notes };
        rows.note_ignored();
        Ok(rows)
    }

    /// Goes to the next record or blank line.
    pub(crate) fn advance(&mut self) -> Result<Step, SourceError> {
        match &mut self.kind {
            Kind::Text(rows) => rows.advance(),
            Kind::Parquet(rows) => rows.advance(),
        }
    }

    /// Reads the record's fields in the order they were wanted.
    pub(crate) fn fields<'a>(&'a self, fields: &mut [Field<'a>]) -> Result<(), Fault> {
        match &self.kind {
            Kind::Text(rows) => rows.fields(fields),
            Kind::Parquet(rows) => {
                rows.fields(fields);
                Ok(())
            }
        }
    }

    /// What shows only when all records were read: that the file is none that was meant.
    pub(crate) fn check_end(&self) -> Result<(), SourceError> {
        match &self.kind {
            Kind::Text(rows) => rows.check_end(),
            Kind::Parquet(_) => Ok(()),
        }
    }

    /// The physical line where the record begins, the file's first line is 1; in Parquet the row, the first is 1.
    pub(crate) fn line(&self) -> u64 {
        match &self.kind {
            Kind::Text(rows) => rows.line(),
            Kind::Parquet(rows) => rows.line(),
        }
    }

    /// The record as it stands in the file, as UTF-8, without its last line end; a Parquet row as a JSON object.
    pub(crate) fn raw(&self) -> &[u8] {
        match &self.kind {
            Kind::Text(rows) => rows.raw(),
            Kind::Parquet(rows) => rows.raw(),
        }
    }

    /// Records whose fields were read and are not UTF-8 throughout.
    pub(crate) fn not_utf8(&self) -> u64 {
        match &self.kind {
            Kind::Text(rows) => rows.not_utf8(),
            Kind::Parquet(_) => 0,
        }
    }

    /// Bytes of the file on the disk read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        match &self.kind {
            Kind::Text(rows) => rows.text().bytes_read(),
            Kind::Parquet(rows) => rows.bytes_read(),
        }
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(crate) fn header(&self) -> Option<&[String]> {
        match &self.header {
            Header::None => None,
            Header::Names(names) => Some(names),
        }
    }

    /// The column of a wanted field, counted from 0.
    pub(crate) fn place(&self, want: usize) -> Option<usize> {
        let places = match &self.kind {
            Kind::Text(rows) => rows.places(),
            Kind::Parquet(rows) => rows.places(),
        };
        places.get(want).copied().flatten()
    }

    pub(crate) fn described(&self, preset: Preset) -> Described {
        match &self.kind {
            Kind::Text(rows) => Described {
                format: rows.format(),
                delimiter: rows.delimiter(),
                encoding: rows.text().encoding,
                compression: rows.text().compression,
                preset,
            },
            Kind::Parquet(_) => Described {
                format: Format::Parquet,
                delimiter: None,
                encoding: Encoding::Utf8,
                compression: Compression::None,
                preset,
            },
        }
    }

    fn note_ignored(&mut self) {
        let places = match &self.kind {
            Kind::Text(rows) => rows.places(),
            Kind::Parquet(rows) => rows.places(),
        };
        let Header::Names(names) = &self.header else { return };
        let is_ignored = |at: &usize| !places.contains(&Some(*at));
        let ignored: Vec<&str> =
            names.iter().enumerate().filter(|(at, _)| is_ignored(at)).map(|(_, name)| &**name).collect();
        if !ignored.is_empty() {
            self.notes.push(format!("columns that are not used: {}", shortened(&ignored.join(", "))));
        }
    }
}
