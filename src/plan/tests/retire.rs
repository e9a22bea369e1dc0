//! One test for each row about faces that nobody asks for any more: 34 to 42, and those that were replaced.

use insta::assert_snapshot;
use jiff::SignedDuration;

use super::world::{World, id, noon};
use crate::face::{LastSeen, ObservedPals, OnRemoval, TrainingStatus};
use crate::plan::{Action, Delete, Fate, Keep, Limit, Reason, Refusal, Shortage, Spent};

/// A face that left the manifests and may be deleted by everything that was said; another one is still declared.
pub(super) fn prunable() -> World {
    let mut world = World::agreeing().face("ana").face("rio");
    world.record("rio").on_removal = OnRemoval::Delete;
    world.policy.prune = true;
    world.undeclare("rio");
    world.observed.pals = Some(ObservedPals::default());
    world
}

fn kept(world: &World) -> Keep {
    match world.decision("rio") {
        (Action::Orphaned, Reason::LeftManifestsKept(keep)) => keep,
        other => panic!("not kept: {other:?}"),
    }
}

/// A face that was replaced two days ago, and is not kept for its own sake.
pub(super) fn replaced() -> World {
    let mut world = World::agreeing().face("ana").face("rio").replaced_by("rio", "r2", TrainingStatus::Ready);
    let at = noon() - SignedDuration::from_hours(48);
    let record = world.record("rio").clone().succeeded(at);
    world.recorded.faces.insert(super::world::key("rio"), record);
    world.lifecycle("rio").on_removal = OnRemoval::Delete;
    world.policy.prune = true;
    world.observed.pals = Some(ObservedPals::default());
    world
}

fn fate(world: &World) -> Fate {
    let [retired] = &world.plan().retired[..] else { panic!("{:?}", world.plan().retired) };
    assert_eq!(retired.id, id("r-rio"));
    retired.fate.clone()
}

#[test]
fn row_34_what_left_the_manifests_and_is_gone_is_forgotten() {
    let mut world = World::agreeing().face("rio");
    world.vanish("rio");
    world.undeclare("rio");
    assert_snapshot!(world.text(), @r"
    Project acme:

      . rio  forget  r-rio
          because it left the manifests, and no live face is left of it

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 to forget.
    Nothing here is paid for.
    ");
}

#[test]
fn row_35_what_left_the_manifests_and_lives_is_listed_and_left_alone() {
    let mut world = World::agreeing().face("rio");
    world.undeclare("rio");
    assert_snapshot!(world.text(), @r"
    Project acme:

      o rio  orphaned  r-rio
          because it left the manifests; it stays alive and recorded, as facectl
          deletes nothing on its own (`facectl state forget` drops it from the
          record alone)

    No changes. 0 faces as declared, 1 no longer declared, left alone.
    ");
    let mut world = world.seen_in_part();
    world.vanish("rio");
    assert_eq!(world.action("rio"), Action::Orphaned, "a listing in part does not prove that it is gone");
}

#[test]
fn row_35_what_was_created_a_moment_ago_is_not_forgotten_before_it_shows() {
    let mut world = World::agreeing().training("rio");
    world.record("rio").created_at = Some(world.observed.at);
    world.vanish("rio");
    world.undeclare("rio");
    assert_eq!(world.action("rio"), Action::Orphaned);
}

#[test]
fn row_36_a_protected_face_is_kept_although_its_manifest_is_gone() {
    let mut world = prunable();
    world.record("rio").protect = true;
    assert_eq!(kept(&world), Keep::Protected);
}

#[test]
fn row_37_what_may_be_deleted_is_deleted_only_with_prune() {
    let mut world = prunable();
    world.policy.prune = false;
    assert_snapshot!(world.text(), @r"
    Project acme:

      o rio  orphaned  r-rio
          because it left the manifests, and on_removal says that it may go:
          `--prune` deletes it

    No changes. 1 face as declared, 1 no longer declared, left alone.
    ");
    world.record("rio").on_removal = OnRemoval::Retain;
    world.policy.prune = true;
    assert_eq!(
        world.decision("rio"),
        (Action::Orphaned, Reason::LeftManifests),
        "and never where it is to be retained"
    );
}

#[test]
fn row_38_nothing_is_deleted_on_a_listing_in_part() {
    let world = prunable().seen_in_part();
    assert!(matches!(kept(&world), Keep::ListingIncomplete(_)));
}

#[test]
fn row_39_an_empty_project_deletes_nothing_unless_that_is_meant() {
    let mut world = prunable();
    world.undeclare("ana");
    assert_eq!(kept(&world), Keep::NothingDeclared);
    world.policy.allow_empty = true;
    assert!(matches!(world.action("rio"), Action::Delete(_)));
}

#[test]
fn row_40_a_face_that_failed_within_a_day_is_kept_for_its_refund() {
    let mut world = prunable();
    world.live("rio").status = TrainingStatus::Failed;
    let until = noon() + SignedDuration::from_hours(24);
    assert_eq!(kept(&world), Keep::FailedLately(until), "nobody saw when it failed: it may be a moment ago");
    let seen_at = noon() - SignedDuration::from_hours(23);
    world.record("rio").last_seen = Some(LastSeen { at: seen_at, status: TrainingStatus::Failed, progress: None });
    assert_eq!(kept(&world), Keep::FailedLately(seen_at + SignedDuration::from_hours(24)));
    let mut later = world.clone();
    later.observed.at += SignedDuration::from_hours(2);
    assert!(matches!(later.action("rio"), Action::Delete(_)));
    world.policy.prune_failed = true;
    assert!(matches!(world.action("rio"), Action::Delete(_)));
}

#[test]
fn row_41_a_face_that_a_pal_uses_is_kept() {
    let world = prunable().pal("p1", "r-rio");
    assert!(matches!(kept(&world), Keep::UsedByPals(pals) if pals.len() == 1));
    assert_snapshot!(world.text(), @r#"
    Project acme:

      o rio  orphaned  r-rio
          because it left the manifests, and stays: PAL p1 ("PAL p1") uses it; point
          them to another face first

    No changes. 1 face as declared, 1 no longer declared, left alone.
    "#);
    let mut unknown = prunable();
    unknown.observed.pals = Some(ObservedPals { missing: Some("half".to_owned()), ..ObservedPals::default() });
    assert_eq!(kept(&unknown), Keep::PalsUnknown("half".to_owned()));
    unknown.observed.pals = None;
    assert!(matches!(kept(&unknown), Keep::PalsUnknown(_)));
    assert!(unknown.plan().needs_pals());
}

#[test]
fn row_42_what_left_the_manifests_is_deleted_where_policy_and_flag_say_so() {
    let mut world = prunable();
    assert_snapshot!(world.text(), @r"
    Project acme:

      - rio  delete  r-rio
          deletes r-rio, which cannot be undone
          because it left the manifests, on_removal says that it may go, and --prune
          was given

    Plan: 0 to create, 0 to update, 0 to replace, 1 to delete.
    Also: 1 unchanged.
    Nothing here is paid for.
    ");
    world.record("rio").on_removal = OnRemoval::HardDelete;
    let Action::Delete(Delete { faces, is_hard }) = world.action("rio") else { panic!("not deleted") };
    assert_eq!((faces, is_hard), (vec![id("r-rio")], true));
}

#[test]
fn row_42_the_faces_from_before_go_first_and_the_present_one_last() {
    let mut world = World::agreeing().face("ana").face("rio").replaced_by("rio", "r2", TrainingStatus::Training);
    world = world.stray("r0", "Rio");
    let record = world.record("rio");
    record.previous.push(super::world::before("r0"));
    record.previous.push(super::world::before("gone"));
    record.on_removal = OnRemoval::Delete;
    world.policy.prune = true;
    world.undeclare("rio");
    world.observed.pals = Some(ObservedPals::default());
    let Action::Delete(Delete { faces, .. }) = world.action("rio") else { panic!("not deleted") };
    assert_eq!(faces, [id("r0"), id("r2"), id("r-rio")]);
}

#[test]
fn more_deletions_than_allowed_are_refused_and_named() {
    let mut world = prunable();
    world.policy.max_deletions = Some(1);
    assert_eq!(world.plan().refusals, []);
    world.policy.deletions_before = Some(Spent { count: 1, period: std::time::Duration::from_secs(86_400) });
    let [Refusal { limit: Limit::MaxDeletions, allowed: 1, .. }] = &world.plan().refusals[..] else { panic!() };
    let text = world.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("1 deletion would be made after 1 within 1d, spec.limits.max_deletions allows 1"), "{text}");
}

#[test]
fn a_replaced_face_is_kept_to_roll_back_to_until_its_time_is_up() {
    let mut world = replaced();
    assert_eq!(fate(&world), Fate::Delete { is_hard: false });
    assert_eq!(world.plan().summary().delete, 1);
    world.policy.prune = false;
    assert_eq!(fate(&world), Fate::Prunable);
    assert!(!world.plan().has_changes());
    world.lifecycle("rio").retire_after = SignedDuration::from_hours(72);
    world.policy.prune = true;
    assert_eq!(fate(&world), Fate::KeptUntil(noon() + SignedDuration::from_hours(24)));
    assert_snapshot!(world.text(), @r"
    Faces from before:

      o rio  r-rio  kept until 2026-11-23T12:00:00Z, to roll back to

    No changes. 2 faces as declared.
    ");
    world.lifecycle("rio").on_removal = OnRemoval::Retain;
    assert_eq!(fate(&world), Fate::Retained);
    world.lifecycle("rio").protect = true;
    assert_eq!(fate(&world), Fate::Kept(Keep::Protected));
}

#[test]
fn a_replaced_face_is_kept_while_the_present_one_is_of_no_use() {
    let mut failed = replaced();
    failed.live("rio").status = TrainingStatus::Failed;
    let mut gone = replaced();
    gone.vanish("rio");
    for world in [failed, gone] {
        assert_eq!(fate(&world), Fate::Kept(Keep::PresentNotUsable));
    }
}

#[test]
fn a_face_that_was_given_up_in_training_and_failed_later_is_kept_for_its_refund() {
    let mut world = replaced();
    world.observed.faces.get_mut(&id("r-rio")).unwrap().status = TrainingStatus::Failed;
    world.record("rio").previous[0].left_at = Some(noon() - SignedDuration::from_hours(47));
    assert_eq!(fate(&world), Fate::Kept(Keep::FailedLately(noon() + SignedDuration::from_hours(1))));
    world.policy.prune_failed = true;
    assert_eq!(fate(&world), Fate::Delete { is_hard: false });
}

#[test]
fn a_replaced_face_that_a_pal_still_uses_is_kept() {
    let world = replaced().pal("p1", "r-rio");
    assert!(matches!(fate(&world), Fate::Kept(Keep::UsedByPals(_))));
}

#[test]
fn a_face_that_is_taken_up_again_is_not_deleted_beside() {
    // The new face was given up two days ago, and is asked for again now.
    let mut world = World::agreeing().face("ana").face("rio").replaced_by("rio", "r2", TrainingStatus::Training);
    let at = noon() - SignedDuration::from_hours(48);
    let record = world.record("rio");
    let left = record.successor.take().unwrap();
    record.previous.push(left.left(at));
    world.lifecycle("rio").on_removal = OnRemoval::Delete;
    world.policy.prune = true;
    world.observed.pals = Some(ObservedPals::default());
    assert!(matches!(world.action("rio"), Action::Adopt(_)));
    assert_eq!(world.plan().deletions().count(), 0);
    world.wants("rio").training_version = None;
    assert_eq!(world.plan().deletions().count(), 1, "once it is not wanted it may go");
}

#[test]
fn a_replacement_in_an_account_without_room_is_pointed_out_before_it_is_sent() {
    let mut world = World::agreeing().face("ana").face("rio");
    world.retrain("rio");
    world.policy.face_slots = Some(3);
    assert_eq!(world.plan().shortage, None);
    world.policy.face_slots = Some(2);
    assert_eq!(world.plan().shortage, Some(Shortage { slots: 2, taken: 2, needed: 1 }));
    let text = world.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("a replacement needs a free one"), "{text}");
    world.wants("rio").training_version = None;
    assert_eq!(world.plan().shortage, None, "where nothing is trained there is nothing to say");
}

#[test]
fn a_face_that_looks_as_if_only_its_key_was_changed_is_kept() {
    let mut world = prunable();
    let spec = world.record("rio").clone();
    world = world.declared("max");
    world.wants("max").training = super::world::spec("rio").training;
    assert_eq!(world.wants("max").fingerprint(), spec.fingerprint());
    assert_eq!(kept(&world), Keep::LooksRenamed(super::world::key("max")));
    world.policy.create_new.insert(super::world::key("max"));
    assert!(matches!(world.action("rio"), Action::Delete(_)), "unless somebody says that it is another one");
}

#[test]
fn a_face_that_another_key_holds_too_is_kept() {
    let mut world = prunable();
    world.record("ana").previous.push(super::world::before("r-rio"));
    assert_eq!(kept(&world), Keep::HeldBy(super::world::key("ana")));
    let mut world = replaced();
    world.record("ana").previous.push(super::world::before("r-rio"));
    let fates: Vec<Fate> = world.plan().retired.into_iter().map(|retired| retired.fate).collect();
    assert!(fates.iter().all(|fate| matches!(fate, Fate::Retained | Fate::Kept(Keep::HeldBy(_)))), "{fates:?}");
}

#[test]
fn what_was_rolled_back_from_is_kept_while_the_manifest_asks_for_it() {
    let mut world = replaced();
    let at = noon() - SignedDuration::from_hours(30);
    let record = world.record("rio").clone().back_to(&id("r-rio"), at).unwrap();
    world.recorded.faces.insert(super::world::key("rio"), record);
    world.record("rio").rolled_back_from = world.clone().wants("rio").fingerprint();
    let [retired] = &world.plan().retired[..] else { panic!() };
    assert_eq!((&retired.id, &retired.fate), (&id("r2"), &Fate::Kept(Keep::AskedFor)));
    world.wants("rio").training_version = None;
    let [retired] = &world.plan().retired[..] else { panic!() };
    assert_eq!(retired.fate, Fate::Delete { is_hard: false }, "once it does not ask for it any more");
}

#[test]
fn a_failed_face_from_before_does_not_hold_its_key_for_ever() {
    let mut world = prunable().stray("r0", "Rio");
    world.observed.faces.get_mut(&id("r0")).unwrap().status = TrainingStatus::Failed;
    let mut failed = super::world::before("r0");
    failed.left_at = Some(noon() - SignedDuration::from_hours(72));
    world.record("rio").previous.push(failed);
    assert!(matches!(world.action("rio"), Action::Delete(_)));
}

#[test]
fn nothing_is_deleted_while_a_manifest_was_skipped() {
    let unread = vec!["faces/broken.yaml".to_owned()];
    for mut world in [prunable(), replaced()] {
        assert_eq!(world.plan().deletions().count(), 1);
        world.policy.unread.clone_from(&unread);
        assert_eq!(world.plan().deletions().count(), 0);
    }
    let mut world = prunable();
    (world.policy.unread, world.policy.prune) = (unread.clone(), false);
    assert_eq!(kept(&world), Keep::ManifestsUnread(unread), "a plan without --prune promises no deletion either");
}

#[test]
fn a_face_whose_file_is_still_there_is_not_deleted() {
    let mut world = prunable();
    world.policy.still_there.insert(super::world::key("rio"), "faces/rio.yaml".to_owned());
    assert_eq!(kept(&world), Keep::FileStillThere("faces/rio.yaml".to_owned()));
}
