//! The group committer: what happened to the mails that senders hold, one transaction for all that wait.
//!
//! Decides nothing. Invariant: a caller goes on only after its row is durable, and a row is changed only while its
//! sender still holds the lease, so the late word of a frozen sender is refused.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::AssertSqlSafe;
use tokio::sync::{mpsc, oneshot};

use crate::rows::{after, insert_text, list, padded, values};
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
    /// The way out, or empty.
    pub route: String,
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
        self.note(Note::AtDot(id)).await.wait().await
    }

    /// Hands in how an attempt ended; whether it is durable is heard later. `false`: the lease is lost, somebody else
    /// has decided. What is handed in afterwards is never durable before this.
    pub async fn ended(&self, verdict: Verdict) -> Heard {
        self.note(Note::Ended(Box::new(verdict))).await
    }

    async fn note(&self, note: Note) -> Heard {
        let (done, heard) = oneshot::channel();
        // A committer that is gone drops `done`, and that is what is heard.
        let _ = self.queue.send(Waiting { note, done }).await;
        Heard(heard)
    }
}

/// What will become of something handed in.
#[derive(Debug)]
pub struct Heard(oneshot::Receiver<Result<bool, Arc<StoreError>>>);

impl Heard {
    /// Waits for the commit.
    pub async fn wait(self) -> Result<bool, LedgerError> {
        self.0.await.map_err(|_| LedgerError::Stopped)?.map_err(LedgerError::Store)
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

/// Whose notes are durable.
enum Held {
    All,
    These(HashSet<String>),
}

impl Held {
    fn contains(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.contains(id),
        }
    }
}

/// One transaction. It is only counted how many rows were hit, because that is cheap; where one was not, everything is
/// taken back and done again with a look at which.
async fn commit(store: &Store, sender: &str, waiting: &[Waiting]) -> Result<Held, StoreError> {
    let mut dots = Vec::new();
    let mut verdicts = Vec::new();
    for Waiting { note, .. } in waiting {
        match note {
            Note::AtDot(id) => dots.push(id.as_str()),
            Note::Ended(verdict) => verdicts.push(verdict.as_ref()),
        }
    }
    let mut tx = store.begin().await?;
    let mut hit = 0;
    if !verdicts.is_empty() {
        hit += settle(&mut tx, sender, &verdicts).await?;
        insert_attempts(&mut tx, sender, &verdicts).await?;
    }
    if !dots.is_empty() {
        hit += mark_at_dot(&mut tx, sender, &dots).await?;
    }
    if usize::try_from(hit).is_ok_and(|hit| hit == waiting.len()) {
        before_commit(&dots, &verdicts);
        tx.commit_ledger().await?;
        after_commit(&dots, &verdicts);
        return Ok(Held::All);
    }
    drop(tx);
    commit_what_is_held(store, sender, &dots, verdicts).await
}

fn before_commit(dots: &[&str], verdicts: &[&Verdict]) {
    if !dots.is_empty() {
        crate::crash_point!("at_dot.before");
    }
    if !verdicts.is_empty() {
        crate::crash_point!("verdict.before");
    }
}

fn after_commit(dots: &[&str], verdicts: &[&Verdict]) {
    if !dots.is_empty() {
        crate::crash_point!("at_dot.after");
    }
    if !verdicts.is_empty() {
        crate::crash_point!("verdict.after");
    }
}

async fn commit_what_is_held(
    store: &Store,
    sender: &str,
    dots: &[&str],
    mut verdicts: Vec<&Verdict>,
) -> Result<Held, StoreError> {
    let mut tx = store.begin().await?;
    let ids: Vec<&str> = verdicts.iter().map(|verdict| verdict.id.as_str()).chain(dots.iter().copied()).collect();
    let held: HashSet<String> = lock_held(&mut tx, sender, &ids).await?.into_iter().collect();
    verdicts.retain(|verdict| held.contains(&verdict.id));
    if !verdicts.is_empty() {
        settle(&mut tx, sender, &verdicts).await?;
        insert_attempts(&mut tx, sender, &verdicts).await?;
    }
    let dots: Vec<&str> = dots.iter().copied().filter(|id| held.contains(*id)).collect();
    if !dots.is_empty() {
        mark_at_dot(&mut tx, sender, &dots).await?;
    }
    tx.commit_ledger().await?;
    Ok(Held::These(held))
}

/// Which of these mails the sender holds. They stay as they are until the transaction ends.
async fn lock_held(tx: &mut Tx, sender: &str, ids: &[&str]) -> Result<Vec<String>, StoreError> {
    let ids = padded(ids);
    let dialect = tx.dialect();
    let text = format!(
        "UPDATE outbox SET lease = lease WHERE id IN {} AND lease = {} RETURNING id",
        list(dialect, 1, ids.len()),
        after(dialect, ids.len())
    );
    Ok(on!(tx, |c| {
        let mut query = sqlx::query_scalar(AssertSqlSafe(text));
        for id in &ids {
            query = query.bind(*id);
        }
        query.bind(sender).fetch_all(c).await
    })?)
}

/// How many rows that hit.
async fn mark_at_dot(tx: &mut Tx, sender: &str, ids: &[&str]) -> Result<u64, StoreError> {
    let ids = padded(ids);
    let dialect = tx.dialect();
    let text = format!(
        "UPDATE outbox SET state = 'at_dot' WHERE id IN {} AND lease = {} AND state = 'leased'",
        list(dialect, 1, ids.len()),
        after(dialect, ids.len())
    );
    Ok(on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for id in &ids {
            query = query.bind(*id);
        }
        query.bind(sender).execute(c).await.map(|done| done.rows_affected())
    })?)
}

/// How many rows that hit.
async fn settle(tx: &mut Tx, sender: &str, verdicts: &[&Verdict]) -> Result<u64, StoreError> {
    let verdicts = padded(verdicts);
    let dialect = tx.dialect();
    let mut text = String::from("WITH verdict (id, state, next_at, settled_at, reply, attempt) AS (VALUES ");
    values(dialect, &mut text, 1, 6, verdicts.len());
    text.push_str(
        ") UPDATE outbox SET state = verdict.state, lease = NULL, next_at = verdict.next_at, settled_at = verdict.settled_at, \
         last_reply = verdict.reply, attempts = verdict.attempt \
         FROM verdict WHERE outbox.id = verdict.id AND outbox.state IN ('leased', 'at_dot') AND outbox.lease = ",
    );
    text.push_str(&after(dialect, verdicts.len() * 6));
    Ok(on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for verdict in &verdicts {
            query = query
                .bind(&verdict.id)
                .bind(verdict.state)
                .bind(verdict.next_at)
                .bind(verdict.settled_at)
                .bind(&verdict.reply)
                .bind(verdict.attempt);
        }
        query.bind(sender).execute(c).await.map(|done| done.rows_affected())
    })?)
}

async fn insert_attempts(tx: &mut Tx, sender: &str, verdicts: &[&Verdict]) -> Result<(), StoreError> {
    let verdicts = padded(verdicts);
    let text = insert_text(
        tx.dialect(),
        "INSERT INTO attempts (outbox_id, attempt, sender, started_at, ended_at, outcome, phase, reply, tls, route)",
        10,
        verdicts.len(),
        "ON CONFLICT (outbox_id, attempt) DO NOTHING",
    );
    on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for verdict in &verdicts {
            query = query
                .bind(&verdict.id)
                .bind(verdict.attempt)
                .bind(sender)
                .bind(verdict.started_at)
                .bind(verdict.ended_at)
                .bind(verdict.outcome)
                .bind(&verdict.phase)
                .bind(&verdict.reply)
                .bind(&verdict.tls)
                .bind(&verdict.route);
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}

/// How many mails a sender holds.
pub async fn held(conn: &mut crate::Conn, sender: &str) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(HELD).bind(sender).fetch_one(c).await)?)
}
