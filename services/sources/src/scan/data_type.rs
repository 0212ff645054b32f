//! The kind of data an object holds, by the names of the taxonomy in its path and its first lines.
//!
//! Does not look at the data itself: where no name stands, no kind is given. Invariant: whole words only; the longest
//! name wins, and the path beats the heading.

use std::collections::HashMap;

use model::taxonomy::Taxonomy;

/// Most words of a line that is a heading and not a sentence.
const HEADING_WORDS: usize = 8;
/// Kinds of files of the taxonomy whose content is columns: a kind that comes in no others is the name of a column.
const COLUMNS: [&str; 2] = ["csv", "database rows"];
/// Endings of files that have columns.
const TABLES: [&str; 10] = ["csv", "tsv", "tab", "xlsx", "xlsm", "json", "jsonl", "ndjson", "sql", "ldif"];

/// The names of the taxonomy, by their first word.
#[derive(Debug)]
pub(crate) struct DataTypes {
    by_first: HashMap<String, Vec<Name>>,
}

#[derive(Debug)]
struct Name {
    /// The words after the first.
    more: Vec<String>,
    /// Letters of all words.
    length: usize,
    id: String,
    /// Whether it is a column of tables, such as `name`, which in another file is just a word.
    is_column: bool,
}

/// A name that stands in a text.
#[derive(Debug, Clone, Copy)]
struct Match<'n> {
    length: usize,
    id: &'n str,
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the path of a table, or not.
    Path(Table),
    /// In a line of a table, or not.
    Heading(Table),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Yes,
    No,
}

impl DataTypes {
    /// Kinds that come in any kind of file (`files`, `other`) say nothing about an object and are left out.
    pub(crate) fn new(taxonomy: &Taxonomy) -> Self {
        let mut by_first: HashMap<String, Vec<Name>> = HashMap::new();
        for kind in taxonomy.types().iter().filter(|kind| !kind.file_kinds.iter().any(|kind| kind == "any")) {
            let is_column = kind.file_kinds.iter().all(|kind| COLUMNS.contains(&kind.as_str()));
            for name in [&kind.id, &kind.label].into_iter().chain(&kind.synonyms) {
                let mut words = words(name, Capitals::StayInWords).map(str::to_lowercase).collect::<Vec<_>>();
                if words.is_empty() {
                    continue;
                }
                let length = words.iter().map(String::len).sum();
                let first = words.remove(0);
                by_first.entry(first).or_default().push(Name { more: words, length, id: kind.id.clone(), is_column });
            }
        }
        Self { by_first }
    }

    /// The kind of an object with that path and those first lines.
    pub(crate) fn of<'l>(&self, path: &str, headings: impl Iterator<Item = &'l str>) -> Option<&str> {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        let table = if TABLES.contains(&ending.as_str()) { Table::Yes } else { Table::No };
        // Of names of one length the one next to the object.
        let in_path = path.rsplit('/').filter_map(|segment| {
            let whole = self.longest(segment, Capitals::StayInWords, Place::Path(table));
            longer(whole, self.longest(segment, Capitals::BeginWords, Place::Path(table)))
        });
        let in_headings =
            || headings.filter_map(|line| self.longest(line, Capitals::StayInWords, Place::Heading(table)));
        in_path.reduce(keep_longer).or_else(|| in_headings().reduce(keep_longer)).map(|found| found.id)
    }

    fn longest(&self, text: &str, capitals: Capitals, place: Place) -> Option<Match<'_>> {
        let written: Vec<&str> = words(text, capitals).collect();
        if place == Place::Heading(Table::No) && written.len() > HEADING_WORDS {
            return None;
        }
        let words: Vec<String> = written.iter().map(|word| word.to_lowercase()).collect();
        let mut longest = None;
        for (at, first) in words.iter().enumerate() {
            for name in singulars(first).filter_map(|first| self.by_first.get(first)).flatten() {
                if name.may_stand(place, &written, at) && name.goes_on(&words[at + 1..]) {
                    longest = longer(longest, Some(Match { length: name.length, id: &name.id }));
                }
            }
        }
        longest
    }
}

impl Name {
    /// Whether it means something in that place. A single word of a heading says what the text is at its beginning or
    /// end (`Invoice 17`, `Final invoice`), and a short one in capitals: `po` and `age` are also words.
    fn may_stand(&self, place: Place, written: &[&str], at: usize) -> bool {
        match place {
            Place::Path(Table::Yes) | Place::Heading(Table::Yes) => true,
            Place::Path(Table::No) => !self.is_column,
            Place::Heading(Table::No) => {
                let is_abbreviation = written[at].chars().skip(1).any(char::is_uppercase);
                let is_at_an_end = at == 0 || at + 1 == written.len() || !self.more.is_empty();
                !self.is_column && is_at_an_end && (self.length > 3 || is_abbreviation)
            }
        }
    }

    /// Whether the words after the first are there; the last one may be a plural.
    fn goes_on(&self, after: &[String]) -> bool {
        let Some((last, middle)) = self.more.split_last() else { return true };
        after.len() > middle.len()
            && middle == &after[..middle.len()]
            && singulars(&after[middle.len()]).any(|word| word == last)
    }
}

/// Whether a word begins at a capital behind a small letter, as in `PurchaseOrder`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Capitals {
    BeginWords,
    StayInWords,
}

fn words(text: &str, capitals: Capitals) -> impl Iterator<Item = &str> {
    let pieces = text.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty());
    pieces.flat_map(move |piece| {
        let mut cuts = vec![0];
        if capitals == Capitals::BeginWords {
            let pairs = piece.char_indices().zip(piece.chars().skip(1));
            let begins = pairs.filter(|((_, before), next)| before.is_lowercase() && next.is_uppercase());
            cuts.extend(begins.map(|((at, before), _)| at + before.len_utf8()));
        }
        cuts.push(piece.len());
        (1..cuts.len()).map(move |end| &piece[cuts[end - 1]..cuts[end]]).collect::<Vec<_>>()
    })
}

/// The word, and what it may be the plural of.
fn singulars(word: &str) -> impl Iterator<Item = &str> {
    std::iter::once(word).chain(word.strip_suffix('s').filter(|word| word.len() > 1))
}

fn longer<'n>(kept: Option<Match<'n>>, other: Option<Match<'n>>) -> Option<Match<'n>> {
    match (kept, other) {
        (Some(kept), Some(other)) => Some(keep_longer(kept, other)),
        (kept, other) => kept.or(other),
    }
}

fn keep_longer<'n>(kept: Match<'n>, other: Match<'n>) -> Match<'n> {
    if other.length > kept.length { other } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, headings: &[&str], expect: Option<&str>) {
        let types = DataTypes::new(Taxonomy::builtin());
        assert_eq!(types.of(path, headings.iter().copied()), expect, "{path} {headings:?}");
    }

    #[test]
    fn a_name_in_the_path_gives_the_kind() {
        check("acme/Invoices/2022-01.csv", &[], Some("invoice"));
        check("acme/sow_document.txt", &[], Some("sow_document"));
        check("PurchaseOrder_17.xlsx", &[], Some("product_order"));
        check("acme/PoE report.docx", &[], Some("poe_document"));
        check("price lists/acme.csv", &[], Some("price_list"));
        check("acme/invoiced.txt", &[], None);
        check("other files/a.txt", &[], None);
    }

    #[test]
    fn the_longest_name_wins_and_then_the_one_next_to_the_object() {
        check("invoices/purchase order.csv", &[], Some("product_order"));
        check("invoice/payroll/a.txt", &[], Some("salary"));
        check("payroll/invoice/a.txt", &[], Some("invoice"));
    }

    #[test]
    fn a_heading_counts_where_the_path_says_nothing() {
        check("a/b.txt", &["# Statement of Work", "Invoice"], Some("sow_document"));
        check("invoice/b.txt", &["Statement of Work"], Some("invoice"));
        check("a/b.txt", &["the po and its age"], None);
        check("a/b.txt", &["SoW 17"], Some("sow_document"));
        check("a/b.txt", &["The invoice of last month"], None);
        check("a/b.txt", &["a sentence about the statement of work that we had in summer"], None);
    }

    #[test]
    fn names_of_columns_count_in_tables_only() {
        check("a/b.csv", &["id;full name;x"], Some("person_name"));
        check("a/b.txt", &["Name: x"], None);
        check("a/names.csv", &[], Some("person_name"));
        check("a/name.md", &[], None);
    }
}
