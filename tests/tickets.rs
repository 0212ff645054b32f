//! Tickets: a reply always lands, a question is debt until it is answered, and no path closes a ticket with debt.

mod answers;
mod desk;
mod foreign;
mod guards;
mod history;
mod landing;
mod objections;
mod parts;
mod search;
mod sequences;
mod specific;

use std::process::Command;

use serde_json::Value;
use testkit::process::Backend;
use testkit::smtp::{Behaviour, Message, Phase, Recorder};

use crate::setup::{SLUG, Stage, readable};

/// One statement by the database's own client, as somebody in a hurry would type it.
pub(crate) fn raw_sql(stage: &Stage, statement: &str) -> Result<String, String> {
    let output = match stage.run.database() {
        None => Command::new("sqlite3")
            .args(["-cmd", ".timeout 10000"])
            .arg(stage.run.folder().join("forthright.db"))
            .arg(statement)
            .output(),
        Some(url) => Command::new("psql").args(["-v", "ON_ERROR_STOP=1", "-Atc", statement, url]).output(),
    }
    .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Notices to `n` organisations, sent.
pub(crate) fn sent(backend: Backend, n: usize) -> (Stage, Vec<Message>) {
    let stage = Stage::new(backend);
    stage.small(n);
    stage.release();
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    let mut messages = recorder.messages();
    messages.sort_by_key(|message| message.recipients[0].clone());
    assert_eq!(messages.len(), n);
    (stage, messages)
}

pub(crate) fn reply_to(message: &Message, extra: &str, body: &str) -> String {
    format!(
        "From: Somebody <{}>\r\nTo: {}\r\nSubject: Re: your notice\r\nMessage-ID: <{}@customer.example>\r\nDate: Mon, 26 Sep 2022 09:00:00 +0000\r\n{extra}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n",
        message.recipients[0],
        message.header("Reply-To").unwrap(),
        model::digest::sha256(body.as_bytes()),
    )
}

pub(crate) fn receive(stage: &Stage, raw: &str, to: Option<&str>) -> Value {
    let mut args = vec!["mail", "receive"];
    if let Some(to) = to {
        args.extend(["--envelope-to", to]);
    }
    let output = stage.run.run_with_input(&args, raw.as_bytes());
    assert_eq!(output.status, 0, "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

/// In a month.
pub(crate) fn soon() -> String {
    app::Clock::starting_at(None).now().plus(std::time::Duration::from_secs(30 * 86_400)).to_string()
}

fn ticket_of(stage: &Stage, id: &str) -> std::collections::HashMap<String, String> {
    stage.run.csv(&["ticket", "list", SLUG]).into_iter().find(|row| row["ticket"] == id).unwrap()
}

pub(crate) fn question_ids(stage: &Stage, ticket: &str) -> Vec<String> {
    let shown = stage.run.json(&["ticket", "show", ticket]);
    shown["questions"].as_array().unwrap().iter().map(|question| question["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_question_blocks_every_close_until_it_is_answered() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let received =
            receive(&stage, &reply_to(&messages[0], "", "Which invoices are these? And who has seen them?"), None);
        assert_eq!((&received["class"], &received["trust"]), (&"human".into(), &"U".into()));
        let ticket = received["ticket"].as_str().unwrap().to_owned();
        assert_eq!(
            (ticket_of(&stage, &ticket)["debt"].as_str(), ticket_of(&stage, &ticket)["turn"].as_str()),
            ("2", "ours")
        );
        let refused = stage.run.run(&["ticket", "close", &ticket]);
        assert_eq!(refused.status, 4);
        assert!(
            refused.stderr.contains("2 open questions") && refused.stderr.contains("Which invoices are these?"),
            "{}",
            refused.stderr
        );
        for statement in [
            "UPDATE tickets SET status = 'closed'",
            "UPDATE tickets SET status = 'closed', closed_at = 1",
            "UPDATE tickets SET debt = 0, status = 'closed', closed_at = 1",
            "UPDATE tickets SET debt = 0",
            "DELETE FROM questions",
            "DELETE FROM tickets",
            "UPDATE questions SET state = 'answered'",
            "UPDATE questions SET state = 'declined', settled_at = 1",
        ] {
            assert!(raw_sql(&stage, statement).is_err(), "{statement} on {backend:?}");
        }
        let questions = question_ids(&stage, &ticket);
        let text = stage.file("answer.txt", "They are the invoices of January 2020; our logs show no access.");
        let answer = |question: &str| {
            stage.run.ok(&["ticket", "answer", &ticket, "--questions", question, "--text", text.to_str().unwrap()])
        };
        answer(&questions[0]);
        let refused = stage.run.run(&["ticket", "close", &ticket]);
        assert!(refused.stderr.contains("1 open question:"), "{}", refused.stderr);
        answer(&questions[1]);
        stage.run.ok(&["ticket", "close", &ticket]);
        assert_eq!(ticket_of(&stage, &ticket)["status"], "closed");
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 2, "both answers are mailed");
        receive(&stage, &reply_to(&messages[0], "", "One more thing: until when?"), None);
        let row = ticket_of(&stage, &ticket);
        assert_eq!((row["status"].as_str(), row["turn"].as_str(), row["debt"].as_str()), ("open", "ours", "1"));
    }
}

#[test]
fn a_letter_of_a_ticket_leads_to_the_senders_own_hosts_or_nowhere() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let received = receive(&stage, &reply_to(&messages[0], "", "Is https://evil.example/login yours?"), None);
        let ticket = received["ticket"].as_str().unwrap().to_owned();
        let question = question_ids(&stage, &ticket).remove(0);
        let strange = stage.file("strange.txt", "It is ours.\nSee https://vendor.example.evil.example/x then.");
        let (strange, soon) = (strange.to_str().unwrap(), &soon());
        let to = |verb: &'static str| ["ticket", verb, ticket.as_str(), "--questions", question.as_str()];
        for (args, place) in [
            (
                [&to("answer")[..], &["--text", strange]].concat(),
                "the answer, line 2, column 5: `https://vendor.example.evil.example`",
            ),
            ([&to("promise")[..], &["--by", soon, "--text", strange]].concat(), "the promise, line 2, column 5"),
            (
                [&to("decline")[..], &["--why", "ask www.evil.example", "--review", soon]].concat(),
                "the reason, line 1, column 5",
            ),
        ] {
            let refused = stage.run.run(&args);
            assert_eq!(refused.status, 4, "{}", refused.stderr);
            assert!(
                refused.stderr.contains(place) && refused.stderr.contains("no host under vendor.example"),
                "{}",
                refused.stderr
            );
        }
        assert_eq!(stage.run.json(&["ticket", "show", &ticket])["questions"][0]["state"], "open");
        let fine = stage.file("fine.txt", "It is not. Ours is https://status.vendor.example/ alone.");
        stage.run.ok(&[&to("answer")[..], &["--text", fine.to_str().unwrap()]].concat());
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let text = readable(&recorder.messages()[0]);
        assert!(text.contains("https://status.vendor.example/") && text.contains("evil.example /login"), "{text}");
        assert!(!text.contains("https://evil.example"), "what was asked is quoted without its link:\n{text}");
    }
}

#[test]
fn a_ticket_is_not_closed_over_an_answer_that_was_tried_in_vain() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 1);
        let received = receive(&stage, &reply_to(&messages[0], "", "Which invoices are these?"), None);
        let ticket = received["ticket"].as_str().unwrap().to_owned();
        let text = stage.file("answer.txt", "They are the invoices of January 2020.");
        let questions = question_ids(&stage, &ticket).join(",");
        stage.run.ok(&["ticket", "answer", &ticket, "--questions", &questions, "--text", text.to_str().unwrap()]);
        let recorder = Recorder::start().unwrap();
        recorder.script("security@org00000.example", [Behaviour::Transient(Phase::Rcpt)]);
        stage.run.sending_to(&recorder.url()).run(&["work", "--until-idle", "--timeout", "5"]);
        let refused = stage.run.run(&["ticket", "close", &ticket]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(refused.stderr.contains("security@org00000.example (deferred)"), "{}", refused.stderr);
        assert!(raw_sql(&stage, "UPDATE tickets SET status = 'closed', turn = 'nobody', closed_at = 1").is_err());
        assert_eq!(ticket_of(&stage, &ticket)["status"], "open");
    }
}

#[test]
fn a_reply_is_threaded_by_message_id_too_and_never_by_its_subject() {
    let (stage, messages) = sent(Backend::Sqlite, 1);
    let by_id = format!(
        "From: <x@customer.example>\r\nTo: incident-response@vendor.example\r\nSubject: hi\r\nMessage-ID: <1@x.example>\r\nIn-Reply-To: {}\r\n\r\nWhat now?\r\n",
        messages[0].header("Message-ID").unwrap()
    );
    let found = receive(&stage, &by_id, None);
    assert_eq!(found["trust"], "U");
    let ticket = found["ticket"].as_str().unwrap();
    let by_subject = format!(
        "From: <x@customer.example>\r\nTo: incident-response@vendor.example\r\nSubject: Re: [{ticket}]\r\nMessage-ID: <2@x.example>\r\n\r\nWhat now, by subject?\r\n"
    );
    let lost = receive(&stage, &by_subject, None);
    assert_eq!((&lost["trust"], &lost["ticket"]), (&"C".into(), &Value::Null));
    assert_eq!(ticket_of(&stage, ticket)["debt"], "1");
}

#[test]
fn the_same_mail_handed_over_twice_is_one_mail() {
    let (stage, messages) = sent(Backend::Sqlite, 1);
    let raw = reply_to(&messages[0], "", "What happened?");
    let first = receive(&stage, &raw, None);
    receive(&stage, &raw, None);
    assert_eq!(ticket_of(&stage, first["ticket"].as_str().unwrap())["debt"], "1");
}

#[test]
fn automatic_mail_is_never_an_answer_and_never_a_question() {
    let (stage, messages) = sent(Backend::Sqlite, 2);
    let away =
        receive(&stage, &reply_to(&messages[0], "Auto-Submitted: auto-replied\r\n", "I am away. Who are you?"), None);
    assert_eq!(away["class"], "auto_reply");
    let row = ticket_of(&stage, away["ticket"].as_str().unwrap());
    assert_eq!((row["debt"].as_str(), row["questions"].as_str(), row["turn"].as_str()), ("0", "0", "theirs"));
    let bounce = format!(
        "From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: failed\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nno such user\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {rcpt}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {id}\r\n\r\n--b--\r\n",
        to = messages[1].header("Reply-To").unwrap(),
        rcpt = messages[1].recipients[0],
        id = messages[1].header("Message-ID").unwrap(),
    );
    let bounced = receive(&stage, &bounce, None);
    assert_eq!(bounced["class"], "bounce_permanent");
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    let status = stage.status();
    assert_eq!((&status["accepted"], &status["unreachable"]), (&1.into(), &1.into()));
}

#[test]
fn a_decline_needs_two_people_and_a_promise_stays_debt() {
    let (stage, messages) = sent(Backend::Sqlite, 1);
    let ticket = receive(&stage, &reply_to(&messages[0], "", "Can we have the files?"), None)["ticket"]
        .as_str()
        .unwrap()
        .to_owned();
    let question = question_ids(&stage, &ticket).remove(0);
    let soon = &soon();
    let promise = ["ticket", "promise", &ticket, "--questions", &question, "--by"];
    let empty = stage.file("n.txt", "There is no further information.");
    for args in [
        [&promise[..], &["2999-01-01T00:00:00Z"]].concat(),
        [&promise[..], &[soon, "--text", empty.to_str().unwrap()]].concat(),
        vec![
            "ticket",
            "decline",
            &ticket,
            "--questions",
            &question,
            "--why",
            "There is no further information.",
            "--review",
            soon,
        ],
    ] {
        let refused = stage.run.run(&args);
        assert_eq!(refused.status, 4, "{args:?}: {}", refused.stderr);
    }
    let text = stage.file("p.txt", "We will write by then.");
    stage.run.ok(&[
        "ticket",
        "promise",
        &ticket,
        "--questions",
        &question,
        "--by",
        soon,
        "--text",
        text.to_str().unwrap(),
    ]);
    assert_eq!(stage.run.run(&["ticket", "close", &ticket]).status, 4);
    stage.run.ok(&[
        "ticket",
        "decline",
        &ticket,
        "--questions",
        &question,
        "--why",
        "the files belong to others",
        "--review",
        soon,
    ]);
    assert_eq!(stage.run.run(&["ticket", "close", &ticket]).status, 4, "one person's proposal is not enough");
    let approve = ["ticket", "decline-approve", &ticket, "--questions", &question];
    assert_eq!(stage.run.run(&approve).status, 4, "not by the same person");
    stage.run.as_actor("counsel").ok(&approve);
    stage.run.ok(&["ticket", "close", &ticket]);
}

#[test]
fn an_answer_must_name_questions_of_its_own_ticket() {
    let (stage, messages) = sent(Backend::Sqlite, 2);
    let first =
        receive(&stage, &reply_to(&messages[0], "", "What about us?"), None)["ticket"].as_str().unwrap().to_owned();
    let second =
        receive(&stage, &reply_to(&messages[1], "", "And about us?"), None)["ticket"].as_str().unwrap().to_owned();
    let foreign = question_ids(&stage, &second).remove(0);
    let text = stage.file("a.txt", "All is told.");
    let output =
        stage.run.run(&["ticket", "answer", &first, "--questions", &foreign, "--text", text.to_str().unwrap()]);
    assert_ne!(output.status, 0);
    assert_eq!(ticket_of(&stage, &second)["debt"], "1");
    let text = stage.file("no.txt", "There is no further information available.");
    let own = question_ids(&stage, &first).remove(0);
    let output = stage.run.run(&["ticket", "answer", &first, "--questions", &own, "--text", text.to_str().unwrap()]);
    assert_eq!(output.status, 4, "{}", output.stderr);
}
