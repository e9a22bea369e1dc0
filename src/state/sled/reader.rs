//! A state that is held and only read: nothing is made, moved or rebuilt, and what it remembers is handed over.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::face::ProjectName;

use super::super::snapshot::{has_log, read_snapshot};
use super::super::{Change, Lease, Snapshot, StateError, StateStore};
use super::open::{NotOpened, Opened, read_all};
use super::{Base, SledStore};

/// A state on disk that nobody writes to as long as this lives, this included.
#[derive(Debug)]
pub struct SledReader(SledStore);

impl SledReader {
    /// Opens the state in a directory that has a database, and returns what is remembered. Where the snapshot beside
    /// the database knows more, that counts, as it does for who writes.
    ///
    /// # Errors
    /// [`StateError::Unreadable`] when the database is damaged, and those of [`SledStore::open`]. Nothing was changed.
    pub fn open(directory: &Path, project: &ProjectName, lease: Lease) -> Result<(Snapshot, Self), StateError> {
        let unreadable = |why: String| StateError::Unreadable { path: directory.join("db"), why };
        let opened = Opened::read(directory, project).map_err(|error| match error {
            NotOpened::Failed(error) => error,
            NotOpened::Damaged(why) => unreadable(why),
        })?;
        let opened = match opened.is_new {
            true => match read_snapshot(directory, project)? {
                Some(snapshot) => opened.with(snapshot),
                None if has_log(directory) => {
                    return Err(unreadable("it is empty, although commits were made to it".to_owned()));
                }
                None => opened,
            },
            false if opened.may_be_behind(directory) => {
                opened.or_newer(read_snapshot(directory, project).ok().flatten()).0
            }
            false => opened,
        };
        let Opened { base, snapshot, is_new: _ } = opened;
        // Handed over, and not kept a second time.
        let store = SledStore::with(directory, Some(base), Snapshot::empty(project.clone()), lease);
        Ok((snapshot, Self(store)))
    }
}

impl StateStore for SledReader {
    /// Reads all of it again.
    fn load(&self) -> Result<Snapshot, StateError> {
        let SledReader(SledStore { directory, base, .. }) = self;
        let project = self.0.mirror().snapshot.meta.project.clone();
        let known = base.get().map(|Base { trees, .. }| read_all(trees, directory, &project)).transpose()?.flatten();
        Ok(known.unwrap_or_else(|| Snapshot::empty(project)))
    }

    /// Never: it was opened to be read.
    fn commit(&self, _: Change) -> Result<u64, StateError> {
        let source = io::Error::new(io::ErrorKind::PermissionDenied, "it was opened to be read only");
        Err(StateError::Io { action: "write", path: self.0.directory.clone(), source })
    }

    fn records(&self) -> Result<Vec<Value>, StateError> {
        self.0.stored_records()
    }
}
