//! An account that was filled by hand comes under git: `export`, `apply`.

use serde_json::{Value, json};

use crate::environment::{Environment, Run};
use crate::server::Server;

/// Names that are hard to write down.
const NAMES: [&str; 9] = [
    "Ana (Support)",
    "Bea: \"the\" 'voice' #1 & Söhne",
    "😀 Zoë",
    "  Carla",
    "12",
    "yes",
    "~",
    "costs ${HOME} and $${FACECTL_VAR_X}",
    "- dash",
];

/// Makes faces as somebody would without facectl, one for each name; returns their ids.
fn made_elsewhere(server: &Server, names: &[&str]) -> Vec<String> {
    let ids = server.add_faces(names.len(), "made");
    for (id, name) in ids.iter().zip(names) {
        server.alter(id, &json!({ "face_name": name }));
    }
    ids
}

fn newcomer(server: &Server) -> Environment {
    let environment = Environment::empty().talking_to(server);
    // So that no project file above the temporary folder is ever found.
    std::fs::create_dir(environment.path(".git")).unwrap();
    environment
}

fn manifests(environment: &Environment) -> Vec<String> {
    let names = environment.files("faces").into_keys().map(|path| path.file_name().unwrap().to_owned());
    names.map(|name| name.into_string().unwrap()).collect()
}

fn named(run: &Run, face_id: &str) -> String {
    let json = run.json();
    let face = json["faces"].as_array().unwrap().iter().find(|face| face["face_id"] == face_id);
    face.unwrap_or_else(|| panic!("{face_id} is not there: {run}"))["key"].as_str().unwrap().to_owned()
}

#[test]
fn an_account_that_was_filled_by_hand_comes_under_git_in_two_commands() {
    let server = Server::slow(&[]);
    let ids = made_elsewhere(&server, &NAMES);
    let paid = server.ask(
        "POST",
        "/v2/faces",
        &json!({ "train_video_url": "https://m.example.com/a.mp4", "face_name": "In training", "model_name": "phoenix-4.5" }),
    );
    let in_training = paid["face_id"].as_str().unwrap();
    server.alter(&ids[0], &json!({ "default_voice_id": "v0a1b2c3d4e5f" }));
    let environment = newcomer(&server);

    let export = environment.run("export --dir faces").exits(0);
    let export = export
        .prints(&["faces/ana-support.yaml", "faces/bea-the-voice-1-soehne.yaml", "faces/in-training.yaml"])
        .says(&["the project is called `default`", "kind: Project", "Next: `facectl apply` takes these faces over"]);
    assert_eq!(manifests(&environment).len(), 10, "{export}");
    let ana = environment.read("faces/ana-support.yaml");
    for line in [
        "# yaml-language-server: $schema=https://facectl.dev/schemas/face.v1.json",
        &format!("    facectl.dev/face-id: {}", ids[0]),
        "  face_name: Ana (Support)",
        "  model_name: phoenix-4",
        "  default_voice_id: v0a1b2c3d4e5f",
        "  # train_video_url: https://…",
    ] {
        assert!(ana.lines().any(|found| found == line), "{line:?} is not in\n{ana}");
    }
    environment.write("facectl.yaml", crate::environment::project("acme", ""));
    environment.run("validate").exits(0).prints(&["Valid: 10 faces"]);

    environment.run("plan").exits(0).prints(&["0 to create", "10 to adopt", "Nothing here is paid for."]);
    environment.run("apply -y --no-wait").exits(0).prints(&["10 adopted"]);
    assert_eq!(server.trainings(), 1, "the one that was paid for by hand");
    assert_eq!((server.requests("update"), server.requests("create")), (0, 1));
    environment.run("plan").exits(0).prints(&["No changes. 10 faces as declared, 1 still in training"]);
    for (id, name) in ids.iter().zip(NAMES) {
        assert_eq!(server.face(id)["face_name"], name, "what is adopted stays as it is");
    }
    let lock = environment.read("facectl.lock.yaml");
    assert!(lock.contains(&ids[3]) && lock.contains(in_training), "{lock}");

    environment.edit("faces/ana-support.yaml", "face_name: Ana (Support)", "face_name: Ana");
    environment.run("plan").prints(&[r#"face_name: "Ana (Support)" -> "Ana""#, "0 to create, 1 to update"]);
    environment.run("apply -y --no-wait").exits(0).prints(&["1 updated"]);
    assert_eq!(server.face(&ids[0])["face_name"], "Ana");
    assert_eq!(server.trainings(), 1);
    // A fresh checkout needs nothing but what is in git.
    std::fs::remove_dir_all(environment.path(".facectl")).unwrap();
    environment.run("plan").exits(0).prints(&["No changes. 10 faces as declared"]);
    environment.run("export").exits(0).prints_nothing().says(&["Nothing to write"]);
}

#[test]
fn an_applied_manifest_without_a_source_never_trains() {
    let server = Server::slow(&[]);
    let ids = made_elsewhere(&server, &["Ana", "Bea"]);
    let environment = newcomer(&server);
    environment.write("facectl.yaml", crate::environment::project("acme", ""));
    environment.run("export").exits(0);
    environment.run("apply -y").exits(0);
    server.alter(&ids[0], &json!({ "removed": true }));
    environment.run("apply -y --recreate ana").exits(5).prints(&["nothing says what to train it from"]);
    // With a source it can.
    environment.edit("faces/ana.yaml", "spec:\n", "spec:\n  train_video_url: https://m.example.com/a.mp4\n");
    environment.run("apply -y --no-wait --recreate ana").exits(0).prints(&["1 created"]);
    assert_eq!(server.trainings(), 1);
    environment.run("plan").exits(0).prints(&["No changes."]);
}

#[test]
fn what_cannot_be_taken_over_is_left_out_and_left_alone() {
    let server = Server::at_speed(36_000.0, &[]);
    made_elsewhere(&server, &["Ana", "Bea [fc-aaaaaaaa-aaaaaa-1]"]);
    let source = "https://m.example.com/fail-training.mp4";
    let body = json!({ "train_video_url": source, "face_name": "Failed", "model_name": "phoenix-4" });
    let failed = server.ask("POST", "/v2/faces", &body)["face_id"].as_str().unwrap().to_owned();
    while server.face(&failed)["status"] != "error" {
        std::thread::yield_now();
    }
    let environment = newcomer(&server);
    environment.write("facectl.yaml", crate::environment::project("acme", ""));
    let export = environment.run("export").exits(0).prints(&["faces/ana.yaml"]);
    export.says(&[
        &format!(r#"# left out: {failed} "Failed": its training failed"#),
        r#""Bea": its name carries fc-aaaaaaaa-aaaaaa-1, the creation token of another key or project"#,
    ]);
    assert_eq!(manifests(&environment), ["ana.yaml"]);
    environment.run("apply -y").exits(0).prints(&["1 adopted"]);
    assert_eq!(server.requests("update"), 0);
    let left = environment.run("export -o json").exits(0).json();
    assert_eq!((left["faces"].as_array().unwrap().len(), left["left_out"].as_array().unwrap().len()), (0, 2));
}

#[test]
fn nothing_is_overwritten_unless_that_is_asked_for_and_no_key_is_declared_twice() {
    let server = Server::slow(&[]);
    let ids = made_elsewhere(&server, &["Ana", "Ana", "Bea"]);
    let environment = newcomer(&server);
    environment.write("facectl.yaml", crate::environment::project("acme", ""));
    environment.write("faces/bea.yaml", "# mine\n");
    let export = environment.run("export").exits(1).prints_nothing();
    export.says(&["in faces there is bea.yaml already; nothing was written", "--overwrite"]);
    assert_eq!(manifests(&environment), ["bea.yaml"]);
    let export = environment.run("export --overwrite -o json").exits(0);
    assert_eq!(named(&export, &ids[0]), format!("ana-{}", ids[0]), "two of one name get their ids");
    assert!(environment.read("faces/bea.yaml").contains(&ids[2]));
    // Declared and not applied yet: a second export writes nothing anew, wherever it is to go.
    environment.edit("faces/bea.yaml", "  # callback_url", "  # my note\n  # callback_url");
    for line in ["export", "export --dir elsewhere"] {
        environment.run(line).exits(0).prints_nothing().says(&["declared as bea already", "Nothing to write"]);
    }
    assert!(environment.read("faces/bea.yaml").contains("my note"));
    environment.run("apply -y").exits(0).prints(&["3 adopted"]);
    environment.run("export --all").exits(0).prints_nothing();
    environment.run("export --all --overwrite bea").exits(0).prints(&["faces/bea.yaml"]);
    assert!(!environment.read("faces/bea.yaml").contains("my note"));
    environment.run("plan").exits(0).prints(&["No changes. 3 faces as declared."]);
}

#[test]
fn a_recorded_face_keeps_its_key_and_shows_its_source_without_its_signature() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &[]);
    environment.face_from(
        "ana",
        "https://m.example.com/a.mp4?X-Amz-Signature=secret",
        "  lifecycle: { protect: true }\n",
    );
    environment.run("apply -y").exits(0);
    let export = environment.run("export --all --stdout").exits(0).hides(&["secret"]);
    export.prints(&[
        "---",
        "  name: ana",
        "  # train_video_url: https://m.example.com/a.mp4?…",
        "  lifecycle:\n    protect: true",
    ]);
    environment.run("export ana --stdout").exits(0).prints(&["  name: ana"]);
    environment.run("export --stdout").exits(0).prints_nothing();
    environment.run("export nobody").exits(1).says(&["`nobody` is no key, no face id, and fits no name"]);
    environment.run("export An*").exits(1).says(&["recorded already", "--all"]);
}

#[test]
fn faces_are_chosen_by_id_and_by_patterns_and_go_where_they_are_sent() {
    let server = Server::slow(&[]);
    let ids = made_elsewhere(&server, &["Ana 1", "Ana 2", "Bea", "Carla"]);
    let environment = newcomer(&server);
    let line = format!("export --dir a/b ana* {}", ids[3]);
    let export = environment.run(&line).exits(0).says(&["Next: `facectl apply`"]);
    export.prints(&["a/b/ana-1.yaml", "a/b/ana-2.yaml", "a/b/carla.yaml"]);
    environment.write("facectl.yaml", crate::environment::project("acme", ""));
    let export = environment.run("export Bea -o json").exits(0).json();
    assert_eq!((&export["faces"][0]["key"], &export["faces"][0]["file"]), (&json!("bea"), &json!("faces/bea.yaml")));
    std::fs::remove_file(environment.path("faces/bea.yaml")).unwrap();
    let export = environment.run("export Bea --dir out").exits(0).says(&["Next: `facectl apply out`"]);
    assert!(!export.stderr.contains("facectl.yaml"), "{export}");
}

#[test]
fn a_stream_can_be_applied_as_it_is() {
    let server = Server::slow(&[]);
    made_elsewhere(&server, &NAMES);
    let environment = newcomer(&server);
    let export = environment.run("export --stdout --project acme").exits(0);
    let validate = environment.run_reading("validate --project acme -", &export.stdout).exits(0);
    validate.prints(&["Valid: 9 faces in 1 file"]);
    let windows = export.stdout.replace('\n', "\r\n");
    environment.run_reading("apply -y --project acme -", &windows).exits(0).prints(&["9 adopted"]);
    let json = environment.run("export --stdout --all -o json --project acme").exits(0).json();
    assert!(json["faces"][0]["manifest"].as_str().unwrap().contains("facectl.dev/face-id"));
}

#[test]
fn an_export_says_what_is_in_its_way() {
    let server = Server::slow(&[]);
    made_elsewhere(&server, &["Ana"]);
    let environment = newcomer(&server);
    environment.write("faces/broken.yaml", "apiVersion: facectl.dev/v1\nkind: Face\n");
    environment.run("export").exits(1).says(&["missing"]);
    let environment = newcomer(&server);
    environment.write("faces", "a file where a folder should be");
    environment.run("export").exits(1).says(&["cannot write", "--dir chooses another folder"]);
    server.faults(&["list:shrink"]);
    drop(made_elsewhere(&server, &["x"; 150]));
    environment.run("export --dir d").exits(5).says(&["not complete", "nothing was written"]);
    environment.without("TAVUS_API_KEY").run("export").exits(1).says(&["TAVUS_API_KEY is not set"]);
}

#[test]
fn a_rehearsal_exports_from_its_own_world() {
    let environment = Environment::empty();
    std::fs::create_dir(environment.path(".git")).unwrap();
    environment.run("export --sandbox").exits(0).prints_nothing().says(&["Nothing to write"]);
}

#[test]
fn names_that_no_manifest_can_say_are_told_and_changed_by_a_plan_only() {
    let server = Server::slow(&[]);
    let ids = made_elsewhere(&server, &[&"long ".repeat(30), "", "tab\there"]);
    server.alter(&ids[1], &json!({ "face_name": Value::Null }));
    let environment = newcomer(&server);
    let export = environment.run("export --project acme -o json").exits(0);
    let nameless = named(&export, &ids[1]);
    assert_eq!(nameless, format!("face-{}", ids[1]));
    environment.run("apply -y --project acme").exits(0).prints(&["3 adopted"]);
    assert_eq!(server.requests("update"), 0);
    let plan = environment.run("plan --project acme").exits(0);
    assert!(!plan.stdout.contains(&nameless), "{plan}");
    plan.prints(&["~ long-long"]);
}
