//! Which addresses a look-up may reach: those of the public internet, and what a test allows besides.
//!
//! Does not resolve names, and knows no list (`model::network` does). Invariant: what nobody allowed is judged by that list.

use std::net::IpAddr;

use ipnet::IpNet;

/// What may be reached beside the public internet by https on port 443. Nothing, unless a test says so.
#[derive(Debug, Clone, Default)]
pub struct Allow {
    /// Networks that are not public, or not known to be.
    pub networks: Vec<IpNet>,
    /// Ports beside 443.
    pub ports: Vec<u16>,
    /// Whether http will do in place of https.
    pub plain_http: PlainHttp,
}

/// Whether http will do in place of https.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// Never: what it brings may be anybody's.
    #[default]
    Refused,
    /// Also http; a redirect from https to http is refused all the same.
    Allowed,
}

impl Allow {
    /// Why an address may not be reached.
    pub fn refusal(&self, address: IpAddr) -> Option<&'static str> {
        model::network::refusal(&self.networks, address)
    }
}
