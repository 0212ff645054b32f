//! The letters of a ticket: whom an answer, a promise or a decline goes to, and the rows it leaves by.
//!
//! Sends nothing. Invariant: an address that is no usable contact of the organisation is never written to, whoever
//! asked: facts go to proven contacts only.

use std::collections::{BTreeMap, BTreeSet};

use mail::templates::{AnswerContext, AskedQuestion, DeclineContext, PromiseContext, TemplateError, Templates};
use model::delivery::{State, rung};
use model::language::Language;
use model::notices::Letter;
use model::time::Timestamp;
use store::Conn;
use store::Tx;
use store::contacts::Contact;
use store::delivery::{Delivery, NewMail};
use store::notices::LetterRow;
use store::tickets::{QuestionRow, TicketRow};

use super::case::Case;
use crate::notices::letter_row;
use crate::{App, AppError, new_id};

/// A letter that is to be written.
pub(super) struct Post<'a> {
    /// The questions it is about.
    pub(super) about: &'a [QuestionRow],
    /// What it says.
    pub(super) content: Content<'a>,
    /// The timeline entry that causes it.
    pub(super) entry: &'a str,
}

/// What a letter says.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    /// The answer.
    Answer { text: &'a str },
    /// The answer in each language that a snippet has.
    Filled { snippet: &'a str, texts: &'a BTreeMap<Language, String> },
    /// That there will be one.
    Promise { by: Timestamp, text: &'a str },
    /// That there will be none.
    Decline { reason: &'a str, review_at: Timestamp },
}

/// What every letter of a ticket states.
struct Frame {
    incident_title: String,
    vendor: String,
    tenant_name: String,
    code: String,
    questions: Vec<AskedQuestion>,
}

impl Content<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Answer { .. } | Self::Filled { .. } => "answer",
            Self::Promise { .. } => "promise",
            Self::Decline { .. } => "decline",
        }
    }

    /// What a letter in this language is made from: a snippet in the language, else in English, else nothing.
    fn spoken(self, language: Language) -> Result<Self, AppError> {
        let Self::Filled { snippet, texts } = self else { return Ok(self) };
        match texts.get(&language).or_else(|| texts.get(&Language::En)) {
            Some(text) => Ok(Self::Answer { text }),
            None => Err(AppError::refused(
                format!("the snippet `{snippet}` is there neither in {language} nor in English"),
                format!("keep it in {language}: `forthright snippet add {snippet} --language {language} --text FILE`"),
            )),
        }
    }

    fn render(self, templates: &Templates, language: Language, frame: &Frame) -> Result<Letter, TemplateError> {
        let (incident_title, vendor) = (frame.incident_title.clone(), frame.vendor.clone());
        let (tenant_name, code, questions) = (frame.tenant_name.clone(), frame.code.clone(), frame.questions.clone());
        match self {
            Self::Answer { text } => {
                let answer = text.to_owned();
                templates.render_answer(
                    language,
                    &AnswerContext { incident_title, vendor, tenant_name, questions, answer, code },
                )
            }
            // `spoken` has chosen its words by now; without any, the English ones.
            Self::Filled { texts, .. } => {
                let answer = texts.get(&language).cloned().unwrap_or_default();
                let context = AnswerContext { incident_title, vendor, tenant_name, questions, answer, code };
                templates.render_answer(language, &context)
            }
            Self::Promise { by, text } => {
                let text = text.to_owned();
                let context = PromiseContext { incident_title, vendor, tenant_name, questions, by, text, code };
                templates.render_promise(language, &context)
            }
            Self::Decline { reason, review_at } => {
                let reason = reason.to_owned();
                let context =
                    DeclineContext { incident_title, vendor, tenant_name, questions, reason, review_at, code };
                templates.render_decline(language, &context)
            }
        }
    }
}

/// Writes the letter once per language and queues it to each reader; how many mails.
pub(super) async fn queue(app: &App, tx: &mut Tx, case: &Case, post: &Post<'_>) -> Result<usize, AppError> {
    let ticket = &case.ticket;
    let tenant = case.tenant(tx).await?;
    let contacts = store::contacts::of(tx, std::slice::from_ref(&tenant.id)).await?;
    let earlier = store::delivery::of_conversation(tx, &ticket.id).await?;
    let readers = readers(&contacts, post.about, &earlier);
    if readers.is_empty() {
        return Err(AppError::refused(
            format!(
                "nobody at tenant {} can be written to: no asker is a contact, and no contact has the notice",
                tenant.id
            ),
            "enter a contact whom you have checked: `forthright directory add-contact`",
        ));
    }
    let notice = store::escalation::newest_released(tx, case.incident.id, &tenant.id).await?;
    let frame = Frame {
        incident_title: case.incident.facts.title.clone(),
        vendor: case.incident.facts.vendor.clone(),
        tenant_name: tenant.name.clone(),
        code: notice.map(|notice| notice.code).unwrap_or_default(),
        questions: post.about.iter().map(asked).collect(),
    };
    let templates = crate::templates::of_incident(app, tx, case.incident.id).await?;
    let mut letters: BTreeMap<Language, LetterRow> = BTreeMap::new();
    let mut mails = Vec::with_capacity(readers.len());
    for contact in readers {
        let language = Language::of_contact(&contact.language, &tenant.language);
        let letter = match letters.entry(language) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                let letter = post.content.spoken(language)?.render(&templates, language, &frame)?;
                place.insert(letter_row(post.content.kind(), None, language, letter))
            }
        };
        mails.push(new_mail(app, case, post.entry, letter, contact, &earlier));
    }
    let letters: Vec<LetterRow> = letters.into_values().collect();
    let now = app.clock.now().micros();
    store::notices::insert_letters(tx, now, &letters).await?;
    let queued = store::delivery::insert_mails(tx, case.incident.id, now, app.clock.real().micros(), &mails).await?;
    Ok(usize::try_from(queued).unwrap_or(usize::MAX))
}

/// The addresses that an answer to these questions goes to.
pub(super) async fn addresses(
    conn: &mut Conn,
    ticket: &TicketRow,
    about: &[QuestionRow],
) -> Result<Vec<String>, AppError> {
    let contacts = store::contacts::of(conn, std::slice::from_ref(&ticket.tenant_id)).await?;
    let earlier = store::delivery::of_conversation(conn, &ticket.id).await?;
    Ok(readers(&contacts, about, &earlier).into_iter().map(|contact| contact.address.clone()).collect())
}

/// What the readers of an answer are told, each in their language: what the timeline keeps of it.
pub(super) async fn as_sent(
    tx: &mut Tx,
    case: &Case,
    about: &[QuestionRow],
    texts: &BTreeMap<Language, String>,
) -> Result<String, AppError> {
    let tenant = case.tenant(tx).await?;
    let contacts = store::contacts::of(tx, std::slice::from_ref(&tenant.id)).await?;
    let earlier = store::delivery::of_conversation(tx, &case.ticket.id).await?;
    let readers = readers(&contacts, about, &earlier);
    let spoken: BTreeSet<Language> = readers
        .iter()
        .map(|contact| Language::of_contact(&contact.language, &tenant.language))
        .map(|language| if texts.contains_key(&language) { language } else { Language::En })
        .collect();
    let said: Vec<(Language, &String)> =
        spoken.into_iter().filter_map(|language| Some((language, texts.get(&language)?))).collect();
    Ok(match said.as_slice() {
        [(_, only)] => (*only).clone(),
        several => several.iter().map(|(tag, text)| format!("[{tag}] {text}")).collect::<Vec<_>>().join("\n\n"),
    })
}

fn asked(question: &QuestionRow) -> AskedQuestion {
    AskedQuestion {
        id: question.id.clone(),
        text: question.text.clone(),
        asked_at: Timestamp::from_micros(question.asked_at),
    }
}

fn new_mail(
    app: &App,
    case: &Case,
    entry: &str,
    letter: &LetterRow,
    contact: &Contact,
    earlier: &[Delivery],
) -> NewMail {
    let domain = app.settings.sender.domain();
    NewMail {
        id: new_id("out"),
        cause: "agent",
        cause_id: entry.to_owned(),
        wave_id: None,
        under_wave: None,
        letter_id: letter.id.clone(),
        notice_id: None,
        ticket_id: Some(case.ticket.id.clone()),
        tenant_id: Some(case.ticket.tenant_id.clone()),
        contact_id: Some(contact.id.clone()),
        address: contact.address.clone(),
        name: contact.name.clone(),
        message_id: model::ids::message_id(case.incident.key.bytes(), &letter.id, &contact.address, domain),
        reply_token: case.ticket.token.clone(),
        thread_id: thread(earlier, &contact.address),
    }
}

/// The notice that this address has; else the ticket's first that was accepted.
fn thread(earlier: &[Delivery], address: &str) -> Option<String> {
    let notices = || earlier.iter().filter(|mail| mail.notice_id.is_some());
    notices()
        .find(|mail| mail.address == address && is_on_its_way(mail))
        .or_else(|| notices().find(|mail| mail.state == State::Accepted.as_str()))
        .map(|mail| mail.message_id.clone())
}

/// Whoever asked, if they are a usable contact; where one of the askers is not, also every contact who has or gets the
/// notice. Each address once.
fn readers<'a>(contacts: &'a [Contact], about: &[QuestionRow], earlier: &[Delivery]) -> Vec<&'a Contact> {
    let usable = |contact: &&Contact| {
        contact.is_usable() && model::delivery::Role::parse(&contact.role).and_then(rung).is_some()
    };
    let people: Vec<&Contact> = contacts.iter().filter(usable).collect();
    let asked = |address: &str| about.iter().any(|question| question.asked_by == address);
    let is_contact = |question: &QuestionRow| people.iter().any(|contact| contact.address == question.asked_by);
    let all_known = about.iter().all(is_contact);
    let has_notice = |address: &str| {
        earlier.iter().any(|mail| mail.notice_id.is_some() && mail.address == address && is_on_its_way(mail))
    };
    let mut seen = BTreeSet::new();
    people
        .into_iter()
        .filter(|contact| asked(&contact.address) || (!all_known && has_notice(&contact.address)))
        .filter(|contact| seen.insert(contact.address.as_str()))
        .collect()
}

fn is_on_its_way(mail: &Delivery) -> bool {
    match State::parse(&mail.state) {
        Some(State::Queued | State::Leased | State::AtDot | State::Accepted | State::Deferred | State::Uncertain) => {
            true
        }
        Some(State::Bounced | State::Failed | State::Suppressed | State::Cancelled) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(address: &str, role: &str) -> Contact {
        Contact {
            id: format!("ctc_{address}"),
            tenant_id: "t-1".to_owned(),
            role: role.to_owned(),
            name: String::new(),
            address: address.to_owned(),
            language: String::new(),
            channel: "email".to_owned(),
            timezone: String::new(),
            priority: 0,
            source: "imported".to_owned(),
            ..Contact::default()
        }
    }

    fn asked_by(address: &str) -> QuestionRow {
        QuestionRow {
            id: format!("qst_{address}"),
            ticket_id: "tkt_1".to_owned(),
            state: "open".to_owned(),
            text: "?".to_owned(),
            asked_by: address.to_owned(),
            asked_at: 0,
            promised_by: None,
            settled_at: None,
            entry_id: None,
            proposed_by: None,
            decline_why: None,
            review_at: None,
            approved_by: None,
            reopened_at: None,
            objected_at: None,
        }
    }

    fn notice(address: &str, state: &str) -> Delivery {
        Delivery {
            id: format!("dlv_{address}"),
            notice_id: Some("ntc_1".to_owned()),
            tenant_id: Some("t-1".to_owned()),
            address: address.to_owned(),
            state: state.to_owned(),
            attempts: 1,
            message_id: format!("{address}.notice@vendor.example"),
            last_reply: String::new(),
            cause: "wave".to_owned(),
        }
    }

    fn check(askers: &[&str], expect: &[&str]) {
        let mut gone = contact("gone@acme.example", "security");
        gone.disabled_at = Some(1);
        let contacts = [
            contact("a@acme.example", "security"),
            contact("a@acme.example", "privacy"),
            contact("b@acme.example", "privacy"),
            contact("c@acme.example", "legal"),
            contact("am@vendor.example", "account-manager"),
            gone,
        ];
        let earlier = [
            notice("a@acme.example", "accepted"),
            notice("b@acme.example", "bounced"),
            notice("gone@acme.example", "accepted"),
            notice("am@vendor.example", "accepted"),
        ];
        let about: Vec<QuestionRow> = askers.iter().map(|asker| asked_by(asker)).collect();
        let found: Vec<&str> =
            readers(&contacts, &about, &earlier).iter().map(|contact| contact.address.as_str()).collect();
        assert_eq!(found, expect, "{askers:?}");
    }

    #[test]
    fn a_contact_who_asks_is_answered_alone() {
        check(&["c@acme.example"], &["c@acme.example"]);
        check(&["b@acme.example"], &["b@acme.example"]);
    }

    #[test]
    fn a_stranger_who_asks_gets_nothing_and_those_with_the_notice_get_the_answer() {
        check(&["stranger@acme.example"], &["a@acme.example"]);
        check(&["c@acme.example", "stranger@acme.example"], &["a@acme.example", "c@acme.example"]);
    }

    #[test]
    fn neither_a_disabled_contact_nor_an_account_manager_is_answered() {
        check(&["gone@acme.example"], &["a@acme.example"]);
        check(&["am@vendor.example"], &["a@acme.example"]);
    }

    #[test]
    fn a_letter_follows_the_notice_that_its_reader_has() {
        let earlier = [
            notice("a@acme.example", "accepted"),
            notice("c@acme.example", "queued"),
            notice("b@acme.example", "bounced"),
        ];
        assert_eq!(thread(&earlier, "c@acme.example").as_deref(), Some("c@acme.example.notice@vendor.example"));
        assert_eq!(thread(&earlier, "b@acme.example").as_deref(), Some("a@acme.example.notice@vendor.example"));
        assert_eq!(thread(&[], "b@acme.example"), None);
    }
}
