//! How fast a million organisations are read. Not run with the others, since it says nothing without `--release`.

use std::time::Instant;

use sources::directory::{DirectoryFormat, DirectoryRecord, Organisations, write_organisations};

use super::organisation;

#[test]
#[ignore = "run it with --release -- --ignored --nocapture, on a machine that does nothing else"]
fn a_million_organisations_are_read_in_a_second() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["csv", "jsonl", "scim", "vcard"] {
        let format = DirectoryFormat::parse(name).unwrap().unwrap();
        let path = folder.path().join(name);
        let record = |at: u32| {
            let (domain, id, of) = (format!("org-{at}.example"), format!("t-{at:07}"), format!("Tenant {at}, Ltd"));
            organisation(0, [&domain, &id, &of, "DE", "de"])
        };
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        write_organisations(&mut file, format, (0..1_000_000).map(record)).unwrap();
        drop(file);
        let started = Instant::now();
        let mut reader = Organisations::open(&path, None).unwrap();
        let (mut rows, mut bytes) = (0, 0);
        while let Some(record) = reader.next_row().unwrap() {
            let DirectoryRecord::Record(row) = record else { panic!("{record:?}") };
            rows += 1;
            bytes += row.domain.len() + row.tenant_id.len() + row.tenant_name.len();
        }
        let taken = started.elapsed();
        println!(
            "{name}: {rows} rows, {bytes} bytes in {taken:?}: {:.0} rows/s",
            f64::from(rows) / taken.as_secs_f64()
        );
        assert_eq!(rows, 1_000_000);
    }
}
