//! Mail about mail: delivery reports, complaints and read receipts.
//!
//! Does not decide what follows from a report. Invariant: a report is recognised by its parts, or by a mail system as
//! sender together with the words of one; never by words alone, so that a person may quote a bounce.

mod prose;

use super::mime::{Fields, Leaf, Mail, split};
use super::{Class, MOST, Recipient};

/// Characters of a diagnostic that are kept.
const DIAGNOSTIC: usize = 1_000;

/// What a report says.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) class: Class,
    pub(super) recipients: Vec<Recipient>,
    /// Of the letters it is about.
    pub(super) message_ids: Vec<String>,
    pub(super) why: String,
}

/// The report that a message is; `None` if it is none.
pub(super) fn read(mail: &Mail, text: &str, null_sender: bool) -> Option<Report> {
    complaint(mail)
        .or_else(|| delivery(mail))
        .or_else(|| prose::read(mail, text, null_sender))
        .or_else(|| receipt(mail))
}

fn complaint(mail: &Mail) -> Option<Report> {
    let leaf = mail.leaf(&["message/feedback-report"]);
    if leaf.is_none() && mail.report_type != "feedback-report" {
        return None;
    }
    let fields = leaf.map(|leaf| Fields::parse(&leaf.body)).unwrap_or_default();
    let kind = fields.get("feedback-type").unwrap_or("abuse").to_ascii_lowercase();
    let addresses = fields.all("original-rcpt-to").chain(fields.all("removal-recipient"));
    let recipient = |address: &str| Recipient {
        address: bare_address(address),
        action: kind.clone(),
        status: String::new(),
        permanent: None,
        diagnostic: String::new(),
    };
    Some(Report {
        class: Class::Complaint,
        recipients: addresses.take(MOST).map(recipient).collect(),
        message_ids: returned_ids(mail),
        why: format!("it is a feedback report of type {kind}"),
    })
}

fn delivery(mail: &Mail) -> Option<Report> {
    let leaf = mail.leaf(&["message/delivery-status", "message/global-delivery-status"])?;
    let recipients: Vec<Recipient> = blocks(&leaf.body).filter_map(|block| recipient(&block)).take(MOST).collect();
    let (class, why) = class_of(&recipients);
    Some(Report { class, recipients, message_ids: returned_ids(mail), why: why.to_owned() })
}

/// What a list of recipients amounts to: the worst of them decides.
fn class_of(recipients: &[Recipient]) -> (Class, &'static str) {
    let any = |action: &str, permanent: Option<bool>| {
        recipients.iter().any(|one| one.action == action && (permanent.is_none() || one.permanent == permanent))
    };
    if any("failed", Some(true)) {
        (Class::BouncePermanent, "a delivery report says: failed for good")
    } else if recipients.iter().any(|one| one.action == "failed" && one.permanent.is_none()) {
        (Class::BouncePermanent, "a delivery report says: failed, without a status")
    } else if any("failed", None) {
        (Class::BounceTransient, "a delivery report says: given up for a reason that may pass")
    } else if any("delayed", None) {
        (Class::Delay, "a delivery report says: delayed")
    } else if ["delivered", "relayed", "expanded"].into_iter().any(|action| any(action, None)) {
        (Class::Receipt, "a delivery report says: delivered")
    } else {
        (Class::Unclear, "it is a delivery report that names no outcome")
    }
}

fn receipt(mail: &Mail) -> Option<Report> {
    let leaf = mail.leaf(&["message/disposition-notification", "message/global-disposition-notification"]);
    if leaf.is_none() && mail.report_type != "disposition-notification" {
        return None;
    }
    let fields = leaf.map(|leaf| Fields::parse(&leaf.body)).unwrap_or_default();
    let disposition = fields.get("disposition").unwrap_or_default().rsplit(';').next().unwrap_or_default();
    let disposition = disposition.trim().to_ascii_lowercase();
    let address = fields.get("final-recipient").or_else(|| fields.get("original-recipient")).map(bare_address);
    let recipient = address.map(|address| Recipient {
        address,
        action: disposition.clone(),
        status: String::new(),
        permanent: None,
        diagnostic: String::new(),
    });
    let mut message_ids = fields.ids("original-message-id");
    add_new(&mut message_ids, returned_ids(mail));
    let why = format!("it is a read receipt ({})", if disposition.is_empty() { "unstated" } else { &disposition });
    Some(Report { class: Class::Receipt, recipients: recipient.into_iter().collect(), message_ids, why })
}

/// The field groups of a delivery report, parted by empty lines.
fn blocks(body: &[u8]) -> impl Iterator<Item = Fields> {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n");
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        match blocks.last_mut() {
            Some(block) if !line.trim().is_empty() => {
                block.push_str(line);
                block.push('\n');
            }
            _ => blocks.push(String::new()),
        }
    }
    blocks.into_iter().filter(|block| !block.is_empty()).map(|block| Fields::parse(block.as_bytes()))
}

fn recipient(fields: &Fields) -> Option<Recipient> {
    let address = fields.get("final-recipient").or_else(|| fields.get("original-recipient"))?;
    let action = fields.get("action").unwrap_or_default();
    // Some mail systems add a remark: `failed (user unknown)`.
    let action = action.split([' ', '(']).next().unwrap_or_default().to_ascii_lowercase();
    let diagnostic: String = fields.get("diagnostic-code").unwrap_or_default().chars().take(DIAGNOSTIC).collect();
    let status = enhanced_code(fields.get("status").unwrap_or_default())
        .or_else(|| enhanced_code(&diagnostic))
        .unwrap_or_default();
    let permanent = permanence(&action, &status, &diagnostic);
    Some(Recipient { address: bare_address(address), action, status, permanent, diagnostic })
}

/// The class of the status (RFC 3463), else of the server's reply; a delay is never for good.
fn permanence(action: &str, status: &str, diagnostic: &str) -> Option<bool> {
    if action == "delayed" {
        return Some(false);
    }
    if action != "failed" {
        return None;
    }
    let digit = status.chars().next().or_else(|| reply_code(diagnostic).and_then(|code| code.chars().next()));
    match digit {
        Some('5') => Some(true),
        Some('4') => Some(false),
        _ => None,
    }
}

/// The first `5.1.1` in a text: class 2, 4 or 5, then two numbers of one to three digits.
fn enhanced_code(text: &str) -> Option<String> {
    let words = text.split(|char: char| !(char.is_ascii_digit() || char == '.')).map(|word| word.trim_matches('.'));
    let is_code = |word: &&str| {
        let numbers: Vec<&str> = word.split('.').collect();
        matches!(numbers.as_slice(), ["2" | "4" | "5", subject, detail]
            if (1..=3).contains(&subject.len()) && (1..=3).contains(&detail.len()))
    };
    words.into_iter().find(is_code).map(str::to_owned)
}

/// The first SMTP reply code 4yz or 5yz in a text, as a word of its own.
fn reply_code(text: &str) -> Option<String> {
    let mut words = text.split(|char: char| !(char.is_ascii_alphanumeric() || char == '.'));
    let is_code =
        |word: &&str| word.len() == 3 && word.starts_with(['4', '5']) && word.bytes().all(|byte| byte.is_ascii_digit());
    words.find(is_code).map(str::to_owned)
}

/// `a@b.example` from `rfc822; <a@b.example>`.
fn bare_address(value: &str) -> String {
    let address = value.rsplit(';').next().unwrap_or_default();
    address.trim().trim_matches(['<', '>']).chars().take(320).collect()
}

/// The Message-IDs of the messages (or header blocks) that are enclosed.
fn returned_ids(mail: &Mail) -> Vec<String> {
    const ENCLOSED: [&str; 6] = [
        "message/rfc822",
        "message/global",
        "message/rfc822-headers",
        "message/global-headers",
        "text/rfc822-headers",
        "message/partial",
    ];
    let enclosed = mail.leaves.iter().filter(|leaf| ENCLOSED.contains(&leaf.kind.as_str()));
    let ids = |leaf: &Leaf| Fields::parse(split(&leaf.body).0).ids("message-id");
    let mut known = Vec::new();
    for leaf in enclosed {
        add_new(&mut known, ids(leaf));
    }
    known
}

fn add_new(known: &mut Vec<String>, ids: Vec<String>) {
    for id in ids {
        if known.len() < MOST && !known.contains(&id) {
            known.push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_what_servers_say() {
        assert_eq!(enhanced_code("smtp; 550 5.1.1 <a@b.example>: unknown").as_deref(), Some("5.1.1"));
        assert_eq!(enhanced_code("host 192.0.2.1 said: 550 no").as_deref(), None);
        assert_eq!(reply_code("host mx1.example [192.0.2.45] said: 452 full").as_deref(), Some("452"));
        assert_eq!(reply_code("port 12345, 5501").as_deref(), None);
    }

    #[test]
    fn a_delay_is_never_for_good() {
        assert_eq!(permanence("delayed", "5.0.0", ""), Some(false));
        assert_eq!(permanence("failed", "", "smtp; 550 no"), Some(true));
        assert_eq!(permanence("failed", "4.4.7", ""), Some(false));
        assert_eq!(permanence("delivered", "2.0.0", ""), None);
    }
}
