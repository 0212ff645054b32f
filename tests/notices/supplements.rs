//! One row changed, one organisation is told, once: whatever changed it.

use std::collections::BTreeSet;

use testkit::process::Backend;
use testkit::smtp::Recorder;

use crate::setup::{SLUG, Stage, path, readable};
use crate::tickets::raw_sql;

const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

/// What drafting wrote, as (tenant, kind), and what it left as it was; then all of it is approved and released.
fn told(stage: &Stage, wave: &str) -> BTreeSet<(String, String)> {
    let done = stage.run.json(&["notice", "draft", SLUG]);
    let rows = stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["state"] == "drafted");
    let drafted: BTreeSet<_> = rows.map(|row| (row["tenant_id"].clone(), row["kind"].clone())).collect();
    assert_eq!(
        (done["drafted"].as_u64().unwrap(), done["changed"].as_u64()),
        (drafted.len() as u64, Some(0)),
        "{done}"
    );
    if !drafted.is_empty() {
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, wave, "--all"]);
    }
    drafted
}

#[track_caller]
fn one(found: BTreeSet<(String, String)>, tenant: &str, kind: &str) {
    assert_eq!(found, BTreeSet::from([(tenant.to_owned(), kind.to_owned())]));
}

#[test]
fn one_row_more_among_many_organisations_is_one_supplement_each_time() {
    for (backend, seed) in [(Backend::Sqlite, 41), (Backend::Postgres, 42)] {
        let stage = Stage::new(backend);
        let expected = stage.generated(seed, 3_000);
        assert!(told(&stage, "first").len() > 40);
        let told_at_all = expected.tenants.iter().filter(|tenant| !tenant.recipients.is_empty());
        for (n, tenant) in told_at_all.step_by(13).take(4).enumerate() {
            let row = format!("late/{n}.pdf,mail.{},late@{0},invoice,2021-05-06,7,,\n", tenant.domains[0]);
            let file = stage.file(&format!("late-{n}.csv"), &format!("{HEADER}{row}"));
            stage.import(&[&file], &stage.file("none.txt", "free.example\n"));
            one(told(&stage, &format!("late-{n}")), &tenant.tenant_id, "supplement");
        }
        assert_eq!(told(&stage, "never"), BTreeSet::new(), "nobody is told the same twice");
    }
}

#[test]
fn a_supplement_follows_the_newest_notice_that_its_contact_has_and_opens_a_thread_for_who_had_none() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let recorder = Recorder::start().unwrap();
        let (security, second) = ("security@org00001.example", "second@org00001.example");
        let late = |n: usize| {
            let row = format!("late/{n}.pdf,org00001.example,,invoice,2021-05-06,7,,\n");
            let file = stage.file(&format!("late-{n}.csv"), &format!("{HEADER}{row}"));
            stage.import(&[&file], &stage.file("none.txt", "free.example\n"));
        };
        told(&stage, "first");
        stage.work(&recorder);
        late(1);
        told(&stage, "second");
        stage.work(&recorder);
        let add = ["directory", "add-contact", "t-00001", "--role", "security", "--name", "Second", "--email", second];
        stage.run.ok(&[&add[..], &["--why", "named by telephone"]].concat());
        late(2);
        told(&stage, "third");
        stage.work(&recorder);

        let to = |address: &str| -> Vec<[Option<String>; 3]> {
            let mails = recorder.messages().into_iter().filter(|mail| mail.recipients == [address]);
            mails.map(|mail| ["Message-ID", "In-Reply-To", "References"].map(|name| mail.header(name))).collect()
        };
        let (first, newcomer) = (to(security), to(second));
        assert_eq!((first.len(), newcomer.len()), (3, 1), "{backend:?}");
        assert_eq!(first[0][1], None, "{backend:?}");
        for (before, after) in [(&first[0], &first[1]), (&first[1], &first[2])] {
            assert_eq!(after[1], before[0], "{backend:?}");
            let both = format!("{} {}", before[0].as_ref().unwrap(), after[0].as_ref().unwrap());
            assert_eq!(after[2].as_ref(), Some(&both), "{backend:?}");
        }
        assert_eq!((&newcomer[0][1], &newcomer[0][2]), (&None, &newcomer[0][0]), "{backend:?}");
    }
}

#[test]
fn what_was_taken_back_before_it_was_told_is_no_supplement() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        assert_eq!(told(&stage, "first").len(), 3);
        let file = stage.file("late.csv", &format!("{HEADER}late/1.pdf,org00001.example,,invoice,2021-05-06,7,,\n"));
        stage.import(&[&file], &stage.file("none.txt", "free.example\n"));
        assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 1);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.ok(&["exposure", "withdraw", SLUG, "late.csv", "--why", "another customer's"]);
        let done = stage.run.json(&["notice", "draft", SLUG]);
        assert_eq!((&done["kept"], &done["withdrawn"]), (&3.into(), &1.into()), "{backend:?}: {done}");
        assert_eq!(told(&stage, "never"), BTreeSet::new(), "{backend:?}: nobody is told the same twice");
    }
}

#[test]
fn a_mended_row_is_one_supplement_and_a_manifest_counted_twice_by_mistake_is_one_correction() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(4);
        let none = stage.file("none.txt", "free.example\n");
        let rows = |third: &str| {
            let good: String =
                (0..3).map(|n| format!("m/{n}.pdf,org0000{n}.example,,invoice,2020-01-02,9,,\n")).collect();
            format!("{HEADER}{good}m/9.pdf,{third},,contract,2020-01-04,30,,\n")
        };
        stage.import(&[&stage.file("m.csv", &rows("no_host"))], &none);
        assert_eq!(told(&stage, "first").len(), 4);

        // A corrected copy: the rows that were counted before are no news.
        stage.import(&[&stage.file("mended.csv", &rows("org00003.example"))], &none);
        one(told(&stage, "mended"), "t-00003", "supplement");

        // The same references once more: raw references grow, and were wrong as soon as they are taken back.
        let twice = stage.file("twice.csv", &format!("{HEADER}m/1.pdf,org00001.example,,invoice,2020-01-02,9,,\n"));
        stage.import(&[&twice], &none);
        one(told(&stage, "twice"), "t-00001", "supplement");
        stage.work(&Recorder::start().unwrap());
        let why = ["--why", "the same references as in m.csv"];
        stage.run.ok(&[&["exposure", "withdraw", SLUG, "twice.csv"], &why[..]].concat());
        one(told(&stage, "once"), "t-00001", "correction");
        let text = stage.run.ok(&["notice", "preview", SLUG, "t-00001"]);
        assert!(text.contains("number of references: 2 (before: 3)"), "{text}");
        assert!(!text.contains("number of objects: "), "objects never moved: {text}");
    }
}

#[test]
fn a_domain_that_moves_is_news_to_whom_it_goes_and_a_correction_to_whom_it_leaves() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        let rows = "x/1.pdf,second.example,,invoice,2020-01-02,9,,\n";
        let directory = "domain,tenant_id,tenant_name,country,language\nsecond.example,t-00001,Organisation 1,US,en\n";
        let mut all = String::from(directory);
        for n in 0..3 {
            all.push_str(&format!("org0000{n}.example,t-0000{n},Organisation {n},US,en\n"));
        }
        stage.run.ok(&["directory", "import", "--organisations", path(&stage.file("d2.csv", &all))]);
        stage.import(&[&stage.file("x.csv", &format!("{HEADER}{rows}"))], &stage.file("none.txt", "free.example\n"));
        assert_eq!(told(&stage, "first").len(), 3);
        stage.work(&Recorder::start().unwrap());
        stage.run.ok(&["mapping", "assign", SLUG, "second.example", "t-00002", "--why", "sold in 2021"]);
        let found = told(&stage, "moved");
        let wanted = [("t-00001", "correction"), ("t-00002", "supplement")];
        assert_eq!(found, wanted.iter().map(|(tenant, kind)| ((*tenant).to_owned(), (*kind).to_owned())).collect());
        let text = stage.run.ok(&["notice", "preview", SLUG, "t-00001"]);
        let read = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(read.contains("second.example: is not yours; what we wrote about it was wrong"), "{text}");
    }
}

#[test]
fn who_loses_everything_that_they_were_told_of_is_told_once_that_it_does_not_concern_them() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        assert_eq!(told(&stage, "first").len(), 3);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let assign = |tenant: &str| {
            stage.run.ok(&["mapping", "assign", SLUG, "org00001.example", tenant, "--why", "looked up"]);
        };
        let both = |loses: &str, gets: &str| {
            BTreeSet::from([(loses.to_owned(), "correction".to_owned()), (gets.to_owned(), "supplement".to_owned())])
        };
        assign("t-00002");
        assert_eq!(told(&stage, "moved"), both("t-00001", "t-00002"));
        let before = recorder.count();
        stage.work(&recorder);
        let mails = recorder.messages();
        let taken_back: Vec<_> =
            mails[before..].iter().filter(|mail| mail.recipients == ["security@org00001.example"]).collect();
        assert_eq!(taken_back.len(), 1, "{backend:?}");
        let text = readable(taken_back[0]).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("nothing of what it states concerns your organisation"), "{text}");
        assert!(text.contains("- org00001.example: what we wrote about it does not concern you"), "{text}");
        assert!(text.contains("We have changed which domains belong to which organisation."), "{text}");
        assert_eq!(told(&stage, "never"), BTreeSet::new(), "{backend:?}: once");
        let checked = stage.run.run(&["notice", "check", SLUG, "--json"]).stdout;
        let checked: serde_json::Value = serde_json::from_str(&checked).unwrap();
        assert_eq!(checked["organisations"], 2, "what takes everything back lacks nothing: {checked}");
        let notices = stage.run.csv(&["notice", "list", SLUG]);
        let last = notices.iter().rfind(|row| row["tenant_id"] == "t-00001").unwrap();
        let given = stage.run.json(&["notice", "export", &last["notice_id"]]);
        assert_eq!(
            (&given["notice"]["domains"], &given["notice"]["changes"][0]["what"]),
            (&serde_json::json!([]), &"gone".into())
        );
        stage.status();

        // It is theirs after all.
        assign("t-00001");
        assert_eq!(told(&stage, "back"), both("t-00002", "t-00001"));
        assert_eq!(told(&stage, "not again"), BTreeSet::new());
    }
}

#[test]
fn records_that_are_taken_back_take_back_what_was_said_of_them() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    assert_eq!(told(&stage, "first").len(), 1);
    stage.work(&Recorder::start().unwrap());
    stage.run.ok(&["exposure", "withdraw", SLUG, "m.csv", "--why", "of another incident"]);
    one(told(&stage, "taken back"), "t-00000", "correction");
    let text = stage.run.ok(&["notice", "preview", SLUG, "t-00000"]);
    assert!(text.contains("We have taken back records that should not have been counted."), "{text}");
    assert_eq!(told(&stage, "never"), BTreeSet::new());
}

#[test]
fn of_several_domains_one_whose_records_are_taken_back_is_not_called_somebody_elses() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    let directory = "domain,tenant_id,tenant_name,country,language\norg00000.example,t-00000,Organisation 0,US,en\nsecond.example,t-00000,Organisation 0,US,en\n";
    stage.run.ok(&["directory", "import", "--organisations", path(&stage.file("d2.csv", directory))]);
    let rows = format!("{HEADER}x/1.pdf,second.example,,invoice,2020-01-02,9,,\n");
    stage.import(&[&stage.file("x.csv", &rows)], &stage.file("none.txt", "free.example\n"));
    assert_eq!(told(&stage, "first").len(), 1);
    stage.work(&Recorder::start().unwrap());
    stage.run.ok(&["exposure", "withdraw", SLUG, "x.csv", "--why", "of another incident"]);
    one(told(&stage, "taken back"), "t-00000", "correction");
    let text = stage.run.ok(&["notice", "preview", SLUG, "t-00000"]);
    let read = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(read.contains("second.example: nothing of it was exposed; what we wrote about it was wrong"), "{text}");
}

#[test]
fn what_states_records_that_were_taken_back_and_has_not_left_does_not_leave() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let rows = format!("{HEADER}x/1.pdf,org00001.example,,invoice,2020-01-02,9,,\n");
        stage.import(&[&stage.file("x.csv", &rows)], &stage.file("none.txt", "free.example\n"));
        assert_eq!(told(&stage, "first").len(), 2);
        stage.run.ok(&["exposure", "withdraw", SLUG, "x.csv", "--why", "of another incident"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 1, "{backend:?}: the other organisation's");
        one(told(&stage, "true"), "t-00001", "initial");
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 2, "{backend:?}");
    }
}

/// A program that dies after a manifest was taken back and before its figures are counted anew.
#[test]
fn who_counts_anew_after_a_withdrawal_that_was_cut_off_calls_back_what_states_it() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let rows = format!("{HEADER}x/1.pdf,org00001.example,,invoice,2020-01-02,9,,\n");
        stage.import(&[&stage.file("x.csv", &rows)], &stage.file("none.txt", "free.example\n"));
        assert_eq!(told(&stage, "first").len(), 2);
        for statement in [
            "DELETE FROM run_blocks WHERE run_id IN (SELECT r.id FROM runs r JOIN manifests m ON m.id = r.manifest_id WHERE m.name = 'x.csv')",
            "DELETE FROM runs WHERE manifest_id IN (SELECT id FROM manifests WHERE name = 'x.csv')",
            "UPDATE manifests SET withdrawn_at = 1, withdrawn_why = 'of another incident' WHERE name = 'x.csv'",
            "INSERT INTO stale_sheets (incident_id, reversed, cause, stamp) SELECT id, 'example!org00001', 'x.csv withdrawn', 1 FROM incidents",
        ] {
            raw_sql(&stage, statement).unwrap();
        }
        assert_eq!(stage.run.json(&["exposure", "totals", SLUG])["objects"], 2, "{backend:?}: whoever counts first");
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let to: Vec<_> = recorder.messages().into_iter().map(|message| message.recipients[0].clone()).collect();
        assert_eq!(to, ["security@org00000.example"], "{backend:?}");
    }
}

#[test]
fn a_domain_that_is_nobody_elses_is_not_called_somebody_elses_and_nothing_is_said_of_one_in_conflict() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    let rest = "org00000.example,t-00000,Organisation 0,US,en\norg00001.example,t-00001,Organisation 1,US,en\n";
    let directory = |more: &str, options: &[&str]| {
        let text = format!("domain,tenant_id,tenant_name,country,language\n{rest}{more}");
        let file = stage.file("d2.csv", &text);
        stage.run.ok(&[&["directory", "import", "--organisations", path(&file)], options].concat());
    };
    directory("second.example,t-00000,Organisation 0,US,en\n", &[]);
    let rows = format!("{HEADER}x/1.pdf,second.example,,invoice,2020-01-02,9,,\n");
    stage.import(&[&stage.file("x.csv", &rows)], &stage.file("none.txt", "free.example\n"));
    assert_eq!(told(&stage, "first").len(), 2);
    stage.work(&Recorder::start().unwrap());
    // Two claim it: nobody knows yet, and nothing is said.
    directory("second.example,t-00000,Organisation 0,US,en\nsecond.example,t-00001,Organisation 1,US,en\n", &[]);
    let done = stage.run.json(&["notice", "draft", SLUG]);
    assert_eq!((&done["drafted"], &done["unsettled"]), (&0.into(), &1.into()), "{done}");
    // Nobody does.
    directory("", &["--accept-shrink"]);
    one(told(&stage, "unlisted"), "t-00000", "correction");
    let text = stage.run.ok(&["notice", "preview", SLUG, "t-00000"]);
    let read = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(read.contains("second.example: is no longer listed here"), "{text}");
    assert!(!read.contains("is not yours"), "{text}");
}

#[test]
fn while_it_is_open_whose_a_domain_is_nothing_is_taken_back() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    told(&stage, "first");
    stage.work(&Recorder::start().unwrap());
    let ticket = stage.run.csv(&["ticket", "list", SLUG])[0]["ticket"].clone();
    stage.run.ok(&["ticket", "wrong-recipient", &ticket, "--not-ours", "org00000.example", "--why", "they say so"]);
    let done = stage.run.json(&["notice", "draft", SLUG]);
    assert_eq!((&done["drafted"], &done["unsettled"]), (&0.into(), &1.into()), "{done}");
}

#[test]
fn what_was_told_before_nothing_left_is_not_taken_back_by_a_letter() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    told(&stage, "first");
    stage.run.ok(&["mapping", "assign", SLUG, "org00001.example", "t-00000", "--why", "bought"]);
    one(told(&stage, "moved"), "t-00000", "supplement");
}
