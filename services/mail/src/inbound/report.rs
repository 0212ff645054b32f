//! Mail about mail: delivery reports, complaints and read receipts.
//!
//! Does not decide what follows from a report. Invariant: a report is recognised by its parts, or by a mail system as
//! sender together with the words of one; never by words alone, so that a person may quote or forward a bounce.

mod addresses;
mod phrases;
mod prose;

use super::mime::{Fields, Leaf, Mail, parse, split};
use super::senders::is_daemon;
use super::words::shown;
use super::{Class, MOST, Recipient};
use prose::Told;
pub(super) use prose::{has_bounce_subject, opens_as_server, opens_as_system};

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
    /// A reader takes the letter for abuse.
    pub(super) complains: bool,
}

/// The report that a message is; `None` if it is none. `words` are the sender's own.
pub(super) fn read(mail: &Mail, text: &str, words: &str, null_sender: bool) -> Option<Report> {
    complaint(mail)
        .or_else(|| delivery(mail, text, null_sender))
        .or_else(|| receipt(mail, text))
        .or_else(|| prose::read(mail, text, words, null_sender))
}

fn complaint(mail: &Mail) -> Option<Report> {
    let leaf = mail.leaf(&["message/feedback-report"]).filter(|leaf| leaf.in_report || !leaf.is_file);
    // Hotmail's older reports are the letter itself behind a header of its own.
    let reader = mail.fields.get("x-hmxmroriginalrecipient");
    // Apple's mail programs send what a reader asked for to the address in List-Unsubscribe.
    let unsubscribes = mail.fields.get("x-apple-unsubscribe").is_some();
    let fields = match leaf {
        Some(leaf) => Fields::parse(&leaf.body),
        None => plain_feedback(mail).unwrap_or_default(),
    };
    if leaf.is_none()
        && mail.report_type != "feedback-report"
        && reader.is_none()
        && !unsubscribes
        && fields.get("feedback-type").is_none()
    {
        return None;
    }
    let unstated = match (reader, unsubscribes) {
        (Some(_), _) => "abuse",
        (None, true) => "opt-out",
        (None, false) => "unstated",
    };
    let kind = fields.get("feedback-type").unwrap_or(unstated).trim().to_ascii_lowercase();
    // `not-spam` says the contrary, `auth-failure`, `virus` and `opt-out` something else (RFC 5965 7.3, RFC 6591, RFC 6650).
    let complains = matches!(kind.as_str(), "abuse" | "fraud");
    let addresses = fields.all("original-rcpt-to").chain(fields.all("removal-recipient")).chain(reader);
    let mut recipients: Vec<Recipient> = Vec::new();
    for address in addresses.map(bare_address).take(MOST) {
        add_recipient(&mut recipients, spoken_of(address, &kind));
    }
    if recipients.is_empty() {
        recipients = addresses::returned_to(mail, "").into_iter().map(|address| spoken_of(address, &kind)).collect();
    }
    Some(Report {
        class: Class::Complaint,
        recipients,
        message_ids: returned_ids(mail),
        why: match complains {
            true => format!("it is a feedback report of type {kind}"),
            false => format!("it is a feedback report of type {kind}, which is no complaint about abuse"),
        },
        complains,
    })
}

/// A feedback report whose part is called a plain text.
fn plain_feedback(mail: &Mail) -> Option<Fields> {
    let texts = mail.leaves.iter().filter(|leaf| leaf.kind == "text/plain" && !leaf.is_file).take(3);
    let fields = texts.map(|leaf| Fields::parse(split(leaf.body.trim_ascii_start()).0));
    fields.into_iter().find(|fields| fields.get("feedback-type").is_some() && fields.get("user-agent").is_some())
}

fn spoken_of(address: String, action: &str) -> Recipient {
    Recipient { address, action: action.to_owned(), status: String::new(), permanent: None, diagnostic: String::new() }
}

fn delivery(mail: &Mail, text: &str, null_sender: bool) -> Option<Report> {
    let kinds = ["message/delivery-status", "message/global-delivery-status"];
    let leaves: Vec<&Leaf> = mail.leaves.iter().filter(|leaf| kinds.contains(&leaf.kind.as_str())).collect();
    // Forwarded by a person, the parts of a report are files among others.
    let machine = null_sender || is_daemon(mail) || has_bounce_subject(&mail.subject);
    let declared = mail.report_type == "delivery-status" && machine;
    if !declared && !leaves.iter().any(|leaf| leaf.in_report || machine) {
        return None;
    }
    if leaves.is_empty()
        && let Some(inner) = wrapped(mail)
    {
        let text = shown(&inner.text());
        return delivery(&inner, &text, true);
    }
    let told = Told::of(mail, text);
    let mut recipients: Vec<Recipient> = Vec::new();
    for one in leaves.iter().flat_map(|leaf| blocks(&leaf.body)).filter_map(|block| recipient(&block)) {
        add_recipient(&mut recipients, one);
    }
    let mut missing = false;
    if !recipients.iter().any(|one| one.address.contains('@')) {
        let action = recipients.first().map(|one| one.action.clone()).filter(|action| !action.is_empty());
        let guessed = if told.is_delay() { "delayed" } else { "failed" };
        if action.is_some() || told.is_failure() || told.is_delay() {
            let named = prose::recipients(mail, &told, action.as_deref().unwrap_or(guessed));
            missing = recipients.is_empty();
            recipients = merged(recipients, named);
        }
    }
    let (class, why) = match class_of(&recipients) {
        (Class::Unclear, _) if told.is_delay() => (Class::Delay, "a delivery report says in words: delayed"),
        (Class::Unclear, _) if told.is_failure() => (Class::BouncePermanent, "a delivery report says in words: failed"),
        (class, _) if missing => (class, "a delivery report names the recipient in words only"),
        known => known,
    };
    let message_ids = prose::message_ids(mail, &told);
    Some(Report { class, recipients, message_ids, why: why.to_owned(), complains: false })
}

/// The report that a gateway wrapped into a message of its own.
fn wrapped(mail: &Mail) -> Option<Mail> {
    let leaf = mail.leaf(&["message/rfc822"])?;
    let inner = parse(&leaf.body);
    (inner.report_type == "delivery-status" && inner.leaf(&["message/delivery-status"]).is_some()).then_some(inner)
}

/// Recipients that the words name, with what the report says of those it names in a way of its own (X.400, a number).
fn merged(stated: Vec<Recipient>, named: Vec<Recipient>) -> Vec<Recipient> {
    let Some(first) = stated.first() else { return named };
    if named.is_empty() {
        return stated;
    }
    let with = |one: Recipient| Recipient {
        address: one.address,
        action: first.action.clone(),
        status: first.status.clone(),
        permanent: first.permanent,
        diagnostic: if first.diagnostic.is_empty() { one.diagnostic } else { first.diagnostic.clone() },
    };
    named.into_iter().map(with).collect()
}

/// Each address once; of two outcomes the worse.
fn add_recipient(recipients: &mut Vec<Recipient>, one: Recipient) {
    let room = recipients.len() < MOST;
    match recipients.iter_mut().find(|known| known.address.eq_ignore_ascii_case(&one.address)) {
        Some(known) if known.permanent != Some(true) && one.permanent == Some(true) => *known = one,
        Some(_) => {}
        None if room => recipients.push(one),
        None => {}
    }
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

fn receipt(mail: &Mail, text: &str) -> Option<Report> {
    let kinds = ["message/disposition-notification", "message/global-disposition-notification"];
    let leaf = mail.leaf(&kinds).filter(|leaf| leaf.in_report || !leaf.is_file);
    if leaf.is_none() && mail.report_type != "disposition-notification" {
        return None;
    }
    let fields = leaf.map(|leaf| Fields::parse(&leaf.body)).unwrap_or_default();
    let disposition = fields.get("disposition").unwrap_or_default().rsplit(';').next().unwrap_or_default();
    let disposition = disposition.trim().to_ascii_lowercase();
    let address = fields.get("final-recipient").or_else(|| fields.get("original-recipient")).map(bare_address);
    let mut message_ids = fields.ids("original-message-id");
    add_new(&mut message_ids, returned_ids(mail));
    if is_rejection(mail, text, &disposition) {
        let recipient = address.map(|address| Recipient {
            permanent: Some(true),
            diagnostic: text.chars().take(DIAGNOSTIC).collect(),
            ..spoken_of(address, "failed")
        });
        let why = "a filter of the recipient's rejected the letter".to_owned();
        let recipients = recipient.into_iter().collect();
        return Some(Report { class: Class::BouncePermanent, recipients, message_ids, why, complains: false });
    }
    let recipients = address.map(|address| spoken_of(address, &disposition)).into_iter().collect();
    let why = format!("it is a read receipt ({})", if disposition.is_empty() { "unstated" } else { &disposition });
    Some(Report { class: Class::Receipt, recipients, message_ids, why, complains: false })
}

/// Filters refuse a letter by a receipt that says `deleted` (RFC 5429 2.1.2; Dovecot on a full mailbox).
fn is_rejection(mail: &Mail, text: &str, disposition: &str) -> bool {
    let submitted = mail.fields.get("auto-submitted").unwrap_or_default().to_ascii_lowercase();
    let said = text.chars().take(DIAGNOSTIC).collect::<String>().to_lowercase();
    submitted.contains("rejected") || (disposition.starts_with("deleted") && said.contains("rejected"))
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
    // To whom we wrote; the final one may be where that address is forwarded to.
    let original = fields.get("original-recipient").map(bare_address).filter(|address| is_address(address));
    let address = original.or_else(|| fields.get("final-recipient").map(bare_address));
    let address = address.or_else(|| fields.get("original-recipient").map(bare_address))?;
    let diagnostic: String = fields.get("diagnostic-code").unwrap_or_default().chars().take(DIAGNOSTIC).collect();
    let stated = enhanced_code(fields.get("status").unwrap_or_default());
    let said = enhanced_code(&diagnostic);
    // `5.0.0` says no more than that something failed; what the other server said says more.
    let vague = stated.as_ref().is_none_or(|code| code.ends_with(".0.0"));
    let status = if vague { said.or(stated) } else { stated }.unwrap_or_default();
    let action = action(fields.get("action").unwrap_or_default(), &status);
    let permanent = permanence(&action, &status, &diagnostic);
    Some(Recipient { address, action, status, permanent, diagnostic })
}

fn is_address(address: &str) -> bool {
    address
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.contains(' '))
}

/// One of the five words; some mail systems have words of their own or add a remark (`failed (user unknown)`).
fn action(stated: &str, status: &str) -> String {
    let word = stated.split([' ', '(', ';']).next().unwrap_or_default().to_ascii_lowercase();
    match (word.as_str(), status.chars().next()) {
        ("failure" | "error" | "fail" | "expired" | "bounced" | "rejected" | "undeliverable", _) => "failed".to_owned(),
        ("delay" | "deferred" | "queued", _) => "delayed".to_owned(),
        ("deliverable" | "success" | "delivery", _) => "delivered".to_owned(),
        ("", Some('4' | '5')) => "failed".to_owned(),
        ("", Some('2')) => "delivered".to_owned(),
        _ => word,
    }
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

/// The headers of the messages (or header blocks) that are enclosed.
fn enclosed(mail: &Mail) -> impl Iterator<Item = Fields> {
    const ENCLOSED: [&str; 6] = [
        "message/rfc822",
        "message/global",
        "message/rfc822-headers",
        "message/global-headers",
        "text/rfc822-headers",
        "message/partial",
    ];
    let leaves = mail.leaves.iter().filter(|leaf| ENCLOSED.contains(&leaf.kind.as_str()));
    leaves.map(|leaf: &Leaf| Fields::parse(split(&leaf.body).0))
}

/// Their Message-IDs.
fn returned_ids(mail: &Mail) -> Vec<String> {
    let mut known = Vec::new();
    for fields in enclosed(mail) {
        add_new(&mut known, fields.ids("message-id"));
    }
    known
}

/// The addresses that they name as their senders, and those with a detail (`local+detail@domain`) in the report's text.
pub(super) fn returned_senders(mail: &Mail, text: &str) -> Vec<String> {
    const SENDERS: [&str; 4] = ["reply-to", "return-path", "x-envelope-from", "from"];
    let mut known = Vec::new();
    for fields in enclosed(mail) {
        for value in SENDERS.iter().filter_map(|name| fields.get(name)) {
            add_new(&mut known, addresses::addresses(value));
        }
    }
    let detailed = text.lines().filter(|line| line.contains('+')).flat_map(addresses::addresses);
    add_new(&mut known, detailed.filter(|address| address.contains('+')).take(MOST).collect());
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
