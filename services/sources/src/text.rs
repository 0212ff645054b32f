//! Records of a text: CSV or JSON Lines, with the fields that the caller wants.
//!
//! Does not know what the fields are for. Invariant: after the header each physical line is part of exactly one
//! record or blank; memory is bounded by [`LONGEST_RECORD`].

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use model::intake::Field;

use crate::csv::Splitter;
use crate::error::SourceError;
use crate::head::{self, Format};
use crate::header::{delimiter, names, places};
use crate::input::Text;
use crate::json;
use crate::lines::{Line, is_blank, without_end};
use crate::rows::{Fault, Header, How, LONGEST_RECORD, Plan, Step};

#[derive(Debug)]
pub(crate) struct TextRows {
    path: PathBuf,
    text: Text,
    /// The line where the record begins; 0 before the first.
    line: u64,
    /// Blank lines before the first record that were not yet given.
    blanks_before: u64,
    /// Whether the record was read already, to see that there is one.
    is_read: bool,
    /// Records whose fields were read and are not UTF-8 throughout.
    not_utf8: AtomicU64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Csv(Csv),
    Json {
        names: Vec<Option<String>>,
        /// The line with replacement characters where it is not UTF-8.
        repaired: Option<String>,
    },
}

#[derive(Debug)]
struct Csv {
    splitter: Splitter,
    delimiter: u8,
    /// Columns of the header.
    columns: usize,
    /// The column of each wanted field.
    places: Vec<Option<usize>>,
    /// Whether the quotes of the record are closed.
    closed: bool,
}

impl TextRows {
    pub(crate) fn open(
        path: &Path,
        mut text: Text,
        how: &How<'_>,
        plan: &Plan<'_>,
    ) -> Result<(Self, Header), SourceError> {
        let format = head::settle(how.format, path, text.head(path)?)?;
        let kind = Kind::Json { names: Vec::new(), repaired: None };
        let mut rows = Self {
            path: path.to_owned(),
            text,
            line: 0,
            blanks_before: 0,
            is_read: false,
            not_utf8: AtomicU64::new(0),
            kind,
        };
        rows.skip_blank_lines()?;
        let header = match (format, how.header) {
            (Format::JsonLines, _) => {
                let names = plan(None).into_iter().map(|want| want.column).collect();
                rows.kind = Kind::Json { names, repaired: None };
                rows.is_read = true;
                Header::None
            }
            (Format::Csv | Format::Auto, Some(names)) => {
                rows.is_read = true;
                rows.take_header(names.to_vec(), how, plan, b',')?
            }
            (Format::Csv | Format::Auto, None) => rows.read_header(how, plan)?,
            (Format::Parquet, _) => {
                return Err(SourceError::NotText {
                    path: path.to_owned(),
                    found: "is no Parquet file, although you said --format parquet",
                    next: "leave --format out",
                });
            }
        };
        Ok((rows, header))
    }

    /// Goes to the next record or blank line.
    pub(crate) fn advance(&mut self) -> Result<Step, SourceError> {
        if self.blanks_before > 0 {
            self.blanks_before -= 1;
            return Ok(Step::Blank);
        }
        if !std::mem::take(&mut self.is_read) && !self.next_line()? {
            return Ok(Step::End);
        }
        self.line = self.text.lines.count();
        if is_blank(self.text.lines.record()) {
            return Ok(Step::Blank);
        }
        self.complete()?;
        Ok(Step::Record)
    }

    /// Reads the record's fields in the order they were wanted.
    pub(crate) fn fields<'a>(&'a self, fields: &mut [Field<'a>]) -> Result<(), Fault> {
        match &self.kind {
            Kind::Csv(csv) => {
                let is_utf8 = csv.fields(self.text.lines.record(), fields)?;
                self.not_utf8.fetch_add(u64::from(!is_utf8), Ordering::Relaxed);
            }
            Kind::Json { names, repaired: None } => {
                let line = std::str::from_utf8(self.raw()).unwrap_or_default();
                json::read(line, names, fields).map_err(|byte| Fault::NoObject { byte })?;
            }
            Kind::Json { names, repaired: Some(line) } => {
                json::read(line, names, fields).map_err(|byte| Fault::NoObject { byte })?;
                refuse_replaced(fields);
                self.not_utf8.fetch_add(1, Ordering::Relaxed);
            }
        }
        if self.text.encoding.replaces() {
            refuse_replaced(fields);
        }
        Ok(())
    }

    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn raw(&self) -> &[u8] {
        without_end(self.text.lines.record())
    }

    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    pub(crate) fn not_utf8(&self) -> u64 {
        self.not_utf8.load(Ordering::Relaxed)
    }

    pub(crate) fn format(&self) -> Format {
        match self.kind {
            Kind::Csv(_) => Format::Csv,
            Kind::Json { .. } => Format::JsonLines,
        }
    }

    /// The delimiter of CSV.
    pub(crate) fn delimiter(&self) -> Option<char> {
        match &self.kind {
            Kind::Csv(csv) => Some(char::from(csv.delimiter)),
            Kind::Json { .. } => None,
        }
    }

    /// The column of each wanted field, counted from 0; nothing for JSON, where members have no order.
    pub(crate) fn places(&self) -> &[Option<usize>] {
        match &self.kind {
            Kind::Csv(csv) => &csv.places,
            Kind::Json { .. } => &[],
        }
    }

    fn next_line(&mut self) -> Result<bool, SourceError> {
        self.text.lines.begin();
        self.append_line()
    }

    fn append_line(&mut self) -> Result<bool, SourceError> {
        let is_first = self.text.lines.record().is_empty();
        match self.text.lines.extend(LONGEST_RECORD) {
            Ok(Line::Some) => Ok(true),
            Ok(Line::None) => Ok(false),
            Ok(Line::TooLong) => {
                let line = if is_first { self.text.lines.count() + 1 } else { self.line };
                Err(SourceError::TooLong { path: self.path.clone(), line })
            }
            Err(source) => Err(SourceError::reading(&self.path, self.text.lines.count(), source)),
        }
    }

    /// Reads the record to its end, from its first line.
    fn complete(&mut self) -> Result<(), SourceError> {
        let record = self.text.lines.record();
        match &mut self.kind {
            Kind::Csv(csv) => {
                csv.closed = csv.splitter.begin(record);
                if csv.closed {
                    return Ok(());
                }
            }
            Kind::Json { repaired, .. } => {
                *repaired = match String::from_utf8_lossy(without_end(record)) {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(text) => Some(text),
                };
                return Ok(());
            }
        }
        loop {
            let before = self.text.lines.record().len();
            if !self.append_line()? {
                break;
            }
            if let Kind::Csv(csv) = &mut self.kind {
                csv.closed = csv.splitter.feed(&self.text.lines.record()[before..]);
                if csv.closed {
                    return Ok(());
                }
            }
        }
        // The file ended inside quotes. A last line that is broken is one bad row; more lines would be lost in it.
        if self.text.lines.count() == self.line {
            return Ok(());
        }
        Err(SourceError::UnclosedQuote { path: self.path.clone(), line: self.line })
    }

    /// Reads on to the first line that is not blank.
    fn skip_blank_lines(&mut self) -> Result<(), SourceError> {
        while self.next_line()? {
            if !is_blank(self.text.lines.record()) {
                return Ok(());
            }
            self.blanks_before += 1;
        }
        Err(SourceError::Empty { path: self.path.clone() })
    }

    fn read_header(&mut self, how: &How<'_>, plan: &Plan<'_>) -> Result<Header, SourceError> {
        self.line = self.text.lines.count();
        let delimiter = delimiter(self.text.lines.record(), plan);
        self.kind = Kind::Csv(Csv::new(delimiter));
        self.complete()?;
        let names = match &self.kind {
            Kind::Csv(csv) => names(&csv.splitter, self.text.lines.record()),
            Kind::Json { .. } => Vec::new(),
        };
        self.take_header(names, how, plan, delimiter)
    }

    fn take_header(
        &mut self,
        names: Vec<String>,
        how: &How<'_>,
        plan: &Plan<'_>,
        delimiter: u8,
    ) -> Result<Header, SourceError> {
        let places = places(&self.path, &names, &plan(Some(&names)), how.next)?;
        self.kind = Kind::Csv(Csv { columns: names.len(), places, ..Csv::new(delimiter) });
        Ok(Header::Names(names))
    }
}

impl Csv {
    fn new(delimiter: u8) -> Self {
        Self { splitter: Splitter::new(delimiter), delimiter, columns: 0, places: Vec::new(), closed: true }
    }

    /// Reads the fields of a record; whether all of it is UTF-8.
    fn fields<'a>(&'a self, raw: &'a [u8], fields: &mut [Field<'a>]) -> Result<bool, Fault> {
        if !self.closed {
            return Err(Fault::OpenQuote);
        }
        if self.splitter.len() != self.columns {
            return Err(Fault::Columns { found: self.splitter.len(), expected: self.columns });
        }
        let source = self.splitter.source(raw);
        // Looking at a line once costs less than looking at each of its fields.
        let Ok(text) = std::str::from_utf8(source) else {
            self.doubtful_fields(source, fields);
            return Ok(false);
        };
        for (field, place) in fields.iter_mut().zip(&self.places) {
            let range = place.and_then(|at| self.splitter.range(at));
            *field = range.and_then(|range| text.get(range)).map_or(Field::Missing, Field::from);
        }
        Ok(true)
    }

    fn doubtful_fields<'a>(&'a self, source: &'a [u8], fields: &mut [Field<'a>]) {
        for (field, place) in fields.iter_mut().zip(&self.places) {
            let range = place.and_then(|at| self.splitter.range(at));
            let bytes = range.and_then(|range| source.get(range));
            *field =
                bytes.map_or(Field::Missing, |bytes| std::str::from_utf8(bytes).map_or(Field::Invalid, Field::from));
        }
    }
}

fn refuse_replaced(fields: &mut [Field<'_>]) {
    for field in fields {
        if matches!(field, Field::Text(text) if text.contains(char::REPLACEMENT_CHARACTER)) {
            *field = Field::Invalid;
        }
    }
}
