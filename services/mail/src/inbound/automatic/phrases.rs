//! What machines write in subjects and texts, in the languages that mail systems ship with; a phrase a line, lower case.
//!
//! Only lists, as text files beside this one. What a phrase is worth is weighed in `automatic`.

/// Openings of subjects of automatic replies.
pub(super) const SUBJECTS: &str = include_str!("phrases/subjects.txt");
/// Those of them that people write about as well.
pub(super) const TOPICS: &str = include_str!("phrases/topics.txt");
/// What stands anywhere in subjects of automatic replies (Notes: `AUTO: X is out of the office`).
pub(super) const SUBJECT_PARTS: &str = include_str!("phrases/subject_parts.txt");
/// Subjects of acknowledgements, confirmations, quarantines and list programs, anywhere in the subject.
pub(super) const SERVICE_SUBJECTS: &str = include_str!("phrases/service_subjects.txt");
/// A machine speaks of itself.
pub(super) const MACHINE_TEXTS: &str = include_str!("phrases/machine_texts.txt");
/// Somebody is away.
pub(super) const ABSENCE_TEXTS: &str = include_str!("phrases/absence_texts.txt");
/// A service says that something arrived, or wants something confirmed.
pub(super) const SERVICE_TEXTS: &str = include_str!("phrases/service_texts.txt");
/// Openings of subjects of read receipts.
pub(super) const RECEIPT_SUBJECTS: &str = include_str!("phrases/receipt_subjects.txt");
/// What read receipts say.
pub(super) const RECEIPT_TEXTS: &str = include_str!("phrases/receipt_texts.txt");
