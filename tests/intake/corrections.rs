//! Corrected copies count for the rows that were rejected alone; a file again counts when somebody says why.

use testkit::process::Backend;

use super::check_sample;
use crate::setup::{SLUG, Stage, path};

const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id";

fn file(stage: &Stage, name: &str, rows: &[&str]) -> std::path::PathBuf {
    stage.file(name, &format!("{HEADER}\n{}\n", rows.join("\n")))
}

const GOOD: &str = "box/1.pdf,acme.example,,invoice,2020-01-02,10,p,u";
const OTHER: &str = "box/2.pdf,acme.example,,invoice,2020-01-03,20,p,u";
const BAD: &str = "box/3.pdf,no_host,,invoice,2020-01-04,30,p,u";
const MENDED: &str = "box/3.pdf,acme.example,,invoice,2020-01-04,30,p,u";

fn totals(stage: &Stage) -> (i64, i64, i64, i64, i64) {
    let totals = stage.run.json(&["exposure", "totals", SLUG]);
    let number = |key: &str| totals[key].as_i64().unwrap();
    let rejected = number("rejected_columns") + number("rejected_no_domain") + number("rejected_bad_domain");
    (number("rows"), number("accepted_rows"), rejected, number("objects"), number("rejects_corrected"))
}

#[test]
fn a_corrected_copy_counts_only_what_was_rejected() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let first = file(&stage, "m.csv", &[GOOD, "too,few", "", OTHER, BAD]);
        assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&first)]).status, 3);
        assert_eq!(totals(&stage), (4, 2, 2, 2, 0));

        // One of the two is mended, under another name.
        let second = file(&stage, "second.csv", &[GOOD, "too,few", "", OTHER, MENDED]);
        let said = stage.run.run(&["exposure", "import", SLUG, path(&second), "--json"]);
        assert_eq!(said.status, 3, "{}", said.stderr);
        let said: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(said["corrects"], "m.csv");
        assert_eq!((&said["rows"], &said["counted_before"]), (&2.into(), &2.into()));
        assert_eq!(totals(&stage), (4, 3, 1, 3, 1));

        // Then the other; the copy is one of the second file.
        let third = file(&stage, "third.csv", &[GOOD, "box/4.pdf,acme.example,,,,,,", "", OTHER, MENDED]);
        let said = stage.run.json(&["exposure", "import", SLUG, path(&third)]);
        assert_eq!(said["corrects"], "second.csv", "{said}");
        assert_eq!(totals(&stage), (4, 4, 0, 4, 2));
        assert!(stage.run.csv(&["exposure", "rejects", SLUG]).is_empty());

        // All three again change nothing.
        for file in [&first, &second, &third] {
            let said = stage.run.json(&["exposure", "import", SLUG, path(file)]);
            assert!(said["already_counted_at"].is_string(), "{said}");
        }
        assert_eq!(totals(&stage), (4, 4, 0, 4, 2));
    }
}

#[test]
fn a_file_in_which_a_counted_row_differs_is_no_copy() {
    let stage = Stage::new(Backend::Sqlite);
    let first = file(&stage, "m.csv", &[GOOD, BAD]);
    assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&first)]).status, 3);
    let other = file(&stage, "other.csv", &[&GOOD.replace("10", "11"), MENDED]);
    let refused = stage.run.run(&["exposure", "import", SLUG, path(&other), "--corrects", "m.csv"]);
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("no corrected copy of m.csv") && refused.stderr.contains("hint:"));
    assert_eq!(totals(&stage), (2, 1, 1, 1, 0), "a refusal leaves nothing");
    // Without the word it is what it looks like: another manifest, whose rows are further references.
    stage.run.ok(&["exposure", "import", SLUG, path(&other)]);
    assert_eq!(totals(&stage), (4, 3, 1, 2, 0));
    let copy = file(&stage, "copy.csv", &[GOOD, MENDED]);
    let said = stage.run.json(&["exposure", "import", SLUG, path(&copy), "--corrects", "m.csv"]);
    assert_eq!(said["corrects"], "m.csv");
    assert_eq!(totals(&stage), (4, 4, 0, 2, 1));
    let none =
        stage.run.run(&["exposure", "import", SLUG, path(&copy), "--corrects", "none.csv", "--again", "--why", "x"]);
    assert_eq!(none.status, 2);
}

#[test]
fn the_mended_rows_alone_correct_the_manifest_that_is_named() {
    let stage = Stage::new(Backend::Sqlite);
    let first = file(&stage, "m.csv", &[GOOD, "too,few", OTHER, BAD]);
    assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&first)]).status, 3);
    let mended = file(&stage, "mended.csv", &["box/9.pdf,acme.example,,,,,,", MENDED]);
    let said = stage.run.json(&["exposure", "import", SLUG, path(&mended), "--corrects", "m.csv"]);
    assert_eq!((&said["corrects"], &said["rows"]), (&"m.csv".into(), &2.into()), "{said}");
    assert_eq!(totals(&stage), (4, 4, 0, 4, 2));
}

#[test]
fn again_counts_raw_references_without_reading_rows_and_says_why() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let first = file(&stage, "m.csv", &[GOOD, OTHER, BAD]);
        assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&first)]).status, 3);
        for turn in 2..4 {
            let again = stage.run.run(&[
                "exposure",
                "import",
                SLUG,
                path(&first),
                "--again",
                "--why",
                "found on a second server",
            ]);
            assert_eq!(again.status, 3, "{}", again.stderr);
            assert_eq!(totals(&stage), (3 * turn, 2 * turn, turn, 2, 0));
        }
        let facts = stage.run.csv(&["exposure", "facts", SLUG]);
        assert_eq!((facts[0]["rows"].as_str(), facts[0]["objects"].as_str()), ("6", "2"));
        assert!(stage.run.ok(&["exposure", "summary", SLUG]).contains("found on a second server"));
        // Read in another way it is read anew.
        let again = stage.run.run(&[
            "exposure",
            "import",
            SLUG,
            path(&first),
            "--again",
            "--why",
            "without types",
            "--without",
            "data_type",
        ]);
        assert_eq!(again.status, 3, "{}", again.stderr);
        assert_eq!(totals(&stage), (12, 8, 4, 2, 0));
    }
}

#[test]
fn the_sample_corrected_has_no_rejects_and_no_row_more() {
    let stage = super::sample(Backend::Sqlite, &["manifest.csv"]);
    check_sample(&stage);
    let rejects = stage.run.csv(&["exposure", "rejects", SLUG]);
    let text = std::fs::read_to_string(testkit::data::sample().join("manifest.csv")).unwrap();
    let mended: String = text
        .lines()
        .enumerate()
        .map(|(at, line)| {
            let bad = rejects.iter().any(|reject| reject["line"] == (at + 1).to_string());
            if bad {
                format!("mended/{at}.pdf,mended.example,,invoice,2020-01-01,1,p,u\n")
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    let copy = stage.file("manifest.csv", &mended);
    let said = stage.run.json(&["exposure", "import", SLUG, path(&copy)]);
    assert_eq!(said["rows"], rejects.len(), "{said}");
    let totals = stage.run.json(&["exposure", "totals", SLUG]);
    assert_eq!((&totals["rows"], &totals["accepted_rows"]), (&4430.into(), &4430.into()));
    assert_eq!(totals["objects"].as_u64().unwrap() as usize, 1680 + rejects.len());
    assert_eq!(totals["organisations"], 66);
}

#[test]
fn files_that_have_nothing_to_do_with_each_other_are_no_copies_of_each_other() {
    let stage = Stage::new(Backend::Sqlite);
    for n in 0..3 {
        let rows: Vec<String> =
            (0..50).map(|row| format!("box/{n}-{row}.pdf,no_host_{n},,invoice,2020-01-02,10,p,u")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let one = file(&stage, &format!("part-{n}.csv"), &rows);
        assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&one)]).status, 3);
    }
    assert_eq!(totals(&stage), (150, 0, 150, 0, 0));
    // The same rows with other line ends are other bytes: further references, and no correction of anything.
    let stage = Stage::new(Backend::Sqlite);
    let first = file(&stage, "m.csv", &[GOOD, OTHER, BAD]);
    assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&first)]).status, 3);
    let text = std::fs::read_to_string(&first).unwrap().replace('\n', "\r\n");
    let second = stage.file("m.csv", &text);
    assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&second)]).status, 3);
    assert_eq!(totals(&stage), (6, 4, 2, 2, 0));
    let third = stage.file("third.csv", &format!("{text}\r\n"));
    let refused = stage.run.run(&["exposure", "import", SLUG, path(&third), "--corrects", "m.csv"]);
    assert_eq!(refused.status, 4, "{}", refused.stderr);
}

#[test]
fn a_manifest_that_was_read_in_the_wrong_way_is_taken_back_and_read_again() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let before = stage.run.json(&["exposure", "totals", SLUG]);
        let facts = stage.run.ok(&["exposure", "facts", SLUG, "--csv"]);
        let wrong = stage.file(
            "w.csv",
            "path,host,other,size\nbox/9.pdf,org00001.example,elsewhere.example,5\nbox/8.pdf,org00000.example,lost.example,6\n",
        );
        let options = |host: &'static str| {
            [
                "--map",
                "path=object_path",
                "--map",
                host,
                "--map",
                "size=size_bytes",
                "--without",
                "email",
                "--without",
                "data_type",
                "--without",
                "document_date",
                "--without",
                "project_id",
                "--without",
                "user_id",
            ]
        };
        let import = |host| stage.run.run(&[&["exposure", "import", SLUG, path(&wrong)][..], &options(host)].concat());
        assert_eq!(import("other=domain").status, 0);
        assert_eq!(stage.run.json(&["exposure", "totals", SLUG])["organisations"], 4);
        let refused = import("host=domain");
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("other options") && refused.stderr.contains("exposure withdraw"),
            "{}",
            refused.stderr
        );
        assert_eq!(stage.run.run(&["exposure", "withdraw", SLUG, "w.csv", "--why", " "]).status, 2);
        stage.run.ok(&["exposure", "withdraw", SLUG, "w.csv", "--why", "wrong column for the host"]);
        assert_eq!(stage.run.json(&["exposure", "totals", SLUG]), before);
        assert_eq!(stage.run.ok(&["exposure", "facts", SLUG, "--csv"]), facts);
        assert_eq!(stage.status()["affected"], 2, "coverage has forgotten it too");
        let hosts = stage.run.csv(&["mapping", "list", SLUG]);
        assert!(hosts.iter().all(|row| !row["domain"].contains("lost")), "{hosts:?}");
        assert_eq!(import("host=domain").status, 0);
        let totals = stage.run.json(&["exposure", "totals", SLUG]);
        assert_eq!((&totals["rows"], &totals["objects"], &totals["organisations"]), (&4.into(), &4.into(), &2.into()));
        let text = stage.run.ok(&["exposure", "summary", SLUG]);
        assert!(text.contains("taken back") && text.contains("wrong column for the host"), "{text}");
        assert_eq!(stage.run.run(&["exposure", "withdraw", SLUG, "none.csv", "--why", "x"]).status, 1);
        stage.run.ok(&["audit", "verify"]);
    }
}

#[test]
fn of_several_passes_over_a_content_the_newest_is_taken_back_first() {
    let stage = Stage::new(Backend::Sqlite);
    let first = file(&stage, "a.csv", &[GOOD, OTHER]);
    let same = file(&stage, "a2.csv", &[GOOD, OTHER]);
    stage.run.ok(&["exposure", "import", SLUG, path(&first)]);
    stage.run.ok(&["exposure", "import", SLUG, path(&same), "--again", "--why", "a second server"]);
    assert_eq!(totals(&stage), (4, 4, 0, 2, 0));
    let withdrawn = stage.run.json(&["exposure", "withdraw", SLUG, "a.csv", "--why", "x"]);
    assert_eq!(withdrawn["file"], "a2.csv");
    assert_eq!(totals(&stage), (2, 2, 0, 2, 0));
    stage.run.ok(&["exposure", "withdraw", SLUG, "a.csv", "--why", "x"]);
    assert_eq!(totals(&stage), (0, 0, 0, 0, 0));
}

#[test]
fn the_same_options_in_other_words_are_the_same() {
    let stage = Stage::new(Backend::Sqlite);
    let first = file(&stage, "a.csv", &[GOOD, OTHER]);
    stage.run.ok(&["exposure", "import", SLUG, path(&first)]);
    let said = stage.run.json(&["exposure", "import", SLUG, path(&first), "--format", "csv", "--encoding", "utf-8"]);
    assert!(said["already_counted_at"].is_string(), "{said}");
}

#[test]
fn what_was_taken_back_can_come_again_and_change_again() {
    let stage = Stage::new(Backend::Sqlite);
    let first = file(&stage, "a.csv", &[GOOD]);
    let second = file(&stage, "b.csv", &[OTHER]);
    let import = |file: &std::path::Path| stage.run.ok(&["exposure", "import", SLUG, path(file)]);
    for _ in 0..2 {
        import(&first);
        import(&second);
        assert_eq!(totals(&stage), (2, 2, 0, 2, 0));
        stage.run.ok(&["exposure", "withdraw", SLUG, "b.csv", "--why", "x"]);
        stage.run.ok(&["exposure", "withdraw", SLUG, "a.csv", "--why", "x"]);
    }
    let changes = stage.run.json(&["exposure", "changes", SLUG]);
    let versions: Vec<i64> =
        changes.as_array().unwrap().iter().map(|change| change["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, [2, 3, 4, 5, 6, 7, 8], "{changes}");
    assert!(changes[2]["after"].is_null() && changes[3]["before"].is_null(), "{changes}");
}

#[test]
fn a_correction_that_was_killed_goes_on_as_it_began() {
    let stage = Stage::new(Backend::Sqlite);
    let rows = |host: &str| -> String {
        (0..40_000).map(|n| format!("all/{n}.pdf,{host},p{n}@x.example,invoice,2020-01-02,{n},p{n},u{n}\n")).collect()
    };
    let first = stage.file("m.csv", &format!("{HEADER}\n{GOOD}\n{}", rows("no_host")));
    assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&first)]).status, 3);
    let mended = stage.file("mended.csv", &format!("{HEADER}\n{}", rows("h.example")));
    let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "400000");
    let arguments = ["exposure", "import", SLUG, path(&mended), "--corrects", "m.csv"];
    let mut running = run.spawn(&arguments);
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_secs(30) && running.ended().is_none() {
        let manifests = stage.run.csv(&["exposure", "manifests", SLUG]);
        if manifests.iter().any(|row| row["file"] == "mended.csv" && row["rows"] != "0") {
            break;
        }
    }
    running.kill();
    let said = run.json(&arguments);
    assert!(said["corrects"] == "m.csv" && said["counted_before"] == 0, "{said}");
    assert_eq!(totals(&stage), (40_001, 40_001, 0, 40_001, 40_000));
}

#[test]
fn a_corrected_manifest_is_taken_back_copy_first() {
    let stage = Stage::new(Backend::Sqlite);
    let first = file(&stage, "m.csv", &[GOOD, OTHER, BAD]);
    assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&first)]).status, 3);
    let second = file(&stage, "copy.csv", &[GOOD, OTHER, MENDED]);
    stage.run.ok(&["exposure", "import", SLUG, path(&second)]);
    assert_eq!(totals(&stage), (3, 3, 0, 3, 1));
    let refused = stage.run.run(&["exposure", "withdraw", SLUG, "m.csv", "--why", "x"]);
    assert_eq!(refused.status, 4);
    assert!(refused.stderr.contains("withdraw copy.csv first"), "{}", refused.stderr);
    stage.run.ok(&["exposure", "withdraw", SLUG, "copy.csv", "--why", "x"]);
    assert_eq!(totals(&stage), (3, 2, 1, 2, 0));
    stage.run.ok(&["exposure", "withdraw", SLUG, "m.csv", "--why", "x"]);
    assert_eq!(totals(&stage), (0, 0, 0, 0, 0));
    assert!(stage.run.csv(&["exposure", "facts", SLUG]).is_empty());
}
