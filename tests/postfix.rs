//! A real relay with real mailboxes behind it: what arrives is what was approved, and what comes back is understood.
//!
//! Postfix takes our mail, Dovecot keeps it or refuses it, Postfix reports that to us, and OpenDKIM looks at the
//! signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use testkit::mailboxes::Mailboxes;
use testkit::postfix::{Relay, Ways};
use testkit::process::{Backend, Forthright};

use crate::reception::{Receiver, wait_until};
use crate::setup::{SLUG, Stage, path};
use crate::tickets::raw_sql;

const ORGANISATIONS: usize = 60;
/// Nobody has this address there; somebody on the next rung has.
const MOVED_AWAY: std::ops::Range<usize> = 0..6;
/// Nobody has this address, and there is no next contact.
const GONE: std::ops::Range<usize> = 6..8;
/// The mailbox is full at first.
const FULL: std::ops::Range<usize> = 8..10;
/// The relay says 450 at first.
const GREYLISTED: std::ops::Range<usize> = 10..15;

fn security(n: usize) -> String {
    format!("security@org{n:05}.example")
}

fn legal(n: usize) -> String {
    format!("legal@org{n:05}.example")
}

/// Organisations with a notice each that is approved and released; some have a second contact.
fn released(backend: Backend) -> Stage {
    let stage = Stage::new(backend);
    let mut directory = String::from("domain,tenant_id,tenant_name,country,language\n");
    let mut contacts = String::from("tenant_id,role,name,email,language\n");
    let mut manifest = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
    for n in 0..ORGANISATIONS {
        directory.push_str(&format!("org{n:05}.example,t-{n:05},Örgänisation {n},JP,ja\n"));
        let language = ["en", "de", "fr", "ja"][n % 4];
        contacts.push_str(&format!("t-{n:05},security,Jörg {n},{},{language}\n", security(n)));
        if MOVED_AWAY.contains(&n) {
            contacts.push_str(&format!("t-{n:05},legal,Contact {n},{},en\n", legal(n)));
        }
        manifest.push_str(&format!("box/{n}.pdf,org{n:05}.example,,invoice,2020-01-02,10,prj-{n},u-{n}\n"));
    }
    let [directory, contacts, manifest, shared] =
        [("d.csv", directory), ("c.csv", contacts), ("m.csv", manifest), ("s.txt", "gmail.example\n".to_owned())]
            .map(|(name, text)| stage.file(name, &text));
    stage.directory(&directory, &contacts);
    stage.import(&[&manifest], &shared);
    stage.release();
    stage
}

/// Two keys that sign, and what a name server would say of them.
fn with_keys(stage: &Stage) -> Forthright {
    let file = |name: &str| stage.folder.path().join(name);
    stage.run.ok(&["dkim", "generate", path(&file("ed.pem")), "--selector", "ed"]);
    let made = Command::new("openssl").args(["genrsa", "-out", path(&file("rsa.pem")), "2048"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = |selector: &str| {
        let file = file(&format!("{selector}.pem"));
        format!("[[dkim]]\nselector = \"{selector}\"\nfile = \"{}\"\n\n", path(&file))
    };
    let config = stage.file("forthright.toml", &(key("ed") + &key("rsa")));
    // More is refused here than any wave should bear, and the receiver judges waves too.
    let run =
        stage.run.with("FORTHRIGHT_CONFIG", config.as_os_str()).with("FORTHRIGHT_SENDING_STOP_BOUNCED_PERCENT", "100");
    let records = run.csv(&["dkim", "records"]);
    for record in records {
        let selector = record["name"].split('.').next().unwrap();
        stage.file(&format!("{selector}.record"), &format!("{} {}\n", record["name"], record["value"]));
    }
    run
}

/// Whether OpenDKIM finds the signature of one key good, where it knows no other key.
fn is_signed(stage: &Stage, selector: &str, mail: &[u8]) -> bool {
    let record = stage.folder.path().join(format!("{selector}.record"));
    let config = stage.file("opendkim.conf", &format!("Mode v\nTestPublicKeys {}\n", path(&record)));
    let file = stage.folder.path().join("as-it-lies-there.eml");
    std::fs::write(&file, mail).unwrap();
    let there = |program: &&str| Command::new(program).arg("-V").output().is_ok();
    let program = ["/usr/sbin/opendkim", "opendkim"].into_iter().find(there).expect("ops/test installs OpenDKIM");
    let output = Command::new(program).args(["-x", path(&config), "-t", path(&file), "-v"]).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("verification (") || said.contains("signature"), "{said}");
    said.contains(&format!("verification (s={selector}, d=vendor.example")) && said.contains("succeeded")
}

/// Contacts by the state of their delivery.
fn by_state(stage: &Stage) -> BTreeMap<String, BTreeSet<String>> {
    let mut states: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mut row in stage.run.csv(&["delivery", "list", SLUG]) {
        states.entry(row.remove("state").unwrap()).or_default().insert(row.remove("contact").unwrap());
    }
    states
}

/// Mails that came in, by class and whether it is known which delivery they are about.
fn came_in(stage: &Stage) -> BTreeMap<(String, bool), usize> {
    let rows = raw_sql(
        stage,
        "SELECT class, CASE WHEN outbox_id IS NULL THEN 0 ELSE 1 END, COUNT(*) FROM inbound GROUP BY 1, 2",
    )
    .unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('|').collect();
        ((fields[0].to_owned(), fields[1] == "1"), fields[2].parse().unwrap())
    };
    rows.lines().map(row).collect()
}

fn through_a_real_relay(backend: Backend) {
    let stage = released(backend);
    let run = with_keys(&stage);
    let nobody = |n: &usize| MOVED_AWAY.contains(n) || GONE.contains(n);
    let reached: BTreeSet<String> =
        (0..ORGANISATIONS).filter(|n| !nobody(n)).map(security).chain(MOVED_AWAY.map(legal)).collect();
    let mailboxes = Mailboxes::start(reached.iter().cloned()).unwrap();
    let full: Vec<String> = FULL.map(security).collect();
    mailboxes.full(&full).unwrap();
    let receiver = Receiver::start(&run);
    let relay = Relay::start(Ways {
        mailboxes: &mailboxes.socket(),
        ours: "vendor.example",
        back: receiver.smtp,
        greylisted: GREYLISTED.map(security).collect(),
    })
    .unwrap();
    let mut worker = run
        .sending_to(&relay.url())
        .with("FORTHRIGHT_SENDING_REPORTS", "success")
        .with("FORTHRIGHT_SENDING_RETRY_SECONDS", "1")
        .spawn(&["worker"]);

    let of = |class: &str| came_in(&stage).get(&(class.to_owned(), true)).copied().unwrap_or(0);
    wait_until("the relay has told that mail waits for full mailboxes", || of("delay") >= full.len());
    mailboxes.full(&[]).unwrap();
    wait_until("the relay has reported each arrival", || of("receipt") == reached.len());
    wait_until("the relay has reported each refusal", || of("bounce_permanent") == MOVED_AWAY.len() + GONE.len());
    wait_until("those without another contact count as unreachable", || stage.status()["unreachable"] == GONE.len());
    assert_eq!(worker.terminate(), 0, "{}", worker.said());

    // Whose mail ended how, and nothing that came back was taken for anything else.
    let states = by_state(&stage);
    let bounced: BTreeSet<String> = (0..ORGANISATIONS).filter(nobody).map(security).collect();
    assert_eq!(states, BTreeMap::from([("accepted".to_owned(), reached.clone()), ("bounced".to_owned(), bounced)]));
    let status = stage.status();
    assert_eq!((status["accepted"].as_i64(), status["unreachable"].as_i64()), (Some(58), Some(2)), "{status}");
    let classes: BTreeSet<(String, bool)> = came_in(&stage).into_keys().collect();
    let known = ["bounce_permanent", "delay", "receipt"].map(|class| (class.to_owned(), true));
    assert_eq!(classes, known.into(), "{}", relay.log());
    let tickets = stage.run.csv(&["ticket", "list", SLUG]);
    assert!(tickets.iter().all(|ticket| ticket["questions"] == "0"), "{tickets:?}");
    for row in stage.run.csv(&["delivery", "list", SLUG]) {
        let tries = if GREYLISTED.map(security).any(|address| address == row["contact"]) { "2" } else { "1" };
        assert_eq!(row["attempts"], tries, "{row:?}");
    }

    let encrypted = raw_sql(&stage, "SELECT COUNT(*) FROM attempts WHERE tls LIKE 'TLS%'").unwrap();
    let tries = raw_sql(&stage, "SELECT COUNT(*) FROM attempts").unwrap();
    assert_eq!(encrypted, tries);

    for (n, user) in reached.iter().enumerate() {
        let mails = mailboxes.mails(user).unwrap();
        assert_eq!(mails.len(), 1, "{user}");
        let read = mail_parser::MessageParser::default().parse(&mails[0]).unwrap();
        let tenant = format!("t-{}", &user[user.find("@org").unwrap() + 4..][..5]);
        is_as_approved(&stage, &tenant, user, &read);
        // Each signature takes a process of its own: a few are enough.
        if n % 12 == 0 {
            let changed = String::from_utf8(mails[0].clone()).unwrap().replacen("Subject: ", "Subject: Not ", 1);
            for selector in ["ed", "rsa"] {
                assert!(is_signed(&stage, selector, &mails[0]), "{user}: {selector}");
                assert!(!is_signed(&stage, selector, changed.as_bytes()), "{user}: {selector}");
            }
        }
    }
}

/// The words of the notice as they were approved, in the contact's language, and the envelope that leads back to us.
fn is_as_approved(stage: &Stage, tenant: &str, user: &str, mail: &mail_parser::Message<'_>) {
    let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
    let approved = raw_sql(
        stage,
        &format!(
            "SELECT letters.text FROM outbox JOIN letters ON letters.id = outbox.letter_id WHERE outbox.address = '{user}'"
        ),
    )
    .unwrap();
    // What printed it added an end of line.
    assert_eq!(format!("{text}\n"), approved, "{user}");
    assert!(text.contains("Örgänisation"), "{text}");
    let returns_to = mail.header_raw("Return-Path").unwrap().trim();
    let reply_to = mail.reply_to().unwrap().first().unwrap().address().unwrap();
    assert_eq!(returns_to, format!("<{reply_to}>"), "{tenant}");
}

#[test]
fn postfix_and_dovecot_deliver_what_was_approved_and_report_what_could_not_be_from_sqlite() {
    through_a_real_relay(Backend::Sqlite);
}

#[test]
fn postfix_and_dovecot_deliver_what_was_approved_and_report_what_could_not_be_from_postgresql() {
    through_a_real_relay(Backend::Postgres);
}
