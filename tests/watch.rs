//! Who watches the engine: whatever should have happened and has not is named, and no heartbeat is heard meanwhile.

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use testkit::process::{Backend, Forthright};
use testkit::receiver::Receiver;
use testkit::smtp::Recorder;

use crate::reception::wait_until;
use crate::setup::{Clock, SLUG, Stage, path};
use crate::story::get;
use crate::tickets::{raw_sql, reply_to, sent};

const MORNING: &str = "2022-09-25T09:00:00Z";
const LATER: &str = "2022-09-26T09:00:00Z";

/// A rehearsal with one notice that was taken.
struct World {
    stage: Stage,
    recorder: Recorder,
}

impl World {
    fn new(backend: Backend) -> Self {
        let stage = Stage::with_clock(backend, Clock::Moved);
        stage.small(1);
        stage.release_at(&stage.run.with("FORTHRIGHT_NOW", MORNING));
        let world = Self { stage, recorder: Recorder::start().unwrap() };
        world.work(MORNING);
        world
    }

    fn at(&self, time: &str) -> Forthright {
        self.stage.run.with("FORTHRIGHT_NOW", time)
    }

    fn work(&self, time: &str) {
        self.at(time).sending_to(&self.recorder.url()).ok(&["work", "--until-idle", "--timeout", "120"]);
    }

    /// Rules that are broken at a time.
    fn rules(&self, time: &str) -> BTreeSet<String> {
        let output = self.at(time).run(&["audit", "engine", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let rules: BTreeSet<String> =
            report["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap().to_owned()).collect();
        assert_eq!(output.status, i32::from(!rules.is_empty()), "{}", output.stdout);
        rules
    }

    fn sql(&self, statement: &str) {
        raw_sql(&self.stage, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

fn names(rules: &[&str]) -> BTreeSet<String> {
    rules.iter().map(|rule| (*rule).to_owned()).collect()
}

#[test]
fn what_nobody_did_while_workers_were_down_is_found_however_long_ago_and_gone_when_they_are_back() {
    for backend in Backend::each() {
        let world = World::new(backend);
        assert_eq!(world.rules(MORNING), names(&[]));
        world.work(LATER);
        let raw = reply_to(&world.recorder.messages()[0], "", "Which of ours? And whose else?");
        let asked = world.at(LATER).run_with_input(&["mail", "receive"], raw.as_bytes());
        assert_eq!(asked.status, 0, "{}", asked.stderr);
        assert_eq!(world.rules(LATER), names(&[]), "a worker has some minutes");
        assert_eq!(world.rules("2022-09-26T10:00:00Z"), names(&["debt-without-ladder"]));
        let ticket = world.stage.run.csv(&["ticket", "list", SLUG])[0]["ticket"].clone();
        let shown = world.stage.run.json(&["ticket", "show", &ticket]);
        let question = shown["questions"][0]["id"].as_str().unwrap().to_owned();
        let text = world.stage.file("promise.txt", "You will have it by then.");
        let promise = [
            "ticket",
            "promise",
            &ticket,
            "--questions",
            &question,
            "--by",
            "2022-09-27T09:00:00Z",
            "--text",
            path(&text),
        ];
        world.at(LATER).ok(&promise);
        // Ten years later, and nobody has looked since.
        let found = world.rules("2032-09-26T10:00:00Z");
        assert_eq!(
            found,
            names(&["debt-without-ladder", "duty-look-late", "ladder-overdue", "promise-without-ladder"])
        );
        world.work("2032-09-26T10:00:00Z");
        assert_eq!(world.rules("2032-09-26T10:00:00Z"), names(&[]));
    }
}

/// What breaks each rule, one after the other, by hand.
const BREAKS: &[(&str, &str)] = &[
    ("tick-late", "UPDATE engine_ticks SET ended_at = 0"),
    ("ladder-without-step", "UPDATE escalations SET next_due_at = NULL WHERE policy = 'silence'"),
    (
        "ladder-unreadable",
        "INSERT INTO escalations (id, incident_id, ticket_id, policy, subject, snapshot, measured_from, started_at)
         SELECT 'esc_1', incident_id, id, 'debt', 'other', '{', 1, 1 FROM tickets",
    ),
    ("objection-without-ladder", "UPDATE questions SET objected_at = asked_at"),
    (
        "mail-without-future",
        "UPDATE outbox SET state = 'deferred', settled_at = NULL, next_at = 9000000000000000 WHERE notice_id IS NOT NULL",
    ),
    (
        "mail-held",
        "UPDATE outbox SET state = 'leased', settled_at = NULL, lease = 'snd_gone', leased_at = 1 WHERE notice_id IS NOT NULL",
    ),
    // Somebody says that it applies, and whoever looks at clocks thinks that there is time.
    (
        "duty-overdue",
        "INSERT INTO duty_acts (id, incident_id, duty, act, why, actor, recorded_at, nth, counts_nth)
         VALUES ('dut_1', 1, 'eu-gdpr-33-authority', 'applies', 'w', 'a', 1, 1, 1);
         UPDATE duty_looks SET look_at = 9000000000000000",
    ),
    ("duty-look-late", "UPDATE duty_looks SET look_at = 0"),
    (
        "mail-overdue",
        "INSERT INTO outbox (id, incident_id, cause, cause_id, letter_id, ticket_id, address, name, message_id, reply_token, state, attempts,
             next_at, created_at, last_reply)
         SELECT 'out_1', incident_id, 'policy', 'fir_1', letter_id, ticket_id, 'lead@vendor.example', '', 'm@vendor.example', '', 'queued', 0,
             5, 5, ''
         FROM outbox WHERE notice_id IS NOT NULL",
    ),
    ("mail-unfiled", "UPDATE inbound SET state = 'stored'"),
    ("notice-without-mail", "DELETE FROM attempts; DELETE FROM outbox WHERE notice_id IS NOT NULL"),
    // It changes what the notice may say, and what is not true any more is for nobody.
    (
        "withholding-overdue",
        "INSERT INTO withholdings (id, incident_id, fact, why, review_at, proposed_by, proposed_at, approved_by, approved_at)
         VALUES ('wth_1', 1, 'projects', 'w', 5, 'a', 1, 'b', 2)",
    ),
    (
        "call-overdue",
        "INSERT INTO webhook_calls (id, webhook, event, alert, cause, preset, body, state, attempts, next_at, created_at, last_reply)
         VALUES ('whm_1', 'own', 'webhook.test', 'a', 'a', 'standard', '{}', 'queued', 0, 5, 5, '')",
    ),
    ("call-without-future", "UPDATE webhook_calls SET next_at = 9000000000000000"),
    ("call-held", "UPDATE webhook_calls SET state = 'leased', lease = 'whl_1', leased_until = 5"),
    ("stopped-since", "UPDATE installation SET stopped_at = 1"),
];

#[test]
fn each_rule_that_is_broken_by_hand_is_named() {
    for backend in Backend::each() {
        let world = World::new(backend);
        let raw = reply_to(&world.recorder.messages()[0], "", "Which of ours?");
        // A second notice's organisation stays silent: its ladder runs.
        let silent =
            raw_sql(&world.stage, "SELECT COUNT(*) FROM escalations WHERE policy = 'silence' AND ended_at IS NULL");
        assert_eq!(silent.unwrap().trim(), "1");
        world.at(LATER).run_with_input(&["mail", "receive"], raw.as_bytes());
        world.work(LATER);
        // The question has ended it: it is to be one that runs.
        world.sql("UPDATE escalations SET ended_at = NULL, ended_why = NULL WHERE policy = 'silence'");
        let mut before = world.rules("2022-09-26T10:00:00Z");
        for (rule, statement) in BREAKS {
            assert!(!before.contains(*rule), "{rule} is broken before");
            world.sql(statement);
            before = world.rules("2022-09-26T10:00:00Z");
            assert!(before.contains(*rule), "{backend:?}: {rule} is not named: {before:?}");
        }
        let found = world.at("2022-09-26T10:00:00Z").run(&["doctor"]);
        assert!(found.stdout.contains("run `forthright audit engine`"), "{}{}", found.stdout, found.stderr);
    }
}

#[test]
fn a_ladder_that_cannot_be_climbed_is_a_task_and_a_finding_only_when_that_is_done() {
    let world = World::new(Backend::Sqlite);
    world.sql(
        "INSERT INTO escalations (id, incident_id, ticket_id, policy, subject, snapshot, measured_from, started_at, next_due_at)
         SELECT 'esc_1', incident_id, id, 'silence', 'other', '{', 1, 1, 1 FROM tickets",
    );
    world.work(LATER);
    assert_eq!(world.rules(LATER), names(&[]), "somebody has it");
    world.sql("UPDATE tasks SET done_at = 1, done_by = 'ada'");
    assert_eq!(world.rules(LATER), names(&["ladder-unreadable"]));
}

/// What systemd hears, a message at a time.
struct Systemd {
    socket: UnixDatagram,
    path: std::path::PathBuf,
}

impl Systemd {
    fn new(stage: &Stage) -> Self {
        let path = stage.folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self { socket, path }
    }

    fn hears(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).expect("systemd hears something");
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    fn waits_for(&self, words: &str) -> String {
        std::iter::repeat_with(|| self.hears()).find(|message| message.contains(words)).unwrap()
    }
}

#[test]
fn the_heartbeat_is_heard_only_while_the_check_passes() {
    let (stage, _) = sent(Backend::Sqlite, 1);
    let (systemd, receiver) = (Systemd::new(&stage), Receiver::start());
    let config = format!(
        "[watch]\nping_url = \"{}\"\nping_fail_url = \"{}\"\nallow_http_loopback = true\n",
        receiver.url("/good"),
        receiver.url("/bad")
    );
    let config = stage.file("watch.toml", &config);
    let run = stage.run.with("FORTHRIGHT_CONFIG", config.as_os_str());
    let run = run.with("NOTIFY_SOCKET", systemd.path.as_os_str()).with("WATCHDOG_USEC", "1000000");
    let mut running = run.spawn(&["worker"]);
    assert!(systemd.hears().starts_with("READY=1"));
    systemd.waits_for("WATCHDOG=1");
    raw_sql(&stage, "UPDATE escalations SET next_due_at = NULL").unwrap();
    systemd.waits_for("ladder-without-step");
    let bad = receiver.heard().iter().filter(|call| call.path == "/bad").count();
    for _ in 0..3 {
        let heard = systemd.hears();
        assert!(heard.starts_with("STATUS=1 findings: ladder-without-step"), "{heard}");
    }
    let heard = receiver.heard();
    assert!(heard.iter().filter(|call| call.path == "/bad").count() > bad && heard[0].path == "/good");
    raw_sql(&stage, "UPDATE escalations SET next_due_at = measured_from + 259200000000").unwrap();
    systemd.waits_for("WATCHDOG=1");
    assert_eq!(running.terminate(), 0);
    systemd.waits_for("STOPPING=1");
}

#[test]
fn the_watchdog_can_be_told_by_the_tick_alone() {
    let (stage, _) = sent(Backend::Sqlite, 1);
    raw_sql(&stage, "UPDATE escalations SET next_due_at = NULL").unwrap();
    let systemd = Systemd::new(&stage);
    let run = stage.run.with("FORTHRIGHT_WATCH_WATCHDOG", "tick");
    let run = run.with("NOTIFY_SOCKET", systemd.path.as_os_str()).with("WATCHDOG_USEC", "1000000");
    let mut running = run.spawn(&["worker"]);
    systemd.waits_for("ladder-without-step");
    systemd.waits_for("WATCHDOG=1");
    running.kill();
}

#[test]
fn monitors_are_told_by_any_host_whether_the_engine_works() {
    for backend in Backend::each() {
        let (stage, _) = sent(backend, 1);
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        // A host without workers: what it says is about all of them.
        let mut serving = stage.run.spawn(&["serve", "--no-workers", "--listen", &listen]);
        let says = |words: &str| get(&listen, "/readyz/engine").is_some_and(|page| page.contains(words));
        wait_until("the check passes", || says("HTTP/1.1 200"));
        raw_sql(&stage, "UPDATE engine_ticks SET ended_at = ended_at - 3600000000").unwrap();
        wait_until("nobody has ticked for an hour", || says("HTTP/1.1 503") && says("tick-late"));
        let mut worker = stage.run.spawn(&["worker"]);
        wait_until("another host ticks", || says("HTTP/1.1 200"));
        raw_sql(&stage, "UPDATE escalations SET next_due_at = NULL").unwrap();
        wait_until("a ladder is stuck", || says("1 findings (ladder-without-step)"));
        assert!(get(&listen, "/readyz").unwrap().starts_with("HTTP/1.1 200"), "the page itself is there");
        assert_eq!((worker.terminate(), serving.terminate()), (0, 0));
    }
}

#[test]
fn a_bad_watch_is_refused_with_its_key() {
    let stage = Stage::new(Backend::Sqlite);
    for (variable, value, key) in [
        ("FORTHRIGHT_WATCH_GRACE_SECONDS", "1", "watch.grace_seconds"),
        ("FORTHRIGHT_WATCH_PING_URL", "ftp://ping.example/", "watch.ping_url"),
    ] {
        let output = stage.run.with(variable, value).run(&["incident", "list"]);
        assert!(output.status != 0 && output.stderr.contains(key), "{}", output.stderr);
    }
}
