//! The apostrophe that keeps a spreadsheet from running a name as a formula.
//!
//! Knows CSV cells only; JSON, SCIM and vCard are no spreadsheets. Invariant: what is taken off is exactly what was put
//! on, also where a name begins with apostrophes of its own.

use std::borrow::Cow;

/// The name as a cell: one that would be run, or that looks as if it had been defused, gets an apostrophe in front.
pub(super) fn put(name: &str) -> Cow<'_, str> {
    if is_dangerous(name.trim_start_matches('\'')) { Cow::Owned(format!("'{name}")) } else { Cow::Borrowed(name) }
}

/// The name in a cell, without the apostrophe that [`put`] gave it.
pub(super) fn take(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(name) if is_dangerous(name.trim_start_matches('\'')) => name,
        _ => cell,
    }
}

fn is_dangerous(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, cell: &str) {
        assert_eq!(put(name), cell);
        assert_eq!(take(cell), name);
    }

    #[test]
    fn a_formula_is_defused_and_comes_back() {
        check("=1+1", "'=1+1");
        check("-Nord- GmbH", "'-Nord- GmbH");
        check("\tx", "'\tx");
    }

    #[test]
    fn a_name_with_apostrophes_of_its_own_comes_back() {
        check("'=1+1", "''=1+1");
        check("''@x", "'''@x");
        check("'t Hooft", "'t Hooft");
        check("'", "'");
        check("", "");
    }
}
