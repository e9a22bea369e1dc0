//! One test for each row about other training inputs: 12 to 17 and 24 to 33.

use insta::assert_snapshot;

use super::table::{adopt, create};
use super::world::{World, id, key};
use crate::face::{Attempt, ObservedPals, OnFailed, OnMissing, TrainingStatus, WaitFor};
use crate::plan::{Action, Block, Plan, Reason, Switch};

fn replacement(action: Action) -> crate::plan::Create {
    match action {
        Action::Replace(create) => *create,
        other => panic!("not replaced: {other:?}"),
    }
}

fn switch(action: Action) -> Switch {
    match action {
        Action::Switch(switch) => switch,
        other => panic!("not switched: {other:?}"),
    }
}

/// A face whose new one, from other inputs, is as far as that.
pub(super) fn beside(status: TrainingStatus) -> World {
    World::agreeing().face("rio").replaced_by("rio", "r2", status)
}

#[test]
fn row_12_a_face_with_the_token_of_the_new_inputs_is_taken_up_instead_of_bought() {
    let mut world = World::agreeing().face("rio");
    world.retrain("rio");
    let world = world.bearer("r2", "rio", 1);
    assert_eq!(world.reason("rio"), Reason::FoundByToken);
    let adopt = adopt(world.action("rio"));
    assert_eq!((adopt.id, adopt.beside), (id("r2"), Some(id("r-rio"))), "the present one serves on until it is ready");
}

#[test]
fn row_14_a_failed_face_with_other_inputs_is_created_anew_and_the_old_one_stays_alive() {
    let mut world = World::agreeing().failed("rio");
    world.retrain("rio");
    assert_snapshot!(world.text(), @r#"
    Project acme:

      + rio  create  $ starts a paid training
          face_name:        "Rio"
          model_name:       phoenix-4
          train_video_url:  https://media.example.com/rio.mp4?…
          training_version: "2"
          wait_for:         ready
          token:            fc-rltmsmyr-kgpl2r-1
          takes the place of r-rio, which is left alive
          because its training failed, and the manifest asks for other inputs now;
          the failed face is left alone
          training_version: (none) ->
                            2
          at faces/rio.yaml:1:1

    Plan: 1 to create, 0 to update, 0 to replace, 0 to delete.
    1 paid training; it usually takes 3 to 4 hours.
    "#);
    assert_eq!(create(world.action("rio")).instead_of, Some(id("r-rio")));
}

#[test]
fn row_13_a_protected_face_is_not_replaced() {
    let mut world = World::agreeing().face("rio");
    world.retrain("rio");
    world.lifecycle("rio").protect = true;
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked  r-rio
          because training_version cannot change in place: it needs a new face, and
          it is protected
          training_version: (none) ->
                            2
          help: set the manifest back, declare the new inputs under a new key, or
                take lifecycle.protect away
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
}

#[test]
fn row_15_what_was_rolled_back_from_is_not_gone_on_to_again_before_somebody_says_so() {
    let mut world = World::agreeing().face("rio");
    world.retrain("rio");
    world.record("rio").rolled_back_from = world.clone().wants("rio").fingerprint();
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::RolledBack));
    let mut third = world.clone();
    third.wants("rio").training_version = Some("3".to_owned());
    assert!(matches!(third.reason("rio"), Reason::InputsChanged(_)), "other inputs are another matter");
    world.policy.roll_forward.insert(key("rio"));
    assert!(matches!(world.reason("rio"), Reason::InputsChanged(_)), "and a person may say so");
}

#[test]
fn row_16_a_face_from_before_that_was_made_from_these_inputs_is_gone_back_to_and_none_is_bought() {
    // Replaced yesterday, and the manifest is set back today.
    let mut world = beside(TrainingStatus::Ready).pal("p1", "r2");
    let at = world.observed.at;
    let record = world.record("rio").clone().succeeded(at);
    world.recorded.faces.insert(key("rio"), record);
    world.wants("rio").training_version = None;
    assert_eq!(world.reason("rio"), Reason::PreviousHasInputs);
    let Switch { from, to, pals } = switch(world.action("rio"));
    assert_eq!((from, to, pals.unwrap().len()), (id("r2"), id("r-rio"), 1));
    world.observed.faces.get_mut(&id("r-rio")).unwrap().status = TrainingStatus::Failed;
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementFailed(None)), "a failed one is no way back");
    world.policy.retry.insert(key("rio"));
    assert!(matches!(world.reason("rio"), Reason::InputsChanged(_)));
}

#[test]
fn row_16_a_replacement_that_was_given_up_while_it_trained_is_taken_up_again_and_not_bought_again() {
    let mut world = beside(TrainingStatus::Training);
    let at = world.observed.at;
    let record = world.record("rio");
    let left = record.successor.take().unwrap();
    record.previous.push(left.left(at));
    assert_eq!(world.reason("rio"), Reason::PreviousHasInputs);
    let adopt = adopt(world.action("rio"));
    assert_eq!((adopt.id, adopt.beside), (id("r2"), Some(id("r-rio"))));
}

#[test]
fn row_17_a_working_face_with_other_inputs_gets_a_new_one_beside_it() {
    let mut world = World::agreeing().face("rio");
    world.retrain("rio");
    assert_snapshot!(world.text(), @r#"
    Project acme:

    -/+ rio  replace  $ starts a paid training
          face_name:        "Rio"
          model_name:       phoenix-4
          train_video_url:  https://media.example.com/rio.mp4?…
          training_version: "2"
          wait_for:         ready
          token:            fc-rltmsmyr-kgpl2r-1
          takes the place of r-rio once it is ready: first in every PAL that uses
          it, then in the record
          because training_version cannot change in place: a new face is trained
          first, and takes the place of this one once it is ready
          training_version: (none) ->
                            2
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 1 to replace, 0 to delete.
    1 paid training; it usually takes 3 to 4 hours.
    "#);
    let create = replacement(world.action("rio"));
    assert_eq!((create.token, create.instead_of), (world.token("rio", 1), Some(id("r-rio"))));
    world.lifecycle("rio").repoint_pals = false;
    assert!(world.text().contains("PALs are left as they are"));
}

#[test]
fn row_17_inputs_that_were_tried_before_get_the_next_attempt() {
    let mut world = World::agreeing().face("rio");
    world.retrain("rio");
    let (token, at) = (world.token("rio", 1), world.observed.at);
    let mut left = world.record("rio").clone();
    (left.id, left.token) = (id("r1"), Some(token));
    world.record("rio").previous.push(left.left(at));
    assert_eq!(replacement(world.action("rio")).token, world.token("rio", 2));
}

#[test]
fn row_17_nothing_is_trained_on_a_listing_in_part() {
    let mut world = World::agreeing().face("rio").seen_in_part();
    world.retrain("rio");
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::ListingIncomplete(_))));
}

#[test]
fn row_24_a_third_kind_of_inputs_leaves_the_new_face_for_one_more() {
    let mut world = beside(TrainingStatus::Training);
    world.wants("rio").training_version = Some("3".to_owned());
    assert!(matches!(world.reason("rio"), Reason::InputsChanged(_)));
    assert_eq!(replacement(world.action("rio")).instead_of, Some(id("r-rio")));
    world.lifecycle("rio").protect = true;
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::ProtectedFromReplacement { .. })));
}

#[test]
fn row_25_a_manifest_that_was_set_back_gives_the_new_face_up_and_keeps_it_alive() {
    let mut world = beside(TrainingStatus::Training);
    world.wants("rio").training_version = None;
    assert_snapshot!(world.text(), @r"
    Project acme:

      x rio  give up replacement  r-rio
          r2 stays alive, as a face from before
          because the manifest asks for what the present face was made from: its new
          face is not wanted any more

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 replacement to give up.
    Nothing here is paid for.
    ");
}

#[test]
fn rows_26_and_27_a_new_face_that_vanished_is_bought_again_only_by_policy_or_flag() {
    let mut world = beside(TrainingStatus::Training);
    world.observed.faces.remove(&id("r2"));
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementMissing));
    let mut by_policy = world.clone();
    by_policy.lifecycle("rio").on_missing = OnMissing::Recreate;
    world.policy.recreate.insert(key("rio"));
    for world in [by_policy, world] {
        assert_eq!(world.reason("rio"), Reason::RecreateReplacement);
        assert_eq!(replacement(world.action("rio")).token, world.token("rio", 2));
    }
}

#[test]
fn rows_28_and_29_a_new_face_that_failed_is_tried_again_at_most_once_by_policy() {
    let mut world = beside(TrainingStatus::Failed);
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementFailed(None)));
    world.lifecycle("rio").on_failed = OnFailed::Retry;
    assert_eq!(world.reason("rio"), Reason::RetryReplacement(None));
    assert_eq!(replacement(world.action("rio")).token, world.token("rio", 2));
    world.record("rio").successor.as_mut().unwrap().attempt = Attempt::FIRST.next();
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementFailed(None)), "the second failure is final");
    world.policy.retry.insert(key("rio"));
    assert_eq!(world.reason("rio"), Reason::RetryReplacement(None), "a person may say so again");
}

#[test]
fn row_30_a_new_face_that_stays_a_preview_takes_the_place_only_where_that_is_enough() {
    let mut world = beside(TrainingStatus::TuningFailed);
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementTuningFailed));
    world.lifecycle("rio").wait_for = WaitFor::Preview;
    assert_eq!(world.reason("rio"), Reason::ReplacementReady);
}

#[test]
fn row_31_nothing_is_switched_while_nobody_can_say_which_pals_use_the_face() {
    let mut world = beside(TrainingStatus::Ready);
    let why = "the API counts 46 PALs and lists 40".to_owned();
    world.observed.pals = Some(ObservedPals { missing: Some(why.clone()), ..ObservedPals::default() });
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::PalsUnknown(why)));
    assert!(world.plan().needs_pals(), "they are looked at again");
    world.lifecycle("rio").repoint_pals = false;
    assert_eq!(world.reason("rio"), Reason::ReplacementReady);
}

#[test]
fn row_31a_a_face_that_is_protected_by_now_is_not_left_and_nothing_more_is_paid_for_its_place() {
    for (status, what) in [(TrainingStatus::Ready, "switched"), (TrainingStatus::Failed, "tried again")] {
        let mut world = beside(status);
        world.policy.retry.insert(key("rio"));
        world.lifecycle("rio").protect = true;
        let reason = world.reason("rio");
        assert!(matches!(reason, Reason::Blocked(Block::ProtectedFromReplacement { .. })), "{what}: {reason:?}");
    }
}

#[test]
fn row_16_what_the_manifest_asks_for_and_is_there_is_taken_also_where_the_present_face_failed_or_is_gone() {
    // Left for a second new face, which failed: the first one was paid for, and is ready.
    let mut world = beside(TrainingStatus::Ready);
    let at = world.observed.at;
    let record = world.record("rio");
    let left = record.successor.take().unwrap();
    record.previous.push(left.left(at));
    let mut failed = world.clone();
    failed.live("rio").status = TrainingStatus::Failed;
    world.vanish("rio");
    for mut world in [failed, world] {
        assert_eq!(switch(world.action("rio")).to, id("r2"));
        // Known by its token alone it is no less paid for.
        world.record("rio").previous[0].trained_from = None;
        assert_eq!(switch(world.action("rio")).to, id("r2"));
    }
}

#[test]
fn row_16_a_face_that_stays_a_preview_is_not_bought_again_where_that_is_not_enough() {
    let mut world = beside(TrainingStatus::TuningFailed);
    let at = world.observed.at;
    let record = world.record("rio");
    let left = record.successor.take().unwrap();
    record.previous.push(left.left(at));
    let adopt = adopt(world.action("rio"));
    assert_eq!((adopt.id, adopt.beside), (id("r2"), Some(id("r-rio"))), "and row 30 says what it is short of");
}

#[test]
fn row_25_a_new_face_is_given_up_where_the_present_one_was_made_from_the_same() {
    // Another machine's face was taken over from the lock file while our own create was in doubt.
    let mut world = beside(TrainingStatus::Training);
    let trained_from = world.wants("rio").trained_from();
    world.record("rio").trained_from = trained_from;
    assert_eq!(world.action("rio"), Action::GiveUp(id("r2")));
    world.record("rio").token = None;
    world.record("rio").trained_from = None;
    assert_eq!(world.action("rio"), Action::Wait, "unknown inputs are no reason to give up what is wanted");
}

#[test]
fn a_create_in_doubt_never_takes_the_place_at_once_of_a_face_that_may_be_in_use() {
    for beside in [None, Some(id("r-rio")), Some(id("r-another"))] {
        let mut world = World::agreeing().face("rio");
        world.retrain("rio");
        world = world.in_doubt("rio", 1).bearer("r2", "rio", 1);
        world.recorded.open.get_mut(&key("rio")).unwrap().beside = beside.clone();
        assert_eq!(adopt(world.action("rio")).beside, Some(id("r-rio")), "{beside:?}");
    }
}

#[test]
fn row_32_a_new_face_that_is_ready_takes_the_place_in_every_pal_and_then_in_the_record() {
    let world = beside(TrainingStatus::Ready).pal("p1", "r-rio").pal("p2", "r-rio").pal("p3", "r9");
    assert_snapshot!(world.text(), @r#"
    Project acme:

     -> rio  switch  r-rio
          face_id: r-rio -> r2
          PAL p1 ("PAL p1") is pointed to it
          PAL p2 ("PAL p2") is pointed to it
          because its new face is ready to take its place

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 to switch to the new face.
    Nothing here is paid for.
    "#);
    let mut untouched = world.clone();
    untouched.lifecycle("rio").repoint_pals = false;
    assert_eq!(switch(untouched.action("rio")).pals, None);
}

#[test]
fn row_33_the_present_face_serves_until_the_new_one_is_as_good_as_it_will_get() {
    for status in [TrainingStatus::Training, TrainingStatus::Preview, TrainingStatus::Unknown("paused".to_owned())] {
        let mut world = beside(status.clone());
        world.lifecycle("rio").wait_for = WaitFor::Preview;
        assert_eq!(world.decision("rio"), (Action::Wait, Reason::ReplacementTrains), "{status:?}");
        assert!(!world.plan().has_changes(), "{status:?}");
    }
    let mut world = beside(TrainingStatus::Training);
    world.live("rio").name = Some("Edited".to_owned());
    assert_eq!(world.reason("rio"), Reason::Drifted, "what drifts on the present one meanwhile is put back");
}

#[test]
fn a_disk_that_forgot_everything_takes_the_serving_face_first_and_the_new_one_beside_it() {
    let mut world = World::agreeing().declared("rio").bearer("r1", "rio", 1);
    world.observed.faces.get_mut(&id("r1")).unwrap().status = TrainingStatus::Ready;
    world.retrain("rio");
    let world = world.bearer("r2", "rio", 1);
    let first = adopt(world.action("rio"));
    assert_eq!((first.id, first.beside, world.reason("rio")), (id("r1"), None, Reason::FoundByTokenOfEarlierInputs));
}

#[test]
fn a_plan_looks_at_the_pals_only_where_a_face_is_to_be_left_or_deleted() {
    let needs = |plan: Plan| plan.needs_pals();
    assert!(!needs(World::agreeing().face("rio").plan()));
    assert!(!needs(World::agreeing().declared("rio").plan()));
    assert!(needs(beside(TrainingStatus::Training).plan()));
    assert!(needs(beside(TrainingStatus::Ready).plan()));
}

#[test]
fn a_retry_does_not_go_on_to_what_a_person_went_back_from_where_nobody_knows_what_failed() {
    let mut world = World::agreeing().failed("rio");
    world.lifecycle("rio").on_failed = OnFailed::Retry;
    world.record("rio").trained_from = None;
    world.record("rio").token = None;
    assert!(world.action("rio").is_paid(), "a failed face of unknown inputs is trained again where policy says so");
    world.record("rio").rolled_back_from = world.clone().wants("rio").fingerprint();
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::RolledBack));
    world.policy.roll_forward.insert(key("rio"));
    assert!(world.action("rio").is_paid(), "a person says so");
}
