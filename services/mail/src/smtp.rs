//! One SMTP connection and its phases: open, envelope, message, quit.
//!
//! lettre builds the MIME and the SASL answers; the phases are written here, on our own stream, because its connection
//! cannot keep the promise of the sender: it writes message and final dot in two goes without telling which of them
//! failed, has one time-out (for connecting), no RSET, no pipelining, keeps plain text that was read ahead of the TLS
//! handshake, and takes any 2xx or 3xx for success, so that a conversation out of step reports a refused message as
//! accepted.
//!
//! Does not retry, does not choose recipients, knows no database: one recipient a transaction, one fault a step.
//!
//! Architecture invariants: only code 250 as the reply to the final dot is acceptance; a connection whose place in
//! the conversation is not known (a fault, a dropped future) is never used again.

mod deadlines;
mod fault;
mod open;
mod reports;
mod stuffing;
#[cfg(test)]
mod tests;
pub(crate) mod tls;
mod wire;

use std::{io::Write, mem};

pub use deadlines::Deadlines;
pub use fault::{Fault, FaultKind, Phase};
use open::Offers;
pub use reports::Reports;
use wire::{Answer, Wire};

use crate::{message::parse_address, reply::Reply};

/// An open connection. Dropping it closes it, at any moment.
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    offers: Offers,
    tls: Option<String>,
    state: State,
    messages: u64,
    /// Bytes on their way out, kept from message to message.
    out: Vec<u8>,
}

/// The place in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// MAIL may follow.
    Ready,
    /// RSET has to go before the next MAIL.
    ResetDue,
    /// 354 was given.
    Data {
        /// Whether the envelope announced more than ASCII.
        eight_bit: bool,
    },
    /// Unknown: a step is under way, was dropped, or failed.
    Broken,
}

/// What the envelope has to announce about the message.
#[derive(Debug, Clone, Copy)]
struct Content {
    size: Option<usize>,
    eight_bit: bool,
}

impl Connection {
    fn new(wire: Wire, offers: Offers, tls: Option<String>) -> Self {
        Self { wire, offers, tls, state: State::Ready, messages: 0, out: Vec::new() }
    }

    /// MAIL, RCPT and DATA up to 354, in one write where the server offers PIPELINING. `from` may be empty (the null
    /// sender). For messages in ASCII, as [`compose`](crate::message::compose) makes them.
    ///
    /// After `Ok` the only ways on are [`message`](Self::message) and dropping the connection. After a refusal the
    /// next envelope may follow.
    pub async fn envelope(&mut self, from: &str, to: &str) -> Result<(), Fault> {
        self.start(from, to, Content { size: None, eight_bit: false }, None).await
    }

    /// As [`envelope`](Self::envelope), announcing the size and the 8-bit characters of `message`, and asking for
    /// reports, where the server wants to know of them.
    pub async fn envelope_for(
        &mut self,
        from: &str,
        to: &str,
        message: &[u8],
        reports: Option<Reports<'_>>,
    ) -> Result<(), Fault> {
        let content = Content { size: Some(message.len()), eight_bit: !message.is_ascii() };
        self.start(from, to, content, reports).await
    }

    /// The message, dots doubled, with its final dot, in as few writes as possible; then the reply. `Ok` is code 250.
    pub async fn message(&mut self, message: &[u8]) -> Result<Reply, Fault> {
        let State::Data { eight_bit } = mem::replace(&mut self.state, State::Broken) else {
            return Err(out_of_order(Phase::Body));
        };
        if !eight_bit && !message.is_ascii() {
            let detail = "the message has 8-bit characters that its envelope did not announce";
            return Err(Fault::new(Phase::Body, FaultKind::Unsendable, detail));
        }
        self.wire.nothing_unasked(Phase::Body).await?;
        stuffing::stuff(message, &mut self.out);
        self.wire.write_message(&self.out).await?;
        let answer = self.wire.answer(Phase::Dot, |code| code == 250).await.map_err(Fault::after_dot)?;
        self.messages += 1;
        match answer {
            Answer::Granted(code) => {
                self.state = State::Ready;
                Ok(self.wire.last_reply(code))
            }
            Answer::Refused(fault) => {
                self.state = State::ResetDue;
                Err(fault)
            }
        }
    }

    /// Says good-bye and closes. Nothing depends on the server's answer. Inside a transaction it only closes: QUIT
    /// would be a line of the message.
    pub async fn quit(mut self) {
        if matches!(self.state, State::Ready | State::ResetDue)
            && self.wire.write(Phase::Quit, b"QUIT\r\n").await.is_ok()
        {
            let _ = self.wire.reply(Phase::Quit).await;
        }
    }

    /// Whether the conversation is in step; if not, drop the connection.
    pub fn is_usable(&self) -> bool {
        self.state != State::Broken
    }

    /// How the stream is encrypted: version, cipher suite, whether the certificate was checked.
    pub fn tls(&self) -> Option<&str> {
        self.tls.as_deref()
    }

    /// Messages that were answered after their final dot, accepted or refused; for recycling.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    async fn start(
        &mut self,
        from: &str,
        to: &str,
        content: Content,
        reports: Option<Reports<'_>>,
    ) -> Result<(), Fault> {
        let before = mem::replace(&mut self.state, State::Broken);
        let reset = match before {
            State::Ready => false,
            State::ResetDue => true,
            State::Data { .. } | State::Broken => return Err(out_of_order(Phase::Mail)),
        };
        let reports = reports.filter(|_| self.offers.dsn);
        let commands = match Commands::write(&mut self.out, reset, from, to, content, reports, &self.offers) {
            Ok(commands) => commands,
            Err(fault) => {
                self.state = before;
                return Err(fault);
            }
        };
        self.wire.nothing_unasked(Phase::Mail).await?;
        let refusal = if self.offers.pipelining {
            self.pipelined(reset).await?
        } else {
            self.one_by_one(reset, &commands).await?
        };
        match refusal {
            None => {
                self.state = State::Data { eight_bit: commands.eight_bit };
                Ok(())
            }
            Some(Refusal { fault, in_step }) => {
                if in_step {
                    self.state = State::ResetDue;
                }
                Err(fault)
            }
        }
    }

    /// All commands in one write; then every reply is read, also those behind a refusal.
    async fn pipelined(&mut self, reset: bool) -> Result<Option<Refusal>, Fault> {
        self.wire.write(Phase::Mail, &self.out).await?;
        if reset {
            self.reset_done().await?;
        }
        let mut refused: Option<Fault> = None;
        for (phase, goes_on) in STEPS {
            match self.wire.answer(phase, goes_on).await {
                Ok(Answer::Granted(_)) if phase == Phase::Data && refused.is_some() => {
                    // RFC 2920 3.1: DATA was granted although nobody receives. A lone dot ends it, and whatever the
                    // server says to that is no acceptance.
                    let in_step = self.empty_message().await.is_ok();
                    return Ok(refused.map(|fault| Refusal { fault, in_step }));
                }
                Ok(Answer::Granted(_)) => {}
                Ok(Answer::Refused(fault)) => refused = refused.or(Some(fault)),
                // The refusal before it is definite, and says more about the message.
                Err(fault) => {
                    return refused.map(|fault| Some(Refusal { fault, in_step: false })).ok_or(fault);
                }
            }
        }
        Ok(refused.map(|fault| Refusal { fault, in_step: true }))
    }

    async fn one_by_one(&mut self, reset: bool, commands: &Commands) -> Result<Option<Refusal>, Fault> {
        if reset {
            self.wire.write(Phase::Reset, RSET).await?;
            self.reset_done().await?;
        }
        for ((phase, goes_on), range) in STEPS.into_iter().zip(commands.steps.clone()) {
            self.wire.write(phase, self.out.get(range).unwrap_or_default()).await?;
            if let Answer::Refused(fault) = self.wire.answer(phase, goes_on).await? {
                return Ok(Some(Refusal { fault, in_step: true }));
            }
        }
        Ok(None)
    }

    /// A refused RSET says nothing about the next message: the connection is what is wrong.
    async fn reset_done(&mut self) -> Result<(), Fault> {
        match self.wire.reply(Phase::Reset).await? {
            250 => Ok(()),
            code => Err(Fault::unexpected(Phase::Reset, self.wire.last_reply(code)).of_route()),
        }
    }

    async fn empty_message(&mut self) -> Result<(), Fault> {
        self.wire.write(Phase::Data, b".\r\n").await?;
        self.wire.answer(Phase::Dot, |code| code < 300).await.map(drop)
    }
}

/// A refused step, and whether the conversation is still in step behind it.
struct Refusal {
    fault: Fault,
    in_step: bool,
}

type Step = (Phase, fn(u16) -> bool);

/// The steps of an envelope and the codes that go on.
const STEPS: [Step; 3] = [
    (Phase::Mail, |code| code == 250),
    (Phase::Rcpt, |code| matches!(code, 250 | 251)),
    (Phase::Data, |code| code == 354),
];

const RSET: &[u8] = b"RSET\r\n";

/// Where the commands of one envelope stand in the buffer, and what they announce.
struct Commands {
    steps: [std::ops::Range<usize>; 3],
    eight_bit: bool,
}

impl Commands {
    fn write(
        out: &mut Vec<u8>,
        reset: bool,
        from: &str,
        to: &str,
        content: Content,
        reports: Option<Reports<'_>>,
        offers: &Offers,
    ) -> Result<Self, Fault> {
        let sender = if from.is_empty() { None } else { Some(address(Phase::Mail, "sender", from)?) };
        let sender = sender.as_ref().map_or("", |sender| sender.as_ref());
        let recipient = address(Phase::Rcpt, "recipient", to)?;
        let recipient: &str = recipient.as_ref();
        let parameters = Parameters::of(sender.is_ascii() && recipient.is_ascii(), content, offers)?;

        out.clear();
        if reset {
            out.extend_from_slice(RSET);
        }
        let mail = out.len();
        // Writing to memory does not fail.
        let _ = write!(out, "MAIL FROM:<{sender}>");
        if let Some(size) = parameters.size {
            let _ = write!(out, " SIZE={size}");
        }
        if content.eight_bit {
            out.extend_from_slice(b" BODY=8BITMIME");
        }
        if parameters.smtputf8 {
            out.extend_from_slice(b" SMTPUTF8");
        }
        if let Some(reports) = &reports {
            reports.write_sender(out);
        }
        out.extend_from_slice(b"\r\n");
        let rcpt = out.len();
        let _ = write!(out, "RCPT TO:<{recipient}>");
        if let Some(reports) = &reports {
            reports.write_recipient(out, recipient);
        }
        out.extend_from_slice(b"\r\n");
        let data = out.len();
        out.extend_from_slice(b"DATA\r\n");
        let steps = [mail..rcpt, rcpt..data, data..out.len()];
        Ok(Self { steps, eight_bit: content.eight_bit || parameters.smtputf8 })
    }
}

/// Parameters of MAIL that are offered and needed.
struct Parameters {
    size: Option<usize>,
    smtputf8: bool,
}

impl Parameters {
    fn of(ascii_addresses: bool, content: Content, offers: &Offers) -> Result<Self, Fault> {
        let refuse = |detail: String| Err(Fault::new(Phase::Mail, FaultKind::Unsendable, detail));
        if !ascii_addresses && !offers.smtputf8 {
            return refuse("an address has characters that this server does not take (no SMTPUTF8)".to_owned());
        }
        if content.eight_bit && !offers.eight_bit {
            return refuse("the message has 8-bit characters that this server does not take (no 8BITMIME)".to_owned());
        }
        let limit = offers.size.filter(|limit| *limit > 0);
        match (content.size, limit) {
            (Some(size), Some(limit)) if size as u64 > limit => {
                refuse(format!("the message has {size} bytes, the server takes {limit}"))
            }
            (size, _) => Ok(Self { size: size.filter(|_| offers.size.is_some()), smtputf8: !ascii_addresses }),
        }
    }
}

fn address(phase: Phase, who: &str, text: &str) -> Result<lettre::Address, Fault> {
    parse_address(text).map_err(|error| {
        Fault::new(phase, FaultKind::Unsendable, format!("the {who} is not a mail address ({error}); correct it"))
    })
}

fn out_of_order(phase: Phase) -> Fault {
    let detail = "this connection cannot be used here; drop it and open another";
    Fault::new(phase, FaultKind::Protocol, detail).of_route()
}
