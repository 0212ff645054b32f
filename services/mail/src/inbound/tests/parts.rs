//! Words that stand in another part than the first: Outlook's own format, attached mails and texts, the HTML half.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// A person's mail of these parts, each with its header.
fn of_parts(kind: &str, parts: &[&str]) -> Inbound {
    let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
    reply(&format!("MIME-Version: 1.0\nContent-Type: {kind}; boundary=b\n"), &format!("{parts}--b--\n"))
}

const HELLO: &str = "Content-Type: text/plain\n\nHello all.";

#[track_caller]
fn check(inbound: &Inbound, new_text: &str) {
    assert_eq!((inbound.class, inbound.new_text.as_str()), (Class::Human, new_text), "{:?}", inbound.evidence);
}

/// A winmail.dat with one text in the old attribute and one file.
fn winmail(text: &str) -> String {
    let attribute = |id: u32, data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        [&[1][..], &id.to_le_bytes(), &length, data, &[0, 0]].concat()
    };
    let body = attribute(0x0002_800c, text.as_bytes());
    let file = [attribute(0x0006_9002, &[0; 14]), attribute(0x0001_8010, b"list.pdf\0")].concat();
    let bytes = [&0x223e_9f78_u32.to_le_bytes()[..], &[1, 0], &body, &file].concat();
    format!(
        "Content-Type: application/ms-tnef; name=\"winmail.dat\"\nContent-Transfer-Encoding: base64\n\n{}",
        STANDARD.encode(bytes)
    )
}

#[test]
fn the_text_in_outlooks_own_format_is_read_and_its_files_are_named() {
    let inbound = of_parts("multipart/mixed", &[&winmail("Which files were read?")]);
    check(&inbound, "Which files were read?");
    assert!(inbound.evidence.iter().any(|why| why.contains("winmail.dat") && why.contains("list.pdf")));
    let beside = of_parts(
        "multipart/mixed",
        &["Content-Type: text/plain\n\nWhich  files were read?", &winmail("Which files were read?")],
    );
    check(&beside, "Which  files were read?");
    let more = of_parts("multipart/mixed", &[HELLO, &winmail("Which files were read?")]);
    check(&more, "Hello all.\n\nWhich files were read?");
}

#[test]
fn what_only_says_that_it_is_outlooks_own_format_is_named_and_the_text_beside_it_used() {
    let broken = "Content-Type: application/ms-tnef; name=\"winmail.dat\"\n\nx";
    let inbound = of_parts("multipart/mixed", &["Content-Type: text/plain\n\nWhich files?", broken]);
    check(&inbound, "Which files?");
    assert!(inbound.evidence.iter().any(|why| why.contains("winmail.dat")));
}

#[test]
fn what_an_attached_mail_or_text_asks_is_asked() {
    let mail = "Content-Type: message/rfc822\n\nFrom: boss@contoso.example\nSubject: My question\n\nWho read our files?\n\n> old?\n> older?";
    check(
        &of_parts("multipart/mixed", &[HELLO, mail]),
        "Hello all.\n\n[attached message: My question]\nWho read our files?",
    );
    let text = "Content-Type: text/plain; name=q.txt\nContent-Disposition: attachment; filename=q.txt\n\nPlease send the list of files.";
    check(
        &of_parts("multipart/mixed", &[HELLO, text]),
        "Hello all.\n\n[attached: q.txt]\nPlease send the list of files.",
    );
    let deep =
        format!("Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n{mail}\n--c--");
    assert!(of_parts("multipart/mixed", &[HELLO, &deep]).new_text.ends_with("Who read our files?"));
}

#[test]
fn an_attached_letter_of_ours_or_a_log_asks_nothing_and_is_kept() {
    let ours = "Content-Type: message/rfc822\n\nFrom: ir@vendor.example\nSubject: Data\n\nDo you have questions?";
    let log = "Content-Type: text/plain; name=access.log\n\nGET /a?b=c 200\nGET /d?e 404";
    let inbound = of_parts("multipart/mixed", &["Content-Type: text/plain\n\nWhich files?", ours, log]);
    check(&inbound, "Which files?");
    assert!(inbound.full_text.contains("Do you have questions?") && inbound.full_text.contains("GET /d?e 404"));
}

#[test]
fn the_html_half_counts_where_it_says_more() {
    let halves = |plain: &str, html: &str| {
        let plain = format!("Content-Type: text/plain\n\n{plain}");
        of_parts("multipart/alternative", &[&plain, &format!("Content-Type: text/html\n\n{html}")]).new_text
    };
    let points = "This mail is HTML, use a modern reader.";
    let asked = "Good morning. Somebody has downloaded archives of our project in September. Who downloaded our files?";
    assert_eq!(halves(points, &format!("<p>{asked}</p>")), format!("{points}\n\n{asked}"));
    let plain = "Dear all, we have read your notice about our files with care.";
    assert_eq!(halves(plain, &format!("<p>{plain}</p><p>And who paid?</p>")), format!("{plain}\n\nAnd who paid?"));
    // Links and marks that only one of them has are nothing new.
    let linked = "See https://contoso.example/x now.\nIs *this* ours?";
    assert_eq!(
        halves(linked, "<p>See <a href='https://contoso.example/x'>now</a>.</p><p>Is <b>this</b> ours?</p>"),
        linked
    );
    let quoted = "Which files?\n\nOn 4 Oct 2022 Vendor <ir@vendor.example> wrote:\n> Data. Questions?";
    let html = "Which files?<div class=gmail_quote>On 4 Oct 2022 Vendor &lt;ir@vendor.example&gt; wrote:<blockquote class=gmail_quote>\
                Data. Any questions, or remarks that we should know of?</blockquote></div>";
    assert_eq!(halves(quoted, html), "Which files?");
}

#[test]
fn hidden_html_is_kept_and_asks_nothing() {
    let inbound = reply(
        "Content-Type: text/html\n",
        "<p>Which <b>keys</b>?</p><div style='display:none'>hidden?</div><blockquote>old?</blockquote>",
    );
    check(&inbound, "Which keys?");
    assert!(
        inbound.full_text.contains("[hidden] hidden?") && inbound.full_text.contains("> old?"),
        "{}",
        inbound.full_text
    );
    let forged = reply("Content-Type: text/plain; charset=utf-8\n", "\u{fdd0}Which files?");
    check(&forged, "Which files?");
}

#[test]
fn answers_written_into_an_html_quote_are_kept_when_the_reply_says_so() {
    let html = "<div>My answers inline</div><div class=gmail_quote>On Mon, 3 Oct 2022 Vendor &lt;ir@vendor.example&gt; wrote:\
                <blockquote>Discovered 2022?<div>MY QUESTION: who found it?</div></blockquote></div>";
    assert!(reply("Content-Type: text/html\n", html).new_text.contains("who found it?"));
}

#[test]
fn a_question_behind_hundreds_of_pictures_is_read_and_what_is_behind_more_makes_a_person_look() {
    let picture = "Content-Type: image/png; name=a.png\n\nx";
    let of = |pictures: usize| {
        let parts: Vec<&str> = [HELLO].into_iter().chain(vec![picture; pictures]).collect();
        of_parts("multipart/mixed", &[&parts[..], &["Content-Type: text/plain\n\nWho read them?"]].concat())
    };
    check(&of(300), "Hello all.\n\nWho read them?");
    let inbound = of(1_100);
    assert_eq!((inbound.class, inbound.new_text.as_str()), (Class::Unclear, "Hello all."), "{:?}", inbound.evidence);
}

#[test]
fn what_markup_quotes_in_a_mail_that_is_passed_on_is_content() {
    let quoted = "<blockquote type=cite>Which users are ours?</blockquote>";
    let passed_on = format!("<p>For you.</p><div>Begin forwarded message:</div>{quoted}");
    assert!(reply("Content-Type: text/html\n", &passed_on).new_text.ends_with("Which users are ours?"));
    let raw =
        format!("From: a@contoso.example\nSubject: Fwd: Data\nContent-Type: text/html\n\n<p>For you.</p>{quoted}\n");
    assert!(mail(&raw).new_text.contains("Which users are ours?"));
}

#[test]
fn what_is_said_in_a_type_that_few_know_or_in_none_is_read() {
    for kind in ["text", "text/enriched", "text/richtext", "text/markdown", "plain"] {
        let inbound = reply(&format!("Content-Type: {kind}\n"), "<bold>Which files?</bold>");
        assert!(inbound.new_text.contains("Which files?"), "{kind}: {inbound:?}");
        assert_eq!(inbound.class, Class::Human, "{kind}");
    }
}
