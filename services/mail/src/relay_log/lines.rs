//! The lines of a relay's log: whose they are, and what they say of a mail.
//!
//! Remembers nothing. Invariant: a line says something only where it is whole as far as that: a word that may be half of
//! another is none, and words that a remote server chose are never read as the relay's own.

use serde_json::Value;

/// A line.
#[derive(Debug)]
pub(super) enum Line {
    /// Of something else.
    Foreign,
    /// Of a relay, and of no mail.
    Silent,
    /// Breaks off before it says whose it is.
    Half,
    /// Of the mail that a relay has under this queue id.
    Queue { whose: String, id: String, step: Step },
    /// Of the mail that it names.
    Report { message_id: String, step: Step },
}

/// What a line says of a mail.
#[derive(Debug)]
pub(super) enum Step {
    /// Its Message-ID.
    Named(String),
    /// It is in the queue for good, or stays in it.
    Taken,
    /// It was handed on, to these addresses.
    Sent(Vec<String>, Onward),
    /// It was given up for good, to these addresses, and why.
    Bounced(Vec<String>, String),
    /// Nothing that is known for certain.
    Unknown,
    /// Its queue id means nothing any more.
    Gone,
}

/// To whom a mail was handed on.
#[derive(Debug)]
pub(super) enum Onward {
    /// Another host, which may have named its queue id.
    Out(Option<String>),
    /// A program on the same host.
    Inside,
    /// A filter that gives it back under this queue id.
    Filter(Option<String>),
}

/// Reads a line.
pub(super) fn read(line: &str) -> Line {
    let line = line.trim();
    if line.is_empty() {
        return Line::Foreign;
    }
    if line.starts_with('{') {
        return json(line);
    }
    // `2026-11-26 10:00:00 …`: Exim's own log; others have a host and a program before what is said.
    if is_date(line.split(' ').next().unwrap_or_default()) {
        return exim("", line);
    }
    let Some((head, said)) = line.split_once(": ") else {
        return if line.ends_with("]:") { Line::Half } else { half_or_foreign(line) };
    };
    let mut words = head.split_ascii_whitespace().rev();
    let (program, host) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Some(name) = program.strip_suffix(']').and_then(|program| program.split_once('[')).map(|(name, _)| name) else {
        return Line::Foreign;
    };
    of_program(host, name, said)
}

/// Not even the program is whole. Lines of other shapes are hardly without a colon and a space: `-- MARK --`, `-- Boot … --`,
/// `message repeated 3 times`.
fn half_or_foreign(line: &str) -> Line {
    if line.contains("message repeated") || line.contains("-- ") { Line::Foreign } else { Line::Half }
}

fn of_program(host: &str, program: &str, said: &str) -> Line {
    // `postfix/smtp`, or with the name of an instance: `postfix-out/smtp`.
    let instance = program.split('/').next().unwrap_or_default();
    if instance.starts_with("postfix") && program.contains('/') {
        return postfix(format!("{host} {instance}"), said);
    }
    if instance.starts_with("exim") {
        return exim(host, said);
    }
    Line::Foreign
}

/// `2026-11-26`.
fn is_date(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    matches!(&parts[..], [year, month, day] if year.len() == 4 && month.len() == 2 && day.len() == 2)
        && parts.concat().bytes().all(|byte| byte.is_ascii_digit())
}

/// A line of Postfix behind its process: `QUEUEID: what happened`.
fn postfix(whose: String, said: &str) -> Line {
    let is_id = |id: &str| id.len() >= 5 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let Some((id, rest)) = said.split_once(": ") else {
        let bare = said.trim_end_matches(':');
        // `4Xk2jC`: the rest of it may stand for anything.
        let is_half = bare.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return if is_half { Line::Half } else { Line::Silent };
    };
    if !is_id(id) || id == "NOQUEUE" {
        return Line::Silent;
    }
    let step = if let Some(message_id) = rest.strip_prefix("message-id=<").and_then(|id| id.strip_suffix('>')) {
        Step::Named(message_id.to_owned())
    } else if rest == "removed" {
        Step::Gone
    } else if rest.starts_with("from=<") && rest.ends_with("(queue active)") {
        // Logged once the mail is in the queue for good, unlike its Message-ID, which is read before the final dot.
        Step::Taken
    } else if rest.starts_with("to=<") {
        outcome(rest)
    } else if rest.starts_with("from=<") || begins_alike(rest) {
        // `status=expired, returned to sender`, or a line that is cut.
        Step::Unknown
    } else {
        return Line::Silent;
    };
    Line::Queue { whose, id: id.to_owned(), step }
}

/// Whether a line may be the beginning of one that says what became of a mail.
fn begins_alike(rest: &str) -> bool {
    ["to=<", "from=<", "removed"].iter().any(|whole| whole.starts_with(rest))
}

/// `to=<address>, orig_to=<…>, relay=…, …, status=sent (reply)`: the first status is Postfix' own, and behind it stand
/// words of others.
fn outcome(rest: &str) -> Step {
    let (mut to, mut relay, mut dsn, mut left) = (Vec::new(), "", "", rest);
    loop {
        if let Some(status) = left.strip_prefix("status=") {
            // Without the space it may be half a word.
            let Some((status, words)) = status.split_once(" (") else { return Step::Unknown };
            let reply = whole_reply(words);
            return match status {
                "sent" => reply.map_or(Step::Unknown, |reply| Step::Sent(to, onward(relay, reply))),
                "bounced" => Step::Bounced(to, format!("{dsn} {}", reply.unwrap_or(words)).trim().to_owned()),
                "deferred" => Step::Taken,
                _ => Step::Unknown,
            };
        }
        let Some((pair, next)) = left.split_once(", ") else { return Step::Unknown };
        match pair.split_once('=') {
            Some(("to" | "orig_to", value)) => to.push(address(value)),
            Some(("relay", value)) => relay = value,
            Some(("dsn", value)) => dsn = value,
            Some(_) => {}
            None => return Step::Unknown,
        }
        left = next;
    }
}

/// What stands in the parentheses that end a line, unless it breaks off: to whom the mail was handed stands at its end.
fn whole_reply(words: &str) -> Option<&str> {
    let reply = words.strip_suffix(')')?;
    (reply.matches('(').count() <= reply.matches(')').count()).then_some(reply)
}

/// `host[192.0.2.1]:25`: to a server; `local`, `host[private/lmtp]`: to a program.
fn onward(relay: &str, words: &str) -> Onward {
    let next = words.rsplit_once("queued as ").map(|(_, id)| id);
    let next = next.map(|id| id.split(|char: char| !char.is_ascii_alphanumeric() && char != '-').next().unwrap_or(""));
    let next = next.filter(|id| !id.is_empty()).map(str::to_owned);
    if is_filter(relay) {
        Onward::Filter(next)
    } else if relay.contains('[') && !relay.contains("[private/") {
        Onward::Out(next)
    } else {
        Onward::Inside
    }
}

/// Whether mail goes to this host itself, or to a port at which no mail server of others listens.
fn is_filter(relay: &str) -> bool {
    let Some((_, place)) = relay.split_once('[') else { return false };
    let (host, port) = place.split_once(']').unwrap_or((place, ""));
    let is_usual = matches!(port.trim_start_matches(':'), "" | "24" | "25" | "465" | "587");
    !host.starts_with("private/") && (host.starts_with("127.") || host == "::1" || !is_usual)
}

/// A line of Exim's main log: date, time, perhaps zone and process, the mail's id, a sign.
fn exim(host: &str, line: &str) -> Line {
    let mut left = line;
    let mut word = || {
        let (word, rest) = left.split_once(' ').unwrap_or((left, ""));
        left = rest;
        (word, rest)
    };
    let (date, _) = word();
    let (time, _) = word();
    let is_time = time.len() >= 8 && time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    if !is_date(date) {
        return Line::Foreign;
    }
    if !is_time {
        return if time.len() < 8 { Line::Half } else { Line::Foreign };
    }
    let (mut id, mut rest) = word();
    if id.starts_with(['+', '-']) {
        (id, rest) = word();
    }
    if id.starts_with('[') {
        (id, rest) = word();
    }
    if !is_exim_id(id) {
        // Half an id, or nothing yet.
        return if rest.is_empty() && id.len() < 23 { Line::Half } else { Line::Silent };
    }
    let (sign, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let step = match sign {
        "<=" => match rest.split_ascii_whitespace().find_map(|word| word.strip_prefix("id=")) {
            Some(message_id) => Step::Named(message_id.to_owned()),
            None => Step::Unknown,
        },
        "=>" | "->" | ">>" => handed_on(rest),
        "**" => match rest.split_once(": ") {
            Some((_, why)) => Step::Bounced(named(rest), why.to_owned()),
            None => Step::Unknown,
        },
        "==" => Step::Taken,
        "Completed" => Step::Gone,
        // Half a sign, or `*>`: not sent by a test of Exim's own.
        "" | "*" | "=" | "-" | ">" | "*>" => Step::Unknown,
        _ => return Line::Silent,
    };
    Line::Queue { whose: format!("{host} exim"), id: id.to_owned(), step }
}

/// `local-part <address>` where an alias was followed.
fn named(rest: &str) -> Vec<String> {
    rest.split_ascii_whitespace().take(2).map(address).filter(|to| to.contains('@')).collect()
}

/// Exim's transports to mailboxes on its own host, as they are usually called.
const MAILBOXES: [&str; 7] =
    ["local_delivery", "mail_spool", "maildir", "maildir_home", "virtual_delivery", "dovecot_delivery", "dovecot_lmtp"];

/// `address R=router T=transport H=host [address]:port … C="reply"`.
fn handed_on(rest: &str) -> Step {
    let field = |name: &str| rest.split_ascii_whitespace().find_map(|word| word.strip_prefix(name));
    let Some(transport) = field("T=").filter(|_| field("R=").is_some()) else { return Step::Unknown };
    let to = named(rest);
    let Some((_, at)) = rest.split_once(" H=") else {
        // A line that is cut before its host looks like one of a mailbox here.
        let is_local = MAILBOXES.contains(&transport);
        return if is_local { Step::Sent(to, Onward::Inside) } else { Step::Unknown };
    };
    let Some(place) = at.split_ascii_whitespace().find(|word| word.starts_with('[')) else { return Step::Unknown };
    let Some((host, port)) = place.trim_start_matches('[').split_once(']') else { return Step::Unknown };
    let is_own = host.starts_with("127.") || host == "::1" || !matches!(port, "" | ":25" | ":465" | ":587");
    let id = rest.rsplit_once(" id=").map(|(_, id)| id.split([' ', '"']).next().unwrap_or_default());
    let id = id.filter(|id| is_exim_id(id)).map(str::to_owned);
    Step::Sent(to, if is_own { Onward::Filter(id) } else { Onward::Out(id) })
}

/// `1abcDE-000123-AB`, or with the longer middle of later versions.
fn is_exim_id(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    matches!(&parts[..], [a, b, c] if a.len() == 6 && matches!((b.len(), c.len()), (6, 2) | (11, 4)))
        && parts.concat().bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// One object a line, with fields as many tools name them; `journalctl -o json` has a line of text inside.
fn json(line: &str) -> Line {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else { return Line::Half };
    let text = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)).and_then(Value::as_str);
    if let Some(said) = text(&["MESSAGE"]) {
        let host = text(&["_HOSTNAME"]).unwrap_or_default();
        let program = text(&["SYSLOG_IDENTIFIER"]).unwrap_or("postfix/");
        return of_program(host, program, said);
    }
    let Some(id) = text(&["message_id", "message-id", "messageId", "msgid"]) else { return Line::Foreign };
    let to: Vec<String> = text(&["recipient", "to", "rcpt"]).map(address).into_iter().collect();
    let said = text(&["response", "reply", "diagnostic", "reason"]).unwrap_or_default();
    let code = text(&["dsn", "code"]).unwrap_or_default();
    let Some(status) = text(&["status", "event", "action"]) else { return Line::Foreign };
    let may_pass = code.starts_with('4') || text(&["severity", "bounce_type"]).is_some_and(is_for_now);
    let step = match status.to_lowercase().as_str() {
        "sent" | "delivered" | "relayed" => Step::Sent(to, Onward::Out(None)),
        // `failed` alone is said of tries that are made again, too.
        "bounced" | "bounce" if !may_pass => Step::Bounced(to, format!("{code} {said}").trim().to_owned()),
        "failed" if code.starts_with('5') => Step::Bounced(to, format!("{code} {said}").trim().to_owned()),
        "deferred" | "queued" | "accepted" => Step::Taken,
        _ => Step::Unknown,
    };
    Line::Report { message_id: id.trim().trim_matches(['<', '>']).to_owned(), step }
}

fn is_for_now(severity: &str) -> bool {
    ["temporary", "transient", "soft"].iter().any(|word| severity.eq_ignore_ascii_case(word))
}

fn address(text: &str) -> String {
    text.trim().trim_matches(['<', '>', ',', ':']).to_lowercase()
}
