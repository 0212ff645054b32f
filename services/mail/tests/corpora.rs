//! Mails of many systems, read and compared with what others say of them (`tests/data/mail/README.md`).
//!
//! The first two counts are 0 for good: a machine is never taken for a person, a person never for a machine. The other
//! counts are ceilings: who lowers one writes the lower figure here.

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
    check("flufl-bounce", &Counts { mails: 117, ..Counts::default() });
}

#[test]
fn replies_of_talon() {
    check("talon", &Counts { mails: 68, ..Counts::default() });
}

#[test]
fn forwarded_and_quoted_mails_of_quotequail() {
    check("quotequail", &Counts { mails: 23, ..Counts::default() });
}

#[test]
fn mails_written_by_hand_in_the_style_of_many_systems() {
    check("handwritten", &Counts { mails: 0, ..Counts::default() });
}

#[test]
fn zz_temporary_look() {
    let Ok(dir) = std::env::var("CORPUS_DIR") else { return };
    let mut files: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    for file in files {
        let raw = std::fs::read(&file).unwrap();
        let seen = read(&raw, None, None, &|_| false);
        println!(
            "LOOK {} {} may={} subj={:?} from={:?} rcpt={:?} {:?}",
            file.file_name().unwrap().to_string_lossy(),
            seen.class,
            seen.may_answer,
            seen.subject.chars().take(60).collect::<String>(),
            seen.from,
            seen.recipients.iter().map(|r| &r.address).collect::<Vec<_>>(),
            seen.evidence.last()
        );
    }
}
