//! Physical lines of a file, counted, in a buffer where a record of several lines stays in one piece.
//!
//! Does not split lines into fields. Invariant: a line ends with LF or with the file, all bytes of the file are in
//! exactly one line, and no line is copied but the one that the buffer cuts.

use std::io::{self, Read};

/// Read from the system at once, in bytes: 256 KiB, beyond which nothing gets faster.
const AT_ONCE: usize = 256 * 1024;

/// Bytes of a file, in whatever layers.
pub(crate) type Stream = Box<dyn Read + Send + Sync>;

pub(crate) struct Lines {
    input: Stream,
    /// The record is `buffer[start..end]`; up to `filled` there is text that was not given yet.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    filled: usize,
    at_end: bool,
    count: u64,
}

/// What [`Lines::extend`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// The record has one more line.
    Some,
    /// The file is at its end.
    None,
    /// The record would be longer than the limit.
    TooLong,
}

impl Lines {
    pub(crate) fn new(input: Stream) -> Self {
        // Twice, so that a line that is cut leaves room for a whole read.
        let buffer = vec![0; 2 * AT_ONCE];
        Self { input, buffer, start: 0, end: 0, filled: 0, at_end: false, count: 0 }
    }

    /// The first bytes, as many as asked for where the file has them. Nothing counts as read by this. An error is
    /// given only where there is nothing before it; the stream says it again when the lines before it are given.
    pub(crate) fn peek(&mut self, bytes: usize) -> io::Result<&[u8]> {
        while self.filled - self.end < bytes && !self.at_end {
            if let Err(error) = self.fill() {
                if self.filled == self.end {
                    return Err(error);
                }
                break;
            }
        }
        let to = self.filled.min(self.end.saturating_add(bytes));
        Ok(&self.buffer[self.end..to])
    }

    /// Leaves out the first bytes of those that were looked at.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.end = self.filled.min(self.end + bytes);
        self.start = self.end;
    }

    /// What was not given yet, as a stream.
    pub(crate) fn into_input(mut self) -> Stream {
        self.buffer.truncate(self.filled);
        self.buffer.drain(..self.end);
        Box::new(io::Cursor::new(self.buffer).chain(self.input))
    }

    /// Begins a record with no line.
    pub(crate) fn begin(&mut self) {
        self.start = self.end;
    }

    /// Takes the next line into the record, which must not become longer than `limit` bytes.
    pub(crate) fn extend(&mut self, limit: usize) -> io::Result<Line> {
        let mut searched = self.end;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..self.filled]) {
                return Ok(self.take(searched + at + 1, limit));
            }
            if self.filled - self.start > limit {
                return Ok(Line::TooLong);
            }
            if self.at_end {
                return Ok(if self.filled == self.end { Line::None } else { self.take(self.filled, limit) });
            }
            // `fill` moves the record to the front of the buffer.
            searched = self.filled - self.start;
            self.fill()?;
        }
    }

    /// The record with its line ends.
    pub(crate) fn record(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Lines given so far: the number of the last one.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    fn take(&mut self, end: usize, limit: usize) -> Line {
        if end - self.start > limit {
            return Line::TooLong;
        }
        self.end = end;
        self.count += 1;
        Line::Some
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.end -= self.start;
            self.filled -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.filled < AT_ONCE {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(read) => {
                    self.filled += read;
                    self.at_end = read == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("count", &self.count).finish_non_exhaustive()
    }
}

/// The line without LF or CR LF.
pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether there is nothing but white space.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    // Most lines begin with a visible ASCII character, so most answers cost one comparison.
    !line.first().is_some_and(u8::is_ascii_graphic)
        && std::str::from_utf8(line).is_ok_and(|text| text.trim().is_empty())
}
