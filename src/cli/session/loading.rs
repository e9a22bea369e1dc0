//! Loading the manifests, and saying what is wrong with them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{Clock, SystemClock};

use crate::manifest::{
    LoadRequest, Loaded, PROJECT_FILE, Project, ProjectOverrides, Rejected, Sources, VARIABLE_PREFIX, load,
    load_also_none, load_project, refuse_lost, render_text,
};
use crate::report::{Body, Rejection};
use crate::state::{LOCK_FILE, LockFile, STATE_FILES, read_snapshot};

use super::super::Exit;
use super::super::args::Global;
use super::super::error::CliError;
use super::super::output::Output;
use super::super::pipeline;
use super::state::{lock_path, run_context};
use super::workspace::state_dir;

/// Loads the manifests that a command line names.
///
/// # Errors
/// When anything is wrong with them; all of it has then been said.
pub fn load_manifests(
    load: fn(LoadRequest) -> Result<Loaded, Rejected>,
    global: &Global,
    paths: &[String],
    output: &Output,
) -> Result<Loaded, CliError> {
    match load(load_request(global, paths)?).and_then(|loaded| refuse_lost_ones(global, loaded)) {
        Ok(loaded) => {
            spare(&loaded.sources, &loaded.project.root, &state_dir(global, &loaded.project).0, output)?;
            if !loaded.warnings.is_empty() {
                let paint = output.talk_paint;
                output.talk(&render_text(&loaded.warnings, &loaded.sources, paint.colour, paint.width));
            }
            Ok(loaded)
        }
        Err(rejected) => Err(reject(&rejected, output)),
    }
}

/// Loads what is declared, and says where a project would do well to have a name.
pub(super) fn load_declared(
    load: fn(LoadRequest) -> Result<Loaded, Rejected>,
    global: &Global,
    paths: &[String],
    output: &Output,
) -> Result<Loaded, CliError> {
    let loaded = load_manifests(load, global, paths, output)?;
    if loaded.project.is_default && global.project.is_none() && !global.sandbox {
        output.talk("note: no facectl.yaml was found, so the project is called `default`. Its name is part of every creation token: give each project in an account a name of its own.");
    }
    Ok(loaded)
}

/// Tells events of manifests that were loaded for their own sake: no session begins with them.
pub fn tell_loaded(global: &Global, loaded: &Loaded, output: &Output) {
    let project = &loaded.project;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let provenance = || run_context(&project.root, &state_dir(global, project).0).provenance;
    output.events.begin(&project.name, &clock, provenance);
    output.events.diagnostics(&loaded.warnings);
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

/// Where manifests are loaded from, for who loads them again and again.
#[derive(Debug, Clone)]
pub struct Loading {
    /// Files, folders and patterns, seen from `cwd`.
    pub paths: Vec<String>,
    /// The project file, where it is not to be looked for.
    pub project_file: Option<PathBuf>,
    /// The folder that paths are seen from.
    pub cwd: PathBuf,
}

/// Loads what is declared, and says nothing. A project with a file of its own may have no face left.
///
/// # Errors
/// When anything is wrong with it.
pub fn load_again(global: &Global, loading: Loading) -> Result<Loaded, Rejected> {
    load_also_none(request(global, loading)).and_then(|loaded| refuse_lost_ones(global, loaded))
}

/// Refuses manifests among which a file lost its shape. Where each face was declared is read from the lock file and from
/// the state's snapshot, and only where a file was skipped; one that cannot be read is for whoever opens it to say.
fn refuse_lost_ones(global: &Global, loaded: Loaded) -> Result<Loaded, Rejected> {
    if loaded.skipped.is_empty() {
        return Ok(loaded);
    }
    let project = &loaded.project;
    let lock = lock_path(global, project).and_then(|path| LockFile::read_untrusted(&path, &project.name).ok()?);
    let snapshot = read_snapshot(&state_dir(global, project).0, &project.name).ok().flatten();
    let of_lock = lock.map(|lock| lock.recorded()).unwrap_or_default();
    let of_state = snapshot.map(|snapshot| snapshot.faces).unwrap_or_default();
    let places = of_lock.into_iter().chain(of_state).filter_map(|(key, face)| Some((key, face.manifest?)));
    refuse_lost(loaded, &places.collect())
}

/// Returns what a command line asks to load.
///
/// # Errors
/// When nobody knows in which folder it runs.
pub fn load_request(global: &Global, paths: &[String]) -> Result<LoadRequest, CliError> {
    let cwd = std::env::current_dir().map_err(|error| CliError::caused("cannot tell the current folder", &error))?;
    let paths = global.file.iter().chain(paths).cloned().collect();
    Ok(request(global, Loading { paths, project_file: global.project_file.clone(), cwd }))
}

fn request(global: &Global, Loading { paths, project_file, cwd }: Loading) -> LoadRequest {
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .collect();
    LoadRequest {
        paths,
        project_file,
        cwd,
        variables,
        stdin: Box::new(io::stdin()),
        overrides: ProjectOverrides { name: global.project.clone(), naming: global.naming },
    }
}

/// Says everything that is wrong with manifests.
pub fn reject(rejected: &Rejected, output: &Output) -> CliError {
    output.events.diagnostics(&rejected.diagnostics);
    let Rejected { diagnostics, sources } = rejected;
    if let Err(error) = spare(sources, Path::new("."), Path::new(".facectl"), output) {
        return error;
    }
    let rejection = Rejection { diagnostics, sources };
    if !output.is_for_programs() {
        output.say(&rejection.text(output.talk_paint));
    }
    match output.deliver(Exit::ERROR, None, Body::Rejected(rejection), pipeline::provenance) {
        Ok(()) => CliError::silent(Exit::ERROR),
        Err(error) => error,
    }
}

/// Makes sure that no report overwrites what the project is made of, or what is remembered of it.
fn spare(sources: &Sources, root: &Path, state_dir: &Path, output: &Output) -> Result<(), CliError> {
    let names: Vec<PathBuf> = sources.iter().map(|source| PathBuf::from(&**source.name())).collect();
    let own = [LOCK_FILE, PROJECT_FILE].map(|name| root.join(name));
    // A rehearsal's files lie in a folder of their own below the real ones.
    let folders = [state_dir.to_owned(), state_dir.join("sandbox")];
    let state = folders.iter().flat_map(|folder| STATE_FILES.iter().map(|name| folder.join(name)));
    let all: Vec<PathBuf> = names.into_iter().chain(own).chain(state).collect();
    output.delivery.spare(all.iter().map(PathBuf::as_path))
}
