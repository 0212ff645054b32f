//! Obligations: what a notice lacks is found for each organisation, and nothing is called complete that is not.

mod elements;

use std::collections::HashMap;

use testkit::process::{Backend, Forthright};

use crate::setup::{SLUG, Stage, path, review};

type Row = HashMap<String, String>;

/// The exit code and the lines of `notice check --csv`.
fn check(run: &Forthright, more: &[&str]) -> (i32, Vec<Row>) {
    let output = run.run(&[&["notice", "check", SLUG, "--csv"], more].concat());
    assert!(output.stderr.contains("This is no legal advice"), "{}", output.stderr);
    let rows = csv::Reader::from_reader(output.stdout.as_bytes()).deserialize().collect::<Result<_, _>>();
    (output.status, rows.unwrap())
}

/// Its findings as (tenant, element, finding), without what is only recommended.
fn findings(run: &Forthright, more: &[&str]) -> (i32, Vec<(String, String, String)>) {
    let (status, rows) = check(run, more);
    let firm = rows.into_iter().filter(|row| row["finding"] != "recommended");
    (status, firm.map(|row| (row["tenant_id"].clone(), row["element"].clone(), row["finding"].clone())).collect())
}

#[track_caller]
fn expect(run: &Forthright, obligation: &str, status: i32, expect: &[(&str, &str)]) {
    let (found_status, found) = findings(run, &["--obligations", obligation]);
    let of = |tenant: &str| expect.iter().map(|(a, b)| (tenant.to_owned(), (*a).to_owned(), (*b).to_owned())).collect();
    let wanted: Vec<_> = ["t-00000", "t-00001"].into_iter().flat_map(|tenant| -> Vec<_> { of(tenant) }).collect();
    assert_eq!((found_status, found), (status, wanted), "{obligation}");
}

fn state(stage: &Stage, element: &str, text: &str) {
    let file = stage.file("statement.txt", text);
    stage.run.ok(&["incident", "state", SLUG, element, "--text", path(&file)]);
}

fn draft(stage: &Stage) {
    stage.run.ok(&["notice", "draft", SLUG]);
}

#[test]
fn what_the_vendor_has_not_stated_is_found_and_what_was_stated_is_enough() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let run = &stage.run;
        assert_eq!(run.run(&["notice", "check", SLUG]).status, 1, "nothing is drafted, so nothing can be complete");
        draft(&stage);
        expect(run, "eu-gdpr-33-processor", 4, &[("what_happened", "empty")]);
        state(&stage, "what_happened", "A storage server could be read without a password.\n");
        expect(run, "eu-gdpr-33-processor", 4, &[("what_happened", "empty")]);
        draft(&stage);
        expect(run, "eu-gdpr-33-processor", 0, &[("", "ok")]);
        // Nothing was stated of measures, and this one asks for them and for whom it is at all.
        expect(run, "eu-dora-clients", 4, &[("measures_taken", "empty"), ("", "conditional")]);
        // The one that forbids to say what happened.
        let forbidden = [
            ("police_report_right", "missing"),
            ("security_freeze_instructions", "missing"),
            ("what_happened", "forbidden"),
            ("credit_monitoring_offer", "conditional"),
        ];
        expect(run, "us-ma-resident", 4, &forbidden);
        expect(run, "eu-cra-users", 0, &[("", "not-in-force")]);
    }
}

#[test]
fn a_statement_without_words_fills_no_block() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    for text in [".", " – \n\n … ", "n/a", "TBD"] {
        state(&stage, "what_happened", text);
        draft(&stage);
        expect(&stage.run, "eu-gdpr-33-processor", 4, &[("what_happened", "empty")]);
    }
}

#[test]
fn what_two_people_withhold_is_told_to_whoever_checks_an_obligation_that_wants_it() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        state(&stage, "what_happened", "A storage server could be read without a password.");
        let withhold = ["notice", "withhold", SLUG, "t-00001", "emails", "--review", &review()];
        let id = stage.run.json(&[&withhold[..], &["--why", "The police asked us to wait."]].concat());
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", id["withholding"].as_str().unwrap()]);
        draft(&stage);
        let (status, rows) = check(&stage.run, &["--obligations", "jp-appi-entrustee,eu-gdpr-33-processor"]);
        assert_eq!(status, 4);
        let withheld: Vec<&Row> = rows.iter().filter(|row| row["finding"] == "withheld").collect();
        assert_eq!(withheld.len(), 1, "one obligation wants it, one organisation is not told: {rows:?}");
        let named = ["tenant_id", "obligation", "element"].map(|column| withheld[0][column].as_str());
        assert_eq!(named, ["t-00001", "jp-appi-entrustee", "affected_count"]);
        let detail = &withheld[0]["detail"];
        let why =
            format!("emails withheld until {} because The police asked us to wait; this obligation wants it", review());
        assert!(detail.starts_with(&why), "{detail}");
        let by_template = check(&stage.run, &["--obligations", "jp-appi-entrustee", "--template", "notice"]).1;
        assert_eq!(by_template.iter().filter(|row| row["finding"] == "withheld").count(), 1);
    }
}

#[test]
fn a_late_notice_has_to_say_why() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        state(&stage, "what_happened", "A storage server could be read without a password.");
        draft(&stage);
        let run = &stage.run;
        expect(run, "ke-dpa-processor", 4, &[("delay_reason", "late")]);
        state(&stage, "delay_reason", "It took a month to find out whose files they were.");
        draft(&stage);
        expect(run, "ke-dpa-processor", 0, &[("", "ok"), ("delay_reason", "late")]);
        // A clock that no event started is a question; the event starts it.
        expect(run, "us-fl-agent", 0, &[("", "ok"), ("", "conditional")]);
        let at = "2022-09-26T08:00:00Z";
        run.ok(&["incident", "event", SLUG, "determined_breach", "--at", at, "--why", "memo of counsel"]);
        expect(run, "us-fl-agent", 0, &[("", "ok"), ("delay_reason", "late")]);
        state(&stage, "delay_reason", "");
        draft(&stage);
        expect(run, "us-fl-agent", 4, &[("delay_reason", "late")]);
        let (_, rows) = check(run, &["--obligations", "us-fl-agent", "--tenant", "t-00001"]);
        assert_eq!(rows.len(), 1);
        assert!(rows[0]["detail"].contains("over at 2022-10-06T08:00:00Z"), "{:?}", rows[0]);
        assert!(rows[0]["source"].starts_with("Fla. Stat. 501.171") && rows[0]["confidence"] == "high");
    }
}

#[test]
fn without_a_choice_everything_owed_to_organisations_and_in_force_is_checked() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    draft(&stage);
    let output = stage.run.run(&["notice", "check", SLUG, "--json"]);
    assert_eq!(output.status, 4);
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(document["disclaimer"].as_str().unwrap().starts_with("This is no legal advice"));
    assert_eq!((&document["organisations"], &document["refused"]), (&2.into(), &2.into()));
    assert_eq!(document["not_in_force"][0]["obligation"], "eu-cra-users");
    let obligations = document["obligations"].as_array().unwrap();
    assert_eq!(obligations.len(), 14);
    for checked in obligations {
        let to = checked["obligation"]["to"].as_str().unwrap();
        assert!(["customers", "owner"].contains(&to), "{to}");
        assert_eq!(checked["groups"].as_array().unwrap().len(), 1, "both organisations are alike");
        assert_eq!(checked["groups"][0]["tenants"], serde_json::json!(["t-00000", "t-00001"]));
    }
    assert_eq!(stage.run.run(&["notice", "check", SLUG, "--obligations", "eu-gdpr-99"]).status, 2);
    assert_eq!(stage.run.run(&["notice", "check", SLUG, "--template", "letter"]).status, 2);
    assert_eq!(stage.run.run(&["notice", "check", SLUG, "--tenant", "t-99999"]).status, 1);
}

#[test]
fn a_notice_of_which_nobody_noted_what_it_says_is_not_called_complete() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        state(&stage, "what_happened", "A storage server could be read without a password.");
        draft(&stage);
        crate::tickets::raw_sql(&stage, "UPDATE notices SET elements = NULL").unwrap();
        expect(&stage.run, "ch-fadp-processor", 4, &[("", "unknown")]);
        let by_template = ["--obligations", "ch-fadp-processor", "--template", "notice"];
        assert_eq!(findings(&stage.run, &by_template).0, 0);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        let refused = crate::tickets::raw_sql(&stage, "UPDATE notices SET elements = '{}'");
        assert!(refused.is_err_and(|error| error.contains("notices_are_frozen")));
    }
}

#[test]
fn a_new_statement_makes_drafts_stale_and_supplements_what_was_released() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        draft(&stage);
        state(&stage, "cause", "A wrong rule of a firewall.");
        let refused = stage.run.as_actor("counsel").run(&["notice", "approve", SLUG, "--all"]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        stage.release();
        assert_eq!(stage.run.json(&["notice", "draft", SLUG])["kept"], 2);
        state(&stage, "next_update", "Next week.");
        draft(&stage);
        let newest: Vec<_> =
            stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["state"] == "drafted").collect();
        assert!(newest.len() == 2 && newest.iter().all(|row| row["kind"] == "supplement"), "{newest:?}");
        let text = stage.run.ok(&["notice", "preview", SLUG, "t-00000"]);
        assert!(text.contains("A wrong rule of a firewall.") && text.contains("Next week."), "{text}");
        // The organisations were told in time of nothing: the first notice counts, not the supplement.
        let (_, rows) = check(&stage.run, &["--obligations", "ke-dpa-processor"]);
        assert!(rows.iter().any(|row| row["detail"].contains("the organisation was told at 2")), "{rows:?}");
    }
}

#[test]
fn an_incident_file_states_elements_and_refuses_others() {
    let stage = Stage::new(Backend::Sqlite);
    let head = "title = \"T\"\nvendor = \"V\"\ndiscovered_at = 2022-09-24\n[statements]\n";
    let good = stage.file("good.toml", &format!("slug = \"good\"\n{head}cause = \"A wrong rule.\"\n"));
    stage.run.ok(&["incident", "open", path(&good)]);
    assert_eq!(stage.run.json(&["incident", "show", "good"])["incident"]["statements"]["cause"], "A wrong rule.");
    for (name, line, why) in [
        ("bad", "casue = \"x\"", "cannot state `casue`"),
        ("twice", "what_happened = \"x\"", "key of its own"),
        ("data", "data_types = \"all\"", "cannot state `data_types`"),
    ] {
        let file = stage.file("bad.toml", &format!("slug = \"{name}\"\n{head}{line}\n"));
        let output = stage.run.run(&["incident", "open", path(&file)]);
        assert!(output.status == 1 && output.stderr.contains(why), "{}", output.stderr);
    }
    let file = stage.file("s.txt", "x");
    let output = stage.run.run(&["incident", "state", "good", "data_types", "--text", path(&file)]);
    assert!(output.status == 1 && output.stderr.contains("cannot state `data_types`"), "{}", output.stderr);
}

#[test]
fn the_table_is_shown_with_source_and_confidence_and_needs_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let run = Forthright::new(crate::setup::bin(), &nowhere, Backend::Sqlite);
    let rows = run.csv(&["notice", "obligations"]);
    assert_eq!(rows.len(), 77);
    assert!(rows.iter().all(|row| !row["source"].is_empty() && !row["confidence"].is_empty()));
    let india = rows.iter().find(|row| row["id"] == "in-dpdp-person").unwrap();
    assert_eq!((india["effective"].as_str(), india["audience"].as_str()), ("from 2027-05-13", "persons"));
    assert!(!nowhere.exists());
}
