//! Fields of CSV records, by the columns of the header.
//!
//! Does not find columns (`header` does). Invariant: a record has the header's number of columns, or it is a fault.

use model::intake::Field;

use crate::csv::Splitter;
use crate::header;
use crate::rows::Fault;

#[derive(Debug)]
pub(super) struct Columns {
    splitter: Splitter,
    delimiter: u8,
    /// Columns of the header.
    count: usize,
    /// The column of each wanted field.
    places: Vec<Option<usize>>,
    /// Whether the quotes of the record are closed.
    closed: bool,
}

impl Columns {
    pub(super) fn new(delimiter: u8, count: usize, places: Vec<Option<usize>>) -> Self {
        Self { splitter: Splitter::new(delimiter), delimiter, count, places, closed: true }
    }

    /// Begins a record with its first line; whether it is complete.
    pub(super) fn begin(&mut self, line: &[u8]) -> bool {
        self.closed = self.splitter.begin(line);
        self.closed
    }

    /// Goes on with the next line; whether the record is complete.
    pub(super) fn feed(&mut self, line: &[u8]) -> bool {
        self.closed = self.splitter.feed(line);
        self.closed
    }

    /// Reads the fields of a record; whether all of it is UTF-8.
    pub(super) fn fields<'a>(&'a self, raw: &'a [u8], fields: &mut [Field<'a>]) -> Result<bool, Fault> {
        if !self.closed {
            return Err(Fault::OpenQuote);
        }
        if self.splitter.len() != self.count {
            return Err(Fault::Columns { found: self.splitter.len(), expected: self.count });
        }
        let source = self.splitter.source(raw);
        // Looking at a record once costs less than looking at each of its fields. Between fields of a record with
        // quotes there is no delimiter any more, so that two broken ones can look like a whole character.
        let text = std::str::from_utf8(source).ok().filter(|text| self.splitter.is_cut_between_characters(text));
        let Some(text) = text else {
            self.doubtful_fields(source, fields);
            return Ok(false);
        };
        for (field, place) in fields.iter_mut().zip(&self.places) {
            let range = place.and_then(|at| self.splitter.range(at));
            *field = range.and_then(|range| text.get(range)).map_or(Field::Missing, Field::from);
        }
        Ok(true)
    }

    /// The names in the header whose raw text is `raw`.
    pub(super) fn names(&self, raw: &[u8]) -> Vec<String> {
        header::names(&self.splitter, raw)
    }

    pub(super) fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    pub(super) fn places(&self) -> &[Option<usize>] {
        &self.places
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
