//! A host that stands still for longer than its lease, and goes on as if nothing had been.

use std::time::{Duration, Instant};

use testkit::process::{Backend, Running};

use super::{ledger, slow};
use crate::reception::wait_until;
use crate::setup::Stage;

const LEASE: u64 = 2;

fn signal(worker: &Running, name: &str) {
    let told = std::process::Command::new("kill").args([&format!("-{name}"), &worker.pid().to_string()]).status();
    assert!(told.unwrap().success(), "cannot signal process {}", worker.pid());
}

#[test]
fn a_worker_frozen_for_three_leases_decides_nothing_afterwards_and_others_send_its_mail() {
    const NOTICES: usize = 300;
    const CONNECTIONS: usize = 10;
    let stage = Stage::new(Backend::Postgres);
    stage.small(NOTICES);
    stage.release();
    let recorder = slow();
    let run = stage.run.sending_to(&recorder.url()).with("FORTHRIGHT_SENDING_LEASE_SECONDS", LEASE.to_string());
    let mut frozen = run.spawn(&["worker"]);
    assert!(recorder.wait_for(20, Duration::from_secs(60)), "{}", frozen.said());
    signal(&frozen, "STOP");
    let since = Instant::now();
    let mut other = run.spawn(&["worker"]);
    // Frozen in the middle of a transaction it holds its rows until the database ends that, after 20 s.
    wait_until("the other worker has sent everything", || stage.status()["accepted"] == NOTICES);
    wait_until("three leases are over", || since.elapsed() > Duration::from_secs(3 * LEASE));
    let before =
        crate::tickets::raw_sql(&stage, "SELECT id, state, attempts, settled_at FROM outbox ORDER BY id").unwrap();
    signal(&frozen, "CONT");
    assert!(frozen.wait_for("the sender starts anew", Duration::from_secs(30)).is_some(), "{}", frozen.said());
    for worker in [&mut frozen, &mut other] {
        assert_eq!(worker.terminate(), 0, "{}", worker.said());
    }
    let after =
        crate::tickets::raw_sql(&stage, "SELECT id, state, attempts, settled_at FROM outbox ORDER BY id").unwrap();
    assert_eq!(after, before, "the late word of the frozen worker counted");
    let ledger = ledger(&recorder);
    assert_eq!(ledger.len(), NOTICES, "every recipient has its notice");
    let copies: usize = ledger.values().map(|ids| ids.len() - 1).sum();
    assert!(copies <= CONNECTIONS, "{copies} copies");
    assert!(ledger.values().all(|ids| ids.iter().all(|id| *id == ids[0])));
}
