//! Answers that were written down are replayed equal, and folders that people made by hand are read.

use std::fs;
use std::path::Path;

use sources::lookup::{Recorded, Recording};

use super::*;

const ACME: &str = "acme.example";

/// A provider that says one thing.
struct Says(AnswerStatus, &'static [u8]);

impl Provider for Says {
    fn ask<'a>(&'a self, question: Question, domain: &'a DomainName) -> sources::lookup::Asking<'a> {
        Box::pin(async move {
            let (domain, url) = (domain.to_string(), format!("https://{domain}/there"));
            Answer { question, domain, asked_at: noon(), url, status: self.0.clone(), body: self.1.to_vec() }
        })
    }
}

async fn replayed(folder: &Path, question: Question) -> Answer {
    let later: Clock = Arc::new(|| noon().plus(Duration::from_secs(3600)));
    Recorded::open(folder, later).unwrap().ask(question, &domain(ACME)).await
}

#[tokio::test]
async fn what_was_recorded_is_replayed_equal() {
    let folder = tempfile::tempdir().unwrap();
    for (status, body) in [
        (AnswerStatus::Found, b"Contact: x\r\n\xff".as_slice()),
        (AnswerStatus::Refused("inside".to_owned()), b""),
        (AnswerStatus::NotFound, b""),
        (AnswerStatus::Failed("too slow".to_owned()), b""),
        (AnswerStatus::Found, b""),
    ] {
        for question in Question::ALL {
            let recording = Recording::new(Says(status.clone(), body), folder.path()).unwrap();
            let asked = recording.ask(*question, &domain(ACME)).await;
            assert_eq!(asked, replayed(folder.path(), *question).await);
            assert_eq!(recording.faults(), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn a_run_against_servers_can_be_repeated_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::text(FILE)).await;
    let recording = Recording::new(internet(&server, RdapServers::Unset), folder.path()).unwrap();
    let asked = recording.ask(Question::SecurityTxt, &domain(ACME)).await;
    drop(server);
    assert_eq!(replayed(folder.path(), Question::SecurityTxt).await, asked);
    assert_eq!(fs::read_to_string(folder.path().join("acme.example/security.txt")).unwrap(), FILE);
}

#[tokio::test]
async fn a_folder_made_by_hand_needs_bodies_only() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(ACME)).unwrap();
    fs::write(folder.path().join("acme.example/security.txt"), FILE).unwrap();
    let answer = replayed(folder.path(), Question::SecurityTxt).await;
    assert_eq!(answer.status, AnswerStatus::Found);
    assert_eq!(answer.url, "https://acme.example/.well-known/security.txt");
    assert_eq!(answer.asked_at.to_string(), "2026-11-23T13:00:00Z");
    assert_eq!(replayed(folder.path(), Question::Rdap).await.status, AnswerStatus::NotFound);
}

#[tokio::test]
async fn a_damaged_recording_fails_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(ACME).join(name);
    fs::create_dir(folder.path().join(ACME)).unwrap();
    fs::write(path("rdap.meta.json"), r#"{"url": "", "status": "found", "asked_at": "2026-11-23T12:00:00Z"}"#).unwrap();
    let check = async |question: Question, expect: &str| {
        let answer = replayed(folder.path(), question).await;
        assert!(matches!(&answer.status, AnswerStatus::Failed(why) if why.contains(expect)), "{answer:?}");
    };
    check(Question::Rdap, "rdap.json: it is missing").await;
    fs::write(path("rdap.meta.json"), r#"{"url": "", "status": "fine", "asked_at": "2026-11-23T12:00:00Z"}"#).unwrap();
    check(Question::Rdap, "its status is not known").await;
    fs::write(path("rdap.meta.json"), "{").unwrap();
    check(Question::Rdap, "rdap.meta.json").await;
    fs::write(path("security.txt"), vec![b'x'; 65_537]).unwrap();
    check(Question::SecurityTxt, "more than 65536 bytes").await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_passed_on_and_the_fault_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(ACME), "in the way").unwrap();
    let recording = Recording::new(Says(AnswerStatus::Found, b"x"), folder.path()).unwrap();
    assert_eq!(recording.ask(Question::Rdap, &domain(ACME)).await.status, AnswerStatus::Found);
    assert_eq!(recording.faults().len(), 1);
}

#[test]
fn a_folder_that_is_not_there_is_not_replayed() {
    assert!(Recorded::open(Path::new("/nonexistent/answers"), clock()).is_err());
}
