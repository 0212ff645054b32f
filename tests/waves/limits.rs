//! Limits of waves: shared by hosts, by receiving system, by day.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

use testkit::dns::Zone;
use testkit::process::Backend;
use testkit::smtp::Recorder;

use super::{approved, column};
use crate::setup::{SLUG, Stage};
use crate::tickets::raw_sql;

fn released(backend: Backend, notices: usize, limits: &[&str]) -> Stage {
    let stage = approved(backend, notices);
    stage.run.as_actor("lead").ok(&[&["wave", "release", SLUG, "paced", "--all"], limits].concat());
    stage
}

/// When mails arrived, in microseconds.
fn arrivals(recorder: &Recorder) -> Vec<u64> {
    let mut times: Vec<u64> = recorder.messages().iter().map(|message| message.at).collect();
    times.sort_unstable();
    times
}

/// The most that arrived within any one second.
fn most_in_a_second(times: &[u64]) -> usize {
    times.iter().map(|begin| times.iter().filter(|at| (*begin..begin + 1_000_000).contains(at)).count()).max().unwrap()
}

#[test]
fn two_workers_on_one_postgresql_keep_the_pace_together() {
    const NOTICES: usize = 70;
    let stage = released(Backend::Postgres, NOTICES, &["--pace", "20/s"]);
    let recorder = Recorder::start().unwrap();
    let run = stage.run.sending_to(&recorder.url());
    let mut workers = [run.spawn(&["worker"]), run.spawn(&["worker"])];
    assert!(recorder.wait_for(NOTICES, Duration::from_secs(90)), "{}", recorder.count());
    for worker in &mut workers {
        assert_eq!(worker.terminate(), 0, "{}", worker.said());
    }
    let times = arrivals(&recorder);
    // A quarter more is what several hosts may be off by; each for itself would be twice as much.
    assert!(most_in_a_second(&times) <= 25, "{}", most_in_a_second(&times));
    assert_eq!(column(&stage, "paced", "accepted"), NOTICES.to_string());
}

#[test]
fn domains_whose_mail_one_provider_takes_share_its_limit_and_hold_up_nobody_else() {
    const SHARED: usize = 16;
    for backend in Backend::each() {
        let stage = released(backend, SHARED * 2, &["--pace-per-system", "4/s"]);
        let zone = Zone::start().unwrap();
        for n in 0..SHARED * 2 {
            let own = format!("mx.org{n:05}.example");
            let exchange = if n < SHARED { "mx.provider.test" } else { own.as_str() };
            zone.mx(&format!("org{n:05}.example"), 10, exchange);
        }
        let recorder = Recorder::start().unwrap();
        let run = stage.run.sending_to(&recorder.url()).with("FORTHRIGHT_RECEIVE_RESOLVER", zone.address().to_string());
        run.ok(&["work", "--until-idle", "--timeout", "120"]);
        let messages = recorder.messages();
        assert_eq!(messages.len(), SHARED * 2);
        let is_shared = |to: &str| (0..SHARED).any(|n| to == format!("security@org{n:05}.example"));
        let (shared, others): (Vec<_>, Vec<_>) = messages.iter().partition(|message| is_shared(&message.recipients[0]));
        let mut times: Vec<u64> = shared.iter().map(|message| message.at).collect();
        times.sort_unstable();
        assert!(most_in_a_second(&times) <= 4, "{times:?}");
        let last_of_others = others.iter().map(|message| message.at).max().unwrap();
        assert!(last_of_others < times[SHARED - 1], "the others waited for the provider");
    }
}

#[test]
fn a_day_has_so_many_mails_and_the_rest_waits() {
    for backend in Backend::each() {
        let stage = released(backend, 9, &["--per-day", "4"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        stage.work(&recorder);
        // Unless midnight (UTC) came in between.
        assert!([4, 8].contains(&recorder.count()), "{}", recorder.count());
        assert_eq!(stage.status()["in_progress"], 9 - recorder.count());
        assert_eq!(column(&stage, "paced", "per_day"), "4");
    }
}

#[test]
fn senders_that_die_with_their_starts_use_up_nothing_of_the_day() {
    for backend in Backend::each() {
        let stage = released(backend, 9, &["--per-day", "4"]);
        let recorder = Recorder::start().unwrap();
        let run = stage.run.sending_to(&recorder.url()).with("FORTHRIGHT_SENDING_LEASE_SECONDS", "2");
        for _ in 0..4 {
            let dying = run.with("FORTHRIGHT_CRASH_AT", "starts.after");
            let ended = dying.run(&["work", "--until-idle", "--timeout", "60"]);
            assert!(ended.status != 0, "{}", ended.stderr);
        }
        assert_eq!(recorder.count(), 0);
        run.ok(&["work", "--until-idle", "--timeout", "60"]);
        // Unless midnight (UTC) came in between.
        assert!([4, 8].contains(&recorder.count()), "{backend:?}: {}", recorder.count());
        let used = raw_sql(&stage, "SELECT day_count FROM starts WHERE system = ''").unwrap();
        assert_eq!(used.trim(), "4", "{backend:?}");
    }
}

/// A server that greets, and has no time for any mail.
fn busy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.write_all(b"220 busy.example\r\n");
                let Ok(copy) = stream.try_clone() else { return };
                for line in BufReader::new(copy).lines().map_while(Result::ok) {
                    let is_hello = line.to_ascii_uppercase().starts_with("EHLO");
                    let reply: &[u8] =
                        if is_hello { b"250 busy.example\r\n" } else { b"421 4.3.2 come again later\r\n" };
                    if stream.write_all(reply).is_err() || !is_hello {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn tries_that_were_never_begun_use_up_nothing_of_the_day() {
    const MAILS: usize = 12;
    for backend in Backend::each() {
        let stage = released(backend, MAILS, &["--per-day", "12", "--pace", "20/s"]);
        let run = stage.run.sending_to(&busy());
        assert_eq!(run.run(&["work", "--until-idle", "--timeout", "4"]).status, 75);
        let used = raw_sql(&stage, "SELECT day_count FROM starts WHERE system = ''").unwrap();
        assert_eq!(used.trim(), "0", "{backend:?}");
        // Nor does a relay that is gone for a while keep a limited wave from going on: each connection holds a mail whose
        // start is past by then, and leaves finding out whether the relay is back to the next.
        let mut recorder = Recorder::start().unwrap();
        let run = stage.run.sending_to(&recorder.url());
        recorder.stop();
        let mut worker = run.spawn(&["worker"]);
        assert!(worker.wait_for("no mail leaves for now", Duration::from_secs(30)).is_some(), "{}", worker.said());
        recorder.restart().unwrap();
        assert!(recorder.wait_for(MAILS, Duration::from_secs(60)), "{}", worker.said());
        assert_eq!(worker.terminate(), 0, "{}", worker.said());
    }
}
