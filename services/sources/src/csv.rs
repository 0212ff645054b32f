//! CSV records, a physical line at a time. Source: RFC 4180, and where it is silent the habit of most readers: a quote
//! opens a field only at its beginning; what follows a closing quote belongs to the field; a carriage return ends a
//! line only before a line feed.
//!
//! Does not read files. Written here rather than taken from a library because a record is fed line by line, and each
//! reader that we know ends a record at a lone carriage return too, which then is another line than an editor shows.
//! Invariant: fields are the record's bytes without delimiters and outer quotes, and nothing is lost between them.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use crate::lines::without_end;

/// Splits records into fields. Buffers are used again.
#[derive(Debug)]
pub(crate) struct Splitter {
    delimiter: u8,
    state: State,
    /// The fields' bytes, one after the other; not used by a record without quotes, whose fields are in its raw text.
    text: Vec<u8>,
    fields: Vec<Range<usize>>,
    is_raw: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
}

impl Splitter {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self { delimiter, state: State::FieldStart, text: Vec::new(), fields: Vec::new(), is_raw: true }
    }

    /// Begins a record with its first line; whether it is complete, or goes on with [`Self::feed`].
    pub(crate) fn begin(&mut self, line: &[u8]) -> bool {
        self.fields.clear();
        self.text.clear();
        self.state = State::FieldStart;
        self.is_raw = memchr(b'"', line).is_none();
        if self.is_raw { self.split_plain(without_end(line)) } else { self.feed(line) }
    }

    /// Goes on with the next line; whether the record is complete.
    pub(crate) fn feed(&mut self, line: &[u8]) -> bool {
        let mut rest = line;
        loop {
            rest = match self.state {
                State::FieldStart if rest.first() == Some(&b'"') => self.enter(State::Quoted, &rest[1..]),
                State::FieldStart => self.enter(State::Plain, rest),
                State::Quoted => {
                    let Some(at) = memchr(b'"', rest) else {
                        self.text.extend_from_slice(rest);
                        return false;
                    };
                    self.text.extend_from_slice(&rest[..at]);
                    if rest.get(at + 1) == Some(&b'"') {
                        self.text.push(b'"');
                        &rest[at + 2..]
                    } else {
                        self.enter(State::Plain, &rest[at + 1..])
                    }
                }
                State::Plain => {
                    let Some(at) = memchr(self.delimiter, rest) else {
                        self.end_field(without_end(rest));
                        return true;
                    };
                    self.end_field(&rest[..at]);
                    self.enter(State::FieldStart, &rest[at + 1..])
                }
            };
        }
    }

    /// How many fields the record has.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Where the record's fields stand, for the record whose raw text is `raw`: the text that [`Self::range`] is about.
    pub(crate) fn source<'a>(&'a self, raw: &'a [u8]) -> &'a [u8] {
        if self.is_raw { raw } else { &self.text }
    }

    /// The place of a field in [`Self::source`].
    pub(crate) fn range(&self, at: usize) -> Option<Range<usize>> {
        self.fields.get(at).cloned()
    }

    /// Whether no character of [`Self::source`] is cut by the end of a field.
    pub(crate) fn is_cut_between_characters(&self, source: &str) -> bool {
        // A delimiter between two fields is a character of its own.
        self.is_raw || self.fields.iter().all(|field| source.is_char_boundary(field.end))
    }

    /// A field of the record whose raw text is `raw`.
    pub(crate) fn field<'a>(&'a self, raw: &'a [u8], at: usize) -> Option<&'a [u8]> {
        self.source(raw).get(self.range(at)?)
    }

    fn enter<'a>(&mut self, state: State, rest: &'a [u8]) -> &'a [u8] {
        self.state = state;
        rest
    }

    fn end_field(&mut self, last: &[u8]) {
        self.text.extend_from_slice(last);
        let start = self.fields.last().map_or(0, |field| field.end);
        self.fields.push(start..self.text.len());
    }

    fn split_plain(&mut self, line: &[u8]) -> bool {
        let mut start = 0;
        for at in memchr_iter(self.delimiter, line) {
            self.fields.push(start..at);
            start = at + 1;
        }
        self.fields.push(start..line.len());
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fields of each record of a text.
    fn records(text: &str) -> Vec<Vec<String>> {
        let mut splitter = Splitter::new(b',');
        let mut all = Vec::new();
        let mut lines = text.split_inclusive('\n');
        while let Some(line) = lines.next() {
            let mut raw = line.to_owned();
            let mut complete = splitter.begin(line.as_bytes());
            while !complete {
                let Some(more) = lines.next() else { return all };
                raw.push_str(more);
                complete = splitter.feed(more.as_bytes());
            }
            let field = |at| String::from_utf8(splitter.field(raw.as_bytes(), at).unwrap().to_vec()).unwrap();
            all.push((0..splitter.len()).map(field).collect());
        }
        all
    }

    fn check(text: &str, expect: &[&[&str]]) {
        assert_eq!(records(text), expect, "{text:?}");
    }

    #[test]
    fn plain_records_are_split_at_delimiters() {
        check("a,b,,c\r\n,\n", &[&["a", "b", "", "c"], &["", ""]]);
    }

    #[test]
    fn quotes_hold_delimiters_line_breaks_and_quotes() {
        check("\"a,b\",c\n", &[&["a,b", "c"]]);
        check("\"a\r\nb\nc\",\"d\"\"e\"\r\nf", &[&["a\r\nb\nc", "d\"e"], &["f"]]);
        check("\"\",\"a\r\"\n", &[&["", "a\r"]]);
    }

    #[test]
    fn a_quote_inside_a_field_is_a_character() {
        check("a\"b,\"c\"d\r\n", &[&["a\"b", "cd"]]);
        check("a\rb,\"c\"\r\n", &[&["a\rb", "c"]]);
    }

    proptest! {
        #[test]
        fn another_reader_agrees(text in "[ab,\"\n]{0,40}") {
            // The other reader drops empty lines, and takes a quote that is left open at the end for closed.
            let text: String = text.split_inclusive('\n').filter(|line| *line != "\n").collect();
            let mine = records(&text);
            let mut other = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                other.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            prop_assert!(theirs.starts_with(&mine), "{:?} {:?}", mine, theirs);
            prop_assert!(theirs.len() <= mine.len() + 1);
        }
    }
}
