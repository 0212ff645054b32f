//! A notice came to the wrong place: disclosure stops at once, a person settles whose it is, the right one is told.
//!
//! Settles nothing by itself. Invariant: with the first word that a notice came to the wrong place, and in the same
//! transaction, no unsent mail about these domains can leave; what was sent stays on record (`delivery disclosures`).

use std::collections::BTreeMap;

use model::email::EmailAddress;
use model::time::Timestamp;
use serde::Serialize;
use store::Tx;
use store::contacts::Found;
use store::delivery::NewMail;
use store::denials::NewDenial;
use store::escalation::{NewTask, Task};
use store::mapping::{Decision, NewDecision};
use store::tickets::TicketRow;

use super::case::Case;
use super::{add_entry, words};
use crate::contacts::Given;
use crate::{App, AppError, Incident, new_id};

/// What is wrong about the recipient.
#[derive(Debug)]
pub enum Wrong<'a> {
    /// The domains are not this organisation's; none named: all that it has in this incident.
    NotTheirs {
        /// Organisation domains.
        domains: &'a [String],
        /// Who says so, where no domain is named: an address that we write to.
        said_by: Option<&'a str>,
    },
    /// It is the organisation, and somebody else there has to be told.
    OtherPerson {
        /// Whom the notice is for; somebody has checked the address.
        address: &'a str,
        /// Their role.
        role: &'a str,
        /// Their name, or empty.
        name: &'a str,
        /// The address that is not written to any more.
        instead_of: Option<&'a str>,
    },
}

/// What was stopped, and what follows.
#[derive(Debug, Default, Serialize)]
pub struct Stopped {
    /// The ticket.
    pub ticket: String,
    /// Domains that wait for a person now.
    pub disputed: Vec<String>,
    /// Mails that were called back.
    pub called_back: u64,
    /// The contact who is told instead.
    pub contact: Option<String>,
    /// Mails queued to them.
    pub mails: u64,
    /// What has to be done.
    pub next_step: String,
}

/// Notes that a ticket's notice came to the wrong place, on a person's word.
pub async fn wrong_recipient(app: &App, ticket: &str, wrong: &Wrong<'_>, why: &str) -> Result<Stopped, AppError> {
    let why = words(why, "the reason")?;
    let mut tx = app.store.begin().await?;
    let case = Case::open(app, &mut tx, ticket).await?;
    let stopped = match wrong {
        Wrong::NotTheirs { domains, said_by } => {
            let mut named = Vec::with_capacity(domains.len());
            for domain in *domains {
                named.push(crate::mapping::parse(domain)?.as_str().to_owned());
            }
            let domains = named;
            let own = store::mapping::domains_of_tenant(&mut tx, case.incident.id, &case.ticket.tenant_id).await?;
            if let Some(foreign) = domains.iter().find(|domain| !own.contains(domain)) {
                return Err(AppError::bad(
                    format!("{foreign} is no domain of tenant {} in {}", case.ticket.tenant_id, case.incident.slug),
                    format!("its domains are {}", if own.is_empty() { "none".to_owned() } else { own.join(", ") }),
                ));
            }
            let denied_by = match said_by {
                Some(address) => known_reader(&mut tx, &case.ticket, address).await?,
                // The telephone names no address.
                None => String::new(),
            };
            let said = match domains.is_empty() {
                true => NotTheirs { domains: own, denied_by: Some(denied_by), why: why.to_owned() },
                false => NotTheirs { domains, denied_by: None, why: why.to_owned() },
            };
            dispute(app, &mut tx, &case.incident, &case.ticket, said).await?
        }
        Wrong::OtherPerson { address, role, name, instead_of } => {
            let tenant = case.ticket.tenant_id.as_str();
            let right = Given { tenant, role, name, address, ..Given::default() };
            tell_instead(app, &mut tx, &case, &right, *instead_of, why).await?
        }
    };
    let detail = serde_json::json!({
        "why": why, "disputed": stopped.disputed, "called_back": stopped.called_back, "contact": stopped.contact, "mails": stopped.mails,
    });
    tx.commit(app.entry("ticket.wrong-recipient", ticket, detail)).await?;
    crate::facts::settle(app, case.incident.id).await?;
    Ok(stopped)
}

/// The address as it is written to in a ticket, or to its tenant's contact.
async fn known_reader(tx: &mut Tx, ticket: &TicketRow, address: &str) -> Result<String, AppError> {
    let parsed = EmailAddress::parse(address).map_err(|error| {
        AppError::bad(format!("`{address}` is no address: {error}"), "write it as in soc@example.com")
    })?;
    if is_written_to(tx, ticket, parsed.as_str()).await? {
        return Ok(parsed.as_str().to_owned());
    }
    Err(AppError::bad(
        format!("{parsed} is no contact of tenant {}, and no mail of this ticket went to it", ticket.tenant_id),
        format!(
            "`forthright contact list {}` shows them; without --said-by the organisation alone is held",
            ticket.tenant_id
        ),
    ))
}

/// Whether we write to an address in this conversation: it is a contact, or a mail went to it.
pub(crate) async fn is_written_to(tx: &mut Tx, ticket: &TicketRow, address: &str) -> Result<bool, AppError> {
    let contacts = store::contacts::of_address(tx, address).await?;
    if contacts.iter().any(|contact| contact.tenant_id == ticket.tenant_id) {
        return Ok(true);
    }
    Ok(store::delivery::of_conversation(tx, &ticket.id).await?.iter().any(|mail| mail.address == address))
}

/// What somebody said is not their organisation's.
pub(crate) struct NotTheirs {
    /// Organisation domains.
    pub(crate) domains: Vec<String>,
    /// Where nothing at all is: to whom the notice went who says so; empty: not known.
    pub(crate) denied_by: Option<String>,
    /// In which words, or where they stand.
    pub(crate) why: String,
}

/// Stops disclosure of these domains to their tenant, and puts the question before a person. The caller holds the ticket.
pub(crate) async fn dispute(
    app: &App,
    tx: &mut Tx,
    incident: &Incident,
    ticket: &TicketRow,
    said: NotTheirs,
) -> Result<Stopped, AppError> {
    let now = app.clock.now();
    let tenant = &ticket.tenant_id;
    let NotTheirs { mut domains, denied_by, why } = said;
    store::directory::bump_version(tx).await?;
    if let Some(address) = &denied_by {
        let id = new_id("dny");
        let new = NewDenial {
            id: &id,
            incident: incident.id,
            tenant,
            address,
            why: &why,
            actor: &app.actor,
            at: now.micros(),
        };
        store::denials::insert(tx, &new).await?;
        // What a person assigned stands against a denial, but not what was assigned before it.
        domains.extend(store::mapping::assigned_to(tx, incident.id, tenant).await?);
        domains.sort();
        domains.dedup();
    }
    for domain in &domains {
        let decision = Decision {
            domain: domain.clone(),
            tenant_id: tenant.clone(),
            decision: "disputed".to_owned(),
            why: why.clone(),
        };
        let new = NewDecision {
            incident: incident.id,
            decision: &decision,
            actor: &app.actor,
            at: now.micros(),
            expires_at: None,
        };
        store::mapping::upsert_decision(tx, &new).await?;
    }
    store::mapping::mark_under(tx, incident.id, &domains).await?;
    let named = if domains.is_empty() { format!("tenant {tenant}") } else { domains.join(", ") };
    let losers = BTreeMap::from([(tenant.clone(), named.clone())]);
    let called_back = crate::delivery::call_back(app, tx, incident.id, &losers).await?;
    let body =
        format!("wrong recipient: nothing more is sent about {named} until a person settles whose it is\n\n{why}");
    let entry = add_entry(app, tx, &ticket.id, "wrong-recipient", body).await?;
    let next_step = format!(
        "settle each of {named}: `forthright mapping assign {0} DOMAIN TENANT --why …` for the right one (also if it is {tenant} after all; `forthright mapping settle {0} {tenant} --why …` if all of it is), then draft, approve and release; `forthright delivery disclosures {0} --tenant {tenant}` says who saw what",
        incident.slug
    );
    let task = Task {
        id: new_id("tsk"),
        tenant_id: Some(tenant.clone()),
        ticket_id: Some(ticket.id.clone()),
        kind: "wrong-recipient".to_owned(),
        target: "incident-lead".to_owned(),
        text: next_step.clone(),
        created_at: now.micros(),
        due_at: now.micros(),
    };
    let unique_key = format!("wrong-recipient/{entry}");
    store::escalation::insert_task(tx, &NewTask { incident: incident.id, task: &task, unique_key: &unique_key })
        .await?;
    Ok(Stopped { ticket: ticket.id.clone(), disputed: domains, called_back, next_step, ..Stopped::default() })
}

/// Keeps addresses that a mail names as the right ones, and puts them before a person: a mail adds nobody, so they are told
/// nothing until somebody has confirmed them.
pub(crate) async fn named_instead(
    app: &App,
    tx: &mut Tx,
    ticket: &TicketRow,
    addresses: &[EmailAddress],
    said_by: &str,
) -> Result<(), AppError> {
    let now = app.clock.now();
    let mut new = Vec::new();
    for address in addresses.iter().map(EmailAddress::as_str) {
        let there = store::contacts::of_address(tx, address).await?;
        // A mail that quotes whom it answers, or whom we know, names nobody new.
        if !app.settings.sender.is_own(address) && there.iter().all(|contact| contact.tenant_id != ticket.tenant_id) {
            new.push(address);
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    for address in new {
        let found = Found {
            id: new_id("fnd"),
            tenant_id: ticket.tenant_id.clone(),
            role: "security".to_owned(),
            name: String::new(),
            address: address.to_owned(),
            language: String::new(),
            rung: "named".to_owned(),
            provenance: said_by.to_owned(),
            found_at: now.micros(),
            state: "unverified".to_owned(),
            contact_id: None,
        };
        store::contacts::insert_found(tx, &found).await?;
    }
    let text = format!(
        "somebody at {} names other people to write to: `forthright contact list {}` shows them; confirm who is right with `forthright contact verify`, then `forthright ticket wrong-recipient {} --right EMAIL --why …`",
        ticket.tenant_id, ticket.tenant_id, ticket.id
    );
    let task = Task {
        id: new_id("tsk"),
        tenant_id: Some(ticket.tenant_id.clone()),
        ticket_id: Some(ticket.id.clone()),
        kind: "wrong-recipient".to_owned(),
        target: "agent".to_owned(),
        text,
        created_at: now.micros(),
        due_at: now.micros(),
    };
    let unique_key = format!("named-instead/{}/{said_by}", ticket.id);
    store::escalation::insert_task(tx, &NewTask { incident: ticket.incident_id, task: &task, unique_key: &unique_key })
        .await?;
    Ok(())
}

/// The newest notice to the right person, if it is still what the rows say.
async fn tell_instead(
    app: &App,
    tx: &mut Tx,
    case: &Case,
    right: &Given<'_>,
    instead_of: Option<&str>,
    why: &str,
) -> Result<Stopped, AppError> {
    let tenant = &case.ticket.tenant_id;
    crate::mapping::hold_verdicts(tx, case.incident.id).await?;
    if store::mapping::is_disputed(tx, case.incident.id, tenant).await? {
        return Err(AppError::refused(
            format!("it is not settled yet whether the domains are tenant {tenant}'s"),
            format!("settle that first: `forthright mapping review {} --list conflict`", case.incident.slug),
        ));
    }
    if let Some(address) = instead_of {
        crate::contacts::disable_in(app, tx, tenant, address, why).await?;
    }
    let contact = crate::contacts::add_in(app, tx, right, why).await?;
    let body = format!("the right recipient is {} ({contact})\n\n{why}", right.address);
    let entry = add_entry(app, tx, &case.ticket.id, "wrong-recipient", body).await?;
    let mut stopped = Stopped { ticket: case.ticket.id.clone(), contact: Some(contact.clone()), ..Stopped::default() };
    let Some(row) = store::contacts::by_id(tx, &contact).await?.filter(store::contacts::Contact::is_usable) else {
        return Err(AppError::refused(
            format!("{} is disabled or merged, so nothing can be sent to it", right.address),
            "enable it with `forthright directory enable-contact EMAIL --why …`, or name another address",
        ));
    };
    let Some((notice, letter)) = crate::notices::still_true(tx, &case.incident, tenant, &row).await? else {
        stopped.next_step = format!(
            "the facts changed since the notice was released: run `forthright notice draft {}`",
            case.incident.slug
        );
        return Ok(stopped);
    };
    let threads = store::threads::Threads::of_tenant(tx, case.incident.id, tenant).await?;
    let mail = NewMail {
        cause: "agent",
        cause_id: entry,
        ..crate::delivery::notice_mail(app, &case.incident, &notice, &case.ticket, &letter, &row, &threads)
    };
    let now: Timestamp = app.clock.now();
    let next_at = app.clock.real().micros();
    stopped.mails = store::delivery::insert_mails(tx, case.incident.id, now.micros(), next_at, &[mail]).await?;
    stopped.next_step = "the notice goes to the right recipient; nothing more is to be done".to_owned();
    Ok(stopped)
}
