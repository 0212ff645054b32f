//! The files of a mail: listed, typed by what they are, and given out one at a time.
//!
//! Opens none of them and trusts nothing that the sender says of them. Invariant: a file's name is ours, its type is what
//! its first bytes say, and none is larger than [`LARGEST`].

use super::{decode, mime, tnef};

/// Bytes of one file.
pub const LARGEST: usize = 25 * 1024 * 1024;
/// Bytes in which a text shows itself.
const LOOKED_AT: usize = 8 * 1024;

/// A file that came with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What its sender called it, on one line; never a path to write to.
    pub stated_name: String,
    /// By its first bytes.
    pub kind: &'static str,
    /// The end of a name for it that opens nothing by itself.
    pub extension: &'static str,
    /// Decoded; none: it is larger than [`LARGEST`].
    pub body: Option<Vec<u8>>,
}

/// The files of a mail in their order: all leaves that are no text of the mail itself, and behind one in Outlook's own
/// format (`winmail.dat`) what is in it.
pub fn attachments(raw: &[u8]) -> Vec<Attachment> {
    let (mut found, mut unpacked) = (Vec::new(), 0);
    for file in mime::files(raw) {
        let body = decode::transfer(&file.encoding, file.body);
        let is_one_more = unpacked < mime::UNPACKED && mime::is_outlooks(&file.kind, &file.name);
        let inside = is_one_more.then(|| tnef::read(&body)).flatten();
        unpacked += usize::from(inside.is_some());
        let inside = inside.map(|inside| inside.files).unwrap_or_default();
        let inside: Vec<Attachment> =
            inside.into_iter().map(|file| attachment(file.name, file.data.to_vec())).collect();
        found.push(attachment(file.name, body));
        found.extend(inside);
    }
    found
}

fn attachment(stated_name: String, body: Vec<u8>) -> Attachment {
    let (kind, extension) = by_content(&body);
    let body = (body.len() <= LARGEST).then_some(body);
    Attachment { stated_name, kind, extension, body }
}

/// Type and extension. What a browser or a shell would run is plain text or bytes.
fn by_content(body: &[u8]) -> (&'static str, &'static str) {
    const KNOWN: [(&[u8], &str, &str); 10] = [
        (b"%PDF-", "application/pdf", "pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
        (b"\xff\xd8\xff", "image/jpeg", "jpg"),
        (b"GIF8", "image/gif", "gif"),
        (b"PK\x03\x04", "application/zip", "zip"),
        (b"\x1f\x8b", "application/gzip", "gz"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", "7z"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage", "ole"),
        (b"II*\0", "image/tiff", "tif"),
        (b"-----BEGIN PGP", "application/pgp", "asc"),
    ];
    if let Some((_, kind, extension)) = KNOWN.iter().find(|(start, _, _)| body.starts_with(start)) {
        return (kind, extension);
    }
    let start = &body[..body.len().min(LOOKED_AT)];
    let is_text = match std::str::from_utf8(start) {
        Ok(_) => true,
        // A character may be cut at the end.
        Err(error) => error.error_len().is_none() && error.valid_up_to() + 4 > start.len(),
    };
    let has_controls = start.iter().any(|byte| *byte < b'\t' || (0x0e..0x20).contains(byte));
    if is_text && !has_controls { ("text/plain", "txt") } else { ("application/octet-stream", "bin") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(part: &str) -> Vec<u8> {
        format!(
            "From: a@x.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--b\r\n{part}\r\n--b--\r\n"
        )
        .into_bytes()
    }

    fn check(part: &str, kind: &str, name: &str, body: &[u8]) {
        let found = attachments(&mail(part));
        assert_eq!(found.len(), 1, "{part}");
        let body = Some(body.to_vec());
        assert_eq!((found[0].kind, found[0].stated_name.as_str(), &found[0].body), (kind, name, &body));
    }

    #[test]
    fn the_type_is_what_the_bytes_say_and_not_what_the_sender_says() {
        let named = "Content-Type: image/png; name=\"../../etc/cron.d/x.png\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        check(&format!("{named}JVBERi0xLjcK"), "application/pdf", "../../etc/cron.d/x.png", b"%PDF-1.7\n");
        check(&format!("{named}PGh0bWw+"), "text/plain", "../../etc/cron.d/x.png", b"<html>");
        check(&format!("{named}AAEC"), "application/octet-stream", "../../etc/cron.d/x.png", &[0, 1, 2]);
    }

    #[test]
    fn the_files_in_outlooks_own_format_are_files_of_the_mail() {
        let attribute = |id: u32, data: &[u8]| {
            let length = u32::try_from(data.len()).unwrap();
            [&[2][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
        };
        let name = |name: &str| attribute(0x0001_8010, format!("{name}\0").as_bytes());
        let (begins, data) = (|| attribute(0x0006_9002, &[0; 14]), |data: &[u8]| attribute(0x0006_800f, data));
        let attributes = [begins(), name("a.exe"), data(b"%PDF-1.7"), begins(), name("b.pdf"), data(b"MZ\0")].concat();
        let packed = [&0x223e_9f78_u32.to_le_bytes()[..], &[1, 0], &attributes].concat();
        let mut raw = mail(
            "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: binary\r\n\r\nHERE",
        );
        let at = raw.windows(4).position(|four| four == b"HERE").unwrap();
        raw.splice(at..at + 4, packed);
        let found: Vec<(String, &str, usize)> = attachments(&raw)
            .into_iter()
            .map(|file| (file.stated_name, file.kind, file.body.map_or(0, |body| body.len())))
            .collect();
        let expected = [("winmail.dat", 0), ("a.exe", 8), ("b.pdf", 3)];
        assert_eq!(found.iter().map(|file| file.0.as_str()).collect::<Vec<_>>(), expected.map(|file| file.0));
        assert_eq!((found[1].1, found[1].2), ("application/pdf", 8));
        assert_eq!((found[2].1, found[2].2), ("application/octet-stream", 3));
    }

    #[test]
    fn the_words_of_the_mail_itself_are_no_file_and_an_attached_mail_is_one() {
        let attached = "Content-Type: message/rfc822\r\n\r\nFrom: b@x.example\r\n\r\nold";
        check(attached, "text/plain", "", b"From: b@x.example\r\n\r\nold");
        assert!(attachments(b"From: a@x.example\r\n\r\nhello").is_empty());
        assert!(attachments(b"").is_empty());
    }
}
