//! Organisations that are affected and have no letter, or one that is old: no wave takes them along.
//!
//! Changes nothing.

use super::LeftOut;
use crate::{App, AppError, Incident};

/// Up to `limit` of them, by tenant, each with the next step.
pub async fn without_letter(app: &App, slug: &str, limit: i64) -> Result<Vec<LeftOut>, AppError> {
    let incident = app.incident(slug).await?;
    left_out(&mut app.store.read().await?, &incident, limit).await
}

async fn left_out(conn: &mut store::Conn, incident: &Incident, limit: i64) -> Result<Vec<LeftOut>, AppError> {
    let rows = store::unwritten::without_letter(conn, incident.id, limit).await?.into_iter();
    let draft = || format!("run `forthright notice draft {}`", incident.slug);
    let rows = rows.map(|row| LeftOut {
        next: if row.next_step.is_empty() { draft() } else { row.next_step },
        tenant_id: row.tenant_id,
        why: row.why,
    });
    Ok(rows.collect())
}
