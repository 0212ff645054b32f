//! Domains that many strangers share (R3): mail providers, access providers, and services that name hosts after tenants.
//!
//! Does not decide what being shared means: see [`decide`](crate::mapping::decide). Invariant: the list is sorted, holds
//! a domain once, each in the normal form of [`DomainName`](crate::domain::DomainName).

use std::sync::LazyLock;

use crate::delivery::named;

named! {
    /// Why a domain belongs to nobody.
    SharedKind {
        /// Anybody signs up for a mailbox, free or paid.
        FreeMail = "free-mail",
        /// A mailbox comes with an access line.
        Telecom = "telecom",
        /// A registrar or a reseller of web space gives names and addresses below it to its customers.
        Reseller = "reseller",
        /// A mailbox for ten minutes.
        Disposable = "disposable",
        /// A service whose tenants' names stand below it.
        Hosting = "hosting",
    }
}

/// A domain of the list. It stands for everything below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedDomain {
    /// In normal form.
    pub domain: &'static str,
    /// Why it belongs to nobody.
    pub kind: SharedKind,
    /// Who runs it, for people.
    pub owner: &'static str,
    /// Which published list agrees: a key that `data/README.md` explains.
    pub source: &'static str,
}

/// The list that is compiled in, sorted by domain.
pub fn builtin() -> &'static [SharedDomain] {
    static BUILTIN: LazyLock<Vec<SharedDomain>> = LazyLock::new(|| {
        // A test reads each line of the same text, so one that cannot be read never leaves the house.
        lines().filter_map(parse).collect()
    });
    &BUILTIN
}

/// The entry of exactly this domain, which is in normal form; not of one above it.
pub fn find(domain: &str) -> Option<&'static SharedDomain> {
    let list = builtin();
    let at = list.binary_search_by(|entry| entry.domain.cmp(domain)).ok()?;
    list.get(at)
}

/// The lines below the header.
fn lines() -> impl Iterator<Item = &'static str> {
    include_str!("../data/shared-domains.csv").lines().skip(1)
}

/// `domain,kind,owner,source`; no field holds a comma.
fn parse(line: &'static str) -> Option<SharedDomain> {
    let mut fields = line.split(',');
    let (domain, kind, owner, source) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let kind = SharedKind::parse(kind)?;
    fields.next().is_none().then_some(SharedDomain { domain, kind, owner, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DomainName;
    use crate::suffixes::SuffixList;

    #[test]
    fn every_line_of_the_list_is_read() {
        for line in lines() {
            assert!(parse(line).is_some(), "{line}");
        }
        assert_eq!(builtin().len(), lines().count());
        let of = |kind| builtin().iter().filter(|entry| entry.kind == kind).count();
        let counts: Vec<(&str, usize)> = SharedKind::ALL.iter().map(|kind| (kind.as_str(), of(*kind))).collect();
        let expect = [("free-mail", 308), ("telecom", 203), ("reseller", 23), ("disposable", 57), ("hosting", 51)];
        assert_eq!(counts, expect);
    }

    #[test]
    fn every_domain_is_in_normal_form_and_no_public_suffix() {
        for entry in builtin() {
            let name = DomainName::parse(entry.domain).unwrap();
            assert_eq!(name.as_str(), entry.domain);
            assert!(!SuffixList::builtin().is_public_suffix(&name), "{name} is shared without this list");
        }
    }

    #[test]
    fn the_list_is_sorted_and_holds_a_domain_once() {
        for pair in builtin().windows(2) {
            assert!(pair[0].domain < pair[1].domain, "{} before {}", pair[0].domain, pair[1].domain);
        }
    }

    #[test]
    fn every_entry_names_its_owner_and_a_source_that_the_readme_explains() {
        let readme = include_str!("../data/README.md");
        for entry in builtin() {
            assert!(!entry.owner.is_empty() && entry.owner.trim() == entry.owner, "{}", entry.domain);
            assert!(readme.contains(&format!("\n| `{}` |", entry.source)), "{}: {}", entry.domain, entry.source);
        }
    }

    #[test]
    fn exactly_a_domain_of_the_list_is_found() {
        for entry in builtin() {
            assert_eq!(find(entry.domain), Some(entry));
        }
        assert_eq!(find("gmail.com").map(|entry| (entry.kind, entry.owner)), Some((SharedKind::FreeMail, "Google")));
        for other in ["x.gmail.com", "com", "", "zzz.example", "acme.example"] {
            assert_eq!(find(other), None, "{other}");
        }
    }

    #[test]
    fn domains_that_companies_use_themselves_are_not_on_the_list() {
        for corporate in ["telekom.de", "comcast.com", "microsoft.com", "google.com", "zendesk.com", "rogers.com"] {
            assert_eq!(find(corporate), None, "{corporate}");
        }
    }
}
