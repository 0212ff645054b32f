//! Bytes to and from one server, each step within its deadline.
//!
//! Does not know the order of phases. Invariant: a future of this file that was dropped half-way leaves the stream in
//! an unknown place; [`Connection`](super::Connection) never uses it again then.

use std::{future::poll_fn, io, pin::Pin, task::Poll};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    task::unconstrained,
    time::timeout,
};
use tokio_rustls::client::TlsStream;

use super::{
    Deadlines, Fault, FaultKind, Phase,
    tls::{self, Certificate},
};
use crate::reply::{Reply, ReplyReader};

/// Bytes of a message that share one deadline.
const CHUNK: usize = 64 * 1024;

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A stream, what was read ahead from it, and its deadlines.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    replies: ReplyReader,
    deadlines: Deadlines,
}

/// An answer that leaves the conversation in step.
#[derive(Debug)]
pub(super) enum Answer {
    /// One of the codes that go on.
    Granted(u16),
    /// 4xx or 5xx.
    Refused(Fault),
}

impl Answer {
    /// Where a refusal ends the conversation too.
    pub(super) fn granted(self) -> Result<u16, Fault> {
        match self {
            Self::Granted(code) => Ok(code),
            Self::Refused(fault) => Err(fault),
        }
    }
}

impl Wire {
    pub(super) fn plain(tcp: TcpStream, deadlines: Deadlines) -> Self {
        Self { stream: Stream::Plain(tcp), replies: ReplyReader::default(), deadlines }
    }

    /// The same stream under TLS, and how it is encrypted. Bytes that came in plain text ahead of the handshake are a
    /// fault: somebody on the way could have put them there (the STARTTLS injection).
    pub(super) async fn encrypted(self, host: &str, certificate: &Certificate) -> Result<(Self, String), Fault> {
        let fault = |kind, detail| Fault::new(Phase::StartTls, kind, detail);
        let Stream::Plain(tcp) = self.stream else {
            return Err(fault(FaultKind::Tls, "the connection is encrypted already".to_owned()));
        };
        if !self.replies.is_empty() {
            return Err(fault(FaultKind::Protocol, "plain text came between STARTTLS and the handshake".to_owned()));
        }
        let limit = self.deadlines.starttls;
        let (stream, description) = timeout(limit, tls::handshake(tcp, host, certificate))
            .await
            .map_err(|_| Fault::timed_out(Phase::StartTls, limit))?
            .map_err(|error| {
                let next = "check the server's certificate and that the mail route has the name in it";
                fault(FaultKind::Tls, format!("the handshake with {host} failed ({error}); {next}"))
            })?;
        let stream = Stream::Tls(Box::new(stream));
        Ok((Self { stream, replies: ReplyReader::default(), deadlines: self.deadlines }, description))
    }

    /// Writes commands in one go.
    pub(super) async fn write(&mut self, phase: Phase, bytes: &[u8]) -> Result<(), Fault> {
        let limit = self.deadlines.of(phase);
        match timeout(limit, self.stream.write(bytes, &mut false)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault::lost(phase, &error)),
            Err(_) => Err(Fault::timed_out(phase, limit)),
        }
    }

    /// Writes a stuffed message with its final dot. `past_dot` of a fault is exact on a plain stream, where the
    /// system says how many bytes it took; under TLS it is true as soon as the last write has begun.
    pub(super) async fn write_message(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut rest = bytes;
        while rest.len() > CHUNK {
            // The last chunk is never so short that it could hold a part of the dot alone.
            let (chunk, after) = rest.split_at(CHUNK.min(rest.len() - CHUNK / 2));
            self.write(Phase::Body, chunk).await?;
            rest = after;
        }
        let limit = self.deadlines.body;
        let mut left = matches!(self.stream, Stream::Tls(_));
        let fault = match timeout(limit, self.stream.write(rest, &mut left)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Fault::lost(Phase::Body, &error),
            Err(_) => Fault::timed_out(Phase::Body, limit),
        };
        Err(if left { Fault { phase: Phase::Dot, ..fault.after_dot() } } else { fault })
    }

    /// The code of the next reply, whatever it is.
    pub(super) async fn reply(&mut self, phase: Phase) -> Result<u16, Fault> {
        if let Some(code) = self.replies.next().map_err(|error| Fault::malformed(phase, &error))? {
            return Ok(code);
        }
        let limit = self.deadlines.of(phase);
        timeout(limit, self.receive(phase)).await.unwrap_or_else(|_| Err(Fault::timed_out(phase, limit)))
    }

    /// The next reply, judged: a code that goes on, or a refusal; anything else, and 421, ends the conversation.
    pub(super) async fn answer(&mut self, phase: Phase, goes_on: impl Fn(u16) -> bool) -> Result<Answer, Fault> {
        let code = self.reply(phase).await?;
        match code {
            code if goes_on(code) => Ok(Answer::Granted(code)),
            421 => Err(Fault::refused(phase, self.last_reply(code))),
            400.. => Ok(Answer::Refused(Fault::refused(phase, self.last_reply(code)))),
            _ => Err(Fault::unexpected(phase, self.last_reply(code))),
        }
    }

    /// The reply that was read last, in full.
    pub(super) fn last_reply(&self, code: u16) -> Reply {
        self.replies.reply(code)
    }

    /// The lines of the reply that was read last.
    pub(super) fn last_lines(&self) -> impl Iterator<Item = &str> {
        self.replies.lines()
    }

    /// Looks, without waiting, whether the server spoke or left while nothing was asked of it: what it said would be
    /// taken for the answer to the next command. None of the faults concerns the next message.
    pub(super) async fn nothing_unasked(&mut self, phase: Phase) -> Result<(), Fault> {
        if self.replies.is_empty() {
            match self.stream.read_if_ready(self.replies.space()).await {
                Err(error) => return Err(Fault::lost(phase, &error).of_route()),
                Ok(Some(0)) => return Err(Fault::lost(phase, &closed()).of_route()),
                Ok(None) => return Ok(()),
                Ok(Some(_)) => {}
            }
        }
        Err(match self.replies.next() {
            Ok(Some(421)) => Fault::refused(phase, self.last_reply(421)),
            Ok(Some(code)) => Fault::unexpected(phase, self.last_reply(code)).of_route(),
            Ok(None) => Fault::new(phase, FaultKind::Protocol, "the server spoke unasked").of_route(),
            Err(error) => Fault::malformed(phase, &error).of_route(),
        })
    }

    async fn receive(&mut self, phase: Phase) -> Result<u16, Fault> {
        loop {
            match self.stream.read(self.replies.space()).await {
                Ok(0) => return Err(Fault::lost(phase, &closed())),
                Ok(_) => {}
                Err(error) => return Err(Fault::lost(phase, &error)),
            }
            if let Some(code) = self.replies.next().map_err(|error| Fault::malformed(phase, &error))? {
                return Ok(code);
            }
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")
}

impl Stream {
    /// Writes everything; `left` becomes true as soon as the first byte may be on its way.
    async fn write(&mut self, mut bytes: &[u8], left: &mut bool) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = match self {
                Self::Plain(stream) => stream.write(bytes).await?,
                Self::Tls(stream) => stream.write(bytes).await?,
            };
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            *left = true;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush().await,
        }
    }

    async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read_buf(into).await,
            Self::Tls(stream) => stream.read_buf(into).await,
        }
    }

    /// What is there already: `None` = nothing, `Some(0)` = the end of the stream.
    async fn read_if_ready(&mut self, into: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let mut bytes = [0; 1024];
        let mut buffer = ReadBuf::new(&mut bytes);
        let ready = unconstrained(poll_fn(|context| {
            let polled = match self {
                Self::Plain(stream) => Pin::new(stream).poll_read(context, &mut buffer),
                Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, &mut buffer),
            };
            Poll::Ready(match polled {
                Poll::Ready(result) => result.map(|()| true),
                Poll::Pending => Ok(false),
            })
        }))
        .await?;
        into.extend_from_slice(buffer.filled());
        Ok(ready.then_some(buffer.filled().len()))
    }
}
