//! Taking up faces that a manifest names by their id.

use super::stage::Stage;
use crate::apply::{Done, Event, Outcome};
use crate::face::{Attempt, TrainingStatus, VoiceId};
use crate::plan::tests::world::{World, id, key};
use crate::plan::{Action, Adopt};
use crate::state::Happened;

/// `rio` is declared to be the live face r1, which somebody made elsewhere and called otherwise.
fn named() -> World {
    let mut world = World::agreeing().declared("rio").stray("r1", "Somebody");
    world.names("rio", "r1");
    world.observed.faces.get_mut(&id("r1")).unwrap().status = TrainingStatus::Ready;
    world
}

fn voice(text: &str) -> VoiceId {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_face_that_is_named_is_recorded_as_it_is_and_nothing_is_sent() {
    let stage = Stage::of(named());
    assert_eq!(stage.execute().await, Outcome { adopted: vec![key("rio")], ..Outcome::default() });
    let record = stage.record("rio");
    assert_eq!((record.id, record.name.as_str()), (id("r1"), "Somebody"));
    assert_eq!((record.trained_from, record.token, record.token_in_name), (None, None, false));
    assert_eq!((record.attempt, record.default_voice, record.previous.len()), (Attempt::FIRST, None, 0));
    assert_eq!(stage.account().sent.len(), 0);
    assert_eq!(stage.account().updates, []);
    assert_eq!(stage.history(), [Happened::Adopted]);
    // What the manifest wants otherwise is the next plan's.
    assert!(matches!(stage.plan().await.faces[0].action, Action::Update(_)));
}

#[tokio::test]
async fn a_voice_of_a_face_that_was_made_elsewhere_is_changed_by_a_plan_and_not_by_waiting() {
    for live in [None, Some("v2")] {
        let mut world = named();
        world.wants("rio").face_name = "Somebody".parse().unwrap();
        world.wants("rio").default_voice = Some(voice("v1"));
        world.observed.faces.get_mut(&id("r1")).unwrap().default_voice = live.map(voice);
        let stage = Stage::of(world);
        stage.execute().await;
        assert_eq!(stage.record("rio").default_voice, live.map(voice), "as it is, from now on a change is a change");
        stage.wait_for(&["rio"]).await;
        assert_eq!(stage.account().updates, []);
        let plan = stage.plan().await;
        let Action::Update(update) = &plan.faces[0].action else { panic!("{live:?}") };
        assert_eq!(update.voice.as_ref().unwrap().cause(), crate::plan::Cause::Manifest);
    }
}

fn silent(_: &Event) {}

#[tokio::test]
async fn what_another_key_holds_is_not_imported_whatever_the_caller_has_checked() {
    let stage = Stage::of(World::agreeing().face("ana").declared("rio"));
    let (desired, observed) = (&stage.world.desired, stage.observed().await);
    let adopt = |face: &str| Adopt { id: id(face), token: None, trained_from: None, moved_from: None, beside: None };
    let executor = stage.executor(&silent);
    let held = executor.import(&key("rio"), &adopt("r-ana"), desired, &observed).await;
    let Done::Failed(trouble) = held else { panic!("{held:?}") };
    assert_eq!(trouble.why, "the record of ana holds r-ana; nothing was done");
    let gone = executor.import(&key("rio"), &adopt("r404"), desired, &observed).await;
    assert!(matches!(gone, Done::Failed(_)), "{gone:?}");
    assert_eq!(stage.history(), []);
}

#[tokio::test]
async fn inputs_are_assumed_of_the_face_that_is_recorded_and_of_no_other() {
    let mut world = World::agreeing().face("rio");
    (world.record("rio").trained_from, world.record("rio").token) = (None, None);
    let stage = Stage::of(world);
    let inputs = stage.world.desired.faces[&key("rio")].spec.trained_from().unwrap();
    let executor = stage.executor(&silent);
    let other = executor.assume_inputs(&key("rio"), &id("r1"), inputs.clone()).await;
    assert!(matches!(other, Done::Failed(_)), "{other:?}");
    let done = executor.assume_inputs(&key("rio"), &id("r-rio"), inputs.clone()).await;
    assert_eq!(done, Done::Adopted(id("r-rio")));
    assert_eq!(stage.record("rio").trained_from, Some(inputs));
    assert_eq!(stage.history(), [Happened::Adopted]);
    assert_eq!(stage.execute().await, Outcome::default());
}
