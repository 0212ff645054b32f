//! Answers in a folder: replayed in place of asking, or written down beside asking, so that a run can be repeated.
//!
//! `DIR/DOMAIN/security.txt` and `DIR/DOMAIN/rdap.json` are bodies as they came; `DIR/DOMAIN/QUESTION.meta.json` has
//! the rest and may be missing. Invariant: what was recorded is replayed equal; what is not there was not found.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::domain::DomainName;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::fs;

use super::{Answer, AnswerStatus, Asking, Clock, Provider, Question, rdap, registered, security_txt};

/// Faults that are kept; the first ones say enough.
const MOST_FAULTS: usize = 20;

/// Replays a folder.
#[derive(Clone)]
pub struct Recorded {
    folder: PathBuf,
    clock: Clock,
}

/// Passes questions on, and writes what came into a folder.
pub struct Recording<P> {
    inner: P,
    folder: PathBuf,
    faults: Mutex<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    url: String,
    status: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
    asked_at: Timestamp,
}

impl Recorded {
    /// Replays `folder`; `clock` dates answers that were put there without a `.meta.json`.
    pub fn open(folder: &Path, clock: Clock) -> io::Result<Self> {
        if !std::fs::metadata(folder)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { folder: folder.to_owned(), clock })
    }

    async fn answer(&self, question: Question, domain: &DomainName) -> Answer {
        let files = Files::of(&self.folder, question, domain);
        let (body, meta) = (read(&files.body, question).await, files.meta().await);
        let (asked_at, url) = match &meta {
            Ok(Some(meta)) => (meta.asked_at, meta.url.clone()),
            Ok(None) | Err(_) => ((self.clock)(), default_url(question, domain)),
        };
        let (status, body) = match (meta, body) {
            (Err(why), _) | (Ok(_), Err(why)) => (AnswerStatus::Failed(why), Vec::new()),
            (Ok(None), Ok(None)) => (AnswerStatus::NotFound, Vec::new()),
            (Ok(None), Ok(Some(body))) => (AnswerStatus::Found, body),
            (Ok(Some(meta)), Ok(body)) => match (AnswerStatus::parse(&meta.status, &meta.why), body) {
                (Some(AnswerStatus::Found), Some(body)) => (AnswerStatus::Found, body),
                (Some(AnswerStatus::Found), None) => (unreadable(&files.body, "it is missing"), Vec::new()),
                (Some(other), _) => (other, Vec::new()),
                (None, _) => (unreadable(&files.meta, "its status is not known"), Vec::new()),
            },
        };
        Answer { question, domain: domain.to_string(), asked_at, url, status, body }
    }
}

impl Provider for Recorded {
    fn ask<'a>(&'a self, question: Question, domain: &'a DomainName) -> Asking<'a> {
        Box::pin(self.answer(question, domain))
    }
}

impl<P> Recording<P> {
    /// Asks `inner`, and writes into `folder`, which is made if it is not there.
    pub fn new(inner: P, folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { inner, folder: folder.to_owned(), faults: Mutex::default() })
    }

    /// What could not be written; the answers were passed on all the same.
    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn record(&self, answer: &Answer, domain: &DomainName) {
        let files = Files::of(&self.folder, answer.question, domain);
        if let Err(error) = files.write(answer).await {
            let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
            if faults.len() < MOST_FAULTS {
                faults.push(format!("cannot write the answer into {}: {error}", files.folder.display()));
            }
        }
    }
}

impl<P: Provider> Provider for Recording<P> {
    fn ask<'a>(&'a self, question: Question, domain: &'a DomainName) -> Asking<'a> {
        Box::pin(async move {
            let answer = self.inner.ask(question, domain).await;
            self.record(&answer, domain).await;
            answer
        })
    }
}

/// Where an answer lies. A [`DomainName`] is a safe name for a folder: letters, digits, hyphens and single dots.
struct Files {
    folder: PathBuf,
    body: PathBuf,
    meta: PathBuf,
}

impl Files {
    fn of(root: &Path, question: Question, domain: &DomainName) -> Self {
        let folder = root.join(domain.as_str());
        let body = match question {
            Question::SecurityTxt => "security.txt",
            Question::Rdap => "rdap.json",
        };
        Self { body: folder.join(body), meta: folder.join(format!("{question}.meta.json")), folder }
    }

    async fn meta(&self) -> Result<Option<Meta>, String> {
        match fs::read(&self.meta).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| unread(&self.meta, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unread(&self.meta, &error)),
        }
    }

    async fn write(&self, answer: &Answer) -> io::Result<()> {
        fs::create_dir_all(&self.folder).await?;
        match (&answer.status, fs::remove_file(&self.body).await) {
            (AnswerStatus::Found, _) => fs::write(&self.body, &answer.body).await?,
            (_, Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            (_, _) => {}
        }
        let meta = Meta {
            url: answer.url.clone(),
            status: answer.status.as_str().to_owned(),
            why: answer.status.why().to_owned(),
            asked_at: answer.asked_at,
        };
        let mut text = serde_json::to_vec_pretty(&meta)?;
        text.push(b'\n');
        fs::write(&self.meta, text).await
    }
}

/// The bytes of a body; `None` where there is no file.
async fn read(path: &Path, question: Question) -> Result<Option<Vec<u8>>, String> {
    let longest = match question {
        Question::SecurityTxt => security_txt::LONGEST_FILE,
        Question::Rdap => rdap::LONGEST_RECORD,
    };
    match fs::read(path).await {
        Ok(body) if body.len() > longest => Err(unread(path, &format!("it has more than {longest} bytes"))),
        Ok(body) => Ok(Some(body)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unread(path, &error)),
    }
}

fn unread(path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("cannot replay {}: {why}", path.display())
}

fn unreadable(path: &Path, why: &str) -> AnswerStatus {
    AnswerStatus::Failed(unread(path, &why))
}

/// Where a body that was put there by hand would have come from.
fn default_url(question: Question, domain: &DomainName) -> String {
    match question {
        Question::SecurityTxt => format!("https://{domain}/.well-known/security.txt"),
        Question::Rdap => format!("https://rdap.org/domain/{}", registered(domain)),
    }
}
