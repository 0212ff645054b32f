//! SPF (RFC 7208) of the envelope's sender: one record, not for everybody, few enough look-ups, and our addresses in it.
//!
//! Evaluates no record (mail-auth does). Invariant: look-ups are counted, and terms that let everybody pass are found, over
//! everything that is included.

mod terms;

use std::net::IpAddr;

use mail_auth::SpfResult;
use mail_auth::spf::verify::SpfParameters;

use super::ask::{self, Seen, Unanswered};
use super::{Finding, Sending};
use crate::proof::Prover;

const CHECK: &str = "spf";
/// RFC 7208 4.6.4, as are the next two.
const MOST_LOOKUPS: usize = 10;
/// Look-ups that find nothing.
const MOST_VOID: usize = 2;
/// Mail servers of one domain.
const MOST_EXCHANGES: usize = 10;
/// A net with a shorter prefix is nobody's alone: no allocation to one network is larger.
const SHORTEST_PREFIX: (u8, u8) = (8, 16);

/// What is wrong with a record.
enum Flaw {
    Unanswered(Unanswered),
    Bad { what: String, next: String },
}

impl From<Unanswered> for Flaw {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

fn flaw(what: impl Into<String>, next: impl Into<String>) -> Flaw {
    Flaw::Bad { what: what.into(), next: next.into() }
}

pub(super) async fn look(prover: &Prover, sending: &Sending<'_>, seen: &Seen) -> Finding {
    match record(prover, sending, seen).await {
        Ok(what) => Finding::good(CHECK, what),
        Err(Flaw::Unanswered(unanswered)) => Finding::unanswered(CHECK, &unanswered),
        Err(Flaw::Bad { what, next }) => Finding::bad(CHECK, what, next),
    }
}

async fn record(prover: &Prover, sending: &Sending<'_>, seen: &Seen) -> Result<String, Flaw> {
    let domain = sending.domain;
    let own = one_record(prover, domain).await?;
    if let Some(term) = passes_everybody(&own) {
        return Err(flaw(
            format!("{domain} permits every host to send for it, or very many (`{term}`)"),
            format!("end the SPF record of {domain} with `-all` or `~all`, and permit only what mail leaves from"),
        ));
    }
    let lookups = lookups(prover, domain, own).await?;
    if lookups > MOST_LOOKUPS {
        return Err(flaw(
            format!("the SPF record of {domain} takes more than {MOST_LOOKUPS} look-ups: receivers give up"),
            "take out includes that nothing is sent by, or write addresses in their place",
        ));
    }
    match seen {
        Seen::From(addresses) => permits(prover, sending, addresses).await?,
        Seen::Unanswered(unanswered) => return Err(unanswered.clone().into()),
        Seen::Unknown(why) => return Ok(format!("{domain} has one SPF record with {lookups} look-ups; {why}")),
    }
    Ok(format!("{domain} has one SPF record with {lookups} look-ups, and permits where mail leaves"))
}

async fn one_record(prover: &Prover, domain: &str) -> Result<String, Flaw> {
    let mut records: Vec<String> = ask::texts(prover, domain).await?.into_iter().filter(|text| is_spf(text)).collect();
    match (records.pop(), records.is_empty()) {
        (Some(record), true) => match terms::fault(&record) {
            None => Ok(record),
            Some(why) => Err(flaw(
                format!("the SPF record of {domain} {why}: receivers treat the whole record as an error"),
                format!("correct the SPF record of {domain}"),
            )),
        },
        (None, _) => Err(flaw(
            format!("{domain} has no SPF record"),
            format!("publish a TXT record at {domain}, for example `v=spf1 ip4:ADDRESS-OF-THE-RELAY -all`"),
        )),
        (Some(_), false) => Err(flaw(
            format!("{domain} has {} SPF records: receivers take neither", records.len() + 1),
            format!("publish one SPF record at {domain}, with the terms of all"),
        )),
    }
}

fn is_spf(text: &str) -> bool {
    text.split(' ').next().is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"))
}

/// The term that lets everybody pass, or a large part of the internet.
fn passes_everybody(record: &str) -> Option<String> {
    terms::that_count(record).into_iter().find(|term| {
        let bare = term.strip_prefix('+').unwrap_or(term);
        let is_wide = |net: &str, shortest| net.parse::<u8>().is_ok_and(|prefix| prefix < shortest);
        let (name, _) = bare.split_once([':', '/']).unwrap_or((bare, ""));
        // `a:host/24//64`: the second one is of IPv6.
        let (four, six) = bare.split_once("//").unwrap_or((bare, ""));
        let last = |text: &str| text.rsplit_once('/').map_or(String::new(), |(_, prefix)| prefix.to_owned());
        match name {
            "all" => true,
            "ip4" => is_wide(&last(bare), SHORTEST_PREFIX.0),
            "ip6" => is_wide(&last(bare), SHORTEST_PREFIX.1),
            "a" | "mx" => is_wide(&last(four), SHORTEST_PREFIX.0) || is_wide(six, SHORTEST_PREFIX.1),
            _ => false,
        }
    })
}

/// Whom a record that passes speaks for.
#[derive(Clone, Copy)]
enum Passes {
    ForUs,
    ForNobody,
}

/// One more than are allowed, where there are too many: the rest is not asked.
async fn lookups(prover: &Prover, domain: &str, record: String) -> Result<usize, Flaw> {
    let (mut count, mut void) = (0, Vec::new());
    let mut waiting = vec![(domain.to_owned(), record, Passes::ForUs)];
    while let Some((of, record, passes)) = waiting.pop() {
        for term in terms::that_count(&record) {
            // Whoever passes an included record is refused by `-include`, and not judged by `?include`.
            let passes = if term.starts_with(['-', '~', '?']) { Passes::ForNobody } else { passes };
            let term = term.trim_start_matches(['+', '-', '~', '?']);
            let (name, argument) = term.split_once([':', '=']).unwrap_or((term, ""));
            let name = name.split('/').next().unwrap_or_default();
            if !matches!(name, "include" | "redirect" | "a" | "mx" | "ptr" | "exists") {
                continue;
            }
            count += 1;
            if count > MOST_LOOKUPS {
                return Ok(count);
            }
            // What a macro becomes depends on the mail.
            if argument.contains('%') {
                continue;
            }
            if finds_nothing(prover, name, argument.split('/').next().filter(|host| !host.is_empty()).unwrap_or(&of))
                .await?
            {
                void.push(term.to_owned());
            }
            if void.len() > MOST_VOID {
                return Err(flaw(
                    format!("{} of the SPF record of {domain} find nothing in DNS: receivers give up", quoted(&void)),
                    "take out what is not there any more",
                ));
            }
            if matches!(name, "include" | "redirect") {
                let included = one_record(prover, argument).await.map_err(|found| match found {
                    Flaw::Bad { what, .. } => flaw(
                        format!("the SPF record of {domain} includes {argument}, but {what}"),
                        format!("take `{term}` out of the SPF record of {domain}"),
                    ),
                    unanswered => unanswered,
                })?;
                if let (Passes::ForUs, Some(all)) = (passes, passes_everybody(&included)) {
                    return Err(flaw(
                        format!(
                            "the SPF record of {domain} includes {argument}, which permits every host, or very many (`{all}`)"
                        ),
                        format!("take `{term}` out of the SPF record of {domain}, or have {argument} corrected"),
                    ));
                }
                waiting.push((argument.to_owned(), included, passes));
            }
        }
    }
    Ok(count)
}

fn quoted(terms: &[String]) -> String {
    terms.iter().map(|term| format!("`{term}`")).collect::<Vec<_>>().join(", ")
}

/// Whether what a mechanism asks for is not there; what is included is asked by itself.
async fn finds_nothing(prover: &Prover, mechanism: &str, host: &str) -> Result<bool, Flaw> {
    match mechanism {
        "a" | "exists" => Ok(ask::addresses_of(prover, host).await?.is_empty()),
        "mx" => {
            let exchanges = ask::exchanges_of(prover, host).await?;
            if exchanges.len() > MOST_EXCHANGES {
                return Err(flaw(
                    format!(
                        "{host} has more than {MOST_EXCHANGES} mail servers: receivers give up at the `mx` of an SPF record"
                    ),
                    "name addresses in place of `mx`",
                ));
            }
            Ok(exchanges.is_empty())
        }
        _ => Ok(false),
    }
}

async fn permits(prover: &Prover, sending: &Sending<'_>, addresses: &[IpAddr]) -> Result<(), Flaw> {
    let domain = sending.domain;
    let sender = format!("postmaster@{domain}");
    for address in addresses {
        let asked = SpfParameters::verify_mail_from(*address, sending.hello, "localhost", &sender);
        match prover.authenticator().verify_spf(asked).await.result() {
            SpfResult::Pass => {}
            SpfResult::TempError => {
                return Err(flaw_unanswered(domain));
            }
            SpfResult::PermError => {
                return Err(flaw(
                    format!("the SPF record of {domain} cannot be read"),
                    "correct it: receivers treat it as none",
                ));
            }
            SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral | SpfResult::None => {
                return Err(flaw(
                    format!("the SPF record of {domain} does not permit {address}, where mail leaves"),
                    format!(
                        "add it to the record; or, if receivers see mail come from elsewhere, say so by `leaves_from` in [sender] ({domain})"
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn flaw_unanswered(domain: &str) -> Flaw {
    Flaw::Unanswered(ask::no_answer(&format!("the SPF record of {domain}")))
}
