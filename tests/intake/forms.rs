//! The same rows in every form that storage teams export, and nothing written by a check.

use std::path::Path;

use testkit::forms;
use testkit::generator::{Arguments, Rates};
use testkit::process::Backend;

use super::{check_incident, check_sample};
use crate::setup::{SLUG, Stage, path};

#[test]
fn every_form_of_the_sample_gives_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("manifest.csv");
    std::fs::copy(testkit::data::sample().join("manifest.csv"), &csv).unwrap();
    let all = [
        forms::gzip(&csv).unwrap(),
        forms::zstd(&csv).unwrap(),
        forms::utf16(&csv).unwrap(),
        forms::delimited(&csv, b';').unwrap(),
        forms::delimited(&csv, b'\t').unwrap(),
        forms::delimited(&csv, b'|').unwrap(),
    ];
    for form in all {
        let stage = Stage::new(Backend::Sqlite);
        stage.sample_directory();
        stage.import(&[&form], &testkit::data::sample().join("freemail.txt"));
        check_sample(&stage);
    }
}

#[test]
fn parquet_gives_the_figures_but_for_rows_that_no_table_can_hold() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let arguments = Arguments { seed: 21, rows: 5_000, rates: Rates::nasty(), ..Arguments::default() };
        let (mut expected, files) = stage.waiting(&arguments);
        let (table, left_out) = forms::parquet(&files.csv).unwrap();
        stage.import(&[&table], &files.freemail);
        assert!(left_out > 0);
        expected.totals.rows -= expected.totals.rejected_columns;
        expected.totals.rejected_columns = 0;
        expected.totals.blank_lines = 0;
        check_incident(&stage, &expected);
    }
}

#[test]
fn other_seeds_with_every_nastiness_in_either_format_packed_shuffled_cut_and_doubled() {
    let turns = [(31, true, false), (32, false, true), (33, true, true)];
    for (seed, crlf, bom) in turns {
        let stage = Stage::new(if seed == 33 { Backend::Postgres } else { Backend::Sqlite });
        let arguments = Arguments { seed, rows: 8_000, rates: Rates::nasty(), crlf, bom, ..Arguments::default() };
        let (expected, files) = stage.waiting(&arguments);
        let manifest = if seed == 32 { &files.jsonl } else { &files.csv };
        let shuffled = testkit::generator::shuffle(manifest, seed).unwrap();
        let [first, rest] = testkit::generator::cut(&shuffled, 3_000).unwrap();
        let parts = [forms::gzip(&first).unwrap(), forms::zstd(&rest).unwrap()];
        stage.import(&[&parts[0], &parts[1]], &files.freemail);
        check_incident(&stage, &expected);
        // The whole again, unpacked and in its own order, is other bytes: raw references double, and nothing else.
        stage.import(&[manifest], &files.freemail);
        let totals = stage.run.json(&["exposure", "totals", SLUG]);
        let once = expected.totals.json();
        for key in ["rows", "accepted_rows", "organisation_rows", "shared_rows", "rejected_columns"] {
            assert_eq!(totals[key].as_u64().unwrap(), 2 * once[key].as_u64().unwrap(), "{key}");
        }
        for key in ["organisations", "objects", "emails", "users", "projects", "bytes", "data_type_objects"] {
            assert_eq!(totals[key], once[key], "{key}");
        }
    }
}

#[test]
fn standard_input_and_a_folder_are_read_like_files() {
    let sample = testkit::data::sample();
    let stage = Stage::new(Backend::Sqlite);
    stage.sample_directory();
    let shared = sample.join("freemail.txt");
    let bytes = std::fs::read(sample.join("manifest.jsonl")).unwrap();
    let output =
        stage.run.run_with_input(&["exposure", "import", SLUG, "-", "--shared-domains", path(&shared)], &bytes);
    assert_eq!(output.status, 3, "{}", output.stderr);
    check_sample(&stage);

    let stage = Stage::new(Backend::Sqlite);
    stage.sample_directory();
    let export = stage.folder.path().join("export/2022/09");
    std::fs::create_dir_all(&export).unwrap();
    let csv = export.join("manifest.csv");
    std::fs::copy(sample.join("manifest.csv"), &csv).unwrap();
    for part in testkit::generator::cut(&csv, 2_000).unwrap() {
        forms::gzip(&part).unwrap();
        std::fs::remove_file(part).unwrap();
    }
    std::fs::remove_file(csv).unwrap();
    std::fs::write(export.join(".hidden"), "not a manifest").unwrap();
    stage.import(&[&stage.folder.path().join("export")], &shared);
    check_sample(&stage);
    let manifests = stage.run.csv(&["exposure", "manifests", SLUG]);
    let names: Vec<&str> = manifests.iter().map(|row| row["file"].as_str()).collect();
    assert_eq!(names, ["2022/09/manifest.first.csv.gz", "2022/09/manifest.rest.csv.gz"]);
    assert!(manifests.iter().all(|row| row["read_as"].contains("gzip") && row["sha256"].len() == 64), "{manifests:?}");
}

/// An incident whose file states a path rule.
fn with_path_rule(rule: &str) -> Stage {
    let stage = Stage::new(Backend::Sqlite);
    let file = stage.file(
        "listed.toml",
        &format!("slug = \"listed\"\ntitle = \"A listing\"\nvendor = \"Example Cloud\"\ndiscovered_at = \"2022-09-24\"\npath_rule = \"{rule}\"\n"),
    );
    stage.run.ok(&["incident", "open", path(&file)]);
    stage
}

fn objects(stage: &Stage) -> Vec<(String, String, String)> {
    let facts = stage.run.csv(&["exposure", "facts", "listed"]);
    facts.iter().map(|row| (row["domain"].clone(), row["objects"].clone(), row["bytes"].clone())).collect()
}

#[test]
fn a_listing_finds_its_organisations_by_the_incidents_path_rule() {
    let stage = with_path_rule("exports/{domain}/**");
    let listing = stage.file(
        "listing.csv",
        "path,size,modified\nexports/acme.example/a.pdf,10,2022-01-02T10:00:00Z\nexports/acme.example/b/c.pdf,20,2022-01-03T10:00:00Z\nexports/other.example/a.pdf,5,\nelsewhere/x.pdf,1,\n",
    );
    assert_eq!(stage.run.run(&["exposure", "import", "listed", path(&listing)]).status, 3);
    assert_eq!(
        objects(&stage),
        [
            ("acme.example".to_owned(), "2".to_owned(), "30".to_owned()),
            ("other.example".to_owned(), "1".to_owned(), "5".to_owned())
        ]
    );
    let rejects = stage.run.csv(&["exposure", "rejects", "listed"]);
    assert_eq!((rejects.len(), rejects[0]["reason"].as_str(), rejects[0]["line"].as_str()), (1, "no_domain", "5"));
}

#[test]
fn an_azure_inventory_and_an_s3_inventory_are_known_by_their_columns() {
    let stage = with_path_rule("*/{domain}/**");
    let azure = stage.file(
        "azure.csv",
        "Name,Creation-Time,Last-Modified,Content-Length,Content-MD5,BlobType\nbox/acme.example/a.pdf,2022-01-01T00:00:00Z,2022-01-02T00:00:00Z,10,,BlockBlob\n",
    );
    let said = stage.run.json(&["exposure", "import", "listed", path(&azure)]);
    assert!(said["described"].as_str().unwrap().contains("Azure"), "{said}");

    let folder = stage.folder.path().join("inventory/bucket/config");
    std::fs::create_dir_all(folder.join("data")).unwrap();
    let rows = "\"bucket\",\"acme.example/b+c%21.pdf\",\"20\",\"2022-01-03T00:00:00.000Z\"\n\"bucket\",\"other.example/a.pdf\",\"5\",\"2022-01-04T00:00:00.000Z\"\n";
    let plain = folder.join("data/part.csv");
    std::fs::write(&plain, rows).unwrap();
    let packed = forms::gzip(&plain).unwrap();
    std::fs::remove_file(plain).unwrap();
    let size = std::fs::metadata(&packed).unwrap().len();
    let manifest = folder.join("manifest.json");
    std::fs::write(
        &manifest,
        format!(
            "{{\"sourceBucket\":\"bucket\",\"destinationBucket\":\"arn:aws:s3:::inventory\",\"version\":\"2016-11-30\",\"fileFormat\":\"CSV\",\"fileSchema\":\"Bucket, Key, Size, LastModifiedDate\",\"files\":[{{\"key\":\"bucket/config/data/part.csv.gz\",\"size\":{size}}}]}}"
        ),
    )
    .unwrap();
    stage.run.ok(&["exposure", "import", "listed", path(&manifest)]);
    assert_eq!(
        objects(&stage),
        [
            ("acme.example".to_owned(), "2".to_owned(), "30".to_owned()),
            ("other.example".to_owned(), "1".to_owned(), "5".to_owned())
        ]
    );
}

#[test]
fn a_check_reads_everything_and_writes_nothing() {
    let stage = Stage::new(Backend::Sqlite);
    let file = stage.file(
        "m.csv",
        "object_path;domain;email;data_type;document_date;size_bytes;project_id;user_id\na;good.example;;invoice;2020-01-01;12KB;p;u\ntoo;few\nb;bad_domain;;invoice;2020-01-01;1;p;u\n",
    );
    let output = stage.run.run(&["exposure", "import", SLUG, path(&file), "--check", "--json"]);
    assert_eq!(output.status, 3, "{}", output.stderr);
    let checked: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(checked["described"], "CSV, ';' between columns, UTF-8");
    assert_eq!((&checked["rows"], &checked["accepted_rows"]), (&3.into(), &1.into()));
    assert_eq!(checked["rejected"], serde_json::json!({ "columns": 1, "bad_domain": 1 }));
    assert_eq!(checked["invalid_fields"], serde_json::json!({ "size_bytes": 1 }));
    let errors: Vec<(u64, &str, &str)> = checked["first_errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (error["line"].as_u64().unwrap(), error["column"].as_str().unwrap(), error["reason"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        errors,
        [
            (2, "column 6 (size_bytes)", "invalid size_bytes"),
            (3, "columns: 2 here, 8 in the header", "columns"),
            (4, "column 2 (domain)", "bad_domain")
        ]
    );
    assert_eq!(stage.run.json(&["exposure", "totals", SLUG])["rows"], 0);
    assert!(stage.run.csv(&["exposure", "manifests", SLUG]).is_empty());
    let missing = stage.file("lacks.csv", "path,host\na,b.example\n");
    let output = stage.run.run(&["exposure", "import", SLUG, path(Path::new(&missing)), "--check"]);
    assert_eq!(output.status, 1, "structure comes before rows");
    assert!(output.stderr.contains("--map"), "{}", output.stderr);
}

#[test]
fn a_scan_counts_the_addresses_and_domains_that_files_name_and_keeps_no_content() {
    let stage = Stage::new(Backend::Sqlite);
    let container = stage.folder.path().join("container/Invoices");
    std::fs::create_dir_all(&container).unwrap();
    std::fs::write(container.join("list.csv"), "name,mail\nMia,Mia@Acme.example\nAll,mia@acme.example\n").unwrap();
    std::fs::write(container.join("note.txt"), "Top secret words. See https://www.other.example/x\n").unwrap();
    let said = stage.run.json(&["exposure", "scan", SLUG, path(container.parent().unwrap())]);
    assert_eq!(said["scanned"]["listed"], 2, "{said}");
    assert_eq!(said["scanned"]["rows"], said["imported"]["rows"]);
    let facts = stage.run.csv(&["exposure", "facts", SLUG]);
    let seen: Vec<_> =
        facts.iter().map(|row| (row["domain"].as_str(), row["objects"].as_str(), row["emails"].as_str())).collect();
    assert_eq!(seen, [("acme.example", "1", "1"), ("other.example", "1", "0")]);
    let again = stage.run.json(&["exposure", "scan", SLUG, path(container.parent().unwrap())]);
    assert!(again["imported"]["already_counted_at"].is_string(), "{again}");
    let left: Vec<_> = std::fs::read_dir(stage.run.folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("scan-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    for file in std::fs::read_dir(stage.run.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(10).any(|window| window == b"Top secret"), "content was kept");
    }
}
