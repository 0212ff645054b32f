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
    let mut options = ScanOptions::default();
    options.path_prefix = container_of(url).map(|name| format!("{name}/")).unwrap_or_default();
    Ok(sources::scan::scan(url, &options, out, looking).await?)
}

/// The bucket or container of a URL: object paths begin with it, as they do in inventories, so that equal keys of two
/// containers are two objects. A folder has none.
fn container_of(url: &str) -> Option<&str> {
    let path = match url.strip_prefix("s3://") {
        Some(bucket) => bucket,
        // After the account.
        None => url.strip_prefix("az://").or_else(|| url.strip_prefix("https://"))?.split_once('/')?.1,
    };
    path.split('/').next().filter(|name| !name.is_empty())
}

/// Looks through a container and counts what it finds; nothing is counted where nothing is found.
pub async fn scan(
    app: &App,
    slug: &str,
    scan: &Scan<'_>,
    looking: &mut (dyn FnMut(Looking) + Send),
    progress: impl FnMut(Progress),
) -> Result<(Scanned, Option<Imported>), AppError> {
    let incident = super::countable(app, slug).await?;
    let failed = |error: std::io::Error| {
        AppError::bad(
            format!("cannot keep the rows of the scan in {}: {error}", scan.spool.display()),
            "free some space in the data folder, or choose another with --data",
        )
    };
    let mut out = std::io::BufWriter::new(std::fs::File::create(scan.spool).map_err(failed)?);
    let scanned = look_through(scan.url, &mut out, looking).await?;
    out.flush().map_err(failed)?;
    let count = |tallies: &std::collections::BTreeMap<sources::scan::Reason, sources::scan::Tally>| {
        tallies
            .iter()
            .map(|(reason, tally)| (reason.name(), tally.objects))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let detail = serde_json::json!({
        "url": scan.url, "objects": scanned.listed, "read": scanned.read, "rows": scanned.rows,
        "skipped": count(&scanned.skipped), "incomplete": count(&scanned.incomplete),
    });
    let tx = app.store.begin().await?;
    tx.commit(app.entry("exposure.scan", &incident.slug, detail)).await?;
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

#[cfg(test)]
mod tests {
    use super::container_of;

    #[test]
    fn paths_begin_with_the_bucket_or_container() {
        assert_eq!(container_of("s3://exposed/a/b"), Some("exposed"));
        assert_eq!(container_of("az://account/box/a"), Some("box"));
        assert_eq!(container_of("https://account.blob.core.windows.net/box"), Some("box"));
        assert_eq!(container_of("/srv/exposed"), None);
        assert_eq!(container_of("file:///srv/exposed"), None);
    }
}
