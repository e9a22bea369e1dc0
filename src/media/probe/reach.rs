//! Which addresses may be connected to, asked at the moment of connecting: a name that meant a public address a moment
//! ago may mean this machine's own network now (DNS rebinding), so nothing is resolved twice.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::face::is_public_address;

/// What a resolver will answer.
pub type Resolution = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Turns names into addresses. A port of 0 stands for the one that the link names.
pub trait Resolver: Send + Sync {
    /// Asks for all addresses of a name.
    fn resolve(&self, host: &str) -> Resolution;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str) -> Resolution {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) })
    }
}

/// Stands between the HTTP library and a resolver: what it lets through is what is connected to.
pub(super) struct Guard {
    pub(super) resolver: Arc<dyn Resolver>,
    /// Addresses that are reached although nobody else can: those of a test's own server.
    pub(super) also_reached: Arc<[SocketAddr]>,
    /// The host of the proxy, which may well be a private one: a person configured it, no link did.
    pub(super) proxy_host: Option<String>,
}

/// A name stands for an address that is not public.
#[derive(Debug)]
pub(super) struct Private;

/// A name stands for nothing.
#[derive(Debug)]
pub(super) struct Unresolved;

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name stands for an address that is not public")
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name cannot be resolved")
    }
}

impl Error for Private {}
impl Error for Unresolved {}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let resolution = self.resolver.resolve(name.as_str());
        let also_reached = self.also_reached.clone();
        let is_proxy = self.proxy_host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(name.as_str()));
        Box::pin(async move {
            let addresses = match resolution.await {
                Ok(addresses) if !addresses.is_empty() => addresses,
                Ok(_) | Err(_) => return Err(Unresolved.into()),
            };
            // One private address among public ones is refused as well: which one is taken would be chance.
            let is_fine = |address: &SocketAddr| is_public_address(address.ip()) || also_reached.contains(address);
            if !is_proxy && !addresses.iter().all(is_fine) {
                return Err(Private.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_is_public_address() {
        for good in
            ["8.8.8.8", "203.0.114.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
        {
            assert!(is_public_address(good.parse().unwrap()), "{good}");
        }
        for (bad, why) in [
            ("127.0.0.1", "loopback"),
            ("10.0.0.1", "private"),
            ("172.31.0.1", "private"),
            ("192.168.1.1", "private"),
            ("169.254.169.254", "metadata of a cloud machine"),
            ("100.64.0.1", "carrier-grade NAT"),
            ("0.0.0.0", "this machine"),
            ("192.0.0.8", "protocol assignment"),
            ("198.18.0.1", "benchmark"),
            ("203.0.113.1", "documentation"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::7f00:1", "v4-compatible"),
            ("fd00::1", "unique local"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
            ("2001:db8::1", "documentation"),
            ("2001::1", "Teredo"),
            ("::ffff:10.0.0.1", "private, mapped"),
            ("64:ff9b::a9fe:a9fe", "metadata behind NAT64"),
            ("64:ff9b:1::1", "local NAT64"),
            ("2002:a00:1::", "private behind 6to4"),
        ] {
            assert!(!is_public_address(bad.parse().unwrap()), "{bad}: {why}");
        }
    }
}
