//! Opens a file: unpacks it, finds out its encoding, and hands on lines of UTF-8, or the file itself where it is
//! Parquet.
//!
//! Does not know records. Invariant: nothing of a pipe is read twice, so that it works like a file, and what was read is
//! counted in bytes of the file as it lies on the disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::compression::Compression;
use crate::encoding::Encoding;
use crate::error::SourceError;
use crate::head::{self, BOM, LOOKED_AT};
use crate::late::{self, Tally};
use crate::lines::{Lines, Stream};

/// Enough to know a compression and Parquet by, in bytes.
const MARK: u64 = 64;

#[derive(Debug)]
pub(crate) enum Opened {
    Text(Text),
    /// A Parquet file, which is read from anywhere.
    Parquet(File),
}

/// A text whose lines are UTF-8, except where it claims to be and is not.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) lines: Lines,
    pub(crate) compression: Compression,
    pub(crate) encoding: Encoding,
    pub(crate) notes: Vec<String>,
    bytes: Arc<AtomicU64>,
    /// Of a text that is judged when it ends.
    tally: Option<Arc<Tally>>,
}

impl Text {
    /// Bytes of the file read so far, as it lies on the disk.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The first bytes, 64 KiB where there are so many.
    pub(crate) fn head(&mut self, path: &Path) -> Result<&[u8], SourceError> {
        self.lines.peek(LOOKED_AT).map_err(|source| SourceError::reading(path, 0, source))
    }

    /// Whether the text, read to its end, was what it seemed to be.
    pub(crate) fn check_end(&self, path: &Path) -> Result<(), SourceError> {
        self.tally.as_ref().map_or(Ok(()), |tally| tally.check(path))
    }

    /// The whole text, where it has no more bytes than `most`.
    pub(crate) fn read_whole(self, path: &Path, most: u64) -> Result<Vec<u8>, SourceError> {
        let failed = |source| SourceError::reading(path, 0, source);
        let mut whole = Vec::new();
        self.lines.into_input().take(most + 1).read_to_end(&mut whole).map_err(failed)?;
        if whole.len() as u64 > most {
            return Err(SourceError::TooLarge { path: path.to_owned(), most_mib: most / (1024 * 1024) });
        }
        Ok(whole)
    }

    /// Puts something between the text and its reader.
    fn wrap(&mut self, wrap: impl FnOnce(Stream) -> Stream) {
        let lines = std::mem::replace(&mut self.lines, Lines::new(Box::new(io::empty())));
        self.lines = Lines::new(wrap(lines.into_input()));
    }
}

/// Whether a text may be taken for Windows-1252 without being told: only where the user is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    Any,
    NeverLatin1,
}

/// How a file can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Anywhere,
    /// Pipes, and what has to be unpacked.
    OnceThrough,
}

/// Opens a file that may be any.
pub(crate) fn open(path: &Path, encoding: Encoding, guess: Guess) -> Result<Opened, SourceError> {
    let failed = |source| SourceError::io(path, source);
    let mut file = open_file(path).map_err(failed)?;
    let mut mark = Vec::new();
    file.by_ref().take(MARK).read_to_end(&mut mark).map_err(failed)?;
    if head::is_marked(&mark, head::PARQUET) {
        return Ok(Opened::Parquet(file));
    }
    let bytes = Arc::new(AtomicU64::new(mark.len() as u64));
    let compression = Compression::detect(&mark);
    let is_plain = compression == Compression::None && file.metadata().map_err(failed)?.is_file();
    let reach = if is_plain { Reach::Anywhere } else { Reach::OnceThrough };
    let file = io::Cursor::new(mark).chain(Counted { file, bytes: Arc::clone(&bytes) });
    let inside = compression.unpack(Box::new(file), &bytes).map_err(failed)?;
    let lines = Lines::new(inside);
    let mut text = Text { lines, compression, encoding: Encoding::Utf8, notes: Vec::new(), bytes, tally: None };
    head::check_is_known(path, text.head(path)?)?;
    settle_encoding(path, &mut text, encoding, guess, reach)?;
    Ok(Opened::Text(text))
}

/// Opens a file that must be a text.
pub(crate) fn open_text(path: &Path) -> Result<Text, SourceError> {
    match open(path, Encoding::Auto, Guess::NeverLatin1)? {
        Opened::Text(text) => Ok(text),
        Opened::Parquet(_) => Err(SourceError::NotText {
            path: path.to_owned(),
            found: "is a Parquet file",
            next: "write it as a text, an entry a line",
        }),
    }
}

/// Opens a file; on some systems a directory opens and fails at the first read.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

fn settle_encoding(
    path: &Path,
    text: &mut Text,
    asked: Encoding,
    guess: Guess,
    reach: Reach,
) -> Result<(), SourceError> {
    let head = text.head(path)?;
    let is_open = asked == Encoding::Auto && guess == Guess::Any && head.len() >= LOOKED_AT && head.is_ascii();
    let mut why = if asked == Encoding::Auto { "found out from its first bytes" } else { "as you said" };
    text.encoding = match asked.settle(head) {
        Encoding::Latin1 if asked == Encoding::Auto && guess == Guess::NeverLatin1 => Encoding::Utf8,
        Encoding::Utf8 if is_open => {
            why = "found out from its first characters beyond ASCII";
            settle_late(path, text, reach)?
        }
        settled => settled,
    };
    let settled = text.encoding;
    if settled != Encoding::Utf8 {
        text.wrap(|input| settled.transcode(input));
        text.notes.push(format!("the text is read as {settled}, {why}; --encoding says another"));
    }
    let mut marks = 0;
    while text.head(path)?.starts_with(BOM) {
        text.lines.skip(BOM.len());
        marks += 1;
    }
    if marks > 1 {
        text.notes.push(format!("the text begins with {marks} byte order marks, which are left out"));
    }
    head::check_is_text(path, text.head(path)?)
}

/// Settles the encoding of a text whose head is ASCII.
fn settle_late(path: &Path, text: &mut Text, reach: Reach) -> Result<Encoding, SourceError> {
    match reach {
        Reach::Anywhere => {
            let later = late::beyond_ascii(path, LOOKED_AT).map_err(|source| SourceError::io(path, source))?;
            Ok(later.map_or(Encoding::Utf8, |later| Encoding::of_later(&later)))
        }
        Reach::OnceThrough => {
            let tally = Arc::new(Tally::default());
            text.wrap(|input| late::watch(input, Arc::clone(&tally)));
            text.tally = Some(tally);
            Ok(Encoding::Utf8)
        }
    }
}

/// Counts what is read of a file.
struct Counted {
    file: File,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(to)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
