//! `report`: how what a text says beside the facts is shown.
//!
//! Reads no sentence.

use anyhow::Result;

use super::{DONE, REFUSED, open, say, text_of};
use crate::cli::{Everywhere, ReportVerb};
use crate::output;

pub(super) async fn report(e: &Everywhere, verb: ReportVerb) -> Result<u8> {
    let ReportVerb::Check { slug, file } = verb;
    let app = open(e).await?;
    let checked = app::reports::check(&app, &slug, &text_of(&file)?).await?;
    if e.json {
        output::json(&checked)?;
    } else {
        let rows = checked.findings.iter().map(|one| {
            vec![one.line.to_string(), one.finding.as_str().to_owned(), one.said.clone(), one.detail.clone()]
        });
        output::list(e, &["line", "finding", "said", "detail"], rows.collect())?;
    }
    let all = checked.findings.len();
    say(e, format!("{all} findings, {} of them contradict the facts or tell what is withheld", checked.refused));
    Ok(if checked.refused > 0 { REFUSED } else { DONE })
}
