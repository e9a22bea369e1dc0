//! Plans, as text and as JSON.

use insta::assert_snapshot;

use super::super::*;
use super::*;
use crate::face::Coverage;
use crate::plan::tests::world::{World, noon};

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
          deletes nothing on its own (`facectl state forget` drops it from the
          record alone)

      . fay  forget  r-fay
          because it left the manifests, and no live face is left of it

      ! hal  blocked  r-hal
          because its training failed: the video has no consent statement
          help: change the source (or raise training_version) to train from other
                material, or run `facectl apply --retry hal`
          at faces/hal.yaml:71:1

    -/+ ida  replace  $ starts a paid training
          face_name:        "Ida"
          model_name:       phoenix-4
          train_video_url:  https://media.example.com/ida.mp4?…
          training_version: "2"
          wait_for:         ready
          token:            fc-uewobkdy-lf2udk-1
          takes the place of r-ida once it is ready: first in every PAL that uses
          it, then in the record
          because training_version cannot change in place: a new face is trained
          first, and takes the place of this one once it is ready
          training_version: (none) ->
                            2
          at faces/ida.yaml:81:1

      ! jan  blocked
          because a create was begun at 2026-11-22T11:50:00Z under token
          fc-hgz5qdg3-26ysmw-1, and nobody knows what became of it: POST /v2/faces:
          no complete answer (timed out)
          help: run `facectl recover`: it looks for the token and settles the entry;
                nothing is sent until then
          at faces/jan.yaml:91:1

    Plan: 1 to create, 1 to update, 1 to replace, 0 to delete.
    Also: 1 to adopt, 1 to forget, 1 in training, 2 blocked, 1 orphaned,
      1 unchanged.
    2 paid trainings; the longest usually takes 3 to 4 hours.
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
    let json = plan_json(&everything().plan(), noon(), None);
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
    inputs_changed
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
            "on_failed": "block",
            "retire_after": "PT24H",
            "repoint_pals": true,
            "on_source_change": "report"
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
    assert_snapshot!(actions.join(" "), @r#"["create"] ["no-op"] ["update"] ["no-op"] ["no-op"] ["forget"] ["no-op"] ["no-op"] ["create","delete"] ["no-op"]"#);
    assert_snapshot!(serde_json::to_string_pretty(&json["summary"]).unwrap(), @r#"
    {
      "create": 1,
      "adopt": 1,
      "update": 1,
      "replace": 1,
      "switch": 0,
      "give_up": 0,
      "delete": 0,
      "retired": 0,
      "forget": 1,
      "wait": 1,
      "blocked": 2,
      "orphaned": 1,
      "no_op": 1,
      "paid_trainings": 2,
      "usual_hours": [
        3,
        4
      ]
    }
    "#);
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_snapshot!(format!("{keys:?}"), @r#"["format_version", "facectl_version", "timestamp", "project", "digest", "applyable", "complete", "errored", "basis", "resource_changes", "resource_drift", "unseen", "faces", "summary", "duplicates", "retired", "shortage", "refusals", "foreign_faces", "since", "selection", "left_out", "left_out_with_changes"]"#);
}
