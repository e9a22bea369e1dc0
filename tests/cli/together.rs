//! Several runs, on one machine or on several: each face is paid for once.

use std::fs;

use crate::environment::Environment;
use crate::server::Server;

/// What another machine does not have, and a pipeline forgets: the state, and a lock file nobody committed.
fn lose_the_disk(environment: &Environment) {
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    let _ = fs::remove_file(environment.path("facectl.lock.yaml"));
}

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
    let environment = Environment::against(&server, &["ana", "bruno"]).with("FACECTL_LOCK_FILE", "false");
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
    lose_the_disk(&environment);
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
    lose_the_disk(&environment);
    environment.run("apply -y").exits(5).prints(&["! ana blocked", "a live face bears its name already"]);
    environment.run("wait").exits(0).says(&["Nothing to wait for."]);
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
    lose_the_disk(&environment);
    environment.run("apply -y").exits(0).prints(&["1 adopted"]);
    environment.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn two_projects_in_one_account_never_take_each_others_faces_and_say_when_names_meet() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).with("FACECTL_LOCK_FILE", "false");
    environment.run("apply -y --no-wait --project one --state-dir one").exits(0);
    // A project that was renamed looks just like this, and must not buy everything again.
    let plan = environment.run("plan --project two --state-dir two").exits(0);
    plan.prints(&[
        "! ana blocked",
        "bears its name already",
        "--create-new ana",
        "1 live face of the account is not managed here",
    ]);
    environment
        .run("apply -y --no-wait --project two --state-dir two --create-new ana")
        .exits(0)
        .prints(&["1 created"]);
    environment.run("plan --project two --state-dir two").exits(0).prints(&["No changes."]);
    environment.run("plan --project one --state-dir one").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_fresh_checkout_with_the_lock_file_plans_nothing_and_knows_every_id() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    let lock = environment.read("facectl.lock.yaml");
    assert!(server.ids().iter().all(|id| lock.contains(id.as_str())), "{lock}");
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    let plan = environment.run("plan").exits(0).prints(&["No changes. 2 faces as declared."]);
    plan.says(&["2 faces were taken from facectl.lock.yaml"]);
    assert!(!environment.path(".facectl").exists(), "looking on leaves no trace");
    environment.run("apply -y").exits(0).prints(&["No changes."]);
    assert_eq!(environment.read("facectl.lock.yaml"), lock, "taking it over changes nothing in it");
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
}

#[test]
fn a_lock_file_that_came_by_git_is_taken_over_and_one_of_another_line_stops_the_run() {
    let server = Server::fast(&[]);
    let here = Environment::against(&server, &["ana"]);
    here.run("apply -y").exits(0);
    let old = here.read("facectl.lock.yaml");
    here.face("bruno", "");
    here.run("apply -y").exits(0);
    // Somebody who pulled: the older state, the newer lock file.
    let there = Environment::against(&server, &["ana"]);
    there.write("facectl.lock.yaml", &old);
    there.run("apply -y").exits(0).prints(&["No changes. 1 face as declared."]);
    there.face("bruno", "");
    there.write("facectl.lock.yaml", here.read("facectl.lock.yaml"));
    let run = there.run("apply -y").exits(0).prints(&["No changes. 2 faces as declared."]);
    run.says(&["facectl.lock.yaml has news from another machine", "takes over bruno"]);
    assert_eq!(server.trainings(), 2);
    // A state that began by itself and a lock file from elsewhere: nobody can tell which is right.
    let stranger = Environment::against(&server, &["ana", "bruno"]).with("FACECTL_LOCK_FILE", "false");
    stranger.run("apply -y --adopt").exits(0).prints(&["2 adopted"]);
    stranger.write("facectl.lock.yaml", here.read("facectl.lock.yaml"));
    let stranger = stranger.without("FACECTL_LOCK_FILE");
    stranger.run("apply -y").exits(5).says(&["not written by the same line of runs", "move the state folder away"]);
    stranger.run("plan").exits(5);
}

/// What git makes of two lock files that grew from one: the blocks of both.
fn merged(one: &str, other: &str) -> String {
    let read = |text: &str| -> serde_yaml::Value { serde_yaml::from_str(text).unwrap() };
    let (mut one, other) = (read(one), read(other));
    for (key, face) in other["faces"].as_mapping().unwrap() {
        one["faces"].as_mapping_mut().unwrap().entry(key.clone()).or_insert(face.clone());
    }
    serde_yaml::to_string(&one).unwrap()
}

#[test]
fn lock_files_that_were_merged_lose_no_face_and_buy_none_again_even_one_that_was_renamed() {
    let server = Server::fast(&[]);
    let here = Environment::against(&server, &["ana"]);
    here.run("apply -y").exits(0);
    // Another checkout, with the same lock file, goes on by itself and gets further.
    let there = Environment::against(&server, &["ana", "bea", "cid"]);
    there.write("facectl.lock.yaml", here.read("facectl.lock.yaml"));
    there.run("apply -y").exits(0).prints(&["2 created"]);
    // Meanwhile a face is created here, and renamed later.
    here.face("dora", "");
    here.run("apply -y").exits(0).prints(&["1 created"]);
    here.face("dora", "  face_name: Dora the Second\n");
    there.face("dora", "  face_name: Dora the Second\n");
    here.face("bea", "");
    here.face("cid", "");
    let both = merged(&here.read("facectl.lock.yaml"), &there.read("facectl.lock.yaml"));
    for environment in [&here, &there] {
        environment.write("facectl.lock.yaml", &both);
        let plan = environment.run("plan").exits(0).prints(&["Plan: 0 to create"]);
        plan.says(&["facectl.lock.yaml has news from another machine", "the state takes over"]);
    }
    there.run("apply -y").exits(0).prints(&["0 created, 1 updated"]);
    there.run("plan").exits(0).prints(&["No changes. 4 faces as declared."]);
    let lock = there.read("facectl.lock.yaml");
    assert!(server.ids().iter().all(|id| lock.contains(id.as_str())), "every id is still there: {lock}");
    assert_eq!((server.trainings(), server.requests("create")), (4, 4));
}
