//! Delivery failures that are told in sentences only: exim, qmail, older postfix and Exchange, gateways.
//!
//! Invariant: the sender is a mail system (null envelope sender, `mailer-daemon`, `X-Failed-Recipients`) and the words
//! are a mail system's, or subject and first words both are; an answer's subject and an out-of-office subject win over
//! the words, so that a person may quote a bounce.

use super::super::automatic::{asks, has_automatic_subject, is_absence, is_answer};
use super::super::mime::{Mail, ids_in};
use super::super::requests;
use super::super::senders::{is_daemon, is_daemon_address, is_nobody, is_sure_daemon};
use super::addresses;
use super::phrases::{COPIES, DELAYS, FAILURES, GIVEN_UP, MAY_PASS, SUBJECTS, SYSTEMS};
use super::{Class, Recipient, Report, add_new, class_of, enhanced_code, permanence};

/// Bytes in which a mail system says what it has to say.
const TOLD: usize = 16 * 1024;

/// What is told, and the copy of the letter below it.
pub(super) struct Told<'a> {
    pub(super) told: &'a str,
    pub(super) copy: &'a str,
    /// Subject and what is told, lower case, on one line.
    said: String,
    /// Where the subject ends in it.
    subject: usize,
}

impl<'a> Told<'a> {
    pub(super) fn of(mail: &Mail, text: &'a str) -> Self {
        let (told, copy) = parted(text);
        let end = told.char_indices().map(|(at, _)| at).find(|at| *at >= TOLD).unwrap_or(told.len());
        let plain = |text: &str| {
            let text = text.to_lowercase().replace(['’', '‘'], "'");
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let subject = plain(&mail.subject);
        let said = format!("{subject} {}", plain(&told[..end]));
        Self { told, copy, said, subject: subject.len() }
    }

    fn says(&self, phrases: &str) -> bool {
        phrases.lines().any(|phrase| self.said.contains(phrase))
    }

    /// Whether the letter is still under way.
    pub(super) fn is_delay(&self) -> bool {
        self.says(DELAYS) && !self.says(GIVEN_UP)
    }

    /// Whether somebody wants something of us in the first words.
    fn wants(&self) -> bool {
        requests::are_in(self.words())
    }

    /// Whether what stands below the subject is a failure's.
    fn tells_failure(&self) -> bool {
        let words = self.words();
        opens_as_server(self.told)
            || [SYSTEMS, FAILURES].iter().any(|list| list.lines().any(|phrase| words.contains(phrase)))
    }

    /// Without the subject.
    fn words(&self) -> &str {
        &self.said[self.subject..]
    }

    /// Whether the words are those of a failure.
    pub(super) fn is_failure(&self) -> bool {
        self.says(SYSTEMS) || self.says(FAILURES)
    }
}

/// Whether a subject is one that mail systems write.
pub(in super::super) fn has_bounce_subject(line: &str) -> bool {
    let line = line.trim_start_matches(['*', '[', ' ']).to_lowercase();
    !is_answer(&line) && SUBJECTS.lines().any(|phrase| line.contains(phrase))
}

/// The failure or delay that a mail system tells of. `words` are the sender's own.
pub(super) fn read(mail: &Mail, text: &str, words: &str, null_sender: bool) -> Option<Report> {
    let failed = mail.fields.get("x-failed-recipients");
    let machine = failed.is_some() || null_sender || is_daemon(mail);
    if has_automatic_subject(&mail.subject)
        || (is_answer(&mail.subject.to_lowercase()) && !null_sender && failed.is_none())
    {
        return disguised(mail, text, words);
    }
    if failed.is_none() && !is_daemon(mail) && is_absence(words) {
        return None;
    }
    let subject = has_bounce_subject(&mail.subject);
    // A postmaster or an administrator may be a person: a subject alone makes no report of what they write.
    let role = !null_sender && !is_sure_daemon(mail);
    let unread = is_nobody(mail.from.as_deref().unwrap_or_default());
    let may_be_one = machine || subject || (unread && opens_as_system(words));
    if !may_be_one {
        // A person's mail, as most are: its words need not be looked through.
        return None;
    }
    let told = Told::of(mail, text);
    let delays = told.is_delay();
    let may_be_somebody = (machine || subject) && !null_sender && failed.is_none() && !is_daemon_address(mail);
    if may_be_somebody && told.wants() && !opens_as_system(words) {
        return None;
    }
    let fails = match (machine, subject) {
        (true, true) if role && failed.is_none() => {
            opens_as_system(words)
                || ((!asks(words) || told.says(SYSTEMS))
                    && (told.tells_failure() || delays || is_marked(mail))
                    && !is_thread(mail))
        }
        (true, true) => null_sender || is_sure_daemon(mail) || !asks(words) || told.says(SYSTEMS),
        (true, false) if is_sure_daemon(mail) || failed.is_some() => told.is_failure() || delays,
        // A vacation program has no sender either, and a postmaster may be a person: the words must be a mail system's.
        (true, false) => told.says(SYSTEMS) && !(asks(words) && is_thread(mail)),
        (false, true) => {
            !asks(words) && !is_thread(mail) && (opens_as_system(words) || (told.is_failure() && returns(mail, &told)))
        }
        (false, false) => true,
    };
    if !fails && failed.is_none() {
        return None;
    }
    Some(report(mail, &told, delays))
}

/// Whether a mail answers another.
fn is_thread(mail: &Mail) -> bool {
    mail.fields.get("in-reply-to").is_some() || mail.fields.get("references").is_some()
}

/// Whether the header says that a program sent it.
fn is_marked(mail: &Mail) -> bool {
    let stated = |name: &str| mail.fields.get(name).unwrap_or_default().trim().to_ascii_lowercase();
    let submitted = stated("auto-submitted");
    matches!(stated("precedence").as_str(), "bulk" | "junk")
        || mail.fields.get("x-autogenerated").is_some()
        || !(submitted.is_empty() || submitted.starts_with("no"))
}

/// Whether the letter, or its header, comes back with the words.
fn returns(mail: &Mail, told: &Told) -> bool {
    !told.copy.is_empty() || mail.leaf(&["message/rfc822", "text/rfc822-headers"]).is_some()
}

/// Gateways that answer with the letter's own subject: only the words can tell, and only if they are all there is.
fn disguised(mail: &Mail, text: &str, words: &str) -> Option<Report> {
    let told = Told::of(mail, text);
    let line = mail.subject.to_lowercase();
    let subject = SUBJECTS.lines().any(|phrase| line.contains(phrase));
    let daemon = is_daemon(mail);
    let speaks = (opens_as_system(words) || (daemon && opens_as_server(words))) && !told.wants();
    let fails = speaks && !asks(words) && words.len() < 2_000 && (daemon || (subject && !is_thread(mail)));
    fails.then(|| report(mail, &told, told.is_delay()))
}

/// Whether the first words are a mail system's.
pub(in super::super) fn opens_as_system(words: &str) -> bool {
    let first: String = words.chars().filter(|char| !matches!(char, '*' | '#' | '-' | '=' | '_')).take(160).collect();
    let first = first.to_lowercase().replace(['’', '‘'], "'").split_whitespace().collect::<Vec<_>>().join(" ");
    SYSTEMS.lines().any(|phrase| first.contains(phrase))
}

/// Whether the first words hold the reply of a mail server: a line that begins with its code.
pub(in super::super) fn opens_as_server(words: &str) -> bool {
    words.lines().filter(|line| !line.trim().is_empty()).take(12).any(|line| {
        let line = line.trim_start_matches([' ', '\t', '<', '>', '-', '#', '(']);
        let code = line
            .get(..3)
            .is_some_and(|code| code.starts_with(['4', '5']) && code.bytes().all(|byte| byte.is_ascii_digit()));
        let said = line.get(3..).unwrap_or_default().to_lowercase();
        let speaks = [
            "user",
            "mailbox",
            "recipient",
            "address",
            "relay",
            "requested action",
            "rejected",
            "unknown",
            "quota",
            "5.",
            "4.",
        ];
        code && said.starts_with([' ', '-']) && speaks.iter().any(|word| said.contains(word))
    })
}

fn report(mail: &Mail, told: &Told, delays: bool) -> Report {
    let action = if delays { "delayed" } else { "failed" };
    let recipients = recipients(mail, told, action);
    // The words speak of the whole where no address stands alone on a line.
    let class = if delays {
        Class::Delay
    } else if recipients.iter().all(|one| one.permanent.is_none()) {
        general(&told.said)
    } else {
        class_of(&recipients).0
    };
    let why = format!("a mail system says in words that a letter {action}");
    Report { class, recipients, message_ids: message_ids(mail, told), why, complains: false }
}

/// Who was not reached, by what the words say.
pub(super) fn recipients(mail: &Mail, told: &Told, action: &str) -> Vec<Recipient> {
    let found = addresses::in_prose(mail, told.told, told.copy);
    let recipients = found.into_iter().map(|(address, diagnostic)| {
        let status = enhanced_code(&diagnostic).unwrap_or_default();
        let permanent = permanence(action, &status, &diagnostic);
        Recipient { address, action: action.to_owned(), status, permanent, diagnostic }
    });
    recipients.collect()
}

/// Of the letter, by the parts of the report and by its copy in the text.
pub(super) fn message_ids(mail: &Mail, told: &Told) -> Vec<String> {
    let mut ids = super::returned_ids(mail);
    for line in told.copy.lines().chain(told.told.lines()) {
        let line = line.trim_start_matches(['>', ' ', '\t']);
        if line.get(..11).is_some_and(|head| head.eq_ignore_ascii_case("message-id:")) {
            add_new(&mut ids, ids_in(&line[11..]));
        }
    }
    ids
}

/// Where no address has a code of its own.
fn general(said: &str) -> Class {
    // Telephone numbers look like reply codes: one counts only behind a word that introduces it.
    let reply = ["said: ", "error code ", "error: ", "code: ", "response: ", "respond: "]
        .iter()
        .find_map(|word| said.split_once(word));
    let reply: String = reply.map(|(_, rest)| rest.chars().take(40).collect()).unwrap_or_default();
    match permanence("failed", &enhanced_code(said).unwrap_or_default(), &reply) {
        Some(false) => Class::BounceTransient,
        Some(true) => Class::BouncePermanent,
        None if MAY_PASS.lines().any(|phrase| said.contains(phrase)) && !said.contains("permanent") => {
            Class::BounceTransient
        }
        None => Class::BouncePermanent,
    }
}

/// What is told, and the copy of the letter below it.
fn parted(text: &str) -> (&str, &str) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_lowercase();
        if at > 0 && line.len() < 200 && COPIES.lines().any(|mark| lower.contains(mark)) {
            return text.split_at(at);
        }
        at += line.len();
    }
    (text, "")
}
