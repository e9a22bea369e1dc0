//! Dying at every point of a replacement and of a deletion, and starting again.
//!
//! After each death: no PAL uses a face that is missing or unfinished, and every live face of ours is in the record,
//! or in a create that is open. At the end: paid once, everything in its place, nothing left to do.

use super::crash::{Weather, stage, weathers};
use super::stage::{Fuse, Stage, minutes, paid_twice};
use crate::apply::Outcome;
use crate::face::{FaceId, OnRemoval, TrainingStatus};
use crate::plan::tests::world::{World, before, id, key};

/// A face that two PALs use and whose inputs have changed.
fn changed(weather: &Weather) -> Stage {
    let mut world = World::agreeing().face("rio").face("bea");
    world.retrain("rio");
    let stage = stage(&world, weather);
    let mut account = stage.account();
    account.stages = vec![(minutes(0), TrainingStatus::Training), (minutes(60), TrainingStatus::Ready)];
    account.pal("p1", "r-rio");
    account.pal("p2", "r-rio");
    account.pal("p3", "r-bea");
    drop(account);
    stage
}

/// One process: it applies and waits, as far as it lives.
async fn apply_and_wait(stage: &Stage, fuse: &std::sync::Arc<Fuse>) -> Outcome {
    stage.restart(fuse);
    let mut outcome = stage.run().await;
    if !fuse.is_blown() {
        outcome.absorb(stage.wait_for(&["rio"]).await);
    }
    outcome
}

fn assert_sound(stage: &Stage, why: &str) {
    let account = stage.account();
    assert_eq!(account.wrong, Vec::<String>::new(), "{why}");
    let snapshot = stage.snapshot();
    let known: Vec<&FaceId> = snapshot.faces.values().flat_map(|face| face.ids()).collect();
    let has_open = snapshot.journal.values().any(|entry| entry.open().is_some());
    for face_id in account.lives.keys() {
        assert!(known.contains(&face_id) || has_open, "{why}: {face_id} is lost, known are {known:?}");
    }
    for (pal, row) in &account.pals {
        let used = row.default_face.as_ref().unwrap();
        let is_usable = account.lives.contains_key(used) && account.face(used).status.is_usable();
        assert!(is_usable, "{why}: {pal} uses {used}");
    }
}

async fn assert_replaced(stage: &Stage, why: &str) {
    assert_sound(stage, why);
    assert_eq!(stage.account().ledger.len(), 1, "{why}");
    let record = stage.record("rio");
    assert_eq!((&record.id, &record.successor), (&id("r1"), &None), "{why}");
    assert_eq!(record.previous.iter().map(|face| &face.id).collect::<Vec<_>>(), [&id("r-rio")], "{why}");
    let users = ["p1", "p2", "p3"].map(|pal| stage.account().used_by(pal).to_owned());
    assert_eq!(users, ["r1", "r1", "r-bea"], "{why}");
    let plan = stage.plan().await;
    assert!(!plan.has_changes(), "{why}: {}", crate::report::plan_text(&plan, crate::report::Paint::plain()));
}

#[tokio::test]
async fn a_death_at_any_point_of_a_replacement_pays_once_and_leaves_every_pal_with_a_face_that_works() {
    for weather in weathers() {
        let mut points = 0;
        loop {
            let stage = changed(&weather);
            let why = format!("{}, death after {points} points", weather.why);
            let fuse = Fuse::after(points);
            apply_and_wait(&stage, &fuse).await;
            assert_sound(&stage, &why);
            for _ in 0..3 {
                apply_and_wait(&stage, &Fuse::never()).await;
                assert_sound(&stage, &why);
            }
            assert_replaced(&stage, &why).await;
            if !fuse.is_blown() {
                break;
            }
            points += 1;
        }
        // Begin, send, settle, two PALs, the name, the record: each with a point before and one after. What is refused
        // is sent again by the next run only.
        let least = if weather.why.contains("refused") { 7 } else { 16 };
        assert!(points > least, "{}: only {points} points, so the fuse is not where it should be", weather.why);
    }
}

#[tokio::test]
async fn a_second_death_in_a_replacement_pays_no_second_time_either() {
    for weather in [&weathers()[0], &weathers()[3]] {
        for first in 0..20 {
            for second in (0..14).step_by(3) {
                let stage = changed(weather);
                for points in [first, second] {
                    apply_and_wait(&stage, &Fuse::after(points)).await;
                    assert_sound(&stage, &format!("{}, deaths after {first} and {second}", weather.why));
                }
                for _ in 0..3 {
                    apply_and_wait(&stage, &Fuse::never()).await;
                }
                assert_replaced(&stage, &format!("{}, deaths after {first} and {second}", weather.why)).await;
            }
        }
    }
}

#[tokio::test]
async fn a_replacement_that_fails_after_any_death_leaves_the_present_face_in_place_and_is_not_bought_again() {
    for points in 0..14 {
        let stage = changed(&weathers()[0]);
        stage.account().stages = vec![(minutes(0), TrainingStatus::Training), (minutes(60), TrainingStatus::Failed)];
        let why = format!("death after {points} points");
        apply_and_wait(&stage, &Fuse::after(points)).await;
        for _ in 0..3 {
            apply_and_wait(&stage, &Fuse::never()).await;
            assert_sound(&stage, &why);
        }
        assert_eq!(paid_twice(&stage.account().ledger), Vec::<String>::new(), "{why}");
        assert_eq!(stage.account().ledger.len(), 1, "{why}");
        assert_eq!(stage.record("rio").id, id("r-rio"), "{why}");
        assert_eq!(stage.account().used_by("p1"), "r-rio", "{why}");
    }
}

#[tokio::test]
async fn the_tests_above_can_fail_a_pal_that_is_pointed_to_an_unfinished_face_is_noticed() {
    use crate::tavus::FaceApi;
    let stage = changed(&weathers()[0]);
    apply_and_wait(&stage, &Fuse::after(8)).await;
    stage.restart(&Fuse::never());
    stage.run().await;
    stage.patch_pal(&"p1".parse().unwrap(), &id("r-rio"), &id("r1")).await.unwrap();
    assert_eq!(stage.account().wrong, ["p1 was pointed to r1, which is not ready"]);
}

/// A face that left the manifests and may be deleted, with one from before; and a declared one with one from before.
fn left() -> Stage {
    let mut world = World::agreeing().face("ana").face("rio").stray("r0", "Rio").stray("a0", "Ana");
    let record = world.record("rio");
    record.on_removal = OnRemoval::HardDelete;
    record.previous.push(before("r0"));
    world.record("ana").previous.push(before("a0"));
    world.lifecycle("ana").on_removal = OnRemoval::Delete;
    world.policy.prune = true;
    world.undeclare("rio");
    let stage = Stage::of(world);
    stage.account().pal("p1", "r-ana");
    stage
}

#[tokio::test]
async fn a_death_at_any_point_of_a_deletion_deletes_nothing_twice_and_forgets_nothing_that_lives() {
    let mut points = 0;
    loop {
        let mut stage = left();
        let why = format!("death after {points} points");
        let fuse = Fuse::after(points);
        stage.restart(&fuse);
        stage.run().await;
        assert_sound(&stage, &why);
        let deleted = stage.account().deleted.clone();
        // Without the flag it goes no further.
        stage.world.policy.prune = false;
        stage.restart(&Fuse::never());
        stage.run().await;
        assert_eq!(stage.account().deleted, deleted, "{why}");
        assert_sound(&stage, &why);
        stage.world.policy.prune = true;
        stage.run().await;
        assert_sound(&stage, &why);
        let expected = [(id("r0"), true), (id("r-rio"), true), (id("a0"), false)];
        assert_eq!(stage.account().deleted, expected, "{why}");
        assert!(!stage.snapshot().faces.contains_key(&key("rio")), "{why}");
        assert!(!stage.plan().await.has_changes(), "{why}");
        if !fuse.is_blown() {
            break;
        }
        points += 1;
    }
    assert!(points >= 12, "only {points} points, so the fuse is not where it should be");
}
