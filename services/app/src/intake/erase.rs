//! Erasing exposed persons: the key that their hashes were made with goes, and so do the sets.
//!
//! Touches no conversation: tokens and Message-IDs have a key of their own. Invariant: counts, fact sheets and the audit
//! log stay as they were, and nothing that stays names a person or an object (kinds of data are named in sheets).

use model::time::Timestamp;
use serde::Serialize;

use crate::{App, AppError};

/// What erasing did.
#[derive(Debug, Serialize)]
pub struct Erased {
    /// The incident.
    pub incident: String,
    /// When.
    pub erased_at: Timestamp,
    /// The totals that stay.
    pub totals: super::Totals,
}

/// Destroys the identity key of an incident, its sets of objects and persons, and the texts of its rejects.
pub async fn erase(app: &App, slug: &str, why: &str) -> Result<Erased, AppError> {
    let incident = app.incident(slug).await?;
    let refused = |at: Timestamp| {
        AppError::refused(
            format!("the exposed persons of {slug} were erased at {at} already"),
            "there is nothing left to erase",
        )
    };
    if let Some(at) = incident.row.erased_at {
        // One that was killed between erasing and sweeping is swept now.
        app.store.sweep_out().await?;
        return Err(refused(Timestamp::from_micros(at)));
    }
    // Figures that lag behind would lag behind for ever.
    crate::facts::settle(app, incident.id).await?;
    let now = app.clock.now();
    app.store.forget_thoroughly().await?;
    let mut tx = app.store.begin().await?;
    // From here on nobody counts: an import that is under way ends with an error.
    store::incidents::seize(&mut tx, incident.id).await?;
    let mut totals = super::totals::of(&mut tx, incident.id).await?;
    if totals.manifests_open > 0 || totals.sheets_waiting > 0 || totals.hosts_waiting_for_mapping > 0 {
        return Err(AppError::refused(
            format!("manifests of {slug} are being counted, and their figures would be lost"),
            format!("finish their import, or take them back: `forthright exposure withdraw {slug} FILE --why TEXT`"),
        ));
    }
    totals.erased_at = Some(now);
    let text = serde_json::to_string(&totals).map_err(AppError::stored("incidents.totals_at_erasure"))?;
    if !store::incidents::erase(&mut tx, incident.id, &text, now).await? {
        return Err(refused(now));
    }
    store::runs::erase(&mut tx, incident.id).await?;
    store::intake::blank_rejects(&mut tx, incident.id).await?;
    let detail = serde_json::json!({
        "why": why, "objects": totals.objects, "emails": totals.emails, "users": totals.users, "projects": totals.projects,
    });
    tx.commit(app.entry("incident.erase", slug, detail)).await?;
    app.store.sweep_out().await?;
    Ok(Erased { incident: slug.to_owned(), erased_at: now, totals })
}
