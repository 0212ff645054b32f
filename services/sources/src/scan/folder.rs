//! A local folder as a container.
//!
//! Not by `object_store`, whose folder follows links out of the folder and leaves out broken ones and names that end
//! in `#1`. Invariant: everything that lies in the folder is listed once, with a reason where it will not be read.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::container::Entry;
use super::error::ScanError;
use super::options::Reason;

/// Everything in the folder and below, in no order; with more than the limit, not all.
pub(crate) fn list(root: &Path, limit: usize) -> Result<Vec<Entry>, ScanError> {
    let root_is_folder = fs::metadata(root).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ScanError::NoFolder { path: root.to_owned() },
        _ => ScanError::Folder { path: root.to_owned(), source },
    })?;
    if !root_is_folder.is_dir() {
        return Err(ScanError::NotAFolder { path: root.to_owned() });
    }
    let mut entries = Vec::new();
    let mut open = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        let failed = |source| ScanError::Folder { path: folder.clone(), source };
        for file in fs::read_dir(&folder).map_err(failed)? {
            let file = file.map_err(failed)?;
            let name = file.file_name();
            let path = format!("{prefix}{}", name.to_string_lossy());
            // Of the link itself, not of where it leads. What vanished since is an object that cannot be read.
            let metadata = file.metadata();
            if name.to_str().is_some() && metadata.as_ref().is_ok_and(Metadata::is_dir) {
                open.push((file.path(), format!("{path}/")));
                continue;
            }
            entries.push(entry(path, name.to_str().is_some(), metadata));
        }
        if entries.len() > limit {
            break;
        }
    }
    Ok(entries)
}

/// A file of the folder.
pub(crate) fn open(root: &Path, path: &str) -> io::Result<File> {
    File::open(root.join(PathBuf::from(path)))
}

fn entry(path: String, is_utf8: bool, metadata: io::Result<Metadata>) -> Entry {
    let Ok(metadata) = metadata else {
        return Entry { path, size: 0, modified: None, skip: Some(Reason::ReadFailed) };
    };
    let skip = match metadata.file_type() {
        _ if !is_utf8 => Some(Reason::BadName),
        kind if kind.is_symlink() => Some(Reason::Link),
        kind if !kind.is_file() => Some(Reason::NotAFile),
        _ => None,
    };
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    Entry { path, size: metadata.len(), modified, skip }
}
