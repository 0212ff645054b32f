//! Scans a local folder of real files: what is found, what is not read and why, and that nothing else comes out.
//!
//! Does not test the rules of the finder (its own tests do).
#![cfg(feature = "object-store")]
#![expect(clippy::unwrap_used, reason = "builders of tests may fail")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sources::scan::{Credentials, Progress, Reason, ScanError, ScanOptions, Scanned, scan};

#[path = "scan/azure.rs"]
mod azure;
#[path = "scan/files.rs"]
mod files;
#[path = "scan/kinds.rs"]
mod kinds;
#[path = "scan/s3.rs"]
mod s3;

use files::zip;

/// Options that see nothing of this process's environment.
fn options() -> ScanOptions {
    let mut options = ScanOptions::default();
    options.credentials = Credentials::default();
    options
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

async fn scan_url(url: &str, options: &ScanOptions) -> (Scanned, String) {
    let mut out = Vec::new();
    let scanned = scan(url, options, &mut out, &mut |_| {}).await.unwrap();
    let listed = scanned.read + scanned.skipped.values().map(|tally| tally.objects).sum::<u64>();
    assert_eq!(listed, scanned.listed, "every object ends in one count: {scanned:?}");
    (scanned, String::from_utf8(out).unwrap())
}

async fn scan_path(path: &Path, options: &ScanOptions) -> (Scanned, String) {
    scan_url(path.to_str().unwrap(), options).await
}

/// `path address-or-host kind` of each row.
fn rows(manifest: &str) -> Vec<String> {
    let row = |line: &str| {
        let row: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
        for field in row.keys() {
            assert!(model::intake::RawRow::FIELDS.contains(&field.as_str()), "{field}");
        }
        let text = |field: &str| row.get(field).and_then(Value::as_str);
        let name = text("email").or(text("domain")).unwrap();
        format!("{} {name} {}", text("object_path").unwrap(), text("data_type").unwrap_or("-"))
    };
    manifest.lines().map(row).collect()
}

#[tokio::test]
async fn a_folder_gives_a_manifest_in_the_order_of_its_paths() {
    let folder = folder(&[
        ("b/Invoices/1.csv", b"id,email\n1,Mia@Acme.example\n2,otto@acme.example\n3,mia@acme.example\n"),
        ("b-c/x.txt", b"https://portal.acme.example/x"),
        ("a.txt", b"nothing"),
        ("empty.txt", b""),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("old.zip", &zip(&[("a.txt", b"mia@acme.example")])),
    ]);
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_660_000_000);
    fs::File::open(folder.path().join("b-c/x.txt")).unwrap().set_modified(time).unwrap();
    let (scanned, manifest) = scan_path(folder.path(), &options()).await;
    assert_eq!(
        rows(&manifest),
        [
            "b-c/x.txt portal.acme.example -",
            "b/Invoices/1.csv mia@acme.example invoice",
            "b/Invoices/1.csv otto@acme.example invoice",
        ]
    );
    assert_eq!(
        manifest.lines().next().unwrap(),
        r#"{"object_path":"b-c/x.txt","domain":"portal.acme.example","document_date":"2022-08-08","size_bytes":29}"#
    );
    assert_eq!((scanned.listed, scanned.read, scanned.without_findings, scanned.rows), (6, 4, 2, 3));
    assert_eq!(scanned.skipped.keys().copied().collect::<Vec<_>>(), [Reason::UnknownKind, Reason::Archive]);
    assert_eq!(scanned.skipped[&Reason::Archive].examples, ["old.zip"]);
    assert!(scanned.incomplete.is_empty());
}

#[tokio::test]
async fn what_comes_out_is_a_manifest() {
    let files = folder(&[("Invoices/\"1\" ä\\.csv", b"mia@acme.example https://acme.example/")]);
    let (scanned, manifest) = scan_path(files.path(), &options()).await;
    let written = folder(&[("scan.jsonl", manifest.as_bytes())]);
    let mut manifest =
        sources::Manifest::open(&written.path().join("scan.jsonl"), &sources::Options::default()).unwrap();
    let mut paths = Vec::new();
    while let Some(record) = manifest.next_record().unwrap() {
        let sources::Record::Row { row, .. } = record else { panic!("{record:?}") };
        let row = model::intake::read_row(&row, model::taxonomy::Taxonomy::builtin()).unwrap();
        paths.push((row.host.to_string(), row.object_path.unwrap().to_string()));
    }
    let path = "Invoices/\"1\" ä\\.csv".to_owned();
    assert_eq!(paths, [("acme.example".to_owned(), path.clone()), ("acme.example".to_owned(), path)]);
    assert_eq!(scanned.rows, 2);
}

#[tokio::test]
async fn scanning_twice_or_with_other_concurrency_gives_the_same_bytes() {
    let names: Vec<String> = (0..40).map(|at| format!("d{}/f{at}.txt", at % 7)).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"b@b.example a@a.example"[..])).collect();
    let folder = folder(&files);
    let mut one = options();
    one.concurrency = 1;
    one.limits.memory_bytes = 1;
    let once = scan_path(folder.path(), &options()).await;
    assert_eq!(scan_path(folder.path(), &options()).await, once);
    assert_eq!(scan_path(folder.path(), &one).await, once);
    assert_eq!(once.0.rows, 80);
    let url = format!("file://{}", folder.path().display());
    assert_eq!(scan_url(&url, &options()).await, once);
}

#[tokio::test]
async fn a_prefix_keeps_the_paths_of_containers_apart() {
    let folder = folder(&[("a.txt", b"mia@acme.example")]);
    let mut options = options();
    options.path_prefix = "exports/".to_owned();
    assert_eq!(rows(&scan_path(folder.path(), &options).await.1), ["exports/a.txt mia@acme.example -"]);
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_names_that_no_row_can_hold_are_counted_and_not_followed() {
    use std::os::unix::ffi::OsStrExt;
    let outside = folder(&[("secret.txt", b"mia@a.example")]);
    let folder = folder(&[("a#1", b"otto@a.example")]);
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink(outside.path(), at("folder")).unwrap();
    std::os::unix::fs::symlink(folder.path(), at("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("broken")).unwrap();
    fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.txt")), "x").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let (scanned, manifest) = scan_path(folder.path(), &options()).await;
    assert_eq!(rows(&manifest), ["a#1 otto@a.example -"]);
    let count = |reason| scanned.skipped.get(&reason).map_or(0, |tally| tally.objects);
    assert_eq!((count(Reason::Link), count(Reason::NotAFile), count(Reason::BadName)), (3, 1, 1));
}

#[tokio::test]
async fn a_folder_that_is_not_there_says_so() {
    let folder = folder(&[("a.txt", b"x")]);
    let failed = async |path: &Path| {
        let failed = scan(path.to_str().unwrap(), &options(), &mut Vec::new(), &mut |_| {}).await;
        failed.unwrap_err().to_string().replace(folder.path().to_str().unwrap(), "DIR")
    };
    assert_eq!(
        failed(&folder.path().join("b")).await,
        "cannot scan DIR/b: there is no such folder; check the name, and the folder it is looked for in"
    );
    assert_eq!(
        failed(&folder.path().join("a.txt")).await,
        "cannot scan DIR/a.txt: it is not a folder; name the folder it lies in"
    );
}

#[tokio::test]
async fn too_many_objects_and_a_full_disk_end_the_scan() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = folder(&[("a.txt", b"a@a.example"), ("b.txt", b"x")]);
    let url = folder.path().to_str().unwrap();
    let mut few = options();
    few.limits.objects = 1;
    let failed = scan(url, &few, &mut Vec::new(), &mut |_| {}).await;
    assert!(matches!(failed, Err(ScanError::TooManyObjects { limit: 1, .. })), "{failed:?}");
    let failed = scan(url, &options(), &mut Full, &mut |_| {}).await;
    assert!(matches!(failed, Err(ScanError::Write(_))), "{failed:?}");
}

#[tokio::test]
async fn progress_counts_up_to_all_objects() {
    let folder = folder(&[("a.txt", b"a@a.example"), ("b.txt", b"x")]);
    let mut seen = Vec::new();
    let (mut out, options) = (Vec::new(), options());
    let mut note = |progress| seen.push(progress);
    let future = scan(folder.path().to_str().unwrap(), &options, &mut out, &mut note);
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    is_send(future).await.unwrap();
    assert_eq!(seen.first(), Some(&Progress::Listing { objects: 2 }));
    assert!(matches!(seen.last(), Some(Progress::Reading { done: 2, objects: 2, bytes: 12, rows: 1, .. })), "{seen:?}");
}

#[test]
fn keys_are_never_printed() {
    let variables = [("AWS_SECRET_ACCESS_KEY", "s3cret"), ("HOME", "/root")];
    let credentials = Credentials::of(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(format!("{credentials:?}"), r#"{"AWS_SECRET_ACCESS_KEY"}"#);
}
