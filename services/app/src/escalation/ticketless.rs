//! A rung of a ladder without a ticket: its task and, beside it, a letter to those of ours who can be written to, or a
//! call of the webhook that it names.
//!
//! Sends nothing. Invariant: all of it is one transaction, and the task's key makes it happen once.

use std::collections::BTreeMap;

use model::escalation::{Due, PolicyName, Target};
use model::language::Language;
use model::notices::Letter;
use model::time::Timestamp;
use model::webhooks::{EventKind, Ladder, Rung};
use store::Tx;
use store::delivery::NewMail;
use store::escalation::{NewTask, Task};

use super::targets::{self, Person};
use crate::webhooks::{Happening, To, queue};
use crate::{App, AppError, Incident, new_id};

/// A rung that is due.
pub(crate) struct Rungs<'a> {
    pub(crate) incident: &'a Incident,
    /// As `escalation list` names it.
    pub(crate) ladder: &'a str,
    pub(crate) policy: PolicyName,
    /// The kind of its tasks.
    pub(crate) kind: &'static str,
    pub(crate) tenant: Option<&'a str>,
    /// Why the ladder is climbed, and what to do.
    pub(crate) why: &'a str,
    /// When it fires next.
    pub(crate) next: Option<Timestamp>,
}

impl Rungs<'_> {
    /// Fires one rung for one target, unless the key says that it has fired; how many tasks.
    pub(crate) async fn fire(&self, app: &App, tx: &mut Tx, due: &Due, key: &str) -> Result<u64, AppError> {
        let now = app.clock.now();
        let behind = targets::behind(&app.settings, &due.target, None, now);
        let missing = match &due.target {
            Target::Webhook(name) if !app.settings.webhooks.contains_key(name.as_str()) => {
                format!(" (there is no webhook {}: nothing was called)", name.as_str())
            }
            // That these have no address is how many a vendor works, and `doctor` says it.
            Target::Agent | Target::Lead | Target::Counsel | Target::IncidentLead => String::new(),
            _ if behind.missing.is_empty() => String::new(),
            _ => format!(" ({})", behind.missing.join("; ")),
        };
        let task = Task {
            id: new_id("tsk"),
            tenant_id: self.tenant.map(str::to_owned),
            ticket_id: None,
            kind: self.kind.to_owned(),
            target: due.target.as_str().to_owned(),
            text: format!("rung {}: {}{missing}", due.rung, self.why),
            created_at: now.micros(),
            due_at: due.due_at.micros(),
        };
        let new = NewTask { incident: self.incident.id, task: &task, unique_key: key };
        let made = store::escalation::insert_task(tx, &new).await?;
        if made > 0 {
            self.write(app, tx, due, &task.id, behind.people).await?;
            self.call(app, tx, due, &task.id).await?;
        }
        Ok(made)
    }

    /// Queues the letter to those who can be written to.
    async fn write(&self, app: &App, tx: &mut Tx, due: &Due, task: &str, people: Vec<Person>) -> Result<(), AppError> {
        if people.is_empty() {
            return Ok(());
        }
        let letter = super::fire::row("escalation", Language::En, self.letter(due));
        let people: BTreeMap<&str, &Person> = people.iter().map(|person| (person.address.as_str(), person)).collect();
        let mail = |person: &&Person| targets::mail(app, self.incident, &letter, task, person);
        let mails: Vec<NewMail> = people.values().map(mail).collect();
        let now = app.clock.now().micros();
        store::notices::insert_letters(tx, now, std::slice::from_ref(&letter)).await?;
        store::delivery::insert_mails(tx, self.incident.id, now, app.clock.real().micros(), &mails).await?;
        Ok(())
    }

    fn letter(&self, due: &Due) -> Letter {
        let (policy, rung, slug, why) = (self.policy.as_str(), due.rung, &self.incident.slug, self.why);
        let what = why.split(": ").next().unwrap_or(why);
        let next = match self.next {
            Some(at) => format!("{at}, unless this is settled before"),
            None => "none, this is the last".to_owned(),
        };
        Letter {
            subject: format!("[{policy}, rung {rung}] {slug}: {what}"),
            text: format!(
                "{why}\n\nIncident: {slug}\nPolicy: {policy}, rung {rung}\nDue since: {}\nNext rung: {next}\n\n\
                 To say that you take care of it:\n\n    forthright escalation acknowledge {}\n",
                due.due_at, self.ladder
            ),
            html: None,
        }
    }

    /// Queues the call of the webhook that the rung names.
    async fn call(&self, app: &App, tx: &mut Tx, due: &Due, task: &str) -> Result<(), AppError> {
        let Target::Webhook(name) = &due.target else { return Ok(()) };
        let rung = Rung {
            number: due.rung,
            repeat: due.repeat,
            target: due.target.as_str().to_owned(),
            due_at: due.due_at,
            next_at: self.next,
        };
        let (id, policy) = (self.ladder.to_owned(), self.policy.as_str().to_owned());
        let happening = Happening {
            to: To::Named(name.as_str()),
            kind: EventKind::Fired,
            at: app.clock.now(),
            cause: task,
            incident: (self.incident.id, &self.incident.slug),
            ticket: "",
            tenant: self.tenant.unwrap_or_default(),
            ladder: Some(Ladder { id, policy, rung: Some(rung), acknowledged_by: None }),
            questions: Vec::new(),
        };
        queue(app, tx, &happening).await.map(drop)
    }
}
