//! A conversation on a real store: mail comes in, is answered, and the ticket closes when nothing is owed.

use store::contacts::Contact;
use store::delivery::{Delivery, NewMail};
use store::directory::Tenant;
use store::ledger::{Ledger, Verdict};
use store::notices::{Draft, LetterRow};
use store::tickets::NewTicket;

use super::*;
use crate::tickets;
use crate::tickets::About;
use crate::{Opening, Settings, new_id};

const TICKET: &str = "tkt_1";
const TOKEN: &str = "0123456789abcdefghjkmnpqrstvwxyz";
const SUE: &str = "sue@acme.example";
const PER: &str = "per@acme.example";

struct World {
    app: App,
    _folder: tempfile::TempDir,
}

fn letter(id: &str, notice: Option<&str>, kind: &str) -> LetterRow {
    LetterRow {
        id: id.to_owned(),
        notice_id: notice.map(str::to_owned),
        kind: kind.to_owned(),
        language: "en".to_owned(),
        subject: "s".to_owned(),
        text: "t".to_owned(),
        html: None,
        digest: String::new(),
    }
}

fn mail(id: &str, notice: Option<&str>, tenant: Option<&str>, letter: &str, address: &str) -> NewMail {
    NewMail {
        id: id.to_owned(),
        cause: "policy",
        cause_id: "x".to_owned(),
        wave_id: None,
        under_wave: None,
        letter_id: letter.to_owned(),
        notice_id: notice.map(str::to_owned),
        ticket_id: Some(TICKET.to_owned()),
        tenant_id: tenant.map(str::to_owned),
        contact_id: None,
        address: address.to_owned(),
        name: String::new(),
        message_id: format!("{id}@vendor.example"),
        reply_token: TOKEN.to_owned(),
        thread_id: None,
    }
}

impl World {
    /// A German organisation with two contacts who both have the notice, and a letter to the vendor's own lead.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = store::Database::Sqlite(folder.path().join("forthright.db"));
        let settings = Settings::default();
        let actor = "ana".to_owned();
        let opening =
            Opening { database: &database, data: folder.path(), master_key: None, now: None, settings, actor };
        let world = Self { app: App::open(opening).await.unwrap(), _folder: folder };
        world.prepare().await;
        world
    }

    async fn prepare(&self) {
        let file = crate::incidents::IncidentFile {
            slug: "sample".to_owned(),
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
        let incident = self.app.incident("sample").await.unwrap();
        let now = self.app.clock.now();
        let mut tx = self.app.store.begin().await.unwrap();
        let text = |text: &str| text.to_owned();
        let tenant =
            Tenant { id: text("t-1"), name: text("Acme"), country: text("DE"), language: text("de"), added_at: 0 };
        store::directory::upsert_tenants(&mut tx, "directory", &[tenant], now).await.unwrap();
        let contact = |address: &str, role: &str, language: &str| Contact {
            id: format!("ctc_{address}"),
            tenant_id: text("t-1"),
            role: text(role),
            name: String::new(),
            address: text(address),
            language: text(language),
            channel: text("email"),
            timezone: String::new(),
            priority: 1,
            source: text("imported"),
            origin: text("directory"),
            ..Contact::default()
        };
        let contacts = [contact(SUE, "security", "en"), contact(PER, "privacy", "")];
        store::contacts::upsert(&mut tx, &contacts, &store::contacts::Said { by: "test", until: None }, now)
            .await
            .unwrap();
        let draft = Draft {
            id: text("ntc_1"),
            tenant_id: text("t-1"),
            kind: "initial",
            version: 1,
            code: text("K7QF-2M9X-0WTA"),
            facts: text("{}"),
            facts_digest: String::new(),
            template_version: text("1"),
            elements: text("{}"),
            letters: vec![letter("ltr_n", Some("ntc_1"), "notice")],
        };
        store::notices::insert_drafts(&mut tx, incident.id, "ana", now.micros(), &[draft]).await.unwrap();
        let notice = store::notices::in_state(&mut tx, incident.id, "drafted").await.unwrap().remove(0);
        let approval = store::notices::Approval {
            id: notice.id,
            facts_digest: notice.facts_digest,
            digest: "digest".to_owned(),
            ladder: "[]".to_owned(),
        };
        store::notices::approve(&mut tx, &[approval], "bob", now.micros()).await.unwrap();
        store::notices::release(&mut tx, &[text("ntc_1")], now.micros()).await.unwrap();
        let ticket = NewTicket { id: text(TICKET), tenant_id: text("t-1"), token: text(TOKEN) };
        store::tickets::insert(&mut tx, incident.id, now.micros(), &[ticket]).await.unwrap();
        store::notices::insert_letters(&mut tx, now.micros(), &[letter("ltr_e", None, "escalation")]).await.unwrap();
        let mails = [
            mail("dlv_1", Some("ntc_1"), Some("t-1"), "ltr_n", SUE),
            mail("dlv_2", Some("ntc_1"), Some("t-1"), "ltr_n", PER),
            mail("out_1", None, None, "ltr_e", "lead@vendor.example"),
        ];
        store::delivery::insert_mails(&mut tx, incident.id, 0, 0, &mails).await.unwrap();
        tx.commit_ledger().await.unwrap();
        for id in ["dlv_1", "dlv_2", "out_1"] {
            self.end(id, "accepted").await;
        }
    }

    /// A sender takes what is due and reports one mail.
    async fn end(&self, id: &str, state: &'static str) {
        let real = self.app.clock.real().micros();
        let mut tx = self.app.store.begin().await.unwrap();
        store::delivery::heartbeat(&mut tx, "s", real, real + 60_000_000).await.unwrap();
        store::delivery::claim(&mut tx, "s", real, 100, store::delivery::Claims::All).await.unwrap();
        tx.commit_ledger().await.unwrap();
        let (ledger, _task) = Ledger::start(self.app.store.clone(), "s".to_owned());
        assert!(ledger.at_dot(id.to_owned()).await.unwrap());
        let verdict = Verdict {
            id: id.to_owned(),
            state,
            next_at: i64::MAX,
            settled_at: (state == "accepted").then_some(real),
            reply: "250 ok".to_owned(),
            outcome: state,
            phase: "dot".to_owned(),
            tls: String::new(),
            route: String::new(),
            started_at: real,
            ended_at: real,
            attempt: 1,
        };
        ledger.ended(verdict).await.wait().await.unwrap();
    }

    async fn receive(&self, from: &str, headers: &str, body: &str) -> Received {
        let raw = format!("From: <{from}>\r\nMessage-ID: <{}@x.example>\r\n{headers}\r\n{body}\r\n", new_id("m"));
        receive(&self.app, raw.as_bytes(), None, None).await.unwrap()
    }

    /// Stored, and not filed.
    async fn keep(&self, raw: &[u8]) -> String {
        keep::alone(&self.app, raw, &Way { via: "pipe", peer: None, hello: None, from: None, to: None }).await.unwrap()
    }

    async fn ask(&self, from: &str, body: &str) -> Received {
        self.receive(from, &format!("To: ir+{TOKEN}@vendor.example\r\n"), body).await
    }

    async fn shown(&self) -> tickets::Shown {
        tickets::show(&self.app, TICKET).await.unwrap()
    }

    async fn mail(&self, id: &str) -> Delivery {
        let mails = store::delivery::of_ticket(&mut self.app.store.read().await.unwrap(), TICKET).await.unwrap();
        mails.into_iter().find(|mail| mail.id == id).unwrap()
    }

    /// Addresses that got an answer, by order of the outbox.
    async fn answered(&self) -> Vec<String> {
        self.shown().await.mails.into_iter().filter(|mail| mail.cause == "agent").map(|mail| mail.address).collect()
    }

    fn ids(shown: &tickets::Shown) -> Vec<String> {
        shown.questions.iter().map(|question| question.id.clone()).collect()
    }
}

#[tokio::test]
async fn a_question_is_debt_until_it_is_answered_and_a_reply_opens_the_ticket_again() {
    let world = World::new().await;
    let asked = world.ask(SUE, "Which files? And since when?").await;
    assert_eq!((asked.class.as_str(), asked.trust.as_str(), asked.ticket.as_deref()), ("human", "U", Some(TICKET)));
    assert_eq!(asked.questions, ["Which files?", "And since when?"]);
    let shown = world.shown().await;
    assert_eq!((shown.ticket.debt, shown.ticket.turn.as_str()), (2, "ours"));
    assert_eq!(shown.questions[0].text, "Which files?");
    let refused = tickets::close(&world.app, TICKET).await.unwrap_err();
    assert_eq!(refused.exit_code(), 4);
    let ids = World::ids(&shown);
    let done = tickets::answer(&world.app, TICKET, &ids, "Invoices, since January.", About::Facts).await.unwrap();
    assert_eq!((done.mails, done.debt), (1, 0));
    assert_eq!(world.answered().await, [SUE]);
    let shown = world.shown().await;
    assert_eq!((shown.ticket.status.as_str(), shown.ticket.turn.as_str()), ("open", "theirs"));
    assert!(
        tickets::answer(&world.app, TICKET, &ids, "Again.", About::Facts).await.is_err(),
        "what is answered is no debt"
    );
    tickets::close(&world.app, TICKET).await.unwrap();
    tickets::close(&world.app, TICKET).await.unwrap();
    assert_eq!(world.shown().await.ticket.turn, "nobody");
    world.ask(SUE, "One more thing: until when?").await;
    let shown = world.shown().await;
    assert_eq!((shown.ticket.status.as_str(), shown.ticket.turn.as_str(), shown.ticket.debt), ("open", "ours", 1));
}

#[tokio::test]
async fn a_strangers_question_is_debt_and_its_answer_goes_to_those_with_the_notice() {
    let world = World::new().await;
    world.ask("stranger@acme.example", "Which files?").await;
    let ids = World::ids(&world.shown().await);
    let done = tickets::answer(&world.app, TICKET, &ids, "Invoices.", About::Facts).await.unwrap();
    assert_eq!(done.mails, 2);
    let mut to = world.answered().await;
    to.sort();
    assert_eq!(to, [PER, SUE]);
}

#[tokio::test]
async fn a_generic_text_pays_no_debt() {
    let world = World::new().await;
    world.ask(SUE, "Which files?").await;
    let ids = World::ids(&world.shown().await);
    let error = tickets::answer(&world.app, TICKET, &ids, "There is no further information available.", About::Facts)
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.hint().is_some_and(|hint| hint.contains("forthright ticket pack")));
    assert!(tickets::answer(&world.app, TICKET, &[], "Invoices.", About::Facts).await.is_err());
    let shown = world.shown().await;
    assert_eq!((shown.ticket.debt, shown.mails.len()), (1, 3), "nothing was written");
}

#[tokio::test]
async fn a_promise_and_a_proposal_stay_debt_and_a_second_person_declines() {
    let world = World::new().await;
    world.ask(SUE, "Which files?").await;
    let ids = World::ids(&world.shown().await);
    let later = world.app.clock.now().plus(std::time::Duration::from_secs(3600));
    assert!(tickets::promise(&world.app, TICKET, &ids, world.app.clock.now(), "").await.is_err());
    assert_eq!(tickets::promise(&world.app, TICKET, &ids, later, "").await.unwrap().debt, 1);
    tickets::decline(&world.app, TICKET, &ids, "they are others'", later).await.unwrap();
    assert_eq!(tickets::approve_decline(&world.app, TICKET, &ids).await.unwrap_err().exit_code(), 4);
    assert_eq!(tickets::close(&world.app, TICKET).await.unwrap_err().exit_code(), 4);
    let done = tickets::approve_decline(&world.app.acting_as("counsel"), TICKET, &ids).await.unwrap();
    assert_eq!((done.mails, done.debt), (1, 0));
    tickets::close(&world.app, TICKET).await.unwrap();
    assert!(crate::audit::verify(&world.app).await.unwrap().broken.is_none());
}

#[tokio::test]
async fn a_question_is_noted_and_assigned_without_any_mail_and_withdrawn_by_two_who_tell_its_asker() {
    let world = World::new().await;
    world.ask(SUE, "Which files?").await;
    let id = World::ids(&world.shown().await).remove(0);
    tickets::note(&world.app, TICKET, "called them").await.unwrap();
    tickets::assign(&world.app, TICKET, "bob").await.unwrap();
    assert!(tickets::withdraw_question(&world.app, &id, " ", None).await.is_err());
    for _ in 0..2 {
        let done = tickets::withdraw_question(&world.app, &id, "they said so on the phone", None).await.unwrap();
        assert_eq!((done.state, world.shown().await.ticket.debt), ("proposed", 1), "one person ends nothing");
    }
    let second = world.app.acting_as("counsel");
    let done = tickets::withdraw_question(&second, &id, "I heard it, too", None).await.unwrap();
    assert_eq!((done.state, done.mails), ("withdrawn", 1));
    let shown = world.shown().await;
    assert_eq!(
        (shown.ticket.debt, shown.ticket.turn.as_str(), shown.ticket.agent.as_deref()),
        (0, "theirs", Some("bob"))
    );
    assert_eq!((shown.entries.len(), shown.mails.len()), (6, 4));
    assert_eq!(tickets::note(&world.app, "tkt_no", "x").await.unwrap_err().to_string(), "no ticket tkt_no");
}

#[tokio::test]
async fn a_mail_that_says_nothing_of_us_is_quarantined_and_changes_nothing() {
    let world = World::new().await;
    let lost = world.receive(SUE, "To: ir@vendor.example\r\nSubject: [tkt_1]\r\n", "Which files?").await;
    assert_eq!((lost.trust.as_str(), lost.ticket, lost.questions.len()), ("C", None, 0));
    let shown = world.shown().await;
    assert_eq!((shown.ticket.debt, shown.entries.len()), (0, 0));
}

#[tokio::test]
async fn the_same_mail_is_one_mail_and_filing_it_again_changes_nothing() {
    let world = World::new().await;
    let raw = format!("From: <{SUE}>\r\nTo: ir+{TOKEN}@vendor.example\r\n\r\nWhich files?\r\n");
    let first = receive(&world.app, raw.as_bytes(), Some(SUE), None).await.unwrap();
    let second = receive(&world.app, raw.as_bytes(), Some(SUE), None).await.unwrap();
    file(&world.app, &first.id).await.unwrap();
    assert_eq!((first.id, first.questions), (second.id, second.questions));
    assert_eq!(world.shown().await.ticket.debt, 1);
    assert!(receive(&world.app, b"", None, None).await.is_err());
}

#[tokio::test]
async fn automatic_mail_moves_nothing_and_an_unclear_one_waits_for_a_person() {
    let world = World::new().await;
    let headers = format!("To: ir+{TOKEN}@vendor.example\r\nAuto-Submitted: auto-replied\r\n");
    let away = world.receive(SUE, &headers, "I am away. Who are you?").await;
    assert_eq!((away.class.as_str(), away.questions.len()), ("auto_reply", 0));
    let shown = world.shown().await;
    assert_eq!((shown.ticket.debt, shown.ticket.turn.as_str(), shown.entries.len()), (0, "theirs", 1));
    assert_eq!(shown.ticket.last_inbound_at, None);
    tickets::close(&world.app, TICKET).await.unwrap();
    let unclear = world.ask(SUE, "").await;
    assert_eq!(unclear.class, "unclear");
    let shown = world.shown().await;
    assert_eq!((shown.ticket.status.as_str(), shown.ticket.turn.as_str(), shown.ticket.debt), ("open", "ours", 1));
    assert_eq!(shown.questions[0].text, format!("a mail that a person must read ({})", unclear.id));
}

fn report(to: &str, recipient: &str, returned: &str) -> String {
    format!(
        "To: {to}\r\nSubject: failed\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nno such user\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}\r\n\r\n--b--\r\n"
    )
}

/// The header of the first letter, as a report returns it.
fn returned() -> String {
    format!("Message-ID: <dlv_1@vendor.example>\r\nReply-To: <ir+{TOKEN}@vendor.example>")
}

#[tokio::test]
async fn a_report_or_complaint_with_a_message_id_and_no_token_is_noted_and_changes_nothing() {
    let world = World::new().await;
    let forged = report("ir@vendor.example", SUE, "Message-ID: <dlv_1@vendor.example>");
    let complaint = "To: ir@vendor.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nabuse\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: X/1\r\nVersion: 1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <dlv_1@vendor.example>\r\nSubject: s\r\n\r\nx\r\n--b--\r\n";
    for (raw, class) in [(forged.as_str(), "bounce_permanent"), (complaint, "complaint")] {
        let noted = world.receive("mailer-daemon@mx.example", raw, "").await;
        assert_eq!((noted.class.as_str(), noted.ticket.as_deref(), noted.delivery), (class, Some(TICKET), None));
    }
    // Nor does the token of another conversation help.
    let other = "Message-ID: <dlv_1@vendor.example>\r\nReply-To: <ir+zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz@vendor.example>";
    let noted = world.receive("mailer-daemon@mx.example", &report("ir@vendor.example", SUE, other), "").await;
    assert_eq!(noted.delivery, None);
    assert_eq!(world.mail("dlv_1").await.state, "accepted");
    assert_eq!(world.shown().await.entries.len(), 3);
}

#[tokio::test]
async fn an_automatic_answer_says_that_its_mail_arrived_only_with_the_token() {
    let world = World::new().await;
    let answer = |to: &str| {
        format!(
            "To: {to}\r\nFrom: {SUE}\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: <dlv_1@vendor.example>\r\nSubject: Re: x\r\n\r\nI am away ({to}).\r\n"
        )
    };
    let blind = world.receive(SUE, &answer("ir@vendor.example"), "").await;
    assert_eq!((blind.class.as_str(), blind.ticket.as_deref(), blind.delivery), ("auto_reply", Some(TICKET), None));
    let told = world.receive(SUE, &answer(&format!("ir+{TOKEN}@vendor.example")), "").await;
    assert_eq!((told.class.as_str(), told.delivery.as_deref()), ("auto_reply", Some("dlv_1")));
}

#[tokio::test]
async fn a_report_ends_its_delivery_by_message_id_or_by_token_and_recipient() {
    let world = World::new().await;
    let by_id = report("ir@vendor.example", "elsewhere@acme.example", &returned());
    let bounced = world.receive("mailer-daemon@mx.example", &by_id, "").await;
    assert_eq!((bounced.class.as_str(), bounced.delivery.as_deref()), ("bounce_permanent", Some("dlv_1")));
    assert_eq!(world.mail("dlv_1").await.state, "bounced");
    let by_token = report(&format!("ir+{TOKEN}@vendor.example"), PER, "Subject: x");
    let bounced = world.receive("mailer-daemon@mx.example", &by_token, "").await;
    assert_eq!(bounced.delivery.as_deref(), Some("dlv_2"));
    let other = report(&format!("ir+{TOKEN}@vendor.example"), "nobody@acme.example", "Subject: y");
    let bounced = world.receive("mailer-daemon@mx.example", &other, "").await;
    assert_eq!((bounced.ticket.as_deref(), bounced.delivery), (Some(TICKET), None));
    let shown = world.shown().await;
    assert_eq!((shown.ticket.debt, shown.entries.len(), shown.ticket.turn.as_str()), (0, 3, "theirs"));
}

#[tokio::test]
async fn a_report_on_another_ends_the_other_or_nothing() {
    let world = World::new().await;
    let stranger = report("ir@vendor.example", "victim@elsewhere.example", &returned());
    let noted = world.receive("mailer-daemon@mx.example", &stranger, "").await;
    assert_eq!((noted.ticket.as_deref(), noted.delivery), (Some(TICKET), None));
    let other = report("ir@vendor.example", PER, &returned());
    let bounced = world.receive("mailer-daemon@mx.example", &other, "").await;
    assert_eq!(bounced.delivery.as_deref(), Some("dlv_2"));
    assert_eq!(world.mail("dlv_1").await.state, "accepted");
    assert_eq!(world.mail("dlv_2").await.state, "bounced");
}

#[tokio::test]
async fn what_a_relay_gave_up_for_a_reason_that_may_pass_goes_again() {
    let world = World::new().await;
    let given_up = report("ir@vendor.example", SUE, &returned()).replace("5.1.1", "4.4.7");
    let told = world.receive("mailer-daemon@mx.example", &given_up, "").await;
    assert_eq!((told.class.as_str(), told.delivery.as_deref()), ("bounce_transient", Some("dlv_1")));
    assert_eq!(world.mail("dlv_1").await.state, "deferred");
}

#[tokio::test]
async fn a_reply_shows_that_an_uncertain_mail_arrived() {
    let world = World::new().await;
    let ids = World::uncertain(&world).await;
    assert_eq!(world.mail(&ids).await.state, "uncertain");
    world
        .receive(SUE, &format!("To: ir@vendor.example\r\nIn-Reply-To: <{ids}@vendor.example>\r\n"), "Which files?")
        .await;
    assert_eq!(world.mail(&ids).await.state, "accepted");
}

impl World {
    /// One more mail to the organisation of which nobody knows whether it arrived.
    async fn uncertain(&self) -> String {
        let incident = self.app.incident("sample").await.unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        store::notices::insert_letters(&mut tx, 0, &[letter("ltr_u", None, "reminder")]).await.unwrap();
        let new = mail("out_2", None, Some("t-1"), "ltr_u", SUE);
        store::delivery::insert_mails(&mut tx, incident.id, 0, 0, &[new]).await.unwrap();
        tx.commit_ledger().await.unwrap();
        self.end("out_2", "uncertain").await;
        "out_2".to_owned()
    }
}

#[tokio::test]
async fn what_our_own_lead_answers_is_a_line_and_no_question() {
    let world = World::new().await;
    let headers = "To: ir@vendor.example\r\nIn-Reply-To: <out_1@vendor.example>\r\n";
    let seen = world.receive("lead@vendor.example", headers, "I see to it. Who has the logs?").await;
    assert_eq!((seen.ticket.as_deref(), seen.questions.len()), (Some(TICKET), 0));
    let forwarded = world.receive(SUE, headers, "Who has the logs?").await;
    assert_eq!(forwarded.questions.len(), 1, "an organisation's answer to a forwarded letter is a question");
    assert_eq!(world.shown().await.ticket.debt, 1);
}

#[tokio::test]
async fn what_could_not_be_filed_is_filed_by_the_sweep() {
    let world = World::new().await;
    let raw = format!("From: <{SUE}>\r\nTo: ir+{TOKEN}@vendor.example\r\n\r\nWhich files?\r\n");
    let id = world.keep(raw.as_bytes()).await;
    assert!(pending(&world.app).await.unwrap());
    assert_eq!(file_pending(&world.app, 10).await.unwrap(), 1);
    assert!(!pending(&world.app).await.unwrap());
    assert_eq!(row(&world.app, &id).await.unwrap().state, "filed");
    assert_eq!(world.shown().await.ticket.debt, 1);
}

#[tokio::test]
async fn a_copy_that_a_machine_marked_does_not_silence_the_persons_own() {
    for mark in ["Auto-Submitted: auto-replied", "X-Forthright-X: 1"] {
        let world = World::new().await;
        let mail = format!(
            "From: <{SUE}>\r\nMessage-ID: <1@x.example>\r\nTo: ir+{TOKEN}@vendor.example\r\n\r\nWe need all.\r\n"
        );
        let marked = receive(&world.app, format!("{mark}\r\n{mail}").as_bytes(), None, None).await.unwrap();
        assert!(marked.questions.is_empty(), "{marked:?}");
        let own = receive(&world.app, mail.as_bytes(), None, None).await.unwrap();
        assert_eq!((own.duplicate_of, own.questions.len()), (None, 1), "{mark}");
        // And the other way round nothing is asked twice.
        let unclear = receive(&world.app, format!("Return-Path: <>\r\n{mail}").as_bytes(), None, None).await.unwrap();
        assert_eq!((unclear.class.as_str(), unclear.duplicate_of), ("unclear", Some(own.id)), "{mark}");
    }
}

#[tokio::test]
async fn a_mail_that_came_two_ways_is_one_message() {
    let world = World::new().await;
    let mail =
        format!("From: <{SUE}>\r\nMessage-ID: <1@x.example>\r\nTo: ir+{TOKEN}@vendor.example\r\n\r\nWhich files?\r\n");
    let first = receive(&world.app, mail.as_bytes(), None, Some("ir@vendor.example")).await.unwrap();
    let again = receive(&world.app, format!("Received: from x\r\n{mail}").as_bytes(), None, None).await.unwrap();
    assert_eq!((again.duplicate_of.as_deref(), again.ticket.as_deref()), (Some(first.id.as_str()), Some(TICKET)));
    assert!(again.questions.is_empty());
    let shown = world.shown().await;
    assert_eq!((shown.ticket.debt, shown.entries.iter().filter(|entry| entry.kind == "mail").count()), (1, 1));
    let other = receive(&world.app, mail.replace("Which files?", "Which hosts?").as_bytes(), None, None).await.unwrap();
    assert_eq!((other.duplicate_of, other.questions.len()), (None, 1), "the same id with other words is another mail");
}

#[tokio::test]
async fn a_copy_without_a_token_does_not_stand_in_the_way_of_the_one_with_it() {
    let world = World::new().await;
    let mail = format!("From: <{SUE}>\r\nMessage-ID: <1@x.example>\r\n\r\nWhich files?\r\n");
    let lost = receive(&world.app, mail.as_bytes(), None, Some("ir@vendor.example")).await.unwrap();
    assert_eq!((lost.trust.as_str(), lost.ticket), ("C", None));
    let to = format!("ir+{TOKEN}@vendor.example");
    let found = receive(&world.app, mail.as_bytes(), None, Some(&to)).await.unwrap();
    assert_eq!((found.ticket.as_deref(), found.questions.len()), (Some(TICKET), 1));
}

#[tokio::test]
async fn a_mail_that_ends_the_process_waits_for_a_person_and_stops_no_other() {
    let world = World::new().await;
    let mail = |n| format!("From: <{SUE}>\r\nTo: ir+{TOKEN}@vendor.example\r\n\r\nQuestion {n}?\r\n");
    let poison = world.keep(mail(1).as_bytes()).await;
    for _ in 0..TRIES {
        let mut tx = world.app.store.begin().await.unwrap();
        store::inbound::begin(&mut tx, std::slice::from_ref(&poison)).await.unwrap();
        tx.commit_ledger().await.unwrap();
    }
    world.keep(mail(2).as_bytes()).await;
    world.keep(mail(3).as_bytes()).await;
    assert_eq!(file_pending(&world.app, 10).await.unwrap(), 2);
    assert!(!pending(&world.app).await.unwrap());
    assert_eq!(row(&world.app, &poison).await.unwrap().state, "failed");
    assert_eq!(world.shown().await.ticket.debt, 2);
    let overview = store::inbound::count_needing_a_person(&mut world.app.store.read().await.unwrap()).await.unwrap();
    assert_eq!(overview, 1);
}

#[tokio::test]
async fn an_encrypted_mail_is_a_question_for_a_person_and_says_what_it_is() {
    let world = World::new().await;
    let headers = format!(
        "To: ir+{TOKEN}@vendor.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n"
    );
    let body = "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQ==\r\n-----END PGP MESSAGE-----\r\n--b--";
    let received = world.receive(SUE, &headers, body).await;
    assert!(received.encrypted && !received.new_text.is_empty(), "{received:?}");
    assert_eq!(received.questions, [format!("an encrypted mail that a person must read ({})", received.id)]);
    assert_eq!(world.shown().await.ticket.debt, 1);
}

#[test]
fn no_text_with_a_nul_reaches_the_store() {
    let raw = b"From: a@x.example\r\nSubject: a\0b\r\nMessage-ID: <1\0@x.example>\r\nIn-Reply-To: <2\0@x.example>\r\n\r\nwhat\0now?\r\n";
    let read = understand::without_nul(mail::inbound::read(raw, None, None, &|_| false));
    let texts = [Some(read.subject), Some(read.new_text), read.message_id, read.from];
    assert!(texts.iter().flatten().all(|text| !text.contains('\0')), "{texts:?}");
    assert!(read.in_reply_to.iter().all(|id| !id.contains('\0')));
}

#[test]
fn a_mail_that_is_not_filed_is_unclear_and_nobodys() {
    let row = Inbound { id: "inb_1".to_owned(), state: "stored".to_owned(), ..Inbound::default() };
    let received = received(row).unwrap();
    assert_eq!((received.class.as_str(), received.trust.as_str(), received.ticket), ("unclear", "C", None));
}
