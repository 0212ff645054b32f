//! Mapping: verdicts, why, and what people decide.

mod changes;
mod contacts;
mod interruptions;
mod labelled;
mod owners;
mod properties;
mod races;
mod tables;

use testkit::process::Backend;

use crate::setup::{SLUG, Stage};

fn row(domain: &str, path: &str) -> String {
    format!("{path},{domain},,invoice,2020-01-01,1,p,u\n")
}

fn stage(backend: Backend) -> Stage {
    let stage = Stage::new(backend);
    let directory = stage.file(
        "d.csv",
        "domain,tenant_id,tenant_name,country,language\n\
         acme.example,t-acme,Acme,US,en\n\
         eu.acme.example,t-acme-eu,Acme Europe,DE,de\n\
         both.example,t-acme,Acme,US,en\n\
         both.example,t-acme-eu,Acme Europe,DE,de\n",
    );
    let contacts = stage.file("c.csv", "tenant_id,role,name,email,language\nt-acme,security,A,a@acme.example,en\n");
    stage.directory(&directory, &contacts);
    let mut manifest = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
    for (n, domain) in [
        "acme.example",
        "www.acme.example",
        "mail.eu.acme.example",
        "both.example",
        "new.other.example",
        "gmail.com",
        "co.uk",
    ]
    .iter()
    .enumerate()
    {
        manifest.push_str(&row(domain, &format!("{n}.pdf")));
    }
    let manifest = stage.file("m.csv", &manifest);
    let shared = stage.file("s.txt", "free.example\n");
    stage.import(&[&manifest], &shared);
    stage
}

#[test]
fn each_host_gets_the_verdict_of_its_longest_suffix() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let rows = stage.run.csv(&["mapping", "list", SLUG]);
        let verdict = |domain: &str| {
            let row = rows.iter().find(|row| row["domain"] == domain).unwrap();
            (row["verdict"].clone(), row["rule"].clone(), row["tenant_id"].clone())
        };
        let says = |verdict: &str, rule: &str, tenant: &str| (verdict.to_owned(), rule.to_owned(), tenant.to_owned());
        assert_eq!(verdict("acme.example"), says("mapped", "exact", "t-acme"));
        assert_eq!(verdict("www.acme.example"), says("mapped", "parent", "t-acme"));
        assert_eq!(verdict("mail.eu.acme.example"), says("mapped", "parent", "t-acme-eu"));
        assert_eq!(verdict("both.example").0, "conflict");
        assert_eq!(verdict("new.other.example").0, "unmapped");
        assert_eq!(verdict("gmail.com").0, "shared");
        assert_eq!(verdict("co.uk"), says("shared", "public-suffix", ""));
        assert!(rows.iter().all(|row| !row["because"].is_empty()));
        let mut sorted = rows.iter().map(|row| row["domain"].clone()).collect::<Vec<_>>();
        sorted.sort();
        assert_eq!(sorted, rows.iter().map(|row| row["domain"].clone()).collect::<Vec<_>>());
    }
}

#[test]
fn an_assignment_settles_an_unmapped_domain_and_a_conflict() {
    for backend in Backend::each() {
        let stage = stage(backend);
        assert_eq!(stage.status()["waiting_for_mapping"], 2);
        stage.run.ok(&["mapping", "assign", SLUG, "other.example", "t-acme", "--why", "told by phone"]);
        stage.run.ok(&["mapping", "assign", SLUG, "both.example", "t-acme-eu", "--why", "the contract says so"]);
        let explained = stage.run.json(&["mapping", "explain", "new.other.example", "--incident", SLUG]);
        assert_eq!(explained["tenant_id"], "t-acme");
        assert_eq!(explained["rule"], "manual");
        let facts = stage.run.csv(&["exposure", "facts", SLUG]);
        let both = facts.iter().find(|row| row["domain"] == "both.example").unwrap();
        assert_eq!(both["tenant_id"], "t-acme-eu");
        assert_eq!(stage.status()["waiting_for_mapping"], 0);
        stage.run.ok(&["mapping", "reject", SLUG, "other.example", "t-acme", "--why", "it was somebody else"]);
        assert_eq!(stage.status()["waiting_for_mapping"], 1);
    }
}

#[test]
fn a_manual_entry_beats_the_import() {
    let stage = stage(Backend::Sqlite);
    stage.run.ok(&["directory", "add-domain", "t-acme", "both.example", "--why", "checked by hand"]);
    let explained = stage.run.json(&["mapping", "explain", "WWW.Both.example."]);
    assert_eq!((&explained["tenant_id"], &explained["normalised"]), (&"t-acme".into(), &"www.both.example".into()));
}

#[test]
fn an_unknown_tenant_is_named() {
    let stage = stage(Backend::Sqlite);
    let output = stage.run.run(&["mapping", "assign", SLUG, "other.example", "t-nobody", "--why", "typo"]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("t-nobody") && output.stderr.contains("hint:"), "{}", output.stderr);
}
