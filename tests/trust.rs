//! Whom we believe: a reply always lands, whoever wrote it; what goes out depends on what DNS says of its sender.

use serde_json::Value;
use testkit::dkim::Signer;
use testkit::dns::Zone;
use testkit::process::{Backend, Forthright};
use testkit::smtp::{Message, Recorder};

use crate::reception::{Client, Receiver, wait_until};
use crate::setup::{SLUG, Stage, readable};
use crate::tickets::{raw_sql, reply_to, sent};

/// DNS in which each organisation signs its mail.
struct Dns {
    zone: Zone,
    signer: Signer,
}

impl Dns {
    fn new() -> Self {
        let (zone, signer) = (Zone::start().unwrap(), Signer::new());
        let own = (0..6).map(|n| format!("org{n:05}.example"));
        for domain in own.chain(["evil.example", "vendor-b.example"].map(str::to_owned)) {
            zone.txt(&format!("_dmarc.{domain}"), "v=DMARC1; p=reject");
            zone.txt(&format!("s1._domainkey.{domain}"), &signer.record());
            zone.txt(&domain, "v=spf1 ip4:192.0.2.1 -all");
        }
        Self { zone, signer }
    }

    fn asked_by(&self, run: &Forthright) -> Forthright {
        run.with("FORTHRIGHT_RECEIVE_RESOLVER", self.zone.address().to_string())
    }

    /// The mail, signed by its sender's domain.
    fn sign(&self, mail: &str) -> String {
        let from = mail.lines().find(|line| line.starts_with("From:")).unwrap();
        let domain = from.rsplit_once('@').unwrap().1.trim_end_matches('>');
        String::from_utf8(self.signer.sign(mail.as_bytes(), domain, "s1")).unwrap()
    }
}

fn receive(run: &Forthright, raw: &str) -> Value {
    let output = run.run_with_input(&["mail", "receive"], raw.as_bytes());
    assert_eq!(output.status, 0, "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

/// The mails that a policy queued: acknowledgements.
fn automatic(stage: &Stage) -> usize {
    raw_sql(stage, "SELECT COUNT(*) FROM outbox WHERE cause = 'policy'").unwrap().trim().parse().unwrap()
}

fn from(mail: &str, address: &str) -> String {
    let line = mail.lines().find(|line| line.starts_with("From:")).unwrap();
    mail.replacen(line, &format!("From: Somebody <{address}>"), 1)
}

#[test]
fn trust_is_what_dns_says_and_questions_land_whatever_it_is() {
    for backend in Backend::each() {
        let (stage, letters) = sent(backend, 5);
        let dns = Dns::new();
        let run = dns.asked_by(&stage.run);
        let check = |raw: &str, trust: &str, acknowledged: usize| {
            let before = automatic(&stage);
            let received = receive(&run, raw);
            assert_eq!(received["trust"], trust, "{received}\n{raw}");
            assert_eq!(received["questions"].as_array().unwrap().len(), usize::from(trust != "C"), "{received}");
            assert_eq!(automatic(&stage) - before, acknowledged, "{raw}");
            let Some(ticket) = received["ticket"].as_str() else { return };
            let shown = stage.run.ok(&["ticket", "show", ticket]);
            assert!(shown.contains(&format!("({trust})")), "the timeline says how sure we are\n{shown}");
        };
        let ask = |at: usize, extra: &str, words: &str| reply_to(&letters[at], extra, words);
        // A contact whom we wrote to; again, in the same conversation.
        check(&dns.sign(&ask(0, "", "Which files?")), "A", 1);
        check(&dns.sign(&ask(0, "", "And which hosts?")), "A", 0);
        // In a part that was split off: the same contact, to whom the part itself has sent nothing.
        let main = raw_sql(&stage, "SELECT id FROM tickets WHERE tenant_id = 't-00000'").unwrap().trim().to_owned();
        let question = crate::tickets::question_ids(&stage, &main).remove(0);
        stage.run.ok(&["ticket", "split", &main, "--questions", &question]);
        let token = raw_sql(&stage, "SELECT token FROM tickets WHERE split_from IS NOT NULL").unwrap();
        let to_part = format!("To: incident-response+{}@vendor.example", token.trim());
        let to_main = format!("To: {}", letters[0].header("Reply-To").unwrap());
        check(&dns.sign(&ask(0, "", "Which dates?").replace(&to_main, &to_part)), "A", 1);
        // A person who forbids programs to answer.
        check(&dns.sign(&ask(1, "Precedence: bulk\r\n", "Which files?")), "A", 0);
        // Somebody else of the organisation.
        check(&dns.sign(&from(&ask(2, "", "Which files?"), "other@mail.org00002.example")), "U", 0);
        check(&dns.sign(&from(&ask(2, "", "Which of them?"), "other@org00002.example")), "B", 1);
        // Anybody with the token: unsigned, signed by a stranger, another organisation's contact, with foreign claims.
        check(&ask(3, "", "Which files?"), "U", 0);
        check(&dns.sign(&from(&ask(3, "", "Which hosts?"), "x@evil.example")), "U", 0);
        check(&dns.sign(&from(&ask(3, "", "Which users?"), "security@org00004.example")), "U", 0);
        check(&ask(3, "Authentication-Results: mx.vendor.example; dmarc=pass\r\n", "Which dates?"), "U", 0);
        // Proven, and without a token.
        let lost = dns
            .sign(&ask(4, "", "Which files?"))
            .replace(&letters[4].header("Reply-To").unwrap(), "incident-response@vendor.example");
        check(&lost, "C", 0);
    }
}

#[test]
fn an_acknowledgement_says_what_was_understood_and_no_fact() {
    let (stage, letters) = sent(Backend::Sqlite, 1);
    let dns = Dns::new();
    receive(&dns.asked_by(&stage.run), &dns.sign(&reply_to(&letters[0], "", "Which files? And since when?")));
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    let [message] = &recorder.messages()[..] else { panic!("{:?}", recorder.messages()) };
    assert_eq!(message.recipients, letters[0].recipients);
    assert_eq!(message.header("Auto-Submitted").as_deref(), Some("auto-replied"));
    assert_eq!(message.header("Reply-To"), letters[0].header("Reply-To"));
    let text = readable(message);
    assert!(text.contains("Which files?") && text.contains("And since when?"), "{text}");
    for fact in ["org00000", "invoice", "2020", "K7", "box/"] {
        assert!(!text.contains(fact), "{fact}: {text}");
    }
}

#[test]
fn without_an_answer_of_dns_nobody_is_proven_and_everything_lands() {
    let (stage, letters) = sent(Backend::Sqlite, 1);
    let dns = Dns::new();
    let signed = dns.sign(&reply_to(&letters[0], "", "Which files?"));
    let unasked = receive(&stage.run, &signed);
    assert_eq!((unasked["trust"].as_str(), dns.zone.asked()), (Some("U"), 0), "nobody is asked without configuration");
    let no_dns = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = stage.run.with("FORTHRIGHT_RECEIVE_RESOLVER", no_dns.to_string());
    let received = receive(&run, &dns.sign(&reply_to(&letters[0], "", "Which hosts?")));
    assert_eq!(received["trust"], "U");
    let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0);
    assert_eq!((ticket["debt"].as_str(), automatic(&stage)), ("2", 0));
}

#[test]
fn forged_senders_with_a_valid_token_ask_and_change_nothing_else() {
    const FORGED: usize = 200;
    for backend in Backend::each() {
        let (stage, letters) = sent(backend, 1);
        let dns = Dns::new();
        let before = raw_sql(&stage, "SELECT COUNT(*) FROM outbox").unwrap();
        let contacts = raw_sql(&stage, "SELECT COUNT(*) FROM contacts").unwrap();
        let receiver = Receiver::start(&dns.asked_by(&stage.run));
        let mut client = Client::open(receiver.smtp).unwrap();
        let to = letters[0].header("Reply-To").unwrap();
        for n in 0..FORGED {
            let words = match n % 4 {
                0 => format!("Please close this ticket. Number {n}?"),
                1 => format!("I approve. Assign it to me and send me everything, number {n}?"),
                2 => format!("Add helper{n}@evil.example as our contact?"),
                _ => format!("Which files, {n}?"),
            };
            let mail = reply_to(&letters[0], "X-Forged: yes\r\n", &words);
            let mail = if n % 5 == 0 { from(&mail, &format!("boss{n}@org00000.example")) } else { mail };
            assert!(client.mail(&to, mail.trim_end()).unwrap());
        }
        let count = |what: &str| raw_sql(&stage, &format!("SELECT COUNT(*) FROM {what}")).unwrap().trim().to_owned();
        wait_until("all are looked at", || {
            count("inbound WHERE state = 'filed' AND check_at IS NULL") == FORGED.to_string()
        });
        assert_eq!(count("inbound WHERE trust = 'U'"), FORGED.to_string());
        assert_eq!(raw_sql(&stage, "SELECT COUNT(*) FROM outbox").unwrap(), before);
        assert_eq!(raw_sql(&stage, "SELECT COUNT(*) FROM contacts").unwrap(), contacts);
        let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0);
        assert_eq!((ticket["status"].as_str(), ticket["debt"].as_str() >= FORGED.to_string().as_str()), ("open", true));
        assert_eq!(count("tickets WHERE agent IS NOT NULL"), "0");
        assert_eq!(count("questions WHERE state <> 'open'"), "0");
    }
}

/// What left a store since the last look, carried to `there`; how many mails.
fn carry(run: &Forthright, there: &Recorder, seen: &mut usize) -> Vec<Message> {
    run.sending_to(&there.url()).ok(&["work", "--until-idle", "--timeout", "120"]);
    let new = there.messages().split_off(*seen);
    *seen += new.len();
    new
}

#[test]
fn an_echo_robot_gets_one_automatic_mail_and_no_more() {
    let (stage, letters) = sent(Backend::Sqlite, 1);
    let dns = Dns::new();
    let receiver = Receiver::start(&dns.asked_by(&stage.run));
    let (recorder, mut seen, mut total) = (Recorder::start().unwrap(), 0, 0);
    // It answers each mail with the mail's own words, as a person's mail would look.
    let mut echoes = vec![reply_to(&letters[0], "", &format!("{}\r\nWho are you?", readable(&letters[0])))];
    for round in 0..4 {
        for echo in echoes {
            let mut client = Client::open(receiver.smtp).unwrap();
            let stuffed = dns.sign(&echo).replace("\r\n.", "\r\n..");
            assert!(client.mail(&letters[0].header("Reply-To").unwrap(), stuffed.trim_end()).unwrap());
        }
        let count = |what: &str| raw_sql(&stage, &format!("SELECT COUNT(*) FROM inbound {what}")).unwrap();
        wait_until("all are looked at", || count("WHERE state = 'stored' OR check_at IS NOT NULL").trim() == "0");
        let mails = carry(&stage.run, &recorder, &mut seen);
        total += mails.len();
        echoes = mails.iter().map(|mail| reply_to(mail, "", &format!("{} {round}?", readable(mail)))).collect();
        if echoes.is_empty() {
            echoes = vec![reply_to(&letters[0], "", &format!("Who are you, {round}?"))];
        }
    }
    assert_eq!(total, 1, "{}", raw_sql(&stage, "SELECT class, trust, may_answer FROM inbound").unwrap());
}

#[test]
fn two_of_us_that_answer_each_other_end_after_one_automatic_mail() {
    let (a, letters) = sent(Backend::Sqlite, 1);
    let dns = Dns::new();
    // Another vendor's system, whose ticket has an address that our organisation writes from.
    let b = Stage::new(Backend::Sqlite);
    let b_run = b.run.with("FORTHRIGHT_SENDER_ADDRESS", "incident-response@vendor-b.example");
    b.small(1);
    b.release();
    let at_b = Recorder::start().unwrap();
    b_run.sending_to(&at_b.url()).ok(&["work", "--until-idle", "--timeout", "120"]);
    let b_address = at_b.messages()[0].header("Reply-To").unwrap();
    a.run.ok(&["directory", "add-domain", "t-00000", "vendor-b.example", "--why", "they write from there"]);
    let (a_receives, b_receives) = (Receiver::start(&dns.asked_by(&a.run)), Receiver::start(&dns.asked_by(&b_run)));
    let question = from(&reply_to(&letters[0], "", "Which files?"), &b_address);
    let mut client = Client::open(a_receives.smtp).unwrap();
    assert!(client.mail(&letters[0].header("Reply-To").unwrap(), dns.sign(&question).trim_end()).unwrap());
    let idle = |stage: &Stage| {
        raw_sql(stage, "SELECT COUNT(*) FROM inbound WHERE state = 'stored' OR check_at IS NOT NULL").unwrap().trim()
            == "0"
    };
    for _ in 0..3 {
        wait_until("both are idle", || idle(&a) && idle(&b));
        a.run.sending_to(&format!("smtp://{}", b_receives.smtp)).ok(&["work", "--until-idle", "--timeout", "120"]);
        wait_until("both are idle", || idle(&a) && idle(&b));
        b_run.sending_to(&format!("smtp://{}", a_receives.smtp)).ok(&["work", "--until-idle", "--timeout", "120"]);
    }
    assert_eq!((automatic(&a), automatic(&b)), (1, 0), "{}", raw_sql(&a, "SELECT class, trust FROM inbound").unwrap());
    let at_b = raw_sql(&b, "SELECT class, state FROM inbound").unwrap();
    assert_eq!(at_b.trim(), "auto_reply|filed");
}
