//! One organisation's next rungs: up to the first that somebody has time to react to, or that has to be looked up.
//!
//! Asks outside before its transaction, never inside. Invariant: an attempt, the letters, tasks and found addresses it
//! made, and the answers it was made from are one transaction; whoever comes second leaves nothing.

use std::collections::BTreeSet;

use model::escalation::Target;
use model::reach::{Outcome, Rung};
use model::time::Timestamp;
use store::Tx;
use store::contacts::Contact;
use store::delivery::Delivery;
use store::directory::Tenant;
use store::escalation::{NewTask, Task};
use store::reach::{AnswerRow, Attempt, Due};
use store::tickets::TicketRow;

use super::leads::{Answers, Chosen, Known, Lead, in_one};
use super::{look, off};
use crate::{App, AppError, Incident, new_id};

/// Most domains of an organisation that are asked about.
const MOST_DOMAINS: i64 = 5;

/// Climbs what is due; the rungs. None: somebody else did.
pub(super) async fn climb(app: &App, due: &Due) -> Result<Vec<Attempt>, AppError> {
    let Some(first) = Rung::after(due.climbed) else { return Ok(Vec::new()) };
    let answers = match off(app, first) {
        Some(_) => None,
        None => {
            let mut conn = app.store.read().await?;
            let domains = store::reach::domains(&mut conn, due.incident_id, &due.tenant_id, MOST_DOMAINS).await?;
            drop(conn);
            look::ask(app, first, &domains).await?
        }
    };
    match write(app, due, first, answers).await {
        Err(error) if error.is_about_one_row() => give_up(app, due, first, &error).await,
        written => written,
    }
}

async fn write(app: &App, due: &Due, first: Rung, mut answers: Option<Answers>) -> Result<Vec<Attempt>, AppError> {
    let mut tx = app.store.begin().await?;
    let Some(mut climber) = Climber::new(app, &mut tx, due).await? else { return Ok(Vec::new()) };
    let mut climbed = Vec::new();
    let mut mails = 0;
    let mut next = Some(first);
    while let Some(rung) = next {
        let Some(step) = climber.step(&mut tx, rung, &mut answers).await? else { break };
        let attempt = climber.attempt(rung, step.outcome, &step.detail);
        if !store::reach::insert_attempt(&mut tx, &attempt).await? {
            return Ok(Vec::new());
        }
        next = if step.outcome.waits() { None } else { Rung::after(rung.number()) };
        mails += climber.make(&mut tx, rung, &attempt, step).await?;
        climbed.push(attempt);
    }
    let rungs: Vec<_> = climbed.iter().map(|attempt| [&attempt.rung, &attempt.outcome]).collect();
    let detail = serde_json::json!({ "incident": climber.incident.slug, "rungs": rungs, "mails": mails });
    tx.commit(app.entry("reach.climb", &due.tenant_id, detail)).await?;
    Ok(climbed)
}

/// Takes a rung that cannot be climbed as tried, and puts it before a person; the others go on.
async fn give_up(app: &App, due: &Due, rung: Rung, error: &AppError) -> Result<Vec<Attempt>, AppError> {
    tracing::error!(incident.id = due.incident_id, rung = rung.as_str(), %error, "a rung of the contact ladder cannot be climbed and becomes a task");
    let mut tx = app.store.begin().await?;
    let now = app.clock.now();
    let next = rung.next_at(Outcome::Failed, now, app.settings.reach.wait());
    let attempt = Attempt {
        incident_id: due.incident_id,
        tenant_id: due.tenant_id.clone(),
        number: rung.number(),
        rung: rung.as_str().to_owned(),
        at: now.micros(),
        outcome: Outcome::Failed.as_str().to_owned(),
        detail: error.to_string(),
        next_at: next.map(Timestamp::micros),
    };
    if !store::reach::insert_attempt(&mut tx, &attempt).await? {
        return Ok(Vec::new());
    }
    let task = Task {
        id: new_id("tsk"),
        tenant_id: Some(due.tenant_id.clone()),
        ticket_id: None,
        kind: "reach-failed".to_owned(),
        target: Target::IncidentLead.as_str().to_owned(),
        text: format!("tenant {} cannot be reached by {rung}: {error}", due.tenant_id),
        created_at: now.micros(),
        due_at: now.micros(),
    };
    let unique_key = format!("reach/{}/{}/failed", due.incident_id, due.tenant_id);
    let new = NewTask { incident: due.incident_id, task: &task, unique_key: &unique_key };
    store::escalation::insert_task(&mut tx, &new).await?;
    let detail = serde_json::json!({ "rung": rung, "why": error.to_string() });
    tx.commit(app.entry("reach.give-up", &due.tenant_id, detail)).await?;
    Ok(vec![attempt])
}

/// An organisation with everything that its rungs need.
pub(super) struct Climber<'a> {
    pub(super) app: &'a App,
    pub(super) incident: Incident,
    pub(super) tenant: Tenant,
    pub(super) ticket: Option<TicketRow>,
    pub(super) contacts: Vec<Contact>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) now: Timestamp,
}

/// What a rung comes to.
pub(super) struct Step {
    pub(super) outcome: Outcome,
    pub(super) detail: String,
    pub(super) makes: Makes,
}

/// What is written beside the attempt.
pub(super) enum Makes {
    Nothing,
    /// Letters and found addresses, and answers that are kept.
    Asking {
        chosen: Chosen,
        fresh: Vec<AnswerRow>,
    },
    Task {
        kind: &'static str,
        target: Target,
    },
}

impl<'a> Climber<'a> {
    /// `None`: the rung is no longer due.
    async fn new(app: &'a App, tx: &mut Tx, due: &Due) -> Result<Option<Self>, AppError> {
        let now = app.clock.now();
        if let Some(ticket) = store::tickets::of_tenant(tx, due.incident_id, &due.tenant_id).await? {
            store::tickets::lock(tx, &ticket.id).await?;
        }
        let is_due = store::reach::due_of_tenant(tx, now.micros(), due.incident_id, &due.tenant_id).await?;
        if is_due.as_ref() != Some(due) {
            return Ok(None);
        }
        let ticket = store::tickets::of_tenant(tx, due.incident_id, &due.tenant_id).await?;
        let deliveries = match &ticket {
            Some(ticket) => store::delivery::of_ticket(tx, &ticket.id).await?,
            None => Vec::new(),
        };
        Ok(Some(Self {
            app,
            incident: app.incident_by_id(tx, due.incident_id).await?,
            tenant: crate::directory::known_tenant(tx, &due.tenant_id).await?,
            contacts: store::contacts::of(tx, std::slice::from_ref(&due.tenant_id)).await?,
            ticket,
            deliveries,
            now,
        }))
    }

    /// What a rung comes to. `None`: it has to be looked up first.
    async fn step(&self, tx: &mut Tx, rung: Rung, answers: &mut Option<Answers>) -> Result<Option<Step>, AppError> {
        if let Some(why) = off(self.app, rung) {
            return Ok(Some(Step { outcome: Outcome::Skipped, detail: why.to_owned(), makes: Makes::Nothing }));
        }
        Ok(match rung {
            Rung::KnownContacts => Some(Step { outcome: Outcome::Nobody, detail: self.tried(), makes: Makes::Nothing }),
            Rung::SecurityTxt | Rung::Rdap | Rung::RoleMailboxes => match answers.take() {
                Some(answers) => Some(self.ask(tx, answers).await?),
                None => None,
            },
            Rung::AccountManager => Some(self.account_manager()),
            Rung::Letter => Some(self.letter()),
        })
    }

    /// Who was tried, and what came of it.
    fn tried(&self) -> String {
        let told: Vec<&Contact> = self.contacts.iter().filter(|contact| contact.role != "account-manager").collect();
        if told.is_empty() {
            return "the directory names nobody who can be told".to_owned();
        }
        let line = |contact: &&Contact| {
            let mail =
                self.deliveries.iter().rev().find(|mail| {
                    mail.notice_id.is_some() && mail.address == contact.address && mail.state != "cancelled"
                });
            let state = match contact {
                Contact { merged_into: Some(_), .. } => "merged into another",
                Contact { disabled_at: Some(_), .. } => "disabled",
                Contact { left_at: Some(_), .. } => "left the directory",
                _ => mail.map_or("not written to", |mail| mail.state.as_str()),
            };
            format!("{} ({}): {state}", contact.address, contact.role)
        };
        format!("tried: {}", in_one(&told.iter().map(line).collect::<Vec<_>>()))
    }

    async fn ask(&self, tx: &mut Tx, answers: Answers) -> Result<Step, AppError> {
        let Answers { leads, mut notes, failed, fresh } = answers;
        let chosen = self.known(tx, &leads).await?.choose(leads);
        notes.splice(0..0, chosen.notes.iter().cloned());
        notes.splice(0..0, chosen.asked.iter().map(|lead| format!("asked {} ({})", lead.address, lead.provenance)));
        let outcome = match (chosen.asked.is_empty(), failed) {
            (false, _) => Outcome::Asked,
            (true, 0) => Outcome::Nobody,
            (true, _) => Outcome::Failed,
        };
        let detail = if notes.is_empty() { "nobody was found".to_owned() } else { in_one(&notes) };
        Ok(Step { outcome, detail, makes: Makes::Asking { chosen, fresh } })
    }

    async fn known(&self, tx: &mut Tx, leads: &[Lead]) -> Result<Known, AppError> {
        let mut disabled = BTreeSet::new();
        for lead in leads {
            let elsewhere = store::contacts::of_address(tx, &lead.address).await?;
            if elsewhere.iter().any(|contact| contact.disabled_at.is_some()) {
                disabled.insert(lead.address.clone());
            }
        }
        Ok(Known {
            contacts: self.contacts.clone(),
            found: store::contacts::found_of(tx, &self.tenant.id).await?,
            written: self.deliveries.iter().map(|mail| mail.address.clone()).collect(),
            disabled,
        })
    }

    fn attempt(&self, rung: Rung, outcome: Outcome, detail: &str) -> Attempt {
        let next = rung.next_at(outcome, self.now, self.app.settings.reach.wait());
        Attempt {
            incident_id: self.incident.id,
            tenant_id: self.tenant.id.clone(),
            number: rung.number(),
            rung: rung.as_str().to_owned(),
            at: self.now.micros(),
            outcome: outcome.as_str().to_owned(),
            // Parts of it were written by strangers.
            detail: detail.chars().map(|char| if char.is_control() { ' ' } else { char }).collect(),
            next_at: next.map(Timestamp::micros),
        }
    }

    /// Writes what a rung made; how many mails.
    async fn make(&mut self, tx: &mut Tx, rung: Rung, attempt: &Attempt, step: Step) -> Result<u64, AppError> {
        let mails = match step.makes {
            Makes::Nothing => return Ok(0),
            Makes::Task { kind, target } => {
                self.task(tx, attempt, kind, target).await?;
                0
            }
            Makes::Asking { chosen, fresh } => {
                for answer in &fresh {
                    store::reach::keep_answer(tx, answer).await?;
                }
                self.keep(tx, rung, chosen.asked.iter().chain(&chosen.kept)).await?;
                self.write_to(tx, attempt, &chosen.asked).await?
            }
        };
        if let (true, Some(ticket)) = (step.outcome.waits(), &self.ticket) {
            let entry = store::tickets::Entry {
                id: new_id("ent"),
                at: self.now.micros(),
                kind: "escalation".to_owned(),
                actor: self.app.actor.clone(),
                body: format!("reach, {rung}: {}", attempt.detail),
            };
            store::tickets::insert_entry(tx, &ticket.id, &entry).await?;
        }
        Ok(mails)
    }
}

/// What names a rung of an organisation: the cause of its mails, the key of its task.
pub(super) fn cause(attempt: &Attempt) -> String {
    format!("reach/{}/{}/{}", attempt.incident_id, attempt.tenant_id, attempt.number)
}
