//! Figures in a template's own words: there are none, because no fact proves them.
//!
//! Tags of HTML, comments and named characters are no words; articles of a law may be named as the table of obligations
//! names them. Invariant: a template that passes prints no digit that is not filled in.

use super::super::set::Part;
use super::super::trace::is_of_law;
use super::Refusal;
use super::tags::{Piece, What};

const NEXT: &str = "fill it in with a field, state it with `forthright incident state`, or name an article as `forthright notice obligations` does";

/// Whether there is none.
pub(super) fn check(part: Part, pieces: &[Piece<'_>]) -> Result<(), Refusal> {
    let raw = pieces.iter().filter_map(|piece| match piece.what {
        What::Raw(text) => Some((piece.at, text)),
        What::Comment
        | What::Print(_)
        | What::Quote(_)
        | What::Each(_)
        | What::When(_)
        | What::Element(_)
        | What::Close => None,
    });
    for (start, text) in raw {
        let mut within_tag = false;
        for (at, char) in text.char_indices() {
            match char {
                '<' if part == Part::Html => within_tag = true,
                '>' => within_tag = false,
                figure
                    if figure.is_numeric()
                        && !within_tag
                        && !is_of_law(&text.replace("&amp;", "&"), shifted(text, at)) =>
                {
                    let line = text[at..].lines().next().unwrap_or_default();
                    let words: String = line.chars().take_while(|char| *char != '<').take(40).collect();
                    let why = format!("a figure stands in the template's own words: `{}`", words.trim_end());
                    return Err(Refusal::new(start + at, why, NEXT));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The place of a byte once `&amp;` is written `&`.
fn shifted(text: &str, at: usize) -> usize {
    at - text[..at].matches("&amp;").count() * "amp;".len()
}

#[cfg(test)]
mod tests {
    use super::super::tags;
    use super::*;

    #[track_caller]
    fn check(source: &str, refused_at: Option<usize>) {
        let judged = super::check(Part::Html, &tags::pieces(source).unwrap());
        assert_eq!(judged.err().map(|refusal| refusal.at), refused_at, "{source}");
    }

    #[test]
    fn a_figure_in_words_is_refused_where_it_stands() {
        check("<p>{{vendor}}: 12 objects</p>", Some(15));
        for figures in ["12", "１２", "②", "½", "Ⅻ", "x²", "\u{1d7d9}", "٣"] {
            check(figures, Some(figures.find(char::is_numeric).unwrap()));
        }
        check("{{#when vendor}}a\n7{{/when}}", Some(18));
    }

    #[test]
    fn what_is_no_word_may_have_digits_and_so_may_the_name_of_a_law() {
        check("<h1 style=\"font-size:16px\">{{vendor}}</h1><td colspan=\"2\">&lt;</td>{{!-- 12 --}}", None);
        check("as GDPR Art. 33(2) and Tex. Bus. &amp; Com. Code 521.053(b) want it, and GDPR Art. 34.", None);
        check("as GDPR Art. 33 wants it", None);
        check("GDPR Art. 339", Some(10));
        check("GDPR Art. 34 objects and 34 files", Some(25));
    }
}
