//! Mail that comes in: kept first, then filed to its ticket.
//!
//! Reads no MIME (that is `mail::inbound`) and sends nothing. Invariant: the bytes are committed before anything is made
//! of them, and a mail changes a ticket once. A mail never closes, assigns, approves or adds a person.

mod acknowledgement;
mod desk;
mod effects;
mod filing;
mod keep;
mod senders;
#[cfg(test)]
mod tests;
mod understand;
mod whose;

use mail::inbound::{Class, Recipient};
use serde::{Deserialize, Serialize};
use store::inbound::{Inbound, ToFile};

use crate::{App, AppError};

pub(crate) use desk::is_from;
pub use desk::{ListedMail, ReadMail, Which, attach, list, raw, read};
pub use keep::arrive;
pub(crate) use keep::from_mailbox;
pub(crate) use senders::Senders;

use keep::Way;

/// The largest message that is taken, in bytes.
pub const LARGEST: usize = 25 * 1024 * 1024;
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
    /// `A`: from a contact whom we wrote to, and proven. `B`: from the organisation's domain, and proven. `U`: it names a
    /// ticket, its sender is not proven. `C`: nothing says whose it is.
    pub trust: String,
    /// The sender's own words.
    pub new_text: String,
    /// The questions it opened.
    pub questions: Vec<String>,
    /// Whether its words are hidden from us.
    pub encrypted: bool,
    /// The mail that it repeats; then it changed nothing.
    pub duplicate_of: Option<String>,
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
    let way = Way { via: "pipe", peer: None, hello: None, from: envelope_from, to: envelope_to };
    let id = keep::alone(app, raw, &way).await?;
    if let Err(error) = file(app, &id).await {
        tracing::warn!(inbound.id = %id, %error, "a mail is stored and could not be filed at once; the sweep files it");
    }
    if let Err(error) = senders::prove(app, &id).await {
        tracing::warn!(inbound.id = %id, %error, "a sender could not be proven at once; the sweep tries again");
    }
    if let Err(error) = crate::waves::judge(app).await {
        tracing::warn!(%error, "waves could not be judged by their stop rules at once; the sweep judges them");
    }
    received(row(app, &id).await?)
}

async fn row(app: &App, id: &str) -> Result<Inbound, AppError> {
    store::inbound::by_id(&mut app.store.read().await?, id)
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
        encrypted: row.encrypted == 1,
        duplicate_of: row.duplicate_of,
    })
}

/// Files one stored mail. Again = nothing.
async fn file(app: &App, id: &str) -> Result<(), AppError> {
    let there = row(app, id).await?;
    if there.state == "stored" {
        let bytes = i64::try_from(there.raw.len()).unwrap_or(i64::MAX);
        filing::file_all(app, vec![ToFile { id: there.id, tries: there.tries, bytes }]).await?;
    }
    Ok(())
}

/// Files up to `limit` mails that are stored and not filed, and says how many are. One that fails does not stop the others, and
/// after five tries it is put before a person.
pub async fn file_pending(app: &App, limit: i64) -> Result<usize, AppError> {
    let waiting = store::inbound::to_file(&mut app.store.read().await?, limit).await?;
    filing::file_all(app, waiting).await
}

/// Proves the senders of up to `limit` mails that wait for it, and says how many were looked at.
pub async fn prove_pending(app: &App, limit: i64) -> Result<usize, AppError> {
    senders::prove_pending(app, limit).await
}

/// Whether a mail is stored and not filed, or its sender is to be proven now.
pub async fn pending(app: &App) -> Result<bool, AppError> {
    let mut conn = app.store.read().await?;
    Ok(store::inbound::count_to_file(&mut conn).await? > 0 || senders::are_due(app, &mut conn).await?)
}
