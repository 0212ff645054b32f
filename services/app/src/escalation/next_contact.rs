//! The same notice to the next contacts of an organisation.
//!
//! Writes no text: the letter is the one that was frozen. Invariant: an address that has a row for the notice, whatever
//! became of it, is not written to again; and the wave that released the notice holds this mail up like its own.

use std::collections::HashSet;

use model::delivery::{State, recipients};
use store::contacts::Contact;
use store::delivery::NewMail;
use store::notices::Notice;
use store::tickets::TicketRow;
use store::{Conn, Tx};

use crate::delivery::{ladder, letter_for, notice_mail};
use crate::{App, AppError, Incident};

/// Whether every mail of a ticket's newest released notice is settled and none is accepted. A ticket without mails is not
/// stranded: its organisation has a task of its own.
pub(super) async fn is_stranded(conn: &mut Conn, ticket: &str) -> Result<bool, AppError> {
    let states = store::escalation::newest_states(conn, ticket).await?;
    let mut states = states.iter().map(|state| State::parse(state));
    let came_back = |state| matches!(state, Some(State::Bounced | State::Failed | State::Suppressed));
    Ok(states.clone().any(came_back) && states.all(|state| state == Some(State::Cancelled) || came_back(state)))
}

/// The newest released notice of a ticket's organisation, and the contacts on the first rung that have no row for it and
/// can be given one.
pub(crate) async fn untried(
    app: &App,
    conn: &mut Conn,
    incident: &Incident,
    ticket: &TicketRow,
) -> Result<Option<(Notice, Vec<Contact>)>, AppError> {
    let Some(notice) = store::escalation::newest_released(conn, ticket.incident_id, &ticket.tenant_id).await? else {
        return Ok(None);
    };
    let mut people = ladder(&store::contacts::of(conn, std::slice::from_ref(&ticket.tenant_id)).await?);
    // A row for the notice may stand in another ticket, and one of the same Message-ID is the same mail.
    let tried: HashSet<String> = store::escalation::tried(conn, &notice.id).await?.into_iter().collect();
    people.retain(|(_, address, _)| !tried.contains(address));
    let domain = app.settings.sender.domain();
    let message_id = |address: &str| model::ids::message_id(incident.key.bytes(), &notice.id, address, domain);
    let ids: Vec<String> = people.iter().map(|(_, address, _)| message_id(address)).collect();
    let taken = store::delivery::own_message_ids(conn, &ids).await?;
    people.retain(|(_, address, _)| !taken.contains(&message_id(address)));
    let Some((_, contacts)) = recipients(&people, 0) else { return Ok(None) };
    // A notice that is not true any more, or whose domains are disputed, goes to nobody else.
    let is_true = crate::notices::states_facts_of_today(conn, ticket.incident_id, &notice).await?;
    Ok(is_true.then_some((notice, contacts)))
}

/// Puts the notice to the next contacts into the outbox; how many mails. 0: nobody is left.
pub(crate) async fn queue(
    app: &App,
    tx: &mut Tx,
    incident: &Incident,
    ticket: &TicketRow,
    cause_id: &str,
) -> Result<u64, AppError> {
    crate::mapping::hold_verdicts(tx, incident.id).await?;
    let Some((notice, contacts)) = untried(app, tx, incident, ticket).await? else { return Ok(0) };
    let letters = store::notices::letters_of(tx, &notice.id).await?;
    if letters.is_empty() {
        return Ok(0);
    }
    let under_wave = store::waves::of_notice(tx, &notice.id).await?;
    let tenant = store::directory::tenant(tx, &ticket.tenant_id).await?;
    let language = tenant.map(|tenant| tenant.language).unwrap_or_default();
    let threads = store::threads::Threads::of_tenant(tx, incident.id, &ticket.tenant_id).await?;
    let mail = |contact: &Contact| NewMail {
        cause: "policy",
        cause_id: cause_id.to_owned(),
        under_wave: under_wave.clone(),
        ..notice_mail(app, incident, &notice, ticket, letter_for(&letters, contact, &language), contact, &threads)
    };
    let mails: Vec<NewMail> = contacts.iter().map(mail).collect();
    let (created_at, next_at) = (app.clock.now().micros(), app.clock.real().micros());
    Ok(store::delivery::insert_mails(tx, incident.id, created_at, next_at, &mails).await?)
}
