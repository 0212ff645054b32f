//! `wave` and `delivery`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use app::delivery::{Proof, Proved, Said, Selection, Uncertain};
use app::waves::{Forecast, Found, Release};
use mail::route::Routes;
use model::pace::Limits;

use super::notices::without_letter;
use super::{DONE, PARTIAL, open, say};
use crate::cli::{DeliveryVerb, Everywhere, WaveVerb};
use crate::output;

pub(super) async fn wave(e: &Everywhere, verb: WaveVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        WaveVerb::Release { slug, name, all: _, tenants, pilot, pace, pace_per_system, per_day, override_why } => {
            let selection = match (tenants, pilot) {
                (Some(file), _) => Selection::Tenants(
                    sources::read_list(&file).map_err(app::AppError::from)?.into_iter().map(|(_, id)| id).collect(),
                ),
                (None, Some(count)) => Selection::Pilot(count),
                (None, None) => Selection::All,
            };
            let routes = super::route(e)?;
            let release = Release {
                limits: Limits { pace, per_system: pace_per_system, per_day },
                routes: routes.as_ref().map(Routes::all),
                override_why: override_why.as_deref(),
                ..Release::new(&name, &selection)
            };
            let released = app::delivery::release(&app, &slug, &release).await?;
            output::document(e, &released)?;
            for finding in &released.warnings {
                say(e, format!("warning: {}: {}; {}", finding.check, finding.what, finding.next));
            }
            without_letter(e, &app, &slug).await?;
            return Ok(if released.left_out.is_empty() { DONE } else { PARTIAL });
        }
        WaveVerb::Pause { slug, name } => {
            let said = match app::waves::pause(&app, &slug, &name).await? {
                Found::Changed => format!("wave {name} waits until `forthright wave resume {slug} {name}`"),
                Found::Already => format!("wave {name} waits already: see `forthright wave list {slug}`"),
            };
            say(e, said);
        }
        WaveVerb::Resume { slug, name, why } => {
            let said = match app::waves::resume(&app, &slug, &name, why.as_deref()).await? {
                Found::Changed => format!("wave {name} goes on where it stopped"),
                Found::Already => format!("wave {name} was not waiting: nothing is changed"),
            };
            say(e, said);
        }
        WaveVerb::Forecast { slug } => forecast(e, &app::waves::forecast(&app, &slug).await?)?,
        WaveVerb::List { slug } => {
            let rows = app::delivery::waves(&app, &slug).await?.into_iter().map(|wave| {
                vec![
                    wave.name,
                    wave.released_by,
                    output::time(Some(wave.released_at)),
                    wave.notices.to_string(),
                    wave.mails.to_string(),
                    wave.accepted.to_string(),
                    wave.pace.map(|pace| format!("{pace}/s")).unwrap_or_default(),
                    output::time(wave.paused_at),
                    wave.stopped_why.unwrap_or_default(),
                    wave.pace_per_system.map(|pace| format!("{pace}/s")).unwrap_or_default(),
                    wave.per_day.map(|most| most.to_string()).unwrap_or_default(),
                ]
            });
            let header = [
                "wave",
                "released_by",
                "released_at",
                "notices",
                "mails",
                "accepted",
                "pace",
                "paused_at",
                "stopped",
                "pace_per_system",
                "per_day",
            ];
            output::list(e, &header, rows.collect())?;
        }
    }
    Ok(DONE)
}

/// A line a wave, then one a deadline.
fn forecast(e: &Everywhere, forecast: &Forecast) -> Result<()> {
    if e.json {
        return output::json(forecast);
    }
    let time = |at: Option<model::time::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let waves = forecast.waves.iter().map(|wave| {
        vec!["ends".to_owned(), wave.wave.clone(), wave.left.to_string(), time(wave.ends_at), wave.why.clone()]
    });
    let missed = forecast.missed.iter().map(|missed| {
        let why = format!("{}: so many organisations are told later", missed.jurisdiction);
        let count = missed.organisations.to_string();
        vec!["misses".to_owned(), missed.obligation.clone(), count, time(Some(missed.due)), why]
    });
    output::list(e, &["what", "name", "count", "at", "why"], waves.chain(missed).collect())
}

pub(super) async fn delivery(e: &Everywhere, verb: DeliveryVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        // JSON with and without --json, as `mapping explain`: one document for people's scripts.
        DeliveryVerb::Status { slug } => {
            output::json(&app::overview::status(&app, &slug).await?)?;
            without_letter(e, &app, &slug).await?;
        }
        DeliveryVerb::List { slug } => {
            let rows = app::delivery::list(&app, &slug).await?.into_iter().map(|row| {
                vec![
                    row.id,
                    row.notice_id.unwrap_or_default(),
                    row.tenant_id.unwrap_or_default(),
                    row.address,
                    row.state,
                    row.attempts.to_string(),
                    row.message_id,
                    row.last_reply,
                ]
            });
            let header =
                ["delivery_id", "notice_id", "tenant_id", "contact", "state", "attempts", "message_id", "last_reply"];
            output::list(e, &header, rows.collect())?;
        }
        DeliveryVerb::Uncertain { slug } => uncertain(e, &app::delivery::uncertain(&app, &slug).await?)?,
        DeliveryVerb::Settle { delivery, accepted, not_accepted: _, why } => {
            let said = if accepted { Said::Accepted } else { Said::NotAccepted };
            app::delivery::settle(&app, &delivery, said, &why).await?;
            say(
                e,
                match said {
                    Said::Accepted => format!("{delivery} is accepted"),
                    Said::NotAccepted => format!("{delivery} goes again, with the same Message-ID"),
                },
            );
        }
        DeliveryVerb::RelayLog { file, preview } => {
            let proof = if preview { Proof::Shown } else { Proof::Kept };
            let name = file.display().to_string();
            proved(e, &app::delivery::by_relay_log(&app, log(&file)?, &name, proof).await?)?;
        }
        DeliveryVerb::Disclosures { slug, tenant } => {
            let rows = app::delivery::disclosures(&app, &slug, tenant.as_deref()).await?.into_iter().map(|row| {
                vec![
                    row.tenant_id,
                    row.contact,
                    row.notice_id,
                    row.version.to_string(),
                    row.kind,
                    row.domains.join(" "),
                    row.no_longer_theirs.join(" "),
                    row.accepted_at.map(|at| at.to_string()).unwrap_or_default(),
                    row.state,
                    row.message_id,
                ]
            });
            let header = [
                "tenant_id",
                "contact",
                "notice_id",
                "version",
                "kind",
                "domains",
                "no_longer_theirs",
                "accepted_at",
                "state",
                "message_id",
            ];
            output::list(e, &header, rows.collect())?;
        }
    }
    Ok(DONE)
}

fn uncertain(e: &Everywhere, mails: &[Uncertain]) -> Result<()> {
    if e.json {
        return output::json(&mails);
    }
    let time = |at: Option<model::time::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let rows = mails.iter().map(|mail| {
        vec![
            mail.delivery.clone(),
            mail.tenant_id.clone().unwrap_or_default(),
            mail.contact.clone(),
            time(mail.since),
            mail.route.clone(),
            mail.message_id.clone(),
            mail.attempts.to_string(),
            mail.again_at.map_or_else(|| "held".to_owned(), |at| at.to_string()),
            mail.last_reply.clone(),
        ]
    });
    let header =
        ["delivery_id", "tenant_id", "contact", "since", "route", "message_id", "attempts", "again_at", "last_reply"];
    output::list(e, &header, rows.collect())?;
    if !mails.is_empty() {
        say(
            e,
            "what a relay's log proves: `forthright delivery relay-log FILE --preview`; what you found out yourself:",
        );
        say(e, "`forthright delivery settle DELIVERY --accepted|--not-accepted --why …`");
    }
    Ok(())
}

fn proved(e: &Everywhere, mails: &[Proved]) -> Result<()> {
    if e.json {
        return output::json(&mails);
    }
    let rows = mails.iter().map(|mail| {
        let result = mail.result.to_owned();
        vec![mail.delivery.clone(), mail.contact.clone(), mail.message_id.clone(), result, mail.because.clone()]
    });
    output::list(e, &["delivery_id", "contact", "message_id", "result", "because"], rows.collect())
}

fn log(file: &Path) -> Result<Box<dyn BufRead + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let open = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    Ok(Box::new(BufReader::new(open)))
}
