//! Reverse DNS: the address that mail comes from has a name, and that name has this address.
//!
//! Says "unknown" where no address is known.

use std::net::IpAddr;

use super::ask::{self, Seen, Unanswered};
use super::{Finding, Sending, Standing};
use crate::proof::Prover;

const CHECK: &str = "reverse-dns";

pub(super) async fn look(prover: &Prover, sending: &Sending<'_>, seen: &Seen) -> Finding {
    let addresses = match seen {
        Seen::From(addresses) => addresses,
        Seen::Unknown(why) => {
            let next = "name it by `leaves_from` in [sender] to have it checked";
            return Finding::new(CHECK, Standing::Unknown, why.clone(), next);
        }
        Seen::Unanswered(unanswered) => return Finding::unanswered(CHECK, unanswered),
    };
    let mut said = Vec::new();
    for address in addresses {
        match both_ways(prover, *address).await {
            Ok(Some(name)) if name.eq_ignore_ascii_case(sending.hello) => {
                said.push(format!("{address} is {name} both ways, as EHLO says"));
            }
            // The relay says a name of its own to receivers; ours is said to the relay.
            Ok(Some(name)) => said.push(format!("{address} is {name} both ways")),
            Ok(None) => {
                let what = format!("{address} has no name that leads back to it");
                let next = format!("have whoever owns {address} publish a PTR record to a name with this address");
                return Finding::bad(CHECK, what, next);
            }
            Err(unanswered) => return Finding::unanswered(CHECK, &unanswered),
        }
    }
    Finding::good(CHECK, said.join("; "))
}

/// The name of an address that has this address.
async fn both_ways(prover: &Prover, address: IpAddr) -> Result<Option<String>, Unanswered> {
    for name in ask::names_of(prover, address).await? {
        if ask::addresses_of(prover, &name).await?.contains(&address) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
