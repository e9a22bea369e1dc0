//! Flag > environment > file > default, and what the environment may and may not say.

use crate::environment::{Environment, project};
use crate::server::Server;

#[test]
fn the_model_is_the_faces_own_then_the_projects_then_phoenix_4() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("plan").prints(&["model_name: phoenix-4 "]);
    environment.write("facectl.yaml", project("acme", "  defaults: { model_name: phoenix-4.5 }\n"));
    environment.run("plan").prints(&["model_name: phoenix-4.5 "]);
    environment.face("ana", "  model_name: phoenix-3\n");
    environment.run("plan").prints(&["model_name: phoenix-3 "]);
}

#[test]
fn max_trainings_is_the_flags_then_the_environments_then_the_files_then_10() {
    let server = Server::slow(&[]);
    let keys: Vec<String> = (0..11).map(|number| format!("face-{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let environment = Environment::against(&server, &keys);
    environment.run("plan").prints(&["11 trainings would be started, spec.limits.max_trainings allows 10 ("]);
    environment.write("facectl.yaml", project("acme", "  limits: { max_trainings: 9 }\n"));
    environment.run("plan").prints(&["allows 9 ("]);
    let environment = environment.with("FACECTL_MAX_TRAININGS", "8");
    environment.run("plan").prints(&["allows 8 ("]);
    environment.run("plan --max-trainings 7").prints(&["allows 7 ("]);
    let run = environment.run("plan --max-trainings 11");
    assert!(!run.stdout.contains("over a limit"), "{run}");
}

#[test]
fn the_output_is_the_flags_then_the_environments_then_text() {
    let environment = Environment::project(&["ana"]);
    environment.run("validate").prints(&["Valid: 1 face in 1 file, project acme."]);
    let environment = environment.with("FACECTL_OUTPUT", "json");
    assert_eq!(environment.run("validate").exits(0).json()["faces"], 1);
    environment.run("validate -o yaml").exits(0).prints(&["faces: 1"]);
    environment.run("validate --output text").prints(&["Valid:"]);
}

#[test]
fn the_settings_of_the_file_are_used_where_nothing_else_is_said() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).without("TAVUS_PUBLIC_API_BASE_URL");
    // Two accounts in one folder: the lock file belongs to one of them only.
    let settings = format!("  api_url: {}\n  state_dir: memory\n  lock_file: false\n", server.url());
    environment.write("facectl.yaml", project("acme", &settings));
    environment.run("apply -y --no-wait").exits(0);
    assert_eq!(server.trainings(), 1);
    assert!(environment.path("memory/db").is_dir() && !environment.path(".facectl").exists());
    let other = Server::slow(&[]);
    let environment = environment.with("FACECTL_API_URL", &other.url()).with("FACECTL_STATE_DIR", "other-memory");
    environment.run("apply -y --no-wait").exits(0);
    assert_eq!((server.trainings(), other.trainings()), (1, 1));
    assert!(environment.path("other-memory/db").is_dir());
}

#[test]
fn manifests_can_be_named_by_the_environment() {
    let environment = Environment::project(&["ana", "bruno"]).with("FACECTL_FILE", "faces/ana.yaml");
    environment.run("validate").prints(&["Valid: 1 face"]);
    let environment = environment.with("FACECTL_FILE", "faces/ana.yaml:faces/bruno.yaml");
    environment.run("validate").prints(&["Valid: 2 faces"]);
}

#[test]
fn a_variable_that_is_set_to_nothing_counts_as_not_set() {
    let mut environment = Environment::project(&["ana"]);
    for name in [
        "FILE",
        "OUTPUT",
        "LOCK_TIMEOUT",
        "STATE_DIR",
        "API_URL",
        "API_KEY_FILE",
        "REFRESH",
        "SANDBOX_FAULT",
        "COLOR",
        "MAX_TRAININGS",
        "VERBOSE",
        "PROJECT",
        "SANDBOX_SPEED",
        "WAIT_TIMEOUT",
    ] {
        environment = environment.with(&format!("FACECTL_{name}"), "");
    }
    environment.run("plan --sandbox").exits(0).prints(&["+ ana create"]);
    environment.run("apply --sandbox -y --no-wait").exits(0);
}

#[test]
fn a_rehearsal_can_be_asked_for_by_the_environment_and_beats_the_address_there() {
    let environment = Environment::project(&["ana"]).with("FACECTL_API_URL", "http://127.0.0.1:9/v2");
    environment.run("plan --sandbox").exits(0);
    for yes in ["1", "true", "yes"] {
        Environment::project(&["ana"]).with("FACECTL_SANDBOX", yes).run("plan").exits(0);
    }
    for no in ["0", "false", ""] {
        Environment::project(&["ana"]).with("FACECTL_SANDBOX", no).run("plan").exits(1).says(&["no API key"]);
    }
}

#[test]
fn a_rehearsal_and_an_address_on_one_command_line_exclude_each_other() {
    let environment = Environment::project(&["ana"]);
    let run = environment.run("plan --sandbox --api-url http://127.0.0.1:9/v2").exits(1);
    run.says(&["--sandbox and --api-url exclude each other"]);
    let run = environment.with("FACECTL_SANDBOX", "1").run("apply -y --api-url http://127.0.0.1:9/v2").exits(1);
    run.says(&["--sandbox (FACECTL_SANDBOX) and --api-url exclude each other"]);
}

#[test]
fn what_makes_apply_not_ask_answers_no_other_question() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]).with("FACECTL_AUTO_APPROVE", "1");
    environment.run("apply").exits(0);
    environment.face("ana", "  training_version: \"2\"\n");
    environment.run("apply").exits(0);
    let before = environment.files("faces");
    for line in ["delete ana --although-declared", "rollback ana", "state forget ana", "converse ana"] {
        environment.run(line).exits(1).says(&["--auto-approve (-y, --yes)"]);
    }
    assert_eq!((server.requests("delete"), server.requests("conversation"), server.living().len()), (0, 0, 2));
    assert_eq!(environment.files("faces"), before);
    environment.run("apply").exits(0).prints(&["No changes."]);
    for (flag, line) in [("--yes", "rollback ana"), ("-y", "state forget ana")] {
        environment.run(&format!("{line} {flag}")).exits(0);
    }
    let other = Environment::against(&server, &[]);
    other.face("zoe", "");
    for flag in ["--auto-approve", "--yes", "-y"] {
        other.run(&format!("apply {flag}")).exits(0);
    }
}
