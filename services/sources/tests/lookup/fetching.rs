//! Where the fetcher goes, where it does not, and what it makes of servers that misbehave.

use std::time::Instant;

use sources::lookup::FetchError;
use sources::lookup::fetch::{Fetched, Refusal};

use super::*;

const LIMIT: usize = 1_000;

async fn get(server: &Server, url: &str) -> Result<Fetched, FetchError> {
    fetcher(server).get(url, "text/plain", LIMIT).await
}

async fn from(reply: fn(u16, &str) -> Reply) -> Result<Fetched, FetchError> {
    let server = Server::start_with(reply).await;
    get(&server, &server.url("acme.example", "/a?token=secret")).await
}

fn refusal(outcome: Result<Fetched, FetchError>) -> Refusal {
    match outcome {
        Err(FetchError::Refused { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

fn check_inside(outcome: Result<Fetched, FetchError>, address: &str) {
    assert_eq!(refusal(outcome).address(), Some(address.parse().unwrap()));
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    let follow = |port: u16, path: &str| match path {
        "/a?token=secret" => Reply::redirect("/b"),
        "/b" => Reply::redirect(&format!("//www.acme.example:{port}/c")),
        "/c" => Reply::redirect("d#fragment"),
        _ => Reply::text(FILE),
    };
    let server = Server::start_with(follow).await;
    let fetched = get(&server, &server.url("acme.example", "/a?token=secret")).await.unwrap();
    assert_eq!(fetched.url, server.url("www.acme.example", "/d"));
    assert_eq!(fetched.body, FILE.as_bytes());
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let server = Server::start(|_| Reply::redirect("/a")).await;
    let error = get(&server, &server.url("acme.example", "/a")).await.unwrap_err();
    assert!(matches!(error, FetchError::Redirects { .. }), "{error}");
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_redirect_leads_nowhere_inside() {
    check_inside(from(|port, _| Reply::redirect(&format!("http://inside.example:{port}/"))).await, "10.0.0.1");
    let literal = |port: u16, _: &str| Reply::redirect(&format!("http://127.0.0.1:{port}/"));
    assert_eq!(refusal(from(literal).await), Refusal::IpAddress);
    for disguised in ["http://0x7f.1/", "http://2130706433/", "http://[::1]/", "http://[::ffff:7f00:1]/"] {
        let server = Server::start(move |_| Reply::redirect(disguised)).await;
        let outcome = get(&server, &server.url("acme.example", "/")).await;
        assert_eq!(refusal(outcome), Refusal::IpAddress, "{disguised}");
    }
}

#[tokio::test]
async fn a_redirect_keeps_to_allowed_schemes_and_ports() {
    assert_eq!(refusal(from(|_, _| Reply::redirect("http://acme.example:22/")).await), Refusal::Port(22));
    assert_eq!(refusal(from(|_, _| Reply::redirect("file:///etc/passwd")).await), Refusal::NotHttps);
    assert_eq!(refusal(from(|_, _| Reply::redirect("gopher://acme.example/")).await), Refusal::NotHttps);
    let password = |port: u16, _: &str| Reply::redirect(&format!("http://a:b@acme.example:{port}/"));
    assert_eq!(refusal(from(password).await), Refusal::Password);
    assert!(matches!(from(|_, _| Reply::status(302)).await, Err(FetchError::Location { .. })));
    assert!(matches!(from(|_, _| Reply::redirect("http://[/")).await, Err(FetchError::Location { .. })));
}

#[tokio::test]
async fn without_leave_only_https_on_port_443_of_the_public_internet_is_asked() {
    let server = Server::start(|_| Reply::text(FILE)).await;
    let options = FetchOptions { resolver: names(), ..FetchOptions::default() };
    let strict = Fetcher::new(options).unwrap();
    let get = async |url: &str| strict.get(url, "text/plain", LIMIT).await;
    assert_eq!(refusal(get(&server.url("acme.example", "/")).await), Refusal::NotHttps);
    let port = server.port();
    assert_eq!(refusal(get(&format!("https://acme.example:{port}/")).await), Refusal::Port(port));
    check_inside(get("https://acme.example/").await, "127.0.0.1");
    check_inside(get("https://inside.example/").await, "10.0.0.1");
    assert_eq!(refusal(get("https://127.0.0.1/").await), Refusal::IpAddress);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn https_never_falls_back_to_http() {
    let server = Server::start(|_| Reply::text(FILE)).await;
    let url = format!("https://acme.example:{}/", server.port());
    assert!(matches!(get(&server, &url).await, Err(FetchError::Failed { .. })));
    // One connection, which began with a TLS handshake record.
    assert_eq!(server.requests(), ["0x16"]);
}

#[tokio::test]
async fn one_inner_address_refuses_the_whole_name() {
    let server = Server::start(|_| Reply::text(FILE)).await;
    check_inside(get(&server, &server.url("mixed.example", "/")).await, "169.254.169.254");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_changes_its_mind_does_not_lead_inside() {
    // 127.0.0.1 stands for a public address, and 127.0.0.2, where somebody listens too, for an inner one.
    let server = Server::start(|path| if path == "/a" { Reply::redirect("/b") } else { Reply::text(FILE) }).await;
    let inner = tokio::net::TcpListener::bind(("127.0.0.2", server.port())).await.unwrap();
    let rebinding = || Names::of(&[("acme.example", &[&["127.0.0.1"], &["127.0.0.2"]])]);

    let one = Fetcher::new(FetchOptions { resolver: rebinding(), ..options(&server) }).unwrap();
    // One request resolves once: the first address is checked, and it is the one that is connected to.
    assert!(one.get(&server.url("acme.example", "/c"), "text/plain", LIMIT).await.is_ok());
    // The next one is checked anew, and so is each redirect.
    check_inside(one.get(&server.url("acme.example", "/c"), "text/plain", LIMIT).await, "127.0.0.2");
    let two = Fetcher::new(FetchOptions { resolver: rebinding(), ..options(&server) }).unwrap();
    check_inside(two.get(&server.url("acme.example", "/a"), "text/plain", LIMIT).await, "127.0.0.2");

    let reached = tokio::time::timeout(Duration::from_millis(50), inner.accept()).await;
    assert!(reached.is_err(), "the inner address was connected to");
}

#[tokio::test]
async fn a_body_over_the_limit_is_cut_off() {
    let announced = from(|_, _| Reply::text(&"x".repeat(LIMIT + 1))).await;
    assert!(matches!(announced, Err(FetchError::TooLarge { limit: LIMIT, .. })), "{announced:?}");
    let endless = |_: u16, _: &str| Reply::raw(&format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(50 * LIMIT)));
    assert!(matches!(from(endless).await, Err(FetchError::TooLarge { .. })));
    let chunked = |_: u16, _: &str| {
        let chunk = format!("190\r\n{}\r\n", "x".repeat(0x190));
        Reply::raw(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(3)))
    };
    assert!(matches!(from(chunked).await, Err(FetchError::TooLarge { .. })));
    assert_eq!(from(|_, _| Reply::text(&"x".repeat(LIMIT))).await.unwrap().body.len(), LIMIT);
}

#[tokio::test]
async fn a_packed_body_is_refused() {
    let packed = from(|_, _| Reply::text("x").with("Content-Encoding", "gzip")).await;
    assert!(matches!(packed, Err(FetchError::Encoded { .. })), "{packed:?}");
}

#[tokio::test]
async fn slow_servers_meet_the_deadline_whatever_they_drip() {
    let server = Server::start(|path| match path {
        "/hop" => Reply::redirect("/a").dripping(Duration::from_millis(2)),
        _ => Reply::text(&"x".repeat(900)).dripping(Duration::from_millis(20)),
    })
    .await;
    for path in ["/a", "/hop"] {
        let short = FetchOptions { deadline: Duration::from_millis(400), ..options(&server) };
        let began = Instant::now();
        let outcome = Fetcher::new(short).unwrap().get(&server.url("acme.example", path), "text/plain", LIMIT).await;
        assert!(matches!(outcome, Err(FetchError::Deadline { .. })), "{outcome:?}");
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn garbage_fails_and_stays_out_of_the_error() {
    for garbage in [
        "SSH-2.0-secret\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nsecret",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
        "HTTP/1.1 200 OK\r\nsecret\0: x\r\n\r\nbody",
        "",
    ] {
        let server = Server::start(move |_| Reply::raw(garbage)).await;
        let error = get(&server, &server.url("acme.example", "/a?token=secret")).await.unwrap_err();
        assert!(matches!(error, FetchError::Failed { .. }), "{error}");
        let said = error.to_string();
        assert!(said.starts_with(&format!("cannot fetch {}: ", server.url("acme.example", "/a"))), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[tokio::test]
async fn names_that_lead_nowhere_say_so() {
    let server = Server::start(|_| Reply::text(FILE)).await;
    for (host, reason) in [("empty.example", "the name has no address"), ("nobody.example", "no such name")] {
        let said = get(&server, &server.url(host, "/")).await.unwrap_err().to_string();
        assert!(said.contains(reason), "{said}");
    }
}

#[tokio::test]
async fn other_statuses_come_back_without_their_body() {
    let fetched = from(|_, _| Reply::status(404)).await.unwrap();
    assert_eq!((fetched.status, fetched.body.len()), (404, 0));
    let moved = from(|_, _| Reply::status(304)).await.unwrap();
    assert_eq!(moved.status, 304);
}
