//! Mail that is taken from mailboxes, with Dovecot as the server: none is lost, none is filed twice, whatever happens.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use testkit::dovecot::{Dovecot, PASSWORD};
use testkit::process::{Backend, Forthright, Running};

use crate::reception::wait_until;
use crate::setup::{SLUG, Stage, path};
use crate::tickets::{raw_sql, sent};

const PATIENCE: Duration = Duration::from_secs(60);

/// A released notice, and where its answers go.
struct World {
    stage: Stage,
    reply_to: String,
}

impl World {
    fn new(backend: Backend) -> Self {
        let (stage, letters) = sent(backend, 1);
        let reply_to = letters[0].header("Reply-To").unwrap();
        Self { stage, reply_to }
    }

    /// The binary with these mailboxes: user, and further lines.
    fn with(&self, mailboxes: &[(&str, String)]) -> Forthright {
        let password = self.password(PASSWORD);
        let text: String = mailboxes
            .iter()
            .map(|(user, lines)| {
                format!(
                    "[[receive.imap]]\nname = \"{user}\"\nhost = \"127.0.0.1\"\nuser = \"{user}\"\npassword_file = \"{}\"\n{lines}\n",
                    path(&password)
                )
            })
            .collect();
        let config = self.stage.file("imap.toml", &text);
        self.stage.run.with("FORTHRIGHT_CONFIG", path(&config))
    }

    fn password(&self, text: &str) -> PathBuf {
        self.stage.file("password", &format!("{text}\n"))
    }

    fn mail(&self, words: &str) -> String {
        format!(
            "From: Somebody <security@org00000.example>\nTo: {}\nSubject: Re: your notice\nMessage-ID: <{}@org00000.example>\n\n{words}\n",
            self.reply_to,
            model::digest::sha256(words.as_bytes()),
        )
    }

    fn asked(&self) -> Vec<String> {
        let ticket = self.stage.run.csv(&["ticket", "list", SLUG]).remove(0).remove("ticket").unwrap();
        let shown = self.stage.run.json(&["ticket", "show", &ticket]);
        let questions = shown["questions"].as_array().unwrap();
        let mut asked: Vec<String> = questions.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
        asked.sort();
        asked
    }

    fn sql(&self, statement: &str) -> String {
        raw_sql(&self.stage, statement).unwrap().trim().to_owned()
    }
}

fn plain(server: &Dovecot, lines: &str) -> String {
    format!("port = {}\ntls = \"none\"\n{lines}", server.port)
}

fn taking(run: &Forthright) -> Running {
    let mut running = run.with("FORTHRIGHT_LOG", "info").spawn(&["worker"]);
    assert!(running.wait_for("mail is taken from a mailbox", PATIENCE).is_some(), "{}", running.said());
    running
}

/// What `doctor` finds of mailboxes: result and sentence, joined.
fn found(run: &Forthright) -> Vec<String> {
    let output = run.run(&["doctor", "--json"]);
    let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let imap = findings.as_array().unwrap().iter().filter(|one| one["check"] == "imap");
    imap.map(|one| {
        format!(
            "{}: {} > {}",
            one["result"].as_str().unwrap(),
            one["what"].as_str().unwrap(),
            one["next"].as_str().unwrap()
        )
    })
    .collect()
}

#[test]
fn mail_of_two_mailboxes_is_taken_as_it_comes_and_put_away() {
    for backend in Backend::each() {
        let (world, server) = (World::new(backend), Dovecot::start());
        server.deliver("support", &world.mail("Was there before?"));
        let run = world.with(&[
            ("support", plain(&server, "after = \"delete\"")),
            ("privacy", plain(&server, "after = \"move:Done\"")),
        ]);
        let mut running = taking(&run);
        wait_until("what was there is taken", || world.asked() == ["Was there before?"]);
        // The next look of a server that tells of new mail is minutes away.
        server.deliver("support", &world.mail("Came by itself?"));
        server.deliver("privacy", &world.mail("Came to the other?"));
        wait_until("what comes is taken", || world.asked().len() == 3);
        wait_until("both are put away", || {
            server.messages("support", "").is_empty() && server.messages("privacy", "").is_empty()
        });
        assert_eq!(server.messages("privacy", "Done").len(), 1);
        assert_eq!(world.sql("SELECT DISTINCT via FROM inbound"), "imap");
        assert_eq!(running.terminate(), 0);
    }
}

#[test]
fn killed_at_any_moment_no_mail_is_lost_and_none_is_filed_twice() {
    const MAILS: usize = 120;
    for backend in Backend::each() {
        let (world, server) = (World::new(backend), Dovecot::start());
        let words: BTreeSet<String> = (0..MAILS).map(|n| format!("Question {n:03}?")).collect();
        for text in &words {
            server.deliver("support", &world.mail(text));
        }
        let run = world.with(&[("support", plain(&server, "after = \"delete\""))]);
        for round in 1..=3 {
            let mut running = run.spawn(&["worker"]);
            let stored = || world.sql("SELECT COUNT(*) FROM inbound").parse::<usize>().unwrap();
            wait_until("mails are stored", || stored() >= round * MAILS / 4);
            running.kill();
        }
        let mut running = taking(&run);
        wait_until("the mailbox is empty", || server.messages("support", "").is_empty());
        wait_until("all are filed", || world.asked().len() >= MAILS);
        assert_eq!(world.asked(), words.into_iter().collect::<Vec<_>>());
        assert_eq!(world.sql("SELECT COUNT(*) FROM inbound"), MAILS.to_string());
        assert_eq!(running.terminate(), 0);
    }
}

#[test]
fn a_mail_that_was_stored_and_not_yet_put_away_is_put_away_and_not_fetched_again() {
    let (world, server) = (World::new(Backend::Sqlite), Dovecot::start());
    server.deliver("support", &world.mail("Once?"));
    let mut running = taking(&world.with(&[("support", plain(&server, "after = \"seen\""))]));
    wait_until("it is settled", || world.sql("SELECT COUNT(*) FROM mailbox_mails WHERE state = 'done'") == "1");
    running.kill();
    // As if the process had ended between the commit and the server's hearing of it.
    world.sql("UPDATE mailbox_mails SET state = 'kept'");
    world.sql("UPDATE mailboxes SET settled_to = 0");
    let mut running = taking(&world.with(&[("support", plain(&server, "after = \"delete\""))]));
    wait_until("it is put away", || server.messages("support", "").is_empty());
    wait_until("it is settled", || world.sql("SELECT state FROM mailbox_mails") == "done");
    assert_eq!(world.sql("SELECT tries FROM mailbox_mails"), "1");
    assert_eq!(world.asked(), ["Once?"]);
    assert_eq!(running.terminate(), 0);
}

#[test]
fn a_mail_that_cannot_be_taken_is_put_before_a_person_and_stops_no_other() {
    let (world, server) = (World::new(Backend::Sqlite), Dovecot::start());
    server.deliver_bytes("support", &vec![b'x'; 26 * 1024 * 1024]);
    server.deliver("support", &world.mail("Is this one taken?"));
    let run = world.with(&[("support", plain(&server, "after = \"delete\"\nquarantine = \"Broken\""))]);
    let mut running = taking(&run);
    wait_until("the other is taken", || world.asked() == ["Is this one taken?"]);
    wait_until("it is out of the way", || server.messages("support", "Broken").len() == 1);
    wait_until("nothing is left", || server.messages("support", "").is_empty());
    assert_eq!(world.sql("SELECT state FROM mailbox_mails ORDER BY uid"), "refused\ndone");
    assert!(world.sql("SELECT text FROM tasks WHERE kind = 'mailbox'").contains("could not be taken"));
    assert_eq!(running.terminate(), 0);
    let found = found(&run);
    assert!(
        found.iter().any(|one| one.starts_with("warning: 1 mails of mailbox support could not be taken")),
        "{found:?}"
    );
}

#[test]
fn a_mail_that_the_server_cannot_hand_over_is_tried_three_times_and_remembered() {
    let (world, server) = (World::new(Backend::Sqlite), Dovecot::start());
    server.deliver_unreadable("support");
    server.deliver("support", &world.mail("Is this one taken?"));
    let run = world.with(&[("support", plain(&server, "after = \"delete\""))]);
    let mut running = run.spawn(&["worker"]);
    wait_until("the other is taken", || world.asked() == ["Is this one taken?"]);
    let states = || world.sql("SELECT state, tries FROM mailbox_mails ORDER BY uid");
    wait_until("it is remembered", || states() == "refused|3\ndone|2");
    assert_eq!(server.messages("support", "").len(), 1, "it stays where it is");
    // New mail is taken all the same.
    server.deliver("support", &world.mail("And this one?"));
    wait_until("the next is taken", || world.asked().len() == 2);
    assert_eq!(running.terminate(), 0);
}

#[test]
fn a_server_that_comes_back_is_looked_into_again_and_its_absence_is_shown() {
    let (world, mut server) = (World::new(Backend::Sqlite), Dovecot::start());
    let run = world.with(&[("support", plain(&server, ""))]);
    let mut running = taking(&run);
    server.stop();
    wait_until("its absence is noted", || world.sql("SELECT COUNT(*) FROM mailboxes WHERE failing_since > 0") == "1");
    let shown = found(&run);
    assert!(
        shown[0].starts_with("bad: mailbox support: ") && shown[0].contains("check that the server runs"),
        "{shown:?}"
    );
    server.deliver("support", &world.mail("Came while it was away?"));
    server.restart().unwrap();
    wait_until("it is taken", || world.asked() == ["Came while it was away?"]);
    assert_eq!(world.sql("SELECT COUNT(*) FROM mailboxes WHERE failing_since IS NULL"), "1");
    let shown = found(&run);
    assert_eq!(shown, ["good: mailbox support: 127.0.0.1 lets us in, and tells of new mail > "]);
    assert_eq!(running.terminate(), 0);
}

#[test]
fn mails_that_are_numbered_anew_are_looked_at_again_and_filed_once() {
    let (world, mut server) = (World::new(Backend::Sqlite), Dovecot::start());
    let run = world.with(&[("support", plain(&server, "after = \"seen\""))]);
    server.deliver("support", &world.mail("First?"));
    server.deliver("support", &world.mail("Second?"));
    let mut running = taking(&run);
    wait_until("both are taken", || world.asked().len() == 2);
    server.number_anew("support");
    server.deliver("support", &world.mail("Third?"));
    wait_until("the third is taken", || world.asked().len() == 3);
    wait_until("all are settled", || world.sql("SELECT COUNT(*) FROM mailbox_mails WHERE state = 'done'") == "5");
    assert_eq!(world.sql("SELECT COUNT(DISTINCT uid_validity) FROM mailbox_mails"), "2");
    assert_eq!(world.sql("SELECT COUNT(*) FROM inbound"), "3");
    assert_eq!(server.messages("support", "").len(), 3, "they stay");
    assert_eq!(running.terminate(), 0);
}

#[test]
fn a_server_without_idle_and_move_is_asked_and_its_mails_are_copied() {
    let (world, server) = (World::new(Backend::Sqlite), Dovecot::offering("UIDPLUS"));
    let run = world.with(&[("support", plain(&server, "after = \"move:Done\"\npoll_seconds = 1"))]);
    let mut running = taking(&run);
    assert!(running.said().contains("idle=false"), "{}", running.said());
    server.deliver("support", &world.mail("Found by asking?"));
    wait_until("it is taken", || world.asked() == ["Found by asking?"]);
    wait_until("it is moved", || server.messages("support", "").is_empty());
    assert_eq!(server.messages("support", "Done").len(), 1);
    assert_eq!(running.terminate(), 0);
}

#[test]
fn a_wrong_password_is_said_with_the_next_step_and_is_never_shown() {
    let (world, server) = (World::new(Backend::Sqlite), Dovecot::start());
    let run = world.with(&[("support", plain(&server, ""))]);
    let password = world.password("wrong-secret");
    let mut running = run.spawn(&["worker"]);
    wait_until("it is noted", || world.sql("SELECT fault FROM mailboxes").contains("the login is refused"));
    assert!(world.sql("SELECT hint FROM mailboxes").contains("password_file"));
    running.kill();
    let shown = found(&run);
    assert!(shown[0].starts_with("bad: mailbox support: the login is refused"), "{shown:?}");
    assert!(!format!("{shown:?}{}", running.said()).contains("wrong-secret"));
    std::fs::remove_file(password).unwrap();
    assert!(found(&run)[0].contains("the password of mailbox support cannot be read"));
}

#[test]
fn nothing_is_said_to_a_server_whose_certificate_is_not_the_right_one() {
    let (world, server) = (World::new(Backend::Sqlite), Dovecot::start());
    let check = |lines: &str, expect: &str| {
        let found = found(&world.with(&[("support", lines.to_owned())]));
        assert!(found[0].starts_with(expect), "{lines}: {found:?}");
    };
    let (starttls, direct) =
        (format!("tls = \"starttls\"\nport = {}", server.port), format!("port = {}", server.tls_port));
    let other = format!("sha256:{}", "00".repeat(32));
    for place in [&starttls, &direct] {
        check(place, "bad: mailbox support: TLS failed");
        check(&format!("{place}\npin = \"{other}\""), "bad: mailbox support: TLS failed");
        assert!(!server.log().contains("user=<support>"), "somebody logged in: {}", server.log());
    }
    for place in [&starttls, &direct] {
        check(&format!("{place}\npin = \"{}\"", server.pin()), "good: ");
    }
    // Nor is TLS left out where none is offered.
    check(&format!("tls = \"required\"\nport = {}", server.port), "bad: mailbox support: ");
}

#[test]
fn work_until_idle_takes_what_is_in_each_mailbox_and_says_which_it_could_not_look_into() {
    let (world, server) = (World::new(Backend::Sqlite), Dovecot::start());
    for n in 0..3 {
        server.deliver("support", &world.mail(&format!("Question {n}?")));
    }
    let nobody = "port = 1\ntls = \"none\"".to_owned();
    let run = world.with(&[("another", nobody), ("support", plain(&server, "after = \"delete\""))]);
    let ended = run.run(&["work", "--until-idle", "--timeout", "60"]);
    assert_eq!(ended.status, 75, "{}", ended.stderr);
    assert!(ended.stderr.contains("mail was not taken from another: "), "{}", ended.stderr);
    assert_eq!(
        world.asked(),
        ["Question 0?", "Question 1?", "Question 2?"],
        "the other one is looked into all the same"
    );
    assert!(server.messages("support", "").is_empty());
    let run = world.with(&[("support", plain(&server, "after = \"delete\""))]);
    server.deliver("support", &world.mail("One more?"));
    let ended = run.run(&["work", "--until-idle", "--timeout", "60"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert_eq!(world.asked().len(), 4);
}
