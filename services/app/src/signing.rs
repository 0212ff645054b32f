//! The keys that sign mail: from configuration, checked before anything is sent with them.
//!
//! Asks no name server. Invariant: a key whose domain receivers would not take for the sender's is refused.

use std::path::Path;

use mail::dkim::{KeySpec, Keys};
use mail::standing::is_aligned;
use model::domain::DomainName;

use crate::settings::Settings;
use crate::{App, AppError};

/// The keys of a configuration, read.
pub fn keys(settings: &Settings) -> Result<Keys, AppError> {
    let sender = settings.sender.domain();
    let mut specs = Vec::new();
    for key in &settings.dkim {
        let domain = if key.domain.trim().is_empty() { sender } else { key.domain.trim() };
        let domain = domain.to_lowercase();
        if !is_aligned(&domain, sender) {
            return Err(AppError::bad(
                format!(
                    "the key {} signs for {domain}, which receivers do not take for {sender}'s",
                    key.file.display()
                ),
                "let it sign for the sender's domain or for one above or below it: [[dkim]] domain in the configuration",
            ));
        }
        specs.push(KeySpec {
            domain,
            selector: key.selector.clone(),
            file: key.file.clone(),
            from: key.from,
            until: key.until,
        });
    }
    Ok(Keys::load(&specs)?)
}

/// Writes a new Ed25519 key into a file that only its owner can read, and says what to publish.
pub fn generate(app: &App, file: &Path, selector: &str, domain: Option<&str>) -> Result<Keys, AppError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let domain = domain.unwrap_or_else(|| app.settings.sender.domain());
    if DomainName::parse(domain).is_err() {
        return Err(AppError::bad(
            format!("`{domain}` is no domain that a record can be published under"),
            "set [sender] address in the configuration, or name it with --domain",
        ));
    }
    let pem = mail::dkim::generate()?;
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut out| out.write_all(pem.as_bytes()).and_then(|()| out.sync_all()));
    written.map_err(|error| {
        AppError::bad(
            format!("cannot write the key into {}: {error}", file.display()),
            "choose a file that is not there yet; a key is never written over",
        )
    })?;
    Ok(Keys::load(&[KeySpec::new(domain, selector, file)])?)
}
