//! What every request must be, and what every answer carries.
//!
//! Knows no pages. Invariant: a request that could change something, or that names another host than this one (a page
//! elsewhere that made its own name point here), reaches no handler.

use axum::extract::Request;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Refuses what is no plain look at this host, and adds the headers.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.method(), request.uri(), request.headers()) {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    OtherHost,
    OtherMethod,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::OtherHost => {
                (StatusCode::MISDIRECTED_REQUEST, "this server answers to localhost, 127.0.0.1 and [::1] only\n")
                    .into_response()
            }
            Self::OtherMethod => {
                let text = "nothing is changed here: use the command line\n";
                (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")], text).into_response()
            }
        }
    }
}

fn refusal(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Refusal> {
    let mut named = headers
        .get_all(HOST)
        .iter()
        .map(|host| host.to_str().unwrap_or_default())
        .chain(uri.authority().map(|it| it.as_str()))
        .peekable();
    if named.peek().is_none() || !named.all(is_this_host) {
        return Some(Refusal::OtherHost);
    }
    let looks = method == Method::GET || method == Method::HEAD;
    (!looks).then_some(Refusal::OtherMethod)
}

/// Whether a Host header, with or without a port, names this host.
fn is_this_host(host: &str) -> bool {
    let Some(name) = without_port(host) else { return false };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let name = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(name);
    name.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The name of `name`, `name:port`, `[address]` or `[address]:port`; `None` for anything else.
fn without_port(host: &str) -> Option<&str> {
    let end = match host.find(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let fits = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, ours: bool) {
        assert_eq!(is_this_host(host), ours, "{host}");
    }

    #[test]
    fn names_of_this_host_are_answered() {
        for host in ["localhost", "LocalHost:8080", "127.0.0.1:80", "127.9.9.9", "[::1]", "[::1]:8080"] {
            check(host, true);
        }
    }

    #[test]
    fn names_that_only_point_here_are_not_answered() {
        for host in [
            "evil.example",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example",
            "192.0.2.1",
            "",
            "localhost:80@evil.example",
            "[::1]evil",
        ] {
            check(host, false);
        }
    }

    fn refused(method: Method, uri: &str, hosts: &[&str]) -> Option<Refusal> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        refusal(&method, &uri.parse().unwrap(), &headers)
    }

    #[test]
    fn a_request_without_a_host_or_with_two_is_judged_by_all_it_names() {
        assert_eq!(refused(Method::GET, "/", &[]), Some(Refusal::OtherHost));
        assert_eq!(refused(Method::GET, "/", &["localhost", "evil.example"]), Some(Refusal::OtherHost));
        assert_eq!(refused(Method::GET, "http://evil.example/", &["localhost"]), Some(Refusal::OtherHost));
        assert_eq!(refused(Method::GET, "/", &["localhost"]), None);
    }

    #[test]
    fn whatever_could_change_something_is_refused() {
        assert_eq!(refused(Method::POST, "/", &["localhost"]), Some(Refusal::OtherMethod));
        assert_eq!(refused(Method::DELETE, "/", &["localhost"]), Some(Refusal::OtherMethod));
        assert_eq!(refused(Method::HEAD, "/", &["localhost"]), None);
    }
}
