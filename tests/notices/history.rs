//! The change log of one organisation: what was said, what was new or wrong, why, and what is not told yet.

use testkit::process::Backend;
use testkit::smtp::Recorder;

use crate::genuine::Serving;
use crate::setup::{SLUG, Stage, readable};

const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

/// (version, state, what, detail, why), a line each.
fn lines(stage: &Stage, tenant: &str) -> Vec<[String; 5]> {
    let rows = stage.run.csv(&["notice", "changes", SLUG, tenant]);
    rows.into_iter()
        .map(|row| ["version", "state", "what", "detail", "why"].map(|column| row[column].clone()))
        .collect()
}

fn has(lines: &[[String; 5]], wanted: [&str; 5]) {
    assert!(lines.iter().any(|line| line.each_ref().map(String::as_str) == wanted), "{wanted:?} in {lines:#?}");
}

#[test]
fn the_change_log_says_version_by_version_what_was_said_what_was_wrong_and_why() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let fresh = lines(&stage, "t-00001");
        has(
            &fresh,
            [
                "",
                "not told yet",
                "said",
                "org00001.example: objects 1, references 1, emails 1, users 1, projects 1, type:invoice 1",
                "",
            ],
        );
        let send = |wave: &str| {
            stage.run.ok(&["notice", "draft", SLUG]);
            stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
            stage.run.as_actor("lead").ok(&["wave", "release", SLUG, wave, "--all"]);
            let recorder = Recorder::start().unwrap();
            stage.work(&recorder);
            recorder.messages().iter().map(readable).collect::<Vec<_>>()
        };
        send("first");
        let row = "late/1.pdf,org00001.example,,contract,2021-05-06,7,,\n";
        let late = stage.file("late.csv", &format!("{HEADER}{row}"));
        stage.import(&[&late], &stage.file("none.txt", "free.example\n"));
        has(&lines(&stage, "t-00001"), ["", "not told yet", "new", "org00001.example objects: 2 (before: 1)", ""]);
        send("second");
        stage.run.ok(&["exposure", "withdraw", SLUG, "late.csv", "--why", "of another incident"]);
        let third = send("third");

        let log = lines(&stage, "t-00001");
        has(
            &log,
            [
                "1",
                "released",
                "said",
                "org00001.example: objects 1, references 1, emails 1, users 1, projects 1, type:invoice 1",
                "",
            ],
        );
        has(&log, ["2", "released", "new", "org00001.example objects: 2 (before: 1)", "further records"]);
        has(&log, ["2", "released", "new", "org00001.example type:contract: 1 (before: 0)", "further records"]);
        has(&log, ["3", "released", "wrong", "org00001.example objects: 1 (before: 2)", "records taken back"]);
        assert!(log.iter().all(|line| line[1] != "not told yet"), "{log:?}");
        assert_eq!(lines(&stage, "t-00000").len(), 1, "of the other organisation nothing changed");

        // The letter itself names the notices before it by time and code.
        let versions = stage.run.json(&["notice", "changes", SLUG, "t-00001"]);
        let read: String = third[0].split_whitespace().collect::<Vec<_>>().join(" ");
        for earlier in [0, 1] {
            let (code, at) =
                (versions[earlier]["code"].as_str().unwrap(), versions[earlier]["released_at"].as_str().unwrap());
            let named = format!("{} {} UTC [{code}]", &at[..10], &at[11..16]);
            assert!(read.contains(&named), "{named} in {read}");
            assert!(versions[earlier]["told_at"].is_string());
        }
        assert_eq!(versions[2]["supplements"], serde_json::json!([versions[1]["code"], versions[0]["code"]]));

        // The console shows the same, of this organisation alone.
        let serving = Serving::start(&stage);
        let page = serving.get(&format!("/incidents/{SLUG}/organisations/t-00001"), "");
        for said in [
            "Version 1: initial, released",
            "Version 2: supplement, released",
            "Version 3: correction, released",
            "org00001.example objects: 2 (before: 1)",
            "org00001.example objects: 1 (before: 2)",
            "Why: records taken back.",
            "Approved <time",
            "by counsel.",
        ] {
            assert!(page.contains(said), "{said} is missing in:\n{page}");
        }
        for version in versions.as_array().unwrap() {
            assert!(page.contains(version["code"].as_str().unwrap()), "{page}");
        }
        assert!(!page.contains("org00000"), "{page}");
        let link = format!("href=\"/incidents/{SLUG}/organisations/t-00001\"");
        assert!(serving.get(&format!("/incidents/{SLUG}"), "").contains(&link));
        assert!(serving.get(&format!("/incidents/{SLUG}/organisations/t-99999"), "").starts_with("HTTP/1.1 404"));
    }
}

#[test]
fn what_was_withdrawn_says_so_and_an_organisation_of_which_nothing_is_known_is_an_error() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    let row = "late/1.pdf,org00001.example,,contract,2021-05-06,7,,\n";
    let late = stage.file("late.csv", &format!("{HEADER}{row}"));
    stage.import(&[&late], &stage.file("none.txt", "free.example\n"));
    stage.run.ok(&["notice", "draft", SLUG]);
    let log = lines(&stage, "t-00001");
    has(&log, ["1", "withdrawn", "withdrawn", "before it was released", ""]);
    has(
        &log,
        [
            "2",
            "drafted",
            "said",
            "org00001.example: objects 2, references 2, emails 1, users 1, projects 1, type:contract 1, type:invoice 1",
            "",
        ],
    );
    let unknown = stage.run.run(&["notice", "changes", SLUG, "t-99999"]);
    assert!(unknown.status == 1 && unknown.stderr.contains("hint:"), "{}", unknown.stderr);
}
