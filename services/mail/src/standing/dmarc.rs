//! DMARC (RFC 7489) of the From domain, and whether what we send is aligned with it.
//!
//! The envelope's sender is always at the From domain, so SPF is aligned; of keys it is asked.

use super::ask::{self, Unanswered};
use super::dkim::{broken_list, tag};
use super::{Finding, Sending, is_aligned, registrable};
use crate::proof::Prover;

const CHECK: &str = "dmarc";

pub(super) async fn look(prover: &Prover, sending: &Sending<'_>) -> Finding {
    let domain = sending.domain;
    let (at, record) = match record(prover, domain).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let next = format!("publish a TXT record at _dmarc.{domain}, for example `v=DMARC1; p=quarantine`");
            return Finding::bad(CHECK, format!("{domain} has no DMARC record, or several"), next);
        }
        Err(unanswered) => return Finding::unanswered(CHECK, &unanswered),
    };
    if let Some(why) = broken_list(&record).or_else(|| broken_value(&record)) {
        let next = "correct it, for example to `v=DMARC1; p=quarantine`";
        return Finding::bad(CHECK, format!("{at} {why}: receivers take no policy from it"), next);
    }
    let Some(policy) = tag(&record, "p") else {
        return Finding::bad(CHECK, format!("{at} has no policy"), "add p=quarantine, p=reject or p=none to it");
    };
    if let Some(unknown) = unknown_policy(&record) {
        return Finding::bad(
            CHECK,
            format!("{at} says {unknown}, a policy that nobody knows: receivers take none from it"),
            "use none, quarantine or reject",
        );
    }
    let strict = tag(&record, "adkim").is_some_and(|mode| mode.eq_ignore_ascii_case("s"));
    let aligned = |signs: &str| if strict { signs.eq_ignore_ascii_case(domain) } else { is_aligned(signs, domain) };
    let mut signs = sending.keys.iter().filter_map(|key| key.name.split_once("._domainkey.")).map(|(_, by)| by);
    if !sending.keys.is_empty() && !signs.any(aligned) {
        return Finding::bad(
            CHECK,
            format!("no key signs for {domain} itself, which {at} wants (adkim=s)"),
            format!("let a key of [[dkim]] sign for {domain}, or publish adkim=r"),
        );
    }
    Finding::good(CHECK, format!("{at} says p={policy}, and envelope and signatures are aligned with {domain}"))
}

/// The first value that its tag cannot have (RFC 7489 6.4). White space stands around a value, never in it.
fn broken_value(record: &str) -> Option<String> {
    record.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let one_of = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        let is_good = match name {
            "p" | "sp" => !value.contains(char::is_whitespace),
            "adkim" | "aspf" => one_of(&["r", "s"]),
            "pct" => value.len() <= 3 && value.parse::<u16>().is_ok_and(|percent| percent <= 100),
            "ri" => value.parse::<u32>().is_ok(),
            "fo" => value.split(':').all(|option| matches!(option.trim(), "0" | "1" | "d" | "D" | "s" | "S")),
            _ => true,
        };
        (!is_good).then(|| format!("says {name}={value}, which it cannot"))
    })
}

/// The first policy that is none (RFC 7489 6.3): of the domain, or of those below.
fn unknown_policy(record: &str) -> Option<String> {
    let known = |policy: &str| ["none", "quarantine", "reject"].iter().any(|known| policy.eq_ignore_ascii_case(known));
    let stated =
        |name: &str| tag(record, name).filter(|policy| !known(policy)).map(|policy| format!("{name}={policy}"));
    ["p", "sp"].into_iter().find_map(stated)
}

/// Of the domain, else of the one it is registered under; with its name.
async fn record(prover: &Prover, domain: &str) -> Result<Option<(String, String)>, Unanswered> {
    for at in [Some(domain.to_owned()), registrable(domain).filter(|above| above != domain)].into_iter().flatten() {
        let name = format!("_dmarc.{at}");
        let mut texts = ask::texts(prover, &name).await?;
        texts.retain(|text| text.split(';').next().is_some_and(|version| version.replace(' ', "") == "v=DMARC1"));
        match (texts.pop(), texts.is_empty()) {
            (Some(record), true) => return Ok(Some((name, record))),
            // Several are none, and nobody looks further up.
            (Some(_), false) => return Ok(None),
            (None, _) => {}
        }
    }
    Ok(None)
}
