//! Where a run comes from: commit, branch, author and pipeline, in results, saved plans and the history.

use std::process::Command;

use serde_json::{Value, json};

use crate::environment::Environment;
use crate::server::Server;

const PAGE: &str = "https://github.com/acme/faces/actions/runs/42";

/// A project in a repository of its own, on a branch of its own; returns the commit too.
fn in_git(server: &Server) -> (Environment, String) {
    let environment = Environment::against(server, &["ana"]).with("PATH", &std::env::var("PATH").unwrap());
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]).args(words);
        let done = command.current_dir(environment.path(".")).env("HOME", environment.path(".")).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    environment.write(".gitignore", ".facectl/\nplan*.json\n");
    git(&["init", "-q", "-b", "new-face"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "faces"]);
    let commit = git(&["rev-parse", "HEAD"]);
    (environment, commit)
}

/// As a job of a pipeline on GitHub, which has no author of its own.
fn in_pipeline(environment: Environment) -> Environment {
    let environment = environment.with("GITHUB_ACTOR", "octo").with("GITHUB_SERVER_URL", "https://github.com");
    environment.with("GITHUB_REPOSITORY", "acme/faces").with("GITHUB_RUN_ID", "42")
}

#[test]
fn results_plans_and_history_say_commit_branch_author_and_pipeline() {
    let server = Server::fast(&[]);
    let (environment, commit) = in_git(&server);
    let environment = in_pipeline(environment);
    let told = |value: &Value| {
        let provenance = &value["provenance"];
        assert_eq!(provenance["run"].as_str().unwrap().len(), 12, "{value}");
        json!([
            provenance["by"],
            provenance["commit"],
            provenance["branch"],
            provenance["dirty"],
            provenance["run_url"]
        ])
    };
    let wanted = json!(["octo", commit, "new-face", false, PAGE]);
    for line in ["plan --out plan.json -o json", "show plan.json -o json", "status -o json", "drift -o json"] {
        assert_eq!(told(&environment.run(line).exits(0).json()), wanted, "{line}");
    }
    let saved: Value = serde_json::from_str(&environment.read("plan.json")).unwrap();
    assert_eq!((told(&saved), told(&saved["plan"])), (wanted.clone(), wanted.clone()));
    environment.run("show plan.json").exits(0).prints(&["of branch new-face, by octo", PAGE]);
    let applied = environment.run("apply plan.json -o json").exits(0).json();
    assert_eq!(told(&applied), wanted);
    assert_eq!(told(&environment.run("wait -o json").exits(0).json()), wanted, "the lock file is ours");

    let history = environment.run("state history -o json").exits(0).json();
    let entry = &history["entries"][0];
    assert_eq!(
        (&entry["branch"], &entry["run_url"], &entry["run"]),
        (&json!("new-face"), &json!(PAGE), &applied["provenance"]["run"])
    );
    environment.run("state history").exits(0).prints(&["by octo", "branch new-face", PAGE]);
    environment.run("state history --verify").exits(0).prints(&["The history is whole"]);
}

#[test]
fn where_nothing_is_known_nothing_is_written() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    let history = environment.run("state history -o json").exits(0).json();
    let fields = history["entries"][0].as_object().unwrap();
    assert!(!fields.contains_key("branch") && !fields.contains_key("run_url"), "{history}");
}

#[test]
fn a_strangers_branch_and_a_link_with_a_secret_do_no_harm() {
    let server = Server::fast(&[]);
    let environment = in_pipeline(Environment::against(&server, &["ana"]));
    let environment = environment
        .with("GITHUB_HEAD_REF", "x\u{1b}[2J\n::error::\u{202e}owned")
        .with("GITHUB_SERVER_URL", "https://bot:USERPASSWORD@github.com/?token=TOKENSECRET");
    let secrets = ["USERPASSWORD", "TOKENSECRET", "\u{1b}", "\u{202e}", "\n::error"];
    environment.run("plan --out plan.json -o json").exits(0).hides(&secrets);
    environment.run("show plan.json").exits(0).hides(&secrets);
    environment.run("apply plan.json -o json").exits(0).hides(&secrets);
    environment.run("state history").exits(0).hides(&secrets).prints(&[r"branch x\u{001B}[2J ::error::\u{202E}owned"]);
}

#[test]
fn what_a_plan_is_recognised_by_does_not_depend_on_where_it_was_made() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let here = environment.run("plan -o json").exits(0).json();
    let environment = in_pipeline(environment).with("GITHUB_SHA", "0123abc").with("GITHUB_REF_NAME", "main");
    let there = environment.run("plan -o json").exits(0).json();
    assert_ne!(here["provenance"], there["provenance"]);
    assert_eq!(here["digest"], there["digest"]);
}
