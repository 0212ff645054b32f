//! Manifests: exposure rows as they stand in the file, streamed.
//!
//! Does not decide which rows count (`model::intake` does). Invariant: rows, malformed records and blank lines add up
//! to what stands after the header.

use std::path::Path;

use model::intake::{Field, RawRow};

use crate::error::SourceError;
use crate::head::Format;
use crate::rows::{Need, Rows, Step, Want};

const NEXT: &str = "name a column that has another name with --map COLUMN=FIELD, or say --without FIELD";

/// How a manifest is to be read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Its format.
    pub format: Format,
    /// (column, field) of `--map`: the field is in that column.
    pub columns: Vec<(String, String)>,
    /// Fields of `--without`: the file has them not, or they are not to be read.
    pub absent: Vec<String>,
}

/// A manifest that is being read.
#[derive(Debug)]
pub struct Manifest {
    rows: Rows,
}

/// What stands at one place of a manifest.
#[derive(Debug)]
pub enum Record<'a> {
    /// A line of white space.
    Blank,
    /// A row.
    Row {
        /// The physical line where it begins; the header's is 1.
        line: u64,
        /// As it stands in the file, without the last line end.
        raw: &'a [u8],
        /// Its fields.
        row: RawRow<'a>,
    },
    /// A wrong number of columns, or no JSON object.
    Malformed {
        /// The physical line where it begins; the header's is 1.
        line: u64,
        /// As it stands in the file, without the last line end.
        raw: &'a [u8],
    },
}

impl Manifest {
    /// Opens a manifest and reads its header.
    pub fn open(path: &Path, options: &Options) -> Result<Self, SourceError> {
        let wants = wants(options)?;
        Ok(Self { rows: Rows::open(path, options.format, &wants, NEXT)? })
    }

    /// The next record; `None` at the end.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, SourceError> {
        match self.rows.advance()? {
            Step::End => return Ok(None),
            Step::Blank => return Ok(Some(Record::Blank)),
            Step::Record => {}
        }
        let (line, raw) = (self.rows.line(), self.rows.raw());
        let mut fields: [Field<'_>; 8] = Default::default();
        if self.rows.fields(&mut fields) {
            Ok(Some(Record::Row { line, raw, row: RawRow::from_fields(fields) }))
        } else {
            Ok(Some(Record::Malformed { line, raw }))
        }
    }

    /// Bytes of the file read so far.
    pub fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    /// What the user may want to know: columns that are not used.
    pub fn notes(&self) -> &[String] {
        self.rows.notes()
    }
}

fn wants(options: &Options) -> Result<Vec<Want>, SourceError> {
    let mapped = options.columns.iter().map(|(_, field)| field);
    check_fields("--map", mapped.clone())?;
    check_fields("--without", options.absent.iter())?;
    if let Some(field) = mapped.into_iter().find(|field| options.absent.contains(field)) {
        return Err(bad_field("--without", field, "--map names a column for it"));
    }
    let want = |field: &&'static str| {
        let column = options.columns.iter().find(|(_, of)| of == field).map(|(column, _)| column.as_str());
        Want {
            column: (!options.absent.iter().any(|absent| absent == field)).then(|| column.unwrap_or(field).to_owned()),
            shown: column.map_or((*field).to_owned(), |column| format!("{column} (for {field})")),
            need: Need::Required,
        }
    };
    Ok(RawRow::FIELDS.iter().map(want).collect())
}

fn check_fields<'a>(option: &'static str, fields: impl Iterator<Item = &'a String>) -> Result<(), SourceError> {
    let mut seen = Vec::new();
    for field in fields {
        if !RawRow::FIELDS.contains(&field.as_str()) {
            return Err(bad_field(option, field, "there is no such field"));
        }
        if seen.contains(&field) {
            return Err(bad_field(option, field, "it is given twice"));
        }
        seen.push(field);
    }
    Ok(())
}

fn bad_field(option: &'static str, field: &str, why: &'static str) -> SourceError {
    SourceError::BadField { option, field: field.to_owned(), why, known: RawRow::FIELDS.join(", ") }
}
