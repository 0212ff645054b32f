//! Encodings: UTF-8, UTF-16 and Windows-1252, found out from the first bytes, read as UTF-8.
//!
//! Does not touch UTF-8 text, which is the usual one. Invariant: a line break of the file is one of the UTF-8 text, so
//! that line numbers are the ones an editor shows.

use std::fmt;
use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::head::BOM;
use crate::late::may_go_on;
use crate::lines::Stream;

/// Taken from the file at once, in bytes.
const AT_ONCE: usize = 64 * 1024;

/// How the characters of a text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Found out from the first 64 KiB, and where they are ASCII from the first characters beyond it.
    #[default]
    Auto,
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252, of which ISO 8859-1 is a part.
    Latin1,
}

impl Encoding {
    /// The names of the command line.
    pub const NAMES: [&'static str; 5] = ["auto", "utf-8", "utf-16le", "utf-16be", "latin1"];

    /// The encoding of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "utf-8" => Some(Self::Utf8),
            "utf-16le" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            "latin1" => Some(Self::Latin1),
            _ => None,
        }
    }

    /// What `Auto` means for a text that begins so; another encoding is taken as given.
    pub(crate) fn settle(self, head: &[u8]) -> Self {
        if self != Self::Auto {
            self
        } else if head.starts_with(BOM) {
            Self::Utf8
        } else if head.starts_with(b"\xFF\xFE") {
            Self::Utf16Le
        } else if head.starts_with(b"\xFE\xFF") {
            Self::Utf16Be
        } else if let Some(found) = alternating(head) {
            found
        } else if looks_like_latin(head) {
            Self::Latin1
        } else {
            Self::Utf8
        }
    }

    /// What a text is that begins in ASCII and goes on so, from the line with its first byte beyond ASCII.
    pub(crate) fn of_later(text: &[u8]) -> Self {
        if looks_like_latin(text) { Self::Latin1 } else { Self::Utf8 }
    }

    /// The text as UTF-8, without the byte order mark of UTF-16. What is no character becomes U+FFFD.
    pub(crate) fn transcode(self, text: Stream) -> Stream {
        let decoder = match self {
            Self::Auto | Self::Utf8 => return text,
            Self::Utf16Le => UTF_16LE.new_decoder_with_bom_removal(),
            Self::Utf16Be => UTF_16BE.new_decoder_with_bom_removal(),
            Self::Latin1 => WINDOWS_1252.new_decoder_without_bom_handling(),
        };
        let buffer = vec![0; AT_ONCE];
        Box::new(Transcoder { decoder, text, buffer, from: 0, filled: 0, at_end: false, is_done: false })
    }

    /// Whether a U+FFFD stands for something that was no character.
    pub(crate) fn replaces(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "to be found out",
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Latin1 => "Windows-1252 (Latin-1)",
        })
    }
}

/// UTF-16 without a mark: of its first 128 characters, the header of a table or the braces of an object, most have one
/// byte that is zero, always on the same side.
fn alternating(head: &[u8]) -> Option<Encoding> {
    let pairs = head.as_chunks::<2>().0;
    let pairs = &pairs[..pairs.len().min(128)];
    let zeros = |side: usize| pairs.iter().filter(|pair| pair[side] == 0).count();
    let (high_first, low_first) = (zeros(0), zeros(1));
    let most = pairs.len() * 7 / 10;
    match (high_first, low_first) {
        (0, many) if pairs.len() >= 2 && many > most => Some(Encoding::Utf16Le),
        (many, 0) if pairs.len() >= 2 && many > most => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// Whether a text is none in UTF-8 and one in Windows-1252. A UTF-8 text with a damaged place has more characters of
/// several bytes that are right; a binary file has control characters or bytes that Windows-1252 does not define.
fn looks_like_latin(head: &[u8]) -> bool {
    let (mut wrong, mut right) = (0_usize, 0_usize);
    for chunk in head.utf8_chunks() {
        right += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        wrong += usize::from(!chunk.invalid().is_empty());
    }
    // The head may end in the middle of a character.
    if head.len() >= crate::head::LOOKED_AT && ends_in_a_character(head) {
        wrong = wrong.saturating_sub(1);
    }
    let is_strange = |byte: &u8| match byte {
        b'\t' | b'\n' | b'\r' | 0x0C => false,
        0..0x20 | 0x7F | 0x81 | 0x8D | 0x8F | 0x90 | 0x9D => true,
        _ => false,
    };
    wrong > right && !head.iter().any(is_strange)
}

fn ends_in_a_character(head: &[u8]) -> bool {
    head.utf8_chunks().last().is_some_and(|chunk| may_go_on(chunk.invalid()))
}

struct Transcoder {
    decoder: Decoder,
    text: Stream,
    buffer: Vec<u8>,
    /// `buffer[from..filled]` is still to be decoded.
    from: usize,
    filled: usize,
    at_end: bool,
    is_done: bool,
}

impl Read for Transcoder {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while !self.is_done {
            if self.from == self.filled && !self.at_end {
                self.filled = self.text.read(&mut self.buffer)?;
                self.from = 0;
                self.at_end = self.filled == 0;
            }
            let source = &self.buffer[self.from..self.filled];
            let (result, read, written, _) = self.decoder.decode_to_utf8(source, to, self.at_end);
            self.from += read;
            self.is_done = self.at_end && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
            if result == CoderResult::OutputFull {
                return Err(io::Error::other("the buffer is smaller than a character"));
            }
        }
        Ok(0)
    }
}
