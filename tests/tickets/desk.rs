//! Every mail can be read in full, and one that is in no ticket can be put into one by a person.

use testkit::process::Backend;

use super::{question_ids, receive, reply_to, sent, ticket_of};

#[test]
fn a_mail_without_a_ticket_is_listed_read_and_put_into_one_where_its_questions_are_debt() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let ticket = stage.run.csv(&["ticket", "list", crate::setup::SLUG]).remove(0)["ticket"].clone();
        let raw = format!(
            "From: Sue <{}>\r\nTo: incident-response@vendor.example\r\nSubject: Your notice\r\nMessage-ID: <lost@customer.example>\r\n\r\nWhich files are ours?\r\n\r\n> an old line\r\n",
            messages[0].recipients[0]
        );
        let lost = receive(&stage, &raw, None);
        assert_eq!((&lost["trust"], lost["ticket"].is_null()), (&"C".into(), true));
        let id = lost["id"].as_str().unwrap();
        let waits = stage.run.csv(&["mail", "list", "--quarantine"]);
        assert_eq!((waits.len(), waits[0]["mail"].as_str(), waits[0]["subject"].as_str()), (1, id, "Your notice"));
        assert_eq!(stage.run.ok(&["mail", "show", id, "--raw"]), raw);
        assert!(stage.run.ok(&["mail", "show", id, "--words"]).contains("> an old line"));
        let shown = stage.run.json(&["mail", "show", id]);
        assert_eq!(
            (&shown["from"], &shown["state"]),
            (&messages[0].recipients[0].as_str().into(), &"quarantined".into())
        );
        let landed = stage.run.as_actor("ada").json(&["mail", "attach", id, &ticket]);
        assert_eq!((&landed["ticket"], &landed["trust"]), (&ticket.as_str().into(), &"U".into()));
        assert_eq!(question_ids(&stage, &ticket).len(), 1);
        assert_eq!(
            (ticket_of(&stage, &ticket)["debt"].as_str(), ticket_of(&stage, &ticket)["turn"].as_str()),
            ("1", "ours")
        );
        let told = stage.run.ok(&["ticket", "show", &ticket, "--timeline"]);
        assert!(told.contains("  status  ada  ") && told.contains("Which files are ours?"), "{told}");
        assert_eq!(stage.run.run(&["mail", "attach", id, &ticket]).status, 4, "a mail stays where it landed");
        assert!(stage.run.csv(&["mail", "list", "--quarantine"]).is_empty());
        assert_eq!(stage.run.json(&["audit", "verify"])["broken"], serde_json::Value::Null);
    }
}

#[test]
fn what_was_cut_from_a_mail_is_in_the_ticket_in_full_when_it_is_asked_for() {
    let (stage, messages) = sent(Backend::Sqlite, 1);
    let raw = reply_to(
        &messages[0],
        "",
        "Which files?\r\n\r\nOn Mon, 26 Sep 2022 at 10:00, Incident response wrote:\r\n> cut as a quote",
    );
    let ticket = receive(&stage, &raw, None)["ticket"].as_str().unwrap().to_owned();
    assert!(!stage.run.ok(&["ticket", "show", &ticket]).contains("cut as a quote"));
    let full = stage.run.json(&["ticket", "show", &ticket, "--full"]);
    assert!(full["received"][0]["full_text"].as_str().unwrap().contains("> cut as a quote"), "{full}");
}
