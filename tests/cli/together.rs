//! Several runs, on one machine or on several: each face is paid for once.

use std::fs;

use crate::environment::Environment;
use crate::server::Server;

#[test]
fn two_runs_at_once_on_one_state_pay_once() {
    let server = Server::slow(&["create:slow=100ms"]);
    let environment = Environment::against(&server, &["ana", "bruno", "carla"]);
    let runs: Vec<_> = (0..4).map(|_| environment.spawn("apply -y --no-wait")).collect();
    let codes: Vec<_> = runs.into_iter().map(|run| run.end()).map(|run| (run.code, run.to_string())).collect();
    assert!(codes.iter().any(|(code, _)| *code == Some(0)), "{codes:?}");
    assert!(codes.iter().all(|(code, _)| matches!(code, Some(0 | 6))), "{codes:?}");
    assert_eq!((server.trainings(), server.requests("create")), (3, 3));
}

#[test]
fn two_runs_that_wait_for_each_other_both_succeed_and_pay_once() {
    let server = Server::slow(&["create:slow=50ms"]);
    let environment = Environment::against(&server, &["ana", "bruno"]).with("FACECTL_LOCK_TIMEOUT", "50s");
    let runs: Vec<_> = (0..3).map(|_| environment.spawn("apply -y --no-wait")).collect();
    let mut created = 0;
    for run in runs {
        created += usize::from(run.end().exits(0).stdout.contains("Done: 2 created"));
    }
    assert_eq!((created, server.trainings()), (1, 2));
}

#[test]
fn a_second_machine_takes_running_trainings_up_by_their_tokens() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y --no-wait --state-dir one").exits(0).prints(&["2 created"]);
    environment.run("plan --state-dir two").exits(0).prints(&[
        "<= ana adopt",
        "a live face carries the token of this very creation, so nothing is created",
        "Nothing here is paid for.",
    ]);
    environment.run("apply -y --no-wait --state-dir two").exits(0).prints(&["0 created, 0 updated, 2 adopted"]);
    environment.run("plan --state-dir two").exits(0).prints(&["No changes."]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
}

#[test]
fn a_wait_on_an_empty_disk_takes_the_trainings_up_and_finishes() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y --no-wait --create-parallelism 1").exits(0);
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    let run = environment.run("wait").exits(0);
    run.says(&["<= ana: took r", "✓ ana: ready", "✓ bruno: ready"]).prints(&["2 adopted", "2 reached"]);
    environment.run("plan").exits(0).prints(&["No changes. 2 faces as declared."]);
    // Once it is recorded and under way, the token has left the name.
    assert_eq!(server.face(&server.ids()[0])["face_name"], "ana");
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_lost_state_of_finished_faces_buys_nothing_and_can_be_had_back_by_name() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    environment.run("apply -y").exits(5).prints(&["! ana blocked", "a live face bears its name already"]);
    environment.run("wait").exits(5);
    environment.run("apply -y --adopt").exits(0);
    environment.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn with_marked_names_a_lost_state_is_found_again_exactly() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]).with("FACECTL_NAMING", "marker");
    environment.run("apply -y").exits(0);
    assert!(server.face(&server.ids()[0])["face_name"].as_str().unwrap().starts_with("ana [fc-"));
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    environment.run("apply -y").exits(0).prints(&["1 adopted"]);
    environment.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn two_projects_in_one_account_do_not_see_each_others_trainings() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --project one --state-dir one").exits(0);
    let plan = environment.run("plan --project two --state-dir two").exits(0);
    plan.prints(&["+ ana create", "1 live face of the account is not managed here and will not be touched"]);
}
