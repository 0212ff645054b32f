//! Intake: every figure equals the expected one, from any format, doubled, shuffled, cut, interrupted.

mod corrections;
mod erasure;
mod forms;
mod hostile;
mod interruptions;
mod proofs;
mod sheets;

use std::path::Path;

use serde_json::Value;
use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path};

pub(crate) fn check_totals(stage: &Stage, expected: &Value) {
    let totals = stage.run.json(&["exposure", "totals", SLUG]);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&totals[key], value, "{key}");
    }
}

pub(crate) fn check_sample(stage: &Stage) {
    check_totals(stage, &testkit::data::sample_totals());
    check_facts(stage, &testkit::data::sample_fact_lines());
}

pub(crate) fn check_facts(stage: &Stage, expected: &[String]) {
    let printed = stage.run.ok(&["exposure", "facts", SLUG, "--csv"]);
    let lines: Vec<&str> = printed.lines().skip(1).collect();
    assert_eq!(lines, expected);
}

/// Every figure of a generated incident.
pub(crate) fn check_incident(stage: &Stage, expected: &testkit::generator::Expected) {
    check_totals(stage, &expected.totals.json());
    let lines: Vec<String> = expected.facts.iter().map(|fact| fact.csv_line()).collect();
    check_facts(stage, &lines);
}

pub(crate) fn sample(backend: Backend, files: &[&str]) -> Stage {
    let stage = Stage::new(backend);
    let folder = testkit::data::sample();
    stage.sample_directory();
    let files: Vec<_> = files.iter().map(|name| folder.join(name)).collect();
    let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    stage.import(&files, &folder.join("freemail.txt"));
    stage
}

#[test]
fn the_sample_gives_its_figures_from_csv_and_from_json_lines_on_both_databases() {
    for backend in Backend::each() {
        check_sample(&sample(backend, &["manifest.csv"]));
        check_sample(&sample(backend, &["manifest.jsonl"]));
    }
}

#[test]
fn the_same_file_again_changes_nothing_under_any_name() {
    let stage = sample(Backend::Sqlite, &["manifest.csv", "manifest.csv"]);
    check_sample(&stage);
    let copy = stage.folder.path().join("other-name.csv");
    std::fs::copy(testkit::data::sample().join("manifest.csv"), &copy).unwrap();
    let said = stage.run.json(&["exposure", "import", SLUG, path(&copy)]);
    assert!(said["already_counted_at"].is_string(), "{said}");
    check_sample(&stage);
}

#[test]
fn counting_again_on_purpose_changes_raw_references_only() {
    let stage = sample(Backend::Sqlite, &["manifest.csv"]);
    let before = stage.run.json(&["exposure", "totals", SLUG]);
    let file = testkit::data::sample().join("manifest.csv");
    let again = stage.run.run(&["exposure", "import", SLUG, path(&file), "--again", "--why", "a second export"]);
    assert_eq!(again.status, 3, "{}", again.stderr);
    let after = stage.run.json(&["exposure", "totals", SLUG]);
    for key in ["rows", "accepted_rows", "organisation_rows", "shared_rows", "unmapped_rows"] {
        assert_eq!(after[key].as_i64().unwrap(), 2 * before[key].as_i64().unwrap(), "{key}");
    }
    for key in
        ["organisations", "objects", "emails", "users", "projects", "bytes", "tenants_affected", "data_type_objects"]
    {
        assert_eq!(after[key], before[key], "{key}");
    }
}

#[test]
fn shuffled_or_cut_in_two_the_figures_stay() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["manifest.csv", "manifest.jsonl"] {
        let copy = folder.path().join(name);
        std::fs::copy(testkit::data::sample().join(name), &copy).unwrap();
        let shuffled = testkit::generator::shuffle(&copy, 3).unwrap();
        let stage = Stage::new(Backend::Sqlite);
        stage.sample_directory();
        stage.import(&[&shuffled], &testkit::data::sample().join("freemail.txt"));
        check_sample(&stage);
        let stage = Stage::new(Backend::Sqlite);
        stage.sample_directory();
        let halves = testkit::generator::cut(&copy, 1_500).unwrap();
        let halves: Vec<&Path> = halves.iter().map(|half| half.as_path()).collect();
        stage.import(&halves, &testkit::data::sample().join("freemail.txt"));
        check_sample(&stage);
    }
}

#[test]
fn other_incidents_of_the_samples_shape_give_their_figures() {
    for (backend, seed) in [(Backend::Sqlite, 11), (Backend::Postgres, 12), (Backend::Sqlite, 13)] {
        let stage = Stage::new(backend);
        let expected = stage.generated(seed, 6_000);
        check_incident(&stage, &expected);
    }
}

#[test]
fn every_reject_is_kept_with_its_line_reason_and_text() {
    let stage = Stage::new(Backend::Sqlite);
    let manifest = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n\
        a.pdf,good.example,,invoice,2020-01-01,1,p,u\n\
        too,few\n\
        \n\
        b.pdf,,nobody,invoice,2020-01-01,1,p,u\n\
        \"c\nd.pdf\",bad_domain,,invoice,2020-01-01,1,p,u\n\
        e.pdf,...,,invoice,2020-01-01,1,p,u\n";
    let file = stage.file("m.csv", manifest);
    assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&file)]).status, 3);
    let rejects = stage.run.csv(&["exposure", "rejects", SLUG]);
    let seen: Vec<(&str, &str)> = rejects.iter().map(|row| (row["line"].as_str(), row["reason"].as_str())).collect();
    assert_eq!(seen, [("3", "columns"), ("5", "no_domain"), ("6", "bad_domain"), ("8", "bad_domain")]);
    assert_eq!(rejects[0]["raw"], "too,few");
    assert_eq!(stage.run.json(&["exposure", "totals", SLUG])["blank_lines"], 1);
}
