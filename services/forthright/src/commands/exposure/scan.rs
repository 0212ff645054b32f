//! `exposure scan`.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use app::intake::Scan;

use super::import::progress;
use super::{DONE, open, say};
use crate::cli::Everywhere;
use crate::output;

pub(super) async fn run(e: &Everywhere, slug: &str, url: &str, output: Option<&Path>) -> Result<u8> {
    if let Some(file) = output {
        let mut out = std::io::BufWriter::new(
            std::fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?,
        );
        let scanned = app::intake::look_through(url, &mut out, &mut talk(e)).await?;
        out.flush().with_context(|| format!("cannot write {}", file.display()))?;
        output::document(e, &scanned)?;
        say(e, format!("wrote {} rows to {}; nothing was counted", scanned.rows, file.display()));
        return Ok(DONE);
    }
    let app = open(e).await?;
    std::fs::create_dir_all(&e.data).context("cannot make the data folder")?;
    // Private, and gone when the rows are counted: until then it holds addresses in plain.
    let spool = tempfile::Builder::new()
        .prefix("scan-")
        .suffix(".jsonl")
        .tempfile_in(&e.data)
        .context("cannot keep the rows of a scan in the data folder")?;
    let scan = Scan { url, spool: spool.path() };
    let (scanned, imported) = app::intake::scan(&app, slug, &scan, &mut talk(e), progress(e)).await?;
    let Some(imported) = imported else {
        output::document(e, &scanned)?;
        say(e, "no address and no domain was found: nothing was counted");
        return Ok(DONE);
    };
    output::document(e, &serde_json::json!({ "scanned": scanned, "imported": imported }))?;
    Ok(if imported.already_counted_at.is_none() && imported.rejected_rows > 0 { super::PARTIAL } else { DONE })
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
