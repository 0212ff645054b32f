//! `report`: how what a text says beside the facts is shown.
//!
//! Reads no sentence.

use anyhow::Result;
use app::reports::Listed;

use super::{DONE, REFUSED, open, say, text_of};
use crate::cli::{Everywhere, ReportVerb};
use crate::output;

pub(super) async fn report(e: &Everywhere, verb: ReportVerb) -> Result<u8> {
    let ReportVerb::Check { slug, file, all } = verb;
    let listed = if all { Listed::All } else { Listed::Differences };
    check(e, &slug, &text_of(&file)?, listed).await
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
