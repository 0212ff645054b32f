//! A connection's task: takes a parcel, writes it, records what came of it.
//!
//! Decides neither outcomes (`fate`) nor states (`app`). Invariants: no byte of a final dot leaves before `at_dot` is
//! durable; the task goes on only after the end of a try is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::delivery::{Ended, Letterbox};
use model::delivery::{Outcome, State};
use model::time::Timestamp;
use tokio::sync::{Mutex, mpsc};

use super::fate::Fate;
use super::line::{Broken, Line, Writing};
use super::{Parcel, Post};
use crate::desk::ROUTE;

/// How long an open line waits for the next mail before it is closed.
const IDLE: Duration = Duration::from_secs(10);
/// Between two tries to record the end of a mail.
const RECORD_AGAIN: Duration = Duration::from_millis(200);

/// Writes parcels until the sender is over.
pub(super) async fn carry(post: Arc<Post>, waiting: Arc<Mutex<mpsc::Receiver<Parcel>>>) {
    let mut line: Option<Line> = None;
    loop {
        let parcel = tokio::select! {
            biased;
            () = post.over.cancelled() => break,
            parcel = next(&waiting) => parcel,
            () = tokio::time::sleep(IDLE), if line.is_some() => {
                hang_up(&mut line).await;
                continue;
            }
        };
        let Some(parcel) = parcel else { break };
        deliver(&post, &mut line, parcel).await;
    }
    hang_up(&mut line).await;
}

async fn next(waiting: &Mutex<mpsc::Receiver<Parcel>>) -> Option<Parcel> {
    waiting.lock().await.recv().await
}

async fn hang_up(line: &mut Option<Line>) {
    if let Some(line) = line.take() {
        line.close().await;
    }
}

/// One mail, to whatever end. What is not begun when the sender ends goes back by its farewell.
async fn deliver(post: &Post, line: &mut Option<Line>, parcel: Parcel) {
    let Parcel { letterbox, place } = parcel;
    if letterbox.suppressed {
        let text = "not sent: the contact is disabled, merged into another, or named by nobody any more";
        return record(
            post,
            &letterbox,
            post.desk.app.clock.now(),
            own_end("contact", text.to_owned(), State::Suppressed),
        )
        .await;
    }
    if may_begin(post, line).await.is_err() {
        return give_back(post, &letterbox).await;
    }
    if let Some(place) = place {
        tokio::select! {
            () = post.over.cancelled() => return,
            () = place.turn() => {}
        }
    }
    // The stop button may have been pressed while this mail waited.
    if post.pulse.is_stopped() {
        return give_back(post, &letterbox).await;
    }
    if !post.over.is_cancelled() {
        try_once(post, line, &letterbox).await;
    }
}

/// A sender that is over, or everything stopped, or no line to be had.
struct NotNow;

/// Waits until the route may be used, and opens it.
async fn may_begin(post: &Post, line: &mut Option<Line>) -> Result<(), NotNow> {
    tokio::select! {
        () = post.over.cancelled() => return Err(NotNow),
        () = post.gate.opened() => {}
    }
    if post.pulse.is_stopped() {
        return Err(NotNow);
    }
    if line.as_ref().is_some_and(Line::is_spent) {
        hang_up(line).await;
    }
    if line.is_none() {
        *line = Some(open(post).await?);
    }
    Ok(())
}

async fn open(post: &Post) -> Result<Line, NotNow> {
    let began = Instant::now();
    let opened = tokio::select! {
        () = post.over.cancelled() => return Err(NotNow),
        opened = Line::open(&post.desk.app, &post.route) => opened,
    };
    opened.map_err(|fault| {
        route_is_down(post, began, fault);
        NotNow
    })
}

fn route_is_down(post: &Post, began: Instant, fault: String) {
    post.gate.down(began);
    if post.desk.failed(ROUTE, fault.clone(), None) {
        tracing::warn!(route = %post.route, error = fault, "no mail leaves for now");
    }
}

fn route_is_up(post: &Post) {
    if post.desk.went_well(ROUTE) {
        post.gate.up();
        tracing::info!(route = %post.route, "mail leaves again");
    }
}

/// Composes a mail and writes it, on a fresh line once more where the old one had gone stale.
async fn try_once(post: &Post, line: &mut Option<Line>, letterbox: &Letterbox) {
    let app = &post.desk.app;
    let started = app.clock.now();
    let bytes = match app::delivery::compose(app, letterbox, started) {
        Ok(bytes) => bytes,
        // This mail's own fault: the others go on.
        Err(error) => {
            return record(post, letterbox, started, own_end("compose", error.to_string(), State::Failed)).await;
        }
    };
    let mail = Writing {
        id: &letterbox.mail.id,
        message_id: &letterbox.mail.message_id,
        // Reports and automatic answers come back with the token of their conversation.
        from: letterbox.reply_to.as_deref().unwrap_or(&letterbox.from.address),
        to: &letterbox.mail.address,
        bytes: &bytes,
    };
    let began = Instant::now();
    let mut result = envelope(post, line, &mail).await;
    if matches!(&result, Ok(Some(broken)) if broken.stale) {
        match open(post).await {
            Ok(fresh) => *line = Some(fresh),
            Err(NotNow) => return give_back(post, letterbox).await,
        }
        result = envelope(post, line, &mail).await;
    }
    match result {
        Err(NotNow) => {}
        Ok(None) => message(post, line, letterbox, &mail, started).await,
        Ok(Some(Broken { fate: Fate::GiveBack, text, .. })) => {
            route_is_down(post, began, text);
            give_back(post, letterbox).await;
        }
        Ok(Some(Broken { fate: Fate::Ended(outcome), phase, text, .. })) => {
            let tls = line.as_ref().map_or("", Line::tls).to_owned();
            note_answer(post, outcome, line.is_some());
            record(
                post,
                letterbox,
                started,
                Ended { outcome, phase: phase.to_owned(), reply: text, tls, settled: None },
            )
            .await;
        }
    }
}

/// Everything before the message: `None` went well. A line that cannot be kept is dropped, as is one whose step was
/// cut off by the end of the sender.
async fn envelope(post: &Post, line: &mut Option<Line>, mail: &Writing<'_>) -> Result<Option<Broken>, NotNow> {
    let Some(mut open) = line.take() else { return Err(NotNow) };
    let result = tokio::select! {
        () = post.over.cancelled() => return Err(NotNow),
        result = open.envelope(mail) => result,
    };
    match result {
        Ok(()) => {
            *line = Some(open);
            Ok(None)
        }
        Err(broken) => {
            if broken.keep {
                *line = Some(open);
            }
            Ok(Some(broken))
        }
    }
}

/// Records `at_dot`, writes the message, records the end. Not cut off by the end of the sender, save by its time of
/// grace.
async fn message(post: &Post, line: &mut Option<Line>, letterbox: &Letterbox, mail: &Writing<'_>, started: Timestamp) {
    // Whatever goes wrong from here, a line in the middle of a transaction is dropped.
    let Some(mut open) = line.take() else { return };
    match post.ledger.at_dot(mail.id.to_owned()).await {
        Ok(true) if post.pulse.is_alive() => {}
        Ok(true) => return post.fail(AT_DOT, "the lease ran out".to_owned(), None),
        Ok(false) => return tracing::warn!(delivery.id = mail.id, "a mail was taken back before it was written"),
        // Whether it is recorded is not known; what is at the dot without a sender becomes uncertain.
        Err(error) => return post.fail(AT_DOT, error.to_string(), None),
    }
    let result = open.message(mail).await;
    let tls = open.tls().to_owned();
    let (outcome, phase, reply) = match result {
        Ok(reply) => {
            *line = Some(open);
            (Outcome::Accepted, "dot", reply)
        }
        Err(broken) => {
            if broken.keep {
                *line = Some(open);
            }
            let outcome = match broken.fate {
                Fate::Ended(outcome) => outcome,
                Fate::GiveBack => Outcome::Transient,
            };
            (outcome, broken.phase, broken.text)
        }
    };
    note_answer(post, outcome, line.is_some());
    record(post, letterbox, started, Ended { outcome, phase: phase.to_owned(), reply, tls, settled: None }).await;
}

const AT_DOT: &str = "recording that a mail is about to leave";

/// A server that accepts or refuses is up; one that breaks off says nothing.
fn note_answer(post: &Post, outcome: Outcome, line_is_kept: bool) {
    if outcome == Outcome::Accepted || line_is_kept {
        route_is_up(post);
    }
}

/// An end that no server had a part in.
fn own_end(phase: &str, reply: String, state: State) -> Ended {
    Ended { outcome: Outcome::Permanent, phase: phase.to_owned(), reply, tls: String::new(), settled: Some(state) }
}

/// Records the end of a try. Only this task knows it, so it is said again while the lease lasts.
async fn record(post: &Post, letterbox: &Letterbox, started: Timestamp, ended: Ended) {
    let verdict = app::delivery::verdict(&post.desk.app, letterbox, started, ended);
    let mut is_again = false;
    loop {
        match post.ledger.ended(verdict.clone()).await {
            Ok(true) => {
                post.desk.went_well(RECORDING);
                post.desk.count(|done| *done.mails.entry(verdict.state).or_default() += 1);
                return;
            }
            // A commit whose answer was lost may have gone through all the same.
            Ok(false) if is_again => {
                return tracing::info!(delivery.id = verdict.id, "the end of a mail was settled meanwhile");
            }
            Ok(false) => {
                return tracing::warn!(
                    delivery.id = verdict.id,
                    "the end of a mail was not recorded: its lease was lost"
                );
            }
            Err(error) if post.pulse.is_alive() => {
                if post.desk.failed(RECORDING, error.to_string(), None) {
                    tracing::warn!(delivery.id = verdict.id, %error, "the end of a mail is recorded again");
                }
                is_again = true;
                tokio::time::sleep(RECORD_AGAIN).await;
            }
            Err(error) => return post.fail(RECORDING, error.to_string(), None),
        }
    }
}

const RECORDING: &str = "recording the end of a mail";

/// Puts a mail back that was not begun. When the sender is over, its farewell does.
async fn give_back(post: &Post, letterbox: &Letterbox) {
    if post.over.is_cancelled() {
        return;
    }
    let ids = [letterbox.mail.id.clone()];
    if let Err(error) = app::delivery::give_back(&post.desk.app, &post.sender, &ids, Duration::ZERO).await {
        post.fail("giving mail back", error.to_string(), error.hint().map(str::to_owned));
    }
}
