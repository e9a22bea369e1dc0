//! What a probe is made from.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::reach::{Resolver, SystemResolver};
use crate::clock::Clock;

/// Which proxy is used.
#[derive(Clone)]
pub enum Proxies {
    /// The one that `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name, or the system's settings; most often none.
    Environment,
    /// None.
    None,
    /// This one, for every link.
    All(String),
}

/// What a [`super::Probe`] is made from.
#[derive(Clone)]
pub struct ProbeConfig {
    /// Roots to trust besides the platform's.
    pub ca_file: Option<PathBuf>,
    /// How long a connection may take, name resolution and TLS included.
    pub connect_timeout: Duration,
    /// How long opening a link may take in all, and then once more all reading in it.
    pub request_timeout: Duration,
    /// Who turns names into addresses.
    pub resolver: Arc<dyn Resolver>,
    /// Addresses that are reached although they are not public. For tests: Tavus' servers reach none of them.
    pub also_reached: Vec<SocketAddr>,
    /// Which proxy is used.
    pub proxies: Proxies,
    /// For the pauses between tries.
    pub clock: Arc<dyn Clock>,
}

impl ProbeConfig {
    /// Makes the settings of a run: the machine's resolver and proxy, 10 s to connect, 30 s in all.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            ca_file: None,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            resolver: Arc::new(SystemResolver),
            also_reached: Vec::new(),
            proxies: Proxies::Environment,
            clock,
        }
    }
}
