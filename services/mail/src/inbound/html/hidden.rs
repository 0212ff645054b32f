//! Elements that a mail program does not show.
//!
//! Knows attributes of the element only, no style sheets. Invariant: what is not closed is seen.

use super::tag_name;

/// Whether an element is one that a reader does not see.
pub(super) fn hides(name: &str, tag: &str) -> bool {
    if tag.len() <= name.len()
        || !matches!(name, "div" | "span" | "p" | "td" | "tr" | "table" | "font" | "section" | "b" | "i")
    {
        return false;
    }
    let attributes: String = tag[name.len()..].chars().take(1_000).collect::<String>().to_ascii_lowercase();
    let stated =
        attributes.split_whitespace().any(|word| matches!(word, "hidden" | "hidden=\"\"" | "hidden=\"hidden\""));
    let style: String = attributes.split_whitespace().collect();
    stated || ["display:none", "visibility:hidden", "mso-hide:all"].iter().any(|rule| style.contains(rule))
}

/// How much is left where an element of this name that is open ends; `None` if it does not: then all of it is seen. A name
/// whose end was missed once is not looked for again, so that the work stays linear.
pub(super) fn end_of_element(rest: &str, name: &str, unclosed: &mut Vec<String>) -> Option<usize> {
    if unclosed.iter().any(|known| known == name) {
        return None;
    }
    let mut depth = 1_usize;
    let mut at = 0;
    while let Some(found) = rest[at..].find('<') {
        at += found + 1;
        let tag = tag_name(&rest[at..]);
        match tag.strip_prefix('/') {
            Some(closed) if closed == name => depth -= 1,
            None if tag == name => depth += 1,
            _ => {}
        }
        if depth == 0 {
            return Some(rest.len() - at + 1);
        }
    }
    unclosed.push(name.to_owned());
    None
}
