//! Texts for others than the organisations: held against the same facts, line by line.

use std::collections::HashMap;

use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path};

/// The exit code, and (line, finding, said) of each finding.
fn check(stage: &Stage, text: &str) -> (i32, Vec<(String, String, String)>) {
    let file = stage.file("text.txt", text);
    let output = stage.run.run(&["report", "check", SLUG, path(&file), "--csv"]);
    let rows: Result<Vec<HashMap<String, String>>, _> =
        csv::Reader::from_reader(output.stdout.as_bytes()).deserialize().collect();
    let row = |row: &HashMap<String, String>| (row["line"].clone(), row["finding"].clone(), row["said"].clone());
    (output.status, rows.unwrap().iter().map(row).collect())
}

fn own(line: &str, finding: &str, said: &str) -> (String, String, String) {
    (line.to_owned(), finding.to_owned(), said.to_owned())
}

/// Withholds a fact from everybody, by two people.
fn withhold(stage: &Stage, fact: &str) {
    let hide =
        ["notice", "withhold", SLUG, "--all", fact, "--why", "The police asked.", "--review", "2099-01-01T00:00:00Z"];
    let id = stage.run.json(&hide)["withholding"].as_str().unwrap().to_owned();
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
}

#[test]
fn a_press_text_that_says_what_the_facts_say_passes_and_each_contradiction_is_listed_with_its_line() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        let fine = "On 24 September 2022 Example Cloud discovered that 3 files of 3 organisations were exposed.\n\
                    They held three invoices; the documents are of 2 January 2020. 3 e-mail addresses are among them.\n";
        assert_eq!(check(&stage, fine), (0, Vec::new()));
        let wrong = fine.replace("24 September", "19 October").replace("3 organisations", "4\norganisations");
        let wrong = format!("{wrong}No password in clear text or reversible was found. Ask us within 10 days.\n");
        let (status, found) = check(&stage, &wrong);
        let expect =
            [own("1", "contradicts", "19 October 2022"), own("1", "contradicts", "4"), own("4", "cannot-tell", "10")];
        assert_eq!((status, found.as_slice()), (4, &expect[..]));
        assert_eq!(check(&stage, "Ask us within 10 days.").0, 0, "what no fact says is for a person to judge");
    }
}

#[test]
fn what_is_withheld_from_everybody_is_in_no_text_and_a_recorded_event_is_a_fact() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(3);
    let text = "3 users are named in 3 references to invoices. Contained on 26.09.2022.";
    assert_eq!(check(&stage, text).1, [own("1", "cannot-tell", "26.09.2022")]);
    stage.run.ok(&["incident", "event", SLUG, "contained", "--at", "2022-09-26T08:00:00Z", "--why", "memo"]);
    assert_eq!(check(&stage, text), (0, Vec::new()));
    let hide = ["notice", "withhold", SLUG, "--all", "users", "--why", "police", "--review", "2099-01-01T00:00:00Z"];
    let id = stage.run.json(&hide)["withholding"].as_str().unwrap().to_owned();
    assert_eq!(check(&stage, text).0, 0, "one person alone hides nothing");
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
    assert_eq!(check(&stage, text), (4, vec![own("1", "withheld", "3")]));
    withhold(&stage, "references");
    withhold(&stage, "type:invoice");
    let expect = [own("1", "withheld", "3"), own("1", "withheld", "3"), own("1", "withheld", "invoices")];
    assert_eq!(check(&stage, text), (4, expect.to_vec()));
}
