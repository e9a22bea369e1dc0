//! Whether a host can be reached from the public internet, judged by its text alone.

/// Returns whether a host may be one of the public internet. A name is not resolved here.
pub(super) fn is_public(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Domain(domain) => {
            let domain = domain.trim_end_matches('.').to_ascii_lowercase();
            let is_local_name = domain == "localhost"
                || [".localhost", ".local", ".internal", ".lan", ".home.arpa"].iter().any(|end| domain.ends_with(end));
            // A name without a dot can only be resolved inside somebody's network.
            !is_local_name && domain.contains('.')
        }
        url::Host::Ipv4(address) => is_public_v4(*address),
        url::Host::Ipv6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => {
                let first = address.segments()[0];
                let is_unique_local = first & 0xfe00 == 0xfc00;
                let is_link_local = first & 0xffc0 == 0xfe80;
                !(address.is_loopback()
                    || address.is_unspecified()
                    || address.is_multicast()
                    || is_unique_local
                    || is_link_local)
            }
        },
    }
}

fn is_public_v4(address: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b); // RFC 6598, carrier-grade NAT
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || is_shared)
}

#[cfg(test)]
mod tests {
    use crate::face::Link;

    #[test]
    fn only_public_https_hosts_are_taken() {
        for good in ["https://media.example.com/a.mp4", "https://8.8.8.8/a", "https://[2606:4700::1111]/a"] {
            assert!(Link::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://media.example.com/a",
            "ftp://x.example.com/a",
            "media.example.com/a",
            "",
            "https://localhost/a",
            "https://a.localhost/x",
            "https://nas/x",
            "https://nas.local/x",
            "https://127.0.0.1/a",
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
}
