//! Passages of answers that somebody keeps.
//!
//! Does not read them (that is `mail::templates`). Invariant: of one name and language at most one is in use, in an
//! incident and beside all incidents, and what was in use once is kept as it was.

use crate::{Conn, StoreError, Tx};

statements! {
    /// Those that an incident can use, its own first.
    IN_USE = "
        SELECT id, incident_id, name, language, body, kept_by, kept_at, ended_at, ended_by
        FROM snippets
        WHERE (incident_id IS NULL OR incident_id = $1) AND ended_at IS NULL
        ORDER BY name, language, incident_id NULLS LAST";
    INSERT = "
        INSERT INTO snippets (id, incident_id, name, language, body, kept_by, kept_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// Hits one row, or none where none is in use.
    END = "
        UPDATE snippets
        SET ended_at = $1, ended_by = $2
        WHERE COALESCE(incident_id, 0) = COALESCE($3, 0) AND name = $4 AND language = $5 AND ended_at IS NULL";
}

/// A snippet.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SnippetRow {
    /// `snp_…`.
    pub id: String,
    /// The incident; none: of every incident.
    pub incident_id: Option<i64>,
    /// By which it is used.
    pub name: String,
    /// BCP 47 tag.
    pub language: String,
    /// The template.
    pub body: String,
    /// Who kept it.
    pub kept_by: String,
    /// Microseconds since the epoch.
    pub kept_at: i64,
    /// Since when it is no longer in use; none: it is.
    pub ended_at: Option<i64>,
    /// Who ended that.
    pub ended_by: Option<String>,
}

/// What an incident can use: its own first, then those of every incident. 0 is no incident.
pub async fn in_use(conn: &mut Conn, incident: i64) -> Result<Vec<SnippetRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(IN_USE).bind(incident).fetch_all(c).await)?)
}

/// Keeps a snippet.
pub async fn insert(tx: &mut Tx, row: &SnippetRow) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&row.id)
        .bind(row.incident_id)
        .bind(&row.name)
        .bind(&row.language)
        .bind(&row.body)
        .bind(&row.kept_by)
        .bind(row.kept_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Ends the one in use; how many that were.
pub async fn end(
    tx: &mut Tx,
    incident: Option<i64>,
    name: &str,
    language: &str,
    actor: &str,
    now: i64,
) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(END)
        .bind(now)
        .bind(actor)
        .bind(incident)
        .bind(name)
        .bind(language)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}
