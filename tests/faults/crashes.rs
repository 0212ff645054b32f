//! The process ends at each named point, before and after each durable step, and is started again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use testkit::process::{Backend, Running};

use super::ledger::{Findings, check};
use super::slow;
use crate::reception::{Client, Receiver, asked, question, wait_until};
use crate::setup::{SLUG, Stage};
use crate::tickets::{raw_sql, sent};

/// Points of the sender, each with the number of the passing. `resolve` follows a kill that left mail with a sender
/// that is gone.
const SENDING: [(&str, usize); 11] = [
    ("claim.before", 1),
    ("claim.after", 1),
    ("at_dot.before", 2),
    ("at_dot.after", 3),
    ("dot.after", 4),
    ("resolve.before", 1),
    ("resolve.after", 1),
    ("verdict.before", 2),
    ("verdict.after", 3),
    ("farewell.before", 1),
    ("farewell.after", 1),
];

/// Points around what people and sweeps do, each with what is tried there.
const AROUND: [&str; 12] = [
    "release.before",
    "release.after",
    "forgotten.before",
    "forgotten.after",
    "starts.before",
    "starts.after",
    "give_back.before",
    "give_back.after",
    "sweep.before",
    "sweep.after",
    "settle.before",
    "settle.after",
];

/// Points of the receiver.
const RECEIVING: [&str; 5] = ["stored.before", "stored.after", "begun.after", "filed.before", "filed.after"];

const CRASH_AT: &str = "FORTHRIGHT_CRASH_AT";
/// What a shell says of a process that aborted.
const ABORTED: i32 = 134;

fn crashed(running: &mut Running, point: &str) {
    let begun = Instant::now();
    while running.ended().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{point} is not passed: {}", running.said());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(running.ended(), Some(ABORTED), "{point}: {}", running.said());
}

/// Whose mail may be past its dot, as far as the store knows.
fn at_the_dot(stage: &Stage) -> BTreeSet<String> {
    let rows = raw_sql(stage, "SELECT address FROM outbox WHERE state = 'at_dot'").unwrap();
    rows.lines().map(str::to_owned).collect()
}

fn kill_a_sender_everywhere(backend: Backend) {
    const NOTICES: usize = 220;
    const CONNECTIONS: usize = 4;
    let stage = Stage::new(backend);
    stage.small(NOTICES);
    stage.release();
    let recorder = slow();
    let run = stage
        .run
        .sending_to(&recorder.url())
        .with("FORTHRIGHT_SENDING_LEASE_SECONDS", "2")
        .with("FORTHRIGHT_SENDING_CONNECTIONS", CONNECTIONS.to_string());
    let mut past_the_dot = BTreeSet::new();
    for (point, time) in SENDING {
        let (before, standing) = (recorder.count(), at_the_dot(&stage));
        let mut worker = run.with(CRASH_AT, format!("{point}*{time}")).spawn(&["worker"]);
        if point.starts_with("farewell") {
            assert!(recorder.wait_for(before + 1, Duration::from_secs(60)), "{}", worker.said());
            assert_eq!(worker.terminate(), ABORTED, "{point}: {}", worker.said());
        } else {
            crashed(&mut worker, point);
        }
        let now = at_the_dot(&stage);
        assert!(now.difference(&standing).count() <= CONNECTIONS, "{point}: {now:?}");
        past_the_dot.extend(now);
        // Balanced wherever it was killed; `status` checks the equation.
        let status = stage.status();
        let rows: i64 = status["deliveries"].as_object().unwrap().values().filter_map(|count| count.as_i64()).sum();
        assert_eq!(rows, NOTICES as i64, "{point}: {status}");
    }
    let unsent = NOTICES - recorder.count();
    assert!(unsent > 0, "too few notices: the last points were passed with nothing to send");
    run.ok(&["work", "--until-idle", "--timeout", "120"]);
    let expected = (0..NOTICES).map(|n| format!("security@org{n:05}.example")).collect();
    let findings = check(&recorder, &expected);
    let duplicated = findings.duplicated.clone();
    assert_eq!(findings, Findings { duplicated: duplicated.clone(), ..Findings::default() });
    let blind: Vec<_> = duplicated.difference(&past_the_dot).collect();
    assert!(blind.is_empty(), "copies of what was not at the dot when a process died: {blind:?}");
    let status = stage.status();
    assert_eq!((&status["accepted"], &status["deliveries"]["accepted"]), (&NOTICES.into(), &NOTICES.into()));
}

#[test]
fn a_sender_killed_at_each_point_on_sqlite_loses_nothing_and_copies_only_what_was_at_the_dot() {
    kill_a_sender_everywhere(Backend::Sqlite);
}

#[test]
fn a_sender_killed_at_each_point_on_postgresql_loses_nothing_and_copies_only_what_was_at_the_dot() {
    kill_a_sender_everywhere(Backend::Postgres);
}

/// Rows of the outbox, and those in a state.
fn rows(stage: &Stage, state: &str) -> (usize, usize) {
    let states = raw_sql(stage, "SELECT state FROM outbox").unwrap();
    (states.lines().count(), states.lines().filter(|one| *one == state).count())
}

fn kill_around(backend: Backend) {
    let stage = Stage::new(backend);
    stage.small(3);
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    let recorder = slow();
    let run = stage
        .run
        .sending_to(&recorder.url())
        .with("FORTHRIGHT_SENDING_LEASE_SECONDS", "2")
        .with("FORTHRIGHT_SENDING_UNCERTAIN", "hold");
    let mut points = AROUND.into_iter();
    let mut dies = |args: &[&str]| {
        let point = points.next().unwrap();
        let mut dying = run.as_actor("lead").with(CRASH_AT, point).spawn(args);
        crashed(&mut dying, point);
    };
    // All or nothing is released, and once.
    let release = ["wave", "release", SLUG, "everybody", "--all", "--per-day", "2"];
    dies(&release);
    assert_eq!(rows(&stage, "queued"), (0, 0));
    dies(&release);
    assert_eq!(rows(&stage, "queued"), (3, 3));
    assert_eq!(run.as_actor("lead").run(&release).status, 4);
    // Balanced wherever it is killed; `status` checks the equation.
    stage.status();
    // What was forgotten has its row with its line in the ticket, or neither.
    run.ok(&["stop"]);
    raw_sql(&stage, "DELETE FROM outbox WHERE address = 'security@org00002.example'").unwrap();
    for left in [2, 3] {
        dies(&["worker"]);
        assert_eq!(rows(&stage, "queued"), (left, left));
    }
    run.ok(&["go"]);
    // Starts and what gets none go back with their leases.
    for _ in 0..4 {
        dies(&["worker"]);
        assert_eq!(recorder.count(), 0);
        stage.status();
    }
    run.ok(&["work", "--until-idle", "--timeout", "60"]);
    let sent = recorder.count();
    // Unless midnight (UTC) came in between.
    assert!([2, 3].contains(&sent), "{sent}");
    let held = "UPDATE outbox SET state = 'at_dot', settled_at = NULL, lease = 'lost', leased_at = 0, attempts = 0
        WHERE id = (SELECT MIN(id) FROM outbox)";
    let living = "INSERT INTO senders (id, started_at, alive_until) VALUES ('lost', 0, 9000000000000000)";
    raw_sql(&stage, living).unwrap();
    raw_sql(&stage, "DELETE FROM attempts WHERE outbox_id = (SELECT MIN(id) FROM outbox)").unwrap();
    raw_sql(&stage, held).unwrap();
    for uncertain in [0, 1] {
        dies(&["worker"]);
        assert_eq!(rows(&stage, "uncertain"), (3, uncertain));
    }
    let id = run.csv(&["delivery", "uncertain", SLUG])[0]["delivery_id"].clone();
    for uncertain in [1, 0] {
        dies(&["delivery", "settle", &id, "--accepted", "--why", "its reader called"]);
        assert_eq!(rows(&stage, "uncertain"), (3, uncertain));
        stage.status();
    }
    assert_eq!(run.run(&["audit", "verify"]).status, 0);
    assert_eq!(recorder.count(), sent);
}

#[test]
fn releases_starts_sweeps_and_settlements_killed_at_each_point_are_done_whole_or_not_at_all() {
    for backend in Backend::each() {
        kill_around(backend);
    }
}

#[test]
fn a_receiver_killed_at_each_point_keeps_what_it_acknowledged_and_files_it_once() {
    for backend in Backend::each() {
        let (stage, letters) = sent(backend, 1);
        let reply_to = letters[0].header("Reply-To").unwrap();
        let mut acknowledged = BTreeSet::new();
        let mut waiting: Option<String> = None;
        for point in RECEIVING {
            let mut receiver = Receiver::start(&stage.run.with(CRASH_AT, point));
            let mut client = Client::open(receiver.smtp).unwrap();
            for n in 0.. {
                // What was not acknowledged is sent again, as any mail server does.
                let words = waiting.take().unwrap_or_else(|| format!("Question {n} at {point}?"));
                if client.mail(&reply_to, &question(&words)).unwrap_or(false) {
                    acknowledged.insert(words);
                } else {
                    waiting = Some(words);
                    break;
                }
            }
            crashed(&mut receiver.running, point);
            assert_eq!(stage.status()["accepted"], 1);
        }
        let receiver = Receiver::start(&stage.run);
        let words = waiting.expect("the last kill cut a mail off");
        assert!(Client::open(receiver.smtp).unwrap().mail(&reply_to, &question(&words)).unwrap());
        acknowledged.insert(words);
        wait_until("everything is filed", || asked(&stage).len() >= acknowledged.len());
        assert_eq!(asked(&stage), acknowledged);
        let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0);
        assert_eq!(ticket["questions"], acknowledged.len().to_string(), "each is asked once");
    }
}
