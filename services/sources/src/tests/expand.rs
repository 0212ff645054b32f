//! Folders and manifests of inventories as people copy them from a storage account.

use super::packed::gzip;
use super::*;
use crate::{Expanded, Preset, expand};

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn expanded(folder: &tempfile::TempDir, names: &[&str]) -> Result<Expanded, SourceError> {
    expand(&names.iter().map(|name| folder.path().join(name)).collect::<Vec<_>>())
}

/// The files' paths within the folder.
fn names(folder: &tempfile::TempDir, expanded: &Expanded) -> Vec<String> {
    let root = fs::canonicalize(folder.path()).unwrap();
    let name = |path: &Path| fs::canonicalize(path).unwrap().strip_prefix(&root).unwrap().display().to_string();
    expanded.inputs.iter().map(|input| name(&input.path)).collect()
}

#[test]
fn a_folder_stands_for_the_files_below_it_in_the_order_of_their_names() {
    let files: [(&str, &[u8]); 7] = [
        ("in/b.csv", b""),
        ("in/B.csv", b""),
        ("in/a/2.csv", b""),
        ("in/a/1.csv", b""),
        ("in/.hidden/x.csv", b""),
        ("in/_SUCCESS", b""),
        ("first.csv", b""),
    ];
    let folder = folder(&files);
    let got = expanded(&folder, &["first.csv", "in", "in/b.csv"]).unwrap();
    assert_eq!(names(&folder, &got), ["first.csv", "in/B.csv", "in/a/1.csv", "in/a/2.csv", "in/b.csv"]);
    assert_eq!(got.notes, ["side files that are left out: 2 (.hidden, _SUCCESS)"]);
}

#[test]
fn a_folder_without_files_is_refused() {
    let empty = folder(&[]);
    let error = expanded(&empty, &[""]).unwrap_err().to_string();
    assert!(error.contains("there is none in it or below"), "{error}");
    let hidden = folder(&[("a/.x", b"")]);
    let error = expanded(&hidden, &[""]).unwrap_err().to_string();
    assert!(error.contains("only side files in it (.x); name a folder"), "{error}");
    assert!(matches!(expanded(&empty, &["none"]), Err(SourceError::NotFound { .. })));
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_is_left_out_and_one_to_a_file_is_read() {
    let folder = folder(&[("in/a.csv", b""), ("x.csv", b"")]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("in/circle")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("x.csv"), folder.path().join("in/link.csv")).unwrap();
    let got = expanded(&folder, &["in"]).unwrap();
    assert_eq!(names(&folder, &got), ["in/a.csv", "x.csv"]);
    assert_eq!(got.notes, ["side files that are left out: 1 (circle)"]);
}

const KEY: &str = "prefix/source/daily/data/1f.csv.gz";

/// An S3 inventory as it is copied with `aws s3 cp --recursive`.
fn s3(manifest: &str, data: &[u8]) -> tempfile::TempDir {
    let at = "source/daily/2022-09-24T00-00Z/manifest.json";
    folder(&[
        (at, manifest.as_bytes()),
        ("source/daily/2022-09-24T00-00Z/manifest.checksum", b"x"),
        ("source/daily/hive/dt=2022-09-24-00-00/symlink.txt", b"s3://"),
        ("source/daily/data/1f.csv.gz", data),
    ])
}

fn s3_manifest(format: &str, size: usize, md5: &str) -> String {
    let schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate";
    serde_json::json!({
        "sourceBucket": "source",
        "destinationBucket": "arn:aws:s3:::inventories",
        "version": "2016-11-30",
        "creationTimestamp": "1663977600000",
        "fileFormat": format,
        "fileSchema": schema,
        "files": [{"key": KEY, "size": size, "MD5checksum": md5}],
    })
    .to_string()
}

fn md5(data: &[u8]) -> String {
    crate::digest::md5(&given("d", data).path()).unwrap()
}

#[test]
fn a_manifest_of_s3_stands_for_its_files_and_says_their_columns() {
    let data =
        gzip("\"source\",\"a.example/my+file.pdf\",\"v1\",\"true\",\"false\",\"12\",\"2022-09-01T10:00:00.000Z\"\n");
    let folder = s3(&s3_manifest("CSV", data.len(), &md5(&data)), &data);
    for name in ["source", "source/daily/2022-09-24T00-00Z/manifest.json"] {
        let got = expanded(&folder, &[name]).unwrap();
        assert_eq!(names(&folder, &got), ["source/daily/data/1f.csv.gz"]);
        let rule = Some(model::path_rule::PathRule::parse("source/{domain}/**").unwrap());
        let options = got.inputs[0].options(&Options { path_rule: rule, ..Options::default() });
        assert_eq!(options.preset, Preset::S3Inventory);
        let mut manifest = Manifest::open(&got.inputs[0].path, &options).unwrap();
        let Some(Record::Row { line, row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
        assert_eq!(line, 1);
        assert_eq!(row.object_path, Field::from("source/a.example/my file.pdf"));
        assert_eq!((row.domain, row.size_bytes), (Field::from("a.example"), Field::from("12")));
        assert_eq!(row.document_date, Field::from("2022-09-01T10:00:00.000Z"));
    }
}

#[test]
fn a_listed_file_that_is_missing_or_another_is_an_error_before_anything_is_read() {
    let data = gzip("x");
    let error = |manifest: &str| {
        let error = expanded(&s3(manifest, &data), &["source"]).unwrap_err().to_string();
        assert!(error.contains("manifest.json"), "{error}");
        error
    };
    let (size, sum) = (data.len(), md5(&data));
    assert!(error(&s3_manifest("CSV", size + 1, &sum)).contains("which has"));
    assert!(error(&s3_manifest("CSV", size, "00")).contains("the MD5 that it states is not that of"));
    let missing = s3_manifest("CSV", size, &sum).replace("1f.csv.gz", "2f.csv.gz");
    assert!(error(&missing).contains("of its 1 files 1 are not there, first prefix/source/daily/data/2f.csv.gz"));
    assert!(error(&s3_manifest("ORC", size, &sum)).contains("are ORC, which is not read; choose CSV or Parquet"));
    let none = r#"{"fileFormat":"CSV","fileSchema":"Bucket, Key","files":[]}"#;
    assert!(error(none).contains("it lists no files"));
    assert!(error(&s3_manifest("CSV", size, &sum)[..300]).contains("it is damaged; copy it again"));
}

/// The files of a manifest with that key in that folder, or what is wrong with it.
fn looked_up(folder: &tempfile::TempDir, at: &str, key: &str) -> Result<Vec<String>, String> {
    let manifest = folder.path().join(at).join("manifest.json");
    fs::create_dir_all(manifest.parent().unwrap()).unwrap();
    fs::write(&manifest, s3_manifest("CSV", 1, &md5(b"x")).replace(KEY, key)).unwrap();
    expand(&[manifest]).map(|got| names(folder, &got)).map_err(|error| error.to_string())
}

#[test]
fn a_key_that_climbs_or_starts_at_the_root_is_refused() {
    let folder = folder(&[("secret.csv", b"x")]);
    let absolute = folder.path().join("secret.csv").display().to_string();
    for key in ["../secret.csv", "a/../../secret.csv", "/etc/passwd", &absolute] {
        let error = looked_up(&folder, "in", key).unwrap_err();
        let expect = format!("its key {key:?} leads out of the inventory; look at where the manifest comes from");
        assert!(error.contains(&expect), "{error}");
    }
}

#[test]
fn a_key_is_looked_for_where_the_bucket_was_copied_to() {
    let file = "copied/prefix/source/daily/data/1f.csv.gz";
    let folder = folder(&[(file, b"x")]);
    let root = "copied/prefix/source/daily";
    for at in [root.to_owned(), format!("{root}/2022"), format!("{root}/data"), format!("{root}/2022/09/24")] {
        assert_eq!(looked_up(&folder, &at, KEY).as_deref(), Ok(&[file.to_owned()][..]), "{at}");
    }
}

#[test]
fn a_file_that_happens_to_lie_in_a_folder_above_the_inventory_is_not_the_one_of_a_key() {
    let folder =
        folder(&[("data/1f.csv.gz", b"x"), ("prefix/source/daily/data/1f.csv.gz", b"x"), ("in/1f.csv.gz", b"x")]);
    for at in ["in/daily/2022", "prefix/other/daily/2022", "prefix/2022/09"] {
        let error = looked_up(&folder, at, KEY).unwrap_err();
        assert!(error.contains("of its 1 files 1 are not there"), "{at}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_of_the_inventory_is_refused_and_one_within_is_followed() {
    let folder = folder(&[("secret.csv", b"x"), ("in/data/real.csv", b"x")]);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(folder.path().join(to), folder.path().join(name));
    link("secret.csv", "in/data/out.csv").unwrap();
    link("in/data/real.csv", "in/data/within.csv").unwrap();
    let error = looked_up(&folder, "in/2022", "daily/data/out.csv").unwrap_err();
    assert!(error.contains("out.csv is a link that leads out of"), "{error}");
    assert_eq!(looked_up(&folder, "in/2022", "daily/data/within.csv"), Ok(vec!["in/data/real.csv".to_owned()]));
}

#[test]
fn a_manifest_of_azure_stands_for_its_files() {
    let csv = b"Name,Content-Length\nc/a.example/x,1\n";
    let manifest = serde_json::json!({
        "destinationContainer": "inventory",
        "endpoint": "https://account.blob.core.windows.net",
        "files": [{"blob": "2022/09/24/10-00-00/Rule_1/Rule_1.csv", "size": csv.len()}],
        "ruleDefinition": {"format": "csv", "objectType": "blob", "schemaFields": ["Name", "Content-Length"]},
        "ruleName": "Rule_1",
        "status": "Succeeded",
    });
    let at = "2022/09/24/10-00-00/Rule_1";
    let files = [
        (format!("{at}/Rule_1.csv"), csv.to_vec()),
        (format!("{at}/Rule_1-manifest.json"), manifest.to_string().into()),
    ];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let folder = folder(&files);
    let got = expanded(&folder, &["2022"]).unwrap();
    assert_eq!(names(&folder, &got), [format!("{at}/Rule_1.csv")]);
    assert_eq!(got.inputs[0].options(&Options::default()).preset, Preset::AzureInventory);
}

#[test]
fn a_manifest_of_something_else_is_a_file_like_others() {
    let folder = folder(&[("in/manifest.json", br#"{"name":"app"}"#)]);
    assert_eq!(names(&folder, &expanded(&folder, &["in"]).unwrap()), ["in/manifest.json"]);
}
