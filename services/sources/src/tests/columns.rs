//! Parquet files as engines write them, and as they should not be.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type, Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;
use crate::Preset;

/// The values of one column of a row group. `None` of a list is null.
enum Values {
    Text(Vec<Option<&'static str>>),
    I32(Vec<Option<i32>>),
    I64(Vec<Option<i64>>),
    I96(Vec<Int96>),
    Bool(Vec<bool>),
}

fn levels<T: Clone>(values: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    (values.iter().flatten().cloned().collect(), values.iter().map(|value| i16::from(value.is_some())).collect())
}

fn parquet(schema: &str, compression: Compression, groups: &[Vec<Values>]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, schema, properties).unwrap();
    for group in groups {
        let mut into = writer.next_row_group().unwrap();
        for values in group {
            let mut column = into.next_column().unwrap().unwrap();
            match values {
                Values::Text(values) => {
                    let (values, levels) = levels(values);
                    let values: Vec<ByteArray> = values.into_iter().map(ByteArray::from).collect();
                    column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap()
                }
                Values::I32(values) => {
                    let (values, levels) = levels(values);
                    column.typed::<Int32Type>().write_batch(&values, Some(&levels), None).unwrap()
                }
                Values::I64(values) => {
                    let (values, levels) = levels(values);
                    column.typed::<Int64Type>().write_batch(&values, Some(&levels), None).unwrap()
                }
                Values::I96(values) => column.typed::<Int96Type>().write_batch(values, None, None).unwrap(),
                Values::Bool(values) => column.typed::<BoolType>().write_batch(values, None, None).unwrap(),
            };
            column.close().unwrap();
        }
        into.close().unwrap();
    }
    writer.close().unwrap();
    file
}

const SCHEMA: &str = "message manifest {
    optional binary object_path (UTF8); optional binary domain (ENUM); optional binary email;
    optional binary data_type (UTF8); optional int32 document_date (DATE); optional int64 size_bytes;
    optional int32 project_id; optional binary user_id (UTF8);
}";

/// Rows of `SCHEMA` whose sizes are those numbers.
fn group(sizes: std::ops::Range<i64>) -> Vec<Values> {
    let count = usize::try_from(sizes.end - sizes.start).unwrap();
    let text = |text| Values::Text(vec![Some(text); count]);
    vec![
        text("p/ä"),
        text("a.example"),
        Values::Text(vec![None; count]),
        text("invoice"),
        Values::I32(vec![Some(19_236); count]),
        Values::I64(sizes.map(Some).collect()),
        Values::I32(vec![Some(-7); count]),
        text("u"),
    ]
}

#[test]
fn rows_are_numbered_over_row_groups_and_batches() {
    for compression in
        [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default()), Compression::LZ4_RAW]
    {
        let file =
            given("m.parquet", parquet(SCHEMA, compression, &[group(0..5000), group(5000..5000), group(5000..5010)]));
        let mut manifest = Manifest::open(&file.path(), &Options::default()).unwrap();
        assert_eq!(manifest.described().to_string(), "Parquet");
        let mut count = 0;
        while let Some(record) = manifest.next_record().unwrap() {
            let Record::Row { line, raw, row } = record else { panic!("{record:?}") };
            assert_eq!(row.size_bytes, Field::from(count.to_string().as_str()));
            count += 1;
            assert_eq!(line, count);
            if count == 5010 {
                let texts = ["p/ä", "a.example", "-", "invoice", "2022-09-01", "5009", "-7", "u"];
                let fields = texts.map(|text| if text == "-" { Field::Missing } else { Field::from(text) });
                assert_eq!(row, RawRow::from_fields(fields));
                let expect = r#"{"object_path":"p/ä","domain":"a.example","data_type":"invoice","document_date":"2022-09-01","size_bytes":5009,"project_id":-7,"user_id":"u"}"#;
                assert_eq!(std::str::from_utf8(raw).unwrap(), expect);
            }
        }
        assert_eq!(count, 5010);
        assert_eq!(manifest.bytes_read(), fs::metadata(file.path()).unwrap().len());
    }
}

fn dated() -> Options {
    Options {
        columns: vec![("d".to_owned(), "document_date".to_owned()), ("s".to_owned(), "size_bytes".to_owned())],
        absent: ["object_path", "domain", "email", "data_type", "project_id", "user_id"].map(str::to_owned).to_vec(),
        ..Options::default()
    }
}

#[test]
fn dates_and_sizes_of_each_accepted_type_become_texts() {
    let one = |value| Values::I64(vec![Some(value)]);
    let (millis, micros) = ("optional int64 d (TIMESTAMP_MILLIS)", "optional int64 d (TIMESTAMP_MICROS)");
    let run = |date: &str, size: &str, values: Vec<Values>, expect: [&str; 2]| {
        let content = parquet(&format!("message m {{ {date}; {size}; }}"), Compression::UNCOMPRESSED, &[values]);
        let file = given("m.parquet", content);
        let mut manifest = Manifest::open(&file.path(), &dated()).unwrap();
        let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
        let got = [format!("{:?}", row.document_date), format!("{:?}", row.size_bytes)];
        assert_eq!(got, expect.map(text), "{date} {size}");
    };
    run(
        millis,
        "optional int32 s",
        vec![one(1_661_990_399_999), Values::I32(vec![Some(5)])],
        ["2022-08-31T23:59:59Z", "5"],
    );
    run(micros, "optional int64 s", vec![one(-1), one(i64::MAX)], ["1969-12-31T23:59:59Z", "9223372036854775807"]);
    let nanos = "optional int64 d (TIMESTAMP(NANOS,false))";
    run(
        nanos,
        "optional int64 s (INTEGER(64,false))",
        vec![one(86_400_000_000_000), one(-1)],
        ["1970-01-02", "18446744073709551615"],
    );
    let texts = vec![Values::Text(vec![Some("2022-01-01")]), Values::Text(vec![Some("12")])];
    run("optional binary d (UTF8)", "optional binary s (UTF8)", texts, ["2022-01-01", "12"]);
    let mut julian = Int96::new();
    julian.set_data(0, 0, 2_440_589);
    run("required int96 d", "optional int64 s", vec![Values::I96(vec![julian]), one(1)], ["1970-01-02T00:00:00Z", "1"]);
}

#[test]
fn a_column_of_the_null_type_has_no_values_whatever_its_field() {
    let schema = "message m {
        optional binary object_path (UTF8); optional int32 domain (UNKNOWN); optional int32 email (UNKNOWN);
        optional int32 document_date (UNKNOWN); optional int64 size_bytes (UNKNOWN);
    }";
    let nulls = || Values::I32(vec![None, None]);
    let group =
        vec![Values::Text(vec![Some("p"), Some("q")]), nulls(), nulls(), nulls(), Values::I64(vec![None, None])];
    let file = given("m.parquet", parquet(schema, Compression::SNAPPY, &[group]));
    let absent = ["data_type", "project_id", "user_id"].map(str::to_owned).to_vec();
    let mut manifest = Manifest::open(&file.path(), &Options { absent, ..Options::default() }).unwrap();
    for path in ["p", "q"] {
        let Some(Record::Row { raw, row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
        assert_eq!(row, RawRow { object_path: Field::from(path), ..RawRow::default() });
        assert_eq!(raw, format!("{{\"object_path\":\"{path}\"}}").as_bytes());
    }
}

#[test]
fn columns_of_a_wrong_type_are_all_named_before_any_row() {
    let schema = "message m {
        optional group object_path { optional binary name (UTF8); } required boolean domain; required double size_bytes;
        repeated binary email (UTF8); optional int64 document_date; optional fixed_len_byte_array(16) user_id;
    }";
    let file = given("m.parquet", parquet(schema, Compression::UNCOMPRESSED, &[]));
    let options = Options { absent: vec!["data_type".to_owned(), "project_id".to_owned()], ..Options::default() };
    let error = Manifest::open(&file.path(), &options).unwrap_err().to_string();
    for part in [
        "column object_path is nested (a group of columns), and a string can be read",
        "column domain is BOOLEAN, and a string can be read",
        "column email is a list of BYTE_ARRAY",
        "column document_date is INT64, and a date, a timestamp or a string can be read",
        "column size_bytes is DOUBLE, and an integer (INT32, INT64) or a string can be read",
        "column user_id is FIXED_LEN_BYTE_ARRAY",
        "m.parquet",
        "--map",
    ] {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

#[test]
fn missing_and_doubled_columns_are_named_as_in_csv() {
    let file =
        given("m.parquet", parquet("message m { optional binary domain (UTF8); }", Compression::UNCOMPRESSED, &[]));
    let error = Manifest::open(&file.path(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("no column object_path, email") && error.contains("(it has: domain)"), "{error}");
}

#[test]
fn a_file_without_rows_has_none() {
    check_shape("m.parquet", parquet(SCHEMA, Compression::UNCOMPRESSED, &[]), "");
}

#[test]
fn an_s3_inventory_in_parquet_is_known_by_its_columns() {
    let schema = "message s3.inventory {
        required binary bucket (UTF8); required binary key (UTF8); optional binary version_id (UTF8);
        required boolean is_latest; required boolean is_delete_marker; optional int64 size;
        optional int64 last_modified_date (TIMESTAMP_MILLIS);
    }";
    let group = vec![
        Values::Text(vec![Some("b"), Some("b")]),
        Values::Text(vec![Some("a.example/x+1"), Some("a.example/gone")]),
        Values::Text(vec![None, None]),
        Values::Bool(vec![true, true]),
        Values::Bool(vec![false, true]),
        Values::I64(vec![Some(3), None]),
        Values::I64(vec![Some(1_662_026_400_000), Some(0)]),
    ];
    let file = given("m.parquet", parquet(schema, Compression::SNAPPY, &[group]));
    let rule = Some(model::path_rule::PathRule::parse("b/{domain}/**").unwrap());
    let mut manifest = Manifest::open(&file.path(), &Options { path_rule: rule, ..Options::default() }).unwrap();
    assert_eq!(manifest.described().preset, Preset::S3Inventory);
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    assert_eq!((row.object_path, row.domain), (Field::from("b/a.example/x+1"), Field::from("a.example")));
    assert_eq!((row.size_bytes, row.document_date), (Field::from("3"), Field::from("2022-09-01T10:00:00Z")));
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    assert_eq!((row.object_path, row.document_date), (Field::Missing, Field::Missing));
    assert!(manifest.next_record().unwrap().is_none());
    assert!(manifest.notes().iter().any(|note| note.starts_with("rows about delete markers: 1;")));
}

/// Written by pyarrow: data pages of version 2 with check sums, dictionaries, deltas, zstd, two row groups.
#[test]
fn a_file_of_another_writer_is_read() {
    let file = given("m.parquet", include_bytes!("../../tests/data/pyarrow.parquet"));
    let mut manifest = Manifest::open(&file.path(), &Options::default()).unwrap();
    let mut count = 0;
    while let Some(record) = manifest.next_record().unwrap() {
        let Record::Row { row, .. } = record else { panic!("{record:?}") };
        let number = count.to_string();
        let domain = if count % 2 == 0 { "a.example" } else { "b.example" };
        assert_eq!((row.domain, row.size_bytes), (Field::from(domain), Field::from(&*number)));
        assert_eq!((row.email, row.project_id), (Field::Missing, Field::from(&*number)));
        let date = format!("2022-01-0{}T{:02}:00:00Z", 1 + count / 24, count % 24);
        assert_eq!((row.object_path, row.document_date), (Field::from(&*format!("p/{count}")), Field::from(&*date)));
        count += 1;
    }
    assert_eq!(count, 100);
}

#[test]
fn a_directory_can_be_parquet_too() {
    let schema = "message m { optional binary domain (UTF8); optional int64 tenant_id; }";
    let group = vec![Values::Text(vec![Some(" a.example ")]), Values::I64(vec![Some(7)])];
    let file = given("d.parquet", parquet(schema, Compression::UNCOMPRESSED, &[group]));
    let mut table = Table::open(&file.path(), &["domain", "tenant_id"], &["country"]).unwrap();
    let Some(TableRecord::Row(row)) = table.next_row().unwrap() else { panic!("no row") };
    assert_eq!((row.get("domain"), row.get("tenant_id"), row.get("country")), ("a.example", "7", ""));
}

#[test]
fn a_parquet_file_that_is_cut_short_or_no_parquet_says_so() {
    let whole = parquet(SCHEMA, Compression::SNAPPY, &[group(0..5000)]);
    for at in [4, 9, whole.len() / 2, whole.len() - 1] {
        let error = refusal(&whole[..at], &Options::default()).to_string();
        assert!(error.contains("the Parquet data are cut short or damaged"), "{error}");
    }
    let options = Options { format: Format::Parquet, ..Options::default() };
    assert!(refusal(HEADER, &options).to_string().contains("is no Parquet file"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_damaged_parquet_file_is_read_or_refused_and_never_a_panic(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        compressed in any::<bool>(),
    ) {
        let compression = if compressed { Compression::SNAPPY } else { Compression::UNCOMPRESSED };
        let mut content = parquet(SCHEMA, compression, &[group(0..50), group(50..80)]);
        for (place, byte) in places {
            let at = place.index(content.len());
            content[at] = byte;
        }
        let file = given("m.parquet", content);
        let Ok(mut manifest) = Manifest::open(&file.path(), &Options::default()) else { return Ok(()) };
        let mut count = 0;
        while let Ok(Some(_)) = manifest.next_record() {
            count += 1;
            prop_assert!(count <= 1_000_000);
        }
    }
}
