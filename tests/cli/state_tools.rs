//! `facectl state`: what is remembered, looked at and changed by hand.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::environment::Environment;
use crate::server::Server;

/// A project whose faces are trained, and that is offline from now on: no key, no address that answers.
fn trained(faces: &[&str]) -> (Environment, Server) {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, faces);
    environment.run("apply -y").exits(0);
    (environment, server)
}

fn offline(environment: Environment) -> Environment {
    environment.without("TAVUS_API_KEY").with("TAVUS_PUBLIC_API_BASE_URL", "http://127.0.0.1:9/v2")
}

/// A project with one create in doubt.
fn in_doubt() -> (Environment, Server) {
    let server = Server::slow(&["create:drop-after-effect", "list:lag=10m"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --no-settle").exits(10);
    (environment, server)
}

#[test]
fn the_record_is_listed_and_shown_without_a_key_a_network_or_any_manifest() {
    let (environment, server) = trained(&["ana", "bea"]);
    let environment = offline(environment);
    let id = &server.ids()[0];
    fs::remove_dir_all(environment.path("faces")).unwrap();
    let list = environment.run("state list").exits(0).says_nothing();
    let list = list.prints(&["KEY FACE ID MODEL ATTEMPT CREATED (UTC) NEXT PREVIOUS OPEN CREATE", "phoenix-4 1 20"]);
    assert!(list.stdout.contains(id.as_str()), "{list}");
    let listed = environment.run("state list -o json").exits(0).json();
    assert_eq!(listed["faces"][1]["key"], "bea");
    assert_eq!((&listed["faces"][0]["attempt"], &listed["faces"][0]["open_create"]), (&json!(1), &Value::Null));
    environment.run("state show ana").exits(0).prints(&["key: ana", "attempt: 1", "phase: settled", "protect: false"]);
    let shown = environment.run("state show ana -o json").exits(0).json();
    assert_eq!(shown["face"]["id"], shown["last_create"]["phase"]["id"]);
    let run = environment.run("state show anna").exits(1).prints_nothing();
    run.says(&["no face is recorded under the key `anna`", "did you mean `ana`?", "recorded are: ana, bea"]);
    // Nor do manifests matter that nobody can read.
    environment.write("faces/ana.yaml", "not: [yaml");
    environment.run("state list").exits(0).prints(&["bea"]);
    environment.run("plan").exits(1);
}

#[test]
fn where_nothing_was_ever_done_nothing_is_listed_and_nothing_is_made() {
    let environment = Environment::project(&["ana"]);
    environment.run("state list").exits(0).says(&["No face is recorded."]).prints_nothing();
    environment.run("state history").exits(0).says(&["Nothing in the history fits."]);
    environment.run("state history --verify").exits(0).prints(&["no entry with a hash yet"]);
    environment.run("state show ana").exits(1).says(&["nothing is recorded yet"]);
    environment.run("state pull").exits(1).prints_nothing().says(&["there is no state in", "yet"]);
    environment.run("state forget ana -y").exits(1).says(&["there is no state in", "yet"]);
    environment.run("state move ana bea").exits(1).says(&["there is no state in", "yet"]);
    assert!(!environment.path(".facectl").exists(), "looking on leaves no trace");
    Environment::empty().run("state list").exits(0);
}

#[test]
fn the_history_says_who_from_which_commit_in_which_run_and_how_long_it_took() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let git = |line: &str| {
        let mut command = Command::new("git");
        command.args(line.split_whitespace()).current_dir(environment.path(".")).env("HOME", environment.path("."));
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    environment.write(".gitignore", ".facectl/\n");
    git("init -q");
    git("config user.name Zoë");
    git("config user.email zoe@example.com");
    git("remote add origin https://user:hunter2@git.example.com/x.git");
    git("add -A");
    git("commit -qm one");
    environment.run("apply -y --no-wait").exits(0);
    let head = git("rev-parse HEAD");
    // The lock file is news to git, and facectl's own: it makes nothing dirty.
    environment.face("bea", "");
    environment.run("apply -y --no-wait").exits(0);
    let history = environment.run("state history --json").exits(0).hides(&["hunter2", "git.example.com"]).json();
    let entries = history["entries"].as_array().unwrap();
    let whats = entries.iter().map(|entry| (entry["key"].as_str().unwrap(), entry["what"].as_str().unwrap()));
    let whats: Vec<_> = whats.filter(|(_, what)| what.starts_with("create")).collect();
    assert_eq!(
        whats,
        [("ana", "create_begun"), ("ana", "create_settled"), ("bea", "create_begun"), ("bea", "create_settled")]
    );
    let (first, last) = (&entries[1], entries.last().unwrap());
    assert_eq!(first["by"], "Zoë <zoe@example.com>");
    assert_eq!((first["commit"].as_str(), &first["dirty"]), (Some(head.as_str()), &json!(false)));
    assert_eq!((last["commit"].as_str(), &last["dirty"]), (Some(head.as_str()), &json!(true)), "{last}");
    assert_eq!(first["command"], "facectl apply -y --no-wait");
    assert_eq!(entries[0]["run"], first["run"]);
    assert_ne!(first["run"], last["run"]);
    assert!(first["took_ms"].is_u64() && entries[0]["took_ms"].is_null(), "{history}");
    assert_eq!((first["id"].as_str(), first["token"].is_string()), (Some(server.ids()[0].as_str()), true));
    let text = environment.run("state history bea").exits(0).hides(&["ana  create"]);
    text.prints(&["bea create settled", "by Zoë <zoe@example.com>", "and uncommitted changes", "`facectl apply"]);
}

#[test]
fn where_git_says_nothing_the_actor_of_the_pipeline_is_named() {
    let server = Server::slow(&[]);
    let environment =
        Environment::against(&server, &["ana"]).with("GITHUB_ACTOR", "octo-cat").with("GITHUB_SHA", "0123abc");
    environment.run("apply -y --no-wait").exits(0).says(&["ana"]);
    let history = environment.run("state history -o json").exits(0).json();
    let entry = &history["entries"][0];
    assert_eq!(
        (&entry["by"], &entry["commit"], &entry["dirty"]),
        (&json!("octo-cat"), &json!("0123abc"), &Value::Null)
    );
}

#[test]
fn the_history_can_be_narrowed_down() {
    let (environment, _server) = trained(&["ana", "bea"]);
    let count = |line: &str| environment.run(line).exits(0).json()["entries"].as_array().unwrap().len();
    let all = count("state history --json");
    assert_eq!(count("state history ana -o json") * 2, all);
    assert_eq!(count("state history --json --limit 3"), 3);
    assert_eq!(count("state history --json --limit 0"), 0);
    assert_eq!(count("state history --json --since 1h"), all);
    assert_eq!(count("state history --json --since 0s"), 0);
    environment.run("state history --limit 1").exits(0).prints(&["updated"]);
    environment.run("state history -o yaml --limit 1").exits(0).prints(&["entries:", "hash:", "serial:"]);
    environment.run("state history ana --verify").exits(1).says(&["cannot be used with"]);
}

/// Rewrites one record of the history in the database, checksum and all, as somebody with a purpose would.
fn rewrite_history(environment: &Environment, number: usize, with: impl Fn(&mut Value) -> bool) {
    let database = sled::open(environment.path(".facectl/db")).unwrap();
    let tree = database.open_tree("history").unwrap();
    let (place, record) = tree.iter().nth(number).unwrap().unwrap();
    let mut value: Value = serde_json::from_slice(&record[16..]).unwrap();
    if with(&mut value) {
        let json = value.to_string().into_bytes();
        tree.insert(place, [&blake3::hash(&json).as_bytes()[..16], &json].concat()).unwrap();
    } else {
        tree.remove(place).unwrap();
    }
    database.flush().unwrap();
}

#[test]
fn a_history_that_was_tampered_with_is_told_apart_and_where() {
    let (environment, _server) = trained(&["ana", "bea"]);
    environment.run("state history --verify").exits(0).prints(&["The history is whole: 6 entries in one chain."]);
    rewrite_history(&environment, 1, |entry| {
        entry["by"] = "somebody else".into();
        true
    });
    let run = environment.run("state history --verify").exits(5);
    let run = run.prints(&["broken in 1 place", "! entry 2", "its hash does not match"]);
    run.says(&["the history is not what was written", "backups/"]);
    let verdict = environment.run("state history --verify --json").exits(5).json();
    assert_eq!((&verdict["is_whole"], &verdict["breaks"][0]["record"]), (&json!(false), &json!(2)));
    rewrite_history(&environment, 5, |_| false);
    let run = environment.run("state history --verify").exits(5);
    run.prints(&["broken in 2 places", "after the last entry: the newest records are missing"]);
    // It is read and gone on with all the same, and what is remembered is not concerned.
    environment.run("state history").exits(0).prints(&["somebody else"]);
    environment.run("plan").exits(0).prints(&["No changes."]);
}

#[test]
fn a_lost_database_has_its_history_back_and_without_its_copy_says_what_is_gone() {
    let (environment, _server) = trained(&["ana"]);
    fs::remove_dir_all(environment.path(".facectl/db")).unwrap();
    environment.run("apply -y").exits(0).says(&["rebuilt from the snapshot", "no entry of the history was lost"]);
    environment.run("state history --verify").exits(0).prints(&["whole: 4 entries in one chain"]);
    environment.run("state history --limit 1").exits(0).prints(&["(the whole state) rebuilt", "was gone"]);
    fs::remove_dir_all(environment.path(".facectl/db")).unwrap();
    fs::remove_file(environment.path(".facectl/history.log")).unwrap();
    let run = environment.run("apply -y").exits(0);
    run.says(&["faces and open creates are all there", "entries of the history before this could not be saved"]);
    let run = environment.run("state history --verify").exits(0);
    run.prints(&["whole: 1 entry in one chain", "could not be saved"]);
}

#[test]
fn what_is_forgotten_leaves_record_and_lock_file_and_lives_on() {
    let (environment, server) = trained(&["ana", "bea", "cid"]);
    let id = server.ids().remove(0);
    let run = environment.run("state forget ana").exits(1);
    run.prints_nothing().says(&["nothing was changed", "--auto-approve (-y, --yes)"]);
    environment.run("state forget ana anna -y").exits(1).says(&["no face is recorded under the key `anna`"]);
    assert_eq!(environment.run("state list -o json").json()["faces"].as_array().unwrap().len(), 3);
    let run = environment.run("state forget ana -y").exits(0).prints(&[". ana forgotten;", &id, "lives on"]);
    run.says(&["warning: ana is still declared", "the plan is blocked by its name"]);
    assert!(!environment.read("facectl.lock.yaml").contains(&id));
    assert_eq!(server.face(&id)["face_name"], "ana", "it lives on");
    // Neither the lock file nor the snapshot brings it back, not even when the database goes.
    environment.run("plan").exits(0).prints(&["! ana blocked", "a live face bears its name already"]);
    fs::remove_dir_all(environment.path(".facectl/db")).unwrap();
    environment.run("state list").exits(0).hides(&["ana"]);
    fs::remove_file(environment.path("faces/ana.yaml")).unwrap();
    environment.run("apply -y").exits(0).prints(&["No changes. 2 faces as declared."]);
    environment.run("state history ana").exits(0).prints(&["ana create settled", "ana forgotten", "by hand"]);
    environment.run("state history --verify").exits(0);
    let forgotten = environment.run("state forget bea cid bea -y -o json").exits(0).json();
    assert_eq!(forgotten["forgotten"].as_array().unwrap().len(), 2);
    assert_eq!(forgotten["forgotten"][0]["is_still_declared"], true);
    environment.run("state list").exits(0).says(&["No face is recorded."]);
    assert_eq!((server.trainings(), server.ids().len()), (3, 3));
}

#[test]
fn a_lock_file_that_is_turned_off_and_still_there_is_pointed_out() {
    let (environment, server) = trained(&["ana"]);
    let run = environment.run("state forget ana -y --lock-file=false").exits(0);
    run.says(&["the lock file is turned off", "facectl.lock.yaml still names what was forgotten"]);
    assert!(environment.read("facectl.lock.yaml").contains(server.ids()[0].as_str()));
    // This state knows what it wrote there, and that it has forgotten it since.
    environment.run("state list").exits(0).says(&["No face is recorded."]);
}

#[test]
fn a_person_is_asked_before_a_face_is_forgotten() {
    let (environment, _server) = trained(&["ana"]);
    for (answer, code) in [("no\n", 1), ("yes\n", 0)] {
        let Some(mut run) = environment.spawn_on_terminal("state forget ana") else { return };
        run.until_it_prints("Only `yes` is taken:");
        run.types(answer);
        run.end().exits(code).prints(&["The live faces live on", if code == 0 { "forgotten" } else { "not approved" }]);
    }
}

#[test]
fn what_is_in_doubt_is_neither_forgotten_nor_moved() {
    let (environment, server) = in_doubt();
    let before = environment.run("state list -o json").exits(0).json();
    assert!(before["faces"][0]["open_create"]["token"].is_string() && before["faces"][0]["face_id"].is_null());
    environment.run("state show ana").exits(0).prints(&["phase: in_doubt"]).says(&["`facectl recover` finds out"]);
    for line in ["state forget ana -y", "state move ana bea", "state move bea ana"] {
        let run = environment.run(line).exits(10).prints_nothing();
        run.says(&["nobody knows what became of the create of `ana`", "nothing was changed", "`facectl recover`"]);
    }
    assert_eq!(environment.run("state list -o json").exits(0).json(), before);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_face_is_moved_to_another_key_without_a_training() {
    let (environment, server) = trained(&["ana", "bea"]);
    let id = server.ids().remove(0);
    let run = environment.run("state move ana bea").exits(5).prints_nothing();
    run.says(&["`bea` is recorded already", "nothing was changed"]);
    environment.run("state move ana ana").exits(1).says(&["are one key"]);
    environment.run("state move anna dora").exits(1).says(&["did you mean `ana`?"]);
    environment.run("state move ana Not_A_Key").exits(1);
    let run = environment.run("state move ana dora").exits(0).prints(&["ana -> dora", &id, "nothing was sent"]);
    run.says(&["set `metadata.name: dora` where it says `ana`", "facectl.dev/moved-from: ana"]);
    let lock = environment.read("facectl.lock.yaml");
    assert!(lock.contains("dora:") && !lock.contains("ana:"), "{lock}");
    let shown = environment.run("state show dora -o json").exits(0).json();
    assert_eq!(
        (shown["face"]["id"].as_str(), &shown["last_create"]["phase"]["phase"]),
        (Some(id.as_str()), &json!("settled"))
    );
    assert!(shown["face"]["token"].is_string());
    environment.run("state show ana").exits(1);
    fs::remove_file(environment.path("faces/ana.yaml")).unwrap();
    environment.face_from("dora", "https://media.example.com/ana/training.mp4", "  face_name: ana\n");
    environment.run("apply -y").exits(0).prints(&["No changes. 2 faces as declared."]);
    environment.run("state history ana").exits(0).prints(&["recorded as dora from now on"]);
    environment.run("state history dora").exits(0).prints(&["was recorded as ana until now"]);
    assert_eq!((server.trainings(), server.requests("create")), (2, 2));
}

#[test]
fn beside_a_run_that_holds_the_state_it_can_be_read_and_not_changed() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let mut run = environment.spawn("apply -y");
    run.until_it_says("Waiting for 1 face");
    let id = server.ids().remove(0);
    for line in ["state list", "state show ana", "state history ana", "state pull"] {
        environment.run(line).exits(0).prints(&[&id]).says(&["is held by", "this is what it last wrote"]);
    }
    environment.run("state history --verify").exits(0).prints(&["The history is whole: 2 entries"]);
    environment.write("pulled.json", environment.run("state pull").exits(0).stdout);
    for line in ["state forget ana -y", "state move ana bea", "state push pulled.json"] {
        environment.run(line).exits(6).prints_nothing().says(&["is held by", "--lock-timeout"]);
    }
    run.signal("INT");
    run.end().exits(8);
    environment.run("state list").exits(0).says_nothing().prints(&[&id]);
}

#[test]
fn a_rehearsal_has_a_state_of_its_own() {
    let environment = Environment::project(&["ana"]).with("FACECTL_SANDBOX_SPEED", "36000");
    environment.run("apply -y --sandbox").exits(0);
    environment.run("state list --sandbox").exits(0).prints(&["ana"]);
    environment.run("state forget ana -y --sandbox").exits(0).prints(&[". ana forgotten"]);
    environment.run("state list").exits(0).says(&["No face is recorded."]);
    let at = |entry: &Value| entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let history = environment.run("state history --json --sandbox").exits(0).json();
    assert!(history["entries"].as_array().unwrap().is_sorted_by_key(at), "on the sandbox's clock: {history}");
}
