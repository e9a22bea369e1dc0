//! A session that outlives its manifests: other ones of the same project take their place.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::files;
use crate::manifest::{Loaded, Project};
use crate::state::{LOCK_FILE, LockFile, Snapshot, StateError};
use crate::tavus::parse_base_url;

use super::super::Exit;
use super::super::args::Global;
use super::super::error::CliError;
use super::super::output::Output;
use super::state::StatePlace;
use super::workspace::scope;
use super::{Connection, Interrupt, Session, api_url, connection, lock, material, read_key};

/// The commit whose files are loaded, where they are a copy of ours and not the user's own folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The commit's id.
    pub commit: String,
    /// The branch it is the head of.
    pub branch: String,
}

/// The lock file that came with the commit followed last: what the next one is compared with.
const FOLLOWED_BASE: &str = "lock-file.followed.yaml";

impl Session {
    /// Connects with manifests that were loaded already, and that others will take the place of.
    ///
    /// # Errors
    /// When the settings or the key cannot be used, or a repository says where the key is to be sent. Nothing was sent.
    pub async fn follow(
        global: &Global,
        loaded: Loaded,
        paths: &[String],
        followed: Option<Followed>,
        talk: (Output, Interrupt),
    ) -> Result<Self, CliError> {
        if followed.is_some() && !global.sandbox {
            check_base(global, &loaded.project, None)?;
        }
        let (output, interrupt) = talk;
        let mut session = Self::connect(global, loaded, paths, output, interrupt).await?;
        session.workspace.place.follow(followed, global);
        Ok(session)
    }

    /// Takes other manifests of the same project in place of the present ones.
    ///
    /// # Errors
    /// When they are another project's, or name another API. The present ones stay.
    pub fn take(
        &mut self,
        global: &Global,
        loaded: Loaded,
        paths: &[String],
        followed: Option<Followed>,
    ) -> Result<(), CliError> {
        let (now, new) = (&self.workspace.loaded.project.name, &loaded.project.name);
        if now != new {
            return Err(CliError::new(format!(
                "the project is called {new} now, and {now} until here: its name is part of every creation token, so that all of its faces would be trained anew; nothing was changed"
            ))
            .hint("where that is what you want, stop facectl and start it again"));
        }
        if !global.sandbox {
            check_base(global, &loaded.project, self.api_base.as_deref())?;
        }
        let workspace = &mut self.workspace;
        let mut place = StatePlace::of(global, &loaded.project, workspace.output, workspace.interrupt.clone())?;
        place.follow(followed, global);
        if place.directory != workspace.place.directory
            || place.lock_path.is_some() != workspace.place.lock_path.is_some()
        {
            return Err(CliError::new(
                "facectl.yaml names another place for the state, or for the lock file, than the one in use: it is the journal of what was paid for; nothing was changed",
            )
            .hint("move the state folder there, and start facectl again"));
        }
        workspace.scope = scope(global.file.iter().chain(paths), &loaded.project);
        workspace.place = place;
        workspace.loaded = loaded;
        material::read_files(&mut workspace.loaded, &workspace.place, material::Remembers::Hashes, workspace.output);
        self.desk = material::desk(global, &self.workspace);
        Ok(())
    }

    /// Begins another run of the same manifests: what it writes and tells is told apart from what the last one did.
    pub fn begin_again(&mut self) {
        self.workspace.place.context = OnceLock::new();
    }

    /// Reads the key anew, and asks the API with it from now on. In a rehearsal there is none.
    ///
    /// # Errors
    /// When it cannot be read or used; the present one stays.
    pub fn read_key_again(&mut self, global: &Global) -> Result<(), CliError> {
        let Some(base) = &self.api_base else { return Ok(()) };
        let base = parse_base_url(base).map_err(|error| CliError::caused("cannot use the API's base URL", &error))?;
        let Connection { api, parallelism, request_timeout } =
            connection(global, &self.workspace.loaded.project, base, read_key(global)?)?;
        (self.api, self.parallelism, self.request_timeout) = (api, parallelism, request_timeout);
        Ok(())
    }
}

/// Refuses manifests that say where the key is to be sent, unless it goes there already: whoever can push to a
/// repository could ask for the key.
fn check_base(global: &Global, project: &Project, now: Option<&str>) -> Result<(), CliError> {
    if project.settings.api_url.is_none() {
        return Ok(());
    }
    let asked = api_url(global, project);
    let without_file = Project {
        settings: crate::manifest::ProjectSettings { api_url: None, ..project.settings.clone() },
        ..project.clone()
    };
    let allowed = now.map_or_else(|| api_url(global, &without_file), ToOwned::to_owned);
    let is_same = match (parse_base_url(&asked), parse_base_url(&allowed)) {
        (Ok(asked), Ok(allowed)) => asked.to_string() == allowed.to_string(),
        _ => false,
    };
    if is_same {
        return Ok(());
    }
    Err(CliError::new(format!(
        "facectl.yaml sends the API key to {} (spec.api_url), and nobody said so on this machine; nothing was changed",
        crate::face::redact_links(&asked)
    ))
    .hint("where that is the right API, start facectl with --api-url and that address")
    .exit(Exit::UNSAFE))
}

impl StatePlace {
    /// Keeps the lock file beside the state, and not in a copy of a commit's files that the next commit replaces.
    pub(super) fn follow(&mut self, followed: Option<Followed>, global: &Global) {
        if followed.is_some() && !global.sandbox {
            self.lock_path = self.lock_path.take().map(|_| self.directory.join(LOCK_FILE));
        }
        self.followed = followed;
    }

    /// Returns whether the followed commit came with a lock file that is not the one taken over last, to the byte: to
    /// read 10,000 faces from YAML at every pass can be spared.
    pub(super) fn has_new_lock_file(&self) -> bool {
        let Some(came) = self.path_that_came() else { return false };
        !matches!((std::fs::read(came), std::fs::read(self.directory.join(FOLLOWED_BASE))), (Ok(came), Ok(base)) if came == base)
    }

    /// Returns what the state has to take over from the lock file that came with the followed commit, if anything.
    ///
    /// # Errors
    /// When it cannot be read, or was written by another line of runs.
    pub(super) fn news_of_commit(&self, snapshot: &Snapshot) -> Result<Option<lock::TakenOver>, CliError> {
        let Some(came) = self.lock_that_came()? else { return Ok(None) };
        let base = LockFile::read(&self.directory.join(FOLLOWED_BASE), &self.project).ok().flatten();
        lock::take_over(snapshot, &came, base.as_ref())
            .map_err(|error| error.hint("the lock file meant is the one in the repository"))
    }

    /// Remembers the lock file that came with the followed commit as taken over.
    pub(super) fn remember_commit(&self) {
        // What is not remembered is compared once more than it must be.
        if let Some(path) = self.path_that_came() {
            let _ = std::fs::read(path)
                .and_then(|bytes| files::replace(&self.directory.join(FOLLOWED_BASE), &bytes, files::Mode::Default));
        }
    }

    fn lock_that_came(&self) -> Result<Option<LockFile>, StateError> {
        self.path_that_came().map_or(Ok(None), |path| LockFile::read(&path, &self.project))
    }

    /// Returns where the lock file of the followed commit is. A rehearsal has nothing to do with the real faces.
    fn path_that_came(&self) -> Option<PathBuf> {
        let is_used = self.followed.is_some() && self.lock_path.is_some() && !self.is_rehearsal;
        is_used.then(|| self.root.join(LOCK_FILE)).filter(|path: &PathBuf| Path::exists(path))
    }
}
