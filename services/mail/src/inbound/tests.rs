//! Mails as they arrive, over all classes and encodings, and any bytes at all.

mod doubtful;
mod machines;
mod parts;
mod people;
mod systems;

use proptest::prelude::*;

use super::*;

/// Reads a mail written with `\n`, as from a stranger's mail program: own ids end in `@ours.example`.
fn mail(text: &str) -> Inbound {
    bytes(text.replace('\n', "\r\n").as_bytes())
}

fn bytes(raw: &[u8]) -> Inbound {
    read(raw, Some("alice@contoso.example"), Some("ir+token@vendor.example"), &|id| id.ends_with("@ours.example"))
}

/// Reads a mail whose envelope has no sender.
fn from_nobody(text: &str) -> Inbound {
    read(text.as_bytes(), Some("<>"), None, &|id| id.ends_with("@ours.example"))
}

/// A person's plain mail with these header lines and this text.
fn reply(headers: &str, text: &str) -> Inbound {
    mail(&format!(
        "From: Alice <alice@contoso.example>\nTo: ir+token@vendor.example\nSubject: Re: Data about Contoso [K7QF]\n\
         Message-ID: <m1@contoso.example>\nIn-Reply-To: <n1@ours.example>\n{headers}\n{text}"
    ))
}

#[test]
fn names_are_written_as_in_tables_and_json() {
    let names = [
        (Class::Human, "human"),
        (Class::BouncePermanent, "bounce_permanent"),
        (Class::BounceTransient, "bounce_transient"),
        (Class::Delay, "delay"),
        (Class::AutoReply, "auto_reply"),
        (Class::Complaint, "complaint"),
        (Class::Receipt, "receipt"),
        (Class::Loop, "loop"),
        (Class::Unclear, "unclear"),
    ];
    for (class, name) in names {
        assert_eq!(class.to_string(), name);
        assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{name}\""));
    }
}

#[test]
fn nothing_at_all_is_unclear() {
    for raw in [&b""[..], b"\r\n\r\n", b"\0\0\0", b"no header at all"] {
        let inbound = bytes(raw);
        assert_eq!(inbound.class, Class::Unclear, "{raw:?}");
        assert!(!inbound.evidence.is_empty());
    }
}

#[test]
fn thousands_of_nested_messages_are_read_without_overflow() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(50_000);
    assert_eq!(bytes(nested.as_bytes()).class, Class::Unclear);
    let multiparts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(20_000);
    let inbound = bytes(multiparts.as_bytes());
    assert!(inbound.evidence.iter().any(|why| why.contains("more parts")), "{:?}", inbound.evidence);
}

#[test]
fn a_mail_of_many_parts_keeps_the_first_and_says_so() {
    let part = "--b\r\nContent-Type: text/plain\r\n\r\nWhich?\r\n";
    let raw = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", part.repeat(5_000));
    let inbound = bytes(raw.as_bytes());
    assert!(inbound.new_text.starts_with("Which?") && inbound.evidence[0].contains("more parts"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        let inbound = bytes(&raw);
        questions(&inbound.new_text);
        prop_assert!(!inbound.evidence.is_empty());
    }

    #[test]
    fn arbitrary_mails_never_panic(raw in "(From: |To: |Subject: |Content-Type: |multipart/report; boundary=b|\
        message/delivery-status|message/rfc822|text/html; charset=utf-16|multipart/alternative; boundary=b|\r\n|\r\n\r\n|\
        --b|--b--|> |On 1 Jan a@b wrote:|-- |Final-Recipient: rfc822; a@b|<|>|;|=\\?utf-8\\?q\\?=|é|\"|\\(|Action: failed){0,60}") {
        for inbound in [bytes(raw.as_bytes()), from_nobody(&raw)] {
            questions(&inbound.new_text);
            prop_assert!(!inbound.evidence.is_empty());
        }
    }

    #[test]
    fn own_words_are_never_more_than_the_text(text in "(On 4 Oct A <a@b.example> wrote:|> |\n|word |\\?|-- |From: x\nSent: y\nTo: z\nSubject: u\n){0,40}") {
        let own = words::own(&text, words::Purpose::Answers);
        for line in own.lines().filter(|line| !line.is_empty()) {
            prop_assert!(text.lines().any(|known| known.trim_end() == line));
        }
    }
}
