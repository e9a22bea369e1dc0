//! A face is trained anew while the present one serves: what people see, which PALs follow, and what goes wrong.

use std::fs;

use serde_json::Value;

use crate::environment::Environment;
use crate::server::Server;

const ANEW: &str = "  training_version: \"2\"\n";

/// A face that is ready and that two PALs use; returns its id too.
fn served(server: &Server) -> (Environment, String) {
    let environment = Environment::against(server, &["ana"]);
    environment.run("apply -y").exits(0);
    let old = server.ids().remove(0);
    for _ in 0..2 {
        server.add_pal("desk", &old);
    }
    (environment, old)
}

/// The face that was made last.
fn newest(server: &Server) -> String {
    server.ledger().trainings.last().unwrap().face_id.clone()
}

/// The face that the lock file names, and the one that is to take its place.
fn locked(environment: &Environment) -> (String, Option<String>) {
    let text = environment.read("facectl.lock.yaml");
    let after = |start: &str| text.lines().find_map(|line| line.strip_prefix(start)).map(str::to_owned);
    (after("    face_id: ").unwrap(), after("      face_id: "))
}

#[test]
fn a_new_face_is_trained_first_and_takes_the_place_in_every_pal_once_it_is_ready() {
    let server = Server::fast(&[]);
    let (environment, old) = served(&server);
    environment.face("ana", ANEW);
    let plan = environment.run("plan").exits(0);
    plan.prints(&["-/+ ana replace", "takes the place of", &old, "first in every PAL that uses it", "1 paid training"]);
    environment.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    let new = newest(&server);
    assert_eq!(locked(&environment), (old.clone(), Some(new.clone())), "applications go on with the old one");
    assert_eq!(server.used_by("desk"), [old.clone(), old.clone()]);
    let run = environment.run("wait").exits(0);
    assert_eq!(server.used_by("desk"), [new.clone(), new.clone()], "{run}");
    assert_eq!(locked(&environment), (new.clone(), None), "{run}");
    assert!(server.living().contains(&old), "nothing is deleted");
    environment.run("plan --expect-no-changes").exits(0).prints(&["No changes."]);
    assert_eq!((server.trainings(), server.requests("delete")), (2, 0));
    // Back to what there was: it is still there, and costs nothing.
    environment.face("ana", "");
    let plan = environment.run("plan").exits(0);
    plan.prints(&["-> ana switch", &format!("{new} -> {old}"), "Nothing here is paid for."]);
    environment.run("apply -y").exits(0);
    assert_eq!(server.used_by("desk"), [old.clone(), old]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_pal_with_unpublished_edits_is_left_alone_said_and_taken_up_by_the_next_run() {
    let server = Server::fast(&[]);
    let (environment, old) = served(&server);
    environment.face("ana", ANEW);
    server.faults(&["pals:conflict"]);
    let run = environment.run("apply -y").exits(5);
    run.says(&["unpublished edits, which facectl never discards", "publish or discard them", &old]);
    let new = newest(&server);
    assert_eq!(server.used_by("desk"), [old.clone(), old.clone()]);
    assert_eq!(locked(&environment), (old, Some(new.clone())));
    environment.run("plan").exits(0).prints(&["-> ana switch", "is pointed to it", "Nothing here is paid for."]);
    environment.run("apply -y").exits(5);
    server.faults(&[]);
    environment.run("apply -y").exits(0).prints(&["1 switched to another face"]);
    assert_eq!(server.used_by("desk"), [new.clone(), new.clone()]);
    assert_eq!((locked(&environment), server.trainings()), ((new, None), 2));
}

#[test]
fn a_replacement_that_fails_leaves_the_old_face_serving_and_is_not_bought_again() {
    let server = Server::fast(&[]);
    let (environment, old) = served(&server);
    environment.face_from("ana", "https://media.example.com/fail-training.mp4", "");
    environment.run("apply -y").exits(4).says(&["x ana:", "Training failed: the video could not be used"]);
    for line in ["apply -y", "wait"] {
        environment.run(line).exits(4);
    }
    let plan = environment.run("plan").exits(0);
    plan.prints(&["! ana blocked", "video_format", "--retry ana"]);
    assert_eq!(server.used_by("desk"), [old.clone(), old.clone()]);
    assert_eq!((locked(&environment).0, server.trainings()), (old.clone(), 2));
    environment.run("status").exits(0).prints(&["ana"]);
    // The manifest is set back: all is as it was.
    environment.face("ana", "");
    environment.run("apply -y").exits(0).prints(&["x ana give up replacement"]);
    environment.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!((locked(&environment), server.trainings()), ((old, None), 2));
}

#[test]
fn a_replacement_whose_answer_is_lost_is_found_as_what_it_is_and_not_sent_again() {
    let server = Server::fast(&[]);
    let (environment, old) = served(&server);
    environment.face("ana", ANEW);
    server.faults(&["create:drop-after-effect", "list:lag=1000h"]);
    environment.run("apply -y --no-settle").exits(10).says(&["ana: in doubt"]);
    assert_eq!(locked(&environment), (old.clone(), None));
    server.faults(&[]);
    environment.run("recover").exits(0).prints(&["ana: found"]);
    let new = newest(&server);
    assert_eq!(locked(&environment), (old.clone(), Some(new.clone())), "it waits beside the one that serves");
    assert_eq!(server.used_by("desk"), [old.clone(), old]);
    environment.run("apply -y").exits(0);
    assert_eq!(server.used_by("desk"), [new.clone(), new.clone()]);
    assert_eq!((locked(&environment).0, server.trainings()), (new, 2));
}

#[test]
fn another_machine_with_nothing_but_the_lock_file_goes_on_with_a_replacement() {
    let server = Server::fast(&[]);
    let (here, old) = served(&server);
    here.face("ana", ANEW);
    here.run("apply -y --no-wait").exits(0);
    let there = Environment::against(&server, &["ana"]);
    there.face("ana", ANEW);
    fs::copy(here.path("facectl.lock.yaml"), there.path("facectl.lock.yaml")).unwrap();
    there.run("apply -y").exits(0);
    let new = newest(&server);
    assert_eq!(server.used_by("desk"), [new.clone(), new.clone()]);
    assert_eq!(locked(&there), (new.clone(), None));
    // The first one, which did not pull, finds everything done.
    here.run("apply -y").exits(0);
    assert_eq!((locked(&here), server.trainings()), ((new, None), 2));
    assert!(server.living().contains(&old));
}

#[test]
fn a_machine_with_an_empty_disk_and_no_lock_file_pays_for_no_second_replacement() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait").exits(0);
    environment.face("ana", ANEW);
    environment.run("apply -y --no-wait").exits(0);
    assert_eq!(server.trainings(), 2);
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    fs::remove_file(environment.path("facectl.lock.yaml")).unwrap();
    environment.run("apply -y --no-wait").exits(0);
    environment.run("apply -y --no-wait").exits(0);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn nobody_waits_for_a_new_face_that_is_not_wanted_any_more() {
    let server = Server::fast(&[]);
    let (environment, old) = served(&server);
    environment.face("ana", ANEW);
    environment.run("apply -y --no-wait").exits(0);
    environment.face("ana", "");
    environment.run("wait").exits(0).says(&["Nothing to wait for."]);
    assert_eq!((server.used_by("desk")[0].clone(), locked(&environment).0), (old.clone(), old));
}

#[test]
fn a_new_face_that_a_page_of_the_listing_missed_is_looked_at_alone_before_it_is_bought_again() {
    let server = Server::fast(&[]);
    let (environment, _) = served(&server);
    environment.face("ana", &format!("{ANEW}  lifecycle: {{ on_missing: recreate }}\n"));
    environment.run("apply -y --no-wait").exits(0);
    // Older than what may not show yet, by its own record; and hidden from every listing.
    let begun = environment.read("facectl.lock.yaml");
    let at = begun.lines().find_map(|line| line.strip_prefix("      created_at: ")).unwrap().to_owned();
    environment.edit("facectl.lock.yaml", &format!("      created_at: {at}"), "      created_at: 2026-01-01T00:00:00Z");
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    server.faults(&["list:lag=8000h"]);
    let run = environment.run("apply -y --no-wait");
    assert_eq!(server.trainings(), 2, "{run}");
    server.faults(&[]);
    environment.run("apply -y").exits(0);
    assert_eq!((locked(&environment).0, server.trainings()), (newest(&server), 2));
}

#[test]
fn pals_stay_as_they_are_where_the_manifest_says_so() {
    let server = Server::fast(&[]);
    let (environment, old) = served(&server);
    environment.face("ana", &format!("{ANEW}  lifecycle: {{ repoint_pals: false }}\n"));
    environment.run("plan").exits(0).prints(&["PALs are left as they are"]);
    environment.run("apply -y").exits(0);
    assert_eq!(server.used_by("desk"), [old.clone(), old.clone()]);
    assert_eq!(locked(&environment), (newest(&server), None));
}

#[test]
fn a_face_that_is_protected_meanwhile_is_not_left() {
    let server = Server::fast(&[]);
    let (environment, old) = served(&server);
    environment.face("ana", ANEW);
    environment.run("apply -y --no-wait").exits(0);
    environment.face("ana", &format!("{ANEW}  lifecycle: {{ protect: true }}\n"));
    let mut code = Some(0);
    // It may still be in training when the first of them looks.
    for _ in 0..2 {
        code = environment.run("apply -y").code;
    }
    assert_eq!(code, Some(5));
    environment.run("plan").exits(0).prints(&["! ana blocked", "it is protected"]);
    assert_eq!((server.used_by("desk"), locked(&environment).0), (vec![old.clone(), old.clone()], old));
}

#[test]
fn programs_read_which_face_is_replaced_and_what_became_of_it() {
    let server = Server::fast(&[]);
    let (environment, old) = served(&server);
    environment.face("ana", ANEW);
    let plan = environment.run("plan -o json").exits(0).json();
    assert_eq!((&plan["faces"][0]["action"], &plan["faces"][0]["paid"]), (&Value::from("replace"), &Value::from(true)));
    assert_eq!(plan["summary"]["replace"], 1);
    let outcome = environment.run("apply -y -o json").exits(0).json();
    assert_eq!(outcome["switched"], serde_json::json!(["ana"]), "{outcome}");
    let plan = environment.run("plan -o json").exits(0).json();
    assert_eq!(plan["retired"][0]["id"], old, "{plan}");
}
