//! Opening the state, beside others that may hold it and the lock file that may know better.
//!
//! Needs no manifests, no key and no network: only where the state is, and whose.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::apply::Interrupt;
use crate::clock::{Clock, SystemClock};
use crate::face::{ProjectName, Recorded};
use crate::manifest::Project;
use crate::report::duration;
use crate::state::{
    Holder, LOCK_FILE, Last, Lease, LeaseError, LockFile, Meta, PublishedStore, Rebuilt, RunContext, SledReader,
    SledStore, Snapshot, StateError, StateStore, base_lock_file, is_own_lock_file, read_history_copy, read_snapshot,
};

use super::super::args::Global;
use super::super::error::CliError;
use super::super::output::Output;
use super::super::provenance;
use super::workspace::state_dir;
use super::{Followed, command_line, folder, lock};

/// The state, as a command may use it.
pub struct State {
    /// The store, where this process holds it.
    pub store: Option<Arc<dyn StateStore>>,
    /// What it says about itself.
    pub meta: Meta,
    /// What it remembered when it was opened.
    pub recorded: Recorded,
    /// Whether it knows of any create, settled or not.
    pub has_begun: bool,
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

/// Where a state is, whose it is, and how to get at it.
#[derive(Debug)]
pub struct StatePlace {
    /// The project it belongs to.
    pub project: ProjectName,
    /// The project's folder.
    pub root: PathBuf,
    /// The folder of the state.
    pub directory: PathBuf,
    /// Where the lock file is; none where it is turned off.
    pub lock_path: Option<PathBuf>,
    /// The commit whose files are followed, where they are not the user's own.
    pub followed: Option<Followed>,
    /// Whether it is a rehearsal's.
    pub is_rehearsal: bool,
    /// How long to wait while somebody else holds it.
    pub patience: Duration,
    /// How to talk.
    pub output: Output,
    /// Who may ask to stop.
    pub interrupt: Interrupt,
    /// Who is at work, once that was asked.
    pub(super) context: OnceLock<RunContext>,
    /// Whether git tracks anything in the folder, once that was asked.
    is_tracked: OnceLock<bool>,
}

/// The whole of a state, as a command that works on the state itself uses it.
pub struct WholeState {
    /// The store, where this process holds it.
    pub store: Option<Arc<dyn StateStore>>,
    /// What it remembered when it was opened.
    pub snapshot: Snapshot,
    /// Whether another process holds it, and may go on writing.
    pub is_held_elsewhere: bool,
}

/// The state alone, whatever the lock file beside it says.
pub struct Unmerged {
    /// The store, which keeps the lock file up to date.
    pub store: Arc<dyn StateStore>,
    /// What it remembered when it was opened.
    pub snapshot: Snapshot,
    /// What the lock file said.
    pub lock: Option<LockFile>,
}

/// Finds out who is at work in a project's folder with that folder for the state.
pub(super) fn run_context(root: &Path, directory: &Path) -> RunContext {
    // What facectl writes itself, wherever it was told to.
    let own = [directory.to_owned(), root.join(".facectl"), root.join(LOCK_FILE)];
    provenance::gather(root, &own.each_ref().map(PathBuf::as_path), command_line())
}

/// Returns where the lock file of a project is; none where it is turned off.
pub(super) fn lock_path(global: &Global, project: &Project) -> Option<PathBuf> {
    let folder = if global.sandbox { state_dir(global, project).0 } else { project.root.clone() };
    global.lock_file.unwrap_or(project.settings.lock_file).then(|| folder.join(LOCK_FILE))
}

impl StatePlace {
    /// Returns where the state of a project is.
    ///
    /// # Errors
    /// When that folder must not be used, as it is a link, holds one, or lies outside the project without a word of
    /// this machine.
    pub fn of(global: &Global, project: &Project, output: Output, interrupt: Interrupt) -> Result<Self, CliError> {
        let (directory, chosen_by) = state_dir(global, project);
        folder::check(&directory, &project.root, chosen_by)?;
        Ok(Self {
            project: project.name.clone(),
            root: project.root.clone(),
            lock_path: lock_path(global, project),
            followed: None,
            is_rehearsal: global.sandbox,
            patience: global.lock_timeout.or(project.settings.lock_timeout).unwrap_or_default(),
            directory,
            output,
            interrupt,
            context: OnceLock::new(),
            is_tracked: OnceLock::new(),
        })
    }

    /// Returns whether git tracks anything in the folder: then its records are not believed.
    pub(super) fn is_tracked(&self) -> bool {
        *self.is_tracked.get_or_init(|| folder::is_tracked(&self.directory))
    }

    /// Returns the history for readers beside the holder; none where it is not believed.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn history_copy(&self) -> Result<Vec<serde_json::Value>, StateError> {
        if self.is_tracked() { Ok(Vec::new()) } else { read_history_copy(&self.directory) }
    }

    /// Refuses a folder that git tracks.
    ///
    /// # Errors
    /// When git tracks anything in it.
    pub fn refuse_tracked(&self) -> Result<(), CliError> {
        if self.is_tracked() { Err(folder::tracked(&self.directory)) } else { Ok(()) }
    }

    /// Finds out who is at work. Asks git once: what a run writes, tells and returns names one and the same run.
    pub fn run_context(&self) -> &RunContext {
        self.context.get_or_init(|| {
            let mut context = run_context(&self.root, &self.directory);
            if let Some(Followed { commit, branch, .. }) = &self.followed {
                let of_commit = &mut context.provenance;
                (of_commit.commit, of_commit.branch) = (Some(commit.clone()), Some(branch.clone()));
                of_commit.dirty = Some(false);
            }
            context
        })
    }

    /// Opens the state, as [`StatePlace::whole`], for commands that plan.
    ///
    /// # Errors
    /// As [`StatePlace::whole`].
    pub fn open(&self, access: Access) -> Result<State, CliError> {
        let WholeState { store, snapshot, is_held_elsewhere: _ } = self.whole(access)?;
        let has_begun = !snapshot.journal.is_empty();
        let (meta, recorded) = snapshot.into_recorded();
        Ok(State { store, meta, recorded, has_begun })
    }

    /// Opens the state, and takes over what only the lock file beside the manifests knows.
    ///
    /// # Errors
    /// When somebody else holds it, it cannot be read or written, or it contradicts the lock file.
    pub fn whole(&self, access: Access) -> Result<WholeState, CliError> {
        if self.is_tracked() {
            if access == Access::Write {
                return Err(folder::tracked(&self.directory));
            }
            self.output.say(&format!(
                "warning: git tracks files in the state folder {}, so its records are not used. Fix: {}.",
                self.directory.display(),
                folder::untrack(&self.directory)
            ));
            return self.merged(Snapshot::empty(self.project.clone()));
        }
        if access != Access::Write && !self.directory.join("db").exists() {
            return self.read_only();
        }
        let patience = if access == Access::ReadAnyhow { Duration::ZERO } else { self.patience };
        let lease = match self.lease(patience) {
            Ok(lease) => lease,
            Err(error @ LeaseError::Held { .. }) if access == Access::ReadAnyhow => {
                return self.snapshot_beside(&error);
            }
            // A folder that cannot be written can still be read from.
            Err(LeaseError::Io { .. }) if access != Access::Write => return self.read_only(),
            Err(LeaseError::Held { .. }) if self.interrupt.is_noted() => return Err(CliError::interrupted()),
            Err(error) => return Err(error.into()),
        };
        // Behind the lease: whoever held it before may just have written it.
        let has_state = self.directory.join("db").exists();
        let is_own = |path: &PathBuf| has_state && is_own_lock_file(&self.directory, path);
        let mut last = match self.lock_path.as_ref().is_some_and(is_own) {
            true => Last::Own,
            false => Last::Known(self.lock_file()?),
        };
        let project = &self.project;
        if access != Access::Write {
            return self.read_held(lease, &last);
        }
        let (store, rebuilt) = match SledStore::open(&self.directory, project, lease) {
            Err(error @ StateError::Damaged { .. }) => {
                // It was moved aside, and there is no snapshot. The lock file knows the faces, and running
                // trainings are found by their tokens.
                let lock = self.lock_file()?.filter(|lock| !lock.faces.is_empty());
                let Some(lock) = lock else { return Err(error.into()) };
                last = Last::Known(Some(lock));
                self.output.say(&format!("warning: {error}. It begins anew from facectl.lock.yaml."));
                SledStore::open(&self.directory, project, self.lease(patience)?)?
            }
            opened => opened?,
        };
        if let Some(rebuilt) = rebuilt {
            self.output.say(&rebuilt_text(&rebuilt));
        }
        let mut snapshot = store.load()?;
        if let Some(taken) = self.news_of_lock_file(&snapshot, &last)? {
            self.output.talk(&taken.note);
            store.note(taken.change)?;
            snapshot = store.load()?;
        }
        // A state that remembers no face, as somebody removed it, has taken nothing over, whatever lies beside it.
        if self.has_new_lock_file() || snapshot.faces.is_empty() {
            if let Some(taken) = self.news_of_commit(&snapshot)? {
                self.output.talk(&taken.note);
                store.note(taken.change)?;
                snapshot = store.load()?;
            }
            self.remember_commit();
        }
        let store: Arc<dyn StateStore> = match &self.lock_path {
            Some(path) => {
                let (path, directory) = (path.clone(), self.directory.clone());
                Arc::new(PublishedStore::new(store, path, directory, last, &snapshot.meta, !has_state))
            }
            None => Arc::new(store),
        };
        Ok(WholeState { store: Some(store), snapshot, is_held_elsewhere: false })
    }

    /// Reads a state that this process holds, and changes nothing. A damaged database is left to who writes; the copy
    /// beside it says the same.
    fn read_held(&self, lease: Lease, last: &Last) -> Result<WholeState, CliError> {
        let (mut snapshot, reader) = match SledReader::open(&self.directory, &self.project, lease) {
            Ok(read) => read,
            Err(error @ StateError::Unreadable { .. }) => {
                self.output.say(&format!("warning: {error}. Reading the copy beside it (snapshot.json)."));
                return self.read_only();
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(taken) = self.news_of_lock_file(&snapshot, last)? {
            self.output.talk(&taken.note);
            snapshot.apply(&taken.change)?;
        }
        Ok(WholeState { store: Some(Arc::new(reader)), snapshot, is_held_elsewhere: false })
    }

    /// Returns what the lock file beside the manifests says and the state does not know.
    fn news_of_lock_file(&self, snapshot: &Snapshot, last: &Last) -> Result<Option<lock::TakenOver>, CliError> {
        match last {
            Last::Known(Some(lock)) => {
                let base = base_lock_file(&self.directory, &self.project);
                lock::take_over(snapshot, lock, base.as_ref())
            }
            Last::Known(None) | Last::Own => Ok(None),
        }
    }

    /// Takes the state alone to write it, and takes nothing over from the lock file, which may contradict it.
    ///
    /// # Errors
    /// When somebody else holds it, or state or lock file cannot be read.
    pub fn alone(&self) -> Result<Unmerged, CliError> {
        self.refuse_tracked()?;
        let lease = match self.lease(self.patience) {
            Err(LeaseError::Held { .. }) if self.interrupt.is_noted() => return Err(CliError::interrupted()),
            taken => taken?,
        };
        let lock = self.lock_file()?;
        let is_new = !self.directory.join("db").exists();
        let (store, rebuilt) = SledStore::open(&self.directory, &self.project, lease)?;
        if let Some(rebuilt) = rebuilt {
            self.output.say(&rebuilt_text(&rebuilt));
        }
        let snapshot = store.load()?;
        let store: Arc<dyn StateStore> = match &self.lock_path {
            Some(path) => {
                let last = Last::Known(lock.clone());
                let (path, directory) = (path.clone(), self.directory.clone());
                Arc::new(PublishedStore::new(store, path, directory, last, &snapshot.meta, is_new))
            }
            None => Arc::new(store),
        };
        Ok(Unmerged { store, snapshot, lock })
    }

    /// Reads the lock file, unless it is turned off.
    fn lock_file(&self) -> Result<Option<LockFile>, CliError> {
        match &self.lock_path {
            Some(path) => Ok(LockFile::read(path, &self.project)?),
            None => Ok(None),
        }
    }

    /// Returns what was last written, without holding or making anything.
    fn read_only(&self) -> Result<WholeState, CliError> {
        let project = &self.project;
        self.merged(read_snapshot(&self.directory, project)?.unwrap_or_else(|| Snapshot::empty(project.clone())))
    }

    /// Returns records with what only the lock file knows.
    fn merged(&self, mut snapshot: Snapshot) -> Result<WholeState, CliError> {
        let base = || base_lock_file(&self.directory, &self.project).filter(|_| !self.is_tracked());
        let news = match &self.lock_file()? {
            Some(lock) => lock::take_over(&snapshot, lock, base().as_ref())?,
            None => None,
        };
        if let Some(taken) = news {
            self.output.talk(&taken.note);
            snapshot.apply(&taken.change)?;
        }
        Ok(WholeState { store: None, snapshot, is_held_elsewhere: false })
    }

    /// Takes the lease. While somebody else holds it, says for whom this run waits, and hears an interrupt.
    fn lease(&self, patience: Duration) -> Result<Lease, LeaseError> {
        let deadline = Instant::now() + patience;
        let mut is_told = false;
        loop {
            // On the machine's clock, also where the sandbox's runs ahead: a person compares it with a watch.
            let holder = Holder::of_this_process(command_line(), SystemClock.now());
            match Lease::take(&self.directory, &holder, Duration::ZERO) {
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

    fn snapshot_beside(&self, held: &LeaseError) -> Result<WholeState, CliError> {
        let project = &self.project;
        let Some(snapshot) = read_snapshot(&self.directory, project)? else {
            return Ok(WholeState { store: None, snapshot: Snapshot::empty(project.clone()), is_held_elsewhere: true });
        };
        self.output.talk(&format!("note: {held}; this is what it last wrote (serial {}).", snapshot.meta.serial));
        Ok(WholeState { store: None, snapshot, is_held_elsewhere: true })
    }
}

fn rebuilt_text(rebuilt: &Rebuilt) -> String {
    let Rebuilt { why, moved_to, serial, lost_history: _ } = rebuilt;
    let moved = match moved_to {
        Some(path) => format!("was damaged ({why}). It was moved to {} and rebuilt", path.display()),
        None => format!("{why}. It was rebuilt"),
    };
    format!(
        "warning: the state database {moved} from the snapshot beside it (serial {serial}): faces and open creates are all there, and {}.",
        rebuilt.fate_of_history()
    )
}

/// How often a state that somebody else holds is tried again.
pub(super) const LOCK_RETRY: Duration = Duration::from_millis(100);
