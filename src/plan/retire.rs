//! What becomes of faces that nobody asks for any more: those that left the manifests, and those that were replaced.
//!
//! | # | live | allowed | action | reason |
//! |---|---|---|---|---|
//! | 34 | none is left of it | | forget | `LeftManifestsAndGone` |
//! | 35 | any | `on_removal: retain` | orphaned | `LeftManifests` |
//! | 36 | any | protected | orphaned | `LeftManifestsKept` |
//! | 36a | any, a manifest was skipped or the file is still there | yes | orphaned | `LeftManifestsKept` |
//! | 37 | any | no `--prune` | orphaned | `LeftManifestsPrunable` |
//! | 38 | not whole, or a create in doubt | yes | orphaned | `LeftManifestsKept` |
//! | 39 | any, nothing is declared at all | no `--allow-empty` | orphaned | `LeftManifestsKept` |
//! | 40 | failed within a day | no `--prune-failed` | orphaned | `LeftManifestsKept` |
//! | 41 | used by a PAL, or nobody knows | yes | orphaned | `LeftManifestsKept` |
//! | 42 | any other | yes | delete | `Pruned` |
//!
//! The same stands between a face that was replaced and its deletion, and `retire_after` besides; and it stays for
//! as long as the present face cannot be used.

use jiff::{SignedDuration, Timestamp};

use crate::face::{
    FaceId, FaceKey, Observed, ObservedPals, OnRemoval, Pal, Presence, PreviousFace, RecordedFace, TrainingStatus,
};

use super::adopt::claimant;
use super::decide::{Decision, input_changes};
use super::material;
use super::replace::has_wanted_inputs;
use super::views::Views;
use super::{Action, Delete, Fate, Keep, Reason, Retired, presence};

/// How long a failed face is kept: deleting it soon after its failure may stop the refund (documentation on training
/// failures, docs.tavus.io, 2026). How long the refund takes is not said.
const REFUND_TAKES: SignedDuration = SignedDuration::from_hours(24);

/// After how long a training is over, one way or the other. They take 3 to 8 hours (documentation, October 2026).
const TRAINING_ENDS: SignedDuration = SignedDuration::from_hours(24);

/// Rows 34 to 42.
pub(super) fn decide_undesired(views: &Views<'_>, key: &FaceKey, recorded: &RecordedFace) -> Decision {
    let id = Some(recorded.id.clone());
    if let Some(other) = claimant(views, key) {
        return (id, Action::NoOp, Reason::MovedTo(other.clone()));
    }
    let is_gone = |id: &&FaceId| match *id == &recorded.id {
        true => presence(recorded, views.observed) == Presence::Gone,
        false => views.observed.presence(id) == Presence::Gone,
    };
    // Those from before first, the present one last: it is what the key is known by.
    let mut left: Vec<FaceId> = recorded.ids().filter(|id| !is_gone(id)).cloned().collect();
    left.reverse();
    if left.is_empty() {
        return (id, Action::Forget, Reason::LeftManifestsAndGone);
    }
    if recorded.protect {
        return (id, Action::Orphaned, Reason::LeftManifestsKept(Keep::Protected));
    }
    let is_hard = match recorded.on_removal {
        OnRemoval::Retain => return (id, Action::Orphaned, Reason::LeftManifests),
        OnRemoval::Delete => false,
        OnRemoval::HardDelete => true,
    };
    if let Some(keep) = may_be_declared(views, key) {
        return (id, Action::Orphaned, Reason::LeftManifestsKept(keep));
    }
    if !views.policy.prune {
        return (id, Action::Orphaned, Reason::LeftManifestsPrunable);
    }
    // Nobody may have meant to remove it: only the key was changed, as it seems.
    let renamed = recorded.fingerprint().and_then(|fingerprint| views.unrecorded(fingerprint));
    let renamed = renamed.or_else(|| material::unread(views, recorded.trained_from.as_ref()));
    if let Some(other) = renamed.filter(|other| !views.policy.create_new.contains(*other)) {
        return (id, Action::Orphaned, Reason::LeftManifestsKept(Keep::LooksRenamed(other.clone())));
    }
    match keep(views, key, &left, |id| failed_at(recorded, id)) {
        Some(keep) => (id, Action::Orphaned, Reason::LeftManifestsKept(keep)),
        None => (id, Action::Delete(Delete { faces: left, is_hard }), Reason::Pruned),
    }
}

/// Returns what becomes of the live faces that a declared key had before.
pub(super) fn retired(views: &Views<'_>, key: &FaceKey, action: &Action) -> Vec<Retired> {
    let (Some(recorded), Some(desired)) = (views.recorded.faces.get(key), views.desired.faces.get(key)) else {
        return Vec::new();
    };
    let lifecycle = desired.spec.lifecycle;
    // What is gone back to, or taken up again, is no longer one from before.
    let is_taken_up = |id: &FaceId| match action {
        Action::Switch(switch) => switch.to == *id,
        Action::Adopt(adopt) => adopt.id == *id,
        _ => false,
    };
    // Where the present face is of no use, one from before is all that there is to go back to.
    let is_present_usable = views.observed.faces.get(&recorded.id).is_some_and(|live| live.status.is_usable());
    let live = recorded.previous.iter().filter(|face| views.observed.faces.contains_key(&face.id));
    // While the present one is not what is asked for, such as after a rollback, the one that is must not go.
    let is_other = input_changes(views, key, desired, recorded).is_some();
    let fate = |face: &PreviousFace| {
        let PreviousFace { id, left_at, .. } = face;
        if lifecycle.protect {
            return Fate::Kept(Keep::Protected);
        }
        let is_hard = match lifecycle.on_removal {
            OnRemoval::Retain => return Fate::Retained,
            OnRemoval::Delete => false,
            OnRemoval::HardDelete => true,
        };
        let until = left_at.map(|at| at.saturating_add(lifecycle.retire_after).unwrap_or(Timestamp::MAX));
        if let Some(until) = until.filter(|until| views.observed.at < *until) {
            return Fate::KeptUntil(until);
        }
        if !is_present_usable {
            return Fate::Kept(Keep::PresentNotUsable);
        }
        if is_other && has_wanted_inputs(views, key, desired, face) {
            return Fate::Kept(Keep::AskedFor);
        }
        if material::may_be_asked_for(views, key, desired, (recorded, face)) {
            return Fate::Kept(Keep::MaterialUnknown);
        }
        if let Some(keep) = unread(views) {
            return Fate::Kept(keep);
        }
        if !views.policy.prune {
            return Fate::Prunable;
        }
        match keep(views, key, std::slice::from_ref(id), |id| failed_at(recorded, id)) {
            Some(keep) => Fate::Kept(keep),
            None => Fate::Delete { is_hard },
        }
    };
    live.filter(|face| !is_taken_up(&face.id))
        .map(|face| Retired { key: key.clone(), id: face.id.clone(), left_at: face.left_at, fate: fate(face) })
        .collect()
}

/// Returns what says that a face may be declared after all, in a manifest that lost its shape.
fn may_be_declared(views: &Views<'_>, key: &FaceKey) -> Option<Keep> {
    let still_there = || views.policy.still_there.get(key).cloned().map(Keep::FileStillThere);
    unread(views).or_else(still_there)
}

fn unread(views: &Views<'_>) -> Option<Keep> {
    let files = &views.policy.unread;
    (!files.is_empty()).then(|| Keep::ManifestsUnread(files.clone()))
}

/// Returns what stands against the deletion of live faces of a key, where policy allows it.
fn keep(
    views: &Views<'_>,
    key: &FaceKey,
    faces: &[FaceId],
    failed_at: impl Fn(&FaceId) -> Option<Timestamp>,
) -> Option<Keep> {
    if let Some(why) = views.observed.gap() {
        return Some(Keep::ListingIncomplete(why.to_owned()));
    }
    if views.recorded.open.contains_key(key) {
        return Some(Keep::InDoubt);
    }
    if views.desired.faces.is_empty() && !views.policy.allow_empty {
        return Some(Keep::NothingDeclared);
    }
    let is_other = |holder: &&&FaceKey| **holder != key;
    let held = faces.iter().find_map(|id| views.claims.get(id)?.iter().find(is_other));
    if let Some(other) = held {
        return Some(Keep::HeldBy((*other).clone()));
    }
    if let Some(until) = refund(faces, views.observed, failed_at).filter(|_| !views.policy.prune_failed) {
        return Some(Keep::FailedLately(until));
    }
    // Offline nobody can say which PALs use it, and a deletion that may come must be seen.
    users(views.observed.pals.as_ref(), faces).filter(|_| !views.observed.sight.is_offline())
}

/// Returns when a face was first seen to have failed; where nobody saw it, when its training was over at the latest.
fn failed_at(recorded: &RecordedFace, id: &FaceId) -> Option<Timestamp> {
    let over = |begun: Timestamp| begun.saturating_add(TRAINING_ENDS).unwrap_or(Timestamp::MAX);
    let mut records = std::iter::once(recorded).chain(recorded.successor.as_deref());
    if let Some(record) = records.find(|record| record.id == *id) {
        let seen = record.last_seen.as_ref().filter(|seen| seen.status == TrainingStatus::Failed).map(|seen| seen.at);
        return seen.or(record.created_at.map(over));
    }
    // If it failed, then before it was left; or after it was given up in training.
    let left = recorded.previous.iter().find(|face| face.id == *id)?;
    left.left_at.or(left.created_at).map(over)
}

/// Returns until when the deletion of faces may lose the refund of a failed one; none where it may not.
fn refund(
    faces: &[FaceId],
    observed: &Observed,
    failed_at: impl Fn(&FaceId) -> Option<Timestamp>,
) -> Option<Timestamp> {
    let until = faces.iter().filter_map(|id| {
        let live = observed.faces.get(id)?;
        // When it failed is not said in a listing; a failure that nobody saw before may be a moment old.
        let at = failed_at(id).unwrap_or(observed.at);
        let until = at.saturating_add(REFUND_TAKES).unwrap_or(Timestamp::MAX);
        (live.status == TrainingStatus::Failed && observed.at < until).then_some(until)
    });
    until.max()
}

/// Returns until when the deletion of some faces of a key may lose a refund; none where it may not.
pub(crate) fn refund_until(recorded: &RecordedFace, faces: &[FaceId], observed: &Observed) -> Option<Timestamp> {
    refund(faces, observed, |id| failed_at(recorded, id))
}

/// Returns what the PALs say against the deletion of faces.
pub(crate) fn users(pals: Option<&ObservedPals>, faces: &[FaceId]) -> Option<Keep> {
    let Some(ObservedPals { missing, by_face }) = pals else {
        return Some(Keep::PalsUnknown("they were not looked at".to_owned()));
    };
    let users: Vec<Pal> = faces.iter().filter_map(|id| by_face.get(id)).flatten().cloned().collect();
    match (users.is_empty(), missing) {
        (false, _) => Some(Keep::UsedByPals(users)),
        (true, Some(why)) => Some(Keep::PalsUnknown(why.clone())),
        (true, None) => None,
    }
}
