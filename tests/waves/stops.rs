//! A wave that goes wrong stops by itself, everywhere, and a person lets it go on.

use std::time::Duration;

use testkit::process::Backend;
use testkit::smtp::{Behaviour, Message, Phase, Recorder};

use super::{approved, column};
use crate::setup::{SLUG, Stage, path};
use crate::tickets::{raw_sql, receive, reply_to};

fn address(n: usize) -> String {
    format!("security@org{n:05}.example")
}

fn released(backend: Backend, notices: usize, more: &[&str]) -> Stage {
    let stage = approved(backend, notices);
    stage.run.as_actor("lead").ok(&[&["wave", "release", SLUG, "pilot"], more].concat());
    stage
}

/// Of the deliveries, those in a state.
fn in_state(stage: &Stage, state: &str) -> usize {
    stage.run.csv(&["delivery", "list", SLUG]).iter().filter(|row| row["state"] == state).count()
}

#[test]
fn a_wave_whose_mails_come_back_stops_everywhere_until_somebody_says_why_it_goes_on() {
    for backend in Backend::each() {
        let stage = released(backend, 200, &["--all"]);
        let recorder = Recorder::start().unwrap();
        for n in 0..200 {
            recorder.always(&address(n), Behaviour::Permanent(Phase::Rcpt));
        }
        let run = stage.run.sending_to(&recorder.url());
        let mut workers = [run.spawn(&["worker"]), run.spawn(&["worker"])];
        crate::reception::wait_until("the wave is stopped", || !column(&stage, "pilot", "stopped").is_empty());
        // What was on its way may end; nothing is begun.
        crate::reception::wait_until("nothing is on its way", || {
            in_state(&stage, "leased") + in_state(&stage, "at_dot") == 0
        });
        let bounced = in_state(&stage, "bounced");
        for worker in &mut workers {
            assert_eq!(worker.terminate(), 0, "{}", worker.said());
        }
        assert_eq!(in_state(&stage, "bounced"), bounced);
        assert!(column(&stage, "pilot", "stopped").contains("were refused for good: more than 10 %"));
        let status = stage.status();
        assert!(status["stopped_waves"]["pilot"].as_str().unwrap().contains("refused for good"), "{status}");
        assert!(stage.run.run(&["doctor"]).stdout.contains("wave `pilot` of bluebleed was stopped"));
        // It goes on with a reason only, and is not stopped by the same mails at once.
        let lead = stage.run.as_actor("lead");
        let refused = lead.run(&["wave", "resume", SLUG, "pilot"]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        lead.ok(&["wave", "resume", SLUG, "pilot", "--why", "the relay was misconfigured"]);
        for n in 0..200 {
            recorder.always(&address(n), Behaviour::Accept);
        }
        stage.work(&recorder);
        assert_eq!(column(&stage, "pilot", "stopped"), "");
        assert_eq!(in_state(&stage, "accepted"), 200 - bounced);
        let audit = stage.folder.path().join("audit.jsonl");
        stage.run.ok(&["audit", "export", SLUG, path(&audit)]);
        let entries = std::fs::read_to_string(&audit).unwrap();
        assert_eq!(entries.matches("\"wave.stop\"").count(), 1, "it is noted once, whoever judged");
        assert!(entries.contains("the relay was misconfigured"));
    }
}

/// A pilot of 25 that everybody took, and what became of it after these reactions.
fn after_reactions(reactions: impl Fn(&Message) -> String, expect: &str) {
    let stage = released(Backend::Sqlite, 30, &["--pilot", "25"]);
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    for letter in &recorder.messages()[..3] {
        receive(&stage, &reactions(letter), None);
    }
    let stopped = column(&stage, "pilot", "stopped");
    assert!(stopped.contains(expect), "{expect}: {stopped}");
    // Widening would pass the stop.
    let lead = stage.run.as_actor("lead");
    let refused = lead.run(&["wave", "release", SLUG, "widen", "--all"]);
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("wave resume bluebleed pilot"), "{}", refused.stderr);
    lead.ok(&["wave", "release", SLUG, "widen", "--all", "--override", "these five asked for it"]);
}

#[test]
fn readers_who_say_that_it_is_not_theirs_stop_a_pilot_and_its_widening() {
    let not_ours = |letter: &Message| reply_to(letter, "", "You have the wrong recipient, this is not our company.");
    after_reactions(not_ours, "are not the reader's");
}

/// A report that a reader marked this letter as unwanted; `name` tells one from another.
fn complaint(letter: &Message, name: &str) -> String {
    let id = letter.header("Message-ID").unwrap();
    let to = letter.header("Reply-To").unwrap();
    format!(
        "From: fbl@mailbox.example\r\nTo: {to}\r\nSubject: complaint\r\nMessage-ID: <{name}-{}@mailbox.example>\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n\
             --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: X/1\r\nVersion: 1\r\n\r\n\
             --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@vendor.example\r\nMessage-ID: {id}\r\nSubject: s\r\n\r\nx\r\n--b--\r\n",
        model::digest::sha256(id.as_bytes())
    )
}

#[test]
fn complaints_stop_a_pilot_and_its_widening() {
    after_reactions(|letter| complaint(letter, "c"), "were complained about");
}

#[test]
fn two_complaints_about_one_delivery_are_one() {
    for backend in Backend::each() {
        let stage = released(backend, 60, &["--all"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let letters = recorder.messages();
        for name in ["first", "second"] {
            assert_eq!(receive(&stage, &complaint(&letters[0], name), None)["class"], "complaint");
        }
        assert_eq!(column(&stage, "pilot", "stopped"), "");
        receive(&stage, &complaint(&letters[1], "first"), None);
        let stopped = column(&stage, "pilot", "stopped");
        assert!(stopped.contains("2 of 60 settled mails were complained about"), "{stopped}");
    }
}

#[test]
fn whoever_holds_the_token_of_one_organisation_complains_for_one() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(60);
        for n in 0..3 {
            let address = format!("privacy{n}@org00000.example");
            stage.run.ok(&["directory", "add-contact", "t-00000", "--role", "privacy", "--email", &address]);
        }
        stage.run.ok(&["notice", "draft", SLUG]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "pilot", "--all"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let letters = recorder.messages();
        let (own, others): (Vec<_>, Vec<_>) =
            letters.iter().partition(|letter| letter.recipients[0].ends_with("@org00000.example"));
        assert_eq!(own.len(), 4);
        for letter in own {
            assert_eq!(receive(&stage, &complaint(letter, "own"), None)["class"], "complaint");
        }
        // Feedback of other kinds, and what returns no letter of ours, is kept and counts for nobody.
        for letter in &others[..3] {
            let told = complaint(letter, "other").replace("Feedback-Type: abuse", "Feedback-Type: not-spam");
            assert_eq!(receive(&stage, &told, None)["class"], "complaint");
        }
        for letter in &others[3..6] {
            let id = letter.header("Message-ID").unwrap();
            receive(
                &stage,
                &complaint(letter, "blind").replace(&format!("Message-ID: {id}\r\nSubject"), "Subject"),
                None,
            );
        }
        assert_eq!(column(&stage, "pilot", "stopped"), "", "{backend:?}");
        let noted =
            raw_sql(&stage, "SELECT body FROM ticket_entries WHERE body LIKE '%no stop rule counts it%'").unwrap();
        assert_eq!(noted.matches("does not speak of abuse").count(), 3, "{noted}");
        assert_eq!(noted.matches("does not return a mail of ours").count(), 3, "{noted}");
        receive(&stage, &complaint(others[6], "proven"), None);
        let stopped = column(&stage, "pilot", "stopped");
        assert!(stopped.contains("2 of 63 settled mails were complained about"), "{stopped}");
    }
}

#[test]
fn mails_that_cannot_be_written_stop_a_wave() {
    for backend in Backend::each() {
        let stage = released(backend, 30, &["--all"]);
        // As a fault of the program would have it: no mail can be written with such a Message-ID.
        let broken = "UPDATE outbox SET message_id = 'not an id ' || id WHERE address < 'security@org00025'";
        raw_sql(&stage, broken).unwrap();
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let stopped = column(&stage, "pilot", "stopped");
        assert!(stopped.contains("could not be sent: more than"), "{backend:?}: {stopped}");
        let status = stage.status();
        assert!(status["deliveries"]["failed"].as_i64().unwrap() > 0, "{status}");
    }
}

#[test]
fn two_of_a_pilot_of_five_that_came_back_stop_it() {
    for backend in Backend::each() {
        let stage = released(backend, 9, &["--pilot", "5"]);
        let recorder = Recorder::start().unwrap();
        recorder.otherwise(Behaviour::Permanent(Phase::Rcpt));
        stage.work(&recorder);
        let stopped = column(&stage, "pilot", "stopped");
        assert!(stopped.contains("settled mails were refused for good"), "{stopped}");
        let refused = stage.run.as_actor("lead").run(&["wave", "release", SLUG, "widen", "--all"]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
    }
}

#[test]
fn what_is_put_off_as_spam_again_and_again_stops_a_wave_and_greylisting_does_not() {
    for (backend, reply, stops) in [
        (Backend::Sqlite, "451 4.7.1 Greylisting in action, come again later", false),
        (Backend::Sqlite, "421 4.7.0 unusual rate of mail that looks unsolicited", true),
        (Backend::Postgres, "450 4.7.1 your reputation is low, come again later", true),
    ] {
        let stage = released(backend, 30, &["--all"]);
        let recorder = Recorder::start().unwrap();
        for n in 0..30 {
            recorder.script(&address(n), vec![Behaviour::Reply(Phase::Rcpt, reply); if stops { 3 } else { 2 }]);
        }
        let run = stage.run.sending_to(&recorder.url()).with("FORTHRIGHT_SENDING_RETRY_SECONDS", "1");
        let mut worker = run.spawn(&["worker"]);
        crate::reception::wait_until("it is stopped or through", || {
            !column(&stage, "pilot", "stopped").is_empty() || recorder.count() == 30
        });
        assert_eq!(worker.terminate(), 0, "{}", worker.said());
        let stopped = column(&stage, "pilot", "stopped");
        assert_eq!(stopped.contains("as spam or by policy"), stops, "{reply}: {stopped}");
    }
}

#[test]
fn what_was_paused_or_stopped_keeps_its_time_and_what_goes_is_not_said_to_go_on() {
    for backend in Backend::each() {
        let stage = released(backend, 2, &["--all"]);
        let lead = stage.run.as_actor("lead");
        let going = lead.run(&["wave", "resume", SLUG, "pilot"]);
        assert!(going.status == 0 && going.stderr.contains("was not waiting"), "{}", going.stderr);
        lead.ok(&["wave", "pause", SLUG, "pilot"]);
        let since = column(&stage, "pilot", "paused_at");
        let again = lead.run(&["wave", "pause", SLUG, "pilot"]);
        assert!(again.status == 0 && again.stderr.contains("waits already"), "{}", again.stderr);
        assert_eq!(column(&stage, "pilot", "paused_at"), since);
        for name in ["", "  ", "two\nlines", " padded"] {
            let refused = lead.run(&["wave", "release", SLUG, name, "--all"]);
            assert_eq!(refused.status, 2, "{name:?}: {}", refused.stderr);
        }
        assert_eq!(lead.run(&["wave", "pause", SLUG, "other"]).status, 1);
    }
}

#[test]
fn a_wave_of_which_little_came_back_goes_on() {
    let stage = released(Backend::Sqlite, 60, &["--all"]);
    let recorder = Recorder::start().unwrap();
    for n in 0..3 {
        recorder.always(&address(n * 20), Behaviour::Permanent(Phase::Dot));
    }
    stage.work(&recorder);
    assert_eq!((in_state(&stage, "accepted"), in_state(&stage, "bounced")), (57, 3));
    assert_eq!(column(&stage, "pilot", "stopped"), "");
    assert!(recorder.wait_for(57, Duration::ZERO));
}
