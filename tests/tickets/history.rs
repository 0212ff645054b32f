//! What a lawyer prints, and the files that came with mails.

use std::path::Path;

use testkit::process::Backend;

use super::{question_ids, receive, sent};
use crate::setup::path;

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
        assert!(places[0] < places[1] || places[1] < places[2], "{told}");
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
