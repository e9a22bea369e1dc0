//! What people and programs read, in full. Every line of prose fits 80 columns.

use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::apply::{Event, Outcome, Training, Trouble};
use crate::face::TrainingStatus::{Preview, Ready, TuningFailed, Unknown};
use crate::face::{Coverage, FaceKey, ObservedFace, Progress, TrainingStatus, TrainingVoice, VoiceId, WaitFor};
use crate::plan::tests::world::{World, id, image, key, link, noon};
use crate::plan::{Drift, DriftReport};

fn voice(text: &str) -> VoiceId {
    text.parse().unwrap()
}

/// One face for each action.
fn everything() -> World {
    let mut world = World::agreeing().declared("ana").declared("bea").face("cho").training("dan").face("eva");
    world = world.face("fay").face("gus").failed("hal").face("ida").declared("jan").in_doubt("jan", 1);
    world.wants("ana").training = image("ana", TrainingVoice::Stock("anna".parse().unwrap()));
    world.wants("ana").callback_url = Some(link("https://hooks.example.com/tavus?token=secret&X-Amz-Signature=secret"));
    world.wants("ana").green_screen = true;
    world.wants("cho").face_name = "Cho (Support)".parse().unwrap();
    world.live("cho").name = Some("Cho (old)".to_owned());
    world.wants("cho").default_voice = Some(voice("v1"));
    world.undeclare("eva");
    world.undeclare("fay");
    world.vanish("fay");
    world.live("hal").error = Some("the video has no consent statement".to_owned());
    world.retrain("ida");
    world.bearer("r-bea", "bea", 1).stray("r-foreign", "Somebody else's")
}

/// Lines that are too wide, links and fields with a value in one piece aside.
fn too_wide(text: &str) -> Vec<&str> {
    let width = |line: &str| line.chars().count();
    text.lines().filter(|line| width(line) > 80 && !line.contains("https://")).collect()
}

#[test]
fn a_plan_is_read_from_top_to_bottom() {
    let world = everything();
    assert_eq!(too_wide(&world.text()), Vec::<&str>::new());
    assert_snapshot!(world.text(), @r#"
    Project acme:

      + ana  create  $ starts a paid training
          face_name:               "Ana"
          model_name:              phoenix-4
          train_image_url:         https://media.example.com/ana.png?…
          voice_name:              anna
          auto_fix_training_image: true
          callback_url:            https://hooks.example.com/…
          background_green_screen: true
          wait_for:                ready
          token:                   fc-fediognc-arq242-1
          because it is declared, nothing is recorded, and no live face answers to
          its token or name
          at faces/ana.yaml:1:1

     <= bea  adopt  r-bea
          face_name: "Bea"
          because a live face carries the token of this very creation, so nothing is
          created

      ~ cho  update  r-cho
          face_name: "Cho (old)" -> "Cho (Support)"
          default_voice_id: (none) -> v1
          because the manifest changed, and the live face was changed by somebody
          else (drift)

      … dan  wait  r-dan
          because its training goes on

      o eva  orphaned  r-eva
          because it left the manifests; it stays alive and recorded, as facectl
          deletes nothing on its own

      . fay  forget  r-fay
          because it left the manifests, and no live face is left of it

      ! hal  blocked  r-hal
          because its training failed: the video has no consent statement
          help: change the source (or raise training_version) to train from other
                material, or run `facectl apply --retry hal`
          at faces/hal.yaml:71:1

      ! ida  blocked  r-ida
          because training_version cannot change in place: it needs a new face
          training_version: (none) ->
                            2
          help: replacing a face without an outage is not in this release yet:
                declare the new inputs under a new key, and set this one back
          at faces/ida.yaml:81:1

      ! jan  blocked
          because a create was begun at 2026-11-22T11:50:00Z under token
          fc-hgz5qdg3-26ysmw-1, and nobody knows what became of it: POST /v2/faces:
          no complete answer (timed out)
          help: run `facectl recover`: it looks for the token and settles the entry;
                nothing is sent until then
          at faces/jan.yaml:91:1

    Plan: 1 to create, 1 to update, 0 to replace, 0 to delete.
    Also: 1 to adopt, 1 to forget, 1 in training, 3 blocked, 1 orphaned,
      1 unchanged.
    1 paid training; it usually takes 3 to 4 hours.
    1 live face of the account is not managed here and will not be touched.
    "#);
}

#[test]
fn a_coloured_plan_says_the_same_words() {
    let mut world = World::agreeing().declared("ana").face("cho").failed("hal");
    world.wants("cho").face_name = "Cho (Support)".parse().unwrap();
    let paint = Paint { colour: true, width: 80 };
    let coloured = plan_text(&world.plan(), paint);
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), world.text());
    assert_snapshot!(coloured.replace('\u{1b}', "^"), @r#"
    Project ^[1macme^[0m:

      ^[32m+^[0m ^[1mana^[0m  create  ^[33m$ starts a paid training^[0m
          ^[2mface_name:      ^[0m "Ana"
          ^[2mmodel_name:     ^[0m phoenix-4
          ^[2mtrain_video_url:^[0m https://media.example.com/ana.mp4?…
          ^[2mwait_for:       ^[0m ready
          ^[2mtoken:          ^[0m fc-fediognc-432xq5-1
          ^[2mbecause it is declared, nothing is recorded, and no live face answers to^[0m
    ^[2m      its token or name^[0m
          ^[2mat faces/ana.yaml:1:1^[0m

      ^[33m~^[0m ^[1mcho^[0m  update  ^[2mr-cho^[0m
          face_name: "Cho" -> "Cho^[32m ^[0m^[32m(Support)^[0m"
          ^[2mbecause the manifest changed^[0m

      ^[31m!^[0m ^[1mhal^[0m  blocked  ^[2mr-hal^[0m
          ^[2mbecause its training failed, and the API does not say why^[0m
          ^[36mhelp:^[0m change the source (or raise training_version) to train from other
                material, or run `facectl apply --retry hal`
          ^[2mat faces/hal.yaml:21:1^[0m

    ^[1mPlan: 1 to create, 1 to update, 0 to replace, 0 to delete.^[0m
    Also: 1 blocked.
    ^[33m1 paid training^[0m; it usually takes 3 to 4 hours.
    "#);
}

#[test]
fn incidents_limits_and_partial_listings_fit_the_page() {
    let mut world = World::agreeing().training("ana").declared("rio").declared("zoe").seen_in_part();
    world = world.bearer("r1", "ana", 1).bearer("r2", "ana", 1);
    assert_eq!(too_wide(&world.text()), Vec::<&str>::new());
    assert_snapshot!(world.text(), @r"
    Project acme:

      … ana  wait  r-ana
          because its training goes on

      ! rio  blocked
          because the listing of live faces was not complete (the API counts 3 faces
          and lists 2), so nothing proves that it does not exist already
          help: settle what the reason names, or just run it again later; until then
                nothing is created
          at faces/rio.yaml:11:1

      ! zoe  blocked
          because the listing of live faces was not complete (the API counts 3 faces
          and lists 2), so nothing proves that it does not exist already
          help: settle what the reason names, or just run it again later; until then
                nothing is created
          at faces/zoe.yaml:21:1

    !! duplicate: several live faces carry the token fc-fediognc-432xq5-1 of
        ana: r-ana is kept, r1, r2 were paid for as well. facectl never deletes a
        face on its own: look at each, then delete by hand what is not needed.

    warning: the listing of live faces was not complete: the API counts 3 faces and
             lists 2. Nothing is created on such ground.

    Plan: 0 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 in training, 2 blocked.
    ");
    world.observed.coverage = Coverage::Complete;
    world.policy.max_trainings = Some(1);
    assert_eq!(too_wide(&world.text()), Vec::<&str>::new());
    let text = world.text();
    let (_, limits) = text.split_once("Plan:").unwrap();
    assert_snapshot!(limits, @r"
     2 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 in training.
    2 paid trainings; the longest usually takes 3 to 4 hours.
    over a limit: 2 trainings would be started, spec.limits.max_trainings allows
        1 (rio, zoe). Raise it there or with --max-trainings, or apply fewer faces
        at a time. As it stands this plan cannot be applied.
    ");
}

#[test]
fn a_plan_for_programs_has_one_of_each_and_no_secret() {
    let json = plan_json(&everything().plan(), noon());
    let text = serde_json::to_string_pretty(&json).unwrap();
    assert!(!text.contains("secret") && !text.contains("Signature"), "{text}");
    let codes: Vec<&str> =
        json["faces"].as_array().unwrap().iter().map(|face| face["reason"]["code"].as_str().unwrap()).collect();
    assert_snapshot!(codes.join("\n"), @r"
    new
    found_by_token
    manifest_changed_and_drifted
    training_goes_on
    left_manifests
    left_manifests_and_gone
    agrees
    blocked_failed
    blocked_needs_replacement
    blocked_in_doubt
    ");
    let faces = json["faces"].as_array().unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&faces[0]).unwrap(), @r#"
    {
      "key": "ana",
      "id": null,
      "face_name": "Ana",
      "model_name": "phoenix-4",
      "action": "create",
      "symbol": "+",
      "paid": true,
      "reason": {
        "code": "new",
        "text": "it is declared, nothing is recorded, and no live face answers to its token or name"
      },
      "origin": {
        "file": "faces/ana.yaml",
        "line": 1,
        "column": 1
      },
      "status": null,
      "wait_for": "ready",
      "drift": [],
      "token": "fc-fediognc-arq242-1",
      "instead_of": null
    }
    "#);
    assert_snapshot!(serde_json::to_string_pretty(&faces[2]["changes"]).unwrap(), @r#"
    [
      {
        "field": "face_name",
        "before": "Cho (old)",
        "after": "Cho (Support)",
        "cause": "both"
      },
      {
        "field": "default_voice_id",
        "before": null,
        "after": "v1",
        "cause": "manifest"
      }
    ]
    "#);
    let changes = json["resource_changes"].as_array().unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&changes[0]).unwrap(), @r#"
    {
      "address": "tavus_face.ana",
      "mode": "managed",
      "type": "tavus_face",
      "name": "ana",
      "change": {
        "actions": [
          "create"
        ],
        "before": null,
        "after": {
          "face_name": "Ana",
          "model_name": "phoenix-4",
          "default_voice_id": null,
          "callback_url": "https://hooks.example.com/…",
          "properties": {
            "background_green_screen": true
          },
          "training_version": null,
          "lifecycle": {
            "on_removal": "retain",
            "protect": false,
            "wait_for": "ready",
            "on_missing": "block",
            "on_failed": "block"
          },
          "train_image_url": "https://media.example.com/ana.png?…",
          "auto_fix_training_image": true,
          "voice_name": "anna"
        },
        "after_unknown": {
          "id": true
        }
      }
    }
    "#);
    let actions: Vec<String> = changes.iter().map(|change| change["change"]["actions"].to_string()).collect();
    assert_snapshot!(actions.join(" "), @r#"["create"] ["no-op"] ["update"] ["no-op"] ["no-op"] ["forget"] ["no-op"] ["no-op"] ["no-op"] ["no-op"]"#);
    assert_snapshot!(serde_json::to_string_pretty(&json["summary"]).unwrap(), @r#"
    {
      "create": 1,
      "adopt": 1,
      "update": 1,
      "replace": 0,
      "delete": 0,
      "forget": 1,
      "wait": 1,
      "blocked": 3,
      "orphaned": 1,
      "no_op": 1,
      "paid_trainings": 1,
      "usual_hours": [
        3,
        4
      ]
    }
    "#);
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_snapshot!(format!("{keys:?}"), @r#"["format_version", "facectl_version", "timestamp", "project", "applyable", "complete", "errored", "basis", "resource_changes", "resource_drift", "faces", "summary", "duplicates", "refusals", "foreign_faces", "left_out"]"#);
}

fn drifted() -> World {
    let mut world = World::agreeing().face("ana").face("bea").face("cho").face("dan").face("eva");
    world.live("ana").name =
        Some("Ana [fc-aaaaaaaa-aaaaaa-1] with a name that goes on and on, as people like them".into());
    world.record("bea").default_voice = Some(voice("v1"));
    world.live("bea").model = Some("phoenix-3".to_owned());
    world.vanish("cho");
    world.live("dan").status = TuningFailed;
    world.stray("r-foreign", "Somebody else's")
}

#[test]
fn drift_says_what_was_applied_and_what_is_live() {
    let world = drifted();
    let report = DriftReport::of(&world.recorded, &world.observed);
    let text = drift_text(&report, &[key("eva")], Paint::plain());
    assert_eq!(too_wide(&text), Vec::<&str>::new());
    assert_snapshot!(text, @r#"
    ≠ ana
        renamed by hand: "Ana" was applied, "Ana [fc-aaaaaaaa-aaaaaa-1] with a
          name that goes on and on, as people like them" is live
    ≠ bea
        voice changed: v1 was applied, none is live
        model differs: created for phoenix-4, phoenix-3 is live
    ≠ cho
        missing: it was there, and a complete listing does not show it
    ≠ dan
        tuning failed: it stays a preview with a watermark

    4 of 5 recorded faces drifted.
    Not drift but changed in the manifests: eva (see `facectl plan`).
    1 live face of the account is not in the record.
    "#);
    let json = drift_json(&world.desired.project, &report, &[key("eva")]);
    assert_snapshot!(serde_json::to_string_pretty(&json["faces"][1]).unwrap(), @r#"
    {
      "key": "bea",
      "drift": [
        {
          "kind": "voice_changed",
          "recorded": "v1",
          "live": null,
          "text": "voice changed: v1 was applied, none is live"
        },
        {
          "kind": "model_differs",
          "recorded": "phoenix-4",
          "live": "phoenix-3",
          "text": "model differs: created for phoenix-4, phoenix-3 is live"
        }
      ]
    }
    "#);
    assert_eq!((json["drifted"].as_u64(), json["foreign_faces"].as_u64()), (Some(4), Some(1)));
}

#[test]
fn no_drift_is_said_in_one_line_and_a_partial_listing_is_not_called_clean() {
    let world = World::agreeing().face("ana").face("bea");
    let text = |world: &World| drift_text(&DriftReport::of(&world.recorded, &world.observed), &[], Paint::plain());
    assert_snapshot!(text(&world), @"No drift. 2 recorded faces compared.");
    assert_snapshot!(text(&world.seen_in_part()), @r"
    warning: the listing was not complete (the API counts 3 faces and lists 2), so
             no face is called missing.
    ");
    let mut world = drifted();
    world.observed.coverage = Coverage::Partial("1 row of the listing cannot be read".to_owned());
    assert!(text(&world).contains("3 of 5 recorded faces drifted."), "{}", text(&world));
}

#[test]
fn a_diff_shows_the_live_face_on_the_left() {
    let mut world = World::agreeing().face("ana").face("bea").declared("cho").face("dan");
    world.live("ana").name = Some("Ana (old)".to_owned());
    world.wants("ana").default_voice = Some(voice("v1"));
    world.retrain("bea");
    world.undeclare("dan");
    let text = diff_text(&world.desired, &world.recorded, &world.observed, Paint::plain());
    assert_snapshot!(text, @r"
    --- live/ana (r-ana)
    +++ declared/ana
    @@ -1,3 +1,4 @@
    -face_name: Ana (old)
    +face_name: Ana
     model_name: phoenix-4
     train_video_url: https://media.example.com/ana.mp4?…
    +default_voice_id: v1
    --- live/bea (r-bea)
    +++ declared/bea
    @@ -1,3 +1,4 @@
     face_name: Bea
     model_name: phoenix-4
     train_video_url: https://media.example.com/bea.mp4?…
    +training_version: '2'
    --- live/cho (not live)
    +++ declared/cho
    @@ -0,0 +1,3 @@
    +face_name: Cho
    +model_name: phoenix-4
    +train_video_url: https://media.example.com/cho.mp4?…
    # dan (r-dan) is live and recorded, but no longer declared
    ");
    let same = World::agreeing().face("ana").training("bea");
    assert_eq!(
        diff_text(&same.desired, &same.recorded, &same.observed, Paint::plain()),
        "",
        "a token is no difference"
    );
}

fn table_of(world: &World) -> String {
    status_table(&status_rows(&world.plan(), &world.recorded, &world.observed, true), Paint::plain())
}

#[test]
fn a_status_table_says_of_each_face_how_it_is_and_what_comes_next() {
    let mut world = everything();
    world.live("dan").progress = Some(Progress { done: 30, total: 100 });
    assert_snapshot!(table_of(&world), @r"
    KEY  FACE ID  MODEL      SYNC       HEALTH        NEXT
    ana  -        phoenix-4  OutOfSync  Missing       create: facectl apply
    bea  r-bea    phoenix-4  OutOfSync  Training      adopt: facectl apply
    cho  r-cho    phoenix-4  OutOfSync  Ready         update: facectl apply
    dan  r-dan    phoenix-4  Synced     Training 30%  facectl wait
    eva  r-eva    phoenix-4  OutOfSync  Ready         no longer declared
    fay  r-fay    -          OutOfSync  Missing       forget: facectl apply
    gus  r-gus    phoenix-4  Synced     Ready         facectl converse gus
    hal  r-hal    phoenix-4  Synced     Failed        the video has no consent statement
    ida  r-ida    phoenix-4  OutOfSync  Ready         blocked: facectl plan
    jan  -        phoenix-4  Unknown    Unknown       create in doubt: facectl recover
    ");
    world.live("ida").status = Unknown("paused".to_owned());
    assert!(table_of(&world).contains("Unknown (paused)"));
}

#[test]
fn notes_with_wide_characters_and_emoji_break_no_column() {
    let mut world = World::agreeing().failed("ana").failed("bea").face("cho");
    world.live("ana").error = Some("動画が短すぎます 🎬 the video is too short".to_owned());
    world.live("bea").error = Some("first line\nsecond line\twith a tab".to_owned());
    let table = table_of(&world);
    assert_snapshot!(table, @r"
    KEY  FACE ID  MODEL      SYNC    HEALTH  NEXT
    ana  r-ana    phoenix-4  Synced  Failed  動画が短すぎます 🎬 the video is too short
    bea  r-bea    phoenix-4  Synced  Failed  first line second line with a tab
    cho  r-cho    phoenix-4  Synced  Ready   facectl converse cho
    ");
    assert_eq!(table.lines().count(), 4, "one line for each face");
}

#[test]
fn a_face_that_does_not_show_yet_is_not_called_missing() {
    let mut world = World::agreeing().training("ana");
    world.record("ana").created_at = Some(noon());
    world.vanish("ana");
    assert_snapshot!(table_of(&world), @r"
    KEY  FACE ID  MODEL      SYNC    HEALTH    NEXT
    ana  r-ana    phoenix-4  Synced  Training  facectl wait
    ");
}

#[test]
fn a_status_without_a_look_claims_nothing() {
    let mut world = World::agreeing().training("ana").face("bea");
    let live = ObservedFace { progress: Some(Progress { done: 3, total: 10 }), ..world.live("ana").clone() };
    *world.record("ana") = world.record("ana").clone().seen(&live, noon());
    world.observed.coverage = Coverage::Partial("the API was not asked (--refresh=false)".to_owned());
    let rows = status_rows(&world.plan(), &world.recorded, &world.observed, false);
    assert_snapshot!(status_table(&rows, Paint::plain()), @r"
    KEY  FACE ID  MODEL      SYNC     HEALTH    NEXT
    ana  r-ana    phoenix-4  Unknown  Training
    bea  r-bea    phoenix-4  Unknown  Ready
    ");
}

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
        refused: vec![(key("eva"), "POST /v2/faces: HTTP 402: no credits left".to_owned())],
        in_doubt: keys(&["fay", "gus"]),
        skipped: keys(&["hal"]),
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
    assert_snapshot!(text(&everything), @r"
    Done, with trouble: 1 created, 1 updated, 1 adopted, 1 forgotten, 1 refused,
      2 in doubt, 1 not begun, 1 reached what was waited for, 2 failed,
      1 still in training.
    x eva: refused, nothing was started: POST /v2/faces: HTTP 402: no credits left
    x ida: the video has no consent statement
    x jan: its training failed, and the API does not say why
    failed to write the state: cannot write .facectl/db: no space left
    x cho: failed to set the voice: there is no voice v1
    Not begun: hal.
    The API refused the key, so nothing more was begun: check TAVUS_API_KEY, then
      run it again.
    In doubt: fay, gus. Run `facectl recover`; nothing is sent again until it is
      known what became of them.
    Interrupted. The state is safe: run the same command again.
    The time to wait is up with 1 face still in training, and nothing wrong: run
      `facectl wait`.
    ");
    let json = outcome_json(&World::agreeing().desired.project, &everything, &[], 8);
    assert_snapshot!(serde_json::to_string(&json).unwrap(), @r#"{"format_version":"1.0","project":"acme","exit_code":8,"created":["ana"],"adopted":["bea"],"updated":["cho"],"forgotten":["dan"],"refused":[{"key":"eva","why":"POST /v2/faces: HTTP 402: no credits left"}],"in_doubt":["fay","gus"],"not_begun":["hal"],"trouble":[{"key":null,"doing":"write the state","why":"cannot write .facectl/db: no space left"},{"key":"cho","doing":"set the voice","why":"there is no voice v1"}],"reached":["ana"],"failed":[{"key":"ida","why":"the video has no consent statement"},{"key":"jan","why":null}],"still_training":["bea"],"interrupted":true,"deadline_reached":true,"key_refused":true,"faces":[]}"#);
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

#[test]
fn every_drift_has_a_word_and_a_sentence() {
    for drift in [
        Drift::Missing,
        Drift::Renamed { recorded: "Ana".into(), live: "Bea".into() },
        Drift::VoiceChanged { recorded: voice("v1"), live: None },
        Drift::ModelDiffers { recorded: "phoenix-4".into(), live: "phoenix-3".into() },
        Drift::Failed(None),
        Drift::TuningFailed,
    ] {
        assert!(
            !drift::described(&drift).is_empty() && !plan_json::drift_json(&drift)["kind"].to_string().contains(' ')
        );
    }
}
