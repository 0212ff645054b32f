//! `exposure scan`.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use app::intake::Scan;

use super::import::{progress, spool};
use super::{DONE, PARTIAL, open, say};
use crate::cli::Everywhere;
use crate::output;

pub(super) async fn run(e: &Everywhere, slug: &str, url: &str, output: Option<&Path>) -> Result<u8> {
    if let Some(file) = output {
        let mut out =
            std::io::BufWriter::new(private(file).with_context(|| format!("cannot write {}", file.display()))?);
        let scanned = app::intake::look_through(url, &mut out, &mut talk(e)).await?;
        out.flush().with_context(|| format!("cannot write {}", file.display()))?;
        output::document(e, &scanned)?;
        say(e, format!("wrote {} rows to {}; nothing was counted", scanned.rows, file.display()));
        return Ok(if is_whole(&scanned) { DONE } else { PARTIAL });
    }
    let app = open(e).await?;
    let spool = spool(e, "scan-").context("cannot keep the rows of a scan in the data folder")?;
    let scan = Scan { url, spool: spool.path() };
    let (scanned, imported) = app::intake::scan(&app, slug, &scan, &mut talk(e), progress(e)).await?;
    let Some(imported) = imported else {
        output::document(e, &scanned)?;
        say(e, "no address and no domain was found: nothing was counted");
        return Ok(if is_whole(&scanned) { DONE } else { PARTIAL });
    };
    output::document(e, &serde_json::json!({ "scanned": scanned, "imported": imported }))?;
    let rejected = imported.already_counted_at.is_none() && imported.rejected_rows > 0;
    Ok(if rejected || !is_whole(&scanned) { PARTIAL } else { DONE })
}

/// Whether everything was read as it should. What no scan reads is no failure.
fn is_whole(scanned: &sources::scan::Scanned) -> bool {
    use sources::scan::Reason;
    let ordinary = [Reason::UnknownKind, Reason::Archive, Reason::Link, Reason::NotAFile];
    scanned.incomplete.is_empty() && scanned.skipped.keys().all(|reason| ordinary.contains(reason))
}

/// A file for its owner alone: it will hold addresses.
fn private(file: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Objects and rows on standard error, when that is a terminal.
fn talk(e: &Everywhere) -> impl FnMut(sources::scan::Progress) + Send + use<> {
    let shown = !e.quiet && std::io::stderr().is_terminal();
    move |progress| {
        if shown {
            match progress {
                sources::scan::Progress::Listing { objects } => eprint!("\r{objects} objects listed   "),
                sources::scan::Progress::Reading { done, objects, rows, .. } => {
                    eprint!("\r{done} of {objects} objects, {rows} rows   ");
                    if done == objects {
                        eprintln!();
                    }
                }
                _ => {}
            }
        }
    }
}
