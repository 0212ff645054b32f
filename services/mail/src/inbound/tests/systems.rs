//! What ticket systems, lists, gateways and calendars write without a header that says so.

use super::*;

/// From, subject and text; none is a person's.
const MACHINES: [(&str, &str, &str); 23] = [
    (
        "Antivirus <virusalert@contoso.example>",
        "Virus found in a message you sent",
        "Our virus scanner found a virus in a message that you sent:\n\nFrom: ir@vendor.example\nTo: security@contoso.example\nVirus: EICAR\n\nThe message was quarantined.",
    ),
    (
        "IT Service Desk <contoso@service-now.com>",
        "INC0012345 has been opened on your behalf",
        "Your incident INC0012345 has been created.\n\nShort description: Data of Contoso\nPriority: 4 - Low\n\nClick here to view: LINK\n\nRef:MSG3213213",
    ),
    (
        "Contoso Support <support@contoso.example>",
        "Support Ticket Opened [#482133]",
        "Dear ir,\n\nA request for support has been created and assigned #482133. A representative will follow-up with you as soon as possible. You can view this ticket's progress online.\n\nYour Contoso Support Team",
    ),
    (
        "Contoso Service <service@contoso.example>",
        "Your case has been created CAS-48213-X1Y2Z3 CRM:0001234",
        "Your case CAS-48213-X1Y2Z3 has been created. We will contact you soon.",
    ),
    (
        "alice@contoso.example",
        "Re: Data (verification)",
        "Alice here,\n\nI'm protecting myself from receiving junk mail.\n\nJust this once, click the link below so I can receive your emails.\nYou won't have to do this again.\n\nhttps://www.spamarrest.example/a2?ABC",
    ),
    (
        "alice@contoso.example",
        "Bitte bestätigen Sie Ihre E-Mail",
        "Ihre Nachricht wurde noch nicht zugestellt. Um Spam zu vermeiden, bestätigen Sie bitte Ihre Absenderadresse, indem Sie auf den folgenden Link klicken:\n\nhttps://x.example/confirm",
    ),
    (
        "security-owner@lists.contoso.example",
        "Request to mailing list \"Security\" rejected",
        "Your request to the security@lists.contoso.example mailing list\n\n    Posting of your message titled \"Data of Contoso\"\n\nhas been rejected by the list moderator.  The moderator gave the following reason for rejecting your request:\n\n\"Non-members are not allowed to post messages to this list.\"",
    ),
    (
        "LISTSERV@lists.contoso.example",
        "Rejected posting to SECURITY@LISTS.CONTOSO.EXAMPLE",
        "You are not authorized to send mail to the SECURITY list from your ir@vendor.example account.",
    ),
    ("Alice <alice@contoso.example>", "Recall: Data", "Alice would like to recall the message, \"Data\"."),
    (
        "Contoso Support <support@contoso.example>",
        "How did we do? Ticket 48213",
        "Hello,\n\nYour ticket 48213 has been closed. We would love to hear your feedback. How would you rate the support you received?\n\nGood, I'm satisfied\nBad, I'm unsatisfied",
    ),
    (
        "Contoso Support <support@contoso.zendesk.com>",
        "[Contoso] Re: Data",
        "Your request (48213) has been deemed solved.\n\nTo reopen this request, reply to this email.",
    ),
    (
        "quarantine@messaging.microsoft.com",
        "Microsoft 365 security: You have messages in quarantine",
        "Review these messages\n\n1 messages are being held for you to review as of 9/27/2022.",
    ),
    ("Alice <alice@contoso.example>", "Accepted: Call about the data", "Alice has accepted this invitation."),
    (
        "info@contoso.example",
        "AW: Daten",
        "Dieses Postfach wird nicht mehr abgerufen. Bitte nutzen Sie unser Kontaktformular.",
    ),
    (
        "info@contoso.example",
        "Re: Data",
        "The email address you have written to has changed. Please update your records: new@contoso.example. Your message has not been forwarded.",
    ),
    (
        "Contoso Support <support@contoso.example>",
        "We got your message (#48213)",
        "Hi there,\n\nThanks for getting in touch! We got your message and a human will get back to you soon.\n\nDid you know that you can find many answers in our help center? Have a look: https://help.contoso.example\n\nThe Contoso Team",
    ),
    (
        "Contoso Legal <legal@contoso.example>",
        "Automatic acknowledgement",
        "We acknowledge receipt of your communication, which will be reviewed by the legal department. No further action is required. This acknowledgement does not constitute acceptance of service.",
    ),
    (
        "Contoso <operator@contoso.intercom-mail.com>",
        "Re: Data",
        "Hi! Thanks for writing in. The team will be back to you in a few hours. You'll get notified here and by email.",
    ),
    (
        "TOPdesk <topdesk@contoso.example>",
        "Incident I2209 0123 registered",
        "Dear ir,\n\nYour incident has been registered under number I2209 0123.",
    ),
    (
        "Service Desk <sd@contoso.example>",
        "Incident 48213 Created",
        "An Incident has been created for you. Your reference number is 48213.",
    ),
    (
        "Remedy <remedy@contoso.example>",
        "INC000000482133 has been logged",
        "Incident INC000000482133 has been logged with the Service Desk on your behalf.",
    ),
    (
        "Info <info@contoso.example>",
        "Re: Data",
        "Our office is closed from 26 September to 3 October. We will reply to your email when we return.",
    ),
    ("DocuSign <dse@docusign.net>", "Completed: Data", "Your document has been completed."),
];

/// Subject and text of refusals by Exchange in further languages.
const REFUSALS: [(&str, &str); 3] = [
    (
        "Nie można dostarczyć: Dane",
        "Dostarczenie nie powiodło się do następujących adresatów lub grup:\n\nsecurity@contoso.example",
    ),
    (
        "Onbestelbaar: Gegevens",
        "Bezorging bij de volgende geadresseerden of groepen is mislukt:\n\nsecurity@contoso.example\nHet ingevoerde e-mailadres is niet gevonden.",
    ),
    ("无法投递: 数据", "无法将邮件传递给以下收件人或组:\n\nsecurity@contoso.example\n找不到您输入的电子邮件地址。"),
];

/// What people write in words of machines: sender, subject, and what has to be read of it.
const PEOPLE: [(&str, &str); 12] = [
    ("Our ticket", "Your request is being reviewed by our legal team, who ask: was the data encrypted?"),
    ("Data", "Thanks for getting in touch. Who found it?"),
    ("How did we do this", "We got your message. What do we have to do by when?"),
    ("Accepted practice", "Our office was closed last week. Is it too late to ask for the list?"),
    ("Data", "This mailbox is monitored by our SOC. Do you have indicators of compromise?"),
    ("Fwd: Automatic reply: Data", "Bob is out of office, so I answer for him. Which contracts are affected?"),
    ("Data", "Our incident has been registered under number 5; which files are meant?"),
    ("Recall", "We would like to know whether you recall the mail. Do you?"),
    ("Data", "Our virus scanner is silent. Is there malware in your mail?"),
    ("Data", "Um Spam zu vermeiden, lesen wir nur Text. Welche Dateien sind es?"),
    (
        "Data",
        "Please look at these mails:\nFrom: billing@contoso.example\nTo: ap@vendor.example\nDate: 2021-05-06\nSubject: Invoice 4711\nAre these among the files?",
    ),
    ("Data", "From: when was it open?\nTo: whom?\nSent: any mails out?\nSubject: which persons?"),
];

fn from(from: &str, subject: &str, text: &str) -> Inbound {
    mail(&format!(
        "From: {from}\nTo: ir+token@vendor.example\nSubject: {subject}\nMessage-ID: <1@sys.example>\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
    ))
}

#[test]
fn what_systems_write_without_a_header_is_no_persons_answer() {
    for (sender, subject, text) in MACHINES {
        let read = from(sender, subject, text);
        assert_ne!(read.class, Class::Human, "{sender}: {subject}");
    }
}

#[test]
fn exchange_refuses_in_further_languages() {
    for (subject, text) in REFUSALS {
        let read = from("Microsoft Outlook <postmaster@contoso.example>", subject, text);
        assert_eq!(read.class, Class::BouncePermanent, "{subject}: {:?}", read.evidence);
    }
}

#[test]
fn who_asks_in_words_of_machines_is_read_whole() {
    for (subject, text) in PEOPLE {
        let read = from("Alice <alice@contoso.example>", subject, text);
        assert_eq!((read.class, read.new_text.as_str()), (Class::Human, text), "{subject}: {:?}", read.evidence);
        let last = text.lines().last().unwrap().rsplit(['.', ';']).next().unwrap().trim();
        assert!(questions(&read.new_text).iter().any(|asked| asked.contains(last)), "{text}");
    }
}

#[test]
fn an_answer_that_an_unknown_system_marks_as_generated_is_looked_at_by_a_person() {
    let generated = |text: &str| reply("Auto-Submitted: auto-generated\n", text).class;
    let words = "Our counsel will be in touch with you, and this is the last time that we write to you by mail.";
    assert_eq!(generated(words), Class::Unclear);
    assert_eq!(
        generated("I am out of the office until Monday, and somebody will look at your mail when I am back."),
        Class::AutoReply
    );
    assert_eq!(generated("Hello! I'm off the grid until October."), Class::AutoReply);
}
