//! Holidays of the installation's own, as files.
//!
//! Reads no file's meaning. Invariant: files are only added; the newest of a name counts.

use crate::{Conn, StoreError, Tx};

statements! {
    INSERT = "
        INSERT INTO calendar_files (id, name, body, imported_by, imported_at)
        VALUES ($1, $2, $3, $4, $5)";
    NEWEST = "
        SELECT f.id, f.name, f.body, f.imported_by, f.imported_at
        FROM calendar_files f
        WHERE NOT EXISTS (
            SELECT 1 FROM calendar_files n
            WHERE n.name = f.name AND (n.imported_at > f.imported_at OR (n.imported_at = f.imported_at AND n.id > f.id)))
        ORDER BY f.name";
}

/// A file of holidays.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CalendarFile {
    /// `cal_…`.
    pub id: String,
    /// By which calendars name it.
    pub name: String,
    /// What the file said.
    pub body: String,
    /// By whom.
    pub imported_by: String,
    /// Microseconds since the epoch.
    pub imported_at: i64,
}

/// Keeps a file.
pub async fn insert(tx: &mut Tx, file: &CalendarFile) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&file.id)
        .bind(&file.name)
        .bind(&file.body)
        .bind(&file.imported_by)
        .bind(file.imported_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// The newest file of each name.
pub async fn newest(conn: &mut Conn) -> Result<Vec<CalendarFile>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(NEWEST).fetch_all(c).await)?)
}
