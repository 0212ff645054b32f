//! Each kind of file: what is found in it, and what of it is not read and why.

use sources::scan::{Reason, ScanOptions};

use super::files::{docx, mail, pptx, xlsx, zip};
use super::{folder, options, rows, scan_path};

/// Scans one file; its rows, and why it was not read or not to its end.
async fn scan_file(name: &str, bytes: &[u8], options: &ScanOptions) -> (Vec<String>, Vec<Reason>) {
    let folder = folder(&[(name, bytes)]);
    let (scanned, manifest) = scan_path(folder.path(), options).await;
    let names = rows(&manifest).iter().map(|row| row.split(' ').nth(1).unwrap().to_owned()).collect();
    (names, scanned.skipped.keys().chain(scanned.incomplete.keys()).copied().collect())
}

async fn check(name: &str, bytes: &[u8], expect: &[&str], reasons: &[Reason]) {
    let (names, why) = scan_file(name, bytes, &options()).await;
    assert_eq!((names, why), (expect.iter().map(ToString::to_string).collect(), reasons.to_vec()), "{name}");
}

#[tokio::test]
async fn texts_are_read_in_every_encoding_and_kind() {
    let utf16: Vec<u8> = "\u{feff}mia@acme.example".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("a.txt", &utf16, &["mia@acme.example"], &[]).await;
    check("a.csv", b"M\xfcller;m\xfcller@acme.example", &["müller@acme.example"], &[]).await;
    check(
        "a.json",
        br#"{"a":"x\nmia@acme.example","b":"https:\/\/acme.example\/"}"#,
        &["mia@acme.example", "acme.example"],
        &[],
    )
    .await;
    check("a.html", b"<a href='mailto:mia&#64;acme.example'>x</a>", &["mia@acme.example"], &[]).await;
    check("a.yaml", b"host: shop.acme.com\nmain: main.rs\n", &["shop.acme.com"], &[]).await;
    check("a.js", b"acme.com // mia@acme.example", &["mia@acme.example"], &[]).await;
    check("no-extension", b"From mia@acme.example", &["mia@acme.example"], &[]).await;
}

#[tokio::test]
async fn a_text_longer_than_any_buffer_is_read_to_its_end() {
    let text = format!("{}mia@acme.example", "lorem ipsum dolor ".repeat(200_000));
    check("a.txt", text.as_bytes(), &["mia@acme.example"], &[]).await;
}

#[tokio::test]
async fn office_files_give_their_text_links_and_authors() {
    let word = docx(
        "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>mia@ac</w:t></w:r><w:r><w:t>me.example</w:t></w:r></w:p>\
                     <w:p><w:r><w:t>otto</w:t></w:r></w:p><w:p><w:r><w:t>@b.example &amp; ida&#64;c.example</w:t></w:r></w:p>",
    );
    check("a.docx", &word, &["ida@c.example", "link@acme.example", "mia@acme.example"], &[]).await;
    check(
        "a.xlsx",
        &xlsx(&["mia@acme.example", "https://shop.acme.example/"]),
        &["mia@acme.example", "shop.acme.example"],
        &[],
    )
    .await;
    check("a.pptx", &pptx("see www.acme.example", "mia@acme.example"), &["mia@acme.example", "www.acme.example"], &[])
        .await;
    let folder = folder(&[(
        "a.docx",
        &docx("<w:p><w:r><w:t>Statement of Work</w:t></w:r></w:p><w:p><w:t>a@b.example</w:t></w:p>"),
    )]);
    assert_eq!(rows(&scan_path(folder.path(), &options()).await.1)[0], "a.docx a@b.example sow_document");
}

#[tokio::test]
async fn mails_give_their_people_text_and_attachments() {
    let attached = [
        ("list.csv", "text/csv", &b"kim@a.example"[..]),
        ("data.json", "application/json", br#"{"a":"\nlee@a.example"}"#),
        ("doc.docx", "application/octet-stream", &docx("<w:p><w:t>max@a.example</w:t></w:p>")),
        ("logo.png", "image/png", b"\x89PNG\0"),
        ("in.zip", "application/zip", &zip(&[("a.txt", b"zoe@a.example")])),
    ];
    let inner = mail("deep@a.example", "text", &[]);
    let mut message = mail("\"Mia\" <mia@a.example>", "Hello otto@a.example, see https://a.example/", &attached);
    let at = message.windows(6).rposition(|window| window == b"--edge").unwrap();
    message.splice(at..at, [&b"--edge\r\nContent-Type: message/rfc822\r\n\r\n"[..], &inner, b"\r\n"].concat());
    let people = [
        "deep@a.example",
        "kim@a.example",
        "lee@a.example",
        "link@acme.example",
        "max@a.example",
        "mia@a.example",
        "otto@a.example",
        "to@a.example",
        "a.example",
    ];
    check("a.eml", &message, &people, &[Reason::Archive]).await;
    let folder = folder(&[("x", &message)]);
    let (scanned, manifest) = scan_path(folder.path(), &options()).await;
    assert_eq!(scanned.incomplete[&Reason::Archive].examples, ["x"]);
    // Nothing of the content comes out: no subject, no name of an attachment, no word of the text.
    for secret in ["Hello", "list.csv", "Mia", "subject"] {
        assert!(!manifest.contains(secret) && !format!("{scanned:?}").contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn mails_inside_mails_end_at_a_depth() {
    let mut message = mail("deep@a.example", "text", &[]);
    for _ in 0..6 {
        message =
            [&b"From: a@a.example\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"[..], &message].concat();
    }
    check("a.eml", &message, &["a@a.example"], &[Reason::TooDeep]).await;
    let bomb = b"Content-Type: message/rfc822\r\n\r\n".repeat(200_000);
    check("bomb.eml", &bomb, &[], &[Reason::TooDeep]).await;
}

#[tokio::test]
async fn bombs_are_stopped_and_named() {
    let zeros = vec![b' '; 30 * 1024 * 1024];
    let bomb = docx(std::str::from_utf8(&zeros).unwrap());
    check("bomb.docx", &bomb, &[], &[Reason::RatioExceeded]).await;
    let attached = [("bomb.docx", "application/octet-stream", &bomb[..])];
    check(
        "bomb.eml",
        &mail("mia@a.example", "", &attached),
        &["mia@a.example", "to@a.example"],
        &[Reason::RatioExceeded],
    )
    .await;

    let mut small = options();
    small.limits.unfolded_bytes = 1000;
    let long = docx(&"<w:p><w:t>mia@a.example</w:t></w:p>".repeat(1000));
    let (names, why) = scan_file("a.docx", &long, &small).await;
    assert_eq!(why, [Reason::TooMuchText], "{names:?}");
    let deep = docx(&"<w:p>".repeat(10_000));
    check("a.docx", &deep, &[], &[Reason::TooDeep]).await;
    let parts: Vec<(String, &[u8])> = (0..50).map(|at| (format!("{at}.xml"), &b"<a/>"[..])).collect();
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    small.limits.parts = 40;
    assert_eq!(scan_file("a.xlsx", &zip(&parts), &small).await.1, [Reason::TooManyParts]);
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_with_its_reason() {
    let good = docx("<w:p><w:t>mia@a.example</w:t></w:p>");
    check("cut.docx", &good[..good.len() / 2], &[], &[Reason::Damaged]).await;
    check("zip.docx", &zip(&[("a.txt", b"x")]), &[], &[Reason::Damaged]).await;
    check("text.docx", b"mia@a.example", &[], &[Reason::Damaged]).await;
    check("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", &[], &[Reason::Encrypted]).await;
    check("a.pdf", b"%PDF-1.7\nmia@a.example", &[], &[Reason::UnknownKind]).await;
    let broken = zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<w:p>mia@a.example</w:p><"),
        ("word/comments.xml", b"<w:p>otto@a.example</w:p>"),
        ("word/embeddings/in.xlsx", b"PK"),
    ]);
    check("a.docx", &broken, &["mia@a.example", "otto@a.example"], &[Reason::Archive, Reason::Damaged]).await;

    let mut small = options();
    small.limits.object_bytes = 1000;
    small.limits.findings = 2;
    assert_eq!(scan_file("a.txt", &b"mia@a.example ".repeat(100), &small).await.1, [Reason::TooLarge]);
    let (names, why) = scan_file("a.txt", b"c@a.example b@a.example a@a.example", &small).await;
    assert_eq!((names, why), (vec!["b@a.example".to_owned(), "c@a.example".to_owned()], vec![Reason::TooManyFindings]));
}
