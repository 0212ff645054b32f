//! Look-ups: whom to ask by the configuration, what was answered lately, and whom an answer names.
//!
//! Writes nothing to the store. Invariant: nobody outside is asked for a rung that is off, and not twice for an answer
//! that is fresh. Answers of a folder are read from it each time: they are nobody's word today.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mail::templates::ReachSource;
use model::delivery::Role;
use model::domain::DomainName;
use model::reach::Rung;
use model::time::Timestamp;
use sources::lookup::{
    Answer, AnswerStatus, Clock, FetchOptions, Fetcher, Found, Internet, Pace, Provider, Question, RdapServers,
    Recorded, Recording, contacts_in, role_mailboxes,
};
use store::Conn;
use store::reach::AnswerRow;

use super::leads::{Answers, Lead};
use crate::settings::ReachSettings;
use crate::{App, AppError};

/// How long one question waits for its turn behind others.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Whom look-ups ask. Set up once a process, when somebody is first asked, so that all share one pace.
#[derive(Clone, Default)]
pub(crate) struct LookUps(Arc<Mutex<Option<Asker>>>);

#[derive(Clone)]
pub(super) struct Asker {
    provider: Arc<dyn Provider>,
    keep: Keep,
    /// The provider, where it records answers, and how many of its faults were told.
    recording: Option<(Arc<Recording<Internet>>, Arc<AtomicUsize>)>,
}

/// Whether answers are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// For a while.
    Fresh,
    /// Never.
    Nothing,
}

impl LookUps {
    fn asker(&self, app: &App) -> Result<Asker, AppError> {
        let mut asker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*asker {
            Some(asker) => Ok(asker.clone()),
            None => Ok(asker.insert(Asker::new(app)?).clone()),
        }
    }

    /// Asks somebody else, in a test.
    #[cfg(test)]
    pub(super) fn set(&self, asker: Asker) {
        *self.0.lock().unwrap() = Some(asker);
    }
}

impl Asker {
    fn new(app: &App) -> Result<Self, AppError> {
        let reach = &app.settings.reach;
        let now = app.clock;
        let clock: Clock = Arc::new(move || now.now());
        if !reach.replay.is_empty() {
            let recorded = Recorded::open(Path::new(&reach.replay), clock)
                .map_err(|error| bad_folder("replay", &reach.replay, &error))?;
            return Ok(Self::of(Arc::new(recorded), Keep::Nothing));
        }
        let internet = internet(reach, clock)?;
        if reach.record.is_empty() {
            return Ok(Self::of(Arc::new(internet), Keep::Fresh));
        }
        let recording = Recording::new(internet, Path::new(&reach.record))
            .map_err(|error| bad_folder("record", &reach.record, &error))?;
        let recording = Arc::new(recording);
        let provider = Self::of(Arc::clone(&recording) as _, Keep::Fresh);
        Ok(Self { recording: Some((recording, Arc::default())), ..provider })
    }

    pub(super) fn of(provider: Arc<dyn Provider>, keep: Keep) -> Self {
        Self { provider, keep, recording: None }
    }

    /// An answer that could not be recorded is used all the same, and that is not kept quiet.
    fn tell_faults(&self, folder: &str) {
        let Some((recording, told)) = &self.recording else { return };
        let faults = recording.faults().len();
        if told.swap(faults, Ordering::Relaxed) < faults {
            tracing::warn!(faults, folder, "answers of look-ups could not be recorded");
        }
    }
}

fn internet(reach: &ReachSettings, clock: Clock) -> Result<Internet, AppError> {
    let pace = Pace::new(reach.per_second, LONGEST_WAIT);
    let fetcher = Fetcher::new(FetchOptions { pace, ..FetchOptions::default() }).map_err(|error| {
        AppError::bad(format!("look-ups cannot be made: {error}"), "switch them off in [reach], and report this")
    })?;
    let servers = match reach.rdap_server.as_str() {
        "" => RdapServers::Unset,
        server => RdapServers::One(server.to_owned()),
    };
    Ok(Internet::new(fetcher, servers, clock))
}

fn bad_folder(key: &str, folder: &str, error: &std::io::Error) -> AppError {
    AppError::bad(
        format!("the folder {folder} of answers cannot be used: {error}"),
        format!("correct [reach] {key}, or leave it empty"),
    )
}

/// Whether look-ups can be made as they are configured. A folder that is not there must cost no rung.
pub(super) fn ready(app: &App) -> Result<(), AppError> {
    let reach = &app.settings.reach;
    if reach.security_txt || reach.rdap {
        app.lookups.asker(app)?;
    }
    Ok(())
}

/// Asks about domains. `None`: the rung asks nobody.
pub(super) async fn ask(app: &App, rung: Rung, domains: &[String]) -> Result<Option<Answers>, AppError> {
    let question = match rung {
        Rung::SecurityTxt => Question::SecurityTxt,
        Rung::Rdap => Question::Rdap,
        Rung::RoleMailboxes => return Ok(Some(guesses(domains, app.clock.now()))),
        Rung::KnownContacts | Rung::AccountManager | Rung::Letter => return Ok(None),
    };
    let asker = app.lookups.asker(app)?;
    let mut answers = Answers::default();
    for domain in domains {
        let Ok(name) = DomainName::parse(domain) else {
            answers.notes.push(format!("{domain} is no domain that can be looked up"));
            continue;
        };
        let known = match asker.keep {
            Keep::Fresh => kept(app, rung, question, domain, &mut app.store.read().await?).await?,
            Keep::Nothing => None,
        };
        let answer = match known {
            Some(answer) => answer,
            None => {
                let answer = asker.provider.ask(question, &name).await;
                let is_worth_keeping = asker.keep == Keep::Fresh && !matches!(answer.status, AnswerStatus::Failed(_));
                answers.fresh.extend(is_worth_keeping.then(|| row(rung, &answer)));
                answer
            }
        };
        answers.failed += usize::from(matches!(answer.status, AnswerStatus::Failed(_)));
        read(rung, &answer, app.clock.now(), &mut answers);
    }
    asker.tell_faults(&app.settings.reach.record);
    Ok(Some(answers))
}

/// Whom an answer names.
fn read(rung: Rung, answer: &Answer, now: Timestamp, answers: &mut Answers) {
    let (found, notes) = contacts_in(answer, now);
    answers.notes.extend(notes);
    let (source, found_on) = match rung {
        Rung::SecurityTxt => (ReachSource::SecurityTxt, answer.asked_at.date()),
        _ => (ReachSource::Rdap, answer.asked_at.date()),
    };
    for found in found {
        if found.role == Role::Technical {
            let who = &found.address;
            answers.notes.push(format!("{who} is a technical contact, mostly a provider's: it is not written to"));
            continue;
        }
        answers.leads.push(lead(found, &answer.domain, source, &found_on));
    }
}

fn guesses(domains: &[String], now: Timestamp) -> Answers {
    let mut answers = Answers::default();
    for name in domains.iter().filter_map(|domain| DomainName::parse(domain).ok()) {
        let found = role_mailboxes(&name).into_iter();
        answers.leads.extend(found.map(|found| lead(found, name.as_str(), ReachSource::RoleMailbox, &now.date())));
    }
    answers
}

fn lead(found: Found, domain: &str, source: ReachSource, found_on: &str) -> Lead {
    Lead {
        address: found.address.as_str().to_owned(),
        name: found.name,
        role: found.role.as_str().to_owned(),
        language: found.language,
        provenance: found.provenance,
        domain: domain.to_owned(),
        source,
        found_on: found_on.to_owned(),
    }
}

/// The answer that is kept, if it is young enough and this program can read it.
async fn kept(
    app: &App,
    rung: Rung,
    question: Question,
    domain: &str,
    conn: &mut Conn,
) -> Result<Option<Answer>, AppError> {
    let Some(row) = store::reach::answer(conn, rung.as_str(), domain).await? else { return Ok(None) };
    let asked_at = Timestamp::from_micros(row.asked_at);
    let now = app.clock.now();
    if asked_at > now || now.since(asked_at) >= app.settings.reach.cache() {
        return Ok(None);
    }
    let (name, why) = row.status.split_once(": ").unwrap_or((&row.status, ""));
    let status = AnswerStatus::parse(name, why);
    Ok(status.map(|status| Answer {
        question,
        domain: row.domain.clone(),
        asked_at,
        url: row.url,
        status,
        body: row.body,
    }))
}

fn row(rung: Rung, answer: &Answer) -> AnswerRow {
    let status = match answer.status.why() {
        "" => answer.status.as_str().to_owned(),
        why => format!("{}: {why}", answer.status.as_str()),
    };
    AnswerRow {
        question: rung.as_str().to_owned(),
        domain: answer.domain.clone(),
        asked_at: answer.asked_at.micros(),
        url: answer.url.clone(),
        status,
        body: answer.body.clone(),
    }
}
