//! Who receives for the domains of claimed mail, where a limit counts by that. Mails wait for the answer; claims do not.
//!
//! Asks through `app`. Invariant: no claim waits for a name server; a domain that nobody answers about is its own
//! receiving system for a while.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use app::delivery::Letterbox;
use app::{App, AppError};
use tokio::sync::Notify;

use super::Post;
use super::systems::domain;
use crate::desk::lock;

/// A mail comes again after this to see whether its domain is known by then.
pub(super) const ASKED_FOR: Duration = Duration::from_millis(250);
/// A domain without an answer is asked about again after this.
const WITHOUT: Duration = Duration::from_secs(60);
/// Domains that are asked about in one go.
const AT_A_TIME: usize = 500;

/// What is being asked, and what nobody answered.
#[derive(Default)]
pub(super) struct Families {
    to_ask: Mutex<BTreeSet<String>>,
    /// Until when they stand for themselves.
    without: Mutex<HashMap<String, Instant>>,
    asked: Notify,
}

/// Claimed mails, by whether it is known who receives them.
pub(super) struct Sorted {
    pub(super) known: Vec<Letterbox>,
    /// Beside each of the known.
    pub(super) systems: Vec<String>,
    /// Ids of those that wait for an answer.
    pub(super) unknown: Vec<String>,
}

impl Families {
    /// Those whose receiving system is known, or their own domain for now; the others are asked about meanwhile.
    pub(super) async fn sort(&self, app: &App, letterboxes: Vec<Letterbox>) -> Result<Sorted, AppError> {
        let domains: BTreeSet<String> = letterboxes.iter().map(|one| domain(&one.mail.address)).collect();
        let known = app::waves::known_systems(app, &domains).await?;
        let mut sorted = Sorted { known: Vec::new(), systems: Vec::new(), unknown: Vec::new() };
        for letterbox in letterboxes {
            let own = domain(&letterbox.mail.address);
            match known.as_ref().map(|known| known.get(&own).cloned()) {
                // Nobody can be asked here.
                None => sorted.systems.push(own),
                Some(Some(system)) => sorted.systems.push(system),
                Some(None) if self.is_without(&own) => sorted.systems.push(own),
                Some(None) => {
                    lock(&self.to_ask).insert(own);
                    sorted.unknown.push(letterbox.mail.id);
                    continue;
                }
            }
            sorted.known.push(letterbox);
        }
        if !sorted.unknown.is_empty() {
            self.asked.notify_one();
        }
        Ok(sorted)
    }

    fn is_without(&self, domain: &str) -> bool {
        lock(&self.without).get(domain).is_some_and(|until| *until > Instant::now())
    }

    fn next(&self) -> BTreeSet<String> {
        let mut to_ask = lock(&self.to_ask);
        let some = to_ask.iter().take(AT_A_TIME).cloned().collect::<BTreeSet<_>>();
        to_ask.retain(|domain| !some.contains(domain));
        some
    }

    fn stand_for_themselves(&self, domains: impl Iterator<Item = String>) {
        let now = Instant::now();
        let mut without = lock(&self.without);
        without.retain(|_, until| *until > now);
        without.extend(domains.map(|domain| (domain, now + WITHOUT)));
    }
}

/// Asks until the sender is over.
pub(super) async fn ask(post: Arc<Post>) {
    loop {
        tokio::select! {
            () = post.over.cancelled() => return,
            () = post.families.asked.notified() => {}
        }
        loop {
            let domains = post.families.next();
            if domains.is_empty() {
                break;
            }
            let found = tokio::select! {
                () = post.over.cancelled() => return,
                found = app::waves::receiving_systems(&post.desk.app, &domains) => found,
            };
            let found = found.unwrap_or_else(|error| {
                tracing::warn!(%error, "receiving systems cannot be looked up");
                HashMap::new()
            });
            post.families.stand_for_themselves(domains.into_iter().filter(|domain| !found.contains_key(domain)));
        }
    }
}
