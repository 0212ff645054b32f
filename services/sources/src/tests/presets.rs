//! Inventories and listings: whose columns they have, and what a path rule finds.

use model::path_rule::PathRule;

use super::*;
use crate::Preset;

fn ruled(rule: &str) -> Options {
    Options { path_rule: Some(PathRule::parse(rule).unwrap()), ..Options::default() }
}

/// Path, domain, size and date of each row, and what is said at the end.
fn read(content: &str, options: &Options) -> (Vec<[Field<'static>; 4]>, Vec<String>, Preset) {
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), options).unwrap();
    let mut rows = Vec::new();
    while let Some(record) = manifest.next_record().unwrap() {
        let Record::Row { row, .. } = record else { panic!("{record:?}") };
        rows.push([row.object_path, row.domain, row.size_bytes, row.document_date].map(owned));
    }
    (rows, manifest.notes().to_vec(), manifest.described().preset)
}

fn owned(field: Field<'_>) -> Field<'static> {
    match field {
        Field::Missing => Field::Missing,
        Field::Invalid => Field::Invalid,
        Field::Text(text) => Field::Text(text.into_owned().into()),
    }
}

fn row(path: &'static str, domain: &'static str, size: &'static str, date: &'static str) -> [Field<'static>; 4] {
    [path, domain, size, date].map(|text| if text == "-" { Field::Missing } else { Field::from(text) })
}

#[test]
fn an_azure_inventory_is_known_by_its_header() {
    let content = "Name,Creation-Time,Last-Modified,Content-Length,BlobType,hdi_isfolder,IsCurrentVersion,Snapshot,Deleted\n\
        c/a.example/x.pdf,2021-01-01T00:00:00.0000000Z,2022-02-03T04:05:06.0000000Z,12,BlockBlob,,,,\n\
        c/a.example/x.pdf,2021-01-01T00:00:00Z,2022-01-01T00:00:00Z,11,BlockBlob,false,false,,true\n\
        c/a.example,2021-01-01T00:00:00Z,2022-02-03T04:05:06Z,0,,true,,,\n\
        other,,,5,BlockBlob,,,2022-03-01T00:00:00.0000000Z,\n";
    let (rows, notes, preset) = read(content, &ruled("c/{domain}/**"));
    assert_eq!(preset, Preset::AzureInventory);
    let expect = [
        row("c/a.example/x.pdf", "a.example", "12", "2022-02-03T04:05:06.0000000Z"),
        row("c/a.example/x.pdf", "a.example", "11", "2022-01-01T00:00:00Z"),
        row("-", "a.example", "-", "-"),
        row("other", "-", "5", ""),
    ];
    assert_eq!(rows, expect);
    let said = [
        "columns that are not used: Creation-Time, BlobType",
        "the columns are those of an Azure blob inventory; --preset says another",
        "rows about folders: 1; each counts as a reference and names no object",
        "rows about older versions: 1; each counts as a reference, its path as one object",
        "rows about snapshots: 1; each counts as a reference, its path as one object",
        "rows about deleted objects that can be brought back: 1; they count like others",
        "paths that do not match the path rule: 1; it finds nothing in them",
    ];
    assert_eq!(notes, said);
}

#[test]
fn an_s3_inventory_has_its_bucket_in_front_of_its_keys() {
    let header = ["Bucket", "Key", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate"].map(str::to_owned);
    let options = Options { preset: Preset::S3Inventory, header: Some(header.to_vec()), ..ruled("*/{domain}/**") };
    let content = "\"b\",\"a.example/%C3%A4+1%2B.pdf\",\"true\",\"false\",\"12\",\"2022-09-01T10:00:00.000Z\"\n\
        \"b\",\"a.example/x\",\"false\",\"false\",\"3\",\"2022-08-01T10:00:00.000Z\"\n\
        \"b\",\"a.example/gone\",\"true\",\"true\",\"\",\"2022-09-02T10:00:00.000Z\"\n\
        \"b\",\"%FF/x\",\"true\",\"false\",\"1\",\"2022-09-02T10:00:00.000Z\"\n";
    let (rows, notes, _) = read(content, &options);
    let expect = [
        row("b/a.example/ä 1+.pdf", "a.example", "12", "2022-09-01T10:00:00.000Z"),
        row("b/a.example/x", "a.example", "3", "2022-08-01T10:00:00.000Z"),
        row("-", "a.example", "-", "-"),
        [Field::Invalid, Field::Missing, Field::from("1"), Field::from("2022-09-02T10:00:00.000Z")],
    ];
    assert_eq!(rows, expect);
    let said = [
        "rows about delete markers: 1; each counts as a reference and names no object",
        "rows about older versions: 1; each counts as a reference, its path as one object",
    ];
    assert_eq!(notes, said);
}

#[test]
fn keys_of_an_s3_file_with_a_header_are_taken_as_they_stand() {
    let (rows, _, preset) = read("bucket,key,size\nb,a.example/x+y%20,1\n", &ruled("b/{domain}/*"));
    assert_eq!((rows, preset), (vec![row("b/a.example/x+y%20", "a.example", "1", "-")], Preset::S3Inventory));
}

#[test]
fn a_listing_is_known_by_its_header_and_keeps_what_columns_it_has() {
    let content = "size,path,modified,project_id\n7,/srv/a.example/x,2022-01-01,p1\n";
    let (rows, _, preset) = read(content, &ruled("srv/{domain}/**"));
    assert_eq!((rows, preset), (vec![row("/srv/a.example/x", "a.example", "7", "2022-01-01")], Preset::Listing));
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), &ruled("srv/{domain}/**")).unwrap();
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    assert_eq!(row.project_id, Field::from("p1"));
}

#[test]
fn a_column_wins_over_the_path_rule_where_it_says_something() {
    let content = "path,size,modified,domain\nx/a.example,1,,b.example\nx/a.example,1,, \n";
    let domains: Vec<_> = read(content, &ruled("x/{domain}")).0.into_iter().map(|[_, domain, ..]| domain).collect();
    assert_eq!(domains, [Field::from("b.example"), Field::from("a.example")]);
}

#[test]
fn a_path_rule_makes_columns_of_a_manifest_unnecessary() {
    let content = "object_path,email,document_date,size_bytes,user_id\nx/a.example/invoice/p1/f,e,,,u\n";
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), &ruled("x/{domain}/{data_type}/{project_id}/**")).unwrap();
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    let found = [&row.domain, &row.data_type, &row.project_id];
    assert_eq!(found, [&Field::from("a.example"), &Field::from("invoice"), &Field::from("p1")]);
    let error = refusal("object_path\nx\n", &ruled("{domain}/**")).to_string();
    assert!(error.contains("no column email, data_type, document_date"), "{error}");
}

#[test]
fn a_path_with_escapes_of_json_is_ruled_too() {
    let (rows, ..) = read("{\"object_path\":\"x\\/a.example\\/\\u00e4\"}\n", &ruled("x/{domain}/*"));
    assert_eq!(rows, [row("x/a.example/ä", "a.example", "-", "-")]);
}

#[test]
fn an_inventory_without_path_rule_or_domain_is_refused_with_the_next_step() {
    let expect = "state path_rule in the incident file, or --path-rule, for example 'exports/{domain}/**'";
    for (content, what) in [
        ("Name,Content-Length\nx,1\n", "as an Azure blob inventory"),
        ("bucket,key\nb,k\n", "as an S3 inventory"),
        ("path,size,modified\nx,1,\n", "as a listing"),
    ] {
        for options in [Options::default(), ruled("**/{user_id}")] {
            let error = refusal(content, &options).to_string();
            assert!(error.contains(expect) && error.contains(what), "{error}");
        }
    }
}

#[test]
fn an_s3_data_file_without_its_manifest_is_refused_with_the_next_step() {
    let options = Options { preset: Preset::S3Inventory, ..ruled("**/{domain}") };
    let error = refusal("\"b\",\"k\",\"12\"\n", &options).to_string();
    assert!(error.contains("name the inventory's manifest.json instead"), "{error}");
}

#[test]
fn columns_that_were_mapped_by_hand_are_no_inventory() {
    let options = Options {
        columns: vec![("Name".to_owned(), "object_path".to_owned()), ("Owner".to_owned(), "email".to_owned())],
        absent: ["domain", "data_type", "document_date", "size_bytes", "project_id", "user_id"]
            .map(str::to_owned)
            .to_vec(),
        ..Options::default()
    };
    let (rows, notes, preset) = read("Name,Owner,Content-Length\nx,o@a.example,1\n", &options);
    assert_eq!((rows, preset), (vec![row("x", "-", "-", "-")], Preset::None));
    assert_eq!(notes, ["columns that are not used: Content-Length"]);
}
