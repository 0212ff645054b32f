//! Refuses an answer that says there is nothing to say, and lists what there is.
//!
//! Invariant: while an organisation has facts that no released notice states, no answer says that there are none.

use store::Tx;

use super::case::Case;
use super::{cut, phrases};
use crate::AppError;

/// Facts that a refusal lists.
const LISTED: usize = 12;

/// What a text says that says nothing else than that there is nothing to say.
pub(crate) fn evasion(text: &str) -> Option<String> {
    phrases::no_information(text).filter(|found| found.is_all).map(|found| cut(&found.phrase))
}

/// A text that says there is nothing to say pays no debt.
pub(super) async fn refuse(tx: &mut Tx, case: &Case, text: &str) -> Result<(), AppError> {
    let Some(found) = phrases::no_information(text) else { return Ok(()) };
    let (slug, tenant) = (&case.incident.slug, &case.ticket.tenant_id);
    let facts = crate::notices::untold(tx, case.incident.id, tenant).await?;
    let listed = match facts.len() {
        0 => String::new(),
        count => {
            let more = count.saturating_sub(LISTED);
            let more = if more == 0 { String::new() } else { format!("; and {more} more") };
            format!(
                ", and tenant {tenant} has facts that no released notice states: {}{more}",
                facts[..count.min(LISTED)].join("; ")
            )
        }
    };
    if found.is_all {
        return Err(AppError::refused(
            format!(
                "the text says no more than \"{}\": a generic text answers no question{listed}",
                cut(&found.phrase)
            ),
            format!(
                "say what is known (`forthright ticket pack {}`), or promise or decline the question openly",
                case.ticket.id
            ),
        ));
    }
    if facts.is_empty() {
        return Ok(());
    }
    Err(AppError::refused(
        format!("the text says \"{}\"{listed}", cut(&found.phrase)),
        format!("look at `forthright ticket pack {}`, and tell them: `forthright notice draft {slug}`", case.ticket.id),
    ))
}
