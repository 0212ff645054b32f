//! What mail systems write when a letter fails, in the languages they ship with; a phrase a line, lower case.
//!
//! Only lists, as text files beside this one. What a phrase is worth is weighed in `prose`.

/// Words that only a mail system opens with.
pub(super) const SYSTEMS: &str = include_str!("phrases/systems.txt");
/// Words that need a mail system as author.
pub(super) const FAILURES: &str = include_str!("phrases/failures.txt");
/// Subjects of failures and delays: what a mail system writes there whoever it says it is.
pub(super) const SUBJECTS: &str = include_str!("phrases/subjects.txt");
/// Words of a letter that is still under way.
pub(super) const DELAYS: &str = include_str!("phrases/delays.txt");
/// Words of a letter that was given up, whatever else is said.
pub(super) const GIVEN_UP: &str = include_str!("phrases/given_up.txt");
/// What stands above the copy of the letter.
pub(super) const COPIES: &str = include_str!("phrases/copies.txt");
/// A refusal for a reason that may pass, where no code is stated.
pub(super) const MAY_PASS: &str = include_str!("phrases/may_pass.txt");
