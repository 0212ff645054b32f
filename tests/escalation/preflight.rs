//! Before the incident: does each rung lead to somebody, and does what is sent there arrive?

use testkit::process::Backend;

use super::{at, released, work};
use crate::setup::{Clock, SLUG, Stage, path};

const CONFIGURATION: &str = r#"
[sender]
address = "incident-response@vendor.example"
[targets]
lead = "lead@vendor.example"
[people]
ana = "ana@vendor.example"
bob = "bob@vendor.example"
[roles]
press = ["ana", "desk@press.example"]
[rotations.night]
people = ["ana", "bob"]
zone = "Europe/Berlin"
handover = "Mon 09:00"
start = "2022-09-19"
"#;

fn policy(targets: &str) -> String {
    let of_duties = "[policies.duty]\nrungs = [{ after = \"1h\", targets = [\"account-manager\"] }]\n";
    format!("[policies.debt]\nrungs = [{{ after = \"1h\", targets = [{targets}] }}]\n{of_duties}")
}

/// A stage whose incident has this ladder for debt, and the configuration above.
fn with_targets(stage: Stage, targets: &str) -> Stage {
    let file = stage.file("ladders.toml", &policy(targets));
    at(&stage, super::MORNING).ok(&["escalation", "policy", "set", SLUG, path(&file), "--why", "to try it"]);
    let file = stage.file("forthright.toml", CONFIGURATION);
    Stage { run: stage.run.with("FORTHRIGHT_CONFIG", path(&file)), ..stage }
}

#[test]
fn the_built_in_policies_lead_to_tasks_where_nothing_is_configured_and_that_is_said() {
    let stage = Stage::with_clock(Backend::Sqlite, Clock::Moved);
    let found = stage.run.csv(&["escalation", "check", SLUG]);
    let of = |policy: &str, rung: &str| {
        let line = found.iter().find(|line| line["policy"] == policy && line["rung"] == rung).unwrap();
        (line["target"].clone(), line["result"].clone(), line["tested_at"].clone())
    };
    let expected = |target: &str, result: &str| (target.to_owned(), result.to_owned(), "never".to_owned());
    assert_eq!(of("debt", "1"), expected("agent", "task"));
    assert_eq!(of("silence", "2"), expected("next-contact", "good"));
    assert_eq!(of("silence", "3"), expected("account-manager", "task"));
}

#[test]
fn a_rung_that_leads_to_nobody_is_found_before_it_is_needed() {
    for (targets, says) in [
        ("\"person:zoe\"", "[people]"),
        ("\"role:legal\"", "[roles]"),
        ("\"rotation:day\"", "[rotations.day]"),
        ("\"webhook:chat\"", "no webhook chat"),
        ("\"contact\"", "nobody of ours"),
    ] {
        let stage = with_targets(Stage::with_clock(Backend::Sqlite, Clock::Moved), targets);
        let checked = at(&stage, super::MORNING).run(&["escalation", "check", SLUG, "--csv"]);
        assert_eq!(checked.status, 4, "{targets}: {}", checked.stdout);
        assert!(checked.stdout.contains(says), "{targets}: {}", checked.stdout);
        let doctor = at(&stage, super::MORNING).run(&["doctor", "--csv"]);
        assert!(doctor.stdout.contains("policy debt, rung 1"), "{targets}: {}", doctor.stdout);
    }
}

#[test]
fn a_rotation_that_begins_too_late_is_found() {
    let stage = with_targets(Stage::with_clock(Backend::Sqlite, Clock::Moved), "\"rotation:night\"");
    let check = |now: &str| at(&stage, now).run(&["escalation", "check", SLUG, "--csv"]);
    assert_eq!(check("2022-09-20T00:00:00Z").status, 0);
    let early = check("2022-09-18T00:00:00Z");
    assert!(early.status == 4 && early.stdout.contains("nobody is on duty"), "{}", early.stdout);
}

#[test]
fn a_test_goes_to_whoever_is_behind_a_target_and_is_acknowledged_by_them() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend);
        let stage = with_targets(stage, "\"role:press\", \"rotation:night\", \"lead\", \"person:zoe\"");
        let run = at(&stage, "2022-09-27T08:00:00Z");
        let sent = run.csv(&["escalation", "test", SLUG]);
        let mails = |target: &str| sent.iter().find(|line| line["target"] == target).unwrap()["mails"].clone();
        let all = ["role:press", "rotation:night", "lead", "person:zoe", "counsel"].map(mails);
        assert_eq!(all, ["2", "1", "1", "0", "0"], "{backend:?}");
        work(&stage, "2022-09-27T08:01:00Z", &recorder);
        let mut got: Vec<String> = recorder.messages()[1..].iter().map(|mail| mail.recipients[0].clone()).collect();
        got.sort();
        // Bob's week began on Monday, the 26th, at nine.
        let expected = ["ana@vendor.example", "bob@vendor.example", "desk@press.example", "lead@vendor.example"];
        assert_eq!(got, expected, "{backend:?}");
        assert!(recorder.messages()[1..].iter().all(|mail| mail.header("Subject").unwrap().contains("[test]")));
        let test = sent.iter().find(|line| line["target"] == "rotation:night").unwrap()["test"].clone();
        run.as_actor("bob").ok(&["escalation", "acknowledge", &test]);
        let checked = run.run(&["escalation", "check", SLUG, "--json"]);
        assert_eq!(checked.status, 4, "{backend:?}: nobody knows zoe");
        let lines: Vec<serde_json::Value> = serde_json::from_str(&checked.stdout).unwrap();
        let line = lines.iter().find(|line| line["target"] == "rotation:night").unwrap();
        assert!(line["tested_at"].is_string() && line["acknowledged_at"].is_string(), "{line}");
        let refused = run.run(&["escalation", "test", SLUG, "--target", "contact"]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert_eq!(run.run(&["escalation", "test", SLUG, "--target", "nobody"]).status, 2);
    }
}

#[test]
fn whoever_is_on_duty_when_a_rung_fires_gets_the_letter() {
    let (stage, recorder) = released(Backend::Sqlite);
    let stage = with_targets(stage, "\"rotation:night\"");
    let raw = crate::tickets::reply_to(&recorder.messages()[0], "", "What was it?");
    // Due at 06:59 UTC on Monday, a minute before bob's week begins at nine in Berlin; the tick comes later.
    at(&stage, "2022-09-26T05:59:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
    work(&stage, "2022-09-26T07:30:00Z", &recorder);
    let to: Vec<String> = recorder.messages().iter().map(|mail| mail.recipients[0].clone()).collect();
    assert_eq!(to.last().map(String::as_str), Some("bob@vendor.example"));
}

#[test]
fn whoever_a_ticket_is_assigned_to_is_its_agent_where_their_address_is_known() {
    let (stage, recorder) = released(Backend::Sqlite);
    let stage = with_targets(stage, "\"agent\"");
    let stage = Stage { run: stage.run.with("FORTHRIGHT_TARGETS_AGENT", "agents@vendor.example"), ..stage };
    let raw = crate::tickets::reply_to(&recorder.messages()[0], "", "What was it?");
    at(&stage, "2022-09-26T05:00:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
    let ticket = stage.run.csv(&["ticket", "list", SLUG])[0]["ticket"].clone();
    at(&stage, "2022-09-26T05:10:00Z").ok(&["ticket", "assign", &ticket, "bob"]);
    work(&stage, "2022-09-26T06:30:00Z", &recorder);
    let to: Vec<String> = recorder.messages().iter().map(|mail| mail.recipients[0].clone()).collect();
    assert_eq!(to.last().map(String::as_str), Some("bob@vendor.example"));
}

#[test]
fn a_role_of_somebody_whom_nobody_knows_is_refused_with_its_place() {
    let stage = Stage::with_clock(Backend::Sqlite, Clock::Moved);
    for (text, says) in [
        ("[roles]\npress = [\"zoe\"]\n", "roles.press names `zoe`"),
        ("[people]\nana = \"nobody\"\n", "people.ana"),
        (
            "[rotations.night]\npeople = [\"zoe\"]\nhandover = \"09:00\"\nstart = \"2022-01-01\"\n",
            "rotations.night names `zoe`",
        ),
        ("[rotations.night]\npeople = []\nhandover = \"09:00\"\nstart = \"2022-01-01\"\n", "without people"),
    ] {
        let file = stage.file("bad.toml", text);
        let refused = stage.run.with("FORTHRIGHT_CONFIG", path(&file)).run(&["incident", "list"]);
        assert_eq!(refused.status, 1, "{text}: {}", refused.stderr);
        assert!(refused.stderr.contains(says), "{says}: {}", refused.stderr);
    }
}
