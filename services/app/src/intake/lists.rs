//! Lists around manifests: the shared domains that an incident adds, the files that were read, the rows that were not used.
//!
//! Counts nothing. Invariant: a list is taken in as a whole or not at all.

use std::path::Path;

use store::intake::Manifest as Stored;

use crate::{App, AppError};

/// Adds domains to the incident's shared list, one a line.
pub async fn share(app: &App, slug: &str, path: &Path) -> Result<u64, AppError> {
    let incident = app.incident(slug).await?;
    let mut domains = Vec::new();
    for (line, text) in sources::read_list(path)? {
        let domain = model::domain::DomainName::parse(&text).map_err(|error| {
            AppError::bad(
                format!("{}, line {line}: `{text}` is no domain: {error}", path.display()),
                "correct the line and run it again; nothing was kept",
            )
        })?;
        domains.push(domain);
    }
    let mut tx = app.store.begin().await?;
    store::directory::bump_version(&mut tx).await?;
    let mut added = 0;
    for domain in &domains {
        added += store::intake::add_shared(&mut tx, incident.id, domain.as_str(), &path.display().to_string()).await?;
    }
    if added == 0 {
        return Ok(0);
    }
    store::mapping::mark_under(&mut tx, incident.id, &domains).await?;
    let detail = serde_json::json!({ "file": path.display().to_string(), "domains": added });
    tx.commit(app.entry("exposure.share", slug, detail)).await?;
    crate::facts::settle(app, incident.id).await?;
    Ok(added)
}

/// The manifests of an incident, oldest first.
pub async fn manifests(app: &App, slug: &str) -> Result<Vec<Stored>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::intake::manifests(&mut app.store.read().await?, incident.id).await?)
}

/// All rejects of an incident that were not corrected as (file, line, reason, raw), in file order.
pub async fn rejects(app: &App, slug: &str) -> Result<Vec<(String, i64, String, String)>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::intake::rejects(&mut app.store.read().await?, incident.id).await?)
}
