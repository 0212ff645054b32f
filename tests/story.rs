//! The whole story: the demo plays it, and the page shows it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use testkit::process::{Backend, Forthright};

use crate::setup::{SLUG, bin};
use crate::tickets::{receive, reply_to, sent};

#[test]
fn the_demo_ends_with_a_refused_close_and_an_escalation_within_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let run = Forthright::new(bin(), folder.path(), Backend::Sqlite);
    let begun = Instant::now();
    let said = run.ok(&["demo", "--no-serve"]);
    assert!(begun.elapsed() < Duration::from_secs(60));
    for words in ["4430 rows", "53 notices", "1 open question: \"", "policy debt fires rung 1", "remainder 0"] {
        assert!(said.contains(words), "`{words}` is not in:\n{said}");
    }
}

#[test]
fn the_page_shows_coverage_open_questions_and_a_line_per_organisation() {
    let (stage, messages) = sent(Backend::Postgres, 3);
    receive(&stage, &reply_to(&messages[1], "", "Is <b>our</b> price list among them?"), None);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let mut serving = stage.run.spawn(&["serve", "--listen", &listen]);
    let begun = Instant::now();
    while get(&listen, "/readyz").is_none_or(|page| !page.starts_with("HTTP/1.1 200"))
        && begun.elapsed() < Duration::from_secs(20)
    {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(get(&listen, "/healthz").unwrap().starts_with("HTTP/1.1 200"));
    let page = get(&listen, &format!("/incidents/{SLUG}")).unwrap();
    for words in ["Organisation 0", "Organisation 2", "price list among them?", "t-00001", "accepted"] {
        assert!(page.contains(words), "`{words}` is not in:\n{page}");
    }
    assert!(!page.contains("<b>our</b>"), "what a customer writes is escaped");
    assert!(get(&listen, "/incidents/none").unwrap().starts_with("HTTP/1.1 404"));
    assert_eq!(serving.terminate(), 0, "{}", serving.said());
}

pub(crate) fn get(listen: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(listen).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n").ok()?;
    let mut page = String::new();
    stream.read_to_string(&mut page).ok()?;
    Some(page)
}
