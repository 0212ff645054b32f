//! What is approved states its facts, each by its own value, and nothing that looks like a fact and is none.

use testkit::process::{Backend, Output};

use crate::setup::{SLUG, Stage, path, review};
use crate::tickets::raw_sql;

/// The built-in English notice: subject, text, HTML.
fn builtin(stage: &Stage) -> [String; 3] {
    ["subject", "text", "html"].map(|part| stage.run.ok(&["templates", "show", "notice", "en", "--part", part]))
}

/// The same with one passage in place of another in the text (1) or the HTML (2).
fn instead(stage: &Stage, part: usize, old: &str, new: &str) -> [String; 3] {
    let mut words = builtin(stage);
    assert!(words[part].contains(old), "{old}");
    words[part] = words[part].replace(old, new);
    words
}

fn set(stage: &Stage, words: &[String; 3]) -> Output {
    let [subject, text, html] =
        [("s.hbs", 0), ("t.hbs", 1), ("h.hbs", 2)].map(|(name, at)| stage.file(name, &words[at]));
    let set = ["templates", "set", SLUG, "notice", "en", "--why", "words of counsel"];
    let parts = ["--subject", path(&subject), "--text", path(&text), "--html", path(&html)];
    stage.run.run(&[&set[..], &parts[..]].concat())
}

/// Keeps words as a program without these checks would have.
fn keep(stage: &Stage, words: &[String; 3]) {
    let mut version = model::digest::sha256_of_parts(&words.each_ref().map(String::as_bytes));
    version.truncate(16);
    let [subject, text, html] = words.each_ref().map(|part| part.replace('\'', "''"));
    let end = "UPDATE incident_templates SET ended_at = 1, ended_by = 'x' WHERE ended_at IS NULL";
    raw_sql(stage, end).unwrap();
    let insert = format!(
        "INSERT INTO incident_templates (id, incident_id, kind, language, version, subject, text, html, why, kept_by, kept_at) \
         SELECT 'tpl_{version}', id, 'notice', 'en', '{version}', '{subject}', '{text}', '{html}', 'x', 'x', 1 FROM incidents"
    );
    raw_sql(stage, &insert).unwrap();
}

fn approve(stage: &Stage) -> Output {
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").run(&["notice", "approve", SLUG, "--all"])
}

#[track_caller]
fn refused(output: &Output, says: &str) {
    assert_eq!(output.status, 4, "{says}: {}", output.stdout);
    assert!(output.stderr.contains(says) && output.stderr.contains("hint:"), "{says}: {}", output.stderr);
}

#[test]
fn a_generic_notice_is_not_approved_even_where_its_figures_stand_in_a_name() {
    for backend in Backend::each() {
        // One object, and its figure within the domain, the code, the version and the dates.
        let stage = Stage::new(backend);
        stage.small(2);
        for (part, old, says) in [
            (1, "{{objects}}", "en text does not state org00000.example/objects"),
            (2, "{{objects}}", "en html does not state org00000.example/objects"),
            (1, "{{label}}", "en text does not state org00000.example/type:invoice"),
            (2, "{{users}}", "en html does not state org00000.example/users"),
            (1, "{{last_date}}", "en text does not state org00000.example/last_date"),
        ] {
            assert_eq!(set(&stage, &instead(&stage, part, old, "some")).status, 0, "{old}");
            refused(&approve(&stage), says);
            let id = stage.run.csv(&["notice", "list", SLUG])[0]["notice_id"].clone();
            let silent = stage.run.csv(&["notice", "facts", &id]).into_iter().filter(|fact| !fact["not_in"].is_empty());
            assert!(silent.into_iter().any(|fact| says.ends_with(&fact["fact"])), "{says}");
            let check = stage.run.run(&["notice", "check", SLUG, "--obligations", "eu-cra-users", "--csv"]);
            assert_eq!(check.status, 4, "{}", check.stderr);
            let said = says.replace("org00000.example/", "");
            for tenant in ["t-00000", "t-00001"] {
                let line = format!("{tenant},specificity,,unstated,{said},,\n");
                assert!(check.stdout.contains(&line), "{line}{}", check.stdout);
            }
        }
    }
}

#[test]
fn what_a_letter_owes_beside_its_figures_cannot_be_left_out() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    let why = ["--why", "the police asked us to wait", "--review", &review()];
    let proposed = stage.run.json(&[&["notice", "withhold", SLUG, "t-00000", "emails"], &why[..]].concat());
    let id = proposed["withholding"].as_str().unwrap();
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", id]);
    for (part, old, says) in [
        (1, "{{code}}", "en text does not say the notice's code"),
        (2, "{{code}}", "en html does not say the notice's code"),
        (1, "{{review}}", "en text does not say what is withheld, why, and when that is looked at again"),
        (2, "{{review}}", "en html does not say what is withheld, why, and when that is looked at again"),
    ] {
        assert_eq!(set(&stage, &instead(&stage, part, old, "some")).status, 0, "{old}");
        refused(&approve(&stage), says);
    }
}

#[test]
fn a_figure_that_a_template_types_is_refused_when_it_is_kept_and_when_it_is_approved() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    for (part, old, new, words) in [
        (1, "- Users:", "- In all 12 objects; users:", "en text, at `- In all 12 objects; users: 1`"),
        (2, "Users</th>", "１ users</th>", "en html, at `１ users 1`"),
        (2, "<title>", "<title>12 files: ", "en html, at `12 files: Data about Organisat`"),
    ] {
        let words_of_own = instead(&stage, part, old, new);
        let kept = set(&stage, &words_of_own);
        assert_eq!(kept.status, 1, "{new}");
        assert!(kept.stderr.contains("a figure stands in the template's own words"), "{}", kept.stderr);
        keep(&stage, &words_of_own);
        refused(&approve(&stage), words);
        assert_ne!(stage.run.run(&["templates", "check", "--incident", SLUG]).status, 0, "{new}");
    }
    keep(&stage, &instead(&stage, 1, "- Objects: {{objects}}", "- Objects: {{objects}} {{users}}"));
    refused(&approve(&stage), "a figure reads as one with another");
    let check = ["notice", "check", SLUG, "--template", "notice", "--obligations", "eu-cra-users", "--json"];
    let checked: serde_json::Value = serde_json::from_str(&stage.run.run(&check).stdout).unwrap();
    assert_eq!(
        (&checked["specificity"][0]["finding"], &checked["refused"], &checked["specificity"][0]["tenants"]),
        (&"joined".into(), &1.into(), &serde_json::json!(["t-00000"]))
    );
    // An article of a law is none.
    let law = instead(&stage, 1, "WHAT HAPPENED", "WHAT HAPPENED (GDPR Art. 33(2))");
    assert_eq!(set(&stage, &law).status, 0);
    let approved = approve(&stage);
    assert_eq!(approved.status, 0, "{}", approved.stderr);
}

#[test]
fn a_draft_is_approved_by_the_words_it_was_written_from_while_these_are_there() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(1);
        assert_eq!(set(&stage, &instead(&stage, 1, "IN SHORT", "IN A FEW WORDS")).status, 0);
        stage.run.ok(&["notice", "draft", SLUG]);
        let approve = || stage.run.as_actor("counsel").run(&["notice", "approve", SLUG, "--all"]);
        let version = raw_sql(&stage, "SELECT template_version FROM notices").unwrap().trim().to_owned();
        let other = version.chars().rev().collect::<String>();
        for gone in [other.as_str(), "0123456789abcdef"] {
            raw_sql(&stage, &format!("UPDATE notices SET template_version = '{gone}'")).unwrap();
            refused(&approve(), "no longer there");
        }
        raw_sql(&stage, &format!("UPDATE notices SET template_version = '{version}'")).unwrap();
        let text = raw_sql(&stage, "SELECT text FROM letters").unwrap();
        assert!(text.contains("IN A FEW WORDS"));
        raw_sql(&stage, "UPDATE letters SET text = REPLACE(text, 'Objects: 1', 'Objects: 0')").unwrap();
        refused(&approve(), "is not what its template gives");
        raw_sql(&stage, "UPDATE letters SET text = REPLACE(text, 'Objects: 0', 'Objects: 1')").unwrap();
        // Words that are no longer in use are kept.
        stage.run.ok(&["templates", "reset", SLUG, "notice", "en", "--why", "not needed"]);
        let approved = approve();
        assert_eq!(approved.status, 0, "{}", approved.stderr);
    }
}

#[test]
fn what_is_not_known_is_a_fact_with_an_id_and_a_proof_where_a_figure_proves_it() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(1);
        let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
        let rows = ["a.pdf,org00000.example,,,,5,,\n", "b.pdf,org00000.example,,,2021-01-01,5,,\n"].concat();
        let more = stage.file("more.csv", &format!("{header}{rows}"));
        stage.import(&[&more], &stage.folder.path().join("s.txt"));
        let approved = approve(&stage);
        assert_eq!(approved.status, 0, "{}", approved.stderr);
        let id = stage.run.csv(&["notice", "list", SLUG])[0]["notice_id"].clone();
        let facts = stage.run.csv(&["notice", "facts", &id]);
        let fact = |name: &str| facts.iter().find(|fact| fact["fact"] == format!("org00000.example/{name}"));
        for (name, value) in [("unknown:type", "2"), ("unknown:date", "1")] {
            let fact = fact(name).unwrap();
            let said = ["value", "today", "not_in"].map(|column| fact[column].as_str());
            assert_eq!(said, [value, value, ""], "{fact:?}");
        }
        assert!(fact("unknown:size").is_none(), "every size is known");
        let proof: Vec<&str> = fact("unknown:type").unwrap()["proof"].split(' ').skip(1).collect();
        assert_eq!(stage.run.json(&proof)["value"], 2);
    }
}
