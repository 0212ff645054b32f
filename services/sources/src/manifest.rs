//! Manifests: exposure rows as they stand in the file, streamed.
//!
//! Does not decide which rows count (`model::intake` does). Invariant: rows, malformed records and blank lines add up
//! to what stands after the header.

use std::path::Path;

use model::intake::{Field, RawRow};
use model::path_rule::{Capture, PathRule};

use crate::described::Described;
use crate::encoding::Encoding;
use crate::error::SourceError;
use crate::head::Format;
use crate::inventory::Inventory;
use crate::preset::{self, FIELDS, Preset, SLOTS};
use crate::rows::{Fault, How, Need, Rows, Step, Want};

const NEXT: &str = "name a column that has another name with --map COLUMN=FIELD, or say --without FIELD";
const NEXT_S3: &str = "name the inventory's manifest.json instead of a data file: S3 writes CSV without a header, and says there which columns it has";

/// How a manifest is to be read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Its format.
    pub format: Format,
    /// How its characters are written.
    pub encoding: Encoding,
    /// (column, field) of `--map`: the field is in that column.
    pub columns: Vec<(String, String)>,
    /// Fields of `--without`: the file has them not, or they are not to be read.
    pub absent: Vec<String>,
    /// Whose columns it has.
    pub preset: Preset,
    /// Where in a path the organisation and the rest are written. A column wins over it where it says something.
    pub path_rule: Option<PathRule>,
    /// The columns of a CSV file without a header, as the manifest of an S3 inventory lists them.
    pub header: Option<Vec<String>>,
}

/// A manifest that is being read.
#[derive(Debug)]
pub struct Manifest {
    rows: Rows,
    /// The column that each field would be in.
    names: Vec<Option<String>>,
    preset: Preset,
    /// `None` where rows are taken as they stand.
    inventory: Option<Inventory>,
    is_at_end: bool,
}

/// Where a field of a manifest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<'a> {
    /// The number of the column, counted from 1; `None` in JSON Lines, where members have no order.
    pub number: Option<usize>,
    /// The name of the column or member.
    pub name: &'a str,
}

/// What stands at one place of a manifest.
#[derive(Debug)]
pub enum Record<'a> {
    /// A line of white space.
    Blank,
    /// A row.
    Row {
        /// The physical line where it begins, the header's is 1; in Parquet the row, the first is 1.
        line: u64,
        /// As it stands in the file, without the last line end, in UTF-8 where the file is known to be in another
        /// encoding; a row of Parquet as a JSON object of the columns that are read.
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
        /// What is wrong with it.
        fault: Fault,
    },
}

impl Manifest {
    /// Opens a manifest and reads its header.
    pub fn open(path: &Path, options: &Options) -> Result<Self, SourceError> {
        check_options(options)?;
        let how = How {
            format: options.format,
            encoding: options.encoding,
            header: options.header.as_deref(),
            next: if options.preset == Preset::S3Inventory { NEXT_S3 } else { NEXT },
        };
        let plan = |header: Option<&[String]>| wants(options, settle(options, header), header);
        let mut rows = Rows::open(path, &how, &plan)?;
        let preset = settle(options, rows.header());
        let names = wants(options, preset, rows.header()).into_iter().map(|want| want.column).collect();
        if preset != Preset::None {
            check_domain_source(path, options, preset, &rows)?;
            if options.preset == Preset::Auto {
                rows.note(format!("the columns are those of {preset}; --preset says another"));
            }
        }
        // Keys are encoded in CSV only, and where somebody added a header he may have decoded them.
        let is_encoded = preset == Preset::S3Inventory && options.header.is_some() && options_are_csv(&rows);
        let needs_work = preset != Preset::None || options.path_rule.is_some();
        let inventory = needs_work.then(|| Inventory::new(preset, options.path_rule.clone(), is_encoded));
        Ok(Self { rows, names, preset, inventory, is_at_end: false })
    }

    /// The next record; `None` at the end. An error there says that the file is none that was meant, although it could
    /// be read: nothing of it is to be counted.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, SourceError> {
        match self.rows.advance()? {
            Step::End => {
                self.rows.check_end()?;
                self.note_counts();
                return Ok(None);
            }
            Step::Blank => return Ok(Some(Record::Blank)),
            Step::Record => {}
        }
        let (line, raw) = (self.rows.line(), self.rows.raw());
        let fields = match &mut self.inventory {
            None => {
                let mut fields: [Field<'_>; FIELDS] = Default::default();
                self.rows.fields(&mut fields).map(|()| fields)
            }
            Some(inventory) => {
                let mut slots: [Field<'_>; SLOTS] = Default::default();
                self.rows.fields(&mut slots).map(|()| inventory.fields(slots))
            }
        };
        Ok(Some(match fields {
            Ok(fields) => Record::Row { line, raw, row: RawRow::from_fields(fields) },
            Err(fault) => Record::Malformed { line, raw, fault },
        }))
    }

    /// Says once what was counted.
    fn note_counts(&mut self) {
        if std::mem::replace(&mut self.is_at_end, true) {
            return;
        }
        let notes = self.inventory.as_mut().map(Inventory::take_notes).unwrap_or_default();
        notes.into_iter().for_each(|note| self.rows.note(note));
        let count = self.rows.not_utf8();
        if count > 0 {
            let next = "if the file is Latin-1, say --encoding latin1";
            self.rows.note(format!("records with bytes that are not UTF-8, whose fields are invalid: {count}; {next}"));
        }
    }

    /// Where a field stands, by its name; `None` where no column has it.
    pub fn column_of(&self, field: &str) -> Option<Column<'_>> {
        let at = RawRow::FIELDS.iter().position(|known| *known == field)?;
        let name = self.names.get(at)?.as_deref()?;
        let number = self.rows.place(at).map(|place| place + 1);
        (number.is_some() || self.rows.header().is_none()).then_some(Column { number, name })
    }

    /// What the file turned out to be.
    pub fn described(&self) -> Described {
        self.rows.described(self.preset)
    }

    /// Bytes of the file read so far, as it lies on the disk: compressed ones where it is compressed.
    pub fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    /// What the user may want to know: a guessed encoding, columns that are not used; at the end also rows of an
    /// inventory that are no plain objects, and records that are not UTF-8.
    pub fn notes(&self) -> &[String] {
        self.rows.notes()
    }
}

fn options_are_csv(rows: &Rows) -> bool {
    rows.described(Preset::None).format == Format::Csv
}

/// A file whose paths somebody mapped by hand is no inventory, unless he says so.
fn settle(options: &Options, header: Option<&[String]>) -> Preset {
    let is_mapped = options.columns.iter().any(|(_, field)| field == RawRow::FIELDS[preset::PATH]);
    if options.preset == Preset::Auto && is_mapped { Preset::None } else { options.preset.settle(header) }
}

fn wants(options: &Options, preset: Preset, header: Option<&[String]>) -> Vec<Want> {
    let slots = if preset == Preset::None && options.path_rule.is_none() { FIELDS } else { SLOTS };
    (0..slots).map(|slot| want(options, preset, header, slot)).collect()
}

fn want(options: &Options, preset: Preset, header: Option<&[String]>, slot: usize) -> Want {
    let accepts = preset::accepts(slot);
    let names = preset.column(slot);
    let is_there = |name: &&&'static str| header.is_some_and(|header| header.iter().any(|column| column == **name));
    let of_preset = names.iter().find(is_there).or(names.first()).copied();
    let Some(field) = RawRow::FIELDS.get(slot).copied() else {
        let column = of_preset.map(str::to_owned);
        return Want { column, shown: of_preset.unwrap_or_default().to_owned(), need: Need::Optional, accepts };
    };
    if options.absent.iter().any(|absent| absent == field) {
        return Want { column: None, shown: field.to_owned(), need: Need::Optional, accepts };
    }
    let mapped = options.columns.iter().find(|(_, of)| of == field).map(|(column, _)| column.as_str());
    if let Some(column) = mapped.or(of_preset) {
        let is_needed = mapped.is_some() || slot == preset::PATH;
        let need = if is_needed { Need::Required } else { Need::Optional };
        return Want { column: Some(column.to_owned()), shown: format!("{column} (for {field})"), need, accepts };
    }
    let is_given = preset != Preset::None || options.path_rule.as_ref().is_some_and(|rule| gives(rule, slot));
    let need = if is_given { Need::Optional } else { Need::Required };
    Want { column: Some(field.to_owned()), shown: field.to_owned(), need, accepts }
}

/// Whether the rule makes the column unnecessary. An address gives the domain too, by R1.
fn gives(rule: &PathRule, slot: usize) -> bool {
    match slot {
        preset::DOMAIN => rule.finds(Capture::Domain) || rule.finds(Capture::Email),
        preset::EMAIL => rule.finds(Capture::Email),
        preset::TYPE => rule.finds(Capture::DataType),
        preset::PROJECT => rule.finds(Capture::ProjectId),
        preset::USER => rule.finds(Capture::UserId),
        _ => false,
    }
}

fn check_domain_source(path: &Path, options: &Options, preset: Preset, rows: &Rows) -> Result<(), SourceError> {
    let by_rule = options.path_rule.as_ref().is_some_and(|rule| gives(rule, preset::DOMAIN));
    let by_column = rows.place(preset::DOMAIN).or(rows.place(preset::EMAIL)).is_some();
    if by_rule || by_column || rows.header().is_none() {
        return Ok(());
    }
    Err(SourceError::NoDomainSource { path: path.to_owned(), preset })
}

fn check_options(options: &Options) -> Result<(), SourceError> {
    let mapped = options.columns.iter().map(|(_, field)| field);
    check_fields("--map", mapped.clone())?;
    check_fields("--without", options.absent.iter())?;
    match mapped.into_iter().find(|field| options.absent.contains(field)) {
        Some(field) => Err(bad_field("--without", field, "--map names a column for it")),
        None => Ok(()),
    }
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
