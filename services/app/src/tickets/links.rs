//! Links of answers, promises and declines: to the sender's own hosts or to nowhere, by the rule of notices.
//!
//! Reads what an agent wrote, before anything is written down. Invariant: no letter of a ticket leads to a host that is not the
//! sender's; what the reader asked is quoted without its links (`mail::templates`).

use store::Tx;
use store::facts::Scope;

use super::case::Case;
use crate::notices::links::{NEXT, said};
use crate::{App, AppError};

/// Refuses words that lead elsewhere; `what` names them in the refusal.
pub(super) async fn refuse_outside(
    app: &App,
    tx: &mut Tx,
    case: &Case,
    what: &str,
    text: &str,
) -> Result<(), AppError> {
    let own = app.own_hosts();
    let outside = own.outside(text);
    if outside.is_empty() {
        return Ok(());
    }
    // A domain of theirs that begins with `www.` is a fact, not a link.
    let tenant = &case.ticket.tenant_id;
    let facts = store::facts::facts(tx, case.incident.id, Scope::Tenants(tenant, tenant)).await?;
    let theirs = |written: &str| facts.iter().any(|facts| facts.domain == written.trim_end_matches(['.', ':']));
    match outside.iter().find(|link| !theirs(link.written)) {
        Some(link) => Err(AppError::refused(said(what, text, link, &own), NEXT)),
        None => Ok(()),
    }
}
