//! Whose a mail is: by its token, else by the Message-IDs it names. Never by a number in its subject.
//!
//! Changes nothing. Invariants: a mail of ours that a message names counts only if it belongs to the same ticket as the
//! token, so that a token of one organisation changes nothing of another's; and what no person wrote speaks of a mail of
//! ours only with the token of its conversation, in its address or in the letter that it returns. A Message-ID alone stands
//! in lists and logs: such a report is noted in its ticket, and changes no delivery.

use mail::inbound::{Class, Inbound, Recipient};
use model::email::EmailAddress;
use store::Conn;
use store::delivery::Delivery;
use store::tickets::TicketRow;

use crate::AppError;

/// Where a mail belongs.
#[derive(Debug)]
pub(super) struct Whose {
    /// The ticket; none = nobody can say.
    pub(super) ticket: Option<TicketRow>,
    /// Which of our mails it is about.
    pub(super) mail: Option<Delivery>,
    /// Other tickets that it names by their tokens: somebody reads it for them, too.
    pub(super) also: Vec<TicketRow>,
}

/// Other tickets that are looked at of one mail.
const OTHERS: usize = 20;

/// Looks the tokens up, the envelope's first, then the Message-IDs.
pub(super) async fn find(conn: &mut Conn, read: &Inbound, envelope_to: Option<&str>) -> Result<Whose, AppError> {
    let mut ticket = None;
    let mut tokens = read.to.iter().filter_map(|address| model::ids::token_of(address));
    for token in tokens.by_ref() {
        ticket = store::tickets::by_token(conn, &token).await?;
        if ticket.is_some() {
            break;
        }
    }
    // Whoever answers a mail of a ticket that was merged since goes on talking in the other one.
    ticket = landing(conn, ticket).await?;
    let mut also: Vec<TicketRow> = Vec::new();
    // A mail server hands one copy over for each recipient, and says for which.
    if let (Some(first), None) = (&ticket, envelope_to.and_then(model::ids::token_of)) {
        for token in tokens.take(OTHERS) {
            let other = store::tickets::by_token(conn, &token).await?;
            let other = landing(conn, other).await?;
            also.extend(other.filter(|one| one.id != first.id && also.iter().all(|known| known.id != one.id)));
        }
    }
    let by_token = ticket.as_ref().map(|ticket| ticket.id.clone());
    for id in named(read) {
        let Some(mail) = store::delivery::by_message_id(conn, id).await? else { continue };
        let Some(its_ticket) = store::delivery::ticket_of(conn, &mail.id).await? else { continue };
        let its_ticket = store::tickets::by_id(conn, &its_ticket).await?;
        let Some(its_ticket) = landing(conn, its_ticket).await? else { continue };
        if by_token.as_ref().is_some_and(|ticket| *ticket != its_ticket.id) {
            continue;
        }
        let is_proven = by_token.is_some() || !is_report(read.class) || returns_token(conn, read, &its_ticket).await?;
        let mail = if is_proven { meant(conn, mail, &its_ticket, read).await? } else { None };
        return Ok(Whose { ticket: ticket.or(Some(its_ticket)), mail, also });
    }
    // A report without a Message-ID still says who was not reached; the token says in which conversation.
    let mail = match &ticket {
        Some(ticket) if read.class == Class::BouncePermanent => {
            returned(store::delivery::of_conversation(conn, &ticket.id).await?, &read.recipients)
        }
        _ => None,
    };
    Ok(Whose { ticket, mail, also })
}

/// What no person wrote about a mail, and whoever knows its Message-ID can.
fn is_report(class: Class) -> bool {
    match class {
        Class::BouncePermanent
        | Class::BounceTransient
        | Class::Delay
        | Class::Complaint
        | Class::Receipt
        | Class::AutoReply => true,
        Class::Human | Class::Loop | Class::Unclear => false,
    }
}

/// Whether the letter that a report returns has the token of this ticket.
async fn returns_token(conn: &mut Conn, read: &Inbound, ticket: &TicketRow) -> Result<bool, AppError> {
    for token in read.returned_senders.iter().filter_map(|address| model::ids::token_of(address)) {
        let there = store::tickets::by_token(conn, &token).await?;
        if landing(conn, there).await?.is_some_and(|there| there.id == ticket.id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The mail that a report is about: the one whose header it returns may have been sent on, or be quoted in a report on
/// another. None: it is on somebody whom we did not write to.
async fn meant(
    conn: &mut Conn,
    named: Delivery,
    ticket: &TicketRow,
    read: &Inbound,
) -> Result<Option<Delivery>, AppError> {
    let is_report = matches!(read.class, Class::BouncePermanent | Class::BounceTransient);
    let is_named = |recipient: &Recipient| normal(&recipient.address) == named.address;
    if !is_report || read.recipients.is_empty() || read.recipients.iter().any(is_named) {
        return Ok(Some(named));
    }
    let other = returned(store::delivery::of_conversation(conn, &ticket.id).await?, &read.recipients);
    let sent_on = read.recipients.iter().any(|recipient| is_near(&normal(&recipient.address), &named.address));
    Ok(other.or(sent_on.then_some(named)))
}

/// Whether one address may be the other's within its organisation: the same mailbox or the same domain, or one below.
fn is_near(one: &str, other: &str) -> bool {
    let (Some((box_1, at_1)), Some((box_2, at_2))) = (one.rsplit_once('@'), other.rsplit_once('@')) else {
        return false;
    };
    let below = |name: &str, parent: &str| name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
    box_1.eq_ignore_ascii_case(box_2) || at_1 == at_2 || below(at_1, at_2) || below(at_2, at_1)
}

async fn landing(conn: &mut Conn, ticket: Option<TicketRow>) -> Result<Option<TicketRow>, AppError> {
    match ticket {
        Some(ticket) => Ok(Some(store::tickets::survivor(conn, ticket).await?)),
        None => Ok(None),
    }
}

/// Message-IDs in the order of what they say: the returned message, what is answered, the thread from its end.
fn named(read: &Inbound) -> impl Iterator<Item = &String> {
    let own = read.message_id.as_ref().filter(|_| read.class == Class::Loop);
    read.returned_message_ids.iter().chain(own).chain(&read.in_reply_to).chain(read.references.iter().rev())
}

/// The newest mail to a recipient that the report refuses for good.
fn returned(mails: Vec<Delivery>, recipients: &[Recipient]) -> Option<Delivery> {
    let refused: Vec<String> = recipients
        .iter()
        .filter(|recipient| recipient.permanent == Some(true))
        .map(|recipient| normal(&recipient.address))
        .collect();
    mails.into_iter().filter(|mail| refused.contains(&mail.address)).max_by(|a, b| drawn(&a.id).cmp(drawn(&b.id)))
}

/// The sortable part of an id.
fn drawn(id: &str) -> &str {
    id.split_once('_').map_or(id, |(_, ulid)| ulid)
}

/// An address as the directory writes it; as it stands where it is none.
pub(super) fn normal(address: &str) -> String {
    EmailAddress::parse(address).map_or_else(|_| address.trim().to_owned(), |address| address.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, address: &str) -> Delivery {
        Delivery {
            id: id.to_owned(),
            notice_id: None,
            tenant_id: None,
            address: address.to_owned(),
            state: "accepted".to_owned(),
            attempts: 1,
            message_id: format!("{id}@vendor.example"),
            last_reply: String::new(),
            cause: "wave".to_owned(),
        }
    }

    fn recipient(address: &str, permanent: Option<bool>) -> Recipient {
        Recipient {
            address: address.to_owned(),
            action: "failed".to_owned(),
            status: "5.1.1".to_owned(),
            permanent,
            diagnostic: String::new(),
        }
    }

    #[test]
    fn a_report_without_message_id_finds_the_newest_mail_to_its_recipient() {
        let mails = || {
            vec![mail("dlv_02", "a@acme.example"), mail("out_01", "a@acme.example"), mail("dlv_03", "b@acme.example")]
        };
        let found = |recipient| returned(mails(), &[recipient]).map(|mail| mail.id);
        assert_eq!(found(recipient("A@ACME.example", Some(true))).as_deref(), Some("dlv_02"));
        assert_eq!(found(recipient("a@acme.example", Some(false))), None);
        assert_eq!(found(recipient("a@acme.example", None)), None);
        assert_eq!(found(recipient("c@acme.example", Some(true))), None);
    }

    #[test]
    fn the_returned_message_comes_before_the_thread_and_the_thread_from_its_end() {
        let raw = b"From: a@x.example\r\nMessage-ID: <own@x.example>\r\nIn-Reply-To: <b@x.example>\r\nReferences: <c@x.example> <d@x.example>\r\n\r\nWhat now?\r\n";
        let mut read = mail::inbound::read(raw, None, None, &|_| false);
        read.returned_message_ids = vec!["a@x.example".to_owned()];
        let ids: Vec<&str> = named(&read).map(String::as_str).collect();
        assert_eq!(ids, ["a@x.example", "b@x.example", "d@x.example", "c@x.example"]);
    }
}
