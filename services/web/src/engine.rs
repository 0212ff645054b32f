//! `/readyz/engine`: whether the engine of ladders does its work, for whoever alerts when it does not.
//!
//! Checks nothing itself (`app::watch` does). Invariant: however often it is asked, the rows are asked every few seconds at
//! most; what is said names rules and counts, and no organisation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::App;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

/// How long an answer is given again.
const AGAIN: Duration = Duration::from_secs(3);
/// How long the check may take.
const LIMIT: Duration = Duration::from_secs(20);

/// What was said last.
#[derive(Default)]
pub(crate) struct Last(Mutex<Option<(Instant, StatusCode, String)>>);

/// 200 where the check passes, 503 with the number of findings where it does not, or cannot be made.
pub(crate) async fn readyz(State(app): State<App>, Extension(last): Extension<Arc<Last>>) -> Response {
    // Held while the rows are asked: who comes meanwhile gets the same answer.
    let mut last = last.0.lock().await;
    if let Some((at, status, text)) = &*last
        && at.elapsed() < AGAIN
    {
        return (*status, text.clone()).into_response();
    }
    let (status, text) = match tokio::time::timeout(LIMIT, app::watch::check(&app)).await {
        Ok(Ok(report)) if report.passed => (StatusCode::OK, "ok\n".to_owned()),
        Ok(Ok(report)) => {
            let mut rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
            rules.dedup();
            let (count, rules) = (report.findings.len(), rules.join(", "));
            let text = format!("not ready: {count} findings ({rules}); run `forthright audit engine`\n");
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: the check cannot be made: {error}\n")),
        Err(_) => {
            let text = format!("not ready: the check has not ended within {} s\n", LIMIT.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
    };
    *last = Some((Instant::now(), status, text.clone()));
    (status, text).into_response()
}
