//! Contacts of a directory file, an address at a time.
//!
//! Does not judge them. Invariant: a person with several addresses gives a record for each, in one run.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;

use crate::directory::columns::Layout;
use crate::directory::documents::{Person, Source};
use crate::directory::{ContactRecord, DirectoryFormat, DirectoryRecord};
use crate::error::SourceError;

const LAYOUT: Layout<11> =
    Layout { names: ContactRecord::COLUMNS, required: &["tenant_id", "role", "email"], free: "name" };

/// A file of contacts that is being read.
pub struct Contacts {
    source: Source<11>,
    /// Further addresses of the person that was read last.
    waiting: VecDeque<ContactRecord>,
}

impl Contacts {
    /// Opens a file. Without a format it is found out from the first bytes.
    pub fn open(path: &Path, format: Option<DirectoryFormat>) -> Result<Self, SourceError> {
        Ok(Self { source: Source::open(path, format, LAYOUT)?, waiting: VecDeque::new() })
    }

    /// The next record; `None` at the end.
    pub fn next_record(&mut self) -> Result<Option<DirectoryRecord<ContactRecord>>, SourceError> {
        if let Some(record) = self.waiting.pop_front() {
            return Ok(Some(DirectoryRecord::Record(record)));
        }
        let person = match &mut self.source {
            Source::Columns(rows) => {
                let row = rows.next_row()?;
                return Ok(row.map(|record| record.map(|(line, values)| ContactRecord::of(line, values))));
            }
            Source::Documents(documents, _) => documents.next_person()?,
        };
        match person {
            None => Ok(None),
            Some(DirectoryRecord::Malformed { line, why, raw }) => {
                Ok(Some(DirectoryRecord::Malformed { line, why, raw }))
            }
            Some(DirectoryRecord::Record(person)) => Ok(self.begin(person)),
        }
    }

    /// What the user may want to know: a guessed encoding, columns that are not used.
    pub fn notes(&self) -> &[String] {
        self.source.notes()
    }

    fn begin(&mut self, person: Person) -> Option<DirectoryRecord<ContactRecord>> {
        self.waiting.extend(person.into_records());
        self.waiting.pop_front().map(DirectoryRecord::Record)
    }
}

impl fmt::Debug for Contacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contacts").finish_non_exhaustive()
    }
}
