//! Inline style: a list of properties for layout and type, and for each the values it can have.
//!
//! Does not know colours: the stylesheet of all letters sets them for light and dark. Invariant: whatever stands on a page
//! that passes stands within its margins, is wide enough, and is large enough to be read, however deep it is nested.

use super::Refusal;

/// What mail programs begin with, in pixels.
const USUAL_SIZE: f64 = 16.0;
/// The smallest type, in pixels: smaller is not read on a phone.
const SMALLEST: f64 = 10.0;
/// The largest, so that a heading fits on a phone.
const LARGEST: f64 = 64.0;
/// The farthest that margins and paddings within each other move a text in, in pixels: more than half of a phone.
const FARTHEST: f64 = 200.0;
/// The longest single margin or padding, in pixels.
const LONGEST: f64 = 64.0;
/// The narrowest column, as a share of the page, and by itself.
const NARROWEST: f64 = 0.15;
const NARROWEST_PX: f64 = 160.0;
const NARROWEST_PERCENT: f64 = 20.0;

/// Fonts that have letters where letters are meant.
const FONTS: [&str; 24] = [
    "arial",
    "calibri",
    "cambria",
    "consolas",
    "courier new",
    "georgia",
    "helvetica",
    "helvetica neue",
    "hiragino sans",
    "meiryo",
    "menlo",
    "monospace",
    "noto sans",
    "noto sans jp",
    "noto serif",
    "roboto",
    "sans-serif",
    "segoe ui",
    "serif",
    "system-ui",
    "tahoma",
    "times new roman",
    "verdana",
    "yu gothic",
];

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

/// What a tag leaves to the text in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Of its type, in pixels.
    size: f64,
    /// How far it is moved in, from both sides together, in pixels.
    indent: f64,
    /// Its width, as a share of the page.
    width: f64,
}

impl Room {
    /// A page without any style.
    pub(super) const PAGE: Self = Self { size: USUAL_SIZE, indent: 0.0, width: 1.0 };

    /// Within a tag of this name, as mail programs show it without style.
    pub(super) fn within(self, tag: &str) -> Self {
        let (factor, indent) = match tag {
            "h1" => (2.0, 0.0),
            "h2" => (1.5, 0.0),
            "h3" => (1.17, 0.0),
            "h5" | "small" | "sub" | "sup" => (0.83, 0.0),
            "h6" => (0.67, 0.0),
            "ul" | "ol" | "dd" => (1.0, 40.0),
            "blockquote" => (1.0, 80.0),
            _ => (1.0, 0.0),
        };
        Self { size: self.size * factor, indent: self.indent + indent, width: self.width }
    }

    /// Whether a text in it can be read.
    pub(super) fn check(self, at: usize) -> Result<Self, Refusal> {
        let refuse = |why: String, next: &str| Err(Refusal::new(at, why, next));
        if self.size < SMALLEST || self.size > LARGEST {
            let why = format!("text of {:.0} px stands here, and readers need {SMALLEST} to {LARGEST}", self.size);
            return refuse(why, "write `font-size:16px`, and nest no smaller tags");
        }
        if self.indent > FARTHEST {
            let why = format!("text is moved in by {:.0} px here, more than {FARTHEST}", self.indent);
            return refuse(why, "take margins and paddings away");
        }
        if self.width < NARROWEST {
            return refuse("a column is too narrow to be read".to_owned(), "write wider ones");
        }
        Ok(self)
    }
}

/// What is left of this room by a style; each declaration is one of few properties with one of its values.
pub(super) fn check(at: usize, style: &str, outer: Room, tag: &str) -> Result<Room, Refusal> {
    let mut declarations = Vec::new();
    for declaration in style.split(';').map(str::trim).filter(|declaration| !declaration.is_empty()) {
        let (property, value) = declaration.split_once(':').unwrap_or((declaration, ""));
        let (property, value) = (property.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase());
        let Some(known) = PROPERTIES.into_iter().find(|known| *known == property) else {
            let why = format!("the style `{}` is not for letters", property.chars().take(40).collect::<String>());
            return Err(Refusal::new(at, why, format!("the styles are: {}", PROPERTIES.join(", "))));
        };
        declarations.push((known, value));
    }
    let mut room = outer.within(tag);
    // The size first: other lengths can be in em.
    declarations.sort_by_key(|(property, _)| *property != "font-size");
    for (property, value) in &declarations {
        let Some(effect) = effect(property, value, outer.size, room.size) else {
            let why = format!("the style `{property}` has a value that loads or hides something");
            return Err(Refusal::new(at, why, format!("write {}", form(property))));
        };
        match effect {
            Effect::None => {}
            Effect::Size(size) => room.size = size,
            Effect::MovesIn(pixels) => room.indent += pixels,
            Effect::Width(share) => room.width *= share,
        }
    }
    // Said by the letter, not by the mail program.
    if declarations.iter().any(|(property, _)| replaces_indent(tag, property)) {
        room.indent -= outer.within(tag).indent - outer.indent;
    }
    room.check(at)
}

/// Whether a property takes the place of the indentation that a tag has by itself.
fn replaces_indent(tag: &str, property: &str) -> bool {
    match tag {
        "ul" | "ol" => ["padding", "padding-left"].contains(&property),
        "dd" | "blockquote" => property == "margin",
        _ => false,
    }
}

enum Effect {
    None,
    Size(f64),
    MovesIn(f64),
    Width(f64),
}

/// What a declaration does; `None`: it has no value that letters have.
fn effect(property: &str, value: &str, outer_size: f64, size: f64) -> Option<Effect> {
    let one_of = |values: &[&str]| values.contains(&value).then_some(Effect::None);
    match property {
        "font-size" => Some(Effect::Size(match length(value, outer_size)? {
            Length::Pixels(pixels) => pixels,
            Length::Share(share) => share * outer_size,
            Length::Auto | Length::Number(_) => return None,
        })),
        "line-height" => match length(value.strip_suffix("em").unwrap_or(value), size)? {
            Length::Number(lines) | Length::Share(lines) if (1.0..=3.0).contains(&lines) => Some(Effect::None),
            Length::Pixels(_) | Length::Number(_) | Length::Share(_) | Length::Auto => None,
        },
        "width" | "max-width" => width(property, value, size),
        "font-family" => {
            let known = |name: &str| FONTS.contains(&name.trim());
            value.split(',').all(known).then_some(Effect::None)
        }
        "font-style" => one_of(&["normal", "italic"]),
        "font-weight" => one_of(&["normal", "bold", "400", "500", "600", "700", "800"]),
        "text-align" => one_of(&["left", "right", "center", "start", "end", "justify"]),
        "vertical-align" => one_of(&["top", "middle", "bottom", "baseline"]),
        "overflow-wrap" => one_of(&["normal", "anywhere", "break-word"]),
        "word-break" => one_of(&["normal", "break-word", "break-all", "keep-all"]),
        "table-layout" => one_of(&["auto", "fixed"]),
        "border-collapse" => one_of(&["collapse", "separate"]),
        "list-style-type" => one_of(&["none", "disc", "circle", "square", "decimal"]),
        "border" | "border-top" | "border-left" | "border-bottom" => border(value),
        _ => sides(property, value, size),
    }
}

/// The form of a property's values, for whoever wrote another one.
fn form(property: &str) -> String {
    match property {
        "font-family" => format!("some of: {}", FONTS.join(", ")),
        "font-size" => "a size such as 16px or 1.1em".to_owned(),
        "line-height" => "a number from 1 to 3".to_owned(),
        "width" | "max-width" => "a share of 20% or more, or for `max-width` 160px or more".to_owned(),
        "border" | "border-top" | "border-left" | "border-bottom" => {
            "a width and a style, such as 1px solid".to_owned()
        }
        "margin" | "margin-top" | "margin-right" | "margin-bottom" | "margin-left" | "padding" | "padding-top"
        | "padding-right" | "padding-bottom" | "padding-left" | "border-spacing" => {
            format!("lengths from 0 to {LONGEST}px, such as 12px or 1em")
        }
        _ => "one of its usual words".to_owned(),
    }
}

enum Length {
    Auto,
    /// Without a unit.
    Number(f64),
    Pixels(f64),
    /// Of a hundred.
    Share(f64),
}

/// A length that is not negative; `em` is this many pixels.
fn length(value: &str, em: f64) -> Option<Length> {
    if value == "auto" {
        return Some(Length::Auto);
    }
    let end = value.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    if number.len() > 6 {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    match unit {
        "" => Some(Length::Number(number)),
        "px" => Some(Length::Pixels(number)),
        "pt" => Some(Length::Pixels(number * 4.0 / 3.0)),
        "em" => Some(Length::Pixels(number * em)),
        "rem" => Some(Length::Pixels(number * USUAL_SIZE)),
        "%" => Some(Length::Share(number / 100.0)),
        _ => None,
    }
}

fn width(property: &str, value: &str, size: f64) -> Option<Effect> {
    match length(value, size)? {
        Length::Share(share) if (NARROWEST_PERCENT / 100.0..=1.0).contains(&share) => Some(Effect::Width(share)),
        Length::Pixels(pixels) if property == "max-width" && pixels >= NARROWEST_PX => Some(Effect::None),
        Length::Share(_) | Length::Pixels(_) | Length::Number(_) | Length::Auto => None,
    }
}

/// `0`, `none`, or a width and a style: `1px solid`.
fn border(value: &str) -> Option<Effect> {
    let is_width = |word: &str| match length(word, USUAL_SIZE) {
        Some(Length::Pixels(pixels)) => pixels <= 8.0,
        Some(Length::Number(number)) => number == 0.0,
        Some(Length::Auto | Length::Share(_)) | None => false,
    };
    let plain = |word: &str| ["none", "solid", "dashed", "dotted", "double"].contains(&word) || is_width(word);
    let words: Vec<&str> = value.split(' ').collect();
    (words.len() <= 2 && words.into_iter().all(plain)).then_some(Effect::None)
}

/// Margins, paddings and the space between cells: one to four lengths.
fn sides(property: &str, value: &str, size: f64) -> Option<Effect> {
    let pixels = |word: &str| match length(word, size)? {
        Length::Pixels(pixels) if pixels <= LONGEST => Some(pixels),
        Length::Number(0.0) => Some(0.0),
        Length::Auto if property.starts_with("margin") => Some(0.0),
        Length::Auto | Length::Number(_) | Length::Pixels(_) | Length::Share(_) => None,
    };
    let sides: Vec<f64> = value.split(' ').map(pixels).collect::<Option<_>>()?;
    let across = match (property, sides.as_slice()) {
        ("margin" | "padding", [all]) => all * 2.0,
        ("margin" | "padding", [_, beside] | [_, beside, _]) => beside * 2.0,
        ("margin" | "padding", [_, right, _, left]) => right + left,
        ("margin-left" | "margin-right" | "padding-left" | "padding-right", [one]) => *one,
        ("margin-top" | "margin-bottom" | "padding-top" | "padding-bottom" | "border-spacing", [_]) => 0.0,
        ("border-spacing", [_, _]) => 0.0,
        _ => return None,
    };
    Some(Effect::MovesIn(across))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(style: &str, passes: bool) {
        let judged = super::check(0, style, Room::PAGE, "p");
        assert_eq!(judged.is_ok(), passes, "{style}: {:?}", judged.err().map(|refusal| refusal.why));
    }

    #[test]
    fn what_lays_out_passes_and_what_hides_does_not() {
        for style in [
            "margin:0;padding:0",
            "margin:0 auto;max-width:42em;border-top:4px solid",
            "font-size:1.4em;line-height:1.25;margin:0 0 0.4em",
            "width:30%;font-weight:normal;vertical-align:top",
            "font-family:Segoe UI, Arial, sans-serif;font-size:12pt;line-height:150%",
            "list-style-type:square;padding:0 0 0 1.3em",
        ] {
            check(style, true);
        }
        for style in [
            "margin-left:-9999px",
            "margin-left:999px",
            "margin:0 0 0 -1em",
            "margin-left:100%",
            "margin-left:calc(1px)",
            "padding:4em 8em",
            "font-size:0",
            "font-size:0.001em",
            "font-size:5px",
            "font-size:500px",
            "font-size:xx-small",
            "font-size:larger",
            "font-size:16",
            "line-height:0",
            "line-height:0.1",
            "line-height:1px",
            "width:1%",
            "width:1px",
            "width:1000%",
            "max-width:0",
            "font-family:Wingdings",
            "font-weight:1",
            "text-align:-9px",
            "vertical-align:-999px",
            "vertical-align:text-top",
            "border:99px solid",
            "border-top:1px solid white",
            "display:none",
            "visibility:hidden",
            "opacity:0",
            "color:#fff",
            "background:#000",
            "background-color:white",
            "height:0",
            "max-height:0",
            "overflow:hidden",
            "position:absolute",
            "left:-9999px",
            "text-indent:-9999px",
            "clip:rect(0,0,0,0)",
            "clip-path:none",
            "transform:scale(0)",
            "mso-hide:all",
            "zoom:0.01",
            "font:0/0 a",
            "letter-spacing:-1em",
            "white-space:nowrap",
            "float:left",
            "content:none",
            "direction:rtl",
            "text-decoration:line-through",
            "filter:none",
            "all:unset",
            "margin",
            "margin:",
            "margin:1em!important",
        ] {
            check(style, false);
        }
    }

    #[test]
    fn what_is_nested_smaller_and_smaller_is_refused_where_it_is_too_small() {
        let mut room = Room::PAGE;
        let depth = (0..24).take_while(|_| {
            super::check(0, "font-size:0.8em", room, "div").is_ok_and(|inner| {
                room = inner;
                true
            })
        });
        assert_eq!(depth.count(), 2, "16 px, 12.8, 10.24, 8.19");
        let narrow = super::check(0, "width:30%", Room::PAGE, "td").unwrap();
        assert!(super::check(0, "width:30%", narrow, "td").is_err());
        let moved = super::check(0, "margin:0 60px", Room::PAGE, "div").unwrap();
        assert!(super::check(0, "padding:0 60px", moved, "div").is_err());
    }
}
