//! What is said once counts until somebody settles it: whatever becomes of the mapping meanwhile, for domains that come
//! later, and in other incidents.

use testkit::process::{Backend, Forthright};
use testkit::smtp::{Message, Recorder};

use super::ticket_of;
use crate::setup::{SLUG, Stage, path};
use crate::tickets::{question_ids, raw_sql, receive, reply_to};

const DIRECTORY: &str = "domain,tenant_id,tenant_name,country,language\n";
const MANIFEST: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

fn directory(stage: &Stage, rows: &[(&str, &str)]) {
    let mut text = String::from(DIRECTORY);
    for (domain, tenant) in rows {
        text.push_str(&format!("{domain},{tenant},Name of {tenant},US,en\n"));
    }
    let file = stage.file("d.csv", &text);
    stage.run.ok(&["directory", "import", "--organisations", path(&file), "--accept-shrink"]);
}

fn manifest(stage: &Stage, slug: &str, hosts: &[&str]) {
    let mut text = String::from(MANIFEST);
    for host in hosts {
        text.push_str(&format!("{slug}/{host}.pdf,{host},,invoice,2020-01-02,10,p,u\n"));
    }
    let file = stage.file("m.csv", &text);
    stage.run.ok(&["exposure", "import", slug, path(&file)]);
}

/// Two tenants with a contact each; t-1 has two domains, of which these are affected and told of.
fn told(backend: Backend, hosts: &[&str]) -> (Stage, Message) {
    let stage = Stage::new(backend);
    directory(&stage, &[("a.example", "t-1"), ("a2.example", "t-1"), ("b.example", "t-2")]);
    let contacts =
        "tenant_id,role,name,email,language\nt-1,security,One,one@a.example,en\nt-2,security,Two,two@b.example,en\n";
    stage.run.ok(&["directory", "import", "--contacts", path(&stage.file("c.csv", contacts))]);
    manifest(&stage, SLUG, hosts);
    stage.release();
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    let mut messages = recorder.messages();
    messages.retain(|message| message.recipients == ["one@a.example"]);
    (stage, messages.remove(0))
}

fn conflicts(run: &Forthright, slug: &str) -> Vec<(String, String, String, String)> {
    let rows = run.csv(&["mapping", "review", slug, "--list", "conflict"]);
    let line = |row: &std::collections::HashMap<String, String>| {
        (row["domain"].clone(), row["tenant_id"].clone(), row["review"].clone(), row["because"].clone())
    };
    rows.iter().map(line).collect()
}

fn addresses(stage: &Stage) -> Vec<String> {
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    recorder.messages().into_iter().flat_map(|message| message.recipients).collect()
}

fn answer(stage: &Stage, ticket: &str) -> serde_json::Value {
    let text = stage.file("answer.txt", "It was one invoice of January 2020.");
    let questions = question_ids(stage, ticket).join(",");
    stage.run.json(&["ticket", "answer", ticket, "--questions", &questions, "--text", path(&text)])
}

fn audit(stage: &Stage) -> String {
    let file = stage.folder.path().join("audit.jsonl");
    stage.run.ok(&["audit", "export", SLUG, path(&file)]);
    std::fs::read_to_string(file).unwrap()
}

/// A second incident with these hosts, released; what the release said.
fn open_other(stage: &Stage, hosts: &[&str]) -> serde_json::Value {
    let text =
        "slug = \"other\"\ntitle = \"T\"\nvendor = \"Example Cloud\"\ndiscovered_at = \"2022-09-24T08:00:00Z\"\n";
    stage.run.ok(&["incident", "open", path(&stage.file("other.toml", text))]);
    manifest(stage, "other", hosts);
    stage.run.ok(&["notice", "draft", "other"]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", "other", "--all"]);
    stage.run.as_actor("lead").json(&["wave", "release", "other", "w", "--all"])
}

/// t-1 says that one of its two domains is not theirs, and asks; the answer waits. Then the mapping moves on.
fn check_overtaken(backend: Backend, move_on: impl Fn(&Stage), now: &str) {
    let (stage, message) = told(backend, &["a.example", "a2.example"]);
    receive(&stage, &reply_to(&message, "", "a.example is not ours. Which files were these?"), None);
    let ticket = ticket_of(&stage, "t-1");
    let answered = answer(&stage, &ticket);
    assert_eq!(answered["debt"], 0, "{answered}");
    assert!(answered["waits"].as_str().unwrap().contains("mapping review bluebleed --list conflict"), "{answered}");
    assert!(addresses(&stage).is_empty());
    let refused = stage.run.run(&["ticket", "close", &ticket]);
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("out_") && refused.stderr.contains("one@a.example"), "{}", refused.stderr);
    let closing =
        "UPDATE tickets SET status = 'closed', turn = 'nobody', closed_at = 1 WHERE debt = 0 AND tenant_id = 't-1'";
    assert!(raw_sql(&stage, closing).unwrap_err().contains("answers_leave_first"));

    move_on(&stage);
    let explained = stage.run.json(&["mapping", "explain", "a.example", "--incident", SLUG]);
    assert_eq!(explained["verdict"].as_str().unwrap(), now);
    assert!(audit(&stage).contains("mapping.settle-disputes"), "the audit log says by what it was settled");
    let left = conflicts(&stage.run, SLUG);
    assert_eq!(
        (left.len(), left[0].0.as_str(), left[0].1.as_str(), left[0].2.as_str()),
        (1, "a2.example", "t-1", "disputed")
    );
    let doctor = stage.run.run(&["doctor"]).stdout;
    assert!(doctor.contains("a2.example is not theirs") && !doctor.contains(" a.example"), "{doctor}");

    stage.run.ok(&["mapping", "assign", SLUG, "a2.example", "t-1", "--why", "it is"]);
    assert!(conflicts(&stage.run, SLUG).is_empty());
    assert_eq!(addresses(&stage), ["one@a.example"], "the answer leaves");
    stage.run.ok(&["ticket", "close", &ticket]);
    directory(&stage, &[("a.example", "t-1"), ("a2.example", "t-1"), ("b.example", "t-2")]);
    let explained = stage.run.json(&["mapping", "explain", "a.example", "--incident", SLUG]);
    assert_ne!(explained["tenant_id"], "t-1", "it does not come back to whoever said no by itself");
}

#[test]
fn a_dispute_ends_when_an_import_takes_the_domain_away() {
    for backend in Backend::each() {
        check_overtaken(backend, |stage| directory(stage, &[("a2.example", "t-1"), ("b.example", "t-2")]), "unmapped");
    }
}

#[test]
fn a_dispute_ends_when_somebody_enters_the_domain_for_another_tenant() {
    let add = ["directory", "add-domain", "t-2", "a.example", "--over", "t-1", "--why", "bought"];
    for backend in Backend::each() {
        check_overtaken(backend, |stage| drop(stage.run.ok(&add)), "mapped");
    }
}

#[test]
fn a_dispute_stays_on_the_list_while_the_domain_is_in_conflict_for_another_reason() {
    for backend in Backend::each() {
        let (stage, message) = told(backend, &["a.example"]);
        receive(&stage, &reply_to(&message, "", "a.example is not ours."), None);
        stage.run.ok(&["directory", "add-domain", "t-2", "a.example", "--why", "told by phone"]);
        let lines = conflicts(&stage.run, SLUG);
        assert_eq!((lines.len(), lines[0].1.as_str(), lines[0].2.as_str()), (1, "t-1", "manual-import"));
        assert!(lines[0].3.contains("somebody at tenant t-1 says that a.example is not theirs"), "{lines:?}");
    }
}

#[test]
fn whoever_says_that_nothing_is_theirs_gets_no_domain_that_comes_later_and_no_mail_of_another_incident() {
    for backend in Backend::each() {
        let (stage, message) = told(backend, &["a.example"]);
        receive(&stage, &reply_to(&message, "", "You have the wrong organisation."), None);
        manifest(&stage, SLUG, &["a2.example"]);
        let held = |domain: &str| {
            let explained = stage.run.json(&["mapping", "explain", domain, "--incident", SLUG]);
            (explained["verdict"] == "conflict").then(|| explained["review"].as_str().unwrap().to_owned())
        };
        assert_eq!(held("a2.example").as_deref(), Some("disputed"));
        stage.run.ok(&["mapping", "assign", SLUG, "a.example", "t-2", "--why", "bought"]);
        assert_eq!(held("a2.example").as_deref(), Some("disputed"), "what is said of one domain settles no other");
        assert_eq!(conflicts(&stage.run, SLUG).len(), 1);

        let released = open_other(&stage, &["a2.example"]);
        let shown = conflicts(&stage.run, "other");
        assert_eq!((shown.len(), shown[0].1.as_str(), shown[0].2.as_str()), (1, "t-1", "disputed"));
        assert!(shown[0].3.contains("one@a.example") && shown[0].3.contains("bluebleed"), "{shown:?}");
        assert_eq!((&released["mails"], &released["held"]), (&1.into(), &1.into()), "{released}");
        assert!(addresses(&stage).is_empty());

        stage.run.ok(&["mapping", "settle", SLUG, "t-1", "--why", "the right people, the wrong domain"]);
        assert_eq!(addresses(&stage), ["one@a.example"]);
        assert_eq!(held("a2.example"), None);
        assert!(conflicts(&stage.run, "other").is_empty());
        let nothing = stage.run.run(&["mapping", "settle", SLUG, "t-1", "--why", "again"]);
        assert_eq!(nothing.status, 1, "{}", nothing.stderr);
    }
}

#[test]
fn an_agent_answers_whoever_was_right_that_it_is_not_theirs() {
    let (stage, message) = told(Backend::Sqlite, &["a.example"]);
    receive(&stage, &reply_to(&message, "", "You have the wrong organisation. Who told you about us?"), None);
    let ticket = ticket_of(&stage, "t-1");
    answer(&stage, &ticket);
    assert!(addresses(&stage).is_empty());
    stage.run.ok(&["mapping", "assign", SLUG, "a.example", "t-2", "--why", "bought"]);
    assert_eq!(addresses(&stage), ["one@a.example"]);
    stage.run.ok(&["ticket", "close", &ticket]);
}

#[test]
fn who_denies_on_the_telephone_is_named_by_an_address_that_we_write_to() {
    let (stage, _) = told(Backend::Sqlite, &["a.example"]);
    let ticket = ticket_of(&stage, "t-1");
    let said_by =
        |address: &str| stage.run.run(&["ticket", "wrong-recipient", &ticket, "--said-by", address, "--why", "called"]);
    assert_eq!(said_by("two@b.example").status, 1);
    assert_eq!(said_by("One@a.example").status, 0);
    open_other(&stage, &["a2.example"]);
    assert!(addresses(&stage).is_empty());
}

#[test]
fn a_stranger_in_from_stops_no_mail_to_somebody_else() {
    let (stage, message) = told(Backend::Sqlite, &["a.example"]);
    let raw = reply_to(&message, "", "You have the wrong organisation.").replace("<one@a.example>", "<two@b.example>");
    receive(&stage, &raw, None);
    open_other(&stage, &["b.example"]);
    assert_eq!(addresses(&stage), ["two@b.example"]);
}

#[test]
fn who_says_wrong_company_and_names_somebody_is_heard_twice_and_names_nobody_whom_we_know() {
    let (stage, message) = told(Backend::Sqlite, &["a.example"]);
    let ours = message.header("Reply-To").unwrap();
    let body = format!(
        "You have the wrong company. The right address is soc@other.example, not one@a.example. I answered {ours} before, and press@vendor.example."
    );
    receive(&stage, &reply_to(&message, "", &body), None);
    assert_eq!(conflicts(&stage.run, SLUG).len(), 1);
    let contacts = stage.run.csv(&["contact", "list", "t-1"]);
    let named: Vec<_> =
        contacts.iter().filter(|row| row["source"] == "named").map(|row| row["email"].as_str()).collect();
    assert_eq!(named, ["soc@other.example"]);
}
