//! Saved plans: exactly what was approved is carried out, once, or nothing at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::environment::{Environment, Run, project};
use crate::server::Server;

/// A project of two faces, of which a plan was saved.
fn planned(server: &Server) -> Environment {
    let environment = Environment::against(server, &["ana", "bruno"]);
    environment.run("plan --out plan.json").exits(0).prints(&["2 to create"]);
    environment
}

/// The digest as `plan` prints it.
fn digest(run: &Run) -> String {
    let line = run.stdout.lines().find_map(|line| line.strip_prefix("Plan digest: "));
    line.unwrap_or_else(|| panic!("no digest: {run}")).to_owned()
}

/// Changes a saved plan as somebody would who knows its form, seal included only where it is left alone.
fn tamper(environment: &Environment, change: impl Fn(&mut Value)) {
    let mut plan: Value = serde_json::from_str(&environment.read("plan.json")).unwrap();
    change(&mut plan);
    environment.write("plan.json", plan.to_string());
}

/// Another checkout of the same project, with a state of its own, or rather without one.
fn another_checkout(server: &Server, of: &Environment) -> Environment {
    let other = Environment::project(&[]).talking_to(server);
    for (path, bytes) in of.files("faces") {
        other.write(&format!("faces/{}", path.file_name().unwrap().to_str().unwrap()), bytes);
    }
    if of.path("plan.json").exists() {
        other.write("plan.json", of.read("plan.json"));
    }
    other
}

#[test]
fn a_plan_is_saved_shown_and_applied_once_without_a_question() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    let plan = environment.run("plan --out plan.json").exits(0);
    let plan = plan.says(&["Saved as plan.json. To do exactly this, and nothing else: facectl apply plan.json"]);
    let mode = fs::metadata(environment.path("plan.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!environment.path(".facectl").exists(), "planning leaves no trace");

    let shown = environment.run("show plan.json").exits(0).says(&["whether it still stands was not checked"]);
    let shown = shown.prints(&["Saved plan of project acme, made", "+ ana create", "2 to create", "2 paid trainings"]);
    assert!(shown.stdout.contains(&plan.stdout), "as it was shown then:{shown}{plan}");
    let json = environment.run("show plan.json -o json").exits(0).json();
    assert_eq!((&json["summary"]["create"], &json["saved"]["is_checked"]), (&json!(2), &json!(false)));
    assert!(json["digest"].as_str().unwrap().starts_with(&digest(&plan)[..4]));
    assert_eq!(environment.run("show plan.json -o yaml").exits(0).prints(&["project: acme"]).stderr, "");

    let run = environment.run("apply plan.json").exits(0).says(&["The plan made 0s ago", "still stands."]);
    let run = run.prints(&["+ ana create", "Done: 2 created"]);
    assert_eq!((digest(&run), server.trainings()), (digest(&plan), 2));
    let history = environment.run("state history -o json").exits(0);
    let whole = json["digest"].as_str().unwrap();
    let lines = history.stdout.matches(whole).count();
    assert!(history.stdout.contains("plan_applied") && lines >= 5, "begun and settled twice, and the plan: {history}");
    let again = environment.run("apply plan.json").exits(5).prints_nothing();
    again.says(&[
        "this plan was applied before, at 20",
        "a plan is applied once; nothing was changed",
        "make a new plan",
    ]);
    assert_eq!(server.trainings(), 2);
    environment.run("plan").exits(0).prints(&["No changes."]);
}

#[test]
fn another_machine_computes_the_same_digest_and_can_apply_the_plan() {
    let server = Server::fast(&[]);
    let environment = planned(&server);
    let other = another_checkout(&server, &environment);
    assert_eq!(digest(&other.run("plan")), digest(&environment.run("plan")));
    other.run("apply plan.json").exits(0).prints(&["Done: 2 created"]);
    assert_eq!(server.trainings(), 2);
    // The first machine has no history of that, but it has eyes.
    let run = environment.run("apply plan.json").exits(5).prints_nothing();
    run.says(&["nothing was sent", "ana: it was create, and is blocked now, because"]);
    // With the other machine's lock file it knows even more.
    environment.write("facectl.lock.yaml", other.read("facectl.lock.yaml"));
    let run = environment.run("apply plan.json").exits(5);
    run.says(&["the record: ana (recorded since), bruno (recorded since)"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_changed_manifest_makes_a_plan_stale_and_a_new_signature_does_not() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bruno", "carla"]);
    environment.face_from("ana", "https://m.example.com/ana.mp4?X-Amz-Signature=one", "");
    environment.run("plan --out plan.json").exits(0);
    environment.edit("faces/bruno.yaml", "spec:\n", "spec:\n  face_name: Bruno II\n");
    environment.face("dan", "");
    fs::remove_file(environment.path("faces/carla.yaml")).unwrap();
    let run = environment.run("apply plan.json").exits(5).prints_nothing();
    run.says(&[
        "no longer stands, as what it stands on has moved; nothing was sent",
        "caused by: the manifests: bruno (changed), carla (gone), dan (new)",
        "hint: make a new one (`facectl plan --out FILE`), look at it, and apply that",
    ]);
    assert_eq!(server.requests("create"), 0);
    environment.run("plan --out plan.json").exits(0);
    environment.face_from("ana", "https://m.example.com/ana.mp4?X-Amz-Signature=two", "");
    environment.run("apply plan.json --no-wait").exits(0);
    assert_eq!(server.trainings(), 3);
}

#[test]
fn a_live_face_that_moved_makes_a_plan_stale() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("apply -y").exits(0);
    environment.edit("faces/ana.yaml", "spec:\n", "spec:\n  face_name: Ana II\n");
    environment.run("plan --out plan.json").exits(0).prints(&["1 to update"]);
    let [ana, bruno] = server.ids().try_into().unwrap();
    server.alter(&ana, &json!({ "face_name": "By hand" }));
    server.alter(&bruno, &json!({ "face_name": "By hand, too" }));
    let updates = server.requests("update");
    let run = environment.run("apply plan.json").exits(5).prints_nothing();
    run.says(&[
        "ana: still update, but in another way, because the manifest changed, and the live face was changed",
        "bruno: it was no-op, and is update now, because the live face was changed by somebody else",
    ]);
    assert_eq!((server.face(&ana)["face_name"].as_str(), server.requests("update")), (Some("By hand"), updates));
    environment.run("plan --out plan.json").exits(0);
    environment.run("apply plan.json").exits(0).prints(&["2 updated"]);
}

#[test]
fn a_training_that_goes_on_or_ends_does_not_make_a_plan_stale() {
    // Two hours a second: it trains while the plan is made, and is done after the wait.
    let server = Server::at_speed(7200.0, &[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait").exits(0);
    environment.face("bruno", "");
    environment.run("plan --out plan.json").exits(0).prints(&["1 to create"]);
    environment.run("wait").exits(0);
    environment.run("apply plan.json --no-wait").exits(0).prints(&["1 created"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn settings_and_limits_are_a_part_of_the_plan() {
    let server = Server::slow(&[]);
    let environment = planned(&server);
    environment.write("facectl.yaml", project("acme", "  limits: { max_trainings: 7 }\n"));
    environment.run("apply plan.json").exits(5).says(&["what it was made under (limits, spec.adopt"]);
    environment.write("facectl.yaml", project("acme", "  naming: marker\n"));
    environment.run("apply plan.json").exits(5).says(&["the project's settings (spec.naming)"]);
    environment.write("facectl.yaml", project("other", ""));
    environment.run("apply plan.json").exits(5).says(&["the plan is one of project acme, and here is project other"]);
    environment.write("facectl.yaml", project("acme", ""));
    environment
        .run("plan --max-trainings 1 --out over.json")
        .exits(5)
        .says(&["it breaks a limit, so it cannot be applied"]);
    environment.run("show over.json").exits(0).prints(&["over a limit: 2 trainings would be started"]);
    environment.run("apply over.json").exits(5).says(&["the plan breaks a limit; nothing was changed"]);
    assert_eq!(server.requests("create"), 0);
    environment.run("apply plan.json --no-wait").exits(0);
}

#[test]
fn what_shapes_a_plan_cannot_be_said_again_in_another_way() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    environment.run("plan --out plan.json --target ana --max-trainings 3").exits(0);
    for (line, flag) in [
        ("apply plan.json --adopt", "--adopt cannot shape a plan that is made already; nothing was changed"),
        ("apply plan.json --target bruno --max-trainings 3", "--target cannot shape"),
        ("apply plan.json --max-trainings 9 --retry ana", "--retry and --max-trainings cannot shape"),
        ("apply plan.json -f faces/ana.yaml", "--file cannot shape"),
        ("apply plan.json --naming marker", "--naming cannot shape"),
        ("apply plan.json --project acme", "--project cannot shape"),
    ] {
        environment.run(line).exits(5).prints_nothing().says(&[flag]);
    }
    let strict = Environment::against(&server, &[]).with("FACECTL_MAX_TRAININGS", "1");
    strict.write("faces/ana.yaml", environment.read("faces/ana.yaml"));
    strict.write("faces/bruno.yaml", environment.read("faces/bruno.yaml"));
    strict.write("plan.json", environment.read("plan.json"));
    strict.run("apply plan.json").exits(5).says(&["(or FACECTL_MAX_TRAININGS)"]);
    environment.run("apply plan.json faces").exits(1).says(&["plan.json is a saved plan, and stands alone"]);
    assert_eq!(server.requests("create"), 0);
    // The same is harmless, and so is what says only how to carry it out.
    environment.run("apply plan.json --target ana --max-trainings 3 -y --no-wait --parallelism 2").exits(0);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn a_plan_finds_its_project_from_where_it_was_made_and_from_within() {
    let server = Server::slow(&[]);
    let environment = Environment::empty().talking_to(&server);
    environment.write("repository/acme/facectl.yaml", project("acme", ""));
    for key in ["ana", "bruno"] {
        let text = crate::environment::face(key, &format!("https://m.example.com/{key}.mp4"), "");
        environment.write(&format!("repository/acme/faces/{key}.yaml"), text);
    }
    environment.run("plan repository/acme/faces/ana.yaml --out plan.json").exits(0).prints(&["1 to create"]);
    environment.run("apply plan.json --no-wait").exits(0).prints(&["1 created"]);
    environment.run("plan repository/acme/faces/*.yaml --out plan.json").exits(0).prints(&["1 to create"]);
    let mut within = environment.command("apply ../../../plan.json --no-wait");
    within.current_dir(environment.path("repository/acme/faces"));
    environment.spawn_command(within, "apply ../../../plan.json").end().exits(0).prints(&["1 created"]);
    assert_eq!(server.trainings(), 2);
    fs::rename(environment.path("repository/acme"), environment.path("moved")).unwrap();
    environment.run("apply plan.json").exits(1).says(&["cannot find the project that the plan was made for"]);
    let run = environment.run("apply plan.json --project-file moved/facectl.yaml").exits(5);
    run.says(&["this plan was applied before"]);
}

#[test]
fn a_file_that_is_not_as_it_was_written_is_refused() {
    let server = Server::slow(&[]);
    let environment = planned(&server);
    let whole = environment.read("plan.json");
    let again = |change: &dyn Fn(&mut Value)| {
        environment.write("plan.json", &whole);
        tamper(&environment, change);
        environment.run("apply plan.json").exits(5).prints_nothing()
    };
    again(&|plan| plan["text"] = json!("Nothing to see")).says(&["was changed after it was written"]);
    again(&|plan| plan["digest"] = json!("0".repeat(64))).says(&["was changed after it was written"]);
    again(&|plan| drop(plan.as_object_mut().unwrap().remove("seal"))).says(&["was changed after it was written"]);
    again(&|plan| plan["format_version"] = json!(0)).says(&["has format 0, and this facectl reads format 1"]);
    again(&|plan| plan["format_version"] = json!(2)).says(&["has format 2"]);
    environment.write("plan.json", &whole[..whole.len() / 2]);
    environment.run("apply plan.json").exits(5).says(&["a damaged plan"]);
    environment.run("show plan.json").exits(5).says(&["a damaged plan"]);
    environment.write("plan.json", whole.replace('\n', "\r\n"));
    environment.run("show plan.json").exits(0);
    // Laid out in another way it says the same.
    environment.write("plan.json", serde_json::from_str::<Value>(&whole).unwrap().to_string());
    assert_eq!(server.requests("create"), 0);
    environment.run("apply plan.json --no-wait").exits(0).prints(&["2 created"]);
}

#[test]
fn what_is_no_plan_is_not_taken_for_one() {
    let environment = Environment::project(&["ana"]);
    environment.write("empty.json", "");
    environment.write("other.json", r#"{"kind":"something-else"}"#);
    environment.write("binary", [0xff, 0x00, 0xfe]);
    for file in ["empty.json", "other.json", "binary", "faces/ana.yaml", "faces"] {
        environment.run(&format!("show {file}")).exits(1).says(&["is not a saved plan", "plan --out FILE"]);
    }
    environment.run("show nowhere.json").exits(1).says(&["cannot read nowhere.json"]);
    // As manifests they are judged as such.
    environment.run("apply --sandbox -y other.json").exits(1).says(&["facectl::"]);
}

#[test]
fn saving_overwrites_nothing_but_another_plan() {
    let server = Server::slow(&[]);
    let environment = planned(&server);
    for (line, says) in [
        ("plan --out faces/ana.yaml", "faces/ana.yaml is there, and is not a saved plan; it is left as it is"),
        ("plan --out faces", "faces is there, and is not a saved plan"),
        ("plan --out nowhere/plan.json", "cannot save the plan as nowhere/plan.json; nothing was saved"),
        ("plan --out new.json --refresh=false", "--out needs --refresh"),
    ] {
        environment.run(line).exits(1).says(&[says]);
    }
    assert!(environment.read("faces/ana.yaml").contains("kind: Face"));
    let run = environment.run_reading("plan --out new.json -", &environment.read("faces/ana.yaml")).exits(1);
    run.says(&["manifests from standard input cannot be read again"]);
    assert!(!environment.path("new.json").exists());
    let before = environment.read("plan.json");
    environment.run("plan --out plan.json").exits(0);
    assert_ne!(environment.read("plan.json"), before);
    let left: Vec<_> =
        environment.files("").into_iter().filter(|(path, _)| path.to_string_lossy().contains(".tmp-")).collect();
    assert_eq!(left, []);
}

#[test]
fn a_create_in_doubt_is_settled_first_and_then_the_plan_is_another_one() {
    let server = Server::slow(&["create@1:drop-before-effect"]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y --no-wait --no-settle").exits(10);
    environment.face("bruno", "");
    environment.run("plan --out plan.json").exits(0).prints(&["! ana blocked", "1 to create"]);
    let run = environment.run("apply plan.json --no-wait").exits(5);
    run.says(&[
        "what became of a create in doubt is known now, by this run: ana (nothing was started)",
        "ana: it was blocked, and is create now",
    ]);
    assert_eq!(server.trainings(), 0);
    environment.run("plan --out plan.json").exits(0).prints(&["2 to create"]);
    environment.run("apply plan.json --no-wait").exits(0);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn blocked_faces_stay_blocked_and_the_others_are_served() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.face("ana", "  lifecycle: { protect: true }\n");
    environment.run("apply -y --no-wait").exits(0);
    environment.face_from("ana", "https://m.example.com/other.mp4", "  lifecycle: { protect: true }\n");
    environment.face("bruno", "");
    environment.run("plan --out plan.json").exits(0).prints(&["! ana blocked", "1 to create"]);
    environment
        .run("apply plan.json --no-wait")
        .exits(5)
        .prints(&["1 created"])
        .says(&["Blocked, so nothing was done about: ana"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_run_that_was_killed_has_used_up_its_plan() {
    let server = Server::slow(&[]);
    let environment = planned(&server);
    let mut run = environment.spawn("apply plan.json");
    run.until_it_says("Waiting for 2 faces.");
    run.signal("KILL");
    run.end();
    environment.run("apply plan.json").exits(5).says(&["applied before", "also of a run that was interrupted"]);
    environment.run("plan").exits(0).prints(&["No changes. 2 faces as declared, 2 still in training"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn wherever_a_run_dies_its_plan_pays_once() {
    for (point, is_used) in [
        ("plan-applied.before-write", false),
        ("plan-applied.written", true),
        ("begun.before-write", true),
        ("create.sent", true),
        ("settled.written", true),
    ] {
        let server = Server::slow(&[]);
        let environment = planned(&server).with("FACECTL_KILL_AT", point);
        let run = environment.run("apply plan.json --no-wait --create-parallelism 1");
        assert_eq!(run.code, None, "{point}: {run}");
        let environment = environment.without("FACECTL_KILL_AT");
        let run = environment.run("apply plan.json --no-wait");
        let run = run.exits(if is_used { 5 } else { 0 });
        assert_eq!(run.stderr.contains("applied before"), is_used, "{point}: {run}");
        environment.run("apply -y --no-wait").exits(0);
        assert_eq!(server.trainings(), 2, "{point}");
    }
}

#[test]
fn a_replacement_is_saved_and_applied_and_what_it_leads_to_needs_no_plan() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    environment.face_from("ana", "https://m.example.com/other.mp4", "");
    let plan = environment.run("plan --out plan.json").exits(0).prints(&["1 to replace"]);
    let run = environment.run("apply plan.json").exits(0).prints(&["1 to replace"]);
    assert_eq!((digest(&run), server.trainings()), (digest(&plan), 2));
    environment.run("apply plan.json").exits(5).says(&["applied before"]);
    environment.run("plan").exits(0).prints(&["No changes."]);
}

#[test]
fn two_runs_of_one_plan_at_once_pay_once() {
    let server = Server::slow(&[]);
    let environment = planned(&server);
    let runs = [(); 2].map(|()| environment.spawn("apply plan.json --no-wait --lock-timeout 30s"));
    let mut codes = runs.map(|run| run.end().code);
    codes.sort();
    assert_eq!((codes, server.trainings()), ([Some(0), Some(5)], 2));
}

#[test]
fn a_plan_is_saved_and_applied_in_the_sandbox_and_means_nothing_outside() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("plan --sandbox --out plan.json").exits(0);
    run.says(&["nothing else: facectl apply --sandbox plan.json"]);
    environment.run("show plan.json").exits(0).prints(&["in the sandbox."]);
    environment.run("apply plan.json").exits(5).says(&["the plan was made in the sandbox", "add --sandbox"]);
    let apply = "apply --sandbox --sandbox-speed 36000 plan.json";
    environment.run(apply).exits(0).prints(&["Done: 1 created"]);
    environment.run(apply).exits(5).says(&["applied before"]);
    environment.run("plan --out real.json").exits(0);
    environment.run("apply --sandbox real.json").exits(5).says(&["made for the real API", "leave --sandbox away"]);
    let other = Server::slow(&[]);
    let environment = environment.with("TAVUS_PUBLIC_API_BASE_URL", &other.url());
    environment.run("apply real.json").exits(5).says(&["the API: it was made for http://127.0.0.1:"]);
    assert_eq!((server.trainings(), other.trainings()), (0, 0));
}

#[test]
fn a_digest_is_a_condition_for_applying() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bruno"]);
    let plan = environment.run("plan").exits(0);
    let (digest, json) = (digest(&plan), environment.run("plan -o json").json());
    let whole = json["digest"].as_str().unwrap();
    assert!(whole.starts_with(&digest.replace('-', "")));
    // It is a condition, and no approval.
    environment.run(&format!("apply --expect-digest {digest}")).exits(1).says(&["nobody to ask"]);
    environment.edit("faces/bruno.yaml", "spec:\n", "spec:\n  face_name: Bruno II\n");
    let run = environment.run(&format!("apply -y --expect-digest {digest}")).exits(5);
    run.prints(&["+ bruno create"]).says(&["this is not the plan that was expected", "nothing was changed"]);
    environment.run("apply -y --expect-digest 1a2b").exits(1).says(&["a digest as `facectl plan` prints it"]);
    assert_eq!(server.requests("create"), 0);
    environment.edit("faces/bruno.yaml", "  face_name: Bruno II\n", "");
    environment.run(&format!("apply -y --no-wait --expect-digest {whole}")).exits(0);
    let run = environment.run(&format!("apply -y --no-wait --expect-digest {digest}")).exits(5);
    run.says(&["there is nothing to change: was it applied already?"]);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn a_plan_without_changes_has_no_digest_to_approve_and_nothing_to_apply() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    let run = environment.run("plan --out plan.json").exits(0).says(&["there is nothing in it to apply"]);
    assert!(!run.stdout.contains("digest"), "{run}");
    environment.run("apply plan.json").exits(0).prints(&["No changes."]);
    environment.run("apply plan.json").exits(0).prints(&["No changes."]);
}

#[test]
fn a_saved_plan_knows_the_commit_it_was_made_from() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let git = |words: &str| {
        let mut command = std::process::Command::new("git");
        command.current_dir(environment.path("")).args(words.split(' '));
        command.env("HOME", environment.path("")).output().unwrap()
    };
    // The tools are there wherever this is built; the binary finds them by its PATH.
    let environment_with_git = |line: &str| {
        let mut command = environment.command(line);
        command.env("PATH", std::env::var_os("PATH").unwrap());
        environment.spawn_command(command, line).end()
    };
    environment_with_git("plan --out plan.json").exits(0);
    assert!(environment.run("show plan.json -o json").json()["saved"]["git_commit"].is_null());
    git("init -q");
    git("-c user.name=A -c user.email=a@example.com commit -q --allow-empty -m first");
    environment_with_git("plan --out plan.json").exits(0);
    let commit = String::from_utf8(git("rev-parse HEAD").stdout).unwrap().trim().to_owned();
    assert_eq!(environment.run("show plan.json -o json").json()["saved"]["git_commit"], commit.as_str());
    environment.run("show plan.json").prints(&[&format!("from commit {commit}")]);
}
