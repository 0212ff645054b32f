//! Mails that people wrote.

use super::*;

#[track_caller]
fn own(text: &str, expected: &str) {
    let inbound = reply("", text);
    assert_eq!((inbound.class, inbound.new_text.as_str()), (Class::Human, expected), "{:?}", inbound.evidence);
}

#[test]
fn a_plain_reply_is_a_person_with_ids_addresses_and_words() {
    let inbound = mail(
        "From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <j.mueller@contoso.example>\nTo: Vendor <ir+abc@vendor.example>\n\
         Cc: ciso@contoso.example\nDelivered-To: ir+abc@vendor.example\nX-Original-To: ir+xyz@vendor.example\n\
         Subject: =?iso-8859-1?Q?Re=3A_Daten_=FCber_Contoso?=\nDate: Tue, 04 Oct 2022 09:30:00 +0200\n\
         Message-ID: <m1@contoso.example>\nIn-Reply-To: <n1@ours.example>\nReferences: <n0@ours.example>\n\
         \t<n1@ours.example>\n\nWhich files are these?\n",
    );
    assert_eq!(inbound.class, Class::Human);
    assert_eq!(inbound.from.as_deref(), Some("j.mueller@contoso.example"));
    assert_eq!(inbound.from_name.as_deref(), Some("Jürgen Müller"));
    assert_eq!(inbound.subject, "Re: Daten über Contoso");
    assert_eq!(inbound.date.unwrap().to_string(), "2022-10-04T07:30:00Z");
    assert_eq!(inbound.message_id.as_deref(), Some("m1@contoso.example"));
    assert_eq!(inbound.in_reply_to, ["n1@ours.example"]);
    assert_eq!(inbound.references, ["n0@ours.example", "n1@ours.example"]);
    let to = ["ir+token@vendor.example", "ir+abc@vendor.example", "ir+xyz@vendor.example", "ciso@contoso.example"];
    assert_eq!(inbound.to, to);
    assert_eq!(questions(&inbound.new_text), ["Which files are these?"]);
}

#[test]
fn quoted_printable_in_latin_1_is_read() {
    let inbound = reply(
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n",
        "Sind auch Auftr=E4ge f=FCr M=FCnchen betroffen, und wenn ja, welche davon gen=\nau?\n",
    );
    assert_eq!(inbound.class, Class::Human);
    assert_eq!(inbound.new_text, "Sind auch Aufträge für München betroffen, und wenn ja, welche davon genau?");
}

#[test]
fn base64_in_utf_8_is_read() {
    let inbound = reply(
        "Content-Type: text/plain; charset=\"UTF-8\"\nContent-Transfer-Encoding: base64\n",
        "V2VsY2hlIFByb2pla3RlIHNpbmQg\nYmV0cm9mZmVuPyBHcsO8w59l\n",
    );
    assert_eq!(inbound.new_text, "Welche Projekte sind betroffen? Grüße");
}

#[test]
fn japanese_in_its_own_charset_is_read() {
    let raw = b"From: a@contoso.example\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n\
                \x1b$B%U%!%$%k$O2?$G$9$+!)\x1b(B\r\n";
    let inbound = bytes(raw);
    assert_eq!(inbound.class, Class::Human);
    assert_eq!(questions(&inbound.new_text), ["ファイルは何ですか？"]);
}

#[test]
fn eight_bit_text_without_a_charset_is_read() {
    let inbound = bytes(b"From: a@contoso.example\nSubject: x\n\nF\xfcr wen?\n");
    assert_eq!(inbound.new_text, "Für wen?");
}

#[test]
fn a_reply_on_top_loses_the_quote_and_the_signature() {
    own(
        "Was our key in it?\n\n-- \nAlice, CISO\nContoso\n\nOn Tue, Oct 4, 2022 at 9:00 AM Vendor IR\n\
         <ir+t@vendor.example> wrote:\n\n> Data about you\n> was exposed\n",
        "Was our key in it?",
    );
}

#[test]
fn a_german_reply_on_top_loses_the_quote() {
    own(
        "Guten Tag,\n\nwelche Dateien sind es?\n\nAm Di., 4. Okt. 2022 um 09:00 Uhr schrieb Vendor <ir@vendor.example>:\n\n\
         > Daten über Sie\n>\n> lagen offen\n",
        "Guten Tag,\n\nwelche Dateien sind es?",
    );
    own(
        "Welche?\n\nAm 04.10.2022 um 09:00 schrieb Vendor Incident\nResponse <ir@vendor.example>:\n> Daten\n",
        "Welche?",
    );
}

#[test]
fn answers_between_quotes_are_kept() {
    own(
        "On 4 Oct 2022, Vendor wrote:\n> Objects: 412\n\nWhich of them are ours?\n\n> Users: 31\n\nWho are they?\n",
        "Which of them are ours?\n\nWho are they?",
    );
}

#[test]
fn own_words_directly_above_a_heading_stay() {
    own(
        "On balance we need the list by 5 pm\nOn Tue, 4 Oct 2022 Vendor <ir@vendor.example> wrote:\n> x\n",
        "On balance we need the list by 5 pm",
    );
}

#[test]
fn an_outlook_reply_loses_the_repeated_mail() {
    own(
        "Please send the list.\n\nKind regards\nAlice\n\nFrom: Vendor <ir@vendor.example>\nSent: Tuesday, 4 October 2022 09:00\n\
         To: Alice <alice@contoso.example>\nSubject: Data about Contoso\n\nData about you was exposed.\n",
        "Please send the list.\n\nKind regards\nAlice",
    );
    own(
        "Bitte die Liste.\n\n________________________________\nVon: Vendor <ir@vendor.example>\nGesendet: Dienstag, 4. Oktober\n\
         An: Alice\nBetreff: Daten\n\nDaten lagen offen.\n",
        "Bitte die Liste.\n\n________________________________",
    );
}

#[test]
fn an_original_message_below_a_separator_is_cut() {
    own("Which?\n\n-----Original Message-----\nData about you\n", "Which?");
    own("Welche?\n\n-----Ursprüngliche Nachricht-----\nVon: x\n", "Welche?");
}

#[test]
fn a_reply_below_an_unmarked_mail_is_kept_whole() {
    let text =
        "-----Original Message-----\nFrom: Vendor <ir@vendor.example>\nSent: today\nSubject: x\n\nData\n\nWhich file?";
    own(text, text);
}

#[test]
fn answers_inside_a_repeated_mail_are_kept_when_the_reply_says_so() {
    let text = "See my questions in red below.\n\nFrom: Vendor <ir@vendor.example>\nSent: today\nTo: Alice\nSubject: Data\n\n\
                Objects: 412 - which ones?";
    own(text, text);
}

#[test]
fn own_words_about_what_somebody_wrote_are_kept() {
    let text =
        "We are puzzled.\nOn 3 October your colleague wrote:\n\"There is no further information.\"\nIs this true?";
    own(text, text);
}

#[test]
fn a_person_who_uses_marks_as_bullets_keeps_their_words() {
    own("> which files?\n> which users?\n", "> which files?\n> which users?");
}

#[test]
fn dashes_of_ones_own_and_long_or_asking_signatures_stay() {
    own("First point.\n--\nSecond point.", "First point.\n--\nSecond point.");
    own("Hello\n-- \nAnd who are you?", "Hello\n--\nAnd who are you?");
}

#[test]
fn html_only_from_gmail_is_read_without_its_quote() {
    let inbound = reply(
        "Content-Type: text/html; charset=utf-8\n",
        "<div dir=\"ltr\">Sind Passw&ouml;rter dabei?<br><br>Gr&uuml;&szlig;e</div><br><div class=\"gmail_quote\">\
         <div dir=\"ltr\" class=\"gmail_attr\">Am Di., 4. Okt. 2022 um 09:00 Uhr schrieb Vendor &lt;ir@vendor.example&gt;:<br>\
         </div><blockquote class=\"gmail_quote\" style=\"margin:0\"><div>Daten lagen offen. Fragen?</div></blockquote></div>",
    );
    assert_eq!((inbound.class, inbound.new_text.as_str()), (Class::Human, "Sind Passwörter dabei?\n\nGrüße"));
    assert!(inbound.full_text.contains("> Daten lagen offen."));
}

#[test]
fn html_only_from_outlook_is_read_without_the_repeated_mail() {
    let inbound = reply(
        "Content-Type: text/html\n",
        "<html><head><style>p {margin:0}</style></head><body><p class=MsoNormal>Which users?<o:p></o:p></p>\
         <div style='border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> Vendor &lt;ir@vendor.example&gt;<br><b>Sent:</b> Tuesday\
         <br><b>To:</b> Alice<br><b>Subject:</b> Data</p></div><p>Data about you was exposed.</p></body></html>",
    );
    assert_eq!((inbound.class, inbound.new_text.as_str()), (Class::Human, "Which users?"));
}

#[test]
fn of_alternatives_the_plain_one_counts_unless_it_is_empty() {
    let mixed = |plain: &str| {
        reply(
            "Content-Type: multipart/mixed; boundary=\"o\"\n",
            &format!(
                "--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\nContent-Type: text/plain\n\n{plain}\n--i\n\
                 Content-Type: text/html\n\n<p>from html?</p>\n--i--\n--o\nContent-Type: application/pdf; name=a.pdf\n\
                 Content-Transfer-Encoding: base64\n\nAAAA\n--o\nContent-Type: text/plain; name=log.txt\n\
                 Content-Disposition: attachment\n\nnot the mail\n--o--\n"
            ),
        )
    };
    assert_eq!(mixed("plain, from html?").new_text, "plain, from html?");
    assert_eq!(mixed("  ").new_text, "from html?");
    assert_eq!(mixed("x").class, Class::Human);
}

#[test]
fn bulk_precedence_or_suppressed_replies_alone_say_nothing() {
    assert_eq!(reply("Precedence: bulk\n", "Which files?").class, Class::Human);
    assert_eq!(reply("X-Auto-Response-Suppress: All\n", "Which files?").class, Class::Human);
    assert_eq!(reply("Auto-Submitted: no\n", "Which files?").class, Class::Human);
    assert_eq!(reply("Precedence: bulk\nX-Auto-Response-Suppress: All\n", "Which files?").class, Class::Unclear);
}

#[test]
fn a_person_may_quote_a_bounce_or_write_about_absence() {
    let text = "Your mail bounced here:\nalice@contoso.example: 550 5.1.1 could not be delivered\nCan you resend?";
    assert_eq!(reply("", text).class, Class::Human);
    let answer = "From: a@contoso.example\nSubject: Re: Automatic reply: Data\n\nAlice is back, what do you need?\n";
    assert_eq!(mail(answer).class, Class::Human);
}

#[test]
fn a_mail_without_own_words_or_encrypted_is_for_a_person_to_look_at() {
    assert_eq!(reply("", "On 4 Oct 2022 Vendor wrote:\n> Data\n").class, Class::Unclear);
    assert_eq!(reply("", "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n").class, Class::Unclear);
    let opaque = reply("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n", "AAAA");
    assert_eq!(opaque.class, Class::Unclear);
    assert!(opaque.evidence.iter().any(|why| why.contains("encrypted")));
    let pgp = "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n";
    let parts = "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nx\n--b--";
    assert_eq!(reply(pgp, parts).class, Class::Unclear);
}

#[test]
fn a_signed_mail_is_read() {
    let inbound = reply(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\n",
        "--s\nContent-Type: text/plain\n\nWhich files?\n--s\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\nAAAA\n--s--\n",
    );
    assert_eq!((inbound.class, inbound.new_text.as_str()), (Class::Human, "Which files?"));
}

#[test]
fn an_encrypted_mail_is_flagged_and_never_empty() {
    let pgp = "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n";
    let parts = "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nx\n--b--";
    for inbound in [
        reply(pgp, parts),
        reply("", "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"),
        reply("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n", "AAAA"),
    ] {
        assert!(inbound.encrypted && inbound.new_text.contains("encrypted"), "{inbound:?}");
        assert_eq!(inbound.class, Class::Unclear);
    }
    let partly = reply("", "Which files? The names:\n\n-----BEGIN PGP MESSAGE-----\nhQ\n-----END PGP MESSAGE-----\n");
    assert!(partly.encrypted && partly.new_text.starts_with("Which files?"));
    assert!(!reply("", "Which files?").encrypted);
}

#[test]
fn whether_a_program_may_answer_is_another_question_than_who_wrote() {
    assert!(reply("", "Which files?").may_answer);
    for header in [
        "Precedence: bulk",
        "Precedence: list",
        "List-Id: <sec.contoso.example>",
        "X-Auto-Response-Suppress: All",
        "Return-Path: <sec-bounces@lists.contoso.example>",
    ] {
        let inbound = reply(&format!("{header}\n"), "Which files?");
        assert_eq!((inbound.class, inbound.may_answer), (Class::Human, false), "{header}");
    }
    assert!(reply("X-Auto-Response-Suppress: DR, RN\n", "Which files?").may_answer);
    assert!(!reply("Auto-Submitted: auto-replied\n", "Which files?").may_answer);
    assert!(!from_nobody("From: a@contoso.example\nSubject: x\n\nWhich files?\n").may_answer);
    assert!(!mail("From: noreply@contoso.example\nSubject: x\n\nWhich files?\n").may_answer);
}

#[test]
fn a_mail_that_names_only_a_telephone_is_for_a_person_to_look_at() {
    let inbound =
        reply("", "Sent from my iPhone\n\n> On 4 Oct 2022, Vendor <ir@vendor.example> wrote:\n> Data\n> about you\n");
    assert_eq!(inbound.class, Class::Unclear);
}

#[track_caller]
fn whole(text: &str) {
    own(text, &text.replace("-- \n", "--\n"));
}

#[test]
fn own_words_below_what_only_looks_like_a_mail_programs_heading_stay() {
    whole(
        "Hello,\n\nOn 24 September 2022 your colleague bob@vendor.example wrote:\nyour access key was rotated.\n\n\
         Which key is meant, and who rotated it?",
    );
    whole(
        "Hello,\n\nOn 24 September 2022 Bob <bob@vendor.example> wrote:\nyour access key was rotated.\n\n\
         Which key is meant, and who rotated it?",
    );
    whole(
        "The files of this period:\n\nFrom: 2021-01-01\nTo: 2022-09-24\nSubject: invoices\n\nThose we need by all means.",
    );
    whole(
        "Im Log steht:\n\nVon: 10.0.0.1\nAn: 10.0.0.2\nDatum: 2022-09-01\n\nDas war der Zugriff. Nennen Sie den Nutzer.",
    );
    whole("The copies went:\n\nFrom: Berlin\nTo: Munich\nDate: 2022-09-01\n\nThat is all we know.");
}

#[test]
fn what_a_reader_wrote_into_an_unmarked_mail_stays() {
    let mail = "From: Vendor <ir@vendor.example>\nSent: Monday\nTo: Pat\nSubject: notice\n\nWHAT HAPPENED\n\
                A storage server was reachable.\nFrom there files were read.\n";
    let rest = "\nWHAT TO DO\nNothing today.\nWe go on.\nMore follows.\nVendor";
    whole(&format!("Hi, my comments.\n\n{mail}Since when was it reachable?{rest}"));
    whole(&format!("Hi, see there.\n\n{mail}[Pat] Who pays for that?{rest}"));
    whole(&format!("Hi, see there.\n\n{mail}>>> Since when?{rest}\n>>> And whose?"));
    own(&format!("Hi, see there.\n\n{mail}[1] https://vendor.example{rest}"), "Hi, see there.");
}

#[test]
fn a_request_behind_a_signature_mark_stays() {
    whole("Thanks.\n\n-- \nPlease send the log of accesses");
    own("Thanks.\n\n-- \nAnn Doe\nPlease consider the environment before printing", "Thanks.");
}

const TOKEN: &str = "ir+0123456789abcdefghjkmnpqrstvwxyz@vendor.example";

#[track_caller]
fn names_the_token(headers: &str) {
    let raw = format!("From: a@contoso.example\nSubject: x\n{headers}\n\nWhich files?\n");
    let inbound = read(raw.as_bytes(), None, None, &|_| false);
    assert!(inbound.to.iter().any(|address| address == TOKEN), "{:?}", inbound.to.last());
}

#[test]
fn the_address_that_names_a_ticket_is_found_wherever_it_stands() {
    let many = (0..205).map(|number| format!("u{number}@contoso.example")).collect::<Vec<_>>().join(",\n ");
    names_the_token(&format!("To: {many}, {TOKEN}"));
    names_the_token(&format!("To: {many}\nCc: {TOKEN}"));
    names_the_token(&format!("{}To: {TOKEN}", "X-Junk: 0123456789012345678901234567890123456789\n".repeat(7_000)));
    names_the_token("To: \"ir+0123456789abcdefghjkmnpqrstvwxyz\"@vendor.example");
}

#[test]
fn the_end_of_a_long_thread_is_read_and_what_may_be_ours_before_it() {
    let ours = "0123456789ABCDEFGHJKMNPQRS@vendor.example";
    let thread = |first: &str, last: &str| {
        let between: String = (0..260).map(|number| format!("\n <r{number}@contoso.example>")).collect();
        let raw = format!("From: a@contoso.example\nReferences: <{first}>{between} <{last}>\n\nWhich files?\n");
        read(raw.as_bytes(), None, None, &|_| false).references
    };
    assert_eq!(thread("old@contoso.example", "new@contoso.example").last().unwrap(), "new@contoso.example");
    assert!(thread(ours, "new@contoso.example").iter().any(|id| id == ours));
}
