//! Answers while facts were not told: one names a fact of theirs, in whatever words, or somebody says why it needs none.

use testkit::process::{Backend, Output};
use testkit::smtp::Recorder;

use super::{question_ids, receive, reply_to, sent, ticket_of};
use crate::setup::{SLUG, Stage, path, readable, review};

/// A ticket of an organisation that was told of one object, and of which two more were found since; its question.
fn asked(backend: Backend, question: &str) -> (Stage, String, String) {
    let (stage, messages) = sent(backend, 1);
    let ticket = receive(&stage, &reply_to(&messages[0], "", question), None)["ticket"].as_str().unwrap().to_owned();
    let question = question_ids(&stage, &ticket).remove(0);
    let more = stage.file(
        "more.csv",
        "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n\
         box/x.pdf,org00000.example,,invoice,2021-05-06,10,,\n\
         box/y.pdf,org00000.example,,sow_document,2021-05-07,10,,\n",
    );
    let shared = stage.file("s.txt", "gmail.example\n");
    stage.import(&[&more], &shared);
    (stage, ticket, question)
}

fn answer(stage: &Stage, to: (&str, &str), text: &str, more: &[&str]) -> Output {
    let file = stage.file("answer.txt", text);
    let args = ["ticket", "answer", to.0, "--questions", to.1, "--text", path(&file)];
    stage.run.run(&[&args[..], more].concat())
}

#[test]
fn a_generic_answer_is_refused_in_every_language_whatever_its_words_while_facts_were_not_told() {
    for backend in Backend::each() {
        let (stage, ticket, question) = asked(backend, "What of ours was exposed?");
        for generic in [
            "We take the protection of your data very seriously and have engaged outside experts.",
            "Several kinds of business documents may have been affected. 1 server was open.",
            "Der Schutz Ihrer Daten ist uns wichtig; betroffen sein können geschäftliche Unterlagen.",
            "Certaines catégories de documents professionnels peuvent avoir été concernées.",
            "Es posible que se hayan visto afectados algunos documentos comerciales.",
            "一部の業務文書が影響を受けた可能性があります。",
            // A figure of somebody else, one without what it counts, and a denial of what is there.
            "It was 7 objects of yours.",
            "The figure is 3.",
            "No invoices of yours were exposed.",
        ] {
            let refused = answer(&stage, (&ticket, &question), generic, &[]);
            assert_eq!(refused.status, 4, "{generic}: {}", refused.stderr);
            for said in ["org00000.example objects: 3 (before: 1)", "ticket pack", "--not-about-facts"] {
                assert!(refused.stderr.contains(said), "{said} is not in {}", refused.stderr);
            }
        }
        assert_eq!(ticket_of(&stage, &ticket)["debt"], "1", "nothing was written");
        let done = answer(&stage, (&ticket, &question), "Drei Objekte Ihrer Domain, darunter Rechnungen.", &[]);
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
}

#[test]
fn an_answer_that_names_a_fact_passes_in_every_language() {
    let (stage, ticket, _) = asked(Backend::Sqlite, "What of ours was exposed?");
    for (n, specific) in [
        "3 objects of your domain were exposed.",
        "Betroffen waren Rechnungen.",
        "Il s’agit de 3 objets.",
        "Se trata de facturas.",
        "請求書が含まれます。",
        "The newest is of 7 May 2021.",
    ]
    .into_iter()
    .enumerate()
    {
        let raw = format!(
            "From: <security@org00000.example>\r\nTo: {}\r\nMessage-ID: <more{n}@x.example>\r\n\r\nAnd what else, part {n}?\r\n",
            reply_address(&stage, &ticket)
        );
        receive(&stage, &raw, None);
        let question = question_ids(&stage, &ticket).pop().unwrap();
        let done = answer(&stage, (&ticket, &question), specific, &[]);
        assert_eq!(done.status, 0, "{specific}: {}", done.stderr);
    }
}

fn reply_address(stage: &Stage, ticket: &str) -> String {
    let token = super::raw_sql(stage, &format!("SELECT token FROM tickets WHERE id = '{ticket}'")).unwrap();
    format!("incident-response+{}@vendor.example", token.trim())
}

#[test]
fn an_agent_who_says_that_it_is_not_about_facts_is_heard_and_a_reviewer_sees_it() {
    for backend in Backend::each() {
        let (stage, ticket, question) = asked(backend, "Who is your data protection officer?");
        let (text, to) = ("It is Jo Doe; write to the address of this letter.", (ticket.as_str(), question.as_str()));
        for nothing in ["  ", ".", "n/a", "other topic"] {
            let empty = answer(&stage, to, text, &["--not-about-facts", nothing]);
            assert!(empty.status == 1 && empty.stderr.contains("says nothing"), "{nothing}: {}", empty.stderr);
        }
        let evasion = "We cannot say anything more about this case.";
        let refused = answer(&stage, to, evasion, &["--not-about-facts", "asks for a person of ours"]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        let done = answer(&stage, to, text, &["--not-about-facts", "asks for a person of ours"]);
        assert_eq!(done.status, 0, "{}", done.stderr);
        let timeline = stage.run.ok(&["ticket", "show", &ticket, "--timeline"]);
        assert!(timeline.contains(&format!("{question}: asks for a person of ours")), "{timeline}");
        let listed = stage.run.csv(&["ticket", "not-about-facts", SLUG]);
        assert_eq!(listed.len(), 1);
        let row = &listed[0];
        assert_eq!((row["question"].as_str(), row["said_by"].as_str()), (question.as_str(), "analyst"));
        assert_eq!(
            (row["why"].as_str(), row["text"].as_str()),
            ("asks for a person of ours", "Who is your data protection officer?")
        );
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert!(recorder.messages().iter().all(|letter| !readable(letter).contains("asks for a person")));
    }
}

#[test]
fn snippets_for_one_and_for_many_are_held_to_the_same_and_a_withholding_covers_what_it_hides() {
    for backend in Backend::each() {
        let (stage, ticket, question) = asked(backend, "What of ours was exposed?");
        let vague = stage.file("vague.hbs", "To {{tenant_name}}: we care, and nothing else.\n");
        stage.run.ok(&["snippet", "add", "vague", "--language", "en", "--text", path(&vague)]);
        let one = stage.run.run(&["ticket", "answer", &ticket, "--questions", &question, "--snippet", "vague"]);
        assert_eq!(one.status, 4, "{}", one.stderr);
        let file = stage.file("open.csv", &format!("ticket,question\n{ticket},{question}\n"));
        let many = ["ticket", "answer-many", SLUG, "--questions", path(&file), "--snippet", "vague", "--json"];
        let done = stage.run.run(&many);
        assert_eq!(done.status, 3, "{}", done.stderr);
        assert!(done.stdout.contains("refused") && done.stdout.contains("objects: 3 (before: 1)"), "{}", done.stdout);
        let review = &review();
        let held =
            ["notice", "withhold", SLUG, "t-00000", "notice", "--why", "the police asked for it", "--review", review];
        let proposed = stage.run.json(&held);
        let id = proposed["withholding"].as_str().or(proposed["id"].as_str()).unwrap().to_owned();
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        let text = "We may not say more until the police agree.";
        let done = answer(&stage, (&ticket, &question), text, &[]);
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
}

/// Refused, with these words in the refusal.
#[track_caller]
fn refused(done: &Output, said: &[&str]) {
    assert_eq!(done.status, 4, "{}", done.stderr);
    for one in said {
        assert!(done.stderr.contains(one), "{one} is not in {}", done.stderr);
    }
}

#[test]
fn an_answer_with_a_figure_that_is_not_so_is_refused_with_the_right_one() {
    for backend in Backend::each() {
        let (stage, ticket, question) = asked(backend, "What of ours was exposed?");
        let to = (ticket.as_str(), question.as_str());
        for (wrong, right) in [
            ("Invoices and 7 objects of your domain were exposed.", "objects 3"),
            ("Betroffen sind Rechnungen und elf Dateien.", "objects 3"),
            ("It was 1 object, an invoice.", "objects 3"),
            ("3 objects, and 2 users were affected.", "users 1"),
            ("3 objects; no invoices were exposed.", "2 objects are of the data type invoice"),
        ] {
            refused(&answer(&stage, to, wrong, &[]), &["is not so", right]);
            refused(&answer(&stage, to, wrong, &["--not-about-facts", "they ask for something else"]), &[right]);
        }
        assert_eq!(ticket_of(&stage, &ticket)["debt"], "1", "nothing was written");
        let corrects = "We wrote 1 object; it is 3 objects, among them invoices.";
        let done = answer(&stage, to, corrects, &[]);
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
}

#[test]
fn what_two_people_withhold_is_told_by_no_letter_of_an_agent() {
    for backend in Backend::each() {
        let (stage, ticket, question) = asked(backend, "What of ours was exposed?");
        let review = ["--why", "the police asked for it", "--review", &review()];
        for fact in ["type:sow_document", "emails"] {
            let held = [&["notice", "withhold", SLUG, "t-00000", fact][..], &review].concat();
            let id = stage.run.json(&held)["withholding"].as_str().unwrap().to_owned();
            stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        }
        let told = "Invoices, and a statement of work.";
        let to = (ticket.as_str(), question.as_str());
        let beside: &[&str] = &["type:sow_document", "is withheld from tenant t-00000 (wth_"];
        refused(&answer(&stage, to, told, &[]), beside);
        refused(&answer(&stage, to, told, &["--not-about-facts", "they ask for something else"]), beside);
        refused(&answer(&stage, to, "Invoices, with 1 e-mail address.", &[]), &["emails", "is withheld"]);
        let file = stage.file("told.txt", told);
        let one = ["--questions", &question];
        let promise = ["ticket", "promise", &ticket, one[0], one[1], "--by", "2026-12-31T00:00:00Z"];
        refused(&stage.run.run(&[&promise[..], &["--text", path(&file)]].concat()), beside);
        let decline = ["ticket", "decline", &ticket, one[0], one[1], "--why", told, "--review", "2027-01-01T00:00:00Z"];
        refused(&stage.run.run(&decline), beside);
        let snippet = stage.file("told.hbs", "To {{tenant_name}}: invoices, and a statement of work.\n");
        stage.run.ok(&["snippet", "add", "told", "--language", "en", "--text", path(&snippet)]);
        refused(&stage.run.run(&["ticket", "answer", &ticket, one[0], one[1], "--snippet", "told"]), beside);
        let bulk = stage.file("open.csv", &format!("ticket,question\n{ticket},{question}\n"));
        let many = ["ticket", "answer-many", SLUG, "--questions", path(&bulk), "--snippet", "told", "--json"];
        let done = stage.run.run(&many);
        assert!(done.status == 3 && done.stdout.contains("type:sow_document"), "{} {}", done.stdout, done.stderr);
        assert_eq!(ticket_of(&stage, &ticket)["debt"], "1", "nothing was written");
        let done = answer(&stage, to, "Invoices of January 2020 and May 2021.", &[]);
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
}
