//! The group committer of mail that comes in: one transaction for all connections that wait at that moment.
//!
//! Decides nothing. Invariant: a caller hears that its mail is kept only after it is durable, and a mail that the
//! database refuses stops no other one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::inbound::{self, NewInbound};
use crate::{Dialect, Store, StoreError};

/// How many mails wait at most; more wait where they are.
const WAITING: usize = 200;
/// The bytes after which a transaction takes no further mail.
const BYTES_A_COMMIT: usize = 32 * 1024 * 1024;

/// Without a mail for so long, no more come at the moment. Too short: filing holds up whoever brings the next one.
const QUIET: Duration = Duration::from_millis(3);
/// How often it is looked whether more come. Too many: nothing is filed while mail pours in.
const LOOKS: usize = 60;

/// The mails that connections of this process brought.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    came: AtomicU64,
    seen: AtomicU64,
}

impl Store {
    /// Waits while mail comes in, where there is one writer: whoever brings a mail hears of it when it is durable, and
    /// what came can be filed later. Returns at once where none came since the last call, and after 180 ms in any case.
    pub async fn let_mail_in(&self) {
        if self.dialect() == Dialect::Postgres {
            return;
        }
        for _ in 0..LOOKS {
            let came = self.arrivals.came.load(Ordering::Relaxed);
            if self.arrivals.seen.swap(came, Ordering::Relaxed) == came {
                return;
            }
            tokio::time::sleep(QUIET).await;
        }
    }
}

struct Waiting {
    mail: NewInbound,
    done: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// A handle to the committer. Cheap to clone; the committer ends when the last handle is dropped.
#[derive(Clone)]
pub struct Inbox {
    queue: mpsc::Sender<Waiting>,
    arrivals: Arc<Arrivals>,
}

/// The committer is gone, or the database said no.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The task has ended.
    #[error("the inbox has stopped")]
    Stopped,
    /// The transaction failed; nothing of this mail is kept.
    #[error("{0}")]
    Store(Arc<StoreError>),
}

impl Inbox {
    /// Starts the committer. Join the task after dropping all handles.
    pub fn start(store: Store) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, mails) = mpsc::channel(WAITING);
        let arrivals = Arc::clone(&store.arrivals);
        (Self { queue, arrivals }, tokio::spawn(run(store, mails)))
    }

    /// Keeps a mail; one that is there already, by its digest, is kept.
    pub async fn keep(&self, mail: NewInbound) -> Result<(), InboxError> {
        let (done, heard) = oneshot::channel();
        self.arrivals.came.fetch_add(1, Ordering::Relaxed);
        self.queue.send(Waiting { mail, done }).await.map_err(|_| InboxError::Stopped)?;
        heard.await.map_err(|_| InboxError::Stopped)?.map_err(InboxError::Store)
    }
}

async fn run(store: Store, mut mails: mpsc::Receiver<Waiting>) {
    while let Some(first) = mails.recv().await {
        let mut bytes = first.mail.raw.len();
        let mut waiting = vec![first];
        while bytes < BYTES_A_COMMIT && waiting.len() < WAITING {
            let Ok(next) = mails.try_recv() else { break };
            bytes += next.mail.raw.len();
            waiting.push(next);
        }
        commit(&store, waiting).await;
    }
}

async fn commit(store: &Store, waiting: Vec<Waiting>) {
    let all: Vec<&NewInbound> = waiting.iter().map(|one| &one.mail).collect();
    let result = write(store, &all).await;
    // A value that the database does not take is one mail's fault.
    let alone = waiting.len() > 1 && matches!(result, Err(StoreError::Refused(_) | StoreError::Sql(_)));
    let result = result.map_err(Arc::new);
    for one in waiting {
        let result = match alone {
            true => write(store, &[&one.mail]).await.map_err(Arc::new),
            false => result.clone(),
        };
        // A caller that has gone away lost its connection; the mail is durable all the same.
        let _ = one.done.send(result);
    }
}

async fn write(store: &Store, mails: &[&NewInbound]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    inbound::insert(&mut tx, mails).await?;
    crate::crash_point!("stored.before");
    tx.commit_ledger().await?;
    crate::crash_point!("stored.after");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Database;

    async fn store(folder: &std::path::Path) -> Store {
        Store::connect(&Database::Sqlite(folder.join("forthright.db"))).await.unwrap()
    }

    #[tokio::test]
    async fn filing_waits_until_no_more_mail_comes_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let arrivals = Arc::clone(&store.arrivals);
        let pours = tokio::spawn(async move {
            for _ in 0..10 {
                arrivals.came.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        while store.arrivals.came.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        store.let_mail_in().await;
        pours.await.unwrap();
        assert_eq!(store.arrivals.seen.load(Ordering::Relaxed), 10);
    }

    #[tokio::test]
    async fn mail_that_pours_in_does_not_keep_filing_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let arrivals = Arc::clone(&store.arrivals);
        let pours = tokio::spawn(async move {
            loop {
                arrivals.came.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        store.let_mail_in().await;
        assert!(!pours.is_finished());
        pours.abort();
    }
}
