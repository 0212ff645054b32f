//! The sign of life of a sender, and whether everything is stopped, or a wave is paused or breaks a stop rule.
//!
//! Sends nothing. Invariant: a sender that could not renew its lease for as long as the lease lasts writes no more.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Post;
use crate::desk::lock;

/// How often the stop button is looked at.
const STOP_LOOK: Duration = Duration::from_millis(500);

/// When a sender last renewed its lease.
pub(super) struct Pulse {
    lease: Duration,
    last: Mutex<Instant>,
    stopped: AtomicBool,
    paused: Mutex<HashSet<String>>,
    /// Something came back that a stop rule counts.
    came_back: Notify,
}

impl Pulse {
    /// Of a sender that has just shown its first sign of life.
    pub(super) fn new(lease: Duration) -> Self {
        Self {
            lease,
            last: Mutex::new(Instant::now()),
            stopped: AtomicBool::new(false),
            paused: Mutex::default(),
            came_back: Notify::new(),
        }
    }

    /// Whether the lease is sure to be ours.
    pub(super) fn is_alive(&self) -> bool {
        lock(&self.last).elapsed() < self.lease
    }

    /// Whether the installation is stopped: what is not begun is given back.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether a wave is paused: what of it is not begun is given back too.
    pub(super) fn is_paused(&self, wave: Option<&str>) -> bool {
        wave.is_some_and(|wave| lock(&self.paused).contains(wave))
    }

    /// A mail came back: its wave is judged at once.
    pub(super) fn judge_soon(&self) {
        self.came_back.notify_one();
    }

    fn is_due(&self) -> bool {
        lock(&self.last).elapsed() >= self.lease / 3
    }
}

/// Renews the lease and looks at the stop button until `end`, which comes when no task of the sender is left: what is
/// at the dot is finished under a lease.
pub(super) async fn beat(post: Arc<Post>, end: CancellationToken) {
    let (app, pulse) = (&post.desk.app, &post.pulse);
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            () = pulse.came_back.notified() => {}
            () = tokio::time::sleep(STOP_LOOK.min(pulse.lease / 6)) => {}
        }
        if !pulse.is_alive() {
            return post.fail(RENEWING, "it ran out before it could be renewed".to_owned(), None);
        }
        match app::delivery::stopped(app).await {
            Ok(stopped) => pulse.stopped.store(stopped, Ordering::Relaxed),
            Err(error) => tracing::debug!(%error, "the stop button cannot be read"),
        }
        if let Err(error) = app::waves::judge(app).await {
            tracing::debug!(%error, "waves cannot be judged by their stop rules");
        }
        match app::delivery::paused_waves(app).await {
            Ok(paused) => *lock(&pulse.paused) = paused,
            Err(error) => tracing::debug!(%error, "paused waves cannot be read"),
        }
        renew(&post).await;
    }
}

const RENEWING: &str = "renewing the lease of a sender";

async fn renew(post: &Post) {
    let pulse = &post.pulse;
    if !pulse.is_due() {
        return;
    }
    let began = Instant::now();
    // A database that does not answer is as bad as one that refuses.
    match tokio::time::timeout(pulse.lease, app::delivery::heartbeat(&post.desk.app, &post.sender)).await {
        Ok(Ok(())) => {
            *lock(&pulse.last) = began;
            post.desk.went_well(RENEWING);
        }
        Ok(Err(error)) => tracing::warn!(%error, "the lease of a sender could not be renewed"),
        Err(_) => tracing::warn!("the lease of a sender could not be renewed in time"),
    }
}
