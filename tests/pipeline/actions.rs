//! A stand-in for GitHub Actions: takes the workflows out of the repository, and runs their steps as a runner does.
//!
//! Every job gets an empty disk: a workspace, a home and a temporary folder that nobody used before. Scripts run in the
//! shell that GitHub names ("Workflow syntax", `defaults.run.shell`). The actions that the workflows use are played: check
//! out, hand over artifacts, and the composite action of the repository itself.
//!
//! # Assumptions
//! Read from GitHub's documents in November 2026, and not tried on the service: secrets of an environment reach the jobs that
//! name it, and no run of a fork; a job gets the variables of its workflow, of itself and of its step, and a composite
//! action those of the step that uses it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::expression::Context;
use crate::forge::TOKEN;
use crate::repository::{self, Repository};

/// What starts a workflow.
pub(crate) struct Event {
    pub(crate) name: &'static str,
    /// What the runner is told about it.
    pub(crate) payload: Value,
    /// `refs/heads/main`, `refs/pull/7/merge`.
    pub(crate) reference: String,
    /// Whether somebody started it who may see no secret.
    pub(crate) is_from_fork: bool,
}

/// How a run of a workflow went.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: u64,
    jobs: Vec<(String, Job)>,
}

#[derive(Debug)]
struct Job {
    has_failed: bool,
    outputs: Value,
    log: String,
    summary: String,
}

impl Run {
    /// Checks that every job that ran ended well, and returns the run.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert!(!self.jobs.iter().any(|(_, job)| job.has_failed), "{}", self.log());
        self
    }

    /// Checks that a job failed.
    #[track_caller]
    pub(crate) fn fails(self, name: &str) -> Self {
        assert!(self.job(name).has_failed, "{}", self.log());
        self
    }

    /// Checks which jobs ran.
    #[track_caller]
    pub(crate) fn runs(self, names: &[&str]) -> Self {
        let ran: Vec<&str> = self.jobs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(ran, names, "{}", self.log());
        self
    }

    /// Returns what a job wrote into its summary.
    pub(crate) fn summary(&self, job: &str) -> &str {
        &self.job(job).summary
    }

    /// Returns everything that was printed.
    pub(crate) fn log(&self) -> String {
        self.jobs.iter().map(|(name, job)| format!("== {name}\n{}", job.log)).collect()
    }

    fn job(&self, name: &str) -> &Job {
        let job = self.jobs.iter().find(|(ran, _)| ran == name);
        &job.unwrap_or_else(|| panic!("{name} did not run\n{}", self.log())).1
    }
}

/// Where workflows run.
pub(crate) struct Actions<'a> {
    pub(crate) repository: &'a Repository,
    /// Secrets of every environment.
    pub(crate) secrets: BTreeMap<&'static str, String>,
    /// Variables of the repository.
    pub(crate) variables: BTreeMap<&'static str, String>,
    /// What variables of the workflows are here, where they are set at all: addresses and lengths of time. Nothing else
    /// differs from what users run.
    pub(crate) instead: BTreeMap<&'static str, String>,
    /// What the machine sets.
    pub(crate) machine: BTreeMap<&'static str, String>,
    artifacts: TempDir,
    runs: std::cell::Cell<u64>,
}

impl<'a> Actions<'a> {
    pub(crate) fn new(repository: &'a Repository) -> Self {
        let [secrets, variables, instead, machine] = Default::default();
        let artifacts = TempDir::new().unwrap();
        Self { repository, secrets, variables, instead, machine, artifacts, runs: 1_000.into() }
    }

    /// Runs a workflow, as it stands at the event's commit; of a `workflow_run` and a schedule on the main branch.
    pub(crate) fn run(&self, file: &str, event: &Event) -> Run {
        self.run_with(file, event, |_| {})
    }

    /// As [`Self::run`], where something happens after each job.
    pub(crate) fn run_with(&self, file: &str, event: &Event, mut after: impl FnMut(&str)) -> Run {
        let path = format!(".github/workflows/{file}");
        let text = self.repository.file(&event.reference, &path).unwrap_or_else(|| panic!("there is no {path}"));
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        let starts = &workflow["on"];
        assert!(starts.get(event.name).is_some(), "{file} is not started by {}", event.name);
        self.runs.set(self.runs.get() + 1);
        let mut run = Run { id: self.runs.get(), jobs: Vec::new() };
        // In their order, which is one in which what is needed comes first.
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let needs = match &job["needs"] {
                Value::Null => Vec::new(),
                Value::String(one) => vec![one.as_str()],
                several => several.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect(),
            };
            let of_needed = |run: &Run, name: &str| {
                run.jobs.iter().find(|(ran, _)| ran == name).map(|(_, job)| (job.has_failed, job.outputs.clone()))
            };
            // A job whose need was left out or failed is left out.
            let needed: Vec<_> = needs.iter().map(|name| (*name, of_needed(&run, name))).collect();
            if needed.iter().any(|(_, job)| job.as_ref().is_none_or(|(has_failed, _)| *has_failed)) {
                continue;
            }
            let needed =
                needed.into_iter().map(|(name, job)| (name.to_owned(), json!({ "outputs": job.unwrap().1 }))).collect();
            let runner = Runner::new(self, event, &workflow, job, run.id, Value::Object(needed));
            if !runner.context(&runner.steps, &json!({}), false).runs(job["if"].as_str()) {
                continue;
            }
            let done = runner.work(job);
            run.jobs.push((name.clone(), done));
            after(name);
        }
        run
    }

    fn artifact(&self, run: u64, name: &str) -> PathBuf {
        self.artifacts.path().join(run.to_string()).join(name)
    }

    /// Puts something into a run's artifact, as a job that is a stranger's may.
    pub(crate) fn forge_artifact(&self, run: u64, name: &str, file: &str, text: &str) {
        fs::write(self.artifact(run, name).join(file), text).unwrap();
    }
}

/// The machine of one job.
struct Runner<'a> {
    actions: &'a Actions<'a>,
    event: &'a Event,
    run: u64,
    disk: TempDir,
    github: Value,
    secrets: Value,
    needs: Value,
    environment: BTreeMap<String, String>,
    steps: serde_json::Map<String, Value>,
    path: String,
    log: String,
    has_failed: bool,
}

impl<'a> Runner<'a> {
    fn new(actions: &'a Actions<'a>, event: &'a Event, workflow: &Value, job: &Value, run: u64, needs: Value) -> Self {
        let disk = TempDir::new().unwrap();
        for folder in ["workspace", "temp", "home"] {
            fs::create_dir(disk.path().join(folder)).unwrap();
        }
        fs::write(disk.path().join("event.json"), event.payload.to_string()).unwrap();
        let github = json!({
            "event": event.payload,
            "event_name": event.name,
            "ref": event.reference,
            "repository": "acme/faces",
            "token": TOKEN,
        });
        // A fork's run sees none, whatever environment it names.
        let has_secrets = job.get("environment").is_some() && !event.is_from_fork;
        let secrets = if has_secrets { json!(actions.secrets) } else { json!({}) };
        let mut runner = Self {
            actions,
            event,
            run,
            github,
            secrets,
            needs,
            environment: BTreeMap::new(),
            steps: serde_json::Map::new(),
            path: repository::path(),
            log: String::new(),
            has_failed: false,
            disk,
        };
        let context = runner.context(&runner.steps, &json!({}), false);
        for values in [&workflow["env"], &job["env"]] {
            runner.environment.extend(filled(&context, values));
        }
        runner
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.disk.path().join(name)
    }

    fn context(&self, steps: &serde_json::Map<String, Value>, inputs: &Value, has_failed: bool) -> Context {
        let values = json!({
            "github": self.github,
            "secrets": self.secrets,
            "vars": self.actions.variables,
            "needs": self.needs,
            "steps": steps,
            "inputs": inputs,
            "runner": { "temp": self.folder("temp") },
            "env": self.environment,
        });
        Context { values, has_failed }
    }

    fn work(mut self, job: &Value) -> Job {
        let nobody = BTreeMap::new();
        let mut steps = serde_json::Map::new();
        for step in job["steps"].as_array().unwrap() {
            self.step(step, &mut steps, &json!({}), &nobody, None);
        }
        let context = self.context(&steps, &json!({}), false);
        let outputs = filled(&context, &job["outputs"]);
        let summary = fs::read_to_string(self.folder("summary")).unwrap_or_default();
        Job { has_failed: self.has_failed, outputs: json!(outputs), log: self.log, summary }
    }

    /// Takes one step. `outer` is what the step that uses a composite action sets, `action` where that lies.
    fn step(
        &mut self,
        step: &Value,
        steps: &mut serde_json::Map<String, Value>,
        inputs: &Value,
        outer: &BTreeMap<String, String>,
        action: Option<&Path>,
    ) {
        let context = self.context(steps, inputs, self.has_failed);
        if !context.runs(step["if"].as_str()) {
            return;
        }
        let mut set = outer.clone();
        set.extend(filled(&context, &step["env"]));
        let with = filled(&context, &step["with"]);
        let name = step["name"].as_str().or(step["uses"].as_str()).unwrap_or("?");
        self.log += &format!("-- {name}\n");
        let outputs = match (step["uses"].as_str(), step["run"].as_str()) {
            (Some(uses), None) => self.used(uses, &with, &set),
            (None, Some(script)) => {
                // Written into a script, a text of a stranger would be run as a command.
                assert!(!script.contains("${{"), "{name} puts an expression into a script: {script}");
                let folder = context.fill(step["working-directory"].as_str().unwrap_or("."));
                self.script(script, step["shell"].as_str(), &folder, &set, action)
            }
            _ => panic!("a step uses or runs something: {step}"),
        };
        match outputs {
            Ok(outputs) => self.outputs(step, steps, outputs),
            Err(outputs) => {
                self.has_failed = true;
                self.outputs(step, steps, outputs);
            }
        }
    }

    fn outputs(&self, step: &Value, steps: &mut serde_json::Map<String, Value>, outputs: Value) {
        if let Some(id) = step["id"].as_str() {
            steps.insert(id.to_owned(), json!({ "outputs": outputs }));
        }
    }

    fn used(
        &mut self,
        uses: &str,
        with: &BTreeMap<String, String>,
        set: &BTreeMap<String, String>,
    ) -> Result<Value, Value> {
        let given = |name: &str| with.get(name).map(String::as_str);
        match uses.split('@').next().unwrap() {
            "actions/checkout" => {
                let target = self.folder("workspace").join(given("path").unwrap_or("."));
                self.check_out(given("ref"), &target);
            }
            "actions/upload-artifact" => {
                let target = self.actions.artifact(self.run, given("name").unwrap());
                fs::create_dir_all(&target).unwrap();
                let from = self.folder("workspace").join(given("path").unwrap());
                if from.is_dir() {
                    copy_files(&from, &target);
                } else if from.is_file() {
                    fs::copy(&from, target.join(from.file_name().unwrap())).unwrap();
                }
            }
            "actions/download-artifact" => {
                let run = given("run-id").map_or(self.run, |id| id.parse().unwrap());
                let from = self.actions.artifact(run, given("name").unwrap());
                let target = self.folder("workspace").join(given("path").unwrap_or("."));
                fs::create_dir_all(&target).unwrap();
                if !from.is_dir() {
                    return Err(json!({}));
                }
                copy_files(&from, &target);
            }
            local if local.starts_with("./") => return self.composite(local, with, set),
            other => panic!("{other} is not played here"),
        }
        Ok(json!({}))
    }

    fn check_out(&self, reference: Option<&str>, target: &Path) {
        let reference = reference.unwrap_or(&self.event.reference);
        fs::create_dir_all(target).unwrap();
        let origin = format!("file://{}", self.actions.repository.origin().display());
        let git = |words: &[&str]| {
            let output = repository::command(target, words).output().unwrap();
            assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        git(&["init", "--quiet"]);
        git(&["remote", "add", "origin", &origin]);
        git(&["fetch", "--quiet", "--depth", "1", "origin", reference]);
        match reference.strip_prefix("refs/heads/").or((reference == "main").then_some("main")) {
            Some(branch) => git(&["checkout", "--quiet", "-B", branch, "FETCH_HEAD"]),
            None => git(&["checkout", "--quiet", "--detach", "FETCH_HEAD"]),
        }
    }

    fn composite(
        &mut self,
        local: &str,
        with: &BTreeMap<String, String>,
        set: &BTreeMap<String, String>,
    ) -> Result<Value, Value> {
        let folder = self.folder("workspace").join(local);
        let action: Value = serde_yaml::from_str(&fs::read_to_string(folder.join("action.yml")).unwrap()).unwrap();
        let mut inputs = BTreeMap::new();
        for (name, input) in action["inputs"].as_object().unwrap() {
            inputs.insert(
                name.clone(),
                with.get(name).cloned().unwrap_or_else(|| input["default"].as_str().unwrap_or_default().to_owned()),
            );
        }
        assert!(with.keys().all(|name| inputs.contains_key(name)), "{local} has no such input: {with:?}");
        let mut steps = serde_json::Map::new();
        let before = self.has_failed;
        for step in action["runs"]["steps"].as_array().unwrap() {
            assert!(step["uses"].is_string() || step["shell"].is_string(), "a composite action must name its shells");
            self.step(step, &mut steps, &json!(inputs), set, Some(&folder));
        }
        let context = self.context(&steps, &json!(inputs), false);
        let outputs = action["outputs"].as_object().into_iter().flatten();
        let outputs: BTreeMap<_, _> =
            outputs.map(|(name, output)| (name.clone(), context.fill(output["value"].as_str().unwrap()))).collect();
        if self.has_failed && !before { Err(json!(outputs)) } else { Ok(json!(outputs)) }
    }

    fn script(
        &mut self,
        script: &str,
        shell: Option<&str>,
        folder: &str,
        set: &BTreeMap<String, String>,
        action: Option<&Path>,
    ) -> Result<Value, Value> {
        let file = self.folder("temp").join("script.sh");
        fs::write(&file, script).unwrap();
        let words: &[&str] = match shell {
            None => &["bash", "-e"],
            Some("bash") => &["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"],
            Some("sh") => &["sh", "-e"],
            Some(other) => panic!("{other} is not played here"),
        };
        for name in ["output", "path"] {
            fs::write(self.folder(name), "").unwrap();
        }
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&file).current_dir(self.folder("workspace").join(folder)).env_clear();
        command.envs(self.variables()).envs(set).envs(action.map(|folder| ("GITHUB_ACTION_PATH", folder)));
        // What is set differently here is so only where the workflow sets it.
        let is_set = |name: &str| set.contains_key(name) || self.environment.contains_key(name);
        command.envs(self.actions.instead.iter().filter(|(name, _)| is_set(name)));
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        self.log += &text;
        self.log += &format!("[{}]\n", output.status);
        let paths = fs::read_to_string(self.folder("path")).unwrap();
        for path in paths.lines() {
            self.path = format!("{path}:{}", self.path);
        }
        let outputs = step_outputs(&fs::read_to_string(self.folder("output")).unwrap());
        if output.status.success() { Ok(outputs) } else { Err(outputs) }
    }

    /// Returns what every script finds ("Variables reference", default environment variables).
    fn variables(&self) -> BTreeMap<String, String> {
        let path = |name: &str| self.folder(name).display().to_string();
        let sha = self.actions.repository.commit(&self.event.reference);
        let set = [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_ACTOR", "ana".to_owned()),
            ("GITHUB_EVENT_NAME", self.event.name.to_owned()),
            ("GITHUB_EVENT_PATH", path("event.json")),
            ("GITHUB_OUTPUT", path("output")),
            ("GITHUB_PATH", path("path")),
            ("GITHUB_REF", self.event.reference.clone()),
            ("GITHUB_REPOSITORY", "acme/faces".to_owned()),
            ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
            ("GITHUB_RUN_ID", self.run.to_string()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_SHA", sha),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("GITHUB_WORKSPACE", path("workspace")),
            ("HOME", path("home")),
            ("PATH", self.path.clone()),
            ("RUNNER_TEMP", path("temp")),
        ];
        let mut variables: BTreeMap<String, String> = set.map(|(name, value)| (name.to_owned(), value)).into();
        variables.extend(self.actions.machine.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        variables.extend(self.environment.clone());
        variables
    }
}

fn filled(context: &Context, values: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => context.fill(text),
        other => other.to_string(),
    };
    values.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Reads the file of outputs: `name=value`, or a value of several lines between two words.
fn step_outputs(text: &str) -> Value {
    let mut outputs = serde_json::Map::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((name, end)) = line.split_once("<<").filter(|(name, _)| !name.contains('=')) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
            outputs.insert(name.to_owned(), value.join("\n").into());
        } else {
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("no output: {line}"));
            outputs.insert(name.to_owned(), value.into());
        }
    }
    Value::Object(outputs)
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
