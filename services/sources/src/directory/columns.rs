//! Directory files that are tables: CSV, JSON Lines, and Parquet, which comes for nothing.
//!
//! Does not know what the columns are for. Invariant: a record has a text for every column, empty where the file has
//! none; a row costs no allocation, except where it escapes its texts.

use std::borrow::Cow;
use std::path::Path;

use model::intake::Field;

use crate::directory::{DirectoryRecord, apostrophe};
use crate::encoding::Encoding;
use crate::error::SourceError;
use crate::head::Format;
use crate::input::Opened;
use crate::preset::Preset;
use crate::rows::{Accepts, How, Need, Rows, Step, Want};
use crate::table::NEXT;

/// The columns of a kind of directory file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<const N: usize> {
    pub(super) names: [&'static str; N],
    pub(super) required: &'static [&'static str],
    /// The column that holds free text, and so may be defused in CSV.
    pub(super) free: &'static str,
}

/// A row's line and values.
pub(super) type Row<'a, const N: usize> = (u64, [&'a str; N]);

#[derive(Debug)]
pub(super) struct ColumnRows<const N: usize> {
    rows: Rows,
    layout: Layout<N>,
    /// The place of the column that is defused; `None` where the file is no CSV.
    defused: Option<usize>,
    /// Texts that do not stand in the file as they are.
    held: [String; N],
}

impl<const N: usize> ColumnRows<N> {
    pub(super) fn open(path: &Path, opened: Opened, format: Format, layout: Layout<N>) -> Result<Self, SourceError> {
        let want = |name: &&'static str| {
            let need = if layout.required.contains(name) { Need::Required } else { Need::Optional };
            let shown = (*name).to_owned();
            Want { column: Some(shown.clone()), shown, need, accepts: Accepts::TextOrInteger }
        };
        let wants: Vec<Want> = layout.names.iter().map(want).collect();
        let how = How { format, encoding: Encoding::Auto, header: None, next: NEXT };
        let rows = Rows::of(path, opened, &how, &|_| wants.clone())?;
        let is_csv = rows.described(Preset::None).format == Format::Csv;
        let free = layout.names.iter().position(|name| *name == layout.free);
        let defused = if is_csv { free } else { None };
        Ok(Self { rows, layout, defused, held: [const { String::new() }; N] })
    }

    /// The next row; `None` at the end.
    pub(super) fn next_row(&mut self) -> Result<Option<DirectoryRecord<Row<'_, N>>>, SourceError> {
        loop {
            match self.rows.advance()? {
                Step::End => return Ok(None),
                Step::Blank => {}
                Step::Record => break,
            }
        }
        let line = self.rows.line();
        let mut fields = [const { Field::Missing }; N];
        if let Err(fault) = self.rows.fields(&mut fields) {
            return Ok(Some(DirectoryRecord::malformed(line, fault.to_string(), self.rows.raw())));
        }
        let mut values = [""; N];
        for (at, (field, held)) in fields.into_iter().zip(&mut self.held).enumerate() {
            let text = match field {
                Field::Missing => continue,
                Field::Text(Cow::Borrowed(text)) => text,
                Field::Text(Cow::Owned(text)) => {
                    *held = text;
                    held.as_str()
                }
                Field::Invalid => {
                    let why = format!("{} is no text, or has bytes that are no characters", self.layout.names[at]);
                    return Ok(Some(DirectoryRecord::malformed(line, why, self.rows.raw())));
                }
            };
            let text = text.trim();
            values[at] = if self.defused == Some(at) { apostrophe::take(text) } else { text };
        }
        Ok(Some(DirectoryRecord::Record((line, values))))
    }

    pub(super) fn notes(&self) -> &[String] {
        self.rows.notes()
    }
}
