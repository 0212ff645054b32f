//! A template cut into text and tags, each tag one of the few that are allowed.
//!
//! Reads as the compiler will: what the two could read differently (a backslash before braces, `~`, braces within a
//! comment) is refused. Invariant: blocks close in order and at most [`DEEPEST`] stand within each other.

use model::law::Law;

use super::{ALLOWED, Refusal};

/// Blocks within blocks; our own templates need five.
const DEEPEST: usize = 8;

/// A piece of a template.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// Its first byte.
    pub(super) at: usize,
    pub(super) what: What<'a>,
}

/// Text, or what a tag does.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    Raw(&'a str),
    Comment,
    Print(&'a str),
    Quote(&'a str),
    Each(&'a str),
    When(&'a str),
    Element(&'a str),
    Close,
}

/// The pieces of a source, in order.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece<'_>>, Refusal> {
    let mut pieces = Vec::new();
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find("{{").map(|found| at + found) {
        if source[..start].ends_with('\\') {
            return Err(Refusal::new(start - 1, "a backslash stands before `{{`", "remove the backslash"));
        }
        pieces.push(Piece { at, what: What::Raw(&source[at..start]) });
        let inner = &source[start + 2..];
        let end = if inner.starts_with("!--") { "--}}" } else { "}}" };
        let skip = if end.len() == 4 { 3 } else { 0 };
        let Some(length) = inner[skip..].find(end).map(|found| found + skip) else {
            return Err(Refusal::new(start, "a tag is not closed", format!("close it with `{end}`")));
        };
        let what = match skip {
            0 => tag(start, &inner[..length], &mut open)?,
            _ => comment(start, &inner[skip..length])?,
        };
        pieces.push(Piece { at: start, what });
        if open.len() > DEEPEST {
            let why = format!("more than {DEEPEST} blocks stand within each other");
            return Err(Refusal::new(start, why, "close some before you open more"));
        }
        at = start + 2 + length + end.len();
    }
    pieces.push(Piece { at, what: What::Raw(&source[at..]) });
    match open.pop() {
        None => Ok(pieces),
        Some((at, name)) => Err(Refusal::new(at, format!("`{name}` stays open"), format!("write `{{{{/{name}}}}}`"))),
    }
}

/// A comment is left out, so it may say anything but braces, which the compiler could take for its end.
fn comment<'a>(at: usize, text: &str) -> Result<What<'a>, Refusal> {
    match text.contains("{{") || text.contains("}}") {
        true => Err(Refusal::new(at, "a comment has double braces in it", "remove them")),
        false => Ok(What::Comment),
    }
}

fn tag<'a>(at: usize, tag: &'a str, open: &mut Vec<(usize, &'a str)>) -> Result<What<'a>, Refusal> {
    let refuse = |why: &str, next: &str| Err(Refusal::new(at, format!("`{{{{{}}}}}` {why}", short(tag)), next));
    if let Some((why, next)) = foreign(tag) {
        return refuse(why, next);
    }
    if let Some(name) = tag.strip_prefix('/') {
        return match open.pop() {
            Some((_, block)) if block == name => Ok(What::Close),
            Some((_, block)) => refuse("closes a block that is not the open one", &format!("close `{block}` first")),
            None => refuse("closes a block that is not the open one", "remove it, or open the block before"),
        };
    }
    if let Some(named) = tag.strip_prefix("#element ") {
        let quoted = named.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let Some(id) = quoted else {
            return refuse("names no element", "write the name in double quotes: {{#element \"cause\"}}");
        };
        let known = Law::builtin().is_ok_and(|law| law.element(id).is_some());
        if !known {
            return refuse("names an element that does not exist", "docs/notices.md lists the elements");
        }
        open.push((at, "element"));
        return Ok(What::Element(id));
    }
    if let Some(block) = tag.strip_prefix('#') {
        let Some((name, path)) = block.split_once(' ') else {
            return refuse("needs a path", "write it as {{#when path}}");
        };
        let what = match name {
            "each" => What::Each(path),
            "when" | "whenNot" => What::When(path),
            "if" | "unless" => return refuse("takes a misspelt path for false", "use `when` and `whenNot`"),
            _ => return refuse("is no block", "the blocks are each, when, whenNot and element"),
        };
        if !is_path(path) {
            return refuse("has no plain path", ALLOWED);
        }
        open.push((at, name));
        return Ok(what);
    }
    match tag.split_once(' ') {
        None if is_path(tag) => Ok(What::Print(tag)),
        None => refuse("is no plain path", ALLOWED),
        Some(("quote", path)) if is_path(path) => Ok(What::Quote(path)),
        Some(("quote", _)) => refuse("has no plain path", ALLOWED),
        Some(_) => refuse("calls a helper that does not exist", "the only helper is quote, with one path"),
    }
}

/// What other templates can do and ours cannot, by how it begins: why, and the next step.
fn foreign(tag: &str) -> Option<(&'static str, &'static str)> {
    const COPY: &str = "write the passage where it is needed";
    let starts = |marks: &[&str]| marks.iter().any(|mark| tag.starts_with(mark));
    if tag.starts_with('~') || tag.ends_with('~') {
        return Some(("changes the white space around it", "remove the `~`: superfluous lines vanish by themselves"));
    }
    if tag.starts_with("{{") {
        return Some(("is a raw block", COPY));
    }
    if starts(&["{", "&"]) {
        return Some(("prints without escaping", "write it with two braces"));
    }
    if starts(&[">", "#>", "#_>"]) {
        return Some(("includes another template", COPY));
    }
    if starts(&["*", "#*"]) {
        return Some(("is a decorator", COPY));
    }
    if starts(&["^", "else"]) || tag == "#else" {
        return Some(("is an else", "use `whenNot` with the same path"));
    }
    tag.starts_with('!').then_some(("is a comment of the short form", "write it as {{!-- comment --}}"))
}

/// Enough of a tag to find it again.
fn short(tag: &str) -> String {
    const SHOWN: usize = 60;
    let line: String = tag.chars().map(|char| if char.is_control() { ' ' } else { char }).take(SHOWN).collect();
    if tag.chars().count() > SHOWN { format!("{line}…") } else { line }
}

/// Names joined by dots (`advice.payment`, `this`), each of letters, digits and underscores.
fn is_path(path: &str) -> bool {
    let name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')
    };
    path.split('.').all(name)
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[track_caller]
    fn refused(source: &str, why: &str) {
        let error = check("notice/en.text", source).expect_err(source).to_string();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn unescaped_output_is_refused_in_every_spelling() {
        refused("{{{name}}}", "without escaping");
        refused("{{&name}}", "without escaping");
        refused("{{& name}}", "without escaping");
        refused("{{~{name}~}}", "remove the `~`");
        refused("{{{{raw}}}}{{{{/raw}}}}", "raw block");
    }

    #[test]
    fn handlebars_own_conditions_and_else_are_refused() {
        refused("{{#if name}}{{/if}}", "use `when`");
        refused("{{#unless name}}{{/unless}}", "use `when`");
        refused("{{#each name}}{{else}}{{/each}}", "is an else");
        refused("{{#when name}}{{^}}{{/when}}", "is an else");
    }

    #[test]
    fn partials_decorators_and_other_helpers_are_refused() {
        refused("{{> other}}", "includes another");
        refused("{{>other}}", "includes another");
        refused("{{#> other}}{{/other}}", "includes another");
        refused("{{* inline}}", "decorator");
        refused("{{#*inline \"a\"}}{{/inline}}", "decorator");
        refused("{{lookup a b}}", "the only helper");
        refused("{{quote a b}}", "no plain path");
        refused("{{#each (lookup a b)}}{{/each}}", "no plain path");
        refused("\\{{name}}", "backslash");
    }

    #[test]
    fn an_element_is_named_in_quotes_and_exists() {
        let source = "{{#element \"cause\"}}{{#element \"who_caused\"}}x{{/element}}{{/element}}{{#element \"cause\"}}y{{/element}}";
        let elements = check("notice/en.text", source).unwrap();
        assert_eq!(elements.into_iter().collect::<Vec<_>>(), ["cause", "who_caused"]);
        refused("{{#element cause}}{{/element}}", "double quotes");
        refused("{{#element \"cause\" \"who_caused\"}}{{/element}}", "does not exist");
        refused("{{#element \"casue\"}}{{/element}}", "does not exist");
        refused("{{#element}}{{/element}}", "needs a path");
        refused("{{element \"cause\"}}", "the only helper");
    }

    #[test]
    fn blocks_must_close_in_order_and_not_nest_deep() {
        refused("{{#when a}}", "stays open");
        refused("{{#when a}}{{#each b}}{{/when}}{{/each}}", "not the open one");
        refused(&"{{#when a}}".repeat(1_200), "within each other");
        refused("one\ntwo {{name", "line 2, column 5");
    }
}
