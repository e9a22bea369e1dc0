//! Changes in place.

use insta::assert_debug_snapshot;

use super::stage::{Stage, status};
use crate::apply::Outcome;
use crate::face::VoiceId;
use crate::plan::tests::world::{World, id, key};
use crate::state::Happened;
use crate::tavus::{FaceUpdate, Voice};

fn voice(text: &str) -> VoiceId {
    text.parse().unwrap()
}

fn offers(stage: &Stage, text: &str, is_completed: bool) {
    let status = if is_completed { "completed" } else { "processing" };
    let voice = Voice { id: voice(text), name: "Anna".to_owned(), is_completed, status: status.to_owned() };
    stage.account().voices.insert(voice.id.clone(), voice);
}

fn updated() -> Outcome {
    Outcome { updated: vec![key("rio")], ..Outcome::default() }
}

#[tokio::test]
async fn only_what_differs_is_sent() {
    let mut world = World::agreeing().face("rio");
    world.wants("rio").face_name = "Bea".parse().unwrap();
    world.wants("rio").default_voice = Some(voice("v1"));
    world.live("rio").default_voice = Some(voice("v1"));
    let stage = Stage::of(world);
    assert_eq!(stage.execute().await, updated());
    let name_only = FaceUpdate { face_name: Some("Bea".to_owned()), default_voice: None };
    assert_eq!(stage.account().updates, [(id("r-rio"), name_only)]);
    assert_eq!(stage.record("rio").name.as_str(), "Bea");
    assert_eq!(stage.record("rio").default_voice, Some(voice("v1")), "a voice that is as wanted is ours from now on");
    assert_eq!(stage.history(), [Happened::Updated]);
    assert_debug_snapshot!(stage.lines(), @r#"
    [
        "~ rio: face_name \"Rio\" -> \"Bea\"",
    ]
    "#);
    assert_eq!(stage.execute().await, Outcome::default());
}

#[tokio::test]
async fn a_voice_is_set_only_when_it_exists_and_is_completed() {
    let mut world = World::agreeing().face("rio");
    world.wants("rio").default_voice = Some(voice("v1"));
    let stage = Stage::of(world);
    let missing = stage.execute().await;
    offers(&stage, "v1", false);
    let unfinished = stage.execute().await;
    assert_debug_snapshot!((&missing.trouble[0].why, &unfinished.trouble[0].why), @r#"
    (
        "there is no voice v1 in this account; nothing was changed",
        "voice v1 (\"Anna\") is processing, not completed; nothing was changed, apply again later",
    )
    "#);
    assert_eq!(stage.account().updates, []);
    offers(&stage, "v1", true);
    assert_eq!(stage.execute().await, updated());
    assert_eq!(stage.record("rio").default_voice, Some(voice("v1")));
}

#[tokio::test]
async fn a_change_that_fails_is_told_and_not_recorded() {
    let mut world = World::agreeing().face("rio");
    world.wants("rio").face_name = "Bea".parse().unwrap();
    let stage = Stage::of(world);
    stage.account().patches = Some(status(500));
    let outcome = stage.execute().await;
    assert_eq!(outcome.trouble[0].why, "PATCH /v2/faces: HTTP 500: no");
    assert_eq!(stage.record("rio").name.as_str(), "Rio");
    stage.account().patches = Some(status(401));
    assert!(stage.execute().await.is_key_refused);
}

#[tokio::test]
async fn drift_is_put_back_and_what_the_record_says_stays() {
    let mut world = World::agreeing().face("rio");
    world.live("rio").name = Some("Rio (old)".to_owned());
    let stage = Stage::of(world);
    assert_eq!(stage.execute().await, updated());
    assert_eq!(stage.account().face(&id("r-rio")).name.as_deref(), Some("Rio"));
    assert_eq!(stage.execute().await, Outcome::default());
}

#[tokio::test]
async fn what_left_the_manifests_and_is_gone_is_forgotten_with_a_line_in_the_history() {
    let mut world = World::agreeing().face("rio");
    world.undeclare("rio");
    world.vanish("rio");
    let stage = Stage::of(world);
    assert_eq!(stage.execute().await.forgotten, [key("rio")]);
    assert!(stage.snapshot().faces.is_empty());
    assert_eq!(stage.history(), [Happened::Forgotten]);
}

#[tokio::test]
async fn what_the_manifests_say_about_protection_and_removal_is_remembered_without_a_change() {
    let mut world = World::agreeing().face("rio");
    world.lifecycle("rio").protect = true;
    let stage = Stage::of(world);
    assert_eq!(stage.execute().await, Outcome::default());
    assert!(stage.record("rio").protect);
    assert!(stage.record("rio").last_seen.is_some());
}
