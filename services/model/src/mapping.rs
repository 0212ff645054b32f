//! Which organisation a host belongs to (R3, R4), and the sentence that says why.
//!
//! Does not read the directory: the caller brings what [`Candidates::names_to_look_up`] names. Invariant: the verdict
//! is a function of the host and of what is said about its own suffixes; the order of claims never matters, and two
//! hosts of one organisation domain never have different verdicts.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::delivery::named;
use crate::domain::DomainName;

named! {
    /// Who says that a tenant has a domain.
    Source {
        /// A person, or a person's decision in an incident. Beats an import.
        Manual = "manual",
        /// The directory file.
        Imported = "imported",
    }
}

named! {
    /// Whose a host is.
    Verdict {
        /// One tenant's.
        Mapped = "mapped",
        /// Somebody's whom the directory does not know: a work list.
        Unmapped = "unmapped",
        /// Nobody's: free mail, resellers, public suffixes.
        Shared = "shared",
        /// Several tenants claim it: never mapped, a work list.
        Conflict = "conflict",
    }
}

named! {
    /// What decided.
    Rule {
        /// The host itself stands in the directory.
        Exact = "exact",
        /// A domain above it stands in the directory.
        Parent = "parent",
        /// A manual entry names it as another name of a domain.
        Alias = "alias",
        /// A manual entry.
        Manual = "manual",
        /// The Public Suffix List.
        PublicSuffix = "public-suffix",
        /// The list of shared domains.
        SharedList = "shared-list",
    }
}

named! {
    /// How sure the verdict is.
    Confidence {
        /// A file or a person says so about this very domain, or about a list it is on.
        High = "high",
        /// It follows from the domain above.
        Medium = "medium",
        /// Somebody has to look.
        Low = "low",
    }
}

/// One tenant's claim to a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// Whose it is said to be.
    pub tenant_id: String,
    /// Who says so.
    pub source: Source,
    /// With a manual alias, the domain it is another name of.
    pub alias_of: Option<String>,
}

/// What is known about the suffixes of some hosts. Keys are in the normal form of [`DomainName`].
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// Claims by domain.
    pub claims: HashMap<String, Vec<Claim>>,
    /// Domains on the shared list.
    pub shared: HashSet<String>,
    /// (domain, tenant): a person said that the domain, and what lies below it, is not that tenant's. A claim to a
    /// longer domain than the rejected one stands.
    pub rejected: HashSet<(String, String)>,
}

impl Candidates {
    /// The domains whose claims and list entries decide about a host: all its suffixes, longest first.
    pub fn names_to_look_up(host: &DomainName) -> impl Iterator<Item = &str> {
        host.suffixes()
    }
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// Whose the host is.
    pub verdict: Verdict,
    /// What decided.
    pub rule: Rule,
    /// The domain that the host's rows count under.
    pub organisation_domain: String,
    /// The tenant, when mapped.
    pub tenant_id: Option<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// One sentence for the record.
    pub because: String,
}

/// Decides whose a host is. The longest suffix about which anything is said decides; said by the list and by the
/// directory alike, the list wins.
pub fn decide(host: &DomainName, candidates: &Candidates) -> Mapping {
    let mut rejections = Rejections::default();
    for suffix in host.suffixes() {
        if candidates.shared.contains(suffix) {
            return shared_by_list(host, suffix);
        }
        let standing = standing_claims(host, suffix, candidates, &mut rejections);
        if !standing.is_empty() {
            return claimed(host, suffix, rejections.cut.unwrap_or(suffix), &standing);
        }
    }
    unclaimed(host, &rejections)
}

/// Domains of free mail that are known without configuration, in normal form.
pub fn builtin_shared_domains() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../data/shared-domains.txt").lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What rejections did to the claims that were looked at.
#[derive(Default)]
struct Rejections<'h> {
    /// Whether they took any away.
    any: bool,
    /// The longest domain at which the host was cut off from a shorter one that a tenant claims.
    cut: Option<&'h str>,
}

/// The claims to a suffix that nobody rejected, at the suffix or at a longer one of the host; of the best source.
fn standing_claims<'h, 'c>(
    host: &'h DomainName,
    suffix: &str,
    candidates: &'c Candidates,
    rejections: &mut Rejections<'h>,
) -> Vec<&'c Claim> {
    let mut standing = Vec::new();
    for claim in candidates.claims.get(suffix).map_or(&[][..], Vec::as_slice) {
        let Some(at) = rejected_at(host, suffix, &claim.tenant_id, candidates) else {
            standing.push(claim);
            continue;
        };
        rejections.any = true;
        if at.len() > suffix.len() && rejections.cut.is_none_or(|cut| at.len() > cut.len()) {
            rejections.cut = Some(at);
        }
    }
    if standing.iter().any(|claim| claim.source == Source::Manual) {
        standing.retain(|claim| claim.source == Source::Manual);
    }
    standing
}

/// The longest suffix of the host, from `suffix` up, that was said not to be the tenant's.
fn rejected_at<'h>(host: &'h DomainName, suffix: &str, tenant_id: &str, candidates: &Candidates) -> Option<&'h str> {
    if candidates.rejected.is_empty() {
        return None;
    }
    let mut from_suffix_up = host.suffixes().take_while(|name| name.len() >= suffix.len());
    from_suffix_up.find(|name| candidates.rejected.contains(&((*name).to_owned(), tenant_id.to_owned())))
}

fn shared_by_list(host: &DomainName, suffix: &str) -> Mapping {
    let because = if host.as_str() == suffix {
        format!("{suffix} stands on the list of shared domains, which belong to no single organisation.")
    } else {
        format!("{host} lies under {suffix}, which stands on the list of shared domains.")
    };
    Mapping {
        verdict: Verdict::Shared,
        rule: Rule::SharedList,
        organisation_domain: suffix.to_owned(),
        tenant_id: None,
        confidence: Confidence::High,
        because,
    }
}

/// A verdict by claims to `suffix`, which are not empty and of one source.
fn claimed(host: &DomainName, suffix: &str, organisation_domain: &str, claims: &[&Claim]) -> Mapping {
    let tenants: BTreeSet<&str> = claims.iter().map(|claim| claim.tenant_id.as_str()).collect();
    let rule = rule(host, suffix, claims);
    let place = if host.as_str() == suffix { suffix.to_owned() } else { format!("{host} lies under {suffix}, which") };
    let names: Vec<&str> = tenants.into_iter().collect();
    let [tenant] = names[..] else {
        return Mapping {
            verdict: Verdict::Conflict,
            rule,
            organisation_domain: organisation_domain.to_owned(),
            tenant_id: None,
            confidence: Confidence::Low,
            because: format!("{place} is claimed by {} tenants: {}.", names.len(), names.join(", ")),
        };
    };
    // Of several aliases the first in byte order is named, so that the order of claims does not show.
    let because = match (rule, claims.iter().filter_map(|claim| claim.alias_of.as_deref()).min()) {
        (Rule::Alias, Some(of)) => format!("{place} was entered by hand as another name of {of}, of tenant {tenant}."),
        (Rule::Alias | Rule::Manual, _) => format!("{place} was assigned by hand to tenant {tenant}."),
        (Rule::Exact | Rule::Parent | Rule::PublicSuffix | Rule::SharedList, _) => {
            format!("{place} stands in the directory for tenant {tenant}.")
        }
    };
    Mapping {
        verdict: Verdict::Mapped,
        rule,
        organisation_domain: organisation_domain.to_owned(),
        tenant_id: Some(tenant.to_owned()),
        confidence: if rule == Rule::Parent { Confidence::Medium } else { Confidence::High },
        because,
    }
}

/// A manual entry without an alias says more than one with it, whatever the order.
fn rule(host: &DomainName, suffix: &str, claims: &[&Claim]) -> Rule {
    let is_manual = |claim: &&Claim| claim.source == Source::Manual;
    if claims.iter().any(|claim| is_manual(claim) && claim.alias_of.is_none()) {
        Rule::Manual
    } else if claims.iter().any(is_manual) {
        Rule::Alias
    } else if host.as_str() == suffix {
        Rule::Exact
    } else {
        Rule::Parent
    }
}

/// A verdict where no claim stands: a public suffix is shared, anything else is unmapped.
fn unclaimed(host: &DomainName, rejections: &Rejections<'_>) -> Mapping {
    let (verdict, organisation_domain, confidence, because) = match (host.registrable(), rejections.cut) {
        (None, _) => {
            let because = format!("{host} is a public suffix, under which anybody can register a name.");
            (Verdict::Shared, host.as_str(), Confidence::High, because)
        }
        (Some(_), Some(cut)) => {
            let because = format!("{cut} was said by hand not to be the tenant's above it, and nobody else claims it.");
            (Verdict::Unmapped, cut, Confidence::Low, because)
        }
        (Some(registrable), None) if rejections.any => {
            let because = format!("every claim to {host} or a domain above it was rejected by hand.");
            (Verdict::Unmapped, registrable, Confidence::Low, because)
        }
        (Some(registrable), None) => {
            let because = format!("neither {host} nor a domain above it stands in the directory.");
            (Verdict::Unmapped, registrable, Confidence::Low, because)
        }
    };
    let organisation_domain = organisation_domain.to_owned();
    Mapping { verdict, rule: Rule::PublicSuffix, organisation_domain, tenant_id: None, confidence, because }
}

#[cfg(test)]
mod tests;
