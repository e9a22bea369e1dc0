//! A stand-in for GitLab CI/CD: takes the jobs out of the repository, and runs their scripts as a runner does.
//!
//! Every job gets an empty disk, its variables, and the artifacts of the jobs that it needs; `before_script` and `script` run in one
//! shell that ends at the first failure ("CI/CD YAML syntax reference", docs.gitlab.com, read in November 2026).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::repository::{self, Repository};

/// Where pipelines run.
pub(crate) struct GitLab<'a> {
    pub(crate) repository: &'a Repository,
    /// Variables that only jobs of the protected main branch see.
    pub(crate) protected: BTreeMap<&'static str, String>,
    /// Variables that every job of this project sees.
    pub(crate) variables: BTreeMap<&'static str, String>,
    /// As with [`crate::actions::Actions::instead`].
    pub(crate) instead: BTreeMap<&'static str, String>,
    pipelines: Cell<u64>,
}

/// What starts a pipeline.
pub(crate) struct Trigger<'a> {
    /// The commit.
    pub(crate) commit: &'a str,
    /// Whether it is the main branch.
    pub(crate) is_main: bool,
    /// `CI_PIPELINE_SOURCE` and what else goes with it.
    pub(crate) variables: BTreeMap<&'static str, String>,
    /// Whether it runs in a fork, with the fork's own variables.
    pub(crate) is_fork: bool,
}

/// How a job went.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) has_failed: bool,
    pub(crate) log: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Job {
    /// Returns one of its artifacts.
    pub(crate) fn artifact(&self, name: &str) -> String {
        let bytes = self
            .files
            .get(name)
            .unwrap_or_else(|| panic!("{} left no {name}: {:?}\n{}", self.name, self.files.keys(), self.log));
        String::from_utf8(bytes.clone()).unwrap()
    }
}

impl<'a> GitLab<'a> {
    pub(crate) fn new(repository: &'a Repository) -> Self {
        let [protected, variables, instead] = Default::default();
        Self { repository, protected, variables, instead, pipelines: 500.into() }
    }

    /// Runs a pipeline; returns the jobs that ran, in order.
    pub(crate) fn run(&self, trigger: &Trigger<'_>) -> Vec<Job> {
        let text = self.repository.file(trigger.commit, ".gitlab-ci.yml").unwrap();
        let pipeline: Value = serde_yaml::from_str(&text).unwrap();
        self.pipelines.set(self.pipelines.get() + 1);
        let mut done: Vec<Job> = Vec::new();
        for (name, job) in
            pipeline.as_object().unwrap().iter().filter(|(name, job)| !name.starts_with('.') && job.is_object())
        {
            let job = extended(&pipeline, job);
            let mut variables = self.variables(trigger, &job);
            let Some(rule) =
                job["rules"].as_array().unwrap().iter().find(|rule| holds(rule["if"].as_str().unwrap(), &variables))
            else {
                continue;
            };
            // Without `needs` nothing stands before any of them here.
            let needs: Vec<&str> =
                job["needs"].as_array().into_iter().flatten().map(|one| one.as_str().unwrap()).collect();
            let needed: Vec<&Job> = done.iter().filter(|job| needs.contains(&job.name.as_str())).collect();
            let goes_on = rule["when"] == "always" || needed.iter().all(|job| !job.has_failed);
            if !goes_on || needed.len() < needs.len() {
                continue;
            }
            let disk = TempDir::new().unwrap();
            let folder = disk.path().join("builds/acme/faces");
            check_out(self.repository, trigger.commit, &folder);
            for (name, bytes) in needed.iter().flat_map(|job| &job.files) {
                fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
                fs::write(folder.join(name), bytes).unwrap();
            }
            for (name, path) in [
                ("CI_PROJECT_DIR", folder.clone()),
                ("CI_BUILDS_DIR", disk.path().join("builds")),
                ("HOME", disk.path().join("home")),
            ] {
                variables.insert(name.to_owned(), path.display().to_string());
            }
            let job = run_job(name, &job, &folder, &variables);
            done.push(job);
        }
        done
    }

    fn variables(&self, trigger: &Trigger<'_>, job: &Value) -> BTreeMap<String, String> {
        let number = self.pipelines.get();
        let mut all: BTreeMap<String, String> = [
            ("CI", "true".to_owned()),
            ("GITLAB_CI", "true".to_owned()),
            ("CI_COMMIT_SHA", trigger.commit.to_owned()),
            ("CI_DEFAULT_BRANCH", "main".to_owned()),
            ("CI_JOB_ID", (number * 10).to_string()),
            ("CI_PIPELINE_ID", number.to_string()),
            ("CI_PROJECT_ID", if trigger.is_fork { "99" } else { "42" }.to_owned()),
            ("CI_PROJECT_PATH", "acme/faces".to_owned()),
            ("CI_SERVER_URL", self.repository.server()),
            ("GITLAB_USER_LOGIN", "ana".to_owned()),
            ("PATH", repository::path()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let owned = |(name, value): (&&'static str, &String)| ((*name).to_owned(), value.clone());
        all.extend(trigger.variables.iter().map(owned));
        if trigger.is_main {
            all.insert("CI_COMMIT_BRANCH".to_owned(), "main".to_owned());
            all.extend(self.protected.iter().map(owned));
        }
        if !trigger.is_fork {
            all.extend(self.variables.iter().map(owned));
        }
        for (name, value) in job["variables"].as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // What the runner knows of the disk is put in by the shell's own variables, which are there by then.
            all.insert(name.clone(), self.instead.get(name.as_str()).cloned().unwrap_or(text));
        }
        all
    }
}

/// Runs a job's script on a disk, and keeps what it says is to be kept.
fn run_job(name: &str, job: &Value, folder: &Path, variables: &BTreeMap<String, String>) -> Job {
    let lines = ["before_script", "script"].iter().flat_map(|part| job[*part].as_array().into_iter().flatten());
    let script: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    let mut command = Command::new("bash");
    command.args(["-eo", "pipefail", "-c", &script.join("\n")]).current_dir(folder).env_clear();
    command.envs(variables.iter().map(|(name, value)| (name, expanded(value, variables))));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let log = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let has_failed = !output.status.success();
    let mut files = BTreeMap::new();
    if !has_failed || job["artifacts"]["when"] == "always" {
        let paths = job["artifacts"]["paths"].as_array().into_iter().flatten();
        let reports = job["artifacts"]["reports"].as_object().into_iter().flatten().map(|(_, path)| path);
        for path in paths.chain(reports).map(|path| expanded(path.as_str().unwrap(), variables)) {
            drop(fs::read(folder.join(&path)).map(|bytes| files.insert(path, bytes)));
        }
    }
    Job { name: name.to_owned(), has_failed, log: format!("== {name}\n{log}[{}]\n", output.status), files }
}

/// Puts variables into the value of a variable, as GitLab does.
fn expanded(value: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut parts = value.split('$');
    out += parts.next().unwrap_or_default();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(part.len());
        out += variables.get(&part[..end]).map_or("", String::as_str);
        out += &part[end..];
    }
    out
}

/// Returns a job with what it extends below it; of `variables` each by itself.
fn extended(pipeline: &Value, job: &Value) -> Value {
    let mut all = job["extends"].as_str().map_or_else(|| serde_json::json!({}), |base| pipeline[base].clone());
    for (name, value) in job.as_object().unwrap() {
        match (name.as_str(), value) {
            ("variables", Value::Object(set)) => {
                set.iter().for_each(|(name, value)| all["variables"][name] = value.clone())
            }
            _ => all[name] = value.clone(),
        }
    }
    all
}

/// Returns whether a rule's condition holds: comparisons and variables, all of which must.
fn holds(condition: &str, variables: &BTreeMap<String, String>) -> bool {
    assert!(!condition.contains("||"), "{condition}");
    let value = |word: &str| match word.strip_prefix('$') {
        Some(name) => variables.get(name).cloned().unwrap_or_default(),
        None => word.trim_matches('"').to_owned(),
    };
    condition.split("&&").map(str::trim).all(|part| match part.split_once("==") {
        Some((one, other)) => value(one.trim()) == value(other.trim()),
        None => !value(part).is_empty(),
    })
}

fn check_out(repository: &Repository, commit: &str, folder: &PathBuf) {
    fs::create_dir_all(folder).unwrap();
    let origin = format!("file://{}", repository.origin().display());
    for words in [
        &["init", "--quiet"][..],
        &["remote", "add", "origin", &origin],
        &["fetch", "--quiet", "--depth", "20", "origin", commit],
        &["checkout", "--quiet", "--detach", "FETCH_HEAD"],
    ] {
        let output = repository::command(folder, words).output().unwrap();
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
