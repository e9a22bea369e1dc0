//! What each outcome of a create leaves in the journal, the record, the history and the report.

use insta::assert_debug_snapshot;

use super::stage::{Answer, Stage};
use crate::apply::{Event, Outcome};
use crate::clock::Clock;
use crate::face::{OnFailed, SourceKind, TrainingStatus, TrainingVoice};
use crate::plan::tests::world::{World, before, id, image, key};
use crate::plan::{Consent, review};
use crate::state::{Happened, Phase};

fn one_new() -> Stage {
    Stage::of(World::agreeing().declared("rio"))
}

fn answering(answers: &[Answer]) -> Stage {
    let stage = one_new();
    stage.account().answers.extend(answers.to_vec());
    stage
}

fn previous(stage: &Stage) -> Vec<crate::face::FaceId> {
    stage.record("rio").previous.into_iter().map(|face| face.id).collect()
}

fn created() -> Outcome {
    Outcome { created: vec![key("rio")], ..Outcome::default() }
}

#[tokio::test]
async fn an_accepted_create_is_settled_recorded_and_told() {
    let stage = one_new();
    assert_eq!(stage.execute().await, created());
    assert_eq!(stage.phase("rio"), Phase::Settled { id: id("r1") });
    let record = stage.record("rio");
    let token = stage.world.token("rio", 1);
    assert_eq!((record.id, record.token, record.token_in_name), (id("r1"), Some(token), true));
    assert_eq!(record.created_at, Some(stage.clock.now()));
    assert_eq!(record.trained_from.unwrap().kind, SourceKind::Video);
    assert_eq!(stage.history(), [Happened::CreateBegun, Happened::CreateSettled]);
    assert_eq!(stage.lines(), ["+ rio: training started as r1"]);
}

#[tokio::test]
async fn a_refused_create_leaves_proof_that_nothing_began_and_may_be_sent_by_the_next_run() {
    let stage = answering(&[Answer::Status(400)]);
    let outcome = stage.execute().await;
    assert_eq!(outcome.refused, [(key("rio"), "POST /v2/faces: HTTP 400: no".to_owned())]);
    assert!(matches!(stage.phase("rio"), Phase::Refused { .. }));
    assert!(stage.snapshot().faces.is_empty() && stage.account().ledger.is_empty());
    assert_eq!(stage.history(), [Happened::CreateBegun, Happened::CreateRefused]);
    assert_eq!(stage.account().sent.len(), 1, "a refusal is not repeated");
    assert_eq!(stage.execute().await, created());
}

#[tokio::test]
async fn a_lost_answer_leaves_a_doubt_that_is_never_sent_again_by_itself() {
    let stage = answering(&[Answer::LostBefore]);
    let outcome = stage.execute().await;
    assert_eq!(outcome, Outcome { in_doubt: vec![key("rio")], ..Outcome::default() });
    let now = stage.clock.now();
    assert!(matches!(stage.phase("rio"), Phase::InDoubt { since: Some(since), .. } if since == now));
    assert_eq!(stage.history(), [Happened::CreateBegun, Happened::CreateInDoubt]);
    assert_debug_snapshot!(stage.lines(), @r#"
    [
        "? rio: in doubt: POST /v2/faces: no complete answer (connection reset). A training may have started; it is not sent again until that is known",
    ]
    "#);
    assert_eq!(stage.execute().await, Outcome::default());
    assert_eq!(stage.account().sent.len(), 1);
}

#[tokio::test]
async fn a_create_asked_to_come_back_is_sent_again_after_the_wait_with_a_beginning_of_its_own() {
    let stage = answering(&[Answer::Later(Some(30)), Answer::Later(None)]);
    let before = stage.clock.now();
    assert_eq!(stage.execute().await, created());
    assert_eq!(stage.account().sent.len(), 3);
    // 30 s as asked, 10 s as nothing was said the second time, and 1 s for each answer.
    assert_eq!(stage.clock.now().duration_since(before).as_secs(), 43);
    let begun = stage.history().iter().filter(|what| **what == Happened::CreateBegun).count();
    assert_eq!(begun, 3);
    assert_debug_snapshot!(stage.lines(), @r#"
    [
        "… rio: the API asks for patience, nothing was started; sent again in 30s",
        "… rio: the API asks for patience, nothing was started; sent again in 10s",
        "+ rio: training started as r1",
    ]
    "#);
}

#[tokio::test]
async fn patience_has_an_end_in_number_and_in_length() {
    let stage = answering(&[Answer::Later(Some(1)); 9]);
    assert_eq!(stage.execute().await.refused.len(), 1);
    assert_eq!(stage.account().sent.len(), 6);
    let stage = answering(&[Answer::Later(Some(86_400))]);
    let before = stage.clock.now();
    assert_eq!(stage.execute().await.refused.len(), 1);
    assert_eq!(stage.clock.now().duration_since(before).as_secs(), 1, "a day is not waited for");
}

#[tokio::test]
async fn an_interrupt_while_postponed_sends_nothing_more_and_leaves_nothing_in_doubt() {
    let mut stage = answering(&[Answer::Later(Some(30))]);
    stage.interrupt_at = |event| matches!(event, Event::CreatePostponed { .. });
    let outcome = stage.execute().await;
    assert_eq!(outcome, Outcome { skipped: vec![key("rio")], is_interrupted: true, ..Outcome::default() });
    assert!(matches!(stage.phase("rio"), Phase::Refused { .. }));
    assert_eq!(stage.account().sent.len(), 1);
}

#[tokio::test]
async fn a_refused_key_stops_everything_that_has_not_begun() {
    let mut stage = Stage::of(World::agreeing().declared("ana").declared("bea").declared("rio"));
    stage.settings.create_parallelism = 1;
    stage.account().answers.push_back(Answer::Status(401));
    let outcome = stage.execute().await;
    assert!(outcome.is_key_refused);
    assert_eq!(outcome.refused.len(), 1);
    assert_eq!(outcome.skipped, [key("bea"), key("rio")]);
    assert_eq!(stage.account().sent.len(), 1);
}

#[tokio::test]
async fn one_refusal_does_not_stop_the_others() {
    let stage = Stage::of(World::agreeing().declared("ana").declared("bea").declared("rio"));
    stage.account().answers.extend([Answer::Status(402), Answer::LostAfter]);
    let outcome = stage.execute().await;
    assert_eq!((outcome.refused.len(), outcome.in_doubt.len(), outcome.created.len()), (1, 1, 1));
}

#[tokio::test]
async fn one_approval_pays_once_however_often_it_is_executed() {
    let stage = one_new();
    let observed = stage.observed().await;
    let approved = review(stage.plan().await, Consent::Automatic).unwrap();
    let executor = stage.executor(&|_: &Event| {});
    executor.execute(&approved, &stage.world.desired, &observed).await;
    let second = executor.execute(&approved, &stage.world.desired, &observed).await;
    assert_eq!(second.trouble[0].why, "its training was started already, as r1; nothing was sent");
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn what_is_sent_is_what_the_manifest_says_and_the_name_carries_the_token() {
    let mut world = World::agreeing().declared("rio");
    world.wants("rio").training = image("rio", TrainingVoice::Id("v1".parse().unwrap()));
    world.wants("rio").default_voice = Some("v1".parse().unwrap());
    let stage = Stage::of(world);
    stage.execute().await;
    let sent = stage.account().sent[0].clone();
    assert_eq!(sent.face_name, format!("Rio [{}]", stage.world.token("rio", 1)));
    assert_eq!(sent.training, stage.world.desired.faces[&key("rio")].spec.training);
    assert_eq!(stage.record("rio").default_voice.unwrap().as_str(), "v1", "what was sent is what we applied");
}

#[tokio::test]
async fn a_failed_face_is_tried_again_once_and_each_face_before_is_remembered() {
    let mut world = World::agreeing().failed("rio");
    world.lifecycle("rio").on_failed = OnFailed::Retry;
    let mut stage = Stage::of(world);
    stage.account().stages = vec![(std::time::Duration::ZERO, TrainingStatus::Failed)];
    assert_eq!(stage.run().await.created, [key("rio")]);
    assert_eq!(previous(&stage), [id("r-rio")]);
    assert_eq!(stage.run().await, Outcome::default(), "the second failure is final");
    stage.world.retrain("rio");
    assert_eq!(stage.run().await.created, [key("rio")], "other inputs are another intent");
    assert_eq!(previous(&stage), [id("r-rio"), id("r1")]);
    assert_eq!(stage.run().await.created, [key("rio")], "which may be tried again once, too");
    assert_eq!(stage.run().await, Outcome::default());
    assert_eq!(previous(&stage), [id("r-rio"), id("r1"), id("r2")]);
}

#[tokio::test]
async fn adopting_another_face_remembers_the_one_that_is_left_unless_it_is_gone() {
    let mut world = World::agreeing().face("rio");
    world.retrain("rio");
    world.record("rio").previous = vec![before("r0")];
    let world = world.bearer("r2", "rio", 1);
    let mut failed = world.clone();
    failed.live("rio").status = TrainingStatus::Failed;
    let mut gone = world.clone();
    gone.vanish("rio");
    for (world, left) in [(failed, vec![id("r0"), id("r-rio")]), (gone, vec![id("r0")])] {
        let stage = Stage::of(world);
        assert_eq!(stage.execute().await.adopted, [key("rio")]);
        assert_eq!((stage.record("rio").id, previous(&stage)), (id("r2"), left));
    }
    let stage = Stage::of(world);
    assert_eq!(stage.execute().await.adopted, [key("rio")]);
    let record = stage.record("rio");
    assert_eq!((record.id, record.successor.unwrap().id), (id("r-rio"), id("r2")), "one that serves goes on serving");
}

#[tokio::test]
async fn what_left_the_manifests_keeps_what_was_said_about_it() {
    let mut world = World::agreeing().failed("rio").in_doubt("rio", 2).bearer("r2", "rio", 2);
    world.record("rio").protect = true;
    world.undeclare("rio");
    let stage = Stage::of(world);
    assert_eq!(stage.execute().await.adopted, [key("rio")], "an open create whose manifest is gone is not lost");
    let record = stage.record("rio");
    assert!(record.protect);
    assert_eq!((record.id, previous(&stage)), (id("r2"), vec![id("r-rio")]));
    assert_eq!(stage.phase("rio"), Phase::Settled { id: id("r2") }, "adopting settles the create");
    assert_eq!(stage.execute().await, Outcome::default());
}

#[tokio::test]
async fn nothing_is_sent_when_the_beginning_cannot_be_written() {
    let stage = one_new();
    let observed = stage.observed().await;
    let approved = review(stage.plan().await, Consent::Automatic).unwrap();
    stage.restart(&super::stage::Fuse::after(0));
    let outcome = stage.executor(&|_: &Event| {}).execute(&approved, &stage.world.desired, &observed).await;
    assert!(outcome.trouble[0].why.ends_with("died; nothing was sent"), "{:?}", outcome.trouble);
    assert_eq!(stage.account().sent.len(), 0);
}

#[tokio::test]
async fn a_training_that_cannot_be_recorded_is_told_with_its_id_and_found_by_the_next_run() {
    let stage = one_new();
    let observed = stage.observed().await;
    let approved = review(stage.plan().await, Consent::Automatic).unwrap();
    // Two points around `begun`, two around the create: then the disk is full.
    stage.restart(&super::stage::Fuse::after(4));
    let outcome = stage.executor(&|_: &Event| {}).execute(&approved, &stage.world.desired, &observed).await;
    let why = &outcome.trouble[0].why;
    assert!(why.contains("training r1 was started") && why.contains("the next run finds it by its token"), "{why}");
    stage.restart(&super::stage::Fuse::never());
    assert_eq!(stage.run().await.adopted, [key("rio")]);
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn an_answer_with_the_id_of_another_face_is_not_believed_and_the_real_one_is_found() {
    let stage = Stage::of(World::agreeing().declared("rio").face("ana"));
    stage.account().answers.push_back(Answer::Stale("r-ana"));
    let outcome = stage.execute().await;
    assert_eq!((outcome.created, outcome.in_doubt), (vec![], vec![key("rio")]));
    assert_eq!(stage.record("ana").id, id("r-ana"));
    assert_eq!(stage.settle().await.found, [key("rio")]);
    assert_eq!(stage.record("rio").id, id("r1"));
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn one_answer_is_not_taken_for_two_creates_that_are_under_way_at_once() {
    let mut stage = Stage::of(World::agreeing().declared("ana").declared("rio"));
    stage.settings.create_parallelism = 2;
    // The first is answered rightly, with `r1`; the second gets the same once more.
    stage.account().answers.extend([Answer::Accepted, Answer::Stale("r1")]);
    let outcome = stage.execute().await;
    // Which of the two is recorded first is left to the machine; the other one is not believed.
    assert_eq!((outcome.created.len(), outcome.in_doubt.len()), (1, 1));
    assert_ne!(outcome.created, outcome.in_doubt);
    assert_eq!(stage.settle().await.found, outcome.in_doubt);
    assert_ne!(stage.record("rio").id, stage.record("ana").id);
    assert_eq!(stage.account().ledger.len(), 2);
}
