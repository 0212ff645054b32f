//! Mails as they leave, and as a reader's program reads them back.

use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

use super::*;

fn sender() -> Sender {
    Sender { name: "Incident Response".to_owned(), address: "incident-response@vendor.example".to_owned() }
}

/// A mail whose every field is plain; tests change what they are about.
fn sample<'a>(from: &'a Sender) -> Outgoing<'a> {
    Outgoing {
        letter: LetterParts { subject: "What of yours was exposed", text: "Hello,\nfacts.\n", html: None },
        from,
        to_address: "security@them.example",
        to_name: Some("Sam Security"),
        message_id: "ntc_01.k7@vendor.example",
        reply_to: Some("tickets+k7qf2m9x@vendor.example"),
        date: Timestamp::from_micros(1_664_014_272_999_999),
        references: &[],
        automatic: Automatic::Generated,
        rehearsal: Rehearsal::No,
        language: "en",
    }
}

fn composed(mail: &Outgoing<'_>) -> String {
    String::from_utf8(compose(mail).unwrap()).unwrap()
}

/// The header lines, unfolded.
fn headers(mail: &str) -> Vec<String> {
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_text_mail_is_exactly_this() {
    let expect = "From: \"Incident Response\" <incident-response@vendor.example>\r\n\
                  To: \"Sam Security\" <security@them.example>\r\n\
                  Reply-To: tickets+k7qf2m9x@vendor.example\r\n\
                  Subject: What of yours was exposed\r\n\
                  Message-ID: <ntc_01.k7@vendor.example>\r\n\
                  References: <ntc_01.k7@vendor.example>\r\n\
                  Content-Language: en\r\n\
                  Auto-Submitted: auto-generated\r\n\
                  X-Auto-Response-Suppress: OOF, AutoReply\r\n\
                  MIME-Version: 1.0\r\n\
                  Content-Type: text/plain; charset=utf-8\r\n\
                  Content-Transfer-Encoding: 7bit\r\n\
                  \r\n\
                  Hello,\r\nfacts.\r\n\r\n";
    assert_eq!(composed(&sample(&sender())), format!("Date: Sat, 24 Sep 2022 10:11:12 +0000\r\n{expect}"));
}

#[test]
fn text_and_html_are_alternatives_and_equal_input_gives_equal_bytes() {
    let from = sender();
    let mut mail = sample(&from);
    let text = "Grüße, \n.\nFrom here =20 on\n";
    let html = format!("<!DOCTYPE html>\n<p lang=\"de\">Grüße {}</p>\n", "x ".repeat(600));
    mail.letter = LetterParts { subject: "Größe: 2 Objekte", text, html: Some(&html) };
    let bytes = compose(&mail).unwrap();
    assert_eq!(bytes, compose(&mail).unwrap());
    assert!(bytes.is_ascii());
    assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 78 && !line.ends_with(b" \r")));

    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.subject(), Some("Größe: 2 Objekte"));
    assert_eq!(parsed.content_type().unwrap().subtype(), Some("alternative"));
    assert_eq!((parsed.text_body_count(), parsed.html_body_count(), parsed.attachment_count()), (1, 1, 0));
    assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), text);
    assert_eq!(parsed.body_html(0).unwrap().replace("\r\n", "\n"), html);
}

#[test]
fn the_boundary_cannot_be_written_by_the_text() {
    let from = sender();
    let mut mail = sample(&from);
    let text = format!("--{}\r\nContent-Type: text/html\r\n\r\nevil\r\n", boundary(mail.message_id));
    mail.letter = LetterParts { subject: "x", text: &text, html: Some("<p>x</p>") };
    let bytes = compose(&mail).unwrap();
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.body_text(0).unwrap(), text);
    assert_eq!(parsed.body_html(0).unwrap(), "<p>x</p>");
}

#[test]
fn an_answer_by_nobody_says_that_it_is_one() {
    let from = sender();
    let lines = headers(&composed(&Outgoing { automatic: Automatic::Replied, ..sample(&from) }));
    assert!(lines.contains(&"Auto-Submitted: auto-replied".to_owned()), "{lines:?}");
    assert!(lines.contains(&"X-Auto-Response-Suppress: OOF, AutoReply".to_owned()), "{lines:?}");
}

#[test]
fn a_persons_mail_says_nothing_of_being_automatic() {
    let from = sender();
    let mail = Outgoing { automatic: Automatic::ByPerson, ..sample(&from) };
    let text = composed(&mail);
    assert!(!text.contains("Auto-Submitted") && !text.contains("X-Auto-Response-Suppress"), "{text}");
}

#[test]
fn a_rehearsal_says_so_twice() {
    let from = sender();
    let lines = headers(&composed(&Outgoing { rehearsal: Rehearsal::Yes, ..sample(&from) }));
    assert!(lines.contains(&"Subject: [REHEARSAL] What of yours was exposed".to_owned()), "{lines:?}");
    assert!(lines.contains(&"X-Forthright-Rehearsal: REHEARSAL".to_owned()));
    assert!(!composed(&sample(&from)).contains("REHEARSAL"));
}

#[test]
fn the_conversation_is_referenced_with_the_mails_own_id_last() {
    let from = sender();
    let earlier: Vec<String> = (1..=9).map(|n| format!("a-rather-long-message-id-{n}@them.example")).collect();
    let text = composed(&Outgoing { references: &earlier, ..sample(&from) });
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    let lines = headers(&text);
    let all: String = earlier.iter().map(|id| format!("<{id}> ")).collect();
    assert!(lines.contains(&format!("References: {all}<ntc_01.k7@vendor.example>")), "{lines:?}");
    assert!(lines.contains(&"In-Reply-To: <a-rather-long-message-id-9@them.example>".to_owned()));
}

#[test]
fn international_domains_become_a_labels() {
    let from = Sender { name: String::new(), address: "ir@bücher.example".to_owned() };
    let mail = Outgoing { to_address: "sicherheit@MÜNCHEN.example", to_name: None, reply_to: None, ..sample(&from) };
    let lines = headers(&composed(&mail));
    assert!(lines.contains(&"From: ir@xn--bcher-kva.example".to_owned()), "{lines:?}");
    assert!(lines.contains(&"To: sicherheit@xn--mnchen-3ya.example".to_owned()));
    assert!(!lines.iter().any(|line| line.starts_with("Reply-To")));
}

#[test]
fn line_breaks_never_become_headers() {
    let from = sender();
    let check = |mail: &Outgoing<'_>, word: &str| {
        let error = compose(mail).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    let letter = LetterParts { subject: "x\r\nBcc: spy@evil.example", ..sample(&from).letter };
    check(&Outgoing { letter, ..sample(&from) }, "subject");
    check(&Outgoing { message_id: "a@b.example>\r\nBcc: <spy@evil.example", ..sample(&from) }, "message id");
    check(&Outgoing { references: &["a@b\r\nBcc: c".to_owned()], ..sample(&from) }, "message id");
    check(&Outgoing { language: "en\r\nBcc: spy@evil.example", ..sample(&from) }, "language");
    check(&Outgoing { to_address: "a@b.example\r\nBcc: c@d.example", ..sample(&from) }, "recipient");
    check(&Outgoing { to_address: "a@b.example, c@d.example", ..sample(&from) }, "recipient");
    check(&Outgoing { reply_to: Some("nobody"), ..sample(&from) }, "reply address");
    check(&Outgoing { date: Timestamp::from_micros(-1), ..sample(&from) }, "date");
    check(&Outgoing { date: Timestamp::from_micros(i64::MAX), ..sample(&from) }, "date");

    let named = Outgoing { to_name: Some(" Sam\r\nBcc:\tspy@evil.example "), ..sample(&from) };
    let text = composed(&named);
    let parsed = MessageParser::default().parse(text.as_bytes()).unwrap();
    assert!(!text.contains("\nBcc") && parsed.bcc().is_none(), "{text}");
    assert_eq!(parsed.to().unwrap().first().unwrap().name(), Some("Sam Bcc: spy@evil.example"));
}

#[test]
fn a_letter_of_the_model_can_be_lent() {
    let letter = Letter { subject: "s".to_owned(), text: "t".to_owned(), html: Some("h".to_owned()) };
    let parts = LetterParts::from(&letter);
    assert_eq!((parts.subject, parts.text, parts.html), ("s", "t", Some("h")));
}

proptest! {
    #[test]
    fn whatever_the_name_there_is_one_recipient_and_the_parts_read_back(
        name in "\\PC{0,60}|[ \"\\\\<>@,;:()a\r\n]{0,20}",
        subject in "[^\\p{Cc}\u{2028}\u{2029}]{0,120}",
        text in "([^\\p{Cc}]{0,90}\n){0,6}",
        html in proptest::option::of("(<p>[^\\p{Cc}]{0,120}</p>\n){0,4}"),
    ) {
        let from = Sender { name: name.clone(), ..sender() };
        let letter = LetterParts { subject: &subject, text: &text, html: html.as_deref() };
        let bytes = compose(&Outgoing { letter, to_name: Some(&name), ..sample(&from) }).unwrap();
        prop_assert!(bytes.is_ascii());
        let lines = headers(std::str::from_utf8(&bytes).unwrap());
        prop_assert_eq!(lines.iter().filter(|line| line.starts_with("To: ")).count(), 1);
        prop_assert!(!lines.iter().any(|line| line.starts_with("Bcc") || line.starts_with("Cc")));
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let to: Vec<_> = parsed.to().unwrap().iter().filter_map(|each| each.address()).collect();
        prop_assert_eq!(to, vec!["security@them.example"]);
        let read = parsed.body_text(0).unwrap().replace("\r\n", "\n");
        prop_assert_eq!(read.trim_end_matches('\n'), text.trim_end_matches('\n'));
        if let Some(html) = &html {
            let read = parsed.body_html(0).unwrap().replace("\r\n", "\n");
            prop_assert_eq!(read.trim_end_matches('\n'), html.trim_end_matches('\n'));
        }
    }
}
