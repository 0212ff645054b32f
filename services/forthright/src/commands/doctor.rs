//! `doctor`: findings, each with what to do.

use anyhow::Result;
use app::waves::{Standing, Weight};
use mail::route::Route;
use serde::Serialize;

use super::{DONE, open, route};
use crate::cli::Everywhere;
use crate::output;

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    result: &'static str,
    what: String,
    next: String,
}

fn finding(check: &'static str, result: &'static str, what: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding { check, result, what: what.into(), next: next.into() }
}

pub(super) async fn run(e: &Everywhere) -> Result<u8> {
    let mut findings = Vec::new();
    let app = open(e).await?;
    findings.push(finding("database", "good", "opens, and has all migrations of this program", ""));
    let verified = app::audit::verify(&app).await?;
    findings.push(match verified.broken {
        None => finding("audit", "good", format!("{} entries, unbroken", verified.entries), ""),
        Some(why) => finding("audit", "bad", why, "keep a copy of the store, and find out who changed it"),
    });
    findings.push(disk(e));
    findings.push(sender(&app));
    if let Err(error) = app::directory::must_be_whole(&mut app.store.read().await.map_err(app::AppError::from)?).await {
        let next = error.hint().unwrap_or_default().to_owned();
        findings.push(finding("directory", "warning", error.to_string(), next));
    }
    findings.push(signing(&app));
    findings.push(senders(&app));
    findings.extend(targets(&app));
    findings.extend(policies(&app).await?);
    findings.extend(mailboxes(&app).await?);
    findings.extend(webhooks(&app).await?);
    findings.push(engine(&app).await?);
    findings.extend(unsettled(&app).await?);
    findings.extend(left_out(&app).await?);
    findings.extend(stopped(&app).await?);
    findings.extend(uncertain(&app).await?);
    let routes = route(e)?;
    findings.extend(standing(&app, routes.as_ref()).await?);
    match routes {
        None => findings.push(finding(
            "smtp",
            "warning",
            "neither --smtp nor FORTHRIGHT_SMTP_URL is set",
            "set one before a wave is released",
        )),
        Some(routes) => {
            for route in routes.all() {
                findings.push(match route {
                    Route::Files(folder) => {
                        finding("smtp", "good", format!("mail is written to {}", folder.display()), "")
                    }
                    Route::Smtp(smtp) => greeting(&app, smtp).await,
                });
            }
        }
    }
    let bad = findings.iter().any(|finding| finding.result == "bad");
    if e.json {
        output::json(&findings)?;
    } else {
        let rows =
            findings.into_iter().map(|f| vec![f.check.to_owned(), f.result.to_owned(), f.what, f.next]).collect();
        output::list(e, &["check", "result", "what", "next"], rows)?;
    }
    Ok(if bad { 1 } else { DONE })
}

fn disk(e: &Everywhere) -> Finding {
    match tempfile::NamedTempFile::new_in(&e.data).and_then(|file| file.as_file().set_len(1 << 20)) {
        Ok(()) => finding("disk", "good", format!("{} can be written", e.data.display()), ""),
        Err(error) => finding(
            "disk",
            "bad",
            format!("{}: {error}", e.data.display()),
            "free space, or choose another folder with --data",
        ),
    }
}

fn sender(app: &app::App) -> Finding {
    let address = &app.settings.sender.address;
    if app.settings.sender.domain().contains('.') {
        finding("sender", "good", format!("letters are from {address}"), "")
    } else {
        let next = "set [sender] address in the configuration";
        finding(
            "sender",
            "warning",
            format!("letters are from {address}, a host without a domain: nobody can reply"),
            next,
        )
    }
}

fn signing(app: &app::App) -> Finding {
    let keys = match app::signing::keys(&app.settings) {
        Ok(keys) => keys,
        Err(error) => {
            let next = error.hint().unwrap_or("make one with forthright dkim generate").to_owned();
            return finding("dkim", "bad", error.to_string(), next);
        }
    };
    if keys.is_silent_at(app.clock.now()) {
        let next = "unless the relay signs, make a key with forthright dkim generate";
        return finding("dkim", "warning", "no key signs mail here", next);
    }
    let domains: Vec<&str> = keys.domains_at(app.clock.now()).collect();
    finding("dkim", "good", format!("mail is signed for {}", domains.join(", ")), "")
}

fn senders(app: &app::App) -> Finding {
    let receive = &app.settings.receive;
    if !receive.resolver.is_empty() {
        return finding("receive", "good", format!("{} is asked who may send for a domain", receive.resolver), "");
    }
    let what = "no DNS server is asked about senders: every reply lands, none counts as proven, none is acknowledged; nor about the \
                sending domain, and no wave of more than 100 notices leaves this host";
    finding("receive", "warning", what, "set [receive] resolver in the configuration, for example to `system`")
}

fn targets(app: &app::App) -> Vec<Finding> {
    use model::escalation::Target;
    [Target::Agent, Target::Lead, Target::Counsel, Target::IncidentLead]
        .into_iter()
        .filter(|target| app.settings.targets.address(target).is_none())
        .map(|target| {
            let what = format!("no address for {target}: what escalates to it becomes a task on the overview");
            finding("targets", "warning", what, format!("set [targets] {target} in the configuration"))
        })
        .collect()
}

/// Rungs that lead to nobody. That a role becomes a task is said once, by `targets`.
async fn policies(app: &app::App) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for incident in app::incidents::list(app).await? {
        let slug = &incident.slug;
        let found = app::escalation::check(app, slug).await?.into_iter();
        findings.extend(found.filter(|one| one.result == app::escalation::Outlook::Bad).map(|one| {
            let what = format!("{slug}, policy {}, rung {} {}: {}", one.policy, one.rung, one.target, one.what);
            finding("policies", "warning", what, one.next)
        }));
    }
    Ok(findings)
}

/// Mailboxes that mail is taken from: each is logged into now, and what was found before is told too.
async fn mailboxes(app: &app::App) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (mailbox, found) in app.settings.receive.imap.iter().zip(app::mailboxes::standing(app).await?) {
        let name = &mailbox.name;
        findings.push(match look_into(mailbox).await {
            Ok(what) => finding("imap", "good", what, ""),
            Err((fault, next)) => {
                let since = found.failing_since.map_or_else(String::new, |since| format!(" (since {since})"));
                finding("imap", "bad", format!("mailbox {name}: {fault}{since}"), next)
            }
        });
        if found.refused > 0 {
            let what = format!("{} mails of mailbox {name} could not be taken", found.refused);
            let next = "the overview has a task for each: read it there; `forthright mail receive` takes its file";
            findings.push(finding("imap", "warning", what, next));
        }
    }
    Ok(findings)
}

/// Whether ladders, mails and calls are where they should be. Before the first worker runs that is a warning.
async fn engine(app: &app::App) -> Result<Finding> {
    let report = app::watch::check(app).await?;
    let mut rules: Vec<&str> = report.findings.iter().map(|one| one.rule).collect();
    rules.dedup();
    Ok(match (&rules[..], report.last_tick) {
        ([], last) => {
            let last = last.map_or_else(String::new, |last| format!(", last at {last} on {}", report.host));
            finding("engine", "good", format!("nothing is late{last}"), "")
        }
        (["tick-late"], None) => {
            let next = "start `forthright serve` or `forthright worker`, or run `forthright work --until-idle`";
            finding("engine", "warning", "no worker has looked at ladders yet", next)
        }
        (["tick-late"], Some(last)) => {
            let what = format!("no worker has looked at ladders since {last}");
            finding("engine", "warning", what, "start `forthright serve` or `forthright worker`")
        }
        (rules, _) => {
            let what = format!("{} findings: {}", report.findings.len(), rules.join(", "));
            finding("engine", "bad", what, "run `forthright audit engine`")
        }
    })
}

/// Programs that are told as it happens, and those that cannot be.
async fn webhooks(app: &app::App) -> Result<Vec<Finding>> {
    let standing = app::webhooks::standing(app).await?.into_iter();
    Ok(standing
        .map(|one| match one.fault.as_str() {
            "" => finding("webhooks", "good", format!("webhook {} takes what it is told", one.webhook), ""),
            fault => finding("webhooks", "bad", format!("webhook {}: {fault}", one.webhook), one.next),
        })
        .collect())
}

async fn look_into(mailbox: &app::settings::ImapSettings) -> Result<String, (String, String)> {
    let account =
        mailbox.account().map_err(|error| (error.to_string(), error.hint().unwrap_or_default().to_owned()))?;
    let session = mail::imap::Session::open(&account, mail::imap::Purpose::Look).await;
    let session = session.map_err(|fault| (fault.to_string(), fault.hint().to_owned()))?;
    let tells = if session.can_idle() { "tells of new mail" } else { "is asked for new mail" };
    let keeps = match (&mailbox.after, session.can_take_away()) {
        (app::settings::After::Delete, false) => {
            ", and cannot delete one mail alone: mails stay there, marked as deleted"
        }
        _ => "",
    };
    session.quit().await;
    Ok(format!("mailbox {}: {} lets us in, and {tells}{keeps}", mailbox.name, mailbox.host))
}

/// Whether receivers will believe mail of this sender. Without a name server to ask that was said already.
async fn standing(app: &app::App, routes: Option<&mail::route::Routes>) -> Result<Vec<Finding>> {
    if app.settings.receive.resolver.is_empty() {
        return Ok(Vec::new());
    }
    let routes = routes.map(mail::route::Routes::all);
    let bad = match (routes, app::waves::weight(app, routes)) {
        (Some(_), Weight::Refuses) => "bad",
        _ => "warning",
    };
    let found = app::waves::look(app, routes).await?.into_iter();
    Ok(found
        .map(|one| {
            let result = match one.result {
                Standing::Good => "good",
                // Nobody knows whether it is bad; a large wave waits for it all the same.
                Standing::Unknown | Standing::NotChecked => "unknown",
                Standing::Bad => bad,
            };
            finding(one.check, result, one.what, one.next)
        })
        .collect())
}

/// Waves that rules have stopped.
async fn stopped(app: &app::App) -> Result<Vec<Finding>> {
    let stopped = app::waves::stopped(app).await?.into_iter();
    Ok(stopped
        .map(|stopped| {
            let (slug, wave) = (&stopped.incident, &stopped.wave);
            let what = format!("wave `{wave}` of {slug} was stopped: {}", stopped.why);
            finding(
                "waves",
                "warning",
                what,
                format!("find out why; then `forthright wave resume {slug} {wave} --why …`"),
            )
        })
        .collect())
}

/// Mails that nobody knows the end of, and that go again only if somebody says so.
async fn uncertain(app: &app::App) -> Result<Vec<Finding>> {
    let held = app::delivery::held(app).await?.into_iter();
    Ok(held
        .map(|(slug, count)| {
            let what = format!("{count} mails of {slug} may have arrived and are held until somebody finds out");
            let next = format!(
                "see `forthright delivery uncertain {slug}`; then `delivery relay-log FILE`, or `delivery settle DELIVERY --accepted|--not-accepted --why …`"
            );
            finding("uncertain", "warning", what, next)
        })
        .collect())
}

/// Mail that waits for a person.
async fn unsettled(app: &app::App) -> Result<Vec<Finding>> {
    let unsettled = app::mapping::unsettled(app).await?.into_iter().map(|said| {
        let (tenant, slug) = (&said.tenant, &said.slug);
        let (what, next) = match &said.domains[..] {
            [] => (
                format!(
                    "somebody at tenant {tenant} said in {slug} that nothing is theirs: what is mapped to it waits"
                ),
                format!("if it is theirs after all: `forthright mapping settle {slug} {tenant} --why …`"),
            ),
            domains => (
                format!(
                    "somebody at tenant {tenant} says in {slug} that {} is not theirs: all mail to it waits",
                    domains.join(", ")
                ),
                format!("run `forthright mapping review {slug} --list conflict`"),
            ),
        };
        finding("disputes", "warning", what, next)
    });
    Ok(unsettled.collect())
}

/// Organisations whose letter could not be written.
async fn left_out(app: &app::App) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for incident in app::incidents::list(app).await? {
        let slug = &incident.slug;
        let missing = app::notices::without_letter(app, slug, 20).await?.into_iter();
        findings.extend(missing.filter(|one| !one.why.is_empty()).map(|one| {
            let what =
                format!("tenant {} is affected in {slug} and has no letter of today: {}", one.tenant_id, one.why);
            finding("letters", "warning", what, one.next)
        }));
    }
    Ok(findings)
}

async fn greeting(app: &app::App, smtp: &mail::route::SmtpRoute) -> Finding {
    match mail::smtp::Connection::open(smtp, app::delivery::hello(app), &mail::smtp::Deadlines::default()).await {
        Ok(connection) => {
            let tls = connection.tls().map_or_else(|| "without TLS".to_owned(), |tls| format!("with {tls}"));
            connection.quit().await;
            finding("smtp", "good", format!("{}:{} greets {tls}", smtp.host(), smtp.port()), "")
        }
        Err(fault) => finding(
            "smtp",
            "bad",
            format!("{}:{}: {fault}", smtp.host(), smtp.port()),
            "check that it runs and that --smtp is right",
        ),
    }
}
