//! Where words stand: in mails, their subjects, notes, questions, and the names of organisations.
//!
//! Changes no ticket. Invariant: the same words are found on both databases.

use model::search::{answers, terms, words};
use model::time::Timestamp;
use serde::Serialize;
use store::search::Hit;

use super::cut;
use crate::{App, AppError};

/// Places that are shown.
const MOST: i64 = 1_000;
/// Texts of before there was an index that get their words in one transaction.
const AT_ONCE: i64 = 500;

/// A place where all words of a query stand.
#[derive(Debug, Serialize)]
pub struct Found {
    /// The ticket.
    pub ticket: String,
    /// With whom.
    pub tenant_id: String,
    /// `organisation`, `question`, or the kind of the timeline entry.
    pub found_in: String,
    /// The entry or question.
    pub source: String,
    /// When it was written.
    pub at: Timestamp,
    /// Its beginning, on one line.
    pub text: String,
}

/// The places of an incident where all words stand, by ticket; a word that ends with `*` stands for all that begin so.
pub async fn search(app: &App, slug: &str, query: &str) -> Result<Vec<Found>, AppError> {
    let incident = app.incident(slug).await?;
    let wanted = terms(query);
    if wanted.is_empty() {
        return Err(AppError::bad(
            format!("`{query}` names no word to look for"),
            "give letters or digits, as in: ticket search SLUG \"invoice 2021\"",
        ));
    }
    catch_up(app).await?;
    let mut conn = app.store.snapshot().await?;
    let mut hits = store::search::organisations(&mut conn, incident.id).await?;
    hits.retain(|hit| answers(&words(&format!("{} {}", hit.tenant_id, hit.tenant_name)), &wanted));
    hits.extend(store::search::search(&mut conn, incident.id, &wanted, MOST).await?);
    let mut found: Vec<Found> = hits.into_iter().map(Found::from).collect();
    found.sort_by(|a, b| (&a.ticket, a.at, &a.source).cmp(&(&b.ticket, b.at, &b.source)));
    Ok(found)
}

/// What was written before there was an index gets its words.
async fn catch_up(app: &App) -> Result<(), AppError> {
    while store::search::is_behind(&mut app.store.read().await?).await? {
        let mut tx = app.store.begin().await?;
        store::search::catch_up(&mut tx, AT_ONCE).await?;
        tx.commit_ledger().await?;
    }
    Ok(())
}

impl From<Hit> for Found {
    fn from(hit: Hit) -> Self {
        Self {
            ticket: hit.ticket_id,
            tenant_id: hit.tenant_id,
            found_in: hit.kind,
            source: hit.source,
            at: Timestamp::from_micros(hit.at),
            text: cut(&hit.text),
        }
    }
}
