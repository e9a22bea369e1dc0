//! Whether a live face that somebody names by its id may be taken under a key.

use crate::face::{FaceKey, ObservedFace, Ownership, ProjectName, Token, TrainingStatus};

/// What stands against taking a live face that was named by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAdoptable {
    /// A complete listing of our own faces does not show it.
    NotFound,
    /// It is not known to be ours: it is of the stock catalogue, or the API does not say whose it is.
    NotOurs,
    /// Another key's record holds it, or another key's manifest names it as well.
    HeldBy(FaceKey),
    /// Its name carries the creation token of another key, or of another project.
    OtherToken(Token),
    /// Its training failed; the API's reason, if it gave one.
    Failed(Option<String>),
}

/// Checks that a live face may be taken under a key. `holder` is the other key that has a claim on it, if one has.
///
/// # Errors
/// With the first thing that stands against it.
pub fn adoptable(
    project: &ProjectName,
    key: &FaceKey,
    live: &ObservedFace,
    holder: Option<&FaceKey>,
) -> Result<(), NotAdoptable> {
    if live.ownership != Ownership::User {
        return Err(NotAdoptable::NotOurs);
    }
    if let Some(holder) = holder.filter(|holder| *holder != key) {
        return Err(NotAdoptable::HeldBy(holder.clone()));
    }
    if let Some(token) = live.token().filter(|token| token.owner() != Token::owner_of(project, key)) {
        return Err(NotAdoptable::OtherToken(token));
    }
    if live.status == TrainingStatus::Failed {
        return Err(NotAdoptable::Failed(live.error.clone()));
    }
    Ok(())
}
