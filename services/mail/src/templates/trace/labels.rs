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
    if let Some(kind) = name.strip_prefix("type:") {
        let its_name = format!("{domain}/name:{kind}");
        let in_row = |other: &&Span| other.from >= from && other.to <= to;
        return seen.spans.iter().filter(in_row).any(|other| fact(other) == Some(its_name.as_str()));
    }
    let means = counted(&row, span.from - from);
    match means.is_empty() {
        // A title or a subject has its words elsewhere.
        true => !span.is_read || row.contains(char::is_alphabetic),
        false => means.iter().any(|figure| is_of(name, figure)),
    }
}

/// Whether a noun for these figures can stand for a fact.
fn is_of(fact: &str, figure: &str) -> bool {
    match fact {
        "references" => ["organisation_rows", "rows", "accepted_rows"].contains(&figure),
        "emails" | "users" | "projects" | "bytes" => fact == figure,
        _ => figure.starts_with("objects"),
    }
}
