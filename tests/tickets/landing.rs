//! A mail lands wherever it names a ticket, and its words are read however they came.

use testkit::process::Backend;

use super::{question_ids, raw_sql, receive, reply_to, sent, ticket_of};
use crate::setup::readable;

#[test]
fn a_mail_to_two_organisations_is_owed_to_both_and_tells_neither_the_others_words() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 2);
        let other = messages[1].header("Reply-To").unwrap();
        let raw = reply_to(&messages[0], &format!("Cc: {other}\r\n"), "Which files of our project Falcon were read?");
        let received = receive(&stage, &raw, None);
        let rows = stage.run.csv(&["ticket", "list", crate::setup::SLUG]);
        assert!(rows.iter().all(|row| row["debt"] == "1" && row["turn"] == "ours"), "{rows:?} on {backend:?}");
        let second = rows.iter().find(|row| received["ticket"] != row["ticket"].as_str()).unwrap();
        let shown = stage.run.json(&["ticket", "show", &second["ticket"]]);
        let question = shown["questions"][0]["text"].as_str().unwrap();
        assert!(question.contains(received["id"].as_str().unwrap()), "{question}");
        assert!(!shown.to_string().contains("Falcon"), "{shown}");
        // Handed over once for each recipient, it lands in each by itself.
        let raw = raw.replace("Message-ID: <", "Message-ID: <again-");
        receive(&stage, &raw, Some(&messages[0].header("Reply-To").unwrap()));
        assert_eq!(ticket_of(&stage, &second["ticket"])["debt"], "1");
    }
}

#[test]
fn a_mail_to_two_conversations_of_one_organisation_has_its_words_in_both() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let whole = receive(&stage, &reply_to(&messages[0], "", "Who read them?"), None);
        let question = question_ids(&stage, whole["ticket"].as_str().unwrap()).remove(0);
        let part = stage.run.json(&["ticket", "split", whole["ticket"].as_str().unwrap(), "--questions", &question]);
        let token = raw_sql(&stage, "SELECT token FROM tickets WHERE split_from IS NOT NULL").unwrap();
        let address = messages[0].header("Reply-To").unwrap();
        let (local, domain) = address.trim_matches(['<', '>']).rsplit_once('@').unwrap();
        let other = format!("{}+{}@{domain}", local.split('+').next().unwrap(), token.trim());
        let raw = reply_to(&messages[0], &format!("Cc: {other}\r\n"), "Which files of our project Falcon were read?");
        receive(&stage, &raw, None);
        let shown = stage.run.json(&["ticket", "show", part["part"].as_str().unwrap()]);
        let texts: Vec<&str> =
            shown["questions"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
        assert_eq!(texts.len(), 2, "{texts:?} on {backend:?}");
        assert!(texts.iter().any(|text| text.contains("project Falcon")), "{texts:?}");
    }
}

#[test]
fn answers_between_the_lines_of_our_letter_are_read_where_the_mail_program_marks_nothing() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let letter = readable(&messages[0]);
        let lines: Vec<&str> = letter.lines().collect();
        let middle = (lines.len() / 2..lines.len()).find(|at| lines[*at].trim().is_empty()).unwrap();
        let inside = format!(
            "{}\n\nOnly that one? Our own count is 40.\n\n{}\nAnd since when was it open?\n",
            lines[..middle].join("\n"),
            lines[middle..].join("\n")
        );
        let block = |text: &str| {
            format!(
                "Thank you, we have read this.\n\nFrom: Example Cloud <ir@vendor.example>\nSent: Monday, September 26, 2022 9:00 AM\nTo: Somebody\nSubject: Data\n\n{text}"
            )
        };
        let id = messages[0].header("Message-ID").unwrap();
        let answers = |text: &str, id: &str| {
            let raw = reply_to(&messages[0], &format!("In-Reply-To: {id}\r\n"), &block(text).replace('\n', "\r\n"));
            receive(&stage, &raw, None)
        };
        let read = answers(&inside, &id);
        let text = read["new_text"].as_str().unwrap();
        assert!(
            text.contains("Only that one? Our own count is 40.") && text.contains("since when was it open?"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.is_empty() || !letter.contains(line)), "the letter's own lines: {text}");
        assert!(read["questions"].to_string().contains("Only that one?"), "{read} on {backend:?}");
        // The letter as it was adds nothing.
        assert_eq!(answers(&letter, &id)["new_text"], "Thank you, we have read this.");
        // Where a mail program names no letter of ours, it is one of the conversation.
        let read = answers(&inside.replace("40", "41"), "<other@customer.example>");
        assert!(read["new_text"].as_str().unwrap().contains("Our own count is 41."), "{read}");
    }
}

#[test]
fn a_copy_that_a_machine_marked_asks_nothing_and_the_persons_own_does() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let own = reply_to(&messages[0], "", "Who has downloaded our files?");
        let marked = receive(&stage, &format!("Auto-Submitted: auto-replied\r\n{own}"), None);
        assert_eq!((&marked["class"], marked["questions"].as_array().unwrap().len()), (&"auto_reply".into(), 0));
        let read = receive(&stage, &own, None);
        assert_eq!((&read["duplicate_of"], read["questions"].as_array().unwrap().len()), (&serde_json::Value::Null, 1));
        let again = receive(&stage, &format!("Received: from x\r\n{own}"), None);
        assert_eq!(again["duplicate_of"], read["id"], "{backend:?}");
    }
}

/// The reading of a batch asks the outbox which letters are ours: without it every batch fails, and so does what is read ahead.
#[tokio::test(flavor = "multi_thread")]
async fn mails_whose_batch_cannot_be_read_are_given_back_untried_and_filed_later_each_once() {
    // One batch, and a part of the next.
    const MAILS: usize = 130;
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let app = super::sequences::open(&stage).await;
        let count = |of: &str| raw_sql(&stage, &format!("SELECT COUNT(*) FROM {of}")).unwrap().trim().to_owned();
        raw_sql(&stage, "ALTER TABLE outbox RENAME TO away").unwrap();
        for n in 0..MAILS {
            let raw = reply_to(&messages[0], "", &format!("Question {n}?"));
            app::inbound::receive(&app, raw.as_bytes(), None, None).await.unwrap();
        }
        let given_back = || count("inbound WHERE state = 'stored' AND tries = 0");
        assert_eq!(given_back(), MAILS.to_string(), "{backend:?}");
        assert!(app::inbound::file_pending(&app, 1_000).await.is_err());
        assert_eq!(given_back(), MAILS.to_string(), "{backend:?}");
        raw_sql(&stage, "ALTER TABLE away RENAME TO outbox").unwrap();
        assert_eq!(app::inbound::file_pending(&app, 1_000).await.unwrap(), MAILS);
        assert_eq!(
            (count("inbound WHERE state = 'filed'"), count("questions")),
            (MAILS.to_string(), MAILS.to_string())
        );
        assert_eq!(app::inbound::file_pending(&app, 1_000).await.unwrap(), 0);
    }
}
