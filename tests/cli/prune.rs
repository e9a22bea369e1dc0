//! Deleting what nobody asks for any more: only with a policy and a flag, and never what is protected or in use.

use std::fs;

use serde_json::json;

use crate::environment::{Environment, project};
use crate::server::Server;

const MAY_GO: &str = "  lifecycle: { on_removal: delete }\n";

/// A project of two faces, both ready, of which `bruno` has left the manifests; returns its id.
fn left(server: &Server, lifecycle: &str) -> (Environment, String) {
    let environment = Environment::against(server, &["ana"]);
    environment.face("bruno", lifecycle);
    environment.run("apply -y").exits(0);
    undeclare(&environment, "bruno");
    let id = server.ids().remove(1);
    (environment, id)
}

fn undeclare(environment: &Environment, key: &str) {
    fs::remove_file(environment.path(&format!("faces/{key}.yaml"))).unwrap();
}

fn is_alive(server: &Server, id: &str) -> bool {
    server.living().iter().any(|living| living == id)
}

#[test]
fn what_left_the_manifests_is_deleted_only_where_policy_and_flag_say_so() {
    for (lifecycle, hard) in [(MAY_GO, false), ("  lifecycle: { on_removal: hard_delete }\n", true)] {
        let server = Server::fast(&[]);
        let (environment, id) = left(&server, lifecycle);
        environment.run("plan").exits(0).prints(&["o bruno orphaned", "`--prune` deletes it", "No changes."]);
        environment.run("apply -y").exits(0);
        assert!(is_alive(&server, &id));
        let plan = environment.run("plan --prune").exits(0);
        let plan = plan.prints(&["- bruno delete", &id, "cannot be undone", "1 to delete"]);
        assert_eq!(plan.stdout.contains("material"), hard, "{plan}");
        environment.run("apply --prune").exits(1).says(&["nobody to ask"]);
        assert!(is_alive(&server, &id));
        environment.run("apply -y --prune").exits(0).prints(&["1 deleted"]);
        assert!(!is_alive(&server, &id));
        environment.run("apply -y --prune").exits(0).prints(&["No changes."]);
        assert_eq!((server.requests("delete"), server.trainings()), (1, 2));
        assert!(!environment.read("facectl.lock.yaml").contains(&id));
    }
    let server = Server::fast(&[]);
    let (environment, id) = left(&server, "");
    environment.run("apply -y --prune").exits(0).prints(&["o bruno orphaned", "deletes nothing on its own"]);
    assert!(is_alive(&server, &id), "what is to be retained is retained");
}

#[test]
fn protection_is_remembered_when_the_manifest_is_gone_also_on_another_machine() {
    let server = Server::fast(&[]);
    let (environment, id) = left(&server, "  lifecycle: { on_removal: delete, protect: true }\n");
    environment.run("apply -y --prune").exits(0).prints(&["o bruno orphaned", "it is protected"]);
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    environment.run("apply -y --prune").exits(0).prints(&["it is protected"]);
    assert_eq!((is_alive(&server, &id), server.requests("delete")), (true, 0));
}

#[test]
fn a_face_that_failed_lately_is_kept_for_its_refund_unless_somebody_insists() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.face_from("bruno", "https://media.example.com/fail-training.mp4", MAY_GO);
    environment.run("apply -y").exits(4);
    let id = server.ids().remove(1);
    undeclare(&environment, "bruno");
    let run = environment.run("apply -y --prune").exits(0);
    run.prints(&["failed less than a day ago", "may lose the refund", "--prune-failed"]);
    assert!(is_alive(&server, &id));
    environment.run("apply -y --prune-failed").exits(0);
    assert!(is_alive(&server, &id), "it says more of --prune, and is none itself");
    environment.run("apply -y --prune --prune-failed").exits(0).prints(&["1 deleted"]);
    assert!(!is_alive(&server, &id));
}

#[test]
fn a_face_that_a_pal_uses_is_kept_until_it_is_pointed_elsewhere() {
    let server = Server::fast(&[]);
    let (environment, id) = left(&server, MAY_GO);
    let pal = server.add_pal("Front desk", &id);
    let run = environment.run("apply -y --prune").exits(0);
    run.prints(&["o bruno orphaned", &pal, "Front desk", "point them to another face first"]);
    assert!(is_alive(&server, &id));
    // A listing that cannot be had proves nothing.
    server.faults(&["pals:500"]);
    let run = environment.run("apply -y --prune");
    assert_ne!(run.code, Some(0), "{run}");
    assert!(is_alive(&server, &id));
    server.faults(&[]);
    let other = server.ids().remove(0);
    let patch = json!([{ "op": "add", "path": "/default_face_id", "value": other }]);
    server.ask("PATCH", &format!("/v2/pals/{pal}"), &patch);
    environment.run("apply -y --prune").exits(0).prints(&["1 deleted"]);
    assert!(!is_alive(&server, &id));
}

#[test]
fn more_deletions_than_allowed_are_5_and_delete_nothing() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    for key in ["bruno", "carla", "dora"] {
        environment.face(key, MAY_GO);
    }
    environment.run("apply -y").exits(0);
    ["bruno", "carla", "dora"].iter().for_each(|key| undeclare(&environment, key));
    environment.write("facectl.yaml", project("acme", "  limits: { max_deletions: 2 }\n"));
    environment.run("plan --prune").exits(5).prints(&["over a limit:", "spec.limits.max_deletions", "--max-deletions"]);
    let run = environment.run("apply -y --prune").exits(5);
    run.says(&["the plan breaks a limit; nothing was changed", "3 deletions", "--max-deletions 3"]);
    assert_eq!((server.requests("delete"), server.living().len()), (0, 4));
    environment.run("apply -y --prune --max-deletions 3").exits(0).prints(&["3 deleted"]);
    assert_eq!(server.living().len(), 1);
}

#[test]
fn an_empty_project_deletes_nothing() {
    let server = Server::fast(&[]);
    let (environment, id) = left(&server, MAY_GO);
    undeclare(&environment, "ana");
    // A project without faces is refused before anything is looked at: it is most often a wrong path.
    environment.run("apply -y --prune").exits(1).says(&["there are no manifests in this folder", "--allow-empty"]);
    environment.write("faces/none.yaml", "# The last one has gone.\n");
    environment.run("apply -y --prune").exits(1).says(&["a project declares at least one face", "--allow-empty"]);
    assert_eq!((is_alive(&server, &id), server.living().len(), server.requests("delete")), (true, 2, 0));
    environment.run("status").exits(0).prints(&["no longer declared"]);
    environment.run("apply -y --allow-empty").exits(0).prints(&["--prune"]);
    assert!(is_alive(&server, &id), "only what on_removal lets go, and only with --prune");
    environment.run("apply -y --prune --allow-empty").exits(0).prints(&["1 deleted"]);
    assert!(!is_alive(&server, &id));
}

#[test]
fn trainings_are_counted_over_a_period_and_not_only_in_one_run() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.write("facectl.yaml", project("acme", "  limits: { max_trainings: 2, max_trainings_per: 1d }\n"));
    environment.run("apply -y --no-wait").exits(0);
    environment.face("carla", "");
    environment.run("plan").exits(5).prints(&["over a limit:", "spec.limits.max_trainings"]);
    let run = environment.run("apply -y --no-wait").exits(5);
    run.says(&["nothing was changed", "2 within 1d", "--max-trainings 3"]);
    // A machine that only has the lock file counts the same.
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    environment.run("apply -y --no-wait").exits(5);
    assert_eq!(server.trainings(), 2);
    environment.run("apply -y --no-wait --max-trainings 3").exits(0);
    assert_eq!(server.trainings(), 3);
}

#[test]
fn a_face_that_was_replaced_goes_once_its_time_is_up_and_prune_says_so() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    let old = server.ids().remove(0);
    let pal = server.add_pal("desk", &old);
    let anew = |retire_after: &str| {
        let lifecycle = format!("  lifecycle: {{ on_removal: delete, retire_after: {retire_after} }}\n");
        environment.face("ana", &format!("  training_version: \"2\"\n{lifecycle}"));
    };
    anew("30d");
    environment.run("apply -y --prune").exits(0);
    environment.run("apply -y --prune").exits(0).prints(&["kept until", "to roll back to"]);
    assert!(is_alive(&server, &old));
    anew("0s");
    environment.run("plan").exits(0).prints(&["Faces from before:", &old, "--prune"]);
    environment.run("apply -y --prune").exits(0).prints(&["1 deleted"]);
    assert!(!is_alive(&server, &old), "no PAL uses it any more, {pal} neither");
    environment.run("plan --prune --expect-no-changes").exits(0);
    assert_eq!((server.requests("delete"), server.trainings()), (1, 2));
}

/// Two faces, trained; `bruno` may be deleted once nobody declares it. Returns its id.
fn trained(server: &Server) -> (Environment, String) {
    let environment = Environment::against(server, &["ana"]);
    environment.face("bruno", MAY_GO);
    environment.run("apply -y").exits(0);
    let id = server.ids().remove(1);
    (environment, id)
}

#[test]
fn a_manifest_that_lost_its_shape_is_an_error_and_deletes_nothing() {
    let server = Server::fast(&[]);
    let (environment, id) = trained(&server);
    assert!(environment.read("facectl.lock.yaml").contains("manifest: faces/bruno.yaml"));
    let whole = environment.read("faces/bruno.yaml");
    let list = format!("- {}", whole.trim_end().replace('\n', "\n  "));
    let commented: String = whole.lines().map(|line| format!("# {line}\n")).collect();
    let no_kind = "apiVersion: v1\nkind: Fase\nmetadata:\n  name: bruno\n".to_owned();
    let shapes =
        [String::new(), list, commented, "---\n".to_owned(), "---\n---\n".to_owned(), "null\n".to_owned(), no_kind];
    for shape in shapes.iter().map(String::as_str).chain(["{}\n", "[]\n", "bruno\n", "{{ if x }}\n", "...\n", "\n\n"]) {
        environment.write("faces/bruno.yaml", shape);
        for line in ["validate", "plan --prune", "apply -y --prune", "plan --offline", "apply -y --prune --allow-empty"]
        {
            let run = environment.run(line).exits(1);
            run.says(&["facectl::lost-manifest", "faces/bruno.yaml: this file declared `bruno` before"]);
        }
    }
    // What no reader takes at all was an error before, too.
    for shape in [&b"kind: Face\n\xff\n"[..], b"\xff\xfe\0k\0i\0n\0d", b"apiVersion: facectl.dev/v1\nkind: Face\n"] {
        environment.write("faces/bruno.yaml", shape);
        environment.run("apply -y --prune").exits(1).says(&["faces/bruno.yaml"]);
    }
    assert!(is_alive(&server, &id));
    // On a machine that only has the lock file.
    environment.write("faces/bruno.yaml", "");
    fs::remove_dir_all(environment.path(".facectl")).unwrap();
    environment.run("validate").exits(1).says(&["this file declared `bruno` before"]);
    // And on one that only has the state.
    environment.write("faces/bruno.yaml", &whole);
    environment.run("apply -y").exits(0);
    fs::remove_file(environment.path("facectl.lock.yaml")).unwrap();
    environment.write("faces/bruno.yaml", "");
    environment.run("validate --lock-file=false").exits(1).says(&["this file declared `bruno` before"]);
    undeclare(&environment, "bruno");
    environment.run("apply -y --prune").exits(0).prints(&["1 deleted"]);
    assert!(!is_alive(&server, &id), "to give a face up is to remove its file");
}

#[test]
fn with_a_skipped_file_nothing_is_pruned_and_the_plan_names_it() {
    let server = Server::fast(&[]);
    let (environment, id) = trained(&server);
    undeclare(&environment, "bruno");
    for text in ["", "a: b\n", "# kind: Face\n", "- kind: Face\n"] {
        environment.write("faces/notes.yaml", text);
        environment.run("validate").exits(0).says(&["faces/notes.yaml"]);
        environment.run("validate --strict").exits(1).says(&["faces/notes.yaml"]);
        let named = ["o bruno orphaned", "faces/notes.yaml could not be read as manifests"];
        environment.run("plan --prune").exits(0).prints(&named);
        environment.run("apply -y --prune").exits(0).prints(&named);
        environment.run("plan --prune --offline").exits(0).prints(&named);
    }
    // One document of two.
    environment.write("faces/notes.yaml", "a: b\n");
    let both = format!("{}---\n- {}", environment.read("faces/ana.yaml"), "kind: Face\n");
    fs::remove_file(environment.path("faces/notes.yaml")).unwrap();
    environment.write("faces/ana.yaml", both);
    environment.run("apply -y --prune").exits(0).prints(&["faces/ana.yaml could not be read"]);
    assert!(is_alive(&server, &id));
}

#[test]
fn a_face_whose_file_is_still_there_in_some_form_is_kept() {
    let server = Server::fast(&[]);
    let (environment, id) = trained(&server);
    let whole = environment.read("faces/bruno.yaml");
    let (file, bak) = (environment.path("faces/bruno.yaml"), environment.path("faces/bruno.yaml.bak"));
    // Renamed to what nobody reads.
    for other in ["bruno.yaml.bak", "bruno.json", "bruno.yaml~", ".bruno.yaml", "bruno"] {
        let other = format!("faces/{other}");
        fs::rename(&file, environment.path(&other)).unwrap();
        environment.run("apply -y --prune").exits(0).prints(&["o bruno orphaned", &format!("{other} declared it")]);
        fs::rename(environment.path(&other), &file).unwrap();
    }
    // A folder in its place.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    environment.run("apply -y --prune").exits(0).prints(&["faces/bruno.yaml declared it"]);
    fs::remove_dir(&file).unwrap();
    // A link that leads nowhere.
    std::os::unix::fs::symlink("gone.yaml", &file).unwrap();
    environment.run("apply -y --prune").exits(1).says(&["faces/bruno.yaml: cannot read it"]);
    fs::remove_file(&file).unwrap();
    // A project that does not name it any more.
    environment.write("faces/bruno.yaml", &whole);
    environment.edit("facectl.yaml", "[faces/]", "[faces/ana.yaml]");
    environment.run("apply -y --prune").exits(0).prints(&["faces/bruno.yaml declared it"]);
    environment.edit("facectl.yaml", "[faces/ana.yaml]", "[faces/]");
    // A folder that became another project.
    environment.write("faces/sub/facectl.yaml", project("sub", ""));
    fs::rename(&file, environment.path("faces/sub/bruno.yaml")).unwrap();
    assert!(!bak.exists());
    environment.run("apply -y").exits(0);
    assert!(is_alive(&server, &id));
    // Declared elsewhere is declared, and its new place is the one that counts.
    fs::rename(environment.path("faces/sub/bruno.yaml"), environment.path("faces/moved.yml")).unwrap();
    fs::remove_dir_all(environment.path("faces/sub")).unwrap();
    environment.write("faces/bruno.yaml", "");
    environment.run("validate").exits(0);
    environment.run("apply -y --prune").exits(0);
    assert!(environment.read("facectl.lock.yaml").contains("manifest: faces/moved.yml"));
    fs::remove_file(&file).unwrap();
    fs::remove_file(environment.path("faces/moved.yml")).unwrap();
    environment.run("apply -y --prune").exits(0).prints(&["1 deleted"]);
    assert!(!is_alive(&server, &id));
}

#[test]
fn a_folder_of_manifests_that_is_gone_deletes_nothing_unless_that_is_meant() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.write("facectl.yaml", project("acme", "").replace("[faces/]", "[faces/, more/]"));
    environment.face("bruno", MAY_GO);
    fs::create_dir(environment.path("more")).unwrap();
    fs::rename(environment.path("faces/bruno.yaml"), environment.path("more/bruno.yaml")).unwrap();
    environment.run("apply -y").exits(0);
    let id = server.ids().remove(1);
    fs::remove_dir_all(environment.path("more")).unwrap();
    environment.run("apply -y --prune").exits(1).says(&["more: there is no such file or folder"]);
    environment.run("reconcile --once --prune").exits(0);
    assert!(is_alive(&server, &id));
    environment.run("apply -y --prune --allow-empty").exits(0).prints(&["1 deleted"]);
    assert!(!is_alive(&server, &id));
}
