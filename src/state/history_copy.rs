//! `history.log`: the history for readers beside the holder, and to rebuild from.
//!
//! One record a line. The database is what counts and is flushed; this copy is not, so that a commit costs no
//! more. What a power cut takes from its end is put back by the next run that writes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::{self, Mode};

use super::StateError;
use super::history::{ChainHead, carried_hash};

const FILE: &str = "history.log";

/// More than any record takes: from so far before its end the last line of the copy is read.
const TAIL: u64 = 64 * 1024;

/// Adds to the copy, behind a lease.
#[derive(Debug)]
pub(super) struct HistoryCopy {
    file: File,
}

impl HistoryCopy {
    /// Goes on with a copy that ends where the history does; any other is written anew from `all` of it.
    pub(super) fn resume(
        directory: &Path,
        head: Option<&ChainHead>,
        all: impl FnOnce() -> Result<Vec<Value>, StateError>,
    ) -> Result<Self, StateError> {
        let path = copy_path(directory);
        let failed = |source| StateError::Io { action: "write", path: path.clone(), source };
        if !ends_with(&path, head) {
            files::replace(&path, &lines(&all()?), Mode::Default).map_err(failed)?;
        }
        let file = files::open_append(&path).map_err(failed)?;
        Ok(Self { file })
    }

    /// Adds records.
    pub(super) fn add(&mut self, records: &[Value]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.file.write_all(&lines(records))
    }
}

/// Returns where the copy lies.
pub(super) fn copy_path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Returns the records of the copy, oldest first, up to a line that cannot be read; none where there is no copy.
///
/// # Errors
/// When it is there and the file system does not give it out.
pub fn read_history_copy(directory: &Path) -> Result<Vec<Value>, StateError> {
    let path = copy_path(directory);
    match std::fs::read(&path) {
        Ok(bytes) => {
            Ok(bytes.split(|byte| *byte == b'\n').map_while(|line| serde_json::from_slice(line).ok()).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(StateError::Io { action: "read", path, source }),
    }
}

fn lines(records: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        bytes.extend_from_slice(record.to_string().as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

/// Returns whether the last line is whole and carries the hash of the head. Anything else is written anew.
fn ends_with(path: &Path, head: Option<&ChainHead>) -> bool {
    let tail = || {
        let mut file = File::open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        io::Result::Ok(tail)
    };
    let (Ok(tail), Some(head)) = (tail(), head) else { return false };
    let Some(whole) = tail.strip_suffix(b"\n") else { return false };
    let last = whole.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice::<Value>(last).is_ok_and(|last| carried_hash(&last) == Some(head.hash.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn head(hash: &str) -> ChainHead {
        ChainHead { length: 1, hash: hash.to_owned() }
    }

    #[test]
    fn a_copy_that_lost_its_end_is_written_anew_and_a_whole_one_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two, three) = (json!({ "hash": "1" }), json!({ "hash": "2" }), json!({ "hash": "3" }));
        let all = || Ok(vec![one.clone(), two.clone()]);
        let mut copy = HistoryCopy::resume(folder.path(), Some(&head("2")), all).unwrap();
        copy.add(std::slice::from_ref(&three)).unwrap();
        drop(copy);
        drop(HistoryCopy::resume(folder.path(), Some(&head("3")), || panic!("it is whole")).unwrap());
        assert_eq!(read_history_copy(folder.path()).unwrap(), [one.clone(), two.clone(), three]);
        let bytes = std::fs::read(copy_path(folder.path())).unwrap();
        for cut in [1, 5, 20] {
            std::fs::write(copy_path(folder.path()), &bytes[..bytes.len() - cut]).unwrap();
            drop(HistoryCopy::resume(folder.path(), Some(&head("3")), all).unwrap());
            assert_eq!(read_history_copy(folder.path()).unwrap(), [one.clone(), two.clone()], "{cut} bytes less");
        }
    }
}
