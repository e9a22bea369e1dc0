//! Where the API is: checked once, so that a key never goes over an open line.

use std::fmt;

use crate::http::{Address, AddressError};

/// The address of the API, `/v2` included, without a slash at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    address: Address,
}

/// Why an address was refused. None of these texts shows what could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("it is not a URL ({0}); it should look like {DEFAULT_BASE_URL}")]
    NotAUrl(String),
    /// Neither https nor http.
    #[error("its scheme is `{0}`, https is needed")]
    Scheme(String),
    /// http to another machine: the key could be read on the way.
    #[error("it would send the key to `{0}` unencrypted; http is allowed to a loopback address only, use https")]
    Unencrypted(String),
    /// A user name or password in front of the host.
    #[error("it carries a user name or password; the key goes into TAVUS_API_KEY or a key file")]
    Credentials,
    /// A query or a fragment.
    #[error("it has a query or a fragment; the key goes into TAVUS_API_KEY or a key file")]
    Query,
    /// It does not end in `/v2`.
    #[error("it does not end in `/v2`; did you mean {0}?")]
    NoVersion(String),
}

/// Where the real API is (docs.tavus.io, read August to October 2026).
pub const DEFAULT_BASE_URL: &str = "https://tavusapi.com/v2";

/// Reads the address of the API in the form that the vendor's own client takes: with `/v2`, with or without a
/// slash after it.
///
/// # Errors
/// When a key sent there could be read by others, or when the address cannot be the API's.
pub fn parse_base_url(text: &str) -> Result<BaseUrl, BaseUrlError> {
    let address = Address::parse(text)?;
    if address.path().rsplit('/').next() != Some("v2") {
        // Only the origin is repeated: what follows it may be a key that was put there by mistake.
        return Err(BaseUrlError::NoVersion(format!("{}/v2", address.origin())));
    }
    Ok(BaseUrl { address })
}

impl From<AddressError> for BaseUrlError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::NotAUrl(why) => Self::NotAUrl(why),
            AddressError::Scheme(scheme) => Self::Scheme(scheme),
            AddressError::Unencrypted(host) => Self::Unencrypted(host),
            AddressError::Credentials => Self::Credentials,
            AddressError::Query => Self::Query,
        }
    }
}

impl BaseUrl {
    /// Returns the address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.address.as_str()
    }

    /// Returns whether it is this machine: no proxy is used and no limit is needed then.
    pub fn is_loopback(&self) -> bool {
        self.address.is_loopback()
    }

    /// Returns it as an address of any server.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_in_the_form_of_the_vendors_client() {
        for (text, kept) in [
            ("https://tavusapi.com/v2", "https://tavusapi.com/v2"),
            (" https://tavusapi.com/v2/ ", "https://tavusapi.com/v2"),
            ("http://127.0.0.1:8787/v2", "http://127.0.0.1:8787/v2"),
            ("http://[::1]:8787/v2/", "http://[::1]:8787/v2"),
            ("http://localhost/v2", "http://localhost/v2"),
            ("https://proxy.example.com/tavus/v2", "https://proxy.example.com/tavus/v2"),
        ] {
            assert_eq!(parse_base_url(text).unwrap().as_str(), kept);
        }
        assert!(parse_base_url(DEFAULT_BASE_URL).is_ok_and(|base| !base.is_loopback()));
    }

    #[test]
    fn a_key_is_never_sent_in_the_open_and_never_repeated() {
        for (text, says) in [
            ("http://tavusapi.com/v2", "unencrypted"),
            ("http://127.0.0.1.example.com/v2", "unencrypted"),
            ("https://hush@tavusapi.com/v2", "TAVUS_API_KEY"),
            ("https://tavusapi.com/v2?key=hush", "TAVUS_API_KEY"),
            ("https://tavusapi.com/v2#hush", "TAVUS_API_KEY"),
            ("https://tavusapi.com", "did you mean https://tavusapi.com/v2?"),
            ("https://tavusapi.com/v2/hush", "did you mean https://tavusapi.com/v2?"),
            ("ftp://tavusapi.com/v2", "https is needed"),
            ("tavusapi.com/v2", "should look like"),
        ] {
            let error = parse_base_url(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hush"), "{text}: {error}");
        }
    }
}
