//! Files that a stranger's checkout brings along: links, records, and places to write to.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::environment::{Environment, project};
use crate::server::Server;

/// What no run may touch.
const PRECIOUS: &str = "export PATH=/usr/bin\n";

/// A project with a file of the user's outside of what facectl writes.
fn with_a_precious_file(environment: Environment) -> Environment {
    environment.write("home/.bashrc", PRECIOUS);
    environment
}

#[track_caller]
fn assert_spared(environment: &Environment, context: &str) {
    assert_eq!(environment.read("home/.bashrc"), PRECIOUS, "{context}");
    assert_eq!(fs::read_dir(environment.path("home")).unwrap().count(), 1, "{context}");
}

#[track_caller]
fn git(environment: &Environment, words: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(environment.path("")).env("HOME", environment.path("")).args(words);
    for name in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{name}_NAME"), "Zoë").env(format!("GIT_{name}_EMAIL"), "zoe@example.com");
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "git {words:?}: {done:?}");
}

#[test]
fn no_link_in_the_state_folder_is_followed() {
    let names = [
        "sandbox/world.json.new",
        "sandbox/world.json",
        "sandbox/world.json.lock",
        "sandbox/world.json.journal",
        "sandbox/lock",
        "sandbox/snapshot.log",
        "sandbox/history.log",
        "sandbox/db/db",
        "sandbox/db",
        "sandbox/uploads",
        "sandbox",
        "",
    ];
    for name in names {
        let environment = with_a_precious_file(Environment::project(&["ana"]));
        let link = environment.path(&format!(".facectl/{name}"));
        let link = link.components().collect::<std::path::PathBuf>();
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        let is_folder = ["", "sandbox", "sandbox/db", "sandbox/uploads"].contains(&name);
        symlink(environment.path(if is_folder { "home" } else { "home/.bashrc" }), link).unwrap();
        for line in ["plan --sandbox", "apply --sandbox -y --no-wait", "status --sandbox"] {
            environment.run(line).exits(5).says(&["cannot use the state folder", "is a link", "nothing was sent"]);
            assert_spared(&environment, &format!("{line}, with a link {name:?}"));
        }
    }
}

#[test]
fn no_link_makes_an_apply_write_elsewhere() {
    let server = Server::slow(&[]);
    for name in
        ["lock", "lock.holder.json", "snapshot.json", "snapshot.log", "history.log", "db/conf", "lock-file.serial"]
    {
        let environment = with_a_precious_file(Environment::against(&server, &["ana"]));
        environment.write(".facectl/db/other", "");
        symlink(environment.path("home/.bashrc"), environment.path(&format!(".facectl/{name}"))).unwrap();
        for line in ["plan", "apply -y --no-wait", "recover", "state list"] {
            environment.run(line).exits(5).says(&["is a link"]);
            assert_spared(&environment, name);
        }
    }
    assert_eq!(server.trainings(), 0);
}

#[test]
fn the_lock_file_replaces_a_link_and_spares_its_target() {
    let server = Server::slow(&[]);
    let environment = with_a_precious_file(Environment::against(&server, &["ana"]));
    environment.write("other.yaml", "");
    for target in ["home/.bashrc", "home/missing"] {
        let _ = fs::remove_file(environment.path("facectl.lock.yaml"));
        symlink(environment.path(target), environment.path("facectl.lock.yaml")).unwrap();
        environment.run("apply -y --no-wait");
        assert_spared(&environment, target);
    }
}

#[test]
fn reports_and_events_follow_no_link() {
    let environment = with_a_precious_file(Environment::project(&["ana"]));
    symlink(environment.path("home/.bashrc"), environment.path("out")).unwrap();
    symlink(environment.path("home/missing"), environment.path("new")).unwrap();
    for name in ["out", "new"] {
        for flag in ["--report", "--events", "--out"] {
            let run = environment.run(&format!("plan --sandbox {flag} {name}"));
            assert!(run.code == Some(1) || flag == "--out", "{run}");
            assert_spared(&environment, flag);
        }
    }
    // Devices keep their names, links or not.
    environment.run("plan --sandbox -q --report markdown=/dev/stdout").exits(0).prints(&["ana"]);
}

#[test]
fn init_writes_through_no_link() {
    for name in [".gitignore", "faces", "schemas", ".gitattributes", ".github"] {
        let environment = with_a_precious_file(Environment::empty());
        let target = if name.starts_with(".git") && name != ".github" { "home/.bashrc" } else { "home" };
        fs::create_dir(environment.path("project")).unwrap();
        symlink(environment.path(target), environment.path(&format!("project/{name}"))).unwrap();
        let run = environment.run("init project --ci github");
        assert_eq!(run.code, Some(1), "{name}: {run}");
        run.says(&["is a link"]);
        assert_spared(&environment, name);
    }
}

#[test]
fn the_project_file_cannot_move_the_state_out_of_the_project() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &[]);
    for place in ["../state", "/tmp/facectl-state-of-a-stranger", ".", ".git/facectl", "way/out"] {
        let in_project = |name: &str| format!("project/{name}");
        environment.write(&in_project("facectl.yaml"), project("acme", &format!("  state_dir: {place}\n")));
        environment
            .write(&in_project("faces/ana.yaml"), crate::environment::face("ana", "https://m.example.com/a.mp4", ""));
        let _ = fs::remove_file(environment.path("project/way"));
        symlink(environment.path(""), environment.path("project/way")).unwrap();
        for line in ["plan", "apply -y --no-wait", "state list"] {
            let mut command = environment.command(line);
            command.current_dir(environment.path("project"));
            let run = environment.spawn_command(command, line).end();
            run.exits(5).says(&["cannot use the state folder", "nothing was sent or written", "FACECTL_STATE_DIR"]);
        }
    }
    assert!(!environment.path("state").exists());
    assert_eq!(server.trainings(), 0);
}

#[test]
fn a_committed_state_is_never_believed() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait").exits(0);
    fs::remove_file(environment.path("facectl.lock.yaml")).unwrap();
    git(&environment, &["init", "-q"]);
    git(&environment, &["add", "-f", "facectl.yaml", "faces", ".facectl"]);
    let id = server.ids().remove(0);
    server.alter(&id, &serde_json::json!({ "face_name": "Somebody else" }));

    environment
        .run("plan")
        .exits(0)
        .says(&["git tracks files in the state folder", "git rm --cached", ".gitignore"])
        .prints(&["+ ana"])
        .hides(&[&id]);
    environment.run("state list").exits(0).says(&["git rm --cached"]).hides(&[&id]);
    let before = server.trainings();
    for line in ["apply -y --no-wait", "wait", "recover", "state forget ana -y"] {
        environment.run(line).exits(5).says(&["git tracks files in it", "git rm --cached"]);
    }
    assert_eq!(server.trainings(), before);

    git(&environment, &["rm", "-q", "--cached", "-r", ".facectl"]);
    environment.run("plan").exits(0).hides(&["git tracks"]).prints(&[&id]);
}

#[test]
fn a_committed_world_is_never_rehearsed_in() {
    let environment = Environment::project(&["ana"]);
    environment.run("apply --sandbox -y").exits(0);
    git(&environment, &["init", "-q"]);
    git(&environment, &["add", "-f", ".facectl/sandbox/world.json"]);
    for line in ["plan --sandbox", "apply --sandbox -y"] {
        environment.run(line).exits(5).says(&["git rm --cached"]);
    }
}
