//! The files that the arguments stand for: files, folders, manifests of inventories.
//!
//! Does not open data files. Invariant: the order is that of the arguments, and within a folder that of the names'
//! bytes; each file comes once; what is left out is said.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::SourceError;
use crate::head::Format;
use crate::listed::{self, Listed};
use crate::manifest::Options;
use crate::preset::Preset;

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// What the manifest of an inventory says of it.
    pub listed: Option<Listed>,
}

impl Input {
    /// How to read it: as the user says, and as the manifest says where the user says nothing.
    pub fn options(&self, given: &Options) -> Options {
        let mut options = given.clone();
        if let Some(listed) = &self.listed {
            if options.format == Format::Auto {
                options.format = listed.format;
            }
            if options.preset == Preset::Auto {
                options.preset = listed.preset;
            }
            if options.header.is_none() {
                options.header.clone_from(&listed.header);
            }
        }
        options
    }
}

/// What arguments stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The files, at least one.
    pub inputs: Vec<Input>,
    /// What the user may want to know: what was left out.
    pub notes: Vec<String>,
}

/// Files stand for themselves, folders for all files below them, and the `manifest.json` of an inventory for its data
/// files, which are checked against it. Not for `-`: spool standard input first.
pub fn expand(paths: &[PathBuf]) -> Result<Expanded, SourceError> {
    let mut found = Finding::default();
    for path in paths {
        let about = fs::metadata(path).map_err(|source| SourceError::io(path, source))?;
        if about.is_dir() {
            found.folder(path)?;
        } else {
            found.file(path)?;
        }
    }
    Ok(found.finish())
}

#[derive(Default)]
struct Finding {
    /// Files that no manifest lists.
    plain: Vec<(usize, PathBuf)>,
    listed: Vec<(usize, PathBuf, Listed)>,
    /// How many files were found so far.
    count: usize,
    manifests: usize,
    left_out: Vec<String>,
    notes: Vec<String>,
}

impl Finding {
    fn file(&mut self, path: &Path) -> Result<(), SourceError> {
        self.count += 1;
        if listed::may_be_one(path)
            && let Some(run) = listed::read(path)?
        {
            self.manifests += 1;
            self.notes.extend(run.notes);
            let count = self.count;
            self.listed.extend(run.files.into_iter().map(|file| (count, file, run.listed.clone())));
        } else {
            self.plain.push((self.count, path.to_owned()));
        }
        Ok(())
    }

    fn folder(&mut self, path: &Path) -> Result<(), SourceError> {
        let (files_before, left_out_before) = (self.count, self.left_out.len());
        self.below(path)?;
        if self.count > files_before {
            return Ok(());
        }
        let found = match self.left_out.len() - left_out_before {
            0 => "there is none in it or below".to_owned(),
            _ => format!("there are only side files in it ({})", shortened(&self.left_out)),
        };
        Err(SourceError::NoFiles { path: path.to_owned(), found })
    }

    fn below(&mut self, folder: &Path) -> Result<(), SourceError> {
        let failed = |source| SourceError::io(folder, source);
        let mut entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        entries.sort_by(|one, other| one.file_name().as_encoded_bytes().cmp(other.file_name().as_encoded_bytes()));
        for entry in entries {
            let path = entry.path();
            let kind = entry.file_type().map_err(|source| SourceError::io(&path, source))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let leads_to_file = kind.is_file() || (kind.is_symlink() && path.is_file());
            if is_side_file(&name) || !(kind.is_dir() || leads_to_file) {
                // Links to folders can lead in circles, and pipes do not end.
                self.left_out.push(name);
            } else if kind.is_dir() {
                self.below(&path)?;
            } else {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Expanded {
        let mut seen = HashSet::new();
        let mut is_new = |path: &Path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        // What a manifest lists goes first, because the manifest says more about it; the order is restored below.
        let mut inputs = Vec::new();
        for (at, path, listed) in self.listed {
            if is_new(&path) {
                inputs.push((at, Input { path, listed: Some(listed) }));
            }
        }
        for (at, path) in self.plain {
            if is_new(&path) {
                inputs.push((at, Input { path, listed: None }));
            }
        }
        inputs.sort_by_key(|(at, _)| *at);
        if !self.left_out.is_empty() {
            let (count, names) = (self.left_out.len(), shortened(&self.left_out));
            self.notes.push(format!("side files that are left out: {count} ({names})"));
        }
        if self.manifests > 1 {
            let count = self.manifests;
            self.notes.push(format!(
                "{count} inventories are read: an object that several list counts as several references"
            ));
        }
        Expanded { inputs: inputs.into_iter().map(|(_, input)| input).collect(), notes: self.notes }
    }
}

/// Files that exports lay beside the data: hidden ones, check sums, what Hive and Spark write about a run.
fn is_side_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_about_a_run = ["_success", "_metadata", "_common_metadata", "symlink.txt"].contains(&name.as_str())
        || name.starts_with("_committed_")
        || name.starts_with("_started_");
    name.starts_with('.') || name.ends_with(".checksum") || is_about_a_run
}

fn shortened(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    shown.join(", ") + more
}
