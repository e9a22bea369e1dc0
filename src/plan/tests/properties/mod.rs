//! Rules that hold for every world, one property a rule.
//!
//! | file | holds |
//! |---|---|
//! | `generator.rs` | worlds of all kinds |
//! | `applied.rs` | what becomes of a world when its plan is carried out, and when time passes |
//! | `material.rs` | the rules about what faces are trained from: its versions, its errors, and what is not known |
//! | `removal.rs` | the rules about replacing, leaving and deleting |

mod applied;
mod generator;
mod material;
mod removal;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::world::{World, key, noon};
use crate::face::{Coverage, FaceId, Observed, RecordedFace, Token, TrainingStatus};
use crate::plan::{Action, Block, Plan, Reason, plan};

use applied::{applied, ripened};
use generator::{KEYS, world};

/// How many worlds a property is tried on, unless `PROPTEST_CASES` says so.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

fn creates(plan: &Plan) -> impl Iterator<Item = (&crate::face::FaceKey, &crate::plan::Create)> {
    plan.faces.iter().filter_map(|face| Some((&face.key, face.action.training()?)))
}

/// The live faces that an action would touch or take.
fn touched(plan: &Plan) -> Vec<FaceId> {
    let of = |action: &Action| match action {
        Action::Adopt(adopt) => Some(adopt.id.clone()),
        Action::Update(update) => Some(update.id.clone()),
        Action::Switch(switch) => Some(switch.to.clone()),
        Action::GiveUp(id) => Some(id.clone()),
        Action::NoOp
        | Action::Create(_)
        | Action::Replace(_)
        | Action::Wait
        | Action::Forget
        | Action::Orphaned
        | Action::Delete(_)
        | Action::Blocked => None,
    };
    let deleted = plan.deletions().map(|(_, id)| id.clone());
    plan.faces.iter().filter_map(|face| of(&face.action)).chain(deleted).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(256), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planning_twice_gives_the_same_plan(world in world()) {
        prop_assert_eq!(world.plan(), world.plan());
        prop_assert_eq!(world.text(), world.text());
    }

    #[test]
    fn the_order_of_the_manifests_does_not_matter(world in world()) {
        let backwards: BTreeMap<_, _> = world.desired.faces.clone().into_iter().rev().collect();
        let faces: BTreeMap<_, _> = world.observed.faces.clone().into_iter().rev().collect();
        let desired = crate::face::Desired { faces: backwards, ..world.desired.clone() };
        let observed = Observed { faces, ..world.observed.clone() };
        prop_assert_eq!(plan(&desired, &world.recorded, &observed, &world.policy), world.plan());
    }

    #[test]
    fn each_key_that_anybody_knows_stands_in_the_plan_exactly_once(world in world()) {
        let World { desired, recorded, .. } = &world;
        let known: BTreeSet<_> = desired.faces.keys().chain(recorded.faces.keys()).chain(recorded.open.keys()).collect();
        let plan = world.plan();
        prop_assert_eq!(plan.faces.iter().map(|face| &face.key).collect::<Vec<_>>(), known.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn nothing_foreign_is_touched(world in world()) {
        let World { desired, recorded, observed, policy } = &world;
        for face_id in touched(&world.plan()) {
            // A record can also be moved to another key when its face is gone.
            let Some(face) = observed.faces.get(&face_id) else { continue };
            let is_recorded = recorded.faces.values().any(|face| face.ids().any(|id| *id == face_id));
            let carries_ours = face.token().is_some_and(|token| {
                KEYS.iter().any(|name| Token::owner_of(&desired.project, &key(name)) == token.owner())
            });
            let bears_the_name = policy.adopt_by_name && face.token().is_none()
                && desired.faces.values().filter(|wanted| wanted.spec.face_name.as_str() == face.shown_name()).count() == 1;
            let is_named = desired.faces.values().any(|wanted| wanted.declared_id().as_ref() == Some(&face_id));
            prop_assert!(is_recorded || carries_ours || bears_the_name || is_named, "{face_id}");
        }
    }

    #[test]
    fn a_key_that_names_a_face_by_its_id_gets_that_one_or_keeps_what_it_has(world in world()) {
        for face in world.plan().faces {
            let Some(named) = world.desired.faces.get(&face.key).and_then(|wanted| wanted.declared_id()) else { continue };
            let is_new = !world.recorded.faces.contains_key(&face.key) && !world.recorded.open.contains_key(&face.key);
            match face.action {
                Action::Create(create) => prop_assert!(!is_new && create.spec.training.is_some(), "{}", face.key),
                Action::Adopt(adopt) if is_new && adopt.moved_from.is_none() => prop_assert_eq!(adopt.id, named),
                _ => {}
            }
        }
    }

    #[test]
    fn nothing_is_created_on_a_listing_in_part(world in world()) {
        let world = world.seen_in_part();
        prop_assert_eq!(creates(&world.plan()).count(), 0);
    }

    #[test]
    fn nothing_is_created_while_a_live_face_carries_that_very_token(world in world()) {
        let plan = world.plan();
        for (_, create) in creates(&plan) {
            let bearer = world.observed.faces.values().find(|face| face.token().as_ref() == Some(&create.token));
            prop_assert!(bearer.is_none(), "{:?} carries {}", bearer, create.token);
        }
    }

    #[test]
    fn nothing_is_created_while_an_earlier_create_of_the_key_is_open(world in world()) {
        let plan = world.plan();
        for (key, _) in creates(&plan) {
            prop_assert!(!world.recorded.open.contains_key(key));
        }
    }

    #[test]
    fn nothing_takes_the_place_at_once_of_a_face_that_works_or_trains(world in world()) {
        let plan = world.plan();
        let creates = plan.faces.iter().filter(|face| matches!(face.action, Action::Create(_))).map(|face| &face.key);
        for key in creates {
            let live = world.recorded.faces.get(key).and_then(|face| world.observed.faces.get(&face.id));
            prop_assert!(live.is_none_or(|face| face.status == TrainingStatus::Failed), "{key}");
        }
    }

    #[test]
    fn nothing_is_created_for_a_face_of_the_last_minutes_that_a_listing_does_not_show(world in world()) {
        let plan = world.plan();
        for (key, _) in creates(&plan) {
            let Some(record) = world.recorded.faces.get(key) else { continue };
            // Of two, it is the next one that something is made for.
            let record = record.successor.as_deref().unwrap_or(record);
            let is_young = !record.seen_usable && record.created_at > Some(noon() - Duration::from_secs(300));
            prop_assert!(!is_young || world.observed.faces.contains_key(&record.id), "{key}");
        }
    }

    #[test]
    fn no_face_goes_to_two_keys(world in world()) {
        let World { recorded, .. } = applied(world);
        let mut seen = BTreeSet::new();
        for id in recorded.faces.values().flat_map(RecordedFace::ids) {
            prop_assert!(seen.insert(id.clone()), "{} stands there twice", id);
        }
    }

    #[test]
    fn no_live_face_is_lost_from_the_record_other_than_by_a_planned_deletion(world in world()) {
        let known = |world: &World| -> BTreeSet<FaceId> {
            let ids = world.recorded.faces.values().flat_map(RecordedFace::ids);
            ids.filter(|id| world.observed.faces.contains_key(*id)).cloned().collect()
        };
        let plan = world.plan();
        let deleted: BTreeSet<FaceId> = plan.deletions().map(|(_, id)| id.clone()).collect();
        let before: BTreeSet<FaceId> = known(&world).difference(&deleted).cloned().collect();
        let after = known(&applied(world));
        prop_assert!(before.is_subset(&after), "{before:?} -> {after:?}");
    }

    #[test]
    fn planning_after_applying_comes_to_rest_and_pays_once_for_each_intent(
        world in world(),
        unlucky in prop::collection::vec(any::<bool>(), KEYS.len()),
    ) {
        // Flags are given for one run, and the first run has had them.
        let mut world = world;
        let mut paid: Vec<Token> = creates(&world.plan()).map(|(_, create)| create.token.clone()).collect();
        world = applied(world);
        world.policy.recreate.clear();
        world.policy.retry.clear();
        world.policy.roll_forward.clear();
        let mut is_ripe = false;
        for _ in 0..16 {
            let plan = world.plan();
            if !plan.has_changes() && is_ripe {
                return Ok(());
            }
            paid.extend(creates(&plan).map(|(_, create)| create.token.clone()));
            let distinct: BTreeSet<&Token> = paid.iter().collect();
            prop_assert_eq!(distinct.len(), paid.len(), "paid twice: {:?}", paid);
            is_ripe = !plan.has_changes();
            world = ripened(applied(world), &unlucky);
        }
        prop_assert!(false, "it does not come to rest: {}", world.text());
    }

    #[test]
    fn a_plan_over_its_limit_names_every_paid_face(world in world(), allowed in 0..3u32) {
        let mut world = world;
        world.policy.max_trainings = Some(allowed);
        let plan = world.plan();
        let paid: Vec<_> = creates(&plan).map(|(key, _)| key.clone()).collect();
        let refusals = plan.refusals.iter().filter(|refusal| refusal.limit == crate::plan::Limit::MaxTrainings);
        let refused: Vec<_> = refusals.flat_map(|refusal| refusal.faces.clone()).collect();
        prop_assert_eq!(refused, if paid.len() > allowed as usize { paid } else { Vec::new() });
    }

    #[test]
    fn absence_from_a_listing_in_part_is_never_called_missing(world in world()) {
        let world = world.seen_in_part();
        prop_assert!(matches!(world.observed.coverage, Coverage::Partial(_)));
        for face in world.plan().faces {
            prop_assert!(!face.drift.contains(&crate::plan::Drift::Missing), "{}", face.key);
            prop_assert!(face.action != Action::Forget, "{}", face.key);
        }
    }
}

#[test]
fn the_worlds_above_are_not_all_alike() {
    // Otherwise a property could hold because nothing it speaks of ever happens.
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..1024 {
        let world = world().new_tree(&mut runner).unwrap().current();
        let plan = world.plan();
        *seen.entry("retired and deleted").or_default() += plan.retired.iter().filter(|face| face.is_deleted()).count();
        for face in plan.faces {
            *seen.entry(face.action.word()).or_default() += 1;
            *seen.entry("adopt by id").or_default() += usize::from(face.reason == Reason::DeclaredById);
            *seen.entry("source changed").or_default() += usize::from(face.source_change.is_some());
            *seen.entry("advice").or_default() += usize::from(!face.advice.is_empty());
            *seen.entry("unread").or_default() +=
                usize::from(matches!(face.reason, Reason::Blocked(Block::FileUnread(_))));
            *seen.entry("material").or_default() +=
                usize::from(matches!(face.reason, Reason::Blocked(Block::Material(_))));
            let next = world.recorded.faces.get(&face.key).and_then(|record| record.successor.as_ref());
            let newest = world.recorded.faces.get(&face.key).map(|record| next.map_or(record, |next| next));
            let newest = newest.and_then(|newest| newest.trained_from.as_ref());
            let of_version = face.action.training().zip(newest).is_some_and(|(create, newest)| {
                newest.revised(&create.trained_from).is_some()
                    && newest.fingerprint() == create.trained_from.fingerprint()
            });
            *seen.entry("another version").or_default() += usize::from(of_version);
        }
    }
    let words = [
        "source changed",
        "advice",
        "unread",
        "material",
        "another version",
        "adopt by id",
        "no-op",
        "create",
        "replace",
        "switch",
        "give up replacement",
        "adopt",
        "update",
        "wait",
        "forget",
        "orphaned",
        "delete",
        "retired and deleted",
        "blocked",
    ];
    for word in words {
        assert!(seen.get(word).copied().unwrap_or(0) >= 5, "{word}: {seen:?}");
    }
}
