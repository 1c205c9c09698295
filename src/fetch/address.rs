//! Which addresses may be reached: the guard against server-side request forgery.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far requests may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only.
    Public,
    /// Public addresses and loopback, for local use and tests.
    PublicAndLoopback,
}

impl Reach {
    /// Whether an address may be connected to.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        is_public(address) || (self == Self::PublicAndLoopback && address.is_loopback())
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// The special-purpose registry of RFC 6890, and the metadata services behind link-local addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_benchmark = a == 198 && (18..20).contains(&b);
    let is_relay = a == 192 && b == 88 && c == 99;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || is_shared
        || is_protocol
        || is_benchmark
        || is_relay)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    let is_unique_local = first & 0xfe00 == 0xfc00;
    let is_link_local = first & 0xffc0 == 0xfe80;
    let is_documentation = first == 0x2001 && address.segments()[1] == 0xdb8;
    let is_documentation = is_documentation || first & 0xfff0 == 0x3ff0;
    let is_site_local = first & 0xffc0 == 0xfec0;
    // Addresses that carry an IPv4 one (NAT64, 6to4, Teredo, IPv4-compatible) could lead to a private host.
    let is_compatible = address.segments()[..6] == [0; 6];
    let is_teredo = first == 0x2001 && address.segments()[1] == 0;
    let embeds_v4 =
        first == 0x2002 || (first == 0x64 && address.segments()[1] == 0xff9b) || is_teredo || is_compatible;
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || is_unique_local
        || is_link_local
        || is_site_local
        || is_documentation
        || embeds_v4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_every_special_address() {
        let special = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "192.0.0.8",
            "192.88.99.1",
            "::127.0.0.1",
            "fec0::1",
            "3fff::1",
            "2001:0:a00:1::",
        ];
        for address in special {
            assert!(!Reach::Public.allows(address.parse().unwrap()), "{address}");
        }
        assert!(Reach::Public.allows("93.184.216.34".parse().unwrap()));
        assert!(Reach::Public.allows("2606:2800:220:1::1".parse().unwrap()));
        assert!(Reach::PublicAndLoopback.allows("127.0.0.1".parse().unwrap()));
        assert!(!Reach::PublicAndLoopback.allows("169.254.169.254".parse().unwrap()));
    }
}
