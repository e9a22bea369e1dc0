//! Whether a host can be reached from the public internet, judged by its text alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names at the end of a host that are resolved inside of somebody's network only: `localhost` (RFC 6761), `local`
/// (RFC 6762, with the usual private ones in its appendix G), `home.arpa` (RFC 8375), `internal` (reserved by ICANN,
/// 2024), and `localdomain`, which Linux distributions write into `/etc/hosts`.
const LOCAL_NAMES: [&str; 10] =
    ["localhost", "localdomain", "local", "internal", "home.arpa", "lan", "home", "corp", "intranet", "private"];

/// Returns whether a host may be one of the public internet. A name is not resolved here: where it leads is to be
/// asked of [`is_public_address`], for each of its addresses.
pub(super) fn is_public(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Domain(domain) => is_public_name(domain),
        url::Host::Ipv4(address) => is_public_v4(*address),
        url::Host::Ipv6(address) => is_public_v6(*address),
    }
}

fn is_public_name(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let is_below = |name: &&str| domain.strip_suffix(*name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    // A name without a dot can only be resolved inside somebody's network.
    domain.contains('.') && !LOCAL_NAMES.iter().any(is_below)
}

/// Returns whether an address is one of the public internet, by the registries of special-purpose addresses (IANA;
/// RFC 6890 and its successors). An IPv6 address that only carries an IPv4 address is judged by that one.
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b); // RFC 6598, carrier-grade NAT
    // RFC 6890: not usable unless by a more specific reservation, and none of those serves files.
    let is_protocol_assignment = (a, b, c) == (192, 0, 0);
    let is_benchmark = a == 198 && (18..20).contains(&b); // RFC 2544
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0 // RFC 791, "this network"
        || a >= 240 // RFC 1112, reserved
        || is_shared
        || is_protocol_assignment
        || is_benchmark)
}

/// Nothing outside of 2000::/3 is given out (IANA, "IPv6 Address Space"): so loopback and unspecified, unique local
/// fc00::/7, link-local fe80::/10, site-local fec0::/10, multicast ff00::/8, discard-only 100::/64 and IPv4-compatible
/// addresses need no line of their own.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let octets = address.octets();
    let v4 = |[a, b, c, d]: [u8; 4]| is_public_v4(Ipv4Addr::new(a, b, c, d));
    match address.segments() {
        // NAT64 (RFC 6052): behind an IPv6-only network, every public IPv4 address looks like this.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => v4([octets[12], octets[13], octets[14], octets[15]]),
        [0x64, 0xff9b, 1, ..] => is_public_behind_local_nat64(octets),
        // 6to4 (RFC 3056).
        [0x2002, ..] => v4([octets[2], octets[3], octets[4], octets[5]]),
        // Protocol assignments, 2001::/23 (RFC 2928): Teredo, benchmarks, ORCHID and others; none serves files.
        [0x2001, second, ..] if second < 0x200 => false,
        // Documentation: 2001:db8::/32 (RFC 3849) and 3fff::/20 (RFC 9637).
        [0x2001, 0xdb8, ..] => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Judges an address of 64:ff9b:1::/48 (RFC 8215), where an operator chooses how long the prefix is. Told apart are the
/// longest, with the IPv4 address at the end, and the shortest, with nothing but zeros behind it (RFC 6052, 2.2); of
/// the others nothing is known, which is the safe side.
fn is_public_behind_local_nat64(octets: [u8; 16]) -> bool {
    let [.., a, b, c, d] = octets;
    if [b, c, d] != [0; 3] {
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    octets[11..].iter().all(|octet| *octet == 0)
        && is_public_v4(Ipv4Addr::new(octets[6], octets[7], octets[9], octets[10]))
}

#[cfg(test)]
mod tests {
    use super::is_public_address;
    use crate::face::Link;

    #[test]
    fn only_public_https_hosts_are_taken() {
        for good in [
            "https://media.example.com/a.mp4",
            "https://8.8.8.8/a",
            "https://[2606:4700::1111]/a",
            "https://corp.example.com/a",
            "https://my-local.example.com/a",
            "https://homeland.example.com./a",
            // What it leads to is asked of DNS.
            "https://10.0.0.1.nip.io/a",
        ] {
            assert!(Link::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://media.example.com/a",
            "ftp://x.example.com/a",
            "media.example.com/a",
            "",
            "https://localhost/a",
            "https://localhost./a",
            "https://a.localhost/x",
            "https://nas/x",
            "https://nas./x",
            "https://nas.local/x",
            "https://NAS.Local./x",
            "https://metadata.google.internal/x",
            "https://nas.lan/x",
            "https://nas.home.arpa/x",
            "https://home.arpa/x",
            "https://localhost.localdomain/x",
            "https://git.corp/x",
            "https://wiki.intranet/x",
            "https://nas.home/x",
            "https://nas.private/x",
            "https://127.0.0.1/a",
            "https://127.0.0.1./a",
            "https://10.1.2.3/a",
            "https://192.168.0.1/a",
            "https://172.16.0.1/",
            "https://169.254.169.254/latest",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://m.example.com/a b.mp4",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://user:secret@h.example.com/a",
        ] {
            assert!(Link::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_of_the_public_internet_are_told_from_all_others() {
        for (address, why) in [
            ("8.8.8.8", "given out"),
            ("9.255.255.255", "the last before 10/8"),
            ("11.0.0.0", "the first behind 10/8"),
            ("100.63.255.255", "the last before carrier-grade NAT"),
            ("100.128.0.0", "the first behind it"),
            ("172.15.255.255", "the last before 172.16/12"),
            ("172.32.0.0", "the first behind it"),
            ("192.0.1.0", "the first behind the protocol assignments"),
            ("198.17.255.255", "the last before the benchmarks"),
            ("198.20.0.0", "the first behind them"),
            ("223.255.255.255", "the last before multicast"),
            ("2001:200::1", "the first block that was given out"),
            ("2a00:1450::1", "given out"),
            ("3ffe::1", "below the documentation"),
            ("::ffff:8.8.8.8", "mapped from a public one"),
            ("64:ff9b::808:808", "NAT64 of a public one"),
            ("64:ff9b:1::808:808", "local NAT64 of a public one, at the end"),
            ("64:ff9b:1:808:8:800::", "local NAT64 of a public one, behind the shortest prefix"),
            ("2002:808:808::1", "6to4 of a public one"),
        ] {
            assert!(is_public_address(address.parse().unwrap()), "{address}: {why}");
        }
    }

    #[test]
    fn special_addresses_are_not_public() {
        for (address, why) in [
            ("0.1.2.3", "this network"),
            ("10.0.0.1", "private"),
            ("100.64.0.1", "carrier-grade NAT"),
            ("100.127.255.255", "carrier-grade NAT"),
            ("127.1.2.3", "loopback"),
            ("169.254.169.254", "link-local: metadata of a cloud"),
            ("172.31.255.255", "private"),
            ("192.0.0.1", "protocol assignment"),
            ("192.0.0.9", "anycast of a protocol"),
            ("192.0.2.1", "documentation"),
            ("192.168.1.1", "private"),
            ("198.18.0.1", "benchmarks"),
            ("198.19.255.255", "benchmarks"),
            ("198.51.100.1", "documentation"),
            ("203.0.113.1", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::8.8.8.8", "IPv4-compatible: given up, not routed"),
            ("::ffff:127.0.0.1", "mapped from loopback"),
            ("::ffff:169.254.169.254", "mapped from link-local"),
            ("64:ff9b::a00:1", "NAT64 of a private one"),
            ("64:ff9b::7f00:1", "NAT64 of loopback"),
            ("64:ff9b:1::a00:1", "local NAT64 of a private one, at the end"),
            ("64:ff9b:1:a00:0:100::", "local NAT64 of a private one, behind the shortest prefix"),
            ("64:ff9b:1:0:8:808:800:0", "local NAT64 with a prefix that cannot be told"),
            ("64:ff9b:2::1", "no NAT64"),
            ("100::1", "discarded"),
            ("2001::1", "Teredo"),
            ("2001:2::1", "benchmarks"),
            ("2001:10::1", "ORCHID"),
            ("2001:1ff:ffff::1", "the last of the protocol assignments"),
            ("2001:db8::1", "documentation"),
            ("2002:a00:1::1", "6to4 of a private one"),
            ("2002:7f00:1::1", "6to4 of loopback"),
            ("3fff:fff::1", "documentation"),
            ("4000::1", "not given out"),
            ("fc00::1", "unique local"),
            ("fd12:3456::1", "unique local"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            assert!(!is_public_address(address.parse().unwrap()), "{address}: {why}");
        }
    }
}
