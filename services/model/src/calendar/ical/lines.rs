//! The lines of an iCalendar file: unfolded, cut into name, parameters and value.
//!
//! Knows no meaning of a name. Invariant: each keeps the number of the line where it begins.

use super::{Unread, unread_at};

/// A property.
#[derive(Debug)]
pub(super) struct Property {
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// In capitals.
    pub(super) name: String,
    /// As it stands there.
    pub(super) value: String,
}

impl Property {
    /// The value as a text on one line.
    pub(super) fn text(&self) -> String {
        let (mut text, mut escaped) = (String::new(), false);
        for char in self.value.chars() {
            match (escaped, char) {
                (false, '\\') => escaped = true,
                (true, 'n' | 'N') => (escaped, _) = (false, text.push(' ')),
                (_, char) if char.is_control() => escaped = false,
                (_, char) => (escaped, _) = (false, text.push(char)),
            }
        }
        text.trim().chars().take(200).collect()
    }
}

/// Every property, or what is none.
pub(super) fn properties(text: &str) -> Vec<Result<Property, Unread>> {
    let mut whole: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), whole.last_mut()) {
            (Some(rest), Some((_, begun))) => begun.push_str(rest),
            (Some(rest), None) => whole.push((index + 1, rest.to_owned())),
            (None, _) => whole.push((index + 1, line.to_owned())),
        }
    }
    whole.iter().filter(|(_, line)| !line.trim().is_empty()).map(|(number, line)| property(*number, line)).collect()
}

fn property(number: usize, line: &str) -> Result<Property, Unread> {
    let none = || unread_at(number, &line.chars().take(80).collect::<String>(), "it is no property of iCalendar");
    // A colon inside quotes belongs to a parameter.
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, char)| {
        quoted ^= *char == '"';
        *char == ':' && !quoted
    });
    let (head, value) = colon.and_then(|(at, _)| line.split_at_checked(at)).ok_or_else(none)?;
    let name = head.split(';').next().unwrap_or_default().trim().to_ascii_uppercase();
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let value = value.strip_prefix(':').unwrap_or(value).to_owned();
    if named { Ok(Property { line: number, name, value }) } else { Err(none()) }
}
