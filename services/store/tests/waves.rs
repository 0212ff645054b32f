//! Waves whose sending domain nobody can look at.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use store::waves::{pass, stop_unchecked, unchecked};
use store::{Database, Store};
use testkit::postgres::Cluster;

const ROWS: &str = "
    INSERT INTO incidents (id, slug, title, vendor, discovered_at, facts, wrapped_key, policies, opened_by, opened_at)
    VALUES (1, 'sample', '', '', 0, '{}', '', '{}', 'ana', 0);
    INSERT INTO waves (id, incident_id, name, released_by, released_at, notices, domain_checked)
    VALUES ('wav_1', 1, 'all', 'cleo', 0, 1, 0)";

/// What the database's own client says.
fn said(database: &Database, statements: &str) -> String {
    let output = match database {
        Database::Sqlite(file) => {
            Command::new("sqlite3").args(["-cmd", ".timeout 10000"]).arg(file).arg(statements).output()
        }
        Database::Postgres(url) => {
            Command::new("psql").args(["-v", "ON_ERROR_STOP=1", "-qAtc", statements, url]).output()
        }
    }
    .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn what_a_person_pauses_while_dns_is_silent_stays_paused_when_it_answers() {
    let folder = tempfile::tempdir().unwrap();
    let url = Cluster::shared().create_database().unwrap();
    for database in [Database::Sqlite(folder.path().join("forthright.db")), Database::Postgres(url)] {
        let store = Store::connect(&database).await.unwrap();
        store.migrate().await.unwrap();
        said(&database, ROWS);
        let looked_at = unchecked(&mut store.read().await.unwrap()).await.unwrap().remove(0);
        said(&database, "UPDATE waves SET paused_at = 5");
        let mut tx = store.begin().await.unwrap();
        assert!(!stop_unchecked(&mut tx, &looked_at, "silent", 6).await.unwrap(), "{database:?}");
        tx.commit_ledger().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(pass(&mut tx, "wav_1", "silent").await.unwrap(), "{database:?}");
        tx.commit_ledger().await.unwrap();
        assert_eq!(said(&database, "SELECT paused_at FROM waves"), "5", "{database:?}");
        store.close().await;
    }
}
