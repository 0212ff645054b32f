//! Parameter lists, for statements whose length depends on their rows.
//!
//! Holds no statement of its own.

use std::fmt::Write;

/// How many rows one INSERT carries. SQLite looks numbered parameters up one after the other, so a statement costs the
/// square of their number: 1,000 rows of 20 columns took 2.4 s, five times 200 rows a fifth of it.
pub(crate) const ROWS_AN_INSERT: usize = 200;

/// `head ($1,$2),($3,$4) tail` for `rows` rows of `columns` parameters.
pub(crate) fn insert_text(head: &str, columns: usize, rows: usize, tail: &str) -> String {
    let mut text = String::with_capacity(head.len() + tail.len() + rows * columns * 5);
    text.push_str(head);
    text.push_str(" VALUES ");
    values(&mut text, 1, columns, rows);
    text.push(' ');
    text.push_str(tail);
    text
}

/// `($a,$b),($c,$d)`, numbered from `first`.
pub(crate) fn values(text: &mut String, first: usize, columns: usize, rows: usize) {
    let mut next = first;
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            let _ = write!(text, "{}${next}", if column == 0 { "" } else { "," });
            next += 1;
        }
        text.push(')');
    }
}

/// `($a,$b,$c)`, numbered from `first`, for `IN`.
pub(crate) fn list(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 5 + 2);
    values(&mut text, first, count, 1);
    text
}
