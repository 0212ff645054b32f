//! When a wave ends, and who is told too late.

use serde_json::Value;
use testkit::process::Backend;

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
