//! One function a verb: parse what is left, call one `app` function, present.
//!
//! Opens the store and the route; holds no rule.

mod approval;
mod calendar;
mod conversation;
mod delivery;
mod directory;
mod dkim;
mod doctor;
mod duties;
mod escalation;
mod exposure;
mod law;
mod notices;
mod report;
mod running;
mod templates;
mod webhooks;

pub(crate) use running::{serve_with_workers, stop_on_signal};

use anyhow::{Context, Result};
use app::{App, Made};
use mail::route::Routes;
use store::Database;

use crate::cli::{AuditVerb, Cli, Everywhere, IncidentVerb, StoreVerb, Verb};
use crate::output::{self, Usage};

/// Everything done.
pub(crate) const DONE: u8 = 0;
/// Something could not be done, and was said.
pub(crate) const FAILED: u8 = 1;
/// Some rows were rejected; the others were used.
pub(crate) const PARTIAL: u8 = 3;
/// Policy says no.
pub(crate) const REFUSED: u8 = 4;

/// Runs the verb; the exit code.
pub(crate) async fn run(cli: Cli) -> Result<u8> {
    let Cli { everywhere, verb } = cli;
    let e = &everywhere;
    match verb {
        Verb::Demo { no_serve, port } => crate::demo::run(e, no_serve, port).await,
        Verb::Serve { listen, no_workers } => running::serve(e, listen, no_workers).await,
        Verb::Worker => running::worker(e).await,
        Verb::Work { until_idle: _, timeout } => running::work(e, timeout).await,
        Verb::Store(verb) => store_verb(e, verb).await,
        Verb::Doctor => doctor::run(e).await,
        Verb::Incident(verb) => incident(e, verb).await,
        Verb::Directory(verb) => directory::directory(e, verb).await,
        Verb::Exposure(verb) => exposure::exposure(e, verb).await,
        Verb::Contact(verb) => directory::contact(e, verb).await,
        Verb::Mapping(verb) => directory::mapping(e, verb).await,
        Verb::Notice(verb) => notices::notice(e, verb).await,
        Verb::Templates(verb) => templates::templates(e, verb).await,
        Verb::Dkim(verb) => dkim::dkim(e, verb).await,
        Verb::Report(verb) => report::report(e, verb).await,
        Verb::Wave(verb) => delivery::wave(e, verb).await,
        Verb::Stop => stop(e, app::incidents::Stop::Now).await,
        Verb::Go => stop(e, app::incidents::Stop::NoLonger).await,
        Verb::Delivery(verb) => delivery::delivery(e, verb).await,
        Verb::Mail(verb) => conversation::mail(e, verb).await,
        Verb::Ticket(verb) => conversation::ticket(e, verb).await,
        Verb::Question(verb) => conversation::question(e, verb).await,
        Verb::Snippet(verb) => conversation::snippet(e, verb).await,
        Verb::Escalation(verb) => escalation::run(e, verb).await,
        Verb::Webhook(verb) => webhooks::webhook(e, verb).await,
        Verb::Duty(verb) => duties::duty(e, verb).await,
        Verb::Contract(verb) => duties::contract(e, verb).await,
        Verb::Calendar(verb) => calendar::calendar(e, verb).await,
        Verb::Audit(verb) => audit(e, verb).await,
    }
}

/// The store as the options say.
pub(crate) async fn open(e: &Everywhere) -> Result<App> {
    let database = Database::parse(e.database.as_deref(), &e.data).map_err(app::AppError::from)?;
    let master_key = crate::config::secret("FORTHRIGHT_MASTER_KEY")?;
    let opening = opening(e, &database, master_key.as_deref())?;
    Ok(App::open(opening).await?)
}

fn opening<'a>(e: &'a Everywhere, database: &'a Database, master_key: Option<&'a str>) -> Result<app::Opening<'a>> {
    Ok(app::Opening {
        database,
        data: &e.data,
        master_key,
        now: e.now,
        settings: crate::config::load(e.config.as_deref())?,
        actor: actor(e)?,
    })
}

/// Who acts. A name that was given is refused where it is nobody's; a login that is (of a service, say) is called one.
fn actor(e: &Everywhere) -> Result<String> {
    if let Some(given) = e.actor.as_deref().filter(|name| !name.trim().is_empty()) {
        let hint = || "name the person who acts, in letters of one script: --actor NAME".to_owned();
        return match model::actor::name(given) {
            Ok(name) => Ok(name.to_owned()),
            Err(error) => Err(Usage { what: format!("--actor: {error}"), hint: hint() }.into()),
        };
    }
    let login = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    Ok(match (model::actor::name(&login), login.trim()) {
        (Ok(name), _) => name.to_owned(),
        (Err(_), "") => "root".to_owned(),
        (Err(_), login) => format!("login {}", model::printed::on_one_line(login)),
    })
}

/// Where mail goes, if that was said.
pub(crate) fn route(e: &Everywhere) -> Result<Option<Routes>> {
    let url = match &e.smtp {
        Some(url) => Some(url.clone()),
        None => crate::config::secret("FORTHRIGHT_SMTP_URL")?,
    };
    let Some(url) = url.filter(|url| !url.trim().is_empty()) else { return Ok(None) };
    let hint = "write it as smtp://HOST:25, smtps://HOST, several of them with spaces between, or file:DIR".to_owned();
    let bad = |error: mail::route::RouteError| anyhow::Error::new(Usage { what: format!("--smtp: {error}"), hint });
    Routes::parse(&url).map(Some).map_err(bad)
}

/// A text that somebody wrote into a file, or into standard input.
pub(crate) fn text_of(path: &std::path::Path) -> Result<String> {
    if path.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).context("cannot read standard input");
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read the text {}", path.display()))
}

/// Talk on standard error, unless --quiet.
pub(crate) fn say(e: &Everywhere, text: impl AsRef<str>) {
    if !e.quiet {
        eprintln!("{}", model::printed::printed(text.as_ref()));
    }
}

async fn store_verb(e: &Everywhere, verb: StoreVerb) -> Result<u8> {
    let database = Database::parse(e.database.as_deref(), &e.data).map_err(app::AppError::from)?;
    let master_key = crate::config::secret("FORTHRIGHT_MASTER_KEY")?;
    let opening = opening(e, &database, master_key.as_deref())?;
    match verb {
        StoreVerb::Init { rehearsal } => {
            App::init(opening, if rehearsal { Made::ForRehearsal } else { Made::ForReal }).await?;
            say(e, format!("the store is ready: {database:?}{}", if rehearsal { ", a rehearsal" } else { "" }));
        }
        StoreVerb::Migrate => {
            let store = store::Store::connect(&database).await.map_err(app::AppError::from)?;
            store.migrate().await.map_err(app::AppError::from)?;
            say(e, format!("the store has all migrations of this program: {database:?}"));
        }
    }
    Ok(DONE)
}

async fn incident(e: &Everywhere, verb: IncidentVerb) -> Result<u8> {
    match verb {
        IncidentVerb::Open { file } => {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read the incident file {}", file.display()))?;
            let parsed = incident_file(&text).with_context(|| {
                format!(
                    "the incident file {} cannot be used; it needs slug, title, vendor and discovered_at",
                    file.display()
                )
            })?;
            let slug = app::incidents::open(&open(e).await?, parsed).await?;
            output::document(e, &serde_json::json!({ "incident": slug }))?;
        }
        IncidentVerb::List => {
            let rows = app::incidents::list(&open(e).await?).await?;
            let lines = rows.into_iter().map(|row| {
                vec![
                    row.slug,
                    row.title,
                    row.vendor,
                    output::time(Some(row.discovered_at)),
                    output::time(Some(row.opened_at)),
                ]
            });
            output::list(e, &["incident", "title", "vendor", "discovered_at", "opened_at"], lines.collect())?;
        }
        IncidentVerb::Show { slug } => {
            let app = open(e).await?;
            let incident = app.incident(&slug).await?;
            let events = app::incidents::events(&app, &slug).await?;
            // What was put right stays in the list.
            let last = |name: &str| events.iter().filter(|event| event.name == name).map(|event| event.nth).max();
            let events: Vec<_> = events
                .iter()
                .map(|event| {
                    serde_json::json!({
                        "event": event.name, "at": output::time(Some(event.at)), "why": event.why,
                        "actor": event.actor, "recorded_at": output::time(Some(event.recorded_at)),
                        "counts": last(&event.name) == Some(event.nth),
                    })
                })
                .collect();
            output::document(e, &serde_json::json!({ "incident": incident.facts, "events": events }))?;
        }
        IncidentVerb::Erase { slug, why } => {
            let app = open(e).await?;
            exposure::sweep_spools(e).context("cannot look for what killed imports left in the data folder")?;
            let erased = app::intake::erase(&app, &slug, &why).await?;
            output::document(e, &erased)?;
            say(e, format!("erased: the exposed persons and objects of {slug}; backups made before still hold them"));
        }
        IncidentVerb::State { slug, element, text } => {
            app::incidents::state(&open(e).await?, &slug, &element, &text_of(&text)?).await?;
            say(e, format!("stated: notices say it once `forthright notice draft {slug}` has run"));
        }
        IncidentVerb::Timeline { slug } => return duties::timeline(e, &slug).await,
        IncidentVerb::NextUpdate { slug, by, sent, why } => return duties::next_update(e, &slug, by, sent, &why).await,
        IncidentVerb::Event { slug, name, at, why, correct } => {
            let record = if correct { app::incidents::Record::Correction } else { app::incidents::Record::First };
            app::incidents::event(&open(e).await?, &slug, &name, at, &why, record).await?;
            say(e, format!("recorded: {slug} {name} at {at}"));
        }
    }
    Ok(DONE)
}

/// TOML has times of its own: `discovered_at = 2022-09-24T08:00:00Z` means the same with and without quotes.
fn incident_file(text: &str) -> Result<app::incidents::IncidentFile> {
    let mut table: toml::Table = text.parse()?;
    if let Some(value) = table.get_mut("discovered_at")
        && let toml::Value::Datetime(time) = value
    {
        *value = toml::Value::String(time.to_string());
    }
    Ok(table.try_into()?)
}

async fn stop(e: &Everywhere, stop: app::incidents::Stop) -> Result<u8> {
    app::incidents::set_stopped(&open(e).await?, stop).await?;
    match stop {
        app::incidents::Stop::Now => say(e, "stopped: no new mail leaves anywhere until `forthright go`"),
        app::incidents::Stop::NoLonger => say(e, "mail goes on"),
    }
    Ok(DONE)
}

async fn audit(e: &Everywhere, verb: AuditVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        AuditVerb::Verify => {
            let verified = app::audit::verify(&app).await?;
            output::document(e, &verified)?;
            Ok(u8::from(verified.broken.is_some()))
        }
        AuditVerb::Engine => engine(e, &app::watch::check(&app).await?),
        AuditVerb::Export { slug, file } => {
            app.incident(&slug).await?;
            let mut text = String::new();
            for entry in app::audit::export(&app).await? {
                text.push_str(&serde_json::to_string(&entry)?);
                text.push('\n');
            }
            std::fs::write(&file, text).with_context(|| format!("cannot write the audit export {}", file.display()))?;
            say(e, format!("wrote {}", file.display()));
            Ok(DONE)
        }
    }
}

fn engine(e: &Everywhere, report: &app::watch::Report) -> Result<u8> {
    if e.json {
        output::json(report)?;
    } else {
        let rows = report
            .findings
            .iter()
            .map(|one| [one.rule, &one.id, &one.about, one.what, one.next].map(str::to_owned).to_vec());
        output::list(e, &["rule", "id", "about", "what", "next"], rows.collect())?;
    }
    Ok(if report.passed { DONE } else { FAILED })
}
