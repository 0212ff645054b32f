//! What the tasks of one process share: counts of what was done, what fails, what runs right now.
//!
//! Decides nothing and stores nothing. Invariant: everything here can be forgotten: the rows are the truth.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use app::App;
use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What the workers did since they started, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Hosts that got a verdict.
    pub mapped_hosts: u64,
    /// Received mails that were filed.
    pub filed_mails: u64,
    /// Rungs of ladders that fired.
    pub firings: u64,
    /// Rungs that were climbed to reach organisations where nobody can be told.
    pub reach_rungs: u64,
    /// Ends of tries by the state they led to: `accepted`, `deferred`, `bounced`, `uncertain`, `failed`, `suppressed`.
    pub mails: BTreeMap<&'static str, u64>,
    /// Calls of webhooks that were made, whatever they came to.
    pub calls: u64,
}

/// A step that fails.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// The first failure after the last success.
    pub(crate) since: Instant,
    /// What happened last.
    pub(crate) fault: String,
    /// The next step, where it is known.
    pub(crate) hint: Option<String>,
}

/// Shared by the tasks of one process.
pub(crate) struct Desk {
    pub(crate) app: App,
    /// This host, as workers and senders are named by.
    pub(crate) host: String,
    /// The end of everything here.
    pub(crate) stop: CancellationToken,
    /// Tells the sender that mail is due.
    pub(crate) mail_is_due: Notify,
    /// Tells the sweep that somebody waits for what it would find.
    pub(crate) sweep_now: Notify,
    /// Tells whoever files it that mail came in.
    pub(crate) mail_came_in: Notify,
    done: Mutex<Done>,
    troubles: Mutex<HashMap<&'static str, Trouble>>,
    running: Mutex<HashSet<(&'static str, i64)>>,
    late_ends: AtomicBool,
}

/// The step that fails when the mail route does.
pub(crate) const ROUTE: &str = "sending mail";

impl Desk {
    pub(crate) fn new(app: App, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            app: app.acting_as(app::SYSTEM),
            host: host(),
            stop,
            mail_is_due: Notify::new(),
            sweep_now: Notify::new(),
            mail_came_in: Notify::new(),
            done: Mutex::default(),
            troubles: Mutex::default(),
            running: Mutex::default(),
            late_ends: AtomicBool::new(false),
        })
    }

    /// Adds to the counts.
    pub(crate) fn count(&self, add: impl FnOnce(&mut Done)) {
        add(&mut lock(&self.done));
    }

    pub(crate) fn done(&self) -> Done {
        lock(&self.done).clone()
    }

    /// Notes that a step failed. Whether that is news.
    pub(crate) fn failed(&self, step: &'static str, fault: String, hint: Option<String>) -> bool {
        let mut troubles = lock(&self.troubles);
        let before = troubles.remove(step);
        let is_news = before.as_ref().is_none_or(|before| before.fault != fault);
        let since = before.map_or_else(Instant::now, |before| before.since);
        troubles.insert(step, Trouble { since, fault, hint });
        is_news
    }

    /// Notes that a step went well. Whether it had failed before.
    pub(crate) fn went_well(&self, step: &'static str) -> bool {
        lock(&self.troubles).remove(step).is_some()
    }

    /// The trouble of a step, if it lasts for at least `long`.
    pub(crate) fn trouble_of(&self, step: &'static str, long: Duration) -> Option<Trouble> {
        lock(&self.troubles).get(step).filter(|trouble| trouble.since.elapsed() >= long).cloned()
    }

    /// A step other than sending that has been failing for at least `long`, if there is one.
    pub(crate) fn trouble(&self, long: Duration) -> Option<(&'static str, Trouble)> {
        let troubles = lock(&self.troubles);
        let lasting = |(step, trouble): &(&&'static str, &Trouble)| **step != ROUTE && trouble.since.elapsed() >= long;
        troubles
            .iter()
            .filter(lasting)
            .min_by_key(|(_, trouble)| trouble.since)
            .map(|(step, trouble)| (*step, trouble.clone()))
    }

    /// Whether a sender that is over knows ends of mails that are not recorded yet.
    pub(crate) fn knows_late_ends(&self) {
        self.late_ends.store(true, Ordering::Relaxed);
    }

    /// They are recorded, or nobody will.
    pub(crate) fn recorded_late_ends(&self) {
        self.late_ends.store(false, Ordering::Relaxed);
    }

    /// Whether nobody here knows more of mails of senders that are gone than the rows do.
    pub(crate) fn may_reclaim(&self) -> bool {
        !self.late_ends.load(Ordering::Relaxed)
    }

    /// The turn of one job at a time; `None` while another has it.
    pub(crate) fn turn(self: &Arc<Self>, step: &'static str, incident: i64) -> Option<Turn> {
        let is_free = lock(&self.running).insert((step, incident));
        is_free.then(|| Turn { desk: Arc::clone(self), key: (step, incident) })
    }

    /// Whether a job has this turn.
    pub(crate) fn is_running(&self, step: &'static str, incident: i64) -> bool {
        lock(&self.running).contains(&(step, incident))
    }

    /// Whether any job runs here.
    pub(crate) fn is_busy(&self) -> bool {
        !lock(&self.running).is_empty()
    }
}

/// The right to run a step. Given back when dropped, by a panic too.
pub(crate) struct Turn {
    desk: Arc<Desk>,
    key: (&'static str, i64),
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.desk.running).remove(&self.key);
        if std::thread::panicking() {
            self.desk.failed(self.key.0, "the program panicked in it; please report that".to_owned(), None);
        }
    }
}

/// No invariant spans two fields of what these locks hold, so a panic while one is held leaves nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name for this host made of what every log and table can show.
fn host() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let name: String = name.chars().filter(|c| fits(*c)).take(60).collect();
    if name.is_empty() { "host".to_owned() } else { name }
}
