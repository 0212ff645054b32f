//! `dkim`: keys that sign mail.
//!
//! Holds no behaviour.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum DkimVerb {
    /// The records to publish for the keys of the configuration.
    #[command(after_help = "Example: forthright dkim records --csv")]
    Records,
    /// Write a new Ed25519 key into a file, and print its record. RSA keys: openssl genrsa 2048.
    #[command(after_help = "Example: forthright dkim generate dkim-s2026.pem --selector s2026")]
    Generate {
        /// Where the private key goes; never written over.
        file: PathBuf,
        /// Where below `_domainkey` the record will stand.
        #[arg(long)]
        selector: String,
        /// The domain; default: the sender's.
        #[arg(long)]
        domain: Option<String>,
    },
}
