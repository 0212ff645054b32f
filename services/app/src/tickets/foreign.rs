//! Refuses letters of a ticket that name another organisation of the incident: its domain, an address, its name, its token,
//! the code of its notice, an id, something of it that was exposed (`things`), or its figures (`telltale`).
//!
//! Reads what an agent wrote, and what a snippet made, before anything is written down. Invariant: nothing of one
//! organisation goes to another; and the refusal quotes what was written, but never says whose it is.

mod telltale;
mod things;

use std::collections::BTreeSet;

use model::mapping::Verdict;
use model::mentions::mentions;
use store::Tx;

use super::case::Case;
use crate::{App, AppError};

/// Refuses words that name somebody else's; `what` names them in the refusal.
pub(super) async fn refuse(app: &App, tx: &mut Tx, case: &Case, what: &str, text: &str) -> Result<(), AppError> {
    match named(app, tx, case, text).await? {
        None => Ok(()),
        Some((written, kind)) => Err(AppError::refused(
            format!("{what} names `{written}`{}, {kind} another organisation of this incident", place(text, &written)),
            "nothing of one organisation goes to another: leave it away, or say it in words that name nobody",
        )),
    }
}

/// ` in line 3`; nothing where it runs over lines or is spelt otherwise.
fn place(text: &str, written: &str) -> String {
    let wanted = written.trim_end_matches('…').to_lowercase();
    let line = text.lines().position(|line| line.to_lowercase().contains(&wanted));
    line.map_or_else(String::new, |at| format!(" in line {}", at + 1))
}

/// The first thing of another organisation that a text names, and what it is.
async fn named(app: &App, tx: &mut Tx, case: &Case, text: &str) -> Result<Option<(String, &'static str)>, AppError> {
    let found = mentions(text);
    let own = &case.ticket.tenant_id;
    let by_address = store::foreign::contacts_of(tx, &refs(&found.addresses)).await?;
    if let Some(address) = first_foreign(tx, case, by_address).await? {
        return Ok(Some((address, "an address of")));
    }
    let tokens = store::foreign::tokens_of(tx, &refs(&found.tokens)).await?;
    if let Some(token) = first_foreign(tx, case, tokens).await? {
        // A token is not repeated anywhere.
        return Ok(Some((format!("{}…", &token[..4.min(token.len())]), "the reply token of")));
    }
    let codes = store::foreign::codes_of(tx, &refs(&found.codes)).await?;
    if let Some(code) = first_foreign(tx, case, codes).await? {
        return Ok(Some((code, "the code of a notice to")));
    }
    let ids = store::foreign::ids_of(tx, &refs(&found.ids)).await?;
    if let Some(id) = first_foreign(tx, case, ids).await? {
        return Ok(Some((id, "an id of")));
    }
    let own_hosts = app.own_hosts();
    let hosts = found.hosts.iter().filter_map(|host| model::domain::DomainName::parse(host).ok());
    let hosts: Vec<_> = hosts.filter(|host| !own_hosts.allow(host)).collect();
    for (host, mapping) in crate::mapping::owners(app, tx, case.incident.id, &hosts).await? {
        let foreign = match (mapping.verdict, &mapping.tenant_id) {
            (Verdict::Shared, _) => false,
            (_, Some(tenant)) if tenant == own => false,
            (_, Some(tenant)) => store::foreign::is_affected(tx, case.incident.id, tenant).await?,
            (_, None) => {
                let domain = &mapping.organisation_domain;
                let theirs = store::mapping::domains_of_tenant(tx, case.incident.id, own).await?;
                !theirs.contains(domain) && store::foreign::is_affected_domain(tx, case.incident.id, domain).await?
            }
        };
        if foreign {
            return Ok(Some((host, "a domain of")));
        }
    }
    if let Some(named) = by_name(tx, case, &found.names, &found.words).await? {
        return Ok(Some(named));
    }
    if let Some(named) = things::foreign(app, tx, case, (text, &found)).await? {
        return Ok(Some(named));
    }
    telltale::foreign(app, tx, case, text).await
}

/// Names of several words in any case, of one word as the directory writes it; never the own one or the vendor's.
async fn by_name(
    tx: &mut Tx,
    case: &Case,
    names: &BTreeSet<String>,
    words: &BTreeSet<String>,
) -> Result<Option<(String, &'static str)>, AppError> {
    let lower: BTreeSet<String> =
        names.iter().cloned().chain(words.iter().map(|word| word.to_ascii_lowercase())).collect();
    let tenant = case.tenant(tx).await?;
    let facts = &case.incident.facts;
    let spared = [tenant.name.to_lowercase(), facts.vendor.to_lowercase(), facts.title.to_lowercase()];
    let mut known = store::foreign::tenants_named(tx, &refs(&lower)).await?;
    known.retain(|(name, _)| {
        let is_spared = spared.iter().any(|spared| spared.contains(&name.to_lowercase()));
        !is_spared && (name.contains(char::is_whitespace) || words.contains(name))
    });
    Ok(first_foreign(tx, case, known).await?.map(|name| (name, "the name of")))
}

/// The first that is only somebody else's.
async fn first_foreign(tx: &mut Tx, case: &Case, owned: Vec<(String, String)>) -> Result<Option<String>, AppError> {
    let own = &case.ticket.tenant_id;
    let shared: BTreeSet<String> =
        owned.iter().filter(|(_, tenant)| tenant == own).map(|(value, _)| value.clone()).collect();
    for (value, tenant) in owned {
        if !shared.contains(&value) && store::foreign::is_affected(tx, case.incident.id, &tenant).await? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn refs(values: &BTreeSet<String>) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}
