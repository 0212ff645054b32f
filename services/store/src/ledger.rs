//! The group committer: what happened to the mails that senders hold, one transaction for all that wait.
//!
//! Decides nothing. Invariant: a caller goes on only after its row is durable, and a row is changed only while its
//! sender still holds the lease, so the late word of a frozen sender is refused.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::{mpsc, oneshot};

use crate::db::{Pools, Raw};
use crate::rows::{after, insert_text, list};
use crate::{Dialect, Store, StoreError, Tx};

statements! {
    HELD = "SELECT COUNT(*) FROM outbox WHERE lease = $1";
    /// Everything of one commit, and whose notes are kept: one message to the server and one back, where a transaction
    /// takes five.
    KEEP_POSTGRES = "
        WITH verdict AS (
            SELECT *
            FROM UNNEST($2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::TEXT[], $7::BIGINT[], $8::BIGINT[],
                $9::BIGINT[], $10::TEXT[], $11::TEXT[], $12::TEXT[], $13::TEXT[])
                AS v (id, state, next_at, settled_at, reply, attempt, started_at, ended_at, outcome, phase, tls, route)
        ), settled AS (
            UPDATE outbox o
            SET state = v.state, lease = NULL, next_at = v.next_at, settled_at = v.settled_at, last_reply = v.reply,
                attempts = v.attempt
            FROM verdict v
            WHERE o.id = v.id AND o.state IN ('leased', 'at_dot') AND o.lease = $1
            RETURNING o.id
        ), tried AS (
            INSERT INTO attempts (outbox_id, attempt, sender, started_at, ended_at, outcome, phase, reply, tls, route)
            SELECT v.id, v.attempt, $1, v.started_at, v.ended_at, v.outcome, v.phase, v.reply, v.tls, v.route
            FROM verdict v
            WHERE v.id IN (SELECT s.id FROM settled s)
            ON CONFLICT (outbox_id, attempt) DO NOTHING
        ), dotted AS (
            UPDATE outbox o
            SET state = 'at_dot'
            WHERE o.id = ANY($14::TEXT[]) AND o.lease = $1 AND o.state IN ('leased', 'at_dot')
            RETURNING o.id
        )
        SELECT id FROM settled
        UNION ALL
        SELECT id FROM dotted";
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

/// What stands in one commit's place on SQLite: a row for each note, put into a view whose triggers do what a note says. So a
/// commit is one statement, and one trip to SQLite's thread where a transaction takes five. A lease that is lost ends the
/// statement with [`LOST`], and nothing of it stays. On the connection that writes, made anew with it.
pub(crate) const NOTES_SQLITE: &str = "
    CREATE TEMP VIEW notes AS
        SELECT NULL AS sender, NULL AS id, NULL AS state, NULL AS next_at, NULL AS settled_at, NULL AS reply, NULL AS attempt,
            NULL AS started_at, NULL AS ended_at, NULL AS outcome, NULL AS phase, NULL AS tls, NULL AS route;
    CREATE TEMP TRIGGER notes_at_dot INSTEAD OF INSERT ON notes WHEN NEW.outcome IS NULL BEGIN
        UPDATE outbox SET state = NEW.state WHERE id = NEW.id AND lease = NEW.sender AND state IN ('leased', 'at_dot');
        SELECT RAISE(ABORT, 'a lease is lost') WHERE changes() = 0;
    END;
    CREATE TEMP TRIGGER notes_ended INSTEAD OF INSERT ON notes WHEN NEW.outcome IS NOT NULL BEGIN
        UPDATE outbox
        SET state = NEW.state, lease = NULL, next_at = NEW.next_at, settled_at = NEW.settled_at, last_reply = NEW.reply,
            attempts = NEW.attempt
        WHERE id = NEW.id AND lease = NEW.sender AND state IN ('leased', 'at_dot');
        SELECT RAISE(ABORT, 'a lease is lost') WHERE changes() = 0;
        INSERT INTO attempts (outbox_id, attempt, sender, started_at, ended_at, outcome, phase, reply, tls, route)
        VALUES (NEW.id, NEW.attempt, NEW.sender, NEW.started_at, NEW.ended_at, NEW.outcome, NEW.phase, NEW.reply, NEW.tls, NEW.route)
        ON CONFLICT (outbox_id, attempt) DO NOTHING;
    END";

/// What [`NOTES_SQLITE`] says of a row that its sender does not hold.
const LOST: &str = "a lease is lost";

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

/// One transaction. On SQLite it is taken that all is held, and where it is not, everything is done again with a look at
/// which.
async fn commit(store: &Store, sender: &str, waiting: &[Waiting]) -> Result<Held, StoreError> {
    let mut dots = Vec::new();
    let mut verdicts = Vec::new();
    for Waiting { note, .. } in waiting {
        match note {
            Note::AtDot(id) => dots.push(id.as_str()),
            Note::Ended(verdict) => verdicts.push(verdict.as_ref()),
        }
    }
    before_commit(&dots, &verdicts);
    let held = match &store.pools {
        Pools::Postgres(pool) => keep_at_once(pool, sender, &dots, &verdicts).await?,
        Pools::Sqlite { writer, .. } => match note_all(writer, sender, &dots, &verdicts).await {
            Ok(()) => Held::All,
            Err(sqlx::Error::Database(error)) if error.message() == LOST => {
                commit_what_is_held(store, sender, &dots, &verdicts).await?
            }
            Err(error) => return Err(error.into()),
        },
    };
    after_commit(&dots, &verdicts);
    Ok(held)
}

/// Puts everything into the view of [`NOTES_SQLITE`].
async fn note_all<'c>(
    writer: impl sqlx::Executor<'c, Database = sqlx::Sqlite>,
    sender: &str,
    dots: &[&str],
    verdicts: &[&Verdict],
) -> Result<(), sqlx::Error> {
    let text = insert_text(
        Dialect::Sqlite,
        "INSERT INTO notes (sender, id, state, next_at, settled_at, reply, attempt, started_at, ended_at, outcome, phase, tls, route)",
        13,
        verdicts.len() + dots.len(),
        "",
    );
    let mut query = sqlx::query(AssertSqlSafe(text));
    for verdict in verdicts {
        query = query
            .bind(sender)
            .bind(&verdict.id)
            .bind(verdict.state)
            .bind(verdict.next_at)
            .bind(verdict.settled_at)
            .bind(&verdict.reply)
            .bind(verdict.attempt)
            .bind(verdict.started_at)
            .bind(verdict.ended_at)
            .bind(verdict.outcome)
            .bind(&verdict.phase)
            .bind(&verdict.tls)
            .bind(&verdict.route);
    }
    for id in dots {
        query = query.bind(sender).bind(*id).bind("at_dot");
        for _ in 3..13 {
            query = query.bind(None::<i64>);
        }
    }
    query.execute(writer).await.map(drop)
}

/// The same in one statement, which is its own transaction, and keeps what is held from the start.
async fn keep_at_once(pool: &PgPool, sender: &str, dots: &[&str], verdicts: &[&Verdict]) -> Result<Held, StoreError> {
    fn each<'a, T>(verdicts: &[&'a Verdict], of: impl Fn(&'a Verdict) -> T) -> Vec<T> {
        verdicts.iter().map(|verdict| of(verdict)).collect()
    }
    let kept: Vec<String> = sqlx::query_scalar(KEEP_POSTGRES)
        .bind(sender)
        .bind(each(verdicts, |verdict| verdict.id.as_str()))
        .bind(each(verdicts, |verdict| verdict.state))
        .bind(each(verdicts, |verdict| verdict.next_at))
        .bind(each(verdicts, |verdict| verdict.settled_at))
        .bind(each(verdicts, |verdict| verdict.reply.as_str()))
        .bind(each(verdicts, |verdict| verdict.attempt))
        .bind(each(verdicts, |verdict| verdict.started_at))
        .bind(each(verdicts, |verdict| verdict.ended_at))
        .bind(each(verdicts, |verdict| verdict.outcome))
        .bind(each(verdicts, |verdict| verdict.phase.as_str()))
        .bind(each(verdicts, |verdict| verdict.tls.as_str()))
        .bind(each(verdicts, |verdict| verdict.route.as_str()))
        .bind(dots)
        .fetch_all(pool)
        .await?;
    Ok(Held::These(kept.into_iter().collect()))
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

/// What of this is held, on SQLite.
async fn commit_what_is_held(
    store: &Store,
    sender: &str,
    dots: &[&str],
    verdicts: &[&Verdict],
) -> Result<Held, StoreError> {
    let mut tx = store.begin().await?;
    let ids: Vec<&str> = verdicts.iter().map(|verdict| verdict.id.as_str()).chain(dots.iter().copied()).collect();
    let held: HashSet<String> = held_among(&mut tx, sender, &ids).await?.into_iter().collect();
    let verdicts: Vec<&Verdict> = verdicts.iter().copied().filter(|verdict| held.contains(&verdict.id)).collect();
    let dots: Vec<&str> = dots.iter().copied().filter(|id| held.contains(*id)).collect();
    if !held.is_empty()
        && let Raw::Sqlite(conn) = tx.raw()
    {
        note_all(conn, sender, &dots, &verdicts).await?;
    }
    tx.commit_ledger().await?;
    Ok(Held::These(held))
}

/// Which of these mails the sender holds.
async fn held_among(tx: &mut Tx, sender: &str, ids: &[&str]) -> Result<Vec<String>, StoreError> {
    let text = format!(
        "SELECT id FROM outbox WHERE id IN {} AND lease = {} AND state IN ('leased', 'at_dot')",
        list(tx.dialect(), 1, ids.len()),
        after(tx.dialect(), ids.len())
    );
    Ok(on!(tx, |c| {
        let mut query = sqlx::query_scalar(AssertSqlSafe(text));
        for id in ids {
            query = query.bind(*id);
        }
        query.bind(sender).fetch_all(c).await
    })?)
}

/// How many mails a sender holds.
pub async fn held(conn: &mut crate::Conn, sender: &str) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(HELD).bind(sender).fetch_one(c).await)?)
}
