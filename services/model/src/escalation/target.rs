//! Whom a rung turns to: a role that every vendor has, or somebody or something by name.
//!
//! Knows no addresses: configuration says who is behind a name. Invariant: what is printed reads back equal, so that the
//! text is part of a firing's key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::email::EmailAddress;

/// Whom a rung turns to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The agent of the ticket.
    Agent,
    /// The team lead.
    Lead,
    /// Privacy counsel.
    Counsel,
    /// The incident lead.
    IncidentLead,
    /// A reminder to the contacts that have the notice.
    Contact,
    /// The notice to the next contact of the organisation.
    NextContact,
    /// A task for the vendor's account manager of this organisation.
    AccountManager,
    /// One of the vendor's people, by name or by mail address: `person:ana`.
    Person(Name),
    /// Everybody of a role that configuration names: `role:press`.
    Role(Name),
    /// Whoever is on duty: `rotation:night`.
    Rotation(Name),
    /// A mail address: `address:oncall@vendor.example`.
    Address(Name),
    /// A webhook that configuration names: `webhook:chat`.
    Webhook(Name),
}

/// The name of a target, kept with the kind before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name alone.
    pub fn as_str(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, name)| name)
    }
}

/// A text that names no target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no target: use agent, lead, counsel, incident-lead, contact, next-contact, account-manager, or person:NAME, \
     role:NAME, rotation:NAME, address:MAIL-ADDRESS, webhook:NAME"
)]
pub struct NotATarget(String);

impl Target {
    /// The name that the store, the command line and the documents use.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Agent => "agent",
            Self::Lead => "lead",
            Self::Counsel => "counsel",
            Self::IncidentLead => "incident-lead",
            Self::Contact => "contact",
            Self::NextContact => "next-contact",
            Self::AccountManager => "account-manager",
            Self::Person(name)
            | Self::Role(name)
            | Self::Rotation(name)
            | Self::Address(name)
            | Self::Webhook(name) => &name.0,
        }
    }

    /// The target of that name.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FromStr for Target {
    type Err = NotATarget;

    fn from_str(text: &str) -> Result<Self, NotATarget> {
        let text = text.trim();
        let bad = || NotATarget(text.to_owned());
        let Some((kind, name)) = text.split_once(':') else {
            let roles = [
                Self::Agent,
                Self::Lead,
                Self::Counsel,
                Self::IncidentLead,
                Self::Contact,
                Self::NextContact,
                Self::AccountManager,
            ];
            return roles.into_iter().find(|role| role.as_str() == text).ok_or_else(bad);
        };
        let plain = !name.is_empty() && name.len() <= 254 && !name.chars().any(|c| c.is_whitespace() || c.is_control());
        if !plain || (name.contains('@') && EmailAddress::parse(name).is_err()) {
            return Err(bad());
        }
        let whole = Name(text.to_owned());
        match kind {
            "person" => Ok(Self::Person(whole)),
            "address" if name.contains('@') => Ok(Self::Address(whole)),
            "role" => Ok(Self::Role(whole)),
            "rotation" => Ok(Self::Rotation(whole)),
            "webhook" => Ok(Self::Webhook(whole)),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
