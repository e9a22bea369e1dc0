//! What commands work with: the loaded manifests, the API, the state, and the time.

mod lock;
mod look;
mod policy;
mod rehearsal;
mod selection;
mod state;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::apply::Interrupt;
use crate::clock::{Clock, ScaledClock, SystemClock};
use crate::face::{Desired, Observed, Recorded};
use crate::manifest::{
    LoadRequest, Loaded, Project, ProjectOverrides, Rejected, VARIABLE_PREFIX, load, load_also_none, load_if_any,
    load_project, render_text, to_json,
};
use crate::plan::{Plan, Policy, Scope, plan};
use crate::sandbox::{RunningSandbox, resume_time};
use crate::state::RunContext;
use crate::tavus::{ApiKey, Client, ClientConfig, DEFAULT_BASE_URL, observe_pals, parse_base_url};

use super::Exit;
use super::args::Global;
use super::error::{CliError, unless_interrupted};
use super::output::Output;
use rehearsal::start_sandbox;
pub use state::{Access, State, StatePlace, Unmerged, WholeState};

/// Loads the manifests that a command line names.
///
/// # Errors
/// When anything is wrong with them; all of it has then been said.
pub fn load_manifests(global: &Global, paths: &[String], output: &Output) -> Result<Loaded, CliError> {
    load_by(load, global, paths, output)
}

fn load_by(
    load: fn(LoadRequest) -> Result<Loaded, Rejected>,
    global: &Global,
    paths: &[String],
    output: &Output,
) -> Result<Loaded, CliError> {
    match load(load_request(global, paths)?) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                let paint = output.talk_paint;
                output.talk(&render_text(&loaded.warnings, &loaded.sources, paint.colour, paint.width));
            }
            Ok(loaded)
        }
        Err(rejected) => Err(reject(&rejected, output)),
    }
}

/// Loads the project file alone, for commands to which it does not matter what the manifests say, or whether
/// there are any.
///
/// # Errors
/// When anything is wrong with it; all of it has then been said.
pub fn load_only_project(global: &Global, output: &Output) -> Result<Project, CliError> {
    load_project(load_request(global, &[])?).map(|loaded| loaded.project).map_err(|rejected| reject(&rejected, output))
}

/// Returns what is declared and where; none where the manifests cannot be loaded, which is not said.
pub fn declared(global: &Global) -> Option<Loaded> {
    // Standard input may hold something else, and can be read once only.
    let is_stdin = global.file.iter().any(|path| path == "-");
    load(load_request(global, &[]).ok().filter(|_| !is_stdin)?).ok()
}

fn load_request(global: &Global, paths: &[String]) -> Result<LoadRequest, CliError> {
    let cwd = std::env::current_dir().map_err(|error| CliError::caused("cannot tell the current folder", &error))?;
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .collect();
    Ok(LoadRequest {
        paths: global.file.iter().chain(paths).cloned().collect(),
        project_file: global.project_file.clone(),
        cwd,
        variables,
        stdin: Box::new(io::stdin()),
        overrides: ProjectOverrides { name: global.project.clone(), naming: global.naming },
    })
}

fn reject(rejected: &Rejected, output: &Output) -> CliError {
    if output.is_for_programs() {
        let value = serde_json::json!({ "format_version": "1.0", "valid": false, "diagnostics": to_json(&rejected.diagnostics) });
        if let Err(error) = output.value(&value) {
            return error;
        }
    } else {
        let paint = output.talk_paint;
        let shown = &rejected.diagnostics[..rejected.diagnostics.len().min(PROBLEMS_SHOWN)];
        output.say(&render_text(shown, &rejected.sources, paint.colour, paint.width));
        if shown.len() < rejected.diagnostics.len() {
            let (shown, all) = (shown.len(), rejected.diagnostics.len());
            output.say(&format!("These are the first {shown} of {all}; -o json tells all of them."));
        }
    }
    CliError::silent(Exit::ERROR)
}

/// What a command works with.
pub struct Session {
    /// The manifests.
    pub loaded: Loaded,
    /// The API, or the sandbox that stands in for it.
    pub api: Client,
    /// Where the API is; none in the sandbox.
    pub api_base: Option<String>,
    /// The time; in the sandbox the sandbox's.
    pub clock: Arc<dyn Clock>,
    /// How to talk.
    pub output: Output,
    /// Who may ask to stop.
    pub interrupt: Interrupt,
    /// Where the state is, and how to get at it.
    place: StatePlace,
    /// Reads under way at once.
    pub parallelism: usize,
    /// How long one request may be under way.
    pub request_timeout: Duration,
    /// Whether the API is on this machine: nobody is paid, and nothing is fetched.
    is_rehearsal: bool,
    /// Go on in an account where nothing that was seen before is left.
    accepts_account: bool,
    /// Take a listing whose count does not add up as complete.
    accepts_incomplete_listing: bool,
    /// How much of the project the paths on the command line cover.
    scope: Scope,
    sandbox: Option<RunningSandbox>,
}

impl Session {
    /// Loads the manifests and connects to the API, or starts the sandbox.
    ///
    /// # Errors
    /// When the manifests, the settings or the key cannot be used. Nothing was sent.
    pub async fn open(
        global: &Global,
        paths: &[String],
        output: Output,
        interrupt: Interrupt,
    ) -> Result<Self, CliError> {
        Self::open_by(load, global, paths, output, interrupt).await
    }

    /// As [`Session::open`], where a project with a file of its own may have no face left.
    ///
    /// # Errors
    /// As there.
    pub async fn open_also_empty(
        global: &Global,
        paths: &[String],
        output: Output,
        interrupt: Interrupt,
    ) -> Result<Self, CliError> {
        Self::open_by(load_also_none, global, paths, output, interrupt).await
    }

    async fn open_by(
        load: fn(LoadRequest) -> Result<Loaded, Rejected>,
        global: &Global,
        paths: &[String],
        output: Output,
        interrupt: Interrupt,
    ) -> Result<Self, CliError> {
        let loaded = load_by(load, global, paths, &output)?;
        let project = &loaded.project;
        if project.is_default && global.project.is_none() && !global.sandbox {
            output.talk("note: no facectl.yaml was found, so the project is called `default`. Its name is part of every creation token: give each project in an account a name of its own.");
        }
        Self::connect(global, loaded, paths, output, interrupt).await
    }

    /// As [`Session::open`], where nothing has to be declared yet.
    ///
    /// # Errors
    /// As there; manifests that are there must be sound.
    pub async fn open_before_the_first(
        global: &Global,
        output: Output,
        interrupt: Interrupt,
    ) -> Result<Self, CliError> {
        let loaded = load_by(load_if_any, global, &[], &output)?;
        Self::connect(global, loaded, &[], output, interrupt).await
    }

    /// As [`Session::open`], for what asks the API alone: no manifest is read.
    ///
    /// # Errors
    /// When the settings or the key cannot be used. Nothing was sent.
    pub async fn open_without_manifests(
        global: &Global,
        output: Output,
        interrupt: Interrupt,
    ) -> Result<Self, CliError> {
        let loaded = load_by(load_project, global, &[], &output)?;
        Self::connect(global, loaded, &[], output, interrupt).await
    }

    async fn connect(
        global: &Global,
        loaded: Loaded,
        paths: &[String],
        output: Output,
        interrupt: Interrupt,
    ) -> Result<Self, CliError> {
        let project = &loaded.project;
        let settings = &project.settings;
        let place = StatePlace::of(global, project, output, interrupt.clone());
        let (base_url, key, sandbox, clock): (_, _, _, Arc<dyn Clock>) = if global.sandbox {
            let start = start_sandbox(global, &place.directory, place.patience);
            let (sandbox, clock) = unless_interrupted(&interrupt, start).await?;
            (sandbox.base_url(), ApiKey::parse(REHEARSAL_KEY), Some(sandbox), clock)
        } else {
            let url = api_url(global, project);
            (url, Ok(read_key(global)?), None, Arc::new(SystemClock))
        };
        let base_url =
            parse_base_url(&base_url).map_err(|error| CliError::caused("cannot use the API's base URL", &error))?;
        let key = key.map_err(|error| CliError::caused("cannot use the API key", &error))?;
        let api_base = sandbox.is_none().then(|| base_url.to_string());
        let is_rehearsal = base_url.is_loopback();
        // Back-off waits in real time also where training time runs faster.
        let mut config = ClientConfig::new(base_url, key, Arc::new(SystemClock));
        let parallelism = global.parallelism.or(settings.parallelism).unwrap_or(4) as usize;
        // Beside the reads there is room for every create that may be under way: one that waited for a place
        // would be written down as begun long before it is sent.
        config.max_in_flight = parallelism + CREATES_AT_MOST;
        config.ca_file.clone_from(&global.ca_file);
        if let Some(timeout) = global.request_timeout.or(settings.request_timeout) {
            config.request_timeout = timeout;
        }
        if let Some(rate) =
            global.requests_per_second.or(settings.requests_per_second).filter(|_| config.requests_per_second.is_some())
        {
            config.requests_per_second = Some(f64::from(rate));
        }
        let request_timeout = config.request_timeout;
        let api = Client::new(config).map_err(|error| CliError::caused("cannot set up the API client", &error))?;
        let scope = scope(global.file.iter().chain(paths), project);
        Ok(Self {
            scope,
            request_timeout,
            is_rehearsal,
            accepts_account: global.accept_account,
            accepts_incomplete_listing: global.accept_incomplete_listing,
            loaded,
            api,
            api_base,
            clock,
            output,
            interrupt,
            place,
            parallelism,
            sandbox,
        })
    }

    /// Opens the state, and takes over what only the lock file beside the manifests knows.
    ///
    /// # Errors
    /// When somebody else holds it, it cannot be read or written, or it contradicts the lock file.
    pub fn state(&self, access: Access) -> Result<State, CliError> {
        self.place.open(access)
    }

    /// Finds out who is at work, for the history.
    pub fn run_context(&self) -> RunContext {
        self.place.run_context()
    }

    /// Returns what the manifests ask for.
    pub fn desired(&self) -> &Desired {
        &self.loaded.desired
    }

    /// Plans, after a look at the PALs where it matters which of them use which face.
    ///
    /// # Errors
    /// When the PALs cannot be listed.
    pub async fn plan(&self, recorded: &Recorded, observed: &mut Observed, policy: &Policy) -> Result<Plan, CliError> {
        let first = plan(self.desired(), recorded, observed, policy);
        if !first.needs_pals() || observed.pals.is_some() {
            return Ok(first);
        }
        let pals = async { Ok(observe_pals(&self.api).await?) };
        observed.pals = Some(unless_interrupted(&self.interrupt, pals).await?);
        Ok(plan(self.desired(), recorded, observed, policy))
    }

    /// Plans without a look at the PALs: enough to say what differs.
    pub fn plan_without_pals(&self, recorded: &Recorded, observed: &Observed, policy: &Policy) -> Plan {
        plan(self.desired(), recorded, observed, policy)
    }

    /// Ends the sandbox, if there is one, and saves its world.
    pub async fn close(self) {
        if let Some(sandbox) = self.sandbox
            && let Err(error) = sandbox.shutdown().await
        {
            self.output.say(&format!("warning: the sandbox could not save its world: {error}"));
        }
    }
}

/// The key of a rehearsal. Wherever it stands in an answer it is hidden, so it must be no word.
const REHEARSAL_KEY: &str = "no-key-is-needed-in-a-rehearsal";
/// Problems shown to people: more of them fill a screen and a log, and come from one mistake.
const PROBLEMS_SHOWN: usize = 100;
/// The largest `--create-parallelism`.
const CREATES_AT_MOST: usize = 16;

fn state_dir(global: &Global, project: &Project) -> PathBuf {
    let chosen =
        global.state_dir.clone().or_else(|| project.settings.state_dir.as_ref().map(|dir| project.root.join(dir)));
    let dir = chosen.unwrap_or_else(|| project.root.join(".facectl"));
    if global.sandbox { dir.join("sandbox") } else { dir }
}

/// Returns whether the paths on the command line are all of the project, or a part of it. What is recorded
/// and not among a part has not left the manifests: it was not looked at.
fn scope<'a>(paths: impl Iterator<Item = &'a String>, project: &Project) -> Scope {
    let given: Vec<PathBuf> = paths.map(|path| std::fs::canonicalize(path).unwrap_or_else(|_| path.into())).collect();
    let covers = |wanted: &Path| {
        let wanted = std::fs::canonicalize(wanted).unwrap_or_else(|_| wanted.to_owned());
        given.iter().any(|path| wanted.starts_with(path))
    };
    let manifests = &project.settings.manifests;
    let is_whole = given.is_empty()
        || covers(&project.root)
        || (!manifests.is_empty() && manifests.iter().all(|path| covers(&project.root.join(path))));
    if is_whole { Scope::Whole } else { Scope::Part }
}

fn api_url(global: &Global, project: &Project) -> String {
    let by_vendor = || std::env::var("TAVUS_PUBLIC_API_BASE_URL").ok().filter(|url| !url.is_empty());
    let url = global.api_url.clone().or_else(by_vendor).or_else(|| project.settings.api_url.clone());
    url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned())
}

fn read_key(global: &Global) -> Result<ApiKey, CliError> {
    let text = match &global.api_key_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| CliError::caused(format!("cannot read the key file {}", path.display()), &error))?,
        None => std::env::var("TAVUS_API_KEY").unwrap_or_default(),
    };
    if text.trim().is_empty() {
        let what = match &global.api_key_file {
            Some(path) => format!("no API key: the key file {} is empty", path.display()),
            None => "no API key: TAVUS_API_KEY is not set".to_owned(),
        };
        return Err(CliError::new(what)
            .hint("make a key in the Tavus console (PAL Maker, API keys), then `export TAVUS_API_KEY=…` or give --api-key-file FILE")
            .hint("to try it without a key: add --sandbox"));
    }
    ApiKey::parse(&text).map_err(|error| {
        let place =
            global.api_key_file.as_ref().map_or_else(|| "TAVUS_API_KEY".to_owned(), |path| path.display().to_string());
        CliError::caused(format!("cannot use the API key in {place}"), &error)
    })
}

/// Returns the time that a project's history is written in; in the sandbox the sandbox's, which need not run.
///
/// # Errors
/// When the sandbox's world cannot be read.
pub fn clock_of(global: &Global, state_dir: &Path) -> Result<Arc<dyn Clock>, CliError> {
    if !global.sandbox {
        return Ok(Arc::new(SystemClock));
    }
    let origin = resume_time(Some(&state_dir.join("world.json")))
        .map_err(|error| CliError::caused("cannot read the sandbox's time", &error))?;
    // In real time, as nothing is waited for: what is written next must not seem to come before it.
    Ok(Arc::new(ScaledClock::new(origin, 1.0)))
}

/// What this process was called with, for whoever finds the state held. Long lines are cut.
fn command_line() -> String {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let name = words
        .first()
        .and_then(|path| Path::new(path).file_name())
        .map_or_else(|| "facectl".to_owned(), |name| name.to_string_lossy().into_owned());
    let line = std::iter::once(name).chain(words.into_iter().skip(1)).collect::<Vec<_>>().join(" ");
    crate::face::redact_links(&line).chars().take(120).collect()
}
