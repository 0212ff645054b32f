//! A stored mail, read.
//!
//! Writes nothing. Invariant: a fault of the parser is one mail's fault.

use std::sync::Arc;

use store::inbound::Inbound;

use crate::{App, AppError};

/// A mail with what was read of it.
#[derive(Debug)]
pub(super) struct Understood {
    /// Without its bytes.
    pub(super) row: Inbound,
    pub(super) read: mail::inbound::Inbound,
    /// Over what its sender made of it.
    pub(super) content_digest: Option<String>,
}

/// Reads a mail's bytes, off the async threads: 25 MB take a while.
pub(super) async fn understand(app: &App, mut row: Inbound) -> Result<Understood, AppError> {
    let raw = Arc::new(std::mem::take(&mut row.raw));
    let first = parse(&row, Arc::clone(&raw), None).await?;
    let own = match &first.0.message_id {
        Some(id) => store::delivery::by_message_id(&mut app.store.read().await?, id).await?.map(|mail| mail.message_id),
        None => None,
    };
    let (read, content_digest) = match own {
        Some(own) => parse(&row, raw, Some(own)).await?,
        None => first,
    };
    Ok(Understood { row, read, content_digest })
}

type Read = (mail::inbound::Inbound, Option<String>);

async fn parse(row: &Inbound, raw: Arc<Vec<u8>>, own: Option<String>) -> Result<Read, AppError> {
    let (from, to) = (row.envelope_from.clone(), row.envelope_to.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let is_own = |id: &str| own.as_deref() == Some(id);
        let read = mail::inbound::read(&raw, from.as_deref(), to.as_deref(), &is_own);
        (without_nul(read), mail::inbound::content_digest(&raw))
    });
    reading.await.map_err(|error| {
        AppError::bad(format!("mail {} cannot be read: {error}", row.id), "read it by hand; its bytes are kept")
    })
}

/// PostgreSQL keeps no NUL in a text; a hostile mail has some.
pub(super) fn without_nul(mut read: mail::inbound::Inbound) -> mail::inbound::Inbound {
    for ids in [&mut read.in_reply_to, &mut read.references, &mut read.returned_message_ids, &mut read.returned_senders]
    {
        ids.retain(|id| !id.contains('\0'));
    }
    read.message_id = read.message_id.as_deref().map(clean);
    read.from = read.from.as_deref().map(clean);
    read.subject = clean(&read.subject);
    read.new_text = clean(&read.new_text);
    for recipient in &mut read.recipients {
        recipient.diagnostic = clean(&recipient.diagnostic);
        recipient.address = clean(&recipient.address);
        recipient.status = clean(&recipient.status);
        recipient.action = clean(&recipient.action);
    }
    read
}

pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
