//! `work --until-idle`: run what is due now, then end.
//!
//! Starts nothing of its own: the same tasks as a worker's, watched. Invariant: idle is a statement about the rows,
//! not about this process: a mail that a dead sender holds is waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::{App, AppError};
use mail::route::Routes;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::delivery::PARK;
use crate::desk::{Desk, Done, ROUTE};
use crate::mailboxes::{self, Unreached};
use crate::{WorkerError, runner};

/// Between two looks, unless a look takes long: then ten times as long as it takes.
const LOOK: Duration = Duration::from_millis(100);
const LONGEST_LOOK: Duration = Duration::from_secs(1);
/// Before the look that confirms that nothing is left.
const CONFIRMING_LOOK: Duration = Duration::from_millis(20);

/// How long a step may fail before it counts as an answer. Longer than a restart of a database or mail server on the
/// same host.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is not done yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Jobs,
    Mailboxes,
    Hosts,
    Inbound,
    Escalations,
    Reaching,
    Expiries,
    Calls,
    Mail,
    Leases,
}

impl Left {
    fn words(self) -> &'static str {
        match self {
            Self::Jobs => "a job is running",
            Self::Mailboxes => "mailboxes are looked into",
            Self::Hosts => "hosts wait for mapping",
            Self::Inbound => "received mails wait to be filed",
            Self::Escalations => "escalations are due",
            Self::Reaching => "organisations wait to be reached",
            Self::Expiries => "entries of the directory have expired",
            Self::Calls => "webhooks are to be called",
            Self::Mail => "mails are due",
            Self::Leases => "a sender holds mails",
        }
    }

    /// Whether only a mail route can change it.
    fn is_mail(self) -> bool {
        matches!(self, Self::Mail | Self::Leases)
    }
}

/// Runs whatever is due, with everything that follows from it, and says what was done; each mailbox of the configuration is
/// looked into once. Without a route, due mail is an error; so is a time-out, a step that fails for ten seconds, and, once
/// all else is done, a mailbox that cannot be looked into.
pub async fn work_until_idle(app: App, routes: Option<Routes>, timeout: Option<Duration>) -> Result<Done, WorkerError> {
    let stop = CancellationToken::new();
    // Whoever drops this call ends its tasks.
    let _guard = stop.clone().drop_guard();
    let desk = Desk::new(app, stop.clone());
    let shown = routes.as_ref().map(ToString::to_string);
    let running = tokio::spawn(runner::run_at(Arc::clone(&desk), routes));
    let looking = tokio::spawn(mailboxes::collect_once(Arc::clone(&desk)));
    let watched = watch(&desk, shown.as_deref(), timeout, &looking).await;
    stop.cancel();
    let unreached =
        looking.await.map_err(|error| WorkerError::Ended { task: "the collector", fault: error.to_string() })?;
    let ended = running.await.map_err(|error| WorkerError::Ended { task: "the runner", fault: error.to_string() })?;
    watched.and(ended)?;
    match unreached.into_iter().next() {
        Some(Unreached { mailbox, fault, hint }) => Err(WorkerError::MailboxDown { mailbox, fault, hint }),
        None => Ok(desk.done()),
    }
}

async fn watch(
    desk: &Desk,
    route: Option<&str>,
    timeout: Option<Duration>,
    looking: &JoinHandle<Vec<Unreached>>,
) -> Result<(), WorkerError> {
    let began = Instant::now();
    let mut quiet_since: Option<Instant> = None;
    while !desk.stop.is_cancelled() {
        let look = Instant::now();
        // Asked first: what it takes is in the rows that are looked at then.
        let looked = looking.is_finished();
        let left = match what_is_left(desk, route).await {
            Ok(left) => {
                desk.went_well(LOOKING);
                left.or((!looked).then_some(Left::Mailboxes))
            }
            Err(error) => {
                desk.failed(LOOKING, error.to_string(), error.hint().map(str::to_owned));
                Some(Left::Jobs)
            }
        };
        match left {
            None => {
                let since = *quiet_since.get_or_insert(look);
                // The first of two looks in a row sees no time pass.
                if since < look && look.duration_since(since) >= quiet_needed(desk).await? {
                    return Ok(());
                }
            }
            Some(left) => {
                quiet_since = None;
                if !left.is_mail() && !desk.is_busy() {
                    // Nobody has begun what is left: the sweep may be resting.
                    desk.sweep_now.notify_one();
                }
                give_up(desk, route, left).await?;
                if let Some(limit) = timeout.filter(|limit| began.elapsed() >= *limit) {
                    return Err(WorkerError::TimedOut { seconds: limit.as_secs(), left: left.words().to_owned() });
                }
            }
        }
        // Only one more look follows where nothing was left.
        let pause = if left.is_none() { CONFIRMING_LOOK } else { (look.elapsed() * 10).clamp(LOOK, LONGEST_LOOK) };
        tokio::select! {
            () = desk.stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(())
}

const LOOKING: &str = "looking at what is due";

/// The first thing that is not done. Without a working route mail comes last: only when nothing else is left is the
/// route the answer.
async fn what_is_left(desk: &Desk, route: Option<&str>) -> Result<Option<Left>, AppError> {
    let app = &desk.app;
    // While mail is on its way the dearer questions can wait.
    let mail_flows = route.is_some() && desk.trouble_of(ROUTE, PATIENCE).is_none();
    if mail_flows && let Some(left) = mail_left(app).await? {
        return Ok(Some(left));
    }
    if desk.is_busy() {
        return Ok(Some(Left::Jobs));
    }
    if app::mapping::is_anything_expired(app).await? {
        return Ok(Some(Left::Expiries));
    }
    if !app::mapping::pending(app).await?.is_empty() {
        return Ok(Some(Left::Hosts));
    }
    if app::inbound::pending(app).await? {
        return Ok(Some(Left::Inbound));
    }
    if app::escalation::due(app).await? {
        return Ok(Some(Left::Escalations));
    }
    if app::reach::due(app).await? {
        return Ok(Some(Left::Reaching));
    }
    if calls_left(app).await? {
        return Ok(Some(Left::Calls));
    }
    mail_left(app).await
}

async fn calls_left(app: &App) -> Result<bool, AppError> {
    Ok(app::webhooks::is_end_untold(app).await?
        || !app::webhooks::due(app).await?.is_empty()
        || app::webhooks::held(app).await? > 0)
}

async fn mail_left(app: &App) -> Result<Option<Left>, AppError> {
    if app::delivery::is_due(app).await? {
        return Ok(Some(Left::Mail));
    }
    Ok((app::delivery::leases(app).await? > 0).then_some(Left::Leases))
}

/// How long it must be quiet. Mails that a pace put off are due again within a moment, those of a paused wave are
/// not, and the rows do not tell them apart.
async fn quiet_needed(desk: &Desk) -> Result<Duration, WorkerError> {
    let queued = app::delivery::count_by_state(&desk.app).await?.get("queued").copied().unwrap_or(0);
    Ok(if queued == 0 { Duration::ZERO } else { PARK + LOOK * 5 })
}

/// The error to end with, when waiting longer helps nobody.
async fn give_up(desk: &Desk, route: Option<&str>, left: Left) -> Result<(), WorkerError> {
    let Some(route) = route else {
        return match left {
            Left::Mail => Err(WorkerError::NoRoute { waiting: waiting(desk).await? }),
            _ => stuck(desk),
        };
    };
    match desk.trouble_of(ROUTE, PATIENCE) {
        Some(trouble) if left.is_mail() => {
            let waiting = waiting(desk).await?;
            Err(WorkerError::RouteDown { route: route.to_owned(), fault: trouble.fault, waiting })
        }
        _ => stuck(desk),
    }
}

fn stuck(desk: &Desk) -> Result<(), WorkerError> {
    match desk.trouble(PATIENCE) {
        Some((step, trouble)) => Err(WorkerError::Stuck { step, fault: trouble.fault, hint: trouble.hint }),
        None => Ok(()),
    }
}

/// Mails that are due or will be.
async fn waiting(desk: &Desk) -> Result<i64, WorkerError> {
    let states = app::delivery::count_by_state(&desk.app).await?;
    let of = |state| states.get(state).copied().unwrap_or(0);
    Ok(["queued", "leased", "at_dot", "deferred", "uncertain"].into_iter().map(of).sum())
}
