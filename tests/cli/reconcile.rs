//! The loop: it does what `apply` does, again and again, and nothing that a person did not ask for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value, json};

use crate::environment::{Environment, Run, Running, face, project};
use crate::server::Server;

/// Keeps a project in a repository beside it, where commits can be made.
struct Repository<'a>(&'a Environment);

impl Repository<'_> {
    fn git(&self, words: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]).args(words);
        command.env("HOME", self.0.path("")).env("GIT_CONFIG_NOSYSTEM", "1").current_dir(self.0.path("origin"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, subject: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", subject]);
    }
}

/// An environment with a repository that declares these faces.
pub(crate) fn with_repository(server: &Server, faces: &[&str]) -> Environment {
    let path = std::env::var("PATH").unwrap();
    let environment = Environment::empty().talking_to(server).with("PATH", &path);
    environment.write("origin/facectl.yaml", project("acme", ""));
    for key in faces {
        let link = format!("https://media.example.com/{key}/training.mp4");
        environment.write(&format!("origin/faces/{key}.yaml"), face(key, &link, ""));
    }
    let repository = Repository(&environment);
    repository.git(&["init", "-q", "-b", "main", "."]);
    repository.commit("first");
    environment
}

/// Waits until the loop has done everything there is to do for now: it looks at its source again.
fn settle(run: &mut Running, server: &Server) {
    let before = server.requests("list");
    run.until("two more passes", || server.requests("list") > before + 2);
}

fn stop(run: Running) -> Run {
    run.signal("TERM");
    run.end().exits(0).says(&["stopped in order"])
}

#[test]
fn one_pass_does_what_apply_does_and_the_next_one_nothing() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "ben"]);
    environment.run("reconcile --once").exits(0).says(&["planned", "paid_trainings=2", "+ ana: training started"]);
    environment.run("reconcile --once").exits(0).hides(&["planned", "ERROR", "WARN"]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
    environment.run("plan --expect-no-changes").exits(0);
    assert!(environment.path("facectl.lock.yaml").exists());
}

#[test]
fn a_pass_ends_with_the_code_that_apply_would_end_with() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "ben"]);
    environment
        .run("reconcile --once --max-trainings 1")
        .exits(5)
        .says(&["none of these is carried out", "spec.limits.max_trainings allows 1"]);
    environment.write("faces/broken.yaml", "apiVersion: facectl.dev/v1\nkind: [");
    environment.run("reconcile --once").exits(1).says(&["faces/broken.yaml:3:1", "the manifests are broken"]);
    std::fs::remove_file(environment.path("faces/broken.yaml")).unwrap();
    server.faults(&["create@1:400"]);
    environment.run("reconcile --once --create-parallelism 1").exits(4).says(&["refused, nothing was started"]);
    server.faults(&["list:401"]);
    environment.run("reconcile --once").exits(3);
    environment.run("reconcile --once --target nobody").exits(1).says(&["--target nobody: there is no such face"]);
    environment.run("reconcile --once -f -").exits(1).says(&["standard input can be read once only"]);
    environment.without("TAVUS_API_KEY").run("reconcile").exits(1).says(&["no API key: TAVUS_API_KEY is not set"]);
    assert_eq!(server.trainings(), 1, "the one that was not refused");
}

#[test]
fn a_state_that_somebody_holds_is_left_to_them() {
    let server = Server::slow(&["create:hang"]);
    let environment = Environment::against(&server, &["ana"]);
    let mut holder = environment.spawn("apply -y --no-wait");
    holder.until("its create arrived", || server.requests("create") == 1);
    environment.run("reconcile --once").exits(6).says(&["this pass is left out: the state is held", "facectl apply"]);
    assert_eq!(server.requests("create"), 1);
}

#[test]
fn a_dry_pass_plans_and_changes_nothing_at_all() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("reconcile --once --dry-run").exits(0).says(&["planned", "create=1"]);
    assert_eq!(server.requests("create"), 0);
}

#[test]
fn limits_count_over_a_day_where_nothing_says_over_how_long() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("reconcile --once --max-trainings 2").exits(0);
    environment.face("ben", "");
    environment.run("reconcile --once --max-trainings 2").exits(0);
    environment.face("eva", "");
    let run = environment.run("reconcile --once --max-trainings 2").exits(5);
    run.says(&["1 training would be started after 2 within 1d"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn names_and_voices_that_somebody_changed_are_healed_unless_told_otherwise_and_faces_never_bought_again() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "ben"]);
    environment.face("ben", "  lifecycle: { on_missing: recreate }\n");
    environment.run("apply -y").exits(0);
    let ids = server.ids();
    server.alter(&ids[0], &json!({ "face_name": "Somebody else" }));
    server.alter(&ids[1], &json!({ "removed": true }));
    let run = environment.run("reconcile --once --heal none").exits(5).hides(&["planned"]);
    run.says(&["somebody else changed it, and that is not healed here", "it is missing, and training it again takes"]);
    assert_eq!(server.face(&ids[0])["face_name"], "Somebody else");
    environment.run("reconcile --once").exits(5).says(&["~ ana: face_name \"Somebody else\" -> \"ana\""]);
    assert_eq!((server.face(&ids[0])["face_name"].as_str(), server.trainings()), (Some("ana"), 2));
    environment.run("plan").exits(0).prints(&["1 to create"]);
}

#[test]
fn a_folder_counts_once_it_stays_as_it_is() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("reconcile --interval 20ms -vv");
    run.until_it_says("+ ana: training started");
    environment.face("ben", "");
    run.until_it_says("the folder is being written, as it seems");
    // The next look comes in seconds, and not at every interval.
    run.until_it_says("+ ben: training started");
    stop(run).says(&["faces=2"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_file_that_is_being_copied_is_not_paid_for_before_it_stays_as_it_is() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ben"]);
    environment.face_from("ana", "./ana.mp4", "");
    let mut run = environment.spawn("reconcile --interval 20ms -vv");
    run.until_it_says("+ ben: training started");
    run.until_it_says("ana.mp4 is not here or cannot be read");
    environment.write("faces/ana.mp4", "half");
    run.until_it_says("the folder is being written, as it seems");
    environment.write("faces/ana.mp4", "half and the other half");
    run.until_it_says("+ ana: training started");
    stop(run);
    assert_eq!(server.trainings(), 2);
    environment.run("plan").exits(0).prints(&["No changes"]);
    // What is in force is what was paid for: it is no other material than the whole file.
    environment.write("faces/ana.mp4", "half");
    environment.run("plan").exits(0).prints(&["1 to replace"]);
}

#[test]
fn it_follows_a_branch_and_two_commits_while_a_face_trains_wait_for_nothing() {
    let server = Server::slow(&[]);
    let environment = with_repository(&server, &["ana"]);
    let mut run = environment.spawn("reconcile --git origin --interval 20ms");
    run.until_it_says("+ ana: training started");
    environment.edit("origin/faces/ana.yaml", "spec:\n", "spec:\n  face_name: Ana\n");
    Repository(&environment).commit("second");
    environment.write("origin/faces/ben.yaml", face("ben", "https://media.example.com/ben/training.mp4", ""));
    Repository(&environment).commit("third");
    run.until_it_says("+ ben: training started");
    run.until("ana is renamed", || {
        server.face(&server.ids()[0])["face_name"].as_str().is_some_and(|name| name.starts_with("Ana"))
    });
    settle(&mut run, &server);
    stop(run).says(&["subject=\"third\"", "the manifests are in force"]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
    let history = environment.run("state history --project acme -o json");
    let commit = history.json()["entries"][0]["commit"].as_str().map(str::len);
    assert_eq!(commit, Some(40), "the history names the commit: {history}");
}

#[test]
fn a_commit_that_breaks_the_manifests_is_told_once_and_the_last_good_ones_stay_in_force() {
    let server = Server::slow(&[]);
    let environment = with_repository(&server, &["ana"]);
    let mut run = environment.spawn("reconcile --git origin --interval 20ms");
    run.until_it_says("+ ana: training started");
    environment.write("origin/faces/ana.yaml", "apiVersion: facectl.dev/v1\nkind: [");
    Repository(&environment).commit("broken");
    run.until_it_says("the last good ones stay in force");
    settle(&mut run, &server);
    let id = server.ids().remove(0);
    server.alter(&id, &json!({ "face_name": "Somebody else" }));
    run.until("drift is healed meanwhile", || server.face(&id)["face_name"] != "Somebody else");
    let stopped = stop(run).says(&["faces/ana.yaml:3:1"]);
    assert_eq!(stopped.stderr.matches("the manifests are broken").count(), 1, "{stopped}");
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_remote_that_is_out_of_reach_stops_nothing_and_is_told_of_when_it_answers_again() {
    let server = Server::slow(&[]);
    let environment = with_repository(&server, &["ana"]);
    let mut run = environment.spawn("reconcile --git origin --interval 20ms");
    run.until_it_says("+ ana: training started");
    std::fs::rename(environment.path("origin"), environment.path("elsewhere")).unwrap();
    run.until_it_says("the last good manifests stay in force");
    settle(&mut run, &server);
    std::fs::rename(environment.path("elsewhere"), environment.path("origin")).unwrap();
    run.until_it_says("the source answers again");
    stop(run);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn an_api_that_answers_500_is_asked_again_and_nothing_is_paid_for_twice() {
    let server = Server::slow(&["create@1-3:500", "list@4-12:500"]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("reconcile --interval 20ms");
    run.until_it_says("? ana: in doubt");
    // The rest after a failure is a minute and more: a person who has mended it says so.
    run.until("nothing was started", || server.requests("list") > 14);
    run.until_it_says("so nothing was started");
    while server.trainings() == 0 {
        run.signal("HUP");
        settle(&mut run, &server);
    }
    run.until_it_says("+ ana: training started");
    settle(&mut run, &server);
    stop(run);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn one_that_is_killed_in_a_create_finds_its_training_and_pays_once() {
    let server = Server::slow(&[]);
    let environment = with_repository(&server, &["ana"]).with("FACECTL_KILL_AT", "create.answered");
    let killed = environment.run("reconcile --git origin --once");
    assert_eq!((killed.code, server.trainings()), (None, 1), "{killed}");
    let environment = environment.without("FACECTL_KILL_AT");
    environment.run("reconcile --git origin --once").exits(0).says(&["ana: settled: ", "its training did start"]);
    environment.run("reconcile --git origin --once").exits(0).hides(&["planned"]);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
}

#[test]
fn a_face_that_comes_by_git_with_its_lock_file_is_not_bought_again() {
    let server = Server::fast(&[]);
    let environment = with_repository(&server, &["ana"]);
    environment.run("reconcile --git origin --once").exits(0);
    // The loop's own faces are recorded on; somebody applies another one by hand, where the lock file is committed.
    environment.write("laptop/facectl.yaml", project("acme", ""));
    for key in ["ana", "ben"] {
        let text = face(key, &format!("https://media.example.com/{key}/training.mp4"), "");
        environment.write(&format!("laptop/faces/{key}.yaml"), &text);
        environment.write(&format!("origin/faces/{key}.yaml"), &text);
    }
    let lock = environment.read(".facectl/facectl.lock.yaml");
    environment.write("laptop/facectl.lock.yaml", &lock);
    environment.run("apply -y --project-file laptop/facectl.yaml").exits(0).prints(&["1 created"]);
    let lock = environment.read("laptop/facectl.lock.yaml");
    environment.write("origin/facectl.lock.yaml", &lock);
    Repository(&environment).commit("ben, applied by hand");
    let run = environment.run("reconcile --git origin --once").exits(0);
    run.says(&["the state takes over ben"]).hides(&["training started"]);
    assert_eq!(server.trainings(), 2);
    // It knows now, whatever the lock file says later.
    environment.run("reconcile --git origin --once").exits(0).hides(&["planned", "takes over"]);
    // Somebody throws the state away, but not what lies beside it.
    for path in environment.files(".facectl").into_keys() {
        let is_kept =
            path.ends_with("lock-file.followed.yaml") || path.starts_with(environment.path(".facectl/source"));
        if !is_kept {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::remove_dir_all(environment.path(".facectl/db")).unwrap();
    environment.run("reconcile --git origin --once").exits(0).hides(&["planned", "training started"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_repository_can_neither_send_the_key_elsewhere_nor_become_another_project() {
    let server = Server::slow(&[]);
    let environment = with_repository(&server, &["ana"]);
    environment.write("origin/facectl.yaml", project("acme", "  api_url: http://127.0.0.1:1/v2\n"));
    Repository(&environment).commit("elsewhere");
    let run = environment.run("reconcile --git origin --once").exits(0);
    run.says(&["+ ana"]);
    let unsaid = environment.without("TAVUS_PUBLIC_API_BASE_URL");
    let run = unsaid.run("reconcile --git origin --once").exits(5);
    run.says(&["facectl.yaml sends the API key to http://127.0.0.1:1/v2 (spec.api_url), and nobody said so"]);
    let environment = unsaid.talking_to(&server);
    let mut run = environment.spawn("reconcile --git origin --interval 20ms");
    run.until_it_says("the manifests are in force");
    environment.write("origin/facectl.yaml", project("other", ""));
    Repository(&environment).commit("renamed");
    run.until_it_says("the project is called other now, and acme until here");
    settle(&mut run, &server);
    stop(run);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn what_cannot_be_followed_is_refused_before_anything_is_asked() {
    let server = Server::slow(&[]);
    let environment = with_repository(&server, &["ana"]);
    environment.run("reconcile --git origin --once ../elsewhere").exits(1).says(&["leads out of the repository"]);
    environment.run("reconcile --git ext::sh --once").exits(1).says(&["cannot follow the repository"]);
    environment.run("reconcile --git origin --branch nobody --once").exits(1).says(&["there is no branch `nobody`"]);
    environment.run("reconcile --path faces --once").exits(1);
    std::fs::remove_file(environment.path("origin/facectl.yaml")).unwrap();
    Repository(&environment).commit("no project");
    environment.write("facectl.yaml", project("outside", ""));
    let run = environment.run("reconcile --git origin --once").exits(1);
    run.says(&["has no facectl.yaml"]);
    assert_eq!(server.requests("list"), 0);
}

/// Asks the loop something over HTTP; returns the answer's head and body.
fn ask(address: &str, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{request} HTTP/1.1\r\nhost: loop\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns where a loop listens, from what it says.
fn address(said: &str) -> String {
    let (_, after) = said.split_once("address=").unwrap();
    after.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn probes_and_metrics_say_how_the_loop_is_and_a_callback_hurries_a_look_that_confirms_it() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).without("FACECTL_POLL_INTERVAL");
    let secret = "0123456789abcdef0123456789abcdef";
    environment.write("secret", secret);
    let mut run = environment.spawn("reconcile --interval 10h --listen 127.0.0.1:0 --callback-secret-file secret");
    let address = address(&run.until_it_says("takes_callbacks=true"));
    run.until("it is ready", || ask(&address, "GET /readyz", "").starts_with("HTTP/1.1 200"));
    run.until("the pass is counted", || {
        ask(&address, "GET /metrics", "").contains("facectl_passes_total{result=\"training\"} 1")
    });
    assert!(ask(&address, "GET /metrics", "").contains("facectl_trainings_started_total 1"));
    assert!(ask(&address, "GET /healthz", "").starts_with("HTTP/1.1 200"));
    let id = server.ids().remove(0);
    let body = json!({ "replica_id": id, "status": "ready" }).to_string();
    let wrong = ask(&address, "POST /callbacks/0123456789abcdef0123456789abcdee", &body);
    assert!(wrong.starts_with("HTTP/1.1 404"), "{wrong}");
    // A claim that is not so leads to one look at that face, and to nothing else.
    let (lists, gets) = (server.requests("list"), server.requests("get"));
    let address_of = format!("POST /callbacks/{secret}");
    assert!(ask(&address, &address_of, &body).starts_with("HTTP/1.1 2"));
    run.until("the face is looked at", || server.requests("get") > gets);
    server.ask("POST", "/_sandbox/clock", &json!({ "advance": "10h" }));
    let unknown = json!({ "replica_id": "r00000000000", "status": "ready" }).to_string();
    assert!(ask(&address, &address_of, &unknown).starts_with("HTTP/1.1 2"));
    assert_eq!(server.requests("list"), lists);
    assert!(ask(&address, &address_of, &body).starts_with("HTTP/1.1 2"));
    run.until_it_says("✓ ana: ready");
    stop(run).hides(&[secret]);
}

#[test]
fn events_of_a_loop_are_a_run_for_each_pass() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("reconcile --once --events events.jsonl").exits(0);
    let lines: Vec<Value> =
        environment.read("events.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types.first(), Some(&"version"));
    for told in ["run_began", "face_planned", "face_created", "run_ended"] {
        assert!(types.contains(&told), "{types:?}");
    }
    let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_file_that_was_emptied_is_no_reason_to_delete_its_face() {
    let server = Server::fast(&[]);
    let environment = with_repository(&server, &["ana", "ben"]);
    for key in ["ana", "ben"] {
        environment.edit(
            &format!("origin/faces/{key}.yaml"),
            "spec:\n",
            "spec:\n  lifecycle: { on_removal: delete }\n",
        );
    }
    Repository(&environment).commit("may go");
    environment.run("reconcile --git origin --once").exits(0);
    server.ask("POST", "/_sandbox/clock", &json!({ "advance": "10h" }));
    environment.write("origin/faces/ben.yaml", "");
    Repository(&environment).commit("emptied");
    let run = environment.run("reconcile --git origin --once --prune").exits(1);
    run.says(&["faces/ben.yaml: this file declared `ben` before, and is not a manifest any more"]);
    assert_eq!(server.living().len(), 2);
    std::fs::remove_file(environment.path("origin/faces/ben.yaml")).unwrap();
    Repository(&environment).commit("removed");
    environment.run("reconcile --git origin --once --prune").exits(0).says(&["ben: ", "deleted"]);
    assert_eq!(server.living().len(), 1);
}

#[test]
fn a_commit_without_a_project_is_told_and_shown_until_it_is_mended() {
    let server = Server::slow(&[]);
    let environment = with_repository(&server, &["ana"]);
    let mut run = environment.spawn("reconcile --git origin --interval 20ms --listen 127.0.0.1:0");
    let address = address(&run.until_it_says("takes_callbacks=false"));
    run.until_it_says("+ ana: training started");
    std::fs::rename(environment.path("origin/facectl.yaml"), environment.path("origin/kept")).unwrap();
    Repository(&environment).commit("no project");
    run.until_it_says("has no facectl.yaml");
    settle(&mut run, &server);
    assert!(ask(&address, "GET /metrics", "").contains("facectl_desired_rejected 1"));
    std::fs::rename(environment.path("origin/kept"), environment.path("origin/facectl.yaml")).unwrap();
    Repository(&environment).commit("mended");
    run.until("it is sound again", || ask(&address, "GET /metrics", "").contains("facectl_desired_rejected 0"));
    stop(run);
}

#[test]
fn the_place_of_the_state_cannot_be_changed_in_flight() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("reconcile --interval 20ms");
    run.until_it_says("+ ana: training started");
    environment.write("facectl.yaml", project("acme", "  state_dir: other\n"));
    run.until_it_says("names another place for the state");
    stop(run);
    assert!(!environment.path("other").exists());
}

#[test]
fn what_a_limit_refuses_is_held_back_and_the_rest_is_done() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("reconcile --once --max-trainings 1").exits(0);
    environment.edit("faces/ana.yaml", "spec:\n", "spec:\n  face_name: Ana\n");
    environment.face("ben", "");
    let run = environment.run("reconcile --once --max-trainings 1").exits(5);
    run.says(&["~ ana: face_name", "none of these is carried out: 1 training would be started after 1 within 1d"]);
    assert_eq!(server.trainings(), 1);
}
