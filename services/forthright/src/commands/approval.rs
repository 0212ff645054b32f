//! `notice groups`, `notice sample` and `notice approve`: how groups and samples are shown.
//!
//! Approves nothing by itself. Invariant: a sample is shown before the figure of what was approved.

use std::io::Write;

use anyhow::Result;
use app::App;
use app::notices::{Drafts, Draw, Sampled};
use model::approval::SampleToken;

use super::{DONE, PARTIAL, say};
use crate::cli::Everywhere;
use crate::output;

pub(super) async fn groups(e: &Everywhere, app: &App, slug: &str) -> Result<()> {
    let groups = app::notices::groups(app, slug).await?;
    if e.json {
        return output::json(&groups);
    }
    let header = [
        "group",
        "notices",
        "kind",
        "languages",
        "advice",
        "withholds",
        "template_version",
        "smallest",
        "smallest_objects",
        "largest",
        "largest_objects",
    ];
    let rows = groups.into_iter().map(|group| {
        vec![
            group.group,
            group.notices.to_string(),
            group.alike.kind,
            group.alike.languages.join(";"),
            group.alike.advice.join(";"),
            if group.alike.withholds { "yes" } else { "no" }.to_owned(),
            group.alike.template_version,
            group.smallest.0,
            group.smallest.1.to_string(),
            group.largest.0,
            group.largest.1.to_string(),
        ]
    });
    output::list(e, &header, rows.collect())
}

pub(super) async fn sample(e: &Everywhere, app: &App, slug: &str, draw: &Draw<'_>) -> Result<()> {
    let looked = app::notices::sample(app, slug, draw).await?;
    if e.json {
        return output::json(&looked);
    }
    if !e.csv {
        let mut out = std::io::stdout().lock();
        for text in looked.sample.iter().flat_map(|one| &one.texts) {
            writeln!(out, "{text}\n{}", "=".repeat(78))?;
        }
    }
    table(e, &looked.sample)?;
    say(e, format!("{} of {} drafts, drawn by the seed {}", looked.sample.len(), looked.of, looked.seed));
    if let Some(token) = looked.token {
        say(e, format!("to approve on this sample: `forthright notice approve {slug} … --sample {token}`"));
    } else if let Some(why) = looked.no_token {
        say(e, format!("nothing is approved on this sample: {why}; `forthright notice sample {slug}` names a token"));
    }
    Ok(())
}

pub(super) async fn approve(
    e: &Everywhere,
    app: &App,
    slug: &str,
    drafts: &Drafts<'_>,
    looked: Option<&SampleToken>,
) -> Result<u8> {
    let approved = app::notices::approve(app, slug, drafts, looked).await?;
    let code = if approved.left_out.is_empty() { DONE } else { PARTIAL };
    if e.json {
        output::json(&approved)?;
        return Ok(code);
    }
    if let Some(seed) = &approved.seed {
        table(e, &approved.sample)?;
        say(
            e,
            format!(
                "the sample was drawn by the seed {seed}; `forthright notice preview {slug} TENANT` shows a letter"
            ),
        );
    }
    // In the middle of a table of CSV it would be a row.
    if e.csv {
        say(e, format!("approved: {}", approved.approved));
    } else {
        writeln!(std::io::stdout().lock(), "approved: {}", approved.approved)?;
    }
    for one in &approved.left_out {
        say(e, format!("left out: tenant {}: {}; {}", one.tenant_id, one.why, one.next));
    }
    Ok(code)
}

fn table(e: &Everywhere, sample: &[Sampled]) -> Result<()> {
    let rows = sample.iter().map(|one| {
        vec![
            one.notice_id.clone(),
            one.tenant_id.clone(),
            one.group.clone(),
            one.languages.join(";"),
            one.objects.to_string(),
            one.digest.clone(),
        ]
    });
    output::list(e, &["notice_id", "tenant_id", "group", "languages", "objects", "digest"], rows.collect())
}
