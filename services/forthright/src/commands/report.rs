//! `report`: how texts for others, and what they say beside the facts, are shown.
//!
//! Reads no sentence and writes none.

use std::io::Write;

use anyhow::Result;
use app::reports::{Audience, Listed};
use model::report::Finding;

use super::{DONE, REFUSED, open, say, text_of};
use crate::cli::{Everywhere, ReportArgs, ReportVerb};
use crate::output;

pub(super) async fn report(e: &Everywhere, verb: ReportVerb) -> Result<u8> {
    match verb {
        ReportVerb::Check { slug, file, all } => {
            let listed = if all { Listed::All } else { Listed::Differences };
            check(e, &slug, &text_of(&file)?, listed).await
        }
        ReportVerb::Regulator(args) => written(e, &args, Audience::Regulator).await,
        ReportVerb::Press(args) => written(e, &args, Audience::Press).await,
        ReportVerb::Support(args) => written(e, &args, Audience::Support).await,
    }
}

async fn check(e: &Everywhere, slug: &str, text: &str, listed: Listed) -> Result<u8> {
    let checked = app::reports::check(&open(e).await?, slug, text, listed).await?;
    if e.json {
        output::json(&checked)?;
    } else {
        let rows = checked.findings.iter().map(|one| {
            vec![
                one.line.to_string(),
                one.finding.as_str().to_owned(),
                one.said.clone(),
                one.detail.clone(),
                one.fact.clone(),
            ]
        });
        output::list(e, &["line", "finding", "said", "detail", "fact"], rows.collect())?;
    }
    let (agreed, refused) = (checked.agreed, checked.refused);
    say(e, format!("{agreed} facts are stated exactly; {refused} things contradict them or tell what is withheld"));
    Ok(if refused > 0 { REFUSED } else { DONE })
}

/// The text on standard output, its subject and what is to be known of it on standard error.
async fn written(e: &Everywhere, args: &ReportArgs, audience: Audience) -> Result<u8> {
    let written = app::reports::write(&open(e).await?, &args.slug, audience, args.language.as_deref()).await?;
    if args.facts {
        let rows = written.facts.iter();
        let rows = rows.map(|one| vec![one.fact.clone(), one.value.clone(), one.line.to_string(), one.proof.clone()]);
        output::list(e, &["fact", "value", "line", "proof"], rows.collect())?;
    } else if e.json {
        output::json(&written)?;
    } else {
        say(e, format!("subject: {}", written.subject));
        std::io::stdout().lock().write_all(written.text.as_bytes())?;
    }
    for element in &written.not_stated {
        let slug = &args.slug;
        say(
            e,
            format!("not stated yet: {element}; `forthright incident state {slug} {element} --text FILE` if it can be"),
        );
    }
    for Finding { line, finding, said, detail, .. } in &written.findings {
        say(e, format!("line {line}: `{said}` {}: {detail}", finding.as_str()));
    }
    Ok(if written.is_refused() { REFUSED } else { DONE })
}
