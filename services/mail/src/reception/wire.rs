//! Bytes of one connection: lines in, replies out.
//!
//! Invariant: at most [`LONGEST`] bytes of a line are held, and replies that belong together leave together.

use std::io;

use memchr::memchr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Duplex;

/// Bytes of one command with its line end: RFC 5321 4.5.3.1.4 and what extensions add.
const LONGEST: usize = 2_048;
/// Bytes that are read at a time.
const CHUNK: usize = 32 * 1024;
/// Bytes without a line end after which nobody expects one any more.
const NO_LINE: usize = 64 * 1024;

/// A command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// With its CR LF.
    Whole(Vec<u8>),
    /// Longer than anybody needs; it was read to its end.
    TooLong,
    /// It ends in a line feed alone, or holds a carriage return: a program that does not speak SMTP.
    Broken,
}

pub(super) struct Wire {
    stream: Box<dyn Duplex>,
    input: Vec<u8>,
    /// How many bytes of `input` were taken.
    at: usize,
    replies: Vec<u8>,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Duplex>) -> Self {
        Self { stream, input: Vec::new(), at: 0, replies: Vec::new() }
    }

    /// A reply, with the next ones until [`flush`](Self::flush).
    pub(super) fn say(&mut self, reply: &str) {
        self.replies.extend_from_slice(reply.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if !self.replies.is_empty() {
            self.stream.write_all(&self.replies).await?;
            self.stream.flush().await?;
            self.replies.clear();
        }
        Ok(())
    }

    /// What was read and not taken.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.input[self.at..]
    }

    /// Takes bytes of [`waiting`](Self::waiting).
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.input.len());
        if self.at == self.input.len() {
            self.input.clear();
            self.at = 0;
        }
    }

    /// Waits for more; the end of the stream is an error.
    pub(super) async fn fill(&mut self) -> io::Result<()> {
        if self.at > 0 {
            self.input.drain(..self.at);
            self.at = 0;
        }
        self.input.reserve(CHUNK);
        match (&mut self.stream).take(CHUNK as u64).read_buf(&mut self.input).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// The next line. Replies leave before there is a wait: a client that sends many commands at once gets their replies
    /// at once (RFC 2920).
    pub(super) async fn line(&mut self) -> io::Result<Line> {
        let mut dropped = 0;
        loop {
            if let Some(end) = memchr(b'\n', self.waiting()) {
                let line = self.waiting()[..=end].to_vec();
                self.advance(end + 1);
                return Ok(if dropped > 0 || line.len() > LONGEST { Line::TooLong } else { judged(line) });
            }
            if self.waiting().len() > LONGEST {
                dropped += self.waiting().len();
                self.advance(usize::MAX);
                if dropped > NO_LINE {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
            self.flush().await?;
            self.fill().await?;
        }
    }

    /// The stream, for a TLS handshake; what was read beyond the last command is gone with this.
    pub(super) fn into_stream(self) -> Box<dyn Duplex> {
        self.stream
    }

    /// Says the last words and closes; nothing depends on their arrival.
    pub(super) async fn close(&mut self) {
        let _ = self.flush().await;
        let _ = self.stream.shutdown().await;
    }
}

fn judged(line: Vec<u8>) -> Line {
    match line.strip_suffix(b"\r\n") {
        Some(words) if memchr(b'\r', words).is_none() => Line::Whole(line),
        _ => Line::Broken,
    }
}
