//! Mails as a person reads them, and the way into a ticket for those that nothing said the ticket of.
//!
//! Decides nothing by itself. Invariant: what a person puts into a ticket lands like any mail, with its questions as debt
//! and its sender unproven, and who did it stands in the timeline.

use model::time::Timestamp;
use serde::Serialize;
use store::inbound::{Inbound, Overview};

use super::effects::{Filing, sender};
use super::understand::{clean, understand};
use super::whose::{Whose, normal};
use super::{Reading, Received, filing, received, row};
use crate::{App, AppError, new_id};

/// Which mails are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those that are in no ticket: nothing says whose they are, or they could not be read.
    Quarantined,
}

/// A mail as it is listed.
#[derive(Debug, Serialize)]
pub struct ListedMail {
    /// `inb_…`.
    pub mail: String,
    /// When it came.
    pub received_at: Timestamp,
    /// `stored`, `filed`, `quarantined`, `failed`.
    pub state: String,
    /// A name of `mail::inbound::Class`.
    pub class: String,
    /// `A`, `B`, `U`, `C`.
    pub trust: String,
    /// Where it is.
    pub ticket: String,
    /// The sender in the envelope.
    pub envelope_from: String,
    /// Its subject.
    pub subject: String,
}

/// A mail as it is read.
#[derive(Debug, Serialize)]
pub struct ReadMail {
    /// `inb_…`.
    pub mail: String,
    /// `pipe`, `smtp`, `lmtp`, `imap`.
    pub via: String,
    /// When it came.
    pub received_at: Timestamp,
    /// `stored`, `filed`, `quarantined`, `failed`.
    pub state: String,
    /// A name of `mail::inbound::Class`.
    pub class: String,
    /// `A`, `B`, `U`, `C`.
    pub trust: String,
    /// Where it is.
    pub ticket: Option<String>,
    /// The mail that it repeats.
    pub duplicate_of: Option<String>,
    /// The sender in the envelope.
    pub envelope_from: Option<String>,
    /// The recipient in the envelope.
    pub envelope_to: Option<String>,
    /// The address in From.
    pub from: Option<String>,
    /// Every address it was sent to.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its own Message-ID.
    pub message_id: Option<String>,
    /// Whether its words are hidden from us.
    pub encrypted: bool,
    /// Why it was put in its class, and what was found out about its sender.
    pub evidence: Vec<String>,
    /// The questions it opened.
    pub questions: Vec<String>,
    /// The whole text, with quotes and signature.
    pub full_text: String,
}

/// Mails in the order in which they came.
pub async fn list(app: &App, which: Which) -> Result<Vec<ListedMail>, AppError> {
    let states: &[&str] = match which {
        Which::All => &["stored", "filed", "quarantined", "failed"],
        Which::Quarantined => &["quarantined", "failed"],
    };
    let rows = store::inbound::overview(&mut app.store.read().await?, states).await?;
    rows.into_iter().map(ListedMail::of).collect()
}

/// One mail in full.
pub async fn read(app: &App, id: &str) -> Result<ReadMail, AppError> {
    let there = row(app, id).await?;
    let reading = reading(there.verdict.as_deref())?;
    let understood = understand(app, there).await?;
    let (there, read) = (understood.row, understood.read);
    Ok(ReadMail {
        mail: there.id,
        via: there.via,
        received_at: Timestamp::from_micros(there.received_at),
        state: there.state,
        class: there.class.unwrap_or_default(),
        trust: there.trust.unwrap_or_default(),
        ticket: there.ticket_id,
        duplicate_of: there.duplicate_of,
        envelope_from: there.envelope_from,
        envelope_to: there.envelope_to,
        from: read.from,
        to: read.to,
        subject: read.subject,
        message_id: read.message_id,
        encrypted: read.encrypted,
        evidence: if reading.evidence.is_empty() { read.evidence } else { reading.evidence },
        questions: reading.questions,
        full_text: clean(&read.full_text),
    })
}

/// Its bytes, as they came.
pub async fn raw(app: &App, id: &str) -> Result<Vec<u8>, AppError> {
    Ok(row(app, id).await?.raw)
}

/// Puts a mail that is in no ticket into one, on a person's word.
pub async fn attach(app: &App, id: &str, ticket: &str) -> Result<Received, AppError> {
    let there = row(app, id).await?;
    refuse_filed(&there)?;
    let understood = understand(app, there).await?;
    let mut tx = app.store.begin().await?;
    let found = store::tickets::by_id(&mut tx, ticket).await?.ok_or_else(|| {
        AppError::missing(format!("no ticket {ticket}"), "run `forthright ticket list SLUG` to see what there is")
    })?;
    let found = store::tickets::survivor(&mut tx, found).await?;
    store::tickets::lock(&mut tx, &found.id).await?;
    let landing = store::tickets::by_id(&mut tx, &found.id).await?.unwrap_or(found);
    let ticket = landing.id.clone();
    if let Some(same) = filing::same(&mut tx, &understood, Some(&ticket)).await? {
        return Err(AppError::refused(
            format!("ticket {ticket} has the same mail already: {same}"),
            format!("look at it: `forthright mail show {same}`"),
        ));
    }
    let whose = Whose { ticket: Some(landing), mail: None, also: Vec::new() };
    let filing = Filing::new(app, understood, whose, None);
    if !store::inbound::attach(&mut tx, &filing.row()?).await? {
        return Err(AppError::refused(
            format!("somebody else has filed mail {id}"),
            format!("run `forthright mail show {id}`"),
        ));
    }
    let entry = store::tickets::Entry {
        id: new_id("ent"),
        at: app.clock.now().micros(),
        kind: "status".to_owned(),
        actor: app.actor.clone(),
        body: format!("{id} was in no ticket, and was put into this one"),
    };
    store::tickets::insert_entry(&mut tx, &ticket, &entry).await?;
    let disputed = filing.apply(&mut tx).await?;
    let detail = serde_json::json!({ "ticket": ticket, "filed": filing.audit_detail() });
    tx.commit(app.entry("mail.attach", id, detail)).await?;
    if let Some(incident) = disputed {
        crate::facts::settle(app, incident).await?;
    }
    received(row(app, id).await?)
}

/// Whether a mail's sender calls itself so.
pub(crate) fn is_from(mail: &Inbound, address: &str) -> bool {
    let read = mail::inbound::read(&mail.raw, mail.envelope_from.as_deref(), None, &|_| false);
    sender(&read, mail.envelope_from.as_deref()) == normal(address)
}

fn refuse_filed(mail: &Inbound) -> Result<(), AppError> {
    let id = &mail.id;
    match (mail.state.as_str(), &mail.ticket_id, &mail.duplicate_of) {
        ("quarantined" | "failed", None, None) => Ok(()),
        ("quarantined" | "failed", None, Some(first)) => Err(AppError::refused(
            format!("mail {id} repeats {first}"),
            format!("put that one into the ticket: `forthright mail attach {first} TICKET`"),
        )),
        (_, Some(ticket), _) => Err(AppError::refused(
            format!("mail {id} is in ticket {ticket}, and a mail stays where it landed"),
            format!("split or merge tickets instead: `forthright ticket split {ticket} --questions Q,…`"),
        )),
        (_, None, _) => Err(AppError::Later {
            what: format!("mail {id} is not filed yet"),
            hint: "it is filed by itself: come again".to_owned(),
        }),
    }
}

fn reading(verdict: Option<&str>) -> Result<Reading, AppError> {
    match verdict {
        Some(text) => serde_json::from_str(text).map_err(AppError::stored("inbound.verdict")),
        None => Ok(Reading::default()),
    }
}

impl ListedMail {
    fn of(row: Overview) -> Result<Self, AppError> {
        Ok(Self {
            subject: reading(row.verdict.as_deref())?.subject,
            mail: row.id,
            received_at: Timestamp::from_micros(row.received_at),
            state: row.state,
            class: row.class.unwrap_or_default(),
            trust: row.trust.unwrap_or_default(),
            ticket: row.ticket_id.unwrap_or_default(),
            envelope_from: row.envelope_from.unwrap_or_default(),
        })
    }
}
