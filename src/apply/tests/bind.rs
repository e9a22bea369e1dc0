//! The link that is sent is made right before it is written down that it will be: what goes wrong there pays nothing.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::stage::{Answer, Fuse, Stage};
use crate::apply::{Binder, Binding, Bound, NotBound, Outcome};
use crate::face::{Check, FaceKey, Revision, TrainingStatus};
use crate::plan::Create;
use crate::plan::tests::world::{World, from_object, id, key, link, revision};
use crate::state::{Happened, Phase};

/// What the next links come to; `None`: nobody knows which version it is.
type Answers = Vec<Result<Option<&'static str>, &'static str>>;

/// Makes links by a script, each with a number of its own.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Option<Revision>, String>>>,
    asked: Mutex<Vec<(FaceKey, BTreeSet<Check>)>>,
    is_stuck: bool,
}

impl Binder for Script {
    fn bind<'a>(&'a self, key: &'a FaceKey, _: &'a Create, skip: &'a BTreeSet<Check>) -> Binding<'a> {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push((key.clone(), skip.clone()));
            asked.len()
        };
        if self.is_stuck {
            return Box::pin(std::future::pending());
        }
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(None));
        let link = link(&format!("https://signed.example.org/{number}"));
        Box::pin(std::future::ready(answer.map(|revision| Bound { link, revision }).map_err(NotBound)))
    }
}

fn bound_by(world: World, answers: Answers) -> (Stage, Arc<Script>) {
    let script = Arc::new(Script::default());
    for answer in answers {
        script.answers.lock().unwrap().push_back(answer.map(|known| known.map(revision)).map_err(str::to_owned));
    }
    let mut stage = Stage::of(world);
    stage.binder = Arc::clone(&script) as Arc<dyn Binder>;
    (stage, script)
}

/// Two new faces, each from an object of which nobody knows the version.
fn two_new() -> World {
    let mut world = World::agreeing().declared("ana").declared("rio");
    for name in ["ana", "rio"] {
        world.wants(name).training = Some(from_object(name));
    }
    world
}

fn one_new() -> World {
    let mut world = two_new();
    world.undeclare("ana");
    world
}

fn made_from(stage: &Stage, name: &str) -> Option<Revision> {
    stage.record(name).trained_from.unwrap().revision
}

#[tokio::test]
async fn where_no_link_is_made_nothing_is_begun_or_sent_and_the_others_go_on() {
    let (stage, _) = bound_by(two_new(), vec![Err("source: it is not there"), Ok(None)]);
    let outcome = stage.execute().await;
    assert_eq!(outcome.created, [key("rio")]);
    assert_eq!(outcome.held.len(), 1);
    assert_eq!(outcome.held[0].key, Some(key("ana")));
    assert_eq!(outcome.held[0].why, "source: it is not there; nothing was sent");
    assert_eq!(stage.account().sent.len(), 1);
    let snapshot = stage.snapshot();
    assert!(!snapshot.journal.contains_key(&key("ana")) && !snapshot.faces.contains_key(&key("ana")));
    assert_eq!(stage.history(), [Happened::CreateBegun, Happened::CreateSettled], "of the other one");
}

#[tokio::test]
async fn an_object_that_changed_since_the_plan_is_not_trained_from() {
    let mut world = one_new();
    world.lies("rio", "v1");
    let (stage, _) = bound_by(world, vec![Ok(Some("v2")), Ok(Some("v1"))]);
    let outcome = stage.execute().await;
    assert_eq!(
        outcome.held[0].why,
        "s3://acme-media/rio.mp4 is another object now (version v2) than when the plan was made (version v1); nothing was sent, plan again"
    );
    assert!(stage.account().sent.is_empty() && stage.snapshot().journal.is_empty());
    assert_eq!(stage.execute().await.created, [key("rio")], "once it lies there again");
    assert_eq!(made_from(&stage, "rio"), Some(revision("v1")));
}

#[tokio::test]
async fn a_version_that_is_known_only_once_the_link_is_made_is_recorded_everywhere() {
    let (stage, _) = bound_by(one_new(), vec![Ok(Some("v1"))]);
    assert_eq!(stage.execute().await.created, [key("rio")]);
    let entry = stage.snapshot().journal[&key("rio")].clone();
    assert!(serde_json::to_string(&entry).unwrap().contains(r#""revision":{"version":"v1""#), "{entry:?}");
    assert_eq!(made_from(&stage, "rio"), Some(revision("v1")));
    let lock = crate::state::LockFile::of(&stage.snapshot(), None);
    let made = lock.faces[&key("rio")].trained_from.clone().unwrap();
    assert_eq!(made.revision, Some(revision("v1")));
}

#[tokio::test]
async fn each_sending_has_a_link_of_its_own_and_asks_what_is_to_be_asked() {
    let (mut stage, script) = bound_by(one_new(), vec![Ok(Some("v1")), Ok(Some("v1"))]);
    stage.settings.skip_preflight.insert(Check::Codec);
    stage.account().answers.push_back(Answer::Later(Some(30)));
    assert_eq!(stage.execute().await.created, [key("rio")]);
    let sent: Vec<String> = stage.account().sent.iter().map(|create| create.link.expose().to_owned()).collect();
    assert_eq!(sent, ["https://signed.example.org/1", "https://signed.example.org/2"]);
    let asked = (key("rio"), BTreeSet::from([Check::Codec]));
    assert_eq!(*script.asked.lock().unwrap(), [asked.clone(), asked]);
}

#[tokio::test]
async fn a_link_that_cannot_be_made_again_after_a_wait_leaves_proof_that_nothing_began() {
    let (stage, _) = bound_by(one_new(), vec![Ok(None), Err("source: it is gone")]);
    stage.account().answers.push_back(Answer::Later(Some(30)));
    let outcome = stage.execute().await;
    assert_eq!((outcome.held.len(), outcome.in_doubt.len(), outcome.created.len()), (1, 0, 0));
    assert!(matches!(stage.phase("rio"), Phase::Refused { .. }));
    assert_eq!(stage.account().ledger.len(), 0);
}

#[tokio::test]
async fn an_interrupt_while_a_link_is_made_skips_the_face_and_begins_nothing() {
    let mut stage = Stage::of(one_new());
    stage.binder = Arc::new(Script { is_stuck: true, ..Script::default() });
    let (outcome, ()) = tokio::join!(stage.execute(), async {
        tokio::task::yield_now().await;
        stage.interrupter.interrupt();
    });
    assert_eq!(outcome, Outcome { skipped: vec![key("rio")], is_interrupted: true, ..Outcome::default() });
    assert!(stage.snapshot().journal.is_empty() && stage.history().is_empty());
}

#[tokio::test]
async fn a_death_right_after_a_link_was_made_leaves_nothing() {
    let (stage, script) = bound_by(one_new(), vec![Ok(Some("v1")), Ok(Some("v1"))]);
    stage.restart(&Fuse::after(0));
    stage.execute().await;
    assert_eq!(script.asked.lock().unwrap().len(), 1);
    assert!(stage.snapshot().journal.is_empty() && stage.account().sent.is_empty());
    stage.restart(&Fuse::never());
    assert_eq!(stage.run().await.created, [key("rio")]);
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn a_create_in_doubt_keeps_the_version_it_was_sent_with_whatever_lies_there_later() {
    let (stage, _) = bound_by(one_new(), vec![Ok(Some("v1")), Ok(Some("v2"))]);
    stage.account().answers.push_back(Answer::LostAfter);
    assert_eq!(stage.execute().await.in_doubt, [key("rio")]);
    let open = &stage.snapshot().recorded().open[&key("rio")];
    assert_eq!(open.trained_from.revision, Some(revision("v1")));
    stage.clock.wind(Duration::from_secs(600));
    assert_eq!(stage.run().await.adopted, [key("rio")]);
    assert_eq!(made_from(&stage, "rio"), Some(revision("v1")));
    assert_eq!(stage.account().ledger.len(), 1);
}

#[tokio::test]
async fn a_version_that_turns_out_to_be_that_of_a_face_the_key_has_is_not_paid_for() {
    // The new face of the second version failed and is to be tried again; which version lies there, nobody could ask.
    let mut world = World::agreeing().object("rio").revised("rio", "r2", ("v2", 2), TrainingStatus::Failed);
    world.policy.retry.insert(key("rio"));
    world.cannot_ask("rio");
    let (stage, _) = bound_by(world, vec![Ok(Some("v1")), Ok(Some("v2"))]);
    let outcome = stage.execute().await;
    assert!(outcome.held[0].why.contains("r-rio was made from that very version"), "{:?}", outcome.held);
    assert!(stage.account().sent.is_empty());
    assert_eq!(stage.execute().await.created, [key("rio")], "of the second one there is only what failed");
    assert_eq!(stage.record("rio").successor.unwrap().trained_from.unwrap().revision, Some(revision("v2")));
    assert_eq!(stage.record("rio").id, id("r-rio"));
}
