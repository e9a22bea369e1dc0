//! Nothing is recorded for a declared key: is there a live face that is already it? Rows 2a to 8, and 12.

use crate::face::{
    Attempt, DesiredFace, FaceId, FaceKey, ObservedFace, Ownership, PreviousFace, RecordedFace, Token, TrainedFrom,
    TrainingStatus, is_alike,
};

use super::by_id::decide_by_id;
use super::decide::{Decision, blocked, in_doubt, start};
use super::material;
use super::replace::may_serve;
use super::views::{Views, holds, namesakes, newest, oldest};
use super::{Action, Adopt, Block, Reason, Scope};

/// The annotation by which a manifest says under which key its face was recorded before.
pub(super) const MOVED_FROM: &str = "facectl.dev/moved-from";

/// Rows 2a to 8.
pub(super) fn decide_unrecorded(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Decision {
    if let Some(id) = desired.declared_id() {
        return decide_by_id(views, key, desired, &id);
    }
    if let Some(decision) = adopt_serving(views, key, desired) {
        return decision;
    }
    if let Some(decision) = adopt_serving_version(views, key, desired) {
        return decision;
    }
    if let Some(decision) = adopt_by_token(views, key, desired, &[], Failed::PassedOver) {
        return decision;
    }
    if namesakes(views, desired).is_empty() {
        if let Some(decision) = adopt_by_token(views, key, desired, &[], Failed::Taken) {
            return decision;
        }
        if let Some((_, face)) = newest(views.with_token_of(key)) {
            return of_earlier_inputs(face);
        }
    }
    decide_moved(views, key, desired)
        .or_else(|| adopt_by_name(views, desired))
        .unwrap_or_else(|| start(views, key, desired, None, Reason::New))
}

fn of_earlier_inputs(face: &ObservedFace) -> Decision {
    let adopt = Adopt { id: face.id.clone(), token: face.token(), trained_from: None, moved_from: None, beside: None };
    (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByTokenOfEarlierInputs)
}

/// Returns the adoption of a usable face of earlier inputs, where those of the present inputs are not usable yet.
fn adopt_serving(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Option<Decision> {
    let wanted = Token::of(&views.desired.project, key, &desired.spec.fingerprint()?, Attempt::FIRST);
    // Where there is none of them, no replacement was under way.
    let (new, old): (Vec<_>, Vec<_>) =
        views.with_token_of(key).iter().cloned().partition(|(token, _)| token.is_same_intent(&wanted));
    let is_usable = |(_, face): &(Token, &ObservedFace)| face.status.is_usable();
    if new.is_empty() || new.iter().any(is_usable) {
        return None;
    }
    let usable: Vec<_> = old.into_iter().filter(is_usable).collect();
    newest(&usable).map(|(_, face)| of_earlier_inputs(face))
}

/// Returns the adoption of a usable face, where it was made from an object: a later attempt that still trains is the one
/// for another version, and takes its place once it is ready.
fn adopt_serving_version(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Option<Decision> {
    let trained_from = desired.spec.trained_from().filter(|_| material::is_object(desired))?;
    let wanted = Token::of(&views.desired.project, key, &trained_from.fingerprint(), Attempt::FIRST);
    let usable = views.with_token_of(key).iter();
    let usable = usable.filter(|(token, face)| token.is_same_intent(&wanted) && face.status.is_usable());
    let last = usable.clone().map(|(token, face)| (may_serve(face, desired), token.attempt())).max()?;
    let (token, face) = oldest(usable.filter(|(token, face)| (may_serve(face, desired), token.attempt()) == last))?;
    Some(by_token(face, token, trained_from, None))
}

/// Row 19a: of a face that was taken up by its token nobody knows the version, and a later attempt that nobody recorded
/// is the one for another version: what is paid for is not lost.
pub(super) fn adopt_newer_version(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
) -> Option<Decision> {
    let trained_from = desired.spec.trained_from().filter(|_| material::is_object(desired))?;
    let wanted = Token::of(&views.desired.project, key, &trained_from.fingerprint(), Attempt::FIRST);
    let is_known = recorded.trained_from.as_ref().is_some_and(|from| from.revision.is_some());
    let present = recorded.token.as_ref().filter(|token| !is_known && token.is_same_intent(&wanted))?;
    let is_newer = |(token, face): &&(Token, &ObservedFace)| {
        token.is_same_intent(&wanted)
            && token.attempt() > present.attempt()
            && face.status != TrainingStatus::Failed
            && !recorded.ids().any(|id| *id == face.id)
    };
    let newer = || views.with_token_of(key).iter().filter(is_newer);
    let last = newer().map(|(token, _)| token.attempt()).max()?;
    let (token, face) = oldest(newer().filter(|(token, _)| token.attempt() == last))?;
    Some(by_token(face, token, trained_from, Some(recorded.id.clone())))
}

/// Which version of an object it was made from, a token does not say.
fn by_token(face: &ObservedFace, token: &Token, trained_from: TrainedFrom, beside: Option<FaceId>) -> Decision {
    let adopt = Adopt {
        id: face.id.clone(),
        token: Some(token.clone()),
        trained_from: Some(trained_from),
        moved_from: None,
        beside,
    };
    (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken)
}

/// Whether a failed face may be taken up by its token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// Only where nothing better is there: it shows that this intent was paid for and what came of it.
    Taken,
    /// It must not take the place of a face that may work.
    PassedOver,
}

/// Row 3, and row 12: a live face carries the token of this very intent. Of several attempts the last
/// one counts, of several faces with one token the oldest. Those that were left before are passed over:
/// they failed, or another one took their place.
pub(super) fn adopt_by_token(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    left_before: &[PreviousFace],
    failed: Failed,
) -> Option<Decision> {
    let trained_from = desired.spec.trained_from()?;
    let wanted = Token::of(&views.desired.project, key, &trained_from.fingerprint(), Attempt::FIRST);
    // What the key has is no other face: it was made from the same inputs, from another version of their object.
    let recorded = views.recorded.faces.get(key);
    let is_present = |id: &FaceId| recorded.is_some_and(|recorded| holds(recorded, id));
    let is_taken = |(token, face): &&(Token, &ObservedFace)| {
        token.is_same_intent(&wanted)
            && !left_before.iter().any(|left| left.id == face.id)
            && !is_present(&face.id)
            && (failed == Failed::Taken || face.status != TrainingStatus::Failed)
    };
    let same_intent = || views.with_token_of(key).iter().filter(is_taken);
    let last = same_intent().map(|(token, _)| token.attempt()).max()?;
    let (token, face) = oldest(same_intent().filter(|(token, _)| token.attempt() == last))?;
    Some(by_token(face, token, trained_from, None))
}

/// Row 5: a recorded face that is no longer declared was made from the very same inputs. A rename of the key
/// must not buy a second one.
pub(super) fn decide_moved(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Option<Decision> {
    let is_left = |other: &FaceKey| !views.desired.faces.contains_key(other);
    if let Some(from) = desired.annotations.get(MOVED_FROM)
        && let Some((from, old)) =
            views.recorded.faces.iter().find(|(other, _)| other.as_str() == from && is_left(other))
    {
        // What becomes of its open create decides which face it is that moves.
        if let Some(open) = views.recorded.open.get(from) {
            return Some(in_doubt(open));
        }
        // One face belongs to one key: of several that claim it, the one that sorts first.
        if let Some(first) = claimant(views, from).filter(|first| *first != key) {
            return Some(blocked(Some(&old.id), Block::HeldByOther { id: old.id.clone(), by: first.clone() }));
        }
        let adopt = Adopt {
            id: old.id.clone(),
            token: old.token.clone(),
            trained_from: old.trained_from.clone(),
            moved_from: Some(from.clone()),
            beside: None,
        };
        return Some((Some(old.id.clone()), Action::Adopt(adopt), Reason::Moved(from.clone())));
    }
    if views.policy.create_new.contains(key) {
        return None;
    }
    // Two faces of which nobody knows what they were made from have nothing in common.
    let fingerprint = Some(desired.spec.fingerprint()?);
    let is_it = |face: &RecordedFace| {
        // Of a part of the manifests nobody knows what is declared elsewhere: both must agree then.
        face.fingerprint() == fingerprint
            && (views.policy.scope == Scope::Whole || is_alike(face.name.as_str(), desired.spec.face_name.as_str()))
    };
    let (from, old) = views.recorded.faces.iter().find(|(other, face)| is_left(other) && is_it(face))?;
    Some(blocked(Some(&old.id), Block::Renamed(from.clone())))
}

/// Returns the key that takes over what is recorded under a key that left.
pub(super) fn claimant<'a>(views: &Views<'a>, from: &FaceKey) -> Option<&'a FaceKey> {
    let claims = |(key, face): &(&FaceKey, &DesiredFace)| {
        face.annotations.get(MOVED_FROM).is_some_and(|claimed| claimed == from.as_str())
            && !views.recorded.faces.contains_key(*key)
    };
    views.desired.faces.iter().find(claims).map(|(key, _)| key)
}

/// Row 6: the name alone is never an identity, unless the policy says so and nothing else fits.
fn adopt_by_name(views: &Views<'_>, desired: &DesiredFace) -> Option<Decision> {
    let [face] = namesakes(views, desired) else { return None };
    let is_that_model = face.model.as_deref().is_none_or(|model| model == desired.spec.model.as_str());
    let is_wanted_once = views.is_wanted_once(desired);
    let is_ours = face.ownership == Ownership::User && face.token().is_none();
    let is_named = views.named.contains_key(&face.id);
    if !(views.policy.adopt_by_name && is_that_model && is_wanted_once && is_ours) || is_named {
        return None;
    }
    let adopt = Adopt { id: face.id.clone(), token: None, trained_from: None, moved_from: None, beside: None };
    Some((Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByName))
}
