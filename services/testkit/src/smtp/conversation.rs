//! One connection, from the greeting to the end.
//!
//! It understands what senders use (RFC 5321 without its rarer verbs) and does not judge what it is told beyond the
//! order of commands. Replies leave in one write once the client's pipelined commands are read.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use super::script::{Behaviour, Phase};
use super::{Message, Shared};

/// No line of a mail is longer than this; a client that sends one is cut off.
const LONGEST_LINE: usize = 1_000_000;

/// Bytes of a reply that is meant to be too long, and of which lines it consists.
const FLOOD: usize = 1 << 20;
const FLOOD_LINE: &[u8] = b"250-and there is more to say about this, and more, and more\r\n";

struct Conversation<'a> {
    shared: &'a Shared,
    number: u64,
    input: BufReader<TcpStream>,
    output: BufWriter<TcpStream>,
    envelope: Option<Envelope>,
}

#[derive(Default)]
struct Envelope {
    from: String,
    recipients: Vec<(String, Behaviour)>,
}

/// Whether the behaviour of this point has said the reply already.
enum Said {
    Nothing,
    Reply,
}

/// Speaks until the client leaves or a script cuts the connection.
pub(super) fn hold(shared: &Shared, stream: TcpStream, number: u64) -> Result<()> {
    stream.set_nodelay(true)?;
    let output = BufWriter::new(stream.try_clone()?);
    let mut conversation = Conversation { shared, number, input: BufReader::new(stream), output, envelope: None };
    conversation.reply("220 recorder.example ESMTP")?;
    while let Some(line) = conversation.line()? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => conversation.greet()?,
            "HELO" => conversation.reply("250 recorder.example")?,
            "MAIL" => conversation.mail(&line)?,
            "RCPT" => conversation.rcpt(&line)?,
            "DATA" => conversation.data()?,
            "RSET" => {
                conversation.envelope = None;
                conversation.reply("250 2.0.0 forgotten")?;
            }
            "NOOP" => conversation.reply("250 2.0.0 here")?,
            "VRFY" => conversation.reply("252 2.1.5 perhaps")?,
            "QUIT" => {
                conversation.reply("221 2.0.0 bye")?;
                return Ok(conversation.output.flush()?);
            }
            _ => conversation.reply("500 5.5.2 command not known")?,
        }
    }
    Ok(())
}

impl Conversation<'_> {
    fn greet(&mut self) -> Result<()> {
        self.envelope = None;
        let mut lines = vec!["recorder.example"];
        lines.extend(&self.shared.options.extensions);
        let last = lines.len() - 1;
        let text: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(n, line)| format!("250{}{line}", if n == last { ' ' } else { '-' }))
            .collect();
        self.reply(&text.join("\r\n"))
    }

    fn mail(&mut self, line: &str) -> Result<()> {
        if self.envelope.is_some() {
            return self.reply("503 5.5.1 one sender at a time");
        }
        let Some(from) = address(line) else { return self.reply("501 5.5.4 no address") };
        self.envelope = Some(Envelope { from, recipients: Vec::new() });
        self.reply("250 2.1.0 sender ok")
    }

    fn rcpt(&mut self, line: &str) -> Result<()> {
        if self.envelope.is_none() {
            return self.reply("503 5.5.1 a sender first");
        }
        let Some(to) = address(line) else { return self.reply("501 5.5.4 no address") };
        let behaviour = self.shared.next_behaviour(&to);
        if let Said::Reply = self.behave(&behaviour, Phase::Rcpt)? {
            return Ok(());
        }
        if let Some(envelope) = &mut self.envelope {
            envelope.recipients.push((to, behaviour));
        }
        self.reply("250 2.1.5 recipient ok")
    }

    fn data(&mut self) -> Result<()> {
        let envelope = match self.envelope.take() {
            Some(envelope) if !envelope.recipients.is_empty() => envelope,
            nobody => {
                self.envelope = nobody;
                return self.reply("503 5.5.1 nobody to send to");
            }
        };
        let marked = envelope.recipients.iter().map(|(_, behaviour)| behaviour).find(|one| one.phase().is_some());
        let behaviour = marked.cloned().unwrap_or_default();
        if let Said::Reply = self.behave(&behaviour, Phase::Data)? {
            return Ok(());
        }
        self.reply("354 go ahead")?;
        let data = self.body(&behaviour)?;
        if let Said::Reply = self.behave(&behaviour, Phase::Dot)? {
            return Ok(());
        }
        let recipients = envelope.recipients.into_iter().map(|(to, _)| to).collect();
        let message = Message { at: now(), connection: self.number, from: envelope.from, recipients, data };
        self.shared.keep(message)?;
        if let Said::Reply = self.behave(&behaviour, Phase::AfterDot)? {
            return Ok(());
        }
        self.reply("250 2.0.0 kept")
    }

    fn body(&mut self, behaviour: &Behaviour) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        let mut lines = 0;
        loop {
            let Some(mut line) = self.line()? else { bail!("the client left within a message") };
            lines += 1;
            if lines == 1 {
                self.behave(behaviour, Phase::BeforeDot)?;
            }
            if line == b".\r\n" {
                return Ok(data);
            }
            if line.first() == Some(&b'.') {
                line.remove(0);
            }
            data.extend(line);
        }
    }

    /// Does what the script wants at this point. An error is a cut connection.
    fn behave(&mut self, behaviour: &Behaviour, phase: Phase) -> Result<Said> {
        if behaviour.phase() != Some(phase) {
            return Ok(Said::Nothing);
        }
        match behaviour {
            Behaviour::Accept => return Ok(Said::Nothing),
            Behaviour::Transient(_) => self.reply("451 4.3.0 try again later")?,
            Behaviour::Permanent(_) => self.reply("550 5.1.1 no such person here")?,
            Behaviour::Reply(_, reply) => self.reply(reply)?,
            Behaviour::Garbage(_) => self.reply("@@\u{1}\u{fffd} no reply at all")?,
            Behaviour::Flood(_) => {
                for _ in 0..FLOOD / FLOOD_LINE.len() {
                    // The client hangs up when it has heard enough.
                    self.output.write_all(FLOOD_LINE)?;
                }
                self.output.flush()?;
                bail!("cut by the script");
            }
            Behaviour::DropAt(_) => {
                self.output.flush()?;
                bail!("cut by the script");
            }
            Behaviour::Stall(_, duration) => {
                self.output.flush()?;
                thread::sleep(*duration);
                return Ok(Said::Nothing);
            }
        }
        Ok(Said::Reply)
    }

    fn reply(&mut self, text: &str) -> Result<()> {
        if !self.shared.options.delay.is_zero() {
            self.output.flush()?;
            thread::sleep(self.shared.options.delay);
        }
        write!(self.output, "{text}\r\n")?;
        Ok(())
    }

    /// The next line with its end; nothing once the client has gone.
    fn line(&mut self) -> Result<Option<Vec<u8>>> {
        if self.input.buffer().is_empty() {
            self.output.flush()?;
        }
        let mut line = Vec::new();
        let read = io::Read::take(&mut self.input, LONGEST_LINE as u64).read_until(b'\n', &mut line)?;
        if read == LONGEST_LINE {
            bail!("a line of more than {LONGEST_LINE} bytes");
        }
        Ok((read > 0).then_some(line))
    }
}

/// What stands between the angle brackets.
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('<')?;
    Some(rest.rsplit_once('>')?.0.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the record is for people; nothing is decided by it")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}
