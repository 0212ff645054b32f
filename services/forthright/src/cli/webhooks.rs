//! `webhook`: programs that are told as it happens.
//!
//! Holds no behaviour.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookVerb {
    /// Every call: what was told, to whom, and what became of it.
    #[command(after_help = "Example: forthright webhook list --csv")]
    List,
    /// One call with its body and its tries.
    Show {
        /// The call, `whm_…`.
        call: String,
    },
    /// Send a signed test now, and print the answer; exit 1 where it is not taken.
    #[command(after_help = "Example: forthright webhook test oncall")]
    Test {
        /// The webhook's name in the configuration.
        name: String,
    },
    /// Make a call due that was not taken.
    Retry {
        /// The call, `whm_…`.
        call: String,
    },
}
