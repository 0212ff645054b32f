//! The sender: claims mail, hands it to connections, gives back what was not begun.
//!
//! Writes no row itself: claims through `app`, records through the ledger. Invariant: a sender has an id that no other
//! ever has; when its lease, its ledger or one of its tasks fails it ends, and the next one starts with an id of its
//! own, so that no mail stays with a sender that lost track of it.

mod carrier;
mod ending;
mod families;
mod fate;
mod gate;
mod lanes;
mod late;
mod limited;
mod line;
mod pacer;
mod pulse;
mod systems;
mod usher;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::AppError;
use app::delivery::Letterbox;
use mail::route::{Route, Routes};
use model::pace::Limits;
use store::ledger::Ledger;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use families::Families;
use lanes::Lanes;
use late::Late;
use limited::{Batch, StartGiven};
use pacer::{Pacer, Place};
use pulse::Pulse;
use systems::Systems;

/// How long a mail waits at least that its wave's pace does not let go now.
pub(crate) const PARK: Duration = app::waves::AHEAD;
/// How often a sender looks for mail although nothing woke it: another host may have taken the nudge.
const LOOK: Duration = Duration::from_secs(1);
/// The same, while a pace holds mail back.
const PACED_LOOK: Duration = Duration::from_millis(250);
/// Mails a claim takes when the last one found nothing but mail held back by a pace: others wait behind that.
const SEARCH: i64 = 500;
/// Between a sender that failed and the next.
const RESTART: Duration = Duration::from_secs(1);
/// How long connections may go on when the sender ends.
const GRACE: Duration = Duration::from_secs(7);
/// Connections at a time, at most.
const MOST_CONNECTIONS: usize = 100;
/// Claimed mails that wait for a connection.
const AHEAD: usize = 64;
/// Mails a claim takes at most.
const MOST: i64 = 400;
/// A claim takes as many mails as leave in about this time: more cost less each, and wait longer.
const A_CLAIM: Duration = Duration::from_millis(60);

/// A claimed mail on its way to a connection.
struct Parcel {
    letterbox: Letterbox,
    /// With a wave that has a pace, or one for each receiving system.
    places: Vec<Place>,
    /// With a wave that is limited.
    start: Option<StartGiven>,
}

/// What the tasks of one sender share.
struct Post {
    desk: Arc<Desk>,
    /// Outlive this sender, with what is known of them.
    lanes: Arc<Lanes>,
    pacer: Arc<Pacer>,
    systems: Systems,
    families: Families,
    pulse: Pulse,
    ledger: Ledger,
    late: Arc<Late>,
    /// The lease that its mails have.
    sender: String,
    /// The end of this sender.
    over: CancellationToken,
}

impl Post {
    /// Ends this sender because a step of it failed in a way that leaves unknown what the rows say.
    fn fail(&self, step: &'static str, fault: String, hint: Option<String>) {
        if self.desk.failed(step, fault.clone(), hint) {
            tracing::warn!(step, error = fault, sender = self.sender, "the sender starts anew");
        }
        self.over.cancel();
    }
}

/// Sends what is due until the desk's end, as one sender after another.
pub(crate) async fn send(desk: Arc<Desk>, routes: Routes) {
    let (lanes, pacer) = (Arc::new(Lanes::new(&routes)), Arc::new(Pacer::default()));
    while !desk.stop.is_cancelled() {
        if let Err(error) = one_sender(&desk, &lanes, &pacer).await
            && desk.failed(STARTING, error.to_string(), error.hint().map(str::to_owned))
        {
            tracing::warn!(%error, "the sender cannot start");
        }
        tokio::select! {
            () = desk.stop.cancelled() => {}
            () = tokio::time::sleep(RESTART) => {}
        }
    }
}

const STARTING: &str = "starting the sender";

/// One sender from its first sign of life to its farewell.
async fn one_sender(desk: &Arc<Desk>, lanes: &Arc<Lanes>, pacer: &Arc<Pacer>) -> Result<(), AppError> {
    let app = &desk.app;
    let sender = format!("{}-{}", desk.host, app::new_ulid());
    // Before the first claim: what expired while nobody worked decides about no mail any more.
    app::mapping::lapse_expired(app).await?;
    // And a lease without a living sender is anybody's.
    app::delivery::heartbeat(app, &sender).await?;
    desk.went_well(STARTING);
    let (ledger, committer) = Ledger::start(app.store.clone(), sender.clone());
    let late = Arc::new(Late::new(desk));
    let post = Arc::new(Post {
        desk: Arc::clone(desk),
        lanes: Arc::clone(lanes),
        pacer: Arc::clone(pacer),
        systems: Systems::new(connections(app)),
        families: Families::default(),
        pulse: Pulse::new(app.settings.sending.lease()),
        ledger,
        late: Arc::clone(&late),
        sender: sender.clone(),
        over: desk.stop.child_token(),
    });
    run_tasks(post).await;
    if let Err(error) = committer.await {
        tracing::warn!(%error, "the ledger of deliveries ended unexpectedly");
    }
    late.record(&sender).await;
    // Without it the lease runs out by itself.
    app::delivery::farewell(app, &sender).await
}

/// Until the sender is over and its tasks have ended, by themselves or after the time of grace.
async fn run_tasks(post: Arc<Post>) {
    let connections = connections(&post.desk.app);
    let (carriers, waiting) = mpsc::channel(connections.max(AHEAD));
    let (timed, to_start) = mpsc::channel(AHEAD);
    let waiting = Arc::new(Mutex::new(waiting));
    let over = post.over.clone();
    let beating = CancellationToken::new();
    let beat = tokio::spawn(pulse::beat(Arc::clone(&post), beating.clone()));
    let mut tasks = JoinSet::new();
    tasks.spawn(claim(
        Arc::clone(&post),
        carriers.clone(),
        timed,
        i64::try_from(connections * 2).unwrap_or(i64::MAX).max(50),
    ));
    tasks.spawn(usher::usher(Arc::clone(&post), to_start, carriers));
    tasks.spawn(families::ask(Arc::clone(&post)));
    tasks.spawn(watch::watch(Arc::clone(&post)));
    for _ in 0..connections {
        tasks.spawn(carrier::carry(Arc::clone(&post), Arc::clone(&waiting)));
    }
    drop(post);
    let joined = async {
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of the sender ended unexpectedly");
                over.cancel();
            }
        }
    };
    let grace = async {
        over.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = joined => {}
        () = grace => tracing::warn!("connections were cut off in the middle of a mail"),
    }
    tasks.shutdown().await;
    beating.cancel();
    if let Err(error) = beat.await {
        tracing::error!(%error, "the pulse of the sender ended unexpectedly");
    }
}

fn connections(app: &app::App) -> usize {
    app.settings.sending.connections.clamp(1, MOST_CONNECTIONS)
}

/// Claims what is due, a little ahead of the connections.
async fn claim(post: Arc<Post>, carriers: mpsc::Sender<Parcel>, timed: mpsc::Sender<Parcel>, batch: i64) {
    let routes: Vec<Route> = post.lanes.all().iter().map(|lane| lane.route.clone()).collect();
    let mut limits = HashMap::new();
    let mut limit = batch;
    while !post.over.is_cancelled() {
        tokio::select! {
            () = post.over.cancelled() => return,
            () = post.lanes.opened() => {}
        }
        let began = Instant::now();
        let claimed = match claim_once(&post, &routes, &mut limits, limit).await {
            Ok(claimed) => claimed,
            Err(error) => return post.fail(CLAIMING, error.to_string(), error.hint().map(str::to_owned)),
        };
        post.desk.went_well(CLAIMING);
        let (is_empty, parked) = (claimed.parcels.is_empty(), claimed.parked);
        let look = match (is_empty, parked) {
            (false, _) => None,
            (true, 0) => Some(LOOK),
            (true, _) => Some(PACED_LOOK),
        };
        for parcel in claimed.parcels {
            let way = if parcel.start.is_some() { &timed } else { &carriers };
            tokio::select! {
                () = post.over.cancelled() => return,
                sent = way.send(parcel) => if sent.is_err() { return },
            }
        }
        limit = match (is_empty, parked) {
            (true, 0) => batch,
            (true, _) => SEARCH,
            (false, _) if began.elapsed() < A_CLAIM => (limit * 2).min(MOST),
            (false, _) => (limit / 2).max(batch),
        };
        if let Some(look) = look {
            tokio::select! {
                () = post.over.cancelled() => return,
                () = post.desk.mail_is_due.notified() => {}
                () = tokio::time::sleep(look) => {}
            }
        }
    }
}

const CLAIMING: &str = "claiming mail";

async fn claim_once(
    post: &Post,
    routes: &[Route],
    limits: &mut HashMap<String, Limits>,
    limit: i64,
) -> Result<Batch, AppError> {
    let app = &post.desk.app;
    let letterboxes = app::delivery::claim(app, &post.sender, limit, routes).await?;
    let mut waves = letterboxes.iter().filter_map(|letterbox| letterbox.mail.wave_id.as_ref());
    // A wave that is new here may be limited: none of it leaves before that is known.
    if waves.any(|wave| !limits.contains_key(wave)) {
        *limits = app::waves::limits(app).await?;
    }
    limited::sort(post, letterboxes, limits).await
}
