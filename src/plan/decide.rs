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
//! | 3 | yes | | no | one carries our token, same inputs | adopt | `FoundByToken` |
//! | 4 | yes | | no | one carries our token, other inputs | adopt | `FoundByTokenOfEarlierInputs` |
//! | 5 | yes | | no | recorded under a key that left, same inputs | adopt, or blocked | `Moved`, `Renamed` |
//! | 6 | yes | | no | exactly one of that name and model, policy | adopt | `FoundByName` |
//! | 7 | yes | | no | some of that name, whatever their model and token | blocked | `SameName` |
//! | 8 | yes | | no | none, in a complete listing | create `$` | `New` |
//! | 8a | by id | | another id | the named one lives, or the recorded one was not made here | blocked | `NamesAnother` |
//! | 9 | yes | | yes | gone, policy | create `$` | `RecreateMissing` |
//! | 10 | yes | | yes | gone | blocked | `Missing` |
//! | 11 | yes | | yes | not shown, listing incomplete | blocked | `ListingIncomplete` |
//! | 11a | yes | | a moment ago | not shown | wait | `NotShownYet` |
//! | 12 | yes | | other inputs | another one carries our token, same inputs | adopt (beside) | `FoundByToken` |
//! | 13 | yes | | other inputs | any, protected | blocked | `ProtectedFromReplacement` |
//! | 14 | yes | | other inputs | failed | create `$` | `ChangedAfterFailure` |
//! | 15 | yes | | rolled back from these | any | blocked | `RolledBack` |
//! | 16 | yes | | other inputs | one from before has them | switch, or adopt (beside) | `PreviousHasInputs` |
//! | 17 | yes | | other inputs | any | replace `$` | `InputsChanged` |
//! | 18 | yes | | same inputs | failed, policy | create `$` | `RetryFailed` |
//! | 19 | yes | | same inputs | failed | blocked | `Failed` |
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
//! An imported face has unknown inputs, and unknown never differs, on either side: it counts as "same inputs".
//!
//! Wherever the table says create or replace: a live face that carries the very token is adopted instead; if
//! another key's record holds that face, the row is blocked (`HeldByOther`), as it is while the listing is
//! incomplete (`ListingIncomplete`). A face that this key had before and was left for another one is never
//! adopted by rows 9 and 12: what was given up is not taken back silently.

use std::collections::BTreeSet;

use crate::face::{
    Attempt, Coverage, Desired, DesiredFace, Doubt, FaceId, FaceKey, Fingerprint, InputChange, Observed, ObservedFace,
    OnFailed, OnMissing, OpenCreate, Ownership, Presence, PreviousFace, Recorded, RecordedFace, Token, TrainingStatus,
    WaitFor,
};

use super::by_id::{decide_by_id, names_another};
use super::in_place::{is_reached, naming_for, update};
use super::replace::{decide_beside, decide_changed, is_rolled_back, paid_before, serving};
use super::retire::{decide_undesired, retired};
use super::views::{Views, duplicates, known_ids, namesakes, newest, oldest};
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
        status: live.map(|face| face.status.clone()),
        wait_for: desired.map(|face| face.spec.lifecycle.wait_for),
        id,
        action,
        reason,
    }
}

fn found_drift(views: &Views<'_>, recorded: &RecordedFace) -> Vec<Drift> {
    drift(recorded, presence(recorded, views.observed))
}
/// The annotation by which a manifest says under which key its face was recorded before.
pub(super) const MOVED_FROM: &str = "facectl.dev/moved-from";
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

fn in_doubt(open: &OpenCreate) -> Decision {
    let why = match &open.doubt {
        Doubt::Unfinished => None,
        Doubt::NoAnswer(why) => Some(why.clone()),
    };
    blocked(None, Block::InDoubt { begun_at: open.begun_at, why, token: open.token.clone() })
}

/// Rows 2a to 8.
fn decide_unrecorded(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace) -> Decision {
    if let Some(id) = desired.declared_id() {
        return decide_by_id(views, key, desired, &id);
    }
    if let Some(decision) = adopt_serving(views, key, desired) {
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
    let is_taken = |(token, face): &&(Token, &ObservedFace)| {
        token.is_same_intent(&wanted)
            && !left_before.iter().any(|left| left.id == face.id)
            && (failed == Failed::Taken || face.status != TrainingStatus::Failed)
    };
    let same_intent = || views.with_token_of(key).iter().filter(is_taken);
    let last = same_intent().map(|(token, _)| token.attempt()).max()?;
    let (token, face) = oldest(same_intent().filter(|(token, _)| token.attempt() == last))?;
    let adopt = Adopt {
        id: face.id.clone(),
        token: Some(token.clone()),
        trained_from: Some(trained_from),
        moved_from: None,
        beside: None,
    };
    Some((Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken))
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
        face.fingerprint() == fingerprint && (views.policy.scope == Scope::Whole || face.name == desired.spec.face_name)
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
    let is_wanted_once = views.wanted_names.get(desired.spec.face_name.as_str()) == Some(&1);
    let is_ours = face.ownership == Ownership::User && face.token().is_none();
    let is_named = views.named.contains_key(&face.id);
    if !(views.policy.adopt_by_name && is_that_model && is_wanted_once && is_ours) || is_named {
        return None;
    }
    let adopt = Adopt { id: face.id.clone(), token: None, trained_from: None, moved_from: None, beside: None };
    Some((Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByName))
}

/// Rows 8a to 33.
fn decide_recorded(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, recorded: &RecordedFace) -> Decision {
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
            return match &views.observed.coverage {
                Coverage::Partial(why) => blocked(Some(&recorded.id), Block::ListingIncomplete(why.clone())),
                Coverage::Complete => (Some(recorded.id.clone()), Action::Wait, Reason::NotShownYet),
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
        let may_retry = lifecycle.on_failed == OnFailed::Retry && recorded.attempt == Attempt::FIRST;
        if may_retry || views.policy.retry.contains(key) {
            let reason = Reason::RetryFailed(live.error.clone());
            return start(views, key, desired, Some(&live.id), reason);
        }
        return blocked(Some(&live.id), Block::Failed(live.error.clone()));
    }
    decide_same_inputs(views, desired, recorded, live)
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
    let wanted = desired.spec.trained_from()?;
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
/// is known to have made at them.
fn next_attempt(views: &Views<'_>, key: &FaceKey, desired: &DesiredFace, fingerprint: Fingerprint) -> Attempt {
    let Some(recorded) = views.recorded.faces.get(key) else { return Attempt::FIRST };
    let wanted = Token::of(&views.desired.project, key, &fingerprint, Attempt::FIRST);
    let made = std::iter::once(recorded).chain(recorded.successor.as_deref());
    // By its inputs too: the token of a face that had another key before speaks of that one.
    let by_inputs = made.clone().filter(|face| input_changes(views, key, desired, face).is_none());
    let before = recorded.previous.iter();
    let by_inputs = by_inputs
        .map(|face| face.attempt)
        .chain(before.clone().filter(|face| face.fingerprint() == Some(fingerprint)).map(|face| face.attempt));
    let remembered = made.filter_map(|face| face.token.as_ref()).chain(before.filter_map(|face| face.token.as_ref()));
    // Of some only the id is remembered; their names tell.
    let is_ours = |id: &FaceId| recorded.ids().any(|known| known == id);
    let shown = views.with_token_of(key).iter().filter(|(_, face)| is_ours(&face.id)).map(|(token, _)| token);
    let by_token = remembered.chain(shown).filter(|token| token.is_same_intent(&wanted)).map(Token::attempt);
    by_inputs.chain(by_token).max().map_or(Attempt::FIRST, Attempt::next)
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
    let Some(trained_from) = desired.spec.trained_from() else { return blocked(instead_of, Block::NoSource) };
    if let Some(decision) = paid_before(views, key, desired) {
        return decision;
    }
    let attempt = next_attempt(views, key, desired, trained_from.fingerprint());
    let example = desired.spec.training.as_ref().and_then(|training| training.source().reserved_host());
    if let Some(host) = example.filter(|_| views.policy.refuses_example_hosts) {
        return blocked(instead_of, Block::ExampleHost(host.to_owned()));
    }
    let token = Token::of(&views.desired.project, key, &trained_from.fingerprint(), attempt);
    if let Some((_, face)) = oldest(views.with_token_of(key).iter().filter(|(live, _)| *live == token)) {
        let adopt = Adopt {
            id: face.id.clone(),
            token: Some(token),
            trained_from: Some(trained_from),
            moved_from: None,
            beside: None,
        };
        return (Some(face.id.clone()), Action::Adopt(adopt), Reason::FoundByToken);
    }
    if let Some((id, by)) = views.held.get(&token) {
        return blocked(instead_of, Block::HeldByOther { id: (*id).clone(), by: (*by).clone() });
    }
    if let Coverage::Partial(why) = &views.observed.coverage {
        return blocked(instead_of, Block::ListingIncomplete(why.clone()));
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
    let create = Create { spec: desired.spec.clone(), token, trained_from, instead_of: instead_of.cloned() };
    (instead_of.cloned(), Action::Create(Box::new(create)), reason)
}
