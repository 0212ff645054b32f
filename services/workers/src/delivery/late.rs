//! Ends of tries that could not be recorded while the sender lived, as when the database was gone for longer than a lease.
//!
//! Decides nothing. Invariant: what a relay said is recorded when the database is back, if nobody took the mail's lease
//! meanwhile; who did has made the mail uncertain, and that stands.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use store::ledger::{Ledger, Verdict};

use crate::desk::{Desk, lock};

/// How long the database is waited for. Nothing is sent by this sender meanwhile, and the next one could do no more.
const PATIENCE: Duration = Duration::from_secs(120);
/// The same, when the process is to end.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(200);

/// What is still to be recorded.
pub(super) struct Late {
    desk: Arc<Desk>,
    verdicts: Mutex<Vec<Verdict>>,
}

impl Late {
    pub(super) fn new(desk: &Arc<Desk>) -> Self {
        Self { desk: Arc::clone(desk), verdicts: Mutex::default() }
    }

    /// Keeps an end that only this process knows. Until it is recorded nobody here takes leases of senders that are gone.
    pub(super) fn keep(&self, verdict: Verdict) {
        self.desk.knows_late_ends();
        lock(&self.verdicts).push(verdict);
    }

    /// Records what was kept, once all tasks of the sender have ended.
    pub(super) async fn record(&self, sender: &str) {
        let verdicts = std::mem::take(&mut *lock(&self.verdicts));
        if !verdicts.is_empty() {
            let (ledger, committer) = Ledger::start(self.desk.app.store.clone(), sender.to_owned());
            let began = Instant::now();
            for verdict in verdicts {
                self.record_one(&ledger, verdict, began).await;
            }
            drop(ledger);
            if let Err(error) = committer.await {
                tracing::warn!(%error, "the ledger of deliveries ended unexpectedly");
            }
        }
        self.desk.recorded_late_ends();
    }

    async fn record_one(&self, ledger: &Ledger, verdict: Verdict, began: Instant) {
        let (id, state) = (verdict.id.clone(), verdict.state);
        loop {
            match ledger.ended(verdict.clone()).await.wait().await {
                Ok(true) => {
                    self.desk.count(|done| *done.mails.entry(state).or_default() += 1);
                    return tracing::info!(delivery.id = id, state, "the end of a mail was recorded late");
                }
                Ok(false) => {
                    let what = "the end of a mail came too late: its lease was lost; unless it was recorded before, it is uncertain";
                    return tracing::warn!(delivery.id = id, state, "{what}");
                }
                Err(error) => {
                    let patience = if self.desk.stop.is_cancelled() { LAST_PATIENCE } else { PATIENCE };
                    if began.elapsed() >= patience {
                        let what = "the end of a mail could not be recorded: it will be uncertain";
                        return tracing::warn!(delivery.id = id, state, %error, "{what}");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }
}
