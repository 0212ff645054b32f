//! Which organisation a host belongs to (R3, R4), and the sentence that says why.
//!
//! Does not read the directory: the caller brings what [`Candidates::names_to_look_up`] names. Invariant: the verdict
//! is a function of the host, of what is said about its own suffixes (and those of the domain that an alias stands for),
//! and of the list of public suffixes; the order of claims never matters, and two hosts of one organisation domain never
//! have different verdicts.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use crate::delivery::named;
use crate::domain::DomainName;
use crate::shared::{self, SharedKind};
use crate::suffixes::SuffixList;

named! {
    /// Who says that a tenant has a domain. What stands first beats what stands below it.
    Source {
        /// A person's decision in this incident, who had every claim before their eyes.
        Decided = "decided",
        /// A person's entry in the directory.
        Manual = "manual",
        /// A directory file.
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

named! {
    /// Why a person has to look at a host before anything is sent about it.
    Review {
        /// Several tenants claim the domain.
        SeveralClaims = "several-claims",
        /// A manual entry names one tenant, the imported ones only others.
        ManualImport = "manual-import",
        /// The directory named another tenant until lately.
        OwnerChanged = "owner-changed",
        /// Somebody at the tenant says that it is not theirs.
        Disputed = "disputed",
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
    /// With a manual entry, the tenants whose imported claims the person knew of and set aside.
    pub over: Vec<String>,
    /// With an imported entry that is new, the tenant that the same directory named before.
    pub moved_from: Option<String>,
}

impl Claim {
    /// A plain claim.
    pub fn new(tenant_id: impl Into<String>, source: Source) -> Self {
        Self { tenant_id: tenant_id.into(), source, alias_of: None, over: Vec::new(), moved_from: None }
    }
}

/// What is known about the suffixes of some hosts. Keys are in the normal form of [`DomainName`].
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// Claims by domain.
    pub claims: HashMap<String, Vec<Claim>>,
    /// Domains on the shared list, those of [`shared::builtin`] among them.
    pub shared: Arc<HashSet<String>>,
    /// (domain, tenant): a person said that the domain, and what lies below it, is not that tenant's. A claim to a
    /// longer domain than the rejected one stands.
    pub rejected: HashSet<(String, String)>,
    /// (domain, tenant): somebody at the tenant said so, and nobody has settled it yet.
    pub disputed: HashSet<(String, String)>,
    /// Tenants at which somebody said that nothing is theirs. What a person decided in this incident stands all the same.
    pub denied: HashSet<String>,
}

impl Candidates {
    /// The domains that entries by hand say these are other names of: their suffixes decide too.
    pub fn aliased(&self) -> BTreeSet<&str> {
        self.claims.values().flatten().filter_map(|claim| claim.alias_of.as_deref()).collect()
    }

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
    /// With [`Review::ManualImport`], the tenant that the manual entry names: it beats the import once somebody confirms.
    pub leaning: Option<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why a person has to look; with a conflict only.
    pub review: Option<Review>,
    /// One sentence for the record, with notes behind it.
    pub because: String,
}

/// Decides whose a host is. The longest suffix about which anything is said decides; said by the shared list and by the
/// directory alike, the list wins. A claim to a public suffix is about that very name: below it others register.
pub fn decide(host: &DomainName, candidates: &Candidates, list: &SuffixList) -> Mapping {
    let mut aside = Aside::default();
    match deciding(host, candidates, list, &mut aside) {
        Deciding::List(suffix) => shared_by_list(host, suffix),
        Deciding::Claims(suffix, standing) => {
            let public = list.public_suffix(host);
            Place { host, suffix, public, cut: aside.cut, candidates, list }.claimed(&standing)
        }
        Deciding::Nothing => unclaimed(host, &aside, list),
    }
}

/// Whether a tenant is still among those whose a disputed domain could be: if not, its dispute is settled.
pub fn is_in_question(domain: &DomainName, tenant: &str, candidates: &Candidates, list: &SuffixList) -> bool {
    if decide(domain, candidates, list).verdict != Verdict::Conflict {
        return false;
    }
    match deciding(domain, candidates, list, &mut Aside::default()) {
        Deciding::Claims(_, standing) => tenants(&standing).contains(tenant),
        Deciding::List(_) | Deciding::Nothing => false,
    }
}

/// What decides about a host.
enum Deciding<'h, 'c> {
    /// A name on the shared list.
    List(&'h str),
    /// Claims to a suffix; at least one.
    Claims(&'h str, Vec<&'c Claim>),
    Nothing,
}

fn deciding<'h, 'c>(
    host: &'h DomainName,
    candidates: &'c Candidates,
    list: &SuffixList,
    aside: &mut Aside<'h>,
) -> Deciding<'h, 'c> {
    let public = list.public_suffix(host);
    for suffix in host.suffixes() {
        if candidates.shared.contains(suffix) {
            return Deciding::List(suffix);
        }
        let standing = standing_claims(host, suffix, candidates, aside);
        if standing.is_empty() {
            continue;
        }
        if suffix != host.as_str() && suffix.len() <= public.len() {
            aside.unreached = aside.unreached.or(Some(suffix));
            continue;
        }
        return Deciding::Claims(suffix, standing);
    }
    Deciding::Nothing
}

/// What was said about suffixes of a host and does not count.
#[derive(Default)]
struct Aside<'h> {
    /// Whether rejections took claims away.
    rejected: bool,
    /// The longest domain at which the host was cut off from a shorter one that a tenant claims.
    cut: Option<&'h str>,
    /// A public suffix that somebody claims and the host lies below.
    unreached: Option<&'h str>,
}

/// The claims to a suffix that nobody rejected, at the suffix or at a longer one of the host.
fn standing_claims<'h, 'c>(
    host: &'h DomainName,
    suffix: &str,
    candidates: &'c Candidates,
    aside: &mut Aside<'h>,
) -> Vec<&'c Claim> {
    let mut standing = Vec::new();
    for claim in candidates.claims.get(suffix).map_or(&[][..], Vec::as_slice) {
        let Some(at) = said_at(host, suffix, &claim.tenant_id, &candidates.rejected) else {
            standing.push(claim);
            continue;
        };
        aside.rejected = true;
        if at.len() > suffix.len() && aside.cut.is_none_or(|cut| at.len() > cut.len()) {
            aside.cut = Some(at);
        }
    }
    standing
}

/// The longest suffix of the host, from `suffix` up, about which something was said of the tenant.
fn said_at<'h>(host: &'h DomainName, suffix: &str, tenant: &str, said: &HashSet<(String, String)>) -> Option<&'h str> {
    if said.is_empty() {
        return None;
    }
    let mut from_suffix_up = host.suffixes().take_while(|name| name.len() >= suffix.len());
    from_suffix_up.find(|name| said.contains(&((*name).to_owned(), tenant.to_owned())))
}

fn shared_by_list(host: &DomainName, suffix: &str) -> Mapping {
    let known = shared::find(suffix);
    if known.is_some_and(|known| known.kind == SharedKind::Hosting) && host.as_str() != suffix {
        // The label below names a customer of the service: somebody who has to be told, like below a public suffix.
        let below = host.suffixes().take_while(|name| name.len() > suffix.len()).last().unwrap_or(suffix);
        let because = format!("neither {host} nor {below} stands in the directory; {suffix} belongs to many.");
        return without_tenant(Verdict::Unmapped, below, Confidence::Low, because);
    }
    let what = match known {
        Some(known) => format!("the list of shared domains ({}, {})", known.kind, known.owner),
        None => "this incident's list of shared domains".to_owned(),
    };
    let because = if host.as_str() == suffix {
        format!("{suffix} stands on {what}: it belongs to no single organisation.")
    } else {
        format!("{host} lies under {suffix}, which stands on {what}.")
    };
    Mapping {
        verdict: Verdict::Shared,
        rule: Rule::SharedList,
        organisation_domain: suffix.to_owned(),
        tenant_id: None,
        leaning: None,
        confidence: Confidence::High,
        review: None,
        because,
    }
}

/// Where claims decide about a host.
struct Place<'a> {
    host: &'a DomainName,
    suffix: &'a str,
    public: &'a str,
    cut: Option<&'a str>,
    candidates: &'a Candidates,
    list: &'a SuffixList,
}

impl Place<'_> {
    /// A verdict by the claims to the suffix, which are not empty.
    fn claimed(&self, standing: &[&Claim]) -> Mapping {
        let best = standing.iter().map(|claim| claim.source).min().unwrap_or(Source::Imported);
        let claims: Vec<&Claim> = standing.iter().filter(|claim| claim.source == best).copied().collect();
        let tenants: Vec<&str> = tenants(&claims).into_iter().collect();
        let rule = self.rule(&claims);
        let [tenant] = tenants[..] else {
            let because = format!("{} is claimed by {} tenants: {}.", self.words(), tenants.len(), tenants.join(", "));
            return self.conflict(rule, Review::SeveralClaims, None, because);
        };
        if best == Source::Manual
            && let Some(others) = contradicted(tenant, &claims, standing)
        {
            let because = format!(
                "{} was assigned by hand to tenant {tenant}, and the imported directory names {others}: \
                 nothing is sent until a person confirms it.",
                self.words()
            );
            return self.conflict(rule, Review::ManualImport, Some(tenant), because);
        }
        if rule == Rule::Alias
            && let Some((of, others)) = self.alias_of_others(tenant, &claims)
        {
            let because = format!(
                "{} was entered by hand as another name of {of}, of tenant {tenant}, and {of} is tenant {others}'s now: \
                 nothing is sent until a person confirms it.",
                self.words()
            );
            return self.conflict(rule, Review::ManualImport, Some(tenant), because);
        }
        // A claim that also stands without having moved is old news.
        let moved = claims.iter().map(|claim| claim.moved_from.as_deref()).min().flatten();
        if best == Source::Imported
            && let Some(before) = moved
        {
            let because = format!(
                "{} stands in the directory for tenant {tenant} since lately; before, it was tenant {before}'s: \
                 nothing is sent until a person confirms it or the change has stood for a while.",
                self.words()
            );
            return self.conflict(rule, Review::OwnerChanged, None, because);
        }
        if let Some(at) = said_at(self.host, self.suffix, tenant, &self.candidates.disputed) {
            let because = format!(
                "somebody at tenant {tenant} says that {at} is not theirs: nothing is sent until a person settles it."
            );
            let conflict = self.conflict(rule, Review::Disputed, None, because);
            return Mapping { organisation_domain: at.to_owned(), ..conflict };
        }
        if best != Source::Decided && self.candidates.denied.contains(tenant) {
            let because = format!(
                "{} would be tenant {tenant}'s, where somebody says that nothing is theirs: \
                 nothing is sent until a person settles it.",
                self.words()
            );
            return self.conflict(rule, Review::Disputed, None, because);
        }
        let because = self.sentence(rule, tenant, &claims) + &self.note_on_parents(tenant);
        Mapping {
            verdict: Verdict::Mapped,
            rule,
            organisation_domain: self.organisation_domain(),
            tenant_id: Some(tenant.to_owned()),
            leaning: None,
            confidence: if rule == Rule::Parent { Confidence::Medium } else { Confidence::High },
            review: None,
            because,
        }
    }

    /// Where the domain that an alias stands for has changed hands: that domain, and the tenants who have it. Those whom the
    /// person knew of do not count.
    fn alias_of_others<'c>(&self, tenant: &str, claims: &[&'c Claim]) -> Option<(&'c str, String)> {
        let mut changed: Vec<(&str, String)> = Vec::new();
        for claim in claims {
            let Some(of) = claim.alias_of.as_deref() else { continue };
            let Ok(name) = DomainName::parse(of) else { continue };
            let Deciding::Claims(_, standing) = deciding(&name, self.candidates, self.list, &mut Aside::default())
            else {
                continue;
            };
            let best = standing.iter().map(|claim| claim.source).min();
            let standing: Vec<&Claim> = standing.into_iter().filter(|claim| Some(claim.source) == best).collect();
            let mut others = tenants(&standing);
            if others.contains(tenant) {
                continue;
            }
            others.retain(|other| !claim.over.iter().any(|known| known == other));
            if !others.is_empty() {
                changed.push((of, Vec::from_iter(others).join(", ")));
            }
        }
        // The first in byte order, so that the order of claims does not show.
        changed.into_iter().min()
    }

    fn conflict(&self, rule: Rule, review: Review, leaning: Option<&str>, because: String) -> Mapping {
        Mapping {
            verdict: Verdict::Conflict,
            rule,
            organisation_domain: self.organisation_domain(),
            tenant_id: None,
            leaning: leaning.map(str::to_owned),
            confidence: Confidence::Low,
            review: Some(review),
            because,
        }
    }

    fn organisation_domain(&self) -> String {
        self.cut.unwrap_or(self.suffix).to_owned()
    }

    /// The beginning of a sentence about the suffix.
    fn words(&self) -> String {
        let Self { host, suffix, .. } = self;
        if host.as_str() == *suffix { (*suffix).to_owned() } else { format!("{host} lies under {suffix}, which") }
    }

    fn sentence(&self, rule: Rule, tenant: &str, claims: &[&Claim]) -> String {
        let place = self.words();
        // Of several aliases the first in byte order is named, so that the order of claims does not show.
        match (rule, claims.iter().filter_map(|claim| claim.alias_of.as_deref()).min()) {
            (Rule::Alias, Some(of)) => {
                format!("{place} was entered by hand as another name of {of}, of tenant {tenant}.")
            }
            (Rule::Alias | Rule::Manual, _) => format!("{place} was assigned by hand to tenant {tenant}."),
            (Rule::Exact | Rule::Parent | Rule::PublicSuffix | Rule::SharedList, _) => {
                format!("{place} stands in the directory for tenant {tenant}.")
            }
        }
    }

    /// Where a domain above the deciding one is somebody else's, the reader is told: R4 decides, and nobody overlooks it.
    fn note_on_parents(&self, tenant: &str) -> String {
        let above = self.host.suffixes().skip_while(|name| name.len() >= self.suffix.len());
        for name in above.take_while(|name| name.len() > self.public.len()) {
            let standing = standing_claims(self.host, name, self.candidates, &mut Aside::default());
            let mut others = tenants(&standing);
            others.remove(tenant);
            if !others.is_empty() {
                let others = Vec::from_iter(others).join(", ");
                return format!(" Above it, {name} is tenant {others}'s: the longer name decides (R4).");
            }
        }
        String::new()
    }

    /// A manual entry without an alias says more than one with it, whatever the order.
    fn rule(&self, claims: &[&Claim]) -> Rule {
        let by_hand = |claim: &&Claim| claim.source != Source::Imported;
        if claims.iter().any(|claim| by_hand(claim) && claim.alias_of.is_none()) {
            Rule::Manual
        } else if claims.iter().any(by_hand) {
            Rule::Alias
        } else if self.host.as_str() == self.suffix {
            Rule::Exact
        } else {
            Rule::Parent
        }
    }
}

fn tenants<'c>(claims: &[&'c Claim]) -> BTreeSet<&'c str> {
    claims.iter().map(|claim| claim.tenant_id.as_str()).collect()
}

/// The tenants that imports name in place of the manual entries' one, unless the person knew of each of them.
fn contradicted(tenant: &str, manual: &[&Claim], standing: &[&Claim]) -> Option<String> {
    let imported: Vec<&Claim> = standing.iter().filter(|claim| claim.source == Source::Imported).copied().collect();
    let mut named = tenants(&imported);
    if named.contains(tenant) {
        return None;
    }
    named.retain(|other| !manual.iter().any(|claim| claim.over.iter().any(|known| known == other)));
    if named.is_empty() { None } else { Some(format!("tenant {}", Vec::from_iter(named).join(", "))) }
}

/// A verdict where no claim stands: a public suffix is shared, anything else is unmapped.
fn unclaimed(host: &DomainName, aside: &Aside<'_>, list: &SuffixList) -> Mapping {
    let Some(registrable) = list.registrable(host) else {
        let because = format!("{host} is a public suffix, under which anybody can register a name.");
        return without_tenant(Verdict::Shared, host.as_str(), Confidence::High, because);
    };
    let (domain, because) = if let Some(cut) = aside.cut {
        (cut, format!("{cut} was said by hand not to be the tenant's above it, and nobody else claims it."))
    } else if let Some(suffix) = aside.unreached {
        let because = format!(
            "{suffix} stands in the directory, but is a public suffix: whoever registered {registrable} below it is somebody else."
        );
        (registrable, because)
    } else if aside.rejected {
        (registrable, format!("every claim to {host} or a domain above it was rejected by hand."))
    } else {
        (registrable, format!("neither {host} nor a domain above it stands in the directory."))
    };
    without_tenant(Verdict::Unmapped, domain, Confidence::Low, because)
}

fn without_tenant(verdict: Verdict, domain: &str, confidence: Confidence, because: String) -> Mapping {
    Mapping {
        verdict,
        rule: Rule::PublicSuffix,
        organisation_domain: domain.to_owned(),
        tenant_id: None,
        leaning: None,
        confidence,
        review: None,
        because,
    }
}

#[cfg(test)]
mod tests;
