//! What survives on disk, and what damage does.

use std::time::Duration;

use super::*;
use crate::face::{Attempt, OnRemoval};
use crate::state::FORMAT_VERSION;
use crate::state::history::{Verdict, verify};
use crate::state::history_copy::copy_path;
use crate::state::{Holder, Provenance};

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
        manifest: None,
        seen_usable: false,
        last_seen: None,
        successor: None,
        previous: Vec::new(),
        rolled_back_from: None,
        going_back_to: None,
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
    open(folder.path(), "p").unwrap().commit(remember("r1")).unwrap();
    assert!(matches!(open(folder.path(), "q"), Err(StateError::OtherProject { .. })));
    let store = open(folder.path(), "p").unwrap();
    let newer = Meta { format_version: FORMAT_VERSION + 1, ..store.load().unwrap().meta };
    store.base().unwrap().trees.meta.insert(META, encode("meta", &newer).unwrap()).unwrap();
    drop(store);
    for _ in 0..2 {
        assert!(matches!(open(folder.path(), "p"), Err(StateError::Newer { found: 3, .. })));
    }
}

/// What is remembered apart from where the history ends: a rebuild adds a line to it.
fn without_history(mut snapshot: Snapshot) -> Snapshot {
    snapshot.meta.history = None;
    snapshot
}

/// Damages the record of `ana`, as a bad disk would.
fn damaged(directory: &Path) -> Snapshot {
    let store = open(directory, "p").unwrap();
    store.commit(remember("r1")).unwrap();
    store.base().unwrap().trees.faces.insert("ana", b"0123456789abcdef{}".as_slice()).unwrap();
    store.load().unwrap()
}

#[test]
fn a_damaged_database_is_moved_aside_and_rebuilt_from_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let before = damaged(folder.path());
    let (store, rebuilt) = open_any(folder.path(), "p").unwrap();
    assert!(rebuilt.unwrap().moved_to.unwrap().is_dir());
    let after = store.load().unwrap();
    assert_eq!(without_history(after.clone()), before);
    drop(store);
    assert_eq!(open(folder.path(), "p").unwrap().load().unwrap(), after);
}

#[test]
fn a_database_that_is_gone_is_rebuilt_too_and_a_snapshot_that_cannot_be_read_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let before = damaged(folder.path());
    std::fs::remove_dir_all(folder.path().join("db")).unwrap();
    assert_eq!(without_history(open(folder.path(), "p").unwrap().load().unwrap()), before);
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
        // The longest cut takes all of it.
        let why = rebuilt.unwrap().why;
        assert!(why.contains("lost what was written after") || why == "was gone", "{cut} bytes less: {why}");
        let after = store.load().unwrap();
        assert_eq!(without_history(after.clone()), before, "{cut} bytes less");
        drop(store);
        assert_eq!(open(torn.path(), "p").unwrap().load().unwrap(), after, "{cut} bytes less, once more");
    }
}

/// Commits one line of history for each key.
fn told(store: &SledStore, keys: &[&str]) {
    for key in keys {
        let provenance = Provenance { by: Some("Ana <ana@example.com>".to_owned()), ..Provenance::default() };
        let context = RunContext { provenance, ..RunContext::default() };
        let key = key.parse().unwrap();
        let entry = HistoryEntry::new(Timestamp::UNIX_EPOCH, Some(&key), Happened::Forgotten, "", &context);
        store.commit(Change { history: vec![entry], ..remember("r1") }).unwrap();
    }
}

fn verified(store: &SledStore) -> Verdict {
    verify(&store.records().unwrap(), store.load().unwrap().meta.history.as_ref())
}

fn keys(store: &SledStore) -> Vec<String> {
    let key = |entry: HistoryEntry| entry.key.map_or_else(|| "-".to_owned(), |key| key.to_string());
    store.history().unwrap().into_iter().map(key).collect()
}

#[test]
fn the_history_is_one_chain_over_restarts_and_the_state_knows_its_end() {
    let folder = tempfile::tempdir().unwrap();
    told(&open(folder.path(), "p").unwrap(), &["ana", "bea"]);
    let store = open(folder.path(), "p").unwrap();
    // A commit that tells nothing leaves it as it is.
    store.commit(remember("r2")).unwrap();
    told(&store, &["cid"]);
    assert_eq!((verified(&store).linked, verified(&store).is_whole()), (3, true));
    assert_eq!(keys(&store), ["ana", "bea", "cid"]);
    assert_eq!(read_history_copy(folder.path()).unwrap(), store.records().unwrap());
    let copied = crate::state::read_snapshot(folder.path(), &"p".parse().unwrap()).unwrap().unwrap();
    assert_eq!(copied.meta.history, store.load().unwrap().meta.history);
    // Whoever takes the newest line out by hand.
    let (last, _) = store.base().unwrap().trees.history.last().unwrap().unwrap();
    store.base().unwrap().trees.history.remove(last).unwrap();
    assert_eq!(verified(&store).breaks.iter().map(|spot| spot.record).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_rebuilt_database_has_its_history_back_from_the_copy_and_says_that_it_was_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    told(&open(folder.path(), "p").unwrap(), &["ana", "bea"]);
    for times in 1..=2 {
        std::fs::remove_dir_all(folder.path().join("db")).unwrap();
        let store = open(folder.path(), "p").unwrap();
        assert_eq!(keys(&store)[..2], ["ana", "bea"]);
        assert_eq!((verified(&store).is_whole(), verified(&store).gaps.len()), (true, 0));
        let detail = store.history().unwrap().pop().unwrap().detail;
        assert!(detail.contains("was gone") && detail.contains("no entry of the history was lost"), "{detail}");
        told(&store, &["cid"]);
        assert_eq!((verified(&store).is_whole(), keys(&store).len()), (true, 2 + 2 * times));
    }
}

#[test]
fn a_history_that_is_lost_with_its_copy_begins_anew_and_says_how_much_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    told(&open(folder.path(), "p").unwrap(), &["ana", "bea"]);
    std::fs::remove_dir_all(folder.path().join("db")).unwrap();
    std::fs::remove_file(copy_path(folder.path())).unwrap();
    let store = open(folder.path(), "p").unwrap();
    told(&store, &["cid"]);
    drop(store);
    let store = open(folder.path(), "p").unwrap();
    let Verdict { linked, unlinked, gaps, breaks } = verified(&store);
    assert_eq!((linked, unlinked, breaks), (2, 0, Vec::new()));
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].what.contains("2 entries of the history before this could not be saved"), "{gaps:?}");
    assert_eq!(store.load().unwrap().meta.history.unwrap().length, 4);
}

#[test]
fn a_copy_that_lost_its_end_to_a_power_cut_is_put_right_by_the_next_commit() {
    let folder = tempfile::tempdir().unwrap();
    told(&open(folder.path(), "p").unwrap(), &["ana", "bea"]);
    let copy = copy_path(folder.path());
    let bytes = std::fs::read(&copy).unwrap();
    std::fs::write(&copy, &bytes[..bytes.len() - 30]).unwrap();
    assert_eq!(read_history_copy(folder.path()).unwrap().len(), 1);
    let store = open(folder.path(), "p").unwrap();
    store.commit(remember("r2")).unwrap();
    assert_eq!(read_history_copy(folder.path()).unwrap(), store.records().unwrap());
}

#[test]
fn a_history_from_before_the_chain_is_kept_read_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), "p").unwrap();
    let old = r#"{"at":"2026-11-01T08:00:00Z","key":"ana","what":"adopted","id":"r1","token":null,"detail":"found by its name"}"#;
    let old: Value = serde_json::from_str(old).unwrap();
    let place = [1_u64.to_be_bytes().as_slice(), &0_u32.to_be_bytes()].concat();
    store.commit(remember("r1")).unwrap();
    store.base().unwrap().trees.history.insert(place, encode("history", &old).unwrap()).unwrap();
    told(&store, &["bea"]);
    assert_eq!(keys(&store), ["ana", "bea"]);
    assert_eq!(store.records().unwrap()[0]["serial"], 1);
    assert_eq!((verified(&store).linked, verified(&store).unlinked, verified(&store).is_whole()), (1, 1, true));
}

#[test]
fn a_journal_entry_can_be_dropped_and_stays_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), "p").unwrap();
    let entry: Entry = serde_json::from_value(serde_json::json!({
        "token": "fc-k3j2x2m7-qa4bd2-1", "begun_at": "2026-11-01T08:00:00Z", "phase": { "phase": "absent" },
        "trained_from": { "model": "phoenix-4", "kind": "video", "source": "x", "source_hash": "0", "voice": null,
            "auto_fix": false, "green_screen": false, "training_version": null }
    }))
    .unwrap();
    let with = |entry: Option<Entry>| Change { journal: vec![("ana".parse().unwrap(), entry)], ..Change::default() };
    store.commit(with(Some(entry))).unwrap();
    store.commit(with(None)).unwrap();
    drop(store);
    assert!(open(folder.path(), "p").unwrap().load().unwrap().journal.is_empty());
    let copy = crate::state::read_snapshot(folder.path(), &"p".parse().unwrap()).unwrap().unwrap();
    assert!(copy.journal.is_empty());
}

#[test]
fn who_holds_a_face_is_the_same_by_the_index_as_by_a_look_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), "p").unwrap();
    let ids = ["r1", "r2", "r3", "r4"];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..200 {
        let changes = (0..random.usize(1..4)).map(|_| {
            let key = ["ana", "ben", "carla"][random.usize(..3)].parse().unwrap();
            let mut of_key = face(ids[random.usize(..ids.len())]);
            of_key.successor = random.bool().then(|| Box::new(face(ids[random.usize(..ids.len())])));
            (key, (random.u8(..4) > 0).then_some(of_key))
        });
        store.commit(Change { faces: changes.collect(), ..Change::default() }).unwrap();
        let snapshot = store.load().unwrap();
        for id in ids.map(|id| id.parse().unwrap()) {
            assert_eq!(store.holder(&id).unwrap().as_ref(), snapshot.holder(&id), "{id}: {:?}", snapshot.faces);
        }
    }
}

#[test]
fn commits_of_several_threads_are_all_there_with_a_serial_and_a_line_of_history_each() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), "p").unwrap();
    let before = store.load().unwrap().meta.serial;
    let mut serials = std::thread::scope(|scope| {
        let commit = |number: usize| {
            let key: FaceKey = format!("face-{number}").parse().unwrap();
            let entry = HistoryEntry::new(Timestamp::now(), Some(&key), Happened::Adopted, "", &RunContext::default());
            let faces = vec![(key, Some(face(&format!("r{number}"))))];
            store.commit(Change { faces, history: vec![entry], ..Change::default() }).unwrap()
        };
        let threads: Vec<_> = (0..8)
            .map(|thread| scope.spawn(move || (0..10).map(|n| commit(thread * 10 + n)).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    serials.sort_unstable();
    assert_eq!(serials, (before + 1..=before + 80).collect::<Vec<_>>());
    let held = store.load().unwrap();
    let verdict = history::verify(&store.records().unwrap(), held.meta.history.as_ref());
    assert!(verdict.is_whole(), "{verdict:?}");
    drop(store);
    let project = "p".parse().unwrap();
    assert_eq!(read_snapshot(folder.path(), &project).unwrap().as_ref(), Some(&held));
    assert_eq!(open(folder.path(), "p").unwrap().load().unwrap(), held);
}

fn noted() -> Change {
    Change { account: Some(vec!["sample".to_owned()]), ..Change::default() }
}

#[test]
fn a_state_that_was_only_looked_at_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("state");
    let store = open(&directory, "p").unwrap();
    assert_eq!(store.note(noted()).unwrap(), 1);
    assert_eq!(store.load().unwrap().meta.account, ["sample"]);
    drop(store);
    assert!(!directory.exists());
}

#[test]
fn what_was_noted_is_written_with_the_first_commit() {
    for by_commit in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), "p").unwrap();
        let told = |change: Change| {
            let context = RunContext::default();
            let entry = HistoryEntry::new(Timestamp::UNIX_EPOCH, None, Happened::Adopted, "", &context);
            Change { history: vec![entry], ..change }
        };
        store.note(told(noted())).unwrap();
        match by_commit {
            true => assert_eq!(store.commit(told(remember("r1"))).unwrap(), 2),
            false => store.keep().unwrap(),
        }
        assert!(verified(&store).is_whole());
        let before = (store.load().unwrap(), store.records().unwrap());
        assert_eq!(before.1.len(), if by_commit { 2 } else { 1 });
        assert_eq!(read_history_copy(folder.path()).unwrap(), before.1);
        drop(store);
        let store = open(folder.path(), "p").unwrap();
        assert_eq!((store.load().unwrap(), store.records().unwrap()), before);
        assert_eq!(read_snapshot(folder.path(), &"p".parse().unwrap()).unwrap(), Some(before.0));
    }
}

#[test]
fn an_empty_state_belongs_to_whichever_project_is_there() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), "default").unwrap().commit(noted()).unwrap();
    let store = open(folder.path(), "acme").unwrap();
    assert_eq!(store.load().unwrap().meta.project.as_str(), "acme");
    store.commit(remember("r1")).unwrap();
    drop(store);
    assert_eq!(open(folder.path(), "acme").unwrap().load().unwrap().faces.len(), 1);
    assert!(matches!(open(folder.path(), "default"), Err(StateError::OtherProject { .. })));
}

#[test]
fn who_only_reads_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let before = damaged(folder.path());
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let lease =
        || Lease::take(folder.path(), &Holder::of_this_process("test".into(), Timestamp::UNIX_EPOCH), Duration::ZERO);
    drop(lease().unwrap());
    let there = names();
    let read = SledReader::open(folder.path(), &before.meta.project, lease().unwrap());
    assert!(matches!(read, Err(StateError::Unreadable { .. })));
    assert_eq!(names(), there);
}

#[test]
fn databases_that_are_moved_aside_within_a_second_keep_names_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = BTreeSet::new();
    for _ in 0..3 {
        damaged(folder.path());
        let (_, rebuilt) = open_any(folder.path(), "p").unwrap();
        places.insert(rebuilt.unwrap().moved_to.unwrap());
    }
    assert_eq!(places.iter().filter(|place| place.is_dir()).count(), 3);
}
