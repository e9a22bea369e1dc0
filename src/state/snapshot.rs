//! A copy of the state that can be read while somebody else holds it.
//!
//! sled has no read-only open. So each commit also replaces `snapshot.json`, which `status` and
//! `plan --refresh=false` read when an `apply` is at work, or where the folder cannot be written.

use std::io::Write;
use std::path::Path;

use crate::face::ProjectName;

use super::{FORMAT_VERSION, Snapshot, StateError};

pub(super) const FILE: &str = "snapshot.json";

/// Returns the last snapshot written into a state directory; none if there is no state.
///
/// # Errors
/// When it is there and cannot be read, is of a newer format, or belongs to another project.
pub fn read_snapshot(directory: &Path, project: &ProjectName) -> Result<Option<Snapshot>, StateError> {
    let path = directory.join(FILE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StateError::Io { action: "read", path, source }),
    };
    let parsed: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|source| StateError::Record { record: FILE.to_owned(), source })?;
    // The version first: a newer form may not fit our types at all.
    let found = parsed["meta"]["format_version"].as_u64().and_then(|found| u32::try_from(found).ok()).unwrap_or(0);
    if found > FORMAT_VERSION {
        return Err(StateError::Newer { path, found });
    }
    let snapshot: Snapshot =
        serde_json::from_value(parsed).map_err(|source| StateError::Record { record: FILE.to_owned(), source })?;
    check_project(directory, &snapshot.meta.project, project)?;
    Ok(Some(snapshot))
}

/// Replaces the snapshot file.
pub(super) fn write_snapshot(directory: &Path, snapshot: &Snapshot) -> Result<(), StateError> {
    let path = directory.join(FILE);
    let json = serde_json::to_vec(snapshot).map_err(|source| StateError::Record { record: FILE.to_owned(), source })?;
    write_atomically(&path, &json).map_err(|source| StateError::Io { action: "write", path, source })
}

/// Refuses a state that belongs to another project: its tokens mean something else.
pub(super) fn check_project(directory: &Path, found: &ProjectName, wanted: &ProjectName) -> Result<(), StateError> {
    if found == wanted {
        return Ok(());
    }
    Err(StateError::OtherProject { path: directory.to_owned(), found: found.clone(), wanted: wanted.clone() })
}

/// Replaces a file so that a reader sees the old one or the new one, never a part.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let written = std::fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        // Before the rename: after a power cut the name must not point at nothing.
        file.sync_data()
    });
    let replaced = written.and_then(|()| std::fs::rename(&temporary, path));
    if replaced.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    replaced
}
