//! `facectl.lock.yaml`: the record as a file that can be committed.
//!
//! Applications read face ids from it, and a fresh checkout needs no state: the cache is rebuilt from it.
//! It is sorted, has one block for each face and holds no secret. Each block carries the serial at which
//! it last changed, so that two branches that touch different faces merge without a conflict; the serial
//! of the whole is the highest of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::face::{
    Attempt, FaceId, FaceKey, FaceName, Fingerprint, OnRemoval, PreviousFace, ProjectName, RecordedFace, Token,
    TrainedFrom, VoiceId,
};

use super::snapshot::write_atomically;
use super::{Snapshot, StateError};

/// The name of the file, beside the manifests.
pub const LOCK_FILE: &str = "facectl.lock.yaml";

/// The version of its form.
const LOCK_FORMAT: u32 = 2;

const HEADER: &str = "\
# Written by facectl. Commit it: applications read face ids from it, and a fresh checkout rebuilds its state from it.
# Do not edit it by hand. It holds no secret.
";

/// The lock file as a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    /// The version of its form.
    pub lock_version: u32,
    /// The project it belongs to.
    pub project: ProjectName,
    /// The state it was written from.
    pub lineage: String,
    /// The faces, by key.
    pub faces: BTreeMap<FaceKey, LockedFace>,
}

/// One face of the lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFace {
    /// Its id.
    pub face_id: FaceId,
    /// The name we last gave it.
    pub face_name: FaceName,
    /// The serial at which this block last changed.
    pub serial: u64,
    /// The voice we last set by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_voice_id: Option<VoiceId>,
    /// Which attempt made it.
    pub attempt: Attempt,
    /// The token it was created under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// A hash over what it was made from; for people and programs that compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// What it was made from; none for a face whose inputs nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_from: Option<TrainedFrom>,
    /// When its creation was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// What the manifest last said about removal.
    #[serde(default)]
    pub on_removal: OnRemoval,
    /// What the manifest last said about protection.
    #[serde(default)]
    pub protect: bool,
    /// The new face that is to take this one's place once it is ready. Applications keep using `face_id` until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<Box<LockedFace>>,
    /// Faces this key had before, which still exist as far as we know, the latest last.
    #[serde(default, deserialize_with = "crate::face::previous_faces", skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<PreviousFace>,
    /// The inputs from which a person has rolled it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_from: Option<Fingerprint>,
    /// The face from before that a person is going back to, where that ended half-way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub going_back_to: Option<FaceId>,
}

impl LockFile {
    /// Makes the lock file of a state, given the one that stands: unchanged blocks keep their serial.
    pub fn of(snapshot: &Snapshot, before: Option<&Self>) -> Self {
        let faces = snapshot.faces.iter().map(|(key, face)| {
            let new = locked(face, snapshot.meta.serial);
            let old = before.and_then(|before| before.faces.get(key));
            let serial = old
                .filter(|old| **old == LockedFace { serial: old.serial, ..new.clone() })
                .map_or(new.serial, |old| old.serial);
            (key.clone(), LockedFace { serial, ..new })
        });
        Self {
            lock_version: LOCK_FORMAT,
            project: snapshot.meta.project.clone(),
            lineage: snapshot.meta.lineage.clone(),
            faces: faces.collect(),
        }
    }

    /// Returns the serial of the whole: the highest of its blocks.
    pub fn serial(&self) -> u64 {
        self.faces.values().map(|face| face.serial).max().unwrap_or(0)
    }

    /// Returns the faces as the record keeps them.
    pub fn recorded(&self) -> BTreeMap<FaceKey, RecordedFace> {
        self.faces.iter().map(|(key, face)| (key.clone(), recorded(face))).collect()
    }

    /// Reads the lock file; none if there is none.
    ///
    /// # Errors
    /// When it cannot be read, is of a newer form, or belongs to another project.
    pub fn read(path: &Path, project: &ProjectName) -> Result<Option<Self>, StateError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { action: "read", path: path.to_owned(), source }),
        };
        let lock: Self = match serde_yaml::from_str(&text) {
            Ok(lock) => lock,
            Err(error) => return Err(unreadable(path, &text, &error)),
        };
        if lock.lock_version > LOCK_FORMAT {
            return Err(StateError::Newer { path: path.to_owned(), found: lock.lock_version });
        }
        super::snapshot::check_project(path, &lock.project, project)?;
        if let Some(why) = lock.shared_id() {
            return Err(StateError::LockFile { path: path.to_owned(), why });
        }
        Ok(Some(lock))
    }

    /// Returns which face stands under two keys, if one does: after a merge by hand, one key's removal would hit the
    /// other's face.
    fn shared_id(&self) -> Option<String> {
        let mut holders: BTreeMap<&FaceId, &FaceKey> = BTreeMap::new();
        for (key, face) in &self.faces {
            for id in face.ids() {
                if let Some(other) = holders.insert(id, key).filter(|other| *other != key) {
                    return Some(format!(
                        "face {id} stands under {other} and under {key}, and a face belongs to one key: take it out of the block that lost it (or out of its `previous`)"
                    ));
                }
            }
        }
        None
    }

    /// Replaces the lock file, if it says something else, and remembers in the state's directory what it says.
    ///
    /// # Errors
    /// When it cannot be written; the old one then still stands.
    pub fn write(&self, path: &Path, directory: &Path) -> Result<(), StateError> {
        let yaml = serde_yaml::to_string(self)
            .map_err(|source| StateError::LockFile { path: path.to_owned(), why: source.to_string() })?;
        let text = format!("{HEADER}{yaml}");
        if std::fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes()) {
            remember_written(directory, text.as_bytes());
            return Ok(());
        }
        write_atomically(path, text.as_bytes()).map_err(|source| StateError::Io {
            action: "write",
            path: path.to_owned(),
            source,
        })?;
        remember_written(directory, text.as_bytes());
        Ok(())
    }
}

/// What a state has to take over from the lock file beside it, face by face.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merge {
    /// The state knew nothing yet.
    pub is_new: bool,
    /// Faces that the lock file knows better, or that only it knows.
    pub taken: BTreeMap<FaceKey, RecordedFace>,
    /// Faces that somebody else dropped, or recorded under another key.
    pub dropped: Vec<FaceKey>,
    /// Faces that the state alone knows, under keys whose block it takes over: they are kept as faces from before.
    pub kept: Vec<(FaceKey, FaceId)>,
}

/// They have nothing to do with each other: nobody can tell from here which is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherLineage;

/// Compares a state with the lock file beside it, and with what the state wrote there last.
///
/// | written last | lock file now | state | what counts |
/// |---|---|---|---|
/// | any | a | a | they agree |
/// | a | a | b, or gone | the state: it has news that the lock file lacks |
/// | a | b | a | the lock file: it came by git |
/// | - | b | - | the lock file: a face that another machine paid for is never forgotten |
/// | a | - | a | the lock file: another machine dropped it |
/// | a | b | c | the later serial |
///
/// # Errors
/// When the two were not written by the same line of runs.
pub fn merge(
    snapshot: &Snapshot,
    lock: &LockFile,
    base: Option<&LockFile>,
    now: Timestamp,
) -> Result<Merge, OtherLineage> {
    let is_new = snapshot.faces.is_empty() && snapshot.journal.is_empty();
    if is_new && (snapshot.meta.serial == 0 || snapshot.meta.lineage != lock.lineage) {
        return Ok(Merge { is_new: true, taken: lock.recorded(), ..Merge::default() });
    }
    if snapshot.meta.lineage != lock.lineage {
        return Err(OtherLineage);
    }
    let base = base.filter(|base| base.lineage == lock.lineage);
    let ours = LockFile::of(snapshot, Some(lock));
    let was = |key: &FaceKey| base.and_then(|base| base.faces.get(key));
    let is_taken = |key: &FaceKey, theirs: &LockedFace| match (ours.faces.get(key), was(key)) {
        (Some(ours), _) if ours.says_the_same(theirs) => false,
        (_, Some(was)) if was.says_the_same(theirs) => false,
        (None, _) => true,
        (Some(ours), Some(was)) if ours.says_the_same(was) => true,
        (Some(_), _) => theirs.serial > snapshot.meta.serial,
    };
    let mut taken: BTreeMap<FaceKey, RecordedFace> = lock
        .faces
        .iter()
        .filter(|(key, theirs)| is_taken(key, theirs))
        .map(|(key, theirs)| (key.clone(), recorded(theirs)))
        .collect();
    let is_dropped = |key: &&FaceKey, ours: &LockedFace| {
        let is_elsewhere = taken.values().any(|face| face.id == ours.face_id);
        !lock.faces.contains_key(*key) && (is_elsewhere || was(key).is_some_and(|was| was.says_the_same(ours)))
    };
    let dropped = ours.faces.iter().filter(|(key, ours)| is_dropped(key, ours)).map(|(key, _)| key.clone()).collect();
    // What went on from our block dropped on purpose what it does not name; an older one, or one that went on beside
    // ours, never knew it.
    let is_successor = |key: &FaceKey, ours: &LockedFace| {
        was(key).is_some_and(|was| was.says_the_same(ours)) && lock.faces[key].serial >= ours.serial
    };
    let named: BTreeSet<&FaceId> = lock.faces.values().flat_map(LockedFace::ids).collect();
    let mut kept = Vec::new();
    for (key, face) in &mut taken {
        let Some(before) = snapshot.faces.get(key).filter(|_| !is_successor(key, &ours.faces[key])) else { continue };
        for left in before.clone().all_left(now).into_iter().filter(|left| !named.contains(&left.id)) {
            kept.push((key.clone(), left.id.clone()));
            face.previous.push(left);
        }
    }
    Ok(Merge { is_new: false, taken, dropped, kept })
}

impl LockedFace {
    /// Returns every id of the block.
    fn ids(&self) -> impl Iterator<Item = &FaceId> {
        let next = self.successor.iter().map(|face| &face.face_id);
        std::iter::once(&self.face_id).chain(next).chain(self.previous.iter().map(|face| &face.id))
    }

    /// Returns whether two blocks say the same, whenever they were written.
    fn says_the_same(&self, other: &Self) -> bool {
        Self { serial: other.serial, ..self.clone() } == *other
    }
}

/// A newer form may not fit our types at all: then its version says more than what did not fit.
fn unreadable(path: &Path, text: &str, error: &serde_yaml::Error) -> StateError {
    #[derive(Deserialize)]
    struct Header {
        lock_version: u32,
    }
    match serde_yaml::from_str::<Header>(text) {
        Ok(Header { lock_version: found }) if found > LOCK_FORMAT => StateError::Newer { path: path.to_owned(), found },
        Ok(_) | Err(_) => StateError::LockFile { path: path.to_owned(), why: error.to_string() },
    }
}

/// Where a state keeps the lock file as it wrote it last: what both sides of a merge began from.
const BASE: &str = "lock-file.base.yaml";

/// Returns whether the lock file is, to the byte, what this very state wrote last: then it has nothing to
/// say that the state does not know, and reading 10,000 faces from YAML can be spared.
pub fn is_own_lock_file(directory: &Path, path: &Path) -> bool {
    let base = directory.join(BASE);
    let length = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.len()).ok();
    if length(&base).is_none() || length(&base) != length(path) {
        return false;
    }
    matches!((std::fs::read(base), std::fs::read(path)), (Ok(base), Ok(now)) if base == now)
}

/// Returns the lock file as the state in a directory wrote it last; none where that cannot be told.
pub fn base_lock_file(directory: &Path, project: &ProjectName) -> Option<LockFile> {
    LockFile::read(&directory.join(BASE), project).ok().flatten()
}

/// Remembers what was written. Without it a merge takes more over than it must, and never less.
fn remember_written(directory: &Path, bytes: &[u8]) {
    let _ = write_atomically(&directory.join(BASE), bytes);
}

fn locked(face: &RecordedFace, serial: u64) -> LockedFace {
    // In full, so that a new field cannot be forgotten here. What is only seen, and changes by itself, stays out.
    let RecordedFace {
        id,
        name,
        default_voice,
        trained_from,
        attempt,
        token,
        token_in_name: _,
        created_at,
        on_removal,
        protect,
        seen_usable: _,
        last_seen: _,
        successor,
        previous,
        rolled_back_from,
        going_back_to,
    } = face.clone();
    LockedFace {
        successor: successor.map(|successor| Box::new(locked(&successor, 0))),
        rolled_back_from,
        going_back_to,
        face_id: id,
        face_name: name,
        serial,
        default_voice_id: default_voice,
        attempt,
        token,
        fingerprint: face.fingerprint(),
        trained_from,
        created_at,
        on_removal,
        protect,
        previous,
    }
}

fn recorded(face: &LockedFace) -> RecordedFace {
    let LockedFace {
        face_id,
        face_name,
        serial: _,
        default_voice_id,
        attempt,
        token,
        fingerprint: _,
        trained_from,
        created_at,
        on_removal,
        protect,
        successor,
        previous,
        rolled_back_from,
        going_back_to,
    } = face.clone();
    RecordedFace {
        successor: successor.map(|successor| Box::new(recorded(&successor))),
        rolled_back_from,
        going_back_to,
        id: face_id,
        name: face_name,
        default_voice: default_voice_id,
        trained_from,
        attempt,
        token_in_name: token.is_some(),
        token,
        created_at,
        on_removal,
        protect,
        seen_usable: false,
        last_seen: None,
        previous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::{Model, SourceKind};

    fn face(id: &str) -> RecordedFace {
        let trained_from = TrainedFrom {
            model: Model::Phoenix4,
            kind: SourceKind::Video,
            source: "https://m.example.com/a.mp4?…".into(),
            source_hash: "0".repeat(32),
            voice: None,
            auto_fix: false,
            green_screen: false,
            training_version: None,
        };
        let (project, key) = ("p".parse().unwrap(), "ana".parse().unwrap());
        let token = Token::of(&project, &key, &trained_from.fingerprint(), Attempt::FIRST);
        RecordedFace {
            id: id.parse().unwrap(),
            name: "Ana \"😀\": yes".parse().unwrap(),
            default_voice: None,
            trained_from: Some(trained_from),
            attempt: Attempt::FIRST,
            token: Some(token),
            token_in_name: true,
            created_at: Some(Timestamp::UNIX_EPOCH),
            on_removal: OnRemoval::Retain,
            protect: true,
            seen_usable: false,
            last_seen: None,
            successor: None,
            previous: Vec::new(),
            rolled_back_from: None,
            going_back_to: None,
        }
    }

    fn snapshot(faces: &[(&str, &str)], serial: u64) -> Snapshot {
        let mut snapshot = Snapshot::empty("p".parse().unwrap());
        snapshot.meta.serial = serial;
        snapshot.faces = faces.iter().map(|(key, id)| (key.parse().unwrap(), face(id))).collect();
        snapshot
    }

    #[test]
    fn what_is_locked_comes_back_and_writing_the_same_again_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK_FILE);
        let snapshot = snapshot(&[("ana", "r1"), ("ben", "r2")], 7);
        let lock = LockFile::of(&snapshot, None);
        lock.write(&path, folder.path()).unwrap();
        let read = LockFile::read(&path, &"p".parse().unwrap()).unwrap().unwrap();
        assert_eq!(read, lock);
        assert_eq!(read.recorded(), snapshot.faces);
        assert_eq!(read.serial(), 7);
    }

    #[test]
    fn only_the_block_that_changed_changes_so_that_branches_merge() {
        let before = LockFile::of(&snapshot(&[("ana", "r1"), ("ben", "r2")], 7), None);
        let after = LockFile::of(&snapshot(&[("ana", "r1"), ("ben", "r3")], 9), Some(&before));
        assert_eq!(after.faces[&"ana".parse().unwrap()], before.faces[&"ana".parse().unwrap()]);
        assert_eq!(after.faces[&"ben".parse().unwrap()].serial, 9);
    }

    #[test]
    fn a_face_that_only_the_lock_file_knows_is_taken_over_whatever_the_serials_say() {
        // Two machines went on from one state, and git merged what they wrote.
        let base = LockFile::of(&snapshot(&[("ana", "r1")], 5), None);
        let mut theirs = snapshot(&[("ana", "r1"), ("f9", "r9")], 7);
        theirs.meta.lineage.clone_from(&base.lineage);
        let mut ours = snapshot(&[("ana", "r1"), ("f1", "r2")], 30);
        ours.meta.lineage.clone_from(&base.lineage);
        let merged = LockFile::of(&theirs, Some(&base));
        let merge = merge(&ours, &merged, Some(&base), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(merge.taken.keys().map(FaceKey::as_str).collect::<Vec<_>>(), ["f9"]);
        assert_eq!(merge.dropped, Vec::<FaceKey>::new(), "what only the state knows stays");
    }

    #[test]
    fn each_block_counts_by_who_changed_it_since_it_was_written() {
        let face = |id: &str, serial| snapshot(&[("ana", id)], serial);
        let with = |mut snapshot: Snapshot, base: &LockFile| {
            snapshot.meta.lineage.clone_from(&base.lineage);
            snapshot
        };
        let base = LockFile::of(&face("r1", 5), None);
        for (theirs, ours, taken, why) in [
            (("r1", 5), ("r1", 9), None, "they agree"),
            (("r1", 5), ("r2", 9), None, "only the state moved"),
            (("r3", 7), ("r1", 9), Some("r3"), "only the lock file moved, though its serial is lower"),
            (("r3", 7), ("r2", 9), None, "both moved, the state later"),
            (("r3", 12), ("r2", 9), Some("r3"), "both moved, the lock file later"),
        ] {
            let lock = LockFile::of(&with(face(theirs.0, theirs.1), &base), Some(&base));
            let merge = merge(&with(face(ours.0, ours.1), &base), &lock, Some(&base), Timestamp::UNIX_EPOCH).unwrap();
            let id = merge.taken.values().next().map(|face| face.id.as_str());
            assert_eq!(id, taken, "{why}");
        }
        let gone = LockFile::of(&with(snapshot(&[], 7), &base), Some(&base));
        let dropped = merge(&with(face("r1", 9), &base), &gone, Some(&base), Timestamp::UNIX_EPOCH).unwrap().dropped;
        assert_eq!(dropped.len(), 1, "another machine dropped it");
        let kept = merge(&with(face("r2", 9), &base), &gone, Some(&base), Timestamp::UNIX_EPOCH).unwrap().dropped;
        assert_eq!(kept.len(), 0, "it was dropped there and changed here");
    }

    #[test]
    fn a_lock_file_of_the_first_form_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK_FILE);
        let old = "lock_version: 1\nproject: p\nlineage: l\nfaces:\n  ana:\n    face_id: r2\n    face_name: Ana\n    \
                   serial: 4\n    attempt: 2\n    previous: [r1]\n";
        std::fs::write(&path, old).unwrap();
        let lock = LockFile::read(&path, &"p".parse().unwrap()).unwrap().unwrap();
        let face = &lock.faces[&"ana".parse().unwrap()];
        assert_eq!(face.previous, [PreviousFace::known_by_id("r1".parse().unwrap())]);
    }

    #[test]
    fn an_older_block_does_not_make_the_state_forget_a_face_that_it_paid_for() {
        let base = LockFile::of(&snapshot(&[("ana", "r2")], 9), None);
        let mut ours = snapshot(&[("ana", "r2")], 9);
        ours.meta.lineage.clone_from(&base.lineage);
        let mut older = LockFile::of(&snapshot(&[("ana", "r1")], 5), None);
        older.lineage.clone_from(&base.lineage);
        let merged = merge(&ours, &older, Some(&base), Timestamp::UNIX_EPOCH).unwrap();
        let ana = &merged.taken[&"ana".parse().unwrap()];
        assert_eq!((ana.id.as_str(), ana.previous[0].id.as_str()), ("r1", "r2"));
        assert_eq!(merged.kept.len(), 1);
        let mut newer = LockFile::of(&snapshot(&[("ana", "r3")], 12), None);
        newer.lineage.clone_from(&base.lineage);
        let merged = merge(&ours, &newer, Some(&base), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(merged.kept, [], "whoever went on from ours knew it");
    }

    #[test]
    fn a_face_under_two_keys_is_refused_and_both_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK_FILE);
        LockFile::of(&snapshot(&[("ana", "r1"), ("ben", "r1")], 1), None).write(&path, folder.path()).unwrap();
        let error = LockFile::read(&path, &"p".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("face r1 stands under ana and under ben"), "{error}");
    }

    #[test]
    fn a_newer_form_and_another_project_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK_FILE);
        LockFile::of(&snapshot(&[], 1), None).write(&path, folder.path()).unwrap();
        assert!(matches!(LockFile::read(&path, &"q".parse().unwrap()), Err(StateError::OtherProject { .. })));
        std::fs::write(&path, "lock_version: 3\nwhatever: new\n").unwrap();
        assert!(matches!(LockFile::read(&path, &"p".parse().unwrap()), Err(StateError::Newer { found: 3, .. })));
        std::fs::write(&path, "<<<<<<< ours\n").unwrap();
        assert!(matches!(LockFile::read(&path, &"p".parse().unwrap()), Err(StateError::LockFile { .. })));
    }
}
