//! Values of one column, some thousand at a time, as the texts that R7 reads.
//!
//! Does not judge them: a time before the year 1 is invalid because it has no text. Invariant: after
//! [`Values::advance`] there is exactly one value, which may be missing.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use model::intake::Field;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, Int96};
use parquet::errors::{ParquetError, Result};

use crate::parquet::types::Kind;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

pub(crate) struct Values {
    /// Never locked, because it is used by one thread at a time; it lets a manifest be looked at from several.
    reader: Mutex<Option<ColumnReader>>,
    /// The definition level of a value that is there.
    present: i16,
    levels: Vec<i16>,
    held: Held,
    /// Rows given of those held.
    row: usize,
    /// Values given of those held.
    next: usize,
    now: Now,
    /// The text of a value that is none by itself.
    text: String,
}

/// The value of the current row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Missing,
    Invalid,
    /// In `text`.
    Written,
    /// One of the held.
    Bytes(usize),
}

enum Held {
    Bytes(Vec<ByteArray>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Bool(Vec<bool>),
}

impl Values {
    pub(crate) fn new(present: i16) -> Self {
        Self {
            reader: Mutex::new(None),
            present,
            levels: Vec::new(),
            held: Held::Bytes(Vec::new()),
            row: 0,
            next: 0,
            now: Now::Missing,
            text: String::new(),
        }
    }

    /// Goes on with the column in the next row group.
    pub(crate) fn open(&mut self, reader: ColumnReader) -> std::result::Result<(), ()> {
        self.held = match &reader {
            ColumnReader::ByteArrayColumnReader(_) => Held::Bytes(Vec::new()),
            ColumnReader::Int32ColumnReader(_) => Held::Int32(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Held::Int64(Vec::new()),
            ColumnReader::Int96ColumnReader(_) => Held::Int96(Vec::new()),
            ColumnReader::BoolColumnReader(_) => Held::Bool(Vec::new()),
            ColumnReader::FloatColumnReader(_)
            | ColumnReader::DoubleColumnReader(_)
            | ColumnReader::FixedLenByteArrayColumnReader(_) => return Err(()),
        };
        self.reader = Mutex::new(Some(reader));
        Ok(())
    }

    /// Holds the values of so many further rows instead of the last ones.
    pub(crate) fn read(&mut self, rows: usize) -> Result<()> {
        use ColumnReader as R;
        self.levels.clear();
        (self.row, self.next) = (0, 0);
        let (levels, present) = (&mut self.levels, self.present);
        let reader = self.reader.get_mut().unwrap_or_else(PoisonError::into_inner);
        match (reader, &mut self.held) {
            (Some(R::ByteArrayColumnReader(reader)), Held::Bytes(to)) => read(reader, rows, present, levels, to),
            (Some(R::Int32ColumnReader(reader)), Held::Int32(to)) => read(reader, rows, present, levels, to),
            (Some(R::Int64ColumnReader(reader)), Held::Int64(to)) => read(reader, rows, present, levels, to),
            (Some(R::Int96ColumnReader(reader)), Held::Int96(to)) => read(reader, rows, present, levels, to),
            (Some(R::BoolColumnReader(reader)), Held::Bool(to)) => read(reader, rows, present, levels, to),
            _ => Err(ParquetError::General("the column has two types".to_owned())),
        }
    }

    /// Goes to the value of the next row.
    pub(crate) fn advance(&mut self, kind: Kind) {
        if kind == Kind::Null {
            self.now = Now::Missing;
            return;
        }
        let level = self.levels.get(self.row).copied();
        self.row += 1;
        if level.is_some_and(|level| level < self.present) {
            self.now = Now::Missing;
            return;
        }
        let at = self.next;
        self.next += 1;
        self.text.clear();
        let written = match (&self.held, kind) {
            (Held::Bytes(values), _) => {
                self.now = if at < values.len() { Now::Bytes(at) } else { Now::Missing };
                return;
            }
            (Held::Int32(values), Kind::Day) => values.get(at).and_then(|days| day(&mut self.text, i64::from(*days))),
            (Held::Int32(values), Kind::Integer { is_signed: false }) => {
                values.get(at).and_then(|value| write!(self.text, "{}", value.cast_unsigned()).ok())
            }
            (Held::Int32(values), _) => values.get(at).and_then(|value| write!(self.text, "{value}").ok()),
            (Held::Int64(values), Kind::Time { per_second, is_utc }) => {
                values.get(at).and_then(|value| time(&mut self.text, value.div_euclid(per_second), is_utc))
            }
            (Held::Int64(values), Kind::Integer { is_signed: false }) => {
                values.get(at).and_then(|value| write!(self.text, "{}", value.cast_unsigned()).ok())
            }
            (Held::Int64(values), _) => values.get(at).and_then(|value| write!(self.text, "{value}").ok()),
            (Held::Int96(values), _) => values.get(at).and_then(|value| time(&mut self.text, value.to_seconds(), true)),
            (Held::Bool(values), _) => values.get(at).and_then(|value| write!(self.text, "{value}").ok()),
        };
        self.now = if written.is_some() { Now::Written } else { Now::Invalid };
    }

    pub(crate) fn field(&self) -> Field<'_> {
        match self.now {
            Now::Missing => Field::Missing,
            Now::Invalid => Field::Invalid,
            Now::Written => Field::from(self.text.as_str()),
            Now::Bytes(at) => std::str::from_utf8(self.bytes(at)).map_or(Field::Invalid, Field::from),
        }
    }

    /// For people, no longer than that many bytes; `None` where the value is missing.
    pub(crate) fn shown(&self, longest: usize) -> Option<Cow<'_, str>> {
        match self.now {
            Now::Missing => None,
            Now::Invalid => Some(Cow::Borrowed("\u{fffd}")),
            Now::Written => Some(Cow::Borrowed(&self.text)),
            Now::Bytes(at) => {
                let bytes = self.bytes(at);
                Some(String::from_utf8_lossy(&bytes[..bytes.len().min(longest)]))
            }
        }
    }

    fn bytes(&self, at: usize) -> &[u8] {
        match &self.held {
            Held::Bytes(values) => values.get(at).map_or(&[], ByteArray::data),
            Held::Int32(_) | Held::Int64(_) | Held::Int96(_) | Held::Bool(_) => &[],
        }
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    present: i16,
    levels: &mut Vec<i16>,
    to: &mut Vec<T::T>,
) -> Result<()> {
    to.clear();
    let mut left = rows;
    while left > 0 {
        let levels = (present > 0).then_some(&mut *levels);
        let (read, ..) = reader.read_records(left, levels, None, to)?;
        if read == 0 {
            return Err(ParquetError::EOF("it has fewer values than rows".to_owned()));
        }
        left -= read.min(left);
    }
    Ok(())
}

/// `YYYY-MM-DD`; `None` outside of the years 1 to 9999. Source: H. Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`.
fn day(to: &mut String, days: i64) -> Option<()> {
    if !(-719_162..=2_932_896).contains(&days) {
        return None;
    }
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    write!(to, "{year:04}-{month:02}-{of_month:02}").ok()
}

/// RFC 3339 in UTC; the day only where the file does not say the zone.
fn time(to: &mut String, seconds: i64, is_utc: bool) -> Option<()> {
    day(to, seconds.div_euclid(SECONDS_A_DAY))?;
    let of_day = seconds.rem_euclid(SECONDS_A_DAY);
    if is_utc { write!(to, "T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60).ok() } else { Some(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(days: i64, expect: Option<&str>) {
        let mut text = String::new();
        let got = day(&mut text, days).map(|()| text);
        assert_eq!(got.as_deref(), expect);
    }

    #[test]
    fn days_are_dates_from_the_year_1_to_9999() {
        check(0, Some("1970-01-01"));
        check(-1, Some("1969-12-31"));
        check(11_016, Some("2000-02-29"));
        check(19_236, Some("2022-09-01"));
        check(-719_162, Some("0001-01-01"));
        check(-719_163, None);
        check(2_932_896, Some("9999-12-31"));
        check(2_932_897, None);
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut last = String::from("0000-12-31");
        for days in -719_162..=2_932_896 {
            let mut text = String::new();
            day(&mut text, days).unwrap();
            let (month_day, year) = (&text[5..], &text[..4]);
            assert!(text > last, "{text} after {last}");
            assert!(last.ends_with("-12-31") == (month_day == "01-01") && year.len() == 4, "{text} after {last}");
            last = text;
        }
    }

    #[test]
    fn times_are_rfc_3339_in_utc_and_days_elsewhere() {
        let mut text = String::new();
        time(&mut text, 1_661_990_399, true).unwrap();
        assert_eq!(text, "2022-08-31T23:59:59Z");
        text.clear();
        time(&mut text, -1, false).unwrap();
        assert_eq!(text, "1969-12-31");
    }
}
