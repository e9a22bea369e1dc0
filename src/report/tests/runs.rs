//! What a run tells while it goes on and when it ends.

use std::time::Duration;

use insta::assert_snapshot;

use super::super::*;
use super::*;
use crate::apply::{Event, Outcome, Training, Trouble};
use crate::face::TrainingStatus::{Preview, Ready, TuningFailed};
use crate::face::{FaceKey, Progress, TrainingStatus, WaitFor};
use crate::plan::tests::world::{World, id, key};

fn training(name: &str, status: TrainingStatus, percent: Option<u32>) -> Training {
    Training {
        key: key(name),
        id: id(&format!("r-{name}")),
        model: "phoenix-4.5".to_owned(),
        status,
        progress: percent.map(|done| Progress { done, total: 100 }),
        wait_for: WaitFor::Ready,
        elapsed: Duration::from_secs(3840),
        usual_hours: Some((2, 3)),
    }
}

#[test]
fn a_heartbeat_names_six_and_counts_the_others() {
    let mut heartbeat = Heartbeat::default();
    let beat = |heartbeat: &mut Heartbeat, waiting| {
        heartbeat.take(&Event::RoundEnded { waiting, next: Duration::from_secs(300) })
    };
    for (name, status, percent) in [
        ("ana", TrainingStatus::Training, Some(30)),
        ("bruno", TrainingStatus::Training, None),
        ("dan", Preview, Some(57)),
    ] {
        assert_eq!(heartbeat.take(&Event::TrainingProgressed(training(name, status, percent))), None);
    }
    assert_snapshot!(beat(&mut heartbeat, 3).unwrap(), @"… 1h 4m of usually 2 to 3 hours: training ana 30%, bruno; preview dan 57%; next look in 5m");
    for number in 0..9 {
        heartbeat.take(&Event::TrainingProgressed(training(&format!("f{number}"), TrainingStatus::Training, None)));
    }
    assert_snapshot!(beat(&mut heartbeat, 9).unwrap(), @"… 1h 4m of usually 2 to 3 hours: training f0, f1, f2, f3, f4, f5 and 3 more; next look in 5m");
    assert_snapshot!(beat(&mut heartbeat, 1).unwrap(), @"… 1 face not listed yet; next look in 5m");
    assert_eq!(beat(&mut heartbeat, 0), None, "the end has lines of its own");
}

#[test]
fn a_face_that_is_reached_says_how_far() {
    let line = |training| line(&Event::FaceReached(training), Paint::plain()).unwrap();
    let waited = |status, wait_for| line(Training { wait_for, ..training("ana", status, None) });
    assert_snapshot!(waited(Ready, WaitFor::Ready), @"✓ ana: ready after 1h 4m");
    assert_snapshot!(waited(Preview, WaitFor::Preview), @"✓ ana: preview after 1h 4m (tuning goes on in the background)");
    assert_snapshot!(waited(TuningFailed, WaitFor::Preview), @"✓ ana: preview after 1h 4m (its tuning failed: it keeps the watermark)");
}

#[test]
fn an_outcome_counts_what_happened_and_says_what_to_do() {
    let keys = |names: &[&str]| names.iter().map(|name| key(name)).collect::<Vec<FaceKey>>();
    let text = |outcome: &Outcome| {
        let text = outcome_text(outcome, Paint::plain());
        assert_eq!(too_wide(&text), Vec::<&str>::new());
        text
    };
    let well = Outcome { created: keys(&["ana"]), reached: keys(&["ana"]), ..Outcome::default() };
    assert_snapshot!(text(&well), @"Done: 1 created, 0 updated, 1 reached what was waited for.");
    let everything = Outcome {
        created: keys(&["ana"]),
        adopted: keys(&["bea"]),
        updated: keys(&["cho"]),
        forgotten: keys(&["dan"]),
        switched: keys(&["kim"]),
        given_up: keys(&["lea"]),
        deleted: keys(&["max"]),
        refused: vec![(key("eva"), "POST /v2/faces: HTTP 402: no credits left".to_owned())],
        in_doubt: keys(&["fay", "gus"]),
        skipped: keys(&["hal"]),
        held: vec![Trouble {
            key: Some(key("noa")),
            doing: "delete",
            why: "it is used by p1 (\"Help\"); nothing was deleted".to_owned(),
        }],
        trouble: vec![
            Trouble { key: None, doing: "write the state", why: "cannot write .facectl/db: no space left".to_owned() },
            Trouble { key: Some(key("cho")), doing: "set the voice", why: "there is no voice v1".to_owned() },
        ],
        reached: keys(&["ana"]),
        failed: vec![(key("ida"), Some("the video has no consent statement".to_owned())), (key("jan"), None)],
        still_training: keys(&["bea"]),
        is_interrupted: true,
        is_deadline_reached: true,
        is_key_refused: true,
    };
    assert_snapshot!(text(&everything), @r#"
    Done, with trouble: 1 created, 1 updated, 1 adopted,
      1 switched to another face, 1 replacement given up, 1 deleted, 1 forgotten,
      1 refused, 2 in doubt, 1 not begun, 1 held back,
      1 reached what was waited for, 2 failed, 1 still in training.
    x eva: refused, nothing was started: POST /v2/faces: HTTP 402: no credits left
    x ida: the video has no consent statement
    x jan: its training failed, and the API does not say why
    ! noa: did not delete: it is used by p1 ("Help"); nothing was deleted
    failed to write the state: cannot write .facectl/db: no space left
    x cho: failed to set the voice: there is no voice v1
    Not begun: hal.
    The API refused the key, so nothing more was begun: check TAVUS_API_KEY, then
      run it again.
    In doubt: fay, gus. Run `facectl recover`; nothing is sent again until it is
      known what became of them.
    Interrupted. The state is safe: run the same command again.
    The time to wait is up with 1 face still in training: run `facectl wait`.
    "#);
    let world = World::agreeing();
    let json = OutcomeDocument::of(&world.desired.project, &everything, &[], 8, 0, None);
    assert_snapshot!(serde_json::to_string(&json).unwrap(), @r#"{"format_version":"1.0","project":"acme","exit_code":8,"created":["ana"],"adopted":["bea"],"updated":["cho"],"forgotten":["dan"],"switched":["kim"],"given_up":["lea"],"deleted":["max"],"refused":[{"key":"eva","why":"POST /v2/faces: HTTP 402: no credits left"}],"in_doubt":["fay","gus"],"not_begun":["hal"],"held":[{"key":"noa","doing":"delete","why":"it is used by p1 (\"Help\"); nothing was deleted"}],"trouble":[{"key":null,"doing":"write the state","why":"cannot write .facectl/db: no space left"},{"key":"cho","doing":"set the voice","why":"there is no voice v1"}],"reached":["ana"],"failed":[{"key":"ida","why":"the video has no consent statement"},{"key":"jan","why":null}],"still_training":["bea"],"interrupted":true,"deadline_reached":true,"key_refused":true,"faces":[],"left_out":0}"#);
    let waiting = Outcome { still_training: keys(&["ana", "bea"]), is_deadline_reached: true, ..Outcome::default() };
    assert_snapshot!(text(&waiting), @r"
    Done: 0 created, 0 updated, 2 still in training.
    The time to wait is up with 2 faces still in training, and nothing wrong: run
      `facectl wait`.
    ");
    let interrupted = Outcome { skipped: keys(&["ana"]), is_interrupted: true, ..Outcome::default() };
    assert_snapshot!(text(&interrupted), @r"
    Done: 0 created, 0 updated, 1 not begun.
    Not begun: ana.
    Interrupted. The state is safe: run the same command again.
    ");
}
