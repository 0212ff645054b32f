//! Two processes on one PostgreSQL, stopped at the one moment that matters by a lock that the test holds.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::process::{Backend, Running};
use testkit::smtp::Recorder;

use super::changes::stage;
use crate::setup::{Clock, SLUG, Stage, path, readable};
use crate::tickets::raw_sql;

const LIMIT: Duration = Duration::from_secs(60);

/// A session of its own that holds a table until it is dropped.
struct Lock(Child);

impl Lock {
    fn hold(stage: &Stage, table: &str) -> Lock {
        let url = stage.run.database().unwrap();
        let mut child = Command::new("psql")
            .args(["-v", "ON_ERROR_STOP=1", "-qAt", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.as_mut().unwrap();
        writeln!(input, "BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT 'held';").unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "held");
        Lock(child)
    }

    fn release(mut self) {
        // The end of its input ends the session, and with it the transaction.
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

fn waiting(stage: &Stage) -> usize {
    let count = "SELECT COUNT(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN \
                 (SELECT pid FROM pg_stat_activity WHERE datname = current_database())";
    raw_sql(stage, count).unwrap().trim().parse().unwrap()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LIMIT, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(process: &Running, name: &str) {
    let told = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", name, &process.pid().to_string()]).status();
    assert!(told.unwrap().success());
}

#[test]
fn a_domain_that_is_assigned_away_during_a_release_is_named_to_nobody_else() {
    let rows = [("a.example", "t-a"), ("moved.example", "t-a"), ("b.example", "t-b")];
    let stage = stage(Backend::Postgres, Clock::Real, &rows, &["a.example", "x.moved.example", "b.example"]);
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    // The release has looked whether what was approved is still true, and is about to write its wave.
    let lock = Lock::hold(&stage, "waves");
    let mut release = stage.run.as_actor("lead").spawn(&["wave", "release", SLUG, "everybody", "--all"]);
    until("a release that waits", || waiting(&stage) == 1);
    let mut assign =
        stage.run.spawn(&["mapping", "assign", SLUG, "moved.example", "t-b", "--why", "sold between two looks"]);
    until("an assignment that is done or waits", || assign.ended().is_some() || waiting(&stage) == 2);
    lock.release();
    let ends = (release.wait(), assign.wait());
    assert!([0, 1, 4].contains(&ends.0) && ends.1 == 0, "{ends:?}: {} {}", release.said(), assign.said());
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    for mail in recorder.messages() {
        let tells_t_a = mail.recipients == ["security@t-a.example"];
        assert!(!(tells_t_a && readable(&mail).contains("moved.example")), "{ends:?}: t-a was told of t-b's domain");
    }
    stage.status();
}

#[test]
fn an_import_that_was_overtaken_writes_nothing_when_it_wakes() {
    let rows = [("a.example", "t-a"), ("b.example", "t-b")];
    let stage = stage(Backend::Postgres, Clock::Real, &rows, &["a.example"]);
    let header = "domain,tenant_id,tenant_name,country,language\n";
    let file = |name: &str, domain: &str| {
        stage.file(name, &format!("{header}a.example,t-a,A,US,en\nb.example,t-b,B,US,en\n{domain},t-a,A,US,en\n"))
    };
    let (slow, fast) = (file("slow.csv", "slow.example"), file("fast.csv", "fast.example"));
    // The slow one has begun, and stops before it compares.
    let lock = Lock::hold(&stage, "tenants");
    let mut overtaken = stage.run.spawn(&["directory", "import", "--organisations", path(&slow)]);
    until("an import that waits", || waiting(&stage) == 1);
    signal(&overtaken, "STOP");
    lock.release();
    stage.run.ok(&["directory", "import", "--organisations", path(&fast)]);
    signal(&overtaken, "CONT");
    assert_ne!(overtaken.wait(), 0, "{}", overtaken.said());
    let exported = stage.folder.path().join("exported.csv");
    stage.run.ok(&["directory", "export", "--organisations", path(&exported)]);
    let said = std::fs::read_to_string(exported).unwrap();
    assert!(said.contains("fast.example") && !said.contains("slow.example"), "{said}");
    stage.run.ok(&["notice", "draft", SLUG]);
}

#[test]
fn a_contact_that_two_directories_drop_at_once_has_left() {
    let rows = [("a.example", "t-a"), ("b.example", "t-b")];
    let stage = stage(Backend::Postgres, Clock::Real, &rows, &["a.example"]);
    let people = |source: &str, who: &str| {
        let rows = format!("tenant_id,role,name,email,language\nt-a,security,Ann,{who}@a.example,en\n");
        path(&stage.file(&format!("{source}-{who}.csv"), &rows)).to_owned()
    };
    let import = |source: &str, who: &str| {
        let file = people(source, who);
        let args = ["directory", "import", "--contacts", &file, "--source", source, "--accept-shrink"];
        stage.run.spawn(&args)
    };
    for source in ["one", "two"] {
        assert_eq!(import(source, "ann").wait(), 0);
    }
    // Both are about to compare, and to drop her.
    let lock = Lock::hold(&stage, "contacts");
    let mut imports = ["one", "two"].map(|source| import(source, source));
    until("two imports that wait", || waiting(&stage) == 2);
    lock.release();
    for running in &mut imports {
        assert_eq!(running.wait(), 0, "{}", running.said());
    }
    let listed = stage.run.csv(&["contact", "list", "t-a"]);
    let ann = listed.iter().find(|row| row["email"] == "ann@a.example").unwrap();
    assert_eq!(ann["state"], "left", "{listed:?}");
}
