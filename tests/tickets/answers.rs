//! Answer packs, snippets, and one answer to many organisations, each with its own facts.

use std::collections::BTreeMap;

use testkit::process::Backend;
use testkit::smtp::Recorder;

use super::{question_ids, receive, reply_to, sent, ticket_of};
use crate::setup::{SLUG, Stage, path, readable};

/// A ticket with one open question of the `n`th organisation.
fn asked(stage: &Stage, message: &testkit::smtp::Message, question: &str) -> (String, String) {
    let ticket = receive(stage, &reply_to(message, "", question), None)["ticket"].as_str().unwrap().to_owned();
    let question = question_ids(stage, &ticket).remove(0);
    (ticket, question)
}

#[test]
fn many_get_one_answer_each_with_its_own_facts_and_one_that_is_refused_stops_no_other() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 3);
        let asked: Vec<_> = messages.iter().map(|message| asked(&stage, message, "Which of our files?")).collect();
        let text = stage
            .file("files.hbs", "For {{tenant_name}}:\n{{#each domains}}\n{{name}}: {{objects}} object.\n{{/each}}\n");
        stage.run.ok(&["snippet", "add", "files", "--language", "en", "--text", path(&text)]);
        stage.run.ok(&["ticket", "answer", &asked[2].0, "--questions", &asked[2].1, "--snippet", "files"]);
        let rows: String = asked.iter().map(|(ticket, question)| format!("{ticket},{question}\n")).collect();
        let file = stage.file("open.csv", &format!("ticket,question\n{rows}{},qst_nobody\n", asked[0].0));
        let many = ["ticket", "answer-many", SLUG, "--questions", path(&file), "--snippet", "files", "--json"];
        let preview = stage.run.run(&[&many[..], &["--preview"]].concat());
        assert_eq!(preview.status, 3, "{}", preview.stderr);
        assert!(preview.stdout.contains("For Organisation 1:") && preview.stdout.contains("would be answered"));
        assert_eq!(ticket_of(&stage, &asked[0].0)["debt"], "1", "a preview writes nothing");
        let done = stage.run.run(&many);
        assert_eq!(done.status, 3, "{}", done.stderr);
        let outcomes: Vec<serde_json::Value> = serde_json::from_str(&done.stdout).unwrap();
        let results: BTreeMap<&str, &str> =
            outcomes.iter().map(|row| (row["ticket"].as_str().unwrap(), row["result"].as_str().unwrap())).collect();
        assert_eq!(results[asked[0].0.as_str()], "answered");
        assert_eq!(results[asked[1].0.as_str()], "answered");
        assert_eq!(results[asked[2].0.as_str()], "failed", "it was answered before");
        assert_eq!(results[""], "failed", "no such question");
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let mut letters = recorder.messages();
        letters.sort_by_key(|letter| letter.recipients[0].clone());
        assert_eq!(letters.len(), 3);
        for (n, letter) in letters.iter().enumerate() {
            let text = readable(letter);
            assert!(text.contains(&format!("org{n:05}.example: 1 object.")), "{text}");
            for other in (0..3).filter(|other| *other != n) {
                assert!(!text.contains(&format!("org{other:05}")), "{text}");
            }
        }
    }
}

#[test]
fn a_snippet_with_a_foreign_link_or_a_misspelt_field_is_refused_and_an_incidents_own_goes_first() {
    let (stage, messages) = sent(Backend::Sqlite, 1);
    let add = |name: &str, body: &str, more: &[&str]| {
        let file = stage.file("snippet.hbs", body);
        let args = ["snippet", "add", name, "--language", "en", "--text", path(&file)];
        stage.run.run(&[&args[..], more].concat())
    };
    assert_eq!(add("bad", "See https://elsewhere.example/help", &[]).status, 4);
    assert_eq!(add("bad", "You have {{objetcs}} objects.", &[]).status, 1);
    for unfit in
        ["Hi [NAME], your case XXXX <insert facts>.", "{% for domain in domains %}", "There is no further information."]
    {
        assert_eq!(add("bad", unfit, &[]).status, 4, "{unfit}");
    }
    let facts = "{{#each domains}}{{name}}: {{objects}} objects. {{/each}}";
    assert_eq!(add("unproven", facts, &[]).status, 4, "what goes to the unproven states no fact");
    assert_eq!(add("mine", "To everybody.", &[]).status, 0);
    assert_eq!(add("mine", "To {{tenant_name}} in this incident.", &["--incident", SLUG]).status, 0);
    let (ticket, question) = asked(&stage, &messages[0], "What happened?");
    stage.run.ok(&["ticket", "answer", &ticket, "--questions", &question, "--snippet", "mine"]);
    let shown = stage.run.ok(&["ticket", "show", &ticket]);
    assert!(shown.contains("To Organisation 0 in this incident."), "{shown}");
    stage.run.ok(&["snippet", "remove", "mine", "--language", "en", "--incident", SLUG]);
    let listed = stage.run.ok(&["snippet", "show", "mine", "--incident", SLUG]);
    assert!(listed.contains("To everybody."), "{listed}");
}

#[test]
fn an_unproven_asker_is_offered_nothing_specific_and_the_pack_says_who_the_answer_goes_to() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let (ticket, question) = asked(&stage, &messages[0], "Which of our files?");
        let pack = stage.run.json(&["ticket", "pack", &ticket]);
        assert_eq!((&pack["trust"], &pack["open"][0]["id"]), (&"U".into(), &question.as_str().into()));
        assert_eq!(pack["may_say"], serde_json::json!([]));
        assert_eq!(pack["goes_to"], serde_json::json!(["security@org00000.example"]));
        assert_eq!(pack["told"][0]["state"], "released");
        let drafts = pack["drafts"].as_array().unwrap();
        assert_eq!(drafts.len(), 1);
        assert!(!drafts[0]["text"].as_str().unwrap().contains("org00000"), "{drafts:?}");
        // As it was kept by a program that did not look.
        let kept = "INSERT INTO snippets (id, name, language, body, kept_by, kept_at) VALUES ('snp_0', 'unproven', 'en', '{{#each domains}}{{name}}: {{objects}} objects. {{/each}}', 'a', 1)";
        super::raw_sql(&stage, kept).unwrap();
        let pack = stage.run.json(&["ticket", "pack", &ticket]);
        assert_eq!(pack["drafts"], serde_json::json!([]), "{pack}");
        super::raw_sql(&stage, "UPDATE inbound SET trust = 'A'").unwrap();
        let proven = stage.run.json(&["ticket", "pack", &ticket]);
        assert!(proven["may_say"][0].as_str().unwrap().contains("org00000.example: objects 1"), "{proven}");
        assert!(proven["drafts"][0]["text"].as_str().unwrap().contains("org00000.example"), "{proven}");
    }
}
