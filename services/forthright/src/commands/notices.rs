//! `notice`.

use std::io::Write;

use anyhow::Result;
use app::notices::{Drafts, Draw, Format, Question, Shown, Texts, Version};

use super::approval;
use super::{DONE, PARTIAL, law, open, say};
use crate::cli::{Everywhere, NoticeVerb, PreviewFormat};
use crate::output;

/// Organisations without a letter that are named; there can be as many as there are organisations.
const NAMED: i64 = 20;

pub(super) async fn notice(e: &Everywhere, verb: NoticeVerb) -> Result<u8> {
    if let NoticeVerb::Obligations = verb {
        return law::obligations(e);
    }
    let app = open(e).await?;
    match verb {
        NoticeVerb::Obligations => {}
        NoticeVerb::Check { slug, tenant, obligations, template } => {
            let texts = template.as_deref().map_or(Texts::Drafted, Texts::Template);
            let question = Question { tenant: tenant.as_deref(), obligations: &obligations, texts };
            return law::checked(e, &app::notices::check(&app, &slug, &question).await?);
        }
        // JSON with and without --json: documents for programs.
        NoticeVerb::Export { notice } => {
            let given = app::notices::export(&app, &notice).await?;
            output::json(&given)?;
            if let Some(later) = given["followed_by"].as_str() {
                say(e, format!("{notice} is not the newest: {later} was released to the same organisation after it"));
            }
        }
        NoticeVerb::Keys => output::json(&app::notices::public_keys(&app).await?)?,
        NoticeVerb::Verify { code } => output::document(e, &app::notices::verify(&app, &code).await?)?,
        NoticeVerb::Facts { notice } => {
            let rows = app::notices::stated(&app, &notice).await?.into_iter();
            let rows = rows.map(|fact| vec![fact.fact, fact.value, fact.today, fact.not_in.join("; "), fact.proof]);
            output::list(e, &["fact", "value", "today", "not_in", "proof"], rows.collect())?;
        }
        NoticeVerb::Withhold { slug, all, names, why, review } => {
            let (tenant, fact) = match (all, &names[..]) {
                (true, [fact]) => (None, fact),
                (false, [tenant, fact]) => (Some(tenant.as_str()), fact),
                _ => {
                    let what = "name a tenant and a fact, or --all and a fact".to_owned();
                    let hint = format!("forthright notice withhold {slug} TENANT FACT --why … --review TIME");
                    return Err(output::Usage { what, hint }.into());
                }
            };
            let proposed = app::notices::withhold(&app, &slug, tenant, fact, &why, review).await?;
            let id = &proposed.withholding;
            output::document(e, &proposed)?;
            if !proposed.also.is_empty() {
                let also = proposed.also.join(", ");
                say(e, format!("withheld with it, because {fact} could be reckoned from them: {also}"));
            }
            say(e, format!("it hides nothing before somebody else runs `forthright notice withhold-approve {id}`"));
        }
        NoticeVerb::WithholdApprove { withholding } => {
            app::notices::approve_withholding(&app, &withholding).await?;
            say(e, format!("{withholding} is in force: draft the notices anew"));
        }
        NoticeVerb::Withholdings { slug } => {
            let header =
                ["withholding", "tenant_id", "fact", "state", "why", "review_at", "proposed_by", "approved_by", "also"];
            let rows = app::notices::withholdings(&app, &slug).await?.into_iter().map(|row| {
                vec![
                    row.withholding,
                    row.tenant_id,
                    row.fact,
                    row.state,
                    row.why,
                    row.review_at.to_string(),
                    row.proposed_by,
                    row.approved_by,
                    row.also.join(" "),
                ]
            });
            output::list(e, &header, rows.collect())?;
        }
        NoticeVerb::Disclose { withholding, why } => {
            app::notices::disclose(&app, &withholding, &why).await?;
            say(e, format!("{withholding} has ended: draft the notices anew"));
        }
        NoticeVerb::Draft { slug } => {
            let drafted = app::notices::draft(&app, &slug).await?;
            output::document(e, &drafted)?;
            return Ok(if drafted.left_out.is_empty() { DONE } else { PARTIAL });
        }
        NoticeVerb::List { slug } => {
            let rows = app::notices::list(&app, &slug).await?.into_iter().map(|notice| {
                let version = notice.version.to_string();
                vec![
                    notice.notice_id,
                    notice.tenant_id,
                    notice.kind,
                    version,
                    notice.state,
                    notice.language,
                    notice.code,
                ]
            });
            output::list(
                e,
                &["notice_id", "tenant_id", "kind", "version", "state", "language", "code"],
                rows.collect(),
            )?;
            without_letter(e, &app, &slug).await?;
        }
        NoticeVerb::Preview { slug, tenant, format, language } => {
            let format = match format {
                PreviewFormat::Text => Format::Text,
                PreviewFormat::Html => Format::Html,
                PreviewFormat::Eml => Format::Eml,
                PreviewFormat::Json => Format::Json,
            };
            let bytes = app::notices::preview(&app, &slug, &tenant, format, language.as_deref()).await?;
            std::io::stdout().lock().write_all(&bytes)?;
        }
        NoticeVerb::Changes { slug, tenant } => history(e, &app::notices::history(&app, &slug, &tenant).await?)?,
        NoticeVerb::Groups { slug } => approval::groups(e, &app, &slug).await?,
        NoticeVerb::Sample { slug, group, size, seed, lines } => {
            // A table of CSV has no room for letters.
            let shown = if lines || e.csv { Shown::Lines } else { Shown::Texts };
            let draw = Draw { group: group.as_deref(), size: size.map(usize::from), seed: seed.as_deref(), shown };
            approval::sample(e, &app, &slug, &draw).await?;
        }
        NoticeVerb::Approve { slug, all: _, group, notices, sample } => {
            let drafts = match &group {
                Some(group) => Drafts::Group(group),
                None if notices.is_empty() => Drafts::All,
                None => Drafts::These(&notices),
            };
            return approval::approve(e, &app, &slug, &drafts, sample.as_ref()).await;
        }
    }
    Ok(DONE)
}

/// Says who is affected and has no letter, so that nobody takes a wave for all of them.
pub(super) async fn without_letter(e: &Everywhere, app: &app::App, slug: &str) -> Result<()> {
    let missing = app::notices::without_letter(app, slug, NAMED + 1).await?;
    for (at, one) in missing.into_iter().enumerate() {
        if at as i64 == NAMED {
            say(e, "and more: `delivery status` counts them as `without_letter`");
            break;
        }
        let why = if one.why.is_empty() { String::new() } else { format!(": {}", one.why) };
        say(e, format!("tenant {} is affected and has no letter of today{why}; {}", one.tenant_id, one.next));
    }
    Ok(())
}

/// A line for each thing that was said.
fn history(e: &Everywhere, versions: &[Version]) -> Result<()> {
    if e.json {
        return output::json(&versions);
    }
    let time = |at: Option<model::time::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let rows = versions.iter().flat_map(|version| {
        version.lines.iter().map(move |line| {
            vec![
                version.version.map(|number| number.to_string()).unwrap_or_default(),
                version.code.clone(),
                version.kind.clone(),
                version.state.clone(),
                time(version.released_at),
                time(version.told_at),
                line.what.to_owned(),
                line.detail.clone(),
                version.why.join("; "),
                version.supplements.join(" "),
            ]
        })
    });
    let header = ["version", "code", "kind", "state", "released_at", "told_at", "what", "detail", "why", "supplements"];
    output::list(e, &header, rows.collect())
}
