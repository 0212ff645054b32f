//! Mail that comes in: kept first, then filed to its ticket.
//!
//! Reads no MIME (that is `mail::inbound`) and sends nothing. Invariant: the bytes are committed before anything is made
//! of them, and a mail changes a ticket once. A mail never closes, assigns, approves or adds a person.

mod effects;
#[cfg(test)]
mod tests;
mod whose;

use std::sync::Arc;

use mail::inbound::{Class, Recipient};
use serde::{Deserialize, Serialize};
use store::tickets::{Inbound, NewInbound};

use crate::{App, AppError, new_id};

use effects::Filing;

/// The largest message that is taken.
const LARGEST: usize = 25 * 1024 * 1024;
/// Tries to file a mail before it is put before a person.
const TRIES: i64 = 5;
/// Characters of a mail's text that are kept beside its bytes.
const LONGEST_TEXT: usize = 100_000;

/// What became of a mail.
#[derive(Debug, Serialize)]
pub struct Received {
    /// `inb_…`.
    pub id: String,
    /// Its own Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// A name of `mail::inbound::Class`; `unclear` while it is not filed.
    pub class: String,
    /// The ticket it belongs to; none = quarantined, or not filed yet.
    pub ticket: Option<String>,
    /// Which of our mails it is about.
    pub delivery: Option<String>,
    /// Of whom a report speaks.
    pub recipients: Vec<Recipient>,
    /// `U`: it names a ticket, its sender is not checked. `C`: nothing says whose it is.
    pub trust: String,
    /// The sender's own words.
    pub new_text: String,
    /// The questions it opened.
    pub questions: Vec<String>,
}

/// What was read, as it is kept beside the bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Reading {
    evidence: Vec<String>,
    recipients: Vec<Recipient>,
    subject: String,
    new_text: String,
    questions: Vec<String>,
}

/// Takes one message. Once this returns `Ok`, it is stored durably; handed over again, it is the same mail.
pub async fn receive(
    app: &App,
    raw: &[u8],
    envelope_from: Option<&str>,
    envelope_to: Option<&str>,
) -> Result<Received, AppError> {
    if raw.is_empty() {
        return Err(AppError::bad("the message is empty", "give one RFC 5322 message on standard input"));
    }
    if raw.len() > LARGEST {
        return Err(AppError::bad(
            format!("the message is larger than {} MB", LARGEST / (1024 * 1024)),
            "refuse it in the mail server too, and ask the sender for a smaller one",
        ));
    }
    let id = keep(app, raw, envelope_from, envelope_to).await?;
    if let Err(error) = file(app, &id).await {
        tracing::warn!(inbound.id = %id, %error, "a mail is stored and could not be filed at once; the sweep files it");
    }
    received(row(app, &id).await?)
}

/// Commits the bytes; a mail that is there already keeps its id.
async fn keep(app: &App, raw: &[u8], from: Option<&str>, to: Option<&str>) -> Result<String, AppError> {
    let (from, to) = (from.map(clean), to.map(clean));
    // No sender stated is not the null sender.
    let part = |address: &Option<String>| address.as_ref().map_or_else(String::new, |address| format!("<{address}>"));
    let digest = model::digest::sha256_of_parts(&[part(&from).as_bytes(), part(&to).as_bytes(), raw]);
    let id = new_id("inb");
    let mut tx = app.store.begin().await?;
    let new = NewInbound {
        id: &id,
        digest: &digest,
        raw,
        envelope_from: from.as_deref(),
        envelope_to: to.as_deref(),
        received_at: app.clock.now().micros(),
    };
    store::tickets::store_inbound(&mut tx, &new).await?;
    let kept = store::tickets::inbound_by_digest(&mut tx, &digest).await?.map_or(id, |there| there.id);
    tx.commit_ledger().await?;
    Ok(kept)
}

async fn row(app: &App, id: &str) -> Result<Inbound, AppError> {
    store::tickets::inbound_by_id(&mut app.store.read().await?, id)
        .await?
        .ok_or_else(|| AppError::missing(format!("no mail {id}"), "run `forthright mail receive` to take one"))
}

fn received(row: Inbound) -> Result<Received, AppError> {
    let reading: Reading = match &row.verdict {
        Some(text) => serde_json::from_str(text).map_err(AppError::stored("inbound.verdict"))?,
        None => Reading::default(),
    };
    Ok(Received {
        id: row.id,
        message_id: row.message_id,
        class: row.class.unwrap_or_else(|| Class::Unclear.name().to_owned()),
        ticket: row.ticket_id,
        delivery: row.outbox_id,
        recipients: reading.recipients,
        trust: row.trust.unwrap_or_else(|| "C".to_owned()),
        new_text: reading.new_text,
        questions: reading.questions,
    })
}

/// Files a stored mail: whose it is, and what it changes, in one transaction. Again = nothing.
pub async fn file(app: &App, id: &str) -> Result<(), AppError> {
    let mut inbound = row(app, id).await?;
    if inbound.state != "stored" {
        return Ok(());
    }
    let raw = Arc::new(std::mem::take(&mut inbound.raw));
    let read = understand(app, &inbound, raw).await?;
    let mut tx = app.store.begin().await?;
    let whose = whose::find(&mut tx, &read).await?;
    if let Some(ticket) = &whose.ticket {
        store::tickets::lock(&mut tx, &ticket.id).await?;
    }
    let filing = Filing::new(app, inbound, read, whose);
    let detail = filing.audit_detail();
    let row = filing.row()?;
    // The claim: whoever files second changes nothing.
    if !store::tickets::file_inbound(&mut tx, &row).await? {
        return Ok(());
    }
    let disputed = filing.apply(&mut tx).await?;
    tx.commit(app.entry("mail.receive", id, detail)).await?;
    if let Some(incident) = disputed
        && let Err(error) = crate::facts::settle(app, incident).await
    {
        // Nothing can be sent all the same; the sweep gives the verdicts.
        tracing::warn!(inbound.id = %id, %error, "a domain is disputed, and its verdict could not be given at once");
    }
    Ok(())
}

/// Reads the bytes off the async threads: 25 MB take a while, and a fault of the parser must stay one mail's.
async fn understand(app: &App, row: &Inbound, raw: Arc<Vec<u8>>) -> Result<mail::inbound::Inbound, AppError> {
    let first = parse(row, Arc::clone(&raw), None).await?;
    let own = match &first.message_id {
        Some(id) => store::delivery::by_message_id(&mut app.store.read().await?, id).await?.map(|mail| mail.message_id),
        None => None,
    };
    match own {
        Some(own) => parse(row, raw, Some(own)).await,
        None => Ok(first),
    }
}

async fn parse(row: &Inbound, raw: Arc<Vec<u8>>, own: Option<String>) -> Result<mail::inbound::Inbound, AppError> {
    let (from, to) = (row.envelope_from.clone(), row.envelope_to.clone());
    let reading = tokio::task::spawn_blocking(move || {
        mail::inbound::read(&raw, from.as_deref(), to.as_deref(), &|id| own.as_deref() == Some(id))
    });
    reading.await.map(without_nul).map_err(|error| {
        AppError::bad(format!("mail {} cannot be read: {error}", row.id), "read it by hand; its bytes are kept")
    })
}

/// PostgreSQL keeps no NUL in a text; a hostile mail has some.
fn without_nul(mut read: mail::inbound::Inbound) -> mail::inbound::Inbound {
    for ids in [&mut read.in_reply_to, &mut read.references, &mut read.returned_message_ids] {
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

fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Files up to `limit` mails that are stored and not filed; how many. One that fails does not stop the others, and after
/// five tries it is put before a person.
pub async fn file_pending(app: &App, limit: i64) -> Result<usize, AppError> {
    let ids = store::tickets::inbound_to_file(&mut app.store.read().await?, limit).await?;
    let mut filed = 0;
    for id in ids {
        match file(app, &id).await {
            Ok(()) => filed += 1,
            // What it waits for ends by itself: the sweep comes again.
            Err(AppError::Later { what, .. }) => tracing::debug!(inbound.id = %id, what, "a mail waits to be filed"),
            Err(error) => {
                tracing::error!(inbound.id = %id, %error, "a mail cannot be filed");
                let mut tx = app.store.begin().await?;
                store::tickets::fail_inbound(&mut tx, &id, TRIES).await?;
                tx.commit_ledger().await?;
            }
        }
    }
    Ok(filed)
}

/// Whether a mail is stored and not filed.
pub async fn pending(app: &App) -> Result<bool, AppError> {
    Ok(store::tickets::count_to_file(&mut app.store.read().await?).await? > 0)
}
