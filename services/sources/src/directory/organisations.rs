//! Organisations of a directory file, a domain at a time.
//!
//! Does not judge them. Invariant: a row borrows from the reader, so that a million of them cost no memory.

use std::fmt;
use std::path::Path;

use crate::directory::columns::Layout;
use crate::directory::documents::{Documents, Organisation, Source};
use crate::directory::{DirectoryFormat, DirectoryRecord, OrganisationRecord, OrganisationRow};
use crate::error::SourceError;

const LAYOUT: Layout<5> = Layout {
    names: OrganisationRecord::COLUMNS,
    required: &["domain", "tenant_id", "tenant_name"],
    free: "tenant_name",
};

/// A file of organisations that is being read.
pub struct Organisations {
    source: Source<5>,
    /// The organisation whose domains are being given; nothing in tables.
    given: Given,
}

#[derive(Default)]
struct Given {
    organisation: Organisation,
    /// The domain to be given next.
    next: usize,
}

impl Organisations {
    /// Opens a file. Without a format it is found out from the first bytes.
    pub fn open(path: &Path, format: Option<DirectoryFormat>) -> Result<Self, SourceError> {
        Ok(Self { source: Source::open(path, format, LAYOUT)?, given: Given::default() })
    }

    /// The next record; `None` at the end.
    pub fn next_record(&mut self) -> Result<Option<DirectoryRecord<OrganisationRecord>>, SourceError> {
        Ok(self.next_row()?.map(|record| record.map(OrganisationRecord::from)))
    }

    /// The next record, borrowed: the fast way. `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<DirectoryRecord<OrganisationRow<'_>>>, SourceError> {
        match &mut self.source {
            Source::Columns(rows) => {
                let row = rows.next_row()?;
                Ok(row.map(|record| record.map(|(line, values)| OrganisationRow::of(line, values))))
            }
            Source::Documents(documents, _) => self.given.next_row(documents),
        }
    }

    /// What the user may want to know: a guessed encoding, columns that are not used.
    pub fn notes(&self) -> &[String] {
        self.source.notes()
    }
}

impl Given {
    fn next_row(
        &mut self,
        documents: &mut Documents,
    ) -> Result<Option<DirectoryRecord<OrganisationRow<'_>>>, SourceError> {
        while self.next >= self.organisation.domains.len() {
            match documents.next_organisation()? {
                None => return Ok(None),
                Some(DirectoryRecord::Malformed { line, why, raw }) => {
                    return Ok(Some(DirectoryRecord::Malformed { line, why, raw }));
                }
                Some(DirectoryRecord::Record(organisation)) => *self = Self { organisation, next: 0 },
            }
        }
        let Organisation { line, tenant_id, tenant_name, country, language, domains } = &self.organisation;
        let domain = domains.get(self.next).map_or("", String::as_str);
        self.next += 1;
        let values = [domain, tenant_id, tenant_name, country, language];
        Ok(Some(DirectoryRecord::Record(OrganisationRow::of(*line, values))))
    }
}

impl fmt::Debug for Organisations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Organisations").finish_non_exhaustive()
    }
}
