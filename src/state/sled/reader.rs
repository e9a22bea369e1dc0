//! A state that is held and only read: what it remembers is handed over, and not kept a second time.

use std::io;

use serde_json::Value;

use super::super::{Change, Snapshot, StateError, StateStore};
use super::SledStore;
use super::open::read_all;

/// A state on disk that nobody writes to as long as this lives, this included.
#[derive(Debug)]
pub struct SledReader(SledStore);

impl SledStore {
    /// Returns what is remembered, and what holds it.
    pub fn into_reader(self) -> (Snapshot, SledReader) {
        let project = self.mirror().snapshot.meta.project.clone();
        let snapshot = std::mem::replace(&mut self.mirror().snapshot, Snapshot::empty(project));
        (snapshot, SledReader(self))
    }
}

impl StateStore for SledReader {
    /// Reads all of it again.
    fn load(&self) -> Result<Snapshot, StateError> {
        let SledReader(SledStore { directory, trees, .. }) = self;
        let project = self.0.mirror().snapshot.meta.project.clone();
        Ok(read_all(trees, directory, &project)?.unwrap_or_else(|| Snapshot::empty(project)))
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
