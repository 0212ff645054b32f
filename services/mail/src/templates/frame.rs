//! The stylesheet of HTML letters: colours for light and dark, in one place for all languages.
//!
//! Does not lay out: margins, sizes and type stand in the tags, so that a letter whose stylesheet a mail program takes
//! away is still read with ease, in that program's own colours. Invariant: no class hides anything.

/// What stands between `<style>` and `</style>`.
pub(super) const STYLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/notice/style.css"));

/// The classes that a template can name.
pub(super) const CLASSES: [&str; 5] = ["page", "sheet", "panel", "data", "quiet"];

/// Puts the stylesheet at the end of the head; what has no head stays as it is.
pub(super) fn dressed(html: &str) -> String {
    match html.split_once("</head>") {
        Some((head, rest)) => format!("{head}<style>\n{STYLE}</style>\n</head>{rest}"),
        None => html.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stylesheet_stands_in_the_head_once() {
        let html = dressed("<html><head><title>x</title></head><body>&lt;/head&gt;</body></html>");
        assert_eq!(html.matches("<style>").count(), 1);
        assert!(html.find("</style>").unwrap() < html.find("</head>").unwrap(), "{html}");
        assert_eq!(dressed("<p>x</p>"), "<p>x</p>");
    }

    #[test]
    fn every_class_of_the_stylesheet_can_be_named_and_nothing_is_loaded_or_hidden() {
        for class in CLASSES {
            assert!(STYLE.contains(&format!(".{class} ")), "{class}");
        }
        for forbidden in
            ["url", "@import", "@font-face", "display", "visibility", "opacity", "content:", "position", "<"]
        {
            assert!(!STYLE.contains(forbidden), "{forbidden}");
        }
    }
}
