//! A notice that came to the wrong place: sending stops at once, a person settles whose it is, the right one is told, and
//! who saw what stays on record.

mod disputes;

use testkit::process::Backend;
use testkit::smtp::{Behaviour, Phase, Recorder};

use crate::setup::{SLUG, Stage, readable};
use crate::tickets::{receive, reply_to, sent};

fn release(stage: &Stage, wave: &str) {
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    stage.run.as_actor("lead").ok(&["wave", "release", SLUG, wave, "--all"]);
}

fn ticket_of(stage: &Stage, tenant: &str) -> String {
    let rows = stage.run.csv(&["ticket", "list", SLUG]);
    rows.into_iter().find(|row| row["tenant_id"] == tenant).unwrap()["ticket"].clone()
}

#[test]
fn whoever_answers_that_it_is_not_theirs_stops_disclosure_and_the_right_one_is_told() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 3);
        let reply = "Hello, org00001.example is not ours since 2019. Who told you that it was?";
        let received = receive(&stage, &reply_to(&messages[1], "", reply), None);
        assert_eq!((&received["class"], &received["trust"]), (&"human".into(), &"U".into()));
        assert_eq!(received["questions"].as_array().unwrap().len(), 1, "it is debt like any question: {received}");

        let explained = stage.run.json(&["mapping", "explain", "www.org00001.example", "--incident", SLUG]);
        assert_eq!((&explained["verdict"], &explained["review"]), (&"conflict".into(), &"disputed".into()));
        assert_eq!(stage.status()["waiting_for_mapping"], 1);
        let waiting = stage.run.csv(&["mapping", "review", SLUG, "--list", "conflict"]);
        assert_eq!(waiting[0]["domain"], "org00001.example");
        assert!(waiting[0]["because"].contains("says that org00001.example is not theirs"), "{waiting:?}");

        let seen = stage.run.csv(&["delivery", "disclosures", SLUG]);
        assert_eq!(seen.len(), 3);
        let wrong: Vec<_> = seen.iter().filter(|row| !row["no_longer_theirs"].is_empty()).collect();
        assert_eq!(wrong.len(), 1);
        assert_eq!(
            (wrong[0]["contact"].as_str(), wrong[0]["domains"].as_str()),
            ("security@org00001.example", "org00001.example")
        );
        assert!(!wrong[0]["accepted_at"].is_empty());

        stage.run.ok(&["mapping", "assign", SLUG, "org00001.example", "t-00002", "--why", "bought in 2019"]);
        release(&stage, "corrected");
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let after = recorder.messages();
        let mut to: Vec<&str> = after.iter().map(|mail| mail.recipients[0].as_str()).collect();
        to.sort_unstable();
        assert_eq!(to, ["security@org00001.example", "security@org00002.example"], "only whose facts changed");
        let of = |to: &str| readable(after.iter().find(|mail| mail.recipients[0] == to).unwrap());
        assert!(of("security@org00002.example").contains("org00001.example"));
        let taken_back = of("security@org00001.example");
        assert!(taken_back.contains("does not concern you") && !taken_back.contains("org00002"), "{taken_back}");
        let status = stage.status();
        assert_eq!((&status["affected"], &status["accepted"]), (&2.into(), &2.into()));
    }
}

#[test]
fn what_waits_to_leave_is_called_back_and_leaves_once_when_it_was_theirs_after_all() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        release(&stage, "first");
        stage.run.ok(&["wave", "pause", SLUG, "first"]);
        let ticket = ticket_of(&stage, "t-00001");
        let stopped = stage.run.json(&["ticket", "wrong-recipient", &ticket, "--why", "their lawyer called"]);
        assert_eq!((&stopped["called_back"], &stopped["disputed"][0]), (&1.into(), &"org00001.example".into()));
        assert_eq!(stage.status()["waiting_for_mapping"], 1);
        stage.run.ok(&["wave", "resume", SLUG, "first"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 1);
        assert_eq!(recorder.messages()[0].recipients, ["security@org00000.example"]);
        assert!(stage.run.csv(&["delivery", "disclosures", SLUG, "--tenant", "t-00001"]).is_empty());

        stage.run.ok(&["mapping", "assign", SLUG, "org00001.example", "t-00001", "--why", "the lawyer was wrong"]);
        assert_eq!(stage.status()["not_released"], 1);
        release(&stage, "second");
        stage.work(&recorder);
        let told: Vec<_> = recorder.messages().iter().flat_map(|message| message.recipients.clone()).collect();
        assert_eq!(told, ["security@org00000.example", "security@org00001.example"]);
        let notices = stage.run.csv(&["notice", "list", SLUG]);
        let kinds: Vec<_> = notices
            .iter()
            .filter(|row| row["tenant_id"] == "t-00001")
            .map(|row| (row["kind"].as_str(), row["state"].as_str()))
            .collect();
        assert_eq!(kinds, [("initial", "withdrawn"), ("initial", "released")], "what nobody got is no first notice");
        assert_eq!(stage.status()["accepted"], 2);
    }
}

#[test]
fn the_right_person_gets_the_same_notice_and_the_wrong_one_nothing_more() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let ticket = ticket_of(&stage, "t-00000");
        let old = messages[0].recipients[0].clone();
        let told = stage.run.json(&[
            "ticket",
            "wrong-recipient",
            &ticket,
            "--right",
            "soc@org00000.example",
            "--instead-of",
            &old,
            "--why",
            "told by phone",
        ]);
        assert_eq!(told["mails"], 1, "{told}");
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let again = recorder.messages();
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].recipients, ["soc@org00000.example"]);
        assert_eq!(readable(&again[0]), readable(&messages[0]), "frozen is frozen");
        let contacts = stage.run.csv(&["contact", "list", "t-00000"]);
        let state = |address: &str| contacts.iter().find(|row| row["email"] == address).unwrap()["state"].clone();
        assert_eq!((state(&old).as_str(), state("soc@org00000.example").as_str()), ("disabled", "entered"));
        let refused =
            stage.run.run(&["ticket", "wrong-recipient", &ticket, "--not-ours", "foreign.example", "--why", "x"]);
        assert_eq!(refused.status, 1);
        assert!(refused.stderr.contains("foreign.example is no domain of tenant t-00000"), "{}", refused.stderr);
    }
}

#[test]
fn a_notice_approved_before_a_mapping_changed_is_not_released() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    stage.run.ok(&["mapping", "assign", SLUG, "org00001.example", "t-00000", "--why", "bought"]);
    let refused = stage.run.as_actor("lead").run(&["wave", "release", SLUG, "w", "--all"]);
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("changed since it was approved") && refused.stderr.contains("hint:"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_dispute_of_an_assigned_domain_falls_back_to_nobody_and_settles_only_for_whom_it_is_said() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        let explain = |host: &str| {
            let explained = stage.run.json(&["mapping", "explain", host, "--incident", SLUG]);
            (explained["verdict"].as_str().unwrap().to_owned(), explained["tenant_id"].as_str().map(str::to_owned))
        };
        let assign = |tenant: &str| {
            stage.run.ok(&["mapping", "assign", SLUG, "org00000.example", tenant, "--why", "looked up"]);
        };
        let dispute = |tenant: &str| {
            stage.run.ok(&[
                "ticket",
                "wrong-recipient",
                &ticket_of(&stage, tenant),
                "--not-ours",
                "ORG00000.example",
                "--why",
                "told",
            ]);
        };
        release(&stage, "first");
        dispute("t-00000");
        stage.run.ok(&["mapping", "reject", SLUG, "org00000.example", "t-00002", "--why", "not these either"]);
        assert_eq!(explain("org00000.example").0, "conflict", "a word about another tenant settles nothing");
        assign("t-00001");
        assert_eq!(explain("www.org00000.example"), ("mapped".to_owned(), Some("t-00001".to_owned())));
        dispute("t-00001");
        assert_eq!(explain("org00000.example").0, "conflict", "neither t-00001's nor t-00000's again");
        assert_eq!(stage.run.csv(&["mapping", "review", SLUG, "--list", "conflict"]).len(), 1);
        assign("t-00002");
        assert_eq!(explain("org00000.example").1.as_deref(), Some("t-00002"));
        stage.run.ok(&["mapping", "reject", SLUG, "org00000.example", "t-00002", "--why", "wrong again"]);
        assert_eq!(explain("org00000.example"), ("unmapped".to_owned(), None), "nobody who said no gets it back");
    }
}

#[test]
fn a_signature_narrows_no_dispute_and_another_address_opens_none() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 2);
        let named = reply_to(&messages[0], "", "Hello, the right address is soc@org00000.example. Thanks!");
        receive(&stage, &named, None);
        assert_eq!(stage.status()["waiting_for_mapping"], 0);
        let found = stage.run.csv(&["contact", "list", "t-00000"]);
        let soc = found.iter().find(|row| row["email"] == "soc@org00000.example").unwrap();
        assert_eq!((soc["source"].as_str(), soc["state"].as_str()), ("named", "unverified"));
        stage.run.ok(&["mapping", "assign", SLUG, "org00001.example", "t-00000", "--why", "bought"]);
        let wrong =
            reply_to(&messages[0], "", "You have the wrong organisation.\r\nRegards, Ann, www.org00000.example");
        receive(&stage, &wrong, None);
        assert_eq!(
            stage.status()["waiting_for_mapping"],
            2,
            "all that they were told of, not what their signature names"
        );
    }
}

#[test]
fn whoever_was_not_reached_before_the_call_back_is_reached_when_it_is_theirs_after_all() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(1);
        let add = ["directory", "add-contact", "t-00000", "--role", "security", "--email", "second@org00000.example"];
        stage.run.ok(&[&add[..], &["--why", "told by phone"]].concat());
        release(&stage, "first");
        let recorder = Recorder::start().unwrap();
        recorder.script("second@org00000.example", [Behaviour::Transient(Phase::Rcpt)]);
        stage.run.sending_to(&recorder.url()).run(&["work", "--until-idle", "--timeout", "5"]);
        assert_eq!(recorder.count(), 1);
        stage.run.ok(&["ticket", "wrong-recipient", &ticket_of(&stage, "t-00000"), "--why", "their lawyer called"]);
        stage.run.ok(&["mapping", "assign", SLUG, "org00000.example", "t-00000", "--why", "the lawyer was wrong"]);
        let drafted = stage.run.json(&["notice", "draft", SLUG]);
        assert_eq!((&drafted["kept"], &drafted["requeued"]), (&1.into(), &1.into()), "{drafted}");
        stage.work(&recorder);
        let told: Vec<_> = recorder.messages().iter().flat_map(|message| message.recipients.clone()).collect();
        assert_eq!(told, ["security@org00000.example", "second@org00000.example"]);
    }
}
