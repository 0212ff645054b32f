//! Times and texts as the page shows them.
//!
//! Escapes nothing: the templates do. Invariant: what is cut says so.

use std::time::Duration;

use model::time::Timestamp;

/// The longest text of a question that the page shows, in characters; `ticket show` has all of it.
const SHORT: usize = 300;

/// RFC 3339, for machines.
pub(crate) fn iso(micros: &i64) -> String {
    Timestamp::from_micros(*micros).to_string()
}

/// `2022-09-24 10:11 UTC`.
pub(crate) fn minute(micros: &i64) -> String {
    at(&Timestamp::from_micros(*micros))
}

/// `2022-09-24 10:11 UTC`.
pub(crate) fn at(time: &Timestamp) -> String {
    let full = time.to_string();
    match (full.get(..10), full.get(11..16)) {
        (Some(date), Some(minute)) => format!("{date} {minute} UTC"),
        _ => full,
    }
}

/// How long ago something was, in the two largest units: `3 d 4 h`.
pub(crate) fn age(now: &Timestamp, micros: &i64) -> String {
    span(now.since(Timestamp::from_micros(*micros)))
}

fn span(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    let (days, hours, minutes) = (minutes / (24 * 60), minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        (_, _) => format!("{days} d {hours} h"),
    }
}

/// When something is or was due, seen from now: `in 3 h 5 min`, `for 2 d 0 h`.
pub(crate) fn due(now: &Timestamp, micros: &i64) -> String {
    let due = Timestamp::from_micros(*micros);
    if due > *now { format!("in {}", span(due.since(*now))) } else { format!("for {}", span(now.since(due))) }
}

/// What is said of a promise whose time has come.
pub(crate) fn broken(now: &Timestamp, micros: &i64) -> &'static str {
    if Timestamp::from_micros(*micros) <= *now { " (the time has passed)" } else { "" }
}

/// A text on a few lines.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}… (cut; `ticket show` has all of it)", &text[..end]),
        None => text.to_owned(),
    }
}

/// A name that may not be there yet.
pub(crate) fn or_none(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("none")
}

/// A name of the store in words: `at_dot` is `at dot`.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * 1_000_000;

    fn ago(minutes: i64) -> String {
        age(&Timestamp::from_micros(minutes * MINUTE), &0)
    }

    #[test]
    fn an_age_is_said_in_its_two_largest_units() {
        assert_eq!(ago(0), "0 min");
        assert_eq!(ago(59), "59 min");
        assert_eq!(ago(61), "1 h 1 min");
        assert_eq!(ago(3 * 24 * 60 + 4 * 60 + 5), "3 d 4 h");
    }

    #[test]
    fn what_lies_ahead_has_no_age() {
        assert_eq!(age(&Timestamp::from_micros(0), &MINUTE), "0 min");
    }

    #[test]
    fn a_due_time_says_on_which_side_of_now_it_is() {
        let now = Timestamp::from_micros(10 * MINUTE);
        assert_eq!(due(&now, &(15 * MINUTE)), "in 5 min");
        assert_eq!(due(&now, &(3 * MINUTE)), "for 7 min");
    }

    #[test]
    fn a_promise_is_broken_from_its_time_on() {
        let now = Timestamp::from_micros(10 * MINUTE);
        assert_eq!(broken(&now, &(10 * MINUTE)), " (the time has passed)");
        assert_eq!(broken(&now, &(11 * MINUTE)), "");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let text = "ä".repeat(SHORT + 1);
        assert!(short(&text).starts_with(&"ä".repeat(SHORT)));
        assert!(short(&text).contains("cut"));
        assert_eq!(short("as it is"), "as it is");
    }

    #[test]
    fn minutes_are_in_utc() {
        assert_eq!(minute(&0), "1970-01-01 00:00 UTC");
    }
}
