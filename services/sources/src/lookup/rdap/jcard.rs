//! The few properties of a jCard (RFC 7095) that a letter needs.
//!
//! Does not check them. Invariant: whatever the JSON is, there is a card, empty where nothing fits.

use serde_json::Value;

use super::{array, strings};

/// Most addresses of one card.
const MOST_EMAILS: usize = 10;

/// What a `vcardArray` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Card {
    /// `fn`.
    pub(super) name: String,
    /// `org`, its first part.
    pub(super) organisation: String,
    /// `email`, in their order.
    pub(super) emails: Vec<String>,
    /// `lang`, a tag.
    pub(super) language: String,
}

impl Card {
    /// The card of an entity: `["vcard", [[name, parameters, type, value, …], …]]`.
    pub(super) fn of(entity: &Value) -> Self {
        let mut card = Self::default();
        for property in array(&entity["vcardArray"][1]) {
            let name = property[0].as_str().unwrap_or_default();
            let Some(value) = first_text(&property[3]) else { continue };
            match name.to_ascii_lowercase().as_str() {
                "fn" => set(&mut card.name, value),
                "org" => set(&mut card.organisation, value),
                "lang" if is_tag(value) => set(&mut card.language, &value.to_ascii_lowercase()),
                "email" if !value.trim().is_empty() && card.emails.len() < MOST_EMAILS => {
                    card.emails.push(value.trim().to_owned());
                }
                _ => {}
            }
        }
        card
    }
}

/// A value is a text, or the parts of one.
fn first_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| strings(value).next())
}

/// The first one counts.
fn set(field: &mut String, value: &str) {
    if field.is_empty() {
        field.push_str(value.trim());
    }
}

fn is_tag(value: &str) -> bool {
    (1..=35).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
