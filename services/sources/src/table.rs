//! Tables with named columns: directories, contacts.
//!
//! Does not judge the values. Invariant: a row has a text for every column that was asked for, empty where the file
//! has none; a row that has not is malformed.

use std::borrow::Cow;
use std::path::Path;

use model::intake::Field;

use crate::described::Described;
use crate::encoding::Encoding;
use crate::error::SourceError;
use crate::head::Format;
use crate::preset::Preset;
use crate::rows::{Accepts, How, Need, Rows, Step, Want};

/// What to do about a missing column.
pub(crate) const NEXT: &str = "rename the column in the header, or export the file with it";

/// A table that is being read.
#[derive(Debug)]
pub struct Table {
    rows: Rows,
    names: Vec<String>,
}

/// What stands at one place of a table.
#[derive(Debug)]
pub enum TableRecord<'a> {
    /// A row.
    Row(TableRow<'a>),
    /// A wrong number of columns, no JSON object, or a value that is no text.
    Malformed {
        /// The physical line where it begins; the header's is 1.
        line: u64,
        /// As it stands in the file, without the last line end.
        raw: &'a [u8],
    },
}

/// One row of a table.
#[derive(Debug)]
pub struct TableRow<'a> {
    /// The physical line where it begins; the header's is 1.
    pub line: u64,
    /// As it stands in the file, without the last line end.
    pub raw: &'a [u8],
    names: &'a [String],
    values: Vec<Cow<'a, str>>,
}

impl Table {
    /// Opens a table whose header must have the required columns and may have the optional ones. The format is found
    /// out. Blank lines are skipped.
    pub fn open(path: &Path, required: &[&str], optional: &[&str]) -> Result<Self, SourceError> {
        let accepts = Accepts::TextOrInteger;
        let want = |name: &str, need| Want { column: Some(name.to_owned()), shown: name.to_owned(), need, accepts };
        let required = required.iter().map(|name| want(name, Need::Required));
        let wants: Vec<Want> = required.chain(optional.iter().map(|name| want(name, Need::Optional))).collect();
        let names = wants.iter().map(|want| want.shown.clone()).collect();
        let how = How { format: Format::Auto, encoding: Encoding::Auto, header: None, next: NEXT };
        Ok(Self { rows: Rows::open(path, &how, &|_| wants.clone())?, names })
    }

    /// The next row; `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<TableRecord<'_>>, SourceError> {
        loop {
            match self.rows.advance()? {
                Step::End => return Ok(None),
                Step::Blank => {}
                Step::Record => break,
            }
        }
        let (line, raw) = (self.rows.line(), self.rows.raw());
        let mut fields = vec![Field::Missing; self.names.len()];
        let well_formed = self.rows.fields(&mut fields).is_ok();
        let values: Option<Vec<Cow<'_, str>>> = fields.into_iter().map(text).collect();
        Ok(Some(match values {
            Some(values) if well_formed => TableRecord::Row(TableRow { line, raw, names: &self.names, values }),
            Some(_) | None => TableRecord::Malformed { line, raw },
        }))
    }

    /// Bytes of the file read so far.
    pub fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    /// What the file turned out to be.
    pub fn described(&self) -> Described {
        self.rows.described(Preset::None)
    }

    /// What the user may want to know: a guessed encoding, columns that are not used.
    pub fn notes(&self) -> &[String] {
        self.rows.notes()
    }
}

impl TableRow<'_> {
    /// The value of a column that the table was opened with, trimmed; empty where the file has none.
    pub fn get(&self, name: &str) -> &str {
        let at = self.names.iter().position(|known| known == name);
        debug_assert!(at.is_some(), "column {name} was not asked for");
        at.and_then(|at| self.values.get(at)).map_or("", |value| value.trim())
    }
}

fn text(field: Field<'_>) -> Option<Cow<'_, str>> {
    match field {
        Field::Missing => Some(Cow::Borrowed("")),
        Field::Text(text) => Some(text),
        Field::Invalid => None,
    }
}
