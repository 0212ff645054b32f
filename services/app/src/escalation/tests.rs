//! Ladders on a real store, with one organisation and a clock that is set.

use std::time::Duration;

use model::escalation::Target;
use store::contacts::Contact;
use store::delivery::Delivery;
use store::directory::Tenant;
use store::ledger::{Ledger, Verdict};
use store::notices::{Draft, LetterRow};
use store::tickets::{Change, Entry, NewQuestion, NewTicket};

use super::*;
use crate::{Clock, Opening, Settings};

const TENANT: &str = "t-1";
const TICKET: &str = "tkt_1";
const NOTICE: &str = "ntc_1";

struct World {
    app: App,
    _folder: tempfile::TempDir,
}

impl World {
    /// An organisation whose notice is queued to its security and privacy contacts.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = store::Database::Sqlite(folder.path().join("forthright.db"));
        let opening = Opening {
            database: &database,
            data: folder.path(),
            master_key: None,
            now: None,
            settings: Settings::default(),
            actor: "ana".to_owned(),
        };
        let app = App::open(opening).await.unwrap();
        let mut world = Self { app, _folder: folder };
        world.set_hours(0);
        world.open_incident().await;
        world.release().await;
        world
    }

    /// The clock shows this many hours after the release, and runs on from there.
    fn set_hours(&mut self, hours: u64) {
        self.app.clock = Clock::starting_at(Some(release_time().plus(Duration::from_secs(hours * 3600))));
    }

    async fn open_incident(&self) {
        self.open("sample").await;
        let mut tx = self.app.store.begin().await.unwrap();
        let tenant = Tenant {
            id: TENANT.to_owned(),
            name: "Acme".to_owned(),
            country: String::new(),
            language: "de".to_owned(),
            added_at: 0,
        };
        store::directory::upsert_tenants(&mut tx, "directory", &[tenant], self.app.clock.now()).await.unwrap();
        tx.commit_ledger().await.unwrap();
        for (role, name, language) in [
            ("security", "sue", "en"),
            ("privacy", "per", ""),
            ("legal", "lea", "de"),
            ("account-manager", "max", "en"),
        ] {
            self.add_contact(role, name, language).await;
        }
    }

    async fn open(&self, slug: &str) {
        let file = crate::incidents::IncidentFile {
            slug: slug.to_owned(),
            title: "A sample".to_owned(),
            vendor: "Vendor".to_owned(),
            discovered_at: "2022-09-24".to_owned(),
            summary: String::new(),
            statements: Default::default(),
            measures: String::new(),
            contact: String::new(),
            identities: crate::incidents::Identities::Hashed,
            path_rule: String::new(),
            policies: std::collections::BTreeMap::new(),
        };
        crate::incidents::open(&self.app, file).await.unwrap();
    }

    async fn add_contact(&self, role: &str, name: &str, language: &str) {
        let contact = Contact {
            id: format!("ctc_{name}"),
            tenant_id: TENANT.to_owned(),
            role: role.to_owned(),
            name: name.to_owned(),
            address: format!("{name}@acme.example"),
            language: language.to_owned(),
            channel: "email".to_owned(),
            timezone: String::new(),
            priority: 1,
            source: "imported".to_owned(),
            origin: "directory".to_owned(),
            ..Contact::default()
        };
        let mut tx = self.app.store.begin().await.unwrap();
        store::contacts::upsert(
            &mut tx,
            &[contact],
            &store::contacts::Said { by: "test", until: None },
            self.app.clock.now(),
        )
        .await
        .unwrap();
        tx.commit_ledger().await.unwrap();
    }

    async fn release(&self) {
        self.release_version(NOTICE, 1, "").await;
        let incident = self.app.incident("sample").await.unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        let ticket = NewTicket { id: TICKET.to_owned(), tenant_id: TENANT.to_owned(), token: "token".to_owned() };
        store::tickets::insert(&mut tx, incident.id, self.app.clock.now().micros(), &[ticket]).await.unwrap();
        tx.commit_ledger().await.unwrap();
        self.queue().await;
    }

    /// Queues the newest notice to the next contacts.
    async fn queue(&self) {
        let incident = self.app.incident("sample").await.unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        let ticket = store::tickets::by_id(&mut tx, TICKET).await.unwrap().unwrap();
        next_contact::queue(&self.app, &mut tx, &incident, &ticket, "wav_1").await.unwrap();
        tx.commit_ledger().await.unwrap();
    }

    /// Releases a notice, in no mail yet. The facts of today have an empty digest.
    async fn release_version(&self, notice: &str, version: i64, facts_digest: &str) {
        let incident = self.app.incident("sample").await.unwrap();
        let letter = |language: &str| LetterRow {
            id: format!("ltr_{version}_{language}"),
            notice_id: Some(notice.to_owned()),
            kind: "notice".to_owned(),
            language: language.to_owned(),
            subject: "s".to_owned(),
            text: "t".to_owned(),
            html: None,
            digest: String::new(),
        };
        let draft = Draft {
            id: notice.to_owned(),
            tenant_id: TENANT.to_owned(),
            kind: if version == 1 { "initial" } else { "supplement" },
            version,
            code: format!("K7QF-2M9X-0WT{version}"),
            facts: "{}".to_owned(),
            facts_digest: facts_digest.to_owned(),
            template_version: "1".to_owned(),
            elements: "{}".to_owned(),
            letters: vec![letter("de"), letter("en")],
        };
        let now = self.app.clock.now().micros();
        let mut tx = self.app.store.begin().await.unwrap();
        store::notices::insert_drafts(&mut tx, incident.id, "ana", now, &[draft]).await.unwrap();
        let drafted = store::notices::in_state(&mut tx, incident.id, "drafted").await.unwrap().remove(0);
        let approval = store::notices::Approval {
            id: drafted.id,
            facts_digest: drafted.facts_digest,
            digest: "digest".to_owned(),
            ladder: "[]".to_owned(),
        };
        store::notices::approve(&mut tx, &[approval], "bob", now).await.unwrap();
        store::notices::release(&mut tx, &[notice.to_owned()], now).await.unwrap();
        tx.commit_ledger().await.unwrap();
    }

    async fn tick(&self) -> Ticked {
        let ticked = tick(&self.app).await.unwrap();
        assert!(!due(&self.app).await.unwrap(), "a tick leaves nothing that is due");
        ticked
    }

    async fn mails(&self) -> Vec<Delivery> {
        let mut conn = self.app.store.read().await.unwrap();
        store::delivery::of_ticket(&mut conn, TICKET).await.unwrap()
    }

    /// Addresses with a row for the notice, in the order they got it.
    async fn told(&self) -> Vec<String> {
        self.mails().await.into_iter().filter(|mail| mail.notice_id.is_some()).map(|mail| mail.address).collect()
    }

    async fn accept_all(&self) {
        let mut tx = self.app.store.begin().await.unwrap();
        let real = self.app.clock.real().micros();
        let claimed = store::delivery::claim(&mut tx, "snd", real, 100, store::delivery::Claims::All).await.unwrap();
        tx.commit_ledger().await.unwrap();
        let (ledger, task) = Ledger::start(self.app.store.clone(), "snd".to_owned());
        let now = self.app.clock.now().micros();
        for mail in claimed {
            let verdict = Verdict {
                id: mail.id,
                state: "accepted",
                next_at: now,
                settled_at: Some(now),
                reply: "250".to_owned(),
                outcome: "accepted",
                phase: "dot".to_owned(),
                tls: String::new(),
                route: String::new(),
                started_at: now,
                ended_at: now,
                attempt: 1,
            };
            assert!(ledger.ended(verdict).await.wait().await.unwrap());
        }
        drop(ledger);
        task.await.unwrap();
    }

    async fn bounce_all(&self) {
        self.bounce(|_| true).await;
    }

    async fn bounce(&self, which: impl Fn(&Delivery) -> bool) {
        let mut tx = self.app.store.begin().await.unwrap();
        for mail in store::delivery::of_ticket(&mut tx, TICKET).await.unwrap().into_iter().filter(which) {
            store::delivery::bounce_late(&mut tx, &mail.id, self.app.clock.now().micros(), "550").await.unwrap();
        }
        tx.commit_ledger().await.unwrap();
    }

    async fn ask(&self, id: &str) {
        let mut tx = self.app.store.begin().await.unwrap();
        let asked_at = self.app.clock.now().micros();
        let question = NewQuestion { id, ticket: TICKET, text: "which?", asked_by: "sue", asked_at, inbound_id: None };
        store::tickets::insert_question(&mut tx, &question).await.unwrap();
        store::tickets::set_inbound(&mut tx, TICKET, asked_at, "ours").await.unwrap();
        tx.commit_ledger().await.unwrap();
    }

    async fn change(&self, question: &str, change: Change<'_>) {
        let mut tx = self.app.store.begin().await.unwrap();
        let now = self.app.clock.now().micros();
        store::tickets::change_question(&mut tx, TICKET, question, now, change).await.unwrap();
        tx.commit_ledger().await.unwrap();
    }

    /// Settles a question as an answer does.
    async fn answer(&self, question: &str) {
        let mut tx = self.app.store.begin().await.unwrap();
        let [id, kind, actor] = ["ent_1", "answer", "agent"].map(str::to_owned);
        let entry =
            Entry { id, at: self.app.clock.now().micros(), kind, actor, body: "It was one invoice.".to_owned() };
        store::tickets::insert_entry(&mut tx, TICKET, &entry).await.unwrap();
        tx.commit_ledger().await.unwrap();
        self.change(question, Change::Answer { entry: "ent_1" }).await;
    }

    async fn targets(&self) -> Vec<String> {
        list(&self.app, "sample")
            .await
            .unwrap()
            .into_iter()
            .filter(|line| line.fired_at.is_some())
            .map(|line| line.target)
            .collect()
    }
}

fn release_time() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn the_debt_ladder_fires_each_rung_once_whenever_the_ticks_come() {
    let mut world = World::new().await;
    world.ask("qst_1").await;
    world.set_hours(23);
    assert_eq!(world.tick().await, Ticked { started: 1, ..Ticked::default() });
    world.set_hours(25);
    assert_eq!(world.tick().await, Ticked { fired: 1, tasks: 1, ..Ticked::default() });
    assert_eq!(world.tick().await, Ticked::default());
    world.set_hours(2);
    assert_eq!(world.tick().await, Ticked::default(), "a clock that goes back fires nothing");
    world.set_hours(400);
    assert_eq!(world.tick().await, Ticked { fired: 2, tasks: 2, ..Ticked::default() });
    assert_eq!(world.targets().await, ["agent", "lead", "counsel"]);
}

#[tokio::test]
async fn one_late_tick_fires_what_many_would_have() {
    let mut world = World::new().await;
    world.ask("qst_1").await;
    world.set_hours(400);
    assert_eq!(world.tick().await, Ticked { started: 1, fired: 3, tasks: 3, ..Ticked::default() });
    assert_eq!(world.targets().await, ["agent", "lead", "counsel"]);
}

#[tokio::test]
async fn a_target_with_an_address_gets_a_mail_that_carries_no_token() {
    let mut world = World::new().await;
    world.app.settings.targets.agent = Some("agents@vendor.example".to_owned());
    world.accept_all().await;
    world.ask("qst_1").await;
    world.set_hours(25);
    assert_eq!(world.tick().await, Ticked { started: 1, fired: 1, mails: 1, ..Ticked::default() });
    let mails = world.mails().await;
    let mail = mails.last().unwrap();
    assert_eq!((mail.address.as_str(), mail.cause.as_str()), ("agents@vendor.example", "policy"));
    assert_eq!((mail.notice_id.as_deref(), mail.tenant_id.as_deref()), (None, None));
    let mut tx = world.app.store.begin().await.unwrap();
    let claimed =
        store::delivery::claim(&mut tx, "snd", world.app.clock.real().micros(), 10, store::delivery::Claims::All)
            .await
            .unwrap();
    assert_eq!(claimed[0].reply_token, "");
    let letters = store::notices::letters_by_ids(&mut tx, std::slice::from_ref(&claimed[0].letter_id)).await.unwrap();
    assert!(
        letters[0].text.contains("1 question waits for an answer since 2026-11-23 09:00 UTC"),
        "{}",
        letters[0].text
    );
}

#[tokio::test]
async fn a_ladder_ends_with_its_reason_and_fires_no_more() {
    let mut world = World::new().await;
    world.ask("qst_1").await;
    world.set_hours(30);
    world.tick().await;
    world.answer("qst_1").await;
    world.set_hours(400);
    assert_eq!(preview(&world.app, "sample", world.app.clock.now()).await.unwrap(), []);
    assert_eq!(world.tick().await, Ticked { ended: 1, ..Ticked::default() });
    assert_eq!(world.targets().await, ["agent"]);
}

#[tokio::test]
async fn a_promise_that_has_passed_turns_to_agent_and_lead_once() {
    let mut world = World::new().await;
    world.ask("qst_1").await;
    let by = release_time().plus(Duration::from_secs(5 * 3600)).micros();
    world.change("qst_1", Change::Promise { by }).await;
    world.set_hours(3);
    assert_eq!(world.tick().await, Ticked { started: 1, ..Ticked::default() });
    world.set_hours(5);
    assert_eq!(world.tick().await, Ticked { started: 1, fired: 2, tasks: 2, ..Ticked::default() });
    assert_eq!(world.targets().await, ["agent", "lead"]);
}

#[tokio::test]
async fn silence_reminds_the_readers_then_tells_the_next_contact_then_asks_the_account_manager() {
    let mut world = World::new().await;
    world.accept_all().await;
    world.set_hours(73);
    assert_eq!(world.tick().await, Ticked { started: 1, fired: 1, mails: 2, ..Ticked::default() });
    let reminded: Vec<String> =
        world.mails().await.into_iter().filter(|mail| mail.notice_id.is_none()).map(|mail| mail.address).collect();
    assert_eq!(reminded.len(), 2);
    assert!(reminded.contains(&"sue@acme.example".to_owned()) && reminded.contains(&"per@acme.example".to_owned()));
    world.set_hours(169);
    assert_eq!(world.tick().await, Ticked { fired: 1, mails: 1, ..Ticked::default() });
    assert_eq!(world.told().await.last().map(String::as_str), Some("lea@acme.example"));
    world.set_hours(340);
    assert_eq!(world.tick().await, Ticked { fired: 1, tasks: 1, ..Ticked::default() });
    let tasks = tasks(&world.app, "sample").await.unwrap();
    assert_eq!(tasks[0].target, "account-manager");
    assert!(tasks[0].text.contains("Acme (t-1)") && tasks[0].text.contains("max"), "{}", tasks[0].text);
}

#[tokio::test]
async fn each_reader_is_reminded_in_their_language_and_thread() {
    let mut world = World::new().await;
    world.accept_all().await;
    world.set_hours(73);
    world.tick().await;
    let mut tx = world.app.store.begin().await.unwrap();
    let claimed =
        store::delivery::claim(&mut tx, "snd", world.app.clock.real().micros(), 10, store::delivery::Claims::All)
            .await
            .unwrap();
    let notices = store::delivery::of_ticket(&mut tx, TICKET).await.unwrap();
    for (address, language) in [("sue@acme.example", "en"), ("per@acme.example", "de")] {
        let mail = claimed.iter().find(|mail| mail.address == address).unwrap();
        let letters = store::notices::letters_by_ids(&mut tx, std::slice::from_ref(&mail.letter_id)).await.unwrap();
        assert_eq!((letters[0].kind.as_str(), letters[0].language.as_str()), ("reminder", language));
        let notice = notices.iter().find(|notice| notice.address == address && notice.notice_id.is_some()).unwrap();
        assert_eq!((mail.thread_id.as_deref(), mail.reply_token.as_str()), (Some(notice.message_id.as_str()), "token"));
    }
}

#[tokio::test]
async fn a_notice_that_came_back_goes_to_the_next_contact_until_nobody_is_left() {
    let mut world = World::new().await;
    assert_eq!(world.told().await.len(), 2);
    world.bounce_all().await;
    assert_eq!(world.tick().await, Ticked { mails: 1, ..Ticked::default() });
    assert_eq!(world.told().await[2], "lea@acme.example");
    assert_eq!(world.tick().await, Ticked::default(), "it is on its way");
    world.bounce_all().await;
    assert_eq!(preview(&world.app, "sample", world.app.clock.now()).await.unwrap()[0].policy, "unreachable");
    assert_eq!(world.tick().await, Ticked { started: 1, fired: 1, tasks: 1, ..Ticked::default() });
    let tasks = tasks(&world.app, "sample").await.unwrap();
    assert_eq!((tasks[0].kind.as_str(), tasks[0].target.as_str()), ("unreachable", "incident-lead"));
    world.set_hours(2);
    world.add_contact("admin", "ada", "en").await;
    assert_eq!(world.tick().await, Ticked { mails: 1, ended: 1, ..Ticked::default() });
    assert_eq!(world.told().await[3], "ada@acme.example");
}

#[tokio::test]
async fn a_preview_changes_nothing_and_shows_what_the_tick_then_fires() {
    let mut world = World::new().await;
    world.accept_all().await;
    let until = release_time().plus(Duration::from_secs(200 * 3600));
    let shown = preview(&world.app, "sample", until).await.unwrap();
    assert_eq!(preview(&world.app, "sample", until).await.unwrap(), shown);
    assert_eq!(list(&world.app, "sample").await.unwrap(), [], "nothing has started");
    world.set_hours(200);
    world.tick().await;
    let key = |line: &Line| (line.policy.clone(), line.ticket.clone(), line.rung, line.target.clone(), line.due_at);
    let fired: Vec<_> =
        list(&world.app, "sample").await.unwrap().iter().filter(|line| line.fired_at.is_some()).map(key).collect();
    assert_eq!(shown.iter().map(key).collect::<Vec<_>>(), fired);
    assert_eq!(fired.len(), 2);
}

#[tokio::test]
async fn a_ladder_that_cannot_be_read_becomes_a_task_and_stops_no_other() {
    let mut world = World::new().await;
    world.ask("qst_1").await;
    let incident = world.app.incident("sample").await.unwrap();
    let at = world.app.clock.now();
    let start = Start {
        ticket_id: TICKET.to_owned(),
        incident_id: incident.id,
        subject: TICKET.to_owned(),
        measured_from: at.micros(),
    };
    let broken =
        Escalation { snapshot: "{".to_owned(), ..ladder(&world.app, &incident, PolicyName::Debt, &start, at).unwrap() };
    let other = Escalation {
        subject: "other".to_owned(),
        ..ladder(&world.app, &incident, PolicyName::Debt, &start, at).unwrap()
    };
    let mut tx = world.app.store.begin().await.unwrap();
    assert_eq!(store::escalation::insert(&mut tx, &[broken, other]).await.unwrap(), 2);
    tx.commit_ledger().await.unwrap();
    world.set_hours(25);
    assert_eq!(world.tick().await, Ticked { fired: 1, tasks: 2, ..Ticked::default() });
}

#[tokio::test]
async fn what_fired_is_acknowledged_once_and_a_task_is_done_once() {
    let mut world = World::new().await;
    world.ask("qst_1").await;
    world.set_hours(25);
    world.tick().await;
    let line = list(&world.app, "sample").await.unwrap().remove(0);
    assert_eq!(line.target, Target::Agent.as_str());
    assert_eq!(acknowledge(&world.app, &line.escalation).await.unwrap().firings, 1);
    assert_eq!(acknowledge(&world.app, &line.escalation).await.unwrap().firings, 0);
    assert!(list(&world.app, "sample").await.unwrap()[0].acknowledged_at.is_some());
    let task = tasks(&world.app, "sample").await.unwrap().remove(0);
    finish_task(&world.app, &task.id).await.unwrap();
    assert!(matches!(finish_task(&world.app, &task.id).await, Err(AppError::Refused { .. })));
    assert!(matches!(finish_task(&world.app, "tsk_none").await, Err(AppError::Missing { .. })));
    assert!(matches!(acknowledge(&world.app, "esc_none").await, Err(AppError::Missing { .. })));
}

#[tokio::test]
async fn the_equation_holds_while_a_notice_is_on_its_way_and_when_it_came_back() {
    let world = World::new().await;
    let remainder = |status: crate::overview::Status| status.remainder;
    assert_eq!(remainder(crate::overview::status(&world.app, "sample").await.unwrap()), 0);
    world.bounce_all().await;
    assert_eq!(remainder(crate::overview::status(&world.app, "sample").await.unwrap()), 0);
    let page = crate::overview::overview(&world.app, "sample", "").await.unwrap();
    assert_eq!(page.status.deliveries.len(), 10);
    assert_eq!(page.status.deliveries["bounced"], 2);
}

#[tokio::test]
async fn a_notice_that_may_not_be_sent_on_is_a_ladder_once_and_goes_on_when_a_true_one_is_released() {
    let world = World::new().await;
    world.bounce_all().await;
    world.release_version("ntc_2", 2, "of another day").await;
    assert_eq!(world.tick().await, Ticked { started: 1, fired: 1, tasks: 1, ..Ticked::default() });
    let before = crate::audit::verify(&world.app).await.unwrap().entries;
    assert_eq!(world.tick().await, Ticked::default());
    assert_eq!(crate::audit::verify(&world.app).await.unwrap().entries, before, "nothing is written down for nothing");
    assert_eq!(preview(&world.app, "sample", world.app.clock.now()).await.unwrap(), []);
    world.release_version("ntc_3", 3, "").await;
    assert_eq!(world.tick().await, Ticked { mails: 2, ended: 1, ..Ticked::default() });
}

#[tokio::test]
async fn whoever_has_the_notice_by_another_ticket_is_not_told_again_and_keeps_nobody_waiting() {
    let world = World::new().await;
    let incident = world.app.incident("sample").await.unwrap();
    let lea = "lea@acme.example";
    let mail = store::delivery::NewMail {
        id: "dlv_other".to_owned(),
        cause: "policy",
        cause_id: "x".to_owned(),
        wave_id: None,
        under_wave: None,
        letter_id: "ltr_1_de".to_owned(),
        notice_id: None,
        ticket_id: None,
        tenant_id: None,
        contact_id: None,
        address: lea.to_owned(),
        name: String::new(),
        message_id: model::ids::message_id(incident.key.bytes(), NOTICE, lea, world.app.settings.sender.domain()),
        reply_token: String::new(),
        thread_id: None,
    };
    let mut tx = world.app.store.begin().await.unwrap();
    let real = world.app.clock.real().micros();
    assert_eq!(store::delivery::insert_mails(&mut tx, incident.id, real, real, &[mail]).await.unwrap(), 1);
    tx.commit_ledger().await.unwrap();
    world.bounce_all().await;
    assert_eq!(world.tick().await, Ticked { started: 1, fired: 1, tasks: 1, ..Ticked::default() });
    world.add_contact("admin", "ada", "en").await;
    assert_eq!(world.tick().await, Ticked { mails: 1, ended: 1, ..Ticked::default() });
}

#[tokio::test]
async fn a_supplement_that_came_back_goes_to_the_next_contact_although_the_first_notice_was_taken() {
    let world = World::new().await;
    world.accept_all().await;
    world.release_version("ntc_2", 2, "").await;
    world.queue().await;
    let of_second = |mail: &Delivery| mail.notice_id.as_deref() == Some("ntc_2");
    world.bounce(of_second).await;
    assert_eq!(world.tick().await, Ticked { started: 1, mails: 1, ..Ticked::default() });
    assert_eq!(world.told().await.last().map(String::as_str), Some("lea@acme.example"));
    world.bounce(of_second).await;
    assert_eq!(world.tick().await, Ticked { started: 1, fired: 1, tasks: 1, ..Ticked::default() });
    assert_eq!(tasks(&world.app, "sample").await.unwrap()[0].kind, "unreachable");
    assert_eq!(world.tick().await, Ticked::default(), "what was taken before does not end it");
}

#[tokio::test]
async fn an_incident_that_cannot_be_read_becomes_a_task_and_stops_no_ladder_of_another() {
    let mut world = World::new().await;
    world.open("other").await;
    let (bad, good) = (world.app.incident("sample").await.unwrap(), world.app.incident("other").await.unwrap());
    world.ask("qst_1").await;
    world.set_hours(1);
    let now = world.app.clock.now().micros();
    let mut tx = world.app.store.begin().await.unwrap();
    let ticket = NewTicket { id: "tkt_2".to_owned(), tenant_id: TENANT.to_owned(), token: "other".to_owned() };
    store::tickets::insert(&mut tx, good.id, now, &[ticket]).await.unwrap();
    let question =
        NewQuestion { id: "qst_2", ticket: "tkt_2", text: "?", asked_by: "sue", asked_at: now, inbound_id: None };
    store::tickets::insert_question(&mut tx, &question).await.unwrap();
    store::escalation::policies::set(&mut tx, bad.id, &bad.row.policies, "{").await.unwrap();
    tx.commit_ledger().await.unwrap();
    assert_eq!(world.tick().await, Ticked { started: 1, tasks: 1, ..Ticked::default() });
    assert_eq!(world.tick().await, Ticked::default(), "one task a day");
    let ladders = store::escalation::list(&mut world.app.store.read().await.unwrap(), good.id).await.unwrap();
    assert_eq!(ladders.len(), 1);
}

#[tokio::test]
async fn tickets_that_nobody_can_be_told_of_do_not_starve_those_after_them() {
    let world = World::new().await;
    world.bounce_all().await;
    let mut conn = world.app.store.read().await.unwrap();
    let from = async |conn: &mut store::Conn, place: &str| {
        store::escalation::starts(conn, Reason::Stranded, i64::MAX, place, 10).await.unwrap().len()
    };
    assert_eq!(from(&mut conn, "").await, 1);
    assert_eq!(from(&mut conn, TICKET).await, 1);
    assert_eq!(from(&mut conn, "tkt_2").await, 0, "a page begins where the one before it ended");
}
