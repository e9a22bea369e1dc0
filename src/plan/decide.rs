//! One face, one action: the decision table.
//!
//! Rows are tried from the top; the first that fits decides. "New" is the face that is to take the recorded
//! one's place (its successor).
//!
//! | # | desired | open create | recorded | live | action | reason |
//! |---|---|---|---|---|---|---|
//! | 1 | any | yes | any | carries its token | adopt | `FoundByToken` |
//! | 2 | any | yes | any | not found | blocked | `InDoubt` |
//! | 2a | by id | | no | the named one, which is free to take | adopt | `DeclaredById` |
//! | 2b | by id | | no | the named one, which is not, or is not there | blocked | `NotAdoptable` |
//! | 2c | by id | | no | another one carries our token | blocked | `NamesAnother` |
//! | 3 | yes | | no | one carries our token, same inputs; of an object first one that can be used | adopt | `FoundByToken` |
//! | 4 | yes | | no | one carries our token, other inputs | adopt | `FoundByTokenOfEarlierInputs` |
//! | 5 | yes | | no | recorded under a key that left, same inputs | adopt, or blocked | `Moved`, `Renamed` |
//! | 6 | yes | | no | exactly one of that name and model, policy | adopt | `FoundByName` |
//! | 7 | yes | | no | some of that name, whatever their model and token | blocked | `SameName` |
//! | 8 | yes | | no | none, in a complete listing | create `$` | `New` |
//! | 8a | by id | | another id | the named one lives, or the recorded one was not made here | blocked | `NamesAnother` |
//! | 8b | yes | | going back half-way | any | blocked | `RollbackUnfinished` |
//! | 9 | yes | | yes | gone, policy | create `$` | `RecreateMissing` |
//! | 10 | yes | | yes | gone | blocked | `Missing` |
//! | 11 | yes | | yes | not shown, listing incomplete | blocked | `ListingIncomplete` |
//! | 11a | yes | | a moment ago | not shown | wait | `NotShownYet` |
//! | 12 | yes | | other inputs | another one carries our token, same inputs | adopt (beside) | `FoundByToken` |
//! | 13 | yes | | other inputs | any, protected | blocked | `ProtectedFromReplacement` |
//! | 14 | yes | | rolled back from these | any | blocked | `RolledBack` |
//! | 15 | yes | | other inputs | failed | create `$` | `ChangedAfterFailure` |
//! | 16 | yes | | other inputs | one from before has them | switch, or adopt (beside) | `PreviousHasInputs` |
//! | 17 | yes | | other inputs | any | replace `$` | `InputsChanged` |
//! | 18 | yes | | same inputs | failed, policy | create `$` | `RetryFailed` |
//! | 19 | yes | | same inputs | failed | blocked | `Failed` |
//! | 19a | yes | | an object, of unknown version | another one carries the token of a later attempt | adopt (beside) | `FoundByToken` |
//! | 20 | yes | | same inputs | name or voice differ | update | who did it |
//! | 21 | yes | | same inputs | tuning failed, wanted ready | blocked | `TuningFailed` |
//! | 22 | yes | | same inputs | not as far as waited for | wait | `TrainingGoesOn` |
//! | 23 | yes | | same inputs | agrees | no-op | `Agrees` |
//!
//! Rows 24 to 33, where a new face is recorded beside the present one, stand in `replace.rs`; rows 34 to 42, for
//! what left the manifests or was replaced, in `retire.rs`.
//!
//! "By id" is a manifest that says with an annotation which live face its key is. It is done once it is recorded:
//! a face that took the place of the named one later is no contradiction (row 8a looks only at faces that the key
//! never had).
//!
//! Rows that train do so through [`start`], which takes up what row 16 finds instead, and also blocks where nothing
//! says what to train it from (`NoSource`), the listing is not complete, a live face that nobody recorded bears the
//! name, or the token is held elsewhere: whatever the reason for creating.
//!
//! "Inputs" are those of the fingerprint, and with `on_source_change: retrain` the version of the object that lies under
//! its name too, as far as it is known on both sides. Which one that is stands in no token: the face of another version
//! is the next attempt at the same inputs, and rows 12, 16 and 19 look at it as at one. With `report` another version is
//! told, and no row is about it. A training whose material shows an error (`Material`), or whose file cannot be read
//! (`FileUnread`), is blocked by [`start`] too, after all that costs nothing was tried.
//!
//! "That name" is the name as a person reads it: in whatever case, width, spacing and normal form, with or without
//! characters that nobody sees.
//!
//! An imported face has unknown inputs, and unknown never differs, on either side: it counts as "same inputs".
//!
//! Wherever the table says create or replace: a live face that carries the very token is adopted instead; if
//! another key's record holds that face, the row is blocked (`HeldByOther`), as it is while the listing is
//! incomplete (`ListingIncomplete`). A face that this key had before and was left for another one is never
//! adopted by rows 9 and 12: what was given up is not taken back silently.

use std::collections::BTreeSet;

use crate::face::{
    Attempt, Desired, DesiredFace, Doubt, FaceId, FaceKey, InputChange, Observed, ObservedFace, OnFailed, OnMissing,
    OpenCreate, Presence, Recorded, RecordedFace, Token, TrainedFrom, TrainingStatus, WaitFor,
};

use super::adopt::{Failed, adopt_by_token, adopt_newer_version, decide_unrecorded};
use super::by_id::names_another;
use super::in_place::{is_reached, naming_for, update};
use super::material::{self, made_from};
use super::replace::{decide_beside, decide_changed, is_rolled_back, paid_before, serving};
use super::retire::{decide_undesired, retired};
use super::views::{Views, duplicates, known_ids, namesakes, oldest};
use super::{Action, Adopt, Block, Create, Drift, FacePlan, Plan, Policy, Reason, Retired, Scope, drift, presence};

/// Decides about every face, and counts what is not ours.
pub(super) fn fill(plan: &mut Plan, desired: &Desired, recorded: &Recorded, observed: &Observed, policy: &Policy) {
    let views = Views::new(desired, recorded, observed, policy);
    let mut keys: BTreeSet<&FaceKey> =
        desired.faces.keys().chain(recorded.faces.keys()).chain(recorded.open.keys()).collect();
    if policy.scope == Scope::Part {
        let all = keys.len();
        keys.retain(|key| desired.faces.contains_key(*key));
        plan.left_out.elsewhere = all - keys.len();
    }
    plan.faces.reserve_exact(keys.len());
    let mut ours: BTreeSet<&FaceId> = known_ids(recorded).map(|(_, id)| id).collect();
    for key in &keys {
        ours.extend(views.with_token_of(key).iter().map(|(_, face)| &face.id));
        // What is left out is decided all the same: it tells how much there is beside this plan.
        let face = decide(&views, key);
        let retired = retired(&views, key, &face.action);
        if is_selected(&views, &face) {
            plan.duplicates.extend(duplicates(&views, key));
            plan.retired.extend(retired);
            plan.faces.push(face);
            continue;
        }
        plan.left_out.unselected += 1;
        let has_changes = face.action.is_change() && !face.is_housekeeping();
        let has_changes = has_changes || face.action == Action::Blocked || retired.iter().any(Retired::is_deleted);
        plan.left_out.unselected_with_changes += usize::from(has_changes);
    }
    let adopted: BTreeSet<FaceId> = plan
        .faces
        .iter()
        .filter_map(|face| match &face.action {
            Action::Adopt(adopt) => Some(adopt.id.clone()),
            _ => None,
        })
        .collect();
    plan.foreign = observed.faces.keys().filter(|id| !ours.contains(id) && !adopted.contains(*id)).count();
}

/// Returns whether a face is to have an entry. A key that became another one goes with that one: what is done to
/// it is done there.
fn is_selected(views: &Views<'_>, face: &FacePlan) -> bool {
    let selects =
        |key: &FaceKey| views.policy.selection.selects(key, views.desired.faces.get(key).map(|face| &face.labels));
    match &face.reason {
        Reason::MovedTo(other) => selects(&face.key) || selects(other),
        _ => selects(&face.key),
    }
}

fn decide(views: &Views<'_>, key: &FaceKey) -> FacePlan {
    let desired = views.desired.faces.get(key);
    let recorded = views.recorded.faces.get(key);
    let (id, action, reason) = match (views.recorded.open.get(key), desired, recorded) {
        (Some(open), _, _) => decide_open(views, key, open),
        (None, Some(desired), None) => decide_unrecorded(views, key, desired),
        (None, Some(desired), Some(recorded)) => decide_recorded(views, key, desired, recorded),
        (None, None, Some(recorded)) => decide_undesired(views, key, recorded),
        // The key set is made of these three maps, so one of them has it.
        (None, None, None) => (None, Action::NoOp, Reason::Agrees),
    };
    let live = id.as_ref().and_then(|id| views.observed.faces.get(id));
    let name =
        desired.map(|face| face.spec.face_name.to_string()).or_else(|| recorded.map(|face| face.name.to_string()));
    FacePlan {
        key: key.clone(),
        origin: desired.map(|face| face.origin.clone()),
        name: name.or_else(|| live.map(|face| face.shown_name().to_owned())).unwrap_or_default(),
        model: desired.map(|face| face.spec.model.to_string()).or_else(|| live.and_then(|face| face.model.clone())),
        drift: recorded.map_or_else(Vec::new, |face| found_drift(views, face)),
        // Offline nobody saw how far it is.
        status: live.filter(|_| !views.observed.sight.is_offline()).map(|face| face.status.clone()),
        wait_for: desired.map(|face| face.spec.lifecycle.wait_for),
        advice: match action.is_paid() {
            true => views.observed.material.get(key).and_then(|sight| sight.findings.clone()).unwrap_or_default(),
            false => Vec::new(),
        },
        source_change: material::source_change(views, key),
        id,
        action,
        reason,
    }
}

fn found_drift(views: &Views<'_>, recorded: &RecordedFace) -> Vec<Drift> {
    drift(recorded, presence(recorded, views.observed))
}

pub(super) type Decision = (Option<FaceId>, Action, Reason);

pub(super) fn blocked(id: Option<&FaceId>, block: Block) -> Decision {
    (id.cloned(), Action::Blocked, Reason::Blocked(block))
}

/// Rows 1 and 2.
fn decide_open(views: &Views<'_>, key: &FaceKey, open: &OpenCreate) -> Decision {
    let carries_it = |(token, _): &&(Token, &ObservedFace)| *token == open.token;
    if let Some((token, face)) = oldest(views.with_token_of(key).iter().filter(carries_it)) {
        let adopt = Adopt {
            id: face.id.clone(),
            token: Some(token.clone()),
            trained_from: Some(open.trained_from.clone()),
            moved_from: None,
            // Whichever face serves by now: it is never left for one that is not ready.
            beside: views.recorded.faces.get(key).and_then(|recorded| {
                let present = open.beside.as_ref().map(|_| &recorded.id).or_else(|| serving(recorded, views.observed));
                present.filter(|present| **present != face.id).cloned()
            }),
        };
        return (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken);
    }
    in_doubt(open)
}

pub(super) fn in_doubt(open: &OpenCreate) -> Decision {
    let why = match &open.doubt {
        Doubt::Unfinished => None,
        Doubt::NoAnswer(why) => Some(why.clone()),
    };
    blocked(None, Block::InDoubt { begun_at: open.begun_at, why, token: open.token.clone() })
}

/// Rows 8a to 33.
fn decide_recorded(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, recorded: &RecordedFace) -> Decision {
    if let Some(to) = &recorded.going_back_to {
        return blocked(Some(&recorded.id), Block::RollbackUnfinished(to.clone()));
    }
    if let Some(successor) = &recorded.successor {
        return decide_beside(views, key, desired, recorded, successor);
    }
    if let Some(decision) = names_another(views, key, desired, recorded) {
        return decision;
    }
    let lifecycle = desired.spec.lifecycle;
    let changes = input_changes(views, key, desired, recorded);
    let live = match presence(recorded, views.observed) {
        Presence::Present(live) => live,
        Presence::Unknown => {
            return match views.observed.gap() {
                Some(why) => blocked(Some(&recorded.id), Block::ListingIncomplete(why.to_owned())),
                None => (Some(recorded.id.clone()), Action::Wait, Reason::NotShownYet),
            };
        }
        Presence::Gone => {
            if let Some(decision) = adopt_by_token(views, key, desired, &recorded.previous, Failed::PassedOver) {
                return decision;
            }
            let may_recreate = lifecycle.on_missing == OnMissing::Recreate || views.policy.recreate.contains(key);
            if is_rolled_back(views, key, desired, recorded) {
                let block = if may_recreate { Block::RolledBack } else { Block::Missing };
                return blocked(Some(&recorded.id), block);
            }
            // What the manifest asks for instead may be there already, and costs nothing.
            if changes.is_some()
                && let Some(decision) = paid_before(views, key, desired)
            {
                return decision;
            }
            if may_recreate {
                return start(views, key, desired, None, Reason::RecreateMissing);
            }
            return blocked(Some(&recorded.id), Block::Missing);
        }
    };
    if let Some(changes) = changes {
        return decide_changed(views, key, desired, recorded, live, changes);
    }
    if live.status == TrainingStatus::Failed {
        let is_first = material::is_first_try(recorded, recorded.attempt, recorded.trained_from.as_ref());
        let may_retry = lifecycle.on_failed == OnFailed::Retry && is_first;
        if may_retry || views.policy.retry.contains(key) {
            // Nobody knows what this one was made from, or which version lies there: what would be trained is what a
            // person went back from.
            if is_rolled_back(views, key, desired, recorded) {
                return blocked(Some(&recorded.id), Block::RolledBack);
            }
            let reason = Reason::RetryFailed(live.error.clone());
            return start(views, key, desired, Some(&live.id), reason);
        }
        return blocked(Some(&live.id), Block::Failed(live.error.clone()));
    }
    adopt_newer_version(views, key, desired, recorded)
        .unwrap_or_else(|| decide_same_inputs(views, desired, recorded, live))
}

/// Rows 20 to 23.
pub(super) fn decide_same_inputs(
    views: &Views<'_>,
    desired: &DesiredFace,
    recorded: &RecordedFace,
    live: &ObservedFace,
) -> Decision {
    let id = Some(live.id.clone());
    let naming = naming_for(views.desired.naming, recorded, &views.shared);
    if let Some((update, reason)) = update(naming, desired, recorded, live) {
        return (id, Action::Update(update), reason);
    }
    match (&live.status, desired.spec.lifecycle.wait_for) {
        (TrainingStatus::TuningFailed, WaitFor::Ready) => blocked(Some(&live.id), Block::TuningFailed),
        (status, wait_for) if is_reached(status, wait_for) => match status.is_final() {
            true => (id, Action::NoOp, Reason::Agrees),
            false => (id, Action::NoOp, Reason::TrainingGoesOnUnawaited),
        },
        _ => (id, Action::Wait, Reason::TrainingGoesOn),
    }
}

/// Returns what differs between what the recorded face was made from and what is asked for; none where
/// nothing does, or nobody knows.
pub(super) fn input_changes(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    recorded: &RecordedFace,
) -> Option<Vec<InputChange>> {
    let wanted = material::wanted(views, key, desired)?;
    match (&recorded.trained_from, &recorded.token) {
        (Some(trained_from), _) => Some(trained_from.changes_to(&wanted)).filter(|changes| !changes.is_empty()),
        (None, Some(token)) => {
            // Adopted by a token of earlier inputs: what they were is lost, but not that they differ.
            let now = Token::of(&views.desired.project, key, &wanted.fingerprint(), token.attempt());
            // Its owner part is another key's where the face was moved.
            (now.content() != token.content()).then(Vec::new)
        }
        (None, None) => None,
    }
}

/// Returns the number of the next attempt at the inputs that are wanted now: one more than the last that this key
/// is known to have made at them, from whichever version of their object.
pub(super) fn next_attempt(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Attempt {
    last_attempt(views, key, desired, desired.spec.trained_from().as_ref()).map_or(Attempt::FIRST, Attempt::next)
}

/// Returns the last attempt that a key is known to have made at what is wanted; where that names the version of an
/// object, less those that were made from another one.
pub(super) fn last_attempt(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    wanted: Option<&TrainedFrom>,
) -> Option<Attempt> {
    let (recorded, wanted) = (views.recorded.faces.get(key)?, wanted?);
    let fingerprint = wanted.fingerprint();
    let intent = Token::of(&views.desired.project, key, &fingerprint, Attempt::FIRST);
    let is_of_version = |made: Option<&TrainedFrom>| made.is_none_or(|made| made.revised(wanted).is_none());
    let made = std::iter::once(recorded).chain(recorded.successor.as_deref());
    let made = made.filter(|face| is_of_version(face.trained_from.as_ref()));
    let before = recorded.previous.iter().filter(|face| is_of_version(face.trained_from.as_ref()));
    // By its inputs too: the token of a face that had another key before speaks of that one.
    let is_made_from = |face: &&RecordedFace| {
        face.fingerprint() == Some(fingerprint) || input_changes(views, key, desired, face).is_none()
    };
    let by_inputs = made.clone().filter(is_made_from).map(|face| face.attempt);
    let by_inputs =
        by_inputs.chain(before.clone().filter(|face| face.fingerprint() == Some(fingerprint)).map(|face| face.attempt));
    let ids: BTreeSet<&FaceId> = made.clone().map(|face| &face.id).chain(before.clone().map(|face| &face.id)).collect();
    let remembered = made.filter_map(|face| face.token.as_ref()).chain(before.filter_map(|face| face.token.as_ref()));
    // Of some only the id is remembered; their names tell.
    let shown = views.with_token_of(key).iter().filter(|(_, face)| ids.contains(&face.id)).map(|(token, _)| token);
    let by_token = remembered.chain(shown).filter(|token| token.is_same_intent(&intent)).map(Token::attempt);
    by_inputs.chain(by_token).max()
}

/// The one road to a paid training: taken only where no face that the key had before was made from the same inputs
/// and can be used or trains, and where a complete listing shows that no live face carries the very token that
/// would be sent. What does is taken up instead, whoever made it.
pub(super) fn start(
    views: &Views<'_>,
    key: &FaceKey,
    desired: &DesiredFace,
    instead_of: Option<&FaceId>,
    reason: Reason,
) -> Decision {
    let Some(trained_from) = made_from(views, key, desired) else {
        let source = desired.spec.training.as_ref().map(|training| training.source().shown());
        return blocked(instead_of, source.map_or(Block::NoSource, Block::FileUnread));
    };
    if let Some(decision) = paid_before(views, key, desired) {
        return decision;
    }
    let attempt = next_attempt(views, key, desired);
    let example = desired.spec.training.as_ref().and_then(|training| training.source().reserved_host());
    if let Some(host) = example.filter(|_| views.policy.refuses_example_hosts) {
        return blocked(instead_of, Block::ExampleHost(host.to_owned()));
    }
    let token = Token::of(&views.desired.project, key, &trained_from.fingerprint(), attempt);
    if let Some((_, face)) = oldest(views.with_token_of(key).iter().filter(|(live, _)| *live == token)) {
        let adopt = Adopt {
            id: face.id.clone(),
            token: Some(token),
            // Which version of an object it was made from, its token does not say.
            trained_from: desired.spec.trained_from(),
            moved_from: None,
            beside: None,
        };
        return (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken);
    }
    if let Some((id, by)) = views.held.get(&token) {
        return blocked(instead_of, Block::HeldByOther { id: (*id).clone(), by: (*by).clone() });
    }
    if let Some(why) = views.observed.gap() {
        return blocked(instead_of, Block::ListingIncomplete(why.to_owned()));
    }
    if let Some(id) = views.nameless {
        let why = format!("the young face {id} shows no name yet, so nobody can tell whose it is");
        return blocked(instead_of, Block::ListingIncomplete(why));
    }
    // With clean names the token is gone by the time a face is finished: then only its name tells that
    // another machine, whose record we do not have, paid for it already.
    let namesakes = namesakes(views, desired);
    if !namesakes.is_empty() && !views.policy.create_new.contains(key) {
        return blocked(instead_of, Block::SameName(namesakes.iter().map(|face| face.id.clone()).collect()));
    }
    if let Some(block) = material::block(views, key) {
        return blocked(instead_of, block);
    }
    let create =
        Create { spec: desired.spec.clone(), token, trained_from, instead_of: instead_of.cloned(), gives_up: None };
    (instead_of.cloned(), Action::Create(Box::new(create)), reason)
}
