//! The markup of HTML parts: few tags, few attributes, each written out in full, nothing from elsewhere.
//!
//! Does not mend as browsers do: what is not plainly one of the allowed forms is refused. Invariant: tags close in
//! order within the block they were opened in, no field stands inside a tag, and nothing is loaded, run or hidden.

use super::super::frame::CLASSES;
use super::characters::script;
use super::style::Room;
use super::tags::{Piece, What};
use super::{Refusal, style};

/// Tags within tags; our own need five.
const DEEPEST: usize = 24;

const TAGS: [&str; 42] = [
    "html",
    "head",
    "title",
    "meta",
    "body",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "br",
    "hr",
    "div",
    "span",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "caption",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "strong",
    "em",
    "b",
    "i",
    "u",
    "small",
    "sub",
    "sup",
    "code",
    "blockquote",
    "q",
    "abbr",
];

const WITHOUT_END: [&str; 3] = ["meta", "br", "hr"];

/// Named characters that can be written as `&name;`.
const NAMED: [&str; 7] = ["amp", "lt", "gt", "quot", "nbsp", "ndash", "mdash"];

/// Whether the markup is plain and whole.
pub(super) fn check(pieces: &[Piece<'_>]) -> Result<(), Refusal> {
    let mut open: Vec<Open<'_>> = Vec::new();
    for piece in pieces {
        match piece.what {
            What::Raw(text) => raw(piece.at, text, &mut open)?,
            What::Each(_) | What::When(_) | What::Element(_) => open.push(Open::Block),
            What::Close => match open.pop() {
                Some(Open::Tag { at, name, .. }) => return Err(stays_open(at, name)),
                Some(Open::Block) | None => {}
            },
            What::Print(_) | What::Quote(_) | What::Comment => {}
        }
    }
    match open.pop() {
        Some(Open::Tag { at, name, .. }) => Err(stays_open(at, name)),
        Some(Open::Block) | None => Ok(()),
    }
}

#[derive(Debug, Clone, Copy)]
enum Open<'a> {
    Tag { at: usize, name: &'a str, room: Room },
    Block,
}

/// What the innermost tag leaves to what stands in it.
fn room(open: &[Open<'_>]) -> Room {
    let tags = open.iter().rev().filter_map(|one| match one {
        Open::Tag { room, .. } => Some(*room),
        Open::Block => None,
    });
    tags.into_iter().next().unwrap_or(Room::PAGE)
}

/// Whether a tag is open in the innermost block.
fn is_open(open: &[Open<'_>], name: &str) -> bool {
    let tags = open.iter().rev().map_while(|one| match one {
        Open::Tag { name, .. } => Some(*name),
        Open::Block => None,
    });
    tags.into_iter().any(|tag| tag == name)
}

fn stays_open(at: usize, name: &str) -> Refusal {
    Refusal::new(at, format!("`<{name}>` is not closed where it was opened"), format!("write `</{name}>`"))
}

/// Text between two placeholders: every tag in it is whole.
fn raw<'a>(start: usize, text: &'a str, open: &mut Vec<Open<'a>>) -> Result<(), Refusal> {
    let mut from = 0;
    while let Some(found) = text[from..].find(['<', '&']).map(|found| from + found) {
        let (at, rest) = (start + found, &text[found..]);
        from = found + if rest.starts_with('&') { entity(at, rest)? } else { tag(at, rest, open)? };
        if open.len() > DEEPEST {
            let why = format!("more than {DEEPEST} tags and blocks stand within each other");
            return Err(Refusal::new(at, why, "close some before you open more"));
        }
    }
    Ok(())
}

/// The length of what begins with `&`.
fn entity(at: usize, rest: &str) -> Result<usize, Refusal> {
    let name: &str = &rest[1..];
    let end = name.find(|char: char| !char.is_ascii_alphanumeric() && char != '#').unwrap_or(name.len());
    match &name[..end] {
        "" => Ok(1),
        known if NAMED.contains(&known) && name[end..].starts_with(';') => Ok(end + 2),
        other => {
            let why = format!("`&{other}` is no character that is written by name");
            Err(Refusal::new(at, why, "write the character itself, and & as &amp;"))
        }
    }
}

/// The length of a tag, which begins with `<`.
fn tag<'a>(at: usize, rest: &'a str, open: &mut Vec<Open<'a>>) -> Result<usize, Refusal> {
    const DOCTYPE: &str = "<!DOCTYPE html>";
    if rest.get(..DOCTYPE.len()).is_some_and(|start| start.eq_ignore_ascii_case(DOCTYPE)) && open.is_empty() {
        return Ok(DOCTYPE.len());
    }
    if rest.starts_with("<!") || rest.starts_with("<?") {
        let next = "remove it; what readers should not see is written {{!-- so --}}";
        return Err(Refusal::new(at, "a comment or declaration stands here", next));
    }
    let closes = rest.starts_with("</");
    let name_at = if closes { 2 } else { 1 };
    let after = &rest[name_at..];
    let length = after.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(after.len());
    let name = &after[..length];
    if name.is_empty() {
        return Err(Refusal::new(at, "a `<` begins no tag", "write the character as &lt;"));
    }
    let lower = name.to_ascii_lowercase();
    let Some(known) = TAGS.into_iter().find(|tag| *tag == lower) else {
        return Err(unknown_tag(at, &lower));
    };
    let inner = &after[length..];
    if closes {
        if !inner.starts_with('>') {
            return Err(Refusal::new(at, "an end tag is not closed", format!("write `</{known}>`")));
        }
        return match open.pop() {
            Some(Open::Tag { name, .. }) if name == known => Ok(name_at + length + 1),
            // The end tag is where it shows; a tag that lacks its own is where it is mended.
            Some(Open::Tag { at, name, .. }) if is_open(open, known) => Err(stays_open(at, name)),
            Some(Open::Tag { name, .. }) => {
                let why = format!("`</{known}>` closes a tag that is not open");
                Err(Refusal::new(at, why, format!("remove it, or close `<{name}>` here")))
            }
            Some(Open::Block) | None => {
                let why = format!("`</{known}>` closes a tag that was not opened in the same block");
                Err(Refusal::new(at, why, "open and close a tag in one block"))
            }
        };
    }
    if known == "title" && !is_open(open, "head") {
        return Err(Refusal::new(at, "a title stands outside the head, where nobody sees it", "write a heading"));
    }
    let (read, style) = attributes(at + name_at + length, inner, known)?;
    let room = match style {
        Some((place, style)) => style::check(place, style, room(open), known)?,
        None => room(open).within(known).check(at)?,
    };
    if !WITHOUT_END.contains(&known) {
        open.push(Open::Tag { at, name: known, room });
    }
    Ok(name_at + length + read)
}

fn unknown_tag(at: usize, name: &str) -> Refusal {
    let why = match name {
        "script" | "noscript" | "template" => "would run something",
        "style" | "link" | "base" => "would load or change how all is shown",
        "iframe" | "frame" | "frameset" | "object" | "embed" | "applet" | "param" | "portal" => {
            "would show another document"
        }
        "form" | "input" | "button" | "textarea" | "select" | "option" | "isindex" => {
            "would ask readers to fill something in"
        }
        "img" | "image" | "picture" | "source" | "video" | "audio" | "svg" | "math" | "canvas" | "bgsound" => {
            "would load or draw a picture or sound"
        }
        "a" | "area" | "map" => "would be a link, and a notice needs none",
        _ => "is no tag that letters have",
    };
    Refusal::new(at, format!("`<{name}>` {why}"), format!("the tags are: {}", TAGS.join(", ")))
}

/// The style of a tag and its place, where it has one.
type Style<'a> = Option<(usize, &'a str)>;

/// The length of what stands between a tag's name and its end, the end among it; and its style, with the place of that.
fn attributes<'a>(start: usize, inner: &'a str, tag: &str) -> Result<(usize, Style<'a>), Refusal> {
    let (mut from, mut style) = (0, None);
    loop {
        let rest = &inner[from..];
        let gap = rest.len() - rest.trim_start_matches([' ', '\n', '\r', '\t']).len();
        let (at, rest) = (from + gap, &rest[gap..]);
        if rest.starts_with('>') {
            return Ok((at + 1, style));
        }
        if rest.starts_with("/>") && WITHOUT_END.contains(&tag) {
            return Ok((at + 2, style));
        }
        if rest.is_empty() {
            let why = format!("`<{tag}` has a placeholder in it, or is not closed");
            return Err(Refusal::new(start + at, why, "write values between tags, never inside one"));
        }
        let length = rest.find(['=', ' ', '\n', '\t', '\r', '>', '/', '"', '\'']).unwrap_or(rest.len());
        let name = rest[..length].to_ascii_lowercase();
        let place = start + at;
        if name.starts_with("on") {
            return Err(Refusal::new(place, format!("`{name}` would run something"), "remove it"));
        }
        let Some(value) = rest[length..].strip_prefix("=\"") else {
            let why = format!("`{}` in `<{tag}>` has no value in double quotes", short(&name));
            return Err(Refusal::new(place, why, "write it as name=\"value\""));
        };
        let Some(end) = value.find('"') else {
            let why = format!("the value of `{name}` has a placeholder in it, or is not closed");
            return Err(Refusal::new(place, why, "write values between tags, never inside one"));
        };
        attribute(place, tag, &name, &value[..end])?;
        if name == "style" && style.replace((place, &value[..end])).is_some() {
            return Err(Refusal::new(place, "a tag has two styles", "write one"));
        }
        from = at + length + 2 + end + 1;
        if !inner[from..].starts_with([' ', '\n', '\r', '\t', '>', '/']) {
            return Err(Refusal::new(start + from, "two attributes touch each other", "write a space between them"));
        }
    }
}

fn short(name: &str) -> String {
    name.chars().take(40).collect()
}

fn attribute(at: usize, tag: &str, name: &str, value: &str) -> Result<(), Refusal> {
    if script(value).is_some() {
        return Err(Refusal::new(at, format!("the value of `{name}` is a script"), "remove it"));
    }
    if value.contains(['&', '<', '>', '`', '\\']) || value.chars().any(char::is_control) {
        let why = format!("the value of `{name}` has characters in it that hide what it is");
        return Err(Refusal::new(at, why, "write it with letters, digits, spaces and ,.;:%- alone"));
    }
    let plain = !value.is_empty() && value.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
    let fits = match (tag, name) {
        // Judged with the tags around it.
        (_, "style") => return Ok(()),
        ("meta", "charset") => value.eq_ignore_ascii_case("utf-8"),
        ("meta", "name") => ["viewport", "color-scheme", "supported-color-schemes"].contains(&value),
        ("meta", "content") => {
            ["width=device-width", "width=device-width, initial-scale=1", "light dark"].contains(&value)
        }
        (_, "lang" | "role" | "scope") => plain,
        (_, "dir") => ["ltr", "rtl", "auto"].contains(&value),
        (_, "class") => CLASSES.contains(&value),
        ("table" | "tr" | "th" | "td", "align") => ["left", "center", "right"].contains(&value),
        ("table", "cellpadding" | "cellspacing") => value.parse().is_ok_and(|pixels: u8| pixels <= 20),
        ("th" | "td", "colspan" | "rowspan") => value.parse().is_ok_and(|count: u8| (1..=20).contains(&count)),
        _ => {
            let why = format!("`<{tag}>` has no `{}` here", short(name));
            let next = "the attributes are: style, class, lang, dir, role, scope, align, colspan, rowspan, cellpadding, cellspacing";
            return Err(Refusal::new(at, why, next));
        }
    };
    match fits {
        true => Ok(()),
        false => Err(Refusal::new(at, format!("`{}` is no value of `{name}` in letters", short(value)), "remove it")),
    }
}
