//! The state and the lock file beside it: what one of them knows and the other does not.

use crate::clock::{Clock, SystemClock};
use crate::face::{FaceId, FaceKey};
use crate::state::{Change, LockFile, Merge, OtherLineage, Snapshot, merge};

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

/// Compares the state with the lock file, and with what the state wrote there last; returns what the state
/// has to take over, if anything.
///
/// # Errors
/// When they have nothing to do with each other: nobody can tell from here which is right.
pub(super) fn take_over(
    snapshot: &Snapshot,
    lock: &LockFile,
    base: Option<&LockFile>,
) -> Result<Option<TakenOver>, CliError> {
    let Merge { is_new, taken, dropped, kept } =
        merge(snapshot, lock, base, SystemClock.now()).map_err(|OtherLineage| {
            CliError::new(
            "the state here and facectl.lock.yaml were not written by the same line of runs; nothing was changed",
        )
        .hint(
            "if the lock file is right (it came by git), move the state folder away: it is rebuilt from the lock file",
        )
        .hint("if the state is right, move facectl.lock.yaml away: it is written anew")
        .exit(Exit::UNSAFE)
        })?;
    if taken.is_empty() && dropped.is_empty() {
        return Ok(None);
    }
    let note = match is_new {
        true => format!("note: there is no state here yet: {} taken from facectl.lock.yaml.", faces(taken.len())),
        false => news(&taken.keys().collect::<Vec<_>>(), &dropped.iter().collect::<Vec<_>>(), &kept),
    };
    let gone = dropped.into_iter().map(|key| (key, None));
    let faces = gone.chain(taken.into_iter().map(|(key, face)| (key, Some(face)))).collect();
    let change = Change { faces, lineage: Some((lock.lineage.clone(), lock.serial())), ..Change::default() };
    Ok(Some(TakenOver { change, note }))
}

fn news(taken: &[&FaceKey], dropped: &[&FaceKey], kept: &[(FaceKey, FaceId)]) -> String {
    let mut parts = Vec::new();
    for (keys, what) in [(taken, "takes over"), (dropped, "drops")] {
        if !keys.is_empty() {
            parts.push(format!("{what} {}", named(keys)));
        }
    }
    if !kept.is_empty() {
        let faces: Vec<String> = kept.iter().take(NAMED).map(|(key, id)| format!("{id} of {key}")).collect();
        let more = kept.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        parts.push(format!("keeps {}{more}, which the file does not know, as faces from before", faces.join(", ")));
    }
    format!(
        "note: facectl.lock.yaml has news from another machine, as after a `git pull`: the state {}.",
        parts.join(" and ")
    )
}

/// Keys named in one note; the others are counted.
const NAMED: usize = 10;

fn named(keys: &[&FaceKey]) -> String {
    let shown: Vec<&str> = keys.iter().take(NAMED).map(|key| key.as_str()).collect();
    match keys.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn faces(number: usize) -> String {
    if number == 1 { "1 face was".to_owned() } else { format!("{number} faces were") }
}
