//! A new face takes the place of the present one: first in the PALs, then in the record, and back again.

use super::stage::{Stage, minutes};
use crate::apply::{Done, Outcome};
use crate::face::{FaceId, TrainingStatus};
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
        assert!(trouble.why.contains("PAL p2") && trouble.why.contains("the record still names r-rio"), "{trouble:?}");
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
    let done = stage.executor(&sink).roll_back(&key("rio"), None, true, from).await;
    assert_eq!(done, Ok(Done::Switched));
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
    let mut stage = changed();
    stage.execute().await;
    stage.wait_for(&["rio"]).await;
    stage.account().kill(&id("r-rio"));
    let from = stage.world.wants("rio").fingerprint();
    let sink = |_: &crate::apply::Event| {};
    let refused = stage.executor(&sink).roll_back(&key("rio"), None, true, from).await;
    assert_eq!(refused, Err("none of its faces from before can be used: r-rio is gone".to_owned()));
    let other = stage.executor(&sink).roll_back(&key("rio"), Some(&id("r9")), true, from).await;
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
