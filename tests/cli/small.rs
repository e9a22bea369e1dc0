//! The commands beside the main job, and manners: help, pipes, conversations, the sandbox as a server.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::environment::Environment;
use crate::server::Server;

#[test]
fn every_command_explains_itself() {
    let environment = Environment::empty();
    let help = environment.run("--help").exits(0).says_nothing().stdout;
    let commands = help.split_once("Commands:").unwrap().1.split_once("Options:").unwrap().0;
    // A line at the first indent begins a command; deeper ones go on with its text.
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = names.map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(names.len() >= 15, "{names:?}");
    for name in names {
        if name == "help" {
            continue;
        }
        for line in [format!("{name} --help"), format!("{name} -h"), format!("help {name}")] {
            let run = environment.run(&line).exits(0).says_nothing();
            assert!(run.stdout.contains("Usage: facectl"), "{run}");
        }
    }
}

#[test]
fn no_help_shows_the_key() {
    let environment = Environment::empty().with("TAVUS_API_KEY", "secret-key");
    environment.run("apply --help").exits(0).hides(&["secret-key"]);
}

#[test]
fn the_version_is_printed_both_ways() {
    let environment = Environment::empty();
    let version = format!("facectl {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(environment.run("version").exits(0).stdout, version);
    assert_eq!(environment.run("--version").exits(0).stdout, version);
}

#[test]
fn completions_and_the_manual_are_generated() {
    let environment = Environment::empty();
    for (shell, text) in [("bash", "_facectl()"), ("zsh", "#compdef facectl"), ("fish", "complete -c facectl")] {
        environment.run(&format!("completions {shell}")).exits(0).says_nothing().prints(&[text, "apply"]);
    }
    environment.run("completions powershell").exits(0);
    environment.run("completions tcsh").exits(1);
    environment.run("man").exits(0).prints(&[".TH facectl 1", "apply"]);
    std::fs::create_dir(environment.path("pages")).unwrap();
    environment.run("man --dir pages").exits(0);
    assert!(environment.read("pages/facectl-apply.1").contains("auto\\-approve"));
    environment.run("man --dir nowhere/at/all").exits(1).says(&["cannot write the manual page"]);
}

#[test]
fn the_schemas_are_json_schemas_of_what_is_checked() {
    let environment = Environment::empty();
    for kind in ["", "face", "project"] {
        let schema = environment.run(&format!("schema {kind}")).exits(0).says_nothing().json();
        assert!(schema["$schema"].is_string() && schema["properties"]["spec"].is_object(), "{schema}");
    }
    environment.run("schema nothing").exits(1);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let environment = Environment::project(&["ana"]);
    for line in ["completions bash", "schema", "man", "--help", "plan --sandbox", "validate -o json"] {
        let mut child = environment.command(line).spawn().unwrap();
        drop(child.stdout.take());
        let stderr = {
            let mut text = String::new();
            std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut text).unwrap();
            text
        };
        let status = child.wait().unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn a_listener_that_goes_away_does_not_stop_an_apply() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    for line in ["apply -y -vvv", "apply -y"] {
        let mut child = environment.command(line).stdout(Stdio::null()).spawn().unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{line}");
    }
    environment.run("plan").exits(0).prints(&["No changes."]);
    assert_eq!(server.trainings(), 1);
}

#[test]
fn head_gets_its_one_line() {
    let environment = Environment::empty();
    let script = format!("{} completions bash | head -1", env!("CARGO_BIN_EXE_facectl"));
    let output =
        Command::new("bash").args(["-o", "pipefail", "-c", &script]).current_dir(environment.path("")).output();
    let Ok(output) = output else { return };
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn apply_asks_nobody_where_there_is_no_terminal() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run_reading("apply", "yes\n").exits(1).prints(&["+ ana create"]);
    run.says(&["this is no terminal; nothing was changed", "--auto-approve (-y, --yes)"]);
    assert_eq!(server.requests("create"), 0);
    // Where there is nothing to ask, nobody is missed.
    environment.run("apply -y --no-wait").exits(0);
    environment.run("apply --no-wait").exits(0).prints(&["No changes."]);
}

#[test]
fn apply_tells_programs_what_happened() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.face_from("bruno", "https://media.example.com/plan-402.mp4", "");
    let json = environment.run("apply -y -o json").exits(4).json();
    assert_eq!((&json["created"], &json["refused"][0]["key"]), (&json!(["ana"]), &json!("bruno")), "{json}");
    assert_eq!((&json["exit_code"], &json["reached"]), (&json!(4), &json!(["ana"])));
    let rows = json["faces"].as_array().unwrap();
    assert_eq!((&rows[0]["health"], &rows[1]["health"]), (&json!("Ready"), &json!("Missing")), "{json}");
}

#[test]
fn a_test_conversation_is_free_and_its_link_is_all_that_is_printed() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    let run = environment.run("converse ana --test").exits(0);
    let run = run.says(&["a test: nothing joins it and nothing is charged"]);
    assert!(run.stdout.starts_with("https://") && run.stdout.lines().count() == 1, "{run}");
    let json = environment.run("converse ana --test -o json").exits(0).json();
    assert_eq!((&json["test"], &json["face_id"]), (&json!(true), &json!(server.ids()[0])));
}

#[test]
fn a_conversation_that_costs_needs_somebody_to_agree() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.run("apply -y").exits(0);
    let run = environment.run_reading("converse ana", "yes\n").exits(1).prints_nothing();
    run.says(&["costs minutes of your plan", "nobody is here to agree; nothing was opened", "--test", "--yes"]);
    assert_eq!(server.requests("conversation"), 0);
    environment.run("converse ana --yes").exits(0).says(&["it costs minutes until it is ended"]);
    assert_eq!(server.requests("conversation"), 1);
}

#[test]
fn a_conversation_with_nobody_is_refused_with_what_there_is() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("converse ana --test").exits(1);
    run.says(&["no face is recorded under the key `ana`", "facectl apply"]);
    environment.run("apply -y --no-wait").exits(0);
    environment.run("converse anna --test").exits(1).says(&["recorded are: ana"]);
    let run = environment.run("converse ana --test").exits(9);
    run.says(&["is training, so it cannot hold a conversation yet; nothing was opened", "facectl wait"]);
    server.alter(&server.ids()[0], &json!({ "removed": true }));
    environment.run("converse ana --test").exits(4).says(&["is not in this account; nothing was opened"]);
    assert_eq!(server.requests("conversation"), 0);
}

#[test]
fn the_sandbox_serves_until_it_is_interrupted_and_keeps_its_world() {
    let environment = Environment::project(&["ana"]).with("TAVUS_API_KEY", "any-key");
    let mut environment = environment.with("FACECTL_POLL_INTERVAL", "20ms");
    for turn in 0..2 {
        let mut sandbox = environment.spawn("sandbox --port 0 --speed 36000 --world world.json");
        let url = sandbox.until_it_prints_a_line();
        assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/v2"), "{url}");
        environment = environment.with("FACECTL_API_URL", &url).with("FACECTL_FRESH", "1");
        let run = environment.run("apply -y").exits(0);
        let expected = if turn == 0 { "1 created" } else { "No changes." };
        let run = run.prints(&[expected]);
        sandbox.signal(if turn == 0 { "INT" } else { "TERM" });
        let ended = sandbox.end().exits(0);
        let ended = ended.says(&["TAVUS_PUBLIC_API_BASE_URL=http://127.0.0.1:", "Ctrl-C ends it"]);
        assert_eq!(ended.stdout.lines().count(), 1, "{ended}{run}");
    }
    let world: Value = serde_json::from_str(&environment.read("world.json")).unwrap();
    assert_eq!(world["world"]["trainings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_sandbox_that_cannot_listen_or_lock_says_so() {
    let environment = Environment::empty();
    let mut first = environment.spawn("sandbox --port 0 --world world.json");
    let url = first.until_it_prints_a_line();
    let port = url.trim_start_matches("http://127.0.0.1:").trim_end_matches("/v2").to_owned();
    let run = environment.run(&format!("sandbox --port {port}")).exits(1).prints_nothing();
    run.says(&["cannot listen on 127.0.0.1", "--port 0 takes a free port"]);
    environment.run("sandbox --port 0 --world world.json").exits(6).says(&["another sandbox uses this world"]);
    let run = environment.run("sandbox --port 0 --fault create:explode").exits(1);
    run.says(&["there is no fault `explode`", "drop-after-effect"]);
    first.signal("INT");
    first.end().exits(0);
}
