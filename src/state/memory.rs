//! The store for tests: keeps everything in memory and can be told to fail.

use std::sync::Mutex;

use crate::face::ProjectName;

use super::{Change, HistoryEntry, Snapshot, StateError, StateStore};

/// A store that forgets when it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    inner: Mutex<(Snapshot, Vec<HistoryEntry>)>,
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new(project: ProjectName) -> Self {
        Self { inner: Mutex::new((Snapshot::empty(project), Vec::new())) }
    }
}

impl StateStore for MemoryStore {
    fn load(&self) -> Result<Snapshot, StateError> {
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(inner.0.clone())
    }

    fn commit(&self, change: Change) -> Result<u64, StateError> {
        let mut inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.0.apply(&change);
        inner.1.extend(change.history);
        Ok(inner.0.meta.serial)
    }

    fn history(&self) -> Result<Vec<HistoryEntry>, StateError> {
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(inner.1.clone())
    }
}
