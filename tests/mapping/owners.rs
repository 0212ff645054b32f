//! Whose a domain and an id are, whatever the order in which directories are imported.

use testkit::process::{Backend, Forthright};

use super::changes::{says, stage, verdict};
use crate::setup::{Clock, SLUG, Stage, path};

const HEADER: &str = "domain,tenant_id,tenant_name,country,language\n";

fn import(stage: &Stage, source: &str, rows: &[(&str, &str)]) -> serde_json::Value {
    let rows: String =
        rows.iter().map(|(domain, tenant)| format!("{domain},{tenant},Name of {tenant},US,en\n")).collect();
    let file = stage.file("d.csv", &format!("{HEADER}{rows}"));
    let args = ["directory", "import", "--organisations", path(&file), "--source", source, "--accept-shrink"];
    stage.run.json(&args)
}

/// Each a directory's whole word, in order.
type Imports<'a> = &'a [(&'a str, &'a [(&'a str, &'a str)])];

const OTHER: (&str, &str) = ("other.example", "t-other");

fn after(backend: Backend, imports: Imports<'_>) -> (Stage, (String, String, String)) {
    let stage = stage(backend, Clock::Real, &[OTHER], &["acme.example"]);
    for (source, rows) in imports {
        import(&stage, source, &[&[OTHER], *rows].concat());
    }
    let found = verdict(&stage.run, "acme.example");
    (stage, found)
}

#[test]
fn a_domain_that_changed_hands_is_held_however_it_did() {
    let one = ("acme.example", "t-1");
    let two = ("acme.example", "t-2");
    let ways: [Imports<'_>; 5] = [
        &[("directory", &[one]), ("directory", &[two])],
        &[("directory", &[one]), ("directory", &[one, two]), ("directory", &[two])],
        &[("directory", &[one]), ("partner", &[two]), ("directory", &[])],
        &[("directory", &[one]), ("directory", &[]), ("partner", &[two])],
        &[("directory", &[one]), ("directory", &[two]), ("directory", &[]), ("directory", &[two])],
    ];
    for backend in Backend::each() {
        for imports in ways {
            let (_, found) = after(backend, imports);
            assert_eq!(found, says("conflict", "", "owner-changed"), "{backend:?} {imports:?}");
        }
        // A claim that came later and went again took nothing.
        let back: [Imports<'_>; 2] = [
            &[("directory", &[one]), ("directory", &[two]), ("directory", &[one])],
            &[("partner", &[two]), ("directory", &[one]), ("directory", &[])],
        ];
        for (imports, tenant) in back.into_iter().zip(["t-1", "t-2"]) {
            let (_, found) = after(backend, imports);
            assert_eq!(found, says("mapped", tenant, ""), "{backend:?} {imports:?}");
        }
    }
}

#[test]
fn a_file_with_a_row_that_cannot_be_used_takes_nothing_away() {
    for backend in Backend::each() {
        let both = [("acme.example", "t-1"), ("acme.example", "t-2")];
        let (stage, found) = after(backend, &[("directory", &both)]);
        assert_eq!(found.0, "conflict");
        let torn = stage.file(
            "torn.csv",
            &format!("{HEADER}other.example,t-other,Name of t-other,US,en\nacme.example,,,,\nacme.example,t-2,Name of t-2,US,en\n"),
        );
        let output = stage.run.run(&["directory", "import", "--organisations", path(&torn), "--json"]);
        assert_eq!(output.status, 3, "{}", output.stderr);
        let said: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(said["gone"], serde_json::json!([]));
        assert_eq!(verdict(&stage.run, "acme.example").0, "conflict", "{backend:?}");
    }
}

#[test]
fn one_id_of_two_organisations_is_refused_until_somebody_says_they_are_one() {
    for backend in Backend::each() {
        let stage = stage(backend, Clock::Real, &[("acme.example", "1001"), OTHER], &["acme.example"]);
        let file = stage.file("p.csv", &format!("{HEADER}zoe.example,1001,Totally Other Ltd,US,fr\n"));
        let args = ["directory", "import", "--organisations", path(&file), "--source", "partner"];
        let refused = stage.run.run(&args);
        assert_eq!(refused.status, 4, "{}", refused.stdout);
        assert!(
            refused
                .stderr
                .contains("1001 is `Name of 1001` in the directory `directory`, and `Totally Other Ltd` here")
                && refused.stderr.contains("--same-tenants"),
            "{}",
            refused.stderr
        );
        let dry = stage.run.json(&[&args[..], &["--dry-run"]].concat());
        assert!(dry["notes"].to_string().contains("one id of two organisations?"), "{dry}");
        stage.run.ok(&["notice", "draft", SLUG]);
        // Another spelling is no other name; and whoever knows better says so. The first directory's name counts.
        let spelt = stage.file("s.csv", &format!("{HEADER}zoe.example,1001,NAME OF 1001.,US,fr\n"));
        stage.run.ok(&["directory", "import", "--organisations", path(&spelt), "--source", "partner"]);
        stage.run.ok(&[&args[..], &["--same-tenants"]].concat());
        let preview = stage.run.ok(&["notice", "preview", SLUG, "1001"]);
        assert!(preview.contains("Name of 1001") && !preview.contains("Totally Other"), "{preview}");
        // Each directory is exported as it speaks.
        let exported = stage.folder.path().join("e.csv");
        stage.run.ok(&["directory", "export", "--organisations", path(&exported), "--source", "partner"]);
        assert!(std::fs::read_to_string(&exported).unwrap().contains("Totally Other Ltd"));
        let again = stage.run.json(&["directory", "import", "--organisations", path(&exported), "--source", "partner"]);
        assert_eq!((&again["changed"], &again["added"], &again["removed"]), (&0.into(), &0.into(), &0.into()));
    }
}

#[test]
fn a_directory_that_is_given_up_is_emptied_and_one_that_never_was_is_named() {
    let stage = stage(Backend::Sqlite, Clock::Real, &[OTHER], &["acme.example"]);
    import(&stage, "partnr", &[("acme.example", "t-typo")]);
    let empty = stage.file("empty.csv", HEADER);
    let args = ["directory", "import", "--organisations", path(&empty), "--source", "partnr"];
    assert_eq!(stage.run.run(&args).status, 1);
    let said = stage.run.json(&[&args[..], &["--accept-shrink"]].concat());
    assert_eq!(said["gone"], serde_json::json!(["acme.example of t-typo"]));
    assert_eq!(verdict(&stage.run, "acme.example").0, "unmapped");
    let file = stage.folder.path().join("e.csv");
    let run = |run: &Forthright, source: &str| {
        run.run(&["directory", "export", "--organisations", path(&file), "--source", source])
    };
    let unknown = run(&stage.run, "nosuch");
    assert_eq!(unknown.status, 1);
    assert!(unknown.stderr.contains("`nosuch`") && unknown.stderr.contains("partnr"), "{}", unknown.stderr);
}
