//! What a mail changes, by its class.
//!
//! Decides no class. Invariant: only a person's mail, or one that a person must read, opens a question or moves the
//! turn; an automatic one leaves a line in the timeline and, if it is a refusal for good, ends its delivery.

use mail::inbound::Class;
use model::delivery::{Outcome, State, after_attempt};
use model::tickets::{Status, turn};
use model::webhooks::EventKind;
use store::Tx;
use store::delivery::Delivery;
use store::inbound::Inbound;
use store::tickets::{Entry, NewQuestion, TicketRow};

use super::understand::Understood;
use super::whose::{Whose, normal};
use super::{LONGEST_TEXT, Reading};
use crate::tickets::{NotTheirs, Objection};
use crate::webhooks::{Happening, To};
use crate::{App, AppError, new_id};

/// How often a mail is tried that relays took and gave up later; then the next contact is written to.
const TRIES_THAT_WERE_GIVEN_UP: i64 = 3;

/// A mail on its way into its ticket.
pub(super) struct Filing<'a> {
    app: &'a App,
    row: Inbound,
    read: mail::inbound::Inbound,
    heard: mail::inbound::Heard,
    whose: Whose,
    /// The mail that this one repeats; then it changes nothing.
    duplicate_of: Option<String>,
    questions: Vec<String>,
}

/// What a complaint comes to.
#[derive(PartialEq, Eq)]
enum Complains {
    /// It is none.
    No,
    /// Feedback of another kind.
    OfNothing,
    /// Anybody could have written it.
    Unproven,
    /// It counts.
    Proven,
}

impl<'a> Filing<'a> {
    pub(super) fn new(app: &'a App, mail: Understood, whose: Whose, duplicate_of: Option<String>) -> Self {
        let Understood { row, read, content_digest, heard } = mail;
        let questions = match &whose.ticket {
            Some(_) if duplicate_of.is_none() => questions(&row.id, &read, is_own_staff(&whose, &read)),
            _ => Vec::new(),
        };
        let row = Inbound { content_digest, ..row };
        Self { app, row, read, heard, whose, duplicate_of, questions }
    }

    /// Without addresses and words.
    pub(super) fn audit_detail(&self) -> serde_json::Value {
        serde_json::json!({
            "mail": self.row.id,
            "class": self.read.class.name(),
            "trust": self.trust(),
            "ticket": self.whose.ticket.as_ref().map(|ticket| &ticket.id),
            "delivery": self.whose.mail.as_ref().map(|mail| &mail.id),
            "questions": self.questions.len(),
            "duplicate_of": self.duplicate_of,
        })
    }

    /// The stored mail with what was read of it.
    pub(super) fn row(&self) -> Result<Inbound, AppError> {
        let reading = Reading {
            evidence: self.evidence(),
            recipients: self.read.recipients.clone(),
            subject: self.read.subject.clone(),
            new_text: cut(&self.read.new_text, &self.row.id),
            questions: self.questions.clone(),
        };
        let verdict = serde_json::to_string(&reading).map_err(AppError::stored("inbound.verdict"))?;
        let state = if self.whose.ticket.is_some() { "filed" } else { "quarantined" };
        Ok(Inbound {
            state: state.to_owned(),
            class: Some(self.read.class.name().to_owned()),
            trust: Some(self.trust().to_owned()),
            message_id: self.read.message_id.clone(),
            ticket_id: self.whose.ticket.as_ref().map(|ticket| ticket.id.clone()),
            outbox_id: self.whose.mail.as_ref().map(|mail| mail.id.clone()),
            verdict: Some(verdict),
            encrypted: i64::from(self.read.encrypted),
            may_answer: i64::from(self.read.may_answer),
            duplicate_of: self.duplicate_of.clone(),
            content_digest: self.row.content_digest.clone(),
            check_at: self.check_at(),
            complains: i64::from(self.complains() == Complains::Proven),
            id: self.row.id.clone(),
            ..Inbound::default()
        })
    }

    /// Whether stop rules count it: it returns a mail of ours that its reader takes for abuse.
    fn complains(&self) -> Complains {
        let returns = |mail: &Delivery| self.read.returned_message_ids.contains(&mail.message_id);
        match (self.read.class, self.read.complains) {
            (Class::Complaint, false) => Complains::OfNothing,
            (Class::Complaint, true) if self.whose.mail.as_ref().is_some_and(returns) => Complains::Proven,
            (Class::Complaint, true) => Complains::Unproven,
            _ => Complains::No,
        }
    }

    fn not_counted(&self) -> Option<&'static str> {
        match self.complains() {
            Complains::OfNothing => Some("no stop rule counts it: it does not speak of abuse"),
            Complains::Unproven => {
                Some("no stop rule counts it: it does not return a mail of ours with Message-ID and token")
            }
            Complains::No | Complains::Proven => None,
        }
    }

    fn evidence(&self) -> Vec<String> {
        self.read.evidence.iter().cloned().chain(self.not_counted().map(str::to_owned)).collect()
    }

    /// Before its sender is proven no mail is more than `U`.
    fn trust(&self) -> &'static str {
        if self.whose.ticket.is_some() { "U" } else { "C" }
    }

    /// Now, if anything depends on who wrote it. Its questions do not.
    fn check_at(&self) -> Option<i64> {
        let written = matches!(self.read.class, Class::Human | Class::Unclear);
        let is_open = self.whose.ticket.is_some() && self.duplicate_of.is_none() && written;
        (is_open && self.app.prover.is_some()).then(|| self.app.clock.real().micros())
    }

    /// Changes the ticket and, where the mail speaks of one, the delivery. The incident is returned where verdicts were
    /// marked and wait to be given anew.
    pub(super) async fn apply(&self, tx: &mut Tx) -> Result<Option<i64>, AppError> {
        let Some(ticket) = &self.whose.ticket else { return Ok(None) };
        if self.duplicate_of.is_some() {
            return Ok(None);
        }
        self.settle_delivery(tx).await?;
        let entry = Entry {
            id: new_id("ent"),
            at: self.row.received_at,
            kind: "mail".to_owned(),
            actor: self.sender(),
            body: self.body(),
        };
        let found_by = format!("{}\n{}\n{}", self.read.subject, entry.actor, entry.body);
        store::tickets::insert_entry_as(tx, &ticket.id, &entry, &found_by).await?;
        let disputed = self.stop_disclosure(tx, ticket).await?;
        if self.questions.is_empty() {
            return Ok(disputed);
        }
        self.object(tx, ticket).await?;
        if self.read.class == Class::Human {
            crate::tickets::tell_watchers(tx, ticket, &self.row.id, self.app.clock.now()).await?;
        }
        self.ask(tx, ticket, &self.questions).await?;
        self.tell_others(tx).await?;
        if self.read.class == Class::Human {
            let last = ticket.last_inbound_at.unwrap_or(i64::MIN).max(self.row.received_at);
            // Its questions are debt by now.
            let turn = turn(Status::Open, self.questions.len());
            store::tickets::set_inbound(tx, &ticket.id, last, turn.as_str()).await?;
        } else {
            crate::tickets::set_turn(tx, &ticket.id).await?;
        }
        Ok(disputed)
    }

    /// What was declined waits again, if a person objects or asks again; of what cannot be read here it is believed.
    async fn object(&self, tx: &mut Tx, ticket: &TicketRow) -> Result<(), AppError> {
        let read = &self.read;
        if !matches!(read.class, Class::Human | Class::Unclear) {
            return Ok(());
        }
        // The subject of an answer is ours.
        let headed = !mail::inbound::is_answer(&read.subject) && mail::inbound::says_objection(&read.subject);
        let insists = match read.class {
            Class::Human => !mail::inbound::says_only_thanks(&read.new_text),
            _ => read.encrypted,
        };
        let said = Objection {
            mail: &self.row.id,
            at: self.row.received_at,
            objects: headed || self.heard.objects,
            insists,
            answers: self.whose.mail.as_ref().map(|mail| mail.id.as_str()),
            asks: &self.questions,
        };
        crate::tickets::object(&self.app.acting_as(crate::SYSTEM), tx, ticket, &said).await?;
        Ok(())
    }

    /// Whoever says that it is not theirs is believed at once, as far as sending stops; whose it is a person settles.
    async fn stop_disclosure(&self, tx: &mut Tx, ticket: &TicketRow) -> Result<Option<i64>, AppError> {
        if self.read.class != Class::Human {
            return Ok(None);
        }
        let named = &self.heard.other_recipients;
        if !named.is_empty() {
            let said_by = format!("named by {} in {}", self.sender(), self.row.id);
            crate::tickets::named_instead(self.app, tx, ticket, named, &said_by).await?;
        }
        if !self.heard.wrong_recipient {
            return Ok(None);
        }
        // All of them: which domains are meant stands between the lines, and a signature names others.
        let domains = store::mapping::domains_of_tenant(tx, ticket.incident_id, &ticket.tenant_id).await?;
        let mut theirs = store::mapping::disputed_by(tx, ticket.incident_id, &ticket.tenant_id).await?;
        theirs.extend_from_slice(&domains);
        let denied_by = match mail::inbound::names_one_of(&self.read.new_text, &theirs) {
            true => None,
            false => Some(self.denied_by(tx, ticket).await?),
        };
        if domains.is_empty() && denied_by.is_none() {
            return Ok(None);
        }
        let incident = self.app.incident_by_id(tx, ticket.incident_id).await?;
        let app = self.app.acting_as(crate::SYSTEM);
        let why = format!("{} says so ({})", self.sender(), self.row.id);
        let said = NotTheirs { domains, denied_by, why };
        crate::tickets::dispute(&app, tx, &incident, ticket, said).await?;
        Ok(Some(incident.id))
    }

    /// Which of the addresses that we write to denies: the sender's, where it is one of them, else that of the mail which
    /// is answered. Anybody can write any address into From: a stranger's words stop nobody else's mail.
    async fn denied_by(&self, tx: &mut Tx, ticket: &TicketRow) -> Result<String, AppError> {
        let sender = self.sender();
        if crate::tickets::is_written_to(tx, ticket, &sender).await? {
            return Ok(sender);
        }
        Ok(self.whose.mail.as_ref().map(|mail| mail.address.clone()).unwrap_or_default())
    }

    async fn settle_delivery(&self, tx: &mut Tx) -> Result<(), AppError> {
        let Some(mail) = &self.whose.mail else { return Ok(()) };
        let now = self.app.clock.now().micros();
        match self.read.class {
            Class::BouncePermanent => {
                await_verdict(mail)?;
                store::delivery::bounce_late(tx, &mail.id, now, &self.diagnosis()).await?;
            }
            // The relay gave it up, so no copy of it comes any more: it goes again, and then to the next contact.
            Class::BounceTransient if mail.attempts < TRIES_THAT_WERE_GIVEN_UP => {
                await_verdict(mail)?;
                let next = after_attempt(Outcome::Transient, mail.attempts, &self.app.settings.sending.retry());
                let next_at = self.app.clock.real().plus(next.wait).micros();
                store::delivery::defer_late(tx, &mail.id, next_at, &self.diagnosis()).await?;
            }
            Class::BounceTransient => {
                await_verdict(mail)?;
                store::delivery::bounce_late(tx, &mail.id, now, &self.diagnosis()).await?;
            }
            // Whoever reacts to a mail has it.
            Class::Complaint if !self.read.complains => {}
            Class::Human | Class::AutoReply | Class::Receipt | Class::Complaint => {
                store::delivery::confirm(tx, &mail.id, now, &format!("{} came in reply to it", self.read.class))
                    .await?;
            }
            Class::Delay | Class::Loop | Class::Unclear => {}
        }
        Ok(())
    }

    /// It stands in one conversation: in the others that it names it is owed that somebody reads it. Its words stand there
    /// only where that conversation is with the same organisation.
    async fn tell_others(&self, tx: &mut Tx) -> Result<(), AppError> {
        for ticket in &self.whose.also {
            store::tickets::lock(tx, &ticket.id).await?;
            let pointer =
                format!("a mail that a person must read ({}): it was sent to other conversations, too", self.row.id);
            let is_theirs = self.whose.ticket.as_ref().is_some_and(|first| first.tenant_id == ticket.tenant_id);
            let words = self.read.new_text.trim();
            let text = if is_theirs && !words.is_empty() {
                format!("{pointer}\n\n{}", cut(words, &self.row.id))
            } else {
                pointer
            };
            self.ask(tx, ticket, &[text]).await?;
            crate::tickets::set_turn(tx, &ticket.id).await?;
        }
        Ok(())
    }

    async fn ask(&self, tx: &mut Tx, ticket: &TicketRow, questions: &[String]) -> Result<(), AppError> {
        // Ids of one millisecond are in no order of their own, and questions are listed by id.
        let mut ids: Vec<String> = questions.iter().map(|_| new_id("qst")).collect();
        ids.sort();
        let asked_by = self.sender();
        for (id, text) in ids.iter().zip(questions) {
            let new = NewQuestion {
                id,
                ticket: &ticket.id,
                text,
                asked_by: &asked_by,
                asked_at: self.row.received_at,
                inbound_id: Some(&self.row.id),
            };
            store::tickets::insert_question(tx, &new).await?;
        }
        let Some(first) = ids.first().filter(|_| !self.app.settings.webhooks.is_empty()) else { return Ok(()) };
        let incident = self.app.incident_by_id(tx, ticket.incident_id).await?;
        let happening = Happening {
            to: To::Subscribers,
            kind: EventKind::Question,
            at: self.app.clock.now(),
            cause: first,
            incident: (incident.id, &incident.slug),
            ticket: &ticket.id,
            tenant: &ticket.tenant_id,
            ladder: None,
            questions: ids.clone(),
        };
        crate::webhooks::queue(self.app, tx, &happening).await.map(drop)
    }

    fn sender(&self) -> String {
        sender(&self.read, self.row.envelope_from.as_deref())
    }

    fn body(&self) -> String {
        let text = cut(&self.read.new_text, &self.row.id);
        if self.read.class == Class::Human {
            return text;
        }
        let mut lines = vec![format!("{}: {} ({})", self.read.class, self.read.subject, self.row.id)];
        lines.extend(self.not_counted().map(str::to_owned));
        lines.extend(self.read.recipients.iter().map(|recipient| {
            format!("{}: {} {} {}", recipient.address, recipient.action, recipient.status, recipient.diagnostic)
                .trim_end()
                .to_owned()
        }));
        if !text.is_empty() {
            lines.extend([String::new(), text]);
        }
        lines.join("\n")
    }

    /// What the other side said, in one line.
    fn diagnosis(&self) -> String {
        let refused = self.read.recipients.iter().find(|recipient| recipient.permanent == Some(true));
        let said =
            refused.map(|recipient| format!("{} {}", recipient.status, recipient.diagnostic)).unwrap_or_default();
        let said = if said.trim().is_empty() { self.read.subject.clone() } else { said };
        format!("reported later ({}): {}", self.row.id, said.trim())
    }
}

/// While a sender holds the mail, its own verdict comes first: a report may overtake it.
fn await_verdict(mail: &Delivery) -> Result<(), AppError> {
    match State::parse(&mail.state) {
        Some(State::Leased | State::AtDot) => Err(AppError::Later {
            what: format!("mail {} is being sent while a report on it came in", mail.id),
            hint: "it is filed by itself once the sender has recorded how it ended".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The questions a mail opens.
fn questions(id: &str, read: &mail::inbound::Inbound, own_staff: bool) -> Vec<String> {
    let what = if read.encrypted { "an encrypted mail" } else { "a mail" };
    let look = || vec![format!("{what} that a person must read ({id})")];
    match read.class {
        Class::Human if own_staff => Vec::new(),
        Class::Human => {
            let asked = mail::inbound::questions(&read.new_text);
            if asked.is_empty() { look() } else { asked }
        }
        Class::Unclear => look(),
        Class::BouncePermanent
        | Class::BounceTransient
        | Class::Delay
        | Class::AutoReply
        | Class::Complaint
        | Class::Receipt
        | Class::Loop => Vec::new(),
    }
}

/// Whether one of our own people answers an escalation letter: such a letter is to no organisation, and the answer comes
/// from the address it went to. Their words are no question.
fn is_own_staff(whose: &Whose, read: &mail::inbound::Inbound) -> bool {
    let from = read.from.as_deref().map(normal);
    whose.mail.as_ref().is_some_and(|mail| mail.tenant_id.is_none() && from.as_deref() == Some(mail.address.as_str()))
}

/// The address in From, else the envelope's, as the directory would write it.
pub(super) fn sender(read: &mail::inbound::Inbound, envelope_from: Option<&str>) -> String {
    let named = read.from.as_deref().into_iter().chain(envelope_from).map(normal);
    named.into_iter().find(|address| address.contains('@')).unwrap_or_else(|| "unknown sender".to_owned())
}

/// The text as far as it is kept beside the bytes.
fn cut(text: &str, id: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}\n(cut here; {id} keeps the whole mail)", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> mail::inbound::Inbound {
        mail::inbound::read(raw.as_bytes(), None, None, &|_| false)
    }

    fn delivery(tenant_id: Option<&str>, address: &str, state: &str) -> Delivery {
        Delivery {
            id: "out_1".to_owned(),
            notice_id: None,
            tenant_id: tenant_id.map(str::to_owned),
            address: address.to_owned(),
            state: state.to_owned(),
            attempts: 1,
            message_id: "1@vendor.example".to_owned(),
            last_reply: String::new(),
            cause: "policy".to_owned(),
        }
    }

    #[test]
    fn a_persons_mail_without_a_question_mark_is_a_question_all_the_same() {
        let mail = read("From: a@x.example\r\n\r\nPlease send the list of files.\r\n");
        assert_eq!(mail.class, Class::Human);
        assert_eq!(questions("inb_1", &mail, false), ["Please send the list of files."]);
    }

    #[test]
    fn an_unclear_mail_asks_a_person_to_read_it_and_an_automatic_one_asks_nothing() {
        let mut mail = read("From: a@x.example\r\n\r\nWho are you?\r\n");
        mail.class = Class::Unclear;
        assert_eq!(questions("inb_1", &mail, false), ["a mail that a person must read (inb_1)"]);
        for class in [
            Class::AutoReply,
            Class::Receipt,
            Class::Delay,
            Class::Loop,
            Class::Complaint,
            Class::BouncePermanent,
            Class::BounceTransient,
        ] {
            mail.class = class;
            assert!(questions("inb_1", &mail, false).is_empty(), "{class}");
        }
    }

    #[test]
    fn only_the_reader_of_an_escalation_letter_is_one_of_our_own() {
        let mail = read("From: Lead <LEAD@vendor.example>\r\n\r\nI see to it.\r\n");
        let whose = |tenant, address| Whose {
            ticket: None,
            mail: Some(delivery(tenant, address, "accepted")),
            also: Vec::new(),
        };
        assert!(is_own_staff(&whose(None, "lead@vendor.example"), &mail));
        assert!(!is_own_staff(&whose(Some("t-1"), "lead@vendor.example"), &mail));
        assert!(!is_own_staff(&whose(None, "other@vendor.example"), &mail));
        assert!(!is_own_staff(&Whose { ticket: None, mail: None, also: Vec::new() }, &mail));
    }

    #[test]
    fn a_report_waits_while_its_mail_is_being_sent() {
        assert_eq!(await_verdict(&delivery(None, "a@x.example", "at_dot")).unwrap_err().exit_code(), 75);
        assert!(await_verdict(&delivery(None, "a@x.example", "accepted")).is_ok());
    }

    #[test]
    fn the_sender_is_the_address_in_from_else_the_envelopes() {
        assert_eq!(sender(&read("From: A <A@X.example>\r\n\r\nhi\r\n"), Some("b@x.example")), "a@x.example");
        assert_eq!(sender(&read("Subject: x\r\n\r\nhi\r\n"), Some("b@x.example")), "b@x.example");
        assert_eq!(sender(&read("Subject: x\r\n\r\nhi\r\n"), Some("")), "unknown sender");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let text = "ü".repeat(LONGEST_TEXT + 1);
        assert!(cut(&text, "inb_1").ends_with("(cut here; inb_1 keeps the whole mail)"));
        assert_eq!(cut("ü", "inb_1"), "ü");
    }
}
