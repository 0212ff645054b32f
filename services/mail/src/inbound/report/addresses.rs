//! Whom a delivery failure told in sentences is about.
//!
//! Tries the surest place first and stops at the first that names somebody: the header exim and Google set, lines that
//! begin with an address, lines that name one anywhere, the copy of the letter. Invariant: an address of the sender's
//! side (to whom the report came, from whom it is, a mail system's) is never taken for the recipient.

use super::super::MOST;
use super::super::mime::{Fields, Mail, split};
use super::super::senders::is_service;
use super::{DIAGNOSTIC, bare_address};

/// Bytes of an address with what decorates it.
const LONGEST: usize = 500;
/// Lines that can belong to one address.
const LINES: usize = 8;
/// Lines of a told failure that are looked at.
const LOOKED_AT: usize = 400;
/// What may stand before the address on its line, lower case.
const LABELS: [&str; 30] = [
    "rcpt to",
    "recipient",
    "recipients",
    "recipient address",
    "original address",
    "failed recipient",
    "failed recipients",
    "undeliverable address",
    "intended recipient",
    "error-for",
    "unknown user",
    "user unknown",
    "user",
    "address",
    "addressee",
    "e-mail",
    "email",
    "final-recipient",
    "original-recipient",
    "mailto",
    "invalid final delivery userid",
    "user mailbox exceeds allowed size",
    "mailbox full",
    "empfänger",
    "destinataire",
    "destinatario",
    "destinatário",
    "ontvanger",
    "收件人",
    "受信者",
];
/// Lines that name the sender's side, lower case.
const OTHERS: [&str; 11] = [
    "from:",
    "mail from",
    "sender:",
    "reply-to:",
    "message-id:",
    "received:",
    "return-path:",
    "contact",
    "reporting-mta",
    "subject:",
    "x-",
];

/// An address and what is said of it.
type Named = (String, String);

/// Addresses, each with what is said of it; at most [`MOST`].
pub(super) fn in_prose(mail: &Mail, told: &str, copy: &str) -> Vec<Named> {
    let own = own_side(mail);
    let foreign = |address: &str| !own.iter().any(|known| known.eq_ignore_ascii_case(address)) && !is_service(address);
    let (mut leading, mut addressed) = leading(told);
    leading.retain(|(address, _)| foreign(address));
    addressed.retain(|(address, _)| foreign(address));
    if let Some(list) = mail.fields.get("x-failed-recipients") {
        let named = list.split(',').map(bare_address).filter(|address| address.contains('@')).take(MOST);
        return named.map(|address| with_diagnostic(address, &leading)).collect();
    }
    if !leading.is_empty() {
        return leading;
    }
    let mut within = within(told);
    within.retain(|(address, _)| {
        foreign(address) && !addressed.iter().any(|(known, _)| known.eq_ignore_ascii_case(address))
    });
    for named in [within, addressed] {
        if !named.is_empty() {
            return named;
        }
    }
    returned_to(mail, copy).into_iter().map(|address| (address, String::new())).collect()
}

fn with_diagnostic(address: String, leading: &[Named]) -> Named {
    let said = leading.iter().find(|(known, _)| known.eq_ignore_ascii_case(&address)).map(|(_, said)| said.clone());
    (address, said.unwrap_or_default())
}

/// To whom the report came and from whom.
fn own_side(mail: &Mail) -> Vec<String> {
    let headers = ["delivered-to", "x-original-to", "envelope-to", "return-path", "reply-to"];
    let stated = headers.iter().flat_map(|name| mail.fields.all(name)).map(|value| bare_address(value.trim()));
    let sender = mail.from.iter().cloned();
    mail.to.iter().cloned().chain(stated).chain(sender).collect()
}

/// Addresses at the start of a line, each with what follows up to the next one or an empty line; and apart from them
/// those behind `To:`, which may be a list that the letter was sent to.
fn leading(told: &str) -> (Vec<Named>, Vec<Named>) {
    let mut found: Vec<Named> = Vec::new();
    let mut addressed: Vec<Named> = Vec::new();
    let mut open: Option<(String, String, usize)> = None;
    for line in told.lines().take(LOOKED_AT).map(str::trim) {
        match leading_address(line) {
            Some(Leading::Named(address, rest)) => {
                close(&mut found, open.take());
                open = Some((address, rest.to_owned(), 0));
                continue;
            }
            Some(Leading::Addressed(address)) => push(&mut addressed, address, String::new()),
            None => {}
        }
        open = match open.take() {
            Some((address, diagnostic, count)) if count < LINES && (!line.is_empty() || diagnostic.is_empty()) => {
                Some((address, format!("{diagnostic} {line}").trim().to_owned(), count + 1))
            }
            Some(ended) => {
                close(&mut found, Some(ended));
                None
            }
            None => None,
        };
    }
    close(&mut found, open);
    (found, addressed)
}

/// An address at the start of a line.
#[derive(Debug, PartialEq, Eq)]
enum Leading<'a> {
    /// With what stands behind it.
    Named(String, &'a str),
    /// Behind `To:`.
    Addressed(String),
}

fn close(found: &mut Vec<Named>, open: Option<(String, String, usize)>) {
    let Some((address, diagnostic, _)) = open else { return };
    // Who a letter was forwarded for is whom we wrote to.
    let before = ["(expanded from", "(generated from", "(originally addressed to"]
        .iter()
        .find_map(|words| diagnostic.split_once(words))
        .and_then(|(_, rest)| addresses(rest.split(')').next().unwrap_or_default()).into_iter().next());
    let said = cut(&diagnostic);
    for address in std::iter::once(address).chain(before) {
        push(found, address, said.clone());
    }
}

fn push(found: &mut Vec<Named>, address: String, said: String) {
    let room = found.len() < MOST;
    match found.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&address)) {
        Some((_, known)) if known.is_empty() => *known = said,
        Some(_) => {}
        None if room => found.push((address, said)),
        None => {}
    }
}

fn cut(diagnostic: &str) -> String {
    diagnostic.trim_start_matches([':', ' ', '-', '>', ')']).chars().take(DIAGNOSTIC).collect()
}

/// `<a@b.example>: said`, `> a@b.example`, `Failed Recipient: a@b.example`, `"a@b.example" <a@b.example>`.
fn leading_address(line: &str) -> Option<Leading<'_>> {
    let line = line.trim_start_matches(['*', '>', '-', '•', '·', '|', '\t', ' ']);
    if let Some((address, rest)) = address_at(line) {
        return Some(Leading::Named(address, rest));
    }
    let (label, rest) = line.split_once([':', '：', ';'])?;
    let label = label.trim().to_lowercase();
    let rest = rest.trim_start();
    let (address, rest) = address_at(rest.strip_prefix("rfc822;").unwrap_or(rest).trim_start())?;
    let tried = label.starts_with("delivery failed ") && label.ends_with("attempts");
    if tried || LABELS.contains(&label.as_str()) {
        return Some(Leading::Named(address, rest));
    }
    matches!(label.as_str(), "to" | "for" | "an" | "à" | "para" | "a" | "aan" | "кому")
        .then_some(Leading::Addressed(address))
}

fn address_at(line: &str) -> Option<(String, &str)> {
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let word = word.split_once("<mailto:").map_or(word, |(address, _)| address);
    // `a@b.example:said` and `<a@b.example>said`.
    let sign = word.get(..LONGEST.min(word.len())).unwrap_or_default().find('@')?;
    let glued = word[sign..].find(['>', ':', ',', ';']).map(|end| sign + end);
    let word = &word[..glued.unwrap_or(word.len())];
    let glued = glued.is_some();
    let address = plausible(word)?;
    let rest = if glued { &line[word.len()..] } else { rest };
    Some((address, rest.trim_start_matches(['>', ':', ',', ';', ')', '"'])))
}

/// Every address in a text.
pub(super) fn addresses(text: &str) -> Vec<String> {
    let separate = |char: char| {
        char.is_whitespace()
            || matches!(
                char,
                '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '"' | '\'' | '|' | '“' | '”' | '«' | '»'
            )
    };
    text.split(separate).filter_map(plausible).take(MOST).collect()
}

fn plausible(word: &str) -> Option<String> {
    if word.len() > LONGEST {
        return None;
    }
    let address = word
        .trim_matches(['<', '>', '(', ')', '"', '\'', '.', ',', ':', ';', '*', '!', '?', '“', '”', '-', '=', '[', ']']);
    let address = address.strip_prefix("SMTP=").or_else(|| address.strip_prefix("smtp=")).unwrap_or(address);
    let (local, domain) = address.rsplit_once('@')?;
    let host =
        domain.contains('.') && domain.chars().all(|char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_'));
    let name = !local.is_empty()
        && local.len() <= 128
        && !local.contains(['<', '>', '@', '\\', '`', '"', ':', '：', '，', '（']);
    (host && name && !local.contains("//")).then(|| address.chars().take(320).collect())
}

/// Addresses anywhere, each with its line.
fn within(told: &str) -> Vec<Named> {
    let mut found = Vec::new();
    for line in told.lines().take(LOOKED_AT).map(str::trim) {
        let lower = line.to_lowercase();
        if OTHERS.iter().any(|name| lower.starts_with(name)) || lower.contains("e.g.") || lower.contains("contact") {
            continue;
        }
        for address in addresses(line) {
            // `… are not accepting mail from a@b.example` speaks of the sender.
            let sends = lower.split_once(&address.to_lowercase()).is_some_and(|(before, _)| {
                let before = before.trim_end_matches(|char: char| !char.is_alphanumeric());
                let forwarded = ["generated from", "expanded from"].iter().any(|words| before.ends_with(words));
                !forwarded && [" from", " by", " von", " de"].iter().any(|word| before.ends_with(word))
            });
            if !sends {
                push(&mut found, address, cut(line));
            }
        }
    }
    found
}

/// To whom the returned letter was addressed.
pub(super) fn returned_to(mail: &Mail, copy: &str) -> Vec<String> {
    let returned = mail.leaf(&[
        "message/rfc822",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global",
        "message/global-headers",
    ]);
    let mut fields = returned.map(|leaf| Fields::parse(split(&leaf.body).0)).unwrap_or_default();
    if fields.get("to").is_none() {
        let block: String =
            copy.lines().take(LOOKED_AT).map(|line| format!("{}\n", line.trim_start_matches(['>', ' ']))).collect();
        fields = Fields::parse(block.as_bytes());
    }
    let stated = ["x-rcpt-to", "x-forward-to", "to"].into_iter().find_map(|name| fields.get(name));
    let to = stated.map(addresses).unwrap_or_default();
    // A letter of ours has one recipient; a list of many names nobody.
    if to.len() == 1 { to.into_iter().filter(|address| !is_service(address)).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_behind_decoration_and_labels() {
        let found = |line| match leading_address(line) {
            Some(Leading::Named(address, rest)) => Some((address, rest.trim().to_owned())),
            Some(Leading::Addressed(address)) => Some((address, "to".to_owned())),
            None => None,
        };
        let expect = |address: &str, rest: &str| Some((address.to_owned(), rest.to_owned()));
        assert_eq!(found("To: a@b.example"), expect("a@b.example", "to"));
        assert_eq!(found("<a@b.example>: 550 no"), expect("a@b.example", "550 no"));
        assert_eq!(found("> a@b.example"), expect("a@b.example", ""));
        assert_eq!(found("Failed Recipient: a@b.example"), expect("a@b.example", ""));
        assert_eq!(found("a@b.example... User unknown"), expect("a@b.example", "User unknown"));
        assert_eq!(found("Delivery failed 20 attempts: a@b.example"), expect("a@b.example", ""));
        assert_eq!(found("Please write to a@b.example"), None);
    }

    #[test]
    fn the_address_a_letter_was_expanded_from_counts_too() {
        let (found, _) = leading("a@b.example\n    (expanded from: <c@d.example>)\n");
        let addresses: Vec<&str> = found.iter().map(|(address, _)| address.as_str()).collect();
        assert_eq!(addresses, ["a@b.example", "c@d.example"]);
    }
}
