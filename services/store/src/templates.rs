//! Templates that somebody wrote for one incident.
//!
//! Does not read them (that is `mail::templates`). Invariant: of one letter and language at most one is in use, and what
//! was in use once is kept as it was.

use crate::{Conn, StoreError, Tx};

statements! {
    VERSIONS = "
        SELECT kind, language, version
        FROM incident_templates
        WHERE incident_id = $1 AND ended_at IS NULL
        ORDER BY kind, language";
    IN_USE = "
        SELECT id, kind, language, version, subject, text, html, why, kept_by, kept_at, ended_at, ended_by
        FROM incident_templates
        WHERE incident_id = $1 AND ended_at IS NULL
        ORDER BY kind, language";
    ALL = "
        SELECT id, kind, language, version, subject, text, html, why, kept_by, kept_at, ended_at, ended_by
        FROM incident_templates
        WHERE incident_id = $1
        ORDER BY kind, language, kept_at, id";
    INSERT = "
        INSERT INTO incident_templates (id, incident_id, kind, language, version, subject, text, html, why, kept_by, kept_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// Hits one row, or none where the built-in template is in use.
    END = "
        UPDATE incident_templates
        SET ended_at = $1, ended_by = $2
        WHERE incident_id = $3 AND kind = $4 AND language = $5 AND ended_at IS NULL";
}

/// Templates of one letter in one language.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TemplateRow {
    /// `tpl_…`.
    pub id: String,
    /// `notice`, `reminder`, `answer`, `promise`, `decline`.
    pub kind: String,
    /// BCP 47 tag.
    pub language: String,
    /// Names exactly these words.
    pub version: String,
    /// Of the subject.
    pub subject: String,
    /// Of the text part.
    pub text: String,
    /// Of the HTML part; notices alone have one.
    pub html: Option<String>,
    /// Why they were written.
    pub why: String,
    /// Who kept them.
    pub kept_by: String,
    /// When, microseconds since the epoch.
    pub kept_at: i64,
    /// Since when they are no longer in use; none: they are.
    pub ended_at: Option<i64>,
    /// Who ended that.
    pub ended_by: Option<String>,
}

/// Which versions an incident uses, as (kind, language, version).
pub async fn versions(conn: &mut Conn, incident: i64) -> Result<Vec<(String, String, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(VERSIONS).bind(incident).fetch_all(c).await)?)
}

/// What an incident uses, by kind and language.
pub async fn in_use(conn: &mut Conn, incident: i64) -> Result<Vec<TemplateRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(IN_USE).bind(incident).fetch_all(c).await)?)
}

/// Everything that an incident ever used, by kind, language and age.
pub async fn all(conn: &mut Conn, incident: i64) -> Result<Vec<TemplateRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ALL).bind(incident).fetch_all(c).await)?)
}

/// Puts templates into use; end what is in use before.
pub async fn insert(tx: &mut Tx, incident: i64, row: &TemplateRow) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&row.id)
        .bind(incident)
        .bind(&row.kind)
        .bind(&row.language)
        .bind(&row.version)
        .bind(&row.subject)
        .bind(&row.text)
        .bind(&row.html)
        .bind(&row.why)
        .bind(&row.kept_by)
        .bind(row.kept_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Ends the use of what is in use; whether something was.
pub async fn end(
    tx: &mut Tx,
    incident: i64,
    kind: &str,
    language: &str,
    at: i64,
    actor: &str,
) -> Result<bool, StoreError> {
    let ended = on!(tx, |c| sqlx::query(END)
        .bind(at)
        .bind(actor)
        .bind(incident)
        .bind(kind)
        .bind(language)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(ended == 1)
}
