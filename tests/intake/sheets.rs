//! Fact sheets follow manifests and verdicts, and touch only what changed.

use std::collections::BTreeMap;

use testkit::generator::{Arguments, Rates};
use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path};

const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id";

fn import(stage: &Stage, name: &str, rows: &[&str]) {
    let file = stage.file(name, &format!("{HEADER}\n{}\n", rows.join("\n")));
    stage.run.ok(&["exposure", "import", SLUG, path(&file)]);
}

fn facts(stage: &Stage) -> BTreeMap<String, String> {
    let printed = stage.run.ok(&["exposure", "facts", SLUG, "--csv"]);
    printed.lines().skip(1).map(|line| (line.split(',').next().unwrap().to_owned(), line.to_owned())).collect()
}

#[test]
fn a_later_manifest_changes_only_the_organisations_it_touches_and_says_how() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        let before = facts(&stage);
        assert!(stage.run.csv(&["exposure", "changes", SLUG]).is_empty(), "first sheets are no changes");
        import(
            &stage,
            "later.csv",
            &[
                "box/new.pdf,mail.org00001.example,q@org00001.example,price_list,2021-05-06,7,prj-1,u-1",
                "box/0.pdf,new.example,,invoice,2020-01-02,10,,",
            ],
        );
        let after = facts(&stage);
        assert_eq!(after["org00000.example"], before["org00000.example"]);
        assert_eq!(after["org00002.example"], before["org00002.example"]);
        assert_eq!(
            after["org00001.example"],
            "org00001.example,t-00001,2,2,2,1,1,17,2020-01-02,2021-05-06,invoice=1;price_list=1"
        );
        let changes = stage.run.json(&["exposure", "changes", SLUG]);
        let changes = changes.as_array().unwrap();
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!((&changes[0]["domain"], &changes[0]["cause"]), (&"org00001.example".into(), &"later.csv".into()));
        assert_eq!((&changes[0]["before"]["objects"], &changes[0]["after"]["objects"]), (&1.into(), &2.into()));
        assert!(stage.run.csv(&["exposure", "changes", SLUG, "--tenant", "t-00000"]).is_empty());
        // The same rows in another order are other bytes and no news.
        import(
            &stage,
            "again.csv",
            &[
                "box/0.pdf,new.example,,invoice,2020-01-02,10,,",
                "box/new.pdf,mail.org00001.example,q@org00001.example,price_list,2021-05-06,7,prj-1,u-1",
            ],
        );
        let changes = stage.run.csv(&["exposure", "changes", SLUG]);
        let seen: Vec<_> =
            changes.iter().map(|row| (row["domain"].as_str(), row["rows"].as_str(), row["objects"].as_str())).collect();
        assert_eq!(
            seen,
            [("new.example", "1→2", "1"), ("org00001.example", "1→2", "1→2"), ("org00001.example", "2→3", "2"),]
        );
    }
}

#[test]
fn figures_move_with_a_verdict_and_back() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        import(
            &stage,
            "more.csv",
            &[
                "box/a.pdf,shop.org00000.example,,invoice,2020-01-02,10,,",
                "box/b.pdf,lost.example,,invoice,2020-01-02,20,,",
                "box/c.pdf,free.example,z@free.example,invoice,2020-01-02,30,,",
            ],
        );
        let before = facts(&stage);
        let totals = stage.run.json(&["exposure", "totals", SLUG]);
        assert_eq!(totals["unmapped_organisations"], 2);
        stage.run.ok(&["mapping", "assign", SLUG, "lost.example", "t-00001", "--why", "bought in 2019"]);
        stage.run.ok(&["mapping", "reject", SLUG, "shop.org00000.example", "t-00000", "--why", "sold in 2020"]);
        let moved = facts(&stage);
        assert!(moved["lost.example"].starts_with("lost.example,t-00001,"));
        assert!(moved["shop.org00000.example"].starts_with("shop.org00000.example,,1,1,"));
        assert!(moved["org00000.example"].starts_with("org00000.example,t-00000,1,1,"));
        let shared = stage.file("shared.txt", "free.example\n");
        import(&stage, "empty.csv", &["box/c.pdf,free.example,z@free.example,invoice,2020-01-02,30,,"]);
        let file = stage.file("none.csv", &format!("{HEADER}\nbox/d.pdf,free.example,y@free.example,,,,,\n"));
        stage.run.ok(&["exposure", "import", SLUG, path(&file), "--shared-domains", path(&shared)]);
        let now = stage.run.json(&["exposure", "totals", SLUG]);
        assert_eq!((&now["shared_rows"], &now["shared_addresses"]), (&3.into(), &2.into()));
        assert!(!facts(&stage).contains_key("free.example"));
        let gone = stage.run.json(&["exposure", "changes", SLUG]);
        let gone: Vec<_> =
            gone.as_array().unwrap().iter().filter(|change| change["domain"] == "free.example").cloned().collect();
        assert!(gone.last().unwrap()["after"].is_null(), "{gone:?}");
        stage.run.ok(&["mapping", "assign", SLUG, "shop.org00000.example", "t-00000", "--why", "not sold after all"]);
        let back = facts(&stage);
        assert!(back["shop.org00000.example"].starts_with("shop.org00000.example,t-00000,1,1,"), "{back:?}");
        assert_eq!(before.len() - 1, back.len() - 1);
        let status = stage.status();
        assert_eq!(status["affected"], 2);
    }
}

#[test]
fn many_small_manifests_say_what_one_would() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(1);
        let folder = stage.folder.path().join("many");
        std::fs::create_dir_all(&folder).unwrap();
        for n in 0..60 {
            let rows = format!(
                "{HEADER}\nbox/{}.pdf,org00000.example,p{n}@org00000.example,type-{},2020-01-02,{n},prj-{n},u\nbox/x{n}.pdf,h{n}.example,,,,,,\n",
                n % 10,
                n % 3
            );
            std::fs::write(folder.join(format!("{n:02}.csv")), rows).unwrap();
        }
        stage.run.ok(&["exposure", "import", SLUG, path(&folder)]);
        let seen = facts(&stage);
        assert_eq!(seen.len(), 61);
        let big = &seen["org00000.example"];
        // Objects 1 to 9, and 0.pdf, which the first manifest has with its own size and type.
        assert!(big.starts_with("org00000.example,t-00000,61,10,61,2,60,45,2020-01-02,2020-01-02,"), "{big}");
        let totals = stage.run.json(&["exposure", "totals", SLUG]);
        assert_eq!((&totals["objects"], &totals["emails"]), (&70.into(), &61.into()));
        assert_eq!(totals["objects_in_dispute"], 10, "every object is said to have several sizes");
        let proof = stage.run.json(&["exposure", "prove", SLUG, "objects"]);
        assert_eq!(proof["lines"], 70);
    }
}

#[test]
fn many_runs_of_one_manifest_are_brought_together_and_say_the_same() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let arguments =
            Arguments { seed: 41, rows: 60_000, scale: 0.01, rates: Rates::nasty(), ..Arguments::default() };
        let (expected, files) = stage.waiting(&arguments);
        let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "100000");
        let arguments = ["exposure", "import", SLUG, path(&files.csv), "--shared-domains", path(&files.freemail)];
        assert_eq!(run.run(&arguments).status, 3);
        super::check_incident(&stage, &expected);
        if backend == Backend::Sqlite {
            let database = stage.run.folder().join("forthright.db");
            let query = "SELECT SUM(kind = 'sets'), SUM(kind = 'counts') > 24 FROM runs";
            let output = std::process::Command::new("sqlite3").args([path(&database), query]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1|1");
        }
    }
}
