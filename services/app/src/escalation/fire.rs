//! What a rung says to whom: each target gets a letter in the outbox, or a task where no letter can be sent.
//!
//! Sends nothing. Invariant: a target gets a mail or a task, never nothing, and nobody of one organisation is told what
//! is another's.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use mail::templates::{AskedQuestion, EscalationContext, ReminderContext};
use model::delivery::State;
use model::escalation::{Due, Name, PolicyName, Target};
use model::language::Language;
use model::notices::Letter;
use model::time::Timestamp;
use store::Tx;
use store::contacts::Contact;
use store::delivery::NewMail;
use store::directory::Tenant;
use store::escalation::{Escalation, Firing, Task};
use store::notices::{LetterRow, Notice};
use store::tickets::{QuestionRow, TicketRow};

use super::outgoing::Outgoing;
use super::{Ticked, next_contact, targets, told};
use crate::webhooks::To;
use crate::{App, AppError, Incident, new_id};

/// A ladder with everything that its rungs say.
pub(super) struct Climber<'a> {
    pub(super) app: &'a App,
    pub(super) ladder: &'a Escalation,
    pub(super) incident: &'a Incident,
    pub(super) ticket: &'a TicketRow,
    pub(super) tenant: &'a Tenant,
    pub(super) open: &'a [QuestionRow],
    pub(super) now: Timestamp,
    pub(super) next: Option<Timestamp>,
}

/// What a target got.
struct Turned {
    mails: u64,
    tasks: u64,
    how: String,
}

impl Climber<'_> {
    /// Fires one rung for one target.
    pub(super) async fn fire(&self, tx: &mut Tx, out: &mut Outgoing, due: &Due) -> Result<Ticked, AppError> {
        let firing = Firing {
            id: new_id("fir"),
            escalation_id: self.ladder.id.clone(),
            rung: due.rung,
            repeat: due.repeat,
            due_at: due.due_at.micros(),
            fired_at: self.now.micros(),
            target: due.target.as_str().to_owned(),
            acknowledged_at: None,
            acknowledged_by: None,
        };
        let turned = match &due.target {
            Target::Contact => self.remind(tx, out, due, &firing.id).await?,
            Target::NextContact => self.tell_next_contact(tx, out, due, &firing.id).await?,
            Target::AccountManager => self.ask_account_manager(tx, out, due).await?,
            Target::Webhook(name) => self.turn_to_webhook(tx, out, due, &firing.id, name).await?,
            Target::Agent
            | Target::Lead
            | Target::Counsel
            | Target::IncidentLead
            | Target::Person(_)
            | Target::Role(_)
            | Target::Rotation(_)
            | Target::Address(_) => self.tell_staff(out, due, &firing.id),
        };
        let entry = store::tickets::Entry {
            id: new_id("ent"),
            at: self.now.micros(),
            kind: "escalation".to_owned(),
            actor: self.app.actor.clone(),
            body: format!("{}, rung {}, {}: {}", self.ladder.policy, due.rung, due.target, turned.how),
        };
        self.tell_programs(tx, To::Subscribers, due, &firing.id).await?;
        out.firings.push(firing);
        out.entries.push((self.ticket.id.clone(), entry));
        Ok(Ticked { fired: 1, tasks: turned.tasks, mails: turned.mails, ..Ticked::default() })
    }

    /// A letter to the vendor's own people, and a task for whoever of them has no address.
    fn tell_staff(&self, out: &mut Outgoing, due: &Due, firing: &str) -> Turned {
        let behind = targets::behind(&self.app.settings, &due.target, self.ticket.agent.as_deref(), self.now);
        let missing = match &due.target {
            // That these have no address is how many a vendor works, and `doctor` says it.
            Target::Agent | Target::Lead | Target::Counsel | Target::IncidentLead => String::new(),
            _ if behind.missing.is_empty() => String::new(),
            _ => format!(" ({})", behind.missing.join("; ")),
        };
        if behind.people.is_empty() {
            return self.task(out, due, &due.target, &format!("{}{missing}", self.sentence()));
        }
        let letter = match self.app.templates.render_escalation(&self.escalation_context(due)) {
            Ok(letter) => row("escalation", Language::En, letter),
            Err(error) => {
                return self.task(out, due, &due.target, &format!("{} (no mail: {error})", self.sentence()));
            }
        };
        // No token: what our own people answer is no word from the organisation.
        let mail = |person: &targets::Person| NewMail {
            tenant_id: None,
            reply_token: String::new(),
            ..self.mail(&letter, firing, &person.address, &person.name)
        };
        let mails = behind.people.iter().map(mail).collect();
        let mails = self.queue(out, vec![letter], mails);
        if missing.is_empty() {
            let how = if mails == 1 { "mail queued".to_owned() } else { format!("{mails} mails queued") };
            return Turned { mails, tasks: 0, how };
        }
        let turned = self.task(out, due, &due.target, &format!("{}{missing}", self.sentence()));
        Turned { mails, how: format!("{mails} mail(s) queued, {}", turned.how), ..turned }
    }

    /// A call to the program that the policy names, or a task where none of that name is configured.
    async fn turn_to_webhook(
        &self,
        tx: &mut Tx,
        out: &mut Outgoing,
        due: &Due,
        firing: &str,
        name: &Name,
    ) -> Result<Turned, AppError> {
        let name = name.as_str();
        if !self.app.settings.webhooks.contains_key(name) {
            let why = format!("{} (there is no webhook {name}: nothing was called)", self.sentence());
            return Ok(self.task(out, due, &due.target, &why));
        }
        self.tell_programs(tx, To::Named(name), due, firing).await?;
        Ok(Turned { mails: 0, tasks: 0, how: format!("call of webhook {name} queued") })
    }

    async fn tell_programs(&self, tx: &mut Tx, to: To<'_>, due: &Due, firing: &str) -> Result<(), AppError> {
        let fired = told::Fired { to, due, firing, at: self.now, next: self.next };
        told::fired(self.app, tx, self.incident, self.ladder, fired).await
    }

    /// A reminder to everybody who has the notice, each in their language.
    async fn remind(&self, tx: &mut Tx, out: &mut Outgoing, due: &Due, firing: &str) -> Result<Turned, AppError> {
        let Some(notice) = self.notice(tx).await? else {
            return Ok(self.task(out, due, &Target::IncidentLead, "nobody has a notice that we could remind of"));
        };
        let readers = self.readers(tx).await?;
        let context = ReminderContext {
            incident_title: self.incident.facts.title.clone(),
            vendor: self.incident.facts.vendor.clone(),
            tenant_name: self.tenant.name.clone(),
            code: notice.code.clone(),
            notice_released_at: notice.released_at.map_or(self.now, Timestamp::from_micros),
        };
        let templates = match crate::templates::of_incident(self.app, tx, self.incident.id).await {
            Ok(templates) => templates,
            Err(AppError::Template(error)) => {
                return Ok(self.task(out, due, &Target::IncidentLead, &format!("no reminder: {error}")));
            }
            Err(error) => return Err(error),
        };
        let mut letters: BTreeMap<Language, LetterRow> = BTreeMap::new();
        let mut mails = Vec::new();
        for (contact, notice_message_id) in &readers {
            let language = Language::of_contact(&contact.language, &self.tenant.language);
            let letter = match letters.entry(language) {
                Entry::Occupied(letter) => letter.into_mut(),
                Entry::Vacant(none) => match templates.render_reminder(language, &context) {
                    Ok(letter) => none.insert(row("reminder", language, letter)),
                    Err(error) => {
                        return Ok(self.task(out, due, &Target::IncidentLead, &format!("no reminder: {error}")));
                    }
                },
            };
            mails.push(NewMail {
                contact_id: Some(contact.id.clone()),
                thread_id: Some(notice_message_id.clone()),
                ..self.mail(letter, firing, &contact.address, &contact.name)
            });
        }
        if mails.is_empty() {
            return Ok(self.task(out, due, &Target::IncidentLead, "everybody who has the notice is disabled by now"));
        }
        let mails = self.queue(out, letters.into_values().collect(), mails);
        Ok(Turned { mails, tasks: 0, how: format!("{mails} reminder(s) queued") })
    }

    async fn tell_next_contact(
        &self,
        tx: &mut Tx,
        out: &mut Outgoing,
        due: &Due,
        firing: &str,
    ) -> Result<Turned, AppError> {
        let mails = next_contact::queue(self.app, tx, self.incident, self.ticket, firing).await?;
        if mails == 0 {
            return Ok(self.task(out, due, &Target::IncidentLead, "no further contact is left to write to"));
        }
        Ok(Turned { mails, tasks: 0, how: format!("notice queued to {mails} further contact(s)") })
    }

    async fn ask_account_manager(&self, tx: &mut Tx, out: &mut Outgoing, due: &Due) -> Result<Turned, AppError> {
        let mut contacts = store::contacts::of(tx, std::slice::from_ref(&self.tenant.id)).await?;
        contacts.retain(|contact| contact.role == "account-manager" && contact.is_usable());
        let names: Vec<&str> =
            contacts.iter().map(|contact| contact.name.as_str()).filter(|name| !name.is_empty()).collect();
        let who = if names.is_empty() { "the directory names no account manager".to_owned() } else { names.join(", ") };
        let why = format!("{} (account manager: {who})", self.sentence());
        Ok(self.task(out, due, &Target::AccountManager, &why))
    }

    fn task(&self, out: &mut Outgoing, due: &Due, target: &Target, why: &str) -> Turned {
        let kind = if self.ladder.policy == PolicyName::Unreachable.as_str() { "unreachable" } else { "escalation" };
        let task = Task {
            id: new_id("tsk"),
            tenant_id: Some(self.tenant.id.clone()),
            ticket_id: Some(self.ticket.id.clone()),
            kind: kind.to_owned(),
            target: target.as_str().to_owned(),
            text: format!(
                "{} ({}), {}, rung {}: {why}",
                self.tenant.name, self.tenant.id, self.ladder.policy, due.rung
            ),
            created_at: self.now.micros(),
            due_at: due.due_at.micros(),
        };
        let unique_key = format!("{}/{}/{}/{}", self.ladder.id, due.rung, due.repeat, due.target);
        out.tasks.push((self.incident.id, task, unique_key));
        Turned { mails: 0, tasks: 1, how: format!("task for {target}: {why}") }
    }

    /// The newest notice that was released to the organisation.
    async fn notice(&self, tx: &mut Tx) -> Result<Option<Notice>, AppError> {
        Ok(store::escalation::newest_released(tx, self.incident.id, &self.tenant.id).await?)
    }

    /// Contacts that have a notice and may still be written to, with the Message-ID of the latest they have.
    async fn readers(&self, tx: &mut Tx) -> Result<Vec<(Contact, String)>, AppError> {
        let deliveries = store::delivery::of_ticket(tx, &self.ticket.id).await?;
        let mut message_ids: BTreeMap<&str, &str> = BTreeMap::new();
        for mail in deliveries.iter().filter(|mail| mail.notice_id.is_some() && mail.state == State::Accepted.as_str())
        {
            message_ids.insert(&mail.address, &mail.message_id);
        }
        let contacts = store::contacts::of(tx, std::slice::from_ref(&self.tenant.id)).await?;
        let people = crate::delivery::ladder(&contacts);
        let reader = |(address, message_id): (&str, &str)| {
            let (_, _, contact) = people.iter().find(|(_, theirs, _)| theirs == address)?;
            Some((contact.clone(), message_id.to_owned()))
        };
        Ok(message_ids.into_iter().filter_map(reader).collect())
    }

    fn queue(&self, out: &mut Outgoing, letters: Vec<LetterRow>, mails: Vec<NewMail>) -> u64 {
        let count = u64::try_from(mails.len()).unwrap_or(u64::MAX);
        out.letters.extend(letters);
        out.mails.entry(self.incident.id).or_default().extend(mails);
        count
    }

    fn mail(&self, letter: &LetterRow, firing: &str, address: &str, name: &str) -> NewMail {
        let domain = self.app.settings.sender.domain();
        NewMail {
            id: new_id("out"),
            cause: "policy",
            cause_id: firing.to_owned(),
            wave_id: None,
            under_wave: None,
            letter_id: letter.id.clone(),
            notice_id: None,
            ticket_id: Some(self.ticket.id.clone()),
            tenant_id: Some(self.tenant.id.clone()),
            contact_id: None,
            address: address.to_owned(),
            name: name.to_owned(),
            message_id: model::ids::message_id(self.incident.key.bytes(), &letter.id, address, domain),
            reply_token: self.ticket.token.clone(),
            thread_id: None,
        }
    }

    fn escalation_context(&self, due: &Due) -> EscalationContext {
        let asked = |question: &QuestionRow| AskedQuestion {
            id: question.id.clone(),
            text: question.text.clone(),
            asked_at: Timestamp::from_micros(question.asked_at),
        };
        EscalationContext {
            policy: self.ladder.policy.clone(),
            rung: due.rung,
            ticket: self.ticket.id.clone(),
            tenant_id: self.tenant.id.clone(),
            tenant_name: self.tenant.name.clone(),
            incident_slug: self.incident.slug.clone(),
            why: self.sentence(),
            open_questions: self.open.iter().map(asked).collect(),
            due_at: due.due_at,
            next_rung_at: self.next,
        }
    }

    /// The question that the ladder is about, where it is about one.
    fn question(&self) -> &str {
        self.ladder.subject.split('/').next().unwrap_or_default()
    }

    /// Why the ladder is climbed, for a person.
    fn sentence(&self) -> String {
        let since = minute(Timestamp::from_micros(self.ladder.measured_from));
        match PolicyName::parse(&self.ladder.policy) {
            Some(PolicyName::Debt) => match self.open.len() {
                1 => format!("1 question waits for an answer since {since}"),
                count => format!("{count} questions wait for an answer since {since}"),
            },
            Some(PolicyName::Silence) => format!("no sign of life since the notice was accepted at {since}"),
            Some(PolicyName::Promise) => format!("an answer was promised by {since} and has not been given"),
            Some(PolicyName::Review) => format!(
                "declined question {} was to be looked at again by {since}: answer it, or open it with `forthright question reopen`",
                self.question()
            ),
            Some(PolicyName::Objection) => {
                format!("the asker of question {} objects since {since} to its being declined", self.question())
            }
            Some(PolicyName::Unreachable) => format!("no contact has taken the notice; the last one failed at {since}"),
            // A withholding has no ticket, and neither has a duty: see `reviews` and `duties::ladder`.
            Some(PolicyName::Withholding | PolicyName::Duty) | None => format!("{} since {since}", self.ladder.policy),
        }
    }
}

pub(super) fn row(kind: &str, language: Language, letter: Letter) -> LetterRow {
    LetterRow {
        id: new_id("ltr"),
        notice_id: None,
        kind: kind.to_owned(),
        language: language.tag().to_owned(),
        digest: letter.digest(),
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
    }
}

/// `2022-09-24 10:11 UTC`.
fn minute(time: Timestamp) -> String {
    let full = time.to_string();
    match (full.get(..10), full.get(11..16)) {
        (Some(date), Some(minute)) => format!("{date} {minute} UTC"),
        _ => full,
    }
}
