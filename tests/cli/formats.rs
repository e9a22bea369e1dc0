//! One result in many forms: for people, programs, comments, pipelines, and files beside standard output.

use std::fs;

use serde_json::Value;

use crate::environment::{self, Environment, project};
use crate::server::Server;

#[test]
fn a_file_gets_exactly_what_json_on_standard_output_is() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bea"]);
    for line in ["validate", "plan", "status", "drift"] {
        let told = environment.run(&format!("{line} --report told.json")).exits(0);
        assert!(!told.stdout.starts_with('{'), "{told}");
        let printed = environment.run(&format!("{line} -o json")).exits(0);
        let without_times = |text: &str| {
            let mut value: Value = serde_json::from_str(text).unwrap();
            value["timestamp"] = Value::Null;
            value["observed_at"] = Value::Null;
            value["basis"] = Value::Null;
            if let Some(run) = value.pointer_mut("/provenance/run") {
                *run = Value::Null;
            }
            format!("{value:#}\n")
        };
        assert_eq!(without_times(&environment.read("told.json")), without_times(&printed.stdout), "{line}");
    }
    let both = environment.run("apply -y --no-wait -o json --report told.json").exits(0);
    assert_eq!(environment.read("told.json"), both.stdout);
    assert_eq!(server.trainings(), 2);
}

#[test]
fn one_run_writes_as_many_forms_as_are_asked_for() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]).with("FACECTL_REPORT", "junit=plan.xml:gitlab=tf.json");
    environment.run("plan").exits(0).prints(&["Plan: 1 to create"]);
    assert!(environment.read("plan.xml").contains("<testcase name=\"ana\""));
    let counts: Value = serde_json::from_str(&environment.read("tf.json")).unwrap();
    assert_eq!(counts["create"], 1);
    let line = "plan --report a.json --report markdown=b.md --report yaml=c.yml --report codequality=d.json";
    environment.run(line).exits(0);
    assert!(environment.read("b.md").starts_with("### facectl plan: `acme`\n"));
    assert!(environment.read("c.yml").contains("format_version: '1.0'"));
    assert_eq!(environment.read("d.json"), "[]\n");
    let left: Vec<_> = fs::read_dir(environment.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}

#[test]
fn a_form_without_a_meaning_is_refused_as_a_flag_and_passed_over_from_the_environment() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment
        .run("voices -o junit")
        .exits(1)
        .prints_nothing()
        .says(&["`--output junit` has no meaning for this command, which knows text, json, yaml"]);
    environment.run("wait -o gitlab").exits(1).says(&["text, json, yaml, markdown, github, junit"]);
    environment.run("schema --report a.json").exits(1).says(&["`--report` has no meaning for this command"]);
    environment.run("apply -y --report gitlab=a.json").exits(1).says(&["`--report gitlab=…` has no meaning"]);
    environment.run("plan --report xml=a.xml").exits(1).says(&["in front of `=` stands one of"]);
    let requests = |server: &Server| server.requests("GET /v2/faces");
    assert_eq!((requests(&server), server.trainings()), (0, 0));
    let environment = environment.with("FACECTL_OUTPUT", "github").with("FACECTL_REPORT", "gitlab=a.json");
    environment.run("version").exits(0).prints(&["facectl"]);
    environment.run("validate").exits(0).prints(&["::stop-commands::", "Valid: 1 face"]);
    assert!(!environment.path("a.json").exists());
}

#[test]
fn a_file_that_cannot_be_written_is_found_out_before_anything_is_paid_for() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    environment.write("folder/file", "");
    environment.run("plan --out saved.plan").exits(0);
    let before = environment.files("");
    for (target, why) in [
        ("nowhere/a.json", "its folder"),
        ("folder", "it is a folder"),
        ("-", "standard output is for --output"),
        ("faces/ana.yaml", "is a part of the project"),
        ("facectl.yaml", "is a part of the project"),
        ("saved.plan", "a saved plan is there"),
        ("a.json --report junit=./a.json", "another report is to be written there"),
    ] {
        for command in ["apply -y --no-wait", "plan"] {
            let run = environment.run(&format!("{command} --report {target}")).exits(1).says(&[why]);
            assert!(run.stdout.is_empty(), "{run}");
        }
    }
    assert_eq!(environment.files(""), before);
    assert_eq!(server.trainings(), 0);
}

#[test]
fn events_and_a_report_never_share_a_file() {
    let environment = Environment::project(&["ana"]);
    let run = environment.run("validate --events told.jsonl --report told.jsonl").exits(1);
    run.says(&["or of what this run writes"]);
    assert!(environment.read("told.jsonl").lines().all(|line| line.starts_with("{\"")));
    environment.run("validate --events told.jsonl --report report.json").exits(0);
    assert!(environment.read("report.json").contains("\"valid\": true"));
}

#[test]
fn a_plan_from_the_lock_file_alone_says_so_and_names_no_digest() {
    let environment = Environment::project(&[]);
    environment.face_from("ana", "https://media.acme.io/ana.mp4", "");
    let run = environment.run("plan --offline -o markdown").exits(0);
    let run = run.prints(&["> **Offline:**", "it cannot be applied.", "| `+` | `ana` | create, **paid** |"]);
    assert!(!run.stdout.contains("digest"), "{run}");
}

#[test]
fn a_report_that_cannot_be_written_at_the_end_never_hides_how_the_run_ended() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    fs::create_dir(environment.path("out")).unwrap();
    for (more, code) in [("", 1), (" --detailed-exitcode", 2)] {
        // A device that takes nothing: it can be opened, and is full.
        let run = environment.run(&format!("plan --report /dev/full{more}")).exits(code);
        let run = run.prints(&["Plan: 1 to create"]);
        run.says(&["error: the report /dev/full could not be written", "No space left"]);
    }
}

#[test]
fn rejected_manifests_are_a_result_in_every_form() {
    let environment = Environment::empty();
    environment.write("facectl.yaml", project("acme", ""));
    environment.write("faces/ana.yaml", "apiVersion: facectl.dev/v1\nkind: Face\nmetadata: { name: ana }\nspec:\n  train_video_ulr: https://media.example.com/a.mp4\n");
    let line = "apply -y -o markdown --report problems.json --report junit=problems.xml";
    let run = environment.run(line).exits(1).says_nothing();
    let run = run.prints(&["### facectl apply", "in the manifests: nothing was done.**", "`faces/ana.yaml:5:3`"]);
    assert!(run.stdout.contains("<details><summary><code>faces/ana.yaml:5:3</code>"), "{run}");
    assert_eq!(environment.read("problems.json"), environment.run("validate -o json").exits(1).stdout);
    assert!(environment.read("problems.xml").contains("<failure"));
    let findings = environment.run("validate -o gitlab").exits(1).json();
    assert_eq!(findings[0]["location"]["path"], "faces/ana.yaml");
    assert_eq!(findings[0]["location"]["lines"]["begin"], 5);
    let run = environment.run("plan -o github").exits(1);
    run.prints(&["::error file=faces/ana.yaml,line=5,col=3,endColumn=17,title=manifest problem"]);
}

#[test]
fn several_reports_in_the_variable_are_separated_as_the_help_says() {
    let separator = if cfg!(windows) { ';' } else { ':' };
    let reports = format!("a.json{separator}markdown=b.md{separator}junit=c.xml");
    let environment = Environment::project(&["ana"]).with("FACECTL_REPORT", &reports);
    environment.run("validate").exits(0);
    for (name, begins) in [("a.json", "{"), ("b.md", "### "), ("c.xml", "<?xml")] {
        assert!(environment.read(name).starts_with(begins), "{name}");
    }
    let help = environment.run("validate --help").exits(0).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("Several in the variable, or after one flag, are separated by `:`, on Windows by `;`."),
        "{help}"
    );
}

#[test]
fn a_failure_before_there_is_a_result_is_told_in_every_form() {
    let environment = Environment::project(&["ana"]);
    let run = environment.run("plan -o markdown --report failed.json").exits(1).says(&["no API key"]);
    run.prints(&[
        "### facectl plan",
        "**facectl plan failed, with exit code 1.**",
        "TAVUS\\_API\\_KEY is not set",
        "- hint:",
    ]);
    let failed: Value = serde_json::from_str(&environment.read("failed.json")).unwrap();
    assert_eq!((&failed["exit_code"], &failed["command"]), (&1.into(), &"plan".into()));
    assert!(failed["error"]["message"].as_str().unwrap().contains("no API key"));
    environment.run("plan -o json").exits(1).prints_nothing();
    environment.run("plan -o github").exits(1).prints(&["::error title=facectl plan::no API key"]);
}

#[test]
fn a_refused_apply_tells_the_plan_that_was_refused() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bea"]);
    let run = environment.run("apply -y --max-trainings 1 -o markdown --report refused.json").exits(5);
    run.prints(&[
        "the plan breaks a limit; nothing was changed",
        "**Plan: 2 to create,",
        "| `+` | `ana` | create, **paid** |",
    ])
    .prints(&["exit code 5: refused by a safety rule"]);
    let refused: Value = serde_json::from_str(&environment.read("refused.json")).unwrap();
    assert_eq!(refused["plan"]["summary"]["create"], 2);
    assert_eq!(server.trainings(), 0);
}

#[test]
fn github_gets_its_summary_and_outputs_and_the_log_keeps_the_text() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana", "bea"]);
    let [summary, outputs] = ["summary.md", "outputs"].map(|name| environment.path(name).display().to_string());
    let environment = environment.with("GITHUB_STEP_SUMMARY", &summary).with("GITHUB_OUTPUT", &outputs);
    environment.write("outputs", "earlier=1\n");
    let run = environment.run("plan -o github").exits(0);
    let run = run.prints(&["::stop-commands::facectl-", "Plan: 2 to create", "Plan digest:"]);
    let token = run.stdout.lines().next().unwrap().strip_prefix("::stop-commands::").unwrap().to_owned();
    let (told, notes) = run.stdout.split_once(&format!("\n::{token}::\n")).unwrap();
    assert!(told.contains("Project acme:"), "{run}");
    assert!(notes.contains("::notice file=faces/ana.yaml,line=4,col=9,title=ana%3A starts a paid training::"), "{run}");
    assert!(environment.read("summary.md").starts_with("### facectl plan: `acme`\n"));
    let outputs = environment.read("outputs");
    assert!(outputs.starts_with("earlier=1\nexit-code<<facectl-"), "{outputs}");
    for (name, value) in [("creates", "2"), ("paid-trainings", "2"), ("has-changes", "true"), ("blocked", "0")] {
        let (_, rest) = outputs.split_once(&format!("\n{name}<<")).unwrap();
        assert_eq!(rest.lines().nth(1), Some(value), "{name}");
    }
    let digest = outputs.split_once("\ndigest<<").unwrap().1.lines().nth(1).unwrap().to_owned();
    let run = environment.run(&format!("apply -y --no-wait -o github --expect-digest {digest}")).exits(0);
    run.says(&["Plan: 2 to create"]).prints(&["Done: 2 created"]);
    assert!(environment.read("summary.md").contains("\n### facectl apply: `acme`\n"));
}

#[test]
fn a_summary_of_a_step_that_is_full_already_stays_as_it_is() {
    let environment = Environment::project(&["ana"]);
    let full = "x".repeat((1 << 20) - 100);
    environment.write("summary.md", &full);
    let summary = environment.path("summary.md").display().to_string();
    let environment = environment.with("GITHUB_STEP_SUMMARY", &summary);
    environment.run("validate -o github").exits(0);
    assert_eq!(environment.read("summary.md"), full);
}

#[test]
fn what_the_api_says_commands_no_runner_on_either_stream() {
    let server = Server::slow(&["create@1:400"]);
    let environment = Environment::against(&server, &["ana"]);
    let hostile = "::error::x ##[add-path]/tmp";
    environment.face("bea", &format!("  face_name: '{hostile}'\n"));
    let run = environment.run("apply -y --no-wait -o github");
    for line in run.stderr.lines() {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{run}");
    }
}

#[test]
fn the_forms_are_in_the_completions_and_the_help() {
    let environment = Environment::empty();
    environment.run("completions bash").exits(0).prints(&["text json yaml markdown github gitlab junit", "--report"]);
    environment
        .run("plan --help")
        .exits(0)
        .prints(&["--report <[FORMAT=]FILE>", "junit: For pipelines that show tests"]);
}

#[test]
fn a_report_spares_what_is_remembered_and_what_the_run_is_about_to_write() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    let refused = "that file is a part of the project, or of what this run writes";
    // None of them is there yet.
    environment.run("apply -y --no-wait --report facectl.lock.yaml").exits(1).says(&[refused]);
    environment.run("plan --out p.plan --report p.plan").exits(1).says(&[refused]);
    assert_eq!(server.trainings(), 0);
    environment.run("apply -y --no-wait").exits(0);
    let before = environment.files(".facectl");
    for name in ["lock", "snapshot.json", "history.log", "db/report", "backups/../lock"] {
        for line in ["validate", "plan", "plan --offline", "status"] {
            environment.run(&format!("{line} --report .facectl/{name}")).exits(1);
        }
    }
    assert_eq!(environment.files(".facectl").keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    environment.run("plan --report .facectl/plan.json").exits(0);
    std::os::unix::fs::symlink("facectl.lock.yaml", environment.path("link")).unwrap();
    fs::remove_file(environment.path("facectl.lock.yaml")).unwrap();
    environment.run("plan --report link").exits(1).says(&["it is a link to facectl.lock.yaml"]);
}

#[test]
fn a_full_standard_output_does_not_hide_how_a_run_ended() {
    let server = Server::slow(&[]);
    let environment = Environment::against(&server, &["ana"]);
    for (line, code) in [("plan --max-trainings 0 -o json", 5), ("plan -o json", 1)] {
        let mut command = environment.command(line);
        command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
        let status = command.status().unwrap();
        assert_eq!(status.code(), Some(code), "{line}");
    }
}

#[test]
fn a_files_name_cannot_steer_a_terminal_nor_forge_a_line() {
    let environment = Environment::project(&[]);
    let name = "z\r\u{1b}[1A\u{1b}[2K\nPlan: 0 to create.\u{202e}";
    let text = environment::face("zoe", "https://media.example.com/zoe.mp4", "");
    environment.write(&format!("faces/{name}.yaml"), text);
    environment.write(&format!("faces/{name}2.yaml"), "apiVersion: facectl.dev/v1\nkind: [");
    for line in ["validate", "plan --offline", "validate -o github", "plan --offline -o markdown"] {
        let run = environment.run(line).hides(&["\u{1b}[", "\u{202e}", "\nPlan: 0 to create."]);
        assert!(run.code.is_some());
    }
    fs::remove_file(environment.path(&format!("faces/{name}2.yaml"))).unwrap();
    for line in ["plan --offline", "plan --offline -o github", "plan --offline -o markdown"] {
        environment.run(line).exits(0).hides(&["\u{1b}[", "\u{202e}", "\nPlan: 0 to create.\u{202e}"]);
    }
}
