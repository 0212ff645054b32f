//! The command line: clear errors with the next step, and the right exit codes.

use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path};

fn fails(stage: &Stage, args: &[&str], status: i32, words: &[&str]) {
    let output = stage.run.run(args);
    assert_eq!(output.status, status, "{args:?}\n{}\n{}", output.stdout, output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "`{word}` is not in: {}", output.stderr);
    }
}

#[test]
fn bad_manifests_are_named_with_the_next_step() {
    let stage = Stage::new(Backend::Sqlite);
    let import =
        |file: &std::path::Path, words: &[&str]| fails(&stage, &["exposure", "import", SLUG, path(file)], 1, words);
    import(&stage.file("a.csv", "object_path,domain\nx,y\n"), &["a.csv", "email", "--map"]);
    import(&stage.file("empty.csv", ""), &["empty.csv", "empty"]);
    let empty = stage.folder.path().join("empty-folder");
    std::fs::create_dir(&empty).unwrap();
    import(&empty, &["empty-folder", "no"]);
    import(&stage.folder.path().join("none.csv"), &["none.csv"]);
    let binary = stage.folder.path().join("binary.csv");
    std::fs::write(&binary, [0_u8, 159, 146, 150, 0, 1, 2]).unwrap();
    import(&binary, &["binary.csv"]);
    assert_eq!(stage.run.json(&["exposure", "totals", SLUG])["rows"], 0, "nothing is half counted");
}

#[test]
fn what_is_not_there_is_named_with_the_next_step() {
    let stage = Stage::new(Backend::Sqlite);
    fails(&stage, &["exposure", "totals", "no-such"], 1, &["no-such", "hint:"]);
    fails(&stage, &["ticket", "show", "tkt_none"], 1, &["tkt_none", "hint:"]);
    fails(&stage, &["notice", "preview", SLUG, "t-none"], 1, &["t-none", "hint:"]);
    fails(&stage, &["wave", "release", SLUG, "x", "--all"], 4, &["hint:"]);
    fails(&stage, &["incident", "open", "/no/such/file.toml"], 1, &["file.toml"]);
    fails(&stage, &["no-such-verb"], 2, &[]);
    fails(&stage, &["ticket", "close"], 2, &[]);
    fails(&stage, &["notice", "withhold", SLUG, "--all"], 2, &[]);
}

#[test]
fn mail_that_is_due_without_a_route_says_how_to_name_one() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    stage.release();
    let output = stage.run.run(&["work", "--until-idle", "--timeout", "20"]);
    assert_ne!(output.status, 0);
    assert!(output.stderr.contains("--smtp"), "{}", output.stderr);
    assert_eq!(stage.status()["in_progress"], 1);
}

#[test]
fn an_unknown_configuration_key_is_an_error_that_names_it() {
    let stage = Stage::new(Backend::Sqlite);
    let config = stage.file("forthright.toml", "[sender]\nadress = \"a@b.example\"\n");
    fails(&stage, &["incident", "list", "--config", path(&config)], 1, &["adress"]);
}

#[test]
fn a_time_in_an_incident_file_may_stand_with_or_without_quotes() {
    let stage = Stage::new(Backend::Sqlite);
    for (slug, time) in [("a", "2022-09-24T08:00:00Z"), ("b", "\"2022-09-24T10:00:00+02:00\""), ("c", "2022-09-24")] {
        let text = format!("slug = \"{slug}\"\ntitle = \"t\"\nvendor = \"v\"\ndiscovered_at = {time}\n");
        let file = stage.file("i.toml", &text);
        stage.run.ok(&["incident", "open", path(&file)]);
    }
    let times: Vec<String> =
        stage.run.csv(&["incident", "list"]).into_iter().map(|row| row["discovered_at"].clone()).collect();
    let eight = "2022-09-24T08:00:00Z";
    assert_eq!(times, [eight, eight, eight, "2022-09-24T00:00:00Z"]);
}

#[test]
fn a_host_with_another_master_key_is_refused() {
    let stage = Stage::new(Backend::Postgres);
    let other = stage.run.with("FORTHRIGHT_DATA", stage.folder.path().join("other-host"));
    let output = other.run(&["incident", "list"]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("master.key"), "{}", output.stderr);
    let foreign = stage.run.with("FORTHRIGHT_MASTER_KEY", "00".repeat(32));
    assert_eq!(foreign.run(&["incident", "list"]).status, 1);
}

#[test]
fn postgresql_without_a_store_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = testkit::process::Forthright::new(crate::setup::bin(), folder.path(), Backend::Postgres);
    let output = run.run(&["incident", "list"]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("forthright store init"), "{}", output.stderr);
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    let before = stage.run.json(&["exposure", "totals", SLUG]);
    // The database may not grow: what a full disk looks like from inside.
    let mut manifest = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
    for n in 0..90_000 {
        manifest.push_str(&format!(
            "{}/{n}.pdf,org00000.example,p{n}@org00000.example,invoice,2020-01-01,1,p,u\n",
            "long".repeat(20)
        ));
    }
    let file = stage.file("big.csv", &manifest);
    let database = stage.run.folder().join("forthright.db");
    let limit = std::fs::metadata(&database).unwrap().len() / 1024 + 800;
    let shell = format!("ulimit -f {limit}; trap '' XFSZ; exec \"$0\" exposure import {SLUG} \"$1\"");
    let output = std::process::Command::new("bash")
        .args(["-c", &shell, path(crate::setup::bin()), path(&file)])
        .env("FORTHRIGHT_DATA", stage.run.folder())
        .env("FORTHRIGHT_ACTOR", "analyst")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error:") && said.contains("the same command again"), "{said}");
    let after = stage.run.run(&["exposure", "import", SLUG, path(&file)]);
    assert_eq!(after.status, 0, "{}", after.stderr);
    let totals = stage.run.json(&["exposure", "totals", SLUG]);
    assert_eq!(totals["rows"].as_i64().unwrap(), before["rows"].as_i64().unwrap() + 90_000);
}
