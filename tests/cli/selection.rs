//! `--target`, `--exclude` and `--selector`: a part of the project, and nothing said or done about the rest.

use crate::environment::Environment;
use crate::server::Server;

/// Three faces: `ana` and `bruno` of one team, `carla` of none.
fn teams(server: &Server) -> Environment {
    let environment = Environment::against(server, &["carla"]);
    for (key, labels) in [("ana", "{ team: support, tier: 1 }"), ("bruno", "{ team: support, tier: 2 }")] {
        environment.face(key, "");
        environment.edit(
            &format!("faces/{key}.yaml"),
            &format!("  name: {key}\n"),
            &format!("  name: {key}\n  labels: {labels}\n"),
        );
    }
    environment
}

#[test]
fn apply_creates_and_waits_for_what_is_selected_and_for_nothing_else() {
    let server = Server::fast(&[]);
    let environment = teams(&server);
    let run = environment.run("apply -y --target ana").exits(0);
    let run = run.prints(&[
        "+ ana create",
        "1 to create",
        "only what `--target ana` selects. 2 other faces are left out, and all of them have changes",
        "Done: 1 created",
    ]);
    run.says(&["Waiting for 1 face.", "Partial run: only what `--target ana` selects."]);
    assert_eq!(server.trainings(), 1);
    let run = environment.run("apply -y -l team=support,tier!=1 -o json").exits(0);
    assert_eq!((run.json()["created"].as_array().unwrap().len(), run.json()["left_out"].as_u64()), (1, Some(2)));
    assert_eq!(server.trainings(), 2);
    let run = environment.run("apply -y --exclude carla").exits(0);
    run.prints(&["No changes. 2 faces as declared.", "1 other face is left out, with changes of its own."]);
    environment.run("apply -y").exits(0).prints(&["Done: 1 created"]);
    assert_eq!(server.trainings(), 3);
}

#[test]
fn waiting_and_looking_can_be_for_a_part_too() {
    let server = Server::slow(&[]);
    let environment = teams(&server);
    environment.run("apply -y --no-wait --exclude carla").exits(0);
    environment.run("wait --target carla").exits(0).says(&["Nothing to wait for."]);
    environment.run("wait --target bruno --wait-timeout 0s").exits(9).says(&["Waiting for 1 face."]);
    let run = environment.run("status --target b*").exits(0).says(&["note: 2 more left out by `--target b*`."]);
    assert!(run.stdout.contains("bruno") && !run.stdout.contains("ana"), "{run}");
    assert_eq!(environment.run("status -o json --target b*").json()["left_out"], 2);
    let run = environment.run("diff --target carla").exits(0).says(&["note: 2 more left out"]);
    assert!(run.stdout.contains("declared/carla") && !run.stdout.contains("ana\n"), "{run}");
    environment.run("diff --exclude carla --detailed-exitcode").exits(0).says(&["each selected face is live"]);
    let plan = environment.run("plan -o json --target carla").exits(0).json();
    assert_eq!((&plan["selection"]["target"][0], &plan["left_out"]), (&"carla".into(), &2.into()));
    assert!(environment.run("plan -o json").exits(0).json()["selection"].is_null());
}

#[test]
fn drift_is_shown_for_what_is_selected() {
    let server = Server::fast(&[]);
    let environment = teams(&server);
    environment.run("apply -y").exits(0);
    server.alter(&server.ids()[0], &serde_json::json!({ "face_name": "By hand" }));
    let run = environment.run("drift --target ana --detailed-exitcode").exits(2);
    run.prints(&["≠ ana", "1 of 1 recorded face drifted.", "2 recorded faces not selected"]);
    environment
        .run("drift --exclude ana --detailed-exitcode")
        .exits(0)
        .prints(&["No drift. 2 recorded faces compared."]);
    assert_eq!(environment.run("drift -l team=support -o json").json()["left_out"], 1);
}

#[test]
fn one_orphan_can_be_targeted_and_a_part_of_the_files_says_why_not() {
    let server = Server::fast(&[]);
    let environment = teams(&server);
    environment.run("apply -y").exits(0);
    std::fs::remove_file(environment.path("faces/carla.yaml")).unwrap();
    let run = environment.run("plan --target carla").exits(0);
    run.prints(&["o carla orphaned", "2 other faces are left out, and agree."]);
    let run = environment.run("plan --target carla faces/ana.yaml").exits(1);
    run.says(&["--target carla: there is no such face", "it is recorded", "leave the paths away"]);
}

#[test]
fn a_slip_is_an_error_and_not_an_empty_plan() {
    let server = Server::slow(&[]);
    let environment = teams(&server);
    for (line, says) in [
        (
            "plan --target anna",
            &["--target anna: there is no such face; nothing was changed", "did you mean `ana`?"][..],
        ),
        ("apply -y --exclude carlo", &["--exclude carlo: there is no such face", "did you mean `carla`?"]),
        ("apply -y --target x*", &["--target x*: no face fits", "there are: ana, bruno, carla"]),
        ("wait -l team=sales", &["`-l team=sales` selects no face", "team=support, tier=1, tier=2"]),
        ("status --target ana --exclude a*", &["selects no face"]),
        ("drift -l team=", &["selects no face"]),
        ("diff -l !team,team", &["selects no face"]),
        ("plan -l tier>1", &["cannot be the name of a label", "such as `team=support"]),
        ("plan --target faces/ana.yaml", &["no face can be called that"]),
        ("apply -y --target ana --retry bruno", &["--retry bruno says to train a face that `--target ana` leaves out"]),
    ] {
        environment.run(line).exits(1).says(says);
    }
    assert_eq!(server.trainings(), 0);
    // A pattern may well exclude nothing today.
    environment.run("plan --exclude legacy-*").exits(0).prints(&["selects every face there is"]);
}

#[test]
fn a_pipeline_can_select_by_its_environment() {
    let server = Server::slow(&[]);
    let environment = teams(&server).with("FACECTL_TARGET", "ana,bruno").with("FACECTL_EXCLUDE", "bruno");
    environment.run("plan").exits(0).prints(&["1 to create", "`--target ana --target bruno --exclude bruno`"]);
    let environment = teams(&server).with("FACECTL_SELECTOR", "team=support,tier in (2,3)");
    environment.run("plan").exits(0).prints(&["+ bruno create", "1 to create"]);
}
