//! The caller: a task for each webhook that has calls due, so that a receiver that is slow holds up nobody else's.
//!
//! Decides nothing and speaks no HTTP (`app::webhooks` does). Invariant: what is due is asked of the rows, without a lower
//! bound of time; a call that this process loses is made by whoever looks next.

use std::sync::Arc;
use std::time::Duration;

use app::AppError;
use tokio::task::JoinSet;

use crate::desk::Desk;

/// How often the rows are asked.
const LOOK: Duration = Duration::from_millis(500);

/// How long calls may go on after the desk's end; the lease of one that is cut off runs out.
const GRACE: Duration = Duration::from_secs(8);

/// The step, in a sentence.
const STEP: &str = "calling webhooks";

/// Makes calls until the desk's end. What is cut off then is made again by whoever looks next.
pub(crate) async fn call(desk: Arc<Desk>) {
    if desk.app.settings.webhooks.is_empty() {
        return;
    }
    let mut running = JoinSet::new();
    while !desk.stop.is_cancelled() {
        match look(&desk, &mut running).await {
            Ok(()) => drop(desk.went_well(STEP)),
            Err(error) => failed(&desk, &error),
        }
        while running.try_join_next().is_some() {}
        tokio::select! {
            () = desk.stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    let all_ended = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        running.shutdown().await;
    }
}

async fn look(desk: &Arc<Desk>, running: &mut JoinSet<()>) -> Result<(), AppError> {
    app::webhooks::reclaim(&desk.app).await?;
    while app::webhooks::tell_ended(&desk.app).await? > 0 {}
    for webhook in app::webhooks::due(&desk.app).await? {
        // One task for each of them: its place among the names of the configuration tells them apart.
        let place = desk.app.settings.webhooks.keys().position(|name| *name == webhook);
        let Some(turn) = place.and_then(|place| desk.turn(STEP, i64::try_from(place).ok()?)) else { continue };
        let desk = Arc::clone(desk);
        running.spawn(async move {
            let _turn = turn;
            if let Err(error) = drain(&desk, &webhook).await {
                failed(&desk, &error);
            }
        });
    }
    Ok(())
}

async fn drain(desk: &Desk, webhook: &str) -> Result<(), AppError> {
    loop {
        let made = app::webhooks::carry(&desk.app, webhook).await?;
        desk.count(|done| done.calls += made as u64);
        if made == 0 || desk.stop.is_cancelled() {
            return Ok(());
        }
    }
}

fn failed(desk: &Desk, error: &AppError) {
    if desk.failed(STEP, error.to_string(), error.hint().map(str::to_owned)) {
        tracing::warn!(step = STEP, %error, "a step failed and is tried again");
    }
}
