//! Verdicts by R3 and R4.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn decide(host: &DomainName, candidates: &Candidates) -> Mapping {
    super::decide(host, candidates, SuffixList::builtin())
}

fn imported(tenant: &str) -> Claim {
    Claim::new(tenant, Source::Imported)
}

fn manual(tenant: &str) -> Claim {
    Claim::new(tenant, Source::Manual)
}

fn decided(tenant: &str) -> Claim {
    Claim::new(tenant, Source::Decided)
}

fn moved(tenant: &str, from: &str) -> Claim {
    Claim { moved_from: Some(from.to_owned()), ..imported(tenant) }
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
    Arc::make_mut(&mut candidates.shared).insert(domain.to_owned());
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
}

#[test]
fn whoever_has_a_public_suffix_has_not_what_others_register_below_it() {
    let known = directory(&[
        ("github.io", imported("t-1")),
        ("amazonaws.com", imported("t-2")),
        ("co.uk", manual("t-3")),
        ("acme.co.uk", imported("t-4")),
    ]);
    check("me.github.io", &known, "unmapped public-suffix me.github.io - low");
    check("pages.me.github.io", &known, "unmapped public-suffix me.github.io - low");
    check("bucket.s3.amazonaws.com", &known, "unmapped public-suffix bucket.s3.amazonaws.com - low");
    check("s3.amazonaws.com", &known, "shared public-suffix s3.amazonaws.com - high");
    check("aws.amazonaws.com", &known, "mapped parent amazonaws.com t-2 medium");
    check("other.co.uk", &known, "unmapped public-suffix other.co.uk - low");
    check("mail.acme.co.uk", &known, "mapped parent acme.co.uk t-4 medium");
    let because = decide(&name("me.github.io"), &known).because;
    assert_eq!(
        because,
        "github.io stands in the directory, but is a public suffix: whoever registered me.github.io below it is somebody else."
    );
}

#[test]
fn a_decision_in_the_incident_beats_everything_at_its_suffix() {
    let known = directory(&[
        ("acme.example", imported("t-1")),
        ("acme.example", manual("t-2")),
        ("acme.example", decided("t-3")),
        ("lab.acme.example", moved("t-4", "t-5")),
        ("lab.acme.example", decided("t-5")),
    ]);
    check("acme.example", &known, "mapped manual acme.example t-3 high");
    check("x.lab.acme.example", &known, "mapped manual lab.acme.example t-5 high");
}

#[test]
fn a_manual_entry_against_the_import_waits_for_a_person_and_says_whom_it_names() {
    let known = directory(&[("acme.example", imported("t-1")), ("acme.example", manual("t-2"))]);
    check("mail.acme.example", &known, "conflict manual acme.example - low");
    let mapping = decide(&name("acme.example"), &known);
    assert_eq!((mapping.review, mapping.leaning.as_deref()), (Some(Review::ManualImport), Some("t-2")));
    assert!(mapping.because.contains("tenant t-2, and the imported directory names tenant t-1"), "{}", mapping.because);
    let knowing = Claim { over: vec!["t-1".to_owned()], ..manual("t-2") };
    let known = directory(&[("acme.example", imported("t-1")), ("acme.example", knowing.clone())]);
    check("acme.example", &known, "mapped manual acme.example t-2 high");
    // What the person did not know of is a contradiction again.
    let known = directory(&[("acme.example", imported("t-3")), ("acme.example", knowing)]);
    check("acme.example", &known, "conflict manual acme.example - low");
}

#[test]
fn a_manual_entry_settles_a_conflict_of_imports_that_name_its_tenant() {
    let known = directory(&[
        ("acme.example", imported("t-1")),
        ("acme.example", imported("t-2")),
        ("acme.example", manual("t-2")),
    ]);
    check("acme.example", &known, "mapped manual acme.example t-2 high");
}

#[test]
fn a_domain_that_changed_hands_lately_waits_for_a_person() {
    let known = directory(&[("acme.example", moved("t-2", "t-1"))]);
    check("mail.acme.example", &known, "conflict parent acme.example - low");
    let mapping = decide(&name("acme.example"), &known);
    assert_eq!(mapping.review, Some(Review::OwnerChanged));
    assert!(mapping.because.contains("before, it was tenant t-1's"), "{}", mapping.because);
    let also_old = directory(&[("acme.example", moved("t-2", "t-1")), ("acme.example", imported("t-2"))]);
    check("acme.example", &also_old, "mapped exact acme.example t-2 high");
}

#[test]
fn what_somebody_says_is_not_theirs_waits_for_a_person() {
    let mut known = directory(&[("acme.example", imported("t-1")), ("other.example", imported("t-1"))]);
    known.disputed.insert(("acme.example".to_owned(), "t-1".to_owned()));
    check("mail.acme.example", &known, "conflict parent acme.example - low");
    check("other.example", &known, "mapped exact other.example t-1 high");
    assert_eq!(decide(&name("acme.example"), &known).review, Some(Review::Disputed));
    let mut below = directory(&[("acme.example", imported("t-1"))]);
    below.disputed.insert(("lab.acme.example".to_owned(), "t-1".to_owned()));
    check("x.lab.acme.example", &below, "conflict parent lab.acme.example - low");
    check("acme.example", &below, "mapped exact acme.example t-1 high");
}

#[test]
fn a_parent_of_another_tenant_is_told_as_a_note() {
    let known = directory(&[("acme.example", imported("t-1")), ("lab.acme.example", imported("t-2"))]);
    let because = decide(&name("lab.acme.example"), &known).because;
    assert_eq!(
        because,
        "lab.acme.example stands in the directory for tenant t-2. \
         Above it, acme.example is tenant t-1's: the longer name decides (R4)."
    );
    let same = directory(&[("acme.example", imported("t-2")), ("lab.acme.example", imported("t-2"))]);
    assert!(!decide(&name("lab.acme.example"), &same).because.contains("R4"));
}

#[test]
fn a_customer_of_a_hosting_service_is_somebody_and_the_service_s_own_name_is_nobody() {
    let known = sharing(directory(&[("acme.onmicrosoft.com", imported("t-1"))]), "onmicrosoft.com");
    check("acme.onmicrosoft.com", &known, "mapped exact acme.onmicrosoft.com t-1 high");
    check("x.beta.onmicrosoft.com", &known, "unmapped public-suffix beta.onmicrosoft.com - low");
    check("onmicrosoft.com", &known, "shared shared-list onmicrosoft.com - high");
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
        ("acme.example", imported("t-2")),
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
fn an_alias_waits_once_its_domain_is_anothers() {
    let known = directory(&[("al.example", alias("t-1", "acme.example")), ("acme.example", imported("t-1"))]);
    check("www.al.example", &known, "mapped alias al.example t-1 high");
    let moved = directory(&[("acme.example", imported("t-2")), ("al.example", alias("t-1", "acme.example"))]);
    check("www.al.example", &moved, "conflict alias al.example - low");
    let got = decide(&name("al.example"), &moved);
    assert_eq!((got.review, got.leaning.as_deref()), (Some(Review::ManualImport), Some("t-1")));
    assert_eq!(
        got.because,
        "al.example was entered by hand as another name of acme.example, of tenant t-1, and acme.example is tenant \
         t-2's now: nothing is sent until a person confirms it."
    );
}

#[test]
fn an_alias_stands_where_its_domain_is_nobody_s_or_the_person_knew_whose_it_is() {
    check(
        "al.example",
        &directory(&[("al.example", alias("t-1", "acme.example"))]),
        "mapped alias al.example t-1 high",
    );
    let both = directory(&[
        ("al.example", alias("t-1", "acme.example")),
        ("acme.example", imported("t-1")),
        ("acme.example", imported("t-2")),
    ]);
    check("al.example", &both, "mapped alias al.example t-1 high");
    let knew = Claim { over: vec!["t-2".to_owned()], ..alias("t-1", "acme.example") };
    let known = directory(&[("al.example", knew), ("acme.example", imported("t-2"))]);
    check("al.example", &known, "mapped alias al.example t-1 high");
}

#[test]
fn whoever_denied_all_gets_only_what_a_person_decided() {
    let mut known = directory(&[("acme.example", imported("t-1")), ("sure.example", decided("t-1"))]);
    known.denied.insert("t-1".to_owned());
    check("acme.example", &known, "conflict exact acme.example - low");
    assert_eq!(decide(&name("acme.example"), &known).review, Some(Review::Disputed));
    check("sure.example", &known, "mapped manual sure.example t-1 high");
}

#[test]
fn a_dispute_is_settled_once_the_domain_cannot_be_theirs() {
    let in_question = |claims: &[(&str, Claim)]| {
        let mut known = directory(claims);
        known.disputed.insert(("acme.example".to_owned(), "t-1".to_owned()));
        is_in_question(&name("acme.example"), "t-1", &known, SuffixList::builtin())
    };
    let (one, other) = (("acme.example", imported("t-1")), ("acme.example", imported("t-2")));
    assert!(in_question(std::slice::from_ref(&one)));
    assert!(in_question(&[one.clone(), other.clone()]), "a conflict in which they are named");
    assert!(in_question(&[one.clone(), ("acme.example", manual("t-2"))]), "nobody has confirmed it");
    assert!(in_question(&[("example", imported("t-2")), one]));
    assert!(!in_question(&[]), "nobody's");
    assert!(!in_question(&[other]), "another's");
    assert!(!in_question(&[("acme.example", moved("t-2", "t-1"))]), "another's since lately");
    let over = Claim { over: vec!["t-1".to_owned()], ..manual("t-2") };
    assert!(!in_question(&[("acme.example", imported("t-1")), ("acme.example", over)]));
}

/// Names of few labels over few letters, so that they meet.
fn host() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b"]), 1..4).prop_map(|labels| labels.join(".") + ".example")
}

fn claim() -> impl Strategy<Value = Claim> {
    (prop::sample::select(vec!["t-1", "t-2"]), 0..6).prop_map(|(tenant, kind)| match kind {
        0 => imported(tenant),
        1 => manual(tenant),
        2 => decided(tenant),
        3 => moved(tenant, "t-3"),
        4 => Claim { over: vec!["t-1".to_owned()], ..manual(tenant) },
        _ => alias(tenant, "b.example"),
    })
}

fn world() -> impl Strategy<Value = (Vec<(String, Claim)>, Candidates)> {
    let shared = prop::collection::hash_set(host(), 0..2);
    let rejected =
        prop::collection::hash_set((host(), prop::sample::select(vec!["t-1".to_owned(), "t-2".to_owned()])), 0..4);
    let disputed =
        prop::collection::hash_set((host(), prop::sample::select(vec!["t-1".to_owned(), "t-2".to_owned()])), 0..2);
    let denied = prop::collection::hash_set(prop::sample::select(vec!["t-1".to_owned(), "t-2".to_owned()]), 0..2);
    (prop::collection::vec((host(), claim()), 0..6), shared, rejected, disputed, denied).prop_map(
        |(claims, shared, rejected, disputed, denied)| {
            let known = Candidates { shared: Arc::new(shared), rejected, disputed, denied, ..Candidates::default() };
            let known = claims.iter().cloned().fold(known, with);
            (claims, known)
        },
    )
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
        prop_assume!(!name(&host).suffixes().chain(name("b.example").suffixes()).any(|suffix| suffix == other));
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
        prop_assert_eq!(mapping.verdict == Verdict::Conflict, mapping.review.is_some());
    }

    #[test]
    fn only_what_was_to_be_looked_up_is_looked_at((_, known) in world(), host in host()) {
        let host = name(&host);
        let asked: HashSet<&str> = Candidates::names_to_look_up(&host).collect();
        let mut narrow = known.clone();
        narrow.claims.retain(|domain, _| asked.contains(domain.as_str()));
        let aliased: Vec<DomainName> = narrow.aliased().into_iter().map(name).collect();
        let asked: HashSet<&str> = asked.into_iter().chain(aliased.iter().flat_map(Candidates::names_to_look_up)).collect();
        let mut narrow = known.clone();
        narrow.claims.retain(|domain, _| asked.contains(domain.as_str()));
        Arc::make_mut(&mut narrow.shared).retain(|domain| asked.contains(domain.as_str()));
        narrow.disputed.retain(|(domain, _)| asked.contains(domain.as_str()));
        narrow.rejected.retain(|(domain, _)| asked.contains(domain.as_str()));
        prop_assert_eq!(decide(&host, &known), decide(&host, &narrow));
    }
}
