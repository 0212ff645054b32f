//! The sending domain, looked at before many notices leave: a thousand letters in spam folders are told nobody.
//!
//! Asks DNS outside of any transaction. Invariant: a check without an answer counts as one that failed.

use mail::route::Route;
use mail::standing::{Finding, Sending, Standing};
use store::Conn;
use store::waves::Troubled;

use super::Release;
use crate::delivery::Selection;
use crate::{App, AppError, Incident, SYSTEM};

/// How the reason begins why such a wave was stopped (`store::waves` knows it by that).
pub(super) const NOT_IN_ORDER: &str = "the sending domain is not in order";
/// The same, where nothing was found to be wrong and DNS was silent.
pub(super) const SILENT: &str = "the sending domain is not in order as far as anybody can tell";

pub(super) const BY_ITSELF: &str = "it goes on by itself once DNS answers well, or";

/// More notices than this, over all waves of an incident, leave only by a sending domain that is in order. A handful
/// hurts nobody, and shows whether mail arrives.
pub const CHECKED_ABOVE: i64 = 100;

/// What a finding that is not good means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Many notices wait for it.
    Refuses,
    /// It is said: mail stays on this host, or is a rehearsal.
    Warns,
}

/// By where mail leaves. Where that is not known here, what is asked for by configuration counts.
pub fn weight(app: &App, routes: Option<&[Route]>) -> Weight {
    let leaves = match routes {
        Some(routes) => !routes.iter().all(Route::is_loopback),
        None => app.prover.is_some(),
    };
    if leaves && !app.rehearsal { Weight::Refuses } else { Weight::Warns }
}

/// Looks at the sending domain.
pub async fn look(app: &App, routes: Option<&[Route]>) -> Result<Vec<Finding>, AppError> {
    let Some(senders) = &app.prover else {
        let what = "could not be checked: no name server is named that could be asked about the sending domain";
        let next = "set [receive] resolver in the configuration, for example to `system`";
        return Ok(vec![Finding::new("dns", Standing::NotChecked, what, next)]);
    };
    let sender = &app.settings.sender;
    let keys = crate::signing::keys(&app.settings)?;
    let sending = Sending {
        domain: sender.domain(),
        hello: sender.hello(),
        keys: keys.records_at(app.clock.now()).collect(),
        routes: routes.unwrap_or_default(),
        leaves_from: &sender.leaves_from,
    };
    Ok(mail::standing::look(senders.prover(), &sending).await)
}

/// What was found before the transaction of a release.
#[derive(Debug)]
pub(crate) struct Looked {
    findings: Option<Vec<Finding>>,
    weight: Weight,
}

/// Looks, if a release can become a large one.
pub(crate) async fn look_before(app: &App, incident: &Incident, release: &Release<'_>) -> Result<Looked, AppError> {
    let weight = weight(app, release.routes);
    let mut conn = app.store.read().await?;
    let approved = store::notices::in_state(&mut conn, incident.id, "approved").await?.len();
    let most = match release.selection {
        Selection::All => approved,
        Selection::Tenants(tenants) => tenants.len().min(approved),
        Selection::Pilot(count) => approved.min(*count),
    };
    let most = earlier(&mut conn, incident).await? + i64::try_from(most).unwrap_or(i64::MAX);
    if most <= CHECKED_ABOVE {
        return Ok(Looked { findings: None, weight });
    }
    let links = links(app, &mut conn, incident).await?;
    drop(conn);
    let mut findings = look(app, release.routes).await?;
    findings.extend(links);
    Ok(Looked { findings: Some(findings), weight })
}

/// Links of letters are judged at approval; the words that all are written from, and the hosts, may have changed since.
async fn links(app: &App, conn: &mut Conn, incident: &Incident) -> Result<Option<Finding>, AppError> {
    let outside = crate::notices::links_outside(app, conn, incident).await?;
    let bad = |said| Finding::new("links", Standing::Bad, said, crate::notices::LINKS_NEXT);
    Ok(outside.into_iter().chain(verify_page_outside(app)).next().map(bad))
}

/// The page at which a reader checks a code stands in every notice, too.
fn verify_page_outside(app: &App) -> Option<String> {
    let page = &app.settings.sender.verify_page;
    let own = app.own_hosts();
    let outside = own.outside(page).into_iter().next();
    outside.map(|link| format!("verify_page in [sender]: `{}` is no host under {}", link.written, own.domain()))
}

/// Notices of the waves so far.
async fn earlier(conn: &mut Conn, incident: &Incident) -> Result<i64, AppError> {
    Ok(store::waves::list(conn, incident.id).await?.iter().map(|wave| wave.notices).sum())
}

/// Refuses a large release by a domain that is not in order; what speaks against it where it goes on all the same.
pub(crate) async fn must_be_in_order(
    conn: &mut Conn,
    incident: &Incident,
    looked: Looked,
    chosen: usize,
    override_why: Option<&str>,
) -> Result<Vec<Finding>, AppError> {
    let notices = earlier(conn, incident).await? + i64::try_from(chosen).unwrap_or(i64::MAX);
    if notices <= CHECKED_ABOVE {
        return Ok(Vec::new());
    }
    let Some(mut findings) = looked.findings else {
        return Err(AppError::Later {
            what: "notices were approved while the wave was being released".to_owned(),
            hint: "run the same command again".to_owned(),
        });
    };
    findings.retain(|finding| finding.result.refuses());
    if findings.is_empty() || looked.weight == Weight::Warns || override_why.is_some() {
        return Ok(findings);
    }
    Err(AppError::refused(
        format!("cannot release: {notices} notices would leave, and {}", not_in_order(&findings)),
        "put it in order and look again with `forthright doctor`; or say why it leaves all the same: --override REASON",
    ))
}

/// In words, a line a finding.
fn not_in_order(findings: &[Finding]) -> String {
    format!("{NOT_IN_ORDER}:{}", lines(findings))
}

fn lines(findings: &[Finding]) -> String {
    let line = |one: &Finding| format!("\n  {} ({}): {}; {}", one.check, one.result.as_str(), one.what, one.next);
    findings.iter().map(line).collect()
}

/// Large waves were released where mail stays on the host, and here it goes further: they stop unless the sending domain
/// is in order by now. Until then none of their mail is claimed here. How many were looked at.
pub async fn look_again(app: &App, routes: &[Route]) -> Result<usize, AppError> {
    if weight(app, Some(routes)) == Weight::Warns {
        return Ok(0);
    }
    let waves = store::waves::unchecked(&mut app.store.read().await?).await?;
    judge(app, routes, &waves, News::Any).await
}

/// Waves that stopped only because DNS gave no answer are looked at again: they go on by themselves where it answers
/// well, and say what is wrong where it does not. How many were looked at.
pub async fn look_at_silent(app: &App, routes: &[Route]) -> Result<usize, AppError> {
    if weight(app, Some(routes)) == Weight::Warns {
        return Ok(0);
    }
    let waves = store::waves::silent(&mut app.store.read().await?, SILENT).await?;
    judge(app, routes, &waves, News::Answers).await
}

/// What is written down of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// Whatever came of it.
    Any,
    /// That DNS answered: that it is silent still is known.
    Answers,
}

async fn judge(app: &App, routes: &[Route], waves: &[Troubled], news: News) -> Result<usize, AppError> {
    if waves.is_empty() {
        return Ok(0);
    }
    let mut findings = look(app, Some(routes)).await?;
    findings.retain(|finding| finding.result.refuses());
    let is_silent = !findings.is_empty() && findings.iter().all(|finding| finding.result == Standing::NotChecked);
    if is_silent && news == News::Answers {
        // What its links lead to was looked at when it stopped.
        return Ok(waves.len());
    }
    let app = app.acting_as(SYSTEM);
    let of_domain = findings;
    for wave in waves {
        let mut findings = of_domain.clone();
        let mut conn = app.store.read().await?;
        let incident = app.incident_by_id(&mut conn, wave.incident_id).await?;
        findings.extend(links(&app, &mut conn, &incident).await?);
        drop(conn);
        let is_silent = !findings.is_empty() && findings.iter().all(|finding| finding.result == Standing::NotChecked);
        let mut tx = app.store.begin().await?;
        let detail = serde_json::json!({ "wave": wave.name, "findings": findings });
        let now = app.clock.now().micros();
        if findings.is_empty() {
            if store::waves::pass(&mut tx, &wave.id, SILENT).await? {
                tx.commit(app.entry("wave.check", &wave.slug, detail)).await?;
            }
            continue;
        }
        let why = match is_silent {
            false => not_in_order(&findings),
            true => format!(
                "{SILENT}: DNS gave no answer{}\n  {BY_ITSELF} by `forthright wave resume {} '{}' --why …`",
                lines(&findings),
                wave.slug,
                wave.name
            ),
        };
        if store::waves::stop_unchecked(&mut tx, wave, &why, now).await? {
            tracing::warn!(wave.id = wave.id, "a wave was stopped: its sending domain is not in order");
            tx.commit(app.entry("wave.stop", &wave.slug, detail)).await?;
        }
    }
    Ok(waves.len())
}
