//! Delivery: one row before the first byte, every outcome in its state, coverage that balances.

mod uncertain;

use std::time::Duration;

use testkit::process::Backend;
use testkit::smtp::{Behaviour, Phase, Recorder};

use crate::setup::{SLUG, Stage};

fn states(stage: &Stage) -> Vec<(String, String)> {
    stage
        .run
        .csv(&["delivery", "list", SLUG])
        .into_iter()
        .map(|row| (row["contact"].clone(), row["state"].clone()))
        .collect()
}

#[test]
fn refusals_are_told_apart_by_code_in_each_phase_and_one_error_stops_nobody_else() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(12);
        stage.release();
        let recorder = Recorder::start().unwrap();
        let address = |n: usize| format!("security@org{n:05}.example");
        for (n, behaviour) in [
            Behaviour::Permanent(Phase::Rcpt),
            Behaviour::Permanent(Phase::Data),
            Behaviour::Permanent(Phase::Dot),
            Behaviour::Transient(Phase::Rcpt),
            Behaviour::Transient(Phase::Data),
            Behaviour::Transient(Phase::Dot),
            Behaviour::DropAt(Phase::Rcpt),
            Behaviour::DropAt(Phase::BeforeDot),
        ]
        .into_iter()
        .enumerate()
        {
            recorder.always(&address(n), behaviour);
        }
        stage.work(&recorder);
        let states: std::collections::HashMap<String, String> = states(&stage).into_iter().collect();
        for n in 0..3 {
            assert_eq!(states[&address(n)], "bounced", "{n}");
        }
        for n in 3..7 {
            assert_eq!(states[&address(n)], "deferred", "{n}");
        }
        // The dot leaves with the text in one write: the server read none, and the sender cannot know.
        assert_eq!(states[&address(7)], "uncertain");
        for n in 8..12 {
            assert_eq!(states[&address(n)], "accepted", "{n}");
        }
        let status = stage.status();
        assert_eq!(status["accepted"], 4);
        assert_eq!(status["unreachable"], 3);
        assert_eq!(status["in_progress"], 5);
    }
}

#[test]
fn a_mail_lost_past_the_dot_is_resent_with_the_same_message_id() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    stage.release();
    let recorder = Recorder::start().unwrap();
    recorder.script("security@org00000.example", [Behaviour::DropAt(Phase::AfterDot)]);
    stage.work(&recorder);
    if recorder.messages().len() < 2 {
        // Resent once the lease is over.
        std::thread::sleep(Duration::from_secs(6));
        stage.work(&recorder);
    }
    let ids: Vec<_> = recorder.messages().iter().map(|message| message.header("Message-ID").unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(states(&stage)[0].1, "accepted");
}

#[test]
fn a_mail_lost_past_the_dot_waits_for_a_report_as_long_as_it_should() {
    for (seconds, copies, state) in [("3600", 1, "uncertain"), ("0", 2, "accepted")] {
        let stage = Stage::new(Backend::Sqlite);
        stage.small(1);
        stage.release();
        let recorder = Recorder::start().unwrap();
        recorder.script("security@org00000.example", [Behaviour::DropAt(Phase::AfterDot)]);
        let run = stage
            .run
            .sending_to(&recorder.url())
            .with("FORTHRIGHT_SENDING_UNCERTAIN", "wait")
            .with("FORTHRIGHT_SENDING_UNCERTAIN_WAIT_SECONDS", seconds)
            .with("FORTHRIGHT_SENDING_LEASE_SECONDS", "2");
        let mut worker = run.spawn(&["worker"]);
        // With the long wait the second never comes.
        recorder.wait_for(copies, Duration::from_secs(30));
        recorder.wait_for(copies + 1, Duration::from_secs(4));
        assert_eq!(worker.terminate(), 0);
        assert_eq!(recorder.count(), copies, "after {seconds} s");
        assert_eq!(states(&stage)[0].1, state);
    }
}

#[test]
fn a_mail_server_that_is_down_loses_nothing() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(3);
    stage.release();
    let output = stage.run.sending_to("smtp://127.0.0.1:1").run(&["work", "--until-idle", "--timeout", "60"]);
    assert_eq!(output.status, 75, "{}\n{}", output.stdout, output.stderr);
    assert!(output.stderr.contains("127.0.0.1:1"), "{}", output.stderr);
    assert_eq!(stage.status()["in_progress"], 3);
    let attempts: Vec<String> =
        stage.run.csv(&["delivery", "list", SLUG]).into_iter().map(|row| row["attempts"].clone()).collect();
    assert_eq!(attempts, ["0", "0", "0"], "a route that is down uses up no attempts");
    let recorder = Recorder::start().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    stage.work(&recorder);
    assert_eq!(recorder.messages().len(), 3);
}

#[test]
fn a_folder_is_a_route_too() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(4);
    stage.release();
    let folder = stage.folder.path().join("out");
    stage.run.sending_to(&format!("file:{}", folder.display())).ok(&["work", "--until-idle", "--timeout", "60"]);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    assert_eq!(stage.status()["accepted"], 4);
}

#[test]
fn stop_holds_everything_and_go_lets_it_go_on() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    stage.release();
    stage.run.ok(&["stop"]);
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    assert_eq!(recorder.messages().len(), 0);
    stage.run.ok(&["go"]);
    stage.work(&recorder);
    assert_eq!(recorder.messages().len(), 2);
}

#[test]
fn a_paused_wave_waits_and_a_pilot_goes_first() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(5);
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    let lead = stage.run.as_actor("lead");
    lead.ok(&["wave", "release", SLUG, "pilot", "--pilot", "2"]);
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    assert_eq!(recorder.messages().len(), 2);
    assert_eq!(stage.status()["not_released"], 3);
    lead.ok(&["wave", "release", SLUG, "rest", "--all"]);
    lead.ok(&["wave", "pause", SLUG, "rest"]);
    stage.work(&recorder);
    assert_eq!(recorder.messages().len(), 2);
    lead.ok(&["wave", "resume", SLUG, "rest"]);
    stage.work(&recorder);
    assert_eq!(recorder.messages().len(), 5);
    assert_eq!(stage.status()["accepted"], 5);
}

#[test]
fn a_disabled_contact_is_suppressed_at_the_moment_of_sending() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    stage.release();
    stage.run.ok(&["directory", "disable-contact", "security@org00001.example", "--why", "left the company"]);
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    assert_eq!(recorder.messages().len(), 1);
    let states: Vec<String> = states(&stage).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["accepted", "suppressed"]);
    assert_eq!(stage.status()["unreachable"], 1);
}
