//! Physical lines of a file, counted, without its byte order mark.
//!
//! Does not split lines into fields. Invariant: a line ends with LF or with the file, and all bytes of the file are in
//! exactly one line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use crate::head::{BOM, Opened};

/// Read from the system at once, in bytes: 256 KiB, beyond which nothing gets faster.
const AT_ONCE: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct Lines {
    input: BufReader<Chain<Cursor<Vec<u8>>, File>>,
    count: u64,
    bytes: u64,
}

impl Lines {
    pub(crate) fn new(opened: Opened) -> Self {
        let start = if opened.head.starts_with(BOM) { BOM.len() } else { 0 };
        let mut head = Cursor::new(opened.head);
        head.set_position(start as u64);
        Self { input: BufReader::with_capacity(AT_ONCE, head.chain(opened.file)), count: 0, bytes: start as u64 }
    }

    /// Appends the next line with its end, or its first `limit` bytes; whether there was one.
    pub(crate) fn append_next(&mut self, to: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
        let read = self.input.by_ref().take(limit as u64).read_until(b'\n', to)?;
        self.bytes += read as u64;
        self.count += u64::from(read > 0);
        Ok(read > 0)
    }

    /// Lines given so far: the number of the last one.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Bytes of the file given so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
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
