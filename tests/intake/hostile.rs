//! Files that want to break something: a clear error each, nothing half counted, nothing lost.

use std::io::Write;
use std::path::{Path, PathBuf};

use testkit::forms;
use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path};

const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

fn row(n: usize) -> String {
    format!("box/{n}.pdf,org{}.example,,invoice,2020-01-02,10,p,u\n", n % 7)
}

fn rows(count: usize) -> String {
    (0..count).map(row).collect()
}

/// A file that is refused: the error names it and says these words, and no figure has anything of it.
fn refused(stage: &Stage, file: &Path, words: &[&str]) {
    let before = stage.run.json(&["exposure", "totals", SLUG]);
    let output = stage.run.run(&["exposure", "import", SLUG, path(file)]);
    assert_eq!(output.status, 1, "{}\n{}\n{}", file.display(), output.stdout, output.stderr);
    let name = file.file_name().unwrap().to_str().unwrap();
    for word in words.iter().chain(&[name]) {
        assert!(output.stderr.contains(word), "`{word}` is not in: {}", output.stderr);
    }
    assert!(output.stderr.len() < 2_000, "an error is to be read: {}", output.stderr);
    assert_eq!(stage.run.json(&["exposure", "totals", SLUG]), before, "nothing is half counted");
    assert!(stage.run.csv(&["exposure", "manifests", SLUG]).iter().all(|row| row["file"] != name));
}

#[test]
fn a_file_that_breaks_off_or_explodes_leaves_nothing() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let good = stage.file("good.csv", &(HEADER.to_owned() + &rows(20)));
        stage.run.ok(&["exposure", "import", SLUG, path(&good)]);

        // Random enough that it does not pack to nothing, and long enough that parts of it are written before its end.
        let long: String = (0..60_000)
            .map(|n| {
                let digest = model::digest::sha256(format!("{n}").as_bytes());
                format!("{digest}/{n}.pdf,h{n}.org{}.example,p{n}@x.example,invoice,2020-01-02,10,p{n},u{n}\n", n % 997)
            })
            .collect();
        let packed = forms::gzip(&stage.file("long.csv", &(HEADER.to_owned() + &long))).unwrap();
        let bytes = std::fs::read(&packed).unwrap();
        let cut = stage.folder.path().join("cut.csv.gz");
        std::fs::write(&cut, &bytes[..bytes.len() - 40_000]).unwrap();
        refused(&stage, &cut, &["too early"]);
        stage.run.ok(&["exposure", "import", SLUG, path(&packed)]);
        assert_eq!(stage.run.json(&["exposure", "totals", SLUG])["rows"], 60_020);
    }
}

#[test]
fn a_zip_bomb_is_named_as_one() {
    let stage = Stage::new(Backend::Sqlite);
    let bomb = stage.folder.path().join("bomb.csv.gz");
    let mut out = flate2::write::GzEncoder::new(std::fs::File::create(&bomb).unwrap(), flate2::Compression::best());
    out.write_all(HEADER.as_bytes()).unwrap();
    let blank = vec![b'\n'; 1024 * 1024];
    for _ in 0..400 {
        out.write_all(&blank).unwrap();
    }
    out.finish().unwrap();
    refused(&stage, &bomb, &["bomb"]);
}

#[test]
fn oversized_and_misshapen_texts_say_where() {
    let stage = Stage::new(Backend::Sqlite);
    let cell = format!("{HEADER}{}\"{}\",a.example,,,,,,\n", rows(3), "x".repeat(10 * 1024 * 1024));
    refused(&stage, &stage.file("cell.csv", &cell), &["line 5", "1 MiB"]);
    let quote = format!("{HEADER}{}\"box/9.pdf,org.example,,,,,,\n{}", rows(3), rows(5));
    refused(&stage, &stage.file("quote.csv", &quote), &["line 5", "quotation mark"]);
    let columns: Vec<String> = (0..5_000).map(|n| format!("column_{n}")).collect();
    let wide = format!("{}\n{}\n", columns.join(","), ",".repeat(4_999));
    refused(&stage, &stage.file("wide.csv", &wide), &["no column", "domain"]);
    refused(&stage, &stage.file("lone.csv", &HEADER.replace("user_id", "domain")), &["domain", "more than once"]);
    refused(&stage, &stage.file("nothing.csv", ""), &["empty"]);
    refused(&stage, &stage.file("array.json", "[{\"domain\":\"a.example\"}]"), &["JSON array"]);
    let damaged = stage.folder.path().join("damaged.parquet");
    std::fs::write(&damaged, b"PAR1\x00\x01\x02\x03 not a table PAR1").unwrap();
    refused(&stage, &damaged, &["Parquet"]);
}

#[test]
fn nul_bytes_and_wide_tables_spoil_what_they_are_in_and_no_more() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let text = format!(
            "{HEADER}{}box/\0.pdf,org1.example,,invoice,2020-01-02,10,p,u\nbox/x.pdf,org\0.example,,invoice,2020-01-02,10,p,u\n",
            rows(50)
        );
        let file = stage.file("nul.csv", &text);
        assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&file)]).status, 3);
        let totals = stage.run.json(&["exposure", "totals", SLUG]);
        assert_eq!((&totals["accepted_rows"], &totals["rejected_bad_domain"]), (&51.into(), &1.into()));
        assert_eq!(totals["rows_with_invalid_field"], 1);
        assert_eq!(totals["objects"], 50);
    }
}

#[test]
fn a_parquet_file_with_the_wrong_types_names_column_and_type() {
    let stage = Stage::new(Backend::Sqlite);
    let file = stage.folder.path().join("wrong.parquet");
    write_wrong_types(&file);
    refused(&stage, &file, &["size_bytes", "DOUBLE"]);
}

fn write_wrong_types(file: &Path) {
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
    let texts = ["object_path", "domain", "email", "data_type", "document_date", "project_id", "user_id"];
    let fields: String = texts.iter().map(|name| format!("required binary {name} (UTF8); ")).collect();
    let schema = format!("message m {{ {fields}required double size_bytes; }}");
    let schema = parquet::schema::parser::parse_message_type(&schema).unwrap();
    let out = std::fs::File::create(file).unwrap();
    let mut writer = parquet::file::writer::SerializedFileWriter::new(out, schema.into(), Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for text in texts {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(text)], None, None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[1.5], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn ten_thousand_malformed_rows_are_exactly_those_reported_with_their_lines() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let (mut text, mut bad) = (HEADER.to_owned(), Vec::new());
        let mut line = 1;
        for n in 0..30_000_usize {
            line += 1;
            match n % 9 {
                1 => {
                    text.push_str("too,few\n");
                    bad.push((line, "columns", "too,few".to_owned()));
                }
                4 => {
                    let raw = format!("box/{n}.pdf,no_host_{n},,invoice,,,,");
                    text.push_str(&format!("{raw}\n"));
                    bad.push((line, "bad_domain", raw));
                }
                7 => {
                    // Two physical lines, and the next row begins after both.
                    let raw = format!("\"box/\n{n}.pdf\",,nobody,invoice,,,,");
                    text.push_str(&format!("{raw}\n"));
                    bad.push((line, "no_domain", raw));
                    line += 1;
                }
                _ => text.push_str(&row(n)),
            }
        }
        assert!(bad.len() >= 9_999, "{}", bad.len());
        let file: PathBuf = stage.file("m.csv", &text);
        assert_eq!(stage.run.run(&["exposure", "import", SLUG, path(&file)]).status, 3);
        let rejects = stage.run.csv(&["exposure", "rejects", SLUG]);
        let seen: Vec<(usize, &str, String)> = rejects
            .iter()
            .map(|row| (row["line"].parse().unwrap(), row["reason"].as_str(), row["raw"].clone()))
            .collect();
        assert_eq!(seen.len(), bad.len());
        for (seen, expected) in seen.iter().zip(&bad) {
            assert_eq!(seen, expected);
        }
    }
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let stage = Stage::new(Backend::Sqlite);
    let first = stage.file("first.csv", &(HEADER.to_owned() + &rows(3)));
    let bad = stage.file("bad.csv", "no,columns,of,ours\n1,2,3,4\n");
    let last = stage.file("last.csv", &(HEADER.to_owned() + &row(9)));
    let output = stage.run.run(&["exposure", "import", SLUG, path(&first), path(&bad), path(&last), "--json"]);
    assert_eq!(output.status, 1);
    let said: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&said[0]["file"], &said[1]["file"]), (&"first.csv".into(), &"last.csv".into()));
    assert!(
        output.stderr.contains("bad.csv") && output.stderr.contains("1 of 3 files were not counted"),
        "{}",
        output.stderr
    );
    assert_eq!(stage.run.json(&["exposure", "totals", SLUG])["rows"], 4);
}
