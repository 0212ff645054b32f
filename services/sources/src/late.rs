//! Texts whose first characters beyond ASCII come late, behind the 64 KiB that are looked at first.
//!
//! Does not know encodings (`encoding` does). Invariant: a file that can be read from anywhere is judged before its
//! first row; another is judged when it ends, so that what was misread is not counted.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::{memchr_iter, memrchr};

use crate::error::SourceError;
use crate::head::LOOKED_AT;
use crate::lines::Stream;

/// Read at once, in bytes: 256 KiB, beyond which nothing gets faster.
const AT_ONCE: usize = 256 * 1024;
/// How far before a byte the start of its line is looked for, in bytes: 16 KiB.
const BEFORE: u64 = 16 * 1024;

/// The line with the file's first byte beyond ASCII from there on, and 64 KiB behind that byte; `None` where there is
/// none. A line that starts far before it is cut.
pub(crate) fn beyond_ascii(path: &Path, from: usize) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let Some(at) = find(&mut file, from as u64)? else { return Ok(None) };
    let start = at.saturating_sub(BEFORE);
    file.seek(SeekFrom::Start(start))?;
    let mut text = Vec::new();
    file.take(at - start + LOOKED_AT as u64).read_to_end(&mut text)?;
    let before = text.len().min(usize::try_from(at - start).unwrap_or(0));
    let line = memrchr(b'\n', &text[..before]).map_or(before, |end| end + 1);
    text.drain(..line);
    Ok(Some(text))
}

/// Where the first byte beyond ASCII is.
fn find(file: &mut File, from: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; AT_ONCE];
    let mut at = file.seek(SeekFrom::Start(from))?;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = &buffer[..read];
        // Looking at all at once is many times faster than looking for one.
        if !bytes.is_ascii() {
            return Ok(bytes.iter().position(|byte| !byte.is_ascii()).map(|place| at + place as u64));
        }
        at += read as u64;
    }
}

/// What a text that is read once has beyond ASCII.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Characters of several bytes.
    valid: AtomicU64,
    /// Sequences of bytes that are no character.
    invalid: AtomicU64,
    /// The physical line of the first of these.
    line: AtomicU64,
}

impl Tally {
    /// Whether the text, which was read to its end, can be UTF-8: one with damaged places has more that are whole.
    pub(crate) fn check(&self, path: &Path) -> Result<(), SourceError> {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (valid, invalid, line) = (get(&self.valid), get(&self.invalid), get(&self.line));
        if invalid <= valid {
            return Ok(());
        }
        Err(SourceError::NotUtf8Late { path: path.to_owned(), line, invalid, valid })
    }
}

/// The same text, whose characters are tallied as it is read.
pub(crate) fn watch(text: Stream, tally: Arc<Tally>) -> Stream {
    Box::new(Watched { text, tally, cut: Vec::new(), lines: 0 })
}

struct Watched {
    text: Stream,
    tally: Arc<Tally>,
    /// The bytes of a character that the last reading cut.
    cut: Vec<u8>,
    /// Line ends so far.
    lines: u64,
}

impl Read for Watched {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(to)?;
        if read > 0 {
            self.look_at(&to[..read]);
        } else if !to.is_empty() && !std::mem::take(&mut self.cut).is_empty() {
            self.tally_invalid();
        }
        Ok(read)
    }
}

impl Watched {
    fn look_at(&mut self, bytes: &[u8]) {
        if self.cut.is_empty() && bytes.is_ascii() {
            self.lines += line_ends(bytes);
            return;
        }
        let mut text = std::mem::take(&mut self.cut);
        text.extend_from_slice(bytes);
        let mut left = text.len();
        for chunk in text.utf8_chunks() {
            let (valid, invalid) = (chunk.valid().as_bytes(), chunk.invalid());
            left -= valid.len() + invalid.len();
            self.lines += line_ends(valid);
            // Each character of several bytes has one such byte, its first.
            let characters = valid.iter().filter(|byte| **byte >= 0xC0).count();
            self.tally.valid.fetch_add(characters as u64, Ordering::Relaxed);
            if left == 0 && may_go_on(invalid) {
                self.cut = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.tally_invalid();
            }
        }
    }

    fn tally_invalid(&self) {
        if self.tally.invalid.fetch_add(1, Ordering::Relaxed) == 0 {
            self.tally.line.store(self.lines + 1, Ordering::Relaxed);
        }
    }
}

/// Whether these bytes begin a character whose others are still to come.
pub(crate) fn may_go_on(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives so many bytes at once.
    struct Drops(io::Cursor<Vec<u8>>, usize);

    impl Read for Drops {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let most = to.len().min(self.1);
            self.0.read(&mut to[..most])
        }
    }

    fn tally(bytes: &[u8], at_once: usize) -> [u64; 3] {
        let tally = Arc::new(Tally::default());
        let mut text = watch(Box::new(Drops(io::Cursor::new(bytes.to_vec()), at_once)), Arc::clone(&tally));
        let mut read = Vec::new();
        text.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        [&tally.valid, &tally.invalid, &tally.line].map(|count| count.load(Ordering::Relaxed))
    }

    #[test]
    fn characters_and_what_is_none_are_tallied_with_the_first_line_of_the_latter() {
        assert_eq!(tally(b"a\nb", 9), [0, 0, 0]);
        assert_eq!(tally("a\nä€😀\n".as_bytes(), 1), [3, 0, 0]);
        assert_eq!(tally(b"a\n\n\xE4,\n\xE4", 2), [0, 2, 3]);
        assert_eq!(tally(b"\xE2\x82", 1), [0, 1, 1]);
    }

    proptest! {
        #[test]
        fn the_tally_is_the_same_however_the_text_is_cut(
            bytes in prop::collection::vec(prop::sample::select(b"a\n\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xFF".to_vec()), 0..60),
            at_once in 1..9_usize,
        ) {
            prop_assert_eq!(tally(&bytes, at_once), tally(&bytes, 100));
        }
    }
}
