//! Changes of mind about domains: held, refused, approved, taken back; and what they do to mail that has not left.

use testkit::process::{Backend, Forthright};
use testkit::smtp::Recorder;

use crate::setup::{Clock, SLUG, Stage, path, readable};

const DIRECTORY: &str = "domain,tenant_id,tenant_name,country,language\n";
const CONTACTS: &str = "tenant_id,role,name,email,language\n";
const MANIFEST: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

/// A store with these directory rows (domain and tenant), a contact each, and a manifest of these hosts.
pub(super) fn stage(backend: Backend, clock: Clock, rows: &[(&str, &str)], hosts: &[&str]) -> Stage {
    let stage = Stage::with_clock(backend, clock);
    let run = at(&stage, clock, 0);
    import(&stage, &run, rows);
    let mut contacts = String::from(CONTACTS);
    for tenant in tenants(rows) {
        contacts.push_str(&format!("{tenant},security,Contact of {tenant},security@{tenant}.example,en\n"));
    }
    run.ok(&["directory", "import", "--contacts", path(&stage.file("c.csv", &contacts))]);
    let mut manifest = String::from(MANIFEST);
    for (n, host) in hosts.iter().enumerate() {
        manifest.push_str(&format!("box/{n}.pdf,{host},,invoice,2020-01-02,10,prj-{n},u-{n}\n"));
    }
    run.ok(&["exposure", "import", SLUG, path(&stage.file("m.csv", &manifest))]);
    stage
}

fn tenants(rows: &[(&str, &str)]) -> Vec<String> {
    let names: std::collections::BTreeSet<_> = rows.iter().map(|(_, tenant)| (*tenant).to_owned()).collect();
    names.into_iter().collect()
}

/// So many days after the incident was opened, where the clock can be moved.
pub(super) fn at(stage: &Stage, clock: Clock, day: i64) -> Forthright {
    if clock == Clock::Real {
        return stage.run.clone();
    }
    let opened = "2022-09-25T09:00:00Z".parse::<model::time::Timestamp>().unwrap().micros();
    let now = model::time::Timestamp::from_micros(opened + day * 24 * 3_600_000_000);
    stage.run.with("FORTHRIGHT_NOW", now.to_string())
}

fn write(stage: &Stage, rows: &[(&str, &str)]) -> std::path::PathBuf {
    let mut text = String::from(DIRECTORY);
    for (domain, tenant) in rows {
        text.push_str(&format!("{domain},{tenant},Name of {tenant},US,en\n"));
    }
    stage.file("d.csv", &text)
}

fn import(stage: &Stage, run: &Forthright, rows: &[(&str, &str)]) -> serde_json::Value {
    run.json(&["directory", "import", "--organisations", path(&write(stage, rows))])
}

/// Verdict, tenant and why a person has to look.
pub(super) fn verdict(run: &Forthright, host: &str) -> (String, String, String) {
    let rows = run.csv(&["mapping", "list", SLUG]);
    let row = rows.iter().find(|row| row["domain"] == host).unwrap();
    (row["verdict"].clone(), row["tenant_id"].clone(), row["review"].clone())
}

pub(super) fn says(verdict: &str, tenant: &str, review: &str) -> (String, String, String) {
    (verdict.to_owned(), tenant.to_owned(), review.to_owned())
}

fn exported(stage: &Stage) -> String {
    let file = stage.folder.path().join("exported.csv");
    stage.run.ok(&["directory", "export", "--organisations", path(&file)]);
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn an_import_that_takes_much_away_is_refused_until_somebody_accepts_it() {
    for backend in Backend::each() {
        let rows: Vec<(String, String)> = (0..40).map(|n| (format!("o{n}.example"), format!("t-{n}"))).collect();
        let rows: Vec<(&str, &str)> = rows.iter().map(|(domain, tenant)| (domain.as_str(), tenant.as_str())).collect();
        let stage = stage(backend, Clock::Real, &rows, &["o39.example", "o1.example"]);
        let (before, verdicts) = (exported(&stage), stage.run.ok(&["mapping", "list", SLUG, "--csv"]));
        let small = write(&stage, &rows[..35]);
        let args = ["directory", "import", "--organisations", path(&small)];
        let refused = stage.run.run(&args);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(refused.stderr.contains("5 of 40 domains") && refused.stderr.contains("hint:"), "{}", refused.stderr);
        // What the hint says can be done.
        let shown = stage.run.json(&[&args[..], &["--dry-run"]].concat());
        assert_eq!((&shown["removed"], &shown["written"]), (&5.into(), &false.into()));
        assert!(shown["notes"][0].as_str().unwrap().contains("5 of 40"), "{shown}");
        assert_eq!(exported(&stage), before);
        assert_eq!(stage.run.ok(&["mapping", "list", SLUG, "--csv"]), verdicts);
        let contacts = stage.file("few.csv", &format!("{CONTACTS}t-1,security,One,security@t-1.example,en\n"));
        assert_eq!(stage.run.run(&["directory", "import", "--contacts", path(&contacts)]).status, 4);
        let accepted = stage.run.json(&[&args[..], &["--accept-shrink"]].concat());
        assert_eq!(accepted["removed"], 5);
        assert_eq!(exported(&stage).lines().count(), 36);
        assert_eq!(verdict(&stage.run, "o39.example"), says("unmapped", "", ""));
        assert_eq!(verdict(&stage.run, "o1.example"), says("mapped", "t-1", ""));
        // A tenth at most goes without a question.
        assert_eq!(import(&stage, &stage.run, &rows[..32])["removed"], 3);
    }
}

#[test]
fn a_disabled_address_stays_disabled_whatever_an_import_says() {
    for backend in Backend::each() {
        let rows = [("acme.example", "t-acme"), ("b.example", "t-b")];
        let stage = stage(backend, Clock::Real, &rows, &["acme.example"]);
        stage.run.ok(&["directory", "disable-contact", "security@t-acme.example", "--why", "left the company"]);
        // Named again, as active, in another role, and at another tenant.
        let again = stage.file(
            "again.csv",
            "tenant_id,role,name,email,language,state\nt-acme,security,Another name,Security@T-ACME.example,en,active\n\
             t-acme,privacy,Another role,security@t-acme.example,en,\nt-b,security,Contact,security@t-acme.example,en,active\n\
             t-b,security,Contact of t-b,security@t-b.example,en,\n",
        );
        stage.run.ok(&["directory", "import", "--contacts", path(&again)]);
        for tenant in ["t-acme", "t-b"] {
            for row in stage.run.csv(&["contact", "list", tenant]) {
                let expect = if row["email"] == "security@t-acme.example" { "disabled" } else { "imported" };
                assert_eq!(row["state"], expect, "{backend:?} {row:?}");
            }
        }
        let lists = stage.run.csv(&["mapping", "review", SLUG, "--list", "no-contact"]);
        assert_eq!(lists[0]["tenant_id"], "t-acme", "{lists:?}");
    }
}

#[test]
fn an_exception_that_expires_counts_no_more_and_its_mail_does_not_leave() {
    for backend in Backend::each() {
        let rows = [("acme.example", "t-acme"), ("b.example", "t-b")];
        let hosts = ["acme.example", "b.example", "lent.example"];
        let stage = stage(backend, Clock::Moved, &rows, &hosts);
        let today = at(&stage, Clock::Moved, 0);
        let expires = "2022-09-27T09:00:00Z";
        today.ok(&[
            "directory",
            "add-domain",
            "t-acme",
            "lent.example",
            "--why",
            "until they have their own",
            "--expires",
            expires,
        ]);
        assert_eq!(verdict(&today, "lent.example"), says("mapped", "t-acme", ""));
        stage.release_at(&today);
        let later = at(&stage, Clock::Moved, 3);
        let recorder = Recorder::start().unwrap();
        later.sending_to(&recorder.url()).ok(&["work", "--until-idle", "--timeout", "60"]);
        assert_eq!(verdict(&later, "lent.example"), says("unmapped", "", ""));
        let told: Vec<String> = recorder.messages().iter().flat_map(|message| message.recipients.clone()).collect();
        assert_eq!(told, ["security@t-b.example"], "the notice of t-acme names a domain that is not theirs any more");
        stage.status();
        // What is left of it is told when it is drafted anew.
        later.ok(&["notice", "draft", SLUG]);
        later.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        later.as_actor("lead").ok(&["wave", "release", SLUG, "again", "--all"]);
        later.sending_to(&recorder.url()).ok(&["work", "--until-idle", "--timeout", "60"]);
        let mails = recorder.messages();
        assert_eq!(mails.len(), 2);
        assert!(
            mails.iter().all(|mail| !mail.text().contains("lent.example") && !readable(mail).contains("lent.example"))
        );
        assert_eq!(stage.status()["waiting_for_mapping"], 1);
    }
}

#[test]
fn drafting_looks_at_expiries_first() {
    let rows = [("acme.example", "t-acme")];
    let stage = stage(Backend::Sqlite, Clock::Moved, &rows, &["lent.example"]);
    let today = at(&stage, Clock::Moved, 0);
    today.ok(&[
        "mapping",
        "assign",
        SLUG,
        "lent.example",
        "t-acme",
        "--why",
        "lent",
        "--expires",
        "2022-09-27T09:00:00Z",
    ]);
    let later = at(&stage, Clock::Moved, 3);
    assert_eq!(later.json(&["notice", "draft", SLUG])["drafted"], 0);
    assert_eq!(verdict(&later, "lent.example"), says("unmapped", "", ""));
}

#[test]
fn a_change_of_owner_settles_after_thirty_days_or_when_a_person_says_so() {
    for backend in Backend::each() {
        let (old, new) = (
            [("a.example", "t-old"), ("b.example", "t-old"), ("c.example", "t-new"), ("d.example", "t-old")],
            [("a.example", "t-new"), ("b.example", "t-new"), ("c.example", "t-new"), ("d.example", "t-old")],
        );
        let stage = stage(backend, Clock::Moved, &old, &["a.example", "www.b.example", "c.example", "d.example"]);
        let said = import(&stage, &at(&stage, Clock::Moved, 1), &new);
        assert_eq!(said["moved"].as_array().unwrap().len(), 2, "{said}");
        let held = says("conflict", "", "owner-changed");
        assert_eq!(
            (
                verdict(&at(&stage, Clock::Moved, 1), "a.example"),
                verdict(&at(&stage, Clock::Moved, 1), "www.b.example"),
            ),
            (held.clone(), held.clone())
        );
        // The same import again keeps it held, and no worker lets it go too early.
        import(&stage, &at(&stage, Clock::Moved, 20), &new);
        at(&stage, Clock::Moved, 30).ok(&["work", "--until-idle", "--timeout", "60"]);
        assert_eq!(verdict(&at(&stage, Clock::Moved, 30), "a.example"), held);
        at(&stage, Clock::Moved, 30).ok(&[
            "mapping",
            "assign",
            SLUG,
            "b.example",
            "t-new",
            "--why",
            "the contract says so",
        ]);
        assert_eq!(verdict(&at(&stage, Clock::Moved, 30), "www.b.example"), says("mapped", "t-new", ""));
        assert_eq!(verdict(&at(&stage, Clock::Moved, 30), "a.example"), held);
        at(&stage, Clock::Moved, 32).ok(&["work", "--until-idle", "--timeout", "60"]);
        assert_eq!(verdict(&at(&stage, Clock::Moved, 32), "a.example"), says("mapped", "t-new", ""));
    }
}

#[test]
fn a_wrong_import_that_is_taken_back_holds_nothing() {
    for backend in Backend::each() {
        let right = [("a.example", "t-a"), ("b.example", "t-b"), ("both.example", "t-a"), ("both.example", "t-b")];
        let wrong = [("a.example", "t-b"), ("b.example", "t-a"), ("both.example", "t-a"), ("both.example", "t-b")];
        let stage = stage(backend, Clock::Real, &right, &["a.example", "b.example", "both.example"]);
        import(&stage, &stage.run, &wrong);
        assert_eq!(verdict(&stage.run, "a.example").2, "owner-changed");
        assert_eq!(import(&stage, &stage.run, &right)["moved"], serde_json::json!([]));
        assert_eq!(verdict(&stage.run, "a.example"), says("mapped", "t-a", ""));
        assert_eq!(verdict(&stage.run, "b.example"), says("mapped", "t-b", ""));
        assert_eq!(verdict(&stage.run, "both.example"), says("conflict", "", "several-claims"));
        // A third owner is none of those before.
        import(&stage, &stage.run, &wrong);
        let third = [("a.example", "t-c"), ("b.example", "t-b"), ("both.example", "t-a"), ("both.example", "t-b")];
        assert_eq!(import(&stage, &stage.run, &third)["moved"].as_array().unwrap().len(), 1);
        assert_eq!(verdict(&stage.run, "a.example"), says("conflict", "", "owner-changed"));
        assert_eq!(verdict(&stage.run, "b.example"), says("mapped", "t-b", ""));
    }
}

#[test]
fn every_one_of_many_changes_of_owner_settles() {
    const MANY: usize = 1_200;
    let names: Vec<String> = (0..MANY).map(|n| format!("o{n}.example")).collect();
    let of = |tenant| names.iter().map(|domain| (domain.as_str(), tenant)).collect::<Vec<_>>();
    let (old, new) = (of("t-old"), of("t-new"));
    let hosts: Vec<&str> = old.iter().map(|(domain, _)| *domain).collect();
    let stage = stage(Backend::Sqlite, Clock::Moved, &old, &hosts);
    import(&stage, &at(&stage, Clock::Moved, 1), &new);
    let count = |day, review: &str| {
        let rows = at(&stage, Clock::Moved, day).csv(&["mapping", "list", SLUG]);
        rows.iter().filter(|row| row["review"] == review).count()
    };
    assert_eq!(count(1, "owner-changed"), MANY);
    at(&stage, Clock::Moved, 40).ok(&["work", "--until-idle", "--timeout", "60"]);
    assert_eq!(count(40, ""), MANY, "each of them, not only the first thousand");
}

#[test]
fn a_domain_that_twenty_thousand_tenants_claim_hides_nothing_behind_it() {
    const MANY: usize = 20_001;
    let stage = Stage::new(Backend::Sqlite);
    let file = |last: &str| {
        let mut text = String::from(DIRECTORY);
        text.push_str("a.example,t-a,A,US,en\n");
        for n in 0..MANY {
            text.push_str(&format!("mail.example,t-{n:05},Name,US,en\n"));
        }
        text.push_str(last);
        stage.file("many.csv", &text)
    };
    let add = |last: &str| stage.run.json(&["directory", "import", "--organisations", path(&file(last))]);
    add("z.example,t-z,Z,US,en\n");
    let said = add("z.example,t-y,Y,US,en\nzz.example,t-z,Z,US,en\n");
    assert_eq!((&said["added"], &said["removed"]), (&3.into(), &1.into()), "a tenant and two domains; one taken away");
    assert_eq!(said["moved"], serde_json::json!(["z.example from t-z to t-y"]));
    assert_eq!(exported(&stage).lines().count(), MANY + 4);
}

#[test]
fn a_change_after_the_release_calls_unsent_mail_back() {
    for backend in Backend::each() {
        let rows = [
            ("a.example", "t-a"),
            ("moved.example", "t-a"),
            ("b.example", "t-b"),
            ("taken.example", "t-b"),
            ("c.example", "t-c"),
            ("rejected.example", "t-d"),
            ("e.example", "t-e"),
        ];
        let hosts = [
            "a.example",
            "x.moved.example",
            "b.example",
            "taken.example",
            "c.example",
            "rejected.example",
            "e.example",
        ];
        let stage = stage(backend, Clock::Real, &rows, &hosts);
        stage.release();
        stage.run.as_actor("lead").ok(&["wave", "pause", SLUG, "everybody"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 0);
        // One domain by an import, one by a person, one by a rejection.
        let mut after = rows;
        after[1].1 = "t-c";
        import(&stage, &stage.run, &after);
        stage.status();
        stage.run.ok(&["mapping", "assign", SLUG, "taken.example", "t-e", "--why", "sold in 2021"]);
        stage.run.ok(&["mapping", "reject", SLUG, "rejected.example", "t-d", "--why", "never theirs"]);
        stage.status();
        stage.run.as_actor("lead").ok(&["wave", "resume", SLUG, "everybody"]);
        stage.work(&recorder);
        let mut told: Vec<String> = recorder.messages().iter().flat_map(|mail| mail.recipients.clone()).collect();
        told.sort();
        // t-e gained a domain: what its notice says is still true, and a supplement comes for the rest.
        assert_eq!(told, ["security@t-c.example", "security@t-e.example"], "{backend:?}");
        for mail in recorder.messages() {
            let text = readable(&mail);
            for gone in ["moved.example", "taken.example", "rejected.example"] {
                assert!(!text.contains(gone), "{backend:?}: {gone} is in a mail to {:?}", mail.recipients);
            }
        }
        let status = stage.status();
        assert_eq!(status["waiting_for_mapping"], 2, "{status}");
        // Drafted anew, each is told what is theirs now, and a domain that is held stays out.
        stage.run.ok(&["notice", "draft", SLUG]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "again", "--all"]);
        stage.work(&recorder);
        let mails = recorder.messages();
        let about = |recipient: &str, domain: &str| {
            mails.iter().any(|mail| mail.recipients == [recipient] && readable(mail).contains(domain))
        };
        assert!(about("security@t-e.example", "taken.example") && about("security@t-a.example", "a.example"));
        assert!(about("security@t-b.example", "b.example") && !about("security@t-b.example", "taken.example"));
        assert!(!mails.iter().any(|mail| readable(mail).contains("moved.example")));
        assert!(!mails.iter().any(|mail| mail.recipients == ["security@t-d.example"]));
        assert_eq!(stage.status()["waiting_for_mapping"], 2);
    }
}

/// 30 organisations that nobody knows, one that somebody does, and a file that gives the first `count` to it.
fn unknown(backend: Backend, count: usize, bad: &str) -> (Stage, std::path::PathBuf) {
    let hosts: Vec<String> = (0..30).map(|n| format!("www.u{n:02}.example")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let stage = stage(backend, Clock::Real, &[("acme.example", "t-acme")], &hosts);
    let mut text = String::from("domain,tenant_id,why\n");
    for n in 0..count {
        text.push_str(&format!("u{n:02}.example,t-acme,line {n}\n"));
    }
    let file = stage.file("settled.csv", &(text + bad));
    (stage, file)
}

fn mapped(stage: &Stage) -> usize {
    stage.run.csv(&["mapping", "list", SLUG]).iter().filter(|row| row["verdict"] == "mapped").count()
}

#[test]
fn what_moves_many_organisations_waits_for_a_second_person() {
    for backend in Backend::each() {
        let (stage, file) = unknown(backend, 26, "");
        let args = ["mapping", "assign-file", SLUG, path(&file), "--why", "bought them all"];
        let shown = stage.run.json(&[&args[..], &["--preview"]].concat());
        assert_eq!(
            (&shown["changes"], &shown["weight"]["moves"], &shown["written"]),
            (&26.into(), &26.into(), &false.into())
        );
        assert_eq!(mapped(&stage), 0);
        let refused = stage.run.run(&args);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("moves 26") && refused.stderr.contains("mapping approve chg_"),
            "{}",
            refused.stderr
        );
        assert_eq!(mapped(&stage), 0);
        let changes = stage.run.csv(&["mapping", "changes", SLUG]);
        let id = changes[0]["change"].clone();
        assert_eq!((changes.len(), changes[0]["state"].as_str()), (1, "waiting"));
        let own = stage.run.run(&["mapping", "approve", &id]);
        assert_eq!(own.status, 4, "{}", own.stderr);
        assert_eq!(mapped(&stage), 0);
        stage.run.as_actor("counsel").ok(&["mapping", "approve", &id]);
        assert_eq!(mapped(&stage), 26);
        let facts = stage.run.csv(&["exposure", "facts", SLUG]);
        assert_eq!(facts.iter().filter(|row| row["tenant_id"] == "t-acme").count(), 26);
        let twice = stage.run.as_actor("counsel").run(&["mapping", "approve", &id]);
        assert_eq!(twice.status, 4, "{}", twice.stderr);
        // One that is turned down changes nothing, and cannot be approved afterwards.
        let mut text = String::from("domain,tenant_id\n");
        for n in 0..26 {
            text.push_str(&format!("www.u{n:02}.example,t-other\n"));
        }
        stage.run.ok(&[
            "directory",
            "import",
            "--organisations",
            path(&write(&stage, &[("other.example", "t-other")])),
            "--source",
            "more",
        ]);
        let other = stage.file("other.csv", &text);
        assert_eq!(stage.run.run(&["mapping", "assign-file", SLUG, path(&other), "--why", "no"]).status, 4);
        let id = stage.run.csv(&["mapping", "changes", SLUG])[1]["change"].clone();
        stage.run.as_actor("counsel").ok(&["mapping", "refuse", &id, "--why", "they are not"]);
        assert_eq!(stage.run.as_actor("lead").run(&["mapping", "approve", &id]).status, 4);
        assert_eq!(mapped(&stage), 26);
        stage.run.ok(&["audit", "verify"]);
    }
}

#[test]
fn a_file_with_bad_lines_names_each_and_takes_the_others() {
    let bad = "no domain,t-acme,x\nu29.example,t-nobody,x\ngmail.com,t-acme,x\nco.uk,t-acme,x\nu00.example,t-acme\n";
    for backend in Backend::each() {
        let (stage, file) = unknown(backend, 3, bad);
        let args = ["mapping", "assign-file", SLUG, path(&file), "--why", "settled"];
        let partial = stage.run.run(&[&args[..], &["--json"]].concat());
        assert_eq!(partial.status, 3, "{}", partial.stderr);
        let said: serde_json::Value = serde_json::from_str(&partial.stdout).unwrap();
        let rejected: Vec<&str> =
            said["rejected"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        assert_eq!(rejected.len(), 5, "{said}");
        for (n, line) in rejected.iter().enumerate() {
            assert!(line.starts_with(&format!("{}, line {}: ", path(&file), n + 5)), "{line}");
        }
        assert_eq!((mapped(&stage), &said["changes"]), (3, &3.into()));
        // Where the good lines wait for a second person, the bad ones are still named.
        let (stage, file) = unknown(backend, 26, bad);
        let refused = stage.run.run(&["mapping", "assign-file", SLUG, path(&file), "--why", "settled"]);
        assert_eq!(refused.status, 4);
        let said = &refused.stderr;
        assert!(said.contains("5 line(s)") && said.contains("line 29: no tenant `t-nobody`"), "{said}");
        assert_eq!(mapped(&stage), 0);
    }
}

#[test]
fn a_change_looks_again_at_exactly_the_hosts_at_its_domain_and_below() {
    for backend in Backend::each() {
        let rows = [("acme.example", "t-acme"), ("b.example", "t-b")];
        let hosts = [
            "acme.example",
            "www.acme.example",
            "eu.acme.example",
            "x.eu.acme.example",
            "y.x.eu.acme.example",
            "neu.acme.example",
            "eu-x.acme.example",
            "eu.acme.example.test",
            "eu0.acme.example",
            "e.acme.example",
            "b.example",
            "eu.b.example",
            "u.example",
        ];
        let stage = stage(backend, Clock::Real, &rows, &hosts);
        let below = |host: &str, domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
        type Change<'a> = (&'a str, Box<dyn Fn() + 'a>);
        let run = &stage.run;
        let more = write(&stage, &[("x.eu.acme.example", "t-b")]);
        let changes: Vec<Change<'_>> = vec![
            (
                "eu.acme.example",
                Box::new(|| drop(run.ok(&["mapping", "assign", SLUG, "eu.acme.example", "t-b", "--why", "sold"]))),
            ),
            (
                "acme.example",
                Box::new(|| drop(run.ok(&["mapping", "reject", SLUG, "acme.example", "t-acme", "--why", "no"]))),
            ),
            ("u.example", Box::new(|| drop(run.ok(&["directory", "add-domain", "t-b", "u.example", "--why", "told"])))),
            (
                "u.example",
                Box::new(|| drop(run.ok(&["directory", "remove-domain", "t-b", "u.example", "--why", "wrong"]))),
            ),
            (
                "x.eu.acme.example",
                Box::new(|| drop(run.ok(&["directory", "import", "--organisations", path(&more), "--source", "more"]))),
            ),
        ];
        for (domain, change) in changes {
            let before = versions(run);
            change();
            for (host, version) in versions(run) {
                let is_newer = version > before[&host];
                assert_eq!(is_newer, below(&host, domain), "{backend:?}: {host} after a change of {domain}");
            }
        }
    }
}

fn versions(run: &Forthright) -> std::collections::BTreeMap<String, i64> {
    let rows = run.csv(&["mapping", "list", SLUG]);
    rows.iter().map(|row| (row["domain"].clone(), row["directory_version"].parse().unwrap())).collect()
}

#[test]
fn an_alias_waits_once_the_domain_that_it_stands_for_is_anothers_whatever_came_first() {
    for backend in Backend::each() {
        let (before, after) =
            ([("a.example", "t-1"), ("b.example", "t-2")], [("a.example", "t-2"), ("b.example", "t-1")]);
        let hosts = ["a.example", "www.al.example", "b.example"];
        let add = ["directory", "add-domain", "t-1", "al.example", "--alias-of", "a.example", "--why", "same people"];
        let stage_1 = stage(backend, Clock::Real, &before, &hosts);
        stage_1.run.ok(&add);
        assert_eq!(verdict(&stage_1.run, "www.al.example"), says("mapped", "t-1", ""));
        import(&stage_1, &stage_1.run, &after);
        assert_eq!(verdict(&stage_1.run, "www.al.example"), says("conflict", "", "manual-import"));
        let waiting = stage_1.run.csv(&["mapping", "review", SLUG, "--list", "conflict"]);
        let alias = waiting.iter().find(|row| row["domain"] == "al.example").unwrap();
        assert!(
            alias["because"].contains("another name of a.example, of tenant t-1, and a.example is tenant t-2's now")
        );

        let stage_2 = stage(backend, Clock::Real, &after, &hosts);
        stage_2.run.ok(&add);
        assert_eq!(verdict(&stage_2.run, "www.al.example"), verdict(&stage_1.run, "www.al.example"));
        stage_2.run.ok(&[&add[..], &["--over", "t-2"]].concat());
        assert_eq!(verdict(&stage_2.run, "www.al.example"), says("mapped", "t-1", ""), "whoever knew has confirmed it");
        stage_2.run.ok(&["directory", "add-domain", "t-1", "al.example", "--alias-of", "a.example", "--why", "again"]);
        stage_2.run.ok(&["mapping", "assign", SLUG, "a.example", "t-1", "--why", "it is theirs"]);
        assert_eq!(
            verdict(&stage_2.run, "www.al.example"),
            says("mapped", "t-1", ""),
            "a decision on the one looks at the other"
        );
    }
}
