//! Approval: what was signed is what is sent, to whom it was signed for; of many a sample is looked at; a pilot goes first.

use std::collections::{BTreeMap, BTreeSet};

use mail_parser::MessageParser;
use testkit::process::{Backend, Output};
use testkit::smtp::{Behaviour, Phase, Recorder};

use crate::setup::{SLUG, Stage, path};
use crate::tickets::raw_sql;

fn approved(stage: &Stage) {
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
}

fn release(stage: &Stage, wave: &str) -> Output {
    stage.run.as_actor("lead").run(&["wave", "release", SLUG, wave, "--all"])
}

/// To these alone: a stale one among those that are named stops them.
fn release_to(stage: &Stage, wave: &str, tenant: &str) -> Output {
    let tenants = stage.file("tenants.txt", &format!("{tenant}\n"));
    stage.run.as_actor("lead").run(&["wave", "release", SLUG, wave, "--tenants", path(&tenants)])
}

#[track_caller]
fn refused(output: &Output, says: &str) {
    assert_eq!(output.status, 4, "{}", output.stderr);
    assert!(output.stderr.contains(says) && output.stderr.contains("hint:"), "{}", output.stderr);
}

fn states(stage: &Stage, tenant: &str) -> Vec<String> {
    let rows = stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["tenant_id"] == tenant);
    rows.map(|row| row["state"].clone()).collect()
}

#[test]
fn a_contact_that_comes_goes_or_changes_voids_the_approval_and_the_refusal_says_which() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        approved(&stage);
        let add = ["directory", "add-contact", "t-00001", "--email", "dpo@org00001.example", "--role"];
        stage.run.ok(&[&add[..], &["privacy", "--name", "Officer", "--why", "a call"]].concat());
        refused(
            &release_to(&stage, "a", "t-00001"),
            "tenant t-00001: its contacts are not those it was approved for: privacy dpo@org00001.example was added",
        );
        let again = stage.run.json(&["notice", "draft", SLUG]);
        assert_eq!(
            (&again["drafted"], &again["withdrawn"], &again["kept"]),
            (&1.into(), &1.into(), &2.into()),
            "{again}"
        );
        assert_eq!(states(&stage, "t-00001"), ["withdrawn", "drafted"]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);

        stage.run.ok(&["directory", "disable-contact", "dpo@org00001.example", "--why", "left the company"]);
        refused(&release_to(&stage, "b", "t-00001"), "privacy dpo@org00001.example was removed");
        approved(&stage);
        let all: String = (0..3)
            .map(|n| {
                format!(
                    "t-0000{n},security,Contact {n},security@org0000{n}.example,{}\n",
                    if n == 2 { "de" } else { "en" }
                )
            })
            .collect();
        let contacts = stage.file("c2.csv", &format!("tenant_id,role,name,email,language\n{all}"));
        stage.directory(&stage.folder.path().join("d.csv"), &contacts);
        let in_de = "security security@org00002.example is written to in de, and was in en";
        refused(&release_to(&stage, "c", "t-00002"), in_de);
        approved(&stage);

        // The vendor's own person gets no notice, so nobody signed for one.
        let manager =
            ["directory", "add-contact", "t-00000", "--email", "am@vendor.example", "--role", "account-manager"];
        stage.run.ok(&[&manager[..], &["--why", "new"]].concat());
        let released = release(&stage, "d");
        assert_eq!(released.status, 0, "{}", released.stderr);
    }
}

#[test]
fn climbing_from_one_contact_to_the_next_is_no_edit() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    let add = ["directory", "add-contact", "t-00000", "--email", "legal@org00000.example", "--role", "legal"];
    stage.run.ok(&[&add[..], &["--why", "a call"]].concat());
    approved(&stage);
    let digest = || raw_sql(&stage, "SELECT approved_digest || approved_ladder FROM notices").unwrap();
    let before = digest();
    assert!(before.contains("legal@org00000.example"), "the whole ladder is signed for: {before}");
    assert_eq!(release(&stage, "first").status, 0);
    let refusing = Recorder::start().unwrap();
    refusing.always("security@org00000.example", Behaviour::Permanent(Phase::Rcpt));
    stage.work(&refusing);
    let told: Vec<String> = refusing.messages().into_iter().flat_map(|mail| mail.recipients).collect();
    assert_eq!(told, ["legal@org00000.example"]);
    assert_eq!(digest(), before);
    assert_eq!(states(&stage, "t-00000"), ["released"]);
}

#[test]
fn what_was_changed_behind_the_programs_back_is_not_released() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        approved(&stage);
        match backend {
            Backend::Sqlite => raw_sql(&stage, "DROP TRIGGER letters_are_frozen_when_approved").unwrap(),
            Backend::Postgres => raw_sql(&stage, "ALTER TABLE letters DISABLE TRIGGER USER").unwrap(),
        };
        raw_sql(
            &stage,
            "UPDATE letters SET html = REPLACE(html, 'Example Cloud', 'Somebody') WHERE text LIKE '%org00001%'",
        )
        .unwrap();
        refused(&release(&stage, "a"), "t-00001: it does not say any more what was approved");
    }
}

/// Organisations with other words: languages, and data that other advice follows from.
fn varied(backend: Backend) -> Stage {
    let stage = Stage::new(backend);
    let mut directory = String::from("domain,tenant_id,tenant_name,country,language\n");
    let mut contacts = String::from("tenant_id,role,name,email,language\n");
    let mut rows = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
    for n in 0..30 {
        let language = ["en", "de", "fr", "es", "ja"][n % 5];
        let kind = if n % 3 == 0 { "password_plain" } else { "invoice" };
        directory.push_str(&format!("org{n:02}.example,t-{n:02},Organisation {n},US,{language}\n"));
        contacts.push_str(&format!("t-{n:02},security,Müller {n},security@org{n:02}.example,{language}\n"));
        for object in 0..=n {
            rows.push_str(&format!(
                "box/{n}/{object}.pdf,org{n:02}.example,p@org{n:02}.example,{kind},2020-01-02,1{n},p,u\n"
            ));
        }
    }
    let [directory, contacts, rows, shared] =
        [("d.csv", &*directory), ("c.csv", &contacts), ("m.csv", &rows), ("s.txt", "free.example\n")]
            .map(|(name, text)| stage.file(name, text));
    stage.directory(&directory, &contacts);
    stage.import(&[&rows], &shared);
    stage
}

#[test]
fn drafts_are_in_groups_and_a_group_is_approved_on_a_sample_that_is_recorded() {
    for backend in Backend::each() {
        let stage = varied(backend);
        stage.run.ok(&["notice", "draft", SLUG]);
        let groups = stage.run.csv(&["notice", "groups", SLUG]);
        assert_eq!(groups.len(), 10, "five languages, with and without passwords: {groups:?}");
        assert_eq!(groups.iter().map(|row| row["notices"].parse::<usize>().unwrap()).sum::<usize>(), 30);
        let english = groups.iter().find(|row| row["languages"] == "en" && !row["advice"].contains("access")).unwrap();
        assert_eq!(english["notices"], "4", "5, 10, 20, 25");
        assert_eq!((english["smallest"].as_str(), english["smallest_objects"].as_str()), ("t-05", "6"));
        assert_eq!((english["largest"].as_str(), english["largest_objects"].as_str()), ("t-25", "26"));
        let group = english["group"].as_str();

        let counsel = stage.run.as_actor("counsel").with("FORTHRIGHT_APPROVAL_SAMPLE_SIZE", "3");
        let looked = counsel.json(&["notice", "sample", SLUG, "--group", group, "--size", "3"]);
        let (token, seed) = (looked["token"].as_str().unwrap(), looked["seed"].as_str().unwrap());
        assert_eq!((looked["sample"].as_array().unwrap().len(), &looked["of"]), (3, &4.into()));
        assert!(looked["sample"][0]["texts"][0].as_str().unwrap().contains("WHAT WAS EXPOSED"));
        let again = stage.run.json(&["notice", "sample", SLUG, "--group", group, "--size", "3", "--seed", seed]);
        assert_eq!(again["sample"], looked["sample"], "the same seed draws the same");
        let approve = |actor: &str, group: &str| {
            stage.run.as_actor(actor).run(&["notice", "approve", SLUG, "--group", group, "--sample", token, "--json"])
        };
        refused(&approve("lead", group), "somebody else looked at it");
        let other = groups.iter().find(|row| row["group"] != group).unwrap()["group"].as_str();
        refused(&approve("counsel", other), "that sample is not of these drafts");
        let done = approve("counsel", group);
        assert_eq!(done.status, 0, "{}", done.stderr);
        let done: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!((&done["approved"], &done["seed"]), (&4.into(), &looked["seed"]));
        let ids = |document: &serde_json::Value| -> Vec<String> {
            document["sample"].as_array().unwrap().iter().map(|one| one["notice_id"].to_string()).collect()
        };
        assert_eq!(ids(&done), ids(&looked));
        let all = counsel.json(&["notice", "approve", SLUG, "--all"]);
        assert_eq!((&all["approved"], all["sample"].as_array().unwrap().len()), (&26.into(), 3));

        let file = stage.folder.path().join("audit.jsonl");
        stage.run.ok(&["audit", "export", SLUG, crate::setup::path(&file)]);
        let entries = std::fs::read_to_string(&file).unwrap();
        let entries: Vec<serde_json::Value> = entries.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of =
            |verb: &str| -> Vec<&serde_json::Value> { entries.iter().filter(|entry| entry["verb"] == verb).collect() };
        let detail = |entry: &serde_json::Value| -> serde_json::Value {
            serde_json::from_str(entry["detail"].as_str().unwrap()).unwrap()
        };
        let kept = of("notice.approve");
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[0]["actor"], "counsel");
        let kept = [detail(kept[0]), detail(kept[1])];
        assert_eq!(kept[0]["seed"], looked["seed"]);
        assert_eq!((&kept[0]["looked_at_before"], &kept[1]["looked_at_before"]), (&true.into(), &false.into()));
        assert_eq!(kept[0]["groups"], serde_json::json!({ group: 4 }));
        assert_eq!(kept[1]["sample"].as_array().unwrap().len(), 3);
        assert!(kept[1]["sample"][0]["digest"].as_str().unwrap().len() == 64);
        assert_eq!(of("notice.sample").len(), 2);
    }
}

#[test]
fn where_the_configuration_says_so_many_are_approved_only_after_a_sample() {
    let stage = varied(Backend::Sqlite);
    stage.run.ok(&["notice", "draft", SLUG]);
    let counsel = stage.run.as_actor("counsel").with("FORTHRIGHT_APPROVAL_LOOK_FIRST_ABOVE", "29");
    refused(&counsel.run(&["notice", "approve", SLUG, "--all"]), "cannot approve 30 notices at once");
    let look = || {
        let looked = counsel.json(&["notice", "sample", SLUG, "--size", "30"]);
        looked["token"].as_str().unwrap().to_owned()
    };
    let token = look();
    // One draft is another one since, and all of them were looked at.
    let more = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\nx.pdf,org01.example,,contract,2021-01-01,5,p,u\n";
    stage.import(&[&stage.file("more.csv", more)], &stage.folder.path().join("s.txt"));
    stage.run.ok(&["notice", "draft", SLUG]);
    let approve = |token: &str| counsel.run(&["notice", "approve", SLUG, "--all", "--sample", token]);
    refused(&approve(&token), "that sample is not of these drafts");
    assert_eq!(approve(&look()).status, 0);
    let stage = varied(Backend::Sqlite);
    stage.run.ok(&["notice", "draft", SLUG]);
    let below = stage.run.as_actor("counsel").with("FORTHRIGHT_APPROVAL_LOOK_FIRST_ABOVE", "30");
    below.ok(&["notice", "approve", SLUG, "--all"]);
}

#[test]
fn only_letters_that_were_shown_of_a_draw_that_nobody_chose_are_approved_on() {
    let stage = varied(Backend::Sqlite);
    stage.run.ok(&["notice", "draft", SLUG]);
    let counsel = stage.run.as_actor("counsel").with("FORTHRIGHT_APPROVAL_LOOK_FIRST_ABOVE", "5");
    let look = |more: &[&str]| counsel.json(&[&["notice", "sample", SLUG], more].concat());
    for (more, why) in [
        (&["--seed", "mychoice"][..], "its seed was chosen"),
        (&["--lines"], "no letter was shown"),
        (&["--size", "4"], "it is smaller than 5"),
        (&["--size", "1", "--lines", "--seed", "mychoice"], "its seed was chosen"),
    ] {
        let looked = look(more);
        assert_eq!((&looked["token"], &looked["no_token"]), (&serde_json::Value::Null, &why.into()), "{more:?}");
    }
    assert!(!counsel.run(&["notice", "sample", SLUG, "--csv"]).stderr.contains("--sample"), "CSV shows no letter");
    let looked = look(&[]);
    let token = looked["token"].as_str().unwrap();
    let approve = |token: &str| counsel.run(&["notice", "approve", SLUG, "--all", "--sample", token]);
    let made = model::approval::SampleToken::new(
        b"",
        looked["seed"].as_str().unwrap(),
        "counsel",
        None,
        &looked["sample"].as_array().unwrap().iter().map(seen).collect::<Vec<_>>(),
    );
    refused(&approve(&made.to_string()), "that sample is not of these drafts");
    assert_eq!(approve(token).status, 0);
}

/// What a token is over: (notice, content).
fn seen(one: &serde_json::Value) -> (String, String) {
    let text = |name: &str| one[name].as_str().unwrap().to_owned();
    (text("notice_id"), text("digest"))
}

#[test]
fn a_pilot_has_one_of_each_group_before_one_has_two_and_the_rest_follows() {
    for backend in Backend::each() {
        let stage = varied(backend);
        stage.run.ok(&["notice", "draft", SLUG]);
        let group_of: BTreeMap<String, String> = stage.run.json(&["notice", "sample", SLUG, "--size", "30", "--lines"])
            ["sample"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["tenant_id"].as_str().unwrap().to_owned(), one["group"].as_str().unwrap().to_owned()))
            .collect();
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        let lead = stage.run.as_actor("lead");
        let released = || -> Vec<String> {
            let rows = stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["state"] == "released");
            rows.map(|row| group_of[&row["tenant_id"]].clone()).collect()
        };
        let pilot = lead.json(&["wave", "release", SLUG, "pilot", "--pilot", "7"]);
        assert_eq!((&pilot["notices"], &pilot["approved_left"]), (&7.into(), &23.into()), "{pilot}");
        assert_eq!((&pilot["pilot"]["groups_left_out"], released().len()), (&3.into(), 7));
        assert_eq!(released().iter().collect::<BTreeSet<_>>().len(), 7, "each of another group");
        let wider = lead.json(&["wave", "release", SLUG, "wider", "--pilot", "13"]);
        assert_eq!((&wider["notices"], &wider["approved_left"]), (&13.into(), &10.into()));
        assert_eq!(released().iter().collect::<BTreeSet<_>>().len(), 10);
        let rest = lead.json(&["wave", "release", SLUG, "rest", "--all"]);
        assert_eq!((&rest["notices"], &rest["approved_left"]), (&10.into(), &0.into()));
        stage.status();
    }
}

#[test]
fn what_was_approved_is_what_is_sent_byte_for_byte_in_every_language_and_part() {
    for backend in Backend::each() {
        let stage = varied(backend);
        approved(&stage);
        let tenants = ["t-00", "t-01", "t-02", "t-03", "t-04"];
        let parts = |tenant: &str| {
            ["text", "html"].map(|format| stage.run.ok(&["notice", "preview", SLUG, tenant, "--format", format]))
        };
        let signed: Vec<[String; 2]> = tenants.iter().map(|tenant| parts(tenant)).collect();
        let subjects = raw_sql(&stage, "SELECT subject FROM letters").unwrap();
        assert_eq!(release(&stage, "all").status, 0);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let sent = recorder.messages();
        for (n, [text, html]) in signed.iter().enumerate() {
            let mail = sent.iter().find(|mail| mail.recipients[0] == format!("security@org0{n}.example")).unwrap();
            let read = MessageParser::default().parse(&mail.data).unwrap();
            // Mail has CRLF where a letter has LF, and MIME ends a part with a line end.
            let plain = |text: &str| text.replace("\r\n", "\n").trim_end_matches('\n').to_owned();
            assert_eq!(plain(&read.body_text(0).unwrap()), plain(text), "{n}");
            assert_eq!(plain(&read.body_html(0).unwrap()), plain(html), "{n}");
            assert!(subjects.lines().any(|subject| subject == read.subject().unwrap()), "{n}: {:?}", read.subject());
            assert_eq!((read.text_body_count(), read.html_body_count(), read.attachment_count()), (1, 1, 0));
        }
    }
}
