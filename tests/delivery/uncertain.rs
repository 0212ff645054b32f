//! Mails of which nobody knows whether they arrived: held, sent again in time, settled by a person or a relay's log.

use std::collections::HashMap;

use testkit::process::Backend;
use testkit::smtp::{Behaviour, Phase, Recorder};

use crate::setup::{SLUG, Stage, path};
use crate::tickets::raw_sql;

fn address(n: usize) -> String {
    format!("security@org{n:05}.example")
}

/// So many notices that were lost past the dot, under this policy.
fn lost(backend: Backend, notices: usize, policy: &str, lease: &str) -> (Stage, Recorder) {
    let stage = Stage::new(backend);
    stage.small(notices);
    stage.release();
    let recorder = Recorder::start().unwrap();
    for n in 0..notices {
        recorder.script(&address(n), [Behaviour::DropAt(Phase::AfterDot)]);
    }
    let run = stage.run.with("FORTHRIGHT_SENDING_UNCERTAIN", policy).with("FORTHRIGHT_SENDING_LEASE_SECONDS", lease);
    let stage = Stage { run, ..stage };
    stage.work(&recorder);
    assert_eq!(recorder.count(), notices);
    (stage, recorder)
}

/// Rows of `delivery list` by contact.
fn rows(stage: &Stage) -> HashMap<String, HashMap<String, String>> {
    stage.run.csv(&["delivery", "list", SLUG]).into_iter().map(|row| (row["contact"].clone(), row)).collect()
}

fn state(stage: &Stage, n: usize) -> String {
    rows(stage)[&address(n)]["state"].clone()
}

#[test]
fn what_is_held_is_listed_with_what_is_known_and_a_person_settles_it_once() {
    for backend in Backend::each() {
        let (stage, recorder) = lost(backend, 2, "hold", "2");
        let held = stage.run.csv(&["delivery", "uncertain", SLUG]);
        assert_eq!(held.len(), 2);
        for row in &held {
            assert_eq!((row["again_at"].as_str(), &row["route"]), ("held", &recorder.url()), "{row:?}");
            let sent = recorder.accepted_for(&row["contact"]);
            assert_eq!(sent[0].header("Message-ID").unwrap(), format!("<{}>", row["message_id"]));
            assert!(!row["since"].is_empty() && !row["last_reply"].is_empty(), "{row:?}");
        }
        let doctor = stage.run.run(&["doctor"]).stdout;
        assert!(doctor.contains("2 mails of bluebleed may have arrived and are held"), "{doctor}");
        let forecast = stage.run.json(&["wave", "forecast", SLUG]);
        let why = forecast["waves"][0]["why"].as_str().unwrap();
        assert!(why.contains("2 mails may have arrived, and are held"), "{forecast}");

        let id = |n: usize| rows(&stage)[&address(n)]["delivery_id"].clone();
        let lead = stage.run.as_actor("lead");
        lead.ok(&["delivery", "settle", &id(0), "--accepted", "--why", "its reader called"]);
        assert_eq!(state(&stage, 0), "accepted");
        let again = lead.run(&["delivery", "settle", &id(0), "--not-accepted", "--why", "really?"]);
        assert_eq!(again.status, 4, "{}", again.stderr);
        lead.ok(&["delivery", "settle", &id(1), "--not-accepted", "--why", "its queue was lost"]);
        stage.work(&recorder);
        let copies = recorder.accepted_for(&address(1));
        assert_eq!(copies.len(), 2);
        assert_eq!(copies[0].header("Message-ID"), copies[1].header("Message-ID"));
        assert_eq!((recorder.accepted_for(&address(0)).len(), stage.status()["accepted"].as_i64()), (1, Some(2)));
        let audit = stage.folder.path().join("audit.jsonl");
        stage.run.ok(&["audit", "export", SLUG, path(&audit)]);
        let audit = std::fs::read_to_string(&audit).unwrap();
        let said = audit.lines().find(|line| line.contains("its reader called")).expect("the reason is in the record");
        assert!(said.contains("\"lead\"") && said.contains("delivery.settle"), "{said}");
        assert_eq!(stage.run.run(&["audit", "verify"]).status, 0);
    }
}

#[test]
fn a_relays_log_settles_what_it_proves_and_nothing_else() {
    for backend in Backend::each() {
        let (stage, _recorder) = lost(backend, 4, "hold", "2");
        let line = |n: usize, id: &str, end: &str| {
            let message_id = &rows(&stage)[&address(n)]["message_id"];
            let at = "Nov 26 10:00:00 relay postfix";
            format!(
                "{at}/cleanup[7]: {id}: message-id=<{message_id}>\n{at}/smtp[8]: {id}: to=<{}>, relay=mx, {end}\n",
                address(n)
            )
        };
        let log = [
            line(0, "4Xk2jC1zN9z", "dsn=2.0.0, status=sent (250 2.0.0 Ok)"),
            line(1, "4Xk2jC1zN9y", "dsn=5.1.1, status=bounced (said: 550 5.1.1 no such user)"),
            line(2, "4Xk2jC1zN9x", "lost"),
        ];
        let log = stage.file("mail.log", &log.concat());
        let results = |more: &[&str]| {
            let read = stage.run.csv(&[&["delivery", "relay-log", path(&log)], more].concat());
            let of = |n: usize| read.iter().find(|row| row["contact"] == address(n)).unwrap()["result"].clone();
            (0..4).map(of).collect::<Vec<_>>()
        };
        let expect = ["accepted", "bounced", "unclear", "not-mentioned"];
        assert_eq!(results(&["--preview"]), expect);
        assert_eq!((0..4).map(|n| state(&stage, n)).collect::<Vec<_>>(), ["uncertain"; 4]);
        assert_eq!(results(&[]), expect);
        let states: Vec<String> = (0..4).map(|n| state(&stage, n)).collect();
        assert_eq!(states, ["accepted", "bounced", "uncertain", "uncertain"]);
        assert!(rows(&stage)[&address(1)]["last_reply"].contains("550 5.1.1 no such user"));
        let who = raw_sql(&stage, "SELECT said, settled_by FROM settlements ORDER BY said").unwrap();
        assert_eq!(who.trim(), "accepted|analyst\nbounced|analyst");
        stage.status();
    }
}

#[test]
fn a_file_that_is_no_log_is_refused_with_what_to_do_and_settles_nothing() {
    let (stage, _recorder) = lost(Backend::Sqlite, 1, "hold", "2");
    for (content, said, next) in [
        (&b""[..], "it is empty", "rotated away"),
        (&[0x1f, 0x8b, 8, 0], "it is packed (gzip)", "gzip -dc"),
        (b"Nov 26 10:00:00 relay sshd[7]: session opened\n", "none of its lines", "the relay's own log"),
    ] {
        let file = stage.folder.path().join("other.log");
        std::fs::write(&file, content).unwrap();
        let read = stage.run.run(&["delivery", "relay-log", path(&file)]);
        assert_eq!(read.status, 1, "{}", read.stderr);
        assert!(read.stderr.contains(said) && read.stderr.contains(next), "{}", read.stderr);
    }
    assert_eq!(state(&stage, 0), "uncertain");
}

#[test]
fn a_copy_that_was_not_begun_leaves_its_mail_uncertain_unless_somebody_knew_better() {
    for backend in Backend::each() {
        let (stage, _recorder) = lost(backend, 2, "hold", "2");
        raw_sql(&stage, "UPDATE outbox SET next_at = 0").unwrap();
        let id = rows(&stage)[&address(1)]["delivery_id"].clone();
        stage.run.ok(&["delivery", "settle", &id, "--not-accepted", "--why", "its queue was lost"]);
        // Both are claimed, and given back because nobody answers.
        let nobody = stage.run.sending_to("smtp://127.0.0.1:1");
        assert_eq!(nobody.run(&["work", "--until-idle", "--timeout", "60"]).status, 75);
        assert_eq!((state(&stage, 0), state(&stage, 1)), ("uncertain".to_owned(), "queued".to_owned()));
        assert_eq!(rows(&stage)[&address(0)]["attempts"], "1");
    }
}

/// Lets what goes again by itself go now.
fn hurry(stage: &Stage) {
    raw_sql(stage, "UPDATE outbox SET next_at = 0 WHERE next_at < 9000000000000000").unwrap();
}

#[test]
fn copies_have_an_end_and_then_a_person_is_asked() {
    for backend in Backend::each() {
        let (stage, recorder) = lost(backend, 1, "resend", "2");
        let stage = Stage { run: stage.run.with("FORTHRIGHT_SENDING_MAX_ATTEMPTS", "3"), ..stage };
        recorder.always(&address(0), Behaviour::DropAt(Phase::AfterDot));
        for _ in 0..4 {
            hurry(&stage);
            stage.work(&recorder);
        }
        assert_eq!(recorder.count(), 3, "{backend:?}");
        assert_eq!(stage.run.csv(&["delivery", "uncertain", SLUG])[0]["again_at"], "held");
        assert!(stage.run.run(&["doctor"]).stdout.contains("1 mails of bluebleed may have arrived and are held"));
        // Whoever finds out that it did not arrive lets it go once more.
        let id = rows(&stage)[&address(0)]["delivery_id"].clone();
        stage.run.ok(&["delivery", "settle", &id, "--not-accepted", "--why", "its queue was lost"]);
        recorder.always(&address(0), Behaviour::Accept);
        stage.work(&recorder);
        assert_eq!((recorder.count(), state(&stage, 0).as_str()), (4, "accepted"));
    }
}

#[test]
fn copies_after_a_sender_that_died_are_as_far_apart_and_as_few() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(1);
        stage.release();
        let recorder = Recorder::start().unwrap();
        let run = stage.run.sending_to(&recorder.url()).with("FORTHRIGHT_SENDING_LEASE_SECONDS", "2");
        let die = |run: &testkit::process::Forthright| {
            hurry(&stage);
            let dying = run.with("FORTHRIGHT_CRASH_AT", "dot.after").run(&["work", "--until-idle", "--timeout", "60"]);
            assert_ne!(dying.status, 0, "{}", dying.stderr);
        };
        // By others than the one who would send it: nothing is sent meanwhile.
        let find = |run: &testkit::process::Forthright| {
            run.ok(&["stop"]);
            crate::reception::wait_until("it is found", || {
                run.run(&["work", "--until-idle", "--timeout", "5"]);
                state(&stage, 0) == "uncertain"
            });
            run.ok(&["go"]);
        };
        raw_sql(&stage, "UPDATE outbox SET attempts = 3").unwrap();
        die(&run);
        find(&run);
        let waits = "SELECT (o.next_at - a.ended_at) / 1000000 FROM outbox o
            JOIN attempts a ON a.outbox_id = o.id AND a.attempt = o.attempts";
        // A lease of two seconds, doubled three times; one of them is over.
        let wait: i64 = raw_sql(&stage, waits).unwrap().trim().parse().unwrap();
        assert!((13..=14).contains(&wait), "{backend:?}: {wait}");
        let few = run.with("FORTHRIGHT_SENDING_MAX_ATTEMPTS", "5");
        die(&few);
        find(&few);
        assert_eq!(stage.run.csv(&["delivery", "uncertain", SLUG])[0]["again_at"], "held", "{backend:?}");
        assert_eq!(recorder.count(), 2);
    }
}

#[test]
fn a_copy_waits_for_a_lease_and_each_further_one_twice_as_long() {
    const LEASE: i64 = 600;
    let (stage, recorder) = lost(Backend::Sqlite, 1, "resend", "600");
    // The store's clock is the real one here.
    let due_in = || {
        let waits = "SELECT (o.next_at - a.ended_at) / 1000000 FROM outbox o
            JOIN attempts a ON a.outbox_id = o.id AND a.attempt = o.attempts";
        raw_sql(&stage, waits).unwrap().trim().parse::<i64>().unwrap()
    };
    let first = due_in();
    assert!((LEASE - 1..=LEASE).contains(&first), "{first}");
    recorder.script(&address(0), [Behaviour::DropAt(Phase::AfterDot)]);
    raw_sql(&stage, "UPDATE outbox SET next_at = 0").unwrap();
    stage.work(&recorder);
    let second = due_in();
    assert!((2 * LEASE - 1..=2 * LEASE).contains(&second), "{second}");
    assert_eq!(recorder.count(), 2);
}
