//! `facectl state pull` and `push`: the whole state as one file, and what is never lost by it.

use std::fs;

use serde_json::{Value, json};

use crate::environment::Environment;
use crate::server::Server;

fn trained(faces: &[&str]) -> (Environment, Server) {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, faces);
    environment.run("apply -y").exits(0);
    (environment, server)
}

/// Writes the state to a file, edited.
fn pull_into(environment: &Environment, file: &str, edit: impl Fn(&mut Value)) {
    let mut state = environment.run("state pull").exits(0).json();
    edit(&mut state);
    environment.write(file, state.to_string());
}

/// Everything but the time and the holder.
fn kept(environment: &Environment) -> Value {
    environment.run("state pull").exits(0).json()
}

#[test]
fn another_machine_takes_the_whole_state_over_with_its_history() {
    let (here, server) = trained(&["ana", "bea"]);
    let pulled = here.run("state pull").exits(0);
    let there = Environment::against(&server, &["ana", "bea"]).without("TAVUS_API_KEY");
    let run = there.run_reading("state push -", &pulled.stdout).exits(0).prints(&["The state was replaced"]);
    run.says(&["There was nothing before."]);
    let (before, after) = (pulled.json(), kept(&there));
    for part in ["faces", "journal"] {
        assert_eq!(before[part], after[part]);
    }
    assert_eq!(before["meta"]["lineage"], after["meta"]["lineage"]);
    let records = |state: &Value| state["history"].as_array().unwrap().clone();
    assert_eq!(records(&before)[..], records(&after)[..records(&before).len()]);
    assert_eq!(records(&after).last().unwrap()["what"], "pushed");
    there.run("state history --verify").exits(0).prints(&["whole: 7 entries in one chain"]);
    assert!(there.read("facectl.lock.yaml").contains(server.ids()[0].as_str()));
    let there = there.with("TAVUS_API_KEY", "key");
    there.run("apply -y").exits(0).prints(&["No changes. 2 faces as declared."]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_state_can_be_edited_and_pushed_back_as_long_as_nothing_happened_meanwhile() {
    let (environment, _server) = trained(&["ana"]);
    pull_into(&environment, "same.json", |_| {});
    environment.run("state push same.json").exits(0).prints(&["The state says so already", "nothing was written"]);
    pull_into(&environment, "protected.json", |state| state["faces"]["ana"]["protect"] = true.into());
    let run = environment.run("state push protected.json").exits(0);
    run.says(&["What was there before is kept in", "backups/state-"]);
    environment.run("state show ana").exits(0).prints(&["protect: true"]);
    assert!(environment.read("facectl.lock.yaml").contains("protect: true"));
    // The same file again is older now; as YAML, with line ends and a mark as Windows writes them, it is no other.
    let run = environment.run("state push same.json").exits(5).prints_nothing();
    run.says(&["was not pushed, nothing was changed", "it is older: its serial is", "--force"]);
    let yaml = environment.run("state pull -o yaml").exits(0).stdout.replace('\n', "\r\n");
    environment.write("windows.yaml", format!("\u{feff}{yaml}"));
    environment.run("state push windows.yaml").exits(0).prints(&["The state says so already"]);
    environment.run("state history --verify").exits(0);
}

#[test]
fn what_was_replaced_by_force_is_kept_and_can_be_pushed_back() {
    let (environment, server) = trained(&["ana", "bea"]);
    pull_into(&environment, "less.json", |state| drop(state["faces"].as_object_mut().unwrap().remove("bea")));
    let id = environment.run("state show bea -o json").json()["face"]["id"].as_str().unwrap().to_owned();
    let before = kept(&environment);
    let run = environment.run("state push less.json").exits(5).prints_nothing();
    run.says(&["was not pushed", "it does not know face", &id, "recorded under `bea`", "--force"]);
    assert_eq!(kept(&environment), before);
    let forced = environment.run("state push less.json --force -o json").exits(0);
    assert!(forced.stderr.contains("warning: forced, although it does not know"), "{forced}");
    let forced = forced.json();
    assert_eq!(forced["lost"]["faces"], json!([{ "key": "bea", "face_id": id }]));
    assert!(!environment.read("facectl.lock.yaml").contains(&id));
    let backup = forced["backup"].as_str().unwrap();
    let kept_file: Value = serde_json::from_str(&fs::read_to_string(backup).unwrap()).unwrap();
    assert_eq!(kept_file["faces"], before["faces"]);
    assert!(kept_file["lock_file"]["faces"]["bea"].is_object());
    environment.run(&format!("state push {backup}")).exits(5).says(&["it is older"]);
    environment.run(&format!("state push {backup} --force")).exits(0);
    assert_eq!(kept(&environment)["faces"], before["faces"]);
    environment.run("apply -y").exits(0).prints(&["No changes. 2 faces as declared."]);
    environment.run("state history --verify").exits(0).prints(&["whole: 8 entries"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn an_open_create_is_not_lost_by_a_push_nor_talked_away() {
    let server = Server::slow(&["create:drop-after-effect", "list:lag=10m"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --no-settle").exits(10);
    let entry = "/journal/ana";
    pull_into(&environment, "without.json", |state| drop(state["journal"].as_object_mut().unwrap().remove("ana")));
    pull_into(&environment, "absent.json", |state| {
        state.pointer_mut(entry).unwrap()["phase"] = json!({ "phase": "absent" });
    });
    for file in ["without.json", "absent.json"] {
        let run = environment.run(&format!("state push {file}")).exits(5).prints_nothing();
        run.says(&["it does not know of the open create of `ana` (token fc-", "may be running and paid for"]);
    }
    environment.run("apply -y --no-wait --no-settle").exits(10);
    assert_eq!((server.trainings(), server.requests("create")), (1, 1));
    // That it did make a face is knowledge, and may come by a file.
    pull_into(&environment, "settled.json", |state| {
        state.pointer_mut(entry).unwrap()["phase"] = json!({ "phase": "settled", "id": "r00000000000" });
    });
    environment.run("state push settled.json").exits(0);
    environment.run("state list").exits(0).says(&["No face is recorded."]);
}

#[test]
fn what_is_not_this_projects_newest_state_is_refused_whatever_it_is() {
    let (environment, _server) = trained(&["ana", "bea"]);
    let before = kept(&environment);
    let files = environment.files(".facectl/db");
    let refused = |code: i32, words: &[&str], edit: &dyn Fn(&mut Value)| {
        pull_into(&environment, "edited.json", edit);
        let run = environment.run("state push edited.json").exits(code).prints_nothing();
        run.says(&["nothing was changed"]).says(words);
        assert_eq!(kept(&environment), before);
    };
    let project = |state: &mut Value| state["meta"]["project"] = "other".into();
    refused(5, &["is the state of project `other`, not `acme`"], &project);
    refused(5, &["it comes from another line of runs (x) than the state here"], &|state| {
        state["meta"]["lineage"] = "x".into();
    });
    refused(5, &["it is older: its serial is 1"], &|state| {
        state["meta"]["serial"] = 1.into();
        state["faces"]["ana"]["protect"] = true.into();
    });
    refused(5, &["meta.format_version is 99"], &|state| state["meta"]["format_version"] = 99.into());
    refused(5, &["format_version is 2.0"], &|state| state["format_version"] = "2.0".into());
    refused(5, &["stands under two keys in it, `ana` and `bea`"], &|state| {
        state["faces"]["bea"]["id"] = state["faces"]["ana"]["id"].clone();
    });
    refused(1, &["`faces.ana.protekt` in it is no field"], &|state| state["faces"]["ana"]["protekt"] = true.into());
    refused(1, &["`faces.ana.id` in it cannot be used"], &|state| state["faces"]["ana"]["id"] = "".into());
    refused(1, &["`journal.ana"], &|state| state["journal"]["ana"]["phase"]["phase"] = "paid".into());
    refused(1, &["`history[0]` in it cannot be used"], &|state| state["history"][0]["what"] = "dreamt".into());
    refused(1, &["it has no list `history`"], &|state| drop(state.as_object_mut().unwrap().remove("history")));
    refused(1, &["it has no `faces`"], &|state| drop(state.as_object_mut().unwrap().remove("faces")));
    for text in ["", "😀", "{", "[1, 2]", "not: [yaml", "a plain word", "\u{0}"] {
        environment.write("garbage", text);
        let run = environment.run("state push garbage").exits(1).prints_nothing();
        run.says(&["is no state that can be pushed; nothing was changed", "state pull > FILE"]);
    }
    environment.run("state push missing.json").exits(1).says(&["cannot read missing.json"]);
    environment.run("state push .").exits(1).says(&["cannot read ."]);
    pull_into(&environment, "project.json", project);
    environment.run("state push project.json --force").exits(5);
    assert_eq!(kept(&environment), before);
    assert!(!environment.path(".facectl/backups").exists());
    assert_eq!(environment.files(".facectl/db").keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
}

#[test]
fn a_history_is_neither_rewritten_nor_taken_over_when_it_is_broken() {
    let (environment, server) = trained(&["ana"]);
    pull_into(&environment, "tampered.json", |state| {
        state["history"][0]["by"] = "somebody else".into();
        state["faces"]["ana"]["protect"] = true.into();
    });
    // Here it is known better: the edit of the face counts, that of the history does not.
    environment.run("state push tampered.json").exits(0);
    environment.run("state history").exits(0).hides(&["somebody else"]);
    environment.run("state history --verify").exits(0);
    // A machine that knows nothing would have to believe it.
    let there = Environment::against(&server, &["ana"]);
    there.write("tampered.json", environment.read("tampered.json"));
    there.run("state push tampered.json").exits(5).says(&["its history is broken"]);
    assert!(!there.path("facectl.lock.yaml").exists());
    // Another line of runs: only by force, and then what was done here stays told.
    let stranger = Environment::against(&server, &["ana"]).with("FACECTL_ADOPT", "1");
    stranger.run("apply -y").exits(0).prints(&["1 adopted"]);
    stranger.write("pulled.json", environment.run("state pull").exits(0).stdout);
    stranger.run("state push pulled.json").exits(5).says(&[
        "another line of runs",
        "than the state here",
        "than facectl.lock.yaml",
    ]);
    stranger.run("state push pulled.json --force").exits(0).says(&["does not follow on the one here, which was kept"]);
    stranger.run("state history --verify").exits(0).prints(&["whole"]);
    stranger.run("state history").exits(0).prints(&["ana adopted", "pushed", "forced"]);
    stranger.run("apply -y").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn what_only_the_lock_file_knows_is_not_lost_either() {
    let (environment, _server) = trained(&["ana", "bea"]);
    pull_into(&environment, "less.json", |state| {
        let faces = state["faces"].as_object_mut().unwrap();
        faces.remove("bea");
    });
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    let run = environment.run("state push less.json").exits(5);
    run.says(&["it does not know face", "recorded under `bea` here"]);
    environment.run("state push less.json --force").exits(0).says(&["is kept in", "backups/"]);
    environment.run("state list").exits(0).prints(&["ana"]).hides(&["bea"]);
}

#[test]
fn a_push_that_dies_half_way_has_happened_or_has_not() {
    let (environment, _server) = trained(&["ana", "bea"]);
    let before = kept(&environment);
    for (point, has_happened) in [("pushed.before-write", false), ("pushed.between", true), ("pushed.written", true)] {
        pull_into(&environment, "edited.json", |state| {
            for key in ["ana", "bea"] {
                let protect = state["faces"][key]["protect"].as_bool().unwrap();
                state["faces"][key]["protect"] = (!protect).into();
            }
        });
        let was = kept(&environment)["faces"].clone();
        let run = environment.command("state push edited.json").env("FACECTL_KILL_AT", point).output().unwrap();
        assert_eq!(run.status.code(), None, "killed at {point}");
        let now = kept(&environment)["faces"].clone();
        let wanted: Value = serde_json::from_str(&environment.read("edited.json")).unwrap();
        assert_eq!(now, if has_happened { wanted["faces"].clone() } else { was }, "{point}");
        environment.run("state history --verify").exits(0);
        environment.run("plan").exits(0);
    }
    assert_eq!(kept(&environment)["faces"], before["faces"], "changed twice");
    environment.run("apply -y").exits(0).prints(&["No changes. 2 faces as declared."]);
}
