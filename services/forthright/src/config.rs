//! Configuration: a TOML file, and an environment variable for each key.
//!
//! Knows no meaning of a key (that is `app::Settings`). Invariant: an unknown key is an error that names it.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use app::Settings;
use app::settings::{ReachSettings, ReceiveSettings};
use toml::{Table, Value};

/// Keys that an environment variable can set: `sender.address` is `FORTHRIGHT_SENDER_ADDRESS`.
const KEYS: &[(&str, &str)] = &[
    ("sender", "name"),
    ("sender", "address"),
    ("sender", "hello"),
    ("sender", "verify_page"),
    ("sender", "link_hosts"),
    ("sender", "leaves_from"),
    ("import", "batch_bytes"),
    ("approval", "sample_size"),
    ("approval", "look_first_above"),
    ("sending", "connections"),
    ("sending", "lease_seconds"),
    ("sending", "uncertain"),
    ("sending", "uncertain_wait_seconds"),
    ("sending", "max_attempts"),
    ("sending", "retry_seconds"),
    ("sending", "retry_longest_seconds"),
    ("sending", "connect_timeout_seconds"),
    ("sending", "reply_timeout_seconds"),
    ("sending", "dot_timeout_seconds"),
    ("sending", "reports"),
    ("sending.stop", "least"),
    ("sending.stop", "bounced_percent"),
    ("sending.stop", "spam_percent"),
    ("sending.stop", "wrong_recipient_percent"),
    ("sending.stop", "complaints_percent"),
    ("sending.stop", "failed_percent"),
    ("receive", "smtp"),
    ("receive", "lmtp"),
    ("receive", "certificate"),
    ("receive", "key"),
    ("receive", "name"),
    ("receive", "connections"),
    ("receive", "idle_seconds"),
    ("receive", "resolver"),
    ("receive", "acknowledge_hours"),
    ("reach", "security_txt"),
    ("reach", "rdap"),
    ("reach", "role_mailboxes"),
    ("reach", "wait_hours"),
    ("reach", "cache_hours"),
    ("reach", "rdap_server"),
    ("reach", "replay"),
    ("reach", "record"),
    ("reach", "per_second"),
    ("watch", "grace_seconds"),
    ("watch", "tick_seconds"),
    ("watch", "every_seconds"),
    ("watch", "ping_url"),
    ("watch", "ping_fail_url"),
    ("watch", "watchdog"),
    ("targets", "agent"),
    ("targets", "lead"),
    ("targets", "counsel"),
    ("targets", "incident-lead"),
];

/// Reads the file, if there is one, and lets the environment replace keys.
pub(crate) fn load(file: Option<&Path>) -> Result<Settings> {
    let mut table = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the configuration {}", path.display()))?;
            text.parse::<Table>().with_context(|| format!("the configuration {} is no TOML", path.display()))?
        }
        None => Table::new(),
    };
    for (section, key) in KEYS {
        let name = format!("FORTHRIGHT_{section}_{key}").to_uppercase().replace(['-', '.'], "_");
        if let Ok(text) = std::env::var(&name) {
            let mut inner = &mut table;
            for part in section.split('.') {
                let there = inner.entry(part).or_insert_with(|| Value::Table(Table::new()));
                let Value::Table(there) = there else { bail!("the configuration's [{section}] is no table") };
                inner = there;
            }
            inner.insert((*key).to_owned(), value(key, &text));
        }
    }
    let mut settings: Settings = table.try_into().with_context(|| {
        file.map_or_else(|| "the environment".to_owned(), |path| format!("the configuration {}", path.display()))
    })?;
    if settings.sender.address == "incident-response@localhost" {
        let host = gethostname::gethostname().to_string_lossy().to_lowercase();
        if model::email::EmailAddress::parse(&format!("incident-response@{host}")).is_ok() {
            settings.sender.address = format!("incident-response@{host}");
        }
    }
    for (name, calendar) in &mut settings.calendars {
        if let Some(path) = &calendar.ics {
            calendar.ics_text = std::fs::read_to_string(path)
                .with_context(|| format!("[calendars.{name}]: cannot read ics, {}", path.display()))?;
        }
    }
    check(&settings)?;
    Ok(settings)
}

/// A value as its key wants it: a name or folder may look like a number.
fn value(key: &str, text: &str) -> Value {
    match key {
        "security_txt" | "rdap" | "role_mailboxes" => {
            text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Boolean)
        }
        "link_hosts" | "leaves_from" => {
            let hosts = text.split(',').map(str::trim).filter(|host| !host.is_empty());
            Value::Array(hosts.map(|host| Value::String(host.to_owned())).collect())
        }
        "rdap_server" | "replay" | "record" | "certificate" | "key" | "resolver" => Value::String(text.to_owned()),
        _ => text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Integer),
    }
}

fn check(settings: &Settings) -> Result<()> {
    let batch = settings.import.batch_bytes;
    if !(100_000..=1_000_000_000).contains(&batch) {
        bail!("import.batch_bytes is {batch}: use 100000 to 1000000000");
    }
    let sample = settings.approval.sample_size;
    if !(1..=1_000).contains(&sample) {
        bail!("approval.sample_size is {sample}: use 1 to 1000");
    }
    let sending = &settings.sending;
    if !(1..=100).contains(&sending.connections) {
        bail!("sending.connections is {}: use 1 to 100", sending.connections);
    }
    if !(2..=600).contains(&sending.lease_seconds) {
        bail!("sending.lease_seconds is {}: use 2 to 600", sending.lease_seconds);
    }
    if sending.reply_timeout_seconds == 0 || sending.dot_timeout_seconds == 0 {
        bail!("sending.reply_timeout_seconds and sending.dot_timeout_seconds are 1 or more");
    }
    if sending.max_attempts < 1 {
        bail!("sending.max_attempts is {}: use 1 or more", sending.max_attempts);
    }
    let stop = &sending.stop;
    if stop.least < 1 {
        bail!("sending.stop.least is {}: use 1 or more", stop.least);
    }
    let shares = [
        stop.bounced_percent,
        stop.spam_percent,
        stop.wrong_recipient_percent,
        stop.complaints_percent,
        stop.failed_percent,
    ];
    if let Some(share) = shares.iter().find(|share| !(0..=100).contains(*share)) {
        bail!("a share in sending.stop is {share}: use 0 to 100 per cent; 100 = never");
    }
    for (name, calendar) in &settings.calendars {
        if let Some(fault) = app::calendars::fault(name, calendar) {
            bail!("[calendars.{name}]: {fault}");
        }
    }
    check_people(settings)?;
    check_reach(&settings.reach)?;
    check_receive(&settings.receive)?;
    if let Some(fault) = settings.watch.fault() {
        bail!("{fault}");
    }
    for (name, webhook) in &settings.webhooks {
        if let Some(fault) = webhook.fault(name) {
            bail!("[webhooks.{name}]: {fault}");
        }
    }
    let address = &settings.sender.address;
    if !address.contains('@') || address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        bail!("sender.address is no mail address: write it as in incident-response@vendor.example");
    }
    if let Some(bad) = settings.sender.link_hosts.iter().find(|host| model::domain::DomainName::parse(host).is_err()) {
        bail!("sender.link_hosts has {bad:?}, which is no host name: write it as in status.vendor.example");
    }
    let page = &settings.sender.verify_page;
    let plain = |page: &str| {
        page.strip_prefix("https://").is_some_and(|rest| rest.contains('.') && !rest.starts_with('.'))
            && page.chars().all(|char| char.is_ascii_alphanumeric() || "-._~/:".contains(char))
    };
    if !page.is_empty() && !plain(page) {
        bail!("sender.verify_page is no plain https address: write it as in https://vendor.example/verify");
    }
    Ok(())
}

/// Whoever is to be told must be somebody: a slip here would be found at night.
fn check_people(settings: &Settings) -> Result<()> {
    for (name, address) in &settings.people {
        if model::email::EmailAddress::parse(address).is_err() {
            bail!("people.{name} is `{address}`, which is no mail address: write it as in ana@vendor.example");
        }
    }
    let roles = settings
        .roles
        .iter()
        .map(|(role, people)| (format!("roles.{role}"), people.iter().map(String::as_str).collect()));
    let rotations = settings.rotations.iter().map(|(name, rotation)| (format!("rotations.{name}"), rotation.people()));
    for (place, people) in roles.chain(rotations).collect::<Vec<(String, Vec<&str>)>>() {
        let unknown =
            |name: &&&str| !settings.people.contains_key(**name) && model::email::EmailAddress::parse(name).is_err();
        if let Some(name) = people.iter().find(unknown) {
            bail!("{place} names `{name}`, who is neither in [people] nor a mail address: add them there");
        }
    }
    Ok(())
}

fn check_receive(receive: &ReceiveSettings) -> Result<()> {
    for (key, address) in [("smtp", &receive.smtp), ("lmtp", &receive.lmtp)] {
        if !address.is_empty() && address.parse::<SocketAddr>().is_err() {
            bail!("receive.{key} is `{address}`: use an address with a port, as in 127.0.0.1:2525");
        }
    }
    if receive.certificate.is_empty() != receive.key.is_empty() {
        bail!("receive.certificate and receive.key belong together: set both or neither");
    }
    if !(1..=5_000).contains(&receive.connections) {
        bail!("receive.connections is {}: use 1 to 5000", receive.connections);
    }
    if !(1..=600).contains(&receive.idle_seconds) {
        bail!("receive.idle_seconds is {}: use 1 to 600", receive.idle_seconds);
    }
    if receive.acknowledge_hours > 8_760 {
        bail!("receive.acknowledge_hours is {}: use 0 to 8760", receive.acknowledge_hours);
    }
    let mut names = std::collections::BTreeSet::new();
    for mailbox in &receive.imap {
        if let Some(fault) = mailbox.fault() {
            bail!("[[receive.imap]] {}: {fault}", mailbox.name);
        }
        if !names.insert(&mailbox.name) {
            bail!("[[receive.imap]] {} stands there twice: give each mailbox a name of its own", mailbox.name);
        }
    }
    Ok(())
}

fn check_reach(reach: &ReachSettings) -> Result<()> {
    if !(1..=8_760).contains(&reach.wait_hours) {
        bail!("reach.wait_hours is {}: use 1 to 8760", reach.wait_hours);
    }
    if reach.cache_hours > 8_760 {
        bail!("reach.cache_hours is {}: use 0 to 8760", reach.cache_hours);
    }
    if !(1..=100).contains(&reach.per_second) {
        bail!("reach.per_second is {}: use 1 to 100", reach.per_second);
    }
    if !reach.rdap_server.is_empty() && !reach.rdap_server.starts_with("https://") {
        bail!("reach.rdap_server is no https address: write it as in https://rdap.example/");
    }
    if reach.rdap && reach.rdap_server.is_empty() && reach.replay.is_empty() {
        bail!("reach.rdap is on and reach.rdap_server is empty: name the server, as in https://rdap.example/");
    }
    if !reach.replay.is_empty() && !reach.record.is_empty() {
        bail!("reach.replay and reach.record are both set: what is replayed is recorded already, so leave one empty");
    }
    Ok(())
}

/// A secret from the environment: NAME, or the file that NAME_FILE names.
pub(crate) fn secret(name: &str) -> Result<Option<String>> {
    if let Ok(text) = std::env::var(name) {
        return Ok(Some(text));
    }
    match std::env::var(format!("{name}_FILE")) {
        Ok(path) => {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}_FILE, {path}"))?;
            Ok(Some(text.trim().to_owned()))
        }
        Err(_) => Ok(None),
    }
}
