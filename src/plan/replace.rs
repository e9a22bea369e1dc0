//! A face is trained from other inputs: a new face first, the present one after.
//!
//! | # | new face | wanted | action | reason |
//! |---|---|---|---|---|
//! | 24 | any | a third kind of inputs | as rows 12 to 17, beside | as there |
//! | 25 | any | the present face's inputs | give up | `ReplacementNotWanted` |
//! | 25a | failed or gone | another version of its object, and the policy is `report` now | give up | `ReplacementNotWanted` |
//! | 26 | gone, policy | its inputs | replace `$` | `RecreateReplacement` |
//! | 27 | gone | its inputs | blocked | `ReplacementMissing` |
//! | 28 | failed, policy | its inputs | replace `$` | `RetryReplacement` |
//! | 29 | failed | its inputs | blocked | `ReplacementFailed` |
//! | 30 | tuning failed, wanted ready | its inputs | blocked | `ReplacementTuningFailed` |
//! | 31 | finished, PALs not known | its inputs | blocked | `PalsUnknown` |
//! | 31a | finished, or as rows 26 and 28, the present one protected | its inputs | blocked | `ProtectedFromReplacement` |
//! | 32 | finished | its inputs | switch | `ReplacementReady` |
//! | 33 | in training | its inputs | wait, or update of the present face | `ReplacementTrains` |
//!
//! "Inputs" are those of the fingerprint, and with `on_source_change: retrain` the version of the object too, as far as
//! it is known on both sides. A new face that was made from another version has the fingerprint of the present one: it
//! is given up only where the present one's version is known to lie there again (row 25), and not because nobody could
//! ask. Where neither version lies there, that is a third kind of inputs (row 24).
//!
//! A face that is merely a preview never takes a finished one's place: whatever the manifest waits for, no PAL is
//! pointed to a face that is not as good as it will get.

use crate::face::{
    Attempt, DesiredFace, FaceId, FaceKey, InputChange, Observed, ObservedFace, OnFailed, OnMissing, OnSourceChange,
    Pal, Presence, PreviousFace, RecordedFace, Token, TrainingStatus, WaitFor,
};

use super::adopt::{Failed, adopt_by_token};
use super::decide::{Decision, blocked, input_changes, last_attempt, start};
use super::in_place::{naming_for, update};
use super::material;
use super::views::Views;
use super::{Action, Adopt, Block, Reason, Switch, presence};

/// Rows 12 to 17.
pub(super) fn decide_changed(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    live: &ObservedFace,
    changes: Vec<InputChange>,
) -> Decision {
    let is_failed = live.status == TrainingStatus::Failed;
    if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous, Failed::PassedOver) {
        // Nobody can be using a failed face, so nothing has to be switched over.
        return if is_failed { decision } else { beside(decision, &recorded.id) };
    }
    if desired.spec.lifecycle.protect {
        return blocked(Some(&live.id), Block::ProtectedFromReplacement { changes });
    }
    if is_rolled_back(views, key, desired, recorded) {
        return blocked(Some(&recorded.id), Block::RolledBack);
    }
    if is_failed {
        return start(views, key, desired, Some(&live.id), Reason::ChangedAfterFailure(changes));
    }
    replacement(views, key, desired, recorded, Reason::InputsChanged(changes))
}

/// Row 15.
pub(super) fn is_rolled_back(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, recorded: &RecordedFace) -> bool {
    let Some(from) = material::wanted(views, key, desired) else { return false };
    let wanted = Some(from.fingerprint());
    if recorded.rolled_back_from != wanted || views.policy.roll_forward.contains(key) {
        return false;
    }
    // Another version of the object is another recording than any that could have been gone back from.
    let left = recorded.previous.iter().filter_map(|face| face.trained_from.as_ref());
    let mut left = left.filter(|made| Some(made.fingerprint()) == wanted).peekable();
    let is_newer = left.peek().is_some() && left.all(|made| made.revised(&from).is_some());
    !is_newer
}

/// Row 16: a face that the key had before was made from what is asked for now, and is paid for.
pub(super) fn paid_before(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Option<Decision> {
    let recorded = views.recorded.faces.get(key)?;
    let trained_from = desired.spec.trained_from()?;
    let live = |face: &PreviousFace| views.observed.faces.get(&face.id);
    let made = recorded.previous.iter().rev().filter(|face| has_wanted_inputs(views, key, desired, face));
    if let Some(back) = made.clone().find(|face| live(face).is_some_and(|live| may_serve(live, desired))) {
        return Some(switch(views, desired, recorded, &back.id, Reason::PreviousHasInputs));
    }
    // One that was given up while it trained is waited for again, and none is bought. Nor is one for a face that can
    // be used and is not as good as wanted: what it is short of blocks it.
    let is_worth_it = |live: &ObservedFace| live.status != TrainingStatus::Failed;
    // The last attempt at these inputs failed: changing one's mind twice is no reason to buy another one.
    let may_retry = |face: &PreviousFace| {
        views.policy.retry.contains(key)
            || (desired.spec.lifecycle.on_failed == OnFailed::Retry
                && material::is_first_try(recorded, face.attempt, face.trained_from.as_ref()))
    };
    let last = last_attempt(views, key, desired, material::wanted(views, key, desired).as_ref());
    let is_last = |face: &PreviousFace| Some(face.attempt) == last && !may_retry(face);
    let Some(back) = made.clone().find(|face| live(face).is_some_and(is_worth_it)) else {
        let failed = made.filter(|face| is_last(face)).find_map(live)?;
        return Some(blocked(Some(&recorded.id), Block::ReplacementFailed(failed.error.clone())));
    };
    let adopt = Adopt {
        id: back.id.clone(),
        token: back.token.clone(),
        trained_from: back.trained_from.clone().or(Some(trained_from)),
        moved_from: None,
        beside: Some(recorded.id.clone()),
    };
    Some((Some(back.id.clone()), Action::Adopt(adopt), Reason::PreviousHasInputs))
}

/// Returns whether a face from before was made from what is asked for now.
pub(super) fn has_wanted_inputs(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, face: &PreviousFace) -> bool {
    let Some(from) = material::wanted(views, key, desired) else { return false };
    let wanted = from.fingerprint();
    match &face.trained_from {
        // Another version of the object only where the manifest says that it matters.
        Some(made) => made.fingerprint() == wanted && made.revised(&from).is_none(),
        // Where its inputs were never known, its token tells, which may still stand in its name.
        None => {
            let shown = || views.observed.faces.get(&face.id).and_then(ObservedFace::token);
            let wanted = Token::of(&views.desired.project, key, &wanted, Attempt::FIRST);
            face.token.clone().or_else(shown).is_some_and(|token| token.content() == wanted.content())
        }
    }
}

/// Rows 24 to 33.
pub(super) fn decide_beside(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    successor: &RecordedFace,
) -> Decision {
    // Where it may be the present one that was made from what lies there, that is no reason to leave the new one.
    let is_unclear = is_of_version(desired, recorded, successor)
        && recorded.trained_from.as_ref().is_none_or(|from| from.revision.is_none());
    let changes = input_changes(views, key, desired, successor).filter(|_| !is_unclear);
    if is_present_enough(views, key, desired, recorded, changes.is_some()) {
        return (Some(recorded.id.clone()), Action::GiveUp(successor.id.clone()), Reason::ReplacementNotWanted);
    }
    if let Some(changes) = changes {
        return decide_third(views, key, desired, recorded, changes);
    }
    let present = Some(recorded.id.clone());
    let new = match presence(successor, views.observed) {
        Presence::Present(new) => new,
        Presence::Unknown => {
            return match views.observed.gap() {
                Some(why) => blocked(Some(&recorded.id), Block::ListingIncomplete(why.to_owned())),
                None => (present, Action::Wait, Reason::ReplacementTrains),
            };
        }
        Presence::Gone => {
            if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous, Failed::PassedOver) {
                return beside(decision, &recorded.id);
            }
            let by_policy = desired.spec.lifecycle.on_missing == OnMissing::Recreate
                && is_needed(views, key, desired, recorded, successor);
            if by_policy || views.policy.recreate.contains(key) {
                return replacement(views, key, desired, recorded, Reason::RecreateReplacement);
            }
            return blocked(Some(&recorded.id), Block::ReplacementMissing);
        }
    };
    match (&new.status, desired.spec.lifecycle.wait_for) {
        (TrainingStatus::Failed, _) => {
            let is_first = material::is_first_try(recorded, successor.attempt, successor.trained_from.as_ref());
            let by_policy = desired.spec.lifecycle.on_failed == OnFailed::Retry
                && is_first
                && is_needed(views, key, desired, recorded, successor);
            if by_policy || views.policy.retry.contains(key) {
                let reason = Reason::RetryReplacement(new.error.clone());
                return replacement(views, key, desired, recorded, reason);
            }
            blocked(Some(&recorded.id), Block::ReplacementFailed(new.error.clone()))
        }
        (TrainingStatus::TuningFailed, WaitFor::Ready) => blocked(Some(&recorded.id), Block::ReplacementTuningFailed),
        _ if !may_serve(new, desired) => while_it_trains(views, desired, recorded),
        _ => match protected(views, key, desired, recorded) {
            Some(decision) => decision,
            None => switch(views, desired, recorded, &successor.id, Reason::ReplacementReady),
        },
    }
}

/// Row 25: the present face was made from what is wanted. Where nobody knows from what it was made, that counts only
/// against a new face that is not wanted itself: unknown never differs.
fn is_present_enough(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    has_unwanted: bool,
) -> bool {
    let successor = recorded.successor.as_deref().filter(|next| is_of_version(desired, recorded, next));
    if let Some(next) = successor.filter(|_| !has_unwanted) {
        // As long as nobody knows that it is the present one's version that lies there, the newer of the two is what
        // was asked for last.
        let is_known = material::lies_as_made(views, key, desired, recorded);
        if !is_known && !is_failed_for_nothing(views, key, desired, recorded, next) {
            return false;
        }
    }
    let is_known = recorded.trained_from.is_some() || recorded.token.is_some();
    let is_good = is_known && serving(recorded, views.observed).is_some();
    (has_unwanted || is_good) && input_changes(views, key, desired, recorded).is_none()
}

/// Returns whether a new face has the inputs of the present one, so that it was made from another version of their
/// object.
fn is_of_version(desired: &DesiredFace, recorded: &RecordedFace, successor: &RecordedFace) -> bool {
    let next = successor.fingerprint();
    next.is_some() && next == recorded.fingerprint() && material::is_object(desired)
}

/// Returns whether a training instead of a new face that came to nothing would make what the key does not have: not
/// where the present face serves, and nobody knows that another version lies there than it was made from.
fn is_needed(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    successor: &RecordedFace,
) -> bool {
    !is_of_version(desired, recorded, successor)
        || serving(recorded, views.observed).is_none()
        || material::lies_otherwise(views, key, desired, recorded)
}

/// Returns whether nothing came of the training for another version of the object, which the manifest does not ask for
/// any more: then the present face is good enough, unless a person wants it tried again.
fn is_failed_for_nothing(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    successor: &RecordedFace,
) -> bool {
    let is_failed = match presence(successor, views.observed) {
        Presence::Present(new) => new.status == TrainingStatus::Failed,
        Presence::Gone => true,
        Presence::Unknown => false,
    };
    let is_told = desired.spec.lifecycle.on_source_change == OnSourceChange::Report;
    let is_insisted_on = views.policy.retry.contains(key) || views.policy.recreate.contains(key);
    is_failed && is_told && !is_insisted_on && serving(recorded, views.observed).is_some()
}

/// Returns the present face of a key where it may be in use: nothing takes its place before it is ready.
pub(crate) fn serving<'a>(recorded: &'a RecordedFace, observed: &Observed) -> Option<&'a FaceId> {
    match presence(recorded, observed) {
        Presence::Gone => None,
        Presence::Present(live) if live.status == TrainingStatus::Failed => None,
        Presence::Present(_) | Presence::Unknown => Some(&recorded.id),
    }
}

/// Row 24: the new face is one more that is left for another one.
fn decide_third(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    changes: Vec<InputChange>,
) -> Decision {
    if let (Presence::Unknown, None) = (presence(recorded, views.observed), views.observed.gap()) {
        return (Some(recorded.id.clone()), Action::Wait, Reason::NotShownYet);
    }
    if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous, Failed::PassedOver) {
        return beside(decision, &recorded.id);
    }
    if desired.spec.lifecycle.protect {
        return blocked(Some(&recorded.id), Block::ProtectedFromReplacement { changes });
    }
    if is_rolled_back(views, key, desired, recorded) {
        return blocked(Some(&recorded.id), Block::RolledBack);
    }
    replacement(views, key, desired, recorded, Reason::InputsChanged(changes))
}

/// Row 33: what drifted on the face that serves meanwhile is put back meanwhile.
fn while_it_trains(views: &Views<'_>, desired: &DesiredFace, recorded: &RecordedFace) -> Decision {
    let id = Some(recorded.id.clone());
    if let Presence::Present(live) = presence(recorded, views.observed)
        && live.status != TrainingStatus::Failed
        && let Some((update, reason)) =
            update(naming_for(views.desired.naming, recorded, &views.shared), desired, recorded, live)
    {
        return (id, Action::Update(update), reason);
    }
    (id, Action::Wait, Reason::ReplacementTrains)
}

/// Returns whether a face is as good as it will get, and good enough to take a place in which it is used.
pub(crate) fn may_serve(live: &ObservedFace, desired: &DesiredFace) -> bool {
    match live.status {
        TrainingStatus::Ready => true,
        TrainingStatus::TuningFailed => desired.spec.lifecycle.wait_for != WaitFor::Ready,
        TrainingStatus::Training | TrainingStatus::Preview | TrainingStatus::Failed | TrainingStatus::Unknown(_) => {
            false
        }
    }
}

/// Rows 16, 31 and 32.
fn switch(views: &Views<'_>, desired: &DesiredFace, recorded: &RecordedFace, to: &FaceId, reason: Reason) -> Decision {
    let id = Some(recorded.id.clone());
    let pals = match (&views.observed.pals, desired.spec.lifecycle.repoint_pals) {
        (_, false) | (None, true) => None,
        (Some(pals), true) => match &pals.missing {
            Some(why) => return blocked(Some(&recorded.id), Block::PalsUnknown(why.clone())),
            None => {
                let left = recorded.in_use_but(to);
                Some(left.iter().filter_map(|id| pals.by_face.get(id)).flatten().cloned().collect::<Vec<Pal>>())
            }
        },
    };
    (id, Action::Switch(Switch { from: recorded.id.clone(), to: to.clone(), pals }), reason)
}

/// Row 31a: a face that may be in use is protected; nothing is paid for, or put in its place, to replace it.
fn protected(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, recorded: &RecordedFace) -> Option<Decision> {
    let serving = serving(recorded, views.observed).filter(|_| desired.spec.lifecycle.protect)?;
    let changes = input_changes(views, key, desired, recorded).unwrap_or_default();
    Some(blocked(Some(serving), Block::ProtectedFromReplacement { changes }))
}

/// Starts the training of a face that is to take the present one's place.
fn replacement(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    reason: Reason,
) -> Decision {
    if let Some(decision) = protected(views, key, desired, recorded) {
        return decision;
    }
    let (id, mut action, reason) = beside(start(views, key, desired, Some(&recorded.id), reason), &recorded.id);
    if let Action::Replace(create) = &mut action {
        create.gives_up = recorded.successor.as_ref().map(|successor| successor.id.clone());
    }
    (id, action, reason)
}

/// Says that what was decided is about a face beside the present one.
fn beside((id, action, reason): Decision, present: &FaceId) -> Decision {
    match action {
        Action::Create(create) => (Some(present.clone()), Action::Replace(create), reason),
        Action::Adopt(mut adopt) => {
            adopt.beside = Some(present.clone());
            (id, Action::Adopt(adopt), reason)
        }
        other => (id, other, reason),
    }
}
