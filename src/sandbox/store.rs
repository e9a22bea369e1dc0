//! Keeps the world on disk.
//!
//! | file | holds |
//! |---|---|
//! | `FILE` | the whole world at one moment: JSON with a format version, replaced by renaming |
//! | `FILE.journal` | every change since then, one JSON line each, appended before the change is answered |
//! | `FILE.lock` | nothing: locked while a sandbox uses the world |
//!
//! Both are brought together when a sandbox starts and stops, and when the journal grew long. Each change has a number,
//! so that a journal that outlived the renaming is not replayed onto a world that holds its changes already. A last
//! line without an end is a write that a crash cut short, and was never answered: it is dropped.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files::{self, Mode};

use super::SandboxError;
use super::records::Change;
use super::world::World;

/// The format of the world file this program writes.
const FORMAT: u32 = 1;
/// Journal lines after which the world is written anew.
const COMPACT_AFTER: usize = 50_000;

/// The world and its files, if it has any.
#[derive(Debug)]
pub(super) struct Store {
    world: World,
    /// The number of the last change.
    sequence: u64,
    /// The latest moment the world has seen.
    time: Timestamp,
    files: Option<Files>,
    is_closed: bool,
}

#[derive(Debug)]
struct Files {
    world: PathBuf,
    journal: File,
    lines: usize,
    /// Held until the sandbox ends.
    _lock: File,
}

#[derive(Serialize)]
struct SnapshotOut<'a> {
    format: u32,
    sequence: u64,
    time: Timestamp,
    world: &'a World,
}

#[derive(Deserialize)]
struct SnapshotIn {
    sequence: u64,
    time: Timestamp,
    world: World,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Line<C> {
    n: u64,
    at: Timestamp,
    change: C,
}

impl Store {
    /// Opens the world in `file`, or starts a new one there; none: a world that lives as long as this value.
    pub(super) fn open(file: Option<&Path>, now: Timestamp) -> Result<Self, SandboxError> {
        let Some(file) = file else {
            return Ok(Self { world: World::new(now), sequence: 0, time: now, files: None, is_closed: false });
        };
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|source| unusable(folder, source))?;
        }
        let lock = lock(&beside(file, "lock"))?;
        let loaded = load(file)?;
        let (world, sequence, time) = match loaded {
            Some(Loaded { world, sequence, time }) => (world, sequence, time.max(now)),
            None => (World::new(now), 0, now),
        };
        write_snapshot(file, &SnapshotOut { format: FORMAT, sequence, time, world: &world })?;
        let journal = empty_journal(file)?;
        let files = Files { world: file.to_path_buf(), journal, lines: 0, _lock: lock };
        Ok(Self { world, sequence, time, files: Some(files), is_closed: false })
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Counts a request. Kept in memory until the next whole write: losing a count in a crash hurts nobody.
    pub(super) fn count(&mut self, operation: &str) {
        match self.world.requests.get_mut(operation) {
            Some(count) => *count += 1,
            None => drop(self.world.requests.insert(operation.into(), 1)),
        }
    }

    /// Returns the latest moment the world has seen.
    pub(super) fn time(&self) -> Timestamp {
        self.time
    }

    /// Writes a change down, then makes it. With `durable` it survives a power cut once this returns; otherwise the
    /// end of this process.
    pub(super) fn commit(&mut self, change: Change, at: Timestamp, durable: bool) -> Result<(), SandboxError> {
        if self.is_closed {
            return Err(SandboxError::Closed);
        }
        let sequence = self.sequence + 1;
        if let Some(files) = &mut self.files {
            files.append(&Line { n: sequence, at, change: &change }, durable)?;
        }
        self.sequence = sequence;
        self.time = self.time.max(at);
        self.world.apply(change);
        if self.files.as_ref().is_some_and(|files| files.lines >= COMPACT_AFTER) {
            // The change is in the journal and made: a failure here must not be answered as if it were not. The next
            // change tries again.
            let _ = self.compact();
        }
        Ok(())
    }

    /// Writes the whole world and empties the journal.
    pub(super) fn compact(&mut self) -> Result<(), SandboxError> {
        let Some(files) = &mut self.files else { return Ok(()) };
        let snapshot = SnapshotOut { format: FORMAT, sequence: self.sequence, time: self.time, world: &self.world };
        write_snapshot(&files.world, &snapshot)?;
        files.journal = empty_journal(&files.world)?;
        files.lines = 0;
        Ok(())
    }

    /// Writes the whole world, takes no more changes, and lets another sandbox have the files.
    pub(super) fn close(&mut self, now: Timestamp) -> Result<(), SandboxError> {
        self.saw(now);
        self.is_closed = true;
        let written = self.compact();
        self.files = None;
        written
    }

    /// Remembers that it was `now`, for the whole write at the end.
    pub(super) fn saw(&mut self, now: Timestamp) {
        self.time = self.time.max(now);
    }
}

impl Files {
    fn append(&mut self, line: &Line<&Change>, durable: bool) -> Result<(), SandboxError> {
        let failed = |source| unusable(&beside(&self.world, "journal"), source);
        let before = self.journal.metadata().map_err(failed)?.len();
        let mut bytes = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        let written = self.journal.write_all(&bytes).and_then(|()| match durable {
            true => self.journal.sync_data(),
            false => Ok(()),
        });
        if let Err(source) = written {
            // The change is going to be refused: no half of it may stay in the way of the next one.
            let _ = self.journal.set_len(before);
            return Err(failed(source));
        }
        self.lines += 1;
        Ok(())
    }
}

/// Returns the latest moment a world file has seen, if there is one.
pub(super) fn saved_time(file: &Path) -> Result<Option<Timestamp>, SandboxError> {
    Ok(load(file)?.map(|loaded| loaded.time))
}

struct Loaded {
    world: World,
    sequence: u64,
    time: Timestamp,
}

fn load(file: &Path) -> Result<Option<Loaded>, SandboxError> {
    let journal = beside(file, "journal");
    let Some(text) = read(file)? else {
        return match read(&journal)? {
            Some(text) if !text.is_empty() => Err(SandboxError::Orphaned { journal, world: file.to_path_buf() }),
            _ => Ok(None),
        };
    };
    let damaged = |why: String| SandboxError::Damaged { path: file.to_path_buf(), why };
    let Format { format } = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    if format > FORMAT {
        return Err(SandboxError::Newer { path: file.to_path_buf(), format, known: FORMAT });
    }
    let SnapshotIn { mut sequence, mut time, mut world } =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    world.index();
    let text = read(&journal)?.unwrap_or_default();
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    for (number, line) in text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
        let damaged =
            |why: String| SandboxError::Damaged { path: journal.clone(), why: format!("line {}: {why}", number + 1) };
        let Line { n, at, change } =
            serde_json::from_slice::<Line<Change>>(line).map_err(|e| damaged(e.to_string()))?;
        if n <= sequence {
            continue;
        }
        if n != sequence + 1 {
            return Err(damaged(format!("change {n} follows change {sequence}")));
        }
        sequence = n;
        time = time.max(at);
        world.apply(change);
    }
    Ok(Some(Loaded { world, sequence, time }))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, SandboxError> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(unusable(path, source)),
    }
}

fn lock(path: &Path) -> Result<File, SandboxError> {
    let failed = |source| unusable(path, source);
    let file = files::open_append(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SandboxError::InUse { path: path.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(unusable(path, source)),
    }
}

fn write_snapshot(file: &Path, snapshot: &SnapshotOut<'_>) -> Result<(), SandboxError> {
    let write = || files::replace(file, &serde_json::to_vec(snapshot)?, Mode::Default);
    write().map_err(|source| unusable(file, source))
}

/// Starts the journal anew. Its old lines are in the world file by now.
fn empty_journal(file: &Path) -> Result<File, SandboxError> {
    let path = beside(file, "journal");
    let open = || -> io::Result<File> {
        let journal = files::open_append(&path)?;
        journal.set_len(0)?;
        Ok(journal)
    };
    open().map_err(|source| unusable(&path, source))
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn unusable(path: &Path, source: io::Error) -> SandboxError {
    SandboxError::File { path: path.to_path_buf(), source }
}
