//! Opening a database that may be damaged, and moving it out of the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::face::{FaceKey, ProjectName};
use crate::shortage;

use super::super::history_copy::copy_path;
use super::super::record::decode;
use super::super::snapshot::{check_project, log_path, snapshot_reach};
use super::super::{FORMAT_VERSION, Meta, Snapshot, StateError};
use super::{Base, META, Trees};

/// How much processor time opening may take. 10,000 records take 8 to 18 ms; more than this means that it never ends.
const MOST_WORK: Duration = Duration::from_secs(10);
/// How long it may take in all, where it mostly waits for a slow disk or a busy machine.
const MOST_TIME: Duration = Duration::from_secs(120);
/// How often the work is measured.
const MEASURE_EVERY: Duration = Duration::from_millis(500);

/// The threads that opening needs at once: our own, sled's seven for its disk and one that flushes (sled 0.34.7,
/// `threadpool.rs`, `flusher.rs`), and two for what else is under way.
const THREADS: usize = 11;
/// The memory that an empty database takes (21 MB of counters), with as much again for its records.
const MEMORY: usize = 48 * 1024 * 1024;

/// Why a database did not come up.
pub(super) enum NotOpened {
    /// What is on disk is not what was written. Says how that showed.
    Damaged(String),
    /// The way to it is barred, or it must not be used.
    Failed(StateError),
}

impl From<StateError> for NotOpened {
    fn from(error: StateError) -> Self {
        Self::Failed(error)
    }
}

/// How much sled keeps in memory, in bytes. All records are kept by us, in [`super::Mirror`], so sled reads each once.
const CACHE: u64 = 4 * 1024 * 1024;

/// A database that came up, and what is in it.
pub(super) struct Opened {
    pub(super) base: Base,
    pub(super) snapshot: Snapshot,
    /// Nothing was ever written into it.
    pub(super) is_new: bool,
}

impl Opened {
    /// Opens the database and reads all of it, on a thread of its own: on a damaged file sled may panic, or
    /// never return. Moves nothing. A shortage of threads, memory or open files is never called damage.
    pub(super) fn read(directory: &Path, project: &ProjectName) -> Result<Self, NotOpened> {
        let enough = || {
            shortage::check(THREADS, MEMORY)
                .map_err(|source| StateError::Shortage { path: directory.join("db"), source })
        };
        enough()?;
        let (sender, receiver) = mpsc::channel();
        let (place, wanted) = (directory.to_owned(), project.clone());
        let reader = std::thread::Builder::new().name("open-state".to_owned()).spawn(move || {
            let opened = std::panic::catch_unwind(|| Self::read_here(&place, &wanted));
            // Nobody listens any more once the deadline has passed; the thread then ends with the process.
            let _ = sender.send(opened);
        });
        if let Err(source) = reader {
            return Err(StateError::Io { action: "start a thread to open", path: directory.join("db"), source }.into());
        }
        let why = match wait_for(&receiver) {
            Waited::Answer(Ok(Ok(opened))) => return Ok(opened),
            Waited::Answer(Ok(Err(error))) => match damage(&error) {
                Some(why) => why,
                None => return Err(error.into()),
            },
            Waited::Answer(Err(_)) => "reading it panicked".to_owned(),
            Waited::Spins => format!("reading it did not end within {} s of work", MOST_WORK.as_secs()),
            Waited::IsSlow => {
                return Err(StateError::Slow { path: directory.join("db"), waited: MOST_TIME }.into());
            }
        };
        // What looks like damage may be a shortage that began meanwhile.
        enough()?;
        Err(NotOpened::Damaged(why))
    }

    fn read_here(directory: &Path, project: &ProjectName) -> Result<Self, StateError> {
        let path = directory.join("db");
        let failed = |source| StateError::Database { action: "be opened", path: path.clone(), source };
        let database = open_once_free(&path).map_err(failed)?;
        let trees = Trees {
            meta: database.open_tree("meta").map_err(failed)?,
            faces: database.open_tree("faces").map_err(failed)?,
            journal: database.open_tree("journal").map_err(failed)?,
            history: database.open_tree("history").map_err(failed)?,
        };
        let known = read_all(&trees, directory, project)?;
        let is_new = known.is_none();
        let base = Base { database, trees };
        Ok(Self { base, snapshot: known.unwrap_or_else(|| Snapshot::empty(project.clone())), is_new })
    }

    /// Returns whether the copy beside the database may know more than it: then all of it is read.
    pub(super) fn may_be_behind(&self, directory: &Path) -> bool {
        let Meta { lineage, serial, .. } = &self.snapshot.meta;
        snapshot_reach(directory).is_some_and(|(other, reach)| other == *lineage && reach > *serial)
    }

    /// Goes on from the copy where it knows more of the same line. sled drops the end of a damaged log without a
    /// word: with it could go the `begun` of a create that was sent.
    pub(super) fn or_newer(self, copy: Option<Snapshot>) -> (Self, Option<(String, Option<PathBuf>)>) {
        let (lineage, serial) = (&self.snapshot.meta.lineage, self.snapshot.meta.serial);
        match copy.filter(|copy| copy.meta.lineage == *lineage && copy.meta.serial > serial) {
            Some(copy) => {
                let why = format!("lost what was written after serial {serial}");
                (self.with(copy), Some((why, None)))
            }
            None => (self, None),
        }
    }

    pub(super) fn with(self, snapshot: Snapshot) -> Self {
        Self { snapshot, ..self }
    }
}

/// What came of waiting for the thread that opens the database.
enum Waited<T> {
    Answer(T),
    /// It works, and does not end.
    Spins,
    /// It waits, and does not end.
    IsSlow,
}

/// Waits for an answer for as long as that makes sense. sled spins on a damaged file, so what counts is the work that is
/// done, and not the time that passes on a busy machine or a slow disk.
fn wait_for<T>(receiver: &mpsc::Receiver<T>) -> Waited<T> {
    let (begun, work_before) = (Instant::now(), work_so_far());
    loop {
        match receiver.recv_timeout(MEASURE_EVERY) {
            Ok(answer) => return Waited::Answer(answer),
            // The thread is gone without a word, which only a shortage explains; it would have answered a panic.
            Err(mpsc::RecvTimeoutError::Disconnected) => return Waited::IsSlow,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        let waited = begun.elapsed();
        let worked = work_so_far().zip(work_before).map_or(waited, |(now, before)| now.saturating_sub(before));
        if worked >= MOST_WORK {
            return Waited::Spins;
        }
        if waited >= MOST_TIME {
            return Waited::IsSlow;
        }
    }
}

/// Returns the processor time of this process; none where the system does not tell.
fn work_so_far() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
    }
    #[cfg(not(unix))]
    None
}

/// Opens the database. Our own lease is held here, so whoever still holds sled's lock is a handle of this process that
/// was dropped a moment ago: sled lets go of it in its own time, on a thread of its own (seen with 0.34.7).
fn open_once_free(path: &Path) -> Result<sled::Db, sled::Error> {
    let mut tries = 0;
    loop {
        match sled::Config::new().path(path).cache_capacity(CACHE).open() {
            Err(sled::Error::Io(error)) if tries < LOCK_TRIES && error.to_string().contains("acquire lock") => {
                tries += 1;
                std::thread::sleep(LOCK_PAUSE);
            }
            opened => return opened,
        }
    }
}

/// How often, and how far apart, a database that is being let go of is tried: two seconds in all.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Returns how an error shows that the database itself is damaged, and not the way to it.
fn damage(error: &StateError) -> Option<String> {
    match error {
        StateError::Checksum { .. } | StateError::Record { .. } => Some(error.to_string()),
        StateError::Database { source: sled::Error::Io(io), .. } if io.kind() != std::io::ErrorKind::UnexpectedEof => {
            None
        }
        StateError::Database { source, .. } => Some(source.to_string()),
        _ => None,
    }
}

/// Moves a damaged database aside, under a name that no other one has, and returns where it is.
pub(super) fn move_aside(directory: &Path) -> Result<PathBuf, StateError> {
    let from = directory.join("db");
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let unique: String = std::iter::repeat_with(fastrand::alphanumeric).take(6).collect();
    let moved_to = directory.join(format!("db.damaged-{stamp}-{unique}"));
    match std::fs::rename(&from, &moved_to) {
        Ok(()) => Ok(moved_to),
        Err(source) => Err(StateError::Io { action: "move aside the damaged", path: from, source }),
    }
}

/// A log without its snapshot says only that commits were made: said once, it goes where the database went.
pub(super) fn take_log_along(directory: &Path, moved_to: &Path) {
    let _ = std::fs::rename(log_path(directory), moved_to.join("snapshot.log"));
    // The history of a state that is no more; the next one begins its own.
    let _ = std::fs::rename(copy_path(directory), moved_to.join("history.log"));
}

/// Reads everything but the history; none from a database that nothing was ever written into.
pub(super) fn read_all(trees: &Trees, directory: &Path, project: &ProjectName) -> Result<Option<Snapshot>, StateError> {
    let failed = |source| StateError::Database { action: "be read", path: directory.join("db"), source };
    let Some(meta) = trees.meta.get(META).map_err(failed)? else {
        return Ok(None);
    };
    // The version first: a newer form may not fit our types at all.
    let version: serde_json::Value = decode("meta", &meta)?;
    let found = version["format_version"].as_u64().and_then(|found| u32::try_from(found).ok()).unwrap_or(0);
    if found > FORMAT_VERSION {
        return Err(StateError::Newer { path: directory.to_owned(), found });
    }
    let meta: Meta = decode("meta", &meta)?;
    if meta.project != *project && meta.history.is_none() && trees.is_empty() {
        // It remembers nothing, so it belongs to nobody yet.
        return Ok(None);
    }
    check_project(directory, &meta.project, project)?;
    let (faces, journal) = (read_tree(&trees.faces, &failed)?, read_tree(&trees.journal, &failed)?);
    Ok(Some(Snapshot { meta, faces, journal }))
}

pub(super) fn read_tree<T: DeserializeOwned>(
    tree: &sled::Tree,
    failed: &impl Fn(sled::Error) -> StateError,
) -> Result<BTreeMap<FaceKey, T>, StateError> {
    // Collected, and not inserted one by one: a map that is made of all at once has no half-empty nodes.
    let records = tree.iter().map(|pair| {
        let (key, bytes) = pair.map_err(failed)?;
        let name = String::from_utf8_lossy(&key).into_owned();
        let key: FaceKey = name.parse().map_err(|_| StateError::Checksum { record: name.clone() })?;
        Ok((key, decode(&name, &bytes)?))
    });
    records.collect()
}
