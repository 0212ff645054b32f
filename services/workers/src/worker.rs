//! The apalis worker of jobs, under its monitor.
//!
//! Knows no job. Settings work around apalis 1.0: a worker's name is new at each start (with an old one jobs are lost),
//! an idle worker looks for jobs by a clock of ours, one database error ends a worker (so it is started again after a
//! pause), and a payload that does not decode ends it too (so bytes are handed through as they are). Invariant: until
//! the desk's end there is a worker, or one will be within a second.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::layers::WorkerBuilderExt;
use apalis::prelude::{BackendExt, Codec, Monitor, PollSnapshot, PollStrategy, PollWith, WorkerBuilder};
use store::queue::Backend;
use tokio::time::{Interval, MissedTickBehavior};

use crate::desk::Desk;
use crate::jobs;

/// How often an idle worker looks for jobs.
const POLL: Duration = Duration::from_millis(200);
/// Before a worker that ended is started again.
const RESTART: Duration = Duration::from_secs(1);
/// How long jobs may go on after `stop`.
const GRACE: Duration = Duration::from_secs(8);

/// Runs jobs; a worker that ends before `stop` is started again.
pub(crate) async fn work(desk: Arc<Desk>) {
    while !desk.stop.is_cancelled() {
        let name = format!("{}-{}", desk.host, app::new_ulid());
        let monitor = monitor(&desk, name);
        let stop = desk.stop.clone();
        let signal = async move {
            stop.cancelled().await;
            Ok(())
        };
        if let Err(error) = monitor.run_with_signal(signal).await {
            tracing::warn!(%error, "the monitor of jobs ended");
        }
        tokio::select! {
            () = desk.stop.cancelled() => {}
            () = tokio::time::sleep(RESTART) => tracing::info!("the worker of jobs is started again"),
        }
    }
}

/// A monitor with one worker. It restarts nothing itself: it would do so without a pause.
fn monitor(desk: &Arc<Desk>, name: String) -> Monitor {
    let handler = {
        let desk = Arc::clone(desk);
        move |payload: Vec<u8>| jobs::take(Arc::clone(&desk), payload)
    };
    let monitor = Monitor::new().shutdown_timeout(GRACE).should_restart(|worker, error| {
        tracing::warn!(worker = worker.name(), %error, "the worker of jobs ended");
        false
    });
    match desk.app.store.jobs() {
        Backend::Sqlite(backend) => monitor.register(move |_| {
            let backend = PollWith::new(backend.clone().with_codec(AsWritten), Every::new(POLL));
            WorkerBuilder::new(name.clone()).backend(backend).catch_panic().build(handler.clone())
        }),
        Backend::Postgres(backend) => monitor.register(move |_| {
            let backend = PollWith::new(backend.clone().with_codec(AsWritten), Every::new(POLL));
            WorkerBuilder::new(name.clone()).backend(backend).catch_panic().build(handler.clone())
        }),
    }
}

/// Hands a payload through: decoding is the job's, where a failure ends the job and not the worker.
#[derive(Debug, Clone, Copy, Default)]
struct AsWritten;

impl Codec<Vec<u8>> for AsWritten {
    type Compact = Vec<u8>;
    type Error = Infallible;

    fn encode(&self, payload: &Vec<u8>) -> Result<Vec<u8>, Infallible> {
        Ok(payload.clone())
    }

    fn decode(&self, payload: &Vec<u8>) -> Result<Vec<u8>, Infallible> {
        Ok(payload.clone())
    }
}

/// Wakes the worker at each tick. apalis' own interval now and then misses the wake-up after a tick, and the worker
/// then sleeps until its next heartbeat.
struct Every(Interval);

impl Every {
    fn new(period: Duration) -> Self {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(ticks)
    }
}

impl PollStrategy for Every {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        // Until it is pending: only then is the next wake-up arranged.
        while self.0.poll_tick(cx).is_ready() {}
        Poll::Pending
    }
}
