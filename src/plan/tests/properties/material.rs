//! What is not known leads to nothing, what is told leads to nothing, and what would fail is not paid for.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::generator::{KEYS, world};
use super::{cases, creates};
use crate::face::{Certainty, Check, FaceKey, Finding, Fingerprint, OnSourceChange, Token};
use crate::plan::tests::world::World;
use crate::plan::{Action, Reason};

/// The world as it is seen where nobody can ask which versions lie there.
fn blind(mut world: World) -> World {
    world.observed.material.values_mut().for_each(|sight| sight.revision = None);
    world
}

fn all_say(mut world: World, policy: OnSourceChange) -> World {
    world.desired.faces.values_mut().for_each(|face| face.spec.lifecycle.on_source_change = policy);
    world
}

fn paid(world: &World) -> BTreeMap<FaceKey, Token> {
    creates(&world.plan()).map(|(key, create)| (key.clone(), create.token.clone())).collect()
}

fn actions(world: &World) -> Vec<(FaceKey, Action, Reason)> {
    world.plan().faces.into_iter().map(|face| (face.key, face.action, face.reason)).collect()
}

/// What a key asks for, and what its present and its next face were made from.
fn fingerprints(world: &World, key: &FaceKey) -> Option<(Fingerprint, Fingerprint, Option<Fingerprint>)> {
    let record = world.recorded.faces.get(key)?;
    let wanted = world.desired.faces.get(key)?.spec.fingerprint()?;
    Some((wanted, record.fingerprint()?, record.successor.as_ref().map(|next| next.fingerprint()).unwrap_or_default()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(512), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_nobody_could_ask_leads_to_no_training_and_ends_none(world in world()) {
        let world = all_say(blind(world), OnSourceChange::Retrain);
        for face in world.plan().faces {
            let Some((wanted, present, next)) = fingerprints(&world, &face.key) else { continue };
            let newest = next.unwrap_or(present);
            let is_paid_by_change = matches!(face.reason, Reason::InputsChanged(_) | Reason::ChangedAfterFailure(_));
            if is_paid_by_change && face.action.is_paid() && world.recorded.faces[&face.key].successor.is_none() {
                prop_assert!(newest != wanted, "{}: {:?}", face.key, face.reason);
            }
            if matches!(face.action, Action::GiveUp(_)) {
                // Its inputs are not wanted, or nothing is trained from an object.
                let is_object = !matches!(&world.desired.faces[&face.key].spec.training, Some(input) if input.source().link().is_some());
                prop_assert!(!is_object || next != Some(wanted), "{}: given up", face.key);
            }
        }
    }

    #[test]
    fn with_report_no_version_leads_to_a_training_or_ends_one(world in world()) {
        let world = all_say(world, OnSourceChange::Report);
        let without = blind(world.clone());
        prop_assert_eq!(paid(&world), paid(&without));
        let given_up = |world: &World| -> Vec<FaceKey> {
            actions(world).into_iter().filter(|(_, action, _)| matches!(action, Action::GiveUp(_))).map(|(key, ..)| key).collect()
        };
        prop_assert_eq!(given_up(&world), given_up(&without));
    }

    #[test]
    fn an_error_in_the_material_lets_nothing_paid_through_and_stops_nothing_else(world in world()) {
        let mut broken = world;
        for name in KEYS {
            let rule = "a video has at most 750 MB";
            broken.found(name, vec![Finding::error(Check::Size, "it is 812 MB", rule, Certainty::Documented)]);
        }
        prop_assert_eq!(creates(&broken.plan()).count(), 0);
        let mut sound = broken.clone();
        KEYS.iter().for_each(|name| sound.found(name, Vec::new()));
        for ((key, action, reason), before) in actions(&broken).into_iter().zip(actions(&sound)) {
            if !before.1.is_paid() {
                prop_assert_eq!((key, action, reason), before);
            }
        }
    }

    #[test]
    fn advice_stops_nothing(world in world()) {
        let mut advised = world.clone();
        for sight in advised.observed.material.values_mut() {
            let advice = Finding::advice(Check::Audio, "it is quiet", "it is loud enough", Certainty::Recommended);
            sight.findings.get_or_insert_default().push(advice);
        }
        prop_assert_eq!(actions(&advised), actions(&world));
    }

    #[test]
    fn what_cannot_be_read_is_neither_trained_nor_given_up_for(world in world()) {
        for face in world.plan().faces {
            let Some(desired) = world.desired.faces.get(&face.key) else { continue };
            if desired.spec.training.is_none() || desired.spec.trained_from().is_some() {
                continue;
            }
            prop_assert!(!face.action.is_paid(), "{}: {:?}", face.key, face.action);
            let has_unwanted_next = world.recorded.faces.get(&face.key).is_some_and(|record| record.successor.is_some());
            prop_assert!(!matches!(face.action, Action::GiveUp(_)) || has_unwanted_next);
        }
    }

    #[test]
    fn a_version_that_a_live_face_of_the_key_was_made_from_is_never_paid_for(world in world(), lies in 0..3u8) {
        let mut world = all_say(world, OnSourceChange::Retrain);
        KEYS.iter().for_each(|name| world.lies(name, &format!("v{lies}")));
        for (key, create) in creates(&world.plan()) {
            let Some(record) = world.recorded.faces.get(key) else { continue };
            let before = record.previous.iter().map(|face| (&face.id, &face.trained_from));
            let present = std::iter::once(record).chain(record.successor.as_deref());
            for (id, made) in present.map(|face| (&face.id, &face.trained_from)).chain(before) {
                let Some(made) = made.as_ref().filter(|made| made.fingerprint() == create.trained_from.fingerprint()) else { continue };
                let lives = world.observed.faces.get(id).is_some_and(|live| live.status != crate::face::TrainingStatus::Failed);
                prop_assert!(!lives || made.revision.is_none() || made.revision != create.trained_from.revision, "{key}: {id}");
            }
        }
    }
}
