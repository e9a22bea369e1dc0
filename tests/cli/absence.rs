//! What proves that a face is gone: a 404, or a complete listing without it. A 400 "Invalid face_id" does not.

use serde_json::json;

use crate::environment::Environment;
use crate::server::Server;

const RECREATE: &str = "  lifecycle: { on_missing: recreate, on_removal: delete }\n";

#[test]
fn another_accounts_key_proves_nothing() {
    let own = Server::fast(&[]);
    let environment = Environment::against(&own, &["ana", "bruno"]);
    environment.face("ana", RECREATE);
    environment.run("apply -y").exits(0);
    let other = Server::fast(&["get:unknown-is-400"]);
    other.add_faces(3, "theirs");
    let elsewhere = environment.with("TAVUS_PUBLIC_API_BASE_URL", &other.url());
    std::fs::remove_file(elsewhere.path("faces/bruno.yaml")).unwrap();
    for line in ["plan", "apply -y", "apply -y --prune", "delete bruno --yes", "reconcile --once"] {
        elsewhere.run(line).exits(5).says(&["does not look like the account"]);
    }
    assert_eq!((other.trainings(), other.requests("create"), other.requests("delete")), (0, 0, 0));
    let back = elsewhere.with("TAVUS_PUBLIC_API_BASE_URL", &own.url());
    back.run("state list").exits(0).prints(&["ana", "bruno"]);
    back.run("plan").exits(0).prints(&["bruno"]);
    assert_eq!(own.trainings(), 2);
}

#[test]
fn a_delete_that_is_answered_invalid_id_leaves_the_record() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    let ana = server.ids()[0].clone();
    server.faults(&["get:unknown-is-400"]);
    server.alter(&ana, &json!({ "removed": true }));
    let run = environment.run("delete ana --yes --although-declared").exits(4);
    run.says(&["Invalid face_id", "no proof that", "It stays in the record", "check the key"]);
    environment.run("state list").exits(0).prints(&["ana", &ana]);
    // The listings are complete, and do not show it.
    std::fs::remove_file(environment.path("faces/ana.yaml")).unwrap();
    environment.run("apply -y").exits(0);
    environment.run("state list").exits(0).hides(&[&ana]).prints(&["bruno"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn an_invalid_id_needs_a_second_complete_listing_before_it_is_trained_anew() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.face("ana", RECREATE);
    environment.run("apply -y").exits(0);
    let ana = server.ids()[0].clone();
    server.alter(&ana, &json!({ "removed": true }));
    server.faults(&["get:unknown-is-400"]);
    let lists = server.requests("list");
    environment.run("plan").exits(0).prints(&["+ ana create"]);
    assert!(server.requests("list") > lists + 1, "it was listed more than once");
    environment.run("apply -y").exits(0).prints(&["1 created"]);
    assert_eq!(server.trainings(), 3);
}
