//! The conversation: greeting, commands, messages.
//!
//! Decides nothing about a mail's meaning. Invariant: every wait has a limit, a connection that breaks the rules again
//! and again ends, and a transaction leaves nothing to the next one.

use std::io;

use smtp_proto::{Error as Syntax, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom, Request};
use tokio::time::{Instant, timeout, timeout_at};

use super::letter::Letter;
use super::wire::{Line, Wire};
use super::{Arrived, Call, Duplex, Ended, Keeper, NotKept, Protocol, SMALL};

/// Speaks with one client until one of us ends it; `stop` ends it between two commands.
pub async fn converse<K: Keeper>(
    stream: Box<dyn Duplex>,
    call: &Call<'_>,
    keeper: &K,
    stop: impl Future<Output = ()> + Send,
) -> Ended {
    let mut stop = std::pin::pin!(stop);
    let mut session = Session::new(Wire::new(stream), call);
    let greeting = match call.protocol {
        Protocol::Smtp => format!("220 {} ESMTP Forthright", call.house.name),
        Protocol::Lmtp => format!("220 {} LMTP Forthright", call.house.name),
    };
    session.wire.say(&greeting);
    loop {
        let line = tokio::select! {
            biased;
            () = &mut stop => Err(Ended::Stopping),
            line = timeout(call.limits.idle, session.wire.line()) => line.map_err(|_| Ended::Idle).and_then(heard),
        };
        let next = match line {
            Ok(line) => session.answer(&line),
            Err(ended) => Next::End(ended),
        };
        let ended = match next {
            Next::Command => None,
            Next::Letter => session.letter(keeper).await.err(),
            Next::Handshake => match session.encrypt().await {
                Ok(encrypted) => {
                    session = encrypted;
                    None
                }
                Err(ended) => return ended,
            },
            Next::End(ended) => Some(ended),
        };
        if let Some(ended) = ended {
            session.farewell(ended).await;
            return ended;
        }
    }
}

fn heard(line: io::Result<Line>) -> Result<Line, Ended> {
    line.map_err(|error| if error.kind() == io::ErrorKind::InvalidData { Ended::ShownOut } else { Ended::Gone })
}

/// What follows a command.
enum Next {
    Command,
    Letter,
    Handshake,
    End(Ended),
}

struct Session<'a> {
    call: &'a Call<'a>,
    wire: Wire,
    encrypted: bool,
    hello: Option<String>,
    from: Option<String>,
    to: Vec<String>,
    /// Recipients of this transaction that were refused.
    refused: usize,
    mistakes: usize,
}

impl<'a> Session<'a> {
    fn new(wire: Wire, call: &'a Call<'a>) -> Self {
        Self { call, wire, encrypted: false, hello: None, from: None, to: Vec::new(), refused: 0, mistakes: 0 }
    }

    fn answer(&mut self, line: &Line) -> Next {
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong => return self.mistake("500 5.5.6 this line is too long"),
            // A client that ends lines otherwise than we read them is cut off: who knows what else it reads otherwise.
            Line::Broken => {
                self.wire.say("500 5.5.2 lines end with CR LF");
                return Next::End(Ended::ShownOut);
            }
        };
        if is_http(line) {
            return Next::End(Ended::ShownOut);
        }
        match Request::parse(&mut line.iter()) {
            Ok(request) => self.obey(request, line),
            Err(Syntax::SyntaxError { syntax }) => self.mistake(&format!("501 5.5.4 the syntax is: {syntax}")),
            Err(Syntax::InvalidParameter { param }) => self.mistake(&format!("501 5.5.4 bad value for {param}")),
            Err(Syntax::UnsupportedParameter { param }) => {
                // It comes back as it was sent: without what could break a terminal or a log.
                let name: String = param.chars().filter(char::is_ascii_graphic).take(40).collect();
                self.mistake(&format!("555 5.5.4 no such parameter: {name}"))
            }
            Err(Syntax::InvalidSenderAddress) => self.mistake("501 5.1.7 this is no address"),
            Err(Syntax::InvalidRecipientAddress) => self.mistake("501 5.1.3 this is no address"),
            Err(_) => self.mistake("500 5.5.1 no such command"),
        }
    }

    fn obey(&mut self, request: Request<std::borrow::Cow<'_, str>>, line: &[u8]) -> Next {
        match request {
            Request::Ehlo { host } if self.call.protocol == Protocol::Smtp => self.extensions(&host),
            Request::Lhlo { host } if self.call.protocol == Protocol::Lmtp => self.extensions(&host),
            Request::Helo { host } if self.call.protocol == Protocol::Smtp => {
                self.reset();
                self.hello = Some(host.into_owned());
                self.say(&format!("250 {}", self.call.house.name))
            }
            Request::Mail { from } => self.sender(from),
            Request::Rcpt { to } => self.recipient(&to.address, line),
            Request::Data => self.data(),
            Request::Rset => {
                self.reset();
                self.say("250 2.0.0 forgotten")
            }
            Request::Noop { .. } => self.say("250 2.0.0 yes"),
            Request::Help { .. } => self.say("214 2.0.0 see RFC 5321"),
            Request::Vrfy { .. } => self.mistake("252 2.5.1 send mail and see"),
            Request::Quit => Next::End(Ended::Quit),
            Request::StartTls => self.start_tls(),
            Request::Ehlo { .. }
            | Request::Lhlo { .. }
            | Request::Helo { .. }
            | Request::Bdat { .. }
            | Request::Auth { .. }
            | Request::Expn { .. }
            | Request::Etrn { .. }
            | Request::Atrn { .. }
            | Request::Burl { .. } => self.mistake("502 5.5.1 this command is not offered"),
        }
    }

    fn say(&mut self, reply: &str) -> Next {
        self.wire.say(reply);
        Next::Command
    }

    fn mistake(&mut self, reply: &str) -> Next {
        self.mistakes += 1;
        self.wire.say(reply);
        if self.mistakes > self.call.limits.mistakes { Next::End(Ended::ShownOut) } else { Next::Command }
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
        self.refused = 0;
    }

    fn extensions(&mut self, host: &str) -> Next {
        self.reset();
        self.hello = Some(host.to_owned());
        let house = self.call.house;
        let size = format!("SIZE {}", self.call.limits.message);
        let mut lines = vec![house.name.as_str(), "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", &size];
        if house.tls.is_some() && !self.encrypted {
            lines.push("STARTTLS");
        }
        for (at, line) in lines.iter().enumerate() {
            let mark = if at + 1 == lines.len() { ' ' } else { '-' };
            self.wire.say(&format!("250{mark}{line}"));
        }
        Next::Command
    }

    fn sender(&mut self, from: MailFrom<std::borrow::Cow<'_, str>>) -> Next {
        if self.hello.is_none() {
            return self.mistake("503 5.5.1 say hello first");
        }
        if self.from.is_some() {
            return self.mistake("503 5.5.1 a transaction is open; RSET ends it");
        }
        if from.flags & !(MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8) != 0 {
            return self.mistake("555 5.5.4 a parameter that is not offered");
        }
        if from.size > self.call.limits.message {
            return self.mistake("552 5.3.4 the message is too large");
        }
        self.from = Some(from.address.into_owned());
        self.say("250 2.1.0 go on")
    }

    fn recipient(&mut self, address: &str, line: &[u8]) -> Next {
        if self.from.is_none() {
            return self.mistake("503 5.5.1 say who it is from first");
        }
        // The parser gives the same for `<postmaster>` and for `<>`.
        let address = match address {
            "" if line.to_ascii_lowercase().windows(12).any(|word| word == b"<postmaster>") => "postmaster",
            address => address,
        };
        if !self.call.house.addresses.take(address) {
            self.refused += 1;
            return self.mistake("550 5.1.1 no such mailbox here; replies go to the address in our letters");
        }
        if self.to.len() >= self.call.limits.recipients {
            self.refused += 1;
            return self.say("452 4.5.3 too many recipients; bring the others in a further message");
        }
        if !self.to.iter().any(|known| known == address) || self.call.protocol == Protocol::Lmtp {
            self.to.push(address.to_owned());
        }
        self.say("250 2.1.5 go on")
    }

    fn data(&mut self) -> Next {
        if self.from.is_none() {
            return self.mistake("503 5.5.1 say who it is from first");
        }
        if self.to.is_empty() {
            let reply =
                if self.refused > 0 { "554 5.5.1 no recipient is left" } else { "503 5.5.1 say whom it is for first" };
            return self.mistake(reply);
        }
        self.wire.say("354 end with a dot on a line of its own");
        Next::Letter
    }

    fn start_tls(&mut self) -> Next {
        if self.call.house.tls.is_none() || self.encrypted {
            return self.mistake("502 5.5.1 this command is not offered");
        }
        // Whatever was sent behind the command was sent in the clear, and would count as encrypted (CVE-2011-0411).
        if !self.wire.waiting().is_empty() {
            self.wire.say("501 5.5.1 nothing may follow STARTTLS");
            return Next::End(Ended::ShownOut);
        }
        self.wire.say("220 2.0.0 go on");
        Next::Handshake
    }

    /// The same session behind a handshake: nothing that was said before counts (RFC 3207 4.2).
    async fn encrypt(mut self) -> Result<Self, Ended> {
        let Some(tls) = &self.call.house.tls else { return Err(Ended::Gone) };
        let idle = self.call.limits.idle;
        timeout(idle, self.wire.flush()).await.map_err(|_| Ended::Idle)?.map_err(|_| Ended::Gone)?;
        let handshake = timeout(idle, tls.accept(self.wire.into_stream()));
        let stream = handshake.await.map_err(|_| Ended::Idle)?.ok_or(Ended::Gone)?;
        let mistakes = self.mistakes;
        Ok(Self { encrypted: true, mistakes, ..Self::new(Wire::new(stream), self.call) })
    }

    /// Reads one message, has it kept, and answers.
    async fn letter<K: Keeper>(&mut self, keeper: &K) -> Result<(), Ended> {
        let until = Instant::now() + self.call.limits.message_time;
        let read = timeout_at(until, self.read_letter()).await.map_err(|_| Ended::Idle)?;
        // The place among the large messages is held until this one is stored.
        let (letter, _place) = read?;
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        let replies = match self.call.protocol {
            Protocol::Smtp => 1,
            Protocol::Lmtp => to.len(),
        };
        self.reset();
        let reply = match letter.finish() {
            None => "552 5.3.4 the message is too large",
            Some(data) => {
                let hello = self.hello.clone().unwrap_or_default();
                let mail = Arrived { protocol: self.call.protocol, peer: self.call.peer, hello, from, to, data };
                match timeout(self.call.limits.keeping, keeper.keep(mail)).await.unwrap_or(Err(NotKept::Later)) {
                    Ok(()) => "250 2.0.0 kept",
                    Err(NotKept::Full) => "452 4.3.1 no room; come again later",
                    Err(NotKept::Later) => "451 4.3.0 not now; come again later",
                }
            }
        };
        for _ in 0..replies {
            self.wire.say(reply);
        }
        Ok(())
    }

    async fn read_letter(&mut self) -> Result<(Letter, Option<tokio::sync::SemaphorePermit<'a>>), Ended> {
        let call = self.call;
        let mut letter = Letter::new(call.limits.message);
        let mut place = None;
        loop {
            if let Some(end) = letter.take(self.wire.waiting()) {
                self.wire.advance(end);
                return Ok((letter, place));
            }
            self.wire.advance(usize::MAX);
            // Twice what is offered is no mistake any more.
            if letter.len() / 2 > call.limits.message {
                self.wire.say("552 5.3.4 the message is too large");
                return Err(Ended::ShownOut);
            }
            if letter.len() > SMALL && place.is_none() {
                place = call.house.large.acquire().await.ok();
            }
            let more = async {
                self.wire.flush().await?;
                self.wire.fill().await
            };
            timeout(call.limits.idle, more).await.map_err(|_| Ended::Idle)?.map_err(|_| Ended::Gone)?;
        }
    }

    async fn farewell(&mut self, ended: Ended) {
        match ended {
            Ended::Quit => self.wire.say("221 2.0.0 goodbye"),
            Ended::Gone => return,
            Ended::Idle => self.wire.say("421 4.4.2 too slow"),
            Ended::ShownOut => self.wire.say("421 4.7.0 too many mistakes"),
            Ended::Stopping => self.wire.say("421 4.3.2 closing; come again later"),
        }
        // A client that does not read its farewell does without it.
        let _ = timeout(self.call.limits.idle.min(std::time::Duration::from_secs(5)), self.wire.close()).await;
    }
}

/// Whether a browser was made to speak to us.
fn is_http(line: &[u8]) -> bool {
    [&b"GET "[..], b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"CONNECT "].iter().any(|verb| line.starts_with(verb))
}
