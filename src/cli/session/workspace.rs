//! What a command has at hand before anybody is asked: manifests, settings, time, and where the state is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::apply::Interrupt;
use crate::clock::Clock;
use crate::face::{Desired, Observed, Recorded};
use crate::manifest::{Loaded, Project};
use crate::plan::{Plan, Policy, Scope, plan};
use crate::state::{Provenance, RunContext};

use super::super::args::Global;
use super::super::error::CliError;
use super::super::output::Output;
use super::folder::ChosenBy;
use super::state::{Access, State, StatePlace};

/// What a command has at hand before anybody is asked. It needs no key, and sends nothing.
pub struct Workspace {
    /// The manifests.
    pub loaded: Loaded,
    /// The time; in the sandbox the sandbox's.
    pub clock: Arc<dyn Clock>,
    /// How to talk.
    pub output: Output,
    /// Who may ask to stop.
    pub interrupt: Interrupt,
    /// Where the state is, and how to get at it.
    pub(super) place: StatePlace,
    /// Whether the API is on this machine: nobody is paid, and nothing is fetched.
    pub(super) is_rehearsal: bool,
    /// How much of the project the paths on the command line cover.
    pub(super) scope: Scope,
}

impl Workspace {
    /// Opens the state, and takes over what only the lock file beside the manifests knows.
    ///
    /// # Errors
    /// When somebody else holds it, it cannot be read or written, or it contradicts the lock file.
    pub fn state(&self, access: Access) -> Result<State, CliError> {
        self.place.open(access)
    }

    /// Finds out who is at work, for the history.
    pub fn run_context(&self) -> &RunContext {
        self.place.run_context()
    }

    /// Finds out where the run comes from, for results.
    pub fn provenance(&self) -> &Provenance {
        &self.run_context().provenance
    }

    /// Returns what the manifests ask for.
    pub fn desired(&self) -> &Desired {
        &self.loaded.desired
    }

    /// Returns whether the API is on this machine, so that nobody is paid.
    pub fn is_rehearsal(&self) -> bool {
        self.is_rehearsal
    }

    /// Plans without a look at the PALs: enough to say what differs.
    pub fn plan_without_pals(&self, recorded: &Recorded, observed: &Observed, policy: &Policy) -> Plan {
        plan(self.desired(), recorded, observed, policy)
    }
}

/// Returns the folder of the state, and who chose it.
pub(super) fn state_dir(global: &Global, project: &Project) -> (PathBuf, ChosenBy) {
    let (dir, chosen_by) = match (&global.state_dir, &project.settings.state_dir) {
        (Some(dir), _) => (dir.clone(), ChosenBy::Machine),
        (None, Some(dir)) => (project.root.join(dir), ChosenBy::ProjectFile),
        (None, None) => (project.root.join(".facectl"), ChosenBy::Machine),
    };
    (if global.sandbox { dir.join("sandbox") } else { dir }, chosen_by)
}

/// Returns whether the paths on the command line are all of the project, or a part of it. What is recorded
/// and not among a part has not left the manifests: it was not looked at.
pub(super) fn scope<'a>(paths: impl Iterator<Item = &'a String>, project: &Project) -> Scope {
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
