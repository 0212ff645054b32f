//! Verifying and exporting the audit chain.

use serde::Serialize;
use store::audit::Recorded;

use crate::{App, AppError};

/// What walking the chain found.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// Entries looked at.
    pub entries: i64,
    /// The first entry that does not fit, and why; none = the chain is whole.
    pub broken: Option<String>,
}

const A_PAGE: i64 = 1_000;

/// Walks the chain from its beginning.
pub async fn verify(app: &App) -> Result<Verified, AppError> {
    let mut previous = "0".repeat(64);
    let mut seq = 0;
    let broken = |entries, why: String| Ok(Verified { entries, broken: Some(why) });
    let mut conn = app.store.snapshot().await?;
    loop {
        let page = store::audit::list(&mut conn, seq, A_PAGE).await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            if entry.seq != seq + 1 {
                return broken(seq, format!("entry {} is missing: after {seq} comes {}", seq + 1, entry.seq));
            }
            if entry.prev_hash != previous {
                return broken(seq, format!("entry {} does not follow from the one before it", entry.seq));
            }
            if entry.hash != entry.expected_hash() {
                return broken(seq, format!("entry {} was changed: its content does not give its hash", entry.seq));
            }
            seq = entry.seq;
            previous = entry.hash;
        }
    }
    let (head, hash) = store::audit::head(&mut conn).await?;
    if head != seq || (seq > 0 && hash != previous) {
        return broken(
            seq,
            format!("the chain says that it ends at entry {head}, and {seq} is the last that is there"),
        );
    }
    Ok(Verified { entries: seq, broken: None })
}

/// Every entry, oldest first.
pub async fn export(app: &App) -> Result<Vec<Recorded>, AppError> {
    let mut conn = app.store.snapshot().await?;
    let mut all: Vec<Recorded> = Vec::new();
    loop {
        let page = store::audit::list(&mut conn, all.last().map_or(0, |entry| entry.seq), A_PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
