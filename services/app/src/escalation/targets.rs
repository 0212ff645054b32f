//! Who is behind a target: names become mail addresses, by the configuration and the time.
//!
//! Sends nothing. Invariant: a name that leads to nobody is said with its reason, and never left out silently.

use model::escalation::{Rotation, Target};
use model::time::Timestamp;
use store::delivery::NewMail;
use store::notices::LetterRow;

use crate::{App, Incident, Settings, new_id};

/// Somebody of the vendor who can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) address: String,
}

/// A letter to one of the vendor's own people that belongs to no ticket; `cause` is the test or task that it is of. No
/// token: what they answer is no word from an organisation.
pub(super) fn mail(app: &App, incident: &Incident, letter: &LetterRow, cause: &str, person: &Person) -> NewMail {
    let domain = app.settings.sender.domain();
    NewMail {
        id: new_id("out"),
        cause: "policy",
        cause_id: cause.to_owned(),
        wave_id: None,
        under_wave: None,
        letter_id: letter.id.clone(),
        notice_id: None,
        ticket_id: None,
        tenant_id: None,
        contact_id: None,
        address: person.address.clone(),
        name: person.name.clone(),
        message_id: model::ids::message_id(incident.key.bytes(), &letter.id, &person.address, domain),
        reply_token: String::new(),
        thread_id: None,
    }
}

/// Who is behind a target at a time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Behind {
    /// Who can be written to.
    pub(super) people: Vec<Person>,
    /// Who cannot, and why.
    pub(super) missing: Vec<String>,
}

impl Behind {
    fn of(found: Result<Person, String>) -> Self {
        match found {
            Ok(person) => Self { people: vec![person], missing: Vec::new() },
            Err(why) => Self { people: Vec::new(), missing: vec![why] },
        }
    }
}

/// Who of the vendor's people is turned to; `agent` is who takes care of the ticket.
pub(super) fn behind(settings: &Settings, target: &Target, agent: Option<&str>, now: Timestamp) -> Behind {
    match target {
        Target::Agent => {
            let own = agent.and_then(|name| person(settings, name).ok());
            Behind::of(own.map_or_else(|| configured(settings, target), Ok))
        }
        Target::Lead | Target::Counsel | Target::IncidentLead => Behind::of(configured(settings, target)),
        Target::Person(name) => Behind::of(person(settings, name.as_str())),
        Target::Address(name) => Behind::of(Ok(Person { name: String::new(), address: name.as_str().to_owned() })),
        Target::Role(name) => role(settings, name.as_str()),
        Target::Rotation(name) => Behind::of(on_duty(settings, name.as_str(), now)),
        Target::Contact | Target::NextContact | Target::AccountManager | Target::Webhook(_) => Behind::default(),
    }
}

/// Somebody by name, or by mail address.
pub(super) fn person(settings: &Settings, name: &str) -> Result<Person, String> {
    if name.contains('@') {
        return Ok(Person { name: String::new(), address: name.to_owned() });
    }
    match settings.people.get(name).map(|address| address.trim()).filter(|address| !address.is_empty()) {
        Some(address) => Ok(Person { name: name.to_owned(), address: address.to_owned() }),
        None => Err(format!("nobody knows the address of {name}: set `{name}` in [people] of the configuration")),
    }
}

fn configured(settings: &Settings, target: &Target) -> Result<Person, String> {
    match settings.targets.address(target) {
        Some(address) => Ok(Person { name: target.to_string(), address: address.to_owned() }),
        None => Err(format!("{target} has no address: set `{target}` in [targets] of the configuration")),
    }
}

fn role(settings: &Settings, name: &str) -> Behind {
    let mut behind = Behind::default();
    match settings.roles.get(name).filter(|people| !people.is_empty()) {
        None => {
            behind.missing.push(format!("nobody has the role {name}: set `{name}` in [roles] of the configuration"))
        }
        Some(names) => {
            for found in names.iter().map(|name| person(settings, name)) {
                match found {
                    Ok(found) => behind.people.push(found),
                    Err(why) => behind.missing.push(why),
                }
            }
        }
    }
    behind
}

fn on_duty(settings: &Settings, name: &str, now: Timestamp) -> Result<Person, String> {
    let rotation = rotation(settings, name)?;
    match rotation.on_duty(now) {
        Some(who) => person(settings, who),
        None => Err(format!("nobody of rotation {name} is on duty yet: set an earlier `start` in [rotations.{name}]")),
    }
}

/// A rotation by its name.
pub(super) fn rotation<'a>(settings: &'a Settings, name: &str) -> Result<&'a Rotation, String> {
    settings
        .rotations
        .get(name)
        .ok_or_else(|| format!("there is no rotation {name}: add [rotations.{name}] to the configuration"))
}
