//! A store that keeps the lock file up to date.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::face::{FaceId, FaceKey, RecordedFace};
use crate::files::{self, Mode};

use super::{Change, Entry, LockFile, Meta, Snapshot, StateError, StateStore};

/// A store whose record is also written to `facectl.lock.yaml`.
///
/// The lock file is written at once, and then at most every second, as all of it is replaced each time; where that takes
/// long, more rarely, so that a run with many faces does not spend its time on it.
/// [`StateStore::publish`] and dropping the store write what is left. Losing the end of it costs
/// nothing: the cache is ahead then, and a machine without the cache still finds the token in the name.
#[derive(Debug)]
pub struct PublishedStore<S: StateStore> {
    inner: S,
    path: PathBuf,
    directory: PathBuf,
    published: Mutex<Published>,
    /// There was no state when the run began, and nothing was committed: a run that is refused leaves no trace.
    is_untouched: AtomicBool,
}

#[derive(Debug)]
struct Published {
    last: Last,
    /// When it may be written again; at once where it was not yet written.
    next: Option<Instant>,
    is_stale: bool,
    /// The serial of the state now.
    serial: u64,
    /// The serial up to which the lock file is known, on disk, to say all that the state does.
    marked: Option<u64>,
}

/// What the lock file says now.
#[derive(Debug)]
pub enum Last {
    /// This, or there is none.
    Known(Option<LockFile>),
    /// What this state wrote last: it is read when there is something to write.
    Own,
}

const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How much longer than a write takes the time between two is at least: a twentieth of a run goes into it, no more.
const REST: u32 = 20;

impl<S: StateStore> PublishedStore<S> {
    /// Keeps the lock file at `path`, for the state in `directory`, which is as `meta` says; `last` is what it says
    /// now. `is_new` says that there is no state on disk yet.
    pub fn new(inner: S, path: PathBuf, directory: PathBuf, last: Last, meta: &Meta, is_new: bool) -> Self {
        let marked = marked(&directory, &meta.lineage);
        // What the state wrote itself is up to date, unless a run died between its last step and the lock file.
        let is_stale = matches!(last, Last::Known(_)) || marked != Some(meta.serial);
        let published = Published { last, next: None, is_stale, serial: meta.serial, marked };
        Self { inner, path, directory, published: Mutex::new(published), is_untouched: AtomicBool::new(is_new) }
    }

    fn published(&self) -> MutexGuard<'_, Published> {
        self.published.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self, published: &mut Published) -> Result<(), StateError> {
        let begun = Instant::now();
        let snapshot = self.inner.load()?;
        let last = match std::mem::replace(&mut published.last, Last::Own) {
            Last::Known(last) => last,
            Last::Own => LockFile::read(&self.path, &snapshot.meta.project)?,
        };
        let lock = LockFile::of(&snapshot, last.as_ref());
        let is_news = last.as_ref() != Some(&lock) && !(last.is_none() && lock.faces.is_empty());
        if is_news {
            lock.write(&self.path, &self.directory)?;
        }
        let last = Last::Known(if is_news { Some(lock) } else { last });
        let Meta { lineage, serial, .. } = &snapshot.meta;
        mark(&self.directory, lineage, *serial);
        let marked = Some(*serial);
        let next = Some(Instant::now() + WRITE_EVERY.max(begun.elapsed() * REST));
        *published = Published { last, next, is_stale: false, serial: *serial, marked };
        Ok(())
    }
}

/// Up to which serial the lock file says all that the state does. A run that dies in between leaves it behind, and
/// the next one has to notice that although it changes nothing itself.
const MARK: &str = "lock-file.serial";

/// Returns the serial up to which the lock file is up to date; none where nobody can tell.
fn marked(directory: &Path, lineage: &str) -> Option<u64> {
    let text = std::fs::read_to_string(directory.join(MARK)).ok()?;
    let (of, serial) = text.trim().split_once(' ')?;
    serial.parse().ok().filter(|_| of == lineage)
}

/// Where it cannot be written, the next run compares once more than it must.
fn mark(directory: &Path, lineage: &str, serial: u64) {
    if serial == 0 {
        // There is no state yet.
        return;
    }
    let _ = files::replace(&directory.join(MARK), format!("{lineage} {serial}\n").as_bytes(), Mode::Default);
}

impl<S: StateStore> StateStore for PublishedStore<S> {
    fn load(&self) -> Result<Snapshot, StateError> {
        self.inner.load()
    }

    fn face(&self, key: &FaceKey) -> Result<Option<RecordedFace>, StateError> {
        self.inner.face(key)
    }

    fn entry(&self, key: &FaceKey) -> Result<Option<Entry>, StateError> {
        self.inner.entry(key)
    }

    fn holder(&self, id: &FaceId) -> Result<Option<FaceKey>, StateError> {
        self.inner.holder(id)
    }

    fn commit(&self, change: Change) -> Result<u64, StateError> {
        let concerns_faces = !change.faces.is_empty();
        let serial = self.inner.commit(change)?;
        self.is_untouched.store(false, Ordering::Relaxed);
        let mut published = self.published();
        published.serial = published.serial.max(serial);
        if concerns_faces {
            published.is_stale = true;
            let is_due = published.next.is_none_or(|next| Instant::now() >= next);
            if is_due && let Err(error) = self.write(&mut published) {
                // The record itself is durable; the lock file is a copy of it and is written again.
                tracing::warn!(%error, path = %self.path.display(), "the lock file could not be written");
                published.next = Some(Instant::now() + WRITE_EVERY);
            }
        }
        Ok(serial)
    }

    fn note(&self, change: Change) -> Result<u64, StateError> {
        let concerns_faces = !change.faces.is_empty();
        let serial = self.inner.note(change)?;
        let mut published = self.published();
        published.serial = published.serial.max(serial);
        published.is_stale |= concerns_faces;
        Ok(serial)
    }

    fn prepare(&self) -> Result<(), StateError> {
        self.is_untouched.store(false, Ordering::Relaxed);
        self.inner.prepare()
    }

    fn keep(&self) -> Result<(), StateError> {
        self.is_untouched.store(false, Ordering::Relaxed);
        self.inner.keep()
    }

    fn records(&self) -> Result<Vec<Value>, StateError> {
        self.inner.records()
    }

    fn publish(&self) -> Result<(), StateError> {
        self.keep()?;
        let mut published = self.published();
        if published.is_stale {
            return self.write(&mut published);
        }
        // What happened since has nothing to do with faces.
        if published.marked != Some(published.serial) {
            mark(&self.directory, &self.inner.load()?.meta.lineage, published.serial);
            published.marked = Some(published.serial);
        }
        Ok(())
    }
}

impl<S: StateStore> Drop for PublishedStore<S> {
    fn drop(&mut self) {
        if *self.is_untouched.get_mut() {
            return;
        }
        if let Err(error) = self.publish() {
            tracing::warn!(%error, path = %self.path.display(), "the lock file could not be written");
        }
    }
}
