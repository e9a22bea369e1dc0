//! What a look at training material means for a plan: which version is wanted, what another one leads to, and what keeps
//! a training from being paid for.
//!
//! Which version of an object lies under its name is no part of the fingerprint, and so not of the token's content: a
//! face that is trained anew because its object changed is the next attempt at the same inputs. A machine that knows
//! nothing of versions then takes it for what it is, and buys nothing.

use crate::face::{
    Attempt, Desired, DesiredFace, FaceKey, MaterialSight, OnSourceChange, PreviousFace, Recorded, RecordedFace,
    Revision, TrainedFrom, TrainingInput, TrainingSource,
};

use super::views::Views;
use super::{Block, FacePlan, Plan};

/// Another object lies under the name that a face was trained from, and the manifest does not ask for a new face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// The object's name.
    pub source: String,
    /// What the face was trained from.
    pub before: Revision,
    /// What lies there now.
    pub after: Revision,
}

/// Returns what a face is to be made from as far as it matters: which version only where the manifest says that another
/// one is a reason to train anew.
pub(super) fn wanted(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Option<TrainedFrom> {
    match desired.spec.lifecycle.on_source_change {
        OnSourceChange::Retrain => made_from(views, key, desired),
        OnSourceChange::Report => desired.spec.trained_from(),
    }
}

/// Returns what a training that is started now is made from.
pub(super) fn made_from(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Option<TrainedFrom> {
    let revision = views.observed.material.get(key).and_then(|sight| sight.revision.clone());
    Some(TrainedFrom { revision, ..desired.spec.trained_from()? })
}

/// Returns whether that very version of the object lies there that a face was made from, as far as it matters.
pub(super) fn lies_as_made(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, made: &RecordedFace) -> bool {
    let now = wanted(views, key, desired).filter(|now| now.revision.is_some());
    let made = made.trained_from.as_ref().filter(|made| made.revision.is_some());
    now.zip(made).is_some_and(|(now, made)| made.changes_to(&now).is_empty())
}

/// Returns whether another version of the object lies there than a face was made from.
pub(super) fn lies_otherwise(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, made: &RecordedFace) -> bool {
    let now = made_from(views, key, desired);
    now.zip(made.trained_from.as_ref()).is_some_and(|(now, made)| made.revised(&now).is_some())
}

/// Returns what keeps a training from being paid for, as far as its material was looked at.
pub(super) fn block(views: &Views<'_>, key: &FaceKey) -> Option<Block> {
    let findings: Vec<_> = views.observed.material.get(key)?.errors().cloned().collect();
    (!findings.is_empty()).then_some(Block::Material(findings))
}

/// Returns how the object that a face was trained from changed since, where nothing follows from it.
pub(super) fn source_change(views: &Views<'_>, key: &FaceKey) -> Option<SourceChange> {
    let (desired, recorded) = (views.desired.faces.get(key)?, views.recorded.faces.get(key)?);
    let made = latest(recorded).trained_from.as_ref()?;
    let now = made_from(views, key, desired)?;
    let (before, after) = made.revised(&now)?;
    let is_report = desired.spec.lifecycle.on_source_change == OnSourceChange::Report;
    is_report.then(|| SourceChange { source: now.source.clone(), before: before.clone(), after: after.clone() })
}

/// Returns whether a face from before may be what is asked for, where nobody knows what that is: the file cannot be read,
/// or nobody could ask which version of the object lies there.
pub(super) fn may_be_asked_for(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    (present, before): (&RecordedFace, &PreviousFace),
) -> bool {
    if is_unread(desired) {
        return may_be_of(desired, before.trained_from.as_ref());
    }
    let is_told = desired.spec.lifecycle.on_source_change == OnSourceChange::Report;
    let Some(wanted) = made_from(views, key, desired).filter(|wanted| wanted.revision.is_none()) else { return false };
    let (Some(present), Some(before)) = (&present.trained_from, &before.trained_from) else { return false };
    let is_known = is_object(desired) && present.revision.is_some();
    let is_other = before.revision.is_none() || present.revised(before).is_some();
    !is_told && is_known && is_other && before.fingerprint() == wanted.fingerprint()
}

/// Returns a declared key that nothing is recorded for, whose file cannot be read, and that may be made from just what
/// a face was made from.
pub(super) fn unread<'a>(views: &Views<'a>, made: Option<&TrainedFrom>) -> Option<&'a FaceKey> {
    let is_it = |(key, face): &(&FaceKey, &DesiredFace)| {
        is_unread(face) && !views.recorded.faces.contains_key(*key) && may_be_of(face, made)
    };
    views.desired.faces.iter().find(is_it).map(|(key, _)| key)
}

/// Returns whether a face is trained from something that could not be looked at.
fn is_unread(face: &DesiredFace) -> bool {
    face.spec.training.is_some() && face.spec.trained_from().is_none()
}

/// Returns whether nothing stands against a face having been made from what is asked for, whatever that is.
fn may_be_of(desired: &DesiredFace, made: Option<&TrainedFrom>) -> bool {
    let kind = desired.spec.training.as_ref().map(TrainingInput::kind);
    made.is_none_or(|made| made.model == desired.spec.model && Some(made.kind) == kind)
}

/// Returns whether a face was the first try at what it was made from: at its inputs, or at this version of their object.
/// Where the face of the attempt before is not remembered, nothing shows that it was another version: then it was not.
pub(super) fn is_first_try(recorded: &RecordedFace, attempt: Attempt, made: Option<&TrainedFrom>) -> bool {
    if attempt == Attempt::FIRST {
        return true;
    }
    let Some(made) = made else { return false };
    let present = std::iter::once(recorded).chain(recorded.successor.as_deref());
    let present = present.map(|face| (face.attempt, face.trained_from.as_ref()));
    let all = present.chain(recorded.previous.iter().map(|face| (face.attempt, face.trained_from.as_ref())));
    let is_of_inputs = |from: &TrainedFrom| from.fingerprint() == made.fingerprint();
    let earlier: Vec<(Attempt, &TrainedFrom)> = all
        .filter_map(|(of, from)| Some((of, from?)))
        .filter(|(of, from)| *of < attempt && is_of_inputs(from))
        .collect();
    earlier.iter().any(|(of, _)| of.next() == attempt) && earlier.iter().all(|(_, from)| from.revised(made).is_some())
}

/// Returns the newest face of a key: what the manifest asked for last.
fn latest(recorded: &RecordedFace) -> &RecordedFace {
    recorded.successor.as_deref().unwrap_or(recorded)
}

/// Returns the faces whose plan depends on which version of an object lies under its name: those of which one, the
/// present one or another, was made from a version that is known.
pub fn needs_revision<'a>(desired: &'a Desired, recorded: &'a Recorded) -> impl Iterator<Item = &'a FaceKey> {
    let has_known = |recorded: &RecordedFace| {
        let made = std::iter::once(recorded).chain(recorded.successor.as_deref());
        let made = made.map(|face| &face.trained_from);
        let made = made.chain(recorded.previous.iter().map(|face| &face.trained_from));
        made.flatten().any(|from| from.revision.is_some())
    };
    desired
        .faces
        .iter()
        .filter(move |(key, face)| is_object(face) && recorded.faces.get(*key).is_some_and(has_known))
        .map(|(key, _)| key)
}

/// Returns whether a face is trained from an object, whose content can change under its name.
pub(super) fn is_object(face: &DesiredFace) -> bool {
    face.spec.training.as_ref().is_some_and(|training| matches!(training.source(), TrainingSource::Object(_)))
}

impl Plan {
    /// Returns the faces whose training would be paid for and whose material nobody looked at yet.
    pub fn needs_preflight<'a>(
        &'a self,
        seen: &'a std::collections::BTreeMap<FaceKey, MaterialSight>,
    ) -> impl Iterator<Item = &'a FaceKey> {
        let is_unseen = |key: &FaceKey| seen.get(key).is_none_or(|sight| sight.findings.is_none());
        self.faces.iter().filter(|face| face.action.is_paid()).map(|face| &face.key).filter(move |key| is_unseen(key))
    }

    /// Returns the faces of which another object lies under the name they were trained from, and nothing follows.
    pub fn source_changes(&self) -> impl Iterator<Item = (&FacePlan, &SourceChange)> {
        self.faces.iter().filter_map(|face| Some((face, face.source_change.as_ref()?)))
    }
}
