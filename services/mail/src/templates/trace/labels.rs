//! Whether a figure stands with its own name: in its line, or its row of a table.
//!
//! Knows the nouns that reports are read by, and takes words that it does not know for a name. Invariant: a figure that
//! passes stands beside no noun of another fact, the number of a data type beside that type's name, and none stands alone.

use model::report::counted;

use super::seen::{Seen, Span};

/// What is said of a fact (`acme.example/objects`, `acme.example/type:invoice`) in its row.
pub(super) fn stands_with_its_own<'a>(
    seen: &Seen,
    span: &Span,
    id: &str,
    fact: impl Fn(&Span) -> Option<&'a str>,
) -> bool {
    let Some((domain, name)) = id.rsplit_once('/') else { return true };
    if name.ends_with("_date") {
        return true;
    }
    let (from, row) = seen.row(span.from);
    let to = from + row.len();
    let in_row = |other: &&Span| other.from >= from && other.to <= to;
    if let Some(kind) = name.strip_prefix("type:") {
        let its_name = format!("{domain}/name:{kind}");
        return nearest_name(seen, span, (from, to), fact) == Some(its_name.as_str());
    }
    let means = counted(&row, span.from - from);
    let alone = || !seen.spans.iter().filter(in_row).any(|other| is_of_another(seen, other, id, &fact));
    match means.is_empty() {
        // A title or a subject has its words elsewhere. Of two figures in a row each needs a noun, or they could be exchanged.
        true => !span.is_read || (row.contains(char::is_alphabetic) && alone()),
        false => means.iter().any(|figure| is_of(name, figure)),
    }
}

/// Whether a value is a figure of another fact.
fn is_of_another<'a>(seen: &Seen, other: &Span, id: &str, fact: impl Fn(&Span) -> Option<&'a str>) -> bool {
    let is_figure = seen.text_of(other).chars().all(|char| char.is_ascii_digit());
    is_figure && fact(other).is_some_and(|there| there != id)
}

/// The name of a data type that a figure of its row stands with: the nearer one of those before and behind it with no figure
/// between; one that a comma or the like parts from it is farther than one that nothing does.
fn nearest_name<'a>(
    seen: &Seen,
    span: &Span,
    (from, to): (usize, usize),
    fact: impl Fn(&Span) -> Option<&'a str>,
) -> Option<&'a str> {
    let here = |other: &&Span| other.from >= from && other.to <= to && other.from != span.from;
    let is_figure = |other: &Span| seen.text_of(other).chars().all(|char| char.is_ascii_digit());
    let name =
        |other: &Span| fact(other).filter(|id| id.rsplit_once('/').is_some_and(|(_, name)| name.starts_with("name:")));
    let relevant = |other: &&Span| here(other) && (is_figure(other) || name(other).is_some());
    let before = seen.spans.iter().filter(relevant).rfind(|other| other.to <= span.from);
    let behind = seen.spans.iter().filter(relevant).find(|other| other.from >= span.to);
    let distance = |gap: &str| (gap.contains([',', ';', '、', '，', '；', '•', '·', '|']), gap.chars().count());
    let before = before.and_then(|other| Some((distance(&seen.text[other.to..span.from]), name(other)?)));
    let behind = behind.and_then(|other| Some((distance(&seen.text[span.to..other.from]), name(other)?)));
    before.into_iter().chain(behind).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Whether a noun for these figures can stand for a fact.
fn is_of(fact: &str, figure: &str) -> bool {
    match fact {
        "references" => ["organisation_rows", "rows", "accepted_rows"].contains(&figure),
        "emails" | "users" | "projects" | "bytes" => fact == figure,
        _ => figure.starts_with("objects"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::marks;
    use super::super::super::set::Part;
    use super::*;

    const IDS: [&str; 4] =
        ["a.example/name:contract", "a.example/type:contract", "a.example/name:invoice", "a.example/type:invoice"];

    /// Whether every number of a line with contracts (7) and invoices (9) stands with its own name.
    fn passes(line: &str) -> bool {
        let marked = line
            .replace("{a}", &marks::text(0, "Contract"))
            .replace("{x}", &marks::number(1, "7"))
            .replace("{b}", &marks::text(2, "Invoice"))
            .replace("{y}", &marks::number(3, "9"));
        let seen = Seen::of(Part::Text, &marked);
        let fact = |span: &Span| IDS.get(span.origin).copied();
        let numbers = seen.spans.iter().filter(|span| span.origin % 2 == 1);
        numbers.into_iter().all(|span| stands_with_its_own(&seen, span, IDS[span.origin], fact))
    }

    #[test]
    fn data_types_with_each_others_numbers_do_not_pass() {
        for right in [
            "{a}: {x}, {b}: {y}",
            "{x} {a}, {y} {b}",
            "{a} {x} {b} {y}",
            "- {a}: {x}\n- {b}: {y}",
            "{y} × {b}; {x} × {a}",
        ] {
            assert!(passes(right), "{right}");
        }
        for exchanged in [
            "{a}: {y}, {b}: {x}",
            "{y} {a}, {x} {b}",
            "{a} {y} {b} {x}",
            "{a}, {b}: {x}, {y}",
            "- {a}: {y}\n- {b}: {x}",
        ] {
            assert!(!passes(exchanged), "{exchanged}");
        }
    }
}
