//! The sending domain, looked at before many notices leave.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use testkit::dns::Zone;
use testkit::process::{Backend, Forthright, Output};
use testkit::smtp::{Behaviour, Phase, Recorder};

use super::{approved, column};
use crate::setup::{SLUG, Stage, path};

const RELAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const REMOTE: &str = "smtp://relay.vendor.example";

/// A sending domain that is in order, with a key of its own.
fn in_order(stage: &Stage) -> (Zone, Forthright) {
    let key = stage.folder.path().join("s1.pem");
    stage.run.ok(&["dkim", "generate", path(&key), "--selector", "s1"]);
    let config = stage.file("forthright.toml", &format!("[[dkim]]\nselector = \"s1\"\nfile = \"{}\"\n", path(&key)));
    let zone = Zone::start().unwrap();
    let run = stage
        .run
        .as_actor("lead")
        .with("FORTHRIGHT_CONFIG", config.as_os_str())
        .with("FORTHRIGHT_RECEIVE_RESOLVER", zone.address().to_string());
    zone.txt("vendor.example", "v=spf1 ip4:198.51.100.7 -all");
    for record in run.csv(&["dkim", "records"]) {
        zone.txt(&record["name"], &record["value"]);
    }
    zone.txt("_dmarc.vendor.example", "v=DMARC1; p=reject");
    zone.a("relay.vendor.example", RELAY);
    zone.ptr(RELAY, "relay.vendor.example");
    (zone, run)
}

fn release(run: &Forthright, wave: &str, more: &[&str]) -> Output {
    run.run(&[&["wave", "release", SLUG, wave], more].concat())
}

#[test]
fn many_notices_wait_for_a_sending_domain_in_order_unless_somebody_says_why_not() {
    for backend in Backend::each() {
        let stage = approved(backend, 101);
        let (zone, run) = in_order(&stage);
        let run = run.sending_to(REMOTE);
        zone.forget("_dmarc.vendor.example");
        zone.fail("s1._domainkey.vendor.example");
        let refused = release(&run, "everybody", &["--all"]);
        assert_eq!(refused.status, 4, "{}\n{}", refused.stdout, refused.stderr);
        for words in ["dmarc (bad)", "dkim (not-checked)", "could not be checked", "publish a TXT record", "--override"]
        {
            assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
        }
        assert!(!refused.stderr.contains("spf"), "{}", refused.stderr);
        // A hundred are few enough, and one more is not.
        assert_eq!(release(&run, "hundred", &["--pilot", "100"]).status, 0);
        assert_eq!(release(&run, "rest", &["--all"]).status, 4);
        let why = "DNS moves tonight, and the deadline is earlier";
        let forced = release(&run, "rest", &["--all", "--override", why]);
        assert_eq!(forced.status, 0, "{}", forced.stderr);
        let audit = stage.folder.path().join("audit.jsonl");
        stage.run.ok(&["audit", "export", SLUG, path(&audit)]);
        let entries = std::fs::read_to_string(&audit).unwrap();
        let entry = entries.lines().find(|line| line.contains(why)).expect("the reason is in the record");
        assert!(entry.contains("\"lead\"") && entry.contains("_dmarc.vendor.example"), "{entry}");
    }
}

#[test]
fn a_sending_domain_in_order_holds_nothing_up_and_doctor_shows_the_same() {
    let stage = approved(Backend::Sqlite, 101);
    let (zone, run) = in_order(&stage);
    let run = run.sending_to(REMOTE);
    let results = || {
        let output = run.run(&["doctor", "--csv"]);
        let mut reader = csv::Reader::from_reader(output.stdout.as_bytes());
        let rows: Vec<(String, String, String, String)> = reader.deserialize().map(Result::unwrap).collect();
        let of = |check: &str| rows.iter().rev().find(|row| row.0 == check).unwrap().1.clone();
        ["spf", "dkim", "dmarc", "reverse-dns"].map(of)
    };
    assert_eq!(results(), ["good"; 4]);
    let released = release(&run, "everybody", &["--all", "--json"]);
    assert_eq!(released.status, 0, "{}", released.stderr);
    assert!(!released.stdout.contains("warnings"), "{}", released.stdout);
    zone.forget("vendor.example");
    zone.fail("_dmarc.vendor.example");
    // Nobody knows whether what is not answered is bad.
    assert_eq!(results(), ["bad", "good", "unknown", "good"]);
}

#[test]
fn mail_that_stays_on_this_host_is_warned_about_and_leaves() {
    let stage = approved(Backend::Sqlite, 101);
    let (zone, run) = in_order(&stage);
    zone.forget("vendor.example");
    let folder = format!("file:{}", stage.folder.path().join("out").display());
    let released = release(&run.sending_to(&folder), "everybody", &["--all"]);
    assert_eq!(released.status, 0, "{}", released.stderr);
    assert!(released.stderr.contains("warning: spf: vendor.example has no SPF record"), "{}", released.stderr);
}

#[test]
fn without_a_name_server_many_notices_wait_too() {
    let stage = approved(Backend::Sqlite, 101);
    let refused = release(&stage.run.as_actor("lead").sending_to(REMOTE), "everybody", &["--all"]);
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("[receive] resolver"), "{}", refused.stderr);
}

#[test]
fn a_wave_released_where_no_route_is_known_is_looked_at_by_whoever_sends_it() {
    for backend in Backend::each() {
        let stage = approved(backend, 101);
        let lead = stage.run.as_actor("lead");
        assert_eq!(release(&lead, "everybody", &["--all"]).status, 0);
        // Nobody answers there, and nobody is asked: it is stopped before.
        stage.run.sending_to(REMOTE).ok(&["work", "--until-idle", "--timeout", "60"]);
        let stopped = column(&stage, "everybody", "stopped");
        assert!(stopped.contains("the sending domain is not in order"), "{stopped}");
        assert_eq!(stage.status()["deliveries"]["queued"], 101);
        // On this host it goes on once somebody says so, and from then on anywhere.
        lead.ok(&["wave", "resume", SLUG, "everybody", "--why", "the relay signs"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.count(), 101);
    }
}

#[test]
fn a_page_of_somebody_else_at_which_codes_are_checked_stops_a_wave_before_and_after_its_release() {
    let elsewhere = "https://verify.elsewhere.example/";
    let stage = unchecked(Backend::Sqlite);
    let (_zone, run) = in_order(&stage);
    let wrong = run.sending_to(REMOTE).with("FORTHRIGHT_SENDER_VERIFY_PAGE", elsewhere);
    wrong.ok(&["work", "--until-idle", "--timeout", "60"]);
    let stopped = column(&stage, "everybody", "stopped");
    assert!(stopped.contains("links (bad)") && stopped.contains(elsewhere.trim_end_matches('/')), "{stopped}");
    assert_eq!(stage.status()["deliveries"]["queued"], 101);

    let stage = approved(Backend::Sqlite, 101);
    let (_zone, run) = in_order(&stage);
    let wrong = run.sending_to(REMOTE).with("FORTHRIGHT_SENDER_VERIFY_PAGE", elsewhere);
    let refused = release(&wrong, "everybody", &["--all"]);
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("links (bad)") && refused.stderr.contains("verify_page"), "{}", refused.stderr);
    let own = run.sending_to(REMOTE).with("FORTHRIGHT_SENDER_VERIFY_PAGE", "https://verify.vendor.example/");
    assert_eq!(release(&own, "everybody", &["--all"]).status, 0);
}

#[test]
fn a_forecast_says_that_the_sending_domain_of_a_wave_was_not_in_order() {
    let stage = unchecked(Backend::Sqlite);
    let why = |run: &Forthright| run.json(&["wave", "forecast", SLUG])["waves"][0]["why"].as_str().unwrap().to_owned();
    assert!(why(&stage.run).contains("its sending domain was not in order"), "{}", why(&stage.run));
    let checked = approved(Backend::Sqlite, 3);
    assert_eq!(release(&checked.run.as_actor("lead"), "everybody", &["--all"]).status, 0);
    assert!(!why(&checked.run).contains("sending domain"), "{}", why(&checked.run));
}

/// 101 notices, released where nobody knew a route.
fn unchecked(backend: Backend) -> Stage {
    let stage = approved(backend, 101);
    assert_eq!(release(&stage.run.as_actor("lead"), "everybody", &["--all"]).status, 0);
    stage
}

#[test]
fn a_wave_that_waits_because_dns_was_silent_goes_on_when_it_answers_well() {
    for backend in Backend::each() {
        let stage = unchecked(backend);
        let (zone, run) = in_order(&stage);
        let run = run.sending_to(REMOTE);
        zone.fail("_dmarc.vendor.example");
        run.ok(&["work", "--until-idle", "--timeout", "60"]);
        let stopped = column(&stage, "everybody", "stopped");
        assert!(stopped.contains("DNS gave no answer") && stopped.contains("goes on by itself"), "{stopped}");
        zone.heal("_dmarc.vendor.example");
        let mut worker = run.spawn(&["worker"]);
        crate::reception::wait_until("the wave goes on", || column(&stage, "everybody", "stopped").is_empty());
        assert_eq!(worker.terminate(), 0, "{}", worker.said());
        assert_eq!(column(&stage, "everybody", "paused_at"), "");
    }
}

#[test]
fn what_a_person_paused_while_dns_was_silent_stays_paused() {
    let stage = unchecked(Backend::Sqlite);
    let (zone, run) = in_order(&stage);
    let run = run.sending_to(REMOTE);
    zone.fail("_dmarc.vendor.example");
    run.ok(&["work", "--until-idle", "--timeout", "60"]);
    run.ok(&["wave", "pause", SLUG, "everybody"]);
    zone.heal("_dmarc.vendor.example");
    run.ok(&["work", "--until-idle", "--timeout", "60"]);
    let stopped = column(&stage, "everybody", "stopped");
    assert!(!stopped.is_empty() && !stopped.contains("by itself"), "{stopped}");
}

#[test]
fn a_name_server_that_says_nothing_delays_no_other_wave() {
    let stage = approved(Backend::Sqlite, 103);
    let lead = stage.run.as_actor("lead");
    assert_eq!(release(&lead, "small", &["--pilot", "2"]).status, 0);
    assert_eq!(release(&lead, "everybody", &["--all", "--pace-per-system", "5/s"]).status, 0);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let recorder = Recorder::start().unwrap();
    // The same server by an address that is not known to be this host's.
    let remote = format!("smtp://0.0.0.0:{}", recorder.address().port());
    let resolver = silent.local_addr().unwrap().to_string();
    let run = stage.run.sending_to(&remote).with("FORTHRIGHT_RECEIVE_RESOLVER", resolver);
    let mut worker = run.spawn(&["worker"]);
    // Each question takes ten seconds to end, and several are asked.
    assert!(recorder.wait_for(2, Duration::from_secs(20)), "{}", worker.said());
    assert_eq!(recorder.count(), 2);
    worker.kill();
}

#[test]
fn who_lets_a_wave_go_on_after_other_trouble_has_not_seen_its_sending_domain() {
    for backend in Backend::each() {
        let stage = unchecked(backend);
        let recorder = Recorder::start().unwrap();
        recorder.otherwise(Behaviour::Permanent(Phase::Rcpt));
        stage.work(&recorder);
        let stopped = column(&stage, "everybody", "stopped");
        assert!(stopped.contains("refused for good"), "{stopped}");
        stage.run.as_actor("lead").ok(&["wave", "resume", SLUG, "everybody", "--why", "the relay was wrong"]);
        stage.run.sending_to(REMOTE).ok(&["work", "--until-idle", "--timeout", "60"]);
        let stopped = column(&stage, "everybody", "stopped");
        assert!(stopped.contains("the sending domain is not in order"), "{stopped}");
    }
}
