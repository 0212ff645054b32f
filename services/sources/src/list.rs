//! Plain lists: an entry a line.
//!
//! Does not judge the entries. Invariant: each comes with its physical line, so that an error about it can be found.

use std::path::Path;

use crate::error::SourceError;
use crate::input;
use crate::lines::Line;
use crate::rows::LONGEST_RECORD;

/// Reads a list: entries trimmed, with their lines; what follows a `#` is a comment; blank lines are skipped.
pub fn read_list(path: &Path) -> Result<Vec<(u64, String)>, SourceError> {
    let mut lines = input::open_text(path)?.lines;
    let mut entries = Vec::new();
    loop {
        lines.begin();
        let given = lines.extend(LONGEST_RECORD);
        let at = lines.count();
        match given.map_err(|source| SourceError::reading(path, at, source))? {
            Line::None => return Ok(entries),
            Line::TooLong => return Err(SourceError::TooLong { path: path.to_owned(), line: at + 1 }),
            Line::Some => {}
        }
        let text = std::str::from_utf8(lines.record());
        let text = text.map_err(|_| SourceError::NotUtf8 { path: path.to_owned(), line: at })?;
        let entry = text.split('#').next().unwrap_or_default().trim();
        if !entry.is_empty() {
            entries.push((at, entry.to_owned()));
        }
    }
}
