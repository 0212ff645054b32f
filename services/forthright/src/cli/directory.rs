//! `directory`, `contact` and `mapping` as typed.
//!
//! Holds no behaviour.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use model::time::Timestamp;
use sources::directory::DirectoryFormat;

use super::{names_of, reason};

#[derive(Debug, Subcommand)]
pub(crate) enum DirectoryVerb {
    /// Import organisations and contacts; shows the difference. What the file names no more counts no more.
    #[command(
        after_help = "Example: forthright directory import --organisations directory.csv --contacts contacts.csv --dry-run"
    )]
    Import {
        /// CSV, JSON Lines, SCIM 2.0 or vCard: domain, tenant_id, tenant_name, country, language.
        #[arg(long, value_name = "FILE", required_unless_present = "contacts")]
        organisations: Option<PathBuf>,
        /// In the same formats: tenant_id, role, name, email, language, and optionally channel, timezone, priority.
        #[arg(long, value_name = "FILE")]
        contacts: Option<PathBuf>,
        /// How the files are written.
        #[arg(long, value_parser = names_of(&DirectoryFormat::NAMES), default_value = "auto")]
        format: String,
        /// Which directory it is: each keeps its own entries beside those of others.
        #[arg(long, value_name = "NAME", default_value = "directory", value_parser = super::label)]
        source: String,
        /// Import it although it takes away more of the directory than the limit.
        #[arg(long)]
        accept_shrink: bool,
        /// Its tenant ids mean the same organisations as in other directories, although it calls some of them otherwise.
        #[arg(long)]
        same_tenants: bool,
        /// Show the difference, write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write organisations and contacts into files that can be imported again.
    #[command(
        after_help = "Example: forthright directory export --organisations directory.csv --contacts contacts.csv --twin both"
    )]
    Export {
        /// The file to write organisations to.
        #[arg(long, value_name = "FILE", required_unless_present = "contacts")]
        organisations: Option<PathBuf>,
        /// The file to write contacts to.
        #[arg(long, value_name = "FILE")]
        contacts: Option<PathBuf>,
        /// csv, jsonl, scim, vcard.
        #[arg(long, value_parser = names_of(&DirectoryFormat::NAMES), default_value = "auto", help = "How they are written; auto = CSV")]
        format: String,
        /// Which entries.
        #[arg(long, value_enum, default_value_t = TwinName::Imported)]
        twin: TwinName,
        /// Which imported directory.
        #[arg(long, value_name = "NAME", default_value = "directory")]
        source: String,
    },
    /// Enter a domain by hand; it beats imports. Where an import names only others, it waits for --over.
    #[command(
        after_help = "Example: forthright directory add-domain t-17 acme.example --over t-4 --why \"contract of 2021, see case 88\""
    )]
    AddDomain {
        /// The tenant.
        tenant: String,
        /// The domain.
        domain: String,
        /// The domain it stands for.
        #[arg(long, value_name = "DOMAIN")]
        alias_of: Option<String>,
        /// A tenant that the import names and that is knowingly set aside; can be repeated.
        #[arg(long, value_name = "TENANT")]
        over: Vec<String>,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
        /// When it counts no more.
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
    },
    /// Take a domain that was entered by hand back.
    RemoveDomain {
        /// The tenant.
        tenant: String,
        /// The domain.
        domain: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Enter a contact by hand.
    #[command(
        after_help = "Example: forthright directory add-contact t-17 --role security --email soc@example.com --name \"SOC\" --why \"told by phone\""
    )]
    AddContact {
        /// The tenant.
        tenant: String,
        /// security, privacy, legal, admin, technical, account-manager.
        #[arg(long)]
        role: String,
        /// The address.
        #[arg(long)]
        email: String,
        /// The name.
        #[arg(long, default_value = "")]
        name: String,
        /// BCP 47 tag; default: the tenant's.
        #[arg(long, default_value = "")]
        language: String,
        /// Which way they would rather be reached: email, phone, letter, portal.
        #[arg(long, default_value = "")]
        channel: String,
        /// IANA time zone.
        #[arg(long, default_value = "")]
        timezone: String,
        /// Lower comes first.
        #[arg(long, default_value = "")]
        priority: String,
        /// The reason.
        #[arg(long)]
        why: Option<String>,
        /// When it counts no more.
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
    },
    /// Take a contact that was entered by hand back: what imports say of it counts again.
    RemoveContact {
        /// The tenant.
        tenant: String,
        /// The address.
        email: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Never write to an address again.
    DisableContact {
        /// The address.
        email: String,
        /// Only as a contact of this tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Write to an address again that was disabled, or merged by mistake.
    EnableContact {
        /// The address.
        email: String,
        /// Only as a contact of this tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Use a newer Public Suffix List than the program's own; every verdict is looked at again.
    #[command(after_help = "Example: forthright directory suffix-list public_suffix_list.dat")]
    SuffixList {
        /// The official public_suffix_list.dat.
        file: PathBuf,
    },
}

/// Which entries are exported.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TwinName {
    /// Those of the imported directory.
    Imported,
    /// Those that people entered.
    Manual,
    /// Both.
    Both,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContactVerb {
    /// The contacts of a tenant, and addresses that were found and not confirmed.
    List {
        /// The tenant.
        tenant: String,
        /// Only pairs that look like one person.
        #[arg(long)]
        duplicates: bool,
    },
    /// Climb what is due now where nobody can be told: directory, security.txt, RDAP, role mailboxes, account manager, letter.
    #[command(after_help = "Example: forthright contact find bluebleed --tenant t-17")]
    Find {
        /// The incident.
        slug: String,
        /// Only this tenant.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// What was done to reach organisations where nobody can be told.
    #[command(after_help = "Example: forthright contact attempts bluebleed --csv")]
    Attempts {
        /// The incident.
        slug: String,
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Make sure of a contact, or confirm a found address: only then is it told facts.
    #[command(
        after_help = "Example: forthright contact verify fnd_01jq… --why \"called the switchboard, spoke to the SOC\""
    )]
    Verify {
        /// ctc_… or fnd_….
        contact: String,
        /// How you made sure.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Say that a found address is not the organisation's.
    Reject {
        /// fnd_….
        contact: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Merge a duplicate into another contact of the same tenant.
    Merge {
        /// The duplicate.
        duplicate: String,
        /// The one that counts.
        into: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Note whether a contact agreed to be named to others.
    Consent {
        /// ctc_….
        contact: String,
        /// yes or no.
        #[arg(value_parser = ["yes", "no"])]
        may_be_named: String,
        /// How we know.
        #[arg(long, value_parser = reason)]
        why: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MappingVerb {
    /// All verdicts, by host.
    List {
        /// The incident.
        slug: String,
    },
    /// What waits for a person, the most affected first: unmapped, shared, conflict, no-contact, unverified.
    #[command(after_help = "Example: forthright mapping review bluebleed --list conflict --csv")]
    Review {
        /// The incident.
        slug: String,
        /// Only this list.
        #[arg(long, value_parser = ["unmapped", "shared", "conflict", "no-contact", "unverified"])]
        list: Option<String>,
    },
    /// Why a domain belongs to whom it belongs. Several domains, or - for a line each on standard input, give a JSON line each.
    #[command(after_help = "Example: forthright mapping explain mail.acme.example --incident bluebleed")]
    Explain {
        /// The domain.
        #[arg(required = true, value_name = "DOMAIN")]
        domains: Vec<String>,
        /// With this incident's lists and decisions.
        #[arg(long)]
        incident: Option<String>,
    },
    /// This domain is this tenant's.
    Assign {
        /// The incident.
        slug: String,
        /// The domain.
        domain: String,
        /// The tenant.
        tenant: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
        /// When it counts no more.
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
    },
    /// Assign the domains of a file: domain, tenant_id and optionally why.
    #[command(
        after_help = "Example: forthright mapping assign-file bluebleed settled.csv --why \"checked with sales\" --preview"
    )]
    AssignFile {
        /// The incident.
        slug: String,
        /// CSV or JSON Lines.
        file: PathBuf,
        /// The reason, where a row has none.
        #[arg(long, value_parser = reason)]
        why: String,
        /// Say what it would do, write nothing.
        #[arg(long)]
        preview: bool,
    },
    /// This domain is not this tenant's.
    Reject {
        /// The incident.
        slug: String,
        /// The domain.
        domain: String,
        /// The tenant.
        tenant: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Somebody at a tenant said that it is not theirs: it is after all, as the directory has it.
    #[command(after_help = "Example: forthright mapping settle bluebleed t-17 --why \"their lawyer was wrong\"")]
    Settle {
        /// The incident.
        slug: String,
        /// The tenant.
        tenant: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Changes that wait, or waited, for a second person.
    Changes {
        /// The incident.
        slug: String,
    },
    /// Agree to a change, as the second person.
    Approve {
        /// chg_….
        change: String,
    },
    /// Turn a change down.
    Refuse {
        /// chg_….
        change: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
}
