//! Stored mails into their tickets, many in a transaction.
//!
//! Invariant: a try is counted before it is begun, so that a mail that ends the process is put before a person after a
//! few starts; a mail that fails takes no other one with it; and each mail is filed once, whoever files.

use mail::inbound::Class;
use store::Tx;
use store::inbound::ToFile;
use tokio::task::JoinSet;

use super::effects::Filing;
use super::understand::{Understood, understand};
use super::{TRIES, row, whose};
use crate::{App, AppError};

/// Bytes of mails that are read at a time.
const BYTES_AT_A_TIME: i64 = 32 * 1024 * 1024;
/// Mails that are read at a time.
const AT_A_TIME: usize = 4;

/// Files these mails; how many of them are.
pub(super) async fn file_all(app: &App, mails: Vec<ToFile>) -> Result<usize, AppError> {
    let mut filed = 0;
    let (hopeless, mails): (Vec<_>, Vec<_>) = mails.into_iter().partition(|mail| mail.tries >= TRIES);
    for mail in hopeless {
        let error = AppError::bad("the program ended each time it was read", "read it by hand; its bytes are kept");
        failed(app, &mail.id, error).await?;
    }
    for batch in batches(mails) {
        let ids: Vec<String> = batch.into_iter().map(|mail| mail.id).collect();
        let mut tx = app.store.begin().await?;
        store::inbound::begin(&mut tx, &ids).await?;
        tx.commit_ledger().await?;
        filed += file_batch(app, ids).await?;
    }
    Ok(filed)
}

/// Mails that failed before stand alone: one of them may end the process.
fn batches(mails: Vec<ToFile>) -> Vec<Vec<ToFile>> {
    let mut batches: Vec<Vec<ToFile>> = Vec::new();
    let mut bytes = BYTES_AT_A_TIME;
    for mail in mails {
        bytes = bytes.saturating_add(mail.bytes);
        match batches.last_mut() {
            Some(batch) if bytes < BYTES_AT_A_TIME && mail.tries == 0 && batch[0].tries == 0 => batch.push(mail),
            _ => {
                bytes = mail.bytes;
                batches.push(vec![mail]);
            }
        }
    }
    batches
}

async fn file_batch(app: &App, ids: Vec<String>) -> Result<usize, AppError> {
    let mut understood = Vec::with_capacity(ids.len());
    for (id, read) in read_all(app, ids).await? {
        match read {
            Ok(mail) => understood.push(mail),
            Err(error) => failed(app, &id, error).await?,
        }
    }
    // As they came: the answers of one conversation are in order.
    understood.sort_by(|a, b| (a.row.received_at, &a.row.id).cmp(&(b.row.received_at, &b.row.id)));
    let ids: Vec<String> = understood.iter().map(|mail| mail.row.id.clone()).collect();
    if understood.len() > 1 {
        match commit(app, understood).await {
            Ok(filed) => return Ok(filed),
            // One of them cannot be filed, and its transaction was all of theirs: now each has its own.
            Err(error) => tracing::debug!(%error, mails = ids.len(), "mails are filed one by one"),
        }
        understood = Vec::new();
    }
    let mut filed = 0;
    for id in ids {
        let mail = match understood.pop() {
            Some(mail) => Ok(mail),
            None => understand(app, row(app, &id).await?).await,
        };
        let result = match mail {
            Ok(mail) => commit(app, vec![mail]).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(done) => filed += done,
            Err(error) => failed(app, &id, error).await?,
        }
    }
    Ok(filed)
}

type Read = (String, Result<Understood, AppError>);

async fn read_all(app: &App, ids: Vec<String>) -> Result<Vec<Read>, AppError> {
    let mut all = Vec::with_capacity(ids.len());
    let (mut ids, mut reading) = (ids.into_iter(), JoinSet::new());
    loop {
        while reading.len() < AT_A_TIME
            && let Some(id) = ids.next()
        {
            let app = app.clone();
            reading.spawn(async move {
                let read = match row(&app, &id).await {
                    Ok(row) => understand(&app, row).await,
                    Err(error) => Err(error),
                };
                (id, read)
            });
        }
        match reading.join_next().await {
            None => return Ok(all),
            Some(Ok(read)) => all.push(read),
            Some(Err(error)) => {
                return Err(AppError::bad(
                    format!("reading mails ended: {error}"),
                    "they are read again by themselves",
                ));
            }
        }
    }
}

/// Whose they are, and what they change, in one transaction; how many nobody had filed meanwhile.
async fn commit(app: &App, mails: Vec<Understood>) -> Result<usize, AppError> {
    let mut tx = app.store.begin().await?;
    let mut done: Vec<(String, serde_json::Value)> = Vec::with_capacity(mails.len());
    let mut disputed = Vec::new();
    for mail in mails {
        let id = mail.row.id.clone();
        if let Some((detail, incident)) = file_one(app, &mut tx, mail).await? {
            done.push((id, detail));
            disputed.extend(incident);
        }
    }
    let filed = done.len();
    if let [(id, detail)] = &mut done[..] {
        tx.commit(app.entry("mail.receive", id.clone(), detail.take())).await?;
    } else if filed > 1 {
        let details: Vec<serde_json::Value> = done.into_iter().map(|(_, detail)| detail).collect();
        tx.commit(app.entry("mail.receive", format!("{filed} mails"), serde_json::json!({ "mails": details }))).await?;
    }
    disputed.sort_unstable();
    disputed.dedup();
    for incident in disputed {
        if let Err(error) = crate::facts::settle(app, incident).await {
            // Nothing can be sent all the same; the sweep gives the verdicts.
            tracing::warn!(incident.id = incident, %error, "a domain is disputed, and its verdict could not be given at once");
        }
    }
    Ok(filed)
}

/// What the audit log is told, and the incident whose verdicts wait to be given anew; `None`: somebody else has filed it.
async fn file_one(
    app: &App,
    tx: &mut Tx,
    mail: Understood,
) -> Result<Option<(serde_json::Value, Option<i64>)>, AppError> {
    let whose = whose::find(tx, &mail.read, mail.row.envelope_to.as_deref()).await?;
    let ticket = whose.ticket.as_ref().map(|ticket| ticket.id.as_str());
    if let Some(ticket) = ticket {
        store::tickets::lock(tx, ticket).await?;
    }
    // A copy that a machine marked asked nothing: the one without the mark is no repetition of it.
    let class = mail.read.class;
    let as_much = [class, if class == Class::Unclear { Class::Human } else { class }].map(Class::name);
    let duplicate_of = match &mail.content_digest {
        Some(digest) => store::inbound::same_content(tx, digest, &mail.row.id, ticket, as_much).await?,
        None => None,
    };
    let filing = Filing::new(app, mail, whose, duplicate_of);
    // The claim: whoever files second changes nothing.
    if !store::inbound::file(tx, &filing.row()?).await? {
        return Ok(None);
    }
    let disputed = filing.apply(tx).await?;
    Ok(Some((filing.audit_detail(), disputed)))
}

async fn failed(app: &App, id: &str, error: AppError) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    if matches!(error, AppError::Later { .. }) || !error.is_about_one_row() {
        // What it waits for ends by itself: the sweep comes again.
        tracing::debug!(inbound.id = %id, %error, "a mail waits to be filed");
        store::inbound::give_back(&mut tx, id).await?;
    } else if store::inbound::fail(&mut tx, id, TRIES).await? {
        tracing::error!(inbound.id = %id, %error, "a mail cannot be filed and waits for a person");
    } else {
        tracing::warn!(inbound.id = %id, %error, "a mail could not be filed and is tried again");
    }
    Ok(tx.commit_ledger().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mails: &[(i64, i64)], expect: &[usize]) {
        let mail =
            |(at, (tries, bytes)): (usize, &(i64, i64))| ToFile { id: at.to_string(), tries: *tries, bytes: *bytes };
        let lengths: Vec<usize> = batches(mails.iter().enumerate().map(mail).collect()).iter().map(Vec::len).collect();
        assert_eq!(lengths, expect, "{mails:?}");
    }

    #[test]
    fn mails_that_failed_before_stand_alone_and_large_ones_are_few() {
        check(&[], &[]);
        check(&[(0, 10), (0, 10), (0, 10)], &[3]);
        check(&[(0, 10), (1, 10), (0, 10), (0, 10)], &[1, 1, 2]);
        check(&[(0, BYTES_AT_A_TIME), (0, 10), (0, 10)], &[1, 2]);
        check(&[(0, 20_000_000), (0, 10), (0, 20_000_000)], &[2, 1]);
    }
}
