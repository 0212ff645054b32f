//! `directory`, `contact` and `mapping`.

use std::io::{Read, Write};

use anyhow::{Context, Result};
use app::App;
use app::contacts::Given;
use app::directory::{Files, Ids, ManualDomain, Mode, Twin};
use app::mapping::{Ruled, Ruling};
use sources::directory::DirectoryFormat;

use super::{DONE, PARTIAL, open, say};
use crate::cli::{ContactVerb, DirectoryVerb, Everywhere, MappingVerb, TwinName};
use crate::output;

pub(super) async fn directory(e: &Everywhere, verb: DirectoryVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        DirectoryVerb::Import { organisations, contacts, format, source, accept_shrink, same_tenants, dry_run } => {
            let files = Files {
                organisations: organisations.as_deref(),
                contacts: contacts.as_deref(),
                format: DirectoryFormat::parse(&format).flatten(),
                origin: &source,
                ids: if same_tenants { Ids::Shared } else { Ids::OfThisDirectory },
            };
            let mode = match (dry_run, accept_shrink) {
                (true, _) => Mode::DryRun,
                (false, true) => Mode::WriteEvenIfSmaller,
                (false, false) => Mode::Write,
            };
            let difference = app::directory::import(&app, &files, mode).await?;
            output::document(e, &difference)?;
            return Ok(if difference.rejected.is_empty() { DONE } else { PARTIAL });
        }
        DirectoryVerb::Export { organisations, contacts, format, twin, source } => {
            let format = DirectoryFormat::parse(&format).flatten().unwrap_or(DirectoryFormat::Csv);
            let twin = match twin {
                TwinName::Imported => Twin::Imported,
                TwinName::Manual => Twin::Manual,
                TwinName::Both => Twin::Both,
            };
            let (organisations, contacts) = (organisations.as_deref(), contacts.as_deref());
            let exported = app::directory::export(&app, organisations, contacts, format, twin, &source).await?;
            output::document(e, &exported)?;
        }
        DirectoryVerb::AddDomain { tenant, domain, alias_of, over, why, expires } => {
            let alias_of = alias_of.as_deref();
            let entry = ManualDomain { tenant: &tenant, domain: &domain, alias_of, over: &over, why: &why, expires };
            let app::directory::Entered { against, doubts } = app::directory::add_domain(&app, &entry).await?;
            say(e, format!("{domain} is entered by hand for tenant {tenant}"));
            for doubt in doubts {
                say(e, format!("note: {doubt}"));
            }
            if !against.is_empty() {
                say(
                    e,
                    format!(
                        "note: the import names {}; nothing is sent about {domain} until that is settled",
                        against.join(", ")
                    ),
                );
                let over: Vec<String> = against.iter().map(|tenant| format!("--over {tenant}")).collect();
                say(e, format!("hint: run it again with {} if you know better", over.join(" ")));
            }
        }
        DirectoryVerb::RemoveDomain { tenant, domain, why } => {
            app::directory::remove_domain(&app, &tenant, &domain, &why).await?;
            say(e, format!("{domain} is no longer entered by hand for tenant {tenant}"));
        }
        DirectoryVerb::AddContact {
            tenant,
            role,
            email,
            name,
            language,
            channel,
            timezone,
            priority,
            why,
            expires,
        } => {
            let given = Given {
                tenant: &tenant,
                role: &role,
                name: &name,
                address: &email,
                language: &language,
                channel: &channel,
                timezone: &timezone,
                priority: &priority,
                may_be_named: "",
                expires,
            };
            let contact = app::contacts::add(&app, &given, why.as_deref().unwrap_or_default()).await?;
            output::document(e, &serde_json::json!({ "contact": contact }))?;
        }
        DirectoryVerb::RemoveContact { tenant, email, why } => {
            let entries = app::contacts::remove(&app, &tenant, &email, &why).await?;
            output::document(e, &serde_json::json!({ "entries_taken_back": entries }))?;
        }
        DirectoryVerb::DisableContact { email, tenant, why } => {
            let contacts = app::contacts::disable(&app, &email, tenant.as_deref(), &why).await?;
            output::document(e, &serde_json::json!({ "contacts_disabled": contacts }))?;
        }
        DirectoryVerb::EnableContact { email, tenant, why } => {
            let contacts = app::contacts::enable(&app, &email, tenant.as_deref(), &why).await?;
            output::document(e, &serde_json::json!({ "contacts_enabled": contacts }))?;
        }
        DirectoryVerb::SuffixList { file } => {
            output::document(e, &app::mapping::load_suffix_list(&app, &file).await?)?;
        }
    }
    Ok(DONE)
}

pub(super) async fn contact(e: &Everywhere, verb: ContactVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        ContactVerb::List { tenant, duplicates: true } => {
            let pairs = app::contacts::duplicates(&app, &tenant).await?;
            let rows = pairs.into_iter().map(|(one, other)| vec![one, other]).collect();
            output::list(e, &["contact", "looks_like"], rows)?;
        }
        ContactVerb::List { tenant, duplicates: false } => {
            let header = [
                "contact",
                "tenant_id",
                "role",
                "name",
                "email",
                "language",
                "timezone",
                "channel",
                "priority",
                "source",
                "state",
                "may_be_named",
                "provenance",
            ];
            let rows = app::contacts::list(&app, &tenant).await?.into_iter().map(|row| {
                vec![
                    row.contact,
                    row.tenant_id,
                    row.role,
                    row.name,
                    row.email,
                    row.language,
                    row.timezone,
                    row.channel,
                    row.priority.to_string(),
                    row.source,
                    row.state,
                    row.may_be_named,
                    row.provenance,
                ]
            });
            output::list(e, &header, rows.collect())?;
        }
        ContactVerb::Find { slug, tenant } => {
            let climbed = app::reach::find(&app, &slug, tenant.as_deref()).await?;
            if climbed.is_empty() {
                say(
                    e,
                    "no rung is due: somebody can be told, nothing was released yet, or an attempt has time to work",
                );
            }
            rungs(e, climbed)?;
        }
        ContactVerb::Attempts { slug, tenant } => {
            rungs(e, app::reach::attempts(&app, &slug, tenant.as_deref()).await?)?;
        }
        ContactVerb::Verify { contact, why } => {
            output::document(e, &app::contacts::verify(&app, &contact, &why).await?)?;
        }
        ContactVerb::Reject { contact, why } => {
            app::contacts::reject(&app, &contact, &why).await?;
            say(e, format!("{contact} is not written to"));
        }
        ContactVerb::Merge { duplicate, into, why } => {
            app::contacts::merge(&app, &duplicate, &into, &why).await?;
            say(e, format!("{duplicate} is merged into {into}"));
        }
        ContactVerb::Consent { contact, may_be_named, why } => {
            app::contacts::consent(&app, &contact, may_be_named == "yes", &why).await?;
            say(e, format!("noted: {contact} may be named: {may_be_named}"));
        }
    }
    Ok(DONE)
}

fn rungs(e: &Everywhere, climbed: Vec<app::reach::Climbed>) -> Result<()> {
    let header = ["tenant_id", "number", "rung", "at", "outcome", "detail", "next_at"];
    let rows = climbed.into_iter().map(|rung| {
        vec![
            rung.tenant_id,
            rung.number.to_string(),
            rung.rung,
            rung.at.to_string(),
            rung.outcome,
            rung.detail,
            rung.next_at.map(|at| at.to_string()).unwrap_or_default(),
        ]
    });
    output::list(e, &header, rows.collect())
}

pub(super) async fn mapping(e: &Everywhere, verb: MappingVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        MappingVerb::List { slug } => list(e, &app, &slug).await?,
        MappingVerb::Review { slug, list } => review(e, &app, &slug, list.as_deref()).await?,
        MappingVerb::Explain { domains, incident } => explain(&app, domains, incident.as_deref()).await?,
        MappingVerb::Assign { slug, domain, tenant, why, expires } => {
            let ruled = Ruled { domain: &domain, tenant: &tenant, ruling: Ruling::Assigned, why: &why, expires };
            let weight = app::mapping::rule(&app, &slug, &ruled).await?;
            say(e, format!("{domain} is tenant {tenant}'s in {slug}: {} organisation(s) moved", weight.moves));
        }
        MappingVerb::AssignFile { slug, file, why, preview } => {
            let decided = if preview {
                app::mapping::preview_file(&app, &slug, &file, &why).await?
            } else {
                app::mapping::assign_file(&app, &slug, &file, &why).await?
            };
            output::document(e, &decided)?;
            return Ok(if decided.rejected.is_empty() { DONE } else { PARTIAL });
        }
        MappingVerb::Reject { slug, domain, tenant, why } => {
            let ruled = Ruled { domain: &domain, tenant: &tenant, ruling: Ruling::Rejected, why: &why, expires: None };
            let weight = app::mapping::rule(&app, &slug, &ruled).await?;
            say(e, format!("{domain} is not tenant {tenant}'s in {slug}: {} organisation(s) moved", weight.moves));
        }
        MappingVerb::Settle { slug, tenant, why } => {
            app::mapping::settle_denial(&app, &slug, &tenant, &why).await?;
            say(e, format!("what is tenant {tenant}'s in {slug} goes to it again"));
        }
        MappingVerb::Changes { slug } => {
            let rows = app::mapping::proposals(&app, &slug).await?.into_iter().map(|change| {
                vec![
                    change.id,
                    change.state,
                    change.moves.to_string(),
                    change.changes.len().to_string(),
                    change.proposed_by,
                    change.proposed_at.to_string(),
                    change.decided_by.unwrap_or_default(),
                ]
            });
            let header = ["change", "state", "moves", "domains", "proposed_by", "proposed_at", "decided_by"];
            output::list(e, &header, rows.collect())?;
        }
        MappingVerb::Approve { change } => {
            let weight = app::mapping::approve(&app, &change).await?;
            say(e, format!("{change} is done: {} organisation(s) moved", weight.moves));
        }
        MappingVerb::Refuse { change, why } => {
            app::mapping::reject(&app, &change, &why).await?;
            say(e, format!("{change} is turned down"));
        }
    }
    Ok(DONE)
}

async fn list(e: &Everywhere, app: &App, slug: &str) -> Result<()> {
    let header = [
        "domain",
        "verdict",
        "rule",
        "tenant_id",
        "confidence",
        "because",
        "review",
        "directory_version",
        "suffix_list",
    ];
    let rows = app::mapping::list(app, slug).await?.into_iter().map(|row| {
        vec![
            row.host,
            row.verdict,
            row.rule,
            row.tenant_id.unwrap_or_default(),
            row.confidence,
            row.because,
            row.review,
            row.directory_version.to_string(),
            row.suffix_list,
        ]
    });
    output::list(e, &header, rows.collect())
}

async fn review(e: &Everywhere, app: &App, slug: &str, list: Option<&str>) -> Result<()> {
    let header = ["list", "domain", "tenant_id", "objects", "people", "rows", "review", "because", "next_step"];
    let rows = app::mapping::work_lists(app, slug, list).await?.into_iter().map(|item| {
        vec![
            item.list,
            item.domain,
            item.tenant_id,
            item.objects.to_string(),
            item.people.to_string(),
            item.rows.to_string(),
            item.review,
            item.because,
            item.next_step,
        ]
    });
    output::list(e, &header, rows.collect())
}

/// One domain is one document, with and without --json; several are a line each.
async fn explain(app: &App, domains: Vec<String>, incident: Option<&str>) -> Result<()> {
    let domains = match &domains[..] {
        [one] if one == "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
            // A line that is no UTF-8 is no domain, and says so in its place.
            String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
        }
        [one] => return output::json(&app::mapping::explain(app, one, incident).await?),
        _ => domains,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in app::mapping::explain_all(app, &domains, incident).await? {
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}
