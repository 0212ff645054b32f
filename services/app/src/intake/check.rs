//! `exposure import --check`: reads everything, writes nothing.
//!
//! Counts with the code that the import counts with. Invariant: what is said here to be rejected is what the import
//! rejects.

use std::collections::BTreeMap;
use std::path::Path;

use model::intake::{Counted, read_row};
use model::taxonomy::Taxonomy;
use serde::Serialize;
use sources::{Manifest, Options, Record};

use super::blocking;
use crate::{App, AppError};

/// How many errors are shown one by one.
const SHOWN: usize = 20;
/// How much of a row's text is shown with its error, in characters.
const TEXT_SHOWN: usize = 120;

/// What a check of one file found.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// The file.
    pub file: String,
    /// What it turned out to be: format, encoding, compression.
    pub described: String,
    /// Where each field of a manifest stands: `domain` in column 2, `domain`. Fields that it lacks are missing.
    pub columns: BTreeMap<&'static str, String>,
    /// Rows.
    pub rows: u64,
    /// Lines of white space.
    pub blank_lines: u64,
    /// Rows that would be used.
    pub accepted_rows: u64,
    /// Rows that would be kept as rejects, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Of the rows that would be used, those that lack a field.
    pub missing_fields: BTreeMap<&'static str, u64>,
    /// Of the rows that would be used, those in which a field cannot be used.
    pub invalid_fields: BTreeMap<&'static str, u64>,
    /// The first errors.
    pub first_errors: Vec<FirstError>,
    /// Remarks about its format.
    pub notes: Vec<String>,
}

/// One error.
#[derive(Debug, Serialize)]
pub struct FirstError {
    /// The physical line where the row begins; the header is 1.
    pub line: u64,
    /// The column, counted from 1, or what is known of the place.
    pub column: String,
    /// A reject's reason, or `invalid` with the field.
    pub reason: String,
    /// The beginning of the row.
    pub text: String,
}

/// Reads a file to its end by the rules and says what an import into that incident would count.
pub async fn check(app: &App, slug: &str, path: &Path, name: &str, options: &Options) -> Result<Checked, AppError> {
    let incident = app.incident(slug).await?;
    let options = super::with_path_rule(options, &incident)?;
    let (path, name) = (path.to_owned(), name.to_owned());
    Ok(blocking(move || read(&path, name, &options)).await??)
}

fn read(path: &Path, name: String, options: &Options) -> Result<Checked, sources::SourceError> {
    let mut file = Manifest::open(path, options)?;
    let taxonomy = Taxonomy::builtin();
    let columns: BTreeMap<&'static str, String> =
        model::intake::RawRow::FIELDS.into_iter().filter_map(|field| Some((field, place(&file, field)?))).collect();
    let mut checked = Checked {
        file: name,
        described: file.described().to_string(),
        columns,
        rows: 0,
        blank_lines: 0,
        accepted_rows: 0,
        rejected: BTreeMap::new(),
        missing_fields: BTreeMap::new(),
        invalid_fields: BTreeMap::new(),
        first_errors: Vec::new(),
        notes: Vec::new(),
    };
    while let Some(record) = file.next_record()? {
        match record {
            Record::Blank => checked.blank_lines += 1,
            Record::Malformed { line, raw, fault } => {
                checked.rows += 1;
                *checked.rejected.entry("columns").or_default() += 1;
                checked.note(line, fault.to_string(), "columns".to_owned(), raw);
            }
            Record::Row { line, raw, row } => {
                checked.rows += 1;
                match read_row(&row, taxonomy) {
                    Err(reason) => {
                        *checked.rejected.entry(reason.as_str()).or_default() += 1;
                        let column = checked.columns.get("domain").cloned().unwrap_or_default();
                        checked.note(line, column, reason.to_string(), raw);
                    }
                    Ok(row) => {
                        checked.accepted_rows += 1;
                        for field in Counted::ALL {
                            if row.missing.contains(field) {
                                *checked.missing_fields.entry(field.name()).or_default() += 1;
                            }
                            if row.invalid.contains(field) {
                                *checked.invalid_fields.entry(field.name()).or_default() += 1;
                                let column = checked.columns.get(field.name()).cloned().unwrap_or_default();
                                checked.note(line, column, format!("invalid {}", field.name()), raw);
                            }
                        }
                    }
                }
            }
        }
    }
    checked.notes = file.notes().to_vec();
    Ok(checked)
}

fn place(file: &Manifest, field: &'static str) -> Option<String> {
    let column = file.column_of(field)?;
    Some(match column.number {
        Some(number) => format!("column {number} ({})", column.name),
        None => format!("member {}", column.name),
    })
}

impl Checked {
    fn note(&mut self, line: u64, column: String, reason: String, raw: &[u8]) {
        if self.first_errors.len() < SHOWN {
            let text = String::from_utf8_lossy(&raw[..raw.len().min(4 * TEXT_SHOWN)]);
            let text = text.chars().take(TEXT_SHOWN).filter(|c| !c.is_control()).collect();
            self.first_errors.push(FirstError { line, column, reason, text });
        }
    }
}
