//! Looks at the sending domain of large waves that were released where their mail stayed on the host.
//!
//! Claims nothing: mail of such a wave waits in the rows until it was looked at, and nobody else's does. Invariant: a
//! wave that waits because DNS was silent is looked at again until DNS answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mail::route::Route;

use super::Post;

/// How often somebody looks whether a wave waits to be looked at; it costs one small question to the database.
const LOOK: Duration = Duration::from_millis(500);
/// How long a silent name server is left alone.
const SILENT: Duration = Duration::from_secs(20);

/// Looks until the sender is over.
pub(super) async fn watch(post: Arc<Post>) {
    let app = &post.desk.app;
    let routes: Vec<Route> = post.lanes.all().iter().map(|lane| lane.route.clone()).collect();
    let mut silent_at: Option<Instant> = None;
    loop {
        let looked = async {
            let looked = app::waves::look_again(app, &routes).await?;
            if silent_at.is_none_or(|at| at.elapsed() >= SILENT) {
                app::waves::look_at_silent(app, &routes).await?;
                silent_at = Some(Instant::now());
            }
            Ok::<usize, app::AppError>(looked)
        };
        let looked = tokio::select! {
            () = post.over.cancelled() => return,
            looked = looked => looked,
        };
        match looked {
            Ok(0) => {}
            Ok(_) => post.desk.mail_is_due.notify_one(),
            Err(error) => tracing::warn!(%error, "the sending domain of waves cannot be looked at"),
        }
        tokio::select! {
            () = post.over.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
