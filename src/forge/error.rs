//! Why something could not be said at the forge.

use crate::http::{ApiError, ClientError, Failure};

use super::{ForgeKind, Label};

/// Why something could not be said at the forge.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// No client could be made. Nothing was sent.
    #[error("the HTTPS client cannot be made")]
    Client(#[source] ClientError),
    /// A request failed.
    #[error("{what} failed")]
    Call {
        /// What it was for. Fits after "failed to".
        what: String,
        /// Which forge.
        kind: ForgeKind,
        /// What happened.
        source: ApiError,
    },
    /// The forge does not say whose token it is, so that one's own comments cannot be told from others'.
    #[error("the forge does not say whose token it is")]
    NoIdentity(#[source] ApiError),
    /// A listing goes on and on.
    #[error("the listing has more than {0} pages")]
    Endless(u32),
    /// An issue was opened without its label, so that the next run would not find it.
    #[error("the issue {issue} was opened, but the label `{label}` was not set", label = .label.as_str())]
    Unlabelled {
        /// Its link or number.
        issue: String,
        /// The label.
        label: Label,
    },
    /// Others wrote as often as we did.
    #[error("other jobs changed it as often as this one")]
    Unsettled,
}

impl ForgeError {
    /// Returns whether the token has no right to do this, as far as the forge tells: it also answers like that where
    /// there is no such repository or pull request.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Call { source: ApiError { failure: Failure::Status { status: 403 | 404, .. }, .. }, .. })
    }
}
