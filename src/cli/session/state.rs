//! Opening the state, beside others that may hold it and the lock file that may know better.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::{Clock, SystemClock};
use crate::face::Recorded;
use crate::report::duration;
use crate::state::{
    Holder, Last, Lease, LeaseError, LockFile, Meta, PublishedStore, Rebuilt, SledStore, Snapshot, StateError,
    StateStore, base_lock_file, is_own_lock_file, read_snapshot,
};

use super::super::error::CliError;
use super::{Session, command_line, lock};

/// The state, as a command may use it.
pub struct State {
    /// The store, where this process holds it.
    pub store: Option<Arc<dyn StateStore>>,
    /// What it says about itself.
    pub meta: Meta,
    /// What it remembered when it was opened.
    pub recorded: Recorded,
}

impl State {
    fn new(store: Option<Arc<dyn StateStore>>, snapshot: Snapshot) -> Self {
        let (meta, recorded) = snapshot.into_recorded();
        Self { store, meta, recorded }
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
    /// Opens the state, and takes over what only the lock file beside the manifests knows.
    ///
    /// # Errors
    /// When somebody else holds it, it cannot be read or written, or it contradicts the lock file.
    pub fn state(&self, access: Access) -> Result<State, CliError> {
        if access != Access::Write && !self.state_dir.join("db").exists() {
            return self.read_only();
        }
        let patience = if access == Access::ReadAnyhow { Duration::ZERO } else { self.lock_timeout };
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
        let has_state = self.state_dir.join("db").exists();
        let is_own = |path: &PathBuf| has_state && is_own_lock_file(&self.state_dir, path);
        let mut last = match self.lock_path.as_ref().is_some_and(is_own) {
            true => Last::Own,
            false => Last::Known(self.lock_file()?),
        };
        let project = &self.loaded.desired.project;
        let (store, rebuilt) = match SledStore::open(&self.state_dir, project, lease) {
            Err(error @ StateError::Damaged { .. }) => {
                // It was moved aside, and there is no snapshot. The lock file knows the faces, and running
                // trainings are found by their tokens.
                let lock = self.lock_file()?.filter(|lock| !lock.faces.is_empty());
                let Some(lock) = lock else { return Err(error.into()) };
                last = Last::Known(Some(lock));
                self.output.say(&format!("warning: {error}. It begins anew from facectl.lock.yaml."));
                SledStore::open(&self.state_dir, project, self.lease(patience)?)?
            }
            opened => opened?,
        };
        if let Some(rebuilt) = rebuilt {
            self.output.say(&rebuilt_text(&rebuilt));
        }
        let mut snapshot = store.load()?;
        let news = match &last {
            Last::Known(Some(lock)) => {
                let base = base_lock_file(&self.state_dir, project);
                lock::take_over(&snapshot, lock, base.as_ref())?
            }
            Last::Known(None) | Last::Own => None,
        };
        if let Some(taken) = news {
            self.output.talk(&taken.note);
            match access {
                Access::Write => {
                    store.commit(taken.change)?;
                    snapshot = store.load()?;
                }
                Access::Read | Access::ReadAnyhow => snapshot.apply(&taken.change),
            }
        }
        let store: Arc<dyn StateStore> = match &self.lock_path {
            Some(path) if access == Access::Write => {
                Arc::new(PublishedStore::new(store, path.clone(), self.state_dir.clone(), last, &snapshot.meta))
            }
            _ => Arc::new(store),
        };
        Ok(State::new(Some(store), snapshot))
    }

    /// Reads the lock file, unless it is turned off.
    fn lock_file(&self) -> Result<Option<LockFile>, CliError> {
        match &self.lock_path {
            Some(path) => Ok(LockFile::read(path, &self.loaded.desired.project)?),
            None => Ok(None),
        }
    }

    /// Returns what was last written, without holding or making anything.
    fn read_only(&self) -> Result<State, CliError> {
        let project = &self.loaded.desired.project;
        let mut snapshot = read_snapshot(&self.state_dir, project)?.unwrap_or_else(|| Snapshot::empty(project.clone()));
        let news = match &self.lock_file()? {
            Some(lock) => lock::take_over(&snapshot, lock, base_lock_file(&self.state_dir, project).as_ref())?,
            None => None,
        };
        if let Some(taken) = news {
            self.output.talk(&taken.note);
            snapshot.apply(&taken.change);
        }
        Ok(State::new(None, snapshot))
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
            return Ok(State::new(None, Snapshot::empty(project.clone())));
        };
        self.output.talk(&format!("note: {held}; this is what it last wrote (serial {}).", snapshot.meta.serial));
        Ok(State::new(None, snapshot))
    }
}

fn rebuilt_text(Rebuilt { why, moved_to, serial }: &Rebuilt) -> String {
    let moved = match moved_to {
        Some(path) => format!("was damaged ({why}). It was moved to {}, with its history, and rebuilt", path.display()),
        None => format!("{why}. It was rebuilt"),
    };
    format!(
        "warning: the state database {moved} from the snapshot beside it (serial {serial}): faces and open creates are all there."
    )
}

/// How often a state that somebody else holds is tried again.
pub(super) const LOCK_RETRY: Duration = Duration::from_millis(100);
