//! The first kilobytes of a text: whether it is one, and of which format.
//!
//! Does not read files (`input` does). Invariant: what is no table is called by its name, with the next step.

use std::fmt;
use std::path::Path;

use crate::error::SourceError;

/// How much is looked at, in bytes: 64 KiB.
pub(crate) const LOOKED_AT: usize = 64 * 1024;

/// The mark that some programs put before UTF-8 text.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The first and last bytes of a Parquet file.
pub(crate) const PARQUET: &[u8] = b"PAR1";

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
    /// Apache Parquet with columns that are not nested.
    Parquet,
}

impl Format {
    /// The names of the command line.
    pub const NAMES: [&'static str; 4] = ["auto", "csv", "jsonl", "parquet"];

    /// The format of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "to be found out",
            Self::Csv => "CSV",
            Self::JsonLines => "JSON Lines",
            Self::Parquet => "Parquet",
        })
    }
}

const AS_TEXT: &str = "export it as CSV, JSON Lines or Parquet first";

/// Formats that we know by their first bytes and do not read: mark, what it is, what to do.
const MAGIC: [(&[u8], &str, &str); 10] = [
    (b"BZh", "is bzip2-compressed", "unpack it first (bunzip2)"),
    (b"\xFD7zXZ", "is xz-compressed", "unpack it first (unxz)"),
    (b"PK\x03\x04", "is a zip archive or a spreadsheet", "unpack it first (unzip), or save the sheet as CSV"),
    (b"7z\xBC\xAF", "is a 7-Zip archive", "unpack it first"),
    (b"ORC", "is an ORC file", "choose CSV or Parquet as the format of the inventory or export"),
    (b"Obj\x01", "is an Avro file", AS_TEXT),
    (b"PARE", "is an encrypted Parquet file", "export it without encryption"),
    (b"SQLite format 3\0", "is an SQLite database", AS_TEXT),
    (b"\xFF\xFE\0\0", "is UTF-32 text", "save it as UTF-8"),
    (b"\0\0\xFE\xFF", "is UTF-32 text", "save it as UTF-8"),
];

/// Marks that mean something in the file itself, and not in what was unpacked from it.
const INSIDE: [(&[u8], &str, &str); 3] = [
    (b"\x1F\x8B", "is compressed twice", "unpack it once (gunzip)"),
    (b"\x28\xB5\x2F\xFD", "is compressed twice", "unpack it once"),
    (PARQUET, "is a Parquet file that was compressed once more", "unpack it first (gunzip or unzstd)"),
];

/// Where a tar archive says that it is one.
const TAR_AT: usize = 257;

pub(crate) fn check_is_known(path: &Path, head: &[u8]) -> Result<(), SourceError> {
    let path = path.to_owned();
    if head.is_empty() {
        return Err(SourceError::Empty { path });
    }
    let mut marks = MAGIC.iter().chain(&INSIDE);
    if let Some((_, found, next)) = marks.find(|(mark, ..)| is_marked(head, mark)) {
        return Err(SourceError::NotText { path, found, next });
    }
    if head.get(TAR_AT..).is_some_and(|at| at.starts_with(b"ustar")) {
        let (found, next) = ("is a tar archive", "unpack it first (tar -x), and name the folder");
        return Err(SourceError::NotText { path, found, next });
    }
    Ok(())
}

/// Whether a file begins so and is no text: `ORC` and `PARE` can begin a header too.
pub(crate) fn is_marked(head: &[u8], mark: &[u8]) -> bool {
    let Some(behind) = head.strip_prefix(mark) else { return false };
    let is_strange = |byte: &u8| (byte.is_ascii_control() && !byte.is_ascii_whitespace()) || !byte.is_ascii();
    !mark.iter().all(u8::is_ascii_graphic) || behind.is_empty() || behind.iter().take(64).any(is_strange)
}

/// Checks a head in UTF-8, without its byte order mark.
pub(crate) fn check_is_text(path: &Path, head: &[u8]) -> Result<(), SourceError> {
    let refuse = |found, next| Err(SourceError::NotText { path: path.to_owned(), found, next });
    if head.is_empty() {
        return Err(SourceError::Empty { path: path.to_owned() });
    }
    if is_binary(head) {
        return refuse("is a binary file (it has NUL bytes and control characters)", AS_TEXT);
    }
    if !head.contains(&b'\n') && memchr::memchr(b'\r', head).is_some_and(|at| at + 1 < head.len()) {
        let found = "ends its lines with a carriage return alone, as old Macintosh programs do";
        return refuse(found, "convert the line ends first, for example with tr '\\r' '\\n'");
    }
    Ok(())
}

/// A NUL can get into a field of a text. Of a binary file, even a random one, every tenth byte is a control character.
fn is_binary(head: &[u8]) -> bool {
    if !head.contains(&0) {
        return false;
    }
    let controls = head.iter().filter(|byte| byte.is_ascii_control() && !b"\t\n\r\x0C".contains(byte)).count();
    controls * 10 > head.len()
}

/// Says what `Auto` means for this file; another format is taken as given. `head` is without a byte order mark.
pub(crate) fn settle(format: Format, path: &Path, head: &[u8]) -> Result<Format, SourceError> {
    if format != Format::Auto {
        return Ok(format);
    }
    match (head.trim_ascii_start().first(), extension(path).as_deref()) {
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

/// What follows the last dot of the file's name, in small letters; before `.gz` and the like where it ends so.
fn extension(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let packed = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    packed.rsplit_once('.').map(|(_, extension)| extension.to_owned())
}
