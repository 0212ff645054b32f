//! What a lawyer prints, and the files that came with mails.

use std::path::Path;

use testkit::process::Backend;
use testkit::smtp::Recorder;

use super::{question_ids, receive, sent};
use crate::setup::{Stage, path};

#[test]
fn a_timeline_tells_notice_mail_question_and_answer_in_order_and_steers_no_terminal() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let raw = super::reply_to(&messages[0], "", "Which \u{1b}[31minvoices\u{1b}[0m are these?");
        let ticket = receive(&stage, &raw, None)["ticket"].as_str().unwrap().to_owned();
        let question = question_ids(&stage, &ticket).remove(0);
        let text = stage.file("a.txt", "They are the invoices of January 2020.");
        stage.run.ok(&["ticket", "answer", &ticket, "--questions", &question, "--text", path(&text)]);
        let told = stage.run.ok(&["ticket", "show", &ticket, "--timeline"]);
        assert!(!told.contains('\u{1b}'), "{told}");
        let places: Vec<usize> = ["  opened  ", "notice: ", "  question  ", "  answer  "]
            .iter()
            .map(|what| told.find(what).unwrap_or_else(|| panic!("no {what} in {told}")))
            .collect();
        assert!(places[0] < places[1] && places[1] < places[2], "{told}");
        assert!(places[2] < places[3] && told.contains("They are the invoices of January 2020."), "{told}");
    }
}

#[test]
fn attachments_are_listed_by_what_they_are_and_written_under_a_name_that_is_not_the_senders() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let raw = format!(
            "From: Somebody <{}>\r\nTo: {}\r\nMessage-ID: <1@customer.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nIs this one of them?\r\n--b\r\nContent-Type: image/png; name=\"../../evil.png\"\r\nContent-Disposition: attachment; filename=\"../../evil.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjcK\r\n--b--\r\n",
            messages[0].recipients[0],
            messages[0].header("Reply-To").unwrap(),
        );
        let ticket = receive(&stage, &raw, None)["ticket"].as_str().unwrap().to_owned();
        let files = stage.run.csv(&["ticket", "attachments", &ticket]);
        assert_eq!(files.len(), 1);
        assert_eq!((files[0]["kind"].as_str(), files[0]["bytes"].as_str()), ("application/pdf", "9"));
        assert!(files[0]["name"].starts_with("inb_") && files[0]["name"].ends_with("-1.pdf"), "{files:?}");
        let out = stage.folder.path().join("one.pdf");
        let take = ["ticket", "attachment", &ticket, "1", "--out", path(&out)];
        stage.run.ok(&take);
        assert_eq!(std::fs::read(&out).unwrap(), b"%PDF-1.7\n");
        assert_ne!(stage.run.run(&take).status, 0, "nothing is written over");
        assert!(!Path::new("/evil.png").exists());
        assert_ne!(stage.run.run(&["ticket", "attachment", &ticket, "2", "--out", "/dev/null"]).status, 0);
    }
}

#[test]
fn neither_an_actor_nor_a_mail_forges_a_line() {
    let (stage, messages) = sent(Backend::Sqlite, 1);
    let steering = "Which \u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}invoices?\nticket.status: closed";
    let ticket =
        receive(&stage, &super::reply_to(&messages[0], "", steering), None)["ticket"].as_str().unwrap().to_owned();
    let forged = "ada\n\n2026-11-26T10:00:00Z  mail  a@x.example";
    for actor in [forged, "forthright", " System", "\u{430}da", "a\u{202e}b"] {
        let refused = stage.run.as_actor(actor).run(&["ticket", "assign", &ticket, "bob"]);
        assert_eq!(refused.status, 2, "{actor:?}: {}", refused.stderr);
    }
    assert_eq!(stage.run.run(&["ticket", "assign", &ticket, forged]).status, 1);
    assert_eq!(stage.run.run(&["ticket", "watch", &ticket, forged]).status, 1);
    let printed = [
        stage.run.ok(&["ticket", "show", &ticket]),
        stage.run.ok(&["ticket", "show", &ticket, "--timeline"]),
        stage.run.ok(&["ticket", "pack", &ticket]),
        stage.run.ok(&["ticket", "show", &ticket, "--json"]),
        stage.run.run(&["ticket", "close", &ticket]).stderr,
    ];
    for text in &printed {
        assert!(!text.contains(model::printed::steers), "{text:?}");
        assert!(!text.lines().any(|line| line == "ticket.status: closed"), "{text}");
    }
    let shown = stage.run.json(&["ticket", "show", &ticket]);
    assert!(shown["entries"][0]["body"].as_str().unwrap().contains("\u{1b}[2J"), "the record is as it came");
}

#[test]
fn the_timeline_has_each_letter_as_it_was_sent_in_its_language() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let files = [
            ("d.csv", "domain,tenant_id,tenant_name,country,language\norg00000.example,t-00000,Organisation 0,DE,de\n"),
            ("c.csv", "tenant_id,role,name,email,language\nt-00000,security,Contact,security@org00000.example,de\n"),
            ("m.csv", "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\na.pdf,org00000.example,,invoice,2020-01-02,10,,\n"),
            ("s.txt", "gmail.example\n"),
        ]
        .map(|(name, text)| stage.file(name, text));
        stage.directory(&files[0], &files[1]);
        stage.import(&[&files[2]], &files[3]);
        stage.release();
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let raw = super::reply_to(&recorder.messages()[0], "", "Welche Dateien sind es?");
        let ticket = receive(&stage, &raw, None)["ticket"].as_str().unwrap().to_owned();
        let question = question_ids(&stage, &ticket).remove(0);
        let other = stage.file("s.hbs", "Overwritten for {{tenant_name}}: 1 invoice.");
        stage.run.ok(&["snippet", "add", "facts", "--language", "en", "--text", path(&other)]);
        stage.run.ok(&["ticket", "answer", &ticket, "--questions", &question, "--snippet", "facts"]);
        let german = "Das ist uns zu Organisation 0";
        let told = stage.run.ok(&["ticket", "show", &ticket, "--timeline"]);
        assert_eq!(
            (told.matches(german).count(), told.contains("Overwritten")),
            (2, false),
            "entry and letter\n{told}"
        );
        let pack = stage.run.json(&["ticket", "pack", &ticket]);
        assert!(pack["settled"][0]["said"].as_str().unwrap().contains(german), "{pack}");
    }
}
