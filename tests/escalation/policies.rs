//! Policies change while ladders run under them: nobody is asked twice by accident, and nobody is forgotten.

use testkit::process::{Backend, Forthright, Output};
use testkit::smtp::Recorder;

use super::{at, fired, names, released, work};
use crate::setup::{SLUG, Stage, path};
use crate::tickets::reply_to;

const FASTER: &str = "[policies.debt]\nrungs = [\n  { after = \"12h\", targets = [\"agent\"] },\n  { after = \"48h\", targets = [\"lead\"] },\n  { after = \"60h\", targets = [\"counsel\"] },\n]\n";
const SLOWER: &str =
    "[policies.debt]\nrungs = [{ after = \"2h\", targets = [\"agent\"] }, { after = \"4w\", targets = [\"lead\"] }]\n";

/// A question that waits since the 26th at nine, and whose ladder has turned to the agent.
fn waiting(backend: Backend) -> (Stage, Recorder) {
    let (stage, recorder) = released(backend);
    let raw = reply_to(&recorder.messages()[0], "", "What was it?");
    at(&stage, "2022-09-26T09:00:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
    work(&stage, "2022-09-27T10:00:00Z", &recorder);
    (stage, recorder)
}

fn set(run: &Forthright, stage: &Stage, text: &str, more: &[&str]) -> Output {
    let file = stage.file("ladders.toml", text);
    let mut args = vec!["escalation", "policy", "set", SLUG, path(&file), "--why", "counsel wants to know earlier"];
    args.extend(more);
    run.run(&args)
}

#[test]
fn a_change_asks_what_becomes_of_the_ladders_that_run() {
    for backend in Backend::each() {
        let (stage, _recorder) = waiting(backend);
        let run = at(&stage, "2022-09-27T11:00:00Z");
        let refused = set(&run, &stage, FASTER, &[]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        for says in ["1 of debt", "keep", "move", "restart"] {
            assert!(refused.stderr.contains(says), "{says}: {}", refused.stderr);
        }
        // Of a policy without ladders nobody has to say anything.
        let free = set(&run, &stage, "[policies.review]\nrungs = [{ after = \"1h\", targets = [\"lead\"] }]\n", &[]);
        assert_eq!(free.status, 0, "{}", free.stderr);
        let again = set(&run, &stage, "[policies.review]\nrungs = [{ after = \"1h\", targets = [\"lead\"] }]\n", &[]);
        assert_eq!(again.status, 4, "{}", again.stderr);
        let bad = set(&run, &stage, "[policies.debt]\nrungs = []\n", &["--running", "keep"]);
        assert!(bad.status == 1 && bad.stderr.contains("no rungs"), "{}", bad.stderr);
    }
}

#[test]
fn ladders_that_are_kept_end_as_they_began() {
    let (stage, recorder) = waiting(Backend::Sqlite);
    let kept = set(&at(&stage, "2022-09-27T11:00:00Z"), &stage, FASTER, &["--running", "keep"]);
    assert_eq!(kept.status, 0, "{}", kept.stderr);
    work(&stage, "2022-09-29T08:00:00Z", &recorder);
    assert_eq!(fired(&stage), names(&[("debt", "1", "agent")]));
    work(&stage, "2022-09-29T10:00:00Z", &recorder);
    assert_eq!(fired(&stage), names(&[("debt", "1", "agent"), ("debt", "2", "lead")]));
}

#[test]
fn ladders_that_are_moved_turn_to_nobody_again_and_forget_nobody() {
    for backend in Backend::each() {
        let (stage, recorder) = waiting(backend);
        let moved = set(&at(&stage, "2022-09-27T11:00:00Z"), &stage, FASTER, &["--running", "move"]);
        assert_eq!(moved.status, 0, "{}", moved.stderr);
        work(&stage, "2022-09-27T12:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent")]), "{backend:?}: the agent knows");
        work(&stage, "2022-09-28T10:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent"), ("debt", "2", "lead")]), "{backend:?}");
        work(&stage, "2022-10-20T10:00:00Z", &recorder);
        let all = names(&[("debt", "1", "agent"), ("debt", "2", "lead"), ("debt", "3", "counsel")]);
        assert_eq!(fired(&stage), all, "{backend:?}");
        let timeline = crate::tickets::raw_sql(&stage, "SELECT body FROM ticket_entries WHERE body LIKE '%version 2%'");
        assert!(timeline.unwrap().contains("goes on under it"), "{backend:?}");
        stage.run.ok(&["audit", "verify"]);
    }
}

#[test]
fn ladders_that_are_restarted_are_measured_from_now_and_say_since_when_people_wait() {
    for backend in Backend::each() {
        let (stage, recorder) = waiting(backend);
        let anew = set(&at(&stage, "2022-09-27T11:00:00Z"), &stage, SLOWER, &["--running", "restart"]);
        assert_eq!(anew.status, 0, "{}", anew.stderr);
        work(&stage, "2022-09-27T12:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent")]), "{backend:?}");
        work(&stage, "2022-09-27T14:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent"), ("debt", "1", "agent")]), "{backend:?}");
        let tasks =
            crate::tickets::raw_sql(&stage, "SELECT text FROM tasks WHERE kind <> 'duty' ORDER BY created_at").unwrap();
        assert!(tasks.lines().all(|task| task.contains("since 2022-09-26 09:00 UTC")), "{backend:?}: {tasks}");
        // Moved on from there, it is measured from where it was begun anew.
        let moved = set(&at(&stage, "2022-09-27T15:00:00Z"), &stage, FASTER, &["--running", "move"]);
        assert_eq!(moved.status, 0, "{}", moved.stderr);
        let lines = stage.run.csv(&["escalation", "list", SLUG]);
        let due: Vec<&str> = lines
            .iter()
            .filter(|line| line["policy"] == "debt" && line["fired_at"].is_empty())
            .map(|line| &line["due_at"][..16])
            .collect();
        assert_eq!(due, ["2022-09-29T11:00", "2022-09-29T23:00"], "{backend:?}");
    }
}

#[test]
fn ladders_that_run_are_not_slowed_by_one_person() {
    for backend in Backend::each() {
        let (stage, recorder) = waiting(backend);
        let before = stage.run.csv(&["escalation", "list", SLUG]);
        let slow = "[policies.debt]\nrungs = [{ after = \"24h\", targets = [\"agent\"] }, { after = \"4w\", targets = [\"lead\"] }]\n";
        let run = at(&stage, "2022-09-27T11:00:00Z");
        let ladder = &before[0]["escalation"];
        // Moved it would turn to the lead in four weeks; to nobody any more; begun anew, to the counsel a day later.
        let short = "[policies.debt]\nrungs = [{ after = \"24h\", targets = [\"agent\"] }]\n";
        let same = "[policies.debt]\nrungs = [{ after = \"72h\", targets = [\"lead\"] }]\n";
        for (text, running) in [(slow, "move"), (short, "move"), (same, "restart")] {
            let refused = set(&run, &stage, text, &["--running", running]);
            assert_eq!(refused.status, 4, "{backend:?}: {running}: {}", refused.stderr);
            assert!(refused.stderr.contains(ladder) && refused.stderr.contains("--running keep"), "{}", refused.stderr);
        }
        assert_eq!(stage.run.csv(&["escalation", "list", SLUG]), before, "{backend:?}: nothing changed");
        assert_eq!(set(&run, &stage, slow, &["--running", "keep"]).status, 0);
        work(&stage, "2022-09-29T10:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent"), ("debt", "2", "lead")]), "{backend:?}");
    }
}

#[test]
fn every_version_says_who_when_why_and_what() {
    let (stage, _recorder) = waiting(Backend::Sqlite);
    set(&at(&stage, "2022-09-27T11:00:00Z").as_actor("ana"), &stage, FASTER, &["--running", "keep"]);
    let history = stage.run.csv(&["escalation", "policy", "history", SLUG]);
    let said: Vec<_> =
        history.iter().map(|row| (row["version"].as_str(), row["set_by"].as_str(), row["running"].as_str())).collect();
    assert_eq!(said, [("1", "analyst", "opened"), ("2", "ana", "keep")]);
    assert_eq!((history[1]["changed"].as_str(), history[1]["why"].as_str()), ("debt", "counsel wants to know earlier"));
    let first = |version: &[&str]| {
        let args = [&["escalation", "policy", "show", SLUG], version].concat();
        stage.run.json(&args)["policies"]["debt"]["rungs"][0]["after_hours"].clone()
    };
    assert_eq!((first(&["--version", "1"]), first(&[])), (24.into(), 12.into()));
    assert_eq!(stage.run.run(&["escalation", "policy", "show", SLUG, "--version", "3"]).status, 1);
    assert!(crate::tickets::raw_sql(&stage, "UPDATE policy_versions SET why = 'x'").is_err());
}
