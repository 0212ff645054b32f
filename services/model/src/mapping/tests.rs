//! Verdicts by R3 and R4.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn imported(tenant: &str) -> Claim {
    Claim { tenant_id: tenant.to_owned(), source: Source::Imported, alias_of: None }
}

fn manual(tenant: &str) -> Claim {
    Claim { source: Source::Manual, ..imported(tenant) }
}

fn alias(tenant: &str, of: &str) -> Claim {
    Claim { alias_of: Some(of.to_owned()), ..manual(tenant) }
}

fn directory(claims: &[(&str, Claim)]) -> Candidates {
    let mut candidates = Candidates::default();
    for (domain, claim) in claims {
        candidates.claims.entry((*domain).to_owned()).or_default().push(claim.clone());
    }
    candidates
}

fn sharing(mut candidates: Candidates, domain: &str) -> Candidates {
    candidates.shared.insert(domain.to_owned());
    candidates
}

fn rejecting(mut candidates: Candidates, domain: &str, tenant: &str) -> Candidates {
    candidates.rejected.insert((domain.to_owned(), tenant.to_owned()));
    candidates
}

/// `expect` is "verdict rule organisation-domain tenant confidence".
fn check(host: &str, candidates: &Candidates, expect: &str) {
    let got = decide(&name(host), candidates);
    let tenant = got.tenant_id.as_deref().unwrap_or("-");
    let line = format!("{} {} {} {tenant} {}", got.verdict, got.rule, got.organisation_domain, got.confidence);
    assert_eq!(line, expect, "{host}: {}", got.because);
}

#[test]
fn the_longest_suffix_in_the_directory_decides() {
    let known = directory(&[("acme.example", imported("t-1")), ("lab.acme.example", imported("t-2"))]);
    check("acme.example", &known, "mapped exact acme.example t-1 high");
    check("mail.acme.example", &known, "mapped parent acme.example t-1 medium");
    check("x.lab.acme.example", &known, "mapped parent lab.acme.example t-2 medium");
    check("notacme.example", &known, "unmapped public-suffix notacme.example - low");
}

#[test]
fn what_the_directory_lacks_counts_under_its_registrable_domain() {
    check("a.b.acme.co.uk", &Candidates::default(), "unmapped public-suffix acme.co.uk - low");
    check("a.b.acme.example", &Candidates::default(), "unmapped public-suffix acme.example - low");
}

#[test]
fn a_public_suffix_is_shared_unless_the_directory_has_it() {
    check("co.uk", &Candidates::default(), "shared public-suffix co.uk - high");
    check("github.io", &Candidates::default(), "shared public-suffix github.io - high");
    let known = directory(&[("github.io", imported("t-1"))]);
    check("github.io", &known, "mapped exact github.io t-1 high");
    check("me.github.io", &known, "mapped parent github.io t-1 medium");
}

#[test]
fn the_shared_list_matches_whole_labels_and_yields_to_a_longer_name_only() {
    let known = sharing(
        directory(&[("acme.mail.example", imported("t-1")), ("mail.example", imported("t-2"))]),
        "mail.example",
    );
    check("mail.example", &known, "shared shared-list mail.example - high");
    check("x.mail.example", &known, "shared shared-list mail.example - high");
    check("acme.mail.example", &known, "mapped exact acme.mail.example t-1 high");
    check("hotmail.example", &known, "unmapped public-suffix hotmail.example - low");
    let longer_list = sharing(directory(&[("acme.example", imported("t-1"))]), "free.acme.example");
    check("x.free.acme.example", &longer_list, "shared shared-list free.acme.example - high");
}

#[test]
fn a_manual_entry_beats_imported_ones_at_the_same_suffix_only() {
    let known = directory(&[
        ("acme.example", imported("t-1")),
        ("acme.example", manual("t-2")),
        ("lab.acme.example", imported("t-3")),
    ]);
    check("acme.example", &known, "mapped manual acme.example t-2 high");
    check("lab.acme.example", &known, "mapped exact lab.acme.example t-3 high");
}

#[test]
fn an_alias_keeps_its_own_domain_and_says_what_it_stands_for() {
    let known = directory(&[("acme-group.example", alias("t-1", "acme.example"))]);
    check("mail.acme-group.example", &known, "mapped alias acme-group.example t-1 high");
    let because = decide(&name("acme-group.example"), &known).because;
    assert_eq!(because, "acme-group.example was entered by hand as another name of acme.example, of tenant t-1.");
}

#[test]
fn several_tenants_at_one_suffix_are_a_conflict() {
    let known = directory(&[("acme.example", imported("t-2")), ("acme.example", imported("t-1"))]);
    check("mail.acme.example", &known, "conflict parent acme.example - low");
    let because = decide(&name("acme.example"), &known).because;
    assert_eq!(because, "acme.example is claimed by 2 tenants: t-1, t-2.");
    let same = directory(&[("acme.example", imported("t-1")), ("acme.example", imported("t-1"))]);
    check("acme.example", &same, "mapped exact acme.example t-1 high");
    let by_hand = directory(&[("acme.example", manual("t-2")), ("acme.example", manual("t-1"))]);
    check("acme.example", &by_hand, "conflict manual acme.example - low");
}

#[test]
fn a_rejected_tenant_is_out_at_that_domain_and_below() {
    let known = directory(&[("acme.example", imported("t-1")), ("lab.acme.example", imported("t-1"))]);
    let known = rejecting(known, "acme.example", "t-1");
    check("acme.example", &known, "unmapped public-suffix acme.example - low");
    check("mail.acme.example", &known, "unmapped public-suffix acme.example - low");
    check("lab.acme.example", &known, "mapped exact lab.acme.example t-1 high");
}

#[test]
fn a_rejection_settles_a_conflict() {
    let known = directory(&[("acme.example", imported("t-1")), ("acme.example", imported("t-2"))]);
    check("acme.example", &rejecting(known, "acme.example", "t-2"), "mapped exact acme.example t-1 high");
}

#[test]
fn a_host_below_the_directory_s_domain_can_be_cut_off() {
    let known = rejecting(directory(&[("acme.example", imported("t-1"))]), "guest.acme.example", "t-1");
    check("x.guest.acme.example", &known, "unmapped public-suffix guest.acme.example - low");
    check("acme.example", &known, "mapped exact acme.example t-1 high");
}

#[test]
fn the_builtin_list_is_in_normal_form_and_without_doubles() {
    let all: Vec<&str> = builtin_shared_domains().collect();
    let distinct: BTreeSet<&str> = all.iter().copied().collect();
    assert!(all.len() >= 60);
    assert_eq!(all.len(), distinct.len());
    for domain in all {
        assert_eq!(name(domain).as_str(), domain);
        assert!(!name(domain).is_public_suffix(), "{domain}");
    }
}

/// Names of few labels over few letters, so that they meet.
fn host() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b"]), 1..4).prop_map(|labels| labels.join(".") + ".example")
}

fn claim() -> impl Strategy<Value = Claim> {
    (prop::sample::select(vec!["t-1", "t-2"]), 0..3).prop_map(|(tenant, kind)| match kind {
        0 => imported(tenant),
        1 => manual(tenant),
        _ => alias(tenant, "b.example"),
    })
}

fn world() -> impl Strategy<Value = (Vec<(String, Claim)>, Candidates)> {
    let shared = prop::collection::hash_set(host(), 0..2);
    let rejected =
        prop::collection::hash_set((host(), prop::sample::select(vec!["t-1".to_owned(), "t-2".to_owned()])), 0..4);
    (prop::collection::vec((host(), claim()), 0..6), shared, rejected).prop_map(|(claims, shared, rejected)| {
        let known = Candidates { claims: HashMap::new(), shared, rejected };
        let known = claims.iter().cloned().fold(known, with);
        (claims, known)
    })
}

fn with(mut candidates: Candidates, (domain, claim): (String, Claim)) -> Candidates {
    candidates.claims.entry(domain).or_default().push(claim);
    candidates
}

proptest! {
    #[test]
    fn the_order_of_claims_never_matters((claims, known) in world(), host in host()) {
        let mut turned = Candidates { claims: HashMap::new(), ..known.clone() };
        for claim in claims.into_iter().rev() {
            turned = with(turned, claim);
        }
        prop_assert_eq!(decide(&name(&host), &known), decide(&name(&host), &turned));
    }

    #[test]
    fn an_unrelated_row_changes_no_verdict((_, known) in world(), host in host(), other in host(), claim in claim()) {
        prop_assume!(!name(&host).suffixes().any(|suffix| suffix == other));
        let more = with(known.clone(), (other, claim));
        prop_assert_eq!(decide(&name(&host), &known), decide(&name(&host), &more));
    }

    #[test]
    fn hosts_of_one_organisation_domain_have_its_verdict((_, known) in world(), host in host()) {
        let mapping = decide(&name(&host), &known);
        let of_domain = decide(&name(&mapping.organisation_domain), &known);
        prop_assert_eq!(
            (mapping.verdict, &mapping.tenant_id, &mapping.organisation_domain),
            (of_domain.verdict, &of_domain.tenant_id, &of_domain.organisation_domain)
        );
        prop_assert!(name(&host).suffixes().any(|suffix| suffix == mapping.organisation_domain));
        prop_assert_eq!(mapping.verdict == Verdict::Mapped, mapping.tenant_id.is_some());
    }

    #[test]
    fn only_what_was_to_be_looked_up_is_looked_at((_, known) in world(), host in host()) {
        let host = name(&host);
        let asked: HashSet<&str> = Candidates::names_to_look_up(&host).collect();
        let mut narrow = known.clone();
        narrow.claims.retain(|domain, _| asked.contains(domain.as_str()));
        narrow.shared.retain(|domain| asked.contains(domain.as_str()));
        narrow.rejected.retain(|(domain, _)| asked.contains(domain.as_str()));
        prop_assert_eq!(decide(&host, &known), decide(&host, &narrow));
    }
}
