//! What a file turned out to be, in words.
//!
//! Does not find it out. Invariant: nothing in it is still to be found out.

use std::fmt;

use crate::compression::Compression;
use crate::encoding::Encoding;
use crate::head::Format;
use crate::preset::Preset;

/// What a file turned out to be. Its text is for people: `CSV, ';' between columns, UTF-16LE, gzip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// How records are written; never `Auto`.
    pub format: Format,
    /// What stands between columns of CSV.
    pub delimiter: Option<char>,
    /// How characters are written; never `Auto`.
    pub encoding: Encoding,
    /// How the file is packed. What is packed within Parquet is not looked at.
    pub compression: Compression,
    /// Which columns it has; never `Auto`.
    pub preset: Preset,
}

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.format)?;
        match self.delimiter {
            Some('\t') => f.write_str(", tab between columns")?,
            Some(delimiter) => write!(f, ", '{delimiter}' between columns")?,
            None => {}
        }
        if self.format != Format::Parquet {
            write!(f, ", {}", self.encoding)?;
        }
        if self.compression != Compression::None {
            write!(f, ", {}", self.compression)?;
        }
        if self.preset != Preset::None { write!(f, ", {}", self.preset) } else { Ok(()) }
    }
}
