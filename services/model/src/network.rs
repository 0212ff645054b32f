//! Which addresses belong to the public internet, and why the others do not.
//!
//! Does not resolve names and opens nothing. Invariant: an address that carries another one (mapped, 6to4, NAT64) is judged
//! by the one inside too, and what is not known to be public is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why an address may not be reached, unless it is in one of these networks; `None` = it may.
pub fn refusal(allowed: &[IpNet], address: IpAddr) -> Option<&'static str> {
    let address = address.to_canonical();
    if allowed.iter().any(|network| network.contains(&address)) { None } else { not_public(address) }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Source: IANA's registry of special-purpose IPv4 addresses (RFC 6890), and multicast (RFC 5771).
const REFUSED_V4: [(Ipv4Net, &str); 15] = [
    (v4(0, 0, 0, 0, 8), "this host"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared by carriers"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "for protocols"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "for 6to4 relays"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved or broadcast"),
];

/// Parts of [`PUBLIC_V6`] that are not public. Source: IANA's registry of special-purpose IPv6 addresses (RFC 6890).
const REFUSED_V6: [(Ipv6Net, &str); 3] = [
    (v6(0x2001, 0, 0, 23), "for protocols, Teredo among them"),
    (v6(0x2001, 0xdb8, 0, 32), "for documentation"),
    (v6(0x3fff, 0, 0, 20), "for documentation"),
];

/// All that is given out for unicast. Source: IANA's registry of the IPv6 address space.
const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 0, 3);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);
/// The prefix that every network may use for NAT64. Source: RFC 6052 2.1; that of RFC 8215 is local and refused.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => refusal_v6(address),
    }
}

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    REFUSED_V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, why)| *why)
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    let octets = address.octets();
    let embedded = |at: usize| Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
    if let Some(mapped) = address.to_ipv4_mapped() {
        return refusal_v4(mapped);
    }
    if NAT64.contains(&address) {
        return refusal_v4(embedded(12));
    }
    if SIX_TO_FOUR.contains(&address) {
        return refusal_v4(embedded(2));
    }
    if !PUBLIC_V6.contains(&address) {
        return Some("not public");
    }
    REFUSED_V6.iter().find(|(network, _)| network.contains(&address)).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_refused(address: &str) -> bool {
        refusal(&[], address.parse().unwrap()).is_some()
    }

    #[test]
    fn addresses_of_inner_networks_are_refused() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(is_refused(address), "{address}");
        }
    }

    #[test]
    fn addresses_of_inner_networks_are_refused_in_ipv6_too() {
        for address in [
            "::",
            "::1",
            "::7f00:1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:db8::1",
            "3fff::1",
            "5f00::1",
            "4000::1",
            "fd00:ec2::254",
        ] {
            assert!(is_refused(address), "{address}");
        }
    }

    #[test]
    fn an_inner_address_is_not_reached_inside_another() {
        for address in [
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "2002:0a00:0001::",
            "2002:7f00:1::1",
            "::ffff:0:a00:1",
        ] {
            assert!(is_refused(address), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        for address in [
            "93.184.215.14",
            "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
            "8.8.8.8",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "::ffff:93.184.215.14",
            "64:ff9b::5db8:d70e",
            "2002:5db8:d70e::1",
            "2001:4860:4860::8888",
        ] {
            assert!(!is_refused(address), "{address}");
        }
    }

    #[test]
    fn a_network_that_is_allowed_is_reached_and_no_other() {
        let allowed = ["127.0.0.0/8".parse().unwrap()];
        assert_eq!(refusal(&allowed, "127.0.0.1".parse().unwrap()), None);
        assert_eq!(refusal(&allowed, "::ffff:127.0.0.1".parse().unwrap()), None);
        assert!(refusal(&allowed, "10.0.0.1".parse().unwrap()).is_some());
    }

    proptest! {
        #[test]
        fn an_address_is_judged_alike_in_every_dress(octets in any::<[u8; 4]>()) {
            let plain = Ipv4Addr::from(octets);
            let [a, b, c, d] = octets.map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            let expect = refusal_v4(plain);
            for dress in [
                plain.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(refusal(&[], dress.into()), expect);
            }
        }
    }
}
