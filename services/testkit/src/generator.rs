//! Incidents in the shape of the sample, of any size, with every figure known beforehand.
//!
//! What is expected follows from how the rows are made: each organisation owns its objects, addresses, users and
//! projects, a clean row of its own names each of them, and all further rows only repeat or spoil. Nothing is read
//! back, and none of the product's code is used. Rows are functions of the seed and their number, so a manifest of
//! millions needs no more memory than its organisations.

mod expected;
mod files;
mod names;
mod plan;
mod punycode;
mod random;
mod rows;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub use expected::{Expected, Fact, Recipient, Reject, TenantFacts, Totals};
pub use files::{cut, shuffle};

/// What to make. The default is the sample's shape at a thousandth of the real incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    /// Another seed is another incident.
    pub seed: u64,
    /// 1.0 is 65,000 organisations, 335,000 addresses, 548,000 users, 133,000 projects, 1,680,000 objects.
    pub scale: f64,
    /// Rows about organisations before repetitions, free mail and malformed ones are added; raised to the number of
    /// objects, each of which needs a row.
    pub rows: u64,
    /// How nasty the rows are.
    pub rates: Rates,
    /// CRLF instead of LF.
    pub crlf: bool,
    /// A byte order mark at the start of both manifests.
    pub bom: bool,
}

impl Default for Arguments {
    fn default() -> Self {
        Arguments { seed: 1, scale: 0.001, rows: 4000, rates: Rates::default(), crlf: false, bom: false }
    }
}

/// Shares between 0 and 1. `missing`, `softbad` and the host's are per row; the others say of what.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each says below what it does, in one table")]
pub struct Rates {
    pub upper: f64,     // the host and the address in upper or mixed case
    pub dot: f64,       // a trailing dot at the host
    pub space: f64,     // white space around the host
    pub sub: f64,       // a name below the organisation's domain
    pub quoted: f64,    // of objects: a path with commas and quotes
    pub missing: f64,   // of rows beyond an object's first: a field left empty
    pub softbad: f64,   // of rows beyond an object's first: a field that cannot be used
    pub nodomain: f64,  // no domain, the address has to say whose it is
    pub dup: f64,       // of all rows: repeated as they are
    pub freemail: f64,  // of `rows`: rows of free mail added
    pub malformed: f64, // of `rows`: rejects added
    pub blank: f64,     // of all rows: a blank line before
    pub idn: f64,       // of organisations: a domain with letters beyond ASCII
}

impl Default for Rates {
    fn default() -> Self {
        Rates {
            upper: 0.05,
            dot: 0.01,
            space: 0.005,
            sub: 0.06,
            quoted: 0.03,
            missing: 0.04,
            softbad: 0.01,
            nodomain: 0.02,
            dup: 0.08,
            freemail: 0.03,
            malformed: 0.003,
            blank: 0.0005,
            idn: 0.015,
        }
    }
}

impl Rates {
    /// No nastiness at all.
    pub fn none() -> Self {
        Rates {
            upper: 0.0,
            dot: 0.0,
            space: 0.0,
            sub: 0.0,
            quoted: 0.0,
            missing: 0.0,
            softbad: 0.0,
            nodomain: 0.0,
            dup: 0.0,
            freemail: 0.0,
            malformed: 0.0,
            blank: 0.0,
            idn: 0.0,
        }
    }

    /// Everything often.
    pub fn nasty() -> Self {
        Rates {
            upper: 0.3,
            dot: 0.1,
            space: 0.1,
            sub: 0.3,
            quoted: 0.2,
            missing: 0.2,
            softbad: 0.1,
            nodomain: 0.2,
            dup: 0.5,
            freemail: 0.2,
            malformed: 0.05,
            blank: 0.05,
            idn: 0.2,
        }
    }

    fn all(&self) -> [f64; 13] {
        let Rates { upper, dot, space, sub, quoted, missing, softbad, nodomain, dup, freemail, malformed, blank, idn } =
            *self;
        [upper, dot, space, sub, quoted, missing, softbad, nodomain, dup, freemail, malformed, blank, idn]
    }
}

/// The files of one incident.
#[derive(Debug, Clone)]
pub struct Incident {
    /// `directory.csv`: the organisations.
    pub directory: PathBuf,
    /// `contacts.csv`: their people.
    pub contacts: PathBuf,
    /// `manifest.csv`: the rows.
    pub csv: PathBuf,
    /// `manifest.jsonl`: the same rows in the same order.
    pub jsonl: PathBuf,
    /// `freemail.txt`: the incident's shared domains.
    pub freemail: PathBuf,
}

impl Incident {
    /// The files' names in a folder.
    pub fn in_folder(folder: &Path) -> Incident {
        Incident {
            directory: folder.join("directory.csv"),
            contacts: folder.join("contacts.csv"),
            csv: folder.join("manifest.csv"),
            jsonl: folder.join("manifest.jsonl"),
            freemail: folder.join("freemail.txt"),
        }
    }

    /// Writes the files of [`Incident::in_folder`] and says what must come out of them.
    pub fn generate(arguments: &Arguments, folder: &Path) -> Result<Expected> {
        let rates = arguments.rates.all();
        ensure!(rates.iter().all(|rate| (0.0..=1.0).contains(rate)), "a rate is not between 0 and 1");
        ensure!(arguments.scale > 0.0, "a scale is more than 0");
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let files = Incident::in_folder(folder);
        let plan = plan::Plan::new(arguments);
        write::directory(&plan, &files)?;
        let tally = write::manifests(&plan, arguments, &files)?;
        Ok(expected::Expected::new(&plan, tally, arguments))
    }
}

#[cfg(test)]
mod tests;
