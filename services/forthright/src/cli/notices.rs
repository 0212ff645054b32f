//! `notice` as typed.
//!
//! Holds no behaviour.

use clap::{Subcommand, ValueEnum};
use model::time::Timestamp;

use super::{names_of, obligation, reason};

/// How a notice is shown.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PreviewFormat {
    /// The plain text part.
    Text,
    /// The HTML part.
    Html,
    /// The whole mail to the first recipient.
    Eml,
    /// What programs are told, after docs/schema/notice-1.json.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeVerb {
    /// Draft a notice for each mapped organisation; again = only what changed.
    Draft {
        /// The incident.
        slug: String,
    },
    /// All notices.
    List {
        /// The incident.
        slug: String,
    },
    /// The exact bytes of a tenant's newest notice.
    Preview {
        /// The incident.
        slug: String,
        /// The tenant.
        tenant: String,
        /// Which part.
        #[arg(long, value_enum, default_value = "text")]
        format: PreviewFormat,
        /// In this language; default: the first recipient's.
        #[arg(long)]
        language: Option<String>,
    },
    /// An approved notice for the organisation's programs, as it was signed.
    #[command(after_help = "Example: forthright notice export ntc_01jq… > notice.json")]
    Export {
        /// ntc_….
        notice: String,
    },
    /// The public keys by which exported notices are checked, as a JWK set.
    Keys,
    /// Whether a notice code that somebody reads out is genuine, and whose: for the support desk.
    #[command(after_help = "Example: forthright notice verify K7QF-2M9X-0WTR")]
    Verify {
        /// The code, in any case, with or without dashes.
        code: String,
    },
    /// Every fact that a notice states: its id, its value then and now, the parts that do not state it, what proves it.
    Facts {
        /// ntc_….
        notice: String,
    },
    /// Propose not to tell a fact, to one organisation or to all; a second person signs with withhold-approve.
    #[command(
        after_help = "Example: forthright notice withhold bluebleed t-17 emails --why \"police request 88\" --review 2026-12-01T09:00:00Z"
    )]
    Withhold {
        /// The incident.
        slug: String,
        /// To every organisation.
        #[arg(long)]
        all: bool,
        /// The tenant (not with --all), then the fact: notice, references, objects, emails, users, projects, bytes, period,
        /// types, type:ID, or DOMAIN/FACT.
        #[arg(required = true, num_args = 1..=2, value_name = "TENANT FACT")]
        names: Vec<String>,
        /// The reason, which the notice prints.
        #[arg(long, value_parser = reason)]
        why: String,
        /// When it is decided again.
        #[arg(long, value_name = "TIME")]
        review: Timestamp,
    },
    /// Sign a withholding, as the second person.
    WithholdApprove {
        /// wth_….
        withholding: String,
    },
    /// The register of withholdings.
    Withholdings {
        /// The incident.
        slug: String,
    },
    /// End a withholding: what it hid is told with the next draft.
    Disclose {
        /// wth_….
        withholding: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// What obligations find in the newest notice of each organisation; exit 4 if anything is missing.
    #[command(
        after_help = "Example: forthright notice check bluebleed --obligations eu-gdpr-33-processor,eu-nis2-recipients"
    )]
    Check {
        /// The incident.
        slug: String,
        /// Of this organisation alone.
        #[arg(long, value_name = "T")]
        tenant: Option<String>,
        /// These obligations; default: those to organisations that were in force at the discovery.
        #[arg(long, value_delimiter = ',', value_name = "ID,…", value_parser = obligation)]
        obligations: Vec<String>,
        /// The template of this name as it is now, in place of the texts that were drafted.
        #[arg(long, value_name = "NAME", value_parser = names_of(&mail::templates::NOTICES))]
        template: Option<String>,
    },
    /// The obligations that can be checked, with source and confidence. No legal advice.
    Obligations,
    /// What an organisation was told, version by version: what, when, what was new or wrong, why, and what is not told yet.
    #[command(visible_alias = "history", after_help = "Example: forthright notice changes bluebleed t-0000002")]
    Changes {
        /// The incident.
        slug: String,
        /// The tenant.
        tenant: String,
    },
    /// Groups of drafts that the same words were written for: how many, the smallest and the largest organisation.
    #[command(after_help = "Example: forthright notice groups bluebleed")]
    Groups {
        /// The incident.
        slug: String,
    },
    /// Look at a random sample of the drafts before many are approved; prints a token that shows it.
    #[command(
        after_help = "Example: forthright notice sample bluebleed --group grp-1f3a9c02 --size 10 --actor counsel"
    )]
    Sample {
        /// The incident.
        slug: String,
        /// Of this group; default: of all drafts.
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
        /// How many; default: approval.sample_size. Fewer name no token.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
        size: Option<u16>,
        /// Draw by this seed, as an earlier sample named it; names no token.
        #[arg(long, value_name = "SEED")]
        seed: Option<String>,
        /// Without the letters' texts: a line each, and no token.
        #[arg(long)]
        lines: bool,
    },
    /// Approve drafts: never your own. Of many at once a random sample is shown and recorded.
    #[command(after_help = "Example: forthright notice approve bluebleed --group grp-1f3a9c02 --actor counsel")]
    Approve {
        /// The incident.
        slug: String,
        /// All drafts.
        #[arg(long, group = "which", required_unless_present_any = ["notices", "group"])]
        all: bool,
        /// Those of a group, by its id.
        #[arg(long, group = "which", value_name = "GROUP")]
        group: Option<String>,
        /// These.
        #[arg(value_name = "NOTICE", group = "which")]
        notices: Vec<String>,
        /// Shows that a sample of them was looked at: the token that `notice sample` printed.
        #[arg(long, value_name = "TOKEN", conflicts_with = "notices", value_parser = model::approval::SampleToken::parse)]
        sample: Option<model::approval::SampleToken>,
    },
}
