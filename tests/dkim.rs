//! Signatures over mail (DKIM), checked by an implementation that is not ours.

use std::path::Path;
use std::process::Command;

use testkit::process::Backend;
use testkit::smtp::Recorder;

use crate::setup::{Stage, path};

/// Number of signatures and of good ones, a mail each.
fn verified(stage: &Stage, mails: &[Vec<u8>]) -> Vec<(usize, usize)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/dkimpy/bin/python3");
    assert!(python.exists(), "{} is not there: ops/test installs it", python.display());
    let mut check = Command::new(python);
    check.arg(root.join("tests/data/dkim/verify.py")).arg(stage.folder.path().join("records.csv"));
    for (n, mail) in mails.iter().enumerate() {
        let file = stage.folder.path().join(format!("signed-{n}.eml"));
        std::fs::write(&file, mail).unwrap();
        check.arg(file);
    }
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines()
        .map(|line| {
            let (all, good) = line.split_once(' ').unwrap();
            (all.parse().unwrap(), good.parse().unwrap())
        })
        .collect()
}

/// A stage whose mail is signed with a key of each kind, one that is over, and one that is not due yet.
fn stage() -> Stage {
    let stage = Stage::new(Backend::Sqlite);
    let file = |name: &str| stage.folder.path().join(name);
    for name in ["new.pem", "over.pem", "later.pem"] {
        stage.run.ok(&["dkim", "generate", path(&file(name)), "--selector", name.trim_end_matches(".pem")]);
    }
    let made = Command::new("openssl").args(["genrsa", "-out", path(&file("rsa.pem")), "2048"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = |selector: &str, more: &str| {
        format!("[[dkim]]\nselector = \"{selector}\"\nfile = \"{}\"\n{more}\n", path(&file(&format!("{selector}.pem"))))
    };
    let config = [
        key("new", ""),
        key("rsa", "domain = \"vendor.example\""),
        key("over", "until = \"2022-01-01T00:00:00Z\""),
        key("later", "from = \"2122-01-01T00:00:00Z\""),
    ];
    let config = stage.file("forthright.toml", &config.concat());
    let run = stage.run.with("FORTHRIGHT_CONFIG", config.as_os_str());
    stage.file("records.csv", &run.ok(&["dkim", "records", "--csv"]));
    Stage { run, ..stage }
}

#[test]
fn every_mail_carries_a_good_signature_of_each_key_in_use() {
    let stage = stage();
    stage.small(5);
    stage.release();
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    let mails: Vec<Vec<u8>> = recorder.messages().into_iter().map(|mail| mail.data).collect();
    assert_eq!(mails.len(), 5);
    assert_eq!(verified(&stage, &mails), vec![(2, 2); 5]);
    // What was changed, added or said a second time on the way is not ours any more.
    let text = String::from_utf8(mails[0].clone()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let changed = [
        text.replacen("\r\nSubject: ", "\r\nSubject: Urgent: ", 1),
        format!("{head}\r\nFrom: other@example.net\r\n\r\n{body}"),
        format!("{head}\r\nCc: other@example.net\r\n\r\n{body}"),
        format!("{head}\r\nSubject: another one\r\n\r\n{body}"),
        format!("{head}\r\nReply-To: other@example.net\r\n\r\n{body}"),
        format!("{head}\r\n\r\n{body}One more line.\r\n"),
    ];
    let changed: Vec<Vec<u8>> = changed.into_iter().map(String::into_bytes).collect();
    assert_eq!(verified(&stage, &changed), vec![(2, 0); 6]);
}

#[test]
fn a_key_that_cannot_be_used_is_named_before_anything_is_sent() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    stage.release();
    let recorder = Recorder::start().unwrap();
    let with = |lines: &str| {
        let config = stage.file("bad.toml", &format!("[[dkim]]\nselector = \"s1\"\n{lines}\n"));
        let run = stage.run.with("FORTHRIGHT_CONFIG", config.as_os_str()).sending_to(&recorder.url());
        let output = run.run(&["work", "--until-idle", "--timeout", "20"]);
        assert_eq!(output.status, 1, "{lines}: {}", output.stderr);
        assert_eq!(run.run(&["doctor"]).status, 1);
        output.stderr
    };
    let key = stage.folder.path().join("key.pem");
    stage.run.ok(&["dkim", "generate", path(&key), "--selector", "s1"]);
    let not_a_key = stage.file("notes.pem", "not a key");
    assert!(with(&format!("file = \"{}\"", path(&not_a_key))).contains("notes.pem holds no private key"));
    assert!(with("file = \"/nowhere/key.pem\"").contains("cannot read the key /nowhere/key.pem"));
    let foreign = with(&format!("file = \"{}\"\ndomain = \"other.example\"", path(&key)));
    assert!(foreign.contains("signs for other.example") && foreign.contains("hint:"), "{foreign}");
    assert_eq!(recorder.messages().len(), 0);
    assert_eq!(stage.status()["in_progress"], 1);
    // A key is never written over.
    let twice = stage.run.run(&["dkim", "generate", path(&key), "--selector", "s2"]);
    assert_eq!(twice.status, 1);
    assert!(twice.stderr.contains("key.pem") && twice.stderr.contains("hint:"), "{}", twice.stderr);
}
