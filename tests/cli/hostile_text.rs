//! Text that somebody else wrote: it steers no terminal, forges no line and commands no runner, on whatever way it
//! comes in and in whatever form it goes out.

use serde_json::{Value, json};

use crate::environment::{Environment, Run, face, project};

/// The name of a file that would say more than one line.
const FILE: &str = "faces/a\n::error::PWN\nx.yaml";

/// A manifest whose key, tag and field want to be seen otherwise.
const MANIFEST: &str = r#"apiVersion: facectl.dev/v1
kind: Face
metadata:
  name: bea
  labels: {"k\e[2J\a\n::error::PWN": x, "k\e[2J\a\n::error::PWN": y}
spec: { train_video_url: !e%1Bc "https://m.example.com/b(1).mp4?sig=hush", "x\u202ey\uFE0F\u034F": 1, "z\uFFFF": 2 }
"#;

/// What a state or a plan of a stranger may hold, as JSON.
const HOSTILE: &str = r#""k\u001b[2J\u0007\n::error::PWN\u202e\u2028""#;

fn checkout() -> Environment {
    let environment = Environment::empty();
    environment.write("facectl.yaml", project("acme", ""));
    environment.write(FILE, face("ana", "https://m.example.com/ana.mp4", "").replace("  ", "    "));
    environment
}

/// Holds both streams against what a terminal and a runner obey.
fn steers_nothing(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        let is_steering = |c: char| {
            (c.is_control() && !matches!(c, '\n' | '\t'))
                || matches!(c, '\u{202e}' | '\u{2028}' | '\u{34f}' | '\u{fe0f}' | '\u{ffff}')
        };
        assert!(!text.contains(is_steering), "{text:?}");
        let forged = text.lines().find(|line| line.trim_start().starts_with("::error::PWN") || line.trim() == "x.yaml");
        assert_eq!(forged, None, "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
}

#[test]
fn names_of_files_are_shown_on_one_line() {
    let environment = checkout();
    for line in ["fmt --check", "fmt --check --diff", "fmt --check -o json", "fmt --check -o yaml", "validate", "fmt"] {
        let run = environment.run(line);
        steers_nothing(&run);
    }
    environment.write("m\n::error::PWN\nx.yaml", "no film");
    let run = environment.run_words(&["media", "inspect", "m\n::error::PWN\nx.yaml"]).exits(1);
    steers_nothing(&run.prints(&["m\\n::error::PWN\\nx.yaml"]));
}

#[test]
fn what_is_wrong_with_a_manifest_steers_nothing_in_any_form() {
    let environment = checkout();
    environment.write("faces/b.yaml", MANIFEST);
    for form in ["text", "json", "yaml", "markdown", "github", "gitlab", "junit"] {
        for line in
            ["validate", "plan --offline", "plan --sandbox -v --log-format json", "plan --sandbox --color always"]
        {
            let run = environment.run(&format!("{line} -o {form}"));
            if !line.contains("always") {
                steers_nothing(&run);
            }
            assert!(!run.stdout.contains("\u{1b}[2J") && !run.stderr.contains("\u{1b}[2J"), "{line} -o {form}");
        }
    }
    // Other readers take back what was written.
    let named = |document: &Value| {
        let diagnostics = document["diagnostics"].as_array().unwrap().clone();
        assert!(diagnostics.iter().any(|one| one["message"].as_str().unwrap().contains(r"k\u{001B}[2J")), "{document}");
    };
    named(&environment.run("validate -o json").json());
    named(&serde_yaml::from_str(&environment.run("validate -o yaml").stdout).unwrap());
    let xml = environment.run("validate -o junit").stdout;
    assert!(roxmltree::Document::parse(&xml).unwrap().descendants().any(|node| node.has_tag_name("failure")), "{xml}");
    let findings: Value = serde_json::from_str(&environment.run("validate -o gitlab").stdout).unwrap();
    assert!(!findings.as_array().unwrap().is_empty());
}

#[test]
fn files_of_a_state_that_quote_others_steer_nothing() {
    for (file, text, line) in [
        ("facectl.lock.yaml", "lock_version: 2\n\"k\\e[2J\\n::error::PWN\\u202e\": 1\n".to_owned(), "plan --offline"),
        (
            ".facectl/snapshot.json",
            format!("{{\"format\": 1, \"meta\": {{\"project\": {HOSTILE}}}}}"),
            "plan --offline",
        ),
        (".facectl/snapshot.json", format!("{{\"format\": {HOSTILE}}}"), "state list"),
        (".facectl/sandbox/world.json", format!("{{\"format\": {HOSTILE}}}"), "plan --sandbox"),
        ("plan.json", format!("{{\"format_version\": {HOSTILE}}}"), "apply -y --sandbox plan.json"),
        ("plan.json", format!("{{\"format_version\": \"1.0\", \"plan\": {HOSTILE}}}"), "show plan.json"),
        ("state.json", format!("{{\"format\": {HOSTILE}, {HOSTILE}: 1}}"), "state push state.json --yes"),
    ] {
        let environment = checkout();
        environment.write(file, text);
        steers_nothing(&environment.run(line));
    }
}

#[test]
fn a_command_line_is_quoted_on_one_line() {
    let word = "x?sig=hush\n::error::PWN\u{1b}[2J";
    let environment = checkout();
    for flags in [
        vec!["bad\n::error::PWN\u{1b}[2J"],
        vec!["plan", "--parallelism", word],
        vec!["plan", "--sandbox-fault", word],
        vec!["plan", "--sandbox-fault=x\n::error::PWN"],
        vec!["plan", "-l", word],
        vec!["plan", "-l", "a=\n::error::PWN"],
        vec!["plan", "-f", "x\n::error::PWN\u{1b}[2J"],
        vec!["plan", "--target", word, "--offline"],
        vec!["plan", "--since", word, "--offline"],
        vec!["import", word, word],
        vec!["explain", word],
        vec!["media", "inspect", word],
    ] {
        steers_nothing(&environment.run_words(&flags).exits(1));
    }
    let environment = environment.with("FACECTL_PARALLELISM", word);
    steers_nothing(&environment.run("plan"));
}

#[test]
fn the_lock_file_and_an_export_say_the_same_to_every_reader() {
    let keys = ["no", "on", "y", "2024-01-02", "1e3", "0x1f", "null", "ana"];
    let environment = Environment::empty();
    environment.write("facectl.yaml", project("acme", ""));
    for (at, key) in keys.iter().enumerate() {
        let name = ["=", "<<", "~", "1:20", "yes", "0o7", "Ana \u{2764}\u{fe0f}", "- a"][at];
        let link = format!("https://media.example.com/{at}.mp4");
        let quoted = json!(key).to_string();
        environment
            .write(&format!("faces/f{at}.yaml"), face(&quoted, &link, &format!("  face_name: {}\n", json!(name))));
    }
    environment.run("apply --sandbox -y --sandbox-speed 360000").exits(0);
    let text = environment.read(".facectl/sandbox/facectl.lock.yaml");
    for key in &keys[..7] {
        assert!(text.contains(&format!("\n  '{key}':\n")), "{text}");
    }
    let read: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(read["faces"].as_object().unwrap().len(), keys.len());
    // A file of an earlier version has no quotes there: it is read, and rewritten only when something changes.
    environment.write(".facectl/sandbox/facectl.lock.yaml", text.replace("\n  'no':\n", "\n  no:\n"));
    environment.run("plan --sandbox --expect-no-changes").exits(0);
}
