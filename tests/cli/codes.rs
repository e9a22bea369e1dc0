//! Each exit code, at least once. A script that trusts them must be right to.

use std::path::Path;

use serde_json::json;

use crate::environment::{Environment, project};
use crate::server::Server;

#[test]
fn success_is_0() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    environment.run("apply -y").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_bad_command_line_is_1_and_never_2() {
    let environment = Environment::project(&["ana"]);
    for line in ["", "plan --bogus", "bogus", "apply --max-trainings many", "plan --sandbox-speed 0", "converse"] {
        let run = environment.run(line).exits(1).prints_nothing();
        assert!(!run.stderr.is_empty(), "{run}");
    }
}

#[test]
fn changes_are_2_and_7_where_that_is_asked_for() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("plan").exits(0).prints(&["+ ana create"]);
    environment.run("plan --detailed-exitcode").exits(2);
    environment.run("plan --expect-no-changes").exits(7);
    environment.run("diff --detailed-exitcode").exits(2);
    let run =
        environment.run("apply -y --expect-no-changes").exits(7).says(&["there are changes", "no face was changed"]);
    assert!(run.stdout.contains("+ ana"), "{run}");
    assert_eq!(server.trainings(), 0);
    environment.run("apply -y").exits(0);
    for line in ["plan", "diff", "drift"] {
        environment.run(&format!("{line} --detailed-exitcode")).exits(0);
    }
    environment.run("plan --expect-no-changes").exits(0);
    server.alter(&server.ids()[0], &json!({ "face_name": "Somebody else's" }));
    environment.run("drift").exits(0);
    environment.run("drift --detailed-exitcode").exits(2);
    environment.run("drift --expect-no-changes").exits(7);
    environment.run("diff --detailed-exitcode").exits(2);
    environment.run("plan --detailed-exitcode").exits(2);
}

#[test]
fn a_refused_key_is_3_and_nothing_begins() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]).with("TAVUS_API_KEY", "wrong-key");
    for line in ["plan", "apply -y", "wait", "status", "drift", "diff", "recover"] {
        let run = environment.run(line);
        if line == "recover" {
            // Nothing is open, so nobody is asked.
            run.exits(0);
            continue;
        }
        run.exits(3)
            .says(&["the API refused the key: Invalid access token", "check TAVUS_API_KEY"])
            .hides(&["wrong-key"]);
    }
    assert_eq!((server.trainings(), server.requests("create")), (0, 0));
}

#[test]
fn a_key_that_is_refused_in_the_middle_is_3_and_stops_the_rest() {
    let server = Server::fast(&["create:401"]);
    let environment = Environment::against(&server, &["ana", "bruno", "carla"]);
    let run = environment.run("apply -y --create-parallelism 1").exits(3);
    run.says(&["refused, nothing was started"]).prints(&["1 refused", "2 not begun"]);
    assert_eq!((server.trainings(), server.requests("create")), (0, 1));
}

#[test]
fn what_was_paid_for_before_the_key_was_refused_or_the_last_look_failed_is_in_the_result() {
    for (fault, code) in [("create@2:401", 3), ("list@3:403", 0)] {
        let server = Server::slow(&[fault]);
        let environment = Environment::against(&server, &["ana", "bruno"]);
        let run = environment.run("apply -y --no-wait --create-parallelism 1 -o json").exits(code);
        let (_, id) = run.stderr.split_once("ana: training started as ").unwrap();
        let face = &run.json()["faces"][0];
        assert_eq!(
            (&face["key"], &face["sync"], &face["health"]),
            (&"ana".into(), &"Unknown".into(), &"Training".into())
        );
        assert!(id.starts_with(face["face_id"].as_str().unwrap()), "{run}");
    }
}

#[test]
fn a_failed_training_is_4_and_the_others_succeed() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.face_from("bruno", "https://media.example.com/fail-training.mp4", "");
    let run = environment.run("apply -y").exits(4);
    let run = run.prints(&["Done, with trouble: 2 created", "1 reached what was waited for", "1 failed"]);
    let run = run.says(&["✓ ana: ready", "x bruno:", "Training failed: the video could not be used (video_format)"]);
    assert!(run.stdout.contains("Failed"), "{run}");
    // It is not bought again on its own, and says how it would be.
    let again = environment.run("apply -y").exits(4).prints(&["! bruno blocked", "facectl apply --retry bruno"]);
    assert!(again.stdout.contains("video_format"), "{again}");
    assert_eq!(server.trainings(), 2);
    let again = again.says(&["Blocked, so nothing was done about: bruno (see `facectl plan`)."]);
    assert!(!again.stdout.contains("Done"), "{again}");
    let retried = environment.run("apply -y --retry bruno").exits(4);
    // What was allowed once is used up: the table must not advise to pay for it again.
    assert!(!retried.stdout.contains("create: facectl apply"), "{retried}");
    assert_eq!(server.trainings(), 3);
}

#[test]
fn a_refused_creation_is_4_and_says_that_nothing_was_started() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.face_from("bruno", "https://media.example.com/plan-402.mp4", "");
    let run = environment.run("apply -y").exits(4);
    run.prints(&["1 created", "1 refused"]).says(&["x bruno: refused, nothing was started", "402", "Payment required"]);
    assert_eq!(server.trainings(), 1);
    // Refused is not in doubt: the next run may send it again.
    environment.run("plan").exits(0).prints(&["+ bruno create"]);
}

#[test]
fn a_limit_is_5_and_names_setting_and_flag() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno", "carla"]);
    environment.write("facectl.yaml", project("acme", "  limits: { max_trainings: 2 }\n"));
    environment.run("plan").exits(5).prints(&["over a limit:", "spec.limits.max_trainings", "--max-trainings"]);
    let run = environment.run("apply -y").exits(5);
    run.says(&[
        "the plan breaks a limit; nothing was changed",
        "3 trainings",
        "spec.limits.max_trainings",
        "--max-trainings 3",
    ]);
    assert_eq!(server.requests("create"), 0);
    environment.run("apply -y --max-trainings 3").exits(0);
    assert_eq!(server.trainings(), 3);
}

#[test]
fn a_live_face_of_the_same_name_is_5_until_it_is_adopted() {
    let server = Server::fast(&[]);
    let id = server.add_faces(1, "twin").remove(0);
    let environment = Environment::against(&server, &[]);
    environment.face("ana", "  face_name: twin-0\n");
    let run = environment.run("apply -y").exits(5);
    run.prints(&["! ana blocked", &id, "a name alone is no identity", "--adopt"]);
    assert_eq!(server.requests("create"), 0);
    environment.run("apply -y --adopt").exits(0).prints(&["<= ana adopt", "1 adopted"]);
    environment.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 0);
}

#[test]
fn a_key_that_nobody_declared_is_not_retried_in_silence() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    for line in ["plan --retry anna", "apply -y --recreate ana,anna"] {
        environment.run(line).exits(1).says(&["anna: there is no such face; nothing was changed", "declared are: ana"]);
    }
    assert_eq!(server.trainings(), 0);
}

#[test]
fn a_held_state_is_6_and_says_who_holds_it() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let mut first = environment.spawn("apply -y");
    first.until_it_says("Waiting for 1 face");
    for line in ["apply -y", "wait", "plan", "drift", "diff", "recover"] {
        let held = environment.run(line).exits(6).prints_nothing();
        held.says(&["is held by `facectl apply -y`", &format!("process {}", first.id()), "--lock-timeout"]);
    }
    // Looking on is always possible.
    environment.run("status").exits(0).prints(&["ana", "Training"]).says(&["is held by `facectl apply -y`"]);
    environment.run("status --refresh=false").exits(0).prints(&["ana"]);
    environment.run("plan --refresh=false").exits(0);
    first.signal("INT");
    first.end().exits(8);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_held_state_is_taken_over_in_time_with_a_lock_timeout() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let mut first = environment.spawn("apply -y");
    first.until_it_says("Waiting for 1 face");
    let mut second = environment.spawn("plan --lock-timeout 50s");
    second.until_it_says("waiting");
    first.signal("INT");
    first.end().exits(8);
    second.end().exits(0).prints(&["No changes."]);
}

#[test]
fn an_interrupt_ends_the_wait_for_a_held_state() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let mut first = environment.spawn("apply -y");
    first.until_it_says("Waiting for 1 face");
    let mut second = environment.spawn("apply -y --lock-timeout 10m");
    second.until_it_says("waiting");
    second.signal("INT");
    second.end().exits(8);
}

#[test]
fn two_rehearsals_in_one_folder_take_turns() {
    let environment = Environment::project(&["ana"]);
    let mut first = environment.spawn("apply --sandbox --sandbox-speed 1 -y");
    first.until_it_says("Waiting for 1 face");
    let run = environment.run("plan --sandbox").exits(6).prints_nothing();
    run.says(&["another sandbox uses this world", "another rehearsal is under way in this folder", "--lock-timeout"]);
    let second = environment.spawn("plan --sandbox --lock-timeout 50s");
    first.signal("INT");
    first.end().exits(8);
    second.end().exits(0).prints(&["No changes."]);
}

#[test]
fn a_time_to_wait_that_is_up_is_9_and_wait_takes_it_up() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("apply -y --wait-timeout 200ms").exits(9);
    run.prints(&["1 created", "1 still in training", "nothing wrong: run `facectl wait`"]);
    environment.run("wait --wait-timeout 200ms").exits(9);
    environment.run("converse ana --test").exits(9).says(&[
        "`ana` (r",
        "is training",
        "nothing was opened",
        "facectl wait",
    ]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_create_in_doubt_is_10_and_recover_finds_its_one_training() {
    let server = Server::slow(&["create:drop-after-effect", "list:lag=10m"]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    let run = environment.run("apply -y --no-wait --no-settle").exits(10);
    let run = run.says(&["ana: in doubt", "A training may have started; it is not sent again until that is known"]);
    run.prints(&["2 in doubt", "facectl recover"]);
    // Looking on says so as well, and nothing is sent for them meanwhile.
    environment.run("plan").exits(0).prints(&["! ana blocked", "facectl recover"]);
    environment.run("status").exits(0).prints(&["Unknown", "create in doubt: facectl recover"]);
    environment.run("apply -y --no-wait --no-settle").exits(10);
    assert_eq!(server.requests("create"), 2);
    server.faults(&[]);
    let run = environment.run("recover").exits(0);
    run.prints(&["ana: found", "bruno: found", "carries its token: its training did start, and is recorded now"]);
    environment.run("recover").exits(0).prints(&["Nothing was open"]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
    environment.run("plan").exits(0).prints(&["No changes.", "2 still in training"]);
}

#[test]
fn every_exit_code_is_explained_by_the_program() {
    let environment = Environment::empty();
    let told = environment.run("exit-codes").exits(0).stdout;
    let help = environment.run("help exit-codes").exits(0).stdout;
    let json = environment.run("exit-codes -o json").exits(0).json();
    for code in 0..=10 {
        let line = told.lines().find(|line| line.split_whitespace().next() == Some(&code.to_string()));
        let line = line.unwrap_or_else(|| panic!("{code} is missing: {told}"));
        assert!(help.contains(line), "{help}");
        assert_eq!(json[code]["code"], code);
    }
}

#[test]
fn every_exit_code_is_in_the_readme() {
    // Written by somebody else, at another time: where it is there, it must be whole.
    let Ok(readme) = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")) else { return };
    for code in 0..=10 {
        // A row of a table or an item of a list, however it is set.
        let is_row = |line: &str| {
            let line = line.trim_start_matches(|letter: char| "|-*` ".contains(letter));
            let after = line.strip_prefix(&code.to_string());
            after.is_some_and(|after| after.starts_with(['`', ' ', '|', ':', '*']))
        };
        assert!(readme.lines().any(is_row), "README.md has no row for exit code {code}");
    }
}
