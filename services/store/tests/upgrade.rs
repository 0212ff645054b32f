//! A store with tickets from before a table was made anew keeps them, with every rule that held.
//!
//! Looks at SQLite, where that is done by hand; PostgreSQL alters its tables.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};
use store::{Database, Store};

const BEFORE: i64 = 24;

const ROWS: [&str; 9] = [
    "INSERT INTO incidents (id, slug, title, vendor, discovered_at, facts, wrapped_key, policies, opened_by, opened_at) VALUES (1, 's', 't', 'v', 0, '{}', '', '{}', 'a', 0)",
    "INSERT INTO tenants (id, name, country, language, added_at) VALUES ('t-1', 'One', 'US', 'en', 0)",
    "INSERT INTO tickets (id, incident_id, tenant_id, token, status, turn, debt, opened_at) VALUES ('tkt_1', 1, 't-1', 'x', 'open', 'theirs', 0, 5)",
    "INSERT INTO questions (id, ticket_id, state, text, asked_by, asked_at) VALUES ('qst_1', 'tkt_1', 'open', 'what?', 'a@x.example', 6)",
    "INSERT INTO questions (id, ticket_id, state, text, asked_by, asked_at) VALUES ('qst_2', 'tkt_1', 'open', 'who?', 'a@x.example', 7)",
    "INSERT INTO ticket_entries (id, ticket_id, at, kind, actor, body) VALUES ('ent_1', 'tkt_1', 6, 'mail', 'a@x.example', 'what? who?')",
    "INSERT INTO inbound (id, digest, raw, received_at, state, tries, ticket_id) VALUES ('inb_1', 'd', x'00', 6, 'filed', 0, 'tkt_1')",
    "INSERT INTO escalations (id, incident_id, ticket_id, policy, subject, snapshot, measured_from, started_at) VALUES ('esc_1', 1, 'tkt_1', 'debt', 'tkt_1', '{}', 6, 6)",
    "INSERT INTO tasks (id, incident_id, ticket_id, kind, target, text, unique_key, created_at, due_at) VALUES ('tsk_1', 1, 'tkt_1', 'escalation', 'agent', 't', 'k', 6, 6)",
];

async fn run(conn: &mut SqliteConnection, statement: &str) -> Result<(), sqlx::Error> {
    conn.execute(AssertSqlSafe(statement.to_owned())).await.map(drop)
}

/// A store as it was before tickets were split, with a ticket, and what leads to it.
async fn old_store(file: &Path) -> SqliteConnection {
    let url = format!("sqlite:{}?mode=rwc", file.display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let mut old = Migrator::new(folder).await.unwrap();
    old.migrations.to_mut().retain(|migration| migration.version <= BEFORE);
    old.run(&mut conn).await.unwrap();
    for statement in ROWS {
        run(&mut conn, statement).await.unwrap();
    }
    conn
}

#[tokio::test]
async fn tickets_of_before_keep_their_questions_their_links_and_their_rules() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forthright.db");
    old_store(&file).await.close().await.unwrap();
    let store = Store::connect(&Database::Sqlite(file.clone())).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut conn).await.unwrap();
    assert!(broken.is_empty(), "{} rows lead nowhere", broken.len());
    let debt: i64 = sqlx::query_scalar("SELECT debt FROM tickets").fetch_one(&mut conn).await.unwrap();
    assert_eq!(debt, 2);
    for refused in [
        "UPDATE tickets SET status = 'closed', turn = 'nobody', closed_at = 9",
        "UPDATE tickets SET debt = 0",
        "DELETE FROM tickets",
        "INSERT INTO ticket_entries (id, ticket_id, at, kind, actor, body) VALUES ('ent_2', 'tkt_none', 6, 'mail', 'a', 'b')",
    ] {
        assert!(run(&mut conn, refused).await.is_err(), "{refused}");
    }
    // A release opens again what may be there, so this one is no error and adds nothing.
    run(&mut conn, "INSERT INTO tickets (id, incident_id, tenant_id, token, status, turn, debt, opened_at) VALUES ('tkt_2', 1, 't-1', 'y', 'open', 'theirs', 0, 5)").await.unwrap();
    let tickets: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM tickets").fetch_one(&mut conn).await.unwrap();
    assert_eq!(tickets, 1, "one main ticket for each organisation and incident");
    run(&mut conn, "INSERT INTO ticket_entries (id, ticket_id, at, kind, actor, body) VALUES ('ent_3', 'tkt_1', 9, 'withdrawal', 'b', '')").await.unwrap();
    run(&mut conn, "UPDATE questions SET state = 'withdrawn', settled_at = 9, entry_id = 'ent_3', withdrawal_by = 'a'")
        .await
        .unwrap();
    run(&mut conn, "UPDATE tickets SET status = 'closed', turn = 'nobody', closed_at = 9").await.unwrap();
    run(&mut conn, "INSERT INTO questions (id, ticket_id, state, text, asked_by, asked_at) VALUES ('qst_3', 'tkt_1', 'open', '?', 'a', 9)").await.unwrap();
    let status: String = sqlx::query_scalar("SELECT status FROM tickets").fetch_one(&mut conn).await.unwrap();
    assert_eq!(status, "open", "a question opens its ticket again");
}
