//! The automatic answer to a proven person's questions: that they have arrived, and how they were understood.
//!
//! A standing policy: through the outbox, without facts. Invariant: at most one a mail, one a conversation and period,
//! a handful an address; never to a mail that a program must not answer (RFC 3834). A limiter that cannot count lets
//! none leave.

use mail::templates::{AcknowledgementContext, AskedQuestion};
use model::language::Language;
use model::time::Timestamp;
use store::Tx;
use store::delivery::NewMail;
use store::inbound::Inbound;
use store::tickets::{Entry, TicketRow};

use crate::notices::letter_row;
use crate::{App, AppError, new_id};

const HOUR: i64 = 3_600_000_000;
/// Characters of a question that are repeated.
const REPEATED: usize = 2_000;
/// Acknowledgements to one address in a period, in all its conversations.
const AN_ADDRESS: i64 = 5;
/// Acknowledgements to anybody in an hour: more than that is a loop, and not people.
const AN_HOUR: i64 = 500;

/// Queues an acknowledgement, where there may be one; the id of its mail.
pub(super) async fn queue(
    app: &App,
    tx: &mut Tx,
    ticket: &TicketRow,
    mail: &Inbound,
    asked: &[String],
    to: &str,
) -> Result<Option<String>, AppError> {
    let may = mail.may_answer == 1 && mail.class.as_deref() == Some("human") && mail.duplicate_of.is_none();
    if !may || asked.is_empty() || !is_within_limits(app, tx, &ticket.id, to).await? {
        return Ok(None);
    }
    let gone =
        || AppError::missing(format!("no tenant {}", ticket.tenant_id), "run `forthright directory import` with it");
    let tenant = store::directory::tenant(tx, &ticket.tenant_id).await?.ok_or_else(gone)?;
    let incident = app.incident_by_id(tx, ticket.incident_id).await?;
    let contacts = store::contacts::of(tx, std::slice::from_ref(&tenant.id)).await?;
    let contact = contacts.iter().find(|contact| contact.address == to && contact.is_usable());
    let language = Language::of_contact(contact.map_or("", |contact| &contact.language), &tenant.language);
    let context = AcknowledgementContext {
        incident_title: incident.facts.title.clone(),
        vendor: incident.facts.vendor.clone(),
        tenant_name: tenant.name.clone(),
        questions: asked.iter().map(|text| as_asked(text, mail.received_at)).collect(),
    };
    let letter =
        letter_row("acknowledgement", None, language, app.templates.render_acknowledgement(language, &context)?);
    let id = new_id("out");
    let new = NewMail {
        id: id.clone(),
        cause: "policy",
        cause_id: mail.id.clone(),
        wave_id: None,
        under_wave: None,
        letter_id: letter.id.clone(),
        notice_id: None,
        ticket_id: Some(ticket.id.clone()),
        tenant_id: Some(tenant.id.clone()),
        contact_id: contact.map(|contact| contact.id.clone()),
        address: to.to_owned(),
        name: contact.map(|contact| contact.name.clone()).unwrap_or_default(),
        message_id: model::ids::message_id(incident.key.bytes(), &letter.id, to, app.settings.sender.domain()),
        reply_token: ticket.token.clone(),
        thread_id: mail.message_id.clone().filter(|id| is_header_safe(id)),
    };
    let now = app.clock.now().micros();
    store::notices::insert_letters(tx, now, &[letter]).await?;
    store::delivery::insert_mails(tx, incident.id, now, app.clock.real().micros(), &[new]).await?;
    store::inbound::acknowledge(tx, &mail.id, &ticket.id, to, now, &id).await?;
    let body = format!("acknowledged to {to}: {} question(s) of {}", asked.len(), mail.id);
    let entry = Entry { id: new_id("ent"), at: now, kind: "status".to_owned(), actor: app.actor.clone(), body };
    store::tickets::insert_entry(tx, &ticket.id, &entry).await?;
    Ok(Some(id))
}

/// A count that fails is an error, and nothing leaves.
async fn is_within_limits(app: &App, tx: &mut Tx, ticket: &str, to: &str) -> Result<bool, AppError> {
    let hours = i64::try_from(app.settings.receive.acknowledge_hours).unwrap_or(i64::MAX);
    if hours == 0 {
        return Ok(false);
    }
    let now = app.clock.now().micros();
    let since = now.saturating_sub(hours.saturating_mul(HOUR));
    let counted = store::inbound::acknowledged_since(tx, ticket, to, since, now - HOUR).await?;
    Ok(counted.of_ticket == 0 && counted.of_address < AN_ADDRESS && counted.of_all < AN_HOUR)
}

/// A letter repeats the beginning of a long question: enough to know it by.
fn as_asked(text: &str, at: i64) -> AskedQuestion {
    let text = match text.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    };
    AskedQuestion { id: String::new(), text, asked_at: Timestamp::from_micros(at) }
}

/// Whether a stranger's Message-ID can stand in a header of ours.
fn is_header_safe(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    let halves = id.split_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
    halves && id.len() <= 250 && id.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_question_is_repeated_by_its_beginning() {
        assert_eq!(as_asked("Which files?", 0).text, "Which files?");
        assert_eq!(as_asked(&"ü".repeat(REPEATED + 1), 0).text, format!("{} …", "ü".repeat(REPEATED)));
    }

    #[test]
    fn a_message_id_that_would_break_a_header_is_not_repeated() {
        assert!(is_header_safe("1@x.example"));
        for id in ["", "1", "@x", "1@", "a b@x", "a\r\nBcc: y@x", "<1@x", &format!("{}@x", "1".repeat(260))] {
            assert!(!is_header_safe(id), "{id}");
        }
    }
}
