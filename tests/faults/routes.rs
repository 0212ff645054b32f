//! Several ways out, and encryption that is required.

use std::time::Duration;

use testkit::process::Backend;
use testkit::smtp::{Behaviour, Phase, Recorder};

use crate::setup::{SLUG, Stage};
use crate::tickets::raw_sql;

#[test]
fn the_mail_of_a_dead_route_goes_by_the_next_one_and_each_attempt_says_which() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(30);
        stage.release();
        let mut first = Recorder::start().unwrap();
        let second = Recorder::start().unwrap();
        // It dies in the middle of the wave: slow enough that some mail is under way.
        first.otherwise(Behaviour::Stall(Phase::Rcpt, Duration::from_millis(30)));
        let urls = format!("{} {}", first.url(), second.url());
        let mut worker = stage.run.sending_to(&urls).spawn(&["worker"]);
        assert!(first.wait_for(3, Duration::from_secs(60)), "{}", worker.said());
        first.stop();
        assert!(second.wait_for(1, Duration::from_secs(60)), "{}", worker.said());
        assert_eq!(worker.terminate(), 0);
        stage.run.sending_to(&urls).with("FORTHRIGHT_SENDING_RETRY_SECONDS", "1").ok(&["work", "--until-idle"]);
        let by = |recorder: &Recorder| route_count(&stage, &recorder.url());
        let (by_first, by_second) = (by(&first), by(&second));
        assert!(by_first >= 3 && by_second >= 1, "{by_first} and {by_second}");
        assert_eq!(second.count() as i64, by_second);
    }
}

/// Accepted tries by a route, as the ledger has them.
fn route_count(stage: &Stage, url: &str) -> i64 {
    let query = format!("SELECT COUNT(*) FROM attempts WHERE outcome = 'accepted' AND route = '{url}'");
    raw_sql(stage, &query).unwrap().trim().parse().unwrap()
}

#[test]
fn where_encryption_is_required_nothing_leaves_without_it() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(5);
    stage.release();
    // A server that could encrypt, with the offer taken out on the way.
    let stripped = Recorder::start().unwrap();
    let url = format!("{}?starttls=required", stripped.url());
    let output = stage.run.sending_to(&url).run(&["work", "--until-idle", "--timeout", "60"]);
    assert_eq!(output.status, 75, "{}", output.stderr);
    assert!(output.stderr.contains("does not offer STARTTLS"), "{}", output.stderr);
    assert_eq!(stripped.count(), 0);
    assert_eq!(stage.run.json(&["delivery", "status", SLUG])["deliveries"]["queued"], 5);
}
