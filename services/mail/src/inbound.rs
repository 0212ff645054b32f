//! What comes back: one message read, told apart (a person, a bounce, a machine) and reduced to the sender's own words.
//!
//! Pure: no SQL, no network, no clock. Does not decide whose ticket a message belongs to, and never drops anything:
//! the caller has stored the raw bytes before. Invariant: any bytes give an [`Inbound`], in time linear in their
//! number; a message with a sign of a machine is never `human`.

mod answers;
mod attachments;
mod automatic;
mod content;
mod decode;
mod html;
mod mime;
mod objection;
mod questions;
mod report;
mod requests;
mod senders;
#[cfg(test)]
mod tests;
mod thanks;
mod tnef;
mod words;
mod wrong_phrases;
mod wrong_recipient;

use std::collections::HashSet;
use std::fmt;

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use attachments::{Attachment, LARGEST as LARGEST_ATTACHMENT, attachments};
pub use content::content_digest;
pub use objection::says_objection;
pub use questions::questions;
pub use thanks::says_only_thanks;
pub use wrong_recipient::{Heard, heard, names_one_of, other_recipients, says_wrong_recipient};

use automatic::Signs;
use mime::Mail;
use report::Report;

/// Stands for the words of a mail that cannot be read here.
const ENCRYPTED: &str = "(This mail is encrypted. Its words can be read only with the key it was encrypted for.)";
/// The most addresses, ids or recipients that are kept of one message; nobody writes more by hand.
const MOST: usize = 200;
/// Characters of our own Message-IDs before the `@`.
const OWN_ID: usize = 26;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A person wrote it.
    Human,
    /// A letter was refused for good.
    BouncePermanent,
    /// A letter was given up for a reason that may pass.
    BounceTransient,
    /// A letter is still under way.
    Delay,
    /// An out-of-office note or another automatic reply.
    AutoReply,
    /// A reader marked a letter as unwanted.
    Complaint,
    /// A letter was read, deleted or delivered, says a program.
    Receipt,
    /// One of our own letters came back.
    Loop,
    /// A person must look: unreadable, empty, encrypted, or with some sign of a machine.
    Unclear,
}

impl Class {
    /// The name in tables and JSON (`bounce_permanent`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::BouncePermanent => "bounce_permanent",
            Self::BounceTransient => "bounce_transient",
            Self::Delay => "delay",
            Self::AutoReply => "auto_reply",
            Self::Complaint => "complaint",
            Self::Receipt => "receipt",
            Self::Loop => "loop",
            Self::Unclear => "unclear",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One recipient that a report speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The address, as the report writes it.
    pub address: String,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`; for receipts and complaints their own word.
    pub action: String,
    /// Enhanced status code (`5.1.1`); empty where none is stated.
    pub status: String,
    /// Whether the refusal is for good; `None` where the report does not say, or nothing was refused.
    pub permanent: Option<bool>,
    /// What the receiving server said; at most 1,000 characters.
    pub diagnostic: String,
}

/// Whether a subject is an answer's (`Re: …`): its words are those of the mail that it answers.
pub fn is_answer(subject: &str) -> bool {
    automatic::is_answer(&subject.to_lowercase())
}

/// A message as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// What it is.
    pub class: Class,
    /// Its own Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// Message-IDs it answers, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// Message-IDs of its thread, oldest first.
    pub references: Vec<String>,
    /// Message-IDs of the messages that a bounce, complaint or receipt is about.
    pub returned_message_ids: Vec<String>,
    /// Addresses that the returned messages name as their senders, and those in the report's words: of a letter of ours
    /// one of them has the token of its conversation.
    pub returned_senders: Vec<String>,
    /// Every address it was sent to: envelope first, then Delivered-To, X-Original-To, Envelope-To, To and Cc.
    pub to: Vec<String>,
    /// The address in From.
    pub from: Option<String>,
    /// The name in From.
    pub from_name: Option<String>,
    /// The subject, one line; empty where there is none.
    pub subject: String,
    /// The Date header; what the sender's clock says.
    pub date: Option<Timestamp>,
    /// What a person wrote is hidden from us (S/MIME, PGP): the mail is kept, and its words are to be read elsewhere.
    pub encrypted: bool,
    /// Whether a program may answer (RFC 3834 2): to no machine, no list, no bulk mail, no sender that nobody reads.
    /// Another question than `class`: a person's mail may forbid an automatic answer, and still be a person's.
    pub may_answer: bool,
    /// The sender's own words: without quotes of earlier mails and without signature.
    pub new_text: String,
    /// What stands below that without marks and was taken for a repeated mail; empty where nothing was.
    #[serde(default, skip_serializing)]
    pub repeated: String,
    /// The whole text.
    pub full_text: String,
    /// Of whom a report speaks.
    pub recipients: Vec<Recipient>,
    /// Of class `complaint`: its reader takes the returned letter for abuse.
    #[serde(default)]
    pub complains: bool,
    /// Why it was put in this class: sentences for people.
    pub evidence: Vec<String>,
}

/// Reads any bytes. `own_ids` says whether a Message-ID is one of ours; the envelope is used where it is known.
pub fn read(
    raw: &[u8],
    envelope_from: Option<&str>,
    envelope_to: Option<&str>,
    own_ids: &dyn Fn(&str) -> bool,
) -> Inbound {
    let mail = mime::parse(raw);
    let marked = mail.text();
    let full_text = words::shown(&marked);
    let parts = words::parts(&marked, words::Purpose::of(&mail.subject));
    let mut inbound = Inbound {
        class: Class::Unclear,
        message_id: mail.fields.ids("message-id").into_iter().next(),
        in_reply_to: newest(mail.fields.ids("in-reply-to")),
        references: newest(mail.fields.ids("references")),
        returned_message_ids: Vec::new(),
        returned_senders: Vec::new(),
        to: addressees(&mail, envelope_to),
        from: mail.from.clone(),
        from_name: mail.from_name.clone(),
        subject: mail.subject.clone(),
        date: mail.date,
        encrypted: mail.is_encrypted(&full_text),
        may_answer: false,
        new_text: parts.own,
        repeated: parts.repeated,
        full_text,
        recipients: Vec::new(),
        complains: false,
        evidence: mail.notes.clone(),
    };
    let null_sender = senders::is_null(&mail.fields, envelope_from);
    classify(&mut inbound, &mail, null_sender, own_ids);
    if matches!(inbound.class, Class::Human | Class::Unclear) {
        read_attached(&mut inbound, &mail);
    }
    inbound.may_answer = matches!(inbound.class, Class::Human | Class::Unclear) && answers::may(&mail, null_sender);
    if inbound.encrypted && is_opaque(&inbound.new_text) {
        ENCRYPTED.clone_into(&mut inbound.new_text);
    }
    inbound
}

/// A letter of ours as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentLetter {
    /// Its text part.
    pub text: String,
    /// Its HTML part.
    pub html: Option<String>,
}

impl Inbound {
    /// Whether the letters that it answers can tell more of what its sender wrote.
    pub fn repeats(&self) -> bool {
        !self.repeated.is_empty() && matches!(self.class, Class::Human | Class::Unclear)
    }

    /// Adds what its sender wrote between the lines of these letters, which it repeats without marks. Nothing is taken away.
    pub fn read_between(&mut self, letters: &[&SentLetter]) {
        let html: Vec<String> = letters.iter().filter_map(|letter| letter.html.as_deref()).map(html::to_text).collect();
        let texts: Vec<&str> =
            letters.iter().map(|letter| letter.text.as_str()).chain(html.iter().map(String::as_str)).collect();
        let own = words::between(&self.repeated, &texts);
        if !own.is_empty() {
            self.new_text.push_str("\n\n");
            self.new_text.push_str(&own);
            self.evidence.push("words of its sender stand between the lines of our letter".to_owned());
        }
    }
}

/// What a person attached as text is theirs, too: what it asks stands below their own words.
fn read_attached(inbound: &mut Inbound, mail: &Mail) {
    for attached in mail.attached() {
        for (text, more) in [(&mut inbound.full_text, &attached.full_text), (&mut inbound.new_text, &attached.asks)] {
            if !text.is_empty() && !more.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&words::shown(more));
        }
    }
}

/// Whether nothing in a text can be read.
fn is_opaque(text: &str) -> bool {
    text.is_empty() || text.trim_start().starts_with("-----BEGIN PGP MESSAGE-----")
}

fn classify(inbound: &mut Inbound, mail: &Mail, null_sender: bool, own_ids: &dyn Fn(&str) -> bool) {
    let mut decide = |class: Class, why: String| {
        inbound.class = class;
        inbound.evidence.push(why);
    };
    if inbound.message_id.as_deref().is_some_and(own_ids) {
        return decide(Class::Loop, "the message-id is one of ours".to_owned());
    }
    if let Some(name) = mail.fields.name_with_prefix("x-forthright-") {
        return decide(Class::Loop, format!("it has our own header {name}"));
    }
    let report = report::read(mail, &inbound.full_text, &inbound.new_text, null_sender);
    if let Some(Report { class, recipients, message_ids, why, complains }) = report {
        inbound.complains = complains;
        inbound.recipients = recipients;
        inbound.returned_message_ids = message_ids;
        inbound.returned_senders = report::returned_senders(mail, &inbound.full_text);
        inbound.class = class;
        inbound.evidence.push(why);
        return;
    }
    match automatic::signs(mail, &inbound.new_text, null_sender) {
        Signs::Reply(why) => decide(Class::AutoReply, why),
        Signs::Receipt(why) => decide(Class::Receipt, why),
        Signs::Unclear(why) => decide(Class::Unclear, why),
        Signs::None if inbound.encrypted => {
            decide(Class::Unclear, "it is encrypted, so that its text cannot be read here".to_owned());
        }
        Signs::None if mail.is_partial => {
            decide(Class::Unclear, "not all of its parts were read".to_owned());
        }
        Signs::None if inbound.new_text.is_empty() || words::is_mobile_signature(&inbound.new_text) => {
            decide(Class::Unclear, "it has no words of the sender's own".to_owned());
        }
        Signs::None => decide(Class::Human, "it has own words and no sign of a machine".to_owned()),
    }
}

/// The last ones, and of those before them the ones that have the form of ours: a thread may be long, and the letter that
/// is answered stands anywhere in it.
fn newest(ids: Vec<String>) -> Vec<String> {
    let others = ids.len().saturating_sub(MOST);
    let is_ours = |id: &str| {
        let local = id.split('@').next().unwrap_or_default();
        local.len() == OWN_ID && local.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let mut kept: Vec<String> = Vec::new();
    for (at, id) in ids.into_iter().enumerate() {
        if at >= others || (kept.len() < MOST && is_ours(&id)) {
            kept.push(id);
        }
    }
    kept
}

/// `local@domain` for each `"local"@domain` of a field: quotes that nothing needs (RFC 5321 4.1.2), and that the parser
/// takes for a name.
fn quoted(value: &str) -> impl Iterator<Item = String> {
    value.match_indices("\"@").filter_map(|(at, mark)| {
        let local = value[..at].rsplit('"').next()?;
        let rest = &value[at + mark.len()..];
        let domain = rest.split([' ', '\t', ',', ';', '>']).next()?;
        (local.len() < 300 && domain.len() < 300).then(|| format!("{local}@{domain}"))
    })
}

fn addressees(mail: &Mail, envelope_to: Option<&str>) -> Vec<String> {
    let headers = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to"];
    let stated = headers.iter().flat_map(|name| mail.fields.all(name)).flat_map(|value| value.split(','));
    let (mut to, mut known) = (Vec::new(), HashSet::new());
    let (mut tokens, mut others) = (0, 0);
    let quoted: Vec<String> = ["to", "cc"].iter().flat_map(|name| mail.fields.all(name)).flat_map(quoted).collect();
    let named = mail.to.iter().chain(&quoted).map(String::as_str);
    for address in envelope_to.into_iter().chain(stated).chain(named) {
        let address = address.trim().trim_matches(['<', '>']).trim();
        if address.split_once('@').is_none_or(|(local, _)| local.is_empty())
            || !known.insert(address.to_ascii_lowercase())
        {
            continue;
        }
        // However many others it was sent to: the one that names a ticket is not among the left out.
        let count = if model::ids::token_of(address).is_some() { &mut tokens } else { &mut others };
        *count += 1;
        if *count <= MOST {
            to.push(address.to_owned());
        }
    }
    to
}
