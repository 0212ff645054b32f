//! Mails of many systems, read and compared with what others say of them (`tests/data/mail/README.md`).
//!
//! The first two counts are 0 for good: a machine is never taken for a person, a person never for a machine. The other
//! counts are exact, so that a change for the better is written down too. No envelope is given: what a mail says alone
//! must do.

#![expect(clippy::unwrap_used, reason = "a test ends where its files cannot be read")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mail::inbound::{Class, Inbound, read};
use proptest::prelude::*;

/// For one mail, on a busy machine and without optimisation.
const SLOWEST: Duration = Duration::from_secs(5);

/// What a label says a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    /// Anything that no person wrote.
    Machine,
    /// Refused, for good or not.
    Bounce,
    /// Given up, or still under way, for a reason that may pass.
    Soft,
    Is(Class),
}

struct Labelled {
    file: PathBuf,
    label: Label,
    recipients: Vec<String>,
    new_text: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    mails: usize,
    machine_taken_for_human: usize,
    human_taken_for_machine: usize,
    human_left_unclear: usize,
    wrong_class: usize,
    wrong_recipients: usize,
    new_text_shorter: usize,
    new_text_longer: usize,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/mail")
}

fn labelled(corpus: &str) -> Vec<Labelled> {
    let folder = folder().join(corpus);
    let labels = std::fs::read_to_string(folder.join("labels.tsv")).unwrap();
    let rows = labels.lines().filter(|line| !line.is_empty()).map(|line| {
        let [file, label, recipients, new_text] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let stated = |value: &str| (value != "-").then(|| value.to_owned());
        Labelled {
            file: folder.join(file),
            label: label_of(label),
            recipients: stated(recipients).map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default(),
            new_text: stated(new_text).map(|name| std::fs::read_to_string(folder.join(name)).unwrap()),
        }
    });
    rows.collect()
}

fn label_of(name: &str) -> Label {
    match name {
        "machine" => Label::Machine,
        "bounce" => Label::Bounce,
        "soft" => Label::Soft,
        "hard" => Label::Is(Class::BouncePermanent),
        "delay" => Label::Is(Class::Delay),
        "auto" => Label::Is(Class::AutoReply),
        "complaint" => Label::Is(Class::Complaint),
        "receipt" => Label::Is(Class::Receipt),
        "unclear" => Label::Is(Class::Unclear),
        "human" => Label::Is(Class::Human),
        other => panic!("no label is named {other}"),
    }
}

fn fits(label: Label, class: Class) -> bool {
    match label {
        Label::Machine => class != Class::Human,
        Label::Bounce => matches!(class, Class::BouncePermanent | Class::BounceTransient),
        Label::Soft => matches!(class, Class::BounceTransient | Class::Delay),
        Label::Is(stated) => stated == class,
    }
}

/// A text by its words: line breaks and spaces are a mail program's own.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

fn count(corpus: &str) -> (Counts, String) {
    let mut counts = Counts::default();
    let mut notes = String::new();
    for mail in labelled(corpus) {
        let raw = std::fs::read(&mail.file).unwrap();
        let started = Instant::now();
        let seen = read(&raw, None, None, &|_| false);
        assert!(started.elapsed() < SLOWEST, "{} took {:?}", mail.file.display(), started.elapsed());
        compare(&mail, &seen, &mut counts, &mut notes);
    }
    (counts, notes)
}

fn compare(mail: &Labelled, seen: &Inbound, counts: &mut Counts, notes: &mut String) {
    let mut wrong = Vec::new();
    counts.mails += 1;
    let human = mail.label == Label::Is(Class::Human);
    if human && seen.class == Class::Unclear {
        counts.human_left_unclear += 1;
        wrong.push("person left unclear".to_owned());
    } else if human && seen.class != Class::Human {
        counts.human_taken_for_machine += 1;
        wrong.push("PERSON TAKEN FOR MACHINE".to_owned());
    } else if !human && seen.class == Class::Human {
        counts.machine_taken_for_human += 1;
        wrong.push("MACHINE TAKEN FOR PERSON".to_owned());
    } else if !fits(mail.label, seen.class) {
        counts.wrong_class += 1;
        wrong.push(format!("class, expected {:?}", mail.label));
    }
    let mut named: Vec<String> = seen.recipients.iter().map(|one| one.address.to_lowercase()).collect();
    let mut stated: Vec<String> = mail.recipients.iter().map(|address| address.to_lowercase()).collect();
    named.sort();
    stated.sort();
    if !stated.is_empty() && named != stated {
        counts.wrong_recipients += 1;
        wrong.push(format!("recipients {named:?}, expected {stated:?}"));
    }
    if let Some(expected) = &mail.new_text {
        let own = squeezed(&seen.new_text);
        if let Some(line) = expected.lines().find(|line| !own.contains(&squeezed(line))) {
            counts.new_text_shorter += 1;
            wrong.push(format!("new text lacks {line:?}, is {:?}", seen.new_text));
        } else if own.len() > squeezed(expected).len() {
            counts.new_text_longer += 1;
            wrong.push(format!("new text is longer: {:?}", seen.new_text.chars().take(300).collect::<String>()));
        }
    }
    if !wrong.is_empty() {
        let name = mail.file.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(notes, "{name}: {} is {} {:?}", wrong.join("; "), seen.class, seen.evidence);
    }
}

#[track_caller]
fn check(corpus: &str, expected: &Counts) {
    let (counts, notes) = count(corpus);
    println!("{corpus}: {counts:#?}\n{notes}");
    assert_eq!(&counts, expected, "{corpus}\n{notes}");
}

#[test]
fn bounces_of_flufl_bounce() {
    check("flufl-bounce", &Counts { mails: 117, wrong_recipients: 3, ..Counts::default() });
}

#[test]
fn replies_of_talon() {
    check("talon", &Counts { mails: 68, new_text_longer: 14, ..Counts::default() });
}

#[test]
fn mails_written_by_hand_in_the_style_of_many_systems() {
    check("handwritten", &Counts { mails: 199, new_text_longer: 6, ..Counts::default() });
}

#[test]
fn no_person_of_the_corpora_is_taken_for_a_wrong_recipient_without_saying_so() {
    let mut taken = Vec::new();
    let mut people = 0;
    for mail in ["flufl-bounce", "talon", "handwritten"].iter().flat_map(|corpus| labelled(corpus)) {
        let seen = read(&std::fs::read(&mail.file).unwrap(), None, None, &|_| false);
        people += usize::from(seen.class == Class::Human);
        if seen.class == Class::Human && mail::inbound::says_wrong_recipient(&seen.new_text) {
            taken.push((mail.file.file_name().unwrap_or_default().to_owned(), seen.new_text));
        }
    }
    assert!(people > 100, "{people}");
    assert_eq!(taken, []);
}

fn every_mail() -> Vec<Vec<u8>> {
    let corpora = ["flufl-bounce", "talon", "handwritten"];
    corpora.iter().flat_map(|corpus| labelled(corpus)).map(|mail| std::fs::read(mail.file).unwrap()).collect()
}

/// Reads hostile bytes in bounded time.
#[track_caller]
fn bounded(raw: &[u8]) -> Inbound {
    let started = Instant::now();
    let seen = read(raw, None, None, &|_| false);
    mail::inbound::questions(&seen.new_text);
    let taken = started.elapsed();
    assert!(taken < Duration::from_secs(20), "{} bytes took {taken:?}", raw.len());
    seen
}

const HEAD: &str = "From: a@contoso.example\r\nSubject: x\r\n";

#[test]
fn twenty_five_megabytes_of_text_are_read_in_bounded_time() {
    let megabytes = |line: &str| line.repeat(25 * 1024 * 1024 / line.len());
    for line in [
        "Which files?\r\n",
        "> On 4 Oct 2022 a@b.example wrote:\r\n",
        "From: a@b.example\r\n",
        "On 4 Oct 2022 a@b.example\r\n",
        "a@b.example: 550 no\r\n",
        "word ",
        ":",
        "?",
    ] {
        bounded(format!("{HEAD}\r\n{}", megabytes(line)).as_bytes());
        bounded(
            format!("From: MAILER-DAEMON@b.example\r\nSubject: failure notice\r\n\r\n{}", megabytes(line)).as_bytes(),
        );
    }
    for part in
        ["<div>", "<blockquote type=cite>", "<p>x</p>", "&amp;", "<br>", "<div style='border-top:solid #e1e1e1'>"]
    {
        bounded(format!("{HEAD}Content-Type: text/html\r\n\r\n{}", megabytes(part)).as_bytes());
    }
    let encoded = format!(
        "{HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        megabytes("V2hpY2gg\r\n")
    );
    bounded(encoded.as_bytes());
}

#[test]
fn ten_thousand_parts_and_a_thousand_levels_are_read_in_bounded_time() {
    let part = "--b\r\nContent-Type: text/plain\r\n\r\nWhich?\r\n";
    let seen =
        bounded(format!("{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", part.repeat(10_000)).as_bytes());
    assert!(seen.evidence.iter().any(|why| why.contains("more parts")));
    let mut deep = format!("{HEAD}Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
    for level in 0..1_000 {
        deep.push_str(&format!("--b{level}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", level + 1));
    }
    bounded(deep.as_bytes());
    bounded(
        format!("{HEAD}Content-Type: message/rfc822\r\n\r\n{}", "Content-Type: message/rfc822\r\n\r\n".repeat(100_000))
            .as_bytes(),
    );
    let report = "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n".repeat(20_000);
    let seen = bounded(
        format!(
            "{HEAD}Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
             Content-Type: message/delivery-status\r\n\r\n{report}\r\n--b--\r\n"
        )
        .as_bytes(),
    );
    assert_eq!(seen.class, Class::BouncePermanent);
}

#[test]
fn a_hundred_thousand_header_lines_are_read_in_bounded_time() {
    for line in [
        "X-A: b\r\n",
        " folded\r\n",
        "Received: from a by b\r\n",
        "References: <a@b.example>\r\n",
        "To: a@b.example,\r\n",
        "(((\r\n",
        "Subject: =?utf-8?q?a?=\r\n",
    ] {
        bounded(format!("{HEAD}{}\r\nWhich files?\r\n", line.repeat(100_000)).as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_mutated_mail_is_read_all_the_same(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..5), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mails = every_mail();
        let mut raw = which.get(&mails).clone();
        for (at, byte, kind) in changes {
            let at = at.index(raw.len());
            match kind {
                0 => raw[at] = byte,
                1 => raw.insert(at, byte),
                2 => drop(raw.splice(at..at, *b"\r\n\r\n")),
                3 => drop(raw.splice(at..at, *b"\n--b1\n")),
                _ => raw.truncate(at.max(1)),
            }
        }
        let middle = cut.index(raw.len());
        for bytes in [raw.clone(), [&raw[middle..], &raw[..middle]].concat()] {
            let seen = read(&bytes, None, None, &|_| false);
            prop_assert!(!seen.evidence.is_empty());
            mail::inbound::questions(&seen.new_text);
        }
    }
}
