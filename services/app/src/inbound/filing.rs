//! Stored mails into their tickets, many in a transaction.
//!
//! Invariant: a try is counted before it is begun, so that a mail that ends the process is put before a person after a
//! few starts; a mail that fails takes no other one with it; and each mail is filed once, whoever files.

use mail::inbound::Class;
use store::Tx;
use store::inbound::ToFile;

use super::effects::Filing;
use super::understand::{Understood, understand, understand_all};
use super::{TRIES, row, whose};
use crate::{App, AppError};

/// Mails of a transaction: the next ones are read meanwhile.
const AT_A_TIME: usize = 100;
/// Bytes of mails that are read at a time.
const BYTES_AT_A_TIME: i64 = 32 * 1024 * 1024;

/// Files these mails; how many of them are.
pub(super) async fn file_all(app: &App, mails: Vec<ToFile>) -> Result<usize, AppError> {
    let mut filed = 0;
    let (hopeless, mails): (Vec<_>, Vec<_>) = mails.into_iter().partition(|mail| mail.tries >= TRIES);
    for mail in hopeless {
        let error = AppError::bad("the program ended each time it was read", "read it by hand; its bytes are kept");
        failed(app, &mail.id, error).await?;
    }
    let mut batches = batches(mails).into_iter().peekable();
    let mut ahead: Option<Reading> = None;
    while let Some(batch) = batches.next() {
        app.store.let_mail_in().await;
        let begun = match ahead.take() {
            Some(begun) => begun,
            None => Reading::begin(app, &batch).await?,
        };
        // The next mails are read while these are written; those that failed before are alone in the process.
        if batch[0].tries == 0
            && let Some(next) = batches.peek().filter(|next| next[0].tries == 0)
        {
            ahead = Some(Reading::begin(app, next).await?);
        }
        match file_batch(app, begun).await {
            Ok(done) => filed += done,
            Err(error) => {
                if let Some(ahead) = ahead {
                    ahead.task.abort();
                    give_back(app, &ahead.ids).await?;
                }
                return Err(error);
            }
        }
    }
    Ok(filed)
}

type ReadAll = Result<Vec<(String, Result<Understood, AppError>)>, AppError>;

/// Mails that are being read, their try counted.
struct Reading {
    ids: Vec<String>,
    task: tokio::task::JoinHandle<ReadAll>,
}

impl Reading {
    async fn begin(app: &App, batch: &[ToFile]) -> Result<Self, AppError> {
        let ids: Vec<String> = batch.iter().map(|mail| mail.id.clone()).collect();
        let mut tx = app.store.begin().await?;
        store::inbound::begin(&mut tx, &ids).await?;
        tx.commit_ledger().await?;
        store::crash_point!("begun.after");
        let (app, of) = (app.clone(), ids.clone());
        Ok(Self { ids, task: tokio::spawn(async move { read_all(&app, &of).await }) })
    }

    async fn end(self) -> (Vec<String>, ReadAll) {
        let read = self.task.await.unwrap_or_else(|error| {
            Err(AppError::bad(format!("reading mails ended: {error}"), "they are read again by themselves"))
        });
        (self.ids, read)
    }
}

/// Mails that failed before stand alone: one of them may end the process.
fn batches(mails: Vec<ToFile>) -> Vec<Vec<ToFile>> {
    let mut batches: Vec<Vec<ToFile>> = Vec::new();
    let mut bytes = BYTES_AT_A_TIME;
    for mail in mails {
        bytes = bytes.saturating_add(mail.bytes);
        match batches.last_mut() {
            Some(batch)
                if batch.len() < AT_A_TIME && bytes < BYTES_AT_A_TIME && mail.tries == 0 && batch[0].tries == 0 =>
            {
                batch.push(mail)
            }
            _ => {
                bytes = mail.bytes;
                batches.push(vec![mail]);
            }
        }
    }
    batches
}

async fn file_batch(app: &App, reading: Reading) -> Result<usize, AppError> {
    let read = match reading.end().await {
        (_, Ok(read)) => read,
        (ids, Err(error)) => {
            // The database's fault, and none of the mails'.
            give_back(app, &ids).await?;
            return Err(error);
        }
    };
    let mut understood = Vec::with_capacity(read.len());
    for (id, read) in read {
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

async fn read_all(app: &App, ids: &[String]) -> ReadAll {
    let rows = store::inbound::by_ids(&mut app.store.read().await?, ids).await?;
    understand_all(app, rows).await
}

async fn give_back(app: &App, ids: &[String]) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    for id in ids {
        store::inbound::give_back(&mut tx, id).await?;
    }
    Ok(tx.commit_ledger().await?)
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
    store::crash_point!("filed.before");
    if let [(id, detail)] = &mut done[..] {
        tx.commit(app.entry("mail.receive", id.clone(), detail.take())).await?;
    } else if filed > 1 {
        let details: Vec<serde_json::Value> = done.into_iter().map(|(_, detail)| detail).collect();
        tx.commit(app.entry("mail.receive", format!("{filed} mails"), serde_json::json!({ "mails": details }))).await?;
    }
    store::crash_point!("filed.after");
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
    let duplicate_of = same(tx, &mail, ticket).await?;
    let filing = Filing::new(app, mail, whose, duplicate_of);
    // The claim: whoever files second changes nothing.
    if !store::inbound::file(tx, &filing.row()?).await? {
        return Ok(None);
    }
    let disputed = filing.apply(tx).await?;
    Ok(Some((filing.audit_detail(), disputed)))
}

/// The mail that said the same there already, and was taken for as much.
pub(super) async fn same(tx: &mut Tx, mail: &Understood, ticket: Option<&str>) -> Result<Option<String>, AppError> {
    // A copy that a machine marked asked nothing: the one without the mark is no repetition of it.
    let class = mail.read.class;
    let as_much = [class, if class == Class::Unclear { Class::Human } else { class }].map(Class::name);
    Ok(match &mail.content_digest {
        Some(digest) => store::inbound::same_content(tx, digest, &mail.row.id, ticket, as_much).await?,
        None => None,
    })
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
