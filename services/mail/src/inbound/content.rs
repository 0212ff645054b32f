//! Whether two mails are the same message that took two ways.
//!
//! Leaves aside what is added on the way (trace fields, results of checks, fields of lists) and line ends.

use super::mime::Fields;

/// Over the fields that the sender wrote and the body; `None` where there is no Message-ID, as two mails of the same
/// words can both be meant.
pub fn content_digest(raw: &[u8]) -> Option<String> {
    let (head, body) = split(raw);
    let fields = Fields::parse(head);
    let field = |name: &str| fields.get(name).unwrap_or_default().as_bytes().to_vec();
    let id = field("message-id");
    if id.is_empty() {
        return None;
    }
    let body: Vec<u8> = body.iter().copied().filter(|byte| *byte != b'\r').collect();
    // The same bytes read in another way are other words.
    let read_as = ["content-type", "content-transfer-encoding"].map(|name| field(name).to_ascii_lowercase());
    let [kind, encoding] = read_as;
    let parts = [id, field("from"), field("date"), field("subject"), kind, encoding, body.trim_ascii_end().to_vec()];
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Some(model::digest::sha256_of_parts(&parts))
}

/// Head and body around the first empty line.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\n" || line == b"\r\n" {
            return (&raw[..at], &raw[at + line.len()..]);
        }
        at += line.len();
    }
    (raw, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "Message-ID: <1@x.example>\r\nFrom: a@x.example\r\nSubject: s\r\n\r\nhi\r\nthere\r\n";

    #[test]
    fn what_is_added_on_the_way_makes_no_other_message() {
        let later = format!("Received: from x\r\nDelivered-To: a\r\n{}", MAIL.replace("\r\n", "\n"));
        assert!(content_digest(MAIL.as_bytes()).is_some());
        assert_eq!(content_digest(later.as_bytes()), content_digest(MAIL.as_bytes()));
    }

    #[test]
    fn other_words_or_another_id_make_another_message() {
        for (from, to) in [("hi", "ho"), ("<1@", "<2@"), ("From: a", "From: b"), ("Subject: s", "Subject: t")] {
            assert_ne!(content_digest(MAIL.replace(from, to).as_bytes()), content_digest(MAIL.as_bytes()), "{from}");
        }
    }

    #[test]
    fn the_same_bytes_read_in_another_way_make_another_message() {
        for header in ["Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64"] {
            assert_ne!(
                content_digest(format!("{header}\r\n{MAIL}").as_bytes()),
                content_digest(MAIL.as_bytes()),
                "{header}"
            );
        }
    }

    #[test]
    fn without_an_id_nothing_is_the_same() {
        assert_eq!(content_digest(b"From: a@x.example\r\n\r\nhi"), None);
        assert_eq!(content_digest(b""), None);
    }
}
