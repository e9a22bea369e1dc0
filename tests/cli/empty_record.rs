//! A run that knows nothing of its project waits one settle window before its first paid create.

use std::fs;

use crate::environment::{Environment, Running};
use crate::server::Server;

const SAYS_WHY: &str = "Neither the state nor facectl.lock.yaml knows this project";

/// A project of which nobody says that it has never run anywhere.
fn unknown(server: &Server, window: &str) -> Environment {
    Environment::against(server, &["ana", "bruno"]).without("FACECTL_FRESH").with("FACECTL_SETTLE_WINDOW", window)
}

fn lose_the_disk(environment: &Environment) {
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    let _ = fs::remove_file(environment.path("facectl.lock.yaml"));
}

/// Begins a run that is to wait, and ends it while it does.
fn waits(environment: &Environment, server: &Server, mut run: Running) {
    run.until_it_says("To avoid the wait");
    run.signal("INT");
    run.end().exits(8).says(&[SAYS_WHY, "Waiting 1h", "--fresh (FACECTL_FRESH=1)", "Nothing was sent yet"]);
    assert_eq!(server.requests("create"), 0);
    assert!(!environment.path("facectl.lock.yaml").exists());
}

#[test]
fn a_disk_that_is_lost_while_the_listing_lags_is_not_paid_for_twice() {
    for kept in ["ana", "bruno"] {
        let server = Server::slow(&["list:lag=500ms"]);
        let environment = unknown(&server, "1500ms");
        let killed = environment.command("apply -y --no-wait --fresh --target {}".replace("{}", kept).as_str());
        let mut command = killed;
        command.env("FACECTL_KILL_AT", "create.answered");
        assert_eq!(environment.spawn_command(command, "apply, killed").end().code, None);
        assert_eq!(server.trainings(), 1);
        lose_the_disk(&environment);
        let run = environment.run("apply -y --no-wait").exits(0).says(&[SAYS_WHY, "<= ", "what it says about"]);
        run.prints(&["Plan: 2 to create", "1 created", "1 adopted"]);
        assert_eq!((server.trainings(), server.requests("create")), (2, 2));
        environment.run("plan").exits(0).prints(&["No changes."]);
    }
}

#[test]
fn no_flag_and_no_plan_file_stands_for_a_person() {
    let server = Server::slow(&[]);
    let environment = unknown(&server, "1h");
    environment.run("plan --out saved.plan").exits(0).says(&["lists the faces again", "`apply --fresh` does not wait"]);
    for line in ["apply -y", "apply saved.plan", "apply -y --no-settle", "reconcile --once"] {
        waits(&environment, &server, environment.spawn(line));
    }
    environment.run("plan --fresh").exits(0).says_nothing();
}

#[test]
fn a_person_who_answers_is_not_kept_waiting() {
    let server = Server::slow(&[]);
    let environment = unknown(&server, "1h");
    let Some(mut run) = environment.spawn_on_terminal("apply --no-wait") else { return };
    run.until_it_prints("paid trainings.");
    run.types("yes\n");
    run.end().exits(0);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_record_a_lock_file_or_a_word_spares_the_wait() {
    let server = Server::slow(&[]);
    let environment = unknown(&server, "1h");
    environment.run("apply -y --no-wait --fresh").exits(0).hides(&[SAYS_WHY]).prints(&["2 created"]);
    environment.face("carla", "");
    environment.run("apply -y --no-wait").exits(0).hides(&[SAYS_WHY]).prints(&["1 created"]);
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    environment.face("dora", "");
    environment.run("plan").exits(0).hides(&["lists the faces again"]);
    environment.run("apply -y --no-wait").exits(0).hides(&[SAYS_WHY]).prints(&["1 created"]);
    environment.run("apply -y --sandbox").exits(0).hides(&[SAYS_WHY]);
    assert_eq!(server.trainings(), 4);
}

#[test]
fn what_costs_nothing_is_done_at_once() {
    let server = Server::slow(&[]);
    let environment = unknown(&server, "1h");
    environment.run("apply -y --no-wait --fresh").exits(0);
    lose_the_disk(&environment);
    environment.run("apply -y --no-wait --target ana").exits(0).hides(&[SAYS_WHY]).prints(&["1 adopted"]);
    // What was found a moment ago proves nothing of the face that is to be paid for.
    environment.face("carla", "");
    let mut run = environment.spawn("apply -y --no-wait --target carla");
    run.until_it_says(SAYS_WHY);
    run.signal("INT");
    run.end().exits(8);
    assert_eq!(server.requests("create"), 2);
}

#[test]
fn a_saved_plan_is_stale_where_the_wait_shows_a_face() {
    let server = Server::slow(&["list:lag=500ms"]);
    let environment = unknown(&server, "1500ms");
    environment.run("apply -y --no-wait --fresh --target ana").exits(0);
    lose_the_disk(&environment);
    environment.run("plan --out saved.plan").exits(0).prints(&["2 to create"]);
    environment.run("apply saved.plan").exits(5).says(&[SAYS_WHY, "ana no longer holds", "nothing was changed"]);
    assert_eq!(server.trainings(), 1);
}
