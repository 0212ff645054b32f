//! `[watch]`: when the engine counts as stuck, and who hears that it is not.

use std::time::Duration;

use ipnet::IpNet;
use mail::http::{PlainHttp, Reach};
use serde::Deserialize;

/// What is watched, and who is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchSettings {
    /// How late something may be before it is a finding, in seconds, 10 to 86,400. Too low: a busy host is a finding. Too
    /// high: what is stuck is told late.
    pub grace_seconds: u64,
    /// How old the last tick may be, in seconds, 30 to 86,400. The same trade.
    pub tick_seconds: u64,
    /// How often the check is made for those below, in seconds, 5 to 3,600.
    pub every_seconds: u64,
    /// An address that is asked for (GET) after each check that passes; empty = none. Who misses it, alerts.
    pub ping_url: String,
    /// An address that is asked for after each check that does not; empty = none.
    pub ping_fail_url: String,
    /// Networks beside the public internet that these names may lead to.
    pub allow_networks: Vec<IpNet>,
    /// Whether http to this host itself will do; it always does in a rehearsal.
    pub allow_http_loopback: bool,
    /// What the watchdog of systemd is told by: `check` = a check that passes, `tick` = a tick that is not late, so that a
    /// finding that a restart does not mend causes none.
    pub watchdog: Watchdog,
}

/// What the watchdog of systemd is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Watchdog {
    /// The whole check.
    #[default]
    Check,
    /// The last tick alone.
    Tick,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            grace_seconds: 300,
            tick_seconds: 120,
            every_seconds: 60,
            ping_url: String::new(),
            ping_fail_url: String::new(),
            allow_networks: Vec::new(),
            allow_http_loopback: false,
            watchdog: Watchdog::Check,
        }
    }
}

impl WatchSettings {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        for (key, value, from, to) in [
            ("grace_seconds", self.grace_seconds, 10, 86_400),
            ("tick_seconds", self.tick_seconds, 30, 86_400),
            ("every_seconds", self.every_seconds, 5, 3_600),
        ] {
            if !(from..=to).contains(&value) {
                return Some(format!("watch.{key} is {value}: use {from} to {to}"));
            }
        }
        for (key, url) in [("ping_url", &self.ping_url), ("ping_fail_url", &self.ping_fail_url)] {
            if !url.is_empty()
                && let Err(fault) = mail::http::check(url, PlainHttp::ToLoopback)
            {
                return Some(format!("watch.{key}: {fault}"));
            }
        }
        None
    }

    /// How late something may be.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }

    /// How old the last tick may be.
    pub fn tick(&self) -> Duration {
        Duration::from_secs(self.tick_seconds)
    }

    /// How often the check is made.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds)
    }

    /// Where pings may go.
    pub fn reach(&self, rehearsal: bool) -> Reach {
        let plain = if rehearsal || self.allow_http_loopback { PlainHttp::ToLoopback } else { PlainHttp::Refused };
        Reach { networks: self.allow_networks.clone(), plain, pin: None }
    }
}
