//! Deleting what nobody asks for any more, and counting what may be spent.

use std::time::Duration;

use super::stage::Stage;
use crate::apply::{Ledger, Outcome, RunLimits, spent};
use crate::clock::Clock;
use crate::face::{OnRemoval, TrainingStatus};
use crate::plan::tests::world::{World, before, id, key};
use crate::plan::{Delete, Limit, Spent};
use crate::state::Happened;

/// A face that left the manifests, with one from before; another face is still declared.
fn left() -> Stage {
    let mut world = World::agreeing().face("ana").face("rio").stray("r0", "Rio");
    let record = world.record("rio");
    record.on_removal = OnRemoval::HardDelete;
    record.previous.push(before("r0"));
    world.policy.prune = true;
    world.undeclare("rio");
    Stage::of(world)
}

#[tokio::test]
async fn what_left_the_manifests_is_deleted_with_all_it_had_before() {
    let stage = left();
    assert_eq!(stage.execute().await, Outcome { deleted: vec![key("rio")], ..Outcome::default() });
    assert_eq!(stage.account().deleted, [(id("r0"), true), (id("r-rio"), true)]);
    assert!(!stage.snapshot().faces.contains_key(&key("rio")));
    assert_eq!(stage.history(), [Happened::Deleted, Happened::Deleted]);
    assert!(!stage.plan().await.has_changes());
}

#[tokio::test]
async fn a_face_that_a_pal_uses_by_now_is_not_deleted_although_it_was_approved() {
    let stage = left();
    let delete = Delete { faces: vec![id("r-rio")], is_hard: false };
    stage.account().pal("p1", "r-rio");
    let sink = |_: &crate::apply::Event| {};
    let done = stage.executor(&sink).delete(&key("rio"), &delete).await;
    assert!(matches!(&done, crate::apply::Done::Held(trouble) if trouble.why.contains("it is used by p1")), "{done:?}");
    assert_eq!(stage.account().deleted, []);
}

#[tokio::test]
async fn a_limit_is_kept_also_where_the_plan_did_not_see_it() {
    let mut stage = left();
    stage.settings.limits.deletions = Some((2, Some(Spent { count: 1, period: Duration::from_secs(86_400) })));
    let outcome = stage.execute().await;
    assert!(outcome.held[0].why.contains("spec.limits.max_deletions allows 2"), "{outcome:?}");
    assert_eq!(stage.account().deleted, [(id("r0"), true)], "the one that was left over was spent");
    assert_eq!(stage.record("rio").previous, [], "and what is gone is not in the record any more");

    let mut stage = Stage::of(World::agreeing().declared("ana").declared("rio"));
    stage.settings.limits.trainings = Some((1, None));
    let outcome = stage.execute().await;
    assert_eq!((outcome.created.len(), outcome.held.len()), (1, 1));
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn what_was_spent_is_counted_from_the_history_and_from_the_record_of_another_machine() {
    let stage = Stage::of(World::agreeing().declared("ana").declared("rio"));
    stage.account().answers.push_back(super::stage::Answer::Status(402));
    stage.execute().await;
    let day = Duration::from_secs(86_400);
    let count = |history: &[crate::state::HistoryEntry]| {
        spent(Limit::MaxTrainings, day, history, &stage.recorded(), stage.clock.now()).count
    };
    assert_eq!(count(&stage.entries()), 1, "what was refused was not paid for");
    assert_eq!(count(&[]), 1, "without a history the record tells");
    stage.clock.wind(day + Duration::from_secs(1));
    assert_eq!(count(&stage.entries()), 0);
}

#[test]
fn a_ledger_that_is_full_lets_nothing_through_and_stays_as_it_is() {
    let ledger = Ledger::default();
    let limits = RunLimits { trainings: Some((1, None)), deletions: None };
    assert_eq!(ledger.spend(Limit::MaxTrainings, "fc-1", &limits), Ok(()));
    for token in ["fc-2", "fc-3"] {
        assert!(ledger.spend(Limit::MaxTrainings, token, &limits).is_err());
        assert_eq!(ledger.spend(Limit::MaxTrainings, "fc-1", &limits), Ok(()), "sent again, it is the same training");
    }
    for face in 0..100 {
        assert_eq!(ledger.spend(Limit::MaxDeletions, &format!("r{face}"), &limits), Ok(()));
    }
}

#[tokio::test]
async fn a_face_that_was_replaced_is_deleted_once_its_time_is_up() {
    let mut world = World::agreeing().face("ana").face("rio").replaced_by("rio", "r2", TrainingStatus::Ready);
    let at = world.observed.at - jiff::SignedDuration::from_hours(25);
    let record = world.record("rio").clone().succeeded(at);
    world.recorded.faces.insert(key("rio"), record);
    world.lifecycle("rio").on_removal = OnRemoval::Delete;
    world.policy.prune = true;
    let stage = Stage::of(world);
    assert_eq!(stage.execute().await.deleted, [key("rio")]);
    assert_eq!(stage.account().deleted, [(id("r-rio"), false)]);
    assert_eq!((stage.record("rio").id, stage.record("rio").previous), (id("r2"), Vec::new()));
}
