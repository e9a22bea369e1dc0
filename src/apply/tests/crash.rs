//! Dying at every point of a run, and starting again.
//!
//! A point lies before and after each commit, and before and after the effect of each create. Whatever
//! went wrong before, later runs converge, and no intent is paid for twice.

use std::time::Duration;

use super::stage::{Answer, Fuse, Stage, paid_twice};
use crate::clock::Clock;
use crate::plan::tests::world::{World, key};
use crate::state::Phase;

/// What goes wrong besides the death.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    pub(super) why: &'static str,
    answers: Vec<Answer>,
    lag: u64,
}

pub(super) fn weathers() -> Vec<Weather> {
    let weather = |why, answers: &[Answer], lag| Weather { why, answers: answers.to_vec(), lag };
    vec![
        weather("all is well", &[], 0),
        weather("new faces show up late", &[], 90),
        weather("the first answer is lost", &[Answer::LostAfter], 0),
        weather("the first answer is lost, and the face shows up late", &[Answer::LostAfter], 90),
        weather("both answers are lost", &[Answer::LostAfter, Answer::LostAfter], 30),
        weather("the first create never arrives", &[Answer::LostBefore], 0),
        weather("one never arrives, the other's answer is lost", &[Answer::LostBefore, Answer::LostAfter], 60),
        weather("the API asks for patience", &[Answer::Later(Some(20)), Answer::Later(None)], 0),
        weather("the first create is refused", &[Answer::Status(400)], 0),
    ]
}

pub(super) fn stage(world: &World, weather: &Weather) -> Stage {
    let stage = Stage::of(world.clone());
    stage.account().answers.extend(weather.answers.clone());
    stage.account().lag = Duration::from_secs(weather.lag);
    stage
}

fn two_new() -> World {
    World::agreeing().declared("ana").declared("rio").face("bea")
}

fn one_failed() -> World {
    let mut world = World::agreeing().failed("ana").declared("rio");
    world.policy.retry.insert(key("ana"));
    world
}

/// Runs, dying after so many points each time, until a run ends by itself; returns how many died.
async fn run_and_die(stage: &Stage, points: &[usize]) -> usize {
    let mut deaths = 0;
    for points in points {
        let fuse = Fuse::after(*points);
        stage.restart(&fuse);
        stage.run().await;
        if !fuse.is_blown() {
            break;
        }
        deaths += 1;
    }
    // Two more, as what was refused is sent again by the next run only.
    for _ in 0..2 {
        stage.restart(&Fuse::never());
        stage.run().await;
    }
    deaths
}

async fn assert_converged(stage: &Stage, trainings: usize, why: &str) {
    let ledger = stage.account().ledger.clone();
    assert_eq!(paid_twice(&ledger), Vec::<String>::new(), "{why}");
    assert_eq!(ledger.len(), trainings, "{why}: {ledger:?}");
    let snapshot = stage.snapshot();
    assert_eq!(
        snapshot.faces.keys().collect::<Vec<_>>(),
        stage.world.desired.faces.keys().collect::<Vec<_>>(),
        "{why}"
    );
    assert!(snapshot.journal.values().all(|entry| entry.open().is_none()), "{why}");
    for (key, face) in &snapshot.faces {
        assert!(stage.account().face(&face.id).name.is_some(), "{why}: {key} is live");
    }
    stage.clock.wind(Duration::from_secs(600));
    let plan = stage.plan().await;
    assert!(!plan.has_changes(), "{why}: {}", crate::report::plan_text(&plan, crate::report::Paint::plain()));
}

#[tokio::test]
async fn a_death_at_any_point_costs_no_second_training() {
    for weather in weathers() {
        let mut points = 0;
        loop {
            let mut stage = stage(&two_new(), &weather);
            stage.settings.create_parallelism = 2;
            let deaths = run_and_die(&stage, &[points]).await;
            assert_converged(&stage, 2, &format!("{}, death after {points} points", weather.why)).await;
            if deaths == 0 {
                break;
            }
            points += 1;
        }
        assert!(points > 8, "{}: only {points} points, so the fuse is not where it should be", weather.why);
    }
}

#[tokio::test]
async fn a_second_death_while_recovering_from_the_first_costs_no_second_training_either() {
    for weather in weathers() {
        for first in 0..14 {
            for second in 0..10 {
                let stage = stage(&two_new(), &weather);
                run_and_die(&stage, &[first, second]).await;
                let why = format!("{}, deaths after {first} and {second} points", weather.why);
                assert_converged(&stage, 2, &why).await;
            }
        }
    }
}

#[tokio::test]
async fn a_retry_is_bought_once_through_any_death_and_the_failed_face_is_remembered() {
    for weather in weathers() {
        for points in 0..16 {
            let mut stage = stage(&one_failed(), &weather);
            run_and_die(&stage, &[points]).await;
            // The flag is given on one command line only.
            stage.world.policy.retry.clear();
            assert_converged(&stage, 2, &format!("{}, death after {points} points", weather.why)).await;
            let record = stage.record("ana");
            let left: Vec<&str> = record.previous.iter().map(|face| face.id.as_str()).collect();
            assert_eq!((record.attempt.number(), left), (2, vec!["r-ana"]));
        }
    }
}

#[tokio::test]
async fn an_empty_disk_finds_every_running_training_by_its_token() {
    for points in 0..16 {
        let stage = Stage::of(World::agreeing().declared("ana").declared("rio"));
        let fuse = Fuse::after(points);
        stage.restart(&fuse);
        stage.run().await;
        stage.restart_cold();
        stage.run().await;
        assert_converged(&stage, 2, &format!("disk lost after {points} points")).await;
    }
}

#[tokio::test]
async fn a_create_begun_but_never_sent_is_sent_once_under_the_same_token_after_the_window() {
    let stage = Stage::of(World::agreeing().declared("rio"));
    // Point 0 and 1 lie around the commit of `begun`, point 2 before the effect.
    let fuse = Fuse::after(2);
    stage.restart(&fuse);
    stage.run().await;
    assert!(fuse.is_blown() && stage.account().ledger.is_empty());
    assert_eq!(stage.phase("rio"), Phase::Begun);
    let begun_at = stage.clock.now();
    stage.restart(&Fuse::never());
    let outcome = stage.run().await;
    assert_eq!(outcome.created, [key("rio")]);
    assert_eq!(outcome.in_doubt, []);
    let token = stage.world.token("rio", 1);
    assert_eq!(stage.account().ledger, [format!("Rio [{token}]")]);
    let waited = stage.clock.now().duration_since(begun_at);
    assert!(waited.as_secs() >= 120, "sent again after {waited:#}, which is too early");
}

#[tokio::test]
async fn the_tests_above_can_fail_a_client_that_sends_again_blindly_pays_twice() {
    let mut stage = stage(&two_new(), &weathers()[2]);
    stage.is_careless = true;
    stage.run().await;
    assert_eq!(paid_twice(&stage.account().ledger).len(), 1);
}

#[tokio::test]
async fn the_tests_above_can_fail_a_window_shorter_than_the_lag_pays_twice() {
    let mut stage = stage(&two_new(), &weathers()[3]);
    stage.settings.settle_window = Duration::from_secs(10);
    stage.run().await;
    assert_eq!(paid_twice(&stage.account().ledger).len(), 1);
}
