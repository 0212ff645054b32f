//! The date by which a withholding is looked at again: it cannot be signed after it, and it escalates until somebody does.

use testkit::process::{Backend, Forthright};

use crate::setup::{Clock, SLUG, Stage};

use super::WHY;

fn at(stage: &Stage, now: &str) -> Forthright {
    stage.run.with("FORTHRIGHT_NOW", now)
}

/// A withholding that is to be looked at again on the 26th, proposed the day before.
fn proposed(backend: Backend) -> (Stage, String) {
    let stage = Stage::with_clock(backend, Clock::Moved);
    let run = at(&stage, "2022-09-25T10:00:00Z");
    run.ok(&["notice", "withhold", SLUG, "--all", "users", "--why", WHY, "--review", "2022-09-26T10:00:00Z"]);
    let id = run.csv(&["notice", "withholdings", SLUG])[0]["withholding"].clone();
    (stage, id)
}

#[test]
fn a_review_that_is_due_climbs_its_ladder_until_the_withholding_ends() {
    for backend in Backend::each() {
        let (stage, id) = proposed(backend);
        at(&stage, "2022-09-25T10:00:00Z").as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        let work = |now: &str| {
            at(&stage, now).sending_to(&stage.files()).ok(&["work", "--until-idle", "--timeout", "60"]);
            let query = "SELECT target FROM tasks WHERE kind = 'withholding' ORDER BY due_at, target";
            let targets = crate::tickets::raw_sql(&stage, query).unwrap();
            targets.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(work("2022-09-25T11:00:00Z").is_empty(), "{backend:?}");
        assert_eq!(work("2022-09-26T11:00:00Z"), ["counsel"], "{backend:?}");
        assert_eq!(work("2022-09-27T11:00:00Z"), ["counsel"], "{backend:?}: once");
        let preview = |until: &str| {
            let run = at(&stage, "2022-09-27T12:00:00Z");
            let lines = run.csv(&["escalation", "preview", SLUG, "--until", until]);
            lines.iter().filter(|line| line["policy"] == "withholding").count()
        };
        assert_eq!((preview("2022-09-29T09:00:00Z"), preview("2022-10-03T11:00:00Z")), (0, 2), "{backend:?}");
        // Late by more than two rungs: each fires.
        let climbed = work("2022-10-12T11:00:00Z");
        assert_eq!(climbed, ["counsel", "lead", "incident-lead", "incident-lead"], "{backend:?}");
        let listed = at(&stage, "2022-10-12T12:00:00Z").csv(&["escalation", "list", SLUG]);
        let fired = listed.iter().filter(|line| line["escalation"] == id && !line["fired_at"].is_empty());
        assert_eq!(fired.count(), 4, "{backend:?}");
        let acknowledge = ["escalation", "acknowledge", &id];
        at(&stage, "2022-10-12T12:30:00Z").as_actor("counsel").ok(&acknowledge);
        let listed = at(&stage, "2022-10-12T12:45:00Z").csv(&["escalation", "list", SLUG]);
        let seen = listed.iter().filter(|line| line["escalation"] == id && !line["acknowledged_at"].is_empty());
        assert_eq!(seen.count(), 4, "{backend:?}: {listed:?}");
        let by = crate::tickets::raw_sql(&stage, "SELECT DISTINCT done_by FROM tasks WHERE kind = 'withholding'");
        assert_eq!(by.unwrap().trim(), "counsel", "{backend:?}");
        at(&stage, "2022-10-12T13:00:00Z").ok(&["notice", "disclose", &id, "--why", "the police agreed"]);
        assert_eq!(work("2022-11-26T11:00:00Z").len(), 4, "{backend:?}: it has ended");
    }
}

#[test]
fn a_withholding_is_not_signed_after_the_day_of_its_review() {
    let (stage, id) = proposed(Backend::Sqlite);
    let late = at(&stage, "2022-09-26T10:00:01Z").as_actor("counsel").run(&["notice", "withhold-approve", &id]);
    assert_eq!(late.status, 4, "{}", late.stderr);
    assert!(late.stderr.contains("which is past") && late.stderr.contains("hint:"), "{}", late.stderr);
    assert_eq!(stage.run.csv(&["notice", "withholdings", SLUG])[0]["state"], "proposed");
}
