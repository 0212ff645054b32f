//! A conversation is split and merged: questions, history and tokens are never lost, and nothing leaves its organisation.

use testkit::process::Backend;
use testkit::smtp::Recorder;

use super::{question_ids, raw_sql, receive, reply_to, sent, ticket_of};
use crate::setup::{SLUG, path};

#[test]
fn a_part_has_its_questions_its_token_and_its_letters_and_merges_back() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let raw = reply_to(&messages[0], "", "Which invoices are these? Who has seen them? And since when?");
        let main = receive(&stage, &raw, None)["ticket"].as_str().unwrap().to_owned();
        let questions = question_ids(&stage, &main);
        let split = stage.run.json(&["ticket", "split", &main, "--questions", &questions[1..].join(",")]);
        let part = split["part"].as_str().unwrap().to_owned();
        assert_eq!((&split["debt"], &split["part_debt"]), (&1.into(), &2.into()));
        assert_eq!(stage.run.run(&["ticket", "close", &part]).status, 4);
        let text = stage.file("a.txt", "Nobody but our own staff.");
        stage.run.ok(&["ticket", "answer", &part, "--questions", &questions[1], "--text", path(&text)]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let letter = recorder.messages().remove(0);
        assert_ne!(letter.header("Reply-To"), messages[0].header("Reply-To"), "the part has a token of its own");
        assert_eq!(receive(&stage, &reply_to(&letter, "", "How do you know?"), None)["ticket"], part.as_str());
        let merged = stage.run.json(&["ticket", "merge", &part, &main]);
        assert_eq!((&merged["debt"], merged["questions"].as_array().unwrap().len()), (&3.into(), 3));
        let ended = ticket_of(&stage, &part);
        assert_eq!((ended["status"].as_str(), ended["questions"].as_str()), ("closed", "0"));
        let late = receive(&stage, &reply_to(&letter, "", "One more thing: until when?"), None);
        assert_eq!(late["ticket"], main.as_str(), "the token of the part lands in the main ticket");
        let thread = format!("In-Reply-To: {}\r\n", letter.header("Message-ID").unwrap());
        let by_id = format!(
            "From: <x@customer.example>\r\nTo: incident-response@vendor.example\r\nMessage-ID: <9@x.example>\r\n{thread}\r\nAnd now?\r\n"
        );
        assert_eq!(receive(&stage, &by_id, None)["ticket"], main.as_str());
        assert_eq!(ticket_of(&stage, &main)["debt"], "5");
        let all = stage.run.ok(&["ticket", "show", &main, "--timeline"]);
        assert!(all.contains("How do you know?") && all.contains(&format!("(in {part}, merged since)")), "{all}");
        let history = stage.run.ok(&["ticket", "show", &part]);
        assert!(history.contains("merged into"), "{history}");
    }
}

#[test]
fn nothing_is_merged_across_organisations_nor_the_ticket_of_the_notice_away() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 2);
        let asked = |n: usize| {
            let raw = reply_to(&messages[n], "", &format!("What of us, the {n}?"));
            receive(&stage, &raw, None)["ticket"].as_str().unwrap().to_owned()
        };
        let (first, second) = (asked(0), asked(1));
        let question = question_ids(&stage, &first).remove(0);
        let part =
            stage.run.json(&["ticket", "split", &first, "--questions", &question])["part"].as_str().unwrap().to_owned();
        assert_eq!(stage.run.run(&["ticket", "merge", &part, &second]).status, 4);
        assert_eq!(stage.run.run(&["ticket", "merge", &first, &part]).status, 4);
        for statement in [
            format!("UPDATE questions SET ticket_id = '{second}' WHERE id = '{question}'"),
            format!("UPDATE tickets SET tenant_id = 't-00001' WHERE id = '{part}'"),
            format!("UPDATE tickets SET merged_into = '{first}' WHERE id = '{part}'"),
        ] {
            assert!(raw_sql(&stage, &statement).is_err(), "{statement} on {backend:?}");
        }
        let rows = stage.run.csv(&["ticket", "list", SLUG]);
        let of_first: Vec<&str> =
            rows.iter().filter(|row| row["tenant_id"] == "t-00000").map(|row| row["debt"].as_str()).collect();
        assert_eq!(of_first, ["0", "1"]);
        stage.status();
    }
}

#[test]
fn whoever_watches_has_a_task_for_each_mail_of_a_person_also_in_a_part() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let main = receive(&stage, &reply_to(&messages[0], "", "Which invoices? And since when?"), None)["ticket"]
            .as_str()
            .unwrap()
            .to_owned();
        stage.run.ok(&["ticket", "watch", &main, "dana"]);
        receive(&stage, &reply_to(&messages[0], "", "Are you there?"), None);
        receive(&stage, &reply_to(&messages[0], "Auto-Submitted: auto-replied\r\n", "I am away."), None);
        let tasks = || raw_sql(&stage, "SELECT target FROM tasks WHERE kind = 'watch'").unwrap();
        assert_eq!(tasks().trim(), "dana");
        let question = question_ids(&stage, &main).remove(0);
        let part =
            stage.run.json(&["ticket", "split", &main, "--questions", &question])["part"].as_str().unwrap().to_owned();
        assert_eq!(stage.run.json(&["ticket", "show", &part])["watchers"], serde_json::json!(["dana"]));
        stage.run.ok(&["ticket", "unwatch", &main, "dana"]);
        receive(&stage, &reply_to(&messages[0], "", "Still there?"), None);
        assert_eq!(tasks().trim(), "dana");
        assert_ne!(stage.run.run(&["ticket", "unwatch", &main, "dana"]).status, 0);
    }
}
