//! `import KEY FACE_ID`: one face that lives already, under a key that is declared.

use serde_json::json;

use crate::environment::{Environment, face};
use crate::server::Server;

/// A project that declares `ana` and `bea`, and an account with two faces that somebody made by hand.
fn setting() -> (Server, Environment, Vec<String>) {
    let server = Server::slow(&[]);
    let ids = server.add_faces(2, "made");
    let environment = Environment::against(&server, &["ana", "bea"]);
    (server, environment, ids)
}

#[test]
fn a_face_is_recorded_as_it_is_after_it_was_shown_and_nothing_is_sent() {
    let (server, environment, ids) = setting();
    environment.face("ana", "  face_name: Ana\n  default_voice_id: v0a1b2c3d4e5f\n");
    let (first, second) = (&ids[0], &ids[1]);
    let import = environment.run(&format!("import ana {first} -y")).exits(0);
    import
        .prints(&[
            &format!("<= ana import {first}"),
            "trained from: not known, and never a difference",
            r#"the next apply changes face_name: "made-0" -> "Ana""#,
            r#"the next apply changes default_voice_id: (none) -> "v0a1b2c3d4e5f""#,
            "Recorded: 1 face.",
        ])
        .says(&["Next: `facectl plan`"]);
    assert_eq!((server.trainings(), server.requests("update")), (0, 0));
    assert!(environment.read("facectl.lock.yaml").contains(first));
    environment.run(&format!("import ana {first}")).exits(0).prints(&["it is recorded already"]);
    let run = environment.run(&format!("import bea={second} -y -o json")).exits(0).json();
    assert_eq!((&run["faces"][0]["key"], &run["faces"][0]["inputs"]), (&json!("bea"), &json!("unknown")));
    environment.run("plan").exits(0).prints(&["0 to create, 2 to update"]);
    environment.run("apply -y").exits(0).prints(&["2 updated"]);
    environment.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 0);
}

#[test]
fn several_are_recorded_together_or_not_at_all() {
    let (server, environment, ids) = setting();
    let line = format!("import -y ana={} bea=r00000000000", ids[0]);
    environment.run(&line).exits(1).says(&["bea: there is no face r00000000000 in this account; nothing was changed"]);
    assert!(!environment.path("facectl.lock.yaml").exists());
    environment.run(&format!("import -y ana={} bea={}", ids[0], ids[1])).exits(0).prints(&["Recorded: 2 faces."]);
    assert_eq!(server.trainings(), 0);
}

#[test]
fn inputs_are_a_difference_only_once_somebody_has_vouched_for_them() {
    let (server, environment, ids) = setting();
    let import = |more: &str| environment.run(&format!("import ana {} -y {more}", ids[0]));
    environment.face("ana", "  face_name: made-0\n");
    std::fs::remove_file(environment.path("faces/bea.yaml")).unwrap();
    import("").exits(0);
    environment.edit("faces/ana.yaml", "training.mp4", "other.mp4");
    environment.run("plan").exits(0).prints(&["No changes."]);
    import("--assume-current").exits(0).prints(&["record its inputs", "other.mp4 (on your word"]);
    environment.run("plan").exits(0).prints(&["No changes."]);
    environment.edit("faces/ana.yaml", "other.mp4", "third.mp4");
    environment.run("plan").prints(&["train_video_url", "other.mp4", "third.mp4"]);
    environment.edit("faces/ana.yaml", "face_name: made-0", "face_name: made-0\n  model_name: phoenix-4.5");
    import("--assume-current").exits(5).says(&["is of phoenix-4, and the manifest says phoenix-4.5"]);
    assert_eq!(server.trainings(), 0);
}

#[test]
fn what_is_not_free_to_take_is_refused_with_its_reason() {
    let (server, environment, ids) = setting();
    let import = |what: &str| environment.run(&format!("import -y {what}")).prints_nothing();
    import(&format!("carla {}", ids[0])).exits(1).says(&["carla is not declared", "facectl export FACE_ID"]);
    import("ana").exits(1).says(&["no face id is given", "facectl import KEY FACE_ID"]);
    import(&format!("ana={0} bea={0}", ids[0])).exits(1).says(&["can be given once"]);
    import("Ana r1").exits(1).says(&["`Ana` cannot be used"]);
    import("ana r5f0c0000000").exits(5).says(&["stock faces belong to everybody"]);
    server.alter(&ids[0], &json!({ "face_name": "Ana [fc-aaaaaaaa-aaaaaa-1]" }));
    import(&format!("ana {}", ids[0])).exits(5).says(&["its name carries fc-aaaaaaaa-aaaaaa-1"]);
    import("ana r404").exits(1).says(&["there is no face r404 in this account"]);
    environment.run(&format!("import -y bea {}", ids[1])).exits(0);
    import(&format!("ana {}", ids[1])).exits(5).says(&["bea has it already", "moved-from: bea"]);
    import(&format!("bea {}", ids[0]))
        .exits(5)
        .says(&[&format!("face {} is recorded for it, and is not gone", ids[1])]);
    let text = face("ana", "https://m.example.com/a.mp4", "")
        .replace("spec:", "  annotations: { facectl.dev/face-id: r9 }\nspec:");
    environment.write("faces/ana.yaml", text);
    import(&format!("ana {}", ids[0])).exits(5).says(&["its manifest says that it is r9"]);
    assert_eq!((server.trainings(), server.requests("update")), (0, 0));
}

#[test]
fn a_failed_training_is_refused_and_one_that_goes_on_is_taken() {
    let server = Server::at_speed(36_000.0, &[]);
    let environment = Environment::against(&server, &["ana"]);
    let make = |file: &str| {
        let body = json!({ "train_video_url": format!("https://m.example.com/{file}.mp4"), "face_name": file, "model_name": "phoenix-4" });
        server.ask("POST", "/v2/faces", &body)["face_id"].as_str().unwrap().to_owned()
    };
    let failed = make("fail-training");
    while server.face(&failed)["status"] != "error" {
        std::thread::yield_now();
    }
    environment.run(&format!("import -y ana {failed}")).exits(4).says(&["its training failed"]);
    let running = make("ana");
    environment.run(&format!("import -y ana {running}")).exits(0).prints(&["Recorded: 1 face."]);
    assert_eq!(server.trainings(), 2, "both by hand");
}

#[test]
fn a_key_whose_face_is_gone_can_be_given_another_one() {
    let (server, environment, ids) = setting();
    environment.run(&format!("import -y ana={} bea={}", ids[0], ids[1])).exits(0);
    server.alter(&ids[0], &json!({ "removed": true }));
    let new = server.add_faces(1, "new").remove(0);
    environment.run(&format!("import -y ana {new}")).exits(0);
    assert!(environment.read("facectl.lock.yaml").contains(&new));
    environment.run("plan").prints(&["0 to create"]);
}

#[test]
fn without_a_terminal_it_is_not_done_unasked_and_a_held_state_is_not_touched() {
    let (_server, environment, ids) = setting();
    // What `apply` is told by its variable is no word for anything else.
    let environment = environment.with("FACECTL_AUTO_APPROVE", "1");
    let import = environment.run(&format!("import ana {}", ids[0])).exits(1);
    import.says(&["nobody to ask", "--auto-approve"]);
    assert!(!environment.path("facectl.lock.yaml").exists());
    let holder = environment.spawn("apply -y");
    let mut holder = holder;
    holder.until_it_says("Waiting for");
    environment.run(&format!("import -y ana {}", ids[0])).exits(6);
}
