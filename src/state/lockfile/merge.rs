//! A state and the lock file beside it, face by face: which of them knows better.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::face::{FaceId, FaceKey, RecordedFace};
use crate::state::Snapshot;

use super::{LockFile, LockedFace, recorded};

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
