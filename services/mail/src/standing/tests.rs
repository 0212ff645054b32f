//! Each thing that receivers look at, good and bad, against a name server that says what is written down here.

use std::net::Ipv4Addr;

use testkit::dns::Zone;

use super::*;
use crate::route::Routes;

const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RELAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

/// Everything as receivers want it.
fn zone() -> Zone {
    let zone = Zone::start().unwrap();
    zone.txt("vendor.example", "v=spf1 ip4:198.51.100.0/24 -all");
    zone.txt("vendor.example", "some-other-service=1");
    zone.txt("s1._domainkey.vendor.example", KEY);
    zone.txt("_dmarc.vendor.example", "v=DMARC1; p=reject");
    zone.a("relay.vendor.example", RELAY);
    zone.ptr(RELAY, "relay.vendor.example");
    zone
}

/// `check result` of each finding after a change.
async fn found(domain: &str, leaves_from: &[IpAddr], change: impl Fn(&Zone)) -> Vec<Finding> {
    let zone = zone();
    change(&zone);
    let prover = Prover::new(&zone.address().to_string()).unwrap();
    let routes = Routes::parse("smtp://relay.vendor.example").unwrap();
    let keys = vec![Record { name: "s1._domainkey.vendor.example".to_owned(), value: KEY.to_owned() }];
    let sending = Sending { domain, hello: domain, keys, routes: routes.all(), leaves_from };
    look(&prover, &sending).await
}

/// Of one check alone after a change: how it stands, and words of what is said.
async fn check(change: impl Fn(&Zone), check: &str, expect: Standing, words: &str) {
    let findings = found("vendor.example", &[], change).await;
    let one = findings.iter().find(|finding| finding.check == check).unwrap();
    assert_eq!(one.result, expect, "{one:?}");
    assert!(one.what.contains(words), "{one:?}");
    assert_eq!(one.next.is_empty(), expect == Standing::Good, "{one:?}");
}

fn again(zone: &Zone, name: &str, text: &str) {
    zone.forget(name);
    zone.txt(name, text);
}

#[tokio::test]
async fn a_sender_that_is_in_order_is_good_in_everything() {
    let findings = found("vendor.example", &[], |_| {}).await;
    assert!(findings.iter().all(|finding| finding.result == Standing::Good), "{findings:?}");
    assert_eq!(findings.iter().map(|f| f.check).collect::<Vec<_>>(), ["spf", "dkim", "dmarc", "reverse-dns"]);
}

#[tokio::test]
async fn spf_is_one_record_that_names_us_and_not_everybody() {
    let spf = |text: &'static str| move |zone: &Zone| again(zone, "vendor.example", text);
    check(|zone| zone.forget("vendor.example"), "spf", Standing::Bad, "has no SPF record").await;
    check(spf("v=spf10 -all"), "spf", Standing::Bad, "has no SPF record").await;
    check(|zone| zone.txt("vendor.example", "v=spf1 -all"), "spf", Standing::Bad, "has 2 SPF records").await;
    check(spf("v=spf1 +all"), "spf", Standing::Bad, "permits every host").await;
    check(spf("v=spf1 ip4:192.0.2.1 ALL"), "spf", Standing::Bad, "permits every host").await;
    for wide in [
        "v=spf1 ip4:0.0.0.0/0 -all",
        "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all",
        "v=spf1 ip4:198.0.0.0/7 -all",
        "v=spf1 +ip6:::/0 ip4:198.51.100.7 -all",
        "v=spf1 a/0 ip4:198.51.100.7 -all",
        "v=spf1 a:relay.vendor.example//3 -all",
        "v=spf1 mx:vendor.example/4 ip4:198.51.100.7 -all",
    ] {
        check(spf(wide), "spf", Standing::Bad, "permits every host").await;
    }
    check(spf("v=spf1 ip4:198.0.0.0/8 ip6:2001:db8::/32 -all"), "spf", Standing::Good, "").await;
    check(spf("v=spf1 ip4:192.0.2.1 ~all"), "spf", Standing::Bad, "does not permit 198.51.100.7").await;
    check(spf("v=spf1 a:relay.vendor.example -all"), "spf", Standing::Good, "1 look-ups").await;
    check(spf("v=spf1 include:gone.example -all"), "spf", Standing::Bad, "includes gone.example").await;
}

#[tokio::test]
async fn a_record_that_receivers_take_for_an_error_is_not_good() {
    let spf = |text: &'static str| move |zone: &Zone| again(zone, "vendor.example", text);
    for (wrong, words) in [
        // Receivers stop at an error even where our address stands before it.
        ("v=spf1 ip4:198.51.100.7 ipv4:192.0.2.1 -all", "`ipv4:192.0.2.1`, which is no mechanism"),
        ("v=spf1 ip4:198.51.100.7/33 -all", "whose prefix is none"),
        ("v=spf1 ip4:198.51.100.7 ip6:2001:db8::/129 -all", "whose prefix is none"),
        ("v=spf1 ip4:198.51.100.300 -all", "which is no address"),
        ("v=spf1 ip4:198.51.100.7 a:relay.vendor.example/33 -all", "whose prefix is none"),
        ("v=spf1 ip4:198.51.100.7 include: -all", "which names no domain"),
        ("v=spf1 ip4:198.51.100.7 all:x -all", "takes nothing"),
        ("v=spf1 ip4:198.51.100.7 exists:%{z}.example -all", "a macro that nobody knows"),
        ("v=spf1 ip4:198.51.100.7 exp=a.example exp=b.example -all", "may stand there once"),
    ] {
        check(spf(wrong), "spf", Standing::Bad, words).await;
        // Also where nobody here knows from which address mail leaves.
        let inside = |zone: &Zone| {
            again(zone, "vendor.example", wrong);
            zone.forget("relay.vendor.example");
            zone.a("relay.vendor.example", Ipv4Addr::new(10, 0, 0, 7));
        };
        check(inside, "spf", Standing::Bad, words).await;
    }
    let included = |zone: &Zone| {
        again(zone, "vendor.example", "v=spf1 ip4:198.51.100.7 include:inner.example -all");
        zone.txt("inner.example", "v=spf1 ip4:192.0.2.1/40 -all");
    };
    check(included, "spf", Standing::Bad, "whose prefix is none").await;
    check(spf("v=spf1 ip4:198.51.100.7 unknown=x exists:%{ir}.%{v}.a.example -all"), "spf", Standing::Good, "").await;
}

#[tokio::test]
async fn terms_that_do_not_count_are_not_held_against_a_record() {
    let spf = |text: &'static str| move |zone: &Zone| again(zone, "vendor.example", text);
    check(spf("v=spf1 ip4:198.51.100.7 redirect=gone.example -all"), "spf", Standing::Good, "0 look-ups").await;
    check(spf("v=spf1 ip4:198.51.100.7 -all include:gone.example ip4:0.0.0.0/0"), "spf", Standing::Good, "0 look-ups")
        .await;
}

#[tokio::test]
async fn three_look_ups_that_find_nothing_are_an_error() {
    let spf = |text: &'static str| move |zone: &Zone| again(zone, "vendor.example", text);
    let two = "v=spf1 a:gone.vendor.example mx:gone.vendor.example ip4:198.51.100.7 -all";
    check(spf(two), "spf", Standing::Good, "2 look-ups").await;
    let three = "v=spf1 a:gone.vendor.example mx:gone.vendor.example exists:lost.vendor.example ip4:198.51.100.7 -all";
    check(spf(three), "spf", Standing::Bad, "find nothing").await;
}

#[tokio::test]
async fn what_is_included_is_not_for_everybody_either() {
    let with = |own: &'static str, included: &'static str| {
        move |zone: &Zone| {
            again(zone, "vendor.example", own);
            zone.txt("inner.example", "v=spf1 redirect=deep.example");
            zone.txt("deep.example", included);
        }
    };
    let including = "v=spf1 ip4:198.51.100.7 include:inner.example -all";
    check(with(including, "v=spf1 +all"), "spf", Standing::Bad, "includes deep.example, which permits every host")
        .await;
    check(with(including, "v=spf1 ip4:0.0.0.0/0 -all"), "spf", Standing::Bad, "permits every host").await;
    let redirecting = "v=spf1 ip4:198.51.100.7 redirect=inner.example";
    check(with(redirecting, "v=spf1 all"), "spf", Standing::Bad, "permits every host").await;
    check(with(including, "v=spf1 ip4:203.0.113.0/24 ~all"), "spf", Standing::Good, "").await;
    let refusing = "v=spf1 ip4:198.51.100.7 ?include:inner.example -all";
    check(with(refusing, "v=spf1 +all"), "spf", Standing::Good, "").await;
}

#[tokio::test]
async fn look_ups_are_counted_over_everything_that_is_included() {
    let with = |inner: usize| {
        move |zone: &Zone| {
            again(zone, "vendor.example", "v=spf1 include:one.example include:two.example ip4:198.51.100.7 -all");
            zone.txt("one.example", &format!("v=spf1 {}", "a:relay.vendor.example ".repeat(inner)));
            zone.txt("two.example", "v=spf1 redirect=three.example");
            zone.txt("three.example", "v=spf1 exists:relay.vendor.example mx -all");
        }
    };
    check(with(5), "spf", Standing::Good, "10 look-ups").await;
    check(with(6), "spf", Standing::Bad, "more than 10 look-ups").await;
    // A record that includes itself has an end.
    let itself = |zone: &Zone| again(zone, "vendor.example", "v=spf1 include:vendor.example -all");
    check(itself, "spf", Standing::Bad, "more than 10 look-ups").await;
}

#[tokio::test]
async fn the_key_that_signs_is_the_one_that_is_published() {
    let name = "s1._domainkey.vendor.example";
    let key = |text: &'static str| move |zone: &Zone| again(zone, name, text);
    check(|zone| zone.forget(name), "dkim", Standing::Bad, "is not published").await;
    check(key("v=DKIM1; k=ed25519; p=AAAA"), "dkim", Standing::Bad, "has another key").await;
    check(key("v=DKIM1; p="), "dkim", Standing::Bad, "is revoked").await;
    check(|zone| zone.txt(name, KEY), "dkim", Standing::Bad, "several records").await;
    const P: &str = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let tags = |tags: &'static str| move |zone: &Zone| again(zone, name, &format!("{tags}; {P}"));
    check(tags("v=DKIM1; k=rsa"), "dkim", Standing::Bad, "says k=rsa").await;
    check(tags("v=DKIM1"), "dkim", Standing::Bad, "says k=rsa").await;
    check(tags("v=DKIM1; k=ed25519; t=s:y"), "dkim", Standing::Bad, "only being tested").await;
    check(tags("v=DKIM1; k=ed25519; t=s"), "dkim", Standing::Good, "").await;
    check(tags("v=DKIM2; k=ed25519"), "dkim", Standing::Bad, "of a version that nobody knows").await;
    check(tags("k=ed25519; v=DKIM1"), "dkim", Standing::Bad, "does not begin with").await;
    check(tags("v=DKIM1; k=ed25519; h=sha1"), "dkim", Standing::Bad, "SHA-256").await;
    check(tags("v=DKIM1; k=ed25519; s=tlsrpt"), "dkim", Standing::Bad, "not for mail").await;
    check(tags("v=DKIM1; k=ed25519; k=rsa"), "dkim", Standing::Bad, "has the tag k twice").await;
    check(tags("v=DKIM1; k=ed25519; note"), "dkim", Standing::Bad, "no tag=value").await;
    check(key("k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hc vPapiMlrwIaaPcHURo="), "dkim", Standing::Good, "").await;
}

#[tokio::test]
async fn dmarc_is_published_and_signatures_are_aligned_as_it_wants() {
    let name = "_dmarc.vendor.example";
    check(|zone| zone.forget(name), "dmarc", Standing::Bad, "has no DMARC record").await;
    check(|zone| again(zone, name, "v=DMARC1; rua=mailto:a@b.example"), "dmarc", Standing::Bad, "no policy").await;
    check(|zone| zone.txt(name, "v=DMARC1; p=none"), "dmarc", Standing::Bad, "or several").await;
    check(|zone| again(zone, name, "v=DMARC1; p=banana"), "dmarc", Standing::Bad, "says p=banana").await;
    check(|zone| again(zone, name, "v=DMARC1; p=reject; sp=maybe"), "dmarc", Standing::Bad, "says sp=maybe").await;
    check(|zone| again(zone, name, "v=DMARC1; p=Reject"), "dmarc", Standing::Good, "").await;
    for (record, words) in [
        ("v=DMARC1; p=none; p=reject", "has the tag p twice"),
        ("v=DMARC1; p=rej ect", "says p=rej ect"),
        ("v=DMARC1; p=reject; pct=999", "says pct=999"),
        ("v=DMARC1; p=reject; adkim=strict", "says adkim=strict"),
        ("v=DMARC1; p=reject; banana", "no tag=value"),
    ] {
        check(move |zone: &Zone| again(zone, name, record), "dmarc", Standing::Bad, words).await;
    }
    let whole = "v=DMARC1 ; p=reject; sp=none; pct=100; ri=86400; fo=1:d; rua=mailto:a@vendor.example!10m ;";
    check(move |zone: &Zone| again(zone, name, whole), "dmarc", Standing::Good, "").await;
    // From is below the domain that signs: fine, unless the domain wants it strict.
    let below = async |record: &'static str| {
        let findings = found("notices.vendor.example", &[], |zone| again(zone, name, record)).await;
        findings.into_iter().find(|finding| finding.check == "dmarc").unwrap().result
    };
    assert_eq!(below("v=DMARC1; p=reject").await, Standing::Good);
    assert_eq!(below("v=DMARC1; p=reject; adkim=s").await, Standing::Bad);
}

#[tokio::test]
async fn an_address_has_a_name_that_leads_back_to_it() {
    let arpa = "7.100.51.198.in-addr.arpa";
    check(|zone| zone.forget(arpa), "reverse-dns", Standing::Bad, "no name that leads back").await;
    let elsewhere = |zone: &Zone| {
        zone.forget(arpa);
        zone.ptr(RELAY, "other.example");
        zone.a("other.example", Ipv4Addr::new(192, 0, 2, 1));
    };
    check(elsewhere, "reverse-dns", Standing::Bad, "no name that leads back").await;
}

#[tokio::test]
async fn where_no_address_is_known_it_is_said_to_be_unknown() {
    let inside = |zone: &Zone| {
        zone.forget("relay.vendor.example");
        zone.a("relay.vendor.example", Ipv4Addr::new(10, 0, 0, 7));
    };
    check(inside, "reverse-dns", Standing::Unknown, "not known here").await;
    check(inside, "spf", Standing::Good, "not known here").await;
    // Unless the configuration says it.
    let named = found("vendor.example", &["192.0.2.99".parse().unwrap()], inside).await;
    let results: Vec<_> = named.iter().map(|finding| finding.result).collect();
    assert_eq!(results, [Standing::Bad, Standing::Good, Standing::Good, Standing::Bad], "{named:?}");
}

#[tokio::test]
async fn what_dns_does_not_answer_is_neither_good_nor_missing() {
    for (name, of) in [
        ("vendor.example", "spf"),
        ("s1._domainkey.vendor.example", "dkim"),
        ("_dmarc.vendor.example", "dmarc"),
        ("7.100.51.198.in-addr.arpa", "reverse-dns"),
    ] {
        check(|zone| zone.fail(name), of, Standing::NotChecked, "could not be checked").await;
    }
}

#[tokio::test]
async fn domains_with_mail_servers_of_one_provider_are_one_receiving_system() {
    let zone = Zone::start().unwrap();
    zone.mx("a.example", 20, "backup.elsewhere.test");
    zone.mx("a.example", 10, "a-example.mail.provider.test");
    zone.mx("b.example", 0, "b-example.mail.provider.test");
    zone.a("c.example", RELAY);
    zone.fail("d.example");
    let prover = Prover::new(&zone.address().to_string()).unwrap();
    let family = async |domain: &'static str| family(&prover, domain).await;
    assert_eq!(family("a.example").await.as_deref(), Some("provider.test"));
    assert_eq!(family("b.example").await.as_deref(), Some("provider.test"));
    assert_eq!(family("c.example").await.as_deref(), Some("c.example"));
    assert_eq!(family("d.example").await, None);
}
