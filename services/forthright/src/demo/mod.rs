//! The whole story on a sample incident: the same verbs, a real SMTP conversation, a store of its own.
//!
//! Touches no real store: the demo works in a temporary folder, a rehearsal, so that its clock can be moved. Every
//! figure it prints is read back from that store.

mod sink;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use app::delivery::Selection;
use app::directory::{Files, Mode};
use app::intake::{Again, Import};
use app::notices::Drafts;
use app::waves::Release;
use app::{App, Made, Opening, Settings};
use mail::route::Routes;
use model::time::Timestamp;
use sink::{Kept, Sink};
use store::Database;

use crate::cli::Everywhere;

const DIRECTORY: &str = include_str!("../../../../tests/data/sample/directory.csv");
const CONTACTS: &str = include_str!("../../../../tests/data/sample/contacts.csv");
const MANIFEST: &str = include_str!("../../../../tests/data/sample/manifest.csv");
const SHARED: &str = include_str!("../../../../tests/data/sample/freemail.txt");

const SLUG: &str = "bluebleed";
/// The morning after the discovery, on the demo's clock.
const MORNING: &str = "2022-09-25T09:00:00Z";

/// Plays the story; then serves its page, unless told not to.
pub(crate) async fn run(_e: &Everywhere, no_serve: bool, port: u16) -> Result<u8> {
    let folder =
        tempfile::Builder::new().prefix("forthright-demo-").tempdir().context("cannot make a folder for the demo")?;
    let sink = Sink::start().await.context("cannot start the demo's mail server on loopback")?;
    let stage = Stage { folder: folder.path(), sink };
    let app = stage.play().await?;
    if no_serve {
        return Ok(crate::commands::DONE);
    }
    let listener = web::bind(std::net::SocketAddr::from(([127, 0, 0, 1], port))).await?;
    println!();
    println!(
        "The page of this incident: http://{}/  (Ctrl-C ends the demo and removes its store)",
        listener.local_addr()?
    );
    let stop = crate::commands::stop_on_signal();
    let route = Routes::parse(&stage.sink.url())?;
    crate::commands::serve_with_workers(app, listener, Some(route), workers::Receivers::default(), stop).await?;
    Ok(crate::commands::DONE)
}

struct Stage<'a> {
    folder: &'a Path,
    sink: Sink,
}

impl Stage<'_> {
    async fn play(&self) -> Result<App> {
        let morning: Timestamp = MORNING.parse()?;
        let analyst = self.open(morning, "analyst").await?;
        self.intake(&analyst).await?;
        self.notices(&analyst).await?;
        self.sending(&analyst).await?;
        let (ticket, open) = self.replies(&analyst).await?;
        self.refusal(&analyst, &ticket, &open).await?;
        self.next_day(morning, &ticket).await
    }

    /// The store at a time of the demo's clock; made the first time.
    async fn open(&self, now: Timestamp, actor: &str) -> Result<App> {
        let database = Database::Sqlite(self.folder.join("forthright.db"));
        let mut settings = Settings::default();
        settings.sender.address = "incident-response@vendor.example".to_owned();
        let opening = Opening {
            database: &database,
            data: self.folder,
            master_key: None,
            now: Some(now),
            settings,
            actor: actor.to_owned(),
        };
        Ok(App::init(opening, Made::ForRehearsal).await?)
    }

    fn file(&self, name: &str, text: &str) -> Result<std::path::PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    async fn work(&self, app: &App) -> Result<()> {
        let route = Routes::parse(&self.sink.url())?;
        workers::work_until_idle(app.clone(), Some(route), Some(Duration::from_secs(120))).await?;
        Ok(())
    }

    async fn intake(&self, app: &App) -> Result<()> {
        let incident: app::incidents::IncidentFile = toml::from_str(INCIDENT)?;
        app::incidents::open(app, incident).await?;
        step(
            1,
            "Incident `bluebleed` is open: a storage server of Example Cloud was readable by anybody, found on 2022-09-24.",
        );
        let contacts = self.file("contacts.csv", CONTACTS)?;
        let organisations = self.file("directory.csv", DIRECTORY)?;
        let files = Files {
            organisations: Some(&organisations),
            contacts: Some(&contacts),
            format: None,
            origin: "directory",
            ids: app::directory::Ids::OfThisDirectory,
        };
        let difference = app::directory::import(app, &files, Mode::Write).await?;
        let (tenants, domains, people) = store::directory::counts(&mut app.store.read().await?).await?;
        step(
            2,
            &format!(
                "The directory has {tenants} customers with {domains} domains and {people} contacts ({} entries new).",
                difference.added
            ),
        );
        app::intake::share(app, SLUG, &self.file("freemail.txt", SHARED)?).await?;
        let manifest = self.file("manifest.csv", MANIFEST)?;
        let options = sources::Options::default();
        let import = Import { path: &manifest, name: "manifest.csv", options: &options, again: Again::No };
        app::intake::import(app, SLUG, &import, |_| {}).await?;
        let totals = app::intake::totals(app, SLUG).await?;
        let rejected = totals.rejected_columns + totals.rejected_no_domain + totals.rejected_bad_domain;
        step(
            3,
            &format!(
                "The manifest has {} rows: {} accepted, {rejected} kept as rejects with line and reason. They are {} references to {} distinct objects of {} organisation domains.",
                totals.rows, totals.accepted_rows, totals.organisation_rows, totals.objects, totals.organisations
            ),
        );
        step(
            4,
            &format!(
                "Mapping finds {} customers; {} domains have no owner in the directory and wait on a work list.",
                totals.tenants_affected, totals.unmapped_organisations
            ),
        );
        Ok(())
    }

    async fn notices(&self, analyst: &App) -> Result<()> {
        let drafted = app::notices::draft(analyst, SLUG).await?;
        step(
            5,
            &format!(
                "{} notices are drafted by analyst, each from its own organisation's facts; {} affected customer has no contact.",
                drafted.drafted, drafted.without_contact
            ),
        );
        let first = app::notices::list(analyst, SLUG).await?.into_iter().next().context("no notice was drafted")?;
        let text = app::notices::preview(analyst, SLUG, &first.tenant_id, app::notices::Format::Text, None).await?;
        for line in String::from_utf8_lossy(&text).lines().take(24) {
            println!("      | {line}");
        }
        println!("      | …");
        let approved = app::notices::approve(&analyst.acting_as("counsel"), SLUG, &Drafts::All, None).await?;
        step(
            6,
            &format!("counsel approves {} notices; from here on they are frozen, byte for byte.", approved.approved),
        );
        Ok(())
    }

    async fn sending(&self, analyst: &App) -> Result<()> {
        let released =
            app::delivery::release(&analyst.acting_as("lead"), SLUG, &Release::new("everybody", &Selection::All))
                .await?;
        step(
            7,
            &format!(
                "lead releases {} notices: {} mails, one row each before the first byte.",
                released.notices, released.mails
            ),
        );
        self.work(analyst).await?;
        let status = app::overview::status(analyst, SLUG).await?;
        step(
            8,
            &format!(
                "The mail server took {} mails. Coverage: {} affected = {} accepted + {} in progress + {} unreachable + {} withheld + {} waiting for mapping + {} not released; remainder {}.",
                self.sink.kept().len(),
                status.affected,
                status.accepted,
                status.in_progress,
                status.unreachable,
                status.withheld,
                status.waiting_for_mapping,
                status.not_released,
                status.remainder
            ),
        );
        Ok(())
    }

    /// Three answers come in; the ticket of the person who asks, and the question that stays open.
    async fn replies(&self, app: &App) -> Result<(String, String)> {
        let kept = self.sink.kept();
        let [person, away, gone] = kept.get(..3).unwrap_or_default() else { bail!("fewer than three mails were sent") };
        let asked = receive(app, person, &person_asks(person)).await?;
        let ticket = asked.ticket.clone().context("the reply found no ticket")?;
        let automatic = receive(app, away, &out_of_office(away)).await?;
        let bounce = receive(app, gone, &bounce_of(gone)).await?;
        step(
            9,
            &format!(
                "Three mails come back: one is from a person (class {}) and asks {} questions, one is class {}, one is class {}. Only the person's counts as an answer.",
                asked.class,
                asked.questions.len(),
                automatic.class,
                bounce.class
            ),
        );
        let shown = app::tickets::show(app, &ticket).await?;
        let [first, second] = shown.questions.get(..2).unwrap_or_default() else {
            bail!("the person's questions were not found")
        };
        let facts = "The objects were readable from 2022-09-01 to 2022-09-24; the access was closed on the day it was reported.";
        app::tickets::answer(
            &app.acting_as("agent"),
            &ticket,
            std::slice::from_ref(&first.id),
            facts,
            app::tickets::About::Facts,
        )
        .await?;
        step(10, &format!("agent answers \"{}\"; \"{}\" stays open.", first.text, second.text));
        Ok((ticket, second.text.clone()))
    }

    async fn refusal(&self, app: &App, ticket: &str, open: &str) -> Result<()> {
        match app::tickets::close(&app.acting_as("agent"), ticket).await {
            Err(error) if error.exit_code() == 4 => step(11, &format!("Closing the ticket is refused: {error}")),
            Err(error) => return Err(error.into()),
            Ok(()) => bail!("the ticket was closed with the question \"{open}\" open"),
        }
        Ok(())
    }

    async fn next_day(&self, morning: Timestamp, ticket: &str) -> Result<App> {
        let later = self.open(morning.plus(Duration::from_secs(25 * 3600)), "forthright").await?;
        self.work(&later).await?;
        let fired: Vec<_> = app::escalation::list(&later, SLUG)
            .await?
            .into_iter()
            .filter(|line| line.ticket == ticket && line.fired_at.is_some())
            .collect();
        let Some(first) = fired.first() else { bail!("nothing escalated after 25 hours") };
        step(
            12,
            &format!(
                "25 hours later (the clock is moved) the question is older than 24 h: policy {} fires rung {} at the {} instead of anybody closing the ticket.",
                first.policy, first.rung, first.target
            ),
        );
        let verified = app::audit::verify(&later).await?;
        let whole = verified.broken.as_deref().unwrap_or("the chain is whole");
        step(13, &format!("The audit log has {} entries, chained by hashes: {whole}.", verified.entries));
        Ok(later)
    }
}

fn step(number: u32, text: &str) {
    println!("{number:>3}. {text}");
}

const INCIDENT: &str = r#"
slug = "bluebleed"
title = "Misconfigured storage server"
vendor = "Example Cloud"
discovered_at = "2022-09-24T08:00:00Z"
summary = "A storage server was reachable from the internet without authentication."
measures = "The access was closed on the day of the report; the logs are being examined."
contact = "incident-response@vendor.example"
"#;

async fn receive(app: &App, sent: &Kept, raw: &str) -> Result<app::inbound::Received> {
    let to = sent.header("Reply-To");
    let to = to.trim_matches(['<', '>']);
    let from = if raw.contains("multipart/report") { "" } else { sent.to.as_str() };
    Ok(app::inbound::receive(app, raw.replace('\n', "\r\n").as_bytes(), Some(from), Some(to)).await?)
}

fn reply(sent: &Kept, extra: &str, body: &str) -> String {
    format!(
        "From: <{to}>\nTo: {reply_to}\nSubject: Re: {subject}\nMessage-ID: <{id}.reply@customer.example>\nIn-Reply-To: {message_id}\nReferences: {message_id}\nDate: Sun, 25 Sep 2022 10:00:00 +0000\n{extra}Content-Type: text/plain; charset=utf-8\n\n{body}\n",
        to = sent.to,
        reply_to = sent.header("Reply-To"),
        subject = sent.header("Subject"),
        message_id = sent.header("Message-ID"),
        id = sent.to.replace('@', "."),
    )
}

fn person_asks(sent: &Kept) -> String {
    reply(
        sent,
        "",
        "Hello,\n\nthank you for the list. How long were these objects readable? Can you send us the paths of the invoices?\n\nKind regards",
    )
}

fn out_of_office(sent: &Kept) -> String {
    reply(sent, "Auto-Submitted: auto-replied\n", "I am out of the office until Monday. Who do you want to reach?")
}

fn bounce_of(sent: &Kept) -> String {
    format!(
        "From: MAILER-DAEMON@mx.customer.example\nTo: {reply_to}\nSubject: Undelivered Mail Returned to Sender\nMessage-ID: <bounce.1@mx.customer.example>\nMIME-Version: 1.0\nAuto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nThe address does not exist.\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.customer.example\n\nFinal-Recipient: rfc822; {to}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {message_id}\n\n--b--\n",
        reply_to = sent.header("Reply-To"),
        to = sent.to,
        message_id = sent.header("Message-ID"),
    )
}
