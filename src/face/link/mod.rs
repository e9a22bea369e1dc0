//! Links to training material: the full text, which is a credential, and what identifies the material.
//!
//! A pre-signed link changes each time it is made. What counts as "the same material" is the link
//! without its signature; what people may see is the link with every value that could be a secret
//! shown as `…`.
//!
//! | file | does |
//! |---|---|
//! | `scheme.rs` | the ways of signing that are known |
//! | `identity.rs` | a link without its signature |
//! | `shown.rs` | a link as people may see it |
//! | `expiry.rs` | when a link begins and ends, as far as it says so |
//! | `public.rs` | whether a host can be reached from the public internet |

mod expiry;
mod identity;
mod public;
mod scheme;
mod shown;

use std::fmt;

use url::Url;

pub use expiry::{LinkEnd, TooLong, Validity};
pub use public::is_public_address;
pub use scheme::SigningScheme;

/// A link as it goes over the wire. `Debug` and `Display` never show a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Link(Url);

/// Why a link was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a URL at all.
    #[error("it is not a URL ({0})")]
    NotAUrl(String),
    /// A blank or a line end inside, which a browser would repair and a download may not.
    #[error("it has a blank in it; write %20 where one is meant")]
    Blank,
    /// Not `https:`.
    #[error("its scheme is `{0}`, only https is fetched")]
    NotHttps(String),
    /// No host to fetch from.
    #[error("it names no host")]
    NoHost,
    /// A host that only this machine or this network can reach.
    #[error("`{0}` cannot be reached from the public internet")]
    NotPublic(String),
    /// A user name or password in front of the host.
    #[error("it carries a user name or password")]
    Credentials,
    /// Longer than the API takes.
    #[error("it has {0} characters, 2048 are allowed")]
    TooLong(usize),
}

/// The longest link that the contract allows, in characters.
const LINK_LIMIT: usize = 2048;

impl Link {
    /// Reads a link that Tavus' servers are to fetch or to call.
    ///
    /// # Errors
    /// When the service could not use it: not https, not public, or with credentials in it. A name is
    /// judged by its text only; what it resolves to is not asked here.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let length = text.chars().count();
        if length > LINK_LIMIT {
            return Err(LinkError::TooLong(length));
        }
        if text.chars().any(char::is_whitespace) {
            return Err(LinkError::Blank);
        }
        let url = Url::parse(text).map_err(|error| LinkError::NotAUrl(error.to_string()))?;
        if url.scheme() != "https" {
            return Err(LinkError::NotHttps(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(LinkError::Credentials);
        }
        match url.host() {
            None => return Err(LinkError::NoHost),
            Some(host) if !public::is_public(&host) => return Err(LinkError::NotPublic(host.to_string())),
            Some(_) => {}
        }
        Ok(Self(url))
    }

    /// Returns the whole text, signature included. For the wire only.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// Returns what identifies the material: scheme, host, path and the query without the parameters
    /// of a signature, sorted. Signing a link anew never changes this.
    pub fn identity(&self) -> String {
        identity::of(&self.0)
    }

    /// Returns the link as people may see it: query values are `…`, except those that name a version.
    pub fn shown(&self) -> String {
        shown::shown(&self.0)
    }
}

impl Link {
    /// Returns the host alone: what a receiver of callbacks needs as a secret is put into the path, as Tavus
    /// signs nothing (callback pages, docs.tavus.io, October 2026).
    pub fn shown_host(&self) -> String {
        format!("https://{}/…", self.0.host_str().unwrap_or_default())
    }

    /// Returns the host, where it is one that is reserved for examples and tests (RFC 2606, RFC 6761): nothing can
    /// be fetched from there, now or ever.
    pub fn reserved_host(&self) -> Option<&str> {
        let host = self.0.host_str()?.trim_end_matches('.');
        let is_below = |name: &str| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        let names = ["example.com", "example.net", "example.org", "example", "invalid", "test", "localhost"];
        names.into_iter().any(is_below).then_some(host)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.shown())
    }
}
