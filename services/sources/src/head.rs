//! The first kilobytes of a file: whether it is text, and of which format.
//!
//! Does not unpack anything. Invariant: what was read to find out is handed on, so nothing is read twice and pipes
//! work like files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::SourceError;

/// How much is looked at, in bytes.
const HEAD: u64 = 8 * 1024;

/// The mark that some programs put before UTF-8 text.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Found out from the first character and the file's name.
    #[default]
    Auto,
    /// Comma, semicolon, tab or bar between columns; a header.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

impl Format {
    /// The names of the command line.
    pub const NAMES: [&'static str; 3] = ["auto", "csv", "jsonl"];

    /// The format of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// Formats that we know by their first bytes and do not read: mark, what it is, what to do.
const MAGIC: [(&[u8], &str, &str); 8] = [
    (b"\x1F\x8B", "is gzip-compressed", "unpack it first (gunzip)"),
    (b"\x28\xB5\x2F\xFD", "is zstd-compressed", "unpack it first (unzstd)"),
    (b"BZh", "is bzip2-compressed", "unpack it first (bunzip2)"),
    (b"\xFD7zXZ", "is xz-compressed", "unpack it first (unxz)"),
    (b"PK\x03\x04", "is a zip archive or a spreadsheet", "unpack it first (unzip), or save the sheet as CSV"),
    (b"PAR1", "is a Parquet file", "convert it to CSV or JSON Lines first"),
    (b"\xFF\xFE", "is UTF-16 text", "save it as UTF-8"),
    (b"\xFE\xFF", "is UTF-16 text", "save it as UTF-8"),
];

/// A file that was opened, and its first bytes, which `file` is past.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) head: Vec<u8>,
    pub(crate) file: File,
}

pub(crate) fn open(path: &Path) -> Result<Opened, SourceError> {
    let mut opened = open_file(path).map_err(|source| SourceError::io(path, source))?;
    opened.file.by_ref().take(HEAD).read_to_end(&mut opened.head).map_err(|source| SourceError::io(path, source))?;
    check_is_text(path, &opened.head)?;
    Ok(opened)
}

/// Opens a file; on some systems a directory opens and fails at the first read.
pub(crate) fn open_file(path: &Path) -> io::Result<Opened> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Opened { head: Vec::new(), file })
}

fn check_is_text(path: &Path, head: &[u8]) -> Result<(), SourceError> {
    let path = path.to_owned();
    if head.strip_prefix(BOM).unwrap_or(head).is_empty() {
        return Err(SourceError::Empty { path });
    }
    if let Some((_, found, next)) = MAGIC.iter().find(|(mark, ..)| head.starts_with(mark)) {
        return Err(SourceError::NotText { path, found, next });
    }
    if head.contains(&0) {
        let (found, next) = ("is a binary file (it has NUL bytes)", "export it as CSV or JSON Lines first");
        return Err(SourceError::NotText { path, found, next });
    }
    Ok(())
}

/// Says what `Auto` means for this file; another format is taken as given.
pub(crate) fn settle(format: Format, path: &Path, head: &[u8]) -> Result<Format, SourceError> {
    if format != Format::Auto {
        return Ok(format);
    }
    let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    let extension = path.extension().map(|ext| ext.to_string_lossy().to_ascii_lowercase());
    match (text.first(), extension.as_deref()) {
        (Some(b'{'), _) | (_, Some("jsonl" | "ndjson")) => Ok(Format::JsonLines),
        (Some(b'['), _) => Err(SourceError::UnknownFormat {
            path: path.to_owned(),
            found: "is a JSON array",
            next: "write an object a line, for example with jq -c '.[]'",
        }),
        (Some(b'<'), _) => Err(SourceError::UnknownFormat {
            path: path.to_owned(),
            found: "is XML or HTML",
            next: "export it as CSV or JSON Lines; if it is CSV all the same, say --format csv",
        }),
        _ => Ok(Format::Csv),
    }
}
