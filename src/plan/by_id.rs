//! Live faces that somebody names by their id: whether one may be taken under a key, and what a manifest that names
//! one leads to (rows 2a to 2c and 8a of the table in `decide.rs`).

use crate::face::{
    Attempt, DesiredFace, FaceId, FaceKey, ObservedFace, Ownership, Presence, ProjectName, RecordedFace, Token,
    TrainingStatus,
};

use super::adopt::{MOVED_FROM, decide_moved};
use super::decide::{Decision, blocked};
use super::views::Views;
use super::{Action, Adopt, Block, Reason};

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

/// Rows 2a to 2c: the manifest names the live face, so that nothing else is looked for, and nothing is created.
pub(super) fn decide_by_id(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, id: &FaceId) -> Decision {
    // A key that was changed takes its face along.
    if let Some(decision) = desired.annotations.get(MOVED_FROM).and_then(|_| decide_moved(views, key, desired)) {
        return decision;
    }
    let not = |why: NotAdoptable| blocked(Some(id), Block::NotAdoptable { id: id.clone(), why });
    let bearers = views.with_token_of(key);
    let is_another = |(_, face): &&(Token, &ObservedFace)| face.status != TrainingStatus::Failed;
    // One of several that carry its token may well be chosen; beside them, a face that does not is a contradiction.
    if bearers.iter().all(|(_, face)| face.id != *id)
        && let Some((_, other)) = bearers.iter().find(is_another)
    {
        let block = Block::NamesAnother { named: id.clone(), has: other.id.clone(), is_recorded: false };
        return blocked(Some(&other.id), block);
    }
    let live = match views.observed.presence(id) {
        Presence::Present(live) => live,
        Presence::Gone => return not(NotAdoptable::NotFound),
        Presence::Unknown => {
            let why = views.observed.gap().unwrap_or_default().to_owned();
            return blocked(Some(id), Block::ListingIncomplete(why));
        }
    };
    let holder = views.holders.get(id).or_else(|| views.named.get(id)).copied();
    if let Err(why) = adoptable(&views.desired.project, key, live, holder) {
        return not(why);
    }
    let token = live.token();
    let wanted = desired.spec.trained_from();
    // Its token may tell that it was made from today's inputs. Else they are unknown.
    let trained_from = wanted.filter(|wanted| {
        let intent = Token::of(&views.desired.project, key, &wanted.fingerprint(), Attempt::FIRST);
        token.as_ref().is_some_and(|token| token.is_same_intent(&intent))
    });
    let adopt = Adopt { id: id.clone(), token, trained_from, moved_from: None, beside: None };
    (Some(id.clone()), Action::Adopt(adopt), Reason::DeclaredById)
}

/// Row 8a: the manifest names a face that this key never had.
pub(super) fn names_another(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
) -> Option<Decision> {
    let named = desired.declared_id()?;
    if views.holders.get(&named).is_some_and(|holder| *holder == key) {
        return None;
    }
    // A face that was trained here in the place of an imported one outlives it, and so does the annotation.
    let is_live = matches!(views.observed.presence(&named), Presence::Present(_));
    if recorded.token.is_some() && !is_live {
        return None;
    }
    let block = Block::NamesAnother { named, has: recorded.id.clone(), is_recorded: true };
    Some(blocked(Some(&recorded.id), block))
}
