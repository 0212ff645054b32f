//! A connection's task: takes a parcel, writes it, hands in what came of it.
//!
//! Decides neither outcomes (`fate`) nor states (`app`). Invariants: no byte of a final dot leaves before `at_dot` is
//! durable and before the end of the mail before is; so one mail at most is past the dot without a durable end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::delivery::{Ended, Letterbox};
use mail::smtp::Reports;
use model::delivery::{Outcome, State};
use model::time::Timestamp;
use tokio::sync::{Mutex, mpsc};

use super::ending::Ending;
use super::fate::Fate;
use super::gate;
use super::lanes::Lane;
use super::limited::StartGiven;
use super::line::{Broken, Line, Writing};
use super::systems::{self, Entry};
use super::{Parcel, Post};
use crate::desk::ROUTE;

/// How long an open line waits for the next mail before it is closed.
const IDLE: Duration = Duration::from_secs(10);

/// How long a mail waits elsewhere of whose receiving system too many wait here.
const LATER: Duration = Duration::from_secs(5);

/// A connection's task.
struct Carrier {
    post: Arc<Post>,
    line: Option<Line>,
    /// The end of the mail before, on its way into the ledger.
    ending: Option<Ending>,
    /// How long the try of this mail took, once there was one.
    tried: Option<Duration>,
}

/// Writes parcels until the sender is over.
pub(super) async fn carry(post: Arc<Post>, waiting: Arc<Mutex<mpsc::Receiver<Parcel>>>) {
    let mut carrier = Carrier { post, line: None, ending: None, tried: None };
    while let Some(parcel) = carrier.next(&waiting).await {
        match carrier.post.systems.enter(parcel) {
            Entry::Go(parcel, began) => carrier.deliver_with_its_like(*parcel, began).await,
            Entry::Waits => {}
            Entry::Full(parcel) => {
                give_back(&carrier.post, &parcel.letterbox, LATER).await;
            }
        }
    }
    carrier.settle().await;
    carrier.hang_up().await;
}

/// A sender that is over, or everything stopped, or no line to be had.
struct NotNow;

impl Carrier {
    /// The next mail; `None` when the sender is over.
    async fn next(&mut self, waiting: &Mutex<mpsc::Receiver<Parcel>>) -> Option<Parcel> {
        if self.post.over.is_cancelled() {
            return None;
        }
        if let Some(parcel) = waiting.try_lock().ok().and_then(|mut waiting| waiting.try_recv().ok()) {
            return Some(parcel);
        }
        self.settle().await;
        let over = self.post.over.clone();
        loop {
            tokio::select! {
                biased;
                () = over.cancelled() => return None,
                parcel = async { waiting.lock().await.recv().await } => return parcel,
                () = tokio::time::sleep(IDLE), if self.line.is_some() => self.hang_up().await,
            }
        }
    }

    async fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            line.close().await;
        }
    }

    /// Whoever was to find out whether a route is up and has no mail for that lets another one do it.
    async fn leave_trial(&mut self) {
        if self.line.as_ref().is_some_and(Line::is_on_trial) {
            self.hang_up().await;
        }
    }

    /// Hears of the end of the mail before.
    async fn settle(&mut self) {
        if let Some(ending) = self.ending.take() {
            ending.settle(&self.post).await;
        }
    }

    /// Hands in the end of a try. The next mail may be begun, but not finished, before that is durable.
    async fn end(&mut self, letterbox: &Letterbox, started: Timestamp, ended: Ended) {
        self.settle().await;
        self.ending = Some(Ending::hand_in(&self.post, letterbox, started, ended).await);
    }

    /// One mail, and those of its receiving system that came to wait behind it.
    async fn deliver_with_its_like(&mut self, parcel: Parcel, began: Instant) {
        let system = systems::name(&parcel);
        let mut next = Some((parcel, began));
        while let Some((parcel, began)) = next {
            self.tried = None;
            self.deliver(parcel).await;
            next = self.post.systems.leave(&system, began, self.tried);
        }
    }

    /// One mail, to whatever end. What is not begun when the sender ends goes back by its farewell.
    async fn deliver(&mut self, parcel: Parcel) {
        if parcel.letterbox.suppressed {
            let letterbox = parcel.letterbox;
            let text = "not sent: the contact is disabled, merged into another, or named by nobody any more";
            let now = self.post.desk.app.clock.now();
            return self.end(&letterbox, now, own_end("contact", text.to_owned(), State::Suppressed)).await;
        }
        let may_begin = self.may_begin().await.is_ok();
        let is_late = parcel.start.as_ref().is_some_and(StartGiven::is_late);
        if !may_begin || is_late {
            self.leave_trial().await;
            return give_back(&self.post, &parcel.letterbox, Duration::ZERO).await;
        }
        let Parcel { letterbox, places, start: _ } = parcel;
        // Until the answer: the pace is one of answers.
        let mut running = Vec::with_capacity(places.len());
        for place in places {
            self.settle().await;
            running.push(tokio::select! {
                () = self.post.over.cancelled() => return,
                running = place.turn() => running,
            });
        }
        // The stop button may have been pressed, or the wave paused, while this mail waited.
        if self.post.pulse.is_stopped() || self.post.pulse.is_paused(letterbox.mail.wave_id.as_deref()) {
            self.leave_trial().await;
            return give_back(&self.post, &letterbox, Duration::ZERO).await;
        }
        if !self.post.over.is_cancelled() {
            let began = Instant::now();
            self.try_once(&letterbox).await;
            self.tried = Some(began.elapsed());
        }
    }

    /// Waits until the route may be used, and opens it.
    async fn may_begin(&mut self) -> Result<(), NotNow> {
        let keeps_line = self.line.as_ref().is_some_and(|line| !line.is_spent());
        if !keeps_line {
            self.settle().await;
            self.hang_up().await;
        }
        while self.line.is_none() {
            tokio::select! {
                () = self.post.over.cancelled() => return Err(NotNow),
                () = self.post.lanes.opened() => {}
            }
            if self.post.pulse.is_stopped() {
                return Err(NotNow);
            }
            self.line = open(&self.post).await?;
        }
        Ok(())
    }

    /// Composes a mail and writes it, on a fresh line once more where the old one had gone stale.
    async fn try_once(&mut self, letterbox: &Letterbox) {
        let app = &self.post.desk.app;
        let started = app.clock.now();
        let bytes = match app::delivery::compose(app, letterbox, started) {
            Ok(bytes) => bytes,
            // This mail's own fault: the others go on.
            Err(error) => {
                self.end(letterbox, started, own_end("compose", error.to_string(), State::Failed)).await;
                return;
            }
        };
        let mail = Writing {
            id: &letterbox.mail.id,
            message_id: &letterbox.mail.message_id,
            // Reports and automatic answers come back with the token of their conversation.
            from: letterbox.reply_to.as_deref().unwrap_or(&letterbox.from.address),
            to: &letterbox.mail.address,
            bytes: &bytes,
            reports: Reports::of(app.settings.sending.reports, &letterbox.mail.id),
        };
        let began = Instant::now();
        let mut lane = self.lane();
        let mut result = self.envelope(&mail).await;
        if matches!(&result, Ok(Some(broken)) if broken.stale) {
            self.settle().await;
            match open(&self.post).await {
                Ok(Some(fresh)) => self.line = Some(fresh),
                Ok(None) | Err(NotNow) => {
                    give_back(&self.post, letterbox, Duration::ZERO).await;
                    return;
                }
            }
            lane = self.lane();
            result = self.envelope(&mail).await;
        }
        match result {
            // The sender is over: its farewell gives the mail back.
            Err(NotNow) => {}
            Ok(None) => self.message(letterbox, &mail, started).await,
            Ok(Some(Broken { fate: Fate::GiveBack, text, .. })) => {
                if let Some(lane) = lane {
                    is_down(&self.post, &lane, began, text);
                }
                give_back(&self.post, letterbox, Duration::ZERO).await;
            }
            Ok(Some(Broken { fate: Fate::Ended(outcome), phase, text, .. })) => {
                let tls = self.line.as_ref().map_or("", Line::tls).to_owned();
                let route = lane.map(|lane| lane.name.clone()).unwrap_or_default();
                self.note_answer();
                let ended = Ended { outcome, phase: phase.to_owned(), reply: text, tls, route, settled: None };
                self.end(letterbox, started, ended).await;
            }
        }
    }

    fn lane(&self) -> Option<Arc<Lane>> {
        self.line.as_ref().map(|line| Arc::clone(line.lane()))
    }

    /// A server that accepts or refuses is up; one that breaks off says nothing, and its line is not kept.
    fn note_answer(&mut self) {
        let Some(line) = &mut self.line else { return };
        line.is_good();
        if line.lane().up() {
            tracing::info!(route = line.lane().name, "mail leaves again by this route");
        }
        self.post.desk.went_well(ROUTE);
    }

    /// Everything before the message: `None` went well. A line that cannot be kept is dropped, as is one whose step
    /// was cut off by the end of the sender.
    async fn envelope(&mut self, mail: &Writing<'_>) -> Result<Option<Broken>, NotNow> {
        let Some(mut open) = self.line.take() else { return Err(NotNow) };
        let result = tokio::select! {
            () = self.post.over.cancelled() => return Err(NotNow),
            result = open.envelope(mail) => result,
        };
        match result {
            Ok(()) => {
                self.line = Some(open);
                Ok(None)
            }
            Err(broken) => {
                if broken.keep {
                    self.line = Some(open);
                }
                Ok(Some(broken))
            }
        }
    }

    /// Records `at_dot`, writes the message, hands in the end. Not cut off by the end of the sender, save by its time
    /// of grace.
    async fn message(&mut self, letterbox: &Letterbox, mail: &Writing<'_>, started: Timestamp) {
        // Whatever goes wrong from here, a line in the middle of a transaction is dropped.
        let Some(mut open) = self.line.take() else { return };
        if !self.is_at_dot(mail).await {
            return;
        }
        let result = open.message(mail).await;
        store::crash_point!("dot.after");
        let (tls, route) = (open.tls().to_owned(), open.lane().name.clone());
        let (outcome, phase, reply) = match result {
            Ok(reply) => {
                self.line = Some(open);
                (Outcome::Accepted, "dot", reply)
            }
            Err(broken) => {
                if broken.keep {
                    self.line = Some(open);
                }
                let outcome = match broken.fate {
                    Fate::Ended(outcome) => outcome,
                    Fate::GiveBack => Outcome::Transient,
                };
                (outcome, broken.phase, broken.text)
            }
        };
        self.note_answer();
        let ended = Ended { outcome, phase: phase.to_owned(), reply, tls, route, settled: None };
        self.end(letterbox, started, ended).await;
    }

    /// Whether the dot may be written: it is recorded, the end of the mail before is, and the lease is ours. Where the
    /// recording failed nobody knows whether it happened; what is at the dot without a sender becomes uncertain.
    async fn is_at_dot(&mut self, mail: &Writing<'_>) -> bool {
        let recorded = self.post.ledger.at_dot(mail.id.to_owned()).await;
        self.settle().await;
        let post = &self.post;
        match recorded {
            Ok(true) if post.pulse.is_alive() => return true,
            Ok(true) => post.fail(AT_DOT, "the lease ran out".to_owned(), None),
            Ok(false) => tracing::warn!(delivery.id = mail.id, "a mail was taken back before it was written"),
            Err(error) => post.fail(AT_DOT, error.to_string(), None),
        }
        false
    }
}

const AT_DOT: &str = "recording that a mail is about to leave";

/// The first way out that can be opened. `Ok(None)`: none may be tried now, because others are trying.
async fn open(post: &Post) -> Result<Option<Line>, NotNow> {
    let mut is_tried = false;
    for lane in post.lanes.all() {
        let Some(entry) = lane.enter() else { continue };
        let trial = match entry {
            gate::Entry::Open => None,
            gate::Entry::Trial(trial) => Some(trial),
        };
        is_tried = true;
        let began = Instant::now();
        let opened = tokio::select! {
            () = post.over.cancelled() => return Err(NotNow),
            opened = Line::open(&post.desk.app, lane, trial) => opened,
        };
        match opened {
            Ok(line) => return Ok(Some(line)),
            Err(fault) => is_down(post, lane, began, fault),
        }
    }
    if is_tried { Err(NotNow) } else { Ok(None) }
}

/// Nobody tries this way for a while. Only where there is no other it is trouble.
fn is_down(post: &Post, lane: &Lane, began: Instant, fault: String) {
    let is_news = lane.down(began);
    if post.lanes.is_any_open() {
        if is_news {
            tracing::warn!(route = lane.name, error = fault, "a route is down: mail leaves by the next one");
        }
    } else if post.desk.failed(ROUTE, fault.clone(), None) {
        tracing::warn!(route = lane.name, error = fault, "no mail leaves for now");
    }
}

/// An end that no server had a part in.
fn own_end(phase: &str, reply: String, state: State) -> Ended {
    Ended {
        outcome: Outcome::Permanent,
        phase: phase.to_owned(),
        reply,
        tls: String::new(),
        route: String::new(),
        settled: Some(state),
    }
}

/// Puts a mail back that was not begun. When the sender is over, its farewell does.
async fn give_back(post: &Post, letterbox: &Letterbox, wait: Duration) {
    if post.over.is_cancelled() {
        return;
    }
    let ids = [letterbox.mail.id.clone()];
    if let Err(error) = app::delivery::give_back(&post.desk.app, &post.sender, &ids, wait).await {
        post.fail("giving mail back", error.to_string(), error.hint().map(str::to_owned));
    }
}
