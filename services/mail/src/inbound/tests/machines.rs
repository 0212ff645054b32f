//! Mails that programs wrote.

use super::*;

/// A delivery report as postfix writes it.
fn dsn(per_recipient: &str) -> Inbound {
    from_nobody(&format!(
        "From: MAILER-DAEMON@mx.contoso.example (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\n\
         To: bounces@vendor.example\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"AB12/mx\"\n\n\
         This is a MIME-encapsulated message.\n\n--AB12/mx\nContent-Description: Notification\n\
         Content-Type: text/plain; charset=us-ascii\n\nThis is the mail system at host mx.contoso.example.\n\n\
         --AB12/mx\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.contoso.example\nX-Postfix-Queue-ID: AB12\n\n{per_recipient}\n--AB12/mx\n\
         Content-Description: Undelivered Message\nContent-Type: message/rfc822\n\nFrom: ir@vendor.example\n\
         Message-ID: <n1@ours.example>\nSubject: Data\n\nbody\n--AB12/mx--\n"
    ))
}

#[test]
fn a_refusal_for_good_names_recipient_status_and_letter() {
    let inbound =
        dsn("Final-Recipient: rfc822; alice@contoso.example\nOriginal-Recipient: rfc822;alice@contoso.example\n\
         Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx2.contoso.example\n\
         Diagnostic-Code: smtp; 550 5.1.1 <alice@contoso.example>: Recipient address\n    rejected: User unknown\n");
    assert_eq!(inbound.class, Class::BouncePermanent);
    assert_eq!(inbound.returned_message_ids, ["n1@ours.example"]);
    let [recipient] = inbound.recipients.as_slice() else { panic!("{:?}", inbound.recipients) };
    assert_eq!((recipient.address.as_str(), recipient.action.as_str()), ("alice@contoso.example", "failed"));
    assert_eq!((recipient.status.as_str(), recipient.permanent), ("5.1.1", Some(true)));
    assert!(recipient.diagnostic.ends_with("rejected: User unknown"), "{}", recipient.diagnostic);
}

#[test]
fn giving_up_after_days_is_transient() {
    let inbound = dsn("Final-Recipient: rfc822; alice@contoso.example\nAction: failed\nStatus: 4.4.1\n\
                       Diagnostic-Code: X-Postfix; connect to mx.contoso.example[192.0.2.4]:25: Connection timed out\n");
    assert_eq!((inbound.class, inbound.recipients[0].permanent), (Class::BounceTransient, Some(false)));
}

#[test]
fn a_delay_is_a_delay_whatever_its_status() {
    let inbound = dsn("Final-Recipient: rfc822; a@contoso.example\nAction: delayed\nStatus: 4.7.0\n");
    assert_eq!(inbound.class, Class::Delay);
}

#[test]
fn of_several_recipients_the_worst_decides() {
    let inbound = dsn("Final-Recipient: rfc822; a@contoso.example\nAction: delayed\nStatus: 4.7.0\n\n\
                       Final-Recipient: rfc822; b@contoso.example\nAction: failed\nStatus: 5.7.1\n");
    assert_eq!((inbound.class, inbound.recipients.len()), (Class::BouncePermanent, 2));
}

#[test]
fn a_report_of_success_is_a_receipt() {
    let inbound = dsn("Final-Recipient: rfc822; a@contoso.example\nAction: relayed\nStatus: 2.0.0\n");
    assert_eq!((inbound.class, inbound.recipients[0].permanent), (Class::Receipt, None));
}

#[test]
fn a_report_without_an_outcome_is_unclear() {
    let report = |subject: &str| {
        let raw = format!(
            "From: postmaster@contoso.example\nSubject: {subject}\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\nContent-Type: message/delivery-status\n\nX-Nothing: here\n--b--\n"
        );
        from_nobody(&raw).class
    };
    assert_eq!(report("Data"), Class::Unclear);
    assert_eq!(report("Undelivered Mail Returned to Sender"), Class::BouncePermanent);
}

#[test]
fn a_report_with_headers_only_still_names_the_letter() {
    let inbound = from_nobody(
        "From: postmaster@contoso.example\nContent-Type: multipart/report; report-type=\"delivery-status\"; boundary=b\n\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;x\n\nFinal-Recipient: rfc822;<a@contoso.example>\n\
         Action: failed (bad)\nStatus: 5.0.0\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-Id: <n7@ours.example>\n--b--\n",
    );
    assert_eq!((inbound.class, inbound.recipients[0].address.as_str()), (Class::BouncePermanent, "a@contoso.example"));
    assert_eq!(inbound.returned_message_ids, ["n7@ours.example"]);
}

#[test]
fn an_exim_bounce_is_read_from_its_words() {
    let inbound = from_nobody(
        "X-Failed-Recipients: alice@contoso.example\nAuto-Submitted: auto-replied\n\
         From: Mail Delivery System <Mailer-Daemon@mx.contoso.example>\nSubject: Mail delivery failed: returning message to sender\n\n\
         This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to \
         one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  alice@contoso.example\n\
         \x20   host mx.contoso.example [192.0.2.25]\n    SMTP error from remote mail server after RCPT TO:<alice@contoso.example>:\n\
         \x20   550 5.1.1 no such user\n\n------ This is a copy of the message, including all the headers. ------\n\n\
         Return-path: <ir@vendor.example>\nMessage-ID: <n2@ours.example>\n\nbob@other.example\nbody\n",
    );
    assert_eq!(inbound.class, Class::BouncePermanent, "{:?}", inbound.evidence);
    assert_eq!(inbound.returned_message_ids, ["n2@ours.example"]);
    let [recipient] = inbound.recipients.as_slice() else { panic!("{:?}", inbound.recipients) };
    assert_eq!((recipient.status.as_str(), recipient.permanent), ("5.1.1", Some(true)));
}

#[test]
fn an_exim_delay_is_read_from_its_words() {
    let inbound = from_nobody(
        "From: Mail Delivery System <Mailer-Daemon@mx.contoso.example>\nSubject: Warning: message 1ab delayed 24 hours\n\n\
         This message was created automatically by mail delivery software.\nA message that you sent has not been delivered to \
         one or more of its\nrecipients after more than 24 hours.\n\nThe address to which the message has not yet been delivered is:\n\n\
         \x20 alice@contoso.example\n    Delay reason: connection refused\n",
    );
    assert_eq!((inbound.class, inbound.recipients[0].permanent), (Class::Delay, Some(false)));
}

#[test]
fn a_qmail_bounce_is_read_from_its_words() {
    let inbound = from_nobody(
        "From: MAILER-DAEMON@mail.contoso.example\nSubject: failure notice\n\nHi. This is the qmail-send program at \
         mail.contoso.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a \
         permanent error; I've given up. Sorry it didn't work out.\n\n<alice@contoso.example>:\n192.0.2.9 failed after I sent \
         the message.\nRemote host said: 452 4.2.2 mailbox full\n\n--- Below this line is a copy of the message.\n\n\
         Message-Id: <n3@ours.example>\n",
    );
    assert_eq!((inbound.class, inbound.recipients[0].status.as_str()), (Class::BounceTransient, "4.2.2"));
    assert_eq!(inbound.returned_message_ids, ["n3@ours.example"]);
}

#[test]
fn a_german_exchange_bounce_is_read_from_its_words() {
    let inbound = from_nobody(
        "From: Microsoft Outlook <MicrosoftExchange329e@contoso.example>\nSubject: Unzustellbar: Daten\n\
         Content-Type: text/html; charset=utf-8\n\n<p>Fehler bei der Nachrichtenzustellung an folgende Empf&auml;nger oder \
         Gruppen:</p><p><a href=\"mailto:alice@contoso.example\">alice@contoso.example</a><br>Die E-Mail-Adresse wurde nicht \
         gefunden: 550 5.1.10</p>",
    );
    assert_eq!((inbound.class, inbound.recipients[0].status.as_str()), (Class::BouncePermanent, "5.1.10"));
}

#[test]
fn a_vacation_note_without_envelope_sender_is_no_bounce() {
    let inbound = from_nobody(
        "From: Alice <alice@contoso.example>\nSubject: Automatische Antwort: Daten\nAuto-Submitted: auto-replied\n\
         X-Auto-Response-Suppress: All\n\nIch bin bis Montag nicht im Haus. Wer hilft? Siehe Intranet.\n",
    );
    assert_eq!(inbound.class, Class::AutoReply);
    let unlabelled = from_nobody("From: a@contoso.example\nSubject: Out of office: Data\n\nI am away. Questions?\n");
    assert_eq!(unlabelled.class, Class::AutoReply);
}

#[test]
fn every_sign_of_an_automatic_reply_is_seen() {
    for header in [
        "Auto-Submitted: auto-replied (vacation)",
        "Auto-Submitted: auto-generated",
        "X-Autoreply: yes",
        "X-Autorespond: Data",
        "Precedence: auto_reply",
    ] {
        assert_eq!(reply(&format!("{header}\n"), "I am away.").class, Class::AutoReply, "{header}");
    }
    for subject in [
        "Automatic reply: Data about Contoso",
        "Out of Office AutoReply: Data",
        "Abwesenheitsnotiz: Daten",
        "Réponse automatique : Données",
        "Respuesta automática: Datos",
        "自動応答: お知らせ",
        "[Auto-Reply] Data",
    ] {
        let text = format!("From: a@contoso.example\nSubject: {subject}\n\nI am away until Monday.\n");
        assert_eq!(mail(&text).class, Class::AutoReply, "{subject}");
    }
}

#[test]
fn between_a_person_and_a_machine_a_person_must_look() {
    for (headers, text) in [
        ("From: a@contoso.example\nSubject: Out of office hours contact", "Whom do we call at night?"),
        ("From: a@contoso.example\nSubject: Abwesenheit: Vertretung", "Wer ist bei Ihnen zuständig?"),
        ("From: noreply@contoso.example\nSubject: Re: Data", "Your request 17 was received."),
        (
            "From: a@contoso.example\nSubject: Re: Data\nPrecedence: bulk\nList-Unsubscribe: <mailto:x@y.example>",
            "News",
        ),
        ("From: a@contoso.example\nSubject: x\nContent-Type: multipart/report; report-type=other; boundary=b", "text"),
    ] {
        assert_eq!(mail(&format!("{headers}\n\n{text}\n")).class, Class::Unclear, "{headers}");
    }
    assert_eq!(from_nobody("From: a@contoso.example\nSubject: Re: Data\n\nWhich files?\n").class, Class::Unclear);
    let by_header = "Return-Path: <>\nFrom: a@contoso.example\nSubject: Re: Data\n\nWhich files?\n";
    assert_eq!(read(by_header.as_bytes(), None, None, &|_| false).class, Class::Unclear);
}

#[test]
fn a_complaint_names_the_letter_and_the_reader() {
    let inbound = from_nobody(
        "From: fbl@isp.example\nSubject: complaint\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\nThis is an abuse report.\n--b\nContent-Type: message/feedback-report\n\n\
         Feedback-Type: abuse\nOriginal-Rcpt-To: alice@contoso.example\n\n--b\nContent-Type: message/rfc822\n\n\
         Message-ID: <n4@ours.example>\n\nx\n--b--\n",
    );
    assert_eq!((inbound.class, inbound.recipients[0].address.as_str()), (Class::Complaint, "alice@contoso.example"));
    assert_eq!(inbound.returned_message_ids, ["n4@ours.example"]);
}

#[test]
fn feedback_that_is_no_word_about_abuse_is_kept_and_complains_of_nothing() {
    let feedback = |stated: &str| {
        from_nobody(&format!(
            "From: fbl@isp.example\nSubject: report\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nThis is a report.\n--b\nContent-Type: message/feedback-report\n\n\
             {stated}User-Agent: X/1\nVersion: 1\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <n4@ours.example>\n\nx\n--b--\n",
        ))
    };
    for kind in ["abuse", "fraud", " Abuse "] {
        assert!(feedback(&format!("Feedback-Type: {kind}\n")).complains, "{kind}");
    }
    for kind in ["not-spam", "auth-failure", "virus", "opt-out", "other", "dunno"] {
        let read = feedback(&format!("Feedback-Type: {kind}\n"));
        assert_eq!((read.class, read.complains), (Class::Complaint, false), "{kind}");
        assert!(read.evidence.iter().any(|why| why.contains(kind)), "{:?}", read.evidence);
    }
    assert!(!feedback("").complains);
}

#[test]
fn a_read_receipt_names_the_letter() {
    let inbound = reply(
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n",
        "--b\nContent-Type: text/plain\n\nYour message was displayed. Is this enough?\n--b\n\
         Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; alice@contoso.example\n\
         Original-Message-ID: <n5@ours.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n",
    );
    assert_eq!((inbound.class, inbound.recipients[0].action.as_str()), (Class::Receipt, "displayed"));
    assert_eq!(inbound.returned_message_ids, ["n5@ours.example"]);
}

#[test]
fn our_own_letter_that_comes_back_is_a_loop() {
    let text = "From: ir@vendor.example\nMessage-ID: <n6@ours.example>\nSubject: Data\n\nWhich files?\n";
    assert_eq!(mail(text).class, Class::Loop);
    assert_eq!(reply("X-Forthright-Rehearsal: REHEARSAL\n", "Which files?").class, Class::Loop);
    assert_eq!(
        dsn("Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0\n").class,
        Class::BouncePermanent
    );
}
