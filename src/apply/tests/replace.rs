//! A new face takes the place of the present one: first in the PALs, then in the record, and back again.

use super::stage::{Stage, minutes};
use crate::apply::{Done, Outcome};
use crate::face::{FaceId, TrainingStatus};
use crate::plan::Block;
use crate::plan::tests::world::{World, id, key};
use crate::state::Happened;

/// A face that two PALs use and whose inputs have changed; what is trained becomes ready after an hour.
fn changed() -> Stage {
    let mut world = World::agreeing().face("rio");
    world.retrain("rio");
    let stage = Stage::of(world);
    let mut account = stage.account();
    account.stages = vec![(minutes(0), TrainingStatus::Training), (minutes(60), TrainingStatus::Ready)];
    account.pal("p1", "r-rio");
    account.pal("p2", "r-rio");
    account.pal("p3", "r-other");
    drop(account);
    stage
}

fn users(stage: &Stage) -> [String; 3] {
    let account = stage.account();
    ["p1", "p2", "p3"].map(|pal| account.used_by(pal).to_owned())
}

/// Somebody begins to edit one of the PALs; a patch of it is refused, or becomes a draft.
fn occupy(stage: &Stage, is_draft: bool) {
    let pal = "p2".parse().unwrap();
    let mut account = stage.account();
    if is_draft {
        account.draft_pals.insert(pal)
    } else {
        account.edited_pals.insert(pal)
    };
}

fn free(stage: &Stage) {
    let mut account = stage.account();
    account.edited_pals.clear();
    account.draft_pals.clear();
}

#[tokio::test]
async fn the_present_face_serves_until_the_new_one_is_ready_and_then_every_pal_is_pointed_to_it() {
    let stage = changed();
    assert_eq!(stage.execute().await.created, [key("rio")]);
    let record = stage.record("rio");
    assert_eq!((&record.id, &record.successor.as_ref().unwrap().id), (&id("r-rio"), &id("r1")));
    assert_eq!(users(&stage), ["r-rio", "r-rio", "r-other"]);
    let outcome = stage.wait_for(&["rio"]).await;
    assert_eq!(outcome, Outcome { switched: vec![key("rio")], ..Outcome::default() });
    assert_eq!(users(&stage), ["r1", "r1", "r-other"]);
    let record = stage.record("rio");
    assert_eq!((record.id, record.successor), (id("r1"), None));
    let previous: Vec<FaceId> = record.previous.into_iter().map(|face| face.id).collect();
    assert_eq!(previous, [id("r-rio")]);
    assert!(stage.account().lives.contains_key(&id("r-rio")), "nothing is deleted");
    assert!(!stage.plan().await.has_changes());
    let happened = stage.history();
    assert_eq!(happened.iter().filter(|what| **what == Happened::PalRepointed).count(), 2);
    assert!(happened.contains(&Happened::Replaced));
}

#[tokio::test]
async fn a_pal_with_unpublished_edits_is_never_forced_and_the_record_stays_until_it_is_free() {
    for is_draft in [false, true] {
        let stage = changed();
        stage.execute().await;
        occupy(&stage, is_draft);
        let outcome = stage.wait_for(&["rio"]).await;
        let [trouble] = &outcome.held[..] else { panic!("{outcome:?}") };
        assert!(trouble.why.contains("PAL p2") && trouble.why.contains("the record stays as it is"), "{trouble:?}");
        assert_eq!(users(&stage), ["r1", "r-rio", "r-other"]);
        assert_eq!(stage.record("rio").id, id("r-rio"));
        free(&stage);
        assert_eq!(stage.execute().await.switched, [key("rio")], "the next run does what is left");
        assert_eq!(users(&stage), ["r1", "r1", "r-other"]);
        assert_eq!(stage.record("rio").id, id("r1"));
    }
}

#[tokio::test]
async fn a_pal_that_somebody_pointed_elsewhere_meanwhile_is_left_alone() {
    let stage = changed();
    stage.execute().await;
    stage.account().pal("p1", "r-third");
    assert_eq!(stage.wait_for(&["rio"]).await.switched, [key("rio")]);
    assert_eq!(users(&stage), ["r-third", "r1", "r-other"]);
}

#[tokio::test]
async fn pals_are_left_alone_where_the_manifest_says_so() {
    let mut stage = changed();
    stage.world.lifecycle("rio").repoint_pals = false;
    stage.execute().await;
    assert_eq!(stage.wait_for(&["rio"]).await.switched, [key("rio")]);
    assert_eq!(users(&stage), ["r-rio", "r-rio", "r-other"]);
}

#[tokio::test]
async fn what_the_manifest_does_not_ask_for_any_more_does_not_take_the_place() {
    let mut stage = changed();
    stage.execute().await;
    stage.world.wants("rio").training_version = Some("3".to_owned());
    let outcome = stage.wait_for(&["rio"]).await;
    assert!(outcome.trouble[0].why.contains("asks for other inputs"), "{outcome:?}");
    assert_eq!(stage.record("rio").id, id("r-rio"));
}

#[tokio::test]
async fn going_back_points_pals_and_record_to_the_face_before_and_the_next_plan_does_not_undo_it() {
    let mut stage = changed();
    stage.execute().await;
    stage.wait_for(&["rio"]).await;
    let from = stage.world.wants("rio").fingerprint();
    let sink = |_: &crate::apply::Event| {};
    let target = stage.executor(&sink).rollback_target(&key("rio"), None).await.unwrap();
    let done = stage.executor(&sink).roll_back(&key("rio"), &target.id, true, from).await;
    assert_eq!(done, Done::Switched);
    assert_eq!(users(&stage), ["r-rio", "r-rio", "r-other"]);
    assert_eq!(stage.record("rio").id, id("r-rio"));
    assert_eq!(stage.execute().await, Outcome::default(), "it is held");
    stage.world.policy.roll_forward.insert(key("rio"));
    assert_eq!(stage.execute().await.switched, [key("rio")], "going forward again costs nothing");
    assert_eq!(users(&stage), ["r1", "r1", "r-other"]);
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn there_is_no_going_back_to_a_face_that_is_gone_or_failed() {
    let stage = changed();
    stage.execute().await;
    stage.wait_for(&["rio"]).await;
    stage.account().kill(&id("r-rio"));
    let sink = |_: &crate::apply::Event| {};
    let refused = stage.executor(&sink).rollback_target(&key("rio"), None).await;
    assert_eq!(refused, Err("none of its faces from before can be used: r-rio is gone".to_owned()));
    let other = stage.executor(&sink).rollback_target(&key("rio"), Some(&id("r9"))).await;
    assert_eq!(other, Err("r9 is none of the faces that it had before".to_owned()));
    assert_eq!(users(&stage), ["r1", "r1", "r-other"]);
}

#[tokio::test]
async fn a_manifest_that_is_set_back_gives_the_new_face_up_and_buys_none_when_it_changes_its_mind_again() {
    let mut stage = changed();
    stage.execute().await;
    stage.world.wants("rio").training_version = None;
    assert_eq!(stage.execute().await.given_up, [key("rio")]);
    assert!(!stage.plan().await.has_changes());
    stage.world.retrain("rio");
    assert_eq!(stage.execute().await.adopted, [key("rio")]);
    assert_eq!(stage.wait_for(&["rio"]).await.switched, [key("rio")]);
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn there_is_no_going_back_to_a_face_that_never_served_or_is_a_preview() {
    let mut stage = changed();
    stage.execute().await;
    stage.world.wants("rio").training_version = None;
    assert_eq!(stage.execute().await.given_up, [key("rio")]);
    let sink = |_: &crate::apply::Event| {};
    let executor = stage.executor(&sink);
    let refused = executor.rollback_target(&key("rio"), None).await.unwrap_err();
    assert!(refused.contains("was ever in use"), "{refused}");
    let unfinished = executor.rollback_target(&key("rio"), Some(&id("r1"))).await.unwrap_err();
    assert!(unfinished.contains("r1 is training"), "{unfinished}");
    stage.clock.wind(minutes(90));
    assert_eq!(
        executor.rollback_target(&key("rio"), Some(&id("r1"))).await.unwrap().id,
        id("r1"),
        "by its id it may be"
    );
}

#[tokio::test]
async fn a_way_back_that_ended_half_way_is_said_and_gone_on_with() {
    let mut stage = changed();
    stage.execute().await;
    stage.wait_for(&["rio"]).await;
    let from = stage.world.wants("rio").fingerprint();
    occupy(&stage, false);
    let sink = |_: &crate::apply::Event| {};
    let done = stage.executor(&sink).roll_back(&key("rio"), &id("r-rio"), true, from).await;
    assert!(matches!(done, Done::Held(_)), "{done:?}");
    assert_eq!(users(&stage), ["r-rio", "r1", "r-other"]);
    let plan = stage.plan().await;
    let block = Block::RollbackUnfinished(id("r-rio"));
    assert_eq!(plan.blocks().map(|(_, block)| block).collect::<Vec<_>>(), [&block]);
    free(&stage);
    let target = stage.executor(&sink).rollback_target(&key("rio"), None).await.unwrap();
    assert_eq!(stage.executor(&sink).roll_back(&key("rio"), &target.id, true, from).await, Done::Switched);
    assert_eq!(users(&stage), ["r-rio", "r-rio", "r-other"]);
    assert_eq!((stage.record("rio").id, stage.record("rio").going_back_to), (id("r-rio"), None));
}

#[tokio::test]
async fn pals_that_were_pointed_to_a_new_face_that_is_left_are_pointed_to_the_one_that_serves() {
    for version in [None, Some("3".to_owned())] {
        let mut stage = changed();
        stage.execute().await;
        occupy(&stage, false);
        stage.wait_for(&["rio"]).await;
        free(&stage);
        assert_eq!(users(&stage), ["r1", "r-rio", "r-other"], "the switch ended half-way");
        stage.world.wants("rio").training_version = version.clone();
        stage.execute().await;
        stage.wait_for(&["rio"]).await;
        let serves = stage.record("rio").id.to_string();
        assert_eq!(users(&stage), [serves.clone(), serves, "r-other".to_owned()], "{version:?}");
        assert!(!stage.plan().await.has_changes());
    }
}

#[tokio::test]
async fn a_failed_training_is_not_bought_again_because_somebody_changed_their_mind_twice() {
    let mut stage = changed();
    stage.account().stages = vec![(minutes(0), TrainingStatus::Failed)];
    stage.execute().await;
    stage.world.wants("rio").training_version = None;
    assert_eq!(stage.execute().await.given_up, [key("rio")]);
    stage.world.retrain("rio");
    for _ in 0..3 {
        stage.execute().await;
    }
    assert_eq!(stage.account().ledger.len(), 1);
    let plan = stage.plan().await;
    assert!(matches!(plan.blocks().next(), Some((_, Block::ReplacementFailed(_)))), "{plan:?}");
    stage.world.policy.retry.insert(key("rio"));
    assert_eq!(stage.execute().await.created, [key("rio")], "a person may say so");
}
