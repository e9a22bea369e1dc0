//! Names that look the same, from the manifest to the account and back.

use crate::environment::{Environment, project};
use crate::server::Server;

/// A project with one face of this name.
fn named(server: &Server, name: &str) -> Environment {
    let environment = Environment::empty().talking_to(server);
    environment.write("facectl.yaml", project("acme", ""));
    environment.face("zoe", &format!("  face_name: \"{name}\"\n"));
    environment
}

const COMPOSED: &str = r"Zo\u00eb";
const DECOMPOSED: &str = r"Zoe\u0308";

#[test]
fn a_name_that_looks_the_same_is_not_paid_for_twice() {
    let server = Server::fast(&[]);
    named(&server, COMPOSED).run("apply -y").exits(0).prints(&["1 created"]);
    for name in [DECOMPOSED, r"\u200bZo\u00eb", r"ZO\u00cb", r"\uff3ao\u00eb", r"Zo\u00ad\u00eb"] {
        let environment = named(&server, name);
        environment.run("apply -y").exits(5).prints(&["! zoe blocked", "one that reads the same"]);
    }
    assert_eq!(server.trainings(), 1);
    let adopting = named(&server, DECOMPOSED);
    adopting.run("apply -y --adopt").exits(0).prints(&["1 adopted"]);
    adopting.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn an_api_that_stores_names_in_a_normal_form_sees_each_change_once() {
    for (form, name) in [("nfc", DECOMPOSED), ("nfd", COMPOSED)] {
        let server = Server::fast(&[&format!("any:names={form}")]);
        let environment = named(&server, name);
        environment.run("apply -y").exits(0).prints(&["1 created"]);
        let stored = server.face(&server.ids()[0])["face_name"].as_str().unwrap().to_owned();
        assert!(["Zo\u{eb}", "Zoe\u{308}"].contains(&stored.as_str()), "the token left the name: {stored:?}");
        let updates = server.requests("update");
        for command in ["apply -y", "drift --expect-no-changes", "plan --expect-no-changes"] {
            environment.run(command).exits(0);
        }
        assert!(environment.run("diff").exits(0).stdout.is_empty());
        environment.edit("faces/zoe.yaml", name, "Other");
        environment.run("apply -y").exits(0).prints(&["1 updated"]);
        environment.edit("faces/zoe.yaml", "Other", name);
        environment.run("apply -y").exits(0).prints(&["1 updated"]);
        assert_eq!((server.trainings(), server.requests("update")), (1, updates + 2), "{form}");
    }
}

#[test]
fn a_difference_that_no_eye_sees_is_escaped_in_every_form() {
    let server = Server::fast(&[]);
    let environment = named(&server, COMPOSED);
    environment.run("apply -y").exits(0);
    server.alter(&server.ids()[0], &serde_json::json!({ "face_name": "\u{200b}Zoe\u{308}" }));
    let (live, wanted) = (r#""\u{200b}Zoe\u{308}""#, r#""Zo\u{eb}""#);
    environment.run("plan").exits(0).prints(&[&format!("face_name: {live} -> {wanted}")]);
    environment.run("plan -o markdown").exits(0).prints(&[live, wanted]);
    environment.run("drift").exits(0).prints(&[&format!("{wanted} was applied, {live} is live")]);
    environment.run("diff").exits(0).prints(&[r"Zo\u{eb}", r"\u{200b}Zoe\u{308}"]);
    environment.run("apply -y").exits(0).says(&[&format!("face_name {live} -> {wanted}")]);
}
