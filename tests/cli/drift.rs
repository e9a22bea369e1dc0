//! Drift: what somebody else did, told apart from what the manifests changed; and the other ways to look on.

use serde_json::{Value, json};

use crate::environment::Environment;
use crate::server::Server;

fn codes(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|drift| drift["kind"].as_str().unwrap()).collect()
}

#[test]
fn drift_tells_every_kind_apart_and_counts_strangers() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["gone", "named", "same"]);
    environment.write(
        "faces/voiced.yaml",
        "apiVersion: facectl.dev/v1\nkind: Face\nmetadata: { name: voiced }\nspec:\n  \
         train_image_url: https://media.example.com/v.png\n  default_voice_id: v0a1b2c3d4e5f\n",
    );
    environment.face_from("tuned", "https://media.example.com/fail-tuning.mp4", "  model_name: phoenix-4.5\n");
    environment.run("apply -y").exits(4);
    let ids: std::collections::BTreeMap<String, String> = {
        let rows = environment.run("status -o json").exits(0).json();
        let rows = rows["faces"].as_array().unwrap().clone();
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        rows.iter().map(|row| (text(row, "key"), text(row, "face_id"))).collect()
    };
    server.alter(&ids["gone"], &json!({ "removed": true }));
    server.alter(&ids["named"], &json!({ "face_name": "Renamed by hand" }));
    server.alter(&ids["voiced"], &json!({ "default_voice_id": "v9z8y7x6w5v4u" }));
    server.add_faces(2, "stranger");
    environment.face("same", "  face_name: Changed in the manifest\n");
    let run = environment.run("drift").exits(0);
    let run = run.prints(&[
        "≠ gone missing: it was there",
        r#"≠ named renamed by hand: "named" was applied, "Renamed by hand" is live"#,
        "≠ voiced voice changed: v0a1b2c3d4e5f was applied, v9z8y7x6w5v4u is live",
        "≠ tuned tuning failed",
        "4 of 5 recorded faces drifted.",
        "Not drift but changed in the manifests: same (see `facectl plan`).",
        "2 live faces of the account are not in the record.",
    ]);
    assert!(!run.stdout.contains("≠ same"), "{run}");
    let json = environment.run("drift -o json").exits(0).json();
    assert_eq!((&json["drifted"], &json["compared"], &json["foreign_faces"]), (&json!(4), &json!(5), &json!(2)));
    assert_eq!((&json["changed_in_manifests"], &json["complete"]), (&json!(["same"]), &json!(true)));
    let kinds: Vec<_> = json["faces"].as_array().unwrap().iter().map(|face| codes(&face["drift"])).collect();
    assert_eq!(kinds, [vec!["missing"], vec!["renamed"], vec!["tuning_failed"], vec!["voice_changed"]], "{json}");
}

#[test]
fn a_training_that_failed_after_the_run_is_drift_with_its_reason() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &[]);
    environment.face_from("ana", "https://media.example.com/fail-training.mp4", "");
    environment.run("apply -y").exits(4);
    environment.run("drift").exits(0).prints(&["≠ ana", "failed: Training failed: the video could not be used"]);
}

#[test]
fn looking_on_leaves_no_trace_where_there_was_none() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    for line in ["plan", "diff", "drift", "status", "validate", "plan --refresh=false", "status --refresh=false"] {
        environment.run(line).exits(0);
        assert!(!environment.path(".facectl").exists(), "{line}");
    }
    assert_eq!((server.trainings(), server.requests("create"), server.requests("update")), (0, 0, 0));
}

#[test]
fn looking_on_changes_nothing_that_is_remembered() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    server.alter(&server.ids()[0], &json!({ "face_name": "Somebody else's" }));
    let before = environment.run("plan -o json").json()["basis"].clone();
    let (snapshot, updates) = (environment.read(".facectl/snapshot.json"), server.requests("update"));
    for line in ["plan", "diff", "drift", "status", "status --refresh=false", "plan --refresh=false"] {
        environment.run(line).exits(0);
        assert_eq!(environment.read(".facectl/snapshot.json"), snapshot, "{line}");
    }
    assert_eq!(server.requests("update"), updates);
    // What the database holds is the same too: the next plan stands on the same serial.
    let after = environment.run("plan -o json").json()["basis"].clone();
    assert_eq!((&before["serial"], &before["lineage"]), (&after["serial"], &after["lineage"]));
}

#[test]
fn a_face_renamed_by_hand_is_put_back_and_the_reason_says_drift() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    server.alter(&server.ids()[0], &json!({ "face_name": "Ana (old)" }));
    environment.run("plan").exits(0).prints(&[
        "~ ana update",
        r#"face_name: "Ana (old)" -> "ana""#,
        "the live face was changed by somebody else (drift)",
    ]);
    environment.run("apply -y").exits(0).prints(&["1 updated"]);
    assert_eq!(server.face(&server.ids()[0])["face_name"], "ana");
}

#[test]
fn a_face_that_somebody_deleted_is_bought_again_only_when_told_to() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y --create-parallelism 1").exits(0);
    server.alter(&server.ids()[0], &json!({ "removed": true }));
    let run = environment.run("apply -y").exits(5);
    run.prints(&["! ana blocked", "facectl did not delete it; training", "--recreate ana"]);
    environment.run("status").exits(0).prints(&["Missing", "deleted by somebody else"]);
    assert_eq!(server.trainings(), 2);
    environment.run("apply -y --recreate ana").exits(0).prints(&["+ ana create", "1 created"]);
    assert_eq!(server.trainings(), 3);
    environment.run("plan").exits(0).prints(&["No changes."]);
}

#[test]
fn a_face_that_left_the_manifests_is_left_alone_and_listed() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y --create-parallelism 1").exits(0);
    std::fs::remove_file(environment.path("faces/bruno.yaml")).unwrap();
    environment.run("apply -y").exits(0).prints(&["o bruno orphaned", "stays alive"]);
    environment.run("status").exits(0).prints(&["no longer declared"]);
    environment.run("diff").exits(0).prints(&["# bruno (r", "is live and recorded, but no longer declared"]);
    assert_eq!(server.requests("delete"), 0);
    assert_eq!(server.face(&server.ids()[1])["face_name"], "bruno");
}

#[test]
fn diff_is_a_unified_diff_of_live_against_declared() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    environment.run("diff").exits(0).prints_nothing().says(&["No differences"]);
    environment.face("ana", "  face_name: Ana (Support)\n");
    environment.face_from("bruno", "https://media.example.com/bruno/take-2.mp4", "");
    environment.face("carla", "");
    let run = environment.run("diff").exits(0).says_nothing();
    let run = run.prints(&[
        "--- live/ana (r",
        "+++ declared/ana",
        "@@ -1,3 +1,3 @@",
        "-face_name: ana",
        "+face_name: Ana (Support)",
        "-train_video_url: https://media.example.com/bruno/training.mp4",
        "+train_video_url: https://media.example.com/bruno/take-2.mp4",
        "--- live/carla (not live)",
    ]);
    let json = environment.run("diff -o json").exits(0).json();
    assert_eq!((&json["differs"], json["unified"].as_str()), (&json!(true), Some(run.stdout.as_str())));
}

#[test]
fn status_is_a_table_for_people_and_two_axes_for_programs() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y --no-wait").exits(0);
    environment.face("bruno", "  face_name: Bruno\n");
    environment.face("carla", "");
    let run = environment.run("status").exits(0).says_nothing();
    let lines: Vec<Vec<&str>> = run.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["KEY", "FACE", "ID", "MODEL", "SYNC", "HEALTH", "NEXT"], "{run}");
    assert_eq!((lines[1][0], lines[1][3], lines[1][4]), ("ana", "Synced", "Training"), "{run}");
    assert_eq!((lines[3][0], lines[3][1]), ("carla", "-"), "{run}");
    let json = environment.run("status -o json").exits(0).json();
    assert_eq!(json["faces"][0]["sync"], "Synced");
    assert_eq!(json["faces"][2]["sync"], "OutOfSync");
    assert_eq!(json["faces"][2]["health"], "Missing");
    assert!(json["observed_at"].is_string(), "{json}");
    environment.run("status -o yaml").exits(0).prints(&["key: ana", "sync: Synced", "health: Training"]);
    let json = environment.run("status --refresh=false -o json").exits(0).json();
    assert_eq!((&json["faces"][0]["sync"], &json["observed_at"]), (&json!("Unknown"), &Value::Null));
}

#[test]
fn without_a_look_manifests_are_compared_with_what_was_last_seen() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    let lists = server.requests("list");
    environment
        .run("plan --refresh=false --detailed-exitcode")
        .exits(0)
        .prints(&["the API was not asked", "No changes."]);
    environment.face("ana", "  face_name: Ana\n");
    environment.face("carla", "");
    let run = environment.run("plan --refresh=false --detailed-exitcode").exits(2);
    // Nothing is bought on such ground.
    run.prints(&["~ ana update", r#"face_name: "ana" -> "Ana""#, "! carla blocked", "1 unchanged"]);
    environment.run("status --refresh=false").exits(0).prints(&["Ready"]);
    assert_eq!(server.requests("list"), lists);
}

#[test]
fn a_plan_in_json_has_terraforms_shape_and_ours_beside_it() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    environment.face("ana", "  face_name: Ana\n");
    environment.face("carla", "");
    let plan = environment.run("plan -o json").exits(0).says_nothing().json();
    assert_eq!(
        (&plan["format_version"], &plan["applyable"], &plan["complete"]),
        (&json!("1.0"), &json!(true), &json!(true))
    );
    let actions: Vec<_> =
        plan["resource_changes"].as_array().unwrap().iter().map(|change| &change["change"]["actions"]).collect();
    assert_eq!(actions, [&json!(["update"]), &json!(["no-op"]), &json!(["create"])]);
    let update = &plan["resource_changes"][0];
    assert_eq!(
        (&update["address"], &update["change"]["before"]["face_name"]),
        (&json!("tavus_face.ana"), &json!("ana"))
    );
    assert_eq!(update["change"]["after"]["face_name"], "Ana");
    assert_eq!(plan["resource_changes"][2]["change"]["after_unknown"], json!({ "id": true }));
    let face = &plan["faces"][2];
    assert_eq!(
        (&face["key"], &face["action"], &face["paid"], &face["reason"]["code"]),
        (&json!("carla"), &json!("create"), &json!(true), &json!("new"))
    );
    assert_eq!(plan["faces"][0]["changes"][0]["cause"], "manifest");
    let summary = &plan["summary"];
    assert_eq!((&summary["create"], &summary["update"], &summary["paid_trainings"]), (&json!(1), &json!(1), &json!(1)));
    environment.run("plan -o yaml").exits(0).prints(&["format_version: '1.0'"]);
}

#[test]
fn colours_come_when_they_are_asked_for_and_never_into_a_pipe() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).without("NO_COLOR");
    const ESCAPE: &str = "\u{1b}[";
    for line in [
        "plan",
        "plan --color never",
        "plan --color always --no-color",
        "plan --color auto",
        "plan -o json --color always",
    ] {
        environment.run(line).exits(0).hides(&[ESCAPE]);
    }
    let coloured = environment.run("plan --color always").exits(0).prints(&[ESCAPE]);
    // Without the colours it is the very same text.
    let mut plain = String::new();
    let mut rest = coloured.stdout.as_str();
    while let Some((before, after)) = rest.split_once(ESCAPE) {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    assert_eq!(plain + rest, environment.run("plan").stdout);
    environment.with("NO_COLOR", "1").run("plan --color auto").hides(&[ESCAPE]);
}

#[test]
fn a_plan_fits_80_columns_where_nothing_else_is_known() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bruno", "carla"]);
    for line in ["plan", "drift", "status", "diff", "apply -y --no-wait"] {
        let run = environment.run(line);
        let long = run.stdout.lines().find(|line| line.chars().count() > 80);
        assert_eq!(long, None, "{run}");
    }
}
