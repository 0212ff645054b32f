//! Parameter lists, for statements whose length depends on their rows.
//!
//! Holds no statement of its own.

use std::fmt::Write;

use sqlx::AssertSqlSafe;

use crate::{Conn, Dialect, StoreError, Tx};

/// How many rows one INSERT carries: beyond that nothing gets faster, and 20 columns stay under SQLite's 32,766
/// parameters.
pub(crate) const ROWS_AN_INSERT: usize = 1_000;

/// `head ($1,$2),($3,$4) tail` for `rows` rows of `columns` parameters, which are bound in their order and are the only
/// ones.
pub(crate) fn insert_text(dialect: Dialect, head: &str, columns: usize, rows: usize, tail: &str) -> String {
    let mut text = String::with_capacity(head.len() + tail.len() + rows * columns * 6);
    text.push_str(head);
    text.push_str(" VALUES ");
    values(dialect, &mut text, 1, columns, rows);
    text.push(' ');
    text.push_str(tail);
    text
}

/// `($a,$b),($c,$d)`, numbered from `first`. From 1 on they must be the only parameters of their statement: on SQLite
/// they then are plain `?`. A parameter with a name or number is looked up there one after the other, so that 1,000
/// rows of 20 columns took 2.4 s.
pub(crate) fn values(dialect: Dialect, text: &mut String, first: usize, columns: usize, rows: usize) {
    let mut next = first;
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            text.push_str(if column == 0 { "" } else { "," });
            let _ = match (dialect, first) {
                (Dialect::Sqlite, 1) => write!(text, "?"),
                (Dialect::Sqlite, _) => write!(text, "?{next}"),
                (Dialect::Postgres, _) => write!(text, "${next}"),
            };
            next += 1;
        }
        text.push(')');
    }
}

/// One more parameter behind `count` others, each of which stands before it in the text.
pub(crate) fn after(dialect: Dialect, count: usize) -> String {
    match dialect {
        Dialect::Sqlite => "?".to_owned(),
        Dialect::Postgres => format!("${}", count + 1),
    }
}

/// `($a,$b,$c)`, numbered from `first`, for `IN`; see [`values`].
pub(crate) fn list(dialect: Dialect, first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 6 + 2);
    values(dialect, &mut text, first, count, 1);
    text
}

/// What stands in a fixed statement where [`fetch_in`] puts its values, so that the statement prepares as it is.
const VALUES_HERE: &str = "('values')";

/// The rows of a statement that says `IN ('values')` once and has no parameter, for all these values, some at a time.
pub(crate) async fn fetch_in<T>(conn: &mut Conn, text: &str, values: &[String]) -> Result<Vec<T>, StoreError>
where
    T: Send + Unpin,
    for<'r> T: sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + sqlx::FromRow<'r, sqlx::postgres::PgRow>,
{
    let mut found = Vec::new();
    for part in values.chunks(ROWS_AN_INSERT) {
        let text = text.replacen(VALUES_HERE, &list(conn.dialect(), 1, part.len()), 1);
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, T>(AssertSqlSafe(text));
            for value in part {
                query = query.bind(value);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// Runs `head IN (…)` for all these values, some at a time.
pub(crate) async fn execute_in(tx: &mut Tx, head: &str, values: &[String]) -> Result<(), StoreError> {
    for part in values.chunks(ROWS_AN_INSERT) {
        let text = format!("{head} IN {}", list(tx.dialect(), 1, part.len()));
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for value in part {
                query = query.bind(value);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
