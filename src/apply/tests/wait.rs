//! Waiting until each face is as far as it is waited for.

use std::time::Duration;

use insta::assert_debug_snapshot;

use super::stage::{Answer, Stage, minutes, status};
use crate::apply::{Event, Outcome};
use crate::clock::Clock;
use crate::face::TrainingStatus::{Failed, Preview, Ready, TuningFailed, Unknown};
use crate::face::{TrainingStatus, VoiceId, WaitFor};
use crate::plan::tests::world::{World, id, key};
use crate::tavus::{Failure, Voice};

/// `rio` is in training and becomes this and that, after so many minutes.
fn rio(wait_for: WaitFor, stages: &[(u64, TrainingStatus)]) -> Stage {
    let mut world = World::agreeing().training("rio");
    world.lifecycle("rio").wait_for = wait_for;
    let stage = Stage::of(world);
    stage.becomes("rio", stages);
    stage
}

fn name_of(stage: &Stage, face_id: &str) -> String {
    stage.account().face(&id(face_id)).name.clone().unwrap()
}

#[tokio::test]
async fn a_face_is_waited_for_until_it_is_ready_and_every_look_serves_all_faces() {
    let stage = Stage::of(World::agreeing().training("ana").training("rio"));
    stage.becomes("ana", &[(20, Preview), (170, Ready)]);
    stage.becomes("rio", &[(200, Ready)]);
    let outcome = stage.wait_for(&["ana", "rio"]).await;
    assert_eq!(outcome, Outcome { reached: vec![key("ana"), key("rio")], ..Outcome::default() });
    // 15 looks in the first half hour, then one each five minutes.
    assert!(stage.account().listed < 80, "{} listings", stage.account().listed);
    assert_debug_snapshot!(stage.lines().iter().filter(|line| line.starts_with('✓')).count(), @"2");
    assert!(stage.record("rio").seen_usable);
}

#[tokio::test]
async fn how_far_a_face_gets_and_how_far_it_is_waited_for_decide_the_end() {
    for (stages, wait_for, reached, why) in [
        (vec![(1, Preview), (150, Ready)], WaitFor::Preview, true, "a preview is enough"),
        (vec![(1, Preview), (150, Ready)], WaitFor::Ready, true, "ready in the end"),
        (vec![(5, Failed)], WaitFor::Ready, false, "it failed"),
        (vec![(5, Failed)], WaitFor::Preview, false, "it failed"),
        (vec![(1, Preview), (150, TuningFailed)], WaitFor::Ready, false, "it stays a preview"),
        (vec![(0, TuningFailed)], WaitFor::Preview, true, "it is usable"),
        (vec![(5, Unknown("paused".into())), (90, Ready)], WaitFor::Ready, true, "an unknown word is waited through"),
    ] {
        let stage = rio(wait_for, &stages);
        let outcome = stage.wait_for(&["rio"]).await;
        assert_eq!(
            (outcome.reached.len(), outcome.failed.len()),
            (usize::from(reached), usize::from(!reached)),
            "{why}"
        );
        assert_eq!(outcome.still_training, [], "{why}");
    }
}

#[tokio::test]
async fn a_failure_is_told_with_the_apis_reason() {
    let stage = rio(WaitFor::Ready, &[(5, Failed)]);
    stage.account().fail_with(&id("r-rio"), "the video has no consent statement");
    let outcome = stage.wait_for(&["rio"]).await;
    assert_eq!(outcome.failed, [(key("rio"), Some("the video has no consent statement".to_owned()))]);
    let last = stage.lines().pop().unwrap();
    // How long it took depends on the jitter of the looks.
    assert!(
        last.starts_with("x rio: failed after ") && last.ends_with(": the video has no consent statement"),
        "{last}"
    );
    assert!(name_of(&stage, "r-rio").contains("[fc-"), "a failed face keeps its token, so that every machine knows it");
    assert_eq!(stage.record("rio").last_seen.unwrap().status, Failed);
}

#[tokio::test]
async fn a_failure_whose_reason_cannot_be_read_is_a_failure_all_the_same() {
    let stage = rio(WaitFor::Ready, &[(5, Failed)]);
    stage.account().looks = Some(status(500));
    assert_eq!(stage.wait_for(&["rio"]).await.failed, [(key("rio"), None)]);
}

#[tokio::test]
async fn a_face_that_vanishes_is_told_and_not_waited_for_any_longer() {
    let stage = rio(WaitFor::Ready, &[]);
    stage.account().kill(&id("r-rio"));
    let outcome = stage.wait_for(&["rio"]).await;
    assert_debug_snapshot!(outcome.failed, @r#"
    [
        (
            FaceKey(
                "rio",
            ),
            Some(
                "face r-rio is gone: neither the listing nor a look at it shows it",
            ),
        ),
    ]
    "#);
}

#[tokio::test]
async fn a_face_created_a_moment_ago_may_take_its_time_to_show() {
    let stage = Stage::of(World::agreeing().declared("rio"));
    stage.account().lag = minutes(3);
    stage.run().await;
    assert_eq!(stage.wait_for(&["rio"]).await.reached, [key("rio")]);
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn the_deadline_is_an_outcome_and_comes_after_one_last_look() {
    let mut stage = rio(WaitFor::Ready, &[(60, Ready)]);
    stage.settings.wait_timeout = Some(minutes(60));
    assert_eq!(stage.wait_for(&["rio"]).await.reached, [key("rio")], "it became ready on the minute");
    let mut stage = rio(WaitFor::Ready, &[(61, Ready)]);
    stage.settings.wait_timeout = Some(minutes(60));
    let outcome = stage.wait_for(&["rio"]).await;
    let expected = Outcome { still_training: vec![key("rio")], is_deadline_reached: true, ..Outcome::default() };
    assert_eq!(outcome, expected);
}

#[tokio::test]
async fn an_interrupt_ends_the_wait_and_the_next_run_takes_it_up() {
    let mut stage = rio(WaitFor::Ready, &[(60, Ready)]);
    stage.interrupt_at = |event| matches!(event, Event::RoundEnded { .. });
    let outcome = stage.wait_for(&["rio"]).await;
    assert_eq!(outcome, Outcome { still_training: vec![key("rio")], is_interrupted: true, ..Outcome::default() });
    assert_eq!(stage.account().listed, 1);
}

#[tokio::test]
async fn a_few_failed_listings_are_sat_out_and_many_in_a_row_end_the_wait() {
    let stage = rio(WaitFor::Ready, &[(60, Ready)]);
    stage.account().listings.extend(vec![status(503); 9]);
    assert_eq!(stage.wait_for(&["rio"]).await.reached, [key("rio")]);
    let stage = rio(WaitFor::Ready, &[(60, Ready)]);
    stage.account().listings.extend(vec![status(503); 10]);
    let outcome = stage.wait_for(&["rio"]).await;
    assert_eq!((outcome.still_training, outcome.trouble.len()), (vec![key("rio")], 1));
}

#[tokio::test]
async fn a_refused_key_ends_the_wait_at_once_wherever_it_shows() {
    let stage = rio(WaitFor::Ready, &[]);
    stage.account().listings.push_back(status(401));
    let outcome = stage.wait_for(&["rio"]).await;
    assert!(outcome.is_key_refused && outcome.still_training == [key("rio")]);
    let stage = rio(WaitFor::Ready, &[]);
    stage.account().kill(&id("r-rio"));
    stage.account().looks = Some(status(401));
    let outcome = stage.wait_for(&["rio"]).await;
    assert!(outcome.is_key_refused && outcome.still_training == [key("rio")]);
}

#[tokio::test]
async fn one_face_that_cannot_be_looked_at_does_not_end_the_wait_for_the_others() {
    let stage = Stage::of(World::agreeing().training("ana").training("rio"));
    stage.becomes("rio", &[(60, Ready)]);
    stage.account().kill(&id("r-ana"));
    stage.account().looks = Some(Failure::NoAnswer("timed out".to_owned()));
    let outcome = stage.wait_for(&["ana", "rio"]).await;
    assert_eq!(outcome.reached, [key("rio")]);
    assert_eq!(outcome.still_training, [key("ana")]);
    assert_eq!(outcome.trouble[0].key, Some(key("ana")));
}

#[tokio::test]
async fn a_state_that_cannot_be_read_ends_the_wait_and_hides_no_face() {
    let stage = rio(WaitFor::Ready, &[(60, Ready)]);
    stage.break_disk();
    let outcome = stage.wait_for(&["rio"]).await;
    assert_eq!((outcome.still_training, outcome.trouble.len()), (vec![key("rio")], 1));
}

#[tokio::test]
async fn what_is_not_recorded_or_not_to_be_waited_for_is_not_waited_for() {
    let mut world = World::agreeing().declared("ana").training("rio");
    world.lifecycle("rio").wait_for = WaitFor::None;
    let stage = Stage::of(world);
    assert_eq!(stage.wait_for(&["ana", "rio", "nobody"]).await, Outcome::default());
}

#[tokio::test]
async fn the_token_leaves_the_name_once_the_first_stage_is_over() {
    let stage = rio(WaitFor::Ready, &[(10, Preview), (60, Ready)]);
    let name = name_of(&stage, "r-rio");
    assert!(name.contains("[fc-"));
    assert_eq!(stage.wait_for(&["rio"]).await.reached, [key("rio")]);
    assert_eq!(name_of(&stage, "r-rio"), "Rio");
    assert_eq!(stage.account().updates.len(), 1);
    assert!(!stage.record("rio").token_in_name);
    assert!(!stage.lines().iter().any(|line| line.contains("fc-")), "nobody needs to hear about it");
}

#[tokio::test]
async fn a_voice_that_had_to_wait_is_set_after_training() {
    let voice: VoiceId = "v1".parse().unwrap();
    let mut world = World::agreeing().training("rio");
    world.wants("rio").default_voice = Some(voice.clone());
    let stage = Stage::of(world);
    stage.becomes("rio", &[(60, Ready)]);
    let offered = Voice { id: voice.clone(), name: "Anna".into(), is_completed: true, status: "completed".into() };
    stage.account().voices.insert(voice.clone(), offered);
    let outcome = stage.wait_for(&["rio"]).await;
    assert_eq!((outcome.reached, outcome.updated), (vec![key("rio")], vec![key("rio")]));
    assert_eq!(stage.record("rio").default_voice, Some(voice.clone()));
    assert_eq!(stage.account().face(&id("r-rio")).default_voice, Some(voice));
}

#[tokio::test]
async fn a_voice_that_cannot_be_set_is_told_once_and_the_face_is_reached_all_the_same() {
    let mut world = World::agreeing().training("rio");
    world.wants("rio").default_voice = Some("v1".parse().unwrap());
    let stage = Stage::of(world);
    stage.becomes("rio", &[(10, Preview), (60, Ready)]);
    let outcome = stage.wait_for(&["rio"]).await;
    assert_eq!(outcome.reached, [key("rio")]);
    assert_debug_snapshot!(outcome.trouble, @r#"
    [
        Trouble {
            key: Some(
                FaceKey(
                    "rio",
                ),
            ),
            doing: "set the voice",
            why: "there is no voice v1 in this account; nothing was changed",
        },
    ]
    "#);
    // Also where there is only one look left for it.
    let mut world = World::agreeing().training("rio");
    world.wants("rio").default_voice = Some("v1".parse().unwrap());
    let stage = Stage::of(world);
    stage.becomes("rio", &[(60, Ready)]);
    assert_eq!(stage.wait_for(&["rio"]).await.trouble.len(), 1);
}

#[tokio::test]
async fn what_needs_a_plan_is_not_changed_by_waiting() {
    let mut world = World::agreeing().training("rio");
    world.wants("rio").face_name = "Bea".parse().unwrap();
    world.wants("rio").default_voice = Some("v2".parse().unwrap());
    world.record("rio").default_voice = Some("v1".parse().unwrap());
    let stage = Stage::of(world);
    stage.becomes("rio", &[(60, Ready)]);
    assert_eq!(stage.wait_for(&["rio"]).await.reached, [key("rio")]);
    assert_eq!(stage.account().updates, []);
    assert!(stage.plan().await.has_changes(), "the next plan shows it");
}

#[tokio::test]
async fn hours_of_training_after_a_lost_answer_end_as_if_nothing_had_happened() {
    let stage = Stage::of(World::agreeing().declared("rio"));
    stage.account().answers.push_back(Answer::LostAfter);
    let begun = stage.clock.now();
    let mut outcome = stage.run().await;
    outcome.absorb(stage.wait_for(&["rio"]).await);
    let expected = Outcome { adopted: vec![key("rio")], reached: vec![key("rio")], ..Outcome::default() };
    assert_eq!(outcome, expected);
    assert!(stage.clock.now().duration_since(begun).unsigned_abs() > Duration::from_secs(3 * 3600));
    assert_eq!(name_of(&stage, "r1"), "Rio");
    assert_eq!(stage.record("rio").created_at.unwrap(), begun);
}
