//! Compression: gzip and zstd, known by their first bytes, unpacked as a stream.
//!
//! Does not look at names of files and unpacks no archives. Invariant: memory is bounded whatever the file says, and a
//! stream that is cut short, damaged or a bomb ends in a [`Fault`], never in silence.

use std::fmt;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::lines::Stream;

/// Read from the file at once, in bytes.
const AT_ONCE: usize = 128 * 1024;
/// From how much unpacked text on the ratio is looked at, in bytes: 64 MiB, less than anybody minds.
const TRUSTED: u64 = 64 * 1024 * 1024;
/// The greatest believable ratio of unpacked to packed bytes. Manifests reach some 20; gzip cannot reach 1,033.
const GREATEST_RATIO: u64 = 1000;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952, one or more members.
    Gzip,
    /// RFC 8878, one or more frames.
    Zstd,
}

impl Compression {
    /// What the first bytes of a file say.
    pub(crate) fn detect(head: &[u8]) -> Self {
        match head {
            [0x1F, 0x8B, ..] => Self::Gzip,
            // A frame, or one of the sixteen kinds of frames to be skipped, which parallel packers put first.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// The text inside. `packed` is the count of bytes taken from the file.
    pub(crate) fn unpack(self, file: Stream, packed: &Arc<AtomicU64>) -> io::Result<Stream> {
        let inside: Stream = match self {
            Self::None => return Ok(file),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(AT_ONCE, file))),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(AT_ONCE, file))?),
        };
        Ok(Box::new(Guarded { compression: self, inside, packed: Arc::clone(packed), unpacked: 0, fault: None }))
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "not compressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// What is wrong with a packed stream. It travels inside an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("its {0} data end too early")]
    EndsTooEarly(Compression),
    #[error("its {0} data are damaged, or followed by something else")]
    Damaged(Compression),
    #[error("its zstd window is larger than 128 MiB")]
    Window,
    #[error("it unpacks to more than {0} times its size and looks like a decompression bomb")]
    Bomb(u64),
}

impl Fault {
    /// What to do.
    pub(crate) fn next(self) -> &'static str {
        match self {
            Self::EndsTooEarly(_) => "copy the file again, and compare its size with the original's",
            Self::Damaged(_) => "copy the file again, and test it with gzip -t or zstd -t",
            Self::Window => "compress it again without --long or --ultra",
            Self::Bomb(_) => "look at where it comes from; if it is right, unpack it first",
        }
    }
}

/// Whether this is a ratio that no honest file has.
pub(crate) fn bomb(unpacked: u64, packed: u64) -> Option<Fault> {
    (unpacked > TRUSTED && unpacked / packed.max(1) > GREATEST_RATIO).then_some(Fault::Bomb(GREATEST_RATIO))
}

struct Guarded {
    compression: Compression,
    inside: Stream,
    packed: Arc<AtomicU64>,
    unpacked: u64,
    /// Said again at every further read, for whoever looked ahead and kept it to himself.
    fault: Option<Fault>,
}

impl Read for Guarded {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = self.fault {
            return Err(io::Error::other(fault));
        }
        let fault = match self.inside.read(to) {
            Ok(read) => {
                self.unpacked += read as u64;
                match bomb(self.unpacked, self.packed.load(Ordering::Relaxed)) {
                    None => return Ok(read),
                    Some(fault) => fault,
                }
            }
            Err(error) => match self.fault_of(&error) {
                None => return Err(error),
                Some(fault) => fault,
            },
        };
        self.fault = Some(fault);
        Err(io::Error::other(fault))
    }
}

impl Guarded {
    /// `None` for what the system says about the file.
    fn fault_of(&self, error: &io::Error) -> Option<Fault> {
        if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
            return None;
        }
        Some(match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::EndsTooEarly(self.compression),
            // The library gives its errors as texts only.
            _ if error.to_string().contains("too much memory") => Fault::Window,
            _ => Fault::Damaged(self.compression),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_more_than_64_mib_and_more_than_a_thousand_times_its_size() {
        assert_eq!(bomb(TRUSTED, 1), None);
        assert_eq!(bomb(TRUSTED + 1, 0), Some(Fault::Bomb(1000)));
        assert_eq!(bomb(10_009_999_999, 10_000_000), None);
        assert_eq!(bomb(10_010_000_000, 10_000_000), Some(Fault::Bomb(1000)));
    }
}
