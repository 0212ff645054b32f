//! Records of a text: CSV or JSON Lines, with the fields that the caller wants.
//!
//! Does not know what the fields are for. Invariant: after the header each physical line is part of exactly one
//! record or blank; memory is bounded by [`LONGEST_RECORD`].

mod columns;
mod members;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use model::intake::Field;

use crate::error::SourceError;
use crate::head::{self, Format};
use crate::header::{delimiter, places};
use crate::input::Text;
use crate::lines::{Line, is_blank, without_end};
use crate::rows::{Fault, Header, How, LONGEST_RECORD, Plan, Step};
use crate::text::columns::Columns;
use crate::text::members::Members;

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
    Csv(Columns),
    Json(Members),
}

impl TextRows {
    pub(crate) fn open(
        path: &Path,
        mut text: Text,
        how: &How<'_>,
        plan: &Plan<'_>,
    ) -> Result<(Self, Header), SourceError> {
        let format = head::settle(how.format, path, text.head(path)?)?;
        let kind = Kind::Json(Members::default());
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
                rows.kind = Kind::Json(Members::new(names));
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
        let is_utf8 = match &self.kind {
            Kind::Csv(columns) => columns.fields(self.text.lines.record(), fields)?,
            Kind::Json(members) => members.fields(self.raw(), fields)?,
        };
        self.not_utf8.fetch_add(u64::from(!is_utf8), Ordering::Relaxed);
        if self.text.encoding.replaces() {
            refuse_replaced(fields);
        }
        Ok(())
    }

    /// What shows only when all records were read: that the file is none that was meant.
    pub(crate) fn check_end(&self) -> Result<(), SourceError> {
        self.text.check_end(&self.path)?;
        match &self.kind {
            Kind::Csv(_) => Ok(()),
            Kind::Json(members) => members.check_end(&self.path),
        }
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
            Kind::Json(_) => Format::JsonLines,
        }
    }

    /// The delimiter of CSV.
    pub(crate) fn delimiter(&self) -> Option<char> {
        match &self.kind {
            Kind::Csv(columns) => Some(columns.delimiter()),
            Kind::Json(_) => None,
        }
    }

    /// The column of each wanted field, counted from 0; nothing for JSON, where members have no order.
    pub(crate) fn places(&self) -> &[Option<usize>] {
        match &self.kind {
            Kind::Csv(columns) => columns.places(),
            Kind::Json(_) => &[],
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
        let is_complete = match &mut self.kind {
            Kind::Csv(columns) => columns.begin(record),
            Kind::Json(members) => members.begin(without_end(record)),
        };
        if is_complete {
            return Ok(());
        }
        loop {
            let before = self.text.lines.record().len();
            if !self.append_line()? {
                break;
            }
            if let Kind::Csv(columns) = &mut self.kind
                && columns.feed(&self.text.lines.record()[before..])
            {
                return Ok(());
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
        self.kind = Kind::Csv(Columns::new(delimiter, 0, Vec::new()));
        self.complete()?;
        let names = match &self.kind {
            Kind::Csv(columns) => columns.names(self.text.lines.record()),
            Kind::Json(_) => Vec::new(),
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
        self.kind = Kind::Csv(Columns::new(delimiter, names.len(), places));
        Ok(Header::Names(names))
    }
}

fn refuse_replaced(fields: &mut [Field<'_>]) {
    for field in fields {
        if matches!(field, Field::Text(text) if text.contains(char::REPLACEMENT_CHARACTER)) {
            *field = Field::Invalid;
        }
    }
}
