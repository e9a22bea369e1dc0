//! What README, help and examples say about exit codes beyond the table of codes, sentence by sentence.

use serde_json::json;

use crate::environment::Environment;
use crate::server::Server;

#[test]
fn a_plan_with_a_face_that_was_rolled_back_is_0_and_its_apply_5() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    environment.face("ana", "  training_version: \"2\"\n");
    environment.run("apply -y").exits(0);
    environment.run("rollback ana -y").exits(0);
    for (line, code) in [("plan", 0), ("plan --detailed-exitcode", 2), ("plan --expect-no-changes", 7)] {
        environment.run(line).exits(code).prints(&["! ana blocked", "--roll-forward ana"]);
    }
    environment.run("apply -y").exits(5).prints(&["! ana blocked"]);
    assert_eq!(server.trainings(), 2);
    environment.run("apply -y --roll-forward ana").exits(0);
    environment.run("apply -y").exits(0).prints(&["No changes."]);
}

#[test]
fn two_faces_with_one_token_end_apply_with_5_until_one_is_deleted() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait").exits(0);
    let first = server.ids().remove(0);
    let twin = server.add_faces(1, "twin").remove(0);
    server.alter(&twin, &json!({ "face_name": server.face(&first)["face_name"] }));
    environment.run("plan").exits(0).prints(&[&first, &twin]);
    environment.run("apply -y --no-wait").exits(5);
    assert_eq!((server.trainings(), server.requests("delete")), (1, 0));
    server.alter(&twin, &json!({ "removed": true }));
    environment.run("apply -y --no-wait").exits(0);
}

#[test]
fn a_push_of_blocked_faces_alone_is_told_from_one_of_changes() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    server.add_faces(1, "ana");
    environment.face("ana", "  face_name: ana-0\n");
    environment.write("output", "");
    let environment = environment.with("GITHUB_OUTPUT", "output");
    environment.run("plan -o github").exits(0);
    let outputs = environment.read("output");
    let lines: Vec<&str> = outputs.lines().collect();
    let value =
        |name: &str| lines.iter().position(|line| line.starts_with(&format!("{name}<<"))).map(|at| lines[at + 1]);
    assert_eq!((value("has-changes"), value("blocked")), (Some("false"), Some("1")), "{outputs}");
}

#[test]
fn a_saved_plan_that_something_moved_from_is_5_and_so_is_one_that_was_used() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("plan --out plan.json").exits(0);
    environment.face("bruno", "");
    environment.run("apply plan.json").exits(5);
    assert_eq!(server.trainings(), 0);
    std::fs::remove_file(environment.path("faces/bruno.yaml")).unwrap();
    environment.run("apply plan.json").exits(0);
    environment.run("apply plan.json").exits(5);
    assert_eq!(server.trainings(), 1);
}
