//! What can go wrong with fetching, and how it is told. Holds hosts and statuses; no path, no query, no header of ours.

use std::fmt;
use std::io;
use std::time::Duration;

use super::reach::{Private, Unresolved};
use super::refusal::Code;
use crate::http::{CertificateProblem as Tls, cause, told};

/// Which server is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: String,
    /// Whether a redirect led there.
    pub(super) is_redirected: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, is_redirected } = self;
        write!(f, "`{host}`{}", if *is_redirected { " (which it redirects to)" } else { "" })
    }
}

/// Where a redirect leads that is no https. Not its own text, which may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Other,
}

impl Scheme {
    pub(super) fn of(text: &str) -> Self {
        if text == "http" { Self::Http } else { Self::Other }
    }
}

/// Why nothing came, or not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A host that is private by its text.
    NotPublic(Place),
    /// A name that stands for a private address, seen when connecting.
    Private(Place),
    NotHttps(Place, Scheme),
    Credentials(Place),
    TooManyRedirects(usize),
    Circle(Place),
    /// A redirect without a target, or with one that is no URL.
    NoTarget(Place, u16),
    NoSuchHost(Place),
    ConnectionRefused(Place),
    Certificate(Place, Tls),
    NotConnected(Place, String),
    Late(Place, Duration),
    Broken(Place, String),
    Status(Place, u16, Option<Code>),
    /// A part was asked for, and the answer is none.
    NotThatPart(Place, &'static str),
    /// More than one link is worth: requests, bytes or time.
    Spent(&'static str),
}

impl Trouble {
    /// Tells what the HTTP library could not finish; `within` is the time it had.
    pub(super) fn of(error: &reqwest::Error, place: Place, within: Duration) -> Self {
        if cause::<Private>(error).is_some() {
            return Self::Private(place);
        }
        if cause::<Unresolved>(error).is_some() {
            return Self::NoSuchHost(place);
        }
        if let Some(error) = cause::<rustls::Error>(error) {
            return match Tls::of(error) {
                // Not about the certificate: the causes say more.
                None => Self::NotConnected(place, error.to_string()),
                Some(tls) => Self::Certificate(place, tls),
            };
        }
        if error.is_timeout() {
            return Self::Late(place, within);
        }
        let why = told(error, within);
        match cause::<io::Error>(error).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => Self::ConnectionRefused(place),
            _ if error.is_connect() => Self::NotConnected(place, why),
            _ => Self::Broken(place, why),
        }
    }

    /// Returns whether asking again in a moment may bring what was asked for.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Late(..) | Self::Broken(..) => true,
            Self::Status(_, status, _) => *status == 429 || (500..600).contains(status),
            _ => false,
        }
    }

    /// Returns whether the link itself was refused or led nowhere, as a link does that is used up.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Status(_, status, _) if (400..500).contains(status) && *status != 429)
    }
}

/// What was found, without what follows from it: a lower-case fragment.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPublic(place) => write!(f, "{place} cannot be reached from the public internet"),
            Self::Private(place) => write!(f, "the name {place} stands for an address that is not public"),
            Self::NotHttps(place, Scheme::Http) => write!(f, "it redirects to http on `{}`", place.host),
            Self::NotHttps(_, Scheme::Other) => {
                f.write_str("it redirects to an address that is neither https nor http")
            }
            Self::Credentials(place) => write!(f, "it redirects to `{}` with a user name or password", place.host),
            Self::TooManyRedirects(limit) => write!(f, "it redirects more than {limit} times"),
            Self::Circle(place) => write!(f, "it redirects in a circle, by way of `{}`", place.host),
            Self::NoTarget(place, status) => write!(f, "{place} answers HTTP {status} and does not say where to go on"),
            Self::NoSuchHost(place) => write!(f, "the name {place} cannot be resolved"),
            Self::ConnectionRefused(place) => write!(f, "{place} refuses the connection"),
            Self::Certificate(place, tls) => {
                let what = match tls {
                    Tls::Expired => "has expired",
                    Tls::NotYetValid => "is not valid yet",
                    Tls::OtherName => "is for another name",
                    Tls::UnknownIssuer => "comes from nobody who is known, such as itself",
                    Tls::Other => "cannot be trusted",
                };
                write!(f, "the certificate of {place} {what}")
            }
            Self::NotConnected(place, why) => write!(f, "there is no connection to {place}: {why}"),
            Self::Late(place, within) => write!(f, "{place} did not answer within {:.1} s", within.as_secs_f64()),
            Self::Broken(place, why) => write!(f, "the answer of {place} broke off: {why}"),
            Self::Status(place, status, None) => write!(f, "{place} answers HTTP {status}"),
            Self::Status(place, status, Some(code)) => write!(f, "{place} answers HTTP {status}: {}", code.words()),
            Self::NotThatPart(place, why) => write!(f, "{place} was asked for a part, and {why}"),
            Self::Spent(what) => write!(f, "looking into it takes more {what} than one link is worth"),
        }
    }
}
