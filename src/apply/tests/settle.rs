//! What becomes of creates that were left open.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use insta::assert_debug_snapshot;
use jiff::{SignedDuration, Timestamp};

use super::stage::{Answer, Fuse, Stage, status};
use crate::apply::{Event, Executor, Outcome, Settled};
use crate::clock::{Clock, HandWoundClock};
use crate::face::OnRemoval;
use crate::plan::tests::world::{World, id, key};
use crate::state::{Happened, Phase};

/// A stage on which the create of `rio` got no answer just now.
async fn in_doubt(answer: Answer) -> Stage {
    let stage = Stage::of(World::agreeing().declared("rio"));
    stage.account().answers.push_back(answer);
    stage.execute().await;
    stage
}

#[tokio::test]
async fn a_face_found_by_its_token_is_recorded_at_once() {
    let stage = in_doubt(Answer::LostAfter).await;
    let before = stage.clock.now();
    let settled = stage.settle().await;
    assert_eq!((settled.found, settled.absent, settled.in_doubt), (vec![key("rio")], vec![], vec![]));
    assert_eq!(stage.clock.now(), before, "nothing has to be waited for");
    assert_eq!(stage.phase("rio"), Phase::Settled { id: id("r1") });
    let record = stage.record("rio");
    assert_eq!((record.id, record.token), (id("r1"), Some(stage.world.token("rio", 1))));
    assert_eq!(stage.history()[2..], [Happened::CreateSettled]);
    assert_eq!(stage.execute().await, Outcome::default());
}

#[tokio::test]
async fn a_face_that_shows_up_late_is_found_within_the_window() {
    let stage = Stage::of(World::agreeing().declared("rio"));
    stage.account().lag = Duration::from_secs(100);
    stage.account().answers.push_back(Answer::LostAfter);
    stage.execute().await;
    assert_eq!(stage.settle().await.found, [key("rio")]);
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn absence_takes_the_whole_window_and_two_listings() {
    let stage = in_doubt(Answer::LostBefore).await;
    let (since, listed) = (stage.clock.now(), stage.account().listed);
    let settled = stage.settle().await;
    assert_eq!(settled.absent, [key("rio")]);
    assert_eq!(stage.phase("rio"), Phase::Absent);
    assert!(stage.clock.now().duration_since(since).as_secs() >= 120);
    assert!(stage.account().listed >= listed + 2);
    assert_debug_snapshot!(stage.lines().last(), @r#"
    Some(
        "= rio: settled: two complete listings after the settle window do not show token fc-rltmsmyr-4ip344-1, so nothing was started",
    )
    "#);
}

#[tokio::test]
async fn a_request_that_was_waited_for_longer_than_the_window_still_gets_the_whole_window() {
    let stage = Stage::of(World::agreeing().declared("rio"));
    stage.account().answers.push_back(Answer::LostBefore);
    stage.account().takes = Duration::from_secs(300);
    stage.execute().await;
    let given_up = stage.clock.now();
    assert_eq!(stage.settle().await.absent, [key("rio")]);
    assert!(stage.clock.now().duration_since(given_up).as_secs() >= 120);
}

#[tokio::test]
async fn without_settling_one_look_decides_and_absence_is_never_concluded() {
    let mut stage = in_doubt(Answer::LostBefore).await;
    stage.settings.no_settle = true;
    stage.clock.wind(Duration::from_secs(3600));
    for _ in 0..3 {
        assert_eq!(stage.settle().await.in_doubt, [key("rio")]);
    }
}

#[tokio::test]
async fn a_listing_that_stays_incomplete_proves_nothing_and_is_not_asked_for_ever() {
    let stage = in_doubt(Answer::LostBefore).await;
    stage.account().unreadable = 1;
    let settled = stage.settle().await;
    assert_eq!(settled.in_doubt, [key("rio")]);
    assert_debug_snapshot!(settled.trouble, @r#"
    [
        Trouble {
            key: None,
            doing: "look for creates in doubt",
            why: "the listing proves nothing: 1 row of the listing cannot be read",
        },
    ]
    "#);
    assert!(matches!(stage.phase("rio"), Phase::InDoubt { .. }));
}

#[tokio::test]
async fn what_was_settled_before_a_listing_failed_is_not_forgotten() {
    let stage = Stage::of(World::agreeing().declared("ana").declared("rio"));
    stage.account().answers.extend([Answer::LostAfter, Answer::LostBefore]);
    stage.execute().await;
    stage.account().listings.push_back(status(500));
    assert!(stage.executor(&|_: &Event| {}).settle().await.is_err(), "nothing could be looked at");
    stage.account().fails_after = Some(1);
    let settled = stage.settle().await;
    assert_eq!((settled.found, settled.in_doubt), (vec![key("ana")], vec![key("rio")]));
    assert_eq!(settled.trouble.len(), 1);
}

#[tokio::test]
async fn an_interrupt_leaves_the_doubt_as_it_is() {
    let mut stage = in_doubt(Answer::LostBefore).await;
    stage.interrupt_at = |event| matches!(event, Event::SettlingWaited { .. });
    let settled = stage.settle().await;
    assert_eq!((settled.absent, settled.in_doubt), (vec![], vec![key("rio")]));
}

#[tokio::test]
async fn of_two_faces_with_the_token_the_older_is_recorded_as_in_a_plan() {
    let stage =
        Stage::of(World::agreeing().declared("rio").in_doubt("rio", 1).bearer("r1", "rio", 1).bearer("r2", "rio", 1));
    assert_eq!(stage.settle().await.found, [key("rio")]);
    assert_eq!(stage.record("rio").id, id("r1"));
    assert_eq!(stage.plan().await.duplicates[0].others, [id("r2")]);
}

#[tokio::test]
async fn a_face_found_for_a_key_whose_manifest_is_gone_is_recorded_and_left_alone() {
    let mut world = World::agreeing().declared("rio").in_doubt("rio", 1).bearer("r1", "rio", 1);
    world.undeclare("rio");
    let stage = Stage::of(world);
    assert_eq!(stage.settle().await.found, [key("rio")]);
    assert_eq!(stage.record("rio").on_removal, OnRemoval::Retain);
    assert_eq!(stage.execute().await, Outcome::default());
    assert_eq!(stage.plan().await.summary().orphaned, 1);
}

#[tokio::test]
async fn a_face_that_another_key_holds_is_not_given_to_two() {
    let mut world = World::agreeing().training("rio").declared("ana").in_doubt("rio", 1);
    let record = world.recorded.faces.remove(&key("rio")).unwrap();
    world.recorded.faces.insert(key("ana"), record);
    let stage = Stage::of(world);
    let settled = stage.settle().await;
    assert_eq!((settled.found, settled.in_doubt), (vec![], vec![key("rio")]));
    assert_eq!(settled.trouble[0].why, "face r-rio carries its token, but the record of ana holds it");
}

#[tokio::test]
async fn what_is_settled_in_the_same_run_is_no_longer_reported_as_in_doubt() {
    for (answer, created) in [(Answer::LostAfter, 0), (Answer::LostBefore, 1)] {
        let stage = Stage::of(World::agreeing().declared("rio"));
        stage.account().answers.push_back(answer);
        let outcome = stage.run().await;
        assert_eq!((outcome.in_doubt.len(), outcome.created.len()), (0, created), "{answer:?}");
        assert_eq!(outcome.adopted.len() + outcome.created.len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_written_leaves_the_doubt_and_says_so() {
    let stage = in_doubt(Answer::LostAfter).await;
    stage.restart(&Fuse::after(0));
    let settled = stage.settle().await;
    assert_eq!((settled.in_doubt, settled.trouble.len()), (vec![key("rio")], 1));
    assert!(matches!(stage.phase("rio"), Phase::InDoubt { .. }));
}

/// A clock that is set by somebody while it is waited on. The account goes on in true time.
#[derive(Debug)]
struct SetClock {
    real: Arc<HandWoundClock>,
    jumps: Mutex<VecDeque<SignedDuration>>,
    ahead: Mutex<SignedDuration>,
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.real.now() + *self.ahead.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        *self.ahead.lock().unwrap() += self.jumps.lock().unwrap().pop_front().unwrap_or_default();
        self.real.sleep(duration)
    }
}

/// Settles with a clock that jumps by so many minutes at the first waits.
async fn settle_with_jumps(stage: &Stage, minutes: &[i64]) -> Settled {
    let clock = SetClock {
        real: Arc::clone(&stage.clock),
        jumps: Mutex::new(minutes.iter().map(|minutes| SignedDuration::from_mins(*minutes)).collect()),
        ahead: Mutex::default(),
    };
    let sink = |_: &Event| {};
    Executor { clock: Arc::new(clock), ..stage.executor(&sink) }.settle().await.unwrap()
}

#[tokio::test]
async fn a_clock_that_is_set_forward_while_settling_does_not_shorten_the_window() {
    for jumps in [&[60][..], &[0, 1], &[1, 1, 1], &[60, -60], &[-60, 120]] {
        let stage = Stage::of(World::agreeing().declared("rio"));
        stage.account().lag = Duration::from_secs(100);
        stage.account().answers.push_back(Answer::LostAfter);
        stage.execute().await;
        let settled = settle_with_jumps(&stage, jumps).await;
        assert_eq!((settled.found, settled.absent), (vec![key("rio")], vec![]), "{jumps:?}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_while_settling_does_not_make_it_wait_for_ever() {
    for jumps in [&[-60][..], &[-1, -1, -1], &[-600, 600]] {
        let stage = in_doubt(Answer::LostBefore).await;
        let since = stage.clock.now();
        assert_eq!(settle_with_jumps(&stage, jumps).await.absent, [key("rio")], "{jumps:?}");
        let took = stage.clock.now().duration_since(since).as_secs();
        assert!((120..300).contains(&took), "{jumps:?}: {took} s");
    }
}
