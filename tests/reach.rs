//! Reaching organisations where nobody can be told: each rung once, strangers are asked and told nothing.

use std::collections::HashMap;

use testkit::process::{Backend, Forthright};
use testkit::smtp::{Behaviour, Message, Phase, Recorder};

use crate::setup::{Clock, SLUG, Stage, path, readable};
use crate::tickets::{raw_sql, receive, reply_to};

const MORNING: &str = "2022-09-25T09:00:00Z";
const LATER: &str = "2022-09-28T10:00:00Z"; // 73 hours
const MUCH_LATER: &str = "2022-10-01T12:00:00Z"; // 73 more

/// What the letter to an unconfirmed address must not hold.
const FACTS: [&str; 7] = ["canary", "bank", "987654", "987,654", "Misconfigured", "storage server", "was exposed"];

/// One organisation with a contact, and others at these domains (tenants `t-DOMAIN`) with nobody; notices released.
fn released(backend: Backend, lost: &[&str]) -> (Stage, Recorder) {
    let stage = Stage::with_clock(backend, Clock::Moved);
    let mut directory = String::from("domain,tenant_id,tenant_name,country,language\norg.example,t-org,Org,US,en\n");
    let mut manifest = String::from(
        "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n\
         box/0.pdf,org.example,p@org.example,invoice,2020-01-02,10,prj-0,u-0\n",
    );
    for domain in lost {
        directory.push_str(&format!("{domain},t-{domain},Organisation at {domain},DE,en\n"));
        manifest.push_str(&format!(
            "canary/{domain}/ledger.pdf,{domain},canary@{domain},bank_account,2019-05-06,987654,canary-project,canary-user\n"
        ));
    }
    let files = [
        ("d.csv", directory.as_str()),
        ("c.csv", "tenant_id,role,name,email,language\nt-org,security,Contact,security@org.example,en\n"),
        ("m.csv", &manifest),
        ("s.txt", "gmail.example\n"),
    ]
    .map(|(name, text)| stage.file(name, text));
    stage.directory(&files[0], &files[1]);
    stage.import(&[&files[2]], &files[3]);
    stage.release_at(&at(&stage, MORNING));
    (stage, Recorder::start().unwrap())
}

fn at(stage: &Stage, time: &str) -> Forthright {
    stage.run.with("FORTHRIGHT_NOW", time)
}

fn work(run: &Forthright, recorder: &Recorder) -> serde_json::Value {
    run.sending_to(&recorder.url()).json(&["work", "--until-idle", "--timeout", "120"])
}

/// With a folder of recorded answers: domain, file, text.
fn replaying(stage: Stage, answers: &[(&str, &str, &str)]) -> Stage {
    let folder = stage.folder.path().join("answers");
    for (domain, file, text) in answers {
        std::fs::create_dir_all(folder.join(domain)).unwrap();
        std::fs::write(folder.join(domain).join(file), text).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    let run = stage
        .run
        .with("FORTHRIGHT_REACH_REPLAY", path(&folder))
        .with("FORTHRIGHT_REACH_SECURITY_TXT", "true")
        .with("FORTHRIGHT_REACH_RDAP", "true");
    Stage { run, ..stage }
}

fn security_txt(address: &str) -> String {
    format!("Contact: mailto:{address}\nPreferred-Languages: en\nExpires: 2023-01-01T00:00:00Z\n")
}

/// A record with one contact, and the abuse desk of the registrar.
fn rdap(domain: &str, role: &str, address: &str) -> String {
    let person = |role: &str, email: &str, inner: &str| {
        format!(
            r#"{{"roles": ["{role}"], "entities": [{inner}], "vcardArray": ["vcard",
                [["fn", {{}}, "text", "Somebody"], ["email", {{}}, "text", "{email}"]]]}}"#
        )
    };
    let desk = person("abuse", "abuse@registrar.example", "");
    let registrar = person("registrar", "sales@registrar.example", &desk);
    let holder = person(role, address, "");
    format!(r#"{{"objectClassName": "domain", "ldhName": "{domain}", "entities": [{registrar}, {holder}]}}"#)
}

fn attempts(stage: &Stage, tenant: &str) -> Vec<HashMap<String, String>> {
    stage.run.csv(&["contact", "attempts", SLUG, "--tenant", tenant])
}

/// (rung, outcome) so far.
fn rungs(stage: &Stage, tenant: &str) -> Vec<(String, String)> {
    attempts(stage, tenant).into_iter().map(|row| (row["rung"].clone(), row["outcome"].clone())).collect()
}

fn names(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(rung, outcome)| ((*rung).to_owned(), (*outcome).to_owned())).collect()
}

fn detail(stage: &Stage, tenant: &str, rung: &str) -> String {
    attempts(stage, tenant).into_iter().find(|row| row["rung"] == rung).unwrap()["detail"].clone()
}

fn to<'a>(messages: &'a [Message], address: &str) -> Vec<&'a Message> {
    messages.iter().filter(|message| message.recipients == [address]).collect()
}

/// The address that was found for a tenant: id and state.
fn found(stage: &Stage, tenant: &str) -> Vec<(String, String, String)> {
    let rows = stage.run.csv(&["contact", "list", tenant]);
    let of = |row: &HashMap<String, String>| (row["contact"].clone(), row["email"].clone(), row["state"].clone());
    rows.iter().filter(|row| row["contact"].starts_with("fnd_")).map(of).collect()
}

#[test]
fn without_look_ups_the_account_manager_is_asked_and_then_paper_is_sent() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend, &["lost.example"]);
        let done = work(&at(&stage, MORNING), &recorder);
        assert_eq!(done["reach_rungs"], 5, "{done}");
        let skipped = ["security-txt", "rdap", "role-mailboxes"].map(|rung| (rung, "skipped"));
        let first = [&[("known-contacts", "nobody")][..], &skipped, &[("account-manager", "task")]].concat();
        assert_eq!(rungs(&stage, "t-lost.example"), names(&first));
        assert_eq!(stage.status()["unreachable"], 1);
        work(&at(&stage, "2022-09-28T08:00:00Z"), &recorder);
        assert_eq!(rungs(&stage, "t-lost.example").len(), 5, "72 hours are not over");
        work(&at(&stage, LATER), &recorder);
        work(&at(&stage, "2022-12-01T00:00:00Z"), &recorder);
        assert_eq!(rungs(&stage, "t-lost.example"), names(&[&first[..], &[("letter", "task")]].concat()));
        assert_eq!(attempts(&stage, "t-lost.example")[5]["next_at"], "");
        let tasks = "SELECT kind, target FROM tasks WHERE tenant_id = 't-lost.example' ORDER BY kind";
        assert_eq!(
            raw_sql(&stage, tasks).unwrap().lines().collect::<Vec<_>>(),
            ["no-contact|incident-lead", "reach-account-manager|incident-lead", "reach-letter|incident-lead"]
        );
        assert!(
            detail(&stage, "t-lost.example", "letter").contains("Organisation at lost.example (t-lost.example, DE)")
        );
        assert_eq!(
            recorder.messages().iter().filter(|message| message.recipients != ["security@org.example"]).count(),
            0
        );
        assert_eq!(rungs(&stage, "t-org"), []);
        assert_eq!(stage.status()["unreachable"], 1);
    }
}

#[test]
fn the_account_manager_of_the_directory_gets_the_task() {
    let (stage, recorder) = released(Backend::Sqlite, &["lost.example"]);
    let add = ["directory", "add-contact", "t-lost.example", "--role", "account-manager", "--name", "Max"];
    stage.run.ok(&[&add[..], &["--email", "max@vendor.example"]].concat());
    work(&at(&stage, MORNING), &recorder);
    let tasks = "SELECT target, text FROM tasks WHERE kind = 'reach-account-manager'";
    let task = raw_sql(&stage, tasks).unwrap();
    assert!(task.starts_with("account-manager|Max: ask the people"), "{task}");
    assert_eq!(to(&recorder.messages(), "max@vendor.example").len(), 0);
}

#[test]
fn whom_a_security_txt_names_is_asked_without_facts_and_told_them_once_somebody_verified() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend, &["lost.example"]);
        let stage = replaying(stage, &[("lost.example", "security.txt", &security_txt("psirt@lost.example"))]);
        work(&at(&stage, MORNING), &recorder);
        assert_eq!(rungs(&stage, "t-lost.example"), names(&[("known-contacts", "nobody"), ("security-txt", "asked")]));
        let there = found(&stage, "t-lost.example");
        let [(id, address, state)] = &there[..] else { panic!("{there:?}") };
        assert_eq!((address.as_str(), state.as_str()), ("psirt@lost.example", "unverified"));

        let messages = recorder.messages();
        let [letter] = to(&messages, "psirt@lost.example")[..] else { panic!("{messages:?}") };
        let text = readable(letter);
        assert!(text.contains("security.txt of lost.example on 2022-09-25"), "{text}");
        for fact in FACTS {
            assert!(!text.contains(fact) && !letter.text().contains(fact), "{fact}: {}", letter.text());
        }
        let figures = text.replace("2022-09-25", "").chars().any(|char| char.is_ascii_digit());
        assert!(!figures, "{text}");

        let answer = reply_to(letter, "", "I am responsible. What is it about?");
        receive(&stage, &answer, None);
        let tickets = stage.run.csv(&["ticket", "list", SLUG]);
        let ticket = tickets.iter().find(|row| row["tenant_id"] == "t-lost.example").unwrap();
        assert_eq!((ticket["debt"].as_str(), ticket["turn"].as_str()), ("1", "ours"));

        let verified = at(&stage, LATER).json(&["contact", "verify", id, "--why", "called the switchboard"]);
        assert!(verified["contact"].as_str().unwrap().starts_with("ctc_"));
        let run = at(&stage, LATER);
        run.ok(&["notice", "draft", SLUG]);
        run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        run.as_actor("lead").ok(&["wave", "release", SLUG, "found", "--all"]);
        work(&run, &recorder);
        let messages = recorder.messages();
        let told = to(&messages, "psirt@lost.example");
        assert_eq!(told.len(), 2);
        let notice = readable(told[1]);
        assert!(notice.contains("987654") && notice.contains("bank_account"), "{notice}");
        assert_eq!(stage.status()["accepted"], 2);
        work(&at(&stage, "2022-12-01T00:00:00Z"), &recorder);
        assert_eq!(rungs(&stage, "t-lost.example").len(), 2, "the ladder ends when somebody can be told");
    }
}

#[test]
fn a_security_txt_that_expired_or_belongs_elsewhere_names_nobody_and_says_why() {
    let (stage, recorder) = released(Backend::Sqlite, &["old.example", "elsewhere.example", "none.example"]);
    let expired = "Contact: mailto:sec@old.example\nExpires: 2022-09-01T00:00:00Z\n";
    let elsewhere = security_txt("sec@elsewhere.example") + "Canonical: https://other.example/security.txt\n";
    let stage = replaying(
        stage,
        &[("old.example", "security.txt", expired), ("elsewhere.example", "security.txt", &elsewhere)],
    );
    work(&at(&stage, MORNING), &recorder);
    for (tenant, why) in [
        ("t-old.example", "it expired on 2022-09-01"),
        ("t-elsewhere.example", "says that it belongs to https://other.example/security.txt"),
        ("t-none.example", "there is no security.txt of none.example"),
    ] {
        assert_eq!(rungs(&stage, tenant)[1], ("security-txt".to_owned(), "nobody".to_owned()));
        assert!(detail(&stage, tenant, "security-txt").contains(why), "{}", detail(&stage, tenant, "security-txt"));
        assert_eq!(rungs(&stage, tenant).last().unwrap().0, "account-manager");
        assert_eq!(found(&stage, tenant), []);
    }
    assert_eq!(recorder.messages().len(), 1);
}

#[test]
fn registration_data_names_the_holder_and_not_the_registrar() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend, &["held.example", "thin.example"]);
        let stage = replaying(
            stage,
            &[
                ("held.example", "rdap.json", &rdap("held.example", "registrant", "it@held.example")),
                ("thin.example", "rdap.json", &rdap("thin.example", "technical", "dns@provider.example")),
            ],
        );
        work(&at(&stage, MORNING), &recorder);
        assert_eq!(rungs(&stage, "t-held.example")[2], ("rdap".to_owned(), "asked".to_owned()));
        assert_eq!(rungs(&stage, "t-thin.example")[2], ("rdap".to_owned(), "nobody".to_owned()));
        assert!(
            detail(&stage, "t-thin.example", "rdap")
                .contains("abuse contact of the registrar, not of the organisation")
        );
        let mut asked: Vec<String> = recorder.messages().iter().map(|message| message.recipients[0].clone()).collect();
        asked.sort();
        assert_eq!(asked, ["it@held.example", "security@org.example"]);
        assert!(readable(to(&recorder.messages(), "it@held.example")[0]).contains("registration data (RDAP)"));
    }
}

#[test]
fn workers_at_once_and_again_climb_each_rung_once() {
    for backend in Backend::each() {
        let lost: Vec<String> = (0..12).map(|n| format!("lost{n:02}.example")).collect();
        let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
        let (stage, recorder) = released(backend, &lost);
        let files: Vec<String> = lost.iter().map(|domain| security_txt(&format!("sec@{domain}"))).collect();
        let answers: Vec<_> =
            lost.iter().zip(&files).map(|(domain, text)| (*domain, "security.txt", text.as_str())).collect();
        let stage = replaying(stage, &answers);
        for time in [MORNING, MORNING, LATER] {
            let run = at(&stage, time).sending_to(&recorder.url());
            let mut workers = [0, 1].map(|_| run.spawn(&["work", "--until-idle", "--timeout", "120"]));
            let climbing = run.spawn(&["contact", "find", SLUG]);
            for running in workers.iter_mut().chain([&mut { climbing }]) {
                assert_eq!(running.wait(), 0);
            }
        }
        for domain in &lost {
            let rungs: Vec<String> = rungs(&stage, &format!("t-{domain}")).into_iter().map(|(rung, _)| rung).collect();
            assert_eq!(rungs, ["known-contacts", "security-txt", "rdap", "role-mailboxes", "account-manager"]);
            assert_eq!(to(&recorder.messages(), &format!("sec@{domain}")).len(), 1, "{domain}");
        }
        let asked = recorder.messages().iter().filter(|message| message.recipients[0].starts_with("sec@")).count();
        assert_eq!(asked, lost.len());
        assert_eq!(
            raw_sql(&stage, "SELECT COUNT(*) FROM tasks WHERE kind = 'reach-account-manager'").unwrap().trim(),
            "12"
        );
        stage.run.ok(&["audit", "verify"]);
    }
}

#[test]
fn a_rejected_address_is_not_written_to_again() {
    let (stage, recorder) = released(Backend::Sqlite, &["lost.example"]);
    let stage = replaying(stage, &[("lost.example", "security.txt", &security_txt("security@lost.example"))]);
    let climbed = at(&stage, MORNING).csv(&["contact", "find", SLUG, "--tenant", "t-lost.example"]);
    assert_eq!(climbed.iter().map(|row| row["outcome"].as_str()).collect::<Vec<_>>(), ["nobody", "asked"]);
    let output = at(&stage, MORNING).run(&["contact", "find", SLUG]);
    assert!(output.status == 0 && output.stderr.contains("no rung is due"), "{}", output.stderr);
    let (id, _, _) = found(&stage, "t-lost.example").remove(0);
    at(&stage, MORNING).ok(&["contact", "reject", &id, "--why", "a mailbox of their provider"]);
    // The letter that waited is called back; the guess of the next rung is the same address.
    let run = at(&stage, LATER).with("FORTHRIGHT_REACH_ROLE_MAILBOXES", "true");
    work(&run, &recorder);
    assert_eq!(rungs(&stage, "t-lost.example")[3], ("role-mailboxes".to_owned(), "asked".to_owned()));
    let said = detail(&stage, "t-lost.example", "role-mailboxes");
    assert!(said.contains("security@lost.example was rejected by a person"), "{said}");
    assert_eq!(to(&recorder.messages(), "security@lost.example").len(), 0);
    assert_eq!(to(&recorder.messages(), "abuse@lost.example").len(), 1);
    work(&at(&stage, MUCH_LATER), &recorder);
    assert_eq!(rungs(&stage, "t-lost.example")[4], ("account-manager".to_owned(), "task".to_owned()));
}

#[test]
fn an_organisation_whose_contacts_all_bounced_is_reached_for_too() {
    for backend in Backend::each() {
        let stage = Stage::with_clock(backend, Clock::Moved);
        stage.small(1);
        let add = ["directory", "add-contact", "t-00000", "--role", "legal", "--email", "legal@org00000.example"];
        stage.run.ok(&add);
        stage.release_at(&at(&stage, MORNING));
        let recorder = Recorder::start().unwrap();
        for address in ["security@org00000.example", "legal@org00000.example"] {
            recorder.always(address, Behaviour::Permanent(Phase::Rcpt));
        }
        let stage = replaying(stage, &[("org00000.example", "security.txt", &security_txt("psirt@org00000.example"))]);
        work(&at(&stage, MORNING), &recorder);
        assert_eq!(rungs(&stage, "t-00000"), names(&[("known-contacts", "nobody"), ("security-txt", "asked")]));
        assert_eq!(
            detail(&stage, "t-00000", "known-contacts"),
            "tried: legal@org00000.example (legal): bounced; security@org00000.example (security): bounced"
        );
        assert_eq!(to(&recorder.messages(), "psirt@org00000.example").len(), 1);
        assert_eq!(stage.status()["unreachable"], 1);
        let ladders = stage.run.csv(&["escalation", "list", SLUG]);
        assert!(ladders.iter().any(|row| row["policy"] == "unreachable"), "{ladders:?}");
        // Whom somebody verified is told by the next tick: the notice is released already.
        let (id, _, _) = found(&stage, "t-00000").remove(0);
        at(&stage, LATER).ok(&["contact", "verify", &id, "--why", "called them"]);
        work(&at(&stage, LATER), &recorder);
        assert_eq!(to(&recorder.messages(), "psirt@org00000.example").len(), 2);
        assert_eq!(stage.status()["accepted"], 1);
        work(&at(&stage, MUCH_LATER), &recorder);
        assert_eq!(rungs(&stage, "t-00000").len(), 2);
    }
}

#[test]
fn look_ups_that_cannot_be_made_cost_no_rung() {
    let (stage, recorder) = released(Backend::Sqlite, &["lost.example"]);
    let run = at(&stage, MORNING).with("FORTHRIGHT_REACH_SECURITY_TXT", "true");
    let output = run.with("FORTHRIGHT_REACH_REPLAY", "no-such-folder").run(&["contact", "find", SLUG]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("no-such-folder") && output.stderr.contains("[reach] replay"), "{}", output.stderr);
    assert_eq!(rungs(&stage, "t-lost.example"), []);
    for (key, value, says) in [
        ("FORTHRIGHT_REACH_RDAP", "true", "reach.rdap_server is empty"),
        ("FORTHRIGHT_REACH_RDAP_SERVER", "http://rdap.example/", "no https address"),
        ("FORTHRIGHT_REACH_WAIT_HOURS", "0", "reach.wait_hours is 0"),
        ("FORTHRIGHT_REACH_ROLE_MAILBOXES", "perhaps", "role_mailboxes"),
    ] {
        let output = stage.run.with(key, value).run(&["contact", "attempts", SLUG]);
        assert!(output.status == 1 && output.stderr.contains(says), "{key}: {}", output.stderr);
    }
    let file = stage.file("f.toml", "[reach]\nwhois = true\n");
    let output = stage.run.run(&["contact", "attempts", SLUG, "--config", path(&file)]);
    assert!(output.status == 1 && output.stderr.contains("whois"), "{}", output.stderr);
    assert_eq!(recorder.messages().len(), 0);
}
