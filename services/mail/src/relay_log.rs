//! What the log of a relay says of our mails: Postfix, Exim, or JSON lines; by Message-ID, then by the relay's queue id.
//!
//! Reads lines and decides no state. Invariants: only what a line says of a mail of ours, by its Message-ID and its
//! recipient, proves anything; silence proves nothing; memory is bounded by the mails that are asked about.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};

/// A longer line is cut: nothing that is looked for stands behind.
const LONGEST_LINE: u64 = 16 * 1024;
/// Characters of a line that are kept as proof.
const KEPT: usize = 500;

/// What a log says of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The relay had it; with the words for that.
    Accepted(String),
    /// The relay had it and gave it up for good; with code and words.
    Bounced(String),
    /// It is mentioned, and nothing about its end is proven.
    Unclear(String),
}

/// The mails that are asked about, and what was found of them.
#[derive(Debug, Default)]
pub struct RelayLog {
    /// Address in lower case, by Message-ID.
    wanted: HashMap<String, String>,
    /// Message-ID by queue id.
    queued: HashMap<String, String>,
    found: HashMap<String, Found>,
}

#[derive(Debug, Default)]
struct Found {
    mentioned: String,
    taken: Option<String>,
    bounced: Option<String>,
    sent: Option<String>,
}

/// What one line says of the mail of a queue id.
enum Step<'a> {
    Named(&'a str),
    Taken,
    Sent(Vec<String>),
    Deferred,
    Bounced(Vec<String>, String),
    Gone,
}

impl RelayLog {
    /// Asks about mails, by Message-ID (without angle brackets) and address.
    pub fn about<'a>(mails: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let wanted = mails.into_iter().map(|(id, address)| (id.to_owned(), address.to_lowercase())).collect();
        Self { wanted, ..Self::default() }
    }

    /// Reads a log to its end.
    pub fn read(&mut self, mut log: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if log.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if line.last() != Some(&b'\n') {
                log.skip_until(b'\n')?;
            }
            self.line(String::from_utf8_lossy(&line).trim_end());
        }
    }

    /// What was found of a mail; none: it is not mentioned, which says nothing.
    pub fn said(&self, message_id: &str) -> Option<Said> {
        let found = self.found.get(message_id)?;
        Some(match (&found.sent, &found.bounced, &found.taken) {
            (Some(line), _, _) | (None, None, Some(line)) => Said::Accepted(line.clone()),
            (None, Some(line), _) => Said::Bounced(line.clone()),
            (None, None, None) => Said::Unclear(found.mentioned.clone()),
        })
    }

    fn line(&mut self, line: &str) {
        if line.trim_start().starts_with('{') {
            return self.json(line);
        }
        match exim(line) {
            Some((id, step)) => self.step(id, &step, line),
            None => {
                if let Some((id, step)) = line.split_once("]: ").and_then(|(_, said)| postfix(said)) {
                    self.step(id, &step, line);
                }
            }
        }
    }

    fn step(&mut self, queue_id: &str, step: &Step<'_>, line: &str) {
        if let Step::Named(message_id) = step {
            // A queue id is used again after its mail is gone.
            self.queued.remove(queue_id);
            if self.wanted.contains_key(*message_id) {
                self.queued.insert(queue_id.to_owned(), (*message_id).to_owned());
                let found = self.found.entry((*message_id).to_owned()).or_default();
                found.mentioned = kept(line);
            }
            return;
        }
        let Some(message_id) = self.queued.get(queue_id).cloned() else { return };
        self.note(&message_id, step, line);
        if matches!(step, Step::Gone) {
            self.queued.remove(queue_id);
        }
    }

    fn note(&mut self, message_id: &str, step: &Step<'_>, line: &str) {
        let Some(address) = self.wanted.get(message_id) else { return };
        let found = self.found.entry(message_id.to_owned()).or_default();
        let is_ours = |to: &[String]| to.iter().any(|to| to == address);
        match step {
            Step::Named(_) | Step::Gone => {}
            // Whoever has it in the queue, puts it off or hands it to anybody has taken it from us.
            Step::Taken | Step::Deferred => found.taken = Some(kept(line)),
            Step::Sent(to) if is_ours(to) => found.sent = Some(kept(line)),
            Step::Sent(_) => found.taken = Some(kept(line)),
            Step::Bounced(to, why) if is_ours(to) => found.bounced = Some(kept(why)),
            Step::Bounced(..) => {}
        }
    }

    /// One object a line, with fields as many tools name them; `journalctl -o json` has a line of text inside.
    fn json(&mut self, line: &str) {
        let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(line) else { return };
        let text = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)).and_then(|value| value.as_str());
        if let Some((id, step)) = text(&["MESSAGE"]).and_then(postfix) {
            return self.step(id, &step, line);
        }
        let Some(id) = text(&["message_id", "message-id", "messageId", "msgid"]) else { return };
        let id = id.trim().trim_matches(['<', '>']);
        if !self.wanted.contains_key(id) {
            return;
        }
        let to: Vec<String> = text(&["recipient", "to", "rcpt"]).map(address).into_iter().collect();
        let said = text(&["response", "reply", "diagnostic", "reason"]).unwrap_or_default();
        let code = text(&["dsn", "code"]).unwrap_or_default();
        let step = match text(&["status", "event", "action"]).unwrap_or_default().to_lowercase().as_str() {
            "sent" | "delivered" | "relayed" => Step::Sent(to),
            "bounced" | "bounce" | "failed" => Step::Bounced(to, format!("{code} {said}").trim().to_owned()),
            "deferred" | "queued" | "accepted" => Step::Deferred,
            _ => Step::Gone,
        };
        self.found.entry(id.to_owned()).or_default().mentioned = kept(line);
        self.note(id, &step, line);
    }
}

/// A line of Postfix behind its process: `QUEUEID: what happened`.
fn postfix(said: &str) -> Option<(&str, Step<'_>)> {
    let (id, rest) = said.split_once(": ")?;
    if id.len() < 5 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) || id == "NOQUEUE" {
        return None;
    }
    if let Some(message_id) = rest.strip_prefix("message-id=") {
        return Some((id, Step::Named(message_id.trim().trim_matches(['<', '>']))));
    }
    if rest == "removed" {
        return Some((id, Step::Gone));
    }
    // Logged once the mail is in the queue for good, unlike its Message-ID, which is read before the final dot.
    if rest.starts_with("from=<") && rest.ends_with("(queue active)") {
        return Some((id, Step::Taken));
    }
    if !rest.starts_with("to=<") {
        return None;
    }
    let (before, after) = rest.rsplit_once(", status=")?;
    let field = |name: &str| before.split(", ").find_map(|pair| pair.strip_prefix(name));
    let to: Vec<String> = ["to=", "orig_to="].into_iter().filter_map(field).map(address).collect();
    let (status, words) = after.split_once(' ').unwrap_or((after, ""));
    let words = words.trim_start_matches('(').trim_end_matches(')');
    Some((
        id,
        match status {
            "sent" => Step::Sent(to),
            "bounced" => Step::Bounced(to, format!("{} {words}", field("dsn=").unwrap_or_default()).trim().to_owned()),
            _ => Step::Deferred,
        },
    ))
}

/// A line of Exim's main log.
fn exim(line: &str) -> Option<(&str, Step<'_>)> {
    let mut words = line.split_ascii_whitespace();
    // Date, time, zone and process may stand before it.
    let id = words.by_ref().take(8).find(|word| is_exim_id(word))?;
    let sign = words.next()?;
    let rest = || line.split_once(sign).map_or("", |(_, rest)| rest);
    // `local-part <address>` where an alias was followed.
    let to = || rest().split_ascii_whitespace().take(2).map(address).filter(|to| to.contains('@')).collect();
    Some((
        id,
        match sign {
            "<=" => Step::Named(words.find_map(|word| word.strip_prefix("id="))?),
            "=>" | "->" | ">>" => Step::Sent(to()),
            "**" => Step::Bounced(to(), rest().split_once(": ").map_or("", |(_, why)| why).to_owned()),
            "==" => Step::Deferred,
            "Completed" => Step::Gone,
            _ => return None,
        },
    ))
}

/// `1abcDE-000123-AB`, or with the longer middle of later versions.
fn is_exim_id(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    matches!(&parts[..], [a, b, c] if a.len() == 6 && matches!(b.len(), 6 | 11) && matches!(c.len(), 2 | 4))
        && parts.concat().bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn address(text: &str) -> String {
    text.trim().trim_matches(['<', '>', ',', ':']).to_lowercase()
}

fn kept(line: &str) -> String {
    line.trim().chars().take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "abc@vendor.example";
    const TO: &str = "Security@acme.example";

    /// What a log says of the mail.
    fn said(log: &str) -> Option<Said> {
        let mut read = RelayLog::about([(ID, TO)]);
        read.read(log.as_bytes()).unwrap();
        read.said(ID)
    }

    /// Postfix' lines about one queue id, after the one that names the Message-ID.
    fn postfix(lines: &[&str]) -> Option<Said> {
        let at = "Nov 26 10:00:00 relay postfix";
        let mut log = format!("{at}/cleanup[7]: 4Xk2jC1zN9z: message-id=<{ID}>\n");
        for line in lines {
            log.push_str(&format!("{at}/smtp[8]: 4Xk2jC1zN9z: {line}\n"));
        }
        said(&log)
    }

    fn accepted(found: Option<Said>, words: &str) {
        assert!(matches!(&found, Some(Said::Accepted(line)) if line.contains(words)), "{words}: {found:?}");
    }

    fn bounced(found: Option<Said>, words: &str) {
        assert!(matches!(&found, Some(Said::Bounced(line)) if line.contains(words)), "{words}: {found:?}");
    }

    const SENT: &str = "to=<security@acme.example>, relay=mx.acme.example[192.0.2.1]:25, delay=1.2, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 99)";
    const BOUNCED: &str = "to=<security@acme.example>, relay=mx.acme.example[192.0.2.1]:25, delay=1.2, dsn=5.1.1, status=bounced (host mx.acme.example[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command))";

    #[test]
    fn postfix_says_what_became_of_a_mail_by_its_queue_id() {
        accepted(postfix(&[SENT, "removed"]), "queued as 99");
        bounced(postfix(&[BOUNCED, "removed"]), "5.1.1 host mx.acme.example[192.0.2.1] said: 550 5.1.1 no such user");
        accepted(postfix(&["from=<a@vendor.example>, size=999, nrcpt=1 (queue active)"]), "queue active");
        let deferred = SENT.replace("status=sent (250", "status=deferred (451");
        accepted(postfix(&[&deferred]), "status=deferred");
        // By an alias, under another address.
        let alias = BOUNCED.replace("to=<security@acme.example>", "to=<x@y.example>, orig_to=<security@acme.example>");
        bounced(postfix(&[&alias]), "5.1.1");
    }

    #[test]
    fn what_is_not_proven_is_not_taken_for_proven() {
        // The Message-ID is read before the final dot.
        assert!(matches!(postfix(&[]), Some(Said::Unclear(_))));
        // Somebody else's mailbox, to which it was sent on.
        let other = BOUNCED.replace("security@acme.example", "elsewhere@y.example");
        assert!(matches!(postfix(&[&other]), Some(Said::Unclear(_))));
        // The queue id is used again for another mail.
        assert!(matches!(postfix(&["removed", SENT]), Some(Said::Unclear(_))));
        assert!(matches!(postfix(&["message-id=<other@vendor.example>", SENT]), Some(Said::Unclear(_))));
        for nothing in
            ["", "\u{0}\n]: : \n{\n{}\n", "x]: NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.7.1 <abc@vendor.example>"]
        {
            assert_eq!(said(nothing), None, "{nothing}");
        }
        assert_eq!(said(&format!("{}\n", "x".repeat(100_000))), None);
    }

    #[test]
    fn a_second_copy_that_got_through_is_what_counts() {
        let at = "2026-11-26T10:00:00.000000+00:00 relay postfix/smtp[8]: ";
        let first = format!("{at}AAAAAAAA: message-id=<{ID}>\n{at}AAAAAAAA: {BOUNCED}\n");
        bounced(said(&first), "5.1.1");
        accepted(said(&format!("{first}{at}BBBBBBBB: message-id=<{ID}>\n{at}BBBBBBBB: {SENT}\n")), "BBBBBBBB");
    }

    #[test]
    fn exim_and_json_lines_say_the_same() {
        let exim = |line: &str| {
            let begin =
                format!("2026-11-26 10:00:00 1tFabc-000123-AB <= a@vendor.example H=x [192.0.2.9] S=999 id={ID}\n");
            said(&format!("{begin}2026-11-26 10:00:01 1tFabc-000123-AB {line}\n"))
        };
        accepted(exim("=> security@acme.example R=dns T=smtp H=mx C=\"250 OK\""), "=>");
        accepted(exim("=> sec <security@acme.example> R=local T=maildir"), "=>");
        bounced(
            exim("** security@acme.example R=dns T=smtp: SMTP error: 550 5.1.1 no such user"),
            "550 5.1.1 no such user",
        );
        accepted(exim("== security@acme.example R=dns T=smtp defer (-44)"), "==");
        let json = |fields: &str| said(&format!("{{\"message_id\":\"<{ID}>\",\"recipient\":\"{TO}\",{fields}}}\n"));
        accepted(json("\"status\":\"sent\""), "sent");
        bounced(
            json("\"event\":\"bounced\",\"dsn\":\"5.1.1\",\"response\":\"550 no such user\""),
            "5.1.1 550 no such user",
        );
        assert!(matches!(json("\"status\":\"opened\""), Some(Said::Unclear(_))));
        let journal =
            format!("{{\"MESSAGE\":\"4Xk2jC1zN9z: message-id=<{ID}>\"}}\n{{\"MESSAGE\":\"4Xk2jC1zN9z: {SENT}\"}}\n");
        accepted(said(&journal), "queued as 99");
    }
}
