//! Fetches small public files from hosts that strangers choose, without becoming a way into our own network.
//!
//! Does not read what it fetches, keeps no cookie, sends no password and knows no proxy. Invariant: each connection
//! goes to an address that was checked after the one resolution of its name, and each redirect begins anew.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, Url};
use tokio::time::Instant;

use super::network::{Allow, PlainHttp};
use super::pace::Pace;
use super::resolve::{Checked, Resolve, SystemResolver, Unreachable};

mod error;

pub use error::{FetchError, Refusal};
use error::{cause, said};

/// Redirects that are followed.
pub const MOST_REDIRECTS: usize = 3;
/// Time for a file, from its first connection to its last byte, redirects and all; waiting for a turn apart.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Who asks.
const USER_AGENT: &str = concat!("forthright/", env!("CARGO_PKG_VERSION"));

/// Fetches files.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    allow: Allow,
    pace: Pace,
    deadline: Duration,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it was finally served from.
    pub url: String,
    /// The status; only 200 comes with a body.
    pub status: u16,
    /// The media type without its parameters, lower case; empty where the server names none.
    pub media_type: String,
    /// The bytes.
    pub body: Vec<u8>,
}

/// The settings of a [`Fetcher`]; the default reaches the public internet only.
#[derive(Clone)]
pub struct FetchOptions {
    /// Resolves names.
    pub resolver: Arc<dyn Resolve>,
    /// What may be reached besides.
    pub allow: Allow,
    /// How fast servers are asked; shared by all copies.
    pub pace: Pace,
    /// Time for a file. Too short gives slow sites up, too long lets one hold up the others.
    pub deadline: Duration,
}

impl Default for FetchOptions {
    fn default() -> Self {
        let resolver = Arc::new(SystemResolver);
        Self { resolver, allow: Allow::default(), pace: Pace::default(), deadline: DEADLINE }
    }
}

impl Fetcher {
    /// Sets up the client.
    pub fn new(options: FetchOptions) -> Result<Self, FetchError> {
        crate::tls::use_ring();
        let FetchOptions { resolver, allow, pace, deadline } = options;
        let client = Client::builder()
            .dns_resolver(Checked { resolver, allow: allow.clone() })
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            // A connection that is kept would serve a name that was checked long ago.
            .pool_max_idle_per_host(0)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(|error| FetchError::Client(cause(&error)))?;
        Ok(Self { client, allow, pace, deadline })
    }

    /// Fetches the file at `url`, at most `limit` bytes of it.
    pub async fn get(&self, url: &str, accept: &'static str, limit: usize) -> Result<Fetched, FetchError> {
        let mut url = Url::parse(url).map_err(|_| FetchError::NotAnAddress)?;
        let mut left = self.deadline;
        for _ in 0..=MOST_REDIRECTS {
            let host = self.check(&url)?;
            let turn = self.pace.turn(&host).await.map_err(|_| FetchError::Busy { url: said(&url) })?;
            let began = Instant::now();
            let late = |_| FetchError::Deadline { url: said(&url), after: self.deadline };
            let step = tokio::time::timeout(left, self.step(&url, accept, limit)).await.map_err(late)??;
            drop(turn);
            left = left.saturating_sub(began.elapsed());
            match step {
                Step::Done(fetched) => return Ok(fetched),
                Step::Elsewhere(next) => url = self.redirected(&url, &next)?,
            }
        }
        Err(FetchError::Redirects { url: said(&url) })
    }

    /// The host of an address that may be asked.
    fn check(&self, url: &Url) -> Result<String, FetchError> {
        let refused = |why| Err(FetchError::Refused { url: said(url), why });
        match url.scheme() {
            "https" => {}
            "http" if self.allow.plain_http == PlainHttp::Allowed => {}
            _ => return refused(Refusal::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused(Refusal::Password);
        }
        let Some(host) = url.domain() else { return refused(Refusal::IpAddress) };
        let port = url.port_or_known_default().unwrap_or_default();
        if port != 443 && !self.allow.ports.contains(&port) {
            return refused(Refusal::Port(port));
        }
        Ok(host.trim_end_matches('.').to_owned())
    }

    fn redirected(&self, from: &Url, location: &str) -> Result<Url, FetchError> {
        let bad = || FetchError::Location { url: said(from) };
        let mut next = from.join(location).map_err(|_| bad())?;
        next.set_fragment(None);
        if from.scheme() == "https" && next.scheme() != "https" {
            return Err(FetchError::Refused { url: said(&next), why: Refusal::NotHttps });
        }
        Ok(next)
    }

    async fn step(&self, url: &Url, accept: &'static str, limit: usize) -> Result<Step, FetchError> {
        let request = self.client.get(url.clone()).header(ACCEPT, accept).header(ACCEPT_ENCODING, "identity");
        let response = request.send().await.map_err(|error| failed(url, &error))?;
        let peer = response.remote_addr().map(|peer| peer.ip());
        if let Some((address, why)) = peer.and_then(|peer| Some((peer, self.allow.refusal(peer)?))) {
            return Err(FetchError::Refused { url: said(url), why: Refusal::Address(address, why) });
        }
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let status = response.status().as_u16();
        if matches!(status, 301 | 302 | 303 | 307 | 308) {
            let location = header(LOCATION).ok_or_else(|| FetchError::Location { url: said(url) })?;
            return Ok(Step::Elsewhere(location.to_owned()));
        }
        if header(CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Err(FetchError::Encoded { url: said(url) });
        }
        let media_type = header(CONTENT_TYPE).and_then(|kind| kind.split(';').next()).unwrap_or_default();
        let media_type = media_type.trim().to_ascii_lowercase();
        let body = if status == 200 { body(url, response, limit).await? } else { Vec::new() };
        Ok(Step::Done(Fetched { url: url.to_string(), status, media_type, body }))
    }
}

enum Step {
    Done(Fetched),
    Elsewhere(String),
}

async fn body(url: &Url, mut response: Response, limit: usize) -> Result<Vec<u8>, FetchError> {
    let too_large = || FetchError::TooLarge { url: said(url), limit };
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(url, &error))? {
        if chunk.len() > limit - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong inside of reqwest; our own refusal is somewhere among the causes.
fn failed(url: &Url, error: &reqwest::Error) -> FetchError {
    let mut inner: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = inner {
        match error.downcast_ref::<Unreachable>() {
            Some(Unreachable::Refused { address, why }) => {
                return FetchError::Refused { url: said(url), why: Refusal::Address(*address, why) };
            }
            Some(other) => return FetchError::Failed { url: said(url), reason: other.to_string() },
            None => inner = error.source(),
        }
    }
    FetchError::Failed { url: said(url), reason: cause(error) }
}

impl Refusal {
    /// The address that was refused, where it was one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address, _) => Some(*address),
            Self::NotHttps | Self::Password | Self::IpAddress | Self::Port(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, location: &str, expect: Result<&str, Refusal>) {
        let allow = Allow { plain_http: PlainHttp::Allowed, ..Allow::default() };
        let fetcher = Fetcher::new(FetchOptions { allow, ..FetchOptions::default() }).unwrap();
        let next =
            fetcher.redirected(&Url::parse(from).unwrap(), location).map(String::from).map_err(|error| match error {
                FetchError::Refused { why, .. } => why,
                other => panic!("{other}"),
            });
        assert_eq!(next.as_deref().map_err(|why| *why), expect);
    }

    #[test]
    fn a_redirect_never_leads_from_https_to_http_even_where_http_is_allowed() {
        check("https://acme.example/a", "http://acme.example/b", Err(Refusal::NotHttps));
        check("https://acme.example/a", "//www.acme.example/b#c", Ok("https://www.acme.example/b"));
        check("http://acme.example/a", "https://acme.example/b", Ok("https://acme.example/b"));
        check("http://acme.example/a", "b", Ok("http://acme.example/b"));
    }

    #[tokio::test]
    async fn addresses_are_refused_before_anything_is_resolved() {
        let fetcher = Fetcher::new(FetchOptions::default()).unwrap();
        for (url, expect) in [
            ("https://acme.example:8443/", Refusal::Port(8443)),
            ("https://[2606:2800:21f::1]/", Refusal::IpAddress),
            ("https://0177.0.0.1/", Refusal::IpAddress),
            ("https://127.0.0.1./", Refusal::IpAddress),
            ("https://user@acme.example/", Refusal::Password),
            ("ftp://acme.example/", Refusal::NotHttps),
        ] {
            let error = fetcher.get(url, "text/plain", 1).await.unwrap_err();
            assert!(matches!(error, FetchError::Refused { why, .. } if why == expect), "{url}: {error}");
        }
    }
}
