//! Plain lists: an entry a line.
//!
//! Does not judge the entries. Invariant: each comes with its physical line, so that an error about it can be found.

use std::path::Path;

use crate::error::SourceError;
use crate::head;
use crate::lines::Lines;
use crate::rows::LONGEST_RECORD;

/// Reads a list: entries trimmed, with their lines; what follows a `#` is a comment; blank lines are skipped.
pub fn read_list(path: &Path) -> Result<Vec<(u64, String)>, SourceError> {
    let mut lines = Lines::new(head::open(path)?);
    let mut line = Vec::new();
    let mut entries = Vec::new();
    while lines.append_next(&mut line, LONGEST_RECORD).map_err(|source| SourceError::io(path, source))? {
        let at = lines.count();
        if line.len() == LONGEST_RECORD {
            return Err(SourceError::TooLong { path: path.to_owned(), line: at });
        }
        let text = std::str::from_utf8(&line).map_err(|_| SourceError::NotUtf8 { path: path.to_owned(), line: at })?;
        let entry = text.split('#').next().unwrap_or_default().trim();
        if !entry.is_empty() {
            entries.push((at, entry.to_owned()));
        }
        line.clear();
    }
    Ok(entries)
}
