//! Imports of directories as they begin, are overtaken, and end.
//!
//! Writes no entry. Invariant: of one directory one import is under way; whoever is overtaken writes nothing any more.

use model::time::Timestamp;

use crate::{Conn, StoreError, Tx};

statements! {
    BEGIN_IMPORT = "
        INSERT INTO directory_imports (id, origin, files, started_by, started_at, difference)
        VALUES ($1, $2, $3, $4, $5, '')";
    /// What another import of the same directory left unfinished is finished by this one, or compared anew.
    SUPERSEDE_IMPORTS = "DELETE FROM directory_imports WHERE origin = $1 AND finished_at IS NULL AND id <> $2";
    ABANDON_IMPORT = "DELETE FROM directory_imports WHERE id = $1 AND finished_at IS NULL";
    HOLD_IMPORT = "UPDATE directory_imports SET files = files WHERE id = $1 AND finished_at IS NULL";
    FINISH_IMPORT = "
        UPDATE directory_imports
        SET finished_at = $1, difference = $2
        WHERE id = $3 AND finished_at IS NULL";
    ORIGINS = "SELECT DISTINCT origin FROM directory_imports ORDER BY origin";
    UNFINISHED_IMPORTS = "SELECT origin, started_by, started_at FROM directory_imports WHERE finished_at IS NULL ORDER BY started_at";
}

/// Notes that an import of a directory begins, in place of one that was left unfinished. Whether there was one.
pub async fn begin_import(
    tx: &mut Tx,
    id: &str,
    origin: &str,
    files: &str,
    actor: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let superseded = on!(tx, |c| sqlx::query(SUPERSEDE_IMPORTS)
        .bind(origin)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    on!(tx, |c| sqlx::query(BEGIN_IMPORT)
        .bind(id)
        .bind(origin)
        .bind(files)
        .bind(actor)
        .bind(now.micros())
        .execute(c)
        .await
        .map(drop))?;
    Ok(superseded > 0)
}

/// Takes back that an import began.
pub async fn abandon_import(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(ABANDON_IMPORT).bind(id).execute(c).await.map(drop))?;
    Ok(())
}

/// Makes sure that an import is still the one under way.
pub async fn hold_import(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(HOLD_IMPORT).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || "the directory is being imported by somebody else".to_owned())
}

/// Notes that an import is complete.
pub async fn finish_import(tx: &mut Tx, id: &str, difference: &str, now: Timestamp) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(FINISH_IMPORT)
        .bind(now.micros())
        .bind(difference)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || "the directory is being imported by somebody else".to_owned())
}

/// Imports that were begun and not finished: (origin, by whom, since when).
pub async fn unfinished_imports(conn: &mut Conn) -> Result<Vec<(String, String, i64)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(UNFINISHED_IMPORTS).fetch_all(c).await)?)
}

/// The names of the directories that were imported.
pub async fn origins(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(ORIGINS).fetch_all(c).await)?)
}
