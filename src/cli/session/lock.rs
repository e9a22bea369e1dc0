//! The state and the lock file beside it: what one of them knows and the other does not.

use crate::state::{Agreement, Change, LockFile, Snapshot, agreement};

use super::super::Exit;
use super::super::error::CliError;

/// What is to be done about a lock file before the state is used.
#[derive(Debug)]
pub(super) struct TakenOver {
    /// The change that brings the state up to the lock file.
    pub(super) change: Change,
    /// What people are told.
    pub(super) note: String,
}

/// Compares the state with the lock file; returns what the state has to take over from it, if anything.
///
/// # Errors
/// When they have nothing to do with each other: nobody can tell from here which is right.
pub(super) fn take_over(snapshot: &Snapshot, lock: &LockFile) -> Result<Option<TakenOver>, CliError> {
    let note = match agreement(snapshot, lock) {
        Agreement::Same | Agreement::StateIsAhead => return Ok(None),
        Agreement::StateIsNew => {
            format!("note: there is no state here yet: {} taken from facectl.lock.yaml.", faces(lock.faces.len()))
        }
        Agreement::LockIsAhead => format!(
            "note: facectl.lock.yaml (serial {}) is ahead of the state here (serial {}), as after a `git pull`: the state takes over what it says.",
            lock.serial(),
            snapshot.meta.serial
        ),
        Agreement::OtherLineage => {
            return Err(CliError::new("the state here and facectl.lock.yaml were not written by the same line of runs; nothing was changed")
                .hint("if the lock file is right (it came by git), move the state folder away: it is rebuilt from the lock file")
                .hint("if the state is right, move facectl.lock.yaml away: it is written anew")
                .exit(Exit::UNSAFE));
        }
    };
    let locked = lock.recorded();
    let gone = snapshot.faces.keys().filter(|key| !locked.contains_key(*key)).map(|key| (key.clone(), None));
    // What is only seen (how far a training is) is not in the lock file: a face it says nothing new about is kept.
    let as_locked = LockFile::of(snapshot, Some(lock));
    let changed = locked.iter().filter(|(key, _)| as_locked.faces.get(*key) != lock.faces.get(*key));
    let faces = changed.map(|(key, face)| (key.clone(), Some(face.clone()))).chain(gone).collect();
    let change = Change { faces, lineage: Some((lock.lineage.clone(), lock.serial())), ..Change::default() };
    Ok(Some(TakenOver { change, note }))
}

fn faces(number: usize) -> String {
    if number == 1 { "1 face was".to_owned() } else { format!("{number} faces were") }
}
