//! Fields of JSON Lines records, by the names of members.
//!
//! Does not parse (`json` does). Invariant: a file of which no record can have a field is known for that at its end.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use model::intake::Field;

use crate::error::SourceError;
use crate::header::shortened;
use crate::json;
use crate::rows::Fault;
use crate::text::refuse_replaced;

/// How many members an error names.
const MOST_NAMED: usize = 10;

#[derive(Debug, Default)]
pub(super) struct Members {
    /// The member of each wanted field.
    names: Vec<Option<String>>,
    /// The line with replacement characters where it is not UTF-8.
    repaired: Option<String>,
    /// Whether any record had a wanted member.
    found: AtomicBool,
    /// The members of the first object.
    first: OnceLock<Vec<String>>,
}

impl Members {
    pub(super) fn new(names: Vec<Option<String>>) -> Self {
        Self { names, ..Self::default() }
    }

    /// Begins a record with its first line; it is complete, always.
    pub(super) fn begin(&mut self, line: &[u8]) -> bool {
        self.repaired = match String::from_utf8_lossy(line) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        };
        true
    }

    /// Reads the fields of a record; whether all of it is UTF-8.
    pub(super) fn fields<'a>(&'a self, raw: &'a [u8], fields: &mut [Field<'a>]) -> Result<bool, Fault> {
        let line = match &self.repaired {
            None => std::str::from_utf8(raw).unwrap_or_default(),
            Some(line) => line,
        };
        json::read(line, &self.names, fields, &self.found).map_err(|byte| Fault::NoObject { byte })?;
        self.first.get_or_init(|| json::members(line));
        if self.repaired.is_some() {
            refuse_replaced(fields);
        }
        Ok(self.repaired.is_none())
    }

    /// Whether there were objects in the file, and wanted members in them.
    pub(super) fn check_end(&self, path: &Path) -> Result<(), SourceError> {
        let path = path.to_owned();
        let Some(first) = self.first.get() else { return Err(SourceError::NotJsonLines { path }) };
        let wanted: Vec<&str> = self.names.iter().flatten().map(String::as_str).collect();
        if self.found.load(Ordering::Relaxed) || wanted.is_empty() {
            return Ok(());
        }
        let more = if first.len() > MOST_NAMED { ", …" } else { "" };
        let named = first.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let present = if first.is_empty() { "none".to_owned() } else { shortened(&named) + more };
        Err(SourceError::NoMembers { path, wanted: wanted.join(", "), present })
    }
}
