//! Being asked to stop at any moment: the state is safe, and the next run converges with one training a face.

use crate::environment::Environment;
use crate::schemas::{assert_fits, strict};
use crate::server::Server;

/// Returns whether whoever started the tests had hangups ignored.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[test]
fn an_interrupted_plan_ends_at_once_and_leaves_no_trace() {
    let server = Server::slow(&["list:hang"]);
    let environment = Environment::against(&server, &["ana"]);
    for signal in ["INT", "TERM", "HUP"] {
        // Where the tests themselves were started by `nohup`, it is inherited, and meant.
        if signal == "HUP" && is_hangup_ignored() {
            continue;
        }
        let before = server.requests("list");
        let mut run = environment.spawn("plan");
        run.until("the listing was asked for", || server.requests("list") > before);
        run.signal(signal);
        run.end().exits(8).prints_nothing().says(&["error: interrupted; nothing was changed"]);
    }
    assert!(!environment.path(".facectl").exists());
}

#[test]
fn every_command_that_asks_the_api_can_be_interrupted() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    server.faults(&["list:hang", "get:hang"]);
    for line in ["apply -y", "wait", "diff", "drift", "status", "converse ana --test"] {
        let requests = || server.requests("list") + server.requests("get");
        let before = requests();
        let mut run = environment.spawn(line);
        run.until("something was asked", || requests() > before);
        run.signal("INT");
        run.end().exits(8);
    }
}

#[test]
fn an_interrupted_create_is_awaited_and_what_was_not_begun_stays_so() {
    let server = Server::slow(&["create@1:hang"]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    let mut run = environment.spawn("apply -y --no-wait --create-parallelism 1 --request-timeout 700ms");
    run.until("the create arrived", || server.trainings() == 1);
    run.signal("INT");
    let run = run.end().exits(8);
    let run = run.says(&["Interrupted: nothing new begins, and what is under way is awaited", "? ana: in doubt"]);
    run.prints(&["1 in doubt", "1 not begun", "The state is safe: run the same command again"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
    environment.run("apply -y --no-wait").exits(0).prints(&["1 created", "1 adopted"]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
}

#[test]
fn an_interrupted_create_that_is_answered_meanwhile_is_recorded() {
    let server = Server::slow(&["create@1:slow=1s"]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("apply -y");
    run.until("the create arrived", || server.trainings() == 1);
    run.signal("INT");
    run.end().exits(8).says(&["+ ana: training started as r"]).prints(&["1 created", "Interrupted."]);
    environment.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn the_result_of_an_interrupted_run_names_what_was_paid_for() {
    let server = Server::slow(&["create@1:slow=1s"]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    let line = "apply -y --create-parallelism 1 --report run.json --report markdown=run.md --report junit=run.xml";
    let mut run = environment.spawn(line);
    run.until("the create arrived", || server.trainings() == 1);
    let listings = server.requests("list");
    run.signal("INT");
    let run = run.end().exits(8).says(&["the API was not asked again"]);
    assert_eq!(server.requests("list"), listings);
    let result: serde_json::Value = serde_json::from_str(&environment.read("run.json")).unwrap();
    let faces = result["faces"].as_array().unwrap();
    assert_eq!((faces.len(), &faces[0]["key"], &result["not_begun"][0]), (1, &"ana".into(), &"bruno".into()));
    let id = faces[0]["face_id"].as_str().unwrap();
    assert_fits(&strict("outcome"), &result, "interrupted");
    run.prints(&["ana", id, "Unknown", "Training"]).says(&[&format!("training started as {id}")]);
    assert!(environment.read("run.md").contains(id), "{}", environment.read("run.md"));
    let told = format!("<system-out>{id}: Unknown, Training</system-out>");
    assert!(environment.read("run.xml").contains(&told), "{}", environment.read("run.xml"));
}

#[test]
fn an_interrupted_replacement_names_the_new_face_beside_the_old_one() {
    let server = Server::slow(&["create@2:slow=1s"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait").exits(0);
    environment.face_from("ana", "https://media.example.com/ana/other.mp4", "");
    let mut run = environment.spawn("apply -y -o json");
    run.until("the create arrived", || server.trainings() == 2);
    run.signal("INT");
    let run = run.end().exits(8);
    let result = run.json();
    let (_, id) = run.stderr.split_once("training started as ").unwrap();
    let id = id.split_whitespace().next().unwrap();
    assert_eq!(result["created"][0], "ana");
    assert_ne!(result["faces"][0]["face_id"], id, "{result:#}");
    assert_eq!(result["faces"][0]["note"], format!("its new face is {id}: facectl wait"));
}

#[test]
fn a_second_interrupt_leaves_at_once_and_the_next_run_finds_the_training() {
    let server = Server::slow(&["create@1:hang"]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("apply -y --no-wait");
    run.until("the create arrived", || server.trainings() == 1);
    run.signal("INT");
    run.until_it_says("Interrupt again to leave at once");
    run.signal("INT");
    run.end().exits(8).says(&["Left at once.", "the next run finds out what became of it"]);
    environment.run("apply -y --no-wait").exits(0).prints(&["1 adopted"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn an_interrupted_wait_is_taken_up_by_the_next() {
    let server = Server::at_speed(10_000.0, &[]);
    let environment = Environment::against(&server, &[]);
    // 12 hours: more than four seconds.
    environment.face_from("ana", "https://media.example.com/slow.mp4", "");
    let mut run = environment.spawn("apply -y");
    run.until_it_says("… ");
    run.signal("INT");
    run.end().exits(8).prints(&["1 created", "1 still in training", "Interrupted. The state is safe"]);
    environment.run("wait").exits(0).says(&["✓ ana: ready"]).prints(&["Ready", "1 reached what was waited for"]);
    environment.run("wait").exits(0).says(&["Nothing to wait for."]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn an_interrupt_while_a_doubt_is_being_settled_leaves_the_doubt() {
    let server = Server::slow(&["create@1:drop-before-effect"]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("apply -y --no-wait --settle-window 10m");
    run.until_it_says("looking for ana by token");
    run.signal("INT");
    run.end().exits(8).prints(&["1 in doubt"]);
    environment.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn an_interrupt_ends_the_patience_that_the_api_asked_for() {
    let server = Server::slow(&["create@1:429;retry-after=200"]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("apply -y --no-wait");
    run.until_it_says("sent again in 3m 20s");
    run.signal("TERM");
    run.end().exits(8).prints(&["1 not begun"]);
    environment.run("apply -y --no-wait").exits(0).prints(&["1 created"]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_rehearsal_can_be_interrupted_and_killed_like_the_real_thing() {
    let environment = Environment::project(&["ana"]);
    let mut run = environment.spawn("apply --sandbox --sandbox-speed 1 -y");
    run.until_it_says("Waiting for 1 face");
    run.signal("INT");
    run.end().exits(8);
    environment.face("bruno", "");
    let mut run = environment.spawn("apply --sandbox --sandbox-speed 1 --sandbox-fault create:hang -y");
    let journal = || std::fs::read_to_string(environment.path(".facectl/sandbox/world.json.journal"));
    run.until("the create arrived", || journal().is_ok_and(|text| text.contains("bruno [fc-")));
    run.signal("KILL");
    run.end();
    let run = environment.run("apply --sandbox --sandbox-speed 36000 -y").exits(0);
    run.says(&["= bruno: settled"]).prints(&["0 created, 0 updated, 1 adopted, 2 reached"]);
    let world: serde_json::Value = serde_json::from_str(&environment.read(".facectl/sandbox/world.json")).unwrap();
    assert_eq!(world["world"]["trainings"].as_array().unwrap().len(), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_was_told_to_outlive_its_terminal_does() {
    let server = Server::at_speed(10_000.0, &[]);
    let environment = Environment::against(&server, &[]);
    environment.face_from("ana", "https://media.example.com/slow.mp4", "");
    // As nohup does.
    let mut run = environment.spawn_ignoring("HUP", "apply -y");
    run.until_it_says("Waiting for 1 face");
    run.signal("HUP");
    run.end().exits(0).prints(&["1 reached"]);
}
