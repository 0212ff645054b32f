//! Exposed persons: hashes by default, and nothing of them once they are erased.

use testkit::process::Backend;

use super::check_totals;
use crate::setup::{SLUG, Stage, path};

/// Whether any file of the store has these bytes.
fn is_kept(stage: &Stage, words: &str) -> bool {
    let needle = words.as_bytes();
    std::fs::read_dir(stage.run.folder()).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

const ROWS: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n\
    box/secret-path.pdf,acme.example,mia.exposed@acme.example,invoice,2020-01-02,10,prj-1,user-exposed\n\
    box/bad.pdf,,rejected.person,invoice,2020-01-02,10,prj-1,u\n";

#[test]
fn addresses_and_users_are_held_as_hashes_unless_the_incident_says_plain() {
    let stage = Stage::new(Backend::Sqlite);
    let file = stage.file("m.csv", ROWS);
    assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&file)]).status, 3);
    assert!(!is_kept(&stage, "mia.exposed") && !is_kept(&stage, "user-exposed"));
    let plain = stage.file(
        "plain.toml",
        "slug = \"plain\"\ntitle = \"t\"\nvendor = \"v\"\ndiscovered_at = \"2022-09-24\"\nidentities = \"plain\"\n",
    );
    stage.run.ok(&["incident", "open", path(&plain)]);
    assert_eq!(stage.run.run(&["exposure", "import", "plain", path(&file)]).status, 3);
    // The names of a block this small are kept as they are, so that they can be found here.
    assert!(is_kept(&stage, "mia.exposed") && is_kept(&stage, "user-exposed"));
    let wrong = stage.file(
        "wrong.toml",
        "slug = \"w\"\ntitle = \"t\"\nvendor = \"v\"\ndiscovered_at = \"2022-09-24\"\nidentities = \"clear\"\n",
    );
    let refused = stage.run.run(&["incident", "open", path(&wrong)]);
    assert_eq!(refused.status, 1);
    assert!(refused.stderr.contains("hashed"), "{}", refused.stderr);
}

#[test]
fn erasing_destroys_key_and_sets_and_keeps_counts_and_audit() {
    for backend in Backend::each() {
        let stage = super::sample(backend, &["manifest.csv"]);
        let file = stage.file("m.csv", ROWS);
        assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&file)]).status, 3);
        let totals = stage.run.json(&["exposure", "totals", SLUG]);
        let facts = stage.run.ok(&["exposure", "facts", SLUG, "--csv"]);
        if backend == Backend::Sqlite {
            assert!(is_kept(&stage, "secret-path") && is_kept(&stage, "rejected.person"));
        }
        assert_eq!(stage.run.run(&["incident", "erase", SLUG]).status, 2, "a reason is needed");
        let erased = stage.run.json(&["incident", "erase", SLUG, "--why", "retention period over"]);
        assert!(erased["erased_at"].is_string(), "{erased}");

        let mut after = stage.run.json(&["exposure", "totals", SLUG]);
        assert!(after["erased_at"].is_string());
        after["erased_at"] = serde_json::Value::Null;
        assert_eq!(after, totals);
        assert_eq!(stage.run.ok(&["exposure", "facts", SLUG, "--csv"]), facts);
        let rejects = stage.run.csv(&["exposure", "rejects", SLUG]);
        assert!(!rejects.is_empty() && rejects.iter().all(|row| row["raw"].is_empty()), "{rejects:?}");
        if backend == Backend::Sqlite {
            assert!(!is_kept(&stage, "secret-path") && !is_kept(&stage, "rejected.person"));
        }
        for refused in [
            &["exposure", "import", SLUG, path(&file), "--again", "--why", "x"][..],
            &["exposure", "prove", SLUG, "objects"],
            &["incident", "erase", SLUG, "--why", "again"],
        ] {
            let output = stage.run.run(refused);
            assert_eq!(output.status, 4, "{refused:?} {}", output.stderr);
            assert!(output.stderr.contains("erased at") && output.stderr.contains("hint:"), "{}", output.stderr);
        }
        // A change of the directory moves nothing any more: there is nothing left to count it from.
        let more =
            stage.file("more.csv", "domain,tenant_id,tenant_name,country,language\nacme.example,t-acme,Acme,US,en\n");
        stage.run.ok(&["directory", "import", "--organisations", path(&more), "--source", "more"]);
        check_totals(&stage, &totals_of(&totals));
        stage.run.ok(&["audit", "verify"]);
        assert!(stage.run.ok(&["exposure", "summary", SLUG]).contains("were erased at"));
    }
}

/// The figures alone.
fn totals_of(totals: &serde_json::Value) -> serde_json::Value {
    let keys = ["rows", "objects", "emails", "users", "projects", "bytes", "organisations", "tenants_affected"];
    keys.iter().map(|key| ((*key).to_owned(), totals[*key].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn an_import_that_is_under_way_leaves_nothing_behind_when_the_incident_is_erased() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let arguments = testkit::generator::Arguments { seed: 6, rows: 60_000, scale: 0.01, ..Default::default() };
        let (_, files) = stage.waiting(&arguments);
        let run = stage.run.with("FORTHRIGHT_IMPORT_BATCH_BYTES", "400000");
        let mut running = run.spawn(&["exposure", "import", SLUG, path(&files.csv)]);
        let begun = std::time::Instant::now();
        // Refused while a manifest is known to be open; before that, or after, it goes through.
        while begun.elapsed() < std::time::Duration::from_secs(30) {
            if stage.run.run(&["incident", "erase", SLUG, "--why", "now"]).status == 0 {
                break;
            }
        }
        let end = running.wait();
        assert!([0, 3, 4, 75].contains(&end), "{end} {}", running.said());
        let totals = stage.run.json(&["exposure", "totals", SLUG]);
        assert!(totals["erased_at"].is_string());
        if backend == Backend::Sqlite {
            let database = stage.run.folder().join("forthright.db");
            let query = "SELECT COUNT(*) FROM run_blocks";
            let output = std::process::Command::new("sqlite3").args([path(&database), query]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0");
        }
    }
}

#[test]
fn mail_still_finds_its_ticket_after_erasing() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    stage.release();
    let recorder = testkit::smtp::Recorder::start().unwrap();
    stage.work(&recorder);
    stage.run.ok(&["incident", "erase", SLUG, "--why", "retention period over"]);
    let sent = recorder.messages().remove(0);
    let text = String::from_utf8_lossy(&sent.data).into_owned();
    let reply_to = text.lines().find_map(|line| line.strip_prefix("Reply-To: ")).unwrap().trim().to_owned();
    let mail = format!(
        "From: <security@org00000.example>\r\nTo: {reply_to}\r\nSubject: Re: notice\r\nMessage-ID: <q1@org00000.example>\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\nWhich files were exposed?\r\n"
    );
    let said = stage.run.run_with_input(&["mail", "receive", "--json"], mail.as_bytes());
    assert_eq!(said.status, 0, "{}", said.stderr);
    let tickets = stage.run.csv(&["ticket", "list", SLUG]);
    assert_eq!(tickets[0]["debt"], "1", "{tickets:?}");
}
