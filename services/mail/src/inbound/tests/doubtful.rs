//! Mails that look like a machine's and may be a person's: each is read by somebody.

use super::*;

#[track_caller]
fn check(head: &str, text: &str, class: Class) {
    let inbound = mail(&format!("To: ir+token@vendor.example\n{head}\n\n{text}\n"));
    assert_eq!(inbound.class, class, "{head} {text} {:?}", inbound.evidence);
}

#[test]
fn a_postmaster_who_wants_something_is_no_bounce() {
    for (from, subject, text) in [
        (
            "Postmaster Team <postmaster@contoso.example>",
            "Mail delivery question",
            "We got your mail. Please send the list of files.",
        ),
        (
            "Mail Administrator <admin@contoso.example>",
            "Undeliverable: your data notice",
            "I could not open the attachment of your notice. Please send it to me again and say which projects are meant.",
        ),
        (
            "Postmaster Team <postmaster@contoso.example>",
            "Delivery failure",
            "We got your notice although your first mail was refused. Tell us what it said.",
        ),
        (
            "Postmaster <postmaster@contoso.example>",
            "Delivery failure of your notice",
            "We are the people behind this address.",
        ),
    ] {
        let head = format!("From: {from}\nSubject: {subject}\nIn-Reply-To: <n1@ours.example>");
        check(&head, text, Class::Unclear);
    }
    check(
        "From: Ann <ann@contoso.example>\nSubject: Undeliverable: x",
        "Your message to security@x.example could not be delivered to our team, so I answer. Send the list of files.",
        Class::Unclear,
    );
}

#[test]
fn a_postmaster_program_without_null_sender_is_a_bounce_all_the_same() {
    check(
        "From: Postmaster <postmaster@contoso.example>\nSubject: Delivery failure",
        "Your message could not be delivered to the following recipients:\n\nalice@contoso.example: 550 5.1.1 user unknown",
        Class::BouncePermanent,
    );
}

#[test]
fn an_automatic_subject_over_a_request_is_for_a_person_to_look_at() {
    for (subject, text) in [
        ("Out of office: who do I write to", "Please send us the list of affected users, our office moved."),
        ("Automatische Antwort", "Bitte geben Sie mir keine automatische Antwort, sondern die Liste der Dateien."),
        ("Vacation", "I'm on vacation until Friday. Send me the list."),
        ("Read: your notice", "I read your notice. Please send the list of files."),
        ("Réponse automatique inutile", "Envoyez la liste des fichiers."),
    ] {
        check(&format!("From: ann@contoso.example\nSubject: {subject}"), text, Class::Unclear);
    }
}

#[test]
fn what_a_help_desk_sends_for_a_person_is_for_a_person_to_look_at() {
    for (headers, text) in [
        (
            "Auto-Submitted: auto-generated\nX-Zendesk-From-Account-Id: 1",
            "We have received your notice. Please send the list of files.",
        ),
        ("Auto-Submitted: auto-generated", "Ann of the service desk: Which files of ours were exposed?"),
        ("Precedence: auto_reply", "Which keys leaked?"),
    ] {
        check(&format!("From: ann@contoso.example\nSubject: Re: notice\n{headers}"), text, Class::Unclear);
    }
}

#[test]
fn a_help_desks_own_words_are_a_machines() {
    for text in [
        "Your request has been received. Do you want to add something? Reply above this line.",
        "This is an automated message. Tell us how we did.",
        "Ticket 17 was updated.",
    ] {
        check(
            "From: desk@contoso.example\nSubject: Re: notice\nAuto-Submitted: auto-generated",
            text,
            Class::AutoReply,
        );
    }
}
