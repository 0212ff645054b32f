//! What no job and no sender looks at any more is found, however old it is.

use testkit::process::Backend;
use testkit::smtp::Recorder;

use crate::setup::{SLUG, Stage};
use crate::tickets::raw_sql;

/// A sender that lives for ever by its row, and held these mails since 1970.
fn held_by_a_lost_sender(stage: &Stage, contact: &str, state: &str) {
    raw_sql(
        stage,
        "INSERT INTO senders (id, started_at, alive_until) VALUES ('lost', 0, 9000000000000000) ON CONFLICT DO NOTHING",
    )
    .unwrap();
    let statement =
        format!("UPDATE outbox SET state = '{state}', lease = 'lost', leased_at = 0 WHERE address = '{contact}'");
    raw_sql(stage, &statement).unwrap();
}

#[test]
fn what_nobody_looks_at_any_more_is_found_and_set_right() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(7);
        stage.release();
        let address = |n: usize| format!("security@org{n:05}.example");
        // Released, and in no row.
        raw_sql(&stage, &format!("DELETE FROM outbox WHERE address = '{}'", address(0))).unwrap();
        held_by_a_lost_sender(&stage, &address(1), "leased");
        held_by_a_lost_sender(&stage, &address(2), "at_dot");
        let too_often = format!(
            "UPDATE outbox SET state = 'deferred', attempts = 40, next_at = next_at + 1800000000 WHERE address = '{}'",
            address(3)
        );
        raw_sql(&stage, &too_often).unwrap();
        let too_late = format!("UPDATE outbox SET next_at = 8000000000000000 WHERE address = '{}'", address(4));
        raw_sql(&stage, &too_late).unwrap();

        // A copy that a lost sender held: whether the first arrived nobody knows still.
        held_by_a_lost_sender(&stage, &address(6), "leased");
        let copy = format!("UPDATE outbox SET attempts = 1, next_at = {} WHERE address = '{}'", i64::MAX, address(6));
        raw_sql(&stage, &copy).unwrap();
        let first = format!(
            "INSERT INTO attempts (outbox_id, attempt, sender, started_at, ended_at, outcome, phase, reply, tls)
             SELECT id, 1, 'lost', 0, 0, 'uncertain', 'dot', '', '' FROM outbox WHERE address = '{}'",
            address(6)
        );
        raw_sql(&stage, &first).unwrap();

        let recorder = Recorder::start().unwrap();
        let run = stage.run.sending_to(&recorder.url());
        let mut worker = run.spawn(&["worker"]);
        assert!(recorder.wait_for(5, std::time::Duration::from_secs(60)), "{}", worker.said());
        assert_eq!(worker.terminate(), 0);
        run.ok(&["work", "--until-idle", "--timeout", "60"]);

        for row in stage.run.csv(&["delivery", "list", SLUG]) {
            let expected = match &row["contact"] {
                contact if *contact == address(3) => "failed",
                contact if *contact == address(6) => "uncertain",
                _ => "accepted",
            };
            assert_eq!(row["state"], expected, "{backend:?}: {row:?}");
        }
        for n in [0, 1, 2, 4, 5] {
            assert_eq!(recorder.accepted_for(&address(n)).len(), 1, "{backend:?}: {n}");
        }
        assert_eq!(recorder.accepted_for(&address(6)).len(), 0, "{backend:?}");
        assert_eq!(stage.status()["accepted"], 5);
    }
}

#[test]
fn whoever_cannot_be_told_keeps_nobody_else_from_being_found() {
    const UNTRUE: usize = 501;
    let stage = Stage::new(Backend::Sqlite);
    stage.small(UNTRUE + 1);
    stage.release();
    raw_sql(&stage, "DELETE FROM outbox").unwrap();
    // What is not true any more goes to nobody; only of the last in the order of tickets it is.
    let last = raw_sql(&stage, "SELECT tenant_id FROM tickets ORDER BY id DESC LIMIT 1").unwrap();
    raw_sql(&stage, &format!("DELETE FROM fact_sheets WHERE tenant_id <> '{}'", last.trim())).unwrap();
    let recorder = Recorder::start().unwrap();
    let mut worker = stage.run.sending_to(&recorder.url()).spawn(&["worker"]);
    assert!(recorder.wait_for(1, std::time::Duration::from_secs(60)), "{}", worker.said());
    assert_eq!(worker.terminate(), 0, "{}", worker.said());
    assert_eq!(recorder.count(), 1);
}
