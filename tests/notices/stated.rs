//! A statement or a period that changed: named with what was said before, to those who were told that.

use testkit::process::Backend;
use testkit::smtp::Recorder;

use crate::setup::{SLUG, Stage, path};

fn state(stage: &Stage, element: &str, text: &str) {
    let file = stage.file("words.txt", text);
    stage.run.ok(&["incident", "state", SLUG, element, "--text", path(&file)]);
}

fn approve_and_release(stage: &Stage, wave: &str) {
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    stage.run.as_actor("lead").ok(&["wave", "release", SLUG, wave, "--all"]);
}

fn words(stage: &Stage, tenant: &str) -> String {
    let text = stage.run.ok(&["notice", "preview", SLUG, tenant]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_changed_statement_is_named_with_what_was_said_before_to_those_who_were_told() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        state(&stage, "cause", "A password was missing.");
        stage.run.ok(&["notice", "draft", SLUG]);
        let tenants = stage.file("one.txt", "t-00000\n");
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "first", "--tenants", path(&tenants)]);
        state(&stage, "cause", "A key was published.");
        stage.run.ok(&["notice", "draft", SLUG]);
        let rows = stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["state"] == "drafted");
        let mut kinds: Vec<_> = rows.map(|row| (row["tenant_id"].clone(), row["kind"].clone())).collect();
        kinds.sort();
        let wanted = [("t-00000", "supplement"), ("t-00001", "initial")];
        assert_eq!(kinds, wanted.map(|(tenant, kind)| (tenant.to_owned(), kind.to_owned())), "{backend:?}");
        let told = words(&stage, "t-00000");
        let line = "- how it came about: “A key was published.” (before: “A password was missing.”)";
        assert!(told.contains(line) && told.contains("We have changed what we state about the incident."), "{told}");
        let fresh = words(&stage, "t-00001");
        assert!(!fresh.contains("A password was missing."), "{backend:?}: nobody told them that: {fresh}");
        approve_and_release(&stage, "second");
        assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 0, "{backend:?}: once");
    }
}

#[test]
fn a_statement_that_is_stated_as_before_is_no_supplement() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    state(&stage, "cause", "A password was missing.");
    stage.release();
    state(&stage, "cause", "A key was published.");
    stage.run.ok(&["notice", "draft", SLUG]);
    state(&stage, "cause", "A password was missing.");
    let done = stage.run.json(&["notice", "draft", SLUG]);
    assert_eq!((&done["kept"], &done["withdrawn"]), (&1.into(), &1.into()), "{done}");
}

#[test]
fn a_period_that_was_too_long_is_a_correction_that_says_what_was_said_what_is_right_and_why() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let none = stage.file("none.txt", "free.example\n");
        let import = |name: &str, rows: &[&str]| {
            let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
            stage.import(&[&stage.file(name, &format!("{header}{}\n", rows.join("\n")))], &none);
        };
        import("early.csv", &["early/1.pdf,org00001.example,,invoice,2017-03-01,7,,"]);
        stage.release();
        stage.work(&Recorder::start().unwrap());
        // More objects than before, none of them as old: the period alone was wrong.
        stage.run.ok(&["exposure", "withdraw", SLUG, "early.csv", "--why", "its date was misread"]);
        let more = |n: usize| format!("late/{n}.pdf,org00001.example,,invoice,2020-01-02,7,,");
        import("late.csv", &[&more(1), &more(2)]);
        stage.run.ok(&["notice", "draft", SLUG]);
        let rows = stage.run.csv(&["notice", "list", SLUG]);
        let drafted = rows.iter().find(|row| row["state"] == "drafted").unwrap();
        assert_eq!((drafted["tenant_id"].as_str(), drafted["kind"].as_str()), ("t-00001", "correction"), "{backend:?}");
        let text = words(&stage, "t-00001");
        let line = "document dates: 2020-01-02 – 2020-01-02 (before: 2017-03-01 – 2020-01-02)";
        assert!(text.contains(line) && text.contains("We have taken back records"), "{text}");
    }
}
