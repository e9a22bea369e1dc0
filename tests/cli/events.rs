//! `--events`: what happens, one JSON object a line, while it happens.

use std::process::Command;

use serde_json::Value;

use crate::environment::Environment;
use crate::schemas::{assert_fits, strict};
use crate::server::Server;

const FILE: &str = "events.jsonl";

/// Reads lines of events, and holds each against the schema, and all against what every stream promises.
#[track_caller]
fn read(text: &str) -> Vec<Value> {
    let schema = strict("events");
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    for (number, line) in (1_u64..).zip(&lines) {
        assert_fits(&schema, line, "a line");
        assert_eq!(line["seq"], number, "{text}");
        assert!(!line["message"].as_str().unwrap().is_empty(), "{line}");
    }
    assert_eq!((&lines[0]["type"], &lines[0]["format_version"]), (&"version".into(), &"1.0".into()), "{text}");
    assert_eq!(lines[1]["type"], "run_began", "{text}");
    lines
}

#[track_caller]
fn kept(environment: &Environment) -> Vec<Value> {
    read(&environment.read(FILE))
}

fn types(lines: &[Value]) -> Vec<&str> {
    let mut types: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    // How often is looked depends on the machine.
    types.dedup();
    types.retain(|kind| !["training_progressed", "heartbeat"].contains(kind));
    types
}

/// Checks how the last run ended, and returns its counts.
#[track_caller]
fn ended(lines: &[Value], code: u8) -> &Value {
    let last = lines.last().unwrap();
    assert_eq!((&last["type"], &last["exit_code"]), (&"run_ended".into(), &code.into()), "{last}");
    &last["counts"]
}

#[test]
fn an_apply_tells_what_it_does_in_order_and_counts_what_it_did() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana", "bea"]);
    let outcome = environment.run("apply -y -o json --create-parallelism 1 --events events.jsonl").exits(0).json();
    let lines = kept(&environment);
    let wanted = [
        "version",
        "run_began",
        "face_planned",
        "planned",
        "create_begun",
        "face_created",
        "create_begun",
        "face_created",
        "wait_began",
    ];
    assert_eq!(types(&lines)[..wanted.len()], wanted);
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    assert_eq!((&of("run_began")[0]["command"], &of("run_began")[0]["project"]), (&"apply".into(), &"acme".into()));
    assert_eq!(of("run_began")[0]["provenance"]["run"], outcome["provenance"]["run"]);
    assert_eq!(of("planned")[0]["summary"]["paid_trainings"], 2);
    let ids: Vec<&str> = of("face_created").iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ids, server.ids());
    assert!(!of("heartbeat").is_empty() && of("heartbeat")[0]["next_look_secs"].is_number());
    assert_eq!(of("face_status").len(), 2);
    let counts = ended(&lines, 0);
    for (count, keys) in
        [("created", "created"), ("reached", "reached"), ("updated", "updated"), ("refused", "refused")]
    {
        assert_eq!(counts[count], outcome[keys].as_array().unwrap().len(), "{count}");
    }
}

#[test]
fn every_command_that_works_on_faces_tells_events_that_fit_the_schema() {
    let server = Server::fast(&["create@2:400", "create@3:drop-after-effect"]);
    let environment = Environment::against(&server, &["ana", "bea", "cid"]).with("FACECTL_EVENTS", FILE);
    let tells = |line: &str, wanted: &[&str]| {
        let run = environment.run(line);
        let lines = kept(&environment);
        let code = u8::try_from(run.code.unwrap()).unwrap();
        ended(&lines, code);
        for kind in wanted {
            assert!(types(&lines).contains(kind), "{kind}: {lines:#?} {run}");
        }
        lines
    };
    tells("validate", &["run_began", "run_ended"]);
    tells("plan", &["face_planned", "planned"]);
    tells("plan --out plan.json", &["planned"]);
    assert_eq!(tells("plan --offline", &["face_planned", "planned"])[1]["project"], "acme");
    let lines =
        tells("apply plan.json --create-parallelism 1", &["create_refused", "create_fell_in_doubt", "create_settled"]);
    let counts = ended(&lines, 4);
    assert_eq!((&counts["created"], &counts["refused"], &counts["in_doubt"]), (&2.into(), &1.into(), &0.into()));
    tells("apply -y", &["face_created", "face_reached"]);
    tells("wait", &["run_ended"]);
    tells("status", &["face_status"]);
    server.alter(&server.ids()[0], &serde_json::json!({ "face_name": "Ana (by hand)" }));
    tells("drift --detailed-exitcode", &["face_drifted"]);
    environment.face_from("ana", "https://media.example.com/ana/other.mp4", "");
    tells("apply -y", &["face_switched", "face_reached"]);
    tells("rollback ana -y", &["face_switched"]);
    tells("delete cid -y --although-declared", &["face_deleted"]);
    tells("recover", &["run_ended"]);
    environment.run("state forget bea -y").exits(0);
    let id = server.ids().pop().unwrap();
    tells(&format!("import bea {id}"), &["run_ended"]);
    environment.face("bea", "  face_nam: x\n");
    let lines = tells("plan", &["diagnostic"]);
    assert_eq!((&lines[1]["project"], &lines[2]["diagnostic"]["line"]), (&Value::Null, &7.into()));
}

#[test]
fn events_on_standard_output_stand_there_alone() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let run = environment.run("apply -y --events -").exits(0).says(&["Plan: 1 to create", "Done: 1 created"]);
    ended(&read(&run.stdout), 0);
    let run = environment.run("status --events - -q").exits(0).says(&["KEY", "ana"]);
    assert!(types(&read(&run.stdout)).contains(&"face_status"));
    for line in ["plan --events - -o json", "validate --events - -o yaml"] {
        environment.run(line).exits(1).prints_nothing().says(&["--events - takes standard output for itself"]);
    }
    let environment = environment.with("FACECTL_EVENTS", "-");
    environment.run("plan -o json").exits(1).prints_nothing();
}

#[test]
fn a_run_that_cannot_begin_tells_why_and_that_it_ended() {
    let environment = Environment::project(&["ana"]);
    environment.run("plan --events events.jsonl").exits(1);
    let lines = kept(&environment);
    assert_eq!(types(&lines), ["version", "run_began", "error", "run_ended"]);
    assert_eq!(lines[1]["project"], "acme");
    assert!(lines[2]["message"].as_str().unwrap().starts_with("no API key"), "{}", lines[2]);
    assert!(lines[2]["hints"].as_array().unwrap().len() > 1);
    ended(&lines, 1);
}

#[test]
fn an_interrupted_run_tells_its_end_also_when_it_is_left_at_once() {
    let server = Server::slow(&["create@1:hang"]);
    let environment = Environment::against(&server, &["ana", "bea"]);
    let mut run = environment.spawn("apply -y --no-wait --create-parallelism 1 --events events.jsonl");
    run.until("the create arrived", || server.trainings() == 1);
    run.signal("INT");
    run.until_it_says("Interrupt again to leave at once");
    run.signal("INT");
    run.end().exits(8);
    let lines = kept(&environment);
    assert_eq!(types(&lines)[4..], ["create_begun", "run_ended"]);
    ended(&lines, 8);

    let mut run = environment.spawn("apply -y --events events.jsonl");
    run.until("it waits", || environment.read(FILE).contains("wait_began"));
    run.signal("TERM");
    run.end().exits(8);
    ended(&kept(&environment), 8);
}

#[test]
fn events_that_cannot_be_written_harm_no_run() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    // Of the reader, who wants two lines, the run hears nothing.
    let mut command = Command::new("sh");
    let line = format!("{{ {} apply -y --events -; echo $? > code; }} | head -n 2", env!("CARGO_BIN_EXE_facectl"));
    let prepared = environment.command("");
    for (name, value) in prepared.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let done = command.args(["-c", &line]).current_dir(environment.path(".")).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    assert_eq!(stdout.lines().count(), 2, "{stdout}");
    assert_eq!(stderr.matches("warning: events cannot be written any more").count(), 1, "{stderr}");
    assert!(stderr.contains("Done: 1 created"), "{stderr}");
    assert_eq!((environment.read("code").trim(), server.trainings()), ("0", 1));
}

#[test]
fn a_target_that_cannot_take_events_is_refused_before_anything_is_sent() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let manifest = environment.read("faces/ana.yaml");
    for (target, why) in [
        ("faces/ana.yaml", "holds no events of facectl; it is left as it is"),
        ("faces", "cannot write events to faces; nothing was done"),
        ("nowhere/events.jsonl", "cannot write events to nowhere/events.jsonl; nothing was done"),
        ("/dev/full", "cannot write events to /dev/full; nothing was done"),
    ] {
        environment.run(&format!("apply -y --events {target}")).exits(1).prints_nothing().says(&[why]);
    }
    let mut command = environment.command("apply -y --events -");
    command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let run = environment.spawn_command(command, "apply -y --events - > /dev/full").end().exits(1);
    run.says(&["cannot write events to standard output; nothing was done"]).hides(&["goes on without"]);
    assert_eq!(environment.read("faces/ana.yaml"), manifest);
    assert_eq!((server.requests("list"), server.trainings()), (0, 0));
}

#[test]
fn a_file_of_events_is_begun_anew_by_each_run_and_by_no_command_that_tells_none() {
    let server = Server::fast(&[]);
    let environment = Environment::against(&server, &["ana"]).with("FACECTL_EVENTS", FILE);
    environment.run("apply -y").exits(0);
    environment.run("plan").exits(0);
    let plan = environment.read(FILE);
    assert_eq!(kept(&environment)[1]["command"], "plan");
    for line in ["state list", "version", "schema events", "show plan.json", "diff"] {
        environment.run(line);
    }
    assert_eq!(environment.read(FILE), plan);
    let refused = environment.run("state list --events other.jsonl").exits(1).prints_nothing();
    refused.says(&["--events is for commands that work on faces"]);
    assert!(!environment.path("other.jsonl").exists());
}

#[test]
fn a_rehearsal_tells_the_time_of_the_sandbox_and_the_real_one() {
    let environment = Environment::project(&["ana"]);
    environment.run("apply -y --sandbox --sandbox-speed 36000 --events events.jsonl").exits(0);
    let lines = kept(&environment);
    assert_eq!((&lines[1]["rehearsal"], &lines[0]["real_at"]), (&true.into(), &Value::Null));
    let time = |line: &Value, name: &str| line[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (first, last) = (&lines[1], lines.last().unwrap());
    let passed = |name: &str| time(last, name).duration_since(time(first, name));
    // Hours of training; how long they really took is the machine's business.
    assert!(passed("at") > jiff::SignedDuration::from_hours(1) && passed("at") > passed("real_at"));
}
