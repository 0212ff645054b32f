//! An organisation whose letter cannot be written, or only as text, stops nobody and is passed over by nobody quietly.

use testkit::process::{Backend, Output};
use testkit::smtp::Recorder;

use crate::setup::{SLUG, Stage, path, readable, review};

/// Gives the second of two organisations so many domains, each with an object.
fn grow(stage: &Stage, domains: usize) {
    let mut directory = String::from(
        "domain,tenant_id,tenant_name,country,language\norg00000.example,t-00000,Organisation 0,US,en\norg00001.example,t-00001,Organisation 1,US,en\n",
    );
    let mut rows = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
    for n in 0..domains {
        directory.push_str(&format!("unit{n:04}.example,t-00001,Organisation 1,US,en\n"));
        rows.push_str(&format!("unit/{n}.pdf,unit{n:04}.example,,invoice,2020-01-02,9,,\n"));
    }
    stage.run.ok(&["directory", "import", "--organisations", path(&stage.file("many.csv", &directory))]);
    stage.import(&[&stage.file("units.csv", &rows)], &stage.file("none.txt", "free.example\n"));
}

#[test]
fn an_organisation_that_cannot_be_written_to_is_left_out_and_named_and_stops_nobody() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 2);
        grow(&stage, 4_001);

        let drafted = stage.run.run(&["notice", "draft", SLUG, "--json"]);
        assert_eq!(drafted.status, 3, "{backend:?}: {}", drafted.stderr);
        let done: serde_json::Value = serde_json::from_str(&drafted.stdout).unwrap();
        assert_eq!((&done["kept"], &done["withdrawn"]), (&1.into(), &1.into()), "{done}");
        let left_out = &done["left_out"][0];
        assert_eq!(left_out["tenant_id"], "t-00001", "{done}");
        assert!(left_out["why"].as_str().unwrap().contains("1000000 bytes"), "{done}");
        assert!(left_out["next"].as_str().unwrap().contains("notice draft bluebleed"), "{done}");

        let says = |output: testkit::process::Output| {
            assert_eq!(output.status, 0, "{}", output.stderr);
            assert!(
                output.stderr.contains("tenant t-00001 is affected and has no letter of today"),
                "{}",
                output.stderr
            );
        };
        let states: Vec<String> =
            stage.run.csv(&["notice", "list", SLUG]).iter().map(|row| row["state"].clone()).collect();
        assert_eq!(states, ["drafted", "withdrawn"], "nobody can approve what is stale");
        says(stage.run.run(&["notice", "list", SLUG, "--csv"]));
        says(stage.run.run(&["delivery", "status", SLUG]));
        assert!(stage.run.run(&["doctor"]).stdout.contains("tenant t-00001 is affected in bluebleed"));
        assert_eq!(stage.run.as_actor("counsel").json(&["notice", "approve", SLUG, "--all"])["approved"], 1);
        let released = stage.run.as_actor("lead").run(&["wave", "release", SLUG, "w", "--all", "--json"]);
        let wave: serde_json::Value = serde_json::from_str(&released.stdout).unwrap();
        assert_eq!((&wave["notices"], &wave["without_letter"]), (&1.into(), &1.into()), "{wave}");
        says(released);
        assert_eq!(stage.status()["without_letter"], 1);

        // Once it can be written, it is.
        stage.run.ok(&["exposure", "withdraw", SLUG, "units.csv", "--why", "another customer's"]);
        assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 1);
        assert_eq!(stage.status()["without_letter"], 0);
    }
}

#[test]
fn a_letter_whose_html_would_be_cut_off_goes_out_as_text_that_states_everything() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        grow(&stage, 80);
        let words = stage.file("words.txt", "A server was open.");
        stage.run.ok(&["incident", "state", SLUG, "what_happened", "--text", path(&words)]);
        let done = stage.run.json(&["notice", "draft", SLUG]);
        let plain = done["text_only"].as_array().unwrap();
        assert_eq!(plain.len(), 1, "{done}");
        assert_eq!((&plain[0]["tenant_id"], &plain[0]["language"]), (&"t-00001".into(), &"en".into()));
        assert!(plain[0]["why"].as_str().unwrap().contains("100000 bytes"), "{done}");
        let refused = stage.run.run(&["notice", "preview", SLUG, "t-00001", "--format", "html"]);
        assert_eq!(refused.status, 1, "{}", refused.stdout);
        assert!(refused.stderr.contains("no HTML part"), "{}", refused.stderr);

        let checked = stage.run.run(&["notice", "check", SLUG, "--obligations", "eu-nis2-recipients", "--csv"]);
        assert_eq!(checked.status, 0, "the text alone states every element: {}", checked.stdout);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "w", "--all"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let mail = &recorder.accepted_for("security@org00001.example")[0];
        assert!(!mail.text().contains("text/html"), "{}", mail.text());
        let text = readable(mail);
        assert!((0..80).all(|n| text.contains(&format!("Domain: unit{n:04}.example"))), "{text}");
        assert!(recorder.accepted_for("security@org00000.example")[0].text().contains("text/html"));
    }
}

#[test]
fn a_draft_that_is_stale_is_left_out_by_name_and_stops_nobody_elses() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        stage.run.ok(&["notice", "draft", SLUG]);
        let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
        let more = stage.file("more.csv", &format!("{header}x.pdf,org00001.example,,invoice,2020-01-02,5,,\n"));
        stage.import(&[&more], &stage.file("none.txt", "free.example\n"));
        let named = |output: &Output| {
            assert_eq!(output.status, 3, "{backend:?}: {}", output.stderr);
            let said: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
            let left_out = said["left_out"].as_array().unwrap().clone();
            assert!(left_out.iter().all(|one| !one["why"].as_str().unwrap().is_empty()), "{left_out:?}");
            left_out.iter().map(|one| one["tenant_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let counsel = stage.run.as_actor("counsel");
        assert_eq!(named(&counsel.run(&["notice", "approve", SLUG, "--all", "--json"])), ["t-00001"]);
        let stale = stage.run.csv(&["notice", "list", SLUG])[1].clone();
        assert_eq!((stale["tenant_id"].as_str(), stale["state"].as_str()), ("t-00001", "drafted"));
        assert_eq!(counsel.run(&["notice", "approve", SLUG, &stale["notice_id"]]).status, 4, "{backend:?}: named");
        assert_eq!(counsel.run(&["notice", "approve", SLUG, "--all"]).status, 4, "{backend:?}: nothing else is left");

        stage.run.ok(&["notice", "draft", SLUG]);
        counsel.ok(&["notice", "approve", SLUG, "--all"]);
        let add = ["directory", "add-contact", "t-00002", "--email", "dpo@org00002.example", "--role", "privacy"];
        stage.run.ok(&[&add[..], &["--name", "Officer", "--why", "a call"]].concat());
        let again = stage.file("again.csv", &format!("{header}y.pdf,org00000.example,,invoice,2020-01-02,5,,\n"));
        stage.import(&[&again], &stage.file("none.txt", "free.example\n"));
        let released = stage.run.as_actor("lead").run(&["wave", "release", SLUG, "w", "--all", "--json"]);
        assert_eq!(named(&released), ["t-00000", "t-00002"], "other facts, and other contacts");
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 1, "{backend:?}");
        stage.status();
    }
}

/// What was left out of an answer with exit code 3, by tenant.
fn left_out(output: &Output) -> Vec<String> {
    assert_eq!(output.status, 3, "{}", output.stderr);
    let done: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    done["left_out"].as_array().unwrap().iter().map(|one| one["tenant_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_draft_that_is_refused_is_left_out_by_name_and_stops_no_other_and_a_stale_one_stops_no_pilot() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(4);
        let linked = ["notice", "withhold", SLUG, "t-00001", "emails", "--review", &review(), "--why"];
        let linked = [&linked[..], &["read why at https://elsewhere.example/why"]].concat();
        let id = stage.run.json(&linked)["withholding"].as_str().unwrap().to_owned();
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        stage.run.ok(&["notice", "draft", SLUG]);
        let counsel = stage.run.as_actor("counsel");
        let done = counsel.run(&["notice", "approve", SLUG, "--all", "--json"]);
        assert_eq!(left_out(&done), ["t-00001"], "{backend:?}");
        assert!(done.stdout.contains("elsewhere.example"), "{backend:?}: {}", done.stdout);
        let notices = stage.run.csv(&["notice", "list", SLUG]);
        let of_it = notices.iter().find(|row| row["tenant_id"] == "t-00001").unwrap();
        assert_eq!(of_it["state"], "drafted", "{backend:?}");
        assert_eq!(counsel.run(&["notice", "approve", SLUG, &of_it["notice_id"]]).status, 4, "alone it is refused");

        let row = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n\
                   late/1.pdf,org00002.example,,invoice,2021-05-06,7,,\n";
        stage.import(&[&stage.file("late.csv", row)], &stage.file("none.txt", "free.example\n"));
        let pilot = stage.run.as_actor("lead").run(&["wave", "release", SLUG, "pilot", "--pilot", "3", "--json"]);
        assert_eq!(left_out(&pilot), ["t-00002"], "{backend:?}");
        let released = stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["state"] == "released");
        let released: Vec<String> = released.map(|row| row["tenant_id"].clone()).collect();
        assert_eq!(released, ["t-00000", "t-00003"], "{backend:?}");
    }
}
