//! Nothing of one organisation goes to another by an answer, a promise or a reason.

use testkit::process::Backend;

use super::{question_ids, raw_sql, receive, reply_to, sent};
use crate::setup::{SLUG, Stage, path};

fn asked(backend: Backend) -> (Stage, String, String, String) {
    let (stage, messages) = sent(backend, 2);
    let raw = reply_to(&messages[0], "", "Which files are these? And who has seen them?");
    let ticket = receive(&stage, &raw, None)["ticket"].as_str().unwrap().to_owned();
    let question = question_ids(&stage, &ticket).remove(0);
    let token = messages[1].header("Reply-To").unwrap().to_owned();
    (stage, ticket, question, token)
}

#[test]
fn a_letter_that_names_another_organisation_is_refused_and_does_not_say_which_it_is() {
    for backend in Backend::each() {
        let (stage, ticket, question, token) = asked(backend);
        let code = raw_sql(&stage, "SELECT code FROM notices WHERE tenant_id = 't-00001'").unwrap();
        let to = |verb: &'static str| ["ticket", verb, ticket.as_str(), "--questions", question.as_str()];
        for text in [
            "1 invoice of 2020-01-02 for org00000.example; org00001.example: 343 objects.",
            "1 invoice. Files of mail.Org00001[.]example are another matter.",
            "1 invoice. Ask security@org00001.example about the rest.",
            "1 invoice, as we told organisation 1\nlast week.",
            &format!("1 invoice. Write to {token}."),
            &format!("1 invoice; see {}.", code.trim()),
        ] {
            let file = stage.file("a.txt", text);
            let refused = stage.run.run(&[&to("answer")[..], &["--text", path(&file)]].concat());
            assert_eq!(refused.status, 4, "{text}: {}", refused.stderr);
            assert!(
                refused.stderr.contains("another organisation") && !refused.stderr.contains("t-00001"),
                "{text}: {}",
                refused.stderr
            );
        }
        let soon = super::soon();
        let file = stage.file("p.txt", "As for org00001.example.");
        let promise = [&to("promise")[..], &["--by", &soon, "--text", path(&file)]].concat();
        let decline = [&to("decline")[..], &["--why", "it is of org00001.example", "--review", &soon]].concat();
        for args in [promise, decline] {
            let refused = stage.run.run(&args);
            assert_eq!(refused.status, 4, "{args:?}: {}", refused.stderr);
            assert!(refused.stderr.contains("another organisation"), "{}", refused.stderr);
        }
        assert_eq!(raw_sql(&stage, "SELECT COUNT(*) FROM outbox WHERE cause = 'agent'").unwrap().trim(), "0");
        // Their own, the vendor's, free mail, and what nobody of the incident has, are nobody else's.
        let own = "1 invoice of org00000.example (Organisation 0), security@org00000.example; none of gmail.example, vendor.example or elsewhere.example.";
        stage.run.ok(&[&to("answer")[..], &["--text", path(&stage.file("o.txt", own))]].concat());
    }
}

/// Of organisation 0 a little was exposed, of organisation 1 rather more.
fn much_of_another(stage: &Stage) {
    let mut rows = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
    for n in 0..217 {
        let email = if n == 0 { "jane@elsewhere.example" } else { "" };
        rows.push_str(&format!(
            "vault/Final offer {n}.pdf,org00001.example,{email},invoice,2021-05-06,10,AX-{n:04},\n"
        ));
    }
    let (more, shared) = (stage.file("more.csv", &rows), stage.file("s.txt", "gmail.example\n"));
    stage.import(&[&more], &shared);
}

#[test]
fn a_letter_with_ids_things_or_figures_of_another_organisation_is_refused_with_the_place() {
    for backend in Backend::each() {
        let (stage, ticket, question, _) = asked(backend);
        much_of_another(&stage);
        let answer = |text: &str| {
            let file = stage.file("a.txt", text);
            stage.run.run(&["ticket", "answer", &ticket, "--questions", &question, "--text", path(&file)])
        };
        let other = raw_sql(&stage, "SELECT id FROM tickets WHERE tenant_id = 't-00001'").unwrap();
        for (words, named) in [
            ("As in ticket OTHER.", other.trim()),
            ("The customer t-00001 has asked the same.", "t-00001"),
            ("It was project AX-0042.", "AX-0042"),
            ("It was \"vault/Final offer 7.pdf\".", "vault/Final offer 7.pdf"),
            ("It was jane@elsewhere.example.", "jane@elsewhere.example"),
            ("In all it was 218 objects.", "218"),
            ("In all it was 218 Dateien, 217 Projekte.", "218"),
        ] {
            let text = format!("1 invoice of yours.\n{}", words.replace("OTHER", other.trim()));
            let refused = answer(&text);
            assert_eq!(refused.status, 4, "{text}: {}", refused.stderr);
            let place = format!("names `{named}` in line 2,");
            assert!(refused.stderr.contains(&place), "{text}: {}", refused.stderr);
            assert!(refused.stderr.contains("another organisation"), "{text}: {}", refused.stderr);
        }
        // What is theirs, small counts, and what only looks like an id, are nobody else's.
        let own = "1 invoice (box/0.pdf) of prj-0, p@org00000.example, 10 bytes; 217 employees, 7 countries, ISO-27001, room 218.";
        assert_eq!(answer(own).status, 0, "{}", answer(own).stderr);
    }
}

#[test]
fn a_snippet_with_a_foreign_name_is_refused_for_all_but_whose_it_is() {
    for backend in Backend::each() {
        let (stage, _, question, _) = asked(backend);
        let text = stage.file("s.hbs", "1 invoice. Organisation 1 has asked the same.");
        stage.run.ok(&["snippet", "add", "same", "--language", "en", "--text", path(&text)]);
        let file = stage.file("q.csv", &format!("question\n{question}\n"));
        let many = ["ticket", "answer-many", SLUG, "--questions", path(&file), "--snippet", "same"];
        let output = stage.run.run(&[&many[..], &["--csv"]].concat());
        assert_eq!(output.status, 3, "{}", output.stderr);
        assert!(
            output.stdout.contains("refused") && output.stdout.contains("another organisation"),
            "{}",
            output.stdout
        );
    }
}
