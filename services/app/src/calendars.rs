//! Calendars: office hours as they are configured, with holidays that are compiled in, named in a file or imported.
//!
//! Reads no file (the binary does). Invariant: holidays that are named and not there are said not to be considered.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use model::calendar::{self, Calendar, Calendars, DEFAULT, Holiday, Holidays, Hours, Imported, Unread};
use model::escalation::BusinessTime;
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;
use store::calendars::CalendarFile;

use crate::settings::CalendarSettings;
use crate::{App, AppError, new_id};

/// A larger file is none of holidays.
const LARGEST: usize = 1_000_000;

/// A calendar, or a list of holidays, in one line.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// `configured`, `imported`, `built in`.
    pub kind: &'static str,
    /// Its time zone; empty for holidays alone.
    pub zone: String,
    /// Its office hours; empty for holidays alone.
    pub office: String,
    /// Days that it knows.
    pub holidays: usize,
    /// For which years: `2022-2030`; empty: for none.
    pub years: String,
    /// What is to be said of it.
    pub note: String,
}

/// A calendar with its days.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// Its time zone; none for holidays alone.
    pub zone: Option<String>,
    /// Its office hours; none for holidays alone.
    pub office: Option<String>,
    /// For which years holidays are known; none: for none.
    pub years: Option<String>,
    /// The days, in order.
    pub days: Vec<Day>,
    /// What is to be said of it; empty: nothing.
    pub note: String,
}

/// A holiday.
#[derive(Debug, Serialize)]
pub struct Day {
    /// `YYYY-MM-DD`.
    pub day: String,
    /// What it is called.
    pub name: String,
}

/// What an import came to.
#[derive(Debug, Serialize)]
pub struct ImportedFile {
    /// The name.
    pub name: String,
    /// Events that were taken.
    pub events: usize,
    /// Days that they come to.
    pub days: usize,
    /// For which years.
    pub years: String,
    /// What was not taken.
    pub unread: Vec<Unread>,
}

/// When a span of office time is over.
#[derive(Debug, Serialize)]
pub struct DueTime {
    /// The calendar.
    pub calendar: String,
    /// When.
    pub due: Timestamp,
    /// On the wall clock of its zone.
    pub local: String,
    /// What is to be said of it; empty: nothing.
    pub note: String,
}

/// Every calendar of the installation. Holidays that are named and not there count as not considered.
pub async fn load(app: &App, conn: &mut Conn) -> Result<Calendars, AppError> {
    let files = files(conn).await?;
    let mut named = BTreeMap::new();
    for (name, settings) in &app.settings.calendars {
        named.insert(name.clone(), built(name, settings, &files)?.0);
    }
    Ok(Calendars::new(named))
}

/// The calendars that rungs in office hours are measured by. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<RwLock<Calendars>>);

impl BusinessTime for Known {
    fn after(&self, start: Timestamp, delay: Duration, calendar: &str) -> Option<Timestamp> {
        let calendars = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(calendars.after(calendar, start, delay)?.at)
    }
}

/// Reads the calendars again: somebody may have imported holidays.
pub(crate) async fn refresh(app: &App) -> Result<(), AppError> {
    if app.settings.calendars.is_empty() {
        return Ok(());
    }
    let read = load(app, &mut app.store.read().await?).await?;
    *app.calendars.0.write().unwrap_or_else(PoisonError::into_inner) = read;
    Ok(())
}

/// Keeps holidays under a name; a file of the same name before it counts no more.
pub async fn import(app: &App, name: &str, text: &str) -> Result<ImportedFile, AppError> {
    if !is_name(name) {
        return Err(AppError::bad(format!("`{name}` is no name of a calendar"), "use up to 64 of a-z, 0-9 and -"));
    }
    if text.len() > LARGEST {
        return Err(AppError::bad(
            format!("the file is larger than {LARGEST} bytes"),
            "export the holidays alone, without other appointments",
        ));
    }
    let read = calendar::parse_ical(text);
    if read.events == 0 {
        let why = read.unread.first().map_or_else(String::new, |one| format!(": line {}, {}", one.line, one.why));
        return Err(AppError::bad(
            format!("the file has no event that is a holiday{why}"),
            "holidays are events of whole days (DTSTART;VALUE=DATE:20260101) of an iCalendar file",
        ));
    }
    let file = CalendarFile {
        id: new_id("cal"),
        name: name.to_owned(),
        body: text.to_owned(),
        imported_by: app.actor.clone(),
        imported_at: app.clock.now().micros(),
    };
    let mut tx = app.store.begin().await?;
    store::calendars::insert(&mut tx, &file).await?;
    // A day off less may bring a rung forward.
    store::escalation::look_again_at_office_hours(&mut tx, app.clock.now().micros()).await?;
    let detail = serde_json::json!({ "calendar": file.id, "events": read.events, "unread": read.unread.len() });
    tx.commit(app.entry("calendar.import", name, detail)).await?;
    Ok(ImportedFile {
        name: name.to_owned(),
        events: read.events,
        days: read.holidays.list(None).len(),
        years: years(&read.holidays),
        unread: read.unread,
    })
}

/// Configured calendars, then imported holidays, then those that are compiled in.
pub async fn list(app: &App) -> Result<Vec<Listed>, AppError> {
    let files = files(&mut app.store.read().await?).await?;
    let mut listed = Vec::new();
    if !app.settings.calendars.contains_key(DEFAULT) {
        listed.push(configured(DEFAULT, &Calendar::default(), String::new()));
    }
    for (name, settings) in &app.settings.calendars {
        let (calendar, note) = built(name, settings, &files)?;
        listed.push(configured(name, &calendar, note));
    }
    listed
        .extend(files.iter().map(|(name, read)| holidays(name, "imported", &read.holidays, &not_taken(&read.unread))));
    for country in calendar::CODES {
        for code in std::iter::once(country.to_owned())
            .chain(calendar::parts(country).into_iter().map(|part| format!("{country}-{part}")))
        {
            listed.push(holidays(&code, "built in", &builtin(&code)?, ""));
        }
    }
    Ok(listed)
}

/// One calendar, or list of holidays, with its days; of one year if one is named.
pub async fn show(app: &App, name: &str, year: Option<i16>) -> Result<Shown, AppError> {
    let files = files(&mut app.store.read().await?).await?;
    let settings = app.settings.calendars.get(name);
    let (calendar, days, mut note) = match (settings, files.get(name)) {
        (Some(settings), _) => {
            let (calendar, note) = built(name, settings, &files)?;
            let days = calendar.holidays().clone();
            (Some(calendar), days, note)
        }
        (None, Some(read)) => (None, read.holidays.clone(), not_taken(&read.unread)),
        (None, None) if name == DEFAULT => (Some(Calendar::default()), Holidays::default(), String::new()),
        (None, None) => (None, builtin(name)?, String::new()),
    };
    let said = match (year, days.years()) {
        (Some(year), _) => days.considered(year, year).to_string(),
        (None, None) => calendar::Considered::Not.to_string(),
        (None, Some(_)) => String::new(),
    };
    if !note.contains(&said) {
        note = [note, said].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
    }
    Ok(Shown {
        name: name.to_owned(),
        zone: calendar.as_ref().map(|calendar| calendar.zone().to_owned()),
        office: calendar.as_ref().map(|calendar| calendar.hours().to_string()),
        years: Some(years(&days)).filter(|years| !years.is_empty()),
        days: days.list(year).into_iter().map(|Holiday { day, name }| Day { day, name }).collect(),
        note,
    })
}

/// When so many hours of office time are over.
pub async fn due(app: &App, name: &str, from: Timestamp, hours: u32) -> Result<DueTime, AppError> {
    let calendars = load(app, &mut app.store.read().await?).await?;
    let calendar = calendars.get(name).ok_or_else(|| {
        AppError::missing(
            format!("no calendar `{name}` is configured"),
            format!("add [calendars.{name}] to the configuration; `forthright calendar list` shows what there is"),
        )
    })?;
    let reached = calendar.after(from, Duration::from_secs(u64::from(hours) * 3_600));
    Ok(DueTime {
        calendar: name.to_owned(),
        due: reached.at,
        local: calendar.shown(reached.at),
        note: reached.holidays.to_string(),
    })
}

async fn files(conn: &mut Conn) -> Result<BTreeMap<String, Imported>, AppError> {
    let rows = store::calendars::newest(conn).await?;
    Ok(rows.into_iter().map(|row| (row.name, calendar::parse_ical(&row.body))).collect())
}

fn builtin(code: &str) -> Result<Holidays, AppError> {
    calendar::builtin(code)
        .map_err(|error| AppError::missing(error.to_string(), "run `forthright calendar list` to see what there is"))
}

/// A configured calendar, and what is to be said of it.
fn built(
    name: &str,
    settings: &CalendarSettings,
    files: &BTreeMap<String, Imported>,
) -> Result<(Calendar, String), AppError> {
    let (mut all, mut notes, mut missing) = (Holidays::default(), Vec::new(), Vec::new());
    for code in &settings.holidays {
        match (files.get(code), calendar::builtin(code)) {
            (Some(read), _) => all = all.and(&read.holidays),
            (None, Ok(days)) => all = all.and(&days),
            (None, Err(_)) => missing.push(code.as_str()),
        }
    }
    if !settings.ics_text.is_empty() {
        let read = calendar::parse_ical(&settings.ics_text);
        all = all.and(&read.holidays);
        notes.extend(Some(not_taken(&read.unread)).filter(|note| !note.is_empty()));
    }
    if !missing.is_empty() {
        all = all.incomplete();
        notes.push(format!("holidays of {} are not there: import them", missing.join(", ")));
    }
    let bad = |error: calendar::BadCalendar| {
        AppError::bad(format!("[calendars.{name}]: {error}"), "correct the configuration")
    };
    let calendar =
        Calendar::new(settings.zone(), settings.hours().map_err(|error| bad(error.into()))?, all).map_err(bad)?;
    Ok((calendar, notes.join("; ")))
}

fn configured(name: &str, calendar: &Calendar, note: String) -> Listed {
    Listed {
        zone: calendar.zone().to_owned(),
        office: calendar.hours().to_string(),
        ..holidays(name, "configured", calendar.holidays(), &note)
    }
}

fn holidays(name: &str, kind: &'static str, days: &Holidays, note: &str) -> Listed {
    let unknown = days.years().is_none().then(|| calendar::Considered::Not.to_string());
    let notes = [Some(note.to_owned()).filter(|note| !note.is_empty()), unknown];
    Listed {
        name: name.to_owned(),
        kind,
        zone: String::new(),
        office: String::new(),
        holidays: days.list(None).len(),
        years: years(days),
        note: notes.into_iter().flatten().collect::<Vec<_>>().join("; "),
    }
}

fn years(days: &Holidays) -> String {
    days.years().map_or_else(String::new, |(first, last)| format!("{first}-{last}"))
}

fn not_taken(unread: &[Unread]) -> String {
    match unread {
        [] => String::new(),
        unread => format!("{} events were not taken", unread.len()),
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 64 && name != DEFAULT && name.bytes().all(allowed)
}

/// What is wrong with a configured calendar, without its holidays; checked before anything runs.
pub fn fault(name: &str, settings: &CalendarSettings) -> Option<String> {
    if !is_name(name) && name != DEFAULT {
        return Some("its name has other characters than a-z, 0-9 and -".to_owned());
    }
    let hours: Hours = match settings.hours() {
        Ok(hours) => hours,
        Err(error) => return Some(error.to_string()),
    };
    Calendar::new(settings.zone(), hours, Holidays::default()).err().map(|error| error.to_string())
}
