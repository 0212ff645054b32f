//! `serve`, `worker` and `work`: what runs by itself.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use app::App;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use workers::Receivers;

use super::{DONE, open, route, say};
use crate::cli::Everywhere;
use crate::output;

pub(super) async fn serve(e: &Everywhere, listen: SocketAddr, no_workers: bool) -> Result<u8> {
    let app = open(e).await?.signing()?;
    let listener = web::bind(listen).await?;
    println!("http://{}/", listener.local_addr()?);
    let stop = stop_on_signal();
    if no_workers {
        say(e, "serving the page without workers; Ctrl-C ends");
        watched(app.clone(), &stop, async { Ok(web::serve(app, listener, stop.clone()).await?) }).await?;
        return Ok(DONE);
    }
    let route = route_or_talk(e)?;
    let receivers = receivers(e, &app).await?;
    say(e, "serving; Ctrl-C ends");
    watched(app.clone(), &stop, serve_with_workers(app, listener, route, receivers, stop.clone())).await?;
    Ok(DONE)
}

/// Runs to its end while systemd and whoever listens for the heartbeat hear of it.
async fn watched(app: App, stop: &CancellationToken, running: impl Future<Output = Result<()>>) -> Result<()> {
    workers::systemd::ready();
    let beating = tokio::spawn(workers::beat(app, stop.clone()));
    let telling = {
        let stop = stop.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            workers::systemd::stopping();
        })
    };
    let ended = running.await;
    stop.cancel();
    let (beaten, told) = tokio::join!(beating, telling);
    ended.and(beaten.map_err(anyhow::Error::from)).and(told.map_err(anyhow::Error::from))
}

/// Page and workers until `stop`; the first that fails ends the other.
pub(crate) async fn serve_with_workers(
    app: App,
    listener: TcpListener,
    route: Option<mail::route::Routes>,
    receivers: Receivers,
    stop: CancellationToken,
) -> Result<()> {
    let page = tokio::spawn(web::serve(app.clone(), listener, stop.clone()));
    let running = tokio::spawn(workers::run(app, route, receivers, stop.clone()));
    let (page, running) = tokio::join!(ending(page, &stop), ending(running, &stop));
    page??;
    running??;
    Ok(())
}

async fn ending<T>(task: tokio::task::JoinHandle<T>, stop: &CancellationToken) -> Result<T, tokio::task::JoinError> {
    let ended = task.await;
    stop.cancel();
    ended
}

pub(super) async fn worker(e: &Everywhere) -> Result<u8> {
    let app = open(e).await?.signing()?;
    let route = route_or_talk(e)?;
    let receivers = receivers(e, &app).await?;
    say(e, "working; Ctrl-C ends");
    let stop = stop_on_signal();
    watched(app.clone(), &stop, async { Ok(workers::run(app, route, receivers, stop.clone()).await?) }).await?;
    Ok(DONE)
}

pub(super) async fn work(e: &Everywhere, timeout: Option<u64>) -> Result<u8> {
    let app = open(e).await?.signing()?;
    let done = workers::work_until_idle(app, route(e)?, timeout.map(Duration::from_secs)).await?;
    output::document(e, &done)?;
    Ok(DONE)
}

async fn receivers(e: &Everywhere, app: &App) -> Result<Receivers> {
    let receivers = Receivers::bind(app).await?;
    for place in receivers.places() {
        say(e, format!("taking mail by {place}"));
    }
    Ok(receivers)
}

fn route_or_talk(e: &Everywhere) -> Result<Option<mail::route::Routes>> {
    let route = route(e)?;
    if route.is_none() {
        say(e, "no mail leaves from here: neither --smtp nor FORTHRIGHT_SMTP_URL is set");
    }
    Ok(route)
}

/// A token that Ctrl-C or SIGTERM cancels.
pub(crate) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let mut term = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(term) => term,
            Err(error) => return tracing::warn!(%error, "cannot listen for SIGTERM"),
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = term.recv() => {}
        }
        token.cancel();
    });
    stop
}
