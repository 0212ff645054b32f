//! What must hold of both databases: every statement prepares on each, and both have the same tables.
//!
//! Stands in for compile-time checking, which can look at one database only.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};
use store::{Database, Store};
use testkit::postgres::Cluster;

struct Both {
    _folder: tempfile::TempDir,
    sqlite: SqliteConnection,
    postgres: PgConnection,
}

async fn both() -> Both {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forthright.db");
    let url = Cluster::shared().create_database().unwrap();
    for database in [Database::Sqlite(file.clone()), Database::Postgres(url.clone())] {
        let store = Store::connect(&database).await.unwrap();
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        store.close().await;
    }
    let sqlite = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let postgres = PgConnection::connect(&url).await.unwrap();
    Both { _folder: folder, sqlite, postgres }
}

#[tokio::test]
async fn every_statement_prepares_on_both_databases() {
    let mut both = both().await;
    let mut failed = Vec::new();
    for (name, text) in store::statements() {
        if !name.ends_with("_POSTGRES")
            && let Err(error) = both.sqlite.prepare(AssertSqlSafe(text.to_owned()).into_sql_str()).await
        {
            failed.push(format!("{name} on SQLite: {error}"));
        }
        if !name.ends_with("_SQLITE")
            && let Err(error) = both.postgres.prepare(AssertSqlSafe(text.to_owned()).into_sql_str()).await
        {
            failed.push(format!("{name} on PostgreSQL: {error}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// (table, column, may be null), our tables alone.
type Columns = BTreeSet<(String, String, bool)>;

async fn sqlite_columns(conn: &mut SqliteConnection) -> Columns {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT m.name, p.name, p.\"notnull\", p.pk FROM sqlite_schema m JOIN pragma_table_info(m.name) p
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT IN ('Jobs', 'Workers')",
    )
    .fetch_all(conn)
    .await
    .unwrap();
    rows.into_iter().map(|(table, column, not_null, key)| (table, column, not_null == 0 && key == 0)).collect()
}

async fn postgres_columns(conn: &mut PgConnection) -> Columns {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT table_name::TEXT, column_name::TEXT, is_nullable::TEXT FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'",
    )
    .fetch_all(conn)
    .await
    .unwrap();
    rows.into_iter().map(|(table, column, nullable)| (table, column, nullable == "YES")).collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_and_nullability() {
    let mut both = both().await;
    let sqlite = sqlite_columns(&mut both.sqlite).await;
    let postgres = postgres_columns(&mut both.postgres).await;
    assert!(sqlite.len() > 100, "{sqlite:?}");
    assert_eq!(sqlite.difference(&postgres).collect::<Vec<_>>(), Vec::<&(String, String, bool)>::new());
    assert_eq!(postgres.difference(&sqlite).collect::<Vec<_>>(), Vec::<&(String, String, bool)>::new());
}

/// Names of our constraints as the migrations write them.
fn named(folder: &str) -> BTreeSet<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(folder);
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for (word, key) in [("CONSTRAINT ", "constraint"), ("CREATE TRIGGER ", "trigger"), ("INDEX ", "index")] {
            for after in text.split(word).skip(1) {
                names.insert(format!("{key} {}", after.split_whitespace().next().unwrap_or_default()));
            }
        }
    }
    names
}

#[test]
fn both_databases_name_the_same_constraints_triggers_and_indices() {
    assert_eq!(named("sqlite"), named("postgres"));
}

#[tokio::test]
async fn no_column_can_hold_the_content_of_an_exposed_file() {
    let mut both = both().await;
    let columns = sqlite_columns(&mut both.sqlite).await;
    let of_exposure: Vec<&str> = columns
        .iter()
        .filter(|(table, _, _)| ["hosts", "objects", "host_objects", "host_identities"].contains(&table.as_str()))
        .map(|(_, column, _)| column.as_str())
        .collect();
    let known = [
        "id",
        "incident_id",
        "host",
        "row_count",
        "rows_missing",
        "rows_invalid",
        "object_key",
        "path",
        "host_id",
        "size_bytes",
        "document_date",
        "data_type",
        "in_dispute",
        "kind",
        "identity",
    ];
    for column in &of_exposure {
        assert!(known.contains(column), "{column} is new among what is kept of an exposure: is it metadata?");
    }
}
