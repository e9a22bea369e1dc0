//! Where two rules meet.

use std::time::Duration;

use insta::assert_snapshot;

use super::world::{World, before, id, key, noon};
use crate::face::{Coverage, OnFailed, OnMissing, Ownership, Sight, TrainingStatus};
use crate::plan::{Action, Block, Consent, Limit, NotApproved, Reason, review};

fn adopted(world: &World, name: &str) -> String {
    match world.action(name) {
        Action::Adopt(adopt) => adopt.id.to_string(),
        other => panic!("not adopted: {other:?}"),
    }
}

#[test]
fn of_two_faces_with_one_token_the_older_is_kept_on_every_machine() {
    let mut world = World::agreeing().declared("rio").bearer("r1", "rio", 1).bearer("r2", "rio", 1);
    assert_eq!(adopted(&world, "rio"), "r1", "equally old: the id that sorts first");
    world.observed.faces.get_mut(&id("r2")).unwrap().created_at = Some(noon() - Duration::from_secs(7201));
    assert_eq!(adopted(&world, "rio"), "r2", "the older");
    world.observed.faces.get_mut(&id("r2")).unwrap().created_at = None;
    assert_eq!(adopted(&world, "rio"), "r1", "one whose age is known");
    assert_snapshot!(world.text(), @r#"
    Project acme:

     <= rio  adopt  r1
          face_name: "Rio"
          because a live face carries the token of this very creation, so nothing is
          created

    !! duplicate: several live faces carry the token fc-rltmsmyr-4ip344-1 of
        rio: r1 is kept, r2 was paid for as well. facectl never deletes a face on
        its own: look at each, then delete by hand what is not needed.

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 to adopt.
    Nothing here is paid for.
    "#);
}

#[test]
fn of_two_faces_with_one_token_of_earlier_inputs_the_older_is_kept_too() {
    let mut world = World::agreeing().declared("rio").bearer("r1", "rio", 1).bearer("r2", "rio", 1);
    world.observed.faces.get_mut(&id("r1")).unwrap().created_at = Some(noon() - Duration::from_secs(9000));
    world.retrain("rio");
    assert_eq!(adopted(&world, "rio"), "r1");
    assert_eq!(world.plan().duplicates[0].kept, id("r1"), "the plan and its report agree");
}

#[test]
fn a_recorded_face_is_kept_even_if_its_duplicate_is_older() {
    let world = World::agreeing().training("rio").bearer("r1", "rio", 1);
    let [duplicate] = world.plan().duplicates.try_into().unwrap();
    assert_eq!((duplicate.kept, duplicate.others), (id("r-rio"), vec![id("r1")]));
    assert_eq!(world.action("rio"), Action::Wait);
}

#[test]
fn a_training_from_a_host_that_is_reserved_for_examples_is_not_paid_for() {
    let mut world = World::agreeing().declared("rio");
    assert!(matches!(world.action("rio"), Action::Create(_)), "a rehearsal fetches nothing");
    world.policy.refuses_example_hosts = true;
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ExampleHost("media.example.com".to_owned())));
    world.wants("rio").training = Some(crate::face::TrainingInput::Video {
        source: crate::plan::tests::world::link("https://media.example.company/rio.mp4").into(),
    });
    assert!(matches!(world.action("rio"), Action::Create(_)));
}

#[test]
fn of_several_attempts_the_last_one_counts() {
    let world = World::agreeing().declared("rio").bearer("r1", "rio", 1).bearer("r2", "rio", 2);
    assert_eq!(adopted(&world, "rio"), "r2");
    assert_eq!(world.plan().duplicates, [], "two attempts are no duplicates");
}

#[test]
fn a_face_that_was_given_up_is_not_taken_back_when_its_successor_vanishes() {
    // Taking the failed first attempt back would lead to a retry, which nobody asked for.
    let mut world = World::agreeing().face("rio").bearer("r1", "rio", 1);
    let second = world.token("rio", 2);
    let record = world.record("rio");
    (record.attempt, record.token, record.previous) = (second.attempt(), Some(second), vec![before("r1")]);
    world.observed.faces.get_mut(&id("r1")).unwrap().status = TrainingStatus::Failed;
    world.lifecycle("rio").on_failed = OnFailed::Retry;
    world.vanish("rio");
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::Missing));
    world.lifecycle("rio").on_missing = OnMissing::Recreate;
    let Action::Create(create) = world.action("rio") else { panic!("not created") };
    assert_eq!(create.token, world.token("rio", 3), "each training has a token of its own");
}

#[test]
fn a_working_face_is_not_left_for_a_failed_one_of_the_inputs_before() {
    let mut world = World::agreeing().face("rio").bearer("r1", "rio", 1);
    world.observed.faces.get_mut(&id("r1")).unwrap().status = TrainingStatus::Failed;
    let mut later = world.clone();
    later.retrain("rio");
    let (trained_from, token) = (later.wants("rio").trained_from(), later.token("rio", 1));
    let record = world.record("rio");
    (record.trained_from, record.token, record.previous) = (trained_from, Some(token), vec![before("r1")]);
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ReplacementFailed(None)), "nor is it bought again");
    world.policy.retry.insert(key("rio"));
    assert!(matches!(world.reason("rio"), Reason::InputsChanged(_)), "unless a person says so");
}

#[test]
fn a_protected_face_is_not_replaced_even_after_it_failed() {
    let mut world = World::agreeing().failed("rio");
    world.retrain("rio");
    assert!(matches!(world.action("rio"), Action::Create(_)));
    world.lifecycle("rio").protect = true;
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::ProtectedFromReplacement { .. })));
    world.lifecycle("rio").protect = false;
    world.record("rio").protect = true;
    assert!(matches!(world.action("rio"), Action::Create(_)), "the manifest has the last word while it is there");
}

#[test]
fn a_face_that_another_keys_record_holds_is_neither_taken_nor_bought_again() {
    let mut world = World::agreeing().training("rio").declared("ana");
    let record = world.recorded.faces.remove(&key("rio")).unwrap();
    world.recorded.faces.insert(key("ana"), record);
    assert_snapshot!(world.text(), @r#"
    Project acme:

    -/+ ana  replace  $ starts a paid training
          face_name:       "Ana"
          model_name:      phoenix-4
          train_video_url: https://media.example.com/ana.mp4?…
          wait_for:        ready
          token:           fc-fediognc-432xq5-1
          takes the place of r-rio once it is ready: first in every PAL that uses
          it, then in the record
          because train_video_url cannot change in place: a new face is trained
          first, and takes the place of this one once it is ready
          train_video_url: https://media.example.com/rio.mp4?… ->
                           https://media.example.com/ana.mp4?…
          at faces/ana.yaml:11:1

      ! rio  blocked
          because the face r-rio answers to this key too, but ana holds it, and a
          face belongs to one key
          help: keep one of the two keys; to train another face from the same inputs
                raise training_version
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 1 to replace, 0 to delete.
    Also: 1 blocked.
    1 paid training; it usually takes 3 to 4 hours.
    "#);
}

#[test]
fn a_retry_is_not_sent_on_a_listing_in_part() {
    let mut world = World::agreeing().failed("rio").seen_in_part();
    world.policy.retry.insert(key("rio"));
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::ListingIncomplete(_))));
}

#[test]
fn a_retry_whose_training_is_live_already_is_taken_up() {
    let mut world = World::agreeing().failed("rio").bearer("r2", "rio", 2);
    world.policy.retry.insert(key("rio"));
    assert_eq!(adopted(&world, "rio"), "r2");
}

#[test]
fn an_open_create_blocks_its_key_also_while_a_face_of_it_works() {
    let mut world = World::agreeing().failed("rio").in_doubt("rio", 2);
    world.policy.retry.insert(key("rio"));
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::InDoubt { .. })));
    let world = world.bearer("r2", "rio", 2);
    assert_eq!(adopted(&world, "rio"), "r2");
}

#[test]
fn an_open_create_is_reported_also_where_its_manifest_is_gone() {
    let mut world = World::agreeing().declared("rio").in_doubt("rio", 1);
    let with_face = world.clone().bearer("r1", "rio", 1);
    world.undeclare("rio");
    assert!(matches!(world.reason("rio"), Reason::Blocked(Block::InDoubt { .. })));
    let mut world = with_face;
    world.undeclare("rio");
    assert_eq!(adopted(&world, "rio"), "r1");
}

#[test]
fn what_is_not_ours_is_counted_and_a_stock_face_never_matches() {
    let mut world = World::agreeing().declared("rio").face("ana").stray("r1", "Rio").stray("r2", "Someone");
    world.observed.faces.get_mut(&id("r1")).unwrap().ownership = Ownership::Unsaid;
    world.policy.adopt_by_name = true;
    let same_name = Reason::Blocked(Block::SameName(vec![id("r1")]));
    assert_eq!(world.reason("rio"), same_name, "a face whose owner is unsaid is not taken by name, but may be it");
    assert_eq!(world.plan().foreign, 2);
    let mut world = World::agreeing().declared("rio").bearer("r1", "rio", 1);
    world.observed.faces.get_mut(&id("r1")).unwrap().ownership = Ownership::System;
    assert_eq!(world.reason("rio"), Reason::New, "a stock face is never ours");
}

#[test]
fn a_plan_over_the_limit_can_be_read_but_not_approved() {
    let mut world = World::agreeing().declared("ana").declared("rio").face("bea");
    world.policy.max_trainings = Some(1);
    assert_snapshot!(world.text(), @r#"
    Project acme:

      + ana  create  $ starts a paid training
          face_name:       "Ana"
          model_name:      phoenix-4
          train_video_url: https://media.example.com/ana.mp4?…
          wait_for:        ready
          token:           fc-fediognc-432xq5-1
          because it is declared, nothing is recorded, and no live face answers to
          its token or name
          at faces/ana.yaml:1:1

      + rio  create  $ starts a paid training
          face_name:       "Rio"
          model_name:      phoenix-4
          train_video_url: https://media.example.com/rio.mp4?…
          wait_for:        ready
          token:           fc-rltmsmyr-4ip344-1
          because it is declared, nothing is recorded, and no live face answers to
          its token or name
          at faces/rio.yaml:11:1

    Plan: 2 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 unchanged.
    2 paid trainings; the longest usually takes 3 to 4 hours.
    over a limit: 2 trainings would be started, spec.limits.max_trainings allows
        1 (ana, rio). Raise it there or with --max-trainings, or apply fewer faces
        at a time. As it stands this plan cannot be applied.
    "#);
    for consent in [Consent::Given, Consent::Automatic] {
        let Err(NotApproved::OverLimit(refusals)) = review(world.plan(), consent) else { panic!("approved") };
        assert_eq!((refusals[0].limit, refusals[0].allowed), (Limit::MaxTrainings, 1));
        assert_eq!(refusals[0].faces, [key("ana"), key("rio")]);
    }
    world.policy.max_trainings = Some(2);
    assert!(review(world.plan(), Consent::Automatic).is_ok());
    assert_eq!(review(world.plan(), Consent::Withheld).unwrap_err(), NotApproved::Withheld);
}

#[test]
fn a_plan_from_the_lock_file_alone_is_for_looking_at_whoever_says_yes() {
    let mut world = World::agreeing().declared("ana");
    let offline = Sight::LockFile { is_there: false, recorded: 0, latest: None };
    world.observed.coverage = Coverage::Partial("the API was not asked".to_owned());
    assert!(!world.plan().has_changes(), "nothing is created on a listing that is not complete");
    world.observed.sight = offline;
    let plan = world.plan();
    assert!(plan.has_changes() && !plan.is_applyable());
    for consent in [Consent::Given, Consent::Automatic, Consent::Bound] {
        assert_eq!(review(world.plan(), consent).unwrap_err(), NotApproved::Withheld);
    }
}

#[test]
fn of_two_keys_that_claim_one_record_the_first_takes_it_and_the_other_buys_nothing() {
    let mut world = World::agreeing().face("old").declared("ana").declared("rio");
    world.undeclare("old");
    for name in ["ana", "rio"] {
        let face = world.desired.faces.get_mut(&key(name)).unwrap();
        face.annotations.insert("facectl.dev/moved-from".to_owned(), "old".to_owned());
    }
    assert_eq!(adopted(&world, "ana"), "r-old");
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::HeldByOther { id: id("r-old"), by: key("ana") }));
    assert_eq!(world.reason("old"), Reason::MovedTo(key("ana")));
}

#[test]
fn a_moved_face_of_which_only_the_token_is_known_is_still_made_from_todays_inputs() {
    let mut world = World::agreeing().training("rio").declared("ana");
    world.wants("ana").training = world.clone().wants("rio").training.clone();
    let mut record = world.recorded.faces.remove(&key("rio")).unwrap();
    record.trained_from = None;
    world.recorded.faces.insert(key("ana"), record);
    world.undeclare("rio");
    assert_ne!(world.action("ana"), Action::Blocked);
}

#[test]
fn a_record_is_not_moved_to_another_key_while_a_create_of_it_is_open() {
    let mut world = World::agreeing().failed("old").in_doubt("old", 2).declared("ana");
    world.undeclare("old");
    let face = world.desired.faces.get_mut(&key("ana")).unwrap();
    face.annotations.insert("facectl.dev/moved-from".to_owned(), "old".to_owned());
    assert!(matches!(world.reason("ana"), Reason::Blocked(Block::InDoubt { .. })));
    world.recorded.open.clear();
    assert_eq!(adopted(&world, "ana"), "r-old");
}
