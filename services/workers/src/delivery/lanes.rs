//! The ways out, and which of them may be used now.
//!
//! Opens nothing. Invariant: a way behind is used only while those before it are down or being tried.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mail::route::{Route, Routes};

use super::gate::{Entry, Gate};

/// One way out.
pub(super) struct Lane {
    pub(super) route: Route,
    /// As attempts and logs name it.
    pub(super) name: String,
    gate: Arc<Gate>,
}

impl Lane {
    /// The right to use it, if it can be had now.
    pub(super) fn enter(&self) -> Option<Entry> {
        self.gate.enter()
    }

    /// A try that began at `began` found it down. Whether that is news.
    pub(super) fn down(&self, began: Instant) -> bool {
        self.gate.down(began)
    }

    /// It took or judged a mail. Whether that is news.
    pub(super) fn up(&self) -> bool {
        self.gate.up()
    }
}

/// All of them, the preferred one first.
pub(super) struct Lanes(Vec<Arc<Lane>>);

impl Lanes {
    pub(super) fn new(routes: &Routes) -> Self {
        let lane = |route: &Route| Arc::new(Lane { route: route.clone(), name: route.name(), gate: Arc::default() });
        Self(routes.all().iter().map(lane).collect())
    }

    pub(super) fn all(&self) -> &[Arc<Lane>] {
        &self.0
    }

    /// Whether a mail could be tried by one of them now.
    pub(super) fn is_any_open(&self) -> bool {
        self.wait().is_zero()
    }

    /// Waits until one of them may be tried.
    pub(super) async fn opened(&self) {
        loop {
            let wait = self.wait();
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn wait(&self) -> Duration {
        self.0.iter().map(|lane| lane.gate.wait()).min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_can_leave_while_one_way_is_up() {
        let lanes = Lanes::new(&Routes::parse("smtp://a.example smtp://b.example").unwrap());
        let [first, second] = lanes.all() else { panic!("two ways") };
        assert!(first.down(Instant::now()) && lanes.is_any_open());
        assert!(first.enter().is_none() && matches!(second.enter(), Some(Entry::Open)));
        assert!(second.down(Instant::now()) && !lanes.is_any_open());
        assert!(second.up() && lanes.is_any_open());
    }
}
