//! What the log of a relay says of our mails: Postfix, Exim, or JSON lines; by Message-ID, then by the relay's queue id.
//!
//! Reads lines and decides no state. Invariants: only what is known for certain proves anything, so no line that is cut
//! proves more than the whole one; silence proves nothing, and what is not a relay's log is no silence; memory is bounded
//! by the mails that are asked about.

mod lines;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, BufRead, Read};

use lines::{Line, Onward, Step};

/// A longer line is cut: nothing that is looked for stands behind.
const LONGEST_LINE: u64 = 16 * 1024;
/// Characters of a line that are kept as proof.
const KEPT: usize = 500;
/// Times that a relay takes the same mail, or a filter gives it back to it. What a log says beyond is not followed.
const MOST_PASSES: usize = 32;

/// What a log says of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The relay had it; with the words for that.
    Accepted(String),
    /// The relay had it and gave it up for good; with code and words.
    Bounced(String),
    /// It is mentioned, and nothing about its end is proven; with the line, or why.
    Unclear(String),
}

/// Why a file says nothing, not even by its silence.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// Bytes of a compressed file.
    #[error("it is packed ({0})")]
    Packed(&'static str),
    /// Other lines.
    #[error("none of its lines is one of Postfix, Exim or a JSON log of mail")]
    Foreign,
}

/// The mails that are asked about, and what was found of them.
#[derive(Debug, Default)]
pub struct RelayLog {
    /// Address in lower case, by Message-ID.
    wanted: HashMap<String, String>,
    /// Message-ID and pass, by who logged and its queue id.
    queued: HashMap<(String, String), (String, usize)>,
    /// The passes of each mail that is mentioned, in their order.
    found: HashMap<String, Vec<Pass>>,
    /// The number of the line that is read.
    number: u64,
    /// Whether a line was a relay's.
    is_a_log: bool,
    /// The last line that breaks off before it says whose it is.
    broken_off: Option<(u64, String)>,
}

/// A mail on its way through one queue.
#[derive(Debug, Default)]
struct Pass {
    queue_id: String,
    begun: u64,
    mentioned: String,
    /// In the queue for good, put off, or handed to somebody.
    taken: Option<String>,
    bounced: Option<String>,
    sent: Option<String>,
    /// The queue id under which whoever has it now logs it, perhaps in this log.
    next: Option<String>,
    /// Given to a filter: what it does with it is the next pass.
    is_filtered: bool,
    /// Known only by what a filter answered.
    is_from_filter: bool,
    /// Something was said that is not known, or only half of it.
    unknown: Option<String>,
}

impl Pass {
    /// Whether the relay may have it: more than its Message-ID is known.
    fn is_begun(&self) -> bool {
        self.is_from_filter || self.taken.is_some() || self.unknown.is_some()
    }
}

impl RelayLog {
    /// Asks about mails, by Message-ID (without angle brackets) and address.
    pub fn about<'a>(mails: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let wanted = mails.into_iter().map(|(id, address)| (id.to_owned(), address.to_lowercase())).collect();
        Self { wanted, ..Self::default() }
    }

    /// Reads a log to its end.
    pub fn read(&mut self, mut log: impl BufRead) -> Result<(), Unreadable> {
        let (mut line, mut is_empty) = (Vec::new(), true);
        loop {
            line.clear();
            if log.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if is_empty && let Some(kind) = packed(&line) {
                return Err(Unreadable::Packed(kind));
            }
            is_empty &= line.iter().all(u8::is_ascii_whitespace);
            self.number += 1;
            let is_whole = line.last() == Some(&b'\n');
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if is_whole {
                self.line(text);
            } else if log.skip_until(b'\n')? > 0 {
                // Only too long: what is looked for stands at its beginning.
                self.line(text);
            } else {
                self.last_half(text);
            }
        }
        match (is_empty, self.is_a_log) {
            (true, _) => Err(Unreadable::Empty),
            (false, false) => Err(Unreadable::Foreign),
            (false, true) => Ok(()),
        }
    }

    /// What was found of a mail; none: it is not mentioned, which says nothing.
    pub fn said(&self, message_id: &str) -> Option<Said> {
        let passes = self.found.get(message_id)?;
        if passes.len() > MOST_PASSES {
            return Some(Said::Unclear(format!("it is mentioned more than {MOST_PASSES} times")));
        }
        // Whose next pass is in the log too says nothing itself.
        let is_followed = |pass: &Pass| {
            let next = pass.next.as_deref();
            next.is_some_and(|next| passes.iter().any(|other| other.queue_id == next && !std::ptr::eq(other, pass)))
        };
        let open = passes.iter().filter(|pass| !is_followed(pass));
        let ends: Vec<(&Pass, Said)> = open.map(|pass| (pass, self.end_of(pass))).collect();
        let of = |wanted: fn(&Said, &Pass) -> bool| {
            ends.iter().rev().find(|(pass, end)| wanted(end, pass)).map(|(_, end)| end.clone())
        };
        let last = passes.last().map(|pass| Said::Unclear(pass.mentioned.clone()));
        // One copy that got through is enough; one of which nobody knows may have.
        of(|end, pass| matches!(end, Said::Accepted(_)) && pass.sent.is_some())
            .or_else(|| of(|end, pass| matches!(end, Said::Unclear(_)) && pass.is_begun()))
            .or_else(|| of(|end, _| matches!(end, Said::Bounced(_))))
            .or_else(|| of(|end, _| matches!(end, Said::Accepted(_))))
            .or(last)
    }

    fn end_of(&self, pass: &Pass) -> Said {
        let unclear = || Said::Unclear(pass.unknown.as_ref().unwrap_or(&pass.mentioned).clone());
        match pass {
            Pass { is_filtered: true, .. } => unclear(),
            Pass { sent: Some(line), .. } => Said::Accepted(line.clone()),
            Pass { bounced: Some(why), .. } => Said::Bounced(why.clone()),
            Pass { unknown: Some(_), .. } => unclear(),
            Pass { taken: Some(line), begun, .. } => match &self.broken_off {
                // Its end may stand there.
                Some((number, half)) if number > begun => {
                    Said::Unclear(format!("line {number} of the log breaks off: {half}"))
                }
                _ => Said::Accepted(line.clone()),
            },
            Pass { taken: None, .. } => unclear(),
        }
    }

    fn line(&mut self, text: &str) {
        match lines::read(text) {
            Line::Foreign => {}
            Line::Silent => self.is_a_log = true,
            Line::Half => self.broken_off = Some((self.number, kept(text))),
            Line::Queue { whose, id, step } => {
                self.is_a_log = true;
                self.step((whose, id), step, text);
            }
            Line::Report { message_id, step } => {
                self.is_a_log = true;
                self.report(&message_id, step, text);
            }
        }
    }

    /// A log that is being written, or was cut: its last word may be half of one, unless something ends there.
    fn last_half(&mut self, text: &str) {
        let whole = match text.ends_with([')', '>', '}']) {
            true => text,
            false => text.rsplit_once(char::is_whitespace).map_or("", |(whole, _)| whole),
        };
        self.line(whole);
        // More may have been written behind it.
        self.broken_off = Some((self.number, kept(text)));
    }

    fn step(&mut self, key: (String, String), step: Step, text: &str) {
        if let Step::Named(message_id) = step {
            // A filter was heard to give it this queue id before.
            if self.queued.get(&key).is_some_and(|(known, pass)| *known == message_id && self.is_new(known, *pass)) {
                return;
            }
            // A queue id is used again after its mail is gone.
            self.queued.remove(&key);
            if self.wanted.contains_key(&message_id) {
                self.begin(key, message_id, text);
            }
            return;
        }
        let Some((message_id, pass)) = self.queued.get(&key).cloned() else { return };
        if matches!(step, Step::Gone) {
            self.queued.remove(&key);
            return;
        }
        self.note(&message_id, pass, step, text);
        let next = self.found.get(&message_id).and_then(|passes| passes.get(pass));
        let next = next.filter(|pass| pass.is_filtered).and_then(|pass| pass.next.clone());
        if let Some(next) = next
            && next != key.1
            && !self.found.get(&message_id).is_some_and(|passes| passes.iter().any(|pass| pass.queue_id == next))
        {
            // What a filter gives back may have another Message-ID.
            self.begin((key.0, next), message_id.clone(), text);
            if let Some(pass) = self.found.get_mut(&message_id).and_then(|passes| passes.last_mut()) {
                pass.is_from_filter = true;
            }
        }
    }

    fn is_new(&self, message_id: &str, pass: usize) -> bool {
        let pass = self.found.get(message_id).and_then(|passes| passes.get(pass));
        pass.is_some_and(|pass| pass.is_from_filter && pass.taken.is_none())
    }

    fn begin(&mut self, key: (String, String), message_id: String, text: &str) {
        let passes = self.found.entry(message_id.clone()).or_default();
        // One more than are followed says that there are too many.
        if passes.len() <= MOST_PASSES {
            passes.push(Pass { queue_id: key.1.clone(), begun: self.number, mentioned: kept(text), ..Pass::default() });
            self.queued.insert(key, (message_id, passes.len() - 1));
        }
    }

    fn note(&mut self, message_id: &str, pass: usize, step: Step, text: &str) {
        let Some(address) = self.wanted.get(message_id) else { return };
        let Some(pass) = self.found.get_mut(message_id).and_then(|passes| passes.get_mut(pass)) else { return };
        let is_ours = |to: &[String]| to.iter().any(|to| to == address);
        match step {
            Step::Named(_) | Step::Gone => {}
            // Whoever has it in the queue, puts it off or hands it to anybody has taken it from us.
            Step::Taken => pass.taken = Some(kept(text)),
            Step::Sent(to, onward) => {
                pass.taken = Some(kept(text));
                match onward {
                    Onward::Filter(next) => {
                        (pass.is_filtered, pass.next) = (true, next);
                        pass.unknown = Some(kept(text));
                    }
                    // To a program of the relay: another pass may follow, under the same Message-ID.
                    Onward::Inside => {}
                    Onward::Out(next) if is_ours(&to) => {
                        (pass.sent, pass.next) = (Some(kept(text)), next);
                    }
                    Onward::Out(_) => {}
                }
            }
            Step::Bounced(to, why) if is_ours(&to) => pass.bounced = Some(kept(&why)),
            // Somebody else's mailbox, to which it was sent on: whether ours had it is not said.
            Step::Bounced(..) | Step::Unknown => pass.unknown = Some(kept(text)),
        }
    }

    /// A line that names its mail: one pass for all of them.
    fn report(&mut self, message_id: &str, step: Step, text: &str) {
        if !self.wanted.contains_key(message_id) {
            return;
        }
        let passes = self.found.entry(message_id.to_owned()).or_default();
        let pass = passes.iter().position(|pass| pass.queue_id.is_empty()).unwrap_or_else(|| {
            passes.push(Pass { begun: self.number, mentioned: kept(text), ..Pass::default() });
            passes.len() - 1
        });
        self.note(message_id, pass, step, text);
    }
}

/// By their first bytes.
fn packed(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 5] = [
        (&[0x1f, 0x8b], "gzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "xz"),
        (b"BZh", "bzip2"),
        (b"PK\x03\x04", "zip"),
    ];
    KINDS.iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, kind)| *kind)
}

fn kept(line: &str) -> String {
    line.trim().chars().take(KEPT).collect()
}
