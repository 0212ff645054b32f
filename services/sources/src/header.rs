//! Headers: the delimiter, the names of the columns, and where the wanted ones are.
//!
//! Does not read files. Invariant: a wanted column is found once, or it is an error that names it.

use std::path::Path;

use crate::csv::Splitter;
use crate::error::SourceError;
use crate::rows::{Need, Plan, Want};

/// The delimiter under which the header's first line has most of the wanted columns, then most columns.
pub(crate) fn delimiter(line: &[u8], plan: &Plan<'_>) -> u8 {
    let score = |delimiter: &u8| {
        let mut splitter = Splitter::new(*delimiter);
        splitter.begin(line);
        let header = names(&splitter, line);
        let is_found = |name: &String| header.contains(name);
        let found = plan(Some(&header)).iter().filter(|want| want.column.as_ref().is_some_and(is_found)).count();
        (found, header.len())
    };
    // Of equals the last one is the greatest, so the comma stands last.
    *b"|\t;,".iter().max_by_key(|delimiter| score(delimiter)).unwrap_or(&b',')
}

pub(crate) fn names(splitter: &Splitter, raw: &[u8]) -> Vec<String> {
    let name = |at| String::from_utf8_lossy(splitter.field(raw, at).unwrap_or_default()).trim().to_owned();
    (0..splitter.len()).map(name).collect()
}

/// The column of each want in a header.
pub(crate) fn places(
    path: &Path,
    header: &[String],
    wants: &[Want],
    next: &'static str,
) -> Result<Vec<Option<usize>>, SourceError> {
    let mut missing = Vec::new();
    let mut places = Vec::with_capacity(wants.len());
    for want in wants {
        let Some(column) = &want.column else {
            places.push(None);
            continue;
        };
        let mut found = header.iter().enumerate().filter(|(_, name)| *name == column).map(|(at, _)| at);
        let place = found.next();
        if found.next().is_some() {
            return Err(SourceError::DuplicateColumn { path: path.to_owned(), column: column.clone() });
        }
        if place.is_none() && want.need == Need::Required {
            missing.push(want.shown.as_str());
        }
        places.push(place);
    }
    if missing.is_empty() {
        return Ok(places);
    }
    Err(SourceError::MissingColumns {
        path: path.to_owned(),
        missing: missing.join(", "),
        present: shortened(&header.join(", ")),
        next,
    })
}

/// A header of a file that is no table can be long: enough of it to know it by. It may hold anything, so what a
/// terminal would obey is left out.
pub(crate) fn shortened(text: &str) -> String {
    let shown = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    let all: String = text.chars().take(301).map(shown).collect();
    if all.chars().count() <= 300 { all } else { all.chars().take(300).chain("…".chars()).collect() }
}
