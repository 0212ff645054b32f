//! What a sender's notes become: on each database one statement, which changes only what the sender still holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use store::ledger::{Ledger, Verdict};
use store::{Database, Store};
use testkit::postgres::Cluster;

const ROWS: &str = "
    INSERT INTO incidents (id, slug, title, vendor, discovered_at, facts, wrapped_key, policies, opened_by, opened_at)
    VALUES (1, 'sample', '', '', 0, '{}', '', '{}', 'ana', 0);
    INSERT INTO letters (id, kind, language, subject, text, digest, written_at) VALUES ('ltr', 'reminder', 'en', '', '', '', 0)";

fn mail(id: &str, lease: &str) -> String {
    format!(
        "INSERT INTO outbox (id, incident_id, cause, cause_id, letter_id, address, name, message_id, reply_token, state, attempts, \
         next_at, lease, created_at, last_reply) \
         VALUES ('{id}', 1, 'policy', 'x', 'ltr', 'a@b.example', '', '{id}@c', '', 'leased', 0, 0, '{lease}', 0, '')"
    )
}

fn accepted(id: &str) -> Verdict {
    Verdict {
        id: id.to_owned(),
        state: "accepted",
        next_at: 1,
        settled_at: Some(2),
        reply: "250 ok".to_owned(),
        outcome: "accepted",
        phase: "dot".to_owned(),
        tls: String::new(),
        route: String::new(),
        started_at: 1,
        ended_at: 2,
        attempt: 1,
    }
}

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
async fn of_notes_of_one_commit_those_whose_lease_is_lost_are_refused_and_the_others_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forthright.db");
    let url = Cluster::shared().create_database().unwrap();
    for database in [Database::Sqlite(file), Database::Postgres(url)] {
        let store = Store::connect(&database).await.unwrap();
        store.migrate().await.unwrap();
        said(&database, ROWS);
        for (id, lease) in [("out_1", "mine"), ("out_2", "mine"), ("out_3", "others"), ("out_4", "others")] {
            said(&database, &mail(id, lease));
        }
        let (ledger, task) = Ledger::start(store, "mine".to_owned());
        let dot = |id: &str| ledger.at_dot(id.to_owned());
        let end = async |id: &str| ledger.ended(accepted(id)).await.wait().await;
        // Handed in before the committer looks: one commit.
        let (one, two, three, four) = tokio::join!(dot("out_1"), end("out_2"), dot("out_3"), end("out_4"));
        assert_eq!([one, two, three, four].map(Result::unwrap), [true, true, false, false], "{database:?}");
        // Again is no loss: the row says it already.
        assert!(dot("out_1").await.unwrap(), "{database:?}");
        assert!(end("out_1").await.unwrap(), "{database:?}");
        assert!(!end("out_1").await.unwrap(), "{database:?}");
        drop(ledger);
        task.await.unwrap();
        let states =
            "SELECT CAST((SELECT COUNT(*) FROM outbox WHERE state = 'accepted' AND lease IS NULL AND attempts = 1
            AND settled_at = 2 AND last_reply = '250 ok') AS TEXT)
            || CAST((SELECT COUNT(*) FROM outbox WHERE state = 'leased' AND lease = 'others') AS TEXT)
            || CAST((SELECT COUNT(*) FROM attempts WHERE sender = 'mine' AND outbox_id IN ('out_1', 'out_2')) AS TEXT)
            || CAST((SELECT COUNT(*) FROM attempts) AS TEXT)";
        assert_eq!(said(&database, states), "2222", "{database:?}");
    }
}
