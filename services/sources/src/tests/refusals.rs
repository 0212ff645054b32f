//! Files that cannot be read: each refusal names the file and the next step.

use super::*;

fn check(name: &'static str, content: impl AsRef<[u8]>, expect: &[&str]) {
    let given = given(name, content);
    let error = shape(&given.path(), &Options::default()).unwrap_err().to_string();
    for part in expect.iter().copied().chain([name]) {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

#[test]
fn a_file_that_is_not_there_or_a_directory_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.csv");
    assert!(matches!(shape(&missing, &Options::default()), Err(SourceError::NotFound { path }) if path == missing));
    assert!(matches!(shape(folder.path(), &Options::default()), Err(SourceError::Directory { .. })));
    assert!(matches!(digest(folder.path()), Err(SourceError::Directory { .. })));
    assert!(matches!(digest(&missing), Err(SourceError::NotFound { .. })));
    assert!(matches!(read_list(&missing), Err(SourceError::NotFound { .. })));
}

#[test]
fn a_file_of_nothing_is_empty() {
    check("m.csv", "", &["it is empty", "export ran to its end"]);
    check("m.csv", "\u{feff}", &["it is empty"]);
    check("m.jsonl", " \n\t\n", &["it is empty"]);
}

#[test]
fn what_is_not_text_is_called_by_its_name() {
    check("m.csv.bz2", b"BZh91AY&SY\xd8rest", &["is bzip2-compressed: unpack it first (bunzip2)"]);
    check("m.csv.xz", b"\xfd7zXZ\0rest", &["is xz-compressed: unpack it first (unxz)"]);
    check("m.zip", b"PK\x03\x04rest", &["is a zip archive", "unpack it first"]);
    check("m.orc", b"ORC\x11rest", &["is an ORC file", "choose CSV or Parquet"]);
    check("m.csv", b"\xff\xfe\0\0a\0\0\0", &["is UTF-32 text: save it as UTF-8"]);
    check("m.bin", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0", &["is a binary file"]);
    let mut tar = vec![b'x'; 512];
    tar[257..262].copy_from_slice(b"ustar");
    check("m.tar", tar, &["is a tar archive", "name the folder"]);
}

#[test]
fn text_of_another_kind_is_called_by_its_name() {
    check("m.json", "[{\"domain\":\"a\"}]", &["is a JSON array", "an object a line"]);
    check("m.csv", "<html>", &["is XML or HTML", "--format csv"]);
}

#[test]
fn missing_columns_are_named_with_what_there_is_and_what_to_do() {
    let expect =
        ["no column email, user_id (it has: object_path, domain, mail,", "--map COLUMN=FIELD", "--without FIELD"];
    check("m.csv", HEADER.replace("email", "mail").replace("user_id", "user"), &expect);
    let table = Table::open(&given("t.csv", "a,b\n").path(), &["tenant_id"], &[]).unwrap_err().to_string();
    assert!(table.contains("no column tenant_id (it has: a, b); rename"), "{table}");
    let options = Options { columns: vec![("mail".to_owned(), "email".to_owned())], ..Options::default() };
    let error = refusal(HEADER, &options).to_string();
    assert!(error.contains("no column mail (for email)"), "{error}");
}

#[test]
fn json_lines_without_any_wanted_member_are_refused_at_their_end() {
    let expect = [
        "none of its objects has a member that is wanted (object_path, domain, email,",
        "and its first object has: host, path;",
        "--map NAME=FIELD",
    ];
    check("m.jsonl", "{\"path\":\"x\",\"host\":\"a.example\"}\n{\"path\":\"y\"}\n", &expect);
    check("m.jsonl", "{}\n[1]\n", &["its first object has: none;"]);
    let many: Vec<String> = (10..30).map(|at| format!("\"m{at}\":1")).collect();
    check("m.jsonl", format!("[1]\n{{{}}}\n", many.join(",")), &["has: m10, m11,", "m19, …;"]);
}

#[test]
fn json_lines_with_a_wanted_member_anywhere_keep_their_rejects() {
    check_shape("m.jsonl", "{\"host\":1}\n[1]\n{\"path\":1,\"email\":null}\n", "r1 m2 r3");
    check_shape("m.jsonl", "{\"host\":1}\n{\"domain\":\"a.example\"\n", "r1 m2");
    let mapped = Options { columns: vec![("host".to_owned(), "domain".to_owned())], ..Options::default() };
    assert_eq!(shape(&given("m.jsonl", "{\"host\":1}\n").path(), &mapped).unwrap(), "r1");
}

#[test]
fn a_file_without_any_json_object_in_a_line_is_no_json_lines() {
    let expect = ["as JSON Lines: none of its lines is one JSON object", "pretty-printed", "jq -c .", "--format csv"];
    check("m.json", "{\n  \"domain\": \"a.example\",\n  \"email\": null\n}\n", &expect);
    check("m.jsonl", HEADER, &expect);
}

#[test]
fn a_column_that_is_there_twice_is_refused() {
    check("m.csv", HEADER.replace("user_id", "email"), &["column email more than once"]);
}

#[test]
fn options_that_name_no_field_or_one_twice_are_refused() {
    let map = |columns: &[(&str, &str)], absent: &[&str]| {
        let columns = columns.iter().map(|(column, field)| ((*column).to_owned(), (*field).to_owned())).collect();
        let absent = absent.iter().map(|field| (*field).to_owned()).collect();
        refusal(HEADER, &Options { columns, absent, ..Options::default() }).to_string()
    };
    assert!(map(&[("x", "host")], &[]).contains("--map cannot take the field \"host\": there is no such field"));
    assert!(map(&[("x", "email"), ("y", "email")], &[]).contains("it is given twice"));
    assert!(map(&[], &["mail"]).contains("--without cannot take the field \"mail\""));
    assert!(map(&[("x", "email")], &["email"]).contains("--map names a column for it"));
}

#[test]
fn a_record_without_end_is_refused_with_its_line() {
    let open_quote = format!("{HEADER}1,2,3,4,5,6,7,8\n\"1,2,3,4,5,6,7,8\n") + &"1,2,3,4,5,6,7,8\n".repeat(100_000);
    check("m.csv", open_quote, &["begins in line 3 is longer than 1 MiB", "quotation mark"]);
    let one_line = format!("{HEADER}{}", "x".repeat(2_000_000));
    check("m.csv", one_line, &["begins in line 2 is longer than 1 MiB"]);
    check("m.jsonl", format!("{{}}\n{}", "x".repeat(2_000_000)), &["begins in line 2"]);
    let short = format!("{HEADER}\"1,2,3,4,5,6,7,8\n1,2,3,4,5,6,7,8\n");
    check("m.csv", short, &["opened in the record that begins in line 2 is not closed"]);
}

#[test]
fn a_record_of_one_mebibyte_is_still_one() {
    let row = format!("{},2,3,4,5,6,7,8\n", "x".repeat(1024 * 1024 - 14));
    assert_eq!(row.len(), 1024 * 1024 + 1);
    check("m.csv", format!("{HEADER}{row}"), &["longer than 1 MiB"]);
    check_shape("m.csv", format!("{HEADER}{}", &row[1..]), "r2");
}

#[test]
fn a_list_that_is_not_utf_8_names_the_line() {
    let error = read_list(&given("l.txt", b"a.example\nm\xfcller.example\n").path()).unwrap_err().to_string();
    assert!(error.contains("line 2 is not UTF-8"), "{error}");
}
