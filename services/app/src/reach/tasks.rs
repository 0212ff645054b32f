//! The rungs that are work for a person of ours: asking the account manager, sending paper.
//!
//! Reaches nobody itself. Invariant: a rung is one task, whoever climbs it and however often.

use model::escalation::Target;
use model::reach::Outcome;
use store::Tx;
use store::escalation::{NewTask, Task};
use store::reach::Attempt;

use super::climb::{Climber, Makes, Step, cause};
use crate::{AppError, new_id};

impl Climber<'_> {
    /// For the vendor's own person for it, else for the incident lead.
    pub(super) fn account_manager(&self) -> Step {
        let usable = self.contacts.iter().filter(|contact| contact.role == "account-manager" && contact.is_usable());
        let names: Vec<&str> = usable
            .map(|contact| if contact.name.is_empty() { &contact.address } else { &contact.name })
            .map(String::as_str)
            .collect();
        let (target, who) = match &names[..] {
            [] => (Target::IncidentLead, "the directory names no account manager: ask whoever knows them".to_owned()),
            names => (Target::AccountManager, format!("{}: ask the people whom you know there", names.join(", "))),
        };
        let detail = format!(
            "{}; who is responsible for security or privacy at {}? State no facts. Make sure of the answer, and run `forthright directory add-contact {}`",
            who,
            self.whom(),
            self.tenant.id
        );
        Step { outcome: Outcome::Task, detail, makes: Makes::Task { kind: "reach-account-manager", target } }
    }

    /// Paper.
    pub(super) fn letter(&self) -> Step {
        let detail = format!(
            "nobody at {} was reached by mail: send a postal letter to its registered address that asks who is responsible for security or privacy and states no facts. Make sure of the answer, and run `forthright directory add-contact {}`",
            self.whom(),
            self.tenant.id
        );
        Step {
            outcome: Outcome::Task,
            detail,
            makes: Makes::Task { kind: "reach-letter", target: Target::IncidentLead },
        }
    }

    /// `Acme GmbH (t-1, DE)`.
    fn whom(&self) -> String {
        let country = if self.tenant.country.is_empty() { "country not known" } else { &self.tenant.country };
        format!("{} ({}, {country})", self.tenant.name, self.tenant.id)
    }

    /// Adds the task of an attempt, once.
    pub(super) async fn task(
        &self,
        tx: &mut Tx,
        attempt: &Attempt,
        kind: &str,
        target: Target,
    ) -> Result<(), AppError> {
        let task = Task {
            id: new_id("tsk"),
            tenant_id: Some(self.tenant.id.clone()),
            ticket_id: self.ticket.as_ref().map(|ticket| ticket.id.clone()),
            kind: kind.to_owned(),
            target: target.as_str().to_owned(),
            text: attempt.detail.clone(),
            created_at: self.now.micros(),
            due_at: self.now.plus(self.app.settings.reach.wait()).micros(),
        };
        let unique_key = cause(attempt);
        let new = NewTask { incident: self.incident.id, task: &task, unique_key: &unique_key };
        store::escalation::insert_task(tx, &new).await?;
        Ok(())
    }
}
