//! An alarm that nobody got is a task, and never silent.

use testkit::process::Backend;
use testkit::smtp::{Behaviour, Phase};

use super::{MORNING, at, released, work};
use crate::setup::Stage;
use crate::tickets::{raw_sql, reply_to};

fn tasks(stage: &Stage) -> Vec<String> {
    let found = raw_sql(stage, "SELECT text FROM tasks WHERE text LIKE '%was not reached%' ORDER BY id").unwrap();
    found.lines().map(str::to_owned).collect()
}

#[test]
fn a_letter_to_our_own_people_that_comes_back_is_one_task_that_says_to_whom_and_why() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend);
        let raw = reply_to(&recorder.messages()[0], "", "Why?");
        at(&stage, MORNING).run_with_input(&["mail", "receive"], raw.as_bytes());
        let stage = Stage {
            run: stage
                .run
                .with("FORTHRIGHT_TARGETS_AGENT", "agent@vendor.example")
                .with("FORTHRIGHT_TARGETS_LEAD", "lead@vendor.example"),
            ..stage
        };
        recorder.always("agent@vendor.example", Behaviour::Permanent(Phase::Rcpt));
        work(&stage, "2022-09-29T10:00:00Z", &recorder);
        work(&stage, "2022-09-29T10:00:00Z", &recorder);
        let found = tasks(&stage);
        assert_eq!(found.len(), 1, "{backend:?}: {found:?}");
        assert!(found[0].starts_with("agent@vendor.example was not reached"), "{found:?}");
        assert!(found[0].contains("550"), "{backend:?}: {found:?}");
        assert_eq!(recorder.accepted_for("lead@vendor.example").len(), 1);
        // A report of a failure that comes days later is one, too; a task that was done is not made again.
        raw_sql(&stage, "UPDATE tasks SET done_at = 1, done_by = 'ada'").unwrap();
        raw_sql(&stage, "UPDATE outbox SET state = 'bounced', last_reply = 'full' WHERE address LIKE 'lead@%'")
            .unwrap();
        work(&stage, "2022-09-29T11:00:00Z", &recorder);
        let found = tasks(&stage);
        assert!(found.len() == 2 && found[1].contains("(full)"), "{backend:?}: {found:?}");
    }
}
