//! What went wrong with a request, whether it took effect, and whether it may be sent again.

use std::fmt;
use std::time::Duration;

use super::CertificateProblem;

/// A request that did not end in a usable answer. Holds no key and no signature: what the API said is
/// redacted when this is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The path and query, without the host.
    pub path: String,
    /// What happened.
    pub failure: Failure,
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No connection was established: nothing was sent.
    Unreachable(String),
    /// The server's certificate was not accepted: nothing was sent.
    Certificate {
        /// What the TLS library says of it.
        why: String,
        /// What is wrong with it.
        problem: CertificateProblem,
    },
    /// The connection broke, or no whole answer came within the time-out, after the request may have
    /// been sent.
    NoAnswer(String),
    /// An answer that is longer than any that is read.
    TooLong {
        /// The HTTP status.
        status: u16,
        /// How many bytes are read.
        limit: usize,
    },
    /// A complete answer with a status that is not a success.
    Status {
        /// The HTTP status.
        status: u16,
        /// The API's own words: `error`, else `message`, else the beginning of the body; redacted.
        message: String,
        /// What `Retry-After` says, if it is there and readable.
        retry_after: Option<Duration>,
    },
    /// A success whose body could not be read as what it should be; the text says why.
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// Why it could not be read, with the beginning of the body; redacted.
        why: String,
    },
}

/// Whether a request changed anything on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Proven: it did not.
    No,
    /// It did.
    Yes,
    /// Nobody can tell from here.
    Unknown,
}

/// Whether a request that may be repeated at all is worth repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same answer would come.
    Never,
    /// The other side said when.
    After(Duration),
    /// It may pass: wait a little longer each time.
    Backoff,
}

impl ApiError {
    /// Returns the HTTP status, if a complete answer came.
    pub fn status(&self) -> Option<u16> {
        match self.failure {
            Failure::Status { status, .. } | Failure::Unreadable { status, .. } | Failure::TooLong { status, .. } => {
                Some(status)
            }
            Failure::Unreachable(_) | Failure::Certificate { .. } | Failure::NoAnswer(_) => None,
        }
    }

    /// Returns whether the key was refused: 401 or 403 (the latter undocumented, treated alike).
    pub fn is_key_refused(&self) -> bool {
        matches!(self.failure, Failure::Status { status: 401 | 403, .. })
    }

    /// Returns what this failure proves about a request that changes something.
    pub fn effect(&self) -> Effect {
        match self.failure {
            // The certificate is checked before the first byte of the request is written.
            Failure::Unreachable(_) | Failure::Certificate { .. } => Effect::No,
            Failure::NoAnswer(_) | Failure::TooLong { .. } | Failure::Status { status: 408 | 409 | 425, .. } => {
                Effect::Unknown
            }
            Failure::Status { status: 400..=499, .. } => Effect::No,
            Failure::Status { .. } => Effect::Unknown,
            Failure::Unreadable { .. } => Effect::Unknown,
        }
    }

    /// Returns whether repeating the request could help. Only for requests that may be repeated at all.
    pub fn retry(&self) -> Retry {
        match self.failure {
            Failure::Unreachable(_) | Failure::NoAnswer(_) | Failure::Unreadable { .. } => Retry::Backoff,
            Failure::Status { status: 408 | 425 | 429 | 500 | 502 | 503 | 504, retry_after, .. } => {
                retry_after.map_or(Retry::Backoff, Retry::After)
            }
            Failure::Status { .. } | Failure::Certificate { .. } | Failure::TooLong { .. } => Retry::Never,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, failure } = self;
        write!(f, "{method} {path}: ")?;
        match failure {
            Failure::Unreachable(why) => write!(f, "no connection ({why})"),
            Failure::Certificate { why, .. } => write!(f, "no connection, as the certificate is not accepted ({why})"),
            Failure::TooLong { status, limit } => write!(f, "HTTP {status} with more than {limit} bytes"),
            Failure::NoAnswer(why) => write!(f, "no complete answer ({why})"),
            Failure::Status { status, message, .. } if message.is_empty() => write!(f, "HTTP {status}"),
            Failure::Status { status, message, .. } => write!(f, "HTTP {status}: {message}"),
            Failure::Unreadable { status, why } => {
                write!(f, "HTTP {status} with a body that is not what it should be: {why}")
            }
        }
    }
}

impl std::error::Error for ApiError {}
