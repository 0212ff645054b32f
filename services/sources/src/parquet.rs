//! Rows of Parquet files: the wanted columns only, some thousand rows at a time.
//!
//! Does not read nested columns, and none that nobody asked for: a column may hold the content of an object. Invariant:
//! a column of the wrong type is refused before any row; a damaged file ends in an error, never in a panic or silence.

mod file;
mod guard;
mod types;
mod values;

use std::fs::File;
use std::path::{Path, PathBuf};

use model::intake::Field;
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::compression;
use crate::error::SourceError;
use crate::header::places;
use crate::parquet::file::Shared;
use crate::parquet::guard::guarded;
use crate::parquet::types::Kind;
use crate::parquet::values::Values;
use crate::rows::{Header, How, Plan, Step, Want};

/// Most rows held at once.
const AT_ONCE: u64 = 4096;
/// Most bytes of values held at once, by what the file says of its columns: 64 MiB.
const HELD: u64 = 64 * 1024 * 1024;
/// Longest text of one value in [`ParquetRows::raw`], in bytes: 64 KiB.
const LONGEST_SHOWN: usize = 64 * 1024;

pub(crate) struct ParquetRows {
    path: PathBuf,
    reader: SerializedFileReader<Shared>,
    file_bytes: u64,
    rows: u64,
    /// The row group to be opened next.
    next_group: usize,
    /// Rows of the open group that were not read into the columns yet.
    left: u64,
    /// Rows of the open group that may be held at once.
    at_once: u64,
    /// Rows in the columns, and how many of them were given.
    held: u64,
    given: u64,
    columns: Vec<Column>,
    /// The column of each wanted field, as a root field of the schema.
    places: Vec<Option<usize>>,
    /// The index in `columns` of each wanted field.
    wanted: Vec<Option<usize>>,
    line: u64,
    raw: Vec<u8>,
}

/// A column that is read.
struct Column {
    /// The root field of the schema.
    place: usize,
    /// The place among the leaves of the schema.
    leaf: usize,
    name: String,
    kind: Kind,
    values: Values,
}

impl ParquetRows {
    pub(crate) fn open(path: &Path, file: File, how: &How<'_>, plan: &Plan<'_>) -> Result<(Self, Header), SourceError> {
        let (shared, file_bytes) = Shared::new(file).map_err(|source| SourceError::io(path, source))?;
        let reader = guarded(|| SerializedFileReader::new(shared)).map_err(|found| damaged(path, 0, found))?;
        let rows = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
        // A row needs some bytes, except where all are the same.
        if let Some(fault) = compression::bomb(rows, file_bytes) {
            return Err(SourceError::fault(path, 0, fault));
        }
        let schema = reader.metadata().file_metadata().schema();
        let names: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
        let wants = plan(Some(&names));
        let places = places(path, &names, &wants, how.next)?;
        let columns = columns(path, &reader, &wants, &places)?;
        check_is_unpackable(path, &reader, &columns)?;
        let at = |place: &Option<usize>| columns.iter().position(|column| Some(column.place) == *place);
        let wanted = places.iter().map(at).collect();
        let rows = Self {
            path: path.to_owned(),
            reader,
            file_bytes,
            rows,
            next_group: 0,
            left: 0,
            at_once: AT_ONCE,
            held: 0,
            given: 0,
            columns,
            places,
            wanted,
            line: 0,
            raw: Vec::new(),
        };
        Ok((rows, Header::Names(names)))
    }

    /// Goes to the next row. There are no blank ones.
    pub(crate) fn advance(&mut self) -> Result<Step, SourceError> {
        if self.given == self.held && !self.read_on().map_err(|found| damaged(&self.path, self.line, found))? {
            return Ok(Step::End);
        }
        self.columns.iter_mut().for_each(|column| column.values.advance(column.kind));
        self.given += 1;
        self.line += 1;
        self.write_raw();
        Ok(Step::Record)
    }

    pub(crate) fn fields<'a>(&'a self, fields: &mut [Field<'a>]) {
        for (field, at) in fields.iter_mut().zip(&self.wanted) {
            *field = at.and_then(|at| self.columns.get(at)).map_or(Field::Missing, |column| column.values.field());
        }
    }

    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// By the share of rows: a Parquet file is not read from its beginning to its end.
    pub(crate) fn bytes_read(&self) -> u64 {
        let share = u128::from(self.file_bytes) * u128::from(self.line) / u128::from(self.rows.max(1));
        u64::try_from(share).map_or(self.file_bytes, |bytes| bytes.min(self.file_bytes))
    }

    pub(crate) fn places(&self) -> &[Option<usize>] {
        &self.places
    }

    /// Reads further rows into the columns; whether there are any.
    fn read_on(&mut self) -> Result<bool, String> {
        while self.left == 0 {
            if self.next_group == self.reader.metadata().num_row_groups() {
                return if self.line < self.rows {
                    Err("it has fewer rows than it says".to_owned())
                } else {
                    Ok(false)
                };
            }
            self.open_group()?;
        }
        let rows = self.left.min(self.at_once);
        for column in self.columns.iter_mut().filter(|column| column.kind != Kind::Null) {
            guarded(|| column.values.read(usize::try_from(rows).unwrap_or(usize::MAX)))
                .map_err(|found| format!("column {}: {found}", column.name))?;
        }
        self.left -= rows;
        self.held = rows;
        self.given = 0;
        Ok(true)
    }

    fn open_group(&mut self) -> Result<(), String> {
        let group = self.reader.metadata().row_group(self.next_group);
        let rows = u64::try_from(group.num_rows()).map_err(|_| "a row group has a negative length".to_owned())?;
        let bytes = |column: &Column| u64::try_from(group.column(column.leaf).uncompressed_size()).unwrap_or(0);
        let bytes: u64 = self.columns.iter().map(bytes).fold(0, u64::saturating_add);
        self.at_once = (HELD / (bytes / rows.max(1)).max(1)).clamp(1, AT_ONCE);
        let opened = guarded(|| self.reader.get_row_group(self.next_group))?;
        for column in self.columns.iter_mut().filter(|column| column.kind != Kind::Null) {
            let reader = guarded(|| opened.get_column_reader(column.leaf))?;
            column.values.open(reader).map_err(|()| "a column has two types".to_owned())?;
        }
        self.next_group += 1;
        self.left = rows;
        Ok(())
    }

    /// The row as a JSON object of the columns that are read, without those that are null.
    fn write_raw(&mut self) {
        self.raw.clear();
        self.raw.push(b'{');
        for column in &self.columns {
            let Some(value) = column.values.shown(LONGEST_SHOWN) else { continue };
            if self.raw.len() > 1 {
                self.raw.push(b',');
            }
            // Writing texts to memory cannot fail.
            let _ = serde_json::to_writer(&mut self.raw, &column.name);
            self.raw.push(b':');
            match column.kind {
                Kind::Integer { .. } | Kind::Flag | Kind::Null => self.raw.extend_from_slice(value.as_bytes()),
                Kind::Text | Kind::Day | Kind::Time { .. } | Kind::Time96 => {
                    let _ = serde_json::to_writer(&mut self.raw, &*value);
                }
            }
        }
        self.raw.push(b'}');
    }
}

impl std::fmt::Debug for ParquetRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetRows").field("path", &self.path).field("line", &self.line).finish_non_exhaustive()
    }
}

/// The columns to be read, each once, or what is wrong with all those of a wrong type.
fn columns(
    path: &Path,
    reader: &SerializedFileReader<Shared>,
    wants: &[Want],
    places: &[Option<usize>],
) -> Result<Vec<Column>, SourceError> {
    let descriptor = reader.metadata().file_metadata().schema_descr();
    let (mut columns, mut wrong) = (Vec::<Column>::new(), Vec::new());
    for (want, place) in wants.iter().zip(places) {
        let Some(place) = *place else { continue };
        let field = &descriptor.root_schema().get_fields()[place];
        let kind = types::kind(field).filter(|kind| kind.suits(want.accepts));
        let leaf = (0..descriptor.num_columns()).find(|leaf| descriptor.get_column_root_idx(*leaf) == place);
        let (Some(kind), Some(leaf)) = (kind, leaf) else {
            let accepted = types::accepted(want.accepts);
            wrong.push(format!("column {} is {}, and {accepted} can be read", want.shown, types::shown(field)));
            continue;
        };
        if !columns.iter().any(|column| column.place == place) {
            let values = Values::new(descriptor.column(leaf).max_def_level());
            columns.push(Column { place, leaf, name: field.name().to_owned(), kind, values });
        }
    }
    if wrong.is_empty() {
        return Ok(columns);
    }
    Err(SourceError::WrongType { path: path.to_owned(), columns: wrong.join("; ") })
}

fn check_is_unpackable(
    path: &Path,
    reader: &SerializedFileReader<Shared>,
    columns: &[Column],
) -> Result<(), SourceError> {
    let of_group = |group: &RowGroupMetaData| columns.iter().any(|column| is_foreign(group.column(column.leaf)));
    if !reader.metadata().row_groups().iter().any(of_group) {
        return Ok(());
    }
    let (found, next) = ("is a Parquet file packed with Brotli or LZO", "write it with Snappy, zstd, LZ4 or gzip");
    Err(SourceError::NotText { path: path.to_owned(), found, next })
}

fn is_foreign(chunk: &ColumnChunkMetaData) -> bool {
    matches!(chunk.compression(), Compression::BROTLI(_) | Compression::LZO)
}

fn damaged(path: &Path, line: u64, found: String) -> SourceError {
    let next = "copy the file again, or export it again";
    SourceError::Damaged {
        path: path.to_owned(),
        line,
        found: format!("the Parquet data are cut short or damaged ({found})"),
        next,
    }
}
