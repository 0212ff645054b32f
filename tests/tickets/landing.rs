//! A mail lands wherever it names a ticket, and its words are read however they came.

use testkit::process::Backend;

use super::{receive, reply_to, sent, ticket_of};

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
