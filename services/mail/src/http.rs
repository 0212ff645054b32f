//! Calls by HTTP to addresses that the configuration names, without becoming a way into our own network.
//!
//! Follows no redirect, knows no proxy, keeps no cookie and no connection, and does not retry. Invariant: the connection
//! goes to an address that was checked after the one resolution of its name; http is spoken to loopback alone, and only
//! where that was allowed; no text from here holds the path or query of an address, for they may be secrets.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::route::Pin;
use crate::smtp::tls::{Certificate, handshake};

#[cfg(test)]
mod tests;

/// Bytes of an answer that are kept.
pub const KEPT: usize = 1_000;
/// Most headers and bytes of headers that an answer may have.
const MOST_HEADERS: usize = 100;
const HEADER_BYTES: usize = 32 * 1024;
/// The wait for a connection, TLS and all.
const CONNECT: Duration = Duration::from_secs(10);
/// The wait for the first [`KEPT`] bytes of an answer whose status is known: they are for people.
const BODY: Duration = Duration::from_secs(2);
/// Most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 16;
/// Longest answer that is waited for, as `Retry-After` says it, in seconds: beyond a day nobody means it.
const LONGEST_WAIT: u64 = 24 * 3600;

/// Whether http will do in place of https.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// Never.
    #[default]
    Refused,
    /// To this host itself.
    ToLoopback,
}

/// Where calls may go.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Networks beside the public internet.
    pub networks: Vec<IpNet>,
    /// Whether http will do.
    pub plain: PlainHttp,
    /// The only certificate that is taken; none = one that is valid for the host.
    pub pin: Option<Pin>,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    /// An https address.
    pub url: String,
    /// What is sent; none = GET.
    pub body: Option<Vec<u8>>,
    /// Beside `host`, `user-agent` and the length.
    pub headers: Vec<(&'static str, String)>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The first [`KEPT`] bytes of the body as text.
    pub text: String,
    /// When to come back, where the other side says so.
    pub wait: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// The address cannot be called, now or later.
    #[error("{0}")]
    Address(String),
    /// The name leads to where we do not go.
    #[error("{host} leads to {address}, an address that is {why}; if it is meant, name its network in allow_networks")]
    Inside {
        /// The host.
        host: String,
        /// Where it leads.
        address: IpAddr,
        /// What it is.
        why: &'static str,
    },
    /// Nobody answers, or not in HTTP.
    #[error("{host}: {why}")]
    Failed {
        /// The host.
        host: String,
        /// What happened.
        why: String,
    },
    /// It took too long.
    #[error("{host} has not answered within {} s", after.as_secs())]
    TimedOut {
        /// The host.
        host: String,
        /// The time there was.
        after: Duration,
    },
}

/// An address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    tls: Tls,
    host: String,
    port: u16,
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    Yes,
    No,
}

/// Whether an address could be called; the host, or what is wrong with it.
pub fn check(url: &str, plain: PlainHttp) -> Result<String, HttpFault> {
    place(url, plain).map(|place| place.host)
}

/// Makes the call, once, in at most `limit`.
pub async fn call(reach: &Reach, call: &Call, limit: Duration) -> Result<Reply, HttpFault> {
    let place = place(&call.url, reach.plain)?;
    let late = |_| HttpFault::TimedOut { host: place.host.clone(), after: limit };
    timeout(limit, made(reach, call, &place)).await.map_err(late)?
}

async fn made(reach: &Reach, call: &Call, place: &Place) -> Result<Reply, HttpFault> {
    let failed = |why: String| HttpFault::Failed { host: place.host.clone(), why };
    let late = |_| failed(format!("no connection within {} s", CONNECT.as_secs()));
    let tcp = timeout(CONNECT, connect(reach, place)).await.map_err(late)??;
    match place.tls {
        Tls::No => exchange(tcp, call, place).await,
        Tls::Yes => {
            let certificate = reach.pin.map_or(Certificate::Checked, |pin| Certificate::Pinned(vec![pin]));
            let shaken = timeout(CONNECT, handshake(tcp, bare(&place.host), &certificate)).await.map_err(late)?;
            let (stream, _) = shaken.map_err(|why| failed(format!("TLS: {why}")))?;
            exchange(stream, call, place).await
        }
    }
}

/// Resolves once, checks every address, and connects to one of them. One refused address refuses the name: nobody has a
/// good reason to mix them.
async fn connect(reach: &Reach, place: &Place) -> Result<TcpStream, HttpFault> {
    let failed = |why: String| HttpFault::Failed { host: place.host.clone(), why };
    let found = lookup_host((bare(&place.host), place.port)).await;
    let found: Vec<SocketAddr> = found
        .map_err(|error| failed(format!("the name cannot be resolved: {error}")))?
        .take(MOST_ADDRESSES)
        .map(|address| SocketAddr::new(address.ip().to_canonical(), address.port()))
        .collect();
    for address in &found {
        admit(reach, place, address.ip())?;
    }
    let mut last = failed("the name has no address".to_owned());
    for address in found {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = failed(format!("cannot connect: {error}")),
        }
    }
    Err(last)
}

fn admit(reach: &Reach, place: &Place, address: IpAddr) -> Result<(), HttpFault> {
    let inside = |why| HttpFault::Inside { host: place.host.clone(), address, why };
    if place.tls == Tls::No {
        let is_meant = reach.plain == PlainHttp::ToLoopback && address.is_loopback();
        return if is_meant { Ok(()) } else { Err(inside("not this host, and http is spoken to this host alone")) };
    }
    match model::network::refusal(&reach.networks, address) {
        Some(why) => Err(inside(why)),
        None => Ok(()),
    }
}

async fn exchange<S>(stream: S, call: &Call, place: &Place) -> Result<Reply, HttpFault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |why: String| HttpFault::Failed { host: place.host.clone(), why };
    let request = request(call, place).map_err(failed)?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_headers(MOST_HEADERS)
        .max_buf_size(HEADER_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(cause(&error)))?;
    // Ends with this function: the connection serves one call.
    let driving = tokio::spawn(connection);
    let _ends = Ends(driving.abort_handle());
    let response = sender.send_request(request).await.map_err(|error| failed(cause(&error)))?;
    let status = response.status().as_u16();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    let text = beginning(response.into_body()).await;
    Ok(Reply { status, text, wait: wait.map(|seconds| Duration::from_secs(seconds.min(LONGEST_WAIT))) })
}

/// The first bytes of a body. What comes after them, late or broken, changes nothing: the status has been said.
async fn beginning(mut body: hyper::body::Incoming) -> String {
    let mut kept: Vec<u8> = Vec::new();
    let reading = async {
        while kept.len() < KEPT {
            let Some(Ok(frame)) = body.frame().await else { break };
            if let Ok(data) = frame.into_data() {
                let room = KEPT - kept.len();
                kept.extend_from_slice(&data[..data.len().min(room)]);
            }
        }
    };
    // Elapsed or not, what has come is kept.
    let _ = timeout(BODY, reading).await;
    let text = String::from_utf8_lossy(&kept);
    model::printed::on_one_line(text.trim())
}

struct Ends(tokio::task::AbortHandle);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn request(call: &Call, place: &Place) -> Result<Request<Full<Bytes>>, String> {
    let default_port = if place.tls == Tls::Yes { 443 } else { 80 };
    let host = if place.port == default_port { place.host.clone() } else { format!("{}:{}", place.host, place.port) };
    let mut request = Request::new(Full::new(Bytes::from(call.body.clone().unwrap_or_default())));
    *request.method_mut() = if call.body.is_some() { Method::POST } else { Method::GET };
    *request.uri_mut() = place.path.parse().map_err(|_| "its path cannot be asked for".to_owned())?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&host).map_err(|_| "its name cannot be asked for".to_owned())?);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("forthright/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in &call.headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| format!("header {name} cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

fn place(url: &str, plain: PlainHttp) -> Result<Place, HttpFault> {
    let bad = |why: &str| HttpFault::Address(format!("the address {why}"));
    let uri: Uri = url.trim().parse().map_err(|_| bad("is no web address"))?;
    let authority = uri.authority().ok_or_else(|| bad("has no host; write it as in https://hooks.example/path"))?;
    if authority.as_str().contains('@') {
        return Err(bad("has a name or a password before its host"));
    }
    let tls = match uri.scheme_str() {
        Some("https") => Tls::Yes,
        Some("http") if plain == PlainHttp::ToLoopback => Tls::No,
        Some("http") => {
            return Err(bad(
                "begins with http: only https is called (http to this host with allow_http_loopback = true)",
            ));
        }
        _ => return Err(bad("is no https address")),
    };
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    if bare(&host).parse::<IpAddr>().is_err() && model::domain::DomainName::parse(&host).is_err() && host != "localhost"
    {
        return Err(bad("has a host that is no name and no IP address"));
    }
    let port = authority.port_u16().unwrap_or(if tls == Tls::Yes { 443 } else { 80 });
    let path = uri.path_and_query().map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned());
    Ok(Place { tls, host, port, path })
}

/// Without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// The last cause of an error, which says most.
fn cause(error: &hyper::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    model::printed::on_one_line(&last.to_string())
}
