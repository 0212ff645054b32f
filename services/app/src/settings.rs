//! Configuration, one struct a concern. Every field has a default; unknown keys are errors.
//!
//! Reads no file and no environment (the binary does).

use std::collections::BTreeMap;
use std::time::Duration;

use model::delivery::{ReportsWanted, RetryPolicy, UncertainPolicy};
use model::escalation::{Policy, Rotation, Target};
use model::stop::Rules;
use model::time::Timestamp;
use serde::Deserialize;

/// All of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Who letters are from.
    pub sender: SenderSettings,
    /// When a mapping waits for somebody.
    pub mapping: MappingSettings,
    /// How manifests are read.
    pub import: ImportSettings,
    /// How many notices are looked at before many are approved.
    pub approval: ApprovalSettings,
    /// How mail is sent.
    pub sending: SendingSettings,
    /// The keys that sign it.
    pub dkim: Vec<DkimSettings>,
    /// How mail comes in.
    pub receive: ReceiveSettings,
    /// How organisations are reached where nobody can be told.
    pub reach: ReachSettings,
    /// Who is turned to when a ladder climbs.
    pub targets: TargetSettings,
    /// Mail addresses of the vendor's own people, by the names that `--actor`, roles, rotations and targets use.
    pub people: BTreeMap<String, String>,
    /// Who has a role that targets name, by name or mail address; each of them is written to.
    pub roles: BTreeMap<String, Vec<String>>,
    /// People who take turns.
    pub rotations: BTreeMap<String, Rotation>,
    /// Escalation policies in place of the built-in ones of the same name, for incidents opened from now on.
    pub policies: BTreeMap<String, Policy>,
    /// Programs that are told as it happens, by name.
    pub webhooks: BTreeMap<String, WebhookSettings>,
    /// Office hours and holidays by name; `default` is that of whoever names none.
    pub calendars: BTreeMap<String, CalendarSettings>,
    /// When the engine counts as stuck, and who hears that it is not.
    pub watch: WatchSettings,
}

/// `[sender]`: who letters are from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SenderSettings {
    /// Shown name; empty = the vendor of the incident.
    pub name: String,
    /// Mail address; replies come to it, with a token after a `+`. Default `incident-response@HOSTNAME`.
    pub address: String,
    /// The name given in EHLO; empty = the domain of the address.
    pub hello: String,
    /// The vendor's own page where readers check notice codes, an https address; empty = none. Notices print it.
    pub verify_page: String,
    /// Hosts that letters may lead to beside those under the domain of the address. Each one more is a place that
    /// readers have to believe.
    pub link_hosts: Vec<String>,
    /// The addresses that mail leaves from, as receivers see it; empty = those of the mail routes, where they mean the
    /// same everywhere. Only checks of the sending domain use them.
    pub leaves_from: Vec<std::net::IpAddr>,
}

impl Default for SenderSettings {
    fn default() -> Self {
        let address = "incident-response@localhost".to_owned();
        Self {
            name: String::new(),
            address,
            hello: String::new(),
            verify_page: String::new(),
            link_hosts: Vec::new(),
            leaves_from: Vec::new(),
        }
    }
}

impl SenderSettings {
    /// The domain of the address, which is also the right side of every Message-ID.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
    }

    /// Whether mail to this address comes to us: the address itself, or one at its domain, with a token or without.
    pub fn is_own(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(self.domain()))
    }

    /// What EHLO says.
    pub fn hello(&self) -> &str {
        if self.hello.is_empty() { self.domain() } else { &self.hello }
    }
}

/// `[[dkim]]`: a key that signs mail. To rotate keys, publish the new one's record first, then let both stand with `from`
/// and `until`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimSettings {
    /// The domain that answers for the mail; empty = the sender's.
    #[serde(default)]
    pub domain: String,
    /// Where below `_domainkey` its public half is published.
    pub selector: String,
    /// Private key in PEM: Ed25519 (PKCS #8) or RSA.
    pub file: std::path::PathBuf,
    /// From when it signs; none = from ever.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Until when it signs; none = for ever. Too early: mail on its way is checked without its record.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// `[import]`: how manifests are read.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImportSettings {
    /// Rows are gathered in batches of this size, in bytes, 100,000 to 1,000,000,000; two of them exist at a time.
    /// Too small: many small runs, which are slow to fold. Too large: memory, and more to read again after a stop.
    pub batch_bytes: usize,
}

impl Default for ImportSettings {
    fn default() -> Self {
        // What a quarter of a million new objects take.
        Self { batch_bytes: 24 * 1024 * 1024 }
    }
}

/// `[mapping]`: when a mapping waits for somebody.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MappingSettings {
    /// A decision that moves more organisations than this waits for a second person. Too low: two people for each
    /// handful. Too high: one slip sends many notices to the wrong place.
    pub second_actor_above: usize,
    /// How long a domain that changed hands in the directory waits for a person before the new owner counts, in days.
    /// Too low: a wrong export is believed. Too high: new owners wait.
    pub owner_change_days: u64,
    /// An import that takes away a larger share of a directory's domains or contacts is refused, in per cent.
    pub shrink_percent: usize,
}

impl Default for MappingSettings {
    fn default() -> Self {
        Self { second_actor_above: 25, owner_change_days: 30, shrink_percent: 10 }
    }
}

impl MappingSettings {
    /// How long a change of owner is news.
    pub fn owner_change(&self) -> Duration {
        Duration::from_secs(self.owner_change_days.saturating_mul(24 * 3600))
    }
}

/// `[approval]`: how many notices are looked at before many are approved at once.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApprovalSettings {
    /// Notices of a random sample, 1 to 1,000. Too few: a fault of one group goes unseen. Too many: nobody reads them.
    pub sample_size: usize,
    /// More notices than this are approved at once only by who shows that they looked at a sample; 0 = any number is. Too
    /// low: a token for a handful.
    pub look_first_above: usize,
}

impl Default for ApprovalSettings {
    fn default() -> Self {
        Self { sample_size: 5, look_first_above: 0 }
    }
}

/// `[sending]`: how mail is sent.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SendingSettings {
    /// Connections at a time, 1 to 100. Too few: slow with a far relay. Too many: relays refuse.
    pub connections: usize,
    /// How long a sender that falls silent keeps its mails, in seconds, 2 to 600. Shorter: a busy host may lose its
    /// lease. Longer: mail waits after a crash.
    pub lease_seconds: u64,
    /// What happens to a mail of which nobody knows whether it arrived: `resend`, `hold` or `wait`.
    pub uncertain: UncertainPolicy,
    /// With `wait`: how long a report or reply is waited for, in seconds. Too low: copies. Too high: whoever has no
    /// notice waits for it.
    pub uncertain_wait_seconds: u64,
    /// Tries before a mail is given up.
    pub max_attempts: i64,
    /// The wait after the first refusal, in seconds; doubled each time.
    pub retry_seconds: u64,
    /// The longest wait, in seconds.
    pub retry_longest_seconds: u64,
    /// The wait for a connection, in seconds.
    pub connect_timeout_seconds: u64,
    /// The wait for the greeting and for each reply before the message, in seconds (RFC 5321 4.5.3.2: 5 minutes). Too
    /// low: slow servers never get their mail. Too high: a server that hangs holds a connection longer.
    pub reply_timeout_seconds: u64,
    /// The wait for the reply to the final dot, in seconds (RFC 5321 4.5.3.2.6: 10 minutes). Too low: copies.
    pub dot_timeout_seconds: u64,
    /// Which reports are asked for where the server can be asked (RFC 3461): `off`, `failure` or `success`.
    pub reports: ReportsWanted,
    /// When a wave stops by itself.
    pub stop: Rules,
}

impl Default for SendingSettings {
    fn default() -> Self {
        let retry = RetryPolicy::default();
        Self {
            connections: 10,
            lease_seconds: 5,
            uncertain: UncertainPolicy::Resend,
            uncertain_wait_seconds: 4 * 3600,
            max_attempts: retry.max_attempts,
            retry_seconds: retry.first.as_secs(),
            retry_longest_seconds: retry.longest.as_secs(),
            connect_timeout_seconds: 30,
            reply_timeout_seconds: 300,
            dot_timeout_seconds: 600,
            reports: ReportsWanted::Failure,
            stop: Rules::default(),
        }
    }
}

impl SendingSettings {
    /// When a refused mail is tried again.
    pub fn retry(&self) -> RetryPolicy {
        RetryPolicy {
            max_attempts: self.max_attempts,
            first: Duration::from_secs(self.retry_seconds),
            longest: Duration::from_secs(self.retry_longest_seconds),
        }
    }

    /// When a mail that has been uncertain since `since` (real time) is sent again; in microseconds, the greatest =
    /// never by itself.
    pub fn uncertain_due(&self, since: Timestamp) -> i64 {
        match self.uncertain {
            UncertainPolicy::Resend => since.micros(),
            UncertainPolicy::Hold => i64::MAX,
            UncertainPolicy::Wait => since.plus(Duration::from_secs(self.uncertain_wait_seconds)).micros(),
        }
    }

    /// How long a silent sender keeps its mails.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds.clamp(2, 600))
    }
}

/// `[receive]`: how mail comes in. Nothing listens and nobody is asked unless a key here says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiveSettings {
    /// Where `serve` and `worker` take mail from other mail servers by SMTP (`0.0.0.0:25`); empty = nowhere.
    pub smtp: String,
    /// Where they take mail from a mail server of our own by LMTP (`127.0.0.1:24`); empty = nowhere.
    pub lmtp: String,
    /// A certificate chain in a PEM file, with which STARTTLS is offered; empty = it is not.
    pub certificate: String,
    /// The private key of the certificate, in a PEM file.
    pub key: String,
    /// The name in greetings; empty = this host's.
    pub name: String,
    /// Connections at a time, 1 to 5,000; one address gets three quarters of them at most. Too few: other servers come
    /// later. Too many: memory.
    pub connections: usize,
    /// The wait for each step of the other side, in seconds, 1 to 600; 10 s at most for who comes while four fifths of
    /// the places are taken. Too low: slow servers are cut off. Too high: idle ones keep their place.
    pub idle_seconds: u64,
    /// The DNS server that is asked who may send for a domain (`127.0.0.1`, `192.0.2.1:53`), `system` = those of the
    /// system; empty = nobody is asked, and no sender counts as proven.
    pub resolver: String,
    /// Networks of our own relays: who connects from there passes on the mail of others, and proves nothing by its address.
    pub relays: Vec<String>,
    /// The pause between two automatic acknowledgements of one conversation, in hours; 0 = there are none. They go to
    /// proven senders only. Too low: two programs keep each other busy.
    pub acknowledge_hours: u64,
    /// Mailboxes that mail is taken from.
    pub imap: Vec<ImapSettings>,
}

impl Default for ReceiveSettings {
    fn default() -> Self {
        Self {
            smtp: String::new(),
            lmtp: String::new(),
            certificate: String::new(),
            key: String::new(),
            name: String::new(),
            connections: 200,
            idle_seconds: 300,
            resolver: String::new(),
            relays: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"].map(str::to_owned).to_vec(),
            acknowledge_hours: 24,
            imap: Vec::new(),
        }
    }
}

mod calendars;
mod imap;
mod watch;
mod webhooks;

pub use calendars::CalendarSettings;
pub use imap::{After, ImapSettings, ImapTls};
pub use watch::{WatchSettings, Watchdog};
pub use webhooks::WebhookSettings;

/// `[reach]`: how organisations are reached where nobody can be told. Nobody outside is asked or written to unless a
/// key here says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReachSettings {
    /// Whether the security.txt of affected domains is fetched, and whom it names is written to.
    pub security_txt: bool,
    /// Whether the registration data of affected domains is fetched, and whom it names is written to.
    pub rdap: bool,
    /// Whether the mailboxes that affected domains should have are written to.
    pub role_mailboxes: bool,
    /// How long somebody who was asked has before the next rung, in hours, 1 to 8,760. Too low: people get a task while
    /// a reply is being written. Too high: an organisation waits to be told.
    pub wait_hours: u64,
    /// How long an answer of a look-up is used again, in hours, 0 to 8,760. Too low: strangers' servers are asked again
    /// for each incident. Too high: an old answer is written to.
    pub cache_hours: u64,
    /// The RDAP server that is asked, an https address; it may redirect to others.
    pub rdap_server: String,
    /// A folder of recorded answers that are used in place of the internet; empty = the internet.
    pub replay: String,
    /// A folder that answers from the internet are recorded into; empty = none.
    pub record: String,
    /// Requests to strangers' servers a second in one process, 1 to 100. Too low: many organisations take long. Too
    /// high: RDAP servers refuse.
    pub per_second: u32,
}

impl Default for ReachSettings {
    fn default() -> Self {
        Self {
            security_txt: false,
            rdap: false,
            role_mailboxes: false,
            wait_hours: 72,
            cache_hours: 168,
            rdap_server: String::new(),
            replay: String::new(),
            record: String::new(),
            per_second: 1,
        }
    }
}

impl ReachSettings {
    /// How long somebody who was asked has.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_hours.saturating_mul(3600))
    }

    /// How long an answer is used again.
    pub fn cache(&self) -> Duration {
        Duration::from_secs(self.cache_hours.saturating_mul(3600))
    }
}

/// `[targets]`: mail addresses of the vendor's own people. A target without one gets a task instead.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TargetSettings {
    /// The agent of a ticket.
    pub agent: Option<String>,
    /// The team lead.
    pub lead: Option<String>,
    /// Privacy counsel.
    pub counsel: Option<String>,
    /// The incident lead.
    pub incident_lead: Option<String>,
}

impl TargetSettings {
    /// The address of a target; `None` = a task.
    pub fn address(&self, target: &Target) -> Option<&str> {
        let address = match target {
            Target::Agent => &self.agent,
            Target::Lead => &self.lead,
            Target::Counsel => &self.counsel,
            Target::IncidentLead => &self.incident_lead,
            Target::Contact
            | Target::NextContact
            | Target::AccountManager
            | Target::Person(_)
            | Target::Role(_)
            | Target::Rotation(_)
            | Target::Address(_)
            | Target::Webhook(_) => &None,
        };
        address.as_deref().map(str::trim).filter(|address| !address.is_empty())
    }
}
