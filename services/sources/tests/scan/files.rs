//! Real files of each kind, made here: ZIP, Word, Excel, PowerPoint, mail.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A ZIP file of those files.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const TYPES: &[u8] =
    br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;

/// A Word file with that body, and a link to an address.
pub(crate) fn docx(body: &str) -> Vec<u8> {
    let document = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>"#
    );
    zip(&[
        ("[Content_Types].xml", TYPES),
        ("word/document.xml", document.as_bytes()),
        (
            "word/_rels/document.xml.rels",
            br#"<Relationships><Relationship Target="mailto:link@acme.example" TargetMode="External"/></Relationships>"#,
        ),
        ("word/media/image1.png", b"\x89PNG\0"),
    ])
}

/// An Excel file with those cells as shared strings.
pub(crate) fn xlsx(cells: &[&str]) -> Vec<u8> {
    let strings: String = cells.iter().map(|cell| format!("<si><t>{cell}</t></si>")).collect();
    let strings = format!(r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{strings}</sst>"#);
    zip(&[
        ("[Content_Types].xml", TYPES),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        (
            "xl/worksheets/sheet1.xml",
            br#"<worksheet><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>"#,
        ),
    ])
}

/// A PowerPoint file with that text and a link to that address.
pub(crate) fn pptx(text: &str, address: &str) -> Vec<u8> {
    let slide = format!("<p:sld><a:p><a:r><a:rPr lang=\"x@y.example\"/><a:t>{text}</a:t></a:r></a:p></p:sld>");
    let links = format!(
        r#"<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/x" Target="mailto:{address}" TargetMode="External"/><Relationship Id="r2" Target="../slideLayouts/slideLayout1.xml"/></Relationships>"#
    );
    zip(&[
        ("[Content_Types].xml", TYPES),
        ("ppt/slides/slide1.xml", slide.as_bytes()),
        ("ppt/slides/_rels/slide1.xml.rels", links.as_bytes()),
    ])
}

/// A mail from somebody with that text, and attachments (name, type, bytes).
pub(crate) fn mail(from: &str, text: &str, attachments: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut mail = format!(
        "Received: from mx.relay.example by mx2.relay.example\r\nMessage-ID: <1@ids.example>\r\nFrom: {from}\r\nTo: to@a.example\r\n\
         Subject: the subject\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=edge\r\n\r\n\
         --edge\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    );
    for (name, kind, bytes) in attachments {
        mail.push_str(&format!(
            "--edge\r\nContent-Type: {kind}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            base64(bytes)
        ));
    }
    mail.push_str("--edge--\r\n");
    mail.into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { char::from(letter) } else { '=' });
        }
        if text.len() % 78 == 76 {
            text.push_str("\r\n");
        }
    }
    text
}
