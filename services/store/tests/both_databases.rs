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
                names.insert(format!(
                    "{key} {}",
                    after.split_whitespace().next().unwrap_or_default().trim_end_matches(';')
                ));
            }
        }
    }
    names
}

#[test]
fn both_databases_name_the_same_constraints_triggers_and_indices() {
    assert_eq!(named("sqlite"), named("postgres"));
}

/// Every column of the tables that an import writes, and why what is in it is no content. A new column fails the test
/// below until somebody writes here what it holds.
const KEPT: &[(&str, &str, &str)] = &[
    ("manifests", "id", "number"),
    ("manifests", "incident_id", "number"),
    ("manifests", "name", "the manifest's own name"),
    ("manifests", "digest", "hash of the manifest"),
    ("manifests", "pass", "number"),
    ("manifests", "why", "a person's reason"),
    ("manifests", "size_bytes", "number"),
    ("manifests", "records_done", "number"),
    ("manifests", "rows_read", "number"),
    ("manifests", "blank_lines", "number"),
    ("manifests", "accepted", "number"),
    ("manifests", "rejected", "number"),
    ("manifests", "started_by", "actor"),
    ("manifests", "started_at", "time"),
    ("manifests", "counted_at", "time"),
    ("manifests", "reading", "options of the call"),
    ("manifests", "described", "format and encoding"),
    ("manifests", "rules", "number"),
    ("manifests", "used_sum", "sum of hashes"),
    ("manifests", "rejected_sum", "sum of hashes"),
    ("manifests", "withdrawn_at", "time"),
    ("manifests", "withdrawn_why", "a person's reason"),
    ("manifests", "counted_before", "number"),
    ("manifests", "corrects", "number"),
    ("manifests", "fold_after", "a host"),
    ("manifests", "folded_at", "time"),
    ("rejects", "manifest_id", "number"),
    ("rejects", "line", "number"),
    ("rejects", "record", "number"),
    ("rejects", "reason", "one of three words"),
    ("rejects", "raw", "the row of the manifest, 4 KiB at most; emptied by erasing"),
    ("rejects", "corrected_by", "number"),
    ("runs", "id", "number"),
    ("runs", "incident_id", "number"),
    ("runs", "manifest_id", "number"),
    ("runs", "kind", "one of two words"),
    ("runs", "state", "one of two words"),
    ("runs", "made_at", "time"),
    ("run_blocks", "run_id", "number"),
    ("run_blocks", "number", "number"),
    ("run_blocks", "first_host", "a host"),
    ("run_blocks", "last_host", "a host"),
    ("run_blocks", "entries", "number"),
    ("run_blocks", "body", "records of 29 and 16 bytes: key, size, day, type; see model::runs"),
    ("run_blocks", "names", "paths and projects; persons only with plain identities"),
    ("mappings", "incident_id", "number"),
    ("mappings", "reversed", "a host"),
    ("mappings", "host", "a host"),
    ("mappings", "verdict", "one of four words"),
    ("mappings", "rule", "one of six words"),
    ("mappings", "organisation_domain", "a domain"),
    ("mappings", "tenant_id", "a customer"),
    ("mappings", "confidence", "one of three words"),
    ("mappings", "because", "our sentence"),
    ("mappings", "directory_version", "number"),
    ("mappings", "mapped_at", "time"),
    ("mappings", "stale", "yes or no"),
    ("mappings", "suffix_list", "date of the Public Suffix List"),
    ("mappings", "review", "why a person has to look"),
    ("fact_sheets", "incident_id", "number"),
    ("fact_sheets", "organisation_domain", "a domain"),
    ("fact_sheets", "verdict", "one of four words"),
    ("fact_sheets", "tenant_id", "a customer"),
    ("fact_sheets", "row_count", "number"),
    ("fact_sheets", "rows_missing", "number"),
    ("fact_sheets", "rows_invalid", "number"),
    ("fact_sheets", "by_field", "numbers"),
    ("fact_sheets", "facts", "numbers, dates, names of data types"),
    ("fact_sheets", "version", "number"),
    ("fact_sheets", "changed_at", "time"),
    ("stale_sheets", "incident_id", "number"),
    ("stale_sheets", "reversed", "a domain"),
    ("stale_sheets", "cause", "a manifest's name"),
    ("stale_sheets", "stamp", "number"),
    ("fact_changes", "incident_id", "number"),
    ("fact_changes", "organisation_domain", "a domain"),
    ("fact_changes", "version", "number"),
    ("fact_changes", "changed_at", "time"),
    ("fact_changes", "cause", "a manifest's name"),
    ("fact_changes", "before", "numbers, dates, names of data types"),
    ("fact_changes", "after", "numbers, dates, names of data types"),
];

#[tokio::test]
async fn no_column_can_hold_the_content_of_an_exposed_file() {
    let mut both = both().await;
    let tables: BTreeSet<&str> = KEPT.iter().map(|(table, _, _)| *table).collect();
    let known: BTreeSet<(&str, &str)> = KEPT.iter().map(|(table, column, _)| (*table, *column)).collect();
    for columns in [sqlite_columns(&mut both.sqlite).await, postgres_columns(&mut both.postgres).await] {
        let there: BTreeSet<(&str, &str)> = columns
            .iter()
            .map(|(table, column, _)| (table.as_str(), column.as_str()))
            .filter(|(table, _)| tables.contains(table))
            .collect();
        let new: Vec<_> = there.difference(&known).collect();
        assert!(new.is_empty(), "{new:?} are new among what is kept of an exposure: are they metadata?");
        assert_eq!(known.difference(&there).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "gone: strike it out");
    }
    // No other table has bytes of ours, so nothing else could hold a file.
    let blobs: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, p.name FROM sqlite_schema m JOIN pragma_table_info(m.name) p
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT IN ('Jobs', 'Workers') AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND p.type = 'BLOB'
         ORDER BY m.name, p.name",
    )
    .fetch_all(&mut both.sqlite)
    .await
    .unwrap();
    let blobs: Vec<(&str, &str)> = blobs.iter().map(|(table, column)| (table.as_str(), column.as_str())).collect();
    assert_eq!(blobs.iter().filter(|(table, _)| *table == "run_blocks").count(), 2);
    for blob in blobs {
        assert!(
            [("run_blocks", "body"), ("run_blocks", "names"), ("inbound", "raw"), ("lookup_answers", "body")]
                .contains(&blob),
            "{blob:?} is new"
        );
    }
}
