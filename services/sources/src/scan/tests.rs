//! Broken files: whatever bytes an object has, reading it ends, and without a panic.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const TEXT: &str =
    "<w:p a='x@a.example'><w:r><w:rPr><w:b/></w:rPr><w:t>mia@a.example &amp; &#64;</w:t></w:r></w:p><!-- c -->";
const MAIL: &[u8] = b"From: =?utf-8?B?TWlh?= <mia@a.example>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"e\"\r\n\r\n--e\r\nContent-Type: text/plain; charset=utf-16\r\n\
    Content-Transfer-Encoding: base64\r\n\r\n//5tAGkAYQA=\r\n--e\r\nContent-Type: message/rfc822\r\n\r\n\
    To: otto@a.example\r\n\r\n=40\r\n--e\r\nContent-Type: multipart/digest; boundary=f\r\n\r\n--f\r\n\r\nTo: a@b.c\r\n--f--\r\n--e--\r\n";

fn docx() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [("[Content_Types].xml", "<Types/>"), ("word/document.xml", TEXT), ("word/x.xml", TEXT)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read_bytes(path: &str, bytes: &[u8]) -> Result<Object, Reason> {
    let bytes = Box::new(Cursor::new(bytes.to_vec()));
    let limits = Limits { unfolded_bytes: MIB, ..Limits::default() };
    read(path, 0, &mut Counted { bytes, fetched: 0, limit: limits.object_bytes }, limits)
}

/// The bytes with some of them replaced, and cut off somewhere.
fn broken(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = bytes.len();
    (proptest::collection::vec((0..length, any::<u8>()), 0..8), 0..=length).prop_map(move |(changes, end)| {
        let mut bytes = bytes.clone();
        changes.iter().for_each(|(at, byte)| bytes[*at] = *byte);
        bytes.truncate(end.max(length / 2));
        bytes
    })
}

#[test]
fn the_whole_files_are_read_without_a_flaw() {
    for (path, bytes) in [("a.docx", docx()), ("a.eml", MAIL.to_vec())] {
        let object = read_bytes(path, &bytes).unwrap();
        assert!(object.found.len() >= 2 && object.incomplete.is_empty(), "{object:?}");
    }
}

#[test]
fn an_object_that_grew_since_the_list_is_read_up_to_the_limit() {
    let limits = Limits { object_bytes: 100_000, ..Limits::default() };
    let text = [&b"mia@a.example "[..], &b"x ".repeat(200_000)].concat();
    let read_as = |path: &str| {
        let mut input = Counted { bytes: Box::new(Cursor::new(text.clone())), fetched: 0, limit: limits.object_bytes };
        let outcome = read(path, 10, &mut input, limits);
        assert!(input.fetched < 200_000);
        outcome.map(|object| object.incomplete)
    };
    assert_eq!(read_as("a.txt"), Ok([Reason::TooLarge].into()));
    assert_eq!(read_as("a.eml"), Err(Reason::TooLarge));
}

proptest! {
    #[test]
    fn broken_office_files_make_no_panic(bytes in broken(docx())) {
        let _ = read_bytes("a.docx", &bytes);
    }

    #[test]
    fn broken_mails_make_no_panic(bytes in broken(MAIL.to_vec())) {
        let _ = read_bytes("a.eml", &bytes);
    }

    #[test]
    fn any_bytes_make_no_panic(bytes: Vec<u8>, name in "[a-z]{0,3}(\\.(txt|eml|docx|json|xml|py|png))?") {
        let _ = read_bytes(&name, &bytes);
    }
}
