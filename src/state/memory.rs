//! The store for tests: keeps everything in memory and can be told to fail.

use std::sync::Mutex;

use serde_json::Value;

use crate::face::ProjectName;

use super::{Change, Snapshot, StateError, StateStore};

/// A store that forgets when it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    inner: Mutex<(Snapshot, Vec<Value>)>,
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
        let records = inner.0.apply(&change)?;
        inner.1.extend(records);
        Ok(inner.0.meta.serial)
    }

    fn records(&self) -> Result<Vec<Value>, StateError> {
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(inner.1.clone())
    }
}
