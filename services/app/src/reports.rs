//! Reports: texts for authorities, the press and support, written from the same facts as the notices and held against
//! them.
//!
//! Changes nothing. Invariant: what is withheld from every organisation is in no text that is written here, and is refused
//! in every text that is checked.

mod facts;
mod write;

use model::report::{Finding, Verdict, check as read};
use serde::Serialize;

pub use write::{Audience, ReportFact, WrittenReport, write};

use crate::{App, AppError};

/// What a text says, held against the facts.
#[derive(Debug, Serialize)]
pub struct CheckedReport {
    /// The incident.
    pub incident: String,
    /// How many of the findings should keep the text from going out.
    pub refused: usize,
    /// How many things the facts say exactly so.
    pub agreed: usize,
    /// By line.
    pub findings: Vec<Finding>,
}

/// What is shown of a checked text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Everything that was read.
    All,
    /// What does not agree exactly.
    Differences,
}

/// Reads a text against the facts of an incident.
pub async fn check(app: &App, slug: &str, text: &str, listed: Listed) -> Result<CheckedReport, AppError> {
    let known = facts::known(app, slug).await?;
    let mut findings = read(text, &known.facts);
    let count = |wanted: fn(Verdict) -> bool| findings.iter().filter(|one| wanted(one.finding)).count();
    let (refused, agreed) = (count(Verdict::refuses), count(|verdict| verdict == Verdict::Agrees));
    findings.retain(|one| listed == Listed::All || one.finding != Verdict::Agrees);
    Ok(CheckedReport { incident: slug.to_owned(), refused, agreed, findings })
}
