//! Notices: specific, of one organisation alone, frozen once a second person approved.

mod approval;
mod canaries;
mod history;
mod left_out;
mod specific;
mod stated;
mod supplements;

use testkit::process::Backend;
use testkit::smtp::Recorder;

use crate::setup::{SLUG, Stage, readable};

#[test]
fn each_recipient_gets_one_mail_with_its_own_organisations_facts_alone() {
    for (backend, seed) in [(Backend::Sqlite, 21), (Backend::Postgres, 22)] {
        let stage = Stage::new(backend);
        let expected = stage.generated(seed, 4_000);
        stage.release();
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let messages = recorder.messages();
        let mut told: Vec<String> =
            messages.iter().map(|message| message.recipients.join(",").to_lowercase()).collect();
        told.sort();
        let mut wanted: Vec<String> =
            expected.recipients().into_iter().map(|recipient| recipient.address.to_lowercase()).collect();
        wanted.sort();
        assert_eq!(told, wanted);
        for tenant in &expected.tenants {
            let addresses: Vec<String> =
                tenant.recipients.iter().map(|recipient| recipient.address.to_lowercase()).collect();
            for message in messages.iter().filter(|message| addresses.contains(&message.recipients[0].to_lowercase())) {
                check_own_facts(message, tenant, &expected);
            }
        }
        stage.status();
    }
}

fn check_own_facts(
    message: &testkit::smtp::Message,
    tenant: &testkit::generator::TenantFacts,
    expected: &testkit::generator::Expected,
) {
    let text = readable(message);
    let words: std::collections::BTreeSet<&str> =
        text.split(|c: char| c.is_whitespace() || "(),;:".contains(c)).map(|word| word.trim_matches('.')).collect();
    for fact in &expected.facts {
        let own = tenant.domains.contains(&fact.domain);
        let named = words.contains(fact.domain.as_str());
        assert_eq!(named, own, "{} in the mail of {}\n{text}", fact.domain, tenant.tenant_id);
        if own {
            for figure in [fact.objects, fact.emails, fact.users, fact.projects, fact.bytes] {
                assert!(words.contains(figure.to_string().as_str()), "{figure} of {}\n{text}", fact.domain);
            }
        }
    }
    for other in
        expected.tenants.iter().filter(|other| other.tenant_id != tenant.tenant_id && other.name != tenant.name)
    {
        assert!(!text.contains(&other.name), "{} in the mail of {}", other.name, tenant.tenant_id);
    }
    let recipient =
        tenant.recipients.iter().find(|one| one.address.eq_ignore_ascii_case(&message.recipients[0])).unwrap();
    let spoken =
        [("de", " schreibt "), ("en", " is writing "), ("es", " le escribe "), ("fr", " vous écrit "), ("ja", "貴")];
    let language = spoken.iter().find(|(tag, _)| *tag == recipient.language).map_or("en", |(tag, _)| tag);
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (tag, word) in spoken {
        assert_eq!(spaced.contains(word), tag == language, "{}: {word}\n{text}", recipient.language);
    }
}

#[test]
fn nobody_approves_their_own_draft_and_nobody_releases_what_they_approved() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    stage.run.ok(&["notice", "draft", SLUG]);
    // Another spelling is not another person.
    for same in ["analyst", "Analyst", " ANALYST "] {
        assert_eq!(stage.run.as_actor(same).run(&["notice", "approve", SLUG, "--all"]).status, 4, "{same}");
    }
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    let release = ["wave", "release", SLUG, "all", "--all"];
    for same in ["counsel", "Counsel"] {
        assert_eq!(stage.run.as_actor(same).run(&release).status, 4, "{same}");
    }
    stage.run.as_actor("lead").ok(&release);
}

#[test]
fn drafting_again_writes_only_what_changed() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 3);
        let again = stage.run.json(&["notice", "draft", SLUG]);
        assert_eq!((&again["drafted"], &again["changed"], &again["kept"]), (&0.into(), &0.into(), &3.into()));
        let more = stage.file(
            "more.csv",
            "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\nx.pdf,org00001.example,,bill,2021-01-01,5,p,u\n",
        );
        stage.import(&[&more], &stage.folder.path().join("s.txt"));
        let again = stage.run.json(&["notice", "draft", SLUG]);
        assert_eq!((&again["changed"], &again["kept"]), (&1.into(), &2.into()));
    }
}

#[test]
fn a_draft_whose_facts_have_changed_is_not_approved() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    stage.run.ok(&["notice", "draft", SLUG]);
    let more = stage.file(
        "more.csv",
        "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\nx.pdf,org00000.example,,invoice,2021-01-01,5,p,u\n",
    );
    stage.import(&[&more], &stage.folder.path().join("s.txt"));
    let output = stage.run.as_actor("counsel").run(&["notice", "approve", SLUG, "--all"]);
    assert_eq!(output.status, 4, "{}", output.stderr);
}

#[test]
fn after_a_release_changed_facts_give_a_supplement_to_that_organisation_alone() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    stage.release();
    let more = stage.file(
        "more.csv",
        "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\nx.pdf,org00000.example,,invoice,2021-01-01,5,p,u\n",
    );
    stage.import(&[&more], &stage.folder.path().join("s.txt"));
    stage.run.ok(&["notice", "draft", SLUG]);
    let drafted: Vec<_> =
        stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["state"] == "drafted").collect();
    assert_eq!(drafted.len(), 1);
    assert_eq!((drafted[0]["tenant_id"].as_str(), drafted[0]["kind"].as_str()), ("t-00000", "supplement"));
}

#[test]
fn what_was_approved_is_what_is_sent_byte_for_byte() {
    let stage = Stage::new(Backend::Sqlite);
    stage.sample_directory();
    let sample = testkit::data::sample();
    stage.import(&[&sample.join("manifest.csv")], &sample.join("freemail.txt"));
    stage.run.ok(&["notice", "draft", SLUG]);
    let before = stage.run.ok(&["notice", "preview", SLUG, "t-0000002"]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    assert_eq!(stage.run.ok(&["notice", "preview", SLUG, "t-0000002"]), before);
    stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "all", "--all"]);
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    let contact =
        stage.run.csv(&["delivery", "list", SLUG]).into_iter().find(|row| row["tenant_id"] == "t-0000002").unwrap();
    let sent = recorder.messages().into_iter().find(|message| message.recipients[0] == contact["contact"]).unwrap();
    let text = readable(&sent);
    assert_eq!(text.trim_end(), before.trim_end());
}

#[test]
fn frozen_letters_refuse_raw_sql_on_both_databases() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(1);
        stage.run.ok(&["notice", "draft", SLUG]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        for statement in
            ["UPDATE letters SET text = 'nothing happened'", "DELETE FROM letters", "UPDATE notices SET facts = '{}'"]
        {
            let refused = crate::tickets::raw_sql(&stage, statement);
            assert!(refused.is_err_and(|error| error.contains("frozen") || error.contains("kept")), "{statement}");
        }
    }
}

#[test]
fn every_figure_of_a_notice_has_an_id_stands_in_every_part_and_is_counted_again_from_rows() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.generated(11, 4_000);
        stage.run.ok(&["notice", "draft", SLUG]);
        let notices = stage.run.csv(&["notice", "list", SLUG]);
        assert!(notices.len() > 20);
        for notice in notices.iter().take(8) {
            let facts = stage.run.csv(&["notice", "facts", &notice["notice_id"]]);
            assert!(facts.iter().any(|fact| fact["fact"].contains("/type:")), "{facts:?}");
            for fact in &facts {
                assert_eq!(fact["value"], fact["today"], "{fact:?}");
                assert_eq!(fact["not_in"], "", "{fact:?}");
            }
        }
        let first = stage.run.csv(&["notice", "facts", &notices[0]["notice_id"]]);
        for fact in first.iter().filter(|fact| !fact["proof"].is_empty()) {
            let proof: Vec<&str> = fact["proof"].split(' ').skip(1).collect();
            let proved = stage.run.json(&proof);
            let value = match fact["fact"].split_once("/type:") {
                Some((_, kind)) => proved["value"][kind].clone(),
                None => proved["value"].clone(),
            };
            assert_eq!(value.to_string(), fact["value"], "{fact:?} {proved}");
        }
    }
}

/// Releases everything that is drafted and returns what was sent, by recipient.
fn send(stage: &Stage, wave: &str) -> Vec<(String, String)> {
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    stage.run.as_actor("lead").ok(&["wave", "release", SLUG, wave, "--all"]);
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    let messages = recorder.messages();
    // Lines are folded: as it reads, not as it is set.
    let read = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    messages.iter().map(|message| (message.recipients[0].clone(), read(readable(message)))).collect()
}

#[test]
fn a_supplement_says_what_is_new_and_a_correction_what_was_wrong_and_both_say_why() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        assert_eq!(send(&stage, "first").len(), 3);
        let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
        let row = "late/1.pdf,org00001.example,,contract,2021-05-06,7,,\n";
        let more = stage.file("late.csv", &format!("{header}{row}"));
        let shared = stage.file("none.txt", "free.example\n");
        stage.import(&[&more], &shared);

        let sent = send(&stage, "second");
        assert_eq!(sent.len(), 1, "one row changed, one organisation is told: {sent:?}");
        let (to, text) = &sent[0];
        assert_eq!(to, "security@org00001.example");
        assert!(
            text.contains("What changed since then:") && text.contains("number of objects: 2 (before: 1)"),
            "{text}"
        );
        assert!(
            text.contains("contract: 1 (before: 0)") && text.contains("We have evaluated further records."),
            "{text}"
        );
        assert!(!text.contains("(invoice): 1 (before"), "what stayed is no news: {text}");
        let kinds = |tenant: &str| -> Vec<String> {
            let rows = stage.run.csv(&["notice", "list", SLUG]);
            rows.into_iter().filter(|row| row["tenant_id"] == tenant).map(|row| row["kind"].clone()).collect()
        };
        assert_eq!(kinds("t-00001"), ["initial", "supplement"]);

        stage.run.ok(&["exposure", "withdraw", SLUG, "late.csv", "--why", "of another incident"]);
        let sent = send(&stage, "third");
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(sent[0].1.contains("number of objects: 1 (before: 2)"), "{}", sent[0].1);
        assert!(sent[0].1.contains("taken back records that should not have been counted"), "{}", sent[0].1);
        assert_eq!(kinds("t-00001"), ["initial", "supplement", "correction"]);

        stage.run.ok(&["mapping", "assign", SLUG, "org00002.example", "t-00000", "--why", "bought in 2019"]);
        let sent = send(&stage, "fourth");
        assert_eq!(sent.len(), 2, "whoever got the domain, and whoever lost its only one: {sent:?}");
        let got = &sent.iter().find(|(to, _)| to == "security@org00000.example").unwrap().1;
        assert!(got.contains("org00002.example: named here for the first time"), "{got}");
        assert!(got.contains("changed which domains belong to which organisation"), "{got}");
        assert_eq!(
            (kinds("t-00000"), kinds("t-00002")),
            (vec!["initial".to_owned(), "supplement".to_owned()], vec!["initial".to_owned(), "correction".to_owned()])
        );
        let again = stage.run.json(&["notice", "draft", SLUG]);
        assert_eq!((&again["drafted"], &again["changed"]), (&0.into(), &0.into()), "nobody is told the same twice");
    }
}
