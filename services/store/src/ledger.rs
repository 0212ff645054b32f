//! The group committer: what happened to the mails that senders hold, one transaction for all that wait.
//!
//! Decides nothing. Invariant: a caller goes on only after its row is durable, and a row is changed only while its
//! sender still holds the lease, so the late word of a frozen sender is refused.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::AssertSqlSafe;
use tokio::sync::{mpsc, oneshot};

use crate::rows::{insert_text, list, values};
use crate::{Store, StoreError, Tx};

statements! {
    HELD = "SELECT COUNT(*) FROM outbox WHERE lease = $1";
}

/// How many notes one transaction takes at most.
const NOTES_A_COMMIT: usize = 500;

/// How an attempt ended, ready to be recorded.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The mail.
    pub id: String,
    /// Its new state, a name of `model::delivery::State`.
    pub state: &'static str,
    /// Real time of the next try.
    pub next_at: i64,
    /// Set in a settled state, by the store's clock.
    pub settled_at: Option<i64>,
    /// What the other side said, or what failed.
    pub reply: String,
    /// `accepted`, `transient`, `permanent`, `uncertain`.
    pub outcome: &'static str,
    /// The SMTP phase it ended in.
    pub phase: String,
    /// Protocol and cipher, or empty.
    pub tls: String,
    /// By the store's clock, microseconds.
    pub started_at: i64,
    /// By the store's clock, microseconds.
    pub ended_at: i64,
    /// The number of this try, from 1.
    pub attempt: i64,
}

enum Note {
    AtDot(String),
    Ended(Box<Verdict>),
}

struct Waiting {
    note: Note,
    done: oneshot::Sender<Result<bool, Arc<StoreError>>>,
}

/// A handle to the committer of one sender. Cheap to clone; the committer ends when the last handle is dropped.
#[derive(Clone)]
pub struct Ledger {
    queue: mpsc::Sender<Waiting>,
}

/// The committer is gone, or the database said no.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The task has ended.
    #[error("the ledger of deliveries has stopped")]
    Stopped,
    /// One transaction failed; all that waited in it hear of it.
    #[error("{0}")]
    Store(Arc<StoreError>),
}

impl Ledger {
    /// Starts the committer for a sender. Join the task after dropping all handles.
    pub fn start(store: Store, sender: String) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, notes) = mpsc::channel(NOTES_A_COMMIT * 2);
        (Self { queue }, tokio::spawn(run(store, sender, notes)))
    }

    /// Records that the final dot is about to be written. `false`: the lease is lost, write nothing.
    pub async fn at_dot(&self, id: String) -> Result<bool, LedgerError> {
        self.note(Note::AtDot(id)).await
    }

    /// Records how an attempt ended. `false`: the lease is lost, somebody else has decided.
    pub async fn ended(&self, verdict: Verdict) -> Result<bool, LedgerError> {
        self.note(Note::Ended(Box::new(verdict))).await
    }

    async fn note(&self, note: Note) -> Result<bool, LedgerError> {
        let (done, heard) = oneshot::channel();
        self.queue.send(Waiting { note, done }).await.map_err(|_| LedgerError::Stopped)?;
        heard.await.map_err(|_| LedgerError::Stopped)?.map_err(LedgerError::Store)
    }
}

async fn run(store: Store, sender: String, mut notes: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::with_capacity(NOTES_A_COMMIT);
    while notes.recv_many(&mut waiting, NOTES_A_COMMIT).await > 0 {
        let result = commit(&store, &sender, &waiting).await.map_err(Arc::new);
        for Waiting { note, done } in waiting.drain(..) {
            let heard = result.as_ref().map(|held| held.contains(id_of(&note))).map_err(Arc::clone);
            // A caller that has gone away lost its connection; the row is durable all the same.
            let _ = done.send(heard);
        }
    }
}

fn id_of(note: &Note) -> &str {
    match note {
        Note::AtDot(id) => id,
        Note::Ended(verdict) => &verdict.id,
    }
}

/// One transaction; the ids whose lease the sender still held.
async fn commit(store: &Store, sender: &str, waiting: &[Waiting]) -> Result<HashSet<String>, StoreError> {
    let mut dots = Vec::new();
    let mut verdicts = Vec::new();
    for Waiting { note, .. } in waiting {
        match note {
            Note::AtDot(id) => dots.push(id),
            Note::Ended(verdict) => verdicts.push(verdict.as_ref()),
        }
    }
    let mut tx = store.begin().await?;
    let mut held = HashSet::with_capacity(waiting.len());
    if !dots.is_empty() {
        held.extend(mark_at_dot(&mut tx, sender, &dots).await?);
    }
    if !verdicts.is_empty() {
        let settled = settle(&mut tx, sender, &verdicts).await?;
        verdicts.retain(|verdict| settled.contains(&verdict.id));
        if !verdicts.is_empty() {
            insert_attempts(&mut tx, sender, &verdicts).await?;
        }
        held.extend(settled);
    }
    tx.commit_ledger().await?;
    Ok(held)
}

async fn mark_at_dot(tx: &mut Tx, sender: &str, ids: &[&String]) -> Result<Vec<String>, StoreError> {
    let text = format!(
        "UPDATE outbox SET state = 'at_dot' WHERE lease = $1 AND state = 'leased' AND id IN {} RETURNING id",
        list(tx.dialect(), 2, ids.len())
    );
    Ok(on!(tx, |c| {
        let mut query = sqlx::query_scalar(AssertSqlSafe(text)).bind(sender);
        for id in ids {
            query = query.bind(*id);
        }
        query.fetch_all(c).await
    })?)
}

async fn settle(tx: &mut Tx, sender: &str, verdicts: &[&Verdict]) -> Result<Vec<String>, StoreError> {
    let mut text = String::from("WITH verdict (id, state, next_at, settled_at, reply, attempt) AS (VALUES ");
    values(tx.dialect(), &mut text, 2, 6, verdicts.len());
    text.push_str(
        ") UPDATE outbox SET state = verdict.state, lease = NULL, next_at = verdict.next_at, settled_at = verdict.settled_at, \
         last_reply = verdict.reply, attempts = verdict.attempt \
         FROM verdict WHERE outbox.id = verdict.id AND outbox.lease = $1 AND outbox.state IN ('leased', 'at_dot') RETURNING outbox.id",
    );
    Ok(on!(tx, |c| {
        let mut query = sqlx::query_scalar(AssertSqlSafe(text)).bind(sender);
        for verdict in verdicts {
            query = query
                .bind(&verdict.id)
                .bind(verdict.state)
                .bind(verdict.next_at)
                .bind(verdict.settled_at)
                .bind(&verdict.reply)
                .bind(verdict.attempt);
        }
        query.fetch_all(c).await
    })?)
}

async fn insert_attempts(tx: &mut Tx, sender: &str, verdicts: &[&Verdict]) -> Result<(), StoreError> {
    let text = insert_text(
        tx.dialect(),
        "INSERT INTO attempts (outbox_id, attempt, sender, started_at, ended_at, outcome, phase, reply, tls)",
        9,
        verdicts.len(),
        "ON CONFLICT (outbox_id, attempt) DO NOTHING",
    );
    on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for verdict in verdicts {
            query = query
                .bind(&verdict.id)
                .bind(verdict.attempt)
                .bind(sender)
                .bind(verdict.started_at)
                .bind(verdict.ended_at)
                .bind(verdict.outcome)
                .bind(&verdict.phase)
                .bind(&verdict.reply)
                .bind(&verdict.tls);
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}

/// How many mails a sender holds.
pub async fn held(conn: &mut crate::Conn, sender: &str) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(HELD).bind(sender).fetch_one(c).await)?)
}
