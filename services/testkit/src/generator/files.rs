//! The same rows in another order, or in two files.
//!
//! Records must be single lines, as those of the generator and of the sample are. A CSV keeps its header, and a byte
//! order mark stays at the front.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::random::{For, Random};

/// Writes the records of a manifest in another order, beside it (`manifest.shuffled.csv`).
pub fn shuffle(file: &Path, seed: u64) -> Result<PathBuf> {
    let (head, mut records) = parts(file)?;
    let mut random = Random::new(seed, For::Lines, 0);
    for last in (1..records.len()).rev() {
        records.swap(last, random.below(last as u64 + 1) as usize);
    }
    write(file, "shuffled", &head, &records)
}

/// Writes the first `count` records of a manifest to one file and the others to another, beside it
/// (`manifest.first.csv`, `manifest.rest.csv`).
pub fn cut(file: &Path, count: usize) -> Result<[PathBuf; 2]> {
    let (head, records) = parts(file)?;
    let (first, rest) = records.split_at(count.min(records.len()));
    Ok([write(file, "first", &head, first)?, write(file, "rest", &head, rest)?])
}

/// What each file begins with, and the records with their line ends.
fn parts(file: &Path) -> Result<(String, Vec<String>)> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = if text.ends_with('\n') || text.is_empty() { text } else { text + "\n" };
    let (bom, text) = text.strip_prefix('\u{feff}').map_or(("", text.as_str()), |rest| ("\u{feff}", rest));
    let mut lines = text.split_inclusive('\n').map(str::to_owned);
    let header = if file.extension().is_some_and(|extension| extension == "csv") { lines.next() } else { None };
    Ok((format!("{bom}{}", header.unwrap_or_default()), lines.collect()))
}

fn write(beside: &Path, mark: &str, head: &str, records: &[String]) -> Result<PathBuf> {
    let stem = beside.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = beside.extension().unwrap_or_default().to_string_lossy().into_owned();
    let path = beside.with_file_name(format!("{stem}.{mark}.{extension}"));
    fs::write(&path, format!("{head}{}", records.concat()))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
