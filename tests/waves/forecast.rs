//! When a wave ends, and who is told too late.

use std::net::Ipv4Addr;

use serde_json::Value;
use testkit::dns::Zone;
use testkit::process::Backend;
use testkit::smtp::{Behaviour, Phase, Recorder};

use crate::setup::{Clock, SLUG, Stage};

/// Of 40 notices, released with these limits 25 hours after the discovery.
fn forecast(backend: Backend, limits: &[&str]) -> (Stage, Value) {
    let stage = Stage::with_clock(backend, Clock::Moved);
    stage.small(40);
    let run = stage.run.with("FORTHRIGHT_NOW", "2022-09-25T09:00:00Z");
    run.ok(&["notice", "draft", SLUG]);
    run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    run.as_actor("lead").ok(&[&["wave", "release", SLUG, "everybody", "--all"], limits].concat());
    let forecast = run.json(&["wave", "forecast", SLUG]);
    (Stage { run, ..stage }, forecast)
}

/// Organisations that miss what is due two days after the discovery.
fn miss_two_days(forecast: &Value) -> Vec<i64> {
    let missed = forecast["missed"].as_array().unwrap().iter();
    let due = missed.filter(|missed| missed["due"].as_str().unwrap().starts_with("2022-09-26T08:00:00"));
    due.map(|missed| missed["organisations"].as_i64().unwrap()).collect()
}

#[test]
fn a_forecast_says_when_a_wave_ends_and_which_deadlines_are_missed() {
    for backend in Backend::each() {
        let (_stage, quick) = forecast(backend, &["--pace", "2/s"]);
        let wave = &quick["waves"][0];
        assert_eq!(
            (&wave["left"], &wave["per_second"], &wave["why"]),
            (&40.into(), &2.0.into(), &"at its pace".into())
        );
        // Forty at two a second, and the clock of a rehearsal begins anew with each command.
        let ends = quick["ends_at"].as_str().unwrap();
        assert!(("2022-09-25T09:00:15Z".."2022-09-25T09:02:00Z").contains(&ends), "{ends}");
        assert_eq!(miss_two_days(&quick), Vec::<i64>::new(), "{quick}");

        let (stage, slow) = forecast(backend, &["--per-day", "10"]);
        let missed = miss_two_days(&slow);
        // Those of the third day and the fourth, and of the second where it is just past midnight (UTC).
        assert!(!missed.is_empty() && missed.iter().all(|count| [20, 30].contains(count)), "{slow}");
        stage.run.as_actor("lead").ok(&["wave", "pause", SLUG, "everybody"]);
        let paused = stage.run.json(&["wave", "forecast", SLUG]);
        assert_eq!((&paused["ends_at"], &paused["waves"][0]["why"]), (&Value::Null, &"it is paused".into()));
        assert!(miss_two_days(&paused).contains(&40), "{paused}");
    }
}

#[test]
fn a_forecast_counts_receiving_systems_as_the_sender_does() {
    for backend in Backend::each() {
        let (stage, by_domain) = forecast(backend, &["--pace-per-system", "1/s"]);
        let zone = Zone::start().unwrap();
        zone.a("mx.provider.test", Ipv4Addr::LOCALHOST);
        for n in 0..40 {
            zone.mx(&format!("org{n:05}.example"), 10, "mx.provider.test");
        }
        let run = stage.run.with("FORTHRIGHT_RECEIVE_RESOLVER", zone.address().to_string());
        let by_provider = run.json(&["wave", "forecast", SLUG]);
        // One a second to each of forty, and to one of all.
        let ends = |forecast: &Value| forecast["ends_at"].as_str().unwrap().to_owned();
        assert!(ends(&by_domain).as_str() < "2022-09-25T09:00:30Z", "{by_domain}");
        assert!(ends(&by_provider).as_str() > "2022-09-25T09:00:38Z", "{by_provider}");
    }
}

#[test]
fn a_wave_of_which_nothing_is_heard_is_said_to_stand_still() {
    for backend in Backend::each() {
        let (stage, _) = forecast(backend, &["--pace", "2/s"]);
        let later = stage.run.with("FORTHRIGHT_NOW", "2022-09-25T09:10:00Z");
        let wave = &later.json(&["wave", "forecast", SLUG])["waves"][0];
        let why = wave["why"].as_str().unwrap();
        assert!(why.starts_with("not moving since 2022-09-25T09:00:"), "{why}");
        assert_eq!(wave["ends_at"], Value::Null);
    }
}

#[test]
fn an_organisation_to_whom_everything_came_back_misses_its_deadline_too() {
    for backend in Backend::each() {
        let stage = Stage::with_clock(backend, Clock::Moved);
        stage.small(3);
        let run = stage.run.with("FORTHRIGHT_NOW", "2022-09-25T09:00:00Z");
        run.ok(&["notice", "draft", SLUG]);
        run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        run.as_actor("lead").ok(&["wave", "release", SLUG, "everybody", "--all"]);
        let recorder = Recorder::start().unwrap();
        recorder.always("security@org00001.example", Behaviour::Permanent(Phase::Rcpt));
        run.sending_to(&recorder.url()).ok(&["work", "--until-idle", "--timeout", "60"]);
        let forecast = run.json(&["wave", "forecast", SLUG]);
        assert_eq!(miss_two_days(&forecast), [1], "{forecast}");
        assert_eq!(forecast["missed"][0]["tenants"], serde_json::json!(["t-00001"]));
    }
}
