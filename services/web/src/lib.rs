//! HTTP: one page for staff per incident, the page that checks notice codes, and what monitors ask.
//!
//! Changes nothing and knows no login, so it answers on loopback only. Invariant: every request is a GET or HEAD for a
//! loopback name, and every answer carries the same strict headers.

mod engine;
mod guard;
mod limits;
mod pages;
mod server;
mod verify;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;

use app::App;
use axum::middleware::from_fn;
use axum::routing::get;
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use limits::Limits;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Everybody on the network could read the page.
    #[error(
        "cannot listen on {0}: there is no login yet, so only this host may see the page; listen on 127.0.0.1, and \
         reach it from elsewhere through a tunnel (ssh -L)"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}; choose another port with --listen, or 0 for any that is free")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl WebError {
    fn listen(address: SocketAddr) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Listen { address, source }
    }
}

/// Takes a loopback address; port 0 takes any that is free. The listener knows which one it got.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, WebError> {
    only_loopback(address)?;
    TcpListener::bind(address).await.map_err(WebError::listen(address))
}

/// Serves until `stop` is cancelled; then lets requests that are being answered end, for a few seconds.
pub async fn serve(app: App, listener: TcpListener, stop: CancellationToken) -> Result<(), WebError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    only_loopback(listener.local_addr().map_err(WebError::listen(unknown))?)?;
    server::run(listener, router(app), stop).await;
    Ok(())
}

fn only_loopback(address: SocketAddr) -> Result<(), WebError> {
    if address.ip().to_canonical().is_loopback() { Ok(()) } else { Err(WebError::NotLoopback(address)) }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/", get(pages::start))
        .route("/incidents/{slug}", get(pages::incident))
        .route("/tickets/{ticket}", get(pages::ticket))
        .route("/incidents/{slug}/organisations/{tenant}", get(pages::organisation))
        .route("/healthz", get(pages::healthz))
        .route("/readyz", get(pages::readyz))
        .route("/readyz/engine", get(engine::readyz))
        .route("/style.css", get(pages::style))
        .route("/.well-known/jwks.json", get(verify::keys))
        .route("/schema/notice-1.json", get(verify::schema))
        .route("/verify", get(verify::page))
        .route("/verify/style.css", get(pages::style))
        .fallback(pages::nothing_here)
        .layer(Extension(Arc::new(Limits::new())))
        .layer(Extension(Arc::new(engine::Last::default())))
        .layer(from_fn(guard::guard))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, fits: bool) {
        let address: SocketAddr = address.parse().unwrap();
        assert_eq!(only_loopback(address).is_ok(), fits, "{address}");
    }

    #[test]
    fn only_loopback_addresses_are_listened_on() {
        check("127.0.0.1:8080", true);
        check("[::1]:0", true);
        check("[::ffff:127.0.0.1]:80", true);
        check("0.0.0.0:8080", false);
        check("[::]:8080", false);
        check("192.0.2.7:80", false);
    }

    #[tokio::test]
    async fn a_refused_address_says_what_to_do() {
        let error = bind(SocketAddr::from(([0, 0, 0, 0], 0))).await.unwrap_err();
        assert!(error.to_string().contains("listen on 127.0.0.1"), "{error}");
    }
}
