//! The two HTTP clients: one that looks, one that creates.
//!
//! | | looking and updating | creating |
//! |---|---|---|
//! | connections | kept and reused | one per request, so that none is half dead |
//! | protocol | HTTP/2 or 1.1 | HTTP/1.1: no stream that a server may refuse after the fact |
//! | redirects | none followed | none followed |
//! | repeated by the library | never, `client.rs` decides | never |
//!
//! TLS is rustls with ring. Roots are the platform's; where it has none (slim containers), the Mozilla set that
//! is built in. Without any root such a client could not even be built.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, redirect, retry};

use super::Address;

/// Why no client could be made. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file with extra roots could not be read.
    #[error("the CA file {path} cannot be read", path = .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file with extra roots holds none.
    #[error("the CA file {path} holds no certificate in PEM form", path = .path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The key cannot stand in a header. `ApiKey::parse` lets none such through.
    #[error("the key cannot stand in a header")]
    Key,
    /// The TLS library refused the settings.
    #[error("the HTTPS client cannot be made")]
    Tls(#[source] reqwest::Error),
}

/// What both clients are made from.
pub(super) struct Transport<'a> {
    pub(super) address: &'a Address,
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) ca_file: Option<&'a Path>,
}

/// `facectl/VERSION (OS)`.
const USER_AGENT: &str = concat!("facectl/", env!("CARGO_PKG_VERSION"));

impl Transport<'_> {
    /// Makes the client that looks and the one that creates.
    pub(super) fn clients(&self) -> Result<(Client, Client), ClientError> {
        let looking = || self.builder().pool_idle_timeout(Duration::from_secs(30));
        let creating = self.builder().pool_max_idle_per_host(0).http1_only();
        if self.address.is_https() {
            let (roots, client) = Roots::find(self.ca_file, looking)?;
            return Ok((client, roots.client(creating)?));
        }
        // Loopback without TLS: reading a few hundred roots for nothing would be half of the start-up time.
        self.ca_file.map(certificates).transpose()?;
        let none = Roots::Only(Vec::new());
        Ok((none.client(looking())?, none.client(creating)?))
    }

    fn builder(&self) -> ClientBuilder {
        let builder = Client::builder()
            .user_agent(format!("{USER_AGENT} ({})", std::env::consts::OS))
            // The shorter one must be this one: running out of time while connecting proves that nothing was sent,
            // running out of time as a whole proves nothing.
            .connect_timeout(self.connect_timeout.min(self.request_timeout / 2))
            .timeout(self.request_timeout)
            // A redirect would carry the key elsewhere, and a create that is followed is a create sent twice.
            .redirect(redirect::Policy::none())
            // reqwest 0.13 repeats what it takes for safe (protocol NACKs) unless told not to.
            .retry(retry::never());
        // What is on this machine needs no proxy, and a proxy elsewhere would reach another machine's loopback.
        if self.address.is_loopback() { builder.no_proxy() } else { builder }
    }
}

/// Which certificates a server's must lead to.
pub(crate) enum Roots {
    /// The platform's.
    Platform,
    /// The platform's, and these.
    PlatformAnd(Vec<Certificate>),
    /// These alone.
    Only(Vec<Certificate>),
}

impl Roots {
    /// Finds out which roots there are, with those in `ca_file`; returns the first client with them as well, since
    /// only making one shows whether the platform has any. `builder` is called once or twice.
    pub(crate) fn find(
        ca_file: Option<&Path>,
        builder: impl Fn() -> ClientBuilder,
    ) -> Result<(Self, Client), ClientError> {
        install_ring();
        let extra = ca_file.map(certificates).transpose()?.unwrap_or_default();
        // Probed without the extra roots: with them a machine that has none of its own would go unnoticed.
        let roots = match builder().build() {
            Ok(client) if extra.is_empty() => return Ok((Self::Platform, client)),
            Ok(_) => Self::PlatformAnd(extra),
            Err(error) => {
                tracing::debug!(%error, "the platform's roots cannot be used, taking the built-in ones");
                Self::Only(extra.into_iter().chain(built_in_roots()).collect())
            }
        };
        let client = roots.client(builder())?;
        Ok((roots, client))
    }

    /// Makes a further client with them.
    pub(crate) fn client(&self, builder: ClientBuilder) -> Result<Client, ClientError> {
        install_ring();
        let builder = match self {
            Self::Platform => builder,
            Self::PlatformAnd(extra) => builder.tls_certs_merge(extra.iter().cloned()),
            Self::Only(roots) => builder.tls_certs_only(roots.iter().cloned()),
        };
        builder.build().map_err(ClientError::Tls)
    }
}

/// Makes ring the process's TLS provider; one that is installed already stays.
fn install_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let pem = std::fs::read(path).map_err(|source| ClientError::CaFile { path: path.to_owned(), source })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(ClientError::NoCertificate { path: path.to_owned() }),
    }
}

fn built_in_roots() -> impl Iterator<Item = Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|der| Certificate::from_der(der).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_that_holds_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let address = Address::parse("https://api.example.com").unwrap();
        let second = Duration::from_secs(1);
        let transport =
            Transport { address: &address, connect_timeout: second, request_timeout: second, ca_file: Some(&path) };
        assert!(matches!(transport.clients(), Err(ClientError::CaFile { .. })));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(matches!(transport.clients(), Err(ClientError::NoCertificate { .. })));
        assert!(Transport { ca_file: None, ..transport }.clients().is_ok());
    }

    #[test]
    fn the_built_in_roots_can_all_be_read() {
        install_ring();
        assert_eq!(built_in_roots().count(), webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        assert!(Client::builder().tls_certs_only(built_in_roots()).build().is_ok());
    }
}
