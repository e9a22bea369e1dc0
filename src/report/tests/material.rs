//! What was found about training material, in a plan.

use insta::assert_snapshot;

use super::too_wide;
use crate::face::{Certainty, Check, Finding, MaterialSight, Revision, TrainedFrom, TrainingInput, TrainingSource};
use crate::plan::tests::world::{World, key};

fn sight(findings: &[Finding]) -> MaterialSight {
    MaterialSight { revision: None, findings: Some(findings.to_vec()) }
}

fn revision(etag: &str) -> Option<Revision> {
    Some(Revision { version: None, etag: Some(etag.to_owned()) })
}

/// One that is stopped, one that could be better, and one whose object changed.
pub(in crate::report) fn found() -> World {
    let mut world = World::agreeing().face("cho").declared("ana").declared("bea");
    let size = Finding::error(Check::Size, "it is 812 MB", "a video has at most 750 MB", Certainty::Documented);
    let size = size.help("make it smaller");
    let rate = Finding::advice(Check::Picture, "it has 24 pictures a second", "25 are better", Certainty::Recommended);
    let codec = Finding::error(Check::Codec, "its picture is H.265", "a video has H.264", Certainty::Documented);
    world.observed.material.insert(key("ana"), sight(&[size, codec, rate.clone()]));
    world.observed.material.insert(key("bea"), sight(&[rate.help("record it again")]));
    let source = TrainingSource::parse("s3://acme-media/cho.mp4").unwrap();
    world.wants("cho").training = Some(TrainingInput::Video { source });
    let made = world.wants("cho").trained_from();
    world.record("cho").trained_from = made.map(|made| TrainedFrom { revision: revision("\"one\""), ..made });
    world.observed.material.insert(key("cho"), MaterialSight { revision: revision("\"two\""), findings: None });
    world.policy.skip_preflight.insert(Check::Stable);
    world
}

#[test]
fn what_stops_a_training_stands_line_by_line_and_advice_below_what_it_is_about() {
    let world = found();
    assert_eq!(too_wide(&world.text()), Vec::<&str>::new());
    assert_snapshot!(world.text(), @r#"
    Project acme:

      ! ana  blocked
          because nothing is paid for a training that could not work
          error: size: it is 812 MB (rule: a video has at most 750 MB;
            documented)
            help: make it smaller
          error: codec: its picture is H.265 (rule: a video has H.264;
            documented)
          help: if you know better, `--skip-preflight=size,codec` does not ask that
          at faces/ana.yaml:11:1

      + bea  create  $ starts a paid training
          face_name:       "Bea"
          model_name:      phoenix-4
          train_video_url: https://media.example.com/bea.mp4?…
          wait_for:        ready
          token:           fc-dcuo5emy-suxvdf-1
          because it is declared, nothing is recorded, and no live face answers to
          its token or name
          advice: picture: it has 24 pictures a second (rule: 25 are better;
            recommended)
            help: record it again
          at faces/bea.yaml:21:1

        cho  no-op  r-cho
          because manifest, record and live face agree
          source changed: s3://acme-media/cho.mp4 is another object now
            (etag two) than the face was trained from (etag one); nothing is trained
            by that: raise training_version, or set lifecycle.on_source_change:
            retrain

    Plan: 1 to create, 0 to update, 0 to replace, 0 to delete.
    Also: 1 blocked, 1 unchanged.
    1 paid training; it usually takes 3 to 4 hours.
    preflight: not asked of training material before it is paid for
        (--skip-preflight): stable.
    "#);
}
