//! One test for each row of the decision table, in its order; rows 12 to 17 and 24 on stand in `replace.rs` and
//! `retire.rs`.

use insta::assert_snapshot;

use super::world::{World, id, key};
use crate::face::{Coverage, OnFailed, OnMissing, TrainingStatus, WaitFor};
use crate::plan::{Action, Adopt, Block, Reason};

pub(super) fn adopt(action: Action) -> Adopt {
    match action {
        Action::Adopt(adopt) => adopt,
        other => panic!("not adopted: {other:?}"),
    }
}

pub(super) fn create(action: Action) -> crate::plan::Create {
    match action {
        Action::Create(create) => *create,
        other => panic!("not created: {other:?}"),
    }
}

#[test]
fn row_1_an_open_create_whose_token_is_live_is_settled_by_adopting_it() {
    let world = World::agreeing().declared("rio").in_doubt("rio", 1).bearer("r1", "rio", 1);
    assert_eq!(world.reason("rio"), Reason::FoundByToken);
    let adopt = adopt(world.action("rio"));
    assert_eq!((adopt.id, adopt.token), (id("r1"), Some(world.token("rio", 1))));
    assert_eq!(adopt.trained_from, Some(world.recorded.open[&key("rio")].trained_from.clone()));
}

#[test]
fn row_2_an_open_create_that_is_not_found_blocks_its_face_and_no_other() {
    let world = World::agreeing().declared("rio").in_doubt("rio", 1).face("ana");
    assert_eq!(world.action("ana"), Action::NoOp);
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked
          because a create was begun at 2026-11-22T11:50:00Z under token
          fc-rltmsmyr-4ip344-1, and nobody knows what became of it: POST /v2/faces:
          no complete answer (timed out)
          help: run `facectl recover`: it looks for the token and settles the entry;
                nothing is sent until then
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked, 1 unchanged.
    ");
}

#[test]
fn row_3_a_live_face_with_the_token_of_this_intent_is_adopted_and_not_bought_again() {
    let world = World::agreeing().declared("rio").bearer("r1", "rio", 1);
    assert_snapshot!(world.text(), @r#"
    Project acme:

     <= rio  adopt  r1
          face_name: "Rio"
          because a live face carries the token of this very creation, so nothing is
          created

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 to adopt.
    Nothing here is paid for.
    "#);
    assert_eq!(adopt(world.action("rio")).trained_from, world.clone().wants("rio").trained_from());
}

#[test]
fn row_4_a_live_face_with_the_token_of_earlier_inputs_is_adopted_with_inputs_unknown() {
    let mut world = World::agreeing().declared("rio").bearer("r1", "rio", 1);
    world.retrain("rio");
    assert_eq!(world.reason("rio"), Reason::FoundByTokenOfEarlierInputs);
    let adopt = adopt(world.action("rio"));
    assert_eq!((adopt.id, adopt.trained_from), (id("r1"), None));
}

#[test]
fn row_5_a_listing_that_is_not_whole_proves_nothing_so_nothing_is_created() {
    let world = World::agreeing().declared("rio").seen_in_part();
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked
          because the listing of live faces was not complete (the API counts 3 faces
          and lists 2), so nothing proves that it does not exist already
          help: settle what the reason names, or just run it again later; until then
                nothing is created
          at faces/rio.yaml:1:1

    warning: the listing of live faces was not complete: the API counts 3 faces and
             lists 2. Nothing is created on such ground.

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
}

#[test]
fn row_6_a_live_face_that_alone_bears_the_name_is_adopted_only_where_the_policy_says_so() {
    let mut world = World::agreeing().declared("rio").stray("r1", "Rio");
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::SameName(vec![id("r1")])));
    world.policy.adopt_by_name = true;
    assert_snapshot!(world.text(), @r#"
    Project acme:

     <= rio  adopt  r1
          face_name: "Rio"
          because exactly one live face bears its name and model; what it was
          trained from is not known and never counts as a difference

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 to adopt.
    Nothing here is paid for.
    "#);
    assert_eq!(
        adopt(world.action("rio")),
        Adopt { id: id("r1"), token: None, trained_from: None, moved_from: None, beside: None }
    );
}

#[test]
fn row_7_of_two_live_faces_with_the_name_none_is_guessed() {
    let mut world = World::agreeing().declared("rio").stray("r1", "Rio").stray("r2", "Rio");
    world.policy.adopt_by_name = true;
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked
          because nothing is recorded for it, but live faces bear its name already,
          or one that reads the same (r1, r2), and a name alone is no identity
          help: to train another one all the same give it another face_name, or run
                `facectl apply --create-new rio`
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    2 live faces of the account are not managed here and will not be touched.
    ");
}

#[test]
fn row_8_a_face_that_is_declared_and_nowhere_else_is_created() {
    let world = World::agreeing().declared("rio");
    assert_snapshot!(world.text(), @r#"
    Project acme:

      + rio  create  $ starts a paid training
          face_name:       "Rio"
          model_name:      phoenix-4
          train_video_url: https://media.example.com/rio.mp4?…
          wait_for:        ready
          token:           fc-rltmsmyr-4ip344-1
          because it is declared, nothing is recorded, and no live face answers to
          its token or name
          at faces/rio.yaml:1:1

    Plan: 1 to create, 0 to update, 0 to replace, 0 to delete.
    1 paid training; it usually takes 3 to 4 hours.
    "#);
}

#[test]
fn row_9_a_finished_face_that_vanished_is_bought_again_only_by_policy_or_flag() {
    let mut world = World::agreeing().face("rio");
    world.vanish("rio");
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::Missing));
    let mut by_policy = world.clone();
    by_policy.lifecycle("rio").on_missing = OnMissing::Recreate;
    world.policy.recreate.insert(key("rio"));
    for world in [by_policy, world] {
        assert_eq!(world.reason("rio"), Reason::RecreateMissing);
        let create = create(world.action("rio"));
        assert_eq!(create.token, world.token("rio", 2), "the first token may still show up in a listing");
        assert_eq!(create.instead_of, None);
    }
}

#[test]
fn row_10_a_finished_face_that_vanished_blocks_and_says_what_to_do() {
    let mut world = World::agreeing().face("rio");
    world.vanish("rio");
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked  r-rio
          because the recorded face is gone, and facectl did not delete it; training
          it again would cost
          help: to train it again run `facectl apply --recreate rio`, or set
                lifecycle.on_missing: recreate; to give it up remove it from the
                manifests
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
}

#[test]
fn row_11_a_face_that_a_listing_in_part_does_not_show_is_not_called_missing() {
    let mut world = World::agreeing().face("rio").seen_in_part();
    world.lifecycle("rio").on_missing = OnMissing::Recreate;
    world.vanish("rio");
    let Coverage::Partial(why) = world.observed.coverage.clone() else { unreachable!() };
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::ListingIncomplete(why)));
    assert_eq!(world.face_plan("rio").drift, []);
}

#[test]
fn row_11a_a_face_created_a_moment_ago_is_waited_for_and_never_bought_again() {
    let mut world = World::agreeing().training("rio");
    world.lifecycle("rio").on_missing = OnMissing::Recreate;
    world.policy.recreate.insert(key("rio"));
    world.record("rio").created_at = Some(world.observed.at - std::time::Duration::from_secs(60));
    world.vanish("rio");
    assert_eq!(world.decision("rio"), (Action::Wait, Reason::NotShownYet));
    assert_eq!(world.face_plan("rio").drift, []);
    world.observed.at += std::time::Duration::from_secs(5 * 60);
    assert_eq!(world.reason("rio"), Reason::RecreateMissing);
}

#[test]
fn row_18_a_failed_training_is_tried_again_at_most_once_by_policy() {
    let mut world = World::agreeing().failed("rio");
    world.lifecycle("rio").on_failed = OnFailed::Retry;
    assert_eq!(world.reason("rio"), Reason::RetryFailed(None));
    let create = create(world.action("rio"));
    assert_eq!((create.token, create.instead_of), (world.token("rio", 2), Some(id("r-rio"))));
    let second = world.token("rio", 2);
    let record = world.record("rio");
    (record.attempt, record.token) = (second.attempt(), Some(second));
    assert_eq!(world.reason("rio"), Reason::Blocked(Block::Failed(None)), "the second failure is final");
    world.policy.retry.insert(key("rio"));
    assert_eq!(world.reason("rio"), Reason::RetryFailed(None), "a person may say so again");
}

#[test]
fn row_19_a_failed_training_blocks_and_gives_the_reason() {
    let mut world = World::agreeing().failed("rio");
    world.live("rio").error = Some("the video has no consent statement".to_owned());
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked  r-rio
          because its training failed: the video has no consent statement
          help: change the source (or raise training_version) to train from other
                material, or run `facectl apply --retry rio`
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
}

#[test]
fn row_20_a_name_edited_by_hand_is_put_back_and_nothing_else_happens() {
    let mut world = World::agreeing().face("rio");
    world.live("rio").name = Some("Rio (old)".to_owned());
    assert_snapshot!(world.text(), @r#"
    Project acme:

      ~ rio  update  r-rio
          face_name: "Rio (old)" -> "Rio"
          because the live face was changed by somebody else (drift)

    Plan: 0 to create, 1 to update, 0 to replace, 0 to delete.
    Nothing here is paid for.
    "#);
}

#[test]
fn row_20_a_voice_set_by_hand_is_put_back() {
    let mut world = World::agreeing().face("rio");
    world.wants("rio").default_voice = Some("v1".parse().unwrap());
    world.record("rio").default_voice = Some("v1".parse().unwrap());
    world.live("rio").default_voice = Some("v2".parse().unwrap());
    assert_snapshot!(world.text(), @r"
    Project acme:

      ~ rio  update  r-rio
          default_voice_id: v2 -> v1
          because the live face was changed by somebody else (drift)

    Plan: 0 to create, 1 to update, 0 to replace, 0 to delete.
    Nothing here is paid for.
    ");
}

#[test]
fn row_21_a_preview_that_stays_one_blocks_only_where_ready_is_wanted() {
    let mut world = World::agreeing().face("rio");
    world.live("rio").status = TrainingStatus::TuningFailed;
    assert_snapshot!(world.text(), @r"
    Project acme:

      ! rio  blocked  r-rio
          because its tuning failed: it stays a preview with a watermark for ever,
          and the manifest waits for ready
          help: be content with it by lifecycle.wait_for: preview, or declare the
                face under a new key to train it anew
          at faces/rio.yaml:1:1

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked.
    ");
    world.lifecycle("rio").wait_for = WaitFor::Preview;
    assert_eq!(world.decision("rio"), (Action::NoOp, Reason::Agrees));
}

#[test]
fn row_22_a_face_is_waited_for_as_far_as_the_manifest_says() {
    for (status, wait_for, waits, why) in [
        (TrainingStatus::Training, WaitFor::Ready, true, "it is not usable"),
        (TrainingStatus::Training, WaitFor::Preview, true, "it is not usable"),
        (TrainingStatus::Training, WaitFor::None, false, "nobody waits"),
        (TrainingStatus::Preview, WaitFor::Ready, true, "tuning goes on"),
        (TrainingStatus::Preview, WaitFor::Preview, false, "it is usable"),
        (TrainingStatus::Ready, WaitFor::Ready, false, "it is ready"),
        (TrainingStatus::Unknown("paused".into()), WaitFor::Ready, true, "an unknown word is never ready"),
        (TrainingStatus::Unknown("paused".into()), WaitFor::Preview, true, "an unknown word is never usable"),
    ] {
        let mut world = World::agreeing().face("rio");
        world.live("rio").status = status;
        world.lifecycle("rio").wait_for = wait_for;
        assert_eq!(world.action("rio") == Action::Wait, waits, "{why}");
        assert!(!world.plan().has_changes(), "{why}");
    }
}

#[test]
fn row_23_nothing_is_done_where_all_views_agree() {
    let world = World::agreeing().face("ana").face("rio");
    assert_snapshot!(world.text(), @"No changes. 2 faces as declared.");
}
