//! A face is trained from other inputs: a new face first, the present one after.
//!
//! | # | new face | wanted | action | reason |
//! |---|---|---|---|---|
//! | 24 | any | a third kind of inputs | as rows 12 to 17, beside | as there |
//! | 25 | any | the present face's inputs | give up | `ReplacementNotWanted` |
//! | 26 | gone, policy | its inputs | replace `$` | `RecreateReplacement` |
//! | 27 | gone | its inputs | blocked | `ReplacementMissing` |
//! | 28 | failed, policy | its inputs | replace `$` | `RetryReplacement` |
//! | 29 | failed | its inputs | blocked | `ReplacementFailed` |
//! | 30 | tuning failed, wanted ready | its inputs | blocked | `ReplacementTuningFailed` |
//! | 31 | finished, PALs not known | its inputs | blocked | `PalsUnknown` |
//! | 32 | finished | its inputs | switch | `ReplacementReady` |
//! | 33 | in training | its inputs | wait, or update of the present face | `ReplacementTrains` |
//!
//! A face that is merely a preview never takes a finished one's place: whatever the manifest waits for, no PAL is
//! pointed to a face that is not as good as it will get.

use crate::face::{
    Attempt, Coverage, DesiredFace, FaceId, FaceKey, InputChange, ObservedFace, OnFailed, OnMissing, Pal, Presence,
    PreviousFace, RecordedFace, Token, TrainingStatus, WaitFor,
};

use super::decide::{Decision, Failed, adopt_by_token, blocked, input_changes, start};
use super::in_place::{naming_for, update};
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
    let attempt = fresh_attempt(views, key, desired, recorded);
    if is_failed {
        return start(views, key, desired, attempt, Some(&live.id), Reason::ChangedAfterFailure(changes));
    }
    if let Some(decision) = back_again(views, key, desired, recorded) {
        return decision;
    }
    replacement(views, key, desired, recorded, attempt, Reason::InputsChanged(changes))
}

/// Rows 15 and 16.
fn back_again(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, recorded: &RecordedFace) -> Option<Decision> {
    let wanted = Some(desired.spec.fingerprint());
    if recorded.rolled_back_from == wanted && !views.policy.roll_forward.contains(key) {
        return Some(blocked(Some(&recorded.id), Block::RolledBack));
    }
    let live = |face: &PreviousFace| views.observed.faces.get(&face.id);
    let mut made = recorded.previous.iter().rev().filter(|face| face.fingerprint() == wanted);
    if let Some(back) = made.clone().find(|face| live(face).is_some_and(|live| may_serve(live, desired))) {
        return Some(switch(views, desired, recorded, &back.id, Reason::PreviousHasInputs));
    }
    // One that was given up while it trained is paid for: it is waited for again, and none is bought.
    let is_on_its_way = |live: &ObservedFace| !live.status.is_final();
    let back = made.find(|face| live(face).is_some_and(is_on_its_way))?;
    let adopt = Adopt {
        id: back.id.clone(),
        token: back.token.clone(),
        trained_from: back.trained_from.clone(),
        moved_from: None,
        beside: Some(recorded.id.clone()),
    };
    Some((Some(back.id.clone()), Action::Adopt(adopt), Reason::PreviousHasInputs))
}

/// Rows 24 to 33.
pub(super) fn decide_beside(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    successor: &RecordedFace,
) -> Decision {
    if let Some(changes) = input_changes(views, key, desired, successor) {
        let is_known = recorded.trained_from.is_some() || recorded.token.is_some();
        let is_present_again = is_known && input_changes(views, key, desired, recorded).is_none();
        if is_present_again {
            return (Some(recorded.id.clone()), Action::GiveUp(successor.id.clone()), Reason::ReplacementNotWanted);
        }
        return decide_third(views, key, desired, recorded, changes);
    }
    let present = Some(recorded.id.clone());
    let new = match presence(successor, views.observed) {
        Presence::Present(new) => new,
        Presence::Unknown => {
            return match &views.observed.coverage {
                Coverage::Partial(why) => blocked(Some(&recorded.id), Block::ListingIncomplete(why.clone())),
                Coverage::Complete => (present, Action::Wait, Reason::ReplacementTrains),
            };
        }
        Presence::Gone => {
            if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous, Failed::PassedOver) {
                return beside(decision, &recorded.id);
            }
            let may_recreate =
                desired.spec.lifecycle.on_missing == OnMissing::Recreate || views.policy.recreate.contains(key);
            if may_recreate {
                let attempt = successor.attempt.next();
                return replacement(views, key, desired, recorded, attempt, Reason::RecreateReplacement);
            }
            return blocked(Some(&recorded.id), Block::ReplacementMissing);
        }
    };
    match (&new.status, desired.spec.lifecycle.wait_for) {
        (TrainingStatus::Failed, _) => {
            let by_policy = desired.spec.lifecycle.on_failed == OnFailed::Retry && successor.attempt == Attempt::FIRST;
            if by_policy || views.policy.retry.contains(key) {
                let reason = Reason::RetryReplacement(new.error.clone());
                return replacement(views, key, desired, recorded, successor.attempt.next(), reason);
            }
            blocked(Some(&recorded.id), Block::ReplacementFailed(new.error.clone()))
        }
        (TrainingStatus::TuningFailed, WaitFor::Ready) => blocked(Some(&recorded.id), Block::ReplacementTuningFailed),
        _ if may_serve(new, desired) => switch(views, desired, recorded, &successor.id, Reason::ReplacementReady),
        _ => while_it_trains(views, desired, recorded),
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
    if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous, Failed::PassedOver) {
        return beside(decision, &recorded.id);
    }
    if desired.spec.lifecycle.protect {
        return blocked(Some(&recorded.id), Block::ProtectedFromReplacement { changes });
    }
    if let Some(decision) = back_again(views, key, desired, recorded) {
        return decision;
    }
    let attempt = fresh_attempt(views, key, desired, recorded);
    replacement(views, key, desired, recorded, attempt, Reason::InputsChanged(changes))
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
            None => Some(pals.by_face.get(&recorded.id).map_or_else(Vec::<Pal>::new, Clone::clone)),
        },
    };
    (id, Action::Switch(Switch { from: recorded.id.clone(), to: to.clone(), pals }), reason)
}

/// Starts the training of a face that is to take the present one's place.
fn replacement(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    attempt: Attempt,
    reason: Reason,
) -> Decision {
    beside(start(views, key, desired, attempt, Some(&recorded.id), reason), &recorded.id)
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

/// Returns the number of the next attempt at the inputs that are wanted now, which may have been tried before.
fn fresh_attempt(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, recorded: &RecordedFace) -> Attempt {
    let wanted = Token::of(&views.desired.project, key, &desired.spec.fingerprint(), Attempt::FIRST);
    let remembered = recorded.previous.iter().filter_map(|face| face.token.as_ref());
    // Of some only the id is remembered; their names tell.
    let was_left = |id: &FaceId| recorded.previous.iter().any(|face| face.id == *id);
    let shown = views.with_token_of(key).iter().filter(|(_, face)| was_left(&face.id)).map(|(token, _)| token);
    let tried = remembered.chain(shown);
    let last = tried.filter(|token| token.is_same_intent(&wanted)).map(Token::attempt).max();
    last.map_or(Attempt::FIRST, Attempt::next)
}
