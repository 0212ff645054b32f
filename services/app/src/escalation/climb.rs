//! Rungs that are due fire: each target gets a letter in the outbox, or a task where no letter can be sent.
//!
//! Sends nothing. Invariant: a firing, its letter or task, its line in the timeline and the ladder's next time are one
//! transaction, and a ladder that cannot be climbed becomes a task and does not stop the others.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use mail::templates::{AskedQuestion, EscalationContext, ReminderContext};
use model::delivery::State;
use model::escalation::{Due, PolicyName, Target, due};
use model::language::Language;
use model::notices::Letter;
use model::tickets::QuestionState;
use model::time::Timestamp;
use store::Tx;
use store::contacts::Contact;
use store::delivery::NewMail;
use store::directory::Tenant;
use store::escalation::{Escalation, Firing, NewTask, Task};
use store::notices::{LetterRow, Notice};
use store::tickets::{QuestionRow, TicketRow};

use super::{CHUNK, Ticked, next_contact, plan, told};
use crate::{App, AppError, Incident, new_id};

/// Climbs up to a chunk of ladders, one transaction each.
pub(super) async fn climb_due(app: &App, now: Timestamp) -> Result<Ticked, AppError> {
    let ladders = store::escalation::due(&mut app.store.read().await?, now.micros(), CHUNK).await?;
    let mut total = Ticked::default();
    for ladder in &ladders {
        match climb(app, ladder, now).await {
            Ok(ticked) => total.add(ticked),
            Err(error) if error.is_about_one_row() => total.add(park(app, ladder, &error, now).await?),
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

async fn climb(app: &App, ladder: &Escalation, now: Timestamp) -> Result<Ticked, AppError> {
    let mut tx = app.store.begin().await?;
    store::tickets::lock(&mut tx, &ladder.ticket_id).await?;
    // Another process may have climbed or ended it since it was listed.
    let Some(ladder) = store::escalation::by_id(&mut tx, &ladder.id).await? else { return Ok(Ticked::default()) };
    if ladder.ended_at.is_some() || store::escalation::is_settled(&mut tx, &ladder.id).await? {
        return Ok(Ticked::default());
    }
    let policy = plan::snapshot(&ladder)?;
    let fired = plan::keys(&store::escalation::firings_of(&mut tx, &ladder.id).await?);
    let (fires, next) = due(&policy, Timestamp::from_micros(ladder.measured_from), now, &fired);
    let climber = Climber::new(app, &mut tx, ladder, now, next).await?;
    let mut ticked = Ticked::default();
    for due in &fires {
        ticked.add(climber.fire(&mut tx, due).await?);
    }
    store::escalation::set_next(&mut tx, &climber.ladder.id, next.map(Timestamp::micros)).await?;
    let detail =
        serde_json::json!({ "policy": climber.ladder.policy, "ticket": climber.ladder.ticket_id, "fired": fires });
    tx.commit(app.entry("escalation.fire", &climber.ladder.id, detail)).await?;
    Ok(ticked)
}

/// Takes a ladder that cannot be climbed out of the tick, and puts it before a person.
async fn park(app: &App, ladder: &Escalation, error: &AppError, now: Timestamp) -> Result<Ticked, AppError> {
    tracing::error!(escalation.id = %ladder.id, %error, "a ladder cannot be climbed and becomes a task");
    let mut tx = app.store.begin().await?;
    let task = Task {
        id: new_id("tsk"),
        tenant_id: None,
        ticket_id: Some(ladder.ticket_id.clone()),
        kind: "escalation".to_owned(),
        target: Target::IncidentLead.as_str().to_owned(),
        text: format!(
            "the {} ladder {} of ticket {} cannot be climbed: {error}",
            ladder.policy, ladder.id, ladder.ticket_id
        ),
        created_at: now.micros(),
        due_at: now.micros(),
    };
    let unique_key = format!("{}/parked", ladder.id);
    store::escalation::insert_task(
        &mut tx,
        &NewTask { incident: ladder.incident_id, task: &task, unique_key: &unique_key },
    )
    .await?;
    store::escalation::set_next(&mut tx, &ladder.id, None).await?;
    tx.commit(app.entry("escalation.park", &ladder.id, serde_json::json!({ "why": error.to_string() }))).await?;
    Ok(Ticked { tasks: 1, ..Ticked::default() })
}

/// A ladder with everything that its rungs say.
struct Climber<'a> {
    app: &'a App,
    ladder: Escalation,
    incident: Incident,
    ticket: TicketRow,
    tenant: Tenant,
    open: Vec<QuestionRow>,
    now: Timestamp,
    next: Option<Timestamp>,
}

/// What a target got.
struct Turned {
    mails: u64,
    tasks: u64,
    how: String,
}

impl<'a> Climber<'a> {
    async fn new(
        app: &'a App,
        tx: &mut Tx,
        ladder: Escalation,
        now: Timestamp,
        next: Option<Timestamp>,
    ) -> Result<Self, AppError> {
        let gone = |what: String| AppError::missing(what, "the store was changed by hand: restore it from a backup");
        let incident = app.incident_by_id(tx, ladder.incident_id).await?;
        let ticket = store::tickets::by_id(tx, &ladder.ticket_id)
            .await?
            .ok_or_else(|| gone(format!("no ticket {}", ladder.ticket_id)))?;
        let tenant = store::directory::tenant(tx, &ticket.tenant_id)
            .await?
            .ok_or_else(|| gone(format!("no tenant {}", ticket.tenant_id)))?;
        let mut open = store::tickets::questions(tx, &ticket.id).await?;
        open.retain(|question| QuestionState::parse(&question.state).is_some_and(QuestionState::is_debt));
        Ok(Self { app, ladder, incident, ticket, tenant, open, now, next })
    }

    /// Fires one rung for one target, once.
    async fn fire(&self, tx: &mut Tx, due: &Due) -> Result<Ticked, AppError> {
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
        if !store::escalation::insert_firing(tx, &firing).await? {
            return Ok(Ticked::default());
        }
        let turned = match due.target {
            Target::Agent | Target::Lead | Target::Counsel | Target::IncidentLead => {
                self.tell_staff(tx, due, &firing.id).await?
            }
            Target::Contact => self.remind(tx, due, &firing.id).await?,
            Target::NextContact => self.tell_next_contact(tx, due, &firing.id).await?,
            Target::AccountManager => self.ask_account_manager(tx, due).await?,
        };
        let entry = store::tickets::Entry {
            id: new_id("ent"),
            at: self.now.micros(),
            kind: "escalation".to_owned(),
            actor: self.app.actor.clone(),
            body: format!("{}, rung {}, {}: {}", self.ladder.policy, due.rung, due.target, turned.how),
        };
        store::tickets::insert_entry(tx, &self.ticket.id, &entry).await?;
        let firing = told::Fired { due, firing: &firing.id, at: self.now, next: self.next };
        told::fired(self.app, tx, &self.incident, &self.ladder, firing).await?;
        Ok(Ticked { fired: 1, tasks: turned.tasks, mails: turned.mails, ..Ticked::default() })
    }

    /// A letter to one of the vendor's own people, or a task where they have no address.
    async fn tell_staff(&self, tx: &mut Tx, due: &Due, firing: &str) -> Result<Turned, AppError> {
        let Some(address) = self.app.settings.targets.address(due.target) else {
            return self.task(tx, due, due.target, &self.sentence()).await;
        };
        let letter = match self.app.templates.render_escalation(&self.escalation_context(due)) {
            Ok(letter) => row("escalation", Language::En, letter),
            Err(error) => {
                return self.task(tx, due, due.target, &format!("{} (no mail: {error})", self.sentence())).await;
            }
        };
        // No token: what our own people answer is no word from the organisation.
        let mail = NewMail {
            tenant_id: None,
            reply_token: String::new(),
            ..self.mail(&letter, firing, address, due.target.as_str())
        };
        let mails = self.queue(tx, &[letter], &[mail]).await?;
        Ok(Turned { mails, tasks: 0, how: "mail queued".to_owned() })
    }

    /// A reminder to everybody who has the notice, each in their language.
    async fn remind(&self, tx: &mut Tx, due: &Due, firing: &str) -> Result<Turned, AppError> {
        let Some(notice) = self.notice(tx).await? else {
            return self.task(tx, due, Target::IncidentLead, "nobody has a notice that we could remind of").await;
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
                return self.task(tx, due, Target::IncidentLead, &format!("no reminder: {error}")).await;
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
                        return self.task(tx, due, Target::IncidentLead, &format!("no reminder: {error}")).await;
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
            return self.task(tx, due, Target::IncidentLead, "everybody who has the notice is disabled by now").await;
        }
        let letters: Vec<LetterRow> = letters.into_values().collect();
        let mails = self.queue(tx, &letters, &mails).await?;
        Ok(Turned { mails, tasks: 0, how: format!("{mails} reminder(s) queued") })
    }

    async fn tell_next_contact(&self, tx: &mut Tx, due: &Due, firing: &str) -> Result<Turned, AppError> {
        let mails = next_contact::queue(self.app, tx, &self.incident, &self.ticket, firing).await?;
        if mails == 0 {
            return self.task(tx, due, Target::IncidentLead, "no further contact is left to write to").await;
        }
        Ok(Turned { mails, tasks: 0, how: format!("notice queued to {mails} further contact(s)") })
    }

    async fn ask_account_manager(&self, tx: &mut Tx, due: &Due) -> Result<Turned, AppError> {
        let mut contacts = store::contacts::of(tx, std::slice::from_ref(&self.tenant.id)).await?;
        contacts.retain(|contact| contact.role == "account-manager" && contact.is_usable());
        let names: Vec<&str> =
            contacts.iter().map(|contact| contact.name.as_str()).filter(|name| !name.is_empty()).collect();
        let who = if names.is_empty() { "the directory names no account manager".to_owned() } else { names.join(", ") };
        self.task(tx, due, Target::AccountManager, &format!("{} (account manager: {who})", self.sentence())).await
    }

    async fn task(&self, tx: &mut Tx, due: &Due, target: Target, why: &str) -> Result<Turned, AppError> {
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
        let new = NewTask { incident: self.incident.id, task: &task, unique_key: &unique_key };
        store::escalation::insert_task(tx, &new).await?;
        Ok(Turned { mails: 0, tasks: 1, how: format!("task for {target}: {why}") })
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

    async fn queue(&self, tx: &mut Tx, letters: &[LetterRow], mails: &[NewMail]) -> Result<u64, AppError> {
        store::notices::insert_letters(tx, self.now.micros(), letters).await?;
        let next_at = self.app.clock.real().micros();
        Ok(store::delivery::insert_mails(tx, self.incident.id, self.now.micros(), next_at, mails).await?)
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
            // A withholding has no ticket: see `reviews`.
            Some(PolicyName::Withholding) | None => format!("{} since {since}", self.ladder.policy),
        }
    }
}

fn row(kind: &str, language: Language, letter: Letter) -> LetterRow {
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
