//! Reasons that are read by others, and the dates by which decisions are looked at again.
//!
//! Understands no reason. Invariant: a reason that is kept has words, and a review comes within a year.

use std::time::Duration;

use model::time::Timestamp;

use crate::AppError;

/// Words of two letters or more.
const FEWEST_WORDS: usize = 3;
/// Letters, of scripts that are written without spaces.
const FEWEST_UNSPACED: usize = 6;
/// 366 days: a year, whichever.
const LONGEST_REVIEW: Duration = Duration::from_secs(366 * 86_400);

/// Refuses a reason that says nothing: `n/a`, a full stop, a word. `what` names it.
pub(crate) fn says_something(why: &str, what: &str) -> Result<(), AppError> {
    let words = why.split(|char: char| !char.is_alphabetic()).filter(|word| word.chars().count() > 1).count();
    // Of Kana, CJK and Hangul on.
    let unspaced = why.chars().filter(|char| *char >= '\u{3040}' && char.is_alphabetic()).count();
    if words >= FEWEST_WORDS || unspaced >= FEWEST_UNSPACED {
        return Ok(());
    }
    Err(AppError::bad(
        format!("{what} says nothing: `{}`", why.trim()),
        format!(
            "others read it: give it in {FEWEST_WORDS} words of two letters at least, or in {FEWEST_UNSPACED} characters of Japanese"
        ),
    ))
}

/// Refuses a review that is over, or so far ahead that it is none.
pub(crate) fn is_reviewed(review_at: Timestamp, now: Timestamp) -> Result<(), AppError> {
    if review_at <= now {
        return Err(AppError::bad(
            format!("the review {review_at} is not in the future"),
            "say by when somebody decides again: --review TIME",
        ));
    }
    let latest = now.plus(LONGEST_REVIEW);
    if review_at > latest {
        return Err(AppError::bad(
            format!("the review {review_at} is more than a year ahead"),
            format!("say a time before {latest}: whoever reviews it then can withhold anew"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_words_in_any_language() {
        for good in [
            "the police asked",
            "court order of May",
            "asks for a person of ours",
            "Die Polizei bat darum.",
            "la police l'a demandé",
            "lo pidió la policía",
            "警察の要請による",
        ] {
            assert!(says_something(good, "it").is_ok(), "{good}");
        }
        for bad in ["", ".", "n/a", "...", "x y z", "police", "- - - -", "1 2 3", "a b c d", "理由"] {
            assert_eq!(says_something(bad, "it").unwrap_err().exit_code(), 1, "{bad}");
        }
    }

    #[test]
    fn a_review_is_within_a_year() {
        let now = Timestamp::from_micros(1_000_000);
        let after = |days: u64| now.plus(Duration::from_secs(days * 86_400));
        assert!(is_reviewed(after(1), now).is_ok() && is_reviewed(after(366), now).is_ok());
        assert!(is_reviewed(now, now).is_err() && is_reviewed(after(367), now).is_err());
    }
}
