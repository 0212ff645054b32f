//! The figures of the first screen, each of one moment: the coverage equation, and what waits for somebody.
//!
//! Changes nothing. Invariant: the remainder is what is affected less what is placed, never clamped, so that a unit
//! that is in no place shows.

use std::collections::BTreeMap;

use model::delivery::State;
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;

use crate::{App, AppError};

pub use store::escalation::Task;
pub use store::overview::{Fired, OpenQuestion, Organisation};
pub use store::waves::Wave;

/// Questions shown, the oldest first.
const QUESTIONS: i64 = 50;
/// Domains shown that have no tenant, those with most rows first.
const UNMAPPED: i64 = 50;
/// Rungs and tasks shown, the oldest first.
const WAITING: i64 = 100;
/// Organisations on a page.
const PAGE: usize = 200;

/// The coverage equation: affected = the sum of the next six + remainder, and the remainder is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Tenants, and organisation domains without one, by mapping alone.
    pub affected: i64,
    /// At least one contact has the notice.
    pub accepted: i64,
    /// A notice is on its way.
    pub in_progress: i64,
    /// Nobody took it, and a ladder or a task says who does what by when.
    pub unreachable: i64,
    /// Not told, by a signed decision.
    pub withheld: i64,
    /// Organisation domains without a tenant.
    pub waiting_for_mapping: i64,
    /// Tenants without a released notice.
    pub not_released: i64,
    /// Affected less all of these. Other than 0 = a fault of this program.
    pub remainder: i64,
    /// Of the affected tenants that can be told, those who have no letter, or one that is old. In no place of its own.
    pub without_letter: i64,
    /// Hosts whose verdict is missing or older than the directory.
    pub pending_hosts: i64,
    /// Deliveries of notices in each of the ten states.
    pub deliveries: BTreeMap<String, i64>,
    /// Other mails, by kind and state.
    pub other_mail: BTreeMap<String, BTreeMap<String, i64>>,
    /// Waves that a rule stopped, with the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stopped_waves: BTreeMap<String, String>,
}

impl Status {
    fn new(affected: i64, places: &[(String, i64)]) -> Self {
        let count = |name: &str| places.iter().filter(|(place, _)| place == name).map(|(_, count)| count).sum::<i64>();
        let status = Self {
            affected,
            accepted: count("accepted"),
            in_progress: count("in_progress"),
            unreachable: count("unreachable"),
            withheld: count("withheld"),
            waiting_for_mapping: count("waiting_for_mapping"),
            not_released: count("not_released"),
            ..Self::default()
        };
        let remainder = affected - status.placed();
        Self { remainder, ..status }
    }

    /// The sum of the places.
    pub fn placed(&self) -> i64 {
        self.accepted
            + self.in_progress
            + self.unreachable
            + self.withheld
            + self.waiting_for_mapping
            + self.not_released
    }
}

/// The coverage equation of an incident, with its deliveries by state.
pub async fn status(app: &App, slug: &str) -> Result<Status, AppError> {
    let incident = app.incident(slug).await?;
    status_at(&mut app.store.snapshot().await?, incident.id).await
}

async fn status_at(conn: &mut Conn, incident: i64) -> Result<Status, AppError> {
    let (affected, places) = store::overview::coverage(conn, incident).await?;
    let mut status = Status::new(affected, &places);
    status.without_letter = store::unwritten::count_without_letter(conn, incident).await?;
    status.pending_hosts = store::mapping::count_pending(conn, incident).await?;
    status.deliveries = State::ALL.iter().map(|state| (state.as_str().to_owned(), 0)).collect();
    status.deliveries.extend(store::overview::states(conn, incident).await?);
    for (kind, state, count) in store::overview::other_mail(conn, incident).await? {
        status.other_mail.entry(kind).or_default().insert(state, count);
    }
    let stopped = store::waves::stopped(conn).await?.into_iter().filter(|wave| wave.incident_id == incident);
    status.stopped_waves = stopped.map(|wave| (wave.name, wave.stopped_why)).collect();
    Ok(status)
}

/// An organisation domain that belongs to no tenant yet.
#[derive(Debug, Clone, Serialize)]
pub struct Unmapped {
    /// A-label form.
    pub domain: String,
    /// `unmapped` or `conflict`.
    pub verdict: String,
    /// Manifest rows that refer to it.
    pub rows: i64,
    /// Why it has no tenant.
    pub because: String,
}

/// The page of an incident.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The incident's name.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Who sends the notices.
    pub vendor: String,
    /// Whether the store's clock can be moved.
    pub rehearsal: bool,
    /// The store's time when this was read.
    pub now: Timestamp,
    /// Since when no new mail leaves anywhere.
    pub stopped_since: Option<Timestamp>,
    /// The coverage equation.
    pub status: Status,
    /// All questions that are debt.
    pub open_questions: i64,
    /// The oldest of them.
    pub oldest_questions: Vec<OpenQuestion>,
    /// Rungs that fired and that nobody has acknowledged.
    pub fired: Vec<Fired>,
    /// Tasks that are not done.
    pub tasks: Vec<Task>,
    /// Mails, of any incident, that a person has to look at.
    pub mails_for_a_person: i64,
    /// Domains without a tenant.
    pub unmapped: Vec<Unmapped>,
    /// Released waves.
    pub waves: Vec<Wave>,
    /// A page of organisations.
    pub organisations: Vec<Organisation>,
    /// What to ask for as `after` to see the next page; `None` on the last.
    pub next_after: Option<String>,
}

/// Everything on the page of an incident, with the organisations after the tenant id `after` (empty = from the first).
pub async fn overview(app: &App, slug: &str, after: &str) -> Result<Overview, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let installation = store::incidents::installation(&mut conn).await?;
    let (open_questions, oldest_questions) = store::overview::open_questions(&mut conn, incident.id, QUESTIONS).await?;
    let unmapped = store::overview::unmapped(&mut conn, incident.id, UNMAPPED).await?.into_iter();
    let (organisations, next_after) = page(&mut conn, incident.id, after).await?;
    Ok(Overview {
        slug: incident.slug,
        title: incident.facts.title,
        vendor: incident.facts.vendor,
        rehearsal: app.rehearsal,
        now: app.clock.now(),
        stopped_since: installation.and_then(|row| row.stopped_at).map(Timestamp::from_micros),
        status: status_at(&mut conn, incident.id).await?,
        open_questions,
        oldest_questions,
        fired: store::overview::fired(&mut conn, incident.id, WAITING).await?,
        tasks: store::escalation::open_tasks(&mut conn, incident.id, WAITING).await?,
        mails_for_a_person: store::inbound::count_needing_a_person(&mut conn).await?,
        unmapped: unmapped
            .map(|(domain, verdict, rows, because)| Unmapped { domain, verdict, rows, because })
            .collect(),
        waves: store::waves::list(&mut conn, incident.id).await?,
        organisations,
        next_after,
    })
}

/// One more than a page is asked for: it says whether there is a next one.
async fn page(conn: &mut Conn, incident: i64, after: &str) -> Result<(Vec<Organisation>, Option<String>), AppError> {
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut page = store::overview::organisations(conn, incident, after, limit).await?;
    let more = page.len() > PAGE;
    page.truncate(PAGE);
    let next = page.last().filter(|_| more).map(|last| last.tenant_id.clone());
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(all: &[(&str, i64)]) -> Vec<(String, i64)> {
        all.iter().map(|(place, count)| ((*place).to_owned(), *count)).collect()
    }

    #[test]
    fn the_places_add_up_to_the_affected() {
        let status = Status::new(
            10,
            &places(&[("accepted", 4), ("in_progress", 3), ("unreachable", 1), ("waiting_for_mapping", 2)]),
        );
        assert_eq!((status.placed(), status.remainder), (10, 0));
    }

    #[test]
    fn a_unit_that_is_nowhere_shows_in_the_remainder() {
        assert_eq!(Status::new(3, &places(&[("accepted", 1), ("nowhere", 2)])).remainder, 2);
    }

    #[test]
    fn a_remainder_below_zero_is_not_hidden() {
        assert_eq!(Status::new(1, &places(&[("accepted", 2)])).remainder, -1);
    }
}
