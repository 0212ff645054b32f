//! A mail server that fails in every way at every phase, and a reader that looks all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use testkit::process::Backend;
use testkit::smtp::Behaviour::{DropAt, Flood, Garbage, Permanent, Stall, Transient};
use testkit::smtp::Phase::{AfterDot, BeforeDot, Data, Dot, Rcpt};
use testkit::smtp::{Behaviour, Options, Recorder};

use super::ledger::{Findings, check};
use crate::setup::{SLUG, Stage};

/// Longer than the deadlines of the run.
const LONG: Duration = Duration::from_millis(2_500);

/// What a recipient's server does, and what becomes of the mail.
struct Case {
    script: Vec<Behaviour>,
    state: &'static str,
    /// Whether the server may have had the mail without the sender knowing, so that it comes again.
    copies: bool,
}

fn case(script: impl Into<Vec<Behaviour>>, state: &'static str) -> Case {
    let script = script.into();
    // After a stall the server goes on as if nothing had been, and keeps what it has been sent.
    let may_be_kept = |one: &Behaviour| {
        matches!(one, DropAt(AfterDot) | Garbage(AfterDot) | Flood(AfterDot) | Stall(BeforeDot | Dot | AfterDot, _))
    };
    let copies = script.iter().any(may_be_kept);
    Case { script, state, copies }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![case([], "accepted")];
    for phase in [Rcpt, Data, Dot] {
        cases.push(case([Permanent(phase)], "bounced"));
        cases.push(case([Transient(phase)], "accepted"));
        cases.push(case([Garbage(phase)], "accepted"));
        cases.push(case([Flood(phase)], "accepted"));
    }
    for phase in [Rcpt, Data, BeforeDot, Dot, AfterDot] {
        cases.push(case([DropAt(phase)], "accepted"));
        cases.push(case([Stall(phase, LONG)], "accepted"));
    }
    cases.push(case([Garbage(AfterDot)], "accepted"));
    cases.push(case([Flood(AfterDot)], "accepted"));
    cases.push(case(Behaviour::transient_times(Rcpt, 3), "accepted"));
    cases.push(case([Transient(Rcpt), DropAt(Data), Permanent(Dot)], "bounced"));
    cases
}

/// Recipients that every kind of case is played for, beside as many who are simply written to.
const TIMES: usize = 3;

#[test]
fn every_fault_in_every_phase_ends_as_it_should_while_the_figures_balance() {
    for backend in Backend::each() {
        let cases = cases();
        let scripted = cases.len() * TIMES;
        let notices = scripted * 2;
        let stage = Stage::new(backend);
        stage.small(notices);
        stage.release();
        let recorder = Recorder::start_with(Options::default()).unwrap();
        let address = |n: usize| format!("security@org{n:05}.example");
        let mut expected: BTreeMap<String, &Case> = BTreeMap::new();
        for n in 0..scripted {
            let case = &cases[n % cases.len()];
            recorder.script(&address(n), case.script.iter().cloned());
            expected.insert(address(n), case);
        }
        let run = stage
            .run
            .sending_to(&recorder.url())
            .with("FORTHRIGHT_SENDING_LEASE_SECONDS", "2")
            .with("FORTHRIGHT_SENDING_RETRY_SECONDS", "1")
            .with("FORTHRIGHT_SENDING_RETRY_LONGEST_SECONDS", "1")
            .with("FORTHRIGHT_SENDING_REPLY_TIMEOUT_SECONDS", "1")
            .with("FORTHRIGHT_SENDING_DOT_TIMEOUT_SECONDS", "1")
            // More is refused here than any wave should bear.
            .with("FORTHRIGHT_SENDING_STOP_BOUNCED_PERCENT", "100");
        let mut worker = run.spawn(&["worker"]);
        let begun = Instant::now();
        // Reads, and checks the equation, all the time while mail leaves and fails.
        while unsettled(&stage.status()) > 0 && begun.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(worker.terminate(), 0, "{}", worker.said());

        for row in stage.run.csv(&["delivery", "list", SLUG]) {
            let state = expected.get(&row["contact"]).map_or("accepted", |case| case.state);
            assert_eq!(row["state"], state, "{backend:?}: {row:?}");
        }
        let reached = |n: &usize| expected.get(&address(*n)).is_none_or(|case| case.state == "accepted");
        let findings = check(&recorder, &(0..notices).filter(reached).map(address).collect());
        let duplicated = findings.duplicated.clone();
        assert_eq!(findings, Findings { duplicated: duplicated.clone(), ..Findings::default() });
        let may_be_twice = |recipient: &String| expected.get(recipient).is_some_and(|case| case.copies);
        let past_the_dot: BTreeSet<&String> = duplicated.iter().filter(|recipient| may_be_twice(recipient)).collect();
        assert_eq!(past_the_dot.len(), duplicated.len(), "copies of what was not past the dot: {duplicated:?}");
    }
}

/// Mails that are still to be tried.
fn unsettled(status: &serde_json::Value) -> i64 {
    ["queued", "leased", "at_dot", "deferred", "uncertain"]
        .iter()
        .map(|state| status["deliveries"][state].as_i64().unwrap())
        .sum()
}
