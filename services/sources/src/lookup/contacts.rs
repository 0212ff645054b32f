//! Whom an answer says to write to, in the order of preference, and whom not and why.
//!
//! Does not confirm anybody. Invariant: an address is there once, and each that was left out has a note; notes hold
//! addresses and are for people, not for logs.

use model::delivery::Role;
use model::domain::DomainName;
use model::email::EmailAddress;
use model::time::Timestamp;

use super::rdap::{self, RdapContact, RdapRole, Whose};
use super::security_txt::{self, Contact, SecurityTxt};
use super::{Answer, AnswerStatus, Found, Question, registered};

/// Most contacts that are taken from one answer.
const MOST_CONTACTS: usize = 20;
/// Mailboxes that every organisation should have, for this matter. Source: RFC 2142 4 and 5.
const ROLE_MAILBOXES: [&str; 2] = ["security", "abuse"];

/// The contacts in an answer, as of `now`, and notes about those that were left out.
pub fn contacts_in(answer: &Answer, now: Timestamp) -> (Vec<Found>, Vec<String>) {
    let what = match answer.question {
        Question::SecurityTxt => "security.txt",
        Question::Rdap => "RDAP record",
    };
    let source = format!("{what} of {}", answer.domain);
    let nothing = |note: String| (Vec::new(), vec![note]);
    match &answer.status {
        AnswerStatus::Found => {}
        AnswerStatus::NotFound => return nothing(format!("there is no {source}")),
        AnswerStatus::Refused(why) => return nothing(format!("the {source} was not fetched: {why}")),
        AnswerStatus::Failed(why) => return nothing(format!("the {source} could not be fetched: {why}")),
    }
    let Ok(domain) = DomainName::parse(&answer.domain) else {
        return nothing(format!("the {source} is not used: that is no domain"));
    };
    let mut picked = Picked { domain, source, asked_at: answer.asked_at, found: Vec::new(), notes: Vec::new() };
    match answer.question {
        Question::SecurityTxt => match security_txt::parse(&answer.body, &answer.url, now) {
            Ok(file) => picked.security_txt(&file, &answer.url),
            Err(error) => picked.note(&format!("is not used: {error}")),
        },
        Question::Rdap => match rdap::parse(&answer.body, &registered(&picked.domain)) {
            Ok(record) => picked.rdap(&record),
            Err(error) => picked.note(&format!("is not used: {error}")),
        },
    }
    (picked.found, picked.notes)
}

/// The mailboxes that `domain` should have by RFC 2142. Nobody was asked whether it has.
pub fn role_mailboxes(domain: &DomainName) -> Vec<Found> {
    let addresses = ROLE_MAILBOXES.iter().filter_map(|name| EmailAddress::parse(&format!("{name}@{domain}")).ok());
    let found = |address| Found {
        address,
        name: String::new(),
        role: Role::Security,
        provenance: format!("role mailbox of {domain} by RFC 2142, a guess"),
        language: String::new(),
    };
    addresses.map(found).collect()
}

struct Picked {
    domain: DomainName,
    source: String,
    asked_at: Timestamp,
    found: Vec<Found>,
    notes: Vec<String>,
}

impl Picked {
    fn security_txt(&mut self, file: &SecurityTxt, url: &str) {
        if file.expired {
            return self.note(&format!("is not used: it expired on {}", file.expires.date()));
        }
        if file.not_canonical {
            let places = file.canonical.join(" and ");
            return self.note(&format!("is not used: it came from {url} and says that it belongs to {places}"));
        }
        for note in &file.notes {
            self.note(&format!("is not used in full: {note}"));
        }
        for contact in &file.contacts {
            match contact {
                Contact::Mail(address) => {
                    let language = file.languages.first().cloned().unwrap_or_default();
                    self.take(address, String::new(), Role::Security, language);
                }
                Contact::Web(url) => self.note(&format!("names {url}, which a person has to open")),
                Contact::Phone(number) => self.note(&format!("names the telephone number {number}")),
            }
        }
    }

    fn rdap(&mut self, record: &rdap::RdapDomain) {
        for contact in &record.contacts {
            match (contact.role, contact.whose) {
                (_, Whose::Registrar) => self.note(&format!(
                    "names {} as {} contact of the registrar, not of the organisation; it is left out",
                    contact.address,
                    contact.role.as_str()
                )),
                (RdapRole::Abuse, Whose::Unknown) => {
                    self.note(&format!("does not say whose abuse desk {} is", contact.address));
                    self.rdap_contact(contact);
                }
                (_, Whose::Registrant | Whose::Unknown) => self.rdap_contact(contact),
            }
        }
        for left_out in &record.left_out {
            self.note(&format!("is not used in full: {left_out}"));
        }
    }

    fn rdap_contact(&mut self, contact: &RdapContact) {
        let role = match contact.role {
            RdapRole::Abuse => Role::Security,
            RdapRole::Registrant | RdapRole::Administrative => Role::Admin,
            RdapRole::Technical => Role::Technical,
        };
        let name = if contact.name.is_empty() { &contact.organisation } else { &contact.name };
        self.take(&contact.address, name.clone(), role, contact.language.clone());
    }

    fn take(&mut self, address: &EmailAddress, name: String, role: Role, language: String) {
        if self.found.iter().any(|found| found.address == *address) {
            return;
        }
        if self.found.len() >= MOST_CONTACTS {
            return self.note(&format!("has more than {MOST_CONTACTS} contacts; {address} is left out"));
        }
        if registered(address.domain()) != registered(&self.domain) {
            self.note(&format!(
                "names {address}, which is not of {}: it may be a provider's or a CERT's",
                registered(&self.domain)
            ));
        }
        let provenance = format!("{}, fetched {}", self.source, self.asked_at.date());
        self.found.push(Found { address: address.clone(), name, role, provenance, language });
    }

    fn note(&mut self, what: &str) {
        self.notes.push(format!("the {} {what}", self.source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(question: Question, body: &str) -> Answer {
        Answer {
            question,
            domain: "www.acme.example".to_owned(),
            asked_at: "2026-11-20T08:00:00Z".parse().unwrap(),
            url: "https://www.acme.example/.well-known/security.txt".to_owned(),
            status: AnswerStatus::Found,
            body: body.as_bytes().to_vec(),
        }
    }

    fn check(answer: &Answer, found: &[&str], notes: &[&str]) {
        let now = "2026-11-23T09:30:00Z".parse().unwrap();
        let (got, said) = contacts_in(answer, now);
        let line = |found: &Found| format!("{} {} {} {}", found.role, found.address, found.name, found.language);
        assert_eq!(got.iter().map(line).collect::<Vec<_>>(), found);
        assert_eq!(said, notes);
    }

    #[test]
    fn a_security_txt_gives_its_addresses_and_notes_the_rest() {
        let text = "Contact: mailto:sec@acme.example\nContact: mailto:SEC@acme.example\n\
            Contact: https://acme.example/report\nContact: tel:+1-201\nContact: mailto:cert@cert.example\n\
            Preferred-Languages: de, en\nExpires: 2027-01-01T00:00:00Z\n";
        let of = "the security.txt of www.acme.example";
        check(
            &answer(Question::SecurityTxt, text),
            &["security sec@acme.example  de", "security cert@cert.example  de"],
            &[
                &format!("{of} names https://acme.example/report, which a person has to open"),
                &format!("{of} names the telephone number +1-201"),
                &format!(
                    "{of} names cert@cert.example, which is not of acme.example: it may be a provider's or a CERT's"
                ),
            ],
        );
    }

    #[test]
    fn a_contact_says_where_it_is_from_and_when() {
        let text = "Contact: mailto:sec@acme.example\nExpires: 2027-01-01T00:00:00Z\n";
        let (found, _) = contacts_in(&answer(Question::SecurityTxt, text), Timestamp::from_micros(0));
        assert_eq!(found[0].provenance, "security.txt of www.acme.example, fetched 2026-11-20");
    }

    #[test]
    fn a_security_txt_that_is_out_of_date_or_out_of_place_gives_nobody() {
        let of = "the security.txt of www.acme.example is not used:";
        let expired = "Contact: mailto:sec@acme.example\nExpires: 2026-11-22T00:00:00Z\n";
        check(&answer(Question::SecurityTxt, expired), &[], &[&format!("{of} it expired on 2026-11-22")]);
        let elsewhere =
            "Contact: mailto:s@acme.example\nCanonical: https://a.example/s\nExpires: 2027-01-01T00:00:00Z\n";
        let url = "https://www.acme.example/.well-known/security.txt";
        let note = format!("{of} it came from {url} and says that it belongs to https://a.example/s");
        check(&answer(Question::SecurityTxt, elsewhere), &[], &[&note]);
        check(&answer(Question::SecurityTxt, "<html>"), &[], &[&format!("{of} it has no Contact field")]);
    }

    #[test]
    fn an_rdap_record_gives_the_holder_and_not_the_registrar() {
        let person = |role: &str, name: &str, email: &str, inner: &str| {
            format!(
                r#"{{"roles": ["{role}"], "entities": [{inner}], "vcardArray": ["vcard",
                    [["fn", {{}}, "text", "{name}"], ["email", {{}}, "text", "{email}"]]]}}"#
            )
        };
        let desk = person("abuse", "Desk", "abuse@registrar.example", "");
        let entities = [
            person("technical", "Tess", "dns@provider.example", ""),
            person("registrant", "Mia", "it@acme.example", ""),
            person("registrar", "R", "sales@registrar.example", &desk),
            person("abuse", "Abe", "abuse@acme.example", ""),
        ];
        let record = format!(
            r#"{{"objectClassName": "domain", "ldhName": "acme.example", "entities": [{}]}}"#,
            entities.join(",")
        );
        let of = "the RDAP record of www.acme.example";
        check(
            &answer(Question::Rdap, &record),
            &["security abuse@acme.example Abe ", "admin it@acme.example Mia ", "technical dns@provider.example Tess "],
            &[
                &format!(
                    "{of} names abuse@registrar.example as abuse contact of the registrar, not of the organisation; it is left out"
                ),
                &format!("{of} does not say whose abuse desk abuse@acme.example is"),
                &format!(
                    "{of} names dns@provider.example, which is not of acme.example: it may be a provider's or a CERT's"
                ),
            ],
        );
    }

    #[test]
    fn without_a_body_the_reason_is_the_note() {
        let with = |status| Answer { status, ..answer(Question::Rdap, "") };
        check(&with(AnswerStatus::NotFound), &[], &["there is no RDAP record of www.acme.example"]);
        let failed = with(AnswerStatus::Failed("too slow".to_owned()));
        check(&failed, &[], &["the RDAP record of www.acme.example could not be fetched: too slow"]);
    }

    #[test]
    fn role_mailboxes_are_guesses_and_say_so() {
        let found = role_mailboxes(&DomainName::parse("acme.example").unwrap());
        let addresses: Vec<_> = found.iter().map(|found| found.address.as_str()).collect();
        assert_eq!(addresses, ["security@acme.example", "abuse@acme.example"]);
        assert!(found.iter().all(|found| found.role == Role::Security && found.provenance.ends_with("a guess")));
    }
}
