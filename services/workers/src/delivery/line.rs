//! One open way out, kept over mails: an SMTP connection or a folder.
//!
//! Records nothing. Invariant: after any fault that is not a plain refusal the line is not kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::App;
use mail::route::Route;
use mail::smtp::{Connection, Deadlines, Fault, FaultKind, Reports};
use mail::spool::{self, SpoolError};
use model::delivery::Outcome;

use super::fate::{self, Fate};
use super::gate::Trial;
use super::lanes::Lane;

/// Mails after which a connection is closed: relays spread new connections, and count on old ones to end.
const MOST_MAILS: u64 = 100;
/// The same, by age.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// How long the server's answer to QUIT is waited for; nothing depends on it.
const QUIT: Duration = Duration::from_secs(1);

/// An open way out.
pub(super) struct Line {
    way: Way,
    lane: Arc<Lane>,
    /// Until the first answer to a mail, where the lane was down before.
    trial: Option<Trial>,
    opened: Instant,
    mails: u64,
}

enum Way {
    Smtp(Box<Connection>),
    Files(PathBuf),
}

/// A mail that is to be written.
pub(super) struct Writing<'a> {
    /// The delivery; names the file.
    pub(super) id: &'a str,
    pub(super) message_id: &'a str,
    /// Envelope sender.
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) reports: Option<Reports<'a>>,
}

/// A step that did not end well.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) fate: Fate,
    pub(super) phase: &'static str,
    pub(super) text: String,
    /// Whether the line can take the next mail.
    pub(super) keep: bool,
    /// Whether a fresh line may do better at once.
    pub(super) stale: bool,
}

impl Line {
    /// Opens a lane. Every failure is the lane's.
    pub(super) async fn open(app: &App, lane: &Arc<Lane>, trial: Option<Trial>) -> Result<Self, String> {
        let way = match &lane.route {
            Route::Smtp(route) => {
                let hello = app::delivery::hello(app);
                let connection = Connection::open(route, hello, &deadlines(app)).await;
                Way::Smtp(Box::new(connection.map_err(|fault| fault.to_string())?))
            }
            Route::Files(folder) => {
                let folder = folder.clone();
                let probed = tokio::task::spawn_blocking(move || probe(&folder).map(|()| folder)).await;
                Way::Files(probed.map_err(|error| error.to_string())??)
            }
        };
        Ok(Self { way, lane: Arc::clone(lane), trial, opened: Instant::now(), mails: 0 })
    }

    /// Everything before the message.
    pub(super) async fn envelope(&mut self, mail: &Writing<'_>) -> Result<(), Broken> {
        let is_used = self.mails > 0;
        self.mails += 1;
        match &mut self.way {
            Way::Files(_) => Ok(()),
            Way::Smtp(connection) => {
                match connection.envelope_for(mail.from, mail.to, mail.bytes, mail.reports).await {
                    Ok(()) => Ok(()),
                    Err(fault) => {
                        let stale = is_used && fate::is_of_connection(&fault);
                        Err(Broken { stale, ..broken(&fault, fate::before_dot(&fault), connection) })
                    }
                }
            }
        }
    }

    /// The message; what the other side answered. Only after `at_dot` is durable.
    pub(super) async fn message(&mut self, mail: &Writing<'_>) -> Result<String, Broken> {
        match &mut self.way {
            Way::Smtp(connection) => match connection.message(mail.bytes).await {
                Ok(reply) => Ok(reply.to_string()),
                Err(fault) => Err(broken(&fault, Fate::Ended(fate::after_dot(&fault)), connection)),
            },
            Way::Files(folder) => {
                let (folder, id, message_id) = (folder.clone(), mail.id.to_owned(), mail.message_id.to_owned());
                let bytes = mail.bytes.to_vec();
                let written = tokio::task::spawn_blocking(move || store(&folder, &id, &message_id, &bytes)).await;
                written.unwrap_or_else(|error| Err(unfiled(Outcome::Uncertain, error.to_string())))
            }
        }
    }

    /// The way that it is.
    pub(super) fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }

    /// Whether it is not known yet that the lane is up.
    pub(super) fn is_on_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// A mail was answered: the lane is not only tried any more.
    pub(super) fn is_good(&mut self) {
        self.trial = None;
    }

    /// How the line is encrypted, or empty.
    pub(super) fn tls(&self) -> &str {
        match &self.way {
            Way::Smtp(connection) => connection.tls().unwrap_or_default(),
            Way::Files(_) => "",
        }
    }

    /// Whether it has served long enough.
    pub(super) fn is_spent(&self) -> bool {
        match &self.way {
            Way::Smtp(connection) => {
                self.mails >= MOST_MAILS || self.opened.elapsed() >= LONGEST || !connection.is_usable()
            }
            Way::Files(_) => false,
        }
    }

    /// Ends it politely.
    pub(super) async fn close(self) {
        if let Way::Smtp(connection) = self.way {
            connection.quit().await;
        }
    }
}

fn deadlines(app: &App) -> Deadlines {
    let sending = &app.settings.sending;
    let (usual, reply) = (Deadlines::default(), Duration::from_secs(sending.reply_timeout_seconds));
    Deadlines {
        connect: Duration::from_secs(sending.connect_timeout_seconds),
        greeting: reply,
        ehlo: reply,
        starttls: reply.min(usual.starttls),
        auth: reply.min(usual.auth),
        mail: reply,
        rcpt: reply,
        data: reply.min(usual.data),
        body: reply.min(usual.body),
        dot: Duration::from_secs(sending.dot_timeout_seconds),
        quit: QUIT,
    }
}

fn broken(fault: &Fault, fate: Fate, connection: &Connection) -> Broken {
    let is_refusal = matches!(fault.kind, FaultKind::Refused { .. } | FaultKind::Unsendable);
    Broken {
        fate,
        phase: fault.phase.as_str(),
        text: fault.to_string(),
        keep: is_refusal && !fault.route_down && connection.is_usable(),
        stale: false,
    }
}

/// The phase of a try whose mail becomes a file.
const FILE: &str = "file";

fn unfiled(outcome: Outcome, text: String) -> Broken {
    Broken { fate: Fate::Ended(outcome), phase: FILE, text, keep: false, stale: false }
}

/// Whether files can be made in a folder, before a mail's try is spent on finding out.
fn probe(folder: &Path) -> Result<(), String> {
    let said = |error: std::io::Error| {
        format!(
            "cannot write to {}: {error}; free some space, or give another folder with --smtp file:DIR",
            folder.display()
        )
    };
    std::fs::create_dir_all(folder).map_err(said)?;
    let file = folder.join(format!(".probe-{}", app::new_ulid()));
    // As large as a mail: a full disk may still take an empty file.
    let written = std::fs::write(&file, [b'.'; 64 * 1024]).map_err(said);
    // A probe that stays behind hurts nobody; why it could not be written is what matters.
    let _ = std::fs::remove_file(&file);
    written
}

/// Makes the file; one that an earlier try made is as good.
fn store(folder: &Path, id: &str, message_id: &str, bytes: &[u8]) -> Result<String, Broken> {
    match spool::write(folder, id, bytes) {
        Ok(spool::Stored::Written(path)) => Ok(format!("written to {}", path.display())),
        Ok(spool::Stored::AlreadyThere(path)) => Ok(format!("already in {}", path.display())),
        // A file that can be seen is complete. One of an earlier try differs in its date.
        Err(SpoolError::Taken(path)) if is_of(&path, message_id) => Ok(format!("already in {}", path.display())),
        Err(error @ SpoolError::Name(_)) => Err(unfiled(Outcome::Permanent, error.to_string())),
        Err(error) => Err(unfiled(Outcome::Transient, error.to_string())),
    }
}

fn is_of(path: &Path, message_id: &str) -> bool {
    let header = format!("Message-ID: <{message_id}>");
    std::fs::read(path).is_ok_and(|there| {
        String::from_utf8_lossy(&there).lines().take_while(|line| !line.is_empty()).any(|line| line == header)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(date: &str) -> Vec<u8> {
        format!("Date: {date}\r\nMessage-ID: <a.b@vendor.example>\r\n\r\nbody\r\n").into_bytes()
    }

    #[test]
    fn a_file_of_an_earlier_try_is_the_same_mail() {
        let folder = tempfile::tempdir().unwrap();
        store(folder.path(), "dlv_1", "a.b@vendor.example", &mail("yesterday")).unwrap();
        let again = store(folder.path(), "dlv_1", "a.b@vendor.example", &mail("today")).unwrap();
        assert!(again.starts_with("already in"), "{again}");
    }

    #[test]
    fn a_file_of_another_mail_is_not_accepted_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let other = b"Message-ID: <x@vendor.example>\r\n\r\nMessage-ID: <a.b@vendor.example>\r\n";
        std::fs::write(folder.path().join("dlv_1.eml"), other).unwrap();
        let refused = store(folder.path(), "dlv_1", "a.b@vendor.example", &mail("today")).unwrap_err();
        assert_eq!(refused.fate, Fate::Ended(Outcome::Transient));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_found_before_a_try_is_spent() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        assert!(probe(&file).unwrap_err().contains(&file.display().to_string()));
        probe(&folder.path().join("new/outbox")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("new/outbox")).unwrap().count(), 0);
    }
}
