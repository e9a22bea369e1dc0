//! What commands work with: the loaded manifests, the API, the state, and the time.

mod folder;
mod follow;
mod loading;
mod lock;
mod look;
mod material;
mod offline;
mod policy;
mod rehearsal;
mod selection;
mod state;
mod workspace;

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::apply::Interrupt;
use crate::clock::{Clock, ScaledClock, SystemClock};
use crate::face::{Observed, Recorded};
use crate::manifest::{LoadRequest, Loaded, Project, Rejected, load, load_also_none, load_if_any, load_project};
use crate::media::Desk;
use crate::plan::{Plan, Policy, plan};
use crate::sandbox::{RunningSandbox, resume_time};
use crate::tavus::{ApiKey, BaseUrl, Client, ClientConfig, DEFAULT_BASE_URL, observe_pals, parse_base_url};

use super::args::Global;
use super::error::{CliError, unless_interrupted};
use super::output::Output;
pub use folder::check_own;
pub use follow::Followed;
use loading::load_declared;
pub use loading::{
    Loading, declared, load_again, load_manifests, load_only_project, load_request, reject, tell_loaded,
};
use rehearsal::start_sandbox;
pub use state::{Access, State, StatePlace, Unmerged, WholeState};
pub use workspace::Workspace;
use workspace::scope;

/// What a command works with: its [`Workspace`], and the API.
pub struct Session {
    /// What is at hand without the API.
    workspace: Workspace,
    /// The API, or the sandbox that stands in for it.
    pub api: Client,
    /// Where the API is; none in the sandbox.
    pub api_base: Option<String>,
    /// Reads under way at once.
    pub parallelism: usize,
    /// How long one request may be under way.
    pub request_timeout: Duration,
    /// Go on in an account where nothing that was seen before is left.
    accepts_account: bool,
    /// Take a listing whose count does not add up as complete.
    accepts_incomplete_listing: bool,
    /// Where training material is looked at, and links to it are made.
    pub desk: Desk,
    sandbox: Option<RunningSandbox>,
}

/// A session is a workspace with the API beside it: whatever needs no API is asked of the workspace.
impl Deref for Session {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.workspace
    }
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
        let loaded = load_declared(load, global, paths, &output)?;
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
        let loaded = load_manifests(load_if_any, global, &[], &output)?;
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
        let loaded = load_manifests(load_project, global, &[], &output)?;
        Self::connect(global, loaded, &[], output, interrupt).await
    }

    async fn connect(
        global: &Global,
        mut loaded: Loaded,
        paths: &[String],
        output: Output,
        interrupt: Interrupt,
    ) -> Result<Self, CliError> {
        let place = StatePlace::of(global, &loaded.project, output, interrupt.clone())?;
        if global.sandbox {
            // A rehearsal believes its world, and writes it.
            place.refuse_tracked()?;
        }
        material::read_files(&mut loaded, &place, material::Remembers::Hashes, output);
        let project = &loaded.project;
        let begin = |clock: &Arc<dyn Clock>| {
            if output.is_logged {
                // A loop says of each pass that it began, and from which commit.
                return;
            }
            output.events.begin(&project.name, clock, || place.run_context().provenance.clone());
            output.events.diagnostics(&loaded.warnings);
        };
        let (base_url, key, sandbox, clock): (_, _, _, Arc<dyn Clock>) = if global.sandbox {
            let start = start_sandbox(global, &place.directory, place.patience);
            let (sandbox, clock) = unless_interrupted(&interrupt, start).await?;
            begin(&clock);
            (sandbox.base_url(), ApiKey::parse(REHEARSAL_KEY), Some(sandbox), clock)
        } else {
            let url = api_url(global, project);
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            begin(&clock);
            (url, Ok(read_key(global)?), None, clock)
        };
        let base_url =
            parse_base_url(&base_url).map_err(|error| CliError::caused("cannot use the API's base URL", &error))?;
        let key = key.map_err(|error| CliError::caused("cannot use the API key", &error))?;
        let api_base = sandbox.is_none().then(|| base_url.to_string());
        let is_rehearsal = base_url.is_loopback();
        let Connection { api, parallelism, request_timeout } = connection(global, project, base_url, key)?;
        let scope = scope(global.file.iter().chain(paths), project);
        let workspace = Workspace { loaded, clock, output, interrupt, place, is_rehearsal, scope };
        Ok(Self {
            desk: material::desk(global, &workspace),
            workspace,
            api,
            api_base,
            parallelism,
            request_timeout,
            accepts_account: global.accept_account,
            accepts_incomplete_listing: global.accept_incomplete_listing,
            sandbox,
        })
    }

    /// Plans, after a look at the material of what would be paid for, and at the PALs where it matters which of them use
    /// which face.
    ///
    /// # Errors
    /// When the PALs cannot be listed.
    pub async fn plan(&self, recorded: &Recorded, observed: &mut Observed, policy: &Policy) -> Result<Plan, CliError> {
        let first = plan(self.desired(), recorded, observed, policy);
        let first = self.plan_with_material(first, recorded, observed, policy).await?;
        if !first.needs_pals() || observed.pals.is_some() {
            return Ok(first);
        }
        let pals = async { Ok(observe_pals(&self.api).await?) };
        observed.pals = Some(unless_interrupted(&self.interrupt, pals).await?);
        // Which PALs use a face starts no training that was not planned without knowing it.
        Ok(plan(self.desired(), recorded, observed, policy))
    }

    /// Returns whether the API is a sandbox inside this process, which nobody else can have created a face in.
    pub fn is_in_process(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Ends the sandbox, if there is one, and saves its world.
    pub async fn close(self) {
        let Self { workspace, sandbox, .. } = self;
        if let Some(sandbox) = sandbox
            && let Err(error) = sandbox.shutdown().await
        {
            workspace.output.say(&format!("warning: the sandbox could not save its world: {error}"));
        }
    }
}

/// The API, and how it is asked.
struct Connection {
    api: Client,
    parallelism: usize,
    request_timeout: Duration,
}

/// Gets ready to ask the API; sends nothing.
fn connection(global: &Global, project: &Project, base_url: BaseUrl, key: ApiKey) -> Result<Connection, CliError> {
    let settings = &project.settings;
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
    Ok(Connection { api, parallelism, request_timeout })
}

/// The key of a rehearsal. Wherever it stands in an answer it is hidden, so it must be no word.
const REHEARSAL_KEY: &str = "no-key-is-needed-in-a-rehearsal";
/// The largest `--create-parallelism`.
const CREATES_AT_MOST: usize = 16;

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
