//! Scanning a container: what its files name becomes a manifest, and the manifest is counted as any other.
//!
//! Keeps nothing of what the files say (`sources::scan` gives addresses and domains alone). Invariant: scanning an
//! unchanged container again gives the same bytes, which are recognised and change nothing.

use std::io::Write;
use std::path::Path;

use sources::Options;
use sources::scan::{Progress as Looking, ScanOptions, Scanned};

use super::{Again, Import, Imported, Progress};
use crate::{App, AppError};

/// A container to look through.
#[derive(Debug)]
pub struct Scan<'a> {
    /// Where it is.
    pub url: &'a str,
    /// A private file for its rows, until they are counted.
    pub spool: &'a Path,
}

/// Looks through a container and writes what it finds as a manifest.
pub async fn look_through(
    url: &str,
    out: &mut (dyn Write + Send),
    looking: &mut (dyn FnMut(Looking) + Send),
) -> Result<Scanned, AppError> {
    Ok(sources::scan::scan(url, &ScanOptions::default(), out, looking).await?)
}

/// Looks through a container and counts what it finds; nothing is counted where nothing is found.
pub async fn scan(
    app: &App,
    slug: &str,
    scan: &Scan<'_>,
    looking: &mut (dyn FnMut(Looking) + Send),
    progress: impl FnMut(Progress),
) -> Result<(Scanned, Option<Imported>), AppError> {
    super::countable(app, slug).await?;
    let failed = |error: std::io::Error| {
        AppError::bad(
            format!("cannot keep the rows of the scan in {}: {error}", scan.spool.display()),
            "free some space in the data folder, or choose another with --data",
        )
    };
    let mut out = std::io::BufWriter::new(std::fs::File::create(scan.spool).map_err(failed)?);
    let scanned = look_through(scan.url, &mut out, looking).await?;
    out.flush().map_err(failed)?;
    if scanned.rows == 0 {
        return Ok((scanned, None));
    }
    let options = Options {
        format: sources::Format::JsonLines,
        // A scan says where each thing was found; it knows no projects and no users.
        absent: vec!["project_id".to_owned(), "user_id".to_owned()],
        ..Options::default()
    };
    let import = Import { path: scan.spool, name: scan.url, options: &options, again: Again::No };
    let imported = super::import(app, slug, &import, progress).await?;
    Ok((scanned, Some(imported)))
}
