//! `dkim`: how keys and their records are shown.
//!
//! Never prints a private key.

use anyhow::Result;
use mail::dkim::Keys;

use super::{DONE, open, say};
use crate::cli::{DkimVerb, Everywhere};
use crate::output;

pub(super) async fn dkim(e: &Everywhere, verb: DkimVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        DkimVerb::Records => records(e, &app::signing::keys(&app.settings)?)?,
        DkimVerb::Generate { file, selector, domain } => {
            let keys = app::signing::generate(&app, &file, &selector, domain.as_deref())?;
            records(e, &keys)?;
            say(
                e,
                format!(
                    "hint: publish the record, then name the key in the configuration:\n\n[[dkim]]\nselector = \"{selector}\"\nfile = \"{}\"",
                    file.display()
                ),
            );
        }
    }
    Ok(DONE)
}

fn records(e: &Everywhere, keys: &Keys) -> Result<()> {
    let rows = keys.records().map(|record| vec![record.name, "TXT".to_owned(), record.value]).collect();
    output::list(e, &["name", "type", "value"], rows)
}
