//! The heartbeat: after each check that passes, systemd's watchdog and an address of the configuration hear of it.
//!
//! Decides nothing (`app::watch` does). Invariant: who is to miss it hears nothing while the check does not pass, or cannot
//! be made.

use std::time::Duration;

use app::settings::Watchdog;
use app::watch::Report;
use app::{App, AppError};
use mail::http::Call;
use tokio_util::sync::CancellationToken;

use crate::systemd;

/// The first check: by then a worker that was just started has been through.
const FIRST: Duration = Duration::from_secs(10);
/// The wait for an answer to a ping.
const PING: Duration = Duration::from_secs(10);

/// Checks and tells until `stop`.
pub async fn beat(app: App, stop: CancellationToken) {
    let watchdog = systemd::watchdog();
    // A watchdog wants to hear twice within its time.
    let every = app.settings.watch.every().min(watchdog.map_or(Duration::MAX, |limit| limit / 2));
    let mut pause = FIRST.min(every);
    let mut last = String::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = every;
        let checked = app::watch::check(&app).await;
        let status = status(&checked);
        if status != last {
            match &checked {
                Ok(report) if report.passed => tracing::info!(status, "the engine was checked"),
                Ok(_) | Err(_) => {
                    tracing::error!(status, "the engine does not pass its check: run `forthright audit engine`")
                }
            }
        }
        systemd::tell(&format!("STATUS={status}"));
        last = status;
        if watchdog.is_some() && is_alive(&app, &checked) {
            systemd::tell("WATCHDOG=1");
        }
        let settings = &app.settings.watch;
        let url = match checked {
            Ok(report) if report.passed => &settings.ping_url,
            Ok(_) | Err(_) => &settings.ping_fail_url,
        };
        ping(&app, url).await;
    }
}

/// One line, the same while nothing changes.
fn status(checked: &Result<Report, AppError>) -> String {
    match checked {
        Ok(report) if report.passed => "the engine passes its check".to_owned(),
        Ok(report) => {
            let mut rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
            rules.dedup();
            format!("{} findings: {}", report.findings.len(), rules.join(", "))
        }
        Err(error) => format!("the check cannot be made: {error}"),
    }
}

fn is_alive(app: &App, checked: &Result<Report, AppError>) -> bool {
    match (app.settings.watch.watchdog, checked) {
        (Watchdog::Check, Ok(report)) => report.passed,
        (Watchdog::Tick, Ok(report)) => report.findings.iter().all(|finding| finding.rule != "tick-late"),
        (_, Err(_)) => false,
    }
}

async fn ping(app: &App, url: &str) {
    if url.is_empty() {
        return;
    }
    let call = Call { url: url.to_owned(), body: None, headers: Vec::new() };
    match mail::http::call(&app.settings.watch.reach(app.rehearsal), &call, PING).await {
        Ok(reply) if (200..300).contains(&reply.status) => {}
        Ok(reply) => tracing::warn!(status = reply.status, "the address of the heartbeat does not take it"),
        Err(error) => tracing::warn!(%error, "the address of the heartbeat cannot be asked for"),
    }
}
