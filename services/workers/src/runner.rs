//! Everything that runs by itself in one process: the worker of jobs, the sweep, the sender, the receiver.
//!
//! Keeps no state of its own. Invariant: what is begun when `stop` comes is finished or given back within ten seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::{App, AppError};
use mail::route::Route;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::jobs::{Kind, Nudge};
use crate::reception::{self, Receivers};
use crate::{WorkerError, delivery, worker};

/// How often the rows are asked what is due, and the slice of time in which one job of a kind is enough.
const SWEEP: Duration = Duration::from_millis(500);
/// The pause between two sweeps where one takes long.
const SLOWEST_SWEEP: Duration = Duration::from_secs(5);
/// How often old jobs are deleted and expired exceptions lapse.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// Maps, files, escalates and, where a route is given, sends, and takes mail where it is configured, until `stop`.
pub async fn run(
    app: App,
    route: Option<Route>,
    receivers: Receivers,
    stop: CancellationToken,
) -> Result<(), WorkerError> {
    let desk = Desk::new(app, stop);
    let receiving = tokio::spawn(reception::receive(Arc::clone(&desk), receivers));
    let done = run_at(Arc::clone(&desk), route).await;
    let received = receiving.await;
    done?;
    received.map_err(|error| WorkerError::Ended { task: "the receiver", fault: error.to_string() })
}

/// [`run`] with a desk that the caller sees too.
pub(crate) async fn run_at(desk: Arc<Desk>, route: Option<Route>) -> Result<(), WorkerError> {
    let sends = route.is_some();
    let worker = tokio::spawn(worker::work(Arc::clone(&desk)));
    let sweep = tokio::spawn(sweep(Arc::clone(&desk), sends));
    let sender = route.map(|route| tokio::spawn(delivery::send(Arc::clone(&desk), route)));
    let ended = |task, ended: Result<(), tokio::task::JoinError>| {
        // A task that ends by a panic ends the others in good order.
        desk.stop.cancel();
        ended.map_err(|error| WorkerError::Ended { task, fault: error.to_string() })
    };
    let (worker, sweep, sender) = tokio::join!(
        async { ended("the worker of jobs", worker.await) },
        async { ended("the sweep", sweep.await) },
        async {
            match sender {
                Some(sender) => ended("the sender", sender.await),
                None => Ok(()),
            }
        },
    );
    worker.and(sweep).and(sender)
}

/// Asks the rows what is due, without a lower bound of time, and pushes a nudge for it.
async fn sweep(desk: Arc<Desk>, sends: bool) {
    let mut cleaned: Option<Instant> = None;
    while !desk.stop.is_cancelled() {
        let began = Instant::now();
        let swept = sweep_once(&desk, sends, &mut cleaned).await;
        note(&desk, "the sweep", swept);
        // Asking takes a tenth of the time at most: a large store must not be kept busy by questions.
        let pause = (began.elapsed() * 10).clamp(SWEEP, SLOWEST_SWEEP);
        tokio::select! {
            () = desk.stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn sweep_once(desk: &Desk, sends: bool, cleaned: &mut Option<Instant>) -> Result<(), AppError> {
    let app = &desk.app;
    if cleaned.is_none_or(|at| at.elapsed() >= HOUSEKEEPING) {
        app.store.clean_jobs().await?;
        app::mapping::lapse_expired(app).await?;
        *cleaned = Some(Instant::now());
    }
    app::delivery::reclaim(app).await?;
    for incident in app::mapping::pending(app).await? {
        push(desk, Kind::Map, Some(incident)).await?;
    }
    if app::inbound::pending(app).await? {
        push(desk, Kind::File, None).await?;
    }
    if app::escalation::due(app).await? {
        push(desk, Kind::Tick, None).await?;
    }
    if app::reach::due(app).await? {
        push(desk, Kind::Reach, None).await?;
    }
    if sends && app::delivery::is_due(app).await? {
        push(desk, Kind::Drain, None).await?;
    }
    Ok(())
}

async fn push(desk: &Desk, kind: Kind, incident: Option<i64>) -> Result<(), AppError> {
    if desk.is_running(kind.step(), incident.unwrap_or(0)) {
        return Ok(());
    }
    let nudge = Nudge::new(kind, incident);
    let slice = desk.app.clock.real().micros() / i64::try_from(SWEEP.as_micros()).unwrap_or(i64::MAX);
    let payload = serde_json::json!(nudge).to_string();
    Ok(desk.app.store.push(&app::new_ulid(), &nudge.key(slice), payload.as_bytes()).await?)
}

fn note(desk: &Desk, step: &'static str, result: Result<(), AppError>) {
    match result {
        Ok(()) => {
            desk.went_well(step);
        }
        Err(error) => {
            if desk.failed(step, error.to_string(), error.hint().map(str::to_owned)) {
                tracing::warn!(step, %error, "a step failed and is tried again");
            }
        }
    }
}
