//! Manifests of inventories: the `manifest.json` of S3 and of Azure, which lists the data files of one run.
//!
//! Does not fetch anything: the files lie beside it. Invariant: what it lists is there, in the folders of its inventory,
//! in the length and with the MD5 that it states, or it is an error before anything is read.
//!
//! Sources: Amazon S3 User Guide, "storage-inventory-location"; Azure Storage, "blob inventory", inventory files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::digest::md5;
use crate::error::SourceError;
use crate::head::Format;
use crate::preset::Preset;

/// The longest manifest, in bytes: 64 MiB, some hundred thousand files.
const LONGEST: u64 = 64 * 1024 * 1024;

/// What the manifest of an inventory says of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Whose inventory it is.
    pub preset: Preset,
    /// Their format.
    pub format: Format,
    /// Their columns, where they have no header.
    pub header: Option<Vec<String>>,
}

/// A manifest, and its files where they lie.
pub(crate) struct Run {
    pub(crate) listed: Listed,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    S3(S3),
    Azure(Azure),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3 {
    file_format: String,
    file_schema: String,
    files: Vec<S3File>,
}

#[derive(Deserialize)]
struct S3File {
    key: String,
    size: Option<u64>,
    #[serde(rename = "MD5checksum")]
    md5: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Azure {
    files: Vec<AzureFile>,
    rule_definition: AzureRule,
    status: Option<String>,
}

#[derive(Deserialize)]
struct AzureFile {
    blob: String,
    size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureRule {
    format: Option<String>,
    object_type: Option<String>,
}

/// A file that is listed.
struct Entry {
    key: String,
    size: Option<u64>,
    md5: Option<String>,
}

/// Whether a file of that name can be the manifest of an inventory.
pub(crate) fn may_be_one(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().to_ascii_lowercase().ends_with("manifest.json"))
}

/// Reads a manifest and finds its files; `None` where the file is something else.
pub(crate) fn read(path: &Path) -> Result<Option<Run>, SourceError> {
    let failed = |source| SourceError::io(path, source);
    if fs::metadata(path).map_err(failed)?.len() > LONGEST {
        return Ok(None);
    }
    let text = fs::read(path).map_err(failed)?;
    let Ok(written) = serde_json::from_slice::<Written>(&text) else {
        let is_meant = ["\"fileSchema\"", "\"ruleDefinition\""]
            .iter()
            .any(|member| memchr::memmem::find(&text, member.as_bytes()).is_some());
        let next = "copy it again, or leave it out and name the data files";
        return if is_meant { Err(bad(path, "it is damaged".to_owned(), next)) } else { Ok(None) };
    };
    let (listed, entries, notes) = match written {
        Written::S3(manifest) => s3(path, manifest)?,
        Written::Azure(manifest) => azure(path, manifest)?,
    };
    if entries.is_empty() {
        return Err(bad(path, "it lists no files".to_owned(), "check that the inventory ran to its end"));
    }
    let files = find_all(path, &entries)?;
    entries.iter().zip(&files).try_for_each(|(entry, file)| check(path, entry, file))?;
    Ok(Some(Run { listed, files, notes }))
}

type Read = (Listed, Vec<Entry>, Vec<String>);

fn s3(path: &Path, manifest: S3) -> Result<Read, SourceError> {
    let preset = Preset::S3Inventory;
    let listed = match manifest.file_format.to_ascii_uppercase().as_str() {
        "CSV" => {
            let header = manifest.file_schema.split(',').map(|name| name.trim().to_owned()).collect();
            Listed { preset, format: Format::Csv, header: Some(header) }
        }
        "PARQUET" => Listed { preset, format: Format::Parquet, header: None },
        other => {
            let next = "choose CSV or Parquet as the output format of the inventory, or convert its files to Parquet";
            return Err(bad(path, format!("its files are {other}, which is not read"), next));
        }
    };
    let entry = |file: S3File| Entry { key: file.key, size: file.size, md5: file.md5 };
    Ok((listed, manifest.files.into_iter().map(entry).collect(), Vec::new()))
}

fn azure(path: &Path, manifest: Azure) -> Result<Read, SourceError> {
    let rule = manifest.rule_definition;
    if rule.object_type.is_some_and(|kind| kind.eq_ignore_ascii_case("container")) {
        let next = "make one of blobs (objectType blob)";
        return Err(bad(path, "it is an inventory of containers, which names no blobs".to_owned(), next));
    }
    let is_parquet = rule.format.is_some_and(|format| format.eq_ignore_ascii_case("parquet"));
    let format = if is_parquet { Format::Parquet } else { Format::Csv };
    let status = manifest.status.filter(|status| !status.eq_ignore_ascii_case("succeeded"));
    let notes = status.map(|status| format!("{}: the inventory says of its run: {status}", path.display()));
    let entry = |file: AzureFile| Entry { key: file.blob, size: file.size, md5: None };
    let listed = Listed { preset: Preset::AzureInventory, format, header: None };
    Ok((listed, manifest.files.into_iter().map(entry).collect(), notes.into_iter().collect()))
}

fn find_all(path: &Path, entries: &[Entry]) -> Result<Vec<PathBuf>, SourceError> {
    let real = fs::canonicalize(path).map_err(|source| SourceError::io(path, source))?;
    let folder = real.parent().unwrap_or(&real);
    let (mut files, mut missing) = (Vec::new(), Vec::new());
    for entry in entries {
        match find(path, folder, &entry.key)? {
            Some(file) => files.push(file),
            None => missing.push(entry.key.as_str()),
        }
    }
    let Some(first) = missing.first() else { return Ok(files) };
    let found = format!("of its {} files {} are not there, first {first}", entries.len(), missing.len());
    Err(bad(path, found, "copy them with the manifest, in the folders of their keys"))
}

const NEXT_OUTSIDE: &str = "look at where the manifest comes from; if it is right, name the data files instead of it";

/// Looks for a key from the manifest's folder and those above: first the whole key, then what is left of it without its
/// first folders. The bare name counts in the manifest's own folder only.
fn find(manifest: &Path, folder: &Path, key: &str) -> Result<Option<PathBuf>, SourceError> {
    let mut parts = Vec::new();
    for part in Path::new(key).components() {
        match part {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(bad(manifest, format!("its key {key:?} leads out of the inventory"), NEXT_OUTSIDE));
            }
        }
    }
    for from in 0..parts.len() {
        let tail = &parts[from..];
        let found = folder.ancestors().enumerate().find_map(|(above, at)| {
            let within = permitted(folder, above, at, tail)?;
            Some((within, at.join(tail.iter().collect::<PathBuf>()))).filter(|(_, file)| file.is_file())
        });
        let Some((within, file)) = found else { continue };
        let real = fs::canonicalize(&file).map_err(|source| SourceError::io(&file, source))?;
        if !real.starts_with(&within) {
            let found = format!("{} is a link that leads out of {}", file.display(), within.display());
            return Err(bad(manifest, found, NEXT_OUTSIDE));
        }
        return Ok(Some(file));
    }
    Ok(None)
}

/// The folder that a file must lie in which is looked for at `at`, so many folders above the manifest's; `None` where
/// nothing is looked for. From two folders above on, the way down to the manifest must be that of the key: S3 writes
/// `prefix/bucket/configuration/<date>/manifest.json` and `prefix/bucket/configuration/data/<file>`. The root of the
/// file system is nobody's inventory.
fn permitted(folder: &Path, above: usize, at: &Path, tail: &[&OsStr]) -> Option<PathBuf> {
    let (_, folders) = tail.split_last()?;
    match (above, folders) {
        (0, _) => Some(at.to_owned()),
        (_, []) => None,
        (1, _) => Some(at.to_owned()),
        (_, [shared @ .., _]) => {
            let within = at.join(shared.iter().collect::<PathBuf>());
            (shared.len() > 1 && at.parent().is_some() && folder.starts_with(&within)).then_some(within)
        }
    }
}

fn check(manifest: &Path, entry: &Entry, file: &Path) -> Result<(), SourceError> {
    let next = "copy the file again, or read it without the manifest if it was changed on purpose";
    let size = fs::metadata(file).map_err(|source| SourceError::io(file, source))?.len();
    if let Some(stated) = entry.size
        && stated != size
    {
        return Err(bad(manifest, format!("it says {stated} bytes of {}, which has {size}", file.display()), next));
    }
    if let Some(stated) = &entry.md5
        && !stated.trim().eq_ignore_ascii_case(&md5(file)?)
    {
        return Err(bad(manifest, format!("the MD5 that it states is not that of {}", file.display()), next));
    }
    Ok(())
}

fn bad(path: &Path, found: String, next: &'static str) -> SourceError {
    SourceError::BadInventory { path: path.to_owned(), found, next }
}
