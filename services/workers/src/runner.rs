//! Everything that runs by itself in one process: the worker of jobs, the sweep, the sender, the receiver, the caller.
//!
//! Keeps no state of its own. Invariant: what is begun when `stop` comes is finished or given back within ten seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::{App, AppError};
use mail::route::Routes;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::jobs::{Kind, Nudge};
use crate::reception::{self, Receivers};
use crate::{WorkerError, delivery, mailboxes, webhooks, worker};

/// How often the rows are asked what is due, and the slice of time in which one job of a kind is enough.
const SWEEP: Duration = Duration::from_millis(500);
/// The pause between two sweeps where one takes long.
const SLOWEST_SWEEP: Duration = Duration::from_secs(5);
/// How often ladders are looked at while mail is due: their questions read all tickets, and their times are hours.
const LADDERS: Duration = Duration::from_secs(5);
/// How often it is noted that ladders were looked at and nothing was left: who watches asks within minutes.
const NOTED: Duration = Duration::from_secs(15);
/// How often old jobs are deleted and expired exceptions lapse.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// Maps, files, escalates and, where a route is given, sends, and takes mail where it is configured, until `stop`.
pub async fn run(
    app: App,
    routes: Option<Routes>,
    receivers: Receivers,
    stop: CancellationToken,
) -> Result<(), WorkerError> {
    let desk = Desk::new(app, stop);
    let receiving = tokio::spawn(reception::receive(Arc::clone(&desk), receivers));
    let collecting = tokio::spawn(mailboxes::collect(Arc::clone(&desk)));
    let done = run_at(Arc::clone(&desk), routes).await;
    let (received, collected) = tokio::join!(receiving, collecting);
    done?;
    collected.map_err(|error| WorkerError::Ended { task: "the collector", fault: error.to_string() })?;
    received.map_err(|error| WorkerError::Ended { task: "the receiver", fault: error.to_string() })
}

/// [`run`] with a desk that the caller sees too.
pub(crate) async fn run_at(desk: Arc<Desk>, routes: Option<Routes>) -> Result<(), WorkerError> {
    let sends = routes.is_some();
    let worker = tokio::spawn(worker::work(Arc::clone(&desk)));
    let sweep = tokio::spawn(sweep(Arc::clone(&desk), sends));
    let caller = tokio::spawn(webhooks::call(Arc::clone(&desk)));
    let sender = routes.map(|routes| tokio::spawn(delivery::send(Arc::clone(&desk), routes)));
    let ended = |task, ended: Result<(), tokio::task::JoinError>| {
        // A task that ends by a panic ends the others in good order.
        desk.stop.cancel();
        ended.map_err(|error| WorkerError::Ended { task, fault: error.to_string() })
    };
    let (worker, sweep, caller, sender) = tokio::join!(
        async { ended("the worker of jobs", worker.await) },
        async { ended("the sweep", sweep.await) },
        // Without webhooks it has nothing to wait for.
        async { caller.await.map_err(|error| WorkerError::Ended { task: "the caller", fault: error.to_string() }) },
        async {
            match sender {
                Some(sender) => ended("the sender", sender.await),
                None => Ok(()),
            }
        },
    );
    worker.and(sweep).and(caller).and(sender)
}

/// Asks the rows what is due, without a lower bound of time, and pushes a nudge for it.
async fn sweep(desk: Arc<Desk>, sends: bool) {
    let mut rarely =
        Rare { cleaned: Rarely::new(HOUSEKEEPING), climbed: Rarely::new(LADDERS), noted: Rarely::new(NOTED) };
    while !desk.stop.is_cancelled() {
        let began = Instant::now();
        let swept = sweep_once(&desk, sends, &mut rarely).await;
        note(&desk, "the sweep", swept);
        // Asking takes a tenth of the time at most: a large store must not be kept busy by questions.
        let pause = (began.elapsed() * 10).clamp(SWEEP, SLOWEST_SWEEP);
        tokio::select! {
            () = desk.stop.cancelled() => {}
            () = desk.sweep_now.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// What is not done at each sweep.
struct Rare {
    cleaned: Rarely,
    climbed: Rarely,
    noted: Rarely,
}

async fn sweep_once(desk: &Desk, sends: bool, rarely: &mut Rare) -> Result<(), AppError> {
    let app = &desk.app;
    let Rare { cleaned, climbed, noted } = rarely;
    if cleaned.is_due() {
        app.store.clean_jobs().await?;
        app::sweeps::sweep(app).await?;
        cleaned.done();
    }
    app::mapping::lapse_expired(app).await?;
    if desk.may_reclaim() {
        app::delivery::reclaim(app).await?;
    }
    app::waves::judge(app).await?;
    for incident in app::mapping::pending(app).await? {
        push(desk, Kind::Map, Some(incident)).await?;
    }
    if app::inbound::pending(app).await? {
        push(desk, Kind::File, None).await?;
    }
    let mail_is_due = sends && app::delivery::is_due(app).await?;
    if mail_is_due {
        push(desk, Kind::Drain, None).await?;
    }
    if !mail_is_due || climbed.is_due() {
        if app::escalation::due(app).await? {
            push(desk, Kind::Tick, None).await?;
        } else if noted.is_due() {
            app::watch::ticked(app, &desk.host).await?;
            noted.done();
        }
        if app::reach::due(app).await? {
            push(desk, Kind::Reach, None).await?;
        }
        climbed.done();
    }
    Ok(())
}

/// Something that is not done more often than that.
struct Rarely {
    every: Duration,
    last: Option<Instant>,
}

impl Rarely {
    fn new(every: Duration) -> Self {
        Self { every, last: None }
    }

    fn is_due(&self) -> bool {
        self.last.is_none_or(|last| last.elapsed() >= self.every)
    }

    fn done(&mut self) {
        self.last = Some(Instant::now());
    }
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
