//! What commands work with: the loaded manifests, the API, the state, and the time.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::apply::{Interrupt, join_all};
use crate::clock::{Clock, ScaledClock, SystemClock};
use crate::face::{
    Coverage, Desired, FaceId, FaceKey, Naming, Observed, ObservedFace, Ownership, Presence, Recorded, RecordedFace,
    TrainingStatus, named_with,
};
use crate::manifest::{
    Adopt, LoadRequest, Loaded, Project, ProjectOverrides, Rejected, VARIABLE_PREFIX, load, render_text, to_json,
};
use crate::plan::{Plan, Policy, plan};
use crate::report::duration;
use crate::sandbox::{RunningSandbox, Sandbox, SandboxConfig, SandboxError, resume_time};
use crate::state::{Change, Holder, Lease, LeaseError, Rebuilt, SledStore, Snapshot, StateStore, read_snapshot};
use crate::tavus::{ApiKey, Client, ClientConfig, DEFAULT_BASE_URL, FaceReads, details, observe, parse_base_url};

use super::Exit;
use super::args::{Global, PolicyArgs};
use super::error::CliError;
use super::output::Output;

/// Loads the manifests that a command line names.
///
/// # Errors
/// When anything is wrong with them; all of it has then been said.
pub fn load_manifests(global: &Global, paths: &[String], output: &Output) -> Result<Loaded, CliError> {
    let cwd = std::env::current_dir().map_err(|error| CliError::caused("cannot tell the current folder", &error))?;
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .collect();
    let request = LoadRequest {
        paths: global.file.iter().chain(paths).cloned().collect(),
        project_file: global.project_file.clone(),
        cwd,
        variables,
        stdin: Box::new(io::stdin()),
        overrides: ProjectOverrides { name: global.project.clone(), naming: global.naming },
    };
    match load(request) {
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
    /// The time; in the sandbox the sandbox's.
    pub clock: Arc<dyn Clock>,
    /// How to talk.
    pub output: Output,
    /// Who may ask to stop.
    pub interrupt: Interrupt,
    /// Where the state is.
    pub state_dir: PathBuf,
    /// Reads under way at once.
    pub parallelism: usize,
    sandbox: Option<RunningSandbox>,
    lock_timeout: Duration,
}

/// The state, as a command may use it.
pub struct State {
    /// The store, where this process holds it.
    pub store: Option<Arc<dyn StateStore>>,
    /// What it remembered when it was opened.
    pub snapshot: Snapshot,
}

impl State {
    /// Returns the view a plan is made from.
    pub fn recorded(&self) -> Recorded {
        self.snapshot.recorded()
    }
}

/// How a command uses the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Makes it if it is not there; nobody else may hold it.
    Write,
    /// Leaves no trace where there is none; nobody else may hold it, as it would be read half-way.
    Read,
    /// As `Read`, and while somebody else holds it, reads what was last written.
    ReadAnyhow,
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
        let loaded = load_manifests(global, paths, &output)?;
        let project = &loaded.project;
        let settings = &project.settings;
        let state_dir = state_dir(global, project);
        let (base_url, key, sandbox, clock): (_, _, _, Arc<dyn Clock>) = if global.sandbox {
            let patience = global.lock_timeout.or(settings.lock_timeout).unwrap_or_default();
            let start = start_sandbox(global, &state_dir, patience);
            let (sandbox, clock) = super::error::unless_interrupted(&interrupt, start).await?;
            (sandbox.base_url(), ApiKey::parse(REHEARSAL_KEY), Some(sandbox), clock)
        } else {
            let url = api_url(global, project);
            (url, Ok(read_key(global)?), None, Arc::new(SystemClock))
        };
        let base_url =
            parse_base_url(&base_url).map_err(|error| CliError::caused("cannot use the API's base URL", &error))?;
        let key = key.map_err(|error| CliError::caused("cannot use the API key", &error))?;
        // Back-off waits in real time also where training time runs faster.
        let mut config = ClientConfig::new(base_url, key, Arc::new(SystemClock));
        let parallelism = global.parallelism.or(settings.parallelism).unwrap_or(4) as usize;
        config.max_in_flight = parallelism.max(config.max_in_flight);
        config.ca_file.clone_from(&global.ca_file);
        if let Some(timeout) = global.request_timeout.or(settings.request_timeout) {
            config.request_timeout = timeout;
        }
        if let Some(rate) =
            global.requests_per_second.or(settings.requests_per_second).filter(|_| config.requests_per_second.is_some())
        {
            config.requests_per_second = Some(f64::from(rate));
        }
        let api = Client::new(config).map_err(|error| CliError::caused("cannot set up the API client", &error))?;
        let lock_timeout = global.lock_timeout.or(settings.lock_timeout).unwrap_or_default();
        if project.is_default && global.project.is_none() && !global.sandbox {
            output.talk("note: no facectl.yaml was found, so the project is called `default`. Its name is part of every creation token: give each project in an account a name of its own.");
        }
        Ok(Self { loaded, api, clock, output, interrupt, state_dir, parallelism, sandbox, lock_timeout })
    }

    /// Returns what the manifests ask for.
    pub fn desired(&self) -> &Desired {
        &self.loaded.desired
    }

    /// Checks that whoever names a face to pay for has named one.
    ///
    /// # Errors
    /// When a key is neither declared nor recorded: a slip that would pass unnoticed.
    pub fn check_keys(&self, args: &PolicyArgs, recorded: &Recorded) -> Result<(), CliError> {
        let is_known = |key: &FaceKey| self.desired().faces.contains_key(key) || recorded.faces.contains_key(key);
        let named = args.recreate.iter().map(|key| ("--recreate", key));
        let mut named = named.chain(args.retry.iter().map(|key| ("--retry", key)));
        let Some((flag, key)) = named.find(|(_, key)| !is_known(key)) else { return Ok(()) };
        let error = CliError::new(format!("{flag} {key}: there is no such face; nothing was changed"));
        let known: Vec<&str> = self.desired().faces.keys().take(20).map(FaceKey::as_str).collect();
        Err(error.hint(format!("declared are: {}", known.join(", "))))
    }

    /// Returns how much of what a plan may do.
    pub fn policy(&self, args: Option<&PolicyArgs>) -> Policy {
        let settings = &self.loaded.project.settings;
        let by_file = settings.adopt == Adopt::Unique;
        let max_trainings = settings.limits.max_trainings;
        match args {
            None => Policy { adopt_by_name: by_file, max_trainings, ..Policy::default() },
            Some(args) => Policy {
                adopt_by_name: by_file || args.adopt,
                recreate: args.recreate.iter().cloned().collect(),
                retry: args.retry.iter().cloned().collect(),
                max_trainings: args.max_trainings.or(max_trainings),
            },
        }
    }

    /// Opens the state.
    ///
    /// # Errors
    /// When somebody else holds it, or it cannot be read or written.
    pub fn state(&self, access: Access) -> Result<State, CliError> {
        let project = &self.loaded.desired.project;
        if access != Access::Write && !self.state_dir.join("db").exists() {
            let snapshot = read_snapshot(&self.state_dir, project)?.unwrap_or_else(|| Snapshot::empty(project.clone()));
            return Ok(State { store: None, snapshot });
        }
        let patience = if access == Access::ReadAnyhow { Duration::ZERO } else { self.lock_timeout };
        let lease = match self.lease(patience) {
            Ok(lease) => lease,
            Err(error @ LeaseError::Held { .. }) if access == Access::ReadAnyhow => {
                return self.snapshot_beside(&error);
            }
            // A folder that cannot be written can still be read from.
            Err(LeaseError::Io { .. }) if access != Access::Write => {
                let snapshot =
                    read_snapshot(&self.state_dir, project)?.unwrap_or_else(|| Snapshot::empty(project.clone()));
                return Ok(State { store: None, snapshot });
            }
            Err(LeaseError::Held { .. }) if self.interrupt.is_noted() => return Err(CliError::interrupted()),
            Err(error) => return Err(error.into()),
        };
        // Read first: a database that is not there is begun anew, and then so is the snapshot.
        let is_lost = !self.state_dir.join("db").exists();
        let copy = if is_lost { read_snapshot(&self.state_dir, project)? } else { None };
        let (store, rebuilt) = SledStore::open(&self.state_dir, project, lease)?;
        if let Some(copy) = copy {
            self.restore(&store, copy)?;
        }
        if let Some(Rebuilt { why, moved_to, serial }) = rebuilt {
            self.output.say(&format!(
                "warning: the state database was damaged ({why}). It was moved to {} and rebuilt from the snapshot of serial {serial}; nothing was lost.",
                moved_to.display()
            ));
        }
        let store: Arc<dyn StateStore> = Arc::new(store);
        let snapshot = store.load()?;
        Ok(State { store: Some(store), snapshot })
    }

    /// Brings back what a snapshot holds whose database is gone, open creates above all.
    fn restore(&self, store: &SledStore, copy: Snapshot) -> Result<(), CliError> {
        let Snapshot { meta, faces, journal } = copy;
        if faces.is_empty() && journal.is_empty() {
            return Ok(());
        }
        let faces = faces.into_iter().map(|(key, face)| (key, Some(face))).collect();
        store.commit(Change { faces, journal: journal.into_iter().collect(), ..Change::default() })?;
        self.output.say(&format!(
            "warning: the state database in {} was gone. It was rebuilt from the snapshot of serial {}; nothing was lost but its history.",
            self.state_dir.display(),
            meta.serial
        ));
        Ok(())
    }

    /// Takes the lease. While somebody else holds it, says for whom this run waits, and hears an interrupt.
    fn lease(&self, patience: Duration) -> Result<Lease, LeaseError> {
        let deadline = Instant::now() + patience;
        let mut is_told = false;
        loop {
            // On the machine's clock, also where the sandbox's runs ahead: a person compares it with a watch.
            let holder = Holder::of_this_process(command_line(), SystemClock.now());
            match Lease::take(&self.state_dir, &holder, Duration::ZERO) {
                Err(held @ LeaseError::Held { .. }) if Instant::now() < deadline && !self.interrupt.is_noted() => {
                    if !is_told {
                        self.output.talk(&format!("{held}; waiting up to {} for it.", duration(patience)));
                        is_told = true;
                    }
                    std::thread::sleep(LOCK_RETRY);
                }
                taken => return taken,
            }
        }
    }

    fn snapshot_beside(&self, held: &LeaseError) -> Result<State, CliError> {
        let project = &self.loaded.desired.project;
        let Some(snapshot) = read_snapshot(&self.state_dir, project)? else {
            return Ok(State { store: None, snapshot: Snapshot::empty(project.clone()) });
        };
        self.output.talk(&format!("note: {held}; this is what it last wrote (serial {}).", snapshot.meta.serial));
        Ok(State { store: None, snapshot })
    }

    /// Looks at the live faces: one complete listing, and a look at each face whose row does not say enough.
    ///
    /// # Errors
    /// When they cannot be listed, or somebody asks to stop. Nothing was changed.
    pub async fn survey(&self, recorded: &Recorded) -> Result<Observed, CliError> {
        let look = async {
            let mut observed = observe(&self.api, self.clock.as_ref(), self.parallelism).await?;
            self.confirm_missing(recorded, &mut observed).await?;
            let unclear = self.unclear(recorded, &observed);
            details(&self.api, &mut observed, &unclear, self.parallelism).await?;
            Ok(observed)
        };
        super::error::unless_interrupted(&self.interrupt, look).await
    }

    /// A listing by pages can miss a face that was there all the time, when others come and go meanwhile:
    /// before a recorded face counts as gone, it is looked at alone.
    async fn confirm_missing(&self, recorded: &Recorded, observed: &mut Observed) -> Result<(), CliError> {
        let missing: Vec<&FaceId> =
            recorded.faces.values().map(|face| &face.id).filter(|id| observed.presence(id) == Presence::Gone).collect();
        if missing.len() > MISSING_LOOKS && missing.len() == recorded.faces.len() {
            let why = format!(
                "none of the {} recorded faces is in this account, as if the key were of another one",
                missing.len()
            );
            observed.coverage = Coverage::Partial(why);
            return Ok(());
        }
        for chunk in missing.chunks(self.parallelism.max(1)) {
            for face in join_all(chunk.iter().map(|id| self.api.face(id)).collect()).await {
                if let Some(face) = face? {
                    observed.faces.insert(face.id.clone(), face);
                }
            }
        }
        Ok(())
    }

    /// Returns the faces whose row may say too little: failed ones (a row has no reason), and ones whose
    /// voice is managed but not shown.
    fn unclear(&self, recorded: &Recorded, observed: &Observed) -> Vec<FaceId> {
        let is_unclear = |key: &FaceKey, id: &FaceId| {
            let Some(live) = observed.faces.get(id) else { return false };
            let wants_voice = self.desired().faces.get(key).is_some_and(|face| face.spec.default_voice.is_some())
                || recorded.faces.get(key).is_some_and(|face| face.default_voice.is_some());
            (live.status == TrainingStatus::Failed && live.error.is_none())
                || (wants_voice && live.default_voice.is_none())
        };
        recorded.faces.iter().filter(|(key, face)| is_unclear(key, &face.id)).map(|(_, face)| face.id.clone()).collect()
    }

    /// Returns what is known without looking at the API: the recorded faces as they were last seen. It proves no
    /// absence, so nothing is ever created on it.
    pub fn unobserved(&self, recorded: &Recorded) -> Observed {
        let faces = recorded.faces.values().filter_map(|face| Some((face.id.clone(), self.last_seen(face)?)));
        Observed {
            at: self.clock.now(),
            coverage: Coverage::Partial("the API was not asked (--refresh=false)".to_owned()),
            faces: faces.collect(),
        }
    }

    /// Returns a recorded face as it was last seen; none where it was never looked at since it was taken over.
    fn last_seen(&self, face: &RecordedFace) -> Option<ObservedFace> {
        let (status, progress) = match &face.last_seen {
            Some(last) => (last.status.clone(), last.progress),
            None if face.seen_usable => return None,
            None => (TrainingStatus::Training, None),
        };
        let keeps_token = face.token_in_name && self.desired().naming == Naming::Marker;
        let token = face.token.as_ref().filter(|_| keeps_token);
        Some(ObservedFace {
            id: face.id.clone(),
            name: Some(token.map_or_else(|| face.name.to_string(), |token| named_with(&face.name, token))),
            model: face.trained_from.as_ref().map(|from| from.model.to_string()),
            status,
            progress,
            error: None,
            default_voice: face.default_voice.clone(),
            ownership: Ownership::User,
            created_at: face.created_at,
        })
    }

    /// Plans.
    pub fn plan(&self, recorded: &Recorded, observed: &Observed, policy: &Policy) -> Plan {
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
/// How often a state that somebody else holds is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(100);
/// Recorded faces that may be missing at once before it looks like the wrong account.
const MISSING_LOOKS: usize = 2;

fn state_dir(global: &Global, project: &Project) -> PathBuf {
    let chosen =
        global.state_dir.clone().or_else(|| project.settings.state_dir.as_ref().map(|dir| project.root.join(dir)));
    let dir = chosen.unwrap_or_else(|| project.root.join(".facectl"));
    if global.sandbox { dir.join("sandbox") } else { dir }
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

async fn start_sandbox(
    global: &Global,
    state_dir: &Path,
    patience: Duration,
) -> Result<(RunningSandbox, Arc<dyn Clock>), CliError> {
    let failed = |error: SandboxError| {
        let exit = if matches!(error, SandboxError::InUse { .. }) { Exit::HELD } else { Exit::ERROR };
        CliError::caused("cannot start the sandbox", &error)
            .hint(match exit {
                Exit::HELD => "another rehearsal is under way in this folder: wait for it with --lock-timeout 1m, or give this one a --state-dir of its own",
                _ => "its world and state live in .facectl/sandbox; --state-dir chooses another place, removing that folder starts anew",
            })
            .exit(exit)
    };
    std::fs::create_dir_all(state_dir).map_err(|source| {
        CliError::caused(format!("cannot make the sandbox's folder {}", state_dir.display()), &source)
            .hint("--state-dir DIR chooses a folder that can be written")
    })?;
    let world = state_dir.join("world.json");
    let deadline = Instant::now() + patience;
    loop {
        let clock: Arc<dyn Clock> =
            Arc::new(ScaledClock::new(resume_time(Some(&world)).map_err(failed)?, global.sandbox_speed));
        let config = SandboxConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            world_file: Some(world.clone()),
            clock: Arc::clone(&clock),
            faults: global.sandbox_fault.clone(),
            api_key: None,
            lenient: false,
        };
        match Sandbox::start(config).await {
            Ok(sandbox) => return Ok((sandbox, clock)),
            Err(SandboxError::InUse { .. }) if Instant::now() < deadline => tokio::time::sleep(LOCK_RETRY).await,
            Err(error) => return Err(failed(error)),
        }
    }
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
