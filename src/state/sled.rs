//! The only files that name sled: this one, and those below it. Durable means: `flush` has returned.
//!
//! # Caveats
//! Measured with sled 0.34.7, 22 November 2026: a damaged file makes `sled::open` panic, or spin for
//! ever. So it is opened on a thread of its own with a deadline, and a database that does not come up is
//! moved aside. One process at a time can open it; a [`super::Lease`] is taken first, which can say who.

mod open;
mod queue;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};

use jiff::Timestamp;
use serde_json::Value;
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};

use crate::face::{FaceId, FaceKey, ProjectName, RecordedFace};
use crate::killpoint::kill_point;

use super::history::{self, ChainHead, serial_of};
use super::history_copy::{HistoryCopy, read_history_copy};
use super::holders::Holders;
use super::record::{decode, encode};
use super::snapshot::{Log, SnapshotWriter, has_log, read_snapshot};
use open::{NotOpened, Opened, move_aside, read_tree, take_log_along};
use queue::Queue;

pub use reader::SledReader;

use super::{Change, Entry, Happened, HistoryEntry, Lease, Meta, RunContext, Snapshot, StateError, StateStore};

const META: &[u8] = b"meta";

/// The store on disk.
pub struct SledStore {
    directory: PathBuf,
    /// The database; none until there is something to write, so that a run that is refused leaves no trace.
    base: OnceLock<Base>,
    /// What is on disk, kept so that nobody need read it again. Never held while something is written.
    mirror: Mutex<Mirror>,
    queue: Queue<Copies>,
    /// Dropped last: nobody else may open the database before it is closed.
    _lease: Lease,
}

/// What is on disk, in memory.
struct Mirror {
    snapshot: Snapshot,
    holders: Holders,
}

/// The copies of it for others, and what is to be written with the next commit.
#[derive(Default)]
struct Copies {
    /// Noted before there was a database: in memory already, and the first part of the first commit.
    noted: Vec<(Change, Vec<Value>)>,
    /// None until the first commit: a run that only looks writes nothing.
    writer: Option<SnapshotWriter>,
    /// As `writer`; none also after it failed, as it is only a copy.
    copy: Option<HistoryCopy>,
}

/// The database, open.
struct Base {
    database: sled::Db,
    trees: Trees,
}

struct Trees {
    meta: sled::Tree,
    faces: sled::Tree,
    journal: sled::Tree,
    history: sled::Tree,
}

impl Trees {
    /// Returns whether no face, no create and nothing that happened is in them.
    fn is_empty(&self) -> bool {
        let Self { meta: _, faces, journal, history } = self;
        [faces, journal, history].iter().all(|tree| tree.is_empty())
    }
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledStore").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl SledStore {
    /// Opens the state in a directory. A new one is made by the first commit. A database that cannot be read is moved
    /// aside and rebuilt from the snapshot beside it, which each commit brought up to date before it
    /// returned; so is one that is not there at all while a snapshot is, and one that is behind it.
    ///
    /// # Errors
    /// [`StateError::Damaged`] when there is no snapshot to rebuild from; the next call begins anew.
    /// [`StateError::Newer`], [`StateError::OtherProject`] and a snapshot that cannot be read leave
    /// everything as it is: it is never overwritten by a state that knows less. So do [`StateError::Shortage`] and
    /// [`StateError::Slow`], which say nothing about the database.
    pub fn open(directory: &Path, project: &ProjectName, lease: Lease) -> Result<(Self, Option<Rebuilt>), StateError> {
        let copy = || read_snapshot(directory, project);
        if !directory.join("db").exists() && !has_log(directory) && copy()?.is_none() {
            return Ok((Self::with(directory, None, Snapshot::empty(project.clone()), lease), None));
        }
        let read = || {
            Opened::read(directory, project).map_err(|error| match error {
                NotOpened::Failed(error) => error,
                NotOpened::Damaged(why) => StateError::Unreadable { path: directory.join("db"), why },
            })
        };
        let (opened, rebuilt) = match Opened::read(directory, project) {
            Ok(opened) if opened.is_new => match copy()? {
                Some(snapshot) if snapshot.meta.serial == 0 => (opened.with(snapshot), None),
                Some(snapshot) => (opened.with(snapshot), Some(("was gone".to_owned(), None))),
                // Commits were made here once: an empty database is not a new one then, and what it has
                // forgotten may be a create in doubt.
                None if has_log(directory) => {
                    drop(opened);
                    return Err(given_up(directory, "it is empty, although commits were made to it".to_owned()));
                }
                None => (opened, None),
            },
            Ok(opened) if opened.may_be_behind(directory) => opened.or_newer(copy().ok().flatten()),
            Ok(opened) => (opened, None),
            Err(NotOpened::Damaged(why)) => match copy()? {
                Some(snapshot) => {
                    let moved_to = move_aside(directory)?;
                    (read()?.with(snapshot), Some((why, Some(moved_to))))
                }
                None => return Err(given_up(directory, why)),
            },
            Err(NotOpened::Failed(error)) => return Err(error),
        };
        let Opened { base, snapshot, is_new: _ } = opened;
        let mut rebuilt =
            rebuilt.map(|(why, moved_to)| Rebuilt { why, moved_to, serial: snapshot.meta.serial, lost_history: 0 });
        let store = Self::with(directory, Some(base), snapshot, lease);
        if let Some(rebuilt) = &mut rebuilt {
            store.write_all_anew(rebuilt)?;
        }
        Ok((store, rebuilt))
    }

    fn with(directory: &Path, base: Option<Base>, snapshot: Snapshot, lease: Lease) -> Self {
        let mirror = Mutex::new(Mirror { snapshot, holders: Holders::default() });
        let base = base.map_or_else(OnceLock::new, OnceLock::from);
        Self { directory: directory.to_owned(), base, mirror, queue: Queue::default(), _lease: lease }
    }

    /// Returns the database, which is made where there is none yet.
    fn base(&self) -> Result<&Base, StateError> {
        if let Some(base) = self.base.get() {
            return Ok(base);
        }
        let project = self.mirror().snapshot.meta.project.clone();
        let opened = Opened::read(&self.directory, &project).map_err(|error| match error {
            NotOpened::Failed(error) => error,
            NotOpened::Damaged(why) => StateError::Unreadable { path: self.directory.join("db"), why },
        })?;
        Ok(self.base.get_or_init(|| opened.base))
    }

    /// Writes everything into a database that is rebuilt, and takes out of it what is not remembered.
    fn write_all_anew(&self, rebuilt: &mut Rebuilt) -> Result<(), StateError> {
        let Trees { faces: face_tree, journal: journal_tree, history: history_tree, .. } = &self.base()?.trees;
        let mut mirror = self.mirror();
        let (records, head) = self.saved_history(&mirror.snapshot.meta, rebuilt)?;
        mirror.snapshot.meta.history = Some(head);
        let Snapshot { meta, faces, journal } = &mirror.snapshot;
        let failed = |source| self.failed("be read", source);
        let known = read_tree::<RecordedFace>(face_tree, &failed)?;
        let known_journal = read_tree::<Entry>(journal_tree, &failed)?;
        let change = Change {
            journal: all_of(journal, known_journal.into_keys()),
            faces: all_of(faces, known.into_keys()),
            ..Change::default()
        };
        self.write(meta, &[(&change, &records)])?;
        let places: BTreeSet<Vec<u8>> = placed(&records, 0).into_iter().map(|(place, _)| place).collect();
        for place in history_tree.iter().keys() {
            let place = place.map_err(|source| self.failed("be read", source))?;
            if !places.contains(place.as_ref()) {
                history_tree.remove(place).map_err(|source| self.failed("be written", source))?;
            }
        }
        Ok(())
    }

    /// Returns what can still be had of the history of a rebuilt database, with an entry at its end that says what
    /// was lost, and where it ends then.
    fn saved_history(&self, meta: &Meta, rebuilt: &mut Rebuilt) -> Result<(Vec<Value>, ChainHead), StateError> {
        let mut sources = [read_history_copy(&self.directory)?, self.stored_records().unwrap_or_default()];
        if let Some(head) = &meta.history {
            // What lies behind the head was written by a commit that is lost itself.
            for records in &mut sources {
                records.truncate(history::reaches(records, head).unwrap_or(records.len()));
            }
            let linked = |records: &Vec<Value>| history::verify(records, None).linked;
            let reaches = |records: &Vec<Value>| history::reaches(records, head).is_some();
            sources.sort_by_key(|records| (reaches(records), linked(records)));
            let saved = sources.last().map_or(0, |best| if reaches(best) { head.length } else { linked(best) });
            rebuilt.lost_history = head.length.saturating_sub(saved);
        }
        let mut records = sources.into_iter().next_back().unwrap_or_default();
        let Rebuilt { why, moved_to: _, serial, lost_history: _ } = &*rebuilt;
        let detail = format!("rebuilt from the snapshot of serial {serial} ({why}); {}", rebuilt.fate_of_history());
        let entry = HistoryEntry::new(Timestamp::now(), None, Happened::Rebuilt, &detail, &RunContext::default());
        let (record, head) = history::link(meta.history.as_ref(), meta.serial, &entry)?;
        records.push(record);
        Ok((records, head))
    }

    fn mirror(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Gets the copy of the history ready, which is a courtesy: without it nothing is lost that counts.
    fn resume_copy(&self, head: Option<&ChainHead>) -> Option<HistoryCopy> {
        let resumed = HistoryCopy::resume(&self.directory, head, || self.stored_records());
        resumed.inspect_err(|error| tracing::warn!(%error, "the copy of the history could not be written")).ok()
    }

    fn stored_records(&self) -> Result<Vec<Value>, StateError> {
        let Some(Base { trees, .. }) = self.base.get() else { return Ok(Vec::new()) };
        let records = trees.history.iter().map(|pair| {
            let (place, bytes) = pair.map_err(|source| self.failed("be read", source))?;
            let mut record: Value = decode("history", &bytes)?;
            // Records of early versions do not say it themselves.
            if let (None, Some(serial)) = (record.get("serial"), place.first_chunk::<8>()) {
                record["serial"] = u64::from_be_bytes(*serial).into();
            }
            Ok(record)
        });
        records.collect()
    }

    fn failed(&self, action: &'static str, source: sled::Error) -> StateError {
        StateError::Database { action, path: self.directory.join("db"), source }
    }

    /// Writes changes, each with the records that it adds, as one; `meta` is what the state says about itself after
    /// all of them.
    fn write(&self, meta: &Meta, changes: &[(&Change, &Vec<Value>)]) -> Result<(), StateError> {
        let Base { database, trees } = self.base()?;
        let Trees { meta: meta_tree, faces: face_tree, journal: journal_tree, history: history_tree } = trees;
        let (mut journal, mut faces, mut history) = (Vec::new(), Vec::new(), Vec::new());
        for (change, records) in changes {
            for (key, entry) in &change.journal {
                journal.push((key.as_str(), entry.as_ref().map(|entry| encode(key.as_str(), entry)).transpose()?));
            }
            for (key, face) in &change.faces {
                faces.push((key.as_str(), face.as_ref().map(|face| encode(key.as_str(), face)).transpose()?));
            }
            // History from elsewhere may go on at a serial that has records here already.
            let first = records.first().filter(|_| change.past.is_some());
            let there = first.map_or(0, |record| history_tree.scan_prefix(serial_of(record).to_be_bytes()).count());
            for (place, record) in placed(records, u32::try_from(there).unwrap_or(u32::MAX)) {
                history.push((place, encode("history", record)?));
            }
        }
        let meta = encode("meta", meta)?;
        let outcome: Result<(), TransactionError<()>> = (meta_tree, face_tree, journal_tree, history_tree).transaction(
            |(meta_tree, face_tree, journal_tree, history_tree)| {
                for (tree, records) in [(journal_tree, &journal), (face_tree, &faces)] {
                    for (key, bytes) in records {
                        match bytes {
                            Some(bytes) => tree.insert(key.as_bytes(), bytes.as_slice())?,
                            None => tree.remove(key.as_bytes())?,
                        };
                    }
                }
                for (place, bytes) in &history {
                    history_tree.insert(place.as_slice(), bytes.as_slice())?;
                }
                meta_tree.insert(META, meta.as_slice())?;
                Ok::<(), ConflictableTransactionError<()>>(())
            },
        );
        match outcome {
            Ok(()) | Err(TransactionError::Abort(())) => {}
            Err(TransactionError::Storage(source)) => return Err(self.failed("be written", source)),
        }
        at(changes.iter().map(|(change, _)| *change), "unflushed");
        // sled acknowledges a write before it is on disk (flush interval 500 ms): only this makes it durable.
        database.flush().map(drop).map_err(|source| self.failed("be flushed to disk", source))
    }

    /// Writes changes that were committed at about the same time, and returns the serial of each once all are durable.
    fn write_together(&self, changes: &[Change], copies: &mut Copies) -> Result<Vec<u64>, StateError> {
        let Copies { noted, writer, copy } = copies;
        let before = self.mirror().snapshot.meta.clone();
        let (mut metas, mut records) = (Vec::with_capacity(changes.len()), Vec::with_capacity(changes.len()));
        for change in changes {
            let (meta, added) = metas.last().unwrap_or(&before).after(change)?;
            metas.push(meta);
            records.push(added);
        }
        let last = match metas.last() {
            Some(last) => last.clone(),
            None if noted.is_empty() => return Ok(Vec::new()),
            None => before.clone(),
        };
        at(changes, "before-write");
        // Before this commit is in the database: then all of it is what the copy should have.
        if copy.is_none() {
            // What was noted is not in the database yet, which was empty then.
            *copy = self.resume_copy(before.history.as_ref().filter(|_| noted.is_empty()));
        }
        let all: Vec<(&Change, &Vec<Value>)> =
            noted.iter().map(|(change, records)| (change, records)).chain(changes.iter().zip(&records)).collect();
        self.write(&last, &all)?;
        let records: Vec<Value> = all.into_iter().flat_map(|(_, records)| records.iter().cloned()).collect();
        noted.clear();
        at(changes, "between");
        // Before the snapshot, so that whoever reads both finds the end that the snapshot remembers.
        if let Some(Err(error)) = copy.as_mut().map(|copy| copy.add(&records)) {
            tracing::warn!(%error, "the copy of the history could not be written; the history itself was");
            *copy = None;
        }
        let mut mirror = self.mirror();
        let Mirror { snapshot, holders } = &mut *mirror;
        for (change, meta) in changes.iter().zip(&metas) {
            holders.change(&snapshot.faces, &change.faces);
            snapshot.become_after(meta.clone(), &change.journal, &change.faces);
        }
        drop(mirror);
        // The copy is what a damaged database is rebuilt from: without it a `begun` is not safe.
        // Taken out, so that after a failed write the next commit writes the whole and not a line after a gap.
        let whole = || SnapshotWriter::begin(&self.directory, &self.mirror().snapshot);
        *writer = Some(match writer.take() {
            Some(mut writer) => match writer.add(changes.iter().zip(&metas))? {
                Log::Short => writer,
                Log::Long => whole()?,
            },
            None => whole()?,
        });
        at(changes, "written");
        Ok(metas.iter().map(|meta| meta.serial).collect())
    }
}

/// Gives up on a database that nothing can be rebuilt from: moved aside, with the log of a copy that is not there any
/// more.
fn given_up(directory: &Path, why: String) -> StateError {
    match move_aside(directory) {
        Ok(moved_to) => {
            take_log_along(directory, &moved_to);
            StateError::Damaged { why, moved_to }
        }
        Err(error) => error,
    }
}

/// A point at which tests can kill the process, for each of these changes.
fn at<'a>(changes: impl IntoIterator<Item = &'a Change>, moment: &'static str) {
    changes.into_iter().for_each(|change| kill_point(step(change), moment));
}

impl StateStore for SledStore {
    fn load(&self) -> Result<Snapshot, StateError> {
        Ok(self.mirror().snapshot.clone())
    }

    fn face(&self, key: &FaceKey) -> Result<Option<RecordedFace>, StateError> {
        Ok(self.mirror().snapshot.faces.get(key).cloned())
    }

    fn entry(&self, key: &FaceKey) -> Result<Option<Entry>, StateError> {
        Ok(self.mirror().snapshot.journal.get(key).cloned())
    }

    fn holder(&self, id: &FaceId) -> Result<Option<FaceKey>, StateError> {
        let mut mirror = self.mirror();
        let Mirror { snapshot, holders, .. } = &mut *mirror;
        Ok(holders.of(id, &snapshot.faces))
    }

    fn commit(&self, change: Change) -> Result<u64, StateError> {
        let written = self.queue.commit(change, |changes, copies| self.write_together(changes, copies));
        written.unwrap_or_else(|why| {
            let source = std::io::Error::other(why);
            Err(StateError::Io { action: "write", path: self.directory.clone(), source })
        })
    }

    fn note(&self, change: Change) -> Result<u64, StateError> {
        if self.base.get().is_some() {
            return self.commit(change);
        }
        self.queue.alone(|copies| {
            let mut mirror = self.mirror();
            let Mirror { snapshot, holders } = &mut *mirror;
            let (meta, records) = snapshot.meta.after(&change)?;
            holders.change(&snapshot.faces, &change.faces);
            snapshot.become_after(meta, &change.journal, &change.faces);
            copies.noted.push((change, records));
            Ok(snapshot.meta.serial)
        })
    }

    fn prepare(&self) -> Result<(), StateError> {
        self.base()?;
        self.keep()
    }

    fn keep(&self) -> Result<(), StateError> {
        self.queue.alone(|copies| self.write_together(&[], copies).map(drop))
    }

    fn records(&self) -> Result<Vec<Value>, StateError> {
        let noted = |copies: &mut Copies| copies.noted.iter().flat_map(|(_, records)| records.clone()).collect();
        let noted: Vec<Value> = self.queue.alone(noted);
        Ok([self.stored_records()?, noted].concat())
    }
}

/// Returns where each record lies: the serial in front orders them, a number tells those of one commit apart. So
/// many of the first one's serial are `there` already.
fn placed(records: &[Value], there: u32) -> Vec<(Vec<u8>, &Value)> {
    let mut next = (records.first().map(serial_of), there);
    let place = |record| {
        let serial = serial_of(record);
        let number = if next.0 == Some(serial) { next.1 } else { 0 };
        next = (Some(serial), number.saturating_add(1));
        ([serial.to_be_bytes().as_slice(), &number.to_be_bytes()].concat(), record)
    };
    records.iter().map(place).collect()
}

/// Returns what makes a tree hold all of `wanted` and nothing else of what is `known` to be in it.
fn all_of<T: Clone>(wanted: &BTreeMap<FaceKey, T>, known: impl Iterator<Item = FaceKey>) -> Vec<(FaceKey, Option<T>)> {
    let gone = known.filter(|key| !wanted.contains_key(key)).map(|key| (key, None));
    wanted.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).chain(gone).collect()
}

/// What a change is called where a test can kill the process around it.
fn step(change: &Change) -> &'static str {
    match change.history.first().map(|entry| entry.what) {
        Some(Happened::CreateBegun) => "begun",
        Some(Happened::CreateSettled) => "settled",
        Some(Happened::CreateRefused) => "refused",
        Some(Happened::CreateInDoubt) => "in-doubt",
        Some(Happened::CreateAbsent) => "absent",
        Some(Happened::Adopted) => "adopted",
        Some(Happened::Updated) => "updated",
        Some(Happened::Forgotten) => "forgotten",
        Some(Happened::PalRepointed) => "pal-repointed",
        Some(Happened::Replaced) => "replaced",
        Some(Happened::RolledBack) => "rolled-back",
        Some(Happened::Deleted) => "deleted",
        Some(Happened::PlanApplied) => "plan-applied",
        Some(Happened::Moved) => "moved",
        Some(Happened::Pushed) => "pushed",
        Some(Happened::Rebuilt) | None => "noted",
    }
}

/// What was done about a damaged database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// How the damage showed.
    pub why: String,
    /// Where the damaged database is now; none where there was none.
    pub moved_to: Option<PathBuf>,
    /// The serial of the snapshot it was rebuilt from.
    pub serial: u64,
    /// Entries of the history that neither the database nor its copy holds any more.
    pub lost_history: u64,
}

impl Rebuilt {
    /// Returns what became of the history, in words.
    pub fn fate_of_history(&self) -> String {
        match self.lost_history {
            0 => "no entry of the history was lost".to_owned(),
            1 => "1 entry of the history before this could not be saved".to_owned(),
            lost => format!("{lost} entries of the history before this could not be saved"),
        }
    }
}

#[cfg(test)]
mod tests;
