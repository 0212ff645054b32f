//! One property of a card: its name, parameters and value, and how texts are escaped.
//!
//! Does not unfold lines. Invariant: escaping and its opposite give the same text again, but for control characters,
//! which a card cannot hold.

use std::borrow::Cow;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Property {
    /// In capitals, without its group.
    pub(crate) name: String,
    parameters: Vec<(String, String)>,
    /// As it stands in the card.
    pub(crate) value: String,
}

impl Property {
    /// The property of an unfolded line; what is wrong with it.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let (head, value) =
            cut(line, ':').ok_or("it has a line without a colon, or with a quotation mark left open")?;
        let mut parameters = Vec::new();
        let (mut rest, mut name) = (head, None);
        while !rest.is_empty() {
            let (part, behind) = cut(rest, ';').unwrap_or((rest, ""));
            rest = behind;
            if name.is_none() {
                name = Some(name_of(part.as_bytes()));
                continue;
            }
            // Version 2.1 has bare words, which are types.
            let (key, value) = part.split_once('=').unwrap_or(("TYPE", part));
            parameters.push((key.trim().to_ascii_uppercase(), value.replace('"', "").trim().to_ascii_lowercase()));
        }
        let property = Self { name: name.unwrap_or_default(), parameters, value: value.to_owned() };
        let is_encoded = |(_, value): &(String, String)| value == "quoted-printable";
        if property.parameters.iter().any(is_encoded) {
            return Err(format!("its {} is quoted-printable; export it as vCard 3.0 or 4.0", property.name));
        }
        Ok(property)
    }

    /// The number of a `PREF` parameter; empty where there is none.
    pub(super) fn pref(&self) -> String {
        self.all("PREF").next().unwrap_or_default().to_owned()
    }

    /// Where it stands among its like: 1 to 100 by `PREF`, 1 by the type of 3.0, and behind them what is not preferred.
    pub(super) fn rank(&self) -> u32 {
        if let Ok(rank) = self.pref().parse() {
            return rank;
        }
        if self.all("TYPE").flat_map(|types| types.split(',')).any(|kind| kind.trim() == "pref") { 1 } else { 101 }
    }

    fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The name that a line begins with: in capitals, without its group (`item1.EMAIL`).
pub(super) fn name_of(line: &[u8]) -> String {
    let end = line.iter().position(|byte| b":;".contains(byte)).unwrap_or(line.len());
    let name = String::from_utf8_lossy(&line[..end.min(100)]);
    name.rsplit('.').next().unwrap_or_default().trim().to_ascii_uppercase()
}

/// The text of a value, trimmed.
pub(crate) fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('\\') {
        text.push_str(before);
        let mut characters = behind.chars();
        match characters.next() {
            Some('n' | 'N') => text.push('\n'),
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
        rest = characters.as_str();
    }
    text.push_str(rest);
    text.trim().to_owned()
}

/// The parts of a value between separators that are not escaped.
pub(crate) fn parts(value: &str, separator: char) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut start, mut is_escaped) = (0, false);
    for (at, character) in value.char_indices() {
        if !is_escaped && character == separator {
            parts.push(unescaped(&value[start..at]));
            start = at + separator.len_utf8();
        }
        is_escaped = !is_escaped && character == '\\';
    }
    parts.push(unescaped(&value[start..]));
    parts
}

/// The text as a value.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(|character: char| "\\,;".contains(character) || character.is_control()) {
        return Cow::Borrowed(text);
    }
    let mut value = String::with_capacity(text.len() + 8);
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\\' | ',' | ';' => value.extend(['\\', character]),
            '\n' | '\r' => value.push_str("\\n"),
            '\t' => value.push('\t'),
            control if control.is_control() => value.push(' '),
            other => value.push(other),
        }
    }
    Cow::Owned(value)
}

/// Cuts at the first such character outside of quotation marks.
fn cut(text: &str, at: char) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let place = text.find(|character| {
        is_quoted ^= character == '"';
        !is_quoted && character == at
    })?;
    Some((&text[..place], &text[place + at.len_utf8()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_neither_group_nor_parameters_nor_small_letters() {
        assert_eq!(name_of(b"item1.email;type=pref:a@b.example"), "EMAIL");
        assert_eq!(name_of(b"FN"), "FN");
        assert_eq!(name_of(b""), "");
    }

    #[test]
    fn a_quoted_parameter_may_hold_what_ends_others() {
        let property = Property::parse("EMAIL;X=\"a:b;c\";PREF=7:a@b.example").unwrap();
        assert_eq!((property.value.as_str(), property.rank()), ("a@b.example", 7));
    }

    #[test]
    fn preference_is_read_as_all_three_versions_write_it() {
        let rank = |line: &str| Property::parse(line).unwrap().rank();
        assert_eq!(rank("EMAIL;PREF=2:x"), 2);
        assert_eq!(rank("EMAIL;TYPE=INTERNET,PREF:x"), 1);
        assert_eq!(rank("EMAIL;TYPE=\"work,pref\":x"), 1);
        assert_eq!(rank("EMAIL;INTERNET;PREF:x"), 1);
        assert_eq!(rank("EMAIL:x"), 101);
    }

    #[test]
    fn quoted_printable_is_refused_by_its_name() {
        for line in ["FN;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg", "FN;QUOTED-PRINTABLE:J=C3=B6rg"] {
            assert!(Property::parse(line).unwrap_err().contains("FN is quoted-printable"));
        }
    }

    #[test]
    fn escapes_mean_the_same_in_both_directions() {
        for text in ["a,b;c\\d", "line\nline", "\\n", "\\", "Łódź; a\\;b"] {
            assert_eq!(unescaped(&escaped(text)), text);
        }
        assert_eq!(escaped("a\\b,c;d\ne\0"), "a\\\\b\\,c\\;d\\ne ");
        assert_eq!(unescaped("http\\://a.example\\"), "http://a.example\\");
    }

    #[test]
    fn parts_are_cut_at_separators_that_are_not_escaped() {
        assert_eq!(parts("a\\;b;;c\\\\;d", ';'), ["a;b", "", "c\\", "d"]);
        assert_eq!(parts("", ';'), [""]);
    }
}
