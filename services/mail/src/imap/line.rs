//! The stream under a conversation: encrypted or not, and bounded.
//!
//! Invariant: between two calls of [`Line::allow`] no more bytes are taken in than the last one said.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Account, ImapFault, ImapFaultKind, REPLY};
use crate::smtp::tls::{self, Certificate};

#[derive(Debug)]
enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection.
#[derive(Debug)]
pub(super) struct Line {
    wire: Wire,
    left: usize,
}

impl Line {
    pub(super) fn plain(tcp: TcpStream) -> Self {
        Self { wire: Wire::Plain(tcp), left: REPLY }
    }

    pub(super) async fn encrypted(tcp: TcpStream, account: &Account) -> Result<Self, ImapFault> {
        let certificate = match &account.pins[..] {
            [] => Certificate::Checked,
            pins => Certificate::Pinned(pins.to_vec()),
        };
        let shaken = tls::handshake(tcp, &account.host, &certificate).await;
        let (stream, _) = shaken.map_err(|error| ImapFault::new(ImapFaultKind::Tls, format!("TLS failed: {error}")))?;
        Ok(Self { wire: Wire::Tls(Box::new(stream)), left: REPLY })
    }

    /// How many bytes may come from now on.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.left = bytes;
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        if line.left == 0 {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the server sends more than was asked for",
            )));
        }
        let before = buf.filled().len();
        let read = match &mut line.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Wire::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        line.left = line.left.saturating_sub(buf.filled().len() - before);
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().wire {
            Wire::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Wire::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().wire {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().wire {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
