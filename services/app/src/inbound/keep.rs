//! Bytes and envelope of a mail on their way into the store.
//!
//! Reads nothing of a mail. Invariant: once these functions return `Ok` the mail is durable; handed over again, it is the
//! same mail.

use mail::reception::{Arrived, Protocol};
use store::inbound::NewInbound;
use store::inbox::{Inbox, InboxError};

use super::understand::clean;
use crate::{App, AppError, new_id};

/// How a mail came, as far as its digest and its sender's proof ask.
pub(super) struct Way<'a> {
    pub(super) via: &'static str,
    pub(super) peer: Option<String>,
    pub(super) hello: Option<&'a str>,
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
}

/// Keeps one mail in a transaction of its own; its id.
pub(super) async fn alone(app: &App, raw: &[u8], way: &Way<'_>) -> Result<String, AppError> {
    let mail = new(app, raw.to_vec(), way);
    let mut tx = app.store.begin().await?;
    store::inbound::insert(&mut tx, &[&mail]).await?;
    let kept = store::inbound::by_digest(&mut tx, &mail.digest).await?.unwrap_or(mail.id);
    tx.commit_ledger().await?;
    Ok(kept)
}

/// Keeps what came over a connection, once for each of its recipients, together with whatever else waits.
pub async fn arrive(app: &App, inbox: &Inbox, mail: Arrived) -> Result<(), InboxError> {
    // Behind a server of our own it is that server who is connected, and says nothing about the sender.
    let is_ours = mail.protocol == Protocol::Smtp;
    let mut keeping = tokio::task::JoinSet::new();
    let (mut data, last) = (mail.data, mail.to.len().saturating_sub(1));
    for (at, to) in mail.to.iter().enumerate() {
        let raw = if at == last { std::mem::take(&mut data) } else { data.clone() };
        let way = Way {
            via: mail.protocol.name(),
            peer: is_ours.then(|| mail.peer.to_string()),
            hello: is_ours.then_some(mail.hello.as_str()),
            from: Some(&mail.from),
            to: Some(to),
        };
        let (inbox, new) = (inbox.clone(), new(app, raw, &way));
        keeping.spawn(async move { inbox.keep(new).await });
    }
    while let Some(kept) = keeping.join_next().await {
        kept.map_err(|_| InboxError::Stopped)??;
    }
    Ok(())
}

/// What was found in a mailbox: nobody says who sent it from where, or to which of our addresses it came.
pub(crate) fn from_mailbox(app: &App, raw: Vec<u8>) -> NewInbound {
    new(app, raw, &Way { via: "imap", peer: None, hello: None, from: None, to: None })
}

fn new(app: &App, raw: Vec<u8>, way: &Way<'_>) -> NewInbound {
    let (from, to) = (way.from.map(clean), way.to.map(clean));
    // No sender stated is not the null sender.
    let part = |address: &Option<String>| address.as_ref().map_or_else(String::new, |address| format!("<{address}>"));
    let digest = model::digest::sha256_of_parts(&[part(&from).as_bytes(), part(&to).as_bytes(), &raw]);
    NewInbound {
        id: new_id("inb"),
        digest,
        raw,
        via: way.via,
        peer: way.peer.clone(),
        hello: way.hello.map(clean),
        envelope_from: from,
        envelope_to: to,
        received_at: app.clock.now().micros(),
    }
}
