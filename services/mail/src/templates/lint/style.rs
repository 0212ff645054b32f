//! Inline style: properties of layout and type, with plain values.
//!
//! Does not know colours: the stylesheet of all letters sets them for light and dark. Invariant: nothing is loaded, placed over
//! something else or made too small to be read.

use super::Refusal;

const PROPERTIES: [&str; 29] = [
    "margin",
    "margin-top",
    "margin-right",
    "margin-bottom",
    "margin-left",
    "padding",
    "padding-top",
    "padding-right",
    "padding-bottom",
    "padding-left",
    "width",
    "max-width",
    "overflow-wrap",
    "word-break",
    "table-layout",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "line-height",
    "text-align",
    "vertical-align",
    "border",
    "border-top",
    "border-left",
    "border-bottom",
    "border-collapse",
    "border-spacing",
    "list-style-type",
];

/// Whether each declaration is one of few properties with a plain value.
pub(super) fn check(at: usize, style: &str) -> Result<(), Refusal> {
    for declaration in style.split(';').map(str::trim).filter(|declaration| !declaration.is_empty()) {
        let (property, value) = declaration.split_once(':').unwrap_or((declaration, ""));
        let (property, value) = (property.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase());
        if !PROPERTIES.contains(&property.as_str()) {
            let why = format!("the style `{}` is not for letters", property.chars().take(40).collect::<String>());
            return Err(Refusal::new(at, why, format!("the styles are: {}", PROPERTIES.join(", "))));
        }
        let plain = |char: char| char.is_ascii_alphanumeric() || " .,%-".contains(char);
        let negative = value.starts_with('-') || value.contains(" -");
        let huge = value.as_bytes().windows(4).any(|four| four.iter().all(u8::is_ascii_digit));
        if value.is_empty() || !value.chars().all(plain) || negative || huge || hides(&property, &value) {
            let why = format!("the style `{property}` has a value that loads or hides something");
            return Err(Refusal::new(at, why, "write a plain one, such as 1em"));
        }
    }
    Ok(())
}

/// Whether text of this size could not be read.
fn hides(property: &str, value: &str) -> bool {
    let digits: String = value.chars().take_while(|char| char.is_ascii_digit() || *char == '.').collect();
    let number: f64 = digits.parse().unwrap_or(1.0);
    let least = match (property, &value[digits.len()..]) {
        ("font-size" | "line-height", "px" | "pt") => 9.0,
        ("font-size" | "line-height", "%") => 70.0,
        ("font-size", "em" | "rem") | ("line-height", "" | "em") => 0.7,
        ("font-size" | "line-height", unit) => return !digits.is_empty() || unit.starts_with("xx-small"),
        ("max-width", "em" | "rem") => 10.0,
        ("max-width", "px" | "pt") => 160.0,
        ("width" | "max-width", "%") => 20.0,
        ("width" | "max-width", _) => return true,
        _ => return false,
    };
    number < least
}
