//! What mail programs make links of, and whether it leads to the sender's own hosts.
//!
//! Fetches nothing. A bare name (`vendor.example`) is no link here, because notices name the reader's own domains.
//! Invariant: whatever stands between the scheme and the path is judged by the host that a browser would go to.

use crate::domain::DomainName;
use crate::suffixes::SuffixList;

/// An address in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'t> {
    /// Its first byte.
    pub at: usize,
    /// As it stands there, up to its path.
    pub written: &'t str,
    /// Where it leads; none: it cannot be told, or to no name (an IP address).
    pub host: Option<DomainName>,
}

impl Link<'_> {
    /// Line and column, from 1, in the text it was found in.
    pub fn place(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        (1 + before.matches('\n').count(), 1 + line.chars().count())
    }
}

/// Every address with a scheme (`https://…`), and every name that begins with `www.`.
pub fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    for (slashes, _) in text.match_indices("://") {
        let scheme =
            text[..slashes].bytes().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte));
        let at = slashes - scheme.count();
        if at < slashes {
            found.push(link(text, at, slashes + 3));
        }
    }
    for (at, _) in text.to_ascii_lowercase().match_indices("www.") {
        let before = text[..at].chars().next_back();
        if !before.is_some_and(|char| char.is_alphanumeric() || "/.-@_".contains(char)) {
            found.push(link(text, at, at));
        }
    }
    found.sort_by_key(|link| link.at);
    found
}

fn link(text: &str, at: usize, authority: usize) -> Link<'_> {
    let rest = &text[authority..];
    // Japanese marks end an address as mail programs see it; a name in letters of any script goes on.
    let ends =
        |char: char| char.is_whitespace() || char.is_control() || "/?#\\<>\"'()[]{},;|`。、」』）】：".contains(char);
    let bracket = rest.starts_with('[');
    let length = rest.find(ends).unwrap_or(rest.len());
    // What stands before an `@` is a user's name, however much it looks like a host.
    let host = rest[..length].rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().trim_end_matches(['.', '!', '&']);
    Link { at, written: &text[at..authority + length], host: if bracket { None } else { DomainName::parse(host).ok() } }
}

/// Hosts that letters may lead to.
#[derive(Debug, Clone)]
pub struct OwnHosts {
    /// The sender's organisational domain: what it registered.
    domain: String,
    /// Further ones, allowed by name.
    others: Vec<String>,
}

impl OwnHosts {
    /// Of a sender whose address has this domain; `others` are allowed with whatever stands below them.
    pub fn new(sender_domain: &str, others: &[String], list: &SuffixList) -> Self {
        let registrable = |name: DomainName| list.registrable(&name).unwrap_or(name.as_str()).to_owned();
        let domain = DomainName::parse(sender_domain).map_or_else(|_| sender_domain.to_lowercase(), registrable);
        let parsed = |name: &String| DomainName::parse(name).map_or_else(|_| name.clone(), |it| it.as_str().to_owned());
        Self { domain, others: others.iter().map(parsed).collect() }
    }

    /// The organisational domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether a host is the sender's.
    pub fn allow(&self, host: &DomainName) -> bool {
        let below = |base: &str| {
            let host = host.as_str();
            host == base || host.strip_suffix(base).is_some_and(|rest| rest.ends_with('.'))
        };
        below(&self.domain) || self.others.iter().any(|other| below(other))
    }

    /// The links of a text that lead elsewhere.
    pub fn outside<'t>(&self, text: &'t str) -> Vec<Link<'t>> {
        let mut links = links(text);
        links.retain(|link| !link.host.as_ref().is_some_and(|host| self.allow(host)));
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> OwnHosts {
        OwnHosts::new("mail.vendor.co.uk", &["status.partner.example".to_owned()], SuffixList::builtin())
    }

    fn check(text: &str, outside: &[&str]) {
        let found: Vec<&str> = own().outside(text).iter().map(|link| link.written).collect::<Vec<_>>();
        assert_eq!(found, outside, "{text}");
    }

    #[test]
    fn hosts_below_the_organisational_domain_are_our_own() {
        assert_eq!(own().domain(), "vendor.co.uk");
        check("See https://vendor.co.uk/x, HTTPS://Help.Vendor.co.uk:443/y and www.vendor.co.uk.", &[]);
        check("https://status.partner.example/ and https://eu.status.partner.example", &[]);
    }

    #[test]
    fn everything_else_leads_elsewhere_whatever_it_looks_like() {
        check("https://co.uk/", &["https://co.uk"]);
        check("https://evilvendor.co.uk/", &["https://evilvendor.co.uk"]);
        check("https://vendor.co.uk.evil.example/", &["https://vendor.co.uk.evil.example"]);
        check("https://vendor.co.uk@evil.example/", &["https://vendor.co.uk@evil.example"]);
        check("https://vendor.co.uk:x@evil.example", &["https://vendor.co.uk:x@evil.example"]);
        check("https://evil.example\\@vendor.co.uk/", &["https://evil.example"]);
        check("https://partner.example", &["https://partner.example"]);
        check("https://vеndor.co.uk", &["https://vеndor.co.uk"]);
        check("(www.evil.example)", &["www.evil.example"]);
        check("ftp://192.0.2.7/x", &["ftp://192.0.2.7"]);
        check("https://[2001:db8::1]/", &["https://"]);
        check("http://localhost/", &["http://localhost"]);
        check("「https://evil.example」をご覧ください", &["https://evil.example"]);
    }

    #[test]
    fn names_alone_are_no_links() {
        check("org.example, security@org.example, 12:30, and/or, a.b://", &["a.b://"]);
        check("mail.www.example and x@www.example", &[]);
    }

    #[test]
    fn a_link_has_a_line_and_a_column() {
        let text = "one\nä https://evil.example/x\n";
        assert_eq!(own().outside(text)[0].place(text), (2, 3));
    }
}
