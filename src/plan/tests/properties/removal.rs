//! No face is left before another one is ready, and none is deleted that should not be.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::applied::{applied, ripened};
use super::generator::{KEYS, world};
use super::{cases, creates, touched};
use crate::face::{FaceKey, LastSeen, OnRemoval, OnSourceChange, RecordedFace, TrainedFrom, TrainingStatus};
use crate::plan::tests::world::World;
use crate::plan::{Action, Delete, may_serve};

/// Checks one step: whoever is in place and can be used, or trains, stays until another one is ready.
fn leaves_nobody_too_early(before: &World, after: &World) -> Result<(), TestCaseError> {
    for face in before.plan().faces {
        let Some(record) = before.recorded.faces.get(&face.key) else { continue };
        let Some(live) = before.observed.faces.get(&record.id) else { continue };
        if live.status == TrainingStatus::Failed || matches!(face.action, Action::Delete(_)) {
            continue;
        }
        prop_assert!(after.observed.faces.contains_key(&record.id), "{} is gone", record.id);
        let holder = after.recorded.faces.values().find(|other| other.id == record.id);
        if let Action::Switch(switch) = &face.action {
            let new = &before.observed.faces[&switch.to];
            prop_assert!(
                may_serve(new, &before.desired.faces[&face.key]),
                "{} is not ready: {:?}",
                switch.to,
                new.status
            );
            prop_assert!(record.ids().any(|id| *id == switch.to), "{} is none of its own", switch.to);
        } else {
            prop_assert!(holder.is_some(), "{} is not in its place any more: {:?}", record.id, face.action);
        }
    }
    Ok(())
}

/// What was said about the removal of a face's key.
fn said(world: &World, key: &FaceKey) -> (OnRemoval, bool) {
    match world.desired.faces.get(key) {
        Some(face) => (face.spec.lifecycle.on_removal, face.spec.lifecycle.protect),
        None => (world.recorded.faces[key].on_removal, world.recorded.faces[key].protect),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(384), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_face_is_left_before_the_new_one_is_ready(
        world in world(),
        unlucky in prop::collection::vec(any::<bool>(), KEYS.len()),
    ) {
        let mut world = world;
        for _ in 0..5 {
            let after = applied(world.clone());
            leaves_nobody_too_early(&world, &after)?;
            world = ripened(after, &unlucky);
        }
    }

    #[test]
    fn nothing_is_deleted_without_a_policy_a_flag_and_whole_listings(world in world()) {
        let World { recorded, observed, policy, desired } = &world;
        let plan = world.plan();
        for (key, id) in plan.deletions() {
            let (on_removal, is_protected) = said(&world, key);
            prop_assert!(on_removal != OnRemoval::Retain && !is_protected && policy.prune, "{key}: {on_removal:?}");
            prop_assert!(observed.is_complete() && !recorded.open.contains_key(key));
            prop_assert!(policy.allow_empty || !desired.faces.is_empty());
            let pals = observed.pals.as_ref().expect("nobody looked at the PALs");
            prop_assert!(pals.missing.is_none() && !pals.by_face.contains_key(id), "{id} is used");
            prop_assert!(recorded.faces[key].ids().any(|known| known == id), "{id} is not of {key}");
        }
        for face in &plan.faces {
            if let Action::Delete(Delete { is_hard, .. }) = &face.action {
                prop_assert_eq!(*is_hard, recorded.faces[&face.key].on_removal == OnRemoval::HardDelete);
            }
        }
    }

    #[test]
    fn nothing_is_deleted_that_is_in_place_is_to_take_one_or_was_left_a_moment_ago(world in world()) {
        let plan = world.plan();
        let wanted: Vec<_> = plan.faces.iter().filter(|face| !matches!(face.action, Action::Delete(_))).collect();
        let deleted: Vec<_> = plan.deletions().map(|(_, id)| id).collect();
        for key in wanted.iter().map(|face| &face.key) {
            let Some(record) = world.recorded.faces.get(key) else { continue };
            prop_assert!(!deleted.contains(&&record.id), "{} is in place", record.id);
            let next = record.successor.as_ref().map(|next| &next.id);
            prop_assert!(next.is_none_or(|next| !deleted.contains(&next)), "{next:?} is the next one");
        }
        for retired in plan.retired.iter().filter(|retired| retired.is_deleted()) {
            let retire_after = world.desired.faces[&retired.key].spec.lifecycle.retire_after;
            let is_over = retired.left_at.is_none_or(|at| at + retire_after <= world.observed.at);
            prop_assert!(is_over, "{} was left {:?}", retired.id, retired.left_at);
            let present = world.observed.faces.get(&world.recorded.faces[&retired.key].id);
            prop_assert!(present.is_some_and(|face| face.status.is_usable()), "{} is all there is", retired.id);
        }
        let mut without = plan.clone();
        without.retired.clear();
        without.faces.retain(|face| !matches!(face.action, Action::Delete(_)));
        for id in touched(&without) {
            prop_assert!(!deleted.contains(&&id), "{id} is taken up and deleted");
        }
    }

    #[test]
    fn a_face_that_failed_within_a_day_is_not_deleted_unless_that_is_asked_for(world in world()) {
        let plan = world.plan();
        for (key, id) in plan.deletions() {
            let is_failed = world.observed.faces.get(id).is_some_and(|face| face.status == TrainingStatus::Failed);
            if !is_failed || world.policy.prune_failed {
                continue;
            }
            let record = &world.recorded.faces[key];
            let of_it = std::iter::once(record).chain(record.successor.as_deref()).find(|face| face.id == *id);
            let seen = of_it.and_then(|face| face.last_seen.as_ref());
            let since = seen.filter(|seen| seen.status == TrainingStatus::Failed).map(|LastSeen { at, .. }| *at);
            let left = record.previous.iter().find(|face| face.id == *id).and_then(|face| face.left_at);
            // Where nobody saw it fail, it failed after it was created, and long ago.
            let created = of_it.and_then(|face| face.created_at);
            let at = since.or(left).or(created).expect("nobody knows when it failed");
            prop_assert!(world.observed.at.duration_since(at) >= SignedDuration::from_hours(24), "{id} failed at {at}");
        }
    }

    #[test]
    fn a_protected_face_is_never_replaced(world in world()) {
        for face in world.plan().faces {
            let Some(desired) = world.desired.faces.get(&face.key).filter(|face| face.spec.lifecycle.protect) else { continue };
            let live = world.recorded.faces.get(&face.key).and_then(|face| world.observed.faces.get(&face.id));
            let is_there = live.is_some_and(|live| live.status != TrainingStatus::Failed);
            let is_replaced = matches!(face.action, Action::Replace(_) | Action::Switch(_) | Action::Delete(_));
            prop_assert!(!is_there || !is_replaced, "{}: {:?}", desired.spec.face_name, face.action);
        }
    }

    #[test]
    fn a_key_never_pays_for_inputs_from_which_a_live_face_of_its_own_was_made(world in world()) {
        let plan = world.plan();
        for (key, create) in creates(&plan) {
            let Some(record) = world.recorded.faces.get(key) else { continue };
            // Unknown never differs: a version that may be the one that lies there is not paid for.
            let is_same = |made: &Option<TrainedFrom>| made.as_ref().is_some_and(|made| {
                made.fingerprint() == create.trained_from.fingerprint() && made.revised(&create.trained_from).is_none()
            });
            let made = std::iter::once(record).chain(record.successor.as_deref()).map(|face| (&face.id, &face.trained_from));
            let made = made.chain(record.previous.iter().map(|face| (&face.id, &face.trained_from)));
            // Unless a person says so, of a new face that came to nothing.
            let is_insisted_on = record.successor.is_some()
                && (world.policy.retry.contains(key) || world.policy.recreate.contains(key));
            for (id, _) in made.filter(|(id, made)| is_same(made) && !(is_insisted_on && **id == record.id)) {
                let live = world.observed.faces.get(id);
                prop_assert!(live.is_none_or(|live| live.status == TrainingStatus::Failed), "{key} has {id}");
            }
            let tokens = std::iter::once(record).chain(record.successor.as_deref()).map(|face| &face.token);
            let mut tokens = tokens.chain(record.previous.iter().map(|face| &face.token)).flatten();
            prop_assert!(!tokens.any(|token| *token == create.token), "{} was sent before", create.token);
        }
    }

    #[test]
    fn what_a_person_went_back_from_is_not_gone_on_to_by_itself(world in world()) {
        for face in world.plan().faces {
            let Some(record) = world.recorded.faces.get(&face.key) else { continue };
            // Another version of the object is another recording.
            let lies = world.observed.material.get(&face.key).and_then(|sight| sight.revision.clone());
            let is_newer = |desired: &crate::face::DesiredFace| {
                let now = TrainedFrom { revision: lies.clone(), ..desired.spec.trained_from().unwrap() };
                let mut left = record.previous.iter().filter_map(|face| face.trained_from.as_ref());
                desired.spec.lifecycle.on_source_change == OnSourceChange::Retrain
                    && left.all(|made| made.fingerprint() != now.fingerprint() || made.revised(&now).is_some())
                    && record.previous.iter().any(|face| face.fingerprint() == Some(now.fingerprint()))
            };
            let is_held = |desired: &crate::face::DesiredFace| {
                record.successor.is_none()
                    && record.rolled_back_from.is_some()
                    && record.rolled_back_from == desired.spec.fingerprint()
                    && !world.policy.roll_forward.contains(&face.key)
                    && !is_newer(desired)
            };
            if world.desired.faces.get(&face.key).is_some_and(is_held) {
                prop_assert!(!face.action.is_paid() && !matches!(face.action, Action::Switch(_)), "{:?}", face.action);
            }
        }
    }

    #[test]
    fn without_a_look_at_the_pals_nothing_is_deleted_and_what_matters_is_looked_for(world in world()) {
        let whole = world.plan();
        let mut blind = world;
        blind.observed.pals = None;
        let plan = blind.plan();
        prop_assert_eq!(plan.deletions().count(), 0);
        let is_about_pals = whole.deletions().count() > 0
            || whole.faces.iter().any(|face| matches!(face.action, Action::Switch(_) | Action::Replace(_)));
        prop_assert!(!is_about_pals || plan.needs_pals());
    }
}

#[test]
fn what_stands_beside_a_face_has_nothing_beside_it() {
    // Otherwise the worlds above would be none that can be.
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..128 {
        let world = world().new_tree(&mut runner).unwrap().current();
        for next in world.recorded.faces.values().filter_map(|face| face.successor.as_deref()) {
            let RecordedFace { successor, previous, rolled_back_from, .. } = next;
            assert_eq!((successor, previous.len(), rolled_back_from), (&None, 0, &None));
        }
    }
}
