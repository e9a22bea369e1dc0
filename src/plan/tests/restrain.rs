//! What is held back of a plan, and what never is.

use std::collections::BTreeSet;

use super::world::{World, key};
use crate::face::{FaceKey, OnMissing};
use crate::plan::{Action, Plan, Restraint, Withheld};

/// A restraint that leaves alone whatever it can, but for resting faces.
fn strict() -> Restraint {
    Restraint { leaves_names: true, leaves_voices: true, leaves_missing: true, ..Restraint::default() }
}

fn action<'a>(plan: &'a Plan, name: &str) -> &'a Action {
    &plan.faces.iter().find(|face| face.key == key(name)).unwrap().action
}

fn restrained(world: &World, restraint: &Restraint) -> (Plan, Vec<(FaceKey, Withheld)>) {
    let mut plan = world.plan();
    let held = plan.restrain(restraint);
    (plan, held.faces)
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

#[test]
fn what_is_held_back_counts_against_no_limit() {
    let mut world = World::agreeing().declared("one").declared("two");
    world.policy.max_trainings = Some(1);
    assert_eq!(world.plan().refusals.len(), 1);
    let resting = BTreeSet::from([key("one")]);
    let (plan, _) = restrained(&world, &Restraint { resting, ..Restraint::default() });
    assert_eq!((plan.refusals.len(), plan.summary().paid_trainings), (0, 1));
}

#[test]
fn a_limit_may_hold_back_what_it_refuses_and_leave_the_rest() {
    let mut world = World::agreeing().declared("one").declared("two").face("ana");
    world.live("ana").name = Some("Somebody else".to_owned());
    world.policy.max_trainings = Some(1);
    let mut plan = world.plan();
    let held = plan.restrain(&Restraint { drops_refused: true, ..Restraint::default() });
    assert_eq!((held.refusals.len(), plan.refusals.len(), plan.summary().paid_trainings), (1, 0, 0));
    assert!(matches!(action(&plan, "ana"), Action::Update(_)), "what costs nothing is done");
    assert_eq!(held.faces, [(key("one"), Withheld::OverLimit), (key("two"), Withheld::OverLimit)]);
}
