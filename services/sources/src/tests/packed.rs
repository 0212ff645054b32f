//! Packed files: what is in them, and what is said of those that are cut short, damaged or bombs.

use std::io::Write;

use super::*;

pub(super) fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(content.as_ref()).unwrap();
    writer.finish().unwrap()
}

pub(super) fn zstd(content: impl AsRef<[u8]>) -> Vec<u8> {
    ::zstd::stream::encode_all(content.as_ref(), 3).unwrap()
}

/// A manifest of so many rows that no two are the same, over many buffers.
fn rows(count: usize) -> String {
    let row = |at: usize| {
        let noise = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!("p/{at}/{noise:x},a.example,c,d,e,{at},f,g\n")
    };
    HEADER.to_owned() + &(0..count).map(row).collect::<String>()
}

fn count(path: &Path) -> Result<usize, SourceError> {
    let mut manifest = Manifest::open(path, &Options::default())?;
    let (mut rows, mut before) = (0, 0);
    while manifest.next_record()?.is_some() {
        rows += 1;
        assert!(manifest.bytes_read() >= before);
        before = manifest.bytes_read();
    }
    assert_eq!(before, fs::metadata(path).unwrap().len());
    Ok(rows)
}

#[test]
fn gzip_of_all_members_and_zstd_of_all_frames_are_read() {
    let (first, second) = (rows(30_000), "p,a.example,c,d,e,1,f,g\n".repeat(10));
    assert_eq!(count(&given("m.csv.gz", gzip(&first)).path()).unwrap(), 30_000);
    assert_eq!(count(&given("m", zstd(&first)).path()).unwrap(), 30_000);
    let members = [gzip(&first), gzip(&second)].concat();
    assert_eq!(count(&given("m.csv.gz", members).path()).unwrap(), 30_010);
    let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd".to_vec();
    let frames = [skipped, zstd(&first), zstd(&second)].concat();
    assert_eq!(count(&given("m.csv.zst", frames).path()).unwrap(), 30_010);
}

#[test]
fn what_a_packed_file_is_can_be_said() {
    let given = given("m.csv.gz", gzip(HEADER.replace(',', ";")));
    let manifest = Manifest::open(&given.path(), &Options::default()).unwrap();
    assert_eq!(manifest.described().to_string(), "CSV, ';' between columns, UTF-8, gzip");
}

#[test]
fn tables_and_lists_can_be_packed_too() {
    let mut table = Table::open(&given("t.csv.gz", gzip("a,b\n1,2\n")).path(), &["a"], &[]).unwrap();
    assert!(matches!(table.next_row().unwrap(), Some(TableRecord::Row(row)) if row.get("a") == "1"));
    let list = given("l.txt.zst", zstd("a.example\n"));
    assert_eq!(read_list(&list.path()).unwrap(), [(1, "a.example".to_owned())]);
}

fn check_broken(name: &'static str, content: Vec<u8>, expect: &[&str]) {
    let given = given(name, content);
    let error = count(&given.path()).unwrap_err().to_string();
    for part in expect.iter().copied().chain([name]) {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

#[test]
fn a_packed_file_that_is_cut_short_says_so_wherever_it_is_cut() {
    for (name, packed) in [("m.csv.gz", gzip(rows(20_000))), ("m.csv.zst", zstd(rows(20_000)))] {
        for at in [9, 100, packed.len() / 2, packed.len() - 9, packed.len() - 1] {
            check_broken(name, packed[..at].to_vec(), &["end too early", "after line", "copy the file again"]);
        }
    }
    check_broken(
        "m.csv.gz",
        [gzip(rows(10)), gzip(rows(10))[..15].to_vec()].concat(),
        &["after line 11", "end too early"],
    );
}

#[test]
fn a_packed_file_that_is_damaged_says_so_with_the_line_reached() {
    let mut sum = gzip(rows(20_000));
    let at = sum.len() - 6;
    sum[at] ^= 0x55;
    check_broken("m.csv.gz", sum, &["after line 20001, its gzip data are damaged", "gzip -t"]);
    let tail = [gzip(rows(10)), b"and more than a header has".to_vec()].concat();
    check_broken("m.csv.gz", tail, &["after line 11, its gzip data are damaged, or followed by something else"]);
    let mut middle = zstd(rows(20_000));
    let at = middle.len() / 2;
    middle[at..at + 8].fill(0xFF);
    check_broken("m.csv.zst", middle, &["its zstd data are damaged"]);
}

#[test]
fn a_bomb_is_refused_with_its_ratio_and_before_it_takes_the_memory() {
    let row = "p,a.example,c,d,e,1,f,g\n";
    let bomb = |mut writer: Box<dyn Write + '_>| {
        writer.write_all(HEADER.as_bytes()).unwrap();
        let block = row.repeat(40_000);
        for _ in 0..150 {
            writer.write_all(block.as_bytes()).unwrap();
        }
    };
    let mut packed = Vec::new();
    bomb(Box::new(::zstd::stream::write::Encoder::new(&mut packed, 19).unwrap().auto_finish()));
    check_broken("m.csv.zst", packed, &["more than 1000 times its size", "decompression bomb", "after line"]);
}

#[test]
fn what_is_packed_twice_or_packs_nothing_is_refused() {
    check_broken("m.csv.gz", gzip(gzip(HEADER)), &["is compressed twice"]);
    check_broken("m.parquet.gz", gzip("PAR1\x15rest"), &["is a Parquet file that was compressed once more"]);
    check_broken("m.csv.gz", gzip(""), &["it is empty"]);
    check_broken("m.csv.zst", zstd("\u{feff}"), &["it is empty"]);
}

#[test]
fn a_zstd_window_that_would_take_the_memory_is_refused() {
    let mut writer = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    writer.window_log(30).unwrap();
    writer.write_all(rows(10).as_bytes()).unwrap();
    check_broken("m.csv.zst", writer.finish().unwrap(), &["window is larger than 128 MiB", "without --long"]);
}

#[test]
fn the_digest_of_a_packed_file_is_that_of_the_file_on_the_disk() {
    let packed = gzip(HEADER);
    let expect = (model::digest::sha256(&packed), packed.len() as u64);
    assert_eq!(digest(&given("m.csv.gz", &packed).path()).unwrap(), expect);
}
