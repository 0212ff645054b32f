//! A PostgreSQL that restarts again and again under several workers.

use std::time::{Duration, Instant};

use testkit::postgres::{Cluster, Stop};
use testkit::process::Backend;
use testkit::smtp::{Behaviour, Options, Phase, Recorder};

use super::ledger::{Findings, check};
use crate::reception::wait_until;
use crate::setup::{Stage, path};

/// A stage whose database is in a cluster of its own.
fn stage(cluster: &Cluster) -> Stage {
    let stage = Stage::new(Backend::Sqlite);
    let run = stage.run.with("FORTHRIGHT_DATABASE_URL", cluster.create_database().unwrap());
    run.ok(&["store", "init"]);
    run.ok(&["incident", "open", path(&stage.folder.path().join("incident.toml"))]);
    Stage { run, ..stage }
}

#[test]
fn what_a_relay_said_while_the_database_was_gone_for_longer_than_the_lease_is_recorded_once_it_is_back() {
    let (cluster, stage) = (Cluster::shared(), Stage::new(Backend::Postgres));
    let name = stage.run.database().unwrap().rsplit('/').next().unwrap().to_owned();
    stage.small(1);
    stage.release();
    let (recorder, lease) = (Recorder::start().unwrap(), Duration::from_secs(2));
    recorder.script("security@org00000.example", [Behaviour::Stall(Phase::AfterDot, lease * 2)]);
    let run =
        stage.run.sending_to(&recorder.url()).with("FORTHRIGHT_SENDING_LEASE_SECONDS", lease.as_secs().to_string());
    let mut worker = run.spawn(&["worker"]);
    assert!(recorder.wait_for(1, Duration::from_secs(60)), "{}", worker.said());
    let since = Instant::now();
    cluster.sql("postgres", &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false")).unwrap();
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    cluster.sql("postgres", &end).unwrap();
    // The relay has answered, and the lease is long over.
    wait_until("the database is back", || since.elapsed() > lease * 3);
    cluster.sql("postgres", &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true")).unwrap();
    wait_until("the mail is settled", || stage.status()["deliveries"]["accepted"] == 1);
    assert_eq!(worker.terminate(), 0, "{}", worker.said());
    assert_eq!(recorder.count(), 1, "a copy was sent of what was known to have arrived");
}

#[test]
fn workers_whose_database_restarts_lose_nothing_go_on_by_themselves_and_obey_the_stop_button() {
    const NOTICES: usize = 400;
    const WORKERS: usize = 4;
    const CONNECTIONS: usize = 4;
    const RESTARTS: usize = 5;
    let mut cluster = Cluster::start().unwrap();
    let stage = stage(&cluster);
    stage.small(NOTICES);
    stage.release();
    let recorder = Recorder::start_with(Options { delay: Duration::from_millis(100), ..Options::default() }).unwrap();
    let run = stage.run.sending_to(&recorder.url()).with("FORTHRIGHT_SENDING_CONNECTIONS", CONNECTIONS.to_string());
    let mut workers: Vec<_> = (0..WORKERS).map(|_| run.spawn(&["worker"])).collect();
    let mut sent = 0;
    for restart in 0..RESTARTS {
        assert!(recorder.wait_for(sent + 10, Duration::from_secs(60)), "nothing is sent after restart {restart}");
        cluster.restart([Stop::Fast, Stop::Immediate][restart % 2]).unwrap();
        sent = recorder.count();
    }
    assert!(recorder.wait_for(sent + 10, Duration::from_secs(60)), "nothing is sent after the last restart");
    run.ok(&["stop"]);
    // What is past its envelope is finished; then nothing more, on no host.
    std::thread::sleep(Duration::from_secs(3));
    let stopped = recorder.count();
    assert!(stopped < NOTICES, "too few notices: everything was sent before the stop");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(recorder.count(), stopped);
    run.ok(&["go"]);
    let begun = Instant::now();
    while stage.status()["accepted"] != NOTICES && begun.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(100));
    }
    for worker in &mut workers {
        assert_eq!(worker.terminate(), 0, "{}", worker.said());
    }
    assert_eq!(stage.status()["accepted"], NOTICES);
    let expected = (0..NOTICES).map(|n| format!("security@org{n:05}.example")).collect();
    let findings = check(&recorder, &expected);
    let duplicated = findings.duplicated.clone();
    assert_eq!(findings, Findings { duplicated, ..Findings::default() });
    let copies = recorder.count() - NOTICES;
    assert!(copies <= WORKERS * CONNECTIONS * RESTARTS, "{copies} copies");
}
