//! A copy of the state that can be read while somebody else holds it, and rebuilt from.
//!
//! sled has no read-only open, and a damaged database cannot be read at all. So each commit also adds a
//! line to `snapshot.log`, and now and then the whole is written to `snapshot.json` and the log begins
//! anew: what is written stays in proportion to what changes, also with 10,000 faces.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::face::{FaceKey, ProjectName, RecordedFace};
use crate::files::{Mode, open_empty, replace};

use super::{ChainHead, Change, Entry, FORMAT_VERSION, Meta, Past, Snapshot, StateError};

const FILE: &str = "snapshot.json";
const LOG: &str = "snapshot.log";

/// The log is folded into the snapshot when it has grown past this, and past the snapshot itself.
const SMALL_LOG: u64 = 64 * 1024;

/// One commit, as it stands in the log.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    serial: u64,
    journal: Vec<(FaceKey, Option<Entry>)>,
    faces: Vec<(FaceKey, Option<RecordedFace>)>,
    /// Where the history ends after it; the history itself is not part of a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<ChainHead>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lineage: Option<(String, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<Vec<String>>,
}

/// Writes the copy, behind a lease.
#[derive(Debug)]
pub(super) struct SnapshotWriter {
    directory: PathBuf,
    log: File,
    /// Bytes in the snapshot and in the log.
    written: (u64, u64),
}

impl SnapshotWriter {
    /// Begins with a whole snapshot and an empty log.
    pub(super) fn begin(directory: &Path, snapshot: &Snapshot) -> Result<Self, StateError> {
        let path = directory.join(LOG);
        let size = write_whole(directory, snapshot)?;
        let log = open_empty(&path).map_err(|source| StateError::Io { action: "write", path, source })?;
        Ok(Self { directory: directory.to_owned(), log, written: (size, 0) })
    }

    /// Adds commits, each with what the state says about itself after it, and says how long the log is by now.
    pub(super) fn add<'a>(
        &mut self,
        commits: impl IntoIterator<Item = (&'a Change, &'a Meta)>,
    ) -> Result<Log, StateError> {
        let mut bytes = Vec::new();
        for (change, meta) in commits {
            // In full, so that a new field cannot be forgotten here.
            let Change { journal, faces, history: _, past: _, lineage, account } = change.clone();
            let Meta { serial, history, .. } = meta.clone();
            let line = Line { serial, journal, faces, history, lineage, account };
            serde_json::to_writer(&mut bytes, &line)
                .map_err(|source| StateError::Record { record: LOG.to_owned(), source })?;
            bytes.push(b'\n');
        }
        let added = self.log.write_all(&bytes).and_then(|()| self.log.sync_data());
        if let Err(source) = added {
            return Err(StateError::Io { action: "write", path: self.directory.join(LOG), source });
        }
        self.written.1 += bytes.len() as u64;
        let is_long = self.written.1 > SMALL_LOG.max(self.written.0);
        Ok(if is_long { Log::Long } else { Log::Short })
    }
}

/// How long a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// Not longer than the snapshot.
    Short,
    /// It is time to begin anew.
    Long,
}

/// Returns where the log lies.
pub(super) fn log_path(directory: &Path) -> PathBuf {
    directory.join(LOG)
}

/// Returns whether commits were ever made to the state in a directory.
pub(super) fn has_log(directory: &Path) -> bool {
    log_path(directory).exists()
}

/// The beginning of a snapshot; the rest is passed over without being kept.
#[derive(Debug, Deserialize)]
struct Head<M> {
    meta: M,
}

#[derive(Debug, Deserialize)]
struct Version {
    #[serde(default)]
    format_version: u32,
}

/// Returns the lineage of the copy and the serial up to which it may reach, without reading all of it; none
/// where it cannot be told.
pub(super) fn snapshot_reach(directory: &Path) -> Option<(String, u64)> {
    #[derive(Deserialize)]
    struct Serial {
        serial: u64,
    }
    let bytes = read(&directory.join(FILE)).ok()??;
    let Head { meta } = serde_json::from_slice::<Head<Meta>>(&bytes).ok()?;
    let log = read(&directory.join(LOG)).ok()?.unwrap_or_default();
    let last = log.split(|byte| *byte == b'\n').rev().find_map(|line| serde_json::from_slice::<Serial>(line).ok());
    Some((meta.lineage, last.map_or(meta.serial, |last| last.serial.max(meta.serial))))
}

/// Returns the last copy written into a state directory; none if there is no state.
///
/// # Errors
/// When it is there and cannot be read, is of a newer format, or belongs to another project.
pub fn read_snapshot(directory: &Path, project: &ProjectName) -> Result<Option<Snapshot>, StateError> {
    let Some(bytes) = read(&directory.join(FILE))? else { return Ok(None) };
    let unreadable = |source| StateError::Record { record: FILE.to_owned(), source };
    // The version first: a newer form may not fit our types at all.
    let head: Head<Version> = serde_json::from_slice(&bytes).map_err(unreadable)?;
    if head.meta.format_version > FORMAT_VERSION {
        return Err(StateError::Newer { path: directory.join(FILE), found: head.meta.format_version });
    }
    let mut snapshot: Snapshot = serde_json::from_slice(&bytes).map_err(unreadable)?;
    replay(&mut snapshot, &read(&directory.join(LOG))?.unwrap_or_default());
    if snapshot.meta.project != *project && snapshot.remembers_nothing() {
        return Ok(Some(Snapshot::empty(project.clone())));
    }
    check_project(directory, &snapshot.meta.project, project)?;
    Ok(Some(snapshot))
}

/// Applies the lines that follow on the snapshot. Older ones are in it already; at a torn or foreign line
/// the rest is not used, as it may depend on what is missing.
fn replay(snapshot: &mut Snapshot, log: &[u8]) {
    for bytes in log.split(|byte| *byte == b'\n').filter(|bytes| !bytes.is_empty()) {
        let Ok(line) = serde_json::from_slice(bytes) else { return };
        let Line { serial, journal, faces, history, lineage, account } = line;
        if serial <= snapshot.meta.serial {
            continue;
        }
        let floor = lineage.as_ref().map_or(0, |(_, floor)| *floor);
        if serial != snapshot.meta.serial.max(floor) + 1 {
            return;
        }
        let past = history.or_else(|| snapshot.meta.history.clone());
        let past = Some(Past { records: Vec::new(), head: past });
        let change = Change { journal, faces, history: Vec::new(), past, lineage, account };
        if snapshot.apply(&change).is_err() {
            return;
        }
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StateError::Io { action: "read", path: path.to_owned(), source }),
    }
}

fn write_whole(directory: &Path, snapshot: &Snapshot) -> Result<u64, StateError> {
    let path = directory.join(FILE);
    let json = serde_json::to_vec(snapshot).map_err(|source| StateError::Record { record: FILE.to_owned(), source })?;
    replace(&path, &json, Mode::Default).map_err(|source| StateError::Io { action: "write", path, source })?;
    Ok(json.len() as u64)
}

/// Refuses a state that belongs to another project: its tokens mean something else.
pub(super) fn check_project(directory: &Path, found: &ProjectName, wanted: &ProjectName) -> Result<(), StateError> {
    if found == wanted {
        return Ok(());
    }
    Err(StateError::OtherProject { path: directory.to_owned(), found: found.clone(), wanted: wanted.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forgotten(key: &str) -> Change {
        Change { faces: vec![(key.parse().unwrap(), None)], ..Change::default() }
    }

    #[test]
    fn a_reader_sees_every_commit_and_a_torn_last_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let project: ProjectName = "p".parse().unwrap();
        let mut snapshot = Snapshot::empty(project.clone());
        let mut writer = SnapshotWriter::begin(folder.path(), &snapshot).unwrap();
        for number in 0..3 {
            let change = forgotten(&format!("face-{number}"));
            snapshot.apply(&change).unwrap();
            writer.add([(&change, &snapshot.meta)]).unwrap();
        }
        assert_eq!(read_snapshot(folder.path(), &project).unwrap(), Some(snapshot.clone()));
        let log = folder.path().join(LOG);
        let bytes = std::fs::read(&log).unwrap();
        std::fs::write(&log, &bytes[..bytes.len() - 5]).unwrap();
        assert_eq!(read_snapshot(folder.path(), &project).unwrap().unwrap().meta.serial, 2);
    }

    #[test]
    fn the_log_is_folded_into_the_snapshot_before_it_grows_past_it() {
        let folder = tempfile::tempdir().unwrap();
        let project: ProjectName = "p".parse().unwrap();
        let mut snapshot = Snapshot::empty(project.clone());
        let mut writer = SnapshotWriter::begin(folder.path(), &snapshot).unwrap();
        for number in 0..3000 {
            let change = forgotten(&format!("face-{number}"));
            snapshot.apply(&change).unwrap();
            if writer.add([(&change, &snapshot.meta)]).unwrap() == Log::Long {
                writer = SnapshotWriter::begin(folder.path(), &snapshot).unwrap();
            }
        }
        assert!(std::fs::metadata(folder.path().join(LOG)).unwrap().len() <= SMALL_LOG + 200);
        assert_eq!(read_snapshot(folder.path(), &project).unwrap(), Some(snapshot));
    }
}
