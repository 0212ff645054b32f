//! A labelled set of nasty hosts: every verdict is the label's, and no mail says anything about another's.
//!
//! The set lies in `tests/data/mapping` and says of each host why it is there. Each host has a data type and an object
//! path of its own, so that a mail betrays whom it is about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::domain::DomainName;
use serde::Deserialize;
use testkit::process::Backend;
use testkit::smtp::{Message, Recorder};

use crate::setup::{Clock, SLUG, Stage, path};

#[derive(Debug, Deserialize)]
struct Organisation {
    domain: String,
    tenant_id: String,
    tenant_name: String,
    country: String,
    language: String,
}

/// Whose a domain was, in imports at least that many days ago.
#[derive(Debug, Deserialize)]
struct Before {
    domain: String,
    tenant_id: String,
    until_days_ago: i64,
}

#[derive(Debug, Deserialize)]
struct Manual {
    tenant: String,
    domain: String,
    alias_of: String,
    over: String,
    expires_after_days: String,
}

#[derive(Debug, Deserialize)]
struct Decision {
    decision: String,
    domain: String,
    tenant: String,
}

#[derive(Debug, Deserialize)]
struct Contact {
    tenant_id: String,
    email: String,
}

#[derive(Debug, Deserialize)]
struct Host {
    host: String,
    expect_verdict: String,
    expect_tenant: String,
    why: String,
}

/// The set.
struct Labels {
    directory: Vec<Organisation>,
    before: Vec<Before>,
    manual: Vec<Manual>,
    decisions: Vec<Decision>,
    contacts: Vec<Contact>,
    hosts: Vec<Host>,
}

fn folder() -> std::path::PathBuf {
    testkit::data::sample().join("../mapping")
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    csv::Reader::from_path(folder().join(name)).unwrap().deserialize().map(|row| row.unwrap()).collect()
}

impl Labels {
    fn read() -> Labels {
        Labels {
            directory: read("directory.csv"),
            before: read("before.csv"),
            manual: read("manual.csv"),
            decisions: read("decisions.csv"),
            contacts: read("contacts.csv"),
            hosts: read("hosts.csv"),
        }
    }

    /// The directory as it was so many days ago; 0: as it is.
    fn snapshot(&self, days_ago: i64) -> String {
        let mut owners: BTreeMap<(&str, &str), &Organisation> = BTreeMap::new();
        let mut by_tenant: HashMap<&str, &Organisation> = HashMap::new();
        for row in &self.directory {
            by_tenant.insert(&row.tenant_id, row);
            owners.insert((&row.domain, &row.tenant_id), row);
        }
        let mut was: BTreeMap<&str, &Before> = BTreeMap::new();
        for row in self.before.iter().filter(|row| days_ago > 0 && days_ago >= row.until_days_ago) {
            let there = was.entry(&row.domain).or_insert(row);
            if row.until_days_ago > there.until_days_ago {
                *there = row;
            }
        }
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(["domain", "tenant_id", "tenant_name", "country", "language"]).unwrap();
        let mut write = |domain: &str, row: &Organisation| {
            out.write_record([domain, &row.tenant_id, &row.tenant_name, &row.country, &row.language]).unwrap();
        };
        for ((domain, _), row) in &owners {
            if !was.contains_key(domain) {
                write(domain, row);
            }
        }
        for before in was.values() {
            write(&before.domain, by_tenant[before.tenant_id.as_str()]);
        }
        String::from_utf8(out.into_inner().unwrap()).unwrap()
    }

    /// One row a host, each with a path and a data type that no other has.
    fn manifest(&self) -> String {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id".split(','))
            .unwrap();
        for (n, host) in self.hosts.iter().enumerate() {
            let canary = canary(n);
            let path = format!("box/{canary}.pdf");
            let (project, user) = (format!("prj-{n}"), format!("usr-{n}"));
            out.write_record([&path, &host.host, "", &canary, "2020-01-02", "10", &project, &user]).unwrap();
        }
        String::from_utf8(out.into_inner().unwrap()).unwrap()
    }
}

fn canary(n: usize) -> String {
    format!("canary-h{n:03}x")
}

/// So many days after (or before) the incident was opened.
fn day(n: i64) -> String {
    let opened = "2022-09-25T09:00:00Z".parse::<model::time::Timestamp>().unwrap().micros();
    model::time::Timestamp::from_micros(opened + n * 24 * 3_600_000_000).to_string()
}

/// Everything imported, entered and decided, the manifest first or last.
fn stage(backend: Backend, labels: &Labels, manifest_first: bool) -> Stage {
    let stage = Stage::with_clock(backend, Clock::Moved);
    let at = |n: i64| stage.run.with("FORTHRIGHT_NOW", day(n));
    let manifest = stage.file("manifest.csv", &labels.manifest());
    let shared = stage.file("shared.txt", "free.example\n");
    let import = || {
        let run = at(-1);
        let rejected = labels.hosts.iter().filter(|host| host.expect_verdict == "rejected").count();
        let output =
            run.run(&["exposure", "import", SLUG, path(&manifest), "--shared-domains", path(&shared), "--json"]);
        assert_eq!(output.status, 3, "{}", output.stderr);
        let said: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(said["rejected_rows"], rejected, "{}\n{}", run.ok(&["exposure", "rejects", SLUG, "--csv"]), said);
    };
    if manifest_first {
        import();
    }
    for days in [60, 40, 20, 0] {
        let file = stage.file(&format!("directory-{days}.csv"), &labels.snapshot(days));
        at(-days).ok(&["directory", "import", "--organisations", path(&file)]);
    }
    let (contacts, other) = (folder().join("contacts.csv"), folder().join("other.csv"));
    at(0).ok(&["directory", "import", "--contacts", path(&contacts)]);
    at(0).ok(&["directory", "import", "--organisations", path(&other), "--source", "other"]);
    at(0).ok(&["directory", "disable-contact", "security@mute.example", "--why", "left the company"]);
    for entry in &labels.manual {
        let mut args = vec!["directory", "add-domain", &entry.tenant, &entry.domain, "--why", "told by phone"];
        for (option, value) in [("--alias-of", &entry.alias_of), ("--over", &entry.over)] {
            if !value.is_empty() {
                args.extend([option, value.as_str()]);
            }
        }
        let expires = entry.expires_after_days.parse().map(day).unwrap_or_default();
        if !expires.is_empty() {
            args.extend(["--expires", &expires]);
        }
        at(0).ok(&args);
    }
    if !manifest_first {
        import();
    }
    for decision in &labels.decisions {
        let Decision { decision, domain, tenant } = decision;
        at(0).ok(&["mapping", decision, SLUG, domain, tenant, "--why", "looked into it"]);
    }
    stage
}

#[test]
fn every_verdict_is_the_label_s_and_no_mail_says_anything_about_another_s() {
    let labels = Labels::read();
    assert!(labels.hosts.len() >= 150, "{}", labels.hosts.len());
    assert!(labels.hosts.iter().map(|host| &host.why).collect::<BTreeSet<_>>().len() >= 30);
    for backend in Backend::each() {
        let stage = stage(backend, &labels, backend == Backend::Sqlite);
        let later = stage.run.with("FORTHRIGHT_NOW", day(2));
        stage.release_at(&later);
        check_verdicts(&labels, &later.csv(&["mapping", "list", SLUG]));
        say_review_rate(backend, &labels, &later.csv(&["mapping", "review", SLUG]));
        let recorder = Recorder::start().unwrap();
        later.sending_to(&recorder.url()).ok(&["work", "--until-idle", "--timeout", "120"]);
        check_mails(&labels, &recorder.messages());
        stage.status();
    }
}

fn check_verdicts(labels: &Labels, rows: &[HashMap<String, String>]) {
    let found: HashMap<&str, (&str, &str)> =
        rows.iter().map(|row| (row["domain"].as_str(), (row["verdict"].as_str(), row["tenant_id"].as_str()))).collect();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for host in &labels.hosts {
        let expect = (host.expect_verdict.as_str(), host.expect_tenant.as_str());
        let got = match DomainName::parse(&host.host) {
            Err(_) => ("rejected", ""),
            Ok(name) => {
                let got = found.get(name.as_str()).copied().unwrap_or(("missing", ""));
                names.insert(name.as_str().to_owned());
                got
            }
        };
        if got != expect {
            wrong.push(format!("{:?}: {got:?}, and the label says {expect:?} ({})", host.host, host.why));
        }
    }
    assert!(wrong.is_empty(), "{} of {} labels:\n{}", wrong.len(), labels.hosts.len(), wrong.join("\n"));
    assert_eq!(names.len(), rows.len(), "hosts that no label names");
}

/// The share of hosts that wait for a person, by the labels; and that each of their domains is on a work list.
fn say_review_rate(backend: Backend, labels: &Labels, lists: &[HashMap<String, String>]) {
    let mut by_verdict: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for host in labels.hosts.iter().filter(|host| host.expect_verdict != "rejected") {
        let name = DomainName::parse(&host.host).unwrap().as_str().to_owned();
        by_verdict.entry(&host.expect_verdict).or_default().insert(name);
    }
    let count = |verdict: &str| by_verdict.get(verdict).map_or(0, BTreeSet::len);
    let all: usize = by_verdict.values().map(BTreeSet::len).sum();
    let people = count("unmapped") + count("conflict");
    println!(
        "{backend:?}: {people} of {all} hosts go to a person ({:.1} %): {} unmapped, {} in conflict; {} mapped, {} shared",
        100.0 * people as f64 / all as f64,
        count("unmapped"),
        count("conflict"),
        count("mapped"),
        count("shared"),
    );
    for (verdict, names) in &by_verdict {
        let domains: BTreeSet<&str> =
            lists.iter().filter(|row| row["list"] == *verdict).map(|row| row["domain"].as_str()).collect();
        let covered =
            |name: &String| domains.iter().any(|domain| name == domain || name.ends_with(&format!(".{domain}")));
        let missing: Vec<&String> = names.iter().filter(|name| *verdict != "mapped" && !covered(name)).collect();
        assert!(missing.is_empty(), "{verdict} hosts on no work list: {missing:?}");
        // And nothing is on a list that no label puts there.
        let label = |domain: &&&str| names.iter().any(|name| name == **domain || name.ends_with(&format!(".{domain}")));
        assert_eq!(
            domains.iter().filter(|domain| !label(domain)).collect::<Vec<_>>(),
            Vec::<&&str>::new(),
            "{verdict}"
        );
    }
    let unreachable: BTreeSet<&str> =
        lists.iter().filter(|row| row["list"] == "no-contact").map(|row| row["tenant_id"].as_str()).collect();
    assert_eq!(unreachable, BTreeSet::from(["t-manager", "t-mute"]));
}

/// What nobody but its tenant may read: names and canaries. `None`: nobody at all.
fn secrets(labels: &Labels) -> Vec<(String, Option<String>)> {
    let mut secrets = Vec::new();
    for (n, host) in labels.hosts.iter().enumerate() {
        let tenant = (host.expect_verdict == "mapped").then(|| host.expect_tenant.clone());
        secrets.push((canary(n), tenant.clone()));
        if let Ok(name) = DomainName::parse(&host.host) {
            secrets.push((name.as_str().to_owned(), tenant));
        }
    }
    secrets
}

fn check_mails(labels: &Labels, messages: &[Message]) {
    let owner: HashMap<&str, &str> =
        labels.contacts.iter().map(|contact| (contact.email.as_str(), contact.tenant_id.as_str())).collect();
    let address = |text: &str| text.rsplit_once('@').map(|(_, domain)| DomainName::parse(domain).unwrap());
    let of = |recipient: &str| {
        let same = |email: &&&str| address(email) == address(recipient) && recipient.starts_with(&email[..7]);
        owner.iter().find(|(email, _)| same(email)).map(|(_, tenant)| (*tenant).to_owned())
    };
    let secrets = secrets(labels);
    let names: BTreeMap<&str, &str> =
        labels.directory.iter().map(|row| (row.tenant_name.as_str(), row.tenant_id.as_str())).collect();
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    let mut leaks = Vec::new();
    for message in messages {
        let [recipient] = &message.recipients[..] else { panic!("{:?}", message.recipients) };
        let tenant = of(recipient).unwrap_or_else(|| panic!("{recipient} is nobody's contact"));
        *told.entry(tenant.clone()).or_default() += 1;
        for (part, text) in parts(message) {
            let words = words(&text);
            for (secret, whose) in &secrets {
                let is_own = whose.as_deref() == Some(&tenant);
                let is_canary = secret.starts_with("canary-");
                if words.contains(secret) && !is_own {
                    leaks.push(format!("{part} of the mail to {recipient} ({tenant}) names {secret}, of {whose:?}"));
                } else if is_own && is_canary && !words.contains(secret) {
                    leaks.push(format!("{part} of the mail to {recipient} ({tenant}) leaves {secret} out"));
                }
            }
            for (name, whose) in names.iter().filter(|(_, whose)| **whose != tenant) {
                if text.contains(name) {
                    leaks.push(format!("{part} of the mail to {recipient} names {name}, which is {whose}"));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks or gaps:\n{}", leaks.len(), leaks.join("\n"));
    let expected: BTreeSet<String> = labels
        .hosts
        .iter()
        .filter(|host| {
            host.expect_verdict == "mapped" && !["t-manager", "t-mute"].contains(&host.expect_tenant.as_str())
        })
        .map(|host| host.expect_tenant.clone())
        .collect();
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), expected);
    println!("{} mails to {} tenants: 0 say anything about another's", messages.len(), told.len());
}

/// Subject, text and HTML, decoded.
fn parts(message: &Message) -> [(&'static str, String); 2] {
    let parsed = mail_parser::MessageParser::default().parse(&message.data).unwrap();
    let text = format!("{}\n{}", parsed.subject().unwrap_or_default(), parsed.body_text(0).unwrap());
    let html = parsed.body_html(0).unwrap().into_owned();
    assert!(html.contains("<html"), "{html}");
    [("the text", text), ("the HTML", html)]
}

/// What could be a name: runs of characters between those that no name holds, in normal form where they are one.
fn words(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let mut words = BTreeSet::new();
    for run in text.split(|c: char| !is_part(c)).map(|run| run.trim_matches(['.', '-'])) {
        words.insert(run.to_lowercase());
        if let Ok(name) = DomainName::parse(run) {
            words.insert(name.as_str().to_owned());
        }
    }
    words
}
