//! Imports that are killed, stopped, or run twice at once: resumed, every figure is the same.

use std::time::Duration;

use testkit::generator::{Arguments, Expected, Incident, Rates};
use testkit::process::{Backend, Running};

use super::check_incident;
use crate::setup::{SLUG, Stage, path};
use crate::tickets::raw_sql;

fn nasty(stage: &Stage, seed: u64, rows: u64) -> (Expected, Incident) {
    stage.waiting(&Arguments { seed, rows, scale: 0.01, rates: Rates::nasty(), ..Arguments::default() })
}

#[test]
fn killed_at_twenty_moments_and_resumed_every_figure_is_the_same() {
    for backend in Backend::each() {
        let mut resumed = 0;
        let mut whole = Duration::from_secs(1);
        for turn in 0..=20_u32 {
            let stage = Stage::new(backend);
            let arguments =
                Arguments { seed: 5, rows: 12_000, scale: 0.003, rates: Rates::nasty(), ..Arguments::default() };
            let (expected, files) = stage.waiting(&arguments);
            // Parts are small, so that there are some to resume after.
            let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "100000");
            let import =
                ["exposure", "import", SLUG, path(&files.csv), "--shared-domains", path(&files.freemail), "--json"];
            let begun = std::time::Instant::now();
            let mut running = run.spawn(&import);
            if turn == 0 {
                // The first one says how long it takes undisturbed.
                running.wait();
                whole = begun.elapsed();
            } else {
                std::thread::sleep(whole * (2 * turn - 1) / 40);
                running.kill();
            }
            let last = run.run(&import);
            assert!([0, 3].contains(&last.status), "{}", last.stderr);
            let said: serde_json::Value = serde_json::from_str(&last.stdout).unwrap();
            resumed += u32::from(said["resumed_after"].as_i64().unwrap() > 0);
            check_incident(&stage, &expected);
            assert_eq!(stage.run.csv(&["exposure", "manifests", SLUG]).len(), 1);
        }
        assert!(resumed > 0, "{resumed} of 20 imports were interrupted in their midst");
    }
}

#[test]
fn stopped_by_a_person_it_resumes_where_it_was() {
    // On a busy machine a small file may be counted before the signal comes: then a larger one is tried.
    let stopped = [40_000, 160_000, 640_000].into_iter().any(stopped_in_its_midst);
    assert!(stopped, "no import was interrupted in its midst");
}

/// Whether the signal came in time; what follows from it is checked.
fn stopped_in_its_midst(rows: u64) -> bool {
    let stage = Stage::new(Backend::Sqlite);
    let (expected, files) = nasty(&stage, 6, rows);
    let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "100000");
    let arguments = ["exposure", "import", SLUG, path(&files.jsonl), "--shared-domains", path(&files.freemail)];
    let mut running = run.spawn(&arguments);
    let pid = running.pid().to_string();
    wait_for_rows(&stage, &mut running);
    // SIGTERM, which does to it what Ctrl-C does: shells start what runs in the background with SIGINT ignored.
    std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    running.wait();
    let manifests = stage.run.csv(&["exposure", "manifests", SLUG]);
    if manifests.first().is_none_or(|row| row["rows"] == "0" || !row["counted_at"].is_empty()) {
        return false;
    }
    let before = stage.run.json(&["exposure", "totals", SLUG]);
    assert_eq!((&before["rows"], &before["manifests_open"]), (&0.into(), &1.into()), "a file counts as a whole");
    let said = run.run(&[&arguments[..], &["--json"]].concat());
    let said: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(said["resumed_after"].as_i64().unwrap() > 0, "{said}");
    check_incident(&stage, &expected);
    true
}

#[test]
fn two_imports_of_one_file_at_once_count_it_once() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let (expected, files) = nasty(&stage, 7, 20_000);
        let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "400000");
        let arguments = ["exposure", "import", SLUG, path(&files.csv), "--shared-domains", path(&files.freemail)];
        let mut both = [run.spawn(&arguments), run.spawn(&arguments)];
        let ends: Vec<i32> = both.iter_mut().map(|running| running.wait()).collect();
        assert!(ends.iter().any(|end| [0, 3].contains(end)), "{ends:?}");
        assert!(ends.iter().all(|end| [0, 3, 75].contains(end)), "{ends:?} {} {}", both[0].said(), both[1].said());
        check_incident(&stage, &expected);
    }
}

#[test]
fn two_files_at_once_beside_a_worker_give_the_figures_of_both() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let (expected, files) = nasty(&stage, 8, 20_000);
        let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "400000");
        let [first, rest] = testkit::generator::cut(&files.csv, 12_000).unwrap();
        stage.run.ok(&[
            "exposure",
            "import",
            SLUG,
            path(&stage.file("none.csv", HEADER)),
            "--shared-domains",
            path(&files.freemail),
        ]);
        let mut worker = stage.run.sending_to(&stage.files()).spawn(&["worker"]);
        let mut both = [&first, &rest].map(|file| run.spawn(&["exposure", "import", SLUG, path(file)]));
        for running in &mut both {
            let end = running.wait();
            assert!([0, 3].contains(&end), "{end} {}", running.said());
        }
        worker.terminate();
        check_incident(&stage, &expected);
    }
}

const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

#[test]
fn an_import_with_other_options_does_not_go_on_where_another_stopped() {
    let stage = Stage::new(Backend::Sqlite);
    let (expected, files) = nasty(&stage, 9, 60_000);
    let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "400000");
    let mut running = run.spawn(&["exposure", "import", SLUG, path(&files.csv), "--without", "user_id"]);
    wait_for_rows(&stage, &mut running);
    running.kill();
    stage.import(&[&files.csv], &files.freemail);
    check_incident(&stage, &expected);
}

/// Until rows of the only manifest are written, or the import has ended.
fn wait_for_rows(stage: &Stage, running: &mut Running) {
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(120) && running.ended().is_none() {
        // Asked of the database: our own command takes as long to start as a small file to be counted.
        if raw_sql(stage, "SELECT COUNT(*) FROM manifests WHERE rows_read > 0").is_ok_and(|count| count.trim() != "0") {
            return;
        }
    }
}

#[test]
fn killed_between_counting_and_mapping_the_same_command_brings_the_figures_up_to_date() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let (expected, files) = nasty(&stage, 10, 60_000);
        let arguments = ["exposure", "import", SLUG, path(&files.csv), "--shared-domains", path(&files.freemail)];
        let mut running = stage.run.spawn(&arguments);
        // Until the file is counted to its end; verdicts and sheets follow after that.
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(60) && running.ended().is_none() {
            let manifests = stage.run.csv(&["exposure", "manifests", SLUG]);
            if manifests.first().is_some_and(|row| !row["counted_at"].is_empty()) {
                break;
            }
        }
        running.kill();
        let said = stage.run.json(&arguments);
        assert!(said["already_counted_at"].is_string(), "{said}");
        check_incident(&stage, &expected);
    }
}

#[test]
fn a_file_that_is_written_to_while_it_is_read_does_not_count() {
    let seen = [60_000, 240_000, 960_000].into_iter().any(written_to_while_read);
    assert!(seen, "no file was written to while it was read");
}

/// Whether the file was still being read when it was written to; what follows from it is checked.
fn written_to_while_read(rows: u64) -> bool {
    let stage = Stage::new(Backend::Sqlite);
    let (expected, files) = nasty(&stage, 11, rows);
    let growing = stage.folder.path().join("growing.csv");
    std::fs::copy(&files.csv, &growing).unwrap();
    let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "100000");
    let mut running = run.spawn(&["exposure", "import", SLUG, path(&growing)]);
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(60) && running.ended().is_none() {
        if !stage.run.csv(&["exposure", "manifests", SLUG]).is_empty() {
            break;
        }
    }
    let mut file = std::fs::OpenOptions::new().append(true).open(&growing).unwrap();
    std::io::Write::write_all(&mut file, b"box/late.pdf,late.example,,invoice,2020-01-02,10,p,u\n").unwrap();
    drop(file);
    let end = running.wait();
    if end == 0 || end == 3 {
        // Read to its end before: a busy machine.
        return false;
    }
    assert_eq!(end, 1, "{}", running.said());
    assert!(running.said().contains("changed while it was read"), "{}", running.said());
    assert_eq!(stage.run.json(&["exposure", "totals", SLUG])["rows"], 0);
    stage.import(&[&files.csv], &files.freemail);
    check_incident(&stage, &expected);
    true
}
