//! Which RDAP server answers for a domain: IANA's registry (RFC 9224), as a file of the operator's.
//!
//! Does not fetch the file and does not bring one along: it changes every week. Invariant: a server from here is an
//! https address that ends in a slash.

use std::collections::BTreeMap;

use model::domain::DomainName;
use reqwest::Url;
use serde::Deserialize;

/// Longest file in bytes; IANA's has about 150,000.
const LONGEST_FILE: usize = 4 * 1024 * 1024;

/// A registry of RDAP servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    servers: BTreeMap<String, String>,
    published: String,
}

/// Why a file is no registry of RDAP servers.
#[derive(Debug, thiserror::Error)]
pub enum BadBootstrap {
    /// Over four mebibytes.
    #[error("it has {0} bytes; IANA's dns.json has about 150,000")]
    TooLong(usize),
    /// Not of the form of RFC 9224.
    #[error("it is not a registry by RFC 9224; take https://data.iana.org/rdap/dns.json")]
    Form(#[source] serde_json::Error),
    /// Another version.
    #[error("it is a registry of version {0:?}; version 1.0 is known")]
    Version(String),
    /// No usable server.
    #[error("there is no https server in it; take https://data.iana.org/rdap/dns.json")]
    Empty,
}

#[derive(Deserialize)]
struct File {
    version: String,
    #[serde(default)]
    publication: String,
    services: Vec<(Vec<String>, Vec<String>)>,
}

impl Bootstrap {
    /// Reads the text of a `dns.json`. Servers without https are left out.
    pub fn parse(text: &str) -> Result<Self, BadBootstrap> {
        if text.len() > LONGEST_FILE {
            return Err(BadBootstrap::TooLong(text.len()));
        }
        let file: File = serde_json::from_str(text).map_err(BadBootstrap::Form)?;
        if file.version != "1.0" {
            return Err(BadBootstrap::Version(file.version.chars().take(20).collect()));
        }
        let mut servers = BTreeMap::new();
        for (names, urls) in file.services {
            let Some(server) = urls.iter().find_map(|url| base(url)) else { continue };
            servers.extend(names.into_iter().map(|name| (name.to_ascii_lowercase(), server.clone())));
        }
        if servers.is_empty() {
            return Err(BadBootstrap::Empty);
        }
        Ok(Self { servers, published: file.publication })
    }

    /// The server for a domain: that of its longest suffix in the registry.
    pub fn server_for(&self, domain: &DomainName) -> Option<&str> {
        domain.suffixes().find_map(|suffix| self.servers.get(suffix)).map(String::as_str)
    }

    /// When the registry was published, as it says itself; may be empty.
    pub fn published(&self) -> &str {
        &self.published
    }
}

/// A server's address with its slash; `None` where it is not https.
pub(crate) fn base(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    if url.scheme() != "https" || url.domain().is_none() || url.query().is_some() || url.fragment().is_some() {
        return None;
    }
    let slash = if url.path().ends_with('/') { "" } else { "/" };
    Some(format!("{url}{slash}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 9224 4, and a name of two labels.
    const EXAMPLE: &str = r#"{"version": "1.0", "publication": "2024-01-07T10:11:12Z", "description": "Some text",
        "services": [[["net", "com"], ["https://registry.example.com/myrdap/"]],
                     [["org", "mytld"], ["http://example.org/", "https://example.org"]],
                     [["plain"], ["http://plain.example/"]],
                     [["co.com"], ["https://longer.example/"]],
                     [["xn--zckzah"], ["https://example.net/rdap/xn--zckzah/"]]]}"#;

    fn check(domain: &str, expect: Option<&str>) {
        let registry = Bootstrap::parse(EXAMPLE).unwrap();
        assert_eq!(registry.server_for(&DomainName::parse(domain).unwrap()), expect, "{domain}");
    }

    #[test]
    fn the_longest_suffix_decides() {
        check("a.b.acme.com", Some("https://registry.example.com/myrdap/"));
        check("acme.co.com", Some("https://longer.example/"));
        check("ACME.xn--zckzah", Some("https://example.net/rdap/xn--zckzah/"));
        check("acme.example", None);
    }

    #[test]
    fn only_https_servers_are_taken() {
        check("acme.org", Some("https://example.org/"));
        check("acme.plain", None);
        assert_eq!(base("https://192.0.2.1/"), None);
    }

    #[test]
    fn what_is_no_registry_says_why() {
        let refused = |text: &str| Bootstrap::parse(text).unwrap_err().to_string();
        assert!(refused("{}").starts_with("it is not a registry by RFC 9224"));
        assert!(refused(r#"{"version": "2.0", "services": []}"#).contains("2.0"));
        assert!(refused(r#"{"version": "1.0", "services": []}"#).starts_with("there is no https server"));
        assert_eq!(Bootstrap::parse(EXAMPLE).unwrap().published(), "2024-01-07T10:11:12Z");
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in r#"(\PC|\[|\]|\{|\}|"|:|,){0,60}"#) {
            let _ = Bootstrap::parse(&text);
        }
    }
}
