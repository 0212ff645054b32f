//! Letters to addresses that were found, and the rows they leave by.
//!
//! Sends nothing. Invariant: what is written here is made from the vendor's name, a domain and where the address is
//! from; no fact of an incident comes near it.

use mail::templates::ReachContext;
use model::language::Language;
use model::reach::Rung;
use store::Tx;
use store::contacts::Found;
use store::delivery::NewMail;
use store::reach::Attempt;
use store::tickets::TicketRow;

use super::climb::{Climber, cause};
use super::leads::Lead;
use crate::notices::letter_row;
use crate::{AppError, new_id};

impl Climber<'_> {
    /// Keeps what was found, unverified.
    pub(super) async fn keep(
        &self,
        tx: &mut Tx,
        rung: Rung,
        leads: impl Iterator<Item = &Lead>,
    ) -> Result<(), AppError> {
        for lead in leads {
            let found = Found {
                id: new_id("fnd"),
                tenant_id: self.tenant.id.clone(),
                role: lead.role.clone(),
                name: lead.name.clone(),
                address: lead.address.clone(),
                language: lead.language.clone(),
                rung: rung.as_str().to_owned(),
                provenance: lead.provenance.clone(),
                found_at: self.now.micros(),
                state: "unverified".to_owned(),
                contact_id: None,
            };
            store::contacts::insert_found(tx, &found).await?;
        }
        Ok(())
    }

    /// Queues a letter without facts to each; how many mails. Answers come to the organisation's ticket, which is
    /// opened for them where there is none.
    pub(super) async fn write_to(&mut self, tx: &mut Tx, attempt: &Attempt, leads: &[Lead]) -> Result<u64, AppError> {
        if leads.is_empty() {
            return Ok(0);
        }
        let ticket = self.ticket(tx).await?;
        let (now, vendor) = (self.now.micros(), &self.incident.facts.vendor);
        let (mut letters, mut mails) = (Vec::new(), Vec::new());
        for lead in leads {
            let context = ReachContext {
                vendor: vendor.clone(),
                domain: lead.domain.clone(),
                source: lead.source,
                found_on: lead.found_on.clone(),
            };
            let language = Language::of_contact(&lead.language, &self.tenant.language);
            let letter = letter_row("reach", None, language, self.app.templates.render_reach(language, &context)?);
            let domain = self.app.settings.sender.domain();
            mails.push(NewMail {
                id: new_id("out"),
                cause: "policy",
                cause_id: cause(attempt),
                wave_id: None,
                under_wave: None,
                letter_id: letter.id.clone(),
                notice_id: None,
                ticket_id: Some(ticket.id.clone()),
                tenant_id: Some(self.tenant.id.clone()),
                contact_id: None,
                address: lead.address.clone(),
                name: lead.name.clone(),
                message_id: model::ids::message_id(self.incident.key.bytes(), &letter.id, &lead.address, domain),
                reply_token: ticket.token.clone(),
                thread_id: None,
            });
            letters.push(letter);
        }
        store::notices::insert_letters(tx, now, &letters).await?;
        let next_at = self.app.clock.real().micros();
        Ok(store::delivery::insert_mails(tx, self.incident.id, now, next_at, &mails).await?)
    }

    async fn ticket(&mut self, tx: &mut Tx) -> Result<TicketRow, AppError> {
        if let Some(ticket) = &self.ticket {
            return Ok(ticket.clone());
        }
        let new = crate::delivery::new_ticket(&self.incident, &self.tenant.id);
        store::tickets::insert(tx, self.incident.id, self.now.micros(), &[new]).await?;
        let ticket = store::tickets::of_tenant(tx, self.incident.id, &self.tenant.id).await?;
        self.ticket.clone_from(&ticket);
        ticket.ok_or_else(|| {
            AppError::missing(
                format!("no ticket of tenant {} after one was opened", self.tenant.id),
                "this is a fault of the program: please report it",
            )
        })
    }
}
