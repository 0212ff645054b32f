//! Mailboxes that mail is taken from: how far each was read, what could not be taken, and whether it can be reached.
//!
//! Speaks no IMAP (`mail::imap` does). Invariant: the bytes of a mail are committed before its mailbox hears of it, a try
//! is counted before it is begun, and who cannot be read is left to a person and stops no other mail.

use std::collections::BTreeMap;

use model::time::Timestamp;
use serde::Serialize;
use store::escalation::{NewTask, Task};
use store::mailboxes::{MailboxState, Uid};

use crate::inbound::from_mailbox;
use crate::settings::ImapSettings;
use crate::{App, AppError, new_id};

/// Tries to fetch a mail before it is left to a person.
pub const TRIES: i64 = 3;

/// What is known of a mail in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Fetching it was begun so often.
    Begun(i64),
    /// Its bytes are stored; the mailbox has not heard of that.
    Kept,
    /// Nothing is left to do.
    Settled,
}

/// A mailbox under the UIDs of today.
#[derive(Debug, Clone)]
pub struct Folder {
    name: String,
    place: String,
    validity: i64,
    /// Nothing is left to do up to this mail.
    pub settled_to: u32,
    /// Whether its mails were counted anew since it was last looked into.
    pub renewed: bool,
}

impl Folder {
    fn uid(&self, uid: u32) -> Uid<'_> {
        Uid { place: &self.place, validity: self.validity, uid: i64::from(uid) }
    }
}

/// Notes that a mailbox was opened, and under what its UIDs are counted.
pub async fn opened(app: &App, mailbox: &ImapSettings, validity: u32) -> Result<Folder, AppError> {
    let (place, validity) = (mailbox.place(), i64::from(validity));
    let mut tx = app.store.begin().await?;
    let before = store::mailboxes::validity_before(&mut tx, &place).await?;
    let settled_to = store::mailboxes::open(&mut tx, &place, validity).await?;
    store::mailboxes::reached(&mut tx, &place, app.clock.real().micros()).await?;
    tx.commit_ledger().await?;
    let settled_to = u32::try_from(settled_to).unwrap_or(0);
    let renewed = before.is_some_and(|before| before != validity);
    Ok(Folder { name: mailbox.name.clone(), place, validity, settled_to, renewed })
}

/// Notes that a mailbox was looked through, and up to which mail nothing is left to do.
pub async fn looked(app: &App, folder: &mut Folder, settled_to: u32) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    store::mailboxes::settled_to(&mut tx, folder.uid(settled_to)).await?;
    store::mailboxes::reached(&mut tx, &folder.place, app.clock.real().micros()).await?;
    tx.commit_ledger().await?;
    folder.settled_to = folder.settled_to.max(settled_to);
    Ok(())
}

/// Notes that a mailbox cannot be looked into.
pub async fn unreachable(app: &App, mailbox: &ImapSettings, fault: &str, hint: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    store::mailboxes::unreachable(&mut tx, &mailbox.place(), app.clock.real().micros(), fault, hint).await?;
    Ok(tx.commit_ledger().await?)
}

/// What is known of the mails from a UID on.
pub async fn known(app: &App, folder: &Folder, first: u32) -> Result<BTreeMap<u32, Known>, AppError> {
    let rows = store::mailboxes::known(&mut app.store.read().await?, folder.uid(first)).await?;
    let read = |row: store::mailboxes::Known| {
        let known = match row.state.as_str() {
            "begun" => Known::Begun(row.tries),
            "kept" => Known::Kept,
            _ => Known::Settled,
        };
        Some((u32::try_from(row.uid).ok()?, known))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Counts a try to fetch these mails, before it is begun: one that ends the process is counted too.
pub async fn begin(app: &App, folder: &Folder, uids: &[u32]) -> Result<(), AppError> {
    let uids: Vec<i64> = uids.iter().copied().map(i64::from).collect();
    let mut tx = app.store.begin().await?;
    let now = app.clock.real().micros();
    store::mailboxes::begin(&mut tx, &folder.place, folder.validity, &uids, now).await?;
    Ok(tx.commit_ledger().await?)
}

/// Stores mails. Once this returns `Ok` they are durable, and may be taken away.
pub async fn keep(app: &App, folder: &Folder, mails: Vec<(u32, Vec<u8>)>) -> Result<(), AppError> {
    let (uids, new): (Vec<u32>, Vec<_>) = mails.into_iter().map(|(uid, raw)| (uid, from_mailbox(app, raw))).unzip();
    let now = app.clock.real().micros();
    let mut tx = app.store.begin().await?;
    store::inbound::insert(&mut tx, &new.iter().collect::<Vec<_>>()).await?;
    for (uid, mail) in uids.iter().zip(&new) {
        store::mailboxes::keep(&mut tx, folder.uid(*uid), &mail.digest, now).await?;
    }
    Ok(tx.commit_ledger().await?)
}

/// Notes that stored mails were marked or taken away in their mailbox.
pub async fn done(app: &App, folder: &Folder, uids: &[u32]) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    for uid in uids {
        store::mailboxes::done(&mut tx, folder.uid(*uid)).await?;
    }
    Ok(tx.commit_ledger().await?)
}

/// Leaves a mail that cannot be taken to a person: a task for the lead of the incident that was opened last, and a finding
/// until it is gone. Again = nothing.
pub async fn refuse(app: &App, folder: &Folder, uid: u32, why: &str) -> Result<(), AppError> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    if !store::mailboxes::refuse(&mut tx, folder.uid(uid), why, now.micros()).await? {
        return Ok(());
    }
    if let Some(incident) = store::incidents::list(&mut tx).await?.into_iter().max_by_key(|incident| incident.id) {
        let task = task(folder, uid, why, now);
        let unique_key = format!("mailbox/{}/{}/{uid}", folder.place, folder.validity);
        let new = NewTask { incident: incident.id, task: &task, unique_key: &unique_key };
        store::escalation::insert_task(&mut tx, &new).await?;
    }
    let detail = serde_json::json!({ "uid": uid, "why": why });
    Ok(tx.commit(app.entry("mailbox.refuse", &folder.name, detail)).await?)
}

fn task(folder: &Folder, uid: u32, why: &str, now: Timestamp) -> Task {
    let name = &folder.name;
    Task {
        id: new_id("tsk"),
        tenant_id: None,
        ticket_id: None,
        kind: "mailbox".to_owned(),
        target: "lead".to_owned(),
        text: format!(
            "mail {uid} of mailbox {name} could not be taken ({why}): read it there; if a person wrote it, hand its file \
             to `forthright mail receive`"
        ),
        created_at: now.micros(),
        due_at: now.micros(),
    }
}

/// One mailbox of the configuration, as it was found last.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// Its name in the configuration.
    pub name: String,
    /// When it was last looked into.
    pub reached_at: Option<Timestamp>,
    /// Since when it cannot be.
    pub failing_since: Option<Timestamp>,
    /// Why; empty = it can.
    pub fault: String,
    /// The next step.
    pub hint: String,
    /// Mails there that a person has to look at.
    pub refused: i64,
}

/// The mailboxes of the configuration.
pub async fn standing(app: &App) -> Result<Vec<Standing>, AppError> {
    let mut all = Vec::new();
    for mailbox in &app.settings.receive.imap {
        let state = store::mailboxes::state(&mut app.store.read().await?, &mailbox.place()).await?;
        all.push(found(&mailbox.name, state));
    }
    Ok(all)
}

fn found(name: &str, state: Option<MailboxState>) -> Standing {
    let none = MailboxState { reached_at: None, failing_since: None, fault: None, hint: None, refused: 0 };
    let state = state.unwrap_or(none);
    Standing {
        name: name.to_owned(),
        reached_at: state.reached_at.map(Timestamp::from_micros),
        failing_since: state.failing_since.map(Timestamp::from_micros),
        fault: state.fault.unwrap_or_default(),
        hint: state.hint.unwrap_or_default(),
        refused: state.refused,
    }
}
