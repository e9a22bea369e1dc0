//! What is held back of a plan, and what never is.

use std::collections::BTreeSet;

use super::world::{World, key};
use crate::face::{FaceKey, OnMissing};
use crate::plan::{Action, Plan, Restraint, Withheld};

/// A restraint that leaves alone whatever it can, but for resting faces.
fn strict() -> Restraint {
    Restraint { resting: BTreeSet::new(), leaves_names: true, leaves_voices: true, leaves_missing: true }
}

fn action<'a>(plan: &'a Plan, name: &str) -> &'a Action {
    &plan.faces.iter().find(|face| face.key == key(name)).unwrap().action
}

fn restrained(world: &World, restraint: &Restraint) -> (Plan, Vec<(FaceKey, Withheld)>) {
    let mut plan = world.plan();
    let withheld = plan.restrain(restraint);
    (plan, withheld)
}

#[test]
fn without_a_restraint_a_plan_stays_as_it_is() {
    let mut world = World::agreeing().declared("new").face("ana");
    world.live("ana").name = Some("Somebody else".to_owned());
    let (plan, withheld) = restrained(&world, &Restraint::default());
    assert_eq!((plan, withheld), (world.plan(), Vec::new()));
}

#[test]
fn a_name_that_somebody_else_changed_is_left_and_one_that_the_manifest_changed_is_not() {
    let mut world = World::agreeing().face("ana").face("ben");
    world.live("ana").name = Some("Somebody else".to_owned());
    world.wants("ben").face_name = "Benjamin".parse().unwrap();
    let (plan, withheld) = restrained(&world, &strict());
    assert_eq!(action(&plan, "ana"), &Action::NoOp);
    assert!(matches!(action(&plan, "ben"), Action::Update(_)));
    assert_eq!(withheld, [(key("ana"), Withheld::Drifted)]);
    assert!(!plan.faces[0].drift.is_empty(), "the drift is still told");
}

#[test]
fn a_token_leaves_a_name_also_where_names_are_left_alone() {
    let mut world = World::agreeing().training("ana");
    world.live("ana").status = crate::face::TrainingStatus::Ready;
    assert!(matches!(world.action("ana"), Action::Update(_)));
    let (plan, withheld) = restrained(&world, &strict());
    assert_eq!((plan, withheld), (world.plan(), Vec::new()));
}

#[test]
fn a_missing_face_is_not_trained_again_whatever_its_manifest_says() {
    let mut world = World::agreeing().face("ana");
    world.lifecycle("ana").on_missing = OnMissing::Recreate;
    world.observed.faces.clear();
    assert!(world.action("ana").is_paid());
    let (plan, withheld) = restrained(&world, &strict());
    assert_eq!((plan.summary().paid_trainings, withheld), (0, vec![(key("ana"), Withheld::Missing)]));
}

#[test]
fn nothing_is_done_to_a_resting_face_but_to_write_down_that_it_was_found() {
    let world = World::agreeing().declared("new").declared("found").bearer("r1", "found", 1).declared("other");
    let resting = BTreeSet::from([key("new"), key("found")]);
    let (plan, withheld) = restrained(&world, &Restraint { resting, ..Restraint::default() });
    assert_eq!(action(&plan, "new"), &Action::NoOp);
    assert!(matches!(action(&plan, "found"), Action::Adopt(_)));
    assert!(action(&plan, "other").is_paid());
    assert_eq!(withheld, [(key("new"), Withheld::Resting)]);
}
