//! Where a server is: checked once, so that a secret never goes over an open line.

use std::fmt;

use url::{Host, Url};

/// The address of a server and the path in front of all of its paths, without a slash at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
    /// The same as text: a URL without a path is written with a slash, which would come twice.
    text: String,
}

/// Why an address was refused. None of these texts shows what could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL at all.
    #[error("it is not a URL ({0})")]
    NotAUrl(String),
    /// Neither https nor http.
    #[error("its scheme is `{0}`, https is needed")]
    Scheme(String),
    /// http to another machine: the secret could be read on the way.
    #[error("it would send a secret to `{0}` unencrypted; http is allowed to a loopback address only, use https")]
    Unencrypted(String),
    /// A user name or password in front of the host.
    #[error("it carries a user name or password")]
    Credentials,
    /// A query or a fragment.
    #[error("it has a query or a fragment")]
    Query,
}

impl Address {
    /// Reads an address, with or without slashes at its end.
    ///
    /// # Errors
    /// When a secret sent there could be read by others, or when it is no address of a server.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let mut url = Url::parse(text.trim()).map_err(|error| AddressError::NotAUrl(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Query);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(AddressError::Unencrypted(url.host_str().unwrap_or_default().to_owned())),
            other => return Err(AddressError::Scheme(other.to_owned())),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }

    /// Returns the address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether it is this machine: no proxy is used and no limit is needed then.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Returns whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Returns the path in front of every path, without a slash at its end.
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Returns scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_without_a_slash_whether_it_has_a_path_or_not() {
        for (text, kept, path) in [
            ("https://api.github.com/", "https://api.github.com", ""),
            (" https://git.example.com/api/v3// ", "https://git.example.com/api/v3", "/api/v3"),
            ("http://127.0.0.1:80/api/v4", "http://127.0.0.1/api/v4", "/api/v4"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.as_str(), address.path()), (kept, path), "{text}");
        }
    }

    #[test]
    fn a_secret_goes_over_no_open_line_and_into_no_address() {
        for (text, says) in [
            ("http://git.example.com", "unencrypted"),
            ("http://127.0.0.1.example.com", "unencrypted"),
            ("https://hush@git.example.com", "user name"),
            ("https://git.example.com?token=hush", "query"),
            ("https://git.example.com/#hush", "fragment"),
            ("file:///etc/hush", "https is needed"),
            ("git.example.com", "not a URL"),
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hush"), "{text}: {error}");
        }
    }
}
