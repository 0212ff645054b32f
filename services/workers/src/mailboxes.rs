//! The collector: a task for each mailbox that mail is taken from by IMAP.
//!
//! Reads no mail. Invariant: a mail is taken away from its mailbox only after its bytes are committed, so that whatever
//! ends this process leaves each mail here, there, or in both places; in both it is the same mail and is filed once.

mod round;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use app::AppError;
use app::settings::ImapSettings;
use mail::imap::{ImapFault, ImapFaultKind, Purpose, Session};
use tokio::task::JoinSet;

use crate::desk::Desk;

/// IDLE is given again after so long: servers end it after 30 minutes (RFC 2177), and what stands between forgets a
/// silent connection sooner.
const IDLE: Duration = Duration::from_secs(9 * 60);
/// The first pause after a failure, doubled from failure to failure …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … up to this one.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A wrong password is not tried often: servers lock accounts.
const LOGIN_PAUSE: Duration = Duration::from_secs(60);

/// Why a visit to a mailbox ended.
#[derive(Debug, thiserror::Error)]
enum VisitError {
    #[error("{0}")]
    Imap(#[from] ImapFault),
    #[error("{0}")]
    App(#[from] AppError),
    #[error("the server lists {0} mails and does not hand them over")]
    Withheld(usize),
}

impl VisitError {
    fn hint(&self) -> &str {
        match self {
            Self::Imap(fault) => fault.hint(),
            Self::App(error) => error.hint().unwrap_or("run `forthright doctor`"),
            Self::Withheld(_) => "look into the server's log; what cannot be taken in three tries is left to a person",
        }
    }

    fn is_login(&self) -> bool {
        matches!(self, Self::Imap(fault) if fault.kind == ImapFaultKind::Login)
    }
}

/// Takes mail from every mailbox of the configuration until the desk's end.
pub(crate) async fn collect(desk: Arc<Desk>) {
    let mut watching = JoinSet::new();
    for mailbox in desk.app.settings.receive.imap.clone() {
        watching.spawn(watch(Arc::clone(&desk), mailbox));
    }
    while let Some(ended) = watching.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a mailbox is watched no more by a fault of the program; please report that");
            desk.stop.cancel();
        }
    }
}

async fn watch(desk: Arc<Desk>, mailbox: ImapSettings) {
    let mut pause = FIRST_PAUSE;
    let mut last = String::new();
    while !desk.stop.is_cancelled() {
        let mut went_well = false;
        // What is cut off here is done again: see the top of this file.
        let ended = tokio::select! {
            () = desk.stop.cancelled() => return,
            ended = visit(&desk, &mailbox, &mut went_well) => ended,
        };
        if went_well {
            (pause, last) = (FIRST_PAUSE, String::new());
        }
        let Err(error) = ended else { continue };
        let fault = error.to_string();
        if fault != last {
            tracing::warn!(mailbox = mailbox.name, %error, hint = error.hint(), "a mailbox cannot be looked into and is tried again");
        }
        if let Err(error) = app::mailboxes::unreachable(&desk.app, &mailbox, &fault, error.hint()).await {
            tracing::warn!(mailbox = mailbox.name, %error, "that a mailbox cannot be looked into could not be noted");
        }
        let wait = if error.is_login() { pause.max(LOGIN_PAUSE) } else { pause };
        tokio::select! {
            () = desk.stop.cancelled() => return,
            () = tokio::time::sleep(scattered(wait)) => {}
        }
        last = fault;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A mailbox that could not be looked into.
#[derive(Debug)]
pub(crate) struct Unreached {
    pub(crate) mailbox: String,
    pub(crate) fault: String,
    pub(crate) hint: String,
}

/// Takes what is in each mailbox now, and ends; those that could not be looked into, by name.
pub(crate) async fn collect_once(desk: Arc<Desk>) -> Vec<Unreached> {
    let mut looking = JoinSet::new();
    for mailbox in desk.app.settings.receive.imap.clone() {
        looking.spawn(look_once(Arc::clone(&desk), mailbox));
    }
    let mut unreached: Vec<Unreached> = looking.join_all().await.into_iter().flatten().collect();
    unreached.sort_by(|a, b| a.mailbox.cmp(&b.mailbox));
    unreached
}

async fn look_once(desk: Arc<Desk>, mailbox: ImapSettings) -> Option<Unreached> {
    let mut pause = FIRST_PAUSE;
    for last in [false, false, true] {
        let mut went_well = false;
        let ended = tokio::select! {
            () = desk.stop.cancelled() => return None,
            ended = take_what_is_there(&desk, &mailbox, &mut went_well) => ended,
        };
        let Err(error) = ended else { return None };
        let (fault, hint) = (error.to_string(), error.hint().to_owned());
        if let Err(error) = app::mailboxes::unreachable(&desk.app, &mailbox, &fault, &hint).await {
            tracing::warn!(mailbox = mailbox.name, %error, "that a mailbox cannot be looked into could not be noted");
        }
        if last || error.is_login() {
            return Some(Unreached { mailbox: mailbox.name, fault, hint });
        }
        tokio::select! {
            () = desk.stop.cancelled() => return None,
            () = tokio::time::sleep(pause) => {}
        }
        pause *= 2;
    }
    None
}

async fn take_what_is_there(desk: &Arc<Desk>, mailbox: &ImapSettings, went_well: &mut bool) -> Result<(), VisitError> {
    let (mut session, mut folder) = open(desk, mailbox).await?;
    while round::take(desk, mailbox, &mut session, &mut folder, went_well).await? == round::Ended::Again {}
    Ok(())
}

async fn open(desk: &Arc<Desk>, mailbox: &ImapSettings) -> Result<(Session, app::mailboxes::Folder), VisitError> {
    let session = Session::open(&mailbox.account()?, Purpose::Take).await?;
    let folder = app::mailboxes::opened(&desk.app, mailbox, session.validity()).await?;
    if folder.renewed {
        tracing::warn!(mailbox = mailbox.name, "the server numbers its mails anew: all of them are looked at again");
    }
    tracing::info!(mailbox = mailbox.name, idle = session.can_idle(), "mail is taken from a mailbox");
    Ok((session, folder))
}

/// Opens a mailbox and takes what is there and what comes, until something fails.
async fn visit(desk: &Arc<Desk>, mailbox: &ImapSettings, went_well: &mut bool) -> Result<(), VisitError> {
    let (mut session, mut folder) = open(desk, mailbox).await?;
    loop {
        let round = round::take(desk, mailbox, &mut session, &mut folder, went_well).await?;
        *went_well = true;
        if round == round::Ended::Again {
            continue;
        }
        if session.can_idle() {
            session = session.idle(IDLE).await?;
        } else {
            tokio::time::sleep(Duration::from_secs(mailbox.poll_seconds)).await;
            session.noop().await?;
        }
    }
}

/// A quarter longer or shorter, so that many do not come back at once.
fn scattered(wait: Duration) -> Duration {
    // Each is seeded anew by the standard library.
    let drawn = RandomState::new().build_hasher().finish() % 500;
    wait.mul_f64(0.75 + f64::from(u16::try_from(drawn).unwrap_or(250)) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_scattered_by_a_quarter_at_most() {
        for _ in 0..100 {
            let pause = scattered(Duration::from_secs(100)).as_secs_f64();
            assert!((75.0..=125.0).contains(&pause), "{pause}");
        }
    }
}
