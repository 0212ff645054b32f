//! Signs that a machine wrote a mail: out-of-office notes, acknowledgements, senders that nobody reads.
//!
//! Does not look at reports (those are recognised before). Invariant: a weak sign alone says nothing, two of them or a
//! sender that no person uses make a mail `unclear`; a subject in a person's own sentence is never taken for certain.

use super::mime::Mail;

/// What the signs amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Signs {
    /// An automatic reply.
    Certain(String),
    /// A person must look.
    Some(String),
    /// None that count.
    None,
}

/// Openings of automatic subjects, lower case, in the languages that mail programs ship with.
const SUBJECTS: [&str; 60] = [
    "automatic reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "auto-response",
    "autoresponse",
    "automated reply",
    "automated response",
    "out of office",
    "out of the office",
    "out-of-office",
    "ooo",
    "vacation",
    "away from my mail",
    "automatische antwort",
    "automatische rückmeldung",
    "autom. antwort",
    "abwesenheit",
    "abwesenheitsnotiz",
    "abwesenheitsmeldung",
    "abwesenheitsnachricht",
    "abwesend",
    "nicht im büro",
    "außer haus",
    "réponse automatique",
    "reponse automatique",
    "absence du bureau",
    "absent du bureau",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "risposta automatica",
    "fuori ufficio",
    "fuori sede",
    "automatisch antwoord",
    "afwezig",
    "afwezigheidsbericht",
    "resposta automática",
    "fora do escritório",
    "odpowiedź automatyczna",
    "automatyczna odpowiedź",
    "autosvar",
    "automatiskt svar",
    "automatisk svar",
    "frånvaro",
    "fravær",
    "automaattinen vastaus",
    "poissa",
    "automatická odpověď",
    "automatikus válasz",
    "răspuns automat",
    "автоматический ответ",
    "автоответ",
    "otomatik yanıt",
    "自動応答",
    "自動返信",
    "不在",
    "自动答复",
    "自动回复",
];

/// Local parts that no person writes from.
const NOBODY: [&str; 8] = [
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "do_not_reply",
    "keine-antwort",
    "nicht-antworten",
];

/// Weighs the signs. `words` are the sender's own.
pub(super) fn signs(mail: &Mail, words: &str, null_sender: bool) -> Signs {
    if let Some(why) = certain(mail) {
        return Signs::Certain(why);
    }
    let weak = weak(mail, null_sender);
    match subject(&mail.subject) {
        Subject::Automatic if !weak.is_empty() || !words.contains(['?', '？', '؟']) => {
            return Signs::Certain(format!("its subject is that of an automatic reply: {}", mail.subject));
        }
        Subject::Automatic | Subject::Perhaps => {
            return Signs::Some("its subject may be that of an automatic reply".to_owned());
        }
        Subject::Ordinary => {}
    }
    if null_sender {
        return Signs::Some("its envelope has no sender, as mail of machines has".to_owned());
    }
    let from = mail.from.as_deref().unwrap_or_default();
    if is_daemon(from) || is_nobody(from) {
        return Signs::Some("its sender's address is one that no person writes from".to_owned());
    }
    if mail.kind == "multipart/report" {
        return Signs::Some("it is a report of a kind that is not known here".to_owned());
    }
    if weak.len() > 1 {
        return Signs::Some(format!("it has several signs of a machine: {}", weak.join(", ")));
    }
    Signs::None
}

/// Whether a subject opens like an automatic one, certainly or perhaps.
pub(super) fn has_automatic_subject(line: &str) -> bool {
    match subject(line) {
        Subject::Automatic | Subject::Perhaps => true,
        Subject::Ordinary => false,
    }
}

/// Whether an address is a mail system's.
pub(super) fn is_daemon(address: &str) -> bool {
    let local = local_part(address);
    local.starts_with("mailer-daemon")
        || local.starts_with("mail-daemon")
        || local.starts_with("postmaster")
        || local.starts_with("microsoftexchange")
        || local == "mail.delivery.system"
}

fn is_nobody(address: &str) -> bool {
    let local = local_part(address);
    NOBODY.iter().any(|name| local.starts_with(name))
}

fn local_part(address: &str) -> String {
    address.rsplit_once('@').map_or(address, |(local, _)| local).to_ascii_lowercase()
}

fn certain(mail: &Mail) -> Option<String> {
    let first_word = |value: &str| {
        value.split([';', ' ', '(']).find(|word| !word.is_empty()).unwrap_or_default().to_ascii_lowercase()
    };
    let submitted =
        mail.fields.all("auto-submitted").map(first_word).find(|value| !matches!(value.as_str(), "" | "no"));
    if let Some(value) = submitted {
        return Some(format!("its header says auto-submitted: {value}"));
    }
    for name in
        ["x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply", "x-vacation"]
    {
        if mail.fields.get(name).is_some_and(|value| !matches!(first_word(value).as_str(), "no" | "false")) {
            return Some(format!("it has the header {name}"));
        }
    }
    let replies = |value: &str| matches!(first_word(value).as_str(), "auto_reply" | "auto-reply" | "autoreply");
    if mail.fields.all("precedence").chain(mail.fields.all("x-precedence")).any(replies) {
        return Some("its header says precedence: auto_reply".to_owned());
    }
    None
}

/// Signs that say nothing alone.
fn weak(mail: &Mail, null_sender: bool) -> Vec<&'static str> {
    let mut weak = Vec::new();
    if null_sender {
        weak.push("no envelope sender");
    }
    let suppress = mail.fields.get("x-auto-response-suppress").unwrap_or("none").to_ascii_lowercase();
    if suppress != "none" {
        weak.push("x-auto-response-suppress");
    }
    let bulk = |value: &str| matches!(value.trim().to_ascii_lowercase().as_str(), "bulk" | "junk" | "list");
    if mail.fields.all("precedence").any(bulk) {
        weak.push("precedence: bulk");
    }
    if mail.fields.get("list-unsubscribe").is_some() {
        weak.push("list-unsubscribe");
    }
    weak
}

enum Subject {
    Automatic,
    Perhaps,
    Ordinary,
}

/// `Out of office: …` is automatic, `Out of office hours contact` may be a person's.
fn subject(line: &str) -> Subject {
    let line = line.trim().trim_start_matches(['[', '(', '*']).to_lowercase();
    let mut seen = Subject::Ordinary;
    for opening in SUBJECTS {
        let Some(rest) = line.strip_prefix(opening) else { continue };
        let rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with([':', '：', ']', ')', '-', '–', '—', '!', '|', '*']) {
            return Subject::Automatic;
        }
        if rest.starts_with("auto") {
            return Subject::Automatic;
        }
        // `oooh` and `vacations` are other words.
        let same_word = line[opening.len()..].starts_with(char::is_alphabetic) && opening.is_ascii();
        if !same_word {
            seen = Subject::Perhaps;
        }
    }
    seen
}
