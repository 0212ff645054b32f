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
        stage.small(6);
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

        let recorder = Recorder::start().unwrap();
        let run = stage.run.sending_to(&recorder.url());
        let mut worker = run.spawn(&["worker"]);
        assert!(recorder.wait_for(5, std::time::Duration::from_secs(60)), "{}", worker.said());
        assert_eq!(worker.terminate(), 0);
        run.ok(&["work", "--until-idle", "--timeout", "60"]);

        for row in stage.run.csv(&["delivery", "list", SLUG]) {
            let expected = if row["contact"] == address(3) { "failed" } else { "accepted" };
            assert_eq!(row["state"], expected, "{backend:?}: {row:?}");
        }
        for n in [0, 1, 2, 4, 5] {
            assert_eq!(recorder.accepted_for(&address(n)).len(), 1, "{backend:?}: {n}");
        }
        assert_eq!(stage.status()["accepted"], 5);
    }
}
