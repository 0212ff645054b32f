//! Faults: killed senders, several workers, servers that fail in every way. Nothing is lost, copies only as the promise
//! allows.

mod crashes;
mod frozen;
mod ledger;
mod restarts;
mod routes;
mod scripted;
mod sweeps;
mod systems;

use std::collections::HashMap;
use std::time::Duration;

use testkit::process::Backend;
use testkit::smtp::{Options, Recorder};

use crate::setup::{SLUG, Stage};

/// A server that takes a little while for each mail, so that a kill finds some in flight.
fn slow() -> Recorder {
    Recorder::start_with(Options { delay: Duration::from_millis(4), ..Options::default() }).unwrap()
}

/// What arrived, by recipient: how often, and under how many Message-IDs.
fn ledger(recorder: &Recorder) -> HashMap<String, Vec<String>> {
    let mut ledger: HashMap<String, Vec<String>> = HashMap::new();
    for message in recorder.messages() {
        assert_eq!(message.recipients.len(), 1);
        ledger.entry(message.recipients[0].clone()).or_default().push(message.header("Message-ID").unwrap());
    }
    ledger
}

#[test]
fn killed_twenty_times_nothing_is_lost_and_copies_keep_their_message_id() {
    const NOTICES: usize = 600;
    const KILLS: usize = 20;
    const CONNECTIONS: usize = 10;
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(NOTICES);
        stage.release();
        let recorder = slow();
        let run = stage.run.sending_to(&recorder.url()).with("FORTHRIGHT_SENDING_LEASE_SECONDS", "2");
        for kill in 0..KILLS {
            let before = recorder.messages().len();
            let mut running = run.spawn(&["work", "--until-idle", "--timeout", "120"]);
            let begun = std::time::Instant::now();
            while recorder.messages().len() < before + 12 + kill && begun.elapsed() < Duration::from_secs(8) {
                std::thread::sleep(Duration::from_millis(5));
            }
            running.kill();
        }
        // Copies of what was killed again and again wait longer each time.
        run.ok(&["work", "--until-idle", "--timeout", "420"]);
        let ledger = ledger(&recorder);
        assert_eq!(ledger.len(), NOTICES, "every recipient has its notice");
        let copies: usize = ledger.values().map(|ids| ids.len() - 1).sum();
        println!("{backend:?}: {KILLS} kills over {NOTICES} notices, {copies} copies, lost 0");
        assert!(copies <= KILLS * CONNECTIONS, "{copies} copies");
        for (recipient, ids) in &ledger {
            assert!(ids.iter().all(|id| *id == ids[0]), "{recipient} got {ids:?}");
        }
        assert_eq!(stage.status()["accepted"], NOTICES);
    }
}

#[test]
fn two_workers_on_one_postgresql_send_no_notice_twice() {
    const NOTICES: usize = 400;
    let stage = Stage::new(Backend::Postgres);
    stage.small(NOTICES);
    stage.release();
    let recorder = slow();
    let run = stage.run.sending_to(&recorder.url());
    let mut workers = [run.spawn(&["worker"]), run.spawn(&["worker"])];
    let begun = std::time::Instant::now();
    while stage.run.json(&["delivery", "status", SLUG])["accepted"] != NOTICES
        && begun.elapsed() < Duration::from_secs(90)
    {
        std::thread::sleep(Duration::from_millis(200));
    }
    for worker in &mut workers {
        assert_eq!(worker.terminate(), 0, "{}", worker.said());
    }
    let ledger = ledger(&recorder);
    assert_eq!(ledger.len(), NOTICES);
    assert!(ledger.values().all(|ids| ids.len() == 1), "somebody got a notice twice");
}
