//! `plan --offline` and `diff --offline`: manifests against the lock file, with nothing else to go by.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::environment::{Environment, project};
use crate::server::Server;

/// An address on this machine at which nobody listens: whoever asked it would fail.
const NOBODY: &str = "http://127.0.0.1:9/v2";

/// A project of three faces that were applied, of which nothing is left but manifests and lock file.
fn applied() -> Environment {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno", "carla"]);
    environment.run("apply -y").exits(0);
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    environment.without("TAVUS_API_KEY").with("TAVUS_PUBLIC_API_BASE_URL", NOBODY)
}

/// The lock file as it stands, with the first face's id.
fn locked(environment: &Environment) -> (String, String) {
    let lock = environment.read("facectl.lock.yaml");
    let id = lock.lines().find_map(|line| line.trim().strip_prefix("face_id: ")).unwrap().to_owned();
    (lock, id)
}

#[test]
fn what_changed_since_the_lock_file_is_planned_without_key_network_or_state() {
    let environment = applied();
    let run = environment.run("plan --offline --expect-no-changes").exits(0).says_nothing();
    run.prints(&["No changes. 3 faces as declared.", "offline plan: compared with facectl.lock.yaml alone (serial "]);
    environment.edit("faces/ana.yaml", "training.mp4", "other.mp4");
    environment.edit("faces/bruno.yaml", "spec:\n", "spec:\n  face_name: Bruno 😀\n");
    fs::remove_file(environment.path("faces/carla.yaml")).unwrap();
    environment.face("dan", "");
    let before = environment.files(".");
    let run = environment.run("plan --offline --detailed-exitcode").exits(2).says_nothing();
    let run = run.prints(&[
        "Project acme, offline:",
        "-/+ ana replace",
        "~ bruno update",
        "face_name: \"bruno\" -> \"Bruno 😀\"",
        "o carla orphaned",
        "+ dan create",
        "because it is declared, and the lock file does not know it",
        "Plan: 1 to create, 1 to update, 1 to replace, 0 to delete.",
        "2 paid trainings",
        "3 faces, the latest created at 20",
        "no live face was looked at. It does not see what lives in the account, failed trainings, creates in doubt, running trainings to take up, drift or PALs, and it cannot be applied.",
    ]);
    assert!(!run.stdout.contains("digest"), "there is nothing to approve: {run}");
    assert_eq!(environment.files("."), before, "nothing was written");
}

#[test]
fn programs_are_told_what_the_plan_stands_on_and_what_it_does_not_see() {
    let environment = applied();
    environment.face("dan", "");
    let plan = environment.run("plan --offline -o json").exits(0).json();
    assert_eq!((&plan["digest"], &plan["applyable"], &plan["complete"]), (&json!(null), &json!(false), &json!(false)));
    let basis = &plan["basis"];
    assert_eq!(
        (&basis["kind"], &basis["is_there"], &basis["recorded_faces"]),
        (&json!("lock_file"), &json!(true), &json!(3))
    );
    assert!(basis["serial"].as_u64() > Some(0) && basis["latest_created_at"].is_string(), "{basis}");
    let unseen = ["live_faces", "failed_trainings", "open_creates", "running_trainings", "drift", "pals"];
    assert_eq!(plan["unseen"], json!(unseen));
    let ana = plan["faces"].as_array().unwrap().iter().find(|face| face["key"] == "ana").unwrap();
    assert_eq!((&ana["status"], &ana["reason"]["text"]), (&json!(null), &json!("manifest and lock file agree")));

    let server = Server::fast(&[]);
    let asked = Environment::against(&server, &["ana"]);
    let kind = |line: &str| asked.run(line).exits(0).json()["basis"]["kind"].clone();
    assert_eq!((kind("plan -o json"), kind("plan -o json --refresh=false")), (json!("observed"), json!("recorded")));
    assert_eq!(asked.run("plan -o json").json()["unseen"], json!([]));
}

#[test]
fn without_a_lock_file_everything_looks_new_and_that_is_said() {
    let environment = Environment::project(&["ana"]).with("TAVUS_PUBLIC_API_BASE_URL", NOBODY);
    let run = environment.run("plan --offline").exits(0);
    run.prints(&["+ ana create", "there is no facectl.lock.yaml: every face looks new."]);
    assert_eq!(environment.run("plan --offline -o json").json()["basis"]["is_there"], json!(false));
    assert!(!environment.path(".facectl").exists());
    let run = environment.run("plan --offline --lock-file=false").exits(1).prints_nothing();
    run.says(&["--offline compares with the lock file, and this project writes none"]);
}

#[test]
fn a_deletion_that_would_come_is_shown_although_nobody_looked_at_the_pals() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["bruno"]);
    environment.face("ana", "  lifecycle: { on_removal: delete }\n");
    environment.run("apply -y").exits(0);
    let asked = server.requests("list");
    fs::remove_file(environment.path("faces/ana.yaml")).unwrap();
    environment.run("plan --offline --prune").exits(0).prints(&["- ana delete", "1 to delete", "PALs"]);
    environment.run("plan --offline --prune --max-deletions 0").exits(5).prints(&["over a limit: 1 deletion"]);
    environment.run("plan --offline").exits(0).prints(&["`--prune` deletes it"]);
    assert_eq!(server.requests("list"), asked, "nobody was asked");
}

#[test]
fn limits_over_a_period_count_what_the_lock_file_knows_and_say_so() {
    let environment = applied();
    let limits = "  limits: { max_trainings: 3, max_trainings_per: 7d }\n";
    environment.write("facectl.yaml", project("acme", limits));
    environment.face("dan", "");
    let run = environment.run("plan --offline").exits(5);
    run.prints(&["1 training would be started after 3 within 7d", "what the limits over a period count besides"]);
}

#[test]
fn a_face_that_a_manifest_names_by_id_is_to_be_taken_over() {
    let environment = Environment::project(&["ana"]).with("TAVUS_PUBLIC_API_BASE_URL", NOBODY);
    let annotation = "  annotations: { facectl.dev/face-id: r0123456789 }\nspec:\n";
    environment.edit("faces/ana.yaml", "spec:\n", annotation);
    environment.run("plan --offline").exits(0).prints(&["<= ana adopt r0123456789", "1 to adopt"]);
}

#[test]
fn the_difference_to_the_lock_file_is_shown_as_that() {
    let environment = applied();
    environment.run("diff --offline").exits(0).prints_nothing().says(&["is in the lock file as declared"]);
    environment.edit("faces/ana.yaml", "training.mp4", "other.mp4");
    environment.face("dan", "");
    fs::remove_file(environment.path("faces/carla.yaml")).unwrap();
    let run = environment.run("diff --offline --detailed-exitcode").exits(2);
    let run = run.prints(&["--- recorded/ana (r", "--- recorded/dan (not recorded)", "+++ declared/dan", "# carla (r"]);
    run.says(&["note: compared with facectl.lock.yaml alone (serial"]).hides(&["live/"]);
    let diff = environment.run("diff --offline -o json").exits(0).json();
    assert_eq!((&diff["basis"]["kind"], &diff["complete"]), (&json!("lock_file"), &json!(false)));
    environment.run("diff --offline --target bruno").exits(0).says(&["each selected face is in the lock file"]);
}

#[test]
fn what_a_stranger_wrote_into_the_lock_file_is_an_error_and_costs_nothing() {
    let environment = applied();
    let (lock, id) = locked(&environment);
    environment.write("secret", "machine tavus password hunter2\n");
    let second = lock.lines().filter_map(|line| line.trim().strip_prefix("face_id: ")).nth(1).unwrap().to_owned();
    for (text, wanted, why) in [
        ("a: [", "cannot be read", "it is no YAML"),
        ("", "cannot be read", "it is empty"),
        (&lock.replace("project: acme", "project: other"), "belongs to project `other`", "it is another project's"),
        (&lock.replace("lock_version: 2", "lock_version: 99"), "has format 99", "it is of a newer facectl"),
        (&lock.replace(&second, &id), "a face belongs to one key", "two keys have one face"),
        (
            &lock.replace("lineage:", "\"x\\e[31m\\n::error::\":"),
            r"unknown field `x\u{001B}[31m ::error::`",
            "it speaks to the log",
        ),
        ("a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\n", "cannot be read", "it unfolds"),
        (&"- ".repeat(100_000), "cannot be read", "it is nested"),
    ] {
        environment.write("facectl.lock.yaml", text);
        let run = environment.run("plan --offline").exits(1).prints_nothing();
        let run =
            run.says(&["error: cannot compare with facectl.lock.yaml; nothing was asked or written", wanted, "hint:"]);
        assert!(!run.stderr.contains('\u{1b}') && run.stderr.len() < 2000, "{why}: {run}");
        assert!(run.stderr.lines().all(|line| !line.starts_with("::")), "{why}: {run}");
    }
    // All of it are holes: nothing is on the disk.
    fs::File::create(environment.path("facectl.lock.yaml")).unwrap().set_len((128 << 20) + 1).unwrap();
    environment.run("plan --offline").exits(1).says(&["it is larger than 128 MiB", "hint:"]);
    fs::remove_file(environment.path("facectl.lock.yaml")).unwrap();
    symlink(environment.path("secret"), environment.path("facectl.lock.yaml")).unwrap();
    let run = environment.run("plan --offline").exits(1).says(&["it is a link or no plain file"]);
    run.hides(&["hunter2"]);
    assert!(!environment.path(".facectl").exists());
}

#[test]
fn an_offline_plan_is_neither_saved_nor_made_with_a_look() {
    let environment = applied();
    let run = environment.run("plan --offline --out plan.json").exits(1).prints_nothing();
    run.says(&["--out and --offline exclude each other"]);
    assert!(!environment.path("plan.json").exists());
    for flag in ["--refresh", "--refresh=false"] {
        environment.run(&format!("plan --offline {flag}")).exits(1).says(&["cannot be used with"]);
    }
    let environment = environment.with("FACECTL_OFFLINE", "1");
    environment.run("plan").exits(0).prints(&["offline plan:"]);
    environment.run("plan --target nobody").exits(1).says(&["--target nobody: there is no such face"]);
}

#[test]
fn a_rehearsal_is_compared_with_its_own_lock_file() {
    let environment = Environment::project(&["ana"]);
    environment.run("plan --offline --sandbox").exits(0).prints(&["1 to create"]);
    assert!(!environment.path(".facectl").exists());
    environment.run("apply --sandbox -y").exits(0);
    environment.run("plan --offline --sandbox").exits(0).prints(&["No changes. 1 face as declared."]);
}
