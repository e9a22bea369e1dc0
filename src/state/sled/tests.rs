//! What survives on disk, and what damage does.

use super::*;
use crate::face::{Attempt, OnRemoval};
use crate::state::Holder;

fn open_any(directory: &Path, project: &str) -> Result<(SledStore, Option<Rebuilt>), StateError> {
    let holder = Holder::of_this_process("test".into(), Timestamp::UNIX_EPOCH);
    let lease = Lease::take(directory, &holder, Duration::ZERO).unwrap();
    SledStore::open(directory, &project.parse().unwrap(), lease)
}

fn open(directory: &Path, project: &str) -> Result<SledStore, StateError> {
    open_any(directory, project).map(|(store, _)| store)
}

fn face(id: &str) -> RecordedFace {
    RecordedFace {
        id: id.parse().unwrap(),
        name: "Ana".parse().unwrap(),
        default_voice: None,
        trained_from: None,
        attempt: Attempt::FIRST,
        token: None,
        token_in_name: false,
        created_at: None,
        on_removal: OnRemoval::Retain,
        protect: false,
        seen_usable: false,
        last_seen: None,
        successor: None,
        previous: Vec::new(),
        rolled_back_from: None,
    }
}

fn remember(id: &str) -> Change {
    Change { faces: vec![("ana".parse().unwrap(), Some(face(id)))], ..Change::default() }
}

#[test]
fn what_was_committed_is_there_after_a_restart_under_the_same_lineage() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), "p").unwrap();
    assert_eq!(store.commit(remember("r1")).unwrap(), 1);
    let before = store.load().unwrap();
    drop(store);
    assert_eq!(open(folder.path(), "p").unwrap().load().unwrap(), before);
    assert_eq!(crate::state::read_snapshot(folder.path(), &"p".parse().unwrap()).unwrap(), Some(before));
}

#[test]
fn another_projects_state_and_a_newer_one_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), "p").unwrap());
    assert!(matches!(open(folder.path(), "q"), Err(StateError::OtherProject { .. })));
    let store = open(folder.path(), "p").unwrap();
    let newer = Meta { format_version: FORMAT_VERSION + 1, ..store.load().unwrap().meta };
    store.trees.meta.insert(META, encode("meta", &newer).unwrap()).unwrap();
    drop(store);
    for _ in 0..2 {
        assert!(matches!(open(folder.path(), "p"), Err(StateError::Newer { found: 3, .. })));
    }
}

/// Damages the record of `ana`, as a bad disk would.
fn damaged(directory: &Path) -> Snapshot {
    let store = open(directory, "p").unwrap();
    store.commit(remember("r1")).unwrap();
    store.trees.faces.insert("ana", b"0123456789abcdef{}".as_slice()).unwrap();
    store.load().unwrap()
}

#[test]
fn a_damaged_database_is_moved_aside_and_rebuilt_from_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let before = damaged(folder.path());
    let (store, rebuilt) = open_any(folder.path(), "p").unwrap();
    assert!(rebuilt.unwrap().moved_to.unwrap().is_dir());
    assert_eq!(store.load().unwrap(), before);
    drop(store);
    assert_eq!(open(folder.path(), "p").unwrap().load().unwrap(), before);
}

#[test]
fn a_database_that_is_gone_is_rebuilt_too_and_a_snapshot_that_cannot_be_read_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let before = damaged(folder.path());
    std::fs::remove_dir_all(folder.path().join("db")).unwrap();
    assert_eq!(open(folder.path(), "p").unwrap().load().unwrap(), before);
    std::fs::remove_dir_all(folder.path().join("db")).unwrap();
    std::fs::write(folder.path().join("snapshot.json"), "{").unwrap();
    assert!(matches!(open(folder.path(), "p"), Err(StateError::Record { .. })));
    assert_eq!(std::fs::read(folder.path().join("snapshot.json")).unwrap(), b"{");
}

#[test]
fn an_empty_database_to_which_commits_were_made_is_damage_and_said_once() {
    let folder = tempfile::tempdir().unwrap();
    damaged(folder.path());
    std::fs::remove_dir_all(folder.path().join("db")).unwrap();
    std::fs::remove_file(folder.path().join("snapshot.json")).unwrap();
    let Err(StateError::Damaged { moved_to, .. }) = open(folder.path(), "p") else { panic!("not noticed") };
    assert!(moved_to.join("snapshot.log").is_file());
    assert!(open(folder.path(), "p").unwrap().load().unwrap().faces.is_empty());
}

#[test]
fn without_a_snapshot_damage_stops_the_run_and_loses_nothing_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    damaged(folder.path());
    std::fs::remove_file(folder.path().join("snapshot.json")).unwrap();
    let Err(StateError::Damaged { moved_to, .. }) = open(folder.path(), "p") else { panic!("not noticed") };
    assert!(moved_to.is_dir());
}

/// Copies a state as a death leaves it: while it is open.
fn as_after_a_death(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.path().is_dir() {
            true => as_after_a_death(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[test]
fn a_database_that_lost_its_end_does_not_forget_what_its_copy_knows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), "p").unwrap();
    for id in ["r1", "r2", "r3"] {
        store.commit(remember(id)).unwrap();
    }
    // What was forgotten last must not come back either.
    store.commit(Change { faces: vec![("ana".parse().unwrap(), None)], ..Change::default() }).unwrap();
    let log = std::fs::read(folder.path().join("db/db")).unwrap();
    let end = log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let before = store.load().unwrap();
    for cut in [1, 100, 300, 600, 1200] {
        let torn = tempfile::tempdir().unwrap();
        as_after_a_death(folder.path(), torn.path());
        std::fs::write(torn.path().join("db/db"), &log[..end - cut]).unwrap();
        let (store, rebuilt) = open_any(torn.path(), "p").unwrap();
        assert!(rebuilt.unwrap().why.contains("lost what was written after"), "{cut} bytes less");
        assert_eq!(store.load().unwrap(), before, "{cut} bytes less");
        drop(store);
        assert_eq!(open(torn.path(), "p").unwrap().load().unwrap(), before, "{cut} bytes less, once more");
    }
}
