//! Whom mail is taken for.
//!
//! Asks no database: a token that is known, one that is not and one that is forged get the same answer in the same
//! time, and a reply whose token was damaged on the way still lands, by the Message-ID it answers. Invariant: an
//! address of anybody else is refused, so nothing is relayed.

/// Our reply address with and without a detail after `+`, and postmaster (RFC 5321 4.5.1).
#[derive(Debug, Clone)]
pub struct Addresses {
    local: String,
    domain: String,
}

impl Addresses {
    /// Of the address that letters are from.
    pub fn of(address: &str) -> Self {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        Self { local: local.to_ascii_lowercase(), domain: domain.to_ascii_lowercase() }
    }

    /// Whether mail for this address is ours.
    pub fn take(&self, address: &str) -> bool {
        if address.eq_ignore_ascii_case("postmaster") {
            return true;
        }
        let Some((local, domain)) = address.rsplit_once('@') else { return false };
        // Quotes change nothing of a local part that needs none (RFC 5321 4.1.2).
        let local = local.strip_prefix('"').and_then(|local| local.strip_suffix('"')).unwrap_or(local);
        let ours = match local.split_at_checked(self.local.len()) {
            Some((mailbox, rest)) => {
                mailbox.eq_ignore_ascii_case(&self.local) && (rest.is_empty() || rest.starts_with('+'))
            }
            None => false,
        };
        domain.eq_ignore_ascii_case(&self.domain) && (ours || local.eq_ignore_ascii_case("postmaster"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expect: bool) {
        assert_eq!(Addresses::of("Reply@Vendor.example").take(address), expect, "{address}");
    }

    #[test]
    fn the_reply_address_is_taken_with_any_detail_and_in_any_case() {
        for ours in
            ["reply@vendor.example", "REPLY+abc@VENDOR.EXAMPLE", "reply+@vendor.example", "\"reply+a\"@vendor.example"]
        {
            check(ours, true);
        }
    }

    #[test]
    fn postmaster_is_taken() {
        check("postmaster", true);
        check("Postmaster@vendor.example", true);
    }

    #[test]
    fn nobody_elses_address_is_taken() {
        for theirs in [
            "",
            "reply",
            "other@vendor.example",
            "replyx@vendor.example",
            "reply@other.example",
            "reply@vendor.example.other.example",
            "reply%other.example@relay.example",
            "postmaster@other.example",
            "reply@vendor.example@other.example",
        ] {
            check(theirs, false);
        }
    }

    #[test]
    fn an_address_of_ours_with_a_plus_of_its_own_is_taken() {
        let addresses = Addresses::of("reply+incidents@vendor.example");
        assert!(addresses.take("reply+incidents@vendor.example"));
        assert!(addresses.take("reply+incidents+token@vendor.example"));
        assert!(!addresses.take("reply+other@vendor.example"));
    }
}
