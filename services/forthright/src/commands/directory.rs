//! `directory` and `mapping`.

use anyhow::Result;
use app::directory::{Given, ManualDomain, Mode};
use app::mapping::{Ruled, Ruling};

use super::{DONE, PARTIAL, open, say};
use crate::cli::{DirectoryVerb, Everywhere, MappingVerb};
use crate::output;

pub(super) async fn directory(e: &Everywhere, verb: DirectoryVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        DirectoryVerb::Import { organisations, contacts, dry_run } => {
            let mode = if dry_run { Mode::DryRun } else { Mode::Write };
            let difference = app::directory::import(&app, &organisations, contacts.as_deref(), mode).await?;
            output::document(e, &difference)?;
            return Ok(if difference.rejected.is_empty() { DONE } else { PARTIAL });
        }
        DirectoryVerb::AddDomain { tenant, domain, alias_of, why, expires } => {
            let entry =
                ManualDomain { tenant: &tenant, domain: &domain, alias_of: alias_of.as_deref(), why: &why, expires };
            app::directory::add_domain(&app, &entry).await?;
            say(e, format!("{domain} is entered by hand for tenant {tenant}"));
        }
        DirectoryVerb::AddContact { tenant, role, email, name, language, timezone, priority, why: _ } => {
            let given = Given {
                tenant: &tenant,
                role: &role,
                name: &name,
                address: &email,
                language: &language,
                channel: "",
                timezone: &timezone,
                priority: &priority,
            };
            let contact = app::directory::add_contact(&app, &given).await?;
            output::document(e, &serde_json::json!({ "contact": contact }))?;
        }
        DirectoryVerb::DisableContact { email, why } => {
            let contacts = app::directory::disable_contact(&app, &email, &why).await?;
            output::document(e, &serde_json::json!({ "contacts_disabled": contacts }))?;
        }
    }
    Ok(DONE)
}

pub(super) async fn mapping(e: &Everywhere, verb: MappingVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        MappingVerb::List { slug } => {
            let rows = app::mapping::list(&app, &slug).await?.into_iter().map(|row| {
                vec![row.host, row.verdict, row.rule, row.tenant_id.unwrap_or_default(), row.confidence, row.because]
            });
            output::list(e, &["domain", "verdict", "rule", "tenant_id", "confidence", "because"], rows.collect())?;
        }
        // JSON with and without --json: one document about one domain.
        MappingVerb::Explain { domain, incident } => {
            output::json(&app::mapping::explain(&app, &domain, incident.as_deref()).await?)?;
        }
        MappingVerb::Assign { slug, domain, tenant, why, expires } => {
            let ruled = Ruled { domain: &domain, tenant: &tenant, ruling: Ruling::Assigned, why: &why, expires };
            app::mapping::rule(&app, &slug, &ruled).await?;
            say(e, format!("{domain} is tenant {tenant}'s in {slug}"));
        }
        MappingVerb::Reject { slug, domain, tenant, why } => {
            let ruled = Ruled { domain: &domain, tenant: &tenant, ruling: Ruling::Rejected, why: &why, expires: None };
            app::mapping::rule(&app, &slug, &ruled).await?;
            say(e, format!("{domain} is not tenant {tenant}'s in {slug}"));
        }
    }
    Ok(DONE)
}
