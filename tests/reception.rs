//! Mail that comes in over the network: what was acknowledged is there, whatever happens then, and nothing else is.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::process::{Backend, Forthright, Running};

use crate::setup::{SLUG, Stage};
use crate::tickets::{raw_sql, sent};

const PATIENCE: Duration = Duration::from_secs(60);

/// A worker that takes mail on free ports.
pub(crate) struct Receiver {
    pub(crate) running: Running,
    pub(crate) smtp: SocketAddr,
    lmtp: SocketAddr,
}

impl Receiver {
    pub(crate) fn start(run: &Forthright) -> Self {
        let run = run.with("FORTHRIGHT_RECEIVE_SMTP", "127.0.0.1:0").with("FORTHRIGHT_RECEIVE_LMTP", "127.0.0.1:0");
        let mut running = run.spawn(&["worker"]);
        let mut place = |protocol: &str| {
            let said = running.wait_for(&format!("taking mail by {protocol} at "), PATIENCE);
            let line = said.unwrap_or_else(|| panic!("{}", running.said()));
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        let (smtp, lmtp) = (place("smtp"), place("lmtp"));
        Self { running, smtp, lmtp }
    }
}

/// A client that says one thing at a time.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn open(to: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self(BufReader::new(stream));
        client.hear()?;
        client.say("EHLO client.example")?;
        Ok(client)
    }

    /// The code of the next reply.
    fn hear(&mut self) -> std::io::Result<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                return Ok(line[..3].to_owned());
            }
        }
    }

    fn say(&mut self, line: &str) -> std::io::Result<String> {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        self.hear()
    }

    /// Whether the mail was acknowledged.
    pub(crate) fn mail(&mut self, to: &str, message: &str) -> std::io::Result<bool> {
        self.say("MAIL FROM:<somebody@org00000.example>")?;
        self.say(&format!("RCPT TO:<{to}>"))?;
        self.say("DATA")?;
        Ok(self.say(&format!("{message}\r\n."))? == "250")
    }
}

pub(crate) fn question(words: &str) -> String {
    format!("From: security@org00000.example\r\nSubject: Re: your notice\r\n\r\n{words}")
}

/// The questions of the only ticket.
pub(crate) fn asked(stage: &Stage) -> BTreeSet<String> {
    let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0).remove("ticket").unwrap();
    let shown = stage.run.json(&["ticket", "show", &ticket]);
    shown["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|question| question["text"].as_str().unwrap().to_owned())
        .collect()
}

pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_question_by_smtp_or_lmtp_is_debt_at_once() {
    for backend in Backend::each() {
        let (stage, letters) = sent(backend, 1);
        let reply_to = letters[0].header("Reply-To").unwrap();
        let mut receiver = Receiver::start(&stage.run);
        assert!(Client::open(receiver.smtp).unwrap().mail(&reply_to, &question("By SMTP?")).unwrap());
        let mut lmtp = Client::open(receiver.lmtp).unwrap();
        assert_eq!(lmtp.say("LHLO relay.example").unwrap(), "250");
        assert!(lmtp.mail(&reply_to, &question("By LMTP?")).unwrap());
        wait_until("both are questions", || asked(&stage).len() == 2);
        assert_eq!(asked(&stage), ["By LMTP?", "By SMTP?"].map(str::to_owned).into());
        let stored = raw_sql(&stage, "SELECT via, peer, hello FROM inbound ORDER BY via").unwrap();
        assert_eq!(stored.trim(), "lmtp||\nsmtp|127.0.0.1|client.example");
        assert_eq!(receiver.running.terminate(), 0);
    }
}

#[test]
fn killed_in_the_middle_everything_acknowledged_is_there_after_the_restart() {
    const CLIENTS: usize = 8;
    for backend in Backend::each() {
        let (stage, letters) = sent(backend, 1);
        let reply_to = letters[0].header("Reply-To").unwrap();
        let mut acknowledged = BTreeSet::new();
        for round in 0..4 {
            let mut receiver = Receiver::start(&stage.run);
            let smtp = receiver.smtp;
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let reply_to = reply_to.clone();
                    std::thread::spawn(move || {
                        let Ok(mut connection) = Client::open(smtp) else { return Vec::new() };
                        let words = (0..).map(|n| format!("Question {round} {client} {n}?"));
                        words
                            .take_while(|words| connection.mail(&reply_to, &question(words)).unwrap_or(false))
                            .collect()
                    })
                })
                .collect();
            let begun = Instant::now();
            let stored = || raw_sql(&stage, "SELECT COUNT(*) FROM inbound").unwrap().trim().parse::<usize>().unwrap();
            while stored() < acknowledged.len() + 30 * (round + 1) && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(2));
            }
            receiver.running.kill();
            acknowledged.extend(clients.into_iter().flat_map(|client| client.join().unwrap()));
        }
        assert!(acknowledged.len() > 50, "{}", acknowledged.len());
        stage.run.ok(&["work", "--until-idle", "--timeout", "120"]);
        let asked = asked(&stage);
        let lost: Vec<_> = acknowledged.difference(&asked).collect();
        assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
        assert!(
            asked.len() <= acknowledged.len() + 4 * CLIENTS,
            "at most what was on its way when a client lost its line"
        );
    }
}

#[test]
fn guessed_tokens_append_nothing_and_are_answered_like_any_other() {
    const GUESSES: usize = 300;
    for backend in Backend::each() {
        let (stage, letters) = sent(backend, 1);
        let reply_to = letters[0].header("Reply-To").unwrap();
        let receiver = Receiver::start(&stage.run);
        let mut client = Client::open(receiver.smtp).unwrap();
        for n in 0..GUESSES {
            // One in three is the real token with one character changed.
            let guess = match n % 3 {
                0 => {
                    let other = if &reply_to[30..31] == "z" { "y" } else { "z" };
                    format!("{}{other}{}", &reply_to[..30], &reply_to[31..])
                }
                1 => format!("incident-response+{}@vendor.example", &model::digest::sha256(&n.to_be_bytes())[..32]),
                _ => format!("incident-response+{n:032}@vendor.example"),
            };
            assert!(client.mail(&guess, &question(&format!("Guess {n}?"))).unwrap());
        }
        wait_until("all are filed", || {
            raw_sql(&stage, "SELECT COUNT(*) FROM inbound WHERE state = 'quarantined'").unwrap().trim()
                == GUESSES.to_string()
        });
        let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0);
        assert_eq!((ticket["questions"].as_str(), ticket["debt"].as_str()), ("0", "0"));
        assert_eq!(ticket["last_inbound_at"], "");
        let trusts = raw_sql(&stage, "SELECT DISTINCT trust FROM inbound").unwrap();
        assert_eq!(trusts.trim(), "C");
    }
}

/// Python's smtplib with STARTTLS, 8-bit and SMTPUTF8 content, and Postfix's load generator.
#[test]
fn the_clients_that_people_use_are_understood() {
    let (stage, letters) = sent(Backend::Sqlite, 1);
    let reply_to = letters[0].header("Reply-To").unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-keyout", "k.pem", "-out", "c.pem"])
        .current_dir(stage.folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let file = |name| stage.folder.path().join(name);
    let run =
        stage.run.with("FORTHRIGHT_RECEIVE_CERTIFICATE", file("c.pem")).with("FORTHRIGHT_RECEIVE_KEY", file("k.pem"));
    let receiver = Receiver::start(&run);
    let script = format!(
        r#"
import smtplib, ssl
from email.message import EmailMessage
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with smtplib.SMTP("127.0.0.1", {port}, timeout=60) as smtp:
    smtp.starttls(context=context)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "jörg@org00000.example", "{reply_to}", "Größe"
    mail.set_content("Wie groß ist es?\n.\n..\n")
    smtp.send_message(mail, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    try:
        smtp.sendmail("a@x.example", ["x@other.example"], b"relayed?")
        raise SystemExit("it relays")
    except smtplib.SMTPRecipientsRefused:
        pass
"#,
        port = receiver.smtp.port()
    );
    let python = Command::new("python3").args(["-c", &script]).output().unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    let source =
        ["/usr/sbin/smtp-source", "smtp-source"].into_iter().find(|path| Command::new(path).arg("-V").output().is_ok());
    let load = Command::new(source.expect("Postfix's smtp-source is installed"))
        .args(["-s", "5", "-m", "200", "-l", "6000", "-d", "-f", "a@x.example", "-t", &reply_to])
        .arg(format!("127.0.0.1:{}", receiver.smtp.port()))
        .output()
        .unwrap();
    assert!(load.status.success(), "{}", String::from_utf8_lossy(&load.stderr));
    let count =
        |what: &str| raw_sql(&stage, &format!("SELECT COUNT(*) FROM inbound {what}")).unwrap().trim().to_owned();
    wait_until("all are filed", || count("WHERE state = 'filed'") == "201");
    assert!(asked(&stage).contains("Wie groß ist es?"), "{:?}", asked(&stage));
}

#[test]
fn a_port_that_is_taken_and_a_certificate_that_is_none_are_named() {
    let stage = Stage::new(Backend::Sqlite);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = stage.run.with("FORTHRIGHT_RECEIVE_SMTP", &address).run(&["worker"]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains(&format!("cannot take mail by smtp at {address}")), "{}", output.stderr);
    let run = stage.run.with("FORTHRIGHT_RECEIVE_CERTIFICATE", "none.pem").with("FORTHRIGHT_RECEIVE_KEY", "none.pem");
    let output = run.run(&["worker"]);
    assert!(output.status == 1 && output.stderr.contains("none.pem"), "{}", output.stderr);
}
