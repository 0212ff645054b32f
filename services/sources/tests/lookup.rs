//! Look-ups against real sockets: a small web server on this machine, reached only because the tests allow it.
//!
//! Does not test the readers of answers (their own tests do), and nothing here leaves the machine.
#![cfg(feature = "lookup")]
#![expect(clippy::unwrap_used, reason = "builders of tests may fail")]

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::domain::DomainName;
use model::time::Timestamp;
use sources::lookup::{
    Addresses, Allow, Answer, AnswerStatus, Clock, FetchOptions, Fetcher, Internet, Pace, PlainHttp, Provider,
    Question, RdapServers, Resolve, contacts_in,
};

#[path = "lookup/fetching.rs"]
mod fetching;
#[path = "lookup/recording.rs"]
mod recording;
#[path = "lookup/server.rs"]
mod server;

use server::{Reply, Server};

const FILE: &str = "Contact: mailto:sec@acme.example\nExpires: 2027-01-01T00:00:00Z\n";

/// Names and what they lead to, one list after the other; the last one stays.
#[derive(Default)]
struct Names(Mutex<BTreeMap<String, VecDeque<Vec<IpAddr>>>>);

impl Names {
    fn of(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let lists = |lists: &[&[&str]]| lists.iter().map(|list| addresses(list)).collect();
        Arc::new(Self(Mutex::new(names.iter().map(|(name, of)| ((*name).to_owned(), lists(of))).collect())))
    }
}

impl Resolve for Names {
    fn addresses<'a>(&'a self, host: &'a str) -> Addresses<'a> {
        Box::pin(async move {
            let mut names = self.0.lock().unwrap();
            let lists = names.get_mut(host).ok_or_else(|| io::Error::other("no such name"))?;
            if lists.len() > 1 { Ok(lists.pop_front().unwrap()) } else { Ok(lists[0].clone()) }
        })
    }
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// This machine under two names, and names that lead elsewhere.
fn names() -> Arc<Names> {
    let here: &[&[&str]] = &[&["127.0.0.1"]];
    Names::of(&[
        ("acme.example", here),
        ("www.acme.example", here),
        ("inside.example", &[&["10.0.0.1"]]),
        ("mixed.example", &[&["127.0.0.1", "169.254.169.254"]]),
        ("empty.example", &[&[]]),
    ])
}

/// Reaches this machine, by http on the port of `server`.
fn options(server: &Server) -> FetchOptions {
    FetchOptions {
        resolver: names(),
        allow: Allow {
            networks: vec!["127.0.0.1/32".parse().unwrap()],
            ports: vec![server.port()],
            plain_http: PlainHttp::Allowed,
        },
        pace: Pace::new(10_000, Duration::from_secs(10)),
        deadline: Duration::from_secs(5),
    }
}

fn fetcher(server: &Server) -> Fetcher {
    Fetcher::new(options(server)).unwrap()
}

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn clock() -> Clock {
    Arc::new(noon)
}

fn domain(name: &str) -> DomainName {
    DomainName::parse(name).unwrap()
}

fn internet(server: &Server, servers: RdapServers) -> Internet {
    Internet::new(fetcher(server), servers, clock()).by_plain_http(server.port())
}

async fn security_txt(server: &Server) -> Answer {
    internet(server, RdapServers::Unset).ask(Question::SecurityTxt, &domain("acme.example")).await
}

#[tokio::test]
async fn a_security_txt_is_fetched_from_its_well_known_place() {
    let server = Server::start(|_| Reply::text(FILE)).await;
    let answer = security_txt(&server).await;
    assert_eq!(answer.status, AnswerStatus::Found);
    assert_eq!(answer.url, server.url("acme.example", "/.well-known/security.txt"));
    assert_eq!((answer.body.as_slice(), answer.asked_at), (FILE.as_bytes(), noon()));
    let (found, notes) = contacts_in(&answer, noon());
    assert_eq!((found[0].address.as_str(), notes.len()), ("sec@acme.example", 0));
}

#[tokio::test]
async fn a_request_names_us_and_nothing_else() {
    let server = Server::start(|_| Reply::text(FILE)).await;
    security_txt(&server).await;
    let request = server.requests().remove(0).to_ascii_lowercase();
    let version = env!("CARGO_PKG_VERSION");
    for line in ["user-agent: forthright/", version, "accept-encoding: identity", "accept: text/plain"] {
        assert!(request.contains(line), "{request}");
    }
    for line in ["cookie", "authorization", "referer", "gzip"] {
        assert!(!request.contains(line), "{request}");
    }
}

#[tokio::test]
async fn the_old_place_is_asked_only_where_the_new_one_is_missing() {
    let server = Server::start(|path| match path {
        "/security.txt" => Reply::text(FILE),
        _ => Reply::status(404),
    })
    .await;
    let answer = security_txt(&server).await;
    assert_eq!(answer.url, server.url("acme.example", "/security.txt"));
    assert_eq!(answer.status, AnswerStatus::Found);

    let forbidding = Server::start(|_| Reply::status(403)).await;
    let answer = security_txt(&forbidding).await;
    assert!(matches!(&answer.status, AnswerStatus::Failed(why) if why.ends_with("status 403")), "{answer:?}");
    assert_eq!(forbidding.requests().len(), 1);
}

#[tokio::test]
async fn nothing_at_either_place_is_not_found() {
    let server = Server::start(|_| Reply::status(404)).await;
    assert_eq!(security_txt(&server).await.status, AnswerStatus::NotFound);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_web_page_is_no_security_txt() {
    let server = Server::start(|_| Reply::text("<html>").with("Content-Type", "text/HTML; charset=utf-8")).await;
    let answer = security_txt(&server).await;
    assert!(matches!(&answer.status, AnswerStatus::Refused(why) if why.contains("web page")), "{answer:?}");
    assert!(answer.body.is_empty());
}

fn record(name: &str, more: &str) -> String {
    format!(r#"{{"objectClassName": "domain", "ldhName": "{name}" {more}}}"#)
}

const HOLDER: &str = r#", "entities": [{"roles": ["registrant"],
    "vcardArray": ["vcard", [["email", {}, "text", "it@acme.example"]]]}]"#;

#[tokio::test]
async fn the_registry_is_asked_about_the_registered_domain() {
    let server = Server::start(|_| Reply::text(&record("acme.example", HOLDER))).await;
    let servers = RdapServers::One(server.url("www.acme.example", "/rdap/"));
    let answer = internet(&server, servers).ask(Question::Rdap, &domain("shop.acme.example")).await;
    assert_eq!(answer.url, server.url("www.acme.example", "/rdap/domain/acme.example"));
    assert_eq!(contacts_in(&answer, noon()).0[0].address.as_str(), "it@acme.example");
}

#[tokio::test]
async fn the_registrars_record_is_taken_where_the_registrys_is_thin() {
    let server = Server::start_with(|port, path| match path {
        "/registrar" => Reply::text(&record("acme.example", HOLDER)),
        _ => {
            let link = format!("http://www.acme.example:{port}/registrar");
            let links = r#", "links": [{"rel": "related", "type": "application/rdap+json", "href": "LINK"}]"#;
            Reply::text(&record("acme.example", &links.replace("LINK", &link)))
        }
    })
    .await;
    let servers = RdapServers::One(server.url("acme.example", ""));
    let answer = internet(&server, servers).ask(Question::Rdap, &domain("acme.example")).await;
    assert_eq!(answer.url, server.url("www.acme.example", "/registrar"));
    assert_eq!(contacts_in(&answer, noon()).0.len(), 1);
}

#[tokio::test]
async fn a_thin_record_stays_where_the_registrars_is_elsewhere_or_anothers() {
    for link in ["http://inside.example/", "http://www.acme.example:PORT/other", "http://127.0.0.1:PORT/"] {
        let server = Server::start_with(move |port, path| match path {
            "/other" => Reply::text(&record("evil.example", HOLDER)),
            _ => {
                let link = link.replace("PORT", &port.to_string());
                let links = r#", "links": [{"rel": "related", "type": "application/rdap+json", "href": "LINK"}]"#;
                Reply::text(&record("acme.example", &links.replace("LINK", &link)))
            }
        })
        .await;
        let servers = RdapServers::One(server.url("acme.example", ""));
        let answer = internet(&server, servers).ask(Question::Rdap, &domain("acme.example")).await;
        assert_eq!(answer.status, AnswerStatus::Found);
        assert_eq!(answer.url, server.url("acme.example", "/domain/acme.example"), "{link}");
        assert_eq!(contacts_in(&answer, noon()).0, []);
    }
}

#[tokio::test]
async fn without_a_server_the_registry_is_not_asked() {
    let server = Server::start(|_| Reply::status(404)).await;
    let answer = internet(&server, RdapServers::Unset).ask(Question::Rdap, &domain("acme.example")).await;
    assert!(matches!(&answer.status, AnswerStatus::Refused(why) if why.contains("no RDAP server")), "{answer:?}");
    let servers = RdapServers::One(server.url("acme.example", ""));
    let answer = internet(&server, servers).ask(Question::Rdap, &domain("acme.example")).await;
    assert_eq!(answer.status, AnswerStatus::NotFound);
}
