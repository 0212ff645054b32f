//! `[webhooks.NAME]`: a program that is told as it happens.
//!
//! Holds no secret: files do, which are read for each call.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use mail::http::{PlainHttp, Reach};
use mail::route::Pin;
use mail::webhooks::Secret;
use model::webhooks::{EventKind, Preset, asks_for};
use serde::Deserialize;

use crate::AppError;

/// One receiver.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookSettings {
    /// Its https address; empty = it stands in `url_file`, where an address is a secret.
    pub url: String,
    /// The file with its address; empty = it stands in `url`.
    pub url_file: PathBuf,
    /// Whose language it speaks.
    pub preset: Preset,
    /// What it is told: `escalation.fired`, `escalation.acknowledged`, `escalation.ended`, `ticket.question`, or
    /// `escalation` and `ticket` for all of each. Empty = what a policy names it for.
    pub events: Vec<String>,
    /// The file with what signs calls, `whsec_…`; empty = they are not signed.
    pub secret_file: PathBuf,
    /// The file with what signed them before; both sign until the receiver knows the new one. Empty = none.
    pub previous_secret_file: PathBuf,
    /// The file with the routing key of PagerDuty or the API key of Opsgenie; empty = none.
    pub key_file: PathBuf,
    /// Where staff reach the console, an address that links begin with; empty = calls have no link.
    pub console: String,
    /// `sha256:…` of the only certificate that is taken; empty = one that is valid for the host.
    pub pin: String,
    /// Networks beside the public internet that its name may lead to.
    pub allow_networks: Vec<IpNet>,
    /// Whether http to this host itself will do; it always does in a rehearsal.
    pub allow_http_loopback: bool,
    /// The wait for an answer, in seconds, 1 to 60. Too low: slow receivers are told twice. Too high: calls wait in line.
    pub timeout_seconds: u64,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            url_file: PathBuf::new(),
            preset: Preset::Standard,
            events: Vec::new(),
            secret_file: PathBuf::new(),
            previous_secret_file: PathBuf::new(),
            key_file: PathBuf::new(),
            console: String::new(),
            pin: String::new(),
            allow_networks: Vec::new(),
            allow_http_loopback: false,
            timeout_seconds: 20,
        }
    }
}

/// What a call needs of the files.
pub(crate) struct Opened {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) secrets: Vec<Secret>,
}

impl WebhookSettings {
    /// What is wrong with it.
    pub fn fault(&self, name: &str) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            return Some("its name has other characters than a-z, 0-9 and hyphens, or more than 64".to_owned());
        }
        if self.url.is_empty() == self.url_file.as_os_str().is_empty() {
            return Some("set url or url_file, and not both".to_owned());
        }
        if !self.url.is_empty()
            && let Err(fault) = mail::http::check(&self.url, PlainHttp::ToLoopback)
        {
            return Some(fault.to_string());
        }
        let is_known = |wanted: &String| EventKind::ALL.iter().any(|kind| asks_for(wanted, *kind));
        if let Some(unknown) = self.events.iter().find(|wanted| !is_known(wanted)) {
            return Some(format!(
                "`{unknown}` is no event: the events are escalation.fired, escalation.acknowledged, escalation.ended and ticket.question"
            ));
        }
        if self.preset == Preset::Standard && self.secret_file.as_os_str().is_empty() {
            return Some("set secret_file: nobody can tell a call of ours that is not signed".to_owned());
        }
        let needs_key = matches!(self.preset, Preset::Pagerduty | Preset::Opsgenie);
        if needs_key == self.key_file.as_os_str().is_empty() {
            let which = if needs_key { "needs" } else { "has no use for" };
            return Some(format!("preset {} {which} key_file", self.preset));
        }
        if !self.pin.is_empty() && Pin::parse(&self.pin).is_none() {
            return Some(
                "pin is no fingerprint: write it as in sha256:AB:CD:… (openssl x509 -fingerprint -sha256)".to_owned(),
            );
        }
        let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        let is_quoted = |c: char| c.is_control() || c.is_whitespace() || "<>|()\"'\\".contains(c);
        if !self.console.is_empty() && (!is_web(&self.console) || self.console.contains(is_quoted)) {
            return Some(
                "console is no plain web address: write it as in https://forthright.vendor.example".to_owned(),
            );
        }
        if !(1..=60).contains(&self.timeout_seconds) {
            return Some(format!("timeout_seconds is {}: use 1 to 60", self.timeout_seconds));
        }
        None
    }

    /// Whether it asked for this.
    pub fn wants(&self, kind: EventKind) -> bool {
        self.events.iter().any(|wanted| asks_for(wanted, kind))
    }

    /// Where its calls may go. http does for this host in a rehearsal, or where it was allowed.
    pub fn reach(&self, rehearsal: bool) -> Reach {
        let plain = if rehearsal || self.allow_http_loopback { PlainHttp::ToLoopback } else { PlainHttp::Refused };
        Reach { networks: self.allow_networks.clone(), plain, pin: Pin::parse(&self.pin) }
    }

    /// The wait for an answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.clamp(1, 60))
    }

    /// Where staff read on about a ticket.
    pub(crate) fn link(&self, ticket: &str) -> Option<String> {
        let console = self.console.trim_end_matches('/');
        (!console.is_empty() && !ticket.is_empty()).then(|| format!("{console}/tickets/{ticket}"))
    }

    /// What stands in its files now.
    pub(crate) fn open(&self) -> Result<Opened, AppError> {
        let mut secrets = Vec::new();
        for file in [&self.secret_file, &self.previous_secret_file] {
            if let Some(text) = line_of(file)? {
                secrets.push(Secret::parse(&text).ok_or_else(|| bad_secret(file))?);
            }
        }
        let url = line_of(&self.url_file)?.unwrap_or_else(|| self.url.clone());
        Ok(Opened { url, key: line_of(&self.key_file)?.unwrap_or_default(), secrets })
    }
}

fn bad_secret(file: &Path) -> AppError {
    AppError::bad(
        format!("{} holds no webhook secret", file.display()),
        "it is whsec_ and 24 to 64 random bytes in base64: printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"",
    )
}

/// The one line of a file; `None` where no file is named.
fn line_of(file: &Path) -> Result<Option<String>, AppError> {
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    let cannot = |why: String| {
        AppError::bad(
            format!("cannot read {}: {why}", file.display()),
            "write it into that file, on one line, readable for this program alone",
        )
    };
    let text = std::fs::read_to_string(file).map_err(|error| cannot(error.to_string()))?;
    match text.trim() {
        "" => Err(cannot("it is empty".to_owned())),
        text => Ok(Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: serde_json::Value, is_good: bool) {
        let mut all = serde_json::json!({ "url": "https://hooks.example/x", "secret_file": "s" });
        for (key, value) in lines.as_object().unwrap() {
            all[key] = value.clone();
        }
        let read: Result<WebhookSettings, _> = serde_json::from_value(all);
        assert_eq!(read.is_ok_and(|read| read.fault("oncall").is_none()), is_good, "{lines}");
    }

    #[test]
    fn what_a_webhook_may_say() {
        check(serde_json::json!({}), true);
        check(serde_json::json!({ "events": ["escalation", "ticket.question"] }), true);
        check(serde_json::json!({ "events": ["escalations"] }), false);
        check(serde_json::json!({ "url_file": "u" }), false);
        check(serde_json::json!({ "url": "" }), false);
        check(serde_json::json!({ "url": "ftp://hooks.example" }), false);
        check(serde_json::json!({ "secret_file": "" }), false);
        check(serde_json::json!({ "secret_file": "", "preset": "slack" }), true);
        check(serde_json::json!({ "preset": "pagerduty" }), false);
        check(serde_json::json!({ "preset": "pagerduty", "key_file": "k" }), true);
        check(serde_json::json!({ "preset": "slack", "key_file": "k" }), false);
        check(serde_json::json!({ "preset": "icq" }), false);
        check(serde_json::json!({ "allow_networks": ["10.0.0.0/8"] }), true);
        check(serde_json::json!({ "allow_networks": ["ten"] }), false);
        check(serde_json::json!({ "console": "https://console.example|x" }), false);
        check(serde_json::json!({ "timeout_seconds": 0 }), false);
        check(serde_json::json!({ "secret": "whsec_x" }), false);
    }

    #[test]
    fn http_does_for_this_host_in_a_rehearsal_or_where_it_was_allowed() {
        let plain = |rehearsal, allowed| {
            WebhookSettings { allow_http_loopback: allowed, ..WebhookSettings::default() }.reach(rehearsal).plain
        };
        assert_eq!(plain(false, false), PlainHttp::Refused);
        assert_eq!([plain(true, false), plain(false, true)], [PlainHttp::ToLoopback; 2]);
    }
}
