//! What looking shows: drift, differences, how things are.

use insta::assert_snapshot;

use super::super::*;
use super::*;
use crate::face::TrainingStatus::{TuningFailed, Unknown};
use crate::face::{Coverage, ObservedFace, Progress};
use crate::plan::tests::world::{World, key, noon};
use crate::plan::{Drift, DriftReport};

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
    let json = serde_json::to_value(DriftDocument::of(&world.desired.project, &report, &[key("eva")], None)).unwrap();
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
    ida  r-ida    phoenix-4  OutOfSync  Ready         replace: facectl apply
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
        assert!(!drift::described(&drift).is_empty() && !FaceDrift::of(&drift).kind.contains(' '));
    }
}
