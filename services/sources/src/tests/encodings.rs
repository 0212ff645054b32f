//! Texts in the encodings that spreadsheets and old exports write.

use super::*;

/// A manifest of two rows, the first over two lines.
const TEXT: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\r\n\
    \"Verträge\n2021\",a.example,c,d,e,1,f,g\r\nné,b.example,c,d,e,2,f,😀\r\n";

fn utf16(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = mark.then_some(0xFEFF);
    mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}

/// Lines, paths and users of the rows; raw texts are UTF-8.
fn check(content: impl AsRef<[u8]>, options: &Options, encoding: &str, expect: &[(u64, &str, &str)]) {
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), options).unwrap();
    let described = manifest.described().to_string();
    assert!(described.starts_with(&format!("CSV, ',' between columns, {encoding}")), "{described}");
    let said = manifest.notes().iter().any(|note| note.contains(encoding));
    assert_eq!(said, encoding != "UTF-8", "{:?}", manifest.notes());
    let mut got = Vec::new();
    while let Some(record) = manifest.next_record().unwrap() {
        let Record::Row { line, raw, row } = record else { panic!("{record:?}") };
        assert!(std::str::from_utf8(raw).is_ok());
        got.push((line, format!("{:?}", row.object_path), format!("{:?}", row.user_id)));
    }
    let expect: Vec<_> = expect.iter().map(|(line, path, user)| (*line, text(path), text(user))).collect();
    assert_eq!(got, expect);
    assert_eq!(manifest.bytes_read(), fs::metadata(given.path()).unwrap().len());
}

const BOTH: [(u64, &str, &str); 2] = [(2, "Verträge\n2021", "g"), (4, "né", "😀")];

#[test]
fn utf_16_is_read_with_and_without_its_mark() {
    let auto = Options::default();
    check(utf16(TEXT, true, u16::to_le_bytes), &auto, "UTF-16LE", &BOTH);
    check(utf16(TEXT, true, u16::to_be_bytes), &auto, "UTF-16BE", &BOTH);
    check(utf16(TEXT, false, u16::to_le_bytes), &auto, "UTF-16LE", &BOTH);
    check(utf16(TEXT, false, u16::to_be_bytes), &auto, "UTF-16BE", &BOTH);
    check(TEXT, &auto, "UTF-8", &BOTH);
    check(format!("\u{feff}{TEXT}"), &auto, "UTF-8", &BOTH);
}

#[test]
fn latin_1_is_found_out_and_said() {
    let text = TEXT.replace('😀', "ÿ");
    let expect = [BOTH[0], (4, "né", "ÿ")];
    check(latin1(&text), &Options::default(), "Windows-1252", &expect);
}

#[test]
fn an_encoding_that_is_stated_is_used() {
    let options = |encoding| Options { encoding, ..Options::default() };
    check(utf16(TEXT, false, u16::to_be_bytes), &options(Encoding::Utf16Be), "UTF-16BE", &BOTH);
    let rows = format!("{HEADER}Ã¤,b.example,c,d,e,2,f,g\n");
    check(latin1(&rows), &options(Encoding::Latin1), "Windows-1252", &[(2, "Ã¤", "g")]);
    check(latin1(&rows), &options(Encoding::Auto), "UTF-8", &[(2, "ä", "g")]);
}

#[test]
fn utf_8_with_a_damaged_place_stays_utf_8_and_loses_that_field_only() {
    let content = [HEADER.as_bytes(), "ä,a.example,ö,d,e,1,f,".as_bytes(), b"\xff\n"].concat();
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), &Options::default()).unwrap();
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    assert_eq!((row.object_path, row.user_id), (Field::from("ä"), Field::Invalid));
}

#[test]
fn bytes_of_no_encoding_after_the_first_64_kib_make_their_field_invalid() {
    // Windows-1252 has no character 0x81.
    let row = "p,a.example,c,d,e,1,f,g\n";
    let mut content = HEADER.to_owned() + &row.repeat(4000);
    let late = content.len();
    content.push_str("p,a.example,c,d,e,1,f,X\n");
    let mut content = content.into_bytes();
    content[late + 22] = 0x81;
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), &Options::default()).unwrap();
    let mut invalid = Vec::new();
    while let Some(record) = manifest.next_record().unwrap() {
        let Record::Row { line, row, .. } = record else { panic!("{record:?}") };
        if row.user_id == Field::Invalid {
            invalid.push(line);
        }
    }
    assert_eq!(invalid, [4002]);
    let note = "records with bytes that are not UTF-8, whose fields are invalid: 1; if the file is Latin-1, say --encoding latin1";
    assert_eq!(manifest.notes(), [note]);
}

/// A manifest whose first character beyond ASCII comes after so many rows, in the row of the user `é`, which is the last
/// but one.
fn late(rows: usize) -> String {
    let row = |user| format!("p,a.example,c,d,e,1,f,{user}\n");
    HEADER.to_owned() + &row("g").repeat(rows) + &row("é") + &row("g")
}

/// Lines and users of rows, and notes.
type Users = (Vec<(u64, String)>, Vec<String>);

/// The rows whose user is not `g`.
fn late_users(path: &Path, options: &Options) -> Result<Users, SourceError> {
    let mut manifest = Manifest::open(path, options)?;
    let mut users = Vec::new();
    while let Some(record) = manifest.next_record()? {
        let Record::Row { line, row, .. } = record else { panic!("{record:?}") };
        if row.user_id != Field::from("g") {
            users.push((line, format!("{:?}", row.user_id)));
        }
    }
    assert_eq!(manifest.bytes_read(), fs::metadata(path).map_or(0, |about| about.len()));
    Ok((users, manifest.notes().to_vec()))
}

#[test]
fn latin_1_that_begins_after_the_first_64_kib_is_found_out_and_said() {
    // Right behind what is looked at first, in the first reading behind it, and some readings later.
    for rows in [2727, 4000, 40_000] {
        let file = given("m.csv", latin1(&late(rows)));
        let (users, notes) = late_users(&file.path(), &Options::default()).unwrap();
        assert_eq!(users, [(rows as u64 + 2, text("é"))]);
        let note = "the text is read as Windows-1252 (Latin-1), found out from its first characters beyond ASCII; --encoding says another";
        assert_eq!(notes, [note]);
    }
}

#[test]
fn utf_8_that_begins_after_the_first_64_kib_stays_utf_8() {
    for rows in [2727, 4000, 40_000] {
        let file = given("m.csv", late(rows));
        let expect = (vec![(rows as u64 + 2, text("é"))], Vec::new());
        assert_eq!(late_users(&file.path(), &Options::default()).unwrap(), expect);
    }
}

#[test]
fn latin_1_that_begins_late_in_a_packed_file_is_refused_at_its_end_unless_the_encoding_is_stated() {
    for packed in [super::packed::gzip(latin1(&late(4000))), super::packed::zstd(latin1(&late(40_000)))] {
        let line = if packed.starts_with(b"\x1f") { 4002 } else { 40_002 };
        let file = given("m.csv.packed", packed);
        let error = late_users(&file.path(), &Options::default()).unwrap_err();
        assert!(matches!(error, SourceError::NotUtf8Late { invalid: 1, valid: 0, .. }), "{error}");
        let said = error.to_string();
        for part in ["m.csv.packed", &format!("first in line {line},"), "--encoding latin1", "--encoding utf-8"] {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
        let options = |encoding| Options { encoding, ..Options::default() };
        let (users, _) = late_users(&file.path(), &options(Encoding::Latin1)).unwrap();
        assert_eq!(users, [(line, text("é"))]);
        let (users, notes) = late_users(&file.path(), &options(Encoding::Utf8)).unwrap();
        assert_eq!(users, [(line, "Invalid".to_owned())]);
        assert!(notes[0].contains("whose fields are invalid: 1"), "{notes:?}");
    }
}

#[test]
fn a_packed_file_with_a_damaged_place_and_more_whole_characters_is_read() {
    let mut content = late(4000).into_bytes();
    content.extend(b"p,a.example,c,d,e,1,f,\xE4\n");
    let file = given("m.csv.gz", super::packed::gzip(content));
    let (users, _) = late_users(&file.path(), &Options::default()).unwrap();
    assert_eq!(users, [(4002, text("é")), (4004, "Invalid".to_owned())]);
}

#[cfg(unix)]
#[test]
fn latin_1_that_begins_late_in_a_pipe_is_refused_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, latin1(&late(40_000)))
    });
    let error = shape(&pipe, &Options::default()).unwrap_err();
    assert!(matches!(error, SourceError::NotUtf8Late { line: 40_002, .. }), "{error}");
    writer.join().unwrap().unwrap();
}

#[test]
fn a_character_that_the_first_64_kib_cut_is_no_sign_of_latin_1() {
    let mut content = HEADER.to_owned();
    content.push_str(&"x".repeat(64 * 1024 - 1 - content.len()));
    content.push_str("ä,a.example,c,d,e,1,f,g\n");
    let given = given("m.csv", content);
    assert!(Manifest::open(&given.path(), &Options::default()).unwrap().notes().is_empty());
}

#[test]
fn a_broken_character_of_utf_16_makes_its_field_invalid() {
    let mut content = utf16(HEADER, true, u16::to_le_bytes);
    content.extend(utf16("p,a.example,c,d,e,1,f,", false, u16::to_le_bytes));
    content.extend([0x00, 0xD8, b'\n', 0]);
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), &Options::default()).unwrap();
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    assert_eq!((row.domain, row.user_id), (Field::from("a.example"), Field::Invalid));
}

#[test]
fn a_list_can_be_utf_16_and_json_lines_too() {
    let list = given("l.txt", utf16("a.example\r\nü.example\r\n", true, u16::to_le_bytes));
    assert_eq!(read_list(&list.path()).unwrap(), [(1, "a.example".to_owned()), (2, "ü.example".to_owned())]);
    check_shape("m", utf16("{\"domain\":\"ä\"}\n\n[]\n", false, u16::to_be_bytes), "r1 b m3");
}

proptest! {
    #[test]
    fn lines_of_utf_16_are_those_of_the_same_text(body in "[a,\"\n\r ä😀\u{2028}]{0,200}") {
        let content = HEADER.to_owned() + &body;
        let one = given("m.csv", &content);
        let two = given("m.csv", utf16(&content, true, u16::to_le_bytes));
        let shapes = [one, two].map(|file| shape(&file.path(), &Options::default()).map_err(|error| {
            matches!(error, SourceError::UnclosedQuote { .. })
        }));
        prop_assert_eq!(&shapes[0], &shapes[1]);
    }
}
