//! The end of a try on its way into the ledger.
//!
//! Writes no mail. Invariant: an end is handed in again until it is heard to be durable; what is not heard of when the
//! lease has run out, or the task is cut off, is kept for later.

use std::sync::Arc;
use std::time::Duration;

use app::delivery::{Ended, Letterbox};
use model::time::Timestamp;
use store::ledger::{Heard, Verdict};

use super::Post;
use super::late::Late;

/// Between two tries to record the end of a mail.
const AGAIN: Duration = Duration::from_millis(200);

const RECORDING: &str = "recording the end of a mail";

/// The end of a try that was handed in and not heard of yet. The committer makes it durable whether it is heard or not.
pub(super) struct Ending {
    verdict: Unheard,
    heard: Heard,
}

/// Kept for later when it is dropped, unless it was heard of.
struct Unheard {
    verdict: Option<Verdict>,
    late: Arc<Late>,
}

impl Drop for Unheard {
    fn drop(&mut self) {
        if let Some(verdict) = self.verdict.take() {
            self.late.keep(verdict);
        }
    }
}

impl Ending {
    /// Gives the end of a try to the ledger.
    pub(super) async fn hand_in(post: &Post, letterbox: &Letterbox, started: Timestamp, ended: Ended) -> Self {
        let verdict = app::delivery::verdict(&post.desk.app, letterbox, started, ended);
        let unheard = Unheard { verdict: Some(verdict.clone()), late: Arc::clone(&post.late) };
        let heard = post.ledger.ended(verdict).await;
        Self { verdict: unheard, heard }
    }

    /// Waits until it is durable. Only this task knows the end, so it is said again while the lease lasts.
    pub(super) async fn settle(self, post: &Post) {
        let Self { verdict: mut unheard, heard } = self;
        let Some(verdict) = unheard.verdict.clone() else { return };
        let mut result = heard.wait().await;
        let mut is_again = false;
        loop {
            match result {
                Ok(true) => {
                    unheard.verdict = None;
                    post.desk.went_well(RECORDING);
                    post.desk.count(|done| *done.mails.entry(verdict.state).or_default() += 1);
                    if matches!(verdict.state, "bounced" | "failed" | "deferred") {
                        post.pulse.judge_soon();
                    }
                    return;
                }
                Ok(false) => {
                    unheard.verdict = None;
                    // A commit whose answer was lost may have gone through all the same.
                    return match is_again {
                        true => tracing::info!(delivery.id = verdict.id, "the end of a mail was settled meanwhile"),
                        false => {
                            let what = "the end of a mail was not recorded: its lease was lost";
                            tracing::warn!(delivery.id = verdict.id, "{what}");
                        }
                    };
                }
                Err(error) if post.pulse.is_alive() => {
                    if post.desk.failed(RECORDING, error.to_string(), None) {
                        tracing::warn!(delivery.id = verdict.id, %error, "the end of a mail is recorded again");
                    }
                    is_again = true;
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => return post.fail(RECORDING, error.to_string(), None),
            }
            result = post.ledger.ended(verdict.clone()).await.wait().await;
        }
    }
}
