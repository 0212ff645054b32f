//! Delivery failures that are told in sentences only: exim, qmail, older postfix and Exchange, gateways.
//!
//! Invariant: the sender is a mail system (null envelope sender, `mailer-daemon`, `X-Failed-Recipients`) and the words
//! are a mail system's; an out-of-office subject wins over both.

use super::super::automatic::{has_automatic_subject, is_daemon};
use super::super::mime::{Mail, ids_in};
use super::{Class, DIAGNOSTIC, MOST, Recipient, Report, add_new, bare_address, class_of, enhanced_code, permanence};

/// Words that only a mail system opens with.
const SYSTEMS: [&str; 14] = [
    "this message was created automatically by mail delivery software",
    "hi. this is the qmail-send program",
    "this is the mail system at host",
    "this is the postfix program at host",
    "delivery has failed to these recipients or groups",
    "delivery to the following recipients failed",
    "your message did not reach some or all of the intended recipients",
    "the following addresses had permanent fatal errors",
    "the following addresses had transient non-fatal errors",
    "address not found",
    "fehler bei der nachrichtenzustellung an folgende empfänger",
    "ihre nachricht hat einige oder alle empfänger nicht erreicht",
    "échec de la remise à ces destinataires",
    "no se pudo entregar el mensaje a los siguientes destinatarios",
];
/// Words that need a mail system as author.
const FAILURES: [&str; 18] = [
    "could not be delivered",
    "couldn't be delivered",
    "cannot be delivered",
    "wasn't able to deliver",
    "unable to deliver",
    "undeliverable",
    "undelivered mail",
    "delivery failed",
    "delivery failure",
    "delivery status notification",
    "failure notice",
    "returned mail",
    "returned to sender",
    "mail delivery problem",
    "unzustellbar",
    "nicht zugestellt werden",
    "non remis",
    "no se ha podido entregar",
];
/// Words of a letter that is still under way.
const DELAYS: [&str; 9] = [
    "has not yet been delivered",
    "has not been delivered to one or more of its recipients after more than",
    "warning: message",
    "delivery is delayed",
    "message delayed",
    "delivery delayed",
    "(delay)",
    "you do not need to resend",
    "verzögert",
];
/// What stands above the copy of the letter.
const COPIES: [&str; 10] = [
    "this is a copy of the message",
    "this is a copy of your message",
    "below this line is a copy of the message",
    "included below this line is",
    "original message headers",
    "ursprüngliche nachrichtenkopfzeilen",
    "original message follows",
    "unsent message below",
    "original message -----",
    "return-path: <",
];
/// Lines that can belong to one address.
const LINES: usize = 8;

/// The failure or delay that a mail system tells of.
pub(super) fn read(mail: &Mail, text: &str, null_sender: bool) -> Option<Report> {
    let failed = mail.fields.get("x-failed-recipients");
    let daemon = failed.is_some() || is_daemon(mail.from.as_deref().unwrap_or_default());
    if !(null_sender || daemon) || has_automatic_subject(&mail.subject) {
        return None;
    }
    let (told, copy) = parted(text);
    let said = format!("{}\n{}", mail.subject, told).to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
    let fails = says(&SYSTEMS) || (daemon && says(&FAILURES));
    let delays = daemon && says(&DELAYS) && !says(&["permanent error", "given up", "giving up"]);
    if !(fails || delays || failed.is_some()) {
        return None;
    }
    let action = if delays { "delayed" } else { "failed" };
    let mut recipients = addresses(told, action);
    for address in failed.into_iter().flat_map(|list| list.split(',')).map(bare_address).take(MOST) {
        if address.contains('@') && !recipients.iter().any(|known| known.address.eq_ignore_ascii_case(&address)) {
            recipients.push(told_of(address, action, ""));
        }
    }
    // The words speak of the whole where no address stands alone on a line.
    let class = if delays {
        Class::Delay
    } else if recipients.is_empty() {
        general(&said)
    } else {
        class_of(&recipients).0
    };
    let mut message_ids = super::returned_ids(mail);
    for line in copy.lines().filter(|line| starts_so(line.trim_start_matches(['>', ' ']), "message-id:")) {
        add_new(&mut message_ids, ids_in(line.split_once(':').map_or("", |(_, ids)| ids)));
    }
    let why = format!("a mail system says in words that a letter {action}");
    Some(Report { class, recipients, message_ids, why })
}

fn general(said: &str) -> Class {
    match permanence("failed", &enhanced_code(said).unwrap_or_default(), "") {
        Some(false) => Class::BounceTransient,
        Some(true) | None => Class::BouncePermanent,
    }
}

/// What is told, and the copy of the letter below it.
fn parted(text: &str) -> (&str, &str) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_lowercase();
        if COPIES.iter().any(|mark| lower.contains(mark)) {
            return text.split_at(at);
        }
        at += line.len();
    }
    (text, text)
}

/// Addresses at the start of a line, each with what follows up to the next one or an empty line.
fn addresses(told: &str, action: &str) -> Vec<Recipient> {
    let mut recipients: Vec<Recipient> = Vec::new();
    let mut open: Option<(String, String, usize)> = None;
    let mut close = |open: Option<(String, String, usize)>| {
        if let Some((address, diagnostic, _)) = open
            && recipients.len() < MOST
            && !recipients.iter().any(|known| known.address.eq_ignore_ascii_case(&address))
        {
            recipients.push(told_of(address, action, &diagnostic));
        }
    };
    for line in told.lines().map(str::trim) {
        if let Some((address, rest)) = leading_address(line) {
            close(open.take());
            open = Some((address, rest.to_owned(), 0));
            continue;
        }
        open = match open.take() {
            Some((address, diagnostic, count)) if count < LINES && (!line.is_empty() || diagnostic.is_empty()) => {
                Some((address, format!("{diagnostic} {line}").trim().to_owned(), count + 1))
            }
            Some(ended) => {
                close(Some(ended));
                None
            }
            None => None,
        };
    }
    close(open);
    recipients
}

fn leading_address(line: &str) -> Option<(String, &str)> {
    let end = line.find(|char: char| char.is_whitespace()).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let word = word.split_once("<mailto:").map_or(word, |(address, _)| address);
    let address = word.trim_end_matches([':', ',', ';', '.']).trim_matches(['<', '>', '(', ')', '"', '\'']);
    let (local, domain) = address.rsplit_once('@')?;
    let plausible = !local.is_empty() && domain.contains('.') && !address.contains(['<', '>', '/', '=']);
    plausible.then(|| (address.chars().take(320).collect(), rest))
}

fn told_of(address: String, action: &str, diagnostic: &str) -> Recipient {
    let diagnostic: String = diagnostic.trim_start_matches([':', ' ']).chars().take(DIAGNOSTIC).collect();
    let status = enhanced_code(&diagnostic).unwrap_or_default();
    let permanent = permanence(action, &status, &diagnostic);
    Recipient { address, action: action.to_owned(), status, permanent, diagnostic }
}

fn starts_so(line: &str, start: &str) -> bool {
    line.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}
